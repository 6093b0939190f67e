"""Running the playground: a production server in one process with many threads, warmed up before it answers."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from chipweir.app._engine import REFINING_STEP, Engine, simulate_pair
from chipweir.app._live import Live
from chipweir.app._server import LOOPBACK, create_app
from chipweir.app._state import View, reference_of
from chipweir.errors import InputError


LEAST_TOKEN = 16


def wsgi(token: str | None = None, *, behind_proxy: bool = False, warm: bool = True) -> Any:
    """The WSGI application for a server of your own: `gunicorn 'chipweir.app:wsgi()' --threads 16`.

    `behind_proxy` trusts the proxy's forwarded addresses and leaves host names and visitors to it. Use one worker
    process: jobs and remembered results live in its memory.
    """
    engine = Engine(Live())
    app = create_app(engine, token=token, hosts=None if behind_proxy else LOOPBACK)
    if behind_proxy:
        _trust_proxy(app.server)
    if warm:
        warm_up(engine)
    return app.server


def warm_up(engine: Engine) -> float:
    """Compile the model for the interactive ensemble and for its refinement, side by side, and answer the first visitor's
    question; seconds taken."""
    started = time.monotonic()
    first = reference_of(View())
    refining = threading.Thread(target=simulate_pair, args=(first, first, REFINING_STEP))
    refining.start()
    engine.quick(first, first)
    from chipweir import world

    with contextlib.suppress(InputError):
        engine.quick(first, world.load_scenario("weir"))
    refining.join()
    return time.monotonic() - started


def check_exposure(host: str, token: str | None, behind_proxy: bool) -> None:
    """Refuse to be open to a network without a token or a proxy. Raises `InputError`."""
    if host in LOOPBACK or behind_proxy:
        return
    if not token:
        raise InputError(
            f"--host {host} would open the playground to others: give --token (at least {LEAST_TOKEN} characters), "
            "or --behind-proxy if a reverse proxy decides who may come in"
        )
    if len(token) < LEAST_TOKEN:
        raise InputError(f"--token has {len(token)} characters; give at least {LEAST_TOKEN}")


def serve(
    host: str = "127.0.0.1",
    port: int = 8050,
    *,
    token: str | None = None,
    behind_proxy: bool = False,
    threads: int = 16,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until stopped. `ready` is called with the address once the model is warm. Raises `InputError`."""
    check_exposure(host, token, behind_proxy)
    check_port(host, port)
    hosts = None if behind_proxy or host not in LOOPBACK else LOOPBACK

    def load() -> Any:
        engine = Engine(Live())
        app = create_app(engine, token=token, hosts=hosts)
        if behind_proxy:
            _trust_proxy(app.server)
        warm_up(engine)
        if ready is not None:
            shown = f"[{host}]" if ":" in host else host
            ready(f"http://{shown}:{port}/")
        return app.server

    _run(load, host, port, threads)


def _trust_proxy(server: Any) -> None:
    from werkzeug.middleware.proxy_fix import ProxyFix

    server.wsgi_app = ProxyFix(server.wsgi_app, x_for=1, x_proto=1, x_host=1)


def check_port(host: str, port: int) -> None:
    """Raises `InputError` where the address can't be listened on, before minutes go into warming up."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot listen on {host} port {port}: {reason.lower()}; give another --port") from error


def _run(load: Callable[[], Any], host: str, port: int, threads: int) -> None:
    """Run what `load` makes. It is made in the worker, since a process with JAX's threads must not be forked."""
    if sys.platform == "win32":
        from werkzeug.serving import run_simple

        run_simple(host, port, load(), threaded=True)
        return
    from gunicorn.app.base import BaseApplication

    class _Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            settings = {
                "bind": address,
                "workers": 1,
                "threads": threads,
                "worker_class": "gthread",
                "timeout": 600,
                "graceful_timeout": 5,
                "keepalive": 5,
                "limit_request_line": 8190,
                "limit_request_fields": 60,
                "accesslog": None,
                "loglevel": "warning",
                "preload_app": False,
            }
            for key, value in settings.items():
                self.cfg.set(key, value)

        def load(self) -> Any:
            return load()

    _Server().run()
