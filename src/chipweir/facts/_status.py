"""What could be bought when: the status of a chip on a day, from the dates on its record."""

from datetime import date
from typing import TYPE_CHECKING

from chipweir.facts._known import PLANNED, dated
from chipweir.facts._period import period


if TYPE_CHECKING:
    from chipweir.facts._records import Chip


def status_on(chip: "Chip", day: str | date) -> str:
    """The status of `chip` on `day`. Raises `InputError` for a day that is no date, month, quarter, half or year."""
    asked = period(day)
    announced, release, ended = dated(chip.announced), dated(chip.release), dated(chip.ended)
    if chip.status in PLANNED:
        return chip.status if announced is None or announced.start <= asked.end else "unknown"
    if release is None or release.start <= asked.end:
        sold = chip.status == "ended" and ended is not None and asked.end < ended.start
        return "shipped" if sold else chip.status
    return "announced" if announced is not None and announced.start <= asked.end else "unknown"


def timeline(chip: "Chip") -> list[dict[str, str]]:
    """What is known of the chip's life: the day since which each status held, earliest first."""
    marks = [(chip.announced, "announced")]
    sold = {"ended": "shipped"}.get(chip.status, chip.status)
    if chip.release:
        planned = chip.status in PLANNED
        marks.append((chip.release, "expected" if planned else sold))
    if chip.status == "ended":
        marks.append((chip.ended, "ended"))
    return [{"since": since, "status": status} for since, status in marks if since or status == "ended"]
