"""Serving: from one forward pass to time per output token, time to first token and throughput of a whole deployment.

Closed loop: `concurrency` requests are always present, each with `isl` prompt and `osl` output tokens. Decode steps
of a
replica share its chips with the prefill of the requests that replace finished ones (aggregated), or prefill has
chips of its
own (disaggregated). Queueing for prefill follows Schweitzer's approximate mean value analysis of a closed network
(Schweitzer 1979; Bard 1979), which for one station solves as a quadratic.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from chipweir.perf._collectives import layer_messages, visible
from chipweir.perf._operators import (
    OPERATORS,
    Load,
    Work,
    activation_bytes,
    cache_per_sequence,
    namespace,
    pass_load,
    resident_weights,
    roofline,
)


ROUNDS = 5
DRAFTS = 3.0
# Prompt tokens that one pass of prefill takes together (defaults of serving software: 8,192 to 16,384).
CHUNK = 8192.0
# Prefill workers whose number is not stated are taken to be busy for this share of the time.
TYPICAL_BUSY = 0.7
# Share of memory that weights and cache may fill (serving software defaults: 0.9 to 0.95).
USABLE = 0.92


@dataclass(frozen=True)
class Efficiency:
    """How near software comes to the hardware, per row [n] or one for all.

    Shares of the peak in (0, 1]: `matmul` (decode), `prefill` (matrix products of prefill), `score`, `bandwidth`
    (activations and 16-bit weights), `packing` (times `bandwidth`, for weights as stored), `cache`, `routed` (times
    `bandwidth`, for routed experts), `grouped` (times the matrix share, for routed experts), `link` (all-reduce),
    `exchange` (tokens to experts and back). Seconds: `floor` per collective, `layer` per layer of a pass, `gate` per
    layer of routed experts, `step` per pass, `sequence` per sequence and step on the host, `first` per request before
    its first token, plus `poll` steps until the scheduler takes it up. `queue`: variability of arrivals at the prefill
    stage, 1 for exponential. `burst`: share of all present requests' prefills that one waits for because they started
    together. `activation`, `shuffle`: memory traffic of activations, and of tokens on their way to experts and back,
    relative to the counts in `activation_bytes`. `mixing`: cost of prefill in a mixed batch, or of prefill that hands
    its cache over, relative to prefill alone.
    `accepted`: extra tokens per step with multi-token prediction. `evenness`: how evenly tokens choose experts
    (`touched_experts`). `reuse`: FLOPs that grouped products of routed experts do for every number they read again, tile
    by tile. `warmup`: seconds to compile and tune kernels for each size of batch that is new to a server.
    """

    matmul: Any
    prefill: Any
    score: Any
    bandwidth: Any
    packing: Any
    cache: Any
    routed: Any
    grouped: Any
    link: Any
    exchange: Any
    floor: Any
    layer: Any
    gate: Any
    step: Any
    sequence: Any
    first: Any
    poll: Any
    queue: Any
    burst: Any
    activation: Any
    shuffle: Any
    mixing: Any
    accepted: Any
    evenness: Any
    reuse: Any
    warmup: Any


@dataclass(frozen=True)
class Case:
    """A deployment and its load, arrays [n]. Layout of a decode (or mixed) replica: `tp` x `dp` chips, `replicas` of
    them.

    Disaggregated rows (`split` 1) have `prefill_replicas` of `prefill_tp` x `prefill_dp` chips beside. `ep`: ranks that
    routed experts are spread over (1: experts are split like other weights), `prefill_ep` those of prefill. `drafting`:
    1 where multi-token prediction is on. `steady`: 1 for pure decode (no prefill on these chips). `interval`: decode
    steps from one look of the scheduler at new requests to the next. `slots`: requests that all decode workers take at
    once. `cold`: share of the requests that meet a server whose kernels are not warm.
    """

    isl: Any
    osl: Any
    concurrency: Any
    tp: Any
    dp: Any
    replicas: Any
    split: Any
    prefill_tp: Any
    prefill_dp: Any
    prefill_replicas: Any
    ep: Any
    drafting: Any
    steady: Any
    interval: Any = 1.0
    slots: Any = np.inf
    prefill_ep: Any = 1.0
    cold: Any = 0.0


@dataclass(frozen=True)
class Served:
    """Results, arrays [n]: seconds, requests/s of the deployment, and where the time of a decode step goes.

    `tpot`: mean time per output token; `pace`: the same between prefills (what a median inter-token latency shows).
    `batch`: sequences decoding on one replica. `limit`: the most that fit its memory. `prefill_s`: chip time of one
    request's prefill on
    one replica. `busy`: share of time the prefill stage works. `compute_s`, `memory_s`, `link_s`, `overhead_s` of
    one decode step.
    """

    tpot: Any
    pace: Any
    ttft: Any
    rate: Any
    batch: Any
    limit: Any
    step: Any
    prefill_s: Any
    busy: Any
    compute_s: Any
    memory_s: Any
    link_s: Any
    overhead_s: Any
    prefill_compute_s: Any


def take(record: Any, index: np.ndarray) -> Any:
    """Rows `index` of any dataclass of arrays."""
    columns = {f.name: np.asarray(getattr(record, f.name)) for f in fields(record)}
    return type(record)(**{name: values[index] if values.ndim else values for name, values in columns.items()})


def operator_seconds(load: Load, w: Work, e: Efficiency, *, prefill: bool = False) -> dict[str, Any]:
    """Seconds of each operator on one chip."""
    seconds = {}
    share = e.prefill if prefill else e.matmul
    width = w.expert_bytes / np.maximum(w.expert_params, 1.0)
    for name in OPERATORS:
        rate, bandwidth = share * w.rate, e.bandwidth * w.memory_bandwidth
        if name == "attention_score":
            rate, bandwidth = e.score * w.score_rate, e.cache * w.memory_bandwidth
        elif name != "head":  # the output matrix stays in 16 bits
            bandwidth = bandwidth * e.packing
        if name == "routed_ffn":
            rate, bandwidth = rate * e.grouped, bandwidth * e.routed
        again = load.flops[name] / e.reuse * width if name == "routed_ffn" else 0.0
        seconds[name] = roofline(load.flops[name], load.bytes[name] + again, rate, bandwidth)
    return seconds


def moving(w: Work, e: Efficiency, tokens: Any, tp: Any, dp: Any, ep: Any = 1.0) -> Any:
    """Seconds to write and read the activations of one pass on one chip."""
    dense, routed = activation_bytes(w, tokens, tp, dp, ep)
    return (e.activation * dense + e.shuffle * routed) / (e.bandwidth * w.memory_bandwidth)


def decode_step(
    w: Work, e: Efficiency, batch: Any, context: Any, tp: Any, dp: Any, drafting: Any, ep: Any = 1.0
) -> dict[str, Any]:
    """Seconds of one decode step of a replica with `batch` sequences: total and parts.

    A rank holds at least one token: batches under `dp` leave ranks idle but cost no less.
    """
    xp = namespace(batch, e.layer)
    sequences = xp.maximum(batch, dp)
    tokens = sequences * (1.0 + DRAFTS * drafting)
    load = pass_load(w, tokens, sequences, context, tp, dp, ep, evenness=e.evenness)
    seconds = operator_seconds(load, w, e)
    work = sum(seconds.values()) + moving(w, e, tokens, tp, dp, ep)
    messages = visible(work, layer_messages(w, tokens, tp, dp, e.link, e.exchange, e.floor), dp)
    # The draft layer runs once per drafted token: that share of the whole pass.
    overhead = (w.layers * e.layer + w.moe_layers * e.gate + e.step) * (
        1.0 + DRAFTS * drafting / w.layers
    ) + e.sequence * sequences / dp
    compute = sum(load.flops[n] / (w.score_rate if n == "attention_score" else w.rate) for n in OPERATORS)
    return {"total": work + messages + overhead, "work": work, "link": messages, "overhead": overhead,
            "compute": compute, "memory": sum(load.bytes.values()) / w.memory_bandwidth}  # fmt: skip


def prefill_pass(
    w: Work, e: Efficiency, isl: Any, tp: Any, dp: Any, prompts: Any = 1.0, ep: Any = 1.0
) -> dict[str, Any]:
    """Seconds of the prefill of one prompt: `busy` when every rank has `prompts` of them in one pass (share of one),
    `alone` when only one rank has one: its attention takes as long, its feed-forward work is shared by all ranks."""
    rooms, together, seconds, messages = _prefill_once(w, e, isl, tp, dp, 1.0, ep)
    full = together if np.all(np.asarray(prompts) == 1.0) else _prefill_once(w, e, isl, tp, dp, prompts, ep)[1]
    feed = seconds["routed_ffn"] + seconds["shared_ffn"] + seconds["dense_ffn"]
    alone = together - (feed + messages) * (1.0 - 1.0 / dp)
    compute = sum(rooms.flops[n] / (w.score_rate if n == "attention_score" else w.rate) for n in OPERATORS)
    return {"busy": full / (dp * prompts), "alone": alone, "compute": compute / dp}


def _prefill_once(
    w: Work, e: Efficiency, isl: Any, tp: Any, dp: Any, prompts: Any, ep: Any
) -> tuple[Load, Any, dict[str, Any], Any]:
    """One pass over `prompts` prompts on each of `dp` ranks: its load, seconds, and seconds by operator and message."""
    tokens, sequences = isl * dp * prompts, dp * prompts
    load = pass_load(w, tokens, sequences, isl / 2.0, tp, dp, prefill=True, evenness=e.evenness)
    seconds = operator_seconds(load, w, e, prefill=True)
    overhead = w.layers * e.layer + w.moe_layers * e.gate + e.step
    work = sum(seconds.values()) + moving(w, e, tokens, tp, dp, ep)
    messages = visible(work, layer_messages(w, tokens, tp, dp, e.link, e.exchange, e.floor), dp)
    return load, work + messages + overhead, seconds, messages


def prefill_wait(alone: Any, demand: Any, think: Any, population: Any, queue: Any) -> Any:
    """Seconds a request spends at the prefill stage of a closed network of `population` requests.

    R = alone + demand q (N-1)/N Q with Q = N R / (think + R): the positive root of a quadratic in R.
    """
    xp = namespace(alone, think, queue)
    excess = queue * demand * (population - 1.0)
    b = think - alone - excess
    return 0.5 * (-b + xp.sqrt(b * b + 4.0 * alone * think))


def mixed_tpot(step: Any, prefill: Any, first: Any, osl: Any, others: Any) -> Any:
    """Seconds per output token when `others` requests' prefills, `prefill` seconds each, interrupt decoding.

    x (first + osl x - others prefill) = step (first + osl x), positive root: each step is stretched by the prefill
    work that
    arrives meanwhile, at the rate at which requests finish.
    """
    xp = namespace(step, prefill, first)
    b = first - others * prefill - step * osl
    return (-b + xp.sqrt(b * b + 4.0 * osl * step * first)) / (2.0 * osl)


def serve(w: Work, e: Efficiency, c: Case) -> Served:
    """Time per output token, time to first token and request rate of n deployments; see the module's text."""
    xp = namespace(e.layer, e.matmul)
    context = c.isl + c.osl / 2.0
    gain = 1.0 + e.accepted * c.drafting
    room = USABLE * w.memory_bytes - resident_weights(w, c.tp, c.dp)
    limit = np.maximum(room / cache_per_sequence(w, c.isl + c.osl, c.tp) * c.dp, 0.0)
    # Requests beyond what the memory holds wait outside; only the admitted ones share the chips.
    admitted = np.minimum(np.minimum(c.concurrency, c.slots), np.maximum(limit, 1.0) * c.replicas)
    population = admitted / c.replicas
    workers = np.where(np.isinf(c.prefill_replicas), c.replicas, c.prefill_replicas)
    crowd = admitted / (workers * c.prefill_dp)
    prompts = np.clip(CHUNK / c.isl, 1.0, np.maximum(crowd / 2.0, 1.0))
    prefill = prefill_pass(w, e, c.isl, c.prefill_tp, c.prefill_dp, prompts, c.prefill_ep)
    most = np.maximum(population, 1.0)
    flowing = 1.0 - c.steady
    busy = prefill["busy"] * e.mixing * flowing
    demand = busy / xp.where(c.split > 0, c.prefill_replicas, c.replicas)
    start = decode_step(w, e, most, context, c.tp, c.dp, c.drafting, c.ep)["total"]
    looking = (e.poll + 0.5 * (c.interval - 1.0)) * start
    alone = (prefill["alone"] + e.first + looking) * flowing + 1e-9
    # Who starts together waits together once; the steady rate does not know of it.
    together = e.burst * demand * np.maximum(admitted - 1.0, 0.0)
    open_count = np.isinf(c.prefill_replicas)
    waiting = np.where(open_count, TYPICAL_BUSY / (1.0 - TYPICAL_BUSY), 0.0) * e.queue * busy
    batch, ttft = most + 0.0 * e.layer, alone + waiting
    others = xp.where(c.split > 0, 0.0, most - 1.0)
    ranks = c.prefill_dp
    for _ in range(ROUNDS):
        step = decode_step(w, e, batch, context, c.tp, c.dp, c.drafting, c.ep)
        pace = step["total"] / gain
        tpot = mixed_tpot(pace, busy, ttft, c.osl, others)
        ttft = prefill_wait(alone, demand, c.osl * tpot, admitted, e.queue) + waiting
        # Ranks prefill in step: who comes while others' pass runs waits for its end, half a pass on average.
        load = admitted / (ttft + c.osl * tpot) * demand * ranks
        ttft = ttft + 0.5 * (ranks - 1.0) * busy * load / (1.0 + load)
        batch = xp.clip(population * c.osl * tpot / (ttft + c.osl * tpot), 1.0, most)
    # Shared chips prefill no more than they can: a round of all requests takes at least all their prefills.
    ttft = xp.maximum(ttft, xp.where(c.split > 0, 0.0, admitted * demand - c.osl * tpot))
    rate = admitted / (ttft + c.osl * tpot)
    # Batches come in all sizes up to the whole population; kernels are compiled and tuned for each power of two.
    sizes = 1.0 + np.log2(np.maximum(c.concurrency, 1.0))
    ttft = ttft + together + (c.concurrency - admitted) / rate + c.cold * e.warmup * sizes
    return Served(
        tpot=tpot, pace=pace, ttft=ttft, rate=rate, batch=batch, limit=limit, step=step["total"],
        prefill_s=prefill["busy"], busy=xp.minimum(rate * demand, 1.0), compute_s=step["compute"],
        memory_s=step["memory"], link_s=step["link"], overhead_s=step["overhead"],
        prefill_compute_s=prefill["compute"],
    )  # fmt: skip


def look_interval(framework: str, generation: str, *, data: bool, split: bool, concurrency: float) -> float:
    """Decode steps from one look at the queue of new requests to the next, by the published recipes of the software.

    SGLang's on Blackwell look every 10 steps, from 16 requests on every 30 (`--scheduler-recv-interval`); TensorRT-LLM
    with attention data parallelism holds requests back up to 60 steps to balance its ranks (`timeout_iters`). Prefill
    workers of their own do not wait for decode steps.
    """
    if split:
        return 1.0
    if framework == "sglang" and generation == "blackwell":
        return 30.0 if concurrency >= 16 else 10.0
    return 60.0 if framework == "trt" and data else 1.0


def inter_token(served: Served, osl: Any) -> Any:
    """Median time between tokens: steps that carry no prefill, until prefills are so frequent that most steps do."""
    share = namespace(served.batch).minimum(served.batch / osl, 1.0)
    return served.pace + share * (served.tpot - served.pace)
