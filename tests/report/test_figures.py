import base64
import json
from datetime import date

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.i18n import use_language
from chipweir.report import _chips, _numbers, figures
from chipweir.report._labels import label
from chipweir.report._style import PALETTE
from chipweir.report.figures._build import spread
from chipweir.report.figures._rules import ChipPoint, legal_history, tpp_plane


RUN_FIGURES = {
    "compute": {},
    "compute_by_origin": {},
    "ratio_to_us": {},
    "share": {"variable": "nvidia_share"},
    "smuggled": {},
    "premium": {},
    "token_price": {},
    "utilisation": {},
    "power": {},
    "lag": {},
    "largest_run": {},
    "production": {},
    "korea_hbm": {},
    "korea_at_risk": {},
    "flows": {},
    "binding": {},
    "ecosystem_shares": {},
    "maturity": {},
    "difference": {},
    "anything": {"variable": "unmet_share"},
}


def unpack(record):
    return np.frombuffer(base64.b64decode(record["bdata"]), dtype="<f4")


@pytest.mark.parametrize("name", RUN_FIGURES)
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_figure_is_valid_plotly_with_title_unit_and_source(run, name, lang):
    with use_language(lang):
        made = getattr(figures, name)(run, **RUN_FIGURES[name])
    assert isinstance(made, go.Figure)  # Plotly has validated every attribute
    assert made.data
    assert made.layout.title.text
    assert made.layout.title.subtitle.text
    assert any("Chipweir" in note.text for note in made.layout.annotations)


@pytest.mark.parametrize("name", RUN_FIGURES)
def test_the_page_gets_the_same_figure_as_the_notebook(run, name):
    assert go.Figure(getattr(figures, name).spec(run, **RUN_FIGURES[name])) == getattr(figures, name)(
        run, **RUN_FIGURES[name]
    )


def test_a_fan_shows_the_runs_own_numbers(run):
    spec = figures.compute.spec(run, "CHN", scenarios=["weir"])
    median = next(trace for trace in spec["data"] if trace.get("name") == "Weir")
    expected = run["compute"].sel(scenario="weir", region="CHN", quantile=0.5).values
    np.testing.assert_allclose(unpack(median["y"]) * 1e6, expected, rtol=1e-6)
    bands = [trace for trace in spec["data"] if trace.get("fill") == "toself"]
    high = run["compute"].sel(scenario="weir", region="CHN", quantile=0.9).values
    np.testing.assert_allclose(unpack(bands[0]["y"])[: high.size] * 1e6, high, rtol=1e-6)


def test_lines_differ_in_more_than_colour(run):
    lines = [trace for trace in figures.compute.spec(run)["data"] if trace.get("mode") == "lines+markers"]
    assert len({line["line"]["color"] for line in lines}) == 4
    assert len({line["line"]["dash"] for line in lines}) == 4
    assert len({line["marker"]["symbol"] for line in lines}) == 4
    assert {line["line"]["color"] for line in lines} <= set(PALETTE)


def test_a_scenario_keeps_its_colour_whatever_else_is_shown(run):
    def colour(scenarios):
        spec = figures.compute.spec(run, scenarios=scenarios)
        return next(trace["line"]["color"] for trace in spec["data"] if trace.get("name") == "Open")

    assert colour(None) == colour(["baseline", "open"])


def test_a_run_without_a_variable_says_so(run):
    with pytest.raises(InputError, match="no 'lag_months'"):
        figures.lag(run.drop_vars("lag_months"))
    with pytest.raises(UnknownName, match="baseline"):
        figures.lag(run, scenarios=["basline"])
    with pytest.raises(InputError, match="2022 to 2032"):
        figures.flows(run, year=1999)


def test_flows_balance_at_every_channel(run):
    spec = figures.flows.spec(run, "weir", 2027, destination=None)
    link, node = spec["data"][0]["link"], spec["data"][0]["node"]
    through = np.zeros((2, len(node["label"])))
    for start, end, units in zip(link["source"], link["target"], link["value"], strict=True):
        through[0, start] += units
        through[1, end] += units
    middle = [i for i in range(len(node["label"])) if through[0, i] and through[1, i]]
    assert middle
    np.testing.assert_allclose(through[0, middle], through[1, middle], rtol=1e-9)


