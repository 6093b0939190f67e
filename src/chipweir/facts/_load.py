"""Loading: the shipped files first, the user's own over them, every record with the place it came from."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from chipweir.errors import InputError, UnknownName
from chipweir.facts._control import with_derived
from chipweir.facts._facts import Facts, rank
from chipweir.facts._lazy import Deferred, Shelf
from chipweir.facts._names import Index, NameLine, Names
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
    Name,
    Override,
    Price,
    Record,
    Source,
    System,
    Value,
)
from chipweir.facts._tables import Row, build, flag, layers, line_of, read_csv, read_yaml, refuse_unknown_files
from chipweir.facts._units import UnitRule, factor


SHIPPED = Path(__file__).parent / "data"
VALUE_COLUMNS = ("low", "central", "high", "unit", "published", "source", "url", "cls", "confidence", "note")
NATURES = {
    "forecast": "forecast", "plan": "plan", "target": "target", "guidance": "guidance", "guided": "guidance",
    "claim": "claim", "prior": "prior",
}  # fmt: skip
NAME_COLUMNS = ("en", "ko", "zh")
_HANGUL, _HAN = re.compile(r"[\uac00-\ud7a3]"), re.compile(r"[\u4e00-\u9fff]")
AnyRecord = TypeVar("AnyRecord", bound=Record)


@dataclass
class Line:
    """A row of a table and where it stands."""

    path: Path
    place: str
    row: Row


@dataclass
class Table:
    """The lines of one table after all layers were laid over one another, and the lines that were replaced."""

    lines: dict[str, Line] = field(default_factory=dict)
    replaced: dict[str, Line] = field(default_factory=dict)


@dataclass(frozen=True)
class Schema:
    """Columns of a CSV table: the key by which lines override one another, the columns known and those required."""

    file: str
    key: str
    columns: tuple[str, ...]
    required: tuple[str, ...]


def _fields(model: type[BaseModel], *without: str) -> tuple[str, ...]:
    return tuple(name for name in model.model_fields if name not in ("origin", "values", *without))


SCHEMAS = {
    "sources": Schema("sources.csv", "id", _fields(Source), ("id",)),
    "chips": Schema("chips.csv", "id", (*_fields(Chip, *CHIP_UNITS), "data_centre"), ("id",)),
    "systems": Schema("systems.csv", "id", _fields(System, *SYSTEM_UNITS), ("id",)),
    "models": Schema("models.csv", "id", _fields(LanguageModel), ("id",)),
    "entities": Schema("entities.csv", "id", (*NAME_COLUMNS, *_fields(Entity, "names")), ("id",)),
    "countries": Schema("countries.csv", "alpha2", (*NAME_COLUMNS, *_fields(Country, "names")), ("alpha2",)),
    "facts": Schema("facts.csv", "id", (*_fields(Fact, "value"), *VALUE_COLUMNS), ("id",)),
    "rates": Schema("exchange_rates.csv", "id", (*_fields(Fact, "value"), *VALUE_COLUMNS), ("id",)),
    "events": Schema("events.csv", "id", _fields(Event), ("id",)),
    "prices": Schema("prices.csv", "id", (*_fields(Price, "value"), *VALUE_COLUMNS), ("id",)),
    "units": Schema("units.csv", "written", ("written", "unit", "factor"), ("written", "unit", "factor")),
}
_VALUED = ("quantity", "as_of", "preferred", *VALUE_COLUMNS)
NAMES = Schema("names.csv", "name", _fields(Name), ("kind", "id", "name"))
VALUE_SCHEMAS = {
    "chips": Schema("chip_values.csv", "chip", ("chip", *_VALUED), ("chip", "quantity", "unit", "source")),
    "systems": Schema("system_values.csv", "system", ("system", *_VALUED), ("system", "quantity", "unit", "source")),
}
YAML_FILES = ("conflicts.yaml", "exceptions.yaml")
FILES = (*(schema.file for schema in (*SCHEMAS.values(), NAMES, *VALUE_SCHEMAS.values())), *YAML_FILES)


def load(extra: Sequence[Path | str] = ()) -> Facts:
    """The shipped facts with the directories in `extra` laid over them, later ones on top.

    A line whose id is already known must be the same line or say `override = yes`; it then replaces the cells it fills,
    and both stand in `Facts.overrides`. A value of a quantity already known is added beside it, and wins only with
    `preferred = yes`. Without `extra` the facts `in_force`. Raises `InputError` with file and line for anything that
    cannot be read.
    """
    return _load(tuple(Path(directory) for directory in extra)) if extra else _IN_FORCE.get() or _shipped()


_IN_FORCE: ContextVar[Facts | None] = ContextVar("facts in force", default=None)


@contextmanager
def in_force(known: Facts) -> Iterator[Facts]:
    """Within the block, rooms that are given a name and no facts (`rules.classify`, `perf.estimate`) read `known`."""
    token = _IN_FORCE.set(known)
    try:
        yield known
    finally:
        _IN_FORCE.reset(token)


@lru_cache(maxsize=4)
def _shipped() -> Facts:
    return _read([SHIPPED])


def _load(extra: tuple[Path, ...]) -> Facts:
    return _read(layers(extra, SHIPPED)) if extra else _shipped()


def _read(directories: Sequence[Path]) -> Facts:
    """All tables of `directories`. The shipped ones are read when first asked for, a user's own at once."""
    for directory in directories[1:]:
        refuse_unknown_files(directory, FILES)
    layered = len(directories) > 1
    tables: dict[str, Callable[[], Table]] = {
        name: cache(partial(_table, schema, directories)) for name, schema in SCHEMAS.items()
    }
    names = Names(cache(partial(_name_lines, directories)))
    if layered:
        names.check()
    tables["prices"] = cache(partial(_with_models, tables["prices"], tables["models"], names))
    units = Deferred(lambda: _unit_rules(tables["units"]()))
    overrides: list[Override] = []

    def records(name: str, make: Callable[[Line], AnyRecord]) -> Mapping[str, AnyRecord]:
        if not layered:
            return Shelf(lambda: tables[name]().lines, make)
        table = tables[name]()
        made = {key: make(line) for key, line in table.lines.items()}
        overrides.extend(
            Override(kind=name.removesuffix("s"), id=key, replaced=make(old), by=made[key])
            for key, old in table.replaced.items()
        )
        return made

    def plain(model: type[AnyRecord], kind: str = "") -> Callable[[Line], AnyRecord]:
        return lambda line: build(model, names.added(kind, _plain(line)), line.path, line.place)

    def named(model: type[AnyRecord], kind: str) -> Callable[[Line], AnyRecord]:
        return lambda line: _with_names(model, line, names, kind)

    sources = records("sources", plain(Source))
    values = _Values(units, sources, overrides, names)
    chips = records("chips", values.reader("chips", directories, Chip, CHIP_UNITS))
    systems = records("systems", values.reader("systems", directories, System, SYSTEM_UNITS))
    models = records("models", plain(LanguageModel, "model"))
    countries = records("countries", named(Country, "country"))
    facts, rates = records("facts", values.fact), records("rates", values.fact)
    entities = records("entities", named(Entity, "entity"))
    products = {"chip": tables["chips"], "system": tables["systems"], "model": tables["models"]}
    conflicts: Mapping[str, Conflict] = (
        _conflicts(directories, overrides) if layered else Deferred(lambda: _conflicts(directories, []))
    )
    owners = {"chips": chips, "systems": systems}
    unattached = values.unattached(owners) if layered else Deferred(lambda: values.unattached(owners))
    return Facts(
        chips=chips,
        systems=systems,
        models=models,
        entities=Deferred(lambda: _all_entities(entities, countries, products, names)),
        countries=countries,
        facts=_joined(facts, rates),
        events=records("events", plain(Event)),
        prices=records("prices", values.price),
        sources=sources,
        conflicts=conflicts,
        units=units,
        names=names,
        spellings=Deferred(lambda: {name: _spellings(table, name, names) for name, table in products.items()}),
        unattached=unattached,
        exceptions=_exceptions(directories),
        overrides=tuple(overrides),
        files=tuple(str(path) for path in _paths(directories)),
        digest=_digest(directories),
    )


