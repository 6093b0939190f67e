"""Calendar arithmetic of vague dates: the first and last day of a part of a month, quarter or year, and their
shortest ISO form."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from chipweir.text._document import Grain


@dataclass(frozen=True, slots=True)
class Period:
    """Days `low` to `high`, both inclusive, and the shortest ISO form that names them."""

    value: str
    low: date
    high: date
    grain: Grain


def year_period(year: int, part: str = "") -> Period:
    """A year, or its early (January to March), middle (May to August) or late (October to December) part."""
    if part == "early":
        return Period(f"{year:04d}-01", date(year, 1, 1), date(year, 3, 31), "quarter")
    if part == "middle":
        return Period(f"{year:04d}-06", date(year, 5, 1), date(year, 8, 31), "quarter")
    if part == "late":
        return Period(f"{year:04d}-12", date(year, 10, 1), date(year, 12, 31), "quarter")
    return Period(f"{year:04d}", date(year, 1, 1), date(year, 12, 31), "year")


def decade_period(year: int, part: str = "") -> Period:
    """A decade, or its early, middle or late part."""
    first, last = {"early": (0, 3), "middle": (4, 6), "late": (7, 9)}.get(part, (0, 9))
    decade = year - year % 10
    return Period(f"{decade:04d}/{decade + 9:04d}", date(decade + first, 1, 1), date(decade + last, 12, 31), "decade")


def half_period(year: int, half: int) -> Period:
    """The first or second half of a year."""
    first = 1 if half == 1 else 7
    return Period(f"{year:04d}-H{half}", date(year, first, 1), month_end(year, first + 5), "half")


def quarter_period(year: int, quarter: int) -> Period:
    """A calendar quarter."""
    first = 3 * quarter - 2
    return Period(f"{year:04d}-Q{quarter}", date(year, first, 1), month_end(year, first + 2), "quarter")


def quarters_period(year: int, quarters: int) -> Period:
    """The first two or three quarters of a year together."""
    return Period(
        f"{year:04d}-01/{year:04d}-{3 * quarters:02d}", date(year, 1, 1), month_end(year, 3 * quarters), "year"
    )


def months_period(year: int, months: int) -> Period:
    """The first so many months of a year together. Raises `ValueError` for more than twelve or none."""
    return Period(f"{year:04d}-01/{year:04d}-{months:02d}", date(year, 1, 1), month_end(year, months), "year")


def closing_period(year: int, month: int, months: int) -> Period:
    """So many whole months that end with a month: the three months to January 2024."""
    last = month_end(year, month)
    first_year, first_month = shift_month(last, 1 - months)
    span = f"{first_year:04d}-{first_month:02d}/{year:04d}-{month:02d}"
    first = date(first_year, first_month, 1)
    return Period(span, first, last, "quarter" if months == 3 else "half" if months == 6 else "year")


def month_period(year: int, month: int, part: str = "") -> Period:
    """A month, or its first ten days, second ten days, or the rest."""
    last = monthrange(year, month)[1]
    first, end = {"early": (1, 10), "middle": (11, 20), "late": (21, last)}.get(part, (1, last))
    return Period(f"{year:04d}-{month:02d}", date(year, month, first), date(year, month, end), "month")


def week_period(day: date) -> Period:
    """The ISO week that holds `day`, Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    year, week, _ = day.isocalendar()
    return Period(f"{year:04d}-W{week:02d}", monday, monday + timedelta(days=6), "week")


def weekend_period(day: date) -> Period:
    """The Saturday and Sunday of the ISO week that holds `day`."""
    saturday = day - timedelta(days=day.weekday()) + timedelta(days=5)
    return Period(saturday.isoformat(), saturday, saturday + timedelta(days=1), "day")


def day_period(day: date) -> Period:
    """One day."""
    return Period(day.isoformat(), day, day, "day")


def month_end(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year, month, monthrange(year, month)[1])


def shift_month(day: date, months: int) -> tuple[int, int]:
    """(year, month) `months` after the month of `day`."""
    index = day.year * 12 + day.month - 1 + months
    return index // 12, index % 12 + 1


def nearest(candidates: list[date], anchor: date, past_weight: float = 0.4) -> date:
    """The candidate nearest to `anchor`; a day in the past counts `past_weight` of its distance, since news looks
    back."""
    return min(candidates, key=lambda day: (anchor - day).days * past_weight if day <= anchor else (day - anchor).days)
