"""From documents of the law to the book, and overlays laid over it. What is unknown is an error with a suggestion."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.rules._book import (
    STATES,
    Authorisation,
    Book,
    Cap,
    Change,
    Charge,
    Flag,
    Group,
    Instrument,
    Letter,
    Paragraph,
    Presumption,
    Requirement,
    Stance,
    Status,
    Tariff,
    WayOut,
)
from chipweir.rules._clauses import (
    CLASSES,
    Known,
    any_mapping,
    both,
    condition,
    from_vocabulary,
    instrument_name,
    korean,
    listed,
    mapping,
    names,
    provenance,
    published,
    review_lines,
    texts,
    way,
    ways,
    window,
)
from chipweir.rules._numbers import exact
from chipweir.rules._places import country, land
from chipweir.rules._when import Condition
from chipweir.rules._words import MODES, REGIMES, day, folded, one_of


LEVELS = ("open", "discouraged", "conditional", "blocked", "unknown")
_COMMON = ("id", "since", "until", "published", "ended_by", "sources", "confidence")


def _identified(value: object, where: str, keys: Iterable[str]) -> tuple[Mapping[str, Any], str, str]:
    table = mapping(value, where, (*_COMMON, *keys))
    if not isinstance(table.get("id"), str):
        raise InputError(f"{where}: every rule needs an id")
    return table, table["id"], f"{where}, {table['id']}"


def _standing(table: Mapping[str, Any], place: str, known: Known) -> dict[str, Any]:
    """What every rule of an instrument has: the instrument, its days, its citation."""
    return {
        "instrument": instrument_name(table, "instrument", place, known), "cfr": str(table.get("cfr", "")),
        **window(table, place), **published(table, place, known), **provenance(table, place, known),
    }  # fmt: skip


def _overlaid(table: Mapping[str, Any], place: str, known: Known) -> dict[str, Any]:
    """What rules have that stand for themselves, without an instrument."""
    held = {**window(table, place), **published(table, place, known), **provenance(table, place, known)}
    del held["ended_by"]
    return held


def _paragraph(value: object, where: str, known: Known) -> Paragraph:
    keys = (*both("says"), "title_ko", "cfr", "instrument", "paragraph", "eccn", "any_of", "unless")
    table, name, place = _identified(value, where, keys)
    paragraph = table.get("paragraph")
    if paragraph not in CLASSES[1:]:
        raise UnknownName("paragraph", str(paragraph), CLASSES[1:], where=place)
    eccn = str(table.get("eccn") or (paragraph if paragraph == "4E091" else f"3A090.{paragraph}"))
    return Paragraph(
        name, str(paragraph), eccn, any_of=ways(table.get("any_of"), place),
        unless=way(table["unless"], place) if table.get("unless") else None,
        **_standing(table, place, known), **texts(table, place, "says"), title_ko=korean(table, "title", place),
    )  # fmt: skip


def _letter(value: object, where: str) -> Letter:
    table = mapping(value, where, ("addressees", "unknown_for", "silent_for_others"))
    addressees = table.get("addressees") or {}
    if not isinstance(addressees, Mapping):
        raise InputError(f"{where}: addressees is a mapping of exporter to the day of the letter")
    return Letter(
        {folded(str(who)): day(since, f"{where}, {who}") for who, since in addressees.items()},
        tuple(folded(who) for who in names(table.get("unknown_for", []), where)),
        bool(table.get("silent_for_others", False)),
    )


def _requirement(value: object, where: str, known: Known) -> Requirement:
    keys = (
        *both("says", "note", "asks"), "title_ko", "cfr", "instrument", "regime", "letter", "condition", "review",
        "exceptions", "unknown",
    )  # fmt: skip
    table, name, place = _identified(value, where, keys)
    return Requirement(
        name, condition=condition(table.get("condition", {}), place, known),
        review=review_lines(table.get("review", "unspecified"), f"{place}, review", known),
        regime=one_of(table.get("regime", "US"), REGIMES, f"{place}, regime"),
        letter=_letter(table["letter"], f"{place}, letter") if "letter" in table else None,
        exceptions=names(table.get("exceptions", []), f"{place}, exceptions"), unknown=bool(table.get("unknown", False)),
        **_standing(table, place, known), **texts(table, place, "says", "note", "asks"),
        title_ko=korean(table, "title", place),
    )  # fmt: skip


def _authorisation(value: object, where: str, known: Known) -> Authorisation:
    keys = (*both("title", "needs", "note"), "cfr", "key", "instrument", "conditions", "lifts_requirement")
    table, name, place = _identified(value, where, keys)
    held = texts(table, place, "title", "needs", "note")
    held["title"] = held["title"] or name
    return Authorisation(
        name, str(table.get("key", name)),
        conditions=tuple(condition(entry, place, known) for entry in listed(table.get("conditions"), place)),
        lifts_requirement=bool(table.get("lifts_requirement", False)), **_standing(table, place, known), **held,
    )  # fmt: skip


def _presumption(value: object, where: str, known: Known) -> Presumption:
    keys = (*both("says"), "title_ko", "cfr", "instrument", "condition", "treat_as", "ways_out")
    table, name, place = _identified(value, where, keys)
    return Presumption(
        name, condition=condition(table.get("condition", {}), place, known), treat_as=str(table.get("treat_as", "a")),
        ways_out=tuple(_way_out(entry, place, known) for entry in listed(table.get("ways_out", []), place)),
        **_standing(table, place, known), **texts(table, place, "says"), title_ko=korean(table, "title", place),
    )  # fmt: skip


def _way_out(value: object, where: str, known: Known) -> WayOut:
    keys = (*both("what"), "id", "since", "until", "published", "ended_by", "condition", "leaves")
    table = mapping(value, where, keys)
    place = f"{where}, {table.get('id')}"
    return WayOut(
        str(table.get("id")), **window(table, where), condition=condition(table.get("condition", {}), place, known),
        leaves=one_of(table.get("leaves"), ("numbers", "free", "unknown"), f"{place}, leaves"),
        **published(table, place, known), **texts(table, place, "what"),
    )  # fmt: skip


def _stance(value: object, where: str, known: Known) -> Stance:
    keys = (*both("note"), "to", "level", "chips", "end_user_types", "large_firm", "foreign_data_centre")
    table, name, place = _identified(value, where, keys)
    return Stance(
        name, one_of(table.get("level"), LEVELS, f"{place}, level"), country(table.get("to"), f"{place}, to"),
        chips=names(table.get("chips", []), place),
        end_user_types=from_vocabulary("end_user_types")(table.get("end_user_types", []), place),
        large_firm=bool(table.get("large_firm", False)),
        foreign_data_centre=bool(table.get("foreign_data_centre", False)),
        **_overlaid(table, place, known), **texts(table, place, "note"),
    )  # fmt: skip


def _tariff(value: object, where: str, known: Known) -> Tariff:
    table, name, place = _identified(value, where, (*both("note"), "rate", "tpp", "mem_bw_gbps"))
    bands: dict[str, Any] = {}
    for key in ("tpp", "mem_bw_gbps"):
        low, high = (exact(entry, f"{place}, {key}") for entry in listed(table.get(key), place))
        bands[key] = (low, high)
    return Tariff(
        name, rate=_rate(table, place), **bands, **_overlaid(table, place, known), **texts(table, place, "note")
    )


def _rate(table: Mapping[str, Any], where: str) -> float:
    rate = float(exact(table.get("rate"), f"{where}, rate"))
    if rate > 1:
        raise InputError(f"{where}, rate: {rate} is a share of the price and cannot exceed 1")
    return rate


def _charge(value: object, where: str, known: Known) -> Charge:
    keys = (*both("note"), "requirement", "exporters", "condition", "rate", "in_law")
    table, name, place = _identified(value, where, keys)
    return Charge(
        name, rate=_rate(table, place), requirement=table.get("requirement"),
        exporters=tuple(folded(who) for who in names(table.get("exporters", []), place)),
        condition=condition(table.get("condition", {}), place, known), in_law=bool(table.get("in_law", True)),
        **_overlaid(table, place, known), **texts(table, place, "note"),
    )  # fmt: skip


def _cap(value: object, where: str, known: Known) -> Cap:
    keys = (*both("note"), "review", "condition", "share_of_us_shipments", "units_per_month")
    table, name, place = _identified(value, where, keys)
    share, units = table.get("share_of_us_shipments"), table.get("units_per_month")
    return Cap(
        name, review=table.get("review"), condition=condition(table.get("condition", {}), place, known),
        share_of_us_shipments=None if share is None else float(exact(share, f"{place}, share_of_us_shipments")),
        units_per_month=None if units is None else float(exact(units, f"{place}, units_per_month")),
        **_overlaid(table, place, known), **texts(table, place, "note"),
    )  # fmt: skip


def _flag(value: object, where: str, known: Known) -> Flag:
    table, name, place = _identified(value, where, ("condition", *both("text")))
    held = texts(table, place, "text")
    held["text"] = held["text"] or name
    return Flag(
        name, condition=condition(table.get("condition", {}), place, known), **_overlaid(table, place, known), **held
    )


def _instrument(value: object, where: str, known: Known) -> Instrument:
    keys = (*both("title", "terms"), "announced", "effective", "compliance", "summary", "status")
    table, name, place = _identified(value, where, keys)
    statuses = []
    for entry in listed(table.get("status", []), place):
        row = mapping(entry, place, ("from", "state", "mode", "published"))
        mode = one_of(row["mode"], MODES, f"{place}, mode") if "mode" in row else None
        since = day(row.get("from"), f"{place}, status")
        known_by = day(row["published"], f"{place}, status") if "published" in row else None
        statuses.append(Status(since, one_of(row.get("state"), STATES, f"{place}, state"), mode, known_by))
    days: dict[str, Any] = {
        key: day(table[key], f"{place}, {key}") for key in ("published", "effective", "compliance") if key in table
    }
    held = texts(table, place, "title", "terms")
    held["title"] = held["title"] or name
    return Instrument(
        name, announced=day(table.get("announced"), f"{place}, announced"), **days,
        summary=str(table.get("summary", "")), status=tuple(sorted(statuses, key=lambda status: status.since)),
        **provenance(table, place, known), **held,
    )  # fmt: skip


def _group(name: str, value: object, where: str, held: Group | None) -> Group:
    table = mapping(value, where, (*both("title"), "members", "changes", "sources", "confidence"))

    def codes(entries: object) -> frozenset[str]:
        return frozenset(land(country(entry, where)) for entry in listed(entries, where))

    changes = list(held.changes) if held else []
    for entry in table.get("changes", []):
        row = mapping(entry, where, ("from", "add", "remove", "sources", "note", "published"))
        known_by = day(row["published"], where) if "published" in row else None
        changes.append(
            Change(day(row.get("from"), where), codes(row.get("add", [])), codes(row.get("remove", [])),
                   str(row.get("note", "")), known_by)
        )  # fmt: skip
    members = codes(table["members"]) if "members" in table else (held.members if held else frozenset())
    return Group(
        name, str(table.get("title", held.title if held else name)), members,
        tuple(sorted(changes, key=lambda change: change.since)),
        tuple(table.get("sources", held.sources if held else ())),
        str(table.get("confidence", held.confidence if held else "medium")),
        korean(table, "title", where) or (held.title_ko if held and "title" not in table else ""),
    )  # fmt: skip


TOP_KEYS = (
    "title", "note", "instruments", "groups", "conditions", "reviews", "classification", "computers", "presumptions",
    "requirements", "exceptions", "stances", "large_firms", "tariffs", "charges", "caps", "flags", "sources", "enact",
    "end",
)  # fmt: skip


def _read_names(documents: Iterable[tuple[str, Mapping[str, Any]]], known: Known) -> None:
    """First pass: what other entries refer to by name, over all documents before any entry is read."""
    tables = [(where, mapping(document, where, TOP_KEYS)) for where, document in documents]
    for where, table in tables:
        known.sources.update({str(key): str(text) for key, text in any_mapping(table.get("sources"), where).items()})
    for where, table in tables:
        for name, value in any_mapping(table.get("groups"), where).items():
            known.groups[name] = _group(name, value, f"{where}, groups, {name}", known.groups.get(name))
        for entry in listed(table.get("instruments", []), where):
            instrument = _instrument(entry, f"{where}, instruments", known)
            known.instruments[instrument.id] = instrument
    for where, table in tables:
        for name, value in any_mapping(table.get("conditions"), where).items():
            known.conditions[name] = condition(value, f"{where}, conditions, {name}", known)
    for where, table in tables:
        for name, value in any_mapping(table.get("reviews"), where).items():
            known.reviews[name] = review_lines(value, f"{where}, reviews, {name}", known)


_LISTS: dict[str, tuple[str, Callable[[object, str, Known], Any]]] = {
    "classification": ("paragraphs", _paragraph),
    "presumptions": ("presumptions", _presumption),
    "requirements": ("requirements", _requirement),
    "exceptions": ("authorisations", _authorisation),
    "stances": ("stances", _stance),
    "tariffs": ("tariffs", _tariff),
    "charges": ("charges", _charge),
    "caps": ("caps", _cap),
    "flags": ("flags", _flag),
}


def parse_book(documents: list[tuple[str, Mapping[str, Any]]]) -> Book:
    """The rules in several documents of the one schema."""
    known = Known(None)
    _read_names(documents, known)
    lists: dict[str, list[Any]] = {attribute: [] for attribute, _ in _LISTS.values()}
    computers: dict[str, date] = {}
    firms: list[str] = []
    for where, table in documents:
        for key, (attribute, parse) in _LISTS.items():
            lists[attribute] += [parse(entry, f"{where}, {key}", known) for entry in listed(table.get(key, []), where)]
        computers.update({eccn: day(since, where) for eccn, since in table.get("computers", {}).items()})
        firms += table.get("large_firms", [])
    parts: dict[str, Any] = {name: tuple(rows) for name, rows in lists.items()}
    book = Book(
        known.instruments, known.groups, computers=computers, reviews=known.reviews, conditions=known.conditions,
        large_firms=tuple(firms), sources=known.sources, **parts,
    )  # fmt: skip
    _check_names(book)
    return book


def lay_over(book: Book, document: object, where: str) -> Book:
    """`book` with an overlay's rules added, or put in place of those with the same id."""
    table = mapping(document, where, TOP_KEYS)
    known = Known(book)
    _read_names([(where, table)], known)
    parts: dict[str, Any] = {}
    for key, (attribute, parse) in _LISTS.items():
        added = [parse(entry, f"{where}, {key}", known) for entry in listed(table.get(key, []), f"{where}, {key}")]
        ids = {entry.id for entry in added}
        parts[attribute] = tuple(entry for entry in getattr(book, attribute) if entry.id not in ids) + tuple(added)
    changed = replace(
        book, instruments=known.instruments, groups=known.groups, conditions=known.conditions, reviews=known.reviews,
        sources=known.sources, large_firms=(*book.large_firms, *names(table.get("large_firms", []), where)),
        overlays=(*book.overlays, str(table.get("title", where))), _memo={}, **parts,
    )  # fmt: skip
    for entry in listed(table.get("enact", []), f"{where}, enact"):
        changed = _enact(changed, entry, f"{where}, enact")
    for entry in listed(table.get("end", []), f"{where}, end"):
        changed = _end(changed, entry, f"{where}, end")
    _check_names(changed)
    return changed


