from pathlib import Path

import pytest

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.perf import hardware
from chipweir.perf._datasheet import lay_over


def read(folder: Path, text: str):
    sheet = folder / "chip.yaml"
    sheet.write_text(text, encoding="utf-8")
    layer = folder / "layer"
    layer.mkdir()
    identifier = lay_over(sheet, layer)
    return hardware(identifier, facts=facts.load(layer))


def test_units_may_be_those_of_any_datasheet(tmp_path):
    chip = read(
        tmp_path,
        "name: My chip\nbf16: 0.4 PFLOPS\nfp8: 800 teraflops\nint8_tops: 800\nmemory: 96 GiB\n"
        "memory_bandwidth: 2.4 TB/s\npower: 0.5 kW\nscaleout: 400 Gbps\nprice: $20,000\n",
    )
    assert (chip.bf16_flops, chip.fp8_flops, chip.int8_flops) == (4e14, 8e14, 8e14)
    assert chip.memory_bandwidth == pytest.approx(2.4e12)
    assert (chip.tdp_w, chip.scaleout_bandwidth) == (500, 5e10)
    assert chip.memory_bytes == pytest.approx(96 * 2**30)


def test_what_a_sheet_leaves_out_is_named_and_widens(tmp_path):
    chip = read(tmp_path, "name: Half known\nfp16: 125 TFLOPS\nmemory: 32 GB\nmemory_bandwidth: 900 GB/s\n")
    assert chip.half_only
    assert {"power", "scaleup"} <= set(str(chip.assumed).split())
    assert chip.power_log_sd > 0.1


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("name: X\nbf16: 125 W\n", InputError, "is in TFLOP/s, not in 'W'"),
        ("name: X\nbf16: -3\n", InputError, "above 0"),
        ("name: X\nbf16: fast\n", InputError, "above 0"),
        ("name: X\nmemry: 80 GB\n", UnknownName, "memory"),
        ("bf16: 100\n", InputError, "a mapping with a 'name'"),
        ("- a\n", InputError, "a mapping with a 'name'"),
        ("name: [\n", InputError, "not valid YAML"),
    ],
)
def test_a_bad_sheet_is_one_line(tmp_path, text, error, words):
    with pytest.raises(error, match=words) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
