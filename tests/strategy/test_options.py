"""Option sets, choices of others and criteria: complete, sourced, in both languages; bad files give one line."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.strategy import (
    empty_options,
    load_options,
    planned_levers,
    read_choices,
    read_criteria,
    read_option,
    shipped_choices,
    shipped_criteria,
    shipped_options,
)
from chipweir.strategy._futures import table
from chipweir.strategy._korea import PROCESSES
from chipweir.strategy._retaliation import sizes


ACTORS = ("korea", "us", "china")
GROUNDED = re.compile(
    r"prior|\b(KOP|KOR|EVT|FAB|SMU|DEM|SHI|ECO)-\d{3}|scenario |law of|reading|combination|rules of|draft|no source"
)
GROUNDS = re.compile(r"\b(?:KOP|KOR|EVT|FAB|SMU|DEM|SHI|ECO|OBS)-\d{3,4}\b")
HANGUL = re.compile("[가-힣]")


def test_korea_has_seven_options_and_one_is_a_bound() -> None:
    options = shipped_options("korea")
    names = ["partner", "third-way", "hedge", "china-first", "sovereign", "managed", "pooled"]
    assert [option.name for option in options] == names
    assert [option.name for option in options if option.bound] == ["china-first"]
    assert "bound" in options[3].title["en"]
    assert "no source proposes it" in options[3].proposed_by


@pytest.mark.parametrize("actor", ACTORS)
def test_every_option_says_why_in_both_languages_and_who_says_so(actor: str) -> None:
    for option in shipped_options(actor):
        for text in (option.title, option.reason):
            assert text["en"]
            assert HANGUL.search(text["ko"]), (option.name, text)
        assert GROUNDED.search(option.proposed_by + " ".join(option.sources)), option.name
        for rated in (*option.responses.values(), *option.judged.values()):
            assert GROUNDED.search(rated.source), (option.name, rated)
        for cost in option.costs:
            assert GROUNDED.search(cost["source"])


def test_criteria_are_fifteen_or_more_and_at_least_nine_are_computed() -> None:
    criteria = shipped_criteria("korea")
    assert len(criteria.computed) >= 9
    assert {each.name for each in criteria.judged} == {"durability", "continuity", "use_of_domestic", "foreign_outlay"}
    assert len(criteria.computed) + len(criteria.judged) >= 15
    for option in shipped_options("korea"):
        assert set(option.judged) == {each.name for each in criteria.judged}


@pytest.mark.parametrize("actor", ACTORS)
def test_criteria_have_direction_threshold_and_reason(actor: str) -> None:
    criteria = shipped_criteria(actor)
    for criterion in (*criteria.computed, *criteria.judged):
        assert criterion.up in (1, -1)
        assert criterion.why
        assert HANGUL.search(criterion.title["ko"])
        if criterion.process:
            assert criterion.process in PROCESSES


@pytest.mark.parametrize("actor", ACTORS)
def test_choices_of_others_are_scenarios_with_priors(actor: str) -> None:
    choices = shipped_choices(actor)
    assert sum(choice.prior for choice in choices) == pytest.approx(1)
    for choice in choices:
        assert "prior" in choice.source
        for option in shipped_options(actor):
            assert option.under(choice).digest


def test_every_uncertain_quantity_has_a_source_and_korean_words() -> None:
    for row in table().values():
        assert GROUNDED.search(row.source), row.name
        assert HANGUL.search(row.description_ko), row.name


def test_retaliation_sums_to_what_2017_cost_on_todays_exposure() -> None:
    known = sizes()
    minerals = next(channel for channel in known.channels if channel.name == "minerals")
    total = sum(channel.krw_tn for channel in known.channels)
    eased = total - minerals.krw_tn * 30 / minerals.eased_by["stockpile_days"]
    assert eased == pytest.approx(8.5, abs=0.2)
    for channel in known.channels:
        assert GROUNDED.search(channel.source)


def cited() -> set[str]:
    """Ids of facts and events that the room's data and code rest on."""
    folder = Path(str(resources.files("chipweir.strategy")))
    files = [path for path in folder.rglob("*") if path.suffix in (".py", ".yaml", ".csv")]
    found = [name for path in files for name in GROUNDS.findall(path.read_text(encoding="utf-8"))]
    return {name.lower() for name in found}


def test_cited_facts_exist() -> None:
    known = facts.load()
    assert not cited() - set(known.facts) - set(known.events)
    assert len([name for name in cited() if name.startswith("kop-")]) > 60


def test_settings_the_world_does_not_know_are_named_not_dropped() -> None:
    assert not any(option.unknown_to_world() for option in shipped_options("korea"))
    assert [option.name for option in empty_options(shipped_options("china"))] == ["weights"]
    weights = next(option for option in shipped_options("china") if option.name == "weights")
    assert weights.unknown_to_world() == ["china.open_weights"]


