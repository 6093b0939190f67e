"""The simulation: a pure function of inputs and parameters that JAX compiles, batches and differentiates.

It knows no names, files or clocks. State is a value: `simulate` can stop at any month and go on from what it returned.
Order of a step:

1. `enact`: policy events that the member draws are laid over the month's settings.
2. `supply_month`: wafers, dies, HBM and packaging become packages (`chipweir.supply`).
3. `market_month`: budgets, choice, clearing, prices, routes and hosts (`chipweir.market`).
4. `stock_month`, `count_fleet`: chips in use, and the power to run them.
5. `software_month`: maturity of ecosystems and their developers.
6. `token_month`: inference capacity against token demand; markup and load.
7. `frontier_month`: the largest training run.
8. `research_month`: what earnings do to products not yet released.

No Python loop runs over members, months or products.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from chipweir import market, supply
from chipweir.world._believe import Beliefs, believe
from chipweir.world._frontier import frontier_month
from chipweir.world._outputs import Month, monthly
from chipweir.world._policy import enact
from chipweir.world._research import research_month
from chipweir.world._software import software_month
from chipweir.world._state import Events, Inputs, Months, Parameters, Products, State, Uses
from chipweir.world._stocks import count_fleet, stock_month
from chipweir.world._tokens import budget_response, token_month


Save = Callable[..., Any]

# Capacity of routes and hosting at the start over that of early 2023, which the parameters give: with nothing yet controlled
# they idle, and attrition takes this much away until then.
_ROUTES_AT_START = 1.3
# Log scaling variable from which the market of a product not yet sold starts: scarce at launch.
_AT_LAUNCH = -2.0
_HABITLESS = -1e9


def initial_state(inputs: Inputs, p: Parameters) -> State:
    """The state before the first month."""
    uses, goods = inputs.products.uses, inputs.products.goods
    r, k = uses.initial_installed.shape
    h, w, c = goods.smuggling_weight.shape[0], uses.log_worth.shape[0], goods.class_of.shape[0]
    d = inputs.products.fabs.die_of.shape[0]
    lines = believe(inputs, p).supply.lines[0]
    zero, one = jnp.zeros(()), jnp.ones(())
    maturity = uses.initial_maturity + uses.initial_cann * p["maturity_cann"] + uses.initial_other * p["maturity_other"]
    return State(
        supply=supply.State(
            capacity=lines,
            cumulative=jnp.zeros_like(lines),
            tools=zero,
            upkeep=one,
            dies=jnp.zeros(d),
            die_use=jnp.zeros(d),
            hbm=jnp.zeros(2),
            korean_hbm=one,
            micron_hbm=one,
            memory_price=jnp.log(inputs.bands["memory_demand"].central[0]) / p["memory_elasticity"],
            memory_capacity=zero,
            memory_orders=zero,
            china_fabs=one,
            fab_level=one,
        ),
        market=market.State(
            inventory=jnp.zeros(k),
            sales=jnp.zeros(k),
            posted=jnp.zeros(k),
            tilt=jnp.zeros(k),
            scarcity=zero,
            product=jnp.full(k, _AT_LAUNCH),
            class_=jnp.zeros(c),
            quota=jnp.zeros(k),
            route=jnp.zeros(h),
            offshore=jnp.zeros(h),
            routes=_ROUTES_AT_START * p["route_capacity"] * 1e3 * goods.smuggling_weight,
            hosting=_ROUTES_AT_START * p["rental_capacity"] * 1e6 * goods.rental_weight,
            carried=jnp.zeros((r, w)),
            reference=jnp.full((r, w), _HABITLESS),
        ),
        by_stack=jnp.asarray(uses.initial_installed) @ (uses.stack_of * uses.h100e).T,
        installed=jnp.asarray(uses.initial_installed),
        smuggled=jnp.zeros(k),
        rented=jnp.zeros((k, h)),
        maturity=maturity,
        developers=jnp.asarray(uses.initial_developers),
        quality=jnp.zeros(k),
        earning=jnp.log(jnp.array([0.5, 0.2])),
        earning_reference=jnp.log(jnp.array([0.5, 0.2])),
        markup=jnp.ones(2),
        load=jnp.broadcast_to(p["non_llm_load"], (2,)),
        load_reference=jnp.broadcast_to(p["non_llm_load"], (2,)),
        revenue=jnp.ones(2),
        revenue_reference=jnp.ones(2),
        unit_cost=jnp.broadcast_to(p["unit_cost_2024"] * 1.5, (2,)),
        energised=jnp.ones(r),
        largest=jnp.asarray(uses.initial_largest),
        retaliation=zero,
    )


def drawn_goods(goods: market.Goods, uses: Uses, p: Parameters) -> market.Goods:
    """The member's goods: worth with the errors of the performance estimates that it draws."""
    factors = jnp.einsum("lwk,l->wk", jnp.asarray(uses.loadings), p["worth_factors"])
    maker = uses.domestic * jnp.log(p["worth_domestic"]) + uses.other_foreign * jnp.log(p["worth_other"])
    return replace(goods, log_worth=jnp.asarray(uses.log_worth) + factors + maker)


