"""Training: what one step of a layout asks of a chip, in seconds at datasheet rates, and the bytes it holds.

Everything here works on arrays [n] of jobs with one complete layout each. `terms` gathers what depends on the job alone,
`memory` and `features` add the layout, `step_seconds` weighs the parts with the fitted numbers.

Sources: activation memory and recomputation, Korthikanti et al. 2022 (arXiv 2205.05198); 1F1B and interleaved
pipelines, Narayanan et al. 2021 (arXiv 2104.04473); sharded states, Rajbhandari et al. 2020 (arXiv 1910.02054);
experts of a token spread over at most four groups of chips, DeepSeek-V3 (arXiv 2412.19437), section 3.2.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

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
# FLOPs of a linear layer for each element of its state and token: update, decay and read-out.
STATE_FLOPS = 6.0
# Groups of chips that hold the experts of one token, at most, where routing is limited by node.
MOST_GROUPS = 4.0


@dataclass(frozen=True)
class TrainingJob:
    """n training jobs; every field an array [n] (hardware and model stacked). NaN in a layout field: to be chosen.

    `chips`; `tp`, `pp`, `cp`, `ep` parallel degrees; `micro_batch` sequences; `virtual` pipeline chunks per stage;
    `global_batch` sequences a step; `seq_len` tokens; `dtype` one of `DTYPES`; `mode` one of `MODES`; `age` years by
    which the software precedes the middle of 2026. `sharded`: 1 where weights are sharded over data-parallel ranks, 0
    where not; `recompute`: the least place in `RECOMPUTE` that was run; NaN: not stated. `stack`: the software's family.
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
    age: Any = 0.0
    sharded: Any = np.nan
    recompute: Any = np.nan
    stack: Any = "other"


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
class Terms:
    """What depends on the job and not on the layout, arrays [n]: numbers of the job, the chip (SI units) and the model.

    `peak`: FLOP/s in the job's format, `place`: its position in `DTYPES`, `size`: bytes of its elements. `blocks`,
    `ends`, `routed`: parameters of attention and feed-forward, of embedding and output, of all routed experts;
    `routed_active`: routed parameters one token multiplies; `score`: attention FLOPs forward of one token.
    """

    chips: Any
    batch: Any
    seq_len: Any
    lora: Any
    narrow: Any
    place: Any
    size: Any
    age: Any
    strain: Any
    bf16: Any
    peak: Any
    bandwidth: Any
    scaleup: Any
    scaleout: Any
    domain: Any
    usable: Any
    hidden: Any
    layers: Any
    moe_layers: Any
    experts: Any
    active: Any
    vocab: Any
    blocks: Any
    ends: Any
    head: Any
    routed: Any
    routed_active: Any
    block_width: Any
    inner_width: Any
    expert_hidden: Any
    expert_width: Any
    kv_width: Any
    kept_width: Any
    score: Any
    state: Any
    sharded: Any
    recompute: Any


TERMS = tuple(f.name for f in fields(Terms))
# Seconds at datasheet rates for one micro-batch on one stage unless said otherwise; see `features`.
FEATURES = (
    "matrix", "head", "place", "attention", "scan", "matrix_traffic", "grouped_traffic", "traffic", "routed_share",
    "expert_traffic", "adapters", "tensor_link", "expert_link", "expert_network", "context_link", "shard_link",
    "layers", "expert_layers", "gradients", "optimizer", "age", "strain",
)  # fmt: skip
# Names of the fitted numbers; their priors stand with the fit.
FITTED = (
    *(f"reach_{name}" for name in (*DTYPES, "attention", "scan")), "grouped", "touch_matrix", "touch_grouped", "touch",
    "touch_expert", "touch_adapter", "see_tensor", "see_expert", "see_network", "see_context", "see_shard",
    "see_gradients", "launch", "launch_expert", "stale", "throttle",
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
        + STATE_FLOPS * model.state_elements
    )


def usable_memory(hardware: Hardware) -> Any:
    """Bytes of memory a training job can use."""
    return np.maximum(USABLE_MEMORY * np.asarray(hardware.memory_bytes) - RESERVED_BYTES, 0.0)


def training_peak(h: Hardware, dtype: str) -> Any:
    """Dense peak of a matrix format in training; a format the chip lacks runs as the next wider one."""
    eight = np.where(h.fp8_flops > 0, np.maximum(h.fp8_flops, h.bf16_flops), h.bf16_flops)
    if dtype in ("fp8", "mxfp8"):
        return eight
    if dtype == "int8":
        return np.maximum(h.int8_flops, h.bf16_flops)
    if dtype == "fp4":
        return np.where(h.fp4_flops > 0, np.maximum(h.fp4_flops, eight), eight)
    return h.bf16_flops


