"""What the world model reads: orders that must hold between chips, units, gaps, shared errors, software counted once."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError
from chipweir.facts import Chip, Value
from chipweir.perf import _hardware
from chipweir.perf._rates import serving_rates
from chipweir.perf._worth import SPECS, WORKLOADS, Worth, worth


def value(number: float, low: float | None = None, high: float | None = None, confidence: str = "A") -> Value:
    return Value(low=low, central=number, high=high, confidence=confidence, source="test")


def chip(name: str, maker: str = "nvidia", country: str = "US", year: str = "2023", **numbers: float | Value) -> Chip:
    values = {key: number if isinstance(number, Value) else value(number) for key, number in numbers.items()}
    known = {"architecture": "Hopper", "ecosystem": "CUDA"} if maker == "nvidia" else {}
    return Chip(
        id=name, name=name, maker=maker, maker_country=country, release=year, status="shipped", scaleup="NVLink",
        **{**known, **values},
    )  # fmt: skip


HOPPER = {
    "bf16_tflops": 989.4, "fp8_tflops": 1979, "int8_tops": 1979, "memory_gb": 80, "memory_gbs": 3350,
    "scaleup_gbs": 450, "scaleup_domain": 8, "scaleout_gbps": 400, "tdp_w": 700,
}  # fmt: skip
NUMBERS = ("bf16_tflops", "memory_gb", "memory_gbs", "scaleup_gbs", "scaleout_gbps")


@pytest.fixture(scope="module")
def known() -> facts.Facts:
    return facts.load()


@pytest.fixture(scope="module")
def shipped(known: facts.Facts) -> Worth:
    return worth([c for c in known.chips.values() if c.data_centre])


def row(table: Worth, name: str) -> np.ndarray:
    return table.throughput[table.products.index(name)]


def test_h100_is_the_unit(shipped: Worth) -> None:
    place = shipped.products.index("nvidia-h100-sxm")
    assert shipped.throughput[place] == pytest.approx(np.ones(3))
    assert shipped.log_sd[place] == pytest.approx(np.zeros(3))
    assert 0.3 < shipped.training_flops[place] / 989.4e12 < 0.6


def test_h100_equivalents_are_dense_eight_bit_operations() -> None:
    sixteen_only = chip("old", **{**HOPPER, "bf16_tflops": 100, "fp8_tflops": 0.0, "int8_tops": 0.0})
    twice = chip("twice", **{**HOPPER, "fp8_tflops": 2 * 1979})
    assert worth([sixteen_only, twice]).h100e == pytest.approx([200 / 1979, 2.0], rel=0.005)


def test_a_cut_down_chip_ranks_low_in_training_and_high_in_serving(shipped: Worth) -> None:
    training, inference, edge = row(shipped, "nvidia-h20")
    # A part whose arithmetic is cut but not its memory and power runs near its peak.
    assert training < 0.3
    assert inference > 1.5 * training
    assert edge > inference


def test_a_newer_generation_is_better_at_everything(shipped: Worth) -> None:
    steps = np.stack([row(shipped, name) for name in ("nvidia-a100-sxm", "nvidia-h100-sxm", "nvidia-b200")])
    assert (np.diff(steps, axis=0) > 0).all()


def test_it_is_the_engine_that_answers_estimates(shipped: Worth) -> None:
    """Inference of chips with NVIDIA's software is what `serving_rates` says of them, relative to an H100."""

    def engine(name: str) -> float:
        part = _hardware.hardware(name)
        dtype = "fp8" if part.fp8_flops > 0 else "int8"
        pair = [
            serving_rates("x", model, hardware=part, precision=dtype).mixed(4096, 1024)
            for model in ("Llama-3.1-70B", "DeepSeek-V3")
        ]
        return 2 / sum(1 / rate for rate in pair)

    unit = engine("nvidia-h100-sxm")
    for name in ("nvidia-h20", "nvidia-a100-sxm", "nvidia-b200"):
        assert row(shipped, name)[1] == pytest.approx(engine(name) / unit, rel=0.03), name


