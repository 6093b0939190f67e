"""How numbers were made: the facts and parameters that move them, the equations on their way, in both languages.

Every number of a scenario is traced by pushing the model itself: each parameter a standard deviation, each cell of the
tables a twentieth (`world.push`). Facts are cited by how much they moved the number, priors apart from them.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.errors import InputError, UnknownName
from chipweir.i18n import language


if TYPE_CHECKING:
    from chipweir.facts import Fact, Facts
    from chipweir.world import Parameter, Pushed, Scenario

# Processes that every number passes through: chips are made and sold before anything else follows.
_ALWAYS = ("production", "choice", "clearing")
# Least elasticity at which a fact is said to have moved a number.
_LEAST = 1e-4


@dataclass(frozen=True)
class Driver:
    """A parameter and what one prior standard deviation of it does to the outcome, with its prior and source."""

    parameter: str
    description: str
    description_ko: str
    effect: float
    relative: float
    low: float
    central: float
    high: float
    unit: str
    source: str


@dataclass(frozen=True)
class Influence:
    """A fact (or a chip's datasheet) that moved the number: `slope` percent of the outcome per percent of the fact, and the
    cells of the tables through which it enters."""

    id: str
    slope: float
    enters: tuple[str, ...]


@dataclass(frozen=True)
class Equation:
    """A process on the way to the number: a formula, what it says in words, and where it stands."""

    process: str
    formula: str
    words: str
    words_ko: str
    function: str


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
    facts: tuple[Influence, ...]
    chips: tuple[Influence, ...]
    equations: tuple[Equation, ...]
    note: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Number:
    """A number to be traced: a variable, its labels and a month such as 2030-12."""

    variable: str
    month: str
    selection: Mapping[str, str]


def explain(
    scenario: "Scenario",
    facts: "Facts",
    variable: str,
    month: str = "2030-12",
    top: int = 10,
    **selection: str,
) -> Trace:
    """Trace one number of a scenario at the median of all parameters.

    Raises `UnknownName` for a variable or label the model does not report, `InputError` for a month outside the run.
    """
    months = scenario.months.astype(str).tolist()
    if month not in months:
        raise InputError(f"{scenario.name} runs from {months[0]} to {months[-1]}; {month} is outside")
    return swings(scenario, facts, [Number(variable, month, selection)], top)[0]


def swings(scenario: "Scenario", facts: "Facts", numbers: Sequence[Number], top: int = 8) -> list[Trace]:
    """A trace for each of `numbers` (those outside the scenario's months left out), with the `top` parameters and facts.

    Raises `UnknownName` and `InputError` for what the model does not report.
    """
    from chipweir.world import cells, own_products, push

    months = scenario.months.astype(str).tolist()
    known = [number for number in numbers if number.month in months]
    placed = [(number, *locate(number.variable, number.selection)) for number in known]
    if not placed:
        return []
    from chipweir.world import Number as Place

    pushed = push(scenario, facts, [Place(n.variable, place, months.index(n.month)) for n, place, _ in placed])
    found = cells(facts, own_products(facts, [scenario]))
    moved = _by_fact(pushed, found)
    return [_trace(scenario.name, i, number, unit, pushed, moved, top) for i, (number, _, unit) in enumerate(placed)]


# Outcomes over which the use of a fact is looked for where none is named.
_PANEL: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("compute", {"region": "CHN"}), ("compute", {"region": "USA"}), ("compute", {"region": "KOR"}), ("nvidia_revenue", {}),
    ("production_domestic", {}), ("smuggled_units", {}), ("korea_hbm_exports_total", {}), ("token_price", {"region": "CHN"}),
    ("tokens_served", {"region": "CHN"}), ("tokens_served", {"region": "USA"}), ("power_mw", {"region": "USA"}),
    ("nvidia_china_revenue", {}), ("largest_run", {"region": "CHN"}), ("largest_run", {"region": "USA"}),
    ("hbm_stock", {}), ("die_bank", {}), ("domestic_share_value", {}), ("line_utilisation", {"line": "tsmc-n7"}),
    ("line_utilisation", {"line": "tsmc-n5"}), ("line_utilisation", {"line": "tsmc-n3"}),
    ("line_utilisation", {"line": "tsmc-n2"}), ("line_utilisation", {"line": "samsung-sf4"}),
)  # fmt: skip
# Every month that has been, since a dated value is felt between its neighbours only, then the ends of years.
_PANEL_MONTHS = (
    *(f"{year}-{month:02}" for year in range(2022, 2026) for month in range(1, 13)),
    *(f"{year}-12" for year in range(2026, 2033)),
)


def panel() -> list[Number]:
    """The numbers over which the use of facts is looked for where none is named."""
    return [Number(variable, month, selection) for variable, selection in _PANEL for month in _PANEL_MONTHS]


def facts_used(
    facts: "Facts", scenarios: Sequence[str] = ("baseline",), numbers: Sequence[Number] = ()
) -> list[dict[str, Any]]:
    """Every fact that a cell of the world's tables rests on, with the cells that it enters.

    With `numbers` each has the `outcome` that it moves most over the scenarios, with its `slope`, d ln outcome / d ln fact,
    and the largest come first; without numbers both are None. Raises `UnknownName` and `InputError` as `explain`.
    """
    from chipweir.world import cells, load_scenario, own_products

    chosen = [load_scenario(name) for name in scenarios]
    places: dict[str, list[str]] = {}
    most: dict[str, tuple[float, str]] = {}
    for scenario in chosen:
        found = cells(facts, own_products(facts, [scenario]))
        places = places or _places(found)
        for name, by in _slopes(scenario, facts, numbers, found).items():
            strongest = int(np.argmax(np.abs(by)))
            if abs(by[strongest]) > abs(most.get(name, (0.0, ""))[0]):
                most[name] = float(by[strongest]), f"{_said(numbers[strongest])}, {scenario.name}"
    rows = [
        _used(facts, name, most.get(name, (0.0, "")) if numbers else None, entered) for name, entered in places.items()
    ]
    return sorted(rows, key=lambda row: (-abs(row["slope"] or 0.0), row["id"]))


def _places(found: Mapping[Any, Any]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for cell in found.values():
        for term in cell.derived.terms:
            if term.kind != "prior":
                places.setdefault(term.name, []).append(cell.place)
    return places


def _slopes(
    scenario: "Scenario", facts: "Facts", numbers: Sequence[Number], found: Mapping[Any, Any]
) -> dict[str, Any]:
    """Elasticities of the numbers by every fact, [number]."""
    if not numbers:
        return {}
    from chipweir.world import Number as Place
    from chipweir.world import push

    months = scenario.months.astype(str).tolist()
    outside = [number.month for number in numbers if number.month not in months]
    if outside:
        raise InputError(f"{scenario.name} runs from {months[0]} to {months[-1]}; {outside[0]} is outside")
    places = [Place(n.variable, locate(n.variable, n.selection)[0], months.index(n.month)) for n in numbers]
    pushed = push(scenario, facts, places)
    return {name: np.nan_to_num(total) for name, (total, _places) in _by_fact(pushed, found).items()}


def _said(number: Number) -> str:
    labels = " ".join(f"{dim}={label}" for dim, label in number.selection.items())
    return " ".join(filter(None, (number.variable, labels, number.month)))


def facts_unused(facts: "Facts", used: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The facts that no cell rests on, each with the reason."""
    entered = {row["id"] for row in used}
    return [
        {"id": name, "reason": _why_unused(facts, fact)} for name, fact in facts.facts.items() if name not in entered
    ]


def _why_unused(facts: "Facts", fact: "Fact") -> str:
    if fact.same_as:
        return f"repeats {fact.same_as}"
    if fact.nature != "observation":
        return f"{fact.nature}: what somebody expected or meant to do; claims are held against it"
    if facts.model_variable(fact) is not None:
        return "compared with what the model gives, not put into it"
    return "of no quantity that the model has; for claims, rules and looking up"


def _used(facts: "Facts", name: str, most: tuple[float, str] | None, places: Sequence[str]) -> dict[str, Any]:
    fact = facts.facts.get(name)
    if fact is not None:
        title = facts.measures[fact.measure].titled(language())
        text, value = " ".join(filter(None, (fact.entity_text, title, fact.item, fact.when))), fact.value
    else:
        owner, _, quantity = name.rpartition(".")
        record = facts.chips.get(owner) or facts.systems[owner]
        text, value = f"{record.name} {quantity}", record.alternatives(quantity)[0]
    known = {"value": value.best, "unit": value.unit, "source": value.source, "url": value.url}
    slope, outcome = (None, None) if most is None else most
    return {"id": name, "enters": list(places), "outcome": outcome, "slope": slope, "text": text, **known}


def _by_fact(pushed: "Pushed", found: Mapping[Any, Any]) -> dict[str, tuple[Any, list[tuple[str, Any]]]]:
    """Elasticities by fact, with those of each cell through which it enters."""
    total: dict[str, tuple[Any, list[tuple[str, Any]]]] = {}
    for key, elasticity in pushed.cells.items():
        cell = found[key]
        for term, slope in zip(cell.derived.terms, cell.derived.slopes, strict=True):
            if term.kind != "prior":
                so_far, places = total.get(term.name, (np.zeros_like(elasticity), []))
                total[term.name] = (so_far + slope * elasticity, [*places, (cell.place, slope * elasticity)])
    return total


def _trace(
    scenario: str, i: int, number: Number, unit: str, pushed: "Pushed", moved: Mapping[str, Any], top: int
) -> Trace:
    value = float(pushed.value[i])
    facts = sorted(
        ((name, float(by[i]), places) for name, (by, places) in moved.items()), key=lambda each: -abs(each[1])
    )
    chips = sorted(((name, float(by[i])) for name, by in pushed.worth.items()), key=lambda each: -abs(each[1]))
    return Trace(
        variable=number.variable,
        selection=dict(number.selection),
        month=number.month,
        scenario=scenario,
        unit=unit,
        value=value,
        drivers=_drivers(pushed, i, value, top),
        facts=tuple(
            Influence(name, slope, tuple(place for place, by in places if abs(by[i]) >= _LEAST))
            for name, slope, places in facts[:top]
            if abs(slope) >= _LEAST
        ),
        chips=tuple(
            Influence(name.split()[0], slope, (name.split()[1],)) for name, slope in chips[:top] if abs(slope) >= _LEAST
        ),
        equations=equations(number.variable),
        note="value at the median of all parameters, which is not the median of the ensemble",
    )


def _drivers(pushed: "Pushed", i: int, value: float, top: int) -> tuple[Driver, ...]:
    from chipweir.world import parameters

    table = parameters()
    effects = {name: float(pair[1, i] - pair[0, i]) / 2 for name, pair in pushed.parameters.items()}
    strongest = sorted((n for n, e in effects.items() if np.isfinite(e) and e), key=lambda n: -abs(effects[n]))[:top]
    return tuple(_driver(table[name.split("/")[0]], name, effects[name], value) for name in strongest)


def _driver(parameter: "Parameter", name: str, effect: float, value: float) -> Driver:
    relative = effect / value if value else float("nan")
    return Driver(
        name, parameter.description, parameter.description_ko, effect, relative,
        parameter.low, parameter.central, parameter.high, parameter.unit, parameter.source,
    )  # fmt: skip


def locate(variable: str, selection: Mapping[str, str]) -> tuple[tuple[int, ...], str]:
    """The place of a number along its dimensions, and its unit.

    Raises `UnknownName` for a variable, dimension or label that there is not, `InputError` for a dimension left open.
    """
    from chipweir.world import coordinates, variables

    table = {row["name"]: row for row in variables()}
    if variable not in table:
        raise UnknownName("variable", variable, table)
    if table[variable]["axis"] == "year":
        raise InputError(
            f"{variable} is kept by year only and cannot be traced; trace a monthly variable such as compute"
        )
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


@cache
def equation_table() -> tuple[Mapping[str, str], ...]:
    """The processes of the model: formula, words in both languages, function, and the variables that end in them."""
    text = (resources.files("chipweir.world") / "equations.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


_FACT = re.compile(r"\b(FAB|SHI|SMU|DEM|ECO|KOR|KOP|EVT|MOD)-(\d{3})(?:\.\.(\d{3}))?")


def fact_ids(source: str) -> list[str]:
    """Ids of facts that a source names, ranges such as SHI-066..070 written out."""
    found = []
    for table, first, last in _FACT.findall(source):
        found += [f"{table.lower()}-{number:03}" for number in range(int(first), int(last or first) + 1)]
    return found


def equations(variable: str) -> tuple[Equation, ...]:
    """The processes on the way to a variable, those that every number passes through first."""
    ends = {row["process"] for row in equation_table() if any(variable.startswith(p) for p in row["variables"].split())}
    return tuple(
        Equation(row["process"], row["formula"], row["words_en"], row["words_ko"], row["function"])
        for row in equation_table()
        if row["process"] in _ALWAYS or row["process"] in ends
    )