def _table(schema: Schema, directories: Sequence[Path]) -> Table:
    table = Table()
    for layer, directory in enumerate(directories):
        path = directory / schema.file
        if not path.exists():
            continue
        here: dict[str, str] = {}
        for place, row in read_csv(path, (*schema.columns, "override"), schema.required):
            key = row.get(schema.key, "")
            if not key:
                raise InputError(f"{path}:{line_of(place)}: {schema.key} is empty")
            if key in here:
                raise InputError(f"{path}:{line_of(place)}: {schema.key} '{key}' stands already in line {here[key]}")
            here[key] = line_of(place)
            replaces = flag(row, "override", path, place)
            row.pop("override", None)
            old = table.lines.get(key)
            if old is not None and row == old.row:
                continue
            _check_override(path, place, key, old, replaces)
            if old is not None:
                table.replaced[key] = old
                row = _laid_over(old.row, row)
            table.lines[key] = Line(path, _place(path, place, layer), row)
    return table


def _laid_over(old: Mapping[str, str], row: Mapping[str, str]) -> dict[str, str]:
    """The cells of `row` over those of `old`; a new description does not keep the old one's translation."""
    stale = {"description_ko"} if row.get("description", old.get("description")) != old.get("description") else set()
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


def _with_names(model: type[AnyRecord], line: Line, names: Names, kind: str) -> AnyRecord:
    cells = names.added(kind, _plain(line))
    written = {language: cells.pop(language, "") for language in NAME_COLUMNS}
    return build(model, {**cells, "names": written}, line.path, line.place)


