"""Text files: no more of them is read than is allowed, whatever their size says."""

import stat
from pathlib import Path

from chipweir.errors import InputError


LARGEST = 8_000_000
# A shell hands over its pipes under these names; any other pipe may wait for a writer for ever.
_OF_THE_SHELL = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")


def read_text(path: Path, kind: str = "file", most: int = LARGEST) -> str:
    """The text of a UTF-8 file without its byte order mark, its lines ended by newlines.

    Raises `InputError`: missing, a directory, a pipe, larger than `most` bytes, no text.
    """
    try:
        if stat.S_ISFIFO(path.stat().st_mode) and not str(path).startswith(_OF_THE_SHELL):
            raise InputError(f"{path} is a pipe; give a file")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # the latter where the name itself holds a NUL
        raise InputError(
            f"cannot read {kind} {path}: {(getattr(error, 'strerror', None) or str(error)).lower()}"
        ) from None
    if len(data) > most:
        raise InputError(f"{path} is larger than {most:,} bytes, the most that is read of a {kind}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8 (byte {error.start + 1})") from None
    if "\0" in text:
        raise InputError(
            f"{path}:{text.count(chr(10), 0, text.index(chr(0))) + 1}: holds a NUL character; no text file"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")
