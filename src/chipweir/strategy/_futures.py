"""Futures: a draw of everything uncertain with what others choose.

Draws of the world's parameters and of this room's (`data/futures.csv`, the same schema) come from streams named after
them, so that every option meets the same futures and the first hundred of a thousand are the same hundred. Events of the
four years 2027-2030 happen where a score falls in the upper part of its distribution; US pressure and Chinese measures share
a factor, which correlates them by 0.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr


if TYPE_CHECKING:
    from chipweir.strategy._options import Choice
    from chipweir.world import Parameter, Scenario

FloatArray = npt.NDArray[np.float64]

EVENT_YEARS = (2027, 2030)
TENSION_CORRELATION = 0.3
"""Correlation of the scores of US pressure (X1) and Chinese measures (X2): prior (ours)."""
_TENSE = ("late_tools_score", "duty_score", "pledge_score", "retaliation_score")


@cache
def table() -> Mapping[str, "Parameter"]:
    """The uncertain quantities of this room by name."""
    from chipweir.world import read_parameters

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
    return Draws(world, own)


def columns_of(drawn: Mapping[str, FloatArray], scenario: "Scenario", year: int) -> dict[str, FloatArray]:
    """The world's draws as one column a quantity `{name: [M]}`: a path of a belief as its score in the middle of `year`,
    an event that the scenario draws as whether it comes at all (`event:NAME`, 0 or 1). The errors of single chips, too many
    to tell apart, are left out."""
    from chipweir.world import PATHS

    found = {name: values for name, values in drawn.items() if values.ndim == 1}
    found |= {name: path_score(drawn[name], drawn["belief_memory"], f"{year}-06") for name in PATHS}
    if scenario.events:
        for place, row in enumerate(event_table()):
            comes = drawn["event_happens"][:, place] < NormalDist().inv_cdf(float(row["probability"]))
            found[f"event:{row['event']}"] = comes.astype(float)
    return found


def path_score(shocks: FloatArray, memory: FloatArray, month: str) -> FloatArray:
    """The score of a belief's path in one month `[M]`, from the shocks at its half-yearly knots `[M, knot]` and its memory
    in years `[M]`: as the world's `paths` (a test holds it to that), without the world's inputs, whose law takes seconds."""
    from chipweir.world import FIRST_KNOT

    place = float((np.datetime64(month, "M") - FIRST_KNOT).astype(int)) / 6
    before = min(int(place), shocks.shape[1] - 2)
    keep = np.exp(-0.5 / memory)
    scores = [shocks[:, 0]]
    for knot in range(1, before + 2):
        scores.append(keep * scores[-1] + np.sqrt(1 - keep**2) * shocks[:, knot])
    along = min(place - before, 1.0)
    return np.asarray((1 - along) * scores[before] + along * scores[before + 1], dtype=float)


def event_table() -> Sequence[Mapping[str, str]]:
    """The policy events that scenarios with events draw."""
    from chipweir.world import table as world_table

    return world_table("events")


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
