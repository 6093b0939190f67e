"""Small shifts of inputs by member: how `explain` and `facts used` push one cell of the tables at a time.

They ride in the members' parameters, so that pushing cells needs no other program than the ensemble's own: `nudge_series`
[series, T] shifts the log of a dated belief in a month, `nudge_products` [kind, K] that of a product's numbers.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.world._believe import BELIEFS, CERTAIN


FloatArray = npt.NDArray[np.float32]

# Dated beliefs in the order of the rows of `nudge_series`; the foundry lines follow in their own order.
SERIES = (*(series for names in BELIEFS.values() for series in names), *CERTAIN)
PRODUCT_KINDS = ("price", "worth", "power", "stacks", "dies", "area")


def no_nudges(members: int, months: int, lines: int, products: int) -> dict[str, FloatArray]:
    """Nudges of nothing for so many members, member first."""
    return {
        "nudge_series": np.zeros((members, len(SERIES) + lines, months), np.float32),
        "nudge_products": np.zeros((members, len(PRODUCT_KINDS), products), np.float32),
    }


def with_nudges(parameters: Mapping[str, Any], inputs: Any) -> dict[str, Any]:
    """Parameters of members with nudges of nothing where they bring none."""
    if "nudge_series" in parameters:
        return dict(parameters)
    members = len(next(iter(parameters.values())))
    months, lines = np.shape(inputs.lines.central)
    return {**parameters, **no_nudges(members, months, lines, len(inputs.products.uses.power))}


def bump(at: npt.NDArray[np.datetime64], row: int, months: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """How the log of a series moves in each month for the log of its row number `row`: straight to the rows beside it."""
    place = at.astype("datetime64[M]").astype(int)
    unit = np.zeros(len(place))
    unit[row] = 1.0
    return np.asarray(np.interp(months.astype(int), place, unit))
