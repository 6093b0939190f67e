"""Ensembles: many draws of every parameter through the same compiled simulation, labelled again at the end.

Members are cut into chunks that fit the cache; each chunk is an independent task, so that a pool, a cluster or a stopped
call can take them in any order. Quantiles are taken over members, differences and ratios within a member.
"""

import csv
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import numpy.typing as npt
import xarray as xr

from chipweir.errors import InputError
from chipweir.world._assemble import LAWS, assemble, labels
from chipweir.world._korea import DESTINATIONS, PRODUCTS
from chipweir.world._nudges import with_nudges
from chipweir.world._outputs import by_year, member_outputs
from chipweir.world._parameters import draw, members_of
from chipweir.world._products import own_products, product_rows
from chipweir.world._simulate import simulate
from chipweir.world._state import Inputs
from chipweir.world._tables import Extra, table


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world._scenario import Scenario

FloatArray = npt.NDArray[np.floating[Any]]
Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
Progress = Callable[[float, str], None]

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
ORIGINS = ("foreign_legal", "domestic", "smuggled", "rental")
CONSTRAINTS = ("logic", "hbm", "packaging")
MAKER_ORIGINS = ("foreign", "domestic")
VENDORS = ("sk-hynix", "samsung", "micron", "cxmt", "huawei")
# Members that one thread simulates at a time: their monthly working set stays in the second-level cache.
_BATCH = 64
# Above this many members, finished outputs wait on disk so that memory does not grow with the ensemble.
_IN_MEMORY = 2000
# Values of one variable that are summarised at a time.
_BLOCK = 2**22
FLOWS = ("flow_direct", "flow_smuggled", "flow_rented")
# How a variable of each kind adds up over the months of a year.
YEARLY = {"flow": "sum", "stock": "end", "ratio": "mean"}


@dataclass(frozen=True)
class Task:
    """A range of members of one scenario: arrays only, so that it can travel."""

    scenario: str
    first: int
    inputs: Inputs
    parameters: Mapping[str, npt.NDArray[np.float64]]


@cache
def variables() -> tuple[dict[str, str], ...]:
    """The table of reported variables: name, dims after the month, unit, kind and long names."""
    text = (resources.files("chipweir.world") / "variables.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def compiled() -> Callable[[Inputs, Any, Any], Any]:
    """The simulation of a batch: outputs of its members, first axis, in single precision; flows by year summed over members.

    `parameters` have the member first, as drawn; `weight` [member] is 0 for members that only fill the batch.
    """

    def batch(inputs: Inputs, parameters: Any, weight: Any) -> dict[str, Any]:
        p = {name: jax.numpy.moveaxis(values, 0, -1) for name, values in parameters.items()}
        _, (kept, years) = simulate(inputs, p, total=by_year)
        flows = {name: years.pop(name) @ weight.astype("float32") for name in FLOWS}
        members = {**member_outputs(kept, p, inputs.months, inputs.products), **years}
        first = {name: jax.numpy.moveaxis(value, -1, 0).astype("float32") for name, value in members.items()}
        return {**first, **flows}

    return jax.jit(batch, compiler_options=compiler_options())


@cache
def compiler_options() -> dict[str, Any]:
    """What the compiler is told where it knows the word: its library of fused sums is slow for arrays as small as a month's."""
    options = {"xla_cpu_experimental_ynn_fusion_type": ""}
    try:
        jax.jit(lambda x: x.sum(0), compiler_options=options)(jax.numpy.ones((2, 2)))
    except Exception:
        return {}
    return options


def run_task(task: Task) -> dict[str, npt.NDArray[np.float32]]:
    """Simulate the members of one task on this machine's cores; flows come summed over them."""
    count = len(next(iter(task.parameters.values())))
    size = min(_BATCH, count)
    starts = range(0, count, size)

    def one(start: int) -> dict[str, npt.NDArray[np.float32]]:
        rows = np.arange(start, start + size)
        real = rows < count
        chosen = {name: values[np.minimum(rows, count - 1)] for name, values in task.parameters.items()}
        chosen = with_nudges(chosen, task.inputs)
        kept = compiled()(task.inputs, chosen, real.astype(float))
        return {name: np.asarray(value) if name in FLOWS else np.asarray(value)[real] for name, value in kept.items()}

    if len(starts) == 1:
        return one(0)
    with ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1)) as pool:
        parts = list(pool.map(one, starts))
    return {
        name: sum(part[name] for part in parts) if name in FLOWS else np.concatenate([part[name] for part in parts])  # type: ignore[misc]
        for name in parts[0]
    }


def tasks(
    scenarios: Sequence["Scenario"], facts: "Facts", members: int, seed: int, chunk: int | None = None
) -> list[Task]:
    """The ensemble cut into independent tasks, scenario by scenario."""
    drawn = draw(members, seed)
    extra = own_products(facts, scenarios)
    size = chunk or _BATCH * max(os.cpu_count() or 1, 1)
    return [
        Task(scenario.name, start, inputs, members_of(drawn, slice(start, start + size)))
        for scenario, inputs in ((scenario, assemble(scenario, facts, extra)) for scenario in scenarios)
        for start in range(0, members, size)
    ]


