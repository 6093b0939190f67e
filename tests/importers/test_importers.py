"""Tables of others in the shapes their publishers give them, with made-up numbers, laid into a directory of own facts."""

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir import facts, perf
from chipweir.cli import main
from chipweir.errors import InputError, UnknownName
from chipweir.importers import KINDS, import_file
from chipweir.perf._measured import read_rows
from chipweir.rules._screening import read_list, screen


TODAY = date(2026, 11, 27)


def table(path: Path, rows: list[dict[str, Any]], mark: str = "") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(mark)
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


HARDWARE = [
    {
        "Hardware name": "NVIDIA H200 SXM",
        "Manufacturer": "NVIDIA",
        "Tensor-FP16/BF16 performance (FLOP/s)": "9.9E+14",
        "INT8 performance (OP/s)": "1.98e15",
        "Memory size per board (Byte)": "141000000000",
        "Memory bandwidth (byte/s)": "4.8e12",
        "TDP (W)": "701",
        "Link to datasheet": "https://example.org/h200.pdf",
    },
    {"Hardware name": "Imaginary Engine 9", "Manufacturer": "Nobody", "TDP (W)": "5"},
]


def test_epochs_hardware_stands_beside_what_is_known(tmp_path: Path) -> None:
    own = tmp_path / "own"
    written = import_file("epoch-chips", table(tmp_path / "h.csv", HARDWARE), own, today=TODAY)
    chip = facts.load((own,)).chip("H200")
    values = {value.best: value for value in chip.alternatives("tdp_w")}
    assert values[701].source == "import-epoch-hardware"
    assert len(values) > 1, "the shipped value stands beside it"
    assert chip.tdp_w is not None
    assert chip.tdp_w.best != 701, "an import decides nothing"
    bf16 = [value.best for value in chip.alternatives("bf16_tflops") if value.source == "import-epoch-hardware"]
    assert bf16 == [pytest.approx(990)]
    assert [line for line in written.skipped if "Imaginary Engine 9" in line]


def sales(**changes: str) -> dict[str, str]:
    row = {
        "Name": "Q1 2024 - H20", "Chip manufacturer": "Nvidia", "Start date": "1/1/2024", "End date": "3/31/2024",
        "Number of Units": "100000", "Number of Units (5th percentile)": "80000",
        "Number of Units (95th percentile)": "125000", "Notes": "Estimates generated on: 03-31-2026 17:12",
        "Chip type": "H20",
    }  # fmt: skip
    return {**row, **changes}


def test_epochs_sales_are_facts_by_chip_and_quarter(tmp_path: Path) -> None:
    own = tmp_path / "own"
    rows = [sales(), sales(**{"Chip type": "H2000"}), sales(**{"Start date": "soon"})]
    written = import_file("epoch-chips", table(tmp_path / "s.csv", rows), own, today=TODAY)
    (fact,) = (f for f in facts.load((own,)).facts.values() if f.value.source == "import-epoch-sales")
    assert (fact.entity, fact.measure, fact.item_id) == ("nvidia", "units", "nvidia-h20")
    assert (fact.start, fact.end) == (date(2024, 1, 1), date(2024, 3, 31))
    assert (fact.value.low, fact.value.central, fact.value.high) == (80_000, 100_000, 125_000)
    assert fact.value.published == "2026-03-31"
    assert len(written.skipped) == 2


def test_the_same_file_twice_changes_nothing_and_a_new_number_replaces_the_old(tmp_path: Path) -> None:
    own, path = tmp_path / "own", tmp_path / "s.csv"
    import_file("epoch-chips", table(path, [sales()]), own, today=TODAY)
    before = {file.name: file.read_bytes() for file in own.iterdir()}
    again = import_file("epoch-chips", path, own, today=TODAY)
    assert not any(again.added.values())
    assert not any(again.replaced.values())
    assert {file.name: file.read_bytes() for file in own.iterdir()} == before
    changed = import_file("epoch-chips", table(path, [sales(**{"Number of Units": "90000"})]), own, today=TODAY)
    assert changed.replaced["facts.csv"] == 1
    (fact,) = (f for f in facts.load((own,)).facts.values() if f.value.source == "import-epoch-sales")
    assert fact.value.central == 90_000


