"""Rows of the tables of measures and facts become records: keys, period, unit and date of knowledge are read here."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Protocol

from chipweir.errors import InputError, UnknownName
from chipweir.facts._calendars import Calendar
from chipweir.facts._known import known_by
from chipweir.facts._period import Period, period
from chipweir.facts._records import Entity, Fact, Measure, Value
from chipweir.facts._tables import Line, build, flag, without_value


class _Reader(Protocol):
    def __call__(self, line: Line, unit: str | None = None, as_of: str = "", known: date | None = None) -> Value: ...


def measure(line: Line) -> Measure:
    """The measure on `line`."""
    cells: dict[str, Any] = {**line.row, "origin": line.place}
    cells["id"] = cells.pop("measure")
    for name in ("title", "definition"):
        cells[name] = {"en": cells.pop(name, ""), "ko": cells.pop(f"{name}_ko", "")}
    cells["words"] = {language: cells.pop(language, "") for language in ("en", "ko", "zh")}
    return build(Measure, cells, line.path, line.place)


def calendar(entity: str, calendars: Mapping[str, Calendar], entities: Mapping[str, Entity]) -> Calendar | None:
    """The fiscal calendar of an entity, or of what it belongs to; None where none is known."""
    seen: set[str] = set()
    while entity and entity not in seen:
        if entity in calendars:
            return calendars[entity]
        seen.add(entity)
        entity = entities[entity].parent if entity in entities else ""
    return None


class FactRows:
    """Reads rows of facts against the measures, fiscal calendars and entities."""

    def __init__(
        self,
        value: _Reader,
        measures: Mapping[str, Measure],
        calendars: Mapping[str, Calendar],
        entities: Mapping[str, Entity],
    ) -> None:
        self.value, self.measures, self.calendars, self.entities = value, measures, calendars, entities

    def fact(self, line: Line) -> Fact:
        """The fact on `line`. Raises `InputError` or `UnknownName` that names file, row and what would be right."""
        row = line.row
        measured = self._measure(line)
        when = self._period(line)
        value = self.value(line, as_of=f"{when.start} to {when.end}" if when.start != when.end else str(when.start))
        if line.layer:
            self._check_unit(line, measured, value)
        cells: dict[str, Any] = {
            **without_value(row),
            "start": when.start,
            "end": when.end,
            "retrospective": flag(row, "retrospective", line.path, line.place),
            "value": value,
            "origin": line.place,
        }
        return build(Fact, cells, line.path, line.place)

    def _measure(self, line: Line) -> Measure:
        name = line.row.get("measure", "")
        if not name:
            raise InputError(f"{line.where}: measure is empty; measures.csv lists them (chipweir facts list measures)")
        found = self.measures.get(name)
        if found is None:
            raise UnknownName("measure", name, self.measures, where=line.where)
        return found

    def _period(self, line: Line) -> Period:
        """The days of the row: its `start` and `end`, else what `as_written` says by the entity's fiscal calendar."""
        row = line.row
        try:
            if "start" in row:
                first = _day(row["start"])
                last = _day(row["end"]) if "end" in row else first
                return Period(first.start, last.end)
            if "as_written" not in row:
                raise InputError("no period: fill start and end (2025-08-29, 2025-08, 2025) or as_written")
            published = row.get("published")
            told = known_by(published) if published else None
            found = period(
                row["as_written"], calendar(row.get("entity", ""), self.calendars, self.entities) or "", told
            )
        except InputError as error:
            raise InputError(f"{line.where}: {error}") from None
        return Period(found.start, max(known_by(published or ""), found.start)) if found.open else found

    def _check_unit(self, line: Line, measured: Measure, value: Value) -> None:
        from chipweir.facts._units import fits

        if not fits(value.unit, measured.unit):
            written = line.row.get("unit", "")
            raise InputError(
                f"{line.where}: unit: '{written}' cannot measure {measured.id}; "
                f"it is in {measured.unit or 'a pure number'} or what converts to it"
            )


@lru_cache(maxsize=4096)
def _day(text: str) -> Period:
    """A day, month, quarter or year of a date column."""
    if len(text) == 10 and text[4] == text[7] == "-" and "1990" <= text[:4] <= "2099":
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise InputError(f"{text} is no day of the calendar") from None
        return Period(day, day)
    return period(text)
