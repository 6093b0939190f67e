"""The market's month: orders from the state, choice and clearing, prices, stocks in makers' hands, routes and hosts."""

import jax.numpy as jnp

from chipweir.arrays import Array, dot, once
from chipweir.market import _clearing as clearing
from chipweir.market._offers import Offers, budgets, offers
from chipweir.market._prices import posted_price
from chipweir.market._routes import offshore_capacity, route_capacity, route_cost
from chipweir.market._state import Believed, Dated, Goods, Sold, State


SWEEPS = 12
# A capacity that is none.
_FREE = 1e12
# Weight of the newest month in smoothed signals.
_SMOOTHING = 0.15
# Months over which buyers get used to the value for money they find.
_HABIT_MONTHS = 9.0
# Months of output unsold at which makers see a glut in their mix.
_OVERSTOCK_MONTHS = 3.0
# How far the price in the hubs may fall below the makers' (log points): traders sell what they hold.
_DEEPEST_DISCOUNT = 0.5


def market_month(
    state: State,
    p: dict[str, Array],
    m: Dated,
    b: Believed,
    goods: Goods,
    unsold: Array,
    made: Array,
    cost: Array,
    maturity: Array,
    developers: Array,
    quality: Array,
    response: Array,
    power: Array,
) -> tuple[State, Sold]:
    """One month of the market.

    **Arguments:** `unsold` [K] units in makers' hands, `made` [K] packages; `cost` [K] marginal cost, USD; `maturity`
    [K] software efficiency; `developers`
    [2, E]; `quality` [K] log of what research adds to a product; `response` [2] of inference budgets; `power` [R] share of
    the stock that runs. **Returns:** the state at the month's end, and what was sold.
    """
    theta = p["choice_sensitivity"]
    listed = goods.list_price * jnp.exp(-p["list_price_decline"] * m.age)
    price = listed * jnp.exp(state.posted)
    log_worth = goods.log_worth + quality + jnp.log(maturity)
    plan, public = budgets(state, p, m, b, goods, response, power)
    supply = unsold + made
    offer = offers(state, p, m, goods, supply, price, log_worth, developers)
    reserved = _public_orders(goods, supply, price, public)
    pressure = m.enforcement + m.hub_enforcement - 2
    toll = route_cost(p["route_cost"], pressure, p["enforcement_effect"], m.hub_licence, p["hub_licence_effect"])
    toll = toll + m.location * p["location_verification_effect"]
    open_rental = 1 - jnp.clip(m.rental_control, 0, 1)
    problem = _problem(state, p, m, goods, offer, plan, price, supply - reserved, toll, open_rental)
    start = clearing.Premia(state.product, state.quota, state.class_, state.route, state.offshore)
    premia, cleared = once(clearing.clear(problem, start, SWEEPS))

    china = goods.china
    direct = cleared.open_market + china[:, None] * cleared.direct + goods.korea[:, None] * reserved
    shipped, hosted = cleared.through_hubs * cleared.by_route.sum(0), cleared.through_hubs * cleared.by_rental.sum(0)
    rate = jnp.clip(p["seizure_rate"] * jnp.exp(p["enforcement_effect"] * pressure), 0, 0.6)
    left = jnp.maximum(supply - direct.sum(0) - shipped - hosted, 0.0) * (1 - m.scrap)
    premium = -premia.product / theta
    smuggled, rented = cleared.smuggled, cleared.rented
    sold = Sold(
        direct=direct,
        to_china=cleared.direct,
        smuggled=smuggled,
        rented=rented,
        seized=cleared.through_hubs * (cleared.by_route * rate).sum(0),
        price=price,
        premium=premium,
        grey=toll - premia.route / theta,
        spent=cleared.spent + china * cleared.spent_china + goods.korea * dot(reserved, price),
        wanted=plan,
        unmet=cleared.unmet,
        residual=cleared.unmet,
        unit_cost=_unit_cost(p, goods, cleared, price, premium, log_worth),
        reached=reserved.sum(0),
    )
    sold = once(sold)
    after = _carry(state, p, m, goods, sold, premia, cleared, problem, made, cost / listed, left)
    return after, sold


def allowed_sales(p: dict[str, Array], m: Dated, goods: Goods) -> Array:
    """Units a month that the law lets a maker sell [K]: no limit but for foreign chips made for China alone."""
    class_quota = jnp.where(jnp.isnan(m.class_quota), p["case_by_case_units"] * 1e3, m.class_quota)
    pooled = jnp.where(m.pool_of > 0, class_quota[:, None], _FREE).min(0)
    entered = jnp.where(m.blocked > 0, p["blocked_leakage"], 1.0)
    alone = (1 - goods.open_market) * (1 - goods.captive) * (1 - goods.domestic)
    return jnp.where(alone > 0, jnp.minimum(m.quota, pooled) * entered, _FREE)


def _public_orders(goods: Goods, supply: Array, price: Array, budget: Array) -> Array:
    """Units of Korean NPUs that the state buys [K]: its budget over the prices, in proportion to what is offered."""
    value = goods.korean * supply * price
    return goods.korean * supply * jnp.minimum(1.0, budget / jnp.maximum(value.sum(0), 1.0))


