"""Prefill and decode rates: bounds, order, limits, words for what cannot be."""

from dataclasses import replace
from typing import Any

import pytest

from chipweir.errors import InputError, UnknownName
from chipweir.perf import _architecture, _hardware
from chipweir.perf._rates import Rates, serving_rates


CHIPS = ("NVIDIA H100", "NVIDIA H20", "NVIDIA B200", "AMD MI300X", "Huawei Ascend 910C", "MetaX C600")


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("model", ["DeepSeek-V3", "Llama-3.1-70B"])
def test_rates_lie_below_the_roofline(chip: str, model: str) -> None:
    rates, hw = serving_rates(chip, model), _hardware.hardware(chip)
    architecture = _architecture.architecture(model)
    peak = float(_hardware.compute_rate(hw, rates.dtype))
    per_token = 2.0 * float(_architecture.active_matrix_params(architecture)) - 2.0 * float(architecture.head_params)
    assert 0 < rates.prefill < peak / per_token
    drafts = 1.0 + 3.0 * rates.drafted
    assert 0 < rates.decode < peak / per_token
    # A step reads at least every sequence's cache: batch x cache bytes per step on each chip.
    cache = float(_architecture.kv_read_bytes(architecture, 4096.0, "fp8"))
    assert rates.decode < drafts * hw.memory_bandwidth / cache
    assert rates.tpot_s <= 0.05
    assert rates.group * hw.memory_bytes > float(_architecture.weight_bytes(architecture, rates.dtype))
    assert hw.tdp_w * 0.15 < rates.decode_w <= hw.tdp_w


@pytest.mark.parametrize("field", ["memory_bandwidth", "memory_bytes", "scaleup_bandwidth", "flops"])
def test_a_better_chip_never_serves_slower(field: str) -> None:
    base = _hardware.hardware("NVIDIA H100")
    names = ("bf16_flops", "fp8_flops", "int8_flops") if field == "flops" else (field,)
    better = replace(base, **{name: getattr(base, name) * 2 for name in names})
    for model in ("DeepSeek-V3", "Llama-3.1-70B"):
        slow, fast = (serving_rates("x", model, hardware=h, precision="fp8") for h in (base, better))
        assert fast.decode >= slow.decode * (1 - 1e-9)
        assert fast.prefill >= slow.prefill * (1 - 1e-9)


def test_a_looser_limit_never_lowers_throughput() -> None:
    limits = [serving_rates("NVIDIA H20", "DeepSeek-V3", tpot_s=t).decode for t in (0.02, 0.05, 0.1, 0.3)]
    assert limits == sorted(limits)


def test_h20_writes_better_than_it_reads() -> None:
    h20, h100 = (serving_rates(chip, "Llama-3.1-70B", tpot_s=0.03) for chip in ("NVIDIA H20", "NVIDIA H100"))
    assert h20.prefill / h100.prefill < h20.decode / h100.decode


def test_what_cannot_be_is_said() -> None:
    hopeless = serving_rates("NVIDIA H100", "Llama-3.1-405B", tpot_s=1e-4)
    assert hopeless.decode == 0
    assert "ms a token cannot be kept" in hopeless.reason
    small = replace(_hardware.hardware("NVIDIA H100"), memory_bytes=1e9)
    tiny = serving_rates("x", "DeepSeek-V3", hardware=small)
    assert tiny.decode == tiny.prefill == 0
    assert "GB" in tiny.reason
    assert tiny.mixed(100, 100) == 0
    with pytest.raises(UnknownName, match="H100"):
        serving_rates("NVIDIA H1000", "DeepSeek-V3")
    with pytest.raises(UnknownName):
        serving_rates("NVIDIA H100", "DeepSeek-V33")
    for bad in ({"tpot_s": 0.0}, {"isl": -1.0}, {"osl": 0.0}):
        arguments: dict[str, Any] = bad
        with pytest.raises(InputError, match="positive"):
            serving_rates("NVIDIA H100", "DeepSeek-V3", **arguments)


def test_a_mix_reads_and_writes_on_the_same_chips() -> None:
    rates = Rates(1000.0, 100.0, 0.05, 8, 8, "fp8", 500, 400, 0.1, 0.1)
    # Ten tokens read take 10 ms, one written 10 ms.
    assert rates.mixed(10, 1) == pytest.approx(50.0)
