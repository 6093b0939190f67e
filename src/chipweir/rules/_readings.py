"""What is not stated, read either way: the answer under each reading, and what they have in common."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from chipweir.i18n import _
from chipweir.rules._book import Book
from chipweir.rules._case import Case
from chipweir.rules._judge import STRICTNESS, Answer, Trace, Verdict, judge
from chipweir.rules._records import Reading, altered


BARRED_SEAT = "CN"
"""Stands for any seat in D:5 or Macau where a recipient's seat is read as one."""


@dataclass(slots=True)
class Read:
    """One reading of a case: which fact it fixes and how, and what the law then says."""

    code: str
    case: Case
    answer: Answer

    def to_reading(self) -> Reading:
        """As a decision holds it."""
        a = self.answer
        return Reading(self.code, reading_text(self.code, self.case), a.licence, a.review, a.exception, a.basis)


def reading_text(code: str, case: Case) -> str:
    """A reading in words."""
    texts = {
        "seat:elsewhere": _("seat and ultimate parent outside D:5 and Macau"),
        "seat:barred": _("seat or ultimate parent in D:5 or Macau"),
        "facility:legacy": _("no advanced-node circuits are made at the facility"),
        "facility:advanced": _("advanced-node circuits are made at the facility, or its node is not known"),
    }
    return _(" and ").join(texts[part] for part in code.split(" "))


def read(case: Case, possible: frozenset[str], book: Book, log: Trace) -> list[Read]:
    """The answer under each reading of what is open; a single one, without a code, where nothing is."""
    reads: list[Read] = []
    for code, one in _cases(case, book):
        own = log if not reads else Trace(log.wanted, log.measured, [])
        answer = judge(one, possible, book, own)
        if reads and log.measured:
            _append(log, own, reading_text(code, one))
        reads.append(Read(code, one, answer))
    return reads


def _append(log: Trace, own: Trace, text: str) -> None:
    """The steps that a further reading adds."""
    known = {(step.rule, step.test, step.outcome, step.note) for step in log.steps}
    log.steps += [
        step.under(text) for step in own.steps if (step.rule, step.test, step.outcome, step.note) not in known
    ]
    log.margins += own.margins


def _cases(case: Case, book: Book) -> Iterator[tuple[str, Case]]:
    seats: list[tuple[str, frozenset[str] | None]] = [("", None)]
    if case.seat_open:
        seats = [("seat:elsewhere", case.seats), ("seat:barred", frozenset({BARRED_SEAT}))]
    facilities: list[tuple[str, str | None]] = [("", None)]
    if case.facility_open and book.within(case.to, ("D:5", "MO"), case.on):
        facilities = [("facility:legacy", "legacy_fab"), ("facility:advanced", "advanced_fab")]
    for seat_code, seat in seats:
        for facility_code, user in facilities:
            code = " ".join(part for part in (seat_code, facility_code) if part)
            changed = case
            if seat is not None:
                changed = altered(changed, seats=seat)
            if user is not None:
                changed = altered(changed, users=changed.users | {user})
            yield code, changed


def common(reads: list[Read]) -> Answer:
    """What the readings come to: the same answer, or one that says that it depends."""
    if len(reads) == 1:
        return reads[0].answer
    answers = [one.answer for one in reads]
    verdicts = _merged(answers)
    licences = {answer.licence for answer in answers}
    if len({(a.licence, a.review, a.exception) for a in answers}) == 1:
        return replace(answers[0], verdicts=verdicts)
    if "unknown" in licences:
        first = next(answer for answer in answers if answer.licence == "unknown")
        return replace(first, verdicts=verdicts)
    needing = [answer for answer in answers if answer.licence != "no"]
    strict = max(
        needing, key=lambda answer: (answer.exception == "none", STRICTNESS[answer.review]), default=answers[0]
    )
    if licences == {"no"}:
        return replace(strict, verdicts=verdicts)
    if licences != {"yes"}:
        review = max((answer.review for answer in needing), key=STRICTNESS.__getitem__)
        return replace(strict, licence="conditional", review=review, verdicts=verdicts)
    reviews = {answer.review for answer in answers}
    review = strict.review if len(reviews) == 1 else "unspecified"
    return replace(strict, review=review, exception=_exception(answers), verdicts=verdicts)


def _exception(answers: list[Answer]) -> str:
    """The exception that serves under every reading; several where each has its own."""
    names = list(dict.fromkeys(answer.exception for answer in answers))
    return "none" if "none" in names else " or ".join(names)


def _merged(answers: list[Answer]) -> list[Verdict]:
    """The requirements of all readings; one that does not hold under each of them may hold."""
    found: dict[str, list[Verdict]] = {}
    for answer in answers:
        for verdict in answer.verdicts:
            found.setdefault(verdict.requirement.id, []).append(verdict)
    merged = []
    for verdicts in found.values():
        first = verdicts[0]
        everywhere = len(verdicts) == len(answers) and all(v.truth for v in verdicts)
        same_review = len({v.review for v in verdicts}) == 1
        same_way = len({v.by.id if v.by else "" for v in verdicts}) == 1
        merged.append(
            replace(first, truth=True if everywhere else None, review=first.review if same_review else "unspecified",
                    by=first.by if same_way else None)
        )  # fmt: skip
    return merged
