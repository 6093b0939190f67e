"""The month's market: logit choice over offers, and the premia at which demand meets capacity.

Buyers are (region, workload) pairs outside China and (workload) in China. Outside China a product's offers differ between
regions only by its access group, so that sums over products are taken once for all regions. China buys a product
directly, through a hub's smuggling route, or by renting it in a hub.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from chipweir.arrays import Array, along, back, dot, once


# Logs of scaling variables stay above this: a factor of e^-60 is no sale.
_FLOOR = -60.0
# Capacities above this are no constraint.
_FREE = 1e13
# Keeps a buyer without any offer from dividing by nothing.
_TINY = 1e-30
# Share of output left over from which on all scarcity is the quota's; in between both have a part, so that no member's path
# hangs on a rounding.
_SLACK = 0.005


class Market(NamedTuple):
    """One month's problem; `[R, W]` buyers outside China, `[W]` in China, groups G of offers; members come last.

    - `theta` []: sensitivity; `budget` [R, W], `budget_china` [W]: USD.
    - `price` [K], `price_china` [K] (fee and subsidy included): USD a unit.
    - `value` [K, W]: `exp(theta u)` of value for money; `pull` [K], `direct` [K], `foreign` [K]: what multiplies it in open
      markets, in China directly and in China through hubs; 0 where there is no offer.
    - `group_of` [G, K] 0/1, `reach` [R, G]: offers of a group in a region.
    - `smuggle`, `rent` [H]: `exp(-theta cost)` times the hub's size; `smuggle_cost`, `rent_cost` [H] log points.
    - `outside` [R, W], `outside_china` [W]: weight of not buying.
    - `supply` [K] units; `quota` [K], `class_quota` [C] units on the direct channel to China, `class_of` [C, K] which
      products a class's quota covers; `route` [H] places, `slots` [K] places a unit takes; `offshore` [H] W, `power` [K] W.
    - `roof` []: how far a route's scaling variable may rise above 0: a glut in the hubs sells below the maker's price.
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
    group_of: Array
    reach: Array
    smuggle: Array
    rent: Array
    smuggle_cost: Array
    rent_cost: Array
    outside: Array
    outside_china: Array
    supply: Array
    quota: Array
    class_quota: Array
    class_of: Array
    route: Array
    slots: Array
    offshore: Array
    power: Array
    roof: Array


class Premia(NamedTuple):
    """Logs of the scaling variables, at most 0 but for routes: `product` [K], `quota` [K], `class_` [C], `route`,
    `offshore` [H]. A premium in log points is `-premia / theta`."""

    product: Array
    quota: Array
    class_: Array
    route: Array
    offshore: Array


class Cleared(NamedTuple):
    """What was sold, in units, and what was not.

    - `open_market` [R, K], `direct` [K]; `through_hubs` [K] times `by_route` [H] or `by_rental` [H] went through a hub.
    - `spent` [R], `spent_china` []: USD at prices paid; `unspent` [R, W], `unspent_china` [W]: USD rationed.
    - `unmet` []: rationed share of what buyers wanted to spend; `denominator` [R, W], `denominator_china` [W]: sums of the
      offers' weights without the outside option.
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
    denominator: Array
    denominator_china: Array

    @property
    def smuggled(self) -> Array:
        """Units smuggled, as shipped, [K, H]."""
        return self.through_hubs[:, None] * self.by_route

    @property
    def rented(self) -> Array:
        """Units rented abroad, [K, H]."""
        return self.through_hubs[:, None] * self.by_rental


def _move(log_premium: Array, capacity: Array, demand: Array, gain: Array, roof: Array | float = 0.0) -> Array:
    """A Newton step on the log of demand, which falls by `1 + 1/theta` per unit of the scaling variable.

    The log of capacity over demand is four times the Pade approximant of order (2, 2) of the log of its fourth root:
    right to the fourth order around balance, never beyond 12, and cheaper than a logarithm.
    """
    c, d = jnp.sqrt(jnp.minimum(capacity, _FREE) + 1e-20), jnp.sqrt(demand + 1e-20)
    change = 12 * (c - d) / (c + 4 * jnp.sqrt(c * d) + d)
    return jnp.clip(log_premium + gain * change, _FLOOR, roof)


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
    quota = premia.quota + _of_class(market, premia.class_)
    smuggle, rent = market.smuggle * jnp.exp(premia.route), market.rent * jnp.exp(premia.offshore)
    return _Scaled(
        product=jnp.exp(premia.product),
        product_units=jnp.exp(premia.product * (1 + root)),
        quota=jnp.exp(quota),
        quota_units=jnp.exp(quota * (1 + root)),
        smuggle=smuggle,
        rent=rent,
        by_route=smuggle * jnp.exp(premia.route * root - market.smuggle_cost),
        by_rental=rent * jnp.exp(premia.offshore * root - market.rent_cost),
    )


def _of_class(market: Market, by_class: Array) -> Array:
    """What is said of classes [C], by product [K]."""
    return back(market.class_of, by_class)


def _by_class(market: Market, units: Array) -> Array:
    """Units of products [K] by the class whose licences they count against [C]."""
    return along(market.class_of, units)


def _china_denominator(market: Market, x: _Scaled) -> Array:
    through_hubs = x.smuggle.sum(0) + x.rent.sum(0)
    return (market.value * (x.product * (market.direct * x.quota + market.foreign * through_hubs))[:, None]).sum(0)


def _china_wants(market: Market, china: Array) -> Array:
    """Chinese spending on a product per unit of its own factors, [K], from `china` [W] dollars per weight."""
    return (china * market.value).sum(1)


def _world_denominator(market: Market, x: _Scaled) -> Array:
    """Sum of offers' weights by region and workload: by group first, then by region, [R, W]."""
    by_group = along(market.group_of, market.value * (market.pull * x.product)[:, None])  # [G, W]
    return _regions(market, by_group)


