"""What a month leaves behind: the monthly outputs of one member, and what is derived from whole trajectories.

Monthly outputs (`monthly`), all of one member; units in `VARIABLES`. Flows lie between month ends, stocks stand at them.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array

from chipweir.world._state import Months, Products
from chipweir.world._step import Month, Parameters, china_of


_TWELVE = 12


def monthly(month: Month) -> dict[str, Array]:
    """The outputs of a month that ensembles keep."""
    _, after, p, m, b, products, made, sold, moved, tokens, fleet = month
    china, domestic, h100e = products.china, products.domestic, products.h100e
    direct, shipped, rented = sold.to_china, sold.shipped, sold.hosted
    held = china_of(products, after.installed)
    arrived = jnp.maximum(shipped - moved.seized, 0.0)
    bought = direct + arrived
    paid = sold.price * jnp.exp(sold.premium)
    value = bought * sold.price
    route_markup = jnp.exp(sold.route_cost + sold.route_rent)
    smuggled_list = shipped @ sold.price
    smuggled_paid = paid @ sold.smuggled @ route_markup
    nvidia = products.nvidia
    sales = sold.direct.sum(0) + shipped + rented
    compute = fleet.by_ecosystem.sum(1)
    stacks = made.made * products.stacks
    stack_price = p["hbm_stack_price"] * jnp.exp(0.06 * (m.year - 3.5))
    korean = stacks * stack_price * p["korean_hbm_share"]
    to_china = made.hbm_imported * stack_price * p["korean_hbm_share"]
    chinese_made = made.made * domestic
    weights = chinese_made * h100e

    def by_market(pair: Array) -> Array:
        return pair[0] + china * (pair[1] - pair[0])

    groups = jnp.stack([direct, direct * h100e, made.made, sales]) @ products.groups.T
    exports = jnp.concatenate([products.hbm_customer[:4] @ korean, to_china[None]])
    binding = (made.binding * weights).sum(1) / jnp.maximum(weights.sum(), 1e-9)
    return {
        "compute_by_origin": jnp.stack(
            [
                ((1 - domestic) * h100e) @ held,
                (domestic * h100e) @ held,
                h100e @ after.smuggled,
                h100e @ after.rented.sum(1),
            ]
        ),
        "compute": compute,
        "compute_located": compute
        - china * (h100e @ after.rented.sum(1))
        + products.hub_region @ (h100e @ after.rented),
        "china_units": jnp.stack([((1 - domestic) * direct).sum(), (domestic * direct).sum(), arrived.sum()]),
        "china_h100e": jnp.stack([((1 - domestic) * direct) @ h100e, (domestic * direct) @ h100e, arrived @ h100e]),
        "china_value": jnp.stack([((1 - domestic) * value).sum(), (domestic * value).sum()]),
        "china_nvidia_value": (nvidia * value).sum(),
        "group_china_units": groups[0],
        "group_china_h100e": groups[1],
        "group_made": groups[2],
        "group_sold": groups[3],
        "nvidia_revenue": (nvidia * sales * sold.price).sum() * p["system_uplift"],
        "nvidia_china_revenue": (nvidia * direct * sold.price).sum() * p["system_uplift"]
        + p["china_other_revenue"] * 1e9 / 12,
        "smuggled_units": shipped.sum(),
        "smuggled_value": smuggled_paid,
        "seized_units": moved.seized.sum(),
        "smuggled_by_hub": sold.smuggled.sum(0),
        "rented_by_hub": sold.rented.sum(0),
        "premium_black_market": jnp.where(
            smuggled_list > 1e3, smuggled_paid / jnp.maximum(smuggled_list, 1e3), jnp.nan
        ),
        "premium_producer": jnp.exp((sold.premium * sales * h100e).sum() / jnp.maximum((sales * h100e).sum(), 1e-9)),
        "largest_run": jnp.exp(after.largest),
        "token_price": by_market(tokens.price),
        "token_price_fixed": by_market(tokens.fixed_quality),
        "tokens_demanded": by_market(tokens.demanded) * tokens.share,
        "tokens_served": by_market(tokens.served) * tokens.share,
        "utilisation": by_market(tokens.load),
        "power_mw": fleet.power * p["pue"] / 1e6,
        "ecosystem_share": fleet.by_ecosystem / jnp.maximum(compute, 1e-9)[:, None],
        "maturity": after.maturity,
        "production_domestic": chinese_made.sum(),
        "production_domestic_h100e": weights.sum(),
        "binding": binding,
        "wafer_starts": made.capacity,
        "hbm_stock": after.hbm,
        "hbm_used_china": made.hbm_used,
        "hbm_arrived_china": made.hbm_arrived,
        "die_bank": after.dies.sum(),
        "korea_hbm_exports": exports,
        "korea_hbm_exports_total": exports.sum(),
        "korea_dram_exports": b.dram_exports * 1e9,
        "korea_value_at_risk": p["korean_china_fabs"] * 1e9 * jnp.ones(()),
        "unmet_share": sold.unmet,
        "flow_direct": sold.direct,
        "flow_smuggled": sold.smuggled,
        "flow_rented": sold.rented,
    }


def ledger(month: Month) -> dict[str, Array]:
    """The chip accounts of a month, for conservation checks: every term of the balance of units, dies and stacks."""
    before, after, made, sold, moved = month.before, month.after, month.made, month.sold, month.moved
    return {
        "carried_in": before.inventory,
        "made": made.made,
        "sold_direct": sold.direct.sum(0),
        "sold_smuggled": sold.smuggled.sum(1),
        "sold_rented": sold.rented.sum(1),
        "seized": moved.seized,
        "scrapped": moved.scrapped,
        "left": after.inventory,
        "dies_in": before.dies,
        "dies_arrived": made.dies_arrived,
        "dies_used": made.dies_used,
        "dies_left": after.dies,
        "hbm_in": before.hbm,
        "hbm_arrived": made.hbm_arrived,
        "hbm_used": made.hbm_used,
        "hbm_left": after.hbm,
    }


def _trailing(flow: Array) -> Array:
    """Sum of the last twelve months (fewer at the start) along the first axis."""
    total = jnp.cumsum(flow, axis=0)
    pad = jnp.zeros_like(total[:_TWELVE])
    return total - jnp.concatenate([pad, total[:-_TWELVE]])[: total.shape[0]]


def _lag(own: Array, other: Array, p: Parameters, m: Months) -> Array:
    """Months since the frontier region had the other's effective training compute.

    Effective compute is the largest run times algorithmic progress; ideas reach the other region after a delay, and
    open weights and distillation close part of what remains. Before the first month the frontier is extended back at
    its growth over the first two years.
    """
    progress = jnp.log(p["algorithmic_training"]) * m.year * m.algorithms
    delayed = jnp.log(p["algorithmic_training"]) * (m.year - p["diffusion_lag"] / 12) * m.algorithms
    frontier = jnp.log(own) + progress
    behind = jnp.log(other) + delayed
    behind = behind + p["imitation"] * jnp.maximum(frontier - behind, 0.0)
    frontier = frontier + 1e-6 * m.index
    slope = jnp.maximum((frontier[24] - frontier[0]) / 24, 0.02)
    reached = jnp.interp(behind, frontier, m.index)
    before = (behind - frontier[0]) / slope
    return m.index - jnp.where(behind < frontier[0], before, reached)


def derive(kept: dict[str, Array], p: Parameters, m: Months, products: Products) -> dict[str, Array]:
    """Shares, ratios and lags of one member from its trajectories `[T, ...]`; every ratio within the member."""
    units, h100e, value = (_trailing(kept[name]) for name in ("china_units", "china_h100e", "china_value"))
    china, usa = kept["compute"] @ products.china, kept["compute"] @ products.usa
    own, other = kept["largest_run"] @ products.usa, kept["largest_run"] @ products.china
    nvidia = _trailing(kept["china_nvidia_value"])
    fixed = kept["token_price_fixed"]
    year_ago = jnp.concatenate([jnp.full((_TWELVE, *fixed.shape[1:]), jnp.nan), fixed[:-_TWELVE]])
    return {
        "ratio_to_us": china / usa,
        "domestic_share_units": units[:, 1] / jnp.maximum(units.sum(1), 1e-9),
        "domestic_share_compute": h100e[:, 1] / jnp.maximum(h100e.sum(1), 1e-9),
        "domestic_share_value": value[:, 1] / jnp.maximum(value.sum(1), 1e-9),
        "nvidia_share": nvidia / jnp.maximum(value.sum(1), 1e-9),
        "largest_run_ratio": other / own,
        "lag_months": _lag(own, other, p, m),
        "token_price_fall": year_ago / fixed,
    }


def member_outputs(kept: dict[str, Any], p: Parameters, m: Months, products: Products) -> dict[str, Any]:
    """Everything an ensemble keeps of one member."""
    return {**kept, **derive(kept, p, m, products)}
