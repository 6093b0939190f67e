"""Checks of rules, dates and durations: what was allowed on a day, when something happened, who made what."""

import re
from datetime import date, timedelta
from typing import Any

from chipweir.evidence._checks._context import Context, days_between, days_of
from chipweir.evidence._checks._hardware import missing
from chipweir.evidence._frames import Claim
from chipweir.evidence._verdict import (
    Evidence,
    Number,
    Status,
    Text,
    Verdict,
    Worded,
    event_evidence,
)


# The first rule on AI chips and chip tools for China (Federal Register, 7 October 2022): the start that "the sanctions"
# of an article count from.
FIRST_RULE = "2022-10-07"


def check_rule_state(claim: Claim, context: Context) -> Verdict:
    """What an article says may be shipped, against the rules on the article's day and on the day it speaks of."""
    if (gap := missing(claim, "item")) is not None:
        return gap
    from chipweir.evidence._checks._rulestate import judge

    return judge(claim, context)


def check_duration(claim: Claim, context: Context) -> Verdict:
    """A length of time since the controls began, against the days from the first rule to the article's date."""
    figure = context.figure(claim)
    if figure is None or claim.value("since") is None or claim.value("ago") != "up to now" or context.on is None:
        return Verdict("not_checkable", "of", text=Text("judgement"), change=Text("change_none"))
    days = {"year": 365.25, "month": 30.44, "week": 7.0, "day": 1.0}.get(figure.unit)
    if days is None:
        return Verdict("not_checkable", "figure")
    passed = days_between(FIRST_RULE, context.on) / days
    value = context.value(claim)
    vague = figure.bound in {"ge", "gt", "approx"}
    status: Status = "consistent" if value * 0.85 <= passed < value + (1.0 if vague else 0.5) else "contradicted"
    then = (date.fromisoformat(FIRST_RULE) + timedelta(days=value * days)).isoformat()
    return Verdict(
        status,
        "figure",
        {"figure": status},
        (
            Number("claimed", value, figure.unit),
            Number("time since the first rule", passed, figure.unit, source="arithmetic"),
        ),
        (
            Evidence(
                "arithmetic",
                "elapsed",
                f"{FIRST_RULE} to {context.on}: {passed:.2f} {figure.unit}s",
                supports=status == "consistent",
            ),
        ),
        Text("duration", {"start": FIRST_RULE, "on": context.on, "passed": passed, "then": then[:7]}),
        Text("change_none"),
    )


def check_event(claim: Claim, context: Context) -> Verdict:
    """A dated event against release dates and the event list: the day must fall in what the words allow."""
    when = context.time(claim, "date")
    if when is None:
        return Verdict(
            "not_checkable",
            "date",
            text=Text("missing_slots", {"slots": ("date",)}),
            change=Text("change_slot", {"slot": "date"}),
        )
    found = _dated(claim, context, when)
    if found is None:
        return Verdict("not_checkable", "item", text=Text("no_event"), change=Text("change_event"))
    day, evidence = found
    off = 0 if when[0] <= day <= when[1] else min(abs(days_between(day, edge)) for edge in when)
    status: Status = "consistent" if off == 0 else "imprecise" if off <= 31 else "contradicted"
    return Verdict(
        status,
        "date",
        {"date": status},
        (Number("days off", float(off), "day", source="arithmetic"),),
        (evidence,),
        Text("event", {"day": day, "span": _span(when), "off": float(off), "what": evidence.text}),
        Text("change_event"),
    )


def _span(when: tuple[str, str]) -> str:
    return when[0] if when[0] == when[1] else f"{when[0]}~{when[1]}"


def _release(record: Any) -> Worded:
    return Worded.of(f"{record.name}: release {record.release}", f"{record.name}: 출시 {record.release}")


