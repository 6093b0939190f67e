"""One law on one case: which requirements hold, how applications are looked at, what stands in for a licence."""

from dataclasses import dataclass, field
from fractions import Fraction

from chipweir.i18n import _
from chipweir.rules._book import Authorisation, Book, Presumption, Requirement, Review, called, spoken
from chipweir.rules._case import Case
from chipweir.rules._conditions import Compared, Truth, holds, reaching
from chipweir.rules._limits import boundaries
from chipweir.rules._records import Margin, Step
from chipweir.rules._terms import term
from chipweir.rules._when import Condition


STRICTNESS = {
    "n/a": 0, "presumption_of_approval": 1, "case_by_case": 2, "unspecified": 3, "presumption_of_denial": 4,
    "policy_of_denial": 5,
}  # fmt: skip
"""Reviews from the most to the least favourable. A policy that nobody states may be a denial, so it ranks before one."""


def truth_word(one: Truth) -> str:
    """yes, no or unknown."""
    return "unknown" if one is None else "yes" if one else "no"


@dataclass(slots=True)
class Trace:
    """Collects steps where they are wanted, and margins where those are measured; costs nothing where they are not."""

    wanted: bool
    measured: bool
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
        """The tests of a rule and what comes of them."""
        if not self.wanted:
            return
        for row in rows:
            self.row(question, rule.id, row, rule.sources, rule.confidence)
        if outcome == "no" and rows:
            return  # the test that failed says it all
        title = called(rule)
        self.steps.append(
            Step(question, rule.id, title, outcome, sources=rule.sources, confidence=rule.confidence, note=note)
        )

    def refused(self, requirement: Requirement, row: Compared) -> None:
        """A requirement that a place, a party or the kind of goods keeps out: one step."""
        if self.wanted:
            self.row("requirement", requirement.id, row, requirement.sources, requirement.confidence)

    def row(self, question: str, rule: str, row: Compared, sources: tuple[str, ...], confidence: str) -> None:
        """One comparison. Its step is kept with it: comparisons that shipments share are made once."""
        for step in row.steps:
            if step.rule == rule and step.question == question:
                self.steps.append(step)
                return
        step = Step(
            question, rule, row.text, truth_word(row.truth), row.value, row.sign, row.threshold, sources, confidence
        )  # fmt: skip
        row.steps.append(step)
        self.steps.append(step)

    def say(self, step: Step) -> None:
        """A step that is ready."""
        if self.wanted:
            self.steps.append(step)

    def near(self, condition: Condition, case: Case, truth: Truth, rows: list[Compared], yes: str, no: str) -> None:
        """Note how far each number is from changing whether a condition holds, where one number alone can change it."""
        if not self.measured or truth is None:
            return
        becomes = no if truth else yes
        if len(case.circuits) == 1 and condition.any_of and (truth or all(row.sign for row in rows)):
            for quantity, value, sign, threshold in boundaries(condition.any_of, case.circuits[0].numbers, truth):
                self.margins.append(Margin(quantity, value, sign, threshold, becomes))
        plain = [row for row in rows if row.sign is not None and isinstance(row.threshold, Fraction) and row.value]
        if condition.any_of or (truth is False and len(plain) != len(rows)):
            return
        if truth or (len(condition.tests) == 1 and not condition.every) or _one_test(condition):
            for row in plain:
                self.margins.append(Margin(row.asks, row.value, str(row.sign), row.threshold, becomes))


def _one_test(condition: Condition) -> bool:
    return bool(condition.every) and all(len(way.tests) == 1 for way in condition.every)


@dataclass(slots=True)
class Verdict:
    """One requirement found, with what is needed to put the answer together.

    `asks`: what would settle a doubt; `policies`: the reviews that remain possible for want of a fact; `presumed_letter`:
    what to say of a letter that is not certain to reach the exporter.
    """

    requirement: Requirement
    truth: Truth
    review: str
    review_rule: str
    practice: str
    by: Authorisation | None
    asks: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    presumed_letter: str = ""
    line: Review | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """How an application is looked at: policy, the rule that says so, practice, the line itself; where a fact is missing
    the policies that remain possible, and what would settle which of them it is."""

    policy: str
    rule: str
    practice: str
    line: Review | None = None
    possible: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Presumed:
    """Outcome of a presumption: `holds` True, False (overcome), or None (open); `leaves` what it leaves if overcome."""

    holds: Truth
    rule: str
    treat_as: str
    leaves: str = ""


