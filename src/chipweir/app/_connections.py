"""Connections of the server: how many, and how long one may take to say what it wants."""

import asyncio
import contextlib
import sys
from collections import Counter
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


# From a connection's first byte of a request, or from its beginning, to the end of the request's headers.
HEADER_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 15
MOST, MOST_OF_ONE = 4_000, 1_000


class Connections:
    """Open connections by address; `of_one` is None where all come from a proxy."""

    def __init__(self, most: int = MOST, of_one: int | None = MOST_OF_ONE) -> None:
        self.most, self.of_one = min(most, _files() - 100), of_one
        self.open: Counter[str] = Counter()

    def admits(self, address: str) -> bool:
        """Whether one more may be opened."""
        return self.open.total() < self.most and (self.of_one is None or self.open[address] < self.of_one)


def _files() -> int:
    """How many files the process may have open, as many as the system lets it have at most."""
    if sys.platform == "win32":
        return MOST
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + 200 if hard == resource.RLIM_INFINITY else min(MOST + 200, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return MOST + 200 if soft == resource.RLIM_INFINITY else max(soft, 200)


def protocol(connections: Connections, header_seconds: float = HEADER_SECONDS) -> type[asyncio.Protocol]:
    """HTTP/1.1 for a server with those limits."""

    class Limited(H11Protocol):
        """Closes connections that are too many, and those whose headers do not come."""

        _address, _deadline = None, None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            address = self.client[0] if self.client else ""
            if not connections.admits(address):
                transport.abort()
                return
            self._address = address
            connections.open[address] += 1
            self._expect_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._address is not None:
                connections.open[self._address] -= 1
                if not connections.open[self._address]:
                    del connections.open[self._address]
                self._address = None
            self._expect_nothing()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._expect_nothing()
            elif self._deadline is None:
                self._expect_headers()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # Part of a next request may have come already; the keep-alive time runs where it has not.
            self._expect_nothing()
            if self.conn.trailing_data[0]:
                self._expect_headers()

        def _expect_headers(self) -> None:
            if self._deadline is None:
                self._deadline = self.loop.call_later(header_seconds, self.transport.abort)

        def _expect_nothing(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return Limited
