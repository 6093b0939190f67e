"""Everything on record under one set of keys: facts, prices, fields of chips, systems and models, ready to be compared.

A record's value stands in the units of the texts (`chipweir.text`): money in its currency, shares as fractions, powers
in W, memory in B. `basis` is what a rate counts over (`per_month`, `per_hour`, `per_1e6_token`).
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from chipweir import facts
from chipweir.errors import InputError
from chipweir.evidence._priced import priced_id
from chipweir.evidence._vocabulary import vocabulary


MONEY = ("USD", "KRW", "CNY", "EUR", "JPY", "HKD", "TWD")
_UNITS: Mapping[str, tuple[str, float, str]] = {
    "": ("ratio", 1, ""),
    "percent": ("fraction", 0.01, ""),
    "percent/year": ("fraction", 0.01, ""),
    "1/year": ("ratio", 1, "per_year"),
    **dict.fromkeys(
        ("chip", "thing", "fab", "stack", "die", "rack", "person", "machine", "H100e", "B300e", "wafer_8inch"),
        ("count", 1.0, ""),
    ),
    "wafer/month": ("count", 1, "per_month"),
    "wafer/year": ("count", 1, "per_year"),
    "wafer_8inch/month": ("count", 1, "per_month"),
    "chip/month": ("count", 1, "per_month"),
    "token": ("count", 1, ""),
    "token/day": ("count", 1, "per_day"),
    "token/month": ("count", 1, "per_month"),
    "token/s": ("count", 1, "per_second"),
    "parameter": ("count", 1, ""),
    "layer": ("count", 1, ""),
    "FLOP": ("FLOP", 1, ""),
    "TFLOP/s": ("FLOP/s", 1e12, ""),
    "PFLOP/s": ("FLOP/s", 1e15, ""),
    "EFLOP/s": ("FLOP/s", 1e18, ""),
    "TOP/s": ("FLOP/s", 1e12, ""),
    "W": ("W", 1, ""),
    "kW": ("W", 1e3, ""),
    "MW": ("W", 1e6, ""),
    "GW": ("W", 1e9, ""),
    "TWh": ("Wh", 1e12, ""),
    "GB": ("B", 1e9, ""),
    "TB": ("B", 1e12, ""),
    "GB/s": ("B/s", 1e9, ""),
    "TB/s": ("B/s", 1e12, ""),
    "day": ("day", 1, ""),
    "month": ("day", 30.44, ""),
    "year": ("day", 365.25, ""),
    "mm**2": ("m2", 1e-6, ""),
    "bit*TOP/s": ("count", 1, ""),
}
_PER = {
    "hour": "per_hour", "chip/hour": "per_hour", "megatoken": "per_1e6_token", "month": "per_month",
    "year": "per_year", "kWh": "per_kWh", "stack": "", "GB": "", "GW": "", "chip": "",
}  # fmt: skip
# Measures whose subject is the thing priced; whose price it is (a place) need not be said.
OF_THE_ITEM = frozenset(
    {"chip_price", "street_price", "rental_price", "dram_price", "hbm_stack_price", "hbm_gb_price", "price_ratio",
     "price_premium", "cost_share", "unit_cost"}
)  # fmt: skip
_TIMELESS = (date.min, date.max)


@dataclass(frozen=True, slots=True)
class Known:
    """One number on record: whose (`entity`), of what (`item`), in which respect (`dims`), from `start` to `end`.

    `value` is the facts' own record; `recalled` marks what was not looked up, `own` what has no publisher at all,
    `timeless` what holds at any time (a datasheet). A record is told of its `subject`: a price (`of_the_item`) of what is
    priced, all else of its entity.
    """

    id: str
    kind: str
    measure: str
    entity: str
    item: str
    dims: Mapping[str, str]
    start: date
    end: date
    low: float
    best: float
    high: float
    unit: str
    basis: str
    nature: str
    value: Any
    words: str = ""
    recalled: bool = False
    own: bool = False

    timeless: bool = field(init=False)
    of_the_item: bool = field(init=False)
    subject: str = field(init=False)

    def __post_init__(self) -> None:
        of_the_item = bool(self.item) and (self.measure in OF_THE_ITEM or self.is_yield_of_a_chip)
        object.__setattr__(self, "timeless", (self.start, self.end) == _TIMELESS)
        object.__setattr__(self, "of_the_item", of_the_item)
        object.__setattr__(self, "subject", self.item if of_the_item else self.entity)

    @property
    def is_yield_of_a_chip(self) -> bool:
        """Whether the record is a chip's yield: then who makes it need not be said."""
        return self.measure == "yield" and not self.item.startswith("node-")

    @property
    def is_money(self) -> bool:
        """Whether the unit is a currency."""
        return self.unit in MONEY

    @property
    def order(self) -> tuple[int, int, int, int]:
        """Sorting key, best source first: own knowledge last, forecasts after observations."""
        return (self.own, self.recalled, self.nature != "observation", "ABCD".index(self.value.confidence))


