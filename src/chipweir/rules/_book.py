"""The law as dated data: reading it, laying hypothetical rules over it, and asking what is in force on a day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from chipweir import reading
from chipweir.rules._words import DATA


FIRST, LAST = date.min, date.max
VERIFIED_UNTIL = date(2026, 10, 9)
MOST_REMEMBERED = 20_000
POLICIES = ("presumption_of_denial", "presumption_of_approval", "case_by_case", "policy_of_denial", "unspecified")
STATES = (
    "in_force", "not_due", "not_enforced", "stayed", "suspended", "revoked", "absorbed",
    "proposed", "reported", "announced_only", "guidance", "unknown",
)  # fmt: skip
QUANTITIES = frozenset(
    (
        "tpp", "pd", "io_gbps", "mem_bw_gbps", "mem_plus_io_gbps", "mbd", "node_nm", "non_planar", "transistors_bn",
        "has_hbm", "data_centre", "co_packaged_with_processor", "training_ops", "weights",
        "more_capable_than_best_open",
        "shipment_tpp", "year_tpp", "country_tpp", "listed_ownership", "quantity",
    )
)  # fmt: skip


class Test(NamedTuple):
    """One comparison of a quantity with a literal."""

    name: str
    sign: str
    threshold: Fraction | str | bool


@dataclass(frozen=True, slots=True)
class Way:
    """One way of meeting a paragraph: every test must hold."""

    name: str
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule applies. Empty fields do not restrict; all that are given must hold."""

    since: date = FIRST
    until: date = LAST
    modes: tuple[str, ...] = ()
    classes: frozenset[str] = frozenset()
    data_centre: bool | None = None
    kinds: frozenset[str] = frozenset()
    to: tuple[str, ...] = ()
    not_to: tuple[str, ...] = ()
    hq: tuple[str, ...] = ()
    not_hq: tuple[str, ...] = ()
    hq_stated: tuple[str, ...] = ()
    hq_if_stated: tuple[str, ...] = ()
    to_or_hq: tuple[str, ...] = ()
    shipped_from: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    exporters: tuple[str, ...] = ()
    exporter_types: tuple[str, ...] = ()
    end_users: tuple[str, ...] = ()
    end_user_types: tuple[str, ...] = ()
    not_end_user_types: tuple[str, ...] = ()
    chips: tuple[str, ...] = ()
    maker_countries: tuple[str, ...] = ()
    maker_countries_not: tuple[str, ...] = ()
    designer_status: tuple[str, ...] = ()
    packaged_by: tuple[str, ...] = ()
    packaged_not_in: tuple[str, ...] = ()
    any_of: tuple[Way, ...] = ()
    every: tuple[Way, ...] = ()
    tests: tuple[Test, ...] = ()
    us_available: bool | None = None
    certified: tuple[str, ...] = ()
    ownership_unknown: bool | None = None
    bars: "Condition | None" = None


@dataclass(frozen=True, slots=True)
class Status:
    """What an instrument is from a day on; `mode` None holds for both modes."""

    since: date
    state: str
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """A rule, letter, bill or guidance, and what became of it."""

    id: str
    title: str
    announced: date
    effective: date | None = None
    compliance: date | None = None
    summary: str = ""
    status: tuple[Status, ...] = ()
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    title_ko: str = ""

    def state(self, on: date, mode: str) -> str | None:
        """The state on a day in a mode; None before the first."""
        current = None
        for status in self.status:
            if status.since <= on and status.mode in (None, mode):
                current = status.state
        return current


@dataclass(frozen=True, slots=True)
class Group:
    """A country group: members at the start, then dated changes."""

    name: str
    title: str
    members: frozenset[str]
    changes: tuple[tuple[date, frozenset[str], frozenset[str], str], ...] = ()
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    title_ko: str = ""

    def on(self, day: date) -> frozenset[str]:
        """The members on a day."""
        members = self.members
        for since, added, removed, _ in self.changes:
            if since <= day:
                members = (members | added) - removed
        return members


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One version of one control paragraph."""

    id: str
    paragraph: str
    eccn: str
    since: date
    until: date
    any_of: tuple[Way, ...]
    unless: Way | None
    instrument: str | None
    sources: tuple[str, ...]
    confidence: str
    title_ko: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """One line of a review policy: the first whose condition holds decides."""

    policy: str
    when: Condition
    id: str = ""
    name: str = ""
    practice: str | None = None
    note: str = ""
    sources: tuple[str, ...] = ()
    confidence: str = "medium"


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom an is-informed letter is addressed, and since when. It binds nobody else."""

    addressees: Mapping[str, date]
    unknown_for: tuple[str, ...] = ()
    silent_for_others: bool = False


