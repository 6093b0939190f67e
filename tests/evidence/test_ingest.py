"""Reading articles: forms, provenance, what is set aside, and what is refused."""

import hashlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from chipweir.errors import InputError
from chipweir.evidence import Document, check_document, document_from_text, extract, read, result_json
from chipweir.text import _fetch as fetching
from chipweir.text._ingest import decode, documents_from_text


LEAD = "화웨이가 새 AI 반도체를 내년 상반기에 양산할 계획이라고 로이터가 27일(현지시간) 보도했다."
PAGE = """<html><head><title>새 칩</title>
<meta property="article:published_time" content="2025-08-30T03:23:00+09:00">
<script>var price = "99억 달러";</script></head><body><nav><a href="/">홈</a><a href="/it">IT</a></nav>
<article><h1>알리바바, 새 칩 공개</h1>
<p>알리바바가 <b>10억 달러</b>(약 1조3,880억원)를 투자해 7나노 칩 &amp; 서버를 만든다고 29일 밝혔다.
중국 업체들은 자체 반도체 개발로 공백을 메우기 시작했다고 월스트리트저널이 보도했다.</p>
<p>Revenue was $247&nbsp;million in the second quarter, and the company warned that its shares had risen
too far and too fast for investors to be comfortable with the price.</p></article></body></html>"""


def test_plain_text_is_kept_as_given() -> None:
    text = f"제목\n\n{LEAD}\n"
    document = document_from_text(text)
    assert document.text == text
    assert (document.language, document.format, document.title) == ("ko", "text", LEAD[: len(document.title)])


def test_front_matter_gives_date_and_machine_tier() -> None:
    fields = "created: 2025-12-02\nmodel: Some-LLM-1\nsource: https://example.org/a"
    text = f"---\n{fields}\n---\n\n# 제목입니다 길게\n\n{LEAD}\n"
    document = document_from_text(text)
    assert (document.published, document.published_basis, document.tier) == (
        "2025-12-02",
        "explicit",
        "machine-written",
    )
    assert (document.generator, document.url, document.format) == ("Some-LLM-1", "https://example.org/a", "markdown")
    assert "front matter" in {span.reason for span in document.dropped}
    assert "2025-12-02" in {item.value for item in extract(document).quantities}


def test_broken_front_matter_is_a_warning() -> None:
    document = document_from_text(f"---\ncreated: [2025\n---\n{LEAD}")
    assert any("front matter" in line for line in document.warnings)


@pytest.mark.parametrize(
    ("text", "published"),
    [
        (f"제목\n2025-07-30     홍길동 기자\n{LEAD}", "2025-07-30"),
        (f"제목\n입력 2025.08.30 03:23\n수정 2025.08.31 04:00\n{LEAD}", "2025-08-30T03:23"),
        ("Huawei plans chips\nPublished: August 27, 2025\nHuawei plans to make more chips.", "2025-08-27"),
        ("华为计划\n发布时间：2025年8月27日\n华为计划生产更多芯片。", "2025-08-27"),
    ],
)
def test_a_dated_line_is_explicit(text: str, published: str) -> None:
    document = document_from_text(text)
    assert (document.published, document.published_basis) == (published, "explicit")


def test_a_month_is_inferred_from_what_lies_before_and_after() -> None:
    text = (
        "27일(이하 현지시간) 외신은 화웨이가 2025년 말 가동을 목표로 공장을 짓는다고 보도했다. 지난 5월부터 공급했고 "
        "7월 FT가 보도한 바 있다. "
        "미국은 오는 9월부터 규제를 검토한다. 이달 19일 공개한 모델은 9월 5일부터 적용된다. 2026년까지 두 배로 늘린다."
    )
    document = document_from_text(text)
    assert (document.published, document.published_basis) == ("2025-08-27", "inferred")
    assert any("inferred" in line for line in document.warnings)


def test_nothing_to_go_by_stays_unknown() -> None:
    document = document_from_text("화웨이가 칩을 만든다.")
    assert (document.published, document.published_basis) == (None, "unknown")


def test_the_users_date_wins() -> None:
    document = document_from_text(f"2025-07-30 홍길동 기자\n{LEAD}", published="2025-08-01")
    assert (document.published, document.published_basis) == ("2025-08-01", "explicit")


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        (f"[경제신문 홍길동 기자] {LEAD}", "relay"),
        ("[경제신문 홍길동 기자] 화웨이가 칩을 만든다고 회사 측이 밝혔다.", "own reporting"),
        ("보도자료\n산업부는 반도체 대책을 발표했다.", "official"),
        ("이것은 나의 개인적 의견이다. 화웨이가 칩을 만든다.", "opinion"),
        ("이 글은 AI가 작성한 요약입니다. 화웨이가 칩을 만든다.", "machine-written"),
        ("화웨이가 칩을 만든다.", "unknown"),
    ],
)
def test_tiers(text: str, tier: str) -> None:
    assert document_from_text(text).tier == tier


