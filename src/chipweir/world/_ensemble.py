"""Ensembles: many draws of every parameter through the same compiled simulation, labelled again at the end.

Members are cut into chunks that fit the cache; each chunk is an independent task, so that a pool, a cluster or a stopped
call can take them in any order. Quantiles are taken over members, differences and ratios within a member.
"""

import csv
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import jax
import numpy as np
import numpy.typing as npt
import xarray as xr

from chipweir.errors import InputError
from chipweir.world._assemble import assemble, labels, table
from chipweir.world._outputs import member_outputs, monthly
from chipweir.world._parameters import draw, members_of
from chipweir.world._simulate import simulate
from chipweir.world._state import Inputs
from chipweir.world._step import Month


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
# Members that one thread simulates at a time: their monthly working set stays in the second-level cache.
_BATCH = 64
# Members up to which all are held in memory; more are counted, so that memory does not grow with the ensemble.
EXACT = 2000
# Values of one variable that are summarised at a time.
_BLOCK = 2**22
FLOWS = ("flow_direct", "flow_smuggled", "flow_rented")
MEMBER = "member"


@dataclass(frozen=True)
class Task:
    """A range of members of one scenario: arrays only, so that it can travel; many share the same `inputs`."""

    SHARED: ClassVar[tuple[str, ...]] = ("inputs",)

    scenario: str
    first: int
    inputs: Inputs
    parameters: Mapping[str, npt.NDArray[np.float64]]


@cache
def variables() -> tuple[dict[str, str], ...]:
    """The table of reported variables: name, dims after the month, unit, kind and long names."""
    text = (resources.files("chipweir.world") / "variables.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def with_sums(weight: Any) -> Callable[[Month], dict[str, Any]]:
    """What keeps a month's outputs, its flows summed over the batch's members with their `weight` []: only sums are used,
    and thousands of them by member would fill the cache. For use under `vmap` with the axis name `MEMBER`."""

    def kept(month: Month) -> dict[str, Any]:
        outputs = monthly(month)
        weighed = {name: weight.astype("float32") * outputs[name].astype("float32") for name in FLOWS}
        return {**outputs, **jax.lax.psum(weighed, MEMBER)}  # type: ignore[no-untyped-call]

    return kept


def yearly(flows: Mapping[str, Any], first: int = 0) -> dict[str, Any]:
    """Flows `[month, ...]` from month `first` on, summed by calendar year: `[year, ...]` from the year of `first` on."""
    early = first % 12
    summed = {}
    for name, flow in flows.items():
        padded = jax.numpy.pad(flow, [(early, -(early + len(flow)) % 12), (0, 0), (0, 0)])
        summed[name] = padded.reshape(-1, 12, *flow.shape[1:]).sum(1)
    return summed


@cache
def compiled() -> Callable[[Inputs, Any, Any], Any]:
    """The batched simulation: outputs by member in single precision, flows summed over members and by year."""

    def member(inputs: Inputs, p: Any, weight: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        _, kept = simulate(inputs, p, save=with_sums(weight))
        flows = {name: kept.pop(name) for name in FLOWS}
        return member_outputs(kept, p, inputs.months, inputs.products), flows

    def batch(inputs: Inputs, parameters: Any, weight: Any) -> dict[str, Any]:
        run = jax.vmap(member, in_axes=(None, 0, 0), out_axes=(0, None), axis_name=MEMBER)
        kept, flows = run(inputs, parameters, weight)
        return {name: value.astype("float32") for name, value in (kept | yearly(flows)).items()}

    return jax.jit(batch)


def run_task(task: Task) -> dict[str, npt.NDArray[np.float32]]:
    """Simulate the members of one task on this machine's cores; flows are summed over each batch of them: `[batch, ...]`."""
    count = len(next(iter(task.parameters.values())))
    size = min(_BATCH, count)
    starts = range(0, count, size)

    def one(start: int) -> dict[str, npt.NDArray[np.float32]]:
        rows = np.arange(start, start + size)
        real = rows < count
        chosen = {name: values[np.minimum(rows, count - 1)] for name, values in task.parameters.items()}
        kept = compiled()(task.inputs, chosen, real.astype(float))
        return {name: np.asarray(value) if name in FLOWS else np.asarray(value)[real] for name, value in kept.items()}

    with ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1)) as pool:
        parts = list(pool.map(one, starts)) if len(starts) > 1 else [one(0)]
    join = {name: np.stack if name in FLOWS else np.concatenate for name in parts[0]}
    return {name: join[name]([part[name] for part in parts]) for name in parts[0]}


