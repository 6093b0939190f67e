import json

import pytest

from chipweir.app import check_exposure, create_app
from chipweir.app._engine import Engine
from chipweir.app._guard import LARGEST_REQUEST, Rate
from chipweir.errors import InputError


TOKEN = "a-long-enough-token"


@pytest.fixture
def client(app):
    return app.server.test_client()


@pytest.mark.parametrize(
    "path", ["/", "/chips", "/rules", "/claims", "/facts", "/nothing-here", "/?lang=xx", "/answer"]
)
def test_every_page_answers(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert "no-referrer" in response.headers["Referrer-Policy"]
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert b"http://" not in response.data.replace(b"http://www.w3.org", b"")


def test_nothing_is_loaded_from_elsewhere(client):
    page = client.get("/").get_data(as_text=True)
    assert "cdn" not in page
    assert "https://" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../_server.py",
        "/assets/%2e%2e/_server.py",
        "/assets//etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/_dash-component-suites/os/x",
    ],
)
def test_no_file_outside_the_assets_can_be_read(client, path):
    text = client.get(path).get_data(as_text=True)
    assert "create_app" not in text
    assert "root:" not in text


def test_another_host_name_is_refused(client):
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/", headers={"Host": "localhost:8050"}).status_code == 200
    assert client.get("/", headers={"Host": "[::1]:8050"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe\x00",
        json.dumps({"output": "x.y", "inputs": []}).encode(),
        json.dumps({"output": "..why.children..", "outputs": {}, "inputs": [{"id": "view"}]}).encode(),
        json.dumps({"output": "page.children", "inputs": [{"id": {"a": 1}, "property": "x", "value": 1e308}]}).encode(),
    ],
)
def test_garbage_is_survived(client, body):
    response = client.post("/_dash-update-component", data=body, content_type="application/json")
    assert response.status_code in (200, 204, 400, 404, 415, 500)
    assert "Traceback" not in response.get_data(as_text=True)
    assert client.get("/").status_code == 200


def test_a_request_that_is_too_large_is_refused(client):
    body = b'{"x": "' + b"a" * LARGEST_REQUEST + b'"}'
    response = client.post("/_dash-update-component", data=body, content_type="application/json")
    assert response.status_code >= 400
    assert client.get("/").status_code == 200


def test_the_rate_of_one_client_is_limited_and_recovers():
    rate = Rate(per_s=10, burst=5)
    assert [rate.allows("a", 0.0) for _ in range(6)] == [True] * 5 + [False]
    assert rate.allows("b", 0.0)
    assert rate.allows("a", 0.2)
    assert rate.allows("a", 100.0)
    assert sum(rate.allows("a", 100.0) for _ in range(20)) == 4


def test_a_client_over_its_rate_gets_429(engine):
    client = create_app(engine, rate=Rate(per_s=0.001, burst=2)).server.test_client()
    assert [client.get("/").status_code for _ in range(3)] == [200, 200, 429]


def test_a_token_lets_in_once_and_stays_out_of_the_address(engine):
    client = create_app(engine, token=TOKEN, hosts=None).server.test_client()
    assert client.get("/").status_code == 401
    assert client.get("/?token=wrong").status_code == 401
    assert client.get("/assets/chipweir.js").status_code == 401
    welcome = client.get(f"/?token={TOKEN}")
    assert welcome.status_code == 302
    assert TOKEN not in welcome.headers["Location"]
    assert "HttpOnly" in welcome.headers["Set-Cookie"]
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(("host", "token", "proxy"), [("0.0.0.0", None, False), ("192.168.1.2", "short", False)])
def test_opening_to_a_network_needs_a_token_or_a_proxy(host, token, proxy):
    with pytest.raises(InputError, match="token"):
        check_exposure(host, token, proxy)


def test_loopback_tokens_and_proxies_are_fine():
    check_exposure("127.0.0.1", None, False)
    check_exposure("0.0.0.0", TOKEN, False)
    check_exposure("0.0.0.0", None, True)


def test_debug_tools_are_off():
    app = create_app(Engine(lambda *_: None))
    assert app.server.debug is False
    client = app.server.test_client()
    assert b"_reload-hash" not in client.get("/").data
    assert client.get("/console").status_code == 200  # an ordinary page address, no debugger
    assert b"debugger" not in client.get("/console").data.lower()
