"""What moves a number: every parameter a standard deviation up and down, every cell of the tables a twentieth up.

All pushes are members of one ensemble at the median of all parameters, so that they need no other compiled program than
the ensemble's own. Elasticities of cells and those of cells by facts (`facts.Derived.slopes`) multiply to elasticities by
facts: d ln outcome / d ln fact = sum over cells of d ln outcome / d ln cell x d ln cell / d ln fact.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir.world._assemble import assemble, labels
from chipweir.world._ensemble import Task, run_task
from chipweir.world._nudges import PRODUCT_KINDS, SERIES, bump, no_nudges
from chipweir.world._parameters import central, parameters
from chipweir.world._products import own_products
from chipweir.world._tables import Cell, cells


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world._scenario import Scenario

FloatArray = npt.NDArray[np.float64]
CellKey = tuple[str, ...]
Reader = Callable[[Mapping[str, npt.NDArray[Any]]], FloatArray]

# Log by which a cell is pushed.
_PUSH = float(np.log(1.05))
# Column of products.csv that each kind of nudge stands for; worth and power come from the chip's datasheet instead.
_COLUMNS = {"price": "price", "stacks": "stacks", "dies": "dies", "area": "area_mm2"}
# Vectors of parameters that are pushed as one (a belief's whole path) or number by number.
_WHOLE, _SINGLY = "belief_", ("worth_factors",)
_NOT_PUSHED = ("worth_own", "event_happens", "event_when")


@dataclass(frozen=True)
class Number:
    """A number to be traced: a variable, its labels in the order of its dimensions as places, and a month as its place."""

    variable: str
    place: tuple[int, ...]
    month: int


@dataclass(frozen=True)
class Pushed:
    """What pushes do to numbers, in the order of the numbers asked for.

    - `value` [number] at the median of all parameters.
    - `parameters`: name to (down, up) [2, number], the numbers at a standard deviation below and above.
    - `cells`: elasticity d ln number / d ln cell [number], by the cell's key; `worth` by product for what a chip can do.
    """

    value: FloatArray
    parameters: Mapping[str, FloatArray]
    cells: Mapping[CellKey, FloatArray]
    worth: Mapping[str, FloatArray]


@dataclass(frozen=True)
class _Push:
    kind: str
    key: CellKey
    changes: Mapping[str, Any]


def push(scenario: "Scenario", facts: "Facts", numbers: Sequence[Number] | Reader) -> Pushed:
    """Push every parameter and every cell of one scenario and read the numbers off, or let a function of the members'
    outputs read them `[member, number]`."""
    extra = own_products(facts, [scenario])
    inputs = assemble(scenario, facts, extra)
    found = cells(facts, extra)
    names = labels(extra)
    pushes = [_Push("base", (), {}), *_parameters(), *_cells(scenario, found, names.lines, names.products)]
    outcomes = _run(Task(scenario.name, 0, inputs, _members(pushes, inputs)), numbers)
    value = outcomes[0]
    moved: dict[str, list[FloatArray]] = {}
    by_cell: dict[CellKey, FloatArray] = {}
    worth: dict[str, FloatArray] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where((outcomes > 0) & (value > 0), np.log(outcomes / value), (outcomes - value) / np.abs(value))
    for each, outcome, log in zip(pushes, outcomes, logs, strict=True):
        if each.kind == "parameter":
            moved.setdefault(each.key[0], []).append(outcome)
        elif each.kind == "cell":
            by_cell[each.key] = np.nan_to_num(log) / _PUSH
        elif each.kind in ("worth", "power"):
            worth[f"{each.key[0]} {each.kind}"] = np.nan_to_num(log) / _PUSH
    return Pushed(value, {name: np.stack(pair) for name, pair in moved.items()}, by_cell, worth)


def by_fact(pushed: Pushed, found: Mapping[CellKey, Cell]) -> dict[str, FloatArray]:
    """Elasticity of the numbers by every fact that a pushed cell rests on, [number]."""
    total: dict[str, FloatArray] = {}
    for key, elasticity in pushed.cells.items():
        derived = found[key].derived
        for term, slope in zip(derived.terms, derived.slopes, strict=True):
            if term.kind != "prior":
                total[term.name] = total.get(term.name, np.zeros_like(elasticity)) + slope * elasticity
    return total


def _run(task: Task, numbers: Sequence[Number] | Reader) -> FloatArray:
    """The numbers of every member, [member, number]."""
    kept = run_task(task)
    if callable(numbers):
        return numbers(kept)
    places: list[Any] = [(slice(None), n.month, *n.place) for n in numbers]
    return np.stack([kept[n.variable][at].astype(float) for n, at in zip(numbers, places, strict=True)], axis=1)


def _parameters() -> Iterator[_Push]:
    for name, parameter in parameters().items():
        if name in _NOT_PUSHED:
            continue
        places: Sequence[int | None] = range(parameter.count) if name in _SINGLY else [None]
        for place in places:
            key = name if place is None else f"{name}/{place}"
            for score in (-1.0, 1.0):
                yield _Push("parameter", (key,), {"parameter": (name, place, float(parameter.at(np.asarray(score))))})


def _cells(
    scenario: "Scenario", found: Mapping[CellKey, Cell], lines: Sequence[str], products: Sequence[str]
) -> Iterator[_Push]:
    order = {name: i for i, name in enumerate((*SERIES, *(line for line in lines)))}
    rows: dict[str, list[str]] = {}
    for key in found:
        if key[0] == "series":
            rows.setdefault(key[1], []).append(key[2])
    for series, months in rows.items():
        at = np.sort(np.array(months, dtype="datetime64[M]"))
        place = order[series] if series in lines else order[series.replace("-", "_")]
        for row, month in enumerate(at.astype(str)):
            yield _Push(
                "cell", ("series", series, str(month), "value"), {"series": (place, bump(at, row, scenario.months))}
            )
    for k, product in enumerate(products):
        for i, kind in enumerate(PRODUCT_KINDS):
            if kind in _COLUMNS:
                yield _Push("cell", ("products", product, _COLUMNS[kind]), {"product": (i, k)})
            else:
                yield _Push(kind, (product,), {"product": (i, k)})


def _members(pushes: Sequence[_Push], inputs: Any) -> dict[str, Any]:
    """One member a push, at the median of everything else."""
    count = len(pushes)
    months, lines = np.shape(inputs.lines.central)
    drawn = {name: np.repeat(np.asarray(value)[None], count, axis=0) for name, value in central().items()}
    nudges = no_nudges(count, months, lines, len(inputs.products.uses.power))
    for member, each in enumerate(pushes):
        if "parameter" in each.changes:
            name, place, value = each.changes["parameter"]
            drawn[name][member if place is None else (member, place)] = value
        elif "series" in each.changes:
            place, shape = each.changes["series"]
            nudges["nudge_series"][member, place] = _PUSH * shape
        elif "product" in each.changes:
            nudges["nudge_products"][(member, *each.changes["product"])] = _PUSH
    return {**drawn, **nudges}
