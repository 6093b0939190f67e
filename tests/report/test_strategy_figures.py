"""Figures of advice, exploration and games hold the numbers of the document they are drawn from, in both languages."""

import json
from pathlib import Path
from typing import Any

import imagined_world
import numpy as np
import pytest

from chipweir import facts
from chipweir.i18n import use_language
from chipweir.report import advice_page, exploration_page, figures, game_page, write_page
from chipweir.report.figures._strategy import lettered, widest
from chipweir.strategy import (
    Advice,
    Exploration,
    Order,
    Question,
    advice_document,
    advice_sentences,
    advise,
    box_texts,
    describe,
    exploration_document,
    explore,
    game_document,
    game_table,
    play,
    run_experiments,
    shipped_choices,
    shipped_criteria,
    shipped_options,
)
from chipweir.strategy._cells import Cells
from chipweir.world import load_scenario


LANGUAGES = ("en", "ko")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder, known = tmp_path_factory.mktemp("runs"), facts.load()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cells, "run", imagined_world.run)
        order = Order("korea", shipped_options("korea"), shipped_choices("korea"), shipped_criteria("korea"), 40, 1)
        advice = advise(run_experiments(order, known, folder))
        question = Question(load_scenario("baseline"), "compute", {"region": "CHN"}, 2030, 300, 1)
        explored = explore(question, known, folder, "compute > 2.6e7")
        played = play(game_table(["us", "china"], None, 10, 1), known, folder)
    return {
        "advice": advice,
        "advised": advice_document(advice, advice_sentences(advice, False, "chipweir advise korea")),
        "exploration": explored,
        "explored": exploration_document(explored, box_texts(explored.boxes)),
        "played": game_document(played),
    }


def words(columns: Any) -> dict[str, str]:
    return {name: describe(name)[0]["en"] for name in columns}


def test_the_heat_map_shows_the_regret_of_every_option_on_every_criterion(made: dict[str, Any]) -> None:
    document = made["advised"]
    (heat,) = figures.regret_heat.spec(document)["data"]
    criteria = [c["name"] for c in document["criteria"] if c["kind"] == "computed"]
    assert np.shape(heat["z"]) == (len(criteria), 7) == np.shape(heat["text"])
    for row, name in zip(heat["z"], criteria, strict=True):
        assert row == [option["regret"][name]["share"] for option in document["options"]]
        assert min(share for share, option in zip(row, document["options"], strict=True) if not option["bound"]) >= 0
    for row, texts in zip(heat["z"], heat["text"], strict=True):
        assert texts == [f"{100 * value:.0f}" for value in row]


def test_parallel_coordinates_name_the_option_first_and_point_up_to_better(made: dict[str, Any]) -> None:
    advice: Advice = made["advice"]
    (lines,) = figures.parallel.spec(made["advised"], advice.experiments.values)["data"]
    option, *axes = lines["dimensions"]
    assert option["ticktext"] == list("ABCDEFG")
    assert len(axes) == 12
    for axis, criterion in zip(axes, advice.experiments.criteria.computed, strict=True):
        low, high = axis["range"]
        assert (high > low) == (criterion.up > 0)
        assert min(low, high) <= min(axis["values"])
        assert max(axis["values"]) <= max(low, high)
    assert {len(axis["values"]) for axis in axes} == {len(option["values"])}


def test_the_triangle_shows_the_winner_at_every_point(made: dict[str, Any]) -> None:
    document = made["advised"]
    spec = figures.winners_of_weights.spec(document)
    names = {text.split(" ")[0]: name for name, text in lettered(document).items()}
    chosen = widest(document)
    options = {option["name"]: option for option in document["options"]}
    points = 0
    for trace in (trace for trace in spec["data"] if trace["mode"] == "markers"):
        own = options[names[trace["name"].split(" ")[0]]]
        for a, b, c in zip(trace["a"], trace["b"], trace["c"], strict=True):
            assert a + b + c == pytest.approx(1)
            score = {n: a * o["utility"][chosen[0]] + b * o["utility"][chosen[1]] + c * o["utility"][chosen[2]]
                     for n, o in options.items() if not o["bound"]}  # fmt: skip
            assert score[own["name"]] == pytest.approx(max(score.values()))
            points += 1
    assert points == 41 * 42 / 2
    letters = [trace["text"][0] for trace in spec["data"] if trace["mode"] == "text"]
    assert len(letters) == len([trace for trace in spec["data"] if trace["mode"] == "markers"])
    symbols = [trace["marker"]["symbol"] for trace in spec["data"] if trace["mode"] == "markers"]
    assert len(set(symbols)) == len(symbols)


def test_bars_of_shares_are_those_of_the_document(made: dict[str, Any]) -> None:
    document = made["advised"]
    first, second = figures.shares_of_weights.spec(document)["data"]
    options = [option for option in document["options"] if not option["bound"]]
    assert first["x"] == [option["weight_share"] for option in options]
    assert second["x"] == [option["best_share"] for option in options]
    assert first["marker"]["pattern"] != second["marker"]["pattern"]


