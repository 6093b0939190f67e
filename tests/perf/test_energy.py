"""Power and energy: bounds, monotony, units, and the fit finds what made its data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir.errors import InputError
from chipweir.perf import _architecture, _hardware
from chipweir.perf._batch import predict_rows
from chipweir.perf._energy import (
    BYTES_PER_WATT,
    FLOPS_PER_WATT,
    PUE,
    PowerCurve,
    chip_power,
    curve_from_json,
    curve_json,
    energy_per_token,
    facility_power,
    fit_power_curve,
    idle_power,
    node_overhead,
    serving_power,
    shipped_curve,
    system_power,
)
from chipweir.perf._energy_fit import energy_share, fit_power, leave_power_out, power_points
from chipweir.perf._fitted import shipped_fitted


watts = st.floats(30, 3000)
rate = st.floats(0, 1e17)
traffic = st.floats(0, 1e14)


@given(tdp=watts, flops=rate, bytes_s=traffic, busy=st.floats(0, 1))
def test_power_lies_between_idle_and_design(tdp: float, flops: float, bytes_s: float, busy: float) -> None:
    power = chip_power(tdp, flops, bytes_s, busy)
    assert idle_power(tdp) * (1 - 1e-9) <= power <= tdp * (1 + 1e-9)


@given(tdp=watts, flops=rate, bytes_s=traffic, tokens=st.floats(1e-3, 1e6), seconds=st.floats(0.1, 1e6))
def test_energy_is_at_least_idle_power_times_time(
    tdp: float, flops: float, bytes_s: float, tokens: float, seconds: float
) -> None:
    joules = energy_per_token(chip_power(tdp, flops, bytes_s), tokens / seconds) * tokens
    assert joules >= idle_power(tdp) * seconds * (1 - 1e-9)


@given(tdp=watts, flops=rate, bytes_s=traffic, more=st.floats(1, 10))
def test_more_work_never_draws_less(tdp: float, flops: float, bytes_s: float, more: float) -> None:
    power = chip_power(tdp, flops, bytes_s)
    assert chip_power(tdp, flops * more, bytes_s) >= power * (1 - 1e-12)
    assert chip_power(tdp, flops, bytes_s * more) >= power * (1 - 1e-12)


def test_node_power_agrees_with_the_published_all_in_figures() -> None:
    # InferenceX, August 2026: design power W and all-in kW per accelerator.
    published = {700: 1.37, 1000: 1.70, 1200: 1.87, 1400: 2.105, 750: 1.39, 1100: 1.90}
    for tdp, kilowatts in published.items():
        assert system_power(tdp, tdp) / 1000 == pytest.approx(kilowatts, rel=0.08)
    # CloudMatrix 384 at 559 kW and GB200 NVL72 at 132 kW, rack figures of the catalogue.
    assert system_power(800, 800) * 384 == pytest.approx(559e3, rel=0.08)
    assert node_overhead(50.0) < 50.0


def test_building_power() -> None:
    assert facility_power(1000.0, 1.3) == pytest.approx(1300.0)
    assert PUE["liquid"] < PUE["air"]
    with pytest.raises(InputError, match="at least 1"):
        facility_power(1000.0, 0.9)


def test_serving_draws_more_with_a_larger_batch() -> None:
    model, chip = _architecture.architecture("Llama-3.1-70B"), _hardware.hardware("NVIDIA H100")
    power = serving_power(
        chip, model, "fp8", output_tok_s=np.array([30.0, 120.0, 400.0]), input_tok_s=0.0,
        batch=np.array([8.0, 64.0, 256.0]), chips=4.0, context=1000.0,
    )  # fmt: skip
    assert (np.diff(power) > 0).all()
    assert 0.4 * 700 < power[0] < power[-1] <= 700


def test_the_fit_finds_the_curve_that_made_its_data() -> None:
    true = PowerCurve(0.35, 0.6, 2.5, 0.8, 0.0)
    random = np.random.default_rng(1)
    tdp = np.repeat([700.0, 1000.0], 150)
    flops = random.uniform(0.001, 0.5, 300) * FLOPS_PER_WATT * tdp
    bytes_s = random.uniform(0.05, 0.9, 300) * BYTES_PER_WATT * tdp
    power = chip_power(tdp, flops, bytes_s, curve=true) * np.exp(random.normal(0, 0.02, 300))
    found = fit_power_curve(tdp, flops, bytes_s, power, ["a", "b", "c"] * 100)
    assert found.floor == pytest.approx(true.floor, abs=0.06)
    assert found.exponent == pytest.approx(true.exponent, abs=0.15)
    assert found.log_sd == pytest.approx(0.02, rel=0.5)
    assert curve_from_json(curve_json(found, "t", "t")).floor == pytest.approx(found.floor, rel=1e-3)


def test_rows_become_points_and_bad_ones_are_left_out() -> None:
    row = {"chip": "H100", "model": "Llama-3.1-8B", "precision": "bfloat16", "n_chips": "1", "osl": "350"}
    row |= {"isl": "chat mix", "concurrency": "32", "output_tok_s_chip": "2000", "power_w_chip": "600"}
    other = {**row, "chip": "B200", "power_w_chip": "800"}
    rows = [row, {**row, "chip": "H999"}, {**row, "power_w_chip": ""}, other]
    points = power_points(rows)
    assert points.rows == (0, 3)
    assert set(points.chip) == {"nvidia-h100-sxm", "nvidia-b200"}
    assert (points.bytes_s > 2000 / 32 * 14e9).all()
    assert np.isfinite(leave_power_out(points, "chip")).all()
    assert isinstance(fit_power(rows), PowerCurve)
    with pytest.raises(InputError):
        power_points([{**row, "power_w_chip": ""}])


def test_the_shipped_curve_is_physical() -> None:
    curve = shipped_curve()
    assert 0.15 <= curve.floor < 0.7
    assert curve.traffic > 0
    assert curve.arithmetic > 0
    assert 0.05 < curve.log_sd < 0.4
    # An H100 that does all it can draws its design power.
    assert chip_power(700.0, 0.8 * 989e12, 1e12) > 0.95 * 700
    with pytest.raises(InputError, match="power curve"):
        curve_from_json("[]")


def test_energy_keeps_as_much_of_the_curves_error_as_its_measurements_show():
    known = shipped_fitted()
    rows = [
        {"chip": "H100", "model": "Llama-3.1-8B", "precision": "bf16", "framework": "vllm", "tp": "1", "isl": "512",
         "osl": "512", "concurrency": str(n)}
        for n in range(8, 68)
    ]  # fmt: skip
    made = [a["predictions"] for a in predict_rows(rows, known)]
    for row, answer, off in zip(rows, made, np.linspace(-1.0, 1.0, 60), strict=True):
        row["output_tok_s_chip"] = str(answer["output_tok_s_chip"]["p50"] * np.exp(0.8 * off))
        row["j_per_output_token"] = str(answer["j_per_output_token"]["p50"])
    assert energy_share(rows, known) == 0.0
    assert energy_share(rows[:10], known) == 1.0
    for row, answer, off in zip(rows, made, np.linspace(-1.0, 1.0, 60), strict=True):
        row["j_per_output_token"] = str(answer["j_per_output_token"]["p50"] * np.exp(2 * off))
    assert energy_share(rows, known) == 1.0
