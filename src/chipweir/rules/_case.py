"""A shipment made ready for the rules: names resolved, amounts added up, and every default said.

Nothing that is not stated is read as the favourable fact: a seat that is not known stays open (`seat_open`), and so does
the end use of a chipmaking tool; `_readings` asks the rules what follows either way.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from chipweir.i18n import _, language
from chipweir.rules._asked import PARTY_FIELDS, Shipment
from chipweir.rules._asked import seat as seat_named
from chipweir.rules._book import Book
from chipweir.rules._certificates import certifications
from chipweir.rules._circuits import MEMORY, Circuit, Goods
from chipweir.rules._designers import foundry
from chipweir.rules._numbers import exact
from chipweir.rules._owners import Owners, ownership
from chipweir.rules._parties import Known, incorporation_only, known, sounds_military, tokens
from chipweir.rules._places import is_country_name, land
from chipweir.rules._terms import term
from chipweir.rules._words import folded


_SEATED = {"us_ai_company": "US", "uae_government": "AE", "listed_uae_entity": "AE", "named_entity": "AE",
           "validated_end_user": None}  # fmt: skip
"""End users whose standing presupposes a seat; None: one outside D:5 and Macau, taken to be the destination's."""
BARRED = ("D:5", "MO")
"""Seats that the headquarters rule reaches."""
FAB_USERS = frozenset(("legacy_fab", "advanced_fab", "fab_unknown_node"))
_OPEN_USERS = frozenset(("unspecified", "commercial", "memory_fab", "manufacturer", "government", "distributor"))


@dataclass(slots=True)
class Case:
    """Everything conditions are tested on. `classes` are the classes the item may be of.

    `seats` are the lands where the recipient, its ultimate parent and the other consignees sit, as far as stated or known
    by name; `seat_stated` tells that one is, `seat_open` that what is not stated could matter, `parent_assumed` that the
    parent, not stated, is taken to sit where the recipient does. `users` are the kinds of
    end user stated or known by name, `possible_users` those that a name makes possible. `caveats` are said only beside an
    exception that serves.
    """

    on: date
    mode: str
    regime: str
    goods: Goods
    classes: frozenset[str]
    to: str
    code: str
    seats: frozenset[str]
    seat_stated: bool
    seat_open: bool
    parent_assumed: bool
    facility_open: bool
    origin: str
    origin_stated: bool
    route: str
    via: tuple[str, ...]
    exporter: str
    exporter_assumed: bool
    exporter_type: str | None
    names: tuple[str, ...]
    raw_names: tuple[tuple[str, ...], ...]
    named: bool
    user: str
    users: frozenset[str]
    possible_users: frozenset[str]
    certifications: frozenset[str] | None
    numbers: dict[str, Any]
    owners: Owners
    designer_status: str | None
    packaged_by: str | None
    packaged_in: str | None
    assumptions: list[str]
    caveats: list[str]
    language: str
    period: int

    @property
    def kind(self) -> str:
        """The kind of the goods."""
        return self.goods.kind

    @property
    def circuits(self) -> tuple[Circuit, ...]:
        """The circuits of the goods."""
        return self.goods.circuits


def prepare(shipment: Shipment, stuff: Goods, classes: frozenset[str], book: Book) -> Case:
    """The case of a shipment whose goods are resolved. Raises `InputError` for words that mean nothing here."""
    said: list[str] = list(stuff.assumptions)
    origin = _origin(shipment, said)
    to, origin_land = land(shipment.to), land(origin)
    goes_to = destination(shipment.to, shipment.regime)
    owners = ownership(shipment.ownership)
    named, above = _firms(shipment, owners)
    firms = [*named, *above]
    exporter, exporter_type = _exporter(shipment, stuff, said)
    seats, seat_stated, seat_open = _seats(shipment, stuff, owners, firms, to, book, said)
    user = shipment.end_user_type or "unspecified"
    users, possible = _users(user, named, above, shipment)
    status, packaged_by, packaged_in = foundry(shipment, stuff, exporter, exporter_type, book)
    case = Case(
        on=shipment.export_date, mode=shipment.mode, regime=shipment.regime, goods=stuff, classes=classes, to=goes_to,
        code=shipment.to, seats=seats, seat_stated=seat_stated, seat_open=seat_open,
        parent_assumed=not seat_open and to != "US" and shipment.ultimate_parent is None and not (owners.seats or firms)
        and not any(book.within(seat, BARRED, shipment.export_date) for seat in seats),
        facility_open=stuff.kind == "fab_tool" and not users & FAB_USERS and user in _OPEN_USERS,
        origin=origin_land, origin_stated=shipment.from_ is not None, route=_route(shipment.route, origin_land, to, said),
        via=tuple(land(code) for code in shipment.via), exporter=exporter,
        exporter_assumed=exporter != "" and not shipment.exporter, exporter_type=exporter_type,
        names=tuple(name for firm in firms for name in firm.names),
        raw_names=tuple(tokens(name) for name in _parties(shipment)),
        named=bool(shipment.end_user), user=user, users=users, possible_users=possible,
        certifications=certifications(shipment.certifications),
        numbers=_amounts(shipment, stuff, owners, possible), owners=owners,
        designer_status=status, packaged_by=packaged_by, packaged_in=packaged_in, assumptions=said, caveats=[],
        language=language(), period=book.period(shipment.export_date),
    )  # fmt: skip
    _say_parties(case, shipment, book)
    return case