def test_software_is_counted_once(known: facts.Facts) -> None:
    """The same hardware of another maker has the same worth at full maturity; what its software does stands apart."""
    amd = known.chips["amd-mi300x"]
    other = amd.model_copy(update={"id": "twin", "maker": "biren", "software": "", "ecosystem": "other"})
    table = worth([amd, other])
    assert table.throughput[0] == pytest.approx(table.throughput[1])
    assert table.realised[1] == pytest.approx(np.ones(3))
    assert (table.realised[0] < 1.0).all()
    assert worth([known.chips["nvidia-h20"]]).realised[0] == pytest.approx(np.ones(3))


def test_a_range_and_a_missing_number_widen_the_interval() -> None:
    ranged = chip("ranged", **{**HOPPER, "bf16_tflops": value(989.4, 500, 1900)})
    unknown = chip("unknown", maker="nobody")
    table = worth([chip("exact", **HOPPER), ranged, unknown])
    exact, wide, blank = table.log_sd
    assert wide[0] > exact[0] + 0.05
    assert (blank > exact + 0.1).all()
    assert "memory" in table.assumed[2]


def test_shared_errors_are_named_and_add_up(shipped: Worth) -> None:
    assert shipped.loadings.shape == (len(shipped.factors), len(shipped.products), len(WORKLOADS))
    total = np.sqrt((shipped.loadings**2).sum(axis=0) + shipped.own_log_sd**2)
    assert shipped.log_sd == pytest.approx(total)
    # A chip whose ratio of arithmetic to memory is another than the H100's feels an error in either.
    memory = shipped.loadings[shipped.factors.index("serving memory")]
    place = shipped.products.index("nvidia-h20")
    assert abs(memory[place, 1]) > 0.01
    assert memory[place, 0] == 0.0
    assert shipped.loadings[shipped.factors.index("maker amd"), shipped.products.index("amd-mi300x"), 1] > 0.1


def test_an_overlay_changes_the_table(known: facts.Facts) -> None:
    h20 = known.chips["nvidia-h20"]
    faster = h20.model_copy(update={"memory_gbs": value(8000.0)})
    before, after = worth([h20]).throughput[0], worth([faster]).throughput[0]
    assert after[1] > 1.05 * before[1]
    assert after[2] > 1.2 * before[2]


@given(st.sampled_from(NUMBERS), st.floats(1.05, 8.0), st.fixed_dictionaries({s: st.floats(0.1, 4.0) for s in NUMBERS}))
@settings(max_examples=15, deadline=None)
def test_more_of_anything_never_slows(spec: str, factor: float, start: dict[str, float]) -> None:
    numbers = {**HOPPER, **{s: HOPPER[s] * k for s, k in start.items()}}
    base, more = chip("base", **numbers), chip("more", **{**numbers, spec: numbers[spec] * factor})
    table = worth([base, more])
    assert (table.throughput[1] >= table.throughput[0] * (1 - 1e-6)).all()


def test_every_product_is_worth_something_and_no_more_than_its_roofline(shipped: Worth) -> None:
    assert (shipped.throughput > 0).all()
    assert np.isfinite(shipped.log_sd).all()
    peak = shipped.h100e * 1979e12
    assert (shipped.training_flops <= peak).all()


def test_a_small_card_without_a_datasheet_draws_less_than_a_large_one() -> None:
    small = chip("small", bf16_tflops=100, memory_gb=24, memory_gbs=300)
    large = chip("large", bf16_tflops=2000, memory_gb=190, memory_gbs=8000)
    power = worth([small, large]).power_w
    assert power[0] < 150 < 600 < power[1]


def test_no_chips_is_an_error() -> None:
    with pytest.raises(InputError, match="at least one"):
        worth([])


def test_specs_are_fields_of_hardware() -> None:
    part = _hardware.hardware("H100")
    for spec, names in SPECS.items():
        assert hasattr(part, f"{spec}_log_sd")
        assert replace(part, **dict.fromkeys(names, 1.0))
