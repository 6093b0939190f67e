"""Checks of language models and memory: sizes, context windows, benchmark scores, layers, glosses of units."""

import re
from typing import Any

from chipweir.evidence._checks._context import Context
from chipweir.evidence._checks._hardware import missing
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


def _model_evidence(context: Context, model: Any, supports: bool | None = None) -> Evidence:
    return Evidence(
        "model",
        model.id,
        f"{model.name}: {model.total_params_b or '?'} bn parameters, context {model.context or '?'}",
        model.source,
        "",
        model.release,
        "",
        model.cls,
        model.confidence,
        False,
        supports,
    )


def check_context_ratio(claim: Claim, context: Context) -> Verdict:
    """A ratio of context windows against the quotient of the two models' windows."""
    if (gap := missing(claim, "longer", "shorter")) is not None:
        return gap
    longer, shorter = (context.facts.models.get(claim.value(name)) for name in ("longer", "shorter"))
    if longer is None or shorter is None or not longer.context or not shorter.context:
        return Verdict(
            "unsupported",
            "shorter",
            text=Text("no_fact", {"what": context.name(claim.value("shorter"))}),
            change=Text("change_fact"),
        )
    quotient = longer.context / _advertised(shorter)
    least, most = _advertised(longer) / shorter.context, quotient
    status = compare(context.claimed(claim), (least, most), 0.05)
    return Verdict(
        status,
        "figure",
        {"figure": status},
        (
            Number(longer.name, longer.context, "token", source=longer.id),
            Number(shorter.name, _advertised(shorter), "token", _advertised(shorter), shorter.context, shorter.id),
            Number("ratio", quotient, "ratio", source="arithmetic"),
        ),
        (_model_evidence(context, longer), _model_evidence(context, shorter)),
        Text(
            "quotient",
            {
                "a": Number("", longer.context, "token"),
                "b": Number("", _advertised(shorter), "token"),
                "ratio": Number("", quotient, "ratio"),
                "claimed": Number("", context.value(claim), "ratio"),
            },
        ),
        Text("change_fact"),
    )


def _advertised(model: Any) -> int:
    """The context window as makers state it: the power of two at or below the position limit of the configuration."""
    return 1 << (int(model.context).bit_length() - 1)


def variants(context: Context, model: str) -> list[Any]:
    """The registered variants of a model (base, instruct ...), not the model itself."""
    return [
        m
        for m in context.facts.models.values()
        if m.id.startswith(model + "-") and re.search(r"base|instruct|chat|think|it$", m.id[len(model) :])
    ]


def check_score(claim: Claim, context: Context) -> Verdict:
    """A benchmark score: which variant it belongs to matters more than the figure; scores stand in facts where known."""
    if (gap := missing(claim, "model", "benchmark")) is not None:
        return gap
    model = str(claim.value("model"))
    kinds = variants(context, model)
    benchmark = str(claim.value("benchmark")).lower().replace("-", "").replace(" ", "")
    known = first(
        f
        for f in context.facts.facts.values()
        if f.entity in {model, *[k.id for k in kinds]}
        and benchmark in (f.item_id + f.item).lower().replace("-", "").replace("_", "").replace(" ", "")
    )
    slots: dict[str, Status] = {}
    if known is not None:
        slots["figure"] = compare(context.claimed(claim), known.value.interval, 0.01)
    if kinds and claim.slots.get("variant", claim.slots["model"]).asked:
        slots["variant"] = "ambiguous"
    status, slot = decide(slots) if slots else ("unsupported", "figure")
    text = (
        Text("score_variant", {"model": context.name(model), "variants": " / ".join(k.name for k in kinds)})
        if "variant" in slots
        else Text("no_score", {"model": context.name(model)})
    )
    evidence = tuple(
        Evidence("model", k.id, f"{k.name}: {k.note or k.type}", k.source, "", k.release, "", k.cls, k.confidence)
        for k in kinds
    )
    return Verdict(
        status,
        slot,
        slots or {"figure": "unsupported"},
        (Number("claimed", context.value(claim), "point"),),
        evidence,
        text,
        Text("change_variant"),
    )


def check_layers(claim: Claim, context: Context) -> Verdict:
    """Memory layers before and after against facts of the company's or site's process."""
    figure = context.figure(claim)
    to = claim.slots.get("to")
    if figure is None:
        return Verdict("not_checkable")
    places = {claim.value("company"), claim.value("site")} - {None}
    facts = [
        f
        for f in context.facts.facts.values()
        if f.value.unit == "layer" and (f.entity in places or any(f.entity.startswith(str(p)) for p in places))
    ]
    product = claim.value("product")
    if product in {"HBM", "DRAM"}:  # stacked dies are no memory cells on one another
        facts = [f for f in facts if product.casefold() in f"{f.item_id} {f.item}".casefold()]
    if not facts:
        return Verdict(
            "unsupported",
            "figure",
            text=Text("no_fact", {"what": context.name(claim.value("company") or claim.value("site") or "?")}),
            change=Text("change_fact"),
        )
    fact = facts[0]
    stated = {v for v in (fact.value.low, fact.value.central, fact.value.high) if v is not None}
    named = [context.value(claim)] + ([float(to.value)] if to is not None and to.value is not None else [])
    status: Status = "consistent" if all(any(abs(n - s) < 0.5 for s in stated) for n in named) else "contradicted"
    numbers = tuple(Number("claimed", n, "layer") for n in named)
    if len(named) == 2:
        numbers += (Number("ratio", named[1] / named[0], "ratio", source="arithmetic"),)
    slots: dict[str, Status] = {"figure": status}
    slots |= dict.fromkeys(open_slots(claim, ("date",)), "not_checkable")
    return Verdict(
        status,
        "figure",
        slots,
        numbers,
        (fact_evidence(fact, context.facts, status == "consistent"),),
        Text("layers", {"item": fact.item, "period": fact.when}),
        Text("change_fact"),
    )


def check_unit_gloss(claim: Claim, context: Context) -> Verdict:
    """The gloss of a unit: a nanometre is 1e-9 m, so the value read from the words must be one unit."""
    value = context.value(claim)
    status: Status = "consistent" if abs(value - 1e-9) < 1e-12 or abs(value - 1e-6) < 1e-9 else "contradicted"
    return Verdict(
        status,
        "figure",
        {"figure": status},
        (Number("value", value, "m"),),
        (Evidence("arithmetic", "unit", f"{value:g} m"),),
        Text("unit_gloss"),
        Text("change_none"),
    )
