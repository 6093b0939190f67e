# ruff: noqa: E501  (tables of sentences)
"""Issues: each detector on a sentence of our own that has the fault, and on one that has not."""

import pytest
from articles import CHINESE, ENGLISH, KOREAN

from chipweir.evidence import across, check_document, document_from_text


def issues(text: str, published: str | None = "2025-09-25"):
    return check_document(document_from_text(text, published=published)).issues


def keys(text: str, published: str | None = "2025-09-25") -> set[str]:
    return {issue.text.key for issue in issues(text, published)}


FILLER = "엔비디아 H100 칩과 H200 칩은 널리 쓰인다. 화웨이의 어센드 910C도 있다. "
CASES = [
    ("issue_typo", "중국에서 H2O 칩의 판매가 재개됐다. 엔비디아 H20 칩이다.", "중국에서 H20 칩의 판매가 재개됐다."),
    ("issue_line_as_company", "중국 반도체 업체 어센드가 새 칩을 냈다.", "중국 반도체 업체 화웨이의 어센드 칩이 나왔다."),
    ("issue_line_as_company", "The lead belongs to Ascend, a Shenzhen chipmaker.", "Ascend is Huawei's chip line."),
    ("issue_line_as_company", "芯片公司昇腾发布新品。", "华为的昇腾芯片发布。"),
    ("issue_year", "이것이 2023년, 우리가 지금 중국을 다시 봐야 하는 이유다.", "2023년 10월 규제가 나왔다."),
    ("issue_duration", "지난 1년여간 미국의 수출통제가 이어졌다.", "지난 3년간 미국의 수출통제가 이어졌다."),
    ("issue_stale_rule", "엔비디아 H20 칩의 중국 수출은 금지된 상태다.", "엔비디아 B200 칩의 중국 수출은 금지된 상태다."),
    ("issue_quarter", "알리바바의 2분기 매출은 26% 증가했다.", "캠브리콘의 2분기 매출은 26% 증가했다."),
    ("issue_yield", "SMIC의 7나노 수율은 70%다.", "SMIC의 7나노 어센드 910C 칩 수율은 40%다."),
    ("issue_unnamed", "소식통들에 따르면 화웨이는 칩 60만 개를 주문했다.", "화웨이는 칩 60만 개를 주문했다."),
    ("issue_idiom", "미국은 두 걸음 전진하고 한 걸음 후퇴했다.", "미국은 물러섰다."),
    ("issue_speakerless", '본문이다.\n\n> "추론용 칩에는 첨단 공정이 반드시 필요하지는 않다는 말이 나온다."\n\n끝이다.', '본문이다.\n\n> "추론용 칩에는 첨단 공정이 반드시 필요하지는 않다는 말이 나온다." — 홍길동 교수\n\n끝이다.'),
]  # fmt: skip


@pytest.mark.parametrize(("key", "faulty", "sound"), CASES, ids=[f"{row[0]}-{n}" for n, row in enumerate(CASES)])
def test_a_fault_is_reported_and_a_sound_sentence_is_not(key, faulty, sound):
    assert key in keys(faulty)
    assert key not in keys(sound)


def test_an_undated_text_says_so_and_a_dated_one_does_not():
    assert "issue_undated" in keys("엔비디아는 칩을 만든다.", None)
    assert not {"issue_undated", "issue_date_inferred"} & keys("엔비디아는 칩을 만든다.")


def test_one_rack_that_is_sixteen():
    assert "issue_rack" in keys("화웨이 클라우드매트릭스 384는 엔비디아 서버랙을 뛰어넘는 서버랙이다.")


def test_machine_written_texts_are_named_as_such():
    text = "---\ncreated: 2025-12-02\nmodel: Gemini-2.5\n---\n\n# 글\n\n중국은 칩을 만든다.\n"
    assert "issue_machine" in keys(text, None)


def test_a_paragraph_told_twice():
    once = "알리바바를 비롯한 중국 업체들이 인공지능 반도체 개발에서 성과를 내고 있다는 보도가 잇따르고 있다."
    assert "issue_duplicate" in keys(f"{once}\n\n{once}\n\n다른 이야기다.")


def test_errors_come_first_and_point_into_the_text():
    found = issues(KOREAN, None)
    order = [("error", "warning", "note").index(issue.severity) for issue in found]
    assert order == sorted(order)
    for issue in found:
        if issue.start is not None:
            assert 0 <= issue.start <= issue.end <= len(KOREAN)


def _article(text, name, published=None):
    return check_document(document_from_text(text, published=published), name=name).article


def test_between_articles():
    one = "미국이 엔비디아 H20 칩의 중국 수출을 허용했다. 엔비디아 B200 칩 약 10억 달러 상당이 3개월 동안 중국으로 밀수됐다."
    two = "엔비디아 H20 칩의 중국 수출이 금지됐다. 엔비디아 칩 10억 달러 이상이 3개월 동안 중국으로 밀수됐다고 파이낸셜타임스가 보도했다."
    found = across([_article(one, "a", "2025-07-30"), _article(two, "b", "2025-08-28")])
    assert {"across_state", "across_flow"} <= {issue.text.key for issue in found}


def test_relays_of_one_outlet_count_once():
    told = "파이낸셜타임스(FT)에 따르면 SMIC는 7나노 생산 능력을 두 배로 늘린다."
    found = across([_article(told, "a"), _article(told + " 확장은 계속된다.", "b"), _article(told + " 끝.", "c")])
    relay = next(issue for issue in found if issue.text.key == "across_relay")
    assert relay.text.args["count"] == 3


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_sound_articles_have_few_errors(text):
    errors = [issue for issue in issues(text, None) if issue.severity == "error"]
    assert len(errors) <= 3, errors
