"""Units: what sources write, what we count in, and whether pint can parse it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class UnitRule:
    """A unit as sources write it, the canonical unit (parsed by pint) and the factor between them."""

    written: str
    unit: str
    factor: float


DEFINITIONS = (
    "operation = [operation] = OP = FLOP",
    "token = [token]",
    "wafer = [wafer]",
    "chip = [chip] = gpu = card",
    "B300e = chip",
    "die = [die]",
    "stack = [stack]",
    "H100e = [compute]",
    "wafer_8inch = [wafer_8inch]",
    "calendar_year = [calendar_year]",
    "USD = [money]",
    "EUR = [money_eur]",
    "CNY = [money_cny]",
    "KRW = [money_krw]",
    "HKD = [money_hkd]",
    "JPY = [money_jpy]",
    "TWD = [money_twd]",
    "MYR = [money_myr]",
    "SGD = [money_sgd]",
    "thing = [thing] = item = machine = event",
    "person = thing = _ = persons",
    "text = [text]",
    "layer = [layer]",
    "rack = [rack]",
    "fab = [fab]",
    "score = [score]",
)


@cache
def unit_registry() -> Any:
    """The pint registry in which every canonical unit parses: currencies are dimensions of their own."""
    from pint import UnitRegistry

    registry: Any = UnitRegistry(cache_folder=None)
    for definition in DEFINITIONS:
        registry.define(definition)
    return registry


@cache
def parses(unit: str) -> bool:
    """Whether pint knows `unit`; the empty unit is a pure number."""
    try:
        unit_registry().parse_units(unit)
    except Exception:
        return False
    return True


CURRENCIES = ("USD", "EUR", "CNY", "KRW", "HKD", "JPY", "TWD", "MYR", "SGD")
_CURRENCY = re.compile(rf"\b(?:{'|'.join(CURRENCIES)})\b")


@cache
def fits(unit: str, wanted: str) -> bool:
    """Whether a number in `unit` can be converted to `wanted`, any currency to any other at its dated rate."""
    one, other = (_CURRENCY.sub("USD", text) for text in (unit, wanted))
    if one == other:
        return True
    try:
        registry = unit_registry()
        return bool(registry.Unit(one).is_compatible_with(other or "dimensionless"))
    except Exception:
        return False


def factor(written: str, wanted: str, rules: Mapping[str, UnitRule]) -> float | None:
    """What to multiply a number in `written` by to have it in `wanted`; None if the two measure different things."""
    if written == wanted:
        return 1.0
    rule = rules.get(written)
    if rule is not None and rule.unit == wanted:
        return rule.factor
    start, scale = (rule.unit, rule.factor) if rule is not None else (written, 1.0)
    try:
        registry = unit_registry()
        return float(f"{scale * registry.Quantity(1.0, start).to(wanted).magnitude:.12g}")
    except Exception:
        return None
