"""Whole articles in many styles: how their figures are read and judged, and how lines that belong together are."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from chipweir import facts
from chipweir.evidence import check_document, document_from_text, result_json


ARTICLES = yaml.safe_load((Path(__file__).parent / "gold" / "styles.yaml").read_text(encoding="utf-8"))
_MARKED = re.compile(r"\[\[(.*?)\|([TWU])\]\]")


def _result(text, published):
    return result_json(check_document(document_from_text(text, published=str(published)), facts.load()))


def _status(found, start, end):
    quantities = found["quantities"]
    for claim in found["claims"]:
        if claim["quantity"] is not None:
            figure = quantities[claim["quantity"]]
            if figure["start"] < end and start < figure["end"]:
                return claim["verdict"]
    return "none"


@pytest.fixture(scope="module")
def judged():
    counted = {kind: Counter() for kind in "TWU"}
    for article in ARTICLES:
        text, spans, at = "", [], 0
        for mark in _MARKED.finditer(article["text"]):
            text += article["text"][at : mark.start()]
            spans.append((len(text), len(text) + len(mark[1]), mark[2]))
            text, at = text + mark[1], mark.end()
        found = _result(text + article["text"][at:], article["published"])
        for start, end, kind in spans:
            counted[kind][_status(found, start, end)] += 1
    return counted


def test_what_is_true_is_confirmed_more_often_than_not_and_hardly_ever_denied(judged):
    true = judged["T"]
    assert true["consistent"] >= 0.68 * true.total(), true
    assert true["contradicted"] + true["stale"] <= 0.02 * true.total(), true


def test_what_is_wrong_or_hearsay_is_not_confirmed(judged):
    assert judged["W"]["contradicted"] >= 0.5 * judged["W"].total(), judged["W"]
    assert judged["W"]["consistent"] + judged["U"]["consistent"] == 0, judged


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SMIC\n\n- capex 2022: $6.35bn\n- utilisation 2023Q2: 78.3%\n- utilisation 2023Q3: 77.1%", "77.1%"),
        ("Q: What did SMIC spend on capex in 2022?\n\nA: $6.35 billion.", "$6.35 billion"),
        ("문: SMIC의 2023년 2분기 가동률은 얼마였나?\n\n답: 78.3%였다.", "78.3%"),
        ("问：中芯国际2023年第二季度的产能利用率是多少？\n\n答：78.3%。", "78.3%"),
    ],
)
def test_a_heading_holds_for_its_list_and_a_question_for_its_answer(text, words):
    at = text.index(words)
    assert _status(_result(text, "2025-12-01"), at, at + len(words)) == "consistent"


@pytest.mark.parametrize(
    ("text", "surface", "value"),
    [
        ("2023年底为70 EFLOPS，同年6月底为49 EFLOPS。", "6月底", "2023-06"),
        ("2023년 말 7만 개였고 같은 해 6월에는 5만 개였다.", "6월", "2023-06"),
        ("It held 70 at the end of 2023 and 49 in June of that year.", "June", "2023-06"),
        ("What did it spend in 2022? Much.", "2022", "2022"),
        ("'24년 5월 반도체 수출", "'24년 5월", "2024-05"),
        ("'25년 3분기 매출", "'25년 3분기", "2025-Q3"),
    ],
)
def test_years_told_in_short(text, surface, value):
    times = {one["surface"]: one["value"] for one in _result(text, "2025-12-05")["times"]}
    assert times[surface] == value, times
