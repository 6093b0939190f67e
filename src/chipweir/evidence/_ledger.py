"""The ledger of claims: an append-only YAML list that people can read, one entry for each step of a claim's life.

proposed (by rules, a person or a model) -> confirmed or rejected (by a person) -> checked (with a verdict) ->
superseded (by another verdict). The latest entry of a claim holds. The text of the article is never kept: only its
hash, offsets and stretches of at most 60 characters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chipweir import reading
from chipweir.errors import InputError, UnknownName
from chipweir.evidence._check import Checked, shortened
from chipweir.evidence._files import write_whole
from chipweir.evidence._frames import Claim, templates
from chipweir.evidence._slots import Slot
from chipweir.evidence._verdict import Verdict
from chipweir.text import Document


STATES = ("proposed", "confirmed", "rejected", "checked", "superseded")
_HEADER = "# chipweir claims ledger 1. Append-only: the latest entry of a claim holds.\n"
_KEYS = frozenset({"claim", "state", "at"})
LIMITS = reading.Limits(characters=64_000_000, values=10_000_000, text=20_000)


@dataclass(frozen=True)
class Ledger:
    """The entries of a ledger file in order."""

    path: Path
    entries: tuple[dict[str, Any], ...] = ()

    def latest(self) -> dict[str, dict[str, Any]]:
        """For each claim its latest entry laid over the earlier ones, so that slots and places stay known."""
        result: dict[str, dict[str, Any]] = {}
        for entry in self.entries:
            if entry["state"] == "superseded":
                continue
            result[entry["claim"]] = {**result.get(entry["claim"], {}), **entry}
        return result

    def decided(self) -> dict[str, dict[str, Any]]:
        """For each claim what a person decided: confirmed or rejected, with the slots set by hand."""
        result: dict[str, dict[str, Any]] = {}
        for entry in self.entries:
            if entry["state"] in {"confirmed", "rejected"}:
                fixed = {**result.get(entry["claim"], {}).get("fixed", {}), **entry.get("fixed", {})}
                result[entry["claim"]] = {**entry, "fixed": fixed}
        return result


@dataclass(frozen=True)
class Change:
    """A verdict that is not what it was."""

    claim: str
    surface: str
    before: str
    after: str
    why: str


def read_ledger(path: Path) -> Ledger:
    """The ledger in a file; empty where there is none. Raises `InputError`, one line, for a damaged file."""
    if not path.exists():
        return Ledger(path)
    try:
        loaded = reading.read_yaml(path, "ledger", LIMITS).data
    except InputError as error:
        raise InputError(f"ledger is damaged: {error}; restore it or name another file") from None
    if loaded is None:
        return Ledger(path)
    if not isinstance(loaded, list):
        raise InputError(f"ledger '{path}' is damaged: expected a list of entries, got {type(loaded).__name__}")
    for number, entry in enumerate(loaded, 1):
        if (
            not isinstance(entry, dict)
            or not entry.keys() >= _KEYS
            or entry["state"] not in STATES
            or not isinstance(entry["claim"], str)
        ):
            raise InputError(
                f"ledger '{path}' is damaged: entry {number} needs a claim, a state ({', '.join(STATES)}) and a time"
            )
    return Ledger(path, tuple(loaded))


def append(ledger: Ledger, entries: Sequence[Mapping[str, Any]]) -> Ledger:
    """The ledger with more entries, written whole. What stands in the file is kept character by character."""
    if not entries:
        return ledger
    old = ledger.path.read_text(encoding="utf-8") if ledger.path.exists() else _HEADER
    added = reading.dump_yaml([_printable(entry) for entry in entries])
    write_whole(ledger.path, old + ("" if old.endswith("\n") else "\n") + added)
    return Ledger(ledger.path, (*ledger.entries, *[dict(entry) for entry in entries]))


def _printable(value: Any) -> Any:
    """What an article says may hold characters that no ledger can."""
    if isinstance(value, str):
        return reading.printable(value)
    if isinstance(value, Mapping):
        return {_printable(key): _printable(inner) for key, inner in value.items()}
    return [_printable(inner) for inner in value] if isinstance(value, list | tuple) else value


def claim_key(document: Document, claim: Claim) -> str:
    """A claim's id in the ledger: the article's hash, the frame and the place, the same in every run."""
    return f"{document.sha256[:10]}/{claim.frame}/{claim.start}-{claim.end}"


def amend(claims: Iterable[Claim], document: Document, ledger: Ledger) -> tuple[Claim, ...]:
    """The claims as people left them: rejected ones gone, slots set by hand in place of what the rules found."""
    decided = ledger.decided()
    result = []
    for claim in claims:
        entry = decided.get(claim_key(document, claim))
        if entry is None:
            result.append(claim)
        elif entry["state"] == "confirmed":
            slots = {
                name: Slot(name, value, str(value), confidence=1.0, by="person")
                for name, value in entry["fixed"].items()
            }
            result.append(
                replace(
                    claim,
                    slots={**claim.slots, **slots},
                    proposed_by="person" if claim.proposed_by != "rules" else "rules",
                )
            )
    return tuple(result)


def record(ledger: Ledger, checked: Checked, now: datetime | None = None) -> tuple[Ledger, tuple[Change, ...]]:
    """Append what is new in `checked`: claims not seen before, and verdicts that differ from the ledger's.

    Returns the ledger and the verdicts that changed since the last run.
    """
    stamp = (now or datetime.now(UTC)).replace(microsecond=0).isoformat()
    known = ledger.latest()
    entries: list[dict[str, Any]] = []
    changes = []
    for claim, verdict in checked.article.judged():
        key = claim_key(checked.document, claim)
        before = known.get(key, {}).get("verdict")
        now_is = _verdict_entry(verdict, checked)
        if key not in known:
            entries.append({"claim": key, "state": "proposed", "at": stamp, **_claim_entry(checked, claim)})
        if before is None:
            entries.append({"claim": key, "state": "checked", "at": stamp, "verdict": now_is})
        elif before["status"] != now_is["status"] or before.get("slots") != now_is["slots"]:
            why = "facts" if before.get("facts") != now_is["facts"] else "claim or model"
            changes.append(
                Change(
                    key,
                    shortened(checked.article.text[claim.start : claim.end]),
                    before["status"],
                    now_is["status"],
                    why,
                )
            )
            entries.append({"claim": key, "state": "superseded", "at": stamp, "verdict": before})
            entries.append({"claim": key, "state": "checked", "at": stamp, "verdict": now_is})
    return append(ledger, entries), tuple(changes)


def _claim_entry(checked: Checked, claim: Claim) -> dict[str, Any]:
    document = checked.document
    figure = checked.article.found.quantities[claim.quantity] if claim.quantity is not None else None
    entry: dict[str, Any] = {
        "article": {
            "sha256": document.sha256,
            "title": shortened(checked.article.title),
            "outlet": document.outlet,
            "published": document.published,
        },
        "frame": claim.frame,
        "char": list(document.given(claim.start, claim.end)),
        "span": shortened(checked.article.text[claim.start : claim.end]),
        "modality": claim.modality,
        "source": claim.attribution,
        "origins": sorted(origins_of(checked, claim)),
        "proposed_by": claim.proposed_by,
        "slots": {name: _plain(slot.value) for name, slot in claim.slots.items() if not slot.asked},
        "asked": list(claim.asked),
    }
    if figure is not None:
        entry["quantity"] = {
            "surface": shortened(figure.surface),
            "value": figure.value,
            "low": figure.low,
            "high": figure.high,
            "unit": figure.unit,
            "bound": figure.bound,
        }
    return entry


def origins_of(checked: Checked, claim: Claim) -> frozenset[str]:
    """Who stands behind a claim: the outlets its sentence cites, else those the article relays, else the outlet itself;
    nobody for a text written by a machine."""
    document, article = checked.document, checked.article
    if document.tier == "machine-written":
        return frozenset()
    cited = {one.id for one in article.mentions(claim.sentence) if one.kind == "press"}
    return frozenset(cited or document.relays or {document.outlet or document.sha256[:10]})


def _verdict_entry(verdict: Verdict, checked: Checked) -> dict[str, Any]:
    return {
        "status": verdict.status,
        "slot": verdict.slot,
        "slots": dict(verdict.slots),
        "evidence": list(dict.fromkeys(item.id for item in verdict.evidence)),
        "facts": getattr(checked.article.facts, "digest", "")[:12],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def decide(
    ledger: Ledger, key: str, state: str, fixed: Mapping[str, Any] | None = None, now: datetime | None = None
) -> Ledger:
    """Append a person's decision on a claim. `key` may be any unambiguous beginning or the end of a claim's id.

    Raises `UnknownName` for a claim or slot the ledger does not hold, `InputError` for a state no person sets.
    """
    if state not in {"confirmed", "rejected"}:
        raise InputError(f"a claim can be confirmed or rejected, not '{state}'")
    found = find_claim(ledger, key)
    entry = ledger.latest()[found]
    template = templates().get(entry.get("frame", ""))
    known = [*(template.slots if template is not None else ()), *entry.get("slots", {}), *entry.get("asked", ())]
    for slot in fixed or {}:
        if slot not in known:
            raise UnknownName("slot", slot, known, where=found)
    stamp = (now or datetime.now(UTC)).replace(microsecond=0).isoformat()
    record_ = {"claim": found, "state": state, "at": stamp}
    if fixed:
        record_["fixed"] = {name: _plain(value) for name, value in fixed.items()}  # type: ignore[assignment]
    return append(ledger, [record_])


def find_claim(ledger: Ledger, key: str) -> str:
    """The claim that `key` names. Raises `UnknownName`, or `InputError` where it names several."""
    keys = list(ledger.latest())
    if key in keys:
        return key
    found = [each for each in keys if each.startswith(key) or each.endswith(f"/{key}")]
    if not found:
        raise UnknownName("claim", key, keys, where=str(ledger.path))
    if len(found) > 1:
        raise InputError(f"'{key}' names {len(found)} claims: {', '.join(found[:4])} ...")
    return found[0]
