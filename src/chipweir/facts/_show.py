"""Everything known about one thing, as plain data that prints as a page or as JSON."""

import math
from collections.abc import Container, Iterable, Mapping
from datetime import date
from typing import Any

from chipweir.errors import UnknownName
from chipweir.facts._control import compute_die_area, compute_dies, interconnect, performance_density
from chipweir.facts._facts import Facts
from chipweir.facts._lazy import where
from chipweir.facts._names import AmbiguousName
from chipweir.facts._records import (
    CHIP_UNITS,
    SYSTEM_UNITS,
    Chip,
    Conflict,
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
    Value,
)
from chipweir.facts._status import timeline
from chipweir.i18n import language


Anything = Chip | System | LanguageModel | Entity | Country | Measure | Fact | Event | Price | Source | Conflict
KINDS = (
    "chips", "systems", "models", "entities", "countries", "measures", "facts", "events", "prices", "sources", "conflicts",
)  # fmt: skip
NAMED = ("chips", "systems", "models", "entities", "countries")
_SINGULAR = {
    "chips": "chip", "systems": "system", "models": "model", "entities": "entity", "countries": "country",
    "measures": "measure", "facts": "fact", "events": "event", "prices": "price", "sources": "source",
    "conflicts": "conflict",
}  # fmt: skip


def plural(kind: str) -> str:
    """`chips` for `chip` and `chips`. Raises `UnknownName`."""
    for name, single in _SINGULAR.items():
        if kind.casefold() in (name, single):
            return name
    raise UnknownName("kind of record", kind, KINDS)


def records(facts: Facts, kind: str) -> Mapping[str, Any]:
    """The records of one kind by id. Raises `UnknownName`."""
    found: Mapping[str, Any] = getattr(facts, plural(kind))
    return found


def find(facts: Facts, name: str) -> tuple[str, Anything]:
    """The kind and the record that `name` means: an id of any kind first, then any alias.

    Raises `UnknownName` with the nearest names, or `AmbiguousName` with the candidates.
    """
    for kind in NAMED:
        for key in (name, name.lower()):
            if key in getattr(facts, kind):
                return _SINGULAR[kind], getattr(facts, kind)[key]
    candidates: dict[str, str] = {}
    for kind, index in facts.indices().items():
        for identifier in index.candidates(name):
            if kind == "country" or (kind == "entity" and identifier in candidates):
                continue
            candidates[identifier] = kind
    if not candidates:
        for kind in (kind for kind in KINDS if kind not in NAMED):
            for key in (name, name.lower()):
                if key in getattr(facts, kind):
                    return _SINGULAR[kind], getattr(facts, kind)[key]
        try:
            return "measure", facts.measure(name)
        except UnknownName:
            candidates = _read(facts, name)
    if not candidates:
        raise UnknownName("id or name", name, _known(facts, name))
    if len(candidates) > 1 or facts.indices()["entity"].needs_context(name):
        what = "is ambiguous" if len(candidates) > 1 else "needs context"
        raise AmbiguousName(f"'{name}' {what}: it may mean {', '.join(candidates)}", list(candidates))
    identifier, kind = next(iter(candidates.items()))
    table = facts.entities if kind == "entity" else getattr(facts, f"{kind}s")
    return kind, table[identifier]


def _read(facts: Facts, name: str) -> dict[str, str]:
    """Chips and systems that a name, taken part by part, fits."""
    found: dict[str, str] = {}
    for kind in ("chip", "system"):
        try:
            found[facts.indices()[kind].resolve(name)] = kind
        except AmbiguousName as several:
            found |= dict.fromkeys(several.candidates, kind)
        except UnknownName:
            continue
    return found


def _known(facts: Facts, name: str) -> Iterable[str]:
    for kind in KINDS:
        yield from getattr(facts, kind)
    for index in facts.indices().values():
        yield from index.nearest(name)


def value_cells(facts: Facts, value: Value) -> dict[str, Any]:
    """A value with its source spelled out, without what is empty."""
    source = facts.sources.get(value.source)
    cells = value.model_dump(exclude_none=True)
    cells["best"] = None if math.isnan(value.best) else value.best
    cells["source_title"] = source.title if source else ""
    cells["recalled"] = bool(source and source.recalled)
    cells["rumour"] = value.rumour
    return {name: cell for name, cell in cells.items() if cell not in _EMPTY}


