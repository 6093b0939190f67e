"""How a number was made: what is asked for must exist, and what moves it agrees with the simulation."""

import numpy as np
import pytest

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.strategy import Number, explain, swings
from chipweir.world import load_scenario, parameters


@pytest.mark.parametrize(
    ("variable", "month", "selection", "message"),
    [
        ("comptue", "2030-12", {"region": "CHN"}, "compute"),
        ("compute", "2030-12", {"region": "CHNA"}, "CHN"),
        ("compute", "2030-12", {}, "needs a region"),
        ("compute", "2030-12", {"hub": "MYS", "region": "CHN"}, "unknown dimension of compute 'hub'"),
        ("compute", "2050-01", {"region": "CHN"}, "outside"),
        ("lag_months", "2030-12", {"region": "CHN"}, "dimension"),
    ],
)
def test_what_the_model_does_not_report_is_one_clear_error(
    variable: str, month: str, selection: dict[str, str], message: str
) -> None:
    with pytest.raises((InputError, UnknownName), match=message) as caught:
        explain(load_scenario("baseline"), facts.load(), variable, month, **selection)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_trace_names_value_drivers_equations_and_facts() -> None:
    scenario, known = load_scenario("baseline"), facts.load()
    trace = explain(scenario, known, "compute", "2030-12", top=12, region="CHN")
    assert trace.value > 1e6
    assert trace.unit
    effects = [abs(driver.effect) for driver in trace.drivers]
    assert effects == sorted(effects, reverse=True)
    assert len(trace.drivers) == 12
    assert {driver.parameter for driver in trace.drivers} <= set(parameters())
    assert [equation.function for equation in trace.equations][:3] == ["supply_month", "market_month", "stock_month"]
    assert all(equation.text for equation in trace.equations)
    for fact in trace.facts:
        assert fact.split("..")[0].lower() in known.facts or fact.split("..")[0].lower() in known.events
    assert trace.as_dict()["drivers"][0]["parameter"] == trace.drivers[0].parameter


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_two_ways_to_find_drivers_agree() -> None:
    scenario, known = load_scenario("baseline"), facts.load()
    (finite,) = swings(scenario, known, [Number("compute", "2030-12", {"region": "CHN"})], top=5)
    exact = explain(scenario, known, "compute", "2030-12", top=len(parameters()), region="CHN")
    assert finite.value == pytest.approx(exact.value, rel=1e-5)
    slopes = {driver.parameter: driver.effect for driver in exact.drivers}
    for driver in finite.drivers:
        assert np.sign(driver.effect) == np.sign(slopes[driver.parameter])
    # A swing of a whole standard deviation sees the curvature that a derivative does not: alike in most, not in all.
    gaps = [abs(driver.effect / slopes[driver.parameter] - 1) for driver in finite.drivers]
    assert np.median(gaps) < 0.3
