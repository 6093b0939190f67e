"""CSV: rows with their line, of bounded number and width."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path

from chipweir.errors import InputError
from chipweir.reading._text import read_text


MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 1_000_000, 500, 1_000_000
LARGEST_TABLE = 64_000_000


def read_cells(
    path: Path, kind: str = "CSV file", most: int = LARGEST_TABLE, strict: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file. Raises `InputError`."""
    return cells(StringIO(read_text(path, kind, most), newline=""), str(path), strict=strict)


def read_records(path: Path, kind: str = "CSV file", most: int = LARGEST_TABLE) -> list[tuple[int, dict[str, str]]]:
    """(line, cells by column) of each row of a CSV file with a head; what is missing at a row's end is empty.

    Raises `InputError`.
    """
    rows = ((line, row) for line, row in read_cells(path, kind, most) if any(cell.strip() for cell in row))
    _line, head = next(rows, (0, []))
    found = []
    for line, row in rows:
        if len(row) > len(head):
            raise InputError(f"{path}:{line}: {len(row)} cells under {len(head)} columns")
        found.append((line, dict(zip(head, [*row, *[""] * (len(head) - len(row))], strict=True))))
    return found


def cells(
    lines: Iterable[str], where: str, delimiter: str = ",", rows: int = MOST_ROWS, strict: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row of CSV text, blank rows too; `lines` are read as they are asked for.

    Raises `InputError` at the first row that is too wide, beyond `rows`, or no CSV (`strict`: with quotation marks where
    none may be).
    """
    csv.field_size_limit(LONGEST_CELL)  # one for the whole process: libraries change it
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    try:
        for number, row in enumerate(reader):
            if number >= rows:
                raise InputError(f"{where} has more than {rows:,} rows")
            if len(row) > MOST_COLUMNS:
                raise InputError(f"{where}:{reader.line_num}: {len(row):,} cells; at most {MOST_COLUMNS} are read")
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{where}:{reader.line_num}: not valid CSV ({error})") from None
