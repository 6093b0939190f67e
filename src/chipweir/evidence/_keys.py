"""How the keys of a record lie to what the words about a figure tell: its subject, item, dimensions and period."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from chipweir import facts
from chipweir.evidence._index import Index, index_of
from chipweir.evidence._known import OF_THE_ITEM, Known
from chipweir.evidence._periods import FITS, Fit, Periods
from chipweir.evidence._reading import lexicon
from chipweir.evidence._scene import AFTER, EARLIER, OWN, Scene, Seen
from chipweir.evidence._vocabulary import (
    families,
    silent_keys,
    silent_values,
    spoken_values,
    told_by_place,
    vocabulary,
)
from chipweir.text import find_entities, find_words


_ANYWHERE = frozenset({"world", "ai-hardware", "language-models", "exchange-rates", "llm-inference", "llm-training"})
_TELLING = frozenset({"chip", "system", "language-model", "component", "technology", "product-line", "company", "lab"})
PRODUCTS = frozenset({"chip", "system", "language-model", "product-line", "component"})
_ACTING = frozenset({"company", "lab", "agency", "country", "fab", "chip", "system", "language-model", "product-line",
                     "programme", "region", "ecosystem", "group", "law", "event"})  # fmt: skip
_OWNED = frozenset({"programme", "fab", "company", "lab", "agency", "law"})
_PLACED = frozenset({"destination", "origin", "market", "customer", "place"})
_CURRENCY_OF = {"CNY": "china", "KRW": "south-korea", "USD": "united-states", "TWD": "taiwan", "JPY": "japan"}
_POSSESSOR = re.compile(r"(?:[A-Za-z]+(?:'s|’s|s'|s’) ?|[가-힣A-Za-z]+의 |[一-鿿A-Za-z]+的)$")
_OWNER = re.compile(r"(?!(?:year|quarter|month|week|today|company|firm)['’])[A-Za-z]{4,}")
_PART = re.compile(
    r"\b(?!(?:[Tt]he|[Ii]ts|[Tt]heir|[Oo]ur|[Tt]his|[Tt]hat|[Ww]hole|[Ee]ntire|[Cc]ore|[Mm]ain|"
    r"[Aa]nd|[Oo]f|[Ii]n)\b)"
    r"([A-Za-z][A-Za-z-]+) (?:business|arm|unit|division|segment)\b|"
    r"([가-힣A-Za-z]{2,}) ?(?:부문|사업부|사업)(?=[의은는이가에 ])|"
    r"([一-鿿A-Za-z]{2})(?:业务|部门|事业部|板块|業務|部門)"
)
# How strongly a measure must be named where its subject stands in an earlier sentence.
_CARRIED = 2.9
# What a part or scope said in so many words adds to how strongly the measure is named.
_TOLD = 0.6
# The most chips of a server.
_SERVER = 8
# The place in the order of records of another period: after all others.
ELSEWHEN = 9


@dataclass(frozen=True, slots=True)
class Match:
    """A record that a figure may be held against, and how well its keys fit the words."""

    record: Known
    strength: float
    missing: int
    extra: int
    fit: Fit
    sure: bool
    tacit: bool = False

    @property
    def exact(self) -> bool:
        """Whether every part of the key is said and nothing else is."""
        return self.sure and self.strength >= 1.0 and not self.missing and not self.extra

    @property
    def rank(self) -> tuple[float, ...]:
        """Sorting key, best first: period, completeness, certainty, strength, source."""
        return (self.fit == "off", self.missing + self.extra, not self.sure, -self.strength, FITS.index(self.fit),
                *self.record.order)  # fmt: skip


@dataclass(frozen=True)
class Remembered:
    """What was worked out of a fact base and holds for every article."""

    spoken: dict[str, frozenset[str]] = field(default_factory=dict)
    kin: dict[str, frozenset[str]] = field(default_factory=dict)
    subjects: dict[str, frozenset[str]] = field(default_factory=dict)
    related: dict[tuple[tuple[str, ...], str, str, str], bool] = field(default_factory=dict)
    fitting: dict[tuple[str, str, str, str], bool] = field(default_factory=dict)


@lru_cache(maxsize=4)
def _remembered(known: "facts.Facts") -> Remembered:
    return Remembered()


@dataclass(frozen=True)
class Base:
    """Look-ups in one fact base for the figures of an article of a day."""

    known: "facts.Facts"
    on: str | None

    @cached_property
    def remembered(self) -> Remembered:
        """What was worked out of the fact base before."""
        return _remembered(self.known)

    @cached_property
    def index(self) -> Index:
        """Look-ups in the fact base."""
        return index_of(self.known)

    @cached_property
    def lasting(self) -> frozenset[str]:
        """Measures of a thing that hold as long as it does."""
        return frozenset(vocabulary()["lasting"])

    @cached_property
    def measured(self) -> Mapping[str, Any]:
        """The measures of the fact base."""
        return dict(self.known.measures)

    @cached_property
    def entities(self) -> Mapping[str, Any]:
        """The entities of the fact base."""
        return dict(self.known.entities)

    def kin_of(self, measure: str) -> frozenset[str]:
        """The measures that share a family with one."""
        kin = self.remembered.kin
        if measure not in kin:
            kin[measure] = frozenset(name for one in families().values() if measure in one for name in one)
        return kin[measure]

    def parts(self, measure: str) -> frozenset[str]:
        """`part` where any measure of the family has that dimension."""
        return frozenset({"part"} if any("part" in self.measured[name].dims for name in self.kin_of(measure)) else ())

    def free(self, record: Known) -> frozenset[str]:
        """The things and words of a fact's free description of its item."""
        return (
            self._ids_in(self.known.facts[record.id].item, f"{record.id} item")
            if record.kind == "fact"
            else frozenset()
        )

    def spoken(self, record: Known) -> frozenset[str]:
        """The things and words that a fact's own description says beyond its key: a text may say them too."""
        return self._ids_in(record.words, record.id)

    def _ids_in(self, text: str, key: str) -> frozenset[str]:
        known = self.remembered.spoken
        if key not in known:
            names = lexicon(self.known)
            things = find_entities(text, names, "en")
            said = [identifier for one in things for identifier in (one.id, *one.also)]
            said += [word.id for one in find_words(text, names) for word in one.words]
            known[key] = frozenset(said)
        return known[key]