@dataclass(slots=True)
class Answer:
    """What one law says of one case."""

    licence: str
    review: str
    exception: str
    basis: str
    verdicts: list[Verdict]
    presumed: Presumed | None = None

    @property
    def outcome(self) -> str:
        """One word for a reader: free, exception, licence, conditional or unknown."""
        if self.licence == "yes":
            return "licence" if self.exception in ("none", "n/a") else "exception"
        return {"no": "free", "unknown": "unknown", "conditional": "conditional"}[self.licence]


def judge(case: Case, possible: frozenset[str], book: Book, log: Trace) -> Answer:
    """The answer of the law `case.regime` to a case whose goods are classified (`possible` by their numbers)."""
    presumed = _presumption(case, possible, book, log) if case.regime == "US" else None
    verdicts = _requirements(case, book, log)
    return _answer(_without_presumed_letters(verdicts, case), presumed)


# --- the foundry presumption


def _presumption(case: Case, possible: frozenset[str], book: Book, log: Trace) -> Presumed | None:
    """Apply a presumption to the case: its classes become those presumed, or those attested."""
    for presumption in book.presumptions:
        if not presumption.since <= case.on <= presumption.until:
            continue
        if book.state(presumption.instrument, case.on, case.mode) != "in_force":
            continue
        reached, rows = holds(presumption.condition, case, book)
        log.add("classification", presumption, rows, truth_word(reached), _("presumed 3A090.a and for data centres"))
        if reached is False:
            continue
        result = _ways_out(presumption, case, book, log, reached)
        if result.holds:
            case.classes = frozenset({presumption.treat_as})
        elif result.holds is None:
            case.classes = case.classes | {presumption.treat_as, "none"}
        elif result.leaves == "free" and len(possible) > 1:
            case.classes = frozenset({"none"})
        return result
    return None


def _ways_out(presumption: Presumption, case: Case, book: Book, log: Trace, reached: Truth) -> Presumed:
    """The burden is on the exporter: a way out that the shipment does not show to be open is none."""
    for way in presumption.ways_out:
        if not way.since <= case.on <= way.until:
            continue
        one, rows = holds(way.condition, case, book)
        if log.wanted:
            for row in rows:
                log.row("classification", way.id, row, presumption.sources, presumption.confidence)
            text = spoken(way, "what")
            log.say(Step("classification", way.id, text, truth_word(one), sources=presumption.sources,
                         confidence=presumption.confidence))  # fmt: skip
        if one:
            return Presumed(None if way.leaves == "unknown" else False, way.id, presumption.treat_as, way.leaves)
    return Presumed(reached, presumption.id, presumption.treat_as)


# --- requirements, reviews, authorisations


def _requirements(case: Case, book: Book, log: Trace) -> list[Verdict]:
    found = []
    for reach in reaching(case, book, refused=log.wanted):
        requirement, state = reach.requirement, reach.state
        if reach.out:
            log.refused(requirement, reach.out[0])
            continue
        truth, rows = holds(requirement.condition, case, book)
        if truth is False and not any(row.sign for row in rows):
            log.refused(requirement, rows[-1])
            continue
        presumed_letter = ""
        if log.measured and (requirement.letter is None or _addressed(requirement, case, True)[0].truth):
            applies = _("{rule} applies", rule=requirement.id)
            spared = _("{rule} does not apply", rule=requirement.id)
            log.near(requirement.condition, case, truth, rows, applies, spared)
        note = spoken(requirement, "note") if log.wanted else ""
        if truth is not False and requirement.letter is not None:
            row, said = _addressed(requirement, case, truth)
            truth, rows = row.truth, [*rows, row]
            presumed_letter = said if truth is not False else ""
        asks = tuple(row.asks for row in rows if row.truth is None and row.asks)
        if truth and (state == "unknown" or requirement.unknown):
            truth = None
            asks = (*asks, f"rule:{requirement.id}" if requirement.unknown else f"law:{requirement.instrument}")
            note = note or _("{instrument}: whether it is in force on that day is not known",
                             instrument=requirement.instrument)  # fmt: skip
        log.add("requirement", requirement, rows if truth is not False else rows[-1:], truth_word(truth), note)
        if truth is not False:
            look = _review(requirement.review, requirement, case, book, log)
            by = _authorised(requirement, case, book, log)
            found.append(
                Verdict(requirement, truth, look.policy, look.rule, look.practice, by, (*asks, *look.wants), look.possible,
                        presumed_letter, look.line)
            )  # fmt: skip
    return found


