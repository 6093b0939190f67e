"""Where a word of a list may start: a cheap look over a whole text before costlier patterns are tried.

The patterns made here begin with a plain set of characters, which the regular expression engine skips along quickly;
alternatives that begin with a boundary or ignore case are tried at every character of the text instead.
"""

import re
from collections.abc import Iterable
from functools import lru_cache


def openings(words: Iterable[str], digits: bool = False) -> re.Pattern[str]:
    """A pattern that matches at every place where one of `words` may start, and at few others.

    Latin words are told by their first two letters at the start of a word, in either case; Korean ones by their first
    syllable at the start of a word; other characters stand anywhere. `digits` adds the first digit of every number.
    """
    latin: dict[str, set[str]] = {}
    hangul, other = set(), set()
    for word in words:
        first = word[0].lower()
        if first.isascii() and first.isalpha() and len(word) > 1:
            latin.setdefault(first, set()).update({word[1:2].lower(), word[1:2].upper()})
        elif "가" <= first <= "힣":
            hangul.add(first)
        else:
            other.add(first)
    parts = []
    if digits:
        parts.append(r"(?<=\d)(?<!\d.)(?<!\d[.,].)")
    if hangul:
        parts.append(rf"(?<=[{_set(hangul)}])(?<![가-힣].)")
    if other:
        parts.append(rf"(?<=[{_set(other)}])")
    if latin:
        seconds = "|".join(
            rf"(?<=[{_set({first, first.upper()})}])(?=[{_set(after)}])" for first, after in sorted(latin.items())
        )
        parts.append(rf"(?<=[A-Za-z])(?<!\w.)(?:{seconds})")
    both = {letter for first in latin for letter in (first, first.upper())}
    return re.compile(rf"[{_set(both | hangul | other)}{'0-9' if digits else ''}](?:{'|'.join(parts)})")


def _set(characters: Iterable[str]) -> str:
    return "".join(re.escape(character) for character in sorted(characters) if character)


_RUNS = {"en": re.compile(r"[\x20-\x7e’‘“”–—]{8,}"), "zh": re.compile(r"[\u3400-\u9fff“”\"、，,0-9\s]{3,}")}
_PROSE = {"en": re.compile(r"[a-z] [A-Za-z]|[A-Za-z0-9]-[a-z]|\d/\d"), "zh": re.compile(r"[\u3400-\u9fff]{2}")}


@lru_cache(maxsize=8)
def runs(text: str, language: str) -> tuple[tuple[int, int], ...]:
    """The stretches of `text` that may hold words of English or Chinese: a Korean text has few. All of it for Korean."""
    if language not in _RUNS:
        return ((0, len(text)),)
    prose = _PROSE[language]
    return tuple(
        found.span() for found in _RUNS[language].finditer(text) if prose.search(text, found.start(), found.end())
    )
