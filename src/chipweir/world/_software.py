"""Software: how far an ecosystem has matured, and whose developers write for it."""

import jax.numpy as jnp

from chipweir.arrays import Array
from chipweir.world._state import Parameters, State, Uses


# Fall of the installed base in a year at which a stack stops being kept up.
_SHRINKING = 0.10


def software_month(state: State, p: Parameters, uses: Uses, by_stack: Array) -> tuple[Array, Array]:
    """Maturity of every ecosystem [E] and its shares among developers [2, E] (world, China), a month on.

    Maturity closes the gap to 1 with use, `n / (n + n0)` of the installed base n in H100e, whoever owns it, and decays
    where the base shrinks. Developers follow new compute with a lag of years: that is the lock-in, which outlives the
    chips (`by_stack` [R, E] H100e in use now).
    """
    base, last = by_stack.sum(0), state.by_stack.sum(0)
    use = base / (base + p["maturity_base"] * 1e3)
    shrinking = jnp.clip((last - base) / jnp.maximum(last, 1.0) * 12 / _SHRINKING, 0.0, 1.0)
    growth = p["maturity_growth"] * use * (1 - state.maturity)
    decay = p["maturity_decay"] * jnp.maximum(shrinking, jnp.where(base < 1.0, 1.0, 0.0)) * state.maturity
    maturity = jnp.clip(state.maturity + (growth - decay) / 12, 0.05, 1.0)
    china = by_stack[jnp.argmax(uses.china)]
    blocs = jnp.stack([base - china, china])
    share = blocs / jnp.maximum(blocs.sum(1, keepdims=True), 1e-9)
    developers = state.developers + (share - state.developers) / (12 * p["developer_years"])
    return maturity, developers
