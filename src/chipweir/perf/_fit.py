"""Fitting the efficiencies to measurements: maximum a posteriori by Gauss-Newton, errors by leaving groups out.

    chipweir estimate --fit perf-measurements.csv --out posterior.json

Measured logs are Student-t about the estimate's. Rows of one source share an error, and so do rows of one chip, model,
engine and format within a source: both are offsets of their own in the fit, so that a thousand rows of one sweep say
little more than a hundred, and a source counts as a source. Estimates are made without them; what they hold is part of
the interval.

An estimate depends on the parameters through the twenty-odd efficiencies of its row alone, and these are sums of few
parameters: derivatives by efficiency (one evaluation of all rows each) and a sparse matrix give the Jacobian, and a fit
takes seconds. Student-t errors are weighed anew in every step (iteratively reweighted least squares).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._assemble import gather
from chipweir.perf._efficiency import (
    COVARIATES,
    GROUPS,
    TERMS,
    Layout,
    Posterior,
    efficiencies,
    group_levels,
    layout,
    places,
    prior,
)
from chipweir.perf._intervals import FEWEST as FEWEST_KIND
from chipweir.perf._intervals import (
    NOVELTIES,
    QUANTITIES,
    Errors,
    by_source,
    deployment,
    flags,
    lacking,
    learn,
    middle,
    spans,
    spreads,
    traits,
)
from chipweir.perf._measured import Measured, Row, arrays, measured, stated
from chipweir.perf._operators import Work
from chipweir.perf._serving import Case, Served, inter_token, serve


# Scale of the Student-t about each log, how much a quantity counts, and the spread of what a source and a sweep share.
SCALES = {"tpot": (0.15, 1.0), "ttft": (0.25, 0.6), "output": (0.2, 0.4)}
SOURCE_SD = {"tpot": 0.03, "ttft": 0.06, "output": 0.03}
SWEEP_SD = {"tpot": 0.05, "ttft": 0.1, "output": 0.05}
DEGREES = 3.0
# Rows of one sweep still repeat one another's errors: each counts as this share of an independent one.
TEMPER = 0.25
# Most rows of one sweep that are looked at: neighbours along a sweep say the same.
FEW = 24
DRAWS = 48
ROUNDS, ROUNDS_AGAIN = 14, 8
# Step of a derivative on the scale of a linear predictor.
STEP = 0.02
FEWEST = 20


@dataclass(frozen=True)
class Shared:
    """Places [n] of the source and of the sweep every row belongs to, and how many there are of each."""

    source: np.ndarray
    sweep: np.ndarray
    sources: int
    sweeps: int


def shared(data: Measured) -> Shared:
    """Sources and sweeps of the rows."""
    sources = [r.get("family") or r.get("source") or "" for r in data.rows]
    sweeps = [
        (s, c.chip.id, c.model.id, c.engine, c.dtype, bool(c.plan and c.plan.split))
        for s, c in zip(sources, data.configurations, strict=True)
    ]
    places = []
    for keys in (sources, sweeps):
        at: dict[Any, int] = {}
        places.append(np.array([at.setdefault(key, len(at)) for key in keys]))
    return Shared(places[0], places[1], int(places[0].max()) + 1, int(places[1].max()) + 1)


def predicted(theta: Any, data: Measured, work: Work, cases: Case, where: Any, form: Layout) -> dict[str, Any]:
    """Estimates of the measured quantities [n]: seconds, tokens/s per decoding chip, per chip that prefills."""
    return quantities(serve(work, efficiencies(theta, where, form), cases), data, cases)


def quantities(served: Served, data: Measured, cases: Case) -> dict[str, Any]:
    """What tables report from a `Served`: time per token as their statistic, output per decoding chip, input per chip
    that prefills."""
    steps = np.array([c.stat == "step" for c in data.configurations])
    tpot = np.where(steps, inter_token(served, cases.osl), served.tpot)
    lasting = np.array([c.lasting for c in data.configurations])
    pooled = np.array([bool(c.plan and c.plan.pooled) for c in data.configurations])
    decoding = cases.decode_chips
    prefilling = cases.prefill_tp * cases.prefill_dp * cases.prefill_replicas
    reading = np.where(cases.split > 0, prefilling, decoding)
    rate = served.rate * lasting
    return {
        "tpot": tpot,
        "ttft": served.ttft,
        "output": rate * cases.osl / np.where(pooled, decoding + prefilling, decoding),
        "input": rate * cases.isl / reading,
    }


def levels(data: Measured) -> dict[str, list[str]]:
    """Levels of every group met in the data, and those whose prior is known."""
    found = [group_levels(c) for c in data.configurations]
    known = {g: {n.split("=", 1)[1] for t in TERMS for n in t.offsets if n.startswith(g + "=")} for g in GROUPS}
    return {g: sorted({f[g] for f in found} | known[g]) for g in GROUPS}


class Problem:
    """The rows of a fit with all that does not change between fits: arrays, design, logs of what was measured.

    `place` [f]: flat place (quantity, row) of every measured number; `design`: for each efficiency the sparse matrix
    [n, p] that turns parameters into its linear predictor; `offsets`: sparse [f, k] offsets of sources and sweeps.
    """

    def __init__(self, data: Measured, form: Layout) -> None:
        from scipy import sparse

        self.data, self.form = data, form
        self.work, self.cases = gather(data.configurations), arrays(data.configurations)
        self.where = places(form, data.configurations)
        self.mean, self.sd = prior(form)
        n = len(data.rows)
        self.design = {name: _design(name, self.where, form, n) for name in self.where if name not in COVARIATES}
        both = shared(data)
        logs, place, scale, share, columns, values = [], [], [], [], [], []
        for k, (name, (size, counted)) in enumerate(SCALES.items()):
            rows = np.flatnonzero(np.isfinite(getattr(data, name)))
            logs.append(np.log(getattr(data, name)[rows]))
            place.append(k * n + rows)
            scale.append(np.full(len(rows), size))
            share.append(np.full(len(rows), counted))
            first = k * (both.sources + both.sweeps)
            columns.append(np.stack([first + both.source[rows], first + both.sources + both.sweep[rows]], axis=1))
            values.append(np.tile([SOURCE_SD[name], SWEEP_SD[name]], (len(rows), 1)))
        self.logs, self.place = np.concatenate(logs), np.concatenate(place)
        self.row = self.place % n
        self.scale, self.share = np.concatenate(scale), np.concatenate(share)
        column = np.concatenate(columns)
        many = len(SCALES) * (both.sources + both.sweeps)
        line = np.repeat(np.arange(len(column)), 2)
        self.offsets = sparse.csr_matrix((np.concatenate(values).ravel(), (line, column.ravel())), (len(column), many))

    @property
    def size(self) -> int:
        """Parameters and offsets together."""
        return self.form.size + int(self.offsets.shape[1])

    def start(self) -> np.ndarray:
        """Prior means, no offsets."""
        return np.concatenate([self.mean, np.zeros(self.offsets.shape[1])])

    def estimate(self, theta: np.ndarray, moved: str = "", step: float = 0.0) -> np.ndarray:
        """Logs of all measured numbers [f], with one efficiency's linear predictor moved by `step`."""
        found = efficiencies(theta, self.where, self.form, moved, step)
        made = quantities(serve(self.work, found, self.cases), self.data, self.cases)
        with np.errstate(divide="ignore"):
            logs: np.ndarray = np.log(np.concatenate([np.asarray(made[name]) for name in SCALES]))
        return logs[self.place]

    def jacobian(self, theta: np.ndarray, now: np.ndarray) -> Any:
        """Sparse [f, p]: change of every log by parameter."""
        parts = []
        for name, design in self.design.items():
            slope = (self.estimate(theta, name, STEP) - now) / STEP
            parts.append(design[self.row].multiply(np.where(np.isfinite(slope), slope, 0.0)[:, None]))
        return sum(parts[1:], parts[0]).tocsr()


