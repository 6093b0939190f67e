"""The month's market: logit choice over offers, and the premia at which demand meets capacity.

Buyers are (region, workload). A buyer spends the share `a X Y / (out + sum a X Y)` of its budget on an offer, where `a` is
`exp(theta u)` of the offer's net utility, `X = exp(-theta premium)` belongs to the product (its output is scarce
everywhere) and `Y = exp(-theta rent)` to the channel (a quota, a smuggling route, offshore capacity). Units are spending
over a price that the premia have raised: `X^(1/theta)`. This is entropy-regularised transport with two families of
capacity constraints (Wilson 1967; Peyre and Cuturi 2019, ch. 4), scaled alternately: channels, then products. What still
exceeds a capacity after the sweeps is rationed pro rata, so that capacities hold exactly whatever the sweeps left.

China is the one region whose offers of a product differ by channel: direct (domestic or licensed), smuggled through a
hub, rented in a hub. The weight of hub h multiplies the product's utility, so that the sums over hubs factorise.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array


# The least a scaling variable can be: an offer cut to two billionths, from which two sweeps lead back.
_FLOOR = -20.0
# Demand below this share of the output leaves no doubt that output is left over.
_SLACK = 0.9
# Capacities above this are as good as none.
_FREE = 1e15


class Market(NamedTuple):
    """One month's offers and demands; K products, H hubs, R regions (China's row empty), W workloads.

    - `theta` []: logit sensitivity.
    - `budget` [R, W], `budget_china` [W]: USD.
    - `price` [K], `price_china` [K] (fee included): USD a unit.
    - `value` [W, K]: `exp(theta u)` of the products' value for money; `pull` [R, K], `direct` [K], `foreign` [K]: what
      multiplies it in open markets, in China directly and in China for foreign products; 0 where there is no offer.
    - `smuggle` [H], `rent` [H]: `exp(-theta cost)` times the hub's size; `smuggle_cost`, `rent_cost` [H] log points.
    - `outside` [], `outside_china` []: weight of not buying.
    - `supply` [K] units; `quota` [K] units on the direct channel to China; `route` [H], `offshore` [H] USD at list.
    """

    theta: Array
    budget: Array
    budget_china: Array
    price: Array
    price_china: Array
    value: Array
    pull: Array
    direct: Array
    foreign: Array
    smuggle: Array
    rent: Array
    smuggle_cost: Array
    rent_cost: Array
    outside: Array
    outside_china: Array
    supply: Array
    quota: Array
    route: Array
    offshore: Array


class Premia(NamedTuple):
    """Logarithms of the scaling variables, at most 0: `product` [K], `quota` [K], `route` [H], `offshore` [H].

    A premium in log points is `-premia / theta`.
    """

    product: Array
    quota: Array
    route: Array
    offshore: Array


class Cleared(NamedTuple):
    """What was sold, in units, and what was not.

    - `open_market` [R, K], `direct` [K]; `through_hubs` [K] times `by_route` [H] or `by_rental` [H] went through a hub.
    - `spent` [R], `spent_china` []: USD at prices paid; `unspent` [R, W], `unspent_china` [W]: USD rationed.
    - `unmet` []: rationed share of what buyers wanted to spend.
    """

    open_market: Array
    direct: Array
    through_hubs: Array
    by_route: Array
    by_rental: Array
    spent: Array
    spent_china: Array
    unspent: Array
    unspent_china: Array
    unmet: Array

    @property
    def smuggled(self) -> Array:
        """Units smuggled, as shipped, [K, H]."""
        return self.through_hubs[:, None] * self.by_route

    @property
    def rented(self) -> Array:
        """Units rented abroad, [K, H]."""
        return self.through_hubs[:, None] * self.by_rental


def _move(log_premium: Array, capacity: Array, demand: Array, gain: Array) -> Array:
    """A Newton step on the log of demand, which falls by `1 + 1/theta` per unit of the scaling variable.

    The log of capacity over demand is four times the Pade approximant of order (2, 2) of the log of its fourth root:
    right to the fourth order around balance, never beyond 12, and cheaper than a logarithm.
    """
    c, d = jnp.sqrt(jnp.minimum(capacity, _FREE) + 1e-30), jnp.sqrt(demand + 1e-30)
    change = 12 * (c - d) / (c + 4 * jnp.sqrt(c * d) + d)
    return jnp.clip(log_premium + gain * change, _FLOOR, 0.0)


class _Scaled(NamedTuple):
    """What the premia make of offers: `product`, `quota` [K] spending factors, `product_units`, `quota_units` [K] unit
    factors (spending over price), `smuggle`, `rent` [H] open weights, `by_route`, `by_rental` [H] unit factors."""

    product: Array
    product_units: Array
    quota: Array
    quota_units: Array
    smuggle: Array
    rent: Array
    by_route: Array
    by_rental: Array


def _scale(market: Market, premia: Premia) -> _Scaled:
    root = 1 / market.theta
    product, quota = jnp.exp(premia.product), jnp.exp(premia.quota)
    smuggle, rent = market.smuggle * jnp.exp(premia.route), market.rent * jnp.exp(premia.offshore)
    return _Scaled(
        product=product,
        product_units=product * jnp.exp(premia.product * root),
        quota=quota,
        quota_units=quota * jnp.exp(premia.quota * root),
        smuggle=smuggle,
        rent=rent,
        by_route=smuggle * jnp.exp(premia.route * root - market.smuggle_cost),
        by_rental=rent * jnp.exp(premia.offshore * root - market.rent_cost),
    )


def _china(market: Market, x: _Scaled) -> Array:
    """Chinese budgets over the denominator of the logit, [W]."""
    through_hubs = x.smuggle.sum() + x.rent.sum()
    offers = market.direct * x.quota + market.foreign * through_hubs
    return market.budget_china / (market.value @ (x.product * offers) + market.outside_china)


def _by_workload(pull: Array, values: Array) -> Array:
    """`pull` [R, K] times `values` [W, K]: [R, W]; a batch of matrices meets single vectors faster than a few at once."""
    return jnp.stack([pull @ value for value in values], axis=1)


def _world(market: Market, x: _Scaled) -> Array:
    """The same in open markets, [R, W]."""
    return market.budget / (_by_workload(market.pull, market.value * x.product) + market.outside)


def _china_wants(market: Market, x: _Scaled, china: Array) -> Array:
    """Chinese spending on a product of unit pull, after the product's own premium, at list: [K]."""
    return (china @ market.value) * x.product_units


