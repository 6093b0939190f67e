"""The records an answer comes in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from json import JSONEncoder, dumps
from json.encoder import encode_basestring as quoted
from math import isfinite
from typing import Any, TypeVar

from chipweir.rules._numbers import plain


R = TypeVar("R")
_LINE = JSONEncoder(ensure_ascii=False, allow_nan=False)


def altered(record: R, **changes: Any) -> R:
    """A record with some fields changed, taken as they are: `dataclasses.replace` without its checks."""
    cls: Any = type(record)
    new: R = cls.__new__(cls)
    for name in cls.__slots__:
        object.__setattr__(new, name, changes[name] if name in changes else getattr(record, name))
    return new


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
    _kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def json(self) -> str:
        """As JSON text; kept, since one step stands in many decisions."""
        found: str | None = self._kept.get("")
        if found is None:
            found = self._kept[""] = f"{{{', '.join(self._members())}}}"
        return found

    def _members(self) -> Iterator[str]:
        """The members of `to_dict` as JSON: a list has many steps and few shapes, which a general writer is slow at."""
        yield f'"question": {quoted(self.question)}, "rule": {quoted(self.rule)}'
        yield f'"test": {quoted(self.test)}, "outcome": {quoted(self.outcome)}'
        if self.operator is not None:
            value, threshold = (dumps(_number(each), ensure_ascii=False) for each in (self.value, self.threshold))
            yield f'"value": {value}, "operator": {quoted(self.operator)}, "threshold": {threshold}'
        if self.sources:
            yield f'"sources": [{", ".join(map(quoted, self.sources))}]'
        if self.confidence:
            yield f'"confidence": {quoted(self.confidence)}'
        if self.note:
            yield f'"note": {quoted(self.note)}'

    def under(self, reading: str) -> "Step":
        """The same step, said to be of one reading of what is not stated; kept as well."""
        found: Step | None = self._kept.get(reading)
        if found is None:
            note = f"{self.note}; {reading}" if self.note else reading
            found = self._kept[reading] = altered(self, note=note, _kept={})
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; empty fields left out."""
        row: dict[str, Any] = {"question": self.question, "rule": self.rule, "test": self.test, "outcome": self.outcome}
        if self.operator is not None:
            row["value"] = _number(self.value)
            row["operator"] = self.operator
            row["threshold"] = _number(self.threshold)
        if self.sources:
            row["sources"] = list(self.sources)
        if self.confidence:
            row["confidence"] = self.confidence
        if self.note:
            row["note"] = self.note
        return row


def _number(value: Any) -> Any:
    return plain(value) if isinstance(value, Fraction) else value


@dataclass(frozen=True, slots=True)
class Margin:
    """How far one number is from changing the class, a requirement or the review: `value` against `threshold`."""

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
    as_of: date | None = None

    @property
    def margin(self) -> Margin | None:
        """The binding margin: the smallest relative change of one number that changes the class."""
        return self.margins[0] if self.margins else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        row: dict[str, Any] = {
            "item": self.name, "on": self.on.isoformat(), "eccn": self.eccn, "tpp": plain(self.tpp),
            "pd": plain(self.pd),
            "way": self.way, "basis": self.basis, "missing": list(self.missing), "assumptions": list(self.assumptions),
            "margin": margin_dict(self.margins), "trace": [step.to_dict() for step in self.trace],
            "verified_until": self.verified_until.isoformat(), "not_verified": self.on > self.verified_until,
        }  # fmt: skip
        if self.as_of is not None:
            row["as_of"] = self.as_of.isoformat()
        return row


def margin_dict(margins: tuple[Margin, ...]) -> dict[str, Any] | None:
    """The binding margin with the others beside it."""
    if not margins:
        return None
    return {**margins[0].to_dict(), "others": [margin.to_dict() for margin in margins[1:]]}


