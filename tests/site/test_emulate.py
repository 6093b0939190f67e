"""Adding effects up: exact where they add on a scale, and an error that is seen where they do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir import world
from chipweir.report._levers import effective
from chipweir.site import Case, Grid, Plan, Scale, accuracy, combined, plan
from chipweir.site._grid import MOST_TOGETHER, OUTCOMES, START


YEARS = (2025, 2026, 2027, 2028)
SETTINGS = (("us.enforcement", 2.0), ("us.hbm_control", 2.0), ("technology.smic_yield", 1.25))
SCALES = (Scale("linear"), Scale("log", 0.5), Scale("logit", 1e-3))


def made_grid(outcome, moved):
    """A grid of one preset whose members' values are `moved(base, settings)`."""
    alone = (Case("baseline"), *(Case("baseline", (each,)) for each in SETTINGS))
    together = tuple(Case("baseline", pair) for pair in ((SETTINGS[0], SETTINGS[1]), (SETTINGS[1], SETTINGS[2])) * 2)
    base = np.random.default_rng(3).uniform(0.2, 0.6, (40, len(YEARS)))
    values = {case: {outcome: moved(base, case.settings)} for case in (*alone, *together)}
    return Grid(Plan(("baseline",), SETTINGS, alone, together), YEARS, values, 40, 1, "made up")


@pytest.mark.parametrize("scale", SCALES, ids=lambda each: each.name)
@given(st.floats(0.01, 0.99))
def test_a_scale_leads_back(scale, value):
    assert scale.back(scale.to(np.array([value]))) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("scale", SCALES, ids=lambda each: each.name)
def test_one_lever_alone_is_what_was_simulated(scale):
    grid = made_grid("compute", lambda base, settings: base * (1 + 0.3 * len(settings)))
    for case in grid.plan.alone:
        assert combined(grid, case, "compute", scale) == pytest.approx(grid.values[case]["compute"], rel=1e-6)


def test_effects_that_add_are_exact_on_the_linear_scale_and_factors_on_the_logarithmic():
    added = made_grid("lag_months", lambda base, settings: base + 2.0 * len(settings) - 0.5)
    assert accuracy(added, "lag_months").scale.name == "linear"
    assert accuracy(added, "lag_months").most == pytest.approx(0, abs=1e-6)
    factors = made_grid("compute", lambda base, settings: base * 3.0 ** len(settings))
    found = accuracy(factors, "compute")
    assert found.scale.name == "log"
    assert found.most < 0.01  # the floor is a thousandth of the median


def test_levers_that_do_the_same_thing_are_seen_to_add_up_badly():
    """Either stops all: both together stop no more than one."""
    overlapping = made_grid("smuggled_units", lambda base, settings: base * (0.3 if settings else 1.0))
    assert accuracy(overlapping, "smuggled_units").typical > 0.3
    opposed = made_grid("lag_months", lambda base, settings: base + (4.0, 3.0, 6.0)[len(settings)])
    assert accuracy(opposed, "lag_months").right_way == 0


def test_what_a_preset_holds_already_is_no_move():
    made = plan(together=40)
    assert {case.preset for case in made.alone} == set(made.presets)
    for case in made.alone:
        for name, value in case.settings:
            assert effective(world.load_scenario(case.preset), name, START) != value
    assert len(set(made.alone)) == len(made.alone)


def test_combinations_move_two_to_four_different_levers_by_values_simulated_alone():
    made = plan(together=60)
    sizes = {len(case.settings) for case in made.together}
    assert sizes == set(range(2, MOST_TOGETHER + 1))
    for case in made.together:
        assert len({name for name, _value in case.settings}) == len(case.settings)
        assert set(case.alone) <= set(made.alone)
    assert made == plan(together=60)


def test_every_main_lever_and_outcome_is_known_to_the_model():
    for name, value in plan(together=0).settings:
        lever, product = world.find_lever(name)
        lever.value(value, f"{lever.name}.{product}" if product else lever.name)
    assert len(set(OUTCOMES)) == len(OUTCOMES)