def over(long: Seen, short: Seen) -> bool:
    return long.start <= short.start and short.end <= long.end and long.end - long.start > short.end - short.start


@dataclass(frozen=True)
class Keys:
    """The keys that the words about one figure tell, held against those of records."""

    matcher: Base
    scene: Scene
    _places: dict[str, tuple[int, bool] | None] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def periods(self) -> Periods:
        """The periods that the text names."""
        return Periods(self.matcher, self.scene)

    def match(self, record: Known, strength: float) -> Match | None:
        """How a record's keys fit; None where its subject is not spoken of."""
        by_item = record.of_the_item
        subject = record.subject
        found = self._find(subject)
        if found is None and subject not in _ANYWHERE:
            return None
        fit = self.periods.fit(record)
        if fit == "off":  # only shown where nothing else is found
            return Match(record, strength, ELSEWHEN, 0, fit, False)
        if fit == "open" and subject in self.scene.borrowed:
            fit = "near"  # neither the subject nor a period stands in the figure's paragraph
        level, sure = found if found is not None else (OWN, subject == "world")
        used = {subject, record.item, record.entity, *record.dims.values(), *self._parts(subject)}
        rivals = self._rivals(record, used, level)
        if rivals and (found is None or min(one.level for one in rivals) < level):
            return None
        if rivals and self._before(rivals, subject):
            sure = False
        carried = strength >= _CARRIED and self.scene.alone
        sure = sure and (level < EARLIER or carried) and not (level != OWN and self.scene.stranger)
        sure = sure and level != AFTER and subject not in self.scene.borrowed
        sure = sure and (self.scene.dated or record.timeless) and not self.scene.confused
        sure = sure and not self._of_another(record, used) and not self._only_owns(record, used)
        if record.kind == "fact" and fit != "exact" and not record.item:
            sure = sure and self._described(record)
        missing = 0
        whole = record.item == "all-goods"
        if by_item:
            missing += record.entity not in _ANYWHERE and record.entity != "" and not self._placed(record)
        elif record.item and not whole:
            held = self._find(record.item)
            missing += 1 if held is None or held[0] == EARLIER else 0
            sure = sure and (held is None or held[1])
        missing += sum(not self._said(key, value) for key, value in record.dims.items())
        extra = self._extras(record, used)
        if extra and record.words:
            extra = self._extras(record, used | self.matcher.spoken(record))
        if any(self._spelt(key, value) for key, value in record.dims.items()):
            strength += _TOLD
        tacit = any(not self._told(key, value) and f"{key}={value}" not in silent_values()
                    for key, value in record.dims.items())  # fmt: skip
        return Match(record, strength, missing, extra, fit, sure, tacit)

    @cached_property
    def _possessed(self) -> list[tuple[Seen, list[Seen]]]:
        """Things that are said to be somebody's, with whose they are said to be (nobody known: an empty list)."""
        found = []
        for one in self.scene.things:
            before = _POSSESSOR.search(self.scene.text, max(0, one.start - 24), one.start)
            if one.level >= EARLIER or before is None:
                continue
            owners = [
                o for o in self.scene.things if o.start < before.end() and before.start() < o.end and o is not one
            ]
            if owners or _OWNER.match(before.group()):
                found.append((one, owners))
        return found

    def _of_another(self, record: Known, used: set[str]) -> bool:
        """Whether the subject is said to be another's: the clouds' Nvidia chips are no figure of Nvidia's."""
        return any(
            one.is_one(record.subject) and not any(used & set(o.ids) or self._related(o, record) for o in owners)
            for one, owners in self._possessed
        )

    def _only_owns(self, record: Known, used: set[str]) -> bool:
        """Whether the subject is named only as the owner of another that acts: "South Korea's growth fund"."""
        owned = [o for one, owners in self._possessed if one.kind in _OWNED and not used & set(one.ids) for o in owners]
        named = [one for one in self.scene.things if one.level < EARLIER and one.is_one(record.subject)]
        return bool(named) and all(one in owned for one in named)

    def _described(self, record: Known) -> bool:
        """Whether what a fact without an item of its own is of is said, or says nothing beyond its key."""
        if not self.matcher.known.facts[record.id].item:
            return True
        free = self.matcher.free(record)
        said = {i for one in (*self.scene.things, *self.scene.words) if one.level < EARLIER for i in one.ids}
        return bool(free & said)

    # -- names --------------------------------------------------------------------------------------------------------

    def _placed(self, record: Known) -> bool:
        """Whether the place of a price is named, or told by its currency or its trade."""
        if self._find(record.entity) is not None or record.measure == "dram_price" or record.is_yield_of_a_chip:
            return True
        if record.entity == "china" and record.measure == "street_price":
            return True
        return _CURRENCY_OF.get(self.scene.figure.unit) == record.entity

    def _find(self, identifier: str) -> tuple[int, bool] | None:
        """The nearest level at which a thing is named, and whether it is named itself and not by its kin."""
        if identifier not in self._places:
            self._places[identifier] = self._found(identifier)
        return self._places[identifier]

    def _found(self, identifier: str) -> tuple[int, bool] | None:
        parts = self._parts(identifier)
        if parts:
            levels = [self._level(part) for part in parts]
            if all(level is not None for level in levels):
                return max(level for level in levels if level is not None), True
        level = self._level(identifier)
        if level is not None:
            return level, True
        kin = self._kin_levels.get(identifier)
        return (kin, False) if kin is not None else None

    @cached_property
    def reach(self) -> frozenset[str]:
        """Everything that may be a record's subject here: what is named, its kin, and what need not be named."""
        named = {*self._levels, *self._kin_levels}
        composed = (name for name, parts in vocabulary()["composed"].items() if named.issuperset(parts))
        return frozenset({*named, *composed, *_ANYWHERE})

    @staticmethod
    def _parts(identifier: str) -> Sequence[str]:
        parts: Sequence[str] = vocabulary()["composed"].get(identifier, ())
        return parts

    def _level(self, identifier: str) -> int | None:
        return self._levels.get(identifier)

    @cached_property
    def _levels(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for one in (*self.scene.things, *self.scene.of_kind("thing")):
            for identifier in one.ids:
                found[identifier] = min(found.get(identifier, EARLIER), one.level)
                country = self._governed.get(identifier)
                if country is not None:
                    found[country] = min(found.get(country, EARLIER), one.level)
        return found

    @property
    def _governed(self) -> Mapping[str, str]:
        """Countries by their governments: a capital or a government that spends is the country."""
        return _countries_of(self.matcher.known)

    @cached_property
    def _kin_levels(self) -> Mapping[str, int]:
        """The things that those named belong to, or (a government and its country) that belong to them."""
        found: dict[str, int] = {}
        entities = self.matcher.entities
        for one in (*self.scene.things, *self.scene.of_kind("thing")):
            for identifier in one.ids:
                entity = entities.get(identifier)
                if entity is None:
                    continue
                kin = set(self.matcher.index.kin(identifier))
                if entity.kind in {"country", "agency", "group"} and entity.country:
                    kin |= {e.id for e in _governments(self.matcher.known).get(entity.country, ())}
                kin |= _holders(self.matcher.known).get(identifier, frozenset())
                kin |= _siblings(self.matcher.known).get(_family(identifier), frozenset())
                for relative in kin:
                    found[relative] = min(found.get(relative, EARLIER), one.level)
        return found

    def _rivals(self, record: Known, used: set[str], level: int) -> list[Seen]:
        """Others that the figure may be told of: named no farther off, of a kind that the measure is told of."""
        kinds = self._subjects(record.measure)
        return [
            one
            for one in self._others
            if one.level <= level and one.kind in kinds and used.isdisjoint(one.ids) and not self._related(one, record)
        ]

    @cached_property
    def _others(self) -> list[Seen]:
        """The things that nothing is measured against."""
        return [one for one in self.scene.things if not one.against]

    def _subjects(self, measure: str) -> frozenset[str]:
        known = self.matcher.remembered.subjects
        if measure not in known:
            known[measure] = self._kinds(measure)
        return known[measure]

    def _kinds(self, measure: str) -> frozenset[str]:
        """The kinds of things that a measure is told of."""
        if measure.startswith("spec:") or measure in OF_THE_ITEM:
            return frozenset({"chip", "system"})
        defined = self.matcher.measured.get(measure)
        kinds = frozenset(defined.entity_kinds) if defined is not None else frozenset[str]()
        return (kinds | ({"company"} if "lab" in kinds else set())) & _ACTING or frozenset({"company"})

    def _before(self, rivals: list[Seen], subject: str) -> bool:
        """Whether a rival has the better claim to be the subject: it stands before, on the same level."""
        own = [one for one in self.scene.things if one.is_one(subject)] or [
            one for one in self.scene.of_kind("thing") if one.is_one(subject)
        ]
        if not own:
            return True
        best = min(own, key=lambda one: (one.level, one.start))
        return any(one.level < best.level or (one.level == best.level and one.start < best.start) for one in rivals)

    def _related(self, one: Seen, record: Known) -> bool:
        """Whether a name only says whose or where the record's things are: maker, parent, home."""
        known, key = self.matcher.remembered.related, (one.ids, one.kind, record.entity, record.item)
        if key not in known:
            known[key] = self._belongs(one, record)
        return known[key]

    def _belongs(self, one: Seen, record: Known) -> bool:
        entities = self.matcher.entities
        for identifier in filter(None, (record.entity, record.item)):
            kin = self.matcher.index.kin(identifier)
            product = self.matcher.known.chips.get(identifier) or self.matcher.known.models.get(identifier)
            owners = {getattr(product, "maker", ""), *kin}
            entity = entities.get(identifier)
            for name in one.ids:
                other = entities.get(name)
                if (
                    name in owners
                    or identifier.startswith(f"{name}-")
                    or (one.kind not in PRODUCTS and identifier in self.matcher.index.kin(name))
                ):
                    return True
                if entity and other and other.kind in {"country", "region"} and entity.country == other.country != "":
                    return True
        return False

    # -- dimensions and what else is said -----------------------------------------------------------------------------

    def _said(self, key: str, value: str) -> bool:
        """Whether the text says a dimension of a record, or need not."""
        name = f"{key}={value}"
        if self._told(key, value):
            return True
        if name in silent_values() or (key in silent_keys() and name not in spoken_values()):
            return True
        return key == "market" and value in _ANYWHERE

    def _told(self, key: str, value: str) -> bool:
        """Whether the text says a dimension of a record in so many words."""
        if any(word.is_one(f"{key}={value}") and word.level < EARLIER for word in self.scene.of_kind("dim")):
            return True
        return key in vocabulary()["named"] and self._find(value) is not None

    def _spelt(self, key: str, value: str) -> bool:
        """Whether a special value of a dimension is said in its own words beside the figure."""
        name = f"{key}={value}"
        words = self.scene.of_kind("dim")
        return name not in silent_values() and any(one.is_one(name) and one.level == OWN for one in words)

    def _extras(self, record: Known, used: set[str]) -> int:
        """How many things beside the figure the record's key does not hold."""
        defined = self.matcher.measured.get(record.measure)
        keys = set(defined.dims) if defined is not None else set()
        count = self._told_by_another_place(record) + (
            self._of_a_part and not record.item and "part" not in record.dims
        )
        for one in self._own_things:
            if not used.isdisjoint(one.ids) or self._related(one, record):
                continue
            if record.measure.startswith("spec:") and one.kind in {"component", "technology"}:
                continue
            if any(over(other, one) and not used.isdisjoint(other.ids) for other in self.scene.things):
                continue
            placed = bool(keys & _PLACED) and one.kind in {"country", "region"}
            count += one.kind in _TELLING or placed
        for word, holders in self._own_words:
            if used.isdisjoint(holders):
                count += self._tells_more(word, record, defined, keys, used)
        return count

    def _tells_more(self, word: Seen, record: Known, defined: Any, keys: set[str], used: set[str]) -> bool:
        """Whether a word beside the figure says something that the record's key does not hold."""
        if word.kind == "dim":
            told = [
                (key, value)
                for key, value in (name.split("=", 1) for name in word.ids)
                if (key != "scope" and (key in keys or key in self.matcher.parts(record.measure)))
                or (key == "scope" and f"{key}={value}" in spoken_values())
                if not record.measure.startswith(value)
            ]
            return (
                bool(told)
                and all(record.dims.get(key) != value for key, value in told)
                and not all(f"{key}={value}" in silent_values() for key, value in told)
            )
        if word.kind == "mark":
            return (
                record.measure not in word.ids
                and not self.matcher.kin_of(record.measure).isdisjoint(word.ids)
                and not self._level_of_record(record, word)
            )
        if "world" in word.ids and keys & {"of", "market"}:
            return "world" not in used
        if defined is not None and set(defined.item_kinds) & {"goods", "topic"}:
            narrow = [name for name in word.ids if name not in _ANYWHERE]
            return record.item in {"", "all-goods"} and bool(narrow) and used.isdisjoint(narrow)
        return False

    @cached_property
    def _own_things(self) -> list[Seen]:
        """The things of the figure's own stretch that nothing is measured against."""
        return [one for one in self.scene.things if one.level == OWN and not one.against]

    @cached_property
    def _own_words(self) -> list[tuple[Seen, frozenset[str]]]:
        """The words of the figure's own stretch that tell more than a measure and are no piece of a longer name or
        word, each with what the names and words of its very place stand for."""
        own = [one for one in (*self.scene.things, *self.scene.words) if one.level == OWN]
        found = []
        for word in self.scene.words:
            if word.level != OWN or word.kind not in {"dim", "mark", "thing"}:
                continue
            if word.kind == "mark" and not self.scene.beside(word):
                continue
            around = [one for one in own if one.start <= word.start and word.end <= one.end]
            if not any(over(one, word) for one in around):
                held = frozenset(i for one in around if one.kind != word.kind for i in one.ids)
                found.append((word, held))
        return found

    @cached_property
    def _of_a_part(self) -> bool:
        """Whether the figure is said of a business of the subject that nothing of ours names: "its gaming unit"."""
        known = [(one.start, one.end) for one in (*self.scene.things, *self.scene.words) if one.level == OWN]
        parts = _PART.finditer(self.scene.text, self.scene.start, self.scene.end)
        return any(
            not any(low <= span[0] and span[1] <= high for low, high in known)
            for span in (next(found.span(n) for n in (1, 2, 3) if found[n]) for found in parts)
        )

    def _told_by_another_place(self, record: Known) -> int:
        """Whether a place beside the noun tells another measure of the family: "revenue" is not all revenue in
        "revenue in China" of a firm from elsewhere."""
        for name, place in told_by_place().items():
            if (
                record.measure != name
                and self._level(place) == OWN
                and record.measure in self.matcher.kin_of(name)
                and place not in record.dims.values()
            ):
                home = getattr(self.matcher.entities.get(record.entity), "country", "")
                if getattr(self.matcher.entities.get(place), "country", "") != home:
                    return 1
        return 0

    @staticmethod
    def _level_of_record(record: Known, word: Seen) -> bool:
        """Whether a mark is part of the record's own words ("market" of a market share)."""
        return record.measure in {"market_share", "market_value"} or "market_units" in word.ids


def _family(chip: str) -> str:
    """What the variants of a chip have in common: `nvidia-h100` of `nvidia-h100-sxm`, all of `intel-gaudi-3`."""
    found = re.match(r"[a-z][a-z-]*?[a-z0-9]*\d[a-z0-9.]*", chip)
    return found.group() if found else chip


@lru_cache(maxsize=4)
def _siblings(known: "facts.Facts") -> dict[str, frozenset[str]]:
    """The variants of each chip, by what their ids have in common."""
    table: dict[str, set[str]] = {}
    for chip in known.chips:
        table.setdefault(_family(chip), set()).add(chip)
    return {name: frozenset(found) for name, found in table.items()}


@lru_cache(maxsize=4)
def _holders(known: "facts.Facts") -> dict[str, frozenset[str]]:
    """Servers of a chip, by the chip: a text that speaks of servers names the chip."""
    table: dict[str, set[str]] = {}
    for system in known.systems.values():
        if system.n_chips <= _SERVER:
            table.setdefault(system.chip, set()).add(system.id)
    return {chip: frozenset(ids) for chip, ids in table.items()}


@lru_cache(maxsize=4)
def _countries_of(known: "facts.Facts") -> Mapping[str, str]:
    countries = {one.country: one.id for one in known.entities.values() if one.kind == "country"}
    return {
        one.id: countries[one.country]
        for one in known.entities.values()
        if one.id.endswith("-government") and one.country in countries
    }


@lru_cache(maxsize=4)
def _governments(known: "facts.Facts") -> Mapping[str, list[Any]]:
    """Countries with their governments and agencies, by country."""
    table: dict[str, list[Any]] = {}
    for entity in known.entities.values():
        if entity.kind in {"country", "agency"} and entity.country:
            table.setdefault(entity.country, []).append(entity)
    return table
