"""What the checks of the facts share: how they are registered, the values they walk, what a whole is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chipweir.facts._facts import Facts
from chipweir.facts._records import CHIP_UNITS, SYSTEM_UNITS, Chip, Fact, System, Value


@dataclass(frozen=True)
class Finding:
    """Something wrong: which check found it, in which record, where that stands, and what it is."""

    check: str
    id: str
    origin: str
    message: str
    excused: str = ""


Check = Callable[[Facts], Iterator[tuple[str, str, str]]]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Register a check under its function's name with hyphens."""
    CHECKS[function.__name__.strip("_").replace("_", "-")] = function
    return function


def values(facts: Facts) -> Iterator[tuple[str, Value]]:
    """Every value with the id it goes by: a fact's or price's id, or `chip.quantity`."""
    for record in (*facts.chips.values(), *facts.systems.values()):
        for quantity, found in record.values.items():
            for value in found:
                yield f"{record.id}.{quantity}", value
    for fact in facts.facts.values():
        yield fact.id, fact.value
    for price in facts.prices.values():
        yield price.id, price.value


def measured(facts: Facts) -> Iterator[tuple[Chip | System, dict[str, str]]]:
    """Chips and systems with the units of their quantities."""
    for chip in facts.chips.values():
        yield chip, CHIP_UNITS
    for system in facts.systems.values():
        yield system, SYSTEM_UNITS


def whole(fact: Fact) -> float:
    """What all of something is in the unit of the fact: 100 percent, or 1."""
    return 100.0 if fact.value.unit == "percent" else 1.0
