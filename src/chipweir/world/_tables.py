"""The world's tables: rows of text, and cells that are expressions over facts and priors."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from chipweir.errors import InputError, UnknownName
from chipweir.facts import Derived, derive, references


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
# Of a series as of an earlier day: growth a year where no trend can be read, the steepest that goes on (of tokens apart),
# years over which a trend fades, error a root year of what grows and of ratios (priors), how far ahead it is written.
_USUAL_GROWTH, _MOST_GROWTH, _MOST_TOKEN_GROWTH, _FADE, _ERROR, _RATIO_ERROR = 0.2, 0.9, 2.0, 2.5, 0.3, 0.15
_AHEAD = (0.5, 1.0, 2.0, 4.0, 8.0)
# Of a product not known yet: gain in worth a year, the most of it, and what of it (in logs) its price takes (priors).
_PACE, _MOST_BETTER, _PRICE_OF_BETTER = 1.45, 8.0, 0.5
# Makers whose products for China are cut to a line of the rules, and so no better with time.
_FOREIGN = ("nvidia", "amd")
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
    for cell in _series_cells(facts):
        found["series", *cell.key, "value"] = cell
    for name in ("products", "lines", "makers"):
        for line, row in enumerate(known_products(facts, extra) if name == "products" else table(name), 2):
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


def _series_cells(facts: "Facts") -> list[Cell]:
    """The cells of all series. As of an earlier day, what was not known then is gone and the trend goes on in its place."""
    rows = [(line, row) for line, row in enumerate(table("series"), 2)]
    if facts.as_of is None:
        return [_series_cell(line, row, facts) for line, row in rows]
    found: list[Cell] = []
    for name in dict.fromkeys(row["series"] for _line, row in rows):
        own = [(line, row) for line, row in rows if row["series"] == name]
        kept = [cell for line, row in own if (cell := _as_known(line, row, facts)) is not None]
        if kept:
            found += [*kept, *(extended(kept, len(kept) < len(own)))]
        else:  # a belief that rests on no fact, about what was to come
            found += [_series_cell(line, row, facts) for line, row in own if not references(row["value"])]
    return found


def _as_known(line: int, row: Row, facts: "Facts") -> Cell | None:
    """A cell as of the facts' day; None where a fact was not known yet, and for beliefs about later months, which are
    written with hindsight."""
    assert facts.as_of is not None
    if row["month"] > facts.as_of.isoformat()[:7] and not references(row["value"]):
        return None
    try:
        return _series_cell(line, row, facts)
    except UnknownName:
        return None


def _series_cell(line: int, row: Row, facts: "Facts") -> Cell:
    key = (row["series"], row["month"])
    return _cell("series", key, "value", row["value"], row["unit"], line, row["reason"], facts)


def extended(kept: Sequence[Cell], cut: bool) -> list[Cell]:
    """What follows the last known cell of a series whose later cells are `cut`: its trend, with a growing error.

    The trend is that of up to a year and a half and fades over two and a half; the error grows with the root of the years.
    A ratio has no trend.

    `ln x(h) = ln x0 + g tau (1 - exp(-h / tau))`, `sd(h)^2 = sd0^2 + s^2 h`.
    """
    if not cut:
        return []
    last = kept[-1].derived
    ends = [_years(cell.key[1]) for cell in kept]
    logs = [math.log(cell.derived.central) for cell in kept]
    ratio = last.unit in ("", "dimensionless")
    since = min(1.5, ends[-1] - ends[0])
    growth = _USUAL_GROWTH if since < 0.5 else (logs[-1] - float(np.interp(ends[-1] - since, ends, logs))) / since
    most = _MOST_TOKEN_GROWTH if last.unit == "token/day" else _MOST_GROWTH
    growth = 0.0 if ratio else min(max(growth, -most), most)
    first = math.log(max(last.high / last.low, 1.05)) / (2 * 1.645)
    made = []
    for years in _AHEAD:
        middle = logs[-1] + growth * _FADE * (1 - math.exp(-years / _FADE))
        sd = math.sqrt(first**2 + (_RATIO_ERROR if ratio else _ERROR) ** 2 * years)
        low, central, high = (math.exp(middle + by * 1.645 * sd) for by in (-1, 0, 1))
        key = (kept[-1].key[0], str(np.datetime64(kept[-1].key[1], "M") + round(12 * years)))
        known = Derived("trend", last.unit, low, central, high)
        made.append(Cell("series", key, "value", known, "trend of what was known, with an error that grows (prior)"))
    return made


def _years(month: str) -> float:
    return float(np.datetime64(month, "M").astype(int)) / 12


def known_products(facts: "Facts", extra: Extra = ()) -> tuple[Row, ...]:
    """Rows of the product list, shipped and `extra`.

    As of an earlier day, what was not known yet of a product is that of the maker's latest known one, made better and dearer
    by the usual pace of a year; dates and shares of output stay.
    """
    rows = (*table("products"), *(dict(items) for items in extra))
    if facts.as_of is None:
        return rows
    return _stood_in(facts, extra)


@lru_cache(maxsize=8)
def _stood_in(facts: "Facts", extra: Extra) -> tuple[Row, ...]:
    rows: tuple[Row, ...] = (*table("products"), *(dict(items) for items in extra))
    unknown = [frozenset(_unknown_columns(row, facts)) for row in rows]
    whole = [row for row, missing in zip(rows, unknown, strict=True) if not missing]
    return tuple(
        _like(row, missing, _nearest(row, whole), facts) if missing else row
        for row, missing in zip(rows, unknown, strict=True)
    )


def _unknown_columns(row: Row, facts: "Facts") -> list[str]:
    missing = [] if (row["basis"] or row["product"]) in facts.chips else ["basis"]
    for column, unit in CELLS["products"].items():
        try:
            derive(row[column], facts, unit)
        except InputError:
            missing.append(column)
    return missing


def _nearest(row: Row, whole: Sequence[Row]) -> Row:
    """The latest known product of the same maker and market, or else of the same market, that starts no later."""

    def rank(other: Row) -> tuple[bool, bool, bool, bool, str]:
        return (
            other["market"] == row["market"], other["maker"] == row["maker"], other["packaging"] == row["packaging"],
            other["start"] <= row["start"], other["start"],
        )  # fmt: skip

    return max(whole, key=rank)


def _like(row: Row, missing: frozenset[str], other: Row, facts: "Facts") -> Row:
    """`row` with what was not known of it taken from `other`."""
    years = max(_years(row["start"]) - _years(other["start"]), 0.0)
    better = 1.0 if row["market"] == "CHN" and other["maker"] in _FOREIGN else min(_PACE**years, _MOST_BETTER)
    taken = {column: other[column] for column in missing if column in CELLS["products"]}
    if "price" in taken:
        taken["price"] = _times(other["price"], better**_PRICE_OF_BETTER, facts)
    if "basis" in missing:
        taken["basis"] = other["basis"] or other["product"]
        taken["scale"] = f"{float(other['scale']) * better:.4g}"
    return {**row, **taken, "note": f"as {other['product']} where not known yet"}


def _times(price: str, factor: float, facts: "Facts") -> str:
    """A price and its range times a factor; an expression as long as no belief in dollars stands in it."""
    if "prior" not in price:
        return f"({price}) * {factor:.4g}"
    known = derive(price, facts, "USD")
    return f"prior({known.low * factor:.4g}, {known.central * factor:.4g}, {known.high * factor:.4g})"


def _cell(
    name: str, key: tuple[str, ...], column: str, text: str, unit: str, line: int, reason: str, facts: "Facts"
) -> Cell:
    where = f"{name}.csv line {line} ({' '.join(key)}, {column})"
    return Cell(name, key, column, derive(text, facts, unit, where), reason)
