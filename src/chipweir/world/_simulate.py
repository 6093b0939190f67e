"""The simulation: a pure function of inputs and parameters that JAX compiles, batches and differentiates.

It knows no names, files or clocks. State is a value: `simulate` can stop at any month and go on from what it returned.
Order of a step:

1. `enact`: policy events that the member draws are laid over the month's settings.
2. `supply_month`: wafers, dies, HBM and packaging become packages (`chipweir.supply`).
3. `market_month`: budgets, choice, clearing, prices, routes and hosts (`chipweir.market`).
4. `settle`, `count_fleet`: the chip accounts, chips in use, and the power to run them.
5. `software_month`: maturity of ecosystems and their developers.
6. `token_month`: inference capacity against token demand; markup and load.
7. `frontier_month`: the largest training run.
8. `research_month`: what earnings do to products not yet released.

No Python loop runs over members, months or products.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from chipweir import market, supply
from chipweir.arrays import Array, along, for_all_members, once
from chipweir.world._accounts import Accounts, settle
from chipweir.world._believe import Beliefs, believe
from chipweir.world._frontier import frontier_month
from chipweir.world._nudges import PRODUCT_KINDS
from chipweir.world._outputs import Month, monthly
from chipweir.world._policy import enact
from chipweir.world._research import research_month
from chipweir.world._software import software_month
from chipweir.world._state import Events, Inputs, Months, Parameters, Products, State
from chipweir.world._stocks import count_fleet
from chipweir.world._tokens import budget_response, token_month


Save = Callable[..., Any]

# Precision of the month's algebra; the chip accounts are kept in double precision beside it. CHIPWEIR_PRECISION=64 asks for
# double throughout (the two are compared in the tests).
WORKING = "float64" if os.environ.get("CHIPWEIR_PRECISION") == "64" else "float32"

# Log scaling variable of products from which the first month's search starts: scarce.
_AT_LAUNCH = -2.0
_HABITLESS = -1e9


def initial_state(inputs: Inputs, p: Parameters) -> State:
    """The state before the first month; `inputs` with a last axis for members."""
    uses, goods = inputs.products.uses, inputs.products.goods
    n = p["choice_sensitivity"].shape[0]
    r, k = uses.initial_installed.shape[:2]
    h, w, c = goods.smuggling_weight.shape[0], uses.log_worth.shape[0], goods.class_of.shape[0]
    d, e = inputs.products.fabs.die_of.shape[0], uses.stack_of.shape[0]
    lines = believe(inputs, p).supply.lines[0]

    def full(value: Any, *shape: int) -> Array:
        return jnp.broadcast_to(jnp.asarray(value, dtype=lines.dtype), (*shape, n))

    zero, one = full(0.0), full(1.0)
    maturity = uses.initial_maturity + uses.initial_cann * p["maturity_cann"] + uses.initial_other * p["maturity_other"]
    by_stack = along(uses.stack_of * uses.h100e, uses.initial_installed.swapaxes(0, 1)).swapaxes(0, 1)
    earning = full(jnp.log(jnp.array([[0.5], [0.2]])), 2)
    return State(
        accounts=Accounts(
            unsold=full(0.0, k),
            dies=full(0.0, d),
            hbm=full(0.0, 2),
            installed=full(uses.initial_installed, r, k),
            smuggled=full(0.0, k),
            rented=full(0.0, k, h),
        ),
        supply=supply.State(
            capacity=lines,
            cumulative=full(0.0, *lines.shape[:-1]),
            tools=zero,
            upkeep=one,
            die_use=full(0.0, d),
            korean_hbm=one,
            micron_hbm=one,
            memory_price=jnp.log(inputs.bands["memory_demand"].central[0]) / p["memory_elasticity"],
            memory_capacity=zero,
            memory_orders=zero,
            china_fabs=one,
            fab_level=one,
        ),
        market=market.State(
            sales=full(0.0, k),
            posted=full(0.0, k),
            tilt=full(0.0, k),
            scarcity=zero,
            product=full(_AT_LAUNCH, k),
            class_=full(0.0, c),
            quota=full(0.0, k),
            route=full(0.0, h),
            offshore=full(0.0, h),
            routes=p["route_capacity"] * 1e3 * goods.smuggling_weight,
            hosting=p["rental_capacity"] * 1e6 * goods.rental_weight,
            carried=full(0.0, r, w),
            reference=full(_HABITLESS, r, w),
        ),
        by_stack=full(by_stack, r, e),
        maturity=maturity,
        developers=full(uses.initial_developers, 2, e),
        quality=full(0.0, k),
        earning=earning,
        earning_reference=earning,
        markup=full(1.0, 2),
        load=full(p["non_llm_load"], 2),
        load_reference=full(p["non_llm_load"], 2),
        revenue=full(1.0, 2),
        revenue_reference=full(1.0, 2),
        unit_cost=full(p["unit_cost_2024"] * 1.5, 2),
        energised=full(1.0, r),
        largest=full(uses.initial_largest, r),
        retaliation=zero,
    )


def drawn_products(products: Products, p: Parameters) -> Products:
    """The members' products: worth and prices with the errors that they draw, and what nudges add (`world._nudges`)."""
    fabs, goods, uses = products.fabs, products.goods, products.uses
    factors = jnp.tensordot(uses.loadings[..., 0], p["worth_factors"], axes=((0,), (0,)))
    maker = uses.domestic * jnp.log(p["worth_domestic"]) + uses.other_foreign * jnp.log(p["worth_other"])
    own = uses.own_spread * p["worth_own"][: uses.power.shape[0]]
    price = goods.list_price * (p["price_foreign"] + uses.domestic * (p["price_domestic"] - p["price_foreign"]))
    places = goods.slots * (1 + goods.racked * (p["rack_places"] - 1))
    goods = replace(goods, log_worth=uses.log_worth + factors + own + maker, list_price=price, slots=places)
    nudge = p.get("nudge_products")
    if nudge is None:
        return replace(products, goods=goods)
    by = {kind: jnp.exp(nudge[i]) for i, kind in enumerate(PRODUCT_KINDS)}
    power = uses.power * by["power"]
    return Products(
        fabs=replace(
            fabs,
            stacks=fabs.stacks * by["stacks"],
            dies_per_package=fabs.dies_per_package * by["dies"],
            area=fabs.area * by["area"],
            gross=supply.gross_dies(fabs.area * by["area"]),
        ),
        goods=replace(
            goods,
            list_price=goods.list_price * by["price"],
            log_worth=goods.log_worth + nudge[PRODUCT_KINDS.index("worth")],
            power=power,
            slots=goods.slots * by["power"],
        ),
        uses=replace(uses, power=power),
    )


