"""Clearing: what must hold of every month's market, whatever its offers, budgets and capacities."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.market import Cleared, Market, Premia, clear


K, H, R, W = 4, 2, 3, 2


@cache
def cleared_by(sweeps: int) -> Callable[[Market, Premia], tuple[Premia, Cleared]]:
    return jax.jit(lambda market, premia: clear(market, premia, sweeps))


def no_premia() -> Premia:
    return Premia(jnp.zeros(K), jnp.zeros(K), jnp.zeros(H), jnp.zeros(H))


def run(market: Market, sweeps: int = 8) -> tuple[Premia, Cleared]:
    """Clear from no premia; beyond eight sweeps go on from the premia reached."""
    premia = no_premia()
    for _ in range(max(sweeps // 8, 1)):
        premia, result = cleared_by(8)(market, premia)
    return jax.tree.map(np.asarray, (premia, result))


def market_from(seed: int, **changed: Any) -> Market:
    """A market with offers, budgets and capacities over several orders of magnitude; some offers do not exist."""
    rng = np.random.default_rng(seed)

    def spread(*shape: int, by: float = 1.0) -> np.ndarray:
        return np.exp(by * rng.standard_normal(shape))

    def some(*shape: int) -> np.ndarray:
        return (rng.random(shape) < 0.8) * 1.0

    price = 1e4 * spread(K)
    budget = 1e9 * spread(R, W)
    budget[0] = 0  # China has a budget of its own
    fields = {
        "theta": np.exp(rng.uniform(np.log(1.5), np.log(5))),
        "budget": budget,
        "budget_china": 1e9 * spread(W),
        "price": price,
        "price_china": price * (1 + 0.25 * rng.random(K)),
        "value": spread(W, K, by=2),
        "pull": spread(R, K) * some(R, K),
        "direct": spread(K) * some(K),
        "foreign": spread(K) * some(K),
        "smuggle": 0.3 * spread(H) * some(H),
        "rent": 0.3 * spread(H) * some(H),
        "smuggle_cost": 0.3 * rng.random(H),
        "rent_cost": 0.3 * rng.random(H),
        "outside": 0.1 * spread()[()],
        "outside_china": 0.1 * spread()[()],
        "supply": 5e4 * spread(K, by=2),
        "quota": np.where(rng.random(K) < 0.5, 1e12, 1e4 * spread(K, by=2) * some(K)),
        "route": 1e8 * spread(H, by=2),
        "offshore": 1e8 * spread(H, by=2),
    }
    return Market(**{name: jnp.asarray(value, dtype=float) for name, value in {**fields, **changed}.items()})


markets = st.integers(0, 2**32 - 1).map(market_from)


def sold(result: Cleared) -> np.ndarray:
    return result.open_market.sum(0) + result.direct + result.smuggled.sum(1) + result.rented.sum(1)


@settings(max_examples=200)
@given(markets, st.sampled_from([0, 8]))
def test_capacities_hold_exactly_whatever_the_sweeps_left(market: Market, sweeps: int) -> None:
    _, result = jax.tree.map(np.asarray, cleared_by(sweeps)(market, no_premia()))
    rounding = 1 + 1e-12
    assert np.all(sold(result) <= np.asarray(market.supply) * rounding)
    assert np.all(result.direct <= np.asarray(market.quota) * rounding)
    list_value = np.asarray(market.price)[:, None]
    assert np.all((result.smuggled * list_value).sum(0) <= np.asarray(market.route) * rounding)
    assert np.all((result.rented * list_value).sum(0) <= np.asarray(market.offshore) * rounding)
    assert all(np.all(field >= 0) and np.all(np.isfinite(field)) for field in result)


@given(markets)
def test_nothing_is_bought_that_was_not_offered(market: Market) -> None:
    _, result = run(market)
    assert np.all(result.open_market[np.asarray(market.pull) == 0] == 0)
    assert np.all(result.direct[np.asarray(market.direct) == 0] == 0)
    assert np.all(result.smuggled[np.asarray(market.foreign) == 0] == 0)
    assert np.all(result.rented[:, np.asarray(market.rent) == 0] == 0)
    assert np.all(result.smuggled[:, np.asarray(market.smuggle) == 0] == 0)
    assert np.all(result.direct[np.asarray(market.quota) == 0] == 0)
    assert np.all(result.open_market[0] == 0)  # no budget, no purchase


@pytest.mark.parametrize("field", ["value", "supply"])
def test_a_product_without_value_or_supply_is_not_sold(field: str) -> None:
    market = market_from(3)
    gone = np.asarray(getattr(market, field)).copy()
    gone[..., 1] = 0
    _, result = run(market._replace(**{field: jnp.asarray(gone)}))
    assert sold(result)[1] == 0
    assert sold(result).sum() > 0


def dense(market: Market, premia: Premia) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Spending of every buyer on every offer and on waiting, written out offer by offer.

    Offers of China: direct, then a smuggling route and a rental in every hub, for every product.
    """
    m = jax.tree.map(np.asarray, market)
    world = m.budget[:, :, None] * _shares(
        m.pull[:, None, :] * m.value[None] * np.exp(premia.product), np.broadcast_to(m.outside, (R, W))
    )
    direct = m.value * m.direct * np.exp(premia.product + premia.quota)
    through = (m.value * m.foreign * np.exp(premia.product))[:, :, None]
    smuggled = through * m.smuggle * np.exp(premia.route)
    rented = through * m.rent * np.exp(premia.offshore)
    everything = np.concatenate([direct[:, :, None], smuggled, rented], axis=2).reshape(W, -1)
    china = m.budget_china[:, None] * _shares(everything, np.broadcast_to(m.outside_china, (W,)))
    waiting_world = m.budget - world.sum(-1)
    waiting_china = m.budget_china - china.sum(-1)
    return world, waiting_world, china.reshape(W, K, 1 + 2 * H), waiting_china


