"""Loading: the shipped files first, the user's own over them, every record with the place it came from.

With a day, rows known only later are left out before anything is laid over anything, so that no later row can change
what is returned as of that day.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from chipweir.errors import InputError, UnknownName
from chipweir.facts._calendars import CHOICES, COLUMNS, Calendar, Naming, Rule
from chipweir.facts._facts import Facts, rank
from chipweir.facts._known import as_known, by_table, conflicts_known, known_by, published, since
from chipweir.facts._period import period
from chipweir.facts._records import (
    CHIP_UNITS,
    SYSTEM_UNITS,
    Chip,
    Conflict,
    Country,
    Entity,
    EntityNames,
    Event,
    Fact,
    LanguageModel,
    Measure,
    Override,
    Price,
    Record,
    Source,
    System,
    Value,
)
from chipweir.facts._rows import FactRows, measure
from chipweir.facts._tables import (
    VALUE_COLUMNS,
    Line,
    Row,
    build,
    flag,
    layers,
    line_of,
    number,
    read_csv,
    read_yaml,
    refuse_unknown_files,
    without_value,
)
from chipweir.facts._units import UnitRule, factor


SHIPPED = Path(__file__).parent / "data"
NAME_COLUMNS = ("en", "ko", "zh")
WORD_COLUMNS = ("title", "title_ko", "definition", "definition_ko", *NAME_COLUMNS)
_HANGUL, _HAN = re.compile(r"[\uac00-\ud7a3]"), re.compile(r"[\u4e00-\u9fff]")
AnyRecord = TypeVar("AnyRecord", bound=Record)


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
    "chips": Schema("chips.csv", "id", _fields(Chip, *CHIP_UNITS), ("id",)),
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
_VALUED = ("quantity", "as_of", "preferred", *VALUE_COLUMNS)
VALUE_SCHEMAS = {
    "chips": Schema("chip_values.csv", "chip", ("chip", *_VALUED), ("chip", "quantity", "unit", "source")),
    "systems": Schema("system_values.csv", "system", ("system", *_VALUED), ("system", "quantity", "unit", "source")),
}
YAML_FILES = ("conflicts.yaml", "exceptions.yaml")
FILES = (*(file for schema in (*SCHEMAS.values(), *VALUE_SCHEMAS.values()) for file in schema.files), *YAML_FILES)


def load(
    *extra: Path | str | Sequence[Path | str],
    as_of: str | date | None = None,
    changes: Mapping[str, str] | None = None,
) -> Facts:
    """The shipped facts with the directories in `extra` laid over them, later ones on top.

    A line whose id is already known must be the same line or say `override = yes`; it then replaces the cells it fills,
    and both stand in `Facts.overrides`. A value of a quantity already known is added beside it, and wins only with
    `preferred = yes`. `as_of` leaves out everything known later than the last day it names. `changes` lays what-ifs
    over facts, values (`chip.quantity`) and prices: a number in the unit of the row, `90000 USD`, `x1.5`, `+10%`.
    Raises `InputError` with file and line for anything that cannot be read, `UnknownName` for a change of nothing.
    """
    given = [one for part in extra for one in ([part] if isinstance(part, Path | str) else part)]
    directories = tuple(Path(directory) for directory in given)
    day = None if as_of is None else period(as_of).end
    found = _read(layers(directories, SHIPPED), day) if directories else _shipped(day)
    if not changes:
        return found
    from chipweir.facts._changes import changed

    return changed(found, changes)


@lru_cache(maxsize=8)
def _shipped(day: date | None) -> Facts:
    return _read([SHIPPED], day)


@cache
def calendars() -> Mapping[str, Calendar]:
    """The shipped fiscal calendars by entity."""
    return _calendars(_table(SCHEMAS["calendars"], [SHIPPED]))


def _calendars(table: Table) -> dict[str, Calendar]:
    return {key: _calendar(line) for key, line in table.lines.items()}


def _calendar(line: Line) -> Calendar:
    """The fiscal calendar on `line`; what is wrong with it is one line with file and row."""
    row, where = line.row, line.where
    for column, known in CHOICES.items():
        if row.get(column, known[0]) not in known:
            raise InputError(f"{where}: {column}: '{row[column]}' is none of {', '.join(filter(None, known))}")
    if (row["rule"] == "month-end") == ("weekday" in row):
        raise InputError(f"{where}: a month-end calendar has no weekday, any other has one")
    month, quarter = number(line, "month") or 0, number(line, "long_quarter") or 4
    if month not in range(1, 13) or quarter not in range(1, 5):
        raise InputError(f"{where}: month is 1 to 12 and long_quarter 1 to 4")
    rule, naming = cast("Rule", row["rule"]), cast("Naming", row.get("named_by", "end"))
    return Calendar(row["entity"], rule, int(month), row.get("weekday", ""), int(quarter), naming)


def _read(directories: Sequence[Path], day: date | None = None) -> Facts:
    for directory in directories[1:]:
        refuse_unknown_files(directory, FILES)
    overrides: list[Override] = []

    def records(table: Table, name: str, make: Callable[[Line], AnyRecord]) -> dict[str, AnyRecord]:
        made = {key: make(line) for key, line in table.lines.items()}
        overrides.extend(
            Override(kind=name.removesuffix("s"), id=key, replaced=make(old), by=made[key])
            for key, old in table.replaced.items()
        )
        return made

    sources = records(
        _table(SCHEMAS["sources"], directories),
        "sources",
        lambda line: build(Source, _plain(line), line.path, line.place),
    )
    dates = by_table(sources)
    tables = {
        name: _table(schema, directories, dates.get(name), day) for name, schema in SCHEMAS.items() if name != "sources"
    }
    units = _unit_rules(tables["units"])
    measures = records(tables["measures"], "measures", measure)
    entities = records(tables["entities"], "entities", lambda line: _with_names(Entity, line))
    values = _Values(units, sources, overrides, day)
    reader = FactRows(values.value, measures, _calendars(tables["calendars"]), entities)
    chips = records(tables["chips"], "chips", values.reader("chips", directories, Chip, CHIP_UNITS))
    systems = records(tables["systems"], "systems", values.reader("systems", directories, System, SYSTEM_UNITS))
    models = records(tables["models"], "models", _model)
    countries = records(tables["countries"], "countries", lambda line: _with_names(Country, line))
    loaded = Facts(
        chips=chips,
        systems=systems,
        models=models,
        entities=_all_entities(entities, countries, chips, systems, models),
        countries=countries,
        facts=records(tables["facts"], "facts", reader.fact),
        measures=measures,
        calendars=reader.calendars,
        events=records(tables["events"], "events", lambda line: build(Event, _plain(line), line.path, line.place)),
        prices=records(tables["prices"], "prices", values.price),
        sources=sources,
        conflicts=_conflicts(directories, overrides),
        units=units,
        unattached=tuple(values.unattached({"chips": chips, "systems": systems})),
        exceptions=_exceptions(directories),
        overrides=tuple(overrides),
        files=tuple(str(path) for path in _paths(directories)),
        digest=_digest(directories, day),
    )
    return loaded if day is None else _as_of(loaded, day)


def _as_of(facts: Facts, day: date) -> Facts:
    """`facts`, whose dated rows are those known on `day`, without the products, choices and sources of later days."""
    chips = {key: as_known(chip, day) for key, chip in facts.chips.items() if chip.known_by <= day}
    systems = {
        key: as_known(system, day)
        for key, system in facts.systems.items()
        if system.known_by <= day and system.chip in chips
    }
    spoken_of = {name for fact in facts.facts.values() for name in (fact.entity, fact.item_id)} | {
        price.item_id for price in facts.prices.values()
    }
    products = {*facts.chips, *facts.systems} - {*chips, *systems}
    entities = {key: entity for key, entity in facts.entities.items() if key not in products or key in spoken_of}

    def known(reference: str) -> bool:
        owner, _, quantity = reference.rpartition(".")
        record = chips.get(owner) or systems.get(owner)
        return reference in facts.facts or reference in entities or (record is not None and quantity in record.values)

    # A row whose twin is not known yet is itself the one to count.
    alone = {
        key: fact.model_copy(update={"same_as": ""})
        for key, fact in facts.facts.items()
        if fact.same_as and fact.same_as not in facts.facts
    }
    earlier = replace(
        facts,
        facts={**facts.facts, **alone},
        chips=chips,
        systems=systems,
        entities=entities,
        conflicts=conflicts_known(facts.conflicts, known, day),
        as_of=day,
    )
    return replace(earlier, sources={key: facts.sources[key] for key in _cited(earlier) if key in facts.sources})


def _cited(facts: Facts) -> list[str]:
    """The sources that some record names, in order."""
    values = [fact.value for fact in facts.facts.values()] + [price.value for price in facts.prices.values()]
    for product in (*facts.chips.values(), *facts.systems.values()):
        values += [value for found in product.values.values() for value in found]
    named = [value.source for value in values]
    named += [record.source for table in (facts.models, facts.events, facts.conflicts) for record in table.values()]
    return sorted(set(named))


def _table(
    schema: Schema,
    directories: Sequence[Path],
    known: Callable[[Row], date] | None = None,
    day: date | None = None,
) -> Table:
    """The lines of a table, those of higher layers over those of lower ones.

    With `day`, a line that `known` dates later counts as not there; what it would replace stands.
    """
    table = Table()
    lines: dict[str, Line] = {}
    for layer, directory in enumerate(directories):
        here: dict[str, str] = {}
        for path in (directory / file for file in schema.files):
            if not path.exists():
                continue
            for place, row in read_csv(path, (*schema.columns, "override"), schema.required):
                key = row.get(schema.key, "")
                if not key:
                    raise InputError(f"{path}:{line_of(place)}: {schema.key} is empty")
                if key in here:
                    raise InputError(
                        f"{path}:{line_of(place)}: {schema.key} '{key}' stands already in line {here[key]}"
                    )
                here[key] = line_of(place)
                replaces = flag(row, "override", path, place)
                row.pop("override", None)
                old = lines.get(key)
                if old is not None and row == old.row:
                    continue
                _check_override(path, place, key, old, replaces)
                if old is not None:
                    row = _laid_over(old.row, row)
                lines[key] = Line(path, _place(path, place, layer), row, layer)
                if day is None or known is None or known(row) <= day:
                    if key in table.lines:
                        table.replaced[key] = table.lines[key]
                    table.lines[key] = lines[key]
    return table


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


def _place(path: Path, place: str, layer: int) -> str:
    return place if layer == 0 else f"{path}:{line_of(place)}"


def _plain(line: Line) -> dict[str, Any]:
    return {**line.row, "origin": line.place}


def _model(line: Line) -> LanguageModel:
    dated = {"known_by": known_by("", line.row.get("release", ""))}
    return build(LanguageModel, {**_plain(line), **dated}, line.path, line.place)


def _with_names(model: type[AnyRecord], line: Line) -> AnyRecord:
    cells = _plain(line)
    names = {language: cells.pop(language, "") for language in NAME_COLUMNS}
    return build(model, {**cells, "names": names}, line.path, line.place)


def _unit_rules(table: Table) -> dict[str, UnitRule]:
    rules = {}
    for key, line in table.lines.items():
        scale = number(line, "factor")
        if scale is None or scale <= 0:
            raise InputError(f"{line.where}: factor must be a number above zero")
        unit = line.row.get("unit", "")
        rules[key] = UnitRule(key, "" if unit == "1" else unit, scale)
    return rules


class _Values:
    """Reads values: normalises units, keeps the source's own number, remembers what was overridden."""

    def __init__(
        self,
        units: Mapping[str, UnitRule],
        sources: Mapping[str, Source],
        overrides: list[Override],
        day: date | None = None,
    ) -> None:
        self.units, self.sources, self.overrides, self.day = units, sources, overrides, day
        self.known: dict[str, dict[str, dict[str, list[Value]]]] = {}

    def value(self, line: Line, unit: str | None = None, as_of: str = "", known: date | None = None) -> Value:
        """The value on `line`: in `unit` where one is wanted and can measure it, else in the canonical unit."""
        row = line.row
        numbers = {column: number(line, column) for column in ("low", "central", "high")}
        if all(bound is None for bound in numbers.values()) and row.get("unit") != "text":
            raise InputError(f"{line.where}: no number: fill low, central or high")
        written = row.get("unit", "")
        rule = self.units.get(written)
        scale, canonical = (rule.factor, rule.unit) if rule else (1.0, written)
        if unit is not None and canonical != unit:
            exact = factor(written, unit, self.units)
            scale, canonical = (exact, unit) if exact is not None else (scale, canonical)
        source = self.sources.get(row.get("source", ""))
        data = {
            **{column: None if bound is None else bound * scale for column, bound in numbers.items()},
            "unit": canonical,
            "as_of": as_of or row.get("as_of", ""),
            "published": published(row, self.sources),
            "known_by": known or known_by(published(row, self.sources), as_of, row.get("as_of", "")),
            "source": row.get("source", ""),
            "url": row.get("url", source.url if source else ""),
            "cls": row.get("cls", source.cls if source else "own"),
            "confidence": row.get("confidence", "C"),
            "note": row.get("note", ""),
            "reported": _reported(row),
            "preferred": flag(row, "preferred", line.path, line.place),
            "origin": line.place,
        }
        return build(Value, data, line.path, line.place)

    def reader(
        self, name: str, directories: Sequence[Path], model: type[AnyRecord], wanted: Mapping[str, str]
    ) -> Callable[[Line], AnyRecord]:
        """A function that makes a chip or system from its line and the values that stand in the value table."""
        known = self._grouped(VALUE_SCHEMAS[name], directories, wanted)

        self.known[name] = known

        def make(line: Line) -> AnyRecord:
            values = known.get(line.row["id"], {})
            best = {quantity: _measuring(found, wanted[quantity]) for quantity, found in values.items()}
            ordered = {quantity: tuple(found) for quantity, found in values.items()}
            dated = {"known_by": since(line.row.get("release", ""), ordered)}
            return build(model, {**_plain(line), **best, **dated, "values": ordered}, line.path, line.place)

        return make

    def _grouped(
        self, schema: Schema, directories: Sequence[Path], wanted: Mapping[str, str]
    ) -> dict[str, dict[str, list[Value]]]:
        layered: dict[str, dict[str, list[list[Value]]]] = {}
        stated: set[frozenset[tuple[str, str]]] = set()
        for layer, directory in enumerate(directories):
            path = directory / schema.file
            if not path.exists():
                continue
            for place, row in read_csv(path, schema.columns, schema.required):
                owner, quantity = row.get(schema.key, ""), row.get("quantity", "")
                if quantity not in wanted:
                    raise UnknownName("quantity", quantity, wanted, where=f"{path}:{line_of(place)}")
                said = frozenset(row.items())
                if layer and said in stated:
                    continue
                stated.add(said)
                value = self.value(Line(path, _place(path, place, layer), row, layer), wanted[quantity])
                if self.day is not None and value.known_by > self.day:
                    continue
                stacked = layered.setdefault(owner, {}).setdefault(quantity, [[] for _ in directories])
                stacked[layer].append(value)
        return {
            owner: {quantity: self._settle(f"{owner}.{quantity}", stacked) for quantity, stacked in quantities.items()}
            for owner, quantities in layered.items()
        }

    def _settle(self, name: str, stacked: list[list[Value]]) -> list[Value]:
        """The values of all layers, best first; a preferred one in a higher layer wins, the displaced is kept."""
        filled = [sorted(values, key=rank) for values in stacked if values]
        winner = filled[0][0]
        for above in filled[1:]:
            if above[0].preferred:
                self.overrides.append(Override(kind="value", id=name, replaced=winner, by=above[0]))
                winner = above[0]
        if len(filled) == 1:
            return filled[0]
        marked = [
            value.model_copy(update={"preferred": value is winner}) for values in reversed(filled) for value in values
        ]
        return sorted(marked, key=rank)

    def unattached(self, owners: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[str, Value]]:
        """Values whose chip or system does not exist."""
        for name, known in self.known.items():
            for owner, quantities in known.items():
                if owner not in owners[name]:
                    yield from (
                        (f"{owner}.{quantity}", value) for quantity, found in quantities.items() for value in found
                    )

    def price(self, line: Line) -> Price:
        """A price."""
        as_of = line.row.get("valid_from") or line.row.get("listed", "")
        value = self.value(line, as_of=as_of, known=by_table(self.sources)["prices"](line.row))
        return build(Price, {**without_value(line.row), "value": value, "origin": line.place}, line.path, line.place)


