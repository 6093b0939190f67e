"""Cells: one scenario of the world over many draws, kept member by member and year by year in the store of runs.

All cells of a call share their draws, so that options meet the same futures. A cell is a run like any other (manifest,
checksums) in the folder `cells` beside the users' runs; asked for again it is read, not simulated.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError, UnknownName


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.facts import Facts
    from chipweir.store import Mapper
    from chipweir.world import Scenario

Progress = Callable[[float, str], None]

FOLDER = "cells"
# Members a second and core where no cell tells better; measured with the first world (docs/strategy.md).
MEMBERS_PER_SECOND_AND_CORE = 90.0
_YEAR_END = ("stock", "ratio")
_ROOMS = ("facts", "rules", "perf", "supply", "market", "world")
# Part of a cell's identity: what is kept of a simulation, below.
_KEPT = "members by year 2"
_DESIGN_CHUNK = 256


@dataclass(frozen=True)
class Plan:
    """What a call would have to simulate: distinct worlds, those already stored, and seconds for the rest."""

    worlds: int
    stored: int
    members: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Design:
    """Parameters chosen rather than drawn, `{name: [M]}`, and a name that tells them from other designs."""

    name: str
    parameters: Mapping[str, npt.NDArray[np.float64]]


class Cells:
    """The cells of one call: scenarios by digest, simulated or read when `run` is called."""

    def __init__(
        self,
        scenarios: Sequence["Scenario"],
        facts: "Facts",
        members: int,
        seed: int,
        directory: Path,
        design: Design | None = None,
    ) -> None:
        if members < 1:
            raise InputError(f"members must be at least 1, not {members}")
        self.facts, self.members, self.seed, self.design = facts, members, seed, design
        self.directory = directory / FOLDER
        named = {each.digest: each.model_copy(update=_plain(each)) for each in scenarios}
        self.scenarios: Mapping[str, Scenario] = named

    @property
    def plan(self) -> Plan:
        """What is to be done, before it is done."""
        stored = sum(self._stored(digest) is not None for digest in self.scenarios)
        missing = len(self.scenarios) - stored
        return Plan(len(self.scenarios), stored, self.members, round(missing * self.members / self._speed(), 1))

    def run(self, mapper: "Mapper" = map, progress: Progress | None = None) -> dict[str, "Members"]:
        """Every cell by its scenario's digest: its members by year. What is finished is stored at once."""
        found: dict[str, Members] = {}
        missing = []
        for digest, scenario in self.scenarios.items():
            stored = self._stored(digest)
            if stored is None:
                missing.append(scenario)
            else:
                found[digest] = _unpack(stored.results)
        if missing:
            by_name = {scenario.name: digest for digest, scenario in self.scenarios.items()}
            work = self._tasks(missing)
            counts = {name: sum(task.scenario == name for task in work) for name in by_name}
            parts: dict[str, list[Any]] = {}
            started = time.monotonic()
            for done, (task, part) in enumerate(zip(work, mapper(run_yearly, work), strict=True), 1):
                mine = parts.setdefault(task.scenario, [])
                mine.append(part)
                if progress is not None:
                    progress(done / len(work), task.scenario)
                if len(mine) == counts[task.scenario]:
                    digest = by_name[task.scenario]
                    now = time.monotonic()
                    found[digest] = self._keep(digest, parts.pop(task.scenario), now - started)
                    started = now
        return found

    def _tasks(self, scenarios: Sequence["Scenario"]) -> list[Any]:
        from chipweir.world import Task, assemble, members_of, own_products, tasks

        if self.design is None:
            return tasks(scenarios, self.facts, self.members, self.seed)
        extra = own_products(self.facts, scenarios)
        return [
            Task(each.name, start, inputs, members_of(self.design.parameters, slice(start, start + _DESIGN_CHUNK)))
            for each, inputs in ((each, assemble(each, self.facts, extra)) for each in scenarios)
            for start in range(0, self.members, _DESIGN_CHUNK)
        ]

    def _made(self, digest: str) -> dict[str, Any]:
        code = _manifest(self.facts.digest, self.members, self.seed, "" if self.design is None else self.design.name)
        return {**code, "scenarios": [self.scenarios[digest].model_dump()], "command": list(store_command())}

    def _stored(self, digest: str) -> Any:
        from chipweir import store

        return store.find_identity(store.identity(self._made(digest)), self.directory)

    def _keep(self, digest: str, parts: Sequence[Mapping[str, npt.NDArray[Any]]], elapsed: float) -> "Members":
        from chipweir import store

        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        results = _pack(whole, self.scenarios[digest])
        made = {**self._made(digest), "holds": _KEPT, "elapsed_s": round(elapsed, 2)}
        store.write_run(self.directory, results, made)
        return _unpack(results)

    def _speed(self) -> float:
        """Members a second: the median of the last stored cells on this machine, else our own measurement."""
        import os
        from statistics import median

        from chipweir import store

        runs, _damaged = store.list_runs(self.directory)
        times = [(each.manifest["members"], each.manifest.get("elapsed_s", 0.0)) for each in runs[-8:]]
        if sum(seconds for _members, seconds in times) > 1:
            return float(median(members / seconds for members, seconds in times if seconds > 0))
        return MEMBERS_PER_SECOND_AND_CORE * (os.cpu_count() or 1)


def store_command() -> Sequence[str]:
    """The command line of this process, for the manifest."""
    import sys

    return ["chipweir", *sys.argv[1:]]


def _plain(scenario: "Scenario") -> dict[str, Any]:
    """What makes equal worlds equal cells, whatever options called them."""
    return {"name": f"cell-{scenario.digest[:16]}", "title": scenario.title or scenario.name}


