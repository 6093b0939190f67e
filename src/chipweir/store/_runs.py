"""Runs: written whole or not at all, found again, exported, deleted."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from chipweir import reading
from chipweir.errors import InputError, UnknownName
from chipweir.store import _export, _package
from chipweir.store._disk import DELETED, WRITING, flush, flush_folder, owner, remove, writing
from chipweir.store._manifest import RUN_ID, read_manifest, sealed
from chipweir.store._parts import FOLDER


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.world import Scenario


Content = TypeVar("Content")
# What a run's folder may hold; a folder with anything else in it is more than a run, and is not deleted as one.
_OWN = re.compile(r"results\.zarr|manifest\.json|headline\.json|scenarios|facts|report[a-z-]*\.html")
_OWN_UNFINISHED = re.compile(r"lock|state\.npz|part-.+")


@dataclass(frozen=True)
class Run:
    """A stored run. Its manifest is read; its results are read when asked for."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.path.name

    @cached_property
    def results(self) -> "xr.Dataset":
        """The results, wholly in memory. Raises `InputError` where they are damaged or gone."""
        return _reading(self, self._checked_results)

    @cached_property
    def scenarios(self) -> "tuple[Scenario, ...]":
        """The scenarios as they were resolved, in the order of the run."""
        from chipweir.world import resolved_scenario

        where = f"run {self.id} is damaged: manifest.json"
        return tuple(resolved_scenario(dumped, where) for dumped in self.manifest["scenarios"])

    def _checked_results(self) -> "xr.Dataset":
        results = read_dataset(self.path / "results.zarr")
        if dataset_digest(results) != self.manifest["results"]:  # Zarr reads a missing chunk as empty values
            raise ValueError("the results do not match their checksum")
        return results

    def headline(self) -> Any:
        """The headline table as it was stored."""
        return _reading(self, lambda: reading.read_json(self.path / "headline.json"))

    def damage(self) -> list[str]:
        """What is wrong with the files: one line each, nothing where all checksums hold."""
        found = []
        for name, checksum in self.manifest["files"].items():
            try:
                actual = _checksum(self.path / name)
            except OSError as error:
                found.append(f"{name}: {(error.strerror or str(error)).lower()}")
                continue
            if actual != checksum:
                found.append(f"{name}: does not match its checksum")
        return found


def write_run(
    directory: Path,
    results: "xr.Dataset",
    made: Mapping[str, Any],
    fill: Callable[[Path, Mapping[str, Any]], None] | None = None,
    secret: str = "",
) -> Run:
    """Store a run. `fill(folder, manifest)` adds files (headline, report). All of it appears at once, or nothing.

    `secret` (a-z, 0-9) ends its id, for runs that only those shall find who were told the id.
    Raises `InputError` where it cannot be written; whatever lay in `directory` before is untouched.
    """
    from chipweir.world import Scenario

    made = {**sealed(made), "results": dataset_digest(results)}
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        name = _free_name(directory, "-".join(filter(None, (_run_id(made), secret))))
        temporary = directory / f"{WRITING}{name}.{owner()}"
        try:
            (temporary / "scenarios").mkdir(parents=True)
            write_dataset(results, temporary / "results.zarr")
            for dumped in made["scenarios"]:
                target = temporary / "scenarios" / f"{dumped['name']}.yaml"
                target.write_text(Scenario(**dumped).to_yaml(), encoding="utf-8")
            made = {**made, "id": name}
            if fill is not None:
                fill(temporary, made)
            made = {**made, "files": _checksums(temporary)}
            (temporary / "manifest.json").write_text(json.dumps(made, indent=1, ensure_ascii=False), encoding="utf-8")
            flush(temporary)
            temporary.rename(directory / name)
            flush_folder(directory)
        except BaseException:
            remove(temporary)
            raise
    return Run(directory / name, made)


def list_runs(directory: Path) -> tuple[list[Run], dict[str, str]]:
    """The runs in `directory`, oldest first, and the damaged ones with what is wrong with each."""
    runs, damaged = [], {}
    for path in _run_folders(directory):
        try:
            runs.append(Run(path, read_manifest(path)))
        except InputError as error:
            damaged[path.name] = str(error)
    return runs, damaged


