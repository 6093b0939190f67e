"""Everything on record as lines that can be searched: what it is, its number, who says so, how far to trust it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from chipweir.i18n import _, language
from chipweir.report import _numbers
from chipweir.report._labels import CLASSES, N_, label


if TYPE_CHECKING:
    from chipweir.facts import Chip, Conflict, Event, Fact, Facts, LanguageModel, Price, Source, System, Value

KINDS = {
    "chips": N_("Chips"),
    "systems": N_("Systems"),
    "models": N_("Language models"),
    "facts": N_("Figures"),
    "events": N_("Events"),
    "prices": N_("Prices"),
    "conflicts": N_("Conflicts"),
    "sources": N_("Sources"),
}


_ISO = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_TRUST_WORDS = {**CLASSES, "rumour": N_("rumour")}


@dataclass(frozen=True)
class Line:
    """One thing that can be found: where it stands, what it is called, its number, who says so.

    `when` is as the source writes it, `day` the last day that this means, or empty.
    """

    kind: str
    id: str
    title: str
    value: str
    when: str
    source: str
    url: str
    trust: tuple[str, ...]
    searched: str
    korean: str = ""
    day: str = ""

    @property
    def shown(self) -> tuple[str, str]:
        """What it is and its value, in the reader's language."""
        value = label("event", self.value) if self.kind == "events" else self.value
        return (self.korean if language() == "ko" else "") or self.title, value


def _value(value: "Value") -> str:
    if value.low is not None and value.high is not None:
        middle = f"{_numbers.full(value.central)} " if value.central is not None else ""
        return f"{middle}({_numbers.full(value.low)} – {_numbers.full(value.high)}) {_unit(value.unit)}"
    return f"{_numbers.full(value.best)} {_unit(value.unit)}"


def _unit(unit: str) -> str:
    """A unit as people write it."""
    return "" if unit in ("thing", "text") else unit.replace("bit*TOP/s", "TPP").replace("**2", "²").replace("*", "·")


def _trust(value: "Value") -> tuple[str, ...]:
    return (value.cls, value.confidence, *(["rumour"] if value.rumour else []))


@cache
def lines() -> tuple[Line, ...]:
    """Everything that can be found, once."""
    from chipweir import facts

    known = facts.load()
    makers: dict[str, Callable[[Any, Any], list[Line]]] = {
        "chips": _chip,
        "systems": _chip,
        "models": _model,
        "facts": _fact,
        "events": _event,
        "prices": _price,
        "conflicts": _conflict,
        "sources": _source,
    }
    return tuple(
        replace(line, kind=kind)
        for kind, make in makers.items()
        for record in getattr(known, kind).values()
        for line in make(known, record)
    )


def _publisher(known: "Facts", identifier: str) -> str:
    source = known.sources.get(identifier)
    return (source.publisher or source.title) if source else identifier


def _valued(known: "Facts", identifier: str, title: str, value: "Value", when: str, extra: str) -> Line:
    publisher = _publisher(known, value.source)
    return _line(identifier, title, _value(value), when, publisher, value.url, _trust(value), extra)


def _chip(known: "Facts", record: "Chip | System") -> list[Line]:
    extra = " ".join((*record.aliases, record.maker))
    return [
        _valued(known, record.id, f"{record.name}: {quantity.replace('_', ' ')}", value, value.as_of, extra)
        for quantity, values in record.values.items()
        for value in values
    ]


def _model(_known: "Facts", record: "LanguageModel") -> list[Line]:
    size = f"{record.total_params_b or '?'} B / {record.active_params_b or '?'} B"
    trust = (record.cls, record.confidence)
    return [_line(record.id, record.name, size, record.release, record.source, "", trust, " ".join(record.aliases))]


def _fact(known: "Facts", record: "Fact") -> list[Line]:
    measure = known.measures[record.measure]
    subject = record.entity_text or record.entity
    title = f"{subject}: {measure.title['en']}, {record.item}".rstrip(", ")
    extra = f"{record.topic} {record.nature} {record.measure} {' '.join(measure.title.values())} {record.value.note}"
    line = _valued(known, record.id, title, record.value, record.when, extra)
    korean = f"{subject}: {measure.title['ko']}, {record.item}".rstrip(", ")
    return [replace(line, korean=korean, day=record.span.end.isoformat())]


def _event(known: "Facts", record: "Event") -> list[Line]:
    source = known.sources.get(record.source)
    url = source.url if source else ""
    publisher, extra = _publisher(known, record.source), " ".join((*record.actors, record.description_ko))
    line = _line(record.id, record.description, record.type, record.date, publisher, url, (record.confidence,), extra)
    return [replace(line, korean=record.description_ko)]


def _price(known: "Facts", record: "Price") -> list[Line]:
    title = f"{record.item}, {record.provider}: {record.metric}"
    return [_valued(known, record.id, title, record.value, record.valid_from, record.region)]


def _conflict(_known: "Facts", record: "Conflict") -> list[Line]:
    says = "; ".join(f"{position.who}: {position.says}" for position in record.values)
    extra = f"{record.treatment} {record.likely_reason}"
    return [_line(record.id, record.quantity, says, "", record.source, "", (record.preferred,), extra)]


def _source(_known: "Facts", record: "Source") -> list[Line]:
    return [
        _line(
            record.id, record.title, record.publisher, record.published, record.publisher, record.url, (record.cls,), ""
        )
    ]


def _line(
    identifier: str, title: str, value: str, when: str, source: str, url: str, trust: tuple[str, ...], extra: str
) -> Line:
    searched = " ".join((identifier, title, value, source, extra)).casefold()
    day = when if _ISO.fullmatch(when) else ""
    return Line("", identifier, title, value, when, source, url, trust, searched, day=day)


def find(words: str, kind: str) -> list[Line]:
    """Lines that hold every word, of one kind or (empty) of all; those first that have them in their id or title."""
    wanted = words.casefold().split()[:12]
    found = [line for line in lines() if kind in ("", line.kind) and all(word in line.searched for word in wanted)]
    return sorted(
        found, key=lambda line: not all(word in f"{line.id} {line.title} {line.korean}".casefold() for word in wanted)
    )


def trusted(line: Line) -> str:
    """Class and confidence in the reader's language."""
    return ", ".join(_(_TRUST_WORDS.get(word, word)) for word in line.trust)