def test_the_hedge_reopens_sales_only_where_relations_normalise() -> None:
    hedge = next(option for option in shipped_options("korea") if option.name == "hedge")
    years = [2027, 2028, 2029]
    assert hedge.series("korea.hbm_to_china", years, "law").tolist() == [0, 0, 0]
    assert hedge.series("korea.hbm_to_china", years, "normal").tolist() == [0, 1, 1]
    by_name = {choice.name: choice for choice in shipped_choices("korea")}
    months = ["2027-06", "2028-06"]
    assert hedge.under(by_name["normal"]).series("korea.hbm_to_china", months).tolist() == [0, 1]
    assert hedge.under(by_name["law"]).series("korea.hbm_to_china", months).tolist() == [0, 0]


def test_a_dated_setting_counts_the_months_it_holds() -> None:
    option = read_option(text(levers={"korea": {"china_fabs": {"2027-07": 0.5}}}), "own.yaml")
    assert option.series("korea.china_fabs", [2026, 2027, 2028]) == pytest.approx([1, 0.75, 0.5])
    assert option.without("korea.china_fabs").series("korea.china_fabs", [2028]).tolist() == [1]


def test_a_lever_that_the_world_gains_is_the_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from chipweir import world
    from chipweir.strategy import _options

    known = world.levers()
    assert "china.open_weights" in planned_levers()
    gained = {**known, "china.open_weights": replace(known["us.enforcement"], name="china.open_weights")}
    monkeypatch.setattr(world, "levers", lambda: gained)
    _options.planned_levers.cache_clear()
    try:
        assert not planned_levers()
    finally:
        monkeypatch.undo()
        _options.planned_levers.cache_clear()


def text(**changes: Any) -> str:
    whole = {"actor": "korea", "option": {"title": {"en": "mine", "ko": "내 것"}}, "name": "mine", **changes}
    return yaml.safe_dump({key: value for key, value in whole.items() if value is not None}, allow_unicode=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (text(actor="japan"), "actor must be one of korea, us, china"),
        (text(option=None), "has a mapping 'option:'"),
        (text(option={"tilte": "x"}), "unknown option key 'tilte' in own.yaml; did you mean title"),
        (text(levers={"china": {"open_weights": 3}}), "china.open_weights: 3 is not a number from 0 to 1"),
        (text(levers={"china": {"open_weights": {"2027-13": 1}}}), "'2027-13' is not a month"),
        (text(levers={"korea": {"china_fabs": 3}}), "korea.china_fabs: 3 is out of range; give a number from 0 to 1.5"),
        (text(levers={"korea": {"china_fab": 1}}), "unknown lever 'korea.china_fab'"),
        (text(levers={"us.enforcement": 9}), "9 is out of range"),
        (text(option={"responses": {"provocation": {"value": 2}}}), "provocation needs a value and a source"),
        (text(option={"title": 3}), "a text is a string"),
        (text(option={"costs": [{"krw_tn_year": 2}]}), "a cost has what, krw_tn_year and source"),
        ("[", "not valid YAML"),
        ("- 1", "a mapping of keys"),
    ],
)
def test_a_bad_option_is_one_clear_line(given: str, message: str) -> None:
    with pytest.raises((InputError, UnknownName)) as caught:
        read_option(given, "own.yaml")
    assert message in str(caught.value)
    assert "own.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_options_of_ones_own_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text(name="one"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(text(name="two", extends="weir"), encoding="utf-8")
    assert [option.name for option in load_options(tmp_path)] == ["one", "two"]
    (tmp_path / "c.yaml").write_text(text(name="one"), encoding="utf-8")
    with pytest.raises(InputError, match="two options are called 'one'"):
        load_options(tmp_path)
    with pytest.raises(InputError, match="cannot read option file"):
        load_options(tmp_path / "none.yaml")


def test_bad_choices_and_criteria_are_one_clear_line() -> None:
    with pytest.raises(InputError, match=r"sum to 0\.5, not 1"):
        read_choices("choices: {a: {prior: 0.5}}", "own.yaml")
    with pytest.raises(InputError, match="better must be more or less"):
        read_criteria("criteria: {a: {process: power}}", "own.yaml")
    with pytest.raises(InputError, match="names a process or a variable"):
        read_criteria("criteria: {a: {better: more}}", "own.yaml")
    with pytest.raises(InputError, match="needs a year"):
        read_criteria("criteria: {a: {better: more, variable: compute}}", "own.yaml")


def test_unknown_actors_are_named() -> None:
    with pytest.raises(UnknownName, match="unknown actor 'corea'; did you mean korea"):
        shipped_options("corea")


def test_priors_of_large_measures_are_those_of_the_record() -> None:
    known = sizes()
    assert (known.any_probability, known.large_probability) == (0.43, 0.5)
    # A gamma prior of 2 events in 16 years: chance of at least one in four years.
    assert pytest.approx(known.any_probability, abs=0.005) == 1 - (16 / 20) ** 2.5
