"""Scenario discovery: boxes in the space of uncertain quantities in which something happens.

The patient rule induction method of Friedman and Fisher (1999) as used for scenario discovery by Bryant and Lempert
(2010): peel a thin slice off the side that leaves the highest density, again and again, then paste back what was peeled
too far. Own code: the packaged one (ema_workbench) installs scikit-learn, statsmodels, seaborn and an optimisation
library for it; a test compares the two where that is installed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom


FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

PEEL = 0.05
LEAST_MASS = 0.05
SIGNIFICANT = 0.05
LEAST_LIFT = 0.1
"""Share of the way from the density of all cases to 1 that a box must go to be worth telling."""


@dataclass(frozen=True)
class Box:
    """Limits of the restricted quantities only, and how well they tell the cases of interest.

    `coverage`: share of all cases of interest inside; `density`: share of the inside that is of interest; `mass`: share of
    all cases inside; `quasi_p`: chance to see the density without each limit (Bryant and Lempert 2010, binomial).
    """

    limits: Mapping[str, tuple[float, float]]
    coverage: float
    density: float
    mass: float
    quasi_p: Mapping[str, float]

    def contains(self, columns: Mapping[str, FloatArray]) -> BoolArray:
        """Which cases lie inside."""
        inside: BoolArray = np.ones(len(next(iter(columns.values()))), dtype=bool)
        for name, (low, high) in self.limits.items():
            inside &= (columns[name] >= low) & (columns[name] <= high)
        return inside


def prim(
    columns: Mapping[str, FloatArray], happens: BoolArray, most: int = 3, least_mass: float = LEAST_MASS
) -> list[Box]:
    """Up to `most` boxes over `columns` {name: [F]} in which `happens` [F], each found among the cases outside the former.

    A box must be clearly denser than all cases are and hold at least `least_mass` of them; limits that are not significant
    (quasi-p of 0.05) or not needed are dropped. Nothing is found where nothing or everything happens.
    """
    names = [name for name, values in columns.items() if np.ptp(values) > 0]
    if not names or not happens.any() or happens.all():
        return []
    table = np.stack([np.asarray(columns[name], dtype=float) for name in names], axis=1)
    left: BoolArray = np.ones(len(happens), dtype=bool)
    boxes: list[Box] = []
    while len(boxes) < most and happens[left].any() and not happens[left].all():
        inside = _find(table, happens, left, least_mass)
        if inside is None:
            break
        low, high = inside
        box = _described(names, table, happens, left, low, high)
        everywhere = float(happens[left].mean())
        if not box.limits or box.density < everywhere + LEAST_LIFT * (1 - everywhere):
            break
        boxes.append(box)
        left = np.logical_and(left, ~_within(table, low, high))
        if left.mean() < least_mass:
            break
    return boxes


def _find(
    table: FloatArray, happens: BoolArray, left: BoolArray, least_mass: float
) -> tuple[FloatArray, FloatArray] | None:
    """Limits [N] of the box on the peeling trajectory with the best balance of coverage and density; then simplified."""
    trajectory = _peel(table, happens, left, least_mass)
    scores = [_balance(table, happens, left, *limits) for limits in trajectory]
    best = int(np.argmax(scores))
    if best == 0:
        return None
    low, high = _paste(table, happens, left, *trajectory[best])
    return _simplify(table, happens, left, low, high)


def _within(table: FloatArray, low: FloatArray, high: FloatArray) -> BoolArray:
    return np.asarray(((table >= low) & (table <= high)).all(axis=1), dtype=bool)


def _balance(table: FloatArray, happens: BoolArray, left: BoolArray, low: FloatArray, high: FloatArray) -> float:
    """Harmonic mean of coverage and of density above that of all cases; nothing for a box no denser than they are.

    Plain density would let a rare event be "found" by a box that holds nearly everything.
    """
    inside = _within(table, low, high) & left
    hits = float((happens & inside).sum())
    if hits == 0:
        return 0.0
    everywhere = float(happens[left].mean())
    coverage = hits / float((happens & left).sum())
    lift = (hits / float(inside.sum()) - everywhere) / (1 - everywhere)
    return 2 * coverage * lift / (coverage + lift) if lift > 0 else 0.0


def _peel(
    table: FloatArray, happens: BoolArray, left: BoolArray, least_mass: float
) -> list[tuple[FloatArray, FloatArray]]:
    """All boxes of the peeling, from the whole space down."""
    low, high = table.min(axis=0).astype(float), table.max(axis=0).astype(float)
    trajectory = [(low, high)]
    inside = left.copy()
    least = max(least_mass * len(table), 2.0)
    while True:
        rows = table[inside]
        hit = happens[inside].astype(float)
        best: tuple[float, int, bool, float] | None = None
        density = hit.mean()
        for column in range(table.shape[1]):
            values = rows[:, column]
            for side in (False, True):
                limit = _cut(values, side)
                if limit is None:
                    continue
                kept = values <= limit if side else values >= limit
                if kept.sum() < least:
                    continue
                # Gain of density for each case given up, so that coarse columns do not win by their coarseness.
                gain = (hit[kept].mean() - density) / (1.0 - kept.mean())
                if best is None or gain > best[0]:
                    best = (gain, column, side, limit)
        if best is None or hit.mean() == 1.0:
            return trajectory
        _gain, column, side, limit = best
        low, high = low.copy(), high.copy()
        if side:
            high[column] = limit
        else:
            low[column] = limit
        inside = _within(table, low, high) & left
        trajectory.append((low, high))


def _cut(values: FloatArray, upper: bool) -> float | None:
    """The limit that peels about `PEEL` of the cases (or one whole value of a coarse column); None where nothing is left."""
    if upper:
        limit = float(np.quantile(values, 1 - PEEL, method="lower"))
        below = values[values < values.max()]
        limit = limit if limit < values.max() else (float(below.max()) if below.size else np.nan)
    else:
        limit = float(np.quantile(values, PEEL, method="higher"))
        above = values[values > values.min()]
        limit = limit if limit > values.min() else (float(above.min()) if above.size else np.nan)
    return None if np.isnan(limit) else limit


def _paste(
    table: FloatArray, happens: BoolArray, left: BoolArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Widen each side while that improves the balance: undoes what was peeled too far."""
    low, high = low.copy(), high.copy()
    best = _balance(table, happens, left, low, high)
    improved = True
    while improved:
        improved = False
        for column in range(table.shape[1]):
            for upper in (False, True):
                wider_low, wider_high = low.copy(), high.copy()
                outside = table[:, column] > high[column] if upper else table[:, column] < low[column]
                others = [k for k in range(table.shape[1]) if k != column]
                near = outside & left & _within(table[:, others], low[others], high[others])
                if not near.any():
                    continue
                values = np.sort(table[near, column])
                step = max(int(PEEL * (_within(table, low, high) & left).sum()), 1)
                if upper:
                    wider_high[column] = values[min(step, len(values)) - 1]
                else:
                    wider_low[column] = values[-min(step, len(values))]
                balance = _balance(table, happens, left, wider_low, wider_high)
                if balance > best:
                    low, high, best, improved = wider_low, wider_high, balance, True
    return low, high


