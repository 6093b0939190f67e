"""What a month leaves behind: the monthly outputs of one member, and what is derived from whole trajectories.

Units are in `variables.csv`. Flows lie between month ends, stocks stand at them; shares, sums and ratios are taken within a
member.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from chipweir import market, supply
from chipweir.world._believe import Beliefs
from chipweir.world._korea import exports_month, fabs_at_risk, retaliation_cost
from chipweir.world._state import Calendar, Months, Parameters, Products, State, Uses
from chipweir.world._stocks import Fleet, Stocked
from chipweir.world._tokens import Tokens


_TWELVE = 12


class Month(NamedTuple):
    """All quantities of one month of one member, for functions that choose what to keep."""

    before: State
    after: State
    p: Parameters
    m: Months
    b: Beliefs
    products: Products
    made: supply.Made
    sold: market.Sold
    stocked: Stocked
    tokens: Tokens
    fleet: Fleet
    flops: Array  # [R] training FLOP/s delivered


def china_of(uses: Uses, by_region: Array) -> Array:
    """China's row of an array whose first axis is the region (a slice costs less than a product with the one-hot)."""
    return by_region[jnp.argmax(uses.china)]


def monthly(month: Month) -> dict[str, Array]:
    """The outputs of a month that ensembles keep."""
    return {
        **_compute(month),
        **_purchases(month),
        **_channels(month),
        **_tokens(month),
        **_supply(month),
        **_korea(month),
        **_products(month),
        "flow_direct": month.sold.direct,
        "flow_smuggled": month.sold.smuggled,
        "flow_rented": month.sold.rented,
    }


def _compute(month: Month) -> dict[str, Array]:
    uses, after, fleet = month.products.uses, month.after, month.fleet
    china, domestic, h100e = uses.china, uses.domestic, uses.h100e
    installed = fleet.by_stack.sum(1)
    running = installed * fleet.energised
    held = china_of(uses, after.installed) * fleet.energised[jnp.argmax(china)]
    abroad = h100e @ after.rented
    ratio = running / jnp.maximum(installed, 1e-9)
    return {
        "compute": running,
        "compute_by_origin": jnp.stack(
            [
                ((1 - domestic) * h100e) @ held,
                (domestic * h100e) @ held,
                (h100e @ after.smuggled) * (china @ ratio),
                abroad.sum() * (china @ ratio),
            ]
        ),
        "compute_located": running - china * (china @ ratio) * abroad.sum() + uses.hub_region @ abroad * ratio,
        "compute_waiting": installed - running,
        "compute_by_law": (after.installed @ (uses.law_of * h100e).T)
        + china[:, None] * (uses.law_of @ (h100e * (after.smuggled + after.rented.sum(1)))),
        "energised_share": fleet.energised,
        "power_mw": fleet.power * month.p["pue"] / 1e6,
        "ecosystem_share": fleet.by_stack / jnp.maximum(installed, 1e-9)[:, None],
        "maturity": after.maturity,
        "developer_share": after.developers,
        "largest_run": jnp.exp(after.largest),
        "compute_official": (china @ running) / 1e6 * uses.official,
    }


def _purchases(month: Month) -> dict[str, Array]:
    uses, sold, p = month.products.uses, month.sold, month.p
    domestic, nvidia, h100e = uses.domestic, uses.nvidia, uses.h100e
    direct = sold.to_china
    arrived = jnp.maximum(sold.smuggled.sum(1) - sold.seized, 0.0)
    went = sold.direct.sum(0) + (sold.smuggled + sold.rented).sum(1)
    value = direct * sold.price
    groups = jnp.stack([direct, direct * h100e, month.made.packages, went]) @ uses.groups.T
    uplift = month.b.wider.uplift * p["system_uplift"]
    return {
        "china_units": jnp.stack([((1 - domestic) * direct).sum(), (domestic * direct).sum(), arrived.sum()]),
        "china_h100e": jnp.stack([((1 - domestic) * direct) @ h100e, (domestic * direct) @ h100e, arrived @ h100e]),
        "china_value": jnp.stack([((1 - domestic) * value).sum(), (domestic * value).sum()]),
        "china_nvidia_value": (nvidia * value).sum(),
        "group_china_units": groups[0],
        "group_china_h100e": groups[1],
        "group_made": groups[2],
        "group_sold": groups[3],
        "nvidia_revenue": (nvidia * went * sold.price).sum() * uplift,
        "nvidia_china_revenue": (nvidia * value).sum() * uplift + month.b.wider.nvidia_other,
        "spending": sold.spent,
        "spending_planned": sold.wanted.sum(1),
        "spending_by_use": sold.wanted.sum(0),
        "world_chip_value": went @ sold.price,
        "premium_producer": jnp.exp((sold.premium * went * h100e).sum() / jnp.maximum((went * h100e).sum(), 1e-9)),
        "discount_domestic": _mean(month.after.market.posted, domestic * went),
        "unmet_share": sold.unmet,
    }


