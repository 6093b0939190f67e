import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.errors import InputError
from chipweir.perf._cells import number
from chipweir.perf._configuration import read_configuration
from chipweir.perf._offered import statistic
from chipweir.perf._software import engine_of, software_year


BASE = {
    "phase": "serving",
    "chip": "H100",
    "model": "Llama-3.1-70B",
    "tp": "8",
    "isl": "1024",
    "osl": "512",
    "concurrency": "16",
}


def read(**changes):
    return read_configuration({**BASE, **{k: str(v) for k, v in changes.items()}})


def test_a_plain_row():
    c = read(precision="fp8", framework="vllm")
    assert (c.dtype, c.engine, c.isl, c.osl, c.concurrency) == ("fp8", "vllm", 1024, 512, 16)
    assert c.plan.tp == 8


@pytest.mark.parametrize(
    ("text", "model", "chip", "dtype"),
    [
        ("INT8 (W8A8)", "DeepSeek-R1", "Ascend 910C", "int8"),
        ("fp8/fp4 (see submission)", "Llama-3.1-70B", "B200", "fp4"),
        ("fp8/fp4 (see submission)", "Llama-3.1-70B", "H100", "fp8"),
        ("", "Llama-3.1-8B-Instruct-FP8", "H100", "fp8"),
        ("", "Llama-3.1-8B", "H100", "bf16"),
        ("", "DeepSeek-V3", "H100", "fp8"),
        ("", "DeepSeek-V3", "Ascend 910C", "int8"),
        ("fp8 attention + nvfp4 MoE", "DeepSeek-R1", "GB200", "fp4"),
        ("MXFP8", "DeepSeek-V3", "B200", "fp8"),
    ],
)
def test_number_formats_as_stated_or_as_published(text, model, chip, dtype):
    assert read(precision=text, model=model, chip=chip, tp="").dtype == dtype


def test_empty_cells_are_noted_and_filled():
    c = read_configuration({"chip": "H100", "model": "Llama-3.1-8B"})
    assert c.plan is None
    assert c.concurrency is None
    assert any("prompt length not stated" in n for n in c.notes)
    assert any("number format" in n for n in c.notes)


def test_named_workloads_have_lengths():
    assert read(isl="chat mix", osl="").isl == 250
    assert read(isl="4k-64k mean 32k").isl == 32 * 1024
    mlperf = read(model="llama2-70b-99.9", isl="", osl="", stat="Interactive")
    assert (mlperf.isl, mlperf.osl, mlperf.tpot_limit) == (294, 294, 0.04)


def test_draft_layers_are_on_off_or_unsaid():
    assert read(spec_decode="none", model="DeepSeek-R1").drafting == 0
    assert read(spec_decode="mtp", model="DeepSeek-R1").drafting == 3
    assert read(spec_decode="mtp1", model="DeepSeek-R1").drafting == 1
    assert read(spec_decode="eagle3", model="Llama-3.1-70B").drafting == 3
    assert read(spec_decode="", model="Llama-3.1-70B", framework="trtllm").drafting == 0
    assert read(spec_decode="", model="Llama-3.1-70B", framework="trtllm").offered.settled


def test_acceptance_may_be_stated_by_length_or_by_share():
    assert read(spec_decode="mtp", accept_length="2.4", model="DeepSeek-R1").offered.gain == 2.4
    shared = read(spec_decode="mtp1 (70% acceptance assumed)", model="DeepSeek-R1").offered
    assert (shared.drafts, shared.gain) == (1.0, pytest.approx(1.7))
    with pytest.raises(InputError, match="accept_length"):
        read(accept_length="0.5")


