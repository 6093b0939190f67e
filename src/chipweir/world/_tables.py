"""The world's tables: rows of text, and cells that are expressions over facts and priors."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from chipweir.facts import Derived, derive


if TYPE_CHECKING:
    from chipweir.facts import Facts

Row = Mapping[str, str]
# Rows of products beyond the shipped table, in a form that can be a key.
Extra = tuple[tuple[tuple[str, str], ...], ...]
# Columns of the tables that hold expressions, with the unit of what they come to.
CELLS: Mapping[str, Mapping[str, str]] = {
    "products": {
        "area_mm2": "mm2",
        "dies": "die",
        "stacks": "stack",
        "package_cost": "USD",
        "price": "USD",
    },
    "lines": {"wafer_price": "USD"},
    "makers": {"share_2022": "", "share_2025": "", "share_2028": ""},
    "initial": {},
}
KEYS = {"series": ("series", "month"), "products": ("product",), "lines": ("line",), "makers": ("maker", "pool")}


@cache
def table(name: str) -> tuple[Row, ...]:
    """A table of the world's own data (`world/data/NAME.csv`) as rows."""
    text = (resources.files("chipweir.world") / "data" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@dataclass(frozen=True)
class Cell:
    """One cell of a table that a number of the model comes from: where it stands and what it came to."""

    table: str
    key: tuple[str, ...]
    column: str
    derived: Derived
    reason: str

    @property
    def place(self) -> str:
        """Such as `series.csv budget-us 2024-05`."""
        column = "" if self.column == "value" else f" {self.column}"
        return f"{self.table}.csv {' '.join(self.key)}{column}"


@lru_cache(maxsize=8)
def cells(facts: "Facts", extra: Extra = ()) -> Mapping[tuple[str, ...], Cell]:
    """Every cell of the world's tables over these facts, by (table, key..., column); `extra` rows of products with them.

    Raises `InputError` or `UnknownName` naming table, row and what is wrong.
    """
    found: dict[tuple[str, ...], Cell] = {}
    for line, row in enumerate(table("series"), 2):
        key: tuple[str, ...] = (row["series"], row["month"])
        found["series", *key, "value"] = _cell(
            "series", key, "value", row["value"], row["unit"], line, row["reason"], facts
        )
    for name in ("products", "lines", "makers"):
        rows = (*table(name), *(dict(items) for items in extra)) if name == "products" else table(name)
        for line, row in enumerate(rows, 2):
            key = tuple(row[column] for column in KEYS[name])
            for column, unit in CELLS[name].items():
                note = row.get("note") or row.get("source") or ""
                found[name, *key, column] = _cell(name, key, column, row[column], unit, line, note, facts)
    for line, row in enumerate(table("initial"), 2):
        key = (row["quantity"], row["key"])
        found["initial", *key, "value"] = _cell(
            "initial", key, "value", row["value"], row["unit"], line, row["source"], facts
        )
    return found


def _cell(
    name: str, key: tuple[str, ...], column: str, text: str, unit: str, line: int, reason: str, facts: "Facts"
) -> Cell:
    where = f"{name}.csv line {line} ({' '.join(key)}, {column})"
    return Cell(name, key, column, derive(text, facts, unit, where), reason)
