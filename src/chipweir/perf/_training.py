"""Training: what a step costs, which layout is best under the memory limit, and what a cluster loses to failures.

A step is M micro-batches through a pipeline. Work that a layout asks for (matrix products, activations' traffic,
messages) is counted in seconds at the chip's datasheet rates (`features`); a few fitted numbers say what share of each
rate is reached and how much of each message stays visible (`step_seconds`). MFU is an output.

Sources: activation memory and recomputation, Korthikanti et al. 2022 (arXiv 2205.05198); 1F1B and interleaved
pipelines, Narayanan et al. 2021 (arXiv 2104.04473); sharded states, Rajbhandari et al. 2020 (arXiv 1910.02054);
interruptions of large clusters, Llama 3 (arXiv 2407.21783); checkpoint interval, Young 1974 and Daly 2006.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib import resources
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.perf import _architecture, _hardware
from chipweir.perf._architecture import Architecture, active_matrix_params
from chipweir.perf._hardware import Hardware


FloatArray = npt.NDArray[np.float64]

MODES = ("pretrain", "sft", "lora")
LAYOUT_FIELDS = ("tp", "pp", "cp", "ep", "micro_batch", "virtual")
DTYPES = ("bf16", "fp8", "mxfp8", "int8", "fp4")
# Bytes a parameter occupies in training: 16-bit weight, 32-bit gradient; 32-bit master and two moments are sharded.
WEIGHT_BYTES, GRADIENT_BYTES, OPTIMIZER_BYTES = 2.0, 4.0, 12.0
# The lean recipe where that does not fit: 16-bit gradients and moments (DeepSeek-V3, arXiv 2412.19437, section 3.3).
LEAN_GRADIENT_BYTES, LEAN_OPTIMIZER_BYTES = 2.0, 8.0
# Activation bytes per token and layer in units of the hidden size, without recomputation, with flash attention: 34 in
# 16 bits (Korthikanti et al., equation 2); 8-bit recipes keep the inputs of matrix products in 8 bits (own count).
ACTIVATION_PER_HIDDEN, NARROW_ACTIVATION_PER_HIDDEN = 34.0, 20.0
# Share of forward work repeated and of activations kept: none; selective (attention core, activation functions, norms:
# cheap to repeat, large to keep); also the feed-forward's inner products; full. Own reading of Korthikanti et al.,
# section 5, for flash attention and SwiGLU.
RECOMPUTE = ((0.0, 1.0), (0.08, 0.6), (0.3, 0.3), (1.0, 2.0 / ACTIVATION_PER_HIDDEN))
USABLE_MEMORY = 0.94
RESERVED_BYTES = 2e9
PIPELINES, TENSORS, CONTEXTS, EXPERTS, MICRO = (
    (1, 2, 4, 8, 16, 32),
    (1, 2, 4, 8),
    (1, 2, 4, 8),
    (1, 4, 8, 16, 32, 64),
    (1, 2, 4),
)
# One interruption per 50,700 chip-hours: 419 unexpected ones in 54 days on 16,384 H100 (Llama 3, section 3.3.4).
CHIP_HOURS_BETWEEN_FAILURES = 50_700.0
# How much wider than the fitted spread of its kind what was never measured is taken: so that the 80 % intervals of chips
# and models left out of the fit hold for about 80 % of their rows.
UNSEEN = {"ecosystem": 1.0, "chip": 1.6, "model": 1.45}


@dataclass(frozen=True)
class TrainingJob:
    """n training jobs; every field an array [n] (hardware and model stacked). NaN in a layout field: to be chosen.

    `chips`; `tp`, `pp`, `cp`, `ep` parallel degrees; `micro_batch` sequences; `virtual` pipeline chunks per stage;
    `global_batch` sequences a step; `seq_len` tokens; `dtype` one of `DTYPES`; `mode` one of `MODES`.
    """

    hardware: Hardware
    model: Architecture
    chips: FloatArray
    global_batch: FloatArray
    seq_len: FloatArray
    dtype: npt.NDArray[np.str_]
    mode: npt.NDArray[np.str_]
    tp: FloatArray
    pp: FloatArray
    cp: FloatArray
    ep: FloatArray
    micro_batch: FloatArray
    virtual: FloatArray


@dataclass(frozen=True)
class Layout:
    """A complete layout, arrays of one shape: degrees, micro-batch, weights sharded over data parallel ranks or not."""

    tp: FloatArray
    pp: FloatArray
    cp: FloatArray
    ep: FloatArray
    dp: FloatArray
    micro_batch: FloatArray
    virtual: FloatArray
    sharded: FloatArray
    recompute: FloatArray


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


# Seconds at datasheet rates for one micro-batch on one stage unless said otherwise; see `features`.
FEATURES = (
    "matrix_bf16", "matrix_fp8", "matrix_mxfp8", "matrix_int8", "matrix_fp4", "attention", "matrix_traffic", "traffic",
    "routed_share", "expert_traffic", "adapters", "tensor_link", "expert_link", "expert_network", "context_link",
    "shard_link", "layers",
    "expert_layers", "gradients", "optimizer",
)  # fmt: skip


# Names of the fitted numbers; their priors stand with the fit.
FITTED = (
    *(f"reach_{name}" for name in (*DTYPES, "attention")), "grouped", "touch_matrix", "touch", "touch_expert",
    "touch_adapter", "see_tensor", "see_expert", "see_network", "see_context", "see_shard", "see_gradients", "launch",
    "launch_expert",
)  # fmt: skip


def model_flops(model: Architecture, seq_len: Any, mode: Any = "pretrain") -> Any:
    """Model FLOPs of one trained token, forward and backward, causal attention counted at half the length.

    A low-rank fine-tune needs no gradient of the frozen weights: two passes' worth of products instead of three.
    """
    context = np.asarray(seq_len) / 2.0
    passes = np.where(np.asarray(mode) == "lora", 2.0, 3.0)
    return passes * 2.0 * active_matrix_params(model) + 3.0 * attention_flops(model, context)


def attention_flops(model: Architecture, context: Any) -> Any:
    """Forward FLOPs of attention scores and values for one token that sees `context` tokens."""
    return (
        model.prefill_score_flops * np.minimum(context, model.topk)
        + model.window_score_flops * np.minimum(context, model.window)
        + model.index_flops * context
        + 6.0 * model.state_elements
    )


def memory_needed(job: TrainingJob, layout: Layout, *, lean: bool = False) -> FloatArray:
    """Bytes on the fullest chip: weights, gradients, optimizer states, activations in flight. Shape of the layout.

    `lean`: gradients and moments in 16 bits.
    """
    m = _widen(job.model, layout.tp)
    dense = (m.attention_params + m.dense_params + m.shared_params) / layout.pp / layout.tp
    ends = (m.embedding_params + m.head_params) / layout.tp / np.where(layout.pp > 1, 2.0, 1.0)
    routed = m.expert_params * m.experts * m.moe_layers / layout.pp / layout.ep
    ranks = np.maximum(layout.dp * layout.cp, 1.0)
    expert_ranks = np.maximum(layout.dp * layout.cp * layout.tp / layout.ep, 1.0)
    lora = _column(job.mode == "lora", layout.tp)
    narrow = _column(job.dtype != "bf16", layout.tp)
    frozen = np.where(narrow, 1.05, WEIGHT_BYTES)
    kept = np.where(lora, frozen, WEIGHT_BYTES + (LEAN_GRADIENT_BYTES if lean else GRADIENT_BYTES))
    sharded_states = np.where(lora, 0.0, LEAN_OPTIMIZER_BYTES if lean else OPTIMIZER_BYTES)
    here = np.where(layout.sharded > 0, ranks, 1.0)
    expert_here = np.where(layout.sharded > 0, expert_ranks, 1.0)
    states = (dense + ends) * (kept / here + sharded_states / ranks)
    states = states + routed * (kept / expert_here + sharded_states / expert_ranks)
    tokens = layout.micro_batch * _column(job.seq_len, layout.tp) / layout.cp
    per_hidden = np.where(narrow, NARROW_ACTIVATION_PER_HIDDEN, ACTIVATION_PER_HIDDEN)
    # Each routed copy of a token keeps its input and about four of the expert's inner widths.
    inner = m.expert_params / (3.0 * m.hidden)
    routed_width = m.experts_active * (m.hidden + 4.0 * inner) * np.where(narrow, 1.0, 2.0)
    width = per_hidden * m.hidden + np.where(m.experts > 0, routed_width, 0.0)
    share = np.interp(layout.recompute, [r for r, _ in RECOMPUTE], [k for _, k in RECOMPUTE])
    in_flight = 1.0 + (layout.pp - 1.0) / (layout.pp * layout.virtual)
    activations = tokens * width * m.layers / layout.tp * share * in_flight
    # Logits of the last stage in 32 bits, forward and gradient, a quarter live at once with fused losses.
    logits = tokens * m.vocab * 8.0 / 4.0 / layout.tp
    result: FloatArray = states + activations + logits
    return result


def features(job: TrainingJob, layout: Layout) -> dict[str, FloatArray]:
    """Work of one micro-batch on one pipeline stage in seconds at datasheet rates, by kind. The layout's shape.

    `layers`, `expert_layers` are counts (of layers on the stage), `gradients` and `optimizer` seconds per step.
    """
    m, h = _widen(job.model, layout.tp), _widen(job.hardware, layout.tp)
    seq = _column(job.seq_len, layout.tp)
    lora = _column(job.mode == "lora", layout.tp)
    tokens = layout.micro_batch * seq / layout.cp
    passes = np.where(lora, 2.0, 3.0) + layout.recompute
    out = _matrix_features(job, m, h, layout, tokens, passes)
    out["attention"] = attention_flops(m, seq / 2.0) * tokens * (passes + 0.5) / layout.tp / layout.pp / h.bf16_flops
    active_width = (m.dense_params + m.shared_params) / np.maximum(m.layers * m.hidden * 3.0, 1.0)
    per_layer = 2.0 * (20.0 * m.hidden + 8.0 * active_width) / layout.tp
    out["traffic"] = per_layer * tokens * m.layers / layout.pp * passes / 3.0 / h.memory_bandwidth
    expert_layers = m.moe_layers / layout.pp
    routed_bytes = 2.0 * m.experts_active * 12.0 * m.hidden / layout.tp
    out["expert_traffic"] = routed_bytes * tokens * expert_layers * passes / 3.0 / h.memory_bandwidth
    # A low-rank adapter beside every matrix reads and writes that matrix's activations again.
    out["adapters"] = np.where(lora, 1.0, 0.0) * out["traffic"]
    out["layers"] = m.layers / layout.pp * np.ones_like(tokens)
    out["expert_layers"] = expert_layers * np.ones_like(tokens)
    out.update(_message_features(m, h, layout, tokens, passes, lora))
    return {name: np.broadcast_to(out[name], layout.tp.shape) for name in FEATURES}


def _matrix_features(
    job: TrainingJob, m: Architecture, h: Hardware, layout: Layout, tokens: FloatArray, passes: FloatArray
) -> dict[str, FloatArray]:
    """Matrix products at the peak of their format, and the traffic of their operands.

    A product of sizes M, N, K with b bytes an element takes b/2 (1/M + 1/N + 1/K) of a byte per FLOP.
    """
    routed = m.expert_params * m.experts_active * m.moe_layers
    blocks = m.attention_params + m.dense_params + m.shared_params
    scale = 2.0 * tokens * passes / layout.pp / layout.tp
    dtype = _column(job.dtype, layout.tp)
    out = {f"matrix_{name}": np.zeros(np.broadcast(tokens, scale).shape) for name in DTYPES}
    # The output matrix stays in 16 bits.
    out["matrix_bf16"] = scale * m.head_params / h.bf16_flops
    for name in DTYPES:
        peak = _training_peak(h, name)
        out[f"matrix_{name}"] = out[f"matrix_{name}"] + np.where(dtype == name, scale * (blocks + routed) / peak, 0.0)
    size = np.where(dtype == "bf16", 2.0, 1.0)
    width = np.maximum(m.dense_params + m.shared_params + m.attention_params, 1.0) / (3.0 * m.layers * m.hidden)
    sides = 1.0 / tokens + 1.0 / (width / layout.tp) + 1.0 / m.hidden
    traffic = blocks * sides
    expert_width = m.expert_params / (3.0 * m.hidden)
    per_expert = np.maximum(tokens * m.experts_active * layout.ep / np.maximum(m.experts, 1.0) * layout.tp, 1.0)
    expert_sides = 1.0 / per_expert + 1.0 / np.maximum(expert_width, 1.0) + 1.0 / m.hidden
    traffic = traffic + np.where(m.experts > 0, routed * expert_sides, 0.0)
    out["routed_share"] = routed / (blocks + routed) * np.ones_like(tokens)
    out["matrix_traffic"] = scale * size / 2.0 * traffic / h.memory_bandwidth
    return out


def _training_peak(h: Hardware, dtype: str) -> Any:
    """Dense peak of a matrix format in training; a format the chip lacks runs as the next wider one."""
    eight = np.where(h.fp8_flops > 0, np.maximum(h.fp8_flops, h.bf16_flops), h.bf16_flops)
    if dtype in ("fp8", "mxfp8"):
        return eight
    if dtype == "int8":
        return np.maximum(h.int8_flops, h.bf16_flops)
    if dtype == "fp4":
        return np.where(h.fp4_flops > 0, np.maximum(h.fp4_flops, eight), eight)
    return h.bf16_flops


def _message_features(
    m: Architecture, h: Hardware, layout: Layout, tokens: FloatArray, passes: FloatArray, lora: Any
) -> dict[str, FloatArray]:
    """Seconds on the links for tensor, expert, context and data parallelism, as if nothing were hidden."""
    layers, moe_layers = m.layers / layout.pp, m.moe_layers / layout.pp
    tp, ep, cp = layout.tp, layout.ep, layout.cp
    out: dict[str, FloatArray] = {}
    inside = np.where(tp <= h.scaleup_domain, h.scaleup_bandwidth, h.scaleout_bandwidth)
    # Two all-gathers and two reduce-scatters a layer and pass, 2 B an element.
    out["tensor_link"] = 4.0 * passes / 1.5 / 2.0 * 2.0 * m.hidden * tokens * layers * (tp - 1.0) / tp / inside
    # Dispatch and combine a layer, forward and backward, 2 B an element, one copy for each expert chosen.
    copy = 2.0 * m.hidden * tokens / tp * 2.0 * 2.0 * moe_layers
    domain = np.minimum(h.scaleup_domain, ep)
    groups = np.maximum(ep / np.maximum(domain, 1.0), 1.0)
    reached = groups * (1.0 - (1.0 - 1.0 / groups) ** np.maximum(m.experts_active, 1.0))
    out["expert_link"] = np.where(ep > 1, copy * m.experts_active * (1.0 - 1.0 / ep) / h.scaleup_bandwidth, 0.0)
    out["expert_network"] = copy * reached * (1.0 - 1.0 / groups) / h.scaleout_bandwidth
    ring = np.where(tp * cp <= h.scaleup_domain, h.scaleup_bandwidth, h.scaleout_bandwidth)
    kv_width = np.where(m.latent > 0, 2.0 * m.hidden, (m.kv_elements + m.window_kv_elements) / m.layers)
    out["context_link"] = 3.0 * 2.0 * kv_width * tokens * (cp - 1.0) * layers / tp / ring
    dense = (
        (m.attention_params + m.dense_params + m.shared_params + m.embedding_params + m.head_params) / layout.pp / tp
    )
    routed = m.expert_params * m.experts * m.moe_layers / layout.pp / ep
    ranks = np.maximum(layout.dp * cp, 1.0)
    expert_ranks = np.maximum(layout.dp * cp * tp / ep, 1.0)
    near = tp * ranks <= h.scaleup_domain
    wire = np.where(near, h.scaleup_bandwidth, h.scaleout_bandwidth)
    moved = dense * (1.0 - 1.0 / ranks) + routed * (1.0 - 1.0 / expert_ranks)
    # 32-bit gradients reduced and 16-bit weights gathered once a step; sharded weights gathered twice a micro-batch.
    out["gradients"] = np.where(lora, 0.0, (4.0 + 2.0) * moved / wire)
    fabric = np.where(h.scaleup_domain > 8, h.scaleup_bandwidth, wire)
    out["shard_link"] = np.where(layout.sharded > 0, np.where(lora, 4.0, 6.0) * moved / fabric, 0.0)
    states = (dense / ranks + routed / expert_ranks) * 36.0
    out["optimizer"] = np.where(lora, 0.0, states / h.memory_bandwidth)
    return out


def step_seconds(work: Mapping[str, Any], layout: Mapping[str, Any], theta: Mapping[str, Any]) -> Any:
    """Seconds of a step from `features`, pipeline numbers (`micro_batches`, `pp`, `virtual`) and fitted numbers.

    Plain arithmetic: arrays of NumPy or JAX. `theta` holds natural values: `reach_*` shares of a peak, `see_*` visible
    shares of messages, `touch_*` multiples of the counted traffic, `launch_*` seconds a layer.
    """
    stage = (
        product_seconds(work, theta)
        + work["attention"] / theta["reach_attention"]
        + theta["touch_matrix"] * work["matrix_traffic"]
        + theta["touch"] * work["traffic"]
        + theta["touch_expert"] * work["expert_traffic"]
        + theta["touch_adapter"] * work["adapters"]
        + theta["see_tensor"] * work["tensor_link"]
        + theta["see_expert"] * work["expert_link"]
        + theta["see_network"] * work["expert_network"]
        + theta["see_context"] * work["context_link"]
        + theta["see_shard"] * work["shard_link"]
        + theta["launch"] * work["layers"]
        + theta["launch_expert"] * work["expert_layers"]
    )
    passes = layout["micro_batches"] + (layout["pp"] - 1.0) / layout["virtual"]
    return passes * stage + theta["see_gradients"] * work["gradients"] + work["optimizer"]


def product_seconds(work: Mapping[str, Any], theta: Mapping[str, Any]) -> Any:
    """Seconds of all matrix products; routed experts, small and uneven, reach `grouped` of what others reach."""
    even = sum(work[f"matrix_{name}"] / theta[f"reach_{name}"] for name in DTYPES)
    return even * (1.0 + work["routed_share"] * (1.0 / theta["grouped"] - 1.0))


def pipeline(job: TrainingJob, layout: Layout) -> dict[str, FloatArray]:
    """Micro-batches a step and rank (rounded up), stages, chunks."""
    batch = _column(job.global_batch, layout.tp)
    micro_batches = np.ceil(np.maximum(batch / (layout.dp * layout.micro_batch), 1e-9) - 1e-9)
    return {"micro_batches": micro_batches, "pp": layout.pp, "virtual": layout.virtual}


def candidates(job: TrainingJob) -> Layout:
    """Every layout worth trying [n, c]; given degrees stay as given. Layouts that cannot be are marked by dp = 0."""
    grid = np.array(list(product(TENSORS, PIPELINES, CONTEXTS, EXPERTS, MICRO, (0.0, 1.0))), dtype=float)
    columns = [np.broadcast_to(grid[:, k], (len(job.chips), len(grid))) for k in range(6)]
    given = (job.tp, job.pp, job.cp, job.ep, job.micro_batch)
    fixed = []
    wanted = np.ones(columns[0].shape, dtype=bool)
    for column, value in zip(columns, given, strict=False):
        stated = ~np.isnan(value)[:, None]
        fixed.append(np.where(stated, value[:, None], column))
        # One candidate is enough for each stated degree.
        wanted &= ~stated | (column == 1.0)
    tp, pp, cp, ep, micro = fixed
    layers = job.model.layers[:, None]
    experts = job.model.experts[:, None]
    dp = np.floor(job.chips[:, None] / (tp * pp * cp) + 1e-9)
    possible = wanted & (dp >= 1) & (pp <= layers) & (dp * micro <= job.global_batch[:, None] + 1e-9)
    no_experts = np.isnan(job.ep)[:, None] & (experts == 0)
    possible &= ~no_experts | (ep == 1)
    possible &= (ep <= np.maximum(experts, 1.0)) & (ep <= dp * cp * tp)
    possible &= np.isfinite(job.cp)[:, None] | (cp == 1) | (job.seq_len[:, None] >= 8192)
    sharded = columns[5]
    possible &= (sharded == 0) | (pp == 1)
    virtual = np.where(
        np.isnan(job.virtual)[:, None], np.clip(np.floor(layers / pp / 2.0), 1.0, 5.0), job.virtual[:, None]
    )
    virtual = np.where(pp > 1, virtual, 1.0)
    return Layout(tp, pp, cp, ep, np.where(possible, dp, 0.0), micro, virtual, sharded, np.zeros_like(tp))


def choose(job: TrainingJob, theta: Mapping[str, Any]) -> tuple[Layout, FloatArray, npt.NDArray[np.bool_]]:
    """The fastest layout that fits, [n] each: layout, bytes needed, whether it fits.

    Jobs that do not fit with 32-bit gradients and moments are tried with 16-bit ones. Where none fits, the layout that
    needs the least memory. dp = 0 in the layout: no layout has as many ranks as chips.
    """
    layout, needed, fits = _choose(job, theta, lean=False)
    tight = np.flatnonzero(~fits & (layout.dp > 0))
    if len(tight):
        lean_layout, lean_needed, lean_fits = _choose(take_jobs(job, tight), theta, lean=True)
        for field in fields(Layout):
            getattr(layout, field.name)[tight] = getattr(lean_layout, field.name)
        needed[tight], fits[tight] = lean_needed, lean_fits
    return layout, needed, fits


def _choose(
    job: TrainingJob, theta: Mapping[str, Any], *, lean: bool
) -> tuple[Layout, FloatArray, npt.NDArray[np.bool_]]:
    options = candidates(job)
    usable = usable_memory(job.hardware)[:, None]
    safe = replace(options, dp=np.maximum(options.dp, 1.0))
    recompute = np.full(options.tp.shape, RECOMPUTE[-1][0])
    needed = memory_needed(job, replace(safe, recompute=recompute), lean=lean)
    for amount, _ in reversed(RECOMPUTE[:-1]):
        trial = memory_needed(job, replace(safe, recompute=np.full(options.tp.shape, amount)), lean=lean)
        recompute = np.where(trial <= usable, amount, recompute)
        needed = np.where(trial <= usable, trial, needed)
    safe = replace(safe, recompute=recompute)
    seconds = step_seconds(features(job, safe), pipeline(job, safe), theta)
    used = safe.dp * safe.tp * safe.pp * safe.cp / job.chips[:, None]
    possible = options.dp > 0
    fits = possible & (needed <= usable)
    # A layout that leaves chips idle is slower per step only through the batch it holds back: charge the idle chips.
    score = np.where(fits, seconds / np.maximum(used, 1e-9), np.inf)
    least = np.argmin(np.where(possible, needed, np.inf), axis=1)
    any_fits = fits.any(axis=1)
    pick = np.where(any_fits, np.argmin(score, axis=1), least)
    row = np.arange(len(pick))
    layout = Layout(**{f.name: np.array(getattr(safe, f.name)[row, pick]) for f in fields(Layout)})
    layout = replace(layout, dp=np.where(possible.any(axis=1), layout.dp, 0.0))
    return layout, needed[row, pick], any_fits


def take_jobs(job: TrainingJob, keep: npt.NDArray[np.int_]) -> TrainingJob:
    """Jobs `keep`."""
    plain = {f.name: getattr(job, f.name)[keep] for f in fields(TrainingJob) if f.name not in ("hardware", "model")}
    return TrainingJob(hardware=_hardware.take(job.hardware, keep), model=_architecture.take(job.model, keep), **plain)


def usable_memory(hardware: Hardware) -> Any:
    """Bytes of memory a training job can use."""
    return np.maximum(USABLE_MEMORY * np.asarray(hardware.memory_bytes) - RESERVED_BYTES, 0.0)


def training_batch(job: TrainingJob, posterior: "Posterior | None" = None) -> TrainingEstimate:
    """Step time, throughput and MFU of n jobs, layouts chosen where not given.

    Raises `InputError` for impossible numbers.
    """
    _check(job)
    posterior = posterior or shipped_posterior()
    theta = posterior.median
    layout, needed, fits = choose(job, theta)
    valid = layout.dp > 0
    safe = replace(layout, dp=np.maximum(layout.dp, 1.0))
    work, pipe = features(job, safe), pipeline(job, safe)
    offsets, unknown = posterior.offset(job)
    draws = {name: values[:, None] for name, values in posterior.draws.items()}
    drawn = np.log(step_seconds({k: v[None] for k, v in work.items()}, {k: v[None] for k, v in pipe.items()}, draws))
    drawn = drawn + offsets
    seconds = np.exp(np.median(drawn, axis=0))
    tokens = job.global_batch * job.seq_len / seconds / job.chips
    flops = tokens * model_flops(job.model, job.seq_len, job.mode)
    return TrainingEstimate(
        step_time_s=seconds, tokens_s_chip=tokens, flops_chip=flops, mfu=flops / job.hardware.bf16_flops,
        log_sd=np.sqrt(unknown + drawn.var(axis=0)), bytes_needed=needed, bytes_usable=usable_memory(job.hardware),
        fits=fits & valid, valid=valid, binds=binding(work, pipe, theta),
        bubble=1.0 - 1.0 / (1.0 + (pipe["pp"] - 1.0) / pipe["virtual"] / pipe["micro_batches"]), layout=layout,
    )  # fmt: skip


def binding(
    work: Mapping[str, FloatArray], pipe: Mapping[str, FloatArray], theta: Mapping[str, Any]
) -> npt.NDArray[np.str_]:
    """Which kind of work takes most of the step [n]: compute, memory bandwidth, link, network, overhead, bubble."""
    passes = pipe["micro_batches"]
    compute = passes * (product_seconds(work, theta) + work["attention"] / theta["reach_attention"])
    memory = passes * (
        theta["touch_matrix"] * work["matrix_traffic"] + theta["touch"] * work["traffic"]
        + theta["touch_expert"] * work["expert_traffic"] + theta["touch_adapter"] * work["adapters"]
    ) + work["optimizer"]  # fmt: skip
    link = passes * (theta["see_tensor"] * work["tensor_link"] + theta["see_expert"] * work["expert_link"])
    network = passes * (
        theta["see_network"] * work["expert_network"] + theta["see_context"] * work["context_link"]
        + theta["see_shard"] * work["shard_link"]
    ) + theta["see_gradients"] * work["gradients"]  # fmt: skip
    overhead = passes * (theta["launch"] * work["layers"] + theta["launch_expert"] * work["expert_layers"])
    bubble = (pipe["pp"] - 1.0) / pipe["virtual"] / passes * (compute + memory + link + network + overhead)
    names = np.array(["compute", "memory bandwidth", "link", "network", "overhead", "bubble"])
    chosen: npt.NDArray[np.str_] = names[
        np.argmax(np.stack([compute, memory, link, network, overhead, bubble]), axis=0)
    ]
    return chosen


@dataclass(frozen=True)
class Posterior:
    """Fitted numbers: `draws` {name: [d]}, offsets of the log step time by ecosystem, chip, model, and their spreads.

    `offsets` {"ecosystem:cuda": [d], ...} are joint with `draws`; `scales` {"ecosystem", "chip", "model", "residual"}: log
    standard deviations.
    """

    draws: Mapping[str, FloatArray]
    offsets: Mapping[str, FloatArray]
    scales: Mapping[str, float]

    @property
    def median(self) -> dict[str, float]:
        """The median of each fitted number."""
        return {name: float(np.median(values)) for name, values in self.draws.items()}

    def offset(self, job: TrainingJob) -> tuple[FloatArray, FloatArray]:
        """Draws [d, n] of the log step time's offset, and the variance [n] of what no draw knows.

        That is the residual, and for an ecosystem, chip or model never measured the spread of its kind.
        """
        count = len(next(iter(self.draws.values())))
        drawn = np.zeros((count, len(job.chips)))
        variance = np.full(len(job.chips), self.scales["residual"] ** 2)
        for kind, ids in (("ecosystem", job.hardware.ecosystem), ("chip", job.hardware.id), ("model", job.model.id)):
            for row, name in enumerate(ids):
                known = self.offsets.get(f"{kind}:{name}")
                if known is None:
                    variance[row] += (UNSEEN[kind] * self.scales[kind]) ** 2
                else:
                    drawn[:, row] += known
        return drawn, variance


@lru_cache(maxsize=1)
def shipped_posterior() -> Posterior:
    """The posterior that comes with the package."""
    text = resources.files("chipweir.perf").joinpath("data/training.json").read_text(encoding="utf-8")
    return posterior_from_json(text)


def posterior_from_json(text: str) -> Posterior:
    """A posterior from its JSON form. Raises `InputError` where something is missing."""
    try:
        record = json.loads(text)
        missing = sorted(set(FITTED) - set(record["draws"]))
        if missing:
            raise InputError(f"the training posterior lacks {', '.join(missing)}: it was fitted by another version")
        return Posterior(
            draws={name: np.asarray(values, dtype=float) for name, values in record["draws"].items()},
            offsets={name: np.asarray(values, dtype=float) for name, values in record["offsets"].items()},
            scales={name: float(sd) for name, sd in record["scales"].items()},
        )
    except InputError:
        raise
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"not a training posterior: {error!r}") from error


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


def _column(values: Any, like: FloatArray) -> Any:
    """[n] next to arrays [n, c] or [n]."""
    values = np.asarray(values)
    return values[:, None] if like.ndim == 2 and values.ndim == 1 else values


def _widen(record: Any, like: FloatArray) -> Any:
    """A stacked record whose arrays broadcast against a layout of shape [n, c]."""
    return replace(record, **{f.name: _column(getattr(record, f.name), like) for f in fields(record)})
