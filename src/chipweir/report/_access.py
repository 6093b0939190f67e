"""The only module of this room that knows how a run names its variables.

A run is an `xarray.Dataset` whose monthly variables have the dims (scenario, quantile, month, ...). Everything else in
this room asks here for plain arrays, so that a rename in the world room is one line in this file.
"""

from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from chipweir import reading
from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _


BASELINE = "baseline"
COVERAGE = 0.8
"""The one level of all intervals that are shown."""
_NOISE = 1e-6
"""Differences below this share of a number are those of single precision, and none."""
HISTORY_END = "2025-12"
"""The last month whose data shaped the priors; later months are projection."""


@dataclass(frozen=True)
class Series:
    """Quantiles of one number over time. `values` has shape (quantile, month); `quantiles` ascend."""

    months: np.ndarray
    quantiles: tuple[float, ...]
    values: np.ndarray
    unit: str
    name: str

    def at(self, level: float) -> np.ndarray:
        """The quantile nearest to `level`, by month."""
        index = min(range(len(self.quantiles)), key=lambda i: abs(self.quantiles[i] - level))
        return np.asarray(self.values[index])

    @property
    def median(self) -> np.ndarray:
        """The median by month."""
        return self.at(0.5)

    def bands(self) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """(coverage, low, high) for each symmetric pair of quantiles, widest first."""
        levels = self.quantiles
        pairs = [
            (low, high)
            for low, high in zip(levels, reversed(levels), strict=True)
            if low < 0.5 and abs(low + high - 1) < 1e-6
        ]
        return [(round(high - low, 4), self.at(low), self.at(high)) for low, high in pairs]

    def interval(self, coverage: float, index: int) -> tuple[float, float]:
        """The interval of at least `coverage` at one month, or the widest there is."""
        bands = sorted(self.bands(), key=lambda band: band[0])
        chosen = next((band for band in bands if band[0] >= coverage - 1e-6), bands[-1])
        return float(chosen[1][index]), float(chosen[2][index])


def scenarios(dataset: xr.Dataset) -> list[str]:
    """The scenarios of a run, the baseline first."""
    names = [str(name) for name in np.atleast_1d(dataset["scenario"].values)]
    return sorted(names, key=lambda name: name != BASELINE)


def chosen(dataset: xr.Dataset, wanted: Iterable[str] | None) -> list[str]:
    """`wanted` after a check that the run holds them, or all. Raises `UnknownName`."""
    known = scenarios(dataset)
    if wanted is None:
        return known
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in known:
            raise UnknownName("scenario", name, known, where="this run")
    return names


def has(dataset: xr.Dataset, variable: str, **selection: str) -> bool:
    """Does the run hold this variable, with these labels?"""
    array = dataset.variables.get(variable)
    if array is None or variable in dataset.coords:
        return False
    return all(dim in array.dims and label in dataset.variables[dim].values for dim, label in selection.items())


def labels(dataset: xr.Dataset, variable: str, dim: str) -> list[str]:
    """The labels of one dimension of a variable; empty where the run has no such variable or dimension."""
    if variable not in dataset.data_vars or dim not in dataset[variable].dims:
        return []
    return [str(label) for label in dataset[variable][dim].values]


def series(dataset: xr.Dataset, variable: str, scenario: str, **selection: str) -> Series | None:
    """One labelled number over time, or None where the run does not hold it.

    Dims left unselected must have length one; a sum over quantiles would be wrong, so none is made here.
    """
    if not has(dataset, variable, **selection):
        return None
    # Plain arrays: selecting by label through xarray takes ten times as long, and a page asks for dozens of series.
    array, axes = dataset.variables[variable], dataset.variables
    place: dict[Hashable, Any] = {
        dim: axes[dim].to_index().get_loc(label) for dim, label in {"scenario": scenario, **selection}.items()
    }
    extra = [dim for dim in array.dims if dim not in ("quantile", "month", *place)]
    if any(array.sizes[dim] != 1 for dim in extra):
        raise InputError(f"variable '{variable}' needs a choice of {', '.join(str(dim) for dim in extra)}")
    place |= dict.fromkeys(extra, 0) | {"quantile": slice(None), "month": slice(None)}
    values = array.to_numpy()[tuple(place[dim] for dim in array.dims)]
    return Series(
        months=axes["month"].values.astype("datetime64[M]"),
        quantiles=tuple(axes["quantile"].values.tolist()),
        values=np.asarray(
            values if array.dims.index("quantile") < array.dims.index("month") else values.T, dtype=float
        ),
        unit=str(array.attrs.get("units", "")),
        name=variable,
    )


