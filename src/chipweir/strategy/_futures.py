"""Futures: a draw of everything uncertain with what others choose.

Draws of the world's parameters and of this room's (`data/futures.csv`, the same schema) come from streams named after
them, so that every option meets the same futures and the first hundred of a thousand are the same hundred. Events of the
four years 2027-2030 happen where a score falls in the upper part of its distribution; US pressure and Chinese measures share
a factor, which correlates them by 0.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr


if TYPE_CHECKING:
    from chipweir.strategy._options import Choice
    from chipweir.world import Parameter

FloatArray = npt.NDArray[np.float64]

EVENT_YEARS = (2027, 2030)
TENSION_CORRELATION = 0.3
"""Correlation of the scores of US pressure (X1) and Chinese measures (X2): prior (ours)."""
RAMP_CORRELATION = 0.6
"""Correlation of the loss of memory sales (X3) with the world's belief on Chinese HBM: prior (ours)."""
_RAMP = "belief_china_hbm_domestic"
_TENSE = ("late_tools_score", "duty_score", "pledge_score", "retaliation_score")


@cache
def table() -> Mapping[str, "Parameter"]:
    """The uncertain quantities of this room by name."""
    from chipweir.world._parameters import read_parameters

    text = (resources.files("chipweir.strategy") / "data" / "futures.csv").read_text(encoding="utf-8")
    return read_parameters(text, "futures.csv")


@dataclass(frozen=True)
class Draws:
    """Everything uncertain, drawn: `world` and `own` parameters by name, each `[M]`."""

    world: Mapping[str, FloatArray]
    own: Mapping[str, FloatArray]

    @property
    def members(self) -> int:
        return len(next(iter(self.own.values())))


def draws(members: int, seed: int) -> Draws:
    """Draws of the world's and this room's parameters; equal for all options."""
    from chipweir.world import draw

    world = draw(members, seed)
    own = dict(draw(members, seed, table()))
    tense, free = np.sqrt(TENSION_CORRELATION), np.sqrt(1 - TENSION_CORRELATION)
    for name in _TENSE:
        own[name] = tense * own["tension"] + free * own[name]
    if _RAMP in world:
        from chipweir.world._parameters import scores

        parameter = table()["china_memory_lost"]
        ramp = world[_RAMP]  # a standard score by its own prior
        mixed = RAMP_CORRELATION * ramp + np.sqrt(1 - RAMP_CORRELATION**2) * scores("china_memory_lost", members, seed)
        own["china_memory_lost"] = parameter.at(mixed)
    return Draws(world, own)


def happens(score: FloatArray, probability: FloatArray | float) -> npt.NDArray[np.bool_]:
    """Whether an event with a standard normal `score` happens: one score serves every probability, so that options with
    different ones meet the same luck."""
    return np.asarray(ndtr(score) > 1 - np.clip(probability, 0.0, 1.0), dtype=bool)


def year_of(score: FloatArray) -> FloatArray:
    """A year of `EVENT_YEARS`, each equally likely, from a standard normal score."""
    first, last = EVENT_YEARS
    years: FloatArray = np.floor(first + ndtr(score) * (last - first + 1)).clip(first, last)
    return years


def multiplied(choice: "Choice", name: str) -> float:
    """By what a choice of others multiplies the probability of an event."""
    return float(choice.multiply.get(name, 1.0))