def read_unit(unit: str) -> tuple[str, float, str] | None:
    """The text's unit, the scale into it and the basis of a unit of the facts; None where texts have none."""
    if unit in _UNITS:
        name, scale, basis = _UNITS[unit]
        return name, float(scale), basis
    currency, _, per = unit.partition("/")
    if currency in MONEY and (not per or per in _PER):
        return currency, 1.0, _PER.get(per, "")
    return None


def _bounds(value: Any, scale: float) -> tuple[float, float, float]:
    """Low, best and high in the text's unit; open ends are infinite."""
    low, best, high = value.low, value.best, value.high
    if value.central is None and low is None:
        low = 0.0 if best >= 0 else -math.inf
    if value.central is None and high is None:
        high = math.inf
    low, high = (best if low is None else low), (best if high is None else high)
    return low * scale, best * scale, high * scale


@dataclass(frozen=True)
class Records:
    """The records of a fact base, by measure."""

    facts: Any
    by_measure: Mapping[str, tuple[Known, ...]] = field(default_factory=dict)
    by_subject: Mapping[str, Mapping[str, tuple[Known, ...]]] = field(default_factory=dict)

    def about(self, measure: str, subjects: Set[str]) -> Iterator[Known]:
        """The records of a measure whose subject is among `subjects`."""
        table = self.by_subject.get(measure, {})
        for subject in sorted(table.keys() & subjects):
            yield from table[subject]

    @cached_property
    def of_subject(self) -> Mapping[str, tuple[Known, ...]]:
        """All records by their subject."""
        table: dict[str, list[Known]] = {}
        for rows in self.by_measure.values():
            for row in rows:
                table.setdefault(row.subject, []).append(row)
        return {name: tuple(rows) for name, rows in table.items()}

    @cached_property
    def of_parts(self) -> Mapping[str, frozenset[str]]:
        """The measures that have records of a part (`part=networking`)."""
        table: dict[str, set[str]] = {}
        for name, rows in self.by_measure.items():
            for row in rows:
                if "part" in row.dims:
                    table.setdefault(f"part={row.dims['part']}", set()).add(name)
        return {part: frozenset(names) for part, names in table.items()}

    def of(self, measures: Iterable[str]) -> Iterator[Known]:
        """The records of some measures."""
        for measure in measures:
            yield from self.by_measure.get(measure, ())


@lru_cache(maxsize=4)
def records(known: "facts.Facts") -> Records:
    """Every number of `known` that a text may claim."""
    table: dict[str, list[Known]] = {}
    for record in (*_facts(known), *_prices(known), *_products(known), *_models(known)):
        if not math.isnan(record.best):
            table.setdefault(record.measure, []).append(record)
    subjects: dict[str, dict[str, list[Known]]] = {}
    for name, rows in table.items():
        for row in rows:
            subjects.setdefault(name, {}).setdefault(row.subject, []).append(row)
    return Records(
        known,
        {name: tuple(rows) for name, rows in table.items()},
        {name: {key: tuple(rows) for key, rows in by.items()} for name, by in subjects.items()},
    )


def _source(known: "facts.Facts", value: Any) -> tuple[bool, bool]:
    """Whether a value was recalled, and whether it has no publisher at all."""
    source = known.sources.get(value.source)
    return bool(source and source.recalled) or value.cls == "own", value.cls == "own"


def _datasheet(known: "facts.Facts", value: Any) -> tuple[bool, bool]:
    """The same of a product's specification: one recalled with some confidence is the maker's own, and marked."""
    recalled, own = _source(known, value)
    return recalled, own and value.confidence not in {"A", "B"}


