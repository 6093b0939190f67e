"""Korea: exports by product and destination, what stands in China, and what retaliation costs."""

from typing import NamedTuple

import jax.numpy as jnp

from chipweir import market
from chipweir.arrays import Array, dot
from chipweir.world._believe import Beliefs
from chipweir.world._state import Calendar, Months, Parameters, State, Uses


PRODUCTS = ("hbm", "dram", "nand", "system")
DESTINATIONS = ("china_hk", "taiwan", "usa", "vietnam", "other")
# Where HBM for foreign makers goes: to Taiwan for packaging, the rest to other assembly sites (KOR-030, KOP-150; prior).
_HBM_TO = (0.0, 0.70, 0.08, 0.0, 0.22)
# Where what does not go to China goes (KOR-030 to 032; prior).
_REST_TO = (0.0, 0.17, 0.18, 0.33, 0.32)
# System semiconductors and the rest (own-design, foundry, NPUs): growth a year of the trend (OBS-500 to 502).
_SYSTEM_GROWTH = 0.02
# How much of the memory cycle other semiconductors share (2023 against 2022 and 2024, OBS-500 to 502; prior).
_SYSTEM_CYCLE = 0.3


# Yearly ceiling of the cash that the pledge to the US asks for, USD (kop-177).
US_OUTLAY = 20e9


class Exports(NamedTuple):
    """Korean exports of the month, USD: `by_product` [4], `by_destination` [5]."""

    by_product: Array
    by_destination: Array


def memory_sales(after: State, b: Beliefs) -> Array:
    """World sales of DRAM and NAND without HBM, USD a month: the trend times the cycle's price and what was built."""
    cycle = after.supply
    return b.supply.memory_sales * jnp.exp(cycle.memory_price + cycle.memory_capacity)


def exports_month(
    after: State, p: Parameters, m: Months, b: Beliefs, uses: Uses, sold: market.Sold, hbm: Array
) -> Exports:
    """Exports by product and destination.

    Commodity memory is Korea's share of the world market, less what Korean makers make in China and sell there; the
    Chinese market shrinks by what CXMT and YMTC take and by retaliation against purchases. HBM goes to Taiwan for
    packaging. Korean NPUs sold abroad count as system semiconductors.
    """
    memory = memory_sales(after, b) * p["korean_memory_share"] * (1 - p["china_made_share"] * after.supply.china_fabs)
    china = p["china_memory_share"] * (1 - b.supply.chinese_memory) * (1 - p["retaliation_memory"] * after.retaliation)
    kept = (
        1
        - p["china_memory_share"] * b.supply.chinese_memory
        - p["china_memory_share"] * p["retaliation_memory"] * (after.retaliation)
    )
    memory, china = memory * kept, china / kept
    dram, nand = memory * p["dram_share"], memory * (1 - p["dram_share"])
    abroad = (sold.direct * (1 - uses.korea)[:, None]).sum(0)
    npus = dot(uses.law_of[2] * abroad, sold.price)
    trend = _SYSTEM_GROWTH * (m.calendar.year - 2.0) + _SYSTEM_CYCLE * after.supply.memory_price
    system = p["system_exports"] * 1e9 * jnp.exp(trend) + npus
    rest = (memory + system) * (1 - china)
    to_china = china * (memory + system) + hbm[4]
    elsewhere = jnp.asarray(_REST_TO, rest.dtype)[:, None] * rest + jnp.asarray(_HBM_TO, rest.dtype)[:, None] * hbm[
        :4
    ].sum(0)
    return Exports(jnp.stack([hbm.sum(0), dram, nand, system]), elsewhere.at[0].add(to_china))


def fabs_at_risk(after: State, p: Parameters, b: Beliefs) -> Array:
    """Output of Korean memory fabs in China, USD a month: their share of Korean output at the price of the month, less what
    their ageing technology costs them."""
    korean = memory_sales(after, b) * p["korean_memory_share"]
    return korean * p["china_made_share"] * after.supply.china_fabs * after.supply.fab_level


def retaliation_cost(after: State, p: Parameters, cal: Calendar) -> Array:
    """Cost of Chinese retaliation outside chips, USD a month: tourism and consumer goods at the size of 2017 scaled to
    today, and minerals, which stocks and second sources soften."""
    softened = jnp.exp(-cal.stockpile / 100) * (1 - 0.7 * cal.second_source)
    return after.retaliation * (p["retaliation_consumer"] + p["retaliation_minerals"] * softened) * 1e9 / 12
