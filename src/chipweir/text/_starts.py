"""Where a word of a list may start: a cheap look over a whole text before costlier patterns are tried.

The patterns made here begin with a plain set of characters, which the regular expression engine skips along quickly;
alternatives that begin with a boundary or ignore case are tried at every character of the text instead.
"""

import re
from collections.abc import Iterable, Iterator
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


def quick(source: str, ignore_case: bool = False) -> re.Pattern[str]:
    """`re.compile(source)`, with the same matches, made to skip along to where a match may start.

    The alternatives are grouped by the letter they begin with, so that the pattern begins with a set of characters.
    What does not begin with plain letters, or with a word boundary and letters, is compiled as it stands.
    """
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    rows = [] if _CAPTURING.search(source) else _alternatives(source)
    opened = [_opening(row) for row in rows] if rows else []
    if not opened or None in opened or len(opened) < 2:
        return re.compile(source, flags)
    groups: dict[str, list[str]] = {}
    for row in opened:
        assert row is not None
        bounded, first, rest = row
        before = r"(?<!\w.)" if bounded else ""
        groups.setdefault(first.lower() if ignore_case else first, []).append(before + rest)
    sets = {first: _set({first.lower(), first.upper()} if ignore_case else {first}) for first in groups}
    parts = (f"(?<=[{sets[first]}])(?:{_hoisted(rests)})" for first, rests in groups.items())
    return re.compile(f"[{''.join(sets.values())}](?{'i' if ignore_case else ''}:{'|'.join(parts)})")


def _hoisted(rests: list[str]) -> str:
    """Alternatives with the boundary that they share written once."""
    boundary = r"(?<!\w.)"
    if len(rests) > 1 and all(rest.startswith(boundary) for rest in rests):
        return f"{boundary}(?:{'|'.join(rest.removeprefix(boundary) for rest in rests)})"
    return "|".join(rests)


_CAPTURING = re.compile(r"(?<!\\)\((?!\?)|\(\?P")
_REPEATED = ("?", "*", "+", "{")
_SPECIAL = frozenset("\\.^$*+?{}[]()|")


def _alternatives(source: str) -> list[str]:
    """The alternatives of a pattern, groups that open one multiplied out; none where that cannot be done."""
    rows: list[str] = []
    for row in _split(source):
        boundary = r"\b" if row.startswith(r"\b(?:") else ""
        body = row.removeprefix(boundary)
        if not body.startswith("(?:"):
            rows.append(row)
            continue
        end = _closing(body)
        rest = body[end + 1 :]
        optional = rest.startswith("?") and not rest.startswith(("??", "?+"))
        if end < 0 or (rest[:1] in _REPEATED and not optional):
            return []
        rest = rest[1:] if optional else rest
        inner = _alternatives(body[3:end])
        without = _alternatives(boundary + rest) if optional else [""]
        if not inner or not without:
            return []
        rows += [boundary + one + rest for one in inner] + (without if optional else [])
    return rows


def _opening(row: str) -> tuple[bool, str, str] | None:
    """(whether a word boundary stands first, the first letter, the rest) of an alternative that begins so."""
    bounded = row.startswith(r"\b")
    body = row.removeprefix(r"\b")
    if not body or body[0] in _SPECIAL or body[1:2] in _REPEATED:
        return None
    if bounded and not body[0].isalnum():
        return None
    return bounded, body[0], body[1:]


def _split(source: str) -> list[str]:
    """A pattern split at the bars that stand in no group."""
    rows, depth, start = [], 0, 0
    for place, character in _tokens(source):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0:
            rows.append(source[start:place])
            start = place + 1
    return [*rows, source[start:]]


def _closing(source: str) -> int:
    """Where the group that `source` opens with ends; -1 where it does not."""
    depth = 0
    for place, character in _tokens(source):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return place
    return -1


def _tokens(source: str) -> Iterator[tuple[int, str]]:
    """The characters of a pattern that are its syntax, with their places: escapes and sets of characters left out."""
    place = 0
    while place < len(source):
        character = source[place]
        if character == "\\":
            place += 2
            continue
        if character == "[":
            place = source.index("]", place + 2 if source[place + 1] != "^" else place + 3)
        else:
            yield place, character
        place += 1
