"""Who may ask, how much and how often: token, host and origin, request size and rate, headers.

The rules know no framework: an `Asked` goes in, a `Refusal` or None comes out. `install` puts them before every request of
a Flask application; the server's own front (`chipweir.app._front`) asks them for everything that it serves.
"""

import hashlib
import hmac
import ipaddress
import secrets
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask, Response, make_response, request

from chipweir.app._turns import Asker


LARGEST_REQUEST = 6 * 2**20
# Of one address, behind which many people may be; what costs time stands in lines that are fair to all.
RATE_PER_S, BURST = 200.0, 1_000.0
SECONDS_OF_A_COOKIE = 12 * 3600
TOKEN_COOKIE, VISITOR_COOKIE = "chipweir-token", "chipweir-visitor"
# Files of the page: they are served from memory or the package at once, and a first visit asks for dozens of them.
STATIC = ("/assets/", "/_dash-component-suites/", "/_favicon.ico")
_MOST_CLIENTS = 5_000
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Asked:
    """What a guard looks at: `scheme`, `host` and `client` (an address) as the connection, or a trusted proxy, tells."""

    method: str
    path: str
    query: str
    host: str
    client: str
    scheme: str = "http"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_static(self) -> bool:
        return self.path.startswith(STATIC)

    def asker(self) -> Asker:
        """Who asks, as far as it can be told: the address, the browser by its cookie, the open page by its own name."""
        page = self.headers.get("x-chipweir-page", "")[:40]
        visitor = self.cookies.get(VISITOR_COOKIE, "")[:40]
        return Asker(self.client, f"{visitor}/{page}" if page else visitor, bool(page))


@dataclass(frozen=True)
class Refusal:
    """An answer in place of what was asked for."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


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


class Guard:
    """The rules of one server.

    `hosts` are the host names it answers to (None: any). Without a `token` it answers this machine alone, unless it is
    `behind_proxy`, where the proxy decides who may come in.
    """

    def __init__(
        self,
        token: str | None = None,
        hosts: Collection[str] | None = None,
        rate: Rate | None = None,
        *,
        behind_proxy: bool = False,
    ) -> None:
        self.token, self.hosts, self.behind_proxy = token, hosts, behind_proxy
        self.rate = rate or Rate()

    def refusal(self, asked: Asked) -> Refusal | None:
        """Why, and how, the request is turned away; None where it may go on."""
        if self.hosts is not None and host_name(asked.host) not in self.hosts:
            return Refusal(421, "this server does not answer to this host name\n")
        if self.token is None and not self.behind_proxy and not is_loopback(asked.client):
            return Refusal(403, "this server has no token and answers its own machine alone: start it with a token\n")
        if not asked.is_static and not self.rate.allows(asked.client, monotonic()):
            return Refusal(429, "too many requests; wait a moment\n", {"Retry-After": "2"})
        if _is_foreign(asked):
            return Refusal(403, "another web site asked for this, not you\n")
        return self._admission(asked) if self.token is not None else None

    def headers(self, asked: Asked) -> dict[str, str]:
        """Headers of every answer; a browser without a cookie of its own gets one with the first page."""
        found = dict(HEADERS)
        if (
            VISITOR_COOKIE not in asked.cookies
            and asked.method == "GET"
            and "text/html" in asked.headers.get("accept", "")
        ):
            found["Set-Cookie"] = _cookie(VISITOR_COOKIE, secrets.token_urlsafe(18), asked.scheme)
        return found

    def _admission(self, asked: Asked) -> Refusal | None:
        assert self.token is not None
        expected = _hashed(self.token)
        if hmac.compare_digest(asked.cookies.get(TOKEN_COOKIE, "").encode(), expected.encode()):
            return None
        given = parse_qs(asked.query, max_num_fields=200).get("token", [""])[0] if len(asked.query) < 9_000 else ""
        if given and hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode()):
            cookie = _cookie(TOKEN_COOKIE, expected, asked.scheme)
            return Refusal(302, "", {"Location": asked.path if asked.path[:2] != "//" else "/", "Set-Cookie": cookie})
        return Refusal(401, "give the token once, as ?token=... in the address\n")


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    return name.casefold()


def is_loopback(address: str) -> bool:
    """Whether an address is one of this machine's own; a connection without one is a pipe or a test."""
    try:
        return not address or ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_foreign(asked: Asked) -> bool:
    """Whether a page of another site made the browser ask: for anything but showing our own page, that is refused."""
    site = asked.headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        navigating = (
            asked.headers.get("sec-fetch-mode") == "navigate" and asked.headers.get("sec-fetch-dest") == "document"
        )
        if not (navigating and asked.method == "GET"):
            return True
    if asked.method in ("GET", "HEAD"):
        return False
    origin = asked.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.casefold() != asked.host.casefold()


def _hashed(token: str) -> str:
    """What the cookie holds: nobody who reads it learns the token."""
    return hmac.new(token.encode(), b"chipweir visitor", hashlib.sha256).hexdigest()


def _cookie(name: str, value: str, scheme: str) -> str:
    secure = "; Secure" if scheme == "https" else ""
    return f"{name}={value}; Max-Age={SECONDS_OF_A_COOKIE}; Path=/; HttpOnly; SameSite=Strict{secure}"


def asked_of_flask() -> Asked:
    """The request that Flask is answering."""
    return Asked(
        request.method,
        request.path,
        request.query_string.decode("latin-1"),
        request.host,
        request.remote_addr or "",
        request.scheme,
        {name.lower(): value for name, value in request.headers.items()},
        request.cookies,
    )


def install(server: Flask, guard: Guard) -> None:
    """Put the guard before everything else that looks at a request of a Flask application."""
    server.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    server.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_REQUEST

    def _before() -> Any:
        refusal = guard.refusal(asked_of_flask())
        return None if refusal is None else make_response(refusal.text, refusal.status, dict(refusal.headers))

    server.before_request_funcs.setdefault(None, []).insert(0, _before)

    @server.after_request
    def _after(response: Response) -> Response:
        for name, value in guard.headers(asked_of_flask()).items():
            if name == "Set-Cookie":
                response.headers.add(name, value)
            else:
                response.headers[name] = value
        return response
