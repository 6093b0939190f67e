"""Figures that a dated event holds: how many chips were bought, what share of sales is handed over.

An event is meant by a sentence that names two of its parties, or one and what it counts; governments and people of one
country are one party. It denies only what counts the same thing of the same parties, and only with its one figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from chipweir import facts
from chipweir.evidence._compare import claimed
from chipweir.evidence._match import Matcher
from chipweir.evidence._reading import document_from_text, extract
from chipweir.evidence._scene import EARLIER, OWN, Scene
from chipweir.text import Quantity


_GOVERNING = frozenset({"country", "agency", "person", "group"})
_NAMED_FOR = frozenset({"programme", "law", "event"})
_PARTIES = frozenset({"company", "lab", "chip", "system", "language-model", "product-line"})
# Words that say so little that sharing them ties nothing.
_COMMON = frozenset({"artificial-intelligence", "semiconductors", "world", "part=semiconductors", "scope=chips",
                     "per=chip", "part=artificial-intelligence", "scope=ai", "chips"})  # fmt: skip
_EXACT_DIGITS, _REACH, _FAR = 3, 45, 1.25


@dataclass(frozen=True, slots=True)
class Read:
    """An event as read: its parties, the words it tells what with, and its figures."""

    parties: frozenset[str]
    words: frozenset[str]
    figures: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """An event that holds the figure, or one that denies it."""

    event: Any
    figure: Quantity
    same: bool


@dataclass(frozen=True)
class Happened:
    """The events of a fact base, read where a sentence may mean them."""

    matcher: Matcher
    _sides: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _known_of: dict[frozenset[str], list[Any]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _by_party(self) -> dict[str, list[Any]]:
        table: dict[str, list[Any]] = {}
        for event in self.matcher.known.events.values():
            for side in {self.side(actor) for actor in event.actor_ids}:
                table.setdefault(side, []).append(event)
        return table

    def side(self, identifier: str) -> str:
        """The party a name stands for."""
        if identifier not in self._sides:
            entity = self.matcher.known.entities.get(identifier)
            governs = entity is not None and entity.kind in _GOVERNING and entity.country
            self._sides[identifier] = f"side:{entity.country}" if entity is not None and governs else identifier
        return self._sides[identifier]

    def told(self, scene: Scene) -> Told | None:
        """The event that a figure is of, and whether it is the event's."""
        near = [one for one in scene.things if one.level < EARLIER]
        named = {self.side(identifier) for one in near for identifier in one.ids}
        words = {i for word in scene.words if word.level < EARLIER for i in word.ids} - _COMMON
        found = [
            told
            for event in self._events(frozenset(named))
            if (told := self._held(event, scene, named, words)) is not None
        ]
        return min(found, key=lambda one: (not one.same, -len(one.event.actor_ids), one.event.id), default=None)

    def _events(self, named: frozenset[str]) -> Sequence[Any]:
        """The events up to the article's day that any of the parties named takes part in."""
        if named not in self._known_of:
            events = {event.id: event for side in named for event in self._by_party.get(side, ())}
            on = self.matcher.on
            self._known_of[named] = [one for one in events.values() if on is None or one.date <= on]
        return self._known_of[named]

    def _held(self, event: Any, scene: Scene, named: set[str], words: set[str]) -> Told | None:
        known = self.matcher.known
        near = [one for one in scene.things if one.level < EARLIER]
        read = _read(known, event)
        like = [one for one in read.figures if (one.type, one.unit) == (scene.figure.type, scene.figure.unit)]
        if not like or not self._timely(event, scene):
            return None
        parties = {self.side(one) for one in read.parties}
        shared, counted = named & parties, bool(words & read.words)
        weight = len(shared) + sum(self._weighs(one) for one in shared)
        low, high = sorted(map(abs, claimed(scene.figure)))  # a cut of a quarter may be written as a fall
        for one in like:
            least, most = sorted(map(abs, claimed(one)))
            specific = len(one.surface.replace(",", "").replace(".", "").strip("0 ")) >= _EXACT_DIGITS
            tied = weight >= 2 or (weight == 1 and counted and specific)
            if tied and low <= most and least <= high:
                return Told(event, one, True)
        told_of = [one.ids[0] for one in near if one.kind in _PARTIES]
        away = {self.side(one) for one in told_of if getattr(known.chips.get(one), "maker", "") not in parties}
        far = isinstance(like[0].value, int | float) and _apart((low, high), abs(float(like[0].value)))
        if len(like) == 1 and weight >= 2 and counted and far and not away - parties and not self._answered(scene):
            return Told(event, like[0], False)
        return None

    @staticmethod
    def _answered(scene: Scene) -> bool:
        """Whether the figure counts answers: what people want is no event."""
        return any("poll_share" in word.ids and word.level == OWN for word in scene.words if word.kind != "hint")

    def _timely(self, event: Any, scene: Scene) -> bool:
        times = [(t.low, t.high) for t, level in scene.times if level < EARLIER and t.low and t.high]
        if not times:
            return True
        day = facts.period(event.date).start
        return any(
            (date.fromisoformat(low[:10]) - day).days <= _REACH and (day - date.fromisoformat(high[:10])).days <= _REACH
            for low, high in times
        )

    def _weighs(self, party: str) -> int:
        entity = self.matcher.known.entities.get(party)
        return int(entity is not None and entity.kind in _NAMED_FOR)


def _apart(said: tuple[float, float], value: float) -> bool:
    return said[0] > value * _FAR or said[1] * _FAR < value


@lru_cache(maxsize=512)
def _read(known: "facts.Facts", event: Any) -> Read:
    found = extract(document_from_text(event.description, published=event.date), known)
    things = {i for one in found.entities if one.how != "typo" for i in (one.id, *one.also) if i}
    words = {word.id for one in found.words for word in one.words}
    figures = tuple(one for one in found.quantities if isinstance(one.value, int | float) and one.type != "date")
    return Read(frozenset(things | set(event.actor_ids)), frozenset(words - _COMMON), figures)
