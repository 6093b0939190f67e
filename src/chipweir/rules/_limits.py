"""How far one number of a circuit is from meeting, or no longer meeting, any of several ways."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from chipweir.rules._numbers import OPERATORS
from chipweir.rules._when import Test, Way


SUM_OF = {"mem_plus_io_gbps": ("mem_bw_gbps", "io_gbps")}
"""Quantities that are sums: a limit of the sum is a limit of each part while the other stays as it is."""
Limit = tuple[str, Fraction, str, Fraction]
"""Quantity, its value, operator, threshold."""


def boundaries(ways: tuple[Way, ...], numbers: Mapping[str, Any], met: bool) -> list[Limit]:
    """The nearest change of one number that undoes `met` ways, or meets one that is not: a limit for each quantity.

    Undoing takes every way that holds; a number that leaves one of them standing has no limit.
    """
    quantities = {part for way in ways for test in way.tests for part in SUM_OF.get(test.name, (test.name,))}
    found = []
    for quantity in sorted(quantities):
        value = numbers.get(quantity)
        if isinstance(value, Fraction):
            limit = _undone(ways, numbers, quantity) if met else _met(ways, numbers, quantity)
            if limit is not None:
                found.append((quantity, value, *limit))
    return found


def _test_on(test: Test, numbers: Mapping[str, Any], quantity: str) -> tuple[str, Fraction] | None:
    """The test as one of `quantity` alone: its operator and threshold; None where it does not bear on it."""
    if not isinstance(test.threshold, Fraction):
        return None
    if test.name == quantity:
        return test.sign, test.threshold
    parts = SUM_OF.get(test.name, ())
    if quantity not in parts:
        return None
    rest = Fraction(0)
    for part in parts:
        other = numbers.get(part)
        if part != quantity and not isinstance(other, Fraction):
            return None
        rest += other if part != quantity and isinstance(other, Fraction) else 0
    return test.sign, test.threshold - rest


def _holds(test: Test, numbers: Mapping[str, Any]) -> bool:
    value = numbers.get(test.name)
    return value is not None and OPERATORS[test.sign](value, test.threshold)


def _undone(ways: tuple[Way, ...], numbers: Mapping[str, Any], quantity: str) -> tuple[str, Fraction] | None:
    """Where a falling number has undone every way that holds."""
    lines = []
    for way in ways:
        if not all(_holds(test, numbers) for test in way.tests):
            continue
        own = [line for test in way.tests if (line := _test_on(test, numbers, quantity)) and line[0] in (">=", ">")]
        if not own:
            return None
        lines.append(max(own, key=lambda line: line[1]))
    if not lines:
        return None
    sign, threshold = min(lines, key=lambda line: line[1])
    return (sign, threshold) if threshold > 0 else None


def _met(ways: tuple[Way, ...], numbers: Mapping[str, Any], quantity: str) -> tuple[str, Fraction] | None:
    """Where a rising number meets the first way whose other tests hold."""
    lines = []
    for way in ways:
        own = [line for test in way.tests if (line := _test_on(test, numbers, quantity)) is not None]
        rest = [test for test in way.tests if _test_on(test, numbers, quantity) is None]
        if len(own) == 1 and own[0][0] in (">=", ">") and all(_holds(test, numbers) for test in rest):
            lines.append(own[0])
    return min(lines, key=lambda line: line[1], default=None)
