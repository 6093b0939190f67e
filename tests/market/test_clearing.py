"""Clearing: what must hold of every month's market, whatever its offers, budgets and capacities."""

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.market import Cleared, Market, Premia, clear


K, H, R, W, G, C = 4, 2, 3, 2, 2, 2
CAPACITIES = ("supply", "quota", "class_quota", "route", "offshore")


@cache
def cleared_by(sweeps: int) -> Callable[[Market, Premia], tuple[Premia, Cleared]]:
    return jax.jit(lambda market, premia: clear(market, premia, sweeps))


@jax.jit
def gone_on(market: Market, premia: Premia, times: int) -> Premia:
    """Premia after so many times eight sweeps."""
    return jax.lax.fori_loop(0, times, lambda _, reached: clear(market, reached, 8)[0], premia)


def no_premia() -> Premia:
    return Premia(*(jnp.zeros((n, 1)) for n in (K, K, C, H, H)))


def run(market: Market, sweeps: int = 8) -> tuple[Premia, Cleared]:
    """Clear from no premia; beyond eight sweeps go on from the premia reached. Of the one member."""
    reached = gone_on(market, no_premia(), sweeps // 8 - 1) if sweeps > 8 else no_premia()
    premia, result = cleared_by(8)(market, reached)
    return of_member(premia), with_flows(result)


def of_member(record: Any) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[..., 0], record)


def with_flows(result: Cleared) -> Any:
    """The one member's sales, with what went through hubs by product and hub."""
    kept = of_member(result)
    flows = {"smuggled": np.asarray(result.smuggled)[..., 0], "rented": np.asarray(result.rented)[..., 0]}
    return SimpleNamespace(**kept._asdict(), **flows)


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
    group = np.eye(G)[rng.integers(0, G, K)].T
    pooled = np.eye(C)[rng.integers(0, C, K)].T * some(K)
    fields = {
        "theta": np.exp(rng.uniform(np.log(1.5), np.log(5))),
        "budget": budget,
        "budget_china": 1e9 * spread(W),
        "price": price,
        "price_china": price * (1 + 0.25 * rng.random(K)),
        "value": spread(W, K, by=2).T,
        "pull": spread(K) * some(K),
        "direct": spread(K) * some(K),
        "foreign": spread(K) * some(K),
        "group_of": group,
        "reach": spread(R, G) * some(R, G),
        "smuggle": 0.3 * spread(H) * some(H),
        "rent": 0.3 * spread(H) * some(H),
        "smuggle_cost": 0.3 * rng.random(H),
        "rent_cost": 0.3 * rng.random(H),
        "outside": 0.1 * spread(R, W),
        "outside_china": 0.1 * spread(W),
        "supply": 5e4 * spread(K, by=2),
        "quota": np.where(rng.random(K) < 0.5, 1e12, 1e4 * spread(K, by=2) * some(K)),
        "class_quota": 2e4 * spread(C, by=2),
        "class_of": pooled,
        "route": 1e4 * spread(H, by=2),
        "slots": spread(K),
        "offshore": 1e7 * spread(H, by=2),
        "power": 1e3 * spread(K),
        "roof": 0.0,
    }
    return Market(**{name: jnp.asarray(value, float)[..., None] for name, value in {**fields, **changed}.items()})


markets = st.integers(0, 2**32 - 1).map(market_from)


def sold(result: Any) -> np.ndarray:
    return result.open_market.sum(0) + result.direct + result.smuggled.sum(1) + result.rented.sum(1)


# The search for premia is in single precision; what is rationed is exact.
ROUNDING = 1 + 1e-12


@settings(max_examples=200)
@given(markets, st.sampled_from([0, 8]))
def test_capacities_hold_exactly_whatever_the_sweeps_left(market: Market, sweeps: int) -> None:
    result, m = with_flows(cleared_by(sweeps)(market, no_premia())[1]), of_member(market)
    assert np.all(sold(result) <= m.supply * ROUNDING)
    assert np.all(result.direct <= m.quota * ROUNDING)
    assert np.all(m.class_of @ result.direct <= m.class_quota * ROUNDING)
    assert np.all((result.smuggled * m.slots[:, None]).sum(0) <= m.route * ROUNDING)
    assert np.all((result.rented * m.power[:, None]).sum(0) <= m.offshore * ROUNDING)
    assert all(np.all(field >= 0) and np.all(np.isfinite(field)) for field in vars(result).values())


@given(markets)
def test_nothing_is_bought_that_was_not_offered(market: Market) -> None:
    _, result = run(market)
    m = of_member(market)
    reached = np.einsum("rg,gk->rk", m.reach, m.group_of) * m.pull
    assert np.all(result.open_market[reached == 0] == 0)
    assert np.all(result.direct[m.direct == 0] == 0)
    assert np.all(result.smuggled[m.foreign == 0] == 0)
    assert np.all(result.rented[:, m.rent == 0] == 0)
    assert np.all(result.smuggled[:, m.smuggle == 0] == 0)
    assert np.all(result.direct[m.quota == 0] == 0)
    assert np.all(result.open_market[0] == 0)  # no budget, no purchase


