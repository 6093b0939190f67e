"""Chips of old processes: fine for small models, not for serving large ones."""

import pytest

from chipweir.errors import InputError, UnknownName
from chipweir.perf._edge import PROCESSES, camera_streams, edge_chip, edge_hour, edge_table, edge_use, idle_power


def test_old_processes_do_for_small_models_only() -> None:
    rows = {(row["process"], row["model"]): row for row in edge_table()}
    for process in ("28 nm", "14 nm"):
        assert rows[process, "Llama-3.1-8B"]["verdict"] == "fine"
        assert rows[process, "Llama-3.1-8B"]["tpot_s"] <= 0.1
        for model in ("Llama-3.1-70B", "DeepSeek-V3"):
            assert rows[process, model]["verdict"] == "no"
            assert rows[process, model]["reason"]
    small = [row for row in rows.values() if row["chips"]]
    assert all(row["joules_per_token"] > 0 and row["usd_per_million"] > 0 for row in small)


def test_a_newer_process_computes_more_per_watt() -> None:
    ratio = [float(c.hardware.int8_flops / c.hardware.tdp_w) for c in (edge_chip(p) for p in ("28", "14", "7"))]
    assert ratio == sorted(ratio)
    assert len({float(edge_chip(p).hardware.memory_bandwidth) for p in PROCESSES}) == 1
    assert camera_streams(edge_chip("7")) > camera_streams(edge_chip("28")) > 8


def test_single_stream_speed_is_the_memorys() -> None:
    slow, fast = (edge_use(edge_chip("28", memory_gbs=b), "Llama-3.1-8B", tpot_s=1.0) for b in (34.0, 136.0))
    assert fast.tokens_s_chip >= slow.tokens_s_chip
    # 8B weights in 4 bits cannot be read faster than the memory allows: tokens/s of one stream on one chip.
    alone = edge_use(edge_chip("28"), "Llama-3.1-8B", tpot_s=0.1)
    assert alone.tpot_s > 7.5e9 * 0.5 / (68e9 * alone.chips)


def test_energy_and_money_add_up() -> None:
    chip = edge_chip("14")
    use = edge_use(chip, "Llama-3.1-8B", country="KR")
    assert use.joules_per_token == pytest.approx(use.power_w / use.tokens_s_chip)
    hour = edge_hour(chip, use.power_w, "KR")
    assert use.usd_per_million == pytest.approx(hour / 3600 / use.tokens_s_chip * 1e6)
    assert edge_hour(chip, use.power_w, "GB") > hour
    assert idle_power(chip) < use.power_w


def test_bad_input() -> None:
    with pytest.raises(UnknownName, match="process"):
        edge_chip("29")
    with pytest.raises(InputError, match="positive"):
        edge_chip("28", die_mm2=0)
