"""Published figures beside what the model believes, as texts."""

from collections.abc import Mapping
from typing import Any

from chipweir.i18n import _, language
from chipweir.report._labels import unit


def credibility_record(row: Mapping[str, Any], lang: str | None = None) -> dict[str, str]:
    """One published figure beside what the model believes, as texts by column name in the language in force."""
    own = row["central"] if row["low"] == row["high"] else None
    published = f"{row['central']:.4g}" + ("" if own is not None else f" ({row['low']:.4g} – {row['high']:.4g})")
    sign = {"at_least": "≥ ", "record": "≥ ", "at_most": "≤ "}.get(row["bound"], "")
    fits = _("input of the model") if row["echo"] else _("yes") if row["inside"] else None
    return {
        _("Published figure"): row["label_ko"] if (lang or language()) == "ko" else row["label"],
        _("Published value"): sign + published,
        _("unit"): unit(row["unit"]) or row["unit"],
        _("prior 5 – 95 %"): f"{row['prior']['p05']:.3g} – {row['prior']['p95']:.3g}",
        **{name: f"{row['fitted'][key]:.3g}" for name, key in (("5 %", "p05"), ("50 %", "p50"), ("95 %", "p95"))},
        _("within the interval"): fits or (_("its range is") if row["overlap"] else _("no")),
    }