def terms(job: TrainingJob) -> Terms:
    """`Terms` [n] of n jobs."""
    h, m = job.hardware, job.model
    count = len(job.chips)
    narrow = job.dtype != "bf16"
    place = np.zeros(count)
    peak = np.zeros(count)
    for at, name in enumerate(DTYPES):
        here = job.dtype == name
        place[here] = at
        if here.any():
            peak = np.where(here, training_peak(h, name), peak)
    blocks = m.attention_params + m.dense_params + m.shared_params
    per_width = 3.0 * m.layers * m.hidden
    expert_width = m.expert_params / (3.0 * np.maximum(m.expert_hidden, 1.0))
    # Each routed copy of a token keeps its input and about four of the expert's inner widths.
    copies = m.experts_active * (m.expert_hidden + 4.0 * expert_width) * np.where(narrow, 1.0, 2.0)
    per_hidden = np.where(narrow, NARROW_ACTIVATION_PER_HIDDEN, ACTIVATION_PER_HIDDEN)
    numbers = Terms(
        chips=job.chips, batch=job.global_batch, seq_len=job.seq_len, lora=job.mode == "lora", narrow=narrow,
        place=place, size=np.where(narrow, 1.0, 2.0), age=np.broadcast_to(job.age, count),
        strain=h.bf16_flops / 1e12 / h.tdp_w, bf16=h.bf16_flops, peak=peak,
        bandwidth=h.memory_bandwidth, scaleup=h.scaleup_bandwidth, scaleout=h.scaleout_bandwidth,
        domain=h.scaleup_domain, usable=usable_memory(h), hidden=m.hidden, layers=m.layers, moe_layers=m.moe_layers,
        experts=m.experts, active=m.experts_active, vocab=m.vocab, blocks=blocks,
        ends=m.embedding_params + m.head_params, head=m.head_params, routed=m.expert_params * m.experts * m.moe_layers,
        routed_active=m.expert_params * m.experts_active * m.moe_layers,
        block_width=np.maximum(blocks, 1.0) / per_width,
        inner_width=(m.dense_params + m.shared_params) / np.maximum(per_width, 1.0), expert_hidden=m.expert_hidden,
        expert_width=expert_width,
        kv_width=np.where(m.latent > 0, 2.0 * m.hidden, (m.kv_elements + m.window_kv_elements) / m.layers),
        kept_width=per_hidden * m.hidden + np.where(m.experts > 0, copies, 0.0),
        score=attention_flops(m, job.seq_len / 2.0) - STATE_FLOPS * m.state_elements, state=m.state_elements,
        sharded=np.broadcast_to(job.sharded, count), recompute=np.broadcast_to(job.recompute, count),
    )  # fmt: skip
    return Terms(*np.array([np.asarray(getattr(numbers, name), dtype=float) for name in TERMS]))


def take_terms(t: Terms, index: npt.NDArray[np.int_]) -> Terms:
    """Rows `index`."""
    return Terms(*(getattr(t, name)[index] for name in TERMS))


def take_jobs(job: TrainingJob, keep: npt.NDArray[np.int_]) -> TrainingJob:
    """Jobs `keep`."""
    plain = {
        f.name: np.broadcast_to(getattr(job, f.name), len(job.chips))[keep]
        for f in fields(TrainingJob)
        if f.name not in ("hardware", "model")
    }
    return TrainingJob(hardware=_hardware.take(job.hardware, keep), model=_architecture.take(job.model, keep), **plain)


def memory(t: Terms, layout: Layout, *, lean: bool = False) -> tuple[FloatArray, FloatArray]:
    """Bytes on the fullest chip: what stays whatever is recomputed, and activations with nothing recomputed.

    `lean`: gradients and moments in 16 bits.
    """
    dense = t.blocks / layout.pp / layout.tp + t.ends / layout.tp / np.where(layout.pp > 1, 2.0, 1.0)
    routed = t.routed / layout.pp / layout.ep
    ranks = np.maximum(layout.dp * layout.cp, 1.0)
    expert_ranks = np.maximum(ranks * layout.tp / layout.ep, 1.0)
    lora = t.lora > 0
    frozen = np.where(t.narrow > 0, 1.05, WEIGHT_BYTES)
    kept = np.where(lora, frozen, WEIGHT_BYTES + (LEAN_GRADIENT_BYTES if lean else GRADIENT_BYTES))
    spread = np.where(lora, 0.0, LEAN_OPTIMIZER_BYTES if lean else OPTIMIZER_BYTES)
    sharded = layout.sharded > 0
    states = dense * (kept / np.where(sharded, ranks, 1.0) + spread / ranks)
    states = states + routed * (kept / np.where(sharded, expert_ranks, 1.0) + spread / expert_ranks)
    tokens = layout.micro_batch * t.seq_len / layout.cp
    in_flight = 1.0 + (layout.pp - 1.0) / (layout.pp * layout.virtual)
    activations = tokens * t.kept_width * t.layers / layout.tp * in_flight
    # Logits of the last stage in 32 bits, forward and gradient, a quarter live at once with fused losses.
    logits = tokens * t.vocab * 8.0 / 4.0 / layout.tp
    return states + logits, activations


