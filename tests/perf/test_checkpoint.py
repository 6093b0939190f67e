"""Names of checkpoints and their configurations: what a spelling means, and what a config.json counts."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.perf._architecture import architecture, from_model
from chipweir.perf._checkpoint import checkpoint_path, model_of_config, named_format, record_of


@pytest.mark.parametrize(
    ("name", "model", "form"),
    [
        ("Qwen3.5-397B-A17B-w8a8-mtp", "alibaba-qwen3.5-397b-a17b", "int8"),
        ("Qwen3.5-397B-A17B-w4a8-mtp", "alibaba-qwen3.5-397b-a17b", "w4a8"),
        ("MiniMax-M2.7-w8a8-QuaRot", "minimax-m2.7", "int8"),
        ("DeepSeek-V4-Flash-w8a8c8-mtp", "deepseek-v4-flash", "int8"),
        ("Qwen/Qwen3-32B-AWQ", "alibaba-qwen3-32b", "int4"),
        ("nvidia/DeepSeek-R1-0528-NVFP4-v2", "deepseek-r1", "fp4"),
        ("Meta-Llama-3.1-8B-Instruct.Q4_K_M", "meta-llama-3.1-8b", "int4"),
        ("Qwen3-8B-Q8_0.gguf", "alibaba-qwen3-8b", "w8a16"),
        ("RedHatAI/Llama-3.3-70B-Instruct-quantized.w4a16", "meta-llama-3.3-70b", "int4"),
        ("amd/Llama-3.1-70B-Instruct-FP8-KV", "meta-llama-3.1-70b", "fp8"),
        ("Qwen3-30B-A3B-Thinking-2507-FP8-dynamic", "alibaba-qwen3-30b-a3b", "fp8"),
        ("llama2-70b-99.9", "meta-llama-2-70b", ""),
        ("엑사원 4.0", "lg-exaone-4.0-32b", ""),
        ("DeepSeek V3.1终极版", "deepseek-v3.1", ""),
        ("gpt-oss-120b", "openai-gpt-oss-120b", ""),
    ],
)
def test_endings_tell_formats_and_tunings_not_another_model(name: str, model: str, form: str) -> None:
    assert record_of(name, facts.load()).id == model
    assert named_format(name) == form


@given(
    st.sampled_from(sorted(m.name for m in facts.load().models.values())),
    st.lists(
        st.sampled_from(["FP8", "NVFP4", "AWQ", "w8a8", "W4A16", "Instruct", "mtp", "0528", "dynamic"]), max_size=3
    ),
    st.sampled_from(["", "someone/"]),
)
def test_endings_and_publishers_never_change_the_model(name: str, endings: list[str], publisher: str) -> None:
    plain = record_of(name, facts.load())
    said = record_of(publisher + "-".join([name, *endings]), facts.load())
    # A longer name may be a model of its own (Kimi-K2-Instruct), then of the same shape.
    assert said.id == plain.id or said.layers == plain.layers


def test_models_with_rows_of_their_own_keep_them() -> None:
    assert record_of("Kimi-K2-Thinking", facts.load()).id == "moonshot-kimi-k2-thinking"
    assert record_of("Command R+", facts.load()).id == "cohere-command-r-plus"
    with pytest.raises(UnknownName, match="DeepSeek-V3"):
        record_of("DeepSeek-V9", facts.load())


LLAMA = {"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
         "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, "torch_dtype": "bfloat16",
         "max_position_embeddings": 131072}  # fmt: skip
DEEPSEEK = {"model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128,
            "num_key_value_heads": 128, "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64, "v_head_dim": 128, "intermediate_size": 18432, "moe_intermediate_size": 2048,
            "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "first_k_dense_replace": 3,
            "num_nextn_predict_layers": 1, "vocab_size": 129280,
            "quantization_config": {"quant_method": "fp8"}}  # fmt: skip
HYBRID = {"text_config": {
    "hidden_size": 4096, "num_hidden_layers": 60, "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 256,
    "attn_output_gate": True, "layer_types": (["linear_attention"] * 3 + ["full_attention"]) * 15,
    "linear_num_key_heads": 16, "linear_num_value_heads": 64, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
    "moe_intermediate_size": 1024, "shared_expert_intermediate_size": 1024, "num_experts": 512,
    "num_experts_per_tok": 10, "vocab_size": 248320}}  # fmt: skip
MAMBA = {"hidden_size": 8192, "layers_block_type": ["mamba", "moe"] * 48 + ["attention"] * 12, "mamba_num_heads": 256,
         "mamba_head_dim": 64, "ssm_state_size": 128, "n_groups": 8, "num_attention_heads": 64, "head_dim": 128,
         "num_key_value_heads": 2, "moe_intermediate_size": 5120, "moe_latent_size": 2048, "mlp_hidden_act": "relu2",
         "moe_shared_expert_intermediate_size": 10240, "n_routed_experts": 512, "n_shared_experts": 1,
         "num_experts_per_tok": 22, "intermediate_size": 5120, "vocab_size": 131072}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "total", "active"),
    [(LLAMA, 8.03e9, 7.5e9), (DEEPSEEK, 671e9, 37e9), (HYBRID, 397e9, 16.5e9), (MAMBA, 550e9, 55e9)],
)
def test_a_configuration_counts_what_its_card_says(config: dict[str, object], total: float, active: float) -> None:
    model = from_model(model_of_config(config, "mine"))
    assert model.total_params == pytest.approx(total, rel=0.01)
    assert model.active_params == pytest.approx(active, rel=0.03)
    assert "no published total" in model.doubt


def test_a_configuration_counts_like_the_facts_row_of_the_same_model() -> None:
    for config, name in ((LLAMA, "Llama-3.1-8B"), (DEEPSEEK, "DeepSeek-V3"), (HYBRID, "Qwen3.5-397B-A17B")):
        mine, known = from_model(model_of_config(config, "mine")), architecture(name)
        for field in ("attention_params", "kv_elements", "score_flops", "experts_active", "state_elements", "blocks"):
            assert getattr(mine, field) == pytest.approx(getattr(known, field)), (name, field)
    assert from_model(model_of_config(DEEPSEEK, "mine")).native_dtype == "fp8"


def test_a_path_is_read_and_what_is_no_model_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "My-Model-70B"
    folder.mkdir()
    path = folder / "config.json"
    path.write_text(json.dumps(LLAMA), encoding="utf-8")
    assert architecture(str(path)).name == "My-Model-70B"
    assert architecture(str(folder)).layers == 32
    assert checkpoint_path("meta-llama/Llama-3.1-8B") is None
    for text, why in (("[]", "object"), ("{", "not valid JSON"), ('{"a": 1}', "hidden_size"), ("\0", "NUL"),
                      ('{"hidden_size": "x", "num_hidden_layers": 2, "vocab_size": 3}', "hidden_size")):  # fmt: skip
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=why) as caught:
            architecture(str(path))
        assert "config.json" in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="cannot read"):
        architecture(str(tmp_path / "absent.json"))


def test_no_stated_number_is_read_from_free_text() -> None:
    """Structure is typed: an unknown name in the cell is refused with file and line."""
    with pytest.raises(ValueError, match="structure"):
        facts.LanguageModel(id="x", name="x", maker="x", country="", structure="{oops")
    with pytest.raises(ValueError, match="extra"):
        facts.LanguageModel(id="x", name="x", maker="x", country="", structure='{"layer_typo": 3}')
