"""Experiments: every option in every future, measured by every criterion.

A future is a draw of everything uncertain with a choice of others; all options meet the same ones. The order along the
last axis is choice by choice, each with all draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.strategy._cells import Cells, Plan
from chipweir.strategy._futures import Draws, columns_of, draws, event_table, happens, multiplied, table, year_of
from chipweir.strategy._korea import ACCESS_CHANCE, PROCESSES, REFUSED_CHANCE, STEP_CHANCE, Case
from chipweir.strategy._options import Choice, Criteria, Criterion, Option
from chipweir.strategy._retaliation import sizes
from chipweir.strategy._stated import stated


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.store import Mapper

FloatArray = npt.NDArray[np.float64]
Progress = Callable[[float, str], None]

EVENTS: Mapping[str, float] = {
    "late_tools_score": STEP_CHANCE,
    "refused_score": REFUSED_CHANCE,
    "duty_score": STEP_CHANCE,
    "pledge_score": STEP_CHANCE,
    "retaliation_score": sizes().any_probability,
    "retaliation_large_score": sizes().large_probability,
    "memory_hit_score": next(each.probability for each in sizes().channels if each.name == "memory"),
    "access_score": ACCESS_CHANCE,
}
"""Events of Korea's futures and their probability before any option or choice of others."""
SUPPOSES: Mapping[str, str] = {
    "refused_score": "late_tools_score",
    "retaliation_large_score": "retaliation_score",
    "memory_hit_score": "retaliation_large_score",
}
"""Events that are kinds of another."""
EVENT = "event"
"""The unit of a column that says whether an event comes."""
INNER = ("tension",)
"""Draws that only correlate others."""
BELIEFS_AT = 2029
"""The year in which paths of beliefs are read as columns: the middle of 2028-2030."""
OTHERS = "others"
"""The column that says what others choose, as the place of the choice."""


@dataclass(frozen=True)
class Experiments:
    """`values` [C, O, F] of the computed criteria; `weight` [F] of the futures; `columns` {name: [F]} what differs between
    futures; `cases` [option][choice] what they were measured on."""

    actor: str
    options: tuple[Option, ...]
    choices: tuple[Choice, ...]
    criteria: Criteria
    values: FloatArray
    weight: FloatArray
    columns: Mapping[str, FloatArray]
    cases: tuple[tuple[Case, ...], ...]
    members: int
    seed: int

    @property
    def up(self) -> FloatArray:
        return np.array([criterion.up for criterion in self.criteria.computed])

    @property
    def threshold(self) -> FloatArray:
        return np.array([criterion.threshold for criterion in self.criteria.computed])

    @property
    def eligible(self) -> npt.NDArray[np.bool_]:
        """Options that someone could choose: all but bounds; all where there are only bounds."""
        own = np.array([not option.bound for option in self.options])
        return own if own.any() else np.ones(len(self.options), dtype=bool)

    def names(self) -> list[str]:
        return [option.name for option in self.options]


@dataclass(frozen=True)
class Order:
    """What is to be run: an actor's options against choices of others, by its criteria, over draws."""

    actor: str
    options: tuple[Option, ...]
    choices: tuple[Choice, ...]
    criteria: Criteria
    members: int
    seed: int

    def cells(self, facts: "Facts", directory: Path) -> Cells:
        """The worlds of all options under all choices."""
        scenarios = [option.under(choice) for option in self.options for choice in self.choices]
        _same_months(scenarios)
        return Cells(scenarios, facts, self.members, self.seed, directory)


def _same_months(scenarios: Sequence[object]) -> None:
    spans = {(getattr(each, "start"), getattr(each, "end")) for each in scenarios}  # noqa: B009
    if len(spans) > 1:
        raise InputError("options and choices of one call must cover the same months")


def plan(order: Order, facts: "Facts", directory: Path) -> Plan:
    """What a call would cost, before it runs."""
    return order.cells(facts, directory).plan


