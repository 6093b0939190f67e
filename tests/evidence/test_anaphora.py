"""Who "the company" is: makers, products and periods carried from sentence to sentence and across paragraphs."""

import pytest

from chipweir import facts
from chipweir.evidence import check_document, document_from_text, result_json


def verdicts(text, published="2025-12-10"):
    """The verdict on each figure, by its surface."""
    found = result_json(check_document(document_from_text(text, published=published), facts.load()))
    return {
        found["quantities"][c["quantity"]]["surface"]: c["verdict"]
        for c in found["claims"]
        if c["quantity"] is not None
    }


@pytest.mark.parametrize(
    ("text", "figure", "status"),
    [
        ("TSMC reported results.\n\nThe company's revenue was $33.1 billion in the third quarter of 2025.",
         "$33.1 billion", "consistent"),
        ("TSMC reported results.\n\nThe company's revenue was $70 billion in the third quarter of 2025.",
         "$70 billion", "contradicted"),
        ("SMIC가 실적을 냈다.\n\n이 회사의 2025년 3분기 매출은 23억8000만 달러다.", "23억8000만 달러", "consistent"),
        ("中芯国际公布业绩。该公司2025年第三季度营收为23.8亿美元。", "23.8亿美元", "consistent"),
        ("中芯国际公布业绩。该公司2025年第三季度营收为52亿美元。", "52亿美元", "contradicted"),
        ("Nvidia sells the H20 in China. The chip carries 96 GB of memory.", "96 GB", "consistent"),
        ("Nvidia sells the H20 in China. The chip carries 48 GB of memory.", "48 GB", "contradicted"),
    ],
)  # fmt: skip
def test_what_is_pointed_to(text, figure, status):
    assert verdicts(text)[figure] == status


def test_the_name_in_the_sentence_comes_before_what_was_spoken_of():
    text = "SMIC reported results.\n\nTSMC said its revenue was $2.38 billion in the third quarter of 2025."
    assert verdicts(text)["$2.38 billion"] == "contradicted"


def test_what_stands_in_another_paragraph_denies_nothing_by_itself():
    text = "SMIC reported results for the third quarter of 2025.\n\nRevenue of $9 billion was seen elsewhere."
    assert verdicts(text).get("$9 billion", "unsupported") not in {"contradicted", "consistent"}


def test_the_same_period_is_the_one_named_before():
    text = "TSMC의 2025년 3분기 매출은 331억 달러다.\n\n같은 기간 SMIC의 매출은 23억8000만 달러다."
    assert verdicts(text)["23억8000만 달러"] == "consistent"


def test_figures_of_a_business_not_on_record_are_left_alone():
    text = "Nvidia's robotics business brought in $586 million in the second quarter of fiscal 2026."
    assert verdicts(text).get("$586 million", "unsupported") not in {"contradicted", "consistent"}


def test_a_year_long_ago_stops_nothing():
    text = "Since 1913 the United States has allowed 25 percent of H200 sales in China to be taken."
    assert isinstance(verdicts(text), dict)