def _facts(known: "facts.Facts") -> Iterator[Known]:
    for fact in known.facts.values():
        unit = read_unit(fact.value.unit)
        if unit is None or fact.nature == "prior":
            continue
        name, scale, basis = unit
        recalled, own = _source(known, fact.value)
        yield Known(
            fact.id, "fact", fact.measure, fact.entity, fact.item_id, fact.dims, fact.start, fact.end,
            *_bounds(fact.value, scale), name, basis, fact.nature, fact.value, f"{fact.entity_text} {fact.item}",
            recalled, own,
        )  # fmt: skip


_PRICED = {
    "api": "api_price",
    "gpu_rental": "rental_price",
    "chip_price": "chip_price",
    "server_price": "chip_price",
}


def _prices(known: "facts.Facts") -> Iterator[Known]:
    for price in known.prices.values():
        measure, unit = _PRICED.get(price.kind), read_unit(price.value.unit)
        item = priced_id(price, known)
        if measure is None or unit is None or not item:
            continue
        start = _day(price.since, date.min)
        end = _day(price.valid_to, date.max, last=True) if price.valid_to else date.max
        recalled, own = _source(known, price.value)
        api = price.kind == "api"
        dims: dict[str, str] = {"direction": price.metric} if api else {}
        if not _first_party(known, price):
            dims["provider"] = price.provider_id or "reseller"
        if price.kind == "server_price":
            dims["per"] = "server-8"
        yield Known(
            price.id, "price", measure, item if api else "", "" if api else item, dims,
            start, end, *_bounds(price.value, unit[1]), unit[0], unit[2] or ("per_1e6_token" if api else ""),
            "observation", price.value, f"{price.provider} {price.item}", recalled, own,
        )  # fmt: skip


def _first_party(known: "facts.Facts", price: Any) -> bool:
    if not price.item_id:
        return "(" not in price.item
    model = known.models.get(price.item_id)
    owner = known.entities.get(price.provider_id)
    return not price.provider_id or (
        model is not None and (model.maker == price.provider_id or (owner is not None and owner.parent == model.maker))
    )


def _day(text: str, missing: date, last: bool = False) -> date:
    try:
        found = facts.period(text) if text else None
    except InputError:
        found = None
    return missing if found is None else found.end if last else found.start


def _products(known: "facts.Facts") -> Iterator[Known]:
    fields = vocabulary()["specs"]
    for kind, table in (("chip", known.chips), ("system", known.systems)):
        for product in table.values():
            for name in fields:
                for value in product.alternatives(name) or _one(getattr(product, name, None)):
                    unit = read_unit(value.unit)
                    if unit is None:
                        continue
                    recalled, own = _datasheet(known, value)
                    yield Known(
                        f"{product.id}.{name}", kind, f"spec:{name}", product.id, "", {}, *_TIMELESS,
                        *_bounds(value, unit[1]), unit[0], unit[2], "observation", value, "", recalled, own,
                    )  # fmt: skip
    for system in known.systems.values():
        yield _plain(known, system, "system", "spec:n_chips", float(system.n_chips))


def _one(value: Any) -> tuple[Any, ...]:
    return () if value is None or not hasattr(value, "best") else (value,)


def _models(known: "facts.Facts") -> Iterator[Known]:
    for model in known.models.values():
        if model.total_params_b:
            yield _plain(known, model, "model", "parameters", model.total_params_b * 1e9)
        if model.active_params_b:
            yield _plain(known, model, "model", "parameters", model.active_params_b * 1e9, {"scope": "active"})
        if model.context:
            yield _plain(known, model, "model", "context_length", float(model.context))


def _plain(
    known: "facts.Facts", record: Any, kind: str, measure: str, number: float, dims: Mapping[str, str] | None = None
) -> Known:
    """A plain number of a product: it has the product's source."""
    rated: Any = record if kind == "model" else None
    value = facts.Value(
        central=number,
        source=record.source,
        cls=rated.cls if rated is not None else "company",
        confidence=rated.confidence if rated is not None else "B",
    )
    recalled, own = _datasheet(known, value)
    return Known(
        record.id, kind, measure, record.id, "", dims or {}, *_TIMELESS, number, number, number, "count", "",
        "observation", value, "", recalled, own,
    )  # fmt: skip
