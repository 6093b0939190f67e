"""Training: what a step costs, which layout is best under the memory limit, and what a cluster loses to failures.

A step is M micro-batches through a pipeline. Work that a layout asks for (matrix products, activations' traffic,
messages) is counted in seconds at the chip's datasheet rates (`_training_work`); a few fitted numbers say what share of
each rate is reached and how much of each message stays visible. Layouts that are not stated are searched
(`_training_layout`). MFU is an output.

Sources: interruptions of large clusters, Llama 3 (arXiv 2407.21783); checkpoint interval, Young 1974 and Daly 2006.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.perf._architecture import Architecture
from chipweir.perf._hardware import Hardware
from chipweir.perf._training_layout import choose, codes, distinct
from chipweir.perf._training_work import (
    DTYPES,
    FITTED,
    LAYOUT_FIELDS,
    MODES,
    FloatArray,
    Layout,
    Terms,
    TrainingJob,
    features,
    micro_batches,
    model_flops,
    pipeline,
    stage_parts,
    step_seconds,
    take_jobs,
    take_terms,
    terms,
)


# One interruption per 50,700 chip-hours: 419 unexpected ones in 54 days on 16,384 H100 (Llama 3, section 3.3.4).
CHIP_HOURS_BETWEEN_FAILURES = 50_700.0
GROUPS = ("origin", "ecosystem", "line", "stack", "chip", "model")
# Rows whose draws are evaluated at a time: what fits the processor's cache.
TOGETHER = 512


@dataclass(frozen=True)
class TrainingEstimate:
    """Results [n]: seconds a step, tokens a second and chip, model FLOP/s a chip, MFU, layout, bytes, binding term.

    `mfu` is relative to the dense 16-bit peak, the convention of the literature. `log_sd` is the standard deviation of
    the log of the step time. `fits` is false where no layout fits; `bytes_needed` is then the least that was needed.
    """

    step_time_s: FloatArray
    tokens_s_chip: FloatArray
    flops_chip: FloatArray
    mfu: FloatArray
    log_sd: FloatArray
    bytes_needed: FloatArray
    bytes_usable: FloatArray
    fits: npt.NDArray[np.bool_]
    valid: npt.NDArray[np.bool_]
    binds: npt.NDArray[np.str_]
    bubble: FloatArray
    layout: Layout


@dataclass(frozen=True)
class Posterior:
    """Fitted numbers: `draws` {name: [d]}, offsets of the log step time by group (`GROUPS`), and their spreads.

    The first draw is the most probable value: estimates are made with it, the others say how far it can be trusted.
    `offsets` {"ecosystem:cuda": [d], ...} are joint with `draws`; `scales`: log standard deviations of what no draw
    knows, "residual" for every row, those of the groups for one never measured.
    """

    draws: Mapping[str, FloatArray]
    offsets: Mapping[str, FloatArray]
    scales: Mapping[str, float]

    @property
    def centre(self) -> dict[str, float]:
        """The most probable value of each fitted number."""
        return {name: float(values[0]) for name, values in self.draws.items()}

    def offset(self, job: TrainingJob) -> tuple[FloatArray, FloatArray]:
        """Draws [d, n] of the log step time's offset, and the variance [n] of what no draw knows.

        That is the residual, and for an ecosystem, chip or model never measured the spread of its kind.
        """
        count = len(next(iter(self.draws.values())))
        drawn = np.zeros((count, len(job.chips)))
        variance = np.full(len(job.chips), self.scales["residual"] ** 2)
        for kind, ids in self._ids(job):
            names, place = codes(ids)
            known = [self.offsets.get(f"{kind}:{name}") for name in names]
            unseen = np.array([values is None for values in known])[place]
            table = np.stack([np.zeros(count) if values is None else values for values in known], axis=1)
            drawn += table[:, place]
            variance += np.where(unseen, self.scales[kind] ** 2, 0.0)
            if kind == "chip":
                # What a datasheet leaves open was settled by measuring.
                variance += np.where(unseen, np.asarray(job.hardware.spec_log_sd, dtype=float) ** 2, 0.0)
        return drawn, variance

    def known(self, job: TrainingJob) -> tuple[npt.NDArray[np.bool_], ...]:
        """Whether each of `GROUPS` of every job was measured, [n] each."""
        found = []
        for kind, ids in self._ids(job):
            names, place = codes(ids)
            found.append(np.array([f"{kind}:{name}" in self.offsets for name in names])[place])
        return tuple(found)

    def _ids(self, job: TrainingJob) -> list[tuple[str, npt.NDArray[np.object_]]]:
        return list(zip(GROUPS, group_ids(job), strict=True))


# What frameworks were first written for: Megatron and PyTorch for CUDA, JAX for XLA.
NATIVE = ("cuda", "xla")


def group_ids(job: TrainingJob) -> tuple[npt.NDArray[np.object_], ...]:
    """The level of each of `GROUPS` [n]: those of the chip, software's family, and model."""
    stack = np.broadcast_to(np.asarray(job.stack, dtype=object), len(job.chips))
    chip = chip_ids(job.hardware)
    return chip["origin"], chip["ecosystem"], chip["line"], stack, chip["chip"], model_keys(job.model)


