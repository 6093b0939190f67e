"""How well members agree with observations: errors of sources, errors that a series shares, and the model's own error.

Within a series (all rows of one quantity) the log residual is normal with covariance

    R(s) = diag(e^2 (1 - h)) + h e e' (rows of one class of source) + s^2 exp(-|t - t'| / tau)

where `e` is the error of a row, `h` the share that rows of one class have in common and `s` the model's error, whose prior
is half-normal with 0.15 and ends at 0.3; `s` is integrated out. A bound that a member keeps has no residual.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from chipweir.calibration._observations import Observation, logs
from chipweir.calibration._quantity import FloatArray


DISCREPANCY, LARGEST_DISCREPANCY = 0.15, 0.3
# Months over which the model's error is forgotten.
_MEMORY = 12.0
_GRID = np.linspace(0.02, LARGEST_DISCREPANCY, 8)


@dataclass(frozen=True)
class Series:
    """Rows of one quantity: their places, and both parts of their covariance."""

    name: str
    rows: npt.NDArray[np.int_]
    source: FloatArray
    model: FloatArray

    def covariance(self, size: float) -> FloatArray:
        """Of the residuals, for a model error of `size`."""
        return self.source + size**2 * self.model


@dataclass(frozen=True)
class Likelihood:
    """The observations that count, in order; echoes and rows of no weight are left out by the caller."""

    observations: tuple[Observation, ...]

    @cached_property
    def observed(self) -> FloatArray:
        return logs(self.observations)

    @cached_property
    def scale(self) -> FloatArray:
        return np.asarray([o.scale for o in self.observations], dtype=float)

    @cached_property
    def series(self) -> tuple[Series, ...]:
        names = dict.fromkeys(o.series for o in self.observations)
        return tuple(_series(name, self.observations) for name in names)

    def residuals(self, predicted: FloatArray) -> FloatArray:
        """Observed less predicted `[member, observation]` in log, stretched so that one error holds on both sides."""
        gap = self.observed - predicted
        sides = np.array([(o.below, o.above) for o in self.observations])
        return np.asarray(np.where(gap > 0, gap * self.scale / sides[:, 0], gap * self.scale / sides[:, 1]))

    def log_density(self, predicted: FloatArray) -> FloatArray:
        """Log-likelihood of every member, `[member]`."""
        residuals = self.residuals(predicted)
        total = np.zeros(len(predicted))
        weight = -0.5 * (_GRID / DISCREPANCY) ** 2
        weight -= np.logaddexp.reduce(weight)
        for series in self.series:
            own = residuals[:, series.rows].T
            parts = []
            for size, prior in zip(_GRID, weight, strict=True):
                root = np.linalg.cholesky(series.covariance(size))
                white = np.linalg.solve(root, own)
                parts.append(prior - 0.5 * (white**2).sum(0) - np.log(np.diag(root)).sum())
            total += np.logaddexp.reduce(parts, axis=0)
        return total

    def sizes(self, predicted: FloatArray) -> Mapping[str, float]:
        """The model error of each series, root mean square over what its residuals leave of the prior, given the spread of
        members: a series of few rows keeps most of the prior's."""
        residuals, found = self.residuals(predicted), {}
        for series in self.series:
            own = residuals[:, series.rows]
            middle, spread = own.mean(0), np.atleast_2d(np.cov(own.T))
            scores = []
            for size in _GRID:
                root = np.linalg.cholesky(series.covariance(size) + spread)
                white = np.linalg.solve(root, middle)
                scores.append(-0.5 * (white**2).sum() - np.log(np.diag(root)).sum() - 0.5 * (size / DISCREPANCY) ** 2)
            weights = np.exp(np.array(scores) - max(scores))
            found[series.name] = float(np.sqrt(weights @ _GRID**2 / weights.sum()))
        return found

    def covariance(self, sizes: Mapping[str, float]) -> FloatArray:
        """Of all residuals, `[observation, observation]`; series are independent."""
        out = np.zeros((len(self.observations),) * 2)
        for series in self.series:
            out[np.ix_(series.rows.tolist(), series.rows.tolist())] = series.covariance(sizes[series.name])
        return out


def _series(name: str, observations: Sequence[Observation]) -> Series:
    rows = np.array([i for i, o in enumerate(observations) if o.series == name])
    own = [observations[i] for i in rows]
    error, shared = np.array([o.scale for o in own]), np.array([o.shared for o in own])
    alike = np.array([[a.cls == b.cls for b in own] for a in own])
    common = np.sqrt(shared[:, None] * shared[None]) * alike * np.outer(error, error)
    source = np.where(np.eye(len(own), dtype=bool), np.outer(error, error), common)
    at = np.array([o.middle for o in own])
    return Series(name, rows, source, np.exp(-np.abs(at[:, None] - at[None]) / _MEMORY))