def _simplify(
    table: FloatArray, happens: BoolArray, left: BoolArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Free the quantities whose limits chance explains or which the balance does not need, weakest first."""
    bottom, top = table.min(axis=0), table.max(axis=0)
    low, high = low.copy(), high.copy()
    while True:
        bound = [k for k in range(table.shape[1]) if low[k] > bottom[k] or high[k] < top[k]]
        if len(bound) <= 1:
            return low, high
        balance = _balance(table, happens, left, low, high)
        trials = []
        for k in bound:
            free_low, free_high = low.copy(), high.copy()
            free_low[k], free_high[k] = bottom[k], top[k]
            p = _quasi_p(table, happens, left, low, high, k)
            freed = _balance(table, happens, left, free_low, free_high)
            trials.append((freed >= 0.99 * balance or p > SIGNIFICANT, freed, free_low, free_high))
        droppable = [trial for trial in trials if trial[0]]
        if not droppable:
            return low, high
        _drop, _balance_then, low, high = max(droppable, key=lambda trial: trial[1])


def _quasi_p(
    table: FloatArray, happens: BoolArray, left: BoolArray, low: FloatArray, high: FloatArray, column: int
) -> float:
    """Chance of at least the cases seen inside, were the density what it is without the limits of `column`."""
    free_low, free_high = low.copy(), high.copy()
    free_low[column], free_high[column] = table[:, column].min(), table[:, column].max()
    with_limit, without = _within(table, low, high) & left, _within(table, free_low, free_high) & left
    density = happens[without].mean()
    return float(binom.sf(happens[with_limit].sum() - 1, with_limit.sum(), density))


def _described(
    names: Sequence[str], table: FloatArray, happens: BoolArray, left: BoolArray, low: FloatArray, high: FloatArray
) -> Box:
    inside = _within(table, low, high) & left
    bottom, top = table.min(axis=0), table.max(axis=0)
    bound = [k for k in range(len(names)) if low[k] > bottom[k] or high[k] < top[k]]
    limits = {
        names[k]: (float(low[k]) if low[k] > bottom[k] else -np.inf, float(high[k]) if high[k] < top[k] else np.inf)
        for k in bound
    }
    quasi = {names[k]: _quasi_p(table, happens, left, low, high, k) for k in bound}
    hits = float((happens & inside).sum())
    return Box(limits, hits / float(happens.sum()), hits / float(inside.sum()), float(inside.mean()), quasi)
