"""Which files there are, and how the lines of one table in several directories become one table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from chipweir.errors import InputError
from chipweir.facts._calendars import COLUMNS
from chipweir.facts._names import NameLine
from chipweir.facts._records import (
    CHIP_UNITS,
    SYSTEM_UNITS,
    Chip,
    Country,
    Entity,
    Event,
    Fact,
    LanguageModel,
    Measure,
    Name,
    Price,
    Source,
    System,
)
from chipweir.facts._tables import VALUE_COLUMNS, Line, Row, flag, line_of, read_csv, read_yaml


NAME_COLUMNS = ("en", "ko", "zh")
WORD_COLUMNS = ("title", "title_ko", "definition", "definition_ko", *NAME_COLUMNS)


@dataclass
class Table:
    """The lines of one table after all layers were laid over one another, and the lines that were replaced."""

    lines: dict[str, Line] = field(default_factory=dict)
    replaced: dict[str, Line] = field(default_factory=dict)


@dataclass(frozen=True)
class Schema:
    """Columns of a CSV table: the key by which lines override one another, the columns known and those required.

    A table may be spread over several files of the same columns: `more`.
    """

    file: str
    key: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    more: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """All files of the table."""
        return self.file, *self.more


def _fields(model: type[BaseModel], *without: str) -> tuple[str, ...]:
    return tuple(name for name in model.model_fields if name not in ("origin", "values", "known_by", *without))


SCHEMAS = {
    "sources": Schema("sources.csv", "id", _fields(Source), ("id",)),
    "chips": Schema("chips.csv", "id", (*_fields(Chip, *CHIP_UNITS), "data_centre"), ("id",)),
    "systems": Schema("systems.csv", "id", _fields(System, *SYSTEM_UNITS), ("id",)),
    "models": Schema("models.csv", "id", _fields(LanguageModel), ("id",)),
    "entities": Schema("entities.csv", "id", (*NAME_COLUMNS, *_fields(Entity, "names")), ("id",)),
    "countries": Schema("countries.csv", "alpha2", (*NAME_COLUMNS, *_fields(Country, "names")), ("alpha2",)),
    "measures": Schema(
        "measures.csv",
        "measure",
        ("measure", *_fields(Measure, "id", "title", "definition", "words"), *WORD_COLUMNS),
        ("measure", "kind"),
    ),
    "facts": Schema(
        "facts.csv",
        "id",
        (*_fields(Fact, "value"), *VALUE_COLUMNS),
        ("id",),
        ("observations.csv", "korea.csv", "exchange_rates.csv"),
    ),
    "events": Schema("events.csv", "id", _fields(Event), ("id",)),
    "prices": Schema("prices.csv", "id", (*_fields(Price, "value"), *VALUE_COLUMNS), ("id",)),
    "calendars": Schema("calendars.csv", "entity", COLUMNS, ("entity", "rule", "month")),
    "units": Schema("units.csv", "written", ("written", "unit", "factor"), ("written", "unit", "factor")),
}
NAMES = Schema("names.csv", "name", _fields(Name), ("kind", "id", "name"))
_VALUED = ("quantity", "as_of", "preferred", *VALUE_COLUMNS)
VALUE_SCHEMAS = {
    "chips": Schema("chip_values.csv", "chip", ("chip", *_VALUED), ("chip", "quantity", "unit", "source")),
    "systems": Schema("system_values.csv", "system", ("system", *_VALUED), ("system", "quantity", "unit", "source")),
}
YAML_FILES = ("conflicts.yaml", "exceptions.yaml")
FILES = (
    *(file for schema in (*SCHEMAS.values(), NAMES, *VALUE_SCHEMAS.values()) for file in schema.files),
    *YAML_FILES,
)


def table(
    schema: Schema,
    directories: Sequence[Path],
    known: Callable[[Row], date] | None = None,
    day: date | None = None,
) -> Table:
    """The lines of a table, those of higher layers over those of lower ones.

    With `day`, a line that `known` dates later counts as not there; what it would replace stands.
    """
    laid = Table()
    lines: dict[str, Line] = {}
    for layer, directory in enumerate(directories):
        here: dict[str, str] = {}
        for path, place, row in _rows(schema, directory):
            key = row.get(schema.key, "")
            if not key:
                raise InputError(f"{path}:{line_of(place)}: {schema.key} is empty")
            if key in here:
                raise InputError(f"{path}:{line_of(place)}: {schema.key} '{key}' stands already in line {here[key]}")
            here[key] = line_of(place)
            replaces = flag(row, "override", path, place)
            row.pop("override", None)
            old = lines.get(key)
            if old is not None and row == old.row:
                continue
            _check_override(path, place, key, old, replaces)
            if old is not None:
                row = _laid_over(old.row, row)
            lines[key] = Line(path, place_of(path, place, layer), row, layer)
            if day is None or known is None or known(row) <= day:
                if key in laid.lines:
                    laid.replaced[key] = laid.lines[key]
                laid.lines[key] = lines[key]
    return laid


def _rows(schema: Schema, directory: Path) -> Iterator[tuple[Path, str, Row]]:
    for path in (directory / file for file in schema.files):
        if path.exists():
            for place, row in read_csv(path, (*schema.columns, "override"), schema.required):
                yield path, place, row


def _laid_over(old: Mapping[str, str], row: Mapping[str, str]) -> dict[str, str]:
    """The cells of `row` over those of `old`, without what only holds of the old: a translation, a period's wording."""
    stale = {"description_ko"} if row.get("description", old.get("description")) != old.get("description") else set()
    if "start" in row:
        stale |= {"end", "as_written"}
    elif "as_written" in row:
        stale |= {"start", "end"}
    return {**{name: cell for name, cell in old.items() if name not in stale}, **row}


def _check_override(path: Path, place: str, key: str, old: Line | None, replaces: bool) -> None:
    line = line_of(place)
    if old is not None and not replaces:
        raise InputError(
            f"{path}:{line}: '{key}' is already in {old.place}; add a column override with yes to replace it"
        )
    if old is None and replaces:
        raise InputError(f"{path}:{line}: '{key}' is marked override but no record below has that id")


def place_of(path: Path, place: str, layer: int) -> str:
    """How a line is named: by its file where it ships, with the whole path where it is a user's own."""
    return place if layer == 0 else f"{path}:{line_of(place)}"


def name_lines(directories: Sequence[Path]) -> list[NameLine]:
    """Every line of every `names.csv`; a user's own add to the shipped ones."""
    found = []
    for layer, directory in enumerate(directories):
        path = directory / NAMES.file
        if path.exists():
            for place, row in read_csv(path, NAMES.columns, NAMES.required):
                found.append(NameLine(path, place_of(path, place, layer), row))
    return found


def documents(directories: Sequence[Path], name: str) -> list[tuple[Path, str, dict[str, Any]]]:
    """The entries of a YAML file in every directory, each with its file and place."""
    entries = []
    for layer, directory in enumerate(directories):
        path = directory / name
        if not path.exists():
            continue
        for line, entry in read_yaml(path):
            entries.append((path, f"{path.name if layer == 0 else path}:{line}", entry))
    return entries
