"""Supply's month: wafers, dies, memory and packaging become packages."""

from typing import NamedTuple

import jax.numpy as jnp

from chipweir.arrays import Array, along, back, dot
from chipweir.supply._capacity import capacity_month, sellable
from chipweir.supply._memory import Memory, china_fabs_month, cycle_month, hbm_month, vendors_month
from chipweir.supply._production import pool_ratio, produce
from chipweir.supply._state import Believed, Dated, Fabs, Made, State


# Share of the stock of Chinese HBM that can be drawn in a month (assembly works from several sites' stores).
_HBM_DRAW = 0.35
# Weight of the newest month in the smoothed use of dies.
_SMOOTHING = 0.15
# Least share of its resource at which a maker goes on offering a product.
_PROBE = 0.02
# How much more than of late makers expect a market to buy that a new product enters (smoothed sales lag a growing one).
_GROWING = 1.5
# A resource that never binds.
_ENOUGH = 1e15


def product_mix(mix: Array, tilt: Array, fabs: Fabs) -> Array:
    """Every product's share of its maker's resource [K], shifted by the tilt and normalised within the maker."""
    weight = mix * jnp.exp(tilt)
    total = along(fabs.maker_of, weight)
    planned = along(fabs.maker_of, mix)
    return weight * back(fabs.maker_of, planned / jnp.maximum(total, 1e-12))


class Stores(NamedTuple):
    """What makers hold: `unsold` [K] packages, `dies` [D] good Chinese dies, `hbm` [2] Chinese stacks."""

    unsold: Array
    dies: Array
    hbm: Array


class Orders(NamedTuple):
    """What makers see of the market: `sales` [K] smoothed packages a month, `tilt` [K] log shift of the mix, `scarcity` []
    smoothed log premium of Chinese chips, `allowed` [K] packages a month that the law lets them sell."""

    sales: Array
    tilt: Array
    scarcity: Array
    allowed: Array


def held_back(p: dict[str, Array], plan: Array, unsold: Array, orders: Orders, launch: Array, domestic: Array) -> Array:
    """A maker's plan [K] after its look at the shelves: `min(plan, allowed) / (1 + (unsold / (months x sales))^2)`.

    Sales are those of late. A new product is expected to sell like what Chinese (`domestic` [K] 0/1) or other makers have
    on sale, by the share `launch` [K] that falls from 1 to 0 over its first year and a half; one that hardly sells is
    still tried.
    """
    wanted = jnp.minimum(plan, orders.allowed)
    bloc = jnp.stack([domestic, 1 - domestic])
    selling = _GROWING * along(bloc, orders.sales) / jnp.maximum(along(bloc, wanted), 1.0)
    hoped = launch * back(bloc, jnp.minimum(selling, 1.0))
    sales = jnp.maximum(orders.sales, jnp.maximum(hoped, _PROBE) * wanted)
    return wanted / (1 + (unsold / jnp.maximum(p["unsold_months"] * sales, 1.0)) ** 2)


def supply_month(
    state: State,
    p: dict[str, Array],
    m: Dated,
    b: Believed,
    fabs: Fabs,
    stores: Stores,
    orders: Orders,
) -> tuple[State, Made]:
    """One month of supply.

    Chinese lines start wafers for a product as long as its good dies last for less than a few months of use; foreign
    foundries start them against packaging slots. A maker plans what its share of the resource allows, but no more than the
    law lets it sell, and less the more months of sales lie unsold. What is made is the smooth minimum of logic, memory and
    packaging.

    **Returns:** the state at the month's end, and what was made.
    """
    dies, hbm, scarcity = stores.dies, stores.hbm, orders.scarcity
    capacity, tools, upkeep = capacity_month(state, p, m, b, fabs, scarcity)
    running = capacity * (1 + fabs.advanced * (upkeep - 1))
    fraction = sellable(state, p, m, fabs, scarcity)
    share = product_mix(m.mix, orders.tilt, fabs)
    ai_wafers = running * jnp.clip(m.ai_share * (1 + fabs.chinese_line * (p["china_ai_wafer_share"] - 1)), 0.0, 0.9)

    line_share = share * fabs.domestic
    wafers = line_share * back(fabs.line_of, ai_wafers / jnp.maximum(along(fabs.line_of, line_share), 1e-12))
    possible = along(fabs.die_of, wafers * fabs.gross * fraction)
    brake = 1 / (1 + (dies / jnp.maximum(p["die_stock_months"] * state.die_use, 0.1 * possible + 1.0)) ** 2)
    fresh = possible * brake
    arrived = fresh + m.bank_inflow * fabs.bank_of * p["die_bank"] * 1e6
    offered = fresh + p["die_bank_release"] * dies
    die_share = line_share / jnp.maximum(back(fabs.die_of, along(fabs.die_of, line_share)), 1e-12)
    from_dies = back(fabs.die_of, offered) * die_share / fabs.dies_per_package

    slots = fabs.packaging_of[0] * b.cowos * p["packaging_realisation"] * fabs.per_wafer
    slots = slots + fabs.packaging_of[1] * b.other_packaging
    plan = fabs.domestic * from_dies + (1 - fabs.domestic) * share * slots
    plan = held_back(p, plan, stores.unsold, orders, m.launch, fabs.domestic)
    plan = jnp.where(m.ordered > 0, m.ordered, plan)

    need_wafers = (1 - fabs.domestic) * plan * fabs.dies_per_package / jnp.maximum(fabs.gross * fraction, 1e-9)
    logic = jnp.where(fabs.domestic > 0, 1.0, pool_ratio(ai_wafers, need_wafers, fabs.line_of))
    memory = hbm_month(state, p, m, b)
    ratio, own, common = _memory_ratio(hbm, fabs, plan, memory)
    enough = jnp.full_like(b.china_packaging, _ENOUGH)
    chinese_slots = jnp.stack([enough, enough, b.china_packaging])
    packaged = pool_ratio(chinese_slots, plan, fabs.packaging_of)
    packaging = jnp.where(fabs.packaging_of[2] > 0, packaged, 1.0)
    output = produce(plan, logic, ratio, packaging)

    used_dies = along(fabs.die_of, output.packages * fabs.domestic * fabs.dies_per_package)
    stacks = output.packages * fabs.stacks
    used_own = jnp.minimum(own, dot(fabs.own_memory, stacks))
    used = jnp.stack([dot(fabs.china_memory, stacks) - used_own, used_own])
    after = _carry(state, p, m, b, memory, used_dies)
    chinese_die = jnp.clip(along(fabs.die_of, fabs.domestic), 0, 1)
    made = Made(
        packages=output.packages,
        binding=output.binding,
        cost=_cost(p, b, fabs, fraction),
        hbm_imported=memory.imported,
        hbm_domestic=jnp.stack([memory.cxmt, memory.huawei]),
        hbm_arrived=jnp.stack([memory.imported + memory.cxmt, memory.huawei]),
        hbm_used=used,
        hbm_vendors=memory.vendors,
        hbm_foreign_used=fabs.world_memory * stacks,
        dies_arrived=arrived * chinese_die,
        dies_used=used_dies,
        utilisation=_utilisation(fabs, ai_wafers, wafers, need_wafers, output.packages, plan, brake),
        slack=_slack(fabs, offered, common + own, b.china_packaging, plan, output.packages),
        fraction=fraction,
    )
    return State(
        **after,
        capacity=capacity,
        cumulative=state.cumulative + running,
        tools=tools,
        upkeep=upkeep,
    ), made


