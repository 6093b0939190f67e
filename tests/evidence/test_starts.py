"""Quick patterns match what plain ones match."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir.evidence._frames import read_data
from chipweir.text._starts import openings, quick
from chipweir.text._units import LANGUAGES, pack


def _sources() -> list[str]:
    """Every word list of the room's data."""
    found: list[str] = []

    def walk(item: object) -> None:
        if isinstance(item, dict):
            for value in item.values():
                walk(value)
        elif isinstance(item, list):
            for value in item:
                walk(value)
        elif isinstance(item, str) and "|" in item and len(item) > 12:
            found.append(item)

    for name in ("markers.yaml", "frames.yaml", "mechanisms.yaml"):
        walk(read_data(name))
    return list(dict.fromkeys(found))


SOURCES = _sources()
PIECES = (
    "price|prices|Pricing|subprice|export|EXPORT|controls|ban|banned|band|may|Might|가격|가격이|재가격|수출|통제|수출통제|AI|반도체|"
    "HBM|hbm|价格|价|出口|管制|人工智能|芯片|7|7nm|legal|illegal|re-export|supernode|NVIDIA|나노|월|年|%|(|)|,|.|-|'|’"
)
WORDS = st.sampled_from(PIECES.split("|"))


@given(text=st.lists(WORDS, max_size=12).map(" ".join), at=st.integers(0, len(SOURCES) - 1))
def test_quick_patterns_match_alike(text: str, at: int) -> None:
    plain = re.compile(SOURCES[at], re.IGNORECASE)
    fast = quick(SOURCES[at], ignore_case=True)
    assert [m.span() for m in fast.finditer(text)] == [m.span() for m in plain.finditer(text)]


@pytest.mark.parametrize(
    "source",
    [
        r"(a)|b",
        r"a?b|c",
        r"\bx|[yz]|w",
        r"(?:ab|cd)+|e",
        r"(?<!\d)f|g",
        "plain",
        r"\b(?:one|two) chips?\b|칩\w*",
        r"(?:in)?plain|two",
    ],
)
def test_what_cannot_be_sorted_by_letters_is_left_alone(source: str) -> None:
    text = "a b ab abab cd e x y z w f 1f g plain complain one chip two chips 칩이 bx b"
    spans = [m.span() for m in re.finditer(source, text)]
    assert [m.span() for m in quick(source).finditer(text)] == spans


def test_most_word_lists_are_sorted() -> None:
    sorted_ones = [source for source in SOURCES if quick(source, ignore_case=True).pattern != source]
    assert len(sorted_ones) > 0.7 * len(SOURCES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_openings_stand_at_every_word(language: str) -> None:
    words = [word for word in pack(language)["times"]["rel"] if word[0] != "["]
    pattern = openings(words, digits=True)
    for word in words:
        text = f"({word} 12"
        starts = {m.start() for m in pattern.finditer(text)}
        assert {1, len(word) + 2} <= starts