def _shares(weights: np.ndarray, outside: np.ndarray) -> np.ndarray:
    return weights / (weights.sum(-1) + outside)[..., None]


@settings(max_examples=100)
@given(markets)
def test_sales_are_the_logit_choices_of_every_buyer_where_nothing_is_rationed(market: Market) -> None:
    ample = {name: jnp.full_like(getattr(market, name), 1e18) for name in ("supply", "quota", "route", "offshore")}
    premia, result = run(market._replace(**ample))
    assert all(np.all(field == 0) for field in premia)
    world, _, china, _ = dense(market, premia)
    price, price_china = np.asarray(market.price), np.asarray(market.price_china)
    np.testing.assert_allclose(result.open_market, world.sum(1) / price, rtol=1e-10)
    np.testing.assert_allclose(result.direct, china.sum(0)[:, 0] / price_china, rtol=1e-10)
    smuggled = china.sum(0)[:, 1 : 1 + H] / (price[:, None] * np.exp(np.asarray(market.smuggle_cost)))
    np.testing.assert_allclose(result.smuggled, smuggled, rtol=1e-10)
    rented = china.sum(0)[:, 1 + H :] / (price[:, None] * np.exp(np.asarray(market.rent_cost)))
    np.testing.assert_allclose(result.rented, rented, rtol=1e-10)
    assert result.unmet == 0


@settings(max_examples=100)
@given(markets, st.sampled_from([0, 8]))
def test_every_dollar_is_spent_rationed_or_kept(market: Market, sweeps: int) -> None:
    premia, result = jax.tree.map(np.asarray, cleared_by(sweeps)(market, no_premia()))
    _, waiting_world, _, waiting_china = dense(market, premia)
    out = result.spent + result.unspent.sum(1) + waiting_world.sum(1)
    np.testing.assert_allclose(out, np.asarray(market.budget).sum(1), rtol=1e-9, atol=1e-3)
    out_china = result.spent_china + result.unspent_china.sum() + waiting_china.sum()
    np.testing.assert_allclose(out_china, np.asarray(market.budget_china).sum(), rtol=1e-9)
    wanted = result.spent.sum() + result.spent_china + result.unspent.sum() + result.unspent_china.sum()
    np.testing.assert_allclose(
        result.unmet * wanted, wanted - result.spent.sum() - result.spent_china, atol=1e-6 * wanted
    )


