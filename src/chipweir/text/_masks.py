"""Stretches whose digits are no quantities: addresses, codes and versions, idioms, clock times, stock codes, citation
marks."""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

from chipweir.text._starts import runs
from chipweir.text._units import LANGUAGES, idioms, pack


_WEB = re.compile(r"(?:https?://|www\.)[^\s<>\"'）)\]]{1,2000}")
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,32}){1,4}")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F](?<!\w.)(?:[0-9a-fA-F]{15,}\b|\d{24,})")
_CURRENCY = r"(?:USD|US|CNY|RMB|Rmb|KRW|EUR|GBP|JPY|HKD|HK|TWD|NT|NTD|CN|JP|SGD|W)"
_CODES = re.compile(
    rf"(?<![A-Za-z0-9])(?!{_CURRENCY}[\s$¥]?\d)[A-Za-z][A-Za-z]{{0,15}}-?\d[A-Za-z0-9]*(?:[.-]\d[A-Za-z0-9]"
    rf"*)*(?:-[A-Za-z][A-Za-z0-9]{{0,9}})*"
    r"|(?<![A-Za-z0-9])\d[A-E]\d{3}(?:\.[a-z])?(?![A-Za-z0-9])|(?<![A-Za-z0-9.])(?:18|14|20|10|16)A(?![A-Z"
    r"a-z0-9])|(?<![\d.A-Za-z])\d(?:\.5)?[DG](?![A-Za-z0-9/])"
    r"|(?<![\d.A-Za-z])[1-9][abcxyzαβγ](?=\s?(?:D램|DRAM|나노|㎚|nm|공정|급|낸드|工艺|製程|制程))"
    r"|(?<![\d.,])\d{3,4}[ACDEFGHIJLNOPQRSUVXYZ](?![A-Za-z0-9])|(?<![A-Za-z0-9.])\d{1,4}(?:\.\d{1,4}){2,6}(?![\d%])"
    r"|[\w가-힣]{1,12}[-‑](?:\d{1,3}[Bb])(?![A-Za-z0-9])"
)
_MARKS = re.compile(
    r"(?<=[가-힣A-Za-z一-鿿])\(\d{4,6}(?:\.(?:HK|SS|SZ|KS|T|TW))?\)|\[\d{1,3}(?:[,–-]\s?\d{1,3})*\]|(?<!\d)[01"
    r"2]?\d:[0-5]\d(?::[0-5]\d)?(?!\d)"
    r"|(?<!\d)\d{2,4}-\d{3,4}-\d{4}(?!\d)"
    r"|(?<![\d.])(?:(?:오전|오후)\s?)?\d{1,2}시(?![간급도대리장])(?:\s?\d{1,2}분)?"
    r"|(?:上午|下午|凌晨|晚)\d{1,2}[时時点點](?:\d{1,2}分)?"
    r"|(?<!\d)\d{1,3}\s(?:FR|F\.R\.|Fed\. Reg\.|U\.S\.C\.|USC|CFR|C\.F\.R\.|Stat\.)\s(?:§+\s?|[Pp]arts?\s)"
    r"?\d{1,6}(?:\.\d{1,4})?"
    r"|(?<![\d-])(?:19|20)\d\d-\d{5}(?!\d)|§+\s?\d{1,4}(?:\.\d{1,4})*|(?<![A-Za-z0-9])[A-Z]:\d{1,2}(?!\d)"
    r"|(?m:^#{1,6}\s\d{1,2}(?:\.\d{1,2}){0,3}\.?(?=\s))|\b(?i:sections?|part|chapter|article|rule|proclama"
    r"tion|executive order|e\.o\.|eccn)"
    r"\s(?:no\.\s)?\d{1,5}(?:\.\d{1,4})*[A-Z]?(?![\d%])"
)


@cache
def _families() -> re.Pattern[str]:
    names = sorted((name.strip() for name in pack("en")["families"]), key=len, reverse=True)
    latin = "|".join(re.escape(name) for name in names if name.isascii())
    other = "|".join(re.escape(name) for name in names if not name.isascii())
    after = "|".join(pack("en")["suffix_names"])
    return re.compile(
        rf"(?:(?<![A-Za-z])(?:{latin})|(?:{other}))(?:\s(?:{after}))?[\s-]?[vVR]?\d{{1,4}}(?:\.\d{{1,2}})?(?:[A"
        rf"-Za-z]{{1,2}}(?![A-Za-z]))?(?![\d,%]|\.\d|\s?(?:개|장|대|명|만|억|조|배|%|월|년|일|percent|万|亿|萬|億|年|月|家|颗|顆|块|"
        rf"张))(?:\s(?:{after})\b)?(?:\s\d{{1,4}}[BM]\b)?"
    )


@lru_cache(maxsize=2)
def addresses(text: str) -> tuple[tuple[int, int], ...]:
    """Web and mail addresses and hexadecimal strings, in order."""
    found = [match.span() for pattern in (_WEB, _HEXADECIMAL) for match in pattern.finditer(text)]
    end = 0
    for sign in re.finditer("@", text):
        mail = _MAIL.search(text, max(end, sign.start() - 64), sign.start() + 200)
        if mail:
            found.append(mail.span())
            end = mail.end()
    return tuple(merged(found))


def names(text: str) -> list[tuple[int, int]]:
    """Chip codes, model names and versions, standards, stock codes, clock times and citation marks."""
    words, near = _near_digits(text, within_words=True), _near_digits(text)
    return [
        found.span()
        for pattern, places in ((_CODES, words), (_families(), near), (_MARKS, near))
        for start, end in places
        for found in pattern.finditer(text, start, end)
    ]


_DIGITS = re.compile(r"[0-9§]")
_WORD_END = re.compile(r"\s")
_LEFT, _RIGHT = 48, 24


def _near_digits(text: str, within_words: bool = False) -> list[tuple[int, int]]:
    """The stretches around digits, from a few words before (or the start of the word) to the end of the word after:
    codes stand in no others."""
    found: list[tuple[int, int]] = []
    right = 1 if within_words else _RIGHT
    for digit in _DIGITS.finditer(text):
        place = digit.start()
        if found and place < found[-1][1] - right:
            continue
        start = max(0, place - _LEFT)
        if within_words:
            start = max(start, text.rfind(" ", start, place) + 1, text.rfind("\n", start, place) + 1)
        stop = _WORD_END.search(text, min(len(text), place + right), place + 400)
        end = stop.end() if stop else min(len(text), place + 400)
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


@lru_cache(maxsize=4)
def figures_of_speech(text: str, name: str = "idioms") -> tuple[tuple[int, int], ...]:
    """Idioms with numerals in them, in order; `no_figures`: ordinary words and names with one."""
    return tuple(
        sorted(
            found.span()
            for language in LANGUAGES
            for pattern in idioms(language, name)
            for start, end in runs(text, language)
            for found in pattern.finditer(text, start, end)
        )
    )


def merged(*groups: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """All spans in order, overlapping ones joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(span for group in groups for span in group):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


class Cursor:
    """Answers whether a span meets one of the sorted `spans`, for spans asked in order."""

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self._spans = spans
        self._index = 0

    def covers(self, start: int, end: int | None = None) -> bool:
        """Whether [start, end) meets a span; `start` never goes back."""
        while self._index < len(self._spans) and self._spans[self._index][1] <= start:
            self._index += 1
        last = start + 1 if end is None else end
        return self._index < len(self._spans) and self._spans[self._index][0] < last
