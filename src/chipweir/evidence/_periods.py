"""How the period of a record lies to the dates around a figure: of the calendar, or of a firm's own fiscal year."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

from chipweir import facts
from chipweir.errors import InputError
from chipweir.evidence._known import Known
from chipweir.evidence._scene import BEFORE, EARLIER, OWN, Scene
from chipweir.evidence._vocabulary import vocabulary
from chipweir.text import Time


if TYPE_CHECKING:
    from chipweir.evidence._keys import Base


Fit = Literal["exact", "within", "near", "open", "off"]
FITS: tuple[Fit, ...] = ("exact", "within", "open", "near", "off")
_SAME_QUARTER, _SAME_PERIOD = 17, 35
_MARGIN = timedelta(days=40)
_RECENT = 430


@dataclass(frozen=True)
class Periods:
    """The periods that the text about one figure names, held against those of records."""

    base: "Base"
    scene: Scene
    _periods: dict[str, list[tuple[date, date]]] = field(default_factory=dict, repr=False, compare=False)
    _windows: dict[str, tuple[date, date]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _times(self) -> list[Time]:
        ago = _YEAR_AGO.search(self.scene.text, self.scene.start, self.scene.end)
        own = self.scene.nearest_times
        if ago is None:
            return _joined(own)
        before = [t for t, level in self.scene.times if level in {OWN, BEFORE} and t.grain in _PARTS]
        before = [time for time in before if time.end <= ago.start() or time.start >= ago.end()]
        if any(time.start >= ago.end() for time in before if time in own):
            return _joined(own)
        back = [_year_before(time) for time in before if time.end <= ago.start()]
        return _joined([time for time in back if time is not None] or own)

    def is_elsewhen(self, record: Known) -> bool:
        """Whether a record's period lies clear of all that the text names: the quick half of `fit`."""
        if record.kind == "price" or record.timeless or record.measure in self.base.lasting:
            return False
        window = self._windows.get(record.entity)
        if window is None:
            window = self._windows[record.entity] = self._window(record)
        if record.start <= window[1] and window[0] <= record.end:
            return False
        clear = record.end < window[0] - _MARGIN or record.start > window[1] + _MARGIN
        return clear or record.end - record.start > _MARGIN  # a quarter or year beside another is another one

    def _window(self, record: Known) -> tuple[date, date]:
        """The days that a record of an entity must touch not to be off; all days where no period is named."""
        spans = self._spans_of(record)
        if not spans or self.scene.time_level == EARLIER:
            return date.min + _MARGIN, date.max - _MARGIN
        return min(low for low, _ in spans), max(high for _, high in spans)

    def _spans_of(self, record: Known) -> list[tuple[date, date]]:
        if record.entity not in self._periods:
            self._periods[record.entity] = [span for time in self._times for span in self._spans(time, record)]
        return self._periods[record.entity]

    def fit(self, record: Known) -> Fit:
        """How the record's period lies to the one the text names."""
        if record.timeless or record.measure in self.base.lasting:
            return "exact"
        spans = self._spans_of(record)
        if not spans:
            return self._undated(record)
        found = min((self._fits(record, span) for span in spans), key=FITS.index)
        if found == "off" and self.scene.time_level == EARLIER:
            return self._undated(record)
        return found

    def _spans(self, time: Any, record: Known) -> Iterator[tuple[date, date]]:
        """The days a date may mean of the firm a record is of: those of the calendar, and of its fiscal year."""
        if not time.low or not time.high:
            return
        whole = time.grain in _PARTS
        calendar = _calendar(self.base.known, record.entity) if whole or "fiscal-possible" in time.flags else None
        fiscal = list(self._fiscal(time, calendar)) if calendar is not None and time.value else []
        if not fiscal or not _FISCAL.search(time.surface):
            yield _day(time.low), _day(time.high)
        yield from fiscal

    def _fiscal(self, time: Any, calendar: Any) -> Iterator[tuple[date, date]]:
        """The days of a firm's fiscal year or quarter; of one without a year the last that had ended."""
        year, _, part = str(time.value).partition("-")
        if not _YEAR.search(time.surface) and part.startswith("Q") and self.base.on and year.isdigit():
            found = (_fiscal(f"FY{int(year) + ahead}{part}", calendar) for ahead in (1, 0, -1))
            ended = [span for span in found if span is not None and span[1].isoformat() <= self.base.on]
            yield from ended[:1]
        elif (span := _fiscal(f"FY{year}{part}" if time.grain in _PARTS else f"{year}{part}", calendar)) is not None:
            yield span

    def _fits(self, record: Known, span: tuple[date, date]) -> Fit:
        low, high = span
        if record.kind == "price":
            dated = record.start != date.min
            return "near" if not (record.start <= high and low <= record.end) else "exact" if dated else "within"
        days = (high - low).days + 1
        own = (record.end - record.start).days + 1
        adds = getattr(self.base.measured.get(record.measure), "adds", "")
        slack = _SAME_QUARTER if days < 200 else _SAME_PERIOD
        if abs((record.start - low).days) <= slack and abs((record.end - high).days) <= slack and own < 2 * days + 40:
            return "exact"
        inside = low <= record.start and record.end <= high
        around = record.start <= low and high <= record.end
        if adds != "sum" and (inside or around):
            return "within"
        if adds == "sum" and around and own > 400:
            return "within"
        if low <= record.end and record.start <= high:
            return "near"
        return "off"

    def _undated(self, record: Known) -> Fit:
        """A text that names no period speaks of the present: the article's day."""
        if self.base.on is None:
            return "near"
        day = date.fromisoformat(self.base.on)
        if record.kind == "price":
            return "open" if record.start <= day <= record.end else "near"
        if record.nature != "observation" and record.end > day:
            return "open" if record.value.known_by <= day else "near"
        if record.end < day - timedelta(days=_RECENT) and record.measure not in vocabulary()["announced"]:
            return "off"
        return "open" if record.start <= day else "near"


