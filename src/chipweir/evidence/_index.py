"""What checkers look up again and again in a fact base: names, facts by subject, events by who is named in them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chipweir.evidence._verdict import Worded


_TRAILING = re.compile(r"\s*(?:\([^)]*\)|/ .*|\d+ ?GB\b.*|SXM\b.*)\s*$")


def _short(name: str) -> str:
    previous = ""
    while name != previous:
        previous, name = name, _TRAILING.sub("", name)
    return name


@dataclass(frozen=True)
class Index:
    """Look-ups in one fact base, each worked out once."""

    facts: Any
    _names: dict[str, Worded] = field(default_factory=dict, repr=False)
    _kin: dict[str, set[str]] = field(default_factory=dict, repr=False)
    _events: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)

    def name(self, identifier: Any) -> Worded:
        """The name of a chip, system, model, entity or country by id, short as people say it; of several, a list."""
        if isinstance(identifier, tuple | list):
            names = [self.name(item) for item in identifier]
            return Worded.of(", ".join(names), ", ".join(name.ko for name in names))
        key = str(identifier)
        if key not in self._names:
            self._names[key] = self._name(key)
        return self._names[key]

    def _name(self, identifier: str) -> Worded:
        entity = self.facts.entities.get(identifier)
        if entity is not None:
            return Worded.of(_short(entity.names.en), _short(entity.names.ko))
        for table in (self.facts.chips, self.facts.systems, self.facts.models):
            if identifier in table:
                return Worded.of(_short(table[identifier].name), "")
        country = self.facts.countries.get(identifier) if identifier.isupper() else None
        if country is not None:
            return Worded.of(country.names.en, country.names.ko)
        return Worded.of(identifier, identifier)

    @cached_property
    def facts_of(self) -> Mapping[str, Sequence[Any]]:
        """Facts by the entity they are about."""
        table: dict[str, list[Any]] = {}
        for fact in self.facts.facts.values():
            table.setdefault(fact.entity, []).append(fact)
        return table

    def about(self, entity: Any, pattern: str) -> list[Any]:
        """Facts about an entity whose measure fits a pattern."""
        rows = self.facts_of.get(entity, ()) if isinstance(entity, str) else ()
        return [fact for fact in rows if re.fullmatch(pattern, fact.measure)]

    @cached_property
    def _agencies(self) -> Mapping[str, frozenset[str]]:
        """Agencies by country."""
        table: dict[str, set[str]] = {}
        for entity in self.facts.entities.values():
            if entity.kind == "agency":
                table.setdefault(entity.country, set()).add(entity.id)
        return {country: frozenset(ids) for country, ids in table.items()}

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        """What each event says, in lower case."""
        return {
            event.id: f"{event.description} {' '.join(event.actors)}".casefold() for event in self.facts.events.values()
        }

    def kin(self, identifier: Any) -> set[str]:
        """A thing with all it belongs to: its parents and, for an agency or government, its country."""
        if identifier in self._kin:
            return self._kin[identifier]
        result = self._kin_of(identifier)
        if isinstance(identifier, str):
            self._kin[identifier] = result
        return result

    def _kin_of(self, identifier: Any) -> set[str]:
        result: set[str] = set()
        at = identifier
        while isinstance(at, str) and at and at not in result:
            result.add(at)
            entity = self.facts.entities.get(at)
            if entity is None:
                break
            if entity.kind in {"agency", "programme"} and entity.country:
                result |= {
                    e.id for e in self.facts.entities.values() if e.kind == "country" and e.country == entity.country
                }
            at = entity.parent
        return result

    def events_of(self, identifier: str) -> frozenset[str]:
        """The events that a thing takes part in or is named in; a government's people and agencies pass for it."""
        if identifier not in self._events:
            self._events[identifier] = frozenset(self._find_events(identifier))
        return self._events[identifier]

    def _find_events(self, identifier: str) -> set[str]:
        entity = self.facts.entities.get(identifier)
        family = {identifier}
        if entity is not None and entity.kind in {"agency", "person", "country"}:
            family |= (self.kin(identifier) | self._agencies.get(entity.country, frozenset())) - {"china"}
        names = [self.name(identifier), identifier.split("-", 1)[-1]]
        if entity is not None:
            names += [entity.names.en, *entity.aliases]
        words = "|".join(re.escape(name.casefold()) for name in names if len(name) >= 2)
        named = re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])") if words else None
        return {
            event.id
            for event in self.facts.events.values()
            if family & set(event.actor_ids) or (named and named.search(self._texts[event.id]))
        }


_BUILT: dict[str, Index] = {}


def index_of(facts: Any) -> Index:
    """The index of a fact base, built once for each digest."""
    digest = getattr(facts, "digest", "")
    index = _BUILT.get(digest)
    if index is None or not digest:
        index = _BUILT[digest] = Index(facts)
    return index