def _problem(
    state: State,
    p: dict[str, Array],
    m: Dated,
    goods: Goods,
    offer: Offers,
    plan: Array,
    price: Array,
    supply: Array,
    toll: Array,
    open_rental: Array,
) -> clearing.Market:
    """The month as the clearing sees it."""
    theta = p["choice_sensitivity"]
    china = goods.china
    waiting = jnp.exp(theta * (state.reference - p["outside_gap"]))
    class_quota = jnp.where(jnp.isnan(m.class_quota), p["case_by_case_units"] * 1e3, m.class_quota)
    rental_loss = p["rental_penalty"] + p["rental_markup"]
    return clearing.Market(
        theta=theta,
        budget=plan * (1 - china)[:, None],
        budget_china=plan[jnp.argmax(china)],
        price=price,
        price_china=price * (1 + m.fee) * (1 - goods.domestic * m.subsidy),
        **{**offer._asdict(), "value": offer.value.swapaxes(0, 1)},
        smuggle=goods.smuggling_weight * jnp.exp(-theta * (p["smuggling_penalty"] + toll)),
        rent=goods.rental_weight * jnp.exp(-theta * rental_loss) * open_rental,
        smuggle_cost=toll,
        rent_cost=jnp.broadcast_to(p["rental_markup"], toll.shape),
        outside=waiting,
        outside_china=waiting[jnp.argmax(china)],
        supply=supply,
        quota=m.quota,
        class_quota=class_quota,
        class_of=m.pool_of,
        route=state.routes,
        slots=goods.slots,
        offshore=state.hosting * open_rental,
        power=goods.power,
        roof=theta * _DEEPEST_DISCOUNT,
    )


def _unit_cost(
    p: dict[str, Array], goods: Goods, cleared: clearing.Cleared, price: Array, premium: Array, log_worth: Array
) -> Array:
    """USD of purchase and five years of running for each H100 of inference bought this month, world and China, [2]."""
    units = jnp.stack([cleared.open_market.sum(0), cleared.direct])
    paid = price * jnp.exp(premium) + p["node_cost"] * goods.power
    return (units * paid).sum(1) / jnp.maximum((units * jnp.exp(log_worth[1])).sum(1), 1e-6)


def _carry(
    state: State,
    p: dict[str, Array],
    m: Dated,
    goods: Goods,
    sold: Sold,
    premia: clearing.Premia,
    cleared: clearing.Cleared,
    problem: clearing.Market,
    made: Array,
    floor: Array,
    left: Array,
) -> State:
    """What the month leaves: stocks, smoothed sales, posted prices, the mix, routes, hosts and habits."""
    theta = p["choice_sensitivity"]
    went = sold.direct.sum(0) + cleared.through_hubs * (cleared.by_route.sum(0) + cleared.by_rental.sum(0))
    sales = (1 - _SMOOTHING) * state.sales + _SMOOTHING * went
    surplus = left / jnp.maximum(made * _OVERSTOCK_MONTHS, 1e3)
    signal = jnp.clip(sold.premium, 0, 1.5) - jnp.clip(surplus, 0, 2)
    chinese = goods.domestic * made
    scarcity = jnp.clip(dot(sold.premium, chinese) / jnp.maximum(chinese.sum(0), 1.0), 0, 2)
    pressure = m.enforcement + m.hub_enforcement - 2
    licence = m.hub_licence
    found = jnp.log(cleared.denominator + goods.china[:, None] * cleared.denominator_china + 1e-30) / theta
    active = jnp.max(m.controlled * goods.diverted, axis=0)
    fresh = state.reference < -1e8  # before the first month there is no habit
    return State(
        sales=sales,
        posted=posted_price(state.posted, left, sales, sold.premium, jnp.log(floor), p["price_cut"], p["price_rise"]),
        tilt=jnp.clip(state.tilt * 0.97 + p["mix_response"] * signal * (m.mix > 0), -4.0, 2.0),
        scarcity=(1 - _SMOOTHING) * state.scarcity + _SMOOTHING * scarcity,
        product=premia.product,
        class_=premia.class_,
        quota=premia.quota,
        route=premia.route,
        offshore=premia.offshore,
        routes=route_capacity(
            state.routes,
            p["diversion_limit"] * 1e3 * goods.smuggling_weight,
            p["route_fungibility"],
            -premia.route / theta,
            p["route_adjustment"],
            pressure,
            p["enforcement_effect"],
            licence,
            p["hub_licence_effect"],
            active,
        ),
        hosting=offshore_capacity(
            state.hosting,
            p["offshore_limit"] * 1e6 * goods.rental_weight,
            -premia.offshore / theta,
            p["rental_growth"],
            m.rental_control,
            licence,
            active,
        ),
        carried=cleared.unspent + goods.china[:, None] * cleared.unspent_china,
        reference=jnp.where(fresh, found, state.reference + (found - state.reference) / _HABIT_MONTHS),
    )
