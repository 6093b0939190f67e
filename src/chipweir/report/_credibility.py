"""Published figures beside what the model believes, as texts."""

from collections.abc import Mapping
from typing import Any

from chipweir.i18n import _, language
from chipweir.report import _numbers
from chipweir.report._labels import unit


def credibility_record(row: Mapping[str, Any], lang: str | None = None) -> dict[str, str]:
    """One published figure beside what the model believes, as texts by column name in the language in force."""
    own = row["central"] if row["low"] == row["high"] else None
    published = _numbers.number(row["central"], 4)
    if own is None:
        published += f" ({_numbers.number(row['low'], 4)} – {_numbers.number(row['high'], 4)})"
    sign = {"at_least": "≥ ", "record": "≥ ", "at_most": "≤ "}.get(row["bound"], "")
    fits = _("input of the model") if row["echo"] else _("yes") if within(row) else None
    return {
        _("Published figure"): row["label_ko"] if (lang or language()) == "ko" else row["label"],
        _("Published value"): sign + published,
        _("unit"): unit(row["unit"]) or row["unit"],
        _("prior 10 – 90 %"): " – ".join(_numbers.number(row["prior"][key]) for key in ("p10", "p90")),
        **{
            name: _numbers.number(row["fitted"][key])
            for name, key in (("10 %", "p10"), ("50 %", "p50"), ("90 %", "p90"))
        },
        _("within the interval"): fits or (_("its range is") if within(row, own_range=True) else _("no")),
    }


def within(row: Mapping[str, Any], *, own_range: bool = False) -> bool:
    """Whether a published figure, or its source's own range, lies within the 80 % interval; a bound, whether it holds."""
    low, high = row["fitted"]["p10"], row["fitted"]["p90"]
    if row["bound"] in ("at_least", "record"):
        return bool(row["central"] <= high)
    if row["bound"] == "at_most":
        return bool(row["central"] >= low)
    return bool(low <= row["high"] and row["low"] <= high) if own_range else bool(low <= row["central"] <= high)