def _measuring(found: Sequence[Value], unit: str) -> Value | None:
    return next((value for value in found if value.unit == unit), None)


def _reported(row: Row) -> str:
    low, central, high = (row.get(column, "") for column in ("low", "central", "high"))
    span = f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}" if high else ""
    numbers = f"{central} ({span})" if central and span else central or span
    return f"{numbers} {row.get('unit', '')}".strip()


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def _all_entities(
    entities: Mapping[str, Entity],
    countries: Mapping[str, Country],
    chips: Mapping[str, Chip],
    systems: Mapping[str, System],
    models: Mapping[str, LanguageModel],
) -> dict[str, Entity]:
    found = dict(entities)
    for country in countries.values():
        key = _slug(country.names.en)
        home, place = country.alpha2, country.origin
        made = Entity(id=key, kind="country", names=country.names, aliases=country.aliases, country=home, origin=place)
        found.setdefault(key, made)
    products: list[tuple[str, Chip | System | LanguageModel, str]] = [
        *(("chip", chip, chip.maker_country) for chip in chips.values()),
        *(("system", system, system.country) for system in systems.values()),
        *(("language-model", model, model.country) for model in models.values()),
    ]
    for kind, product, home in products:
        names = EntityNames(en=product.name, ko=_first(product.aliases, _HANGUL), zh=_first(product.aliases, _HAN))
        made = Entity(
            id=product.id,
            kind=kind,
            names=names,
            aliases=product.aliases,
            parent=product.maker,
            country=home,
            origin=product.origin,
        )
        found.setdefault(product.id, made)
    return found