@dataclass(frozen=True, slots=True)
class Requirement:
    """A licence requirement."""

    id: str
    since: date
    until: date
    condition: Condition
    review: tuple[Review, ...]
    instrument: str | None = None
    regime: str = "US"
    letter: Letter | None = None
    exceptions: tuple[str, ...] = ()
    unknown: bool = False
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    note: str = ""
    title_ko: str = ""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A licence exception, a validated end user or a carve-out."""

    id: str
    key: str
    title: str
    since: date
    until: date
    conditions: tuple[Condition, ...]
    instrument: str | None = None
    needs: str = ""
    lifts_requirement: bool = False
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    note: str = ""
    title_ko: str = ""


@dataclass(frozen=True, slots=True)
class WayOut:
    """How a presumption is overcome; it leaves `numbers` to be classified, `free`, or `unknown`."""

    id: str
    what: str
    since: date
    until: date
    condition: Condition
    leaves: str


@dataclass(frozen=True, slots=True)
class Presumption:
    """An item is presumed to be of a class unless somebody trusted says otherwise."""

    id: str
    since: date
    until: date
    condition: Condition
    treat_as: str
    ways_out: tuple[WayOut, ...]
    instrument: str | None
    sources: tuple[str, ...]
    confidence: str
    title_ko: str = ""


@dataclass(frozen=True, slots=True)
class Stance:
    """What an importing government lets in or lets be bought."""

    id: str
    level: str
    to: str
    since: date
    until: date
    chips: tuple[str, ...] = ()
    end_user_types: tuple[str, ...] = ()
    large_firm: bool = False
    foreign_data_centre: bool = False
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tariff:
    """An import duty on a band of TPP and DRAM bandwidth; whether the edges belong to it is not known."""

    id: str
    since: date
    until: date
    rate: float
    tpp: tuple[Fraction, Fraction]
    mem_bw_gbps: tuple[Fraction, Fraction]
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """A share of the price that goes with a licence."""

    id: str
    since: date
    until: date
    rate: float
    requirement: str | None = None
    exporters: tuple[str, ...] = ()
    condition: Condition = Condition()
    in_law: bool = True
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit on volumes: units a month, or a share of what the same product sells in the US."""

    id: str
    since: date
    until: date
    review: str | None = None
    condition: Condition = Condition()
    share_of_us_shipments: float | None = None
    units_per_month: float | None = None
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a reader must be told that is not a licence requirement."""

    id: str
    since: date
    until: date
    condition: Condition
    text: str
    sources: tuple[str, ...] = ()
    confidence: str = "medium"


@dataclass(frozen=True)
class Book:
    """All of it. Immutable; `laid_over` returns a new one."""

    instruments: Mapping[str, Instrument]
    groups: Mapping[str, Group]
    paragraphs: tuple[Paragraph, ...]
    computers: Mapping[str, date]
    presumptions: tuple[Presumption, ...]
    reviews: Mapping[str, tuple[Review, ...]]
    conditions: Mapping[str, Condition]
    requirements: tuple[Requirement, ...]
    authorisations: tuple[Authorisation, ...]
    stances: tuple[Stance, ...]
    large_firms: tuple[str, ...]
    tariffs: tuple[Tariff, ...]
    charges: tuple[Charge, ...]
    caps: tuple[Cap, ...]
    flags: tuple[Flag, ...]
    sources: Mapping[str, str]
    overlays: tuple[str, ...] = ()
    _memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def remembered(self, key: Any) -> Any:
        """A derived value kept by `remember`, or None."""
        return self._memo.get(key)

    def remember(self, key: Any, value: Any) -> None:
        """Keep a derived value; forgets all of them rather than grow without bound."""
        if len(self._memo) >= MOST_REMEMBERED:
            self._memo.clear()
        self._memo[key] = value

    def members(self, name: str, on: date) -> frozenset[str]:
        """Members of a country group on a day; a country code stands for itself."""
        key = ("members", name, on)
        found: frozenset[str] | None = self._memo.get(key)
        if found is None:
            group = self.groups.get(name)
            found = group.on(on) if group else frozenset({name})
            self.remember(key, found)
        return found

    def within(self, code: str, names: Iterable[str], on: date) -> bool:
        """Whether a destination is in any of the groups or is one of the countries named."""
        return any(code in self.members(name, on) for name in names)

    def groups_of(self, code: str, on: date) -> list[str]:
        """The groups a destination is in on a day."""
        return [name for name in self.groups if code in self.members(name, on)]

    def state(self, instrument: str | None, on: date, mode: str) -> str | None:
        """The state of an instrument; a rule without one (an overlay's) is in force."""
        return "in_force" if instrument is None else self.instruments[instrument].state(on, mode)

    def active(self, on: date, mode: str, regime: str) -> tuple[tuple[Requirement, str], ...]:
        """The requirements of a regime that are in force, or whose status is unknown, on a day."""
        key = ("active", on, mode, regime)
        found: tuple[tuple[Requirement, str], ...] | None = self._memo.get(key)
        if found is None:
            rows = []
            for requirement in self.requirements:
                if requirement.regime == regime and requirement.since <= on <= requirement.until:
                    state = self.state(requirement.instrument, on, mode)
                    if state in ("in_force", "unknown"):
                        rows.append((requirement, state))
            found = tuple(rows)
            self.remember(key, found)
        return found

    def current_paragraphs(self, on: date) -> tuple[Paragraph, ...]:
        """For each paragraph the version in force on a day, strictest first."""
        key = ("paragraphs", on)
        found: tuple[Paragraph, ...] | None = self._memo.get(key)
        if found is None:
            latest: dict[str, Paragraph] = {}
            for paragraph in self.paragraphs:
                if paragraph.since <= on <= paragraph.until:
                    held = latest.get(paragraph.paragraph)
                    if held is None or paragraph.since >= held.since:
                        latest[paragraph.paragraph] = paragraph
            found = tuple(latest[name] for name in sorted(latest))
            self.remember(key, found)
        return found

    def days_of_change(self) -> list[date]:
        """Every day on which some rule, status, group or stance starts, and the day after one ends; sorted."""
        days: set[date] = set()
        dated: list[Any] = [
            *self.paragraphs, *self.requirements, *self.authorisations, *self.stances, *self.tariffs,
            *self.charges, *self.caps, *self.flags, *self.presumptions,
            *(way for presumption in self.presumptions for way in presumption.ways_out),
            *(line.when for lines in self.reviews.values() for line in lines),
            *(line.when for requirement in self.requirements for line in requirement.review),
        ]  # fmt: skip
        for entry in dated:
            days.add(entry.since)
            if entry.until < LAST:
                days.add(date.fromordinal(entry.until.toordinal() + 1))
        for requirement in self.requirements:
            if requirement.letter:
                days.update(requirement.letter.addressees.values())
        for instrument in self.instruments.values():
            days.update(status.since for status in instrument.status)
        for group in self.groups.values():
            days.update(since for since, *_ in group.changes)
        days.update(self.computers.values())
        return sorted(day for day in days if day > FIRST)


FILES = (
    "instruments",
    "groups",
    "classification",
    "reviews",
    "requirements",
    "materials",
    "exceptions",
    "stances",
    "sources",
)


@cache
def shipped() -> Book:
    """The rules that come with the package."""
    from chipweir.rules._parse import parse_book

    return parse_book([(name, reading.shipped_yaml(DATA / f"{name}.yaml")) for name in FILES])


def with_overlays(overlays: Iterable[Path | str | Mapping[str, Any] | Book], base: Book | None = None) -> Book:
    """The shipped rules with overlay files (paths) or documents (mappings) laid over them, in order.

    Raises `InputError` for an overlay that cannot be read or that names unknown keys, rules, groups or countries.
    """
    from chipweir.rules._parse import lay_over

    book = base or shipped()
    for overlay in overlays:
        if isinstance(overlay, Book):
            book = overlay
        elif isinstance(overlay, Mapping):
            book = lay_over(book, overlay, str(overlay.get("title", "overlay")))
        else:
            book = lay_over(book, reading.read_yaml(Path(overlay), "rule overlay file").data, str(overlay))
    return book
