"""The vocabulary of shipments: the words each free-text field understands, and the nearest ones when it does not."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.reading import shipped_yaml


DATA = Path(__file__).parent / "data"

MODES = ("enforced", "as_written")
REGIMES = ("US", "CN", "MY", "KR")
YES = frozenset({"yes", "true", "y", "1"})
NO = frozenset({"no", "false", "n", "0"})


def N_(text: str) -> str:
    """Mark a text for the catalogue where it stands in a table; it is translated where it is shown."""
    return text


@cache
def vocabulary() -> Mapping[str, Any]:
    """The shipped vocabulary, as read from `data/vocabulary.yaml`."""
    loaded: Mapping[str, Any] = shipped_yaml(DATA / "vocabulary.yaml")
    return loaded


@lru_cache(maxsize=65536)
def folded(text: str) -> str:
    """`text` without what names differ in by accident: case, width, spaces, hyphens, underscores, punctuation."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


@cache
def _synonyms(field: str) -> dict[str, str]:
    words = {folded(word): word for word in vocabulary()[field]}
    for word, spellings in vocabulary()[field].items():
        for spelling in spellings:
            words.setdefault(folded(str(spelling)), word)
    return words


def word(field: str, text: object, name: str) -> str:
    """The word of vocabulary `field` that `text` spells. Raises `UnknownName` with the nearest spellings."""
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{name}: expected a word, got {text!r}")
    known = _synonyms(field)
    found = known.get(folded(text))
    if found is None:
        raise _unknown(name, text, known_words(field), vocabulary()[field])
    return found


def is_word(field: str, text: str) -> bool:
    """Whether `text` spells a word of vocabulary `field`."""
    return folded(text) in _synonyms(field)


@cache
def not_covered() -> Mapping[str, Any]:
    """Activities and goods that no rule here covers, and where to look instead (`data/not_covered.yaml`)."""
    loaded: Mapping[str, Any] = shipped_yaml(DATA / "not_covered.yaml")
    return loaded


@cache
def _activities() -> Mapping[str, str]:
    return {folded(word): key for key, entry in not_covered()["activities"].items() for word in (key, *entry["words"])}


def _within(text: str) -> str | None:
    """The activity of the longest spelling that stands in a text as whole words; in Korean, as part of one."""
    words = re.findall(r"\w+", text.casefold())
    spans = {"".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1)}
    joined = "".join(words)
    found = [
        spelling for spelling in _activities()
        if spelling in spans or (not spelling.isascii() and spelling in joined)
    ]  # fmt: skip
    return _activities()[max(found, key=len)] if found else None


def activity(text: object, name: str = "") -> str | None:
    """The activity that a text spells, or has among its words; None, or an `InputError` where it has a `name`, for none."""
    found = _activities().get(folded(text)) or _within(text) if isinstance(text, str) else None
    if found is None and name:
        raise _unknown(name, str(text), _activities(), not_covered()["activities"])
    return found


def _unknown(name: str, text: str, spellings: Iterable[str], words: Iterable[str]) -> InputError:
    """The nearest spellings where there are any, else all the words."""
    error = UnknownName(name, text.strip()[:60], spellings)
    return error if error.suggestions else InputError(f"{error}; it is one of {', '.join(words)}")


def known_words(field: str) -> list[str]:
    """Every spelling of vocabulary `field`."""
    return [str(s) for w, spellings in vocabulary()[field].items() for s in (w, *spellings)]


_UNKNOWN = frozenset(
    ("unknown", "notknown", "na", "notavailable", "tbd", "tbc", "unclear", "undetermined", "unstated", "notstated",
     "미상", "불명", "모름", "미정", "확인중", "不明", "未知", "不详")
)  # fmt: skip


def is_unknown(text: object) -> bool:
    """Whether a text says that something is not known, as people fill forms."""
    return isinstance(text, str) and (text.strip() in ("?", "-", "--", "??") or folded(text) in _UNKNOWN)


def one_of(text: object, choices: tuple[str, ...], name: str) -> str:
    """`text` as one of `choices`, however spelt. Raises `UnknownName`."""
    if not isinstance(text, str):
        raise InputError(f"{name}: expected one of {', '.join(choices)}, got {text!r}")
    for choice in choices:
        if folded(choice) == folded(text):
            return choice
    raise _unknown(name, text, choices, choices)


def flag(value: object, name: str) -> bool | None:
    """A yes or no, or None where it is said to be unknown. Raises `InputError` for anything else."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        text = str(value).strip().casefold()
        if text in YES:
            return True
        if text in NO:
            return False
        if text in ("", "unknown", "?", "null", "n/a"):
            return None
    raise InputError(f"{name}: expected yes or no, got {value!r}")


_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1,
    )
    for name in names.split()
}  # fmt: skip
_TIME = r"(?:[T ]\d{2}:?\d{2}(?::?\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])\s?(\d{1,2})\2\s?(\d{1,2})\.?" + _TIME)
_COMPACT = re.compile(r"(\d{4})()(\d{2})(\d{2})" + _TIME)
_EAST_ASIAN = re.compile(r"(\d{4})\s*([년年])\s*(\d{1,2})\s*[월月]\s*(\d{1,2})\s*[일日]")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ -]([A-Za-z]+)\.?,?[ -](\d{4})")
_MONTH_DAY = re.compile(r"([A-Za-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")


@lru_cache(maxsize=8192)
def _parsed_day(text: str) -> date | None:
    """A day as people write it, where it can be read in one way only: the year first, or the month in letters."""
    try:
        if match := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text) or _EAST_ASIAN.fullmatch(text):
            return date(int(match[1]), int(match[3]), int(match[4]))
        if match := _DAY_MONTH.fullmatch(text):
            return date(int(match[3]), _MONTHS[match[2].casefold()], int(match[1]))
        if match := _MONTH_DAY.fullmatch(text):
            return date(int(match[3]), _MONTHS[match[1].casefold()], int(match[2]))
    except (ValueError, KeyError):
        return None
    return None


def day(value: object, name: str) -> date:
    """A day, from a date or its text; the year comes first or the month is in letters. Raises `InputError` for others."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    parsed = _parsed_day(value.strip()) if isinstance(value, str) else None
    if parsed is None:
        raise InputError(f"{name}: {value!r} is not a date; write it as 2026-01-15")
    return parsed
