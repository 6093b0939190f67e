"""Match-ups: the known ratios of the catalogue, accounting identities, and where each side wins."""

import json
import math

import pytest

from chipweir.errors import InputError, UnknownName
from chipweir.perf._match import Match, match


@pytest.fixture(scope="module")
def racks() -> Match:
    return match("CloudMatrix 384", "GB200 NVL72", "DeepSeek-V3.1")


def test_the_racks_ratios(racks: Match) -> None:
    assert racks.chips == (384, 72)
    assert racks.measure("chips").ratio == pytest.approx(384 / 72)
    # Public comparisons of 2025: about 1.7 times the dense BF16, 3.6 times the memory, 2.1 the bandwidth, 4 the power.
    assert racks.measure("bf16 peak").ratio == pytest.approx(1.7, rel=0.07)
    assert racks.measure("memory").ratio == pytest.approx(3.6, rel=0.05)
    assert racks.measure("memory bandwidth").ratio == pytest.approx(2.1, rel=0.05)
    assert racks.measure("power").ratio == pytest.approx(4.0, rel=0.08)


def test_the_rack_of_more_chips_wins_by_number_and_loses_by_watt(racks: Match) -> None:
    assert {"bf16 peak", "memory", "memory bandwidth"} <= set(racks.wins["unit"])
    assert {"fp8 peak", "fp4 peak", "power"} <= set(racks.losses["unit"])
    assert {"bf16 peak", "training", "prefill", "decode"} <= set(racks.losses["watt"])
    assert "FP8" in racks.measure("fp8 peak").note
    assert math.isinf(racks.measure("fp8 peak").needed)


def test_rows_are_consistent(racks: Match) -> None:
    power = racks.measure("power")
    for row in racks.measures:
        if row.a > 0 and row.b > 0:
            assert row.needed * row.ratio == pytest.approx(1.0)
            assert row.needed_chips == pytest.approx(row.needed * 384)
            assert row.per_chip == pytest.approx(row.ratio * 72 / 384)
            if row.more_is_better:
                assert row.per_watt == pytest.approx(row.ratio / power.ratio)
    swapped = match("GB200 NVL72", "CloudMatrix 384", "DeepSeek-V3.1")
    for quantity in ("bf16 peak", "training", "decode", "power"):
        assert swapped.measure(quantity).ratio == pytest.approx(racks.measure(quantity).needed)
    assert set(swapped.wins["unit"]) == set(racks.losses["unit"])


def test_h20_against_h100() -> None:
    found = match("NVIDIA H20", "NVIDIA H100", "Llama-3.1-70B", tpot_s=0.03)
    assert found.measure("bf16 peak").needed == pytest.approx(989.4 / 148, rel=0.01)
    assert "memory" in found.wins["unit"]
    assert found.measure("training").needed > found.measure("decode").needed
    assert found.measure("prefill").needed > found.measure("decode").needed
    assert "training" in found.losses["unit"]


def test_a_chip_without_a_datasheet_says_so() -> None:
    found = match("MetaX C600", "NVIDIA H20", "DeepSeek-V3")
    assert "memory" in found.wins["unit"]
    assert "peers" in found.measure("scale-up bandwidth").note
    assert found.measure("scale-up bandwidth").log_sd > 0.3
    assert found.measure("bf16 peak").log_sd > 0.1


def test_a_chip_matches_itself() -> None:
    found = match("NVIDIA H100", "NVIDIA H100", "Llama-3.1-70B")
    for row in found.measures:
        assert math.isnan(row.ratio) or row.ratio == pytest.approx(1.0)
    assert not any(found.wins.values())
    assert not any(found.losses.values())


def test_the_record_is_json(racks: Match) -> None:
    text = json.dumps(racks.record(), allow_nan=False)
    assert json.loads(text)["chips"] == {"a": 384, "b": 72}


def test_bad_input() -> None:
    with pytest.raises(UnknownName, match="GB200"):
        match("CloudMatrix 384", "GB200 NVL722")
    with pytest.raises(InputError, match="positive"):
        match("NVIDIA H20", "NVIDIA H100", tpot_s=0)
    with pytest.raises(InputError, match="no measure"):
        match("NVIDIA H20", "NVIDIA H20").measure("beauty")
