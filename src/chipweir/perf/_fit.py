"""Fitting the efficiencies to measurements: maximum a posteriori with NumPyro, Laplace draws, errors by leaving
groups out.

    chipweir estimate --fit perf-measurements.csv --out posterior.json

Measured logs are Student-t about the estimate's. Measurements of one chip, model and release repeat each other's
errors, so the likelihood is
tempered: a row counts as `TEMPER` of an independent one. JAX and NumPyro are imported only here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._assemble import gather
from chipweir.perf._efficiency import GROUPS, TERMS, Layout, Posterior, efficiencies, group_levels, index, layout, prior
from chipweir.perf._intervals import QUANTITIES, Errors, deployment, learn
from chipweir.perf._measured import Measured, Row, arrays, measured, stated
from chipweir.perf._operators import Work, namespace
from chipweir.perf._serving import Case, Served, inter_token, serve


TEMPER = 0.2
# Scale of the Student-t (3 degrees of freedom) about each log, and how much a row's quantity counts.
SCALES = {"tpot": (0.15, 1.0), "ttft": (0.2, 0.3), "output": (0.2, 0.3)}
DEGREES = 3.0
DRAWS = 48
STEPS = 400
# The curvature uses one row in this many.
THIN = 3
FEWEST = 20
ATTRIBUTION = (
    "Fitted to public measurements: InferenceX (SemiAnalysis, Apache-2.0 repositories), NVIDIA aiconfigurator silicon "
    "samples (Apache-2.0), ML.ENERGY v3, CloudMatrix384 and DeepSeek papers, vLLM and SGLang blogs. No measurement is "
    "contained."
)


def predicted(theta: Any, data: Measured, work: Work, cases: Case, where: Any, size: int) -> dict[str, Any]:
    """Estimates of the measured quantities [n]: seconds, tokens/s per decoding chip, per chip that prefills."""
    served = serve(work, efficiencies(theta, where, size), cases)
    return quantities(served, data, cases)


def quantities(served: Served, data: Measured, cases: Case) -> dict[str, Any]:
    """What tables report from a `Served`: time per token as their statistic, output per decoding chip, input per chip
    that prefills."""
    steps = np.array([c.stat == "step" for c in data.configurations])
    xp = namespace(served.tpot)
    tpot = xp.where(steps, inter_token(served, cases.osl), served.tpot)
    lasting = np.array([c.lasting for c in data.configurations])
    decoding = cases.tp * cases.dp * cases.replicas
    reading = xp.where(cases.split > 0, cases.prefill_tp * cases.prefill_dp * cases.prefill_replicas, decoding)
    rate = served.rate * lasting
    return {
        "tpot": tpot,
        "ttft": served.ttft,
        "output": rate * cases.osl / decoding,
        "input": rate * cases.isl / reading,
    }


def levels(data: Measured) -> dict[str, list[str]]:
    """Levels of every group met in the data, and those whose prior is known."""
    found = [group_levels(c) for c in data.configurations]
    known = {g: {n.split("=", 1)[1] for t in TERMS for n in t.offsets if n.startswith(g + "=")} for g in GROUPS}
    return {g: sorted({f[g] for f in found} | known[g]) for g in GROUPS}


def numpyro_model(data: Measured, work: Work, cases: Case, form: Layout) -> Callable[[Any], None]:
    """The probability model given how much each row counts [n]: normal priors on all parameters, tempered Student-t
    likelihood of the logs."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    mean, sd = prior(form)
    where = index(form, [group_levels(c) for c in data.configurations])
    logs = {name: np.log(np.where(np.isfinite(getattr(data, name)), getattr(data, name), 1.0)) for name in SCALES}
    used = {name: np.isfinite(getattr(data, name)) for name in SCALES}

    def model(weight: Any) -> None:
        theta = numpyro.sample("theta", dist.Normal(mean, sd).to_event(1))
        estimate = predicted(theta, data, work, cases, where, form.size)
        for name, (scale, share) in SCALES.items():
            error = dist.StudentT(DEGREES, jnp.log(estimate[name]), scale).log_prob(logs[name])
            numpyro.factor(name, jnp.sum(jnp.where(used[name], TEMPER * share * weight * error, 0.0)))

    return model


def potential_of(data: Measured, form: Layout) -> Callable[[Any, Any], Any]:
    """Minus the log posterior density as a function of the parameters and of how much each row counts [n]."""
    import jax

    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    from numpyro.infer.util import log_density

    model = numpyro_model(data, gather(data.configurations), arrays(data.configurations), form)

    def potential(theta: Any, weight: Any) -> Any:
        return -log_density(model, (weight,), {}, {"theta": theta})[0]

    return potential


