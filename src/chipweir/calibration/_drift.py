"""The model's error in a forecast: it grows with the horizon by a size that earlier back-tests showed.

Beyond the spread of its members and the error learnt for a series, a forecast `h` years ahead errs by `drift x sqrt(h)` in
log. The drift of a cut-off is the likeliest over the forecasts of earlier cut-offs that could be scored by then, each series
counting once, with a half-normal prior of 0.25 (which is what the first cut-off takes).
"""

import csv
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib import resources

import numpy as np

from chipweir.calibration._observations import Observation
from chipweir.calibration._quantity import FloatArray


PRIOR = 0.25
_GRID = np.linspace(0.0, 1.0, 101)


@cache
def _table() -> tuple[tuple[str, float], ...]:
    text = (resources.files("chipweir.calibration") / "data" / "drift.csv").read_text(encoding="utf-8")
    return tuple(sorted((row["as_of"], float(row["drift"])) for row in csv.DictReader(text.splitlines())))


def drift(day: str) -> float:
    """Drift a root year of forecasts made on a day: the last that was known by then."""
    known = [size for since, size in _table() if since <= day]
    return known[-1] if known else PRIOR


def ahead(row: Observation, day: str) -> float:
    """Years from a cut-off to the middle of an observation."""
    cut = (np.datetime64(day[:7], "M") - np.datetime64("2022-01", "M")).astype(int)
    return float(max(row.middle - cut, 0.0)) / 12


def learnt(forecasts: Sequence[tuple[str, Observation, FloatArray]], day: str) -> tuple[float, int]:
    """Drift by what came of earlier forecasts, and how many were scored: `forecasts` are cut-off, observation and logs that
    the model gave with all errors but this one `[draw]`; those count that were known by `day`."""
    by_series: dict[str, list[tuple[float, float, float]]] = {}
    for cut, row, values in forecasts:
        if row.known_by <= date.fromisoformat(day) and cut < day:
            gap = float(np.log(row.central) - np.median(values))
            by_series.setdefault(row.series, []).append((gap, float(np.var(values)), ahead(row, cut)))
    if not by_series:
        return PRIOR, 0
    score = -0.5 * (_GRID / PRIOR) ** 2
    for rows in by_series.values():
        gaps, variances, years = np.array(rows).T
        total = variances + _GRID[:, None] ** 2 * years
        score += (-0.5 * gaps**2 / total - 0.5 * np.log(total)).mean(1)
    return float(_GRID[int(np.argmax(score))]), sum(len(rows) for rows in by_series.values())