@pytest.mark.parametrize("field", ["value", "supply"])
def test_a_product_without_value_or_supply_is_not_sold(field: str) -> None:
    market = market_from(3)
    gone = np.asarray(getattr(market, field)).copy()
    gone[1] = 0
    _, result = run(market._replace(**{field: jnp.asarray(gone)}))
    assert sold(result)[1] == 0
    assert sold(result).sum() > 0


def dense(market: Market, premia: Premia) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Spending of every buyer on every offer and on waiting, written out offer by offer.

    Offers of China: direct, then a smuggling route and a rental in every hub, for every product.
    """
    m = of_member(market)
    pull = np.einsum("rg,gk->rk", m.reach, m.group_of) * m.pull
    world = m.budget[:, :, None] * _shares(pull[:, None, :] * m.value.T[None] * np.exp(premia.product), m.outside)
    direct = m.value.T * m.direct * np.exp(premia.product + premia.quota + m.class_of.T @ premia.class_)
    through = (m.value.T * m.foreign * np.exp(premia.product))[:, :, None]
    smuggled = through * m.smuggle * np.exp(premia.route)
    rented = through * m.rent * np.exp(premia.offshore)
    everything = np.concatenate([direct[:, :, None], smuggled, rented], axis=2).reshape(W, -1)
    china = m.budget_china[:, None] * _shares(everything, m.outside_china)
    waiting_world = m.budget - world.sum(-1)
    waiting_china = m.budget_china - china.sum(-1)
    return world, waiting_world, china.reshape(W, K, 1 + 2 * H), waiting_china


def _shares(weights: np.ndarray, outside: np.ndarray) -> np.ndarray:
    return weights / (weights.sum(-1) + outside)[..., None]


@settings(max_examples=100)
@given(markets)
def test_sales_are_the_logit_choices_of_every_buyer_where_nothing_is_rationed(market: Market) -> None:
    ample = {name: jnp.full_like(getattr(market, name), 1e18) for name in CAPACITIES}
    premia, result = run(market._replace(**ample))
    assert all(np.all(field == 0) for field in premia)
    world, _, china, _ = dense(market, premia)
    m = of_member(market)
    np.testing.assert_allclose(result.open_market, world.sum(1) / m.price, rtol=1e-10)
    np.testing.assert_allclose(result.direct, china.sum(0)[:, 0] / m.price_china, rtol=1e-10)
    smuggled = china.sum(0)[:, 1 : 1 + H] / (m.price[:, None] * np.exp(m.smuggle_cost))
    np.testing.assert_allclose(result.smuggled, smuggled, rtol=1e-10)
    rented = china.sum(0)[:, 1 + H :] / (m.price[:, None] * np.exp(m.rent_cost))
    np.testing.assert_allclose(result.rented, rented, rtol=1e-10)
    assert result.unmet == 0


@settings(max_examples=100)
@given(markets, st.sampled_from([0, 8]))
def test_every_dollar_is_spent_rationed_or_kept(market: Market, sweeps: int) -> None:
    found, cleared = cleared_by(sweeps)(market, no_premia())
    premia, result, m = of_member(found), with_flows(cleared), of_member(market)
    _, waiting_world, _, waiting_china = dense(market, premia)
    out = result.spent + result.unspent.sum(1) + waiting_world.sum(1)
    np.testing.assert_allclose(out, m.budget.sum(1), rtol=1e-9, atol=1e-3)
    out_china = result.spent_china + result.unspent_china.sum() + waiting_china.sum()
    np.testing.assert_allclose(out_china, m.budget_china.sum(), rtol=1e-9)
    wanted = result.spent.sum() + result.spent_china + result.unspent.sum() + result.unspent_china.sum()
    np.testing.assert_allclose(
        result.unmet * wanted, wanted - result.spent.sum() - result.spent_china, atol=1e-6 * wanted
    )


@settings(max_examples=40)
@given(markets)
def test_enough_sweeps_leave_next_to_nothing_unmet_and_no_premium_where_supply_is_slack(market: Market) -> None:
    premia, result = run(market, 400)
    m = of_member(market)
    shut = m.quota == 0  # demand for what is shut falls to the floor of the rent, not to nothing
    assert result.unmet < (1e-5 if not shut.any() else 1e-3)
    slack = sold(result) < 0.99 * m.supply
    assert np.all(premia.product[slack] > -1e-3)
    open_quota = result.direct < 0.99 * m.quota
    assert np.all(premia.quota[open_quota & (m.direct > 0)] > -1e-3)
    assert all(np.all(field <= 0) for field in premia)


def test_unmet_spending_falls_with_the_sweeps() -> None:
    left = np.array([[float(run(market_from(seed), sweeps)[1].unmet) for sweeps in (8, 32, 128)] for seed in range(40)])
    medians = np.median(left, axis=0)
    assert medians[0] > medians[1] > medians[2] or medians[1] < 1e-6
    assert medians[2] < 1e-5


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(1.1, 20))
def test_more_of_a_product_never_raises_its_premium(seed: int, factor: float) -> None:
    market = market_from(seed)
    before, _ = run(market, 400)
    for k in range(K):
        after, _ = run(market._replace(supply=market.supply.at[k].multiply(factor)), 400)
        assert -after.product[k] <= -before.product[k] + 1e-3


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.9))
def test_a_tighter_quota_never_raises_direct_sales_of_the_product(seed: int, factor: float) -> None:
    market = market_from(seed)
    before = run(market, 400)[1].direct
    for k in range(K):
        after = run(market._replace(quota=market.quota.at[k].multiply(factor)), 400)[1].direct
        assert after[k] <= before[k] * (1 + 1e-3) + 1e-9


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.9))
def test_a_tighter_quota_of_a_class_never_raises_what_the_class_sells(seed: int, factor: float) -> None:
    market = market_from(seed)
    m = of_member(market)
    before = m.class_of @ run(market, 400)[1].direct
    for c in range(C):
        tighter = market._replace(class_quota=market.class_quota.at[c].multiply(factor))
        after = m.class_of @ run(tighter, 400)[1].direct
        assert after[c] <= before[c] * (1 + 1e-3) + 1e-9


@given(st.integers(0, 2**32 - 1))
def test_offers_that_are_alike_sell_alike(seed: int) -> None:
    market = market_from(seed)
    twins = {}
    for name in ("price", "price_china", "value", "pull", "direct", "foreign", "supply", "quota", "slots", "power"):
        values = np.asarray(getattr(market, name)).copy()
        values[1] = values[0]
        twins[name] = jnp.asarray(values)
    for name in ("group_of", "class_of"):
        values = np.asarray(getattr(market, name)).copy()
        values[:, 1] = values[:, 0]
        twins[name] = jnp.asarray(values)
    _, result = run(market._replace(**twins))
    np.testing.assert_allclose(result.open_market[:, 0], result.open_market[:, 1], rtol=1e-12)
    for field in ("direct", "smuggled", "rented"):
        values = getattr(result, field)
        np.testing.assert_allclose(values[0], values[1], rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_counting_in_other_money_changes_nothing_real(seed: int, rate: float) -> None:
    market = market_from(seed)
    money = ("budget", "budget_china", "price", "price_china")
    other = market._replace(**{name: getattr(market, name) * rate for name in money})
    (_, one), (_, two) = run(market), run(other)
    np.testing.assert_allclose(one.open_market, two.open_market, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(one.smuggled, two.smuggled, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(one.spent * rate, two.spent, rtol=1e-3)


def test_a_roof_lets_a_glut_in_the_hubs_sell_below_the_makers_price() -> None:
    ample = {"route": np.full(H, 1e9), "smuggle": np.full(H, 0.3), "foreign": np.ones(K)}
    flat, _ = run(market_from(5, **ample), 80)
    sloped, _ = run(market_from(5, **ample, roof=1.0), 80)
    assert np.all(flat.route == 0)
    assert np.all(sloped.route > 0)
    assert np.all(sloped.route <= 1.0)


def test_without_supply_and_budget_everything_is_zero_and_finite() -> None:
    market = market_from(1)
    empty = {name: jnp.zeros_like(getattr(market, name)) for name in ("supply", "budget", "budget_china")}
    premia, result = run(market._replace(**empty))
    assert all(np.all(np.isfinite(field)) for field in premia)
    for name in ("open_market", "direct", "smuggled", "rented", "spent", "spent_china", "unspent", "unmet"):
        assert np.all(getattr(result, name) == 0), name


def test_every_member_of_a_batch_clears_as_if_it_were_alone() -> None:
    # Which group and class a product belongs to, all members share.
    shared = {name: np.asarray(getattr(market_from(0), name))[..., 0] for name in ("group_of", "class_of")}
    several = [market_from(seed, **shared) for seed in range(5)]
    joined = jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=-1), *several)
    start = jax.tree.map(lambda leaf: jnp.repeat(leaf, 5, axis=-1), no_premia())
    _, together = cleared_by(8)(joined, start)
    for n, market in enumerate(several):
        alone = run(market)[1]
        np.testing.assert_allclose(np.asarray(together.direct)[..., n], alone.direct, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.asarray(together.open_market)[..., n], alone.open_market, rtol=1e-5, atol=1e-6)
