"""What a language model asks of hardware: parameters by kind, attention by kind, cache by token, as plain numbers.

An `Architecture` holds floats for one model or arrays [n] for n of them (`stack`). Functions take either.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.errors import InputError, UnknownName


if TYPE_CHECKING:
    from chipweir.facts import Facts, LanguageModel

# Bytes per stored element, block scales included: one FP32 scale per 128x128 block (FP8, negligible), one FP8 scale
# per 16
# elements (NVFP4: 0.5 + 1/16), one FP16 scale and zero point per 128 (INT4).
ELEMENT_BYTES = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5625, "int4": 0.53}


@dataclass(frozen=True)
class Architecture:
    """One language model (floats) or n of them (arrays [n]). Counts of parameters are for the whole model.

    `blocks`: pairs of attention (or state) and feed-forward that a pass goes through; fewer than `layers` where
    each is counted as a layer of its own. `attention_params`: projections of all layers; `dense_params`: feed-
    forward of dense layers; `expert_params`: ONE routed expert in ONE layer, whose input is `expert_hidden` wide;
    `shared_params`: shared experts and routers of all MoE layers; `embedding_params`: input embedding;
    `head_params`: output matrix. `kv_elements`: cached elements per token over all layers with a full cache;
    `window_kv_elements`: the same for layers that keep only `window` tokens; `state_elements`: size of the state of
    linear layers, per sequence. `score_flops`: attention FLOPs per query token per cached token over the full
    layers in decode, `prefill_score_flops` in prefill (MLA decodes in the latent space); `window_score_flops` for
    window layers; `topk`: cached tokens a query really reads (infinite without sparse attention); `index_flops`,
    `index_elements`: the selector's work and cache per cached token.
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


TEXT = {"id", "name", "kind", "native_dtype", "release"}
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
    """The architecture of a model known to the facts room. Raises `UnknownName` with the nearest, `InputError`
    without layer numbers."""
    from chipweir import facts as room

    return _cached(model.strip(), room.load() if facts is None else facts)


@lru_cache(maxsize=4096)
def _cached(name: str, facts: Facts) -> Architecture:
    return from_model(_record(name, facts))


# Endings that name a checkpoint's format or tuning, not another architecture.
VARIANT = re.compile(
    r"([\s_-]+(instruct|chat|base|thinking|it|hf|fp8|nvfp4|mxfp4|fp4|awq|gptq|int8|int4|w8a8|bf16|dynamic|block|"
    r"2507|2512|0528|0324|0905|v0\.\d|99(\.9)?))+$",
    re.I,
)


# Published under other names with the same layers (own reading of the model cards).
_SAME = {
    "llama3.3-70b": "llama-3.1-70b", "llama-3-70b": "llama-3.1-70b", "llama-3-8b": "llama-3.1-8b",
    "deepseek-r1-distill-llama-70b": "llama-3.1-70b", "deepseek-r1-distill-llama-8b": "llama-3.1-8b",
    "qwen3-coder-30b-a3b": "qwen3-30b-a3b", "deepseek-v3.1": "deepseek-v3", "deepseek-v3.1-terminus": "deepseek-v3",
    "deepseek-v3/r1": "deepseek-v3", "deepseek3-671b": "deepseek-v3", "deepseek-v3-671b": "deepseek-v3",
    "deepseek-v3.2-exp": "deepseek-v3.2", "deepseek-v3.2-speciale": "deepseek-v3.2", "kimi-k2-thinking": "kimi-k2",
    "kimi-k2.6": "kimi-k2.5", "glm-4.7": "glm-4.6-and-4.7", "glm-4.6": "glm-4.6-and-4.7", "glm-5.1": "glm-5",
    "minimax-m2": "minimax-m2.5", "minimax-m2.1": "minimax-m2.5", "pangu-ultra-moe-718b": "pangu-ultra-moe",
    "qwen2-72b": "qwen2.5-72b", "qwen2.5-72b": "qwen2.5-72b", "gpt-3-175b": "gpt-3-175b-mlperf",
    "qwen3-vl-235b-a22b": "qwen3-235b-a22b", "qwen3-vl-30b-a3b": "qwen3-30b-a3b",
    "gpt-3-175b-megatron-strong-scaling": "gpt-3-175b-mlperf",
    "gpt-3": "gpt-3-175b-mlperf",
}  # fmt: skip


