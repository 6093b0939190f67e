"""What a language model asks of hardware: parameters by kind, attention by kind, cache by token, as plain numbers.

An `Architecture` holds floats for one model or arrays [n] for n of them (`stack`). Functions take either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chipweir.errors import InputError


if TYPE_CHECKING:
    from chipweir.facts import Facts, LanguageModel

# Bytes per stored element, block scales included: one FP32 scale per 128x128 block (FP8, negligible), one FP8 scale
# per 16
# elements (NVFP4: 0.5 + 1/16), one FP16 scale and zero point per 128 (INT4).
ELEMENT_BYTES = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5625, "int4": 0.53, "w4a8": 0.53, "w8a16": 1.0}
# 4-bit checkpoints of expert models keep attention and shared layers wider.
BESIDE_EXPERTS = {"fp4": "fp8", "int4": "bf16", "w4a8": "int8"}


@dataclass(frozen=True)
class Architecture:
    """One language model (floats) or n of them (arrays [n]). Counts of parameters are for the whole model.

    `blocks`: pairs of attention (or state) and feed-forward that a pass goes through; fewer than `layers` where
    each is counted as a layer of its own. `attention_params`: projections of all layers; `dense_params`: feed-
    forward of dense layers; `expert_params`: ONE routed expert in ONE layer, whose input is `expert_hidden` wide;
    `shared_params`: shared experts and routers of all MoE layers; `embedding_params`: input embedding;
    `head_params`: output matrix. `kv_elements`: cached elements per token over all layers with a full cache;
    `window_kv_elements`: the same for layers that keep only `window` tokens; `state_elements`: size of the state of
    linear layers, per sequence. `cache_reads`: times that what is cached is read for one token (layers may share a
    cache). `score_flops`: attention FLOPs per query token per cached token over the full
    layers in decode, `prefill_score_flops` in prefill (MLA decodes in the latent space); `window_score_flops` for
    window layers; `topk`: cached tokens a query really reads (infinite without sparse attention); `index_flops`,
    `index_elements`: the selector's work and cache per cached token. `doubt`: what speaks against the counts, "" where
    a published total confirms them.
    """

    id: Any
    name: Any
    kind: Any
    layers: Any
    blocks: Any
    moe_layers: Any
    hidden: Any
    vocab: Any
    attention_params: Any
    dense_params: Any
    expert_params: Any
    experts: Any
    experts_active: Any
    shared_params: Any
    embedding_params: Any
    head_params: Any
    kv_elements: Any
    kv_heads: Any
    latent: Any
    window: Any
    window_kv_elements: Any
    state_elements: Any
    score_flops: Any
    prefill_score_flops: Any
    window_score_flops: Any
    topk: Any
    index_flops: Any
    index_elements: Any
    mtp_layers: Any
    total_params: Any
    active_params: Any
    context: Any
    native_dtype: Any
    release: Any
    expert_hidden: Any = 0.0
    cache_reads: Any = 1.0
    doubt: Any = ""


TEXT = {"id", "name", "kind", "native_dtype", "release", "doubt"}
NUMBERS = tuple(f.name for f in fields(Architecture) if f.name not in TEXT)


def stack(models: Sequence[Architecture]) -> Architecture:
    """The same fields as arrays [n], in the order given."""
    return Architecture(
        **{
            f.name: np.array([getattr(m, f.name) for m in models], dtype=object if f.name in TEXT else float)
            for f in fields(Architecture)
        }
    )


def take(models: Architecture, index: np.ndarray) -> Architecture:
    """Rows `index` of a stacked `Architecture`."""
    return Architecture(**{f.name: getattr(models, f.name)[index] for f in fields(Architecture)})


def architecture(model: str, *, facts: Facts | None = None) -> Architecture:
    """The architecture of a model: one known to the facts room, in any spelling that checkpoints have, or a
    `config.json` of the user's own (a path). Raises `UnknownName` with the nearest names, `InputError` with the reason
    where a model's numbers are not published."""
    from chipweir import facts as room
    from chipweir.perf._checkpoint import checkpoint_path, record_of_config

    name = model.strip()
    path = checkpoint_path(name)
    if path is not None:
        return from_model(record_of_config(path))
    return _cached(name, room.load() if facts is None else facts)


@lru_cache(maxsize=4096)
def _cached(name: str, facts: Facts) -> Architecture:
    from chipweir.perf._checkpoint import record_of

    return from_model(record_of(name, facts))


# A published total that differs from the counted one by more than this puts the counts in doubt.
CONFIRMED = 0.07
# Routed experts absorb a difference up to this factor, so that memory agrees with the published total.
ABSORBED = 1.25


