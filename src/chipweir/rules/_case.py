"""A shipment made ready for the rules: defaults filled in and said, names resolved, shares and amounts added up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _
from chipweir.rules._book import Book
from chipweir.rules._circuits import Circuit, Goods
from chipweir.rules._numbers import exact
from chipweir.rules._places import country, english_names, land
from chipweir.rules._records import Shipment
from chipweir.rules._words import flag, folded, known_words, vocabulary, word


ALL_CERTIFICATIONS = (
    "us_availability", "no_us_delay", "no_foundry_diversion", "half_cap", "no_prohibited_end_use", "kyc", "us_lab_test",
)  # fmt: skip
"""What the rule of January 2026 asks an applicant to certify."""


@dataclass(slots=True)
class Case:
    """Everything conditions are tested on. `classes` are the classes the item may be of."""

    on: date
    mode: str
    goods: Goods
    classes: frozenset[str]
    to: str
    code: str
    hq: str
    hq_stated: bool
    origin: str
    route: str
    exporter: str
    exporter_assumed: bool
    exporter_type: str | None
    end_user: str
    end_user_type: str
    certifications: frozenset[str] | None
    numbers: dict[str, Any]
    ownership_unknown: bool
    designer_status: str | None
    packaged_by: str | None
    packaged_in: str | None
    assumptions: list[str]

    @property
    def circuits(self) -> tuple[Circuit, ...]:
        """The circuits of the goods."""
        return self.goods.circuits


def prepare(shipment: Shipment, stuff: Goods, classes: frozenset[str], book: Book) -> Case:
    """The case of a shipment whose goods are resolved. Raises `InputError` for words that mean nothing here."""
    said: list[str] = list(stuff.assumptions)
    origin = shipment.from_ or _default_origin(shipment)
    if shipment.from_ is None:
        said.append(_("country of dispatch not stated: {origin} taken", origin=origin))
    to, origin_land = land(shipment.to), land(origin)
    owners = _ownership(shipment.ownership)
    hq = shipment.hq or owners.parent
    exporter, exporter_type = _exporter(shipment, stuff, said)
    assumed = exporter != "" and not shipment.exporter
    total = _total_tpp(stuff)
    numbers: dict[str, Any] = {
        "shipment_tpp": total,
        "year_tpp": None if total is None else total + exact(shipment.year_tpp or 0, "year_tpp"),
        "country_tpp": None if total is None else total + exact(shipment.installed_tpp or 0, "installed_tpp"),
        "listed_ownership": owners.listed,
        "quantity": stuff.quantity,
    }
    status, packaged_by, packaged_in = _foundry(shipment, stuff, exporter, exporter_type, book)
    return Case(
        on=shipment.export_date, mode=shipment.mode, goods=stuff, classes=classes, to=to, code=shipment.to,
        hq=land(hq) if hq else to, hq_stated=hq is not None, origin=origin_land, route=_route(shipment.route,
        origin_land, to, said),
        exporter=exporter, exporter_assumed=assumed, exporter_type=exporter_type, end_user=folded(shipment.end_user or ""),
        end_user_type=shipment.end_user_type or "unspecified", certifications=_certifications(shipment.certifications),
        numbers=numbers, ownership_unknown=owners.unknown, designer_status=status, packaged_by=packaged_by,
        packaged_in=packaged_in, assumptions=said,
    )  # fmt: skip


def _default_origin(shipment: Shipment) -> str:
    return land(shipment.to) if shipment.route == "transfer" else "US"


def _route(route: str | None, origin: str, to: str, said: list[str]) -> str:
    """The route as the rules see it. Only what leaves the US is an export; within one country it is a transfer."""
    if route is None:
        found = "export" if origin == "US" else "transfer" if origin == to else "reexport"
        said.append(_("route not stated: {route} taken from {origin} to {to}", route=found, origin=origin, to=to))
        return found
    if route == "export" and origin != "US":
        said.append(_("called an export but sent from {origin}: treated as an export from abroad", origin=origin))
        return "export_from_abroad"
    return route


def _total_tpp(stuff: Goods) -> Fraction | None:
    total = Fraction(0)
    for circuit in stuff.circuits:
        if circuit.numbers.get("tpp") is None:
            return None
        total += circuit.numbers["tpp"] * circuit.count
    return total * stuff.quantity


def _exporter(shipment: Shipment, stuff: Goods, said: list[str]) -> tuple[str, str | None]:
    """The exporter's folded name and type. Where nobody is named, the maker of the chip is taken."""
    kind = shipment.exporter_type
    if shipment.exporter:
        return _firm(shipment.exporter), kind
    maker = next((circuit.maker for circuit in stuff.circuits if circuit.maker), None)
    if maker is None or kind in ("fab", "osat", "distributor", "integrator", "cloud_provider", "individual", "other"):
        return "", kind
    said.append(_("exporter not stated: the maker, {maker}, taken where a letter alone would decide", maker=maker))
    return _firm(maker), kind