def step(
    state: State, p: Parameters, m: Months, b: Beliefs, products: Products, events: Events, save: Save
) -> tuple[State, Any]:
    """One month; `products.goods` are the member's own."""
    fabs, goods, uses = products.fabs, products.goods, products.uses
    m = enact(m, events, p, goods.class_of)
    cal = m.calendar
    supplied, made = supply.supply_month(
        state.supply, p, m.supply, b.supply, fabs, state.market.inventory, state.market.tilt, state.market.scarcity
    )
    maturity = market.maturity_of(goods, state.maturity, p, m.market)
    cleared, sold = market.market_month(
        state.market, p, m.market, b.market, goods, made.packages, made.cost, maturity, state.developers, state.quality,
        budget_response(state, p), state.energised,
    )  # fmt: skip
    stocked = stock_month(state, p, m.market, uses, sold)
    fleet = count_fleet(p, cal, b.wider, uses, stocked)
    software, developers = software_month(state, p, uses, fleet.by_stack)

    worth = jnp.exp(goods.log_worth - uses.log_worth + state.quality) * market.maturity_of(goods, software, p, m.market)
    running = fleet.energised[:, None] * fleet.use
    rate, flops = running @ (worth[1] * uses.tokens), running @ (worth[0] * uses.training_flops)
    training = jnp.clip(b.market.share_training + m.market.training_shift, 0.02, 0.95)
    tokens = token_month(state, p, cal, b.wider, uses, training, rate, sold.unit_cost)
    load = 0.8 * state.load + 0.2 * tokens.load
    revenue = 0.9 * state.revenue + 0.1 * tokens.revenue
    believed = jnp.stack([b.market.budget_us * (1 + m.market.region_share.sum(-1)), b.market.budget_china])
    quality, earning, reference = research_month(state, p, cal, uses, sold, believed)
    fading = 0.5 ** (1 / p["retaliation_half_life"])
    after = State(
        supply=supplied,
        market=cleared,
        by_stack=fleet.by_stack,
        installed=stocked.installed,
        smuggled=stocked.smuggled,
        rented=stocked.rented,
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
    return after, save(Month(state, after, p, m, b, products, made, sold, stocked, tokens, fleet, flops))


def simulate(
    inputs: Inputs,
    p: Parameters,
    state: State | None = None,
    start: int = 0,
    stop: int | None = None,
    save: Save = monthly,
) -> tuple[State, Any]:
    """Run months `start` to `stop` of one member and return its state at the end and what `save` kept.

    **Arguments:** `p` parameters of one member, each of shape `[]` (knots of beliefs, factors and events `[n]`); `state`
    what an earlier call returned (default: the state before the first month, which asks for `start=0`); `save` a function
    of a month's quantities.
    **Returns:** `(State, outputs)` with a leading month axis on every output.
    """
    begin = initial_state(inputs, p) if state is None else state
    fixed = inputs.products
    products = replace(fixed, goods=drawn_goods(fixed.goods, fixed.uses, p))
    xs = jax.tree.map(lambda leaf: leaf[start:stop], (inputs.months, believe(inputs, p)))
    return jax.lax.scan(
        lambda carry, x: step(carry, p, x[0], x[1], products, inputs.events, save), jax.tree.map(jnp.asarray, begin), xs
    )