def _mean(values: Array, weights: Array) -> Array:
    return (values @ weights) / jnp.maximum(weights.sum(), 1e-9)


def _channels(month: Month) -> dict[str, Array]:
    uses, sold = month.products.uses, month.sold
    shipped, hosted = sold.smuggled.sum(1), sold.rented.sum(1)
    asked = sold.price * jnp.exp(sold.premium)
    listed = shipped @ sold.price
    paid = asked @ sold.smuggled @ jnp.exp(sold.grey)
    dealt = listed > 1e4
    return {
        "smuggled_units": shipped.sum(),
        "smuggled_h100e": shipped @ uses.h100e,
        "smuggled_value": paid,
        "seized_units": sold.seized.sum(),
        "smuggled_by_hub": sold.smuggled.sum(0),
        "rented_by_hub": sold.rented.sum(0),
        "rented_h100e": hosted @ uses.h100e,
        "premium_black_market": jnp.where(dealt, paid / jnp.maximum(listed, 1e4), jnp.nan),
    }


def _tokens(month: Month) -> dict[str, Array]:
    china, tokens = month.products.uses.china, month.tokens

    def by_market(pair: Array) -> Array:
        return pair[0] + china * (pair[1] - pair[0])

    return {
        "token_price": by_market(tokens.price),
        "token_price_fixed": by_market(tokens.fixed_quality),
        "token_cost": by_market(tokens.cost),
        "tokens_demanded": by_market(tokens.demanded) * tokens.share,
        "tokens_served": by_market(tokens.served) * tokens.share,
        "tokens_exported_china": tokens.exported,
        "token_revenue": by_market(tokens.served * tokens.price / 1e6 * 30.44) * tokens.share,
        "utilisation": by_market(tokens.load),
    }


def _supply(month: Month) -> dict[str, Array]:
    uses, made, after = month.products.uses, month.made, month.after
    domestic = uses.domestic
    chinese = made.packages * domestic
    weights = chinese * uses.h100e
    went = month.sold.direct.sum(0) + (month.sold.smuggled + month.sold.rented).sum(1)
    return {
        "production_domestic": chinese.sum(),
        "production_domestic_h100e": weights.sum(),
        "sold_domestic": domestic @ went,
        "unsold_domestic": domestic @ after.market.inventory,
        "unsold_foreign": (1 - domestic) @ after.market.inventory,
        "binding": (made.binding * weights).sum(1) / jnp.maximum(weights.sum(), 1e-9),
        "slack": made.slack,
        "wafer_starts": after.supply.capacity,
        "line_utilisation": made.utilisation,
        "hbm_stock": after.supply.hbm.sum(),
        "hbm_used_china": made.hbm_used.sum(),
        "hbm_arrived_china": made.hbm_imported + made.hbm_domestic.sum(),
        "hbm_by_vendor": jnp.concatenate([made.hbm_vendors, made.hbm_domestic]),
        "die_bank": after.supply.dies.sum(),
    }


def _korea(month: Month) -> dict[str, Array]:
    uses, made, p, b = month.products.uses, month.made, month.p, month.b
    korean = (made.hbm_vendors[0] + made.hbm_vendors[1]) / jnp.maximum(made.hbm_vendors.sum(), 1.0)
    sold = (made.hbm_vendors[0] + made.hbm_vendors[1]) * (1 - month.m.supply.hbm_withhold)
    by_use = uses.hbm_customer[:4] @ made.hbm_foreign_used
    abroad = by_use / jnp.maximum(by_use.sum(), 1.0) * sold * b.supply.hbm_price
    to_china = made.hbm_imported * b.supply.hbm_price_china * supply.KOREAN_SHARE_OF_IMPORTS
    hbm = jnp.concatenate([abroad, to_china[None]])
    exports = exports_month(month.after, p, month.m, b, uses, month.sold, hbm)
    return {
        "korea_hbm_exports": hbm,
        "korea_hbm_exports_total": hbm.sum(),
        "korea_hbm_share": korean,
        "korea_exports": exports.by_product,
        "korea_exports_to": exports.by_destination,
        "korea_dram_exports": exports.by_product[1],
        "korea_value_at_risk": fabs_at_risk(month.after, p, b),
        "korea_retaliation_cost": retaliation_cost(month.after, p, month.m.calendar),
        "korea_public_spending": b.market.budget_korea_public * month.m.market.public_korea,
        "korea_npus_public": month.sold.reached,
        "memory_price": jnp.exp(month.after.supply.memory_price),
    }


