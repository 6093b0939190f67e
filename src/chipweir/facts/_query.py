"""SQL over all tables, sealed: one reading statement, in a process with limits and without files or network."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from chipweir.errors import InputError
from chipweir.facts._facts import Facts
from chipweir.facts._models import Structure, structure_text
from chipweir.facts._records import CHIP_UNITS, SYSTEM_UNITS, Chip, Fact, Measure, System, Value
from chipweir.reading import Confined, Overrun


Cell = str | float | int | bool | date | None
VALUE_COLUMNS = (
    "low", "central", "high", "best", "unit", "as_of", "published", "known_by", "source", "url", "cls", "confidence", "note",
    "reported", "preferred", "rumour",
)  # fmt: skip
MAX_ROWS = 100_000
SECONDS, MEMORY = 30.0, 3 << 30
_SQL = Confined("chipweir.reading._sql:answer", SECONDS, MEMORY)


@dataclass(frozen=True)
class Answer:
    """Names of the columns and the rows of a query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def tables(facts: Facts, only: str = "") -> dict[str, list[dict[str, Cell]]]:
    """Every table (or `only` one) as rows of plain cells.

    `chips` and `systems` hold the best value of each quantity, `chip_values` and `system_values` all of them. In SQL
    `end` is a word of the language: `facts` has its period as `first_day` and `last_day` as well.
    """
    made: dict[str, Callable[[], list[dict[str, Cell]]]] = {
        "chips": lambda: [{**_product(chip, CHIP_UNITS), **_of_chip(chip)} for chip in facts.chips.values()],
        "chip_values": lambda: _value_rows(facts.chips.values(), "chip"),
        "systems": lambda: [_product(system, SYSTEM_UNITS) for system in facts.systems.values()],
        "system_values": lambda: _value_rows(facts.systems.values(), "system"),
        "models": lambda: [_plain(model) for model in facts.models.values()],
        "measures": lambda: [_measure(measure) for measure in facts.measures.values()],
        "facts": lambda: [_fact(facts, fact) for fact in facts.facts.values()],
        "events": lambda: [_plain(event) for event in facts.events.values()],
        "prices": lambda: [
            {**_plain(price, skip=("value",)), **_value(price.value)} for price in facts.prices.values()
        ],
        "sources": lambda: [{**_plain(s), "recalled": s.recalled} for s in facts.sources.values()],
        "entities": lambda: [{**_plain(e, skip=("names",)), **e.names.model_dump()} for e in facts.entities.values()],
        "countries": lambda: [{**_plain(c, skip=("names",)), **c.names.model_dump()} for c in facts.countries.values()],
        "aliases": lambda: [
            {"kind": kind, "id": identifier, "alias": alias} for kind, identifier, alias in _aliases(facts)
        ],
        "names": lambda: [_plain(name) for name in facts.names],
        "conflicts": lambda: [_conflict(conflict.model_dump()) for conflict in facts.conflicts.values()],
        "overrides": lambda: [
            {"kind": o.kind, "id": o.id, "replaced": o.replaced.origin, "by": o.by.origin} for o in facts.overrides
        ],
    }
    return {name: rows() for name, rows in made.items() if only in ("", name)}


def _product(record: Chip | System, quantities: Mapping[str, str]) -> dict[str, Cell]:
    return {**_plain(record, skip=(*quantities, "values")), **_best(record, quantities)}


def _of_chip(chip: Chip) -> dict[str, Cell]:
    half = chip.half_tflops
    return {"data_centre": chip.data_centre, "half_tflops": None if half is None else half.best}


def _fact(facts: Facts, fact: Fact) -> dict[str, Cell]:
    return {**_plain(fact, skip=("value",)), "kind": facts.measures[fact.measure].kind, **_value(fact.value)}


def _plain(record: Any, skip: Sequence[str] = ()) -> dict[str, Cell]:
    cells = {}
    for name in (*(name for name in type(record).model_fields if name != "origin"), "origin"):
        if name not in skip:
            given = getattr(record, name)
            if isinstance(given, Structure):
                given = structure_text(given)
            cells[name] = _cell(given)
    return cells


def _cell(given: Any) -> Any:
    if isinstance(given, tuple):
        return "|".join(given)
    return ";".join(f"{name}={part}" for name, part in given.items()) if isinstance(given, Mapping) else given


def _measure(measure: Measure) -> dict[str, Cell]:
    texts: dict[str, Cell] = {"title": measure.title["en"], "title_ko": measure.title["ko"]}
    texts |= {"definition": measure.definition["en"], "definition_ko": measure.definition["ko"]}
    texts |= {str(language): "|".join(found) for language, found in measure.words.items()}
    return {**_plain(measure, skip=("title", "definition", "words")), **texts}


def _value(value: Value) -> dict[str, Cell]:
    cells: dict[str, Cell] = {name: getattr(value, name) for name in VALUE_COLUMNS}
    return {**cells, "best": None if math.isnan(value.best) else value.best}


def _best(record: Any, quantities: Iterable[str]) -> dict[str, Cell]:
    return {name: None if (value := getattr(record, name)) is None else value.best for name in quantities}


def _value_rows(records: Iterable[Any], owner: str) -> list[dict[str, Cell]]:
    return [
        {owner: record.id, "quantity": quantity, **_value(value), "origin": value.origin}
        for record in records
        for quantity, found in record.values.items()
        for value in found
    ]


def _aliases(facts: Facts) -> Iterable[tuple[str, str, str]]:
    for entity in facts.entities.values():
        for alias in dict.fromkeys((entity.names.en, entity.names.ko, entity.names.zh, *entity.aliases)):
            if alias:
                yield entity.kind, entity.id, alias


def _conflict(record: Mapping[str, Any]) -> dict[str, Cell]:
    return {
        name: json.dumps(part, ensure_ascii=False) if isinstance(part, tuple | list | dict) else part
        for name, part in record.items()
    }


def _plain_tables(facts: Facts) -> dict[str, Any]:
    """`tables` with days as ISO texts, and which columns hold `dates`: what JSON can carry to another process."""
    filled = tables(facts)
    dates = {
        name: [column for column in rows[0] if any(isinstance(row[column], date) for row in rows)]
        for name, rows in filled.items()
        if rows
    }
    written = {
        name: [{c: cell.isoformat() if isinstance(cell, date) else cell for c, cell in row.items()} for row in rows]
        for name, rows in filled.items()
    }
    return {"tables": written, "dates": dates}


def query(facts: Facts, sql: str) -> Answer:
    """The rows that the one `SELECT` in `sql` gives over `tables(facts)`; dates come as texts.

    Raises `InputError` for anything but a single reading statement, for an error in it, beyond `MAX_ROWS` rows, and for
    what takes more than `SECONDS` or `MEMORY`.
    """
    try:
        found = _SQL({**_plain_tables(facts), "sql": sql, "most": MAX_ROWS})
    except Overrun as error:
        raise InputError(f"query: it {error}") from None
    if "error" in found:
        raise InputError(f"query: {found['error']}")
    return Answer(tuple(found["columns"]), tuple(tuple(row) for row in found["rows"]))
