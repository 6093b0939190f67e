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
REGIMES = ("US", "CN", "MY")
YES = frozenset({"yes", "true", "y", "1"})
NO = frozenset({"no", "false", "n", "0"})


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


def _unknown(name: str, text: str, spellings: Iterable[str], words: Iterable[str]) -> InputError:
    """The nearest spellings where there are any, else all the words."""
    error = UnknownName(name, text.strip()[:60], spellings)
    return error if error.suggestions else InputError(f"{error}; it is one of {', '.join(words)}")


def known_words(field: str) -> list[str]:
    """Every spelling of vocabulary `field`."""
    return [str(s) for w, spellings in vocabulary()[field].items() for s in (w, *spellings)]


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


@lru_cache(maxsize=8192)
def _parsed_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def day(value: object, name: str) -> date:
    """A day, from a date or its ISO text. Raises `InputError` for an impossible one."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    parsed = _parsed_day(value.strip()) if isinstance(value, str) else None
    if parsed is None:
        raise InputError(f"{name}: {value!r} is not a date; write it as 2026-01-15")
    return parsed
