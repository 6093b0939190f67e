"""The frontier: the largest training run to date by region."""

import jax.numpy as jnp

from chipweir.arrays import Array
from chipweir.world._state import Parameters, State, Uses


SECONDS_PER_MONTH = 30.44 * 86400
# Training stock, FLOP/s delivered, at which `largest_run_share` holds (about that of the US at the end of 2024).
REFERENCE_STOCK = 1.2e21
_MOST_OF_STOCK = 0.25


def frontier_month(state: State, p: Parameters, uses: Uses, flops: Array) -> Array:
    """Log FLOP of the largest training run to date by region [R]: a share of the stock (`flops`, FLOP/s) for some months.

    The share rises with the stock, `share (stock / reference)^(c - 1)`: early fleets were spread over many owners, later
    ones stand in few clusters.
    """
    share = p["largest_run_share"] * (1 + uses.china * (p["china_run_share"] - 1))
    share = share * (jnp.maximum(flops, 1e15) / REFERENCE_STOCK) ** (p["run_concentration"] - 1)
    run = flops * jnp.minimum(share, _MOST_OF_STOCK) * p["run_months"] * SECONDS_PER_MONTH
    return jnp.maximum(state.largest, jnp.log(jnp.maximum(run, 1.0)))