def _record(name: str, facts: Facts) -> LanguageModel:
    """The record of `name`; number-format and tuning endings, brackets and the publisher's prefix may be left on."""
    name = name.strip()
    if not name:
        raise InputError("no model given; name one, such as DeepSeek-V3")
    unbracketed = re.sub(r"\s*\(.*\)\s*$", "", name)
    tail = unbracketed.split("/")[-1]
    for candidate in (name, unbracketed, tail, VARIANT.sub("", unbracketed), VARIANT.sub("", tail)):
        try:
            return facts.model(candidate)
        except UnknownName:
            continue
    folded = _folded(tail)
    folded = SAME_ARCHITECTURE.get(folded, SAME_ARCHITECTURE.get(_folded(name.replace("/", "")), folded))
    for record in (*facts.models.values(), *_further_models()):
        if folded in {_folded(known) for known in (record.id, record.name, *record.aliases)}:
            return record
    known = [m.name for m in (*facts.models.values(), *_further_models())]
    raise UnknownName("model", name, [*facts.models, *known])


@lru_cache(maxsize=1)
def _further_models() -> tuple[LanguageModel, ...]:
    """Published configurations of models that appear in measurements but not in the facts room (recalled, not looked
    up)."""
    from chipweir.facts import LanguageModel

    text = resources.files("chipweir.perf").joinpath("data", "architectures.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text))
    return tuple(LanguageModel.model_validate({k: v for k, v in row.items() if v}) for row in rows)


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", VARIANT.sub("", name.split("/")[-1]).lower().replace("meta-llama", "llama"))


SAME_ARCHITECTURE = {_folded(name.replace("/", "")): _folded(same) for name, same in _SAME.items()}


def from_model(model: LanguageModel) -> Architecture:
    """Counts from a model's published configuration.

    Raises `InputError` where layers, width or heads are not published. The number of parameters so counted is checked
    against the published total in the tests; routed experts then absorb the difference, so that memory agrees.
    """
    missing = [n for n in ("layers", "hidden", "heads", "vocab") if not getattr(model, n)]
    if missing:
        raise InputError(f"model '{model.name}': {', '.join(missing)} not published, so its work cannot be counted")
    extra = _extra(model.note)
    layers, hidden = float(model.layers or 0), float(model.hidden or 0)
    attention = _attention(model, extra)
    experts = float(model.n_experts or 0)
    moe_layers, dense_layers = _ffn_layers(model, extra)
    ffn = float(model.ffn_dense or (model.moe_ffn or 0) * (model.experts_active or 1))
    matrices = 2.0 if attention["ungated"] or _ungated(model, attention["params"], dense_layers * hidden * ffn) else 3.0
    # Routed experts may work in a narrower space than the model ("latent" experts), shared ones do not.
    expert_hidden = float(extra.get("expert_latent", hidden)) if experts else 0.0
    expert = matrices * expert_hidden * float(model.moe_ffn or 0)
    always = float(extra.get("shared_params_per_layer", expert * float(model.n_shared or 0)))
    shared = moe_layers * (always + hidden * experts)
    dense = dense_layers * matrices * hidden * ffn
    embedding = float(model.vocab or 0) * hidden
    head = embedding
    stored_head = 0.0 if model.tie_embeddings else head
    rest = attention["params"] + dense + shared + embedding + stored_head
    counted = rest + moe_layers * experts * expert
    total = float(model.total_params_b or 0) * 1e9 or counted
    active_experts = float(model.experts_active or (8 if experts else 0))
    if experts and 0.8 < (total - rest) / (moe_layers * experts * expert) < 1.25:
        expert = (total - rest) / (moe_layers * experts)
    active = rest - embedding - stored_head + head + moe_layers * active_experts * expert
    return Architecture(
        id=model.id, name=model.name, kind="moe" if experts else "dense", layers=layers,
        blocks=_blocks(layers, extra), moe_layers=moe_layers, hidden=hidden,
        vocab=float(model.vocab or 0), attention_params=attention["params"], dense_params=dense,
        expert_params=expert if experts else 0.0, experts=experts, experts_active=active_experts if experts else 0.0,
        shared_params=shared, embedding_params=embedding, head_params=head, kv_elements=attention["kv"],
        kv_heads=attention["kv_heads"], latent=attention["latent"], window=attention["window"],
        window_kv_elements=attention["window_kv"], state_elements=attention["state"], score_flops=attention["score"],
        prefill_score_flops=attention["prefill_score"], window_score_flops=attention["window_score"],
        topk=attention["topk"], index_flops=attention["index_flops"], index_elements=attention["index_elements"],
        mtp_layers=float(model.mtp_layers or 0), total_params=total, active_params=active,
        context=float(model.context or 131072), native_dtype=_native(model.native_dtype), release=model.release,
        expert_hidden=expert_hidden,
    )  # fmt: skip


def _ungated(model: LanguageModel, attention: float, matrix: float) -> bool:
    """Whether a dense model's published total fits two feed-forward matrices a layer better than three (no gate)."""
    if model.n_experts or not model.total_params_b:
        return False
    heads = float(model.vocab or 0) * float(model.hidden or 0) * (1.0 if model.tie_embeddings else 2.0)
    missing = float(model.total_params_b) * 1e9 - attention - heads
    return abs(missing - 2.0 * matrix) < abs(missing - 3.0 * matrix)


def _extra(note: str) -> dict[str, Any]:
    """Structure that the shared columns cannot hold is kept in the record's note as a JSON object (possibly cut
    short)."""
    match = re.search(r"\{.*", note or "", re.S)
    if match is None:
        return {}
    text = match[0]
    try:
        found: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
        return found
    except json.JSONDecodeError:
        numbers = {k: int(v) for k, v in re.findall(r'"(\w+)": (\d+)', text)}
        ratios = re.search(r'"compress_ratios": \[([\d, ]*)', text)
        if ratios:
            numbers["compress_ratios"] = [int(x) for x in re.findall(r"\d+", ratios[1])]  # type: ignore[assignment]
        return numbers


def _ffn_layers(model: LanguageModel, extra: dict[str, Any]) -> tuple[float, float]:
    """Layers with routed experts and layers with a dense feed-forward block."""
    layers = float(model.layers or 0)
    kinds = extra.get("layer_types")
    if isinstance(kinds, dict) and ("mlp" in kinds or "moe" in kinds):
        return float(kinds.get("moe", 0)), float(kinds.get("mlp", 0))
    if not model.n_experts:
        return 0.0, layers
    routed = (layers - float(model.first_dense_layers or 0)) / int(extra.get("interleave_moe_layer_step", 1))
    return routed, layers - routed


def _blocks(layers: float, extra: dict[str, Any]) -> float:
    """Pairs of a mixer and a feed-forward block: layers, or the more numerous kind where they are layers of their
    own."""
    kinds = extra.get("layer_types")
    if not isinstance(kinds, dict) or not {"mlp", "moe"} & set(kinds):
        return layers
    feed = float(kinds.get("mlp", 0) + kinds.get("moe", 0))
    return max(feed, layers - feed)


def _attention(model: LanguageModel, extra: dict[str, Any]) -> dict[str, Any]:
    """Parameters, cache and score work of all attention layers; the three published families and their sparse forms."""
    text = (model.attention or "").lower()
    layers, hidden, heads = float(model.layers or 0), float(model.hidden or 0), float(model.heads or 0)
    out: dict[str, Any] = {
        "latent": 0.0, "window": math.inf, "window_kv": 0.0, "window_score": 0.0, "state": 0.0, "topk": math.inf,
        "index_flops": 0.0, "index_elements": 0.0, "ungated": text == "mha" or bool(extra.get("ungated")),
    }  # fmt: skip
    if model.kv_lora_rank or text == "mla":
        _fill_latent(out, model, layers, hidden, heads)
    elif "compress" in text:
        _fill_compressed(out, model, extra, layers, hidden, heads)
    else:
        _fill_grouped(out, model, extra, text)
    if extra.get("index_topk"):
        index_heads, index_dim = float(extra.get("index_n_heads", 64)), float(extra.get("index_head_dim", 128))
        compressed = out.pop("index_share", 1.0)
        out["topk"] = float(extra["index_topk"])
        out["index_flops"] = 2.0 * index_heads * index_dim * layers * compressed
        out["index_elements"] = index_dim * layers * compressed
        out["params"] += layers * (index_heads * index_dim * float(model.q_lora_rank or hidden) + hidden * index_dim)
    out.pop("index_share", None)
    return out


def _fill_latent(out: dict[str, Any], model: LanguageModel, layers: float, hidden: float, heads: float) -> None:
    """Multi-head latent attention: one latent and one rotary key per token; decode attends in the latent space.

    Source: DeepSeek-V2 (arXiv 2405.04434), section 2.1 and the weight absorption described there.
    """
    rank, rope = float(model.kv_lora_rank or 512), float(model.qk_rope_dim or 64)
    nope, value = float(model.qk_nope_dim or 128), float(model.v_head_dim or 128)
    query_rank = float(model.q_lora_rank or 0)
    query = query_rank * (hidden + heads * (nope + rope)) if query_rank else hidden * heads * (nope + rope)
    per_layer = query + hidden * (rank + rope) + rank * heads * (nope + value) + heads * value * hidden
    out.update(
        params=layers * per_layer, kv=layers * (rank + rope), kv_heads=1.0, latent=1.0,
        score=layers * 2.0 * heads * (2.0 * rank + rope), prefill_score=layers * 2.0 * heads * (nope + rope + value),
    )  # fmt: skip


def _fill_compressed(
    out: dict[str, Any], model: LanguageModel, extra: dict[str, Any], layers: float, hidden: float, heads: float
) -> None:
    """Attention over a sequence compressed r-fold with one shared key-value head, plus a short window, as configured.

    Layers with ratio r cache one entry of `head_dim` per r tokens; ratio 0 keeps the window alone. The output
    projection is
    of low rank where a rank is given. Own reading of the published configuration; the paper may count slightly
    otherwise.
    """
    dim, query_rank = float(model.head_dim or 512), float(model.q_lora_rank or 0)
    output_rank = float(extra.get("o_lora_rank", 0))
    query = query_rank * (hidden + heads * dim) if query_rank else hidden * heads * dim
    output = output_rank * (heads * dim / 8.0 + hidden) * 8.0 if output_rank else heads * dim * hidden
    ratios = [r for r in extra.get("compress_ratios", []) if r > 0] or [64]
    kept = sum(1.0 / r for r in ratios) / len(ratios)
    four = sum(1.0 for r in ratios if r <= 8) / len(ratios)
    out.update(
        params=layers * (query + hidden * dim * 2.0 + output), kv=layers * dim * kept, kv_heads=1.0, latent=1.0,
        score=layers * 4.0 * heads * dim * kept, prefill_score=layers * 4.0 * heads * dim * kept,
        window=float(model.sliding_window or 128), window_kv=layers * dim, window_score=layers * 4.0 * heads * dim,
        index_share=four / 4.0,
    )  # fmt: skip


def _fill_grouped(out: dict[str, Any], model: LanguageModel, extra: dict[str, Any], text: str) -> None:
    """Multi-head and grouped-query attention, with window layers or linear layers among the full ones."""
    hidden, heads = float(model.hidden or 0), float(model.heads or 0)
    kv_heads = float(model.kv_heads or heads)
    dim = float(model.head_dim or hidden / heads)
    full, windowed, linear, _ = _layer_kinds(model, extra, text)
    per_layer = hidden * dim * (2.0 * heads + 2.0 * kv_heads)
    # A gated linear layer has query, key, value, gate and output projections of the width of the model (own reading).
    state_heads = float(extra.get("linear_num_value_heads", extra.get("linear_num_key_heads", heads)))
    state_dim = float(extra.get("linear_head_dim", 128))
    state = float(extra.get("state_elements_per_layer", state_heads * state_dim * state_dim))
    linear_params = float(extra.get("linear_params_per_layer", 5.0 * hidden * hidden))
    out.update(
        params=(full + windowed) * per_layer + linear * linear_params, kv=full * 2.0 * kv_heads * dim,
        kv_heads=kv_heads, score=full * 4.0 * heads * dim, prefill_score=full * 4.0 * heads * dim,
        window=float(model.sliding_window) if windowed and model.sliding_window else math.inf,
        window_kv=windowed * 2.0 * kv_heads * dim, window_score=windowed * 4.0 * heads * dim, state=linear * state,
    )  # fmt: skip


def _layer_kinds(model: LanguageModel, extra: dict[str, Any], text: str) -> tuple[float, float, float, float]:
    """Layers with full, windowed, linear and no attention."""
    layers = float(model.layers or 0)
    kinds = extra.get("layer_types")
    if isinstance(kinds, dict):
        windowed = float(kinds.get("sliding_attention", 0))
        linear = float(kinds.get("linear_attention", 0)) + float(kinds.get("mamba", 0))
        none = float(kinds.get("mlp", 0)) + float(kinds.get("moe", 0))
        return float(kinds.get("full_attention", layers - windowed - linear - none)), windowed, linear, none
    ratio = re.search(r"(\d+)\s*(?:local)?\s*:\s*(\d+)", text)
    if ratio and "linear" in text:
        share = float(ratio[1]) / (float(ratio[1]) + float(ratio[2]))
        share = max(share, 1.0 - share)
        return layers * (1.0 - share), 0.0, layers * share, 0.0
    if ratio and model.sliding_window:
        share = float(ratio[1]) / (float(ratio[1]) + float(ratio[2]))
        return layers * (1.0 - share), layers * share, 0.0, 0.0
    return layers, 0.0, 0.0, 0.0


def _native(text: str) -> str:
    folded = (text or "bf16").lower()
    for word, name in (("mxfp4", "fp4"), ("compressed", "int4"), ("fp8", "fp8"), ("int4", "int4")):
        if word in folded and "/" not in folded:
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
    other = {"fp4": "fp8", "int4": "bf16"}.get(dtype, dtype)
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
    xp: Any = np
    if any(type(v).__module__.startswith("jax") for v in (tokens, evenness)):
        import jax.numpy as xp
    tokens = xp.maximum(tokens, 0.0)
    if isinstance(evenness, float) and np.isinf(evenness):
        return experts * -xp.expm1(tokens * missed)
    others = xp.log1p(-xp.maximum(tokens - 1.0, 0.0) * missed / evenness)
    return experts * -xp.expm1(xp.minimum(tokens, 1.0) * missed - evenness * others)


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
    size = ELEMENT_BYTES[kv_dtype]
    return (
        model.kv_elements * np.minimum(context, model.topk) * size
        + model.index_elements * np.asarray(context, dtype=float) * size
        + model.window_kv_elements * np.minimum(context, model.window) * size
        + model.state_elements * 4.0
    )
