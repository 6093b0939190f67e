"""One checker per claim frame; each is a function of the claim and its context and returns a verdict."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from chipweir.evidence._checks import _hardware, _industry, _models, _money, _policy, _prices
from chipweir.evidence._checks._context import Context, allowed, number_of
from chipweir.evidence._frames import Claim, templates
from chipweir.evidence._slots import Page
from chipweir.evidence._verdict import Text, Verdict, fact_evidence, open_slots
from chipweir.text import Extraction


Checker = Callable[[Claim, Context], Verdict]


def check_generic(claim: Claim, context: Context) -> Verdict:
    """A frame that nothing can decide: what is open is said, nothing more."""
    lacking = list(claim.asked)
    text = Text("missing_slots", {"slots": tuple(lacking)}) if lacking else Text("no_checker")
    return Verdict(
        "not_checkable",
        lacking[0] if lacking else "",
        dict.fromkeys(lacking, "not_checkable"),
        text=text,
        change=Text("change_slot", {"slot": lacking[0]}) if lacking else Text("change_fact"),
    )


def check_amount(claim: Claim, context: Context) -> Verdict:
    """A sum of money whose kind the words do not say: only facts of the same actor that come near are shown."""
    return _money.check_cost(claim, context)


CHECKERS: dict[str, Checker] = {
    "price": _prices.check_price,
    "chip_price": _prices.check_chip_price,
    "rental": _prices.check_rental,
    "price_ratio": _prices.check_price_ratio,
    "fx": _prices.check_fx,
    "chip_count": _hardware.check_chip_count,
    "count_ratio": _hardware.check_count_ratio,
    "comparison": _hardware.check_comparison,
    "spec": _hardware.check_spec,
    "spec_ratio": _hardware.check_spec_ratio,
    "params": _models.check_params,
    "context": _models.check_context,
    "context_ratio": _models.check_context_ratio,
    "score": _models.check_score,
    "layers": _models.check_layers,
    "unit_gloss": _models.check_unit_gloss,
    "yield": _industry.check_yield,
    "capacity_change": _industry.check_capacity_change,
    "fab_count": _industry.check_fab_count,
    "wafer_capacity": _industry.check_wafer_capacity,
    "flow": _industry.check_flow,
    "units": _money.check_units,
    "share": _money.check_share,
    "growth": _money.check_growth,
    "stock_move": _money.check_stock_move,
    "revenue": _money.check_revenue,
    "fund": _money.check_fund,
    "cost": _money.check_cost,
    "amount": check_amount,
    "rule_state": _policy.check_rule_state,
    "duration": _policy.check_duration,
    "event": _policy.check_event,
    "maker": _policy.check_maker,
    "fee_share": _policy.check_fee_share,
}


def check_claims(found: Extraction, claims: Sequence[Claim], facts: Any) -> tuple[Verdict, ...]:
    """A verdict for each claim of an article against the fact base, the rules and the performance model."""
    context = Context(Page(found), tuple(claims), facts, found.document.published and found.document.published[:10])
    return tuple(check_claim(claim, context) for claim in claims)


_NO_NUMBER = Verdict("not_checkable", "figure", text=Text("no_number"), change=Text("change_slot", {"slot": "figure"}))


def check_claim(claim: Claim, context: Context) -> Verdict:
    """The verdict on one claim. What a language model proposed counts in none until a person confirms it; a figure
    that no number could be read from is not checkable."""
    if claim.proposed_by not in {"rules", "person"}:
        return Verdict("not_checkable", "source", text=Text("llm_proposed", {"model": claim.proposed_by}))
    figure = context.figure(claim)
    missing = figure is None and claim.frame in templates()
    if missing or (figure is not None and not math.isfinite(number_of(figure))):
        return _NO_NUMBER
    try:
        verdict = CHECKERS.get(claim.frame, check_generic)(claim, context)
    except (ZeroDivisionError, OverflowError):  # a quotient with nothing, or more than any number holds
        return _NO_NUMBER
    cited = {item.id for item in verdict.evidence}
    used = dict.fromkeys(n.source for n in verdict.numbers if n.source in context.facts.facts and n.source not in cited)
    beside = tuple(fact_evidence(context.facts.facts[source], context.facts) for source in used)
    lacking = {name: verdict.slots.get(name, "not_checkable") for name in open_slots(claim, claim.asked)}
    return replace(verdict, slots={**verdict.slots, **lacking}, evidence=(*verdict.evidence, *beside))


__all__ = ["CHECKERS", "Context", "allowed", "check_claim", "check_claims"]
