"""Verdicts on sentences of our own: the status, the slot that decides, and the numbers they rest on."""

import math
import re

import pytest
from articles import CHINESE, ENGLISH, KOREAN
from hypothesis import given
from hypothesis import strategies as st

from chipweir import facts
from chipweir.evidence import check_document, document_from_text
from chipweir.evidence._check import result_json
from chipweir.evidence._verdict import claimed_interval, compare, decide, rounding
from chipweir.text._segment import attribution


def verdicts(text: str, published: str | None = "2025-09-25"):
    checked = check_document(document_from_text(text, published=published))
    return list(checked.article.judged())


def only(text: str, frame: str, published: str | None = "2025-09-25"):
    found = [(c, v) for c, v in verdicts(text, published) if c.frame == frame]
    assert found, [c.frame for c, _ in verdicts(text, published)]
    return found[0][1]


def number(verdict, name):
    return next(n for n in verdict.numbers if n.name == name)


STATUS = [
    ("DeepSeek V3.1 costs $1.68 per million output tokens.", "price", "consistent", "2025-09-25"),
    ("DeepSeek V3.1 costs $3 per million output tokens.", "price", "contradicted", "2025-09-25"),
    ("GPT-5는 출력 토큰 100만 개당 10달러다.", "price", "consistent", "2025-09-25"),
    ("Kimi K2 has 1 trillion parameters.", "params", "consistent", "2025-09-25"),
    ("Kimi K2 has 300 billion parameters.", "params", "contradicted", "2025-09-25"),
    ("Seed-OSS-36B의 컨텍스트 윈도우는 512K다.", "context", "consistent", "2025-09-25"),
    ("엔비디아 H20 칩의 메모리는 96GB다.", "spec", "consistent", "2025-09-25"),
    ("엔비디아 H20 칩의 소비전력은 700W다.", "spec", "contradicted", "2025-09-25"),
    ("캠브리콘의 2025년 2분기 매출은 17억6900만위안이다.", "revenue", "consistent", "2025-09-25"),
    ("Cambricon's revenue in the second quarter of 2025 was $900 million.", "revenue", "contradicted", "2025-09-25"),
    ("SMIC의 7나노 공정 수율은 70%다.", "yield", "ambiguous", "2025-09-25"),
    ("엔비디아 B200 칩은 중국 수출이 금지됐다.", "rule_state", "consistent", "2025-09-25"),
    ("엔비디아 H20 칩은 중국 수출이 금지됐다.", "rule_state", "stale", "2025-09-25"),
    ("엔비디아 H20 칩은 중국 수출이 금지됐다.", "rule_state", "consistent", "2025-05-20"),
    ("미국은 엔비디아 H20 칩의 중국 수출을 허용했다.", "rule_state", "consistent", "2025-09-25"),
    ("미국은 엔비디아 B200 칩의 중국 수출을 허용했다.", "rule_state", "contradicted", "2025-09-25"),
    ("중국에는 HBM을 수출할 수 없다.", "rule_state", "consistent", "2025-08-20"),
    ("중국에는 HBM을 수출할 수 없다.", "rule_state", "contradicted", "2024-06-20"),
    ("Nvidia H200 chips are banned in China.", "rule_state", "stale", "2026-02-10"),
    ("The US takes 15% of Nvidia's H20 revenue from China.", "proportion", "consistent", "2025-09-25"),
    ("The US takes 25% of Nvidia's H20 chip revenue, a cut of sales.", "proportion", "contradicted", "2025-09-25"),
    ("엔비디아 주가는 3% 하락했다.", "stock_move", "not_checkable", "2025-09-25"),
    ("알리바바가 만든 ‘Kimi K2’가 인기다.", "maker", "contradicted", "2025-09-25"),
    ("지난 3년간 미국의 수출통제가 이어졌다.", "duration", "consistent", "2025-11-02"),
    ("지난 1년간 미국의 수출통제가 이어졌다.", "duration", "contradicted", "2025-11-02"),
    ("DeepSeek released R1 in January 2025.", "event", "consistent", "2025-09-25"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "frame", "status", "day"), STATUS, ids=[f"{r[1]}-{r[2]}-{n}" for n, r in enumerate(STATUS)]
)
def test_status(text, frame, status, day):
    verdict = only(text, frame, day)
    assert verdict.status == status, (verdict.slots, verdict.text)
    if status in {"consistent", "contradicted", "stale"}:
        assert verdict.evidence


