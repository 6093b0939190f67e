"""Runs on disk: whole or not there, found again, exported, repaired from what finished."""

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir import store
from chipweir.errors import InputError, UnknownName
from chipweir.store import _disk, _parts
from chipweir.world import load_scenario


def results(seed: int = 0) -> xr.Dataset:
    generator = np.random.default_rng(seed)
    months = np.arange(np.datetime64("2022-01"), np.datetime64("2022-05")).astype("datetime64[ns]")
    compute = generator.lognormal(size=(2, 3, 4, 2))
    return xr.Dataset(
        {
            "compute": (("scenario", "quantile", "month", "region"), compute, {"units": "H100e", "note": "한국"}),
            "premium": (("scenario", "quantile", "month"), generator.lognormal(size=(2, 3, 4)), {"units": "1"}),
            "binding": (("scenario", "month"), generator.integers(0, 3, size=(2, 4))),
        },
        coords={
            "scenario": ["baseline", "weir"],
            "quantile": [0.05, 0.5, 0.95],
            "month": months,
            "region": ["CHN", "USA"],
        },
        attrs={"members": 3, "checks": {"closed": True}},
    )


def made(**changes: object) -> dict[str, object]:
    scenarios = [load_scenario("baseline"), load_scenario("weir")]
    return {**store.manifest(scenarios, "f" * 64, "r" * 64, 3, 1, ["chipweir", "run"]), **changes}


def fill(folder: Path, manifest: object) -> None:
    (folder / "headline.json").write_text('{"rows": [1]}')
    (folder / "report.html").write_text("<html></html>")


@pytest.fixture
def run(tmp_path: Path) -> store.Run:
    return store.write_run(tmp_path, results(), made(), fill)


def test_a_run_is_read_back_as_it_was_written(run: store.Run, tmp_path: Path) -> None:
    again = store.find_run(run.id, tmp_path)
    assert again.results.identical(results())
    assert again.damage() == []
    assert again.headline() == {"rows": [1]}
    assert [scenario.name for scenario in again.scenarios] == ["baseline", "weir"]
    assert again.scenarios[1] == load_scenario("weir")
    assert {"headline.json", "report.html", "scenarios/weir.yaml"} <= set(again.manifest["files"])
    assert load_scenario(run.path / "scenarios" / "weir.yaml") == load_scenario("weir")


def test_ids_sort_by_time_and_never_collide(tmp_path: Path) -> None:
    early = store.write_run(tmp_path, results(), made(created="2026-11-01T00:00:00+00:00"))
    late = store.write_run(tmp_path, results(), made(created="2026-11-02T00:00:00+00:00"))
    twin = store.write_run(tmp_path, results(), made(created="2026-11-02T00:00:00+00:00"))
    assert early.id < late.id < twin.id
    assert "baseline-weir" in early.id
    listed, damaged = store.list_runs(tmp_path)
    assert [entry.id for entry in listed] == [early.id, late.id, twin.id]
    assert damaged == {}
    assert store.find_run("latest", tmp_path).id == twin.id
    assert store.find_run(early.id[:12], tmp_path).id == early.id
    with pytest.raises(InputError, match="begins the ids of"):
        store.find_run("2026", tmp_path)


def test_unknown_runs_are_named(run: store.Run, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=f"did you mean {run.id}"):
        store.find_run(run.id[:-1] + "z", tmp_path)
    with pytest.raises(UnknownName, match="holds no runs"):
        store.find_run("latest", tmp_path / "nowhere")
    with pytest.raises(InputError, match="not a run"):
        store.find_run(str(tmp_path) + "/", tmp_path)
    with pytest.raises(UnknownName):
        store.find_run("", tmp_path)


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path) -> None:
    before = store.write_run(tmp_path, results(), made())

    def fails(folder: Path, manifest: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write_run(tmp_path, results(1), made(seed=2), fails)
    assert [path.name for path in tmp_path.iterdir()] == [before.id]


def test_a_disk_without_room_is_told_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_disk.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, 200 << 20))
    store.prepare(tmp_path, 100 << 20)
    with pytest.raises(InputError, match="has 200 MB left; 264 MB are needed"):
        store.prepare(tmp_path, 200 << 20)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    def full(folder: Path, manifest: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError, match="is full; nothing was stored or lost"):
        store.write_run(tmp_path, results(), made(), full)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for act in (lambda: store.prepare(tmp_path / "file" / "runs"), lambda: store.prepare(tmp_path / "file")):
        with pytest.raises(InputError, match="cannot write to"):
            act()


