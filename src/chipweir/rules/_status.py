"""Decisions as the few states of a licensed channel that the world model's arrays hold."""

from chipweir.rules._judge import STRICTNESS
from chipweir.rules._records import Decision


FREE, EXCEPTION, APPROVAL, CASE_BY_CASE, DENIAL, UNKNOWN = range(6)
_BY_REVIEW = {
    "presumption_of_approval": APPROVAL, "case_by_case": CASE_BY_CASE, "presumption_of_denial": DENIAL,
    "policy_of_denial": DENIAL, "unspecified": UNKNOWN,
}  # fmt: skip


def practice_of(decision: Decision) -> str:
    """How applications are looked at, by the text where there is one and by what was in fact done where there is none."""
    bound = [found for found in decision.requirements if found.holds and not found.lifted]
    if not bound:
        return decision.review
    return max((found.practice for found in bound), key=STRICTNESS.__getitem__)


def status_of(decision: Decision) -> int:
    """The state of the licensed channel, as one of the integers of `Availability.status`."""
    if decision.licence == "no":
        return FREE
    if decision.licence == "conditional":
        return EXCEPTION
    if decision.licence == "unknown":
        return UNKNOWN
    if decision.exception not in ("none", "n/a"):
        return EXCEPTION
    return _BY_REVIEW[practice_of(decision)]
