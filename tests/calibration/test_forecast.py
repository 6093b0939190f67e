"""Dated forecasts: written, read back, edited ones refused, and scored against what came."""

import numpy as np
import pytest

from chipweir.calibration import Forecast, read_forecast, read_observations, score_forecast
from chipweir.calibration._forecast import LEVELS, _asked, _values
from chipweir.errors import InputError


def made() -> Forecast:
    quantiles = np.exp(np.array([-1.645, -1.2816, -0.6745, 0, 0.6745, 1.2816, 1.645]) * 0.1) * 60e9
    row = {"variable": "nvidia_revenue", "operation": "sum", "start": "2026-01", "end": "2026-03", "unit": "USD"}
    named = {f"p{round(100 * level):02d}": float(q) for level, q in zip(LEVELS, quantiles, strict=True)}
    return Forecast(({**row, **named},), {"made": "2026-01-02", "facts_known_by": "2025-12-31"})


def test_a_forecast_is_read_back_as_it_was_written(tmp_path) -> None:
    path = tmp_path / "forecast.csv"
    path.write_text(made().text(), encoding="utf-8")
    again = read_forecast(path)
    assert again.manifest == made().manifest
    assert again.rows[0]["variable"] == "nvidia_revenue"
    assert again.rows[0]["p50"] == pytest.approx(60e9, rel=1e-5)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "# {}\nvariable,p50\nx,1\n", '# {"a": 1}\n'])
def test_no_other_file_is_a_forecast(text: str, tmp_path) -> None:
    path = tmp_path / "forecast.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"forecast\.csv"):
        read_forecast(path)


def test_quantiles_become_values_of_the_same_spread() -> None:
    values = _values(made().rows[0])
    assert values.std() == pytest.approx(0.1, rel=0.05)
    assert np.exp(np.median(values)) == pytest.approx(60e9, rel=0.01)


@pytest.mark.parametrize(("came", "inside"), [(60e9, True), (66e9, True), (75e9, False), (50e9, False)])
def test_what_came_is_scored_in_log(came: float, inside: bool, tmp_path) -> None:
    path = tmp_path / "later.csv"
    path.write_text(
        f"variable,operation,start,end,scale,central\nnvidia_revenue,sum,2026-01,2026-03,1e-9,{came / 1e9}\n"
    )
    (row,) = score_forecast(made(), read_observations(path))
    assert row["inside_80"] == inside
    assert row["observed"] == pytest.approx(came)
    assert (row["pit"] > 0.5) == (came > 60.01e9) or came == 60e9


def test_rows_that_nobody_foretold_are_left_out(tmp_path) -> None:
    path = tmp_path / "later.csv"
    path.write_text("variable,operation,start,end,central\nsmuggled_units,sum,2026-01,2026-03,5\n")
    assert score_forecast(made(), read_observations(path)) == []


def test_years_come_whole_and_in_quarters_where_published_so() -> None:
    rows = _asked("2026", "2027")
    spans = {(o.start, o.end) for o in rows if o.quantity.text == "nvidia_revenue"}
    assert ("2026-01", "2026-12") in spans
    assert ("2027-10", "2027-12") in spans
    lags = {(o.start, o.end) for o in rows if o.quantity.text == "lag_months"}
    assert lags == {("2026-01", "2026-12"), ("2027-01", "2027-12")}
