"""The commands of the world room as a user meets them; the model is replaced by made-up numbers."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from chipweir import store, world


Call = Callable[..., Any]


def test_run_stores_prints_and_reports(imagined: Path, call: Call) -> None:
    answer = call("run", "--members", "20")
    assert answer.code == 0, answer.err
    (folder,) = imagined.iterdir()
    assert str(folder) in answer.out
    assert str(folder / "report.html") in answer.out
    assert "Chinese compute in use" in answer.out
    for name in ("2024", "2030", "blockade", "weir"):
        assert name in answer.out.casefold()
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>".upper()[:2])
    assert sorted(path.name for path in (folder / "scenarios").iterdir()) == [
        f"{name}.yaml" for name in ("baseline", "blockade", "open", "weir")
    ]


def test_run_as_json_is_one_document(imagined: Path, call: Call) -> None:
    answer = call("run", "baseline", "weir", "--members", "20", "--seed", "7", "--json", "--no-report")
    document = answer.json
    assert document["scenarios"] == ["baseline", "weir"]
    assert (document["members"], document["seed"], document["report"]) == (20, 7, None)
    assert Path(document["path"]) == imagined / document["run"]
    assert {cell["year"] for cell in document["headline"]} == {2024, 2025, 2026, 2028, 2030}
    manifest = json.loads((Path(document["path"]) / "manifest.json").read_text(encoding="utf-8"))
    assert {"jax", "numpy", "xarray"} <= manifest["versions"].keys()
    assert manifest["scenarios"][1]["levers"] == world.load_scenario("weir").levers
    assert len(manifest["facts_digest"]) == 64


def test_a_setting_runs_with_and_without_it(imagined: Path, call: Call) -> None:
    document = call("run", "--set", "us.enforcement=2@2026-12", "--members", "5", "--json", "--no-report").json
    assert document["scenarios"] == ["baseline", "baseline-changed"]
    changed = store.find_run(document["run"], imagined).scenarios[1]
    assert changed.levers["us.enforcement"] == {"2026-12": 2}
    deltas = [cell["delta"] for cell in document["headline"] if cell["scenario"] == "baseline-changed"]
    assert all(delta > 0 for delta in deltas)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wier"], "unknown scenario 'wier'; did you mean weir"),
        (["weir", "weir"], "two scenarios are called 'weir'"),
        (["nofile.yaml"], "cannot read scenario file nofile.yaml"),
        (["--members", "0"], "members 0 is out of range; give 1 to"),
        (["--seed", "-1"], "seed -1 is out of range"),
        (["--set", "us.enforcment=2"], "unknown lever 'us.enforcment'"),
        (["--set", "us.enforcement"], "write lever=value"),
        (["--set", "us.enforcement=2@"], "write lever=value"),
        (["--set", "us.enforcement=2@2026-13"], "'2026-13' is not a month"),
        (["--set", "us.quota.h20-class=-5"], "-5 is out of range"),
        (["--set", "us.quota.h20-class=[1"], "'[1' is not a value"),
        (["--from", "latest"], "unknown run 'latest'"),
        (["--from", "latest", "weir"], "--from takes everything from the run's manifest"),
        (["--lang", "fr"], "unknown language 'fr'"),
        (["--facts", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(
    imagined: Path, call: Call, arguments: list[str], message: str
) -> None:
    answer = call("run", *arguments)
    assert answer.code == 2
    assert message in answer.err
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    assert not imagined.exists() or list(imagined.iterdir()) == []


def test_scenarios_of_different_months_do_not_mix(imagined: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text("end: 2028-12")
    answer = call("run", "baseline", "short.yaml")
    assert answer.code == 2
    assert "scenarios of one run need the same months" in answer.err


def test_a_setting_without_effect_is_a_warning(imagined: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "late.yaml").write_text("levers: {us.enforcement: {2040-01: 2}}")
    answer = call("run", "late.yaml", "--members", "2", "--no-report", "--json")
    assert answer.code == 0
    assert "warning: late: us.enforcement is set only after the scenario's end" in answer.err
    assert answer.json["scenarios"] == ["late"]


def test_a_run_repeats_exactly_from_its_manifest(imagined: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    document = call("run", "baseline", "weir", "--members", "5", "--seed", "3", "--json", "--no-report").json
    again = call("run", "--from", "latest", "--json")
    assert again.code == 0
    assert again.json == {"run": document["run"], "equal": True, "largest_relative_difference": 0.0, "changed": []}
    assert len(list(imagined.iterdir())) == 1
    assert "repeated exactly" in call("run", "--from", document["run"]).out

    original = world.run_ensemble

    def nudged(*arguments: object, **options: object) -> xr.Dataset:
        results = original(*arguments, **options)
        results["compute"].values[0, 0, 0, 0] = np.nextafter(results["compute"].values[0, 0, 0, 0], np.inf)
        return results

    monkeypatch.setattr(world, "run_ensemble", nudged)
    differing = call("run", "--from", "latest", "--json")
    assert differing.code == 1
    assert not differing.json["equal"]
    assert 0 < differing.json["largest_relative_difference"] < 1e-15


def test_own_facts_travel_with_the_run(imagined: Path, call: Call, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "README.txt").write_text("not copied")
    document = call("run", "baseline", "--members", "2", "--facts", own, "--json", "--no-report").json
    folder = Path(document["path"]) / "facts" / "0"
    assert folder.is_dir()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_a_stop_leaves_what_was_there(
    imagined: Path, call: Call, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    call("run", "baseline", "--members", "2", "--no-report")
    before = sorted(path.name for path in imagined.iterdir())

    def stops(*arguments: object, **options: object) -> xr.Dataset:
        raise error

    monkeypatch.setattr(world, "run_ensemble", stops)
    answer = call("run", "weir")
    assert answer.code == (130 if error is KeyboardInterrupt else 2)
    assert answer.err.startswith("chipweir: ")
    assert answer.err.count("\n") == 1
    assert sorted(path.name for path in imagined.iterdir()) == before


def test_a_stopped_ensemble_goes_on_where_it_stopped(
    imagined: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store._parts, "KEEP_AFTER_SECONDS", 0.0)
    whole = world.run_ensemble
    computed = []

    def interrupted(*arguments: Any, mapper: store.Mapper, prior: bool = False) -> xr.Dataset:
        def until_the_third(function: Any, tasks: Any) -> Any:
            def counted(task: Any) -> Any:
                computed.append(task)
                if len(computed) == 3:
                    raise KeyboardInterrupt
                return function(task)

            return mapper(counted, tasks)

        return whole(*arguments, mapper=until_the_third)

    monkeypatch.setattr(world, "run_ensemble", interrupted)
    stopped = call("run", "--members", "4", "--no-report")
    assert stopped.code == 130
    assert "the same command goes on from them" in stopped.err
    assert len(call("runs", "list", "--json").json["unfinished"]) == 1
    resumed = call("run", "--members", "4", "--no-report", "--json")
    assert resumed.code == 0
    assert len(computed) == 3 + 2, "two of four scenarios were finished before the stop"
    monkeypatch.setattr(world, "run_ensemble", whole)
    assert call("run", "--members", "4", "--no-report", "--json").json["results"] == resumed.json["results"]
    assert call("runs", "list", "--json").json["unfinished"] == []


def test_a_directory_that_cannot_be_written_is_told_before_simulating(
    imagined: Path, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "run_ensemble", lambda *arguments, **options: pytest.fail("simulated in vain"))
    (tmp_path / "file").write_text("")
    answer = call("run", "--out", tmp_path / "file")
    assert answer.code == 2
    assert "cannot write to" in answer.err


def test_a_full_disk_is_told_before_simulating(imagined: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store._disk, "LEAST_FREE_BYTES", 2**62)
    answer = call("run")
    assert answer.code == 2
    assert "MB left" in answer.err


def test_compare_prints_paired_differences(imagined: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "strict.yaml").write_text("levers: {us.enforcement: 3}")
    call("run", "baseline", "strict.yaml", "weir", "--members", "50", "--no-report")
    document = call("compare", "latest", "baseline", "strict", "--json").json
    row = next(row for row in document["differences"] if row["month"] == "2030-12" and row["key"] == "compute")
    assert row["b"] == pytest.approx(1.2 * row["a"])
    bounds = (row["p90"][0], row["p80"][0], row["p50"][0], row["median"], row["p50"][1], row["p80"][1], row["p90"][1])
    assert list(bounds) == sorted(bounds)
    assert row["p50"][0] < row["median"] < row["p50"][1]
    assert row["median"] == pytest.approx(0.2 * row["a"])
    assert row["p_greater"] == 1
    turned = call("compare", "latest", "strict", "baseline", "--json").json
    mirrored = next(row for row in turned["differences"] if row["month"] == "2030-12" and row["key"] == "compute")
    assert mirrored["median"] == -row["median"]
    assert mirrored["p90"] == [-row["p90"][1], -row["p90"][0]]
    assert mirrored["p_greater"] == 0
    text = call("compare", "latest", "baseline", "strict", "--year", "2030").out
    assert "strict − baseline" in text
    assert "100%" in text
    assert "80 %" in text
    assert "90 %" not in text


def test_compare_simulates_what_no_run_holds(imagined: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "strict.yaml").write_text("levers: {us.enforcement: 3}")
    fresh = call("compare", "weir", "strict.yaml", "--members", "50", "--json").json
    assert (fresh["a"], fresh["b"]) == ("weir", "strict")
    assert not imagined.exists()
    call("run", "baseline", "weir", "strict.yaml", "--members", "50", "--no-report")
    stored = call("compare", "latest", "weir", "strict", "--json").json
    assert stored["differences"] == fresh["differences"]


def test_scenarios_without_a_difference_say_so(imagined: Path, call: Call) -> None:
    answer = call("compare", "baseline", "weir", "--members", "5", "--json")
    assert {row["p_greater"] for row in answer.json["differences"]} == {None}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["weir"], "compare takes [RUN] A B"),
        (["a", "b", "c", "d"], "compare takes [RUN] A B"),
        (["weir", "weir"], "two different scenarios"),
        (["nowhere", "baseline", "weir"], "unknown run 'nowhere'"),
        (["baseline", "weer"], "did you mean weir"),
        (["baseline", "weir", "--year", "2050"], "no headline quantity"),
    ],
)
def test_compare_names_what_is_wrong(imagined: Path, call: Call, arguments: list[str], message: str) -> None:
    answer = call("compare", *arguments)
    assert answer.code == 2
    assert message in answer.err


def test_compare_names_a_scenario_the_run_has_not(imagined: Path, call: Call) -> None:
    call("run", "baseline", "weir", "--members", "2", "--no-report")
    answer = call("compare", "latest", "baseline", "open")
    assert answer.code == 2
    assert "unknown scenario 'open' in this run" in answer.err


def test_runs_are_listed_shown_exported_and_deleted(imagined: Path, call: Call, tmp_path: Path) -> None:
    assert "no runs" in call("runs", "list").out
    assert call("runs", "list", "--json").json["runs"] == []
    first = call("run", "baseline", "--members", "3", "--json", "--no-report").json["run"]
    second = call("run", "weir", "--members", "4", "--json", "--no-report").json["run"]
    listed = call("runs", "list", "--json").json
    assert [(run["id"], run["scenarios"], run["members"]) for run in listed["runs"]] == [
        (first, ["baseline"], 3),
        (second, ["weir"], 4),
    ]
    assert first in call("runs", "list").out
    shown = call("runs", "show", second, "--json").json
    assert shown["damage"] == []
    assert shown["manifest"]["members"] == 4
    assert "all whole" in call("runs", "show", "latest").out
    target = tmp_path / "out.csv"
    assert call("runs", "export", second, target, "--variable", "compute", "--json").json["file"] == str(target)
    assert target.read_text().startswith('"variable","unit"')
    assert call("runs", "export", second, tmp_path / "out.xlsx").code == 2
    assert call("runs", "delete", first, "--yes").out == f"deleted {first}\n"
    assert [run["id"] for run in call("runs", "list", "--json").json["runs"]] == [second]
    assert call("runs", "delete", "--yes").code == 2
    assert call("runs", "delete", first, "--yes").code == 2


def test_a_damaged_run_is_named_and_does_not_hide_the_others(imagined: Path, call: Call) -> None:
    good = call("run", "baseline", "--members", "3", "--json", "--no-report").json["run"]
    bad = call("run", "weir", "--members", "3", "--json", "--no-report").json["run"]
    (imagined / bad / "manifest.json").write_text("{")
    answer = call("runs", "list", "--json")
    assert [run["id"] for run in answer.json["runs"]] == [good]
    assert "manifest.json cannot be read" in answer.json["damaged"][bad]
    assert call("runs", "show", bad).code == 2
    assert call("runs", "delete", bad, "-y").code == 0
    (imagined / good / "headline.json").write_text("[]")
    answer = call("runs", "show", good)
    assert answer.code == 2
    assert "headline.json: does not match its checksum" in answer.err


def test_scenario_and_lever_commands(imagined: Path, call: Call, tmp_path: Path) -> None:
    assert [each["name"] for each in call("scenarios", "list", "--json").json][:2] == ["baseline", "blockade"]
    assert call("scenarios", "show", "weir", "--json").json == world.load_scenario("weir").model_dump()
    (tmp_path / "copy.yaml").write_text(call("scenarios", "show", "weir").out)
    assert world.load_scenario(tmp_path / "copy.yaml") == world.load_scenario("weir")
    assert call("scenarios", "schema").json == world.scenario_schema()
    assert "is valid" in call("scenarios", "validate", tmp_path / "copy.yaml").out
    (tmp_path / "bad.yaml").write_text("levers:\n  us.enforcment: 1")
    answer = call("scenarios", "validate", tmp_path / "copy.yaml", tmp_path / "bad.yaml", "--json")
    assert answer.code == 2
    assert [each["valid"] for each in answer.json] == [True, False]
    assert "bad.yaml:2" in answer.err
    assert {lever["name"] for lever in call("levers", "--json").json} == world.levers().keys()
    assert "미국" in call("levers", "us.enforcement", "--lang", "ko").out
    assert call("levers", "us.enforcment").code == 2


@pytest.mark.parametrize("command", ["scenarios list", "levers", "runs list", "run --help", "--version"])
def test_commands_that_do_not_simulate_load_nothing_heavy(command: str, tmp_path: Path) -> None:
    script = (
        "import sys; from chipweir.cli import main\n"
        f"try: main({command.split()!r})\nexcept SystemExit: pass\n"
        "heavy = {'jax', 'xarray', 'pandas', 'plotly', 'scipy', 'zarr', 'numpyro'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy), len(sys.modules))"
    )
    environment = {**os.environ, "CHIPWEIR_RUNS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert "heavy: []" in done.stdout
    assert int(done.stdout.split()[-1]) < 800  # what a start takes goes with what it imports


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_killed_run_leaves_nothing_or_goes_on(tmp_path: Path, name: str) -> None:
    script = [sys.executable, str(Path(__file__).with_name("slow_run.py")), "run", "--members", "4", "--no-report"]
    command = [*script, "--out", str(tmp_path), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".unfinished-*/part-*.npz")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate()
    assert out == ""
    assert process.returncode == {"SIGINT": 130, "SIGTERM": -15, "SIGKILL": -9}[name]
    assert [path for path in tmp_path.iterdir() if not path.name.startswith(".unfinished-")] == []
    if name == "SIGINT":
        assert err == "chipweir: interrupted; finished parts are kept and the same command goes on from them\n"
    whole = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [path.name for path in tmp_path.iterdir()] == [json.loads(whole.stdout)["run"]]


def test_deleting_asks_and_touches_nothing_else(
    imagined: Path, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    call("run", "baseline", "--members", "3", "--no-report")
    (first,) = [each.name for each in imagined.iterdir()]
    webapp = tmp_path / "webapp"
    webapp.mkdir()
    (webapp / "manifest.json").write_text("{}")
    refused = call("runs", "delete", "./webapp", "--yes")
    assert refused.code == 2
    assert "is not the id of a run" in refused.err
    assert (webapp / "manifest.json").exists()
    silent = call("runs", "delete", first)
    assert silent.code == 2
    assert "give --yes" in silent.err
    monkeypatch.setattr("sys.stdin", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})("n\n"))
    assert "nothing was deleted" in call("runs", "delete", first).err
    assert (imagined / first).exists()
    monkeypatch.setattr("sys.stdin", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})("y\n"))
    assert call("runs", "delete", first).code == 0
    assert list(imagined.iterdir()) == []