def _enact(book: Book, value: object, where: str) -> Book:
    """A proposed, reported, stayed or unenforced instrument comes into force on a day."""
    table = mapping(value, where, ("instrument", "from"))
    name = str(table.get("instrument"))
    if name not in book.instruments:
        raise UnknownName("instrument", name, book.instruments, where=where)
    start = day(table.get("from"), f"{where}, from")
    kept = tuple(status for status in book.instruments[name].status if status.since < start)
    instrument = replace(book.instruments[name], status=(*kept, Status(start, "in_force")))
    return replace(book, instruments={**book.instruments, name: instrument}, _memo={})


def _end(book: Book, value: object, where: str) -> Book:
    """A rule, or everything an instrument carries, ceases to apply from a day."""
    table = mapping(value, where, ("rule", "from"))
    name, last = str(table.get("rule")), date.fromordinal(day(table.get("from"), f"{where}, from").toordinal() - 1)
    if name in book.instruments:
        kept = tuple(status for status in book.instruments[name].status if status.since <= last)
        ended = (*kept, Status(date.fromordinal(last.toordinal() + 1), "revoked"))
        instrument = replace(book.instruments[name], status=ended)
        return replace(book, instruments={**book.instruments, name: instrument}, _memo={})
    found = False
    parts: dict[str, Any] = {}
    for attribute in ("requirements", "authorisations", "paragraphs", "stances", "tariffs", "charges", "caps", "flags"):
        rows = []
        for entry in getattr(book, attribute):
            if entry.id == name:
                found = True
                if entry.since > last:
                    continue
                entry = replace(entry, until=min(entry.until, last))
            rows.append(entry)
        parts[attribute] = tuple(rows)
    if not found:
        rules = [entry.id for attribute in parts for entry in getattr(book, attribute)]
        raise UnknownName("rule", name, [*rules, *book.instruments], where=where)
    return replace(book, _memo={}, **parts)


def _check_names(book: Book) -> None:
    """References between rules: exceptions, charged requirements, chips and citations must exist."""
    keys = {entry.key for entry in book.authorisations}
    ids = {entry.id for entry in book.requirements}
    for requirement in book.requirements:
        for key in requirement.exceptions:
            if key not in keys:
                raise UnknownName("exception", key, keys, where=requirement.id)
    for charge in book.charges:
        if charge.requirement is not None and charge.requirement not in ids:
            raise UnknownName("requirement", str(charge.requirement), ids, where=charge.id)


CONDITION_KEYS = tuple(field.name for field in fields(Condition))
"""The keys a condition may have, for the documentation."""

__all__ = ["CONDITION_KEYS", "lay_over", "parse_book"]
