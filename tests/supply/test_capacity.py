"""Capacity, tools and upkeep; memory vendors, the memory cycle and Korean fabs in China."""

from typing import Any

import numpy as np
import pytest
from by_hand import believed, dated, fabs, members, state

from chipweir.supply import hbm_gate
from chipweir.supply._capacity import capacity_month
from chipweir.supply._memory import china_fabs_month, cycle_month, hbm_month, vendors_month


NONE = members(0.0)


def grown(p: Any, equipment: float, months: int = 1, tools: float = 0.0, **levers: float) -> tuple[float, float, float]:
    """Chinese capacity, tools in store and upkeep after some months from 40,000 wafers and a plan of 500 a month."""
    s = state(tools=tools)
    for _ in range(months):
        capacity, store, upkeep = capacity_month(s, p, dated(equipment=equipment, **levers), believed(), fabs(), NONE)
        s = state(capacity=np.asarray(capacity)[:, 0], tools=float(store[0]), upkeep=float(upkeep[0]))
    return float(s.capacity[0, 0]), float(s.tools[0]), float(s.upkeep[0])


def test_growth_is_what_is_invested_and_realised_where_tools_come(p: Any) -> None:
    assert grown(p, 1.0)[0] == pytest.approx(40_000 + 500 * 0.8)
    assert grown(p, 1.0, capacity_investment=0.5)[0] == pytest.approx(40_000 + 500 * 0.4)


def test_a_store_of_tools_bridges_a_control_for_some_time(p: Any) -> None:
    bare, stocked = grown(p, 3.0, 24), grown(p, 3.0, 24, tools=20_000)
    free = grown(p, 1.0, 24)
    assert bare[0] < stocked[0] <= free[0]
    assert stocked[1] < 20_000
    assert grown(p, 3.0, 24, tools=2_000)[0] < stocked[0]
    assert bare[2] == stocked[2] < free[2] == 1


def test_scarcity_induces_investment(p: Any) -> None:
    calm, _, _ = capacity_month(state(tools=1e5), p, dated(), believed(), fabs(), members(0.0))
    scarce, _, _ = capacity_month(state(tools=1e5), p, dated(), believed(), fabs(), members(1.0))
    assert float(scarce[0, 0] - 4e4) == pytest.approx(1.2 * float(calm[0, 0] - 4e4))
    assert float(scarce[1, 0]) == float(calm[1, 0])


@pytest.mark.parametrize(
    ("control", "sold", "expected"),
    [
        (0, 1, 1.0),  # all legal, all sold
        (0, 0, 0.05),  # legal, but Korea sells none: other vendors' small part
        (0.5, 1, 0.5 + 0.04 * 0.5),
        (1, 1, 0.04),
        (1, 0, 0.04),
        (2, 1, 0.04 / np.e),
    ],
)
def test_what_reaches_china_is_what_is_legal_and_sold_and_what_leaks(
    p: Any, control: float, sold: float, expected: float
) -> None:
    gate = hbm_gate(p, dated(hbm_control=float(control), hbm_to_china=float(sold)))
    assert float(gate[0]) == pytest.approx(expected, rel=1e-9)


def test_vendors_make_what_is_believed_and_sell_what_is_not_withheld(p: Any) -> None:
    memory = hbm_month(state(), p, dated(hbm_withhold=0.25, hbm_domestic=2.0), believed())
    np.testing.assert_allclose(memory.vendors[:, 0], [8e6, 5e6, 3e6])
    assert float(memory.offered[0]) == pytest.approx(0.5 * (13e6 * 0.75 + 3e6))  # half is mounted on chips tracked here
    assert float(memory.cxmt[0]) == 2e6
    assert float(memory.huawei[0]) == 1e6


def test_more_capital_makes_more_memory_with_falling_returns_and_a_lag() -> None:
    b = believed()
    first, _ = vendors_month(state(), dated(hbm_capex=2.0), b)
    assert 1 < float(first[0]) < 1.05
    late = 1.0
    for _ in range(600):
        late = float(vendors_month(state(korean_hbm=late), dated(hbm_capex=2.0), b)[0][0])
    assert late == pytest.approx(2**0.6, rel=1e-3)
    assert float(vendors_month(state(), dated(hbm_capex=2.0, future=0.0), b)[0][0]) == 1


def test_a_shortage_raises_the_memory_price_and_orders_and_capacity_bring_it_back(p: Any) -> None:
    b, share = believed(memory_demand=1.3), members(0.0)
    s, prices = state(), []
    for _ in range(240):
        price, capacity, ordered = cycle_month(s, p, b, share)
        s = state(memory_price=float(price[0]), memory_capacity=float(capacity[0]), memory_orders=float(ordered[0]))
        prices.append(float(price[0]))
    peak = int(np.argmax(prices))
    assert 3 <= peak <= 24
    assert prices[peak] > 0.15
    after = prices[peak:]
    assert min(after[:48]) < 0.6 * prices[peak]  # a cycle, not a level
    assert abs(prices[-1]) < 0.7 * prices[peak]


def test_accelerators_take_memory_from_everybody_else(p: Any) -> None:
    without, _, _ = cycle_month(state(), p, believed(), members(0.0))
    with_, _, _ = cycle_month(state(), p, believed(), members(0.1))
    assert float(with_[0] - without[0]) == pytest.approx(0.17 * 3.0 * 0.1)


def test_fabs_in_china_move_slowly_and_age_without_tools(p: Any) -> None:
    share, level = china_fabs_month(state(), p, dated(china_fabs=0.0))
    assert float(share[0]) == pytest.approx(1 - 1 / 36)
    assert float(level[0]) == pytest.approx(np.exp(-0.08 / 12))
    upgraded = china_fabs_month(state(), p, dated(china_fab_tech=1.0))[1]
    harsher = china_fabs_month(state(), p, dated(equipment=3.0))[1]
    assert float(upgraded[0]) > float(level[0]) > float(harsher[0])
    np.testing.assert_allclose(china_fabs_month(state(), p, dated(future=0.0, china_fabs=0.0)), 1.0)