def chip_ids(h: Hardware) -> dict[str, npt.NDArray[np.object_]]:
    """The groups of chips [n]: origin (software written for them, or ported to them), ecosystem, line (maker and
    generation), chip."""
    lines = [f"{v}/{str(g).split(' ')[0].lower()}" for v, g in zip(h.vendor, h.generation, strict=True)]
    origin = np.where(np.isin(h.ecosystem.astype(str), NATIVE), "native", "ported").astype(object)
    return {"origin": origin, "ecosystem": h.ecosystem, "line": np.array(lines, dtype=object), "chip": h.id}


def model_keys(m: Architecture) -> npt.NDArray[np.object_]:
    """Names [n] by which models count as one: layers, width and experts, the same for Llama 3 and 3.1 70B."""
    names, place = codes(m.id)
    first = [int(np.argmax(place == k)) for k in range(len(names))]
    keys = [
        f"{m.layers[i]:.0f}x{m.hidden[i]:.0f}"
        + (f"/{m.experts[i]:.0f}x{m.expert_params[i] / m.hidden[i]:.0f}" if m.experts[i] else "")
        for i in first
    ]
    return np.array(keys, dtype=object)[place]


def training_batch(job: TrainingJob, posterior: Posterior | None = None) -> TrainingEstimate:
    """Step time, throughput and MFU of n jobs, layouts chosen where not given.

    Raises `InputError` for impossible numbers.
    """
    _check(job)
    posterior = posterior or shipped_posterior()
    everything = terms(job)
    first, inverse = distinct(everything, job)
    if len(first) == len(inverse):
        return _estimate(job, everything, posterior)
    one = _estimate(take_jobs(job, first), take_terms(everything, first), posterior)
    columns = {f.name: getattr(one, f.name) for f in fields(TrainingEstimate) if f.name != "layout"}
    layout = Layout(**{f.name: getattr(one.layout, f.name)[inverse] for f in fields(Layout)})
    return TrainingEstimate(**{name: column[inverse] for name, column in columns.items()}, layout=layout)


def _estimate(job: TrainingJob, t: Terms, posterior: Posterior) -> TrainingEstimate:
    layout, needed, fits = choose(job, posterior.centre, t)
    valid = layout.dp > 0
    safe = replace(layout, dp=np.maximum(layout.dp, 1.0))
    seconds, log_sd, binds = resolved_seconds(job, t, safe, posterior)
    micro = micro_batches(t, safe)
    bubble = (safe.pp - 1.0) / safe.virtual / micro
    tokens = job.global_batch * job.seq_len / seconds / job.chips
    flops = tokens * model_flops(job.model, job.seq_len, job.mode)
    return TrainingEstimate(
        step_time_s=seconds, tokens_s_chip=tokens, flops_chip=flops, mfu=flops / t.bf16, log_sd=log_sd,
        bytes_needed=needed, bytes_usable=t.usable, fits=fits & valid, valid=valid, binds=binds,
        bubble=bubble / (1.0 + bubble), layout=layout,
    )  # fmt: skip


def resolved_seconds(
    job: TrainingJob, t: Terms, layout: Layout, posterior: Posterior
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.str_]]:
    """Seconds a step, standard deviation of their log, and what binds, [n] each, of jobs whose layout is complete."""
    offsets, unknown = posterior.offset(job)
    work, stages = features(t, layout), pipeline(t, layout)
    centre = posterior.centre
    seconds = step_seconds(work, stages, centre) * np.exp(offsets[0])
    variance = np.empty(len(seconds))
    for start in range(0, len(seconds), TOGETHER):
        some = slice(start, start + TOGETHER)
        part = {name: value[some] for name, value in work.items()}
        drawn = np.log(step_seconds(part, stages[some], posterior.draws)) + offsets[:, some]
        variance[some] = drawn.var(axis=0)
    return seconds, np.sqrt(unknown + variance), binding(work, layout, micro_batches(t, layout), centre)


