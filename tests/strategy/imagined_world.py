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


_MADE: dict[tuple[str, int, int], Members] = {}


def imagined(scenario: Scenario, count: int, seed: int) -> Members:
    """Numbers of every variable that vary between members, grow with the years and answer a few levers."""
    key = (scenario.digest, count, seed)
    if key not in _MADE:
        if len(_MADE) >= 64:
            _MADE.clear()
        _MADE[key] = _made(scenario, count, seed)
        _MADE[key].values.setflags(write=False)
    return _MADE[key]


def _made(scenario: Scenario, count: int, seed: int) -> Members:
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
    kept, upgraded, capex = lever("korea.china_fabs"), lever("korea.china_fab_tech"), lever("korea.hbm_capex")
    outlay, connected, withheld = lever("korea.us_outlay"), lever("korea.dc_power"), lever("korea.hbm_withhold")
    retaliation = lever("china.retaliation")
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
            elif variable in ("korea_hbm_exports", "korea_hbm_exports_total", "korea_exports", "korea_exports_to"):
                level = luck * korean(
                    variable, labels, (1 - np.clip(control, 0, 1)) * hbm, capex * (1 - withheld), kept
                )
            elif variable == "korea_value_at_risk":
                level = 1.9e9 * luck * kept * (0.7 + 0.3 * upgraded)
            elif variable == "korea_hbm_share":
                level = np.clip(0.79 * luck**0.1 * capex**0.1, 0.3, 0.95)
            elif variable == "korea_public_spending":
                level = 4e7 * budget * luck
            elif variable == "korea_us_outlay":
                level = 20e9 / 12 * outlay * np.ones_like(luck)
            elif variable == "korea_retaliation_cost":
                level = 3e8 * retaliation * luck
            elif variable == "compute_by_law":
                own = 0.02 + 0.3 * domestic if labels[0] == "KOR" else 0.0
                level = {"US": 1 - own, "KR": own}.get(labels[1], 0.0) * 1e6 * luck
            elif variable == "energised_share":
                level = np.minimum(connected, 1.0) * np.ones_like(luck)
            elif variable == "compute_waiting":
                level = np.zeros_like(luck)
            elif variable == "lag_korea":
                level = 20 * luck - budget
            elif variable in ("ratio_to_us", "domestic_share_compute", "domestic_share_units", "domestic_share_value"):
                level = np.clip(0.2 * luck * (1 + 0.02 * years) * fabs, 0, 1)
            elif variable == "lag_months":
                level = 10 * luck + years * 0.5 * enforcement
            blocks.append(np.broadcast_to(level, (count, len(YEARS))))
            names.append("|".join((variable, *labels)))
    values = np.stack(blocks, axis=2).astype(np.float32)
    return Members(values, YEARS, {name: place for place, name in enumerate(names)})


def korean(
    variable: str,
    labels: tuple[str, ...],
    hbm_to_china: npt.NDArray[np.float64],
    hbm: npt.NDArray[np.float64],
    kept: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Korean exports, USD a month: HBM, memory made at home and the rest, 45 % of what is not HBM to China."""
    abroad, china = 3e9 * hbm, 3e8 * hbm_to_china
    memory = 1e10 * (1.3 - 0.3 * kept)
    products = {"hbm": abroad + china, "dram": 0.8 * memory, "nand": 0.2 * memory, "system": 4e9 * np.ones_like(memory)}
    if variable == "korea_exports":
        return products[labels[0]]
    if variable == "korea_hbm_exports_total":
        return products["hbm"]
    if variable == "korea_hbm_exports":
        return {"nvidia": 0.7 * abroad, "china": china}.get(labels[0], 0.1 * abroad)
    rest = memory + 4e9
    return {"china_hk": 0.45 * rest + china, "usa": 0.08 * rest}.get(labels[0], (0.47 * rest + abroad) / 3)


def run(self: Cells, mapper: Any = map, progress: Callable[[float, str], None] | None = None) -> dict[str, Members]:
    """In place of `Cells.run`."""
    if progress is not None:
        progress(1.0, "imagined")
    return {digest: imagined(scenario, self.members, self.seed) for digest, scenario in self.scenarios.items()}
