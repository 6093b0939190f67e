"""Fit of the training model's few numbers to measured rows, with whole chips and models left out in turn.

Hierarchy: log step time = physics(shares) + ecosystem + chip + model + residual (Student-t). Maximum a posteriori with
NumPyro's log density under JAX, normal approximation at the mode; a second or two for some two hundred rows. Spreads of
the groups are priors: what chips or models have in common must be explained by the physics, not by the groups. How far
chips and models never seen are off is learnt by leaving each out in turn.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.perf._training import GROUPS, Posterior, model_keys, training_batch
from chipweir.perf._training_layout import choose, codes
from chipweir.perf._training_rows import QUANTILE_80, is_training, measured_tokens, training_jobs
from chipweir.perf._training_work import (
    FITTED,
    FloatArray,
    TrainingJob,
    features,
    model_flops,
    pipeline,
    step_seconds,
    take_jobs,
    terms,
)


# Priors: median and log standard deviation. Shares of the peak and of messages are of order one by construction; 16-bit
# products reach 0.6-0.8 of a Hopper's peak in published microbenchmarks, narrower formats less.
PRIORS = {
    "reach_bf16": (0.68, 0.25), "reach_fp8": (0.58, 0.25), "reach_mxfp8": (0.53, 0.25), "reach_int8": (0.5, 0.3),
    "reach_fp4": (0.45, 0.25), "reach_attention": (0.5, 0.3), "reach_scan": (0.1, 0.6), "grouped": (0.8, 0.25),
    "touch_matrix": (1.0, 0.5), "touch_grouped": (1.5, 0.6), "touch": (1.5, 0.6), "touch_expert": (1.0, 0.7),
    "touch_adapter": (1.0, 0.8), "see_tensor": (0.5, 0.6), "see_expert": (0.5, 0.7), "see_network": (0.5, 0.7),
    "see_context": (0.3, 0.7), "see_shard": (0.3, 0.7), "see_gradients": (0.3, 0.7), "launch": (6e-5, 0.7),
    "launch_expert": (2e-4, 0.8), "stale": (0.7, 0.7),
}  # fmt: skip
# Log standard deviations, priors. Chips of one ecosystem run the same software: what they share belongs to it.
SPREAD = {"ecosystem": 0.2, "chip": 0.06, "model": 0.10}
RESIDUAL, DEGREES = 0.10, 4.0
# An ecosystem never measured: wider than the spread of the four measured ones, since it may be a young one.
UNSEEN_ECOSYSTEM = 0.3
# No public software reaches more of a 16-bit peak than this: a row that does ran a narrower format than it says.
MOST_REACHED = 0.8
DRAWS = 60


@dataclass(frozen=True)
class TrainingData:
    """Measured rows: jobs [n], observed step seconds [n], weights [n] (less for near copies), row numbers."""

    job: TrainingJob
    seconds: FloatArray
    weight: FloatArray
    rows: tuple[int, ...]


def training_data(rows: Sequence[Mapping[str, Any]]) -> TrainingData:
    """The usable training rows of a measurement table. Raises `InputError` where there are none."""
    chosen = [(number, row) for number, row in enumerate(rows) if is_training(row)]
    job, index, _ = training_jobs([row for _, row in chosen])
    if job is None:
        raise InputError("no training rows in the measurements")
    seconds = np.full(len(index), np.nan)
    for place, number in enumerate(index):
        tokens = measured_tokens(chosen[number][1], job, place)
        if tokens:
            seconds[place] = job.global_batch[place] * job.seq_len[place] / job.chips[place] / tokens
    keep = np.flatnonzero(np.isfinite(seconds) & choose(job, prior_median())[2])
    if not len(keep):
        raise InputError("no training row states a throughput")
    job = take_jobs(job, keep)
    return TrainingData(job, seconds[keep], _weights(job, seconds[keep]), tuple(chosen[index[k]][0] for k in keep))


def prior_median() -> dict[str, float]:
    """The priors' medians."""
    return {name: median for name, (median, _) in PRIORS.items()}