def _regions(market: Market, by_group: Array) -> Array:
    """Weights of groups [G, W] as regions see them: [R, W]."""
    return (market.reach[:, :, None] * by_group).sum(1)


def _world_spending(market: Market, world: Array) -> Array:
    """Spending of the world on a product per unit of its own factors, [K], from `world` [R, W] dollars per weight."""
    by_group = (market.reach[:, :, None] * world[:, None]).sum(0)  # [G, W]
    return (back(market.group_of, by_group) * market.value).sum(1) * market.pull


def _sweep(market: Market, direct_units: Array, a_unit: Array, gain: Array, premia: Premia) -> Premia:
    """Scale the channels, then the products. `direct_units`, `a_unit` [K]: units for a dollar, directly and at list."""
    x = _scale(market, premia)
    china = market.budget_china / (_china_denominator(market, x) + market.outside_china + _TINY)
    wanted = _china_wants(market, china) * x.product_units
    through = wanted * market.foreign * a_unit
    direct = wanted * x.quota_units * direct_units
    premia = Premia(
        premia.product,
        _move(premia.quota, market.quota, direct, gain),
        _move(premia.class_, market.class_quota, _by_class(market, jnp.minimum(direct, market.quota)), gain),
        _move(premia.route, market.route, dot(market.slots, through) * x.by_route, gain, market.roof),
        _move(premia.offshore, market.offshore, dot(market.power, through) * x.by_rental, gain),
    )
    x = _scale(market, premia)
    china = market.budget_china / (_china_denominator(market, x) + market.outside_china + _TINY)
    world = market.budget / (_world_denominator(market, x) + market.outside + _TINY)
    wanted = _china_wants(market, china)
    hubs = once(x.by_route.sum(0) + x.by_rental.sum(0))
    spending = _world_spending(market, world) + wanted * market.foreign * hubs
    demand = (spending * a_unit + wanted * x.quota_units * direct_units) * x.product_units
    return premia._replace(product=_move(premia.product, market.supply, demand, gain))


def clear(market: Market, premia: Premia, sweeps: int, relax: float = 1.3) -> tuple[Premia, Cleared]:
    """Clear one month: `sweeps` alternate scalings from last month's premia, then exact rationing.

    The sweeps run in single precision: they only look for premia, and whatever they leave is rationed.
    **Raises:** nothing; with no supply and no budget everything is zero.
    """
    low = jax.tree.map(lambda leaf: leaf.astype("float32"), market)
    direct_units, a_unit = low.direct / low.price_china, 1 / low.price
    gain = relax * low.theta / (1 + low.theta)
    start = jax.tree.map(lambda leaf: leaf.astype("float32"), premia)
    found = jax.lax.fori_loop(0, sweeps, lambda _, p: _sweep(low, direct_units, a_unit, gain, p), start)
    settled = _settle(market, jax.tree.map(lambda leaf, like: leaf.astype(like.dtype), found, premia))
    return settled, ration(market, settled)


