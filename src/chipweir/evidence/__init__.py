"""The evidence room: what people claim, in Korean, English and Chinese.

Names are loaded when first used, so that importing the room costs nothing.
"""

from importlib import import_module
from typing import Any


_PLACES = {
    "across": "_issues",
    "Article": "_issues",
    "brief_html": "_brief",
    "brief_markdown": "_brief",
    "Change": "_ledger",
    "check_claims": "_checks",
    "check_document": "_check",
    "Checked": "_check",
    "Claim": "_frames",
    "Earlier": "_earlier",
    "earlier": "_earlier",
    "decide_claim": "_ledger:decide",
    "Document": "text:",
    "document_from_text": "_reading",
    "EntityMention": "text:",
    "evaluate": "_eval",
    "exported": "_export",
    "FORMATS": "_export",
    "extract": "_reading",
    "Extraction": "text:",
    "find_claim": "_ledger",
    "find_entities": "_reading",
    "find_issues": "_issues",
    "find_quantities": "text:",
    "find_times": "text:",
    "Issue": "_issues",
    "Ledger": "_ledger",
    "load_ledger_for_review": "_review:load",
    "open_runs": "_runs",
    "simulate_pairs": "_runs",
    "stored_runs": "_runs",
    "parse_fixes": "_review",
    "propose": "_frames",
    "Proposer": "_llm",
    "proposer_from_environment": "_llm",
    "Quantity": "text:",
    "read": "_reading",
    "read_all": "_reading",
    "read_ledger": "_ledger",
    "record": "_ledger",
    "result_json": "_check",
    "results_json": "_check",
    "review": "_review",
    "review_summary": "_review:summary",
    "score_ledger": "_score",
    "segment": "text:",
    "Sentence": "text:",
    "Slot": "_slots",
    "Span": "text:",
    "STATUSES": "_verdict",
    "Tag": "_scenarios",
    "tag": "_scenarios",
    "term": "_say",
    "Time": "text:",
    "Verdict": "_verdict",
    "write_brief": "_brief",
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, other = _PLACES[name].partition(":")
    place = "chipweir.text" if module == "text" else f"{__name__}.{module}"
    return getattr(import_module(place), other or name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
