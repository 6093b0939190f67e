"""One word for one status: what text, table, picture, page and report call an answer, in the language in force."""

from collections.abc import Mapping

from chipweir.i18n import _
from chipweir.rules._records import Decision
from chipweir.rules._words import N_


OUTCOMES: Mapping[str, str] = {
    "free": N_("no licence needed"),
    "exception": N_("may go under an exception or authorisation"),
    "licence": N_("needs a licence"),
    "conditional": N_("depends on a fact that is not stated"),
    "unknown": N_("not known"),
}
REVIEWS: Mapping[str, str] = {
    "presumption_of_approval": N_("presumption of approval"),
    "case_by_case": N_("case by case"),
    "presumption_of_denial": N_("presumption of denial"),
    "policy_of_denial": N_("policy of denial"),
    "unspecified": N_("no policy stated"),
    "n/a": N_("does not apply"),
}
ANSWERS: Mapping[str, str] = {
    "yes": N_("yes"),
    "no": N_("no"),
    "unknown": N_("unknown"),
    "conditional": N_("conditional"),
    "none": N_("none"),
    "n/a": N_("does not apply"),
}
STANCES: Mapping[str, str] = {
    "open": N_("open"),
    "discouraged": N_("discouraged"),
    "conditional": N_("conditional"),
    "blocked": N_("blocked"),
    "unknown": N_("unknown"),
}
QUESTIONS: Mapping[str, str] = {
    "classification": N_("classification"),
    "requirement": N_("licence requirement"),
    "review": N_("review policy"),
    "authorisation": N_("authorisation"),
    "import": N_("importing government"),
    "tariff": N_("tariff"),
    "flag": N_("warnings"),
    "note": N_("notes"),
}
STATES: Mapping[str, str] = {
    "in_force": N_("in force"),
    "not_due": N_("not yet due"),
    "not_enforced": N_("not enforced"),
    "stayed": N_("stayed"),
    "suspended": N_("suspended"),
    "revoked": N_("revoked"),
    "absorbed": N_("absorbed by a later rule"),
    "proposed": N_("proposed"),
    "reported": N_("reported"),
    "announced_only": N_("announced only"),
    "guidance": N_("guidance"),
    "unknown": N_("unknown"),
    "not yet": N_("not yet"),
}
ROUTES: Mapping[str, str] = {
    "export": N_("export"),
    "reexport": N_("re-export"),
    "export_from_abroad": N_("export from abroad"),
    "transfer": N_("transfer within a country"),
}
BASES: Mapping[str, str] = {
    "no requirement found": N_("no requirement found"),
    "not modelled": N_("not modelled"),
    "not covered": N_("not covered"),
}
_TABLES = {
    "outcome": OUTCOMES, "review": REVIEWS, "licence": ANSWERS, "exception": ANSWERS, "stance": STANCES,
    "question": QUESTIONS, "state": STATES, "answer": ANSWERS, "route": ROUTES,
}  # fmt: skip

STATUSES = (
    "free", "exception", "presumption_of_approval", "case_by_case", "presumption_of_denial", "unknown", "unspecified",
    "conditional", "policy_of_denial",
)  # fmt: skip
"""Answers as the integers of pictures; the first six mean what `Availability.status` means."""


def term(kind: str, word: str) -> str:
    """What a word of an answer is called. `kind`: outcome, licence, review, exception, stance, question, state, status,
    route, basis.

    An exception's or a rule's own name stands for itself.
    """
    if kind == "basis":
        known = word.partition(":")[0]
        return _(BASES[known]) if known in BASES else word
    if kind == "status":
        return _(REVIEWS[word] if word in REVIEWS else OUTCOMES[word])
    found = _TABLES[kind].get(word)
    return word.replace("_", " ") if found is None else _(found)


def status_names() -> tuple[str, ...]:
    """The names of `STATUSES`, in their order."""
    return tuple(term("status", word) for word in STATUSES)


def status_word(decision: Decision) -> str:
    """The one word of `STATUSES` for an answer: what the law says, a review as its text states it."""
    if decision.licence != "yes":
        return {"no": "free", "conditional": "conditional", "unknown": "unknown"}[decision.licence]
    return "exception" if decision.exception not in ("none", "n/a") else decision.review


def status_text(decision: Decision) -> str:
    """The answer in a few words, with the name of the exception where one serves."""
    word = status_word(decision)
    if word == "exception":
        return decision.exception
    if word == "conditional":
        served = decision.exception not in ("none", "n/a")
        return f"{term('status', word)} ({decision.exception if served else term('review', decision.review)})"
    return term("status", word)
