"""The law as dated data: reading it, laying hypothetical rules over it, and asking what is in force on a day."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from chipweir import reading
from chipweir.i18n import language
from chipweir.rules._when import ALWAYS, FIRST, LAST, Condition, Way
from chipweir.rules._words import DATA


VERIFIED_UNTIL = date(2026, 10, 9)
MOST_REMEMBERED = 100_000
POLICIES = ("presumption_of_denial", "presumption_of_approval", "case_by_case", "policy_of_denial", "unspecified")
STATES = (
    "in_force", "not_due", "not_enforced", "stayed", "suspended", "revoked", "absorbed",
    "proposed", "reported", "announced_only", "guidance", "unknown",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Status:
    """What an instrument is from a day on; `mode` None holds for both modes. `published`: since when that is known."""

    since: date
    state: str
    mode: str | None = None
    published: date | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """A rule, letter, bill or guidance, and what became of it. `terms`: what an authorised application must certify."""

    id: str
    title: str
    announced: date
    published: date | None = None
    effective: date | None = None
    compliance: date | None = None
    summary: str = ""
    status: tuple[Status, ...] = ()
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    title_ko: str = ""
    terms: str = ""
    terms_ko: str = ""

    @property
    def known_by(self) -> date:
        """The day from which the public could know of it."""
        return self.published or self.announced

    def state(self, on: date, mode: str) -> str | None:
        """The state on a day in a mode; None before the first."""
        current = None
        for status in self.status:
            if status.since <= on and status.mode in (None, mode):
                current = status.state
        return current


@dataclass(frozen=True, slots=True)
class Change:
    """A dated change of a country group."""

    since: date
    added: frozenset[str]
    removed: frozenset[str]
    note: str = ""
    published: date | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A country group: members at the start, then dated changes."""

    name: str
    title: str
    members: frozenset[str]
    changes: tuple[Change, ...] = ()
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    title_ko: str = ""

    def on(self, day: date) -> frozenset[str]:
        """The members on a day."""
        members = self.members
        for change in self.changes:
            if change.since <= day:
                members = (members | change.added) - change.removed
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
    says: str = ""
    says_ko: str = ""
    title_ko: str = ""
    cfr: str = ""
    published: date | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """One line of a review policy: the first whose condition holds decides. `practice` is what was done without a text."""

    policy: str
    when: Condition
    id: str = ""
    practice: str | None = None
    instrument: str | None = None
    note: str = ""
    note_ko: str = ""
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    cfr: str = ""
    published: date | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom an is-informed letter is addressed, and since when. It binds nobody else."""

    addressees: Mapping[str, date]
    unknown_for: tuple[str, ...] = ()
    silent_for_others: bool = False


@dataclass(frozen=True, slots=True)
class Requirement:
    """A licence requirement. `unknown`: whether it holds is not for the rules to say; `asks` what would settle it."""

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
    note_ko: str = ""
    asks: str = ""
    asks_ko: str = ""
    says: str = ""
    says_ko: str = ""
    title_ko: str = ""
    cfr: str = ""
    published: date | None = None
    ended_by: str | None = None


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
    needs_ko: str = ""
    lifts_requirement: bool = False
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    note: str = ""
    note_ko: str = ""
    title_ko: str = ""
    cfr: str = ""
    published: date | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class WayOut:
    """How a presumption is overcome; it leaves `numbers` to be classified, `free`, or `unknown`."""

    id: str
    what: str
    since: date
    until: date
    condition: Condition
    leaves: str
    what_ko: str = ""
    published: date | None = None
    ended_by: str | None = None


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
    says: str = ""
    says_ko: str = ""
    title_ko: str = ""
    cfr: str = ""
    published: date | None = None
    ended_by: str | None = None


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
    note_ko: str = ""
    published: date | None = None


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
    note_ko: str = ""
    published: date | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """A share of the price that goes with a licence."""

    id: str
    since: date
    until: date
    rate: float
    requirement: str | None = None
    exporters: tuple[str, ...] = ()
    condition: Condition = ALWAYS
    in_law: bool = True
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    note: str = ""
    note_ko: str = ""
    published: date | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit on volumes: units a month, or a share of what the same product sells in the US."""

    id: str
    since: date
    until: date
    review: str | None = None
    condition: Condition = ALWAYS
    share_of_us_shipments: float | None = None
    units_per_month: float | None = None
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    note: str = ""
    note_ko: str = ""
    published: date | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a reader must be told that is not a licence requirement."""

    id: str
    since: date
    until: date
    condition: Condition
    text: str
    text_ko: str = ""
    sources: tuple[str, ...] = ()
    confidence: str = "medium"
    published: date | None = None


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
    as_of: date | None = None
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
        key = ("members", name, self.period(on))
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

    def period(self, on: date) -> int:
        """The number of the stretch of days around a day within which nothing in the book changes."""
        days: list[date] | None = self._memo.get("days of change")
        if days is None:
            days = self.days_of_change()
            self.remember("days of change", days)
        return bisect_right(days, on)

    def state(self, instrument: str | None, on: date, mode: str) -> str | None:
        """The state of an instrument; a rule without one (an overlay's) is in force."""
        if instrument is None:
            return "in_force"
        held = self.instruments.get(instrument)
        return None if held is None else held.state(on, mode)

    def active(self, on: date, mode: str, regime: str) -> tuple[tuple[Requirement, str], ...]:
        """The requirements of a regime that are in force, or whose status is unknown, on a day."""
        key = ("active", self.period(on), mode, regime)
        found: tuple[tuple[Requirement, str], ...] | None = self._memo.get(key)
        if found is None:
            rows = []
            for requirement in self.requirements:
                if requirement.regime == regime and requirement.since <= on <= requirement.until:
                    state = self.state(requirement.instrument, on, mode)
                    if state in ("in_force", "unknown", "guidance"):
                        rows.append((requirement, state))
            found = tuple(rows)
            self.remember(key, found)
        return found

    def current_paragraphs(self, on: date) -> tuple[Paragraph, ...]:
        """For each paragraph the version in force on a day, strictest first."""
        key = ("paragraphs", self.period(on))
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
            *(entry.condition for entries in (self.requirements, self.flags, self.charges, self.caps)
              for entry in entries),
            *(condition for entry in self.authorisations for condition in entry.conditions),
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
            days.update(change.since for change in group.changes)
        days.update(self.computers.values())
        return sorted(day for day in days if day > FIRST)


LAW = DATA / "law"


def law_files() -> list[Path]:
    """The files of the law in order of their names; the golden results that lie beside them are no law."""
    return sorted(path for path in LAW.glob("*.yaml") if not path.name.endswith(".golden.yaml"))


def spoken(entry: Any, field: str) -> str:
    """A text of a rule in the language in force; without a Korean one the English stands."""
    korean = str(getattr(entry, f"{field}_ko", "")) if language() == "ko" else ""
    return korean or str(getattr(entry, field, "") or "")


def called(entry: Any) -> str:
    """What a rule says in one line, in the language in force: its own words, else its title, else its id."""
    if language() == "ko":
        found = getattr(entry, "says_ko", "") or getattr(entry, "title_ko", "")
        if found:
            return str(found)
    return str(getattr(entry, "says", "") or getattr(entry, "title", "") or entry.id)


@cache
def shipped() -> Book:
    """The rules that come with the package."""
    from chipweir.rules._parse import parse_book

    return parse_book([(path.stem, reading.shipped_yaml(path)) for path in law_files()])


def with_overlays(
    overlays: Iterable[Path | str | Mapping[str, Any] | Book], base: Book | None = None, as_of: date | str | None = None
) -> Book:
    """The shipped rules with overlay files (paths) or documents (mappings) laid over them, in order.

    With `as_of` only what had been published by that day is law; overlays are laid over that. Raises `InputError` for an
    overlay that cannot be read or that names unknown keys, rules, groups or countries.
    """
    from chipweir.rules._asof import published_by
    from chipweir.rules._parse import lay_over
    from chipweir.rules._words import day

    book = base or shipped()
    if as_of is not None:
        book = published_by(book, day(as_of, "as_of"))
    for overlay in overlays:
        if isinstance(overlay, Book):
            book = overlay
        elif isinstance(overlay, Mapping):
            book = lay_over(book, overlay, str(overlay.get("title", "overlay")))
        else:
            book = lay_over(book, reading.read_yaml(Path(overlay), "rule overlay file").data, str(overlay))
    return book
