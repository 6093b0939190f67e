"""Ensembles of any size: blocks of members are simulated in all scenarios, counted, and forgotten.

Memory and disk do not grow with the ensemble. A first few members, the pilot, set what the others are counted against
(`chipweir.world._tally`); differences between scenarios are taken within members before they are counted.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from chipweir.world import _ensemble
from chipweir.world._assemble import assemble
from chipweir.world._parameters import draw, draw_blocks
from chipweir.world._products import own_products
from chipweir.world._reported import QUANTILES, Reported, calendar_years, changes, reported, taken
from chipweir.world._state import Inputs
from chipweir.world._tally import PILOT, Tally, edges_of, quantiles_of, tally


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world._scenario import Scenario

Arrays = dict[str, npt.NDArray[Any]]
Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

# Members of one task, and how many of them are held in memory at a time.
BLOCK, HELD = 2048, 256
_LEAST, _MOST, _DONE = "least", "most", "done"


@runtime_checkable
class Keeper(Protocol):
    """A mapper that can also keep a state, so that a stopped ensemble goes on; its `map` keeps nothing."""

    map: Mapper

    def load(self) -> Mapping[str, npt.NDArray[Any]] | None:
        """The state kept by a stopped call."""

    def save(self, state: Callable[[], Mapping[str, npt.NDArray[Any]]], last: bool = False) -> None:
        """Keep a state, if it is time to."""


@dataclass(frozen=True)
class Block:
    """A range of members of all scenarios: arrays only, so that it can travel. `edges` by scenario's number and variable."""

    SHARED: ClassVar[tuple[str, ...]] = ("inputs", "edges")

    first: int
    parameters: Mapping[str, npt.NDArray[np.float64]]
    inputs: tuple[Inputs, ...]
    edges: Mapping[str, npt.NDArray[np.floating[Any]]]