def trade(**changes: Any) -> dict[str, Any]:
    row = {
        "typeCode": "C", "freqCode": "M", "period": "202503", "reporterISO": "KOR", "reporterDesc": "Rep. of Korea",
        "flowCode": "X", "flowDesc": "Export", "partnerISO": "CHN", "partnerDesc": "China", "cmdCode": "854232",
        "cmdDesc": "Memories", "primaryValue": "1234567.8",
    }  # fmt: skip
    return {**row, **changes}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_comtrade_is_trade_by_goods_partner_and_month(tmp_path: Path, mark: str) -> None:
    own = tmp_path / "own"
    rows = [
        trade(),
        trade(flowCode="M", partnerISO="W00", partnerDesc="World", cmdCode="8471", period="2025", primaryValue="5e9"),
        trade(partnerISO="S19", partnerDesc="Other Asia, nes", cmdCode="8473"),
        trade(cmdCode="2709"),
        trade(period="202513"),
        trade(primaryValue="none"),
        trade(primaryValue="99"),
    ]
    written = import_file("comtrade", table(tmp_path / "t.csv", rows, mark), own, today=TODAY)
    known = facts.load((own,))
    found = {f.item_id: f for f in known.facts.values() if f.value.source == "import-comtrade"}
    memories = found["hs-854232"]
    assert (memories.entity, memories.measure, dict(memories.dims)) == (
        "south-korea",
        "exports",
        {"destination": "china"},
    )
    assert (memories.start, memories.end) == (date(2025, 3, 1), date(2025, 3, 31))
    assert memories.value.central == pytest.approx(1_234_567.8)
    assert (found["hs-8471"].measure, dict(found["hs-8471"].dims)) == ("imports", {})
    assert found["hs-8471"].end == date(2025, 12, 31)
    assert dict(found["hs-8473"].dims) == {"destination": "taiwan"}
    assert known.entities["hs-854232"].parent == "hs-8542"
    assert len(written.skipped) == 4
    assert [line for line in written.skipped if "a second value" in line]


