"""Dates and periods: absolute, relative to publication, relative to a day named before, and what is none."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.evidence import find_times


CASES = [
    ("2025-07-30", "2025-07-30"),
    ("2025.08.30 03:23", "2025-08-30T03:23"),
    ("2025년 8월 30일", "2025-08-30"),
    ("2025년 2분기", "2025-Q2"),
    ("2025년 하반기", "2025-H2"),
    ("2025년 말 가동", "2025-12"),
    ("이달 초", "2025-08"),
    ("지난달 16일", "2025-07-16"),
    ("지난 주", "2025-W34"),
    ("지난 주말", "2025-08-23"),
    ("올해 말", "2025-12"),
    ("올들어", "2025"),
    ("지난 1월", "2025-01"),
    ("지난 12월", "2024-12"),
    ("오는 9월", "2025-09"),
    ("오는 3월", "2026-03"),
    ("27일", "2025-08-27"),
    ("31일", "2025-07-31"),
    ("25일부터", "2025-08-25"),
    ("28일자 신문", "2025-08-28"),
    ("2분기", "2025-Q2"),
    ("4분기", "2024-Q4"),
    ("내년 상반기", "2026-H1"),
    ("어제", "2025-08-29"),
    ("9월 5일부터 적용", "2025-09-05"),
    ("August 29, 2025", "2025-08-29"),
    ("29 August 2025", "2025-08-29"),
    ("in May", "2025-05"),
    ("early 2026", "2026-01"),
    ("Q2 2025", "2025-Q2"),
    ("2Q25", "2025-Q2"),
    ("the second quarter of 2024", "2024-Q2"),
    ("last month", "2025-07"),
    ("next year", "2026"),
    ("on Friday", "2025-08-29"),
    ("by 2030", "2030"),
    ("2025年8月30日", "2025-08-30"),
    ("二〇二五年八月三十日", "2025-08-30"),
    ("今年年底", "2025-12"),
    ("去年12月", "2024-12"),
    ("上周三", "2025-08-20"),
    ("第三季度", "2025-Q3"),
    ("2026年上半年", "2026-H1"),
    ("昨日", "2025-08-29"),
]


@pytest.mark.parametrize(("text", "value"), CASES)
def test_dates_seen_from_the_thirtieth_of_august(text: str, value: str) -> None:
    assert [time.value for time in find_times(f"… {text} …", "2025-08-30")] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "3개월 동안",
        "10일간 열렸다",
        "5일 만에",
        "2개 분기 연속",
        "It may march on",
        "the May-Smith theorem, maybe",
        "3월드컵",
        "1,999 chips",
        "2,025 people",
        "V3.1",
        "최근",
        "5일장",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert find_times(text, "2025-08-30") == ()


def test_without_a_day_of_publication_relative_dates_stay_open() -> None:
    (time,) = find_times("지난달 16일 열렸다")
    assert (time.value, time.low, time.anchor) == (None, None, "unresolved")


def test_this_day_is_the_last_day_named() -> None:
    times = find_times("알리바바는 29일(현지시간) 실적을 발표했다. 엔비디아 주가는 이날 내렸다.", "2025-08-30")
    assert [(time.value, time.anchor) for time in times] == [
        ("2025-08-29", "published 2025-08-30"),
        ("2025-08-29", "context 2025-08-29"),
    ]


def test_bounds_and_openings() -> None:
    by, since = find_times("2026년까지 늘리고 지난 5월부터 팔았다", "2025-08-30")
    assert (by.surface, by.bound) == ("2026년까지", "le")
    assert "since" in since.flags


def test_quarters_may_be_fiscal() -> None:
    assert find_times("2분기 매출", "2025-08-30")[0].flags == ("fiscal-possible",)
    assert find_times("fiscal 2026 revenue")[0].flags == ("fiscal",)


def test_vague_dates_have_limits() -> None:
    (time,) = find_times("이달 초", "2025-07-30")
    assert (time.low, time.high) == ("2025-07-01", "2025-07-10")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("올해 1~9월", "2025-01/2025-09"),
        ("2026~2027년", "2026/2027"),
        ("1~2분기", "2025-Q1/2025-Q2"),
        ("5월 1~20일", "2025-05-01/2025-05-20"),
        ("1-9月", "2025-01/2025-09"),
        ("9月3日至5日", "2025-09-03/2025-09-05"),
        ("前三季度", "2025-01/2025-09"),
        ("Sept 3-5", "2025-09-03/2025-09-05"),
        ("2025-26", "2025/2026"),
    ],
)
def test_ranges_of_dates(text: str, value: str) -> None:
    (time,) = find_times(f"… {text} …", "2025-11-12")
    assert time.value == value
    assert (time.low or "") < (time.high or "")


def test_impossible_days_are_left_alone() -> None:
    assert [time.value for time in find_times("13월 40일, 2025-02-31", "2025-08-30") if time.value] == []


@given(st.dates(min_value=date(1995, 1, 1), max_value=date(2039, 12, 31)))
@settings(max_examples=60, deadline=None)
def test_days_read_back_in_every_language(day: date) -> None:
    month = day.strftime("%B")
    for text in (
        f"회사는 {day.year}년 {day.month}월 {day.day}일 밝혔다",
        f"on {month} {day.day}, {day.year}, it said",
        f"公司于{day.year}年{day.month}月{day.day}日宣布",
        f"({day.isoformat()})",
    ):
        assert [time.value for time in find_times(text)] == [day.isoformat()]


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2038, 12, 31)), st.integers(min_value=0, max_value=27))
@settings(max_examples=60, deadline=None)
def test_a_bare_day_lies_in_the_month_before_publication(published: date, back: int) -> None:
    day = published - timedelta(days=back)
    (time,) = find_times(f"지난 {day.day}일 밝혔다", published.isoformat())
    assert time.value == day.isoformat()
