"""One checker per claim frame; each is a function of the claim and its context and returns a verdict."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chipweir.evidence._arithmetic import Sum, is_wrong, sums
from chipweir.evidence._checks import _hardware, _industry, _models, _policy, _prices
from chipweir.evidence._checks._context import Context, allowed, number_of
from chipweir.evidence._frames import Claim, templates
from chipweir.evidence._keyed import Judge, Keyed
from chipweir.evidence._laws import check_in_force, check_permit
from chipweir.evidence._page import Page
from chipweir.evidence._verdict import Evidence, Number, Status, Text, Verdict, fact_evidence, open_slots
from chipweir.text import Extraction


Checker = Callable[[Claim, Context], Verdict]


def check_generic(claim: Claim, context: Context) -> Verdict:
    """A figure that nothing on record bears on: what is open is said, nothing more."""
    lacking = list(claim.asked)
    if not lacking and claim.frame in KEYED:
        return Verdict("unsupported", "figure", text=Text("nothing_found"), change=Text("change_fact"))
    text = Text("missing_slots", {"slots": tuple(lacking)}) if lacking else Text("no_checker")
    return Verdict(
        "not_checkable",
        lacking[0] if lacking else "",
        dict.fromkeys(lacking, "not_checkable"),
        text=text,
        change=Text("change_slot", {"slot": lacking[0]}) if lacking else Text("change_fact"),
    )


# Frames whose figures are judged by the keys of the fact base alone.
KEYED = frozenset(
    {"price", "chip_price", "rental", "spec", "params", "context", "wafer_capacity", "units", "share", "revenue", "fund",
     "cost", "amount", "count_of", "proportion"}
)  # fmt: skip
# Frames with a checker of their own, which speaks where the keys decide nothing.
CHECKERS: dict[str, Checker] = {
    "price_ratio": _prices.check_price_ratio,
    "fx": _prices.check_fx,
    "chip_count": _hardware.check_chip_count,
    "count_ratio": _hardware.check_count_ratio,
    "comparison": _hardware.check_comparison,
    "yield": _industry.check_yield,
    "unit_gloss": _models.check_unit_gloss,
    "rule_state": _policy.check_rule_state,
    "in_force": check_in_force,
    "permit": check_permit,
    "duration": _policy.check_duration,
    "event": _policy.check_event,
    "maker": _policy.check_maker,
}
# Frames whose own checker may not deny by itself: it finds facts by nearness, not by key.
_NO_DENIAL = frozenset({"yield"})
# Frames about the article's own figures and about pairs of things: their checker speaks first.
_FIRST = frozenset({"fx", "unit_gloss", "price_ratio", "count_ratio", "duration"})
_DECIDED = frozenset({"consistent", "contradicted", "stale", "imprecise"})


def check_claims(
    found: Extraction,
    claims: Sequence[Claim],
    facts: Any,
    judged: Mapping[int, Keyed] | None = None,
    page: Page | None = None,
) -> tuple[Verdict, ...]:
    """A verdict for each claim of an article against the fact base, the rules and the performance model.

    `judged` are the verdicts by key on its figures, where they have been worked out already.
    """
    day = found.document.published and found.document.published[:10]
    context = Context(page or Page(found), tuple(claims), facts, day)
    if judged is None:
        judged = judge_figures(context.page, facts, day, claims)
    own = {one.result: one for one in sums(context.page)}
    verdicts = (check_claim(claim, context, judged) for claim in claims)
    return tuple(_with_sum(v, context, own.get(c.quantity or -1)) for c, v in zip(claims, verdicts, strict=True))


def _with_sum(verdict: Verdict, context: Context, one: Sum | None) -> Verdict:
    """A verdict beside what the article's own figures give: they decide where nothing on record does."""
    if one is None or verdict.status in {"consistent", "contradicted"}:
        return verdict
    quantities = context.page.found.quantities
    figure = quantities[one.result]
    wrong = is_wrong(one, number_of(figure))
    if not (one.holds or wrong):
        return verdict
    status: Status = "contradicted" if wrong else "consistent"
    words = {"product": " x ", "sum": " + ", "change": " to "}[one.how].join(quantities[i].surface for i in one.parts)
    expected = Number("expected", one.expected, figure.unit)
    return Verdict(
        status, "figure", {"figure": status}, (Number("claimed", number_of(figure), figure.unit), expected),
        (Evidence("arithmetic", one.how, words, supports=not wrong),), Text("sum_holds", {"expected": expected}),
        Text("change_none"),
    )  # fmt: skip


def judge_figures(page: Page, facts: Any, day: str | None, claims: Sequence[Claim] = ()) -> dict[int, Keyed]:
    """The verdicts by key on the figures of an article, by their index. What people set in claims holds."""
    given = {claim.quantity: _given(claim, facts) for claim in claims if claim.quantity is not None}
    judge = Judge(page, facts, day, {index: names for index, names in given.items() if names})
    found: dict[int, Keyed] = {}
    for number, sentence in enumerate(page.sentences):
        if not sentence.dropped:
            found |= judge.sentence(number)
    return found


def _given(claim: Claim, facts: Any) -> tuple[str, ...]:
    """The things that a person set in a claim's slots."""
    values = (slot.value for slot in claim.slots.values() if slot.by == "person")
    return tuple(value for value in values if isinstance(value, str) and value in facts.entities)


_NO_NUMBER = Verdict("not_checkable", "figure", text=Text("no_number"), change=Text("change_slot", {"slot": "figure"}))


def check_claim(claim: Claim, context: Context, judged: Mapping[int, Keyed]) -> Verdict:
    """The verdict on one claim. What a language model proposed counts in none until a person confirms it; a figure
    that no number could be read from is not checkable."""
    if claim.proposed_by not in {"rules", "person"}:
        return Verdict("not_checkable", "source", text=Text("llm_proposed", {"model": claim.proposed_by}))
    figure = context.figure(claim)
    missing = figure is None and claim.frame in templates()
    if missing or (figure is not None and not math.isfinite(number_of(figure))):
        return _NO_NUMBER
    keyed = judged.get(claim.quantity) if claim.quantity is not None else None
    decided = keyed is not None and keyed.verdict.status in _DECIDED
    open_yield = claim.frame == "yield" and bool(claim.asked) and not (keyed is not None and keyed.of_a_product)
    if keyed is not None and claim.frame not in _FIRST and not open_yield and (decided or claim.frame not in CHECKERS):
        return keyed.verdict
    try:
        verdict = CHECKERS.get(claim.frame, check_generic)(claim, context)
    except (ZeroDivisionError, OverflowError):  # a quotient with nothing, or more than any number holds
        return _NO_NUMBER
    if keyed is not None and decided and claim.frame in _FIRST - {"fx"} and verdict.status not in _DECIDED:
        return keyed.verdict
    if verdict.status == "contradicted" and claim.frame in _NO_DENIAL:
        verdict = replace(verdict, status="unsupported")
    cited = {item.id for item in verdict.evidence}
    used = dict.fromkeys(n.source for n in verdict.numbers if n.source in context.facts.facts and n.source not in cited)
    beside = tuple(fact_evidence(context.facts.facts[source], context.facts) for source in used)
    lacking = {name: verdict.slots.get(name, "not_checkable") for name in open_slots(claim, claim.asked)}
    return replace(verdict, slots={**verdict.slots, **lacking}, evidence=(*verdict.evidence, *beside))


__all__ = ["CHECKERS", "KEYED", "Context", "allowed", "check_claim", "check_claims", "judge_figures"]
