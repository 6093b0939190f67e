"""Whether a condition of a rule holds for a case: yes, no, or unknown, and what decided it."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from chipweir.i18n import _
from chipweir.rules._book import Book, Condition, Test, Way
from chipweir.rules._case import ALL_CERTIFICATIONS, Case
from chipweir.rules._chips import find
from chipweir.rules._circuits import Circuit
from chipweir.rules._classify import all_of
from chipweir.rules._numbers import shown
from chipweir.rules._words import folded


Truth = bool | None
Compared = tuple[str, Truth, Any, str | None, Any]
"""What was asked in words, the answer, and the numbers compared: value, operator, threshold."""


def _in(code: str, names: tuple[str, ...], case: Case, book: Book) -> bool:
    return book.within(code, names, case.on)


def _places(condition: Condition, case: Case, book: Book) -> Iterator[tuple[Truth, str]]:
    """Every geographic restriction that the condition has."""
    c, to, hq = condition, case.to, case.hq
    if c.to:
        yield _in(to, c.to, case, book), f"destination {case.code} in {'|'.join(c.to)}"
    if c.not_to:
        yield not _in(to, c.not_to, case, book), f"destination {case.code} not in {'|'.join(c.not_to)}"
    if c.hq:
        yield _in(hq, c.hq, case, book), f"headquarters {hq} in {'|'.join(c.hq)}"
    if c.not_hq:
        yield not _in(hq, c.not_hq, case, book), f"headquarters {hq} not in {'|'.join(c.not_hq)}"
    if c.hq_stated:
        yield case.hq_stated and _in(hq, c.hq_stated, case, book), f"stated headquarters in {'|'.join(c.hq_stated)}"
    if c.hq_if_stated:
        held = not case.hq_stated or _in(hq, c.hq_if_stated, case, book)
        yield held, f"headquarters not stated, or in {'|'.join(c.hq_if_stated)}"
    if c.to_or_hq:
        held = _in(to, c.to_or_hq, case, book) or _in(hq, c.to_or_hq, case, book)
        yield held, f"destination {case.code} or headquarters {hq} in {'|'.join(c.to_or_hq)}"
    if c.shipped_from:
        yield (
            _in(case.origin, c.shipped_from, case, book),
            f"sent from {case.origin}, in {'|'.join(c.shipped_from)}",
        )


def _parties(condition: Condition, case: Case) -> Iterator[tuple[Truth, str]]:
    c = condition
    if c.modes:
        yield case.mode in c.modes, f"mode {case.mode} is {'|'.join(c.modes)}"
    if c.kinds:
        yield case.goods.kind in c.kinds, f"a {case.goods.kind.replace('_', ' ')} is among {'|'.join(sorted(c.kinds))}"
    if c.routes:
        yield case.route in c.routes, f"route {case.route} is {'|'.join(c.routes)}"
    if c.exporters:
        yield case.exporter in {folded(name) for name in c.exporters}, f"exporter is {'|'.join(c.exporters)}"
    if c.exporter_types:
        yield (
            case.exporter_type in c.exporter_types,
            f"exporter type {case.exporter_type} is {'|'.join(c.exporter_types)}",
        )
    if c.end_users:
        yield _named(case.end_user, c.end_users), f"end user is one of {'|'.join(c.end_users)}"
    if c.end_user_types:
        yield (
            case.end_user_type in c.end_user_types,
            f"end user type {case.end_user_type} is {'|'.join(c.end_user_types)}",
        )
    if c.not_end_user_types:
        held = case.end_user_type not in c.not_end_user_types
        yield held, f"end user type {case.end_user_type} is not {'|'.join(c.not_end_user_types)}"
    if c.ownership_unknown is not None:
        yield case.ownership_unknown == c.ownership_unknown, "ownership by listed parties could not be determined"
    if c.designer_status:
        known = case.designer_status is not None
        yield case.designer_status in c.designer_status if known else None, f"designer is {'|'.join(c.designer_status)}"
    if c.packaged_by:
        known = case.packaged_by is not None
        yield case.packaged_by in c.packaged_by if known else None, f"packaged by {'|'.join(c.packaged_by)}"


def _named(end_user: str, names: tuple[str, ...]) -> bool:
    """Whether the end user's name begins with, or is made up around, one of the names."""
    return bool(end_user) and any(
        end_user.startswith(folded(name)) or (len(name) > 4 and folded(name) in end_user) for name in names
    )


