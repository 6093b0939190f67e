"""Loading: the shipped files first, the user's own over them, every record with the place it came from.

With a day, rows known only later are left out before anything is laid over anything, so that no later row can change
what is returned as of that day.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import date
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar, cast

from chipweir.errors import InputError
from chipweir.facts._calendars import CHOICES, Calendar, Naming, Rule
from chipweir.facts._facts import Facts
from chipweir.facts._known import as_known, by_table, conflicts_known, known_by
from chipweir.facts._layers import (
    FILES,
    NAME_COLUMNS,
    NAMES,
    SCHEMAS,
    VALUE_SCHEMAS,
    Table,
    documents,
    name_lines,
    table,
)
from chipweir.facts._lazy import Deferred, Shelf
from chipweir.facts._names import Index, NameLine, Names
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
    LanguageModel,
    Override,
    Record,
    Source,
    System,
)
from chipweir.facts._rows import FactRows, measure
from chipweir.facts._tables import Line, build, layers, line_of, number, refuse_unknown_files
from chipweir.facts._units import UnitRule
from chipweir.facts._values import Values


SHIPPED = Path(__file__).parent / "data"
PRODUCTS = (("chip", "chips"), ("system", "systems"), ("model", "models"))
_HANGUL, _HAN = re.compile(r"[\uac00-\ud7a3]"), re.compile(r"[\u4e00-\u9fff]")
AnyRecord = TypeVar("AnyRecord", bound=Record)
AnyPart = TypeVar("AnyPart")
Tables = Mapping[str, Callable[[], Table]]


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
    Without directories and day the facts `in_force`. Raises `InputError` with file and line for anything that cannot be
    read, `UnknownName` for a change of nothing.
    """
    given = [one for part in extra for one in ([part] if isinstance(part, Path | str) else part)]
    directories = tuple(Path(directory) for directory in given)
    day = None if as_of is None else period(as_of).end
    if directories:
        found = _read(layers(directories, SHIPPED), day)
    else:
        found = (_IN_FORCE.get() if day is None else None) or _shipped(day)
    if not changes:
        return found
    from chipweir.facts._changes import changed

    return changed(found, changes)


_IN_FORCE: ContextVar[Facts | None] = ContextVar("facts in force", default=None)


@contextmanager
def in_force(known: Facts) -> Iterator[Facts]:
    """Within the block, rooms that are given a name and no facts (`rules.classify`, `perf.estimate`) read `known`."""
    token = _IN_FORCE.set(known)
    try:
        yield known
    finally:
        _IN_FORCE.reset(token)


@lru_cache(maxsize=8)
def _shipped(day: date | None) -> Facts:
    return _read([SHIPPED], day)


@cache
def calendars() -> Mapping[str, Calendar]:
    """The shipped fiscal calendars by entity."""
    return _calendars(table(SCHEMAS["calendars"], [SHIPPED]))


