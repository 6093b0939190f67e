"""Every text that code or template shows has a Korean translation with the same fields."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import chipweir
from chipweir import facts
from chipweir.i18n import _, use_language
from chipweir.report._labels import EVENT_KINDS, label


PACKAGE = Path(chipweir.__file__).parent
METHODS = [("**.py", "python"), ("**.html.j2", "jinja2.ext:babel_extract")]
KEYWORDS = {"_": None, "N_": None}
FIELD = re.compile(r"\{(\w*)[^{}]*\}")


def used() -> dict[str, str]:
    """Texts by where they are first used."""
    found: dict[str, str] = {}
    for file, line, text, _comments, _context in extract_from_dir(PACKAGE, METHODS, keywords=KEYWORDS):
        found.setdefault(text if isinstance(text, str) else text[0], f"{file}:{line}")
    return found


@pytest.fixture(scope="module")
def catalogue():
    with (PACKAGE / "locale/ko/LC_MESSAGES/chipweir.po").open("rb") as file:
        return read_po(file, locale="ko", abort_invalid=True)


def test_extraction_sees_code_and_templates():
    texts = used()
    assert "Headline numbers" in texts
    assert "Skip to the content" in texts
    assert "Made in China" in texts


def test_every_text_has_a_korean_translation(catalogue):
    known = {message.id: message.string for message in catalogue if message.id and "fuzzy" not in message.flags}
    missing = {text: place for text, place in used().items() if text and not known.get(text)}
    assert not missing, f"{len(missing)} texts without Korean, e.g. {list(missing.items())[:5]}"


def test_translations_keep_the_fields(catalogue):
    for message in catalogue:
        if message.id and message.string:
            assert set(FIELD.findall(message.id)) == set(FIELD.findall(message.string)), message.id


def test_no_text_names_an_interval_of_another_level_than_80():
    """'{p05}', '90 % interval' or '(90 % {low}' would show another level than the one of all pages, tables and sentences."""
    bad = re.compile(r"\{p05\}|\{p95\}|\b(50|90|95) ?%( \{| interval| of members)")
    assert not {text: place for text, place in used().items() if bad.search(text)}


def test_no_translation_is_left_that_nothing_uses(catalogue):
    texts = used()
    stale = [message.id for message in catalogue if message.id and message.id not in texts]
    assert not stale, f"texts nothing uses any more: {stale[:5]}"


@pytest.mark.parametrize(
    ("text", "term"),
    [("Smuggled", "밀수"), ("Training", "학습"), ("Export control", "수출통제"), ("Data-centre inference", "추론")],
)
def test_field_terms_are_those_of_the_korean_press(text, term):
    with use_language("ko"):
        assert term in _(text)


def test_every_kind_of_event_has_a_name():
    kinds = {event.type for event in facts.load().events.values()}
    assert kinds <= set(EVENT_KINDS)
    with use_language("ko"):
        assert all(re.search("[가-힣]", label("event", kind)) for kind in kinds)


def test_no_text_hides_in_a_formatted_string():
    """Babel does not look into f-strings before Python 3.12, so a text there would have no translation."""
    hidden = [
        f"{file.relative_to(PACKAGE)}:{call.lineno}"
        for file in PACKAGE.rglob("*.py")
        for outer in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(outer, ast.JoinedStr)
        for call in ast.walk(outer)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEYWORDS
        if call.args and isinstance(call.args[0], ast.Constant)
    ]
    assert not hidden
