"""May this shipment go? The law asked, what is not stated read either way, and all other laws on the same shipment."""

from collections.abc import Mapping
from typing import Any

from chipweir.i18n import _
from chipweir.rules._asked import Shipment
from chipweir.rules._book import Book, shipped, spoken
from chipweir.rules._case import Case, prepare
from chipweir.rules._circuits import Goods, goods
from chipweir.rules._classify import classify_goods
from chipweir.rules._conditions import holds
from chipweir.rules._covered import uncovered, where_to_look
from chipweir.rules._headline import headline
from chipweir.rules._importing import flags_of, stance_of, tariff_of
from chipweir.rules._judge import STRICTNESS, Answer, Presumed, Trace, Verdict
from chipweir.rules._laws import other_laws
from chipweir.rules._questions import questions
from chipweir.rules._readings import Read, common, read
from chipweir.rules._records import Classification, Decision, Found, Margin, Step


def decide(
    shipment: Shipment | Mapping[str, Any],
    rules: Book | None = None,
    *,
    trace: bool = True,
    margins: bool | None = None,
) -> Decision:
    """May this shipment go, and if a licence is needed, how will it be looked at?

    Classification, licence requirement, review policy and authorisation are answered apart; `licence` says whether a
    requirement exists, `exception` what authorisation would stand in for the licence. What the shipment does not state is
    never read as the favourable fact: where the answer hangs on it, it is `conditional` or `unknown`, and `questions` ask
    for it. A mapping is read as the fields of a shipment. Without `trace` no tests are listed, without `margins` (as
    `trace` by default) no numbers that would change the answer. Raises `InputError`.
    """
    book = rules or shipped()
    if isinstance(shipment, Mapping):
        shipment = Shipment.of(shipment)
    stuff = goods(shipment.item)
    measured = trace if margins is None else margins
    classed = classify_goods(stuff, shipment.export_date, book, trace=trace, margins=measured)
    return decide_goods(shipment, stuff, classed, book, trace=trace, margins=measured)


def decide_goods(
    shipment: Shipment, stuff: Goods, classed: Classification, book: Book, *, trace: bool, margins: bool = False,
    whole: bool = True,
) -> Decision:  # fmt: skip
    """`decide` where the goods are resolved and classified already; not `whole`, without other laws, questions, headline."""
    classes = _classes(classed)
    case = prepare(shipment, stuff, classes, book)
    log = Trace(trace, trace or margins, list(classed.trace))
    reads = read(case, classed.possible, book, log)
    answer = common(reads)
    strict = max(reads, key=lambda one: STRICTNESS[one.answer.review]).case
    stance = stance_of(case, book, log.say)
    tariff = tariff_of(case, book, log.say)
    if shipment.regime == "CN" and not answer.verdicts and case.code == "CN" and stuff.kind in ("chip", "server"):
        answer = _import_answer(stance)
    missing_law = uncovered(case, shipment.activity, answer)
    if missing_law:
        answer = Answer("unknown", "unspecified", "n/a", f"not covered: {missing_law}", answer.verdicts)
    flags = flags_of(strict, book, log.say)
    fee, share_cap, units = _terms(strict, answer.verdicts, tariff, book)
    if trace and case.on > classed.verified_until:
        text = _("{day} is after {last}, the last day the sources cover", day=case.on, last=classed.verified_until)
        log.say(Step("note", "horizon", text, "not verified"))
    decision = Decision(
        eccn=_eccn(classed, answer.presumed), tpp=classed.tpp, pd=classed.pd, licence=answer.licence,
        review=answer.review, exception=answer.exception, basis=answer.basis, tariff_25pct=tariff, import_stance=stance,
        outcome=answer.outcome, on=case.on, to=case.code, name=stuff.name, regime=shipment.regime,
        practice=_practice(answer, reads), reviews_possible=_possible(answer, reads),
        requirements=tuple(_found(v) for v in answer.verdicts),
        readings=tuple(one.to_reading() for one in reads) if _differ(reads) and not missing_law else (),
        questions=questions(case, reads, answer, classed, book) if whole else (),
        laws=other_laws(shipment, case, classes, classed.possible, book) if whole else (),
        not_covered=where_to_look(missing_law),
        conditions=_needs(answer, book), flags=flags, assumptions=_assumptions(answer, reads, classed),
        missing=classed.missing, fee=fee, share_cap=share_cap, units_per_month=units, trace=tuple(log.steps),
        margins=_margins(classed, log), verified_until=classed.verified_until, overlays=book.overlays, as_of=book.as_of,
    )  # fmt: skip
    if whole:
        letters = any(one.case.caveats for one in reads)
        parent = any(one.case.parent_assumed for one in reads)
        object.__setattr__(decision, "headline", headline(decision, book, letters=letters, parent=parent))
    return decision