def _name_lines(directories: Sequence[Path]) -> list[NameLine]:
    """Every line of every `names.csv`; a user's own add to the shipped ones."""
    found = []
    for layer, directory in enumerate(directories):
        path = directory / NAMES.file
        if path.exists():
            for place, row in read_csv(path, NAMES.columns, NAMES.required):
                found.append(NameLine(path, _place(path, place, layer), row))
    return found


def _joined(one: Mapping[str, AnyRecord], other: Mapping[str, AnyRecord]) -> Mapping[str, AnyRecord]:
    """Both tables as one; the lines of the second follow those of the first."""
    if isinstance(one, Shelf) and isinstance(other, Shelf):
        return Shelf(lambda: {**one.lines, **other.lines}, one.make)
    return {**one, **other}


def _with_models(prices: Callable[[], Table], models: Callable[[], Table], names: Names) -> Table:
    """The table of prices with the language model that an item names, where its line does not say which it is."""
    table = prices()
    index = Index("language model", _spellings(models, "model", names))

    def known(line: Line) -> Line:
        row = line.row
        if row.get("kind") != "api" or "item_id" in row:
            return line
        found = index.candidates(row.get("item", "").removesuffix("(thinking)"))
        return replace(line, row={**row, "item_id": found[0]}) if len(found) == 1 else line

    return Table({key: known(line) for key, line in table.lines.items()}, table.replaced)


def _spellings(table: Callable[[], Table], kind: str, names: Names) -> list[tuple[str, tuple[str, ...]]]:
    """For each record of a table of products the names it goes by, without making the records."""
    return [
        (key, (line.row.get("name", ""), *_split(line.row.get("aliases", "")), *names.of(kind, key)))
        for key, line in table().lines.items()
    ]


def _unit_rules(table: Table) -> dict[str, UnitRule]:
    rules = {}
    for key, line in table.lines.items():
        number = _number(line, "factor")
        if number is None or number <= 0:
            raise InputError(f"{line.path}:{line_of(line.place)}: factor must be a number above zero")
        unit = line.row.get("unit", "")
        rules[key] = UnitRule(key, "" if unit == "1" else unit, number)
    return rules


def _number(line: Line, column: str) -> float | None:
    text = line.row.get(column)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number != number or number in (float("inf"), float("-inf")):
        raise InputError(f"{line.path}:{line_of(line.place)}: {column}: '{text}' is not a finite number")
    return number


