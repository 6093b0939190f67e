"""What every product is worth for three reference workloads: the table the world model consumes.

Training, inference and edge are not products but uses, and a chip that is good at one may be poor at another (H20). The
table answers "how many H100s is this chip, here?" with the fitted engine that also answers `estimate` and `match`.

Software is counted once. `throughput` is what the hardware gives with the most mature software there is (the
efficiencies fitted for CUDA, whatever the chip's own); `realised` is what the chip's own ecosystem made of that when it
was measured. The world's maturity multiplies the first and must not meet the second.

Reference workloads (our own choice)
- training: pretraining on 4,096 chips, half the FLOPs on a dense 405B model (16-bit multiplications), half on a
  mixture of experts with 671B total and 37B active parameters (8-bit where the chip has 8-bit floats).
- inference: half the output tokens from a dense 70B model, half from the 671B mixture of experts, 4,096 tokens in and
  1,024 out, 8-bit weights, 50 ms per output token, at the best batch, number of chips and layout.
- edge: an 8B model in 8 bits, 1,024 tokens in and 256 out, on 1 to 4 chips, at most 8 requests at once, 100 ms.

A chip that cannot keep the latency counts for less, by the fourth power of the excess; one that cannot hold the model
counts a fiftieth of one that could (weights streamed from the host; prior).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.perf import _architecture, _hardware
from chipweir.perf._configuration import Configuration
from chipweir.perf._efficiency import TERMS, Layout
from chipweir.perf._energy import system_power
from chipweir.perf._fitted import Fitted, shipped_fitted
from chipweir.perf._hardware import Hardware, from_chip
from chipweir.perf._offered import Offered
from chipweir.perf._plan import Plan
from chipweir.perf._rates import BATCHES, Trials, decode_seconds, held, levels_at, prefill_rate, replica_plans, trials
from chipweir.perf._training import Posterior as TrainingPosterior
from chipweir.perf._training import chip_ids
from chipweir.perf._training_layout import choose
from chipweir.perf._training_work import (
    FITTED,
    LAYOUT_FIELDS,
    TrainingJob,
    features,
    model_flops,
    pipeline,
    step_seconds,
    terms,
)


if TYPE_CHECKING:
    from chipweir.facts import Chip

FloatArray = npt.NDArray[np.float64]

WORKLOADS = ("training", "inference", "edge")
UNIT = "nvidia-h100-sxm"
# The ecosystem whose software is the measure of maturity: nearly all measurements are of it.
MATURE_VENDOR, MATURE_ECOSYSTEM = "nvidia", "cuda"
LATE, SPILLED = 4.0, 1.0 / 50.0
CLUSTER = 4096.0


class Use(NamedTuple):
    """A serving workload: model, lengths in tokens, seconds per output token, most chips and sequences of a replica."""

    model: str
    isl: float
    osl: float
    tpot_s: float
    most_chips: float = np.inf
    most_sequences: float = np.inf


INFERENCE = (Use("Llama-3.1-70B", 4096.0, 1024.0, 0.05), Use("DeepSeek-V3", 4096.0, 1024.0, 0.05))
EDGE = (Use("Llama-3.1-8B", 1024.0, 256.0, 0.1, 4.0, 8.0),)
# Model, whether 8-bit floats are used, sequences a step, tokens a sequence.
TRAINING = (("Llama-3.1-405B", False, 2048.0, 8192.0), ("DeepSeek-V3", True, 4096.0, 4096.0))
# Fitted numbers by what they are about. One factor stands for each: the direction in which the posterior is widest.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "serving arithmetic": ("matmul", "prefill", "score", "grouped", "reuse"),
    "serving memory": ("bandwidth", "packing", "cache", "routed", "activation", "shuffle", "evenness"),
    "serving messages": ("link", "exchange", "floor"),
    "serving overheads": ("layer", "gate", "step", "sequence", "accepted"),
    "training arithmetic": (*(name for name in FITTED if name.startswith("reach_")), "grouped", "throttle"),
    "training memory": tuple(name for name in FITTED if name.startswith("touch")),
    "training messages": tuple(name for name in FITTED if name.startswith("see_")),
    "training overheads": ("launch", "launch_expert"),
}
# Error that no datasheet and no fitted number explains, shared by all chips of one maker and of each chip alone: log
# standard deviations by workload, read off makers and chips left out of the fit (docs/perf.md).
MAKER_LOG_SD = {"training": 0.15, "inference": 0.25, "edge": 0.30}
CHIP_LOG_SD = {"training": 0.10, "inference": 0.13, "edge": 0.18}
# Datasheet numbers that are wrong apart: a step up and down of each shows what its error does.
SPECS = {"flops": ("bf16_flops", "fp8_flops", "fp4_flops", "int8_flops"), "bandwidth": ("memory_bandwidth",),
         "memory": ("memory_bytes",), "link": ("scaleup_bandwidth", "scaleout_bandwidth")}  # fmt: skip


@dataclass(frozen=True)
class Worth:
    """Arrays over products [P] and workloads [W]; rows in the order of the chips given.

    - `throughput` [P, W]: median, in units of one H100 at full software maturity.
    - `log_sd` [P, W]: standard deviation of its logarithm, all told.
    - `factors` [F], `loadings` [F, P, W]: sources of error that chips share, standard normal, and what one of their
      standard deviations does to ln throughput; `own_log_sd` [P, W]: what remains, independent between chips.
    - `realised` [P, W]: share of `throughput` that the chip's own software reached where it was measured (1 where
      nothing is known of it).
    - `training_flops` [P]: FLOP/s delivered in the training workload.
    - `tokens_per_second` [P]: input and output tokens a second of the inference workload.
    - `power_w` [P]: the chip's design power, W; `system_power_w` [P]: with its share of host and network.
    - `memory_bytes` [P], `memory_bandwidth` [P] (B/s).
    - `h100e` [P]: dense 8-bit operations relative to H100 (twice the 16-bit rate where there is no 8-bit unit).
    - `assumed` [P]: numbers no datasheet gave, taken from peers.
    """

    products: tuple[str, ...]
    throughput: FloatArray
    log_sd: FloatArray
    factors: tuple[str, ...]
    loadings: FloatArray
    own_log_sd: FloatArray
    realised: FloatArray
    training_flops: FloatArray
    tokens_per_second: FloatArray
    power_w: FloatArray
    system_power_w: FloatArray
    memory_bytes: FloatArray
    memory_bandwidth: FloatArray
    h100e: FloatArray
    assumed: tuple[tuple[str, ...], ...]
    workloads: tuple[str, ...] = WORKLOADS


def worth(chips: Sequence[Chip], peers: Collection[Chip] | None = None, fitted: Fitted | None = None) -> Worth:
    """The worth of `chips` in the three reference workloads.

    A pure function of the chips' records: a changed record changes the row. Numbers a record lacks are taken from
    `peers` (same country, two years around; by default the shipped catalogue) and widen `log_sd`. Raises `InputError`
    for an empty list.
    """
    if not chips:
        raise InputError("worth needs at least one chip, not an empty list")
    pool = _catalogue(chips) if peers is None else peers
    parts = [from_chip(chip, pool) for chip in chips]
    # The unit stands last, so that its own errors are taken off everyone's.
    table = _table((*parts, _unit()), fitted)
    products = _hardware.stack(parts)
    loadings = table.loadings - table.loadings[:, -1:]
    own = np.hypot(table.datasheet, np.array([CHIP_LOG_SD[w] for w in WORKLOADS]))[:-1]
    own[[chip.id == UNIT for chip in chips]] = 0.0
    return Worth(
        products=tuple(chip.id for chip in chips),
        throughput=table.rates[:-1] / table.rates[-1],
        log_sd=np.sqrt((loadings[:, :-1] ** 2).sum(axis=0) + own**2),
        factors=table.factors,
        loadings=loadings[:, :-1],
        own_log_sd=own,
        realised=table.realised[:-1] / table.realised[-1],
        training_flops=table.rates[:-1, 0],
        tokens_per_second=table.rates[:-1, 1] * (1.0 + INFERENCE[0].isl / INFERENCE[0].osl),
        power_w=products.tdp_w,
        system_power_w=system_power(products.tdp_w, products.tdp_w),
        memory_bytes=products.memory_bytes,
        memory_bandwidth=products.memory_bandwidth,
        h100e=eight_bit_rate(products) / float(eight_bit_rate(_hardware.stack([_unit()]))[0]),
        assumed=tuple(tuple(part.assumed.split()) for part in parts),
    )


def eight_bit_rate(chip: Hardware) -> FloatArray:
    """Dense 8-bit operations per second; twice the 16-bit rate where the chip has no 8-bit unit."""
    eight = np.maximum(chip.fp8_flops, chip.int8_flops)
    wider = np.where(chip.fp4_flops > 0, chip.fp4_flops / 2, 2 * chip.bf16_flops)
    rate: FloatArray = np.where(eight > 0, eight, wider)
    return rate


@lru_cache(maxsize=1)
def _unit() -> Hardware:
    """The H100 of the shipped catalogue: the unit does not move when a user lays another record over it."""
    from chipweir import facts

    known = facts.load()
    return from_chip(known.chips[UNIT], known.chips.values())


def _catalogue(chips: Sequence[Chip]) -> list[Chip]:
    """The shipped catalogue and the chips given."""
    from chipweir import facts

    shipped = facts.load().chips
    return [*shipped.values(), *(chip for chip in chips if chip.id not in shipped)]


class _Table(NamedTuple):
    """Rates [P, W] in FLOP/s or tokens/s, shared errors, log standard deviation owed to datasheets, realised share."""

    rates: FloatArray
    factors: tuple[str, ...]
    loadings: FloatArray
    datasheet: FloatArray
    realised: FloatArray


class _Column(NamedTuple):
    """One workload [P]: rates, what one standard deviation of each shared error does to their logarithm, log standard
    deviation owed to the datasheet, realised share."""

    rate: FloatArray
    factors: Mapping[str, FloatArray]
    datasheet: FloatArray
    realised: FloatArray


def _table(chips: tuple[Hardware, ...], fitted: Fitted | None) -> _Table:
    return _shipped_table(chips) if fitted is None else _computed(chips, fitted)


@lru_cache(maxsize=64)
def _shipped_table(chips: tuple[Hardware, ...]) -> _Table:
    return _computed(chips, shipped_fitted())


def _computed(chips: tuple[Hardware, ...], fitted: Fitted) -> _Table:
    columns = [_training(chips, fitted.training), *(_serving(chips, uses, fitted) for uses in (INFERENCE, EDGE))]
    factors = {name: np.stack([c.factors.get(name, np.zeros(len(chips))) for c in columns], axis=1) for name in GROUPS}
    for vendor in sorted({str(chip.vendor) for chip in chips} - {MATURE_VENDOR}):
        mine = np.array([chip.vendor == vendor for chip in chips], dtype=float)
        factors[f"maker {vendor}"] = mine[:, None] * np.array([MAKER_LOG_SD[w] for w in WORKLOADS])
    rates, datasheet, realised = (
        np.stack([getattr(c, name) for c in columns], axis=1) for name in ("rate", "datasheet", "realised")
    )
    return _Table(rates, tuple(factors), np.stack(list(factors.values())), datasheet, realised)


def _mature(chip: Hardware) -> Hardware:
    """The chip under the most mature software: its maker's own efficiencies only where that is the mature one."""
    if chip.vendor == MATURE_VENDOR:
        return chip
    return replace(chip, vendor=MATURE_VENDOR, ecosystem=MATURE_ECOSYSTEM, generation=f"{chip.vendor} hardware")


