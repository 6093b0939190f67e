"""Screening a list of shipments as it streams in: one answer a line, a bad line spoils nothing but itself."""

import csv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from chipweir import reading
from chipweir.errors import InputError, UnknownName, nearest
from chipweir.rules._asked import (
    ITEM_FIELDS,
    ITEM_WORDS,
    PARTY_FIELDS,
    PASS_FIELDS,
    SHIPMENT_FIELDS,
    SHIPMENT_WORDS,
    Shipment,
    plain_name,
)
from chipweir.rules._book import Book, shipped
from chipweir.rules._decide import decide
from chipweir.rules._records import Decision


MAX_LINE = 1_000_000
LIMITS = reading.Limits(values=5_000)
_SKIM = 1 << 20
_TABLES = (".csv", ".tsv")
_KNOWN = (*SHIPMENT_FIELDS, *SHIPMENT_WORDS, *ITEM_FIELDS, *ITEM_WORDS, *PASS_FIELDS)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a batch: a decision, or what is wrong with the line. `id` and parties are passed through.

    `ignored` are the columns of a table that no rule reads.
    """

    line: int
    decision: Decision | None
    error: str = ""
    id: Any = None
    parties: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def batch(
    path: Path, rules: Book | None = None, defaults: Mapping[str, Any] | None = None, *, trace: bool = True,
    margins: bool | None = None,
) -> Iterator[Row]:  # fmt: skip
    """Decide the shipments in a JSON Lines or CSV file one by one, holding one line in memory at a time.

    `defaults` are fields for lines that do not state them, `trace` and `margins` as in `decide`. Raises `InputError` for a
    file that cannot be read, or a CSV header that lacks a destination or an item, or with a column that is nearly one of
    ours; everything that is wrong with one line stands in its row.
    """
    book = rules or shipped()
    given = defaults or {}
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    with stream:
        lines = bounded_lines(stream)
        if path.suffix.lower() in _TABLES:
            ignored, rows = _table(lines, path, given)
        else:
            ignored, rows = (), _json_lines(lines)
        for line, fields in rows:
            yield _decide(line, fields, book, given, (trace, margins), ignored)


def _decide(
    line: int, fields: Any, book: Book, defaults: Mapping[str, Any], wanted: tuple[bool, bool | None],
    ignored: tuple[str, ...],
) -> Row:  # fmt: skip
    if isinstance(fields, InputError):
        return Row(line, None, str(fields))
    name = fields.get("id") if isinstance(fields, Mapping) else None
    try:
        if isinstance(fields, Mapping):
            fields = {**_unless_stated(defaults, fields), **fields}
        shipment = Shipment.of(fields, f"line {line}")
        decision = decide(shipment, book, trace=wanted[0], margins=wanted[1])
    except (InputError, RecursionError, ArithmeticError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Row(line, None, text if text.startswith(f"line {line}") else f"line {line}: {text}", name)
    parties = tuple(party for field in PARTY_FIELDS if (party := getattr(shipment, field)))
    return Row(line, decision, "", name, parties, ignored)


def _unless_stated(defaults: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults that a line does not state under that or another name."""
    stated = {SHIPMENT_WORDS.get(str(key), key) for key in fields}
    return {key: value for key, value in defaults.items() if key not in stated}


def bounded_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | InputError]]:
    """Numbered lines, never holding more than `MAX_LINE` bytes; a longer line becomes an error and is skipped."""
    number = 0
    while True:
        line = stream.readline(MAX_LINE + 1)
        if not line:
            return
        number += 1
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(_SKIM)
            yield number, InputError(f"line {number}: longer than {MAX_LINE:,} bytes")
        else:
            yield number, line


def _json_lines(lines: Iterator[tuple[int, bytes | InputError]]) -> Iterator[tuple[int, Any]]:
    for number, raw in lines:
        if isinstance(raw, InputError):
            yield number, raw
            continue
        if not raw.strip():
            continue
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            fields = reading.parse_json(text, f"line {number}", LIMITS)
        except UnicodeDecodeError:
            yield number, InputError(f"line {number}: not UTF-8 text")
        except InputError as error:
            yield number, error
        else:
            yield number, fields


# --- tables


def _texts(lines: Iterator[tuple[int, bytes | InputError]], bad: dict[int, str]) -> Iterator[str]:
    """Lines as text; one that cannot be is noted and left empty, so that a garbled name is never taken for another."""
    for number, raw in lines:
        if isinstance(raw, InputError):
            bad[number] = str(raw)
            yield "\n"
            continue
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8").replace("\x00", "")
        except UnicodeDecodeError:
            bad[number] = f"line {number}: not UTF-8 text; save the table as CSV (UTF-8)"
            yield "\n"


