"""Stocks of chips in use: additions, retirement, loss; and what power there is to run them."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from chipweir import market
from chipweir.world._believe import Wider
from chipweir.world._state import Calendar, Parameters, State, Uses


# Sharpness with which a lack of power cuts what runs.
_SHARPNESS = 8


class Stocked(NamedTuple):
    """Stocks at the month's end, and the H100e that China retired."""

    installed: Array  # [R, K]
    smuggled: Array  # [K]
    rented: Array  # [K, H]
    retired: Array  # []


def stock_month(state: State, p: Parameters, m: market.Dated, uses: Uses, sold: market.Sold) -> Stocked:
    """Add the month's sales and retire a constant share, `1/(12 life)`; smuggled chips also fail without repair and are
    found where chips must report their place."""
    hazard = 1 / (12 * p["chip_life"])
    smuggled_hazard = hazard + p["smuggled_failure"] / 12 + m.location * p["location_verification_effect"] / 12
    shipped = sold.smuggled.sum(1)
    return Stocked(
        installed=state.installed * (1 - hazard) + sold.direct,
        smuggled=state.smuggled * (1 - smuggled_hazard) + shipped - sold.seized,
        rented=state.rented * (1 - hazard) + sold.rented,
        retired=hazard * (state.installed[jnp.argmax(uses.china)] @ uses.h100e),
    )


class Fleet(NamedTuple):
    """The stock that every region uses, in several measures; smuggled and rented chips count for China."""

    use: Array  # [R, K] units
    by_stack: Array  # [R, E] H100e
    power: Array  # [R] W with host and network, at the chips' place of use
    located: Array  # [R] W at the chips' place
    energised: Array  # [R] share of what stands in the region that has power


def count_fleet(p: Parameters, cal: Calendar, b: Wider, uses: Uses, stocks: Stocked) -> Fleet:
    """Measure the fleet and what share of it can run: `(1 + (need / supply)^8)^(-1/8)` of the power there is.

    China's rented chips stand abroad and draw power there.
    """
    abroad = stocks.rented.sum(1)
    use = stocks.installed + uses.china[:, None] * (stocks.smuggled + abroad)
    measures = use @ jnp.concatenate([uses.stack_of * uses.h100e, uses.power[None]]).T
    power = measures[:, -1]
    hosted = uses.hub_region @ (uses.power @ stocks.rented)
    located = power - uses.china * (uses.power @ abroad) + hosted
    supply = uses.usa * b.power_us + uses.china * b.power_china + uses.korea * b.power_korea * cal.dc_power
    supply = jnp.where(supply > 0, supply, b.power_other)
    load = located * p["pue"] / supply
    return Fleet(use, measures[:, :-1], power, located, (1 + load**_SHARPNESS) ** (-1 / _SHARPNESS))
