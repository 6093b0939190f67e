"""The answer in one sentence, prohibitions first."""

from chipweir.i18n import _
from chipweir.rules._book import Book, called
from chipweir.rules._records import Decision
from chipweir.rules._terms import term
from chipweir.rules._words import N_


REGIME_ADJECTIVES = {
    "US": N_("US law"), "CN": N_("Chinese law"), "MY": N_("Malaysian law"), "KR": N_("Korean law"),
}  # fmt: skip


def headline(decision: Decision, book: Book, *, letters: bool = False, parent: bool = False) -> str:
    """What a reader takes away: whether it may go, how an application is looked at, on what a clearance rests.

    `letters`: that an exception serves rests on the exporter's having received no is-informed letter; `parent`: the ultimate
    parent is taken to sit where the recipient does.
    """
    parts = [_prohibition(decision, book), _answer(decision, parent=parent)]
    if decision.outcome in ("exception", "conditional"):
        parts.append(_("That rests on parties and end use being as assumed."))
    if letters and decision.outcome == "exception":
        parts.append(_("Not where the exporter has received an is-informed letter: no exception lifts one."))
    parts += _others(decision)
    if decision.on > decision.verified_until:
        parts.append(_("The sources end on {day}; what came later is not in this answer.", day=decision.verified_until))
    return " ".join(part for part in parts if part)


def _prohibition(decision: Decision, book: Book) -> str:
    """What forbids more than a missing licence, or is a matter of who takes part."""
    if decision.gp10_risk and (
        decision.eccn == "undetermined" or any(one.code == "maker" for one in decision.questions)
    ):
        return _("Do not proceed before it is settled whether General Prohibition 10 stands against it: it does against "
                 "dealing in circuits of Chinese makers that meet 3A090, anywhere.")  # fmt: skip
    if decision.gp10_risk:
        return _("Do not proceed without an authorisation of BIS: General Prohibition 10 stands against dealing in this "
                 "Chinese circuit anywhere.")  # fmt: skip
    for found in decision.requirements:
        if found.holds and not found.exceptions and found.rule.startswith("US-744"):
            rule = next((entry for entry in book.requirements if entry.id == found.rule), None)
            if rule is not None:
                return _("Barred party or end use: {rule}.", rule=called(rule))
    return ""


def _answer(decision: Decision, *, parent: bool) -> str:
    law = _(REGIME_ADJECTIVES[decision.regime])
    if decision.not_covered:
        return f"{law}: {decision.not_covered}."
    outcome = term("outcome", decision.outcome)
    if decision.licence == "yes":
        review = term("review", decision.review)
        if decision.reviews_possible:
            words = decision.reviews_possible
            words = words if len(words) > 1 else (*words, "unspecified")
            names = _(" or ").join(term("review", word) for word in words)
            review = _("{reviews}, depending on a fact not stated", reviews=names)
        if decision.outcome == "exception":
            return _("{law}: {outcome} ({exception}); behind it {review}.",
                     law=law, outcome=outcome, exception=decision.exception, review=review)  # fmt: skip
        if decision.practice:
            return _("{law}: {outcome}; {review} (in practice {practice}); no exception.", law=law, outcome=outcome,
                     review=review, practice=term("review", decision.practice))  # fmt: skip
        return _("{law}: {outcome}; {review}; no exception.", law=law, outcome=outcome, review=review)
    if decision.licence == "no":
        if decision.exception not in ("n/a", "none"):
            return _(
                "{law}: {outcome} (carve-out {exception}).", law=law, outcome=outcome, exception=decision.exception
            )
        if parent:
            return _("{law}: {outcome}, as far as the ultimate parent, parties and end use are as assumed.",
                     law=law, outcome=outcome)  # fmt: skip
        return _("{law}: {outcome}, as far as parties and end use are as assumed.", law=law, outcome=outcome)
    if decision.readings:
        cases = "; ".join(
            _("{answer} if {case}", answer=_short(one.licence, one.review, one.exception), case=one.says)
            for one in decision.readings
        )
        return f"{law}: {outcome}: {cases}."
    asks = decision.questions[0].asks if decision.questions else ""
    return f"{law}: {outcome}. {asks}".strip()


def _short(licence: str, review: str, exception: str) -> str:
    if licence == "no":
        return term("outcome", "free")
    if licence == "unknown":
        return term("outcome", "unknown")
    way = exception if exception not in ("none", "n/a") else term("review", review)
    return f"{term('outcome', 'licence')} ({way})"


def _others(decision: Decision) -> list[str]:
    """Other laws that stand in the way, or may."""
    said = []
    for law in decision.laws:
        if law.outcome == "free":
            continue
        name = _(REGIME_ADJECTIVES[law.regime]) if law.regime in REGIME_ADJECTIVES else law.regime
        if law.regime not in REGIME_ADJECTIVES:
            continue
        not_modelled = law.basis.startswith("not covered")
        said.append(
            f"{name}: {law.says}." if not_modelled else f"{name}: {term('outcome', law.outcome)} ({law.basis})."
        )
    return said
