"""What the replications share: rows of published beside simulated numbers, the ensemble behind them, and how they print."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from chipweir import facts
from chipweir.world import load_scenario, run_ensemble


HERE = Path(__file__).parent


@dataclass(frozen=True)
class Row:
    """One published number with its range as published (`low`, `high`; NaN where none) beside ours, 5, 50 and 95 %."""

    what: str
    unit: str
    published: float
    low: float
    high: float
    source: str
    p05: float
    p50: float
    p95: float

    @property
    def covers(self) -> bool:
        """Whether the published number lies within our 90 %."""
        return self.p05 <= self.published <= self.p95

    @property
    def covered(self) -> bool | None:
        """Whether our median lies within the published range; None where there is none."""
        return self.low <= self.p50 <= self.high if np.isfinite(self.low) else None

    @property
    def verdict(self) -> str:
        """Both in words."""
        own = f"the published number is {'inside' if self.covers else 'outside'} ours"
        if self.covered is None:
            return own
        return f"{own}, our median {'inside' if self.covered else 'outside'} the published range"


def row(
    what: str,
    unit: str,
    members: np.ndarray,
    published: float,
    source: str,
    low: float = float("nan"),
    high: float = float("nan"),
) -> Row:
    """A row from our numbers, one a member."""
    p05, p50, p95 = (float(each) for each in np.nanquantile(members, (0.05, 0.5, 0.95)))
    return Row(what, unit, published, low, high, source, p05, p50, p95)


def ensemble(names: Sequence[str], members: int, seed: int) -> xr.Dataset:
    """Scenarios by name, or files beside this one, on shared draws with every member kept."""
    scenarios = [load_scenario(str(HERE / name) if name.endswith(".yaml") else name) for name in names]
    return run_ensemble(scenarios, facts.load(), members, seed, keep_members=True)


def in_year(results: xr.Dataset, variable: str, year: int, scenario: str, **labels: str) -> np.ndarray:
    """A variable over the months of a year, one a member `[member]`: flows summed, stocks at the year's end."""
    kept = results[f"member_{variable}"].sel(scenario=scenario, **labels)
    inside = kept.sel(month=kept["month"].dt.year == year)
    found = inside.sum("month") if kept.attrs["kind"] == "flow" else inside.isel(month=-1)
    return np.asarray(found.values, dtype=float)


def main(replicate: Callable[[int, int], list[Row]], title: str) -> None:
    """Read the options, run, and print."""
    asked = argparse.ArgumentParser(description=title)
    asked.add_argument("--members", type=int, default=200, help="draws of all parameters (default 200)")
    asked.add_argument("--seed", type=int, default=1, help="seed of the draws (default 1)")
    given = asked.parse_args()
    print(title)
    for each in replicate(given.members, given.seed):
        span = f" ({each.low:g} to {each.high:g})" if np.isfinite(each.low) else ""
        print(f"- {each.what}: published {each.published:g}{span} {each.unit} [{each.source}];")
        print(f"  here {each.p50:.3g} ({each.p05:.3g} to {each.p95:.3g}): {each.verdict}")
