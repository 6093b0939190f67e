"""Names in three scripts, sense rules, descriptions, near misses and unknown codes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir import facts
from chipweir.evidence import EntityMention, find_entities
from chipweir.text._jamo import NearMisses, jamo, one_apart


def ids(text: str, language: str = "ko") -> set[str]:
    """The ids that are accepted without a person."""
    return {one.id for one in find_entities(text, language) if one.how in {"alias", "pattern"}}


def found(text: str, how: str, language: str = "ko") -> list[EntityMention]:
    return [one for one in find_entities(text, language) if one.how == how]


@pytest.mark.parametrize(
    ("text", "expected", "language"),
    [
        ("화웨이와 중신궈지(SMIC), 캠브리콘", {"huawei", "smic", "cambricon"}, "ko"),
        ("메타X와 메타엑스는 같은 회사다", {"metax"}, "ko"),
        ("华为昇腾910C与英伟达H20", {"huawei", "huawei-ascend-910c", "nvidia-h20"}, "zh-Hans"),
        ("輝達與台積電、華為", {"nvidia", "tsmc", "huawei"}, "zh-Hant"),
        ("Nvidia's H20 and Huawei’s Ascend 910C", {"nvidia", "nvidia-h20", "huawei", "huawei-ascend-910c"}, "en"),
        ("딥시크가 공개한 V3.1 모델", {"deepseek", "deepseek-v3.1"}, "ko"),
        ("구글 제미나이 2.5 프로", {"google", "google-gemini-2.5-pro"}, "ko"),
        ("美, 中기업 압박", {"united-states", "china"}, "ko"),
        ("말레이시아·태국으로", {"malaysia", "thailand"}, "ko"),
    ],
)
def test_names_in_three_scripts(text: str, expected: set[str], language: str) -> None:
    assert ids(text, language) == expected


@pytest.mark.parametrize(
    "text",
    [
        "소매 시장은 무시할 수 없는 수단이다",
        "데이터를 저장했다",
        "선전했다",
        "‘큰 일’이란 얘기다",
        "곳곳의 CCTV 서버에 넣었다",
        "오만한 태도",
        "us and them",
        "the global world",
        "모두 나누었다",
    ],
)
def test_ordinary_words_are_no_names(text: str) -> None:
    assert ids(text, "en" if text.isascii() else "ko") == set()


def test_another_countrys_ministry_is_not_ours() -> None:
    assert "korea-mofa" not in ids("중국 외교부는 촉구했다")
    assert "korea-mofa" in ids("외교부는 국제 협력을 맡는다")


def test_a_short_code_needs_its_maker() -> None:
    assert "deepseek-r1" not in ids("R1 전기차가 나왔다")
    assert "deepseek-r1" in ids("딥시크의 ‘R1’이 나왔다")


def test_a_version_is_not_the_start_of_another() -> None:
    assert "deepseek-v3" not in ids("딥시크 V3.1 모델")
    assert "openai-gpt-4" not in ids("GPT-4.5 모델")


@pytest.mark.parametrize(
    ("text", "system", "language"),
    [
        ("어센드 384개를 통합한 시스템", "huawei-cloudmatrix-384", "ko"),
        ("블랙웰 반도체 72개로 구성된 시스템", "nvidia-gb200-nvl72", "ko"),
        ("a rack of 72 Blackwell GPUs in one system", "nvidia-gb200-nvl72", "en"),
        ("由384颗昇腾芯片组成的系统", "huawei-cloudmatrix-384", "zh-Hans"),
    ],
)
def test_descriptions_of_systems(text: str, system: str, language: str) -> None:
    assert [one.id for one in found(text, "pattern", language)] == [system]


def test_another_number_is_no_such_system() -> None:
    assert found("어센드 380개를 통합한 시스템", "pattern") == []


def test_a_letter_for_a_digit_is_only_suggested() -> None:
    text = "H2O에 대한 금지 조치가 완화되면서 칩 수요가 줄었다"
    assert "nvidia-h20" not in ids(text)
    assert [(one.id, one.surface) for one in found(text, "typo")] == [("nvidia-h20", "H2O")]


def test_water_is_water() -> None:
    assert found("물 분자 H2O는 수소와 산소로 이루어진다", "typo") == []


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("알리비바가 개발했다", "alibaba"),
        ("백악권은 말했다", "white-house"),
        ("엔비디어의 칩", "nvidia"),
        ("Huawai said", "huawei"),
        ("Nvidea said", "nvidia"),
    ],
)
def test_near_misses_are_suggested(text: str, identity: str) -> None:
    assert identity not in ids(text)
    assert [one.id for one in found(text, "typo")] == [identity]


@pytest.mark.parametrize(
    "text", ["알리바바가 말했다", "바이든은 말했다", "메모리 수요가 늘었다", "Hoppers and chips", "반도체 산업의 미래"]
)
def test_right_spellings_are_no_near_misses(text: str) -> None:
    assert found(text, "typo") == []


def test_an_unknown_code_beside_chips_raises_an_alarm() -> None:
    assert [(one.id, one.surface) for one in found("새 AI 칩 ZX7720을 공개했다", "code")] == [("", "ZX7720")]
    assert found("올해 Q2 FP8 성능과 DDR5 칩", "code") == []
    assert found("편명은 KE8012였다", "code") == []


def test_every_chip_is_found_by_its_own_name() -> None:
    known = facts.load()
    missed = [
        chip.id
        for chip in known.chips.values()
        if "(" not in chip.name
        and "/" not in chip.name
        and chip.id not in ids(f"The {chip.name} chip of {chip.maker}.", "en")
    ]
    assert missed == []


def test_a_fact_base_of_ones_own_brings_its_names(tmp_path) -> None:
    file = tmp_path / "entities.csv"
    header = "id,kind,en,ko,zh,aliases,parent,country"
    file.write_text(f"{header}\nacme-chips,company,Acme Chips,애크미칩스,,ACMECHIP,,US\n", encoding="utf-8")
    own = facts.load([tmp_path])
    assert "acme-chips" in {one.id for one in find_entities("애크미칩스가 칩을 냈다", "ko", own)}


@settings(deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_linked_without_harm(text: str) -> None:
    for one in find_entities(text):
        assert text[one.start : one.end] == one.surface


def test_jamo() -> None:
    assert jamo("한글") == "ㅎㅏㄴㄱㅡㄹ"
    assert one_apart("abcd", "abd")
    assert one_apart("abcd", "acbd")
    assert not one_apart("abcd", "abcd")
    assert not one_apart("abcd", "axyd")


@settings(deadline=None)
@given(
    st.text(alphabet="가나다라마", min_size=3, max_size=6),
    st.integers(min_value=0, max_value=20),
    st.sampled_from("ㄱㄴㅏㅓ"),
)
def test_near_misses_find_every_single_letter_change(name: str, place: int, letter: str) -> None:
    index = NearMisses.of([name])
    letters = jamo(name)
    place %= len(letters)
    changed = letters[:place] + letter + letters[place + 1 :]
    assert index.near(changed) == ((name,) if changed != letters else ())