@pytest.mark.parametrize("destination", ["CHN", None])
@pytest.mark.parametrize("by", ["maker", "product"])
def test_every_label_of_the_flows_is_the_runs_own_number(run, destination, by):
    """However many small flows there are: a channel of forty chips' trickles counts in full."""
    many = run.isel(product=np.arange(200) % run.sizes["product"]).assign_coords(
        product=[f"cn-{i}" for i in range(200)]
    )
    many["flow"] = many["flow"] * np.random.default_rng(3).gamma(0.1, 1, many["flow"].shape)
    spec = figures.flows.spec(many, "weir", 2027, destination=destination, by=by)
    chosen = many["flow"].sel(scenario="weir", year=2027)
    if destination:
        chosen = chosen.sel(region=[destination])
    whole = float(chosen.sum())
    link, node = spec["data"][0]["link"], spec["data"][0]["node"]
    assert sum(link["value"]) == pytest.approx(2 * whole)
    assert spec["layout"]["title"]["subtitle"]["text"].startswith(_numbers.number(whole))
    texts = node["customdata"]
    for channel in many["channel"].values:
        units = float(chosen.sel(channel=channel).sum())
        if units > 0.003 * whole:
            assert f"{label('channel', channel)}  {_numbers.number(units)}" in texts
    if by == "product":
        shown = chosen.sum(["region", "channel"])
        rest = float(shown.where(shown < 0.003 * whole).sum())
        assert f"Others  {_numbers.number(rest)}" in texts


def test_a_flow_that_is_small_alone_and_large_together_is_shown():
    """What was left out before it was summed: a route of many chips, each below the floor."""
    products, channels = [f"nvidia-{i}" for i in range(400)], ["direct", "smuggled_THA"]
    flow = np.zeros((1, 1, 400, 1, 2))
    flow[..., 0], flow[..., 1] = 1000.0, 2.5  # each route is 0.25 % of its chip's flow
    data = xr.Dataset(
        {"flow": (("scenario", "year", "product", "region", "channel"), flow)},
        {"scenario": ["baseline"], "year": [2030], "product": products, "region": ["CHN"], "channel": channels},
    )
    flow[0, 0, 0, 0, 0] *= 100
    texts = figures.flows.spec(data, "baseline", 2030)["data"][0]["node"]["customdata"]
    assert any(text.startswith("Smuggled via") and text.endswith("1K") for text in texts), texts


SHOWN = {
    "compute": ("compute", {"region": "CHN"}),
    "ratio_to_us": ("ratio_to_us", {}),
    "share": ("nvidia_share", {}),
    "smuggled": ("smuggled_units", {}),
    "premium": ("premium_black_market", {}),
    "token_price": ("token_price", {"region": "CHN"}),
    "utilisation": ("utilisation", {"region": "CHN"}),
    "power": ("power_mw", {"region": "CHN"}),
    "lag": ("lag_months", {}),
    "largest_run": ("largest_run", {"region": "CHN"}),
    "production": ("production_domestic", {}),
    "korea_hbm": ("korea_hbm_exports_total", {}),
    "korea_at_risk": ("korea_value_at_risk", {}),
    "difference": ("delta_ratio_to_us", {}),
    "anything": ("unmet_share", {}),
}


@pytest.mark.parametrize("name", SHOWN)
def test_every_line_is_the_median_of_its_scenario(run, name):
    variable, selection = SHOWN[name]
    spec = getattr(figures, name).spec(run, **RUN_FIGURES[name])
    lines = {trace["name"]: unpack(trace["y"]) for trace in spec["data"] if trace.get("mode") == "lines+markers"}
    scenarios = [each for each in run["scenario"].values if name != "difference" or each != "baseline"]
    assert list(lines) == [label("scenario", each) for each in scenarios]
    for each in scenarios:
        median = run[variable].sel(scenario=each, quantile=0.5, **selection).values
        drawn = lines[label("scenario", each)]
        assert any(np.allclose(drawn * unit, median, rtol=1e-5) for unit in (1, 1e3, 1e6, 1e9, 1e12))


def test_the_ecosystems_of_a_picture_are_told_apart_and_add_up(run):
    spec = figures.ecosystem_shares.spec(run)
    np.testing.assert_allclose(sum(unpack(trace["y"]) for trace in spec["data"]), 1, rtol=1e-5)
    looks = [(t["line"]["color"], t["fillpattern"]["shape"], t["fillpattern"]["size"]) for t in spec["data"]]
    assert len({colour for colour, *_ in looks}) == len(looks)
    assert len({shape for _colour, *shape in map(tuple, looks) for shape in [tuple(shape)]}) == len(looks)
    lines = [trace for trace in figures.maturity.spec(run)["data"] if trace.get("mode") == "lines+markers"]
    assert len(lines) == 9
    for what in (lambda t: t["line"]["color"], lambda t: t["line"]["dash"], lambda t: t["marker"]["symbol"]):
        assert len(set(map(what, lines))) == len(lines)


