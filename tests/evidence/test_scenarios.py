"""Mechanisms in sentences of our own, the pairs they are tied to, and what a run says of them."""

import re
import shlex
from dataclasses import dataclass

import pytest
import yaml

from chipweir.evidence import document_from_text, extract, tag
from chipweir.evidence._runs import Results, difference
from chipweir.evidence._scenarios import (
    from_anywhere,
    judge,
    mechanisms,
    pair_command,
    settings_of,
    shipped_scenarios,
    variant_name,
)


def tags(text: str):
    return tag(extract(document_from_text(text, published="2025-09-25")))


SENTENCES = [
    ("수출통제가 오히려 중국의 반도체 국산화를 앞당기고 있다.", "substitution"),
    ("Export controls accelerate China's self-reliance in chips.", "substitution"),
    ("出口管制反而加速了国产替代。", "substitution"),
    ("저성능 칩 금지는 사실상 무의미하다.", "low-end-ban"),
    ("A ban on low-end chips is meaningless.", "low-end-ban"),
    ("추론용 칩은 공급 과잉 상태다.", "oversupply"),
    ("말레이시아 수출 허가제는 우회수출을 줄인다.", "sea-licence"),
    ("H20 판매가 합법화되면서 암시장 수요가 줄었다.", "legal-sales-smuggling"),
    ("구형 칩을 팔아 중국 기업을 미국 생태계에 가둔다.", "lock-in"),
    ("개별 칩의 성능이 떨어지면 양으로 승부한다.", "quantity-for-quality"),
    ("한국은 미국 동맹 안에서 자율성을 넓혀야 한다.", "korea-options"),
    ("HBM은 한국의 지렛대다. 수출을 막으면 된다.", "hbm-leverage"),
]


@pytest.mark.parametrize(("text", "mechanism"), SENTENCES, ids=[f"{row[1]}-{n}" for n, row in enumerate(SENTENCES)])
def test_a_sentence_is_tied_to_its_mechanism_with_a_command(text, mechanism):
    found = {t.mechanism: t for t in tags(text)}
    assert mechanism in found
    assert found[mechanism].command.startswith("chipweir ")


def test_a_plain_fact_is_no_mechanism_and_a_judgement_has_no_pair():
    assert not [t for t in tags("SMIC의 본사는 상하이에 있다.") if t.mechanism]
    opinion = tags("우리는 더 겸손해져야 한다.")
    assert opinion
    assert not opinion[0].command


def test_every_pair_names_scenarios_and_outcomes_that_the_model_has():
    import inspect

    from chipweir.world import _outputs, find_lever, load_scenario, preset_names

    known = set(re.findall(r'"(\w+)":', inspect.getsource(_outputs)))
    for mechanism in mechanisms().values():
        for name in (mechanism.a, mechanism.b):
            assert not name or name in preset_names(), mechanism.id
        for lever in mechanism.levers:
            find_lever(lever)
        for outcome in (mechanism.outcome, *mechanism.also):
            assert not outcome or outcome in known, (mechanism.id, outcome)
        if mechanism.levers:
            changed = load_scenario(mechanism.a).with_settings(settings_of(mechanism), "mine")
            assert changed.levers


def test_a_scenario_file_is_one_the_world_room_reads(tmp_path):
    from chipweir.world import load_scenario

    for mechanism in mechanisms().values():
        command, text = pair_command(mechanism)
        if text:
            name = yaml.safe_load(text)["name"]
            path = tmp_path / f"{name}.yaml"
            path.write_text(text, encoding="utf-8")
            assert load_scenario(str(path)).name == name
            assert command.endswith(f"scenarios/{name}.yaml")