@pytest.mark.parametrize(
    ("changes", "drafting", "settled"),
    [
        ({"date": "2025-11-02"}, 0.0, True),
        ({"date": "2026-01-14", "framework_version": "1.1.0rc2.post2"}, 3.0, False),
        ({"date": "2026-02-03", "framework_version": "nvcr.io/x/release:1.2.0rc6.post2"}, 0.0, False),
        ({"framework": "sglang"}, 0.0, False),
        ({}, 0.0, False),
    ],
)
def test_date_and_build_tell_whether_unsaid_draft_layers_ran(changes, drafting, settled):
    c = read(**({"spec_decode": "", "model": "DeepSeek-R1", "framework": "trtllm"} | changes))
    assert (c.drafting, c.offered.settled) == (drafting, settled)


def test_racks_of_sglang_ran_no_draft_layers_unless_they_say_so():
    row = {"spec_decode": "", "model": "DeepSeek-R1", "framework": "sglang", "disagg": "True", "date": "2026-02-01"}
    row |= {"decode_parallel": "1x(tp8 ep8 dpattn=True)", "prefill_parallel": "1x(tp8 ep8 dpattn=True)"}
    assert read(**row, chip="GB200").drafting == 0
    assert read(**row, chip="B200").drafting == 3
    assert read(**(row | {"spec_decode": "mtp"}), chip="GB200").drafting == 3


def test_a_run_of_ten_waves_shows_less_than_the_steady_rate():
    assert read(stat="median latency; mean throughput").lasting == pytest.approx(10 / 10.5)
    assert read(num_prompts="32").lasting == pytest.approx(2 / 2.5)
    for stat in ("Offline", "median ITL; steady-state mean power (GPU only)", "all requests queued at once"):
        assert read(stat=stat).lasting == 1


def test_means_hold_the_wait_for_kernels_and_medians_do_not():
    assert read(stat="mean latency").cold == pytest.approx(0.1)
    assert read(stat="as shipped (mean or median not stated)").cold == pytest.approx(0.1)
    for stat in ("median latency; mean throughput", "median ITL; steady-state mean power (GPU only)", "Offline"):
        assert read(stat=stat).cold == 0


def test_a_common_start_is_felt_by_all_of_one_wave_and_hardly_by_the_median_of_many():
    assert read(waves="1", stat="median latency").bunched == 0.5
    assert read(stat="mean latency").bunched == pytest.approx(0.05)
    assert read(stat="median latency").bunched < 0.01
    assert read(stat="steady state").bunched == 0


def test_the_name_of_a_data_set_changes_nothing():
    for family in (
        "InferenceX",
        "InferenceX-tokenpos",
        "NVIDIA-silicon-sample",
        "ML.ENERGY-v3",
        "MLPerf-Inference-v5.1",
    ):
        assert read(family=family, source="someone") == read()


def test_notes_that_describe_a_run_are_read():
    c = read(notes="request_rate 5; prompts 512; dataset GSM8K_prefix90_in131072")
    assert (c.offered.rate, c.offered.waves, c.offered.cached) == (5.0, math.inf, 0.9)
    assert read(notes="prompts 512").offered.waves == 32.0
    empty = read(notes="llama-bench: TPOT from tg512 (starts from an EMPTY context)")
    assert (empty.start, empty.offered.static) == (0.0, True)
    assert read(cached_share="0.5", notes="prefix90").offered.cached == 0.5


def test_software_has_an_age_by_date_or_version():
    assert read(date="2025-08").year == pytest.approx(2025.625)
    assert software_year("vllm", "0.10.0 rocm 6.4.1", "") == pytest.approx(2025.54, abs=0.05)
    assert software_year("trtllm", "1.0.0rc3", "") < software_year("trtllm", "1.0", "")
    assert not read().dated
    with pytest.raises(InputError, match="date"):
        read(date="soon")
    with pytest.raises(InputError, match="date"):
        read(date="2025-13")


def test_makers_stacks_are_tuned_and_others_unsaid_unless_stated():
    assert read(framework="trtllm").tuning == "tuned"
    assert read(framework="vllm").tuning == ""
    assert read(framework="vllm", tuning="plain").tuning == "plain"
    with pytest.raises(InputError, match="tuning"):
        read(tuning="best")


