"""What it would be worth to know something before choosing, and what to watch after.

Expected value of partial perfect information by regression on the ensemble (Strong, Oakley and Brennan 2014): fit every
option's score on one uncertain quantity, let the choice follow the fit, and see how much better it gets. Signposts: the
observable and dated quantity whose level best tells the futures in which another option is better (adaptive pathways,
Haasnoot et al. 2013).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

KNOTS = 5
PERMUTATIONS = 20
RESAMPLES = 20
NEARLY = 0.1
SHUFFLES = 10
LEAST_SKILL = 0.1
"""Skill (share told rightly less share told wrongly) below which an observable is no signpost."""


@dataclass(frozen=True)
class Worth:
    """Value of knowing one quantity, in units of the score; `share` of the value of knowing everything; `low` and `high`
    its 90 % interval; `noise` what a quantity that means nothing would show; `switch` the share of futures in which the
    choice would change."""

    name: str
    value: float
    low: float
    high: float
    share: float
    noise: float
    switch: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


def _basis(x: FloatArray) -> FloatArray:
    """Linear splines in the ranks of `x` [F]: `[F, KNOTS + 1]`; one column for each value of a coarse quantity."""
    values = np.unique(x)
    if values.size <= KNOTS + 1:
        return np.equal(x[:, None], values[None, :]).astype(float)
    from scipy.stats import rankdata

    u = (rankdata(x) - 0.5) / x.size
    inner = np.arange(1, KNOTS) / KNOTS
    return np.column_stack([np.ones_like(u), u, np.maximum(u[:, None] - inner, 0.0)])


def _gain(basis: FloatArray, scores: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """Mean gain of choosing by the fit of `scores` [O, F] on `basis`, and the share of futures that switch."""
    root = np.sqrt(weight)[:, None]
    fitted, *_rest = np.linalg.lstsq(basis * root, (scores.T) * root, rcond=None)
    expected = basis @ fitted
    unconditional = scores @ weight
    best = int(np.argmax(unconditional))
    chosen = expected.argmax(axis=1)
    gain = float(weight @ expected.max(axis=1)) - float(weight @ expected[:, best])
    return max(gain, 0.0), float(weight @ (chosen != best))


def perfect_information(scores: FloatArray, weight: FloatArray) -> float:
    """Value of knowing the future before choosing: `E max - max E` of `scores` [O, F]."""
    return float(weight @ scores.max(axis=0) - (scores @ weight).max())


def partial_information(
    columns: Mapping[str, FloatArray], scores: FloatArray, weight: FloatArray, seed: int = 0
) -> list[Worth]:
    """Value of knowing each of `columns` {name: [F]} before choosing among options with `scores` [O, F], largest first.

    The value has the mean of permuted quantities taken off, since a regression finds something in anything.
    """
    whole = perfect_information(scores, weight)
    generator = np.random.default_rng(seed)
    found = []
    for name, values in columns.items():
        x = np.asarray(values, dtype=float)
        if np.ptp(x) == 0:
            found.append(Worth(name, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
            continue
        basis = _basis(x)
        gain, switch = _gain(basis, scores, weight)
        chance = [_gain(basis[generator.permutation(len(x))], scores, weight)[0] for _each in range(PERMUTATIONS)]
        drawn = []
        for _each in range(RESAMPLES):
            rows = generator.integers(0, len(x), len(x))
            again = weight[rows] / weight[rows].sum()
            drawn.append(_gain(basis[rows], scores[:, rows], again)[0])
        bias = float(np.mean(chance))
        value = max(gain - bias, 0.0)
        spread = 1.645 * float(np.std(drawn, ddof=1))
        noise = float(np.quantile(chance, 0.95)) - bias
        share = value / whole if whole > 0 else 0.0
        found.append(Worth(name, value, max(value - spread, 0.0), value + spread, share, noise, switch))
    return sorted(found, key=lambda worth: -worth.value)


@dataclass(frozen=True)
class Signpost:
    """An observable quantity that tells futures apart: above (or below) `level` at `date`, prefer the other option.

    `hit`: share of the futures to be told that it tells; `false_alarm`: share of the others it wrongly tells; `skill` their
    difference (Youden's J); `gain`: score won on average by following it instead of always staying.
    """

    name: str
    date: str
    level: float
    above: bool
    hit: float
    false_alarm: float
    skill: float
    gain: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


def signposts(
    observables: Sequence[tuple[str, str, FloatArray]],
    advantage: FloatArray,
    weight: FloatArray,
    most: int = 3,
    seed: int = 0,
) -> list[Signpost]:
    """The observables (name, date, values [F]) that best tell where the other option is better, each name once.

    `advantage` [F]: score of the other option less that of the chosen one. The level of each is the one with the largest
    gain from following it; of dates with nearly the same gain the earliest is taken, since a warning is worth more the
    sooner it comes. What gains no more than shuffled numbers would is left out, as is what hardly tells futures apart (skill
    below `LEAST_SKILL`). Nothing where one option is always better.
    """
    better = advantage > 0
    if not better.any() or better.all():
        return []
    generator = np.random.default_rng(seed)
    found: dict[str, list[Signpost]] = {}
    for name, date, values in observables:
        known = np.asarray(values, dtype=float)
        post = _level(name, date, known, advantage, weight)
        if post is None or post.gain <= 0 or post.skill < LEAST_SKILL:
            continue
        shuffled = [_level(name, date, generator.permutation(known), advantage, weight) for _each in range(SHUFFLES)]
        if post.gain > max((each.gain for each in shuffled if each is not None), default=0.0):
            found.setdefault(name, []).append(post)
    chosen = []
    for posts in found.values():
        best = max(post.gain for post in posts)
        chosen.append(min((post for post in posts if post.gain >= (1 - NEARLY) * best), key=lambda post: post.date))
    return sorted(chosen, key=lambda post: -post.gain)[:most]


def _level(name: str, date: str, values: FloatArray, advantage: FloatArray, weight: FloatArray) -> Signpost | None:
    """The level of one observable with the largest gain; None where it does not vary.

    Where it has no value (a price without sales) it tells nothing: the choice stays, in hits, alarms and gain alike.
    """
    known = np.isfinite(values)
    if not known.any() or np.ptp(values[known]) == 0:
        return None
    yes, no = float(weight[advantage > 0].sum()), float(weight[advantage <= 0].sum())
    x, gain, w = values[known], advantage[known], weight[known]
    better = gain > 0
    if yes == 0 or no == 0:
        return None
    order = np.argsort(x, kind="stable")
    x, w, better, gain = x[order], w[order], better[order], gain[order]
    below = np.cumsum(w * gain)
    ends = np.append(x[1:] > x[:-1], False)  # a level can stand only between different values
    if not ends.any():
        return None
    won_below, won_above = np.where(ends, below, -np.inf), np.where(ends, below[-1] - below, -np.inf)
    above = bool(won_above.max() > won_below.max())
    at = int(np.argmax(won_above if above else won_below))
    told = np.arange(len(x)) > at if above else np.arange(len(x)) <= at
    hit, alarm = float(w[told & better].sum()) / yes, float(w[told & ~better].sum()) / no
    won = float((won_above if above else won_below)[at]) / float(weight.sum())
    return Signpost(name, date, float((x[at] + x[at + 1]) / 2), above, hit, alarm, hit - alarm, won)