def _china_units(market: Market, x: _Scaled, china: Array) -> tuple[Array, Array]:
    """Units China wants directly, and by any hub per unit of the hub's factor, [K] each."""
    wanted = _china_wants(market, x, china)
    return wanted * x.quota_units * market.direct / market.price_china, wanted * market.foreign / market.price


def _sweep(market: Market, direct_units: Array, a_unit: Array, gain: Array, premia: Premia) -> Premia:
    """Scale the channels, then the products. `direct_units`, `a_unit` [K]: units for a dollar, directly and at list."""
    x = _scale(market, premia)
    wanted = _china_wants(market, x, _china(market, x))
    value = wanted @ market.foreign
    premia = Premia(
        premia.product,
        _move(premia.quota, market.quota, wanted * x.quota_units * direct_units, gain),
        _move(premia.route, market.route, value * x.by_route, gain),
        _move(premia.offshore, market.offshore, value * x.by_rental, gain),
    )
    x = _scale(market, premia)
    wanted = _china_wants(market, x, _china(market, x))
    spending = zip(_world(market, x).T, market.value, strict=True)
    world = sum((spent @ market.pull) * value for spent, value in spending) * x.product_units
    at_list = world + wanted * market.foreign * (x.by_route.sum() + x.by_rental.sum())
    demand = at_list * a_unit + wanted * x.quota_units * direct_units
    return premia._replace(product=_move(premia.product, market.supply, demand, gain))


