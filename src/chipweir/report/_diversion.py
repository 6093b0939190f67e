"""What becomes of smuggling that a scenario ends at some hubs: what moves to others, what stops, what is sold instead."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from chipweir.report import _access


@dataclass(frozen=True)
class Diversion:
    """Changes against the reference in one month, chips a month, medians of paired differences.

    `by_hub` holds each hub's; what falls `ended`, what rises `moved` (no more than ended). `licensed` is the change of
    legal imports, 0 where its sign is open; `whole` what is smuggled under the reference.
    """

    by_hub: Mapping[str, float]
    licensed: float
    whole: float

    @property
    def ended(self) -> float:
        """Chips a month that no longer go through the hubs where smuggling falls."""
        return sum(-change for change in self.by_hub.values() if change < 0)

    @property
    def moved_share(self) -> float:
        """The share of what ended that goes through other hubs."""
        risen = sum(change for change in self.by_hub.values() if change > 0)
        return min(risen / self.ended, 1.0) if self.ended else 0.0

    @property
    def replaced(self) -> bool:
        """Whether most smuggling ends and legal imports rise by more: the need to smuggle goes, whatever hubs do."""
        return self.licensed > self.ended > 0.5 * self.whole

    @property
    def told(self) -> bool:
        """Whether there is anything to tell: a twentieth of all smuggling ends somewhere."""
        return self.whole > 0 and self.ended >= 0.05 * self.whole


def diversion(dataset: xr.Dataset, reference: str, scenario: str, year: int, sure: float) -> Diversion | None:
    """Changes at the end of `year`; None where the run lacks them. `sure` is the chance from which a sign is told."""
    hubs = _access.labels(dataset, "smuggled_by_hub", "hub")
    changes = {hub: _change(dataset, "smuggled_by_hub", scenario, year, hub=hub) for hub in hubs}
    whole = _access.series(dataset, "smuggled_units", reference)
    index = None if whole is None else _access.month_index(whole.months, year)
    if whole is None or index is None or not changes:
        return None
    legal = _change(dataset, "china_units", scenario, year, purchase="foreign_legal")
    chance = _access.probability(dataset, "china_units", scenario, year, purchase="foreign_legal") or 0.0
    licensed = legal if legal is not None and max(chance, 1 - chance) >= sure else 0.0
    return Diversion({hub: value for hub, value in changes.items() if value}, licensed, float(whole.median[index]))


def _change(dataset: xr.Dataset, variable: str, scenario: str, year: int, **selection: str) -> float | None:
    found = _access.series(dataset, _access.delta_name(variable), scenario, **selection)
    index = None if found is None else _access.month_index(found.months, year)
    if found is None or index is None or not np.isfinite(found.median[index]):
        return None
    return float(found.median[index])