@settings(max_examples=60)
@given(markets)
def test_enough_sweeps_leave_next_to_nothing_unmet_and_no_premium_where_supply_is_slack(market: Market) -> None:
    premia, result = run(market, 400)
    shut = np.asarray(market.quota) == 0  # demand for what is shut falls to the floor of the rent, not to nothing
    assert result.unmet < (1e-6 if not shut.any() else 1e-3)
    slack = sold(result) < 0.99 * np.asarray(market.supply)
    assert np.all(premia.product[slack] > -1e-3)
    open_quota = result.direct < 0.99 * np.asarray(market.quota)
    assert np.all(premia.quota[open_quota & (np.asarray(market.direct) > 0)] > -1e-3)
    assert all(np.all(field <= 0) for field in premia)


def test_unmet_spending_falls_with_the_sweeps() -> None:
    left = np.array([[float(run(market_from(seed), sweeps)[1].unmet) for sweeps in (8, 32, 128)] for seed in range(60)])
    medians = np.median(left, axis=0)
    assert medians[0] > medians[1] > medians[2] or medians[1] < 1e-9
    assert medians[2] < 1e-6


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(1.1, 20))
def test_more_of_a_product_never_raises_its_premium(seed: int, factor: float) -> None:
    market = market_from(seed)
    before, _ = run(market, 400)
    for k in range(K):
        after, _ = run(market._replace(supply=market.supply.at[k].multiply(factor)), 400)
        assert -after.product[k] <= -before.product[k] + 1e-4


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.9))
def test_a_tighter_quota_never_raises_direct_sales_of_the_product(seed: int, factor: float) -> None:
    market = market_from(seed)
    before = run(market, 400)[1].direct
    for k in range(K):
        after = run(market._replace(quota=market.quota.at[k].multiply(factor)), 400)[1].direct
        assert after[k] <= before[k] * (1 + 1e-4) + 1e-9


@given(st.integers(0, 2**32 - 1))
def test_offers_that_are_alike_sell_alike(seed: int) -> None:
    market = market_from(seed)
    twins = {}
    for name in ("price", "price_china", "value", "pull", "direct", "foreign", "supply", "quota"):
        values = np.asarray(getattr(market, name)).copy()
        values[..., 1] = values[..., 0]
        twins[name] = jnp.asarray(values)
    _, result = run(market._replace(**twins))
    np.testing.assert_allclose(result.open_market[:, 0], result.open_market[:, 1], rtol=1e-12)
    for field in ("direct", "smuggled", "rented"):
        values = getattr(result, field)
        np.testing.assert_allclose(values[0], values[1], rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_counting_in_other_money_changes_nothing_real(seed: int, rate: float) -> None:
    market = market_from(seed)
    money = ("budget", "budget_china", "price", "price_china", "route", "offshore")
    other = market._replace(**{name: getattr(market, name) * rate for name in money})
    (_, one), (_, two) = run(market), run(other)
    np.testing.assert_allclose(one.open_market, two.open_market, rtol=1e-6)
    np.testing.assert_allclose(one.smuggled, two.smuggled, rtol=1e-6)
    np.testing.assert_allclose(one.spent * rate, two.spent, rtol=1e-6)


def test_without_supply_and_budget_everything_is_zero_and_finite() -> None:
    market = market_from(1)
    empty = {name: jnp.zeros_like(getattr(market, name)) for name in ("supply", "budget", "budget_china")}
    premia, result = run(market._replace(**empty))
    assert all(np.all(np.isfinite(field)) for field in premia)
    assert all(np.all(field == 0) for field in result._replace(by_route=0, by_rental=0))
