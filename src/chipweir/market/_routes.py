"""How smuggling routes and offshore hosting move with the rent they earn and the enforcement they meet."""

import jax.numpy as jnp

from chipweir.arrays import Array


# Rents (log points) at which expansion is three quarters of its fastest.
_RENT_SCALE = 0.1
# Attrition of a route as a share of its fastest growth, at the enforcement of 2025.
_ATTRITION = 0.25
# Pace at which networks wither over that at which they grow (prior: firms and contacts outlast a bad year).
_PERSISTENCE = 0.25
# How much of a hub's growth of hosting a licence requirement there takes (prior: cloud access is checked, not barred).
_HOSTING_LICENCE = 0.5


def route_cost(base: Array, pressure: Array, effect: Array, licence: Array, licence_effect: Array) -> Array:
    """Markup (log points) that pays for a route: the base cost raised by enforcement and by a licence on the hub.

    **Arguments:** `base` []; `pressure` [hub] enforcement beyond that of 2025 (steps); `effect` [] elasticity;
    `licence` [hub] 0/1; `licence_effect` [] share.
    """
    return base * jnp.exp(effect * jnp.maximum(pressure, -1.5)) + licence * licence_effect


def route_capacity(
    capacity: Array,
    limit: Array,
    fungibility: Array,
    rent: Array,
    speed: Array,
    pressure: Array,
    effect: Array,
    licence: Array,
    licence_effect: Array,
    active: Array,
) -> Array:
    """Next month's capacity (places a month) of every hub's route; it rests while nothing is controlled (`active` 0).

    Grows with the rent the route earns, shrinks by attrition that rises with enforcement and with a licence
    requirement on the hub and with the size of the flow (large flows are seen). A hub that loses its route sends demand,
    and so rent, to the others, and, as far as the networks are fungible, room to grow.

    **Arguments:** `capacity`, `limit` (where attrition has doubled), `rent` (log points) [hub]; `fungibility` [] share
    of the attention that falls on all hubs together rather than on each; `speed` [] per month; the rest as in
    `route_cost`.
    """
    attention = (1 - fungibility) * capacity / limit + fungibility * capacity.sum(0) / limit.sum(0)
    attrition = _ATTRITION * jnp.exp(effect * jnp.maximum(pressure, -1.5)) + 2 * licence * licence_effect + attention
    pull = jnp.tanh(rent / _RENT_SCALE) - attrition
    growth = active * speed * jnp.where(pull > 0, pull, _PERSISTENCE * pull)
    return jnp.clip(capacity * jnp.exp(growth), 0.01, 1e7)


def offshore_capacity(
    capacity: Array, limit: Array, rent: Array, speed: Array, control: Array, licence: Array, active: Array
) -> Array:
    """Next month's offshore hosting (W a month) open to Chinese users: grows with rent towards what land and power allow,
    shrinks under a control, and grows less where the hub's own imports need a licence.

    **Arguments:** `capacity`, `limit`, `rent` [hub]; `speed` [] per month; `control` [] 0..1 share of use barred;
    `licence` [hub] 0/1; `active` [] 0 while nothing is controlled.
    """
    growth = speed * (jnp.tanh(rent / _RENT_SCALE) - 0.1 - _HOSTING_LICENCE * licence - capacity / limit)
    growth = jnp.where(growth > 0, growth, _PERSISTENCE * growth)
    return jnp.clip(capacity * jnp.exp(active * growth - 0.15 * control), 1.0, 1e11)