def test_a_chip_count_ratio_is_the_quotient_of_the_counts_and_racks_are_named():
    verdict = next(v for c, v in verdicts(ENGLISH) if c.frame == "count_ratio")
    assert verdict.status == "consistent"
    assert number(verdict, "ratio").value == pytest.approx(384 / 72)
    assert any(note.key == "racks" for note in verdict.notes)


def test_a_count_ratio_that_names_no_order_is_read_the_way_it_can_hold():
    text = "화웨이 클라우드매트릭스 384(384개)가 엔비디아 GB200 NVL72(72개)에 맞섰다. 칩 수로는 5.3배다."
    assert only(text, "count_ratio").status == "consistent"


@pytest.mark.parametrize(
    "text",
    [
        "딥시크는 출력 토큰 100만개당 1.68달러를 받는다. GPT-5는 출력 토큰 100만개당 10달러, 아무개 모형은 75달러다.",
        "GPT-5 costs $10 per million output tokens and Somemodel $75.",
    ],
)
def test_a_price_of_a_name_nobody_knows_is_not_the_price_of_the_one_before(text):
    found = [(claim, verdict) for claim, verdict in verdicts(text) if claim.frame == "price"]
    assert [verdict.status for _claim, verdict in found][-1] in {"not_checkable", "unsupported"}
    assert found[-1][0].slots["model"].asked


def test_revenue_made_in_china_is_held_against_revenue_from_china():
    assert only("엔비디아는 2024년 중국에서 171억달러의 매출을 올렸다.", "revenue").status == "consistent"


def test_up_to_n_times_holds_only_for_the_dearest_and_the_others_are_shown():
    verdict = next(v for c, v in verdicts(ENGLISH) if c.frame == "price_ratio")
    assert (verdict.status, verdict.slot) == ("imprecise", "against")
    quotients = sorted(n.value for n in verdict.numbers if n.name.startswith("ratio"))
    assert quotients == [pytest.approx(10 / 1.68), pytest.approx(75 / 1.68)]


def test_events_are_told_in_the_readers_language():
    text = "엔비디아는 중국 매출의 15%를 미국 정부에 내기로 했다. 7월 15일에는 엔비디아가 H20 판매를 재개한다고 밝혔다."
    checked = check_document(document_from_text(text, published="2025-09-01"), facts.load())
    korean, english = (result_json(checked, language)["claims"] for language in ("ko", "en"))
    assert len(korean) == 3
    for told, other in zip(korean, english, strict=True):
        assert told["verdict"] == other["verdict"]
        events = [item for item in told["evidence"] if item["kind"] == "event"]
        assert events
        assert all(item["text"] == facts.load().events[item["id"]].description_ko for item in events)
        assert any(item["text"] in told["explanation"] for item in events)
        assert not re.search("[가-힣]", other["explanation"])


def test_who_is_measured_against_whom_is_read_from_verbs_and_possessives():
    text = (
        "July 15, 2025 — Nvidia said it plans to resume H20 sales, three months after Washington imposed a licence "
        "requirement. The company had written off $5.5 billion. The H20 has 96 GB of memory and is about 15 percent as "
        "fast as the H100 in training. CloudMatrix 384 is said to outperform Nvidia's GB200 NVL72 with 1.7 times the "
        "compute, while drawing four times the power."
    )
    found = verdicts(text, None)
    by_frame = [(c, v) for c, v in found if c.frame == "spec_ratio"]
    pairs = [(c.value("item"), c.value("against"), c.value("attribute")) for c, _ in by_frame]
    assert pairs == [
        ("nvidia-h20", "nvidia-h100-sxm", "performance"),
        ("huawei-cloudmatrix-384", "nvidia-gb200-nvl72", "compute"),
        ("huawei-cloudmatrix-384", "nvidia-gb200-nvl72", "power"),
    ]
    assert [v.status for _, v in by_frame] == ["unsupported", "imprecise", "consistent"]
    assert [c.value("who") for c, _ in found if c.frame == "amount"] == ["nvidia"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("엔비디아 H20의 연산 성능은 H100의 약 15% 수준이다.", "consistent"),
        ("엔비디아 H20의 연산 성능은 H100보다 15% 높다.", "contradicted"),
        ("H200의 메모리 대역폭은 H100보다 43% 높다.", "consistent"),
        ("Nvidia's H20 offers about 15 percent of the compute of the H100.", "consistent"),
        ("Nvidia's H20 is 90 percent faster than the H100.", "contradicted"),
        ("英伟达H20的算力仅为H100的15%。", "consistent"),
    ],
)
def test_per_cent_of_and_per_cent_more_are_told_apart(text, status):
    assert only(text, "spec_ratio").status == status


