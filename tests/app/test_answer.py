"""What the page's script asks for and builds from."""

import csv
import json
import re

import pytest
from synthetic_run import synthetic_run

from chipweir import world
from chipweir.app import _layout, _levers, create_app
from chipweir.app._answer import _change
from chipweir.app._engine import Answer, Engine
from chipweir.app._questions import questions
from chipweir.app._state import View, read_view
from chipweir.i18n import use_language
from chipweir.report._headline import HEADLINES


@pytest.fixture
def client(app):
    return app.server.test_client()


def test_an_address_is_answered_with_all_that_the_page_paints(client):
    reply = client.get("/answer?s.us.enforcement=2&tab=market&y=2028&lang=ko").get_json()
    assert set(reply) == {"findings", "tiles", "status", "charts", "problems", "members", "done"}
    assert reply["tiles"][0]["label"] == "중국이 쓰는 연산 자원"
    assert "100" in reply["status"]
    assert [chart["label"] for chart in reply["charts"]][:2] == ["자급률: 연산 성능", "엔비디아의 중국 점유율"]
    assert all({"data", "layout", "name", "label", "source"} == set(chart) for chart in reply["charts"])
    assert reply["problems"] == []
    assert reply["done"] is False


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("s.us.enforcment=2", "us.enforcement"),
        ("s.us.enforcement=9e99", "us.enforcement"),
        ("tab=nonsense", "tab"),
        ("y=20301", "2030"),
        ("%ff%fe=%00&p=", None),
        ("x" * 9_000, "too long"),
    ],
)
def test_a_wrong_address_is_answered_and_named(client, query, words):
    reply = client.get("/answer?" + query).get_json()
    assert reply["tiles"]
    assert words is None or any(words in problem for problem in reply["problems"])


def test_a_deleted_run_is_a_problem_and_no_numbers(client):
    reply = client.get("/answer?run=20260101-000000-gone").get_json()
    assert "20260101-000000-gone" in reply["problems"][0]
    assert "tiles" not in reply
    assert reply["done"]


def test_the_full_ensemble_is_asked_for_until_it_is_there(engine):
    quiet = Engine(lambda *_: pytest.fail("nothing is simulated while levers move"))
    quiet._last_move = float("inf")
    assert create_app(quiet).server.test_client().get("/refined?s.us.enforcement=1.3").status_code == 204
    assert create_app(engine).server.test_client().get("/refined?run=20260101-000000-gone").status_code == 204


@pytest.mark.parametrize("preset", world.preset_names())
def test_levers_start_at_their_preset_and_on_their_scale(preset):
    groups = _levers._groups(View(preset=preset))
    records = [record for group in groups for record in group["levers"]]
    assert {record["name"] for record in records} == {control.name for control in _levers.controls()}
    for record in records:
        assert record["value"] == record["reference"]
        if record["kind"] != "number":
            values = [value for value, _text in record["choices"]]
            value = record["value"]
            assert (value if isinstance(value, str) else str(int(value))) in values
            continue
        low, high = (record["stops"][0], record["stops"][-1]) if record["stops"] else (record["min"], record["max"])
        assert low <= record["resting"] <= high
        if isinstance(record["value"], float) and not record["stops"]:
            steps = (record["value"] - record["min"]) / record["step"]
            assert record["min"] <= record["value"] <= record["max"]
            assert abs(steps - round(steps)) < 1e-6, f"{record['name']}: the slider cannot stand at {record['value']}"


def test_what_the_view_sets_opens_its_group():
    groups = {group["title"]: group for group in _levers._groups(View(settings=(("korea.hbm_to_china", 0.5),)))}
    assert groups["South Korea"]["open"]
    assert not groups["Technology"]["open"]
    (record,) = [each for each in groups["South Korea"]["levers"] if each["name"] == "korea.hbm_to_china"]
    assert (record["reference"], record["value"]) == (1.0, 0.5)


