"""How far to believe it, as texts: published figures beside what the model believes, and scored forecasts from earlier days.

The tables of forecasts take a back-test as `chipweir.calibration.shipped_backtest` or `chipweir backtest --json` give it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from chipweir.i18n import N_, _, language
from chipweir.report import _numbers
from chipweir.report._labels import unit
from chipweir.report._sections import Record, table_section


_MODES = {"rules known": N_("rules known"), "rules unknown": N_("rules unknown")}
# What an 80 % interval may hold before it is said to be too narrow or too wide.
_NARROW, _WIDE = 0.7, 0.9


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


def backtest_records(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Scores by cut-off and mode beside forecasts without a model and published ones, as texts by column name."""

    def score(each: Mapping[str, Any], name: str) -> str:
        return _numbers.MISSING if each[name] is None else f"{each[name]:.3f} ± {each[f'{name}_se']:.3f}"

    def beside(each: Mapping[str, Any]) -> str:
        if not each["n_published"]:
            return _numbers.MISSING
        own = f"{each['crps_where_published']:.2f}"
        return f"{each['crps_published']:.2f} " + _("({own}; n {count})", own=own, count=each["n_published"])

    return [
        {
            _("cut-off"): each["as_of"],
            _("mode"): _(_MODES[each["mode"]]),
            "n": str(each["n"]),
            **{f"{level} %": _numbers.share(each[f"coverage_{level}"]) for level in (50, 80, 90)},
            "CRPS": score(each, "crps"),
            _("last value"): score(each, "crps_last_spread"),
            _("trend"): score(each, "crps_trend"),
            _("statistical"): score(each, "crps_statistical"),
            _("published (model there; n)"): beside(each),
        }
        for each in document["cutoffs"]
        if each["n"]
    ]


def published_records(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each published forecast beside the model's of the same figure (rules known) and what came, as texts by column name."""
    return [
        {
            _("cut-off"): each["as_of"],
            _("quantity"): row["label_ko"] if language() == "ko" else row["label"],
            _("source"): said["publisher"],
            _("published on"): said["known_by"],
            _("foretold"): _numbers.number(said["central"]),
            _("model's median"): _numbers.number(row["p50"]),
            _("came"): _numbers.number(row["observed"]),
            _("its log error"): f"{said['error']:+.2f}",
            _("model's log error"): f"{row['error']:+.2f}",
        }
        for each in document["cutoffs"]
        if each["mode"] == "rules known"
        for row in each["rows"]
        for said in row["published"]
    ]


def backtest_sentences(document: Mapping[str, Any]) -> list[str]:
    """What the scores come to in words: coverage and gain on each forecast without a model, cut-off by cut-off."""
    said = []
    for each in document["cutoffs"]:
        if each["mode"] != "rules known" or not each["n"]:
            continue
        cover = each["coverage_80"]
        verdict = _("too narrow") if cover < _NARROW else _("too wide") if cover > _WIDE else _("as they should")
        said.append(
            _(
                "From {day}, 80 % intervals held {share} of {count} figures of the following months ({verdict}).",
                day=each["as_of"],
                share=_numbers.share(cover),
                count=each["n"],
                verdict=verdict,
            )
        )
        gains = [
            f"{name} {each[key]:+.3f} ± {each[f'{key}_se']:.3f}"
            for name, key in (
                (_("last value"), "better_than_last_spread"),
                (_("trend"), "better_than_trend"),
                (_("statistical"), "better_than_statistical"),
            )
            if each.get(key) is not None
        ]
        if gains:
            told = _("Its score (CRPS in log, above zero where the model is better) against: {gains}.")
            said.append(told.format(gains=", ".join(gains)))
    if not document.get("current", True):
        said.append(_("The model has changed since these scores were made."))
    return said


def credibility_section(records: Iterable[Any] | None, document: Mapping[str, Any]) -> Record | None:
    """The section on how far to believe the model: scored forecasts, published forecasts, then every published figure."""
    section = table_section(
        "credibility",
        _("How far to believe it"),
        _("Published figures against the 80 % intervals of the ensemble, shown whether or not they fit."),
        records,
    )
    back = table_section(
        "", _("Would it have known? Forecasts from earlier days, scored"), "", backtest_records(document)
    )
    others = table_section(
        "", _("Forecasts that others published, beside the model's"), "", published_records(document)
    )
    if back is None:
        return section
    back["tables"][0]["note"] = " ".join(backtest_sentences(document))
    if others is not None:
        others["tables"][0]["note"] = _("Those published after the cut-off knew more than the model did.")
    tables = [*back["tables"], *(others["tables"] if others else [])]
    if section is None:
        return {**back, "id": "credibility", "title": _("How far to believe it"), "intro": "", "tables": tables}
    section["tables"][0]["title"] = _("Published figures")
    return {**section, "tables": [*tables, *section["tables"]]}
