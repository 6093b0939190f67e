"""Checks of making and money: yield, capacity, fabs, flows, units, revenue, funds, shares, growth."""

import math
import re
from typing import Any

from chipweir.evidence._checks._context import Context, kin, overlaps
from chipweir.evidence._checks._hardware import missing
from chipweir.evidence._checks._nearest import about, best_fact, days_later, days_of_fact
from chipweir.evidence._frames import Claim
from chipweir.evidence._verdict import (
    Evidence,
    Number,
    Status,
    Text,
    Verdict,
    compare,
    decide,
    fact_evidence,
    first,
    open_slots,
)


# Die areas (mm2) that a yield is tried against where the article names no product: a phone processor of 2023 (TechInsights;
# facts `conflicts`) and the largest Chinese AI die on record.
_SMALL_DIE = 110.0


def defects_per_cm2(share: float, area_mm2: float) -> float:
    """Defect density at which a die of `area_mm2` yields `share`: -ln(Y) / A (Poisson yield, A in cm2)."""
    return -math.log(share) / (area_mm2 / 100)


def check_yield(claim: Claim, context: Context) -> Verdict:
    """A yield is of a product on a node by a date. Where the product is open, all published yields and the defect
    density that the figure would need on a small and a large die are set beside it."""
    if (gap := missing(claim, "fab")) is not None:
        return gap
    node, product = claim.value("node"), claim.value("product")
    facts = [f for f in about(context, claim.value("fab"), "yield") if f.nature != "prior" and _same_node(f, node)]
    if product:
        facts = [f for f in facts if _mentions(f, context.name(product)) or f.item_id == product] or facts
    if not facts:
        return Verdict(
            "unsupported",
            "fab",
            text=Text("no_fact", {"what": context.name(claim.value("fab"))}),
            change=Text("change_fact"),
        )
    low, high = context.claimed(claim)
    statuses = {f.id: compare((low, high), (f.value.interval[0] / 100, f.value.interval[1] / 100)) for f in facts}
    agree = [f for f in facts if statuses[f.id] == "consistent"]
    independent = [f for f in agree if not _same_story(f, claim, context)]
    slots: dict[str, Status] = {"figure": "consistent" if independent else "unsupported" if agree else "contradicted"}
    slots |= dict.fromkeys(open_slots(claim, ("product", "node") if product is None else ()), "ambiguous")
    slots |= dict.fromkeys(open_slots(claim, ("date",)), "imprecise")
    if not claim.attribution or re.search(
        r"업계|industry|业内|業界|알려", claim.attribution + context.page.words(claim.sentence)
    ):
        slots["source"] = "unsupported"
    status, slot = decide(slots)
    share, dies = context.value(claim), (_SMALL_DIE, _largest_die(context))
    needed = [defects_per_cm2(share, area) for area in dies] if 0 < share < 1 else []
    numbers = [Number("claimed", share, "fraction"), *(_stated_yield(f) for f in facts)]
    numbers += [
        Number(f"defects needed at {area:.0f} mm2", density, "per cm2", source="arithmetic")
        for area, density in zip(dies, needed, strict=False)
    ]
    stated = [f.value.best / 100 for f in facts]
    evidence = tuple(fact_evidence(f, context.facts, statuses[f.id] == "consistent") for f in facts)
    words = {
        "low": Number("", min(stated), "fraction"),
        "high": Number("", max(stated), "fraction"),
        "small": Number("", dies[0], "mm2"),
        "large": Number("", dies[1], "mm2"),
        "d_small": needed[0] if needed else 0.0,
        "d_large": needed[1] if needed else 0.0,
    }
    return Verdict(status, slot, slots, tuple(numbers), evidence, Text("yield", words), Text("change_yield"))


def _stated_yield(fact: Any) -> Number:
    low, high = fact.value.interval
    return Number(f"{fact.item}, {fact.when}", fact.value.best / 100, "fraction", low / 100, high / 100, fact.id)


def _largest_die(context: Context) -> float:
    """The largest die (mm2) of a Chinese AI chip that is one die a package; that of the Ascend 910B if none is on record."""
    areas = [
        chip.die_mm2.best
        for chip in context.facts.chips.values()
        if chip.die_mm2 is not None
        and chip.maker_country == "CN"
        and (chip.dies_per_package is None or chip.dies_per_package.best == 1)
    ]
    return max(areas, default=666.0)


def _same_node(fact: Any, node: Any) -> bool:
    """Whether a yield fact may be of this node: it names the node, or a product or average with no other node."""
    if node is None:
        return True
    named = re.search(r"(\d+) ?nm", fact.item)
    return named is None or abs(float(named.group(1)) - float(node) * 1e9) < 0.6


