"""Forecasts without a model, from the published values of a quantity alone: normal distributions in log.

- `last_spread`: the last value, with the spread of its past changes growing with the root of the horizon;
- `trend`: a straight line in log through the last three years, with its regression interval;
- `statistical`: exponential smoothing (none, damped or full trend by AICc), where `statsmodels` is there.
"""

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from chipweir.calibration._observations import Observation
from chipweir.calibration._quantity import FloatArray


# Spread of a change over a year (log) where fewer than three values show one, and the least.
_UNKNOWN, _LEAST = 0.5, 0.05
# Months of history that a trend is drawn through.
_TREND = 36


@dataclass(frozen=True)
class History:
    """Values of one quantity as they were known at a cut-off: months (middle of each period) and logs of monthly rates."""

    months: FloatArray
    logs: FloatArray

    def __len__(self) -> int:
        return len(self.months)


@dataclass(frozen=True)
class Normal:
    """A forecast of a log: mean and standard deviation."""

    mean: float
    sd: float


def rate(observation: Observation) -> float:
    """Log of an observation a month: sums over their months, the rest as they are."""
    return float(np.log(observation.central)) - _length(observation)


def _length(observation: Observation) -> float:
    if observation.operation != "sum":
        return 0.0
    first, last = (np.datetime64(each, "M").astype(int) for each in (observation.start, observation.end))
    return float(np.log(last - first + 1))


def history(row: Observation, known: Sequence[Observation]) -> History:
    """The published values of a row's quantity; shorter periods come before longer ones that end in the same month."""
    own = [o for o in known if o.quantity.text == row.quantity.text and o.operation == row.operation and not o.bound]
    by_month: dict[float, float] = {}
    for each in sorted(own, key=lambda o: o.end + o.start):
        by_month[each.middle] = rate(each)
    months = np.array(sorted(by_month))
    return History(months, np.array([by_month[month] for month in months]))


def last_spread(past: History, row: Observation) -> Normal:
    """The last value and the spread of past changes."""
    ahead = max(row.middle - past.months[-1], 1.0)
    return Normal(past.logs[-1] + _length(row), max(_change(past) * np.sqrt(ahead), _LEAST))


def _change(past: History) -> float:
    """Standard deviation of the change of a month."""
    if len(past) < 3:
        return float(_UNKNOWN / np.sqrt(12))
    gaps = np.diff(past.months)
    return float(np.sqrt(np.mean(np.diff(past.logs) ** 2 / gaps)))


def trend(past: History, row: Observation) -> Normal:
    """A line through the last three years with its regression interval; the last value where there is no line."""
    recent = past.months > past.months[-1] - _TREND
    at, logs = past.months[recent], past.logs[recent]
    if len(at) < 4:
        return last_spread(past, row)
    middle = at.mean()
    square = float(((at - middle) ** 2).sum())
    slope = float(((at - middle) * logs).sum()) / square
    error = np.sqrt(((logs - logs.mean() - slope * (at - middle)) ** 2).sum() / (len(at) - 2))
    ahead = row.middle - middle
    spread = error * np.sqrt(1 + 1 / len(at) + ahead**2 / square)
    return Normal(float(logs.mean() + slope * ahead) + _length(row), max(float(spread), _LEAST))


def statistical(past: History, row: Observation) -> Normal | None:
    """Exponential smoothing chosen by AICc; the last value where the history is short, None without `statsmodels`."""
    if importlib.util.find_spec("statsmodels") is None:
        return None
    told = _smoothed(tuple(past.months.tolist()), tuple(past.logs.tolist()))
    if told is None:
        return last_spread(past, row)
    step, means, spreads = told
    ahead = min(max(int(np.ceil((row.middle - past.months[-1]) / step)), 1), len(means))
    mean, sd = means[ahead - 1], spreads[ahead - 1]
    return Normal(mean + _length(row), max(sd, _LEAST)) if np.isfinite(sd) else last_spread(past, row)


# Steps ahead that a smoothed history is carried on.
_AHEAD = 36


@lru_cache(maxsize=512)
def _smoothed(
    months: tuple[float, ...], logs: tuple[float, ...]
) -> tuple[float, tuple[float, ...], tuple[float, ...]] | None:
    """Step in months, means and standard deviations of the steps ahead; None for fewer than six values."""
    import pandas as pd
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    step = float(np.median(np.diff(months))) if len(months) > 1 else 0.0
    grid = np.arange(months[-1], months[0] - 1e-6, -step)[::-1] if step else np.array([])
    if len(months) < 6 or len(grid) < 6:
        return None
    values = pd.Series(np.interp(grid, months, logs))
    fits = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind, damped in ((None, False), ("add", True), ("add", False)):
            if len(values) >= (6 if kind is None else 8):
                fits.append(ETSModel(values, error="add", trend=kind, damped_trend=damped).fit(disp=False, maxiter=200))
        best = min(fits, key=lambda fit: fit.aicc)
        found = best.get_prediction(start=len(values), end=len(values) + _AHEAD - 1).summary_frame(alpha=0.32)
    spread = (found["pi_upper"] - found["pi_lower"]) / (2 * 0.9945)
    return step, tuple(found["mean"].astype(float)), tuple(spread.astype(float))
