import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.errors import InputError
from chipweir.perf import estimate
from chipweir.perf._architecture import architecture
from chipweir.perf._batch import predict_rows
from chipweir.perf._hardware import hardware
from chipweir.perf._planner import planned


MODELS = ("Llama-3.1-8B", "Llama-3.1-70B", "Qwen3-235B-A22B", "DeepSeek-V3.1")


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(MODELS), st.sampled_from(("H20", "H200", "MI355X")), st.sampled_from((8, 16, 24, 72, 100)))
def test_every_layout_stays_within_the_chips(model, chip, chips):
    try:
        plans = planned(architecture(model), hardware(chip), "fp8", float(chips), context=4096.0, apart=True)
    except InputError:
        return
    assert len(set(plans)) == len(plans)
    for plan in plans:
        assert plan.chips <= chips
        assert plan.replicas >= 1
        assert (plan.pooled == plan.chips) == plan.split


def test_mixtures_split_attention_inside_data_parallel_ranks_of_expert_models_alone():
    def shapes(model):
        plans = planned(architecture(model), hardware("H200"), "fp8", 16.0, context=4096.0, apart=False)
        assert not any(plan.split for plan in plans)
        return {(plan.tp, plan.dp) for plan in plans if plan.tp > 1 and plan.dp > 1}

    assert {(2.0, 8.0), (4.0, 4.0), (8.0, 2.0)} <= shapes("Qwen3-235B-A22B")
    assert shapes("Llama-3.1-70B") == set()


@pytest.mark.parametrize(("model", "chip", "chips"), [("DeepSeek-V3.1", "H20", 8), ("Llama-3.1-70B", "H100", 16)])
def test_a_planner_does_no_worse_than_the_usual_layouts(model, chip, chips):
    found = estimate(model, chip, chips=chips, isl=4096, osl=512, framework="sglang")
    [usual] = predict_rows(
        [{"model": model, "chip": chip, "n_chips": str(chips), "isl": "4096", "osl": "512", "framework": "sglang",
          "stat": "median steady"}]
    )  # fmt: skip
    least = usual["predictions"]["output_tok_s_chip"]["p50"] * usual["plan"]["chips"]
    assert found.quantities["output_tok_s_chip"]["p50"] * found.chips >= least * 0.98


def test_long_prompts_under_a_tight_limit_are_read_apart():
    options = {"chips": 32, "isl": 8192, "osl": 256, "target_tpot_ms": 50}
    found = estimate("Llama-3.1-70B", "H100", **options)
    plan, made = found.plan, found.quantities
    prefill = plan["prefill_replicas"] * plan["prefill_tp"] * plan["prefill_dp"]
    decoding = plan["tp"] * plan["attention_dp"] * plan["pp"] * plan["replicas"]
    assert prefill > decoding
    assert prefill + decoding == found.chips <= 32
    assert any("only prefill" in note for note in found.notes)
    # All rates and the energy count over the same chips: Little's law, and J as watts over tokens.
    cycle = made["ttft_ms"]["p50"] / 1e3 + 256 * made["tpot_ms"]["p50"] / 1e3
    rate = plan["concurrency"] * 256 / cycle / found.chips
    assert made["output_tok_s_chip"]["p50"] == pytest.approx(rate, rel=0.02)
    assert made["total_tok_s_chip"]["p50"] == pytest.approx(rate * (8192 + 256) / 256, rel=0.02)
    assert made["j_per_output_token"]["p50"] == pytest.approx(made["power_w_chip"]["p50"] / rate, rel=0.02)
    together = [a for a in found.alternatives if "prefill_replicas" not in a]
    assert together
    assert all(a["output_tok_s_chip"] < made["output_tok_s_chip"]["p50"] for a in together)


def test_short_prompts_and_stated_loads_are_read_where_they_are_answered():
    assert "prefill_tp" not in estimate("Llama-3.1-8B", "H100", chips=8, isl=128, osl=2048, target_tpot_ms=50).plan
    assert "prefill_tp" not in estimate("Llama-3.1-70B", "H100", chips=32, isl=8192, osl=256, concurrency=64).plan


def test_the_next_best_come_in_the_order_of_what_all_the_chips_give():
    found = estimate("Llama-3.1-70B", "H100", chips=32, isl=8192, osl=256, target_tpot_ms=50)

    def whole(a):
        prefill = a.get("prefill_tp", 0) * a.get("prefill_dp", 0) * a.get("prefill_replicas", 0)
        return a["output_tok_s_chip"] * (a["tp"] * a["attention_dp"] * a["pp"] * a["replicas"] + prefill)

    best = found.quantities["output_tok_s_chip"]["p50"] * found.chips
    assert all(whole(a) >= whole(b) * 0.999 for a, b in itertools.pairwise(found.alternatives))
    assert best >= whole(found.alternatives[0]) * 0.999