def find_run(name: str, directory: Path) -> Run:
    """The run of that id, of that unambiguous beginning of an id, at that path, or the last one (`latest`).

    Raises `UnknownName` or `InputError` (ambiguous, damaged).
    """
    path = run_path(name, directory)
    return Run(path, read_manifest(path))


def find_identity(key: str, directory: Path) -> Run | None:
    """The newest sound run in `directory` whose numbers are determined by what `identity` gave as `key`; None if none is."""
    for path in reversed(_run_folders(directory)):
        if path.name.rpartition("-")[2] == key[:6] or f"-{key[:6]}-" in path.name:
            try:
                made = read_manifest(path)
            except InputError:
                continue
            if made.get("identity") == key:
                return Run(path, made)
    return None


def run_path(name: str, directory: Path) -> Path:
    """Where the run called `name` lies, sound or damaged. Raises as `find_run`."""
    if os.sep in name or name in {".", ".."}:
        path = Path(os.path.abspath(name))  # not resolved: a link is not what it leads to
        if not (path / "manifest.json").exists():
            raise InputError(f"{reading.clean(name, 200)} is not a run: there is no manifest.json in it")
        return path
    folders = {path.name: path for path in _run_folders(directory)}
    if name == "latest" and folders:
        return folders[max(folders)]
    if name in folders:
        return folders[name]
    matches = [folder for folder in folders if name and folder.startswith(name)]
    if len(matches) > 1:
        raise InputError(f"'{name}' begins the ids of {len(matches)} runs, such as {matches[0]} and {matches[1]}")
    if not matches:
        where = str(directory) if folders else f"{directory}, which holds no runs"
        raise UnknownName("run", name, folders, where=where)
    return folders[matches[0]]


def delete_run(run: str | Path, directory: Path) -> Path:
    """Delete the run of that id (whole) in `directory`, or at that path, and nothing else; where it lay.

    It disappears from the list at once; a reader gets one clear line. Raises `InputError` and `UnknownName` for what is no
    run of ours: a link, a folder under another name, one that holds other files too, or one that lies elsewhere and has no
    sound manifest.
    """
    path = run if isinstance(run, Path) else run_path(run, directory)
    if not RUN_ID.fullmatch(path.name):
        raise InputError(f"{path} is not deleted: '{path.name}' is not the id of a run")
    if path.parent.resolve() != directory.resolve() and read_manifest(path).get("id") != path.name:
        raise InputError(f"{path} is not deleted: its manifest is that of another run")
    _delete(path, _OWN)
    return path


def delete_unfinished(path: Path) -> None:
    """Delete what a stopped ensemble left at `path`. Raises `InputError` for anything else."""
    if not FOLDER.fullmatch(path.name):
        raise InputError(f"{path} is not deleted: it is not what a stopped ensemble leaves")
    _delete(path, _OWN_UNFINISHED)


def _delete(path: Path, own: re.Pattern[str]) -> None:
    if path.is_symlink():
        raise InputError(f"{path} is not deleted: it is a link to {os.readlink(path)}")
    try:
        foreign = sorted(entry.name for entry in path.iterdir() if not own.fullmatch(entry.name))
    except OSError as error:
        raise InputError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    if foreign:
        raise InputError(f"{path} is not deleted: it holds '{reading.clean(foreign[0])}', which is no part of a run")
    grave = path.with_name(f"{DELETED}{path.name}.{owner()}")
    with writing(path.parent):
        path.rename(grave)
        shutil.rmtree(grave)