def _weights(job: TrainingJob, seconds: FloatArray) -> FloatArray:
    """Near copies (chip, model, size, format alike) are not independent: together they weigh their number's root.

    Rows that reach more of the 16-bit peak than any software does in that format weigh nothing.
    """
    keys = [
        f"{c}|{m}|{n:g}|{d}|{w}"
        for c, m, n, d, w in zip(job.hardware.id, job.model.id, job.chips, job.dtype, job.mode, strict=True)
    ]
    counts = {key: keys.count(key) for key in set(keys)}
    tokens = job.global_batch * job.seq_len / job.chips / seconds
    reached = tokens * model_flops(job.model, job.seq_len, job.mode) / job.hardware.bf16_flops
    mislabelled = (job.dtype == "bf16") & (reached > MOST_REACHED)
    return np.where(mislabelled, 0.0, np.array([counts[key] ** -0.5 for key in keys]))


@dataclass(frozen=True)
class _Problem:
    """What a fit needs beside weights: rows' work in JAX, log seconds, codes of their groups, names of the groups."""

    work: Mapping[str, Any]
    stages: Any
    log_seconds: Any
    place: Mapping[str, npt.NDArray[np.int_]]
    names: Mapping[str, list[str]]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return len(FITTED) + sum(len(names) for names in self.names.values())


def _problem(data: TrainingData, theta: Mapping[str, float]) -> _Problem:
    """Layouts that are not stated are those best by `theta`."""
    t = terms(data.job)
    layout, _, _ = choose(data.job, theta, t)
    coded = {
        group: codes(ids)
        for group, ids in zip(GROUPS, (data.job.hardware.ecosystem, data.job.hardware.id, model_keys(data.job.model)),
                              strict=True)
    }  # fmt: skip
    return _Problem(
        features(t, layout), pipeline(t, layout), np.log(data.seconds),
        {group: place for group, (_, place) in coded.items()}, {group: names for group, (names, _) in coded.items()},
    )  # fmt: skip


def _natural(z: Any) -> dict[str, Any]:
    """The fitted numbers from standard normal coordinates."""
    import jax.numpy as jnp

    return {name: PRIORS[name][0] * jnp.exp(PRIORS[name][1] * z[at]) for at, name in enumerate(FITTED)}


def _log_centre(problem: _Problem, z: Any) -> Any:
    """Log seconds [n] at standard normal coordinates z [p]: fitted numbers, then offsets group by group."""
    import jax.numpy as jnp

    centre = jnp.log(step_seconds(problem.work, problem.stages, _natural(z)))
    start = len(FITTED)
    for group in GROUPS:
        centre = centre + SPREAD[group] * z[start + problem.place[group]]
        start += len(problem.names[group])
    return centre


def numpyro_model(problem: _Problem) -> Callable[[Any], None]:
    """The probability model, a function of the rows' weights [n]: standard normal coordinates, Student-t logs."""
    import jax.numpy as jnp
    import numpyro
    from numpyro import distributions as dist

    def model(weight: Any) -> None:
        z = numpyro.sample("z", dist.Normal(0.0, 1.0).expand([problem.size]).to_event(1))
        seen = weight > 0
        scale = RESIDUAL / jnp.sqrt(jnp.where(seen, weight, 1.0))
        # Heavy tails: a few submissions are far from tuned.
        with numpyro.handlers.mask(mask=seen):
            numpyro.sample("seconds", dist.StudentT(DEGREES, _log_centre(problem, z), scale), obs=problem.log_seconds)

    return model


