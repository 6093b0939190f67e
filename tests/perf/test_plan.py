import math

import pytest

from chipweir.errors import InputError
from chipweir.perf._architecture import architecture
from chipweir.perf._hardware import hardware
from chipweir.perf._plan import (
    Plan,
    Stated,
    arrange,
    candidates,
    decode_slots,
    fits,
    read_plan,
    read_worker,
    smallest_group,
)


def plan(model="DeepSeek-R1", chip="B200", dtype="fp8", **stated):
    return read_plan(Stated(**stated), architecture(model), hardware(chip), dtype)


def test_nothing_stated_leaves_the_plan_open():
    assert plan(n_chips=8.0) is None


def test_tensor_parallel_replicas_fill_the_chips():
    p = plan(n_chips=8.0, tp=2.0, ep=1.0)
    assert (p.tp, p.dp, p.replicas, p.chips) == (2, 1, 4, 8)


def test_one_group_counted_twice_is_counted_once():
    # Published tables multiply the tensor and the expert degree of the same eight chips.
    p = plan(n_chips=64.0, tp=8.0, ep=8.0, attention_dp=False)
    assert (p.tp, p.ep, p.chips) == (8, 8, 8)
    spread = plan(n_chips=64.0, tp=8.0, ep=8.0, attention_dp=True)
    assert (spread.tp, spread.dp, spread.chips) == (1, 8, 8)
    squared = plan(model="MiniMax-M2.5", n_chips=16.0, tp=4.0, ep=16.0, attention_dp=4.0)
    assert (squared.tp, squared.dp, squared.chips, squared.ep) == (1, 4, 4, 4)


def test_disaggregated_workers_are_read():
    p = plan(disagg=True, prefill_chips=40.0, decode_chips=32.0, prefill_parallel="10x(tp1 ep1 dpattn=True)",
             decode_parallel="1x(tp1 ep1 dpattn=True)")  # fmt: skip
    assert p.split
    assert (p.dp, p.decode_chips, p.prefill_dp, p.prefill_replicas, p.prefill_chips) == (32, 32, 4, 10, 40)
    q = plan(disagg=True, prefill_parallel="1x(tp1 adp4 mtp1 mep4 bs1)", decode_parallel="4x(tp8 adp1 mtp1 mep8 bs6)")
    assert (q.tp, q.replicas, q.ep, q.prefill_dp) == (8, 4, 8, 4)


def test_where_the_experts_of_a_worker_lie():
    p = plan(disagg=True, prefill_parallel="1x(tp8 ep1 dpattn=True)", decode_parallel="2x(tp8 ep8 dpattn=False)")
    assert (p.prefill_tp, p.prefill_dp, p.prefill_ep) == (1, 8, 1)
    assert (p.tp, p.dp, p.ep, p.replicas) == (8, 1, 8, 2)
    unsaid = plan(disagg=True, prefill_parallel="4x(dp4)", decode_parallel="1x(dp32)")
    assert (unsaid.ep, unsaid.prefill_ep) == (32, 4)
    dense = plan(model="Llama-3.1-70B", disagg=True, prefill_parallel="1x(tp4 ep4)", decode_parallel="1x(tp8 ep8)")
    assert (dense.ep, dense.prefill_ep) == (1, 1)


def test_two_nodes_may_split_a_layer_but_no_rack_does():
    p = plan(chip="H100", disagg=True, prefill_parallel="1x(tp16)", decode_parallel="3x(tp16 adp1 mtp1 mep16 bs2)")
    assert (p.tp, p.dp, p.prefill_tp, p.replicas) == (16, 1, 16, 3)
    rack = plan(chip="GB200", disagg=True, prefill_parallel="4x(tp4)", decode_parallel="1x(tp48 adp1 mtp12 mep4 bs64)")
    assert (rack.tp, rack.dp) == (1, 48)


