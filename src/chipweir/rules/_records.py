"""The records a question is put in and an answer comes in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from fractions import Fraction
from math import isfinite
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.rules._numbers import exact, plain
from chipweir.rules._places import country
from chipweir.rules._words import MODES, REGIMES, day, flag, one_of, word


_NUMBERS = (
    "tpp", "pd", "die_mm2", "io_gbps", "mem_bw_gbps", "tpp_per_ic", "mbd", "node_nm", "transistors_bn",
    "training_ops", "fine_tune_ops", "base_training_ops",
)  # fmt: skip
_FLAGS = (
    "dc",
    "co_packaged_with_processor",
    "has_hbm",
    "more_capable_than_best_open",
    "us_available_2026_01_15",
    "non_planar",
)


@dataclass(frozen=True, slots=True)
class Item:
    """What is shipped: a chip of the catalogue, or numbers, or both (numbers override the catalogue).

    Numbers may be ints, floats or decimal text; they are compared exactly. `tpp` and `pd` are of the whole packaged IC.
    `modes` is a list of {tops, bits} at dense rates. `dies` given as a list of {tpp | modes, die_mm2, planar | node_nm}
    sums the dies of one package; given as a count n, `modes` are those of one die and are summed over n.
    `contains` lists what a server holds (names or items); it is classified by its worst IC. `quantity` is in units.
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
    mbd: Any = None
    co_packaged_with_processor: bool | None = None
    has_hbm: bool | None = None
    node_nm: Any = None
    non_planar: bool | None = None
    transistors_bn: Any = None
    designer: Any = None
    packaged_by: str | None = None
    packaged_in: str | None = None
    quantity: Any = 1
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
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None:
                exact(value, f"item, {name}")
        if self.quantity is None:
            object.__setattr__(self, "quantity", 1)
        exact(self.quantity, "item, quantity")
        for name in _FLAGS:
            object.__setattr__(self, name, flag(getattr(self, name), f"item, {name}"))
        for name, vocabulary in (("spec", "item_kinds"), ("weights", "weights")):
            value = getattr(self, name)
            if isinstance(value, bool):  # YAML 1.1 reads no and yes as booleans
                value = "yes" if value else "no"
            if value is not None:
                object.__setattr__(self, name, word(vocabulary, value, f"item, {name}"))
        for name in ("packaged_in", "maker_country"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, country(value, f"item, {name}"))
        for name in ("chip", "maker", "name", "packaged_by"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise InputError(f"item, {name}: expected text, got {str(value)[:60]!r}")
        for name in ("modes", "contains"):
            value = getattr(self, name)
            if value is not None:
                if isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
                    raise InputError(f"item, {name}: expected a list, got {str(value)[:60]!r}")
                object.__setattr__(self, name, tuple(value))
        if isinstance(self.dies, list):
            object.__setattr__(self, "dies", tuple(self.dies))

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
        known = ITEM_FIELDS
        for key in value:
            if key not in known:
                raise UnknownName("item field", str(key)[:60], known, where=where)
        item = cls(**{str(key): entry for key, entry in value.items()})
        if all(
            getattr(item, name) is None for name in known if name not in ("quantity", "name", "maker", "maker_country")
        ):
            raise InputError(f"{where}: nothing to classify; give a chip, numbers, a spec or contains")
        return item


ITEM_FIELDS = tuple(f.name for f in fields(Item))


@dataclass(frozen=True, slots=True, init=False)
class Shipment:
    """Who sends what to whom, when, and under which reading of the rules.

    Python names follow the JSON fields; `from` is a keyword, so the attribute is `from_` (`Shipment(**fields)` takes
    both). `to`, `from_` and `hq` are countries; `hq` is where the recipient or its ultimate parent is headquartered.
    Raises `InputError` for a missing or unknown field or a word that means nothing.
    """

    item: Any
    to: str
    export_date: Any = None
    from_: str | None = None
    hq: str | None = None
    route: str | None = None
    exporter: str | None = None
    exporter_type: str | None = None
    end_user: str | None = None
    end_user_type: str | None = None
    ownership: Any = None
    certifications: Any = None
    mode: str = "enforced"
    regime: str = "US"
    installed_tpp: Any = None
    year_tpp: Any = None

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
        put(self, "item", Item.of(self.item))
        put(self, "to", country(self.to, "to"))
        put(self, "export_date", date.today() if self.export_date is None else day(self.export_date, "export_date"))
        for name, label in (("from_", "from"), ("hq", "hq")):
            value = getattr(self, name)
            if value is not None:
                put(self, name, country(value, label))
        if self.route is not None:
            put(self, "route", word("routes", self.route, "route"))
        put(self, "mode", one_of("enforced" if self.mode is None else self.mode, MODES, "mode"))
        put(self, "regime", one_of("US" if self.regime is None else self.regime, REGIMES, "regime"))
        if self.end_user_type is not None:
            put(self, "end_user_type", word("end_user_types", self.end_user_type, "end_user_type"))
        for name in ("exporter", "end_user"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise InputError(f"{name}: expected a name, got {str(value)[:60]!r}")
        if self.exporter_type is not None:
            put(self, "exporter_type", word("exporter_types", self.exporter_type, "exporter_type"))
        for name in ("installed_tpp", "year_tpp"):
            value = getattr(self, name)
            if value is not None:
                exact(value, name)

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
            if key in SHIPMENT_FIELDS:
                own[{"from": "from_", "date": "export_date", "on": "export_date"}.get(key, key)] = entry
            elif key in ITEM_FIELDS:
                loose[key] = entry
            elif key not in PASS_FIELDS:
                raise UnknownName("field", str(key)[:60], (*SHIPMENT_FIELDS, *ITEM_FIELDS), where=where)
        if loose:
            held = own.get("item")
            base = {"chip": held} if isinstance(held, str) else dict(held or {})
            own["item"] = {**base, **loose}
        for name in ("item", "to"):
            if own.get(name) in (None, ""):
                raise InputError(f"{where}: the field '{name}' is missing")
        return cls(**own)


SHIPMENT_FIELDS = (
    "item", "export_date", "from", "to", "hq", "route", "exporter", "exporter_type", "end_user", "end_user_type",
    "ownership", "certifications", "mode", "regime", "installed_tpp", "year_tpp", "date", "on",
)  # fmt: skip
PASS_FIELDS = frozenset(
    {
        "id",
        "note",
        "notes",
        "why",
        "comment",
        "expected",
        "expect",
        "tags",
        "label",
        "ref",
        "case",
        "source",
        "line",
        "citation",
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """One test of the trace, in the order it was made.

    `question` is classification, requirement, review, authorisation, import, tariff, flag or note; `outcome` is yes,
    no, unknown, or a word of the answer. `value`, `operator` and `threshold` are the numbers compared.
    """

    question: str
    rule: str
    test: str
    outcome: str
    value: Any = None
    operator: str | None = None
    threshold: Any = None
    sources: tuple[str, ...] = ()
    confidence: str | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; empty fields left out."""
        row: dict[str, Any] = {"question": self.question, "rule": self.rule, "test": self.test, "outcome": self.outcome}
        if self.operator is not None:
            row["value"] = _json(self.value)
            row["operator"] = self.operator
            row["threshold"] = _json(self.threshold)
        if self.sources:
            row["sources"] = list(self.sources)
        if self.confidence:
            row["confidence"] = self.confidence
        if self.note:
            row["note"] = self.note
        return row


def _json(value: Any) -> Any:
    return plain(value) if isinstance(value, Fraction) else value


@dataclass(frozen=True, slots=True)
class Margin:
    """How far one number is from changing the class: `value` against `threshold`, and the class it would lead to."""

    quantity: str
    value: Fraction
    operator: str
    threshold: Fraction
    becomes: str

    @property
    def distance(self) -> Fraction:
        """`value` minus `threshold`, in the quantity's unit."""
        return self.value - self.threshold

    @property
    def upwards(self) -> bool:
        """Whether the value must rise to cross the threshold; standing on it, the operator decides."""
        return self.threshold > self.value or (self.threshold == self.value and self.operator in (">", "<="))

    @property
    def relative(self) -> float:
        """The change needed, as a share of the value."""
        try:
            return float(abs(self.distance) / self.value)
        except (OverflowError, ZeroDivisionError):
            return float("inf")

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "quantity": self.quantity, "value": plain(self.value), "operator": self.operator,
            "threshold": plain(self.threshold), "distance": plain(self.distance),
            "relative": self.relative if isfinite(self.relative) else None, "becomes": self.becomes,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Classification:
    """The control paragraph of an item on a day. `possible` has more than one class when a number is missing."""

    eccn: str
    on: date
    tpp: Fraction | None
    pd: Fraction | None
    possible: frozenset[str]
    way: str = ""
    basis: str = ""
    missing: tuple[str, ...] = ()
    trace: tuple[Step, ...] = ()
    margins: tuple[Margin, ...] = ()
    assumptions: tuple[str, ...] = ()
    name: str = ""
    verified_until: date = date(2026, 10, 9)

    @property
    def margin(self) -> Margin | None:
        """The binding margin: the smallest relative change of one number that changes the class."""
        return self.margins[0] if self.margins else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "item": self.name, "on": self.on.isoformat(), "eccn": self.eccn, "tpp": plain(self.tpp),
            "pd": plain(self.pd),
            "way": self.way, "basis": self.basis, "missing": list(self.missing), "assumptions": list(self.assumptions),
            "margin": margin_dict(self.margins), "trace": [step.to_dict() for step in self.trace],
            "verified_until": self.verified_until.isoformat(), "not_verified": self.on > self.verified_until,
        }  # fmt: skip


def margin_dict(margins: tuple[Margin, ...]) -> dict[str, Any] | None:
    """The binding margin with the others beside it."""
    if not margins:
        return None
    return {**margins[0].to_dict(), "others": [margin.to_dict() for margin in margins[1:]]}


@dataclass(frozen=True, slots=True)
class Found:
    """One licence requirement that was found, how an application would be looked at, and what lifts it."""

    rule: str
    holds: bool | None
    review: str
    review_rule: str = ""
    practice: str = ""
    exceptions: tuple[str, ...] = ()
    lifted: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        holds = "unknown" if self.holds is None else "yes" if self.holds else "no"
        return {"rule": self.rule, "holds": holds, "review": self.review, "exceptions": list(self.exceptions)}


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, its reasons, and how far it can be trusted."""

    eccn: str
    tpp: Fraction | None
    pd: Fraction | None
    licence: str
    review: str
    exception: str
    basis: str
    tariff_25pct: bool | None
    import_stance: str
    outcome: str
    on: date
    to: str
    name: str = ""
    requirements: tuple[Found, ...] = ()
    conditions: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    fee: float = 0.0
    share_cap: float | None = None
    units_per_month: float | None = None
    trace: tuple[Step, ...] = ()
    margins: tuple[Margin, ...] = ()
    verified_until: date = date(2026, 10, 9)
    overlays: tuple[str, ...] = field(default=())

    @property
    def margin(self) -> Margin | None:
        """The binding margin of the classification."""
        return self.margins[0] if self.margins else None

    @property
    def not_verified(self) -> bool:
        """Whether the date lies after what the sources cover."""
        return self.on > self.verified_until

    @property
    def gp10_risk(self) -> bool:
        """Whether dealing in the item risks General Prohibition 10."""
        return "gp10_risk" in self.flags

    def to_dict(self, *, trace: bool = True) -> dict[str, Any]:
        """As JSON holds it."""
        row: dict[str, Any] = {
            "item": self.name, "on": self.on.isoformat(), "to": self.to, "eccn": self.eccn, "tpp": plain(self.tpp),
            "pd": plain(self.pd), "licence": self.licence, "review": self.review, "exception": self.exception,
            "basis": self.basis, "outcome": self.outcome, "tariff_25pct": self.tariff_25pct,
            "import_stance": self.import_stance,
            "gp10_risk": self.gp10_risk, "flags": list(self.flags), "fee": self.fee, "share_cap": self.share_cap,
            "requirements": [found.to_dict() for found in self.requirements], "conditions": list(self.conditions),
            "assumptions": list(self.assumptions), "missing": list(self.missing), "margin": margin_dict(self.margins),
            "verified_until": self.verified_until.isoformat(), "not_verified": self.not_verified,
        }  # fmt: skip
        if self.overlays:
            row["overlays"] = list(self.overlays)
        if trace:
            row["trace"] = [step.to_dict() for step in self.trace]
        return row