def from_model(model: LanguageModel) -> Architecture:
    """Counts from a model's published configuration.

    Raises `InputError` where layers, widths or heads are not published: a product whose architecture its maker keeps to
    itself cannot be estimated. Routed experts absorb what a published total differs from the count, so that memory
    agrees; a larger difference is told in `doubt`.
    """
    _check(model)
    s = model.structure
    layers, hidden = float(model.layers or 0), float(model.hidden or 0)
    attention = _attention(model)
    experts = float(model.n_experts or 0)
    moe_layers, dense_layers = _feed_layers(model)
    ffn = float(model.ffn_dense or 0)
    matrices = 2.0 if _ungated(model, attention.params, dense_layers * hidden * ffn) else 3.0
    expert_hidden = float(s.expert_latent or hidden) if experts else 0.0
    expert = matrices * expert_hidden * float(model.moe_ffn or 0)
    always = matrices * hidden * float(model.moe_ffn or 0) * float(model.n_shared or 0)
    if s.expert_latent:
        always += 2.0 * hidden * expert_hidden
    shared = moe_layers * (float(s.shared_params_per_layer or always) + hidden * experts)
    dense = dense_layers * matrices * hidden * ffn
    embedding = float(model.vocab or 0) * hidden + float(s.layer_embedding_params)
    head = float(model.vocab or 0) * hidden
    rest = attention.params + dense + shared + embedding + (0.0 if model.tie_embeddings else head)
    routed = moe_layers * experts
    counted = rest + routed * expert
    total = float(model.total_params_b or 0) * 1e9 or counted
    if experts and 1.0 / ABSORBED < (total - rest) / (routed * expert) < ABSORBED:
        expert = (total - rest) / routed
    # Of the experts a token chooses, those that do nothing cost nothing.
    active = float(model.experts_active or 0) * experts / max(experts + float(s.zero_experts), 1.0)
    return Architecture(
        id=model.id, name=model.name, kind="moe" if experts else "dense", layers=layers, blocks=_blocks(model),
        moe_layers=moe_layers, hidden=hidden, vocab=float(model.vocab or 0), attention_params=attention.params,
        dense_params=dense, expert_params=expert if experts else 0.0, experts=experts, experts_active=active,
        shared_params=shared, embedding_params=embedding, head_params=head, kv_elements=attention.kv,
        kv_heads=attention.kv_heads, latent=attention.latent, window=attention.window,
        window_kv_elements=attention.window_kv, state_elements=attention.state, score_flops=attention.score,
        prefill_score_flops=attention.prefill_score, window_score_flops=attention.window_score, topk=attention.topk,
        index_flops=attention.index_flops, index_elements=attention.index_elements,
        mtp_layers=float(model.mtp_layers or 0), total_params=total,
        active_params=attention.params + dense + shared + head + moe_layers * active * expert,
        context=float(model.context or 131072), native_dtype=native_dtype(model.native_dtype), release=model.release,
        expert_hidden=expert_hidden, cache_reads=attention.cache_reads, doubt=_doubt(model, counted),
    )  # fmt: skip


def _check(model: LanguageModel) -> None:
    if model.type == "closed":
        raise InputError(
            f"{model.name}: its maker does not publish its architecture, so its work cannot be counted; "
            "its price is known (`chipweir facts prices`)"
        )
    missing = [n for n in ("layers", "hidden", "heads", "vocab") if not getattr(model, n)]
    if not missing and not model.n_experts and not model.ffn_dense:
        missing = ["ffn_dense"]
    if model.n_experts and not (model.moe_ffn and model.experts_active):
        missing += [n for n in ("moe_ffn", "experts_active") if not getattr(model, n)]
    if missing:
        raise InputError(f"model '{model.name}': {', '.join(missing)} not published, so its work cannot be counted")


def _doubt(model: LanguageModel, counted: float) -> str:
    stated = float(model.total_params_b or 0) * 1e9
    if not stated:
        return f"{counted / 1e9:,.0f}B parameters counted from its shape; no published total confirms them"
    if abs(counted / stated - 1.0) > CONFIRMED:
        return f"its shape counts {counted / 1e9:,.1f}B parameters where {stated / 1e9:,.1f}B are published"
    return ""


def _ungated(model: LanguageModel, attention: float, matrix: float) -> bool:
    """Whether feed-forward blocks have no gate: as stated, else whether a dense model's published total fits two
    matrices a layer better than three."""
    if model.structure.gated is not None:
        return not model.structure.gated
    if model.n_experts or not model.total_params_b:
        return False
    heads = float(model.vocab or 0) * float(model.hidden or 0) * (1.0 if model.tie_embeddings else 2.0)
    missing = float(model.total_params_b) * 1e9 - attention - heads
    return abs(missing - 2.0 * matrix) < abs(missing - 3.0 * matrix)


