"""SQL over all tables, sealed: one reading statement, in a process with limits and without files or network."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chipweir.errors import InputError
from chipweir.facts._facts import Facts
from chipweir.facts._models import Structure, structure_text
from chipweir.facts._records import CHIP_UNITS, SYSTEM_UNITS, Value
from chipweir.reading import Confined, Overrun


Cell = str | float | int | bool | None
VALUE_COLUMNS = (
    "low", "central", "high", "best", "unit", "as_of", "published", "source", "url", "cls", "confidence", "note",
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


def tables(facts: Facts) -> dict[str, list[dict[str, Cell]]]:
    """Every table as rows of plain cells. `chips` and `systems` hold best values; `chip_values` has them all."""
    return {
        "chips": [
            {
                **_plain(chip, skip=(*CHIP_UNITS, "values")),
                "data_centre": chip.data_centre,
                **_best(chip, CHIP_UNITS),
                "half_tflops": None if chip.half_tflops is None else chip.half_tflops.best,
            }
            for chip in facts.chips.values()
        ],
        "chip_values": _value_rows(facts.chips.values(), "chip"),
        "systems": [
            {**_plain(system, skip=(*SYSTEM_UNITS, "values")), **_best(system, SYSTEM_UNITS)}
            for system in facts.systems.values()
        ],
        "system_values": _value_rows(facts.systems.values(), "system"),
        "models": [_plain(model) for model in facts.models.values()],
        "facts": [
            {**_plain(fact, skip=("value",)), "kind": fact.kind, **_value(fact.value)} for fact in facts.facts.values()
        ],
        "events": [_plain(event) for event in facts.events.values()],
        "prices": [{**_plain(price, skip=("value",)), **_value(price.value)} for price in facts.prices.values()],
        "sources": [_plain(source) for source in facts.sources.values()],
        "entities": [{**_plain(e, skip=("names",)), **e.names.model_dump()} for e in facts.entities.values()],
        "countries": [{**_plain(c, skip=("names",)), **c.names.model_dump()} for c in facts.countries.values()],
        "aliases": [
            {"kind": kind, "id": identifier, "alias": alias}
            for kind, identifier, alias in _aliases(facts)
        ],
        "names": [_plain(name) for name in facts.names],
        "conflicts": [_conflict(conflict.model_dump()) for conflict in facts.conflicts.values()],
        "overrides": [
            {"kind": o.kind, "id": o.id, "replaced": o.replaced.origin, "by": o.by.origin} for o in facts.overrides
        ],
    }  # fmt: skip


def _plain(record: Any, skip: Sequence[str] = ()) -> dict[str, Cell]:
    cells = {}
    for name in (*(name for name in type(record).model_fields if name != "origin"), "origin"):
        if name not in skip:
            given = getattr(record, name)
            if isinstance(given, Structure):
                given = structure_text(given)
            cells[name] = "|".join(given) if isinstance(given, tuple) else given
    return cells


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


def query(facts: Facts, sql: str) -> Answer:
    """The rows that the one `SELECT` in `sql` gives over `tables(facts)`; dates come as texts.

    Raises `InputError` for anything but a single reading statement, for an error in it, beyond `MAX_ROWS` rows, and for
    what takes more than `SECONDS` or `MEMORY`.
    """
    try:
        found = _SQL({"tables": tables(facts), "sql": sql, "most": MAX_ROWS})
    except Overrun as error:
        raise InputError(f"query: it {error}") from None
    if "error" in found:
        raise InputError(f"query: {found['error']}")
    return Answer(tuple(found["columns"]), tuple(tuple(row) for row in found["rows"]))
