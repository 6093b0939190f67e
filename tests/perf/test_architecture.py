import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.perf._architecture import (
    active_matrix_params,
    architecture,
    flops_per_token,
    kv_bytes,
    kv_read_bytes,
    stack,
    take,
    touched_experts,
    weight_bytes,
)


def catalogued():
    for record in facts.load().models.values():
        try:
            yield record, architecture(record.id)
        except InputError:
            continue


# Shapes recalled or taken from library defaults that do not add up to the published size; each says so in its notes.
DOUBTED = {
    "google-gopher-280b", "meta-muse-glimmer-30b", "tencent-hunyuan-7b", "baidu-ernie-4.5-vl-424b-a47b",
    "google-gemma-4-e4b", "sk-telecom-a.x-3.1-light", "naver-hyperclova-x-seed-omni-8b", "moonshot-kimi-k3",
    "alibaba-qwen1.5-0.5b",
}  # fmt: skip


def test_counted_parameters_agree_with_the_published_total_or_the_difference_is_told():
    counted = 0
    for record, model in catalogued():
        assert bool(model.doubt) == (record.id in DOUBTED), (record.id, model.doubt)
        if not record.total_params_b or model.doubt:
            continue
        parts = model.attention_params + model.dense_params + model.shared_params + model.embedding_params
        parts += (
            0 if record.tie_embeddings else model.head_params
        ) + model.moe_layers * model.experts * model.expert_params
        assert parts == pytest.approx(record.total_params_b * 1e9, rel=0.07), record.id
        counted += 1
    assert counted > 230


def test_active_parameters_agree_with_the_published_ones():
    for record, model in catalogued():
        if record.active_params_b and record.type == "MoE":
            # Published counts differ in whether they hold the embedding of the input.
            assert 0.8 * record.active_params_b < (model.active_params + model.embedding_params) / 1e9, record.id
            assert model.active_params / 1e9 < 1.22 * record.active_params_b, record.id


def test_seed_oss_keeps_262_kilobytes_a_token_and_does_not_fit_one_h20_at_512k():
    seed = architecture("Seed-OSS-36B")
    assert kv_bytes(seed, 1) == 2 * 64 * 8 * 128 * 2
    assert kv_bytes(seed, 524288) == pytest.approx(137.4e9, rel=0.001)


def test_latent_attention_keeps_576_numbers_a_token_and_layer():
    assert kv_bytes(architecture("DeepSeek-V3"), 1, "fp8") == 61 * 576


def test_window_layers_stop_growing():
    gpt = architecture("gpt-oss-120b")
    full = kv_bytes(gpt, 20000) - kv_bytes(gpt, 10000)
    assert full == pytest.approx(10000 * gpt.kv_elements * 2)
    assert gpt.window == 128


def test_sparse_attention_reads_less_than_it_keeps():
    sparse, dense = architecture("DeepSeek-V3.2"), architecture("DeepSeek-V3")
    assert kv_bytes(sparse, 1e5) > kv_bytes(dense, 1e5)
    assert kv_read_bytes(sparse, 1e5) < 0.5 * kv_read_bytes(dense, 1e5)
    assert flops_per_token(sparse, 1e5) < flops_per_token(dense, 1e5)


def test_hybrids_have_state_instead_of_cache():
    hybrid = architecture("Qwen3.5-397B-A17B")
    assert hybrid.state_elements > 0
    assert kv_bytes(hybrid, 1e5) < 0.3 * kv_bytes(architecture("Qwen3-235B-A22B"), 1e5)


def test_a_token_costs_two_flops_per_active_weight():
    llama = architecture("Llama-3.1-8B")
    assert flops_per_token(llama) == 2 * active_matrix_params(llama)
    assert flops_per_token(llama, 1000) - flops_per_token(llama) == pytest.approx(4 * 32 * 128 * 32 * 1000)


def test_half_the_bytes_make_half_the_weights_but_for_embeddings():
    model = architecture("Llama-3.1-70B")
    kept = 2 * (model.embedding_params + model.head_params)
    assert weight_bytes(model, "bf16") - kept == pytest.approx(2 * (weight_bytes(model, "fp8") - kept))


@given(st.integers(1, 512), st.integers(1, 16), st.floats(0, 1e5), st.floats(0, 1e5))
def test_touched_experts_lie_between_those_of_one_token_and_all(experts, active, a, b):
    active = min(active, experts)
    few, many = sorted((a, b))
    touched = touched_experts(experts, active, np.array([few, many]))
    assert 0 <= touched[0] <= touched[1] + 1e-9 <= experts + 2e-6
    assert touched_experts(experts, active, 1.0) == pytest.approx(active, rel=1e-6)


