"""Named checks of everything loaded. A check is a function from `Facts` to findings; `CHECKS` lists them by name."""

from collections.abc import Iterable

from chipweir.facts import _check_facts, _check_records  # noqa: F401  (they register their checks)
from chipweir.facts._checks import CHECKS, Finding
from chipweir.facts._facts import Facts


__all__ = ["CHECKS", "Finding", "verify"]


def verify(facts: Facts, names: Iterable[str] | None = None) -> list[Finding]:
    """Findings of the named checks (all by default); known ones carry the reason that excuses them.

    An exception that excuses nothing is itself a finding, so that the list cannot rot.
    """
    reasons = {(exception["check"], exception["id"]): exception["reason"] for exception in facts.exceptions}
    wanted = list(CHECKS) if names is None else list(names)
    found = [
        Finding(name, identifier, origin, message, reasons.get((name, identifier), ""))
        for name in wanted
        for identifier, origin, message in CHECKS[name](facts)
    ]
    used = {(finding.check, finding.id) for finding in found}
    stale = [key for key in reasons if key not in used and key[0] in wanted]
    return found + [
        Finding("stale-exceptions", identifier, "exceptions.yaml", f"nothing to excuse under check '{name}'")
        for name, identifier in stale
    ]
