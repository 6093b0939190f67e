"""All that is known, held together: lookup by any name, selection, the preferred value, currencies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property, partial
from typing import overload

from chipweir.errors import UnknownName
from chipweir.facts._calendars import Calendar
from chipweir.facts._lazy import where
from chipweir.facts._names import Index, Names, Reading, Thing, form_factor, normalise, spaced
from chipweir.facts._period import Period, period
from chipweir.facts._records import (
    Chip,
    Conflict,
    Country,
    Entity,
    Event,
    Fact,
    LanguageModel,
    Measure,
    Override,
    Price,
    Source,
    System,
    Value,
)
from chipweir.facts._units import UnitRule


NATURES = ("observation", "forecast", "plan", "target", "guidance", "claim", "prior")
_CLASS_ORDER = ("official", "company", "analyst", "derived", "press", "own")


def rank(value: Value) -> tuple[int, int, int, int]:
    """Sorting key of the general rule: marked preferred, then confidence, then class, then the later publication."""
    return (0 if value.preferred else 1, "ABCD".index(value.confidence), _CLASS_ORDER.index(value.cls), -_days(value))


def _memory(chip: Chip) -> float | None:
    return None if chip.memory_gb is None else chip.memory_gb.best


def _days(value: Value) -> int:
    return int(value.published.replace("-", "").ljust(8, "0")[:8]) if value.published[:4].isdigit() else 0


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything loaded, by id.

    `overrides` lists what a user's own files and what-ifs replaced, `unattached` holds values of chips and systems that
    do not exist, `names` is the index of names, `spellings` the names of each kind of product by id; `as_of` is the day
    as of which this is what was known (None for all); `changes` are the what-ifs laid over it; `digest` is the SHA-256
    of all files, the day and the changes. Shipped tables are read when they are first looked at.
    """

    chips: Mapping[str, Chip]
    systems: Mapping[str, System]
    models: Mapping[str, LanguageModel]
    entities: Mapping[str, Entity]
    countries: Mapping[str, Country]
    facts: Mapping[str, Fact]
    measures: Mapping[str, Measure]
    calendars: Mapping[str, Calendar]
    events: Mapping[str, Event]
    prices: Mapping[str, Price]
    sources: Mapping[str, Source]
    conflicts: Mapping[str, Conflict]
    units: Mapping[str, UnitRule]
    names: Names
    spellings: Mapping[str, Sequence[tuple[str, tuple[str, ...]]]]
    unattached: Mapping[str, tuple[Value, ...]]
    exceptions: tuple[Mapping[str, str], ...] = ()
    overrides: tuple[Override, ...] = ()
    files: tuple[str, ...] = ()
    digest: str = ""
    as_of: date | None = None
    changes: Mapping[str, str] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Facts) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __getstate__(self) -> dict[str, object]:
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @cached_property
    def _chip_index(self) -> Index:
        return Index("chip", self.spellings["chip"], self.names.flagged("chip"), self._reading_of_chips)

    @cached_property
    def _system_index(self) -> Index:
        return Index("system", self.spellings["system"], self.names.flagged("system"), self._reading_of_systems)

    @cached_property
    def _model_index(self) -> Index:
        return Index("language model", self.spellings["model"], self.names.flagged("model"))

    @cached_property
    def _entity_index(self) -> Index:
        spelt = [(e.id, (e.names.en, e.names.ko, e.names.zh, *e.aliases)) for e in self.entities.values()]
        own = {e.country: e.id for e in self.entities.values() if e.kind == "country"}
        flagged = self.names.flagged("entity", "country", "chip", "system", "model")
        needing = [(own.get(name.id, name.id), (name.name,)) for name in flagged]
        return Index("entity", [*spelt, *((i, n) for i, n in needing if i in self.entities)], flagged)

    @cached_property
    def _country_index(self) -> Index:
        spelt = [
            (c.alpha2, (c.alpha3, c.names.en, c.names.ko, c.names.zh, *c.aliases)) for c in self.countries.values()
        ]
        flagged = self.names.flagged("country")
        return Index("country", [*spelt, *((name.id, (name.name,)) for name in flagged)], flagged)

    def _reading_of_chips(self) -> Reading:
        things = {
            identifier: Thing(self._owners(chip.maker), form_factor(chip), partial(_memory, chip))
            for identifier, chip in self.chips.items()
        }
        return Reading(things, self._makers)

    def _reading_of_systems(self) -> Reading:
        things = {identifier: Thing(self._owners(system.maker)) for identifier, system in self.systems.items()}
        return Reading(things, self._makers)

    def _owners(self, maker: str) -> tuple[str, ...]:
        """A maker, who owns it and what it owns: people say Baidu for Kunlunxin, and HiSilicon for Huawei."""
        parent = self.entities[maker].parent if maker in self.entities else ""
        return tuple(name for name in (maker, parent, *self._owned.get(maker, ())) if name)

    @cached_property
    def _owned(self) -> Mapping[str, Sequence[str]]:
        """Companies by their parent."""
        owned: dict[str, list[str]] = {}
        for entity in self.entities.values():
            if entity.parent and entity.kind == "company":
                owned.setdefault(entity.parent, []).append(entity.id)
        return owned

    @cached_property
    def _makers(self) -> Mapping[str, str]:
        """Names of the makers of chips and systems in small letters, longest first, to their ids."""
        made = {chip.maker for chip in self.chips.values()} | {system.maker for system in self.systems.values()}
        makers = {owner for maker in made for owner in self._owners(maker)}
        spelt = {
            spaced(name): maker
            for maker in makers
            if maker in self.entities
            for e in (self.entities[maker],)
            for name in (e.names.en, e.names.ko, e.names.zh, *e.aliases)
            if len(name) > 1 and name != "Tesla"  # for most writers a line of NVIDIA's cards
        }
        return dict(sorted(spelt.items(), key=lambda pair: -len(pair[0])))

    @cached_property
    def products(self) -> tuple[Chip | System | LanguageModel, ...]:
        """Everything that has a maker."""
        return (*self.chips.values(), *self.systems.values(), *self.models.values())

    @cached_property
    def _measure_index(self) -> Index:
        spelt = [(m.id, (m.id.replace("_", " "), *m.title.values())) for m in self.measures.values()]
        return Index("measure", spelt)

    @cached_property
    def _measure_words(self) -> Index:
        spelt = [(m.id, tuple(w for words in m.words.values() for w in words)) for m in self.measures.values()]
        return Index("measure", spelt)

    @cached_property
    def latest(self) -> date:
        """The day as of which this is known, else the latest by which any fact or value was."""
        dates = [fact.known_by for fact in self.facts.values()]
        dates += [v.known_by for chip in self.chips.values() for found in chip.values.values() for v in found]
        return self.as_of or max(dates, default=date.min)

    def indices(self) -> dict[str, Index]:
        """The name index of each kind of record that has names."""
        return {
            "chip": self._chip_index,
            "system": self._system_index,
            "model": self._model_index,
            "entity": self._entity_index,
            "country": self._country_index,
        }

    def chip(self, name: str) -> Chip:
        """The chip with this id or alias. Raises `UnknownName`, or `InputError` if the name is ambiguous."""
        return self.chips[self._chip_index.resolve(name)]

    def system(self, name: str) -> System:
        """The system with this id or alias. Raises `UnknownName`, or `InputError` if the name is ambiguous."""
        return self.systems[self._system_index.resolve(name)]

    def model(self, name: str) -> LanguageModel:
        """The language model with this id or alias. Raises `UnknownName`, or `InputError` if the name is ambiguous."""
        return self.models[self._model_index.resolve(name)]

    def entity(self, name: str) -> Entity:
        """The entity with this id, name or alias in any language. Raises as `chip` does."""
        return self.entities[self._entity_index.resolve(name)]

    def country(self, name: str) -> Country:
        """The country with this ISO code or name. Raises `UnknownName`."""
        return self.countries[self._country_index.resolve(name)]

    def measure(self, name: str) -> Measure:
        """The measure with this id or title, else the one that this word of the press names, in English, Korean or
        Chinese. Raises as `chip` does.
        """
        index = self._measure_index if self._measure_index.candidates(name) else self._measure_words
        if not index.candidates(name):
            raise UnknownName("measure", name, [*self.measures, *index.nearest(name)])
        return self.measures[index.resolve(name)]

    def calendar(self, entity: str) -> Calendar | None:
        """The fiscal calendar of an entity (any name), or of what it belongs to; None where none is known."""
        from chipweir.facts._rows import calendar

        return calendar(self.entity(entity).id, self.calendars, self.entities)

    def select(
        self,
        entity: str | None = None,
        measure: str | None = None,
        item: str | None = None,
        dims: Mapping[str, str] | None = None,
        start: str | date | None = None,
        end: str | date | None = None,
        nature: str | None = None,
    ) -> list[Fact]:
        """Facts about `entity` (any name) of this `measure` and `item` (id, name or its words), in file order.

        `dims` are those that must be met (others are free); the facts' periods share a day with `start` to `end`, each a
        date or a period; `nature` is "observation", "forecast" and so on. Raises `UnknownName` for an entity, measure
        or nature that does not exist.
        """
        about = None if entity is None else self.entity(entity).id
        measured = None if measure is None else self.measure(measure).id
        meant = () if item is None else (normalise(item), *map(normalise, self._entity_index.candidates(item)))
        first = date.min if start is None else period(start).start
        last = date.max if end is None else period(end).end
        if nature is not None and nature not in NATURES:
            raise UnknownName("nature of a fact", nature, NATURES)
        return [
            fact
            for fact in self._about(about, measured)
            if (measured is None or fact.measure == measured)
            and (item is None or normalise(fact.item) in meant or normalise(fact.item_id) in meant)
            and (dims is None or all(fact.dims.get(name) == value for name, value in dims.items()))
            and fact.start <= last
            and fact.end >= first
            and (nature is None or fact.nature == nature)
        ]

    def _about(self, entity: str | None, measure: str | None) -> Iterable[Fact]:
        """The facts about an entity or of a measure (ids), without making those of other measures."""
        if entity is not None:
            return self._by_entity.get(entity, ())
        return self.facts.values() if measure is None else where(self.facts, ("measure",), measure)

    @cached_property
    def _by_entity(self) -> dict[str, list[Fact]]:
        found: dict[str, list[Fact]] = {}
        for fact in self.facts.values():
            found.setdefault(fact.entity, []).append(fact)
        return found

    def preferred(
        self,
        entity: str,
        measure: str,
        item: str | None = None,
        when: str | Period | None = None,
        dims: Mapping[str, str] | None = None,
    ) -> Fact:
        """The one fact to use: the choice a conflict names, else the best by the general rule of `rank`.

        Observations come before forecasts, plans, targets, guidance and claims. `when` is exactly the period of the
        fact. Raises `UnknownName` if there is none.
        """
        known = self.select(entity, measure, item, dims)
        wanted = period(when, self.calendar(entity) or "") if isinstance(when, str) else when
        found = [fact for fact in known if wanted is None or fact.span == wanted]
        if not found:
            asked = " ".join(str(part) for part in (entity, measure, item, when) if part)
            raise UnknownName("fact", asked, {fact.when for fact in known})
        chosen = {conflict.preferred for conflict in self.conflicts.values() if conflict.preferred}
        return min(
            found,
            key=lambda fact: (
                fact.id not in chosen,
                fact.nature != "observation",
                bool(fact.same_as),
                *rank(fact.value),
            ),
        )

    def model_variable(self, fact: Fact) -> tuple[str, dict[str, str]] | None:
        """The variable of the model that this fact can be compared with and where; None if there is none.

        The selection is of coordinates by dimension, several joined by `+` where they are to be summed.
        """
        measured = self.measures[fact.measure]
        keys = {"entity": fact.entity, "item": fact.item_id, **fact.dims}
        if not measured.variable or any((keys.get(name) or "-") != value for name, value in measured.where.items()):
            return None
        home = self.entities.get(fact.entity)
        country = self.countries.get(home.country) if home else None
        keys["country"] = country.alpha3 if country else ""
        try:
            variable = measured.variable.format_map(keys)
            selection = {name: value.format_map(keys) for name, value in measured.selection.items()}
        except KeyError:
            return None
        return None if "" in selection.values() else (variable, selection)

    def rumoured(self, reference: str) -> bool:
        """Whether the fact (or the preferred value of `chip.quantity`) with this id is a rumour."""
        if reference in self.facts:
            return self.facts[reference].rumour
        owner, _, quantity = reference.rpartition(".")
        record = self.chips.get(owner) or self.systems.get(owner)
        found = record.alternatives(quantity) if record else ()
        return bool(found) and found[0].rumour

    def conflicts_about(self, identifier: str) -> list[Conflict]:
        """Conflicts that concern the record or fact with this id."""
        return [
            conflict
            for conflict in self.conflicts.values()
            if identifier in conflict.about or any(identifier in position.facts for position in conflict.values)
        ]

    @cached_property
    def rates(self) -> dict[str, dict[str, float]]:
        """Units of each currency for one US dollar, by month, from the facts whose measure is `exchange_rate`."""
        found: dict[str, dict[str, float]] = {}
        for fact in sorted(
            (f for f in self.facts.values() if f.measure == "exchange_rate"), key=lambda f: rank(f.value)
        ):
            months = fact.span.months
            if len(months) == 1 and "currency" in fact.dims:
                found.setdefault(fact.dims["currency"].upper(), {}).setdefault(months[0], fact.value.best)
        return found

    @overload
    def convert(self, value: float, start: str, target: str, on: str | date) -> float: ...
    @overload
    def convert(self, value: Value, start: str, target: str, on: str | date) -> Value: ...
    def convert(self, value: float | Value, start: str, target: str, on: str | date) -> float | Value:
        """`value` in currency `start` as `target`, at the rate of the month (quarter, half, year) `on`.

        Raises `UnknownName` for a currency without rates, `InputError` for a month the rates do not cover.
        """
        from chipweir.facts._currency import convert

        return convert(self, value, start, target, on)
