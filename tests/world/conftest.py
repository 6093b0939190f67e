"""The simulation compiled once for all tests of the world, with the accounts of every month beside its outputs."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pytest

from chipweir import facts as facts_room
from chipweir.strategy._checks import MEMBERS, audited
from chipweir.world import Inputs, assemble, draw, load_scenario


Kept = Mapping[str, np.ndarray]
Run = Callable[[Inputs, Mapping[str, np.ndarray]], Kept]


@cache
def scenario_inputs(scenario: str) -> Inputs:
    return assemble(load_scenario(scenario), facts_room.load())


@pytest.fixture(scope="session")
def run() -> Run:
    return audited()


@pytest.fixture(scope="session")
def inputs_of() -> Callable[[str], Inputs]:
    """Inputs of a preset."""
    return scenario_inputs


@pytest.fixture(scope="session")
def outcome() -> Callable[[str], Kept]:
    """Trajectories of a preset for the first members of seed 0, shared by all tests."""
    return cache(lambda scenario: audited()(scenario_inputs(scenario), draw(MEMBERS, 0)))


@pytest.fixture(scope="session")
def variant() -> Callable[..., Kept]:
    """Trajectories of the baseline (or another preset) with other settings of levers, for the same members."""

    @lru_cache(maxsize=4)  # a run of everything that is audited takes 60 MB
    def of(base: str, settings: tuple[tuple[str, str, Any], ...]) -> Kept:
        dated: dict[str, Any] = {}
        for lever, month, value in settings:
            dated.setdefault(lever, {})[month] = value
        scenario = load_scenario(base).with_settings(dated, name="variant")
        return audited()(assemble(scenario, facts_room.load()), draw(MEMBERS, 0))

    return lambda *settings, base="baseline": of(base, settings)


@pytest.fixture(scope="session")
def months() -> Callable[[str], int]:
    """The index of a month."""
    axis = load_scenario("baseline").months.astype(str).tolist()
    return axis.index
