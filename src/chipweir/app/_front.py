"""The server's front: every connection in one loop, which alone waits, for slow visitors and for the model.

A request is read whole, within limits of time and size, before anything is done for it, and an answer is whole before any of
it is sent: no slow visitor holds a thread. Files of the page have threads of their own, so they never wait for callbacks;
questions about the contest hold none at all while the model works on them.
"""

import asyncio
import io
import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeVar

from werkzeug.wrappers import Response

from chipweir.app._answers import BETTER_SECONDS, FIRST_SECONDS, HAVE, Answers, problem, view_of
from chipweir.app._engine import Answer, Asker, Busy
from chipweir.app._guard import LARGEST_REQUEST, Asked, Guard
from chipweir.app._state import View
from chipweir.errors import InputError
from chipweir.i18n import _, use_language


BODY_SECONDS, SENDING_SECONDS = 20.0, 60.0
LONGEST_ADDRESS = 8_190
# All bodies that are being received or worked on together.
BODY_BYTES = 16 * LARGEST_REQUEST
# Callbacks that wait for a thread, of all visitors and of one address.
WAITING, WAITING_OF_ONE = 256, 128
FILE_THREADS = 4

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Made = TypeVar("Made")


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_text(cls, status: int, text: str, *headers: tuple[str, str]) -> "Reply":
        return cls(status, text.encode(), (("Content-Type", "text/plain; charset=utf-8"), *headers))


class Gone(Exception):
    """The visitor left."""


class Front:
    """The ASGI application: a guard, the answers of an engine, and the pages of a WSGI application."""

    def __init__(self, pages: Any, answers: Answers, guard: Guard, threads: int = 16) -> None:
        self._pages, self._answers, self._guard = pages, answers, guard
        self._workers = ThreadPoolExecutor(threads, "callbacks")
        self._painters = ThreadPoolExecutor(2, "answers")
        self._files = ThreadPoolExecutor(FILE_THREADS, "files")
        self._share = max(1, threads // 2)
        self._waiting: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._bodies = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"nothing is served by {scope['type']}")
        asked = asked_of(scope, self._guard.behind_proxy)
        try:
            reply = await self._reply(asked, scope, receive)
        except Gone:
            return
        except Exception:
            logging.getLogger("chipweir.app").exception("%s failed", asked.path)
            reply = Reply.of_text(500, "this did not work\n")
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(SENDING_SECONDS):
                await _send(reply, asked, self._guard.headers(asked), send)

    async def _reply(self, asked: Asked, scope: Message, receive: Receive) -> Reply:
        if len(scope["raw_path"]) + len(asked.query) > LONGEST_ADDRESS:
            return Reply.of_text(414, "the address is too long\n")
        refusal = self._guard.refusal(asked)
        if refusal is not None:
            return Reply.of_text(refusal.status, refusal.text, *refusal.headers.items())
        if asked.path == "/answer":
            return await self._first(asked, receive)
        if asked.path == "/refined":
            return await self._better(asked, receive)
        return await self._page(asked, scope, receive)

    async def _first(self, asked: Asked, receive: Receive) -> Reply:
        view, asker = view_of(asked.query), asked.asker()

        def wish() -> "Future[Answer]":
            return self._answers.first(view, asker)

        return await self._answered(view, asker, wish, receive, FIRST_SECONDS) or _busy(view)

    async def _better(self, asked: Asked, receive: Receive) -> Reply:
        view, asker = view_of(asked.query), asked.asker()

        def wish() -> "Future[Answer] | None":
            return self._answers.better(view, asked.headers.get(HAVE, ""), asker)

        return await self._answered(view, asker, wish, receive, BETTER_SECONDS) or Reply(204)

    async def _answered(
        self,
        view: View,
        asker: Asker,
        wish: Callable[[], "Future[Answer] | None"],
        receive: Receive,
        seconds: float,
    ) -> Reply | None:
        """The answer as JSON; None where it took too long."""
        try:
            future = await self._in(self._painters, wish) if view.run else wish()
            if future is None:
                return Reply(204)
            answer = await _while_there(future, receive, seconds)
            if answer is None:
                self._answers.leave(asker)
                return None
            body = await self._in(self._painters, lambda: self._answers.reply(view, answer))
        except asyncio.CancelledError:  # a newer wish of the same page took its place
            return Reply(204)
        except Gone:
            self._answers.leave(asker)
            raise
        except InputError as error:
            return Reply(503 if isinstance(error, Busy) else 200, problem(view, error), _JSON)
        return Reply(200, body, _JSON)

    async def _page(self, asked: Asked, scope: Message, receive: Receive) -> Reply:
        async with self._body(scope, receive) as body:
            if isinstance(body, Reply):
                return body
            environ = _environ(scope, asked, body)
            if asked.is_static:
                return await self._in(self._files, lambda: _called(self._pages, environ))
            if self._waiting.total() >= WAITING or self._waiting[asked.client] >= WAITING_OF_ONE:
                return Reply.of_text(
                    503, "many people are using this page; try again in a moment\n", ("Retry-After", "2")
                )
            async with self._turn(asked.client):
                return await self._in(self._workers, lambda: _called(self._pages, environ))

    @asynccontextmanager
    async def _turn(self, client: str) -> AsyncIterator[None]:
        """One of the address's share of the threads."""
        self._waiting[client] += 1
        turns = self._turns.setdefault(client, asyncio.Semaphore(self._share))
        try:
            async with turns:
                yield
        finally:
            self._waiting[client] -= 1
            if self._waiting[client] <= 0:
                del self._waiting[client]
                self._turns.pop(client, None)

    @asynccontextmanager
    async def _body(self, scope: Message, receive: Receive) -> AsyncIterator[bytes | Reply]:
        """What was sent with the request, or what is answered where it is too slow or too much."""
        parts, size = [], 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Gone
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    self._bodies += len(parts[-1])
                    more = message.get("more_body", False)
                    if size > LARGEST_REQUEST:
                        yield Reply.of_text(413, f"a request may have {LARGEST_REQUEST >> 20} MB at most\n", _CLOSE)
                        return
                    if self._bodies > BODY_BYTES:
                        yield Reply.of_text(503, "the server is busy; try again in a moment\n", _CLOSE)
                        return
        except TimeoutError:
            yield Reply.of_text(408, "the request came too slowly\n", _CLOSE)
        else:
            yield b"".join(parts)
        finally:
            self._bodies -= size

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(pool, work)


