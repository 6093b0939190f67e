"""Ensembles: many draws of every parameter through the same compiled simulation, labelled again at the end.

Members are cut into chunks that fit the cache; each chunk is an independent task, so that a pool, a cluster or a stopped
call can take them in any order. Quantiles are taken over members, differences and ratios within a member.
"""

import ctypes
import gc
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import jax
import numpy as np
import numpy.typing as npt
import xarray as xr

from chipweir.errors import InputError
from chipweir.world._assemble import assemble, labels
from chipweir.world._nudges import with_nudges
from chipweir.world._outputs import by_year, member_outputs
from chipweir.world._parameters import beliefs, believing, draw, members_of, told_beliefs
from chipweir.world._posterior import description, mismatch, posterior_of
from chipweir.world._products import own_products, product_rows
from chipweir.world._reported import (
    QUANTILES,
    FloatArray,
    Reported,
    calendar_years,
    coordinates,
    reported,
    summary,
    taken,
)
from chipweir.world._simulate import simulate
from chipweir.world._state import Inputs
from chipweir.world._tables import Extra, table


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world._scenario import Scenario

Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
Progress = Callable[[float, str], None]

# Members that one thread simulates at a time: their monthly working set stays in the second-level cache.
_BATCH = 64
# Members up to which all are held in memory; more are counted, so that memory does not grow with the ensemble.
EXACT = 2000
FLOWS = ("flow_direct", "flow_smuggled", "flow_rented")
# Threads that meet a new program at once would each compile it, in twice the time and memory: one does, the others wait.
_COMPILING, _MET = Lock(), set[Any]()


@dataclass(frozen=True)
class Task:
    """A range of members of one scenario: arrays only, so that it can travel; many share the same `inputs`."""

    SHARED: ClassVar[tuple[str, ...]] = ("inputs",)

    scenario: str
    first: int
    inputs: Inputs
    parameters: Mapping[str, npt.NDArray[np.float64]]


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


def _simulated(inputs: Inputs, parameters: Any, weight: Any) -> dict[str, Any]:
    """What `compiled` makes of one batch; arrays of new shapes are compiled for by one thread."""
    leaves, tree = jax.tree.flatten((inputs, parameters))
    program = (tree, *(np.shape(leaf) for leaf in leaves))
    if program in _MET:
        return compiled()(inputs, parameters, weight)  # type: ignore[no-any-return]
    with _COMPILING:
        made = compiled()(inputs, parameters, weight)
        if program not in _MET:
            _MET.add(program)
            give_back()
    return made  # type: ignore[no-any-return]