def _mentions(fact: Any, name: str) -> bool:
    return name.casefold() in fact.item.casefold()


def _same_story(fact: Any, claim: Claim, context: Context) -> bool:
    """Whether a fact merely repeats what articles of the same days say: press, weak, same figure, same month."""
    return (
        (fact.rumour and context.on is not None and fact.value.published[:7] == context.on[:7])
        or (fact.rumour and fact.nature == "claim")
        or (fact.rumour and "claim" in fact.as_written)
    )


_OBJECTS = {
    "AI processors": r"AI|Ascend|accelerat",
    "process node": r"nm|node",
    "HBM": r"HBM",
    "memory": r"DRAM|NAND|memory",
    "legacy chips": r"28nm|mature|legacy",
}


def check_capacity_change(claim: Claim, context: Context) -> Verdict:
    """A change of capacity against planned multiples and against dated capacities; actor, object and year are judged
    apart from the factor."""
    figure = context.figure(claim)
    if figure is None:
        return Verdict("not_checkable")
    low, high = context.claimed(claim)
    if figure.unit == "fraction":
        low, high = 1 + low, 1 + high
    actor, target = claim.value("actor"), claim.value("object")
    options = [(f, f.value.interval) for f in context.facts.facts.values() if f.measure == "capacity_multiple"]
    options += _capacity_ratios(context, actor)
    own = [
        o
        for o in options
        if o[0].entity in kin(context.facts, actor)
        and (target is None or re.search(_OBJECTS.get(target, r"."), o[0].item))
    ]
    options = own or [o for o in options if _country(context, o[0].entity) in _countries(claim, context, actor)]
    if not options:
        return Verdict(
            "unsupported",
            "figure",
            text=Text("no_fact", {"what": context.name(actor or "?")}),
            change=Text("change_fact"),
        )
    near = own or [o for o in options if compare((low, high), o[1]) == "consistent"] or options
    fact, known = min(near, key=lambda o: abs((o[1][0] + o[1][1]) / 2 - (low + high) / 2))
    slots: dict[str, Status] = {"figure": compare((low, high), known)}
    if actor is None:
        slots["actor"] = "not_checkable"
    elif fact.entity not in kin(context.facts, actor) or (
        fact.entity in {"china"} and not re.search(r"government|state", fact.entity_text, re.I)
    ):
        slots["actor"] = "unsupported"
    if target and not re.search(_OBJECTS.get(target, r"$^"), fact.item):
        slots["object"] = "imprecise" if target == "semiconductors" else "contradicted"
    when = context.time(claim, "by")
    if when is None:
        slots["by"] = "imprecise"
    elif not overlaps(when, days_of_fact(fact)):
        slots["by"] = "stale"
    if fact.nature in {"plan", "target", "forecast"} and claim.modality == "asserted":
        slots["modality"] = "imprecise"
    return _capacity_verdict(claim, context, fact, known, slots)


def _capacity_verdict(
    claim: Claim, context: Context, fact: Any, known: tuple[float, float], slots: dict[str, Status]
) -> Verdict:
    """The verdict on a change of capacity held against one fact."""
    figure, actor = context.figure(claim), claim.value("actor")
    assert figure is not None
    status, slot = decide(slots)
    numbers = [
        Number("claimed", context.value(claim), "ratio" if figure.unit == "ratio" else "fraction"),
        Number(f"{fact.measure} {fact.item}", sum(known) / 2, "ratio", known[0], known[1], fact.id),
    ]
    numbers += _capacity_numbers(context, actor)
    notes = [text for text in [reconcile(context, claim)] if text]
    return Verdict(
        status,
        slot,
        slots,
        tuple(numbers),
        (fact_evidence(fact, context.facts, slots["figure"] == "consistent"),),
        Text(
            "capacity_change",
            {
                "claimed": numbers[0],
                "known": numbers[1],
                "who": fact.entity_text or fact.entity,
                "item": fact.item,
                "period": fact.when,
            },
        ),
        Text("change_capacity"),
        tuple(notes),
    )


def _country(context: Context, identifier: Any) -> str:
    entity = context.facts.entities.get(identifier)
    return entity.country if entity is not None else ""


def _countries(claim: Claim, context: Context, actor: Any) -> set[str]:
    """The country of who acts; where that is open, the countries named in the sentence and the one before it."""
    if actor is not None:
        return {_country(context, actor)} - {""}
    near = range(max(0, claim.sentence - 1), claim.sentence + 1)
    named = (context.page.found.entities[i].id for n in near for i in context.page.places["entities"][n])
    return {_country(context, one) for one in named} - {""}


