"""Things answer to their names in three languages, however they are typed."""

import pickle
import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.facts import normalise
from chipweir.facts._facts import Index
from chipweir.facts._show import find


FACTS = facts.load()


@pytest.mark.parametrize(
    ("name", "chip"),
    [
        ("h20_96", "nvidia-h20"),
        ("H20", "nvidia-h20"),
        ("nvidia h20", "nvidia-h20"),
        ("h100", "nvidia-h100-sxm"),
        ("H100-PCIe", "nvidia-h100-pcie"),
        ("b200", "nvidia-b200"),
        ("Ascend 910C", "huawei-ascend-910c"),
        ("ASCEND-910c", "huawei-ascend-910c"),
        ("昇腾910C", "huawei-ascend-910c"),
        ("Ｈ２０", "nvidia-h20"),
        ("metax_c600", "metax-c600"),
        ("TPU v6e", "google-tpu-v6e"),
        ("Ascend 910B (A2)", "huawei-ascend-910b"),
    ],
)
def test_chips(name: str, chip: str) -> None:
    assert FACTS.chip(name).id == chip


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("deepseek-ai/DeepSeek-V3", "deepseek-v3"),
        ("DeepSeek-R1-0528", "deepseek-r1"),
        ("DeepSeek-V3.1-NVFP4", "deepseek-v3.1"),
        ("Llama-3.1-8B-Instruct", "meta-llama-3.1-8b"),
        ("llama2-70b-99.9", "meta-llama-2-70b"),
        ("Seed-OSS-36B", "bytedance-seed-oss-36b"),
        ("하이퍼클로바X", "naver-hyperclova-x"),
        ("Kimi K2", "moonshot-kimi-k2"),
        ("GPT-5", "openai-gpt-5"),
        ("gpt-oss-120b", "openai-gpt-oss-120b"),
    ],
)
def test_models(name: str, model: str) -> None:
    assert FACTS.model(name).id == model


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("CloudMatrix 384", "huawei-cloudmatrix-384"),
        ("cloudmatrix384", "huawei-cloudmatrix-384"),
        ("GB200 NVL72", "nvidia-gb200-nvl72"),
        ("DGX-H100", "nvidia-dgx-h100"),
    ],
)
def test_systems(name: str, system: str) -> None:
    assert FACTS.system(name).id == system


@pytest.mark.parametrize(
    ("names", "entity"),
    [
        (("Huawei", "화웨이", "华为", "華為"), "huawei"),
        (("SMIC", "中芯国际", "中芯國際"), "smic"),
        (("Cambricon", "캠브리콘", "寒武纪"), "cambricon"),
        (("MetaX", "메타엑스", "沐曦"), "metax"),
        (("BIS", "US BIS", "산업안보국"), "us-bis"),
        (("MOFCOM", "중국 상무부", "商务部"), "china-mofcom"),
        (("MSIT", "과기정통부"), "korea-msit"),
        (("TSMC", "台積電", "台积电"), "tsmc"),
        (("China", "중국", "中國"), "china"),
        (("젠슨 황", "黄仁勋"), "jensen-huang"),
        (("H20", "엔비디아 H20"), "nvidia-h20"),
    ],
)
def test_entities_answer_in_three_languages(names: tuple[str, ...], entity: str) -> None:
    assert {FACTS.entity(name).id for name in names} == {entity}


@pytest.mark.parametrize(
    ("name", "alpha2"),
    [
        ("KR", "KR"),
        ("kor", "KR"),
        ("한국", "KR"),
        ("대한민국", "KR"),
        ("Hong Kong", "HK"),
        ("澳门", "MO"),
        ("UAE", "AE"),
        ("USA", "US"),
    ],
)
def test_countries(name: str, alpha2: str) -> None:
    assert facts.country(name).alpha2 == alpha2


def test_hong_kong_and_macau_stand_for_themselves() -> None:
    assert len({FACTS.country(name).alpha2 for name in ("China", "Hong Kong", "Macau", "Taiwan")}) == 4


