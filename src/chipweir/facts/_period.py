"""The one parser of periods: what a text, a table or a person calls a time becomes a first and a last day.

Vague words mean fixed days, so that two readers of "early 2026" agree: of a year, early is January to March, mid May to
August, late October to December, start January and end December; of a decade, its years 0-3, 4-6 and 7-9; of a month,
the days 1-10, 11-20 and 21 to the last. What holds "by", "through" or "to" a time is dated to that time.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from chipweir.errors import InputError
from chipweir.facts._calendars import CALENDAR_YEAR, DAY, Calendar, month_end


FIRST, LAST = date(1990, 1, 1), date(2099, 12, 31)


@dataclass(frozen=True, order=True)
class Period:
    """The days `start` to `end`, both inclusive; `end` is `date.max` for what holds on ("since 2023")."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise InputError(f"a period cannot start on {self.start} and end on {self.end}")

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1

    @property
    def open(self) -> bool:
        """Whether no end is stated."""
        return self.end == date.max

    def overlaps(self, other: "Period") -> bool:
        """Whether the two share a day."""
        return self.start <= other.end and other.start <= self.end

    def holds(self, other: "Period") -> bool:
        """Whether every day of `other` lies in it."""
        return self.start <= other.start and other.end <= self.end

    def alike(self, other: "Period") -> bool:
        """Whether the two are about as long (within a third), as fiscal and calendar quarters are."""
        return 0.67 <= self.days / other.days <= 1.5

    @property
    def months(self) -> list[str]:
        """The months (`2025-08`) it touches."""
        if self.open:
            raise InputError(f"{self.text} has no end, so that its months cannot be listed")
        span = range(self.start.year * 12 + self.start.month - 1, self.end.year * 12 + self.end.month)
        return [f"{index // 12}-{index % 12 + 1:02d}" for index in span]

    @property
    def text(self) -> str:
        """The shortest ISO form that `period` reads back to the same days."""
        if self.open:
            return f"since {_day_or_month(self.start)}"
        for length, name in ((12, "{0}"), (6, "{0}H{2}"), (3, "{0}Q{3}"), (1, "{0}-{1:02d}")):
            if self == _months(self.start.year, self.start.month, length) and (self.start.month - 1) % length == 0:
                month = self.start.month
                return name.format(self.start.year, month, (month + 5) // 6, (month + 2) // 3)
        if self.start == self.end:
            return self.start.isoformat()
        if self.start.day == 1 and self.end + DAY == (self.end + DAY).replace(day=1):
            return f"{self.start:%Y-%m} to {self.end:%Y-%m}"
        return f"{self.start.isoformat()} to {self.end.isoformat()}"


def _day_or_month(day: date) -> str:
    return f"{day.year}" if (day.month, day.day) == (1, 1) else f"{day:%Y-%m}" if day.day == 1 else day.isoformat()


def period(text: str | date, calendar: str | Calendar = "", on: str | date | None = None) -> Period:
    """The days that `text` means, in English, Korean, Chinese or ISO form.

    `calendar` is a fiscal calendar or the entity whose calendar (`calendars.csv`) fiscal quarters and years are of;
    `on` is the day from which words such as "last quarter" count. Raises `InputError`, one line, for a text that names
    no time, for a fiscal year without a calendar, and for days before 1990 or after 2099.
    """
    if isinstance(text, date):
        return _bounded(Period(text, text), text.isoformat())
    fiscal = _calendar(calendar)
    anchor = period(on).end if isinstance(on, str) else on
    return _period(text, fiscal, anchor)


def _calendar(calendar: str | Calendar) -> Calendar | None:
    if isinstance(calendar, Calendar) or not calendar:
        return calendar or None
    from chipweir.errors import UnknownName
    from chipweir.facts._load import calendars

    known = calendars()
    if calendar not in known:
        raise UnknownName("fiscal calendar", calendar, known)
    return known[calendar]


@lru_cache(maxsize=4096)
def _period(text: str, fiscal: Calendar | None, on: date | None) -> Period:
    found = _iso(text) or _Reader(text, fiscal, on).read(_plain(text))
    if found is None:
        raise InputError(
            f"period '{text}' is not understood; write 2025-08-29, 2025-08, 2025Q3, 2025H2, 2025, early 2026, "
            "FY26Q3 (with whose calendar) or A to B"
        )
    return _bounded(found, text)


def _iso(text: str) -> Period | None:
    """A plain ISO year, half, quarter, month or day, which most texts are."""
    found = _ISO.fullmatch(text)
    return _calendar_time(_filled(found)) if found else None


def _bounded(found: Period, text: str) -> Period:
    if found.start < FIRST or (found.end > LAST and not found.open):
        raise InputError(f"period '{text}' lies outside {FIRST.year} to {LAST.year}; dates run between them")
    return found


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", str(text)).casefold().translate(_DASHES)
    return re.sub(r"\s+", " ", folded).strip(" .,;")


_DASHES = {ord(dash): "-" for dash in "‐‑‒–—―−"} | {ord("~"): " to ", ord("～"): " to "}


def _months(year: int, month: int, count: int) -> Period:
    """`count` whole months from the first of `month`."""
    last = year * 12 + month - 2 + count
    return Period(date(year, month, 1), month_end(last // 12, last % 12 + 1))


def _shifted(day: date, months: int) -> date:
    """`day` so many months later, held to the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    last = month_end(index // 12, index % 12 + 1)
    return last if day.day >= last.day or day == month_end(day.year, day.month) else last.replace(day=day.day)


_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "final": 4,
    "一": 1, "二": 2, "三": 3, "四": 4, "上": 1, "下": 2, "상": 1, "하": 2,
}  # fmt: skip
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10,
    "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "十": 10,
}  # fmt: skip
_NTH = "first|1st|second|2nd|third|3rd|fourth|4th|final"
_YEAR = r"(?P<year>\d{4})"
_SHORT = r"(?P<year>\d{4}|\d{2})"
_UNIT = {"day": 0, "week": 0, "month": 1, "quarter": 3, "year": 12}

_ISO = re.compile(r"(?P<year>\d{4})(?:-(?P<number>\d\d)(?:-(?P<day>\d\d))?|Q(?P<q>[1-4])|H(?P<h>[12]))?")
# Forms of one time; a group's name says what it holds: a quarter (`q`) or half (`h`) by number or by word, and so on.
_FORMS = (
    rf"{_YEAR}(?:[-./](?P<number>\d{{1,2}})(?:[-./](?P<day>\d{{1,2}}))?)?(?:년|年)?",
    rf"{_YEAR} ?[-/]? ?q(?P<q>[1-4])",
    rf"{_YEAR} ?[-/]? ?h(?P<h>[12])",
    rf"q(?P<q>[1-4])(?:[ ,/'-]+|(?=\d{{4}}))(?:of )?{_SHORT}",
    rf"(?P<q>[1-4])q[ -]?{_SHORT}",
    rf"h(?P<h>[12])(?:[ ,/'-]+|(?=\d{{4}}))(?:of )?{_SHORT}",
    rf"(?P<h>[12])h[ -]?{_SHORT}",
    rf"(?:the )?(?P<q>{_NTH})[- ]quarter(?: of|,)? {_YEAR}",
    rf"{_YEAR} (?P<q>{_NTH})[- ]quarter",
    rf"(?:the )?(?P<h>{_NTH})[- ]half(?: of|,)? {_YEAR}",
    rf"{_MONTH},?(?: of)? {_YEAR}",
    rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? {_YEAR}",
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH},? {_YEAR}",
    rf"{_YEAR}-w(?P<week>\d{{2}})",
    r"(?:the )?(?P<decade>\d{3})0s",
    rf"{_YEAR}년 ?(?P<number>\d{{1,2}})월(?: ?(?P<day>\d{{1,2}})일)?",
    rf"{_YEAR}년 ?(?P<q>[1-4])분기",
    rf"{_YEAR}년 ?(?P<h>상|하)반기",
    rf"{_YEAR}年 ?(?P<number>\d{{1,2}})月(?: ?(?P<day>\d{{1,2}})[日号])?",
    rf"{_YEAR}年 ?第?(?P<q>[一二三四1-4])季(?:度)?",
    rf"{_YEAR}年 ?(?P<h>上|下)半年",
    r"(?P<decade>\d{3})0(?:년대|年代)",
)
_FISCAL = (
    rf"fy ?{_SHORT}(?:/\d{{2}})?(?:[- ]?q(?P<q>[1-4])|[- ]?h(?P<h>[12]))?",
    rf"(?:q(?P<q>[1-4])|(?P<h>[12])h)[- ,]*(?:of )?fy ?{_SHORT}",
    rf"(?P<q>[1-4])q[- ]?fy ?{_SHORT}",
    r"f(?P<q>[1-4])q(?P<year>\d{4}|\d{2})",
    rf"(?:the )?fiscal(?: year)? {_YEAR}(?: ?q(?P<q>[1-4]))?",
    rf"(?:the )?fiscal(?: year)? {_YEAR},? (?P<q>{_NTH})[- ]quarter",
    rf"fiscal q(?P<q>[1-4]) {_YEAR}",
    rf"(?:the )?fiscal (?P<q>{_NTH})[- ]quarter(?: of)?,? {_YEAR}",
    rf"(?:the )?(?P<q>{_NTH})[- ]quarter(?: of)?,? (?:fiscal(?: year)?|fy) ?{_SHORT}",
    rf"회계연도 {_YEAR}년?(?: ?(?P<q>[1-4])분기)?",
    rf"{_YEAR}년? ?회계연도(?: ?(?P<q>[1-4])분기)?",
    rf"{_YEAR}[财財]年(?:度)?(?: ?第?(?P<q>[一二三四1-4])季(?:度)?)?",
    rf"{_YEAR}[财財]年(?:度)? ?q(?P<q>[1-4])",
)
_PARTS = (
    (r"(?:early|(?:the )?(?:early part|beginning) (?:of|in))[- ](?:the )?(.+)", "early"),
    (r"(?:(?:the )?middle(?: of)?|mid)[- ]?(?:the )?(.+)", "mid"),
    (r"(?:late|(?:the )?(?:later|latter) part of)[- ](?:the )?(.+)", "late"),
    (r"(?:start|(?:the )?start of)[- ](?:the )?(.+)", "start"),
    (r"(?:end|year[- ]end|(?:the )?end of|close of)[- ](?:of )?(?:the )?(.+)", "end"),
    (r"(.+)[- ]early", "early"),
    (r"(.+)[- ]mid", "mid"),
    (r"(.+)[- ]late", "late"),
    (r"(.+)[- ](?:year[- ])?end", "end"),
    (r"(\d{4}年) ?(?:年)?初|(.+(?:년|월)) ?초(?:반|순)?", "early"),
    (r"(\d{4}年) ?年?中(?:期)?|(.+(?:년|월)) ?중(?:반|순)", "mid"),
    (r"(.+(?:년|월)) ?하순|(.+月)下旬", "late"),
    (r"(\d{4}年) ?年?(?:底|末)|(.+(?:년|월)) ?말", "end"),
)
_SEPARATORS = (" to ", " through ", " until ", " till ", " - ", "-", " and ", "부터 ", "에서 ", "至", "到", "/")
_BEFORE = (
    r"^(?:in force by|per year,|through|thru|to|till|until|up to|by|as of|as at|as from|at|on|in|for|during|over|about|"
    r"around|approximately|expected|planned|the|calendar|截至|截止) ?(?=\S)"
)
_AFTER = (
    r"(?:[ ,](?:plan|plans|planned|potential|orders?|claim|stock|peak|outlook|sum|base|basis|expectation|proposal|supply|"
    r"output|start|law|estimate|guidance|budget|onwards? plan|year|calendar year|season)|까지|기준|期间|之前|에|,)$"
)
_BRACKET = r"(?P<out>[^()]+?) ?\((?P<in>[^()]*)\)"


class _Reader:
    """Reads a normalised text; a method returns None where the text is not of its form."""

    def __init__(self, given: str, fiscal: Calendar | None, on: date | None) -> None:
        self.given, self.fiscal, self.on = given, fiscal, on

    def read(self, text: str) -> Period | None:
        """The days of `text`: one time, an open or vague one, a span, a list, or one with words around it."""
        if not text or (self.on is None and not re.search(r"\d", text)):
            return None
        forms: tuple[Callable[[str], Period | None], ...] = (
            self.atom, self.relative, self.within, self.since, self.part, self.bracket, self.span, self.union,
            self.bare,
        )  # fmt: skip
        return next((found for form in forms if (found := form(text)) is not None), None)

    def atom(self, text: str) -> Period | None:
        """One date, week, month, quarter, half, year, decade, or fiscal quarter or year."""
        for form in _FORMS:
            if found := re.fullmatch(form, text):
                return _calendar_time(_filled(found))
        for form in _FISCAL:
            if found := re.fullmatch(form, text):
                return self.fiscal_time(_filled(found))
        return self.quarter_ending(text)

    def fiscal_time(self, cells: dict[str, str]) -> Period:
        """A fiscal year, half or quarter by the reader's calendar."""
        if self.fiscal is None:
            raise InputError(f"period '{self.given}' is of a fiscal year; say whose it is (calendars.csv lists them)")
        year = _full_year(cells["year"])
        if "q" in cells:
            return Period(*self.fiscal.quarter(year, _nth(cells["q"])))
        if "h" in cells:
            half = _nth(cells["h"])
            return Period(self.fiscal.quarter(year, 2 * half - 1)[0], self.fiscal.quarter(year, 2 * half)[1])
        return Period(*self.fiscal.year(year))

    def quarter_ending(self, text: str) -> Period | None:
        """`quarter ended 26 October 2025`, `September quarter 2025`: three months, or the fiscal quarter of that end."""
        if found := re.fullmatch(r"(?:the )?(?:fiscal )?(?:quarter|three months) end(?:ed|ing) (?P<day>.+)", text):
            last = self.read(found["day"])
        elif found := re.fullmatch(rf"(?:the )?{_MONTH} quarter,?(?: of)? {_YEAR}", text):
            last = _calendar_time({"month": found["month"], "year": found["year"]})
        else:
            return None
        if last is None:
            return None
        calendar = self.fiscal or CALENDAR_YEAR
        years = (last.end.year - 1, last.end.year, last.end.year + 1)
        quarters = (Period(*calendar.quarter(year, quarter)) for year in years for quarter in (1, 2, 3, 4))
        return next(
            (quarter for quarter in quarters if quarter.end == last.end),
            Period(_shifted(last.end, -3) + DAY, last.end),
        )

    def relative(self, text: str) -> Period | None:
        """`last quarter`, `올해`, `next three years`, `10 years`, `近三个月`: counted from the reader's day."""
        if self.on is None:
            return None
        for form, ahead in _SPANS:
            if found := re.fullmatch(form, text):
                count, unit = _count(found["high"] or found["low"]), _UNITS.get(found["unit"], found["unit"])
                if count is None:
                    continue
                other = _later(self.on, count if ahead else -count, unit)
                return Period(self.on, other - DAY) if ahead else Period(other + DAY, self.on)
        for form, unit, step in _RELATIVE:
            if re.fullmatch(form, text):
                if unit == "day":
                    day = self.on + timedelta(days=step)
                    return Period(day, day)
                length = _UNIT[unit]
                index = (self.on.year * 12 + self.on.month - 1) // length * length + step * length
                return _months(index // 12, index % 12 + 1, length)
        return None

    def within(self, text: str) -> Period | None:
        """`within 1-2 years of X`, `18 months to X`, `two years from X`."""
        many = r"(?P<low>\d+|[a-z]+)(?:(?:-| to | or )(?P<high>\d+|[a-z]+))? (?P<unit>day|week|month|quarter|year)s?"
        found = re.fullmatch(rf"within {many} (?:of|from|after) (?P<x>.+)", text)
        back = re.fullmatch(rf"(?:the )?{many} (?:to|until|before) (?P<x>.+)", text)
        ahead = re.fullmatch(rf"{many} (?:from|after|following) (?P<x>.+)", text)
        hit = found or back or ahead
        if not hit:
            return None
        inner, low, high = self.read(hit["x"]), _count(hit["low"]), _count(hit["high"] or hit["low"])
        if inner is None or low is None or high is None:
            return None
        unit = hit["unit"]
        if back:
            return Period(_later(inner.end, -high, unit) + DAY, inner.end)
        if found and hit["high"]:
            return Period(_later(inner.start, low, unit), _later(inner.end, high, unit))
        start = inner.start if found else inner.end + DAY
        return Period(start, _later(inner.end, high, unit))

    def since(self, text: str) -> Period | None:
        """`since 2023`, `2025 on`, `2023-`, `after 2026H1`: no end is stated."""
        if found := re.fullmatch(r"(?:since|from) (.+)|(.+?)(?: on| onwards?|-|부터|以来|以后)", text):
            inner = self.read(found[1] or found[2])
            return None if inner is None else Period(inner.start, date.max)
        if found := re.fullmatch(r"after (.+)|(.+) 이후", text):
            inner = self.read(found[1] or found[2])
            return None if inner is None else Period(inner.end + DAY, date.max)
        return None

    def part(self, text: str) -> Period | None:
        """`early 2026`, `mid-2025`, `end of 2025Q3`, `2025년 말`."""
        for form, name in _PARTS:
            if found := re.fullmatch(form, text):
                inner = self.read(next(group for group in found.groups() if group))
                if inner is not None and not inner.open:
                    return part_of(inner, name)
        return None

    def bracket(self, text: str) -> Period | None:
        """`2024 (Jan-Nov)`: the bracket narrows the year; a bracket that names no time is a remark."""
        found = re.fullmatch(_BRACKET, text)
        if not found:
            return None
        outer = self.read(found["out"].strip())
        if outer is None or outer.open:
            return outer
        narrowed = self.read(f"{found['in']} {outer.start.year}") if outer.days > 31 else None
        return narrowed if narrowed is not None and outer.holds(narrowed) else outer

    def span(self, text: str) -> Period | None:
        """`A to B`; the end may leave out what it shares with the start, or the start what it shares with the end."""
        for separator in _SEPARATORS:
            places = [i for i in range(1, len(text)) if text.startswith(separator, i)]
            for place in places:
                left, right = text[:place].strip(), text[place + len(separator) :].strip()
                for one, other in _completed(left, right):
                    start, end = self.read(one), self.read(other)
                    if start is not None and end is not None and not start.open and start.start <= end.end:
                        return Period(start.start, end.end)
        return None

    def union(self, text: str) -> Period | None:
        """`2025 and 2026`, `one end-2025, two in 2026`: from the first day named to the last."""
        pieces = [piece for piece in re.split(r",| and |;|·|및", text) if piece.strip()]
        if len(pieces) < 2:
            return None
        found = [self.read(re.sub(rf"^(?:{'|'.join(_NUMBERS)}) (?:in )?", "", piece.strip())) for piece in pieces]
        known = [one for one in found if one is not None]
        return Period(min(known).start, max(one.end for one in known)) if len(known) == len(found) else None

    def bare(self, text: str) -> Period | None:
        """The text without a preposition before it or a word of what it is about after it."""
        for form in (_BEFORE, _AFTER):
            shorter = re.sub(form, "", text, count=1).strip()
            if shorter and shorter != text:
                return self.read(shorter)
        return None


_MANY = r"(?P<low>\d+|[a-z]+|[一二两三四五六十])(?:(?:-| to | or )(?P<high>\d+|[a-z]+))? ?"
_ENGLISH = rf"{_MANY}(?P<unit>day|week|month|quarter|year)s?"
_KOREAN = r"(?P<low>\d+)(?P<high>)?(?P<unit>일|주|개월|분기|년)(?:간|동안)?"
_CHINESE = rf"{_MANY}(?:个)?(?P<unit>天|周|月|季度|年)"
# Spans that begin (True) or end (False) on the reader's day.
_SPANS = (
    (rf"(?:(?:over|for|in|within) )?(?:the )?(?:(?:next|coming) )?{_ENGLISH}", True),
    (rf"(?:(?:over|in|during) )?(?:the )?(?:last|past|previous) {_ENGLISH}", False),
    (rf"(?:향후|앞으로) ?{_KOREAN}", True), (rf"(?:최근|지난) ?{_KOREAN}", False),
    (rf"(?:未来|今后) ?{_CHINESE}", True), (rf"(?:近|过去|過去|最近) ?{_CHINESE}", False),
)  # fmt: skip
_UNITS = {
    "일": "day", "주": "week", "개월": "month", "분기": "quarter", "년": "year",
    "天": "day", "周": "week", "月": "month", "季度": "quarter", "年": "year",
}  # fmt: skip
_RELATIVE = (
    (r"today|오늘|今天|今日", "day", 0), (r"yesterday|어제|昨天|昨日", "day", -1), (r"tomorrow|내일|明天", "day", 1),
    (r"this month|이번 ?달|이달|本月", "month", 0), (r"last month|지난 ?달|上个?月", "month", -1),
    (r"next month|다음 ?달|下个?月", "month", 1), (r"(?:this|the current) quarter|이번 분기|本季度?", "quarter", 0),
    (r"last quarter|지난 ?분기|전 ?분기|上季度?|上个季度", "quarter", -1),
    (r"next quarter|다음 ?분기|下季度?|下个季度", "quarter", 1), (r"this year|올해|금년|今年", "year", 0),
    (r"last year|작년|지난 ?해|전년|去年", "year", -1), (r"next year|내년|明年", "year", 1),
)  # fmt: skip


def _full_year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _filled(found: re.Match[str]) -> dict[str, str]:
    return {name: cell for name, cell in found.groupdict().items() if cell}


def _nth(text: str) -> int:
    return int(text) if text.isdigit() else _ORDINALS[text]


def _count(text: str) -> int | None:
    return int(text) if text.isdigit() else _NUMBERS.get(text)


def _later(day: date, count: int, unit: str) -> date:
    if unit in ("day", "week"):
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    return _shifted(day, count * _UNIT[unit])


def _calendar_time(cells: dict[str, str]) -> Period | None:
    """A period of the calendar from what a form read; None for a month, week or day that there is not."""
    if "decade" in cells:
        year = int(cells["decade"]) * 10
        return Period(date(year, 1, 1), date(year + 9, 12, 31))
    year = _full_year(cells["year"])
    if not 1 <= year <= 9998:
        return None
    try:
        if "week" in cells:
            monday = date.fromisocalendar(year, int(cells["week"]), 1)
            return Period(monday, monday + timedelta(days=6))
        if "q" in cells:
            return _months(year, 3 * _nth(cells["q"]) - 2, 3)
        if "h" in cells:
            return _months(year, 6 * _nth(cells["h"]) - 5, 6)
        month = _NAMES.index(cells["month"]) + 1 if "month" in cells else int(cells.get("number", 0))
        if "day" in cells:
            day = date(year, month, int(cells["day"]))
            return Period(day, day)
        if "number" in cells or "month" in cells:
            return _months(year, month, 1) if 1 <= month <= 12 else None
    except ValueError:
        return None
    return Period(date(year, 1, 1), date(year, 12, 31))


def part_of(whole: Period, part: str) -> Period:
    """The early, middle, late, first (`start`) or last (`end`) part of a period, as the module says."""
    first, last, year = whole.start, whole.end, whole.start.year
    if whole.days > 3000:
        low, high = {"early": (0, 3), "mid": (4, 6), "late": (7, 9), "start": (0, 0), "end": (9, 9)}[part]
        return Period(date(year + low, 1, 1), date(year + high, 12, 31))
    if whole == _months(year, 1, 12):
        month, count = {"early": (1, 3), "mid": (5, 4), "late": (10, 3), "start": (1, 1), "end": (12, 1)}[part]
        return _months(year, month, count)
    if whole.days > 31:
        third = whole.days // 3
        spans = {
            "early": (first, first + timedelta(days=third - 1)),
            "mid": (first + timedelta(days=third), last - timedelta(days=third)),
            "late": (last - timedelta(days=third - 1), last),
            "start": (first, _later(first, 1, "month") - DAY),
            "end": (_later(last, -1, "month") + DAY, last),
        }
        return Period(*spans[part])
    if whole.days == 1:
        return whole
    tenth, twentieth = first + timedelta(days=9), first + timedelta(days=19)
    return {
        "early": Period(first, tenth), "mid": Period(tenth + DAY, twentieth), "late": Period(twentieth + DAY, last),
        "start": Period(first, first), "end": Period(last, last),
    }[part]  # fmt: skip


def _completed(left: str, right: str) -> Iterator[tuple[str, str]]:
    """`A to B` with what one side leaves out taken from the other: `2025Q1-Q3`, `Jan-Nov 2024`, `2025-05 to 07`."""
    yield left, right
    year = re.match(r"(\d{4})", left)
    if year and re.fullmatch(r"q[1-4]|h[12]", right):
        yield left, year[1] + right
    if year and re.fullmatch(rf"{_MONTH}(?: \d{{1,2}})?", right):
        yield left, f"{right} {year[1]}"
    if (month := re.fullmatch(r"(\d{4}-)\d{2}", left)) and re.fullmatch(r"\d{2}", right):
        yield left, month[1] + right
    if year and re.fullmatch(r"(?:the )?year[- ]end", right):
        yield left, f"end of {year[1]}"
    if (later := re.search(r"(\d{4})$", right)) and re.fullmatch(rf"{_MONTH}(?: \d{{1,2}})?|q[1-4]|h[12]", left):
        yield f"{left} {later[1]}", right
    if (korean := re.match(r"(\d{4}[년年])", left)) and not re.search(r"\d{4}", right):
        yield left, f"{korean[1]} {right}"
