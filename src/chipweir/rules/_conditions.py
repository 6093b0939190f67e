"""Whether a condition of a rule holds for a case: yes, no, or unknown, and what decided it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
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
from chipweir.rules._words import N_, folded


Truth = bool | None


@dataclass(frozen=True, slots=True)
class Compared:
    """What was asked, the answer, the numbers compared, and what to ask where the answer is unknown.

    `says` with `values` filled in is the text; it is put together when it is read. `steps` keeps the step of a trace that
    says it for one requirement.
    """

    says: str
    truth: Truth
    value: Any = None
    sign: str | None = None
    threshold: Any = None
    asks: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    steps: list[Any] = field(default_factory=list, compare=False, repr=False)

    @property
    def text(self) -> str:
        """What was asked, in words."""
        return _(self.says, **{name: _listed(value) for name, value in self.values.items()})


def _row(says: str, truth: Truth, asks: str = "", **values: Any) -> Compared:
    return Compared(says, truth, asks=asks, values=values)


def _in(code: str, names: tuple[str, ...], case: Case, book: Book) -> bool:
    """Whether a place lies within; kept for a period of the law."""
    key = (code, names, case.period)
    found: bool | None = book.remembered(key)
    if found is None:
        found = book.within(code, names, case.on)
        book.remember(key, found)
    return found


def _seat_in(case: Case, names: tuple[str, ...], book: Book) -> bool:
    """Either prong: the seat or the ultimate parent lies within."""
    return any(_in(seat, names, case, book) for seat in case.seats)


def _listed(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, int | float | Fraction):
        return shown(value)
    return "|".join(sorted(value) if isinstance(value, frozenset) else value)


def _destinations(c: Condition, case: Case, book: Book) -> Iterator[Compared]:
    if c.to:
        held = _in(case.to, c.to, case, book)
        yield _row(N_("destination {code} in {places}"), held, code=case.code, places=c.to)
    if c.not_to:
        held = not _in(case.to, c.not_to, case, book)
        yield _row(N_("destination {code} not in {places}"), held, code=case.code, places=c.not_to)


def _seats(c: Condition, case: Case, book: Book) -> Iterator[Compared]:
    """Restrictions on the seat and the ultimate parent, and on where it is sent from and passes."""
    to, code, seats = case.to, case.code, case.seats
    if c.hq:
        held = _seat_in(case, c.hq, book)
        yield _row(N_("seat or ultimate parent ({seats}) in {places}"), held, seats=seats, places=c.hq)
    if c.not_hq:
        held = not _seat_in(case, c.not_hq, book)
        yield _row(N_("neither seat nor ultimate parent ({seats}) in {places}"), held, seats=seats, places=c.not_hq)
    if c.hq_stated or c.hq_within:
        places = c.hq_stated or c.hq_within
        held = all(_in(seat, places, case, book) for seat in seats) and (case.seat_stated or not c.hq_stated)
        yield _row(N_("seat and ultimate parent ({seats}) stated, within {places}"), held, seats=seats, places=places)
    if c.to_or_hq:
        held = _in(to, c.to_or_hq, case, book) or _seat_in(case, c.to_or_hq, book)
        says = N_("destination {code}, seat or ultimate parent ({seats}) in {places}")
        yield _row(says, held, code=code, seats=seats, places=c.to_or_hq)
    if c.shipped_from or c.leaves:
        yield from _leaving(c, case, book)


def _leaving(c: Condition, case: Case, book: Book) -> Iterator[Compared]:
    """Where it is sent from and passes. What only favours an export from the US asks that this be stated."""
    if c.shipped_from:
        held: Truth = _in(case.origin, c.shipped_from, case, book)
        if held and not case.origin_stated and case.origin == "US":
            held = None
        yield _row(N_("sent from {origin}, in {places}"), held, "origin", origin=case.origin, places=c.shipped_from)
    if c.leaves:
        held = any(_in(place, c.leaves, case, book) for place in (case.origin, *case.via))
        says = N_("leaves or passes through {places} (sent from {origin})")
        yield _row(says, held, places=c.leaves, origin=case.origin)


def _sorts(c: Condition, case: Case) -> Iterator[Compared]:
    if c.modes:
        yield _row(N_("mode {mode} is {modes}"), case.mode in c.modes, mode=case.mode, modes=c.modes)
    if c.kinds:
        kind = case.goods.kind
        yield _row(N_("{kind} is among the goods meant"), kind in c.kinds, kind=kind_label(kind))


def _parties(c: Condition, case: Case) -> Iterator[Compared]:
    if c.routes:
        yield _row(N_("route {route} is {routes}"), case.route in c.routes, route=case.route, routes=c.routes)
    if c.exporters:
        held: Truth = case.exporter in {folded(name) for name in c.exporters}
        yield _row(N_("exporter is {names}"), held, names=c.exporters)
    if c.exporter_types:
        says = N_("exporter type {kind} is {kinds}")
        held = case.exporter_type in c.exporter_types
        yield _row(says, held, kind=case.exporter_type or "?", kinds=c.exporter_types)
    if c.end_users:
        held = is_named(case.names, case.raw_names, c.end_users)
        yield _row(N_("end user is one of {names}"), held, names=c.end_users)
    if c.end_user_types:
        wanted = set(c.end_user_types)
        held = bool(case.users & wanted) or (None if case.possible_users & wanted else False)
        says = N_("end user ({kinds}) is {wanted}")
        yield _row(says, held, _asks_of(case, wanted), kinds=case.users, wanted=c.end_user_types)
    if c.not_end_user_types:
        barred = set(c.not_end_user_types)
        held = not case.users & barred and (None if case.possible_users & barred else True)
        says = N_("end user ({kinds}) is not {wanted}")
        yield _row(says, held, _asks_of(case, barred), kinds=case.users, wanted=c.not_end_user_types)
    yield from _standing(c, case)


def _asks_of(case: Case, kinds: set[str]) -> str:
    """What to ask of an end user whose name makes one of the kinds possible."""
    return "listing" if "entity_list" in case.possible_users & kinds else "end_use"


def _standing(c: Condition, case: Case) -> Iterator[Compared]:
    """Owners, designers and packagers."""
    if c.ownership_unknown is not None:
        held: Truth = case.owners.unknown == c.ownership_unknown
        yield _row(N_("ownership by listed parties could not be determined"), held)
    if c.sdn_owned is not None:
        yield _row(N_("an owner is a specially designated national"), case.owners.sdn == c.sdn_owned)
    if c.joint_venture is not None:
        held = case.owners.joint_venture == c.joint_venture
        yield _row(N_("a joint venture with an unlisted firm of the US, A:5 or A:6"), held)
    if c.designer_status:
        held = None if case.designer_status is None else case.designer_status in c.designer_status
        yield _row(N_("designer is {standings}"), held, "designer", standings=c.designer_status)
    if c.packaged_by:
        held = None if case.packaged_by is None else case.packaged_by in c.packaged_by
        yield _row(N_("packaged by {names}"), held, "packager", names=c.packaged_by)


def _goods(c: Condition, case: Case, book: Book) -> Iterator[Compared]:
    held: Truth
    if c.classes:
        inside = case.classes & c.classes
        held = False if not inside else True if inside == case.classes else None
        yield _row(N_("class {classes} is {wanted}"), held, "class", classes=case.classes, wanted=c.classes)
    if c.data_centre is not None:
        says = N_("for data centres") if c.data_centre else N_("not for data centres")
        yield _row(says, case.goods.for_data_centres == c.data_centre)
    if c.chips:
        yield _row(N_("chip is {names}"), any(each.chip in c.chips for each in case.circuits), names=c.chips)
    if c.eccns or c.eccns_not:
        yield from _control_numbers(c, case)
    if c.maker_countries or c.maker_of or c.maker_countries_not:
        yield from _makers(c, case)
    if c.packaged_not_in:
        known = case.packaged_in is not None
        held = not book.within(case.packaged_in or "", c.packaged_not_in, case.on) if known else None
        yield _row(N_("packaged outside {places}"), held, "packager", places=c.packaged_not_in)
    if c.us_available is not None:
        yield _available(case, c.us_available)
    if c.certified:
        yield _certified(case, c.certified)


def _makers(c: Condition, case: Case) -> Iterator[Compared]:
    makers = {circuit.maker_country for circuit in case.circuits}
    if c.maker_countries:
        held: Truth = bool(makers & set(c.maker_countries)) or (None if None in makers else False)
        yield _row(N_("maker's country is {places}"), held, "maker", places=c.maker_countries)
    if c.maker_of:
        yield _maker_of(case, c.maker_of, makers)
    if c.maker_countries_not:
        held = not makers & set(c.maker_countries_not)
        yield _row(N_("maker's country is not {places}"), held, places=c.maker_countries_not)


def _maker_of(case: Case, places: tuple[str, ...], makers: set[str | None]) -> Compared:
    """Whether a maker sits there; one not stated may, where the goods come from there, and elsewhere is said not to."""
    says = N_("maker's country is {places}")
    if makers & set(places):
        return _row(says, True, places=places)
    if None not in makers:
        return _row(says, False, places=places)
    if case.origin in places:
        return _row(says, None, "maker", places=places)
    _say(case, _("maker not stated: taken not to be one of {places}", places=_listed(places)))
    return _row(says, False, places=places)


def _control_numbers(c: Condition, case: Case) -> Iterator[Compared]:
    eccn = case.goods.eccn
    for wanted, inside in ((c.eccns, True), (c.eccns_not, False)):
        if not wanted:
            continue
        found = _matches(eccn, wanted)
        says = N_("control number {eccn} is {numbers}") if inside else N_("control number {eccn} is none of {numbers}")
        if eccn is None and not inside:
            found = True  # not stated: the requirements by number ask for it
        held = found if inside or found is None else not found
        yield _row(says, held, "eccn", eccn=eccn or "?", numbers=", ".join(wanted))


def _matches(eccn: str | None, numbers: tuple[str, ...]) -> Truth:
    """Whether a control number lies under one of several; unknown where it is not stated that far."""
    if eccn is None:
        return None
    if any(eccn == number or eccn.startswith(f"{number}.") for number in numbers):
        return True
    return None if any(number.startswith(f"{eccn}.") for number in numbers) else False


def _available(case: Case, wanted: bool) -> Compared:
    text = N_("commercially available in the US on 2026-01-15")
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
            return Compared(N_("all certifications given"), True)
        return _row(N_("certified: {names}"), False, names=names)
    lacking = needed - case.certifications
    if {circuit.us_available for circuit in case.circuits} == {True}:
        lacking -= {"us_availability"}  # stated of the item itself
    if case.user != "unspecified":
        lacking -= {"no_prohibited_end_use"}  # stated of the end user, whose type the zone's condition tests
    if not lacking:
        return Compared(N_("all certifications given"), True)
    return _row(N_("certifications lacking: {names}"), False, names=", ".join(sorted(lacking)))


def _say(case: Case, text: str) -> None:
    if text not in case.assumptions:
        case.assumptions.append(text)


def _numbers(case: Case, circuit: Circuit) -> dict[str, Any]:
    return {**circuit.numbers, **case.numbers}


_NUMBERS_COMPARED = "{label}{quantity} {value} {sign} {literal}"


def _rows(tests: tuple[Test, ...], case: Case, circuit: Circuit, label: str) -> list[Compared]:
    numbers = _numbers(case, circuit)
    rows: list[Compared] = []
    for test in tests:
        quantity, sign, literal = test
        value = numbers.get(quantity)
        values = {"label": label, "quantity": quantity, "value": value, "sign": sign, "literal": literal}
        rows.append(Compared(_NUMBERS_COMPARED, all_of((test,), numbers), value, sign, literal, quantity, values))
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
        for row in chain(
            _destinations(condition, case, book),
            _sorts(condition, case),
            _seats(condition, case, book),
            _parties(condition, case),
        ):
            if row.truth is False:
                found, rows = False, [row]
                break
            rows.append(row)
            found = None if row.truth is None else found
        kept = found, rows
        book.remember(key, kept)
    return kept


@dataclass(frozen=True, slots=True)
class Reach:
    """One requirement of the day and its state; `out` holds the comparison that keeps destination or goods out of it."""

    requirement: Requirement
    state: str
    out: list[Compared]


def reaching(case: Case, book: Book, *, refused: bool) -> list[Reach]:
    """The requirements that neither the destination nor the kind of goods keeps out; with `refused` also those kept out.

    Kept for all cases that share both within a period of the law: most requirements are ruled out by them.
    """
    key = ("reaching", case.period, case.regime, case.mode, case.code, case.kind, case.language)
    kept: tuple[list[Reach], list[Reach]] | None = book.remembered(key)
    if kept is None:
        every = [
            Reach(requirement, state, _kept_out(requirement.condition, case, book))
            for requirement, state in book.active(case.on, case.mode, case.regime)
        ]
        kept = [reach for reach in every if not reach.out], every
        book.remember(key, kept)
    return kept[refused]


def _kept_out(c: Condition, case: Case, book: Book) -> list[Compared]:
    """The comparison of destination or kind that says no, alone in a list; an empty list where none does."""
    rows = chain(_destinations(c, case, book), _sorts(c, case))
    return [row for row in rows if row.truth is False][:1]


def holds(condition: Condition, case: Case, book: Book) -> tuple[Truth, list[Compared]]:
    """Whether the condition holds: no as soon as one part says no, else unknown if any part is, else yes.

    Returns the parts that decided it: the one that failed, or all of them; the list is not to be changed.
    """
    if not condition.since <= case.on <= condition.until:
        return False, [
            _row(N_("from {since} to {until}"), False, since=str(condition.since), until=str(condition.until))
        ]
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