def binding(
    work: Mapping[str, FloatArray], layout: Layout, micro: FloatArray, theta: Mapping[str, float]
) -> npt.NDArray[np.str_]:
    """Which kind of work takes most of the step [n]: compute, memory bandwidth, link, network, overhead, bubble."""
    parts = stage_parts(work, theta)
    seconds = {name: micro * value for name, value in parts.items()}
    bubble = (layout.pp - 1.0) / layout.virtual * sum(parts.values())
    seconds["memory"] = seconds["memory"] + work["optimizer"]
    seconds["network"] = seconds["network"] + theta["see_gradients"] * work["gradients"]
    names = np.array(["compute", "memory bandwidth", "link", "overhead", "network", "bubble"])
    chosen: npt.NDArray[np.str_] = names[np.argmax(np.stack([*seconds.values(), bubble]), axis=0)]
    return chosen


@lru_cache(maxsize=1)
def shipped_posterior() -> Posterior:
    """The posterior that comes with the package."""
    text = resources.files("chipweir.perf").joinpath("data/training.json").read_text(encoding="utf-8")
    return posterior_from_json(text)


def posterior_from_json(text: str, where: str = "training posterior") -> Posterior:
    """A posterior from its JSON form. Raises `InputError` where something is missing."""
    try:
        record = json.loads(text)
        missing = sorted(set(FITTED) - set(record["draws"]))
        if missing:
            raise InputError(f"{where}: training lacks {', '.join(missing)}: it was fitted by another version")
        posterior = Posterior(
            draws={name: np.asarray(record["draws"][name], dtype=float) for name in FITTED},
            offsets={name: np.asarray(values, dtype=float) for name, values in record["offsets"].items()},
            scales={name: float(sd) for name, sd in record["scales"].items()},
        )
    except InputError:
        raise
    except (json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{where}: not a training posterior ({error!r})") from error
    shapes = {values.shape for values in (*posterior.draws.values(), *posterior.offsets.values())}
    positive = all((values > 0).all() for values in posterior.draws.values())
    if (
        len(shapes) != 1
        or len(next(iter(shapes))) != 1
        or {"residual", *GROUPS} - set(posterior.scales)
        or not positive
    ):
        raise InputError(f"{where}: not a training posterior (draws of different lengths, or a spread is missing)")
    return posterior


def goodput(
    chips: Any,
    *,
    chip_hours_between_failures: float = CHIP_HOURS_BETWEEN_FAILURES,
    restart_minutes: float = 8.0,
    checkpoint_seconds: float = 10.0,
) -> Any:
    """Share of wall time that advances training, with checkpoints at the interval that loses least (Young, Daly).

    Loss per failure: half an interval of lost work and `restart_minutes`. Defaults of restart and checkpoint: our
    priors; with them 16,384 chips keep 92 % (Llama 3 reports more than 90 %).
    """
    between = chip_hours_between_failures * 3600.0 / np.asarray(chips, dtype=float)
    interval = np.sqrt(2.0 * checkpoint_seconds * between)
    lost = checkpoint_seconds / interval + (interval / 2.0 + restart_minutes * 60.0) / between
    return np.clip(1.0 / (1.0 + lost), 0.0, 1.0)


def chip_hours(flops: float, flops_chip: Any, chips: Any) -> Any:
    """Chip-hours of a run of `flops` FLOP at `flops_chip` delivered on `chips`, failures included."""
    return flops / np.asarray(flops_chip) / 3600.0 / goodput(chips)


def _check(job: TrainingJob) -> None:
    for name in ("chips", "global_batch", "seq_len"):
        values = getattr(job, name)
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise InputError(f"training: {name} must be positive, not {values[~(values > 0)][:1]}")
    for name in LAYOUT_FIELDS:
        values = getattr(job, name)
        if (values < 1).any():
            raise InputError(f"training: {name} must be at least 1, not {values[values < 1][0]:g}")
    for name, known in (("dtype", DTYPES), ("mode", MODES)):
        odd = sorted({str(v) for v in getattr(job, name)} - set(known))
        if odd:
            raise InputError(f"training: unknown {name} '{odd[0]}'; known: {', '.join(known)}")


__all__ = [
    "FITTED",
    "LAYOUT_FIELDS",
    "FloatArray",
    "Layout",
    "Posterior",
    "TrainingEstimate",
    "TrainingJob",
    "chip_hours",
    "choose",
    "goodput",
    "model_flops",
    "posterior_from_json",
    "shipped_posterior",
    "take_jobs",
    "training_batch",
]
