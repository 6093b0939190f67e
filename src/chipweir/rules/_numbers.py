"""Exact numbers: thresholds are compared as rationals, never rounded and never through binary floating point."""

import math
import operator
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Any

from chipweir.errors import InputError


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}

_TEST = re.compile(r"^\s*([a-z_0-9]+)\s*(>=|<=|==|!=|>|<)\s*([A-Za-z0-9_.+-]+)\s*$")
LARGEST = Fraction(10) ** 40


@lru_cache(maxsize=65536)
def _from_text(text: str) -> Fraction | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or not -400 <= number.adjusted() <= 60:
        return None
    return Fraction(number)


def exact(value: object, name: str, *, least: Fraction | int | None = 0) -> Fraction:
    """`value` (a number, or its decimal text) as an exact rational.

    A float stands for the shortest decimal that names it, so 5.92 is 148/25. Raises `InputError` for anything that is
    not a finite number, or below `least`.
    """
    if type(value) is Fraction and 0 <= value <= LARGEST and least == 0:
        return value
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | str | Fraction | Decimal):
        raise InputError(f"{name}: expected a number, got {_shown(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name}: expected a finite number, got {value}")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise InputError(f"{name}: the number is out of range")
    number = (
        value if isinstance(value, Fraction) else _from_text(repr(value) if isinstance(value, float) else str(value))
    )
    if number is None or abs(number) > LARGEST:
        raise InputError(f"{name}: expected a number, got {_shown(value)}")
    if least is not None and number < least:
        raise InputError(f"{name}: {_shown(value)} is below {least}, the least it can be")
    return number


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def plain(number: Fraction | None) -> float | int | None:
    """A rational as JSON can hold it: an int where it is whole, else the nearest float."""
    if number is None:
        return None
    return int(number) if number.denominator == 1 else float(number)


def shown(number: object, digits: int = 4) -> str:
    """A number for reading: thousands separated; words pass through, None is a question mark."""
    if number is None:
        return "?"
    if isinstance(number, bool):
        return "yes" if number else "no"
    if type(number) is not Fraction and not isinstance(number, int | float):
        return str(number)
    value = float(number)
    if value.is_integer() and abs(value) < 1e16 and value == number:
        return f"{int(value):,}"
    if abs(value) >= 1e16:
        return f"{value:.3g}"
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".")


def parse_test(text: str, where: str) -> tuple[str, str, Fraction | str | bool]:
    """'tpp >= 4800' as (quantity, operator, literal); 'yes' and 'no' are booleans. Raises `InputError`."""
    match = _TEST.match(text) if isinstance(text, str) else None
    if match is None:
        raise InputError(f"{where}: cannot read the test {text!r}; write it like 'tpp >= 4800'")
    quantity, sign, literal = match.groups()
    if literal in ("yes", "no"):
        return quantity, sign, literal == "yes"
    if literal[0].isalpha():
        return quantity, sign, literal
    return quantity, sign, exact(literal, where, least=None)
