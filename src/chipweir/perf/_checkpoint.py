"""Names of checkpoints and their `config.json`: which model a spelling means, in which number format, of what shape.

Endings of a name tell a format (w4a8, NVFP4, AWQ, Q4_K_M) or a tuning (Instruct, Thinking, 2507, mtp), not another
architecture. A `config.json` as published on Hugging Face is read into the same record that the facts room holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir import reading
from chipweir.errors import InputError, UnknownName


if TYPE_CHECKING:
    from chipweir.facts import Facts, LanguageModel

# Endings that name a number format, with the format of the weights they mean.
FORMATS = (
    (r"w4a4|nvfp4|mxfp4|fp4", "fp4"),
    (r"w4a8(?:c\d)?", "w4a8"),
    (r"w8a8(?:c\d)?|int8", "int8"),
    (r"mxfp8|fp8|float8|w8a8_?fp8", "fp8"),
    (r"w4a16|awq|gptq|int4|4-?bit|autoround|nf4|i?q[1-4](?:_[0-9a-z]+)*", "int4"),
    (r"w8a16|8-?bit|q[5-8](?:_[0-9a-z]+)*", "w8a16"),
    (r"bf16|fp16|f16|bfloat16|float16", "bf16"),
)
TUNINGS = (
    r"quantized|instruct|chat|base|thinking|reasoning|it|hf|pt|sft|rl|preview|latest|text|quarot|gguf|mlx|dynamic|static|block|"
    r"pertensor|per-tensor|channel|kv\w*|g\d+|asym|sym|v[12](?:\.\d)?|bnb|ud|imatrix|unsloth|exl[23]|mtp\d*|eagle\d*|"
    r"99(?:\.9)?|\d{4}|\d{6}|\d{8}|eagle"
)
_ENDING = re.compile(r"[\s_.:-]+(?:" + "|".join([TUNINGS, *(pattern for pattern, _ in FORMATS)]) + r")$", re.I)
_FORMAT = re.compile("|".join(rf"(?P<f{i}>{pattern})" for i, (pattern, _) in enumerate(FORMATS)), re.I)
# A release of a model whose name tells its size: those of other releases are mostly of the same shape.
_RELEASE = re.compile(r"(?<=\d[bm])[\s_-]+v\d[._]\d$", re.I)
# A tuning told before the end of a name.
_INSIDE = re.compile(r"[\s_-](?:instruct|chat|base|it|hf)(?=[\s_-])", re.I)
LIMITS = reading.Limits(characters=4_000_000, values=200_000, finite=False)


def record_of(name: str, facts: Facts) -> LanguageModel:
    """The record of `name`; formats and tunings at its end, brackets and the publisher's prefix may be left on.

    Raises `UnknownName` with the nearest names, or `InputError` where the name is several models'.
    """
    if not name:
        raise InputError("no model given; name one, such as DeepSeek-V3")
    bare = re.sub(r"\s*\(.*\)\s*$", "", name)
    known = _folded_names(facts)
    last = bare.rsplit("/", 1)[-1]
    for tail in dict.fromkeys((name, bare, last, _INSIDE.sub("", last))):
        candidate = tail
        while candidate:
            try:
                return facts.model(candidate)
            except UnknownName:
                found = known.get(_folded(candidate))
            if found is not None:
                return facts.models[found]
            shorter = _shorter(candidate)
            if shorter == candidate and (found := _bare_names(facts).get(_folded(candidate))) is not None:
                return facts.models[found]
            candidate = shorter if shorter != candidate else ""
    without = _without_maker(bare, facts)
    if without:
        try:
            return record_of(without, facts)
        except UnknownName:
            pass
    names = [n for m in facts.models.values() for n in (m.id, m.name, *m.aliases)]
    raise UnknownName("model", name, names)


def _without_maker(name: str, facts: Facts) -> str:
    """`name` without the maker's name in front, "" where no maker's stands there."""
    for maker in sorted({model.maker for model in facts.models.values()}):
        known = facts.entities.get(maker)
        spellings = (known.names.en, known.names.ko, known.names.zh, *known.aliases) if known else ()
        for spelling in spellings:
            if len(spelling) > 1 and name.lower().startswith(spelling.lower()) and len(name) > len(spelling) + 1:
                return name[len(spelling) :].strip(" -_/")
    return ""


@lru_cache(maxsize=4)
def _folded_names(facts: Facts) -> dict[str, str]:
    """Ids by folded spelling, where only one model bears it."""
    owners: dict[str, set[str]] = {}
    for model in facts.models.values():
        for spelling in (model.id, model.name, *model.aliases):
            owners.setdefault(_folded(spelling), set()).add(model.id)
    return {spelling: min(ids) for spelling, ids in owners.items() if len(ids) == 1 and spelling}


@lru_cache(maxsize=4)
def _bare_names(facts: Facts) -> dict[str, str]:
    """Ids by folded spelling without its endings, of spellings that are longer, where only one model bears it."""
    owners: dict[str, set[str]] = {}
    for model in facts.models.values():
        for spelling in (model.id, model.name, *model.aliases):
            bare = spelling
            while (shorter := _shorter(bare)) != bare:
                bare = shorter
            owners.setdefault(_folded(bare), set()).add(model.id)
    return {spelling: min(ids) for spelling, ids in owners.items() if len(ids) == 1 and spelling}


def _shorter(name: str) -> str:
    """`name` without its last ending, itself where it has none."""
    return _RELEASE.sub("", _ENDING.sub("", name))


def _folded(name: str) -> str:
    plain = name.rsplit("/", 1)[-1].lower().replace("meta-llama", "llama").replace("+", "plus")
    return re.sub(r"[^a-z0-9\uac00-\ud7a3\u4e00-\u9fff]", "", plain)


@lru_cache(maxsize=4096)
def named_format(name: str) -> str:
    """The number format that the endings of a checkpoint's name tell (`w4a8`: 4-bit weights, 8-bit products), "" if
    none does."""
    bare = re.sub(r"\s*\(.*\)\s*$", "", name)
    while True:
        match = _ENDING.search(bare)
        if match is None:
            return ""
        ending = _FORMAT.fullmatch(match[0].strip(" _.:-"))
        if ending is not None and ending.lastgroup is not None:
            return FORMATS[int(ending.lastgroup[1:])][1]
        bare = bare[: match.start()]


def checkpoint_path(name: str) -> Path | None:
    """The `config.json` that `name` points at (a file, or a folder that holds one), None for a name."""
    if not name or len(name) > 4096 or "\0" in name:
        return None
    if not (name.endswith(".json") or "/" in name or "\\" in name or name.startswith((".", "~"))):
        return None
    path = Path(name).expanduser()
    if path.is_dir():
        path = path / "config.json"
        return path if path.is_file() else None
    if name.endswith(".json") or path.is_file():
        return path
    return None


def record_of_config(path: Path) -> LanguageModel:
    """A model from a `config.json`. Raises `InputError` with the path where it cannot be read or is none."""
    record = reading.read_json(path, "config.json", LIMITS)
    if not isinstance(record, dict):
        raise InputError(f"{path}: a config.json is an object of names and values")
    name = str(record.get("_name_or_path") or "").rstrip("/").rsplit("/", 1)[-1]
    if not name or name in (".", "config"):
        name = path.parent.name if path.name == "config.json" and path.parent.name else path.stem
    try:
        return model_of_config(record, name)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise InputError(f"{path}: not the configuration of a language model ({error!r})") from None


def model_of_config(config: Mapping[str, Any], name: str) -> LanguageModel:
    """A `LanguageModel` from a published configuration (the text part of a multimodal one).

    Raises `InputError` where the numbers of a language model are missing.
    """
    from chipweir.facts import LanguageModel, Structure

    c = _Config(config)
    missing = [key for key in ("hidden_size", "num_hidden_layers", "vocab_size") if not c.number(key)]
    if missing:
        raise InputError(f"no {', '.join(missing)}: not the configuration of a language model")
    experts = c.number("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts")
    latent = c.number("kv_lora_rank")
    moe_ffn = c.number("moe_intermediate_size", "expert_ffn_hidden_size") or (
        c.number("intermediate_size", "ffn_hidden_size") if experts else None
    )
    structure = _structure(c, experts)
    dense = c.number(
        "intermediate_size_mlp", "dense_intermediate_size", "intermediate_size", "ffn_hidden_size", "n_inner"
    )
    ratio = c.number("expansion_ratio", "mlp_ratio")
    heads = c.number("num_attention_heads", "n_heads", "n_head")
    hidden = c.number("hidden_size") or 0
    blocks = c.get("block_configs")
    if isinstance(blocks, list):
        dense, kv_heads = _mean_width(blocks, hidden), _kv_of(blocks, heads or 0)
    else:
        kv_heads = None if latent else c.number("num_key_value_heads", "num_kv_heads", "multi_query_group_num")
    if experts and not _first_dense(c) and not structure.get("moe_every"):
        dense = ratio = None
    head_dim = c.number("head_dim", "attention_head_dim", "kv_channels")
    sliding = structure.get("sliding_attention", 0)
    if sliding and c.number("global_head_dim"):
        structure["sliding_head_dim"] = head_dim
        structure["sliding_kv_heads"] = kv_heads
        head_dim, kv_heads = c.number("global_head_dim"), c.number("num_global_key_value_heads") or kv_heads
        structure["keys_are_values"] = bool(c.get("attention_k_eq_v"))
    windowed = sliding or structure.get("compress_ratios")
    window = c.number("sliding_window", "sliding_window_size", "attention_chunk_size") if windowed else None
    return LanguageModel(
        id=_slug(name), name=name, maker="own", country="", type="MoE" if experts else "dense",
        layers=c.number("num_hidden_layers", "num_layers"), hidden=hidden, heads=heads, kv_heads=kv_heads,
        head_dim=None if latent else head_dim, attention="MLA" if latent else "GQA",
        q_lora_rank=c.number("q_lora_rank"), kv_lora_rank=latent, qk_nope_dim=c.number("qk_nope_head_dim"),
        qk_rope_dim=c.number("qk_rope_head_dim") if latent else None, v_head_dim=c.number("v_head_dim"),
        ffn_dense=dense or (int(ratio * hidden) if ratio else None), first_dense_layers=_first_dense(c) if experts else None,
        n_experts=experts, experts_active=_active(c) if experts else None, n_shared=_shared(c) if experts else None,
        moe_ffn=moe_ffn, mtp_layers=c.number("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules"),
        vocab=c.number("vocab_size", "padded_vocab_size"), context=c.number("max_position_embeddings", "max_seq_len"),
        sliding_window=window,
        tie_embeddings=bool(c.get("tie_word_embeddings")), native_dtype=_dtype(config, c),
        structure=Structure.model_validate(structure),
    )  # fmt: skip


class _Config:
    """A configuration with the text part laid over the whole."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        parts = [config[k] for k in ("text_config", "language_config", "llm_config") if isinstance(config.get(k), dict)]
        self.values: dict[str, Any] = {**config, **(parts[0] if parts else {})}
        if "num_hidden_layers" not in self.values and isinstance(self.values.get("layers_block_type"), list):
            self.values["num_hidden_layers"] = len(self.values["layers_block_type"])
        for short, long in (("n_embd", "hidden_size"), ("d_model", "hidden_size"), ("n_layer", "num_hidden_layers"),
                            ("n_layers", "num_hidden_layers"), ("num_layers", "num_hidden_layers"),
                            ("padded_vocab_size", "vocab_size")):  # fmt: skip
            if short in self.values:
                self.values.setdefault(long, self.values[short])

    def get(self, *names: str) -> Any:
        return next((self.values[n] for n in names if self.values.get(n) is not None), None)

    def number(self, *names: str) -> int | None:
        value = self.get(*names)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return int(value)

    def listed(self, name: str) -> list[Any]:
        value = self.values.get(name)
        return value if isinstance(value, list) else []