def stream(
    scenarios: Sequence["Scenario"],
    facts: "Facts",
    members: int,
    seed: int,
    tell: Callable[[float, str], None],
    mapper: Mapper,
) -> Arrays:
    """Counts of all members, by `NUMBER/VARIABLE/WHAT`, with the edges they were counted against (`.../edges`)."""
    keeper = mapper if isinstance(mapper, Keeper) else None
    plain = keeper.map if keeper else mapper
    state: Arrays = dict(keeper.load() or {}) if keeper else {}
    inputs = tuple(assemble(scenario, facts, own_products(facts, scenarios)) for scenario in scenarios)
    if not state:
        tell(0.0, "pilot")
        state = {f"{name}/edges": edges for name, edges in _pilot(inputs, seed, plain).items()}
        state[_DONE] = np.array(0)
    edges = {name.removesuffix("/edges"): array for name, array in state.items() if name.endswith("/edges")}
    done, count = int(state[_DONE]), -(-members // BLOCK)

    def blocks() -> Iterator[Block]:
        for number, parameters in enumerate(draw_blocks(members, seed, BLOCK)):
            if number >= done:
                yield Block(number * BLOCK, parameters, inputs, edges)

    try:
        for number, counted in enumerate(plain(count_block, blocks()), done + 1):
            for name, array in counted.items():
                state[name] = _joined(name, state.get(name), array)
            state[_DONE] = np.array(number)
            tell(number / count, "counting")
            if keeper:
                keeper.save(lambda: state)
    except BaseException:
        if keeper and int(state[_DONE]):
            keeper.save(lambda: state, last=True)
        raise
    return state


def _pilot(inputs: Sequence[Inputs], seed: int, mapper: Mapper) -> Arrays:
    """Edges of every variable and of its difference to the first scenario, by `NUMBER/VARIABLE`."""
    drawn = draw(PILOT, seed)
    edges: Arrays = {}
    base: Arrays = {}
    for number, each in enumerate(inputs):
        work = _ensemble.cut(f"pilot-{number}", each, drawn)
        parts = list(mapper(_ensemble.run_task, work))
        years = _years(each)
        for series in reported():
            name = series.name
            values = taken(series, np.concatenate([part[series.source] for part in parts]), years).reshape(PILOT, -1)
            edges[f"{number}/{name}"] = edges_of(values, QUANTILES)
            if number:
                edges[f"{number}/delta_{name}"] = edges_of(values - base[name], QUANTILES)
            else:
                base[name] = values
    _ensemble.give_back()
    return edges


def count_block(block: Block) -> Arrays:
    """Counts of one block, as `stream` sums them; flows stay apart by batch, so that they add up in one order."""
    counted: Arrays = {}
    flows: dict[str, list[npt.NDArray[Any]]] = {}
    size = len(next(iter(block.parameters.values())))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for start in range(0, size, HELD):
            own = {name: values[start : start + HELD] for name, values in block.parameters.items()}
            kept = [_ensemble.run_task(_ensemble.Task("", start, inputs, own)) for inputs in block.inputs]
            for key, array in _counted(kept, block, pool).items():
                counted[key] = _joined(key, counted.get(key), array)
            for key, array in _flows(kept).items():
                flows.setdefault(key, []).append(array)
            del kept
            _ensemble.give_back()
    counted |= {key: np.concatenate(batches) for key, batches in flows.items()}
    small = np.uint16 if size < 2**16 else np.uint32  # half the way for what has to travel
    return {key: array.astype(small) if array.dtype == np.uint32 else array for key, array in counted.items()}


def _counted(kept: Sequence[Arrays], block: Block, pool: ThreadPoolExecutor) -> Arrays:
    """Counts of the members of all scenarios that are held."""
    years = _years(block.inputs[0])

    def count(series: Reported) -> Arrays:
        return _counts(series.name, [taken(series, part[series.source], years) for part in kept], block.edges)

    return {key: array for found in pool.map(count, reported()) for key, array in found.items()}


def _flows(kept: Sequence[Arrays]) -> Arrays:
    """Flows of each scenario `[batch, ...]`."""
    return {f"{number}/{flow}": part[flow] for number, part in enumerate(kept) for flow in _ensemble.FLOWS}


def _counts(name: str, values: Sequence[npt.NDArray[Any]], edges: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Tallies of one variable `[member, ...]` in each scenario, and of its differences to the first."""
    counted: Arrays = {}
    flat = [each.reshape(len(each), -1) for each in values]
    for number, each in enumerate(flat):
        _put(counted, f"{number}/{name}", tally(each, edges[f"{number}/{name}"]))
        if number:
            change = each - flat[0]
            _put(counted, f"{number}/delta_{name}", tally(change, edges[f"{number}/delta_{name}"]))
            above, equal = changes(each, flat[0])
            counted |= {f"{number}/delta_{name}/above": above, f"{number}/delta_{name}/equal": equal}
    return counted


def _put(counted: Arrays, key: str, found: Tally) -> None:
    counted |= {f"{key}/{field}": array for field, array in found.arrays().items()}


def _joined(key: str, before: npt.NDArray[Any] | None, more: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What two blocks say together."""
    field = key.rsplit("/", 1)[1]
    if field in _ensemble.FLOWS:
        return _ensemble.in_order(before, more)
    if before is None:
        return more.astype(np.uint32) if more.dtype == np.uint16 else more
    if field in (_LEAST, _MOST):
        extreme: npt.NDArray[Any] = np.fmin(before, more) if field == _LEAST else np.fmax(before, more)
        return extreme
    total: npt.NDArray[Any] = before + more
    return total


class Counted:
    """Summaries of what `stream` counted: an `_ensemble.Source` that holds no member."""

    def __init__(self, state: Arrays) -> None:
        self.state, self.left_open = state, 0.0

    def summary(self, number: int, series: Reported, shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
        """Quantiles of a variable and of its difference `[level, *shape]`, and the probability of a rise `[*shape]`."""
        name = series.name
        levels = self._quantiles(f"{number}/{name}")
        if not number:
            zero = np.where(np.isnan(levels), np.nan, 0.0)
            change, above = zero, np.where(np.isnan(levels[0]), np.nan, 0.5)
        else:
            key = f"{number}/delta_{name}"
            change = self._quantiles(key)
            known = self.state[f"{key}/known"]
            above = (self.state[f"{key}/above"] + 0.5 * self.state[f"{key}/equal"]) / np.maximum(known, 1)
            above = np.where(known > 0, above, np.nan)
        return levels.reshape(-1, *shape), change.reshape(-1, *shape), above.reshape(shape)

    def _quantiles(self, key: str) -> npt.NDArray[np.floating[Any]]:
        found = Tally(**{field: self.state[f"{key}/{field}"] for field in Tally.__dataclass_fields__})
        levels, left_open = quantiles_of(found, self.state[f"{key}/edges"], QUANTILES)
        if not np.isnan(left_open).all():
            self.left_open = max(self.left_open, float(np.nanmax(left_open)))
        return levels

    def flows(self, number: int) -> Arrays:
        """Flows of a scenario, summed over members."""
        return {flow: self.state[f"{number}/{flow}"] for flow in _ensemble.FLOWS}


def _years(inputs: Inputs) -> npt.NDArray[np.int_]:
    return calendar_years(float(inputs.first_month), len(inputs.months.calendar.index))