def describe(facts: Facts, name: str, kept: Container[str] | None = None) -> dict[str, Any]:
    """The record that `name` means and all that hangs on it; of its facts those whose ids are `kept` (None for all).

    Keys: `kind`, `title`, `record`, `values` (quantity to values, preferred first), `derived` and `timeline` of a chip,
    `names` of a product, `facts`, `prices`, `systems`, `products`, `events`, `conflicts`, `overrides`, `sources`; empty
    ones are left out. Raises what `find` raises.
    """
    kind, record = find(facts, name)
    identifier = record.id
    skipped = {*CHIP_UNITS, *SYSTEM_UNITS, "values"} if isinstance(record, Chip | System) else {"value"}
    page: dict[str, Any] = {"kind": kind, "record": _cells(record, skipped)}
    if isinstance(record, Chip | System):
        page["values"] = {
            quantity: [value_cells(facts, value) for value in record.alternatives(quantity)]
            for quantity in record.values
        }
    if isinstance(record, Fact | Price):
        page["value"] = value_cells(facts, record.value)
    if isinstance(record, Measure | Fact):
        page["title"] = (record if isinstance(record, Measure) else facts.measures[record.measure]).titled(language())
    if isinstance(record, Chip):
        page["derived"] = derived_cells(facts, record)
        page["timeline"] = timeline(record)
    if isinstance(record, Chip | System | LanguageModel):
        page["names"] = [_name_cells(name) for name in facts.names.about(kind, identifier)]
    about = _slug_of(facts, record) if isinstance(record, Country) else identifier
    page["systems"] = [_brief(system) for system in where(facts.systems, ("chip",), identifier)]
    if isinstance(record, System):
        page["chip"] = _brief(facts.chips[record.chip]) if record.chip in facts.chips else {"id": record.chip}
    tables: tuple[Mapping[str, Chip | System | LanguageModel], ...] = (facts.chips, facts.systems, facts.models)
    page["products"] = [_brief(made) for table in tables for made in where(table, ("maker",), identifier)]
    found = _about(facts, about) if not isinstance(record, Measure) else _measured(facts, identifier)
    page["facts"] = [fact_cells(facts, fact) for fact in found if kept is None or fact.id in kept]
    page["prices"] = [
        price_cells(facts, price) for price in where(facts.prices, ("item_id", "provider_id"), identifier)
    ]
    page["events"] = [event.model_dump() for event in facts.events.values() if about in event.actor_ids]
    page["conflicts"] = [conflict_cells(facts, conflict) for conflict in facts.conflicts_about(about)]
    if isinstance(record, Conflict):
        page["conflicts"] = [conflict_cells(facts, record)]
    page["overrides"] = [o.text for o in facts.overrides if o.id == identifier or o.id.startswith(f"{identifier}.")]
    page["sources"] = _cited(facts, page)
    return {key: part for key, part in page.items() if part not in ([], {})}


def derived_cells(facts: Facts, chip: Chip) -> dict[str, Any]:
    """Numbers that follow from the chip's others: performance density, interconnect, computing dies, latest price."""
    density = performance_density(chip)
    found = {
        "interconnect_gbs": interconnect(chip),
        "compute_dies": compute_dies(chip),
        "compute_die_mm2": compute_die_area(chip),
        "price_now_usd": chip.price(),
    }
    cells: dict[str, Any] = {} if density is None else {"performance_density": round(density, 4)}
    return cells | {name: value_cells(facts, value) for name, value in found.items() if value is not None}


def _name_cells(name: Name) -> dict[str, str]:
    cells = {"name": name.name, "language": name.language, "flag": name.flag, "also": name.also}
    return {key: cell for key, cell in cells.items() if cell}


def _about(facts: Facts, identifier: str) -> list[Fact]:
    found = where(facts.facts, ("entity", "item_id"), identifier)
    order = {name: place for place, name in enumerate(facts.measures)}
    return sorted(found, key=lambda fact: (order[fact.measure], fact.item_id, fact.start, fact.end))


def _measured(facts: Facts, measure: str) -> list[Fact]:
    found = where(facts.facts, ("measure",), measure)
    return sorted(found, key=lambda fact: (fact.entity, fact.item_id, fact.start, fact.end))


def _slug_of(facts: Facts, country: Country) -> str:
    home = (e.id for e in facts.entities.values() if e.kind == "country" and e.country == country.alpha2)
    return next(home, country.alpha2)


def _cells(record: Anything, skipped: Iterable[str]) -> dict[str, Any]:
    cells = record.model_dump(exclude=set(skipped))
    origin = cells.pop("origin")
    return {**{name: cell for name, cell in cells.items() if cell not in _EMPTY}, "origin": origin}


_EMPTY: tuple[Any, ...] = ("", None, (), {}, date.max)


def _brief(record: Chip | System | LanguageModel) -> dict[str, Any]:
    number = {"n_chips": record.n_chips} if isinstance(record, System) else {}
    return {"id": record.id, "name": record.name, "release": record.release, **number}


def fact_cells(facts: Facts, fact: Fact) -> dict[str, Any]:
    """A fact with its value spelled out."""
    return {
        **_cells(fact, {"value"}),
        "kind": facts.measures[fact.measure].kind,
        "title": facts.measures[fact.measure].titled(language()),
        "when": fact.when,
        "known_by": fact.known_by,
        "rumour": fact.rumour,
        "value": value_cells(facts, fact.value),
    }


def price_cells(facts: Facts, price: Price) -> dict[str, Any]:
    """A price with its value spelled out."""
    return {**_cells(price, {"value"}), "value": value_cells(facts, price.value)}


def conflict_cells(facts: Facts, conflict: Conflict) -> dict[str, Any]:
    """A conflict whose sides say whether they rest on a rumour."""
    sides = [{**side.model_dump(), "rumour": any(map(facts.rumoured, side.facts))} for side in conflict.values]
    return {**_cells(conflict, {"values"}), "values": sides}


def _cited(facts: Facts, page: Mapping[str, Any]) -> dict[str, Any]:
    cited: set[str] = set()

    def walk(part: Any) -> None:
        if isinstance(part, Mapping):
            if isinstance(part.get("source"), str):
                cited.add(part["source"])
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list | tuple):
            for inner in part:
                walk(inner)

    walk(page)
    return {key: _cells(facts.sources[key], ()) for key in sorted(cited) if key in facts.sources}


def schema() -> dict[str, Any]:
    """The JSON Schema of every kind of record and the columns of every file of a facts directory."""
    from chipweir.facts._layers import SCHEMAS, VALUE_SCHEMAS

    models = (Source, Chip, System, LanguageModel, Entity, Country, Measure, Fact, Event, Price, Conflict, Value)
    tables = {**SCHEMAS, **{f"{name}_values": table for name, table in VALUE_SCHEMAS.items()}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Records of a Chipweir facts directory",
        "files": {
            file: {"key": table.key, "columns": [*table.columns, "override"], "required": list(table.required)}
            for table in tables.values()
            for file in table.files
        },
        "$defs": {model.__name__: model.model_json_schema(ref_template="#/$defs/{model}") for model in models},
    }
