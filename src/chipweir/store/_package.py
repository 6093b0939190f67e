"""Folders that other people's tools can read: a Frictionless data package that is an RO-Crate too.

`datapackage.json` says of every table its columns with types and units, of every file its size and checksum;
`ro-crate-metadata.json` says the same to archives, with what made it. Both are made of the files as they lie.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import chipweir
from chipweir.errors import InputError
from chipweir.store._disk import owner, remove, writing


MEDIA = {
    ".csv": "text/csv", ".parquet": "application/vnd.apache.parquet", ".nc": "application/netcdf",
    ".json": "application/json", ".yaml": "application/yaml", ".html": "text/html", ".md": "text/markdown",
    ".gz": "application/gzip",
}  # fmt: skip
LICENCE = {"name": "Apache-2.0", "path": "https://www.apache.org/licenses/LICENSE-2.0", "title": "Apache License 2.0"}
_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True)
class Column:
    """A column of a table: `kind` is str, int, float or bool."""

    name: str
    kind: type = str
    unit: str = ""
    title: str = ""

    def to_dict(self) -> dict[str, str]:
        """As a field of a table schema."""
        told = {"name": self.name, "type": _TYPES[self.kind], "unit": self.unit, "title": self.title}
        return {name: text for name, text in told.items() if text}


@dataclass(frozen=True)
class About:
    """What a package is: an id, a title, a sentence, its sources, and the mapping that says how it was made."""

    name: str
    title: str
    description: str
    sources: Sequence[Mapping[str, str]] = ()
    made: Mapping[str, Any] | None = None


def write_package(
    target: Path,
    about: About,
    fill: Callable[[Path], Mapping[str, Sequence[Column]]],
) -> list[str]:
    """A folder with what `fill` writes into it (it says which files are tables, and their columns) and its description.

    `target` must be new or empty; all of it appears at once. The names of its files. Raises `InputError`.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{target} is not empty; name a new folder")
    with writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{owner()}")
        try:
            part.mkdir()
            tables = fill(part)
            files = sorted(path for path in part.rglob("*") if path.is_file())
            entries = [_resource(path, part, tables.get(path.relative_to(part).as_posix())) for path in files]
            _dump(part / "datapackage.json", _datapackage(about, entries))
            _dump(part / "ro-crate-metadata.json", _crate(about, entries))
            if target.is_dir():
                target.rmdir()
            part.rename(target)
        finally:
            if part.exists():
                remove(part) if part.is_symlink() else shutil.rmtree(part, ignore_errors=True)
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())


def _resource(path: Path, root: Path, columns: Sequence[Column] | None) -> dict[str, Any]:
    place = path.relative_to(root).as_posix()
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    entry: dict[str, Any] = {
        "name": place.casefold().replace("/", "-").replace("_", "-").removesuffix(".gz").replace(".", "-"),
        "path": place,
        "type": "file" if columns is None else "table",
        "mediatype": MEDIA.get(path.suffix, "application/octet-stream"),
        "bytes": path.stat().st_size,
        "hash": f"sha256:{checksum}",
    }
    if columns is not None:
        entry |= {"format": "csv", "encoding": "utf-8"}
        entry |= {"compression": "gz", "mediatype": "text/csv"} if path.suffix == ".gz" else {}
        entry["schema"] = {"fields": [column.to_dict() for column in columns], "missingValues": [""]}
    return entry


def _datapackage(about: About, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "name": about.name,
        "title": about.title,
        "description": about.description,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": chipweir.__version__,
        "licenses": [LICENCE],
        "sources": [dict(source) for source in about.sources],
        "resources": [dict(entry) for entry in entries],
    }


def _crate(about: About, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    software = {
        "@id": "#chipweir",
        "@type": "SoftwareApplication",
        "name": "Chipweir",
        "version": chipweir.__version__,
    }
    files = [
        {"@id": entry["path"], "@type": "File", "encodingFormat": entry["mediatype"], "contentSize": str(entry["bytes"]),
         "sha256": entry["hash"].partition(":")[2], "name": entry["name"]}
        for entry in entries
    ]  # fmt: skip
    parts = [{"@id": file["@id"]} for file in files]
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": about.title,
        "description": about.description,
        "datePublished": datetime.now(UTC).date().isoformat(),
        "license": {"@id": LICENCE["path"]},
        "hasPart": parts,
    }
    licence = {"@id": LICENCE["path"], "@type": "CreativeWork", "name": LICENCE["title"]}
    graph = [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
         "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}},
        root, licence, software, *files,
    ]  # fmt: skip
    if about.made is not None:
        graph.append(
            {"@id": "#made", "@type": "CreateAction", "name": " ".join(about.made.get("command", ())) or about.title,
             "endTime": str(about.made.get("created", "")), "instrument": {"@id": "#chipweir"}, "result": parts}
        )  # fmt: skip
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}


def _dump(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
