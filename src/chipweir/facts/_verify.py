"""Named checks of everything loaded. A check is a function from `Facts` to findings; `CHECKS` lists them by name."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chipweir.facts import _verify_catalogue as _verify_catalogue  # registers its checks
from chipweir.facts._checks import CHECKS as CHECKS
from chipweir.facts._checks import check
from chipweir.facts._facts import Facts
from chipweir.facts._records import CHIP_UNITS, SYSTEM_UNITS, Chip, Fact, System, Value


@dataclass(frozen=True)
class Finding:
    """Something wrong: which check found it, in which record, where that stands, and what it is."""

    check: str
    id: str
    origin: str
    message: str
    excused: str = ""


def verify(facts: Facts, names: Iterable[str] | None = None) -> list[Finding]:
    """Findings of the named checks (all by default); known ones carry the reason that excuses them.

    An exception that excuses nothing is itself a finding, so that the list cannot rot.
    """
    reasons = {(exception["check"], exception["id"]): exception["reason"] for exception in facts.exceptions}
    wanted = list(CHECKS) if names is None else list(names)
    found = [
        Finding(name, identifier, origin, message, reasons.get((name, identifier), ""))
        for name in wanted
        for identifier, origin, message in CHECKS[name](facts)
    ]
    used = {(finding.check, finding.id) for finding in found}
    stale = [key for key in reasons if key not in used and key[0] in wanted]
    return found + [
        Finding("stale-exceptions", identifier, "exceptions.yaml", f"nothing to excuse under check '{name}'")
        for name, identifier in stale
    ]


def values(facts: Facts) -> Iterator[tuple[str, Value]]:
    """Every value with the id it goes by: a fact's or price's id, or `chip.quantity`."""
    for record in (*facts.chips.values(), *facts.systems.values()):
        for quantity, found in record.values.items():
            for value in found:
                yield f"{record.id}.{quantity}", value
    for fact in facts.facts.values():
        yield fact.id, fact.value
    for price in facts.prices.values():
        yield price.id, price.value


@check
def sources(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Every number, model and event has a source that the table of sources knows."""
    known = facts.sources
    cited = [(identifier, value.origin, value.source) for identifier, value in values(facts)]
    cited += [(model.id, model.origin, model.source) for model in facts.models.values()]
    cited += [(event.id, event.origin, event.source) for event in facts.events.values()]
    for identifier, origin, source in cited:
        if not source:
            yield identifier, origin, "has no source"
        elif source not in known:
            yield identifier, origin, f"cites source '{source}', which is not in the table of sources"
    for source_record in known.values():
        if not source_record.title.strip():
            yield source_record.id, source_record.origin, "source without a title"


