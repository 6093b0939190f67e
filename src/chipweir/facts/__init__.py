"""What is known, dated and sourced: chips, systems, language models, facts, events, prices, names."""

from datetime import date
from typing import overload

from chipweir.facts._calendars import Calendar
from chipweir.facts._control import (
    compute_die_area,
    compute_dies,
    interconnect,
    performance_density,
    total_processing_performance,
)
from chipweir.facts._derive import Derived, Term, derive, references
from chipweir.facts._facts import Facts
from chipweir.facts._load import in_force, load
from chipweir.facts._models import Structure, structure_text
from chipweir.facts._names import AmbiguousName, normalise
from chipweir.facts._period import Period, period
from chipweir.facts._records import (
    Chip,
    Conflict,
    Country,
    Entity,
    EntityNames,
    Event,
    Fact,
    LanguageModel,
    Measure,
    Name,
    Override,
    Position,
    Price,
    Source,
    System,
    Value,
)
from chipweir.facts._units import UnitRule, unit_registry


def country(name: str) -> Country:
    """The country with this ISO code or name (English, Korean, Chinese). Raises `UnknownName`."""
    return load().country(name)


@overload
def convert(value: float, start: str, target: str, on: str | date) -> float: ...
@overload
def convert(value: Value, start: str, target: str, on: str | date) -> Value: ...
def convert(value: float | Value, start: str, target: str, on: str | date) -> float | Value:
    """`value` in currency `start` as `target` at the dated rate of the month (quarter, half, year) `on`.

    Rates are facts (`exchange_rates.csv`). Raises `UnknownName` for a currency without rates, `InputError` outside the
    months they cover.
    """
    return load().convert(value, start, target, on)


__all__ = [
    "AmbiguousName",
    "Calendar",
    "Chip",
    "Conflict",
    "Country",
    "Derived",
    "Entity",
    "EntityNames",
    "Event",
    "Fact",
    "Facts",
    "LanguageModel",
    "Measure",
    "Name",
    "Override",
    "Period",
    "Position",
    "Price",
    "Source",
    "Structure",
    "System",
    "Term",
    "UnitRule",
    "Value",
    "compute_die_area",
    "compute_dies",
    "convert",
    "country",
    "derive",
    "in_force",
    "interconnect",
    "load",
    "normalise",
    "performance_density",
    "period",
    "references",
    "structure_text",
    "total_processing_performance",
    "unit_registry",
]
