"""What a checker is given: the claim's article, its other claims, the fact base, and claims of other articles."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from chipweir import facts
from chipweir.errors import InputError
from chipweir.evidence._frames import Claim
from chipweir.evidence._index import index_of
from chipweir.evidence._page import Page
from chipweir.evidence._verdict import Worded, claimed_interval
from chipweir.text import Quantity


@dataclass(frozen=True)
class Context:
    """Everything a checker may look at. `on` is the article's date (ISO), None where it is unknown."""

    page: Page
    claims: tuple[Claim, ...]
    facts: Any
    on: str | None = None
    _about: dict[tuple[str, str], dict[Any, list[Claim]]] = field(default_factory=dict, repr=False, compare=False)
    _by_frame: dict[str, list[Claim]] = field(default_factory=dict, repr=False, compare=False)

    def figure(self, claim: Claim) -> Quantity | None:
        """The figure a claim is about."""
        return None if claim.quantity is None else self.page.found.quantities[claim.quantity]

    def claimed(self, claim: Claim) -> tuple[float, float]:
        """The numbers that the words of the claim allow."""
        figure = self.figure(claim)
        assert figure is not None
        return allowed(figure)

    def value(self, claim: Claim) -> float:
        """The claim's number: its value, else the middle of its range."""
        figure = self.figure(claim)
        assert figure is not None
        return number_of(figure)

    def claims_about(self, frame: str, slot: str, value: Any) -> Sequence[Claim]:
        """The article's claims of one frame whose slot holds a value, in order."""
        key = (frame, slot)
        if key not in self._about:
            table: dict[Any, list[Claim]] = {}
            for claim in self.claims:
                if claim.frame == frame:
                    table.setdefault(claim.value(slot), []).append(claim)
            self._about[key] = table
        return self._about[key].get(value, ())

    def near(self, claim: Claim, sentences: int = 12) -> list[Claim]:
        """The claims of the same frame that stand within so many sentences of a claim, itself included."""
        if claim.frame not in self._by_frame:
            same = [one for one in self.claims if one.frame == claim.frame]
            self._by_frame[claim.frame] = sorted(same, key=lambda one: one.sentence)
        rows = self._by_frame[claim.frame]
        low = bisect_left(rows, claim.sentence - sentences, key=lambda one: one.sentence)
        high = bisect_right(rows, claim.sentence + sentences, key=lambda one: one.sentence)
        return rows[low:high]

    def events_of(self, identifier: str) -> frozenset[str]:
        """The events on record that a thing takes part in or is named in."""
        return index_of(self.facts).events_of(identifier)

    def time(self, claim: Claim, slot: str) -> tuple[str, str] | None:
        """First and last day of a slot's date, None where it is open or unresolved."""
        index = claim.slots[slot].time if slot in claim.slots else None
        if index is None:
            return None
        time = self.page.found.times[index]
        if time.low and time.high:
            return time.low[:10], time.high[:10]
        return days_of(time.value) if time.value else None

    def convert(self, amount: float, start: str, target: str, on: str | None) -> float | None:
        """`amount` in another currency at the month's rate; None where no rate is known."""
        if start == target:
            return amount
        day = on or self.on
        if day is None:
            return None
        try:
            return float(self.facts.convert(amount, start, target, day))
        except (InputError, ImportError):
            return None

    def name(self, identifier: Any) -> Worded:
        """What a person calls a thing of the fact base."""
        return name_of(self.facts, identifier)


def number_of(figure: Quantity) -> float:
    """A figure's number: its value, else the middle of its range."""
    if isinstance(figure.value, int | float):
        return float(figure.value)
    bounds = [float(bound) for bound in (figure.low, figure.high) if isinstance(bound, int | float)]
    return sum(bounds) / len(bounds) if bounds else float("nan")


def allowed(figure: Quantity) -> tuple[float, float]:
    """The numbers that a figure's words allow."""
    low = float(figure.low) if isinstance(figure.low, int | float) else None
    high = float(figure.high) if isinstance(figure.high, int | float) else None
    return claimed_interval(number_of(figure), low, high, figure.bound, figure.surface)


def name_of(facts: Any, identifier: Any) -> Worded:
    """The name of a chip, system, model, entity or country by id, short as people say it."""
    return index_of(facts).name(identifier)


def kin(facts: Any, identifier: Any) -> set[str]:
    """A thing with all it belongs to: its parents and, for an agency or government, its country."""
    return index_of(facts).kin(identifier)


def days_of(text: str) -> tuple[str, str] | None:
    """First and last day (ISO) of a period such as 2025Q2; None for what is none."""
    try:
        found = facts.period(text)
    except InputError:
        return None
    return found.start.isoformat(), found.end.isoformat()


def days_between(a: str, b: str) -> int:
    """Days from `a` to `b` (ISO dates)."""
    return (date.fromisoformat(b[:10]) - date.fromisoformat(a[:10])).days


def known_by(facts: Sequence[Any], on: str | None) -> list[Any]:
    """The facts published by the article's day, all of them where it is unknown or none was."""
    if on is None:
        return list(facts)
    early = [
        fact for fact in facts if not fact.value.published or fact.value.published <= on[: len(fact.value.published)]
    ]
    return early or list(facts)
