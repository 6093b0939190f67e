"""Findings in words: every number in them is the run's, and no direction is told that its chance does not carry."""

import re

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from chipweir.report import _access, _numbers, figures, findings, render_html
from chipweir.report._access import COVERAGE
from chipweir.report._findings import SURE
from chipweir.report.figures._build import FOLD


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_there_are_five_to_eight_sentences_in_either_language(run: xr.Dataset, lang: str) -> None:
    found = findings(run, lang)
    assert 5 <= len(found) <= 8
    for each in found:
        assert each.text.endswith(".")
        assert bool(re.search("[가-힣]", each.text)) == (lang == "ko")
        assert "{" not in each.text
        assert not re.search(r"\((과|는|를|가|으)\)", each.text), "particles are chosen"


def test_the_numbers_are_those_of_the_run(run: xr.Dataset) -> None:
    for each in findings(run):
        if each.about in ("contrast", "diversion"):
            continue
        selection = {"region": "CHN"} if each.about == "compute" else {}
        found = _access.require(run, each.about, "baseline", **selection)
        index = _access.month_index(found.months, 2030)
        assert index is not None
        assert each.numbers["median"] == pytest.approx(float(found.median[index]))
        assert (each.numbers["low"], each.numbers["high"]) == pytest.approx(found.interval(COVERAGE, index))


def test_contrasts_hold_the_paired_differences_and_their_chance(run: xr.Dataset) -> None:
    contrasts = [each for each in findings(run) if each.about == "contrast"]
    assert {each.scenario for each in contrasts} == {"blockade", "weir", "open"}
    for each in contrasts:
        names = {name.partition(".")[0] for name in each.numbers}
        for name in names:
            selection = {"region": "CHN"} if name == "compute" else {}
            chance = _access.probability(run, name, each.scenario, 2030, **selection)
            assert each.numbers[f"{name}.p_greater"] == pytest.approx(chance)


@given(chance=st.floats(0, 1), size=st.floats(1e3, 1e6))
def test_a_direction_is_told_where_its_chance_is_high_and_only_there(chance: float, size: float) -> None:
    signed = size if chance >= 0.5 else -size
    months = np.array(["2030-12"], "datetime64[M]").astype("datetime64[ns]")
    levels = [0.1, 0.5, 0.9]
    shape = (2, 3, 1)
    delta = np.zeros(shape)
    delta[1, :, 0] = [signed - 2 * size, signed, signed + 2 * size]
    axes = ("scenario", "quantile", "month")
    dataset = xr.Dataset(
        {
            "smuggled_units": (axes, np.full(shape, size)),
            "delta_smuggled_units": (axes, delta),
            "p_greater_smuggled_units": (("scenario", "month"), np.array([[0.5], [chance]])),
        },
        coords={"scenario": ["baseline", "other"], "quantile": levels, "month": months},
    )
    (found,) = findings(dataset)
    sure = max(chance, 1 - chance) >= SURE
    assert ("sign is open" in found.text) != sure
    assert (("higher" if signed > 0 else "lower") in found.text) == sure
    if sure:
        assert _numbers.signed(size, "count").lstrip("+") in found.text


