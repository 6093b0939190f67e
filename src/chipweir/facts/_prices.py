"""What a chip costs on a day, from dated ranges."""

import re
from datetime import date
from typing import TYPE_CHECKING

from chipweir.errors import InputError
from chipweir.facts._records import Value


if TYPE_CHECKING:
    from chipweir.facts._records import Chip


_SPAN = re.compile(r"^(\d{4})(?:-?Q([1-4])|-?H([12])|-(0[1-9]|1[0-2])(?:-(\d{2}))?|-(\d{4}))?$")


def span(text: str) -> tuple[str, str] | None:
    """First and last day (ISO text) of a date, month, quarter, half, year or pair of years; None for anything else."""
    found = _SPAN.match(text.strip())
    if not found:
        return None
    year, quarter, half, month, day, until = found.groups()
    if day:
        return text, text
    first, count = (
        (3 * int(quarter) - 2, 3)
        if quarter
        else (6 * int(half) - 5, 6)
        if half
        else (int(month), 1)
        if month
        else (1, 12)
    )
    return f"{year}-{first:02d}-01", f"{until or year}-{first + count - 1:02d}-31"


def price_of_chip(chip: "Chip", on: str | date = "") -> Value | None:
    """The price of one chip in US dollars that holds on `on`, with low, central and high; None where no price is known.

    Of the dated prices the one whose span covers the day; of several the preferred, then the shortest span. Where none
    does, the nearest earlier one, else the nearest later one, and the note says so. Without `on`: the latest. `central` is
    the middle of a range that states none. Raises `InputError` for a day that is no date, month, quarter, half or year.
    """
    known = [(dates, value) for value in chip.values.get("price_usd", ()) if (dates := span(value.as_of))]
    if not known:
        return None if chip.price_usd is None else _whole(chip.price_usd, "")
    text = on.isoformat() if isinstance(on, date) else on.strip()
    if not text:
        return _whole(max(known, key=lambda pair: (pair[0][1], pair[1].preferred))[1], "")
    day = span(text)
    if day is None:
        raise InputError(f"date '{text}' is not understood; write 2025-08-29, 2025-08, 2025Q3, 2025H2 or 2025")
    covering = [pair for pair in known if pair[0][0] <= day[1] and day[0] <= pair[0][1]]
    if covering:
        return _whole(min(covering, key=lambda pair: (not pair[1].preferred, _days(pair[0])))[1], "")
    before = [pair for pair in known if pair[0][1] < day[0]]
    nearest = max(before, key=lambda p: p[0][1]) if before else min(known, key=lambda p: p[0][0])
    return _whole(nearest[1], f"nearest known price, of {nearest[1].as_of}")


def _days(dates: tuple[str, str]) -> int:
    return sum(sign * (int(d[:4]) * 372 + int(d[5:7]) * 31 + int(d[8:])) for sign, d in ((-1, dates[0]), (1, dates[1])))


def _whole(value: Value, note: str) -> Value:
    low, high = value.interval
    said = "; ".join(part for part in (value.note, note) if part)
    return value.model_copy(update={"low": low, "central": value.best, "high": high, "note": said})
