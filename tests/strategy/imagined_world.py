"""A made-up world of the right shape, so that options, games and commands are tested without the model."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.strategy import _cells
from chipweir.strategy._cells import Cells, Members
from chipweir.world import Scenario


YEARS = tuple(range(2022, 2033))
GROWTH = {"USA": 1.6, "CHN": 1.5, "KOR": 1.55}


def imagined(scenario: Scenario, count: int, seed: int) -> Members:
    """Numbers of every variable that vary between members, grow with the years and answer a few levers."""
    luck = np.random.default_rng(seed).lognormal(0, 0.3, size=(count, 1))
    years = np.arange(len(YEARS))[None, :]
    months = [f"{year}-12" for year in YEARS]

    def lever(name: str) -> npt.NDArray[np.float64]:
        values = np.asarray(scenario.series(name, months), dtype=float)
        return np.nan_to_num(values, nan=1.0)[None, :]

    budget, domestic = lever("korea.sovereign_budget"), lever("korea.chip_mix_domestic")
    control, hbm = lever("us.hbm_control"), lever("korea.hbm_to_china")
    enforcement, rental = lever("us.enforcement"), lever("us.rental_control")
    fabs = lever("china.capacity_investment")
    blocks, names = [], []
    for variable, (dims, _kind, _unit) in _cells._kinds().items():
        for labels in product(*(_cells.labels_of(dim) for dim in dims)):
            region = labels[0] if labels and labels[0] in GROWTH else ""
            level = luck * GROWTH.get(region, 1.1) ** years
            if variable == "compute" and region == "KOR":
                level = 1e5 * level * (1 + 0.1 * budget)
            elif variable == "compute":
                level = 1e6 * level * (1.0 if region != "CHN" else 1.2 - 0.1 * enforcement - 0.2 * rental)
            elif variable == "largest_run":
                level = 1e24 * level * (10 if region == "USA" else 1) * (1 + 0.1 * budget if region == "KOR" else 1)
            elif variable == "ecosystem_share":
                own = 0.02 + 0.3 * domestic if labels[0] == "KOR" else 0.1
                level = {"cuda": 1 - own, "other": own}.get(labels[1], 0.0) * np.ones((count, len(YEARS)))
            elif variable == "power_mw":
                level = 1000.0 * level
            elif variable == "korea_hbm_exports":
                share = {"nvidia": 0.7, "china": 0.1 * (1 - np.clip(control, 0, 1)) * hbm}.get(labels[0], 0.05)
                level = 3e9 * level * share
            elif variable == "korea_hbm_exports_total":
                level = 3e9 * level * (0.85 + 0.1 * (1 - np.clip(control, 0, 1)) * hbm)
            elif variable in ("korea_dram_exports", "korea_value_at_risk"):
                level = {"korea_dram_exports": 8e9, "korea_value_at_risk": 1.9e9}[variable] * luck * np.ones_like(years)
            elif variable in ("ratio_to_us", "domestic_share_compute", "domestic_share_units", "domestic_share_value"):
                level = np.clip(0.2 * luck * (1 + 0.02 * years) * fabs, 0, 1)
            elif variable == "lag_months":
                level = 10 * luck + years * 0.5 * enforcement
            blocks.append(np.broadcast_to(level, (count, len(YEARS))))
            names.append("|".join((variable, *labels)))
    values = np.stack(blocks, axis=2).astype(np.float32)
    return Members(values, YEARS, {name: place for place, name in enumerate(names)})


def run(self: Cells, mapper: Any = map, progress: Callable[[float, str], None] | None = None) -> dict[str, Members]:
    """In place of `Cells.run`."""
    if progress is not None:
        progress(1.0, "imagined")
    return {digest: imagined(scenario, self.members, self.seed) for digest, scenario in self.scenarios.items()}