def test_nodes_run_several_data_parallel_workers_for_short_prompts_a_rack_one():
    worker = "x(tp8 adp1 mtp1 mep8 bs)"
    uncounted = plan(disagg=True, prefill_parallel=worker, decode_parallel=worker)
    short, long = (arrange(uncounted, True, 8.0, isl, 1024.0, 2048.0) for isl in (1024.0, 8192.0))
    assert (short.dp, short.replicas, long.dp, long.replicas) == (8, 5, 8, 1)
    assert arrange(uncounted, True, 8.0, 1024.0, 1024.0, 2048.0, domain=72.0).replicas == 1
    # Long prompts pay for data parallelism at fewer requests.
    assert arrange(uncounted, True, 8.0, 8192.0, 1024.0, 256.0).dp == 8
    assert arrange(uncounted, True, 8.0, 1024.0, 1024.0, 256.0).dp == 1


def test_an_unstated_number_of_workers_stays_open():
    p = plan(disagg=True, prefill_parallel="x(tp4 adp1 mtp1 mep4 bs)", decode_parallel="x(tp8 adp1 mtp2 mep4 bs)")
    assert math.isinf(p.prefill_replicas)
    assert not p.counted


def test_latent_caches_are_not_split_over_a_rack():
    assert plan(chip="GB200", n_chips=64.0, tp=64.0, ep=1.0).dp == 64


def test_experts_split_wider_than_attention_repeat_it():
    p = plan(model="Qwen3-235B-A22B", chip="H200", n_chips=1.0, tp=1.0, ep=1.0, moe_tp=4.0)
    assert (p.tp, p.dp, p.replicas) == (1, 4, 1)
    assert plan(model="Qwen3-235B-A22B", chip="H200", n_chips=8.0, tp=8.0, ep=1.0, moe_tp=8.0).dp == 1


@pytest.mark.parametrize("text", ["four by two", "x()", "(((", "2x", "ranks 8"])
def test_words_that_are_no_layout_are_refused(text):
    with pytest.raises(InputError, match="cannot read the layout"):
        read_worker(text)


def test_an_empty_layout_says_nothing():
    assert read_worker("  ") is None


def test_contradictions_are_refused():
    with pytest.raises(InputError, match="tp 16"):
        plan(n_chips=8.0, tp=16.0)
    with pytest.raises(InputError, match="n_chips"):
        plan(n_chips=0.5, tp=1.0)


def test_the_smallest_group_holds_the_model_and_one_less_does_not():
    model, chip = architecture("DeepSeek-V3"), hardware("H20")
    least = smallest_group(model, chip, "fp8")
    assert fits(model, chip, "fp8", least)
    assert not fits(model, chip, "fp8", least // 2)


def test_what_does_not_fit_is_said_with_the_bytes():
    with pytest.raises(InputError, match=r"81\d GB .* 8 x .* hold .* GB beside buffers; it fits"):
        candidates(architecture("Llama-3.1-405B"), hardware("H100"), "bf16", 8.0)


def test_candidates_fit_the_chips_and_the_memory():
    for plans in (candidates(architecture("DeepSeek-V3"), hardware("B200"), "fp8", 32.0),):
        assert plans
        for p in plans:
            assert p.chips <= 32
            assert fits(architecture("DeepSeek-V3"), hardware("B200"), "fp8", p.tp * p.dp)


def test_chips_add_up():
    p = Plan(2.0, 4.0, 3.0, 4.0, 1.0, 2.0)
    assert (p.decode_chips, p.prefill_chips, p.chips) == (24, 8, 32)


def test_requests_beyond_the_slots_of_the_decode_workers_are_told():
    split = Plan(1.0, 8.0, 2.0, prefill_replicas=1.0)
    assert decode_slots("trt", split, 1075.0) == 1024
    assert decode_slots("trt", split, 1024.0) == 1024
    assert math.isinf(decode_slots("trt", split, 1500.0))
    assert math.isinf(decode_slots("trt", split, 9.0))
    assert math.isinf(decode_slots("sglang", split, 1075.0))
    assert math.isinf(decode_slots("trt", Plan(8.0, 1.0, 2.0), 1075.0))
    stated = plan(disagg=True, prefill_parallel="1x(tp1 adp4 bs1)", decode_parallel="2x(tp1 adp8 mep8 bs32)")
    assert decode_slots("vllm", stated, 4096.0) == 2 * 8 * 32
