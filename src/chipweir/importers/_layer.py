"""Rows on their way into a directory of facts, and what the readers of tables share."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from chipweir import reading
from chipweir.errors import InputError


Row = Mapping[str, str]


@dataclass(frozen=True)
class Imported:
    """Rows by file (relative to the directory of facts); `keys` is the column that tells rows of a file apart. `skipped`
    says of every row that was left out why."""

    tables: Mapping[str, Sequence[Row]]
    keys: Mapping[str, str]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """Rows by file that are new, that replaced others, and what was left out."""

    directory: Path
    added: Mapping[str, int]
    replaced: Mapping[str, int]
    skipped: tuple[str, ...]


def records(path: Path, kind: str) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by heading) of a CSV file; headings are in lower case with single blanks. Raises `InputError`."""
    lines = reading.read_cells(path, kind, most=200_000_000, strict=False)
    _line, first = next(lines, (0, []))
    head = [heading(name) for name in first]
    if not any(head):
        raise InputError(f"{path}:1: no headings; expected {kind}")
    for line, cells in lines:
        if any(cell.strip() for cell in cells):
            yield line, {name: cell.strip() for name, cell in zip(head, cells, strict=False) if name}


def heading(text: str) -> str:
    """A heading without case, byte order mark and doubled blanks."""
    return " ".join(text.replace("\ufeff", "").split()).casefold()


def need(row: Row, names: Sequence[str], path: Path, kind: str) -> None:
    """Raise `InputError` where a file has not the columns of its kind."""
    missing = [name for name in names if name not in row]
    if missing:
        raise InputError(f"{path}:1: not {kind}: no column {', '.join(missing)}")


def number(text: str) -> float | None:
    """A number with or without thousands, or None."""
    try:
        value = float(text.replace(",", "").replace(" ", ""))
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def day(text: str) -> date | None:
    """An ISO day, or a US one (1/31/2025), as these publishers write; None for anything else."""
    if match := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text[:10]):
        parts = tuple(map(int, match.groups()))
    elif match := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        parts = (int(match[3]), int(match[1]), int(match[2]))
    else:
        return None
    try:
        return date(*parts)
    except ValueError:
        return None


def slug(*parts: str) -> str:
    """An id from words: lower case, digits and dashes."""
    joined = "-".join(parts).casefold()
    return re.sub(r"[^a-z0-9]+", "-", joined).strip("-")


def plain(value: float) -> str:
    """A number as a cell, without a tail of zeros."""
    return f"{value:.12g}"


def cell(text: str, most: int = 300) -> str:
    """Text of others on one line, no longer than `most`."""
    return reading.clean(" ".join(text.split()), most)
