"""Research: what makers earn sets the pace of the products they have not yet released."""

import jax.numpy as jnp

from chipweir import market
from chipweir.arrays import Array, dot
from chipweir.world._state import Calendar, Parameters, State, Uses


_SMOOTHING = 1 / 12
# Most that a year's research adds to, or takes from, products to come (log points; prior).
_FASTEST = 0.25


def research_month(
    state: State, p: Parameters, cal: Calendar, uses: Uses, sold: market.Sold, believed: Array
) -> tuple[Array, Array, Array]:
    """Quality of products to come [K], and the log share of believed spending that NVIDIA and Chinese makers earn, now
    and at the cut-off, [2] each.

    `d quality / dt = elasticity x (earning - earning at the cut-off)` until a product is released. `believed` [2] USD that
    the world and China were believed to spend.
    """
    went = sold.direct.sum(0) + (sold.smuggled + sold.rented).sum(1)
    paid = went * sold.price * jnp.exp(sold.premium)
    share = jnp.log(
        jnp.stack([dot(uses.nvidia, paid) / believed.sum(0), dot(uses.domestic, paid) / believed[1]]) + 1e-6
    )
    earning = state.earning + _SMOOTHING * (share - state.earning)
    reference = jnp.where(cal.future > 0, state.earning_reference, earning)
    pace = jnp.stack([p["research_elasticity"], p["research_elasticity_china"]]) * (earning - reference)
    pace = jnp.clip(pace, -_FASTEST, _FASTEST) / 12
    waiting = cal.future * (uses.start > cal.year)
    return state.quality + waiting * (pace[0] * (1 - uses.domestic) + pace[1] * uses.domestic), earning, reference
