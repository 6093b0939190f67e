"""A claim against the fact that is nearest to it in what, when and how much."""

import math
from datetime import date, timedelta
from typing import Any

from chipweir.evidence._checks._context import Context, days_between, overlaps
from chipweir.evidence._frames import Claim
from chipweir.evidence._index import index_of
from chipweir.evidence._verdict import Number, Status, Text, Verdict, compare, decide, fact_evidence


def about(context: Context, entity: Any, pattern: str) -> list[Any]:
    """Facts about an entity whose measure fits a pattern."""
    return index_of(context.facts).about(entity, pattern)


def days_later(day: str, days: int) -> str:
    """The day so many days after an ISO date (before it, if negative)."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def best_fact(
    claim: Claim,
    context: Context,
    facts: list[Any],
    *,
    scale: float = 1.0,
    period_slot: str = "",
    needs_near: bool = False,
    fiscal: bool = False,
) -> Verdict:
    """The claim against the fact of the same period that is nearest to it; a figure that was right at another date is
    stale; without any fact it is unsupported."""
    figure = context.figure(claim)
    if figure is None or not facts:
        return Verdict(
            "unsupported",
            "figure",
            {"figure": "unsupported"},
            text=Text("no_fact", {"what": subject(claim, context)}),
            change=Text("change_fact"),
        )
    when = context.time(claim, period_slot) if period_slot else None
    rows = [row for fact in facts if (row := _row(claim, context, fact, scale, when, fiscal)) is not None]
    if not rows:
        return Verdict("not_checkable", "figure", text=Text("no_rate"), change=Text("change_fx"))
    if when is None:
        rows = _lately(rows, context.on) or rows
    timely = [row for row in rows if row[2]]
    pool = timely or rows
    fact, status, same, off = min(pool, key=lambda row: (row[3], row[0].nature != "observation"))
    if needs_near and off > math.log(1.5):
        return related(claim, context, [row[0] for row in sorted(rows, key=lambda r: r[3])[:3]])
    right = [row for row in rows if row[1] == "consistent" and (row[2] or row[0].nature == "observation")]
    if not timely or (status != "consistent" and right):
        fact, status, same, off = min(right, key=lambda row: row[3], default=(fact, status, same, off))
        ahead = when is not None and context.on is not None and when[0] > context.on
        if status == "consistent" and not same and not ahead:
            status = "stale"
        elif not timely:
            return related(claim, context, [row[0] for row in sorted(rows, key=lambda r: r[3])[:3]])
    slots: dict[str, Status] = {"figure": status}
    if period_slot and period_slot in claim.slots and claim.slots[period_slot].asked:
        slots[period_slot] = "imprecise"
    if fact.nature in {"forecast", "plan", "target", "guidance"} and claim.modality == "asserted":
        slots["modality"] = "imprecise"
    return _on_fact(claim, context, fact, status, slots)


def _lately(rows: list[tuple[Any, Status, bool, float]], on: str | None) -> list[tuple[Any, Status, bool, float]]:
    """Of facts the ones about the year and a half before an article and what lies ahead of it: a claim without a date is
    about its own time."""
    if on is None:
        return rows
    return [row for row in rows if days_between(days_of_fact(row[0])[1], on) <= 550]


def _row(
    claim: Claim, context: Context, fact: Any, scale: float, when: tuple[str, str] | None, fiscal: bool
) -> tuple[Any, Status, bool, float] | None:
    """A fact, how the claim compares with it, whether it is of the same period, and how far off in logarithms; None
    where no exchange rate is known."""
    figure = context.figure(claim)
    assert figure is not None
    value, span = context.value(claim) * scale, tuple(bound * scale for bound in context.claimed(claim))
    if figure.type == "money":
        day = days_of_fact(fact)[0]
        rate = context.convert(1.0, figure.unit, fact.value.unit, day)
        if rate is None:
            return None
        value, span = value * rate, (span[0] * rate * 0.98, span[1] * rate * 1.02)
    period = days_of_fact(fact)
    same = when is None or (overlaps(when, period) and (not fiscal or alike(when, period)))
    off = abs(math.log(max(abs(value), 1e-12) / max(abs(fact.value.best), 1e-12)))
    return fact, compare((span[0], span[1]), fact.value.interval), same, off


def _on_fact(claim: Claim, context: Context, fact: Any, status: Status, slots: dict[str, Status]) -> Verdict:
    """The verdict of a claim on one fact."""
    figure = context.figure(claim)
    assert figure is not None
    decided, slot = decide(slots)
    quantity = fact.measure.replace("_", " ")
    claimed = Number("claimed", context.value(claim), figure.unit)
    name, value = f"{quantity}, {fact.item}, {fact.when}", fact.value
    known = Number(name, value.best, _plain(value.unit), value.low, value.high, fact.id)
    what = f"{fact.entity_text or fact.entity}, {quantity}, {fact.when}"
    evidence = (fact_evidence(fact, context.facts, status == "consistent"),)
    text = Text("compared", {"claimed": claimed, "known": known, "what": what})
    return Verdict(decided, slot, slots, (claimed, known), evidence, text, Text("change_fact"))


def days_of_fact(fact: Any) -> tuple[str, str]:
    """First and last day (ISO) that a fact is about."""
    return fact.start.isoformat(), fact.end.isoformat()


def alike(a: tuple[str, str], b: tuple[str, str]) -> bool:
    """Whether two periods are about as long."""
    return 0.67 <= (days_between(*a) + 1) / (days_between(*b) + 1) <= 1.5


def _plain(unit: str) -> str:
    return {"percent": "percent", "wafer/month": "wafer/month"}.get(unit, unit)


def subject(claim: Claim, context: Context) -> str:
    """Whom or what a claim is about, by name."""
    for name in ("company", "actor", "who", "vendor", "fab", "item", "owner", "holder"):
        if claim.value(name):
            return context.name(claim.value(name))
    return claim.frame


def related(claim: Claim, context: Context, facts: list[Any]) -> Verdict:
    """No fact for exactly this: what comes near is shown, and nothing is decided."""
    numbers = tuple(
        Number(
            f"{f.measure.replace('_', ' ')}, {f.item}, {f.when}",
            f.value.best,
            _plain(f.value.unit),
            f.value.low,
            f.value.high,
            f.id,
        )
        for f in facts
    )
    return Verdict(
        "unsupported",
        "figure",
        {"figure": "unsupported"},
        numbers,
        tuple(fact_evidence(f, context.facts) for f in facts),
        Text("related_only", {"what": subject(claim, context)}),
        Text("change_fact"),
    )