# --- places and routes


def destination(code: str, regime: str) -> str:
    """The place as a law sees it: to the US Hong Kong is China; to China it lies outside its customs territory."""
    return code if regime == "CN" else land(code)


def _origin(shipment: Shipment, said: list[str]) -> str:
    """The country of dispatch; not stated, that of the law asked, or within one country the destination."""
    if shipment.from_ is not None:
        return shipment.from_
    origin = land(shipment.to) if shipment.route == "transfer" else shipment.regime
    said.append(_("country of dispatch not stated: {origin} taken", origin=origin))
    return origin


def _route(route: str | None, origin: str, to: str, said: list[str]) -> str:
    """The route as the rules see it. Only what leaves the US is an export; within one country it is a transfer."""
    if route is None:
        found = "export" if origin == "US" else "transfer" if origin == to else "reexport"
        said.append(
            _("route not stated: {route} taken from {origin} to {to}", route=term("route", found), origin=origin, to=to)
        )
        return found
    if route == "export" and origin != "US":
        said.append(_("called an export but sent from {origin}: treated as an export from abroad", origin=origin))
        return "export_from_abroad"
    return route


# --- parties


def _parties(shipment: Shipment) -> list[str]:
    """The names of all parties but the exporter."""
    return [name for field in PARTY_FIELDS[1:] if (name := getattr(shipment, field))]


def _firms(shipment: Shipment, owners: Owners) -> tuple[list[Known], list[Known]]:
    """The known firms among the parties, and among the parents: what a parent is, its subsidiary may be."""
    stated = shipment.ultimate_parent
    parents = [*owners.names, *([stated] if stated and not is_country_name(stated) else [])]
    above = [Known(firm.party, itself=False) for name in parents if (firm := known(name)) is not None]
    return [firm for name in _parties(shipment) if (firm := known(name)) is not None], above


def _seats(
    shipment: Shipment, stuff: Goods, owners: Owners, firms: list[Known], to: str, book: Book, said: list[str]
) -> tuple[frozenset[str], bool, bool]:
    """Where the recipient and its ultimate parent sit; whether that is stated; whether what is not stated is open.

    Seat and ultimate parent are two prongs: every one that is stated counts. Not stated, a recipient in D:5 or Macau is
    taken to sit there, one in group A:1 (but not a buyer of memory) at its place; anywhere else the seat is open.
    """
    stated = {land(shipment.hq)} if shipment.hq is not None else set()
    if shipment.ultimate_parent is not None and "ultimate_parent" not in shipment.unknown:
        stated.add(land(seat_named(shipment.ultimate_parent, "ultimate_parent")))
    stated |= {land(code) for code in owners.seats}
    for firm in firms:
        seat = land(firm.party.seat)
        if seat not in stated:
            said.append(_("{name}: headquarters in {seat}, known by name", name=firm.party.name, seat=seat))
        stated.add(seat)
    if shipment.hq is None and shipment.end_user_type in _SEATED:
        stated.add(_SEATED[shipment.end_user_type] or to)
    doubt = _doubt(shipment, owners, stated)
    if stated:
        if (
            doubt
            and to != "US"
            and not any(book.within(place, BARRED, shipment.export_date) for place in (to, *stated))
        ):
            said.append(doubt)
            return frozenset(stated), False, True
        if shipment.ultimate_parent is None and not owners.seats and not firms:
            said.append(_("seat of the ultimate parent not stated: taken to be that of the headquarters"))
        return frozenset(stated), True, False
    barred = book.within(to, BARRED, shipment.export_date)
    memory = stuff.kind in MEMORY
    if barred or to == "US" or (book.within(to, ("A:1",), shipment.export_date) and not memory and not doubt):
        said.append(_("headquarters and ultimate parent of the recipient not stated: taken to sit in {to}", to=to))
        return frozenset({to}), False, False
    said.append(_("headquarters and ultimate parent of the recipient not stated: the answer is given for either case"))
    return frozenset({to}), False, True


