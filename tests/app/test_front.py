"""The server as it is run, asked over sockets: by slow visitors, greedy ones, fickle ones, and those who may not."""

import http.client
import json
import socket
import threading
import time
from contextlib import closing, suppress

import pytest
from serving import made_up, running

from chipweir.app import _front, _serve
from chipweir.app._answers import Answers
from chipweir.app._engine import WORKERS, Engine
from chipweir.app._front import Front
from chipweir.app._guard import LARGEST_REQUEST, TOKEN_COOKIE, Guard, Rate
from chipweir.app._server import LOOPBACK
from chipweir.errors import InputError


TOKEN = "a-long-enough-token"
PAGE = "X-Chipweir-Page"


def ask(port, path="/", method="GET", body=None, source="127.0.0.1", **headers):
    """(status, headers, body) of one request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120, source_address=(source, 0))) as connection:
        connection.request(method, path, body, named)
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def in_thread(found, *args, **kwargs):
    thread = threading.Thread(target=lambda: found.append(ask(*args, **kwargs)), daemon=True)
    thread.start()
    return thread


def is_cut_off(connection):
    """Whether the server ends the connection, without a word."""
    try:
        return connection.recv(65536) == b""
    except ConnectionError:
        return True


def is_refused(connection, data):
    try:
        connection.sendall(data)
    except ConnectionError:
        return True
    return False


def until(condition):
    """Wait for something that another thread does."""
    for _ in range(12_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


class Gate:
    """A simulation that waits until it is opened, and tells what it was asked."""

    def __init__(self):
        self.open, self.asked = threading.Event(), []

    def __call__(self, first, second, members, _wait):
        self.asked.append(second.digest)
        assert self.open.wait(120)
        return made_up(first, second, members, _wait)


def question(number):
    return f"/answer?s.us.enforcement={number / 100}"


def stub(environ, start_response):
    """Pages without Dash."""
    if environ["PATH_INFO"] == "/slow":
        stub.entered.append(1)
        assert stub.gate.wait(120)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * (30_000_000 if environ["PATH_INFO"] == "/large" else 3)]


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def stubbed():
    stub.gate, stub.entered = threading.Event(), []
    yield Front(stub, Answers(Engine(made_up)), Guard(hosts=LOOPBACK), threads=4)
    stub.gate.set()


def test_half_sent_headers_stop_nobody_and_are_cut_off(stubbed):
    with running(stubbed, header_seconds=0.5) as port:
        halves = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(60)]
        for half in halves[:40]:
            half.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert ask(port)[0] == 200
        for half in halves:  # the others never sent anything
            with half:
                assert is_cut_off(half)


def test_headers_that_drip_in_do_not_gain_time(stubbed):
    with running(stubbed, header_seconds=0.5) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as slow:
        assert any(is_refused(slow, b"a") or time.sleep(0.05) for _ in range(200))


def test_a_second_request_on_a_connection_has_the_same_time(stubbed):
    with (
        running(stubbed, header_seconds=0.5) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as kept,
    ):
        kept.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while not answer.endswith(b"xxx"):
            answer += kept.recv(65536)
        kept.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        assert is_cut_off(kept)


def test_a_body_that_does_not_come_is_given_up(stubbed, monkeypatch):
    monkeypatch.setattr(_front, "BODY_SECONDS", 0.3)
    with running(stubbed) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        slow.sendall(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc")
        assert b" 408 " in slow.recv(65536)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(stubbed, chunked):
    body = (b"x" * 2**16 for _ in range(LARGEST_REQUEST // 2**16 + 4))
    with running(stubbed) as port:
        whole = body if chunked else b"".join(body)
        with suppress(BrokenPipeError, ConnectionResetError):  # it was answered before everything was sent
            assert ask(port, "/x", "POST", whole)[0] == 413
        assert ask(port)[0] == 200


def test_those_who_do_not_read_their_answer_hold_no_thread(stubbed):
    with running(stubbed) as port:
        lazy = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(8)]
        for each in lazy:
            each.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for each in lazy:
            assert each.recv(10)
        assert ask(port)[0] == 200
        for each in lazy:
            each.close()


def test_files_never_wait_for_pages(stubbed):
    with running(stubbed) as port:
        found = []
        for number in range(20):  # of two addresses, so that together they hold every thread for pages
            in_thread(found, port, "/slow", source=f"127.0.0.{2 + number % 2}")
        until(lambda: len(stub.entered) == 4)
        assert ask(port, "/assets/chipweir.css")[0] == 200
        assert ask(port, "/_dash-component-suites/dash/deps/x.js")[0] == 200
        assert found == []
        stub.gate.set()


def test_one_address_has_half_of_the_threads_at_most(stubbed):
    with running(stubbed) as port:
        found = []
        for _ in range(16):
            in_thread(found, port, "/slow", source="127.0.0.2")
        until(lambda: len(stub.entered) == 2)
        assert ask(port, "/page")[0] == 200
        assert len(stub.entered) == 2
        stub.gate.set()


def test_too_many_waiting_pages_are_told_so(stubbed, monkeypatch):
    monkeypatch.setattr(_front, "WAITING_OF_ONE", 3)
    with running(stubbed) as port:
        found = []
        for _ in range(12):
            in_thread(found, port, "/slow")
        until(lambda: len(found) == 9)
        assert {status for status, _headers, _body in found} == {503}
        assert found[0][1]["Retry-After"]
        stub.gate.set()


def front_of(simulate, **options):
    return Front(stub, Answers(Engine(simulate, **options)), Guard(hosts=LOOPBACK, rate=Rate(1e6, 1e6)))


def test_who_asks_with_many_connections_gets_no_more_turns_than_another(gate):
    with running(front_of(gate)) as port:
        greedy, modest = [], []
        for number in range(16):
            in_thread(greedy, port, question(number), source="127.0.0.2")
        until(lambda: len(gate.asked) == WORKERS)
        thread = in_thread(modest, port, question(99))
        engine_has = 16 - WORKERS + 1
        time.sleep(0.2)
        gate.open.set()
        thread.join(120)
        # Those under way first, one more of the greedy one's at most for each worker, then the other's.
        assert modest[0][0] == 200
        assert len(gate.asked) < engine_has
        until(lambda: len(greedy) == 16)
        assert {status for status, _headers, _body in greedy} == {200}


def test_the_newest_wish_of_a_page_takes_the_place_of_the_older(gate):
    with running(front_of(gate)) as port:
        others, mine = [], []
        for number in range(WORKERS):
            in_thread(others, port, question(number))
        until(lambda: len(gate.asked) == WORKERS)
        threads = []
        for number in (50, 51, 52):
            threads.append(in_thread(mine, port, question(number), **{PAGE: "p1"}))
            time.sleep(0.15)
        until(lambda: len(mine) == 2)
        assert [status for status, _headers, _body in mine] == [204, 204]
        gate.open.set()
        threads[-1].join(120)
        assert mine[-1][0] == 200
        assert len(gate.asked) == WORKERS + 1


def test_what_nobody_waits_for_any_more_is_not_simulated(gate):
    front = front_of(gate)
    with running(front) as port:
        others = []
        for number in range(WORKERS):
            in_thread(others, port, question(number))
        until(lambda: len(gate.asked) == WORKERS)
        leaver = socket.create_connection(("127.0.0.1", port))
        leaver.sendall(f"GET {question(70)} HTTP/1.1\r\nHost: localhost\r\n{PAGE}: p2\r\n\r\n".encode())
        line = front._answers.engine._first
        until(lambda: len(line) == 1)
        leaver.close()
        until(lambda: len(line) == 0)
        gate.open.set()
        until(lambda: len(others) == WORKERS)
        assert len(gate.asked) == WORKERS


def test_the_same_question_of_many_is_simulated_once(gate):
    with running(front_of(gate)) as port:
        found = []
        for number in range(30):
            in_thread(found, port, question(7), **{PAGE: f"p{number}"})
        until(lambda: gate.asked)
        time.sleep(0.2)
        gate.open.set()
        until(lambda: len(found) == 30)
        assert len(gate.asked) == 1
        assert len({body for _status, _headers, body in found}) == 1


def test_a_full_line_is_really_said(gate):
    with running(front_of(gate, waiting=2)) as port:
        found = []
        for number in range(WORKERS):
            in_thread(found, port, question(number))
        until(lambda: len(gate.asked) == WORKERS)
        for number in range(10, 16):
            in_thread(found, port, question(number), **{PAGE: f"p{number}"})
        until(lambda: len(found) == 4)
        status, headers, body = found[0]
        assert status == 503
        assert headers["Content-Type"] == "application/json"
        assert "try again" in json.loads(body)["problems"][0]
        gate.open.set()


def test_an_answer_that_takes_too_long_says_so_and_leaves_the_line(gate, monkeypatch):
    monkeypatch.setattr(_front, "FIRST_SECONDS", 0.2)
    with running(front_of(gate)) as port:
        assert ask(port, question(1))[0] == 503
        gate.open.set()


def test_a_failure_is_no_traceback(caplog):
    def broken(*_args):
        raise ZeroDivisionError("secret detail")

    with running(front_of(broken)) as port:
        status, _headers, body = ask(port, question(1))
    assert (status, body) == (500, b"this did not work\n")


# ---- who may ask: the same rules over `serve`, `asgi`, `wsgi` and `create_app` ----


@pytest.fixture(scope="module")
def cold():
    """`serve`, `asgi` and `wsgi` without the minute of compiling."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_serve, "Live", lambda: made_up)
        patch.setattr(_serve, "warm_up", lambda *_: 0.0)
        yield