def _assumptions(answer: Answer, reads: list[Read], classed: Classification) -> tuple[str, ...]:
    """Every default that was taken, in the order it was met; beside an exception also what would spoil it."""
    said = [text for one in reads for text in one.case.assumptions]
    if answer.exception not in ("none", "n/a"):
        said += [text for one in reads for text in one.case.caveats]
    return tuple(dict.fromkeys([*said, *classed.assumptions]))


def _differ(reads: list[Read]) -> bool:
    return len({(r.answer.licence, r.answer.review, r.answer.exception) for r in reads}) > 1


def _margins(classed: Classification, log: Trace) -> tuple[Margin, ...]:
    """What would flip the class, a requirement or the review, smallest change first."""
    return tuple(sorted(dict.fromkeys([*classed.margins, *log.margins]), key=lambda margin: margin.relative))


def _classes(classed: Classification) -> frozenset[str]:
    return frozenset({"n/a"}) if classed.eccn == "n/a" else classed.possible


def _eccn(classed: Classification, presumed: Presumed | None) -> str:
    if presumed is None:
        return classed.eccn
    if presumed.holds:
        return f"3A090.{presumed.treat_as}"
    if presumed.holds is None:
        return classed.eccn if classed.eccn == f"3A090.{presumed.treat_as}" else "undetermined"
    return "not_3A090" if presumed.leaves == "free" and classed.eccn == "undetermined" else classed.eccn


# --- putting the answer together


def _import_answer(stance: str) -> Answer:
    """China's side, for questions under its rules: the stance has no licence form, so it is translated."""
    licence = {"open": "no", "discouraged": "no", "conditional": "conditional", "blocked": "yes", "unknown": "unknown"}[
        stance
    ]
    review = {"conditional": "case_by_case", "blocked": "policy_of_denial", "unknown": "unspecified"}.get(stance, "n/a")
    return Answer(licence, review, "none" if licence == "yes" else "n/a", f"import stance: {stance}", [])


def _practice(answer: Answer, reads: list[Read]) -> str:
    """How applications were in fact treated, where no text states a policy under any reading; else empty."""
    if answer.licence == "no" or any(one.answer.review not in ("unspecified", "n/a") for one in reads):
        return ""
    if any(v.policies or (v.truth is not False and v.review != "unspecified") for v in answer.verdicts):
        return ""
    held = [v.practice for v in answer.verdicts if v.truth is not False and not (v.by and v.by.lifts_requirement)]
    found = max(held, key=STRICTNESS.__getitem__, default="")
    return "" if found == "unspecified" else found


def _possible(answer: Answer, reads: list[Read]) -> tuple[str, ...]:
    """The reviews that remain possible where a missing fact leaves the review open; empty where no text states one."""
    if answer.licence != "yes" or answer.review != "unspecified":
        return ()
    found = [policy for v in answer.verdicts if v.truth for policy in v.policies]
    bound, doubtful = ([v.review for v in answer.verdicts if v.truth is one] for one in (True, None))
    if any(STRICTNESS[review] >= STRICTNESS["presumption_of_denial"] for review in doubtful):
        found += sorted({*bound, *doubtful}, key=STRICTNESS.__getitem__)  # a rule that may hold would be stricter
    by_reading = {one.answer.review for one in reads}
    if len(by_reading) > 1:
        found += sorted(by_reading - {"unspecified", "n/a"}, key=STRICTNESS.__getitem__)
    return tuple(dict.fromkeys(found))


def _found(verdict: Verdict) -> Found:
    by = verdict.by
    return Found(
        verdict.requirement.id, verdict.truth, verdict.review, verdict.review_rule, verdict.practice,
        (by.id,) if by is not None else (), by is not None and by.lifts_requirement, verdict.line,
    )  # fmt: skip


def _needs(answer: Answer, book: Book) -> tuple[str, ...]:
    """What the exceptions and reviews that serve ask for."""
    needs = []
    for verdict in answer.verdicts:
        if verdict.by is not None and verdict.by.needs:
            needs.append(f"{verdict.by.id}: {spoken(verdict.by, 'needs')}")
        rule = book.instruments.get(verdict.review_rule)
        if rule is not None and rule.terms and verdict.review == "case_by_case":
            needs.append(f"{rule.id}: {spoken(rule, 'terms')}")
    return tuple(dict.fromkeys(needs))


def _terms(
    case: Case, verdicts: list[Verdict], tariff: bool | None, book: Book
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
