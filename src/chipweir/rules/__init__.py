"""What is allowed: export controls as dated data that explains itself. Not legal advice.

Four questions are kept apart (classification, licence requirement, review policy, authorisation) and a fifth beside
them, the importing government's stance. Every decision carries its trace.
"""

from typing import TYPE_CHECKING, Any

from chipweir.rules._asked import Item, Shipment
from chipweir.rules._book import Book, shipped, with_overlays
from chipweir.rules._classify import classify
from chipweir.rules._decide import decide
from chipweir.rules._records import Classification, Decision, Found, Law, Margin, Question, Reading, Step
from chipweir.rules._status import practice_of
from chipweir.rules._terms import STATUSES, status_names, status_text, status_word, term


if TYPE_CHECKING:
    from chipweir.rules._availability import Availability, availability
    from chipweir.rules._vector import classify_many


_LAZY = {
    "Availability": "chipweir.rules._availability",
    "availability": "chipweir.rules._availability",
    "classify_many": "chipweir.rules._vector",
}


def __getattr__(name: str) -> Any:
    """The array functions need NumPy; the rest does not, so they are imported when asked for."""
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "STATUSES",
    "Availability",
    "Book",
    "Classification",
    "Decision",
    "Found",
    "Item",
    "Law",
    "Margin",
    "Question",
    "Reading",
    "Shipment",
    "Step",
    "availability",
    "classify",
    "classify_many",
    "decide",
    "practice_of",
    "shipped",
    "status_names",
    "status_text",
    "status_word",
    "term",
    "with_overlays",
]