def _goods(condition: Condition, case: Case, book: Book) -> Iterator[tuple[Truth, str]]:
    c = condition
    if c.classes:
        inside = case.classes & c.classes
        held: Truth = False if not inside else True if inside == case.classes else None
        yield held, f"class {'|'.join(sorted(case.classes))} is {'|'.join(sorted(c.classes))}"
    if c.data_centre is not None:
        is_dc = any(circuit.numbers.get("data_centre") for circuit in case.circuits)
        yield is_dc == c.data_centre, f"{'' if c.data_centre else 'not '}for data centres"
    if c.chips:
        yield any(circuit.chip in c.chips for circuit in case.circuits), f"chip is {'|'.join(c.chips)}"
    if c.maker_countries:
        makers = {circuit.maker_country for circuit in case.circuits}
        known = None not in makers
        held = bool(makers & set(c.maker_countries)) or (False if known else None)
        yield held, f"maker's country is {'|'.join(c.maker_countries)}"
    if c.maker_countries_not:
        held = not any(circuit.maker_country in c.maker_countries_not for circuit in case.circuits)
        yield held, f"maker's country is not {'|'.join(c.maker_countries_not)}"
    if c.packaged_not_in:
        known = case.packaged_in is not None
        held = not book.within(case.packaged_in or "", c.packaged_not_in, case.on) if known else None
        yield held, f"packaged outside {'|'.join(c.packaged_not_in)}"
    if c.us_available is not None:
        yield _available(case, c.us_available)
    if c.certified:
        yield _certified(case, c.certified)


def _available(case: Case, wanted: bool) -> tuple[Truth, str]:
    text = "commercially available in the US on 2026-01-15"
    states = {circuit.us_available for circuit in case.circuits}
    if False in states:
        for circuit in case.circuits:
            if circuit.chip is not None and find(circuit.chip).us_available == "doubtful":
                _say(case, f"{circuit.name}: no guidance on 'commercially available in the US'; taken as not")
        return not wanted, text
    if None in states:
        _say(case, _("commercial availability in the US on 2026-01-15 not stated: taken as given"))
    return wanted, text


def _certified(case: Case, wanted: tuple[str, ...]) -> tuple[Truth, str]:
    needed = set(ALL_CERTIFICATIONS) if "all" in wanted else set(wanted)
    if case.certifications is None:
        if "all" in wanted:
            _say(case, _("certifications not stated: taken as given by the applicant"))
            return True, "all certifications given"
        return False, f"certified: {', '.join(sorted(needed))}"
    lacking = needed - case.certifications
    if {circuit.us_available for circuit in case.circuits} == {True}:
        lacking -= {"us_availability"}  # stated of the item itself
    if case.end_user_type != "unspecified":
        lacking -= {"no_prohibited_end_use"}  # stated of the end user, whose type the zone's condition tests
    return (
        not lacking,
        "all certifications given" if not lacking else f"certifications lacking: {', '.join(sorted(lacking))}",
    )


def _say(case: Case, text: str) -> None:
    if text not in case.assumptions:
        case.assumptions.append(text)


def _value(quantity: str, case: Case, circuit: Circuit | None) -> Any:
    if quantity in case.numbers:
        return case.numbers[quantity]
    return (circuit or case.circuits[0]).numbers.get(quantity)


def _numbers(case: Case, circuit: Circuit) -> dict[str, Any]:
    return {**circuit.numbers, **case.numbers}


def _rows(tests: tuple[Test, ...], case: Case, circuit: Circuit, label: str) -> list[Compared]:
    numbers = _numbers(case, circuit)
    rows: list[Compared] = []
    for test in tests:
        quantity, sign, literal = test
        value = numbers.get(quantity)
        rows.append(
            (
                f"{label}{quantity} {shown(value)} {sign} {shown(literal)}",
                all_of((test,), numbers),
                value,
                sign,
                literal,
            )
        )
    return rows


def _some(ways: tuple[Way, ...], case: Case) -> tuple[Truth, list[Compared]]:
    """Whether any circuit meets any way."""
    found: Truth = False
    rows: list[Compared] = []
    for circuit in case.circuits:
        for way in ways:
            one = all_of(way.tests, _numbers(case, circuit))
            rows += _rows(way.tests, case, circuit, f"{way.name}: " if way.name else "")
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
            rows += _rows(way.tests, case, circuit, f"{way.name}: " if way.name else "")
            best = True if one or best else None if one is None else best
        if best is False:
            return False, rows
        found = None if best is None else found
    return found, rows


def holds(condition: Condition, case: Case, book: Book) -> tuple[Truth, list[Compared]]:
    """Whether the condition holds: no as soon as one part says no, else unknown if any part is, else yes.

    Returns the parts that decided it: the one that failed, or all of them.
    """
    if not condition.since <= case.on <= condition.until:
        return False, [(f"{case.on} within {condition.since} to {condition.until}", False, None, None, None)]
    rows: list[Compared] = []
    found: Truth = True
    for one, text in chain(_goods(condition, case, book), _places(condition, case, book), _parties(condition, case)):
        row: Compared = (text, one, None, None, None)
        if one is False:
            return False, [row]
        rows.append(row)
        found = None if one is None else found
    for ways, judge in ((condition.any_of, _some), (condition.every, _each)):
        if ways:
            one, compared = judge(ways, case)
            if one is False:
                return False, compared
            rows += compared
            found = None if one is None else found
    if condition.tests:
        compared = _rows(condition.tests, case, case.circuits[0], "")
        if any(row[1] is False for row in compared):
            return False, [row for row in compared if row[1] is False]
        rows += compared
        found = None if any(row[1] is None for row in compared) else found
    if condition.bars is not None:
        one, compared = holds(condition.bars, case, book)
        if one is not True:
            return one, compared
    return found, rows