@pytest.mark.parametrize(
    ("changes", "layout"),
    [
        ({"tp": "8", "dp": "2", "n_chips": "8", "framework": "sglang", "attention_dp": "True"}, (4, 2, 1, 1)),
        ({"tp": "4", "dp": "2", "n_chips": "8", "framework": "sglang", "attention_dp": "True"}, (4, 2, 1, 1)),
        ({"tp": "8", "dp": "2", "n_chips": "16", "framework": "vllm", "ep": "yes"}, (8, 2, 16, 1)),
        ({"tp": "8", "attention_dp": "True", "framework": "trtllm", "ep": "8"}, (1, 8, 8, 1)),
        ({"tp": "8", "pp": "2", "n_chips": "16"}, (8, 1, 1, 2)),
        ({"tp": "", "pp": "2", "n_chips": "16"}, (8, 1, 1, 2)),
    ],
)
def test_layouts_as_engines_spell_them(changes, layout):
    plan = read(model="DeepSeek-V3", chip="H200", **changes).plan
    assert (plan.tp, plan.dp, plan.ep, plan.pp) == layout
    assert plan.decode_chips == plan.tp * plan.dp * plan.pp * plan.replicas


def test_sixteen_chips_in_two_stages_are_not_eight():
    plan = read(tp="8", pp="2").plan
    assert plan.decode_chips == 16
    with pytest.raises(InputError, match="tp 8 in 2 stages"):
        read(tp="8", pp="2", n_chips="8")
    with pytest.raises(InputError, match="pp must be"):
        read(tp="1", pp="200")
    with pytest.raises(InputError, match="context parallelism"):
        read(cp="4")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_chips": "-3"}, "n_chips must be at least 0"),
        ({"isl": "-5"}, "isl"),
        ({"isl": "long"}, "isl must be a number"),
        ({"concurrency": "many"}, "concurrency must be a number"),
        ({"concurrency": "inf"}, "concurrency"),
        ({"isl": "1e30"}, "isl"),
        ({"chip": "Deep Thought"}, "unknown chip"),
        ({"model": "Gemini"}, "unknown model"),
        ({"request_rate": "fast"}, "request_rate"),
        ({"cached_share": "1.5"}, "cached_share"),
        ({"phase": "dreaming"}, "phase"),
        ({"precision": "fp7"}, "number format"),
        ({"tp": "16", "n_chips": "8"}, "tp 16"),
        ({"chip": "", "system": ""}, "no chip"),
    ],
)
def test_bad_cells_say_which_and_why(changes, words):
    with pytest.raises(InputError, match=words):
        read(**changes)


def test_numbers_in_cells():
    assert number({"a": " 3.5 "}, "a") == 3.5
    assert number({"a": "nan"}, "a") is None
    assert number({}, "a") is None


def test_statistics_and_frameworks():
    assert statistic("median latency") == "median"
    assert statistic("median ITL; steady-state mean power (GPU only)") == "step"
    assert statistic("") == "mean"
    assert engine_of("nvcr.io/TensorRT-LLM") == "trt"
    assert engine_of("dynamo-sglang") == "sglang"
    assert engine_of("CloudMatrix-Infer (SiliconFlow/Huawei)") == "maker"
    assert engine_of("llama.cpp") == "llama.cpp"


def test_an_open_number_of_decode_workers_holds_the_load():
    row = {
        "disagg": "True",
        "chip": "B200",
        "model": "DeepSeek-V3",
        "precision": "fp8",
        "tp": "",
        "framework": "sglang",
        "prefill_parallel": "x(tp8 adp1 mtp1 mep8 bs)",
        "decode_parallel": "x(tp8 adp1 mtp1 mep8 bs)",
    }
    few, many = read(**row, concurrency=3).plan, read(**row, concurrency=20000).plan
    assert (few.tp, few.replicas, few.prefill_dp, few.prefill_replicas) == (8, 3, 8, 1)
    assert read(**row, concurrency=16).plan.replicas == 4
    assert (many.tp, many.dp) == (1, 8)
    assert many.replicas >= 2
    assert not many.counted