def test_small_ecosystems_are_one_area(run):
    few = run.copy(deep=True)
    few["ecosystem_share"].loc[{"ecosystem": ["neuron", "musa", "maca"]}] = 1e-4
    spec = figures.ecosystem_shares.spec(few)
    assert [trace["name"] for trace in spec["data"]].count("Others") == 1
    np.testing.assert_allclose(sum(unpack(trace["y"]) for trace in spec["data"]), 1, rtol=1e-5)


def test_values_that_are_not_finite_do_no_harm(run):
    broken = run.copy(deep=True)
    broken["premium_black_market"][:, :, :20] = np.nan
    spec = figures.premium.spec(broken)
    low, high = spec["layout"]["yaxis"]["range"]
    assert np.isfinite([low, high]).all()
    assert low < high
    broken["premium_black_market"][:] = np.nan
    assert np.isfinite(figures.premium.spec(broken)["layout"]["yaxis"]["range"]).all()


def test_a_tail_does_not_hide_the_rest(run):
    wild = run.copy(deep=True)
    wild["smuggled_units"].loc[{"quantile": 0.95}] *= 1e4
    _low, high = figures.smuggled.spec(wild)["layout"]["yaxis"]["range"]
    factor = 1e3
    assert high * factor < 4 * float(wild["smuggled_units"].sel(quantile=0.75).max())


def test_end_labels_do_not_overlap():
    places = spread([0.5, 0.5, 0.51, 0.97, 0.98], [0.07] * 5)
    assert np.diff(sorted(places)).min() >= 0.07 - 1e-9
    assert max(places) <= 0.99


def test_specs_are_plain_json(run):
    spec = figures.binding.spec(run)
    assert json.loads(json.dumps(spec)) == spec


def test_timeline_holds_the_events_of_the_facts():
    events = facts.load().events.values()
    spec = figures.timeline.spec(events, types=["export_control"], until=date(2023, 12, 31))
    shown = sorted(day for trace in spec["data"] for day in trace["x"])
    assert shown == sorted(e.date for e in events if e.type == "export_control" and e.date <= "2023-12-31")
    assert "2022-10-07" in shown


def test_timeline_tells_its_events_in_the_readers_language():
    events = [e for e in facts.load().events.values() if e.type in ("export_control", "retaliation")]
    for name in ("en", "ko"):
        with use_language(name):
            spec = figures.timeline.spec(events, types=["export_control", "retaliation"])
        shown = {text.replace("<br>", "").replace(" ", "") for trace in spec["data"] for text in trace["text"]}
        assert shown == {event.described(name).replace(" ", "") for event in events}
    with use_language("ko"):
        named = figures.timeline.spec(facts.load().events.values(), actors={"us-bis": "미국 상무부 산업안보국"})
    actors = {one for trace in named["data"] for one in trace["customdata"]}
    assert "미국 상무부 산업안보국 / YMTC / Cambricon" in actors
    assert "China CAC, MIIT" in actors
    foreign = {"date": "2025-01-02", "type": "export_control", "description": "only in English"}
    with use_language("ko"):
        spec = figures.timeline.spec([foreign])
    assert spec["data"][0]["text"] == ["only in English"]


def test_control_regions_are_those_of_the_rules_on_the_day():
    assert _chips.regions_on(date(2022, 1, 1)) == []
    early = _chips.regions_on(date(2023, 1, 1))
    assert [region.tpp for region in early] == [(4800.0, None)]
    assert "io_gbps" in early[0].name
    now = _chips.regions_on(date(2026, 1, 1))
    assert {region.name for region in now} == {"3A090.a", "3A090.b"}
    assert any(region.density == (5.92, None) and region.tpp[0] == 1600 for region in now)


def test_a_chip_without_die_area_is_hollow_and_at_the_edge():
    spec = tpp_plane.spec([ChipPoint("known", 5000, 6.0, "US"), ChipPoint("unknown", 5000, None, "US")])
    symbols = spec["data"][0]["marker"]["symbol"]
    assert sorted(symbol.endswith("-open") for symbol in symbols) == [False, True]


def test_legal_history_joins_equal_months():
    months = np.arange("2022-01", "2023-01", dtype="datetime64[M]")
    status = np.array([[0] * 6 + [4] * 6])
    spec = legal_history.spec(months, ["x"], status)
    assert [(trace["base"][0], trace["x"][0]) for trace in spec["data"]] == [
        ("2022-01-01", 181 * 86_400_000),
        ("2022-07-01", 184 * 86_400_000),
    ]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_countries_of_makers_have_names(lang):
    with use_language(lang):
        named = {code: label("country", code) for code in {chip.maker_country for chip in facts.load().chips.values()}}
    assert all(len(name) > 2 or lang == "ko" for name in named.values()), named
    assert all(name != code for code, name in named.items()), named
