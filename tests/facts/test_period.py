"""One parser reads every period that the base, the press and people write."""

import csv
from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.facts import Period, period
from chipweir.facts._load import calendars
from chipweir.facts._period import FIRST, LAST, part_of


FACTS = facts.load()
days = st.dates(FIRST, LAST)
WORDED = [fact for fact in FACTS.facts.values() if fact.as_written]


def span(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("texts", "start", "end"),
    [
        ("2025|2025년|2025年|calendar 2025|for 2025|2025 (estimate)|2025 outlook", "2025-01-01", "2025-12-31"),
        ("2025-08|August 2025|Aug. 2025|Aug 2025 claim|2025년 8월|2025年8月|2025.08", "2025-08-01", "2025-08-31"),
        ("2025-08-29|29 August 2025|August 29th, 2025|2025년 8월 29일|2025年8月29日", "2025-08-29", "2025-08-29"),
        (
            "2025Q3|2025-Q3|Q3 2025|Q3'25|Q32025|3Q25|third quarter of 2025|2025년 3분기|2025年第三季度",
            "2025-07-01",
            "2025-09-30",
        ),
        ("2025H1|1H25|H1 2025|the first half of 2025|2025년 상반기|2025年上半年", "2025-01-01", "2025-06-30"),
        ("2025H2|second half of 2025|2025년 하반기|2025年下半年", "2025-07-01", "2025-12-31"),
        ("early 2026|the beginning of 2026|2026년 초|2026年初|2026-early", "2026-01-01", "2026-03-31"),
        ("mid-2025|middle of 2025|2025-mid|expected mid-2025|2025年年中", "2025-05-01", "2025-08-31"),
        ("late 2024|the latter part of 2024", "2024-10-01", "2024-12-31"),
        ("end-2025|end of 2025|year-end 2025|2025 end|2025년 말|2025年底", "2025-12-01", "2025-12-31"),
        ("end-March 2025|end of March 2025", "2025-03-31", "2025-03-31"),
        (
            "2025-05 to 2025-07|2025-05 to 07|May-July 2025|2025-05 – 2025-07|2025-05~2025-07",
            "2025-05-01",
            "2025-07-31",
        ),
        ("2024 (Jan-Nov)|Jan-Nov 2024|2024-01 to 2024-11|2024년 1월부터 11월까지", "2024-01-01", "2024-11-30"),
        ("2025Q1-Q3|2025Q1 to 2025Q3", "2025-01-01", "2025-09-30"),
        ("within 1-2 years of 2026-02", "2027-02-01", "2028-02-29"),
        ("within two years of 2026-02", "2026-02-01", "2028-02-29"),
        ("18 months to mid-2025", "2024-03-01", "2025-08-31"),
        ("per year, mid-2020s outlook|mid-2020s", "2024-01-01", "2026-12-31"),
        ("one end-2025, two in 2026", "2025-12-01", "2026-12-31"),
        ("2025 and 2026 supply|2025-2026", "2025-01-01", "2026-12-31"),
        ("2024 start to year-end", "2024-01-01", "2024-12-31"),
        ("through 2024-12|by 2024-12|in force by 2024-12", "2024-12-01", "2024-12-31"),
        ("2025-W35", "2025-08-25", "2025-08-31"),
        ("quarter ended 30 September 2025|September quarter 2025", "2025-07-01", "2025-09-30"),
        ("since 2023|2023-|2023 on|2023 onwards", "2023-01-01", date.max.isoformat()),
        ("after 2026H1", "2026-07-01", date.max.isoformat()),
    ],
)
def test_wordings(texts: str, start: str, end: str) -> None:
    assert {text: period(text) for text in texts.split("|")} == dict.fromkeys(texts.split("|"), span(start, end))


@pytest.mark.parametrize(
    ("text", "whose", "start", "end"),
    [
        ("FY26Q3", "nvidia", "2025-07-28", "2025-10-26"),
        ("Q3 FY2026", "nvidia", "2025-07-28", "2025-10-26"),
        ("third quarter of fiscal 2026", "nvidia", "2025-07-28", "2025-10-26"),
        ("fiscal 2026 Q3", "nvidia", "2025-07-28", "2025-10-26"),
        ("2026 회계연도 3분기", "nvidia", "2025-07-28", "2025-10-26"),
        ("2026财年第三季度", "nvidia", "2025-07-28", "2025-10-26"),
        ("quarter ended October 26, 2025", "nvidia", "2025-07-28", "2025-10-26"),
        ("FY2027", "nvidia", "2026-01-26", "2027-01-31"),
        ("FY2026", "alibaba", "2025-04-01", "2026-03-31"),
        ("FY2026-FY2028", "alibaba", "2025-04-01", "2028-03-31"),
        ("FY24Q1", "broadcom", "2023-10-30", "2024-02-04"),
        ("FY24Q4", "marvell", "2023-10-29", "2024-02-03"),
        ("FY25Q1", "micron", "2024-08-30", "2024-11-28"),
        ("FY22Q4", "amd", "2022-09-25", "2022-12-31"),
        ("FY24Q3", "lam-research", "2023-12-25", "2024-03-31"),
        ("FY25", "applied-materials", "2024-10-28", "2025-10-26"),
        ("FY25", "oracle", "2024-06-01", "2025-05-31"),
        ("FY25Q2", "samsung", "2025-04-01", "2025-06-30"),
        ("FY2026", "us-bis", "2025-10-01", "2026-09-30"),
        ("FY2025", "japan", "2025-04-01", "2026-03-31"),
        ("FY26H1", "nvidia", "2025-01-27", "2025-07-27"),
    ],
)
def test_fiscal_calendars(text: str, whose: str, start: str, end: str) -> None:
    assert period(text, whose) == span(start, end)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("last quarter", "2025-04-01", "2025-06-30"),
        ("this year", "2025-01-01", "2025-12-31"),
        ("지난해", "2024-01-01", "2024-12-31"),
        ("내년", "2026-01-01", "2026-12-31"),
        ("上季度", "2025-04-01", "2025-06-30"),
        ("early next year", "2026-01-01", "2026-03-31"),
        ("last three months", "2025-05-30", "2025-08-29"),
        ("최근 3개월", "2025-05-30", "2025-08-29"),
        ("近三个月", "2025-05-30", "2025-08-29"),
        ("10 years", "2025-08-29", "2035-08-28"),
        ("향후 3년간", "2025-08-29", "2028-08-28"),
    ],
)
def test_words_that_count_from_a_day(text: str, start: str, end: str) -> None:
    assert period(text, on="2025-08-29") == span(start, end)
    with pytest.raises(InputError, match="not understood"):
        period(text)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "n/a", "full build", "2025-13", "2025-02-30", "2025Q5", "2025H3", "fifth quarter of 2025", "long run",
     "HBM3, HBM3E", "7nm", "H100", "2026-05 to 2025-01", "12", "Q3", "5-7", "H200", "A800", "Q325", "910C",
     "Ascend 950PR 2026"],
)  # fmt: skip
def test_what_is_no_period_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError, match="not understood") as caught:
        period(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "message"), [("1985", "1990 to 2099"), ("2150-01", "1990 to 2099")])
