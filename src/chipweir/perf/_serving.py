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
from typing import Any, NamedTuple

import numpy as np

from chipweir.perf._collectives import layer_messages, stage_messages, visible
from chipweir.perf._operators import (
    OPERATORS,
    Load,
    Work,
    activation_bytes,
    cache_per_sequence,
    joined,
    pass_load,
    resident_weights,
    roofline,
)


ROUNDS = 5
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
    stage, 1 for exponential. `burst`: wait for prefills of requests that started together, relative to the count
    (`_offered.bunched`). `activation`, `shuffle`: memory traffic of activations, and of tokens on their way to experts
    and back, relative to the counts in `activation_bytes`. `mixing`: cost of prefill in a mixed batch, or of prefill
    that hands its cache over, relative to prefill alone. `accepted`: probability that a drafted token is accepted if
    the one before was. `evenness`: how evenly tokens choose experts (`touched_experts`). `reuse`: FLOPs that grouped
    products of routed experts do for every number they read again, tile by tile. `warmup`: seconds to compile and tune
    kernels for each size of batch that is new to a server. `eager`, `eager_gate`: seconds in which the host launches a
    layer, or one of routed experts, of a prefill pass.
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
    eager: Any
    eager_gate: Any


@dataclass(frozen=True)
class Case:
    """A deployment and its load, arrays [n]. Layout of a decode (or mixed) replica: `tp` x `dp` chips in each of `pp`
    pipeline stages, `replicas` of them.

    Disaggregated rows (`split` 1) have `prefill_replicas` of `prefill_tp` x `prefill_dp` chips beside. `ep`: ranks that
    routed experts are spread over (1: experts are split like other weights), `prefill_ep` those of prefill. `drafts`:
    tokens drafted a step, `gain`: tokens a step where stated, else NaN. `steady`: 1 for pure decode (no prefill on these
    chips), `static`: 1 for one batch that is read and then written. `start`: cached tokens when decoding starts;
    `fresh`: share of the prompt that no cache holds. `interval`: decode steps from one look of the scheduler at new
    requests to the next. `slots`: requests that all decode workers take at once. `bunched`: share of all present
    requests' prefills that the time to first token waits for from the common start; `once`: 1 where all requests come at
    once and no other follows; `cold`: share of the requests that meet a server whose kernels are not warm. `reserved`:
    share of an answer for which memory is set aside when its request is admitted.
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
    drafts: Any
    steady: Any
    interval: Any = 1.0
    slots: Any = np.inf
    prefill_ep: Any = 1.0
    cold: Any = 0.0
    pp: Any = 1.0
    gain: Any = np.nan
    static: Any = 0.0
    start: Any = np.nan
    fresh: Any = 1.0
    bunched: Any = 0.0
    once: Any = 0.0
    reserved: Any = 1.0

    @property
    def context(self) -> Any:
        """Cached tokens while decoding, on average."""
        return np.where(np.isnan(self.start), self.isl, self.start) + self.osl / 2.0

    @property
    def decode_chips(self) -> Any:
        """Chips that decode."""
        return self.tp * self.dp * self.pp * self.replicas


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


def tokens_a_step(e: Efficiency, c: Case) -> Any:
    """Tokens a sequence gains by a step: its own and those of the drafted ones that are accepted, one after another."""
    p = e.accepted
    fitted = (1.0 - p ** (c.drafts + 1.0)) / (1.0 - p)
    return np.where(np.isnan(c.gain), np.where(c.drafts > 0, fitted, 1.0), c.gain)


def decode_step(w: Work, e: Efficiency, batch: Any, c: Case) -> dict[str, Any]:
    """Seconds of one decode step of a replica with `batch` sequences: total and parts.

    A rank holds at least one token: batches under `dp` leave ranks idle but cost no less. With pipeline stages each
    works on its share of the sequences, and a step passes all stages one after another.
    """
    tp, dp = c.tp, c.dp
    sequences = np.maximum(batch / c.pp, dp)
    tokens = sequences * (1.0 + c.drafts)
    load = pass_load(w, tokens, sequences, c.context, tp, dp, c.ep, evenness=e.evenness)
    seconds = operator_seconds(load, w, e)
    work = sum(seconds.values()) + moving(w, e, tokens, tp, dp, c.ep)
    messages = visible(work, layer_messages(w, tokens, tp, dp, e.link, e.exchange, e.floor), dp)
    messages = messages + stage_messages(w, tokens, tp * dp, c.pp, e.floor)
    # The draft layer runs once per drafted token: that share of the whole pass.
    overhead = (w.layers * e.layer + w.moe_layers * e.gate + e.step) * (
        1.0 + c.drafts / w.layers
    ) + e.sequence * sequences / dp
    compute = sum(load.flops[n] / (w.score_rate if n == "attention_score" else w.rate) for n in OPERATORS)
    return {"total": work + messages + overhead, "work": work, "link": messages, "overhead": overhead,
            "compute": compute, "memory": sum(load.bytes.values()) / w.memory_bandwidth}  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """Layout of one prefill worker, arrays [n]: chips a layer is split over, data parallel ranks, ranks of experts,
    pipeline stages."""

    tp: Any
    dp: Any
    ep: Any = 1.0
    pp: Any = 1.0


def prefill_pass(w: Work, e: Efficiency, isl: Any, r: Reader, prompts: Any = 1.0, fresh: Any = 1.0) -> dict[str, Any]:
    """Seconds of the prefill of one prompt: `busy` when every rank has `prompts` of them in one pass (share of one),
    `alone` when only one rank has one: its attention takes as long, its feed-forward work is shared by all ranks.

    Prompts longer than `CHUNK` are read in several passes; the share 1 - `fresh` of a prompt is found in a cache.
    Pipeline stages work on one pass each.
    """
    once = _prefill_once(w, e, isl, r, 1.0, fresh)
    passes = np.ceil(isl * fresh / CHUNK)
    many = once if np.all(np.asarray(prompts) == 1.0) else _prefill_once(w, e, isl, r, prompts, fresh)
    full = joined(many.device, many.host) + e.step * passes
    # One rank's prompt waits for its own attention; feed-forward work and messages are shared by all.
    device = once.device - once.shared * (1.0 - 1.0 / r.dp)
    alone = (joined(device, once.host) + e.step * passes) * (passes + r.pp - 1.0) / passes / r.pp
    flops = once.load.flops
    compute = sum(flops[n] / (w.score_rate if n == "attention_score" else w.rate) for n in OPERATORS)
    return {"busy": full / (r.dp * prompts * r.pp), "alone": alone, "compute": compute * passes / r.dp}


class _Reading(NamedTuple):
    """All passes over one batch of prompts: load of one pass, seconds of the chip, of them feed-forward work and
    messages (which data parallel ranks share), and of the host."""

    load: Load
    device: Any
    shared: Any
    host: Any


def _prefill_once(w: Work, e: Efficiency, isl: Any, r: Reader, prompts: Any, fresh: Any) -> _Reading:
    """All passes over `prompts` prompts on each of `dp` ranks.

    The host launches kernel by kernel what decoding replays from a captured graph: the slower of host and chip sets
    the pace.
    """
    passes = np.ceil(isl * fresh / CHUNK)
    tokens, sequences = isl * fresh * r.dp * prompts / passes, r.dp * prompts
    context = isl * (1.0 - fresh / 2.0)
    load = pass_load(w, tokens, sequences, context, r.tp, r.dp, prefill=True, evenness=e.evenness)
    seconds = operator_seconds(load, w, e, prefill=True)
    work = sum(seconds.values()) + moving(w, e, tokens, r.tp, r.dp, r.ep)
    sent = layer_messages(w, tokens, r.tp, r.dp, e.link, e.exchange, e.floor)
    messages = visible(work, sent + stage_messages(w, tokens, r.tp * r.dp, r.pp, e.floor), r.dp)
    feed = seconds["routed_ffn"] + seconds["shared_ffn"] + seconds["dense_ffn"]
    host = w.layers * e.eager + w.moe_layers * e.eager_gate
    return _Reading(load, (work + messages) * passes, (feed + messages) * passes, host * passes)


def prefill_wait(alone: Any, demand: Any, think: Any, population: Any, queue: Any) -> Any:
    """Seconds a request spends at the prefill stage of a closed network of `population` requests.

    R = alone + demand q (N-1)/N Q with Q = N R / (think + R): the positive root of a quadratic in R.
    """
    excess = queue * demand * (population - 1.0)
    b = think - alone - excess
    return 0.5 * (-b + np.sqrt(b * b + 4.0 * alone * think))


def mixed_tpot(step: Any, prefill: Any, first: Any, osl: Any, others: Any) -> Any:
    """Seconds per output token when `others` requests' prefills, `prefill` seconds each, interrupt decoding.

    x (first + osl x - others prefill) = step (first + osl x), positive root: each step is stretched by the prefill
    work that
    arrives meanwhile, at the rate at which requests finish.
    """
    b = first - others * prefill - step * osl
    return (-b + np.sqrt(b * b + 4.0 * osl * step * first)) / (2.0 * osl)


def serve(w: Work, e: Efficiency, c: Case) -> Served:
    """Time per output token, time to first token and request rate of n deployments; see the module's text."""
    gain = tokens_a_step(e, c)
    limit = most_sequences(w, c)
    # Requests beyond what the memory holds wait outside; only the admitted ones share the chips.
    admitted = np.minimum(np.minimum(c.concurrency, c.slots), np.maximum(limit, 1.0) * c.replicas)
    population = admitted / c.replicas
    most = np.maximum(population, 1.0)
    start = decode_step(w, e, most, c)["total"]
    reader = Reader(c.prefill_tp, c.prefill_dp, c.prefill_ep, np.where(c.split == 0, c.pp, 1.0))
    one = prefill_pass(w, e, c.isl, reader, 1.0, c.fresh)
    prompts = prompts_a_pass(c, admitted, start, gain, one)
    prefill = prefill_pass(w, e, c.isl, reader, prompts, c.fresh)
    flowing = 1.0 - c.steady
    busy = prefill["busy"] * e.mixing * flowing
    demand = busy / np.where(c.split > 0, c.prefill_replicas, c.replicas)
    looking = (e.poll + 0.5 * (c.interval - 1.0)) * start
    # No server stands between a static batch and the chips.
    alone = (prefill["alone"] + (e.first + looking) * (1.0 - c.static)) * flowing + 1e-9
    # Who starts together waits together once; the steady rate does not know of it, but where no other requests follow
    # half of the prefills are over when the typical one starts to decode.
    alike = c.once * admitted / c.concurrency
    together = e.burst * c.bunched * demand * np.maximum(admitted - 1.0, 0.0) * np.where(c.once > 0, alike, 1.0)
    open_count = np.isinf(c.prefill_replicas)
    waiting = np.where(open_count, TYPICAL_BUSY / (1.0 - TYPICAL_BUSY), 0.0) * e.queue * busy
    batch, ttft = most + 0.0 * e.layer, alone + waiting
    others = np.where((c.split > 0) | (c.static > 0), 0.0, (most - 1.0) * (1.0 - 0.5 * alike))
    ranks = c.prefill_dp
    for _ in range(ROUNDS):
        step = decode_step(w, e, batch, c)
        pace = step["total"] / gain
        tpot = mixed_tpot(pace, busy, ttft, c.osl, others)
        ttft = prefill_wait(alone, demand, c.osl * tpot, admitted, e.queue) + waiting
        # Ranks prefill in step: who comes while others' pass runs waits for its end, half a pass on average.
        load = admitted / (ttft + c.osl * tpot) * demand * ranks
        ttft = ttft + 0.5 * (ranks - 1.0) * busy * load / (1.0 + load)
        batch = np.clip(population * c.osl * tpot / (ttft + c.osl * tpot), 1.0, most)
    # Shared chips prefill no more than they can: a round of all requests takes at least all their prefills.
    ttft = np.maximum(ttft, np.where(c.split > 0, 0.0, admitted * demand - c.osl * tpot))
    # One static batch is read as a whole before it is written as a whole.
    ttft = np.where(c.static > 0, alone + busy * (most - 1.0), ttft)
    # Batches come in all sizes up to the whole population; kernels are compiled and tuned for each power of two.
    warming = c.cold * e.warmup * (1.0 + np.log2(np.maximum(c.concurrency, 1.0)))
    ttft = np.where(c.once * (1.0 - c.split) > 0, alone + waiting, ttft)
    rate = admitted / (ttft + c.once * (together + warming) + c.osl * tpot)
    # A line that nobody joins is half as long on average as one that stays.
    ttft = ttft + together + (c.concurrency - admitted) * (1.0 - 0.5 * c.once) / rate + warming
    return Served(
        tpot=tpot, pace=pace, ttft=ttft, rate=rate, batch=batch, limit=limit, step=step["total"],
        prefill_s=prefill["busy"], busy=np.minimum(rate * demand, 1.0), compute_s=step["compute"],
        memory_s=step["memory"], link_s=step["link"], overhead_s=step["overhead"],
        prefill_compute_s=prefill["compute"],
    )  # fmt: skip


