import json
import re

import pytest
from bs4 import BeautifulSoup

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.report import headline_table, write_html
from chipweir.report._headline import YEARS
from chipweir.report._labels import EVENT_TYPES


@pytest.fixture(scope="module")
def pages(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    extras = {
        "command": "chipweir run --from RUN",
        "parameters": [
            {
                "name": "theta",
                "group": "market",
                "distribution": "lognormal",
                "low": 1,
                "central": 2,
                "high": 3,
                "unit": "1",
                "description": "sensitivity",
                "description_ko": "민감도",
                "source": "own prior",
            }
        ],
        "traces": [
            {
                "variable": "compute",
                "selection": {"region": "CHN"},
                "month": "2030-12",
                "unit": "H100e",
                "equations": [
                    {
                        "function": "world._step.count_fleet",
                        "formula": "C = sum of stocks",
                        "words": "Stocks are summed.",
                        "words_ko": "재고를 더한다.",
                    }
                ],
                "drivers": [{"parameter": "theta", "description": "choice", "effect": -5e5, "relative": -0.03}],
                "facts": ["SHI-001"],
            }
        ],
        "credibility": [{"what": "units", "published": 1.8e6, "fits": True}],
    }
    return {
        lang: write_html(run, folder / f"{lang}.html", lang=lang, extras=extras).read_text(encoding="utf-8")
        for lang in ("en", "ko")
    }


def test_headline_table_holds_every_quantity_scenario_and_year(run):
    cells = headline_table(run, "en")
    assert {cell.year for cell in cells} == set(YEARS)
    assert {cell.scenario for cell in cells} == {"baseline", "blockade", "weir", "open"}
    assert len(cells) == len({(cell.key, cell.scenario, cell.year) for cell in cells})
    cell = next(c for c in cells if (c.key, c.scenario, c.year) == ("compute", "weir", 2030))
    at = {"scenario": "weir", "region": "CHN", "month": "2030-12"}
    chosen = run["compute"].sel(at).squeeze()
    assert cell.median == pytest.approx(float(chosen.sel(quantile=0.5)))
    assert cell.p90 == pytest.approx((float(chosen.sel(quantile=0.05)), float(chosen.sel(quantile=0.95))))
    assert cell.p50 == pytest.approx((float(chosen.sel(quantile=0.25)), float(chosen.sel(quantile=0.75))))
    delta = run["delta_compute"].sel(at).squeeze()
    assert cell.delta == pytest.approx(float(delta.sel(quantile=0.5)))
    assert cell.delta_p80 == pytest.approx((float(delta.sel(quantile=0.1)), float(delta.sel(quantile=0.9))))
    assert cell.p_greater == 1.0
    json.dumps([each.as_dict() for each in cells], allow_nan=False)


def test_the_baseline_has_no_difference_to_itself(run):
    assert all(cell.delta is None for cell in headline_table(run, "en") if cell.scenario == "baseline")


def test_a_table_of_a_short_run_has_only_its_years(run):
    short = run.isel(month=slice(0, 40))
    assert {cell.year for cell in headline_table(short, "en")} == {2024, 2025}
    assert {cell.month for cell in headline_table(short, "en")} == {"2024-12", "2025-04"}


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_report_needs_no_network_and_stays_small(pages, lang):
    page = pages[lang]
    assert len(page.encode()) < 6e6
    soup = BeautifulSoup(page, "html.parser")
    for tag, attribute in (("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src")):
        assert not soup.find_all(tag, {attribute: True})
    assert soup.html["lang"] == lang
    assert page.count("plotly.js v") == 1


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_place_for_a_figure_has_its_figure(pages, lang):
    soup = BeautifulSoup(pages[lang], "html.parser")
    data = json.loads(soup.find(id="data").string)
    for plot in soup.find_all(class_="plot"):
        spec = json.loads(data["figures"][plot["data-figure"]])
        assert spec["data"]
        assert plot["aria-label"]
    for text in data["figures"].values():
        for trace in json.loads(text)["data"]:
            if isinstance(trace.get("x"), str):
                assert data["shared"][int(trace["x"].removeprefix("@"))]


def test_the_report_has_its_sections_in_both_languages(pages):
    wanted = ["headline", "compute", "flows", "market", "supply", "software", "models", "korea", "rules", "how"]
    for page in pages.values():
        soup = BeautifulSoup(page, "html.parser")
        for name in [*wanted, "assumptions", "credibility", "limits", "manifest"]:
            assert soup.find(id=name), name
    assert "chipweir run --from RUN" in pages["en"]
    how = BeautifulSoup(pages["en"], "html.parser").find(id="how").get_text()
    for part in (
        "Compute used by region · China · 2030-12",
        "world._step.count_fleet",
        "theta",
        "-5e+05 H100e (-3.0 %)",
        "SHI-001",
    ):
        assert part in how, part


def test_the_korean_page_speaks_korean(pages):
    soup = BeautifulSoup(pages["ko"], "html.parser")
    for node in soup(["script", "style", "code", "pre"]):
        node.decompose()
    headings = [heading.get_text() for heading in soup.find_all(["h1", "h2"])]
    assert all(re.search("[가-힣]", heading) for heading in headings)
    assert "민감도" in soup.get_text()
    assert re.search(r"\d만", soup.get_text())


def test_the_pages_tell_the_events_in_their_own_language(pages):
    on_the_timeline = [e for e in facts.load().events.values() if e.type in EVENT_TYPES]
    assert len(on_the_timeline) > 60
    said = {name: "".join(re.sub(r"<br>|\\u003cbr\\u003e|\s", "", page).split()) for name, page in pages.items()}
    for event in on_the_timeline:
        korean = "".join(event.description_ko.split())
        assert korean in said["ko"], event.id
        assert korean not in said["en"], event.id
    assert "미국상무부산업안보국/양쯔메모리/캠브리콘" in said["ko"]


def test_text_from_a_run_cannot_become_markup(run, tmp_path):
    from json import dumps

    hostile = run.assign_attrs(manifest=dumps({"command": "</script><script>alert(1)</script>", "seed": 1}))
    page = write_html(hostile, tmp_path / "r.html", extras={"title": "<img src=x onerror=alert(1)>"}).read_text("utf-8")
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


def test_a_report_that_cannot_be_written_leaves_nothing_behind(run, tmp_path):
    with pytest.raises(InputError, match="cannot write the report"):
        write_html(run, tmp_path / "missing" / "r.html")
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="cannot write the report"):
        write_html(run, tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_an_old_report_survives_a_failed_one(run, tmp_path):
    old = write_html(run, tmp_path / "r.html")
    before = old.read_bytes()
    with pytest.raises(UnknownName):
        write_html(run, old, lang="fr")
    assert old.read_bytes() == before


def test_missing_variables_are_left_out_not_fatal(run, tmp_path):
    small = run[["compute", "ratio_to_us"]].assign_attrs(run.attrs)
    page = write_html(small, tmp_path / "small.html").read_text("utf-8")
    assert 'id="compute"' in page
    assert 'id="flows"' not in page


def test_intervals_that_are_shown_have_one_level(pages):
    """Levels stand in the texts of table, tiles, findings and figures; another level would have to be named in them."""
    for html in pages.values():
        levels = set(re.findall(r"\b(50|60|66|68|75|80|90|95|99) ?%(?= 구간| interval|:| of members)", html))
        assert levels == {"80"}


def test_a_difference_of_rounding_is_none(run):
    """Single precision leaves differences of a ten-millionth; a chance of their sign would mean nothing."""
    delta = run["delta_compute"] * 0 + run["compute"].sel(quantile=0.5) * 1e-8
    cells = headline_table(run.assign(delta_compute=delta.transpose(*run["delta_compute"].dims)), "en")
    own = [cell for cell in cells if cell.key == "compute" and cell.scenario == "weir"]
    assert own
    assert {(cell.delta, cell.delta_p80, cell.p_greater) for cell in own} == {(0.0, (0.0, 0.0), None)}