def tasks(
    scenarios: Sequence["Scenario"], facts: "Facts", members: int, seed: int, chunk: int | None = None
) -> list[Task]:
    """The ensemble cut into independent tasks, scenario by scenario."""
    drawn = draw(members, seed)
    assembled = ((scenario.name, assemble(scenario, facts)) for scenario in scenarios)
    return [task for name, inputs in assembled for task in cut(name, inputs, drawn, chunk)]


def cut(
    scenario: str, inputs: Inputs, drawn: Mapping[str, npt.NDArray[np.float64]], chunk: int | None = None
) -> list[Task]:
    """Tasks for all drawn members of one scenario."""
    members = len(next(iter(drawn.values())))
    size = chunk or _BATCH * max(os.cpu_count() or 1, 1)
    return [
        Task(scenario, start, inputs, members_of(drawn, slice(start, start + size)))
        for start in range(0, members, size)
    ]


def task_name(task: Task) -> str:
    """A name for a range of members of a scenario; it does not depend on how many cores cut the ensemble."""
    count = len(next(iter(task.parameters.values())))
    return f"{task.scenario}-{task.first}-{count}"


def needed_bytes(scenarios: Sequence["Scenario"], members: int) -> int:
    """Disk that a run may take: its results twice (they are written beside their place), and what a stopped call keeps."""
    from chipweir.world._tally import EDGES

    sizes = {name: len(labelled) for name, labelled in coordinates().items()}
    months, count = len(scenarios[0].months), len(scenarios)
    cells = months * sum(math.prod(sizes[dim] for dim in row["dims"].split()) for row in variables())
    results = count * cells * 8 * (2 * len(QUANTILES) + 1)
    if members <= EXACT:
        return 2 * results + count * members * cells * 4
    return 2 * results + 2 * (2 * count - 1) * cells * 12 * len(QUANTILES) * EDGES


