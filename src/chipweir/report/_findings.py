"""What a run says, in sentences made from its numbers, each with its interval and the chance of its sign.

A sentence is made by one function of numbers that the finding keeps, so that a test can hold the one against the other.
Intervals are of 80 %, where the run keeps those quantiles.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from chipweir.i18n import _, use_language
from chipweir.report import _access, _numbers
from chipweir.report._diversion import diversion
from chipweir.report._labels import label


SURE = 0.9
"""The chance of a sign from which a sentence says a direction; below it, it says that the sign is open."""
MOST_CONTRASTS = 3
_NONE_MOVES = 0.005
_CHINA = {"region": "CHN"}
# What a scenario is told to change, in this order: variable, selection, kind of number.
CONTRASTS: Sequence[tuple[str, Mapping[str, str], str]] = (
    ("compute", _CHINA, "count"),
    ("domestic_share_compute", {}, "share"),
    ("smuggled_units", {}, "count"),
    ("lag_months", {}, "months"),
    ("korea_hbm_exports_total", {}, "usd"),
)


@dataclass(frozen=True)
class Finding:
    """A sentence; what it is about (a headline variable, or `diversion`), for which scenario, and its numbers."""

    about: str
    scenario: str
    text: str
    numbers: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"about": self.about, "scenario": self.scenario, "text": self.text, "numbers": dict(self.numbers)}


def findings(
    dataset: xr.Dataset, lang: str = "en", year: int = 2030, scenarios: Sequence[str] | None = None
) -> list[Finding]:
    """Five to eight sentences on the end of `year`: the first scenario's state, then what each other one changes.

    `scenarios` limits which others are told; of more than three, the first three are. The year is the run's last where it
    ends before. A run that lacks a variable says nothing of it.
    """
    with use_language(lang):
        names = [str(name) for name in np.atleast_1d(dataset["scenario"].values)]
        compared = str(dataset.attrs.get("baseline", _access.BASELINE))  # what the run's differences are taken to
        reference = compared if compared in names else names[0]
        others = [name for name in names if name != reference and (scenarios is None or name in scenarios)]
        months = dataset["month"].values.astype("datetime64[M]")
        last = int(str(months[-1])[:4])
        moment = _Moment(dataset, reference, min(year, last))
        found = list(_state(moment))
        told = others[:MOST_CONTRASTS]
        if len(told) > 1:
            found = found[:4]
        for name in told:
            found += list(_contrast(moment, name, most=5 if len(told) == 1 else 3))
            found += list(_diversion(moment, name))
        return found


@dataclass(frozen=True)
class _Moment:
    """A run at the end of a year."""

    dataset: xr.Dataset
    reference: str
    year: int

    def level(self, variable: str, scenario: str = "", **selection: str) -> tuple[float, float, float] | None:
        """Median, low and high; None where the run has no finite number."""
        found = _access.series(self.dataset, variable, scenario or self.reference, **selection)
        index = None if found is None else _access.month_index(found.months, self.year)
        if found is None or index is None or not np.isfinite(found.median[index]):
            return None
        return float(found.median[index]), *found.interval(_access.COVERAGE, index)

    def change(self, variable: str, scenario: str, **selection: str) -> tuple[float, float, float, float] | None:
        """Median, low and high of the paired difference, and the chance that it is above zero; None where all is equal."""
        found = self.level(_access.delta_name(variable), scenario, **selection)
        chance = _access.probability(self.dataset, variable, scenario, self.year, **selection)
        level = self.level(variable, self.reference, **selection)
        size = max(abs(found[0]), abs(level[0])) if found and level else 0.0
        if found is None or chance is None or _access.is_nothing(found, size):
            return None
        return *found, chance


def _state(at: _Moment) -> Iterator[Finding]:
    """What holds under the first scenario."""
    name, year = label("scenario", at.reference), at.year

    def finding(about: str, text: str, *levels: tuple[float, float, float] | None) -> Finding:
        kept = {f"{part}{n or ''}": value for n, level in enumerate(levels) if level
                for part, value in zip(("median", "low", "high"), level, strict=True)}  # fmt: skip
        return Finding(about, at.reference, text, kept)

    compute, ratio = at.level("compute", **_CHINA), at.level("ratio_to_us")
    if compute and ratio:
        yield finding(
            "compute",
            _("At the end of {year} China uses compute worth {value} H100 ({interval}), {ratio} of what the United States "
              "uses ({ratio_interval}), under: {scenario}.",
              year=year, value=_numbers.number(compute[0]), interval=_interval(compute, "count"), scenario=name,
              ratio=_numbers.share(ratio[0]), ratio_interval=_interval(ratio, "share")),
            compute, ratio,
        )  # fmt: skip
    own = at.level("domestic_share_compute")
    if own:
        yield finding(
            "domestic_share_compute",
            _("Chips made in China are {value} ({interval}) of the compute it buys then.",
              value=_numbers.share(own[0]), interval=_interval(own, "share")),
            own,
        )  # fmt: skip
    smuggled, premium = at.level("smuggled_units"), at.level("premium_black_market")
    if smuggled and premium:
        yield finding(
            "smuggled_units",
            _("{value} controlled chips a month are smuggled ({interval}), at {premium} times their list price "
              "({premium_interval}).",
              value=_numbers.number(smuggled[0]), interval=_interval(smuggled, "count"),
              premium=_numbers.number(premium[0]), premium_interval=_interval(premium, "ratio")),
            smuggled, premium,
        )  # fmt: skip
    lag = at.level("lag_months")
    if lag:
        yield finding(
            "lag_months",
            _("China's largest training run is {value} months behind the largest elsewhere ({interval}).",
              value=_numbers.number(lag[0], 2), interval=_interval(lag, "months")),
            lag,
        )  # fmt: skip
    korea = at.level("korea_hbm_exports_total")
    if korea:
        yield finding(
            "korea_hbm_exports_total",
            _("Korea exports memory stacks for {value} a month ({interval}).",
              value=_numbers.money(korea[0]), interval=_interval(korea, "usd")),
            korea,
        )  # fmt: skip


def _contrast(at: _Moment, scenario: str, most: int) -> Iterator[Finding]:
    """What a scenario changes, in one sentence: the surest directions first, then what stays open."""
    told: list[str] = []
    unsure: list[str] = []
    numbers: dict[str, float] = {}
    for variable, selection, kind in CONTRASTS:
        change = at.change(variable, scenario, **selection)
        if change is None:
            continue
        median, low, high, chance = change
        numbers |= {f"{variable}.{part}": value for part, value in
                    zip(("median", "low", "high", "p_greater"), change, strict=True)}  # fmt: skip
        what = _subject(variable)
        if max(chance, 1 - chance) < SURE:
            unsure.append(what)
        elif len(told) < most:
            way = _("higher") if median > 0 else _("lower")
            told.append(
                _("{what} is {change} {way} ({low} to {high}; P {chance})",
                  what=what, change=_numbers.signed(abs(median), kind).lstrip("+"), way=way, low=_numbers.signed(low, kind),
                  high=_numbers.signed(high, kind), chance=chance_text(max(chance, 1 - chance)))
            )  # fmt: skip
    if not told and not unsure:
        return
    name = label("scenario", scenario)
    text = _("Under {scenario}, {changes}.", scenario=name, changes="; ".join(told)) if told else ""
    if unsure:
        left = _("Under {scenario}, the sign is open (neither way reaches {sure}) for: {what}.",
                 scenario=name, sure=f"{SURE:.0%}", what=", ".join(unsure))  # fmt: skip
        text = " ".join(filter(None, (text, left)))
    yield Finding("contrast", scenario, text, numbers)


def _diversion(at: _Moment, scenario: str) -> Iterator[Finding]:
    """Of the smuggling that a scenario ends at some hubs, how much moves to others and how much stops."""
    found = diversion(at.dataset, at.reference, scenario, at.year, SURE)
    if found is None or not found.told:
        return
    fell = {hub: -change for hub, change in found.by_hub.items() if change < 0}
    values = {
        "scenario": label("scenario", scenario),
        "ended": _numbers.number(found.ended),
        "hubs": ", ".join(label("region", hub) for hub in sorted(fell, key=lambda hub: -fell[hub])[:3]),
        "moved": _numbers.share(found.moved_share),
        "stopped": _numbers.share(1 - found.moved_share),
        "licensed": _numbers.number(found.licensed),
    }
    if found.replaced:
        text = _(
            "Under {scenario}, {ended} chips a month are no longer smuggled through {hubs}; legal imports rise by "
            "{licensed} a month, so that most of the need for smuggling goes.", **values,
        )  # fmt: skip
    elif found.moved_share < _NONE_MOVES:
        text = _(
            "Under {scenario}, {ended} chips a month no longer go through {hubs}, and other hubs do not take their place "
            "(medians by hub).", **values,
        )  # fmt: skip
    else:
        text = _(
            "Under {scenario}, {ended} chips a month no longer go through {hubs}; {moved} of that moves to other hubs and "
            "{stopped} stops (medians by hub).", **values,
        )  # fmt: skip
    numbers = {"ended": found.ended, "moved_share": found.moved_share, "licensed": found.licensed}
    yield Finding("diversion", scenario, text, numbers)


def _subject(variable: str) -> str:
    return {
        "compute": _("Chinese compute"),
        "domestic_share_compute": _("the domestic share of compute bought"),
        "smuggled_units": _("smuggling a month"),
        "lag_months": _("the lag of the largest run in months"),
        "korea_hbm_exports_total": _("Korea's monthly export of memory stacks"),
    }[variable]


def _interval(level: tuple[float, float, float], kind: str) -> str:
    """'80 %: 1.2M to 2.4M'."""
    return _("80 %: {interval}", interval=_numbers.interval(level[1], level[2], kind))


def chance_text(chance: float) -> str:
    """'97%', or 'above 99 %', which a few hundred members can't tell from certainty."""
    return _("above 99 %") if chance > 0.99 else f"{chance:.0%}"
