"""Who may ask, how much and how often: token, host names, request size and rate, headers."""

import hmac
import threading
import time
from collections.abc import Collection
from typing import Any

from flask import Flask, Response, abort, make_response, redirect, request


LARGEST_REQUEST = 6 * 2**20
RATE_PER_S, BURST = 40.0, 200.0
_COOKIE = "chipweir-token"
_MOST_CLIENTS = 5_000
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class Rate:
    """A bucket of requests for each client: `burst` at once, `per_s` in the long run."""

    def __init__(self, per_s: float = RATE_PER_S, burst: float = BURST) -> None:
        self.per_s, self.burst = per_s, burst
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def allows(self, client: str, now: float) -> bool:
        """Take one request from the client's bucket; False where it is empty."""
        with self._lock:
            if len(self._left) > _MOST_CLIENTS:
                self._left = {key: value for key, value in self._left.items() if now - value[1] < 60}
            left, before = self._left.get(client, (self.burst, now))
            left = min(self.burst, left + (now - before) * self.per_s)
            allowed = left >= 1
            self._left[client] = (left - 1 if allowed else left, now)
        return allowed


def guard(server: Flask, *, token: str | None, hosts: Collection[str] | None, rate: Rate | None = None) -> None:
    """Put the limits before every request of `server`.

    `hosts` are the host names it answers to (None: any, behind a proxy that checks); `token` must be given once as
    `?token=...` and is kept in a cookie that scripts cannot read.
    """
    server.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    server.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_REQUEST
    bucket = rate or Rate()

    @server.before_request
    def _before() -> Any:
        if hosts is not None and request.host.rsplit(":", 1)[0].strip("[]").casefold() not in hosts:
            abort(make_response("this server does not answer to this host name\n", 421))
        if not bucket.allows(request.remote_addr or "", time.monotonic()):
            abort(make_response("too many requests; wait a moment\n", 429))
        if token is not None:
            return _admit(token)
        return None

    @server.after_request
    def _after(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        return response


def _admit(token: str) -> Any:
    given = request.args.get("token")
    if given is not None and hmac.compare_digest(given.encode(), token.encode()):
        response = redirect(request.path)
        response.set_cookie(_COOKIE, token, httponly=True, samesite="Strict", max_age=12 * 3600)
        return response
    if hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), token.encode()):
        return None
    return make_response("give the token once, as ?token=... in the address\n", 401)
