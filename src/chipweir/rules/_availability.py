"""The rules as arrays: for every month, product and destination the state of the licensed channel."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.rules._book import Book, Condition, with_overlays
from chipweir.rules._chips import ControlledChip, find, from_facts
from chipweir.rules._circuits import Goods, goods
from chipweir.rules._classify import classify_goods
from chipweir.rules._decide import REVIEW_STRICTNESS, decide_goods
from chipweir.rules._places import country, land
from chipweir.rules._records import Decision, Item, Shipment


FREE, EXCEPTION, APPROVAL, CASE_BY_CASE, DENIAL, UNKNOWN = range(6)
STATUS_NAMES = ("free", "exception or notification", "presumption of approval", "case by case", "denial", "unknown")
STANCE_NAMES = ("open", "discouraged", "conditional", "blocked", "unknown")
_BY_REVIEW = {
    "presumption_of_approval": APPROVAL, "case_by_case": CASE_BY_CASE, "presumption_of_denial": DENIAL,
    "policy_of_denial": DENIAL, "unspecified": UNKNOWN,
}  # fmt: skip
MID_MONTH = 15


@dataclass(frozen=True)
class Availability:
    """Arrays of shape [month, product, destination].

    `status`: 0 free, 1 exception or notification, 2 presumption of approval, 3 case by case, 4 denial, 5 unknown.
    `stance` of the importing government: 0 open, 1 discouraged, 2 conditional, 3 blocked, 4 unknown.
    `quota`: units a month, inf where none. `fee`: share of the price. `share_cap`: largest ratio of shipments to those
    for use in the US, inf where none. Each month is judged on its 15th day.
    """

    products: tuple[str, ...]
    destinations: tuple[str, ...]
    months: npt.NDArray[np.datetime64]
    status: npt.NDArray[np.int8]
    stance: npt.NDArray[np.int8]
    quota: npt.NDArray[np.float64]
    fee: npt.NDArray[np.float64]
    share_cap: npt.NDArray[np.float64]


def availability(
    products: Sequence[Any],
    destinations: Sequence[str],
    months: Iterable[Any],
    overlays: Iterable[Path | str | Mapping[str, Any] | Book] = (),
) -> Availability:
    """The enforced US rules for products sold by their makers to recipients headquartered at the destination.

    `products` are `Chip` records of the facts, names or items; `destinations` ISO codes; `months` 'YYYY-MM', dates or
    datetime64. The exporter is the chip's maker, so letters bind; certifications are taken as given. A sale in the
    maker's own country is free, and so are chips of Chinese makers, whom US licences do not stop. Raises `InputError`.
    """
    book = with_overlays(overlays)
    chips = [_product(product) for product in products]
    codes = [country(code, "destination") for code in destinations]
    stamps = np.array([_month(month) for month in months], dtype="datetime64[M]")
    days = [date(int(str(m)[:4]), int(str(m)[5:7]), MID_MONTH) for m in stamps]
    shape = (len(days), len(chips), len(codes))
    arrays: dict[str, npt.NDArray[Any]] = {
        "status": np.zeros(shape, np.int8), "stance": np.zeros(shape, np.int8), "quota": np.full(shape, np.inf),
        "fee": np.zeros(shape), "share_cap": np.full(shape, np.inf),
    }  # fmt: skip
    breaks = book.days_of_change()
    named = _named_places(book)
    held: dict[tuple[int, int, Any], tuple[float, ...]] = {}
    for m, day in enumerate(days):
        period = bisect_right(breaks, day)
        signatures = [_signature(code, day, book, named) for code in codes]
        for p, (chip, stuff) in enumerate(chips):
            for d, code in enumerate(codes):
                if chip.maker_country in (code, "CN"):
                    continue
                key = (period, p, signatures[d])
                cell = held.get(key)
                if cell is None:
                    cell = held[key] = _cell(chip, stuff, code, day, book)
                for name, value in zip(arrays, cell, strict=True):
                    arrays[name][m, p, d] = value
    return Availability(tuple(chip.id for chip, _ in chips), tuple(codes), stamps, **arrays)


def _product(product: Any) -> tuple[ControlledChip, Goods]:
    if isinstance(product, str):
        chip = find(product)
    elif hasattr(product, "maker_country") and hasattr(product, "id"):
        chip = product if isinstance(product, ControlledChip) else from_facts(product)
    else:
        raise InputError(f"products: expected chips of the facts or their names, got {str(product)[:60]!r}")
    numbers = {name: getattr(chip, name) for name in ("tpp", "die_mm2", "io_gbps", "mem_bw_gbps", "dc")}
    known = chip.id if _catalogued(chip) else None
    return chip, goods(
        Item(chip=known, name=chip.id, maker=chip.maker, maker_country=_code(chip.maker_country), **numbers,
             us_available_2026_01_15=chip.us_available == "yes")
    )  # fmt: skip


def _catalogued(chip: ControlledChip) -> bool:
    from chipweir.rules._chips import catalogue

    return chip.id in catalogue()


def _code(text: str) -> str | None:
    return country(text, "maker_country") if text else None


def _month(value: Any) -> np.datetime64:
    if isinstance(value, datetime | date):
        return np.datetime64(f"{value.year:04d}-{value.month:02d}", "M")
    try:
        stamp = np.datetime64(str(value)[:7], "M")
    except ValueError:
        raise InputError(f"months: {value!r} is not a month; write it as 2026-01") from None
    if np.isnat(stamp):
        raise InputError(f"months: {value!r} is not a month; write it as 2026-01")
    return stamp


def _named_places(book: Book) -> frozenset[str]:
    """Countries that some rule names one by one; all others are told apart by their groups only."""
    found: set[str] = {"US", "CN", "HK", "MO", *(stance.to for stance in book.stances)}
    conditions: list[Condition] = list(book.conditions.values())
    for requirement in book.requirements:
        conditions += [requirement.condition, *(line.when for line in requirement.review)]
    for authorisation in book.authorisations:
        conditions += authorisation.conditions
    for entry in (*book.flags, *book.charges, *book.caps, *book.presumptions):
        conditions.append(entry.condition)
    conditions += [line.when for lines in book.reviews.values() for line in lines]
    for condition in conditions:
        for field in fields(Condition):
            if field.name in ("to", "not_to", "hq", "not_hq", "hq_stated", "hq_if_stated", "to_or_hq", "shipped_from"):
                found.update(name for name in getattr(condition, field.name) if name not in book.groups)
    return frozenset(found)


def _signature(code: str, day: date, book: Book, named: frozenset[str]) -> Any:
    place = land(code)
    return (code if code in named or place in named else "", tuple(book.groups_of(place, day)))


def _cell(chip: ControlledChip, stuff: Goods, code: str, day: date, book: Book) -> tuple[float, ...]:
    """status, stance, quota, fee and share cap of one product at one destination on one day."""
    shipment = Shipment(
        Item(spec="chip", tpp=0), code, day, from_=_code(chip.maker_country) or "US", hq=code, exporter=chip.maker or None
    )
    decision = decide_goods(shipment, stuff, classify_goods(stuff, day, book, trace=False), book, trace=False)
    quota = np.inf if decision.units_per_month is None else decision.units_per_month
    share = np.inf if decision.share_cap is None else decision.share_cap
    return (_status(decision), STANCE_NAMES.index(decision.import_stance), quota, decision.fee, share)


def _status(decision: Decision) -> int:
    if decision.licence == "no":
        return FREE
    if decision.licence == "conditional":
        return EXCEPTION
    if decision.licence == "unknown":
        return UNKNOWN
    if decision.exception not in ("none", "n/a"):
        return EXCEPTION
    bound = [found for found in decision.requirements if found.holds and not found.lifted]
    return _BY_REVIEW[max((found.practice for found in bound), key=REVIEW_STRICTNESS.__getitem__)]