def test_days_far_away_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        period(text)


def test_a_fiscal_year_needs_a_calendar() -> None:
    with pytest.raises(InputError, match=r"FY26Q3.*fiscal year"):
        period("FY26Q3")
    with pytest.raises(UnknownName, match="nvidia"):
        period("FY26Q3", "nvida")
    assert FACTS.calendar("엔비디아") == calendars()["nvidia"]
    assert FACTS.calendar("SK hynix Wuxi") == calendars()["sk-hynix"]
    assert FACTS.calendar("biren") is None


@given(days, days)
def test_the_short_form_reads_back(one: date, other: date) -> None:
    whole = Period(min(one, other), max(one, other))
    assert period(whole.text) == whole


@given(st.integers(1990, 2099), st.sampled_from(["", "Q1", "Q2", "Q3", "Q4", "H1", "H2", "-01", "-07", "-12"]))
def test_plain_periods_name_themselves(year: int, part: str) -> None:
    assert period(f"{year}{part}").text == f"{year}{part}"


@given(days)
def test_a_day_in_every_spelling(day: date) -> None:
    texts = (f"{day:%Y-%m-%d}", f"{day:%d %B %Y}", f"{day:%B %d, %Y}", f"{day:%Y}년 {day.month}월 {day.day}일")
    assert {period(text) for text in texts} == {Period(day, day)}
    assert period(day) == Period(day, day)


@given(st.sampled_from(sorted(calendars())), st.integers(2000, 2090))
def test_fiscal_quarters_fill_the_year_without_a_gap(whose: str, year: int) -> None:
    calendar = calendars()[whose]
    first, last = calendar.year(year)
    quarters = [calendar.quarter(year, number) for number in (1, 2, 3, 4)]
    assert (quarters[0][0], quarters[-1][1]) == (first, last)
    assert all(b[0] - a[1] == timedelta(days=1) for a, b in pairwise(quarters))
    assert all(89 <= (end - start).days + 1 <= 98 for start, end in quarters)
    assert calendar.year(year + 1)[0] - last == timedelta(days=1)
    assert 364 <= (last - first).days + 1 <= 371


@given(days, days, st.sampled_from(["early", "mid", "late", "start", "end"]))
def test_a_part_lies_in_its_whole(one: date, other: date, part: str) -> None:
    whole = Period(min(one, other), max(one, other))
    if whole.days <= 3000:
        assert whole.holds(part_of(whole, part))


@given(days, days, days, days)
def test_overlap_is_mutual_and_holding_implies_it(a: date, b: date, c: date, d: date) -> None:
    one, other = Period(min(a, b), max(a, b)), Period(min(c, d), max(c, d))
    assert one.overlaps(other) == other.overlaps(one)
    assert one.overlaps(other) or not one.holds(other)
    assert one.months[0] == f"{one.start:%Y-%m}"


@given(st.text(max_size=25))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InputError):
        found = period(text, "nvidia", on="2025-08-29")
        assert FIRST <= found.start <= found.end


def test_every_wording_of_the_base_means_its_days() -> None:
    unread = []
    for fact in WORDED:
        try:
            read = period(fact.as_written, FACTS.calendar(fact.entity) or "", fact.known_by)
        except InputError:
            unread.append(fact.as_written)
            continue
        assert read.start == fact.start, fact.id
        assert read.open or read.end == fact.end, fact.id
    assert len(WORDED) >= 250
    assert set(unread) <= {
        "full build", "two phases", "first full year", "start of production", "multi-year", "long run", "long term",
        "10 years from award",
    }  # fmt: skip


def test_the_series_fiscal_labels_are_those_of_the_calendars() -> None:
    labelled = [fact for fact in WORDED if fact.as_written.startswith("FY")]
    assert len(labelled) >= 200
    for fact in labelled:
        assert period(fact.as_written, FACTS.calendar(fact.entity) or "") == fact.span, fact.id


def test_every_row_states_its_days() -> None:
    for name in ("facts", "observations", "korea"):
        path = Path(facts.__file__).parent / "data" / f"{name}.csv"
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                assert span(row["start"], row["end"]).days >= 1, row["id"]
