"""What a check says: a status, the slot that decides, the numbers used, and where each comes from.

Texts are not sentences but keys with arguments; they are put into words, Korean or English, only where a person reads
them, so that every number in a text comes from a record.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from chipweir.evidence._frames import Claim


Status = Literal["consistent", "imprecise", "stale", "contradicted", "unsupported", "ambiguous", "not_checkable"]
STATUSES: tuple[Status, ...] = (
    "consistent",
    "imprecise",
    "stale",
    "contradicted",
    "unsupported",
    "ambiguous",
    "not_checkable",
)
# A figure within this factor of the sourced one is imprecise, beyond it contradicted.
NEAR_FACTOR = 1.3


class Worded(str):
    """Words in English, with the Korean ones beside them."""

    ko: str = ""

    @classmethod
    def of(cls, english: str, korean: str) -> "Worded":
        """Words in both languages; English where there are no Korean ones."""
        words = cls(english)
        words.ko = korean or english
        return words


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence to be put into words: a key of `messages.yaml` and its arguments."""

    key: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Number:
    """A number used in a check, with its unit and the id of the evidence it comes from."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing a verdict rests on. `supports` is None where it only bears on the claim; a rumour is labelled as one."""

    kind: Literal[
        "fact", "price", "chip", "system", "model", "event", "rule", "perf", "scenario", "arithmetic", "article"
    ]
    id: str
    text: str
    source: str = ""
    url: str = ""
    as_of: str = ""
    published: str = ""
    cls: str = ""
    confidence: str = ""
    rumour: bool = False
    supports: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a claim. `slots` has a status for each slot that was looked at; `slot` is the one that decides."""

    status: Status
    slot: str = ""
    slots: Mapping[str, Status] = field(default_factory=dict)
    numbers: tuple[Number, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    text: Text = field(default_factory=lambda: Text("not_checkable"))
    change: Text = field(default_factory=lambda: Text("change_fact"))
    notes: tuple[Text, ...] = ()
    command: str = ""


def fact_evidence(fact: Any, facts: Any, supports: bool | None = None) -> Evidence:
    """A fact of the fact base as evidence."""
    value = fact.value
    return Evidence(
        "fact",
        fact.id,
        f"{fact.entity_text or fact.entity}: {fact.measure.replace('_', ' ')}, {fact.item}".rstrip(", "),
        publisher(facts, value.source),
        value.url or source_url(facts, value.source),
        fact.when,
        value.published,
        value.cls,
        value.confidence,
        fact.rumour,
        supports,
    )


def value_evidence(
    kind: Any, identifier: str, text: str, value: Any, facts: Any, supports: bool | None = None
) -> Evidence:
    """A valued attribute of a chip, system or price as evidence."""
    return Evidence(
        kind,
        identifier,
        text,
        publisher(facts, value.source),
        value.url or source_url(facts, value.source),
        value.as_of,
        value.published,
        value.cls,
        value.confidence,
        value.rumour,
        supports,
    )


def event_words(event: Any) -> Worded:
    """What happened, in both languages."""
    return Worded.of(event.description, event.description_ko)


def dated_event(event: Any, between: str) -> Worded:
    """The day and what happened, in both languages."""
    words = event_words(event)
    return Worded.of(f"{event.date}{between}{words}", f"{event.date}{between}{words.ko}")


def event_evidence(event: Any, facts: Any, supports: bool | None = None) -> Evidence:
    """A dated event as evidence."""
    return Evidence(
        "event",
        event.id,
        event_words(event),
        publisher(facts, event.source),
        source_url(facts, event.source),
        event.date,
        event.date,
        "",
        event.confidence,
        False,
        supports,
    )


def publisher(facts: Any, source: str) -> str:
    """Who published a source, as a reader knows it."""
    record = facts.sources.get(source)
    return (record.publisher or record.title) if record is not None else source


def source_url(facts: Any, source: str) -> str:
    """The address of a source, empty where it has none."""
    record = facts.sources.get(source)
    return record.url if record is not None else ""


def claimed_interval(
    value: float, low: float | None, high: float | None, bound: str, surface: str = ""
) -> tuple[float, float]:
    """The numbers that the words allow: rounding of the digits written, a tenth where approximate, open ends for bounds.

    A range or an indefinite amount brings its own `low` and `high`.
    """
    slack = abs(value) * (0.1 if bound == "approx" else rounding(surface))
    if bound == "range" and low is not None and high is not None:
        return low, high
    if bound in {"ge", "gt"}:
        return value - slack, math.inf
    if bound in {"le", "lt"}:
        return (low if low is not None and low < value else 0.0), max(high or value, value) + slack
    return (min(low, value - slack) if low is not None else value - slack), (
        max(high, value + slack) if high is not None else value + slack
    )


def rounding(surface: str) -> float:
    """Half a unit of the last digit written, as a share of the number; 2 % where no digits stand, at most 5 %."""
    digits = "".join(ch for ch in surface if ch.isdigit() or ch == ".")
    plain = digits.replace(".", "").lstrip("0")
    if not plain:
        return 0.02
    mantissa = plain.rstrip("0") if "." not in digits else plain
    places = max(len(mantissa), 1)
    lead = int(plain[0])
    return float(min(0.05, 0.5 / (lead * 10 ** (places - 1)) * 1.0001))


def compare(claimed: tuple[float, float], known: tuple[float, float], tolerance: float = 0.03) -> Status:
    """Consistent where the intervals meet within `tolerance`, imprecise within `NEAR_FACTOR`, else contradicted."""
    low, high = known
    slack = tolerance * max(abs(low), abs(high))
    if claimed[0] <= high + slack and low - slack <= claimed[1]:
        return "consistent"
    nearest_claim, nearest_known = (claimed[0], high) if claimed[0] > high else (claimed[1], low)
    if nearest_claim * nearest_known <= 0:
        return "contradicted"
    factor = max(nearest_claim / nearest_known, nearest_known / nearest_claim)
    return "imprecise" if factor <= NEAR_FACTOR else "contradicted"


_WEIGHT = {
    "contradicted": 6,
    "ambiguous": 5,
    "stale": 4,
    "imprecise": 3,
    "unsupported": 2,
    "not_checkable": 1,
    "consistent": 0,
}


def decide(slots: Mapping[str, Status]) -> tuple[Status, str]:
    """The status of a claim from those of its slots, and the slot that decides: the worst one."""
    if not slots:
        return "not_checkable", ""
    slot = max(slots, key=lambda name: _WEIGHT[slots[name]])
    return slots[slot], slot if slots[slot] != "consistent" else next(iter(slots))


def open_slots(claim: Claim, names: Sequence[str]) -> list[str]:
    """Which of `names` the claim leaves open."""
    return [name for name in names if name not in claim.slots or claim.slots[name].asked]


def first(items: Iterable[Any]) -> Any:
    """The first of `items`, None where there is none."""
    return next(iter(items), None)
