"""What the rules are called in Korean: everywhere, with the citations of the English titles, and shown."""

import json
import re

import pytest

from chipweir import rules
from chipweir.cli import main
from chipweir.errors import InputError
from chipweir.rules._show import basis_titles, title_of


BOOK = rules.shipped()
TITLED = [
    *BOOK.instruments.values(), *BOOK.groups.values(), *BOOK.authorisations, *BOOK.paragraphs, *BOOK.requirements,
    *BOOK.presumptions,
]  # fmt: skip
HANGUL = re.compile("[가-힣]")
CITATION = re.compile(r"\d+ FR \d+|FR 20\d\d-\d+|H\.R\.\d+|S\.\d+|740\.\d+")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(list(arguments))
    except SystemExit as done:
        code = int(done.code or 0)
    return code, *capsys.readouterr()


@pytest.mark.parametrize("entry", TITLED, ids=lambda entry: getattr(entry, "id", None) or entry.name)
def test_every_rule_has_a_korean_title_with_the_same_citations(entry: object) -> None:
    korean = getattr(entry, "title_ko")  # noqa: B009 -- one of six kinds of record
    assert len(HANGUL.findall(korean)) >= 2
    english = getattr(entry, "title", "")
    assert CITATION.findall(english) == CITATION.findall(korean)


def test_titles_are_found_by_name_and_fall_back() -> None:
    assert title_of(BOOK, "US-2025-04L/H20-class", "ko") == "개별 통지(is-informed letter): H20급"
    assert title_of(BOOK, "US-2025-04L/H20-class", "en") == BOOK.instruments["US-2025-04L"].title
    assert title_of(BOOK, "US-2025-01F/approved-designer", "ko") == title_of(BOOK, "US-2025-01F/presumption", "ko")
    assert title_of(BOOK, "US-2026-01T/band-1", "ko") == BOOK.instruments["US-2026-01T"].title_ko
    assert " / " in title_of(BOOK, "named_entity", "ko"), "two records of one id, both named"
    assert title_of(BOOK, "no requirement found", "ko") == ""
    both = basis_titles(BOOK, "US-2023-10/licence, review US-2026-01", "ko")
    assert both.split("; ") == [title_of(BOOK, name, "ko") for name in ("US-2023-10/licence", "US-2026-01")]


def test_every_basis_of_a_decision_is_named_in_korean() -> None:
    for chip in ("H20", "H200", "B200", "A100", "L20"):
        for day in ("2022-09-01", "2023-05-01", "2024-01-10", "2025-06-01", "2026-05-01"):
            decision = rules.decide(rules.Shipment.of({"item": chip, "to": "CN", "export_date": day}), trace=False)
            if decision.requirements:
                assert HANGUL.search(basis_titles(BOOK, decision.basis, "ko")), decision.basis


def test_an_overlay_names_its_rules_or_is_shown_in_english() -> None:
    instrument = {"id": "X-1", "title": "A new rule", "announced": "2027-01-01"}
    assert title_of(rules.with_overlays([{"instruments": [instrument]}]), "X-1", "ko") == "A new rule"
    named = rules.with_overlays([{"instruments": [instrument | {"title_ko": "새 규칙"}]}])
    assert (title_of(named, "X-1", "ko"), title_of(named, "X-1", "en")) == ("새 규칙", "A new rule")
    kept = rules.with_overlays([{"groups": {"D:5": {"changes": [{"from": "2027-01-01", "add": ["TH"]}]}}}])
    assert kept.groups["D:5"].title_ko == BOOK.groups["D:5"].title_ko
    renamed = rules.with_overlays([{"groups": {"D:5": {"title": "Something else"}}}])
    assert renamed.groups["D:5"].title_ko == ""


@pytest.mark.parametrize("title", ["only English", 7, ["규칙"]])
def test_a_korean_title_without_hangul_is_refused(title: object) -> None:
    with pytest.raises(InputError, match="title_ko must be text in Hangul"):
        rules.with_overlays([{"instruments": [{"id": "X-1", "announced": "2027-01-01", "title_ko": title}]}])


def test_commands_speak_korean(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # nothing is folded in a pipe
    code, text, _ = run(capsys, "rules", "list", "--lang", "ko")
    assert code == 0
    assert all(entry.title_ko in text for entry in BOOK.instruments.values())
    assert BOOK.instruments["US-2025-04L"].title in run(capsys, "rules", "list")[1]
    document = json.loads(run(capsys, "rules", "list", "--json")[1])
    assert {row["id"]: row["title_ko"] for row in document["rules"]} == {
        entry.id: entry.title_ko for entry in BOOK.instruments.values()
    }
    entry = json.loads(run(capsys, "rules", "show", "US-2025-04L/H20-class", "--json")[1])["entries"][0]
    assert entry["title_ko"] == "개별 통지(is-informed letter): H20급"


def test_a_licence_question_is_answered_in_korean(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("licence", "H20", "--to", "CN", "--on", "2025-06-01")
    code, text, _ = run(capsys, *asked, "--lang", "ko")
    assert code == 0
    assert "US-2025-04L/H20-class (개별 통지(is-informed letter): H20급)" in text
    assert "허가 필요" in text
    labels = [line.strip().partition(":")[0] for line in text.splitlines() if line.startswith("  ")]
    assert all(HANGUL.search(label) for label in labels), labels
    assert not HANGUL.search(run(capsys, *asked)[1])


@pytest.mark.parametrize("arguments", [("rules", "list"), ("licence", "H20", "--to", "CN")])
def test_an_unknown_language_is_refused(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    for more in ((), ("--json",)):
        code, out, error = run(capsys, *arguments, *more, "--lang", "xx")
        assert (code, out) == (2, "")
        assert "unknown language 'xx'" in error