def test_six_levers_come_first_each_the_strongest_of_its_side():
    """The table says how far each lever moves the outcomes; the page takes its first six from there, and loses none."""
    first, *others = _levers._groups(View())
    with _levers.TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["lever"] for row in rows} == {control.name for control in _levers.controls()}
    assert len(first["levers"]) == 6
    sizes = {row["lever"]: (row["actor"], float(row["size"])) for row in rows}
    for record in first["levers"]:
        actor, size = sizes[record["name"]]
        assert size == max(each for who, each in sizes.values() if who == actor)
    everywhere = [record["name"] for group in (first, *others) for record in group["levers"]]
    assert sorted(everywhere) == sorted(sizes)
    assert all(not group["open"] for group in others)


@pytest.mark.parametrize(
    ("words", "lever"),
    [
        ("quota h20", "us.quota.h20-class"),
        ("말레이시아 단속", "hubs.enforcement.MYS"),
        ("hbm withheld", "korea.hbm_withhold"),
        ("수율", "technology.smic_yield"),
        ("us.rental_control", "us.rental_control"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_lever_is_found_by_words_of_either_language(words, lever, lang):
    with use_language(lang):
        records = [record for group in _levers._groups(View(lang=lang)) for record in group["levers"]]
    found = [each["name"] for each in records if all(word in each["searched"] for word in words.split())]
    assert lever in found
    assert len(found) < 8


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_findings_of_a_contrast_begin_with_what_changes(client, lang):
    told = client.get(f"/answer?p=weir&lang={lang}").get_json()["findings"]
    assert 5 <= len(told) <= 8
    assert {"en": "Weir", "ko": "구형 칩만 허용"}[lang] in told[0]
    alone = client.get(f"/answer?lang={lang}").get_json()["findings"]
    assert told[1:] == alone
    assert all("80" in text for text in alone)


def test_a_chart_has_its_own_address_and_its_numbers(client):
    whole = client.get("/answer?p=weir&tab=market").get_json()["charts"]
    for chart in whole:
        (alone,) = client.get(f"/answer?p=weir&tab=market&chart={chart['name']}").get_json()["charts"]
        assert alone["label"] == chart["label"]
        assert "Chipweir" in chart["source"]
        reply = client.get(f"/chart.csv?p=weir&tab=market&chart={chart['name']}")
        assert reply.mimetype == "text/csv"
        lines = reply.get_data(as_text=True).removeprefix("\ufeff").splitlines()
        assert lines[0] == f"# {chart['label']}"
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        named = {trace["name"] for trace in chart["data"] if trace.get("name")}
        assert {row["series"] for row in rows} == named
        assert all(float(row["low"]) <= float(row["y"]) <= float(row["high"]) for row in rows)
    assert client.get("/chart.csv?chart=nonsense").status_code == 404
    assert client.get("/answer?chart=%3Cscript%3E").get_json()["problems"]


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.texts["en"])
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_question_leads_to_a_page_that_answers_it(client, question, lang):
    address = question.address(View(lang=lang))
    path, _, query = address.partition("?")
    assert path in _layout.PAGES
    view = read_view(query)
    assert not view.problems
    assert view.lang == lang
    assert bool(re.search("[가-힣]", question.texts["ko"]))
    if path == "/":
        assert view.settings or view.preset != view.against
        assert client.get(f"/answer?{query}").get_json()["findings"]


def test_words_of_the_script_are_in_the_readers_language():
    with use_language("ko"):
        data = json.loads(getattr(_levers.panel(View(lang="ko")), "data-page"))
    assert data["words"]["law"] == "현행법대로"
    assert (data["usual"]["from"], data["usual"]["tab"], data["usual"]["a"]) == ("2026-12", "compute", "baseline")
    assert all(any("가" <= char <= "힣" for char in text) for text in data["words"].values())


def test_a_tile_has_an_arrow_only_where_the_interval_leaves_zero_out():
    run = synthetic_run()
    item = HEADLINES["smuggled_units"]
    base = run["delta_smuggled_units"]
    sure, unsure, nothing = base * 0 + 300.0, base * 0 + (base["quantile"] - 0.4) * 1e3, base * 0 + 1e-6
    for delta, arrow in ((sure, "▲"), (-sure, "▼"), (unsure, "+"), (nothing, "")):
        answer = Answer(run.assign(delta_smuggled_units=delta.transpose(*base.dims)), ("baseline", "blockade"), 10, 1.0)
        assert _change(answer, item, 100, 2030)[:1] == arrow