def features(t: Terms, layout: Layout) -> dict[str, FloatArray]:
    """Work [n] of one micro-batch on one pipeline stage in seconds at datasheet rates, by kind.

    `layers`, `expert_layers` are counts (of layers on the stage), `gradients` and `optimizer` seconds per step, `place`
    the position of the format in `DTYPES`, `age` years, `strain` dense 16-bit TFLOP/s per W of the chip's power limit.
    """
    lora = t.lora > 0
    tokens = layout.micro_batch * t.seq_len / layout.cp
    passes = np.where(lora, 2.0, 3.0) + layout.recompute
    out = _matrix_features(t, layout, tokens, passes)
    out["attention"] = t.score * tokens * (passes + 0.5) / layout.tp / layout.pp / t.bf16
    out["scan"] = STATE_FLOPS * t.state * tokens * (passes + 0.5) / layout.tp / layout.pp / t.bf16
    moved = tokens * passes / 3.0 / t.bandwidth / layout.tp / layout.pp
    out["traffic"] = 2.0 * (20.0 * t.hidden + 8.0 * t.inner_width) * t.layers * moved
    out["expert_traffic"] = 2.0 * t.active * 12.0 * t.expert_hidden * t.moe_layers * moved
    # A low-rank adapter beside every matrix reads and writes that matrix's activations again.
    out["adapters"] = np.where(lora, out["traffic"], 0.0)
    out["layers"] = t.layers / layout.pp
    out["expert_layers"] = t.moe_layers / layout.pp
    out["age"], out["place"], out["strain"] = t.age, t.place, t.strain
    _add_messages(out, t, layout, tokens, passes)
    return out


def _matrix_features(t: Terms, layout: Layout, tokens: FloatArray, passes: FloatArray) -> dict[str, FloatArray]:
    """Matrix products at the peak of their format, and the traffic of their operands.

    A product of sizes M, N, K with b bytes an element takes b/2 (1/M + 1/N + 1/K) of a byte per FLOP.
    """
    scale = 2.0 * tokens * passes / layout.pp / layout.tp
    per_expert = tokens * t.active * layout.ep / np.maximum(t.experts, 1.0) * layout.tp
    sides = 1.0 / tokens + layout.tp / t.block_width + 1.0 / t.hidden
    expert_sides = (
        1.0 / np.maximum(per_expert, 1.0)
        + 1.0 / np.maximum(t.expert_width, 1.0)
        + 1.0 / np.maximum(t.expert_hidden, 1.0)
    )
    bytes_moved = scale * t.size / 2.0 / t.bandwidth
    return {
        # The output matrix stays in 16 bits.
        "head": scale * t.head / t.bf16,
        "matrix": scale * (t.blocks + t.routed_active) / t.peak,
        "routed_share": t.routed_active / (t.blocks + t.routed_active),
        "matrix_traffic": bytes_moved * t.blocks * sides,
        "grouped_traffic": bytes_moved * t.routed_active * expert_sides,
    }