def _capacity_ratios(context: Context, actor: Any) -> list[tuple[Any, tuple[float, float]]]:
    """Quotients of a firm's dated capacities for one kind of line, year on year."""
    rows = [
        (f, days_of_fact(f))
        for f in about(context, actor, "advanced_logic_capacity")
        if re.fullmatch(r"\d{4}", f.span.text)
    ]
    result = []
    for first_fact, start in rows:
        for later, end in rows:
            if int(end[0][:4]) == int(start[0][:4]) + 1 and later.item == first_fact.item:
                quotient = later.value.best / first_fact.value.best
                result.append((later, (quotient, quotient)))
    return result


def _capacity_numbers(context: Context, actor: Any) -> list[Number]:
    return [
        Number(f"{f.item}, {f.when}", f.value.best, "wafer/month", f.value.low, f.value.high, f.id)
        for f in about(context, actor, "advanced_logic_capacity")
        if f.nature != "prior"
    ][:4]


def reconcile(context: Context, claim: Claim) -> Text | None:
    """Whether a doubling by one firm and new fabs larger than it add up to the multiple claimed for all.

    If the firm grows from 1 to `factor` and the fabs add more than 1 (as much as the firm makes now), the whole is more
    than `factor + 1` times the old output.
    """
    growth = first(
        f
        for f in context.facts.facts.values()
        if f.measure == "capacity_multiple" and f.dims.get("of") == "advanced_logic_capacity"
    )
    fabs = first(f for f in context.facts.facts.values() if f.measure == "new_fabs")
    if growth is None or fabs is None:
        return None
    factor, claimed = growth.value.best, context.value(claim)
    total = factor + 1
    other = total if abs(claimed - factor) < abs(claimed - total) else factor
    return Text(
        "reconcile", {"factor": factor, "fabs": fabs.value.best, "total": total, "claimed": claimed, "other": other}
    )


def check_fab_count(claim: Claim, context: Context) -> Verdict:
    """A number of fabs against the fact base; who owns them is a slot with its own verdict."""
    facts = [f for f in context.facts.facts.values() if f.measure == "new_fabs"]
    owner = claim.value("owner")
    if not facts:
        return Verdict("unsupported", "figure", text=Text("no_fact", {"what": "fabs"}), change=Text("change_fact"))
    fact = facts[0]
    count = context.value(claim)
    siblings = {c.id: context.value(c) for c in context.near(claim)}
    total = fact.value.best
    named = {_WORDS[word] for word in re.findall(r"[a-z]+", fact.when) if word in _WORDS}
    started = count < total and claim.value("stage") == "start of production"
    part = started or count in named or _splits(count, total, list(siblings.values()))
    slots: dict[str, Status] = {"figure": "consistent" if count == total or part else "contradicted"}
    if owner is None:
        slots["owner"] = "not_checkable"
    elif owner not in {fact.entity, "huawei-dedicated-fabs"}:
        slots["owner"] = (
            "unsupported"
            if str(owner) in fact.entity or ("not confirmed" in fact.value.note.lower() and owner == "huawei")
            else "contradicted"
        )
    when = context.time(claim, "by")
    years = re.findall(r"20\d\d", fact.when)
    if when is None:
        slots["by"] = "imprecise"
    elif years and not any(when[0][:4] <= year <= when[1][:4] for year in years):
        slots["by"] = "contradicted"
    status, slot = decide(slots)
    arithmetic = Evidence(
        "arithmetic", "sum", f"fabs named: {', '.join(f'{v:g}' for v in siblings.values())}; on record: {total:g}"
    )
    return Verdict(
        status,
        slot,
        slots,
        (
            Number("claimed", count, "fab"),
            Number("fabs on record", total, "fab", fact.value.low, fact.value.high, fact.id),
        ),
        (fact_evidence(fact, context.facts, slots["figure"] == "consistent"), arithmetic),
        Text("fabs", {"count": total, "note": fact.value.note, "period": fact.when}),
        Text("change_owner"),
    )


# Numbers that the period of a fact spells out ("one end-2025, two in 2026"): parts of its total.
_WORDS = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0}


def _splits(count: float, total: float, named: list[float]) -> bool:
    return total in named and (total - count) in {n for n in named if n != total} | {1.0}