def test_the_attribute_before_a_korean_figure_is_the_one_it_measures():
    text = "클라우드매트릭스 384는 GB200 NVL72보다 연산 성능이 1.6배이고 HBM 용량은 3.6배이지만 전력은 4배다."
    found = [(c.value("attribute"), v.status) for c, v in verdicts(text) if c.frame == "spec_ratio"]
    assert found == [("compute", "consistent"), ("memory", "consistent"), ("power", "consistent")]


def test_a_korean_price_of_the_name_behind_it_and_a_fraction_of_a_price():
    text = "딥시크-V3.1의 출력 가격은 100만 토큰당 1.68달러로, 10달러인 GPT-5의 6분의 1 수준이다."
    prices = {c.value("model"): v.status for c, v in verdicts(text) if c.frame == "price"}
    assert prices == {"deepseek-v3.1": "consistent", "openai-gpt-5": "consistent"}
    assert only(text, "price_ratio").status == "consistent"
    assert only(text.replace("6분의 1", "3분의 1"), "price_ratio").status == "contradicted"


@pytest.mark.parametrize(
    ("text", "published", "status"),
    [
        ("An Nvidia H100 rents for $9 an hour.", "2023-07-01", "consistent"),
        ("An Nvidia H100 rents for $25 an hour.", "2025-09-10", "contradicted"),
        ("엔비디아 H100의 임대료는 시간당 3000원이다.", "2025-08-10", "consistent"),
        ("英伟达H100的租赁价格约为每小时2.3美元。", "2025-07-10", "consistent"),
        ("An Nvidia H100 rents for $25 an hour.", "2021-01-01", "unsupported"),
        ("A GB200 NVL72 rents for $300 an hour.", "2026-05-20", "unsupported"),
    ],
)
def test_rents_are_held_against_those_of_their_time(text, published, status):
    assert only(text, "rental", published).status == status


def test_a_possessive_binds_a_name_to_its_own_figure_alone():
    text = "DeepSeek charges $1.68 per million output tokens, one sixth of GPT-5's $10."
    assert [(c.value("model"), v.status) for c, v in verdicts(text) if c.frame == "price"] == [
        (None, "unsupported"),
        ("openai-gpt-5", "consistent"),
    ]
    text = "TSMC makes Huawei's chips no more, and Cambricon's revenue rose 44-fold to 2.88 billion yuan in the first half."
    assert only(text, "revenue").numbers[0].value == pytest.approx(2.88e9)
    assert [c.value("company") for c, _ in verdicts(text) if c.frame == "revenue"] == ["cambricon"]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("화웨이는 2025년 어센드 20만개를 만들 수 있다고 미 상무부가 말했다.", "미 상무부"),
        ("블룸버그는 화웨이가 칩을 만든다고 보도했다.", "블룸버그"),
        ("엔비디아는 판매를 재개한다고 밝혔다.", "엔비디아"),
    ],
)
def test_who_says_so_is_not_who_does_so(text, who):
    assert attribution(text) == who


def test_a_share_of_something_else_refutes_nothing():
    verdict = only("엔비디아 매출에서 중국 비중은 13%다.", "share")
    assert verdict.status == "unsupported"
    assert all(item.supports is None for item in verdict.evidence)
    assert only("화웨이는 2025년 어센드 20만개를 만들 수 있다고 미 상무부가 말했다.", "units").status == "consistent"


def test_each_day_that_a_sentence_names_is_an_event_but_not_its_dateline():
    dateline = "2025년 9월 16일 — "
    text = dateline + "미국은 2024년 12월 HBM의 대중 수출을 통제했고, 2022년 10월에는 A100과 H100의 중국 수출을 막았다."
    found = [(c.value("date"), v.evidence[0].id, v.status) for c, v in verdicts(text) if c.frame == "event"]
    assert found == [("2024-12", "evt-024", "consistent"), ("2022-10", "evt-001", "consistent")]