def _sd(chips: Sequence[Hardware], spec: str) -> FloatArray:
    return np.array([float(getattr(chip, f"{spec}_log_sd")) for chip in chips])


def _spread(log_rate: Callable[[str, FloatArray], FloatArray], chips: Sequence[Hardware]) -> FloatArray:
    """Log standard deviation [P] owed to open numbers of the datasheets, `log_rate(spec, logs)` being ln rate with a
    number moved by `logs`: each is moved by one standard deviation either way."""
    variance = np.zeros(len(chips))
    for spec in SPECS:
        sd = _sd(chips, spec)
        if sd.any():
            # Beside a cliff (a model that just fits) a step says more about the cliff than the chip: at most 1.
            variance += np.minimum(((log_rate(spec, sd) - log_rate(spec, -sd)) / 2) ** 2, 1.0)
    return np.sqrt(variance)


def _moved(chips: Sequence[Hardware], spec: str, logs: FloatArray) -> list[Hardware]:
    """Chips with the numbers of `spec` moved by `logs` [P]."""
    return [
        replace(chip, **{name: getattr(chip, name) * float(np.exp(step)) for name in SPECS[spec]})
        for chip, step in zip(chips, logs, strict=True)
    ]


STEP = 0.02


def _loadings(
    log_rate: Callable[[Mapping[str, float]], FloatArray],
    groups: Mapping[str, tuple[str, ...]],
    draws: Mapping[str, FloatArray],
) -> dict[str, FloatArray]:
    """What one standard deviation of each group's widest posterior direction does to ln rate [P].

    `log_rate(moves)`: ln rate with the logs (or logits) of fitted numbers moved; `draws`: these logs [d]. The direction
    is the first principal component of the rates as the group's draws move them; its sign is that of a gain.
    """
    found = {}
    for group, names in groups.items():
        known = [name for name in names if name in draws]
        slopes = np.stack([(log_rate({name: STEP}) - log_rate({name: -STEP})) / (2 * STEP) for name in known], axis=1)
        covariance = np.atleast_2d(np.cov(np.stack([draws[name] for name in known])))
        values, vectors = np.linalg.eigh(covariance)
        moved = slopes @ (vectors * np.sqrt(np.maximum(values, 0.0)))
        _, directions = np.linalg.eigh(moved.T @ moved)
        loading = moved @ directions[:, -1]
        found[group] = loading * (1.0 if loading.sum() >= 0 else -1.0)
    return found


