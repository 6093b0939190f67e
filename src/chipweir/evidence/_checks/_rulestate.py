"""What may be shipped on a day, from the rule engine, beside what an article says may be."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from chipweir.errors import InputError
from chipweir.evidence._checks._context import Context, days_between
from chipweir.evidence._frames import Claim, read_data
from chipweir.evidence._verdict import Evidence, Status, Text, Verdict, dated_event, decide, event_evidence


# What each answer of the rule engine allows an article to say. A case-by-case review is neither a ban nor free sale.
_FITS: dict[str, dict[str, Status]] = {
    "banned": {
        "denial": "consistent",
        "licence, policy not stated": "consistent",
        "case by case": "imprecise",
        "approval": "contradicted",
        "exception": "contradicted",
        "free": "contradicted",
    },
    "allowed": {
        "denial": "contradicted",
        "licence, policy not stated": "imprecise",
        "case by case": "imprecise",
        "approval": "consistent",
        "exception": "consistent",
        "free": "consistent",
    },
    "not banned": {
        "denial": "contradicted",
        "licence, policy not stated": "consistent",
        "case by case": "consistent",
        "approval": "consistent",
        "exception": "consistent",
        "free": "consistent",
    },
    "no licence required": {
        "denial": "contradicted",
        "licence, policy not stated": "contradicted",
        "case by case": "contradicted",
        "approval": "contradicted",
        "exception": "consistent",
        "free": "consistent",
    },
    "licence required": {
        "denial": "consistent",
        "licence, policy not stated": "consistent",
        "case by case": "consistent",
        "approval": "consistent",
        "exception": "imprecise",
        "free": "contradicted",
    },
}


# What a state that is no more says of one told as a cause or a date.
_ONCE: dict[Status, Status] = {"stale": "consistent", "contradicted": "unsupported"}


def judge(claim: Claim, context: Context) -> Verdict:
    """The state of an item for a destination: on the article's day, and on the days it held before, so that a state
    that has passed is called stale rather than wrong."""
    item, worded = str(claim.value("item")), str(claim.value("state"))
    said = worded.removeprefix("past ")
    place = _destination(claim, context)
    events = _turns(context, item)
    when = context.time(claim, "date")
    day = _day(context, when)
    slots: dict[str, Status] = {}
    if place is None:
        slots["destination"] = "not_checkable"
        place = "CN"
    if day is None:
        words = Text("rule_no_date", {"item": context.name(item), "turns": _turns_text(events)})
        told = tuple(event_evidence(e, context.facts) for e in events)
        slots["date"] = "ambiguous"
        command = _command(item, place, None)
        return Verdict(
            "ambiguous", "date", slots, (), told, words, Text("change_slot", {"slot": "date"}), command=command
        )
    chip = _catalogued(context, item)
    now = answer(chip, place, day) if chip else None
    if now is None:
        words = Text("rule_unknown", {"item": context.name(item), "date": day})
        told = tuple(event_evidence(e, context.facts) for e in events)
        return Verdict(
            "not_checkable", "item", slots, (), told, words, Text("change_rule"), command=_command(item, place, day)
        )
    assert chip is not None
    past = [e for e in events if e.date <= day]
    slots["state"] = _status(
        said, now["state"], past, lambda: _held_before(chip, place, day, said, [e.date for e in past])
    )
    if worded != said:  # the cause of something past need not hold any more
        slots = {"state": _ONCE.get(slots["state"], slots["state"])}
    status, slot = decide(slots)
    evidence = [Evidence("rule", now["rule"], now["text"], now["source"], as_of=day, supports=status == "consistent")]
    evidence += [event_evidence(e, context.facts) for e in past[-3:]]
    return Verdict(
        status,
        slot,
        slots,
        (),
        tuple(evidence),
        Text(
            "rule_state" if past else "rule_state_plain",
            {
                "item": context.name(item),
                "place": context.name(place),
                "date": day,
                "said": said,
                "state": now["state"],
                "turns": _turns_text(past[-3:]),
            },
        ),
        Text("change_rule"),
        tuple(_import_note(now)),
        command=_command(chip, place, day),
    )


def _turns_text(events: list[Any]) -> tuple[str, ...]:
    """The turns of events in words."""
    return tuple(dated_event(e, " ") for e in events) or ("-",)


_OPENED = re.compile(
    r"licences will be granted|allowed|resum|case-by-case|cleared|withdrawn|eased|approv", re.IGNORECASE
)
_CLOSED = re.compile(
    r"licen[cs]e requirement|\bban|denied|revoked|may not enter|stop|barred|prohibit|told to", re.IGNORECASE
)


def _status(said: str, state: str, past: list[Any], held: Callable[[], bool]) -> Status:
    """Whether a state is right, was right once, or never: the last turn of events decides where the rules leave room.

    A licence that is needed but promised lets an article say "allowed" and makes "banned" stale.
    """
    status = _FITS.get(said, {}).get(state, "ambiguous")
    turns = [
        (e, bool(_OPENED.search(e.description)), bool(_CLOSED.search(e.description)))
        for e in past
        if e.type != "demand_control"
    ]
    last = next(((opened, closed) for _, opened, closed in reversed(turns) if opened != closed), None)
    opened_last = last is not None and last[0]
    licence = state in {"case by case", "licence, policy not stated", "approval"}
    if said == "banned" and licence and opened_last:
        return "stale"
    if said == "allowed" and licence:
        return "consistent" if opened_last else "stale" if any(opened for _, opened, _ in turns) else "imprecise"
    if said == "allowed" and state == "denial" and opened_last:
        return "imprecise"  # announced, but the rule itself had not changed yet
    if status == "contradicted" and (said == "banned" or state == "denial") and held():
        return "stale"
    if status == "imprecise" and said == "banned" and held():
        return "stale"
    return status


def _command(item: str, place: str, day: str | None) -> str:
    if item == "hbm":
        return ""
    return f"chipweir licence {item} --to {place}" + (f" --on {day}" if day else "")


def _destination(claim: Claim, context: Context) -> str | None:
    value = claim.value("destination")
    entity = context.facts.entities.get(value) if isinstance(value, str) else None
    if entity is not None and entity.country:
        return str(entity.country)
    return value.upper() if isinstance(value, str) and len(value) == 2 else None


def _day(context: Context, when: tuple[str, str] | None) -> str | None:
    """The day a statement is about: the article's, unless it speaks of a date of its own before that."""
    if when is not None and context.on is not None and days_between(when[1], context.on) > 92:
        return when[1]
    return context.on or (when[1] if when else None)


