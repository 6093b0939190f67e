"""What a month leaves behind: the monthly outputs of one member, and what is derived from whole trajectories.

Units are in `variables.csv`. Flows lie between month ends, stocks stand at them; shares, sums and ratios are taken within a
member.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from chipweir import market, supply
from chipweir.arrays import Array, along, dot
from chipweir.world._believe import Beliefs
from chipweir.world._korea import US_OUTLAY, exports_month, fabs_at_risk, retaliation_cost
from chipweir.world._state import Calendar, Months, Parameters, Products, State, Uses
from chipweir.world._stocks import Fleet
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
    scrapped: Array  # [K]
    tokens: Tokens
    fleet: Fleet
    flops: Array  # [R] training FLOP/s delivered


def china_of(uses: Uses, by_region: Array) -> Array:
    """China's row of an array whose first axis is the region (a slice costs less than a product with the one-hot)."""
    return by_region[jnp.argmax(uses.china)]


class _Tally(NamedTuple):
    """The month's quantities by product summed over kinds of products (`Uses.kinds`, in the order of `KINDS`), [N] each."""

    of: Array  # [kind, quantity, N]

    def __call__(self, quantity: str, kind: str) -> Array:
        return self.of[KINDS.index(kind), _QUANTITIES.index(quantity)]


# Kinds of products that quantities are summed over: weights by product, made in `world._assemble`.
KINDS = ("all", "domestic", "foreign", "nvidia", "h100e", "domestic_h100e", "foreign_h100e")
_QUANTITIES = (
    "direct", "direct_value", "went", "went_value", "arrived", "shipped", "hosted", "made", "unsold", "held", "smuggled",
    "abroad", "premium", "posted",
)  # fmt: skip


def _tally(month: Month) -> tuple[_Tally, dict[str, Array]]:
    """Sums over kinds of products of what the month moved: one product of matrices instead of dozens of sums."""
    sold, after, uses = month.sold, month.after.accounts, month.products.uses
    shipped, hosted = sold.smuggled.sum(1), sold.rented.sum(1)
    went = sold.direct.sum(0) + shipped + hosted
    quantities = {
        "direct": sold.to_china,
        "direct_value": sold.to_china * sold.price,
        "went": went,
        "went_value": went * sold.price,
        "arrived": jnp.maximum(shipped - sold.seized, 0.0),
        "shipped": shipped,
        "hosted": hosted,
        "made": month.made.packages,
        "unsold": after.unsold,
        "held": china_of(uses, after.installed),
        "smuggled": after.smuggled,
        "abroad": after.rented.sum(1),
        "premium": sold.premium * went,
        "posted": month.after.market.posted * went,
    }
    columns = jnp.stack([quantities[name].astype(sold.price.dtype) for name in _QUANTITIES], axis=1)
    return _Tally(along(uses.kinds, columns)), quantities


def monthly(month: Month) -> dict[str, Array]:
    """The outputs of a month that ensembles keep."""
    tally, quantities = _tally(month)
    return {
        **_compute(month, tally),
        **_purchases(month, tally, quantities),
        **_channels(month, tally, quantities),
        **_tokens(month),
        **_supply(month, tally),
        **_korea(month),
    }


def by_year(month: Month) -> dict[str, Array]:
    """What ensembles keep summed by calendar year: products, and their flows to whoever uses them."""
    sold = month.sold
    shipped, hosted = sold.smuggled.sum(1), sold.rented.sum(1)
    went = sold.direct.sum(0) + shipped + hosted
    return {
        "product_made": month.made.packages,
        "product_sold": went,
        "product_value": went * sold.price,
        "product_china": sold.to_china,
        "product_smuggled": shipped,
        "product_rented": hosted,
        "flow_direct": sold.direct,
        "flow_smuggled": sold.smuggled,
        "flow_rented": sold.rented,
    }


def _compute(month: Month, tally: _Tally) -> dict[str, Array]:
    uses, after, fleet = month.products.uses, month.after, month.fleet
    china, low = uses.china, fleet.power.dtype
    installed = fleet.by_stack.sum(1)
    running = installed * fleet.energised
    powered = china_of(uses, fleet.energised)
    hosted = along(uses.h100e[None], after.accounts.rented.astype(low))[0]  # [H]
    smuggled, abroad = tally("smuggled", "h100e"), tally("abroad", "h100e")
    by_law = along(uses.law_of * uses.h100e, after.accounts.installed.swapaxes(0, 1).astype(low)).swapaxes(0, 1)
    elsewhere = along(uses.law_of * uses.h100e, (after.accounts.smuggled + after.accounts.rented.sum(1)).astype(low))
    return {
        "compute": running,
        "compute_by_origin": powered
        * jnp.stack([tally("held", "foreign_h100e"), tally("held", "domestic_h100e"), smuggled, abroad]),
        "compute_located": running + along(uses.hub_region, hosted) * fleet.energised - china * powered * abroad,
        "compute_waiting": installed - running,
        "compute_by_law": by_law + china[:, None] * elsewhere,
        "energised_share": fleet.energised,
        "power_mw": fleet.power * month.p["pue"] / 1e6,
        "ecosystem_share": fleet.by_stack / jnp.maximum(installed, 1e-9)[:, None],
        "maturity": after.maturity,
        "developer_share": after.developers,
        "largest_run": jnp.exp(after.largest),
        "compute_official": china_of(uses, running) / 1e6 * uses.official + uses.official_legacy,
    }


