"""`chipweir check` and `chipweir review` as a user meets them: files, JSON, exit codes, one line for bad input; and that
hostile or enormous texts neither crash nor slow the room down."""

import io
import json
import re
import sys
import time
from dataclasses import dataclass

import pytest
from articles import CHINESE, ENGLISH, KOREAN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from chipweir.cli import main, root
from chipweir.errors import InputError
from chipweir.evidence import check_document, document_from_text, result_json


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def chipweir(capfd, monkeypatch):
    """The command line in this process, with its exit code and both streams."""

    def call(*arguments, stdin=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code: object = 0
        try:
            main([str(each) for each in arguments])
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capfd.readouterr()
        return Done(int(str(code)), out, err)

    return call


@pytest.fixture
def article(tmp_path):
    path = tmp_path / "article.md"
    path.write_text(ENGLISH, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def no_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("CHIPWEIR_RUNS", str(tmp_path / "no-runs"))


def invoke(*arguments, stdin=None):
    return CliRunner().invoke(root, [str(a) for a in arguments], input=stdin)


def test_json_is_one_document_with_the_stable_keys(article, chipweir):
    done = chipweir("check", article, "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert {"document", "quantities", "times", "entities", "claims", "scenarios", "warnings"} <= set(record)
    for claim in record["claims"]:
        if claim["quantity"] is not None:
            assert record["quantities"][claim["quantity"]]["surface"]
        assert ENGLISH[claim["start"] : claim["end"]].startswith(claim["surface"][:20].rstrip("…"))


def test_several_articles_are_set_beside_each_other(article, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text(KOREAN, encoding="utf-8")
    record = json.loads(invoke("check", article, other, "--json").stdout)
    assert len(record["documents"]) == 2
    assert isinstance(record["across"], list)
    assert record["independent_sources"] >= 1


def test_standard_input_and_a_given_date(article):
    record = json.loads(
        invoke("check", "-", "--json", "--published", "2025-08-28", stdin="SMIC의 7나노 수율은 70%다.").stdout
    )
    assert record["document"]["published"] == "2025-08-28"


def test_people_get_a_table_and_issues_in_their_language(article):
    text = invoke("check", article, "--lang", "ko").stdout
    assert "부합" in text
    assert "판정" in text


def test_a_brief_and_scenario_files_are_written(article, tmp_path):
    done = invoke("check", article, "--out", tmp_path / "briefs", "--lang", "ko", "--json")
    assert done.exit_code == 0
    names = {path.name for path in (tmp_path / "briefs").rglob("*") if path.is_file()}
    assert {"brief.md", "brief.html", "result.json"} <= names


def test_a_ledger_is_kept_and_reviewed(article, tmp_path, chipweir):
    ledger = tmp_path / "claims.yaml"
    assert invoke("check", article, "--ledger", ledger, "--json").exit_code == 0
    pending = json.loads(invoke("review", ledger, "--json").stdout)["pending"]
    assert pending
    done = invoke("review", ledger, "--accept", pending[0], "--reject", pending[1], "--json")
    assert json.loads(done.stdout)["states"]["confirmed"] == 1
    piped = chipweir("review", ledger, stdin="accept\nreject\nquit\n")
    assert piped.returncode == 0
    assert "confirmed 2" in piped.stdout


BAD = [
    (["check", "nowhere.txt"], "nowhere.txt"),
    (["check", "{article}", "--published", "yesterday"], "yesterday"),
    (["check", "{article}", "--lang", "fr"], "fr"),
    (["check", "{article}", "--run", "no-such-run"], "no-such-run"),
    (["check", "--eval", "{article}"], "--eval"),
    (["check", "--eval", "{article}", "."], "article.md"),
    (["check", "{article}", "--llm"], "CHIPWEIR_LLM_URL"),
    (["review", "none.yaml"], "none.yaml"),
    (["check", "http://127.0.0.1:9/x"], "127.0.0.1"),
]


@pytest.mark.parametrize(("arguments", "named"), BAD, ids=[" ".join(row[0])[:40] for row in BAD])
def test_bad_input_is_one_line_and_exit_code_two(arguments, named, article, monkeypatch, chipweir):
    for name in ("CHIPWEIR_LLM_URL", "CHIPWEIR_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    done = chipweir(*[str(article) if a == "{article}" else a for a in arguments])
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_damaged_ledger_stops_before_anything_is_written(article, tmp_path, chipweir):
    ledger = tmp_path / "claims.yaml"
    ledger.write_text("- [", encoding="utf-8")
    done = chipweir("check", article, "--ledger", ledger, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()
    assert ledger.read_text(encoding="utf-8") == "- ["


def test_the_same_article_gives_the_same_result():
    one, two = (result_json(check_document(document_from_text(ENGLISH))) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("text", [ENGLISH, KOREAN, CHINESE], ids=["en", "ko", "zh"])
def test_a_long_article_takes_time_in_proportion(text):
    """A megabyte in seconds: twice the text takes about twice the time."""

    def seconds(times):
        document = document_from_text((text + "\n\n") * times, published="2025-09-25")
        start = time.process_time()
        check_document(document)
        return time.process_time() - start

    seconds(1)
    short, long = (min(seconds(times) for _ in range(3)) for times in (8, 32))
    assert long < 10 * short


PIECES = [
    "H20",
    "7나노",
    "70%",
    "수율",
    "SMIC",
    "(약 1조원)",
    "10억 달러",
    "밀수",
    "“",
    "”",
    "\n\n",
    "> ",
    "5.3배",
    "compare",
    "ban",
    "H2O",
    "384 chips",
    "$",
    "만",
    "\u0000",
    "\ud800",
    "🙂",
    "亿",
    "产能",
    "|",
    "<b>",
    "---\n",
    "2025년",
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=40).map(" ".join))
def test_no_text_breaks_a_check(text):
    try:
        document = document_from_text(text)
    except InputError:  # no word in it
        return
    record = result_json(check_document(document))
    json.dumps(record, allow_nan=False)
    for claim in record["claims"]:
        assert 0 <= claim["start"] <= claim["end"] <= len(text)
        assert re.fullmatch(r"[a-z_]+", claim["verdict"])


def test_brackets_of_the_article_are_printed_as_they_are(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("The H20 [sic] has 96 GB of memory.", encoding="utf-8")
    result = invoke("check", str(path), "--published", "2025-06-10")
    assert "[sic]" in result.output
    assert "\\[" not in result.output