@pytest.mark.parametrize(
    ("opening", "published"),
    [
        ("July 15, 2025 — Nvidia said it sold chips.", "2025-07-15"),
        ("SEOUL, South Korea, 3 March 2025 (Wire) -- Nvidia said it sold chips.", "2025-03-03"),
        ("The deal was signed on July 15, 2025 — and nobody knew.", None),
    ],
)
def test_a_date_that_opens_the_text_is_the_day_of_publication(opening, published):
    document = document_from_text("A headline\n\n" + opening)
    assert (document.published, document.published_basis) == (published, "explicit" if published else "unknown")


def test_racks_are_not_chips():
    counts = [
        c
        for c, _ in verdicts("Huawei's CloudMatrix 384 links 384 Ascend 910C chips in sixteen racks.")
        if c.frame == "chip_count"
    ]
    assert len(counts) == 1


def test_a_yield_without_a_product_is_set_beside_all_published_ones_and_the_defects_it_needs():
    verdict = only("SMIC의 7나노 공정 수율은 70%다.", "yield")
    assert verdict.slot == "product"
    needed = [n.value for n in verdict.numbers if n.unit == "per cm2"]
    assert needed[0] == pytest.approx(-math.log(0.7) / 1.1)
    assert needed[1] < needed[0] / 5
    assert len([n for n in verdict.numbers if n.source.startswith("fab-")]) >= 4


def test_a_gloss_is_held_against_the_rate_of_the_month():
    good = only("밀수 규모는 10억 달러(약 1조3,880억원)다.", "fx", "2025-08-28")
    bad = only("밀수 규모는 10억 달러(약 1조1,000억원)다.", "fx", "2025-08-28")
    assert (good.status, bad.status) == ("consistent", "contradicted")
    assert only("밀수 규모는 10억 달러(약 1조3,880억원)다.", "fx", None).status == "ambiguous"


def test_two_readings_of_n_times_more_give_an_ambiguous_verdict():
    text = "엔비디아 B200 칩의 메모리 대역폭은 엔비디아 H20 칩보다 2배 증가했다."
    found = [v for c, v in verdicts(text) if c.frame == "spec_ratio"]
    assert found
    assert found[0].status in {"ambiguous", "consistent"}


def test_a_comparison_lists_what_holds_and_what_does_not():
    verdict = next(v for c, v in verdicts(ENGLISH) if c.frame == "comparison")
    by = {n.name: n.value for n in verdict.numbers}
    assert by["bf16_pflops"] > 1.3
    assert by["power_kw"] > 3
    assert verdict.command == "chipweir match huawei-cloudmatrix-384 nvidia-gb200-nvl72 --model deepseek-v3"


@pytest.mark.parametrize("text", [KOREAN, CHINESE, ENGLISH], ids=["ko", "zh", "en"])
def test_every_verdict_names_its_evidence_by_ids_that_exist(text):
    known = facts.load()
    tables = (known.facts, known.prices, known.chips, known.systems, known.models, known.events)
    for _, verdict in verdicts(text, None):
        for item in verdict.evidence:
            if item.kind in {"fact", "price", "event"} and not item.id.startswith(("fx-", "listed-")):
                assert any(item.id in table for table in tables), item
        for used in verdict.numbers:
            assert math.isfinite(used.value)


@given(st.floats(0.01, 1e12), st.floats(0.5, 2))
def test_comparison_of_a_figure_with_itself_is_consistent_and_with_a_far_one_is_not(value, factor):
    assert compare((value, value), (value, value)) == "consistent"
    assert compare((value * 2, value * 2), (value, value)) == "contradicted"
    near = compare((value * factor, value * factor), (value, value))
    assert near != "contradicted" or factor > 1.25 or factor < 0.8


@given(st.integers(1, 9_999_999))
def test_rounding_is_never_more_than_five_per_cent_nor_less_than_the_digits_allow(value):
    assert 0 < rounding(str(value)) <= 0.05


@given(st.floats(1, 1e9), st.sampled_from(["eq", "approx", "ge", "le", "gt", "lt"]))
def test_the_words_always_allow_the_number_itself(value, bound):
    low, high = claimed_interval(value, None, None, bound, f"{value:g}")
    assert low <= value <= high


def test_the_worst_slot_decides():
    assert decide({"figure": "consistent", "actor": "contradicted", "by": "imprecise"}) == ("contradicted", "actor")
    assert decide({"figure": "consistent"}) == ("consistent", "figure")
    assert decide({}) == ("not_checkable", "")
