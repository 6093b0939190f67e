"""Runs on disk: one directory a run, written beside its final place, flushed and renamed: it is whole or not there.

A run holds `results.zarr`, `manifest.json` (everything that made it, with a checksum of every file), `headline.json`,
`scenarios/*.yaml`, `report.html` and, where a user brought facts, `facts/`. There is no central catalogue to damage:
the directories are the catalogue. Finished parts of a long ensemble wait in `.unfinished-*` for the next call.
"""

import errno
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import chipweir
from chipweir import _export
from chipweir.errors import InputError, UnknownName


if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from chipweir.world import Scenario


MANIFEST_VERSION = 1
LEAST_FREE_BYTES = 64 * 2**20
KEEP_AFTER_SECONDS = 20.0
Content = TypeVar("Content")
Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""What `map` is: a function and tasks in, results in the order of the tasks out."""
Part = Mapping[str, "np.ndarray"]
"""Arrays by name: what one task of an ensemble gives."""
_RUN_ID = re.compile(r"\d{8}-\d{6}-[a-z0-9-]+")
_WRITING, _UNFINISHED, _DELETED = ".writing-", ".unfinished-", ".deleted-"


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
        from chipweir.world import Scenario

        return tuple(_reading(self, lambda: [Scenario(**dumped) for dumped in self.manifest["scenarios"]]))

    def _checked_results(self) -> "xr.Dataset":
        results = read_dataset(self.path / "results.zarr")
        if dataset_digest(results) != self.manifest["results"]:  # Zarr reads a missing chunk as empty values
            raise ValueError("the results do not match their checksum")
        return results

    def headline(self) -> Any:
        """The headline table as it was stored."""
        return _reading(self, lambda: json.loads((self.path / "headline.json").read_text(encoding="utf-8")))

    def damage(self) -> list[str]:
        """What is wrong with the files: one line each, nothing where all checksums hold."""
        found = []
        for name, checksum in self.manifest["files"].items():
            try:
                actual = sha256((self.path / name).read_bytes()).hexdigest()
            except OSError as error:
                found.append(f"{name}: {(error.strerror or str(error)).lower()}")
                continue
            if actual != checksum:
                found.append(f"{name}: does not match its checksum")
        return found


def runs_directory(given: Path | None = None) -> Path:
    """Where runs lie: `given`, else $CHIPWEIR_RUNS, else `chipweir-runs` in the working directory."""
    return given or Path(os.environ.get("CHIPWEIR_RUNS") or "chipweir-runs")


def prepare(directory: Path) -> None:
    """Make sure that runs can be written to `directory`, before hours are spent. Raises `InputError`."""
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(directory).free
        if free < LEAST_FREE_BYTES:
            raise InputError(
                f"the disk that holds {directory} is full ({free >> 20} MB left, {LEAST_FREE_BYTES >> 20} needed)"
            )
        probe = directory / f"{_WRITING}probe.{_owner()}"
        try:
            probe.write_bytes(b"chipweir")
        finally:
            probe.unlink(missing_ok=True)
        _sweep(directory)


def manifest(
    scenarios: "Sequence[Scenario]",
    facts_digest: str,
    rules_digest: str,
    members: int,
    seed: int,
    command: Sequence[str],
) -> dict[str, Any]:
    """Everything that determines a run's numbers, and what else a reader wants to know; the results come later."""
    from importlib.metadata import version

    packages = ("jax", "jaxlib", "numpy", "xarray", "zarr")
    return {
        "manifest_version": MANIFEST_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": chipweir.__version__,
        "code_digest": code_digest(),
        "git": _git_describe(),
        "python": ".".join(map(str, _python_version())),
        "platform": _platform(),
        "versions": {name: version(name) for name in packages},
        "facts_digest": facts_digest,
        "rules_digest": rules_digest,
        "seed": seed,
        "members": members,
        "scenarios": [scenario.model_dump() for scenario in scenarios],
        "command": list(command),
    }


def identity(made: Mapping[str, Any]) -> str:
    """SHA-256 of what determines the numbers of a run: equal identities give equal results."""
    scenarios = [
        {key: entry[key] for key in ("name", "start", "end", "levers", "rules")} for entry in made["scenarios"]
    ]
    names = ("code_digest", "versions", "facts_digest", "rules_digest", "seed", "members")
    return _json_digest({**{name: made[name] for name in names}, "scenarios": scenarios})