class _Kept:
    """Outputs of the scenarios by variable, all members in order."""

    def __init__(self, names: Sequence[str], members: int) -> None:
        self.names, self.members, self.left_open = names, members, 0.0
        self.parts: dict[tuple[str, str], list[npt.NDArray[np.float32]]] = {}
        self.sums: dict[tuple[str, str], npt.NDArray[np.float64]] = {}

    def add(self, scenario: str, kept: Mapping[str, npt.NDArray[np.float32]]) -> None:
        for name, value in kept.items():
            key = (scenario, name)
            if name in FLOWS:
                self.sums[key] = in_order(self.sums.get(key), value)
            else:
                self.parts.setdefault(key, []).append(value)

    def read(self, number: int, name: str) -> npt.NDArray[np.float32]:
        """Every member of a variable `[member, month, ...]`."""
        key = (self.names[number], name)
        if len(self.parts[key]) > 1:
            self.parts[key] = [np.concatenate(self.parts[key])]
        return self.parts[key][0]

    def summary(self, number: int, name: str, shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
        del shape  # the members have it
        return _summary(self.read(number, name), self.read(0, name))

    def flows(self, number: int) -> dict[str, FloatArray]:
        return {flow: self.sums[self.names[number], flow] for flow in FLOWS}


def in_order(before: npt.NDArray[Any] | None, batches: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """`before` and each of `batches` [batch, ...], added one after the other: no cut of an ensemble changes a bit."""
    total = np.zeros(batches.shape[1:]) if before is None else before
    for batch in batches:
        total = total + batch
    return total


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

    Up to `EXACT` members, and where they are kept, quantiles are those of all members; beyond, members are counted (see
    `chipweir.world._streaming`), and `attrs["left_open"]` bounds the error of a quantile's rank.

    **Arguments:** `members` draws of all parameters; `seed` of their streams; `progress(share, text)` is told how far;
    `mapper` runs tasks elsewhere; `keep_members` keeps every member (dim `member`) beside the quantiles; `chunk` members
    make a task (default: what keeps all cores of this machine busy).
    **Raises:** `InputError` for scenarios of unlike periods or names that stand twice, or no members.
    """
    from chipweir.world._streaming import Counted, stream

    _check(scenarios)
    tell = progress or (lambda share, text: None)
    if members > EXACT and not keep_members:
        return _dataset(scenarios, Counted(stream(scenarios, facts, members, seed, tell, mapper)), members)
    work = tasks(scenarios, facts, members, seed, chunk)
    tell(0.0, "compiling")
    kept = _Kept([scenario.name for scenario in scenarios], members)
    for done, (task, part) in enumerate(zip(work, mapper(run_task, work), strict=True), 1):
        kept.add(task.scenario, part)
        tell(done / len(work), task.scenario)
    return _dataset(scenarios, kept, members, keep_members)


def _check(scenarios: Sequence["Scenario"]) -> None:
    if not scenarios:
        raise InputError("no scenario to run")
    names = [scenario.name for scenario in scenarios]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"scenario '{twice[0]}' stands twice")
    if len({(scenario.start, scenario.end) for scenario in scenarios}) > 1:
        raise InputError("scenarios of one run must cover the same months")


def coordinates() -> dict[str, Sequence[str]]:
    """Labels of every dimension of the results but scenario, quantile and month."""
    names = labels()
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
    }


class Source(Protocol):
    """Where the summaries of an ensemble come from; scenarios by number. `left_open` is the largest share of members between
    a quantile's neighbours, zero where all members were there to be sorted."""

    left_open: float

    def read(self, number: int, name: str) -> npt.NDArray[np.float32]:
        """Every member `[member, month, ...]`."""

    def summary(self, number: int, name: str, shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Quantiles and those of the differences to the first scenario `[level, month, ...]`, and the probability of a
        rise `[month, ...]`."""

    def flows(self, number: int) -> Mapping[str, FloatArray]:
        """Flows summed over members."""


def _dataset(scenarios: Sequence["Scenario"], source: Source, members: int, keep_members: bool = False) -> xr.Dataset:
    names = [scenario.name for scenario in scenarios]
    first, numbers = names[0], range(len(names))
    months = scenarios[0].months.astype("datetime64[ns]")
    coords: dict[str, Any] = {"scenario": names, "quantile": list(QUANTILES), "month": months, **coordinates()}
    data: dict[str, Any] = {}
    for row in variables():
        name, dims = row["name"], tuple(row["dims"].split())
        attrs = {"units": row["unit"], "long_name": row["long_name"], "kind": row["kind"]}
        shape = ("scenario", "quantile", "month", *dims)
        sizes = (len(months), *(len(coords[dim]) for dim in dims))
        summaries = [source.summary(number, name, sizes) for number in numbers]
        levels, deltas, greater = (np.stack(parts) for parts in zip(*summaries, strict=True))
        data[name] = (shape, levels, attrs)
        data[f"delta_{name}"] = (shape, deltas, {**attrs, "long_name": f"{row['long_name']}, against {first}"})
        probability = {"units": "1", "long_name": f"Probability above {first}: {row['long_name']}"}
        data[f"p_greater_{name}"] = (("scenario", "month", *dims), greater, probability)
        if keep_members:
            every = np.stack([source.read(number, name) for number in numbers])
            data[f"member_{name}"] = (("scenario", "member", "month", *dims), every, attrs)
    flow, flow_coords = _flows([source.flows(number) for number in numbers], members, months)
    return xr.Dataset(
        {**data, "flow": flow},
        {name: list(labelled) for name, labelled in {**coords, **flow_coords}.items()},
        {"members": members, "baseline": first, "left_open": source.left_open},
    )


def _summary(values: FloatArray, base: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Quantiles of `values` and of their differences to `base` `[level, month, ...]`, and the probability of a rise.

    Months are taken in blocks, so that the memory it takes does not grow with the ensemble.
    """
    months = max(int(_BLOCK // max(values[:, :1].size, 1)), 1)
    parts = []
    for start in range(0, values.shape[1], months):
        block = np.asarray(values[:, start : start + months])
        change = block - np.asarray(base[:, start : start + months])
        known = np.count_nonzero(~np.isnan(change), axis=0)
        rise = np.count_nonzero(change > 0, axis=0) + 0.5 * np.count_nonzero(change == 0, axis=0)
        rise = np.where(known > 0, rise / np.maximum(known, 1), np.nan)
        parts.append((quantiles(block), quantiles(change), rise))
    levels, deltas, greater = zip(*parts, strict=True)
    return np.concatenate(levels, 1), np.concatenate(deltas, 1), np.concatenate(greater, 0)


def _flows(
    sums: Sequence[Mapping[str, FloatArray]], members: int, months: npt.NDArray[np.datetime64]
) -> tuple[tuple[tuple[str, ...], FloatArray, dict[str, str]], dict[str, Any]]:
    """Mean yearly units by product, channel and the region that uses them."""
    axis = labels()
    channels = (
        "direct",
        "licensed",
        "domestic",
        *(f"smuggled_{h}" for h in axis.hubs),
        *(f"rental_{h}" for h in axis.hubs),
    )
    china = axis.regions.index("CHN")
    chinese = {row["line"] for row in table("lines") if row["country"] == "CN"}
    domestic = np.array([row["line"] in chinese for row in table("products")])
    stacked = []
    for own in sums:
        direct, smuggled, rented = (own[flow] / members for flow in FLOWS)
        years = direct.shape[0]
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