# --- training


class _Run(NamedTuple):
    """A training workload in its best layouts [P]: work, stage times, share that counts (1 where the memory suffices),
    FLOP of a step and chip."""

    work: Mapping[str, FloatArray]
    stages: FloatArray
    share: FloatArray
    flops: FloatArray


def _runs(chips: Sequence[Hardware], theta: Mapping[str, float]) -> list[_Run]:
    stacked, count = _hardware.stack(chips), len(chips)
    blank = {name: np.full(count, np.nan) for name in LAYOUT_FIELDS}
    runs = []
    for model, narrow, batch, seq_len in TRAINING:
        eight = (stacked.fp8_flops > stacked.bf16_flops) & narrow
        job = TrainingJob(
            hardware=stacked, model=_architecture.stack([_architecture.architecture(model)] * count),
            chips=np.full(count, CLUSTER), global_batch=np.full(count, batch), seq_len=np.full(count, seq_len),
            dtype=np.where(eight, "fp8", "bf16"), mode=np.full(count, "pretrain"), **blank,
        )  # fmt: skip
        t = terms(job)
        layout, needed, fits = choose(job, theta, t)
        layout = replace(layout, dp=np.maximum(layout.dp, 1.0))
        share = np.where(fits, 1.0, SPILLED * np.clip(t.usable / np.maximum(needed, 1.0), 0.01, 1.0))
        step = batch * seq_len / CLUSTER * model_flops(job.model, seq_len)
        runs.append(_Run(features(t, layout), pipeline(t, layout), share, step))
    return runs


