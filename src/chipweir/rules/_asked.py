"""What a question is put in: the item and the shipment, in the words people use for their fields."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _
from chipweir.rules._numbers import exact
from chipweir.rules._parties import seat_of
from chipweir.rules._places import country, is_country_name, is_nearly_country
from chipweir.rules._words import MODES, REGIMES, activity, day, flag, is_unknown, is_word, one_of, word


_NUMBERS = (
    "tpp", "pd", "die_mm2", "io_gbps", "mem_bw_gbps", "tpp_per_ic", "mbd", "node_nm", "transistors_bn",
    "training_ops", "fine_tune_ops", "base_training_ops",
)  # fmt: skip
_FLAGS = (
    "dc", "co_packaged_with_processor", "has_hbm", "more_capable_than_best_open", "us_available_2026_01_15", "non_planar",
)  # fmt: skip
ITEM_WORDS = {
    "mm2": "die_mm2", "area_mm2": "die_mm2", "die_area_mm2": "die_mm2", "die_area": "die_mm2",
    "memory_bandwidth_gbps": "mem_bw_gbps", "dram_bandwidth_gbps": "mem_bw_gbps", "mem_bw": "mem_bw_gbps",
    "bandwidth_gbps": "mem_bw_gbps", "interconnect_gbps": "io_gbps", "io": "io_gbps",
    "data_center": "dc", "data_centre": "dc", "datacenter": "dc", "qty": "quantity", "units": "quantity",
    "count": "quantity", "material": "spec", "kind": "spec", "product": "chip", "model": "chip",
    "node": "node_nm", "process_nm": "node_nm", "memory_bandwidth_density": "mbd", "performance_density": "pd",
    "transistors_billion": "transistors_bn", "manufacturer": "maker", "hbm": "has_hbm",
    "gpu": "chip", "part": "chip", "part_number": "chip", "chip_name": "chip", "product_name": "chip",
    "memory_bandwidth": "mem_bw_gbps", "dram_bandwidth": "mem_bw_gbps", "interconnect": "io_gbps",
    "interconnect_bandwidth_gbps": "io_gbps", "io_bandwidth_gbps": "io_gbps", "control_number": "eccn", "is_dc": "dc",
    "칩": "chip", "품목": "chip", "품명": "chip", "수량": "quantity", "통제번호": "eccn", "제조사": "maker",
}  # fmt: skip
"""Field names people use, and the fields they stand for."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is shipped: a chip of the catalogue, or numbers, or both (numbers override the catalogue).

    Numbers may be ints, floats or decimal text; they are compared exactly. `tpp` and `pd` are of the whole packaged IC.
    `modes` is a list of {tops, bits} at dense rates. `dies` given as a list of {tpp | modes, die_mm2, planar | node_nm}
    sums the dies of one package; given as a count n, `modes` are those of one die and are summed over n.
    `contains` lists what a server holds (names or items); it is classified by its worst IC. `eccn` is the exporter's own
    classification, used where no numbers are given and for tools. `quantity` is in units.
    """

    chip: str | None = None
    tpp: Any = None
    pd: Any = None
    die_mm2: Any = None
    dc: bool | None = None
    io_gbps: Any = None
    mem_bw_gbps: Any = None
    modes: tuple[Mapping[str, Any], ...] | None = None
    dies: Any = None
    tpp_per_ic: Any = None
    contains: tuple[Any, ...] | None = None
    spec: str | None = None
    eccn: str | None = None
    mbd: Any = None
    co_packaged_with_processor: bool | None = None
    has_hbm: bool | None = None
    node_nm: Any = None
    non_planar: bool | None = None
    transistors_bn: Any = None
    designer: Any = None
    packaged_by: str | None = None
    packaged_in: str | None = None
    quantity: Any = None
    training_ops: Any = None
    fine_tune_ops: Any = None
    base_training_ops: Any = None
    weights: str | None = None
    more_capable_than_best_open: bool | None = None
    us_available_2026_01_15: bool | None = None
    maker: str | None = None
    maker_country: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        if isinstance(self.node_nm, str):
            node, non_planar = process(self.node_nm, "item, node_nm")
            put(self, "node_nm", node)
            put(self, "non_planar", non_planar if self.non_planar is None else self.non_planar)
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None:
                exact(value, f"item, {name}")
        if self.quantity is not None and exact(self.quantity, "item, quantity") == 0:
            raise InputError("item, quantity: expected more than 0")
        for name in _FLAGS:
            put(self, name, flag(getattr(self, name), f"item, {name}"))
        for name, vocabulary in (("spec", "item_kinds"), ("weights", "weights")):
            value = getattr(self, name)
            if isinstance(value, bool):  # YAML 1.1 reads no and yes as booleans
                value = "yes" if value else "no"
            if value is not None:
                put(self, name, word(vocabulary, value, f"item, {name}"))
        for name in ("packaged_in", "maker_country"):
            value = getattr(self, name)
            if value is not None:
                put(self, name, country(value, f"item, {name}"))
        for name in ("chip", "maker", "name", "packaged_by", "eccn"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise InputError(f"item, {name}: expected text, got {str(value)[:60]!r}")
        if self.eccn is not None:
            put(self, "eccn", control_number(self.eccn))
        for name in ("modes", "contains"):
            value = getattr(self, name)
            if value is not None:
                if isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
                    raise InputError(f"item, {name}: expected a list, got {str(value)[:60]!r}")
                put(self, name, tuple(value))
        if isinstance(self.dies, list):
            put(self, "dies", tuple(self.dies))

    @classmethod
    def of(cls, value: "Item | str | Mapping[str, Any]", where: str = "item") -> "Item":
        """An item from a chip's name, or from a mapping with the field names above. Raises `InputError`."""
        if isinstance(value, Item):
            return value
        if isinstance(value, str):
            if not value.strip():
                raise InputError(f"{where}: the name of the chip is empty")
            return cls(chip=value)
        if not isinstance(value, Mapping):
            raise InputError(f"{where}: expected a chip's name or a mapping, got {str(value)[:60]!r}")
        given = _renamed(value, ITEM_FIELDS, ITEM_WORDS, "item field", where)
        item = cls(**given)
        if all(getattr(item, name) is None for name in ITEM_FIELDS if name not in _LABELS):
            raise InputError(f"{where}: nothing to classify; give a chip, numbers, a spec or contains")
        return item


