"""Published figures beside what the model believed, as texts."""

from collections.abc import Mapping
from typing import Any

from chipweir.i18n import _, language
from chipweir.report._labels import unit


def credibility_record(row: Mapping[str, Any], lang: str | None = None) -> dict[str, str]:
    """One published figure beside what the model believed, as texts by column name in the language in force."""
    target = row["target"]
    return {
        _("Published figure"): target["label_ko"] if (lang or language()) == "ko" else target["label"],
        _("Published value"): f"{target['central']:.4g} ({target['low']:.4g} – {target['high']:.4g})",
        **{name: f"{row[key]:.3g}" for name, key in (("5 %", "p05"), ("50 %", "p50"), ("95 %", "p95"))},
        _("unit"): unit(target["unit"]) or target["unit"],
        _("within the interval"): _("yes") if row["inside"] else _("its range is") if row["overlap"] else _("no"),
    }
