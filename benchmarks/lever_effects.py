"""How far each lever of the page moves the headline outcomes; writes the table that the page takes its first levers from.

    python benchmarks/lever_effects.py [--members 50]

Each lever is put at each end of its scale (or at each of its choices) from December 2026, alone, against current rules.
A change is the median paired difference at the end of 2030 over the width of the 80 % interval that the outcome has under
current rules; a lever's size is the mean over the outcomes at its stronger end.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

import chipweir
from chipweir import world
from chipweir.app._live import Live
from chipweir.app._state import DEFAULT_START
from chipweir.library import keep_compiled
from chipweir.report import Control, _access, controls


TABLE = Path(chipweir.__file__).parent / "app" / "data" / "lever_effects.csv"
YEAR = 2030
OUTCOMES: dict[str, dict[str, str]] = {
    "compute": {"region": "CHN"}, "domestic_share_compute": {}, "smuggled_units": {}, "lag_months": {},
    "token_price": {"region": "CHN"}, "korea_hbm_exports_total": {},
}  # fmt: skip


def ends(control: Control) -> list[float | str]:
    """The values at which a lever is tried."""
    lever = control.lever
    if lever.kind == "choice":
        return list(lever.choices)
    if lever.kind == "bool":
        return [0.0, 1.0]
    return [control.stops[0], control.stops[-1]] if control.stops else [lever.minimum, lever.maximum]


def effects(live: Live, members: int, control: Control, value: float | str) -> list[float]:
    """The lever's change of each outcome, in widths of the outcome's own interval."""
    base = world.load_scenario("baseline")
    changed = base.with_settings({control.name: {DEFAULT_START: value}}, name="mine")
    run = live(base, changed, members)
    found = []
    for name, selection in OUTCOMES.items():
        level = _access.require(run, name, "baseline", **selection)
        moved = _access.require(run, _access.delta_name(name), "mine", **selection)
        index = _access.month_index(level.months, YEAR)
        assert index is not None
        low, high = level.interval(_access.COVERAGE, index)
        found.append(float(moved.median[index]) / max(high - low, 1e-12))
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--members", type=int, default=50)
    members = options.parse_args().members
    keep_compiled()
    live = Live(batch=members, members=members)
    rows = []
    for control in controls():
        tried = [(value, effects(live, members, control, value)) for value in ends(control)]
        value, found = max(tried, key=lambda pair: float(np.mean(np.abs(pair[1]))))
        size = float(np.mean(np.abs(found)))
        rows.append([control.name, control.lever.actor, value, *(f"{each:.4f}" for each in found), f"{size:.4f}"])
        print(*rows[-1], flush=True)
    rows.sort(key=lambda row: -float(row[-1]))
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["lever", "actor", "at", *OUTCOMES, "size"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
