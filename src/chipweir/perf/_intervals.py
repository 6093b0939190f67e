"""From a median to an interval: how wrong estimates were of what the fit had not seen, and how new a row is.

Errors are kept as 10 % and 90 % points of the log ratio measured / predicted, by quantity, kind of deployment and who
chose the flags, for rows of sources that were left out of the fit. What else is new to the fit (chip, generation, vendor,
model, kind of attention, engine, number format, date) adds on either side what leaving that out did to the errors; what a
row adds (gaps of its datasheet, loads beyond those measured) widens them further. All of it adds up as variances.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
# What a novelty adds to either point where too little was measured to learn it (prior).
DEFAULT_ADDED = (0.3, 0.3)
# A source counts as its rows to this power, nearly as one source, since what it did once it did in all of them; below
# `WHOLE` rows in proportion to them.
SOURCE_POWER, WHOLE = 0.25, 24.0
# Sources of all kinds of deployment that count beside those of one kind (prior, by sources left out in turn).
BESIDE = 2.0
# Log standard deviation for every factor of e by which a load lies beyond those measured; prior.
BEYOND = 0.15


@dataclass(frozen=True)
class Errors:
    """`points[quantity][kind]`: (10 %, 90 %) points of ln(measured / predicted); `added[quantity][novelty]`: what is
    added to their sizes, as variances are, where that is new; `seen[novelty]`: what the fit has seen; `spans[name]`: least
    and most of isl, osl, concurrency and chips measured, and years of software."""

    points: Mapping[str, Mapping[str, tuple[float, float]]]
    added: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    seen: Mapping[str, frozenset[str]] = field(default_factory=dict)
    spans: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def new(self, configuration: Configuration) -> tuple[str, ...]:
        """What of a configuration the fit has not seen; of vendor, generation and chip the widest alone, and a format
        only on chips of a vendor it has."""
        names = traits(configuration)
        found = [n for n in NOVELTIES if n != "date" and names[n] not in self.seen.get(n, frozenset())]
        low, high = self.spans.get("year", (-math.inf, math.inf))
        if not low - 0.25 <= configuration.year <= high + 0.25:
            found.append("date")
        widest = next((n for n in NESTED if n in found), None)
        hidden = {n for n in NESTED if n != widest} | ({"format"} if widest == "vendor" else set())
        return tuple(n for n in found if n not in hidden)


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


def flags(c: Configuration) -> str:
    """Who chose the flags: those who make engine or chip ("tuned"), or as documented or nobody says ("open")."""
    return "tuned" if c.tuning == "tuned" else "open"


def learn(
    ratios: Mapping[str, np.ndarray], kinds: Sequence[tuple[str, str]], sources: Sequence[str], weights: np.ndarray
) -> dict[str, dict[str, tuple[float, float]]]:
    """Weighted 10 % and 90 % points of `ratios[quantity]` [n] (NaN: not measured) of all rows, by `flags`, and by kind of
    deployment and flags, each drawn to the wider group the fewer sources it has: a kind that one source measured says
    little of the next source's."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    names, who = np.array(kinds).reshape(-1, 2), np.asarray(sources)
    for quantity, ratio in ratios.items():
        usable = np.isfinite(ratio)
        if usable.sum() < FEWEST:
            continue
        table = {"all": middle(ratio[usable], weights[usable])}
        for flag in sorted(set(names[:, 1])):
            mine = usable & (names[:, 1] == flag)
            whole = table[f"all/{flag}"] = _drawn(ratio, mine, who, weights, table["all"])
            for kind in sorted(set(names[mine, 0])):
                table[f"{kind}/{flag}"] = _drawn(ratio, mine & (names[:, 0] == kind), who, weights, whole)
        found[quantity] = table
    return found


def _drawn(
    ratio: np.ndarray, rows: np.ndarray, sources: np.ndarray, weights: np.ndarray, wider: tuple[float, float]
) -> tuple[float, float]:
    if rows.sum() < FEWEST:
        return wider
    many = len(set(sources[rows]))
    own = middle(ratio[rows], weights[rows])
    low, high = ((many * x + BESIDE * y) / (many + BESIDE) for x, y in zip(own, wider, strict=True))
    return low, high


