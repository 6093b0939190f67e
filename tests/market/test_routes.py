"""Routes and offshore capacity: growth with rent, attrition with enforcement, licences and size."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chipweir.market import offshore_capacity, route_capacity, route_cost


LIMIT = np.array([1e5, 1e5])
RENT = st.floats(0, 2)


def route(
    capacity: float,
    rent: float = 0.2,
    pressure: float = 0.0,
    licence: float = 0.0,
    limit: float = 1e5,
    active: float = 1.0,
) -> float:
    """Places a month of a hub's route, a month on."""
    size, seen, earned = (np.array([value]) for value in (capacity, limit, rent))
    after = route_capacity(size, seen, 0.55, earned, 0.2, np.array([pressure]), 0.4, np.array([licence]), 0.65, active)
    return float(after[0])


@given(st.floats(10, 1e5), RENT, st.floats(0.01, 1))
def test_a_route_grows_with_its_rent(capacity: float, rent: float, more: float) -> None:
    assert route(capacity, rent + more) >= route(capacity, rent)


def test_a_route_that_earns_nothing_decays_and_one_that_earns_grows() -> None:
    assert route(1e3, rent=0.0) < 1e3 < route(1e3, rent=0.3)


def test_networks_outlast_a_bad_year_and_rest_where_nothing_is_controlled() -> None:
    withered, grown = route(1e3, rent=0.0) / 1e3, route(1e3, rent=0.3) / 1e3
    assert 0.95 < withered < 1
    assert grown - 1 > 3 * (1 - withered)
    assert route(1e3, rent=0.5, active=0.0) == 1e3


@given(st.floats(10, 1e5), RENT, st.floats(-1.4, 3), st.floats(0.01, 2))
def test_enforcement_and_licences_and_size_hold_a_route_down(
    capacity: float, rent: float, pressure: float, more: float
) -> None:
    base = route(capacity, rent, pressure)
    assert route(capacity, rent, pressure + more) < base
    assert route(capacity, rent, pressure, licence=1.0) < base
    assert route(capacity, rent, pressure, limit=5e4) < base


def test_the_limit_is_where_attrition_alone_outweighs_the_highest_rent() -> None:
    assert route(0.7e5, rent=9.0) > 0.7e5
    assert route(0.8e5, rent=9.0) < 0.8e5  # 1 - 0.25 - 0.8 < 0


@given(st.floats(0, 1e8), RENT, st.floats(-2, 5))
def test_capacity_stays_between_its_bounds(capacity: float, rent: float, pressure: float) -> None:
    assert 0.01 <= route(capacity, rent, pressure) <= 1e7


def test_the_cost_of_a_route_is_its_base_raised_by_enforcement_and_the_licence() -> None:
    cost = route_cost(0.16, np.array([0.0, 1.0, 0.0]), 0.4, np.array([0.0, 0.0, 1.0]), 0.65)
    np.testing.assert_allclose(cost, [0.16, 0.16 * np.exp(0.4), 0.16 + 0.65])


def offshore(rent: float, control: float, capacity: float = 1e8, licence: float = 0.0) -> float:
    """Watts a month that hosts open to Chinese users, a month on."""
    after = offshore_capacity(
        np.array([capacity]), np.array([1e9]), np.array([rent]), 0.08, control, np.array([licence]), 1.0
    )
    return float(after[0])


def test_offshore_capacity_grows_with_rent_and_shrinks_under_a_control() -> None:
    assert offshore(0.3, 0.0) > 1e8
    assert offshore(0.0, 0.0) < 1e8
    assert offshore(0.3, 1.0) < offshore(0.3, 0.5) < offshore(0.3, 0.0)
    assert offshore(0.3, 1.0) < 1e8
    assert offshore(9.0, 0.0, capacity=0.95e9) < 0.95e9
    assert offshore(0.3, 0.0, licence=1.0) < offshore(0.3, 0.0)


def after_licence(fungibility: float, capacities: np.ndarray) -> np.ndarray:
    """Next month's routes of two hubs, the first of them under a licence."""
    licence = np.array([1.0, 0.0])
    return np.asarray(
        route_capacity(capacities, LIMIT, fungibility, np.array([0.2, 0.2]), 0.2, np.zeros(2), 0.4, licence, 0.65, 1.0)
    )


def test_a_licence_shrinks_its_own_hub_alone_in_the_same_month() -> None:
    both, none = np.array([2e4, 2e4]), np.zeros(2)
    free = np.asarray(route_capacity(both, LIMIT, 0.5, np.array([0.2, 0.2]), 0.2, none, 0.4, none, 0.65, 1.0))
    licensed = after_licence(0.5, both)
    assert licensed[0] < free[0]
    assert licensed[1] == free[1]


def test_a_hub_grows_into_the_room_that_a_closed_one_leaves_as_far_as_routes_are_fungible() -> None:
    gone, there = np.array([10.0, 4e4]), np.array([4e4, 4e4])
    gain = [after_licence(share, gone)[1] / after_licence(share, there)[1] for share in (0.0, 0.3, 0.9)]
    assert gain[0] == 1
    assert 1 < gain[1] < gain[2]
