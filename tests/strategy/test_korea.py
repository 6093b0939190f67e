"""Korea's processes on a made-up world: every lever of an option moves something, in the expected direction."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from imagined_world import imagined

from chipweir import facts
from chipweir.strategy import Option, shipped_choices, shipped_criteria, shipped_options
from chipweir.strategy._futures import Draws, columns_of, draws, happens, path_score, year_of
from chipweir.strategy._korea import PROCESSES, Case
from chipweir.strategy._options import Choice
from chipweir.strategy._retaliation import retaliation, sizes
from chipweir.strategy._stated import stated
from chipweir.world import FIRST_KNOT, PATHS, assemble, load_scenario, paths


MEMBERS, SEED = 400, 3
DRAWS = draws(MEMBERS, SEED)
STATED = stated(facts.load())
CHOICES = {choice.name: choice for choice in shipped_choices("korea")}
OPTIONS = {option.name: option for option in shipped_options("korea")}
CRITERIA = shipped_criteria("korea")


def measured(option: Option, choice: Choice) -> dict[str, np.ndarray]:
    world = imagined(option.under(choice), MEMBERS, SEED)
    case = Case(option, choice, world, DRAWS, STATED, CRITERIA.first, CRITERIA.last, CRITERIA.rate)
    return {criterion.name: PROCESSES[criterion.process](case) for criterion in CRITERIA.computed}


@cache
def many() -> Draws:
    """Enough draws to count shares in."""
    return draws(50_000, 2)


def changed(name: str, value: object, option: str = "hedge", choice: str = "law") -> tuple[dict, dict]:
    """All criteria of an option with a lever at two values."""
    base = OPTIONS[option]
    other = replace(base, scenario=base.scenario.with_settings({name: value}, name=base.name))
    return measured(base, CHOICES[choice]), measured(other, CHOICES[choice])


@pytest.mark.parametrize("name", OPTIONS)
def test_every_criterion_has_a_value_in_every_future(name: str) -> None:
    for choice in CHOICES.values():
        for criterion, values in measured(OPTIONS[name], choice).items():
            assert values.shape == (MEMBERS,), criterion
            assert np.isfinite(values).all(), criterion


def test_options_differ_on_every_criterion() -> None:
    means = {
        name: {k: v.mean() for k, v in measured(option, CHOICES["normal"]).items()} for name, option in OPTIONS.items()
    }
    for criterion in CRITERIA.computed:
        values = {round(float(row[criterion.name]), 6) for row in means.values()}
        assert len(values) >= 2, criterion.name
    rows = [tuple(round(float(v), 3) for v in row.values()) for row in means.values()]
    assert len(set(rows)) == len(rows)


def same_where_it_counts(option: Option, less: Option, lever: str, choice: Choice) -> bool:
    """Whether a lever is set as without the option, in the years in which the law leaves it room."""
    years = range(2026, 2033)
    one, other = option.series(lever, years, choice.name), less.series(lever, years, choice.name)
    if lever == "korea.hbm_to_china":
        control = option.under(choice).series("us.hbm_control", [f"{year}-12" for year in years])
        one, other = one[control < 1], other[control < 1]
    return np.allclose(one, other)


@pytest.mark.parametrize("name", OPTIONS)
def test_zeroing_any_lever_of_an_option_moves_a_computed_criterion(name: str) -> None:
    option = OPTIONS[name]
    for lever in option.set_levers():
        less = option.without(lever)
        if all(same_where_it_counts(option, less, lever, choice) for choice in CHOICES.values()):
            continue  # the option only writes down what holds anyway
        moved = False
        for choice in CHOICES.values():
            one, other = measured(option, choice), measured(less, choice)
            moved |= any(not np.allclose(one[key], other[key], rtol=1e-9) for key in one)
        assert moved, lever


@pytest.mark.parametrize(
    ("lever", "value", "criterion", "sign"),
    [
        ("korea.china_fabs", 0.3, "china_fabs", -1),
        ("korea.china_fabs", 0.3, "leverage_china", +1),
        ("korea.china_fabs", 0.3, "write_down", +1),
        ("korea.china_fab_tech", 1.0, "write_down", -1),
        ("korea.hbm_capex", 1.8, "leverage_us", +1),
        ("korea.hbm_capex", 1.8, "chip_income", +1),
        ("korea.us_outlay", 0.0, "chip_income", -1),
        ("korea.us_outlay", 0.0, "public_cost", -1),
        ("korea.stockpile_days", 180.0, "retaliation", -1),
        ("korea.stockpile_days", 180.0, "public_cost", +1),
        ("korea.second_source", 1.0, "retaliation", -1),
        ("korea.second_source", 1.0, "compute", +1),
        ("korea.dc_power", 0.12, "power", -1),
        ("korea.dc_power", 0.12, "compute", -1),
    ],
)
def test_levers_move_what_they_should(lever: str, value: float, criterion: str, sign: int) -> None:
    base, other = changed(lever, value)
    gap = sign * (other[criterion] - base[criterion])
    assert gap.mean() > 0
    assert (gap >= -1e-9).mean() > 0.8


def test_a_what_if_on_a_fact_reaches_the_criteria() -> None:
    base, dearer = stated(facts.load()), stated(facts.load(changes={"kop-253": "x1.1", "kop-066": "x0.5"}))
    assert dearer.krw_per_usd == pytest.approx(1.1 * base.krw_per_usd)
    assert dearer.krw_tn(100) == pytest.approx(1.1 * base.krw_tn(100))
    assert base.fabs_at_cost == pytest.approx(25.8 * 1.422 + 14 + 9 * 1.422)
    world = imagined(load_scenario("baseline"), MEMBERS, SEED)
    years = (CRITERIA.first, CRITERIA.last, CRITERIA.rate)
    one, other = (Case(OPTIONS["hedge"], CHOICES["law"], world, DRAWS, each, *years) for each in (base, dearer))
    np.testing.assert_allclose(PROCESSES["power"](other), 0.5 * PROCESSES["power"](one))
    assert (PROCESSES["public_cost"](other) > PROCESSES["public_cost"](one)).all()


def test_moving_fabs_home_is_paid_for_once() -> None:
    base = OPTIONS["hedge"]
    half = replace(base, scenario=base.scenario.with_settings({"korea.china_fabs": {"2028-01": 0.5}}, name="half"))
    world = imagined(base.scenario, MEMBERS, SEED)
    case = Case(half, CHOICES["law"], world, DRAWS, STATED, CRITERIA.first, CRITERIA.last, CRITERIA.rate)
    output = world.at(2026, "korea_value_at_risk") * 12 / 1e9
    expected = 0.5 * DRAWS.own["relocation_capital"] * output
    np.testing.assert_allclose(case.moved[:, 1], expected)
    np.testing.assert_allclose(case.moved.sum(axis=1), expected)


def test_provoking_more_costs_more_and_in_the_same_futures() -> None:
    years = np.arange(2027, 2033)
    calm, loud = (retaliation(DRAWS.own, years, provocation=p) for p in (0.3, 1.5))
    assert (loud.comes | ~calm.comes).all()
    assert loud.total.sum() > calm.total.sum()
    assert calm.comes.mean() == pytest.approx(0.3 * 0.43, abs=0.05)


def test_large_measures_have_the_size_and_half_lives_of_the_record() -> None:
    size = 20_000
    own = draws(size, 1).own
    years = np.arange(2027, 2036)
    found = retaliation(own, years, stockpile_days=30.0)
    one = found.large & (found.year == 2027)
    per_year = {name: cost[one] / own["retaliation_size"][one, None] for name, cost in found.by_channel.items()}
    known = {channel.name: channel for channel in sizes().channels}
    assert per_year["tourism"][0, 0] == pytest.approx(known["tourism"].krw_tn / 2)
    for name in ("tourism", "consumer_goods", "content", "minerals"):
        ratio = per_year[name][0, 2] / per_year[name][0, 1]
        assert ratio == pytest.approx(2 ** (-1 / known[name].half_life))
    assert found.large.mean() == pytest.approx(0.43 * 0.5, abs=0.01)
    first_full = sum(per_year[name][0, 1] for name in ("tourism", "consumer_goods", "content", "minerals"))
    assert 4 < first_full < 8.5


def test_stocks_and_second_sources_ease_minerals_alone() -> None:
    years = np.arange(2027, 2033)
    bare, stocked = (retaliation(DRAWS.own, years, stockpile_days=days) for days in (0.0, 180.0))
    assert stocked.by_channel["minerals"].sum() == 0
    assert bare.by_channel["minerals"].sum() > 0
    for name in ("tourism", "consumer_goods", "content"):
        np.testing.assert_array_equal(bare.by_channel[name], stocked.by_channel[name])


def test_events_happen_as_often_as_their_priors_say_and_are_nested() -> None:
    own = many().own
    for probability in (0.1, 0.4, 0.9):
        assert happens(own["duty_score"], probability).mean() == pytest.approx(probability, abs=0.01)
    assert (happens(own["duty_score"], 0.5) | ~happens(own["duty_score"], 0.3)).all()
    years = year_of(own["pressure_year"])
    assert np.unique(years).tolist() == [2027, 2028, 2029, 2030]
    assert np.unique(years, return_counts=True)[1] / len(years) == pytest.approx([0.25] * 4, abs=0.01)


def test_us_pressure_and_chinese_measures_are_correlated_as_stated() -> None:
    own = many().own
    assert np.corrcoef(own["duty_score"], own["retaliation_score"])[0, 1] == pytest.approx(0.3, abs=0.02)
    assert np.std(own["duty_score"]) == pytest.approx(1, abs=0.02)


def test_the_share_that_chinese_makers_took_is_read_from_the_worlds_exports() -> None:
    world = imagined(load_scenario("baseline"), MEMBERS, SEED)
    case = Case(OPTIONS["hedge"], CHOICES["law"], world, DRAWS, STATED, CRITERIA.first, CRITERIA.last, CRITERIA.rate)
    before, lost = DRAWS.world["china_memory_share"], np.full(MEMBERS, 0.2)
    share = before * (1 - lost) / (1 - before * lost)
    others = world.at(2030, "korea_exports", export="dram") + world.at(2030, "korea_exports", export="nand")
    others += world.at(2030, "korea_exports", export="system")
    values = world.values.copy()
    values[:, world.years.index(2030), world.columns["korea_exports_to|china_hk"]] = share * others + world.at(
        2030, "korea_hbm_exports", customer="china"
    )
    planted = replace(case, world=replace(world, values=values))
    np.testing.assert_allclose(planted.lost(2030), lost, atol=1e-5)


def test_belief_paths_are_columns_at_the_year_asked_for() -> None:
    drawn = DRAWS.world
    scenario = load_scenario("baseline")
    found = columns_of(drawn, scenario, 2029)
    assert {"belief_chinese_memory", "imitation"} <= set(found)
    assert not {"worth_own", "worth_factors", "event_happens"} & set(found)
    assert all(values.shape == (MEMBERS,) for values in found.values())
    for name in ("belief_chinese_memory", "belief_cowos"):
        assert np.std(found[name]) == pytest.approx(1, abs=0.12)
        # A path remembers: its score in 2029 hangs on the shock of early 2029 more than on that of 2022.
        then, long_ago = (np.corrcoef(found[name], drawn[name][:, knot])[0, 1] for knot in (14, 0))
        assert then > long_ago + 0.1
    forecast = columns_of(drawn, load_scenario("forecast"), 2029)
    share = forecast["event:h20-licences-flow"].mean()
    assert share == pytest.approx(0.35, abs=0.08)


@pytest.mark.parametrize("month", ["2022-01", "2025-04", "2032-12"])
def test_a_path_is_that_of_the_world(month: str) -> None:
    drawn = DRAWS.world
    inputs = assemble(load_scenario("baseline"), facts.load())
    inputs = replace(inputs, knots=inputs.knots[..., None])
    moved = {name: np.moveaxis(drawn[name], -1, 0) for name in PATHS}
    place = int((np.datetime64(month, "M") - FIRST_KNOT).astype(int))
    own = paths(inputs, {**moved, "belief_memory": drawn["belief_memory"]})["belief_cowos"][place]
    found = path_score(drawn["belief_cowos"], drawn["belief_memory"], month)
    np.testing.assert_allclose(found, np.asarray(own), rtol=1e-5, atol=1e-5)


def test_draws_are_a_prefix_of_longer_ones() -> None:
    few, many = draws(50, 7), draws(500, 7)
    for name, values in few.own.items():
        np.testing.assert_array_equal(values, many.own[name][:50])