def _feed_layers(model: LanguageModel) -> tuple[float, float]:
    """Layers with routed experts and layers with a dense feed-forward block."""
    s, layers = model.structure, float(model.layers or 0)
    if s.mlp is not None or s.moe is not None:
        return float(s.moe or 0), float(s.mlp or 0)
    if not model.n_experts:
        return 0.0, layers
    routed = (layers - float(model.first_dense_layers or 0)) // s.moe_every
    return routed, layers - routed


def _blocks(model: LanguageModel) -> float:
    """Pairs of a mixer and a feed-forward block: layers, or the more numerous kind where they are layers of their
    own."""
    s, layers = model.structure, float(model.layers or 0)
    if s.attention_blocks or (s.mlp is None and s.moe is None):
        return float(s.attention_blocks or layers)
    feed = float((s.mlp or 0) + (s.moe or 0))
    return max(feed, layers - feed)


class _Attention(NamedTuple):
    """Sums over all mixing layers; names as in `Architecture`."""

    params: float = 0.0
    kv: float = 0.0
    kv_heads: float = 1.0
    latent: float = 0.0
    score: float = 0.0
    prefill_score: float = 0.0
    window: float = math.inf
    window_kv: float = 0.0
    window_score: float = 0.0
    state: float = 0.0
    topk: float = math.inf
    index_flops: float = 0.0
    index_elements: float = 0.0
    cache_reads: float = 1.0


def _attention(model: LanguageModel) -> _Attention:
    """Parameters, cache and score work of all mixing layers: full (grouped, latent or compressed), sliding, linear."""
    s = model.structure
    full, sliding, linear = _mixers(model)
    if s.compress_ratios:
        out = _compressed(model, full)
    elif model.kv_lora_rank:
        out = _latent(model, full)
    else:
        out = _grouped(model, full)
    if sliding:
        out = _with_sliding(out, model, sliding)
    if linear:
        hidden, heads = float(model.hidden or 0), float(model.heads or 0)
        # Where not stated: query, key, value, gate and output of the model's width, a state of 128 x 128 a head.
        params = float(s.linear_params_per_layer or 5.0 * hidden * hidden)
        state = float(s.state_elements_per_layer or heads * 128.0 * 128.0)
        out = out._replace(params=out.params + linear * params, state=linear * state)
    if s.shared_cache_layers:
        held = 1.0 - s.shared_cache_layers / (full + sliding)
        out = out._replace(kv=out.kv * held, window_kv=out.window_kv * held, cache_reads=1.0 / held)
    return _with_index(out, model, full) if s.index_topk else out


def _mixers(model: LanguageModel) -> tuple[float, float, float]:
    """Layers with full, sliding and linear attention (state space counted with the last)."""
    s = model.structure
    sliding, linear = float(s.sliding_attention), float(s.linear_attention + s.mamba)
    own = 0.0 if s.attention_blocks else float((s.mlp or 0) + (s.moe or 0))
    layers = float(s.attention_blocks or model.layers or 0) - own
    full = float(s.full_attention) if s.full_attention is not None else layers - sliding - linear
    return full, sliding, linear


def _grouped(model: LanguageModel, layers: float) -> _Attention:
    """Multi-head and grouped-query attention."""
    heads, kv_heads, dim, value = _heads(model)
    params, kv = _projections(model, heads, kv_heads, dim, value)
    score = layers * 2.0 * heads * (dim + value)
    return _Attention(
        params=layers * params, kv=layers * kv, kv_heads=kv_heads, score=score, prefill_score=score,
    )  # fmt: skip


def _heads(model: LanguageModel) -> tuple[float, float, float, float]:
    """Heads, key-value heads, width of keys and of values."""
    heads = float(model.heads or 0)
    dim = float(model.head_dim or float(model.hidden or 0) / heads)
    return heads, float(model.kv_heads or heads), dim, float(model.v_head_dim or dim)


def _projections(model: LanguageModel, heads: float, kv_heads: float, dim: float, value: float) -> tuple[float, float]:
    """Parameters and cached elements per token of one grouped layer."""
    s, hidden, rank = model.structure, float(model.hidden or 0), float(model.q_lora_rank or 0)
    query = rank * (hidden + heads * dim) if rank else hidden * heads * dim
    values = 0.0 if s.keys_are_values else value
    gate = hidden * heads * value if s.output_gate else 0.0
    return query + hidden * kv_heads * (dim + values) + gate + heads * value * hidden, kv_heads * (dim + value)