@given(st.integers(1, 512), st.integers(1, 16), st.floats(1, 1e5), st.floats(0.2, 50), st.floats(1.01, 10))
def test_uneven_routing_touches_fewer_experts_and_never_fewer_than_one_token_does(experts, active, n, evenness, more):
    active = min(active, experts)
    few, many = (touched_experts(experts, active, np.array([x]), np.array([evenness]))[0] for x in (n, n * more))
    assert active * (1 - 1e-6) <= few <= many + 1e-9
    assert many <= touched_experts(experts, active, np.array([n * more]))[0] * (1 + 1e-9)
    assert few <= touched_experts(experts, active, np.array([n]), np.array([evenness * more]))[0] * (1 + 1e-9)
    nearly = touched_experts(experts, active, np.array([n]), np.array([1e7]))[0]
    assert nearly == pytest.approx(touched_experts(experts, active, np.array([n]))[0], rel=1e-2)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("DeepSeek-R1-0528", "DeepSeek-R1"),
        ("meta-llama/Llama-3.3-70B-Instruct", "Llama-3.3-70B"),
        ("llama2-70b-99.9", "Llama-2-70B"),
        ("Qwen3-235B-A22B-Thinking-2507-FP8", "Qwen3-235B-A22B"),
        ("DeepSeek-V3/R1", "DeepSeek-V3"),
        ("LLAMA3.1_405B", "Llama-3.1-405B"),
        ("gemma-3-12b-it", "Gemma-3-12B"),
        ("Mixtral-8x22B", "Mixtral-8x22B"),
    ],
)
def test_checkpoints_and_spellings_lead_to_their_architecture(name, known):
    assert architecture(name).name.startswith(known)


def test_an_unknown_model_carries_the_nearest():
    with pytest.raises(UnknownName, match="DeepSeek-V3"):
        architecture("DeepSeek-V9")
    with pytest.raises(InputError, match="no model given"):
        architecture(" ")


def test_a_model_without_published_layers_says_what_is_missing():
    unpublished = [r for r in facts.load().models.values() if not r.layers]
    assert len(unpublished) > 30
    for record in unpublished:
        with pytest.raises(InputError, match=r"layers|does not publish its architecture"):
            architecture(record.id)


def test_closed_models_are_known_by_name_and_refused_with_the_reason():
    for name in ("GPT-5", "Claude Opus 4.1", "더우바오", "HyperCLOVA X", "ERNIE 5.0", "o3"):
        with pytest.raises(InputError, match="does not publish its architecture"):
            architecture(name)


def test_kimi_k3_counts_latent_experts_and_a_cache_of_its_latent_layers_alone():
    k3, k2 = architecture("Kimi-K3"), architecture("Kimi-K2")
    assert k3.total_params == pytest.approx(92 * 896 * 3 * 3584 * 3072, rel=0.03)
    assert k3.kv_elements == 24 * 576
    assert k3.state_elements == 69 * 96 * 128 * 128
    assert k3.latent == k2.latent == 1.0


def test_plain_multi_head_attention_does_not_mean_a_feed_forward_without_a_gate():
    gated, plain = architecture("Llama-2-13B"), architecture("MPT-13B")
    assert gated.dense_params == 3 * 40 * 5120 * 13824
    assert plain.dense_params == 2 * 40 * 5120 * 4 * 5120


def test_sliding_layers_have_shapes_of_their_own():
    mimo = architecture("MiMo-V2-Flash")
    assert mimo.window_kv_elements == 39 * 8 * (192 + 128)
    assert mimo.kv_elements == 9 * 4 * (192 + 128)


def test_experts_that_do_nothing_cost_nothing_and_a_shared_cache_is_kept_once():
    longcat = architecture("LongCat-Flash-560B-A27B")
    assert longcat.experts_active == pytest.approx(12 * 512 / 768)
    assert longcat.active_params == pytest.approx(27e9, rel=0.05)
    hunyuan = architecture("Hunyuan-Large")
    assert hunyuan.kv_elements == 32 * 2 * 8 * 80
    assert kv_read_bytes(hunyuan, 1000) == pytest.approx(2 * kv_bytes(hunyuan, 1000))


def test_stack_and_take_keep_order():
    models = [architecture(n) for n in ("Llama-3.1-8B", "DeepSeek-V3")]
    picked = take(stack(models), np.array([1]))
    assert picked.id[0] == models[1].id
    assert math.isinf(stack(models).topk[0])


def test_mixers_and_feed_forwards_counted_as_layers_of_their_own_are_paired():
    hybrid, plain = architecture("NVIDIA-Nemotron-Nano-9B-v2"), architecture("Llama-3.1-8B")
    assert (hybrid.layers, hybrid.blocks) == (56, 31)
    assert plain.blocks == plain.layers
