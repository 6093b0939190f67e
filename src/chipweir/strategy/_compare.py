"""Paired differences between two scenarios of a run: the same draw in both worlds, so that luck cancels out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError, UnknownName


if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Difference:
    """`b` minus `a` for one quantity in one month, member by member.

    `a` and `b` are the medians of the two scenarios, `median`, `p50`, `p80` and `p90` the median and the 50, 80 and 90 %
    intervals of the differences (which are not differences of medians). `p_greater` is the probability that `b` is above
    `a`, None where the two are equal in practically every member.
    """

    variable: str
    selection: Mapping[str, str]
    unit: str
    month: str
    a: float
    b: float
    median: float
    p50: tuple[float, float]
    p80: tuple[float, float]
    p90: tuple[float, float]
    p_greater: float | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def reference(results: "xr.Dataset") -> str:
    """The scenario against which a run holds paired differences: its first."""
    return str(results["scenario"].values[0])


def holds_pair(results: "xr.Dataset", a: str, b: str) -> bool:
    """Whether the run holds the differences between `a` and `b`. Raises `UnknownName` for a scenario it has not."""
    names = [str(name) for name in results["scenario"].values]
    for name in (a, b):
        if name not in names:
            raise UnknownName("scenario", name, names, where="this run")
    return a != b and reference(results) in (a, b)


def differences(
    results: "xr.Dataset", a: str, b: str, variable: str, months: Sequence[str], **selection: str
) -> list[Difference]:
    """`b` minus `a` for one variable of a run in each of `months` (such as "2030-12") that the run reaches.

    Raises `UnknownName` for a variable or label the run has not, `InputError` for a pair it does not hold.
    """
    if not holds_pair(results, a, b):
        raise InputError(f"this run holds no differences between {a} and {b}, only to {reference(results)}")
    name = f"delta_{variable}"
    if name not in results:
        known = [str(each).removeprefix("delta_") for each in results if str(each).startswith("delta_")]
        raise UnknownName("variable with paired differences", variable, known)
    axis = results["month"].values.astype("datetime64[M]").astype(str).tolist()
    turned = b == reference(results)
    found = []
    for month in (month for month in months if month in axis):
        place = {"month": axis.index(month)}
        delta = _labelled(results[name], a if turned else b, selection).isel(place)
        levels = {
            float(level): float(value) for level, value in zip(delta["quantile"].values, delta.values, strict=True)
        }
        if turned:
            levels = {1 - level: -value for level, value in levels.items()}
        greater = results.get(f"p_greater_{variable}")
        share = None if greater is None else float(_labelled(greater, a if turned else b, selection).isel(place).item())
        medians = [_labelled(results[variable], each, selection).isel(place) for each in (a, b)]
        found.append(
            Difference(
                variable=variable,
                selection=dict(selection),
                unit=str(results[variable].attrs.get("units", "")),
                month=month,
                a=_at(medians[0], 0.5),
                b=_at(medians[1], 0.5),
                median=_level(levels, 0.5),
                p50=(_level(levels, 0.25), _level(levels, 0.75)),
                p80=(_level(levels, 0.1), _level(levels, 0.9)),
                p90=(_level(levels, 0.05), _level(levels, 0.95)),
                p_greater=_sign(levels, share, turned),
            )
        )
    return found


def _labelled(array: "xr.DataArray", scenario: str, selection: Mapping[str, str]) -> "xr.DataArray":
    for axis, label in selection.items():
        if axis not in array.dims:
            raise UnknownName(f"axis of {array.name}", axis, map(str, array.dims))
        if label not in array[axis].values:
            raise UnknownName(axis, label, map(str, array[axis].values), where=str(array.name))
    return array.sel({"scenario": scenario, **selection})


def _at(array: "xr.DataArray", level: float) -> float:
    return _level({float(q): float(v) for q, v in zip(array["quantile"].values, array.values, strict=True)}, level)


def _level(levels: Mapping[float, float], level: float) -> float:
    """The quantile at `level`, which is one of those kept."""
    return levels[min(levels, key=lambda each: abs(each - level))]


def _sign(levels: Mapping[float, float], share: float | None, turned: bool) -> float | None:
    """The probability of a positive difference; None where the bulk of the differences is nil and it means nothing."""
    if share is None or min(levels.values()) == max(levels.values()) == 0:
        return None
    return 1 - share if turned else share
