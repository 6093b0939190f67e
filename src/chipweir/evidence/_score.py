"""Scoring frames and issues against an annotated ledger, beside the figures and names that `_eval` scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chipweir.evidence._check import Checked, check_document
from chipweir.evidence._eval import evaluate, load_ledger, same_entity
from chipweir.evidence._frames import Claim, propose
from chipweir.evidence._issues import Issue, across
from chipweir.text import Extraction


# Kinds of issue that name the same thing in a ledger and here.
_SAME_TYPE: Mapping[str, frozenset[str]] = {
    "cross-seed": frozenset({"cross-document"}),
    "fact-error": frozenset({"fact-error", "interpretation", "category"}),
    "as-of": frozenset({"as-of", "metadata"}),
    "attribution": frozenset({"attribution"}),
    "metadata": frozenset({"metadata"}),
    "extraction-trap": frozenset({"extraction-trap"}),
    "unsupported": frozenset({"unsupported"}),
}
_NEAR = 160


def score_ledger(ledger: str | Path, articles: str | Path) -> dict[str, Any]:
    """Scores of an annotated ledger on the folder of its articles: figures, names, frames and issues; and what was missed.

    Raises `InputError` where the ledger or an article is missing.
    """
    loaded = load_ledger(ledger)
    result = evaluate(loaded, articles, frames=score_frames)
    checked = _checked(loaded, Path(articles))
    issues = score_issues(loaded, checked)
    total = {**result["total"], **{f"frames_{name}": count for name, count in result.get("frames", {}).items()}}
    total |= {"issues": issues["total"], "issues_reported": len(issues["reported"])}
    return {**result, "total": total, "issues": issues, "missed_issues": issues["missed"]}


def _checked(ledger: Mapping[str, Any], folder: Path) -> dict[str, Checked]:
    from chipweir.evidence._eval import _article

    seeds = dict.fromkeys(claim["seed"] for claim in ledger["claims"])
    return {seed: check_document(_article(folder, seed, ledger), name=Path(seed).name) for seed in seeds}


def score_frames(found: Extraction, annotated: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Of the annotated figures that are no dates, labels or idioms: how many stand in a frame, and in how many of those
    every slot is right or asked for.

    A named thing in a slot is right where the annotation of the same sentence or its neighbours names it as a subject.
    """
    claims = propose(found)
    framed = right = figures = 0
    for row in annotated:
        for quantity in row.get("quantity", ()):
            if quantity.get("extract") is False or quantity.get("type") in {"date", "idiom", "ordinal-label"}:
                continue
            figures += 1
            indices = {
                i
                for i, q in enumerate(found.quantities)
                if q.start < quantity["char"][1] and quantity["char"][0] < q.end
            }
            own = [claim for claim in claims if indices & set(claim.quantities)]
            framed += bool(own)
            right += any(slots_right(found, claim, row, annotated) for claim in own)
    return {"figures": figures, "framed": framed, "slots_right_or_asked": right}


def slots_right(
    found: Extraction, claim: Claim, row: Mapping[str, Any], annotated: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether every named thing in a claim's slots is a subject of the annotation or of one within two lines of it."""
    near = [other for other in annotated if abs(other["line"] - row["line"]) <= 2]
    subjects = [str(label) for other in near for label in other.get("subject", ())]
    for slot in claim.slots.values():
        if slot.entity is None:
            continue
        values = slot.value if isinstance(slot.value, tuple) else (slot.value,)
        if not all(any(same_entity(label, str(value)) for label in subjects) for value in values):
            return False
    return True


def score_issues(ledger: Mapping[str, Any], checked: Mapping[str, Checked]) -> dict[str, Any]:
    """Which annotated issues are reported: one of a like kind, in one of its articles, near one of its claims."""
    places = {row["id"]: (row["seed"], row["char"]) for row in ledger["claims"]}
    order = list(dict.fromkeys(row["seed"] for row in ledger["claims"]))
    between = across([one.article for one in checked.values()])
    reported: list[str] = []
    missed: list[str] = []
    for row in ledger.get("issues", ()):
        seeds = [order[int(tag[1:])] for tag in row["seeds"] if int(tag[1:]) < len(order)]
        spans = [places[claim] for claim in row.get("claims", ()) if claim in places]
        hit = any(_answers(row, seed, issue, spans) for seed in seeds for issue in checked[seed].issues)
        hit = hit or any(_answers_across(row, seeds, issue, spans) for issue in between)
        (reported if hit else missed).append(f"{row['id']} {row['type']}")
    return {"total": len(reported) + len(missed), "reported": reported, "missed": missed}


def _like(row: Mapping[str, Any], issue: Issue) -> bool:
    return issue.type in _SAME_TYPE.get(row["type"], frozenset({row["type"]}))


def _answers(row: Mapping[str, Any], seed: str, issue: Issue, spans: Sequence[tuple[str, Sequence[int]]]) -> bool:
    if not _like(row, issue):
        return False
    own = [char for place, char in spans if place == seed]
    if not own or issue.start is None or issue.end is None or issue.end <= issue.start:
        return True
    return any(char[0] - _NEAR <= issue.end and issue.start <= char[1] + _NEAR for char in own)


def _answers_across(
    row: Mapping[str, Any], seeds: Sequence[str], issue: Issue, spans: Sequence[tuple[str, Sequence[int]]]
) -> bool:
    if not _like(row, issue):
        return False
    names = {Path(seed).name for seed in seeds}
    if len(names & set(issue.others)) < 2:
        return False
    own = [char for place, char in spans if Path(place).name == issue.others[0]]
    return (
        issue.start is None
        or not own
        or any(char[0] - _NEAR <= (issue.end or 0) and issue.start <= char[1] + _NEAR for char in own)
    )
