"""The answer as it can be filed: five lines (answer, why, authority, what would change it, what is missing)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chipweir.i18n import _
from chipweir.rules._book import Book, Review, called
from chipweir.rules._flips import CLASSIFYING, Flip, class_name, number_text
from chipweir.rules._numbers import shown
from chipweir.rules._records import Decision


MOST_FLIPS = 3
_SECTION = re.compile(r"15 CFR (\d{3}\.\d+)")
_PART = re.compile(r"15 CFR part (\d{3})")


@dataclass(frozen=True, slots=True)
class Memo:
    """The five lines."""

    answer: str
    why: str
    authority: str
    would_change: str
    missing: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "answer": self.answer, "why": self.why, "authority": self.authority, "would_change": self.would_change,
            "missing": self.missing,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """The lines with their labels."""
        labels = (_("answer"), _("why"), _("authority"), _("would change it"), _("missing"))
        return [f"{label}: {text}" for label, text in zip(labels, self.to_dict().values(), strict=True)]


def memo(decision: Decision, changes: Iterable[Flip], book: Book) -> Memo:
    """The five lines of a decision."""
    where = _("{name} to {to} on {day}", name=decision.name, to=decision.to, day=decision.on)
    if decision.not_covered:
        why = _("{classed}; what is asked is not covered by the rules here", classed=_classed(decision))
        authority = "; ".join([decision.not_covered, *_other_laws(decision)])
        return Memo(f"{where}. {decision.headline}", why, authority, _("nothing that was tried"), _missing(decision))
    return Memo(
        f"{where}. {decision.headline}", _why(decision, book), _authority(decision, book),
        _changes(decision, list(changes)), _missing(decision),
    )  # fmt: skip


# --- why


def _why(decision: Decision, book: Book) -> str:
    """The requirements found in words; for a clearance, that none was."""
    held = [found for found in decision.requirements if found.holds is not False]
    classed = _classed(decision)
    if not held:
        return classed + "; " + _("no requirement of the law asked reaches it")
    rules = {rule.id: rule for rule in book.requirements}
    texts = []
    for found in held:
        text = called(rules[found.rule]) if found.rule in rules else found.rule
        texts.append(text if found.holds else _("{rule} (not certain)", rule=text))
    return classed + "; " + "; ".join(dict.fromkeys(texts))


def _classed(decision: Decision) -> str:
    classed = _("classified {eccn}", eccn=class_name(decision.eccn).replace("_", " "))
    if decision.tpp is not None:
        classed += f" (TPP {shown(decision.tpp)}, PD {shown(decision.pd, 2)})"
    return classed


# --- authority


def _authority(decision: Decision, book: Book) -> str:
    """Section, title and link of what the answer rests on, the rule that decides first."""
    rules = {rule.id: rule for rule in book.requirements}
    entries: list[Any] = [rules[found.rule] for found in decision.requirements if found.rule in rules]
    first = decision.basis.split(", review ")[0]
    entries.sort(key=lambda rule: rule.id != first)
    lines = {found.rule: found.line for found in decision.requirements if found.line is not None and found.line.cfr}
    entries += [lines[entry.id] for entry in entries[:1] if entry.id in lines]
    entries += [a for a in book.authorisations if a.id == decision.exception and a.since <= decision.on <= a.until][:1]
    if not decision.requirements:
        entries += [p for p in book.current_paragraphs(decision.on) if p.eccn == decision.eccn][:1]
    cited = dict.fromkeys(text for entry in entries[:4] if (text := citation(entry, book)))
    return "; ".join([*cited, *_other_laws(decision)]) or _("none: no requirement was found in the rules modelled here")


def _other_laws(decision: Decision) -> list[str]:
    """The authorities of the other laws that may stand in the way."""
    return [
        ": ".join(part for part in (law.regime, law.authority, law.says) if part)
        for law in decision.laws
        if law.outcome != "free" and law.says
    ]


def citation(entry: Any, book: Book) -> str:
    """'15 CFR 742.6(a)(6)(iii): title, link; 88 FR 73458 link'."""
    parts = [f"{entry.cfr}: {_title(entry, book)}" if entry.cfr else _title(entry, book)]
    if link := ecfr(entry.cfr):
        parts.append(link)
    parts += [
        book.sources[key] for key in entry.sources if key.startswith(("FR", "NV8K", "BIS")) and key in book.sources
    ][:1]
    return ", ".join(part for part in parts if part)


def _title(entry: Any, book: Book) -> str:
    if isinstance(entry, Review):
        return _("review policy")
    instrument = book.instruments.get(getattr(entry, "instrument", None) or "")
    return f"{called(entry)} ({called(instrument)})" if instrument is not None else called(entry)


def ecfr(text: str) -> str:
    """The page of the electronic code that a citation names; empty where it names none."""
    if match := _SECTION.search(text):
        return f"https://www.ecfr.gov/current/title-15/section-{match[1]}"
    if match := _PART.search(text):
        return f"https://www.ecfr.gov/current/title-15/part-{match[1]}"
    return ""


# --- what would change it


def _changes(decision: Decision, changes: list[Flip]) -> str:
    """Numbers, seat, party and date, each with what the answer would be; else the nearest line of the class."""
    numbers = [flip for flip in changes if flip.kind == "number"]
    texts = [f"{flip.says}: {flip.becomes}" for flip in numbers[:MOST_FLIPS]]
    lines = [margin for margin in decision.margins if margin.quantity in CLASSIFYING]
    if lines and not any(flip.margin in lines for flip in numbers[:MOST_FLIPS]):
        texts.append(_("{line} (nearest line of the class; the answer stays)", line=number_text(lines[0])))
    texts += [f"{flip.says}: {flip.becomes}" for flip in changes if flip.kind != "number"]
    return "; ".join(texts) or _("nothing that was tried")


# --- what is missing


def _missing(decision: Decision) -> str:
    asked = [question.asks for question in decision.questions]
    if asked:
        return " ".join(asked)
    if decision.not_covered:
        return decision.not_covered
    return _("nothing that the answer hangs on; it rests on what is assumed")
