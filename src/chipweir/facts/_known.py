"""By when a thing was known, and the records as they stood on a day.

A record dated only to a month or year counts as known on its last day; one without any date on the day on which the
base was collected: it is then absent from every earlier view, which is the safe side for a test against later events.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TypeVar

from chipweir.errors import InputError
from chipweir.facts._period import Period, period
from chipweir.facts._records import Chip, Conflict, Source, System, Value


COLLECTED = date(2026, 11, 27)
Product = TypeVar("Product", Chip, System)
Row = Mapping[str, str]
# States in which nothing was sold at the collection.
PLANNED = ("announced", "roadmap", "not-shipped", "unclear")


@lru_cache(maxsize=8192)
def dated(text: str) -> Period | None:
    """The days that `text` means, None for words that name none."""
    if not text:
        return None
    try:
        return period(text)
    except InputError:
        return None


def known_by(told: str, *held: str) -> date:
    """The last day of `told`, when a row was published, else of the first of `held`, when what it says began to hold.

    No later than the collection, since what lies ahead of it was announced by then, unless the row says that it was
    published later.
    """
    when = dated(told)
    if when is not None:
        return when.end if when.start > COLLECTED else min(when.end, COLLECTED)
    since = next(filter(None, map(dated, held)), None)
    return COLLECTED if since is None else min(since.end, COLLECTED)


def published(row: Row, sources: Mapping[str, Source]) -> str:
    """When the row or, where it does not say, its source was published."""
    source = sources.get(row.get("source", ""))
    return row.get("published", source.published if source else "")


def by_table(sources: Mapping[str, Source]) -> dict[str, Callable[[Row], date]]:
    """For each table whose rows are dated by themselves, the day by which a row was known.

    A list price is public from the day from which it holds; any other price from its publication.
    """

    def price(row: Row) -> date:
        told, since, listed = published(row, sources), row.get("valid_from", ""), row.get("listed", "")
        return known_by("", since, listed, told) if row.get("kind") == "api" else known_by(told, listed, since)

    return {
        "facts": lambda row: known_by(published(row, sources)),
        "events": lambda row: known_by("", row.get("date", "")),
        "prices": price,
        "models": lambda row: known_by("", row.get("release", "")),
    }


def since(row: Row, values: Mapping[str, Sequence[Value]]) -> date:
    """The day by which a product was known: its announcement, its release or the first of its values."""
    marks = [row.get("announced", ""), row.get("release", "")]
    told = [when.end for when in map(dated, marks) if when is not None]
    return min((COLLECTED, *told, *(value.known_by for found in values.values() for value in found)))


def as_known(product: Product, day: date) -> Product:
    """`product` as of `day`: its status follows from its dates, and remarks, which bear none, are left out."""
    released = dated(product.release)
    changed = {"status_note": "", "note": "", "status": "shipped" if released and released.end <= day else "announced"}
    if isinstance(product, Chip):
        ended = dated(product.ended)
        changed["ended"] = product.ended if ended is not None and ended.end <= day else ""
        if changed["status"] == "shipped":
            later = product.status == "ended" and not changed["ended"]
            changed["status"] = "shipped" if later or product.status in PLANNED else product.status
    return product.model_copy(update=changed)


def conflicts_known(conflicts: Mapping[str, Conflict], known: Callable[[str], bool], day: date) -> dict[str, Conflict]:
    """Conflicts of which two sides at least were known on `day`; a choice stands where no side of it came later.

    A side without facts counts as known with the collection.
    """
    found = {}
    for key, conflict in conflicts.items():
        sides = tuple(side for side in conflict.values if _side_known(side.facts, known, day))
        if len(sides) < 2:
            continue
        changed: dict[str, object] = {"values": sides, "about": tuple(filter(known, conflict.about))}
        if len(sides) < len(conflict.values) or not known(conflict.preferred):
            changed |= {"preferred": "", "rule": "", "treatment": "", "likely_reason": ""}
        found[key] = conflict.model_copy(update=changed)
    return found


def _side_known(facts: Iterable[str], known: Callable[[str], bool], day: date) -> bool:
    named = list(facts)
    return all(map(known, named)) if named else day >= COLLECTED