def _delivered(runs: Sequence[_Run], theta: Mapping[str, Any]) -> FloatArray:
    """FLOP/s a chip delivers [P]: harmonic mean over the workloads."""
    inverse = sum(step_seconds(run.work, run.stages, theta) / run.flops / run.share for run in runs)
    return np.asarray(len(runs) / inverse)


def _training(chips: Sequence[Hardware], posterior: TrainingPosterior) -> _Column:
    centre = posterior.centre
    logs = {name: np.log(values) for name, values in posterior.draws.items()}
    runs = _runs(chips, centre)

    def fitted_moved(moved: Mapping[str, float]) -> FloatArray:
        return np.log(_delivered(runs, {name: value * np.exp(moved.get(name, 0.0)) for name, value in centre.items()}))

    def datasheet_moved(spec: str, steps: FloatArray) -> FloatArray:
        return np.log(_delivered(_runs(_moved(chips, spec, steps), centre), centre))

    def offset(group: str, name: str) -> float:
        values = posterior.offsets.get(f"{group}:{name}")
        return 0.0 if values is None else float(values[0])

    mature = offset("origin", "native") + offset("ecosystem", MATURE_ECOSYSTEM)
    ids = chip_ids(_hardware.stack(list(chips)))
    own = np.array([sum(offset(group, str(ids[group][at])) for group in ids) for at in range(len(chips))])
    own = np.where([f"ecosystem:{chip.ecosystem}" in posterior.offsets for chip in chips], own, mature)
    # What measuring a chip settled is its hardware's only where its software is the mature one.
    known = np.array([chip.ecosystem == MATURE_ECOSYSTEM for chip in chips])
    groups = {name: names for name, names in GROUPS.items() if name.startswith("training")}
    return _Column(
        rate=_delivered(runs, centre) * np.exp(-np.where(known, own, mature)),
        factors=_loadings(fitted_moved, groups, logs),
        datasheet=_spread(datasheet_moved, chips),
        realised=np.where(known, 1.0, np.exp(mature - own)),
    )


