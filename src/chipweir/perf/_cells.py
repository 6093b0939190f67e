"""Cells of a table as numbers, flags and token counts, with one clear line for what is none."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from chipweir.errors import InputError


LARGEST = {
    "n_chips": 1e6,
    "tp": 4096.0,
    "ep": 65536.0,
    "dp": 65536.0,
    "pp": 4096.0,
    "cp": 4096.0,
    "isl": 1e8,
    "osl": 1e8,
    "concurrency": 1e7,
}
NOTHING = ("", "nan", "none", "na", "n/a", "null", "-")


def number(row: Mapping[str, str], name: str, *, least: float = 0.0, strict: bool = True) -> float | None:
    """The number in a cell, None if empty. Raises `InputError` for text or a number not above `least`."""
    text = (row.get(name) or "").strip()
    if text.lower() in NOTHING:
        return None
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{name} must be a number, not '{text}'") from None
    if not math.isfinite(value) or (value <= least if strict else value < least):
        raise InputError(f"{name} must be {'above' if strict else 'at least'} {least:g}, not {text}")
    if value > LARGEST.get(name, 1e9):
        raise InputError(f"{name} of {text} is beyond what this model can say; at most {LARGEST.get(name, 1e9):g}")
    return value


def degree(row: Mapping[str, str], name: str) -> float | None:
    """A parallel degree or a count of chips; 0 in a table means that the layout does not use it or nobody counted."""
    return number(row, name, strict=False) or None


def flag(row: Mapping[str, str], name: str) -> bool:
    """Whether a cell says yes."""
    return (row.get(name) or "").strip().lower() in ("true", "yes", "1", "1.0", "on", "enabled")


def token_count(text: str, name: str = "isl") -> float | None:
    """Tokens from "4096", "4k", or words that hold a mean ("4k-64k mean 32k"); None if empty or not a number."""
    if text.isascii() and text.isdecimal() and len(text) < 9 and int(text) > 0:
        return float(text)
    if text.strip().lower() in NOTHING:
        return None
    match = re.search(r"mean\s*([\d.]+)\s*(k?)", text, re.I) or re.fullmatch(r"\s*([\d.]+)\s*(k?)\s*", text, re.I)
    if match is None:
        raise InputError(f"{name} must be a number of tokens, not '{text}'")
    value = float(match[1]) * (1024.0 if match[2] else 1.0)
    if not (math.isfinite(value) and 0 < value <= LARGEST["isl"]):
        raise InputError(f"{name} must be above 0 and at most {LARGEST['isl']:g}, not {text}")
    return value


Record = TypeVar("Record")


def altered(record: Record, **changes: Any) -> Record:
    """`dataclasses.replace` of a frozen record, for the many rows of a table: ten times as fast, since nothing is
    checked and no constructor runs."""
    new = object.__new__(type(record))
    new.__dict__.update(record.__dict__, **changes)
    return new
