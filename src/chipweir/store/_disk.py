"""The disk under the runs: is there room, what killed processes left, and what can go wrong as one line."""

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chipweir.errors import InputError


LEAST_FREE_BYTES = 64 * 2**20
WRITING, UNFINISHED, DELETED = ".writing-", ".unfinished-", ".deleted-"


def runs_directory(given: Path | None = None) -> Path:
    """Where runs lie: `given`, else $CHIPWEIR_RUNS, else `chipweir-runs` in the working directory."""
    return given or Path(os.environ.get("CHIPWEIR_RUNS") or "chipweir-runs")


def prepare(directory: Path, needed: int = 0) -> None:
    """Make sure that `needed` bytes can be written to `directory`, before hours are spent. Raises `InputError`.

    What processes of this machine left half-written when they were killed is removed.
    """
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        sweep(directory)
        free, least = shutil.disk_usage(directory).free, LEAST_FREE_BYTES + needed
        if free < least:
            raise InputError(
                f"the disk that holds {directory} has {free >> 20:,} MB left; {least >> 20:,} MB are needed for this"
            )
        probe = directory / f"{WRITING}probe.{owner()}"
        try:
            probe.write_bytes(b"chipweir")
        finally:
            probe.unlink(missing_ok=True)


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


def owner() -> str:
    """This machine and process, for names of what it is about to finish."""
    return f"{socket.gethostname()}.{os.getpid()}"


def sweep(directory: Path) -> None:
    """Remove what killed processes of this machine left half-written."""
    for path in directory.glob(".*"):
        host, _, pid = path.name.rpartition(".")
        if not path.name.startswith((WRITING, DELETED)) or not host.endswith(f".{socket.gethostname()}"):
            continue
        if pid.isdigit() and not _alive(int(pid)):
            remove(path)


def remove(path: Path) -> None:
    """Remove a file, a link (never what it leads to) or a folder, as far as that is possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def flush(folder: Path) -> None:
    """Make everything in `folder` durable, files before the folders that name them."""
    for root, _, files in os.walk(folder, topdown=False):
        for name in files:
            with (Path(root) / name).open("rb") as file:
                os.fsync(file.fileno())
        flush_folder(Path(root))


def flush_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    if os.name == "nt":  # Windows opens no directories
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
