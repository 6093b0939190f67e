"""The vocabulary: every measure is told in three languages, every fact fits its own."""

import re
from collections import Counter, defaultdict

import pytest

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.facts._facts import normalise
from chipweir.facts._units import fits, parses, unit_registry
from chipweir.world import variables


FACTS = facts.load()
WORDED = [measure for measure in FACTS.measures.values() if measure.kind not in ("state", "text")]
VARIABLES = {variable["name"]: variable["dims"].split() for variable in variables()}


def test_every_measure_is_used() -> None:
    assert set(FACTS.measures) == {fact.measure for fact in FACTS.facts.values()}
    assert 120 <= len(FACTS.measures) <= 160


@pytest.mark.parametrize("measure", FACTS.measures.values(), ids=lambda measure: measure.id)
def test_it_is_titled_and_defined_in_both_languages(measure: facts.Measure) -> None:
    for text in (*measure.title.values(), *measure.definition.values()):
        assert text.strip() == text != ""
        assert not text.endswith(".")
    assert re.search("[가-힣]", measure.title["ko"])
    assert re.search("[가-힣]", measure.definition["ko"])
    assert not re.search("[가-힣]", measure.title["en"] + measure.definition["en"])


@pytest.mark.parametrize("measure", WORDED, ids=lambda measure: measure.id)
def test_it_has_words_in_three_languages(measure: facts.Measure) -> None:
    assert all(measure.words[language] for language in ("en", "ko", "zh"))
    for words in measure.words.values():
        assert len(set(words)) == len(words)
        assert all(word.strip() == word and len(word) > 1 for word in words)


def test_every_measure_has_words_of_its_own() -> None:
    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for measure in WORDED:
        for language, words in measure.words.items():
            for word in words:
                owners[language, normalise(word)].add(measure.id)
    shared = {key: found for key, found in owners.items() if len(found) > 1}
    assert len(shared) <= 12, shared
    for measure in WORDED:
        for language, words in measure.words.items():
            own = [word for word in words if owners[language, normalise(word)] == {measure.id}]
            assert own, (measure.id, language)


def test_titles_are_unique() -> None:
    for language in ("en", "ko"):
        titles = Counter(measure.titled(language) for measure in FACTS.measures.values())
        assert [title for title, count in titles.items() if count > 1] == []


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("yield", "yield"), ("수율", "yield"), ("良率", "yield"), ("Market share", "market_share"),
        ("시장 점유율", "market_share"), ("市占率", "market_share"), ("설비투자", "capex"), ("资本开支", "capex"),
        ("capital expenditure", "capex"), ("수출", "exports"), ("data centre revenue", "dc_revenue"),
        ("자급률", "domestic_share"), ("国产化率", "domestic_share"), ("black market price", "street_price"),
        ("암시장 가격", "street_price"), ("黑市价格", "street_price"), ("tokens per day", "tokens_per_day"),
        ("产能", "wafer_capacity"), ("7nm capacity", "advanced_logic_capacity"), ("months behind", "capability_lag"),
    ],
)  # fmt: skip
def test_the_words_of_the_press_name_it(name: str, measure: str) -> None:
    assert FACTS.measure(name).id == measure


def test_a_word_of_no_measure_suggests() -> None:
    with pytest.raises(UnknownName, match="yield"):
        FACTS.measure("yeild")
    with pytest.raises(InputError):
        FACTS.measure("blorp")


@pytest.mark.parametrize("measure", FACTS.measures.values(), ids=lambda measure: measure.id)
def test_every_fact_converts_to_the_unit_of_its_measure(measure: facts.Measure) -> None:
    assert parses(measure.unit)
    units = {fact.value.unit for fact in FACTS.facts.values() if fact.measure == measure.id} - {"text"}
    assert all(fits(unit, measure.unit) for unit in units), (measure.id, units)


@pytest.mark.parametrize(
    ("unit", "wanted", "right"),
    [
        ("GW", "MW", True), ("CNY", "USD", True), ("CNY/month", "USD/hour", True), ("percent", "", True),
        ("wafer/year", "wafer/month", True), ("token/month", "token/day", True), ("KRW/USD", "", True),
        ("chip", "H100e", False), ("USD", "USD/year", False), ("wafer", "wafer/month", False), ("stack", "chip", False),
        ("wafer_8inch/month", "wafer/month", False), ("MW", "TWh", False), ("nonsense", "USD", False),
    ],
)  # fmt: skip
def test_what_can_measure_what(unit: str, wanted: str, right: bool) -> None:
    assert fits(unit, wanted) is right


def test_converting_there_and_back_changes_nothing() -> None:
    registry = unit_registry()
    for measure in FACTS.measures.values():
        units = {fact.value.unit for fact in FACTS.facts.values() if fact.measure == measure.id}
        for unit in units:
            if re.search("[A-Z]{3}", unit) or unit == "text":
                continue
            there = registry.Quantity(3.0, unit).to(measure.unit or "dimensionless")
            assert there.to(unit or "dimensionless").magnitude == pytest.approx(3.0)


def test_what_adds_up_is_a_flow_or_a_count() -> None:
    for measure in FACTS.measures.values():
        if measure.kind in ("flow", "count"):
            assert measure.adds in ("sum", "last", ""), measure.id
        if measure.kind in ("share", "ratio", "price", "growth"):
            assert measure.adds in ("mean", ""), measure.id
        if measure.kind in ("spec", "date", "state", "text"):
            assert measure.adds == "", measure.id


def test_the_model_has_the_variables_that_facts_are_compared_with() -> None:
    compared = Counter()
    for fact in FACTS.facts.values():
        found = FACTS.model_variable(fact)
        if found is None:
            continue
        variable, selection = found
        assert variable in VARIABLES, (fact.id, variable)
        assert set(selection) <= set(VARIABLES[variable]), (fact.id, selection)
        compared[variable] += 1
    assert len(compared) >= 20, compared
    assert sum(compared.values()) >= 150


@pytest.mark.parametrize(
    ("fact", "variable", "selection"),
    [
        ("shi-015", "nvidia_revenue", {}),
        ("shi-018", "nvidia_china_revenue", {}),
        ("shi-047", "group_china_units", {"group": "h20"}),
        ("fab-004", "wafer_starts", {"line": "smic-n2+smic-n3"}),
        ("shi-073", "domestic_share_value", {}),
        ("dem-031", "tokens_served", {"region": "CHN"}),
        ("obs-1185", "largest_run", {"region": "USA"}),
        ("smu-002", "smuggled_units", {}),
    ],
)
def test_where_a_fact_meets_the_model(fact: str, variable: str, selection: dict[str, str]) -> None:
    assert FACTS.model_variable(FACTS.facts[fact]) == (variable, selection)


@pytest.mark.parametrize("fact", ["shi-098", "kor-020", "obs-018", "fab-001"])
def test_what_the_model_does_not_have_is_compared_with_nothing(fact: str) -> None:
    assert FACTS.model_variable(FACTS.facts[fact]) is None
