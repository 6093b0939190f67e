"""What an outcome hangs on: sensitivity indices of many uncertain quantities at once.

Two ways in. Where a design was run (Saltelli's), Sobol's first and total indices; on any stored ensemble, indices that
need no design: PAWN (Pianosi and Wagener 2018: how far the distribution of the outcome moves when a factor is known) and
first-order indices by random balance designs (Tarantola et al. 2006, with Plischke's given-data ordering). The Sobol and
random balance indices are SALib's.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


FloatArray = npt.NDArray[np.float64]

RESAMPLES = 20
SLICES = 10
HARMONICS = 10
LEAST_MEMBERS = 100
"""Members below which an index of many factors says nothing."""
_CONFIDENCE = 0.8


@dataclass(frozen=True)
class Index:
    """One index of one factor with its 80 % interval. `kind`: `sobol_first`, `sobol_total`, `first` or `pawn`."""

    name: str
    kind: str
    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "kind": self.kind, "value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Found:
    """Indices, largest first by `pawn` or `sobol_total`, and what a factor that does nothing would show by chance."""

    indices: tuple[Index, ...]
    noise: Mapping[str, float]

    def of(self, kind: str) -> list[Index]:
        """The indices of one kind, largest first."""
        return sorted((index for index in self.indices if index.kind == kind), key=lambda index: -index.value)


def given_data(columns: Mapping[str, FloatArray], outcome: FloatArray, seed: int = 0) -> Found:
    """PAWN and first-order indices of factors {name: [M]} for `outcome` [M], with bootstrap intervals.

    Members whose outcome is unknown are left out. Factors that do not vary have index 0. `noise` is the 95th percentile
    of the index of a factor drawn anew, which is what chance alone shows with so many members.
    """
    known = np.isfinite(outcome)
    y = np.asarray(outcome, dtype=float)[known]
    moving = {name: np.asarray(values, dtype=float)[known] for name, values in columns.items()}
    names = [name for name, values in moving.items() if values.size and np.ptp(values) > 0]
    if not names or y.size < LEAST_MEMBERS or np.ptp(y) == 0:
        zero = [Index(name, kind, 0.0, 0.0, 0.0) for name in columns for kind in ("pawn", "first")]
        return Found(tuple(zero), {"pawn": 0.0, "first": 0.0})
    x = np.stack([moving[name] for name in names], axis=1)
    generator = np.random.default_rng(seed)
    chance = generator.normal(size=(y.size, RESAMPLES))
    measures: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {"pawn": _pawn, "first": _first}
    found, noise = [], {}
    for kind, measure in measures.items():
        values = measure(x, y)
        draws = [_resampled(measure, x, y, generator) for _each in range(RESAMPLES)]
        spread = np.std(draws, axis=0, ddof=1) * 1.2816
        noise[kind] = float(np.quantile(measure(chance, y), 0.95))
        found += [
            Index(name, kind, float(v), float(max(v - s, 0.0)), float(min(v + s, 1.0)))
            for name, v, s in zip(names, values, spread, strict=True)
        ]
        found += [Index(name, kind, 0.0, 0.0, 0.0) for name in columns if name not in names]
    return Found(tuple(found), noise)


def _resampled(
    measure: Callable[[FloatArray, FloatArray], FloatArray],
    x: FloatArray,
    y: FloatArray,
    generator: np.random.Generator,
) -> FloatArray:
    """The measure on a half of the members, drawn without replacement and scaled to the whole by the caller's spread.

    Ties of a bootstrap with replacement would bias a distance of distributions; halves do not have them.
    """
    half = generator.choice(len(y), size=len(y) // 2, replace=False)
    return measure(x[half], y[half])


def _problem(names: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def _pawn(x: FloatArray, y: FloatArray) -> FloatArray:
    """Median over slices of each factor of the Kolmogorov-Smirnov distance between the outcome in the slice and at large.

    As SALib's `pawn` (a test holds it to that), without its p-values, which take nearly all of its time.
    """
    order = np.argsort(y, kind="stable")
    last = np.append(np.diff(y[order]) > 0, True)  # distribution functions are compared after ties
    whole = np.arange(1, len(y) + 1) / len(y)
    found = np.empty(x.shape[1])
    edges = np.linspace(0, 1, SLICES + 1)
    for column, ranks in enumerate(_ranks(x).T):
        inside = (ranks[order, None] >= edges[:-1]) & (ranks[order, None] < edges[1:])
        sizes = inside.sum(axis=0)
        share = np.cumsum(inside, axis=0) / np.maximum(sizes, 1)
        distances = np.abs(share - whole[:, None])[last].max(axis=0)
        found[column] = np.median(distances[sizes > 0])
    return found


def _first(x: FloatArray, y: FloatArray) -> FloatArray:
    """First-order indices: the outcome in the order of a factor (up by every second member, down by the rest) as a signal,
    and the share of its power in the lowest `HARMONICS` frequencies, corrected for what noise would show.

    As SALib's `rbd_fast` (a test holds it to that), for all factors at once.
    """
    order = np.argsort(x, axis=0, kind="stable")
    signal = y[np.concatenate([order[::2], order[1::2][::-1]])]
    power = np.abs(np.fft.rfft(signal - y.mean(), axis=0)) ** 2
    if len(y) % 2 == 0:
        power[-1] /= 2
    share = power[1 : HARMONICS + 1].sum(axis=0) / power[1:].sum(axis=0)
    noise = 2 * HARMONICS / len(y)
    found: FloatArray = np.clip(share - noise / (1 - noise) * (1 - share), 0.0, 1.0)
    return found


def _ranks(x: FloatArray) -> FloatArray:
    """Columns as their ranks between 0 and 1: indices do not change, and coarse columns keep their ties."""
    from scipy.stats import rankdata

    ranked: FloatArray = (rankdata(x, axis=0) - 0.5) / len(x)
    return ranked


def sobol_design(groups: Sequence[str], base: int, seed: int = 0) -> FloatArray:
    """Saltelli's design on the unit cube: `[base (G + 2), columns]`; `base` a power of two.

    `groups` names the factor of each column; columns of one factor move together, so that G factors cost `base (G + 2)`
    however many columns they have.
    """
    from SALib.sample import sobol

    problem = {**_problem([str(number) for number in range(len(groups))]), "groups": list(groups)}
    drawn: FloatArray = sobol.sample(problem, base, calc_second_order=False, seed=seed)
    return drawn


def sobol_indices(names: Sequence[str], outcome: FloatArray, seed: int = 0) -> Found:
    """First and total indices from the outcomes of `sobol_design`, with 80 % bootstrap intervals."""
    from SALib.analyze import sobol

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sobol.analyze(
            _problem(names),
            np.asarray(outcome, dtype=float),
            calc_second_order=False,
            conf_level=_CONFIDENCE,
            seed=seed,
        )
    indices = []
    for kind, key in (("sobol_first", "S1"), ("sobol_total", "ST")):
        for name, value, spread in zip(names, found[key], found[f"{key}_conf"], strict=True):
            indices.append(Index(name, kind, float(value), float(value - spread), float(value + spread)))
    return Found(tuple(indices), {})