def require(dataset: xr.Dataset, variable: str, scenario: str, **selection: str) -> Series:
    """As `series`; raises `InputError` where the run does not hold it."""
    found = series(dataset, variable, scenario, **selection)
    if found is None:
        what = ", ".join([variable, *selection.values()])
        raise InputError(_("this run holds no '{what}'", what=what))
    return found


def month_index(months: np.ndarray, year: int) -> int | None:
    """The index of December of `year`, or of the last month of that year that the run reaches."""
    inside = np.flatnonzero(months.astype("datetime64[Y]").astype(int) + 1970 == year)
    return int(inside[-1]) if inside.size else None


def delta_name(variable: str) -> str:
    """The variable that holds member-wise differences to the baseline."""
    return f"delta_{variable}"


def probability_name(variable: str) -> str:
    """The variable that holds the probability of being greater than in the baseline."""
    return f"p_greater_{variable}"


def probability(dataset: xr.Dataset, variable: str, scenario: str, year: int, **selection: str) -> float | None:
    """The probability that the scenario's value is above the baseline's at the end of `year`."""
    name = probability_name(variable)
    if not has(dataset, name, **selection):
        return None
    array, axes = dataset.variables[name], dataset.variables
    index = month_index(axes["month"].values.astype("datetime64[M]"), year)
    if index is None:
        return None
    place: dict[Hashable, Any] = {
        dim: axes[dim].to_index().get_loc(label) for dim, label in {"scenario": scenario, **selection}.items()
    }
    place["month"] = index
    return float(array.to_numpy()[tuple(place.get(dim, 0) for dim in array.dims)])


def manifest(dataset: xr.Dataset) -> dict[str, Any]:
    """Where the run came from: the manifest in the dataset's attributes, decoded. Empty where there is none."""
    found: dict[str, Any] = {}
    for key, value in dataset.attrs.items():
        if isinstance(value, str) and value[:1] in "{[":
            with suppress(InputError):
                value = reading.parse_json(value, "manifest", reading.Limits(characters=20_000_000))
        if key == "manifest" and isinstance(value, dict):
            found |= value
        else:
            found[str(key)] = value
    return found


def flows(dataset: xr.Dataset, scenario: str, year: int, destination: str | None = None) -> list[dict[str, Any]]:
    """Annual mean flows as records (product, channel, region, units), to one region or to all, however small."""
    if "flow" not in dataset.data_vars:
        raise InputError(_("this run holds no '{what}'", what="flow"))
    years = flow_years(dataset)
    if year not in years:
        raise InputError(
            _(
                "year {year} is outside this run, which covers {first} to {last}",
                year=year,
                first=years[0],
                last=years[-1],
            )
        )
    array = dataset["flow"].sel(scenario=scenario, year=year)
    if "quantile" in array.dims:
        array = array.sel(quantile=0.5, method="nearest")
    if destination is not None:
        array = array.sel(region=[destination])
    array = array.transpose("product", "region", "channel")
    values = np.nan_to_num(np.asarray(array.values, dtype=float))
    products, regions, channels = (array[dim].values for dim in ("product", "region", "channel"))
    return [
        {
            "product": str(products[p]),
            "region": str(regions[r]),
            "channel": str(channels[c]),
            "units": float(values[p, r, c]),
        }
        for p, r, c in np.argwhere(values > 0)
    ]


def flow_years(dataset: xr.Dataset) -> list[int]:
    """The years for which the run holds flows."""
    return [int(value) for value in dataset["flow"]["year"].values] if "flow" in dataset.data_vars else []


def fan_coverages(dataset: xr.Dataset) -> Sequence[float]:
    """The coverage that a fan shows: `COVERAGE` where the run keeps those quantiles, else the widest that it keeps."""
    levels = sorted(float(level) for level in dataset["quantile"].values)
    wide = [round(high - low, 4) for low, high in zip(levels, reversed(levels), strict=True) if low < 0.5]
    return [COVERAGE] if COVERAGE in wide else wide[:1]


def is_nothing(bounds: Iterable[float], size: float) -> bool:
    """Whether a difference with these bounds, of a number of this size, is none."""
    return all(abs(bound) <= _NOISE * abs(size) for bound in bounds)