def _catalogued(context: Context, item: str) -> str | None:
    """The chip that stands for an item: itself, or the chip of a system."""
    if item in context.facts.chips or item == "hbm":
        return item
    system = context.facts.systems.get(item)
    return system.chip if system is not None else None


def _turns(context: Context, item: str) -> list[Any]:
    """Events about an item that changed what may be shipped, in order."""
    name = context.name(item).split()[-1] if item not in context.facts.entities else context.name(item)
    short = re.sub(r"^[a-z]+-", "", item).split("-")[0]
    rows = [
        e
        for e in context.facts.events.values()
        if e.type in {"export_control", "demand_control", "law", "policy"}
        and re.search(rf"(?<![A-Za-z0-9])(?:{re.escape(name)}|{re.escape(short)})(?![A-Za-z0-9])", e.description, re.I)
    ]
    return sorted(rows, key=lambda e: e.date)


def _held_before(chip: str, place: str, day: str, said: str, turns: list[str]) -> bool:
    """Whether the state an article names held just before one of the turns of the past two years."""
    first = (date.fromisoformat(day) - timedelta(days=730)).isoformat()
    for turn in turns:
        if turn < first:
            continue
        for probe in ((date.fromisoformat(turn) - timedelta(days=1)).isoformat(), turn):
            then = answer(chip, place, probe)
            if probe < day and then is not None and _FITS.get(said, {}).get(then["state"]) == "consistent":
                return True
    return False


def _import_note(now: dict[str, str]) -> list[Text]:
    return (
        [Text("import_stance", {"stance": now["stance"]})]
        if now.get("stance") and now["stance"] not in {"open", "unknown", ""}
        else []
    )


def _item(chip: str) -> Any:
    """A chip of the catalogue, or an HBM stack by its bandwidth density."""
    from chipweir.rules import Item

    if chip == "hbm":
        return Item.of({"spec": "hbm", "mbd": read_data("background.yaml")["hbm_density"]["value"]})
    return Item.of(chip)


@lru_cache(maxsize=512)
def answer(chip: str, place: str, day: str) -> dict[str, str] | None:
    """What the rule engine says of a chip shipped from the United States to a recipient whose seat is in `place` (alpha-2)
    on a day: `state`, `rule`, `text`, `source`, `stance`; None where it cannot tell."""
    try:
        from chipweir.rules import Shipment
        from chipweir.rules import decide as ask
    except ImportError:
        return None
    try:
        decision = ask(Shipment(item=_item(chip), from_="US", to=place, hq=place, export_date=day))
    except InputError:
        return None
    return read(decision)


def read(decision: Any) -> dict[str, str] | None:
    """The parts of a decision that a claim is held against; None where the engine itself does not know.

    Where no text states a review policy, an article is held against what was in fact done.
    """
    from chipweir.rules import practice_of

    if decision.licence == "unknown":
        return None
    if decision.licence == "no":
        state = "free"
    elif decision.exception not in {"", "none", "n/a"}:
        state = "exception"
    else:
        state = _REVIEWS.get(practice_of(decision), "denial")
    rules = [found.rule for found in decision.requirements]
    cited = dict.fromkeys(source for step in decision.trace for source in step.sources)
    fee = f"; {decision.fee:.0%} of the price to the US government" if decision.fee else ""
    return {
        "state": state,
        "rule": rules[0] if rules else decision.basis or decision.eccn,
        "stance": decision.import_stance,
        "text": f"{decision.eccn}; licence: {decision.licence}; review: {decision.review}; outcome: {decision.outcome}{fee}",
        "source": ", ".join(list(cited)[:3]),
    }


_REVIEWS = {
    "presumption_of_denial": "denial",
    "denial": "denial",
    "policy_of_denial": "denial",
    "case_by_case": "case by case",
    "presumption_of_approval": "approval",
    "approval": "approval",
    "unspecified": "licence, policy not stated",
}