class Asking:
    """One way to reach the playground: `get(path, method, **headers)` gives (status, headers, body)."""

    def __init__(self, kind, **options):
        self.kind, self.options = kind, options

    def __enter__(self):
        if self.kind == "wsgi":
            client = _serve.wsgi(**self.options).test_client(use_cookies=False)

            def get(path="/", method="GET", source="127.0.0.1", **headers):
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                found = client.open(path, method=method, headers=named, environ_base={"REMOTE_ADDR": source})
                return found.status_code, found.headers, found.data

            self.close = lambda: None
            return get
        if self.kind == "asgi":
            running_one = running(_serve.asgi(**self.options))
            port = running_one.__enter__()
            self.close = lambda: running_one.__exit__(None, None, None)
        else:
            port = self._serve()

        def over_a_socket(path="/", method="GET", source="127.0.0.1", **headers):
            return ask(port, path, method, source=source, **headers)

        return over_a_socket

    def __exit__(self, *_args):
        self.close()

    def _serve(self):
        addresses, servers, make = [], [], _serve.make_server

        def remembered(*args, **kwargs):
            servers.append(make(*args, **kwargs))
            return servers[0]

        patch = pytest.MonkeyPatch()
        patch.setattr(_serve, "make_server", remembered)
        options = {"port": 0, "ready": addresses.append, **self.options}
        thread = threading.Thread(target=_serve.serve, kwargs=options, daemon=True)
        thread.start()
        until(lambda: addresses and servers[0].started)
        patch.undo()

        def close():
            servers[0].should_exit = True
            thread.join(20)

        self.close = close
        return int(addresses[0].rstrip("/").rpartition(":")[2])