def _structure(c: _Config, experts: int | None) -> dict[str, Any]:
    """What the plain columns cannot say, as the fields of `Structure`."""
    out: dict[str, Any] = {}
    layers = c.number("num_hidden_layers") or 0
    kinds = _layer_kinds(c, layers)
    out |= {kind: count for kind, count in kinds.items() if count}
    if kinds:
        out.setdefault("full_attention", kinds.get("full_attention", 0))
    if (kinds.get("linear_attention") or kinds.get("mamba")) and (numbers := _linear(c)):
        out["linear_params_per_layer"], out["state_elements_per_layer"] = numbers
    if kinds.get("sliding_attention") and c.number("swa_num_key_value_heads"):
        out["sliding_kv_heads"] = c.number("swa_num_key_value_heads")
    act = str(c.get("hidden_act", "hidden_activation", "mlp_hidden_act", "activation_function") or "silu")
    plain = act in ("relu2", "relu", "gelu_new", "gelu_fast") or c.get("model_type") in (
        "mpt",
        "bloom",
        "gpt2",
        "falcon",
        "opt",
    )
    if plain or c.get("n_inner") is not None:
        out["gated"] = False
    if c.get("attn_output_gate", "mla_use_output_gate", "attention_output_gate"):
        out["output_gate"] = True
    if c.number("num_kv_shared_layers"):
        out["shared_cache_layers"] = c.number("num_kv_shared_layers")
    if experts:
        out |= _expert_structure(c)
    out |= _index(c, layers)
    ratios = c.listed("compress_ratios")[:layers]
    if ratios:
        out["compress_ratios"] = {int(r): ratios.count(r) for r in sorted(set(ratios))}
        out["output_rank"] = c.number("o_lora_rank")
    return {name: value for name, value in out.items() if value is not None}