@settings(max_examples=200)
@given(st.data())
def test_case_spaces_hyphens_and_underscores_do_not_matter(data: st.DataObject) -> None:
    chip = data.draw(st.sampled_from(list(FACTS.chips.values())))
    name = data.draw(st.sampled_from([chip.id, chip.name, *chip.aliases]))
    generator = random.Random(data.draw(st.integers(0, 10**6)))
    typed = "".join(
        generator.choice((letter.upper(), letter.lower())) + generator.choice(("", "", " ", "-", "_"))
        for letter in name
    )
    assert chip.id in FACTS.indices()["chip"].candidates(typed)
    if len(FACTS.indices()["chip"].candidates(typed)) == 1 and not FACTS.indices()["chip"].needs_context(typed):
        assert FACTS.chip(typed).id == chip.id


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@settings(max_examples=40)
@given(st.text(max_size=20))
def test_any_text_is_found_or_refused_in_one_line(text: str) -> None:
    with suppress(InputError):
        assert find(FACTS, text)[1].id


def test_a_misspelt_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match="nvidia-h20"):
        FACTS.chip("nvidia-h2O0")
    with pytest.raises(UnknownName) as caught:
        FACTS.model("deepseek-v33")
    assert "deepseek-v3" in caught.value.suggestions


def test_the_nearest_names_are_looked_for_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from chipweir import errors

    asked: list[str] = []
    monkeypatch.setattr(errors, "nearest", lambda name, known: asked.append(name) or [*known][:1])
    error = UnknownName("chip", "h2O", (name for name in ("h20", "h100")), "mine.csv")
    assert not asked
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "unknown chip 'h2O' in mine.csv; did you mean h20?"
    assert str(error) == str(error)
    assert asked == ["h2O", "h2O"]


def test_an_ambiguous_name_names_the_candidates() -> None:
    index = Index("chip", [("nvidia-x1", ("X1",)), ("amd-x1", ("x-1",))])
    with pytest.raises(InputError, match="nvidia-x1, amd-x1"):
        index.resolve("x1")
    assert index.resolve("amd-x1") == "amd-x1"


def test_no_shipped_name_is_ambiguous_unsaid() -> None:
    assert not any(index.ambiguous for index in FACTS.indices().values())


def test_h100_alone_says_that_it_is_the_sxm_part() -> None:
    assert "alone means this part" in FACTS.chip("h100").note


def test_preferred_follows_the_rule_of_the_conflict() -> None:
    assert FACTS.preferred("SMIC", "yield").id == "fab-039"
    assert FACTS.preferred("huawei", "units", when="2025").id == "shi-084"
    assert FACTS.preferred("smuggled into china", "units_smuggled").id == "smu-002"


def test_preferred_takes_observations_before_forecasts() -> None:
    fact = FACTS.preferred("SMIC", "advanced_logic_capacity", "7nm")
    assert fact.nature == "observation"
    with pytest.raises(UnknownName):
        FACTS.preferred("SMIC", "yield", when="1999")


def test_select_refuses_an_unknown_measure() -> None:
    with pytest.raises(UnknownName, match="dc_revenue"):
        FACTS.select("NVIDIA", "dc_revenu")
    with pytest.raises(UnknownName, match="forecast"):
        FACTS.select("NVIDIA", nature="forcast")


def test_select_goes_by_every_key() -> None:
    whole = [fact for fact in FACTS.select("엔비디아", "데이터센터 매출") if not fact.dims]
    assert [fact.id for fact in whole if fact.id.startswith("shi")] == [f"shi-{n:03d}" for n in range(1, 16)]
    compute = FACTS.select("NVIDIA", "dc_revenue", dims={"part": "compute"}, start="2025-02", end="2025-06")
    assert [fact.as_written for fact in compute] == ["FY26Q1", "FY26Q2"]
    assert {fact.item_id for fact in FACTS.select("SMIC", "yield", "어센드 910C")} == {"huawei-ascend-910c"}
    assert all(fact.nature == "plan" for fact in FACTS.select("한국", nature="plan"))