@dataclass
class Fake:
    """Results of two scenarios as a run holds them: quantiles of paired differences of one outcome."""

    low: float
    median: float
    high: float
    share: float

    def results(self, outcome="domestic_share_compute", a="open", b="blockade"):
        import numpy as np
        import xarray as xr

        levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
        spread = np.interp(levels, [0.05, 0.5, 0.95], [self.low, self.median, self.high])
        months = np.array(["2027-12", "2028-12"], dtype="datetime64[M]")
        place = ("scenario", "quantile", "month")
        grid = np.broadcast_to(spread[None, :, None], (2, 5, 2))
        data = xr.Dataset(
            {
                outcome: (place, np.array(grid), {"units": "share"}),
                f"delta_{outcome}": (place, np.array(grid)),
                f"p_greater_{outcome}": (("scenario", "month"), np.full((2, 2), self.share)),
            },
            {"scenario": [a, b], "quantile": levels, "month": months},
        )
        return Results(data, "run test")


def test_a_run_decides_by_the_share_of_members_with_the_claimed_sign():
    claims = [t for t in tags("수출통제가 중국의 국산화를 앞당긴다.") if t.mechanism == "substitution"]
    up = judge(claims, [Fake(0.05, 0.2, 0.4, 0.97).results()])[0]
    down = judge(claims, [Fake(-0.4, -0.2, -0.05, 0.02).results()])[0]
    split = judge(claims, [Fake(-0.2, 0.0, 0.2, 0.5).results()])[0]
    assert [t.status for t in (up, down, split)] == ["consistent", "contradicted", "ambiguous"]
    assert up.numbers[0].value == pytest.approx(0.2)
    assert (up.numbers[0].low, up.numbers[0].high) == (pytest.approx(0.05), pytest.approx(0.4))
    assert up.text.args["window"] == "2028-12"


def test_a_run_without_the_pair_leaves_the_claim_open():
    claims = [t for t in tags("수출통제가 중국의 국산화를 앞당긴다.") if t.mechanism == "substitution"]
    other = Fake(0.1, 0.2, 0.3, 1.0).results(a="baseline", b="glut")
    assert judge(claims, [other])[0].status == "not_checkable"
    assert difference([other], "open", "blockade", "domestic_share_compute") is None


def test_no_effect_is_claimed_where_the_interval_holds_zero():
    claims = [t for t in tags("저성능 칩 금지는 무의미하다.") if t.mechanism == "low-end-ban"]
    run = Fake(-0.1, 0.01, 0.1, 0.5).results("token_price", "weir", "weir-without-h20")
    assert judge(claims, [run])[0].status == "consistent"


@pytest.mark.slow
def test_pairs_that_isolate_a_claim_are_simulated_on_the_spot_and_no_others():
    from chipweir import facts
    from chipweir.evidence import simulate_pairs

    claims = [t for t in tags("수출통제가 중국의 국산화를 앞당긴다.") if t.mechanism == "substitution"]
    judged = judge(claims, simulate_pairs(claims, 8, facts.load()))
    assert [t.status for t in judged] == ["consistent"]
    states = [t for t in tags("추론용 칩은 공급 과잉 상태다.") if t.mechanism]
    assert states
    assert simulate_pairs(states, 8, facts.load()) == ()
    assert judge(states, ())[0].text.key == "not_modelled"


def test_the_shipped_scenario_files_are_those_of_the_mechanisms():
    files = {}
    for mechanism in mechanisms().values():
        _, text = pair_command(mechanism)
        if text:
            assert files.setdefault(f"{variant_name(mechanism)}.yaml", text) == text
    assert {path.name: path.read_text(encoding="utf-8") for path in shipped_scenarios().glob("*")} == files


@pytest.mark.parametrize("mechanism", mechanisms().values(), ids=lambda mechanism: mechanism.id)
def test_every_command_names_a_command_and_scenarios_that_exist(mechanism, monkeypatch, tmp_path):
    from typer.main import get_command

    from chipweir import facts
    from chipweir.cli import root
    from chipweir.world import load_scenario

    monkeypatch.chdir(tmp_path)
    words = shlex.split(from_anywhere(pair_command(mechanism)[0]))
    assert words[0] == "chipweir"
    command = get_command(root).commands[words[1]]
    command.make_context(words[1], words[2:], resilient_parsing=False)
    if words[1] == "compare":
        assert len({load_scenario(name).name for name in words[2:]}) == 2
    else:
        assert all(facts.load().system(name) for name in words[2:4])
