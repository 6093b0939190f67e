"""What makers ask: cuts in a glut, rises in scarcity, never below what a chip costs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir.market import posted_price


def posted(
    now: float = 0.0,
    months: float = 2.0,
    premium: float = 0.0,
    floor: float = -1.0,
    cut: float = 0.07,
    up: float = 0.03,
) -> float:
    """Log of the price over list a month on, with so many months of sales in stock."""
    one = [np.array([value]) for value in (now, months * 1e4, 1e4, premium, floor)]
    return float(posted_price(*one, cut, up)[0])


def test_a_normal_stock_leaves_the_list_price_and_a_moved_one_returns_to_it() -> None:
    assert posted() == 0
    assert posted(now=-0.3) == pytest.approx(-0.3 * 0.97)
    assert posted(now=0.3) == pytest.approx(0.3 * 0.97)


def test_a_glut_is_cut_and_scarcity_is_charged_for() -> None:
    assert posted(months=8) == pytest.approx(-0.07 * np.log(3))
    assert posted(months=8) > posted(months=20) > posted(months=200) == pytest.approx(-0.14)
    assert posted(premium=1.0) == pytest.approx(0.03)


@given(st.floats(-2, 2), st.floats(0, 500), st.floats(0, 3), st.floats(-2, 0.5))
def test_the_price_stays_between_cost_and_twice_list(now: float, months: float, premium: float, floor: float) -> None:
    price = posted(now, months, premium, floor)
    assert floor - 1e-12 <= price <= 0.7 + 1e-12


def test_a_chip_that_costs_more_than_its_list_price_is_sold_at_cost() -> None:
    assert posted(floor=0.2) == pytest.approx(0.2)
    assert posted(floor=3.0) == pytest.approx(0.7)  # but never for more than twice list
