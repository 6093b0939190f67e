"""Writing files whole or not at all."""

import os
import tempfile
from pathlib import Path

from chipweir.errors import InputError


def write_whole(path: Path, text: str) -> None:
    """Write `text` beside `path`, flush it to the disk and rename it: a reader sees the old file or the new one.

    Raises `InputError` where the place cannot be written.
    """
    name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError as error:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        raise InputError(f"'{path}' cannot be written: {error.strerror or error}") from None
