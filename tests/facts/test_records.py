"""A value knows its best number, its range and whether its bounds are in order."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chipweir.facts import Value


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
maybe = st.none() | numbers


@given(low=maybe, central=maybe, high=maybe)
def test_best_lies_in_the_interval_of_an_ordered_value(
    low: float | None, central: float | None, high: float | None
) -> None:
    value = Value(low=low, central=central, high=high)
    stated = [number for number in (low, central, high) if number is not None]
    assert value.ordered == (bool(stated) and all(a <= b for a, b in pairwise(stated)))
    if value.ordered:
        bottom, top = value.interval
        assert bottom <= value.best <= top


@given(low=numbers, high=numbers)
def test_best_is_the_middle_where_there_is_no_central_number(low: float, high: float) -> None:
    assert Value(low=low, high=high).best == pytest.approx((low + high) / 2)


def test_a_value_without_numbers_has_no_best() -> None:
    assert math.isnan(Value().best)
    assert not Value().ordered


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "many"])
def test_a_number_is_finite(bad: object) -> None:
    with pytest.raises(ValidationError):
        Value.model_validate({"central": bad})


@pytest.mark.parametrize(
    ("cls", "confidence", "rumour"),
    [("press", "C", True), ("press", "D", True), ("press", "B", False), ("own", "D", False)],
)
def test_only_weak_press_is_a_rumour(cls: str, confidence: str, rumour: bool) -> None:
    assert Value.model_validate({"central": 1, "cls": cls, "confidence": confidence}).rumour is rumour


def test_records_are_frozen_and_hashable() -> None:
    from chipweir import facts

    chip = facts.load().chip("H20")
    assert {chip: 1}[chip] == 1
    with pytest.raises(ValidationError):
        chip.name = "another"  # type: ignore[misc]