def code_digest(package: str = "chipweir") -> str:
    """SHA-256 over the package's code and data tables, so that an edit is seen even where no version changed."""
    from importlib import resources

    root = Path(str(resources.files(package)))
    digest = sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".csv", ".yaml", ".json"} and "__pycache__" not in path.parts:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def write_run(
    directory: Path,
    results: "xr.Dataset",
    made: Mapping[str, Any],
    fill: Callable[[Path, Mapping[str, Any]], None] | None = None,
) -> Run:
    """Store a run. `fill(folder, manifest)` adds files (headline, report). All of it appears at once, or nothing.

    Raises `InputError` where it cannot be written; whatever lay in `directory` before is untouched.
    """
    from chipweir.world import Scenario

    made = {**made, "identity": identity(made), "results": dataset_digest(results)}
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        name = _free_name(directory, _run_id(made))
        temporary = directory / f"{_WRITING}{name}.{_owner()}"
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
            _flush(temporary)
            temporary.rename(directory / name)
            _flush_folder(directory)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return Run(directory / name, made)


def list_runs(directory: Path) -> tuple[list[Run], dict[str, str]]:
    """The runs in `directory`, oldest first, and the damaged ones with what is wrong with each."""
    runs, damaged = [], {}
    for path in _run_folders(directory):
        try:
            runs.append(Run(path, _read_manifest(path)))
        except InputError as error:
            damaged[path.name] = str(error)
    return runs, damaged


def find_run(name: str, directory: Path) -> Run:
    """The run of that id, of that unambiguous beginning of an id, at that path, or the last one (`latest`).

    Raises `UnknownName` or `InputError` (ambiguous, damaged).
    """
    path = run_path(name, directory)
    return Run(path, _read_manifest(path))


def find_identity(key: str, directory: Path) -> Run | None:
    """The newest sound run in `directory` whose numbers are determined by what `identity` gave as `key`; None if none is."""
    for path in reversed(_run_folders(directory)):
        if path.name.rpartition("-")[2] == key[:6] or f"-{key[:6]}-" in path.name:
            try:
                made = _read_manifest(path)
            except InputError:
                continue
            if made.get("identity") == key:
                return Run(path, made)
    return None


def run_path(name: str, directory: Path) -> Path:
    """Where the run called `name` lies, sound or damaged. Raises as `find_run`."""
    if os.sep in name or name in {".", ".."}:
        path = Path(name)
        if not (path / "manifest.json").exists():
            raise InputError(f"{name} is not a run: there is no manifest.json in it")
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


def delete_run(path: Path) -> None:
    """Delete the run at `path`. It disappears from the list at once; a reader gets one clear line."""
    grave = path.with_name(f"{_DELETED}{path.name}.{_owner()}")
    with writing(path.parent):
        path.rename(grave)
        shutil.rmtree(grave)


def export_run(run: Run, target: Path, variables: Sequence[str] = ()) -> None:
    """Write a run's results to `target`: `.csv` and `.parquet` as one long table, `.nc` as netCDF with axes and units.

    `variables` limits what is written. Raises `UnknownName` for a variable or file type that is not there.
    """
    writers = {".csv": _export.write_csv, ".parquet": _export.write_parquet, ".nc": _export.write_netcdf}
    if target.suffix not in writers:
        raise UnknownName(
            "file type", target.suffix or target.name, writers, where=f"{target}; it takes .csv, .parquet, .nc"
        )
    results = run.results
    for name in variables:
        if name not in results.data_vars:
            raise UnknownName("variable", name, map(str, results.data_vars), where=f"run {run.id}")
    temporary = target.with_name(f".{target.name}.{_owner()}")
    with writing(target.parent):
        try:
            writers[target.suffix](results[list(variables)] if variables else results, temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


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


@contextmanager
def unfinished(directory: Path, key: str) -> Iterator[Path]:
    """The folder that keeps finished parts of the ensemble called `key`, held by this process alone.

    It goes when the block ends well and stays when it does not. Raises `InputError` if another process holds it.
    """
    from filelock import FileLock, Timeout

    folder = directory / f"{_UNFINISHED}{key[:16]}"
    with writing(directory):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"the same ensemble is being computed in {directory} by another process; wait for it"
        ) from None
    try:
        yield folder
        for part in folder.glob("part-*"):
            part.unlink(missing_ok=True)
    finally:
        lock.release()
        (folder / "lock").unlink(missing_ok=True)
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()


