"""What a checker is given: the claim's article, its other claims, the fact base, and claims of other articles."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from chipweir.errors import InputError
from chipweir.evidence._checks._index import index_of
from chipweir.evidence._document import Quantity
from chipweir.evidence._frames import Claim
from chipweir.evidence._slots import Page
from chipweir.evidence._verdict import Worded, claimed_interval


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


_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def days_of(period: str) -> tuple[str, str] | None:
    """First and last day of an ISO date, month, quarter, half or year, such as 2025Q2; None for anything else."""
    text = period.strip()
    if match := re.fullmatch(r"(\d{4})", text):
        return f"{text}-01-01", f"{text}-12-31"
    if match := re.fullmatch(r"(\d{4})-?Q([1-4])", text):
        first = 3 * int(match[2]) - 2
        return f"{match[1]}-{first:02d}-01", f"{match[1]}-{first + 2:02d}-{_DAYS[first + 1]}"
    if match := re.fullmatch(r"(\d{4})-?H([12])", text):
        return (
            (f"{match[1]}-01-01", f"{match[1]}-06-30")
            if match[2] == "1"
            else (f"{match[1]}-07-01", f"{match[1]}-12-31")
        )
    if match := re.fullmatch(r"(\d{4})-(\d{2})", text):
        return f"{text}-01", f"{text}-{_DAYS[int(match[2]) - 1] if int(match[2]) != 2 else 28}"
    if match := re.match(r"(\d{4})-W(\d{2})$", text):
        return date.fromisocalendar(int(match[1]), int(match[2]), 1).isoformat(), date.fromisocalendar(
            int(match[1]), int(match[2]), 7
        ).isoformat()
    if re.match(r"\d{4}-\d{2}-\d{2}", text):
        return text[:10], text[:10]
    return None


def overlaps(a: tuple[str, str], b: tuple[str, str]) -> bool:
    """Whether two spans of days share a day."""
    return a[0] <= b[1] and b[0] <= a[1]


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