def _design(name: str, where: Any, form: Layout, n: int) -> Any:
    """Sparse [n, p] of one efficiency: base and offsets count one, a year of software its years."""
    from scipy import sparse

    term = next(t for t in TERMS if t.name == name)
    line, column, value = [], [], []
    for found in where[name]:
        known = np.flatnonzero(found < form.size)
        line.append(known)
        column.append(found[known])
        value.append(np.ones(len(known)))
    for covariate, _, _ in term.covariates():
        line.append(np.arange(n))
        column.append(np.full(n, form.place[f"{name}[{covariate}]"]))
        value.append(where[covariate][0])
    parts = (np.concatenate(value), (np.concatenate(line), np.concatenate(column)))
    return sparse.csr_matrix(parts, (n, form.size))


@dataclass(frozen=True)
class Fit:
    """The most probable numbers (parameters, then offsets), and the curvature of the log density there."""

    numbers: np.ndarray
    precision: np.ndarray
    value: float


def maximise(problem: Problem, weight: np.ndarray, start: np.ndarray | None = None, rounds: int = ROUNDS) -> Fit:
    """The most probable numbers given how much each row counts [n], by damped Gauss-Newton steps from `start`."""
    from scipy import sparse

    numbers = problem.start() if start is None else start.copy()
    p = problem.form.size
    inverse = np.concatenate([1.0 / problem.sd**2, np.ones(problem.offsets.shape[1])])
    centre = problem.start()
    counted = TEMPER * problem.share * weight[problem.row] / problem.scale**2
    now = problem.estimate(numbers[:p])
    value, damping = _loss(problem, numbers, now, counted, inverse, centre), 1e-3
    for _ in range(rounds):
        wide = sparse.hstack([problem.jacobian(numbers[:p], now), problem.offsets]).tocsr()
        rest = _rest(problem, numbers, now)
        each = counted * (DEGREES + 1.0) / (DEGREES + (rest / problem.scale) ** 2)
        weighed = wide.multiply(each[:, None])
        slope = weighed.T @ rest - inverse * (numbers - centre)
        curvature = (weighed.T @ wide).toarray() + np.diag(inverse)
        gained = 0.0
        for _ in range(8):
            move = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), slope)
            tried = numbers + move
            there = problem.estimate(tried[:p])
            loss = _loss(problem, tried, there, counted, inverse, centre)
            if np.isfinite(loss) and loss < value:
                gained = value - loss
                numbers, now, value, damping = tried, there, loss, damping / 5.0
                break
            damping *= 6.0
        if gained < 1e-3 * (1.0 + abs(value)) * 0.05:
            break
    return Fit(numbers, curvature, value)


