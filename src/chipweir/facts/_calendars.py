"""Fiscal years: from whose day on whose quarters run, so that `FY26Q3` means days.

Three rules cover all makers (columns of `calendars.csv`): a year of months that ends with a month (`month-end`), a year
of 52 or 53 weeks that ends on the last such weekday of a month (`last`), or on the one nearest to the month's end
(`nearest`, Micron's and Broadcom's rule). Quarters of a year of weeks have 13 weeks; where a year has 53, the long
quarter (`long_quarter`) takes the odd one. A year is named after the calendar year in which it ends (`named_by`) or
begins.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal, get_args


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY = timedelta(days=1)


def month_end(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year, month, monthrange(year, month)[1])


Rule = Literal["month-end", "last", "nearest"]
Naming = Literal["end", "start"]


@dataclass(frozen=True)
class Calendar:
    """One firm's or state's fiscal year; `weekday` is empty for a year that ends with a month."""

    entity: str
    rule: Rule
    month: int
    weekday: str = ""
    long_quarter: int = 4
    named_by: Naming = "end"

    def ends(self, year: int) -> date:
        """The last day of the fiscal year that the calendar year `year` names."""
        if self.named_by == "start" and not (self.rule == "month-end" and self.month == 12):
            year += 1
        last = month_end(year, self.month)
        if self.rule == "month-end":
            return last
        back = (last.weekday() - WEEKDAYS.index(self.weekday)) % 7
        if self.rule == "nearest" and back > 3:
            return last + timedelta(days=7 - back)
        return last - timedelta(days=back)

    def year(self, year: int) -> tuple[date, date]:
        """First and last day of fiscal year `year`."""
        return self.ends(year - 1) + DAY, self.ends(year)

    def quarter(self, year: int, quarter: int) -> tuple[date, date]:
        """First and last day of a quarter of fiscal year `year`."""
        first, last = self.year(year)
        if self.rule == "month-end":
            return _months(first, 3 * quarter - 3), _months(first, 3 * quarter) - DAY
        odd = (last - first).days + 1 - 364
        start = first + timedelta(days=91 * (quarter - 1) + (odd if quarter > self.long_quarter else 0))
        return start, start + timedelta(days=90 + (odd if quarter == self.long_quarter else 0))


@cache
def _months(start: date, count: int) -> date:
    """The first day of the month `count` months after `start`, itself the first day of a month."""
    index = start.year * 12 + start.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


CALENDAR_YEAR = Calendar("", "month-end", 12)


CHOICES = {"rule": get_args(Rule), "weekday": ("", *WEEKDAYS), "named_by": get_args(Naming)}
COLUMNS = ("entity", "rule", "month", "weekday", "long_quarter", "named_by", "note")