def test_limits_of_a_box_are_drawn_where_they_are(made: dict[str, Any]) -> None:
    exploration: Exploration = made["exploration"]
    limits = {"smuggling_penalty": [0.9, None], "node_cost": [8.0, 12.0], "belief_cowos": [None, 0.5]}
    boxes = [{"limits": limits, "density": 0.5, "coverage": 0.4, "mass": 0.3}]
    spec = figures.box_limits.spec("box", boxes, exploration.columns, words(exploration.columns))
    bars = [trace for trace in spec["data"] if trace["type"] == "bar"]
    assert len(bars) == len(boxes[0]["limits"])
    for bar, (name, (low, high)) in zip(bars, boxes[0]["limits"].items(), strict=True):
        inside = np.ones(len(exploration.values), dtype=bool)
        inside &= exploration.columns[name] >= (-np.inf if low is None else low)
        inside &= exploration.columns[name] <= (np.inf if high is None else high)
        assert bar["x"][0] == pytest.approx(inside.mean())


def test_bars_of_indices_carry_their_intervals(made: dict[str, Any]) -> None:
    document = made["explored"]
    spec = figures.indices.spec(document, words(made["exploration"].columns))
    pawn = sorted((i["value"] for i in document["indices"] if i["kind"] == "pawn"), reverse=True)
    assert spec["data"][0]["x"] == pawn[:14]
    assert all(up >= 0 for trace in spec["data"] for up in trace["error_x"]["array"] + trace["error_x"]["arrayminus"])
    assert spec["layout"]["shapes"][0]["x0"] == document["noise"]["pawn"]


def test_the_tornado_shows_medians_of_the_outer_tenths(made: dict[str, Any]) -> None:
    exploration: Exploration = made["exploration"]
    low, high = figures.tornado.spec(
        made["explored"], exploration.values, exploration.columns, {name: name for name in exploration.columns}
    )["data"]
    middle = float(np.median(exploration.values))
    for side, edge in ((low, 0.1), (high, 0.9)):
        name = side["y"][0].replace("<br>", " ")
        column = exploration.columns[name]
        outer = column <= np.quantile(column, edge) if edge < 0.5 else column >= np.quantile(column, edge)
        assert side["base"][0] + side["x"][0] == pytest.approx(np.median(exploration.values[outer]))
        assert side["base"][0] == pytest.approx(middle)
    widths = [abs(upper - lower) for lower, upper in zip(low["x"], high["x"], strict=True)]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("player", ["us", "china"])
def test_the_table_of_replies_sums_to_one_and_stars_the_best(made: dict[str, Any], player: str) -> None:
    document = made["played"]
    (heat,) = figures.best_replies.spec(document, player)["data"]
    rows = [row for row in document["best_responses"] if row["player"] == player]
    assert len(heat["z"]) == len(rows) == 5
    for line, texts, row in zip(heat["z"], heat["text"], rows, strict=True):
        assert sum(line) == pytest.approx(1)
        starred = [text for text in texts if "★" in text]
        assert len(starred) == 1
        assert starred[0].startswith(f"{100 * row['probability']:.0f}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_whole_in_both_languages(made: dict[str, Any], language: str, tmp_path: Path) -> None:
    with use_language(language):
        pages = {
            "advise": advice_page(made["advice"], made["advised"]),
            "explore": exploration_page(made["exploration"], made["explored"]),
            "game": game_page(made["played"]),
        }
        for name, page in pages.items():
            written = write_page(tmp_path / f"{name}.html", page, lang=language).read_text(encoding="utf-8")
            assert f'<html lang="{language}">' in written
            assert len(page.figures) >= 2
            for spec in page.figures.values():
                json.dumps(spec)
                assert spec["layout"]["title"]["text"]
                assert all("http" not in str(trace.get("name", "")) for trace in spec["data"])
    wanted = {"en": "Korea's options", "ko": "한국의 선택"}[language]
    assert wanted in pages["advise"].sections[0]["title"]
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_draw(made: dict[str, Any], theme: Any) -> None:
    advice: Advice = made["advice"]
    document = made["advised"]
    for spec in (
        figures.regret_heat.spec(document, theme=theme),
        figures.shares_of_weights.spec(document, theme=theme),
        figures.winners_of_weights.spec(document, theme=theme),
        figures.parallel.spec(document, advice.experiments.values, theme=theme),
        figures.best_replies.spec(made["played"], "us", theme=theme),
    ):
        assert spec["layout"]["template"]["layout"]["paper_bgcolor"]
    assert figures.regret_heat(document).data[0].type == "heatmap"


def test_a_report_takes_the_advice_in(made: dict[str, Any], run: Any, tmp_path: Path) -> None:
    from chipweir.report import write_html

    extras = {"advice": (made["advice"], made["advised"]), "traces": (), "parameters": ()}
    text = write_html(run, tmp_path / "report.html", lang="ko", extras=extras).read_text(encoding="utf-8")
    assert "한국의 선택" in text
    assert made["advised"]["sentences"]["ko"][0].split("'")[0] in text
