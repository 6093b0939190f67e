"""The simulation compiled once for all tests of the world, with the accounts of every month beside its outputs."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import numpy as np
import pytest

from chipweir import facts as facts_room
from chipweir.world import Inputs, Scenario, assemble, draw, load_scenario, simulate
from chipweir.world._outputs import ledger, member_outputs, monthly
from chipweir.world._step import Month, china_of


MEMBERS = 16

Kept = Mapping[str, np.ndarray]
Run = Callable[[Inputs, Mapping[str, np.ndarray]], Kept]


def audit(month: Month) -> dict[str, Any]:
    """A month's outputs, its ledger, and the states and premia behind them."""
    after, sold, products = month.after, month.sold, month.products
    return {
        **monthly(month),
        **ledger(month),
        "premium": sold.premium,
        "china_direct": sold.to_china,
        "installed_china": china_of(products, after.installed),
        "smuggled_stock": after.smuggled,
        "rented_stock": after.rented.sum(1),
        "route": after.route,
        "offshore": after.offshore,
        "carried": after.carried,
        "spent": sold.spent,
        "location": month.m.location,
        "load": after.load,
    }


@cache
def compiled() -> Run:
    """The batched simulation: `[MEMBERS, month, ...]` of everything `audit` keeps and what is derived from it."""

    def one(inputs: Inputs, p: Any) -> dict[str, Any]:
        _, kept = simulate(inputs, p, save=audit)
        return member_outputs(kept, p, inputs.months, inputs.products)

    batch = jax.jit(jax.vmap(one, in_axes=(None, 0)))

    def run(inputs: Inputs, parameters: Mapping[str, np.ndarray]) -> Kept:
        return {name: np.asarray(value) for name, value in batch(inputs, dict(parameters)).items()}

    return run


@cache
def scenario_inputs(scenario: str) -> Inputs:
    return assemble(load_scenario(scenario), facts_room.load())


@pytest.fixture(scope="session")
def run() -> Run:
    return compiled()


@pytest.fixture(scope="session")
def inputs_of() -> Callable[[str], Inputs]:
    """Inputs of a preset."""
    return scenario_inputs


@pytest.fixture(scope="session")
def outcome() -> Callable[[str], Kept]:
    """Trajectories of a preset for the first members of seed 0, shared by all tests."""
    return cache(lambda scenario: compiled()(scenario_inputs(scenario), draw(MEMBERS, 0)))


@pytest.fixture(scope="session")
def variant() -> Callable[..., Kept]:
    """Trajectories of the baseline (or another preset) with other settings of levers, for the same members."""

    @cache
    def of(base: str, settings: tuple[tuple[str, str, Any], ...]) -> Kept:
        dated: dict[str, Any] = {}
        for lever, month, value in settings:
            dated.setdefault(lever, {})[month] = value
        scenario: Scenario = load_scenario(base).with_settings(dated, name="variant")
        return compiled()(assemble(scenario, facts_room.load()), draw(MEMBERS, 0))

    return lambda *settings, base="baseline": of(base, settings)


@pytest.fixture(scope="session")
def months() -> Callable[[str], int]:
    """The index of a month."""
    axis = load_scenario("baseline").months.astype(str).tolist()
    return axis.index