def _products(month: Month) -> dict[str, Array]:
    """By product [K], summed by calendar year before they leave the compiled program."""
    sold = month.sold
    shipped, hosted = sold.smuggled.sum(1), sold.rented.sum(1)
    total = sold.direct.sum(0) + shipped + hosted
    return {
        "product_made": month.made.packages,
        "product_sold": total,
        "product_value": total * sold.price,
        "product_china": sold.to_china,
        "product_smuggled": shipped,
        "product_rented": hosted,
    }


def ledger(month: Month) -> dict[str, Array]:
    """The chip accounts of a month, for conservation checks: every term of the balance of units, dies and stacks."""
    before, after, made, sold = month.before, month.after, month.made, month.sold
    return {
        "carried_in": before.market.inventory,
        "made": made.packages,
        "sold_direct": sold.direct.sum(0),
        "sold_smuggled": sold.smuggled.sum(1),
        "sold_rented": sold.rented.sum(1),
        "seized": sold.seized,
        "scrapped": sold.scrapped,
        "left": after.market.inventory,
        "dies_in": before.supply.dies,
        "dies_arrived": made.dies_arrived,
        "dies_used": made.dies_used,
        "dies_left": after.supply.dies,
        "hbm_in": before.supply.hbm.sum(),
        "hbm_arrived": made.hbm_imported + made.hbm_domestic.sum(),
        "hbm_used": made.hbm_used.sum(),
        "hbm_left": after.supply.hbm.sum(),
    }


def _trailing(flow: Array) -> Array:
    """Sum of the last twelve months (fewer at the start) along the first axis."""
    total = jnp.cumsum(flow, axis=0)
    pad = jnp.zeros_like(total[:_TWELVE])
    return total - jnp.concatenate([pad, total[:-_TWELVE]])[: total.shape[0]]


def _behind(frontier: Array, other: Array, index: Array) -> Array:
    """Months since `frontier` (a log that never falls) stood where `other` stands now; before the first month it is
    extended back at its growth over the first two years."""
    frontier = frontier + 1e-6 * index
    slope = jnp.maximum((frontier[24] - frontier[0]) / 24, 0.02)
    reached = jnp.interp(other, frontier, index)
    before = (other - frontier[0]) / slope
    return index - jnp.where(other < frontier[0], before, reached)


def _lag(own: Array, other: Array, p: Parameters, cal: Calendar) -> Array:
    """Months since the frontier region had the other's effective training compute.

    Effective compute is the largest run times algorithmic progress; ideas reach the other region after a delay, and
    open weights and distillation close part of what remains.
    """
    gain = jnp.log(p["algorithmic_training"]) * cal.algorithms
    frontier = jnp.log(own) + gain * cal.year
    behind = jnp.log(other) + gain * (cal.year - p["diffusion_lag"] / 12)
    return _behind(frontier, behind + p["imitation"] * jnp.maximum(frontier - behind, 0.0), cal.index)


def derive(kept: dict[str, Array], p: Parameters, m: Months, products: Products) -> dict[str, Array]:
    """Shares, ratios and lags of one member from its trajectories `[T, ...]`; every ratio within the member."""
    uses = products.uses
    units, h100e, value = (_trailing(kept[name]) for name in ("china_units", "china_h100e", "china_value"))
    china, usa = kept["compute"] @ uses.china, kept["compute"] @ uses.usa
    own, other = kept["largest_run"] @ uses.usa, kept["largest_run"] @ uses.china
    korea = kept["largest_run"] @ uses.korea
    nvidia = _trailing(kept["china_nvidia_value"])
    legal = units[:, :2].sum(1)
    fixed = kept["token_price_fixed"]
    year_ago = jnp.concatenate([jnp.full((_TWELVE, *fixed.shape[1:]), jnp.nan), fixed[:-_TWELVE]])
    held = jnp.maximum(kept["compute_by_law"].sum(2), 1e-9)
    return {
        "ratio_to_us": china / usa,
        "domestic_share_units": units[:, 1] / jnp.maximum(legal, 1e-9),
        "domestic_share_compute": h100e[:, 1] / jnp.maximum(h100e.sum(1), 1e-9),
        "domestic_share_value": value[:, 1] / jnp.maximum(value.sum(1), 1e-9),
        "nvidia_share": nvidia / jnp.maximum(value.sum(1), 1e-9),
        "largest_run_ratio": other / own,
        "lag_months": _lag(own, other, p, m.calendar),
        "lag_compute": _behind(jnp.log(own), jnp.log(other), m.calendar.index),
        "lag_korea": _lag(own, korea, p, m.calendar),
        "token_price_fall": year_ago / fixed,
        "one_veto_share": jnp.max(kept["compute_by_law"], axis=2) / held,
        "compute_added": jnp.diff(kept["compute"], axis=0, prepend=kept["compute"][:1]),
    }


def member_outputs(kept: dict[str, Any], p: Parameters, m: Months, products: Products) -> dict[str, Any]:
    """Everything an ensemble keeps of one member."""
    return {**kept, **derive(kept, p, m, products)}