def clear(market: Market, premia: Premia, sweeps: int, relax: float = 1.3) -> tuple[Premia, Cleared]:
    """Clear one month: `sweeps` alternate scalings from last month's premia, then exact rationing.

    **Raises:** nothing; with no supply and no budget everything is zero.
    """
    direct_units, a_unit = market.direct / market.price_china, 1 / market.price
    gain = relax * market.theta / (1 + market.theta)
    premia = jax.lax.fori_loop(0, sweeps, lambda _, p: _sweep(market, direct_units, a_unit, gain, p), premia)
    premia = _settle(market, premia)
    return premia, ration(market, premia)


def _settle(market: Market, premia: Premia) -> Premia:
    """Give the scarcity of a product that only China buys to what is scarce: the quota, where output is left over.

    Only the sum of the two variables moves such a product's demand, so that sweeps find it but not its parts.
    """
    x = _scale(market, premia)
    direct, _ = _china_units(market, x, _china(market, x))
    direct = jnp.minimum(direct, market.quota)  # what a quota not yet met by its premium will ration
    only_direct = (market.pull.sum(0) <= 0) & (market.foreign <= 0)
    slack = (direct < market.supply) & ((premia.quota < 0) | (direct < _SLACK * market.supply))
    moved = jnp.where(only_direct & slack, premia.product, 0.0)
    return premia._replace(product=premia.product - moved, quota=jnp.maximum(premia.quota + moved, _FLOOR))


def ration(market: Market, premia: Premia) -> Cleared:
    """Sales at the given premia, cut back pro rata where they exceed a capacity: channels first, then products."""
    root = 1 / market.theta
    x = _scale(market, premia)
    world, china = _world(market, x), _china(market, x)
    direct, foreign = _china_units(market, x, china)
    open_market = (world @ market.value) * market.pull * (x.product_units / market.price)
    value = foreign @ market.price
    keep_direct = jnp.minimum(1.0, market.quota / jnp.maximum(direct, 1e-30))
    keep_route = jnp.minimum(1.0, market.route / jnp.maximum(value * x.by_route, 1e-30))
    keep_rental = jnp.minimum(1.0, market.offshore / jnp.maximum(value * x.by_rental, 1e-30))
    by_route, by_rental = x.by_route * keep_route, x.by_rental * keep_rental
    direct_kept = direct * keep_direct
    wanted = open_market.sum(0) + direct_kept + foreign * (by_route.sum() + by_rental.sum())
    keep = jnp.minimum(1.0, market.supply / jnp.maximum(wanted, 1e-30))

    raised = market.price * jnp.exp(-premia.product * root)
    direct_price = market.price_china * jnp.exp(-(premia.product + premia.quota) * root)
    through = market.value * x.product
    short = 1 - keep
    unspent = world * _by_workload(market.pull, through * short)
    hubs_kept = x.smuggle @ keep_route + x.rent @ keep_rental
    hubs_missed = x.smuggle @ (1 - keep_route) + x.rent @ (1 - keep_rental)
    missed = market.direct * x.quota * (1 - keep * keep_direct) + market.foreign * (short * hubs_kept + hubs_missed)
    unspent_china = china * (through @ missed)
    sold = foreign * keep
    route_price = jnp.exp(market.smuggle_cost - premia.route * root)
    rental_price = jnp.exp(market.rent_cost - premia.offshore * root)
    spent = (open_market * keep) @ raised
    spent_china = (direct_kept * keep) @ direct_price + (sold @ raised) * (
        by_route @ route_price + by_rental @ rental_price
    )
    missed_all = unspent.sum() + unspent_china.sum()
    return Cleared(
        open_market=open_market * keep,
        direct=direct_kept * keep,
        through_hubs=sold,
        by_route=by_route,
        by_rental=by_rental,
        spent=spent,
        spent_china=spent_china,
        unspent=unspent,
        unspent_china=unspent_china,
        unmet=missed_all / jnp.maximum(missed_all + spent.sum() + spent_china, 1e-30),
    )