@dataclass(frozen=True, slots=True)
class Found:
    """One licence requirement that was found, how an application would be looked at, and what lifts it.

    `review` is what a text states, `practice` how applications were in fact treated where no text says it; `line` is the
    entry of the rules that states the review.
    """

    rule: str
    holds: bool | None
    review: str
    review_rule: str = ""
    practice: str = ""
    exceptions: tuple[str, ...] = ()
    lifted: bool = False
    line: Any = field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        holds = "unknown" if self.holds is None else "yes" if self.holds else "no"
        row: dict[str, Any] = {
            "rule": self.rule, "holds": holds, "review": self.review, "exceptions": list(self.exceptions),
        }  # fmt: skip
        if self.practice != self.review:
            row["practice"] = self.practice
        return row


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer if a fact that is not stated were so: `case` names the fact, `says` it in words."""

    case: str
    says: str
    licence: str
    review: str
    exception: str
    basis: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "if": self.case, "says": self.says, "licence": self.licence, "review": self.review,
            "exception": self.exception, "basis": self.basis,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Law:
    """What another state's export law says of the same shipment."""

    regime: str
    licence: str
    review: str
    exception: str
    basis: str
    outcome: str
    says: str = ""
    authority: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "regime": self.regime, "licence": self.licence, "review": self.review, "exception": self.exception,
            "basis": self.basis, "outcome": self.outcome, "says": self.says, "authority": self.authority,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What must be known to answer for certain: a code, and the question in words."""

    code: str
    asks: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"code": self.code, "asks": self.asks}


OUTCOME_STRICTNESS = {"free": 0, "exception": 1, "conditional": 2, "unknown": 3, "licence": 4}


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
    regime: str = "US"
    practice: str = ""
    reviews_possible: tuple[str, ...] = ()
    requirements: tuple[Found, ...] = ()
    readings: tuple[Reading, ...] = ()
    questions: tuple[Question, ...] = ()
    laws: tuple[Law, ...] = ()
    not_covered: str = ""
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
    as_of: date | None = None
    headline: str = ""

    @property
    def margin(self) -> Margin | None:
        """The binding margin: the smallest relative change of one number that changes the answer."""
        return self.margins[0] if self.margins else None

    @property
    def not_verified(self) -> bool:
        """Whether the date lies after what the sources cover."""
        return self.on > self.verified_until

    @property
    def gp10_risk(self) -> bool:
        """Whether dealing in the item risks General Prohibition 10."""
        return "gp10_risk" in self.flags

    @property
    def overall(self) -> str:
        """The strictest outcome of all laws on the shipment."""
        return max((self.outcome, *(law.outcome for law in self.laws)), key=OUTCOME_STRICTNESS.__getitem__)

    def to_dict(self, *, trace: bool = True) -> dict[str, Any]:
        """As JSON holds it."""
        row: dict[str, Any] = {
            "item": self.name, "on": self.on.isoformat(), "to": self.to, "headline": self.headline, "eccn": self.eccn,
            "tpp": plain(self.tpp),
            "pd": plain(self.pd), "licence": self.licence, "review": self.review, "exception": self.exception,
            "basis": self.basis, "outcome": self.outcome, "regime": self.regime, "overall": self.overall,
            "other_laws": [law.to_dict() for law in self.laws], "practice": self.practice,
            "reviews_possible": list(self.reviews_possible), "tariff_25pct": self.tariff_25pct,
            "import_stance": self.import_stance,
            "gp10_risk": self.gp10_risk, "flags": list(self.flags), "fee": self.fee, "share_cap": self.share_cap,
            "requirements": [found.to_dict() for found in self.requirements],
            "readings": [reading.to_dict() for reading in self.readings],
            "questions": [question.to_dict() for question in self.questions], "conditions": list(self.conditions),
            "assumptions": list(self.assumptions), "missing": list(self.missing), "margin": margin_dict(self.margins),
            "verified_until": self.verified_until.isoformat(), "not_verified": self.not_verified,
        }  # fmt: skip
        if self.not_covered:
            row["not_covered"] = self.not_covered
        if self.as_of is not None:
            row["as_of"] = self.as_of.isoformat()
        if self.overlays:
            row["overlays"] = list(self.overlays)
        if trace:
            row["trace"] = [step.to_dict() for step in self.trace]
        return row

    def to_json(self, head: Mapping[str, Any], tail: Mapping[str, Any], *, trace: bool) -> str:
        """One line of JSON: `head`, the answer and `tail`, then the trace."""
        text = _LINE.encode({**head, **self.to_dict(trace=False), **tail})
        if not trace:
            return text
        return f'{text[:-1]}, "trace": [{", ".join(step.json for step in self.trace)}]}}'
