"""Licence requirement, review policy and authorisation, kept apart; then the importing side, tariff and flags."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from chipweir.rules._book import Authorisation, Book, Condition, Presumption, Requirement, Review, shipped
from chipweir.rules._case import Case, prepare
from chipweir.rules._circuits import Goods, goods
from chipweir.rules._classify import all_of, classify_goods
from chipweir.rules._conditions import Compared, Truth, holds
from chipweir.rules._importing import flags_of, stance_of, tariff_of
from chipweir.rules._records import Classification, Decision, Found, Margin, Shipment, Step


REVIEW_STRICTNESS = {
    "n/a": 0, "presumption_of_approval": 1, "unspecified": 2, "case_by_case": 3, "presumption_of_denial": 4,
    "policy_of_denial": 5,
}  # fmt: skip


@dataclass(slots=True)
class _Trace:
    """Collects steps where they are wanted; costs nothing where they are not."""

    wanted: bool
    steps: list[Step]
    margins: list[Margin] = field(default_factory=list)

    def add(
        self,
        question: str,
        rule: Requirement | Authorisation | Presumption,
        rows: list[Compared],
        outcome: str,
        note: str = "",
    ) -> None:
        if not self.wanted:
            return
        for text, one, value, sign, threshold in rows:
            self.steps.append(
                Step(question, rule.id, text, _word(one), value, sign, threshold, rule.sources, rule.confidence)
            )
        if outcome == "no" and rows:
            return  # the test that failed says it all
        title = getattr(rule, "title", "") or note
        self.steps.append(
            Step(
                question,
                rule.id,
                title or "requirement",
                outcome,
                None,
                None,
                None,
                rule.sources,
                rule.confidence,
                note,
            )
        )

    def near(self, condition: Condition, case: Case, truth: Truth, rows: list[Compared], yes: str, no: str) -> None:
        """Note how far each number is from changing whether a condition holds, where one number alone can change it.

        One number alone breaks a list of tests that all hold, or a single test; and it meets a way of one test.
        """
        compared = [row for row in rows if row[3] is not None and isinstance(row[4], Fraction) and row[2]]
        if not self.wanted or truth is None or not compared or (truth is False and len(compared) != len(rows)):
            return
        if truth:
            ways = [
                way for way in condition.any_of if any(all_of(way.tests, circuit.numbers) for circuit in case.circuits)
            ]
            candidates = compared if len(case.circuits) == 1 and (len(ways) == 1 or not condition.any_of) else []
        else:
            single = all(len(way.tests) == 1 for way in condition.any_of) and not condition.every
            candidates = compared if single else []
        for text, _, value, sign, threshold in candidates:
            quantity = text.split(": ")[-1].split(" ")[0]
            self.margins.append(Margin(quantity, value, str(sign), threshold, no if truth else yes))

    def say(self, step: Step) -> None:
        if self.wanted:
            self.steps.append(step)


def _word(one: Truth) -> str:
    return "unknown" if one is None else "yes" if one else "no"


@dataclass(slots=True)
class _Verdict:
    """One requirement found, with what is needed to put the answer together."""

    requirement: Requirement
    truth: Truth
    review: str
    review_rule: str
    practice: str
    by: Authorisation | None


def decide(shipment: Shipment | Mapping[str, Any], rules: Book | None = None, *, trace: bool = True) -> Decision:
    """May this shipment go, and if a licence is needed, how will it be looked at?

    Classification, licence requirement, review policy and authorisation are answered apart; `licence` says whether a
    requirement exists, `exception` what authorisation would stand in for the licence. A mapping is read as the fields
    of a shipment. Raises `InputError`.
    """
    book = rules or shipped()
    if isinstance(shipment, Mapping):
        shipment = Shipment.of(shipment)
    stuff = goods(shipment.item)
    return decide_goods(
        shipment, stuff, classify_goods(stuff, shipment.export_date, book, trace=trace), book, trace=trace
    )


def decide_goods(shipment: Shipment, stuff: Goods, classed: Classification, book: Book, *, trace: bool) -> Decision:
    """`decide` where the goods are resolved and classified already."""
    case = prepare(shipment, stuff, _classes(classed), book)
    log = _Trace(trace, list(classed.trace))
    presumed = _presumption(case, classed, book, log)
    verdicts = _requirements(case, book, shipment.regime, log) if case.to != "US" or shipment.regime != "US" else []
    stance = stance_of(case, book, log.say)
    tariff = tariff_of(case, book, log.say)
    answer = _answer(verdicts, presumed)
    if shipment.regime == "CN" and not verdicts and case.code == "CN" and stuff.kind in ("chip", "server"):
        answer = _import_answer(stance)
    flags = flags_of(case, book, log.say)
    fee, share_cap, units = _terms(case, verdicts, tariff, book)
    if trace and case.on > classed.verified_until:
        log.say(
            Step(
                "note",
                "horizon",
                f"{case.on} is after {classed.verified_until}, the last day the sources cover",
                "not verified",
            )
        )
    return Decision(
        _eccn(classed, presumed), classed.tpp, classed.pd, *answer, tariff, stance, _outcome(answer), case.on,
        case.code,
        stuff.name, tuple(_found(v) for v in verdicts), _needs(verdicts), flags, tuple(case.assumptions),
        classed.missing,
        fee, share_cap, units, tuple(log.steps), _margins(classed, log), classed.verified_until, book.overlays,
    )  # fmt: skip


def _margins(classed: Classification, log: _Trace) -> tuple[Margin, ...]:
    """What would flip the class, a requirement or the review, smallest change first."""
    return tuple(sorted(dict.fromkeys([*classed.margins, *log.margins]), key=lambda margin: margin.relative))


def _classes(classed: Classification) -> frozenset[str]:
    return frozenset({"n/a"}) if classed.eccn == "n/a" else classed.possible


# --- the foundry presumption


@dataclass(frozen=True, slots=True)
class _Presumed:
    """Outcome of a presumption: `holds` True, False (overcome), or None (open); `attested` by whom if overcome."""

    holds: Truth
    rule: str
    treat_as: str
    leaves: str = ""


def _presumption(case: Case, classed: Classification, book: Book, log: _Trace) -> _Presumed | None:
    """Apply a presumption to the case: its classes become those presumed, or those attested."""
    for presumption in book.presumptions:
        if not presumption.since <= case.on <= presumption.until:
            continue
        if book.state(presumption.instrument, case.on, case.mode) != "in_force":
            continue
        reached, rows = holds(presumption.condition, case, book)
        log.add("classification", presumption, rows, _word(reached), "presumed 3A090.a and for data centres")
        if reached is False:
            continue
        result = _ways_out(presumption, case, book, log, reached)
        if result.holds:
            case.classes = frozenset({presumption.treat_as})
        elif result.holds is None:
            case.classes = case.classes | {presumption.treat_as, "none"}
        elif result.leaves == "free" and len(classed.possible) > 1:
            case.classes = frozenset({"none"})
        return result
    return None


def _ways_out(presumption: Presumption, case: Case, book: Book, log: _Trace, reached: Truth) -> _Presumed:
    """The burden is on the exporter: a way out that the shipment does not show to be open is none."""
    for way in presumption.ways_out:
        if not way.since <= case.on <= way.until:
            continue
        one, rows = holds(way.condition, case, book)
        if log.wanted:
            for text, outcome, value, sign, threshold in rows:
                log.say(
                    Step("classification", way.id, text, _word(outcome), value, sign, threshold, presumption.sources)
                )
            log.say(
                Step(
                    "classification",
                    way.id,
                    way.what,
                    _word(one),
                    sources=presumption.sources,
                    confidence=presumption.confidence,
                )
            )
        if one:
            return _Presumed(None if way.leaves == "unknown" else False, way.id, presumption.treat_as, way.leaves)
    return _Presumed(reached, presumption.id, presumption.treat_as)


def _eccn(classed: Classification, presumed: _Presumed | None) -> str:
    if presumed is None:
        return classed.eccn
    if presumed.holds:
        return f"3A090.{presumed.treat_as}"
    if presumed.holds is None:
        return classed.eccn if classed.eccn == f"3A090.{presumed.treat_as}" else "undetermined"
    return "not_3A090" if presumed.leaves == "free" and classed.eccn == "undetermined" else classed.eccn


# --- requirements and reviews


def _requirements(case: Case, book: Book, regime: str, log: _Trace) -> list[_Verdict]:
    found = []
    for requirement, state in book.active(case.on, case.mode, regime):
        truth, rows = holds(requirement.condition, case, book)
        note = requirement.note
        if log.wanted and (requirement.letter is None or _addressed(requirement, case, True)[0]):
            applies, spared = f"{requirement.id} applies", f"{requirement.id} does not apply"
            log.near(requirement.condition, case, truth, rows, applies, spared)
        if truth is not False and requirement.letter is not None:
            truth, row = _addressed(requirement, case, truth)
            rows = [*rows, row]
        if truth and (state == "unknown" or requirement.unknown):
            truth = None
            note = note or f"{requirement.instrument}: whether it is in force on {case.on} is not known"
        log.add("requirement", requirement, rows if truth is not False else rows[-1:], _word(truth), note)
        if truth is not False:
            review, rule, practice = _review(requirement.review, requirement, case, book, log)
            by = _authorised(requirement, case, book, log)
            found.append(_Verdict(requirement, truth, review, rule, practice, by))
    return found


def _addressed(requirement: Requirement, case: Case, truth: Truth) -> tuple[Truth, Compared]:
    """A letter binds its addressees; for others the answer is unknown, unless it is known to concern one firm only."""
    letter = requirement.letter
    assert letter is not None
    who = case.exporter or "not stated"
    if case.exporter_assumed and "none" not in case.classes:
        return False, ("letter: no exporter named, and a 3A090 item does not hang on it", False, None, None, None)
    since = letter.addressees.get(case.exporter)
    if since is not None and since <= case.on:
        return truth, (f"letter addressed to exporter {who}", True, None, None, None)
    if truth is None and case.exporter not in letter.addressees:
        text = "bandwidth or interconnect not stated: letters to other exporters left out"
        case.assumptions.append(text)
        return False, (text, False, None, None, None)
    if letter.unknown_for:
        concerned = case.exporter in letter.unknown_for
        return (None if concerned else False), (
            f"letter may be addressed to exporter {who}",
            None if concerned else False,
            None,
            None,
            None,
        )
    if letter.silent_for_others:
        return False, (f"letter addressed to exporter {who}", False, None, None, None)
    return None, (f"letter addressed to exporter {who}: other addressees are not known", None, None, None, None)


def _review(
    lines: tuple[Review, ...], requirement: Requirement, case: Case, book: Book, log: _Trace
) -> tuple[str, str, str]:
    """The policy of the first line that holds; where a line's condition is unknown and matters, unspecified."""
    doubtful: list[str] = []
    for line in lines:
        one, rows = holds(line.when, case, book)
        rule = line.id or requirement.id
        log.near(line.when, case, one, rows, f"review {line.policy}", f"no longer {line.policy} under {rule}")
        if log.wanted and (rows or one is not False):
            for text, outcome, value, sign, threshold in rows:
                log.say(
                    Step("review", rule, text, _word(outcome), value, sign, threshold, line.sources, line.confidence)
                )
        if one is None:
            doubtful.append(line.policy)
        elif one:
            policy = line.policy if all(other == line.policy for other in doubtful) else "unspecified"
            note = line.note or (
                f"{' or '.join([*doubtful, line.policy])}, for want of a number"
                if doubtful and policy == "unspecified"
                else ""
            )
            log.say(
                Step(
                    "review",
                    rule,
                    line.name or "review policy",
                    policy,
                    sources=line.sources,
                    confidence=line.confidence,
                    note=note,
                )
            )
            return policy, rule, line.practice or policy
    return "unspecified", requirement.id, "unspecified"


