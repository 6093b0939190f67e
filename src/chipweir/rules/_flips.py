"""What would change the answer: another number, another seat, another party, another day."""

from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from chipweir.i18n import _
from chipweir.rules._asked import Shipment
from chipweir.rules._book import Book
from chipweir.rules._circuits import Goods, goods
from chipweir.rules._classify import classify_goods, varied
from chipweir.rules._covered import US_LAW_SINCE
from chipweir.rules._decide import decide_goods
from chipweir.rules._numbers import shown
from chipweir.rules._places import land
from chipweir.rules._records import Decision, Margin
from chipweir.rules._terms import status_text
from chipweir.rules._words import N_


_NUDGE = Fraction(1, 10**9)
CLASSIFYING = ("tpp", "pd", "mbd", "training_ops")
"""Numbers that classes are made of."""
MEASURED = (*CLASSIFYING, "io_gbps", "mem_bw_gbps", "transistors_bn", "node_nm")
"""Numbers of a circuit; others are of the shipment or the owners."""
QUANTITIES = {
    "tpp": N_("total processing performance"),
    "pd": N_("performance density"),
    "io_gbps": N_("interconnect"),
    "mem_bw_gbps": N_("DRAM bandwidth"),
    "mem_plus_io_gbps": N_("DRAM bandwidth and interconnect"),
    "mbd": N_("memory bandwidth density"),
    "training_ops": N_("training operations"),
    "year_tpp": N_("processing performance received in the year"),
    "country_tpp": N_("processing performance installed in the country"),
    "listed_ownership": N_("share of listed owners"),
    "transistors_bn": N_("billion transistors"),
    "node_nm": N_("node in nm"),
}


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of one fact and what the answer would then be. `kind`: number, seat, party or date; `margin` of a number."""

    kind: str
    says: str
    licence: str
    review: str
    exception: str
    becomes: str
    margin: Margin | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "kind": self.kind, "says": self.says, "licence": self.licence, "review": self.review,
            "exception": self.exception, "becomes": self.becomes,
        }  # fmt: skip


def flips(shipment: Shipment, decision: Decision, book: Book) -> tuple[Flip, ...]:
    """Single facts whose change changes licence, review or exception, with the answer they lead to."""
    stuff = goods(shipment.item)
    found = _numbers(shipment, stuff, decision, book)
    for kind, says, changed in [*_seats(shipment), *_parties(shipment)]:
        other = _ask(changed, stuff, book)
        if _answer(other) != _answer(decision):
            found.append(_flip(kind, says, other))
    return (*found, *_days(shipment, stuff, decision, book))


def _numbers(shipment: Shipment, stuff: Goods, decision: Decision, book: Book) -> list[Flip]:
    """The margins whose crossing changes the answer, smallest change first; one circuit's numbers only."""
    found: list[Flip] = []
    for margin in decision.margins:
        if len(stuff.circuits) != 1 or margin.quantity not in MEASURED:
            continue
        if any(flip.margin is not None and flip.margin.quantity == margin.quantity for flip in found):
            continue  # the nearer line of the same number
        other = _ask(shipment, _with(stuff, margin), book)
        if _answer(other) != _answer(decision):
            found.append(Flip("number", line_text(margin), *_answer(other), status_text(other), margin))
    return found


def _with(stuff: Goods, margin: Margin) -> Goods:
    """The goods with one number just across its line."""
    across = margin.threshold * (1 + (_NUDGE if margin.upwards else -_NUDGE))
    numbers = varied(stuff.circuits[0].numbers, margin.quantity, across)
    return replace(stuff, circuits=(replace(stuff.circuits[0], numbers=numbers),), catalogued=False)


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
    days = [day for day in book.days_of_change() if shipment.regime != "US" or day > US_LAW_SINCE]
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
    return replace(shipment, **fields, unknown=shipment.unknown - set(fields))


def number_text(margin: Margin) -> str:
    """'performance density at or above 3.2 (now 2.91): 3A090.b'."""
    return f"{line_text(margin)}: {class_name(margin.becomes)}"


def line_text(margin: Margin) -> str:
    """'DRAM bandwidth below 672 (now 4,000)'."""
    name = _(QUANTITIES.get(margin.quantity, margin.quantity))
    at = margin.operator in (">=", "<=")
    if margin.upwards:
        way = _("at or above") if margin.operator in (">=", "<") else _("above")
    else:
        way = _("below") if at or margin.operator == "<" else _("at or below")
    return _("{name} {way} {threshold} (now {value})", name=name, way=way,
             threshold=shown(margin.threshold), value=shown(margin.value))  # fmt: skip


def class_name(text: str) -> str:
    """A class as people write it: not_3A090 is 'not 3A090'."""
    return text.replace("not_3A090", _("not 3A090"))