def _doubt(shipment: Shipment, owners: Owners, stated: set[str]) -> str:
    """Why the seats that are stated leave open where the recipient or its ultimate parent sits; empty where they do not."""
    if "hq" in shipment.unknown and not stated:
        return _("headquarters of the recipient said to be unknown: the answer is given for either case")
    if owners.parent_unknown or "ultimate_parent" in shipment.unknown:
        return _("ultimate parent of the recipient not known: the answer is given for either case")
    if stated and stated <= incorporation_only():
        return _("{places}: firms are incorporated there that sit elsewhere; the answer is given for either case",
                 places=", ".join(sorted(stated)))  # fmt: skip
    return ""


def _users(
    user: str, named: list[Known], above: list[Known], shipment: Shipment
) -> tuple[frozenset[str], frozenset[str]]:
    """The kinds of end user that are certain, and those that a name makes possible: an affiliate's, a military one."""
    certain: set[str] = {user, *(kind for firm in named for kind in firm.party.kinds)}
    possible: set[str] = {kind for firm in above for kind in firm.party.kinds}
    if user == "unspecified" and any(map(sounds_military, _parties(shipment))):
        possible.add("military")
    for firm in [*named, *above]:
        if firm.party.listed is not None and firm.party.listed <= shipment.export_date:
            (certain if firm.itself else possible).add("entity_list")
    return frozenset(certain), frozenset(possible - certain)


def _say_parties(case: Case, shipment: Shipment, book: Book) -> None:
    """What the answer rests on as far as parties go."""
    said = case.assumptions
    if not shipment.end_user and shipment.end_user_type is None:
        said.append(_("end user not stated: taken to be on no list and to have no military or other barred end use"))
    elif shipment.end_user and not case.names and shipment.end_user_type is None:
        said.append(_("{name}: not screened; taken to be on no list and to have no barred end use",
                      name=shipment.end_user[:60]))  # fmt: skip
    if not case.owners.stated and _affiliates_count(case, book):
        said.append(_("owners of the recipient not stated: taken to be owned to less than one half by listed parties"))


def _affiliates_count(case: Case, book: Book) -> bool:
    """Whether some requirement of the day asks for the share of listed owners."""
    key = ("asks for owners", case.on, case.mode, case.regime)
    found: bool | None = book.remembered(key)
    if found is None:
        active = book.active(case.on, case.mode, case.regime)
        found = any(test.name == "listed_ownership" for entry, _state in active for test in entry.condition.tests)
        book.remember(key, found)
    return found


# --- exporter and amounts


def _amounts(shipment: Shipment, stuff: Goods, owners: Owners, possible: frozenset[str]) -> dict[str, Any]:
    total = _total_tpp(stuff)
    listed = owners.listed
    if not owners.stated and "entity_list" in possible:
        listed = None  # a name that begins with a listed firm's: its owners are the question
    return {
        "shipment_tpp": total,
        "year_tpp": None if total is None else total + exact(shipment.year_tpp or 0, "year_tpp"),
        "country_tpp": None if total is None else total + exact(shipment.installed_tpp or 0, "installed_tpp"),
        "listed_ownership": listed,
        "quantity": stuff.quantity,
    }


def _total_tpp(stuff: Goods) -> Fraction | None:
    total = Fraction(0)
    for circuit in stuff.circuits:
        if circuit.numbers.get("tpp") is None:
            return None
        total += circuit.numbers["tpp"] * circuit.count
    return total * stuff.quantity


_NO_MAKERS = ("fab", "osat", "distributor", "integrator", "cloud_provider", "individual", "other")


def _exporter(shipment: Shipment, stuff: Goods, said: list[str]) -> tuple[str, str | None]:
    """The exporter's folded name and type. Where nobody is named, the maker of the chip is taken."""
    kind = shipment.exporter_type
    if shipment.exporter:
        return _firm(shipment.exporter), kind
    maker = next((circuit.maker for circuit in stuff.circuits if circuit.maker), None)
    if maker is None or kind in _NO_MAKERS:
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