def _addressed(requirement: Requirement, case: Case, truth: Truth) -> tuple[Compared, str]:
    """A letter binds its addressees; for others the answer is unknown, unless it is known to concern one firm only.

    Returns also what is to be said where it is not certain that the letter reaches this exporter: its maker is taken for
    one that is not stated, and other addressees are not known.
    """
    letter = requirement.letter
    assert letter is not None
    who = case.exporter or _("not stated")
    text = _("letter addressed to exporter {who}", who=who)
    since = letter.addressees.get(case.exporter)
    if since is not None and since <= case.on:
        if not case.exporter_assumed:
            return Compared(text, truth), ""
        beside = _("exporter not stated: if it is {maker}, {rule} stands beside and no exception lifts it",
                   maker=case.exporter, rule=requirement.id)  # fmt: skip
        return Compared(text, truth), beside
    if truth is None and case.exporter not in letter.addressees:
        left_out = _("bandwidth or interconnect not stated: letters to other exporters left out")
        return Compared(left_out, False), left_out
    if letter.unknown_for:
        concerned = case.exporter in letter.unknown_for
        asked = _("letter may be addressed to exporter {who}", who=who)
        return Compared(asked, None if concerned else False, asks="letter"), ""
    if letter.silent_for_others:
        return Compared(text, False), ""
    others = _("letter addressed to exporter {who}: other addressees are not known", who=who)
    beside = _("taken to have received no is-informed letter; one would stand beside ({rule})", rule=requirement.id)
    return Compared(others, None, asks="letter"), beside


def _review(lines: tuple[Review, ...], requirement: Requirement, case: Case, book: Book, log: Trace) -> Looked:
    """The policy of the first line that holds; where a line's condition is unknown and matters, unspecified."""
    doubtful: list[str] = []
    wants: list[str] = []
    for line in lines:
        one, rows = holds(line.when, case, book)
        rule = line.id or requirement.id
        if log.measured:
            named = term("review", line.policy)
            stays = _("review {policy}", policy=named)
            goes = _("no longer {policy} under {rule}", policy=named, rule=rule)
            log.near(line.when, case, one, rows, stays, goes)
        if log.wanted:
            for row in rows:
                log.row("review", rule, row, line.sources, line.confidence)
        if one is None:
            doubtful.append(line.policy)
            wants += [row.asks for row in rows if row.truth is None and row.asks]
        elif one:
            possible = tuple(dict.fromkeys([*doubtful, line.policy]))
            policy = line.policy if len(possible) == 1 else "unspecified"
            if log.wanted:
                note = spoken(line, "note")
                if len(possible) > 1:
                    note = _("{policies}, for want of a fact", policies=_(" or ").join(possible))
                log.say(Step("review", rule, _("review policy"), policy, sources=line.sources,
                             confidence=line.confidence, note=note))  # fmt: skip
            if len(possible) > 1:
                return Looked(policy, rule, policy, line, possible, tuple(wants))
            return Looked(policy, rule, line.practice or policy, line)
    return Looked("unspecified", requirement.id, "unspecified")


