"""How a number was made: what is asked for must exist, and what moves it agrees with the simulation."""

from importlib import import_module

import numpy as np
import pytest

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.strategy import Number, equation_table, explain, swings
from chipweir.world import Task, assemble, central, labels, load_scenario, parameters, run_task


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
@pytest.mark.timeout(1800)
def test_a_trace_names_value_drivers_facts_and_equations() -> None:
    scenario, known = load_scenario("baseline"), facts.load()
    numbers = [
        Number("compute", "2030-12", {"region": "CHN"}),
        Number("smuggled_units", "2028-06", {}),
        Number("nvidia_revenue", "2025-06", {}),
    ]
    traces = swings(scenario, known, numbers, top=12)
    for trace, number in zip(traces, numbers, strict=True):
        assert trace.variable == number.variable
        assert trace.value > 100
        assert trace.unit
        effects = [abs(driver.effect) for driver in trace.drivers]
        assert effects == sorted(effects, reverse=True)
        assert len(trace.drivers) == 12
        assert {driver.parameter.split("/")[0] for driver in trace.drivers} <= set(parameters())
        assert trace.equations
        assert all(equation.words and equation.words_ko and equation.function for equation in trace.equations)
        ids = [influence.id for influence in trace.facts]
        assert ids
        assert all("/" not in id_ for id_ in ids)
        slopes = [abs(influence.slope) for influence in trace.facts]
        assert slopes == sorted(slopes, reverse=True)
        assert all(influence.enters for influence in trace.facts)
    compute, smuggled, revenue = traces
    # What China buys abroad rests on the US budget only through prices; NVIDIA's revenue rests on it directly.
    assert any(
        d.parameter.startswith("route_") or "smuggling" in d.parameter or "diversion" in d.parameter
        for d in smuggled.drivers
    )
    assert any(d.parameter in ("belief_cowos", "belief_budget_us", "packaging_realisation") for d in revenue.drivers)
    assert compute.as_dict()["drivers"][0]["parameter"] == compute.drivers[0].parameter


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_value_of_a_trace_is_that_of_the_model_at_its_medians() -> None:
    scenario, known = load_scenario("baseline"), facts.load()
    trace = explain(scenario, known, "compute", "2030-12", top=3, region="USA")
    median = {name: np.asarray(value)[None] for name, value in central().items()}
    kept = run_task(Task("baseline", 0, assemble(scenario, known), median))
    at = labels().regions.index("USA")
    assert trace.value == pytest.approx(float(kept["compute"][0, 107, at]), rel=1e-4)


def test_the_equations_of_a_number_exist_and_every_variable_has_one() -> None:
    for row in equation_table():
        room, *rest = row["function"].split(".")
        module = import_module(f"chipweir.{room}.{'.'.join(rest[:-1])}")
        assert hasattr(module, rest[-1]), row["function"]
        assert row["words_en"]
        assert any("가" <= letter <= "힣" for letter in row["words_ko"])
