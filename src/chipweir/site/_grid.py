"""What is simulated ahead: every preset, every main lever moved alone, and a sample of several moved together.

All cases share their draws, so that any two can be compared member by member. Levers act from `START` on; values are those
of December of each year.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chipweir.report import HEADLINES, Quantity, effective


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world import Scenario

Values = npt.NDArray[np.float32]
Setting = tuple[str, float | str]
Progress = Callable[[float, str], None]

START = "2026-12"
PRESETS = ("baseline", "blockade", "weir", "open", "sea-licence", "hbm-cut", "glut")
OUTCOMES = (
    "compute", "ratio_to_us", "domestic_share_compute", "nvidia_share", "smuggled_units", "premium", "largest_run",
    "lag_months", "token_price", "korea_hbm_exports", "korea_hbm_exports_china",
)  # fmt: skip
MOST_TOGETHER = 4


@dataclass(frozen=True)
class Case:
    """A preset with settings from `START` on; none is the preset itself."""

    preset: str
    settings: tuple[Setting, ...] = ()

    def scenario(self) -> "Scenario":
        """As the world room simulates it."""
        from chipweir.world import load_scenario

        preset = load_scenario(self.preset)
        if not self.settings:
            return preset
        return preset.with_settings({name: {START: value} for name, value in self.settings}, name="case")

    @property
    def alone(self) -> list["Case"]:
        """Each of its settings alone."""
        return [Case(self.preset, (setting,)) for setting in self.settings]


@dataclass(frozen=True)
class Plan:
    """What is to be simulated. `alone` holds presets and single moves, `together` the combinations of several."""

    presets: tuple[str, ...]
    settings: tuple[Setting, ...]
    alone: tuple[Case, ...]
    together: tuple[Case, ...]


@dataclass(frozen=True)
class Grid:
    """Values `[member, year]` of each case and outcome; years ascend."""

    plan: Plan
    years: tuple[int, ...]
    values: Mapping[Case, Mapping[str, Values]]
    members: int
    seed: int
    beliefs: str

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Keys of the outcomes, in the order of the page."""
        return tuple(next(iter(self.values.values())))


def main_settings() -> tuple[Setting, ...]:
    """The shipped table of main levers, a pair for each value."""
    text = (resources.files("chipweir.site") / "levers.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((row["lever"], _value(word)) for row in rows for word in row["values"].split("|"))


def _value(word: str) -> float | str:
    try:
        return float(word)
    except ValueError:
        return word


def plan(
    presets: Sequence[str] = PRESETS, settings: Sequence[Setting] | None = None, together: int = 48, seed: int = 1
) -> Plan:
    """Cases to simulate: settings that a preset holds already are left out, `together` random combinations are added."""
    from chipweir.world import load_scenario

    chosen = main_settings() if settings is None else tuple(settings)
    moves = {
        preset: [each for each in chosen if effective(load_scenario(preset), each[0], START) != each[1]]
        for preset in presets
    }
    alone = [Case(preset, (own,) if own else ()) for preset in presets for own in (None, *moves[preset])]
    random = np.random.default_rng(seed)
    return Plan(
        tuple(presets), chosen, tuple(alone),
        tuple(_combination(presets[i % len(presets)], moves, random) for i in range(together)),
    )  # fmt: skip


def _combination(preset: str, moves: Mapping[str, Sequence[Setting]], random: np.random.Generator) -> Case:
    """Two to four levers moved together, each to one of its values."""
    by_lever: dict[str, list[Setting]] = {}
    for setting in moves[preset]:
        by_lever.setdefault(setting[0], []).append(setting)
    count = min(int(random.integers(2, MOST_TOGETHER + 1)), len(by_lever))
    levers = random.choice(sorted(by_lever), size=count, replace=False)
    return Case(preset, tuple(by_lever[name][int(random.integers(len(by_lever[name])))] for name in levers))


def simulate(plan: Plan, facts: "Facts", members: int, seed: int, progress: Progress) -> Grid:
    """Every case of the plan with the same draws of the posterior shipped for these facts."""
    from chipweir.world import (
        Task,
        assemble,
        believing,
        description,
        draw,
        own_products,
        posterior_of,
        run_task,
    )

    held = posterior_of(facts)
    with believing(held):
        drawn, extra = draw(members, seed), own_products(facts)
        cases = tuple(dict.fromkeys((*plan.alone, *plan.together)))
        values: dict[Case, Mapping[str, Values]] = {}
        for done, case in enumerate(cases):
            progress(done / len(cases), case.preset)
            scenario = case.scenario()
            kept = run_task(Task(case.preset, 0, assemble(scenario, facts, extra), drawn))
            years, places = _decembers(scenario.months)
            values[case] = {key: _taken(HEADLINES[key], kept, places) for key in OUTCOMES}
    return Grid(plan, years, values, members, seed, description(held))


def _decembers(months: npt.NDArray[np.datetime64]) -> tuple[tuple[int, ...], list[int]]:
    """Calendar years that the months reach the end of, and the place of each December."""
    ends = [(int(str(month)[:4]), place) for place, month in enumerate(months) if str(month)[5:7] == "12"]
    return tuple(year for year, _place in ends), [place for _year, place in ends]


def _taken(quantity: Quantity, kept: Mapping[str, Values], places: Sequence[int]) -> Values:
    from chipweir.world import coordinates

    labelled = coordinates()
    part = kept[quantity.variable][:, places]
    for dim, name in quantity.selection.items():
        part = part[..., list(labelled[dim]).index(name)]
    if part.ndim != 2:
        raise ValueError(f"{quantity.key} leaves a dimension open: {part.shape}")
    return np.asarray(part, dtype=np.float32)