# --- serving


class _Best(NamedTuple):
    """The best decode and prefill trial of every chip, and the share that counts (late, spilled) [P]."""

    decode: Trials
    prefill: Trials
    use: Use
    share: FloatArray


def _best(chips: Sequence[Hardware], use: Use, fitted: Fitted) -> _Best:
    """Layout and load with the most output tokens a second and chip."""
    model = _architecture.architecture(use.model)
    spilled = np.zeros(len(chips), dtype=bool)
    configurations, plans, batches = [], [], []
    for place, chip in enumerate(chips):
        c = _configuration(chip, model, use)
        try:
            options = _plans(c, use)
        except InputError:
            spilled[place] = True
            c = replace(c, chip=replace(chip, memory_bytes=2.0 * float(model.total_params)))
            options = _plans(c, use)
        configurations.append(c)
        plans.append(options)
        least = min(plan.decode_chips for plan in options)
        batches.append([b for b in BATCHES if b * least <= use.most_sequences] or [1])
    form, theta = fitted.serving.form, fitted.serving.mean
    decode = trials(configurations, plans, form, phase="decode", batches=batches)
    seconds = decode_seconds(decode, theta, form)
    rate = decode.load / seconds / decode.chips * _late(seconds, use)
    fits = held(decode) & (decode.load <= use.most_sequences)
    best = _first_best(decode.row, np.where(fits, rate, rate * 1e-6))
    prefill = trials(configurations, plans, form, phase="prefill")
    reading = prefill.at(_first_best(prefill.row, prefill_rate(prefill, theta, form)))
    share = _late(seconds[best], use) * np.where(spilled | ~fits[best], SPILLED, 1.0)
    return _Best(decode.at(best), reading, use, share)


def _plans(configuration: Configuration, use: Use) -> list[Plan]:
    plans = [plan for plan in replica_plans(configuration) if plan.decode_chips <= use.most_chips]
    if not plans:
        raise InputError(f"{configuration.model.name} does not fit {use.most_chips:g} x {configuration.chip.name}")
    return plans


def _late(seconds: FloatArray, use: Use) -> FloatArray:
    return np.minimum(use.tpot_s / seconds, 1.0) ** LATE


