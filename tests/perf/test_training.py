"""Training: physics that must hold whatever the fit, memory, layouts, rows of a table."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chipweir.errors import InputError
from chipweir.perf import _architecture, _hardware
from chipweir.perf._training import (
    FITTED,
    LAYOUT_FIELDS,
    Posterior,
    TrainingJob,
    chip_hours,
    choose,
    goodput,
    model_flops,
    posterior_from_json,
    shipped_posterior,
    training_batch,
)
from chipweir.perf._training_fit import (
    PRIORS,
    _folds,
    _problem,
    density,
    errors,
    fit_documents,
    fit_training,
    maximise,
    posterior_json,
    prior_median,
    training_data,
)
from chipweir.perf._training_rows import predict_training


def job(model: str = "DeepSeek-V3", chip: str = "NVIDIA H800", chips: float = 2048, **changes: Any) -> TrainingJob:
    values: dict[str, Any] = {"global_batch": 4096.0, "seq_len": 4096.0, "dtype": "fp8", "mode": "pretrain"}
    hardware = changes.pop("hardware", None) or _hardware.hardware(chip)
    values |= dict.fromkeys(LAYOUT_FIELDS, math.nan) | changes
    return TrainingJob(
        hardware=_hardware.stack([hardware]),
        model=_architecture.stack([_architecture.architecture(model)]),
        chips=np.array([float(chips)]),
        **{name: np.array([value]) for name, value in values.items()},
    )


@pytest.mark.parametrize(
    ("model", "chip", "chips", "dtype"),
    [
        ("DeepSeek-V3", "NVIDIA H800", 2048, "fp8"),
        ("Llama-3.1-405B", "NVIDIA H100", 16384, "bf16"),
        ("Llama-3.1-8B", "Google TPU v6e", 64, "bf16"),
        ("Kimi-K2", "NVIDIA H20", 10000, "bf16"),
        ("Pangu-Ultra-135B", "Huawei Ascend 910B", 8192, "bf16"),
    ],
)
def test_utilisation_is_an_output_between_nothing_and_the_peak(model: str, chip: str, chips: int, dtype: str) -> None:
    estimate = training_batch(job(model, chip, chips, dtype=dtype))
    assert estimate.fits[0]
    assert 0.1 < estimate.mfu[0] < 1.0
    assert estimate.tokens_s_chip[0] * chips * estimate.step_time_s[0] == pytest.approx(4096 * 4096)
    assert 0 <= estimate.bubble[0] < 1


def test_without_offsets_no_layout_beats_the_roofline() -> None:
    fitted = shipped_posterior()
    plain = Posterior(fitted.draws, {}, fitted.scales)
    for chip in ("NVIDIA H100", "NVIDIA B200", "Google TPU v5p", "Huawei Ascend 910C"):
        for dtype in ("bf16", "fp8"):
            estimate = training_batch(job("Llama-3.1-70B", chip, 512, dtype=dtype), plain)
            hardware = _hardware.hardware(chip)
            assert estimate.flops_chip[0] <= max(hardware.bf16_flops, hardware.fp8_flops)


FASTER = ("bf16_flops", "memory_bandwidth", "scaleup_bandwidth", "scaleout_bandwidth")


@settings(max_examples=60, deadline=None)
@example(field="scaleout_bandwidth", factor=6.0, model="DeepSeek-V3", dtype="fp8")
@given(
    field=st.sampled_from([*FASTER, "memory_bytes"]),
    factor=st.floats(1.05, 8.0),
    model=st.sampled_from(["DeepSeek-V3", "Llama-3.1-70B", "Qwen3-30B-A3B"]),
    dtype=st.sampled_from(["bf16", "fp8"]),
)
def test_a_better_chip_never_trains_slower(field: str, factor: float, model: str, dtype: str) -> None:
    base = _hardware.hardware("NVIDIA H100")
    changes: dict[str, float] = {field: getattr(base, field) * factor}
    if field == "bf16_flops":
        changes |= {"fp8_flops": base.fp8_flops * factor, "int8_flops": base.int8_flops * factor}
    better = replace(base, **changes)
    slow, fast = (training_batch(job(model, hardware=h, chips=256, dtype=dtype)) for h in (base, better))
    assert fast.step_time_s[0] <= slow.step_time_s[0] * (1 + 1e-9)


def test_narrow_formats_help_only_chips_that_have_them() -> None:
    def rate(chip: str, dtype: str) -> float:
        return float(training_batch(job("Llama-3.1-70B", chip, 256, dtype=dtype)).tokens_s_chip[0])

    assert rate("NVIDIA H100", "fp8") > 1.15 * rate("NVIDIA H100", "bf16")
    assert rate("NVIDIA A100", "fp8") < 1.15 * rate("NVIDIA A100", "bf16")


def test_what_does_not_fit_is_said_with_the_bytes() -> None:
    estimate = training_batch(job("Llama-3.1-405B", "NVIDIA H100", 8, global_batch=8.0))
    assert not estimate.fits[0]
    # 405.9e9 parameters on 8 chips, at least 12 bytes each with 16-bit gradients and moments.
    assert estimate.bytes_needed[0] > 12 * 405e9 / 8
    answer = predict_training([{"phase": "training", "chip": "H100", "n_chips": 8, "model": "Llama-3.1-405B"}])[0]
    assert "does not fit" in answer["reason"]
    assert "GB" in answer["reason"]


def test_a_given_layout_is_kept() -> None:
    layout, _, fits = choose(job(tp=1.0, pp=16.0, ep=64.0, chips=2048), shipped_posterior().centre)
    assert (layout.tp[0], layout.pp[0], layout.ep[0], layout.dp[0]) == (1, 16, 64, 128)
    assert fits[0]


def test_a_low_rank_fine_tune_needs_two_thirds_of_the_work() -> None:
    model = _architecture.architecture("Llama-2-70B")
    ratio = model_flops(model, 128, "lora") / model_flops(model, 128, "pretrain")
    assert ratio == pytest.approx(2 / 3, rel=0.01)
    layout = {"tp": 8.0, "pp": 2.0, "cp": 1.0, "micro_batch": 1.0, "global_batch": 64.0}
    full, lora = (training_batch(job("Llama-2-70B", "NVIDIA H200", 64, mode=m, **layout)) for m in ("sft", "lora"))
    assert lora.bytes_needed[0] < full.bytes_needed[0]
    assert lora.tokens_s_chip[0] > full.tokens_s_chip[0]


def test_larger_clusters_lose_more_to_failures() -> None:
    shares = goodput(np.array([8.0, 1024.0, 16384.0, 1e5]))
    assert (np.diff(shares) < 0).all()
    # Llama 3 reports more than 90 % effective time on 16,384 chips.
    assert 0.85 < shares[2] < 0.96
    assert chip_hours(3.0e24, 0.4 * 148e12, 10_000) > 3.0e24 / (0.4 * 148e12) / 3600


def test_a_table_never_stops_at_a_bad_row() -> None:
    rows = [
        {
            "phase": "training",
            "chip": "H100",
            "model": "Llama-3.1-8B",
            "n_chips": "64",
            "global_batch": "512",
            "seq_len": "8192",
        },
        {"phase": "training", "chip": "H999", "model": "Llama-3.1-8B", "n_chips": "64"},
        {"phase": "training", "chip": "H100", "model": "Llama-3.1-8B", "n_chips": "eight"},
        {"phase": "training", "chip": "H100", "model": "Llama-3.1-8B", "n_chips": "0"},
        {"phase": "training", "chip": "H100", "model": "Llama-3.1-8B", "n_chips": "8", "tp": "8", "pp": "4"},
        {"phase": "training", "chip": "H100", "model": "Llama-3.1-8B", "n_chips": "64", "precision": "fp3"},
        {
            "phase": "finetune_lora",
            "chip": "H200",
            "model": "Llama-2-70B (LoRA rank16)",
            "n_chips": "8",
            "precision": "fp8",
        },
    ]
    answers = predict_training(rows)
    reasons = [answer.get("reason", "") for answer in answers]
    assert [bool(reason) for reason in reasons] == [False, True, True, True, True, True, False]
    assert "H999" in reasons[1]
    assert "eight" in reasons[2]
    assert "contradictory" in reasons[4]
    assert answers[0]["step_time_s"]["p10"] < answers[0]["step_time_s"]["p50"] < answers[0]["step_time_s"]["p90"]
    assert "step_time_s" not in answers[6]
    assert all("\n" not in reason for reason in reasons)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"global_batch": "-512"}, "negative"),
        ({"global_batch": "1e300"}, "beyond"),
        ({"n_chips": "1e300"}, "beyond"),
        ({"global_batch": "2 samples"}, "must be a number"),
        ({"global_batch": "1e12M tokens"}, "16M tokens"),
        ({"global_batch": "0M tokens"}, "16M tokens"),
        ({"seq_len": "0"}, "positive"),
        ({"seq_len": "inf"}, "finite"),
        ({"tp": "2.5"}, "whole number"),
        ({"tp": "8", "dp": "16"}, "tp x pp x cp x dp = 128 ranks"),
        ({"ep": "8"}, "has 0 experts"),
        ({"pp": "64"}, "has 32 layers"),
        ({"chip": ""}, "no chip given"),
        ({"model": ""}, "no model given"),
        ({"model": "GPT-5"}, "does not publish"),
        ({"chip": "T4", "model": "DeepSeek-V3", "n_chips": "8", "precision": "fp16"}, "does not fit"),
    ],
)
def test_an_odd_cell_is_a_reason(changes: dict[str, str], words: str) -> None:
    row = {"phase": "training", "chip": "H100", "model": "Llama-3.1-8B", "n_chips": "64", "precision": "bf16"}
    [answer] = predict_training([row | changes])
    assert words in answer["reason"]
    assert "\n" not in answer["reason"]


def test_what_was_assumed_and_what_was_never_measured_is_said() -> None:
    row = {"phase": "training", "chip": "MetaX C600", "model": "Gemma-3-27B"}
    [answer] = predict_training([row])
    notes = " ".join(answer["notes"])
    for words in ("number of chips not stated", "batch not stated", "never measured", "from its architecture"):
        assert words in notes
    full = {"chip": "H100", "model": "Llama-3.1-70B", "n_chips": "64", "global_batch": "128", "seq_len": "8192"}
    [known] = predict_training([{"phase": "training"} | full])
    assert "notes" not in known
    layout = {"tp": "8", "pp": "4", "cp": "1", "dp": "16"}
    [counted] = predict_training([{"phase": "training"} | full | {"n_chips": ""} | layout])
    assert counted["plan"]["dp"] == 16
    assert counted["notes"] == ["number of chips not stated: 512 by the layout"]
    [narrow] = predict_training([{"phase": "training", "precision": "fp8"} | full | {"chip": "A100"}])
    assert "no unit for fp8" in " ".join(narrow["notes"])


def test_the_micro_batch_of_a_replica_and_the_age_of_software_count() -> None:
    row = {"phase": "training", "chip": "B200", "model": "Qwen3-30B-A3B", "n_chips": "8", "global_batch": "512"}
    row |= {"seq_len": "4096", "precision": "MXFP8", "ep": "8", "tp": "1", "pp": "1", "framework": "Megatron-Bridge"}
    one, four = predict_training([row | {"batch_per_replica": "1"}, row | {"batch_per_replica": "4"}])
    assert one["plan"]["micro_batch"] == 1
    assert four["tokens_s_chip_train"]["p50"] > 1.1 * one["tokens_s_chip_train"]["p50"]
    old, new, undated = predict_training([row | {"date": "2026-02"}, row | {"date": "2026-08"}, row])
    assert old["tokens_s_chip_train"]["p50"] < 0.95 * new["tokens_s_chip_train"]["p50"]
    assert undated["tokens_s_chip_train"] == new["tokens_s_chip_train"]


def test_impossible_numbers_are_one_clear_line() -> None:
    for changes in ({"chips": 0.0}, {"seq_len": -1.0}, {"tp": 0.0}, {"dtype": "fp3"}, {"mode": "dream"}):
        with pytest.raises(InputError):
            training_batch(job(**changes))
    for text in ("{}", "[]", "no", '{"draws": {}}'):
        with pytest.raises(InputError, match="posterior"):
            posterior_from_json(text)


def test_the_posterior_survives_its_file() -> None:
    fitted = shipped_posterior()
    assert set(fitted.draws) == set(PRIORS) == set(FITTED)
    again = posterior_from_json(posterior_json(fitted, "test", "test"))
    here, there = (training_batch(job(), posterior) for posterior in (fitted, again))
    assert there.step_time_s[0] == pytest.approx(here.step_time_s[0], rel=1e-3)


def test_an_unknown_chip_has_a_wider_interval() -> None:
    known = training_batch(job("Llama-3.1-70B", "NVIDIA H100", 256))
    unknown = training_batch(job("Llama-3.1-70B", "MetaX C500", 256, dtype="bf16"))
    assert unknown.log_sd[0] > 1.3 * known.log_sd[0]


def test_measured_rows_become_data() -> None:
    rows = [
        {"phase": "training", "chip": "H100", "model": "Llama-3.1-8B", "n_chips": "64", "tokens_s_chip_train": "9000"},
        {"phase": "serving", "chip": "H100", "model": "Llama-3.1-8B"},
        {"phase": "training", "chip": "A100", "model": "GPT-3-175B", "n_chips": "1024", "stat": "MFU 51.8%"},
    ]
    data = training_data(rows)
    assert data.rows == (0, 2)
    rate = data.job.global_batch * data.job.seq_len / data.job.chips / data.seconds
    assert rate[0] == pytest.approx(9000)
    # 51.8 % of 312 TFLOP/s at 6 x 175e9 FLOP a token and a little attention.
    assert rate[1] == pytest.approx(0.518 * 312e12 / (6 * 175e9), rel=0.05)
    assert "median 5.0%" in errors(data, data.seconds * np.array([1.1, 1.0]), np.array([0.1, 0.1]))
    assert "50% in 80 %" in errors(data, data.seconds * np.array([1.2, 1.0]), np.array([0.1, 0.1]))


def made_rows(slow: float = 1.25) -> list[dict[str, str]]:
    """Rows that the shipped model itself predicts, on three chips, the third `slow` times slower."""
    rows = []
    for chip, factor in (("H100", 1.0), ("A100", 1.0), ("H200", slow)):
        for model in ("Llama-3.1-8B", "Llama-3.1-70B", "Qwen3-32B", "Llama-2-70B"):
            row = {"phase": "training", "chip": chip, "model": model, "n_chips": "64", "global_batch": "512"}
            rate = predict_training([row])[0]["tokens_s_chip_train"]["p50"] / factor
            rows.append(row | {"tokens_s_chip_train": f"{rate:.1f}"})
    return rows


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_fit_finds_the_slower_chip() -> None:
    data = training_data(made_rows())
    posterior = fit_training(data, rounds=1, quick=True)
    estimate = training_batch(data.job, posterior)
    assert np.median(np.abs(estimate.step_time_s / data.seconds - 1)) < 0.06
    assert posterior.offsets["chip:nvidia-h200-sxm"].mean() > posterior.offsets["chip:nvidia-h100-sxm"].mean() + 0.02


def test_the_normal_approximation_has_the_curvature_of_the_density() -> None:
    data = training_data(made_rows())
    problem = _problem(data, prior_median())
    best, curvature = maximise(problem, data.weight)
    centre = density(problem, data.weight, best)
    values, vectors = np.linalg.eigh(curvature)
    for place in (0, len(values) // 2, -1):
        # One standard deviation along any direction costs half a unit of log density, whichever way.
        move = vectors[:, place] / np.sqrt(values[place])
        lost = np.mean([density(problem, data.weight, best + sign * move) - centre for sign in (1.0, -1.0)])
        assert lost == pytest.approx(0.5, rel=0.4)


@pytest.mark.timeout(120)
def test_a_fit_writes_what_the_package_ships() -> None:
    heard: list[str] = []
    documents = fit_documents(made_rows(), "chipweir estimate --fit made.csv", heard.append, quick=True)
    assert set(documents) == {"training.json"}
    assert any("step time error" in line for line in heard)
    assert any(line.startswith("power: ") for line in heard)
    again = posterior_from_json(documents["training.json"])
    assert set(again.draws) == set(FITTED)
    assert "chip:nvidia-h200-sxm" in again.offsets


def test_rows_that_say_the_same_are_estimated_once_and_alike() -> None:
    row = {"phase": "training", "chip": "H100", "model": "Llama-3.1-8B", "n_chips": "64"}
    first, other, again = predict_training([row, row | {"n_chips": "128"}, row])
    assert first is again
    assert other["tokens_s_chip_train"] != first["tokens_s_chip_train"]
    alone = predict_training([row])[0]
    assert alone["tokens_s_chip_train"]["p50"] == pytest.approx(first["tokens_s_chip_train"]["p50"], rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    model=st.sampled_from(["DeepSeek-V3", "Llama-3.1-70B", "Qwen3-30B-A3B"]),
    chip=st.sampled_from(["NVIDIA H100", "NVIDIA GB200", "Google TPU v6e", "Huawei Ascend 910B"]),
    chips=st.sampled_from([32, 256, 1000, 4096]),
    seq_len=st.sampled_from([2048.0, 8192.0, 65536.0]),
)
def test_the_layout_found_is_the_fastest_of_those_that_can_be_stated(
    model: str, chip: str, chips: int, seq_len: float
) -> None:
    free = job(model, chip, chips, seq_len=seq_len, global_batch=1024.0)
    best = training_batch(free)
    if not best.fits[0]:
        return
    for tp, pp in ((1.0, 1.0), (8.0, 1.0), (4.0, 4.0), (8.0, 8.0)):
        other = training_batch(job(model, chip, chips, seq_len=seq_len, global_batch=1024.0, tp=tp, pp=pp))
        if other.fits[0]:
            assert best.step_time_s[0] <= other.step_time_s[0] * (1 + 1e-9)


def test_a_row_that_reaches_the_impossible_does_not_count() -> None:
    row = {"phase": "training", "chip": "H100", "model": "Llama-3.1-8B", "n_chips": "64", "global_batch": "512"}
    data = training_data([row | {"tflops_chip": "400"}, row | {"tflops_chip": "900"}])
    assert data.weight[0] > 0
    assert data.weight[1] == 0


def test_every_group_is_left_out_once() -> None:
    ids = ["a"] * 4 + ["b", "c", "d"] + ["e"] * 3
    folds = _folds(ids, rare=3, together=2)
    assert folds == [["a"], ["e"], ["b", "c"], ["d"]]
    assert sorted(name for fold in folds for name in fold) == sorted(set(ids))