def prompts_a_pass(c: Case, admitted: Any, step: Any, gain: Any, one: dict[str, Any]) -> Any:
    """Prompts that one rank reads in one pass: those that came while it could not look (one pass, or the steps between
    two looks), at least one, and no more than fill the pass. A static batch is read in full passes."""
    workers = np.where(np.isinf(c.prefill_replicas), c.replicas, c.prefill_replicas) * c.prefill_dp
    coming = admitted / (c.osl * step / gain + one["alone"]) / workers
    away = np.maximum(one["alone"], np.where(c.split > 0, 0.0, c.interval * step))
    full = np.maximum(CHUNK / (c.isl * c.fresh), 1.0)
    return np.where(c.static > 0, np.clip(admitted / workers, 1.0, full), np.clip(coming * away, 1.0, full))


def most_sequences(w: Work, c: Case) -> Any:
    """Sequences that one replica admits: whose caches, as far as room is set aside for them, it holds beside its weights
    [n]; stages hold their own layers' alone."""
    room = USABLE * w.memory_bytes - resident_weights(w, c.tp, c.dp) / c.pp
    tokens = np.where(np.isnan(c.start), c.isl, c.start) + c.reserved * c.osl
    return np.maximum(room / cache_per_sequence(w, tokens, c.tp) * c.dp * c.pp, 0.0)


def fits(w: Work, c: Case) -> Any:
    """Whether a replica's chips hold its weights [n]."""
    return resident_weights(w, c.tp, c.dp) / c.pp <= USABLE * w.memory_bytes


def inter_token(served: Served, osl: Any) -> Any:
    """Median time between tokens: steps that carry no prefill, until prefills are so frequent that most steps do."""
    share = np.minimum(served.batch / osl, 1.0)
    return served.pace + share * (served.tpot - served.pace)
