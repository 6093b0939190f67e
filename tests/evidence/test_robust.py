"""Hostile and broken text: no crash, offsets hold, time grows with length and no faster."""

import random
import time
from pathlib import Path

import pytest
import yaml

from chipweir.errors import InputError
from chipweir.evidence import Extraction, check_document, document_from_text, extract, result_json


SIZE = 12_000
REPEATED = (
    "1",
    "1 ",
    "10%",
    "1,",
    "1.",
    "1,000,",
    "만",
    "수십",
    "1조 ",
    "일이삼사",
    "一",
    "千万亿",
    "第",
    "2025年",
    "월",
    "$",
    "$1",
    '"',
    "“",
    "(",
    "[",
    "#1 ",
    "A1",
    "A-",
    "a.1",
    "A1-",
    "two ",
    "hundred ",
    "tens of ",
    "half a ",
    "per ",
    "1 to ",
    "1-",
    "1~",
    "http://",
    "a@",
    "a.",
    ". ",
    "!",
    "<",
    "<p a='b' ",
    "&",
    "\x00",
    "\ud800",
    "\u202e1",
    "지난 ",
    "5월 ",
    "이날 ",
    "May 5 ",
    "가나다라 ",
    "A b said. ",
    "엔비디어 ",
    "三",
    "百分之",
    "10억분의 ",
    "H2O ",
    "Aa ",
    "보도했다 ",
    "\u200b",
    "１",
    "½",
    "①",
    "5개월",
    "\n",
    "\t1.\t",
)


def timed(text: str) -> float:
    """CPU seconds to read `text`; checks every offset."""
    start = time.process_time()
    found = extract(document_from_text("a" + text, published="2025-08-30"))
    seconds = time.process_time() - start
    assert misplaced(found) == []
    return seconds


def misplaced(found: Extraction) -> list[object]:
    """What was found somewhere else than its offsets say."""
    whole = found.document.text
    spans = (*found.quantities, *found.times, *found.entities)
    outside = [one for one in (*spans, *found.sentences) if not 0 <= one.start < one.end <= len(whole)]
    return outside + [one for one in spans if whole[one.start : one.end] != one.surface]


@pytest.mark.parametrize("piece", REPEATED, ids=lambda piece: piece.encode("unicode_escape").decode()[:16])
def test_time_grows_no_faster_than_length(piece: str) -> None:
    timed(piece * 50)
    short = timed((piece * SIZE)[: SIZE // 4])
    long = timed((piece * SIZE)[:SIZE])
    assert long < 12 * short + 0.5


def test_random_text() -> None:
    draw = random.Random(7)
    letters = "0123456789.,$%~- 만억조년월일개두세第一二三百万亿元年tobnMK\"'“”()<>&\n\t\x00\u3000"
    for _ in range(40):
        for text in (
            "".join(draw.choice(letters) for _ in range(600)),
            "".join(chr(draw.randint(1, 0xFFFF)) for _ in range(300)),
        ):
            assert misplaced(extract(document_from_text("a" + text, published="2025-08-30"))) == []


@pytest.mark.slow
def test_a_megabyte_takes_under_five_seconds() -> None:
    paragraph = (
        "화웨이는 2026년까지 7나노 생산 능력을 두 배로 늘릴 계획이라고 파이낸셜타임스가 27일 "
        "보도했다. 엔비디아 H20 칩은 1만2000달러 안팎에 "
        "거래되며, 중국 업체들은 알리바바와 캠브리콘을 비롯해 자체 반도체 "
        "개발에 속도를 내고 있는 것으로 알려졌다. "
        "전문가들은 이런 흐름이 이어질 것으로 본다.\n"
    )
    text = paragraph * (1_000_000 // len(paragraph.encode()))
    assert timed(text) < 5


@pytest.mark.slow
def test_ten_megabytes_do_no_harm() -> None:
    assert timed("엔비디아는 칩을 만든다. Nothing else is said here at all. " * 160_000) < 120


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(InputError, match="longer than"):
        document_from_text("a" * 20_000_001)


JUNK = (
    *"\u200b\ufeff\x00（）İß½$%~-→“만억亿兆年월²",
    "\r\n",
    "１０",
    "\n\n",
    "<p>",
    "&amp;",
    "0",
    "9" * 30,
    "１兆",
    "\ud800",
)


def _damaged(draw: random.Random, sentences: list[str]) -> str:
    """A few sentences with letters lost, repeated and put in where they do not belong."""
    parts = []
    for _ in range(draw.randint(1, 6)):
        text = draw.choice(sentences)
        for _ in range(draw.randint(0, 4)):
            place, kind = draw.randint(0, len(text)), draw.random()
            if kind < 0.5:
                text = text[:place] + draw.choice(JUNK) + text[place:]
            elif kind < 0.8:
                text = text[:place] + text[place + draw.randint(1, 5) :]
            else:
                text = text[:place] + draw.choice(sentences)[: draw.randint(1, 20)] + text[place:]
        parts.append(text)
    return draw.choice(("\n", " ", "\r\n", "\n\n", "")).join(parts)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_news_breaks_no_check(seed: int) -> None:
    gold = Path(__file__).parent / "gold"
    sentences = [
        item["t"]
        for name in ("ko", "en", "zh", "second")
        for item in yaml.safe_load((gold / f"{name}.yaml").read_text(encoding="utf-8"))["items"]
    ]
    draw = random.Random(seed)
    for _ in range(40):
        text = _damaged(draw, sentences)
        if not any(character.isalnum() for character in text):
            continue
        record = result_json(check_document(document_from_text(text, published=draw.choice((None, "2025-09-10")))))
        for one in (*record["quantities"], *record["times"], *record["entities"]):
            given = text[one["start"] : one["end"]].replace("\r\n", " \n").replace("\r", "\n")
            assert given == one["surface"]


@pytest.mark.parametrize(
    "text",
    ["0달러(약 0원)에 팔았다.", "10억 달러(약 0원)", "0달러(1조3,880억원)", "가격이 0달러에서 0달러로 0배 늘었다."],
)
def test_quotients_with_nothing_are_not_checkable(text: str) -> None:
    checked = check_document(document_from_text(text, published="2025-08-28"))
    assert all(verdict.status != "contradicted" or verdict.evidence for _, verdict in checked.article.judged())