def test_relayed_outlets_are_named_once() -> None:
    document = document_from_text(f"{LEAD} 로이터에 따르면 값도 오른다. 월스트리트저널(WSJ)도 같은 내용을 보도했다.")
    assert document.relays == ("reuters", "wsj")


def test_captions_and_repeated_paragraphs_are_set_aside_but_read() -> None:
    text = f"{LEAD}\n{LEAD}\n(사진=아무개)\n값은 5억 달러다."
    document = document_from_text(text, published="2025-08-30")
    assert [(span.reason, text[span.start : span.end]) for span in document.dropped] == [
        ("duplicate", LEAD),
        ("caption", "(사진=아무개)"),
    ]
    dates = [item for item in extract(document).as_json()["quantities"] if item["surface"] == "27일"]
    assert [item["dropped"] for item in dates] == [False, True]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("엔비디아 H20 칩", "ko"),
        ("Nvidia sells chips", "en"),
        ("英伟达与华为的芯片产业", "zh-Hans"),
        ("輝達與華為的晶片產業", "zh-Hant"),
        ("美·中 AI 패권", "ko"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert document_from_text(text).language == language


def test_html_offsets_hold_in_the_page_as_given(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGE, encoding="utf-8")
    document = read(file)
    assert (document.format, document.published, document.tier) == ("html", "2025-08-30T03:23", "relay")
    figures = {item["surface"]: PAGE[item["start"] : item["end"]] for item in extract(document).as_json()["quantities"]}
    assert figures["10억 달러"] == "10억 달러"
    assert figures["$247 million"] == "$247&nbsp;million"
    assert "99억 달러" not in document.text


def test_html_without_an_article_is_read_whole() -> None:
    document = document_from_text("<div>값은 <i>10</i>억 달러</div>", format="html")
    assert [item.value for item in extract(document).quantities] == [1_000_000_000]


@pytest.mark.parametrize(
    "page", ["<div>" * 5000 + "값은 10억 달러다", "<html><body>" + "<p " * 3000 + "값", "<html><!--" * 500 + "a"]
)
def test_hostile_markup_does_no_harm(page: str) -> None:
    with suppress(InputError):
        found = extract(document_from_text(page, format="html"))
        assert len(found.document.origin or ()) == len(found.document.text)


def test_feeds_give_one_document_an_item() -> None:
    feed = f"""<?xml version="1.0"?><rss version="2.0"><channel><title>경제신문</title>
    <item><title>화웨이 공장</title><link>https://example.org/1</link><pubDate>Wed, 27 Aug 2025 09:00:00 GMT</pubDate>
    <description>&lt;p&gt;{LEAD}&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</description></item>
    <item><title>../../etc/passwd</title><description>둘째 기사는 10억 달러</description></item></channel></rss>"""
    first, second = documents_from_text(feed)
    assert (first.format, first.published, first.outlet, first.url) == (
        "rss",
        "2025-08-27",
        "경제신문",
        "https://example.org/1",
    )
    assert "alert" not in first.text
    assert second.title == "../../etc/passwd"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("한글 10억".encode("cp949"), "한글 10억"),
        ("中文".encode("gb18030"), None),
        ("한글".encode("utf-16"), "한글"),
        (b"\xff\xfe\xfd\x80a", None),
    ],
)
def test_character_sets(data: bytes, expected: str | None) -> None:
    text, _ = decode(data)
    assert isinstance(text, str)
    assert expected is None or text == expected


def test_newlines_move_no_offset(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("가격은\r\n10억 달러\r끝".encode())
    document = read(file)
    assert document.text == "가격은 \n10억 달러\n끝"
    assert document.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"text": "…—!?"}, "no text"),
        ({"text": "글", "published": "2025-13-01"}, "no date"),
        ({"text": "글", "published": "어제"}, "no date"),
        ({"text": "글", "language": "xx"}, "unknown language"),
        ({"text": "<rss><channel></channel></rss>"}, "no item"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        document_from_text(**arguments)
    assert "\n" not in str(caught.value)


def test_standard_input_of_any_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("값은 10억 달러\r\n끝".encode("cp949"))))
    document = read("-")
    assert document.text == "값은 10억 달러 \n끝"


