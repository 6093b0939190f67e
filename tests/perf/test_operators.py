import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.perf._architecture import architecture, flops_per_token
from chipweir.perf._architecture import stack as stack_models
from chipweir.perf._hardware import hardware
from chipweir.perf._hardware import stack as stack_chips
from chipweir.perf._operators import (
    OPERATORS,
    activation_bytes,
    busiest_rank,
    cache_per_sequence,
    pass_load,
    resident_weights,
    roofline,
    work,
)


def one(model="DeepSeek-V3", chip="H200", dtype="fp8", kv="bf16"):
    return work(
        stack_chips([hardware(chip)]),
        stack_models([architecture(model)]),
        np.array([dtype], object),
        np.array([kv], object),
    )


@given(st.floats(0, 1e15), st.floats(0, 1e13), st.floats(1e12, 1e16), st.floats(1e11, 1e13))
def test_the_roofline_is_a_bound(flops, moved, rate, bandwidth):
    seconds = roofline(flops, moved, rate, bandwidth)
    assert seconds >= max(flops / rate, moved / bandwidth) * (1 - 1e-9)
    assert seconds <= flops / rate + moved / bandwidth + 1e-20


def test_operators_sum_to_the_models_flops():
    for name in ("DeepSeek-V3", "Llama-3.1-70B", "gpt-oss-120b", "Qwen3.5-397B-A17B"):
        load = pass_load(one(name), 10.0, 10.0, 4096.0, 1.0, 1.0)
        total = sum(float(np.sum(load.flops[o])) for o in OPERATORS)
        assert total == pytest.approx(10 * float(flops_per_token(architecture(name), 4096.0)), rel=1e-9)


def test_more_chips_share_the_work():
    w = one()
    alone = pass_load(w, 64.0, 64.0, 1000.0, 1.0, 1.0)
    split = pass_load(w, 64.0, 64.0, 1000.0, 8.0, 1.0)
    for operator in OPERATORS:
        assert np.all(split.flops[operator] * 8 == pytest.approx(alone.flops[operator]))
        assert np.all(split.bytes[operator] <= alone.bytes[operator])
    # A latent cache cannot be split over the heads' owners, grouped keys can.
    assert split.bytes["attention_score"] == pytest.approx(alone.bytes["attention_score"])
    llama = one("Llama-3.1-70B")
    assert pass_load(llama, 64.0, 64.0, 1000.0, 8.0, 1.0).bytes["attention_score"] == pytest.approx(
        pass_load(llama, 64.0, 64.0, 1000.0, 1.0, 1.0).bytes["attention_score"] / 8
    )


@settings(deadline=None)
@given(st.floats(1, 4096), st.sampled_from([1.0, 8.0, 64.0, 256.0]))
def test_the_busiest_rank_reads_at_least_the_mean_and_at_most_everything(tokens, ranks):
    w = one()
    touched = np.array([256 * (1 - (1 - 8 / 256) ** tokens)])
    most = busiest_rank(w, touched, ranks)
    assert np.all(most >= touched * (1 - 1e-6))
    assert np.all(most <= 256 * (1 + 1e-9))


@given(st.floats(1, 1e5), st.sampled_from([2.0, 8.0, 32.0]))
def test_spread_experts_copy_their_share_and_sliced_ones_everything(tokens, chips):
    w = one()
    dense, whole = activation_bytes(w, tokens, 1.0, 1.0)
    assert activation_bytes(w, tokens, 1.0, chips, chips)[1] == pytest.approx(whole / chips)
    sliced = activation_bytes(w, tokens, chips, 1.0)[1]
    assert np.all(whole / chips < sliced)
    assert np.all(sliced < whole)
    assert activation_bytes(one("Llama-3.1-70B"), tokens, 1.0, 1.0)[1] == 0
    assert np.all(dense > 0)


def test_weights_on_a_chip_and_a_sequences_cache():
    w = one("DeepSeek-V3")
    assert resident_weights(w, 1.0, 1.0) == pytest.approx(673e9, rel=0.005)
    assert resident_weights(w, 8.0, 1.0) == pytest.approx(673e9 / 8, rel=0.005)
    assert resident_weights(w, 1.0, 8.0) > resident_weights(w, 8.0, 1.0)
    assert cache_per_sequence(w, 1000.0, 8.0) == pytest.approx(61 * 576 * 2 * 1000)
