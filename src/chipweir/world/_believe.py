"""One member's dated beliefs: bands read at a path of normal scores with knots each half-year.

A path's score is a stationary AR(1) process over its knots, `x[j] = r x[j-1] + sqrt(1 - r^2) e[j]` with
`r = exp(-0.5 / belief_memory)`: what is learnt about the past fades into the future, timing can be wrong, and the
band's own widening is the growth of uncertainty with the horizon. Every knot's `e[j]` has a stream of its own.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from chipweir import market, supply
from chipweir.arrays import Array, along, back
from chipweir.world._state import Band, Inputs, Parameters


# Series by the belief that places them: several series may share one path.
BELIEFS: dict[str, tuple[str, ...]] = {
    "belief_cowos": ("cowos",),
    "belief_china_packaging": ("china_packaging",),
    "belief_hbm_skhynix": ("hbm_skhynix",),
    "belief_hbm_samsung": ("hbm_samsung",),
    "belief_hbm_micron": ("hbm_micron",),
    "belief_hbm_import": ("hbm_import",),
    "belief_hbm_cxmt": ("hbm_cxmt",),
    "belief_hbm_huawei": ("hbm_huawei",),
    "belief_hbm_price": ("hbm_price", "hbm_price_china"),
    "belief_memory_demand": ("memory_demand",),
    "belief_chinese_memory": ("chinese_memory",),
    "belief_budget_us": ("budget_us",),
    "belief_budget_china": ("budget_china",),
    "belief_training_share": ("share_training",),
    "belief_tokens_china": ("tokens_china",),
    "belief_tokens_world": ("tokens_world",),
    "belief_markup_world": ("markup_world",),
    "belief_markup_china": ("markup_china",),
    "belief_power_us": ("power_us",),
    "belief_power_china": ("power_china",),
    "belief_nvidia_other": ("nvidia_other_china",),
    "belief_uplift": ("system_uplift",),
}
# Beliefs that place the foundry lines, in the order of `Fabs.line_belief`.
LINE_BELIEFS = ("belief_smic_n2", "belief_smic_n3", "belief_new_fabs", "belief_foreign_lines")
PATHS = (*LINE_BELIEFS, *BELIEFS)
# Series whose centre alone is used.
CERTAIN = ("other_packaging", "share_edge", "budget_korea_public", "memory_sales", "power_korea", "power_other")


class Wider(NamedTuple):
    """Beliefs that neither supply nor the market reads."""

    tokens_china: Array  # tokens a day at the reference price
    tokens_world: Array
    markup_world: Array  # price over marginal cost
    markup_china: Array
    power_us: Array  # W of data centres for AI
    power_china: Array
    power_korea: Array
    power_other: Array
    nvidia_other: Array  # USD a month, NVIDIA's Chinese sales other than data-centre accelerators
    uplift: Array  # data-centre revenue over that of bare accelerators


class Beliefs(NamedTuple):
    """The dated beliefs of one member by the room that reads them, month first."""

    supply: supply.Believed
    market: market.Believed
    wider: Wider


def paths(inputs: Inputs, p: Parameters) -> dict[str, Array]:
    """The score path of every belief, `[T, N]`: knots made to correlate, joined by straight lines."""
    keep = jnp.exp(-0.5 / p["belief_memory"])
    fresh = jnp.sqrt(1 - keep**2)
    shocks = jnp.stack([p[name] for name in PATHS], axis=1)  # [knot, path, N]

    def carry(score: Array, shock: Array) -> tuple[Array, Array]:
        after = keep * score + fresh * shock
        return after, after

    _, rest = jax.lax.scan(carry, shocks[0], shocks[1:])
    scores = along(inputs.knots, jnp.concatenate([shocks[:1], rest]))  # [T, path, N]
    return {name: scores[:, i] for i, name in enumerate(PATHS)}


def _place(band: Band, score: Array) -> Array:
    """A band's value at a standard normal score."""
    return band.central * jnp.exp(jnp.where(score > 0, band.high, band.low) * score)


def _shift(values: Array, months: Array) -> Array:
    """`values` [T, F, N] delayed by `months` [N], linear between months."""
    axis = jnp.arange(values.shape[0], dtype=values.dtype)
    delayed = jax.vmap(lambda column, by: jnp.interp(axis - by, axis, column), in_axes=(1, 0), out_axes=1)
    return jax.vmap(lambda line: delayed(line, months), in_axes=1, out_axes=1)(values)  # type: ignore[no-untyped-call]


def believe(inputs: Inputs, p: Parameters) -> Beliefs:
    """The members' dated beliefs, `[T, N]` or `[T, F, N]`: every band at the path of its parameter."""
    path, fabs = paths(inputs, p), inputs.products.fabs
    scores = back(fabs.line_belief, jnp.stack([path[name] for name in LINE_BELIEFS])).swapaxes(0, 1)  # [T, F, N]
    lines = _place(inputs.lines, scores)
    lines = jnp.where(fabs.delayed > 0, _shift(lines, p["new_fab_delay"]), lines)
    at = {series: _place(inputs.bands[series], path[name]) for name, all_ in BELIEFS.items() for series in all_}
    at |= {series: jnp.asarray(inputs.bands[series].central) for series in CERTAIN}
    nudge = p.get("nudge_series")
    if nudge is not None:
        shift = jnp.exp(nudge.astype(lines.dtype)).swapaxes(0, 1)  # [T, series, N]
        lines = lines * shift[:, len(at) :]
        at = {series: values * shift[:, i] for i, (series, values) in enumerate(at.items())}
    return Beliefs(
        supply=supply.Believed(
            lines=lines,
            growth=jnp.diff(lines, axis=0, prepend=lines[:1]),
            cowos=at["cowos"],
            other_packaging=at["other_packaging"],
            china_packaging=at["china_packaging"],
            hbm_skhynix=at["hbm_skhynix"],
            hbm_samsung=at["hbm_samsung"],
            hbm_micron=at["hbm_micron"],
            hbm_import=at["hbm_import"],
            hbm_cxmt=at["hbm_cxmt"],
            hbm_huawei=at["hbm_huawei"],
            hbm_price=at["hbm_price"],
            hbm_price_china=at["hbm_price_china"],
            memory_demand=at["memory_demand"],
            memory_sales=at["memory_sales"],
            chinese_memory=jnp.clip(at["chinese_memory"], 0.0, 0.9),
        ),
        market=market.Believed(
            budget_us=at["budget_us"],
            budget_china=at["budget_china"],
            budget_korea_public=at["budget_korea_public"],
            share_training=jnp.clip(at["share_training"], 0.05, 0.85),
            share_edge=at["share_edge"],
        ),
        wider=Wider(
            tokens_china=at["tokens_china"],
            tokens_world=at["tokens_world"],
            markup_world=at["markup_world"],
            markup_china=at["markup_china"],
            power_us=at["power_us"],
            power_china=at["power_china"],
            power_korea=at["power_korea"],
            power_other=at["power_other"],
            nvidia_other=at["nvidia_other_china"],
            uplift=at["system_uplift"],
        ),
    )


def series_of(belief: str) -> tuple[str, ...]:
    """Series of the table that a belief places, foundry lines by their names; none for other parameters."""
    from chipweir.world._tables import table

    if belief in BELIEFS:
        return BELIEFS[belief]
    return tuple(row["line"] for row in table("lines") if f"belief_{row['belief']}" == belief)