def _dated(claim: Claim, context: Context, when: tuple[str, str]) -> tuple[str, Evidence] | None:
    """The day on record nearest to the claim: a release of the thing named, or an event shared by two of its names."""
    options: list[tuple[int, str, Evidence]] = []
    item, action = claim.value("item"), claim.value("action")
    record = context.facts.chips.get(item) or context.facts.systems.get(item) or context.facts.models.get(item)
    if (
        action == "released"
        and record is not None
        and not re.search(r"판매|재개|수출|sell|sale|export|出口|销售", context.page.words(claim.sentence))
    ):
        span = days_of(record.release)
        if span is not None:
            day = span[0] if span[0] == span[1] else max(span[0], min(span[1], when[0]))
            kind: Any = (
                "model" if item in context.facts.models else "system" if item in context.facts.systems else "chip"
            )
            options.append(
                (
                    _distance(day, when),
                    day,
                    Evidence(kind, item, _release(record), as_of=record.release, supports=None),
                )
            )
    names = _names_in(claim, context)
    for identity in frozenset[str]().union(*map(context.events_of, names)):
        event = context.facts.events[identity]
        if _distance(event.date, when) > 15:
            continue
        shared = _ties(event, names, context) + _acts(event, str(action))
        if shared >= 2 and _by_actor(event, claim, context):
            options.append(
                (_distance(event.date, when) - 2 * (shared - 2), event.date, event_evidence(event, context.facts))
            )
    if not options:
        return None
    _, day, evidence = min(options, key=lambda o: (o[0], o[1], o[2].id))
    return (day, evidence) if _distance(day, when) <= 120 else None


def _names_in(claim: Claim, context: Context) -> list[str]:
    names = [str(name) for name in claim.value("with") or ()]
    return [name for name in names if name not in {"china", "united-states", "south-korea"}] + [
        n for n in names if n in {"china"}
    ]


def _ties(event: Any, names: list[str], context: Context) -> int:
    """How strongly a sentence's names tie it to an event; all governments and people of one country count once."""
    sides: dict[str, int] = {}
    for name in names:
        entity = context.facts.entities.get(name)
        side = (
            f"side:{entity.country}" if entity is not None and entity.kind in {"country", "agency", "person"} else name
        )
        sides[side] = max(sides.get(side, 0), _weight(event, name, context))
    things = [weight for side, weight in sides.items() if not side.startswith("side:")]
    return sum(sides.values()) if any(things) else 0


_ACTS = {
    "listed": re.compile(r"\blisting|\bIPO|\blists?\b", re.I),
    "took effect": re.compile(r"in force|in effect|takes effect", re.I),
}


def _acts(event: Any, action: str) -> int:
    """Whether what an event tells is what the sentence says was done."""
    return int(action in _ACTS and bool(_ACTS[action].search(event.description)))


def _weight(event: Any, name: str, context: Context) -> int:
    """How much a shared name ties a sentence to an event: a named plan, law or meeting is enough by itself."""
    if not _speaks_of(event, name, context):
        return 0
    entity = context.facts.entities.get(name)
    return 2 if entity is not None and entity.kind in {"programme", "law", "event", "document"} else 1


def _by_actor(event: Any, claim: Claim, context: Context) -> bool:
    """Whether the one who acts in the sentence takes part in the event; people and governments pass for their side."""
    actor = claim.value("actor")
    entity = context.facts.entities.get(actor) if isinstance(actor, str) else None
    if entity is None or entity.kind not in {"company", "lab"}:
        return True
    return _speaks_of(event, str(actor), context)


def _speaks_of(event: Any, identifier: str, context: Context) -> bool:
    return event.id in context.events_of(identifier)


def _distance(day: str, when: tuple[str, str]) -> int:
    return 0 if when[0] <= day <= when[1] else min(abs(days_between(day, edge)) for edge in when)


def check_maker(claim: Claim, context: Context) -> Verdict:
    """Who is said to be behind a model or chip, against its maker and that maker's parents; an ambiguous list is not
    called wrong."""
    item, named = claim.value("item"), claim.value("makers") or ()
    record = context.facts.models.get(item) or context.facts.chips.get(item) or context.facts.systems.get(item)
    if record is None:
        return Verdict(
            "unsupported", "item", text=Text("no_fact", {"what": context.name(item)}), change=Text("change_fact")
        )
    family = _family(context, record.maker)
    right = [name for name in named if name in family or _family(context, name) & family - {""}]
    backed = claim.value("relation") == "backed"
    status: Status = "consistent" if right else "ambiguous" if backed or len(named) > 1 else "contradicted"
    evidence = Evidence(
        "model" if item in context.facts.models else "chip",
        item,
        f"{record.name}: maker {context.name(record.maker)}",
        as_of=record.release,
        supports=status == "consistent",
    )
    return Verdict(
        status,
        "makers",
        {"makers": status},
        (),
        (evidence,),
        Text(
            "maker",
            {"item": context.name(item), "maker": context.name(record.maker), "named": context.name(tuple(named))},
        ),
        Text("change_slot", {"slot": "makers"}),
    )


def _family(context: Context, name: str) -> set[str]:
    result, at = set(), name
    while at and at not in result:
        result.add(at)
        entity = context.facts.entities.get(at)
        at = entity.parent if entity is not None else ""
    return result
