"""Who would buy what: budgets of the month, and the utility of every offer."""

from typing import NamedTuple

import jax.numpy as jnp

from chipweir.arrays import Array, back
from chipweir.market._state import Believed, Dated, Goods, State


# Price of an H100 with its node, USD: the unit in which value for money is near 1 and its powers stay in range.
_UNIT_PRICE = 4e4
# Supply of less than a unit is none: where the law lets nothing pass and nothing is left, a product is off sale.
_LEAST_SUPPLY = 1.0
# Largest and least answer of inference budgets to utilisation.
_LEAST_RESPONSE, _MOST_RESPONSE = 0.4, 1.8


def budgets(
    state: State, p: dict[str, Array], m: Dated, b: Believed, goods: Goods, response: Array, power: Array
) -> tuple[Array, Array]:
    """Spending plans [R, W] in USD this month, with what was rationed last month, and the Korean public part [].

    The US budget and China's are dated beliefs, other regions spend in proportion to the US. After the cut-off inference
    budgets follow the utilisation of the fleet and the money that tokens earn (`response` [2], world and China), and no
    region buys what it cannot power (`power` [R], share of its stock that runs).
    """
    edge = jnp.clip(b.share_edge + m.edge_shift * (1 - b.share_training - b.share_edge), 0.0, 0.8)
    training = jnp.clip(b.share_training + m.training_shift, 0.02, 0.95 - edge)
    shares = jnp.stack([training, jnp.maximum(1 - training - edge, 0.02), edge])
    public = b.budget_korea_public * m.public_korea
    us = b.budget_us * m.us_capex
    total = goods.usa * us + m.region_share * b.budget_us + goods.china * b.budget_china * m.china_capex
    total = total + goods.korea * public * (1 - m.korean_npus)
    bounded = jnp.clip(response, _LEAST_RESPONSE, _MOST_RESPONSE)
    answer = jnp.where(goods.china > 0, bounded[1], bounded[0])
    inference = jnp.asarray([0.0, 1.0, 1.0], total.dtype)[:, None]
    plan = total[:, None] * shares * (1 + m.future * inference * (answer[:, None] - 1))
    powered = jnp.where(m.future > 0, power, 1.0) ** p["power_response"]
    return plan * powered[:, None] + state.carried, public * m.korean_npus


class Offers(NamedTuple):
    """Factors of `exp(theta u)` as in `Market`: `value` [W, K], `pull`, `direct`, `foreign` [K], `reach` [R, G], `group_of`
    [G, K]."""

    value: Array
    pull: Array
    direct: Array
    foreign: Array
    reach: Array
    group_of: Array


def maturity_of(goods: Goods, maturity: Array, p: dict[str, Array], m: Dated) -> Array:
    """Software efficiency of every product [K]: its own stack's, or CUDA's by the share it inherits. `maturity` [E]."""
    own, cuda = back(goods.stack_of, maturity), maturity[0]
    inherits = jnp.clip(goods.inherits_cuda + goods.domestic * m.compatibility, 0, 1) * p["cuda_inheritance"]
    return jnp.where(goods.stack_of[0] > 0, own, own + inherits * jnp.maximum(cuda - own, 0.0))


def offers(
    state: State,
    p: dict[str, Array],
    m: Dated,
    goods: Goods,
    supply: Array,
    price: Array,
    log_worth: Array,
    developers: Array,
) -> Offers:
    """Utility of every offer: value for money, pull of the software that developers know, frictions and stances.

    `u = ln(throughput maturity / (price + node cost)) + stickiness ln(developers' share) - penalties`.

    **Arguments:** `supply` [K] units that makers have, of which less than one is none; `price` [K] USD that makers ask;
    `log_worth` [W, K] with software; `developers` [2, E] shares of the ecosystems among developers, world and China.
    """
    theta = p["choice_sensitivity"]
    value = log_worth - jnp.log((price + p["node_cost"] * goods.power) / _UNIT_PRICE)
    on_sale = jnp.where(supply >= _LEAST_SUPPLY, 1.0, 0.0)
    world, china = (back(goods.stack_of, p["stickiness"] * jnp.log(bloc + 0.01)) for bloc in developers)
    exported = goods.domestic * (1 - goods.open_market)
    penalty = goods.domestic * p["export_penalty"] * (1 - jnp.clip(m.chip_exports - 1, 0, 1))
    pull = jnp.exp(theta * (world - penalty)) * on_sale * jnp.clip(m.chip_exports * exported + 1 - exported, 0, 1)
    group_of = jnp.concatenate([m.access_of * goods.open_market, goods.captive[None], exported[None]])
    open_to = jnp.exp(-theta * m.friction).swapaxes(0, 1)  # [R, G]
    alike = jnp.ones_like(open_to[:, :1])
    reach = jnp.concatenate([open_to, goods.usa[:, None] * alike, goods.buys_chinese[:, None] * alike], axis=1)
    reach = reach * (1 - goods.china)[:, None]

    foreign_made = 1 - goods.domestic
    liking = goods.domestic * p["domestic_preference"] - foreign_made * p["stance_penalty"] * m.stance
    may_enter = (1 - goods.captive) * jnp.where(m.blocked > 0, p["blocked_leakage"], 1.0) * m.open_days
    state_buyers = 1 - foreign_made * p["state_buyer_share"] * m.domestic_floor
    direct = jnp.exp(theta * (china + liking)) * may_enter * on_sale * state_buyers
    foreign = jnp.exp(theta * china) * goods.diverted * on_sale * m.controlled * state_buyers
    return Offers(jnp.exp(theta * value), pull, direct, foreign, reach, group_of)
