"""Operators of one forward pass: FLOPs and bytes of each on one chip, and the roofline time they take.

Sources: 2 FLOPs per weight and token, attention 4 h d FLOPs per query and cached token (Vaswani et al. 2017; counted
as in
Narayanan et al. 2021, arXiv 2104.04473); roofline after Williams, Waterman and Patterson (2009).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from chipweir.perf import _architecture as models
from chipweir.perf._architecture import ELEMENT_BYTES, Architecture
from chipweir.perf._hardware import Hardware, compute_rate, sums_in_switch


OPERATORS = ("attention_projection", "attention_score", "dense_ffn", "shared_ffn", "routed_ffn", "head")


@dataclass(frozen=True)
class Work:
    """What n rows ask of a chip and what the chip has, gathered once; every field is an array [n] (or a float).

    Rates in FLOP/s, bandwidths in B/s, sizes in B or counts, as in `Hardware` and `Architecture`. `summing`: 1 where the
    switch of the scale-up domain adds up what passes through it; `mesh`: 1 where chips of the domain are wired pair by
    pair, so that a small group uses few of its links.
    """

    rate: Any
    score_rate: Any
    memory_bandwidth: Any
    memory_bytes: Any
    link: Any
    domain: Any
    scaleout: Any
    summing: Any
    layers: Any
    moe_layers: Any
    hidden: Any
    attention_params: Any
    attention_bytes: Any
    dense_params: Any
    dense_bytes: Any
    shared_params: Any
    shared_bytes: Any
    expert_params: Any
    expert_bytes: Any
    experts: Any
    experts_active: Any
    head_params: Any
    embedding_params: Any
    kv_heads: Any
    latent: Any
    kv_size: Any
    kv_elements: Any
    index_elements: Any
    window: Any
    window_kv_elements: Any
    state_elements: Any
    score_flops: Any
    prefill_score_flops: Any
    window_score_flops: Any
    index_flops: Any
    topk: Any
    cache_reads: Any = 1.0
    mesh: Any = 0.0


def take(work: Work, index: np.ndarray) -> Work:
    """Rows `index`."""
    return Work(**{f.name: np.asarray(getattr(work, f.name))[index] for f in fields(Work)})


def work(hardware: Hardware, model: Architecture, dtype: np.ndarray, kv_dtype: np.ndarray) -> Work:
    """`Work` of rows with chips, models and number formats given as arrays [n] of the same length."""
    size, resident, cache, rate = (np.zeros(len(dtype)) for _ in range(4))
    moe = np.asarray(model.experts) > 0
    for name, width in ELEMENT_BYTES.items():
        rows = dtype == name
        other = models.BESIDE_EXPERTS.get(name, name)
        size = np.where(rows, width, size)
        resident = np.where(rows, np.where(moe, ELEMENT_BYTES[other], width), resident)
        rate = np.where(rows, compute_rate(hardware, name), rate)
        cache = np.where(kv_dtype == name, width, cache)
    return Work(
        rate=rate, score_rate=np.asarray(hardware.bf16_flops), memory_bandwidth=hardware.memory_bandwidth,
        memory_bytes=hardware.memory_bytes, link=hardware.scaleup_bandwidth, domain=hardware.scaleup_domain,
        scaleout=hardware.scaleout_bandwidth, summing=sums_in_switch(hardware),
        layers=model.blocks, moe_layers=model.moe_layers, hidden=model.hidden,
        attention_params=model.attention_params, attention_bytes=model.attention_params * resident,
        dense_params=model.dense_params, dense_bytes=model.dense_params * resident, shared_params=model.shared_params,
        shared_bytes=model.shared_params * resident, expert_params=model.expert_params,
        expert_bytes=model.expert_params * size, experts=model.experts, experts_active=model.experts_active,
        head_params=model.head_params, embedding_params=model.embedding_params, kv_heads=model.kv_heads,
        latent=model.latent, kv_size=cache, kv_elements=model.kv_elements, index_elements=model.index_elements,
        window=model.window, window_kv_elements=model.window_kv_elements, state_elements=model.state_elements,
        score_flops=model.score_flops, prefill_score_flops=model.prefill_score_flops,
        window_score_flops=model.window_score_flops, index_flops=model.index_flops, topk=model.topk,
        cache_reads=model.cache_reads, mesh=np.where(np.atleast_1d(hardware.scaleup_topology) == "mesh", 1.0, 0.0),
    )  # fmt: skip


@dataclass(frozen=True)
class Load:
    """FLOPs and bytes of each operator on one chip for one pass, keyed by `OPERATORS`."""

    flops: dict[str, Any]
    bytes: dict[str, Any]


def busiest_rank(w: Work, touched: Any, ep: Any) -> Any:
    """Experts per layer on the rank that has most to read, times the number of ranks: at least `touched`.

    Each of `ep` ranks holds E / ep experts, each called with probability touched / E: the largest of ep binomial
    counts is
    about its mean plus sqrt(2 ln ep) standard deviations (extreme value of independent normals), and at most E / ep.
    """
    held = np.maximum(w.experts, 1e-9) / ep
    share = np.clip(touched / np.maximum(w.experts, 1e-9), 1e-9, 1.0)
    most = held * share + np.sqrt(held * share * (1.0 - share) + 1e-12) * np.sqrt(2.0 * np.log(np.maximum(ep, 1.0)))
    return np.where(w.experts > 0, np.minimum(most, held) * ep, 0.0)


def pass_load(
    w: Work,
    tokens: Any,
    sequences: Any,
    context: Any,
    tp: Any,
    dp: Any,
    ep: Any = 1.0,
    *,
    prefill: bool = False,
    evenness: Any = np.inf,
) -> Load:
    """Work of one forward pass on one of `tp * dp` chips that share a replica.

    `tokens` of all ranks together belong to `sequences` that each attend to `context` cached tokens (mean).
    Attention is
    split over `tp` chips inside each of `dp` groups; grouped keys and values split at most `kv_heads` ways and a
    latent cache not at all.
    Feed-forward weights are spread over all `tp * dp` chips; with experts spread over `ep` ranks the busiest rank
    sets the time. `evenness`: how evenly tokens choose experts (`touched_experts`).
    """
    chips = tp * dp
    split = np.where(w.latent > 0, 1.0, np.minimum(tp, w.kv_heads))
    touched = busiest_rank(w, models.touched_experts(w.experts, w.experts_active, tokens, evenness), ep)
    seen = np.minimum(context, w.topk)
    windowed = np.minimum(context, w.window)
    score = w.prefill_score_flops if prefill else w.score_flops
    cache = w.kv_elements * seen + w.index_elements * context + w.window_kv_elements * windowed
    cache = cache * w.kv_size * w.cache_reads
    return Load(
        flops={
            "attention_projection": 2.0 * w.attention_params * tokens / chips,
            "attention_score": (score * seen + w.window_score_flops * windowed + w.index_flops * context
                                + 6.0 * w.state_elements) * tokens / chips,
            "dense_ffn": 2.0 * w.dense_params * tokens / chips,
            "shared_ffn": 2.0 * w.shared_params * tokens / chips,
            "routed_ffn": 2.0 * w.expert_params * w.experts_active * w.moe_layers * tokens / chips,
            "head": 2.0 * w.head_params * (sequences if prefill else tokens) / chips,
        },
        bytes={
            "attention_projection": w.attention_bytes / tp,
            "attention_score": (cache / split + 4.0 * w.state_elements / tp) * sequences / dp,
            "dense_ffn": w.dense_bytes / chips,
            "shared_ffn": w.shared_bytes / chips,
            "routed_ffn": w.expert_bytes * w.moe_layers * touched / chips,
            "head": 2.0 * w.head_params / tp,
        },
    )  # fmt: skip


def activation_bytes(w: Work, tokens: Any, tp: Any, dp: Any, ep: Any = 1.0) -> tuple[Any, Any]:
    """Bytes of 16-bit activations that one pass writes and reads on one chip, beside weights and cache: of dense layers,
    and of tokens that are copied to routed experts and back.

    Per token and layer about 8 hidden vectors around attention (norms, residuals, projections; every tensor rank holds
    them), and in the feed-forward block its input, output and three inner vectors; routed tokens are copied to and from
    their experts. With experts spread over `ep` ranks each rank copies what its own experts get; where every chip has
    a slice of every expert, each copies all.
    """
    width = np.maximum(w.hidden, 1.0)
    around = 8.0 * w.hidden * w.layers / dp
    dense = 2.0 * w.hidden * (w.layers - w.moe_layers) + w.dense_params / width
    chips = tp * dp
    copied = 4.0 * w.hidden / np.clip(ep, 1.0, chips) + w.expert_params / width / chips
    routed = w.moe_layers * w.experts_active * copied
    return 2.0 * tokens * (around + dense / chips), 2.0 * tokens * routed


def roofline(flops: Any, bytes_: Any, rate: Any, bandwidth: Any) -> Any:
    """Seconds: compute and memory time, which overlap (`joined`), never less than the longer of the two."""
    return joined(flops / rate, bytes_ / bandwidth)


def joined(a: Any, b: Any) -> Any:
    """Seconds of two things that run beside each other: a little more than the longer, their norm of order 4 (1 would be
    no overlap, infinite perfect overlap; prior). Two squares and two roots: powers take most of the time of a search."""
    longer = np.maximum(a, b) + 1e-30
    shorter = np.minimum(a, b) / longer
    square = shorter * shorter
    return longer * np.sqrt(np.sqrt(1.0 + square * square))


def resident_weights(w: Work, tp: Any, dp: Any) -> Any:
    """Bytes of weights on one chip of a replica: attention and output matrix split over `tp`, the rest over all
    chips."""
    chips = tp * dp
    experts = w.expert_bytes * w.experts * w.moe_layers
    return (w.attention_bytes + 2.0 * (w.head_params + w.embedding_params)) / tp + (
        w.dense_bytes + w.shared_bytes + experts
    ) / chips


def cache_per_sequence(w: Work, context: Any, tp: Any) -> Any:
    """Bytes of cache one sequence of `context` tokens takes on each chip of its attention group."""
    split = np.where(w.latent > 0, 1.0, np.minimum(tp, w.kv_heads))
    held = w.kv_size * (
        (w.kv_elements + w.index_elements) * context + w.window_kv_elements * np.minimum(context, w.window)
    )
    return held / split + 4.0 * w.state_elements / tp
