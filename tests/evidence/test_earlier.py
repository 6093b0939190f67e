"""A new article beside the earlier ones of a ledger: same claim, same source, contradicting figure."""

import pytest

from chipweir.evidence import Earlier, check_document, document_from_text, earlier, read_ledger, record


FIRST = """[경제신문 김하나 기자] 2025-08-29

중국 SMIC가 2026년까지 7나노 생산 능력을 두 배로 늘릴 계획이라고 파이낸셜타임스가 보도했다.

캠브리콘의 2025년 2분기 매출은 17억7000만 위안이다.
"""


def beside(text: str, tmp_path, first: str = FIRST) -> tuple[Earlier, ...]:
    book = read_ledger(tmp_path / "ledger.yaml")
    book, _ = record(book, check_document(document_from_text(first)))
    return earlier(check_document(document_from_text(text)), read_ledger(tmp_path / "ledger.yaml"))


def test_two_relays_of_one_report_are_one_source(tmp_path) -> None:
    text = "SMIC plans to double its 7nm capacity by 2026, the Financial Times reported on August 28, 2025."
    found = [row for row in beside(text, tmp_path) if row.earlier.split("/")[1] == "capacity_change"]
    assert [(row.relation, row.shared, row.sources) for row in found] == [("repeats", ("financial-times",), 1)]


def test_another_outlet_makes_another_source(tmp_path) -> None:
    text = "2025-08-30\n\nSMIC plans to double its 7nm capacity by 2026, Reuters reported."
    found = [row for row in beside(text, tmp_path) if row.earlier.split("/")[1] == "capacity_change"]
    assert [(row.relation, row.sources) for row in found] == [("agrees", 2)]


@pytest.mark.parametrize(
    ("told", "relation"),
    [
        ("RMB 1.77 billion", "agrees"),
        ("RMB 2.9 billion", "differs"),
        ("$247 million", "agrees"),
        ("$400 million", "differs"),
    ],
)
def test_figures_are_compared_in_one_currency(told: str, relation: str, tmp_path) -> None:
    text = f"2025-08-30\n\nCambricon's revenue in the second quarter of 2025 was {told}."
    found = [row for row in beside(text, tmp_path) if row.earlier.split("/")[1] == "revenue"]
    assert [row.relation for row in found] == [relation]


def test_another_period_or_firm_is_another_thing(tmp_path) -> None:
    text = (
        "2025-11-30\n\nCambricon's revenue in the third quarter of 2025 was RMB 1.7 billion. "
        "TSMC will double its 7nm capacity."
    )
    assert beside(text, tmp_path) == ()


def test_an_article_is_not_beside_itself(tmp_path) -> None:
    assert beside(FIRST, tmp_path) == ()


def test_what_a_machine_wrote_is_no_source(tmp_path) -> None:
    text = "---\nmodel: gpt-x\ndate: 2025-08-30\n---\n\nSMIC plans to double its 7nm capacity by 2026."
    found = [row for row in beside(text, tmp_path) if row.earlier.split("/")[1] == "capacity_change"]
    assert [(row.relation, row.sources) for row in found] == [("agrees", 1)]
