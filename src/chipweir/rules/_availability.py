"""The rules as arrays: for every month, product and destination the state of the licensed channel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.rules._asked import Item, Shipment
from chipweir.rules._book import Book, with_overlays
from chipweir.rules._chips import ControlledChip, find, from_facts
from chipweir.rules._circuits import Goods, goods
from chipweir.rules._classify import classify_goods
from chipweir.rules._decide import decide_goods
from chipweir.rules._places import country, land
from chipweir.rules._status import FREE, status_of
from chipweir.rules._terms import STATUSES, status_word
from chipweir.rules._when import Condition


HOME_LAWS = ("KR",)
"""Makers' countries other than the US whose own export law on chips is modelled."""
_REGIMES = ("US", *HOME_LAWS)
STANCE_NAMES = ("open", "discouraged", "conditional", "blocked", "unknown")
MID_MONTH = 15
_ANY = Item(spec="chip")  # stands in the shipment; the goods are resolved once for each product


@dataclass(frozen=True)
class Availability:
    """Arrays of shape [month, product, destination].

    `status`: 0 free, 1 exception or notification, 2 presumption of approval, 3 case by case, 4 denial, 5 unknown.
    `law`: the state as the texts have it, an index of `STATUSES` (`status` also follows practice where no text speaks).
    `home`: the states of `status` under the export law of the maker's own country where it is modelled (Korea), else 0.
    `stance` of the importing government: 0 open, 1 discouraged, 2 conditional, 3 blocked, 4 unknown.
    `quota`: units a month, inf where none. `fee`: share of the price. `share_cap`: largest ratio of shipments to those
    for use in the US, inf where none. Each month is judged on one day, its 15th unless asked otherwise.
    """

    products: tuple[str, ...]
    destinations: tuple[str, ...]
    months: npt.NDArray[np.datetime64]
    status: npt.NDArray[np.int8]
    law: npt.NDArray[np.int8]
    home: npt.NDArray[np.int8]
    stance: npt.NDArray[np.int8]
    quota: npt.NDArray[np.float64]
    fee: npt.NDArray[np.float64]
    share_cap: npt.NDArray[np.float64]


def availability(
    products: Sequence[Any],
    destinations: Sequence[str],
    months: Iterable[Any],
    overlays: Iterable[Path | str | Mapping[str, Any] | Book] = (),
    *,
    as_of: date | str | None = None,
    day: int = MID_MONTH,
) -> Availability:
    """The enforced US rules for products sold by their makers to recipients headquartered at the destination.

    `products` are `Chip` records of the facts, names or items; `destinations` ISO codes; `months` 'YYYY-MM', dates or
    datetime64. The exporter is the chip's maker, so letters bind; certifications are taken as given. A sale in the
    maker's own country is free, and so are chips of Chinese makers, whom US licences do not stop. Where a China variant
    has no published numbers, the class it was in all likelihood designed for is taken; for other chips without, what
    estimates of low confidence give. Where no text states a review policy, what was in fact done counts. Each month is
    judged on its `day`. With `as_of` only what had been published by that day is law. Raises `InputError`.
    """
    book = with_overlays(overlays, as_of=as_of)
    chips = [_product(product) for product in products]
    codes = [country(code, "destination") for code in destinations]
    stamps = np.array([_month(month) for month in months], dtype="datetime64[M]")
    days = [date(int(str(m)[:4]), int(str(m)[5:7]), day) for m in stamps]
    shape = (len(days), len(chips), len(codes))
    arrays: dict[str, npt.NDArray[Any]] = {
        **{name: np.zeros(shape, np.int8) for name in ("status", "law", "home", "stance")},
        "quota": np.full(shape, np.inf), "fee": np.zeros(shape), "share_cap": np.full(shape, np.inf),
    }  # fmt: skip
    held: dict[Any, tuple[float, ...]] = {}
    for m, judged in enumerate(days):
        period = _fingerprint(book, judged)
        named = _named_places(book, judged)
        signatures = [_signature(code, judged, book, named) for code in codes]
        for p, (chip, stuff) in enumerate(chips):
            for d, code in enumerate(codes):
                if chip.maker_country in (code, "CN"):
                    continue
                key = (period, p, signatures[d])
                cell = held.get(key)
                if cell is None:
                    cell = held[key] = _cell(chip, stuff, code, judged, book)
                for name, value in zip(arrays, cell, strict=True):
                    arrays[name][m, p, d] = value
    return Availability(tuple(chip.id for chip, _ in chips), tuple(codes), stamps, **arrays)


