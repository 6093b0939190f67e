"""From a median to an interval: how wrong the estimate was on chips and models it had not seen.

Errors are kept as 10 % and 90 % points of the log ratio measured / predicted, by quantity and kind of deployment, once
for chips and models that were measured and once for those left out. What a row adds (gaps of its datasheet, a vendor
or framework never
measured) widens the interval in quadrature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chipweir.perf._configuration import Configuration


QUANTITIES = ("tpot", "ttft", "output", "input")
Z80 = 1.2815515655446004
FEWEST = 25
# Where nothing was measured of a kind of deployment (prior: the widest kind measured).
DEFAULT = (-0.6, 0.6)


@dataclass(frozen=True)
class Errors:
    """`points[quantity][kind]`: (10 %, 90 %) points of ln(measured / predicted); `kind` is `familiar:...` or
    `new:...`."""

    points: Mapping[str, Mapping[str, tuple[float, float]]]
    chips: frozenset[str]
    models: frozenset[str]

    def familiar(self, configuration: Configuration) -> bool:
        """Whether both the chip and the model were measured."""
        return configuration.chip.id in self.chips and configuration.model.id in self.models


def deployment(configuration: Configuration, chosen: bool) -> str:
    """The kind of deployment an error belongs to; `chosen`: the load was not stated but chosen."""
    plan = configuration.plan
    if configuration.phase in ("prefill", "decode"):
        return configuration.phase
    if configuration.harness == "sweep":
        return "sweep"
    if chosen:
        return "chosen"
    if not configuration.settled:
        return "unsure"
    if configuration.stat == "step":
        return "steps"
    if plan is not None and plan.split:
        return "split" if plan.counted and np.isfinite(plan.prefill_replicas) else "part-stated"
    if configuration.drafting > 0:
        return "drafting"
    return "data" if plan is not None and plan.dp > 1 else "tensor"


def learn(
    ratios: Mapping[str, np.ndarray], kinds: Sequence[str], weights: np.ndarray
) -> dict[str, dict[str, tuple[float, float]]]:
    """Weighted 10 % and 90 % points of `ratios[quantity]` [n] (NaN: not measured) by kind, and of all kinds
    together."""
    names = np.asarray(kinds)
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for quantity, ratio in ratios.items():
        usable = np.isfinite(ratio)
        groups = {"all": usable} | {str(k): usable & (names == k) for k in sorted(set(kinds))}
        found[quantity] = {k: _points(ratio[m], weights[m]) for k, m in groups.items() if m.sum() >= FEWEST}
    return found


def _points(ratio: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    order = np.argsort(ratio)
    place = np.cumsum(weight[order]) / weight.sum()
    low, high = np.interp([0.1, 0.9], place, ratio[order])
    return min(float(low), -0.02), max(float(high), 0.02)


def spread(
    errors: Errors, configurations: Sequence[Configuration], chosen: Sequence[bool], quantity: str
) -> np.ndarray:
    """(10 %, 90 %) points of ln(measured / predicted) for every row, [n, 2]."""
    table = errors.points.get(quantity, {})
    cache: dict[tuple[bool, str], tuple[float, float]] = {}
    out = np.empty((len(configurations), 2))
    for row, (configuration, free) in enumerate(zip(configurations, chosen, strict=True)):
        key = (errors.familiar(configuration), deployment(configuration, free))
        if key not in cache:
            cache[key] = _lookup(table, *key)
        out[row] = cache[key]
    return out


def _lookup(table: Mapping[str, tuple[float, float]], familiar: bool, kind: str) -> tuple[float, float]:
    wanted = (f"familiar:{kind}", f"familiar:{kind}") if familiar else (f"new:{kind}",)
    for name in (*wanted, f"new:{kind}", f"familiar:{kind}", "new:all", "familiar:all"):
        if name in table:
            return table[name]
    return DEFAULT


def widen(points: np.ndarray, log_sd: np.ndarray) -> np.ndarray:
    """`points` [n, 2] with an independent log-normal error of `log_sd` [n] added in quadrature on either side."""
    extra = (Z80 * log_sd)[:, None]
    return np.stack([-np.hypot(points[:, 0], extra[:, 0]), np.hypot(points[:, 1], extra[:, 0])], axis=1)
