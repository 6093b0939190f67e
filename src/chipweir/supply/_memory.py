"""Memory: HBM by vendor, the price cycle of DRAM and NAND, and Korean fabs in China."""

from typing import NamedTuple

import jax.numpy as jnp

from chipweir.arrays import Array
from chipweir.supply._state import Believed, Dated, State


# Months in which vendors fill a gap in HBM: a new line, and another vendor's qualification and ramp (both priors).
_LINE_MONTHS, _SECOND_SOURCE_MONTHS = 30.0, 18.0
# How far capital spending carries output: half as much money again does not make half as much output again (prior).
_RETURNS = 0.6
# Largest answer of Micron to a shortage of Korean HBM, in multiples of its own plan (prior).
_MOST_MICRON = 2.5
# Korean share of the HBM that China imports: Samsung nearly alone (SemiAnalysis, September 2025: 11.4 of 13 million).
KOREAN_SHARE_OF_IMPORTS = 0.95
# Months over which orders for memory capacity follow the price.
_ORDER_MONTHS = 9.0
# Months in which a share of output is moved out of, or back into, the fabs in China.
_RELOCATION_MONTHS = 36.0


class Memory(NamedTuple):
    """HBM of the month: `vendors` [3] stacks made (SK hynix, Samsung, Micron), `offered` [] to foreign makers,
    `imported`, `cxmt`, `huawei` [] stacks that reach China."""

    vendors: Array
    offered: Array
    imported: Array
    cxmt: Array
    huawei: Array


def hbm_gate(p: dict[str, Array], m: Dated) -> Array:
    """Share of would-be HBM imports that reach China [].

    What the control leaves legal is Korea's to sell or not (but for other vendors' small part); what it bars leaks, less
    so where shell buyers are closed off too.
    """
    legal = jnp.clip(1 - m.hbm_control, 0.0, 1.0)
    sold = KOREAN_SHARE_OF_IMPORTS * m.hbm_to_china + 1 - KOREAN_SHARE_OF_IMPORTS
    leak = p["hbm_leakage"] * jnp.exp(-jnp.maximum(m.hbm_control - 1, 0.0)) * jnp.clip(m.hbm_control, 0.0, 1.0)
    return jnp.clip(legal * sold + leak, 0.0, 1.0)


def hbm_month(state: State, p: dict[str, Array], m: Dated, b: Believed) -> Memory:
    """HBM stacks of the month by vendor and what of them foreign and Chinese makers are offered.

    Of the stacks that vendors sell, a share (`memory_realisation`) is mounted on accelerators that are tracked here: stacks
    are sold months before they are mounted while the market grows, mounting loses some, and other chips take some.
    """
    vendors = jnp.stack(
        [state.korean_hbm * b.hbm_skhynix, state.korean_hbm * b.hbm_samsung, state.micron_hbm * b.hbm_micron]
    )
    offered = p["memory_realisation"] * ((vendors[0] + vendors[1]) * (1 - m.hbm_withhold) + vendors[2])
    return Memory(
        vendors, offered, b.hbm_import * hbm_gate(p, m), b.hbm_cxmt * m.hbm_domestic, b.hbm_huawei * m.hbm_domestic
    )


def vendors_month(state: State, m: Dated, b: Believed) -> tuple[Array, Array]:
    """Output of Korean vendors and of Micron relative to belief, a month on.

    Korean capacity follows capital spending relative to plan, `(capex)^0.6`, with the lag of a line; Micron answers what
    Korea withholds, with the lag of a second source.
    """
    korean = state.korean_hbm + (m.hbm_capex**_RETURNS - state.korean_hbm) * m.future / _LINE_MONTHS
    withheld = m.hbm_withhold * (b.hbm_skhynix + b.hbm_samsung)
    wanted = jnp.minimum(1 + withheld / jnp.maximum(b.hbm_micron, 1.0), _MOST_MICRON)
    return korean, state.micron_hbm + (wanted - state.micron_hbm) / _SECOND_SOURCE_MONTHS


def cycle_month(state: State, p: dict[str, Array], b: Believed, hbm_share: Array) -> tuple[Array, Array, Array]:
    """The price cycle of memory: price, capacity and orders as logs relative to trend, a month on.

    `price' = price + s (d + trade ratio x HBM share of bits - capacity - e price)`: the price moves with the gap between
    demand and capacity; orders follow the price over nine months, capacity follows orders, and wears back to trend. With
    the prior's centre the cycle lasts three and a half years, as published price histories of DRAM do.
    """
    demand = jnp.log(b.memory_demand) + p["hbm_trade_ratio"] * hbm_share
    gap = demand - state.memory_capacity - p["memory_elasticity"] * state.memory_price
    price = state.memory_price + p["memory_speed"] * gap
    orders = state.memory_orders + (state.memory_price - state.memory_orders) / _ORDER_MONTHS
    capacity = state.memory_capacity + p["memory_orders"] / 12 * state.memory_orders - state.memory_capacity / 60
    return jnp.clip(price, -2.0, 2.0), jnp.clip(capacity, -1.5, 1.5), orders


def china_fabs_month(state: State, p: dict[str, Array], m: Dated) -> tuple[Array, Array]:
    """Korean memory fabs in China: share of own output made there and their technology, relative to 2025, a month on.

    The share moves to what Korea decides within three years. Without new foreign tools (a control beyond today's) the
    level of technology ages against the rest; an upgrade with Chinese tools holds it.
    """
    share = state.china_fabs + (m.china_fabs - state.china_fabs) * m.future / _RELOCATION_MONTHS
    ageing = p["fab_ageing"] / 12 * jnp.clip(m.equipment, 0.0, 3.0) * (1 - 0.7 * m.china_fab_tech)
    return share, state.fab_level * jnp.exp(-ageing * m.future)
