# ruff: noqa: E501  (tables of sentences)
"""Briefs: front matter, numbers from records with sources, safe HTML, safe folder names, Korean particles."""

import json
import re
from datetime import date

import pytest
import yaml
from articles import CHINESE, ENGLISH, KOREAN
from hypothesis import given
from hypothesis import strategies as st

from chipweir.errors import InputError, UnknownName
from chipweir.evidence import brief_html, brief_markdown, check_document, document_from_text, result_json, write_brief
from chipweir.evidence._brief import folder_name
from chipweir.evidence._frames import templates
from chipweir.evidence._say import messages, myriads, number, particles, say, terms
from chipweir.evidence._verdict import STATUSES, Text


def checked(text=ENGLISH, **options):
    return check_document(document_from_text(text, **options))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_front_matter_says_source_generator_and_counts(language):
    text = brief_markdown(checked(), language, date(2026, 11, 21))
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["created"] == date(2026, 11, 21)
    assert front["language"] == language
    assert front["tags"] == ["newsletter", "chipweir"]
    assert set(front["source"]) == {"title", "url", "outlet", "published", "basis", "sha256"}
    assert set(front["generator"]) == {"name", "version", "facts", "llm"}
    assert front["claims"]["total"] == sum(front["claims"][status] for status in STATUSES)


@pytest.mark.parametrize(
    ("text", "language"), [(ENGLISH, "ko"), (KOREAN, "ko"), (CHINESE, "ko"), (ENGLISH, "en"), (KOREAN, "en")]
)
def test_every_reference_in_the_text_stands_among_the_sources(text, language):
    markdown = brief_markdown(checked(text), language)
    head, sources = markdown.rsplit("출처\n" if language == "ko" else "## Annex: sources", 1)
    for reference in set(re.findall(r"\[((?:fab|shi|smu|dem|kor|pri)-\d+)\]", head)):
        assert f"[{reference}]" in sources


def test_a_korean_brief_speaks_korean():
    markdown = brief_markdown(checked(KOREAN), "ko")
    assert "진술과 판정" in markdown
    assert not re.search(r"(?:은\(는\)|을\(를\)|이\(가\)|와\(과\)|\(으\)로)", markdown)


def test_rumours_are_labelled():
    markdown = brief_markdown(checked("SMIC의 7나노 공정 수율은 70%다."), "en")
    assert "unconfirmed report" in markdown


def test_an_unknown_language_is_named():
    with pytest.raises(UnknownName):
        brief_markdown(checked(), "fr")


HOSTILE = """# <script>alert(1)</script> | [x](javascript:alert(1))

SMIC's 7nm yield is 70%<img src=x onerror=alert(1)>, <iframe src="https://example.org"></iframe> said. `code` | **bold** [a](b)
"""


def test_html_holds_nothing_that_runs():
    page = brief_html(brief_markdown(checked(HOSTILE), "en"), "en")
    body = page.split("<body>")[1]
    assert not re.search(r"<(?:script|iframe|img|svg|object)", page.split("</style>")[1].lower())
    assert not re.search(r"<[^>]*\son\w+\s*=", body.lower())
    assert not re.search(r"href=\"javascript:", body.lower())
    assert "<table>" in body


def test_a_table_row_is_not_broken_by_the_article():
    markdown = brief_markdown(checked(HOSTILE), "en")
    rows = [line for line in markdown.splitlines() if line.startswith("| [c")]
    assert rows
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) == 7


@given(st.text(max_size=80))
def test_no_title_leaves_the_folder(title):
    one = checked("SMIC의 7나노 공정 수율은 70%다.")
    from dataclasses import replace

    article = replace(one.article, found=replace(one.article.found, document=replace(one.document, title=title)))
    name = folder_name(replace(one, article=article))
    assert re.fullmatch(r"[0-9A-Za-z가-힣\u3400-\u9fff-]+", name)
    assert len(name) <= 90


