"""Scores and forecasts without a model, against what is known of them."""

from dataclasses import replace

import numpy as np
import pytest

from chipweir import facts
from chipweir.calibration import observations
from chipweir.calibration._naive import History, Normal, history, last_spread, rate, statistical, trend
from chipweir.calibration._scores import covered, crps, crps_normal, pit


ROWS = observations(facts.load())
QUARTER = next(o for o in ROWS if o.id == "shi-014")


def test_the_crps_of_many_draws_is_that_of_the_normal() -> None:
    draws = np.random.default_rng(0).normal(1.0, 0.5, 40_000)
    for observed in (0.0, 1.0, 2.5):
        assert crps(draws, observed) == pytest.approx(crps_normal(Normal(1.0, 0.5), observed), abs=0.01)


def test_a_sure_forecast_is_scored_by_its_distance() -> None:
    assert crps(np.full(100, 2.0), 3.0) == pytest.approx(1.0)


def test_sharper_is_better_where_right_and_worse_where_wrong() -> None:
    assert crps_normal(Normal(0, 0.1), 0.0) < crps_normal(Normal(0, 1.0), 0.0)
    assert crps_normal(Normal(0, 0.1), 2.0) > crps_normal(Normal(0, 1.0), 2.0)


def test_coverage_and_rank() -> None:
    values = np.linspace(0, 1, 1001)
    assert covered(values, 0.5, 0.5)
    assert not covered(values, 0.95, 0.8)
    assert pit(values, 0.25) == pytest.approx(0.25, abs=0.01)


def test_a_history_is_what_was_published_of_the_same_quantity_as_rates() -> None:
    past = history(QUARTER, [o for o in ROWS if o.end < QUARTER.start])
    assert len(past) >= 10
    assert (np.diff(past.months) > 0).all()
    first = next(o for o in ROWS if o.id == "shi-001")
    assert past.logs[0] == pytest.approx(np.log(first.central / 3))
    assert rate(first) == pytest.approx(past.logs[0])


def line(count: int, slope: float, noise: float, seed: int = 0) -> History:
    random = np.random.default_rng(seed)
    months = 3.0 * np.arange(count)
    return History(months, slope * months + random.normal(0, noise, count))


def later(month: float):
    whole = int(month)
    text = str(np.datetime64("2022-01", "M") + whole)
    return replace(QUARTER, operation="at", start=text, end=text)


def test_a_trend_goes_on_and_a_last_value_stays() -> None:
    past = line(12, 0.05, 0.01)
    ahead = later(42)
    assert trend(past, ahead).mean == pytest.approx(0.05 * 42, abs=0.1)
    assert last_spread(past, ahead).mean == past.logs[-1]
    assert last_spread(past, later(60)).sd > last_spread(past, later(36)).sd


def test_regression_intervals_cover_what_they_say() -> None:
    inside = []
    for seed in range(200):
        past = line(12, 0.02, 0.1, seed)
        told = trend(past, later(39))
        came = 0.02 * 39 + np.random.default_rng([seed, 1]).normal(0, 0.1)
        inside.append(abs(came - told.mean) < 1.2816 * told.sd)
    assert 0.7 < np.mean(inside) < 0.9


def test_short_histories_fall_back() -> None:
    one = History(np.array([0.0]), np.array([1.0]))
    assert trend(one, later(12)) == last_spread(one, later(12))
    assert last_spread(one, later(12)).sd == pytest.approx(0.5)


def test_exponential_smoothing_follows_a_trend() -> None:
    pytest.importorskip("statsmodels")
    told = statistical(line(16, 0.05, 0.01), later(51))
    assert told is not None
    assert told.mean == pytest.approx(0.05 * 51, abs=0.2)
    assert told.sd > 0