@check
def units(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Every unit parses, and a quantity of a chip or system is in a unit that can measure it."""
    from chipweir.facts._units import parses

    known = {rule.unit for rule in facts.units.values() if parses(rule.unit)}
    for identifier, value in values(facts):
        if value.unit not in known and not parses(value.unit):
            yield identifier, value.origin, f"unit '{value.unit}' is unknown"
    for record, wanted in _measured(facts):
        for quantity, found in record.values.items():
            for value in found:
                if value.unit != wanted[quantity]:
                    message = f"{quantity} is in '{value.unit}', which cannot measure {wanted[quantity]}"
                    yield f"{record.id}.{quantity}", value.origin, message
    for fact in facts.facts.values():
        if _is_share(fact) and fact.value.unit not in ("percent", "", "text"):
            yield fact.id, fact.origin, f"a share or rate in '{fact.value.unit}'"


def _is_share(fact: Fact) -> bool:
    return fact.quantity.endswith(("_share", "utilisation", "yield"))


def _measured(facts: Facts) -> Iterator[tuple[Chip | System, dict[str, str]]]:
    for chip in facts.chips.values():
        yield chip, CHIP_UNITS
    for system in facts.systems.values():
        yield system, SYSTEM_UNITS


@check
def ranges(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """low <= central <= high; physical quantities are not negative; shares and yields lie within 0 and 100 percent."""
    for identifier, value in values(facts):
        stated = any(bound is not None for bound in (value.low, value.central, value.high))
        if stated and not value.ordered:
            yield identifier, value.origin, f"low <= central <= high does not hold: {value.reported}"
    for record, _ in _measured(facts):
        for quantity, found in record.values.items():
            for value in found:
                if value.interval[0] < 0 or (value.best == 0 and quantity != "hbm_stacks"):
                    yield f"{record.id}.{quantity}", value.origin, f"{quantity} of {value.reported} is impossible"
    for fact in facts.facts.values():
        low, high = fact.value.interval
        if _is_share(fact) and fact.value.unit == "percent" and not (low >= 0 and high <= 100):
            yield fact.id, fact.origin, f"{fact.value.reported} is outside 0 to 100 percent"


@check
def orphans(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Every id that a record names exists: chips, makers, entities, actors, parents, items, facts in conflicts."""
    for identifier, origin, what, named in _references(facts):
        if named and named not in facts.entities:
            yield identifier, origin, f"{what} '{named}' does not exist"
    for system in facts.systems.values():
        if system.chip not in facts.chips:
            yield system.id, system.origin, f"chip '{system.chip}' does not exist"
    codes = {"EU", *facts.countries}
    for entity in facts.entities.values():
        if entity.country and entity.country not in codes:
            yield entity.id, entity.origin, f"country '{entity.country}' does not exist"
    for key, loose in facts.unattached.items():
        yield key, loose[0].origin, f"values for '{key.rpartition('.')[0]}', which does not exist"
    for conflict in facts.conflicts.values():
        about = [*conflict.about, *(fact for side in conflict.values for fact in side.facts)]
        for reference in [*about, *([conflict.preferred] if conflict.preferred else [])]:
            if not _known(facts, reference):
                yield conflict.id, conflict.origin, f"names '{reference}', which does not exist"


def _references(facts: Facts) -> Iterator[tuple[str, str, str, str]]:
    for product in facts.products:
        yield product.id, product.origin, "maker", product.maker
    for fact in facts.facts.values():
        yield fact.id, fact.origin, "entity", fact.entity
        yield fact.id, fact.origin, "item", fact.item_id
    for event in facts.events.values():
        for actor in event.actor_ids:
            yield event.id, event.origin, "actor", actor
    for price in facts.prices.values():
        yield price.id, price.origin, "provider", price.provider_id
        yield price.id, price.origin, "item", price.item_id
    for entity in facts.entities.values():
        yield entity.id, entity.origin, "parent", entity.parent


def _known(facts: Facts, reference: str) -> bool:
    if reference in facts.facts or reference in facts.entities:
        return True
    owner, _, quantity = reference.rpartition(".")
    record = facts.chips.get(owner) or facts.systems.get(owner)
    return record is not None and quantity in record.values


_PERIOD = r"(\d{4})(?:-?Q([1-4])|-?H([12])|-(0[1-9]|1[0-2])(?!\d)(?:-(\d{2})(?!\d))?)?"
_ISO = re.compile(r"^\d{4}(-\d{2}(-\d{2})?)?$")


def first_day(text: str) -> str | None:
    """The first day of a period written as a date, month, quarter, half or year; None for words."""
    found = re.search(_PERIOD, text)
    if not found:
        return None
    year, quarter, half, month, day = found.groups()
    number = 3 * int(quarter) - 2 if quarter else 6 * int(half) - 5 if half else int(month or 1)
    return f"{year}-{number:02d}-{int(day or 1):02d}"


def last_day(text: str) -> str:
    """The last day that an ISO date, month or year may mean."""
    return text + {4: "-12-31", 7: "-31", 10: ""}.get(len(text), "")


@check
def dates(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Dates are real, observations are published after their period began, and nothing ends before it starts."""
    for fact in facts.facts.values():
        published = fact.value.published
        if published and not _ISO.match(published):
            yield fact.id, fact.origin, f"published '{published}' is not an ISO date"
            continue
        begins = first_day(fact.period) if fact.nature == "observation" else None
        if begins and published and last_day(published) < begins:
            yield fact.id, fact.origin, f"observed in {fact.period} but published {published}, before that began"
    for price in facts.prices.values():
        if price.valid_to and price.valid_from > price.valid_to:
            yield price.id, price.origin, f"valid from {price.valid_from} to {price.valid_to}"
    for event in facts.events.values():
        if not _real_day(event.date):
            yield event.id, event.origin, f"{event.date} is no day of the calendar"
    for system in facts.systems.values():
        chip = facts.chips.get(system.chip)
        if chip and _earlier(system.release, chip.release):
            yield system.id, system.origin, f"released {system.release}, before its chip {chip.id} ({chip.release})"
    for chip in facts.chips.values():
        if chip.status == "shipped" and (first_day(chip.release) or "") > facts.as_of:
            yield chip.id, chip.origin, f"shipped, yet released {chip.release}"


def _real_day(text: str) -> bool:
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _earlier(one: str, other: str) -> bool:
    begins = first_day(other)
    return bool(one and begins and _ISO.match(one) and last_day(one) < begins)


_SPAN = re.compile(r"^(\d{4})(?:-?Q([1-4])|-?H([12]))?$")


def end_of(period: str) -> str | None:
    """The last day of a year, half or quarter; None for anything else."""
    found = _SPAN.match(period)
    if not found:
        return None
    year, quarter, half = found.groups()
    return f"{year}-{3 * int(quarter) if quarter else 6 * int(half) if half else 12:02d}-28"


@check
def early_observations(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """An observation of a whole year, half or quarter is not published before that has ended."""
    for fact in facts.facts.values():
        ends, published = end_of(fact.period), fact.value.published
        if fact.value.unit == "text":
            continue
        if fact.nature == "observation" and ends and published and last_day(published) < ends:
            yield fact.id, fact.origin, f"{fact.quantity} observed over {fact.period} but published {published}"


@check
def period_sums(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Four quarters make the year, fiscal or calendar, within 3 percent, wherever all of them are known."""
    groups: dict[tuple[str, str, str], dict[str, Fact]] = defaultdict(dict)
    for fact in facts.facts.values():
        fiscal = re.match(r"^(FY\d\d)(Q[1-4])?\b", fact.item)
        calendar = re.match(r"^(\d{4})(Q[1-4])?$", fact.period)
        if fact.nature != "observation" or fact.value.unit == "percent" or not (fiscal or calendar):
            continue
        item = "" if fiscal else fact.item.replace("year", "").replace("quarter", "").strip()
        found = fiscal or calendar
        if found:
            groups[fact.entity, fact.quantity, f"{item}|{found[1]}"][found[2] or "year"] = fact
    for quarters in groups.values():
        if set(quarters) == {"year", "Q1", "Q2", "Q3", "Q4"}:
            total = quarters["year"]
            parts = sum(fact.value.best for name, fact in quarters.items() if name != "year")
            if abs(parts / total.value.best - 1) > 0.03:
                yield total.id, total.origin, f"the year is {total.value.best:g}, its quarters make {parts:g}"


@check
def duplicates(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """No fact, event or price stands twice under different ids, and no name means two records of one kind unsaid."""
    seen: dict[tuple[object, ...], str] = {}
    keys: list[tuple[str, str, tuple[object, ...]]] = [
        (f.id, f.origin, (f.entity, f.quantity, f.item, f.period, f.nature, f.value.source, f.value.interval))
        for f in facts.facts.values()
    ]
    keys += [(e.id, e.origin, (e.date, e.type, e.description)) for e in facts.events.values()]
    keys += [
        (
            p.id,
            p.origin,
            (p.kind, p.item, p.provider, p.metric, p.valid_from, p.valid_to, p.value.source, p.value.interval),
        )
        for p in facts.prices.values()
    ]
    for identifier, origin, key in keys:
        if key in seen:
            yield identifier, origin, f"says the same as {seen[key]}"
        seen.setdefault(key, identifier)
    for kind, index in facts.indices().items():
        for spelling, identifiers in index.ambiguous.items():
            yield spelling, kind, f"the {kind} name '{spelling}' means {', '.join(identifiers)}"
