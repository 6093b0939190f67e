"""Tokens: inference capacity against demand, prices, and trade in tokens between China and the world."""

from typing import NamedTuple

import jax.numpy as jnp

from chipweir.arrays import Array, dot
from chipweir.world._believe import Wider
from chipweir.world._state import Calendar, Parameters, State, Uses


SECONDS_PER_DAY = 86400.0
_HOURS_OF_LIFE = 5.5 * 8766
# Years after 2022-01 at which the reference tokens of an H100 hold (mid-2024).
_REFERENCE_YEAR = 2.5
# Pull of load on the markup in a month, and its bounds.
_DRIFT, _LEAST_MARKUP, _MOST_MARKUP = 0.15, 0.25, 8.0
# Least price over marginal cost: below it providers stop serving.
_LEAST_PRICE = 0.5
# Tokens of the lightest useful model for one of the reference model on the same chip (a 1B against a 50B model; prior).
_LIGHTEST = 30.0
# Most of the world's demand that Chinese hosts serve (trust, data rules; prior).
_MOST_EXPORTED = 0.35
_SMOOTHING = 0.1


class Tokens(NamedTuple):
    """Token markets (world without China, China): all [2] but the last two."""

    demanded: Array  # per day, from the bloc's own buyers
    served: Array  # per day, by the bloc's own fleet
    capacity: Array  # per day
    price: Array  # USD per million of a contemporary model
    fixed_quality: Array  # USD per million at the quality of 2022
    cost: Array  # USD per million, marginal cost of a contemporary model
    load: Array  # utilisation of the inference fleet
    markup: Array  # relative to the believed path
    revenue: Array  # USD a day over what the belief expects
    unit_cost: Array  # USD per H100 of inference over five years
    exported: Array  # [] per day, served in China for the world
    share: Array  # [R] of the inference fleet of its bloc


def token_month(
    state: State, p: Parameters, cal: Calendar, b: Wider, uses: Uses, training: Array, rate: Array, bought: Array
) -> Tokens:
    """Inference capacity against token demand.

    - Capacity is the inference share of the fleet (`rate` [R], H100s at work) in reference tokens; gains of algorithms and
      chips go partly into heavier models and longer reasoning (`quality_rebound`).
    - Marginal cost is that of the fleet bought: `unit cost x overhead / (hours of life x tokens an hour)`; the price is
      cost times a believed markup that load moves; at fixed quality it falls faster, to the cost of the lightest model.
    - Demand is its belief times the relative price to minus the elasticity, and saturates where spending on tokens would
      pass what the economy bears.
    - Chinese hosts serve a part of the world's demand that grows with their price advantage, as far as they have room.

    **Arguments:** `training` [] share of the fleet that trains; `bought` [2] USD per H100 of inference bought this month.
    """
    china = dot(uses.china, rate)
    fleet = jnp.stack([rate.sum(0) - china, china]) * (1 - training)
    unit = state.unit_cost + _SMOOTHING * (jnp.clip(bought, 500.0, 2e5) - state.unit_cost)
    gain = (cal.year - _REFERENCE_YEAR) * cal.algorithms * jnp.log(p["algorithmic_inference"])
    cheaper = gain + jnp.log(p["unit_cost_2024"] / unit)
    weight = jnp.stack([p["model_weight_ratio"], jnp.ones_like(china)])
    heavier = jnp.exp(cheaper * p["quality_rebound"]) * weight * cal.thinking
    efficiency = p["reference_tokens"] * jnp.exp(gain) / heavier
    capacity = jnp.maximum(fleet * efficiency * SECONDS_PER_DAY, 1.0)
    hour = unit * p["serving_overhead"] / _HOURS_OF_LIFE
    cost = hour / 3600 / efficiency * 1e6
    floor = hour / 3600 / (p["reference_tokens"] * _LIGHTEST) * 1e6
    believed = jnp.stack([b.markup_world, b.markup_china])
    price = cost * jnp.maximum(believed * state.markup, _LEAST_PRICE)
    smaller = jnp.exp(-cheaper * p["quality_rebound"]) / p["quality_gain"] ** (cal.year * cal.algorithms)

    expected = jnp.stack([b.tokens_world, b.tokens_china])
    base = expected * cal.tokens_growth * cal.thinking ** (1 - p["token_elasticity"])
    wanted = base * state.markup ** -p["token_elasticity"]
    bearable = (
        jnp.asarray([[1.0], [0.25]], unit.dtype) * p["token_revenue_cap"] * 1e9 / 365 / (price * p["paid_share"]) * 1e6
    )
    demanded = wanted / jnp.sqrt(1 + (wanted / bearable) ** 2)

    room = jnp.maximum(capacity[1] * (1 - p["non_llm_load"]) - demanded[1], 0.0)
    reach = p["token_export_share"] * (price[0] / price[1]) ** p["token_trade_elasticity"] * cal.token_exports
    exported = jnp.minimum(jnp.minimum(reach, _MOST_EXPORTED) * demanded[0], 0.9 * room)
    asked = demanded + exported * jnp.asarray([[-1.0], [1.0]], unit.dtype)
    free = capacity * (1 - p["non_llm_load"])
    served = asked / jnp.cbrt(jnp.sqrt(1 + (asked / jnp.maximum(free, 1.0)) ** 6))
    pressure = asked / capacity + p["non_llm_load"]
    drift = cal.future * _DRIFT * jnp.clip(pressure - p["utilisation_target"], -0.5, 1.5)
    bloc = jnp.where(uses.china > 0, china, rate.sum(0) - china)
    return Tokens(
        demanded=demanded,
        served=served,
        capacity=capacity,
        price=price,
        fixed_quality=price * smaller + floor,
        cost=cost,
        load=p["non_llm_load"] + served / capacity,
        markup=jnp.clip(state.markup * jnp.exp(drift), _LEAST_MARKUP, _MOST_MARKUP),
        revenue=served * state.markup / expected,
        unit_cost=unit,
        exported=exported,
        share=rate / jnp.maximum(bloc, 1e-9),
    )


def budget_response(state: State, p: Parameters) -> Array:
    """How inference budgets answer to the market they feed, [2]: utilisation over that of the cut-off, and the money that
    tokens earn over what was expected of them."""
    load = (state.load / jnp.maximum(state.load_reference, 1e-6)) ** p["glut_response"]
    return load * (state.revenue / jnp.maximum(state.revenue_reference, 1e-3)) ** p["revenue_financing"]