@pytest.mark.parametrize("kind", ["serve", "asgi", "wsgi"])
def test_this_machine_alone_is_answered_without_a_token(cold, kind):
    with Asking(kind) as get:
        assert get(Host="localhost:1")[0] == 200
        assert get(Host="evil.example")[0] == 421
        assert get("/answer", Sec_Fetch_Site="cross-site")[0] == 403
        assert get("/answer", Sec_Fetch_Site="same-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="iframe")[0] == 403
        assert get("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")[0] == 200
        post = ("/_dash-update-component", "POST")
        assert get(*post, Origin="http://evil.example", Host="localhost:1")[0] == 403
        assert get(*post, Origin="null", Host="localhost:1")[0] == 403
        assert get(*post, Origin="http://localhost:1", Host="localhost:1")[0] == 400  # no callback's request
        # What a forwarding header claims is nothing without a proxy.
        assert get(X_Forwarded_Host="localhost", Host="evil.example")[0] == 421


def test_an_open_address_without_token_or_proxy_answers_no_other_machine(cold):
    with Asking("wsgi") as get:
        assert get(source="192.168.1.7", Host="localhost")[0] == 403
        assert get(source="127.0.0.9", Host="localhost")[0] == 200


@pytest.mark.parametrize("kind", ["serve", "asgi", "wsgi"])
def test_a_token_is_asked_for_everywhere_and_its_cookie_does_not_tell_it(cold, kind):
    options = {"host": "127.0.0.1"} if kind == "serve" else {}
    with Asking(kind, token=TOKEN, **options) as get:
        for path in (
            "/",
            "/answer",
            "/refined",
            "/assets/chipweir.js",
            "/_dash-layout",
            "/_dash-dependencies",
            "/?token=x",
        ):
            assert get(path)[0] == 401, path
        assert get(f"/?token={TOKEN}x")[0] == 401
        status, headers, _body = get(f"/?token={TOKEN}&lang=ko")
        assert (status, headers["Location"]) == (302, "/")
        cookie = (
            next(value for value in headers.get_all("Set-Cookie") if value.startswith(TOKEN_COOKIE))
            if hasattr(headers, "get_all")
            else next(value for value in headers.getlist("Set-Cookie") if value.startswith(TOKEN_COOKIE))
        )
        assert TOKEN not in cookie
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie.split("; ")
        value = cookie.split(";")[0]
        assert get("/", Cookie=value)[0] == 200
        assert get("/answer", Cookie=value)[0] == 200
        assert get("/", Cookie=value[:-1] + ("0" if value[-1] != "0" else "1"))[0] == 401
        assert get("/", Cookie=f"{TOKEN_COOKIE}={TOKEN}")[0] == 401


@pytest.mark.parametrize("kind", ["serve", "asgi", "wsgi"])
def test_behind_a_proxy_its_visitors_are_told_apart_and_cookies_are_secure(cold, kind):
    with Asking(kind, behind_proxy=True) as get:
        status, headers, _body = get(
            Host="chips.example", Accept="text/html", X_Forwarded_Proto="https", X_Forwarded_For="6.6.6.6, 9.9.9.9"
        )
        assert status == 200
        assert "Secure" in headers["Set-Cookie"]
        post = ("/_dash-update-component", "POST")
        assert get(*post, Origin="https://chips.example", Host="inner", X_Forwarded_Host="chips.example")[0] == 400
        assert get(*post, Origin="https://evil.example", Host="inner", X_Forwarded_Host="chips.example")[0] == 403


def test_a_proxys_visitors_have_rates_of_their_own():
    front = Front(stub, Answers(Engine(made_up)), Guard(rate=Rate(1e-6, 2), behind_proxy=True))
    with running(front) as port:
        claims = ("1.1.1.1, 9.9.9.9", "2.2.2.2, 9.9.9.9", "3.3.3.3, 9.9.9.9")  # only the last was seen by the proxy
        assert [ask(port, X_Forwarded_For=claim)[0] for claim in claims] == [200, 200, 429]
        assert ask(port, X_Forwarded_For="8.8.8.8")[0] == 200


def test_files_do_not_count_in_a_rate_and_pages_do():
    with running(Front(stub, Answers(Engine(made_up)), Guard(rate=Rate(1e-6, 2)))) as port:
        assert {ask(port, "/assets/x.css")[0] for _ in range(5)} == {200}
        assert [ask(port)[0] for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("kind", ["serve", "asgi", "wsgi"])
def test_answers_carry_the_policy(cold, kind):
    with Asking(kind) as get:
        for path in ("/", "/answer", "/assets/chipweir.js", "/_dash-layout"):
            _status, headers, _body = get(path, Host="localhost")
            assert "unsafe-eval" not in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("make", [_serve.wsgi, _serve.asgi])
def test_a_short_token_is_refused(make):
    with pytest.raises(InputError, match="at least 16"):
        make("short")


def test_the_address_is_taken_before_the_model_is_warmed(monkeypatch):
    monkeypatch.setattr(_serve, "Live", lambda: pytest.fail("the model was loaded"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="cannot listen"):
            _serve.serve(port=taken.getsockname()[1])
