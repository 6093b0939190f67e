"""Whether a condition of a rule holds for a case: yes, no, or unknown, and what decided it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any

from chipweir.i18n import _
from chipweir.rules._book import Book, Requirement, spoken
from chipweir.rules._case import Case
from chipweir.rules._certificates import ALL_CERTIFICATIONS
from chipweir.rules._chips import find
from chipweir.rules._circuits import Circuit, kind_label
from chipweir.rules._classify import all_of
from chipweir.rules._numbers import shown
from chipweir.rules._parties import is_named
from chipweir.rules._when import Condition, Test, Way
from chipweir.rules._words import folded


Truth = bool | None


@dataclass(frozen=True, slots=True)
class Compared:
    """What was asked in words, the answer, the numbers compared, and what to ask where the answer is unknown.

    `steps` keeps the step of a trace that says it for one requirement.
    """

    text: str
    truth: Truth
    value: Any = None
    sign: str | None = None
    threshold: Any = None
    asks: str = ""
    steps: list[Any] = field(default_factory=list, compare=False, repr=False)


def _in(code: str, names: tuple[str, ...], case: Case, book: Book) -> bool:
    return book.within(code, names, case.on)


def _seat_in(case: Case, names: tuple[str, ...], book: Book) -> bool:
    """Either prong: the seat or the ultimate parent lies within."""
    return any(book.within(seat, names, case.on) for seat in case.seats)


def _listed(names: tuple[str, ...] | frozenset[str]) -> str:
    return "|".join(sorted(names) if isinstance(names, frozenset) else names)


def _places(c: Condition, case: Case, book: Book) -> Iterator[Compared]:
    """Every geographic restriction that the condition has."""
    to, code = case.to, case.code
    if c.to:
        yield Compared(_("destination {code} in {places}", code=code, places=_listed(c.to)), _in(to, c.to, case, book))
    if c.not_to:
        text = _("destination {code} not in {places}", code=code, places=_listed(c.not_to))
        yield Compared(text, not _in(to, c.not_to, case, book))
    seats = _listed(case.seats)
    if c.hq:
        text = _("seat or ultimate parent ({seats}) in {places}", seats=seats, places=_listed(c.hq))
        yield Compared(text, _seat_in(case, c.hq, book))
    if c.not_hq:
        text = _("neither seat nor ultimate parent ({seats}) in {places}", seats=seats, places=_listed(c.not_hq))
        yield Compared(text, not _seat_in(case, c.not_hq, book))
    if c.hq_stated or c.hq_within:
        places = c.hq_stated or c.hq_within
        inside = all(_in(seat, places, case, book) for seat in case.seats)
        text = _("seat and ultimate parent ({seats}) stated, within {places}", seats=seats, places=_listed(places))
        yield Compared(text, inside and (case.seat_stated or not c.hq_stated))
    if c.to_or_hq:
        held = _in(to, c.to_or_hq, case, book) or _seat_in(case, c.to_or_hq, book)
        text = _("destination {code}, seat or ultimate parent ({seats}) in {places}",
                 code=code, seats=seats, places=_listed(c.to_or_hq))  # fmt: skip
        yield Compared(text, held)
    yield from _leaving(c, case, book)


def _leaving(c: Condition, case: Case, book: Book) -> Iterator[Compared]:
    """Where it is sent from and passes. What only favours an export from the US asks that this be stated."""
    if c.shipped_from:
        held: Truth = _in(case.origin, c.shipped_from, case, book)
        if held and not case.origin_stated and case.origin == "US":
            held = None
        text = _("sent from {origin}, in {places}", origin=case.origin, places=_listed(c.shipped_from))
        yield Compared(text, held, asks="origin")
    if c.leaves:
        held = any(_in(place, c.leaves, case, book) for place in (case.origin, *case.via))
        text = _("leaves or passes through {places} (sent from {origin})", places=_listed(c.leaves), origin=case.origin)
        yield Compared(text, held)


def _sorts(c: Condition, case: Case) -> Iterator[Compared]:
    if c.modes:
        text = _("mode {mode} is {modes}", mode=case.mode, modes=_listed(c.modes))
        yield Compared(text, case.mode in c.modes)
    if c.kinds:
        yield Compared(
            _("{kind} is among the goods meant", kind=kind_label(case.goods.kind)), case.goods.kind in c.kinds
        )


def _parties(c: Condition, case: Case) -> Iterator[Compared]:
    if c.routes:
        text = _("route {route} is {routes}", route=case.route, routes=_listed(c.routes))
        yield Compared(text, case.route in c.routes)
    if c.exporters:
        text = _("exporter is {names}", names=_listed(c.exporters))
        yield Compared(text, case.exporter in {folded(name) for name in c.exporters})
    if c.exporter_types:
        text = _("exporter type {kind} is {kinds}", kind=case.exporter_type or "?", kinds=_listed(c.exporter_types))
        yield Compared(text, case.exporter_type in c.exporter_types)
    if c.end_users:
        text = _("end user is one of {names}", names=_listed(c.end_users))
        yield Compared(text, is_named(case.names, case.raw_names, c.end_users))
    users = _listed(case.users)
    if c.end_user_types:
        held: Truth = bool(case.users & set(c.end_user_types)) or (
            None if case.possible_users & set(c.end_user_types) else False
        )
        text = _("end user ({kinds}) is {wanted}", kinds=users, wanted=_listed(c.end_user_types))
        yield Compared(text, held, asks="listing")
    if c.not_end_user_types:
        barred = set(c.not_end_user_types)
        held = not case.users & barred and (None if case.possible_users & barred else True)
        text = _("end user ({kinds}) is not {wanted}", kinds=users, wanted=_listed(c.not_end_user_types))
        yield Compared(text, held, asks="listing")
    yield from _standing(c, case)


def _standing(c: Condition, case: Case) -> Iterator[Compared]:
    """Owners, designers and packagers."""
    if c.ownership_unknown is not None:
        text = _("ownership by listed parties could not be determined")
        yield Compared(text, case.owners.unknown == c.ownership_unknown)
    if c.sdn_owned is not None:
        yield Compared(_("an owner is a specially designated national"), case.owners.sdn == c.sdn_owned)
    if c.joint_venture is not None:
        text = _("a joint venture with an unlisted firm of the US, A:5 or A:6")
        yield Compared(text, case.owners.joint_venture == c.joint_venture)
    if c.designer_status:
        known = case.designer_status is not None
        text = _("designer is {standings}", standings=_listed(c.designer_status))
        yield Compared(text, case.designer_status in c.designer_status if known else None, asks="designer")
    if c.packaged_by:
        known = case.packaged_by is not None
        text = _("packaged by {names}", names=_listed(c.packaged_by))
        yield Compared(text, case.packaged_by in c.packaged_by if known else None, asks="packager")


def _goods(c: Condition, case: Case, book: Book) -> Iterator[Compared]:
    if c.classes:
        inside = case.classes & c.classes
        held: Truth = False if not inside else True if inside == case.classes else None
        text = _("class {classes} is {wanted}", classes=_listed(case.classes), wanted=_listed(c.classes))
        yield Compared(text, held, asks="class")
    if c.data_centre is not None:
        text = _("for data centres") if c.data_centre else _("not for data centres")
        yield Compared(text, case.goods.for_data_centres == c.data_centre)
    if c.chips:
        text = _("chip is {names}", names=_listed(c.chips))
        yield Compared(text, any(circuit.chip in c.chips for circuit in case.circuits))
    yield from _control_numbers(c, case)
    makers = {circuit.maker_country for circuit in case.circuits}
    if c.maker_countries:
        held = bool(makers & set(c.maker_countries)) or (None if None in makers else False)
        yield Compared(_("maker's country is {places}", places=_listed(c.maker_countries)), held, asks="maker")
    if c.maker_of:
        yield _maker_of(case, c.maker_of, makers)
    if c.maker_countries_not:
        held = not any(circuit.maker_country in c.maker_countries_not for circuit in case.circuits)
        yield Compared(_("maker's country is not {places}", places=_listed(c.maker_countries_not)), held)
    if c.packaged_not_in:
        known = case.packaged_in is not None
        held = not book.within(case.packaged_in or "", c.packaged_not_in, case.on) if known else None
        yield Compared(_("packaged outside {places}", places=_listed(c.packaged_not_in)), held, asks="packager")
    if c.us_available is not None:
        yield _available(case, c.us_available)
    if c.certified:
        yield _certified(case, c.certified)


def _maker_of(case: Case, places: tuple[str, ...], makers: set[str | None]) -> Compared:
    """Whether a maker sits there; one not stated may, where the goods come from there, and elsewhere is said not to."""
    text = _("maker's country is {places}", places=_listed(places))
    if makers & set(places):
        return Compared(text, True)
    if None not in makers:
        return Compared(text, False)
    if case.origin in places:
        return Compared(text, None, asks="maker")
    _say(case, _("maker not stated: taken not to be one of {places}", places=_listed(places)))
    return Compared(text, False)


def _control_numbers(c: Condition, case: Case) -> Iterator[Compared]:
    eccn = case.goods.eccn
    for wanted, inside in ((c.eccns, True), (c.eccns_not, False)):
        if not wanted:
            continue
        found = _matches(eccn, wanted)
        names = ", ".join(wanted)
        text = _("control number {eccn} is {numbers}", eccn=eccn or "?", numbers=names) if inside else (
            _("control number {eccn} is none of {numbers}", eccn=eccn or "?", numbers=names)
        )  # fmt: skip
        if eccn is None and not inside:
            found = True  # not stated: the requirements by number ask for it
        yield Compared(text, found if inside or found is None else not found, asks="eccn")


def _matches(eccn: str | None, numbers: tuple[str, ...]) -> Truth:
    """Whether a control number lies under one of several; unknown where it is not stated that far."""
    if eccn is None:
        return None
    if any(eccn == number or eccn.startswith(f"{number}.") for number in numbers):
        return True
    return None if any(number.startswith(f"{eccn}.") for number in numbers) else False


def _available(case: Case, wanted: bool) -> Compared:
    text = _("commercially available in the US on 2026-01-15")
    states = {circuit.us_available for circuit in case.circuits}
    if False in states:
        for circuit in case.circuits:
            if circuit.chip is not None and find(circuit.chip).us_available == "doubtful":
                _say(
                    case,
                    _("{name}: no guidance on 'commercially available in the US'; taken as not", name=circuit.name),
                )
        return Compared(text, not wanted)
    if None in states and "us_availability" not in (case.certifications or ()):
        return Compared(text, None, asks="us_available")
    return Compared(text, wanted)


def _certified(case: Case, wanted: tuple[str, ...]) -> Compared:
    needed = set(ALL_CERTIFICATIONS) if "all" in wanted else set(wanted)
    names = ", ".join(sorted(needed))
    if case.certifications is None:
        if "all" in wanted:
            _say(case, _("certifications not stated: the review is that of an application that gives all of them"))
            return Compared(_("all certifications given"), True)
        return Compared(_("certified: {names}", names=names), False)
    lacking = needed - case.certifications
    if {circuit.us_available for circuit in case.circuits} == {True}:
        lacking -= {"us_availability"}  # stated of the item itself
    if case.user != "unspecified":
        lacking -= {"no_prohibited_end_use"}  # stated of the end user, whose type the zone's condition tests
    if not lacking:
        return Compared(_("all certifications given"), True)
    return Compared(_("certifications lacking: {names}", names=", ".join(sorted(lacking))), False)


def _say(case: Case, text: str) -> None:
    if text not in case.assumptions:
        case.assumptions.append(text)


def _numbers(case: Case, circuit: Circuit) -> dict[str, Any]:
    return {**circuit.numbers, **case.numbers}


def _rows(tests: tuple[Test, ...], case: Case, circuit: Circuit, label: str) -> list[Compared]:
    numbers = _numbers(case, circuit)
    rows: list[Compared] = []
    for test in tests:
        quantity, sign, literal = test
        value = numbers.get(quantity)
        text = f"{label}{quantity} {shown(value)} {sign} {shown(literal)}"
        rows.append(Compared(text, all_of((test,), numbers), value, sign, literal, quantity))
    return rows


def _label(way: Way) -> str:
    name = spoken(way, "name")
    return f"{name}: " if name else ""


def _some(ways: tuple[Way, ...], case: Case) -> tuple[Truth, list[Compared]]:
    """Whether any circuit meets any way."""
    found: Truth = False
    rows: list[Compared] = []
    for circuit in case.circuits:
        for way in ways:
            one = all_of(way.tests, _numbers(case, circuit))
            rows += _rows(way.tests, case, circuit, _label(way))
            if one:
                return True, rows
            found = None if one is None else found
    return found, rows


def _each(ways: tuple[Way, ...], case: Case) -> tuple[Truth, list[Compared]]:
    """Whether every circuit meets some way."""
    found: Truth = True
    rows: list[Compared] = []
    for circuit in case.circuits:
        best: Truth = False
        for way in ways:
            one = all_of(way.tests, _numbers(case, circuit))
            rows += _rows(way.tests, case, circuit, _label(way))
            best = True if one or best else None if one is None else best
        if best is False:
            return False, rows
        found = None if best is None else found
    return found, rows


def _around(condition: Condition, case: Case, book: Book) -> tuple[Truth, list[Compared]]:
    """Whether the restrictions on places and parties hold. Within a period of the law they depend on few facts of a case,
    so they are kept: a list of shipments asks the same again and again."""
    key = (id(condition), case.period, case.language, condition.facts(case))
    kept: tuple[Truth, list[Compared]] | None = book.remembered(key)
    if kept is None:
        found: Truth = True
        rows: list[Compared] = []
        for row in chain(_places(condition, case, book), _sorts(condition, case), _parties(condition, case)):
            if row.truth is False:
                found, rows = False, [row]
                break
            rows.append(row)
            found = None if row.truth is None else found
        kept = found, rows
        book.remember(key, kept)
    return kept


Reaching = list[tuple[Requirement, str, list[Compared]]]


def reaching(case: Case, book: Book, *, all_of_them: bool) -> Reaching:
    """The requirements of the day and their state; with `all_of_them` also those kept out by a place or the kind of goods,
    and by what.

    Kept for all cases that share places and kind within a period of the law: most requirements are ruled out by them.
    """
    key = ("reaching", case.period, case.language, case.regime, case.mode, _WHERE(case))
    both: tuple[Reaching, Reaching] | None = book.remembered(key)
    if both is None:
        kept = _reaching(case, book)
        both = [entry for entry in kept if not entry[2]], kept
        book.remember(key, both)
    return both[all_of_them]


def _reaching(case: Case, book: Book) -> Reaching:
    kept: Reaching = []
    for requirement, state in book.active(case.on, case.mode, case.regime):
        condition = requirement.condition
        rows = chain(_places(condition, case, book), _sorts(condition, case))
        failed = next((row for row in rows if row.truth is False), None)
        kept.append((requirement, state, [] if failed is None else [failed]))
    return kept


_WHERE = attrgetter("to", "code", "seats", "seat_stated", "origin", "origin_stated", "via", "kind")


def holds(condition: Condition, case: Case, book: Book) -> tuple[Truth, list[Compared]]:
    """Whether the condition holds: no as soon as one part says no, else unknown if any part is, else yes.

    Returns the parts that decided it: the one that failed, or all of them; the list is not to be changed.
    """
    if not condition.since <= case.on <= condition.until:
        return False, [Compared(_("from {since} to {until}", since=condition.since, until=condition.until), False)]
    found, around = _around(condition, case, book)
    if found is False:
        return False, around
    rows = list(around)
    for row in _goods(condition, case, book):
        if row.truth is False:
            return False, [row]
        rows.append(row)
        found = None if row.truth is None else found
    for ways, judge in ((condition.any_of, _some), (condition.every, _each)):
        if ways:
            one, compared = judge(ways, case)
            if one is False:
                return False, compared
            rows += compared
            found = None if one is None else found
    if condition.tests:
        compared = _rows(condition.tests, case, case.circuits[0], "")
        if any(row.truth is False for row in compared):
            return False, [row for row in compared if row.truth is False]
        rows += compared
        found = None if any(row.truth is None for row in compared) else found
    if condition.bars is not None:
        one, compared = holds(condition.bars, case, book)
        if one is not True:
            return one, compared
    return found, rows
