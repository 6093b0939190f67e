"""Kinds of faults, each with sentences of our own in three languages: what the figure or statement must be told to be."""

import pytest

from chipweir.errors import InputError
from chipweir.evidence import check_document, document_from_text
from chipweir.text import decode


def judged(text: str, day: str):
    article = check_document(document_from_text(text, published=day)).article
    return [(c, article.text[c.start : c.end], v) for c, v in article.judged()]


def of_figure(text: str, words: str, day: str) -> str:
    article = check_document(document_from_text(text, published=day)).article
    at = text.index(words)
    return next(
        v.status
        for c, v in article.judged()
        if c.quantity is not None
        and article.found.quantities[c.quantity].start < at + len(words)
        and at < article.found.quantities[c.quantity].end
    )


@pytest.mark.parametrize(
    "text",
    [
        "Washington will decide this month whether to allow H200 exports to China.",
        "상무부는 엔비디아 H200의 중국 수출을 허용할지 검토한다.",
        "美国是否允许英伟达H200出口中国尚待决定。",
    ],
)
def test_an_open_question_is_no_statement(text: str) -> None:
    assert [c for c, _, _ in judged(text, "2025-11-28") if c.frame == "rule_state"] == []


@pytest.mark.parametrize(
    "text",
    [
        "Nvidia's H20 is not banned in China.",
        "엔비디아 H20의 중국 수출이 금지된 것은 아니다.",
        "英伟达H20对华出口并未被禁止。",
    ],
)
def test_a_denied_ban_is_no_ban(text: str) -> None:
    assert [v.status for c, _, v in judged(text, "2025-11-28") if c.frame == "rule_state"] == ["consistent"]


@pytest.mark.parametrize(
    ("text", "words", "status"),
    [
        ("Nvidia booked a charge of $4.5 billion in the first quarter of fiscal 2026 due to the H20 ban.", "$4.5 billion",
         "consistent"),
        ("엔비디아는 회계연도 2026년 1분기에 H20 규제로 90억 달러를 손실 처리했다.", "90억 달러", "contradicted"),
        ("The list price of DeepSeek-V3 and R1 output is $1.10 and $2.19 per million tokens respectively.", "$2.19",
         "consistent"),
        ("H200의 연산 성능은 H20의 6.7배다.", "6.7배", "consistent"),
        ("H200의 연산 성능은 H20의 12배다.", "12배", "contradicted"),
        ("H200的算力是H20的6.7倍。", "6.7倍", "consistent"),
        ("The H200 has 12 times the compute of the H20.", "12 times", "contradicted"),
        ("엔비디아 H100은 12나노 공정으로 만든다.", "12나노", "contradicted"),
        ("英伟达H100采用4纳米制程。", "4纳米", "consistent"),
        ("The city bought 2,000 GPUs at $30,000 each for $60 million.", "$60 million", "consistent"),
        ("시는 GPU 2000장을 장당 4000만 원씩 5000억 원에 샀다.", "5000억 원", "contradicted"),
        ("该市以每张3万元采购2000张GPU，共6000万元。", "6000万元", "consistent"),
        ("寒武纪第三季度营收17.27亿元，净利润5.67亿元。", "5.67亿元", "unsupported"),
        ("Cambricon's net profit in the third quarter of 2025 was 567 million yuan.", "567 million yuan", "unsupported"),
    ],
)  # fmt: skip
def test_a_figure_of_each_kind(text: str, words: str, status: str) -> None:
    assert of_figure(text, words, "2025-11-20") == status


@pytest.mark.parametrize(
    ("text", "frame", "status"),
    [
        ("The AI Diffusion rule is still in force.", "in_force", "contradicted"),
        ("AI 확산 규칙은 여전히 유효하다.", "in_force", "contradicted"),
        ("The AI Diffusion rule was rescinded in May.", "in_force", "consistent"),
        ("Malaysia requires no permit for exports of American AI chips.", "permit", "contradicted"),
        ("말레이시아는 미국산 AI 칩 수출에 허가를 요구한다.", "permit", "consistent"),
    ],
)
def test_a_rule_by_name(text: str, frame: str, status: str) -> None:
    assert [v.status for c, _, v in judged(text, "2025-12-01") if c.frame == frame] == [status]


@pytest.mark.parametrize("data", [bytes(range(256)) * 8, b"PK\x03\x04" + bytes(200), b"%PDF-1.7\n" + bytes(300)])
def test_bytes_that_are_no_text_are_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(InputError, match="no text") as caught:
        decode(data)
    assert "\n" not in str(caught.value)