def test_missing_and_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        read(tmp_path / "none.txt")
    with pytest.raises(InputError, match="no file"):
        read(tmp_path)
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(InputError, match="no text"):
        read(tmp_path / "empty.txt")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "fe80::1",
        "fc00::1",
        "0.0.0.0",
        "100.64.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_private_addresses(address: str) -> None:
    assert not fetching.is_public(address)


def test_public_addresses() -> None:
    assert fetching.is_public("1.1.1.1")
    assert fetching.is_public("2606:4700:4700::1111")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://localhost/a", "not a public address"),
        ("http://127.0.0.1:80/a", "not a public address"),
        ("http://[::1]/a", "not a public address"),
        ("http://0x7f000001/", "not a public address"),
        ("http://user:secret@example.org/", "user name"),
        ("http://example.org:22/", "port 22"),
        ("ftp://example.org/a", "cannot be fetched"),
        ("file:///etc/passwd", "cannot be fetched"),
        ("http://", "cannot be fetched"),
        ("http://example.org:99999/", "no web address"),
    ],
)
def test_what_is_not_fetched(url: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: int, **_: object) -> list[tuple]:
        address = {"localhost": "127.0.0.1", "0x7f000001": "127.0.0.1", "::1": "::1"}.get(host, host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(InputError, match=said) as caught:
        read(url)
    assert "\n" not in str(caught.value)


class _Answers(BaseHTTPRequestHandler):
    """Serves the page, redirects, endless bodies and pictures."""

    def do_GET(self) -> None:
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            self.end_headers()
            return
        if self.path == "/drip-head":
            self._drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n")
            return
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Type", "image/png" if self.path == "/picture" else "text/html; charset=utf-8")
        self.end_headers()
        if self.path == "/endless":
            try:
                for _ in range(2000):
                    self.wfile.write(b"a" * 65536)
            except OSError:
                return
        elif self.path == "/drip-body":
            self._drip(b"<html>", b"a")
        else:
            self.wfile.write(PAGE.encode())

    def _drip(self, first: bytes, rest: bytes) -> None:
        with suppress(OSError):
            self.wfile.write(first)
            for _ in range(200):
                time.sleep(0.05)
                self.wfile.write(rest)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def server() -> Iterator[str]:
    """A server on the loopback address; yields its base address."""
    with HTTPServer(("127.0.0.1", 0), _Answers) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_page_is_fetched_where_private_addresses_are_allowed(server: str) -> None:
    document: Document = read(f"{server}/to?/page", allow_private=True)
    assert document.url == f"{server}/page"
    assert any(item.surface == "10억 달러" for item in extract(document).quantities)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/endless", "larger than"),
        ("/picture", "only text"),
        ("/none", "answered 404"),
        ("/to?/to?/to?/to?/to?/to?/to?/x", "redirects"),
    ],
)
def test_limits_of_fetching(server: str, path: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(f"{server}{path}", allow_private=True)


@pytest.fixture
def public_server(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A server that passes as one of the public internet."""
    monkeypatch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(fetching, "PORTS", (80, 443, int(server.rsplit(":", 1)[1])))
    return server


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "http://10.0.0.1/", "http://[::1]/", "http://0.0.0.0/"]
)
def test_a_redirect_to_a_private_address_is_refused(public_server: str, target: str) -> None:
    assert fetching.fetch(f"{public_server}/to?/page").url == f"{public_server}/page"
    with pytest.raises(InputError, match="not a public address"):
        fetching.fetch(f"{public_server}/to?{target}")
    with pytest.raises(InputError, match="not a public address"):
        fetching.fetch(f"{public_server}/to?/to?{target}")


def test_a_redirect_to_another_port_or_kind_of_address_is_refused(public_server: str) -> None:
    with pytest.raises(InputError, match="only 80 and 443"):
        fetching.fetch(f"{public_server}/to?http://127.0.0.1:22/")
    with pytest.raises(InputError, match="starts with http"):
        fetching.fetch(f"{public_server}/to?file:///etc/passwd")


@pytest.mark.parametrize("path", ["/drip-head", "/drip-body"])
def test_a_server_that_drips_is_cut_off(server: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.6)
    with pytest.raises(InputError, match="took longer than 1 seconds"):
        read(f"{server}{path}", allow_private=True)


def test_a_name_that_changes_its_address_gains_nothing(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the address that was checked: the name is resolved once a hop."""
    asked: list[str] = []
    port = int(server.rsplit(":", 1)[1])

    def resolve(host: str, at: int, **_: object) -> list[tuple]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", at))]

    real = socket.create_connection
    reached: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(
        socket, "create_connection", lambda address, *rest, **more: reached.append(address[0]) or _direct(address)
    )
    read(f"http://rebind.example:{port}/page", allow_private=True)
    assert real is not None
    assert asked == ["rebind.example"]
    assert reached == ["127.0.0.1"]


def _direct(address: tuple[str, int]) -> socket.socket:
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(5)
    connection.connect(address)
    return connection


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
def test_offsets_are_places_in_the_input_as_given(newline: str, mark: str, suffix: str, tmp_path: Path) -> None:
    lines = [
        "엔비디아, 중국에 H20 판매 재개",
        "",
        "2025-08-30 입력",
        "",
        "엔비디아는 27일 H20 칩 3만 개를 약 4억 달러에 팔았다고 밝혔다. 2분기 매출은 56% 늘었다.",
        "",
        "화웨이는 내년까지 7나노 생산 능력을 두 배로 늘릴 계획이다.",
    ]
    if suffix == ".html":
        body = newline.join(f"<p>{line}</p>" for line in lines if line)
        text = f"<html><head><title>t</title></head><body><article>{newline}{body}{newline}</article></body></html>"
    else:
        text = newline.join(lines)
    path = tmp_path / f"article{suffix}"
    path.write_bytes((mark + text).encode("utf-8"))
    given = path.read_bytes().decode("utf-8")
    record = result_json(check_document(read(path)))
    assert {"3만 개", "약 4억 달러", "56%", "7나노"} <= {one["surface"] for one in record["quantities"]}
    for name in ("quantities", "times", "entities"):
        for one in record[name]:
            assert given[one["start"] : one["end"]] == one["surface"]
    assert record["document"]["published"] == "2025-08-30"


HOSTILE = {
    "one tag with 200,000 attributes": "<html><body><div "
    + " ".join(f"a{i}=1" for i in range(200_000))
    + "><p>Hello you</p>",
    "unclosed paragraphs": "<html><body>" + "<p>" * 100_000 + "Hello you",
    "unclosed items": "<html><body>" + "<li>" * 100_000 + "Hello you",
    "open brackets": "<html><body>Hello you" + "<a b" * 100_000,
    "open quotations": "<html><body>Hello you" + '<a b="' * 100_000,
    "a date that does not come": "<html><body>Hello you" + "pubdate" + " " * 300_000 + "x",
    "scripts in scripts": "<html><body>Hello you" + "<script>" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_is_read_without_its_article(name: str) -> None:
    document = document_from_text(HOSTILE[name], format="html")
    assert "Hello you" in document.text
    assert document.given(0, 1)[0] <= len(HOSTILE[name])


def test_a_page_that_no_parser_gets_done_with_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from chipweir.reading import Confined
    from chipweir.text import _html

    stuck = Confined("time:sleep", seconds=0.5, memory=1 << 30)
    monkeypatch.setattr(_html, "_PARSER", lambda question: stuck(600 if question else 0))
    document = document_from_text(PAGE, format="html")
    stuck.close()
    assert any("more than 0.5 seconds" in line for line in document.warnings)
    assert "10억 달러" in document.text


def test_a_feed_that_no_parser_gets_done_with_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from chipweir.reading import Confined
    from chipweir.text import _ingest

    stuck = Confined("time:sleep", seconds=0.5, memory=1 << 30)
    monkeypatch.setattr(_ingest, "_FEED_PARSER", lambda text: stuck(600 if text else 0))
    with pytest.raises(InputError, match=r"feed cannot be read: its parser took more than 0.5 seconds"):
        document_from_text("<rss><channel><item><title>a b</title></item></channel></rss>")
    stuck.close()


@pytest.mark.parametrize("reader", ["_html._PARSER", "_ingest._FEED_PARSER"])
def test_parsers_of_others_have_a_process_with_limits(reader: str) -> None:
    from importlib import import_module

    from chipweir.reading import Confined

    module, _, name = reader.partition(".")
    confined = getattr(import_module(f"chipweir.text.{module}"), name)
    assert isinstance(confined, Confined)
    assert confined.seconds <= 20
    assert confined.memory <= 2 << 30


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    "front", [BOMB + "title: *h", "title: " + "9" * 5000, "title: " + "[" * 9000, "title: !!str x"]
)
def test_front_matter_of_ill_will_is_not_used(front: str) -> None:
    document = document_from_text(f"---\n{front}\n---\n{LEAD}")
    assert any("front matter" in line and "not used" in line for line in document.warnings)
    assert len(document.title) < 300


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.docx", b"PK\x03\x04" + bytes(500), "DOCX"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "word processor"),
        ("a.txt.gz", b"\x1f\x8b\x08\x00" + bytes(30), "compressed"),
        ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(30), "picture"),
    ],
)
def test_a_file_that_is_no_text_is_named_and_not_read_as_an_article_without_claims(tmp_path, name, data, what):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=what):
        read(str(path))