def _authorised(requirement: Requirement, case: Case, book: Book, log: Trace) -> Authorisation | None:
    """What of the authorisations that the requirement names matches the case: one that removes it before all others."""
    matching = []
    for key in requirement.exceptions:
        for authorisation in book.authorisations:
            if authorisation.key != key or not authorisation.since <= case.on <= authorisation.until:
                continue
            if book.state(authorisation.instrument, case.on, case.mode) != "in_force":
                continue
            one, rows = _some(authorisation, case, book)
            if one:
                log.add("authorisation", authorisation, rows, "yes", spoken(authorisation, "needs"))
                matching.append(authorisation)
            else:
                log.add("authorisation", authorisation, rows[-1:], truth_word(one))
    return max(matching, key=lambda entry: entry.lifts_requirement, default=None)


def _some(authorisation: Authorisation, case: Case, book: Book) -> tuple[Truth, list[Compared]]:
    """Whether one of the alternative conditions holds; an authorisation is never taken for granted."""
    found: Truth = False
    rows: list[Compared] = []
    for condition in authorisation.conditions:
        one, rows = holds(condition, case, book)
        if one:
            return True, rows
        found = None if one is None else found
    return found, rows


# --- putting the answer together


def _without_presumed_letters(verdicts: list[Verdict], case: Case) -> list[Verdict]:
    """The requirements without letters that are not certain to reach the exporter, where another one holds anyway.

    Nothing but an exception hangs on them there; that they are left out is said beside it.
    """
    if not any(v.truth and not v.presumed_letter and not (v.by and v.by.lifts_requirement) for v in verdicts):
        return verdicts
    case.caveats += [v.presumed_letter for v in verdicts if v.presumed_letter]
    return [v for v in verdicts if not v.presumed_letter]


def _answer(verdicts: list[Verdict], presumed: Presumed | None) -> Answer:
    """licence, review, exception and basis."""
    certain = [v for v in verdicts if v.truth]
    bound = [v for v in certain if v.by is None or not v.by.lifts_requirement]
    doubtful = [v for v in verdicts if v.truth is None and (v.by is None or not v.by.lifts_requirement)]
    if bound:
        if any(v.by is None and v.requirement.letter is None for v in bound):
            bound, doubtful = _with_policy(bound), _with_policy(doubtful)
        strict = max(bound, key=lambda v: (v.by is None, STRICTNESS[v.review], v.requirement.letter is None))
        exception = strict.by.id if strict.by is not None and all(v.by is not None for v in doubtful) else "none"
        way = "" if strict.review_rule == strict.requirement.id else f", review {strict.review_rule}"
        return Answer("yes", _strictest(bound, doubtful), exception, strict.requirement.id + way, verdicts, presumed)
    if doubtful:
        attested = presumed is not None and presumed.leaves == "numbers"
        if attested and all(v.requirement.letter is None for v in doubtful):
            assert presumed is not None
            strict = max(doubtful, key=lambda v: STRICTNESS[v.review])
            return Answer("conditional", strict.review, "none", presumed.rule, verdicts, presumed)
        return Answer("unknown", "unspecified", "n/a", doubtful[0].requirement.id, verdicts, presumed)
    if certain:
        carve_out = certain[0].by
        assert carve_out is not None
        return Answer("no", "n/a", carve_out.id, carve_out.instrument or carve_out.id, verdicts, presumed)
    overcome = presumed is not None and presumed.holds is False
    basis = presumed.rule if presumed is not None and overcome else "no requirement found"
    return Answer("no", "n/a", "n/a", basis, verdicts, presumed)


def _with_policy(verdicts: list[Verdict]) -> list[Verdict]:
    """The requirements less letters without a policy: beside a regulation that no exception lifts, its policy governs."""
    return [v for v in verdicts if v.requirement.letter is None or v.review != "unspecified"]


def _strictest(bound: list[Verdict], doubtful: list[Verdict]) -> str:
    """The strictest review; not known where a requirement that may hold would be looked at more strictly."""
    review = max((v.review for v in bound), key=STRICTNESS.__getitem__)
    if STRICTNESS[review] >= STRICTNESS["presumption_of_denial"]:
        return review
    stricter = any(STRICTNESS[v.review] > STRICTNESS[review] for v in doubtful)
    return "unspecified" if stricter else review