def _first(aliases: Sequence[str], script: re.Pattern[str]) -> str:
    return next((alias for alias in aliases if script.search(alias)), "")


def _documents(directories: Sequence[Path], name: str) -> list[tuple[Path, str, dict[str, Any]]]:
    entries = []
    for layer, directory in enumerate(directories):
        path = directory / name
        if not path.exists():
            continue
        for line, entry in read_yaml(path):
            entries.append((path, f"{path.name if layer == 0 else path}:{line}", entry))
    return entries


def _conflicts(directories: Sequence[Path], overrides: list[Override]) -> dict[str, Conflict]:
    found: dict[str, Conflict] = {}
    for path, place, entry in _documents(directories, "conflicts.yaml"):
        replaces = entry.pop("override", False) is True
        conflict = build(Conflict, {**entry, "origin": place}, path, place)
        old = found.get(conflict.id)
        if old is not None and conflict == old.model_copy(update={"origin": place}):
            continue
        if old is not None and not replaces:
            raise InputError(
                f"{path}: conflict '{conflict.id}' is already in {old.origin}; say override: true to replace it"
            )
        if old is not None:
            overrides.append(Override(kind="conflict", id=conflict.id, replaced=old, by=conflict))
        found[conflict.id] = conflict
    return found


def _exceptions(directories: Sequence[Path]) -> tuple[Mapping[str, str], ...]:
    found: list[Mapping[str, str]] = []
    for path, place, entry in _documents(directories, "exceptions.yaml"):
        ids = entry.get("ids")
        texts = [entry.get("check"), entry.get("reason"), *(ids if isinstance(ids, list) else [None])]
        if set(entry) != {"check", "ids", "reason"} or not all(isinstance(text, str) and text for text in texts):
            raise InputError(f"{path}:{line_of(place)}: an exception has check, ids (a list) and reason, all texts")
        found.extend({"check": entry["check"], "id": name, "reason": entry["reason"]} for name in entry["ids"])
    return tuple(found)


def _paths(directories: Sequence[Path]) -> list[Path]:
    return [path for directory in directories for name in sorted(FILES) if (path := directory / name).exists()]


def _digest(directories: Sequence[Path], day: date | None) -> str:
    whole = hashlib.sha256(b"" if day is None else f"as of {day}\n".encode())
    for path in _paths(directories):
        content = path.read_bytes()
        whole.update(f"{path.name}:{len(content)}\n".encode())
        whole.update(content)
    return whole.hexdigest()