def _with_sliding(out: _Attention, model: LanguageModel, layers: float) -> _Attention:
    """Layers that keep a window of tokens, grouped, with shapes of their own where stated."""
    s = model.structure
    heads, kv_heads, dim, value = _heads(model)
    kv_heads = float(s.sliding_kv_heads or kv_heads)
    if s.sliding_head_dim:
        dim = value = float(s.sliding_head_dim)
    separate = model.model_copy(update={"structure": s.model_copy(update={"keys_are_values": False}), "q_lora_rank": 0})
    params, kv = _projections(separate, heads, kv_heads, dim, value)
    return out._replace(
        params=out.params + layers * params, window_kv=layers * kv, window_score=layers * 2.0 * heads * (dim + value),
        window=float(model.sliding_window or 4096), kv_heads=kv_heads if not out.latent else out.kv_heads,
    )  # fmt: skip


def _latent(model: LanguageModel, layers: float) -> _Attention:
    """Multi-head latent attention: one latent and one rotary key per token; decode attends in the latent space.

    Source: DeepSeek-V2 (arXiv 2405.04434), section 2.1 and the weight absorption described there.
    """
    hidden, heads = float(model.hidden or 0), float(model.heads or 0)
    rank, rope = float(model.kv_lora_rank or 0), float(64 if model.qk_rope_dim is None else model.qk_rope_dim)
    nope, value = float(model.qk_nope_dim or 128), float(model.v_head_dim or 128)
    query_rank = float(model.q_lora_rank or 0)
    query = query_rank * (hidden + heads * (nope + rope)) if query_rank else hidden * heads * (nope + rope)
    gate = hidden * heads * value if model.structure.output_gate else 0.0
    per_layer = query + gate + hidden * (rank + rope) + rank * heads * (nope + value) + heads * value * hidden
    return _Attention(
        params=layers * per_layer, kv=layers * (rank + rope), latent=1.0,
        score=layers * 2.0 * heads * (2.0 * rank + rope), prefill_score=layers * 2.0 * heads * (nope + rope + value),
    )  # fmt: skip


def _compressed(model: LanguageModel, layers: float) -> _Attention:
    """Attention over a sequence compressed r-fold with one shared key-value head, plus a short window, as configured.

    Layers with ratio r cache one entry of `head_dim` per r tokens; ratio 0 keeps the window alone. The output
    projection is of low rank where a rank is given. Own reading of the published configuration; the paper may count
    slightly otherwise.
    """
    hidden, heads, dim = float(model.hidden or 0), float(model.heads or 0), float(model.head_dim or 512)
    query_rank, output_rank = float(model.q_lora_rank or 0), float(model.structure.output_rank or 0)
    query = query_rank * (hidden + heads * dim) if query_rank else hidden * heads * dim
    output = output_rank * (heads * dim / 8.0 + hidden) * 8.0 if output_rank else heads * dim * hidden
    kept = _kept(model) * layers
    return _Attention(
        params=layers * (query + hidden * dim * 2.0 + output), kv=dim * kept, latent=1.0,
        score=4.0 * heads * dim * kept, prefill_score=4.0 * heads * dim * kept,
        window=float(model.sliding_window or 128), window_kv=layers * dim, window_score=layers * 4.0 * heads * dim,
    )  # fmt: skip


def _kept(model: LanguageModel) -> float:
    """Cache entries per token and layer of compressed attention, mean over layers."""
    ratios = model.structure.compress_ratios
    return sum(n / r for r, n in ratios.items() if r > 0) / max(sum(ratios.values()), 1)


def _with_index(out: _Attention, model: LanguageModel, layers: float) -> _Attention:
    """The selector of sparse attention: keys of its own for every cached token, and what a query really reads."""
    s = model.structure
    heads, dim = float(s.index_heads or 64), float(s.index_head_dim or 128)
    ratios = s.compress_ratios
    # Over a compressed sequence only layers that compress little select, each entry once.
    own = float(s.index_layers or layers)
    seen = sum(n / r for r, n in ratios.items() if 0 < r <= 8) if ratios else own
    tokens = float(s.index_topk or 0) * (min(r for r in ratios if r > 0) if ratios else 1.0)
    query = heads * dim * float(model.q_lora_rank or model.hidden or 0)
    params = (float(sum(n for r, n in ratios.items() if 0 < r <= 8)) if ratios else own) * (
        query + float(model.hidden or 0) * (dim + heads)
    )
    return out._replace(
        params=out.params + params, topk=tokens,
        index_flops=2.0 * heads * dim * seen / s.index_block, index_elements=dim * seen / s.index_block,
    )  # fmt: skip


