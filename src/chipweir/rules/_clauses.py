"""From plain YAML values to conditions and reviews. Unknown keys and unknown names are errors with a suggestion."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.rules._asked import control_number
from chipweir.rules._book import POLICIES, Book, Group, Instrument, Review
from chipweir.rules._numbers import parse_test
from chipweir.rules._places import country, land
from chipweir.rules._when import FIRST, LAST, QUANTITIES, Condition, Test, Way
from chipweir.rules._words import MODES, day, flag, one_of, vocabulary


CLASSES = ("none", "b", "a", "c", "4E091")
TRUST = ("high", "medium", "low")
Names = tuple[str, ...]


class Known:
    """What names may be referred to while one set of documents is read."""

    def __init__(self, base: Book | None) -> None:
        self.groups: dict[str, Group] = dict(base.groups) if base else {}
        self.conditions: dict[str, Condition] = dict(base.conditions) if base else {}
        self.reviews: dict[str, tuple[Review, ...]] = dict(base.reviews) if base else {}
        self.instruments: dict[str, Instrument] = dict(base.instruments) if base else {}
        self.sources: dict[str, str] = dict(base.sources) if base else {}


def mapping(value: object, where: str, keys: Iterable[str]) -> Mapping[str, Any]:
    """`value` as a mapping that has no other keys than these. Raises `InputError`."""
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: expected a mapping of keys to values, got {str(value)[:60]!r}")
    allowed = frozenset(keys)
    for key in value:
        if key not in allowed:
            raise UnknownName("key", str(key)[:60], allowed, where=where)
    return value


def any_mapping(value: object, where: str) -> Mapping[str, Any]:
    """`value` as a mapping of names, an empty one where nothing is given. Raises `InputError`."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: expected a mapping of names, got {str(value)[:60]!r}")
    return value


def listed(value: object, where: str) -> list[Any]:
    """`value` as a list. Raises `InputError`."""
    if not isinstance(value, list):
        raise InputError(f"{where}: expected a list, got {str(value)[:60]!r}")
    return value


def names(value: object, where: str) -> Names:
    """`value` as a list of texts. Raises `InputError`."""
    for entry in listed(value, where):
        if not isinstance(entry, str):
            raise InputError(f"{where}: expected text, got {str(entry)[:60]!r}")
    return tuple(value)  # type: ignore[arg-type]


def korean(table: Mapping[str, Any], key: str, where: str) -> str:
    """A Korean text, empty where there is none. Raises `InputError` for one that holds no Hangul."""
    text = table.get(f"{key}_ko", "")
    if not isinstance(text, str) or (text and not any("가" <= letter <= "힣" for letter in text)):
        raise InputError(f"{where}: {key}_ko must be text in Hangul, got {str(text)[:60]!r}")
    return text.strip()


def texts(table: Mapping[str, Any], where: str, *keys: str) -> dict[str, Any]:
    """Texts and their Korean twins, for the fields of a record."""
    found = {key: str(table.get(key, "") or "").strip() for key in keys}
    return found | {f"{key}_ko": korean(table, key, where) for key in keys}


def both(*keys: str) -> tuple[str, ...]:
    """Keys of texts with those of their Korean twins."""
    return (*keys, *(f"{key}_ko" for key in keys))


def _places(value: object, where: str, known: Known) -> Names:
    places = []
    for entry in listed(value, where):
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
    for entry in listed(value, where):
        test = Test(*parse_test(entry, where))
        if test.name not in QUANTITIES:
            raise UnknownName("quantity", test.name, QUANTITIES, where=where)
        parsed.append(test)
    if not parsed:
        raise InputError(f"{where}: an empty list of tests would always hold")
    return tuple(parsed)


def way(value: object, where: str) -> Way:
    """A list of tests, or a mapping that names one."""
    if isinstance(value, list):
        return Way("", _tests(value, where))
    table = mapping(value, where, (*both("name"), "tests"))
    return Way(str(table.get("name", "")), _tests(table.get("tests"), where), korean(table, "name", where))


def ways(value: object, where: str) -> tuple[Way, ...]:
    """Alternative ways to meet something."""
    return tuple(way(entry, where) for entry in listed(value, where))


def from_vocabulary(field: str) -> Callable[[object, str], Names]:
    """A reader of lists of words of a vocabulary."""

    def read(value: object, where: str) -> Names:
        words = vocabulary()[field]
        for entry in listed(value, where):
            if entry not in words:
                raise UnknownName(field.rstrip("s"), str(entry), words, where=where)
        return tuple(value)  # type: ignore[arg-type]

    return read


def _choices(choices: Iterable[str], kind: str) -> Callable[[object, str], Names]:
    def read(value: object, where: str) -> Names:
        for entry in listed(value, where):
            if entry not in choices:
                raise UnknownName(kind, str(entry), choices, where=where)
        return tuple(value)  # type: ignore[arg-type]

    return read


def _classes(value: object, where: str) -> frozenset[str]:
    spelt = {"3A090.a": "a", "4A090.a": "a", "3A090.b": "b", "4A090.b": "b", "3A090.c": "c", "not_3A090": "none"}
    return frozenset(_choices(CLASSES, "class")([spelt.get(entry, entry) for entry in listed(value, where)], where))


