"""Currencies convert at dated rates that are facts."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.facts._currency import months_of


FACTS = facts.load()
CURRENCIES = ["USD", *FACTS.rates]
months = st.sampled_from(sorted(FACTS.rates["KRW"]))


@given(st.floats(1e-3, 1e15), st.sampled_from(CURRENCIES), st.sampled_from(CURRENCIES), months)
def test_there_and_back(amount: float, start: str, target: str, month: str) -> None:
    there = facts.convert(amount, start, target, on=month)
    assert facts.convert(there, target, start, on=month) == pytest.approx(amount)


@given(st.sampled_from(CURRENCIES), st.sampled_from(CURRENCIES), st.sampled_from(CURRENCIES), months)
def test_crossing_a_third_currency_changes_nothing(one: str, two: str, three: str, month: str) -> None:
    through = facts.convert(facts.convert(1.0, one, two, on=month), two, three, on=month)
    assert through == pytest.approx(facts.convert(1.0, one, three, on=month))


def test_the_articles_pair() -> None:
    press = FACTS.facts["fx-usd-krw-press-2025-08"].value.best
    assert facts.convert(1e9, "USD", "KRW", on="2025-08-15") == pytest.approx(press * 1e9, rel=0.01)


def test_cambricon_second_quarter() -> None:
    revenue = FACTS.facts["shi-098"].value
    dollars = FACTS.convert(revenue, "CNY", "USD", on="2025Q2")
    assert dollars.unit == "USD"
    assert dollars.best == pytest.approx(247e6, rel=0.02)
    assert "converted" in dollars.note


def test_every_month_from_2022_to_october_2026_has_every_rate() -> None:
    for currency, rates in FACTS.rates.items():
        assert len(rates) == 58, currency
        assert (min(rates), max(rates)) == ("2022-01", "2026-10")


def test_periods() -> None:
    assert months_of(date(2025, 8, 29)) == ["2025-08"]
    assert months_of("2025Q3") == ["2025-07", "2025-08", "2025-09"]
    assert months_of("2025-H2")[0] == "2025-07"
    assert len(months_of("2025")) == 12


@pytest.mark.parametrize("bad", ["yesterday", "2025-13", "", "2025Q5"])
def test_a_date_that_is_none(bad: str) -> None:
    with pytest.raises(InputError, match="not understood"):
        facts.convert(1.0, "USD", "KRW", on=bad)


def test_outside_the_rates() -> None:
    with pytest.raises(InputError, match="2022-01 to 2026-10"):
        facts.convert(1.0, "USD", "KRW", on="2021-12")
    with pytest.raises(UnknownName, match="currency"):
        facts.convert(1.0, "USD", "XYZ", on="2025-01")


def test_rmb_is_cny() -> None:
    assert facts.convert(100.0, "RMB", "usd", on="2025-01") == facts.convert(100.0, "CNY", "USD", on="2025-01")
