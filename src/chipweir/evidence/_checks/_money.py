"""Checks of money and markets: revenue, funds, chips sold, shares, growth, costs."""

import re
from typing import Any

from chipweir.evidence._checks._context import Context, days_between, overlaps
from chipweir.evidence._checks._hardware import missing
from chipweir.evidence._checks._nearest import about, alike, best_fact, days_of_fact
from chipweir.evidence._frames import Claim
from chipweir.evidence._verdict import (
    Number,
    Status,
    Text,
    Verdict,
    compare,
    fact_evidence,
    open_slots,
)


_METRIC = {
    "revenue": r"revenue",
    "data-centre revenue": r"dc_revenue",
    "china revenue": r"china_revenue",
    "profit": r"net_profit",
    "capital spending": r"capex",
    "exports": r"exports",
    "imports": r"imports",
    "shipments": r"units|market_units|units_made",
    "demand": r"wafer_demand|tokens_per_day",
    "price": r".*price.*",
}


# What a share is a share of, by the keys of the fact, and the words without which it is not meant.
_SHARE_OF = (
    (re.compile(r"compute|performance"), re.compile(r"연산|컴퓨팅|성능|\bcomput|算力|计算|計算", re.I)),
    (re.compile(r"idle"), re.compile(r"유휴|놀|가동|\bidle|闲置|閒置", re.I)),
    (re.compile(r"cowos"), re.compile(r"CoWoS|패키징|packag|封装|封裝", re.I)),
    (re.compile(r"singapore"), re.compile(r"싱가포르|Singapore|新加坡", re.I)),
    (re.compile(r"framework"), re.compile(r"프레임워크|framework|框架", re.I)),
    (re.compile(r"training|inference"), re.compile(r"학습|훈련|추론|training|inference|训练|推理|訓練", re.I)),
    (re.compile(r"capacity"), re.compile(r"생산능력|캐파|capacity|产能|產能", re.I)),
)


def _keys(fact: Any) -> str:
    return " ".join((fact.measure, fact.item_id, *fact.dims.values()))


def _meant(fact: Any, words: str) -> bool:
    return all(said.search(words) for of, said in _SHARE_OF if of.search(_keys(fact)))


def check_growth(claim: Claim, context: Context) -> Verdict:
    """A growth rate against a stated one or the quotient of two dated figures of the same series."""
    if (gap := missing(claim, "who")) is not None:
        return gap
    figure = context.figure(claim)
    metric = _METRIC.get(claim.value("metric") or "", r"$^")
    series = about(context, claim.value("who"), metric)
    when = context.time(claim, "period")
    claimed = context.claimed(claim)
    if figure is not None and figure.unit == "ratio":
        claimed = (claimed[0] - 1, claimed[1] - 1)
    for later in sorted(series, key=lambda fact: -_shared_days(days_of_fact(fact), when)):
        span = days_of_fact(later)
        if when is None or not overlaps(span, when) or not alike(span, when):
            continue
        for earlier in series:
            start = days_of_fact(earlier)
            if not _year_before(start, span):
                continue
            change = later.value.best / earlier.value.best - 1
            status = compare(claimed, (change, change), 0.03)
            return Verdict(
                status,
                "figure",
                {"figure": status},
                (
                    Number("claimed", context.value(claim), "fraction"),
                    Number("change", change, "fraction", source="arithmetic"),
                ),
                (fact_evidence(later, context.facts), fact_evidence(earlier, context.facts)),
                Text("growth", {"change": Number("", change, "fraction"), "from": earlier.when, "to": later.when}),
                Text("change_fact"),
            )
    stated = [
        f
        for f in context.facts.facts.values()
        if f.entity == claim.value("who")
        and f.measure == "growth"
        and _about_metric(f.dims.get("of", ""), claim.value("metric"))
    ]
    if stated:
        return best_fact(claim, context, stated, scale=100.0, needs_near=True)
    slots: dict[str, Status] = {"figure": "unsupported"}
    slots |= dict.fromkeys(open_slots(claim, ("period", "base")), "imprecise")
    return Verdict(
        "unsupported",
        "figure",
        slots,
        text=Text("no_series", {"what": context.name(claim.value("who"))}),
        change=Text("change_series"),
    )


def _shared_days(a: tuple[str, str] | None, b: tuple[str, str] | None) -> int:
    """How many days two periods share."""
    if a is None or b is None or not overlaps(a, b):
        return 0
    return days_between(max(a[0], b[0]), min(a[1], b[1])) + 1


def _year_before(earlier: tuple[str, str], later: tuple[str, str]) -> bool:
    """Whether two periods of one length lie a year apart, give or take the weeks of fiscal calendars."""
    return 350 <= days_between(earlier[1], later[1]) <= 380 and alike(earlier, later)


def _about_metric(measure: str, metric: str | None) -> bool:
    """Whether a stated growth rate is of the metric an article speaks of."""
    words = {
        "exports": "export",
        "imports": "import",
        "capital spending": "capex",
        "demand": "demand",
        "price": "price",
    }
    return words.get(metric or "", "revenue") in measure


def check_stock_move(claim: Claim, context: Context) -> Verdict:
    """A move of a share price: the fact base holds no price series, so only the slots can be judged."""
    slots: dict[str, Status] = {"figure": "not_checkable"}
    slots |= dict.fromkeys(open_slots(claim, ("company", "period")), "imprecise")
    return Verdict(
        "not_checkable",
        "figure",
        slots,
        text=Text("no_stock_series", {"what": context.name(claim.value("company") or "?")}),
        change=Text("change_series"),
    )
