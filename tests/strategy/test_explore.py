"""Explore and game on a made-up world: known drivers are found, contracts hold, bad questions get one line."""

import json
from pathlib import Path

import numpy as np
import pytest

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.strategy import (
    Question,
    box_texts,
    exploration_cost,
    exploration_document,
    explore,
    game_document,
    game_table,
    play,
)
from chipweir.strategy import _games as games
from chipweir.strategy._play import over_weights
from chipweir.world import load_scenario


def question(**changes: object) -> Question:
    given = {"variable": "compute", "labels": {"region": "CHN"}, "year": 2030, "members": 240, "seed": 1, **changes}
    return Question(scenario=load_scenario("baseline"), **given)  # type: ignore[arg-type]


@pytest.mark.usefixtures("imagined")
def test_levers_that_drive_an_outcome_are_found(tmp_path: Path) -> None:
    asked = question(levers=("us.enforcement", "us.rental_control", "hubs.enforcement.MYS"), members=3200)
    found = explore(asked, facts.load(), tmp_path)
    assert len(found.values) == 3200
    first = {index.name: index.value for index in found.found.of("first")}
    assert first["us.enforcement"] > first["hubs.enforcement.MYS"]
    assert {"us.enforcement", "us.rental_control", "hubs.enforcement.MYS"} <= set(found.columns)
    assert np.unique(found.columns["us.enforcement"]).size == 32


@pytest.mark.usefixtures("imagined")
def test_the_document_of_an_exploration_is_the_contract(tmp_path: Path) -> None:
    found = explore(question(), facts.load(), tmp_path, "compute > 2e7")
    document = json.loads(json.dumps(exploration_document(found, box_texts(found.boxes))))
    assert {"outcome", "indices", "boxes"} <= set(document)
    for index in document["indices"]:
        assert {"name", "kind", "value", "low", "high"} == set(index)
        assert index["low"] <= index["value"] <= index["high"] + 1e-12
    for box in document["boxes"]:
        assert {"limits", "coverage", "density", "text"} <= set(box)
        assert set(box["text"]) == {"en", "ko"}
    levels = [document["outcome"][name] for name in ("p05", "p10", "p50", "p90", "p95")]
    assert levels == pytest.approx(np.quantile(found.values, (0.05, 0.1, 0.5, 0.9, 0.95)))
    share = float(np.mean(found.values > 2e7))
    assert document["where"] == {"condition": "compute > 2e+07", "share": pytest.approx(share)}


@pytest.mark.usefixtures("imagined")
@pytest.mark.parametrize(
    ("changes", "where", "message"),
    [
        ({"variable": "comptue"}, None, "unknown variable 'comptue'; did you mean compute"),
        ({"labels": {}}, None, "compute needs a region"),
        ({"labels": {"region": "CNH"}}, None, "unknown region 'CNH'; did you mean CHN"),
        ({"labels": {"hub": "MYS"}}, None, "unknown dimension of compute 'hub'"),
        ({"year": 2050}, None, "2050 is outside"),
        ({}, "lag_months > 3", "write 'compute > 1e6'"),
        ({}, "compute >> 3", "write 'compute > 1e6'"),
        ({"levers": ("us.enforcment",)}, None, "unknown lever 'us.enforcment'"),
        ({"sobol": 12}, None, "--sobol takes a power of two"),
        ({"sobol": 16, "levers": ("us.enforcement",)}, None, "give one of them"),
        ({"members": 5}, None, "give 100 or more"),
    ],
)
def test_bad_questions_are_one_clear_line(tmp_path: Path, changes: dict, where: str | None, message: str) -> None:
    with pytest.raises((InputError, UnknownName)) as caught:
        explore(question(**changes), facts.load(), tmp_path, where)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_cost_is_known_before(tmp_path: Path) -> None:
    plan = exploration_cost(question(levers=("us.enforcement",), members=640), facts.load(), tmp_path)
    assert (plan.worlds, plan.stored, plan.members) == (32, 0, 20)
    assert plan.seconds > 0


@pytest.mark.usefixtures("imagined")
def test_a_game_of_three_answers_by_the_contract(tmp_path: Path) -> None:
    menu = {"us": ["stand", "blockade"], "china": ["stand", "substitute", "buy"], "korea": ["partner", "hedge"]}
    table = game_table(["us", "china", "korea"], menu, 20, 1)
    played = play(table, facts.load(), tmp_path)
    document = json.loads(json.dumps(game_document(played)))
    assert {"players", "cells", "pure", "mixed", "stackelberg", "best_responses"} <= set(document)
    assert len(document["cells"]) == 12
    assert played.payoffs.shape == (20, 3, 2, 3, 2)
    for row in document["best_responses"]:
        assert sum(row["probabilities"].values()) == pytest.approx(1)
        assert row["reply"] in row["probabilities"]
    expected = [tuple(place) for place in games.pure_equilibria(played.mean)]
    assert len(document["pure"]) == len(expected)
    assert document["mixed"] == []
    assert {each["leader"] for each in document["stackelberg"]} == {"us", "china", "korea"}
    assert over_weights(played, 50).sum() > 0


@pytest.mark.usefixtures("imagined")
def test_weights_change_the_game_and_units_do_not(tmp_path: Path) -> None:
    table = game_table(["us", "china"], {"us": ["stand", "blockade"], "china": ["stand", "substitute"]}, 30, 1)
    known = facts.load()
    equal = play(table, known, tmp_path)
    heavy = play(table, known, tmp_path, {"us": {"chinese_compute": 100.0}})
    assert not np.allclose(equal.payoffs[:, 0], heavy.payoffs[:, 0])
    np.testing.assert_allclose(equal.payoffs[:, 1], heavy.payoffs[:, 1])
    assert equal.weights[0].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("players", "menu", "message"),
    [
        (["us", "chnia"], None, "unknown player 'chnia'; did you mean china"),
        (["us"], None, "two or three different players"),
        (["us", "us"], None, "two or three different players"),
        (["us", "china"], {"us": ["weir"]}, "us needs at least two policies"),
        (["us", "china"], {"us": ["weir", "wier"]}, "unknown policy of us 'wier'; did you mean weir"),
        (["us", "china"], {"china": ["stand", "weights"]}, "only settings that the world does not know yet"),
    ],
)
def test_a_game_that_cannot_be_is_one_clear_line(players: list[str], menu: dict | None, message: str) -> None:
    with pytest.raises((InputError, UnknownName)) as caught:
        game_table(players, menu, 10, 1)
    assert message in str(caught.value)
