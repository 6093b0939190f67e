"""The remembered ensemble against the plain one."""

import numpy as np
import pytest

from chipweir import world
from chipweir.app._engine import simulate_pair
from chipweir.app._live import SHOWN, Live


@pytest.fixture(scope="module")
def live():
    return Live(batch=3, members=6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "settings"),
    [
        ("baseline", {"us.enforcement": {"2026-12": 2.5}}),
        ("baseline", {"us.enforcement": {"2024-03": 2.5}}),
        ("weir", {"china.import_stance.h20-class": {"2028-01": "blocked"}, "technology.smic_yield": {"2027-06": 1.4}}),
    ],
)
def test_the_remembered_ensemble_gives_the_plain_ensembles_numbers(live, first, settings):
    reference = world.load_scenario(first)
    changed = world.load_scenario("baseline").with_settings(settings, name="mine")
    for members in (3, 6):  # a first look, then more members beside the same ones
        quick, plain = live(reference, changed, members), simulate_pair(reference, changed, members)
        assert quick.attrs["members"] == members
        assert set(SHOWN) <= set(quick.data_vars)
        for name, array in quick.data_vars.items():
            expected = plain[name].values
            level = plain[name.removeprefix("delta_")].values
            near = {"rtol": 5e-3, "atol": 3e-3 * (np.nanmax(np.abs(level)) or 1.0)}
            # In single precision a member's route may take another turn: nearly all agree closely.
            assert np.mean(np.isclose(array.values, expected, equal_nan=True, **near)) > 0.98, name


@pytest.mark.slow
def test_members_of_a_first_look_are_simulated_once(live, monkeypatch):
    base = world.load_scenario("baseline")
    changed = base.with_settings({"us.enforcement": {"2026-12": 1.75}}, name="mine")
    live(base, base, 6)
    simulated, after = [], Live._after

    def counted(self, inputs, batch, past):
        simulated.append(batch)
        return after(self, inputs, batch, past)

    monkeypatch.setattr(Live, "_after", counted)
    live(base, changed, 3)
    assert simulated == [0]
    live(base, changed, 6)
    assert simulated == [0, 1]


@pytest.mark.slow
def test_what_is_remembered_does_not_change_the_answer(live):
    base = world.load_scenario("baseline")
    changed = base.with_settings({"us.enforcement": {"2026-12": 2.0}}, name="mine")
    first = live(base, changed, 6)
    live(base, world.load_scenario("blockade"), 6)
    again = live(base, changed, 6)
    assert first.equals(again)


@pytest.mark.slow
def test_the_pages_scenario_file_and_command_give_the_pages_numbers(tmp_path, live):
    """The Reproduce panel: its YAML, loaded, and its Python lines give what the page shows."""
    from chipweir import facts
    from chipweir.app._engine import SEED
    from chipweir.app._state import View, reference_of, scenario_of

    view = View(settings=(("us.enforcement", 2.0), ("us.quota.h20-class", 50_000.0)))
    shown = live(reference_of(view), scenario_of(view), 6)
    file = tmp_path / "mine.yaml"
    file.write_text(scenario_of(view).to_yaml(), encoding="utf-8")
    scenarios = [world.load_scenario("baseline"), world.load_scenario(file)]
    again = world.run_ensemble(scenarios, facts.load(), members=6, seed=SEED)
    for name in ("compute", "delta_ratio_to_us", "smuggled_units"):
        scale = np.nanmax(np.abs(again[name.removeprefix("delta_")].values))
        np.testing.assert_allclose(shown[name].values, again[name].values, rtol=5e-3, atol=3e-3 * scale)
