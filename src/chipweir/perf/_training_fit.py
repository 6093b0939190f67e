"""Fit of the training model's few numbers to measured rows, with whole chips and models left out in turn.

Hierarchy: log step time = physics(shares) + ecosystem + chip + model + residual. Chips and models never seen draw their
offset from the fitted spread. NumPyro's NUTS; a few seconds for some two hundred rows.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.perf._training import (
    FloatArray,
    Posterior,
    TrainingJob,
    choose,
    features,
    pipeline,
    step_seconds,
    take_jobs,
    training_batch,
)  # fmt: skip
from chipweir.perf._training_rows import QUANTILE_80, is_training, measured_tokens, training_jobs


# Priors: median and log standard deviation. Shares of the peak and of messages are of order one by construction; 16-bit
# products reach 0.6-0.8 of a Hopper's peak in published microbenchmarks, narrower formats less.
PRIORS = {
    "reach_bf16": (0.68, 0.25), "reach_fp8": (0.58, 0.25), "reach_mxfp8": (0.53, 0.25), "reach_int8": (0.5, 0.3),
    "reach_fp4": (0.45, 0.25), "grouped": (0.7, 0.35), "reach_attention": (0.5, 0.3),
    "touch_matrix": (1.0, 0.5), "touch": (1.5, 0.6),
    "touch_expert": (1.0, 0.7), "touch_adapter": (1.0, 0.8), "see_tensor": (0.5, 0.6),
    "see_expert": (0.5, 0.7), "see_network": (0.5, 0.7),
    "see_context": (0.3, 0.7), "see_shard": (0.3, 0.7), "see_gradients": (0.3, 0.7), "launch": (6e-5, 0.7),
    "launch_expert": (2e-4, 0.8),
}  # fmt: skip
GROUPS = ("ecosystem", "chip", "model")
# Chips of one ecosystem run the same software: what they share belongs to the ecosystem, not to each of them.
SPREAD = {"ecosystem": 0.25, "chip": 0.05, "model": 0.12, "residual": 0.10}


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
    return TrainingData(job, seconds[keep], _weights(job), tuple(chosen[index[k]][0] for k in keep))


def prior_median() -> dict[str, float]:
    """The priors' medians."""
    return {name: median for name, (median, _) in PRIORS.items()}


def _weights(job: TrainingJob) -> FloatArray:
    """Near copies (chip, model, size, format alike) are not independent: together they weigh their number's root."""
    keys = [
        f"{c}|{m}|{n:g}|{d}|{w}"
        for c, m, n, d, w in zip(job.hardware.id, job.model.id, job.chips, job.dtype, job.mode, strict=True)
    ]
    counts = {key: keys.count(key) for key in set(keys)}
    return np.array([counts[key] ** -0.5 for key in keys])


def fit_training(
    data: TrainingData, *, warmup: int = 400, samples: int = 400, seed: int = 0, rounds: int = 2, keep: int = 60
) -> Posterior:
    """The posterior from measured rows: layouts chosen with the current numbers, numbers fitted to layouts, twice."""
    theta = prior_median()
    posterior: Posterior | None = None
    for step in range(rounds):
        posterior = sampler(data, theta, warmup, samples, keep)(data.weight, seed + step)
        theta = posterior.median
    assert posterior is not None
    return posterior


def sampler(
    data: TrainingData, theta: Mapping[str, float], warmup: int, samples: int, keep: int
) -> Callable[[FloatArray, int], Posterior]:
    """A function of weights [n] and a seed that samples the posterior, layouts chosen with `theta`.

    Rows of weight 0 are not seen: groups with no other row keep their prior. Compiled once for all weights.
    """
    import jax
    import jax.numpy as jnp
    from numpyro.infer import MCMC, NUTS

    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    layout, _, _ = choose(data.job, theta)
    work = {k: jnp.asarray(v) for k, v in features(data.job, layout).items()}
    pipe = {k: jnp.asarray(v) for k, v in pipeline(data.job, layout).items()}
    names, codes = _codes(data.job)
    kernel = NUTS(_model(names, codes), target_accept_prob=0.85, max_tree_depth=7)
    mcmc = MCMC(kernel, num_warmup=warmup, num_samples=samples, progress_bar=False)

    def sample(weight: FloatArray, seed: int) -> Posterior:
        mcmc.run(jax.random.PRNGKey(seed), work, pipe, jnp.log(data.seconds), jnp.asarray(weight))
        drawn = {k: np.asarray(v) for k, v in mcmc.get_samples().items()}
        return _summary(drawn, names, keep)

    return sample


def _codes(job: TrainingJob) -> tuple[dict[str, list[str]], dict[str, npt.NDArray[np.int_]]]:
    ids = {"ecosystem": job.hardware.ecosystem, "chip": job.hardware.id, "model": job.model.id}
    names = {group: sorted(set(values)) for group, values in ids.items()}
    codes = {group: np.array([names[group].index(v) for v in values]) for group, values in ids.items()}
    return names, codes


