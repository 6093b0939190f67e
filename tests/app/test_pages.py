import base64
import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from chipweir import calibration, facts, rules, strategy, world
from chipweir.app import (
    _answer,
    _believe_page,
    _chips_page,
    _claims_page,
    _contest,
    _facts_page,
    _layout,
    _rules_page,
    _strategy_page,
)
from chipweir.app._jobs import Job
from chipweir.app._state import TABS, View, reference_of, scenario_of
from chipweir.errors import InputError
from chipweir.i18n import use_language
from chipweir.report import _known


def upload(text, encoding="utf-8"):
    return "data:text/csv;base64," + base64.b64encode(text.encode(encoding)).decode()


def texts(node):
    """Every text of a tree of components."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, list | tuple):
        return [text for each in node for text in texts(each)]
    children = getattr(node, "children", None)
    return [] if children is None else texts(children)


VIEW = View(settings=(("us.enforcement", 2.0),), year=2028)


@pytest.fixture
def answer(engine):
    return engine.quick(reference_of(VIEW), scenario_of(VIEW))


def test_tiles_show_the_runs_numbers(answer):
    tiles = _answer.tiles(VIEW, answer)
    assert [tile["key"] for tile in tiles] == list(_answer.TILES)
    first = tiles[0]
    median = float(answer.results["compute"].sel(scenario="mine", region="CHN", quantile=0.5, month="2028-12").item())
    assert first["value"] == f"{median / 1e6:.1f}M"
    assert first["change"].startswith("▲")
    assert first["interval"].startswith("80%: ")


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_has_charts(answer, tab):
    specs = _answer.charts(View(tab=tab, settings=VIEW.settings), answer)
    assert 2 <= len(specs) <= _answer.SLOTS
    assert all(spec["data"] for spec in specs.values())


def test_the_effect_of_each_lever_is_asked_for_alone(engine):
    asked = []

    def ask(first, second):
        asked.append(second)
        return engine.quick(first, second)

    view = View(settings=(("us.enforcement", 2.0), ("us.equipment_controls", 2.0)))
    effects = _contest.single_effects(view, ask)
    assert len(effects) == 2
    assert [len(scenario.levers) for scenario in asked] == [len(reference_of(view).levers) + 1] * 2


def test_the_scenario_file_gives_the_same_scenario_back():
    with use_language("en"):
        panel = " ".join(texts(_contest.reproduce(VIEW, 1000)))
    assert "chipweir run baseline mine.yaml --members 1000 --seed 1" in panel
    again = world.parse_scenario(scenario_of(VIEW).to_yaml())
    assert again.digest == scenario_of(VIEW).digest


def test_the_csv_holds_every_month_and_scenario(answer):
    table = pd.read_csv(io.StringIO(_contest.csv_text(answer.results)))
    assert set(table["scenario"]) == {"baseline", "mine"}
    one = table[(table["quantity"] == "compute") & (table["scenario"] == "mine") & (table["month"] == "2028-12")]
    expected = answer.results["compute"].sel(scenario="mine", region="CHN", quantile=0.5, month="2028-12").item()
    assert one["q0.5"].item() == pytest.approx(expected, rel=1e-5)


def test_how_a_number_was_made_is_told(answer):
    assert "Chinese compute in use" in texts(_contest.made(VIEW, answer, "compute"))
    with pytest.raises(InputError):
        _contest.made(VIEW, answer, "nonsense")


def test_the_rules_page_gives_the_engines_answer():
    fields = _rules_page.shipment("nvidia-h20", "CN", "", "", "2025-05-01", "", "10")
    decision = rules.decide(rules.Shipment.of(fields))
    shown = " ".join(texts(_rules_page.answer(fields)))
    assert decision.basis in shown
    assert "needs a licence" in shown
    assert "chipweir licence nvidia-h20 --to CN --on 2025-05-01 --quantity 10" in shown


@pytest.mark.parametrize(
    "fields",
    [
        {"item": "nvidia-h2O0", "to": "CN"},
        {"item": "nvidia-h20", "to": "Atlantis"},
        {"item": "nvidia-h20", "to": "CN", "export_date": "soon"},
        {"item": "nvidia-h20", "to": "CN", "quantity": "1e400"},
        {"to": "CN"},
    ],
)
def test_a_wrong_question_is_an_input_error(fields):
    with pytest.raises(InputError):
        _rules_page.answer(fields)


def test_the_rules_are_named_in_the_readers_language():
    fields = {"item": "nvidia-h20", "to": "CN", "export_date": "2025-06-01"}
    assert "is-informed letters: H20 class" in str(_rules_page.answer(fields))
    with use_language("ko"):
        text = str(_rules_page.answer(fields))
        assert "US-2025-04L/H20-class (개별 통지(is-informed letter): H20급)" in text
        assert "3A090.a (2023년 10월): 총처리성능과 성능밀도" in text, "the rules of the trace too"
        assert "개별 통지(is-informed letter): H20급" in str(_contest._law("2025-06", "ko"))


def test_a_table_of_shipments_is_answered_row_by_row():
    rows, head = _rules_page.decide_table(
        upload("chip,to,date\nnvidia-h20,CN,2025-05-01\nfoo,CN,\nnvidia-h20,KR,x,extra\n")
    )
    assert len(rows) == 3
    assert rows[0][head.index("outcome")] == "licence"
    assert "unknown chip 'foo'" in rows[1][head.index("problem")]
    assert rows[2][head.index("problem")]


@pytest.mark.parametrize(
    "content",
    ["", "data:,", "data:text/csv;base64,@@@", upload(""), upload("칩,국가\n", "cp949"), upload("chip,to\n" * 6000)],
)
def test_a_malformed_table_is_an_input_error(content):
    with pytest.raises(InputError):
        _rules_page.decide_table(content)


def test_cells_cannot_become_formulas():
    assert _rules_page._harmless("=1+1") == "'=1+1"
    assert _rules_page._harmless("nvidia-h20") == "nvidia-h20"


def test_facts_are_found_by_all_words():
    found = _facts_page.find("h20 memory", "")
    assert found
    assert all("h20" in line.searched and "memory" in line.searched for line in found)
    assert {line.kind for line in _facts_page.find("", "conflicts")} == {"conflicts"}
    assert len(_facts_page.find("", "events")) == len(facts.load().events)


def test_events_are_found_and_shown_in_korean():
    assert [line.id for line in _facts_page.find("뉴욕 소통", "")] == ["evt-120"]
    with use_language("ko"):
        assert facts.load().events["evt-120"].description_ko in str(_facts_page.results("evt-120", "events"))
    assert "AI incident channel" in str(_facts_page.results("evt-120", "events"))


def test_links_to_sources_are_web_addresses_only():
    line = _known._line("x", "t", "v", "", "src", "javascript:alert(1)", (), "")
    assert _facts_page._link(line) == "src"


def test_chips_are_compared_with_their_worth():
    known = facts.load()
    table = " ".join(texts(_chips_page.specifications(known, ["nvidia-h20", "nvidia-h100-sxm"], "KR")))
    assert "2,368" in table
    assert "15,832" in table


def test_claims_mark_the_text_they_speak_of():
    text = "A 2023 rule."
    claims = [
        {"id": "c1", "start": 2, "end": 6, "verdict": "consistent"},
        {"id": "c2", "start": 4, "end": 9, "verdict": "stale"},
        {"id": "c3", "start": 50, "end": 90, "verdict": "stale"},
    ]
    shown = _claims_page.marked(text, claims)
    assert "".join(texts(shown)) == text


def test_an_article_is_checked_and_a_slot_can_be_corrected():
    text = "엔비디아 H100의 메모리는 141GB다."
    before = _claims_page.check(text, "", {}, "en")
    (claim,) = before["result"]["claims"]
    assert claim["verdict"] == "contradicted"
    after = _claims_page.check(text, "", {claim["id"]: {"item": "nvidia-h200-sxm"}}, "en")
    (changed,) = after["result"]["claims"]
    assert changed["slots"]["item"]["by"] == "person"
    assert changed["verdict"] == "consistent"
    with use_language("ko"):
        assert "141" in _claims_page.brief(after, "ko")
        assert "부합 1" in " ".join(texts(_claims_page.shown(after)))


@pytest.mark.parametrize("content", ["data:text/plain;base64,//79", "x", "data:;base64,%%%"])
def test_an_upload_that_is_no_text_is_an_input_error(content):
    with pytest.raises(InputError):
        _claims_page.read_upload(content if content != "x" else "x,@")


def test_drivers_are_told_in_the_readers_language_and_the_numbers_own_unit():
    from chipweir.strategy._trace import Driver, Trace

    driver = Driver(
        "chip_life", "Mean life of an installed chip", "설치 칩 평균 수명", -0.0642, -0.12, 4, 5.5, 8, "year", "prior"
    )
    trace = Trace("nvidia_share", {}, "2030-12", "mine", "1", 0.5, (driver,), (), (), (), "")
    assert "−6.4 pp (−12%)" in texts(_contest.drivers("nvidia_share", trace, None))
    with use_language("ko"):
        shown = " ".join(texts(_contest.drivers("nvidia_share", trace, None)))
    assert world.parameters()["chip_life"].description_ko in shown
    assert "−6.4%p" in shown
    assert "Mean life" not in shown


def test_facts_are_paged_and_sorted_and_none_is_lost():
    found = _facts_page.find("h20", "")
    total = _facts_page.pages(len(found))
    assert total > 1
    for order in _facts_page.ORDERS:
        lines = _facts_page.ordered(found, order)
        assert sorted(map(id, lines)) == sorted(map(id, found))
    days = [line.day for line in _facts_page.ordered(found, "newest") if line.day]
    assert days == sorted(days, reverse=True)
    assert any(line.when != line.day for line in found if line.day), "a fiscal quarter has a last day too"
    shown = [texts(_facts_page.results("h20", "", "oldest", page)) for page in range(1, total + 1)]
    ids = [line.id for line in _facts_page.ordered(found, "oldest")]
    assert ids[0] in shown[0]
    assert ids[-1] in shown[-1]
    assert texts(_facts_page.results("h20", "", "oldest", 9_999)) == shown[-1]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_page_has_a_title_of_its_own(app, lang):
    client = app.server.test_client()
    with use_language(lang):
        titles = {path: _layout.title_of(path, View(lang=lang)) for path in _layout.PAGES}
    assert len(set(titles.values())) == len(titles)
    for path, title in titles.items():
        assert f"<title>{title}</title>" in client.get(f"{path}?lang={lang}").get_data(as_text=True)
    assert "<title>Weir against" in client.get("/?p=weir").get_data(as_text=True)


def test_the_shipped_advice_is_of_the_shipped_options_and_criteria():
    document = _strategy_page.shipped()
    assert [each["name"] for each in document["options"]] == [each.name for each in strategy.shipped_options("korea")]
    criteria = strategy.shipped_criteria("korea")
    assert {each["name"] for each in document["criteria"]} == {
        each.name for each in (*criteria.computed, *criteria.judged)
    }
    assert document["futures"] in _strategy_page.FUTURES
    assert document["made"]["version"]


def test_the_shipped_advice_is_the_answer_of_the_documentation():
    """One number, one place: the playground and the page of answers tell the same run."""
    root = Path(__file__).parents[2]
    kept = json.loads((root / "docs/results/answers.json").read_text(encoding="utf-8"))["korea"]
    document = dict(_strategy_page.shipped())
    made = document.pop("made")
    assert document == kept["answer"]
    assert (made["day"], made["beliefs"]) == (kept["made"], kept["beliefs"])
    for lang, name in (("en", "answers.md"), ("ko", "answers.ko.md")):
        text = (root / "docs" / name).read_text(encoding="utf-8")
        assert all(line in text for line in document["sentences"][lang])


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_strategy_page_says_its_findings_first_and_who_proposes_what(lang):
    with use_language(lang):
        said = " ".join(texts(_strategy_page.page(View(lang=lang))))
        document = _strategy_page.shipped()
    assert said.index(document["options"][0]["title"][lang]) > 0
    first = document["sentences"][lang][0]
    assert said.index(first) < said.index({"en": "Who proposes it", "ko": "제안자"}[lang])
    assert not re.search(r"\((과|는|를|가|으)\)|[가-힣]을\(를\)|은\(는\)", said)
    assert "chipweir advise korea --futures" in said


def test_an_actor_or_number_that_is_not_offered_is_refused():
    for actor, futures in (("russia", 16), ("korea", 1_000_000)):
        with pytest.raises(InputError):
            _strategy_page.advice(actor, futures, Job("x"))


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_on_belief_shows_every_score_and_the_worst_misses(lang):
    scored = [each for each in calibration.shipped_backtest()["cutoffs"] if each["n"]]
    with use_language(lang):
        said = texts(_believe_page.page(View(lang=lang)))
        worst = _believe_page.worst(calibration.shipped_backtest())
    for each in scored:
        assert f"{each['crps']:.3f} ± {each['crps_se']:.3f}" in said
        assert f"{each['crps_trend']:.3f} ± {each['crps_trend_se']:.3f}" in said
    assert len(worst) == 12
    largest = max(row["crps"] for each in scored if each["mode"] == "rules known" for row in each["rows"])
    first = next(row for each in scored for row in each["rows"] if row["crps"] == largest)
    assert first["label_ko" if lang == "ko" else "label"] in worst[0].values()


def test_figures_that_do_not_fit_are_shown_first():
    def verdict(name, central, echo=False):
        row = dict.fromkeys(("low", "central", "high"), central)
        levels = {"p05": 0.5, "p10": 1.0, "p50": 2.0, "p90": 3.0, "p95": 4.0}
        return {"id": name, "label": name, "label_ko": name, "unit": "1", "bound": "", "echo": echo, **row} | {
            "prior": levels, "fitted": levels, "inside": True,
        }  # fmt: skip

    rows = [verdict("fits", 2.0), verdict("echo", 9.0, echo=True), verdict("misses", 9.0)]
    assert [row["id"] for row in _believe_page.misses_first(rows)] == ["misses", "fits", "echo"]