def test_a_killed_writer_is_swept_and_a_living_one_is_not(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    host = socket.gethostname()
    left = tmp_path / f".writing-20260101-000000-x.{host}.{dead.stdout.strip()}"
    living = tmp_path / f".writing-20260101-000000-y.{host}.{os.getpid()}"
    for folder in (left, living):
        folder.mkdir()
    store.prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [living.name]


@pytest.mark.parametrize("harm", ["chunk gone", "chunk changed", "metadata", "manifest", "manifest gone", "other json"])
def test_damage_is_found_and_named(run: store.Run, tmp_path: Path, harm: str) -> None:
    chunk = next(path for path in (run.path / "results.zarr" / "compute").iterdir() if not path.name.startswith("."))
    if harm == "chunk gone":
        chunk.unlink()
    elif harm == "chunk changed":
        chunk.write_bytes(chunk.read_bytes()[:-3])
    elif harm == "metadata":
        (run.path / "results.zarr" / ".zmetadata").write_text("{")
    elif harm == "manifest":
        (run.path / "manifest.json").write_text('{"half": ')
    elif harm == "manifest gone":
        (run.path / "manifest.json").unlink()
    else:
        (run.path / "manifest.json").write_text("[1]")
    with pytest.raises(InputError, match=f"run {run.id} is damaged: .*(results.zarr|manifest.json)"):
        _ = store.find_run(run.id, tmp_path).results
    if "json" in harm or "manifest" in harm:
        assert list(store.list_runs(tmp_path)[1]) == [run.id]


def test_a_manifest_that_is_a_pipe_is_damage_and_holds_nothing_up(run: store.Run, tmp_path: Path) -> None:
    folder = run.path.with_name(run.path.name.replace("x5", "x6") + "0")
    shutil.copytree(run.path, folder)
    (folder / "manifest.json").unlink()
    os.mkfifo(folder / "manifest.json")
    runs, damaged = store.list_runs(run.path.parent)
    assert [each.id for each in runs] == [run.id]
    assert "is a pipe" in " ".join(damaged.values())


def test_a_run_deleted_while_it_is_read_is_one_line(run: store.Run, tmp_path: Path) -> None:
    reader = store.find_run(run.id, tmp_path)
    store.delete_run(run.id, tmp_path)
    with pytest.raises(InputError, match="was deleted while it was being read"):
        _ = reader.results
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_of_a_newer_version_is_refused(run: store.Run, tmp_path: Path) -> None:
    path = run.path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "manifest_version": 99, "code_version": "9.0"}))
    with pytest.raises(InputError, match=r"made by a newer Chipweir \(9.0\)"):
        store.find_run(run.id, tmp_path)


def test_the_identity_is_of_what_determines_the_numbers() -> None:
    one = made()
    assert store.identity(one) == store.identity({**one, "created": "then", "command": ["other"], "git": None})
    for key, value in {"seed": 2, "members": 4, "facts_digest": "0", "rules_digest": "0", "code_digest": "0"}.items():
        assert store.identity(one) != store.identity({**one, key: value}), key
    bolder = load_scenario("weir").with_settings({"us.enforcement": 2})
    changed = [load_scenario("baseline").model_dump(), bolder.model_dump()]
    assert store.identity(one) != store.identity({**one, "scenarios": changed})


