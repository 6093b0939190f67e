"""The commands, as a user sees them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chipweir.cli import main


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["facts", *arguments])
        shown = capsys.readouterr()
        return int(stopped.value.code or 0), shown.out, shown.err

    return command


def document(run: Run, *arguments: str, code: int = 0) -> Any:
    status, out, _ = run(*arguments, "--json")
    assert status == code
    return json.loads(out)


@pytest.mark.parametrize(
    "kind",
    [
        "chips",
        "systems",
        "models",
        "entities",
        "countries",
        "measures",
        "facts",
        "events",
        "prices",
        "sources",
        "conflicts",
    ],
)
def test_list(run: Run, kind: str) -> None:
    rows = document(run, "list", kind)
    code, out, _ = run("list", kind)
    assert code == 0
    assert rows[0].get("id", rows[0].get("alpha2"))[:20] in out


def test_list_counts(run: Run) -> None:
    assert document(run, "list")["counts"]["facts"] == 2538


def test_list_filters_by_any_name(run: Run) -> None:
    assert {row["maker"] for row in document(run, "list", "chips", "--maker", "화웨이")} == {"huawei"}
    assert {row["country"] for row in document(run, "list", "models", "--country", "한국")} == {"KR"}
    assert {row["entity"] for row in document(run, "list", "facts", "--about", "中芯国际")} == {"smic"}
    assert all("nvidia" in row["actor_ids"] for row in document(run, "list", "events", "--about", "NVIDIA"))
    assert isinstance(document(run, "list", "chip")[0]["aliases"], list)
    code, _, error = run("list", "events", "--maker", "huawei")
    assert (code, error.count("\n")) == (2, 1)


def test_show_prints_every_fact_with_source_and_conflicts(run: Run) -> None:
    code, out, _ = run("show", "nvidia-h20")
    assert code == 0
    for text in (
        "148",
        "TFLOP/s",
        "958,000",
        "750,000",
        "shi-047",
        "Sources disagree",
        "RUMOUR",
        "preferred",
        "nvidia-hgx-h20",
    ):
        assert text in out, text
    page = document(run, "show", "H20")
    assert page["values"]["bf16_tflops"][0]["source_title"]
    assert {conflict["id"] for conflict in page["conflicts"]} >= {"h20-units-2024"}
    cited = {value["source"] for found in page["values"].values() for value in found}
    assert cited <= set(page["sources"])


@pytest.mark.parametrize(
    "name", ["화웨이", "CloudMatrix 384", "KR", "shi-085", "evt-001", "pri-001", "smic-7nm-yield", "GPT-5", "hbm"]
)
def test_show_takes_any_id_or_name(run: Run, name: str) -> None:
    assert run("show", name)[0] == 0
    assert document(run, "show", name)["record"]


def test_show_labels_rumours(run: Run) -> None:
    page = document(run, "show", "fab-042")
    assert page["value"]["rumour"] is (page["value"]["cls"] == "press" and page["value"]["confidence"] in "CD")
    code, out, _ = run("show", "fab-002")
    assert code == 0
    assert "RUMOUR" in out
    code, out, _ = run("show", "smic-7nm-yield")
    (claim,) = [line for line in out.splitlines() if "70 percent" in line and "fab-042" in line]
    assert ("RUMOUR" in claim) is page["value"]["rumour"]
    for row in document(run, "list", "facts"):
        assert row["rumour"] is (row["cls"] == "press" and row["confidence"] > "B")


def test_a_misspelt_id_suggests(run: Run) -> None:
    code, out, error = run("show", "nvidia-h200-smx")
    assert (code, out) == (2, "")
    assert "nvidia-h200-sxm" in error
    assert error.count("\n") == 1


def test_verify(run: Run, overlay: Callable[..., Path]) -> None:
    page = document(run, "verify")
    assert page["clean"]
    assert page["findings"] == []
    assert run("verify")[0] == 0
    fact = "id,entity,measure,central,unit,source,start\np-1,nobody,units,1,chips,own-knowledge,2025\n"
    directory = overlay(facts_csv=fact)
    page = document(run, "verify", "--facts", str(directory), code=1)
    assert [(finding["check"], finding["id"]) for finding in page["findings"]] == [("orphans", "p-1")]
    code, out, _ = run("verify", "--facts", str(directory))
    assert code == 1
    assert f"{directory / 'facts.csv'}:2: p-1" in out


@pytest.mark.parametrize("command", [["list", "chips"], ["show", "H20"], ["verify"], ["query", "SELECT 1"]])
def test_a_bad_overlay_is_one_line_with_file_and_line(
    run: Run, overlay: Callable[..., Path], command: list[str]
) -> None:
    directory = overlay(chips_csv="id,name\nnvidia-h20\n")
    code, out, error = run(*command, "--facts", str(directory))
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert "chips.csv:2" in error


def test_show_tells_own_values_from_shipped_ones(run: Run, overlay: Callable[..., Path]) -> None:
    text = "chip,quantity,central,unit,source,preferred\nnvidia-h20,memory_gb,141,GB,own-knowledge,yes\n"
    directory = overlay(chip_values_csv=text)
    page = document(run, "show", "H20", "--facts", str(directory))
    assert [value["best"] for value in page["values"]["memory_gb"]] == [141, 96]
    assert page["overrides"][0].startswith(
        f"value nvidia-h20.memory_gb: {directory}/chip_values.csv:2 overrides chip_values"
    )
    assert "overrides" in run("show", "H20", "--facts", str(directory))[1]


def test_query(run: Run) -> None:
    sql = "SELECT id, memory_gb FROM chips WHERE maker = 'furiosaai' AND memory_gb > 16"
    assert document(run, "query", sql) == [{"id": "furiosaai-rngd", "memory_gb": 48.0}]
    code, out, error = run("query", sql)
    assert (code, error) == (0, "rows: 1\n")
    assert "furiosaai-rngd" in out
    assert document(run, "query", "SELECT 'NaN'::DOUBLE AS x") == [{"x": None}]
    assert run("query", "DROP TABLE chips")[0] == 2


def test_schema(run: Run) -> None:
    page = document(run, "schema")
    assert {"Chip", "System", "Fact", "Value"} <= set(page["$defs"])
    assert "override" in page["files"]["chips.csv"]["columns"]


def test_show_imports_nothing_heavy_and_makes_only_what_it_prints() -> None:
    code = (
        "import sys, io, contextlib\nfrom chipweir.cli import main\nfrom chipweir.facts import load\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    try: main(['facts', 'show', 'nvidia-h20'])\n    except SystemExit: pass\n"
        "heavy = 'jax pandas xarray scipy plotly pint duckdb numpy'.split()\n"
        "made = {name: table.made for name in ('chips', 'systems', 'prices') for table in (getattr(load(), name),)}\n"
        "print([name for name in heavy if name in sys.modules], made)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported, _, made = done.stdout.strip().partition("] ")
    assert imported == "["
    counts = json.loads(made.replace("'", '"'))
    assert counts["chips"] == 1
    assert counts["systems"] < 5
    assert 0 < counts["prices"] < 40, "of 2,600 prices only the chip's own are made"