def _product(product: Any) -> tuple[ControlledChip, Goods]:
    if isinstance(product, str):
        chip = find(product, guesses=True)
    elif hasattr(product, "maker_country") and hasattr(product, "id"):
        chip = product if isinstance(product, ControlledChip) else from_facts(product, guesses=True)
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


def _current(book: Book, day: date) -> list[Any]:
    """Every enforced rule of the regimes asked that can speak on a day, and the lines of its reviews."""
    active = [requirement for regime in _REGIMES for requirement, _ in book.active(day, "enforced", regime)]
    lines = [line for requirement in active for line in requirement.review if line.when.since <= day <= line.when.until]
    dated: tuple[Any, ...] = (
        *book.authorisations,
        *book.stances,
        *book.tariffs,
        *book.charges,
        *book.caps,
        *book.presumptions,
    )
    return [*active, *lines, *(entry for entry in dated if entry.since <= day <= entry.until)]


def _fingerprint(book: Book, day: date) -> Any:
    """Days with the same fingerprint have the same rules in force; only country groups may still differ."""
    active = tuple(row for regime in _REGIMES for row in book.active(day, "enforced", regime))
    letters = tuple(
        who
        for requirement, _ in active
        if requirement.letter
        for who, since in requirement.letter.addressees.items()
        if since <= day
    )
    states = tuple(state for _, state in active)
    paragraphs = tuple(paragraph.id for paragraph in book.current_paragraphs(day))
    authorised = tuple(book.state(entry.instrument, day, "enforced") for entry in book.authorisations)
    return tuple(id(entry) for entry in _current(book, day)), states, letters, paragraphs, authorised


_PLACE_FIELDS = ("to", "not_to", "hq", "not_hq", "hq_stated", "hq_within", "to_or_hq", "shipped_from", "leaves")


def _named_places(book: Book, day: date) -> frozenset[str]:
    """Groups and countries that the rules of a day name; destinations alike in all of them fare alike."""
    found: set[str] = {"US", "CN", "HK", "MO"}
    for entry in _current(book, day):
        conditions: list[Condition] = [*getattr(entry, "conditions", ())]
        conditions += [c for c in (getattr(entry, "condition", None), getattr(entry, "when", None)) if c is not None]
        conditions += [c.bars for c in conditions if c.bars is not None]
        if hasattr(entry, "to"):
            found.add(entry.to)
        for condition in conditions:
            for field in _PLACE_FIELDS:
                found.update(getattr(condition, field))
    return frozenset(found)


def _signature(code: str, day: date, book: Book, named: frozenset[str]) -> Any:
    place = land(code)
    own = code if code in ("US", "HK", "MO") or place in named else ""
    return own, tuple(place in book.members(name, day) for name in sorted(named & book.groups.keys()))


def _cell(chip: ControlledChip, stuff: Goods, code: str, day: date, book: Book) -> tuple[float, ...]:
    """status, law, home, stance, quota, fee and share cap of one product at one destination on one day."""
    origin = _code(chip.maker_country) or "US"
    shipment = Shipment(_ANY, code, day, from_=origin, hq=code, exporter=chip.maker or None)
    classed = classify_goods(stuff, day, book, trace=False)
    if len(classed.possible) > 1 and chip.inferred:
        classed = replace(classed, possible=frozenset({chip.inferred}))
    decision = decide_goods(shipment, stuff, classed, book, trace=False, whole=False)
    home = FREE
    if origin in HOME_LAWS:
        home = status_of(decide_goods(replace(shipment, regime=origin), stuff, classed, book, trace=False, whole=False))
    quota = np.inf if decision.units_per_month is None else decision.units_per_month
    share = np.inf if decision.share_cap is None else decision.share_cap
    law = STATUSES.index(status_word(decision))
    return (status_of(decision), law, home, STANCE_NAMES.index(decision.import_stance), quota, decision.fee, share)