def _first_best(row: npt.NDArray[np.int_], score: FloatArray) -> npt.NDArray[np.int_]:
    """Place of the best score of every row; rows stand together."""
    start = np.flatnonzero(np.diff(row, prepend=-1))
    ends = [*start[1:], len(row)]
    return np.array([first + int(np.argmax(score[first:end])) for first, end in zip(start, ends, strict=True)])


def _configuration(chip: Hardware, model: _architecture.Architecture, use: Use) -> Configuration:
    """Serving in eight bits: floats where the chip has them, else integers (or unpacking); a cache of 16 bits."""
    return Configuration(
        phase="decode", chip=chip, model=model, dtype="fp8" if chip.fp8_flops > 0 or chip.int8_flops <= 0 else "int8",
        kv_dtype="bf16", engine="other", plan=None, n_chips=None, concurrency=None,
        offered=Offered(use.isl, use.osl), tpot_limit=use.tpot_s,
    )  # fmt: skip


def _tokens(best: Sequence[_Best], theta: FloatArray, form: Layout) -> FloatArray:
    """Output tokens a second and chip [P]: prompts and answers share the time; harmonic mean over the uses."""
    inverse = np.zeros(len(best[0].share))
    for b in best:
        decode = b.decode.load / decode_seconds(b.decode, theta, form) / b.decode.chips
        inverse = inverse + (1.0 / decode + b.use.isl / b.use.osl / prefill_rate(b.prefill, theta, form)) / b.share
    return np.asarray(len(best) / inverse)


# Numbers of `Work` that a datasheet number stands in; memory decides what fits, so that layouts are chosen anew.
WORK = {"flops": ("rate", "score_rate"), "bandwidth": ("memory_bandwidth",), "link": ("link", "scaleout")}


def _serving(chips: Sequence[Hardware], uses: Sequence[Use], fitted: Fitted) -> _Column:
    form, mean = fitted.serving.form, fitted.serving.mean
    mature = [_mature(chip) for chip in chips]
    best = [_best(mature, use, fitted) for use in uses]
    draws = {term.name: fitted.serving.draws[:, form.place[term.name]] for term in TERMS}

    def fitted_moved(moved: Mapping[str, float]) -> FloatArray:
        theta = mean.copy()
        for name, step in moved.items():
            theta[form.place[name]] += step
        return np.log(_tokens(best, theta, form))

    def datasheet_moved(spec: str, steps: FloatArray) -> FloatArray:
        if spec == "memory":
            again = [_best(_moved(mature, spec, steps), use, fitted) for use in uses]
        else:
            again = [b._replace(decode=_rescaled(b.decode, spec, steps), prefill=_rescaled(b.prefill, spec, steps))
                     for b in best]  # fmt: skip
        return np.log(_tokens(again, mean, form))

    rate = _tokens(best, mean, form)
    known = np.array([chip.vendor in form.levels.get("vendor", ()) for chip in chips])
    own = _tokens([_under_own_software(b, chips, form) for b in best], mean, form)
    groups = {name: names for name, names in GROUPS.items() if name.startswith("serving")}
    return _Column(
        rate=rate, factors=_loadings(fitted_moved, groups, draws), datasheet=_spread(datasheet_moved, mature),
        realised=np.where(known, own / rate, 1.0),
    )  # fmt: skip


def _rescaled(trials: Trials, spec: str, steps: FloatArray) -> Trials:
    work = {name: getattr(trials.work, name) * np.exp(steps) for name in WORK[spec]}
    return replace(trials, work=replace(trials.work, **work))


def _under_own_software(best: _Best, chips: Sequence[Hardware], form: Layout) -> _Best:
    """The same layouts with the efficiencies of the chips' own makers."""
    model = _architecture.architecture(best.use.model)
    own = [replace(_configuration(chip, model, best.use), plan=Plan(1.0, 1.0, 1.0)) for chip in chips]
    every = np.arange(len(chips))
    return best._replace(
        decode=replace(best.decode, where=levels_at(own, form, every)),
        prefill=replace(best.prefill, where=levels_at([replace(c, phase="prefill") for c in own], form, every)),
    )
