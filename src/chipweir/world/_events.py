"""Policy events of the `forecast` scenario: a table that users edit becomes arrays."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError, UnknownName
from chipweir.world._law import CASE_BY_CASE, DENIED, FREE, NO_LIMIT
from chipweir.world._levers import PRODUCT_CLASSES, levers
from chipweir.world._policy import EVENT_LEVERS
from chipweir.world._state import Events
from chipweir.world._tables import Row, table


if TYPE_CHECKING:
    from datetime import date

    from chipweir.world._scenario import Scenario

# Most events that members draw (`event_happens` in parameters.csv).
MOST_EVENTS = 24
_STANCE = {"open": 0.0, "discouraged": 1.0, "conditional": 0.5, "blocked": 1.5}


def events_of(
    scenario: "Scenario",
    months: npt.NDArray[np.datetime64],
    products: Sequence[str],
    classes: Sequence[str],
    as_of: "date | None" = None,
) -> Events:
    """The events that a scenario draws, as arrays; none where it fixes the rules. As of an earlier day they are those that
    could have been thought of then (`past_events.csv`).

    Raises `InputError` for a row that names what does not exist, `UnknownName` for a lever that events cannot set.
    """
    rows = _rows(as_of) if scenario.events else ()
    if len(rows) > MOST_EVENTS:
        raise InputError(f"events.csv: {len(rows)} events; at most {MOST_EVENTS} are drawn")
    columns: list[dict[str, Any]] = [_event(row, months, products, classes) for row in rows]
    empty = _event(_NONE, months, products, classes)
    return Events(
        **{name: np.array([c[name] for c in columns]).reshape(len(rows), *np.shape(empty[name])) for name in empty}
    )


def _rows(as_of: "date | None") -> Sequence[Row]:
    """The table of events: the last one written for a day no later than `as_of`, filled up with rows that do nothing to the
    length of today's, so that both are one compiled program."""
    today = table("events")
    if as_of is None:
        return today
    past = table("past_events")
    days = sorted({row["as_of"] for row in past if row["as_of"] <= as_of.isoformat()})
    then = [row for row in past if days and row["as_of"] == days[-1]]
    return [*then, *[_NONE] * (len(today) - len(then))]


_NONE: Row = {
    "event": "none", "probability": "0.5", "first": "2030-01", "last": "2030-01", "class": "", "products": "", "allowed": "",
    "class_quota": "", "fee": "", "stance": "", "lever": "", "value": "",
}  # fmt: skip


def _event(
    row: Row, months: npt.NDArray[np.datetime64], products: Sequence[str], classes: Sequence[str]
) -> dict[str, Any]:
    named = row["products"].split()
    for name in named:
        if name not in products:
            raise UnknownName("product", name, products, f"events.csv {row['event']}")
    covers = [float(c == row["class"] != "" or p in named) for p, c in zip(products, classes, strict=True)]
    said = levers()["us.allowed_products"].choices.get(row["allowed"], np.nan)
    pools = np.full(len(PRODUCT_CLASSES), np.nan)
    if row["class"]:
        limit = float(row["class_quota"] or np.nan)
        granted = NO_LIMIT if said not in (CASE_BY_CASE,) else np.nan
        if not np.isnan(said):
            pools[PRODUCT_CLASSES.index(row["class"])] = granted if np.isnan(limit) else limit
    fields = [field for _, field in EVENT_LEVERS]
    values = np.full(len(fields), np.nan)
    if row["lever"]:
        if row["lever"] not in fields:
            raise UnknownName("lever of events", row["lever"], fields, f"events.csv {row['event']}")
        values[fields.index(row["lever"])] = float(row["value"])
    start = months[0]
    return {
        "threshold": NormalDist().inv_cdf(float(row["probability"])),
        "first": float((np.datetime64(row["first"], "M") - start).astype(int)),
        "last": float((np.datetime64(row["last"], "M") - start).astype(int)),
        "covers": np.array(covers),
        "quota": np.nan if np.isnan(said) else 0.0 if said == DENIED else NO_LIMIT,
        "licensed": np.nan if np.isnan(said) else float(FREE < said < DENIED),
        "class_quota": pools,
        "fee": float(row["fee"] or np.nan),
        "stance": _STANCE.get(row["stance"], np.nan),
        "controlled": np.nan if np.isnan(said) else float(said > FREE),
        "levers": values,
    }
