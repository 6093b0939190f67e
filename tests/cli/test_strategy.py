"""The commands of the strategy room as a user meets them, on a made-up world."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagined_world
import pytest

from chipweir.strategy._cells import Cells
from chipweir.world import load_scenario


Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def _worlds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Cells, "run", imagined_world.run)
    monkeypatch.setenv("CHIPWEIR_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def test_advise_as_json_is_one_document_and_nothing_of_it_is_unknown(call: Call) -> None:
    answer = call("advise", "korea", "--futures", "12", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["futures"] == 12
    assert answer.json["options"][0]["name"] == "partner"
    assert not any(option["unknown_to_world"] for option in answer.json["options"])
    assert "does not know" not in answer.err


def test_advise_prints_sentences_tables_and_writes_a_page(call: Call, tmp_path: Path) -> None:
    answer = call("advise", "korea", "--futures", "12", "--lang", "ko", "--write", "out")
    assert answer.code == 0, answer.err
    for word in ("대체 불가능한 파트너", "점수", "지속성", "최대 후회"):
        assert word in answer.out
    page = (tmp_path / "out" / "advise.html").read_text(encoding="utf-8")
    assert "한국의 선택" in page
    assert json.loads((tmp_path / "out" / "advise.json").read_text(encoding="utf-8"))["actor"] == "korea"
    scenarios = sorted((tmp_path / "out" / "scenarios").glob("*.yaml"))
    assert len(scenarios) == 21
    assert load_scenario(scenarios[0]).levers


def test_options_criteria_and_weights_of_ones_own(call: Call, tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = (
            f"actor: us\nname: {name}\noption: {{title: {name}}}\nlevers: {{us.enforcement: {1 + (name == 'two')}}}\n"
        )
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "own").mkdir()
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").rename(tmp_path / "own" / f"{name}.yaml")
    (tmp_path / "w.yaml").write_text("lag: 3\n")
    document = call(
        "advise", "us", "--options", "own", "--criteria", "lag,smuggling", "--weights", "w.yaml", "-n", "9", "--json"
    ).json
    assert [option["name"] for option in document["options"]] == ["one", "two"]
    assert {c["name"]: c["weight"] for c in document["criteria"]} == {"lag": 0.75, "smuggling": 0.25}
    assert "Under the given weights" in document["text"]["en"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["advise", "corea"], "unknown actor 'corea'; did you mean korea"),
        (["advise", "korea", "-w", "lag=1"], "unknown criterion 'lag'"),
        (["advise", "korea", "-w", "compute=x"], "'x' is not a number"),
        (["advise", "korea", "-w", "compute=-1"], "is out of range; give 0 or more"),
        (["advise", "korea", "-w", "durability=1"], "judged, not computed"),
        (["advise", "korea", "--futures", "0"], "--members 0 is out of range"),
        (["advise", "korea", "--criteria", "powr"], "unknown criterion 'powr'; did you mean power"),
        (["advise", "korea", "--options", "nofile.yaml"], "cannot read option file nofile.yaml"),
        (["advise", "korea", "--choices", "nofile.yaml"], "cannot read file of choices nofile.yaml"),
        (["voi", "korea", "--top", "0"], "--top 0 is out of range"),
        (["game", "--players", "us"], "two or three different players"),
        (["game", "-w", "lag=1"], "write PLAYER.CRITERION=W"),
        (["game", "-w", "us.lga=1"], "unknown criterion of us 'lga'"),
        (["game", "--leader", "korea"], "unknown leader 'korea'"),
        (["explore", "comptue"], "unknown variable 'comptue'"),
        (["explore", "compute", "region"], "write dim=label"),
        (["explore", "lag_months", "--where", "lag"], "write 'lag_months > 1e6'"),
        (["explore", "lag_months", "--scenario", "wier"], "unknown scenario 'wier'"),
        (["train", "DeepSeek-V3", "--budget", "much"], "--budget much: not a number"),
        (["train", "nomodel"], "unknown language model 'nomodel'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(call: Call, arguments: list[str], message: str, tmp_path: Path) -> None:
    answer = call(*arguments)
    assert answer.code == 2, answer.out
    lines = [line for line in answer.err.splitlines() if "warning" not in line and "to simulate" not in line]
    assert len(lines) == 1
    assert message in lines[0]
    assert answer.out == ""
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["advise", "korea", "-w", "lag=1"],
        ["voi", "korea", "-w", "lag=1"],
        ["game", "-w", "us.lga=1"],
        ["game", "--leader", "korea"],
        ["explore", "lag_months", "--where", "lag"],
    ],
)
def test_bad_input_is_refused_before_anything_is_simulated(
    call: Call, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def simulated(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("simulated")

    monkeypatch.setattr(Cells, "run", simulated)
    assert call(*arguments).code == 2


def test_explore_game_and_voi_answer_as_tables_and_json(call: Call) -> None:
    printed = call("explore", "compute", "region=CHN", "--members", "200", "--where", "compute > 1.5e7")
    assert printed.code == 0, printed.err
    assert "PAWN" in printed.out
    assert call("explore", "lag_months", "--members", "100", "--json").json["outcome"]["variable"] == "lag_months"
    played = call("game", "--players", "us,china", "--members", "6", "--json").json
    assert len(played["cells"]) == 25
    assert "best reply" in call("game", "--members", "6").out
    known = call("voi", "korea", "--futures", "12", "--top", "5", "--json").json
    assert len(known["quantities"]) == 5
    assert "worth knowing" in call("voi", "us", "--futures", "12").out


def test_an_option_the_world_cannot_tell_is_left_out_aloud(call: Call) -> None:
    answer = call("advise", "china", "--futures", "9", "--json")
    assert answer.code == 0, answer.err
    assert "warning: weights is left out: the world does not know china.open_weights yet" in answer.err
    assert "weights" not in [option["name"] for option in answer.json["options"]]


def test_the_cost_is_said_before_a_long_call(call: Call) -> None:
    answer = call("advise", "korea", "--futures", "200", "--criteria", "power,retaliation", "--json")
    assert "worlds with 200 members each to simulate" in answer.err


def test_train_prints_a_table(call: Call) -> None:
    answer = call("train", "DeepSeek-V3", "--on", "nvidia-h800-sxm", "--chips", "2048", "--lang", "ko")
    assert answer.code == 0, answer.err
    assert "2,048" in answer.out
    assert "칩 시간" in answer.out


def test_mechanisms_are_listed_measured_and_refused(call: Call) -> None:
    listed = call("mechanism", "--json")
    assert listed.code == 0, listed.err
    rows = {row["id"]: row for row in listed.json}
    assert rows["sea-licence"]["command"] == "chipweir mechanism sea-licence"
    assert rows["share-prices"]["modelled"] is False
    measured = call("mechanism", "sea-licence", "--members", "9", "--json")
    assert measured.code == 0, measured.err
    (found,) = measured.json
    assert {"a", "b", "outcomes", "holds", "sentences"} <= set(found)
    table = call("mechanism", "sea-licence", "--members", "9", "--lang", "ko")
    assert "동남아 수출허가" in table.out
    for name, message in (("share-prices", "is not modelled"), ("sea-licnce", "did you mean sea-licence")):
        refused = call("mechanism", name)
        assert refused.code == 2
        assert message in refused.err


def test_leverage_answers_in_sentences_and_json(call: Call) -> None:
    answer = call("leverage", "--members", "9", "--json")
    assert answer.code == 0, answer.err
    assert {"sides", "stop", "path", "vetoes", "without_one", "sentences"} <= set(answer.json)
    assert 5 <= len(answer.json["sentences"]["ko"]) <= 8
    assert "HBM" in call("leverage", "--members", "9").out
    assert call("leverage", "--withhold", "2").code == 2
