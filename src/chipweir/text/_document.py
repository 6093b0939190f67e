"""The plain records that reading writes.

Offsets are Python string offsets, half open, into `Document.text`. For plain text and Markdown that is the text as
given; for HTML it is the text extracted from it, and `Document.origin` maps each character back to the HTML as given.
For PDF it is the text of its pages, one after the other; `Document.pages` says where each begins.
"""

import hashlib
from bisect import bisect_right
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any, Literal

from chipweir.text._lexicon import Word


Language = Literal["ko", "en", "zh-Hans", "zh-Hant"]
DateBasis = Literal["explicit", "inferred", "unknown"]
Tier = Literal["official", "own reporting", "relay", "opinion", "machine-written", "unknown"]
Bound = Literal["eq", "approx", "ge", "le", "gt", "lt", "range"]
Grain = Literal["minute", "day", "week", "month", "quarter", "half", "year", "decade", "unknown"]
Found = Literal["alias", "pattern", "typo", "code"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the text and why it is set aside (`duplicate`, `caption`, `front matter`, `boilerplate`, `url`)."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """One article. `text` is never altered: dropped stretches stay in it and are listed in `dropped`.

    `published` is ISO 8601 (date or minute) or None; `relays` names the outlets whose reports the article passes on,
    as written in facts ids where known (`financial-times`) and as the surface where not.
    """

    text: str
    sha256: str
    language: Language
    format: Literal["text", "markdown", "html", "rss", "pdf", "docx"] = "text"
    outlet: str = ""
    url: str = ""
    title: str = ""
    published: str | None = None
    published_basis: DateBasis = "unknown"
    published_why: str = ""
    tier: Tier = "unknown"
    generator: str = ""
    relays: tuple[str, ...] = ()
    dropped: tuple[Span, ...] = ()
    warnings: tuple[str, ...] = ()
    origin: tuple[int, ...] | None = field(default=None, repr=False)
    pages: tuple[int, ...] = field(default=(), repr=False)

    def page(self, place: int) -> int | None:
        """The page (from 1) that a place of the text is on; None where the document has none."""
        return bisect_right(self.pages, place) if self.pages else None

    def is_dropped(self, start: int, end: int) -> bool:
        """Whether [start, end) lies wholly inside a stretch that is set aside as a duplicate or a caption."""
        # `dropped` is in order of its starts and hardly nests, so only the last few that begin before can hold it.
        last = bisect_right(self.dropped, start, key=lambda span: span.start)
        return any(
            end <= span.end for span in self.dropped[max(0, last - 6) : last] if span.reason in {"duplicate", "caption"}
        )

    def given(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) as offsets into the input as given."""
        if self.origin is None or not self.origin:
            return start, end
        return self.origin[start], self.origin[end - 1] + 1

    def as_json(self) -> dict[str, Any]:
        """Everything but the text itself, which stays in the user's folder."""
        record = {name: getattr(self, name) for name in _DOCUMENT_FIELDS}
        record["characters"] = len(self.text)
        record["relays"] = list(self.relays)
        record["warnings"] = list(self.warnings)
        record["dropped"] = [
            {"start": at, "end": end, "reason": span.reason}
            for span in self.dropped
            for at, end in [self.given(span.start, span.end)]
        ]
        return record


_DOCUMENT_FIELDS = (
    "sha256",
    "language",
    "format",
    "outlet",
    "url",
    "title",
    "published",
    "published_basis",
    "published_why",
    "tier",
    "generator",
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure in the text, normalised.

    `value` is a number in `unit`, or an ISO 8601 string where `type` is `date`; `low` and `high` bound what the words
    allow (None: open). A fall in per cent is negative. `basis` is `per_1e6_token`, `per_second` ... or empty.
    `change` is `rise` or `fall` where the words beside it say so. `flags` holds `increment-or-factor` (N배 증가 may be
    +N or xN), `fiscal` (a quarter that may be a fiscal one), `vague`, `label`.
    """

    start: int
    end: int
    surface: str
    type: str
    value: float | int | str | None
    low: float | int | str | None
    high: float | int | str | None
    unit: str
    bound: Bound = "eq"
    basis: str = ""
    change: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Time:
    """A date or period: the days `low` to `high` (ISO, both inclusive), or None where no anchor resolves it.

    `value` is the shortest ISO form (`2025`, `2025-Q2`, `2025-W30`, `2025-08-29`), `anchor` says what it was resolved
    against: `absolute`, `published <date>`, `context <date>` (a date named earlier) or `unresolved`.
    `flags` holds `overseas-day` for a day that an overseas market or outlet means in its own time zone.
    """

    start: int
    end: int
    surface: str
    value: str | None
    low: str | None
    high: str | None
    grain: Grain
    anchor: str
    bound: Bound = "eq"
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntityMention:
    """A name in the text. `how` is `alias` (in the fact base), `pattern` (a description), `typo` (a suggestion, never
    accepted by itself) or `code` (looks like a chip or model the fact base does not hold: `id` is empty). `also` are
    other things that the name may mean."""

    start: int
    end: int
    id: str
    surface: str
    kind: str
    how: Found = "alias"
    score: float = 1.0
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WordMention:
    """Words in the text, [start, end), and everything that they may name."""

    start: int
    end: int
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: its paragraph's number, the stretches in quotation marks, and who is cited for it (the words as
    written)."""

    start: int
    end: int
    paragraph: int
    quotes: tuple[tuple[int, int], ...] = ()
    attribution: str = ""
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Extraction:
    """What the rules found in one document; dates stand in `times` and, so that one list holds every figure, in
    `quantities` too."""

    document: Document
    sentences: tuple[Sentence, ...]
    quantities: tuple[Quantity, ...]
    times: tuple[Time, ...]
    entities: tuple[EntityMention, ...]
    words: tuple[WordMention, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """`document`, `quantities`, `times`, `entities` and `warnings` with offsets into the input as given."""
        return {
            "document": self.document.as_json(),
            "quantities": [span_json(self.document, item) for item in self.quantities],
            "times": [span_json(self.document, item) for item in self.times],
            "entities": [span_json(self.document, item) for item in self.entities],
            "warnings": [*self.document.warnings, *self.warnings],
        }


def span_json(document: Document, record: Quantity | Time | EntityMention | Sentence) -> dict[str, Any]:
    """`record` as a plain dict; its offsets moved to the input as given, with `dropped` where it lies in a set-aside
    stretch."""
    plain = plain_record(record)
    plain["start"], plain["end"] = document.given(record.start, record.end)
    plain["dropped"] = document.is_dropped(record.start, record.end)
    return plain


def plain_record(record: Any) -> dict[str, Any]:
    """A flat record as JSON can hold it: tuples become lists, numbers without end null."""
    return {name: _plain(getattr(record, name)) for name in _names(type(record))}


_NAMES: dict[type, tuple[str, ...]] = {}


def _names(kind: Any) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(one.name for one in fields(kind))
    return _NAMES[kind]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def digest(text: str) -> str:
    """SHA-256 of the text in UTF-8; lone surrogates are escaped."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
