"""Going through proposed claims one by one: accept, fix a slot, reject. The same words work from a terminal and a script."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from chipweir import reading
from chipweir.errors import InputError
from chipweir.evidence._ledger import Ledger, decide


HELP = "accept | fix SLOT=VALUE ... | reject | skip | quit"


def pending(ledger: Ledger) -> list[str]:
    """Claims that no person has decided on, in the order they were proposed."""
    decided = ledger.decided()
    return [key for key in ledger.latest() if key not in decided]


def describe(ledger: Ledger, key: str) -> str:
    """A claim in a few lines: its words, frame, slots, what is asked for, and its verdict if it has one."""
    entry = ledger.latest()[key]
    lines = [f"{key}", f"  “{entry.get('span', '')}”", f"  {entry.get('frame', '?')} · {entry.get('modality', '?')}"]
    quantity = entry.get("quantity")
    if quantity:
        lines.append(f"  figure: {quantity['surface']} = {quantity['value']} {quantity['unit']} ({quantity['bound']})")
    lines += [f"  {name}: {value}" for name, value in entry.get("slots", {}).items()]
    if entry.get("asked"):
        lines.append(f"  open: {', '.join(entry['asked'])}")
    verdict = entry.get("verdict")
    if verdict:
        lines.append(
            f"  verdict: {verdict['status']} [{verdict['slot']}] from {', '.join(verdict['evidence'][:4]) or 'nothing'}"
        )
    return "\n".join(lines)


def parse_fixes(words: Iterable[str]) -> dict[str, Any]:
    """`SLOT=VALUE` pairs; a value that is a JSON number, list or null is read as one, anything else is text.

    Raises `InputError` for a word that is no such pair.
    """
    result: dict[str, Any] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or not name.strip() or not value.strip():
            raise InputError(f"'{word}' is no SLOT=VALUE pair, such as product=huawei-ascend-910c")
        try:
            result[name.strip()] = reading.parse_json(value, word)
        except InputError:
            result[name.strip()] = value.strip()
    return result


def act(ledger: Ledger, key: str, command: str) -> tuple[Ledger, str]:
    """Carry out one command on a claim: the ledger after it and `decided`, `skipped` or `quit`. Raises `InputError`."""
    words = command.split()
    verb = words[0].casefold() if words else "skip"
    if verb in {"a", "accept", "y", "yes"}:
        return decide(ledger, key, "confirmed"), "decided"
    if verb in {"r", "reject", "n", "no"}:
        return decide(ledger, key, "rejected"), "decided"
    if verb in {"f", "fix"}:
        fixes = parse_fixes(words[1:])
        if not fixes:
            raise InputError("fix needs at least one SLOT=VALUE pair")
        return decide(ledger, key, "confirmed", fixes), "decided"
    if verb in {"s", "skip"}:
        return ledger, "skipped"
    if verb in {"q", "quit", "exit"}:
        return ledger, "quit"
    raise InputError(f"'{verb}' is none of: {HELP}")


def review(ledger: Ledger, ask: Callable[[str], str], tell: Callable[[str], None]) -> Ledger:
    """Ask about every pending claim until there is none or the answer is `quit`; a mistyped answer is asked again.

    Each decision is written before the next question.
    """
    for key in pending(ledger):
        tell(describe(ledger, key))
        while True:
            try:
                ledger, outcome = act(ledger, key, ask(HELP))
            except EOFError:
                return ledger
            except InputError as error:
                tell(f"  {error}")
                continue
            break
        if outcome == "quit":
            break
    return ledger


def summary(ledger: Ledger) -> dict[str, Any]:
    """How many claims are in which state, and which are pending."""
    latest = ledger.latest()
    decided = ledger.decided()
    states = [decided[key]["state"] if key in decided else entry["state"] for key, entry in latest.items()]
    return {
        "ledger": str(ledger.path),
        "claims": len(latest),
        "states": {state: states.count(state) for state in dict.fromkeys(states)},
        "pending": pending(ledger),
    }


def load(path: Path) -> Ledger:
    """The ledger to review. Raises `InputError` where there is none: a review of nothing is a mistyped name."""
    from chipweir.evidence._ledger import read_ledger

    if not path.is_file():
        raise InputError(f"no ledger at '{path}': 'chipweir check ARTICLE --ledger {path}' writes one")
    return read_ledger(path)