def middle(ratio: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Weighted 10 % and 90 % points of `ratio` [n], at least 2 % on either side of none."""
    low, high = _quantiles(ratio, weight, [0.1, 0.9])
    return min(low, -0.02), max(high, 0.02)


def _quantiles(values: np.ndarray, weight: np.ndarray, shares: Sequence[float]) -> list[float]:
    order = np.argsort(values)
    place = (np.cumsum(weight[order]) - 0.5 * weight[order]) / weight.sum()
    return [float(x) for x in np.interp(shares, place, values[order])]


def by_source(sources: Sequence[object]) -> np.ndarray:
    """How much a row counts [n], so that its source counts as its rows to the power `SOURCE_POWER`."""
    _, place, counts = np.unique([str(source) for source in sources], return_inverse=True, return_counts=True)
    weights: np.ndarray = np.maximum(counts, WHOLE)[place] ** (SOURCE_POWER - 1.0)
    return weights


def lacking(ratio: np.ndarray, points: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """The least that, added to `points` [n, 2] as variances are, leaves a tenth of `ratio` [n] outside on either side."""
    sides = (np.where(ratio < points[:, 0], ratio, 0.0), np.where(ratio > points[:, 1], ratio, 0.0))
    low, high = (
        _quantiles(np.sqrt(np.maximum(beyond**2 - points[:, k] ** 2, 0.0)), weight, [0.9])[0]
        for k, beyond in enumerate(sides)
    )
    return low, high


def spread(
    errors: Errors, configurations: Sequence[Configuration], chosen: Sequence[bool], quantity: str
) -> np.ndarray:
    """(10 %, 90 %) points of ln(measured / predicted) for every row, [n, 2]."""
    return spreads(errors, configurations, chosen, (quantity,))[quantity]


def spreads(
    errors: Errors, configurations: Sequence[Configuration], chosen: Sequence[bool], quantities: Collection[str]
) -> dict[str, np.ndarray]:
    """`spread` of several quantities: what is new of a row is looked up once for each kind of them."""
    first, kind = kinds(configurations)
    new = [errors.new(c) for c in first]
    free = np.asarray(chosen, dtype=bool)
    # A load that was chosen has errors of its own.
    keys = [(deployment(c, chosen), flags(c), n) for chosen in (False, True) for c, n in zip(first, new, strict=True)]
    place = kind + len(first) * free
    far = beyond(errors, configurations)
    found = {}
    for quantity in quantities:
        table, added = errors.points.get(quantity, {}), errors.added.get(quantity, {})
        points = np.array([_lookup(table, name, flag) for name, flag, _ in keys]).reshape(-1, 2)
        more = np.array([_together([added.get(n, DEFAULT_ADDED) for n in new]) for _, _, new in keys]).reshape(-1, 2)
        wide = np.hypot(points, more) * np.array([-1.0, 1.0])
        found[quantity] = widen(wide[place], far)
    return found


def unseen_spreads(
    errors: Errors, configurations: Sequence[Configuration], labels: np.ndarray, quantities: Collection[str]
) -> dict[str, np.ndarray]:
    """`spreads` [n, 2] of configurations with stated loads, each as if the fit had seen none of those that share its
    label [n]."""
    found = {quantity: np.full((len(labels), 2), np.nan) for quantity in quantities}
    names = [traits(c) for c in configurations]
    for label in np.unique(labels):
        out = labels == label
        rest = [t for t, gone in zip(names, out, strict=True) if not gone]
        seen = {n: frozenset(t[n] for t in rest) for n in NOVELTIES if n != "date"}
        mine = [configurations[i] for i in np.flatnonzero(out).tolist()]
        for quantity, points in spreads(replace(errors, seen=seen), mine, [False] * len(mine), quantities).items():
            found[quantity][out] = points
    return found


def _together(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return math.hypot(*(low for low, _ in parts)), math.hypot(*(high for _, high in parts))


def _lookup(table: Mapping[str, tuple[float, float]], kind: str, flag: str) -> tuple[float, float]:
    names = (f"{kind}/{flag}", kind, f"all/{flag}", "all")
    return next((table[name] for name in names if name in table), DEFAULT)


def beyond(errors: Errors, configurations: Sequence[Configuration]) -> np.ndarray:
    """Log standard deviation [n] for loads and sizes beyond those measured."""
    out = np.zeros(len(configurations))
    for name, value in _sizes(configurations).items():
        low, high = errors.spans.get(name, (0.0, math.inf))
        value = np.where(np.isfinite(value), value, low)
        if low > 0:
            out += np.maximum(np.log(low / value), 0.0) + np.maximum(np.log(value / high), 0.0)
    return BEYOND * out


SIZES = ("isl", "osl", "concurrency", "chips")


def _sizes(configurations: Sequence[Configuration]) -> dict[str, np.ndarray]:
    """Columns `SIZES` [n], NaN where one is open."""
    none = math.nan
    sizes = [
        (c.offered.isl, c.offered.osl, none if c.concurrency is None else c.concurrency,
         none if c.plan is None else c.plan.decode_chips)
        for c in configurations
    ]  # fmt: skip
    return dict(zip(SIZES, np.array(sizes, dtype=float).reshape(-1, len(SIZES)).T, strict=True))


def spans(configurations: Sequence[Configuration]) -> dict[str, tuple[float, float]]:
    """Range of sizes and years that the middle 98 % of measured rows span."""
    found = {}
    for name, values in _sizes(configurations).items():
        low, high = np.quantile(values[np.isfinite(values)], [0.01, 0.99])
        found[name] = (float(low), float(high))
    years = [c.year for c in configurations if c.dated]
    return found | {"year": (min(years), max(years))} if years else found


def widen(points: np.ndarray, log_sd: np.ndarray) -> np.ndarray:
    """`points` [n, 2] with an independent log-normal error of `log_sd` [n] added in quadrature on either side."""
    extra = (Z80 * log_sd)[:, None]
    return np.stack([-np.hypot(points[:, 0], extra[:, 0]), np.hypot(points[:, 1], extra[:, 0])], axis=1)
