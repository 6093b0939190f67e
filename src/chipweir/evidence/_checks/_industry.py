"""Checks of making and money: yield, capacity, fabs, flows, units, revenue, funds, shares, growth."""

import math
import re
from typing import Any

from chipweir.evidence._checks._context import Context
from chipweir.evidence._checks._hardware import missing
from chipweir.evidence._frames import Claim
from chipweir.evidence._index import index_of
from chipweir.evidence._verdict import (
    Number,
    Status,
    Text,
    Verdict,
    compare,
    decide,
    fact_evidence,
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
    facts = [
        f
        for f in index_of(context.facts).about(claim.value("fab"), "yield")
        if f.nature != "prior" and _same_node(f, node)
    ]
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
