"""Fit of the training model's few numbers to measured rows, with whole groups left out in turn.

Hierarchy: log step time = physics(shares) + ecosystem + line (maker and generation) + family of software + chip + model
+ source + residual (Student-t). Maximum a posteriori by Gauss-Newton steps, reweighted for the heavy tails; a second or
two. Spreads of the groups are priors: what chips or models have in common must be explained by the physics, not by the
groups. Estimates are made without the source's offset. How far chips, generations, ecosystems, models and sources never
seen are off is learnt by leaving each out in turn.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.perf._configuration import is_training
from chipweir.perf._training import GROUPS, Posterior, group_ids, model_keys, training_batch
from chipweir.perf._training_layout import choose, codes
from chipweir.perf._training_rows import QUANTILE_80, measured_tokens, training_jobs
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
    "reach_bf16": (1.05, 0.12), "reach_fp8": (0.75, 0.2), "reach_mxfp8": (0.7, 0.2), "reach_int8": (0.6, 0.3),
    "reach_fp4": (0.55, 0.25), "reach_attention": (0.4, 0.3), "reach_scan": (0.05, 0.6), "grouped": (0.7, 0.25),
    "touch_matrix": (2.0, 0.4), "touch_grouped": (5.0, 0.6), "touch": (2.0, 0.4), "touch_expert": (1.0, 0.7),
    "touch_adapter": (1.5, 0.8), "see_tensor": (0.8, 0.4), "see_expert": (0.4, 0.7), "see_network": (0.8, 0.7),
    "see_context": (0.5, 0.7), "see_shard": (0.15, 0.7), "see_gradients": (0.15, 0.7), "launch": (1.2e-4, 0.6),
    "launch_expert": (2e-4, 0.8), "stale": (0.7, 0.7), "throttle": (0.3, 0.4),
}  # fmt: skip
# Log standard deviations, priors. Chips of one ecosystem run the same software: what they share belongs to it.
SPREAD = {"origin": 0.1, "ecosystem": 0.15, "line": 0.08, "stack": 0.15, "chip": 0.05, "model": 0.08}
# Software that was ported from CUDA is the slower; log, prior.
PORTED = 0.3
SOURCE, RESIDUAL, DEGREES = 0.08, 0.10, 4.0
# An ecosystem never measured: wider than the spread of the four measured ones, since it may be a young one.
UNSEEN_ECOSYSTEM = 0.3
# No public software reaches more of a 16-bit peak than this: a row that does ran a narrower format than it says.
MOST_REACHED = 0.8
DRAWS, ROUNDS, STEP = 60, 25, 0.02


@dataclass(frozen=True)
class TrainingData:
    """Measured rows: jobs [n], observed step seconds [n], weights [n] (less for near copies), sources, row numbers."""

    job: TrainingJob
    seconds: FloatArray
    weight: FloatArray
    source: npt.NDArray[np.object_]
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
    source = np.array([str(chosen[index[k]][1].get("family") or "") for k in keep], dtype=object)
    return TrainingData(
        job, seconds[keep], _weights(job, seconds[keep]), source, tuple(chosen[index[k]][0] for k in keep)
    )


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
    """What a fit needs beside weights: rows' work, log seconds, and by group the places [n] and names of its levels."""

    work: Mapping[str, FloatArray]
    stages: FloatArray
    log_seconds: FloatArray
    place: Mapping[str, npt.NDArray[np.int_]]
    names: Mapping[str, list[str]]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return len(FITTED) + sum(len(names) for names in self.names.values())


SHARED = {**SPREAD, "source": SOURCE}


def _problem(data: TrainingData, theta: Mapping[str, float]) -> _Problem:
    """Layouts that are not stated are those best by `theta`."""
    t = terms(data.job)
    layout, _, _ = choose(data.job, theta, t)
    coded = {g: codes(ids) for g, ids in zip(SHARED, (*group_ids(data.job), data.source), strict=True)}
    return _Problem(
        features(t, layout), pipeline(t, layout), np.log(data.seconds),
        {group: place for group, (_, place) in coded.items()}, {group: names for group, (names, _) in coded.items()},
    )  # fmt: skip


def _natural(z: FloatArray) -> dict[str, Any]:
    """The fitted numbers from standard normal coordinates [p] or [d, p]."""
    return {name: PRIORS[name][0] * np.exp(PRIORS[name][1] * z[..., at]) for at, name in enumerate(FITTED)}


def _physics(problem: _Problem, z: FloatArray) -> FloatArray:
    """Log seconds [n] without offsets."""
    logs: FloatArray = np.log(np.asarray(step_seconds(problem.work, problem.stages, _natural(z))))
    return logs


def _offsets(problem: _Problem) -> FloatArray:
    """Columns [n, k] of the groups' offsets, each level one in its prior's standard deviations."""
    columns = []
    for group, names in problem.names.items():
        column = np.zeros((len(problem.log_seconds), len(names)))
        column[np.arange(len(column)), problem.place[group]] = SHARED[group]
        columns.append(column)
    return np.concatenate(columns, axis=1)