def test_a_pool_of_which_only_the_size_is_known_is_parted():
    words = {"prefill_parallel": "0x(tp36 ep1 dpattn=False)", "decode_parallel": "0x(tp36 ep1 dpattn=False)"}
    row = {"disagg": "True", "chip": "GB200", "model": "DeepSeek-V3", "precision": "fp4", "tp": "", **words}
    low, high = (read(**row, n_chips="", isl="8192", osl="1024", concurrency=n).plan for n in (4, 2000))
    assert (low.prefill_chips, low.tp, low.replicas) == (4, 8, 4)
    assert high.chips == 36
    assert high.dp > 1
    assert high.prefill_chips > high.decode_chips


@pytest.mark.parametrize("disagg", [{"tp": "36", "n_chips": "36", "ep": "1"}, {"tp": "20", "n_chips": "20"}])
def test_a_degree_that_no_head_count_has_is_the_size_of_a_pool(disagg):
    row = {"chip": "GB200", "model": "DeepSeek-V3", "precision": "fp4", "isl": "1024", "osl": "1024", **disagg}
    plan = read(**row, concurrency=32).plan
    assert plan.split
    assert plan.chips <= float(disagg["tp"])
    assert not plan.counted
    assert read(**row, concurrency="").plan is None
    assert not read(**{**row, "tp": "32", "n_chips": "32"}, concurrency=32).plan.split


def test_workers_written_as_one_chip_that_cannot_hold_the_model_are_left_open():
    words = {"prefill_parallel": "x(tp1 adp1 mtp1 mep1 bs)", "decode_parallel": "x(tp1 adp1 mtp1 mep1 bs)"}
    row = {"disagg": "True", "chip": "GB200", "model": "DeepSeek-V3", "precision": "fp4", "tp": "", **words}
    low, high = (read(**row, concurrency=n).plan for n in (4, 4000))
    assert low.tp * low.dp >= 4
    assert (low.prefill_chips, high.chips) == (4, 64)
    small = read(**{**row, "model": "Llama-3.1-8B"}, concurrency=4).plan
    assert (small.tp, small.dp) == (1, 1)


def test_a_part_without_bf16_serves_16_bits_as_fp16_or_says_why_not():
    assert "fp16" in " ".join(read(chip="NVIDIA T4", model="Llama-3.1-8B", precision="").notes)
    assert read(chip="NVIDIA T4", model="Llama-3.1-8B", precision="float16").dtype == "bf16"
    with pytest.raises(InputError, match="T4 has no BF16 unit"):
        read(chip="NVIDIA T4", model="Llama-3.1-8B", precision="bf16")


def test_a_name_of_two_builds_is_taken_as_the_first_and_said():
    c = read(chip="A100 40GB", model="Llama-3.1-8B", precision="bf16")
    assert c.chip.id == "nvidia-a100-sxm-40gb"
    assert "may mean" in " ".join(c.notes)


def test_a_date_may_be_two_months():
    assert software_year("vllm", "", "2026-08/09") == software_year("vllm", "", "2026-08")


CELLS = {
    "chip": ("H100", "H20"), "model": ("Llama-3.1-8B", "DeepSeek-R1"), "isl": ("", "4k", "1024"), "osl": ("", "256"),
    "concurrency": ("", "16"), "batch_per_replica": ("", "4"), "num_prompts": ("", "640"), "tp": ("8",),
    "seq_len": ("", "777"),
    "notes": ("", "500 prompts", "prefix hit rate 30%"), "stat": ("mean", "median ITL", "offline"),
    "spec_decode": ("", "mtp2"), "phase": ("serving", "decode"), "framework": ("vllm 0.6.3", "trtllm"),
}  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({n: st.sampled_from(c) for n, c in CELLS.items()}), min_size=2, max_size=6))
def test_rows_of_one_table_read_as_each_alone(rows):
    setups = {}
    together = [read_configuration(row, setups) for row in rows]
    assert repr(together) == repr([read_configuration(row) for row in rows])
