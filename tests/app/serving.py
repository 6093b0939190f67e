"""A playground on synthetic runs, and a server for it."""

import threading
from contextlib import contextmanager

from synthetic_run import synthetic_run


def made_up(first, second, _members, _wait):
    """Results of the right shape; B is bigger than A by its enforcement lever, so that moves show."""
    run = synthetic_run()
    if first.digest == second.digest:
        return run.sel(scenario=["baseline"]).assign_coords(scenario=[first.name])
    return run.sel(scenario=["baseline", "weir"]).assign_coords(scenario=[first.name, second.name])


@contextmanager
def running(front, **options):
    """A server for `front` as `serve` runs one, in a thread; its port."""
    from chipweir.app._serve import listening, make_server

    with listening("127.0.0.1", 0) as listener:
        server = make_server(front, **options)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.01)
            assert thread.is_alive()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(20)


def wait_until(page, expression, arg=None, timeout=30_000):
    """Wait for a JavaScript expression to hold. Playwright's own way is against the page's policy."""
    for _ in range(timeout // 50):
        if page.evaluate(expression, arg):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"it never held: {expression}")
