"""How a number was made: its inputs, the equations on its way, the facts behind them, and what moves it most.

Sensitivities come from automatic differentiation of the same simulation that made the number: the change of the outcome
for a parameter one prior standard deviation up, at the median of all parameters.
"""

import inspect
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.errors import InputError, UnknownName


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world import Scenario

# Which monthly functions a variable passes through, by the process that ends in it; every path starts with supply and
# the market, since stocks carry them on.
_ALWAYS = ("supply_month", "market_month", "stock_month")
_PATHS: Mapping[str, tuple[str, ...]] = {
    "token": ("software_month", "fleet_at_work", "token_month"),
    "utilisation": ("software_month", "fleet_at_work", "token_month"),
    "largest_run": ("software_month", "fleet_at_work", "frontier_month"),
    "lag_months": ("software_month", "fleet_at_work", "frontier_month"),
    "maturity": ("software_month",),
    "ecosystem_share": ("count_fleet",),
    "power": ("count_fleet",),
    "compute": ("count_fleet",),
    "ratio_to_us": ("count_fleet",),
}


@dataclass(frozen=True)
class Driver:
    """A parameter and what one prior standard deviation of it does to the outcome, with its prior and source."""

    parameter: str
    description: str
    effect: float
    relative: float
    low: float
    central: float
    high: float
    unit: str
    source: str


@dataclass(frozen=True)
class Equation:
    """A function on the way to the number: its name, where it stands and what it says of itself."""

    function: str
    module: str
    text: str


@dataclass(frozen=True)
class Trace:
    """How one number was made."""

    variable: str
    selection: Mapping[str, str]
    month: str
    scenario: str
    unit: str
    value: float
    drivers: tuple[Driver, ...]
    equations: tuple[Equation, ...]
    facts: tuple[str, ...]
    note: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def explain(
    scenario: "Scenario",
    facts: "Facts",
    variable: str,
    month: str = "2030-12",
    top: int = 10,
    **selection: str,
) -> Trace:
    """Trace one headline number of a scenario at the median of all parameters.

    Raises `UnknownName` for a variable or label the model does not report, `InputError` for a month outside the run.
    """
    from chipweir.world import parameters

    place, unit = locate(variable, selection)
    months = scenario.months.astype(str).tolist()
    if month not in months:
        raise InputError(f"{scenario.name} runs from {months[0]} to {months[-1]}; {month} is outside")
    found = _derivatives(scenario, facts)
    at = (months.index(month), *place)
    value = float(found.values[variable][at])
    drivers = sorted(
        (
            _driver(parameters()[name], float(slope), value)
            for name, slope in zip(found.names, found.slopes[variable][at], strict=True)
        ),
        key=lambda driver: -abs(driver.effect) if np.isfinite(driver.effect) else 0.0,
    )[:top]
    cited = sorted({word for driver in drivers for word in fact_ids(driver.source)})
    return Trace(
        variable=variable,
        selection=selection,
        month=month,
        scenario=scenario.name,
        unit=unit,
        value=value,
        drivers=tuple(drivers),
        equations=equations(variable),
        facts=tuple(cited),
        note="value at the median of all parameters, which is not the median of the ensemble",
    )


@dataclass(frozen=True)
class _Derivatives:
    """Every reported variable `[month, ...]` at the median of all parameters, and its slopes `[month, ..., parameter]`."""

    names: tuple[str, ...]
    values: Mapping[str, np.ndarray]
    slopes: Mapping[str, np.ndarray]


_KNOWN: OrderedDict[tuple[str, str], _Derivatives] = OrderedDict()
_MOST_KNOWN = 6


def _derivatives(scenario: "Scenario", facts: "Facts") -> _Derivatives:
    """All derivatives of a scenario, remembered: forward mode gives those of every variable and month at once."""
    from chipweir.world import assemble
    from chipweir.world._parameters import central

    key = (scenario.digest, facts.digest)
    if key not in _KNOWN:
        middle = central()
        names = tuple(sorted(middle))
        values, slopes = _differentiated(names)(assemble(scenario, facts), np.array([middle[name] for name in names]))
        _KNOWN[key] = _Derivatives(
            names,
            {name: np.asarray(value) for name, value in values.items()},
            {name: np.asarray(slope) for name, slope in slopes.items()},
        )
        while len(_KNOWN) > _MOST_KNOWN:
            _KNOWN.popitem(last=False)
    return _KNOWN[key]


@cache
def _differentiated(names: tuple[str, ...]) -> Callable[[Any, Any], Any]:
    """(inputs, parameters [P]) to reported variables and their Jacobian; compiled once for all scenarios and variables."""
    import jax

    from chipweir.world import simulate, variables
    from chipweir.world._outputs import member_outputs

    reported = [row["name"] for row in variables()]

    def outcomes(vector: Any, inputs: Any) -> Any:
        p = dict(zip(names, vector, strict=True))
        _, kept = simulate(inputs, p)
        outputs = member_outputs(kept, p, inputs.months, inputs.products)
        return {name: outputs[name] for name in reported if name in outputs}

    return jax.jit(lambda inputs, vector: (outcomes(vector, inputs), jax.jacfwd(outcomes)(vector, inputs)))


def locate(variable: str, selection: Mapping[str, str]) -> tuple[tuple[int, ...], str]:
    from chipweir.world import variables
    from chipweir.world._ensemble import coordinates

    table = {row["name"]: row for row in variables()}
    if variable not in table:
        raise UnknownName("variable", variable, table)
    dims = table[variable]["dims"].split()
    unknown = [name for name in selection if name not in dims]
    if unknown:
        raise UnknownName(f"dimension of {variable}", unknown[0], dims)
    place = []
    for dim in dims:
        labels = list(coordinates()[dim])
        if dim not in selection:
            raise InputError(f"{variable} needs a {dim}: one of {', '.join(labels)}")
        if selection[dim] not in labels:
            raise UnknownName(dim, selection[dim], labels)
        place.append(labels.index(selection[dim]))
    return tuple(place), table[variable]["unit"]


def _driver(parameter: Any, slope: float, value: float) -> Driver:
    up, down = (float(parameter.at(np.asarray(score))) for score in (1.0, -1.0))
    effect = slope * (up - down) / 2
    relative = effect / value if value else float("nan")
    return Driver(
        parameter.name, parameter.description, effect, relative,
        parameter.low, parameter.central, parameter.high, parameter.unit, parameter.source,
    )  # fmt: skip


_FACT = re.compile(r"\b(FAB|SHI|SMU|DEM|ECO|KOR|KOP|EVT|MOD)-(\d{3})(?:\.\.(\d{3}))?")


def fact_ids(source: str) -> list[str]:
    """Ids of facts that a source names, ranges such as SHI-066..070 written out."""
    found = []
    for table, first, last in _FACT.findall(source):
        found += [f"{table.lower()}-{number:03}" for number in range(int(first), int(last or first) + 1)]
    return found


def equations(variable: str) -> tuple[Equation, ...]:
    from chipweir.world import _step

    path = next((names for prefix, names in _PATHS.items() if variable.startswith(prefix)), ())
    found = []
    for name in (*_ALWAYS, *path):
        function = getattr(_step, name)
        found.append(Equation(name, function.__module__, inspect.cleandoc(function.__doc__ or "")))
    return tuple(found)