def export_run(run: Run, target: Path, variables: Sequence[str] = ()) -> None:
    """Write a run's results to `target`: `.csv` and `.parquet` as one long table, `.nc` as netCDF with axes and units,
    without a suffix a folder with all three, the manifest and the scenarios as a data package and RO-Crate.

    `variables` limits what is written. Raises `UnknownName` for a variable or file type that is not there.
    """
    writers = {".csv": _export.write_csv, ".parquet": _export.write_parquet, ".nc": _export.write_netcdf}
    if target.suffix and target.suffix not in writers:
        raise UnknownName(
            "file type", target.suffix, writers, where=f"{target}; it takes .csv, .parquet, .nc or a folder"
        )
    results = run.results
    for name in variables:
        if name not in results.data_vars:
            raise UnknownName("variable", name, map(str, results.data_vars), where=f"run {run.id}")
    if not target.suffix:
        _export_package(run, results[list(variables)] if variables else results, target)
        return
    temporary = target.with_name(f".{target.name}.{owner()}")
    with writing(target.parent):
        try:
            writers[target.suffix](results[list(variables)] if variables else results, temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def _export_package(run: Run, results: "xr.Dataset", target: Path) -> None:
    made = run.manifest
    names = ", ".join(entry["name"] for entry in made["scenarios"])
    about = _package.About(
        name=run.id,
        title=f"Chipweir: {names}",
        description=f"Quantiles over {made['members']:,} members (seed {made['seed']}) by scenario and month, with paired "
        "differences to the first scenario (delta_) and the probability of their sign (p_greater_).",
        sources=({"title": f"Facts of Chipweir {made['code_version']}, digest {made['facts_digest']}"},),
        made=made,
    )

    def fill(folder: Path) -> dict[str, list[_package.Column]]:
        _export.write_csv(results, folder / "results.csv.gz")
        _export.write_parquet(results, folder / "results.parquet")
        _export.write_netcdf(results, folder / "results.nc")
        for name in ("manifest.json", "headline.json"):
            if (run.path / name).exists():
                shutil.copy2(run.path / name, folder / name)
        for name in ("scenarios", "facts"):
            if (run.path / name).is_dir():
                shutil.copytree(run.path / name, folder / name)
        kinds = {"string": str, "int64": int, "double": float}
        columns = [
            _package.Column(field.name, kinds.get(str(field.type), str)) for field in _export.long_schema(results)
        ]
        return {"results.csv.gz": columns}

    _package.write_package(target, about, fill)


def read_dataset(path: Path) -> "xr.Dataset":
    """A stored dataset, wholly in memory."""
    import xarray as xr

    with xr.open_zarr(path, consolidated=True) as lazy:
        dataset: xr.Dataset = lazy.load()
    return dataset


def write_dataset(dataset: "xr.Dataset", path: Path) -> None:
    """Write `dataset` as Zarr, one chunk a variable (format 2: the one whose text arrays are standardised)."""
    whole = {name: {"chunks": variable.shape} for name, variable in dataset.variables.items() if variable.shape}
    dataset.drop_encoding().to_zarr(path, mode="w-", zarr_format=2, consolidated=True, encoding=whole)


def dataset_digest(dataset: "xr.Dataset") -> str:
    """SHA-256 of names, axes, types and bits of everything in `dataset`; attributes do not count."""
    import numpy as np

    digest = sha256()
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        values = variable.values
        if values.dtype.kind in "OUT":
            content, kind = json.dumps(values.tolist()).encode(), "text"
        else:  # Zarr keeps the instants of dates, not the unit they were counted in
            values = values.astype("datetime64[s]") if values.dtype.kind == "M" else values
            content, kind = np.ascontiguousarray(values).tobytes(), values.dtype.str
        digest.update(json.dumps([name, variable.dims, kind, values.shape]).encode() + content)
    return digest.hexdigest()


def _reading(run: Run, read: Callable[[], Content]) -> Content:
    """What `read` gives; a run that is damaged or was deleted meanwhile is an `InputError`."""
    try:
        return read()
    except Exception as error:  # Zarr and its codecs raise errors of many kinds for a damaged store
        if not (run.path / "manifest.json").exists():
            raise InputError(f"run {run.id} was deleted while it was being read") from None
        damage = run.damage()
        what = damage[0] if damage else f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"run {run.id} is damaged: {what}") from None


def _run_folders(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if RUN_ID.fullmatch(path.name) and path.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"cannot read {directory}: {(error.strerror or str(error)).lower()}") from None


def _run_id(made: Mapping[str, Any]) -> str:
    """Sorts by time, reads as what was run: 20261201-093000-baseline-and-3-x1000-1a2b3c."""
    stamp = datetime.fromisoformat(made["created"]).strftime("%Y%m%d-%H%M%S")
    names = [dumped["name"] for dumped in made["scenarios"]]
    joined = "-".join(names)
    slug = joined if len(joined) <= 40 else f"{names[0][:40]}-and-{len(names) - 1}"
    return f"{stamp}-{slug}-x{made['members']}-{made['identity'][:6]}"


def _free_name(directory: Path, name: str) -> str:
    number, candidate = 1, name
    while (directory / candidate).exists():
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def _checksums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _checksum(path) for path in files}


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
