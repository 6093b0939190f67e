"""How the prior ensemble sits against what is known: a table of published figures beside prior-predictive intervals.

The figures are data (`targets.csv`), each with its facts; they are shown whether or not they fit.
"""

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError


if TYPE_CHECKING:
    import xarray as xr

FloatArray = npt.NDArray[np.float64]

OPERATIONS = ("sum", "mean", "at")


@dataclass(frozen=True)
class Target:
    """A published figure and how to read the same quantity off the model.

    `operation` over the months `start` to `end`: `sum`, `mean` or `at` (the value of `end`), times `scale`, gives `unit`.
    `low`, `central`, `high` are the source's own range.
    """

    target: str
    row: int
    label: str
    label_ko: str
    variable: str
    selection: Mapping[str, str]
    operation: str
    start: str
    end: str
    scale: float
    unit: str
    low: float
    central: float
    high: float
    facts: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Verdict:
    """A target beside the model's prior-predictive 5, 50 and 95 %; `inside` is whether the figure lies between them.

    `overlap` is whether the source's own range does; `rank` the share of members below the figure.
    """

    target: Target
    p05: float
    p50: float
    p95: float
    inside: bool
    overlap: bool
    rank: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@cache
def targets() -> tuple[Target, ...]:
    """The published figures, in the order of the credibility table."""
    text = (resources.files("chipweir.calibration") / "targets.csv").read_text(encoding="utf-8")
    return tuple(_target(row) for row in csv.DictReader(text.splitlines()))


def _target(row: dict[str, str]) -> Target:
    if row["operation"] not in OPERATIONS:
        raise InputError(
            f"targets.csv: {row['target']}: operation '{row['operation']}' is none of {', '.join(OPERATIONS)}"
        )
    numbers = {key: float(row[key]) for key in ("scale", "low", "central", "high")}
    pairs = (pair.split("=") for pair in row["selection"].split())
    fields: dict[str, Any] = {**row, **numbers, "row": int(row["row"]), "facts": tuple(row["facts"].split())}
    return Target(**{**fields, "selection": dict(pairs)})


def measure(results: "xr.Dataset", target: Target, scenario: str = "baseline") -> FloatArray:
    """The target's quantity for every member of an ensemble kept whole, `[member]`, in the target's unit."""
    array = results[f"member_{target.variable}"].sel({"scenario": scenario, **target.selection})
    months = array["month"].values.astype("datetime64[M]")
    first, last = np.datetime64(target.start, "M"), np.datetime64(target.end, "M")
    if not (months[0] <= first and last <= months[-1]):
        raise InputError(
            f"{target.target} needs the months {target.start} to {target.end}, which this run does not cover"
        )
    values = array.transpose("member", "month").values[:, (months >= first) & (months <= last)].astype(float)
    if target.operation == "sum":
        return np.asarray(values.sum(1)) * target.scale
    return np.asarray(values[:, -1] if target.operation == "at" else np.nanmean(values, axis=1)) * target.scale


def credibility(results: "xr.Dataset", scenario: str = "baseline") -> list[Verdict]:
    """Every target against the prior-predictive interval of an ensemble kept whole (`keep_members=True`)."""
    verdicts = []
    for target in targets():
        values = measure(results, target, scenario)
        p05, p50, p95 = (float(value) for value in np.nanquantile(values, [0.05, 0.5, 0.95]))
        tolerance = 1e-6 * max(abs(target.central), 1e-12)
        verdicts.append(
            Verdict(
                target,
                p05,
                p50,
                p95,
                inside=p05 - tolerance <= target.central <= p95 + tolerance,
                overlap=p05 - tolerance <= target.high and target.low <= p95 + tolerance,
                rank=float(np.mean(values <= target.central)),
            )
        )
    return verdicts
