"""Checks of facts by their keys: unit and dims against the measure, wording against dates, sums, shares, choices."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from chipweir.errors import InputError
from chipweir.facts._checks import check
from chipweir.facts._facts import Facts, rank
from chipweir.facts._period import Period, period
from chipweir.facts._records import Fact
from chipweir.facts._rows import calendar


def whole(fact: Fact) -> float:
    """What all of something is in the unit of the fact: 100 percent, or 1."""
    return 100.0 if fact.value.unit == "percent" else 1.0


@check
def measures(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """A fact is in a unit that can measure its measure, with dims, entity and item of the kinds that measure has."""
    from chipweir.facts._units import fits, parses

    for row in facts.measures.values():
        if not parses(row.unit):
            yield row.id, row.origin, f"unit '{row.unit}' is unknown"
    for fact in facts.facts.values():
        row = facts.measures[fact.measure]
        if fact.value.unit != "text" and not fits(fact.value.unit, row.unit):
            yield fact.id, fact.origin, f"'{fact.value.unit}' cannot measure {row.id} ({row.unit or 'number'})"
        if odd := sorted(set(fact.dims) - set(row.dims)):
            yield fact.id, fact.origin, f"{row.id} has no dim '{odd[0]}'; it has {', '.join(row.dims) or 'none'}"
        for what, name, kinds in (
            ("entity", fact.entity, row.entity_kinds),
            ("item", fact.item_id, row.item_kinds),
        ):
            found = facts.entities.get(name)
            if found is not None and kinds and found.kind not in kinds:
                yield fact.id, fact.origin, f"{what} '{name}' is a {found.kind}; {row.id} is of {', '.join(kinds)}"


@check
def wording(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """A period as written means the days of its row, wherever the words name a time."""
    for fact in facts.facts.values():
        if not fact.as_written:
            continue
        try:
            read = period(fact.as_written, calendar(fact.entity, facts.calendars, facts.entities) or "", fact.known_by)
        except InputError:
            continue
        if read.start != fact.start or (read.end != fact.end and not read.open):
            yield fact.id, fact.origin, f"'{fact.as_written}' is {read.text}, not {fact.span.text}"


@check
def same_as(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """A fact said to be the same as another is of the same measure and month, and its number lies near."""
    for fact in facts.facts.values():
        other = facts.facts.get(fact.same_as)
        if not fact.same_as:
            continue
        if other is None:
            yield fact.id, fact.origin, f"is the same as '{fact.same_as}', which does not exist"
        elif fact.measure != other.measure or not _within(fact.span, other.span, days=31):
            yield fact.id, fact.origin, f"is no {other.measure} of {other.when} as {other.id} is"
        elif not _near(fact, other):
            yield fact.id, fact.origin, f"is {fact.value.reported}, {other.id} is {other.value.reported}"


def _within(one: Period, other: Period, days: int) -> bool:
    reach = timedelta(days=days)
    return one.start - reach <= other.end and other.start - reach <= one.end


def _near(one: Fact, other: Fact) -> bool:
    low, high = other.value.interval
    return 0.9 * min(low, high) <= one.value.best <= 1.1 * max(low, high)


@check
def confidence(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """What was recalled and not looked up is never of confidence A."""
    for fact in facts.facts.values():
        source = facts.sources.get(fact.value.source)
        if source is not None and source.recalled and fact.value.confidence == "A":
            yield fact.id, fact.origin, f"is recalled ({source.title}), yet of confidence A"


@check
def period_sums(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Months, quarters and halves make the whole they fill, fiscal or calendar, within 3 percent or its own range."""
    for group in _observed(facts, "sum").values():
        for total in group:
            if total.span.days < 170 or total.nature != "observation":
                continue
            for parts in _fillings(total.span, group):
                made = sum(part.value.best for part in parts)
                low, high = total.value.interval
                best = total.value.best
                within = min(low, 0.97 * best) <= made <= max(high, 1.03 * best)
                if not within and abs(made - best) > 0.03 * abs(best):
                    names = f"{parts[0].when} to {parts[-1].when}"
                    yield (
                        total.id,
                        total.origin,
                        f"{total.when} is {best:g}, but {names} make {made:g} {total.value.unit}",
                    )


def _observed(facts: Facts, adds: str) -> dict[tuple[object, ...], list[Fact]]:
    """Observations by key, words and unit, of the measures that add up as `adds`."""
    groups: dict[tuple[object, ...], list[Fact]] = defaultdict(list)
    for fact in facts.facts.values():
        if fact.nature == "observation" and not fact.same_as and facts.measures[fact.measure].adds == adds:
            groups[(*fact.key, fact.value.unit)].append(fact)
    return groups


def _fillings(whole_span: Period, group: Sequence[Fact]) -> Iterator[list[Fact]]:
    """The chains of months, of quarters and of halves that fill a period without a gap, the best fact for each."""
    for shortest, longest in ((28, 31), (84, 98), (175, 190)):
        best: dict[object, Fact] = {}
        for fact in sorted(group, key=lambda fact: rank(fact.value)):
            if shortest <= fact.span.days <= longest:
                best.setdefault(fact.start, fact)
        parts: list[Fact] = []
        day = whole_span.start
        while (part := best.get(day)) is not None and part.end <= whole_span.end:
            parts.append(part)
            day = part.end + timedelta(days=1)
        if len(parts) > 1 and parts[-1].end == whole_span.end:
            yield parts


@check
def share_sums(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Shares of one whole in one period by one source do not add up to more than all of it."""
    groups: dict[tuple[object, ...], list[Fact]] = defaultdict(list)
    for fact in facts.facts.values():
        across = _PARTS.get(fact.measure)
        if across is None or fact.same_as:
            continue
        keys = {"entity": fact.entity, "item": fact.item_id, **fact.dims}
        fixed = tuple(sorted((name, value) for name, value in keys.items() if name != across))
        groups[fact.measure, fixed, fact.start, fact.end, fact.nature, fact.value.source].append(fact)
    for group in groups.values():
        across = _PARTS[group[0].measure]
        held = {_part(fact, across): fact for fact in group}
        total = sum(fact.value.best for fact in held.values())
        if len(held) > 1 and total > 1.015 * whole(group[0]):
            last = group[-1]
            names = ", ".join(fact.id for fact in group)
            yield last.id, last.origin, f"the shares {names} of {last.when} add up to {total:g} {last.value.unit}"


def _part(fact: Fact, across: str) -> str:
    return {"entity": fact.entity, "item": fact.item_id or fact.item}.get(across, fact.dims.get(across, ""))


# For each share the key along which its parts lie side by side.
_PARTS = {
    "market_share": "entity", "customer_share": "item", "compute_share": "entity", "export_share": "destination",
    "destination_share": "destination", "workload_share": "item", "import_dependence": "origin",
}  # fmt: skip


@check
def conflict_choices(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """What a conflict between facts chooses lies within what its sides say."""
    for conflict in facts.conflicts.values():
        chosen = facts.facts.get(conflict.preferred)
        sides = [facts.facts[name] for side in conflict.values for name in side.facts if name in facts.facts]
        alike = [fact.value for fact in sides if chosen and fact.value.unit == chosen.value.unit]
        if chosen is None or not alike:
            continue
        low = min(value.interval[0] for value in alike)
        high = max(value.interval[1] for value in alike)
        if not low <= chosen.value.best <= high:
            message = f"chooses {chosen.id} ({chosen.value.best:g}), outside {low:g} to {high:g}"
            yield conflict.id, conflict.origin, message