@given(st.lists(st.floats(-5e3, 5e3), min_size=3, max_size=3))
def test_what_stops_and_what_moves_make_up_what_ends(changes: list[float]) -> None:
    hubs = ["MYS", "SGP", "THA"]
    months = np.array(["2030-12"], "datetime64[M]").astype("datetime64[ns]")
    delta = np.zeros((2, 3, 1, 3))
    delta[1] = np.array(changes)
    dataset = xr.Dataset(
        {
            "smuggled_units": (("scenario", "quantile", "month"), np.full((2, 3, 1), 1e4)),
            "delta_smuggled_by_hub": (("scenario", "quantile", "month", "hub"), delta),
            "p_greater_smuggled_by_hub": (("scenario", "month", "hub"), np.full((2, 1, 3), 0.5)),
            "smuggled_by_hub": (("scenario", "quantile", "month", "hub"), np.full((2, 3, 1, 3), 3e3)),
        },
        coords={"scenario": ["baseline", "x"], "quantile": [0.1, 0.5, 0.9], "month": months, "hub": hubs},
    )
    told = [each for each in findings(dataset) if each.about == "diversion"]
    ended = -sum(change for change in changes if change < 0)
    if ended < 500:
        assert not told
    else:
        (found,) = told
        assert found.numbers["ended"] == pytest.approx(ended)
        moved = min(sum(change for change in changes if change > 0) / ended, 1)
        assert found.numbers["moved_share"] == pytest.approx(moved)
        assert ("do not take their place" in found.text) == (moved < 0.005)
        assert moved < 0.005 or _numbers.share(moved) in found.text


@pytest.mark.parametrize(
    ("licensed", "chance", "said"), [(9e3, 0.99, True), (9e3, 0.6, False), (1e3, 0.99, False), (3.9e3, 0.99, False)]
)
def test_where_licences_end_the_need_no_other_hub_is_looked_for(licensed: float, chance: float, said: bool) -> None:
    months = np.array(["2030-12"], "datetime64[M]").astype("datetime64[ns]")
    axes = ("scenario", "quantile", "month")
    gone, bought = np.zeros((2, 3, 1, 2)), np.zeros((2, 3, 1, 1))
    gone[1], bought[1] = -2e3, licensed
    dataset = xr.Dataset(
        {
            "smuggled_units": (axes, np.full((2, 3, 1), 4e3)),
            "smuggled_by_hub": ((*axes, "hub"), gone + 2e3),
            "delta_smuggled_by_hub": ((*axes, "hub"), gone),
            "delta_china_units": ((*axes, "purchase"), bought),
            "p_greater_china_units": (("scenario", "month", "purchase"), np.full((2, 1, 1), chance)),
        },
        coords={"scenario": ["baseline", "x"], "quantile": [0.1, 0.5, 0.9], "month": months, "hub": ["MYS", "SGP"],
                "purchase": ["foreign_legal"]},
    )  # fmt: skip
    (found,) = [each for each in findings(dataset) if each.about == "diversion"]
    assert ("legal imports rise" in found.text) == said
    assert found.numbers["ended"] == 4e3
    drawn = figures.diversion.spec(dataset, "x")
    assert [trace["y"] for trace in drawn["data"]] == [[-2000.0], [-2000.0]]
    told = drawn["layout"]["title"]["subtitle"]["text"]  # where the line breaks is the figure's
    assert "stopped 100%, moved 0%" in told.replace(FOLD, " ")


def test_a_run_that_ends_early_or_lacks_variables_says_what_it_can(run: xr.Dataset) -> None:
    short = run.sel(month=slice("2022-01", "2027-06")).drop_vars("lag_months")
    found = findings(short)
    assert "2027" in found[0].text
    assert all(each.about != "lag_months" for each in found)


def test_the_report_begins_with_them(run: xr.Dataset) -> None:
    page = render_html(run, lang="ko", extras={"facts": None, "parameters": ()})
    first = findings(run, "ko")[0].text.replace("'", "&#39;")
    assert first in page
    assert page.index(first) < page.index('class="tiles"')


def test_routes_differ_in_more_than_colour(run: xr.Dataset) -> None:
    hubs = ["TWN_JPN", "MYS", "SGP", "THA", "GULF", "ROW"]
    delta = xr.concat([run["delta_smuggled_units"]] * len(hubs), dim="hub").assign_coords(hub=hubs)
    drawn = figures.diversion.spec(run.assign(smuggled_by_hub=delta, delta_smuggled_by_hub=delta), "blockade")["data"]
    assert len({trace["marker"]["color"] for trace in drawn}) == len(hubs)
    assert len({trace["marker"]["pattern"]["shape"] for trace in drawn}) == len(hubs)