def _centre(problem: _Problem) -> FloatArray:
    """Prior means [p]: nothing, but for software that was ported."""
    centre = np.zeros(problem.size)
    if "ported" in problem.names["origin"]:
        centre[len(FITTED) + problem.names["origin"].index("ported")] = PORTED / SPREAD["origin"]
    return centre


def density(problem: _Problem, weight: FloatArray, z: FloatArray, logs: FloatArray | None = None) -> float:
    """Minus the log posterior density of coordinates `z` [p] but for a constant; `logs` [n]: physics there, if known."""
    logs = _physics(problem, z) if logs is None else logs
    rest = (problem.log_seconds - logs - _offsets(problem) @ z[len(FITTED) :]) / RESIDUAL
    errors = weight * (DEGREES + 1.0) / 2.0 * np.log1p(rest**2 / DEGREES)
    return float(errors.sum() + 0.5 * ((z - _centre(problem)) ** 2).sum())


def maximise(problem: _Problem, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Most probable standard normal coordinates [p] and the curvature [p, p] there, given rows' weights [n]."""
    offsets = _offsets(problem)
    first = len(FITTED)
    centre = _centre(problem)
    z = centre.copy()
    now = _physics(problem, z)
    value, damping, curvature = np.inf, 1e-3, np.eye(problem.size)

    value = density(problem, weight, z, now)
    for _ in range(ROUNDS):
        slopes = np.zeros((len(now), first))
        for at in range(first):
            moved = z.copy()
            moved[at] += STEP
            slopes[:, at] = (_physics(problem, moved) - now) / STEP
        wide = np.concatenate([slopes, offsets], axis=1)
        rest = problem.log_seconds - now - offsets @ z[first:]
        each = weight / RESIDUAL**2 * (DEGREES + 1.0) / (DEGREES + (rest / RESIDUAL) ** 2)
        curvature = (wide * each[:, None]).T @ wide + np.eye(problem.size)
        slope = wide.T @ (each * rest) - (z - centre)
        gained = 0.0
        for _ in range(8):
            tried = z + np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), slope)
            there = _physics(problem, tried)
            found = density(problem, weight, tried, there)
            if np.isfinite(found) and found < value:
                gained, z, now, value, damping = value - found, tried, there, found, damping / 5.0
                break
            damping *= 6.0
        if gained < 1e-5:
            break
    return z, curvature


def fitter(data: TrainingData, theta: Mapping[str, float]) -> Callable[..., Posterior]:
    """A function of weights [n] that finds the posterior (`count` draws), layouts chosen with `theta`.

    Rows of weight 0 are not seen: groups with no other row keep their prior.
    """
    problem = _problem(data, theta)

    def fit(weight: FloatArray, count: int = 1, seed: int = 0) -> Posterior:
        z, curvature = maximise(problem, weight)
        draws = z[None]
        if count > 1:
            values, vectors = np.linalg.eigh(curvature)
            noise = np.random.default_rng(seed).standard_normal((count - 1, problem.size))
            # The prior's own curvature is one in these coordinates: no direction is known worse.
            draws = np.concatenate([draws, z + (noise / np.sqrt(np.maximum(values, 1.0))) @ vectors.T])
        return _posterior(draws, problem, weight)

    return fit


def _posterior(draws: FloatArray, problem: _Problem, weight: FloatArray) -> Posterior:
    """Natural values of draws [d, p]; offsets of groups that some seen row belongs to."""
    natural = {name: np.asarray(values) for name, values in _natural(draws).items()}
    offsets, start = {}, len(FITTED)
    for group, names in problem.names.items():
        for at, name in enumerate(names):
            if group in GROUPS and (weight[problem.place[group] == at] > 0).any():
                offsets[f"{group}:{name}"] = SHARED[group] * draws[:, start + at]
        start += len(names)
    scales = {"residual": float(np.hypot(RESIDUAL, SOURCE)), **SPREAD, "ecosystem": UNSEEN_ECOSYSTEM}
    return Posterior(natural, offsets, scales)


# What is left out to learn how wide intervals must be: the spread of which group, and what names it.
LEFT_OUT = {"residual": "family", "chip": "chip", "line": "generation", "ecosystem": "vendor", "model": "model"}


