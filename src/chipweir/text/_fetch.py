"""Fetching a page: public addresses only, few redirects, bounded size and time.

The name is resolved once; every address must be public; the connection goes to the address that was checked, so that
a name which resolves differently a moment later (DNS rebinding) gains nothing. Each redirect is checked anew.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from chipweir.errors import InputError


LARGEST, SECONDS, REDIRECTS = 10_000_000, 20.0, 5
PORTS = (80, 443)
_TYPES = (
    "text/",
    "application/xhtml",
    "application/xml",
    "application/rss",
    "application/atom",
    "application/octet-stream",
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Page:
    """What a server answered."""

    url: str
    body: bytes
    media_type: str
    charset: str


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet: not private, loopback, link-local, multicast, reserved or
    a disguise of such.
    """
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (
        ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback or ip.is_link_local or ip.is_private
    )


def _checked(url: str, allow_private: bool) -> tuple[SplitResult, str, int]:
    """The parts of `url`, the address to connect to and the port. Raises `InputError` for what must not be fetched."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise InputError(f"'{url[:120]}' is no web address: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(
            f"'{url[:120]}' cannot be fetched: an address starts with http:// or https:// and names a host"
        )
    if parts.username or parts.password:
        raise InputError(f"'{parts.hostname}' is not fetched with a user name in the address: remove it")
    if not allow_private and port not in PORTS:
        raise InputError(
            f"port {port} of '{parts.hostname}' is not fetched: only 80 and 443, unless private addresses are allowed"
        )
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InputError(f"'{parts.hostname}' cannot be found: {error}") from None
    addresses = [str(row[4][0]) for row in found]
    if not allow_private:
        private = next((one for one in addresses if not is_public(one)), None)
        if private is not None:
            raise InputError(
                f"'{parts.hostname}' is at {private}, which is not a public address: refused unless private ad"
                f"dresses are allowed"
            )
    return parts, addresses[0], port


class _PinnedHTTPS(http.client.HTTPSConnection):
    def __init__(self, host: str, address: str, port: int, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout, context=ssl.create_default_context())
        self._address = address

    def connect(self) -> None:
        raw = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._context.wrap_socket(raw, server_hostname=self.host)  # type: ignore[attr-defined]


class _PinnedHTTP(http.client.HTTPConnection):
    def __init__(self, host: str, address: str, port: int, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


def fetch(url: str, allow_private: bool = False) -> Page:
    """The page at `url`. Raises `InputError`, one line, for what is refused, too large, too slow, missing or not
    text.
    """
    deadline = time.monotonic() + SECONDS
    for _ in range(REDIRECTS + 1):
        parts, address, port = _checked(url, allow_private)
        kind = _PinnedHTTPS if parts.scheme == "https" else _PinnedHTTP
        connection = kind(str(parts.hostname), address, port, max(0.5, deadline - time.monotonic()))
        # The time-out of a socket begins anew with every byte; this one does not.
        watch = threading.Timer(max(0.5, deadline - time.monotonic()), _cut, [connection])
        watch.start()
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(
                "GET",
                target,
                headers={
                    "User-Agent": "chipweir",
                    "Accept": "text/html, application/xml, text/plain",
                    "Accept-Encoding": "identity",
                },
            )
            answer = connection.getresponse()
            location = answer.getheader("Location")
            if answer.status in {301, 302, 303, 307, 308} and location:
                url = urljoin(url, location)
                continue
            if answer.status != 200:
                raise InputError(
                    f"'{parts.hostname}' answered {answer.status} {answer.reason}: nothing to read at this address"
                )
            return _page(url, answer, deadline)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            if time.monotonic() > deadline:
                raise InputError(f"'{url[:120]}' took longer than {SECONDS:.0f} seconds") from None
            raise InputError(f"'{parts.hostname}' could not be read: {str(error) or type(error).__name__}") from None
        finally:
            watch.cancel()
            connection.close()
    raise InputError(f"'{url[:120]}': more than {REDIRECTS} redirects")


def _cut(connection: http.client.HTTPConnection) -> None:
    """End a connection whoever is waiting for it."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _page(url: str, answer: http.client.HTTPResponse, deadline: float) -> Page:
    media_type = (answer.getheader("Content-Type") or "text/html").split(";")[0].strip().lower()
    if not media_type.startswith(_TYPES):
        raise InputError(f"'{url[:120]}' is {media_type}: only text, HTML and feeds are read")
    pieces, size = [], 0
    while piece := answer.read1(65536):
        size += len(piece)
        if size > LARGEST:
            raise InputError(f"'{url[:120]}' is larger than {LARGEST // 1_000_000} MB")
        if time.monotonic() > deadline:
            raise InputError(f"'{url[:120]}' took longer than {SECONDS:.0f} seconds")
        pieces.append(piece)
    if time.monotonic() > deadline:
        raise InputError(f"'{url[:120]}' took longer than {SECONDS:.0f} seconds")
    return Page(url, b"".join(pieces), media_type, answer.headers.get_content_charset() or "")
