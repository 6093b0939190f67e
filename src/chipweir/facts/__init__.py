"""What is known, dated and sourced: chips, systems, language models, facts, events, prices, names."""

from datetime import date
from typing import overload

from chipweir.facts._calendars import Calendar
from chipweir.facts._facts import Facts, normalise
from chipweir.facts._load import load
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
    "Calendar",
    "Chip",
    "Conflict",
    "Country",
    "Entity",
    "EntityNames",
    "Event",
    "Fact",
    "Facts",
    "LanguageModel",
    "Measure",
    "Override",
    "Period",
    "Position",
    "Price",
    "Source",
    "System",
    "UnitRule",
    "Value",
    "convert",
    "country",
    "load",
    "normalise",
    "period",
    "unit_registry",
]
