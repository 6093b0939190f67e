"""Screening a list of shipments as it streams in: one answer a line, a bad line spoils nothing but itself."""

import csv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from chipweir import reading
from chipweir.errors import InputError, UnknownName
from chipweir.rules._book import Book, shipped
from chipweir.rules._decide import decide
from chipweir.rules._records import ITEM_FIELDS, PASS_FIELDS, SHIPMENT_FIELDS, Decision, Shipment


MAX_LINE = 1_000_000
LIMITS = reading.Limits(values=5_000)
_SKIM = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a batch: a decision, or what is wrong with the line. `id` and parties are passed through."""

    line: int
    decision: Decision | None
    error: str = ""
    id: Any = None
    parties: tuple[str, ...] = ()


def batch(
    path: Path, rules: Book | None = None, defaults: Mapping[str, Any] | None = None, *, trace: bool = True
) -> Iterator[Row]:
    """Decide the shipments in a JSON Lines or CSV file one by one, holding one line in memory at a time.

    `defaults` are fields for lines that do not state them. Raises `InputError` for a file that cannot be read, or a CSV
    header with an unknown column; everything that is wrong with one line stands in its row.
    """
    book = rules or shipped()
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    with stream:
        lines = bounded_lines(stream)
        is_table = path.suffix.lower() in (".csv", ".tsv")
        rows = _table(lines, path) if is_table else _json_lines(lines)
        for line, fields in rows:
            yield _decide(line, fields, book, defaults or {}, trace)


def _decide(line: int, fields: Any, book: Book, defaults: Mapping[str, Any], trace: bool) -> Row:
    if isinstance(fields, InputError):
        return Row(line, None, str(fields))
    name = fields.get("id") if isinstance(fields, Mapping) else None
    try:
        if isinstance(fields, Mapping):
            fields = {**defaults, **fields}
        shipment = Shipment.of(fields, f"line {line}")
        decision = decide(shipment, book, trace=trace)
    except (InputError, RecursionError, ArithmeticError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Row(line, None, text if text.startswith(f"line {line}") else f"line {line}: {text}", name)
    return Row(line, decision, "", name, tuple(p for p in (shipment.exporter, shipment.end_user) if p))


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


def _texts(lines: Iterator[tuple[int, bytes | InputError]], bad: list[int]) -> Iterator[str]:
    for number, raw in lines:
        if isinstance(raw, InputError):
            bad.append(number)
            yield "\n"
        else:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").replace("\x00", "")


def _table(lines: Iterator[tuple[int, bytes | InputError]], path: Path) -> Iterator[tuple[int, Any]]:
    bad: list[int] = []
    reader = csv.reader(_texts(lines, bad), delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        return
    except csv.Error as error:
        raise InputError(f"{path}: the header cannot be read: {error}") from None
    known = (*SHIPMENT_FIELDS, *ITEM_FIELDS, *PASS_FIELDS)
    for name in header:
        if name not in known:
            raise UnknownName("column", name[:60], known, where=str(path))
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            yield from ((number, InputError(f"line {number}: longer than {MAX_LINE:,} bytes")) for number in bad)
            return
        except csv.Error as error:
            yield reader.line_num, InputError(f"line {reader.line_num}: {error}")
            continue
        for number in bad:
            yield number, InputError(f"line {number}: longer than {MAX_LINE:,} bytes")
        bad.clear()
        if any(cell.strip() for cell in cells):
            yield reader.line_num, _fields(header, cells, reader.line_num)


def _fields(header: list[str], cells: list[str], line: int) -> Any:
    if len(cells) != len(header):
        return InputError(f"line {line}: {len(cells)} cells under {len(header)} columns")
    fields: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=True):
        if cell.strip():
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
