# ruff: noqa: E501  (tables of sentences)
"""The language model: a local stand-in server with recorded and hostile answers. It proposes; it never decides."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from articles import KOREAN

from chipweir.errors import InputError
from chipweir.evidence import check_document, document_from_text, extract, propose, proposer_from_environment
from chipweir.evidence._llm import Proposer, accept, build_request


TEXT = KOREAN + "\n화웨이는 삼성전자보다 늦게 출발했지만 올해 격차를 좁혔다.\n"


class Server(HTTPServer):
    answer: object = ""
    status = 200
    raw = False

    def __init__(self):
        self.asked = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
        content = self.server.answer
        if not self.server.raw:
            content = json.dumps({"choices": [{"message": {"content": content}}]})
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()
        self.wfile.write(content if isinstance(content, bytes) else content.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    one = Server()
    thread = threading.Thread(target=one.serve_forever, daemon=True)
    thread.start()
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture
def found():
    return extract(document_from_text(TEXT))


def environment(server, cache):
    url = f"http://127.0.0.1:{server.server_port}/v1"
    return {
        "CHIPWEIR_LLM_URL": url,
        "CHIPWEIR_LLM_MODEL": "stand-in",
        "CHIPWEIR_LLM_KEY": "secret",
        "CHIPWEIR_LLM_CACHE": str(cache),
    }


def proposal(found, **changes):
    """A proposal that keeps to the contract, with changes that may break it."""
    request = build_request(found, propose(found))
    sentence = next(s for s in request["sentences"] if any(n["kind"] == "company" for n in s["names"]))
    firm = next(n["id"] for n in sentence["names"] if n["kind"] == "company")
    base = {
        "sentence": sentence["id"], "frame": "growth", "figure": None, "slots": {"who": {"name": firm}},
        "quote": sentence["text"][:12], "modality": "asserted",
    }  # fmt: skip
    return request, {**base, **changes}


def test_it_is_off_unless_named():
    with pytest.raises(InputError, match="CHIPWEIR_LLM_URL"):
        proposer_from_environment({})
    with pytest.raises(InputError, match="no http"):
        proposer_from_environment({"CHIPWEIR_LLM_URL": "file:///etc/passwd", "CHIPWEIR_LLM_MODEL": "m"})


def test_the_article_goes_as_data_and_the_key_as_a_header(server, found, tmp_path):
    server.answer = '{"proposals": []}'
    proposer = proposer_from_environment(environment(server, tmp_path))
    assert proposer(found, propose(found)) == ()
    path, headers, body = server.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret"
    assert "secret" not in json.dumps(body)
    assert "secret" not in repr(proposer)
    assert body["temperature"] == 0
    assert "tools" not in body
    assert json.loads(body["messages"][1]["content"])["sentences"]


def test_a_good_proposal_counts_in_no_verdict(server, found, tmp_path):
    _, good = proposal(found)
    server.answer = json.dumps({"proposals": [good]})
    proposer = proposer_from_environment(environment(server, tmp_path))
    checked = check_document(document_from_text(TEXT), propose_more=proposer)
    mine = [(c, v) for c, v in checked.article.judged() if c.proposed_by == "llm:stand-in"]
    assert len(mine) == 1
    assert mine[0][1].status == "not_checkable"
    assert mine[0][1].text.key == "llm_proposed"


def test_answers_are_cached_and_replayed_without_the_endpoint(server, found, tmp_path):
    _, good = proposal(found)
    server.answer = json.dumps({"proposals": [good]})
    proposer = proposer_from_environment(environment(server, tmp_path))
    first = proposer(found, propose(found))
    again = Proposer(proposer.url, proposer.model, "", proposer.cache)(found, propose(found))
    assert first == again
    assert len(server.asked) == 1


HOSTILE = [
    {"sentence": 9999}, {"sentence": True}, {"sentence": "0"}, {"frame": "nonsense"}, {"figure": 12345}, {"figure": "70%"}, {"quote": "not in the text 42"}, {"quote": ""}, {"quote": 7},
    {"modality": "certain"}, {"slots": {"who": {"name": 99999}}}, {"slots": {"who": "nvidia"}}, {"slots": {"who": {"value": 70}}}, {"slots": {"colour": {"name": 0}}}, {"slots": []},
    {"slots": {"who": {"name": 0, "figure": 1}}}, {"verdict": "consistent"}, {"number": 42},
]  # fmt: skip


def test_a_proposal_that_keeps_to_the_contract_is_taken(found):
    request, good = proposal(found)
    claim = accept(found, request, json.dumps({"proposals": [good]}), "m")[0]
    assert TEXT[claim.start : claim.end] == good["quote"]
    assert claim.proposed_by == "llm:m"
    assert not claim.slots["who"].asked


@pytest.mark.parametrize("change", HOSTILE, ids=[json.dumps(row)[:40] for row in HOSTILE])
def test_whatever_breaks_the_contract_is_dropped(found, change):
    request, bad = proposal(found, **change)
    assert accept(found, request, json.dumps({"proposals": [bad]}), "m") == ()


@pytest.mark.parametrize(
    "answer", ["", "no json", "[]", '{"proposals": 3}', '{"proposals": [1, null, "x", []]}', "[" * 5000, '{"other": 1}']
)
def test_answers_that_are_no_proposals_give_nothing(found, answer):
    request, _ = proposal(found)
    assert accept(found, request, answer, "m") == ()


@pytest.mark.parametrize(
    ("status", "raw", "answer"),
    [
        (500, False, ""),
        (302, False, ""),
        (200, True, "not json"),
        (200, True, "{}"),
        (200, True, b"\xff\xfe"),
        (200, True, '{"choices": [{"message": {"content": 3}}]}'),
        (200, True, "x" * 1_100_000),
    ],
)
def test_an_endpoint_that_fails_is_one_line(server, found, tmp_path, status, raw, answer):
    server.status, server.raw, server.answer = status, raw, answer
    with pytest.raises(InputError) as error:
        proposer_from_environment(environment(server, tmp_path))(found, propose(found))
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    assert not list(tmp_path.rglob("*.json"))


def test_nobody_listening_is_one_line(found, tmp_path):
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9"):
        Proposer("http://127.0.0.1:9/v1/chat/completions", "m", "", tmp_path)(found, propose(found))