@cache
def _manifest(facts_digest: str, members: int, seed: int, design: str) -> dict[str, Any]:
    """What cells of one ensemble have in common. Their code is that of the rooms that make the numbers: a new figure or
    sentence does not undo an hour of simulation."""
    from chipweir import store

    made = store.manifest((), facts_digest, store.code_digest("chipweir.rules"), members, seed, ())
    digests = "".join(store.code_digest(f"chipweir.{room}") for room in _ROOMS)
    return {**made, "code_digest": sha256(f"{digests}{_KEPT}{design}".encode()).hexdigest()}


@cache
def _kinds() -> Mapping[str, tuple[tuple[str, ...], str, str]]:
    """Dims, kind and unit of every monthly variable; those by product, half a thousand columns, stay in the users' runs."""
    from chipweir.world import variables

    return {
        row["name"]: (tuple(row["dims"].split()), row["kind"], row["unit"])
        for row in variables()
        if row["axis"] in ("", "month")
    }


def run_yearly(task: Any) -> dict[str, npt.NDArray[np.float32]]:
    """The members of one task `[member, year, ...]`: stocks and ratios at each year's end, flows as the year's mean.

    Reduced where it is computed, so that a worker of a cluster sends a twelfth of the months.
    """
    from chipweir.world import run_task

    kept = run_task(task)
    return {name: yearly(kept[name], kind) for name, (_dims, kind, _unit) in _kinds().items() if name in kept}


def yearly(values: npt.NDArray[Any], kind: str) -> npt.NDArray[np.float32]:
    """`[member, month, ...]` from a January on as `[member, year, ...]`; months of an unfinished last year are dropped."""
    years = values.shape[1] // 12
    split = values[:, : 12 * years].reshape(values.shape[0], years, 12, *values.shape[2:])
    reduced = split[:, :, -1] if kind in _YEAR_END else split.mean(axis=2)
    return np.ascontiguousarray(reduced, dtype=np.float32)


@dataclass(frozen=True)
class Members:
    """A cell's numbers by member and year: `values` [M, Y, columns], columns named `variable` or `variable|label|...`."""

    values: npt.NDArray[np.float32]
    years: tuple[int, ...]
    columns: Mapping[str, int]

    def get(self, variable: str, **labels: str) -> npt.NDArray[np.float64]:
        """One quantity `[M, Y]`. Raises `UnknownName` for a variable or label the world does not report."""
        dims = _dims(variable)
        unknown = [name for name in labels if name not in dims]
        if unknown:
            raise UnknownName(f"dimension of {variable}", unknown[0], dims)
        for dim in dims:
            if dim not in labels:
                raise InputError(f"{variable} needs a {dim}: one of {', '.join(labels_of(dim))}")
            if labels[dim] not in labels_of(dim):
                raise UnknownName(dim, labels[dim], labels_of(dim))
        name = "|".join((variable, *(labels[dim] for dim in dims)))
        found: npt.NDArray[np.float64] = self.values[:, :, self.columns[name]].astype(float)
        return found

    def at(self, year: int, variable: str, **labels: str) -> npt.NDArray[np.float64]:
        """One quantity in one year `[M]`. Raises `InputError` for a year outside the run."""
        if year not in self.years:
            raise InputError(f"the worlds run from {self.years[0]} to {self.years[-1]}; {year} is outside")
        return self.get(variable, **labels)[:, self.years.index(year)]

    def from_year(self, first: int, last: int, variable: str, **labels: str) -> npt.NDArray[np.float64]:
        """One quantity over the years `first` to `last`, `[M, Y]`."""
        chosen = [self.years.index(year) for year in range(first, last + 1) if year in self.years]
        if len(chosen) != last - first + 1:
            raise InputError(f"the worlds run from {self.years[0]} to {self.years[-1]}, not {first} to {last}")
        return self.get(variable, **labels)[:, chosen]


def _dims(variable: str) -> tuple[str, ...]:
    if variable not in _kinds():
        from chipweir.world import variables

        if any(row["name"] == variable for row in variables()):
            raise InputError(
                f"{variable} is known by product and kept in runs alone; see chipweir runs export {variable}"
            )
        raise UnknownName("variable", variable, _kinds())
    return _kinds()[variable][0]


def unit_of(variable: str) -> str:
    """The unit of a reported variable."""
    _dims(variable)
    return _kinds()[variable][2]


@cache
def labels_of(dim: str) -> tuple[str, ...]:
    from chipweir.world import coordinates

    return tuple(coordinates()[dim])


def _pack(whole: Mapping[str, npt.NDArray[Any]], scenario: "Scenario") -> "xr.Dataset":
    """All variables side by side in one array: reading fifty small ones from a store takes many times as long."""
    import xarray as xr

    if not scenario.start.endswith("-01"):
        raise InputError(f"{scenario.name}: options are compared by year, so scenarios start in a January")
    names, blocks = [], []
    for name, values in whole.items():
        dims = _dims(name)
        names += ["|".join((name, *labels)) for labels in product(*(labels_of(dim) for dim in dims))]
        blocks.append(values.reshape(*values.shape[:2], -1))
    packed = np.concatenate(blocks, axis=2)
    first = int(scenario.start[:4])
    coords: dict[str, Any] = {"year": list(range(first, first + packed.shape[1])), "column": names}
    return xr.Dataset({"values": (("member", "year", "column"), packed)}, coords)


def _unpack(results: "xr.Dataset") -> Members:
    columns = {str(name): place for place, name in enumerate(results["column"].values)}
    return Members(results["values"].values, tuple(int(year) for year in results["year"].values), columns)
