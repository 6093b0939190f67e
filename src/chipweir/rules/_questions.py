"""What must be known to answer for certain, the deciding question first."""

from chipweir.i18n import _
from chipweir.rules._book import Book, spoken
from chipweir.rules._case import Case
from chipweir.rules._judge import Answer
from chipweir.rules._readings import Read
from chipweir.rules._records import Classification, Question
from chipweir.rules._words import N_


ASKED = {
    "seat": N_("Where are the recipient and its ultimate parent headquartered?"),
    "facility": N_("Are advanced-node circuits made at the facility the tool goes to?"),
    "eccn": N_("What is the control number of the tool, to the paragraph (3B001.a.4, 3B001.c, 3B991 ...)?"),
    "origin": N_("From which country is it sent?"),
    "listing": N_("Is the end user, or an owner of one half or more, on the Entity List?"),
    "end_use": N_("Is the end user, or the end use, military or another one that is barred?"),
    "ownership": N_("What share do listed parties hold in the recipient, all owners added up?"),
    "letter": N_("Has the exporter received an is-informed letter of BIS?"),
    "designer": N_("Who designed the die, and is the designer approved or authorised (supplement no. 6 to part 740)?"),
    "packager": N_("Who packages the die, and where?"),
    "maker": N_("Who makes the chip, and where is the maker headquartered?"),
    "us_available": N_("Was the item commercially available in the US on 2026-01-15?"),
    "attestation": N_("What total processing performance and density does the designer attest?"),
}
NUMBERS = {
    "tpp": N_("What is the total processing performance (dense TOPS times bit length)?"),
    "die_mm2": N_("What is the applicable die area in mm2 (all logic dies on non-planar nodes)?"),
    "io_gbps": N_("What is the aggregate bidirectional interconnect rate in GB/s?"),
    "mem_bw_gbps": N_("What is the total DRAM bandwidth in GB/s?"),
    "mbd": N_("What is the memory bandwidth density in GB/s per mm2?"),
    "training_ops": N_("How many operations did the training take?"),
    "node_nm": N_("On which node is the die made?"),
    "transistors_bn": N_("How many billion transistors does the package hold?"),
    "has_hbm": N_("Does the package hold HBM?"),
}
_OTHER_NAMES = {
    "pd": "die_mm2",
    "mem_plus_io_gbps": "io_gbps",
    "non_planar": "node_nm",
    "listed_ownership": "ownership",
}


def questions(
    case: Case, reads: list[Read], answer: Answer, classed: Classification, book: Book
) -> tuple[Question, ...]:
    """Questions whose answers would settle the licence, the review or the exception."""
    codes: dict[str, None] = {}
    distinct = {(r.answer.licence, r.answer.review, r.answer.exception) for r in reads}
    if len(distinct) > 1:
        codes |= dict.fromkeys(part.partition(":")[0] for one in reads for part in one.code.split(" ") if part)
    if answer.licence == "conditional" and answer.presumed is not None and answer.presumed.leaves == "numbers":
        codes["attestation"] = None
    open_ = answer.licence in ("unknown", "conditional") or answer.review == "unspecified"
    if open_:
        for verdict in answer.verdicts:
            for code in verdict.asks:
                codes |= dict.fromkeys(_codes(code, classed))
    return tuple(Question(code, _asks(code, case, book)) for code in codes)


def _codes(code: str, classed: Classification) -> tuple[str, ...]:
    if code == "class":
        return classed.missing
    return (_OTHER_NAMES.get(code, code),)


def _asks(code: str, case: Case, book: Book) -> str:
    kind, _sep, name = code.partition(":")
    if kind == "law":
        return _("Is {instrument} in force on {day}?", instrument=name, day=case.on)
    if kind == "rule":
        rule = next((entry for entry in book.requirements if entry.id == name), None)
        return ("" if rule is None else spoken(rule, "asks") or spoken(rule, "note")) or name
    text = ASKED.get(code) or NUMBERS.get(code)
    return _(text) if text else code