def step(state: State, p: Parameters, m: Months, b: Beliefs, products: Products, events: Events) -> tuple[State, Month]:
    """One month; `products.goods` are the members' own."""
    fabs, goods, uses = products.fabs, products.goods, products.uses
    m = enact(m, events, p, goods.class_of)
    cal = m.calendar
    held = _as(state.accounts, state.markup.dtype)
    allowed = market.allowed_sales(p, m.market, goods)
    orders = supply.Orders(state.market.sales, state.market.tilt, state.market.scarcity, allowed)
    stores = supply.Stores(held.unsold, held.dies, held.hbm)
    supplied, made = once(supply.supply_month(state.supply, p, m.supply, b.supply, fabs, stores, orders))
    maturity = market.maturity_of(goods, state.maturity, p, m.market)
    cleared, sold = market.market_month(
        state.market, p, m.market, b.market, goods, held.unsold, made.packages, made.cost, maturity, state.developers,
        state.quality, budget_response(state, p), state.energised,
    )  # fmt: skip
    settled = settle(state.accounts, p, m.market, made, sold)
    fleet = count_fleet(p, cal, b.wider, uses, _as(settled.accounts, state.markup.dtype))
    software, developers = software_month(state, p, uses, fleet.by_stack)

    worth = jnp.exp(goods.log_worth - uses.log_worth + state.quality) * market.maturity_of(goods, software, p, m.market)
    rate = fleet.energised * (fleet.use * (worth[1] * uses.tokens)).sum(1)
    flops = fleet.energised * (fleet.use * (worth[0] * uses.training_flops)).sum(1)
    training = jnp.clip(b.market.share_training + m.market.training_shift, 0.02, 0.95)
    tokens = token_month(state, p, cal, b.wider, uses, training, rate, sold.unit_cost)
    load = 0.8 * state.load + 0.2 * tokens.load
    revenue = 0.9 * state.revenue + 0.1 * tokens.revenue
    believed = jnp.stack([b.market.budget_us * (1 + m.market.region_share.sum(0)), b.market.budget_china])
    quality, earning, reference = research_month(state, p, cal, uses, sold, believed)
    fading = 0.5 ** (1 / p["retaliation_half_life"])
    after = State(
        accounts=settled.accounts,
        supply=supplied,
        market=cleared,
        by_stack=fleet.by_stack,
        maturity=software,
        developers=developers,
        quality=quality,
        earning=earning,
        earning_reference=reference,
        markup=tokens.markup,
        load=load,
        load_reference=jnp.where(cal.future > 0, state.load_reference, load),
        revenue=revenue,
        revenue_reference=jnp.where(cal.future > 0, state.revenue_reference, revenue),
        unit_cost=tokens.unit_cost,
        energised=fleet.energised,
        largest=frontier_month(state, p, uses, flops),
        retaliation=jnp.maximum(cal.retaliation, state.retaliation * fading),
    )
    return after, Month(
        state, after, p, m, b, products, settled.made, settled.sold, settled.scrapped, tokens, fleet, flops
    )