def _authorised(requirement: Requirement, case: Case, book: Book, log: _Trace) -> Authorisation | None:
    """The first authorisation named by the requirement that matches the case."""
    for key in requirement.exceptions:
        for authorisation in book.authorisations:
            if authorisation.key != key or not authorisation.since <= case.on <= authorisation.until:
                continue
            if book.state(authorisation.instrument, case.on, case.mode) != "in_force":
                continue
            matched = False
            for condition in authorisation.conditions:
                one, rows = holds(condition, case, book)
                if one:
                    log.add("authorisation", authorisation, rows, "yes", authorisation.needs)
                    return authorisation
                matched = matched or one is None
                last = rows[-1:]
            log.add("authorisation", authorisation, last, "unknown" if matched else "no")
    return None


# --- putting the answer together


def _answer(verdicts: list[_Verdict], presumed: _Presumed | None) -> tuple[str, str, str, str]:
    """licence, review, exception and basis."""
    certain = [v for v in verdicts if v.truth]
    bound = [v for v in certain if v.by is None or not v.by.lifts_requirement]
    if bound:
        strict = max(bound, key=lambda v: (v.by is None, REVIEW_STRICTNESS[v.review], v.requirement.letter is None))
        review = max((v.review for v in bound), key=REVIEW_STRICTNESS.__getitem__)
        exception = strict.by.id if strict.by is not None else "none"
        way = "" if strict.review_rule == strict.requirement.id else f", review {strict.review_rule}"
        return "yes", review, exception, strict.requirement.id + way
    doubtful = [v for v in verdicts if v.truth is None]
    if doubtful:
        if (
            presumed is not None
            and presumed.leaves == "numbers"
            and all(v.requirement.letter is None for v in doubtful)
        ):
            strict = max(doubtful, key=lambda v: REVIEW_STRICTNESS[v.review])
            return "conditional", strict.review, "none", presumed.rule
        first = doubtful[0]
        return "unknown", "unspecified", "n/a", first.requirement.id
    if certain:
        carve_out = certain[0].by
        assert carve_out is not None
        return "no", "n/a", carve_out.id, carve_out.instrument or carve_out.id
    return (
        "no",
        "n/a",
        "n/a",
        presumed.rule if presumed is not None and presumed.holds is False else "no requirement found",
    )