def _purchases(month: Month, tally: _Tally, by_product: dict[str, Array]) -> dict[str, Array]:
    uses, sold, p = month.products.uses, month.sold, month.p
    direct = by_product["direct"]
    columns = jnp.stack([direct, direct * uses.h100e, month.made.packages, by_product["went"]], axis=1)
    groups = along(uses.groups, columns.astype(sold.price.dtype)).swapaxes(0, 1)
    uplift = month.b.wider.uplift * p["system_uplift"]
    went = jnp.maximum(tally("went", "h100e"), 1e-9)
    return {
        "china_units": jnp.stack([tally("direct", "foreign"), tally("direct", "domestic"), tally("arrived", "all")]),
        "china_h100e": jnp.stack(
            [tally("direct", "foreign_h100e"), tally("direct", "domestic_h100e"), tally("arrived", "h100e")]
        ),
        "china_value": jnp.stack([tally("direct_value", "foreign"), tally("direct_value", "domestic")]),
        "china_nvidia_value": tally("direct_value", "nvidia"),
        "group_china_units": groups[0],
        "group_china_h100e": groups[1],
        "group_made": groups[2],
        "group_sold": groups[3],
        "nvidia_revenue": (tally("went_value", "nvidia") - tally("direct_value", "nvidia")) * uplift
        + tally("direct_value", "nvidia") * p["china_realised"],
        "nvidia_china_revenue": tally("direct_value", "nvidia") * p["china_realised"] + month.b.wider.nvidia_other,
        "spending": sold.spent,
        "spending_planned": sold.wanted.sum(1),
        "spending_by_use": sold.wanted.sum(0),
        "world_chip_value": tally("went_value", "all"),
        "premium_producer": jnp.exp(tally("premium", "h100e") / went),
        "discount_domestic": tally("posted", "domestic") / jnp.maximum(tally("went", "domestic"), 1e-9),
        "unmet_share": sold.unmet,
    }


def _channels(month: Month, tally: _Tally, by_product: dict[str, Array]) -> dict[str, Array]:
    sold = month.sold
    asked = sold.price * jnp.exp(sold.premium)
    listed = dot(by_product["shipped"], sold.price)
    paid = dot((asked[:, None] * sold.smuggled).sum(0), jnp.exp(sold.grey))
    return {
        "smuggled_units": tally("shipped", "all"),
        "smuggled_h100e": tally("shipped", "h100e"),
        "smuggled_value": paid,
        "seized_units": sold.seized.sum(0),
        "smuggled_by_hub": sold.smuggled.sum(0),
        "rented_by_hub": sold.rented.sum(0),
        "rented_h100e": tally("hosted", "h100e"),
        "premium_black_market": jnp.where(listed > 1e4, paid / jnp.maximum(listed, 1e4), jnp.nan),
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
        "token_revenue": by_market(tokens.served * tokens.price / 1e6 * 30.44) * tokens.share * month.p["paid_share"],
        "utilisation": by_market(tokens.load),
    }


def _supply(month: Month, tally: _Tally) -> dict[str, Array]:
    made, after = month.made, month.after
    weights = made.packages * month.products.uses.domestic * month.products.uses.h100e
    return {
        "production_domestic": tally("made", "domestic"),
        "production_domestic_h100e": tally("made", "domestic_h100e"),
        "sold_domestic": tally("went", "domestic"),
        "unsold_domestic": tally("unsold", "domestic"),
        "unsold_foreign": tally("unsold", "foreign"),
        "binding": (made.binding * weights).sum(1) / jnp.maximum(tally("made", "domestic_h100e"), 1e-9),
        "slack": made.slack,
        "wafer_starts": after.supply.capacity,
        "line_utilisation": made.utilisation,
        "hbm_stock": after.accounts.hbm.sum(0),
        "hbm_used_china": made.hbm_used.sum(0),
        "hbm_arrived_china": made.hbm_imported + made.hbm_domestic.sum(0),
        "hbm_by_vendor": jnp.concatenate([made.hbm_vendors, made.hbm_domestic]),
        "die_bank": after.accounts.dies.sum(0),
    }