def maximiser(data: Measured, form: Layout) -> Callable[..., np.ndarray]:
    """The most probable parameters [p] as a function of how much each row counts [n], and of where to start (the prior)
    and after how many steps to end; compiled once."""
    import jax
    from scipy.optimize import minimize

    both = jax.jit(jax.value_and_grad(potential_of(data, form)))

    def maximise(weight: np.ndarray, start: np.ndarray | None = None, steps: int = STEPS) -> np.ndarray:
        def numbers(theta: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = both(theta, weight)
            return float(value), np.asarray(slope, dtype=float)

        options = {"maxiter": steps, "maxfun": 2 * steps}
        start = prior(form)[0] if start is None else start
        found = minimize(numbers, start, jac=True, method="L-BFGS-B", options=options)
        return np.asarray(found.x)

    return maximise


def laplace(potential: Callable[[Any], Any], mode: np.ndarray, form: Layout, count: int, seed: int = 0) -> np.ndarray:
    """Draws [count, p] from the normal approximation at the mode; curvature is not let fall below a tenth of the
    prior's."""
    import jax

    curvature = np.asarray(jax.hessian(potential)(mode))
    floor = 0.1 / prior(form)[1] ** 2
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    values = np.maximum(values, floor.min())
    noise = np.random.default_rng(seed).standard_normal((count, len(mode)))
    draws: np.ndarray = mode + (noise / np.sqrt(values)) @ vectors.T
    return draws


def ratios(theta: np.ndarray, form: Layout, data: Measured) -> dict[str, np.ndarray]:
    """ln(measured / estimated) of every quantity [n]; NaN where not measured."""
    where = index(form, [group_levels(c) for c in data.configurations])
    cases = arrays(data.configurations)
    estimate = predicted(theta, data, gather(data.configurations), cases, where, form.size)
    return {name: np.log(getattr(data, name) / np.asarray(estimate[name])) for name in QUANTITIES}


def folds(labels: np.ndarray, limit: int) -> list[np.ndarray]:
    """Groups of labels to leave out together: every label with many rows alone, the rest shared out over the folds."""
    names, counts = np.unique(labels, return_counts=True)
    order = names[np.argsort(-counts)]
    bins: list[list[str]] = [[] for _ in range(min(limit, len(order)))]
    for place, name in enumerate(order):
        bins[place % len(bins)].append(name)
    return [np.isin(labels, group) for group in bins]


def thinned(data: Measured, by: int, seed: int = 0) -> Measured:
    """One row in `by`, each counting for that many (neighbouring rows repeat each other)."""
    if by <= 1 or len(data.rows) < FEWEST * by:
        return data
    keep = np.sort(np.random.default_rng(seed).permutation(len(data.rows))[: len(data.rows) // by])
    return replace(data.take(keep), weight=data.weight[keep] * by)


def left_out(data: Measured, by: str, limit: int, say: Callable[[str], None]) -> dict[str, np.ndarray]:
    """ln(measured / estimated) [n] with every row estimated from a fit that saw nothing of its chip (or model).

    What is left out counts zero, so that levels of it alone keep their priors. Refits start from the fit of all rows.
    """
    labels = data.label(by)
    form = layout(levels(data))
    maximise = maximiser(data, form)
    everything = maximise(data.weight)
    result = {name: np.full(len(data.rows), np.nan) for name in QUANTITIES}
    for out in folds(labels, limit):
        if out.all() or not out.any():
            continue
        found = ratios(
            maximise(np.where(out, 0.0, data.weight), everything, STEPS // 3), form, data.take(np.flatnonzero(out))
        )
        for name, values in found.items():
            result[name][out] = values
        say(f"left out {by} {', '.join(sorted(set(labels[out])))}: {_score(result['tpot'][out])}")
    return result


def _score(ratio: np.ndarray) -> str:
    error = np.abs(np.expm1(-ratio[np.isfinite(ratio)]))
    return (
        f"TPOT error median {np.median(error):.1%}, mean {error.mean():.1%} of {len(error)}"
        if len(error)
        else "no TPOT"
    )


def fit(
    rows: Sequence[Row], command: str = "", *, quick: bool = False, say: Callable[[str], None] = lambda _: None
) -> Posterior:
    """The posterior of a table of measurements, with errors learnt from chips and models left out (not if `quick`).

    Raises `InputError` where the table has too few usable rows.
    """
    data, _, _ = stated(measured(rows))
    if len(data.rows) < FEWEST:
        raise InputError(f"only {len(data.rows)} usable serving rows; a fit needs at least {FEWEST}")
    form = layout(levels(data))
    theta = maximiser(data, form)(data.weight)
    own = ratios(theta, form, data)
    say(f"all {len(data.rows)} rows: {_score(own['tpot'])}")
    few = thinned(data, THIN)
    density = potential_of(few, form)
    draws = laplace(lambda x: density(x, few.weight), theta, form, DRAWS)
    kinds = [deployment(c, chosen=False) for c in data.configurations]
    counted = np.where(data.weight < 0.5, np.where(data.weight < 0.15, 1.0, data.weight), 1.0)
    points = {q: {f"familiar:{k}": v for k, v in t.items()} for q, t in learn(own, kinds, counted).items()}
    new = own if quick else _joined(left_out(data, "chip", 7, say), left_out(data, "model", 8, say))
    repeat = 1 if quick else 2
    for quantity, table in learn(new, kinds * repeat, np.tile(counted, repeat)).items():
        points[quantity] |= {f"new:{k}": v for k, v in table.items()}
    chosen = chosen_errors(
        measured(rows), Posterior(form, theta, draws, Errors(points, frozenset(), frozenset()), "", "")
    )
    if chosen is not None:
        points["output"] |= {"familiar:chosen": chosen, "new:chosen": (chosen[0] * 1.15, chosen[1] * 1.15)}
    chips = frozenset(c.chip.id for c in data.configurations)
    models = frozenset(c.model.id for c in data.configurations)
    return Posterior(form, theta, draws, Errors(points, chips, models), ATTRIBUTION, command)


def chosen_errors(data: Measured, posterior: Posterior) -> tuple[float, float] | None:
    """Errors of throughput where the load is not stated but chosen (MLPerf): none of these rows is fitted."""
    from chipweir.perf._batch import predict

    free = [i for i, c in enumerate(data.configurations) if c.concurrency is None and np.isfinite(data.output[i])]
    if len(free) < FEWEST:
        return None
    data = data.take(np.array(free))
    predictions, kept, _ = predict(data.configurations, posterior)
    if predictions is None:
        return None
    ratio = np.log(data.output[np.array(kept)] / predictions.median["output_tok_s_chip"])
    return learn({"output": ratio}, ["chosen"] * len(ratio), np.ones(len(ratio)))["output"]["chosen"]


def _joined(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([a[name], b[name]]) for name in a}
