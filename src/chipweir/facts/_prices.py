"""What a chip costs on a day, from dated ranges."""

from datetime import date
from typing import TYPE_CHECKING

from chipweir.facts._known import dated
from chipweir.facts._period import period
from chipweir.facts._records import Value


if TYPE_CHECKING:
    from chipweir.facts._records import Chip


def price_of_chip(chip: "Chip", on: str | date = "") -> Value | None:
    """The price of one chip in US dollars that holds on `on`, with low, central and high; None where no price is known.

    Of the dated prices the one whose span covers the day; of several the preferred, then the shortest span. Where none
    does, the nearest earlier one, else the nearest later one, and the note says so. Without `on`: the latest. `central` is
    the middle of a range that states none. Raises `InputError` for a day that is no date, month, quarter, half or year.
    """
    known = [(dates, value) for value in chip.values.get("price_usd", ()) if (dates := dated(value.as_of))]
    if not known:
        return None if chip.price_usd is None else _whole(chip.price_usd, "")
    if not on:
        return _whole(max(known, key=lambda pair: (pair[0].end, pair[1].preferred))[1], "")
    day = period(on)
    covering = [pair for pair in known if pair[0].start <= day.end and day.start <= pair[0].end]
    if covering:
        return _whole(min(covering, key=lambda pair: (not pair[1].preferred, pair[0].days))[1], "")
    before = [pair for pair in known if pair[0].end < day.start]
    nearest = max(before, key=lambda pair: pair[0].end) if before else min(known, key=lambda pair: pair[0].start)
    return _whole(nearest[1], f"nearest known price, of {nearest[1].as_of}")


def _whole(value: Value, note: str) -> Value:
    low, high = value.interval
    said = "; ".join(part for part in (value.note, note) if part)
    return value.model_copy(update={"low": low, "central": value.best, "high": high, "note": said})
