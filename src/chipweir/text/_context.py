"""What the words beside a figure say of it: bound, basis, rise or fall, and what is counted."""

import re
from dataclasses import dataclass
from functools import cache
from typing import cast

from chipweir.text._document import Bound
from chipweir.text._units import LANGUAGES, compiled, pack, row_of, rows


BEFORE, AFTER = 44, 40
_BASIS = re.compile(
    r"당|(?:에|기준)\s*(?:약|최대|최소)?\s*$|하루|일일|(?:^|[^\d개가-힣])월|매[월달년]|월평균|달에|연간|연평균|(?:^|\s)연\s|해에|每|"
    r"单[日颗顆价卡]|單|日均|时薪|月[产產均]|年[均产產化]|全年|一[片颗]|hourly|(?:한|1)\s?(?:개|장|대)"
)
_COUNTED = re.compile(r"(?i)token|param|토큰|파라|매개변수|词元|詞元|参数|參數")
_SIGN = re.compile(r"(?:^|[\s(,:·/])([+\-▲▼△▽])$")
_ARROWS = {"↑": "rise", "↓": "fall", "+": "rise", "-": "fall", "▲": "rise", "▼": "fall", "△": "", "▽": "fall"}
_GLOSS = re.compile(r"\((?:약|한화|우리\s돈|约|約|about|around|원화)[^()\n]{1,28}\)")


@dataclass(frozen=True, slots=True)
class Words:
    """The bound that words set, and where the words before a figure start."""

    bound: Bound
    start: int


_LONGEST_WORD = 22
# What may stand between a Chinese bound word and the figure.
_BETWEEN = re.compile(r"(?:罚款|罰款|投资|補助|补贴|可)?(?:为|為|达|達|了)?\s?$")


@cache
def _bound_words() -> tuple[dict[str, str], tuple[int, ...]]:
    """The bound of every bound word, in lower case, and the lengths of such words, longest first."""
    meaning: dict[str, str] = {}
    for language in LANGUAGES:
        meaning |= {word.strip().lower(): bound for word, bound in pack(language)["bounds"]["before"].items()}
    return meaning, tuple(sorted({len(word) for word in meaning}, reverse=True))


@cache
def _last_letters() -> frozenset[str]:
    """The letters that a bound word may end with."""
    return frozenset(word[-1] for word in _bound_words()[0]) | frozenset("为為达達了款资助贴可")


def bound_before(text: str, start: int) -> Words:
    """The bound word that ends at `start`: `최대`, `at least`, `约`; the longest one where several do."""
    given = text[max(0, start - _LONGEST_WORD) : start]
    window = given.lower() if len(given.lower()) == len(given) else given  # a few capitals grow in small letters
    if window.rstrip()[-1:] not in _last_letters():
        return Words("eq", start)
    between = _BETWEEN.search(window)
    ends = {between.start() if between else len(window), len(window.rstrip())}
    meaning, lengths = _bound_words()
    for length in lengths:
        for end in ends:
            word = window[end - length : end]
            if end >= length and word in meaning and _stands_alone(window, end - length, word):
                bound = meaning[word]
                place = start - len(window) + end - length
                return Words(cast(Bound, bound), place) if bound in {"approx", "ge", "le"} else Words("eq", start)
    return Words("eq", start)


def _stands_alone(window: str, at: int, word: str) -> bool:
    """Whether a bound word is no part of a longer word."""
    before = window[at - 1 : at]
    if word[0].isascii() and word[0].isalpha():
        return not (before.isalnum() or before == "_")
    if "가" <= word[0] <= "힣":
        return not "가" <= before <= "힣"
    return word != "近" or before not in tuple("最附临臨")


def bound_after(text: str, end: int) -> Bound:
    """The bound word that starts at `end`: `이상`, `or more`, `以下`."""
    gloss = _GLOSS.match(text, end)
    window = text[gloss.end() : gloss.end() + 20] if gloss else text[end : end + 20]
    pattern, names = rows("bounds", "after")
    found = pattern.match(window)
    return cast(Bound, row_of(found, names)) if found else "eq"


def basis(text: str, start: int, end: int) -> str:
    """Per what a figure is: `per_1e6_token`, `per_hour`, `per_unit` ... or nothing."""
    before, after = text[max(0, start - BEFORE) : start], text[end : end + AFTER]
    pattern, names = rows("bases", "after")
    found = pattern.match(after)
    if found is None and _BASIS.search(before):
        pattern, names = rows("bases", "before")
        found = pattern.search(before)
    return row_of(found, names) if found else ""


def change(text: str, start: int, end: int, language: str, kind: str = "percent") -> str:
    """`rise` or `fall` where the words beside a figure say that something moved by it; empty where it is a level."""
    before, after = text[max(0, start - BEFORE) : start], text[end : end + 24]
    sign = _SIGN.search(before)
    if after[:1] in _ARROWS or sign:
        return _ARROWS.get(after[:1]) or _ARROWS[sign.group(1) if sign else "+"]
    if language == "ko":
        if compiled("ko", "change", "level").match(after):
            return ""
        return next((name for name in ("fall", "rise") if _first(name, after)), "")
    lexicon = pack(language)["change"]
    if language == "en" and not (before[-1:].isspace() or after[:1].isspace()):
        return ""
    if language == "en" and kind in {"money", "count"} and not re.search(r"(?i)\bby\s(?:\w+\s){0,2}$", before):
        return ""
    if "level_before" in lexicon and compiled(language, "change", "level_before").search(before):
        return ""
    for name in ("fall", "rise"):
        if compiled(language, "change", name).match(after) or compiled(language, "change", f"{name}_before").search(
            before
        ):
            return name
    return ""


def _first(name: str, after: str) -> bool:
    mine = compiled("ko", "change", name).match(after)
    other = compiled("ko", "change", "rise" if name == "fall" else "fall").match(after)
    return mine is not None and (other is None or mine.end() <= other.end())


def counted(text: str, start: int, end: int) -> str:
    """`token` or `parameter` where the noun beside a count says so, else empty."""
    before, after = text[max(0, start - 24) : start], text[end : end + 24]
    if not _COUNTED.search(before) and not _COUNTED.search(after):
        return ""
    for noun in ("token", "parameter"):
        if any(compiled(language, "nouns", noun, "after").match(after) for language in LANGUAGES):
            return noun
    for noun in ("token", "parameter"):
        if any(compiled(language, "nouns", noun, "before").search(before) for language in LANGUAGES):
            return noun
    return ""


@cache
def _context_words() -> re.Pattern[str]:
    words = [word for language in LANGUAGES for word in pack(language)["context_words"]]
    return re.compile("|".join(map(re.escape, words)), re.IGNORECASE)


def of_context(text: str, start: int, end: int) -> bool:
    """Whether a number of thousands stands beside words of context length or tokens."""
    window = text[max(0, start - 22) : start] + " " + text[end : end + 18]
    return _context_words().search(window) is not None