def _rest(problem: Problem, numbers: np.ndarray, now: np.ndarray) -> np.ndarray:
    rest: np.ndarray = problem.logs - now - problem.offsets @ numbers[problem.form.size :]
    return np.where(np.isfinite(rest), rest, 0.0)


def _loss(
    problem: Problem, numbers: np.ndarray, now: np.ndarray, counted: np.ndarray, inverse: np.ndarray, centre: np.ndarray
) -> float:
    """Minus the log posterior density, but for constants."""
    if not np.isfinite(now).all():
        return float("inf")
    rest = _rest(problem, numbers, now) / problem.scale
    errors = counted * problem.scale**2 * (DEGREES + 1.0) / 2.0 * np.log1p(rest**2 / DEGREES)
    return float(errors.sum() + 0.5 * (inverse * (numbers - centre) ** 2).sum())


def ratios(theta: np.ndarray, form: Layout, data: Measured) -> dict[str, np.ndarray]:
    """ln(measured / estimated) of every quantity [n], estimated from what the rows say; NaN where not measured."""
    data = replace(data, configurations=data.asked)
    where = places(form, data.configurations)
    cases = arrays(data.configurations)
    estimate = predicted(theta[: form.size], data, gather(data.configurations), cases, where, form)
    return {name: np.log(getattr(data, name) / np.asarray(estimate[name])) for name in QUANTITIES}


