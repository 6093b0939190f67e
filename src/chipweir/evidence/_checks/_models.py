"""Checks of language models and memory: sizes, context windows, benchmark scores, layers, glosses of units."""

import re
from typing import Any

from chipweir.evidence._checks._context import Context
from chipweir.evidence._frames import Claim
from chipweir.evidence._verdict import (
    Evidence,
    Number,
    Status,
    Text,
    Verdict,
)


def variants(context: Context, model: str) -> list[Any]:
    """The registered variants of a model (base, instruct ...), not the model itself."""
    return [
        m
        for m in context.facts.models.values()
        if m.id.startswith(model + "-") and re.search(r"base|instruct|chat|think|it$", m.id[len(model) :])
    ]


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
