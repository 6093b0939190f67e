"""Running the playground: one process, one loop for all connections, the model warm before it answers."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chipweir.app._answers import Answers
from chipweir.app._engine import REFINING_STEP, Engine, simulate_pair
from chipweir.app._guard import Guard
from chipweir.app._live import Live
from chipweir.app._server import LOOPBACK, create_app, pages
from chipweir.app._state import View, reference_of
from chipweir.errors import InputError
from chipweir.i18n import _


if TYPE_CHECKING:
    from chipweir.app._front import Front

Tell = Callable[[float, str], None]
LEAST_TOKEN = 16
THREADS = 16
_STOPPING_SECONDS = 5
_BACKLOG = 1_024


def untold(_share: float, _text: str) -> None:
    """Nobody hears it."""


def wsgi(token: str | None = None, *, behind_proxy: bool = False, warm: bool = True) -> Any:
    """The WSGI application for a server of your own: `gunicorn 'chipweir.app:wsgi()' --threads 16`.

    `behind_proxy` trusts the proxy's forwarded addresses and leaves host names and visitors to it. With neither a token nor
    a proxy only visitors of this machine are answered, whatever address the server listens on. Use one worker process: jobs
    and remembered results live in its memory. `asgi` is better at many visitors and slow ones.
    """
    _check_token(token)
    engine = Engine(Live())
    app = create_app(engine, token=token, hosts=None if behind_proxy or token else LOOPBACK, behind_proxy=behind_proxy)
    if behind_proxy:
        _trust_proxy(app.server)
    if warm:
        warm_up(engine)
    return app.server


def asgi(token: str | None = None, *, behind_proxy: bool = False, warm: bool = True) -> "Front":
    """The ASGI application that `serve` runs, for a server of your own: `uvicorn --factory chipweir.app:asgi`.

    As `wsgi`, with many visitors and slow ones in mind.
    """
    _check_token(token)
    engine = Engine(Live())
    hosts = None if behind_proxy or token else LOOPBACK
    front = make_front(engine, Guard(token, hosts, behind_proxy=behind_proxy))
    if warm:
        warm_up(engine)
    return front


def make_front(engine: Engine, guard: Guard, threads: int = THREADS) -> "Front":
    """The server's front with the pages behind it."""
    from chipweir.app._front import Front

    answers = Answers(engine, private=guard.token is None and not guard.behind_proxy)
    return Front(pages(answers).server, answers, guard, threads)


def warm_up(engine: Engine, tell: Tell = untold) -> float:
    """Compile the model for first answers, the interactive ensemble and its refinement, side by side, and answer the first
    visitor's question; seconds taken. What was compiled is kept for the next start. `tell` hears what is done."""
    from chipweir import world
    from chipweir.library import keep_compiled

    started = time.monotonic()
    keep_compiled()
    tell(0.05, _("compiling the model (once, a minute or more)"))
    first = reference_of(View())
    refining = threading.Thread(target=simulate_pair, args=(first, first, REFINING_STEP))
    refining.start()
    engine.quick(first, first)
    tell(0.6, _("simulating what is asked first"))
    with contextlib.suppress(InputError):
        engine.quick(first, world.load_scenario("weir"))
    tell(0.8, _("compiling what refines the answers"))
    refining.join()
    tell(1.0, _("ready"))
    return time.monotonic() - started


def check_exposure(host: str, token: str | None, behind_proxy: bool) -> None:
    """Refuse to be open to a network without a token or a proxy. Raises `InputError`."""
    if host in LOOPBACK or behind_proxy:
        return
    if not token:
        raise InputError(
            f"--host {host} would open the playground to others: give --token-file, or a token (at least {LEAST_TOKEN} "
            "characters) in CHIPWEIR_TOKEN, or --behind-proxy if a reverse proxy decides who may come in"
        )
    _check_token(token)


def _check_token(token: str | None) -> None:
    if token is not None and len(token) < LEAST_TOKEN:
        raise InputError(f"the token has {len(token)} characters; give at least {LEAST_TOKEN}")


def serve(
    host: str = "127.0.0.1",
    port: int = 8050,
    *,
    token: str | None = None,
    behind_proxy: bool = False,
    threads: int = THREADS,
    ready: Callable[[str], None] | None = None,
    tell: Tell | None = None,
) -> None:
    """Serve until stopped. `tell` hears how far warming up is, `ready` the address once it is done. Raises `InputError`."""
    check_exposure(host, token, behind_proxy)
    hosts = None if behind_proxy or host not in LOOPBACK else LOOPBACK
    with listening(host, port) as listener:  # before minutes go into warming up
        engine = Engine(Live())
        front = make_front(engine, Guard(token, hosts, behind_proxy=behind_proxy), threads)
        warm_up(engine, tell or untold)
        server = make_server(front, behind_proxy)
        if ready is not None:
            shown = f"[{host}]" if ":" in host else host
            ready(f"http://{shown}:{listener.getsockname()[1]}/")
        server.run(sockets=[listener])


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises `InputError` where it can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot listen on {host} port {port}: {reason.lower()}; give another --port") from error
    return listener


def make_server(front: Any, behind_proxy: bool = False, header_seconds: float | None = None) -> Any:
    """A uvicorn server for the front, with limits of connections and of the time for a request's headers."""
    from uvicorn import Config, Server

    from chipweir.app._connections import HEADER_SECONDS, KEEP_ALIVE_SECONDS, MOST_OF_ONE, Connections, protocol

    connections = Connections(of_one=None if behind_proxy else MOST_OF_ONE)
    return Server(
        Config(
            front,
            http=protocol(connections, header_seconds or HEADER_SECONDS),
            ws="none",
            lifespan="off",
            interface="asgi3",
            loop="asyncio",
            access_log=False,
            log_level="error",
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOPPING_SECONDS,
            h11_max_incomplete_event_size=32_768,
        )
    )


def _trust_proxy(server: Any) -> None:
    from werkzeug.middleware.proxy_fix import ProxyFix

    server.wsgi_app = ProxyFix(server.wsgi_app, x_for=1, x_proto=1, x_host=1)
