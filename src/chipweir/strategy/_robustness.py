"""How options fare over many futures: regret, means, worst tenths, thresholds met, and which options nothing dominates.

Arrays only: `values` [C, O, F] of criterion, option and future; `up` [C] +1 where more is better, -1 where less is;
`weight` [F] of the futures, summing to 1. An option that is only a bound takes part but sets no standard: regret and
winners are reckoned against the options that someone could choose (`eligible` [O]).

Sources: regret, Savage 1951 and Lempert, Popper and Bankes 2003; conditional value at risk, Rockafellar and Uryasev 2000;
satisficing as a domain criterion, Starr 1963; acceptability over weights (SMAA-2), Lahdelma and Salminen 2001.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

TAIL = 0.1
LEAST_TOLD = 0.05
"""Difference between options in the share of futures that meet a threshold, below which it tells none apart."""
LEVELS = (0.1, 0.5, 0.9)


def equal_weights(count: int) -> FloatArray:
    """`count` weights that sum to 1."""
    return np.full(count, 1.0 / count)


def normalised(weights: Any) -> FloatArray:
    """`weights` scaled to sum to 1. Raises `ValueError` for negative ones or none above 0."""
    given = np.asarray(weights, dtype=float)
    if not np.isfinite(given).all() or (given < 0).any() or given.sum() <= 0:
        raise ValueError("weights must be finite, not negative, and not all zero")
    scaled: FloatArray = given / given.sum()
    return scaled


def regret(values: Any, up: float, eligible: BoolArray | None = None) -> FloatArray:
    """What each option [O, F] leaves on the table in each future against the best eligible one; never negative."""
    gain = up * np.asarray(values, dtype=float)
    best = (gain if eligible is None else gain[eligible]).max(axis=0)
    lost: FloatArray = np.maximum(best - gain, 0.0)
    return lost


def mean(values: Any, weight: FloatArray) -> FloatArray:
    """Weighted mean over the last axis."""
    found: FloatArray = np.asarray(values, dtype=float) @ weight
    return found


def quantiles(values: Any, weight: FloatArray, levels: tuple[float, ...] = LEVELS) -> FloatArray:
    """Weighted quantiles over the last axis: `[level, ...]`, the value at which the weight so far passes the level."""
    given = np.asarray(values, dtype=float)
    order = np.argsort(given, axis=-1, kind="stable")
    ordered = np.take_along_axis(given, order, axis=-1)
    passed = np.cumsum(weight[order], axis=-1)
    places = [np.argmax(passed >= level - 1e-12, axis=-1) for level in levels]
    return np.stack([np.take_along_axis(ordered, place[..., None], axis=-1)[..., 0] for place in places])


def worst_mean(values: Any, up: float, weight: FloatArray, share: float = TAIL) -> FloatArray:
    """Conditional value at risk: mean over the worst `share` of the weight along the last axis."""
    given = np.asarray(values, dtype=float)
    order = np.argsort(up * given, axis=-1, kind="stable")
    ordered = np.take_along_axis(given, order, axis=-1)
    each = weight[order]
    before = np.cumsum(each, axis=-1) - each
    counted = np.clip(share - before, 0.0, each)
    found: FloatArray = (ordered * counted).sum(axis=-1) / counted.sum(axis=-1)
    return found


def meets(values: Any, up: Any, threshold: Any) -> BoolArray:
    """Whether each criterion [C, O, F] is at or beyond its threshold [C]; a criterion without one (NaN) always is."""
    gain = np.asarray(up, dtype=float)[:, None, None]
    limit = np.asarray(threshold, dtype=float)[:, None, None]
    found: BoolArray = np.isnan(limit) | (gain * np.asarray(values, dtype=float) >= gain * limit)
    return found


def satisficing(values: Any, up: Any, threshold: Any, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share of futures in which an option meets every threshold [O], and each one [C, O]."""
    met = meets(values, up, threshold)
    return met.all(axis=0) @ weight, met @ weight