def _memory_ratio(hbm: Array, fabs: Fabs, plan: Array, memory: Memory) -> tuple[Array, Array, Array]:
    """Memory over need of every product [K], and the stacks of Huawei's own and of the common Chinese store offered.

    Huawei's chips take its own stacks first; for the rest Chinese makers put scarce stacks on the chips that give most
    compute for each.
    """
    need = plan * fabs.stacks
    own = memory.huawei + _HBM_DRAW * hbm[1]
    common = memory.imported + memory.cxmt + _HBM_DRAW * hbm[0]
    covered = jnp.minimum(1.0, own / jnp.maximum(dot(fabs.own_memory, need), 1.0)) * fabs.own_memory
    worth_of_stack = jnp.where(fabs.china_memory > 0, fabs.h100e / jnp.maximum(fabs.stacks, 1.0), 1.0)
    pools = jnp.stack([fabs.world_memory, fabs.china_memory])
    ratio = pool_ratio(jnp.stack([memory.offered, common]), need * (1 - covered), pools, worth_of_stack)
    return covered + (1 - covered) * ratio, own, common


def _carry(
    state: State, p: dict[str, Array], m: Dated, b: Believed, memory: Memory, used_dies: Array
) -> dict[str, Array]:
    """Use of dies, vendors and the memory cycle at the month's end."""
    korean, micron = vendors_month(state, m, b)
    share = memory.vendors.sum(0) * b.hbm_price / jnp.maximum(b.memory_sales, 1.0) / p["hbm_price_ratio"]
    price, capacity, orders = cycle_month(state, p, b, share)
    fabs_share, level = china_fabs_month(state, p, m)
    return {
        "die_use": (1 - _SMOOTHING) * state.die_use + _SMOOTHING * used_dies,
        "korean_hbm": korean,
        "micron_hbm": micron,
        "memory_price": price,
        "memory_capacity": capacity,
        "memory_orders": orders,
        "china_fabs": fabs_share,
        "fab_level": level,
    }


def _cost(p: dict[str, Array], b: Believed, fabs: Fabs, fraction: Array) -> Array:
    """Marginal cost of a package [K], USD: dies at the foundry's price, memory, packaging and test."""
    die = back(fabs.line_of, fabs.wafer_price) / jnp.maximum(fabs.gross * fraction, 1.0)
    stack = fabs.world_memory * b.hbm_price + fabs.china_memory * b.hbm_price_china * p["domestic_hbm_cost"]
    return die * fabs.dies_per_package + stack * fabs.stacks + fabs.package_cost


def _utilisation(
    fabs: Fabs, ai_wafers: Array, wafers: Array, need: Array, packages: Array, plan: Array, brake: Array
) -> Array:
    """Started share of the AI wafers of every line [F]: what stocks of dies hold back at home, what packages take abroad."""
    home = along(fabs.line_of, wafers * fabs.domestic * back(fabs.die_of, brake))
    abroad = along(fabs.line_of, need * packages / jnp.maximum(plan, 1e-9))
    return jnp.clip((home + abroad) / jnp.maximum(ai_wafers, 1e-9), 0.0, 1.0)


def _slack(fabs: Fabs, dies: Array, stacks: Array, slots: Array, plan: Array, packages: Array) -> Array:
    """What Chinese makers were offered of dies, stacks and packaging slots over what their output took of each, [3]."""
    home = fabs.domestic * packages
    took = jnp.stack(
        [dot(home, fabs.dies_per_package), dot(fabs.china_memory, home * fabs.stacks), dot(fabs.packaging_of[2], home)]
    )
    chinese_die = jnp.clip(along(fabs.die_of, fabs.domestic), 0, 1)
    given = jnp.stack([dot(chinese_die, dies), stacks, slots])
    return jnp.clip(given / jnp.maximum(took, 1.0), 0.0, 1e3)