def _add_messages(out: dict[str, FloatArray], t: Terms, layout: Layout, tokens: FloatArray, passes: FloatArray) -> None:
    """Seconds on the links for tensor, expert, context and data parallelism, as if nothing were hidden."""
    lora = t.lora > 0
    layers, moe_layers = t.layers / layout.pp, t.moe_layers / layout.pp
    tp, ep, cp = layout.tp, layout.ep, layout.cp
    inside = np.where(tp <= t.domain, t.scaleup, t.scaleout)
    # Two all-gathers and two reduce-scatters a layer and pass, 2 B an element.
    out["tensor_link"] = 4.0 * passes / 1.5 * t.hidden * tokens * layers * (tp - 1.0) / tp / inside
    # Dispatch and combine a layer, forward and backward, 2 B an element, one copy for each expert chosen.
    copy = 8.0 * t.expert_hidden * tokens / tp * moe_layers
    groups = np.maximum(ep / np.maximum(np.minimum(t.domain, ep), 1.0), 1.0)
    reached = np.minimum(groups * (1.0 - (1.0 - 1.0 / groups) ** np.maximum(t.active, 1.0)), MOST_GROUPS)
    out["expert_link"] = np.where(ep > 1, copy * t.active * (1.0 - 1.0 / ep) / t.scaleup, 0.0)
    out["expert_network"] = copy * reached * (1.0 - 1.0 / groups) / t.scaleout
    ring = np.where(tp * cp <= t.domain, t.scaleup, t.scaleout)
    out["context_link"] = 6.0 * t.kv_width * tokens * (cp - 1.0) * layers / tp / ring
    dense = (t.blocks + t.ends) / layout.pp / tp
    routed = t.routed / layout.pp / ep
    ranks = np.maximum(layout.dp * cp, 1.0)
    expert_ranks = np.maximum(ranks * tp / ep, 1.0)
    wire = np.where(tp * ranks <= t.domain, t.scaleup, t.scaleout)
    moved = dense * (1.0 - 1.0 / ranks) + routed * (1.0 - 1.0 / expert_ranks)
    # 32-bit gradients reduced and 16-bit weights gathered once a step; sharded weights gathered twice a micro-batch.
    out["gradients"] = np.where(lora, 0.0, 6.0 * moved / wire)
    fabric = np.where(t.domain > 8, t.scaleup, wire)
    out["shard_link"] = np.where(layout.sharded > 0, np.where(lora, 4.0, 6.0) * moved / fabric, 0.0)
    out["optimizer"] = np.where(lora, 0.0, 36.0 * (dense / ranks + routed / expert_ranks) / t.bandwidth)


def pipeline(t: Terms, layout: Layout) -> FloatArray:
    """Stage times a step takes [n]: micro-batches of a rank (rounded up) and the bubble."""
    return micro_batches(t, layout) + (layout.pp - 1.0) / layout.virtual


def micro_batches(t: Terms, layout: Layout) -> FloatArray:
    """Micro-batches a step and rank, rounded up [n]."""
    count: FloatArray = np.ceil(np.maximum(t.batch / (layout.dp * layout.micro_batch), 1e-9) - 1e-9)
    return count


def step_seconds(work: Mapping[str, Any], stages: Any, theta: Mapping[str, Any]) -> Any:
    """Seconds of a step [n] from `features` [n], stage times a step `stages` [n] (`pipeline`) and the fitted numbers.

    `theta` holds natural values, numbers or draws [d] (then [d, n] comes back): `reach_*` shares of a
    peak, `see_*` visible shares of messages, `touch_*` multiples of the counted traffic, `launch_*` seconds a layer,
    `stale` the growth of routed experts' costs per year of `age`; `throttle` how much longer products take per TFLOP/s
    that a chip promises for a watt, since its clock falls when all units work.
    """
    parts = stage_parts(work, theta)
    local = sum(parts[name] for name in parts if name != "network")
    # The exchange between nodes runs beside computation: the longer of the two counts, softly (2-norm).
    stage = (local**2 + parts["network"] ** 2) ** 0.5
    return stages * stage + _wide(theta["see_gradients"]) * work["gradients"] + work["optimizer"]


def stage_parts(work: Mapping[str, Any], theta: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds of one micro-batch on one stage by what it waits for: compute, memory, link, network, overhead."""
    t = {name: _wide(value) for name, value in theta.items()}
    stale = 1.0 + t["stale"] * work["age"]
    clock = 1.0 + t["throttle"] * work["strain"]
    even = work["matrix"] / _reach(theta, work["place"]) + work["head"] / t["reach_bf16"]
    return {
        "compute": clock * even * (1.0 + work["routed_share"] * (1.0 / t["grouped"] - 1.0))
        + work["attention"] / t["reach_attention"] + work["scan"] / t["reach_scan"],
        "memory": t["touch_matrix"] * work["matrix_traffic"] + t["touch"] * work["traffic"]
        + t["touch_adapter"] * work["adapters"]
        + stale * (t["touch_grouped"] * work["grouped_traffic"] + t["touch_expert"] * work["expert_traffic"]),
        "link": t["see_tensor"] * work["tensor_link"] + stale * t["see_expert"] * work["expert_link"]
        + t["see_context"] * work["context_link"] + t["see_shard"] * work["shard_link"],
        "overhead": t["launch"] * work["layers"] + stale * t["launch_expert"] * work["expert_layers"],
        "network": t["see_network"] * work["expert_network"],
    }  # fmt: skip


def _reach(theta: Mapping[str, Any], place: Any) -> Any:
    """Share of the peak reached in each row's format, [n] or [d, n]."""
    columns = [theta[f"reach_{name}"] for name in DTYPES]
    stacked = np.stack(columns, axis=-1)
    return stacked[..., np.asarray(place, dtype=int)]


def _wide(value: Any) -> Any:
    """Draws [d] as [d, 1]; a number as it is."""
    return value[..., None] if getattr(value, "ndim", 0) else value