def folds(labels: np.ndarray, limit: int) -> list[np.ndarray]:
    """Groups of labels to leave out together: every label with many rows alone, the rest shared out over the folds."""
    names, counts = np.unique(labels, return_counts=True)
    order = names[np.argsort(-counts)]
    bins: list[list[str]] = [[] for _ in range(min(limit, len(order)))]
    for place, name in enumerate(order):
        bins[place % len(bins)].append(name)
    return [np.isin(labels, group) for group in bins]


def thinned(data: Measured, most: int = FEW, seed: int = 0) -> Measured:
    """At most `most` rows of every sweep, spread over it by chance; each counts for those it stands for, up to four."""
    sweep = shared(data).sweep
    order = np.random.default_rng(seed).permutation(len(sweep))
    seen = np.zeros(sweep.max() + 1, dtype=int)
    keep = []
    for row in order:
        if seen[sweep[row]] < most:
            seen[sweep[row]] += 1
            keep.append(row)
    kept = np.sort(np.array(keep))
    few = data.take(kept)
    counts = np.bincount(sweep)[sweep[kept]]
    few.weight[:] = few.weight * np.minimum(np.maximum(counts / most, 1.0), 4.0)
    return few


def left_out(
    data: Measured, by: str, limit: int, say: Callable[[str], None], few: Measured | None = None,
    problem: Problem | None = None, best: Fit | None = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """ln(measured / estimated) [n] with every row estimated from a fit that saw nothing of its chip (generation, vendor,
    model, family, ...).

    What is left out counts zero, so that levels of it alone keep their priors. Refits start from the fit of all rows.
    """
    few = few if few is not None else thinned(data)
    labels, seen = data.label(by), few.label(by)
    problem = problem or Problem(few, layout(levels(data)))
    form = problem.form
    everything = (best or maximise(problem, few.weight)).numbers
    result = {name: np.full(len(data.rows), np.nan) for name in QUANTITIES}
    for out in folds(labels, limit):
        names = np.unique(labels[out])
        apart = np.isin(seen, names)
        if apart.all() or not out.any():
            continue
        weight = np.where(apart, 0.0, few.weight)
        numbers = maximise(problem, weight, everything, ROUNDS_AGAIN).numbers if apart.any() else everything
        found = ratios(numbers, form, data.take(np.flatnonzero(out)))
        for name, values in found.items():
            result[name][out] = values
        say(f"left out {by} {', '.join(names)}: {_score(result['tpot'][out])}")
    return result


def _score(ratio: np.ndarray) -> str:
    error = np.abs(np.expm1(-ratio[np.isfinite(ratio)]))
    return (
        f"TPOT error median {np.median(error):.1%}, mean {error.mean():.1%} of {len(error)}"
        if len(error)
        else "no TPOT"
    )


# What is left out to learn how much wider intervals must be, and in how many parts at most.
LEFT_OUT = (("family", 40), ("vendor", 9), ("generation", 12), ("chip", 10), ("model", 12), ("attention", 8),
            ("engine", 8), ("format", 12), ("date", 8))  # fmt: skip
ATTRIBUTION = (
    "Fitted to public measurements: InferenceX (SemiAnalysis, Apache-2.0 repositories), NVIDIA aiconfigurator silicon "
    "samples, TensorRT-LLM performance pages, SGLang cookbook, ROCm vLLM pages and vLLM recipes (Apache-2.0), ML.ENERGY "
    "v3, vLLM-Ascend nightly baselines, CloudMatrix384, xDeepServe and DeepSeek papers, vLLM and SGLang blogs, llama.cpp "
    "benchmarks of XiongjieDai. No measurement is contained."
)


def fit(
    rows: Sequence[Row], command: str = "", *, quick: bool = False, say: Callable[[str], None] = lambda _: None
) -> Posterior:
    """The posterior of a table of measurements, with intervals learnt from what is left out in turn (not if `quick`).

    Raises `InputError` where the table has too few usable rows.
    """
    everything = measured(rows)
    data, _, _ = stated(everything)
    if len(data.rows) < FEWEST:
        raise InputError(f"only {len(data.rows)} usable serving rows; a fit needs at least {FEWEST}")
    few, form = thinned(data), layout(levels(data))
    problem = Problem(few, form)
    best = maximise(problem, few.weight)
    own = ratios(best.numbers, form, data)
    say(f"all {len(data.rows)} rows: {_score(own['tpot'])}")
    draws = laplace(best, form, DRAWS)
    left = {} if quick else _left_out_each(data, few, problem, best, say)
    errors = learnt(data, own, left)
    posterior = Posterior(form, best.numbers[: form.size], draws, errors, ATTRIBUTION, command)
    chosen = chosen_errors(everything, posterior)
    if chosen is not None:
        points = {q: dict(t) for q, t in errors.points.items()}
        points.setdefault("output", {})["chosen"] = chosen
        posterior = replace(posterior, errors=replace(errors, points=points))
    return posterior


def laplace(best: Fit, form: Layout, count: int, seed: int = 0) -> np.ndarray:
    """Draws [count, p] of the parameters from the normal approximation at the mode, offsets averaged out."""
    values, vectors = np.linalg.eigh((best.precision + best.precision.T) / 2.0)
    noise = np.random.default_rng(seed).standard_normal((count, len(best.numbers)))
    draws: np.ndarray = best.numbers + (noise / np.sqrt(np.maximum(values, 1e-9))) @ vectors.T
    return draws[:, : form.size]


def _left_out_each(
    data: Measured, few: Measured, problem: Problem, best: Fit, say: Callable[[str], None]
) -> dict[str, dict[str, np.ndarray]]:
    return {by: left_out(data, by, limit, say, few, problem, best) for by, limit in LEFT_OUT}


def learnt(data: Measured, own: Mapping[str, np.ndarray], left: Mapping[str, Mapping[str, np.ndarray]]) -> Errors:
    """Errors by kind of deployment of rows whose source was left out, and what is added to them where more is new: what
    rows lack that were estimated by a fit which saw nothing of their maker (generation, ...). Sources weigh, not rows."""
    sources = [r.get("family") or r.get("source") or "" for r in data.rows]
    kinds = [(deployment(c, chosen=False), flags(c)) for c in data.asked]
    names = [traits(c) for c in data.configurations]
    seen = {n: frozenset(t[n] for t in names) for n in NOVELTIES if n != "date"}
    errors = Errors(learn(left.get("family", own), kinds, sources, data.weight * by_source(sources)), seen=seen)
    known = spreads(errors, data.asked, [False] * len(kinds), QUANTITIES)
    added: dict[str, dict[str, tuple[float, float]]] = {}
    for by, found in left.items():
        if by == "family":
            continue
        weight = data.weight * by_source(list(zip(data.label(by), sources, strict=True)))
        for quantity in QUANTITIES:
            usable = np.isfinite(found[quantity])
            if usable.sum() >= 4 * FEWEST_KIND:
                added.setdefault(quantity, {})[by] = lacking(
                    found[quantity][usable], known[quantity][usable], weight[usable]
                )
    return replace(errors, added=added, spans=spans(data.configurations))


def chosen_errors(data: Measured, posterior: Posterior) -> tuple[float, float] | None:
    """Errors of throughput where the load is not stated but chosen (MLPerf): none of these rows is fitted."""
    from chipweir.perf._batch import predict

    free = [i for i, c in enumerate(data.asked) if c.concurrency is None and np.isfinite(data.output[i])]
    if len(free) < FEWEST:
        return None
    data = data.take(np.array(free))
    predictions, kept, _ = predict(data.asked, posterior)
    if predictions is None:
        return None
    ratio = np.log(data.output[np.array(kept)] / predictions.median["output_tok_s_chip"])
    return middle(ratio, np.ones(len(ratio)))
