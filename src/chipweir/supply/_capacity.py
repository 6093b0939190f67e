"""Wafer capacity: what is planned, what tools allow, and what is kept running."""

import jax.numpy as jnp

from chipweir.arrays import Array, back, dot
from chipweir.supply._state import Believed, Dated, Fabs, State
from chipweir.supply._yield import defect_density, good_die_fraction, sellable_fraction


# Share of the store of tools that can be installed in a month (a fab is fitted out in about a year).
_FIT_OUT = 1 / 12
# Share of capacity standing for want of parts that local workshops bring back in a month.
_REPAIR = 0.1 / 12
# Least share of Chinese advanced capacity that local service keeps running.
_LEAST_UPKEEP = 0.4


def capacity_month(
    state: State, p: dict[str, Array], m: Dated, b: Believed, fabs: Fabs, scarcity: Array
) -> tuple[Array, Array, Array]:
    """Capacity of every line [F], tools in store [] and upkeep [] at the month's end.

    Capacity follows its belief until the data cut-off. After it the growth of Chinese lines is what is invested and
    realised, as far as tools allow: foreign tools arrive at the pace of the plan less the control's effect, domestic ones
    cover a growing share, and a store of hoarded tools bridges the rest, `used = min(needed, arrived + store / 12)`.
    Scarcity of domestic chips (log premium) induces investment. Under a control beyond today's, foreign service ends and
    capacity without domestic tools wears out.
    """
    steps = m.equipment - 1
    induced = 1 + p["induced_innovation"] * scarcity
    planned = jnp.maximum(b.growth, 0.0)
    wanted = planned * p["capacity_realisation"] * m.capacity_investment * induced
    needed, arrived = dot(fabs.advanced, wanted), dot(fabs.advanced, planned)
    own = jnp.clip(p["domestic_tools"] * jnp.exp(p["domestic_tools_growth"] * m.ahead), 0.0, 0.9)
    foreign = jnp.clip(1 - p["equipment_effect"] * steps, 0.0, 1.5)
    arriving = arrived * p["tool_cover"] * ((1 - own) * foreign + own * induced)
    installed = jnp.minimum(needed, arriving + _FIT_OUT * state.tools)
    share = jnp.where(fabs.advanced > 0, installed / jnp.maximum(needed, 1e-9), 1.0)
    chinese = fabs.chinese_line * m.future
    grown = state.capacity + (1 - chinese) * b.growth + chinese * wanted * share
    stored = jnp.maximum(state.tools + arriving - installed, 0.0)
    tools = jnp.where(m.future > 0, stored, p["tool_store"] * arrived)
    worn = p["tool_wear"] / 12 * jnp.maximum(steps, 0.0) * (1 - own) * state.upkeep
    upkeep = state.upkeep + m.future * (_REPAIR * (1 - state.upkeep) - worn)
    return jnp.maximum(grown, 1.0), tools, jnp.clip(upkeep, _LEAST_UPKEEP, 1.0)


def sellable(state: State, p: dict[str, Array], m: Dated, fabs: Fabs, scarcity: Array) -> Array:
    """Sellable share of the dies of each product [K] at today's defect density (learning by doing, clustered defects)."""
    chinese = fabs.chinese_line
    density = defect_density(
        fabs.defect_initial,
        fabs.defect_floor,
        state.cumulative * (1 + chinese * p["induced_innovation"] * scarcity),
        fabs.learning_wafers,
        1 + chinese * (p["learning_exponent"] - 1),
    )
    density = density * (1 + chinese * (p["defect_density_scale"] - 1))
    good = good_die_fraction(fabs.area, back(fabs.line_of, density), p["defect_clustering"])
    lever = 1 + fabs.domestic * (m.yield_lever - 1)
    return jnp.clip(sellable_fraction(good, fabs.salvage * p["salvage_scale"]) * lever, 0.0, 0.97)