class _Values:
    """Reads values: normalises units, keeps the source's own number, remembers what was overridden."""

    def __init__(
        self, units: Mapping[str, UnitRule], sources: Mapping[str, Source], overrides: list[Override], names: Names
    ) -> None:
        self.units, self.sources, self.overrides, self.names = units, sources, overrides, names
        self.tables: dict[str, tuple[Callable[[], dict[str, list[tuple[int, Line]]]], Mapping[str, str], int]] = {}

    def value(self, line: Line, unit: str | None = None, as_of: str = "") -> Value:
        """The value on `line`: in `unit` where one is wanted and can measure it, else in the canonical unit."""
        row = line.row
        numbers = {column: _number(line, column) for column in ("low", "central", "high")}
        if all(number is None for number in numbers.values()) and row.get("unit") != "text":
            raise InputError(f"{line.path}:{line_of(line.place)}: no number: fill low, central or high")
        written = row.get("unit", "")
        rule = self.units.get(written)
        scale, canonical = (rule.factor, rule.unit) if rule else (1.0, written)
        if unit is not None and canonical != unit:
            exact = factor(written, unit, self.units)
            scale, canonical = (exact, unit) if exact is not None else (scale, canonical)
        source = self.sources.get(row.get("source", ""))
        data = {
            **{column: None if number is None else number * scale for column, number in numbers.items()},
            "unit": canonical,
            "as_of": as_of or row.get("as_of", ""),
            "published": row.get("published", source.published if source else ""),
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
        grouped = cache(partial(self._grouped, VALUE_SCHEMAS[name], directories, wanted))
        self.tables[name] = grouped, wanted, len(directories)
        kind = name.removesuffix("s")

        def make(line: Line) -> AnyRecord:
            known = self._of(line.row["id"], *self.tables[name])
            found = with_derived(known) if model is Chip else {quantity: tuple(v) for quantity, v in known.items()}
            best = {quantity: _measuring(values, wanted[quantity]) for quantity, values in found.items()}
            cells = self.names.added(kind, _plain(line))
            return build(model, {**cells, **best, "values": found}, line.path, line.place)

        return make

    def _grouped(
        self, schema: Schema, directories: Sequence[Path], wanted: Mapping[str, str]
    ) -> dict[str, list[tuple[int, Line]]]:
        """The lines of the value table by chip or system, each with the layer it stands in."""
        found: dict[str, list[tuple[int, Line]]] = defaultdict(list)
        stated: set[frozenset[tuple[str, str]]] = set()
        for layer, directory in enumerate(directories):
            path = directory / schema.file
            if not path.exists():
                continue
            for place, row in read_csv(path, schema.columns, schema.required):
                if row.get("quantity", "") not in wanted:
                    raise UnknownName("quantity", row.get("quantity", ""), wanted, where=f"{path}:{line_of(place)}")
                if len(directories) > 1:
                    said = frozenset(row.items())
                    if layer and said in stated:
                        continue
                    stated.add(said)
                found[row.get(schema.key, "")].append((layer, Line(path, _place(path, place, layer), row)))
        return dict(found)

    def _of(
        self,
        owner: str,
        grouped: Callable[[], dict[str, list[tuple[int, Line]]]],
        wanted: Mapping[str, str],
        layers: int,
    ) -> dict[str, list[Value]]:
        """The values of one chip or system by quantity, best first."""
        stacked: dict[str, list[list[Value]]] = {}
        for layer, line in grouped().get(owner, ()):
            quantity = line.row["quantity"]
            stacked.setdefault(quantity, [[] for _ in range(layers)])[layer].append(self.value(line, wanted[quantity]))
        return {quantity: self._settle(f"{owner}.{quantity}", stack) for quantity, stack in stacked.items()}

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

    def unattached(self, owners: Mapping[str, Mapping[str, object]]) -> Mapping[str, tuple[Value, ...]]:
        """Values whose chip or system does not exist."""
        return {
            f"{owner}.{quantity}": tuple(found)
            for name, table in self.tables.items()
            for owner in table[0]()
            if owner not in owners[name]
            for quantity, found in self._of(owner, *table).items()
        }

    def fact(self, line: Line) -> Fact:
        """A fact; its nature is read from the end of the quantity's name where no column gives it."""
        row = dict(line.row)
        quantity, nature = split_nature(row.get("quantity", ""))
        if "nature" not in row:
            row["quantity"], row["nature"] = quantity, nature
        value = self.value(line, as_of=row.get("period", ""))
        return build(Fact, {**_without_value(row), "value": value, "origin": line.place}, line.path, line.place)

    def price(self, line: Line) -> Price:
        """A price."""
        value = self.value(line, as_of=line.row.get("valid_from") or line.row.get("listed", ""))
        return build(Price, {**_without_value(line.row), "value": value, "origin": line.place}, line.path, line.place)


def _measuring(found: Sequence[Value], unit: str) -> Value | None:
    return next((value for value in found if value.unit == unit), None)


def _without_value(row: Row) -> dict[str, Any]:
    return {name: cell for name, cell in row.items() if name not in VALUE_COLUMNS}


def _reported(row: Row) -> str:
    low, central, high = (row.get(column, "") for column in ("low", "central", "high"))
    span = f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}" if high else ""
    numbers = f"{central} ({span})" if central and span else central or span
    return f"{numbers} {row.get('unit', '')}".strip()


def split_nature(quantity: str) -> tuple[str, str]:
    """A quantity's name without the ending that tells a forecast from an observation, and the nature it tells."""
    words = quantity.split("_")
    last = len(words) - 1 - (words[-1] in ("revised", "total"))
    if last > 0 and words[last] in NATURES:
        return "_".join(words[:last] + words[last + 1 :]), NATURES[words[last]]
    return quantity, "plan" if words[0] == "planned" else "observation"


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
    for kind, table in products.items():
        for key, line in table().lines.items():
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


def _digest(directories: Sequence[Path]) -> str:
    whole = hashlib.sha256()
    for path in _paths(directories):
        content = path.read_bytes()
        whole.update(f"{path.name}:{len(content)}\n".encode())
        whole.update(content)
    return whole.hexdigest()
