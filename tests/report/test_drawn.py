"""What a chart is taken away as: every number that it draws, and none besides."""

import csv
import io
import re

import numpy as np
import pytest
import xarray as xr
from test_figures import RUN_FIGURES

from chipweir.calibration import shipped_backtest
from chipweir.i18n import use_language
from chipweir.report import _access, drawn_csv, drawn_rows, figures, source_of
from chipweir.report._drawn import numbers


@pytest.mark.parametrize("name", RUN_FIGURES)
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_table_of_a_chart_holds_its_numbers_unit_and_source(run: xr.Dataset, name: str, lang: str) -> None:
    with use_language(lang):
        spec = getattr(figures, name).spec(run, **RUN_FIGURES[name])
        text, rows = drawn_csv(spec), drawn_rows(spec)
    lines = text.splitlines()
    heads = [line for line in lines if line.startswith("#")]
    assert heads == [
        f"# {spec['layout']['title']['text']}",
        f"# {spec['layout']['title']['subtitle']['text'].replace('<br >', ' ')}",
        f"# {source_of(spec)}",
    ]
    table = list(csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("#")))))
    assert len(table) == len(rows) > 0
    drawn = sum(_points(trace) for trace in spec["data"])
    assert len(rows) == drawn


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("name", RUN_FIGURES)
def test_no_line_over_or_under_the_axes_is_wider_than_a_telephone(run: xr.Dataset, name: str, lang: str) -> None:
    with use_language(lang):
        layout = getattr(figures, name).spec(run, **RUN_FIGURES[name])["layout"]
        long = figures._build.base("a", "word " * 40, "light", "note " * 40)
    note = layout["annotations"][0]["text"] if layout["annotations"] else ""
    for text, columns in ((layout["title"]["subtitle"]["text"], 50), (note, 56)):
        for line in re.split("<br ?>", text):
            assert sum(2 if char > "\u1100" else 1 for char in line) <= columns, line
    # What is added below and above gets its room.
    spec = figures._build.figure(lambda: {"data": [], "layout": long})
    assert spec.spec()["layout"]["margin"]["t"] > 64 + 3 * 14
    assert spec.spec()["layout"]["margin"]["b"] > 56 + 2 * 12


def _points(trace: dict[str, object]) -> int:
    if trace["type"] == "sankey":
        return len(trace["link"]["value"])  # type: ignore[index]
    if trace["type"] == "heatmap":
        return sum(len(row) for row in trace["z"])  # type: ignore[attr-defined]
    return 0 if trace.get("hoverinfo") == "skip" else len(trace["x"])  # type: ignore[arg-type]


def test_a_fans_table_has_the_runs_medians_and_intervals(run: xr.Dataset) -> None:
    spec = figures.compute.spec(run, "CHN")
    found = _access.require(run, "compute", "baseline", region="CHN")
    rows = [row for row in drawn_rows(spec) if row["series"] == "Current rules"]
    factor = found.median[-1] / float(str(rows[-1]["y"]))
    assert np.log10(factor) == pytest.approx(round(np.log10(factor)), abs=1e-6)
    for place in (0, 60, -1):
        low, high = found.interval(_access.COVERAGE, place)
        assert [float(str(rows[place][key])) * factor for key in ("low", "y", "high")] == pytest.approx(
            [low, found.median[place], high], rel=1e-5
        )
    # Of the scenarios without a band, the bar at the end is the last point's interval.
    other = [row for row in drawn_rows(spec) if row["series"] == "Blockade"]
    if "low" not in other[0]:
        assert "low" in other[-1]


def test_reliability_is_the_share_of_ranks_inside(run: xr.Dataset) -> None:
    document = shipped_backtest()
    spec = figures.reliability.spec(document)
    scored = [each for each in document["cutoffs"] if each["mode"] == "rules known" and each["n"]]
    assert len(spec["data"]) == len(scored)
    for each, trace in zip(scored, spec["data"], strict=True):
        at = dict(zip(trace["x"], numbers(trace["y"]), strict=True))
        assert at[0.5] == pytest.approx(each["coverage_50"], abs=0.03)
        assert at[0.8] == pytest.approx(each["coverage_80"], abs=0.03)
        assert at[1.0] == 1