def unfinished_runs(directory: Path) -> list[Path]:
    """Folders of ensembles that were stopped; the command that made one resumes it."""
    return sorted(directory.glob(f"{_UNFINISHED}*")) if directory.is_dir() else []


def resuming(folder: Path, name: Callable[[Any], str], mapper: Mapper = map) -> Mapper:
    """A `map` that takes from `folder` what a stopped call finished, and keeps there what is finished now.

    `name` tells tasks of one ensemble apart. Nothing is kept in the first `KEEP_AFTER_SECONDS`: doing that much again
    costs less than writing it.
    """

    def resumed(function: Callable[[Any], Part], tasks: Iterable[Any]) -> Iterator[Part]:
        listed = list(tasks)
        paths = [folder / f"part-{name(task)}.npz" for task in listed]
        known = [path.exists() for path in paths]
        fresh = mapper(function, [task for task, there in zip(listed, known, strict=True) if not there])
        started = time.monotonic()
        for task, path, there in zip(listed, paths, known, strict=True):
            if there:
                kept = _kept_part(path)
                yield function(task) if kept is None else kept
                continue
            part = next(fresh)
            if time.monotonic() - started >= KEEP_AFTER_SECONDS:
                _keep_part(path, part)
            yield part

    return resumed


def _keep_part(path: Path, part: Part) -> None:
    import numpy as np

    with writing(path.parent):
        temporary = path.with_suffix(f".{_owner()}")
        arrays: dict[str, Any] = dict(part)
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)


def _kept_part(path: Path) -> Part | None:
    """A part kept before, or None where it is damaged (the checksums of the archive say so); it is then thrown away."""
    import zipfile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        path.unlink(missing_ok=True)
        return None


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Turn what can go wrong with a disk into one line."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise InputError(f"the disk that holds {directory} is full; nothing was stored or lost") from None
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot write to {error.filename or directory}: {reason}") from None


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


def _read_manifest(path: Path) -> Mapping[str, Any]:
    try:
        made = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"run {path.name} is damaged: manifest.json is missing") from None
    except (OSError, ValueError) as error:
        raise InputError(f"run {path.name} is damaged: manifest.json cannot be read ({error})") from None
    needed = {"manifest_version", "created", "scenarios", "members", "seed", "files", "results"}
    if not isinstance(made, dict) or needed - made.keys() or not isinstance(made["files"], dict):
        raise InputError(f"run {path.name} is damaged: manifest.json is not complete")
    if made["manifest_version"] > MANIFEST_VERSION:
        raise InputError(
            f"run {path.name} was made by a newer Chipweir ({made.get('code_version')}); this is {chipweir.__version__}"
        )
    return made


def _run_folders(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if _RUN_ID.fullmatch(path.name) and path.is_dir())
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


def _owner() -> str:
    return f"{socket.gethostname()}.{os.getpid()}"


def _sweep(directory: Path) -> None:
    """Remove what killed processes of this machine left half-written."""
    for path in directory.glob(".*"):
        host, _, pid = path.name.rpartition(".")
        if not path.name.startswith((_WRITING, _DELETED)) or not host.endswith(f".{socket.gethostname()}"):
            continue
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _checksums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


def _flush(folder: Path) -> None:
    """Make everything in `folder` durable, files before the folders that name them."""
    for root, _, files in os.walk(folder, topdown=False):
        for name in files:
            with (Path(root) / name).open("rb") as file:
                os.fsync(file.fileno())
        _flush_folder(Path(root))


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows opens no directories
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _json_digest(content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _git_describe() -> str | None:
    """What Git calls this state of the code, where the package is run from a checkout of its own."""
    package = Path(chipweir.__file__).parent
    top = package.parent.parent
    if not (top / ".git").exists() or package != top / "src" / "chipweir":
        return None
    command = ["git", "-C", str(top), "describe", "--always", "--tags", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _python_version() -> tuple[int, int, int]:
    import sys

    return sys.version_info[:3]


def _platform() -> str:
    import platform

    return platform.platform(terse=True)
