"""What could be bought when: the status of a chip on a day, from the dates on its record."""

from datetime import date
from typing import TYPE_CHECKING

from chipweir.errors import InputError
from chipweir.facts._prices import span


if TYPE_CHECKING:
    from chipweir.facts._records import Chip


def status_on(chip: "Chip", day: str | date) -> str:
    """The status of `chip` on `day`. Raises `InputError` for a day that is no date, month, quarter, half or year."""
    text = day.isoformat() if isinstance(day, date) else str(day).strip()
    asked = span(text)
    if asked is None:
        raise InputError(f"date '{text}' is not understood; write 2025-08-29, 2025-08, 2025Q3, 2025H2 or 2025")
    if chip.status in ("announced", "roadmap", "not-shipped", "unclear"):
        begins = chip.announced
        return chip.status if not begins or begins <= asked[1][: len(begins)] else "unknown"
    release = span(chip.release)
    if release is None or release[0] <= asked[1]:
        sold = chip.status == "ended" and bool(chip.ended) and asked[1] < span_start(chip.ended)
        return "shipped" if sold else chip.status
    return "announced" if chip.announced and span_start(chip.announced) <= asked[1] else "unknown"


def span_start(text: str) -> str:
    """The first day of a partial date; far in the future where there is none."""
    found = span(text)
    return found[0] if found else "9999-12-31"


def timeline(chip: "Chip") -> list[dict[str, str]]:
    """What is known of the chip's life: the day since which each status held, earliest first."""
    marks = [(chip.announced, "announced")]
    sold = {"ended": "shipped"}.get(chip.status, chip.status)
    if chip.release:
        planned = chip.status in ("announced", "roadmap", "unclear", "not-shipped")
        marks.append((chip.release, "expected" if planned else sold))
    if chip.status == "ended":
        marks.append((chip.ended, "ended"))
    return [{"since": since, "status": status} for since, status in marks if since or status == "ended"]
