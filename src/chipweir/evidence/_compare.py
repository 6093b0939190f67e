"""Comparing a claimed number with one on record: units, currencies, rates, and tolerances that follow from the digits.

The claim's interval comes from its words (`about`, `more than`, the digits written), that of the record from its source
and the digits of the source. Nothing else widens either.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from chipweir.evidence._known import MONEY, Known
from chipweir.text import Quantity


Comparison = Literal["same", "near", "apart", "open"]
# A number that lies no farther outside than this is told imprecisely, beyond it wrongly.
NEARLY = 1.1
# What a forecast of one source says of another's.
NEARLY_FORECAST = 1.25
_ABOUT = 0.05
# A number that agrees with a source's central value, and one that only lies in its range.
_CENTRAL, _ASIDE = 0.02, 2.0
# "Four times": a whole multiple of one digit.
_MULTIPLE = 0.1
# "More than N" is said of what is not much more than N.
_BOUND_REACH = 1.5
_CURRENCY_SLACK = 0.03

_DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "quarter": 91.3, "year": 365.25}
_TURNS = {"per_second": 31_557_600.0, "per_hour": 8766.0, "per_day": 365.25, "per_week": 52.18, "per_month": 12.0,
          "per_quarter": 4.0, "per_year": 1.0}  # fmt: skip
_UNSAID = frozenset({"per_1e6_token", "per_month", "per_day", "per_kWh", "per_year", "per_second"})

_BOTH_WAYS = "spec:scaleup_gbs"
_SIGNED = frozenset({"growth", "share_change", "gdp_effect", "net_profit", "margin"})

Convert = Callable[[float, str, str], float | None]


def claimed(figure: Quantity) -> tuple[float, float]:
    """The numbers that the words of a figure allow, in its own unit."""
    low, high = _number(figure.low), _number(figure.high)
    value = _number(figure.value)
    if value is None:
        ends = [end for end in (low, high) if end is not None]
        value = sum(ends) / len(ends) if ends else math.nan
    if figure.bound == "range" and low is not None and high is not None:
        return low, high
    if figure.unit == "ratio" and sum(ch in "0123456789" for ch in figure.surface) <= 1 and value >= 2:
        return value * (1 - _MULTIPLE), value * (1 + _MULTIPLE)
    slack = abs(value) * max(half_digit(figure.surface, value), _ABOUT if figure.bound == "approx" else 0.0)
    if figure.bound in {"ge", "gt"}:
        return value - slack, value * _BOUND_REACH if value > 0 else value / _BOUND_REACH
    if figure.bound in {"le", "lt"}:
        return value / _BOUND_REACH if value > 0 else value * _BOUND_REACH, value + slack
    least = value - slack if low is None else min(low, value - slack)
    return least, value + slack if high is None else max(high, value + slack)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def half_digit(surface: str, value: float) -> float:
    """Half a unit of the last digit written, as a share of the number: 0.05 for "10", 0.0005 for "10.0" ...

    Digits that only fill up to a magnitude count as written for numbers below a hundred; 2 % where none are written.
    """
    digits = "".join(ch for ch in surface if ch in "0123456789.")
    plain = digits.replace(".", "").lstrip("0")
    if not plain:
        return 0.02
    mantissa = plain if "." in digits or len(plain) <= 2 else plain.rstrip("0")
    return min(0.05, 0.5 / int(mantissa) * 1.0001) if int(mantissa or 0) else 0.02


def spread(record: Known) -> tuple[float, float]:
    """The numbers that a record allows: its source's interval, and half of the last digit the source gave."""
    return _spread(record.low, record.best, record.high)


@lru_cache(maxsize=65536)
def _spread(least: float, best: float, most: float) -> tuple[float, float]:
    if not math.isfinite(least) or not math.isfinite(most):
        reach = abs(best) * (_BOUND_REACH / 1.2 - 1)
        return (best - (0.0 if math.isinf(most) else reach)), (best + (reach if math.isinf(most) else 0.0))
    slack = abs(best) * min(0.015, half_digit(f"{best:.5g}".split("e")[0], best))
    return least - slack, most + slack


