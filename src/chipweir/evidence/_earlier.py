"""What earlier articles in the ledger say of the same thing, and how many independent sources that makes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chipweir.errors import InputError
from chipweir.evidence._check import Checked
from chipweir.evidence._frames import Claim, templates
from chipweir.evidence._ledger import Ledger, origins_of
from chipweir.evidence._verdict import claimed_interval


Relation = Literal["agrees", "repeats", "differs"]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A claim of an earlier article about the same thing as a claim of this one.

    `repeats`: the figures meet, but both rest on one source; `agrees`: they meet and the sources differ; `differs`: they do
    not meet. `sources` counts the independent sources that tell the claim so, this article's included.
    """

    claim: str
    relation: Relation
    earlier: str
    title: str
    outlet: str
    published: str
    surface: str
    value: float
    unit: str
    shared: tuple[str, ...]
    sources: int


def earlier(checked: Checked, ledger: Ledger) -> tuple[Earlier, ...]:
    """For each claim of an article the claims of other articles in the ledger on the same thing, in order of the text."""
    document = checked.document
    by_frame: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for key, entry in ledger.latest().items():
        if entry.get("state") != "rejected" and entry.get("article", {}).get("sha256") != document.sha256:
            by_frame.setdefault(str(entry.get("frame", "")), []).append((key, entry))
    found: list[Earlier] = []
    for claim in checked.article.claims:
        if claim.quantity is not None and claim.frame in by_frame:
            found += _of_claim(checked, claim, by_frame[claim.frame])
    return tuple(found)


def _of_claim(checked: Checked, claim: Claim, entries: list[tuple[str, dict[str, Any]]]) -> Iterator[Earlier]:
    mine = origins_of(checked, claim)
    told: set[str] = set(mine)
    rows = []
    for key, entry in entries:
        relation = _relation(checked, claim, entry)
        if relation is None:
            continue
        theirs = _origins(entry)
        shared = tuple(sorted(mine & theirs))
        if relation == "agrees":
            told |= theirs
            relation = "repeats" if shared else "agrees"
        rows.append((key, entry, relation, shared))
    for key, entry, relation, shared in rows:
        article, figure = entry.get("article", {}), entry["quantity"]
        yield Earlier(
            claim.id,
            relation,
            key,
            str(article.get("title", "")),
            str(article.get("outlet", "")),
            str(article.get("published") or ""),
            str(figure["surface"]),
            figure["value"],
            figure["unit"],
            shared,
            len(told),
        )


def _relation(checked: Checked, claim: Claim, entry: Mapping[str, Any]) -> Relation | None:
    """Whether the figures of two claims on one thing meet; None where they are not on one thing."""
    figure, other = checked.article.found.quantities[claim.quantity or 0], entry.get("quantity")
    if not isinstance(other, Mapping) or not _same_thing(claim, entry.get("slots", {})):
        return None
    if not isinstance(figure.value, int | float) or not isinstance(other.get("value"), int | float):
        return None
    rate = _rate(checked, str(other["unit"]), figure.unit, str(entry.get("article", {}).get("published") or ""))
    if rate is None:
        return None
    low, high = _interval(figure.value, figure.low, figure.high, figure.bound, figure.surface)
    start, end = _interval(other["value"], other.get("low"), other.get("high"), other["bound"], other["surface"])
    slack = 0.03 if rate != 1.0 else 0.0
    return "agrees" if low <= end * rate * (1 + slack) and start * rate * (1 - slack) <= high else "differs"


def _interval(value: Any, low: Any, high: Any, bound: str, surface: str) -> tuple[float, float]:
    first, last = (float(end) if isinstance(end, int | float) else None for end in (low, high))
    return claimed_interval(float(value), first, last, bound, surface)


def _rate(checked: Checked, start: str, target: str, day: str) -> float | None:
    """What one unit of `start` is in `target`: 1 for the same unit, the rate of the day for money, else None."""
    if start == target:
        return 1.0
    on = day or checked.document.published
    if not on:
        return None
    try:
        return float(checked.article.facts.convert(1.0, start, target, on[:10]))
    except (InputError, ImportError):
        return None


def _same_thing(claim: Claim, slots: Mapping[str, Any]) -> bool:
    """Whether the slots that say what a claim is about name one thing: at least one name alike, and none otherwise."""
    rules = templates()[claim.frame].slots if claim.frame in templates() else {}
    alike = False
    for name, rule in rules.items():
        if not rule.get("required") or "noun" in rule or "quantity" in rule or "from" in rule:
            continue
        a, b = claim.value(name), slots.get(name)
        if a is None or b is None:
            continue
        if (list(a) if isinstance(a, tuple) else a) != b:
            return False
        alike = alike or "entity" in rule or "entities" in rule
    return alike


def _origins(entry: Mapping[str, Any]) -> frozenset[str]:
    article = entry.get("article", {})
    return frozenset(entry.get("origins") or {str(article.get("outlet") or article.get("sha256", ""))[:60]})