_YEAR_AGO = re.compile(
    r"\ba year (?:earlier|before|ago)\b|\b(?:the )?(?:year-earlier|year-ago|prior-year) (?:period|quarter)|"
    r"(?:전년|지난해|작년) ?(?:같은 ?(?:기간|분기)|동기)|(?:去年|上年)同期"
)


def _year_before(time: Time) -> Time | None:
    """The same quarter, half or year a year earlier."""
    year, _, part = str(time.value).partition("-")
    if not (year.isdigit() and time.low and time.high):
        return None
    low, high = (date.fromisoformat(str(day)[:10]) for day in (time.low, time.high))
    value = f"{int(year) - 1}-{part}" if part else str(int(year) - 1)
    return replace(time, value=value, surface=f"{time.surface} {int(year) - 1}", low=_back(low), high=_back(high))


def _back(day: date) -> str:
    return day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day).isoformat()


_YEAR = re.compile(r"(?:19|20)\d\d|FY|['’]\d\d|\d\d(?:년|회계)|\d\d财年")
_FISCAL = re.compile(r"fiscal|FY|회계|财|財", re.I)
_PARTS = frozenset({"year", "quarter", "half"})


def _joined(times: list[Time]) -> list[Time]:
    """Dates with a year and the quarter right behind it taken together: 회계연도 2026년 1분기."""
    found: list[Time] = []
    years, rest = [t for t in times if t.grain == "year"], [t for t in times if t.grain != "year"]
    if len(years) == len(rest) == 1 and rest[0].grain == "quarter" and not _YEAR.search(rest[0].surface):
        times = [years[0], replace(rest[0], start=years[0].end)]
    for time in sorted(times, key=lambda one: one.start):
        last = found[-1] if found else None
        behind = (
            last is not None and last.grain == "year" and time.grain == "quarter" and time.start - last.end in {0, 1}
        )
        if last and behind and time.value and re.fullmatch(r"\d{4}", str(last.value)):
            quarter = f"{last.value}-{time.value[-2:]}"
            days = facts.period(quarter.replace("-", ""))
            found[-1] = replace(time, start=last.start, value=quarter, low=days.start.isoformat(),
                                high=days.end.isoformat())  # fmt: skip
        else:
            found.append(time)
    return found


def _calendar(known: "facts.Facts", entity: str) -> Any:
    """The fiscal calendar of an entity or of what it belongs to."""
    seen: set[str] = set()
    while entity and entity not in seen:
        if entity in known.calendars:
            return known.calendars[entity]
        seen.add(entity)
        entity = known.entities[entity].parent if entity in known.entities else ""
    return None


@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


@lru_cache(maxsize=8192)
def _fiscal(text: str, calendar: Any) -> tuple[date, date] | None:
    try:
        found = facts.period(text, calendar)
    except InputError:
        return None
    return found.start, found.end
