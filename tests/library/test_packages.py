"""Exports as other people's tools read them: Frictionless validates, RO-Crate names every file, numbers are the same."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from frictionless import Package, system
from synthetic_run import synthetic_run

from chipweir import facts, library, store, world
from chipweir.cli import main
from chipweir.errors import InputError


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("package") / "facts"
    library.export_facts(facts.load(), target)
    return target


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[store.Run, Path]:
    folder = tmp_path_factory.mktemp("runs")
    dataset = synthetic_run().isel(scenario=slice(0, 2), month=slice(0, 24))
    order = library.Order(tuple(world.load_scenario(str(name)) for name in dataset["scenario"].values), 50, 3)
    made = library.manifest(order, facts.load(), ("chipweir", "run"))
    return library.Results(library.attributed(dataset, made), made, order).save(folder, report=False), folder


def _valid(folder: Path) -> None:
    with system.use_context(trusted=True):
        report = Package(str(folder / "datapackage.json")).validate()
    assert report.valid, report.flatten(["resourceName", "rowNumber", "fieldName", "type", "note"])[:5]


def _crate_is_whole(folder: Path) -> None:
    crate = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    entries = {entry["@id"]: entry for entry in crate["@graph"]}
    root = entries[entries["ro-crate-metadata.json"]["about"]["@id"]]
    described = {part["@id"] for part in root["hasPart"]}
    on_disk = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert described == on_disk - {"datapackage.json", "ro-crate-metadata.json"}
    for name in described:
        assert entries[name]["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_facts_are_a_valid_data_package(tables: Path) -> None:
    _valid(tables)
    _crate_is_whole(tables)
    package = json.loads((tables / "datapackage.json").read_text(encoding="utf-8"))
    assert {"facts", "chips", "prices", "sources"} <= {
        entry["path"].removesuffix(".csv") for entry in package["resources"]
    }
    assert len(package["sources"]) == len(facts.load().sources)
    fields = next(e["schema"]["fields"] for e in package["resources"] if e["path"] == "facts.csv")
    assert {"name": "central", "type": "number"} in fields


def test_a_run_is_a_valid_data_package(stored: tuple[store.Run, Path], tmp_path: Path) -> None:
    run, _folder = stored
    target = tmp_path / "package"
    store.export_run(run, target)
    _valid(target)
    _crate_is_whole(target)
    import pandas as pd

    frame = pd.read_csv(target / "results.csv.gz", dtype={"month": str}, low_memory=False)
    row = frame[(frame.variable == "compute") & (frame.region == "CHN") & (frame["quantile"] == 0.5)]
    first = row[(row.scenario == "baseline") & (row.month == "2022-01")]
    expected = run.results["compute"].sel(scenario="baseline", region="CHN", quantile=0.5)[0].item()
    assert first["value"].item() == pytest.approx(expected)
    with xr.open_dataset(target / "results.nc") as exported:
        np.testing.assert_allclose(exported["compute"].values, run.results["compute"].values)
        assert exported.attrs["seed"] == 3


def test_a_folder_with_something_in_it_is_not_touched(
    stored: tuple[store.Run, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="not empty"):
        library.export_facts(facts.load(), tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["runs", "export", stored[0].id, str(tmp_path), "--out", str(stored[1])])
    assert stop.value.code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_exports_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main_target = tmp_path / "out"
    with pytest.raises(SystemExit) as stop:
        main(["facts", "export", str(main_target), "--json"])
    assert not stop.value.code
    assert "datapackage.json" in json.loads(capsys.readouterr().out)["files"]