def check_flow(claim: Claim, context: Context) -> Verdict:
    """A smuggled or traded value against dated facts: amount, bound, goods and window are judged apart; and what the
    money buys in chips at the street price."""
    figure = context.figure(claim)
    if figure is None:
        return Verdict("not_checkable")
    if claim.value("channel") not in {"smuggling", "diversion"}:
        return _check_trade(claim, context)
    money = figure.type == "money"
    wanted = "smuggled_value" if money else "units_smuggled"
    facts = list(about(context, "chip-smuggling-china", wanted))
    if not facts:
        return Verdict("unsupported", "figure", text=Text("no_fact", {"what": "smuggling"}), change=Text("change_fact"))
    day = context.on
    amounts = {
        f.id: context.convert(context.value(claim), figure.unit, f.value.unit, day) if money else context.value(claim)
        for f in facts
    }
    fact = min(facts, key=lambda f: (abs(math.log(max(amounts[f.id] or 1.0, 1e-9) / f.value.best)), f.value.published))
    known = fact.value
    rate = (amounts[fact.id] or 0.0) / context.value(claim) if context.value(claim) else 1.0
    low, high = context.claimed(claim)
    slots: dict[str, Status] = {"figure": compare((low * rate, high * rate), _at_least(fact))}
    if "at least" in known.note.lower() and figure.bound not in {"ge", "gt"}:
        slots["bound"] = "imprecise"
    goods = claim.value("goods")
    if goods in context.facts.chips and re.search(r"mix|NVIDIA|class|,|/", fact.item):
        slots["goods"] = "imprecise"
    slots |= _window(claim, context, fact)
    status, slot = decide(slots)
    bought = buys(
        context,
        amounts[fact.id] if money and fact.value.unit == "USD" else None,
        goods if goods in context.facts.chips else "nvidia-b200",
    )
    numbers = (
        Number("claimed", context.value(claim), figure.unit),
        Number(fact.item, known.best, known.unit, known.low, known.high, fact.id),
        *bought,
    )
    return Verdict(
        status,
        slot,
        slots,
        numbers,
        (fact_evidence(fact, context.facts, slots["figure"] == "consistent"), *_buys_evidence(context, bought)),
        Text(
            "flow",
            {
                "known": Number("", known.best, known.unit),
                "item": fact.item,
                "period": fact.when,
                "note": known.note or "-",
                "chips": bought[1] if len(bought) > 1 else "?",
            },
        ),
        Text("change_flow"),
    )


def _check_trade(claim: Claim, context: Context) -> Verdict:
    """Legal trade against facts about the country it comes from or goes to."""
    figure = context.figure(claim)
    ends = {claim.value("to"), claim.value("from")}
    facts = [
        f
        for f in context.facts.facts.values()
        if f.measure in {"exports", "imports", "hbm_delivered"}
        and f.entity in ends
        and (f.value.unit == "USD") == (figure is not None and figure.type == "money")
    ]
    return best_fact(claim, context, facts, needs_near=True)


def _at_least(fact: Any) -> tuple[float, float]:
    low, high = fact.value.interval
    return (low, low * 1.5) if "at least" in fact.value.note.lower() else (low, high)


def _window(claim: Claim, context: Context, fact: Any) -> dict[str, Status]:
    """The window of a flow: a relative one ("the last three months") counts back from the report it comes from."""
    sentence = context.page.words(claim.sentence)
    span = days_of_fact(fact)
    relative = re.search(r"최근|지난|last|past|近|过去|過去", sentence)
    if relative and context.on and not span[0] <= context.on <= days_later(span[1], 20):
        return {"window": "stale"}
    if relative and context.on is None:
        return {"window": "ambiguous"}
    return {} if "window" in claim.slots and not claim.slots["window"].asked else {"window": "ambiguous"}


def buys(context: Context, dollars: float | None, chip: str) -> tuple[Number, ...]:
    """What an amount buys in chips at the street price of an eight-chip server: servers, chips, dense 16-bit compute."""
    if dollars is None:
        return ()
    systems = [s for s in context.facts.systems.values() if s.chip == chip and s.n_chips <= 16]
    for system in systems:
        for fact in context.facts.facts.values():
            if fact.item_id != system.id or fact.measure != "street_price":
                continue
            rate = context.convert(1.0, fact.value.unit, "USD", fact.value.published or context.on)
            if rate is None:
                continue
            low, high = (bound * rate for bound in fact.value.interval)
            chips = Number(
                "chips it buys",
                dollars / (fact.value.best * rate) * system.n_chips,
                "chip",
                dollars / high * system.n_chips,
                dollars / low * system.n_chips,
                fact.id,
            )
            result = [Number("street price of a server", fact.value.best * rate, "USD", low, high, fact.id), chips]
            record = context.facts.chips.get(chip)
            if record is not None and record.half_tflops is not None:
                unit = record.half_tflops.best / 1e6
                result.append(
                    Number(
                        "dense 16-bit compute",
                        chips.value * unit,
                        "EFLOP/s",
                        (chips.low or 0) * unit,
                        (chips.high or 0) * unit,
                        record.id,
                    )
                )
            return tuple(result)
    return ()


def _buys_evidence(context: Context, bought: tuple[Number, ...]) -> list[Evidence]:
    if not bought:
        return []
    return [fact_evidence(context.facts.facts[bought[0].source], context.facts)]