class _Kept:
    """Outputs of one scenario by variable, in memory or, for large ensembles, on disk; `[member, ...]` in order."""

    def __init__(self, spool: Path | None) -> None:
        self.spool = spool
        self.parts: dict[str, list[npt.NDArray[np.float32]]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.flows: dict[str, npt.NDArray[np.float32]] = {}

    def add(self, kept: Mapping[str, npt.NDArray[np.float32]]) -> None:
        for name, value in kept.items():
            if name in FLOWS:
                self.flows[name] = self.flows[name] + value if name in self.flows else value
                continue
            self.shapes[name] = value.shape[1:]
            if self.spool is None:
                self.parts.setdefault(name, []).append(value)
            else:
                with (self.spool / name).open("ab") as file:
                    np.ascontiguousarray(value).tofile(file)

    def read(self, name: str) -> npt.NDArray[np.float32]:
        if self.spool is None:
            parts = self.parts[name]
            if len(parts) > 1:
                self.parts[name] = parts = [np.concatenate(parts)]
            return parts[0]
        return np.memmap(self.spool / name, dtype=np.float32, mode="r").reshape(-1, *self.shapes[name])


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


def run_ensemble(
    scenarios: Sequence["Scenario"],
    facts: "Facts",
    members: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
    mapper: Mapper = map,
    keep_members: bool = False,
    chunk: int | None = None,
) -> xr.Dataset:
    """Simulate scenarios with shared draws and return labelled quantiles and paired differences to the first.

    **Arguments:** `members` draws of all parameters; `seed` of their streams; `progress(share, text)` is told how far;
    `mapper` runs tasks elsewhere; `keep_members` keeps every member (dim `member`) beside the quantiles; `chunk` members
    make a task (default: what keeps all cores of this machine busy).
    **Raises:** `InputError` for scenarios of unlike periods or names that stand twice, or no members.
    """
    _check(scenarios)
    work = tasks(scenarios, facts, members, seed, chunk)
    tell = progress or (lambda share, text: None)
    tell(0.0, "compiling")
    with tempfile.TemporaryDirectory(prefix="chipweir-") as folder:
        kept = {scenario.name: _Kept(_spool(folder, scenario.name, members)) for scenario in scenarios}
        for done, (task, part) in enumerate(zip(work, mapper(run_task, work), strict=True), 1):
            kept[task.scenario].add(part)
            tell(done / len(work), task.scenario)
        return _dataset(scenarios, kept, members, keep_members, own_products(facts, scenarios))


def _spool(folder: str, scenario: str, members: int) -> Path | None:
    if members <= _IN_MEMORY:
        return None
    path = Path(folder) / scenario
    path.mkdir()
    return path


def _check(scenarios: Sequence["Scenario"]) -> None:
    if not scenarios:
        raise InputError("no scenario to run")
    names = [scenario.name for scenario in scenarios]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"scenario '{twice[0]}' stands twice")
    if len({(scenario.start, scenario.end) for scenario in scenarios}) > 1:
        raise InputError("scenarios of one run must cover the same months")


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


def _dataset(
    scenarios: Sequence["Scenario"], kept: Mapping[str, _Kept], members: int, keep_members: bool, extra: Extra
) -> xr.Dataset:
    names = [scenario.name for scenario in scenarios]
    first = names[0]
    months = scenarios[0].months.astype("datetime64[ns]")
    coords: dict[str, Any] = {"scenario": names, "quantile": list(QUANTILES), "month": months, **coordinates(extra)}
    years = len(np.unique(scenarios[0].months.astype("datetime64[Y]")))
    data: dict[str, Any] = {}
    for row in variables():
        name, axis = row["name"], row["axis"] or "month"
        members_of_all = [kept[scenario].read(name) for scenario in names]
        if axis == "year":
            members_of_all = [values[:, :years] for values in members_of_all]
        data |= _summarised(row, name, axis, members_of_all, first)
        if axis == "month":
            data |= _summarised(row, f"yearly_{name}", "year", [_of_years(v, months, row) for v in members_of_all], first)
        if keep_members:
            data[f"member_{name}"] = (("scenario", "member", axis, *row["dims"].split()), members_of_all)
    for name in [name for name in data if name.startswith("member_")]:
        dims, values = data[name]
        data[name] = (dims, np.stack(values), data[name.removeprefix("member_")][2])
    flow, flow_coords = _flows(kept, names, members, months, extra)
    return xr.Dataset(
        {**data, "flow": flow},
        {name: list(labelled) for name, labelled in {**coords, **flow_coords}.items()},
        {"members": members, "baseline": first},
    )


