"""What moves the headline numbers most, for a whole report at once: every parameter one standard deviation down and up.

`explain` differentiates the model for one number, which takes a compilation of its own. A report asks for many numbers of
a scenario that has just been simulated, so it runs the compiled ensemble once more with two members a parameter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.strategy._trace import Driver, Trace, equations, fact_ids, locate


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world import Parameter, Scenario


@dataclass(frozen=True)
class Number:
    """A number to be traced: a variable, its labels and a month such as 2030-12."""

    variable: str
    month: str
    selection: Mapping[str, str]


def swings(scenario: "Scenario", facts: "Facts", numbers: Sequence[Number], top: int = 8) -> list[Trace]:
    """A trace for each of `numbers`, at the median of all parameters, with the `top` parameters that move it most.

    The effect of a parameter is half the difference between the outcomes one prior standard deviation up and down.
    Raises `UnknownName` and `InputError` for what the model does not report.
    """
    from chipweir.world import assemble, parameters
    from chipweir.world._ensemble import Task, run_task

    table = parameters()
    kept = run_task(Task(scenario.name, 0, assemble(scenario, facts), _one_at_a_time(table)))
    months = scenario.months.astype(str).tolist()
    return [_trace(scenario.name, number, kept, months, table, top) for number in numbers if number.month in months]


def _one_at_a_time(table: "Mapping[str, Parameter]") -> dict[str, Any]:
    """Member 0 at the median; members 2i+1 and 2i+2 with parameter i a standard deviation down and up."""
    drawn = {}
    for place, (name, parameter) in enumerate(table.items()):
        values = np.full(2 * len(table) + 1, float(parameter.central))
        values[2 * place + 1], values[2 * place + 2] = (float(parameter.at(np.asarray(score))) for score in (-1.0, 1.0))
        drawn[name] = values
    return drawn


def _trace(
    scenario: str,
    number: Number,
    kept: Mapping[str, Any],
    months: Sequence[str],
    table: "Mapping[str, Parameter]",
    top: int,
) -> Trace:
    place, unit = locate(number.variable, number.selection)
    outcomes = kept[number.variable][(slice(None), months.index(number.month), *place)].astype(float)
    value = float(outcomes[0])
    effects = (outcomes[2::2] - outcomes[1::2]) / 2
    strongest = [i for i in np.argsort(-np.abs(effects)) if np.isfinite(effects[i]) and effects[i] != 0][:top]
    records = list(table.values())
    drivers = tuple(_driver(records[i], float(effects[i]), value) for i in strongest)
    cited = sorted({word for driver in drivers for word in fact_ids(driver.source)})
    return Trace(
        variable=number.variable,
        selection=dict(number.selection),
        month=number.month,
        scenario=scenario,
        unit=unit,
        value=value,
        drivers=drivers,
        equations=equations(number.variable),
        facts=tuple(cited),
        note="value at the median of all parameters, which is not the median of the ensemble",
    )


def _driver(parameter: "Parameter", effect: float, value: float) -> Driver:
    relative = effect / value if value else float("nan")
    return Driver(
        parameter.name, parameter.description, effect, relative,
        parameter.low, parameter.central, parameter.high, parameter.unit, parameter.source,
    )  # fmt: skip
