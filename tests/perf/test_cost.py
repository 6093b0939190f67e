"""Cost: accounting identities, dated prices, one clear line for nonsense."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.perf._cost import (
    HOURS_A_YEAR,
    Ownership,
    annuity,
    api_price,
    cheapest,
    margin,
    owning_cost,
    power_price,
    rental_price,
    run_cost,
    system_owning_cost,
    token_cost,
)


@given(rate=st.floats(0.001, 0.5), years=st.floats(1, 15))
def test_an_annuity_pays_the_loan_back(rate: float, years: float) -> None:
    payment = annuity(rate, years)
    assert payment * (1 - (1 + rate) ** -years) / rate == pytest.approx(1.0)
    assert payment >= 1 / years
    assert annuity(0.0, years) == pytest.approx(1 / years)


def test_an_owned_hour_is_the_sum_of_its_parts() -> None:
    cost = owning_cost(30_000, 600, 700, country="US", pue=1.3)
    assert cost.total == pytest.approx(cost.capital + cost.power + cost.space + cost.upkeep)
    # 600 W of chip and 612 W beside it at a PUE of 1.3 and 7.5 cents.
    assert cost.power == pytest.approx((0.600 + 0.612) * 1.3 * 0.075)
    half = owning_cost(30_000, 600, 700, terms=Ownership(utilisation=0.5))
    assert half.total > 1.9 * cost.total


def test_owning_agrees_with_what_owners_report() -> None:
    # InferenceX, 2026: owning an H100 costs a hyperscaler 1.17 and a neocloud 1.55 USD an hour.
    reported = {"NVIDIA H100": (1.17, 1.78), "NVIDIA B200": (1.73, 2.6), "NVIDIA GB200 NVL72": (1.86, 2.6)}
    for name, (low, high) in reported.items():
        cost = system_owning_cost(facts.load(), name)
        assert low * math.exp(-1.3 * cost.log_sd) < cost.total < high * math.exp(1.3 * cost.log_sd), name


@given(price=st.floats(100, 1e5), more=st.floats(1.01, 5))
def test_dearer_chips_and_power_cost_more(price: float, more: float) -> None:
    base = owning_cost(price, 500, 700, country="US").total
    assert owning_cost(price * more, 500, 700, country="US").total > base
    assert owning_cost(price, 700, 700, country="US").total > base
    assert owning_cost(price, 500, 700, country="GB").total > base
    assert owning_cost(price, 500, 700, terms=Ownership(life_years=8)).total < base


def test_energy_price_changes_the_ranking_of_countries() -> None:
    assert power_price("cn")[1] < power_price("KR")[1]
    low, central, high = power_price("ZZ")
    assert low < central < high
    priced = facts.load().select(measure="electricity_price")
    assert len(priced) >= 15
    assert all(fact.value.source and fact.value.low < fact.value.best < fact.value.high for fact in priced)
    assert power_price("US")[1] == next(fact.value.best for fact in priced if fact.entity == "united-states")


def test_prices_are_dated() -> None:
    known = facts.load()
    assert api_price(known, "DeepSeek-V3.1", "output", "2025-09-06").value.best == pytest.approx(1.68)
    assert api_price(known, "DeepSeek-V3.1", "output", "2024-01-01") is None
    assert api_price(known, "gpt-5", "output", "2025-09-05").value.best == pytest.approx(10)
    assert api_price(known, "no-such-model", "output", "2025-09-05") is None
    early, late = (rental_price(known, "NVIDIA H100", on) for on in ("2023-06-01", "2026-08-01"))
    assert early.valid_from < late.valid_from
    assert rental_price(known, "NVIDIA H800", "2025-01-01").value.best == pytest.approx(2.0)
    with pytest.raises(UnknownName):
        rental_price(known, "MetaX C600")
    with pytest.raises(InputError, match="date"):
        api_price(known, "gpt-5", "output", "soon")


def test_tokens_cost_what_the_chips_time_costs() -> None:
    cost = token_cost(3.6, 10_000, 2_000, input_share=0.5)
    # A chip-second costs 0.001 USD.
    assert cost.input == pytest.approx(0.001 / 10_000 * 1e6)
    assert cost.output == pytest.approx(0.001 / 2_000 * 1e6)
    assert cost.blended == pytest.approx((cost.input + cost.output) / 2)
    assert token_cost(3.6, 10_000, 2_000, cache_hits=0.56).input == pytest.approx(0.44 * cost.input)
    # One output token for each input token: 0.6 USD of cost against 1.2 of price.
    assert margin(0.2, 1.0, cost, output_per_input=1.0) == pytest.approx(0.5)


def test_nonsense_is_refused() -> None:
    for call in (
        lambda: owning_cost(0, 500, 700),
        lambda: owning_cost(math.nan, 500, 700),
        lambda: owning_cost(1000, 500, 700, terms=Ownership(utilisation=0)),
        lambda: annuity(0.1, 0),
        lambda: token_cost(1, 1, 1, cache_hits=2),
        lambda: margin(0, 0, token_cost(1, 1, 1), output_per_input=1),
        lambda: cheapest([]),
        lambda: system_owning_cost(facts.load(), "Huawei Ascend 970"),
    ):
        with pytest.raises(InputError):
            call()


def test_a_run_costs_its_hours() -> None:
    # DeepSeek-V3: 2.788M H800-hours at its own assumption of 2 USD.
    assert run_cost(2.788e6, 2.0) == pytest.approx(5.576e6)
    assert pytest.approx(365.25 * 24) == HOURS_A_YEAR