@given(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.integers(0, 1))
@settings(max_examples=20, deadline=None)
def test_the_digest_sees_the_last_bit(scenario: int, quantile: int, month: int, region: int) -> None:
    one, other = results(), results()
    place = (scenario % 2, quantile, month, region)
    other["compute"].values[place] = np.nextafter(other["compute"].values[place], np.inf)
    assert store.dataset_digest(one) != store.dataset_digest(other)
    assert store.dataset_digest(one) == store.dataset_digest(results())
    assert store.dataset_digest(one) == store.dataset_digest(one.assign_attrs(anything=1))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_long_table_holds_every_number_once(run: store.Run, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"out{suffix}"
    store.export_run(run, target)
    read = pyarrow.csv.read_csv if suffix == ".csv" else pyarrow.parquet.read_table
    rows = read(target).to_pylist()
    assert len(rows) == sum(results()[name].size for name in results().data_vars)
    row = next(
        row
        for row in rows
        if row["variable"] == "compute"
        and row["scenario"] == "weir"
        and row["quantile"] == 0.95
        and str(row["month"])[:7] == "2022-03"
        and row["region"] == "USA"
    )
    assert row["unit"] == "H100e"
    expected = results()["compute"].sel(scenario="weir", quantile=0.95, month="2022-03", region="USA").item()
    assert row["value"] == pytest.approx(expected, rel=1e-15)
    assert all(not row["region"] for row in rows if row["variable"] == "premium")


def test_netcdf_carries_axes_units_and_attributes(run: store.Run, tmp_path: Path) -> None:
    store.export_run(run, tmp_path / "out.nc", ["compute", "premium"])
    with xr.open_dataset(tmp_path / "out.nc") as read:
        assert list(read.data_vars) == ["compute", "premium"]
        assert read["compute"].attrs["units"] == "H100e"
        assert json.loads(read.attrs["checks"]) == {"closed": True}
        xr.testing.assert_equal(read.load(), results()[["compute", "premium"]])


def test_export_refuses_what_it_cannot_do_and_leaves_the_old_file(run: store.Run, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("before")
    with pytest.raises(UnknownName, match="did you mean compute"):
        store.export_run(run, target, ["comput"])
    with pytest.raises(UnknownName, match="file type"):
        store.export_run(run, tmp_path / "out.xlsx")
    with pytest.raises(InputError, match="cannot write to"):
        store.export_run(run, tmp_path / "nowhere" / "out.csv")
    assert target.read_text() == "before"


def halves(task: int) -> dict[str, np.ndarray]:
    return {"values": np.arange(3.0) * task, "count": np.array(task)}


def stopped_after(number: int) -> Callable[[int], dict[str, np.ndarray]]:
    """A task's function that is interrupted when it comes to that task."""

    def function(task: int) -> dict[str, np.ndarray]:
        if task == number:
            raise KeyboardInterrupt
        return halves(task)

    return function


def stop_midway(directory: Path) -> None:
    with store.unfinished(directory, "a" * 64) as folder:
        list(store.resuming(folder, str)(stopped_after(3), range(6)))


def test_a_stopped_ensemble_goes_on_from_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parts, "KEEP_AFTER_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        stop_midway(tmp_path)
    assert len(store.unfinished_runs(tmp_path)) == 1
    computed = []

    def counted(task: int) -> dict[str, np.ndarray]:
        computed.append(task)
        return halves(task)

    with store.unfinished(tmp_path, "a" * 64) as folder:
        parts = list(store.resuming(folder, str)(counted, range(6)))
    assert computed == [3, 4, 5]
    for task, part in enumerate(parts):
        np.testing.assert_array_equal(part["values"], halves(task)["values"])
        assert part["count"] == task
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_part_is_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parts, "KEEP_AFTER_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        stop_midway(tmp_path)
    (folder,) = store.unfinished_runs(tmp_path)
    first, second, third = sorted(folder.glob("part-*"))
    content = bytearray(first.read_bytes())
    content[150] ^= 0xFF
    first.write_bytes(content)
    second.write_bytes(second.read_bytes()[:-40])
    third.write_bytes(b"")
    with store.unfinished(tmp_path, "a" * 64) as folder:
        parts = list(store.resuming(folder, str)(halves, range(6)))
    for task, part in enumerate(parts):
        np.testing.assert_array_equal(part["values"], halves(task)["values"])


def test_short_ensembles_keep_no_parts(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        stop_midway(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_processes_do_not_compute_the_same_ensemble(tmp_path: Path) -> None:
    refused: list[str] = []

    def second() -> None:
        try:
            with store.unfinished(tmp_path, "c" * 64):
                pass
        except InputError as error:
            refused.append(str(error))

    with store.unfinished(tmp_path, "c" * 64):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert refused
    assert "by another process" in refused[0]


def test_the_runs_directory_is_the_option_then_the_variable_then_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHIPWEIR_RUNS", raising=False)
    assert store.runs_directory() == Path("chipweir-runs")
    monkeypatch.setenv("CHIPWEIR_RUNS", "elsewhere")
    assert store.runs_directory() == Path("elsewhere")
    assert store.runs_directory(Path("here")) == Path("here")


def edited(run: store.Run, change: Callable[[dict[str, Any]], None]) -> None:
    path = run.path / "manifest.json"
    made = json.loads(path.read_text())
    change(made)
    path.write_text(json.dumps(made))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda made: made.update(seed=7), "seed was changed"),
        (lambda made: made.update(members=4), "members was changed"),
        (lambda made: made.update(facts_digest="0"), "facts_digest was changed"),
        (lambda made: made["versions"].update(jax="0"), "versions was changed"),
        (
            lambda made: made["scenarios"][1]["levers"].update({"us.enforcement": 2.5}),
            "lever us.enforcement of weir was",
        ),
        (lambda made: made["scenarios"][0].update(end="2030-12"), "end of baseline was changed"),
        (lambda made: made["scenarios"].reverse(), "order of its scenarios was changed"),
        (lambda made: made["scenarios"].pop(), "scenario weir was changed"),
        (lambda made: made.update(seed=7, members=4), "seed, members were changed"),
        (
            lambda made: (made.update(seed=7), made.pop("fingerprints")),
            "its seed, members, versions, digests or scenarios",
        ),
        (lambda made: made.update(seed="1"), "not complete .seed"),
        (lambda made: made.update(seed=-1), "not complete .seed"),
        (lambda made: made.update(members=2.5), "not complete .members"),
        (lambda made: made.update(created="yesterday"), "not complete .created"),
        (lambda made: made.update(files={"../../etc/passwd": "0" * 64}), "not complete .files"),
        (lambda made: made.update(id="20260101-000000-a/b"), "not complete .id"),
        (lambda made: made["scenarios"][0].update(name="../x"), "not complete .scenarios.0.name"),
        (lambda made: made["scenarios"][0].update(levers=[]), "not complete .scenarios.0.levers"),
        (lambda made: made.update(scenarios=[]), "not complete .scenarios"),
        (lambda made: made.pop("identity"), "not complete .identity"),
        (lambda made: made.update(manifest_version="2"), "not complete .manifest_version"),
    ],
)
def test_an_edited_manifest_is_named(run: store.Run, tmp_path: Path, change: Any, said: str) -> None:
    other = store.write_run(tmp_path, results(1), made(seed=2), fill)
    edited(run, change)
    with pytest.raises(InputError, match=f"run {run.id} is damaged: .*{said}") as caught:
        store.find_run(run.id, tmp_path)
    assert "\n" not in str(caught.value)
    sound, damaged = store.list_runs(tmp_path)
    assert [each.id for each in sound] == [other.id]
    assert list(damaged) == [run.id]


def test_what_does_not_determine_the_numbers_may_change(run: store.Run, tmp_path: Path) -> None:
    edited(run, lambda made: made.update(command=["other"], git=None, note="mine"))
    assert store.find_run(run.id, tmp_path).manifest["note"] == "mine"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_manifest_takes_the_list_down(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    directory = tmp_path_factory.getbasetemp() / "odd-manifests"
    if not directory.exists():
        for seed in (1, 2):
            store.write_run(directory, results(seed), made(seed=seed), fill)
        (directory / "kept").write_text((sorted(directory.iterdir())[-1] / "manifest.json").read_text())
    odd = sorted(path for path in directory.iterdir() if path.is_dir())[-1]
    manifest = json.loads((directory / "kept").read_text())
    place: Any = manifest
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(JUNK)
        break
    (odd / "manifest.json").write_text(data.draw(st.sampled_from([json.dumps(manifest), json.dumps(place)])))
    sound, damaged = store.list_runs(directory)
    assert len(sound) + len(damaged) == 2
    assert all("\n" not in line for line in damaged.values())
    for each in sound:
        assert each.manifest["seed"] in (1, 2)
        assert (each.id in damaged) is False


def foreign_folder(directory: Path, name: str = "webapp") -> Path:
    folder = directory / name
    folder.mkdir()
    (folder / "manifest.json").write_text('{"name": "my app"}')
    (folder / "index.html").write_text("<html>")
    return folder


def everything(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*"))


def test_a_folder_that_is_no_run_is_never_deleted(run: store.Run, tmp_path: Path) -> None:
    webapp = foreign_folder(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    named = foreign_folder(elsewhere, run.id)
    inside = foreign_folder(tmp_path, "20200101-000000-mine")
    own_file = run.path / "notes.txt"
    own_file.write_text("mine")
    before = everything(tmp_path)
    for name, said in (
        (str(webapp), "not the id of a run"),
        (f"{webapp}/", "not the id of a run"),
        (str(named), "not complete"),
        (inside.name, "holds 'index.html'"),
        (run.id, "holds 'notes.txt'"),
        (str(run.path), "holds 'notes.txt'"),
        (str(tmp_path), "is not a run"),
        (".", "is not a run"),
        ("..", "is not a run"),
    ):
        with pytest.raises(InputError, match=said):
            store.delete_run(name, tmp_path)
    assert everything(tmp_path) == before
    own_file.unlink()
    store.delete_run(run.id, tmp_path)
    assert not run.path.exists()


def test_a_run_elsewhere_is_deleted_by_its_path_if_its_manifest_is_sound(run: store.Run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    moved = run.path.rename(other / run.id)
    (moved / "manifest.json").rename(moved / "kept")
    with pytest.raises(InputError, match="is not a run"):
        store.delete_run(str(moved), tmp_path)
    (moved / "kept").rename(moved / "manifest.json")
    renamed = moved.rename(other / "20200101-000000-other")
    with pytest.raises(InputError, match="is that of another run"):
        store.delete_run(str(renamed), tmp_path)
    renamed.rename(moved)
    store.delete_run(str(moved), tmp_path)
    assert everything(other) == []


def test_a_damaged_run_is_deleted_by_its_id(run: store.Run, tmp_path: Path) -> None:
    (run.path / "manifest.json").write_text("{")
    store.delete_run(run.id, tmp_path)
    assert everything(tmp_path) == []


def test_links_are_never_followed(run: store.Run, tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "gold").write_text("x")
    link = tmp_path / "20200101-000000-link"
    link.symlink_to(treasure)
    run_link = tmp_path / "20200102-000000-link"
    run_link.symlink_to(run.path)
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    ).stdout
    swept = tmp_path / f".writing-x.{socket.gethostname()}.{gone.strip()}"
    swept.symlink_to(treasure)
    waiting = tmp_path / f".unfinished-{'a' * 16}"
    waiting.symlink_to(treasure)
    for name in (link.name, str(link), run_link.name, str(run_link)):
        with pytest.raises(InputError, match=r"is a link|is not a run"):
            store.delete_run(name, tmp_path)
    assert store.unfinished_runs(tmp_path) == []
    with pytest.raises(InputError, match="is a link"):
        store.delete_unfinished(waiting)
    store.prepare(tmp_path)
    assert not swept.is_symlink()
    (run.path / "facts").symlink_to(treasure)  # inside a run: the link goes, what it leads to stays
    store.delete_run(run.id, tmp_path)
    assert (treasure / "gold").read_text() == "x"


def test_only_what_a_stopped_ensemble_leaves_is_deleted_as_such(tmp_path: Path) -> None:
    folder = tmp_path / f".unfinished-{'b' * 16}"
    folder.mkdir()
    (folder / "part-baseline-0-64.npz").write_bytes(b"")
    (folder / "mine.txt").write_text("x")
    with pytest.raises(InputError, match=r"holds 'mine.txt'"):
        store.delete_unfinished(folder)
    with pytest.raises(InputError, match="not what a stopped"):
        store.delete_unfinished(foreign_folder(tmp_path))
    (folder / "mine.txt").unlink()
    store.delete_unfinished(folder)
    assert not folder.exists()


def test_a_state_is_kept_now_and_then_and_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(_parts.time, "monotonic", lambda: clock[0])
    kept = store.resuming(tmp_path, str)
    states = iter(range(100))

    def state() -> dict[str, np.ndarray]:
        return {"done": np.array(next(states))}

    assert kept.load() is None
    for second in range(0, 400, 10):
        clock[0] = second
        kept.save(state)
    assert next(states) == 4  # after 20, 140, 260 and 380 seconds
    clock[0] = 395
    kept.save(state, last=True)
    assert next(states) == 5
    clock[0] = 405
    kept.save(state, last=True)
    assert kept.load() == {"done": np.array(6)}
    (tmp_path / "state.npz").write_bytes(b"no archive")
    assert store.resuming(tmp_path, str).load() is None
    assert list(tmp_path.iterdir()) == []
