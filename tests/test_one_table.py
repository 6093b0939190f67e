"""One table of chips: every room says the same of a chip, and a chip of one's own needs nothing but facts."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from chipweir import facts, perf, rules
from chipweir.cli import main
from chipweir.errors import UnknownName
from chipweir.facts import Chip, Value
from chipweir.rules._chips import GUESS, catalogue, from_facts


KNOWN = facts.load()
CHIPS = """id,name,maker,maker_country,release,status,node,memory_type,scaleup,ecosystem,software,marketed,aliases
nvidia-z900,NVIDIA Z900 96GB,nvidia,US,2025-06,shipped,N4,HBM3,NVLink4,cuda,CUDA,data-centre,Z900|엔비디아 Z900
"""
VALUES = """chip,quantity,central,unit,source,confidence
nvidia-z900,bf16_tflops,500,TFLOP/s,sheet,A
nvidia-z900,fp8_tflops,1000,TFLOP/s,sheet,A
nvidia-z900,memory_gb,96,GB,sheet,A
nvidia-z900,memory_gbs,4000,GB/s,sheet,A
nvidia-z900,scaleup_gbs,450,GB/s,sheet,A
nvidia-z900,tdp_w,600,W,sheet,A
nvidia-z900,die_mm2,800,mm**2,sheet,A
nvidia-z900,price_usd,22000,USD,sheet,A
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A directory of own facts that adds one chip, and nothing else."""
    (tmp_path / "chips.csv").write_text(CHIPS, encoding="utf-8")
    (tmp_path / "chip_values.csv").write_text(VALUES, encoding="utf-8")
    (tmp_path / "sources.csv").write_text("id,title,cls\nsheet,Data sheet of the Z900,company\n", encoding="utf-8")
    return tmp_path


def sure(value: Value | None) -> Value | None:
    return value if value is not None and value.confidence != GUESS else None


@pytest.mark.parametrize("chip", KNOWN.chips.values(), ids=lambda chip: chip.id)
def test_facts_rules_and_perf_say_the_same_of_a_chip(chip: Chip) -> None:
    controlled = catalogue()[chip.id]
    assert controlled == from_facts(chip)
    assert controlled.dc == chip.data_centre
    for ours, theirs in ((controlled.die_mm2, chip.die_mm2), (controlled.mem_bw_gbps, chip.memory_gbs)):
        if ours is not None:
            assert theirs is not None
            assert float(ours) == theirs.best
    classed = rules.classify(chip.id, "2026-06-01")
    if sure(chip.tpp) is not None:
        assert chip.tpp is not None
        assert classed.tpp == Fraction(repr(chip.tpp.best))
        if sure(chip.die_mm2) is not None:
            assert float(classed.pd) == pytest.approx(facts.performance_density(chip))
    hardware = perf.hardware(chip.id)
    stated: tuple[tuple[Any, Value | None, float], ...] = (
        (hardware.bf16_flops, chip.half_tflops, 1e12),
        (hardware.fp8_flops, chip.fp8_tflops, 1e12),
        (hardware.fp4_flops, chip.fp4_tflops, 1e12),
        (hardware.int8_flops, chip.int8_tops, 1e12),
        (hardware.memory_bytes, chip.memory_gb, 2.0**30),
        (hardware.memory_bandwidth, chip.memory_gbs, 1e9),
        (hardware.scaleup_bandwidth, chip.scaleup_gbs, 1e9),
        (hardware.tdp_w, chip.tdp_w, 1.0),
    )
    for number, value, scale in stated:
        if value is not None:
            assert number == pytest.approx(value.best * scale)


def test_no_room_keeps_a_table_of_chips_of_its_own() -> None:
    package = Path(facts.__file__).parents[1]
    telling = {"tpp", "die_mm2", "bf16_tflops", "fp8_tflops", "memory_gbs", "mem_bw_gbps", "tdp_w"}
    for table in package.rglob("*.csv"):
        if table.parent != package / "facts" / "data":
            head = set(table.read_text(encoding="utf-8").split("\n", 1)[0].split(","))
            assert not head & telling, f"{table.relative_to(package)} holds numbers of chips: {head & telling}"


def test_a_chip_of_ones_own_needs_facts_only(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def document(*command: str) -> Any:
        with pytest.raises(SystemExit) as ended:
            main([*command, "--facts", str(mine), "--json"])
        out, error = capsys.readouterr()
        assert ended.value.code == 0, error
        return json.loads(out)

    page = document("facts", "show", "Z900")
    assert page["record"]["id"] == "nvidia-z900"
    assert page["values"]["tpp"][0]["best"] == 8000
    assert page["derived"]["performance_density"] == 10
    assert document("classify", "엔비디아 Z900", "--on", "2025-08-01")["eccn"] == "3A090.a"
    assert document("licence", "Z900", "--to", "CN", "--on", "2025-08-01")["review"] == "presumption_of_denial"
    estimate = document("estimate", "Llama-3.1-70B", "--on", "NVIDIA Z900")
    assert estimate["quantities"]["output_tok_s_chip"]["p50"] > 0
    found = {row["quantity"]: row for row in document("match", "Z900 96GB", "H20")["measures"]}
    assert found["fp8 peak"]["ratio"] == pytest.approx(1000 / 296)
    assert found["memory"]["ratio"] == pytest.approx(1)


def test_facts_in_force_end_with_their_block(mine: Path) -> None:
    with facts.in_force(facts.load([mine])):
        assert rules.classify("Z900", "2025-08-01").tpp == 8000
        assert perf.hardware("Z900").tdp_w == 600
        assert "nvidia-z900" in catalogue()
    assert "nvidia-z900" not in facts.load().chips
    with pytest.raises(UnknownName, match="Z900"):
        rules.classify("Z900", "2025-08-01")


def test_a_number_laid_over_a_chip_reaches_every_room(tmp_path: Path) -> None:
    line = "chip,quantity,central,unit,source,confidence,preferred\nnvidia-h20,fp8_tflops,700,TFLOP/s,own-knowledge,A,yes\n"
    (tmp_path / "chip_values.csv").write_text(line, encoding="utf-8")
    with facts.in_force(facts.load([tmp_path])) as known:
        assert known.chip("H20").tpp.best == 5600  # type: ignore[union-attr]
        assert rules.classify("H20", "2024-06-01").eccn == "3A090.a"
        assert perf.hardware("H20").fp8_flops == 700e12
    assert rules.classify("H20", "2024-06-01").eccn == "not_3A090"