def _table(
    lines: Iterator[tuple[int, bytes | InputError]], path: Path, defaults: Mapping[str, Any]
) -> tuple[tuple[str, ...], Iterator[tuple[int, Any]]]:
    """The columns that are not read, and the rows. Columns may stand in any order, set apart by commas or semicolons."""
    bad: dict[int, str] = {}
    texts = _texts(lines, bad)
    first = next(texts, None)
    if first is None:
        return (), iter(())
    if bad:
        raise InputError(f"{path}: {next(iter(bad.values()))}")
    sign = _separator(first, path)
    try:
        header = [_column(name) for name in next(csv.reader([first], delimiter=sign, strict=True))]
    except (csv.Error, StopIteration) as error:
        raise InputError(f"{path}: the header cannot be read: {error}") from None
    ignored = _check_header(header, path, defaults)
    return ignored, _rows(header, csv.reader(texts, delimiter=sign, strict=True), bad, frozenset(ignored))


def _column(name: str) -> str:
    """A column's name, in the spelling of a field where it differs by case, blanks or hyphens only."""
    plain = plain_name(name)
    return plain if plain in _KNOWN else name.strip()


def _separator(header: str, path: Path) -> str:
    """The sign between columns: that of a .tsv, else the one that parts the header into most columns."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    return max((",", ";", "\t"), key=header.count)


def _check_header(header: list[str], path: Path, defaults: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that are none of ours. Raises `UnknownName` for one that is nearly ours, or where an item or a
    destination is missing."""
    if len(header) > reading.MOST_COLUMNS:
        raise InputError(f"{path}:1: {len(header):,} cells; at most {reading.MOST_COLUMNS} are read")
    unknown = [name for name in header if name not in _KNOWN]
    near = [name for name in unknown if nearest(name, _KNOWN, 1) and _alike(name)]
    meant = {SHIPMENT_WORDS.get(name, ITEM_WORDS.get(name, name)) for name in (*header, *defaults)}
    lacking = "to" not in meant or not meant & {"item", *ITEM_FIELDS}
    for name in near or (unknown if lacking else []):
        raise UnknownName("column", name[:60], _KNOWN, where=str(path))
    repeated = [name for name in header if name and header.count(name) > 1]
    if repeated:
        raise InputError(f"{path}: the column '{repeated[0]}' stands twice")
    return tuple(name for name in unknown if name)


def _alike(name: str) -> bool:
    """Whether a name is so near one of ours that it is likely misspelt."""
    from rapidfuzz import fuzz

    return any(fuzz.ratio(name.casefold(), known.casefold()) >= _MISSPELT for known in _KNOWN)


_MISSPELT = 85.0


def _rows(header: list[str], reader: Any, bad: dict[int, str], ignored: frozenset[str]) -> Iterator[tuple[int, Any]]:
    """The rows below the header, numbered as lines of the file; `reader` counts from the line after the header."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            yield from ((number, InputError(text)) for number, text in bad.items())
            return
        except csv.Error as error:
            line = reader.line_num + 1
            yield line, InputError(f"line {line}: {error}")
            continue
        for number, text in bad.items():
            yield number, InputError(text)
        bad.clear()
        if any(cell.strip() for cell in cells):
            line = reader.line_num + 1
            yield line, _fields(header, cells, line, ignored)


def _fields(header: list[str], cells: list[str], line: int, ignored: frozenset[str]) -> Any:
    if len(cells) != len(header):
        return InputError(f"line {line}: {len(cells)} cells under {len(header)} columns")
    fields: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=True):
        if cell.strip() and name and name not in ignored:
            try:
                fields[name] = _cell(name, cell.strip())
            except InputError as error:
                return InputError(f"line {line}: {error}")
    return fields


def _cell(name: str, text: str) -> Any:
    """A cell's value: JSON where it looks like it, lists for the fields that are lists, else the text itself."""
    if text[0] in "[{":
        return reading.parse_json(text, name, LIMITS)
    if name == "contains":
        return [part.strip() for part in text.replace("|", ";").split(";") if part.strip()]
    if name == "modes":
        return [_mode(part) for part in text.replace("|", ";").split(";") if part.strip()]
    if name == "dies":
        with suppress(ValueError):
            return int(text)
    return text


def _mode(text: str) -> dict[str, str]:
    tops, sign, bits = text.partition("@")
    if not sign:
        raise InputError(f"modes: write a mode as 1979@8 (dense TOPS @ bits), not {text.strip()!r}")
    return {"tops": tops.strip(), "bits": bits.strip()}
