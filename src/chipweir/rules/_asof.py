"""The law as it had been published by a day: later instruments, and what they changed or ended, are not there."""

from dataclasses import replace
from datetime import date
from typing import Any

from chipweir.rules._book import Book, Group, Instrument, Review, WayOut
from chipweir.rules._when import LAST


def published_by(book: Book, day: date) -> Book:
    """`book` as the public could know it on a day; the same book for the same day.

    A rule is known from its own day of publication, else that of its instrument, else the day it starts. What ended a
    rule is known from the day of publication of the instrument that ended it: before, the rule has no end.
    """
    key = ("published by", day)
    found: Book | None = book.remembered(key)
    if found is None:
        found = _published_by(book, day)
        book.remember(key, found)
    return found


def _published_by(book: Book, day: date) -> Book:
    instruments = {name: _instrument(entry, day) for name, entry in book.instruments.items() if entry.known_by <= day}

    def rows(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(_unended(entry, book, day) for entry in entries if _known(entry, book, day))

    presumptions = tuple(replace(entry, ways_out=rows(entry.ways_out)) for entry in rows(book.presumptions))
    requirements = tuple(replace(entry, review=_lines(entry.review, book, day)) for entry in rows(book.requirements))
    return replace(
        book,
        instruments=instruments,
        groups={name: _group(group, day) for name, group in book.groups.items()},
        computers={name: since for name, since in book.computers.items() if since <= day},
        paragraphs=rows(book.paragraphs),
        presumptions=presumptions,
        reviews={name: _lines(lines, book, day) for name, lines in book.reviews.items()},
        requirements=requirements,
        authorisations=rows(book.authorisations),
        stances=rows(book.stances),
        tariffs=rows(book.tariffs),
        charges=rows(book.charges),
        caps=rows(book.caps),
        flags=rows(book.flags),
        as_of=day,
        _memo={},
    )  # fmt: skip


def _known(entry: Any, book: Book, day: date) -> bool:
    """Whether a rule had been published by a day."""
    if entry.published is not None:
        return bool(entry.published <= day)
    if isinstance(entry, WayOut):
        return True  # as old as its presumption
    instrument = getattr(entry, "instrument", None)
    if instrument is not None:
        return book.instruments[instrument].known_by <= day
    since = entry.when.since if isinstance(entry, Review) else entry.since
    return bool(since <= day)


def _unended(entry: Any, book: Book, day: date) -> Any:
    """The rule without an end that was not known yet."""
    ended = getattr(entry, "ended_by", None)
    return entry if ended is None or book.instruments[ended].known_by <= day else replace(entry, until=LAST)


def _lines(lines: tuple[Review, ...], book: Book, day: date) -> tuple[Review, ...]:
    kept = []
    for line in lines:
        if not _known(line, book, day):
            continue
        if line.ended_by is not None and book.instruments[line.ended_by].known_by > day:
            line = replace(line, when=replace(line.when, until=LAST))
        kept.append(line)
    return tuple(kept)


def _instrument(entry: Instrument, day: date) -> Instrument:
    return replace(entry, status=tuple(s for s in entry.status if (s.published or s.since) <= day))


def _group(group: Group, day: date) -> Group:
    return replace(group, changes=tuple(c for c in group.changes if (c.published or c.since) <= day))