def _model(names: Mapping[str, list[str]], codes: Mapping[str, npt.NDArray[np.int_]]) -> Callable[..., None]:
    import jax.numpy as jnp
    import numpyro
    from numpyro import distributions as dist

    def model(work: Any, pipe: Any, observed: Any, weight: Any) -> None:
        theta = {}
        for name, (median, sd) in PRIORS.items():
            theta[name] = numpyro.sample(name, dist.LogNormal(np.log(median), sd))
        centre = jnp.log(step_seconds(work, pipe, theta))
        for group in GROUPS:
            scale = numpyro.sample(f"scale_{group}", dist.HalfNormal(SPREAD[group]))
            raw = numpyro.sample(f"raw_{group}", dist.Normal(0.0, 1.0).expand([len(names[group])]).to_event(1))
            centre = centre + scale * raw[codes[group]]
        residual = numpyro.sample("scale_residual", dist.HalfNormal(SPREAD["residual"]))
        # Heavy tails: a few submissions are far from tuned.
        seen = weight > 0
        scale = residual / jnp.sqrt(jnp.where(seen, weight, 1.0))
        with numpyro.handlers.mask(mask=seen):
            numpyro.sample("seconds", dist.StudentT(4.0, centre, scale), obs=observed)

    return model


def _summary(draws: Mapping[str, npt.NDArray[Any]], names: Mapping[str, list[str]], keep: int) -> Posterior:
    pick = np.linspace(0, len(draws["scale_residual"]) - 1, keep).astype(int)
    offsets = {}
    for group in GROUPS:
        values = draws[f"scale_{group}"][:, None] * draws[f"raw_{group}"]
        for column, name in enumerate(names[group]):
            offsets[f"{group}:{name}"] = values[pick, column]
    scales = {group: float(np.sqrt(np.mean(draws[f"scale_{group}"] ** 2))) for group in (*GROUPS, "residual")}
    # The 80 % interval of Student's t with 4 degrees of freedom is 1.196 times a normal one's of the same scale.
    scales["residual"] *= 1.196
    return Posterior({name: draws[name][pick] for name in PRIORS}, offsets, scales)


TRAINING_SOURCES = (
    "Fitted to MLPerf Training v4.1 and v5.0 (MLCommons), Megatron-Bridge performance tables (NVIDIA), TPU recipes "
    "(Google) and published MFU of papers; the measurements are not shipped"
)
POWER_SOURCES = (
    "Fitted to GPU power of ML.ENERGY v3 (github ml-energy/leaderboard) and InferenceX; "
    "the measurements are not shipped"
)


def fit_documents(
    rows: Sequence[Mapping[str, Any]], command: str, say: Callable[[str], None] = lambda _: None
) -> dict[str, str]:
    """What `data/training.json` and `data/power.json` hold, fitted to a table; absent where it has no such rows."""
    from chipweir.perf._energy import curve_json
    from chipweir.perf._energy_fit import fit_power

    documents = {}
    try:
        data = training_data(rows)
        posterior = fit_training(data)
        estimate = training_batch(data.job, posterior)
        say(f"training: {errors(data.seconds, estimate.step_time_s, estimate.log_sd)}")
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


def leave_out(
    data: TrainingData, group: str, *, warmup: int = 150, samples: int = 150
) -> tuple[FloatArray, FloatArray]:
    """Predicted step seconds [n] and log standard deviation [n] of every row by a fit that never saw its group.

    `group` is "chip" or "model".
    """
    ids = data.job.hardware.id if group == "chip" else data.job.model.id
    predicted, spread = np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    fit = sampler(data, prior_median(), warmup, samples, 60)
    for names in _folds(list(ids)):
        out = np.isin(ids, names)
        inside = np.flatnonzero(out)
        posterior = fit(np.where(out, 0.0, data.weight), 0)
        estimate = training_batch(take_jobs(data.job, inside), posterior)
        predicted[inside], spread[inside] = estimate.step_time_s, estimate.log_sd
    return predicted, spread


def _folds(ids: Sequence[str], rare: int = 3, together: int = 5) -> list[list[str]]:
    """What to leave out in turn: every id with at least `rare` rows alone, the others `together` at a time."""
    counts = {name: ids.count(name) for name in sorted(set(ids))}
    few = [name for name, count in counts.items() if count < rare]
    return [[name] for name, count in counts.items() if count >= rare] + [
        few[start : start + together] for start in range(0, len(few), together)
    ]


def errors(observed: FloatArray, predicted: FloatArray, log_sd: FloatArray) -> dict[str, float]:
    """Median and mean absolute percentage error, bias (mean log ratio), and share of rows inside the 80 % interval."""
    relative = np.abs(predicted / observed - 1.0) * 100.0
    inside = np.abs(np.log(observed / predicted)) <= QUANTILE_80 * log_sd
    return {
        "rows": float(len(observed)), "median_ape": float(np.median(relative)), "mean_ape": float(np.mean(relative)),
        "bias": float(np.mean(np.log(predicted / observed))), "coverage_80": float(np.mean(inside)),
    }  # fmt: skip