def _direct_units(market: Market, x: _Scaled, china: Array) -> Array:
    """Units China wants directly, [K]."""
    return _china_wants(market, china) * x.product_units * x.quota_units * market.direct / market.price_china


def _settle(market: Market, premia: Premia) -> Premia:
    """Give the scarcity of a product that only China buys to what is scarce: the quota, where output is left over.

    Only the sum of the two variables moves such a product's demand, so that sweeps find it but not its parts. Of a product
    that nobody is offered all scarcity is the quota's: its maker neither raises its price nor shifts lines to it.
    """
    x = _scale(market, premia)
    china = market.budget_china / (_china_denominator(market, x) + market.outside_china + _TINY)
    direct = jnp.minimum(_direct_units(market, x, china), market.quota)
    only_direct = (market.pull <= 0) & (market.foreign <= 0)
    slack = jnp.clip((market.supply - direct) / (_SLACK * market.supply + _TINY), 0.0, 1.0)
    moved = jnp.where(only_direct, jnp.where(market.direct > 0, slack, 1.0) * premia.product, 0.0)
    return premia._replace(product=premia.product - moved, quota=jnp.maximum(premia.quota + moved, _FLOOR))


def ration(market: Market, premia: Premia) -> Cleared:
    """Sales at the given premia, cut back pro rata where they exceed a capacity: channels first, then products."""
    root = 1 / market.theta
    x = _scale(market, premia)
    denominator, denominator_china = _world_denominator(market, x), _china_denominator(market, x)
    world = market.budget / (denominator + market.outside + _TINY)
    china = market.budget_china / (denominator_china + market.outside_china + _TINY)
    direct = _direct_units(market, x, china)
    foreign = _china_wants(market, china) * x.product_units * market.foreign / market.price
    asked = (world[:, None] * market.value).sum(2)  # [R, K]
    reached = asked * (market.reach[:, :, None] * market.group_of).sum(1)
    open_market = reached * (market.pull * x.product_units / market.price)

    keep_direct = jnp.minimum(1.0, market.quota / jnp.maximum(direct, 1e-30))
    by_class = jnp.minimum(1.0, market.class_quota / jnp.maximum(_by_class(market, direct * keep_direct), 1e-30))
    keep_direct = keep_direct * (1 - market.class_of.sum(0) + _of_class(market, by_class))
    keep_route = jnp.minimum(1.0, market.route / jnp.maximum(dot(market.slots, foreign) * x.by_route, 1e-30))
    keep_rental = jnp.minimum(1.0, market.offshore / jnp.maximum(dot(market.power, foreign) * x.by_rental, 1e-30))
    by_route, by_rental = x.by_route * keep_route, x.by_rental * keep_rental
    direct_kept = direct * keep_direct
    wanted = open_market.sum(0) + direct_kept + foreign * (by_route.sum(0) + by_rental.sum(0))
    keep = jnp.minimum(1.0, market.supply / jnp.maximum(wanted, 1e-30))

    raised = market.price * jnp.exp(-premia.product * root)
    quota_rent = premia.quota + _of_class(market, premia.class_)
    direct_price = market.price_china * jnp.exp(-(premia.product + quota_rent) * root)
    through = market.value * x.product[:, None]  # [K, W]
    short = along(market.group_of, through * (market.pull * (1 - keep))[:, None])
    unspent = world * _regions(market, short)
    hubs_kept = dot(x.smuggle, keep_route) + dot(x.rent, keep_rental)
    hubs_missed = dot(x.smuggle, 1 - keep_route) + dot(x.rent, 1 - keep_rental)
    missed = market.direct * x.quota * (1 - keep * keep_direct)
    missed = missed + market.foreign * ((1 - keep) * hubs_kept + hubs_missed)
    unspent_china = china * (through * missed[:, None]).sum(0)
    sold = foreign * keep
    route_price = jnp.exp(market.smuggle_cost - premia.route * root)
    rental_price = jnp.exp(market.rent_cost - premia.offshore * root)
    spent = (open_market * keep * raised).sum(1)
    spent_china = dot(direct_kept * keep, direct_price) + dot(sold, raised) * (
        dot(by_route, route_price) + dot(by_rental, rental_price)
    )
    missed_all = unspent.sum((0, 1)) + unspent_china.sum(0)
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
        unmet=missed_all / jnp.maximum(missed_all + spent.sum(0) + spent_china, 1e-30),
        denominator=denominator,
        denominator_china=denominator_china,
    )
