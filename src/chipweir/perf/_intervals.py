"""From a median to an interval: how wrong estimates were of what the fit had not seen, and how new a row is.

Errors are kept as 10 % and 90 % points of the log ratio measured / predicted, by quantity and kind of deployment, for
rows of sources that were left out of the fit. What else is new to the fit (chip, generation, vendor, model, kind of
attention, engine, number format, date) widens them by what leaving that out did to the errors; what a row adds (gaps of
its datasheet, loads beyond those measured) widens them further. All of it adds up as variances.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from chipweir.perf._configuration import Configuration, kinds


QUANTITIES = ("tpot", "ttft", "output", "input")
Z80 = 1.2815515655446004
FEWEST = 25
# Where nothing was measured of a kind of deployment (prior: the widest kind measured).
DEFAULT = (-0.6, 0.6)
# What a row may have that the fit has not; nested ones are counted by the widest.
NOVELTIES = ("vendor", "generation", "chip", "model", "attention", "engine", "format", "date")
NESTED = ("vendor", "generation", "chip")
# Factor on the spread where too little was measured to learn it.
DEFAULT_WIDER = 1.3
# Log standard deviation for every factor of e by which a load lies beyond those measured; prior.
BEYOND = 0.15


@dataclass(frozen=True)
class Errors:
    """`points[quantity][kind]`: (10 %, 90 %) points of ln(measured / predicted); `wider[quantity][novelty]`: factor on
    the spread where that is new; `seen[novelty]`: what the fit has seen; `spans[name]`: least and most of isl, osl,
    concurrency and chips measured, and years of software."""

    points: Mapping[str, Mapping[str, tuple[float, float]]]
    wider: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seen: Mapping[str, frozenset[str]] = field(default_factory=dict)
    spans: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def new(self, configuration: Configuration) -> tuple[str, ...]:
        """What of a configuration the fit has not seen; of vendor, generation and chip the widest alone."""
        names = traits(configuration)
        found = [n for n in NOVELTIES if n != "date" and names[n] not in self.seen.get(n, frozenset())]
        low, high = self.spans.get("year", (-math.inf, math.inf))
        if not low - 0.25 <= configuration.year <= high + 0.25:
            found.append("date")
        widest = next((n for n in NESTED if n in found), None)
        return tuple(n for n in found if n not in NESTED or n == widest)


def traits(c: Configuration) -> dict[str, str]:
    """What of a configuration may be new."""
    model = c.model
    attention = "latent" if model.latent else "linear" if model.state_elements > 0 else "grouped"
    sparse = "" if math.isinf(float(model.topk)) else "/sparse"
    return {
        "vendor": str(c.chip.vendor), "generation": c.chip.line, "chip": str(c.chip.id), "model": shape(c),
        "attention": f"{attention}{sparse}/{model.kind}", "engine": c.engine, "format": f"{c.dtype}/{c.chip.vendor}",
    }  # fmt: skip


def shape(c: Configuration) -> str:
    """What models share whose layers are the same."""
    m = c.model
    return f"{float(m.layers):g}x{float(m.hidden):g}/{float(m.experts):g}/{float(m.kv_elements):g}"


def deployment(configuration: Configuration, chosen: bool) -> str:
    """The kind of deployment an error belongs to; `chosen`: the load was not stated but chosen."""
    plan, offered = configuration.plan, configuration.offered
    if configuration.phase in ("prefill", "decode"):
        return configuration.phase
    if chosen:
        return "chosen"
    if not offered.settled:
        return "unsure"
    if plan is not None and plan.split:
        return "split" if plan.counted and np.isfinite(plan.prefill_replicas) else "part-stated"
    if configuration.stat == "step":
        return "steps"
    if offered.static:
        return "static"
    if offered.drafts > 0:
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
    place = (np.cumsum(weight[order]) - 0.5 * weight[order]) / weight.sum()
    low, high = np.interp([0.1, 0.9], place, ratio[order])
    return min(float(low), -0.02), max(float(high), 0.02)


def spread_of(ratio: np.ndarray, weight: np.ndarray) -> float:
    """Half the width of the weighted middle 80 % of `ratio` [n]."""
    low, high = _points(ratio, weight)
    return (high - low) / 2.0


def spread(
    errors: Errors, configurations: Sequence[Configuration], chosen: Sequence[bool], quantity: str
) -> np.ndarray:
    """(10 %, 90 %) points of ln(measured / predicted) for every row, [n, 2]."""
    return spreads(errors, configurations, chosen, (quantity,))[quantity]


def spreads(
    errors: Errors, configurations: Sequence[Configuration], chosen: Sequence[bool], quantities: Collection[str]
) -> dict[str, np.ndarray]:
    """`spread` of several quantities: what is new of a row is looked up once."""
    first, kind = kinds(configurations)
    new = [errors.new(c) for c in first]
    free = np.asarray(chosen, dtype=bool)
    # A load that was chosen has errors of its own.
    keys = [(deployment(c, chosen), n) for chosen in (False, True) for c, n in zip(first, new, strict=True)]
    place = kind + len(first) * free
    far = beyond(errors, configurations)
    found = {}
    for quantity in quantities:
        table, wider = errors.points.get(quantity, {}), errors.wider.get(quantity, {})
        factors = [
            math.sqrt(1.0 + sum(max(wider.get(n, DEFAULT_WIDER), 1.0) ** 2 - 1.0 for n in new)) for _, new in keys
        ]
        points = np.array([_lookup(table, kind) for kind, _ in keys]).reshape(-1, 2) * np.array(factors)[:, None]
        found[quantity] = widen(points[place], far)
    return found


def _lookup(table: Mapping[str, tuple[float, float]], kind: str) -> tuple[float, float]:
    return next((table[name] for name in (kind, "all") if name in table), DEFAULT)


def beyond(errors: Errors, configurations: Sequence[Configuration]) -> np.ndarray:
    """Log standard deviation [n] for loads and sizes beyond those measured."""
    out = np.zeros(len(configurations))
    for name, (low, high) in errors.spans.items():
        if name != "year":
            value = np.array([_size(c, name) for c in configurations])
            value = np.where(np.isfinite(value), value, low)
            out += np.maximum(np.log(low / value), 0.0) + np.maximum(np.log(value / high), 0.0)
    return BEYOND * out


def _size(c: Configuration, name: str) -> float:
    if name == "chips":
        return math.nan if c.plan is None else c.plan.decode_chips
    value = getattr(c, name)
    return math.nan if value is None else float(value)


SIZES = ("isl", "osl", "concurrency", "chips")


def spans(configurations: Sequence[Configuration]) -> dict[str, tuple[float, float]]:
    """Range of sizes and years that the middle 98 % of measured rows span."""
    found = {}
    for name in SIZES:
        values = np.array([_size(c, name) for c in configurations])
        low, high = np.quantile(values[np.isfinite(values)], [0.01, 0.99])
        found[name] = (float(low), float(high))
    years = [c.year for c in configurations if c.dated]
    return found | {"year": (min(years), max(years))} if years else found


def widen(points: np.ndarray, log_sd: np.ndarray) -> np.ndarray:
    """`points` [n, 2] with an independent log-normal error of `log_sd` [n] added in quadrature on either side."""
    extra = (Z80 * log_sd)[:, None]
    return np.stack([-np.hypot(points[:, 0], extra[:, 0]), np.hypot(points[:, 1], extra[:, 0])], axis=1)
