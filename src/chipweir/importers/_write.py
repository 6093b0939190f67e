"""Laying imported rows into a directory of facts: all of it, checked, or nothing."""

import csv
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from chipweir import facts, reading
from chipweir.errors import InputError, UnknownName
from chipweir.importers._benchmark import benchmark
from chipweir.importers._comtrade import comtrade
from chipweir.importers._epoch import epoch
from chipweir.importers._layer import Imported, Row, Written
from chipweir.importers._screening import screening_list


KINDS: Mapping[str, Callable[..., Imported]] = {
    "epoch-chips": epoch,
    "comtrade": comtrade,
    "screening-list": screening_list,
    "benchmark": benchmark,
}
"""The kinds of files, and what reads each: `(path, facts, today, **options) -> Imported`."""


def import_file(kind: str, path: Path, directory: Path, *, today: date | None = None, **options: Any) -> Written:
    """Read `path` as a `kind` and lay it into `directory`, which is made where there is none.

    The directory is checked as a whole before any of it is changed. Raises `InputError` and `UnknownName`; then nothing is
    written.
    """
    if kind not in KINDS:
        raise UnknownName("kind of import", kind, KINDS, where=f"the kinds: {', '.join(KINDS)}")
    own = (directory,) if directory.is_dir() else ()
    known = facts.load(own)
    imported = KINDS[kind](path, known, today or datetime.now(UTC).date(), **options)
    return _written(imported, directory)


def _written(imported: Imported, directory: Path) -> Written:
    texts: dict[str, str] = {}
    added, replaced = {}, {}
    for file, rows in imported.tables.items():
        if not rows:
            continue
        old = _read(directory / file)
        key = imported.keys[file].split()
        merged = {_key(row, key): dict(row) for row in old}
        fresh = {_key(row, key): dict(row) for row in rows}
        added[file] = sum(place not in merged for place in fresh)
        replaced[file] = sum(place in merged and _differs(merged[place], row) for place, row in fresh.items())
        merged |= fresh
        texts[file] = _text(list(merged.values()))
    with tempfile.TemporaryDirectory() as scratch:
        trial = Path(scratch) / "facts"
        shutil.copytree(directory, trial) if directory.is_dir() else trial.mkdir()
        _lay(texts, trial)
        try:
            facts.load((trial,))
        except InputError as error:
            raise InputError(f"nothing was imported: {str(error).replace(str(trial), str(directory))}") from None
    try:
        _lay(texts, directory)
    except OSError as error:
        raise InputError(f"cannot write to {directory}: {(error.strerror or str(error)).lower()}") from None
    return Written(directory, added, replaced, imported.skipped)


def _key(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in names)


def _differs(old: Row, new: Row) -> bool:
    """Whether a row says something else than before; a later day of download is nothing else."""
    dated = ("published", "as_of")
    return any(old.get(name, "") != text for name, text in new.items() if name not in dated)


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    lines = reading.read_cells(path)
    _line, head = next(lines, (0, []))
    return [dict(zip(head, cells, strict=False)) for _line, cells in lines if cells]


def _text(rows: Sequence[Row]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _lay(texts: Mapping[str, str], directory: Path) -> None:
    for file, text in texts.items():
        target = directory / file
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(target)