_JSON = (("Content-Type", "application/json"),)
_CLOSE = ("Connection", "close")


def _busy(view: View) -> Reply:
    with use_language(view.lang):
        error = Busy(_("many people are using this page; try again in a moment"))
    return Reply(503, problem(view, error), _JSON)


async def _while_there(future: "Future[Answer]", receive: Receive, seconds: float) -> Answer | None:
    """The future's result, or None after `seconds`. Raises `Gone` as soon as the visitor leaves."""
    result = asyncio.wrap_future(future)
    left = asyncio.ensure_future(_disconnected(receive))
    try:
        waited: set[asyncio.Future[Any]] = {result, left}
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if result.done():
            return result.result()
        if left.done():
            raise Gone
        return None
    finally:
        left.cancel()
        # The work may be wanted by others: what is no longer waited for here must not be cancelled by its wrapper.
        result.add_done_callback(lambda done: done.cancelled() or done.exception())


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(reply: Reply, asked: Asked, common: Mapping[str, str], send: Send) -> None:
    named = {name.casefold() for name, _value in reply.headers}
    headers = [*reply.headers, *((n, v) for n, v in common.items() if n == "Set-Cookie" or n.casefold() not in named)]
    if reply.status not in (204, 304) and "content-length" not in named:
        headers.append(("Content-Length", str(len(reply.body))))
    coded = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": coded})
    await send({"type": "http.response.body", "body": b"" if asked.method == "HEAD" else reply.body})


def asked_of(scope: Message, behind_proxy: bool) -> Asked:
    """What a guard looks at in a request. Behind a proxy, what the nearest one says of its visitor is believed."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        joint = "; " if key == "cookie" else ", "
        headers[key] = f"{headers[key]}{joint}{text}" if key in headers else text
    asked = Asked(
        scope["method"],
        scope["path"],
        scope["query_string"].decode("latin-1"),
        headers.get("host", ""),
        scope["client"][0] if scope["client"] else "",
        scope["scheme"],
        headers,
        _cookies(headers.get("cookie", "")),
    )
    if not behind_proxy:
        return asked
    last = {
        name: headers.get(f"x-forwarded-{name}", "").rpartition(",")[2].strip() for name in ("for", "proto", "host")
    }
    return replace(
        asked,
        client=last["for"] or asked.client,
        scheme=last["proto"] if last["proto"] in ("http", "https") else asked.scheme,
        host=last["host"] or asked.host,
    )


def _cookies(text: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(text).items()}
    except CookieError:
        return {}


def _environ(scope: Message, asked: Asked, body: bytes) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    host, colon, port = asked.host.rpartition(":")
    named = colon and port.isdecimal()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": asked.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": asked.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": asked.query,
        "REMOTE_ADDR": asked.client,
        "SERVER_NAME": (host if named else asked.host) or "localhost",
        "SERVER_PORT": port if named else "443" if asked.scheme == "https" else "80",
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": asked.headers.get("content-type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": asked.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in asked.headers.items():
        if "_" not in name and name not in ("content-length", "content-type", "transfer-encoding"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    environ["HTTP_HOST"] = asked.host
    return environ


def _called(pages: Any, environ: dict[str, Any]) -> Reply:
    response = Response.from_app(pages, environ, buffered=True)
    try:
        return Reply(response.status_code, response.get_data(), tuple(response.headers))
    finally:
        response.close()
