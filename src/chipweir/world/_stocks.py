"""The fleet: chips in use by whom, and what power there is to run them."""

from typing import NamedTuple

import jax.numpy as jnp

from chipweir.arrays import Array, along, dot
from chipweir.world._accounts import Accounts
from chipweir.world._believe import Wider
from chipweir.world._state import Calendar, Parameters, Uses


# Need over supply of power beyond which next to nothing runs.
_WITHOUT_POWER = 1e4


class Fleet(NamedTuple):
    """The stock that every region uses, in several measures; smuggled and rented chips count for China."""

    use: Array  # [R, K] units
    by_stack: Array  # [R, E] H100e
    power: Array  # [R] W with host and network, at the chips' place of use
    located: Array  # [R] W at the chips' place
    energised: Array  # [R] share of what stands in the region that has power


def count_fleet(p: Parameters, cal: Calendar, b: Wider, uses: Uses, stocks: Accounts) -> Fleet:
    """Measure the fleet and what share of it can run: `(1 + (need / supply)^8)^(-1/8)` of the power there is.

    China's rented chips stand abroad and draw power there.
    """
    abroad = stocks.rented.sum(1)
    use = stocks.installed + uses.china[:, None] * (stocks.smuggled + abroad)
    by_stack = along(uses.stack_of * uses.h100e, use.swapaxes(0, 1)).swapaxes(0, 1)
    power = (use * uses.power).sum(1)
    hosted = along(uses.hub_region, (uses.power[:, None] * stocks.rented).sum(0))
    located = power - uses.china * dot(uses.power, abroad) + hosted
    supply = uses.usa * b.power_us + uses.china * b.power_china + uses.korea * b.power_korea * cal.dc_power
    supply = jnp.where(uses.usa + uses.china + uses.korea > 0, supply, b.power_other)
    load = jnp.minimum(located * p["pue"] / jnp.maximum(supply, 1.0), _WITHOUT_POWER) ** 8
    energised = 1 / jnp.sqrt(jnp.sqrt(jnp.sqrt(1 + load)))
    return Fleet(use, by_stack, power, located, energised)
