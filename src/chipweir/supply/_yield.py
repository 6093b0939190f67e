"""From a wafer to good dies."""

import jax.numpy as jnp

from chipweir.arrays import Array


WAFER_DIAMETER_MM = 300.0


def gross_dies(area_mm2: Array) -> Array:
    """Whole dies on a 300 mm wafer.

    `pi (d/2)^2 / A - pi d / sqrt(2 A)` (de Vries, IEEE Trans. Semicond. Manuf. 18, 2005, eq. 4); 80 at 666 mm2.

    **Arguments:** `area_mm2` any shape, mm2. **Returns:** dies per wafer, same shape, not rounded.
    """
    d = WAFER_DIAMETER_MM
    return jnp.pi * (d / 2) ** 2 / area_mm2 - jnp.pi * d / jnp.sqrt(2 * area_mm2)


def defect_density(initial: Array, floor: Array, cumulative: Array, scale: Array, exponent: Array) -> Array:
    """Defects per cm2 after `cumulative` wafers: learning by doing, `floor + (initial - floor) (1 + N/N0)^-b`.

    **Arguments:** `initial`, `floor` [line] per cm2; `cumulative`, `scale` [line] wafers; `exponent` [] b.
    **Returns:** [line] per cm2.
    """
    return floor + (initial - floor) * (1 + cumulative / scale) ** -exponent


def good_die_fraction(area_mm2: Array, density: Array, clustering: Array) -> Array:
    """Yield with clustered defects: `(1 + A D0 / alpha)^-alpha` (negative binomial; Stapper, IBM J. R&D 27, 1983).

    **Arguments:** `area_mm2` mm2; `density` per cm2; `clustering` alpha. **Returns:** fraction in (0, 1].
    """
    return jnp.exp(-clustering * jnp.log1p(area_mm2 / 100 * density / clustering))


def sellable_fraction(good: Array, salvage: Array) -> Array:
    """Good dies and those defective dies that sell with parts switched off: `Y + s (1 - Y)`."""
    return good + jnp.clip(salvage, 0.0, 0.95) * (1 - good)