CSL = {
    "_id": "abc", "source": "Entity List (EL) - Bureau of Industry and Security", "type": "", "programs": ["EAR"],
    "name": "Example Computing Technology Co., Ltd.", "alt_names": ["Example Compute", "例子计算"],
    "addresses": [{"address": "1 Road", "country": "CN"}], "start_date": "2025-03-28",
    "license_requirement": "For all items",
    "license_policy": "Presumption of denial", "source_list_url": "https://example.org/el",
}  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "json", "list"])
def test_the_screening_list_screens(tmp_path: Path, form: str) -> None:
    own = tmp_path / "own"
    if form == "csv":
        flat = {name: "; ".join(map(str, v)) if isinstance(v, list) else v for name, v in CSL.items()}
        path = table(tmp_path / "csl.csv", [{**flat, "addresses": "1 Road, Beijing, CN"}])
    else:
        path = tmp_path / "csl.json"
        path.write_text(json.dumps({"results": [CSL]} if form == "json" else [CSL]), encoding="utf-8")
    import_file("screening-list", path, own, today=TODAY)
    facts.load((own,))  # lists beside the facts do not disturb them
    names = read_list(own / "lists" / "consolidated-screening-list.csv")
    assert [hit.name for hit in screen(["Example Compute"], names)][:1] == ["Example Compute"]
    (hit, *_) = screen(["Example Computing Technology"], names)
    assert "Entity List" in hit.list
    with (own / "lists" / "consolidated-screening-list.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["countries"], row["licence_policy"], row["start_date"]) == ("CN", "Presumption of denial", "2025-03-28")


VLLM = {
    "date": "20260901-120000", "backend": "vllm", "model_id": "meta-llama/Llama-3.1-70B-Instruct", "num_prompts": 200,
    "request_rate": "inf", "max_concurrency": 64, "duration": 100.0, "completed": 200, "total_input_tokens": 204_800,
    "total_output_tokens": 102_400, "output_throughput": 2048.0, "median_ttft_ms": 300.0, "median_tpot_ms": 25.0,
}  # fmt: skip
SGLANG = {name: value for name, value in VLLM.items() if name not in ("model_id", "date")} | {"backend": "sglang"}


def test_a_benchmark_is_a_row_that_the_estimator_reads(tmp_path: Path) -> None:
    own = tmp_path / "own"
    path = tmp_path / "vllm.json"
    path.write_text(json.dumps(VLLM), encoding="utf-8")
    import_file("benchmark", path, own, today=TODAY, chip="H100", chips=4, tp=4, precision="bf16")
    lines = tmp_path / "sglang.jsonl"
    lines.write_text("\n".join(json.dumps({**SGLANG, "max_concurrency": n}) for n in (8, 16)), encoding="utf-8")
    with pytest.raises(InputError, match="does not name its model"):
        import_file("benchmark", lines, own, today=TODAY, chip="H100")
    rows = read_rows(own / "measurements" / "benchmarks.csv")
    assert [(row["chip"], row["n_chips"], row["isl"], row["osl"]) for row in rows] == [
        ("nvidia-h100-sxm", "4", "1024", "512")
    ]
    assert float(rows[0]["output_tok_s_chip"]) == 512
    assert rows[0]["date"] == "2026-09-01"
    (answer,) = perf.predict_rows(rows)
    assert answer["predictions"]["tpot_ms"]["p50"] > 0


def test_a_benchmark_needs_to_be_told_its_chip(tmp_path: Path) -> None:
    path = tmp_path / "vllm.json"
    path.write_text(json.dumps(VLLM), encoding="utf-8")
    with pytest.raises(InputError, match="--chip"):
        import_file("benchmark", path, tmp_path / "own")
    assert not (tmp_path / "own").exists()


WRONG: dict[str, Callable[[Path], Path]] = {
    "epoch-chips": lambda folder: table(folder / "x.csv", [{"a": "1", "b": "2"}]),
    "comtrade": lambda folder: table(folder / "x.csv", [{"period": "2025", "cmdCode": "8542"}]),
    "screening-list": lambda folder: table(folder / "x.csv", [{"title": "1"}]),
    "benchmark": lambda folder: table(folder / "x.json", [{"not": "json"}]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_another_file_is_refused_in_one_line_and_nothing_is_written(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    options = ["--chip", "H100"] if kind == "benchmark" else []
    with pytest.raises(SystemExit) as stop:
        main(["facts", "import", kind, str(WRONG[kind](tmp_path)), str(own), *options])
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "x." in err
    assert not own.exists()


def test_an_import_that_would_spoil_the_facts_is_undone(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "facts.csv").write_text("id,entity,measure\nmine,nvidia,no-such-measure\n", encoding="utf-8")
    before = (own / "facts.csv").read_bytes()
    with pytest.raises(InputError):
        import_file("comtrade", table(tmp_path / "t.csv", [trade()]), own, today=TODAY)
    assert {path.name: path.read_bytes() for path in own.iterdir()} == {"facts.csv": before}


def test_an_unknown_kind_names_the_kinds(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="comtrade"):
        import_file("comtrad", tmp_path / "x.csv", tmp_path / "own")


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = folder / "any.csv"
    path.write_text("reporterISO,period\n" + text, encoding="utf-8")
    with pytest.raises(InputError):
        import_file("comtrade", path, folder / "own", today=TODAY)