def _import_answer(stance: str) -> tuple[str, str, str, str]:
    """China's side, for questions under its rules: the stance has no licence form, so it is translated."""
    licence = {"open": "no", "discouraged": "no", "conditional": "conditional", "blocked": "yes", "unknown": "unknown"}[
        stance
    ]
    review = {"conditional": "case_by_case", "blocked": "policy_of_denial", "unknown": "unspecified"}.get(stance, "n/a")
    return licence, review, "none" if licence == "yes" else "n/a", f"import stance: {stance}"


def _outcome(answer: tuple[str, str, str, str]) -> str:
    """One word for a reader: free, exception, licence, conditional or unknown."""
    licence, _, exception, _ = answer
    if licence == "yes":
        return "licence" if exception in ("none", "n/a") else "exception"
    return {"no": "free", "unknown": "unknown", "conditional": "conditional"}[licence]


def _found(verdict: _Verdict) -> Found:
    by = verdict.by
    return Found(
        verdict.requirement.id, verdict.truth, verdict.review, verdict.review_rule, verdict.practice,
        (by.id,) if by is not None else (), by is not None and by.lifts_requirement,
    )  # fmt: skip


def _needs(verdicts: list[_Verdict]) -> tuple[str, ...]:
    needs = [f"{v.by.id}: {v.by.needs}" for v in verdicts if v.by is not None and v.by.needs]
    if any(v.review_rule == "US-2026-01" and v.review == "case_by_case" for v in verdicts):
        needs.append(
            "US-2026-01: available in the US on 2026-01-15 with units shipped stated; no delay to US orders; "
            "no foundry capacity diverted; at most 50 % of what ships for use in the US; no prohibited or military "
            "end use; consignee KYC and remote-access controls; test of every shipment in the US by an independent lab"
        )
    return tuple(dict.fromkeys(needs))


