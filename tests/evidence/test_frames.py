"""Frames and slots: each sentence is the project's own; what is not said must be asked for, not guessed."""

import pytest

from chipweir.evidence import document_from_text, extract, propose
from chipweir.evidence._frames import templates


def claims(text: str, published: str = "2025-09-25"):
    return propose(extract(document_from_text(text, published=published)))


def only(text: str, frame: str):
    found = [claim for claim in claims(text) if claim.frame == frame]
    assert found, f"no {frame} in: {[c.frame for c in claims(text)]}"
    return found[0]


SLOTS = [
    (
        "SMIC의 7나노 공정 수율은 60%로 올랐다.",
        "yield",
        {"fab": "smic", "node": pytest.approx(7e-9)},
        {"product", "date"},
    ),
    (
        "SMIC's 7nm yield for the Ascend 910C was 40% in 2025.",
        "yield",
        {"fab": "smic", "product": "huawei-ascend-910c"},
        set(),
    ),
    ("中芯国际7纳米工艺的良率为40%。", "yield", {"fab": "smic", "node": pytest.approx(7e-9)}, {"product", "date"}),
    ("SMIC는 2026년까지 7나노 생산 능력을 두 배로 늘린다.", "capacity_change", {"actor": "smic", "by": "2026"}, set()),
    ("SMIC will double its 7nm capacity by 2026.", "capacity_change", {"actor": "smic", "by": "2026"}, set()),
    ("캠브리콘의 2분기 매출은 17억6900만위안이다.", "revenue", {"company": "cambricon", "metric": "revenue"}, set()),
    (
        "Nvidia's data-center revenue was $41.1 billion in the second quarter.",
        "revenue",
        {"company": "nvidia", "metric": "data-centre revenue"},
        set(),
    ),
    (
        "GPT-5 costs $10 per million output tokens.",
        "price",
        {"model": "openai-gpt-5", "direction": "output", "basis": "per_1e6_token"},
        set(),
    ),
    ("GPT-5는 100만 토큰당 10달러다.", "price", {"model": "openai-gpt-5"}, {"direction"}),
    (
        "SK하이닉스의 HBM 점유율은 2025년 2분기 출하량 기준 62%다.",
        "share",
        {"vendor": "sk-hynix", "basis": "units"},
        set(),
    ),
    ("엔비디아 주가는 3% 하락했다.", "stock_move", {"company": "nvidia"}, {"period"}),
    ("Kimi K2 has 1 trillion parameters.", "params", {"model": "moonshot-kimi-k2"}, set()),
    (
        "화웨이 클라우드매트릭스 384는 어센드 칩 384개를 연결한 시스템이다.",
        "chip_count",
        {"system": "huawei-cloudmatrix-384"},
        set(),
    ),
    (
        "중국 정부는 지난 1월 84억달러 규모의 AI 펀드를 발표했다.",
        "fund",
        {"actor": "china-government", "purpose": "AI"},
        set(),
    ),
]


@pytest.mark.parametrize(
    ("text", "frame", "slots", "asked"), SLOTS, ids=[f"{row[1]}-{n}" for n, row in enumerate(SLOTS)]
)
def test_slots_are_filled_by_what_the_sentence_says_and_the_rest_is_asked_for(text, frame, slots, asked):
    claim = only(text, frame)
    for name, value in slots.items():
        assert claim.value(name) == value, claim.slots
    assert asked <= set(claim.asked)


def test_a_gloss_in_brackets_is_an_exchange_rate_and_leaves_the_amount_to_its_own_claim():
    found = {claim.frame: claim for claim in claims("캠브리콘의 2분기 매출은 17억6900만위안(약 3400억원)이다.")}
    assert found["fx"].value("original") == pytest.approx(1.769e9)
    assert found["revenue"].value("company") == "cambricon"


def test_a_level_is_not_a_growth_rate():
    assert "growth" not in {c.frame for c in claims("The domestic share of China's market rose to 40%.")}
    assert "growth" in {c.frame for c in claims("Nvidia's revenue rose 40% from a year earlier.")}


def test_the_outlet_that_reports_is_not_the_one_who_acts():
    claim = only(
        "27일 파이낸셜타임스(FT)는 SMIC가 2026년까지 7나노 생산 능력을 두 배로 늘린다고 보도했다.", "capacity_change"
    )
    assert claim.value("actor") == "smic"


def test_a_pronoun_carries_the_subject_of_the_sentence_before():
    text = (
        "딥시크 V3.1의 가격은 출력 토큰 100만 개당 1.68달러다. 이는 클로드 오푸스 4.1(75달러)보다 44배 낮은 수준이다."
    )
    claim = only(text, "price_ratio")
    assert claim.value("item") == "deepseek-v3.1"
    assert claim.value("against") == ("anthropic-claude-opus-4.1",)


@pytest.mark.parametrize(
    ("text", "modality"),
    [
        ("SMIC의 7나노 수율은 70%다.", "asserted"),
        ("업계에 따르면 SMIC의 7나노 수율은 70%다.", "reported"),
        ("SMIC의 7나노 수율은 70%인 것으로 추정된다.", "hedged"),
        ("한 관계자는 “SMIC의 7나노 수율은 70%다”라고 말했다.", "quoted"),
        ("SMIC의 7나노 수율은 내년 70%에 이를 전망이다.", "forecast"),
        ("SMIC may reach a 7nm yield of 70%.", "hedged"),
    ],
)
def test_modality(text, modality):
    assert only(text, "yield").modality == modality


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("H20 칩의 중국 수출이 금지됐다.", "banned"),
        ("미국이 H20 칩의 대중 수출 재개를 승인했다.", "allowed"),
        ("Exports of the H20 chip to China are banned.", "banned"),
        ("英伟达H20芯片对华出口被禁止。", "banned"),
    ],
)
def test_a_state_of_the_rules_names_item_state_and_destination(text, state):
    claim = only(text, "rule_state")
    assert (claim.value("item"), claim.value("state"), claim.value("destination")) == ("nvidia-h20", state, "china")


def test_a_state_is_not_pinned_on_the_neighbour_of_a_misspelt_chip():
    frames = claims("H2O 규제가 완화되면서 암시장에서 B200 칩 수요가 줄었다.")
    assert not [c for c in frames if c.frame == "rule_state" and c.value("item") == "nvidia-b200"]


def test_every_frame_names_its_slots_units_and_labels():
    for name, template in templates().items():
        assert set(template.label) == {"en", "ko"}, name
        assert template.slots, name
        assert template.needs, name


def test_claims_point_into_the_text():
    text = "SMIC의 7나노 공정 수율은 60%다. 화웨이는 2026년까지 공장 두 개를 더 짓는다."
    for claim in claims(text):
        assert 0 <= claim.start < claim.end <= len(text)
        for slot in claim.slots.values():
            if slot.start is not None and slot.surface:
                assert text[slot.start : slot.end].startswith(slot.surface[:10])
