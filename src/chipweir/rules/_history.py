"""How an answer changed over time, and the grid of chips by months behind the picture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from chipweir.rules._asked import Item, Shipment
from chipweir.rules._book import Book, shipped
from chipweir.rules._chips import catalogue
from chipweir.rules._circuits import goods
from chipweir.rules._classify import classify_goods
from chipweir.rules._decide import decide_goods
from chipweir.rules._records import Decision
from chipweir.rules._terms import STATUSES, status_word


START = date(2022, 1, 1)
REFERENCE_CHIPS = (
    "nvidia-a100-sxm", "nvidia-a800-sxm", "nvidia-h100-sxm", "nvidia-h800-sxm", "nvidia-h20",
    "nvidia-l20", "nvidia-l40s",
    "nvidia-h200-sxm", "nvidia-b200", "nvidia-rtx-4090", "nvidia-rtx-4090-d", "nvidia-rtx-5090-d", 
    "amd-mi300x", "amd-mi308x",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of days over which the answer stayed the same; both ends inclusive."""

    since: date
    until: date
    decision: Decision

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        d = self.decision
        return {
            "from": self.since.isoformat(), "until": self.until.isoformat(), "eccn": d.eccn, "licence": d.licence,
            "review": d.review, "practice": d.practice, "exception": d.exception, "import_stance": d.import_stance,
            "tariff_25pct": d.tariff_25pct, "basis": d.basis, "flags": list(d.flags),
            "not_verified": self.until > d.verified_until,
        }  # fmt: skip


def history(shipment: Shipment, until: date, rules: Book | None = None, start: date = START) -> list[Spell]:
    """The answers to one shipment's question on every day from `start` to `until`, as spells of equal answers."""
    book = rules or shipped()
    stuff = goods(shipment.item)
    verified = classify_goods(stuff, start, book, trace=False).verified_until
    days = [start, *(day for day in book.days_of_change() if start < day <= until)]
    if start < verified < until:
        days = sorted({*days, verified + timedelta(days=1)})
    spells: list[Spell] = []
    for index, day in enumerate(days):
        last = days[index + 1] - timedelta(days=1) if index + 1 < len(days) else until
        on = replace(shipment, export_date=day)
        decision = decide_goods(
            on, stuff, classify_goods(stuff, day, book, trace=False), book, trace=False, whole=False
        )
        if spells and _same(spells[-1].decision, decision):
            spells[-1] = Spell(spells[-1].since, last, spells[-1].decision)
        else:
            spells.append(Spell(day, last, decision))
    return spells


def _same(one: Decision, other: Decision) -> bool:
    return (
        one.eccn == other.eccn and one.licence == other.licence and one.review == other.review
        and one.practice == other.practice
        and one.exception == other.exception and one.import_stance == other.import_stance and one.basis == other.basis
        and one.tariff_25pct == other.tariff_25pct and one.flags == other.flags
        and one.not_verified == other.not_verified
    )  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """Licence states on the last day of each month: a row for each chip, as indices of `STATUSES`."""

    chips: tuple[str, ...]
    months: tuple[str, ...]
    status: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "chips": list(self.chips), "months": list(self.months), "status": [list(row) for row in self.status],
            "names": list(STATUSES),
        }  # fmt: skip


def grid(
    shipment: Shipment,
    until: date,
    chips: Sequence[str] = REFERENCE_CHIPS,
    rules: Book | None = None,
    start: date = START,
) -> Grid:
    """The shipment's question asked of several chips, the shipment's own item first."""
    book = rules or shipped()
    own = goods(shipment.item).name
    items: dict[str, Item] = {own: shipment.item}
    for chip in chips:
        items.setdefault(catalogue()[chip].name if chip in catalogue() else chip, Item(chip=chip))
    ends = list(_month_ends(start, until))
    rows = []
    for item in items.values():
        spells = history(replace(shipment, item=item), until, book, start)
        rows.append(tuple(STATUSES.index(status_word(_on(spells, end).decision)) for end in ends))
    return Grid(tuple(items), tuple(f"{end:%Y-%m}" for end in ends), tuple(rows))


def _on(spells: list[Spell], day: date) -> Spell:
    return next(spell for spell in spells if spell.since <= day <= spell.until)


def _month_ends(start: date, until: date) -> Iterable[date]:
    year, month = start.year, start.month
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        end = min(date(year, month, 1) - timedelta(days=1), until)
        yield end
        if end >= until:
            return
