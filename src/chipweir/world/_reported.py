"""What an ensemble reports: variables by month and by calendar year, their labels and their quantiles over members.

Every monthly variable is also taken by year, within a member: flows summed, stocks at the year's last month, ratios
averaged. Variables by product are kept by year alone.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.world._assemble import LAWS, labels
from chipweir.world._korea import DESTINATIONS, PRODUCTS
from chipweir.world._tables import Extra


FloatArray = npt.NDArray[np.floating[Any]]

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
ORIGINS = ("foreign_legal", "domestic", "smuggled", "rental")
CONSTRAINTS = ("logic", "hbm", "packaging")
MAKER_ORIGINS = ("foreign", "domestic")
VENDORS = ("sk-hynix", "samsung", "micron", "cxmt", "huawei")
# How a variable of each kind adds up over the months of a year, flows by the month, and what the year's value is called.
_YEARLY = {"flow": "sum", "stock": "end", "ratio": "mean"}


@cache
def variables() -> tuple[dict[str, str], ...]:
    """The table of reported variables: name, dims after the month, unit, kind and long names."""
    text = (resources.files("chipweir.world") / "variables.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@dataclass(frozen=True)
class Reported:
    """A variable as results show it. `source` is the output it is taken from, `axis` its time: month or year; `yearly` how
    months become a year (sum, end or mean), empty where the output has that axis already."""

    name: str
    source: str
    axis: str
    dims: tuple[str, ...]
    unit: str
    kind: str
    title: str
    yearly: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        return {"units": self.unit, "long_name": self.title, "kind": self.kind}


@cache
def reported() -> tuple[Reported, ...]:
    """Every variable of the results, monthly ones followed by their values by year (`yearly_...`)."""
    found = []
    for row in variables():
        name, axis, dims = row["name"], row["axis"] or "month", tuple(row["dims"].split())
        found.append(Reported(name, name, axis, dims, row["unit"], row["kind"], row["long_name"]))
        if axis == "month":
            how = _yearly(row)
            unit = row["unit"].replace("/month", "/year") if how == "sum" else row["unit"]
            title = f"{row['long_name']}, {how} of the year"
            found.append(Reported(f"yearly_{name}", name, "year", dims, unit, row["kind"], title, how))
    return tuple(found)


def _yearly(row: dict[str, str]) -> str:
    """How a variable's months become a year: a flow by the day is averaged, since twelve days make no year."""
    return "mean" if row["kind"] == "flow" and not row["unit"].endswith("/month") else _YEARLY[row["kind"]]


def calendar_years(first_month: float, months: int) -> npt.NDArray[np.int_]:
    """The calendar year of each month as a number from 0; `first_month` months from January to the first."""
    return (int(first_month) + np.arange(months)) // 12


def taken(series: Reported, output: FloatArray, years: npt.NDArray[np.int_]) -> FloatArray:
    """A reported variable `[member, time, ...]` from the output it rests on `[member, month or year, ...]`.

    A year that the scenario covers in part is missing for sums, and taken over its months otherwise.
    """
    if not series.yearly:
        return output[:, : years[-1] + 1] if series.axis == "year" else output
    parts = []
    for year in range(years[-1] + 1):
        inside = np.asarray(output[:, years == year])
        if series.yearly == "end":
            parts.append(inside[:, -1])
        elif series.yearly == "mean":
            known = ~np.isnan(inside)
            parts.append(np.where(known, inside, 0).sum(1) / np.where(known.any(1), known.sum(1), np.nan))
        else:
            parts.append(inside.sum(1) if inside.shape[1] == 12 else np.full_like(inside[:, 0], np.nan))
    return np.stack(parts, axis=1)


def coordinates(extra: Extra = ()) -> dict[str, Sequence[str]]:
    """Labels of every dimension of the results but scenario, quantile, month and year."""
    names = labels(extra)
    return {
        "region": names.regions,
        "origin": ORIGINS,
        "purchase": ORIGINS[:3],
        "maker_origin": MAKER_ORIGINS,
        "group": names.groups,
        "hub": names.hubs,
        "ecosystem": names.ecosystems,
        "constraint": CONSTRAINTS,
        "line": names.lines,
        "customer": names.customers,
        "product": names.products,
        "maker": names.makers,
        "use": names.workloads,
        "law": LAWS,
        "bloc": ("world", "china"),
        "vendor": VENDORS,
        "export": PRODUCTS,
        "destination": DESTINATIONS,
    }


def quantiles(values: FloatArray, levels: Sequence[float] = QUANTILES) -> FloatArray:
    """Quantiles over the first axis, missing values left out: `[level, ...]`; missing where nothing is known."""
    ordered = np.sort(values, axis=0)  # sorts missing values last
    out = np.empty((len(levels), *values.shape[1:]), dtype=np.float64)
    if len(ordered) and not np.isnan(ordered[-1]).any():
        for i, level in enumerate(levels):
            place = level * (len(ordered) - 1)
            lower = int(place)
            below = ordered[lower].astype(float)
            out[i] = below + (ordered[min(lower + 1, len(ordered) - 1)] - below) * (place - lower)
        return out
    known = np.count_nonzero(~np.isnan(ordered), axis=0)
    for i, level in enumerate(levels):
        place = level * np.maximum(known - 1, 0)
        lower = np.floor(place).astype(int)
        upper = np.minimum(lower + 1, np.maximum(known - 1, 0))
        below = np.take_along_axis(ordered, lower[None], 0)[0].astype(float)
        above = np.take_along_axis(ordered, upper[None], 0)[0].astype(float)
        out[i] = np.where(known > 0, below + (above - below) * (place - lower), np.nan)
    return out


# A change of less than this share of a number is none: what single precision leaves of paths that are the same.
NOTHING = 1e-6


def changes(values: FloatArray, base: FloatArray) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """How many members lie above those of `base`, and how many are the same but for rounding: `[member, ...]` to `[...]`."""
    change, size = values - base, NOTHING * np.maximum(np.abs(values), np.abs(base))
    above = np.count_nonzero(change > size, axis=0).astype(np.uint32)
    return above, np.count_nonzero(np.abs(change) <= size, axis=0).astype(np.uint32)


def chance_of_rise(values: FloatArray, base: FloatArray) -> FloatArray:
    """The share of members above those of `base` `[...]`, half of those that are the same; missing where none is known."""
    above, equal = changes(values, base)
    known = np.count_nonzero(~np.isnan(values - base), axis=0)
    return np.where(known > 0, (above + 0.5 * equal) / np.maximum(known, 1), np.nan)


# Numbers that are held at once while quantiles are taken.
_BLOCK = 4_000_000


def summary(values: FloatArray, base: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Quantiles of `values` and of their differences to `base` `[level, month, ...]`, and the probability of a rise.

    Months are taken in blocks, so that the memory it takes does not grow with the ensemble.
    """
    months = max(int(_BLOCK // max(values[:, :1].size, 1)), 1)
    parts = []
    for start in range(0, values.shape[1], months):
        block = np.asarray(values[:, start : start + months])
        before = np.asarray(base[:, start : start + months])
        parts.append((quantiles(block), quantiles(block - before), chance_of_rise(block, before)))
    levels, deltas, greater = zip(*parts, strict=True)
    return np.concatenate(levels, 1), np.concatenate(deltas, 1), np.concatenate(greater, 0)
