"""What the world model reads: orders that must hold between chips, units, gaps."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir.facts._records import Chip, Value
from chipweir.perf._worth import H100, SPECS, Worth, edge_rate, inference_rate, serving_rate, training_flops, worth


def value(number: float, low: float | None = None, high: float | None = None, confidence: str = "A") -> Value:
    return Value(low=low, central=number, high=high, confidence=confidence, source="test")


def chip(name: str, maker: str = "nvidia", country: str = "US", year: str = "2023", **numbers: float | Value) -> Chip:
    values = {key: number if isinstance(number, Value) else value(number) for key, number in numbers.items()}
    return Chip(id=name, name=name, maker=maker, maker_country=country, release=year, status="shipped", **values)


HOPPER = {
    "memory_gb": 80,
    "memory_gbs": 3350,
    "scaleup_gbs": 450,
    "scaleup_domain": 8,
    "scaleout_gbps": 400,
    "tdp_w": 700,
}
H100_CHIP = chip("h100", bf16_tflops=989.4, fp8_tflops=1979, int8_tops=1979, **HOPPER)
H20_CHIP = chip(
    "h20",
    bf16_tflops=148,
    fp8_tflops=296,
    int8_tops=296,
    **{**HOPPER, "memory_gb": 96, "memory_gbs": 4000, "tdp_w": 400},
)
A100_CHIP = chip(
    "a100",
    bf16_tflops=312,
    int8_tops=624,
    **{**HOPPER, "memory_gbs": 2039, "scaleup_gbs": 300, "scaleout_gbps": 200, "tdp_w": 400},
)
B200_CHIP = chip(
    "b200", bf16_tflops=2250, fp8_tflops=4500, int8_tops=4500, fp4_tflops=9000, memory_gb=180, memory_gbs=8000,
    scaleup_gbs=900, scaleup_domain=8, scaleout_gbps=400, tdp_w=1000,
)  # fmt: skip

PEERS = (A100_CHIP, H100_CHIP, B200_CHIP)


def table(*chips: Chip) -> Worth:
    return worth(chips, peers=PEERS)


def test_h100_is_the_unit() -> None:
    row = table(H100_CHIP)
    assert row.throughput == pytest.approx(np.ones((1, 3)))
    assert row.h100e == pytest.approx([1.0])
    assert 0.3 < row.training_flops[0] / 989.4e12 < 0.6


def test_h100_equivalents_are_dense_eight_bit_operations() -> None:
    sixteen_only = chip("old", bf16_tflops=100, **HOPPER)
    row = table(H20_CHIP, A100_CHIP, B200_CHIP, sixteen_only)
    assert row.h100e == pytest.approx([0.15, 0.315, 2.27, 200 / 1979], rel=0.005)


def test_a_cut_down_chip_ranks_low_in_training_and_high_in_serving() -> None:
    row = table(H20_CHIP)
    training, inference, edge = row.throughput[0]
    assert training < 0.2
    assert inference > 1.5 * training
    assert edge > inference


def test_a_newer_generation_is_better_at_everything() -> None:
    row = table(A100_CHIP, H100_CHIP, B200_CHIP)
    assert (np.diff(row.throughput, axis=0) > 0).all()


def test_a_range_and_a_missing_number_widen_the_interval() -> None:
    ranged = chip("ranged", bf16_tflops=value(989.4, 500, 1900), fp8_tflops=1979, int8_tops=1979, **HOPPER)
    unknown = chip("unknown", maker="nobody")
    exact, wide, blank = (table(c).log_sd[0] for c in (H100_CHIP, ranged, unknown))
    assert wide[0] > exact[0] + 0.05
    assert (blank > exact + 0.1).all()
    assert "memory" in table(unknown).assumed[0]


@given(
    spec=st.sampled_from([s for s in SPECS if s != "power"]),
    factor=st.floats(1.01, 8.0),
    start=st.fixed_dictionaries({s: st.floats(0.1, 4.0) for s in SPECS}),
)
def test_more_of_anything_never_slows(spec: str, factor: float, start: dict[str, float]) -> None:
    base = {s: np.array([H100[s] * start[s]]) for s in SPECS}
    more = {**base, spec: base[spec] * factor}
    for rate in (training_flops, inference_rate, edge_rate):
        assert rate(more)[0] >= rate(base)[0] * (1 - 1e-9), (rate.__name__, spec)


@given(st.fixed_dictionaries({s: st.floats(0.1, 4.0) for s in SPECS}))
def test_never_faster_than_the_roofline(start: dict[str, float]) -> None:
    from chipweir.perf._worth import DENSE_70B

    chip_ = {s: np.array([H100[s] * start[s]]) for s in SPECS}
    rate = serving_rate(chip_, DENSE_70B, isl=4096, osl=1024, tpot=0.05, sizes=(1, 2, 4, 8))
    peak = np.maximum.reduce([chip_["bf16"], chip_["fp8"], chip_["int8"]])
    assert rate[0] <= peak[0] / (2 * DENSE_70B.active)
    assert training_flops(chip_)[0] <= max(chip_["bf16"][0], chip_["fp8"][0])


def test_seventy_chips_take_little_time() -> None:
    chips = [H100_CHIP, H20_CHIP, A100_CHIP, B200_CHIP] * 18
    worth(chips)
    start = time.process_time()  # of this process, whatever else the machine does
    worth(chips)
    assert time.process_time() - start < 0.3


REFERENCE = (
    "nvidia-a100-sxm", "nvidia-h100-sxm", "nvidia-h20", "nvidia-h200-sxm", "nvidia-b200", "nvidia-gb200", "amd-mi300x",
    "huawei-ascend-910b", "huawei-ascend-910c", "google-tpu-v5p", "metax-c500", "t-head-zhenwu-810e",
    "cambricon-mlu590",
)  # fmt: skip


@pytest.mark.slow
def test_training_agrees_with_the_fitted_engine_on_nvidias_software() -> None:
    from dataclasses import replace

    from chipweir.facts import load
    from chipweir.perf import _hardware
    from chipweir.perf._training import Posterior, shipped_posterior
    from chipweir.perf._worth import fitted_training

    fitted = shipped_posterior()
    cuda = Posterior(fitted.draws, {k: v for k, v in fitted.offsets.items() if k == "ecosystem:cuda"}, fitted.scales)
    chips = [replace(_hardware.hardware(name), ecosystem="cuda") for name in REFERENCE]
    engine = fitted_training(chips, cuda)
    table = worth([load().chip(name) for name in REFERENCE]).training_flops
    h100 = REFERENCE.index("nvidia-h100-sxm")
    ratio = np.log((table / table[h100]) / (engine / engine[h100]))
    assert np.median(np.abs(ratio)) < 0.12
    assert np.abs(ratio).max() < 0.35
    assert table[h100] == pytest.approx(engine[h100], rel=0.15)


@pytest.mark.slow
def test_inference_agrees_with_the_fitted_engine_on_nvidias_software() -> None:
    from dataclasses import replace

    from chipweir.facts import load
    from chipweir.perf import _hardware
    from chipweir.perf._rates import serving_rates

    nvidia = _hardware.hardware("nvidia-h100-sxm")
    engine = []
    for name in REFERENCE:
        chip = replace(_hardware.hardware(name), vendor="nvidia", ecosystem="cuda", generation=nvidia.generation)
        precision = "fp8" if chip.fp8_flops > 0 else "int8"
        pair = [serving_rates("x", m, hardware=chip, precision=precision) for m in ("Llama-3.1-70B", "DeepSeek-V3")]
        engine.append(2 / sum(1 / rates.mixed(4096, 1024) for rates in pair))
    table = worth([load().chip(name) for name in REFERENCE]).throughput[:, 1]
    relative = np.array(engine) / engine[REFERENCE.index("nvidia-h100-sxm")]
    ratio = np.log(table / relative)
    assert np.median(np.abs(ratio)) < 0.3
    assert np.abs(ratio).max() < 0.8


def test_a_small_card_without_a_datasheet_draws_less_than_a_large_one() -> None:
    small = chip("small", bf16_tflops=100, memory_gb=24, memory_gbs=300)
    large = chip("large", bf16_tflops=2000, memory_gb=190, memory_gbs=8000)
    power = table(small, large).power_w
    assert power[0] < 150 < 600 < power[1]