def fit_training(
    data: TrainingData, *, rounds: int = 3, draws: int = DRAWS, quick: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Posterior:  # fmt: skip
    """The posterior from measured rows: layouts chosen with the current numbers, numbers fitted to layouts, in turn.

    Spreads of sources, chips, generations, ecosystems and models never seen are learnt by leaving each out (not if
    `quick`).
    """
    theta = prior_median()
    for turn in range(rounds):
        posterior = fitter(data, theta)(data.weight, draws if turn == rounds - 1 else 1)
        theta = posterior.centre
    plain = training_batch(data.job, posterior)
    known = np.sqrt(np.maximum(plain.log_sd**2 - posterior.scales["residual"] ** 2, 0.0))
    scales = {"residual": _wide_enough(data, plain.step_time_s, known)}
    posterior = Posterior(posterior.draws, posterior.offsets, {**posterior.scales, **scales})
    say(f"training, all rows: {errors(data, *_predicted(data, posterior))}")
    if not quick:
        for group, by in LEFT_OUT.items():
            seconds, spread = leave_out(data, by, theta)
            rest = spread if group == "residual" else np.hypot(spread, scales["residual"])
            least = (
                scales["residual"] if group == "residual" else SPREAD[group] * (1.0 if group == "ecosystem" else 0.5)
            )
            scales[group] = max(_wide_enough(data, seconds, rest), least)
            posterior = Posterior(posterior.draws, posterior.offsets, {**posterior.scales, **scales})
            say(f"training, {by} left out: {errors(data, seconds, np.hypot(rest, scales[group]))}")
    return posterior


def _predicted(data: TrainingData, posterior: Posterior) -> tuple[FloatArray, FloatArray]:
    estimate = training_batch(data.job, posterior)
    return estimate.step_time_s, estimate.log_sd


def _wide_enough(data: TrainingData, seconds: FloatArray, known: FloatArray) -> float:
    """The standard deviation to add to `known` [n] so that 80 % of the (weighted) rows fall inside the 80 % interval."""
    usable = np.isfinite(seconds) & (data.weight > 0)
    off = np.abs(np.log(data.seconds[usable] / seconds[usable])) / QUANTILE_80
    needed = np.sqrt(np.maximum(off**2 - known[usable] ** 2, 0.0))
    order = np.argsort(needed)
    share = np.cumsum(data.weight[usable][order]) / data.weight[usable].sum()
    return float(max(needed[order][np.searchsorted(share, 0.8)], 0.02))


def labels(data: TrainingData, by: str) -> npt.NDArray[np.object_]:
    """A column to leave out by [n]: chip, model (the same layers are one), generation, vendor, family or date."""
    _, ecosystem, line, _, chip, model = group_ids(data.job)
    half = np.char.mod("%d", np.floor(2.0 * np.broadcast_to(data.job.age, chip.shape))).astype(object)
    columns = {"chip": chip, "model": model, "generation": line, "vendor": data.job.hardware.vendor,
               "family": data.source, "ecosystem": ecosystem, "date": half}  # fmt: skip
    found: npt.NDArray[np.object_] = columns[by]
    return found


def leave_out(
    data: TrainingData, by: str, theta: Mapping[str, float] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Predicted step seconds [n] of every row by a fit that never saw its group, and what the draws alone spread [n].

    `by` as in `labels`; `theta` chooses the layouts of the fitted rows.
    """
    ids = labels(data, by)
    fit = fitter(data, theta or prior_median())
    predicted, spread = np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    for names in _folds(list(ids)):
        out = np.isin(ids, names)
        if out.all():
            continue
        inside = np.flatnonzero(out)
        posterior = fit(np.where(out, 0.0, data.weight), DRAWS // 2)
        quiet = Posterior(posterior.draws, posterior.offsets, dict.fromkeys(posterior.scales, 0.0))
        estimate = training_batch(take_jobs(data.job, inside), quiet)
        predicted[inside], spread[inside] = estimate.step_time_s, estimate.log_sd
        off = np.abs(predicted[inside] / data.seconds[inside] - 1.0)
        said = ", ".join(sorted(set(data.job.model.id[inside] if by == "model" else ids[inside])))
        say(f"training, left out {by} {said}: step time {np.median(off):.1%} of {len(inside)}")
    return predicted, spread


TRAINING_SOURCES = (
    "Fitted to MLPerf Training v4.1 and v5.0 (MLCommons), Megatron-Bridge and NeMo performance tables (NVIDIA), TPU "
    "recipes (Google), llm-foundry (MosaicML), torchtitan (PyTorch), ModelLink (Huawei) and published MFU of papers; the "
    "measurements are not shipped"
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
    """Errors of the step time on groups the fit has not seen, in the form of `_validate.leave_out`.

    Raises `InputError` where the table holds no training rows.
    """
    data = training_data(rows)
    theta = fit_training(data, draws=1, quick=True).centre
    seconds, _ = leave_out(data, by, theta, say)
    names = labels(data, by) if by != "model" else data.job.model.id
    usable = np.isfinite(seconds)
    ratio = np.log(seconds / data.seconds)
    groups = {
        str(name): {"step_time": _left_score(ratio[usable & (names == name)])} for name in sorted(set(names[usable]))
    }
    return {"by": by, "overall": {"step_time": _left_score(ratio[usable])}, "groups": groups}


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
    usable = np.isfinite(predicted)
    ratio = np.log(predicted[usable] / data.seconds[usable])
    off = np.abs(np.expm1(ratio))
    inside = np.abs(ratio) <= QUANTILE_80 * log_sd[usable]
    return (
        f"step time error median {np.median(off):.1%}, mean {off.mean():.1%}, bias {ratio.mean():+.3f}, "
        f"{inside.mean():.0%} in 80 %, {len(ratio)} rows"
    )


__all__ = [
    "TrainingData",
    "fit_documents",
    "fit_training",
    "leave_out",
    "left_out_table",
    "model_keys",
    "training_data",
]