def _korea(month: Month) -> dict[str, Array]:
    uses, made, p, b = month.products.uses, month.made, month.p, month.b
    korean = (made.hbm_vendors[0] + made.hbm_vendors[1]) / jnp.maximum(made.hbm_vendors.sum(0), 1.0)
    sold = (made.hbm_vendors[0] + made.hbm_vendors[1]) * (1 - month.m.supply.hbm_withhold)
    by_use = along(uses.hbm_customer[:4], made.hbm_foreign_used)
    abroad = by_use / jnp.maximum(by_use.sum(0), 1.0) * sold * b.supply.hbm_price
    to_china = made.hbm_imported * b.supply.hbm_price_china * supply.KOREAN_SHARE_OF_IMPORTS
    hbm = jnp.concatenate([abroad, to_china[None]])
    exports = exports_month(month.after, p, month.m, b, uses, month.sold, hbm)
    return {
        "korea_hbm_exports": hbm,
        "korea_hbm_exports_total": hbm.sum(0),
        "korea_hbm_share": korean,
        "korea_exports": exports.by_product,
        "korea_exports_to": exports.by_destination,
        "korea_dram_exports": exports.by_product[1],
        "korea_value_at_risk": fabs_at_risk(month.after, p, b),
        "korea_retaliation_cost": retaliation_cost(month.after, p, month.m.calendar),
        "korea_public_spending": b.market.budget_korea_public * month.m.market.public_korea,
        "korea_npus_public": month.sold.reached,
        "korea_us_outlay": US_OUTLAY / 12 * month.m.calendar.us_outlay * jnp.ones_like(korean),
        "memory_price": jnp.exp(month.after.supply.memory_price),
    }


def ledger(month: Month) -> dict[str, Array]:
    """The chip accounts of a month, for conservation checks: every term of the balance of units, dies and stacks."""
    before, after, made, sold = month.before.accounts, month.after.accounts, month.made, month.sold
    exact = before.hbm.dtype  # sums of stacks are taken as precisely as the accounts
    return {
        "carried_in": before.unsold,
        "made": made.packages,
        "sold_direct": sold.direct.sum(0),
        "sold_smuggled": sold.smuggled.sum(1),
        "sold_rented": sold.rented.sum(1),
        "seized": sold.seized,
        "scrapped": month.scrapped,
        "left": after.unsold,
        "dies_in": before.dies,
        "dies_arrived": made.dies_arrived,
        "dies_used": made.dies_used,
        "dies_left": after.dies,
        "hbm_in": before.hbm.sum(0),
        "hbm_arrived": made.hbm_arrived.astype(exact).sum(0),
        "hbm_used": made.hbm_used.astype(exact).sum(0),
        "hbm_left": after.hbm.sum(0),
    }


def _trailing(flow: Array) -> Array:
    """Sum of the last twelve months (fewer at the start) along the first axis."""
    total = jnp.cumsum(flow, axis=0)
    pad = jnp.zeros_like(total[:_TWELVE])
    return total - jnp.concatenate([pad, total[:-_TWELVE]])[: total.shape[0]]


def _behind(frontier: Array, other: Array, index: Array) -> Array:
    """Months since `frontier` [T, N] (a log that never falls) stood where `other` stands now; before the first month it is
    extended back at its growth over the first two years. `index` [T, 1] months."""
    frontier = frontier + 1e-6 * index
    slope = jnp.maximum((frontier[24] - frontier[0]) / 24, 0.02)
    reached = jax.vmap(lambda at, line: jnp.interp(at, line, index[:, 0]), in_axes=1, out_axes=1)(other, frontier)
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
    """Shares, ratios and lags of members from their trajectories `[T, ..., N]`; every ratio within the member.

    `m` and `products` are those of `Inputs`, without an axis for members.
    """
    uses = products.uses
    at = {name: jnp.argmax(getattr(uses, name)) for name in ("china", "usa", "korea")}
    cal = jax.tree.map(lambda leaf: leaf[..., None], m.calendar)
    units, h100e, value = (_trailing(kept[name]) for name in ("china_units", "china_h100e", "china_value"))
    china, usa = kept["compute"][:, at["china"]], kept["compute"][:, at["usa"]]
    runs = kept["largest_run"]
    own, other, korea = runs[:, at["usa"]], runs[:, at["china"]], runs[:, at["korea"]]
    nvidia = _trailing(kept["china_nvidia_value"])
    fixed = kept["token_price_fixed"]
    year_ago = jnp.concatenate([jnp.full((_TWELVE, *fixed.shape[1:]), jnp.nan), fixed[:-_TWELVE]])
    held = jnp.maximum(kept["compute_by_law"].sum(2), 1e-9)
    return {
        "ratio_to_us": china / usa,
        "domestic_share_units": units[:, 1] / jnp.maximum(units[:, :2].sum(1), 1e-9),
        "domestic_share_compute": h100e[:, 1] / jnp.maximum(h100e.sum(1), 1e-9),
        "domestic_share_value": value[:, 1] / jnp.maximum(value.sum(1), 1e-9),
        "nvidia_share": nvidia / jnp.maximum(value.sum(1), 1e-9),
        "largest_run_ratio": other / own,
        "lag_months": _lag(own, other, p, cal),
        "lag_compute": _behind(jnp.log(own), jnp.log(other), cal.index),
        "lag_korea": _lag(own, korea, p, cal),
        "token_price_fall": year_ago / fixed,
        "one_veto_share": jnp.max(kept["compute_by_law"], axis=2) / held,
        "compute_added": jnp.diff(kept["compute"], axis=0, prepend=kept["compute"][:1]),
    }


def member_outputs(kept: dict[str, Any], p: Parameters, m: Months, products: Products) -> dict[str, Any]:
    """Everything an ensemble keeps of its members, `[T, ..., N]`."""
    return {**kept, **derive(kept, p, m, products)}
