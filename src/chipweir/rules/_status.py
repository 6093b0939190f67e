"""Decisions as the few states of a licensed channel that arrays and pictures hold."""

from chipweir.rules._decide import REVIEW_STRICTNESS
from chipweir.rules._records import Decision


FREE, EXCEPTION, APPROVAL, CASE_BY_CASE, DENIAL, UNKNOWN = range(6)
STATUS_NAMES = ("free", "exception or notification", "presumption of approval", "case by case", "denial", "unknown")
_BY_REVIEW = {
    "presumption_of_approval": APPROVAL, "case_by_case": CASE_BY_CASE, "presumption_of_denial": DENIAL,
    "policy_of_denial": DENIAL, "unspecified": UNKNOWN,
}  # fmt: skip


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
    bound = [found for found in decision.requirements if found.holds and not found.lifted]
    return _BY_REVIEW[max((found.practice for found in bound), key=REVIEW_STRICTNESS.__getitem__)]