def run_experiments(
    order: Order,
    facts: "Facts",
    directory: Path,
    mapper: "Mapper" = map,
    progress: Progress | None = None,
) -> Experiments:
    """Simulate or read every world and measure every option in every future."""
    found = order.cells(facts, directory).run(mapper, progress)
    drawn = draws(order.members, order.seed)
    rest = (drawn, stated(facts), order.criteria.first, order.criteria.last, order.criteria.rate)
    cases = tuple(
        tuple(Case(option, choice, found[option.under(choice).digest], *rest) for choice in order.choices)
        for option in order.options
    )
    values = np.stack(
        [
            [np.concatenate([measure(criterion, case) for case in mine]) for mine in cases]
            for criterion in order.criteria.computed
        ]
    )
    unknown = ~np.isfinite(values)
    if unknown.any():
        place = np.argwhere(unknown)[0]
        raise InputError(
            f"{order.criteria.computed[place[0]].name} of {order.options[place[1]].name} has no value in "
            f"{int(unknown[place[0], place[1]].sum())} of {values.shape[2]} futures; it cannot be compared"
        )
    priors = np.array([choice.prior for choice in order.choices])
    weight = np.repeat(priors / priors.sum() / order.members, order.members)
    return Experiments(
        order.actor, order.options, order.choices, order.criteria, values, weight, _columns(drawn, order), cases,
        order.members, order.seed,
    )  # fmt: skip


def measure(criterion: Criterion, case: Case) -> FloatArray:
    """One criterion of one option under one choice of others, `[M]`, in the criterion's own unit.

    Raises `InputError` for a process that is not known.
    """
    if criterion.process:
        if criterion.process not in PROCESSES:
            raise InputError(f"criterion {criterion.name}: no process is called '{criterion.process}'")
        return PROCESSES[criterion.process](case)
    if criterion.present_value:
        flow = case.world.from_year(case.first, case.last, criterion.variable, **criterion.select) * 12
        return case.discounted(flow) * criterion.scale
    assert criterion.at is not None
    return case.world.at(criterion.at, criterion.variable, **criterion.select) * criterion.scale


def _columns(drawn: Draws, order: Order) -> dict[str, FloatArray]:
    """What differs between futures, as a reader knows it: events as 0 or 1, dates as years, the rest as drawn."""
    count = len(order.choices)
    world = columns_of(drawn.world, order.options[0].scenario, BELIEFS_AT)
    columns = {name: np.tile(values, count) for name, values in world.items()}
    if order.actor == "korea":
        for name, values in drawn.own.items():
            if name in EVENTS:
                columns[name] = np.concatenate([_comes(name, drawn, choice) for choice in order.choices]).astype(float)
            elif name.endswith("_year"):
                columns[name] = np.tile(year_of(values), count)
            elif name not in INNER:
                columns[name] = np.tile(values, count)
    if count > 1:
        columns[OTHERS] = np.repeat(np.arange(count, dtype=float), order.members)
    return columns


def _comes(name: str, drawn: Draws, choice: Choice) -> npt.NDArray[np.bool_]:
    """Whether an event comes `[M]`, with those that it supposes."""
    chance = EVENTS[name] * multiplied(choice, name.removesuffix("_score"))
    comes = happens(drawn.own[name], chance)
    return comes & _comes(SUPPOSES[name], drawn, choice) if name in SUPPOSES else comes


def describe(column: str) -> tuple[dict[str, str], str, str]:
    """Words of a column in both languages, its unit and its source."""
    from chipweir.world import parameters

    if column == OTHERS:
        return {"en": "what others choose", "ko": "상대의 선택"}, "", ""
    if column.startswith("event:"):
        row = next(row for row in event_table() if row["event"] == column.removeprefix("event:"))
        return {"en": row["title_en"], "ko": row["title_ko"]}, EVENT, row["reason"]
    record = table().get(column) or parameters().get(column)
    if record is not None and column in EVENTS:
        return {"en": record.description, "ko": record.description_ko}, EVENT, record.source
    if record is not None and column.endswith("_year"):
        return {"en": record.description, "ko": record.description_ko}, "", record.source
    if record is None and "." in column:
        from chipweir.world import find_lever

        lever, product = find_lever(column)
        tail = f" ({product})" if product not in ("", "all") else ""
        return {"en": lever.title + tail, "ko": lever.korean_name + tail}, lever.unit, ""
    if record is None:
        return {"en": column, "ko": column}, "", ""
    return {"en": record.description, "ko": record.description_ko}, record.unit, record.source