ITEM_FIELDS = tuple(f.name for f in fields(Item))
_LABELS = frozenset(("quantity", "name", "maker", "maker_country"))


def control_number(text: str) -> str:
    """An ECCN as the list writes it ('3b001.A.4' is 3B001.a.4); EAR99 stands for itself. Raises `InputError`."""
    name = text.strip().removeprefix("ECCN").strip().replace(" ", "")
    if name.upper() == "EAR99":
        return "EAR99"
    number, point, rest = name.partition(".")
    if len(number) != 5 or not (number[0].isdigit() and number[1].isalpha() and number[2:].isdigit()):
        raise InputError(f"item, eccn: {text[:40]!r} is no control number; write it as 3A090.a, 3B001.a.4 or EAR99")
    return number.upper() + (point + rest.lower() if rest else "")


def process(text: str, name: str) -> tuple[Any, bool | None]:
    """A node written in words: nm where a number stands in it, and whether the transistors are non-planar."""
    key = text.strip().casefold().replace("-", "").replace(" ", "")
    if key in ("finfet", "gaa", "gaafet", "nanosheet", "nonplanar"):
        return None, True
    if key in ("planar", "bulk", "bulkplanar", "planarcmos"):
        return None, False
    return exact(key.removesuffix("nm").removesuffix("nanometer").removeprefix("n"), name), None


def field_name(key: object, known: Iterable[str], words: Mapping[str, str]) -> str:
    """The field that a name stands for, whatever its case, blanks and hyphens; empty where it stands for none."""
    if not isinstance(key, str):
        return ""
    if key in known:
        return key
    plain = plain_name(key)
    return plain if plain in known else words.get(plain, "")


def plain_name(name: str) -> str:
    """A field's name in small letters, with underscores between words."""
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _renamed(
    value: Mapping[str, Any], known: Iterable[str], words: Mapping[str, str], kind: str, where: str
) -> dict[str, Any]:
    """The fields of a mapping under their own names. A second name beside the first is an error."""
    found: dict[str, Any] = {}
    allowed = frozenset(known)
    for key, entry in value.items():
        name = field_name(key, allowed, words)
        if not name or name in found or (name != key and name in value):
            raise UnknownName(kind, str(key)[:60], allowed, where=where)
        found[name] = entry
    return found