def _calendars(lines: Table) -> dict[str, Calendar]:
    return {key: _calendar(line) for key, line in lines.lines.items()}


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
    """All tables of `directories`. Those that only ship are read when first asked for, those with a user's own at once."""
    for directory in directories[1:]:
        refuse_unknown_files(directory, FILES)
    own = _own(directories[1:])
    tables: dict[str, Callable[[], Table]] = {}
    overrides: list[Override] = []

    def records(name: str, make: Callable[[Line], AnyRecord]) -> Mapping[str, AnyRecord]:
        if name not in own:
            return Shelf(lambda: tables[name]().lines, make)
        laid = tables[name]()
        made = {key: make(line) for key, line in laid.lines.items()}
        overrides.extend(
            Override(kind=name.removesuffix("s"), id=key, replaced=make(old), by=made[key])
            for key, old in laid.replaced.items()
        )
        return made

    def plain(model: type[AnyRecord]) -> Callable[[Line], AnyRecord]:
        return lambda line: build(model, _plain(line), line.path, line.place)

    def named(model: type[AnyRecord], kind: str) -> Callable[[Line], AnyRecord]:
        return lambda line: _with_names(model, line, names, kind)

    def whole(name: str, compute: Callable[[], Mapping[str, AnyPart]]) -> Mapping[str, AnyPart]:
        return compute() if name in own else Deferred(compute)

    tables["sources"] = cache(partial(table, SCHEMAS["sources"], directories))
    sources = records("sources", plain(Source))
    names = Names(cache(lambda: _names(directories, tables, day)))
    units = Deferred(lambda: _unit_rules(tables["units"]()))
    values = Values(units, sources, overrides, names, directories, day)
    readers = values.reader("chips", Chip, CHIP_UNITS), values.reader("systems", System, SYSTEM_UNITS)
    dates = {**by_table(sources), "chips": values.dated("chips"), "systems": values.dated("systems")}
    for name, schema in SCHEMAS.items():
        tables.setdefault(name, cache(partial(table, schema, directories, dates.get(name), day)))
    products = {kind: tables[name] if day is None else _spoken_of(name, directories, tables) for kind, name in PRODUCTS}
    tables["prices"] = cache(partial(_with_models, tables["prices"], tables["models"], names))
    if "names" in own:
        names.check()
    if "units" in own:
        len(units)
    measures = records("measures", measure)
    entities, countries = records("entities", named(Entity, "entity")), records("countries", named(Country, "country"))
    reader = FactRows(values.value, measures, whole("calendars", lambda: _calendars(tables["calendars"]())), entities)
    chips, systems = records("chips", readers[0]), records("systems", readers[1])
    loaded = Facts(
        chips=chips,
        systems=systems,
        models=records("models", lambda line: _model(line, names)),
        entities=Deferred(lambda: _all_entities(entities, countries, products, names)),
        countries=countries,
        facts=records("facts", reader.fact),
        measures=measures,
        calendars=reader.calendars,
        events=records("events", plain(Event)),
        prices=records("prices", values.price),
        sources=sources,
        conflicts=whole("conflicts", lambda: _conflicts(directories, overrides)),
        units=units,
        names=names,
        spellings=Deferred(lambda: {kind: _spellings(tables[name], kind, names) for kind, name in PRODUCTS}),
        unattached=whole("values", lambda: values.unattached({"chips": chips, "systems": systems})),
        exceptions=_exceptions(directories),
        overrides=tuple(overrides),
        files=tuple(str(path) for path in _paths(directories)),
        digest=_digest(directories, day),
    )
    return loaded if day is None else _as_of(loaded, day)


def _own(directories: Sequence[Path]) -> frozenset[str]:
    """The tables that the files in `directories` speak of."""
    files = {path.name for directory in directories for path in directory.iterdir()}
    own = {name for name, schema in SCHEMAS.items() if files.intersection(schema.files)}
    valued = {name for name, schema in VALUE_SCHEMAS.items() if files.intersection(schema.files)}
    others = {"names": NAMES.file, "conflicts": "conflicts.yaml"}
    own |= {name for name, file in others.items() if file in files} | valued
    return frozenset(own | ({"values"} if valued else set()))


def _names(directories: Sequence[Path], tables: Tables, day: date | None) -> list[NameLine]:
    """The lines of the index of names; with a day those of what was known by then."""
    lines = name_lines(directories)
    if day is None:
        return lines
    there = {kind: tables[name]().lines for kind, name in PRODUCTS}
    return [line for line in lines if line.row.get("id") in there.get(line.row.get("kind", ""), (line.row.get("id"),))]


def _spoken_of(name: str, directories: Sequence[Path], tables: Tables) -> Callable[[], Table]:
    """The table of a kind of product with those of later days that a fact or price of the day names all the same."""
    facts, prices = tables["facts"], tables["prices"]

    @cache
    def spoken() -> Table:
        named = {line.row.get(column) for line in facts().lines.values() for column in ("entity", "item_id")}
        named |= {line.row.get("item_id") for line in prices().lines.values()}
        every, known = table(SCHEMAS[name], directories).lines, tables[name]().lines
        return Table({key: line for key, line in every.items() if key in known or key in named})

    return spoken


