"""What is finished of a long ensemble, kept so that a stopped call goes on: parts by task, or one state that grows."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError
from chipweir.store._disk import UNFINISHED, owner, writing


if TYPE_CHECKING:
    import numpy as np

KEEP_AFTER_SECONDS = 20.0
KEEP_EVERY_SECONDS = 120.0
Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""What `map` is: a function and tasks in, results in the order of the tasks out."""
Part = Mapping[str, "np.ndarray"]
"""Arrays by name: what one task of an ensemble gives."""
FOLDER = re.compile(re.escape(UNFINISHED) + r"[0-9a-f]{16}")
_STATE = "state.npz"


@contextmanager
def unfinished(directory: Path, key: str) -> Iterator[Path]:
    """The folder that keeps what is finished of the ensemble called `key`, held by this process alone.

    It goes when the block ends well and stays when it does not. Raises `InputError` if another process holds it.
    """
    from filelock import FileLock, Timeout

    folder = directory / f"{UNFINISHED}{key[:16]}"
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
        for part in (*folder.glob("part-*"), folder / _STATE):
            part.unlink(missing_ok=True)
    finally:
        lock.release()
        (folder / "lock").unlink(missing_ok=True)
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()


def unfinished_runs(directory: Path) -> list[Path]:
    """Folders of ensembles that were stopped; the command that made one resumes it."""
    found = directory.glob(f"{UNFINISHED}*") if directory.is_dir() else ()
    return sorted(path for path in found if FOLDER.fullmatch(path.name) and not path.is_symlink() and path.is_dir())


class Resuming:
    """A `map` that takes from `folder` what a stopped call finished, and keeps there what is finished now.

    Called, it keeps every finished task under what `name` calls it. Where those would be too many, `map` keeps nothing, and
    `save` keeps one state that sums up all that are finished. Nothing is kept in the first `KEEP_AFTER_SECONDS`: doing that
    much again costs less than writing it.
    """

    def __init__(self, folder: Path, name: Callable[[Any], str], mapper: Mapper = map) -> None:
        self.folder, self.map = folder, mapper
        self._name, self._started, self._kept_at = name, time.monotonic(), 0.0

    def __call__(self, function: Callable[[Any], Part], tasks: Iterable[Any]) -> Iterator[Part]:
        listed = list(tasks)
        paths = [self.folder / f"part-{self._name(task)}.npz" for task in listed]
        known = [path.exists() for path in paths]
        fresh = self.map(function, [task for task, there in zip(listed, known, strict=True) if not there])
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

    def load(self) -> Part | None:
        """The state that was kept, or None."""
        return _kept_part(self.folder / _STATE)

    def save(self, state: Callable[[], Part], last: bool = False) -> None:
        """Keep what `state` gives if the last time is long enough ago; `last`: there is no later chance."""
        now = time.monotonic()
        wait = KEEP_AFTER_SECONDS if last or not self._kept_at else KEEP_EVERY_SECONDS
        if now - (self._kept_at or self._started) >= wait:
            _keep_part(self.folder / _STATE, state())
            self._kept_at = time.monotonic()


def resuming(folder: Path, name: Callable[[Any], str], mapper: Mapper = map) -> Resuming:
    """`mapper` with a memory in `folder`; `name` tells tasks of one ensemble apart."""
    return Resuming(folder, name, mapper)


def _keep_part(path: Path, part: Part) -> None:
    import numpy as np

    with writing(path.parent):
        temporary = path.with_suffix(f".{owner()}")
        arrays: dict[str, Any] = dict(part)
        try:
            with temporary.open("wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _kept_part(path: Path) -> Part | None:
    """A part kept before, or None where there is none or it is damaged (the checksums of the archive say so); a damaged
    one is thrown away."""
    import zipfile

    import numpy as np

    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        path.unlink(missing_ok=True)
        return None
