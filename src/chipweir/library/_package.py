"""The tables of facts as a folder that other people's tools can read."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.store import About, Column, write_package


if TYPE_CHECKING:
    from chipweir.facts import Facts

LEFT_OUT = ("overrides",)


def export_facts(known: "Facts", target: Path) -> list[str]:
    """Every table as CSV, with a data package's and an RO-Crate's description; the names of the files.

    Raises `InputError` where `target` is neither new nor empty.
    """
    from chipweir.facts._query import tables

    made = {name: rows for name, rows in tables(known).items() if rows and name not in LEFT_OUT}
    about = About(
        name="chipweir-facts",
        title="Facts of Chipweir",
        description=f"Sourced facts on AI chips, systems, models, rules and trade; digest {known.digest}. Every number "
        "names its source, class and confidence; numbers that disagree stand side by side.",
        sources=tuple(
            {name: text for name, text in (("title", source.title), ("path", source.url)) if text}
            for source in known.sources.values()
        ),
    )

    def fill(folder: Path) -> dict[str, list[Column]]:
        return {f"{name}.csv": _write(folder / f"{name}.csv", rows) for name, rows in made.items()}

    return write_package(target, about, fill)


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> list[Column]:
    """The rows as CSV; its columns with the types that their cells have."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return [Column(name, _kind([row.get(name) for row in rows])) for name in names]


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if value != value else repr(value)
    return str(value).lower() if isinstance(value, bool) else value


def _kind(cells: Sequence[Any]) -> type:
    kinds = {type(cell) for cell in cells if cell is not None and cell == cell and cell != ""}
    if kinds == {bool}:
        return bool
    return float if kinds and kinds <= {int, float} else str