def _layer_kinds(c: _Config, layers: int) -> dict[str, int]:
    """Layers by kind; empty where all have full attention."""
    linear = c.get("linear_attn_config")
    if isinstance(linear, dict) and isinstance(linear.get("full_attn_layers"), list):
        full = len(linear["full_attn_layers"])
        return {"full_attention": full, "linear_attention": layers - full}
    pattern = c.get("hybrid_override_pattern")
    if isinstance(pattern, str):
        return {
            kind: pattern.count(sign)
            for sign, kind in (("M", "mamba"), ("*", "full_attention"), ("-", "mlp"), ("E", "moe"))
        }
    blocks = c.listed("layers_block_type")
    if blocks:
        names = {"attention": "full_attention", "attn": "full_attention"}
        return {names.get(kind, kind): blocks.count(kind) for kind in sorted(set(map(str, blocks)))}
    kinds = [str(kind) for kind in c.listed("layer_types")[:layers]]
    if kinds and set(kinds) <= {"full_attention", "sliding_attention", "linear_attention", "chunked_attention"}:
        kinds = ["sliding_attention" if kind == "chunked_attention" else kind for kind in kinds]
        found = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
        return found if set(found) != {"full_attention"} else {}
    rotary = c.listed("no_rope_layers")[:layers]
    if rotary and c.number("attention_chunk_size"):
        return {"full_attention": rotary.count(0), "sliding_attention": layers - rotary.count(0)}
    swapped = c.listed("hybrid_layer_pattern")[:layers]
    if swapped:
        return {"full_attention": swapped.count(0), "sliding_attention": swapped.count(1)}
    if isinstance(c.get("block_configs"), list):
        full = sum(not (block.get("attention") or {}).get("no_op") for block in c.listed("block_configs"))
        return {"full_attention": full} if full != layers else {}
    every = c.number("sliding_window_pattern")
    if every and every > 1 and c.number("sliding_window"):
        return {"full_attention": layers // every, "sliding_attention": layers - layers // every}
    return {}


def _linear(c: _Config) -> tuple[int, int] | None:
    """Parameters and elements of the state of one linear or state-space layer."""
    hidden = c.number("hidden_size") or 0
    linear = c.get("linear_attn_config")
    if isinstance(linear, dict) and linear.get("num_heads"):
        # Kimi Delta Attention: query, key, value, output; a gate of full rank or of the head's.
        heads, dim = int(linear["num_heads"]), int(linear.get("head_dim") or 128)
        wide = heads * dim
        gate = hidden * wide if linear.get("use_full_rank_gate") else 2 * dim * (hidden + wide)
        return 4 * hidden * wide + gate + hidden * heads, heads * dim * dim
    values = c.number("linear_num_value_heads")
    if values:
        # Gated delta rule: query, key, value and gate in one projection, two numbers a head, output.
        keys, key_dim = c.number("linear_num_key_heads") or values, c.number("linear_key_head_dim") or 128
        dim = c.number("linear_value_head_dim") or 128
        wide = values * dim
        return hidden * (2 * keys * key_dim + 3 * wide + 2 * values), wide * key_dim
    mixers = c.number("mamba_num_heads", "mamba_n_heads")
    if mixers:
        # Mamba-2: input projection to two inner widths, groups of states and one number a head; output.
        dim, state = (
            c.number("mamba_head_dim", "mamba_d_head") or 64,
            c.number("ssm_state_size", "mamba_d_state") or 128,
        )
        inner, groups = mixers * dim, c.number("n_groups", "mamba_n_groups") or 1
        return hidden * (2 * inner + 2 * groups * state + mixers) + inner * hidden, inner * state
    return None


def _expert_structure(c: _Config) -> dict[str, Any]:
    out: dict[str, Any] = {}
    latent = c.number("routed_expert_hidden_size", "moe_latent_size")
    hidden: int = c.number("hidden_size") or 0
    if latent:
        out["expert_latent"] = latent
    shared = c.number("moe_shared_expert_intermediate_size", "shared_expert_intermediate_size", "share_expert_dim",
                      "shared_intermediate_size")  # fmt: skip
    matrices = 2 if str(c.get("hidden_act", "mlp_hidden_act") or "") == "relu2" else 3
    beside = matrices * hidden * (shared or 0)
    if c.get("enable_moe_block") and c.number("intermediate_size"):
        beside = beside + 3 * hidden * (c.number("intermediate_size") or 0)
    if beside:
        out["shared_params_per_layer"] = beside + (2 * hidden * latent if latent else 0)
    if c.number("zero_expert_num"):
        out["zero_experts"] = c.number("zero_expert_num")
    step = c.number("interleave_moe_layer_step", "moe_layer_interval", "expert_layer_period")
    if step and step > 1:
        out["moe_every"] = step
    return out


def _index(c: _Config, layers: int) -> dict[str, Any]:
    sparse = c.get("sparse_attention_config")
    if isinstance(sparse, dict) and sparse.get("sparse_topk_blocks"):
        block = int(sparse.get("sparse_block_size") or 1)
        return {
            "index_topk": int(sparse["sparse_topk_blocks"]) * block,
            "index_heads": sparse.get("sparse_num_index_heads"), "index_head_dim": sparse.get("sparse_index_dim"),
            "index_layers": sum(map(bool, sparse.get("sparse_attention_freq") or [])) or None,
        }  # fmt: skip
    if not c.number("index_topk"):
        return {}
    own = [kind for kind in c.listed("indexer_types")[:layers] if kind == "full"]
    return {
        "index_topk": c.number("index_topk"), "index_heads": c.number("index_n_heads"),
        "index_head_dim": c.number("index_head_dim"), "index_layers": len(own) or None,
    }  # fmt: skip


def _first_dense(c: _Config) -> int:
    listed = c.listed("mlp_layer_types") or c.listed("moe_layer_freq")
    if listed:
        return sum(kind in ("dense", 0) for kind in listed)
    only = c.listed("mlp_only_layers")
    return len(only) or c.number("first_k_dense_replace", "moe_layer_start_index", "num_dense_layers") or 0


def _active(c: _Config) -> int | None:
    return c.number(
        "num_experts_per_tok", "num_experts_per_token", "experts_per_token", "top_k_experts", "moe_topk", "moe_k"
    )


def _shared(c: _Config) -> int:
    found = c.number("n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts")
    if found is not None:
        return found
    return int(bool(c.number("shared_expert_intermediate_size") or c.number("intermediate_size_mlp")))


def _mean_width(blocks: list[Any], hidden: int) -> int:
    """Mean feed-forward width of layers that differ in it; layers without one count as nothing (Puzzle searches)."""
    widths = []
    for block in blocks:
        feed = block.get("ffn") or {}
        exact = feed.get("intermediate_size") or int(2 * float(feed.get("ffn_mult") or 0) * hidden / 3)
        widths.append(0 if feed.get("no_op") else -(-int(exact) // 256) * 256)
    return round(sum(widths) / max(len(widths), 1))


def _kv_of(blocks: list[Any], heads: int) -> int | None:
    """Key-value heads of layers that differ in them, their mean over the layers with attention."""
    found = []
    for block in blocks:
        attention = block.get("attention") or {}
        if not attention.get("no_op"):
            found.append(attention.get("num_key_value_heads") or heads / float(attention.get("n_heads_in_group") or 1))
    return round(sum(found) / len(found)) if found else None


def _dtype(config: Mapping[str, Any], c: _Config) -> str:
    """Number format: of the experts or the quantisation where one is told, else of the tensors."""
    if c.get("expert_dtype"):
        return str(c.get("expert_dtype"))
    found = config.get("quantization_config") or c.get("quantization_config")
    if isinstance(found, dict):
        method = str(found.get("quant_method") or found.get("quant_algo") or "").lower()
        text = json.dumps(found).lower()
        if method in ("fp8", "mxfp4", "mxfp8", "nvfp4", "awq", "gptq"):
            return {"awq": "int4", "gptq": "int4" if int(found.get("bits") or 4) == 4 else "int8"}.get(method, method)
        if "nvfp4" in text:
            return "nvfp4"
        bits = re.search(r'"num_bits": (\d+)', text)
        kind = re.search(r'"type": "(\w+)"', text)
        if bits:
            return ("fp" if kind and kind[1] == "float" else "int") + bits[1]
        return method
    return str(c.get("torch_dtype", "dtype") or "bfloat16")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "model"
