"""Published forecasts: dated facts that foretell what was later observed, scored as the model's own are.

A fact of nature forecast, guidance or claim counts where it is of the same quantity and months as an observation and was
known before those months had ended; plans and targets are what somebody means to do, not what they expect. A forecast with a
range of its own is taken as normal in log with that range as its 5 to 95 %; one without is a point, whose score (CRPS) is
its absolute error in log. One source counts once for a row at a time: with what it said last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.calibration._naive import Normal
from chipweir.calibration._observations import SCORE_95, Observation, compared
from chipweir.calibration._scores import crps_normal
from chipweir.errors import InputError


if TYPE_CHECKING:
    from chipweir.facts import Facts

_FORETELLING = ("forecast", "guidance", "claim")
# How facts that give a yearly rate over several years are written.
_YEARLY = "per year"


@dataclass(frozen=True)
class Published:
    """A dated forecast: `said` as an observation of its quantity; `yearly` where it is a rate of each year of its period."""

    said: Observation
    nature: str
    publisher: str
    yearly: bool = False

    def foretells(self, row: Observation) -> bool:
        """Whether an observation is what was foretold, and had not ended when it was."""
        said = self.said
        if said.quantity.text != row.quantity.text or said.operation != row.operation:
            return False
        if said.operation == "at":  # a level at the end of a period
            months = said.end == row.end
        elif self.yearly:
            months = said.start <= row.start and row.end <= said.end and _length(row) == 12
        else:
            months = (said.start, said.end) == (row.start, row.end)
        return months and said.known_by.isoformat()[:7] < row.end

    def error(self, observed: float) -> float:
        """Log of what was said over what came."""
        return log(self.said.central) - observed

    def crps(self, observed: float) -> float:
        """Score against the log of what came."""
        said = self.said
        spread = log(said.high / said.low) / (2 * SCORE_95) if 0 < said.low < said.high else 0.0
        return crps_normal(Normal(log(said.central), spread), observed) if spread else abs(self.error(observed))

    def as_dict(self, observed: float, day: str) -> dict[str, Any]:
        """For JSON, scored; `before` says whether it was known at the cut-off `day`."""
        said = self.said
        return {
            "id": said.id,
            "source": said.source,
            "publisher": self.publisher,
            "nature": self.nature,
            "known_by": said.known_by.isoformat(),
            "before": self.before(day),
            "low": said.low,
            "central": said.central,
            "high": said.high,
            "error": self.error(observed),
            "crps": self.crps(observed),
        }

    def before(self, day: str) -> bool:
        """Whether it was known at a cut-off."""
        return self.said.known_by.isoformat() <= day


def published(facts: "Facts") -> tuple[Published, ...]:
    """Every dated forecast of these facts that the model's quantities can be compared with, by the day it was known."""
    found = []
    for fact in facts.facts.values():
        if fact.nature in _FORETELLING and not fact.same_as:
            try:
                said = compared(fact, facts)
            except InputError:  # of months without an exchange rate as yet: nothing of them can have been observed
                continue
            if said is not None and not said.bound:
                source = facts.sources.get(said.source)
                publisher = source.title if source else said.source
                found.append(Published(said, fact.nature, publisher, (fact.when or "").startswith(_YEARLY)))
    return tuple(sorted(found, key=lambda each: (each.said.known_by, each.said.id)))


def of_row(row: Observation, forecasts: Sequence[Published], day: str) -> tuple[Published, ...]:
    """The forecasts of an observation: of each source the last known at the cut-off, and the last that came after it."""
    last: dict[tuple[str, bool], Published] = {}
    for each in forecasts:
        if each.foretells(row):
            last[each.said.source, each.before(day)] = each
    return tuple(last.values())


def _length(row: Observation) -> int:
    return int((np.datetime64(row.end, "M") - np.datetime64(row.start, "M")).astype(int)) + 1
