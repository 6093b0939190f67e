"""Who designs, makes and packages: the standings that the foundry presumption asks about."""

from collections.abc import Mapping
from datetime import date
from functools import cache

from chipweir.errors import InputError, UnknownName
from chipweir.rules._asked import Shipment, seat
from chipweir.rules._book import Book
from chipweir.rules._circuits import Goods
from chipweir.rules._places import country, english_names, land
from chipweir.rules._words import flag, folded, known_words, vocabulary, word


@cache
def _roster() -> tuple[frozenset[str], dict[str, str], frozenset[str], frozenset[str]]:
    words = vocabulary()
    approved = frozenset(folded(name) for name in words["approved_designers"])
    seats = {folded(name): place for place, names in words["designer_countries"].items() for name in names}
    osats = frozenset(folded(name) for name in words["approved_osats"])
    return approved, seats, osats, frozenset(folded(name) for name in words["foundries"])


def foundry(
    shipment: Shipment, stuff: Goods, exporter: str, exporter_type: str | None, book: Book
) -> tuple[str | None, str | None, str | None]:
    """Designer's standing, who packages and where; only asked where a fab or an OSAT exports."""
    if exporter_type not in ("fab", "osat"):
        return None, None, None
    item = shipment.item
    maker = next((circuit.maker for circuit in stuff.circuits if circuit.maker), None)
    home = next((circuit.maker_country for circuit in stuff.circuits if circuit.maker_country), None)
    status = _designer(item.designer if item.designer is not None else maker, home, shipment.export_date, book)
    packaged_in = land(item.packaged_in) if item.packaged_in else None
    packaged_by = _packager(item.packaged_by, exporter, exporter_type, packaged_in)
    return status, packaged_by, packaged_in


def _designer(value: object, home: str | None, on: date, book: Book) -> str | None:
    """approved, authorised (applied or said to be), eligible (by its seat), none; None where nothing is known."""
    if isinstance(value, Mapping):
        return _described(value, home, on, book)
    if value is not None and not isinstance(value, str):
        raise InputError(f"item, designer: expected a name, a country or a standing, got {str(value)[:60]!r}")
    approved, seats, _, _ = _roster()
    key = folded(value or "")
    if value and key in approved:
        return "approved"
    if value and key in seats:
        return _by_seat(seats[key], on, book)
    if value:
        try:
            return word("designers", value, "designer")
        except InputError:
            home = _seat_of(value, home)
    return None if home is None else _by_seat(home, on, book)


_DESIGNER_FIELDS = (
    "name", "hq", "status", "applied", "approved", "authorised", "authorized", "located_in", "ultimate_parent", "parent",
)  # fmt: skip


def _described(value: Mapping[str, object], home: str | None, on: date, book: Book) -> str | None:
    """A designer described by fields: `status`, or the law's own words as flags (`approved`, `authorised`)."""
    for key in value:
        if key not in _DESIGNER_FIELDS:
            raise UnknownName("designer field", str(key)[:60], _DESIGNER_FIELDS, where="item, designer")
    places = [
        seat(value[k], f"item, designer, {k}")
        for k in ("hq", "located_in", "ultimate_parent", "parent")
        if value.get(k)
    ]
    barred = any(book.within(land(code), ("D:5", "MO"), on) for code in places)
    flags = {k: flag(value.get(k), f"item, designer, {k}") for k in ("approved", "authorised", "authorized", "applied")}
    status = word("designers", value["status"], "item, designer") if value.get("status") else None
    if barred:
        return "none"
    if status is not None:
        return status
    if flags["approved"]:
        return "approved"
    authorised = flags["authorised"] if flags["authorised"] is not None else flags["authorized"]
    if authorised:
        return "authorised"
    found = _designer(value.get("name"), country(value["hq"], "item, designer") if value.get("hq") else home, on, book)
    if authorised is False and found in ("eligible", "authorised"):
        return "none"  # it is said not to be one, whatever its seat
    if flags["approved"] is False and found == "approved":
        return "none"
    return "authorised" if found == "eligible" and flags["applied"] else found


def _seat_of(value: str, home: str | None) -> str | None:
    """The country a designer's description names ('KR', 'Korean', 'Taiwan fabless')."""
    text = value
    for tail in ("fabless", "designer", "firm", "company", "headquartered", "hq", "-", "_"):
        text = text.replace(tail, " ").strip()
    adjectives = {
        "korean": "KR",
        "chinese": "CN",
        "prc": "CN",
        "taiwanese": "TW",
        "american": "US",
        "japanese": "JP",
        "dutch": "NL",
    }
    if folded(text) in adjectives:
        return adjectives[folded(text)]
    if folded(value) in ("unknown", "unstated", "unspecified"):
        return home
    try:
        return country(text, "item, designer")
    except InputError:
        if home is not None:
            return home
        known = [*known_words("designers"), *vocabulary()["approved_designers"], *english_names()]
        known += [name for names in vocabulary()["designer_countries"].values() for name in names]
        raise UnknownName("designer (a name, a country or a standing)", value[:60], known) from None


def _by_seat(home: str, on: date, book: Book) -> str:
    code = land(home)
    barred = book.within(code, ("D:5", "MO"), on)
    return "eligible" if not barred and book.within(code, ("A:1", "A:5", "TW", "US"), on) else "none"


def _packager(value: str | None, exporter: str, exporter_type: str, packaged_in: str | None) -> str | None:
    _, _, osats, foundries = _roster()
    if value is None:
        if exporter_type == "osat":
            return "approved_osat" if exporter in osats else None
        return "fab" if packaged_in is not None else None
    key = folded(value)
    if key in ("unknown", "unspecified"):
        return None
    if exporter_type == "fab" and (
        key in foundries and (not exporter or key.startswith(exporter) or exporter.startswith(key))
    ):
        return "fab"
    if key in osats:
        return "approved_osat"
    if key in foundries:
        return "osat"
    try:
        return word("packagers", value, "packager")
    except InputError as error:
        if "approved" in key and "unapproved" not in key and "notapproved" not in key:
            return "approved_osat"
        if "osat" in key:
            return "osat"
        raise UnknownName(
            "packager", value[:60], [*known_words("packagers"), *vocabulary()["approved_osats"]]
        ) from error
