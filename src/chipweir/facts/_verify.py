"""Named checks of everything loaded. A check is a function from `Facts` to findings; `CHECKS` lists them by name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from chipweir.facts import _verify_catalogue as _verify_catalogue  # registers its checks
from chipweir.facts._check_facts import whole
from chipweir.facts._checks import CHECKS as CHECKS
from chipweir.facts._checks import check
from chipweir.facts._facts import Facts
from chipweir.facts._known import dated
from chipweir.facts._records import CHIP_UNITS, SYSTEM_UNITS, Chip, System, Value


# What is published in the last week of a period is of the period.
LENIENCE = timedelta(days=7)


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
    for record, wanted in measured(facts):
        for quantity, found in record.values.items():
            for value in found:
                if value.unit != wanted[quantity]:
                    message = f"{quantity} is in '{value.unit}', which cannot measure {wanted[quantity]}"
                    yield f"{record.id}.{quantity}", value.origin, message


def measured(facts: Facts) -> Iterator[tuple[Chip | System, dict[str, str]]]:
    """Chips and systems with the units of their quantities."""
    for chip in facts.chips.values():
        yield chip, CHIP_UNITS
    for system in facts.systems.values():
        yield system, SYSTEM_UNITS


@check
def ranges(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """low <= central <= high; physical quantities are not negative; shares lie within 0 and 100 percent."""
    for identifier, value in values(facts):
        stated = any(bound is not None for bound in (value.low, value.central, value.high))
        if stated and not value.ordered:
            yield identifier, value.origin, f"low <= central <= high does not hold: {value.reported}"
    for record, _ in measured(facts):
        for quantity, found in record.values.items():
            for value in found:
                if value.interval[0] < 0 or (value.best == 0 and quantity != "hbm_stacks"):
                    yield f"{record.id}.{quantity}", value.origin, f"{quantity} of {value.reported} is impossible"
    for fact in facts.facts.values():
        low, high = fact.value.interval
        if facts.measures[fact.measure].kind == "share" and not (low >= 0 and high <= whole(fact)):
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
    for calendar in facts.calendars.values():
        yield calendar.entity, "calendars.csv", "entity", calendar.entity
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


@check
def dates(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Dates are real, observations are published after their period began, and nothing ends before it starts."""
    for fact in facts.facts.values():
        told = fact.value.published
        if told and dated(told) is None:
            yield fact.id, fact.origin, f"published '{told}' is no date"
        elif fact.nature == "observation" and told and fact.known_by < fact.start:
            yield fact.id, fact.origin, f"observed in {fact.when} but published {told}, before that began"
    for price in facts.prices.values():
        since, until = dated(price.valid_from), dated(price.valid_to)
        if since and until and since.start > until.end:
            yield price.id, price.origin, f"valid from {price.valid_from} to {price.valid_to}"
    for event in facts.events.values():
        if dated(event.date) is None:
            yield event.id, event.origin, f"{event.date} is no day of the calendar"
    for system in facts.systems.values():
        chip = facts.chips.get(system.chip)
        mine, its = dated(system.release), dated(chip.release) if chip else None
        if chip and mine and its and mine.end < its.start:
            yield system.id, system.origin, f"released {system.release}, before its chip {chip.id} ({chip.release})"
    for chip in facts.chips.values():
        when = dated(chip.release)
        if chip.status == "shipped" and when and when.start > facts.latest:
            yield chip.id, chip.origin, f"shipped, yet released {chip.release}"


@check
def early_observations(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """An amount observed over a whole year, half or quarter is not published before that has ended."""
    for fact in facts.facts.values():
        adds_up = facts.measures[fact.measure].adds == "sum"
        if not adds_up or fact.nature != "observation" or not 85 <= fact.span.days <= 371:
            continue
        if fact.value.published and fact.known_by < fact.end - LENIENCE:
            yield fact.id, fact.origin, f"{fact.measure} observed over {fact.when} but published {fact.value.published}"


@check
def duplicates(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """No fact, event or price stands twice under different ids, and no name means two records of one kind unsaid."""
    seen: dict[tuple[object, ...], str] = {}
    keys: list[tuple[str, str, tuple[object, ...]]] = [
        (f.id, f.origin, (*f.key, f.item, f.start, f.end, f.nature, f.value.interval, f.known_by))
        for f in facts.facts.values()
        if not f.same_as
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