def _terms(
    case: Case, verdicts: list[_Verdict], tariff: bool | None, book: Book
) -> tuple[float, float | None, float | None]:
    """Share of the price that goes with a licence, the cap as a share of US shipments, and units a month."""
    held = {v.requirement.id for v in verdicts if v.truth}
    reviews = {v.review_rule for v in verdicts if v.truth}
    fee = max((t.rate for t in book.tariffs), default=0.0) if tariff else 0.0
    for charge in book.charges:
        if not charge.since <= case.on <= charge.until or (
            charge.requirement is not None and charge.requirement not in held
        ):
            continue
        if charge.exporters and case.exporter not in charge.exporters:
            continue
        if holds(charge.condition, case, book)[0] and not (charge.requirement and _other_class(case)):
            fee = max(fee, charge.rate)
    share: float | None = None
    units: float | None = None
    for cap in book.caps:
        if not cap.since <= case.on <= cap.until or (cap.review is not None and cap.review not in reviews):
            continue
        if not holds(cap.condition, case, book)[0]:
            continue
        share = cap.share_of_us_shipments if cap.share_of_us_shipments is not None else share
        units = cap.units_per_month if cap.units_per_month is not None else units
    return fee, share, units


def _other_class(case: Case) -> bool:
    """A letter's charge is for what is licensed by the letter alone; 3A090 items have their own way."""
    return case.classes != frozenset({"none"}) and "none" not in case.classes
