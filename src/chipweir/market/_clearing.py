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


# Below this a scaling variable would underflow products of several of them.
_FLOOR = 1e-14


class Market(NamedTuple):
    """One month's offers and demands; L offers are the live products, H hubs, R regions without China, W workloads.

    - `theta` []: logit sensitivity.
    - `budget` [R, W], `budget_china` [W]: USD.
    - `price` [L], `price_china` [L] (fee included): USD a unit.
    - `weight` [R, W, L], `direct` [W, L], `foreign` [W, L]: `exp(theta u)` of open-market, Chinese direct and foreign
      products; 0 where there is no such offer.
    - `smuggle` [H], `rent` [H]: `exp(-theta cost)` times the hub's size; `smuggle_cost`, `rent_cost` [H] log points.
    - `outside` [], `outside_china` []: weight of not buying.
    - `supply` [L] units; `quota` [L] units on the direct channel to China; `route` [H], `offshore` [H] USD at list.
    """

    theta: Array
    budget: Array
    budget_china: Array
    price: Array
    price_china: Array
    weight: Array
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
    """Scaling variables in (0, 1]: `product` [L], `quota` [L], `route` [H], `offshore` [H]."""

    product: Array
    quota: Array
    route: Array
    offshore: Array


class Cleared(NamedTuple):
    """What was sold, in units, and what was not.

    - `open_market` [R, L], `direct` [L], `smuggled` [L, H] (as shipped), `rented` [L, H].
    - `spent` [R], `spent_china` []: USD at prices paid; `unspent` [R, W], `unspent_china` [W]: USD rationed.
    - `unmet` []: rationed share of what buyers wanted to spend.
    """

    open_market: Array
    direct: Array
    smuggled: Array
    rented: Array
    spent: Array
    spent_china: Array
    unspent: Array
    unspent_china: Array
    unmet: Array


def _ratio(capacity: Array, demand: Array) -> Array:
    return jnp.clip(capacity / jnp.maximum(demand, 1e-30), 1e-4, 1e4)


def _spending(market: Market, premia: Premia) -> tuple[Array, Array, Array, Array]:
    """Budget over the denominator of the logit for every buyer, and the hubs' open weights."""
    smuggle = market.smuggle * premia.route
    rent = market.rent * premia.offshore
    outside = market.weight @ premia.product + market.outside
    through_hubs = smuggle.sum() + rent.sum()
    china = (
        market.direct @ (premia.product * premia.quota)
        + (market.foreign @ premia.product) * through_hubs
        + market.outside_china
    )
    return market.budget / outside, market.budget_china / china, smuggle, rent


def _china_units(market: Market, premia: Premia, china: Array, smuggle: Array, rent: Array) -> tuple[Array, ...]:
    """Units China wants directly [L], and by smuggling and rental [L], [H], [H] as factors."""
    root = 1 / market.theta
    scale = premia.product ** (1 + root) / market.price
    direct = (china @ market.direct) * premia.product ** (1 + root) / market.price_china * premia.quota ** (1 + root)
    foreign = (china @ market.foreign) * scale
    by_route = smuggle * premia.route**root * jnp.exp(-market.smuggle_cost)
    by_rental = rent * premia.offshore**root * jnp.exp(-market.rent_cost)
    return direct, foreign, by_route, by_rental


def _sweep(market: Market, premia: Premia, relax: float) -> Premia:
    gain = relax * market.theta / (1 + market.theta)
    _, china, smuggle, rent = _spending(market, premia)
    direct, foreign, by_route, by_rental = _china_units(market, premia, china, smuggle, rent)
    value = foreign @ market.price
    quota = jnp.clip(premia.quota * _ratio(market.quota, direct) ** gain, _FLOOR, 1.0)
    route = jnp.clip(premia.route * _ratio(market.route, value * by_route) ** gain, _FLOOR, 1.0)
    offshore = jnp.clip(premia.offshore * _ratio(market.offshore, value * by_rental) ** gain, _FLOOR, 1.0)
    premia = Premia(premia.product, quota, route, offshore)
    world, china, smuggle, rent = _spending(market, premia)
    direct, foreign, by_route, by_rental = _china_units(market, premia, china, smuggle, rent)
    scale = premia.product ** (1 + 1 / market.theta) / market.price
    demand = jnp.tensordot(world, market.weight, 2) * scale + direct + foreign * (by_route.sum() + by_rental.sum())
    product = jnp.clip(premia.product * _ratio(market.supply, demand) ** gain, _FLOOR, 1.0)
    return premia._replace(product=product)


def clear(market: Market, premia: Premia, sweeps: int, relax: float = 1.3) -> tuple[Premia, Cleared]:
    """Clear one month: `sweeps` alternate scalings from last month's premia, then exact rationing.

    **Raises:** nothing; with no supply and no budget everything is zero.
    """
    premia = jax.lax.fori_loop(0, sweeps, lambda _, p: _sweep(market, p, relax), premia, unroll=True)
    return premia, ration(market, premia)


def ration(market: Market, premia: Premia) -> Cleared:
    """Sales at the given premia, cut back pro rata where they exceed a capacity: channels first, then products."""
    world, china, smuggle, rent = _spending(market, premia)
    direct, foreign, by_route, by_rental = _china_units(market, premia, china, smuggle, rent)
    raised = premia.product ** (-1 / market.theta)
    scale = premia.product / (market.price * raised)
    open_market = jnp.einsum("rw,rwl->rl", world, market.weight) * scale
    value = foreign @ market.price
    keep_direct = jnp.minimum(1.0, market.quota / jnp.maximum(direct, 1e-30))
    keep_route = jnp.minimum(1.0, market.route / jnp.maximum(value * by_route, 1e-30))
    keep_rental = jnp.minimum(1.0, market.offshore / jnp.maximum(value * by_rental, 1e-30))
    direct_kept = direct * keep_direct
    smuggled = foreign[:, None] * by_route * keep_route
    rented = foreign[:, None] * by_rental * keep_rental
    wanted = open_market.sum(0) + direct_kept + smuggled.sum(1) + rented.sum(1)
    keep = jnp.minimum(1.0, market.supply / jnp.maximum(wanted, 1e-30))

    price_raised = market.price * raised
    direct_price = market.price_china * raised * premia.quota ** (-1 / market.theta)
    route_price = premia.route ** (-1 / market.theta) * jnp.exp(market.smuggle_cost)
    rental_price = premia.offshore ** (-1 / market.theta) * jnp.exp(market.rent_cost)
    short = 1 - keep
    unspent = world * jnp.einsum("rwl,l->rw", market.weight, premia.product * short)
    china_short = (
        market.direct @ (premia.product * premia.quota * (1 - keep * keep_direct))
        + (market.foreign @ (premia.product * short)) * (smuggle @ keep_route + rent @ keep_rental)
        + (market.foreign @ premia.product) * (smuggle @ (1 - keep_route) + rent @ (1 - keep_rental))
    )
    unspent_china = china * china_short
    spent = (open_market * keep) @ price_raised
    sold_smuggled, sold_rented = smuggled * keep[:, None], rented * keep[:, None]
    spent_china = (
        (direct_kept * keep) @ direct_price
        + price_raised @ (sold_smuggled @ route_price)
        + price_raised @ (sold_rented @ rental_price)
    )
    missed = unspent.sum() + unspent_china.sum()
    unmet = missed / jnp.maximum(missed + spent.sum() + spent_china, 1e-30)
    return Cleared(
        open_market * keep, direct_kept * keep, sold_smuggled, sold_rented, spent, spent_china, unspent, unspent_china, unmet
    )