_LEGAL = ("corp", "corporation", "inc", "co", "ltd", "electronics", "foundry", "us", "usa")
_UNMISTAKABLE = {
    "nvidia": "nvidia", "tsmc": "tsmc", "taiwansemiconductor": "tsmc", "advancedmicrodevices": "amd", "skhynix": "skhynix",
    "samsung": "samsung", "huawei": "huawei",
}  # fmt: skip


def _firm(name: str) -> str:
    """A firm's folded name without its legal form, where it is one of those that letters are addressed to."""
    key = folded(name)
    for beginning, firm in _UNMISTAKABLE.items():
        if key.startswith(beginning):
            return firm
    for firm in ("amd", "intel"):
        if key == firm or key.removeprefix(firm) in _LEGAL:
            return firm
    return key


@dataclass(frozen=True, slots=True)
class _Owners:
    listed: Fraction | None
    unknown: bool = False
    parent: str | None = None


def _share(value: object, name: str) -> Fraction:
    """An ownership share as a fraction: 0.5, 50, '50%' and '50 %' are the same."""
    text = value.strip() if isinstance(value, str) else value
    percent = isinstance(text, str) and text.endswith("%")
    number = exact(text.rstrip("% ").strip() if isinstance(text, str) else text, name)
    share = number / 100 if percent or number > 1 else number
    if share > 1:
        raise InputError(f"{name}: a share of {text} is more than the whole")
    return share


def _spelt_share(text: str) -> Fraction:
    """A share with words around it: '50% Entity List', 'listed 0.5', '30 % not listed'."""
    match = re.fullmatch(r"([^\d]*?)(\d+(?:\.\d+)?\s*%?)([^\d]*)", text.strip())
    if match is None:
        return _share(text, "ownership")
    words = folded(match[1] + match[3])
    if words and not any(word in words for word in ("list", "sdn", "meu", "owned", "share", "stake")):
        raise InputError(f"ownership: cannot read {text[:60]!r}; give the share held by listed parties, such as 50%")
    return Fraction(0) if "notlisted" in words or "unlisted" in words else _share(match[2], "ownership")


_LISTED_KEYS = (
    "listed", "listed_share", "listed_fraction", "listed_pct", "listed_percent", "listed_owners", "listed_parties",
    "listed_parties_share", "entity_list", "entity_list_share", "entity_list_pct", "aggregate", "aggregate_listed",
    "share", "fraction", "percent", "pct",
)  # fmt: skip
_OWNER_KEYS = (
    "name", "owner", "share", "fraction", "percent", "pct", "stake", "listed", "list", "entity_list", "country", "hq",
)  # fmt: skip


def _ownership(value: object) -> _Owners:
    """The share held by listed parties, added up; whether it is unknown; the ultimate parent's country if stated."""
    if value is None or value == "":
        return _Owners(Fraction(0))
    if isinstance(value, str):
        if folded(value) in ("unknown", "undetermined", "unclear", "notknown"):
            return _Owners(None, unknown=True)
        if folded(value) in ("none", "no", "clean", "unlisted", "independent", "private"):
            return _Owners(Fraction(0))
        return _Owners(_spelt_share(value))
    if isinstance(value, bool):
        raise InputError("ownership: give the share held by listed parties, such as 0.5, or 'unknown'")
    if isinstance(value, list | tuple):
        return _owner_list(value)
    if isinstance(value, Mapping):
        return _owner_mapping(value)
    return _Owners(_share(value, "ownership"))


def _owner_mapping(value: Mapping[str, Any]) -> _Owners:
    allowed = (*_LISTED_KEYS, "owners", "ultimate_parent", "parent", "parent_hq", "unknown")
    for key in value:
        if key not in allowed:
            raise UnknownName("ownership field", str(key)[:60], allowed, where="ownership")
    parent = next(
        (country(value[k], "ownership") for k in ("ultimate_parent", "parent", "parent_hq") if value.get(k)), None
    )
    if flag(value.get("unknown"), "ownership, unknown"):
        return _Owners(None, unknown=True, parent=parent)
    if value.get("owners") is not None:
        inner = _owner_list(value["owners"])
        return _Owners(inner.listed, inner.unknown, parent)
    held = next((value[k] for k in _LISTED_KEYS if value.get(k) is not None), None)
    inner = _ownership(held) if not isinstance(held, bool) else _Owners(Fraction(1 if held else 0))
    return _Owners(inner.listed, inner.unknown, parent)


def _owner_list(owners: Any) -> _Owners:
    total = Fraction(0)
    unknown = False
    if not isinstance(owners, list | tuple):
        raise InputError(f"ownership, owners: expected a list, got {str(owners)[:60]!r}")
    for number, owner in enumerate(owners, 1):
        where = f"ownership, owner {number}"
        if not isinstance(owner, Mapping):
            total += _share(owner, where)
            continue
        for key in owner:
            if key not in _OWNER_KEYS:
                raise UnknownName("owner field", str(key)[:60], _OWNER_KEYS, where=where)
        listed = next((owner[k] for k in ("listed", "list", "entity_list") if k in owner), True)
        if listed in (False, "no", "none", None):
            continue
        share = next(
            (owner[k] for k in ("share", "fraction", "percent", "pct", "stake") if owner.get(k) is not None), None
        )
        if share is None or (isinstance(share, str) and folded(share) == "unknown"):
            unknown = True
        else:
            total += _share(share, where)
    if total > 1:
        raise InputError(f"ownership: the shares add up to {float(total):.2f}, more than the whole")
    return _Owners(None if unknown and total < Fraction(1, 2) else total, unknown)