def native_dtype(text: str) -> str:
    """The number format a checkpoint is published in, as one of the room's formats."""
    folded = (text or "bf16").lower()
    if "/" in folded:
        return "bf16"
    for word, name in (("fp4", "fp4"), ("compressed", "int4"), ("fp8", "fp8"), ("int4", "int4"), ("int8", "int8")):
        if word in folded:
            return name
    return "bf16"


def weight_bytes(model: Architecture, dtype: str) -> Any:
    """Bytes of all stored weights, when matrix weights are stored as `dtype` and embeddings stay in BF16."""
    return (
        expert_bytes(model, dtype) * model.experts * model.moe_layers
        + resident_bytes(model, dtype)
        + 2.0 * model.embedding_params
    )


def expert_bytes(model: Architecture, dtype: str) -> Any:
    """Bytes of one routed expert in one layer."""
    return model.expert_params * ELEMENT_BYTES[dtype]


def resident_bytes(model: Architecture, dtype: str) -> Any:
    """Bytes read for every decode step whatever the batch: attention, dense and shared layers, output matrix.

    4-bit MoE checkpoints keep attention and shared layers at 8 bits or more; dense ones quantise them with the rest.
    """
    other = BESIDE_EXPERTS.get(dtype, dtype)
    moe = np.asarray(model.experts) > 0
    size = np.where(moe, ELEMENT_BYTES[other], ELEMENT_BYTES[dtype])
    return (model.attention_params + model.dense_params + model.shared_params) * size + 2.0 * model.head_params


def touched_experts(experts: Any, active: Any, tokens: Any, evenness: Any = np.inf) -> Any:
    """Expected distinct routed experts per layer that `tokens` tokens call, choosing `active` of `experts` at random.

    E (1 - (1 - k/E)^n) for independent, uniform choices (infinite `evenness`). Skewed routing touches fewer: where the
    popularity of experts is gamma distributed with shape `evenness` a, one more token misses an expert with the share
    (1 + (n - 1) l / a)^-a of the first's, l = -ln(1 - k/E) (a Poisson count mixed over a gamma rate is negative
    binomial).
    """
    experts = np.asarray(experts, dtype=float)
    share = np.where(experts > 0, np.asarray(active) / np.maximum(experts, 1.0), 0.0)
    missed = np.log1p(-np.minimum(share, 1 - 1e-9))
    tokens = np.maximum(tokens, 0.0)
    if isinstance(evenness, float) and np.isinf(evenness):
        return experts * -np.expm1(tokens * missed)
    others = np.log1p(-np.maximum(tokens - 1.0, 0.0) * missed / evenness)
    return experts * -np.expm1(np.minimum(tokens, 1.0) * missed - evenness * others)


def flops_per_token(model: Architecture, context: Any = 0.0, *, prefill: bool = False) -> Any:
    """Forward FLOPs for one token that attends to `context` cached tokens: 2 per active weight plus attention
    scores."""
    score = model.prefill_score_flops if prefill else model.score_flops
    return (
        2.0 * active_matrix_params(model)
        + score * np.minimum(context, model.topk)
        + model.window_score_flops * np.minimum(context, model.window)
        + model.index_flops * np.asarray(context)
        + 6.0 * model.state_elements
    )


def active_matrix_params(model: Architecture) -> Any:
    """Weights that one token multiplies: everything active but the input embedding."""
    routed = model.expert_params * model.experts_active * model.moe_layers
    return model.attention_params + model.dense_params + model.shared_params + routed + model.head_params


def kv_bytes(model: Architecture, context: Any, kv_dtype: str = "bf16") -> Any:
    """Bytes of cache one sequence holds at `context` tokens: full layers, window layers, selector and linear state."""
    size = ELEMENT_BYTES[kv_dtype]
    return (
        (model.kv_elements + model.index_elements) * np.asarray(context, dtype=float) * size
        + model.window_kv_elements * np.minimum(context, model.window) * size
        + model.state_elements * 4.0
    )


def kv_read_bytes(model: Architecture, context: Any, kv_dtype: str = "bf16") -> Any:
    """Bytes of cache one decoded token reads: sparse attention reads its top-k tokens and the selector's keys."""
    size = ELEMENT_BYTES[kv_dtype] * model.cache_reads
    return (
        model.kv_elements * np.minimum(context, model.topk) * size
        + model.index_elements * np.asarray(context, dtype=float) * size
        + model.window_kv_elements * np.minimum(context, model.window) * size
        + model.state_elements * 4.0
    )