def _certified(value: object, where: str) -> Names:
    return _choices(("all", *vocabulary()["certifications"]), "certification")(value, where)


def _control_numbers(value: object, where: str) -> Names:
    return tuple(control_number(entry) for entry in names(value, where))


_PLACE_KEYS = (
    "to", "not_to", "hq", "not_hq", "hq_stated", "hq_within", "to_or_hq", "shipped_from", "leaves", "packaged_not_in",
)  # fmt: skip
_CONDITION: dict[str, Callable[[Any, str], Any]] = {
    "since": day,
    "until": day,
    "modes": _choices(MODES, "mode"),
    "classes": _classes,
    "data_centre": flag,
    "kinds": lambda value, where: frozenset(from_vocabulary("item_kinds")(value, where)),
    "routes": from_vocabulary("routes"),
    "exporters": names,
    "exporter_types": from_vocabulary("exporter_types"),
    "end_users": names,
    "end_user_types": from_vocabulary("end_user_types"),
    "not_end_user_types": from_vocabulary("end_user_types"),
    "chips": names,
    "eccns": _control_numbers,
    "eccns_not": _control_numbers,
    "maker_countries": names,
    "maker_of": names,
    "maker_countries_not": names,
    "designer_status": _choices(("approved", "authorised", "eligible", "none"), "designer status"),
    "packaged_by": from_vocabulary("packagers"),
    "any_of": ways,
    "every": ways,
    "tests": _tests,
    "us_available": flag,
    "certified": _certified,
    "ownership_unknown": flag,
    "sdn_owned": flag,
    "joint_venture": flag,
}


def condition(value: object, where: str, known: Known) -> Condition:
    """A condition, or the name of one."""
    if isinstance(value, str):
        if value not in known.conditions:
            raise UnknownName("condition", value, known.conditions, where=where)
        return known.conditions[value]
    table = mapping(value, where, (*_CONDITION, *_PLACE_KEYS, "bars"))
    parts: dict[str, Any] = {}
    for key, entry in table.items():
        place = f"{where}, {key}"
        if key == "bars":
            parts[key] = condition(entry, place, known)
        elif key in _PLACE_KEYS:
            parts[key] = _places(entry, place, known)
        else:
            parts[key] = _CONDITION[key](entry, place)
    return Condition(**parts)


_REVIEW_KEYS = (
    "id",
    "when",
    "policy",
    "practice",
    "instrument",
    "published",
    "ended_by",
    "cfr",
    "sources",
    "confidence",
)


def review_lines(value: object, where: str, known: Known) -> tuple[Review, ...]:
    """The lines of a review: a list, the name of one, or a policy."""
    if isinstance(value, str):
        if value in known.reviews:
            return known.reviews[value]
        if value in POLICIES:
            return (Review(value, Condition()),)
        raise UnknownName("review policy", value, [*known.reviews, *POLICIES], where=where)
    lines = []
    for entry in listed(value, where):
        table = mapping(entry, where, (*_REVIEW_KEYS, *both("note")))
        policy = one_of(table.get("policy"), POLICIES, f"{where}, policy")
        practice = one_of(table["practice"], POLICIES, f"{where}, practice") if "practice" in table else None
        when = condition(table.get("when", {}), where, known)
        lines.append(
            Review(
                policy,
                when,
                str(table.get("id", "")),
                practice,
                instrument_name(table, "instrument", where, known),
                cfr=str(table.get("cfr", "")),
                **published(table, where, known),
                **provenance(table, where, known),
                **texts(table, where, "note"),
            )
        )
    return tuple(lines)


def instrument_name(table: Mapping[str, Any], key: str, where: str, known: Known) -> str | None:
    """The name of an instrument under a key. Raises `UnknownName`."""
    name = table.get(key)
    if name is not None and name not in known.instruments:
        raise UnknownName("instrument", str(name), known.instruments, where=where)
    return name


def published(table: Mapping[str, Any], where: str, known: Known) -> dict[str, Any]:
    """Since when a rule is known, and which instrument ended it."""
    return {
        "published": day(table["published"], f"{where}, published") if "published" in table else None,
        "ended_by": instrument_name(table, "ended_by", where, known),
    }


def provenance(table: Mapping[str, Any], where: str, known: Known) -> dict[str, Any]:
    """Sources and confidence."""
    sources = names(table.get("sources", []), f"{where}, sources")
    for key in sources:
        if known.sources and key not in known.sources and not key.startswith("http"):
            raise UnknownName("source", key, known.sources, where=where)
    return {"sources": sources, "confidence": one_of(table.get("confidence", "low"), TRUST, f"{where}, confidence")}


def window(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """First and last day of a rule, both inclusive."""
    since = day(table["since"], f"{where}, since") if "since" in table else FIRST
    until = day(table["until"], f"{where}, until") if "until" in table else LAST
    if until < since:
        raise InputError(f"{where}: until {until} is before since {since}")
    return {"since": since, "until": until}