def factor(figure: Quantity, record: Known) -> float | None:
    """What turns the figure's unit into the record's, currencies aside; None where they do not measure one thing."""
    return _factor(figure.type, figure.unit, figure.basis, record.unit, record.basis)


@lru_cache(maxsize=4096)
def _factor(kind: str, unit: str, said: str, other: str, known: str) -> float | None:
    rate = _rate(said, known)
    if rate is None:
        return None
    if other in MONEY or kind == "money":
        return rate if other in MONEY and kind == "money" else None
    if other == "day":
        return _DAYS.get(unit)
    if unit == other or {unit, other} == {"OP/s", "FLOP/s"} or (unit, other) == ("FLOP/s", "FLOP"):
        return rate
    if {unit, other} == {"fraction", "ratio"}:
        return rate
    if unit == "point" and other == "fraction":
        return 0.01
    if other == "count" and kind in {"count", "multiple_count"} and unit not in {"fraction", "ratio"}:
        return rate
    return None


def _rate(said: str, known: str) -> float | None:
    if said in {known, known or "per_unit"} or (not said and known in _UNSAID):
        return 1.0
    if said in _TURNS and known in _TURNS:
        return _TURNS[said] / _TURNS[known]
    if known == "per_1e6_token" and said.startswith("per_") and said.endswith("token"):
        count = said.removeprefix("per_").removesuffix("token").strip("_") or "1"
        try:
            return 1e6 / float(count)
        except ValueError:
            return None
    return 1.0 if said == "per_year" and not known else None


def compare(
    figure: Quantity, record: Known, convert: Convert, said: tuple[float, float] | None = None
) -> tuple[Comparison, int, float] | None:
    """How a figure stands to a record: the same, near, apart, or open where the record's bound cannot deny it; on which
    side of it (-1, 0, 1), and by which factor (of the same: 2 where the figure lies in the range alone, not at its
    centre). None where they cannot be compared. `said` is `claimed(figure)` where that is at hand."""
    scale = factor(figure, record)
    if scale is None:
        return None
    low, high = said or claimed(figure)
    if math.isnan(low) or math.isnan(high):
        return None
    slack = 0.0
    if record.is_money and figure.unit != record.unit:
        rate = convert(1.0, figure.unit, record.unit)
        if rate is None:
            return None
        scale, slack = scale * rate, _CURRENCY_SLACK
    if high < 0 < record.best and record.measure not in _SIGNED:  # "cut by half" is a rate of one half
        low, high = -high, -low
    found = meet((low * scale, high * scale), record, slack)
    if found[0] == "apart" and record.measure == _BOTH_WAYS and meet((low / 2, high / 2), record)[0] == "same":
        return "near", 1, NEARLY  # a link counted in both directions
    return found


def meet(said: tuple[float, float], record: Known, slack: float = 0.0) -> tuple[Comparison, int, float]:
    """How an interval in the record's unit stands to the record."""
    low, high = spread(record)
    low, high = low - abs(low) * slack, high + abs(high) * slack
    if said[0] <= high and low <= said[1]:
        central = said[0] <= record.best * (1 + _CENTRAL) and record.best * (1 - _CENTRAL) <= said[1]
        return "same", 0, 1.0 if central or record.best <= 0 else _ASIDE
    side = 1 if said[0] > high else -1
    outside, bound = (said[0], high) if side > 0 else (said[1], low)
    if math.isinf(record.high if side > 0 else record.low):
        return "open", side, 1.0
    if outside * bound <= 0:
        return "apart", side, math.inf
    far = max(outside / bound, bound / outside)
    return ("near" if far <= (NEARLY if record.nature == "observation" else NEARLY_FORECAST) else "apart"), side, far