def test_files_are_written_into_a_folder_of_their_own(tmp_path):
    written = write_brief(checked(ENGLISH), tmp_path / "out", "ko")
    assert {path.name for path in written} >= {"brief.md", "brief.html", "result.json"}
    assert all((tmp_path / "out") in path.parents for path in written)
    assert json.loads(next(p for p in written if p.name == "result.json").read_text(encoding="utf-8"))["claims"]
    assert not list((tmp_path / "out").rglob(".*"))


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError):
        write_brief(checked(), tmp_path / "file")


@pytest.mark.parametrize(
    ("value", "unit", "english", "korean"),
    [
        (1e9, "USD", "$1 billion", "10억 달러"),
        (1.388e12, "KRW", "KRW 1.388 trillion", "1조3,880억 원"),
        (2.47e8, "USD", "$247 million", "2억4,700만 달러"),
        (1.68, "USD", "$1.68", "1.68달러"),
        (0.7, "fraction", "70%", "70%"),
        (384 / 72, "ratio", "5.33x", "5.33배"),
        (7e-9, "m", "7 nm", "7나노"),
        (524288, "token", "524,288 tokens", "52만4,288 토큰"),
        (36e9, "parameter", "36 billion parameters", "파라미터 360억 개"),
    ],
)
def test_numbers_in_words(value, unit, english, korean):
    assert number(value, unit, "en") == english
    assert number(value, unit, "ko") == korean


@given(st.integers(1, 10**14))
def test_a_number_in_myriads_keeps_its_size(value):
    total = 0
    for count, mark in re.findall(r"([\d,.]+)(조|억|만|)", myriads(float(value))):
        total += float(count.replace(",", "")) * {"조": 1e12, "억": 1e8, "만": 1e4, "": 1}[mark]
    assert total == pytest.approx(value, rel=6e-3)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("칩을(를)", "칩을"),
        ("회사은(는)", "회사는"),
        ("3은(는)", "3은"),
        ("2이(가)", "2가"),
        ("서울(으)로", "서울로"),
        ("미국(으)로", "미국으로"),
        ("H20이(가)", "H20이"),
    ],
)
def test_korean_particles_follow_the_sound(text, right):
    assert particles(text) == right


def test_every_message_and_term_has_both_languages():
    for key, texts in messages().items():
        assert set(texts) == {"en", "ko"}, key
        fields = [set(re.findall(r"{(\w+)}", text)) for text in texts.values()]
        assert fields[1] <= fields[0] | {"dates"}, key
    for key, texts in terms().items():
        assert texts["en"], key
        assert texts["ko"], key
    assert set(STATUSES) <= set(terms())
    assert {f"frame:{name}" for name in templates()} <= set(terms())


@pytest.mark.parametrize("text", [ENGLISH, KOREAN, CHINESE], ids=["en", "ko", "zh"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_results_are_json_without_holes(text, language):
    record = result_json(checked(text), language)
    parsed = json.loads(json.dumps(record, allow_nan=False))
    assert {
        "document",
        "quantities",
        "times",
        "entities",
        "claims",
        "scenarios",
        "warnings",
        "issues",
        "sources",
    } <= set(parsed)
    for claim in parsed["claims"]:
        assert {"frame", "slots", "quantity", "entity", "verdict", "slot_verdicts", "evidence"} <= set(claim)
        assert len(claim["surface"]) <= 60
        assert "{" not in claim["explanation"]
    assert say(Text("judgement"), language)


def test_a_figure_leads_to_its_evidence_and_from_there_to_its_sentence():
    text = "The H20 carries 96 GB of memory [see note], Nvidia said."
    page = brief_html(brief_markdown(check_document(document_from_text(text, published="2025-06-10"))))
    assert re.search(r'<tr id="in-c01">.*carries <a href="#c01"[^>]*>96 GB</a> of memory \[see note\]', page, re.DOTALL)
    assert '<h3 id="c01">' in page
    assert 'href="#in-c01"' in page


def test_a_figure_of_an_article_with_an_address_leads_into_it():
    text = "The H20 carries 96 GB of memory, Nvidia said."
    checked = check_document(document_from_text(text, published="2025-06-10", url="https://example.org/a"))
    assert "[96 GB](https://example.org/a#:~:text=96%20GB)" in brief_markdown(checked)
