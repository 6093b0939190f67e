"""Paragraphs, sentences, quotations and citations."""

import pytest

from chipweir.evidence import Document, document_from_text, segment
from chipweir.text._segment import attribution, quotations


def pieces(text: str) -> list[str]:
    return [text[one.start : one.end] for one in segment(Document(text, "", "en"))]


def test_sentences_do_not_end_in_numbers_or_abbreviations() -> None:
    assert pieces("It cost $1.68 in the U.S. market. Next one. SMIC Inc. said so.") == [
        "It cost $1.68 in the U.S. market.",
        "Next one.",
        "SMIC Inc. said so.",
    ]


def test_korean_and_chinese_sentences() -> None:
    assert pieces("늘었다. 줄었다.") == ["늘었다.", "줄었다."]
    assert pieces("产能翻倍。股价上涨！") == ["产能翻倍。", "股价上涨！"]


def test_every_letter_lies_in_one_sentence() -> None:
    text = '# 제목\n\n첫 문장이다. "둘째 문장이다." 셋째\n넷째…'
    sentences = segment(Document(text, "", "ko"))
    covered = [place for one in sentences for place in range(one.start, one.end)]
    assert len(covered) == len(set(covered))
    assert all(text[place].isspace() for place in range(len(text)) if place not in set(covered))


def test_quotations_of_every_kind() -> None:
    text = '“하나” ‘둘’ "셋" 「넷」'
    assert [text[start:end] for start, end in quotations(text, 0, len(text))] == ["하나", "둘", "셋", "넷"]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("업계에 따르면 수율은 70%다.", "업계"),
        ("FT는 칩 규모가 10억 달러를 웃돈다고 분석했다.", "FT"),
        ("파이낸셜타임스(FT)에 따르면 공장 3곳을 짓는다.", "파이낸셜타임스"),
        ("According to Bernstein, sales rose.", "Bernstein"),
        ("Huawei said it had no such plans.", "Huawei"),
        ("据路透社报道，产能翻倍。", "路透社"),
        ("中芯国际表示，产能翻倍。", "中芯国际"),
        ("수율은 70%다.", ""),
    ],
)
def test_citations(text: str, who: str) -> None:
    assert attribution(text) == who


def test_a_repeated_paragraph_is_marked() -> None:
    line = "알리바바를 비롯해 중국 업체들이 토종 인공지능 반도체 개발에서 성과를 내면서 기대가 커지고 있다."
    sentences = segment(document_from_text(f"{line}\n{line}\n끝."))
    assert [one.dropped for one in sentences] == [False, True, False]


def test_a_stretch_without_a_stop_is_cut_between_words() -> None:
    text = "가격은 1,234달러이고 " * 2000
    found = segment(document_from_text(text))
    assert max(one.end - one.start for one in found) <= 600
    assert "".join(text[one.start : one.end] for one in found).replace(" ", "") == text.replace(" ", "")
    assert all(not text[one.start : one.end].lstrip().startswith("234") for one in found)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Opus costs $75. DeepSeek charges less.", 2),
        ("1. Opus costs more.", 1),
        ("발표일은 2025. 9. 5. 이다.", 1),
    ],
)
def test_a_number_ends_a_sentence_unless_it_counts_or_dates(text: str, count: int) -> None:
    assert len(segment(document_from_text(text))) == count
