import math

import numpy as np
import pytest

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.perf._hardware import (
    EMULATION,
    GIBI,
    compute_rate,
    dtype_name,
    hardware,
    native,
    override,
    stack,
    take,
)


def test_peaks_are_the_datasheets_dense_numbers_in_si_units():
    h100 = hardware("NVIDIA H100")
    assert h100.bf16_flops == pytest.approx(989.4e12)
    assert h100.fp8_flops == pytest.approx(1979e12)
    assert h100.memory_bandwidth == pytest.approx(3.35e12)
    assert h100.memory_bytes == 80 * GIBI
    assert h100.scaleup_bandwidth == pytest.approx(450e9)
    assert h100.vendor == "nvidia"


def test_formats_without_a_unit_are_emulated_and_never_faster_than_the_wider_unit_says():
    a100, h100, b200 = hardware("A100"), hardware("H100"), hardware("B200")
    assert not native(a100, "fp8")
    assert compute_rate(a100, "fp8") == pytest.approx(EMULATION * a100.int8_flops)
    assert compute_rate(h100, "fp4") == pytest.approx(EMULATION * h100.fp8_flops)
    assert compute_rate(b200, "fp4") == b200.fp4_flops
    assert compute_rate(h100, "int4") == pytest.approx(EMULATION * h100.bf16_flops)


def test_a_cut_down_integer_unit_is_not_used_when_unpacking_is_faster():
    b300 = hardware("B300")
    assert b300.int8_flops < b300.bf16_flops
    assert compute_rate(b300, "int8") >= EMULATION * b300.bf16_flops


def test_systems_widen_the_scale_up_domain():
    assert hardware("GB200 NVL72").scaleup_domain == 72
    cloudmatrix = hardware("CloudMatrix 384")
    assert cloudmatrix.scaleup_domain == 384
    assert cloudmatrix.system_chips == 384
    assert cloudmatrix.id == hardware("Ascend 910C").id


def test_one_die_is_half_a_910c():
    package, die = hardware("Ascend 910C"), hardware("Ascend 910C die (A3)")
    for name in ("bf16_flops", "memory_bytes", "memory_bandwidth", "scaleup_bandwidth", "tdp_w"):
        assert getattr(die, name) == pytest.approx(getattr(package, name) / 2)
    assert die.scaleup_domain == 2 * package.scaleup_domain


def test_unknown_names_carry_the_nearest():
    with pytest.raises(UnknownName, match="H20"):
        hardware("NVIDIA H2O")
    with pytest.raises(InputError, match="no chip given"):
        hardware("")


def test_overrides_are_checked():
    h20 = hardware("H20", {"memory_bandwidth": 5e12})
    assert h20.memory_bandwidth == 5e12
    with pytest.raises(UnknownName, match="memory_bandwidth"):
        hardware("H20", {"memory_bandwith": 5e12})
    for bad in (-1.0, math.nan, math.inf, "fast"):
        with pytest.raises(InputError, match="at least 0"):
            override(h20, {"memory_bandwidth": bad})


def test_every_catalogued_chip_has_numbers_to_compute_with():
    for chip in facts.load().chips.values():
        found = hardware(chip.id)
        for name in ("bf16_flops", "memory_bytes", "memory_bandwidth", "scaleup_bandwidth", "scaleup_domain", "tdp_w"):
            assert math.isfinite(getattr(found, name)), (chip.id, name)
            assert getattr(found, name) > 0, (chip.id, name)


def test_a_chip_without_datasheet_says_so_in_its_spread():
    assert hardware("Kunlunxin M100").spec_log_sd > 0.3
    assert hardware("H100").spec_log_sd < 0.05


def test_stack_and_take_keep_order():
    chips = [hardware(n) for n in ("H100", "H20", "MI300X")]
    picked = take(stack(chips), np.array([2, 0]))
    assert list(picked.id) == [chips[2].id, chips[0].id]
    assert picked.bf16_flops.dtype == float


@pytest.mark.parametrize(("text", "name"), [("FP16", "bf16"), ("NVFP4", "fp4"), ("w8a8", "int8"), ("bfloat16", "bf16")])
def test_number_formats_have_many_names(text, name):
    assert dtype_name(text) == name


def test_an_unknown_number_format_is_refused():
    with pytest.raises(InputError, match="fp7"):
        dtype_name("fp7")