@dataclass(frozen=True, slots=True, init=False)
class Shipment:
    """Who sends what to whom, when, and under which reading of the rules.

    Python names follow the JSON fields; `from` is a keyword, so the attribute is `from_` (`Shipment(**fields)` takes
    both). `to`, `from_`, `via`, `hq` and `ultimate_parent` are countries: `hq` is where the recipient is headquartered,
    `ultimate_parent` where the parent on top of it is (or the name of a firm whose seat is known). A field that is said to
    be unknown is left out and its name kept in `unknown`: it is not taken for granted. Raises `InputError` for a missing or
    unknown field or a word that means nothing.
    """

    item: Any
    to: str
    export_date: Any = None
    from_: str | None = None
    hq: str | None = None
    ultimate_parent: str | None = None
    route: str | None = None
    activity: str | None = None
    via: Any = None
    exporter: str | None = None
    exporter_type: str | None = None
    end_user: str | None = None
    end_user_type: str | None = None
    purchaser: str | None = None
    consignee: str | None = None
    intermediate_consignee: str | None = None
    ownership: Any = None
    certifications: Any = None
    mode: str = "enforced"
    regime: str = "US"
    installed_tpp: Any = None
    year_tpp: Any = None
    unknown: frozenset[str] = frozenset()

    def __init__(self, item: Any = None, to: Any = None, export_date: Any = None, **others: Any) -> None:
        put = object.__setattr__
        others = {"from_" if name == "from" else name: value for name, value in others.items()}
        given = {"item": item, "to": to, "export_date": export_date, **others}
        for name in given:
            if name not in self.__dataclass_fields__:
                raise UnknownName("field", name[:60], SHIPMENT_FIELDS, where="shipment")
        for name in ("item", "to"):
            if given[name] is None or given[name] == "":
                raise InputError(f"shipment: the field '{name}' is missing")
        for name, entry in self.__dataclass_fields__.items():
            put(self, name, given.get(name, entry.default))
        self._check()

    def _check(self) -> None:
        """Read every field as what it stands for."""
        put = object.__setattr__
        left = [name for name in ("from_", "hq", "ultimate_parent", *PARTY_FIELDS) if is_unknown(getattr(self, name))]
        for name in left:
            put(self, name, None)
        put(self, "unknown", frozenset((*left, *(name for name in self.unknown if getattr(self, name) is None))))
        put(self, "item", Item.of(self.item))
        put(self, "to", country(self.to, "to"))
        put(self, "export_date", date.today() if self.export_date is None else day(self.export_date, "export_date"))
        for name, label in (("from_", "from"), ("hq", "hq")):
            value = getattr(self, name)
            if value is not None:
                put(self, name, country(value, label))
        if self.ultimate_parent is not None:
            code = parent_seat(self.ultimate_parent, "ultimate_parent")
            if code is None:
                put(self, "unknown", self.unknown | {"ultimate_parent"})
            elif is_country_name(self.ultimate_parent):
                put(self, "ultimate_parent", code)  # else the firm's name stays: it may be listed
        put(self, "via", _countries(self.via))
        self._check_route()
        put(self, "mode", one_of("enforced" if self.mode is None else self.mode, MODES, "mode"))
        put(self, "regime", one_of("US" if self.regime is None else self.regime, REGIMES, "regime"))
        if self.end_user_type is not None:
            put(self, "end_user_type", word("end_user_types", self.end_user_type, "end_user_type"))
        for name in PARTY_FIELDS:
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise InputError(f"{name}: expected a name, got {str(value)[:60]!r}")
        if self.exporter_type is not None:
            put(self, "exporter_type", word("exporter_types", self.exporter_type, "exporter_type"))
        for name in ("installed_tpp", "year_tpp"):
            value = getattr(self, name)
            if value is not None:
                exact(value, name)

    def _check_route(self) -> None:
        """The route; what is no shipment at all (cloud access, deemed exports...) is an activity, wherever it stands."""
        put = object.__setattr__
        if self.activity is not None:
            put(self, "activity", activity(self.activity, "activity"))
        if self.route is None:
            return
        if isinstance(self.route, str) and not is_word("routes", self.route) and activity(self.route) is not None:
            put(self, "activity", activity(self.route))
            put(self, "route", None)
        else:
            put(self, "route", word("routes", self.route, "route"))

    @classmethod
    def of(cls, value: Mapping[str, Any], where: str = "shipment") -> "Shipment":
        """A shipment from a mapping with the JSON field names. Item fields may stand beside the others.

        Raises `InputError` for a missing or unknown field; fields meant for people (`id`, `note` and so on) pass.
        """
        if not isinstance(value, Mapping):
            raise InputError(f"{where}: expected a mapping of fields, got {str(value)[:60]!r}")
        own: dict[str, Any] = {}
        loose: dict[str, Any] = {}
        for key, entry in value.items():
            name = field_name(key, SHIPMENT_FIELDS, SHIPMENT_WORDS)
            if name and name not in own and (name == key or name not in value):
                own[name] = entry
            elif field_name(key, ITEM_FIELDS, ITEM_WORDS):
                loose[key] = entry
            elif field_name(key, PASS_FIELDS, {}) == "":
                raise UnknownName("field", str(key)[:60], (*SHIPMENT_FIELDS, *ITEM_FIELDS), where=where)
        if loose:
            held = own.get("item")
            base = {"chip": held} if isinstance(held, str) else dict(held or {})
            own["item"] = {**base, **loose}
        for name in ("item", "to"):
            if own.get(name) in (None, ""):
                raise InputError(f"{where}: the field '{name}' is missing")
        return cls(**own)


