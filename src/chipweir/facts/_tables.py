"""Reading CSV and YAML files of one schema, each line checked and its place remembered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from chipweir import reading
from chipweir.errors import InputError, nearest


Row = dict[str, str]
Model = TypeVar("Model", bound=BaseModel)
VALUE_COLUMNS = ("low", "central", "high", "unit", "published", "source", "url", "cls", "confidence", "note")
# Columns of older tables of facts and what holds now what stood there.
RENAMED = {"quantity": "measure", "period": "as_written"}
_BOOLEANS = {"yes": True, "no": False, "true": True, "false": False}


@dataclass
class Line:
    """A row of a table, where it stands, and in which layer: 0 is what ships."""

    path: Path
    place: str
    row: Row
    layer: int = 0

    @property
    def where(self) -> str:
        """File and line, as messages name them."""
        return f"{self.path}:{line_of(self.place)}"


def number(line: Line, column: str) -> float | None:
    """The number in `column`, None where it is blank. Raises `InputError` for anything that is no finite number."""
    text = line.row.get(column)
    if text is None:
        return None
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if found != found or found in (float("inf"), float("-inf")):
        raise InputError(f"{line.where}: {column}: '{text}' is not a finite number")
    return found


def without_value(row: Mapping[str, str]) -> dict[str, Any]:
    """The cells of `row` that are not part of its value."""
    return {name: cell for name, cell in row.items() if name not in VALUE_COLUMNS}


def read_csv(path: Path, known: Iterable[str], required: Iterable[str]) -> list[tuple[str, Row]]:
    """Rows of a CSV file with their place (`chips.csv:12`), blank cells left out.

    Raises `InputError` with file and line for unreadable text, unknown or missing columns, rows of another length.
    """
    header: list[str] | None = None
    rows: list[tuple[str, Row]] = []
    for line, cells in reading.read_cells(path, "table of facts"):
        if header is None:
            header = _header(path, [cell.strip() for cell in cells], set(known), required)
        elif any(cell.strip() for cell in cells):
            if len(cells) != len(header):
                raise InputError(f"{path}:{line}: {len(cells)} cells where the header has {len(header)}")
            place = f"{path.name}:{line}"
            rows.append((place, {k: c for k, cell in zip(header, cells, strict=True) if (c := cell.strip())}))
    if header is None:
        raise InputError(f"{path}: empty file; its first line must name the columns")
    return rows


def _header(path: Path, header: list[str], known: set[str], required: Iterable[str]) -> list[str]:
    for name in header:
        if name not in known:
            hint = [RENAMED[name]] if RENAMED.get(name) in known else nearest(name, known)
            raise InputError(
                f"{path}:1: unknown column '{name}'" + (f"; did you mean {' or '.join(hint)}?" if hint else "")
            )
    for name in required:
        if name not in header:
            raise InputError(f"{path}:1: column '{name}' is missing")
    if len(set(header)) != len(header):
        raise InputError(f"{path}:1: a column is named twice")
    return header


def read_yaml(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """The entries of a YAML list of mappings, each with its line. Raises `InputError` with file and line."""
    found = reading.read_yaml(path, "file of facts")
    if found.data is None:
        return []
    if not isinstance(found.data, list):
        raise InputError(f"{path}:1: must be a list of mappings")
    lines = [found.lines[str(number),] for number in range(len(found.data))]
    for line, entry in zip(lines, found.data, strict=True):
        if not isinstance(entry, dict):
            raise InputError(f"{path}:{line}: must be a mapping of names to values")
    return list(zip(lines, found.data, strict=True))


def build(model: type[Model], data: Mapping[str, Any], path: Path, place: str) -> Model:
    """`data` as a `model`; the first thing wrong becomes one line with file, line and column."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        given = first.get("input")
        shown = f" (given '{given}')" if isinstance(given, str | int | float) else ""
        line = place.rsplit(":", 1)[-1]
        raise InputError(f"{path}:{line}: {where}: {first['msg'].lower()}{shown}") from None


def flag(row: Mapping[str, str], name: str, path: Path, place: str) -> bool:
    """The yes-or-no cell `name`, no where it is blank."""
    given = row.get(name, "no").lower()
    if given not in _BOOLEANS:
        raise InputError(f"{path}:{place.rsplit(':', 1)[-1]}: {name}: '{given}' is neither yes nor no")
    return _BOOLEANS[given]


def line_of(place: str) -> str:
    """The line number in a place such as `chips.csv:12`."""
    return place.rsplit(":", 1)[-1]


def layers(extra: Sequence[Path], shipped: Path) -> list[Path]:
    """The shipped directory and the user's own in the order given. Raises `InputError` if one is not there."""
    for directory in extra:
        if not directory.is_dir():
            raise InputError(f"{directory}: no such directory of facts")
    return [shipped, *extra]


def refuse_unknown_files(directory: Path, known: Iterable[str]) -> None:
    """Raise `InputError` for a file that no table is named after, so that a misspelt name is not ignored."""
    names = set(known)
    try:
        paths = sorted(directory.iterdir())
    except OSError as error:
        raise InputError(f"{directory}: cannot be read ({_reason(error)})") from None
    for path in paths:
        if path.suffix in (".csv", ".yaml", ".yml") and path.name not in names:
            hint = nearest(path.name, names)
            suggestion = f"; did you mean {' or '.join(hint)}?" if hint else ""
            raise InputError(f"{path}: no table has this name{suggestion}")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or error).splitlines()[0]
