from itertools import pairwise

import pytest

from chipweir.errors import InputError, UnknownName
from chipweir.perf import estimate
from chipweir.perf._estimate import frontier


def test_the_target_is_kept():
    slow, quick = (
        estimate("DeepSeek-V3.1", "H20", chips=8, target_tpot_ms=100),
        estimate("DeepSeek-V3.1", "H20", chips=8, target_tpot_ms=30),
    )
    assert quick.quantities["tpot_ms"]["p50"] <= 30 * 1.001
    assert slow.quantities["output_tok_s_chip"]["p50"] >= quick.quantities["output_tok_s_chip"]["p50"]


def test_a_target_nobody_keeps_is_said():
    found = estimate("DeepSeek-V3.1", "H20", chips=8, target_tpot_ms=1)
    assert any("no layout keeps 1 ms" in n for n in found.notes)


def test_h20_decodes_nearly_like_h100_and_prefills_like_neither():
    h20, h100 = (
        estimate("Llama-3.1-70B", chip, chips=8, isl=8000, osl=4000, concurrency=4, precision_name="fp8")
        for chip in ("H20", "H100")
    )
    assert h20.quantities["tpot_ms"]["p50"] < 1.2 * h100.quantities["tpot_ms"]["p50"]
    assert h20.quantities["ttft_ms"]["p50"] > 2 * h100.quantities["ttft_ms"]["p50"]


def test_eight_bits_change_tokens_only_where_there_is_a_unit_or_memory_to_save():
    wide, narrow = (estimate("Llama-3.1-8B", "H100", concurrency=8, chips=1, precision_name=p) for p in ("bf16", "fp8"))
    assert narrow.quantities["tpot_ms"]["p50"] < wide.quantities["tpot_ms"]["p50"]
    assert narrow.memory["weights_bytes"] < 0.6 * wide.memory["weights_bytes"]
    emulated = estimate("Llama-3.1-8B", "A100", concurrency=8, chips=1, precision_name="fp8")
    assert any("emulated" in n for n in emulated.notes)


def test_more_bandwidth_is_faster():
    plain = estimate("Llama-3.1-70B", "H20", chips=8, concurrency=16)
    better = estimate("Llama-3.1-70B", "H20", chips=8, concurrency=16, overrides={"memory_bandwidth": 8e12})
    assert better.quantities["tpot_ms"]["p50"] < plain.quantities["tpot_ms"]["p50"]


def test_long_context_needs_the_cache_it_needs():
    found = estimate("Seed-OSS-36B", "H20", isl=520000, osl=1000, concurrency=1)
    assert found.memory["cache_bytes_per_token"] == pytest.approx(262144)
    assert found.chips >= 3


def test_what_cannot_fit_is_said_with_the_bytes():
    with pytest.raises(InputError, match=r"GB .* 1 x .* hold"):
        estimate("DeepSeek-V3", "H20", chips=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"chips": 0}, "chips"),
        ({"isl": -1}, "isl"),
        ({"osl": float("nan")}, "osl"),
        ({"concurrency": 0}, "concurrency"),
        ({"target_tpot_ms": -5}, "target-tpot"),
        ({"precision_name": "fp7"}, "fp7"),
        ({"overrides": {"speed": 1.0}}, "hardware field"),
    ],
)
def test_impossible_numbers(options, words):
    with pytest.raises(InputError, match=words):
        estimate("Llama-3.1-8B", "H100", **options)


def test_unknown_names():
    with pytest.raises(UnknownName):
        estimate("Llama-9", "H100")
    with pytest.raises(UnknownName):
        estimate("Llama-3.1-8B", "Deep Thought")


def test_costs_follow_from_throughput():
    found = estimate("DeepSeek-V3.1", "H800", chips=16, target_tpot_ms=50)
    cost, made = found.cost, found.quantities
    assert cost["usd_per_million_output"]["p50"] == pytest.approx(
        cost["usd_per_chip_hour"]["p50"] / 3600 / made["output_tok_s_chip"]["p50"] * 1e6
    )
    assert (
        cost["usd_per_million_output"]["p10"]
        < cost["usd_per_million_output"]["p50"]
        < cost["usd_per_million_output"]["p90"]
    )


def test_the_frontier_rises_in_throughput_and_latency_together():
    points = frontier("DeepSeek-V3.1", "H20", chips=16)
    assert len(points) > 3
    assert all(
        a["tpot_ms"] <= b["tpot_ms"] and a["output_tok_s_chip"] < b["output_tok_s_chip"] for a, b in pairwise(points)
    )


def test_a_stated_layout_is_kept_and_needs_its_chips():
    found = estimate("Llama-3.1-70B", "H100", chips=16, concurrency=32, layout={"tp": 4, "pp": 2})
    assert (found.plan["tp"], found.plan["pp"], found.plan["replicas"]) == (4, 2, 2)
    assert found.alternatives == ()
    with pytest.raises(InputError, match="16 chips, more than the 8"):
        estimate("Llama-3.1-70B", "H100", chips=8, concurrency=32, layout={"tp": 8, "pp": 2})


def test_the_next_best_layouts_are_no_better_than_the_best():
    found = estimate("Llama-3.1-70B", "H20", chips=8, target_tpot_ms=60)
    assert found.alternatives
    within = [a for a in found.alternatives if a["tpot_ms"] <= 60]
    assert all(a["output_tok_s_chip"] <= found.quantities["output_tok_s_chip"]["p50"] * 1.001 for a in within)


def test_a_limit_on_the_first_token_is_kept_or_said():
    free = estimate("Llama-3.1-70B", "H20", chips=8)
    held = estimate("Llama-3.1-70B", "H20", chips=8, target_ttft_ms=free.quantities["ttft_ms"]["p50"] / 2)
    kept = held.quantities["ttft_ms"]["p50"] <= free.quantities["ttft_ms"]["p50"] / 2 * 1.001
    assert kept or any("to the first token" in note for note in held.notes)


def test_older_software_is_slower_and_an_unknown_version_is_refused():
    options = {"chips": 8, "concurrency": 16, "framework": "vllm"}
    old, new = (estimate("Llama-3.1-70B", "H100", date=d, **options) for d in ("2024-06", "2026-06"))
    assert old.quantities["tpot_ms"]["p50"] > new.quantities["tpot_ms"]["p50"]
    with pytest.raises(InputError, match="no release date"):
        estimate("Llama-3.1-70B", "H100", framework_version="zero", **options)
    with pytest.raises(InputError, match="date must be"):
        estimate("Llama-3.1-70B", "H100", date="summer", **options)


def test_drafting_speeds_up_small_loads():
    plain, drafted = (estimate("DeepSeek-V3", "H200", chips=8, concurrency=1, drafts=d) for d in (None, 3))
    assert drafted.quantities["tpot_ms"]["p50"] < plain.quantities["tpot_ms"]["p50"]


def test_dense_models_beyond_a_node_run_in_stages():
    found = estimate("Llama-3.1-405B", "A100", chips=16)
    assert found.plan["pp"] == 2
