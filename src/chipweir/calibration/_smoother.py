"""From the prior to the posterior: an ensemble smoother with several assimilations, then moves against the exact density.

A step of the smoother moves the normal scores of all members by

    x <- x + (rho o C_xd) (C_dd + a R)^-1 (residual + sqrt(a) e),   e ~ N(0, R)

with covariances over the ensemble, the localisation `rho` (correlation of score and number over the prior ensemble, none
where a knot lies after the observation), and weights `1 / a` that add up to one (Emerick and Reynolds 2013; steps chosen
as Iglesias and Yang 2021). What a linear step gets wrong is then repaired by Metropolis moves of one half of the members
along differences between members of the other half (differential evolution, ter Braak 2006), which leave the exact
posterior as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chipweir.calibration._likelihood import Likelihood
from chipweir.calibration._quantity import FloatArray


Predict = Callable[[FloatArray], FloatArray]
"""Scores `[member, parameter]` to logs of the model's numbers `[member, observation]`."""
Tell = Callable[[float, str], None]

MOST_STEPS, MOVES = 10, 24
# Correlations below two standard errors of none count nothing, above four fully.
_FIRST, _FULL = 2.0, 4.0
# Scores that members may reach: beyond, priors are no longer meant.
_FURTHEST = 4.0


@dataclass(frozen=True)
class State:
    """Where a fit stands: scores, the numbers they give, the share of the data taken in, steps and moves done."""

    scores: FloatArray
    predicted: FloatArray
    localisation: FloatArray
    taken: float = 0.0
    steps: int = 0
    moves: int = 0
    accepted: float = 0.0
    sizes: tuple[float, ...] = ()


def begin(scores: FloatArray, predict: Predict, reach: FloatArray) -> State:
    """The prior ensemble; `reach` [parameter, observation] is 0 where a parameter comes too late to matter."""
    predicted = predict(scores)
    return State(scores, predicted, reach * _taper(scores, predicted))


def _taper(scores: FloatArray, predicted: FloatArray) -> FloatArray:
    x = (scores - scores.mean(0)) / np.maximum(scores.std(0), 1e-9)
    d = (predicted - predicted.mean(0)) / np.maximum(predicted.std(0), 1e-9)
    sure = np.abs(x.T @ d) / len(x) * np.sqrt(len(x))
    return np.asarray(np.clip((sure - _FIRST) / (_FULL - _FIRST), 0, 1))


def step(state: State, likelihood: Likelihood, predict: Predict, seed: int) -> State:
    """One assimilation."""
    random = np.random.default_rng([seed, 1, state.steps])
    sizes = likelihood.sizes(state.predicted)
    noise = likelihood.covariance(sizes)
    residuals = likelihood.residuals(state.predicted)
    root = np.linalg.cholesky(noise)
    misfit = 0.5 * (np.linalg.solve(root, residuals.T) ** 2).sum(0)
    count = residuals.shape[1]
    share = max(count / (2 * max(misfit.mean(), 1e-9)), np.sqrt(count / (2 * max(misfit.var(), 1e-9))))
    share = min(max(share, (1 - state.taken) / (MOST_STEPS - state.steps)), 1 - state.taken)
    weight = 1 / share
    x, d = state.scores - state.scores.mean(0), state.predicted - state.predicted.mean(0)
    members = len(x)
    gain = state.localisation * (x.T @ d) / (members - 1)
    inner = d.T @ d / (members - 1) + weight * noise
    drawn = np.sqrt(weight) * random.standard_normal(residuals.shape) @ root.T
    moved = state.scores + np.linalg.solve(inner, (residuals + drawn).T).T @ gain.T
    moved = np.clip(moved, -_FURTHEST, _FURTHEST)
    taken = min(state.taken + share, 1.0)
    taken = 1.0 if taken > 1 - 1e-9 else taken
    order = tuple(sizes[series.name] for series in likelihood.series)
    return State(moved, predict(moved), state.localisation, taken, state.steps + 1, sizes=order)


def move(state: State, likelihood: Likelihood, predict: Predict, seed: int) -> State:
    """One sweep of Metropolis moves: each half of the members along differences within the other."""
    random = np.random.default_rng([seed, 2, state.moves])
    scores, predicted = state.scores.copy(), state.predicted.copy()
    members, parameters = scores.shape
    halves = random.permutation(members)
    accepted = 0
    for own, other in ((halves[::2], halves[1::2]), (halves[1::2], halves[::2])):
        pairs = np.array([random.choice(len(other), 2, replace=False) for _ in own])
        along = scores[other[pairs[:, 0]]] - scores[other[pairs[:, 1]]]
        chosen = random.random((len(own), parameters)) < random.choice([0.05, 0.2, 0.6], (len(own), 1))
        length = 2.38 / np.sqrt(2 * np.maximum(chosen.sum(1, keepdims=True), 1))
        step_size = length * random.choice([0.3, 0.7, 1.0], (len(own), 1))
        proposed = scores[own] + chosen * (step_size * along + 1e-3 * random.standard_normal(along.shape))
        numbers = predict(proposed)
        before = likelihood.log_density(predicted[own]) - 0.5 * (scores[own] ** 2).sum(1)
        after = likelihood.log_density(numbers) - 0.5 * (proposed**2).sum(1)
        keep = np.log(random.random(len(own))) < after - before
        scores[own[keep]], predicted[own[keep]] = proposed[keep], numbers[keep]
        accepted += int(keep.sum())
    return State(
        scores, predicted, state.localisation, 1.0, state.steps, state.moves + 1, accepted / members, state.sizes
    )


def prune(state: State, likelihood: Likelihood, seed: int) -> State:
    """Members that the smoother left far from any that fits (below the lower quartile by more than three times the spread
    of the quartiles) start the moves from another member."""
    density = likelihood.log_density(state.predicted) - 0.5 * (state.scores**2).sum(1)
    low, middle, high = np.quantile(density, [0.25, 0.5, 0.75])
    lost = np.flatnonzero(density < low - 3 * (high - low))
    good = np.flatnonzero(density >= middle)
    taken = np.random.default_rng([seed, 3]).choice(good, len(lost))
    scores, predicted = state.scores.copy(), state.predicted.copy()
    scores[lost], predicted[lost] = scores[taken], predicted[taken]
    return State(scores, predicted, state.localisation, 1.0, state.steps, state.moves, state.accepted, state.sizes)
