"""Automatic differentiation of supply's month by every parameter against central differences."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from by_hand import PARAMETERS, believed, dated, fabs, orders, state, stores

from chipweir.supply import supply_month


NAMES = sorted(PARAMETERS)
# The store of tools is laid in before the cut-off.
IDLE = {"tool_store"}


def columns(step: float) -> dict[str, Any]:
    """A member for every parameter, alike but for its own, which is moved by a share of its value."""
    alike = {name: np.full(len(NAMES), PARAMETERS[name]) for name in NAMES}
    for n, name in enumerate(NAMES):
        alike[name][n] *= 1 + step
    return {name: jnp.asarray(values) for name, values in alike.items()}


def outcomes(p: dict[str, Any]) -> Any:
    """Logs of what the month leaves, [outcome, member]: under a stricter control, with dies and stacks in short supply."""
    count = len(NAMES)

    def alike(record: Any) -> Any:
        return jax.tree.map(lambda leaf: jnp.repeat(leaf, count, axis=-1), record)

    m = alike(dated(equipment=1.5, bank_inflow=0.1, hbm_withhold=0.2))
    held, asked = alike(stores(unsold=np.full(4, 2e5))), alike(orders(scarcity=0.3))
    before = state(tools=100.0, memory_price=0.2, memory_capacity=0.05, memory_orders=0.1)
    after, made = supply_month(alike(before), p, m, alike(believed()), fabs(), held, asked)
    rows = [
        *made.packages, *made.cost, made.dies_arrived[0], made.hbm_used.sum(0), after.capacity[0], after.upkeep,
        jnp.exp(after.memory_price), jnp.exp(after.memory_capacity), after.fab_level, after.tools + 1.0,
    ]  # fmt: skip
    return jnp.log(jnp.stack(rows))


def test_derivatives_of_a_month_are_those_of_differences() -> None:
    here = columns(0.0)
    along = {name: moved - here[name] for name, moved in columns(1.0).items()}
    exact = np.asarray(jax.jit(lambda p, q: jax.jvp(outcomes, (p,), (q,))[1])(here, along))
    run = jax.jit(outcomes)
    step = 1e-5
    difference = np.asarray(run(columns(step)) - run(columns(-step))) / (2 * step)
    np.testing.assert_allclose(exact, difference, rtol=1e-4, atol=1e-6)
    moved = {name for n, name in enumerate(NAMES) if np.abs(exact[:, n]).max() > 1e-6}
    assert set(NAMES) - moved == IDLE
