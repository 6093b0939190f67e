"""Several levers at once from each alone: effects add up on a scale, member by member; how well is measured.

With f the outcome's scale, x0 a member's value under the preset and xi that with lever i moved alone, the member's value
with several moved is taken to be f^-1(f(x0) + sum of f(xi) - f(x0)). Which scale serves an outcome best is chosen on half of
the simulated combinations; errors are those of the other half.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chipweir.report import HEADLINES
from chipweir.site._grid import START, Case, Grid


Array = npt.NDArray[np.floating]

_NEAR_ZERO = 1e-3
"""The floor of logarithms as a share of an outcome's median, and the margin of shares from 0 and 1."""


@dataclass(frozen=True)
class Scale:
    """A scale on which effects add: `linear`, `log` (of the value and a floor) or `logit` (of a share within a floor)."""

    name: str
    floor: float = 0.0

    def to(self, values: Array) -> Array:
        """Values on the scale."""
        if self.name == "log":
            return np.log(np.maximum(values, 0) + self.floor)
        if self.name == "logit":
            inside = np.clip(values, self.floor, 1 - self.floor)
            return np.log(inside / (1 - inside))
        return values

    def back(self, scaled: Array) -> Array:
        """Values from the scale."""
        if self.name == "log":
            return np.maximum(np.exp(scaled) - self.floor, 0)
        if self.name == "logit":
            return 1 / (1 + np.exp(-scaled))
        return scaled


@dataclass(frozen=True)
class Accuracy:
    """How far medians of combinations lie from those simulated: `typical` in half of all cases and years, `most` in nine
    of ten. In shares of the value for counts, money and compute, in the outcome's unit otherwise. `right_way` is the share
    of effects, among those beyond a tenth of the interval's width, whose direction is right; NaN where there are none."""

    scale: Scale
    typical: float
    most: float
    right_way: float
    cases: int


def combined(grid: Grid, case: Case, outcome: str, scale: Scale) -> Array:
    """The emulated values `[member, year]` of a case."""
    base = scale.to(grid.values[Case(case.preset)][outcome].astype(float))
    effects = [scale.to(grid.values[alone][outcome].astype(float)) - base for alone in case.alone]
    return scale.back(base + np.sum(effects, axis=0) if effects else base)


def accuracy(grid: Grid, outcome: str) -> Accuracy:
    """The best scale of an outcome, and what errors remain with it."""
    cases = grid.plan.together
    if not cases:
        raise ValueError("no combination was simulated to measure errors on")
    choosing, judging = (cases[::2], cases[1::2]) if len(cases) > 1 else (cases, cases)
    scales = _scales(grid, outcome)
    scale = min(scales, key=lambda each: float(np.mean(_errors(grid, choosing, outcome, each))))
    errors = _errors(grid, judging, outcome, scale)
    return Accuracy(
        scale, float(np.quantile(errors, 0.5)), float(np.quantile(errors, 0.9)),
        _right_way(grid, judging, outcome, scale), len(judging),
    )  # fmt: skip


def _scales(grid: Grid, outcome: str) -> list[Scale]:
    values = np.concatenate([grid.values[Case(preset)][outcome] for preset in grid.plan.presets])
    known = values[np.isfinite(values)]
    found = [Scale("linear")]
    if known.size and known.min() >= 0:
        found.append(Scale("log", _NEAR_ZERO * float(np.median(known)) or _NEAR_ZERO))
        if HEADLINES[outcome].kind == "share" and known.max() <= 1:
            found.append(Scale("logit", _NEAR_ZERO))
    return found


def _acting(grid: Grid) -> slice:
    """The years in which the levers have acted for a year at least."""
    first = int(START[:4]) + 1
    return slice(grid.years.index(first), None)


def _medians(values: Array, years: slice) -> Array:
    """Medians over members of the acting years; missing where no member has a value."""
    shown = values[:, years]
    known = np.isfinite(shown).any(axis=0)
    return np.where(known, np.nanmedian(np.where(known, shown, 0.0), axis=0), np.nan)


def _errors(grid: Grid, cases: Sequence[Case], outcome: str, scale: Scale) -> Array:
    """Absolute errors of the medians, all cases and years that are known."""
    years, relative = _acting(grid), HEADLINES[outcome].kind in ("count", "usd", "flop")
    found = []
    for case in cases:
        true = _medians(grid.values[case][outcome], years)
        error = np.abs(_medians(combined(grid, case, outcome, scale), years) - true)
        if relative:
            least = _NEAR_ZERO * float(np.nanmedian(grid.values[Case(grid.plan.presets[0])][outcome]))
            error = error / np.maximum(np.abs(true), least or 1.0)
        found.append(error[np.isfinite(error)])
    errors = np.concatenate(found)
    return errors if errors.size else np.array([np.nan])


def _right_way(grid: Grid, cases: Sequence[Case], outcome: str, scale: Scale) -> float:
    years, right = _acting(grid), []
    for case in cases:
        base = grid.values[Case(case.preset)][outcome].astype(float)
        width = np.subtract(*np.nanquantile(base[:, years], (0.9, 0.1), axis=0))
        true = _medians(grid.values[case][outcome] - base, years)
        told = _medians(combined(grid, case, outcome, scale) - base, years)
        large = np.abs(true) > 0.1 * width
        right += list((np.sign(true) == np.sign(told))[large])
    return float(np.mean(right)) if right else float("nan")
