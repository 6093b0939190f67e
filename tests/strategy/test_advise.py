"""Advice: paired futures, regret and weights as they should be, sentences that agree with the numbers."""

import json
import re

import numpy as np
import pytest

from chipweir.errors import InputError, UnknownName
from chipweir.i18n import use_language
from chipweir.strategy import (
    Advice,
    Experiments,
    advice_document,
    advice_sentences,
    advise,
    information,
    number,
    percent,
)
from chipweir.strategy._advise import duel
from chipweir.strategy._sentences import signed


def test_all_options_meet_the_same_futures(korea: Experiments) -> None:
    for cases in korea.cases:
        for case in cases:
            assert case.draws is korea.cases[0][0].draws
            past = [case.world.years.index(year) for year in (2022, 2023, 2024)]
            one, other = case.world.get("nvidia_revenue"), korea.cases[0][0].world.get("nvidia_revenue")
            np.testing.assert_array_equal(one[:, past], other[:, past])
    assert korea.weight.sum() == pytest.approx(1)
    assert korea.values.shape == (12, 7, 180)


def test_regret_of_the_best_is_nil_and_the_bound_sets_no_standard(advice: Advice) -> None:
    eligible = advice.experiments.eligible
    assert advice.regret[eligible].min(axis=0) == pytest.approx(0)
    assert (advice.regret >= 0).all()
    bound = advice.experiments.names().index("china-first")
    assert not eligible[bound]
    assert advice.standings[bound].weight_share == 0
    assert advice.chosen != bound
    assert advice.rival != bound


def test_shares_sum_to_one_and_intervals_are_ordered(advice: Advice) -> None:
    assert sum(s.weight_share for s in advice.standings) == pytest.approx(1)
    for standing in advice.standings:
        for row in standing.criteria.values():
            assert row["p10"] <= row["p50"] <= row["p90"]
        assert 0 <= standing.satisficing <= min(standing.meets.values()) + 1e-9
    for standing, up_means in zip(advice.standings, advice.experiments.values.mean(axis=2).T, strict=True):
        assert np.isfinite(up_means).all()
        for criterion in advice.experiments.criteria.computed:
            row = standing.criteria[criterion.name]
            assert criterion.up * row["cvar10"] <= criterion.up * row["mean"] + 1e-9


def test_the_choice_follows_the_weights(korea: Experiments) -> None:
    for criterion in korea.criteria.computed[::4]:
        only = {c.name: 0.0 for c in korea.criteria.computed} | {criterion.name: 1.0}
        found = advise(korea, only)
        own = [s.criteria[criterion.name]["mean"] * criterion.up for s in found.standings if not s.bound]
        chosen = found.standings[found.chosen].criteria[criterion.name]["mean"] * criterion.up
        assert chosen == pytest.approx(max(own))


def test_a_reversal_is_where_the_winner_changes(korea: Experiments, advice: Advice) -> None:
    names = [c.name for c in korea.criteria.computed]
    own = advice.standings[advice.chosen].name
    assert advice.reversals == tuple(sorted(advice.reversals, key=lambda each: abs(each.weight - each.now)))
    for reversal in advice.reversals:
        at, step = names.index(reversal.criterion), 1e-4 if reversal.weight > reversal.now else -1e-4
        for share, expected in ((reversal.weight - step, own), (reversal.weight + step, reversal.option)):
            if not 0 <= share <= 1:
                continue
            rest = (1 - share) / (1 - advice.weights[at])
            weights = {n: float(w * rest) for n, w in zip(names, advice.weights, strict=True)}
            found = advise(korea, weights | {reversal.criterion: share})
            assert found.standings[found.chosen].name == expected, reversal


def test_what_the_answer_rests_on_is_what_turns_it_when_left_out(korea: Experiments, advice: Advice) -> None:
    names = [c.name for c in korea.criteria.computed]
    own = advice.standings[advice.chosen].name
    turned = set()
    for name in names:
        kept = {n: 0.0 if n == name else float(w) for n, w in zip(names, advice.weights, strict=True)}
        found = advise(korea, kept)
        if found.standings[found.chosen].name != own:
            turned.add(name)
    assert turned == {each.criterion for each in advice.reversals if each.weight < each.now}
    said = advice_sentences(advice, False, "x")["en"][2]
    for criterion in korea.criteria.computed:
        rests = said.partition("It rests on")[2]
        assert (f"'{criterion.title['en']}'" in rests) == (criterion.name in turned)


def test_thresholds_that_tell_no_options_apart_are_named(korea: Experiments, advice: Advice) -> None:
    document = advice_document(advice, advice_sentences(advice, False, "x"))
    sentence = advice_sentences(advice, False, "x")["en"][4]
    allowed = [o for o in document["options"] if not o["bound"]]
    for criterion in document["criteria"]:
        if criterion["kind"] == "judged":
            assert criterion["tells_apart"] is None
            continue
        shares = [o["meets"][criterion["name"]] for o in allowed]
        assert criterion["tells_apart"] == (max(shares) - min(shares) >= 0.05)
        alike = sentence.partition("No option stands out")[2]
        assert (f"'{criterion['title']['en']}'" in alike) == (not criterion["tells_apart"])
    for option in document["options"]:
        assert option["satisficing"] <= option["satisficing_telling"] + 1e-12


def test_unknown_and_judged_criteria_carry_no_weight(korea: Experiments) -> None:
    with pytest.raises(UnknownName, match="unknown criterion 'chip_incom'; did you mean chip_income"):
        advise(korea, {"chip_incom": 1})
    with pytest.raises(InputError, match="judged, not computed"):
        advise(korea, {"durability": 1})
    with pytest.raises(InputError, match="weights must be"):
        advise(korea, {c.name: 0.0 for c in korea.criteria.computed})