def give_back() -> None:
    """Return freed memory to the system where its C library can: compiling leaves more than half of what a process has."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


@cache
def compiler_options() -> dict[str, Any]:
    """What the compiler is told where it knows the words.

    Its library of fused sums is slow for a month's small arrays, their inner loops fill the widest registers there are, and
    batches, not the products of their matrices, share the cores.
    """
    options = {
        "xla_cpu_experimental_ynn_fusion_type": "",
        "xla_cpu_prefer_vector_width": 512,
        "xla_cpu_multi_thread_eigen": False,
    }
    return {name: value for name, value in options.items() if _knows(name, value)}


def _knows(option: str, value: Any) -> bool:
    """Whether the compiler that is installed takes an option."""
    try:
        jax.jit(lambda x: x.sum(0), compiler_options={option: value})(jax.numpy.ones((2, 2)))
    except Exception:
        return False
    return True


def run_task(task: Task) -> dict[str, npt.NDArray[np.float32]]:
    """Simulate the members of one task on this machine's cores; flows are summed over each batch of them: `[batch, ...]`.

    Every batch is of one size, the last one filled up: one program is compiled for ensembles of all sizes, and it rounds a
    member's numbers alike in all of them, so that a shorter ensemble is the beginning of a longer one.
    """
    count = len(next(iter(task.parameters.values())))
    starts = range(0, count, _BATCH)

    def one(start: int) -> dict[str, npt.NDArray[np.float32]]:
        rows = np.arange(start, start + _BATCH)
        real = rows < count
        chosen = {name: values[np.minimum(rows, count - 1)] for name, values in task.parameters.items()}
        chosen = with_nudges(chosen, task.inputs)
        kept = _simulated(task.inputs, chosen, real.astype(float))
        return {name: np.asarray(value) if name in FLOWS else np.asarray(value)[real] for name, value in kept.items()}

    with ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1)) as pool:
        parts = list(pool.map(one, starts)) if len(starts) > 1 else [one(0)]
    join = {name: np.stack if name in FLOWS else np.concatenate for name in parts[0]}
    return {name: join[name]([part[name] for part in parts]) for name in parts[0]}


def tasks(
    scenarios: Sequence["Scenario"], facts: "Facts", members: int, seed: int, chunk: int | None = None
) -> list[Task]:
    """The ensemble cut into independent tasks, scenario by scenario."""
    drawn, extra = draw(members, seed), own_products(facts, scenarios)
    assembled = ((scenario.name, assemble(scenario, facts, extra)) for scenario in scenarios)
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
    count, times = len(scenarios), {"month": len(scenarios[0].months), "year": len(_years(scenarios[0].months))}
    cells = sum(times[series.axis] * math.prod(sizes[dim] for dim in series.dims) for series in reported())
    results = count * cells * 8 * (2 * len(QUANTILES) + 1)
    if members <= EXACT:
        return 2 * results + count * members * cells * 4
    return 2 * results + 2 * (2 * count - 1) * cells * 12 * len(QUANTILES) * EDGES


class _Kept:
    """Outputs of the scenarios by variable, all members in order; `years` the calendar year of each month."""

    left_open = 0.0

    def __init__(self, names: Sequence[str], years: npt.NDArray[np.int_]) -> None:
        self.names, self.years = names, years
        self.parts: dict[tuple[str, str], list[npt.NDArray[np.float32]]] = {}
        self.sums: dict[tuple[str, str], npt.NDArray[np.float64]] = {}

    def add(self, scenario: str, kept: Mapping[str, npt.NDArray[np.float32]]) -> None:
        for name, value in kept.items():
            key = (scenario, name)
            if name in FLOWS:
                self.sums[key] = in_order(self.sums.get(key), value)
            else:
                self.parts.setdefault(key, []).append(value)

    def read(self, number: int, series: Reported) -> FloatArray:
        """Every member of a variable `[member, time, ...]`."""
        key = (self.names[number], series.source)
        if len(self.parts[key]) > 1:
            self.parts[key] = [np.concatenate(self.parts[key])]
        return taken(series, self.parts[key][0], self.years)

    def summary(
        self, number: int, series: Reported, shape: tuple[int, ...]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        del shape  # the members have it
        return summary(self.read(number, series), self.read(0, series))

    def flows(self, number: int) -> dict[str, FloatArray]:
        return {flow: self.sums[self.names[number], flow] for flow in FLOWS}


def in_order(before: npt.NDArray[Any] | None, batches: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """`before` and each of `batches` [batch, ...], added one after the other: no cut of an ensemble changes a bit."""
    total = np.zeros(batches.shape[1:]) if before is None else before
    for batch in batches:
        total = total + batch
    return total


def run_ensemble(
    scenarios: Sequence["Scenario"],
    facts: "Facts",
    members: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
    mapper: Mapper = map,
    keep_members: bool = False,
    chunk: int | None = None,
    prior: bool = False,
) -> xr.Dataset:
    """Simulate scenarios with shared draws and return labelled quantiles and paired differences to the first.

    Up to `EXACT` members, and where they are kept, quantiles are those of all members; beyond, members are counted (see
    `chipweir.world._streaming`), and `attrs["left_open"]` bounds the error of a quantile's rank.

    **Arguments:** `members` draws of all parameters; `seed` of their streams; `progress(share, text)` is told how far;
    `mapper` runs tasks elsewhere; `keep_members` keeps every member (dim `member`) beside the quantiles; `chunk` members
    make a task (default: what keeps all cores of this machine busy); `prior` draws from the prior, not from the posterior
    shipped for these facts (see `chipweir.world.believing`); `attrs["beliefs"]` says which.
    **Raises:** `InputError` for scenarios of unlike periods or names that stand twice, or no members.
    """
    _check(scenarios)
    held = None if prior else beliefs() if told_beliefs() else posterior_of(facts)
    with believing(held):
        results = _ensemble(scenarios, facts, members, seed, progress, mapper, keep_members, chunk)
    said = () if held is None else mismatch(held, facts)
    return results.assign_attrs(beliefs=description(held), beliefs_note="; ".join(said))


def _ensemble(
    scenarios: Sequence["Scenario"],
    facts: "Facts",
    members: int,
    seed: int,
    progress: Progress | None,
    mapper: Mapper,
    keep_members: bool,
    chunk: int | None,
) -> xr.Dataset:
    from chipweir.world._streaming import Counted, stream

    extra = own_products(facts, scenarios)
    tell = progress or (lambda share, text: None)
    if members > EXACT and not keep_members:
        counted = Counted(stream(scenarios, facts, members, seed, tell, mapper))
        return _dataset(scenarios, counted, members, extra)
    work = tasks(scenarios, facts, members, seed, chunk)
    tell(0.0, "compiling")
    kept = _Kept([scenario.name for scenario in scenarios], _years_of(scenarios[0].months))
    for done, (task, part) in enumerate(zip(work, mapper(run_task, work), strict=True), 1):
        kept.add(task.scenario, part)
        tell(done / len(work), task.scenario)
    return _dataset(scenarios, kept, members, extra, kept if keep_members else None)


def _check(scenarios: Sequence["Scenario"]) -> None:
    if not scenarios:
        raise InputError("no scenario to run")
    names = [scenario.name for scenario in scenarios]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"scenario '{twice[0]}' stands twice")
    if len({(scenario.start, scenario.end) for scenario in scenarios}) > 1:
        raise InputError("scenarios of one run must cover the same months")


def _years(months: npt.NDArray[np.datetime64]) -> list[int]:
    """The calendar years that the months touch."""
    return [int(year) for year in np.unique(months.astype("datetime64[Y]").astype(int) + 1970)]


def _years_of(months: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int_]:
    first = months[0].astype("datetime64[M]")
    return calendar_years(int(first.astype(int)) % 12, len(months))


class Source(Protocol):
    """Where the summaries of an ensemble come from; scenarios by number. `left_open` is the largest share of members between
    a quantile's neighbours, zero where all members were there to be sorted."""

    left_open: float

    def summary(
        self, number: int, series: Reported, shape: tuple[int, ...]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Quantiles and those of the differences to the first scenario `[level, time, ...]`, and the probability of a
        rise `[time, ...]`."""

    def flows(self, number: int) -> Mapping[str, FloatArray]:
        """Flows summed over members."""


def _dataset(
    scenarios: Sequence["Scenario"], source: Source, members: int, extra: Extra, every: _Kept | None = None
) -> xr.Dataset:
    """The summaries, labelled; with `every`, its members beside them."""
    names = [scenario.name for scenario in scenarios]
    first, numbers = names[0], range(len(names))
    months = scenarios[0].months
    coords: dict[str, Any] = {
        "scenario": names, "quantile": list(QUANTILES), "month": months.astype("datetime64[ns]"),
        "year": _years(months), **coordinates(extra),
    }  # fmt: skip
    data: dict[str, Any] = {}
    for series in reported():
        name, title = series.name, series.title
        dims = (series.axis, *series.dims)
        sizes = tuple(len(coords[dim]) for dim in dims)
        summaries = [source.summary(number, series, sizes) for number in numbers]
        levels, deltas, greater = (np.stack(parts) for parts in zip(*summaries, strict=True))
        attrs = series.attributes
        data[name] = (("scenario", "quantile", *dims), levels, attrs)
        data[f"delta_{name}"] = (
            ("scenario", "quantile", *dims), deltas, {**attrs, "long_name": f"{title}, against {first}"},
        )  # fmt: skip
        data[f"p_greater_{name}"] = (
            ("scenario", *dims), greater, {"units": "1", "long_name": f"Probability above {first}: {title}"},
        )  # fmt: skip
        if every is not None and not series.yearly:
            held = np.stack([every.read(number, series) for number in numbers])
            data[f"member_{name}"] = (("scenario", "member", *dims), held, attrs)
    flow, channels = mean_flows([source.flows(number) for number in numbers], members, months, extra)
    return xr.Dataset(
        {**data, "flow": flow},
        {**{name: list(labelled) for name, labelled in coords.items()}, "channel": channels},
        {"members": members, "baseline": first, "left_open": source.left_open},
    )


def mean_flows(
    sums: Sequence[Mapping[str, FloatArray]], members: int, months: npt.NDArray[np.datetime64], extra: Extra = ()
) -> tuple[tuple[tuple[str, ...], FloatArray, dict[str, str]], list[str]]:
    """Mean yearly units by product, channel and the region that uses them, from sums over members; and the channels."""
    axis = labels(extra)
    years = len(_years(months))
    channels = [
        "direct", "licensed", "domestic", *(f"smuggled_{h}" for h in axis.hubs), *(f"rental_{h}" for h in axis.hubs),
    ]  # fmt: skip
    china = axis.regions.index("CHN")
    chinese = {row["line"] for row in table("lines") if row["country"] == "CN"}
    domestic = np.array([row["line"] in chinese for row in product_rows(extra)])
    stacked = []
    for own in sums:
        direct, smuggled, rented = (own[flow][:years] / members for flow in FLOWS)
        out = np.zeros((years, len(axis.products), len(axis.regions), len(channels)), dtype=np.float32)
        out[..., 0] = direct.transpose(0, 2, 1)
        out[:, :, china, 0] = 0
        out[:, :, china, 1] = direct[:, china] * ~domestic
        out[:, :, china, 2] = direct[:, china] * domestic
        hubs = len(axis.hubs)
        out[:, :, china, 3 : 3 + hubs] = smuggled
        out[:, :, china, 3 + hubs :] = rented
        stacked.append(out)
    attrs = {"units": "units/year", "long_name": "Mean yearly sales by product, channel and user"}
    return (("scenario", "year", "product", "region", "channel"), np.stack(stacked), attrs), channels
