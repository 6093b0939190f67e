"""Training: physics that must hold whatever the fit, memory, layouts, rows of a table."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
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
from chipweir.perf._training_fit import PRIORS, _folds, errors, fit_training, posterior_json, training_data
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


@pytest.mark.xfail(
    strict=False, reason="open fault: a sixfold scale-out link came out 0.1 % slower in one layout search"
)
@settings(max_examples=40, deadline=None)
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
    # More memory may shift the choice of recomputation between steps of the search, never for the worse.
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
    layout, _, fits = choose(job(tp=1.0, pp=16.0, ep=64.0, chips=2048), shipped_posterior().median)
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
    assert errors(np.array([1.0, 2.0]), np.array([1.1, 2.0]), np.array([0.1, 0.1]))["median_ape"] == pytest.approx(5.0)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_fit_finds_the_slower_chip() -> None:
    rows = []
    for chip, slow in (("H100", 1.0), ("A100", 1.0), ("H200", 1.25)):
        for model in ("Llama-3.1-8B", "Llama-3.1-70B", "Qwen3-32B", "Llama-2-70B"):
            row = {"phase": "training", "chip": chip, "model": model, "n_chips": "64", "global_batch": "512"}
            rate = predict_training([row])[0]["tokens_s_chip_train"]["p50"] / slow
            rows.append(row | {"tokens_s_chip_train": f"{rate:.1f}"})
    data = training_data(rows)
    posterior = fit_training(data, warmup=60, samples=60, rounds=1)
    estimate = training_batch(data.job, posterior)
    assert errors(data.seconds, estimate.step_time_s, estimate.log_sd)["median_ape"] < 6
    assert posterior.offsets["chip:nvidia-h200-sxm"].mean() > posterior.offsets["chip:nvidia-h100-sxm"].mean()


def test_every_group_is_left_out_once() -> None:
    ids = ["a"] * 4 + ["b", "c", "d"] + ["e"] * 3
    folds = _folds(ids, rare=3, together=2)
    assert folds == [["a"], ["e"], ["b", "c"], ["d"]]
    assert sorted(name for fold in folds for name in fold) == sorted(set(ids))
