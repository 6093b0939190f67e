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
# Words for a load or a rate that nothing limits, by column: nothing is stated then.
OPEN = {"concurrency": ("max", "unlimited"), "request_rate": ("inf", "infinity", "max", "unlimited")}
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def number(row: Mapping[str, str], name: str, *, least: float = 0.0, strict: bool = True) -> float | None:
    """The number in a cell, None if empty. Raises `InputError` for text or a number not above `least`."""
    text = row.get(name)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        text = text.strip()
        if text.lower() in NOTHING or text.lower() in OPEN.get(name, ()):
            return None
        if not _GROUPED.fullmatch(text):
            raise InputError(f"{name} must be a number, not '{text}'") from None
        value = float(text.replace(",", ""))
    if not math.isfinite(value) and text.strip().lower() in (*NOTHING, *OPEN.get(name, ())):
        return None
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


def share(row: Mapping[str, str], name: str) -> float | None:
    """A share below 1, written "0.9" or "90%", None if empty. Raises `InputError` for what is none."""
    text = (row.get(name) or "").strip()
    per_cent = text.endswith("%")
    value = number({name: text.rstrip("% ")}, name, strict=False)
    value = value / 100.0 if value is not None and per_cent else value
    if value is not None and value >= 1.0:
        raise InputError(f"{name} must be below 1, not {value:g}")
    return value


_TIMES = {"": 1.0, "k": 1024.0, "m": 1e6}
_COUNT = r"([\d.]+)\s*([km]?)"


def token_count(text: str, name: str = "isl") -> float | None:
    """Tokens from "4096", "4k", "1,024", a range ("2048-4096": its middle), or words that hold a mean ("4k-64k mean
    32k"); None if empty. Raises `InputError` for anything else."""
    if text.isascii() and text.isdecimal() and len(text) < 9 and int(text) > 0:
        return float(text)
    if text.strip().lower() in NOTHING:
        return None
    plain = re.sub(
        r"(?<=\d),(?=\d{3}\b)|\btokens?\b|\brandom\b|[~≈]|\((?:mean|avg|average)\)", "", text.lower()
    ).strip()
    ends = re.fullmatch(rf"{_COUNT}\s*(?:-|–|to|\.\.)\s*{_COUNT}", plain)
    match = re.search(rf"mean\s*{_COUNT}", plain) or re.fullmatch(_COUNT, plain)
    try:
        if ends is not None:
            value = (float(ends[1]) * _TIMES[ends[2] or ends[4]] + float(ends[3]) * _TIMES[ends[4]]) / 2.0
        else:
            value = float(match[1]) * _TIMES[match[2]] if match is not None else math.nan
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise InputError(f"{name} must be a number of tokens, not '{text}'")
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
