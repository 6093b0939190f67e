"""The language packs: every form can be found, and the documentation shows them as they are."""

from pathlib import Path

import pytest

from chipweir.text._masks import figures_of_speech
from chipweir.text._units import LANGUAGES, pack, plain, unit_at, unit_table


DOCUMENT = Path(__file__).parents[2] / "docs" / "evidence-extraction.md"


def test_the_documented_units_are_those_of_the_packs() -> None:
    assert unit_table() in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_written_form_is_found(language: str) -> None:
    lost = []
    for row in pack(language)["units"]:
        for form in row["forms"]:
            found = unit_at(f"7{form}", 1)
            if found is None or found[1] != 1 + len(form):
                lost.append((row["unit"], form))
    assert lost == []


def test_plain_text_keeps_its_length() -> None:
    text = "１００％\u00a0～\u3000＄5"
    assert plain(text) == "100% ~ $5"
    assert len(plain(text)) == len(text)


@pytest.mark.parametrize("text", ["두 걸음 전진하고 한 걸음 후퇴", "제3의 길", "one step back", "一石二鸟"])
def test_idioms(text: str) -> None:
    assert figures_of_speech(text)