def _as(record: Any, kind: Any) -> Any:
    """The same pytree with its numbers in another precision."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf).astype(kind), record)


def simulate(
    inputs: Inputs,
    p: Parameters,
    state: State | None = None,
    start: int = 0,
    stop: int | None = None,
    save: Save = monthly,
    total: Save | None = None,
) -> tuple[State, Any]:
    """Run months `start` to `stop` of all members at once and return their state at the end and what was kept.

    **Arguments:** `p` parameters, `[N]` for N members (knots of beliefs, factors and events `[n, N]`); `state` what an
    earlier call returned (default: the state before the first month, which asks for `start=0`); `save` a function of a
    month's quantities; `total` one whose results are summed by calendar year.
    **Returns:** `(State, outputs)`, every output with a leading month axis and members last; with `total`,
    `(State, (outputs, totals))`, totals with a leading axis of the years since the first month's.
    """
    shared = for_all_members(inputs)
    begin = initial_state(shared, p) if state is None else state
    begin = replace(_as(begin, WORKING), accounts=begin.accounts)
    fixed = shared.products
    products = _as(drawn_products(fixed, p), WORKING)
    count = inputs.months.calendar.index.shape[0]
    year = (jnp.asarray(inputs.first_month).astype(int) + jnp.arange(count)) // 12
    all_months = (_as(shared.months, WORKING), _as(believe(shared, p), WORKING), year)
    p, events = _as(p, WORKING), _as(shared.events, WORKING)

    def add_to(sums: Array, row: Array, new: Array) -> Array:
        return sums.at[row].add(new.astype(sums.dtype), mode="promise_in_bounds")

    def month(carry: Any, x: Any) -> tuple[Any, Any]:
        before, sums = carry
        after, this = step(before, p, x[0], x[1], products, events)
        if total is not None:
            sums = jax.tree.map(lambda old, new: add_to(old, x[2], new), sums, once(total(this)))
        return (after, sums), save(this)

    sums = None
    if total is not None:
        first = jax.tree.map(lambda leaf: leaf[0], all_months[:2])
        kinds = jax.eval_shape(lambda s, m, b: total(step(s, p, m, b, products, events)[1]), begin, *first)
        sums = jax.tree.map(lambda leaf: jnp.zeros((-(-(count + 11) // 12), *leaf.shape), "float32"), kinds)
    (end, sums), kept = jax.lax.scan(month, (begin, sums), jax.tree.map(lambda leaf: leaf[start:stop], all_months))
    return end, kept if total is None else (kept, sums)
