"""What an applicant certifies under the review rule of January 2026, however it is written."""

import re
from collections.abc import Mapping

from chipweir.errors import InputError
from chipweir.rules._words import flag, folded, word


ALL_CERTIFICATIONS = (
    "us_availability", "no_us_delay", "no_foundry_diversion", "half_cap", "no_prohibited_end_use", "kyc", "us_lab_test",
)  # fmt: skip
"""What the rule of January 2026 asks an applicant to certify."""


def certifications(value: object) -> frozenset[str] | None:
    """The certifications given; None where nothing is said about them."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return frozenset(ALL_CERTIFICATIONS) if value else frozenset()
    if isinstance(value, str):
        return _spelt_certifications(value)
    if isinstance(value, Mapping):
        held = [key for key, given in value.items() if flag(given, f"certifications, {key}")]
        for key in value:
            _certificate(key)
        return frozenset(part for key in held for part in _certificate(key))
    if isinstance(value, list | tuple | set | frozenset):
        return frozenset(part for entry in value for part in _certificate(entry))
    raise InputError(f"certifications: expected a list, 'all' or 'none', got {str(value)[:60]!r}")


_ALL = frozenset({"all", "complete", "full", "yes", "true", "allmet", "met", "allconditionsmet", "allgiven", "given"})
_NONE = frozenset({"none", "no", "false", "missing", "notmet", "incomplete", "partial", "notgiven", "absent"})


def _spelt_certifications(text: str) -> frozenset[str]:
    """'all', 'none', 'missing us lab test', or several separated by ';', ',' or '|'."""
    key = folded(text)
    if key in _ALL | _NONE:
        return frozenset(ALL_CERTIFICATIONS) if key in _ALL else frozenset()
    pieces = [piece.strip() for piece in text.replace("|", ";").replace(",", ";").split(";") if piece.strip()]
    match = (
        re.match(r"(?:all[ _]but|all[ _]except|missing|without|lacking)[ _:]+(.+)", pieces[0], re.IGNORECASE)
        if pieces
        else None
    )
    if match:
        lacking = {part for piece in (match[1], *pieces[1:]) for part in _certificate(piece)}
        return frozenset(ALL_CERTIFICATIONS) - lacking
    return frozenset(part for piece in pieces for part in _certificate(piece))


def _certificate(text: object) -> tuple[str, ...]:
    if isinstance(text, str) and folded(text) in ("all", "allcertifications", "all8"):
        return ALL_CERTIFICATIONS
    return (word("certifications", text, "certification"),)