def _certifications(value: object) -> frozenset[str] | None:
    """The certifications given; None where nothing is said about them."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return frozenset(ALL_CERTIFICATIONS) if value else frozenset()
    if isinstance(value, str):
        return _spelt_certifications(value)
    if isinstance(value, Mapping):
        held = [key for key, given in value.items() if flag(given, f"certifications, {key}")]
        for key in value:
            _certificate(key)
        return frozenset(part for key in held for part in _certificate(key))
    if isinstance(value, list | tuple | set | frozenset):
        return frozenset(part for entry in value for part in _certificate(entry))
    raise InputError(f"certifications: expected a list, 'all' or 'none', got {str(value)[:60]!r}")


_ALL = frozenset({"all", "complete", "full", "yes", "true", "allmet", "met", "allconditionsmet", "allgiven", "given"})
_NONE = frozenset({"none", "no", "false", "missing", "notmet", "incomplete", "partial", "notgiven", "absent"})


def _spelt_certifications(text: str) -> frozenset[str]:
    """'all', 'none', 'missing us lab test', or several separated by ';', ',' or '|'."""
    key = folded(text)
    if key in _ALL | _NONE:
        return frozenset(ALL_CERTIFICATIONS) if key in _ALL else frozenset()
    pieces = [piece.strip() for piece in text.replace("|", ";").replace(",", ";").split(";") if piece.strip()]
    match = (
        re.match(r"(?:all[ _]but|all[ _]except|missing|without|lacking)[ _:]+(.+)", pieces[0], re.IGNORECASE)
        if pieces
        else None
    )
    if match:
        lacking = {part for piece in (match[1], *pieces[1:]) for part in _certificate(piece)}
        return frozenset(ALL_CERTIFICATIONS) - lacking
    return frozenset(part for piece in pieces for part in _certificate(piece))


def _certificate(text: object) -> tuple[str, ...]:
    if isinstance(text, str) and folded(text) in ("all", "allcertifications", "all8"):
        return ALL_CERTIFICATIONS
    return (word("certifications", text, "certification"),)


@cache
def _roster() -> tuple[frozenset[str], dict[str, str], frozenset[str], frozenset[str]]:
    words = vocabulary()
    approved = frozenset(folded(name) for name in words["approved_designers"])
    seats = {folded(name): place for place, names in words["designer_countries"].items() for name in names}
    osats = frozenset(folded(name) for name in words["approved_osats"])
    return approved, seats, osats, frozenset(folded(name) for name in words["foundries"])


def _foundry(
    shipment: Shipment, stuff: Goods, exporter: str, exporter_type: str | None, book: Book
) -> tuple[str | None, str | None, str | None]:
    """Designer's standing, who packages and where; only asked where a fab or an OSAT exports."""
    if exporter_type not in ("fab", "osat"):
        return None, None, None
    item = shipment.item
    maker = next((circuit.maker for circuit in stuff.circuits if circuit.maker), None)
    seat = next((circuit.maker_country for circuit in stuff.circuits if circuit.maker_country), None)
    status = _designer(item.designer if item.designer is not None else maker, seat, shipment.export_date, book)
    packaged_in = land(item.packaged_in) if item.packaged_in else None
    packaged_by = _packager(item.packaged_by, exporter, exporter_type, packaged_in)
    return status, packaged_by, packaged_in


def _designer(value: object, seat: str | None, on: date, book: Book) -> str | None:
    """approved, authorised (applied or said to be), eligible (by its seat), none; None where nothing is known."""
    if isinstance(value, Mapping):
        allowed = ("name", "hq", "status", "applied", "located_in", "ultimate_parent")
        for key in value:
            if key not in allowed:
                raise UnknownName("designer field", str(key)[:60], allowed, where="item, designer")
        if value.get("status"):
            return word("designers", value["status"], "item, designer")
        barred = [country(value[k], "item, designer") for k in ("located_in", "ultimate_parent") if value.get(k)]
        if any(book.within(land(code), ("D:5", "MO"), on) for code in barred):
            return "none"
        found = _designer(
            value.get("name"), country(value["hq"], "item, designer") if value.get("hq") else seat, on, book
        )
        return "authorised" if found == "eligible" and flag(value.get("applied"), "designer, applied") else found
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
            seat = _seat_of(value, seat)
    return None if seat is None else _by_seat(seat, on, book)


def _seat_of(value: str, seat: str | None) -> str | None:
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
        return seat
    try:
        return country(text, "item, designer")
    except InputError:
        if seat is not None:
            return seat
        known = [*known_words("designers"), *vocabulary()["approved_designers"], *english_names()]
        known += [name for names in vocabulary()["designer_countries"].values() for name in names]
        raise UnknownName("designer (a name, a country or a standing)", value[:60], known) from None


def _by_seat(seat: str, on: date, book: Book) -> str:
    code = land(seat)
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
