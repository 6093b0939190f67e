"""The simulation: a pure function of inputs and parameters that JAX compiles, batches and differentiates.

It knows no names, files or clocks. State is a value: `simulate` can stop at any month and go on from what it returned.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from chipweir.world._outputs import monthly
from chipweir.world._state import Band, Inputs, Months, Products, State
from chipweir.world._step import (
    Beliefs,
    Month,
    Parameters,
    count_fleet,
    fleet_at_work,
    frontier_month,
    market_month,
    software_month,
    stock_month,
    supply_month,
    token_month,
)


Save = Callable[..., Any]

# Capacity of routes and offshore hosting at the start over that of early 2023, which the parameters give: with nothing yet
# controlled they idle, and attrition takes this much away until then.
_ROUTES_AT_START = 1.3
# Log scaling variable from which the market of a product not yet sold starts: scarce at launch.
_AT_LAUNCH = -2.0


def _place(band: Band, score: Array) -> Array:
    """A band's value at a standard normal score."""
    return band.central * jnp.exp(jnp.where(score > 0, band.high, band.low) * score)


def _shift(values: Array, months: Array) -> Array:
    """`values` [T, ...] delayed by `months` (a real number), linear between months."""
    axis = jnp.arange(values.shape[0], dtype=values.dtype)
    return jax.vmap(lambda column: jnp.interp(axis - months, axis, column), in_axes=1, out_axes=1)(values)


def believe(inputs: Inputs, p: Parameters) -> Beliefs:
    """One member's dated beliefs, `[T]` or `[T, F]`: every band at the score of its parameter."""
    bands, products = inputs.bands, inputs.products
    scores = jnp.stack([p["belief_smic_n2"], p["belief_smic_n3"], p["belief_new_fabs"], p["belief_foreign_lines"]])
    lines = _place(inputs.lines, scores @ products.belief_of)
    delayed = _shift(lines, p["new_fab_delay"])
    lines = jnp.where(products.delayed > 0, delayed, lines)
    return Beliefs(
        lines=lines,
        growth=jnp.diff(lines, axis=0, prepend=lines[:1]),
        cowos=_place(bands["cowos"], p["belief_cowos"]),
        other_packaging=bands["other_packaging"].central,
        china_packaging=_place(bands["china_packaging"], p["belief_china_packaging"]),
        world_hbm=_place(bands["world_hbm"], p["belief_world_hbm"]),
        china_hbm_import=_place(bands["china_hbm_import"], p["belief_china_hbm_import"]),
        china_hbm_domestic=_place(bands["china_hbm_domestic"], p["belief_china_hbm_domestic"]),
        budget_world=_place(bands["budget_world"], p["belief_budget_world"]),
        budget_china=_place(bands["budget_china"], p["belief_budget_china"]),
        share_training=jnp.clip(_place(bands["share_training"], p["belief_training_share"]), 0.1, 0.85),
        share_edge=bands["share_edge"].central,
        tokens_china=_place(bands["tokens_china"], p["belief_tokens_china"]),
        tokens_world=_place(bands["tokens_world"], p["belief_tokens_world"]),
        dram_exports=_place(bands["dram_exports"], p["belief_dram"]),
    )


def initial_state(inputs: Inputs, p: Parameters) -> State:
    """The state before the first month."""
    products = inputs.products
    r, k = products.initial_installed.shape
    h, d = products.smuggling_weight.shape[0], products.gross.shape[0]
    w = products.worth.shape[1]
    lines = believe(inputs, p).lines[0]
    return State(
        inventory=jnp.zeros(k),
        installed=jnp.asarray(products.initial_installed),
        smuggled=jnp.zeros(k),
        rented=jnp.zeros((k, h)),
        dies=jnp.zeros(d),
        hbm=jnp.zeros(()),
        cumulative_wafers=jnp.zeros_like(lines),
        capacity=lines,
        tilt=jnp.zeros(k),
        premium_product=jnp.full(k, _AT_LAUNCH),
        premium_quota=jnp.zeros(k),
        premium_route=jnp.zeros(h),
        premium_offshore=jnp.zeros(h),
        route=_ROUTES_AT_START * p["route_capacity"] * 1e9 * products.smuggling_weight,
        offshore=_ROUTES_AT_START * p["rental_capacity"] * 1e9 * products.rental_weight,
        carried=jnp.zeros((r, w)),
        maturity=products.initial_maturity
        + products.initial_cann * p["maturity_cann"]
        + products.initial_other * p["maturity_other"],
        markup=jnp.ones(2),
        load=jnp.broadcast_to(p["non_llm_load"], (2,)),
        load_reference=jnp.broadcast_to(p["non_llm_load"], (2,)),
        largest=jnp.asarray(products.initial_largest),
        scarcity=jnp.zeros(()),
    )


def step(state: State, p: Parameters, m: Months, b: Beliefs, products: Products, save: Save) -> tuple[State, Any]:
    """One month; the order of operations is published in `_step`."""
    made = supply_month(state, p, m, b, products)
    sold, premia = market_month(state, p, m, b, products, made.made)
    after, moved = stock_month(state, p, m, products, made.made, sold, premia)
    after = replace(after, dies=made.dies, hbm=made.hbm, cumulative_wafers=made.cumulative, capacity=made.capacity)
    fleet = count_fleet(after, products)
    after = replace(after, maturity=software_month(after, p, products, fleet))
    rate, flops = fleet_at_work(after, p, m, products, fleet)
    tokens = token_month(after, p, m, b, products, rate)
    smoothed = 0.8 * state.load + 0.2 * tokens.load
    after = replace(
        after,
        markup=tokens.markup,
        load=smoothed,
        load_reference=jnp.where(m.past > 0, smoothed, state.load_reference),
        largest=frontier_month(after, p, products, flops),
    )
    return after, save(Month(state, after, p, m, b, products, made, sold, moved, tokens, fleet))


def simulate(
    inputs: Inputs,
    p: Parameters,
    state: State | None = None,
    start: int = 0,
    stop: int | None = None,
    save: Save = monthly,
) -> tuple[State, Any]:
    """Run months `start` to `stop` of one member and return its state at the end and what `save` kept.

    **Arguments:** `p` parameters of one member, each of shape `[]`; `state` what an earlier call returned (default: the
    state before the first month, which asks for `start=0`); `save` a function of a month's quantities.
    **Returns:** `(State, outputs)` with a leading month axis on every output.
    """
    begin = initial_state(inputs, p) if state is None else state
    xs = jax.tree.map(lambda leaf: leaf[start:stop], (inputs.months, believe(inputs, p)))
    return jax.lax.scan(
        lambda carry, x: step(carry, p, x[0], x[1], inputs.products, save), jax.tree.map(jnp.asarray, begin), xs
    )
