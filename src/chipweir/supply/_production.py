"""A month's output of every product: the smooth minimum of logic, memory and packaging, and which of them binds."""

from typing import NamedTuple

import jax.numpy as jnp

from chipweir.arrays import Array, along, back


# Sharpness of the smooth minimum (a power mean): three equal constraints give 0.87 of each.
SHARPNESS = 8


class Production(NamedTuple):
    """`packages` [product] a month; `binding` [3, product] shares of logic, memory and packaging that sum to 1."""

    packages: Array
    binding: Array


def produce(plan: Array, logic: Array, memory: Array, packaging: Array) -> Production:
    """Packages made, given how much of the plan each resource would allow.

    The smooth minimum `(sum rho_i^-p)^(-1/p)` never exceeds the least of its arguments, so that no resource is
    overdrawn; its logarithmic derivatives `rho_i^-p / sum` say which resource binds.

    **Arguments:** `plan` [product] packages a month; `logic`, `memory`, `packaging` [product]: the resource over what
    the plan needs of it. **Returns:** `Production`.
    """
    ratios = [jnp.clip(ratio, 1e-12, 1e6) for ratio in (logic, memory, packaging)]
    least = jnp.minimum(jnp.minimum(ratios[0], ratios[1]), ratios[2])
    powers = [(least / ratio) ** SHARPNESS for ratio in ratios]
    total = powers[0] + powers[1] + powers[2]
    mean = plan * least / jnp.sqrt(jnp.sqrt(jnp.sqrt(total)))  # the root of SHARPNESS
    return Production(mean, jnp.stack(powers) / total)


def pool_ratio(capacity: Array, need: Array, members: Array, weight: Array | None = None) -> Array:
    """Capacity over need for every product's pool.

    A short pool is shared in proportion to need, or to `weight` times need where its holder prefers some products; in
    either case what the ratios let through together is the capacity.

    **Arguments:** `capacity` [pool]; `need` [product] of the plan; `members` [pool, product] 0/1; `weight` [product]
    relative preference (default: none). **Returns:** [product]; large where the product needs nothing of any pool.
    """
    preferred = jnp.ones_like(need) if weight is None else weight
    ratio = capacity / jnp.maximum(along(members, need * preferred), 1e-9)
    return jnp.where(members.sum(0) > 0, back(members, ratio) * preferred, 1e6)