PARTY_FIELDS = ("exporter", "end_user", "purchaser", "consignee", "intermediate_consignee")
SHIPMENT_FIELDS = (
    "item", "export_date", "from", "to", "hq", "ultimate_parent", "route", "activity", "via", "exporter", "exporter_type",
    "end_user", "end_user_type", "purchaser", "consignee", "intermediate_consignee", "ownership", "certifications", "mode",
    "regime", "installed_tpp", "year_tpp",
)  # fmt: skip
SHIPMENT_WORDS = {
    "date": "export_date", "on": "export_date", "ship_date": "export_date", "shipment_date": "export_date",
    "origin": "from", "from_country": "from", "ship_from": "from", "destination": "to", "to_country": "to",
    "ship_to": "to", "headquarters": "hq", "seat": "hq", "hq_country": "hq", "parent": "ultimate_parent",
    "parent_hq": "ultimate_parent", "ultimate_parent_hq": "ultimate_parent", "seller": "exporter", "shipper": "exporter",
    "buyer": "purchaser", "customer": "purchaser", "user": "end_user", "end_use": "end_user_type", "transit": "via",
    "transit_countries": "via", "owners": "ownership", "share": "ownership", "listed_share": "ownership",
    "ownership_share": "ownership", "destination_country": "to", "country_of_destination": "to", "country": "to",
    "origin_country": "from", "country_of_dispatch": "from", "export_from": "from", "recipient_hq": "hq",
    "headquarters_country": "hq", "parent_country": "ultimate_parent", "ultimate_parent_country": "ultimate_parent",
    "end_user_name": "end_user", "end_user_kind": "end_user_type", "ultimate_consignee": "consignee",
    "export_day": "export_date",
    "목적지": "to", "도착지": "to", "선적국": "from", "출발지": "from", "수출일": "export_date", "선적일": "export_date",
    "경유지": "via", "본사": "hq", "본사_소재지": "hq", "최종_모회사": "ultimate_parent", "최종모회사": "ultimate_parent",
    "수출자": "exporter", "구매자": "purchaser", "수하인": "consignee", "최종사용자": "end_user", "최종_사용자": "end_user",
    "최종용도": "end_user_type", "지분": "ownership",
}  # fmt: skip
PASS_FIELDS = frozenset(
    ("id", "note", "notes", "why", "comment", "expected", "expect", "tags", "label", "ref", "case", "source", "line",
     "citation")
)  # fmt: skip


def parent_seat(value: object, name: str) -> str | None:
    """The country where a parent sits, given as a country or as a firm; None for a firm whose seat is not known here.

    Raises `InputError` for what is nearly a country's name.
    """
    if not isinstance(value, str) or is_country_name(value):
        return country(value, name)
    found = seat_of(value)
    if found is None and is_nearly_country(value):
        country(value, name)  # raises, and names the nearest
    return found


def seat(value: object, name: str) -> str:
    """The country where someone sits, given as a country or as a known firm. Raises `InputError`."""
    found = parent_seat(value, name)
    if found is None:
        raise InputError(
            _("{name}: '{given}' is neither a country nor a firm whose seat is known here; give the country of its seat",
              name=name, given=str(value)[:60])
        )  # fmt: skip
    return found


def _countries(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    parts = value.replace("|", ";").split(";") if isinstance(value, str) else value
    if isinstance(parts, Mapping) or not hasattr(parts, "__iter__"):
        raise InputError(f"via: expected countries, got {str(value)[:60]!r}")
    return tuple(country(part, "via") for part in parts if part != "")