def tells_apart(met: Any, eligible: BoolArray, least: float = LEAST_TOLD) -> BoolArray:
    """Which criteria [C] have a threshold that tells options apart: the shares of futures in which options that someone
    could choose meet it, `met` [C, O], differ by at least `least`."""
    shares = np.asarray(met, dtype=float)[:, eligible]
    found: BoolArray = np.ptp(shares, axis=1) >= least
    return found


def utilities(values: Any, up: Any) -> FloatArray:
    """Criteria [C, O, F] on one scale, so that weights mean the same whatever the units.

    One unit is the distance from the 5th to the 95th percentile over all options and futures; a criterion that never
    differs is 0 everywhere. Any change of units (an affine map with a positive factor) leaves differences as they are.
    """
    given = np.asarray(values, dtype=float)
    gain = np.asarray(up, dtype=float)[:, None, None] * given
    low, high = np.quantile(given, (0.05, 0.95), axis=(1, 2))
    spread = high - low
    whole = given.max(axis=(1, 2)) - given.min(axis=(1, 2))
    spread = np.where(spread > 1e-12 * np.maximum(np.abs(given).max(axis=(1, 2)), 1e-300), spread, whole)
    centre = np.where(spread > 0, gain.mean(axis=(1, 2)), 0.0)
    safe = np.where(spread > 0, spread, 1.0)
    scaled: FloatArray = np.where(
        (spread > 0)[:, None, None], (gain - centre[:, None, None]) / safe[:, None, None], 0.0
    )
    return scaled


def score(utility: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted sum of utilities over the criteria: `[O, F]`."""
    return np.tensordot(weights, utility, axes=(0, 0))


def undominated(performance: Any, up: Any) -> BoolArray:
    """Which options [O] no other equals in every criterion and beats in one; `performance` [C, O]."""
    gain = np.asarray(up, dtype=float)[:, None] * np.asarray(performance, dtype=float)
    no_worse = (gain[:, :, None] >= gain[:, None, :]).all(axis=0)
    better = (gain[:, :, None] > gain[:, None, :]).any(axis=0)
    found: BoolArray = ~(no_worse & better).any(axis=0)
    return found


def simplex(criteria: int, draws: int, seed: int = 0) -> FloatArray:
    """Weights drawn evenly from the simplex, `[draws, C]`; every row sums to 1 by construction."""
    spacings = np.random.default_rng(seed).exponential(size=(draws, criteria))
    drawn: FloatArray = spacings / spacings.sum(axis=1, keepdims=True)
    return drawn


@dataclass(frozen=True)
class Acceptability:
    """Over all weights: `first` [O] share in which an option wins, `ranks` [O, O] share by rank, `central` [O, C] mean
    of the weights with which it wins (NaN where it never does), `winner` [W] of each draw, `weights` [W, C]."""

    first: FloatArray
    ranks: FloatArray
    central: FloatArray
    winner: npt.NDArray[np.intp]
    weights: FloatArray


def acceptability(utility: Any, weights: FloatArray, eligible: BoolArray | None = None) -> Acceptability:
    """Winners over `weights` [W, C] of options with utility [C, O]; equal options share a win evenly.

    Bounds (not eligible) never win.
    """
    given = np.asarray(utility, dtype=float)
    options = given.shape[1]
    allowed = np.ones(options, dtype=bool) if eligible is None else eligible
    total = np.where(allowed, weights @ given, -np.inf)
    top = total.max(axis=1, keepdims=True)
    ties = total >= top - 1e-12 * np.maximum(np.abs(top), 1.0)
    wins = ties / ties.sum(axis=1, keepdims=True)
    ranks = np.zeros((options, options))
    place = np.argsort(np.argsort(-total, axis=1, kind="stable"), axis=1, kind="stable")
    for rank in range(options):
        ranks[:, rank] = (place == rank).mean(axis=0)
    mass = wins.sum(axis=0)
    central = np.divide(
        wins.T @ weights, mass[:, None], out=np.full((options, given.shape[0]), np.nan), where=mass[:, None] > 0
    )
    return Acceptability(wins.mean(axis=0), ranks, central, np.argmax(total, axis=1), weights)
