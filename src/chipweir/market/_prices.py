"""What makers ask: a price over list that falls with months of stock and rises with scarcity, never below marginal cost."""

import jax.numpy as jnp

from chipweir.arrays import Array


# Months of sales in the channel that makers think normal.
NORMAL_STOCK = 2.0
# Most that makers add to the list price, log points (street prices doubled in 2023; own prior).
_CEILING = 0.7
# Share of a price's distance to list that it gives back in a month with neither glut nor scarcity.
_RETURN = 0.03


def posted_price(
    posted: Array, stock: Array, sales: Array, premium: Array, floor: Array, cut: Array, raised: Array
) -> Array:
    """Log of the price that makers ask over list, a month on, [K].

    `posted' = posted - cut ln((1 + stock/sales) / (1 + 2)) + raised premium - 0.03 posted`, within the floor (marginal cost
    over list) and two times list.

    **Arguments:** `stock`, `sales` [K] units and units a month; `premium` [K] log points of scarcity; `floor` [K] log of
    marginal cost over list price; `cut`, `raised` [] per month.
    """
    months = stock / jnp.maximum(sales, 1.0)
    glut = jnp.clip(jnp.log((1 + months) / (1 + NORMAL_STOCK)), 0.0, 2.0)
    moved = posted * (1 - _RETURN) - cut * glut + raised * premium
    return jnp.clip(moved, jnp.minimum(floor, _CEILING), _CEILING)