def _summarised(
    row: Mapping[str, str], name: str, axis: str, values: Sequence[FloatArray], first: str
) -> dict[str, Any]:
    """Quantiles of a variable, of its paired differences to the first scenario, and the probability that it lies above."""
    dims = (axis, *row["dims"].split())
    unit = row["unit"].removesuffix("/month") if axis == "year" and row["axis"] != "year" else row["unit"]
    title = row["long_name"]
    if axis == "year" and row["axis"] != "year":
        unit = f"{unit}/year" if row["unit"].endswith("/month") else unit
        title = f"{title}, {YEARLY[row['kind']]} of the year"
    attrs = {"units": unit, "long_name": title, "kind": row["kind"]}
    levels, deltas, greater = (np.stack(parts) for parts in zip(*(_summary(v, values[0]) for v in values), strict=True))
    return {
        name: (("scenario", "quantile", *dims), levels, attrs),
        f"delta_{name}": (("scenario", "quantile", *dims), deltas, {**attrs, "long_name": f"{title}, against {first}"}),
        f"p_greater_{name}": (
            ("scenario", *dims), greater, {"units": "1", "long_name": f"Probability above {first}: {title}"},
        ),
    }  # fmt: skip


def _of_years(values: FloatArray, months: npt.NDArray[np.datetime64], row: Mapping[str, str]) -> FloatArray:
    """A variable by calendar year `[member, year, ...]`: flows summed, stocks at the year's last month, ratios averaged.

    A year that the scenario covers in part is missing for flows, and taken over its months otherwise.
    """
    years = months.astype("datetime64[Y]").astype(int)
    parts = []
    for year in np.unique(years):
        inside = np.asarray(values[:, years == year])
        if YEARLY[row["kind"]] == "end":
            parts.append(inside[:, -1])
        elif YEARLY[row["kind"]] == "mean":
            known = ~np.isnan(inside)
            parts.append(np.where(known, inside, 0).sum(1) / np.where(known.any(1), known.sum(1), np.nan))
        else:
            parts.append(inside.sum(1) if inside.shape[1] == 12 else np.full_like(inside[:, 0], np.nan))
    return np.stack(parts, axis=1)


def _summary(values: FloatArray, base: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Quantiles of `values` and of their differences to `base` `[level, month, ...]`, and the probability of a rise.

    Months are taken in blocks, so that the memory it takes does not grow with the ensemble.
    """
    months = max(int(_BLOCK // max(values[:, :1].size, 1)), 1)
    parts = []
    for start in range(0, values.shape[1], months):
        block = np.asarray(values[:, start : start + months])
        change = block - np.asarray(base[:, start : start + months])
        rise = np.mean(change > 0, axis=0) + 0.5 * np.mean(change == 0, axis=0)
        rise = np.where(np.isnan(change).all(0), np.nan, rise)
        parts.append((quantiles(block), quantiles(change), rise))
    levels, deltas, greater = zip(*parts, strict=True)
    return np.concatenate(levels, 1), np.concatenate(deltas, 1), np.concatenate(greater, 0)


def _flows(
    kept: Mapping[str, _Kept], names: Sequence[str], members: int, months: npt.NDArray[np.datetime64], extra: Extra
) -> tuple[tuple[tuple[str, ...], FloatArray, dict[str, str]], dict[str, Any]]:
    """Mean yearly units by product, channel and the region that uses them."""
    axis = labels(extra)
    years = len(np.unique(months.astype("datetime64[Y]")))
    channels = (
        "direct",
        "licensed",
        "domestic",
        *(f"smuggled_{h}" for h in axis.hubs),
        *(f"rental_{h}" for h in axis.hubs),
    )
    china = axis.regions.index("CHN")
    chinese = {row["line"] for row in table("lines") if row["country"] == "CN"}
    domestic = np.array([row["line"] in chinese for row in product_rows(extra)])
    stacked = []
    for name in names:
        direct, smuggled, rented = (kept[name].flows[flow][:years] / members for flow in FLOWS)
        out = np.zeros((years, len(axis.products), len(axis.regions), len(channels)), dtype=np.float32)
        out[..., 0] = direct.transpose(0, 2, 1)
        out[:, :, china, 0] = 0
        out[:, :, china, 1] = direct[:, china] * ~domestic
        out[:, :, china, 2] = direct[:, china] * domestic
        hubs = len(axis.hubs)
        out[:, :, china, 3 : 3 + hubs] = smuggled
        out[:, :, china, 3 + hubs :] = rented
        stacked.append(out)
    first = int(str(months[0])[:4])
    attrs = {"units": "units/year", "long_name": "Mean yearly sales by product, channel and user"}
    coords = {"year": [first + i for i in range(stacked[0].shape[0])], "product": axis.products, "channel": channels}
    return (("scenario", "year", "product", "region", "channel"), np.stack(stacked), attrs), coords
