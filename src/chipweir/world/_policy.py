"""Policy that may come: dated events laid over a scenario where a member draws them."""

from dataclasses import replace

import jax.numpy as jnp
from jax.scipy.stats import norm

from chipweir.arrays import Array
from chipweir.world._state import Events, Months, Parameters


# Scalar levers that an event can set, by the record and field that hold them.
EVENT_LEVERS: tuple[tuple[str, str], ...] = (
    ("market", "enforcement"),
    ("market", "location"),
    ("market", "rental_control"),
    ("market", "chip_exports"),
    ("market", "domestic_floor"),
    ("supply", "equipment"),
    ("supply", "hbm_control"),
    ("supply", "hbm_to_china"),
    ("calendar", "retaliation"),
)


def enact(m: Months, events: Events, p: Parameters, class_of: Array) -> Months:
    """A month's settings with the events in force, later rows over earlier ones; a scenario without events is unchanged.

    An event's `happens` and `when` are normal scores with streams of their own, so that scenarios share them. `class_of`
    [C, K] are the classes against which licences that an event asks for count.
    """
    count = events.threshold.shape[0]
    if not count:
        return m
    drawn, when = p["event_happens"][:count], norm.cdf(p["event_when"][:count])  # [X, N]
    start = events.first + (events.last - events.first) * when
    on = (drawn < events.threshold) & (m.calendar.index >= start)
    sold, made, rest = m.market, m.supply, m.calendar
    for i in range(count):  # a handful of events, unrolled when compiled
        covers = on[i] & (events.covers[i] > 0)
        sold = replace(
            sold,
            quota=_set(sold.quota, events.quota[i], covers),
            pool_of=jnp.where(covers & ~jnp.isnan(events.licensed[i]), events.licensed[i] * class_of, sold.pool_of),
            fee=_set(sold.fee, events.fee[i], covers),
            stance=_set(sold.stance, events.stance[i], covers),
            blocked=_set(sold.blocked, jnp.where(jnp.isnan(events.stance[i]), jnp.nan, 0.0), covers),
            controlled=_set(sold.controlled, events.controlled[i], covers),
            class_quota=_set(sold.class_quota, events.class_quota[i], on[i]),
        )
        records = {"market": sold, "supply": made, "calendar": rest}
        for value, (room, field) in zip(events.levers[i], EVENT_LEVERS, strict=True):
            records[room] = replace(records[room], **{field: _set(getattr(records[room], field), value, on[i])})  # type: ignore[type-var]
        sold, made, rest = records["market"], records["supply"], records["calendar"]  # type: ignore[assignment]
    return Months(supply=made, market=sold, calendar=rest)


def _set(old: Array, new: Array, where: Array) -> Array:
    return jnp.where(where & ~jnp.isnan(new), new, old)