def fitter(data: TrainingData, theta: Mapping[str, float]) -> Callable[..., Posterior]:
    """A function of weights [n] that finds the posterior (`count` draws), layouts chosen with `theta`.

    Rows of weight 0 are not seen: groups with no other row keep their prior. Compiled once for all weights.
    """
    import jax
    from numpyro.infer.util import log_density
    from scipy.optimize import minimize

    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    problem = _problem(data, theta)
    model = numpyro_model(problem)

    def potential(z: Any, weight: Any) -> Any:
        return -log_density(model, (weight,), {}, {"z": z})[0]

    slope = jax.jit(jax.value_and_grad(potential))
    curvature = jax.jit(jax.hessian(potential))

    def numbers(z: FloatArray, weight: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = slope(z, weight)
        return float(value), np.asarray(gradient, dtype=float)

    def fit(weight: FloatArray, count: int = 1, seed: int = 0) -> Posterior:
        options = {"maxiter": 2000, "maxfun": 4000, "gtol": 1e-6, "ftol": 1e-12}
        found = minimize(numbers, np.zeros(problem.size), (weight,), jac=True, method="L-BFGS-B", options=options)
        draws = found.x[None]
        if count > 1:
            values, vectors = np.linalg.eigh(np.asarray(curvature(found.x, weight)))
            noise = np.random.default_rng(seed).standard_normal((count - 1, problem.size))
            # The prior's own curvature is one in these coordinates: no direction is known worse.
            draws = np.concatenate([draws, found.x + (noise / np.sqrt(np.maximum(values, 1.0))) @ vectors.T])
        return _posterior(draws, problem, weight)

    return fit


def _posterior(draws: FloatArray, problem: _Problem, weight: FloatArray) -> Posterior:
    """Natural values of draws [d, p]; offsets of groups that some seen row belongs to."""
    natural = {name: PRIORS[name][0] * np.exp(PRIORS[name][1] * draws[:, at]) for at, name in enumerate(FITTED)}
    offsets, start = {}, len(FITTED)
    for group in GROUPS:
        for at, name in enumerate(problem.names[group]):
            if (weight[problem.place[group] == at] > 0).any():
                offsets[f"{group}:{name}"] = SPREAD[group] * draws[:, start + at]
        start += len(problem.names[group])
    scales = {"residual": RESIDUAL, "ecosystem": UNSEEN_ECOSYSTEM, "chip": 2 * SPREAD["chip"], "model": SPREAD["model"]}
    return Posterior(natural, offsets, scales)


def fit_training(
    data: TrainingData, *, rounds: int = 3, draws: int = DRAWS, quick: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Posterior:  # fmt: skip
    """The posterior from measured rows: layouts chosen with the current numbers, numbers fitted to layouts, in turn.

    Spreads of chips and models never seen are learnt by leaving each out (not if `quick`).
    """
    theta = prior_median()
    for turn in range(rounds):
        posterior = fitter(data, theta)(data.weight, draws if turn == rounds - 1 else 1)
        theta = posterior.centre
    plain = training_batch(data.job, posterior)
    scales = {"residual": _wide_enough(data, plain.step_time_s, np.sqrt(plain.log_sd**2 - RESIDUAL**2))}
    posterior = Posterior(posterior.draws, posterior.offsets, {**posterior.scales, **scales})
    say(f"training, all rows: {errors(data, *_predicted(data, posterior))}")
    if not quick:
        for group in ("chip", "model"):
            seconds, spread = leave_out(data, group, theta)
            known = np.hypot(spread, scales["residual"])
            scales[group] = _wide_enough(data, seconds, known)
            posterior = Posterior(posterior.draws, posterior.offsets, {**posterior.scales, **scales})
            say(f"training, {group}s left out: {errors(data, seconds, np.hypot(known, scales[group]))}")
    return posterior


def _predicted(data: TrainingData, posterior: Posterior) -> tuple[FloatArray, FloatArray]:
    estimate = training_batch(data.job, posterior)
    return estimate.step_time_s, estimate.log_sd


def _wide_enough(data: TrainingData, seconds: FloatArray, known: FloatArray) -> float:
    """The standard deviation to add to `known` [n] so that 80 % of the (weighted) rows fall inside the 80 % interval."""
    off = np.abs(np.log(data.seconds / seconds)) / QUANTILE_80
    needed = np.sqrt(np.maximum(off**2 - known**2, 0.0))
    order = np.argsort(needed)
    share = np.cumsum(data.weight[order]) / data.weight.sum()
    return float(max(needed[order][np.searchsorted(share, 0.8)], 0.02))


def leave_out(
    data: TrainingData, group: str, theta: Mapping[str, float] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Predicted step seconds [n] of every row by a fit that never saw its group, and what the draws alone spread [n].

    `group` is "chip" or "model" (models with the same layers together); `theta` chooses the layouts of the fitted rows.
    """
    ids = data.job.hardware.id if group == "chip" else model_keys(data.job.model)
    fit = fitter(data, theta or prior_median())
    predicted, spread = np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    for names in _folds(list(ids)):
        out = np.isin(ids, names)
        inside = np.flatnonzero(out)
        posterior = fit(np.where(out, 0.0, data.weight), DRAWS // 2)
        quiet = Posterior(posterior.draws, posterior.offsets, dict.fromkeys(posterior.scales, 0.0))
        estimate = training_batch(take_jobs(data.job, inside), quiet)
        predicted[inside], spread[inside] = estimate.step_time_s, estimate.log_sd
        named = sorted(set(data.job.hardware.id[inside] if group == "chip" else data.job.model.id[inside]))
        off = np.abs(predicted[inside] / data.seconds[inside] - 1.0)
        say(f"training, left out {group} {', '.join(named)}: step time {np.median(off):.1%} of {len(inside)}")
    return predicted, spread


TRAINING_SOURCES = (
    "Fitted to MLPerf Training v4.1 and v5.0 (MLCommons), Megatron-Bridge performance tables (NVIDIA), TPU recipes "
    "(Google) and published MFU of papers; the measurements are not shipped"
)
POWER_SOURCES = (
    "Fitted to GPU power of ML.ENERGY v3 (github ml-energy/leaderboard) and InferenceX; "
    "the measurements are not shipped"
)


def fit_documents(
    rows: Sequence[Mapping[str, Any]], command: str, say: Callable[[str], None] = lambda _: None, *, quick: bool = False
) -> dict[str, str]:
    """What `data/training.json` and `data/power.json` hold, fitted to a table; absent where it has no such rows."""
    from chipweir.perf._energy import curve_json
    from chipweir.perf._energy_fit import fit_power

    documents = {}
    try:
        posterior = fit_training(training_data(rows), quick=quick, say=say)
        documents["training.json"] = posterior_json(posterior, TRAINING_SOURCES, command)
    except InputError as error:
        say(f"training: {error}")
    try:
        curve = fit_power(rows)
        say(f"power: {curve}")
        documents["power.json"] = curve_json(curve, POWER_SOURCES, command)
    except InputError as error:
        say(f"power: {error}")
    return documents


def posterior_json(posterior: Posterior, attribution: str, command: str) -> str:
    """The posterior as a small JSON document with where it came from."""

    def short(value: float) -> float:
        return float(f"{value:.4g}")

    record = {
        "attribution": attribution,
        "command": command,
        "draws": {name: [short(v) for v in values] for name, values in posterior.draws.items()},
        "offsets": {name: [round(float(v), 3) for v in posterior.offsets[name]] for name in sorted(posterior.offsets)},
        "scales": {name: short(value) for name, value in posterior.scales.items()},
    }
    return json.dumps(record, separators=(",", ":")) + "\n"


def left_out_table(
    rows: Sequence[Mapping[str, Any]], by: str, say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Errors of the step time on chips (or models) the fit has not seen, in the form of `_validate.leave_out`.

    Raises `InputError` where the table holds no training rows.
    """
    data = training_data(rows)
    theta = fit_training(data, draws=1, quick=True).centre
    seconds, _ = leave_out(data, by, theta, say)
    labels = data.job.hardware.id if by == "chip" else data.job.model.id
    ratio = np.log(seconds / data.seconds)
    groups = {str(name): {"step_time": _left_score(ratio[labels == name])} for name in sorted(set(labels))}
    return {"by": by, "overall": {"step_time": _left_score(ratio)}, "groups": groups}


def _left_score(ratio: FloatArray) -> dict[str, float]:
    off = np.abs(np.expm1(ratio))
    return {
        "n": len(ratio), "median_ape": round(float(np.median(off)), 4), "mean_ape": round(float(off.mean()), 4),
        "bias_log": round(float(np.median(ratio)), 4),
    }  # fmt: skip


def _folds(ids: Sequence[str], rare: int = 3, together: int = 5) -> list[list[str]]:
    """What to leave out in turn: every id with at least `rare` rows alone, the others `together` at a time."""
    counts = {name: ids.count(name) for name in sorted(set(ids))}
    few = [name for name, count in counts.items() if count < rare]
    return [[name] for name, count in counts.items() if count >= rare] + [
        few[start : start + together] for start in range(0, len(few), together)
    ]


def errors(data: TrainingData, predicted: FloatArray, log_sd: FloatArray) -> str:
    """Median and mean absolute percentage error, bias (mean log ratio), and share of rows inside the 80 % interval."""
    ratio = np.log(predicted / data.seconds)
    off = np.abs(np.expm1(ratio))
    inside = np.abs(ratio) <= QUANTILE_80 * log_sd
    return (
        f"step time error median {np.median(off):.1%}, mean {off.mean():.1%}, bias {ratio.mean():+.3f}, "
        f"{inside.mean():.0%} in 80 %, {len(ratio)} rows"
    )
