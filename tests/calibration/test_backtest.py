"""Back-tests with a made-up model: what is scored, against what, and the JSON that says so."""

import numpy as np
import pytest

from chipweir import facts
from chipweir.calibration import MODES, backtest, observations, parse_day
from chipweir.calibration import _backtest as room
from chipweir.calibration._backtest import due, noisy
from chipweir.calibration._drift import PRIOR, ahead, drift, learnt
from chipweir.errors import InputError


ALL = observations(facts.load())


@pytest.fixture
def perfect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose members lie around what came with a spread of a tenth, and inputs that nobody assembles."""

    def predict(inputs, drawn, rows, mapper=map):
        random = np.random.default_rng(0)
        return np.log([row.central for row in rows]) + 0.1 * random.standard_normal((200, len(rows)))

    monkeypatch.setattr(room, "predict", predict)
    monkeypatch.setattr(room, "assemble", lambda *arguments, **options: None)


def load(day: str) -> facts.Facts:
    return facts.load(as_of=day or None)


def test_what_is_due_lies_after_the_cut_off_and_within_the_horizon() -> None:
    rows = due(ALL, "2024-12-31", 12)
    assert len(rows) >= 25
    assert all(row.start >= "2025-01" and row.end <= "2025-12" and not row.bound for row in rows)
    assert len(due(ALL, "2024-12-31", 3)) < len(rows)
    assert due(ALL, "2025-12-31", 12) == () or all(row.start >= "2026-01" for row in due(ALL, "2025-12-31", 12))


def test_the_document_is_the_contract(perfect: None) -> None:
    found = [each.as_dict() for each in backtest(load, ("2023-12-31", "2024-12-31"), posterior=lambda day: None)]
    assert [(each["as_of"], each["mode"]) for each in found] == [
        (day, mode) for mode in MODES for day in ("2023-12-31", "2024-12-31")
    ]
    for each in found:
        assert each["n"] == len(each["rows"]) >= 25
        for key in ("coverage_50", "coverage_80", "coverage_90", "crps", "crps_last_spread", "crps_trend"):
            assert isinstance(each[key], float), key
        assert "crps_statistical" in each
        assert each["coverage_80"] >= each["coverage_50"]
        assert sum(each["pit"]) == each["n"]
        assert each["crps"] < each["crps_last_spread"]
        for row in each["rows"]:
            wanted = {"variable", "selection", "start", "end", "p10", "p50", "p90", "observed", "pit", "crps"}
            assert wanted <= set(row)
            assert row["p10"] < row["p50"] < row["p90"]


def test_errors_of_model_and_source_widen_a_forecast() -> None:
    row = due(ALL, "2024-12-31", 12)[0]
    values = np.zeros(4000)
    assert noisy(values, row, 0.2, 0).std() == pytest.approx(np.hypot(0.2, row.scale), rel=0.1)
    np.testing.assert_array_equal(noisy(values, row, 0.2, 3), noisy(values, row, 0.2, 3))


def test_a_cut_off_before_anything_was_observed_is_said(perfect: None) -> None:
    with pytest.raises(InputError, match="2021-06-30"):
        backtest(load, ("2021-06-30",), posterior=lambda day: None)


@pytest.mark.parametrize("text", ["yesterday", "2024", "2024-13-01", ""])
def test_a_cut_off_is_a_day(text: str) -> None:
    with pytest.raises(InputError, match="a day such as"):
        parse_day(text)


def test_the_drift_is_found_again_and_no_later_forecast_counts() -> None:
    random = np.random.default_rng(0)
    rows = [o for o in due(ALL, "2023-12-31", 12) if o.known_by.isoformat() <= "2024-12-31"]
    told = []
    for place, row in enumerate(rows):
        away = 0.5 * np.sqrt(ahead(row, "2023-12-31")) * random.standard_normal()
        told.append(
            ("2023-12-31", row, np.log(row.central) + away + 0.05 * np.random.default_rng(place).standard_normal(300))
        )
    size, count = learnt(told, "2024-12-31")
    assert count == len(rows)
    assert 0.2 < size < 0.8
    assert learnt(told, "2023-12-31") == (PRIOR, 0)
    assert drift("2020-01-01") == PRIOR