def _as_of(facts: Facts, day: date) -> Facts:
    """`facts`, whose rows are those known on `day`, without the choices and sources of later days."""
    chips = {key: as_known(chip, day) for key, chip in facts.chips.items()}
    systems = {key: as_known(system, day) for key, system in facts.systems.items() if system.chip in chips}

    def known(reference: str) -> bool:
        owner, _, quantity = reference.rpartition(".")
        record = chips.get(owner) or systems.get(owner)
        named = reference in facts.facts or reference in facts.entities
        return named or (record is not None and quantity in record.values)

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
    named += [record.source for records in (facts.models, facts.events, facts.conflicts) for record in records.values()]
    return sorted(set(named))


def _plain(line: Line) -> dict[str, Any]:
    return {**line.row, "origin": line.place}


def _model(line: Line, names: Names) -> LanguageModel:
    dated = {"known_by": known_by("", line.row.get("release", ""))}
    return build(LanguageModel, {**names.added("model", _plain(line)), **dated}, line.path, line.place)


def _with_names(model: type[AnyRecord], line: Line, names: Names, kind: str) -> AnyRecord:
    cells = names.added(kind, _plain(line))
    written = {language: cells.pop(language, "") for language in NAME_COLUMNS}
    return build(model, {**cells, "names": written}, line.path, line.place)


def _with_models(prices: Callable[[], Table], models: Callable[[], Table], names: Names) -> Table:
    """The table of prices with the language model that an item names, where its line does not say which it is."""
    listed = prices()
    index = Index("language model", _spellings(models, "model", names))

    def known(line: Line) -> Line:
        row = line.row
        if row.get("kind") != "api" or "item_id" in row:
            return line
        found = index.candidates(row.get("item", "").removesuffix("(thinking)"))
        return replace(line, row={**row, "item_id": found[0]}) if len(found) == 1 else line

    return Table({key: known(line) for key, line in listed.lines.items()}, listed.replaced)


def _spellings(products: Callable[[], Table], kind: str, names: Names) -> list[tuple[str, tuple[str, ...]]]:
    """For each record of a table of products the names it goes by, without making the records."""
    return [
        (key, (line.row.get("name", ""), *_split(line.row.get("aliases", "")), *names.of(kind, key)))
        for key, line in products().lines.items()
    ]


def _unit_rules(lines: Table) -> dict[str, UnitRule]:
    rules = {}
    for key, line in lines.lines.items():
        scale = number(line, "factor")
        if scale is None or scale <= 0:
            raise InputError(f"{line.where}: factor must be a number above zero")
        unit = line.row.get("unit", "")
        rules[key] = UnitRule(key, "" if unit == "1" else unit, scale)
    return rules


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def _all_entities(
    entities: Mapping[str, Entity],
    countries: Mapping[str, Country],
    products: Mapping[str, Callable[[], Table]],
    names: Names,
) -> dict[str, Entity]:
    """The entities of their own table, the countries, and everything that has a maker.

    A product goes by the names that stand alone; those that need context are in the index of names only.
    """
    found = dict(entities)
    for country in countries.values():
        key = _slug(country.names.en)
        home, place = country.alpha2, country.origin
        made = Entity(id=key, kind="country", names=country.names, aliases=country.aliases, country=home, origin=place)
        found.setdefault(key, made)
    for kind, made_of in products.items():
        for key, line in made_of().lines.items():
            row = line.row
            spelt = (*_split(row.get("aliases", "")), *names.settled(kind, key, alone=True))
            written = EntityNames(en=row.get("name", ""), ko=_first(spelt, _HANGUL), zh=_first(spelt, _HAN))
            home = row.get("maker_country", row.get("country", ""))
            made = Entity(
                id=key,
                kind="language-model" if kind == "model" else kind,
                names=written,
                aliases=spelt,
                parent=row.get("maker", ""),
                country=home,
                origin=line.place,
            )
            found.setdefault(key, made)
    return found


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in text.split("|")) if part)


def _first(aliases: Sequence[str], script: re.Pattern[str]) -> str:
    return next((alias for alias in aliases if script.search(alias)), "")


def _conflicts(directories: Sequence[Path], overrides: list[Override]) -> dict[str, Conflict]:
    found: dict[str, Conflict] = {}
    for path, place, entry in documents(directories, "conflicts.yaml"):
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
    for path, place, entry in documents(directories, "exceptions.yaml"):
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
