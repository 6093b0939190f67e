"""From plain YAML values to the records of the law. Unknown keys and unknown names are errors with a suggestion."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.rules._book import (
    FIRST,
    LAST,
    POLICIES,
    QUANTITIES,
    STATES,
    Authorisation,
    Book,
    Cap,
    Charge,
    Condition,
    Flag,
    Group,
    Instrument,
    Letter,
    Paragraph,
    Presumption,
    Requirement,
    Review,
    Stance,
    Status,
    Tariff,
    Test,
    Way,
    WayOut,
)
from chipweir.rules._numbers import exact, parse_test
from chipweir.rules._places import country, land
from chipweir.rules._words import MODES, REGIMES, day, flag, folded, one_of, vocabulary


CLASSES = ("none", "b", "a", "c", "4E091")
LEVELS = ("open", "discouraged", "conditional", "blocked", "unknown")
TRUST = ("high", "medium", "low")
Names = tuple[str, ...]


class _Known:
    """What names may be referred to while one set of documents is read."""

    def __init__(self, base: Book | None) -> None:
        self.groups: dict[str, Group] = dict(base.groups) if base else {}
        self.conditions: dict[str, Condition] = dict(base.conditions) if base else {}
        self.reviews: dict[str, tuple[Review, ...]] = dict(base.reviews) if base else {}
        self.instruments: dict[str, Instrument] = dict(base.instruments) if base else {}
        self.sources: dict[str, str] = dict(base.sources) if base else {}


def _mapping(value: object, where: str, keys: Iterable[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: expected a mapping of keys to values, got {str(value)[:60]!r}")
    allowed = frozenset(keys)
    for key in value:
        if key not in allowed:
            raise UnknownName("key", str(key)[:60], allowed, where=where)
    return value


def _listed(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(f"{where}: expected a list, got {str(value)[:60]!r}")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: expected text, got {str(value)[:60]!r}")
    return value


def _names(value: object, where: str) -> Names:
    return tuple(_text(entry, where) for entry in _listed(value, where))


def _places(value: object, where: str, known: _Known) -> Names:
    places = []
    for entry in _listed(value, where):
        if isinstance(entry, str) and entry in known.groups:
            places.append(entry)
        else:
            try:
                places.append(land(country(entry, where)))
            except UnknownName as error:
                raise UnknownName("country or group", str(entry), [*known.groups, *error.suggestions], where) from None
    return tuple(places)


def _tests(value: object, where: str) -> tuple[Test, ...]:
    parsed = []
    for entry in _listed(value, where):
        test = Test(*parse_test(entry, where))
        if test.name not in QUANTITIES:
            raise UnknownName("quantity", test.name, QUANTITIES, where=where)
        parsed.append(test)
    if not parsed:
        raise InputError(f"{where}: an empty list of tests would always hold")
    return tuple(parsed)


def _way(value: object, where: str) -> Way:
    if isinstance(value, list):
        return Way("", _tests(value, where))
    table = _mapping(value, where, ("name", "tests"))
    return Way(str(table.get("name", "")), _tests(table.get("tests"), where))


def _ways(value: object, where: str) -> tuple[Way, ...]:
    return tuple(_way(entry, where) for entry in _listed(value, where))


def _from_vocabulary(field: str) -> Callable[[object, str], Names]:
    def read(value: object, where: str) -> Names:
        words = vocabulary()[field]
        for entry in _listed(value, where):
            if entry not in words:
                raise UnknownName(field.rstrip("s"), str(entry), words, where=where)
        return tuple(value)  # type: ignore[arg-type]

    return read


def _choices(choices: Iterable[str], kind: str) -> Callable[[object, str], Names]:
    def read(value: object, where: str) -> Names:
        for entry in _listed(value, where):
            if entry not in choices:
                raise UnknownName(kind, str(entry), choices, where=where)
        return tuple(value)  # type: ignore[arg-type]

    return read


def _classes(value: object, where: str) -> frozenset[str]:
    spelt = {"3A090.a": "a", "4A090.a": "a", "3A090.b": "b", "4A090.b": "b", "3A090.c": "c", "not_3A090": "none"}
    return frozenset(_choices(CLASSES, "class")([spelt.get(entry, entry) for entry in _listed(value, where)], where))


def _certified(value: object, where: str) -> Names:
    return _choices(("all", *vocabulary()["certifications"]), "certification")(value, where)


_PLACE_KEYS = (
    "to",
    "not_to",
    "hq",
    "not_hq",
    "hq_stated",
    "hq_if_stated",
    "to_or_hq",
    "shipped_from",
    "packaged_not_in",
)
_CONDITION: dict[str, Callable[[Any, str], Any]] = {
    "since": day,
    "until": day,
    "modes": _choices(MODES, "mode"),
    "classes": _classes,
    "data_centre": flag,
    "kinds": lambda value, where: frozenset(_from_vocabulary("item_kinds")(value, where)),
    "routes": _from_vocabulary("routes"),
    "exporters": _names,
    "exporter_types": _from_vocabulary("exporter_types"),
    "end_users": _names,
    "end_user_types": _from_vocabulary("end_user_types"),
    "not_end_user_types": _from_vocabulary("end_user_types"),
    "chips": _names,
    "maker_countries": _names,
    "maker_countries_not": _names,
    "designer_status": _choices(("approved", "authorised", "eligible", "none"), "designer status"),
    "packaged_by": _from_vocabulary("packagers"),
    "any_of": _ways,
    "every": _ways,
    "tests": _tests,
    "us_available": flag,
    "certified": _certified,
    "ownership_unknown": flag,
}


def _condition(value: object, where: str, known: _Known) -> Condition:
    if isinstance(value, str):
        if value not in known.conditions:
            raise UnknownName("condition", value, known.conditions, where=where)
        return known.conditions[value]
    table = _mapping(value, where, (*_CONDITION, *_PLACE_KEYS, "bars"))
    parts: dict[str, Any] = {}
    for key, entry in table.items():
        place = f"{where}, {key}"
        if key == "bars":
            parts[key] = _condition(entry, place, known)
        elif key in _PLACE_KEYS:
            parts[key] = _places(entry, place, known)
        else:
            parts[key] = _CONDITION[key](entry, place)
    return Condition(**parts)


def _review(value: object, where: str, known: _Known) -> tuple[Review, ...]:
    if isinstance(value, str):
        if value in known.reviews:
            return known.reviews[value]
        if value in POLICIES:
            return (Review(value, Condition()),)
        raise UnknownName("review policy", value, [*known.reviews, *POLICIES], where=where)
    lines = []
    for entry in _listed(value, where):
        table = _mapping(entry, where, ("id", "name", "when", "policy", "practice", "note", "sources", "confidence"))
        policy = one_of(table.get("policy"), POLICIES, f"{where}, policy")
        when = _condition(table.get("when", {}), where, known)
        practice = one_of(table["practice"], POLICIES, f"{where}, practice") if "practice" in table else None
        name, label = str(table.get("id", "")), str(table.get("name", ""))
        lines.append(Review(policy, when, name, label, practice, **_provenance(table, where, known)))
    return tuple(lines)


def _provenance(table: Mapping[str, Any], where: str, known: _Known, *, note: bool = True) -> dict[str, Any]:
    sources = _names(table.get("sources", []), f"{where}, sources")
    for key in sources:
        if known.sources and key not in known.sources and not key.startswith("http"):
            raise UnknownName("source", key, known.sources, where=where)
    trust = one_of(table.get("confidence", "low"), TRUST, f"{where}, confidence")
    found: dict[str, Any] = {"sources": sources, "confidence": trust}
    if note:
        found["note"] = str(table.get("note", ""))
    return found


def _window(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    since = day(table["since"], f"{where}, since") if "since" in table else FIRST
    until = day(table["until"], f"{where}, until") if "until" in table else LAST
    if until < since:
        raise InputError(f"{where}: until {until} is before since {since}")
    return {"since": since, "until": until}


_COMMON = ("id", "since", "until", "sources", "confidence", "note")


def _identified(value: object, where: str, keys: Iterable[str]) -> tuple[Mapping[str, Any], str, str]:
    table = _mapping(value, where, (*_COMMON, *keys))
    if not isinstance(table.get("id"), str):
        raise InputError(f"{where}: every rule needs an id")
    return table, table["id"], f"{where}, {table['id']}"


def _korean(table: Mapping[str, Any], where: str) -> str:
    """The Korean title, empty where there is none. Raises `InputError` for one that holds no Hangul."""
    text = table.get("title_ko", "")
    if not isinstance(text, str) or (text and not any("가" <= letter <= "힣" for letter in text)):
        raise InputError(f"{where}: title_ko must be text in Hangul, got {str(text)[:60]!r}")
    return text


def _instrument_name(table: Mapping[str, Any], where: str, known: _Known) -> str | None:
    name = table.get("instrument")
    if name is not None and name not in known.instruments:
        raise UnknownName("instrument", str(name), known.instruments, where=where)
    return name


def _paragraph(value: object, where: str, known: _Known) -> Paragraph:
    keys = ("title_ko", "instrument", "paragraph", "eccn", "any_of", "unless")
    table, name, place = _identified(value, where, keys)
    paragraph = table.get("paragraph")
    if paragraph not in CLASSES[1:]:
        raise UnknownName("paragraph", str(paragraph), CLASSES[1:], where=place)
    eccn = str(table.get("eccn") or (paragraph if paragraph == "4E091" else f"3A090.{paragraph}"))
    return Paragraph(
        name, str(paragraph), eccn, any_of=_ways(table.get("any_of"), place),
        unless=_way(table["unless"], place) if table.get("unless") else None,
        instrument=_instrument_name(table, place, known), **_window(table, place), **_provenance(table, place, known,
        note=False), title_ko=_korean(table, place),
    )  # fmt: skip


def _letter(value: object, where: str) -> Letter:
    table = _mapping(value, where, ("addressees", "unknown_for", "silent_for_others"))
    addressees = table.get("addressees") or {}
    if not isinstance(addressees, Mapping):
        raise InputError(f"{where}: addressees is a mapping of exporter to the day of the letter")
    return Letter(
        {folded(str(who)): day(since, f"{where}, {who}") for who, since in addressees.items()},
        tuple(folded(who) for who in _names(table.get("unknown_for", []), where)),
        bool(table.get("silent_for_others", False)),
    )


def _requirement(value: object, where: str, known: _Known) -> Requirement:
    keys = ("title_ko", "instrument", "regime", "letter", "condition", "review", "exceptions", "unknown")
    table, name, place = _identified(value, where, keys)
    return Requirement(
        name, condition=_condition(table.get("condition", {}), place, known),
        review=_review(table.get("review", "unspecified"), f"{place}, review", known),
        instrument=_instrument_name(table, place, known), 
        regime=one_of(table.get("regime", "US"), REGIMES, f"{place}, regime"),
        letter=_letter(table["letter"], f"{place}, letter") if "letter" in table else None,
        exceptions=_names(table.get("exceptions", []), f"{place}, exceptions"), unknown=bool(table.get("unknown",
        False)),
        **_window(table, place), **_provenance(table, place, known), title_ko=_korean(table, place),
    )  # fmt: skip


def _authorisation(value: object, where: str, known: _Known) -> Authorisation:
    keys = ("key", "title", "title_ko", "instrument", "conditions", "needs", "lifts_requirement")
    table, name, place = _identified(value, where, keys)
    return Authorisation(
        name, str(table.get("key", name)), str(table.get("title", name)),
        conditions=tuple(_condition(entry, place, known) for entry in _listed(table.get("conditions"), place)),
        instrument=_instrument_name(table, place, known), needs=str(table.get("needs", "")),
        lifts_requirement=bool(table.get("lifts_requirement", False)), **_window(table, place), **_provenance(table,
        place, known), title_ko=_korean(table, place),
    )  # fmt: skip


def _presumption(value: object, where: str, known: _Known) -> Presumption:
    table, name, place = _identified(value, where, ("title_ko", "instrument", "condition", "treat_as", "ways_out"))
    ways = []
    for entry in _listed(table.get("ways_out", []), place):
        way = _mapping(entry, place, ("id", "what", "since", "until", "condition", "leaves"))
        leaves = one_of(way.get("leaves"), ("numbers", "free", "unknown"), f"{place}, leaves")
        condition = _condition(way.get("condition", {}), f"{place}, {way.get('id')}", known)
        ways.append(
            WayOut(
                str(way.get("id")), str(way.get("what", "")), **_window(way, place), condition=condition, leaves=leaves
            )
        )
    return Presumption(
        name, condition=_condition(table.get("condition", {}), place, known), treat_as=str(table.get("treat_as", "a")),
        ways_out=tuple(ways), instrument=_instrument_name(table, place, known),
        **_window(table, place), **_provenance(table, place, known, note=False),
        title_ko=_korean(table, place),
    )  # fmt: skip


def _stance(value: object, where: str, known: _Known) -> Stance:
    table, name, place = _identified(
        value, where, ("to", "level", "chips", "end_user_types", "large_firm", "foreign_data_centre")
    )
    return Stance(
        name, one_of(table.get("level"), LEVELS, f"{place}, level"), country(table.get("to"), f"{place}, to"),
        chips=_names(table.get("chips", []), place),
        end_user_types=_from_vocabulary("end_user_types")(table.get("end_user_types", []), place),
        large_firm=bool(table.get("large_firm", False)), foreign_data_centre=bool(table.get("foreign_data_centre",
        False)),
        **_window(table, place), **_provenance(table, place, known),
    )  # fmt: skip


def _tariff(value: object, where: str, known: _Known) -> Tariff:
    table, name, place = _identified(value, where, ("rate", "tpp", "mem_bw_gbps"))
    bands: dict[str, Any] = {}
    for key in ("tpp", "mem_bw_gbps"):
        low, high = (exact(entry, f"{place}, {key}") for entry in _listed(table.get(key), place))
        bands[key] = (low, high)
    return Tariff(name, rate=_rate(table, place), **bands, **_window(table, place), **_provenance(table, place, known))


def _rate(table: Mapping[str, Any], where: str) -> float:
    rate = float(exact(table.get("rate"), f"{where}, rate"))
    if rate > 1:
        raise InputError(f"{where}, rate: {rate} is a share of the price and cannot exceed 1")
    return rate


def _charge(value: object, where: str, known: _Known) -> Charge:
    table, name, place = _identified(value, where, ("requirement", "exporters", "condition", "rate", "in_law"))
    return Charge(
        name, rate=_rate(table, place), requirement=table.get("requirement"),
        exporters=tuple(folded(who) for who in _names(table.get("exporters", []), place)),
        condition=_condition(table.get("condition", {}), place, known), in_law=bool(table.get("in_law", True)),
        **_window(table, place), **_provenance(table, place, known),
    )  # fmt: skip


def _cap(value: object, where: str, known: _Known) -> Cap:
    table, name, place = _identified(value, where, ("review", "condition", "share_of_us_shipments", "units_per_month"))
    share, units = table.get("share_of_us_shipments"), table.get("units_per_month")
    return Cap(
        name, review=table.get("review"), condition=_condition(table.get("condition", {}), place, known),
        share_of_us_shipments=None if share is None else float(exact(share, f"{place}, share_of_us_shipments")),
        units_per_month=None if units is None else float(exact(units, f"{place}, units_per_month")),
        **_window(table, place), **_provenance(table, place, known),
    )  # fmt: skip


def _flag(value: object, where: str, known: _Known) -> Flag:
    table, name, place = _identified(value, where, ("condition", "text"))
    return Flag(
        name, condition=_condition(table.get("condition", {}), place, known), text=str(table.get("text", name)),
        **_window(table, place), **_provenance(table, place, known, note=False),
    )  # fmt: skip


def _instrument(value: object, where: str, known: _Known) -> Instrument:
    keys = ("title", "title_ko", "announced", "effective", "compliance", "summary", "status")
    table, name, place = _identified(value, where, keys)
    statuses = []
    for entry in _listed(table.get("status", []), place):
        row = _mapping(entry, place, ("from", "state", "mode"))
        mode = one_of(row["mode"], MODES, f"{place}, mode") if "mode" in row else None
        statuses.append(
            Status(day(row.get("from"), f"{place}, status"), one_of(row.get("state"), STATES, f"{place}, state"), mode)
        )
    days: dict[str, Any] = {
        key: day(table[key], f"{place}, {key}") for key in ("effective", "compliance") if key in table
    }
    return Instrument(
        name, str(table.get("title", name)), day(table.get("announced"), f"{place}, announced"), **days,
        summary=str(table.get("summary", "")), status=tuple(sorted(statuses, key=lambda status: status.since)),
        **_provenance(table, place, known, note=False),
        title_ko=_korean(table, place),
    )  # fmt: skip


def _group(name: str, value: object, where: str, held: Group | None) -> Group:
    table = _mapping(value, where, ("title", "title_ko", "members", "changes", "sources", "confidence"))

    def codes(entries: object) -> frozenset[str]:
        return frozenset(land(country(entry, where)) for entry in _listed(entries, where))

    changes = list(held.changes) if held else []
    for entry in table.get("changes", []):
        row = _mapping(entry, where, ("from", "add", "remove", "sources", "note"))
        changes.append(
            (
                day(row.get("from"), where),
                codes(row.get("add", [])),
                codes(row.get("remove", [])),
                str(row.get("note", "")),
            )
        )
    members = codes(table["members"]) if "members" in table else (held.members if held else frozenset())
    return Group(
        name, str(table.get("title", held.title if held else name)), members,
        tuple(sorted(changes, key=lambda change: change[0])), tuple(table.get("sources", held.sources if held else ())),
        str(table.get("confidence", held.confidence if held else "medium")),
        _korean(table, where) or (held.title_ko if held and "title" not in table else ""),
    )  # fmt: skip


TOP_KEYS = (
    "title", "note", "instruments", "groups", "conditions", "reviews", "classification", "computers", "presumptions",
    "requirements", "exceptions", "stances", "large_firms", "tariffs", "charges", "caps", "flags", "sources", "enact",
    "end",
)  # fmt: skip


def _read_names(documents: Iterable[tuple[str, Mapping[str, Any]]], known: _Known) -> None:
    """First pass: what other entries refer to by name."""
    tables = [(where, _mapping(document, where, TOP_KEYS)) for where, document in documents]
    for where, table in tables:
        known.sources.update({str(key): str(text) for key, text in _mapping_any(table.get("sources"), where).items()})
    for where, table in tables:
        for name, value in _mapping_any(table.get("groups"), where).items():
            known.groups[name] = _group(name, value, f"{where}, groups, {name}", known.groups.get(name))
        for entry in _listed(table.get("instruments", []), where):
            instrument = _instrument(entry, f"{where}, instruments", known)
            known.instruments[instrument.id] = instrument
    for where, table in tables:
        for name, value in _mapping_any(table.get("conditions"), where).items():
            known.conditions[name] = _condition(value, f"{where}, conditions, {name}", known)
        for name, value in _mapping_any(table.get("reviews"), where).items():
            known.reviews[name] = _review(value, f"{where}, reviews, {name}", known)


def _mapping_any(value: object, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: expected a mapping of names, got {str(value)[:60]!r}")
    return value


_LISTS: dict[str, tuple[str, Callable[[object, str, _Known], Any]]] = {
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
    known = _Known(None)
    _read_names(documents, known)
    lists: dict[str, list[Any]] = {attribute: [] for attribute, _ in _LISTS.values()}
    computers: dict[str, date] = {}
    firms: list[str] = []
    for where, table in documents:
        for key, (attribute, parse) in _LISTS.items():
            lists[attribute] += [parse(entry, f"{where}, {key}", known) for entry in _listed(table.get(key, []), where)]
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
    table = _mapping(document, where, TOP_KEYS)
    known = _Known(book)
    _read_names([(where, table)], known)
    parts: dict[str, Any] = {}
    for key, (attribute, parse) in _LISTS.items():
        added = [parse(entry, f"{where}, {key}", known) for entry in _listed(table.get(key, []), f"{where}, {key}")]
        ids = {entry.id for entry in added}
        parts[attribute] = tuple(entry for entry in getattr(book, attribute) if entry.id not in ids) + tuple(added)
    changed = replace(
        book, instruments=known.instruments, groups=known.groups, conditions=known.conditions, reviews=known.reviews,
        sources=known.sources, large_firms=(*book.large_firms, *_names(table.get("large_firms", []), where)),
        overlays=(*book.overlays, str(table.get("title", where))), _memo={}, **parts,
    )  # fmt: skip
    for entry in _listed(table.get("enact", []), f"{where}, enact"):
        changed = _enact(changed, entry, f"{where}, enact")
    for entry in _listed(table.get("end", []), f"{where}, end"):
        changed = _end(changed, entry, f"{where}, end")
    _check_names(changed)
    return changed


def _enact(book: Book, value: object, where: str) -> Book:
    """A proposed, reported, stayed or unenforced instrument comes into force on a day."""
    table = _mapping(value, where, ("instrument", "from"))
    name = str(table.get("instrument"))
    if name not in book.instruments:
        raise UnknownName("instrument", name, book.instruments, where=where)
    start = day(table.get("from"), f"{where}, from")
    kept = tuple(status for status in book.instruments[name].status if status.since < start)
    instrument = replace(book.instruments[name], status=(*kept, Status(start, "in_force")))
    return replace(book, instruments={**book.instruments, name: instrument}, _memo={})


def _end(book: Book, value: object, where: str) -> Book:
    """A rule, or everything an instrument carries, ceases to apply from a day."""
    table = _mapping(value, where, ("rule", "from"))
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
