"""What would change the answer besides numbers: another seat, another party, another day."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chipweir.i18n import _
from chipweir.rules._asked import Shipment
from chipweir.rules._book import Book
from chipweir.rules._circuits import Goods, goods
from chipweir.rules._classify import classify_goods
from chipweir.rules._decide import decide_goods
from chipweir.rules._places import land
from chipweir.rules._records import Decision
from chipweir.rules._terms import status_text


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of one fact and what the answer would then be. `kind`: seat, party or date."""

    kind: str
    says: str
    licence: str
    review: str
    exception: str
    becomes: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "kind": self.kind, "says": self.says, "licence": self.licence, "review": self.review,
            "exception": self.exception, "becomes": self.becomes,
        }  # fmt: skip


def flips(shipment: Shipment, decision: Decision, book: Book) -> tuple[Flip, ...]:
    """Single facts whose change changes licence, review or exception, with the answer they lead to."""
    stuff = goods(shipment.item)
    found = []
    for kind, says, changed in [*_seats(shipment), *_parties(shipment)]:
        other = _ask(changed, stuff, book)
        if _answer(other) != _answer(decision):
            found.append(_flip(kind, says, other))
    return (*found, *_days(shipment, stuff, decision, book))


def _ask(shipment: Shipment, stuff: Goods, book: Book) -> Decision:
    classed = classify_goods(stuff, shipment.export_date, book, trace=False)
    return decide_goods(shipment, stuff, classed, book, trace=False, whole=False)


def _answer(decision: Decision) -> tuple[str, str, str]:
    return decision.licence, decision.review, decision.exception


def _flip(kind: str, says: str, other: Decision) -> Flip:
    return Flip(kind, says, *_answer(other), status_text(other))


def _seats(shipment: Shipment) -> list[tuple[str, str, Shipment]]:
    """The seat or parent in China; for a recipient that sits there, in the US."""
    to = land(shipment.to)
    if to == "US" or shipment.regime != "US":
        return []
    seats = [("CN", _("seat or ultimate parent in D:5 or Macau"))]
    seats += [(to, _("seat and ultimate parent stated to be in {place}", place=to))]
    if to != "US":
        seats += [("US", _("seat and ultimate parent stated to be in the US"))]
    return [
        ("seat", says, replace_fields(shipment, hq=code, ultimate_parent=code, ownership=None)) for code, says in seats
    ]


def _parties(shipment: Shipment) -> list[tuple[str, str, Shipment]]:
    users = [
        ("entity_list", _("a party on the Entity List")),
        ("military", _("a military end user")),
        ("commercial", _("a commercial end user")),
    ]
    if shipment.regime != "US":
        users = users[1:]
    stated = shipment.end_user_type or "commercial"
    return [("party", says, replace_fields(shipment, end_user_type=kind)) for kind, says in users if kind != stated]


def _days(shipment: Shipment, stuff: Goods, decision: Decision, book: Book) -> list[Flip]:
    """The last day before the answer became what it is, and the first day on which it will be another."""
    on = shipment.export_date
    days = book.days_of_change()
    found = []
    for day in [d - timedelta(days=1) for d in reversed(days) if d <= on]:
        other = _ask(replace_fields(shipment, export_date=day), stuff, book)
        if _answer(other) != _answer(decision):
            found.append(_flip("date", _("until {day}", day=day), other))
            break
    for day in [d for d in days if d > on]:
        other = _ask(replace_fields(shipment, export_date=day), stuff, book)
        if _answer(other) != _answer(decision):
            found.append(_flip("date", _("from {day}", day=day), other))
            break
    return found


def replace_fields(shipment: Shipment, **fields: Any) -> Shipment:
    """The shipment with some fields changed; a list of owners goes with the seat it stands for."""
    if "ownership" in fields and not isinstance(shipment.ownership, dict):
        del fields["ownership"]
    return replace(shipment, **fields)