def test_the_document_is_the_contract(advice: Advice) -> None:
    said = advice_sentences(advice, False, "chipweir advise korea")
    document = json.loads(json.dumps(advice_document(advice, said)))
    assert document["futures"] == 60
    assert set(document["text"]) == {"en", "ko"}
    for option in document["options"]:
        assert {"name", "criteria", "max_regret", "satisficing", "weight_share"} <= set(option)
        for row in option["criteria"].values():
            assert {"mean", "cvar10", "p10", "p50", "p90"} <= set(row)
        assert "durability" in option["judged"]
        assert "durability" not in option["criteria"]
    assert isinstance(document["signposts"], list)
    kinds = {criterion["name"]: criterion["kind"] for criterion in document["criteria"]}
    assert kinds["continuity"] == "judged"


def test_five_to_eight_sentences_in_both_languages(advice: Advice) -> None:
    said = advice_sentences(advice, False, "chipweir advise korea --seed 1")
    for language, lines in said.items():
        assert 5 <= len(lines) <= 8, language
        assert all("{" not in line for line in lines)
    assert all(re.search("[가-힣]", line) for line in said["ko"])
    assert not any(re.search(r"[은이을와]\((는|가|를|과)\)|\(으\)로", line) for line in said["ko"]), (
        "particles are chosen"
    )
    assert not any(re.search("[가-힣]", line) for line in said["en"])
    assert "chipweir advise korea --seed 1" in said["en"][-1]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_sentences_agree_with_the_numbers(advice: Advice, language: str) -> None:
    e = advice.experiments
    lines = advice_sentences(advice, False, "chipweir advise korea")[language]
    own, rival = advice.standings[advice.chosen], advice.standings[advice.rival]
    titles = {option.name: option.title[language] for option in e.options}
    # Recomputed from the arrays, not from the standings.
    weight, scores = e.weight, advice.scores
    allowed = np.flatnonzero(e.eligible)
    best = allowed[scores[allowed].argmax(axis=0)]
    assert titles[own.name] in lines[0]
    assert percent(float(weight @ (best == advice.chosen))) in lines[0]
    assert percent(float(weight @ (best == advice.rival))) in lines[0]
    assert titles[rival.name] in lines[0]
    lost = scores[allowed].max(axis=0) - scores[advice.chosen]
    assert number(float(lost.max())) in lines[1]
    assert number(float(lost @ weight)) in lines[1]
    for standing in sorted((s for s in advice.standings if not s.bound), key=lambda s: -s.weight_share)[:3]:
        assert percent(standing.weight_share) in lines[2]
    names = [c.name for c in e.criteria.computed]
    first = advice.duels[0]
    one, two = e.names().index(first.first), e.names().index(first.second)
    shown = [name for name in names if f"'{e.criteria.computed[names.index(name)].title[language]}'" in lines[3]]
    assert len(shown) == 2
    for name in shown:
        gap = e.values[names.index(name), two] - e.values[names.index(name), one]
        order = np.argsort(gap)
        middle = gap[order][np.searchsorted(np.cumsum(weight[order]), 0.5 - 1e-12)]
        assert signed(-float(middle)) in lines[3]
    met = {
        c.name: float(weight @ (c.up * e.values[k, advice.chosen] >= c.up * c.threshold))
        for k, c in enumerate(e.criteria.computed)
    }
    assert percent(max(met.values())) in lines[4]
    assert percent(min(met.values())) in lines[4]


def test_a_duel_of_an_option_with_itself_is_a_draw(korea: Experiments, advice: Advice) -> None:
    found = duel(korea, advice.scores, 0, 0)
    assert found.share == 0
    assert all(np.isnan(row[3]) for row in found.differences.values())


def test_knowing_is_worth_no_more_than_everything(korea: Experiments) -> None:
    found = information(korea, top=100)
    assert found["evpi"] >= 0
    values = [row["value"] for row in found["quantities"]]
    assert values == sorted(values, reverse=True)
    for row in found["quantities"]:
        assert row["low"] <= row["value"] <= row["high"] + 1e-12
        assert set(row["title"]) == {"en", "ko"}
    assert any(row["facts"] for row in found["quantities"])


def test_numbers_in_words() -> None:
    assert [number(x) for x in (0, 1234.5, 0.01234, 1.23e9, -7.5, float("nan"))] == [
        "0", "1,234", "0.0123", "1.23e+09", "-7.50", "-",
    ]  # fmt: skip
    assert [percent(x) for x in (0, 0.001, 0.5, 0.999, 1)] == ["0 %", "<1 %", "50 %", ">99 %", "100 %"]
    with use_language("ko"):
        assert percent(0.25) == "25 %"


def test_a_difference_is_told_with_its_80_percent_interval(advice: Advice) -> None:
    document = advice_document(advice, advice_sentences(advice, False, "chipweir advise korea"))
    for each in document["duels"]:
        for row in each["differences"].values():
            assert row["p05"] <= row["p10"] <= row["median"] <= row["p90"] <= row["p95"]
    told = [text for text in document["sentences"]["en"] if "gains most on" in text]
    shown = re.findall(r"80 % (\S+) to (\S+);", told[0])
    assert len(shown) == 2
    numbers = {signed(-row[key]) for row in document["duels"][0]["differences"].values() for key in ("p10", "p90")}
    assert {end for pair in shown for end in pair} <= numbers
    assert "90 %" not in told[0]
