"""The chip accounts: every stock of units, dies and stacks, and the one place where they are balanced.

Accounts are kept in double precision whatever the month is computed in; what is sold or used is cut back to what there
is, so that nothing is lost to rounding: made + carried in = sold by channel + scrapped + left, and the like for dies
and stacks.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Float

from chipweir import market, supply
from chipweir.arrays import Array, once, pytree


@pytree
@dataclass(frozen=True)
class Accounts:
    """Stocks at a month's end: `unsold` [K] units in makers' hands; `dies` [D] good Chinese dies; `hbm` [2] Chinese stacks
    (bought and CXMT's, Huawei's own); `installed` [R, K] units in direct use, `smuggled` [K], `rented` [K, H] units."""

    unsold: Float[Array, " K"]
    dies: Float[Array, " D"]
    hbm: Float[Array, " S"]
    installed: Float[Array, "R K"]
    smuggled: Float[Array, " K"]
    rented: Float[Array, "K H"]


@dataclass(frozen=True)
class Settled:
    """The accounts at the month's end, the output and sales they rest on, and what was scrapped [K]."""

    accounts: Accounts
    made: supply.Made
    sold: market.Sold
    scrapped: Array


def settle(before: Accounts, p: dict[str, Array], m: market.Dated, made: supply.Made, sold: market.Sold) -> Settled:
    """Balance the month.

    Installed chips retire at a constant share, `1 / (12 life)`; smuggled chips also fail without repair and are found where
    chips must report their place; unsold units of products no longer made are scrapped by and by.
    """
    kind = before.unsold.dtype
    direct, smuggled, rented = (flow.astype(kind) for flow in (sold.direct, sold.smuggled, sold.rented))
    there = before.unsold + made.packages.astype(kind)
    wanted = direct.sum(0) + smuggled.sum(1) + rented.sum(1)
    kept = jnp.minimum(1.0, there / jnp.maximum(wanted, 1e-300))
    direct, smuggled, rented = direct * kept, smuggled * kept[:, None], rented * kept[:, None]
    left = jnp.maximum(there - wanted * kept, 0.0)
    scrapped = left * m.scrap.astype(kind)
    hazard = 1 / (12 * p["chip_life"])
    lost = hazard + p["smuggled_failure"] / 12 + m.location * p["location_verification_effect"] / 12
    shipped = smuggled.sum(1)
    seized = jnp.minimum(sold.seized.astype(kind), shipped)
    dies, stacks = before.dies + made.dies_arrived.astype(kind), before.hbm + made.hbm_arrived.astype(kind)
    used = made._replace(
        dies_used=jnp.minimum(made.dies_used.astype(kind), dies),
        hbm_used=jnp.minimum(made.hbm_used.astype(kind), stacks),
    )
    accounts = Accounts(
        unsold=left - scrapped,
        dies=dies - used.dies_used,
        hbm=stacks - used.hbm_used,
        installed=before.installed * (1 - hazard) + direct,
        smuggled=before.smuggled * (1 - lost) + shipped - seized,
        rented=before.rented * (1 - hazard) + rented,
    )
    exact = sold._replace(direct=direct, smuggled=smuggled, rented=rented, seized=seized)
    return Settled(*once((accounts, used, exact, scrapped)))
