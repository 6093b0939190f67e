"""Supply's month on a case of four chips made by hand: what is taken, what brakes, what each input is worth."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from by_hand import believed, dated, fabs, members, orders, state, stores

from chipweir.supply import Made, State, held_back, product_mix, supply_month


Step = Callable[..., tuple[State, Made]]


@pytest.fixture(scope="module")
def step() -> Step:
    compiled = jax.jit(supply_month)

    def of(p: Any, m: Any = None, b: Any = None, s: Any = None, held: Any = None, o: Any = None) -> tuple[State, Made]:
        return compiled(
            s if s is not None else state(), p, m if m is not None else dated(), b if b is not None else believed(),
            fabs(), held if held is not None else stores(), o if o is not None else orders(),
        )  # fmt: skip

    return of


def home(made: Made) -> float:
    return float(made.packages[:2].sum())


def test_no_more_is_taken_than_there_is(step: Step, p: Any) -> None:
    held = stores()
    _, made = step(p, held=held)
    assert np.all(made.packages > 0)
    assert np.all(made.dies_used <= np.asarray(held.dies) + made.dies_arrived + 1e-6)
    assert np.all(made.hbm_used <= np.asarray(held.hbm) + made.hbm_arrived + 1e-6)
    np.testing.assert_allclose(made.dies_used[0], made.packages[0] * 1 + made.packages[1] * 2, rtol=1e-12)
    np.testing.assert_allclose(made.hbm_used.sum(), made.packages[0] * 4 + made.packages[1] * 8, rtol=1e-12)
    np.testing.assert_allclose(made.binding.sum(0), 1)
    assert np.all((made.utilisation >= 0) & (made.utilisation <= 1))


@pytest.mark.parametrize(
    ("input_", "changed"),
    [
        ("logic", {"lines": np.array([4e3, 1.3e5])}),
        ("memory", {"hbm_import": 0.0, "hbm_cxmt": 0.0, "hbm_huawei": 0.0}),
        ("packaging", {"china_packaging": 1e4}),
    ],
)
def test_taking_away_the_input_that_binds_cuts_output_and_the_others_show_slack(
    step: Step, p: Any, input_: str, changed: dict[str, Any]
) -> None:
    _, before = step(p)
    fewer = state(capacity=changed["lines"]) if input_ == "logic" else state()
    none = stores(dies=np.zeros(2), hbm=np.zeros(2))
    _, after = step(p, b=believed(**changed), s=fewer, held=none)
    assert home(after) < 0.6 * home(before)
    np.testing.assert_allclose(after.packages[2:], before.packages[2:], rtol=1e-9)
    which = ("logic", "memory", "packaging").index(input_)
    assert np.argmin(after.slack[:, 0]) == which


def test_dies_in_stock_brake_wafer_starts(step: Step, p: Any) -> None:
    arrived = [float(step(p, held=stores(dies=np.array([n, 0.0])))[1].dies_arrived[0, 0]) for n in (0, 1e6, 5e6, 5e7)]
    assert arrived == sorted(arrived, reverse=True)
    assert arrived[-1] < 0.01 * arrived[0]


def test_makers_hold_back_what_lies_unsold_and_what_the_law_stops(p: Any) -> None:
    plan, sales = members(np.full(2, 100.0)), members(np.full(2, 100.0))

    def kept(unsold: float, allowed: float = 1e12, launch: float = 0.0, sold: Any = sales) -> float:
        asked = orders(sales=np.asarray(sold)[:, 0], allowed=np.full(2, allowed), tilt=np.zeros(2))
        lots, new, home = members(np.full(2, unsold)), members(np.full(2, launch)), members(np.ones(2))
        return float(held_back(p, plan, lots, asked, new, home)[0, 0])

    assert kept(0) == 100
    assert kept(300) == pytest.approx(50)  # `unsold_months` of sales halve the plan
    assert kept(3000) < 1
    assert kept(0, allowed=30) == 30
    # A new product has no sales yet to be measured by: it is hoped to sell like the others of its kind, if they do.
    new, glut = members(np.array([0.0, 200.0])), members(np.array([0.0, 10.0]))
    assert kept(50, launch=1.0, sold=new) > 90 > kept(50, launch=0.0, sold=new)
    assert kept(50, launch=1.0, sold=glut) < 40


def test_a_mix_is_tilted_within_its_maker() -> None:
    mix, tilt = members(np.array([0.6, 0.2, 0.7, 0.0])), members(np.array([0.0, 1.0, 5.0, 9.0]))
    share = np.asarray(product_mix(mix, tilt, fabs()))[:, 0]
    assert share[:2].sum() == pytest.approx(0.8)
    assert share[1] / share[0] == pytest.approx(np.e / 3)
    assert share[2] == pytest.approx(0.7)
    assert share[3] == 0


def test_what_a_scenario_orders_is_made_as_far_as_parts_allow(step: Step, p: Any) -> None:
    _, made = step(p, m=dated(ordered=np.array([0.0, 0, 12_345, 0])))
    assert float(made.packages[2, 0]) == pytest.approx(12_345, rel=0.02)
    _, starved = step(p, m=dated(ordered=np.array([0.0, 0, 5e7, 0])))
    assert float(starved.packages[2, 0] * 6 + starved.packages[3, 0] * 8) <= 0.5 * 1.6e7 * (1 + 1e-9)


def test_a_package_costs_its_dies_memory_and_assembly(step: Step, p: Any) -> None:
    _, made = step(p)
    die = np.asarray(made.fraction)[2, 0] * 60
    assert float(made.cost[2, 0]) == pytest.approx(1.65e4 / die + 6 * 350 + 1000)
    assert float(made.cost[1, 0]) == pytest.approx(2 * 1e4 / (80 * float(made.fraction[1, 0])) + 8 * 250 * 1.2 + 450)


def test_huaweis_memory_serves_its_own_chips_alone(step: Step, p: Any) -> None:
    _, little = step(p, b=believed(hbm_huawei=0.0, hbm_import=1e5, hbm_cxmt=1e5), held=stores(hbm=np.zeros(2)))
    _, much = step(p, b=believed(hbm_huawei=1e7, hbm_import=1e5, hbm_cxmt=1e5), held=stores(hbm=np.zeros(2)))
    assert float(much.packages[0, 0]) > 3 * float(little.packages[0, 0])
    assert float(much.hbm_used[1, 0]) == pytest.approx(float(much.packages[0, 0]) * 4)
    # The common stacks that it leaves go to the others.
    assert float(much.packages[1, 0]) >= float(little.packages[1, 0])


def test_foreign_makers_feel_what_korea_withholds(step: Step, p: Any) -> None:
    short = believed(hbm_skhynix=5e5, hbm_samsung=4e5, hbm_micron=1e5)
    _, sold = step(p, b=short)
    after, withheld = step(p, m=dated(hbm_withhold=1.0), b=short)
    assert float(withheld.packages[2:].sum()) < 0.2 * float(sold.packages[2:].sum())
    assert home(withheld) == pytest.approx(home(sold))
    assert float(after.micron_hbm[0]) > 1


def test_before_the_cut_off_capacity_follows_belief(step: Step, p: Any) -> None:
    after, _ = step(p, m=dated(future=0.0, capacity_investment=3.0, equipment=3.0))
    np.testing.assert_allclose(after.capacity[:, 0], [40_500, 131_000])
