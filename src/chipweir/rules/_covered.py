"""What no rule here covers: activities that are no shipment, goods and days under a law that is not modelled."""

from datetime import date

from chipweir.i18n import _, language
from chipweir.rules._case import Case
from chipweir.rules._circuits import MATERIALS, MEMORY
from chipweir.rules._classify import stated_classes
from chipweir.rules._judge import Answer
from chipweir.rules._words import not_covered


US_LAW_SINCE = date(2022, 1, 1)
"""The law of the US on earlier days is not modelled."""


def uncovered(case: Case, activity: str | None, answer: Answer) -> str:
    """The activity or kind of goods that the rules do not cover, where the answer would else be read as a clearance."""
    if activity is not None:
        return activity
    if answer.licence != "no" or answer.exception != "n/a" or case.to == case.regime:
        return ""
    return _of_the_us(case) if case.regime == "US" else _of_others(case)


def _of_the_us(case: Case) -> str:
    if case.on < US_LAW_SINCE:
        return "earlier_law"
    kind = case.goods.kind
    if kind in ("technology", "software"):
        return kind
    if kind in MATERIALS:
        return "materials"
    if kind in MEMORY and case.circuits[0].numbers.get("co_packaged_with_processor"):
        return "co_packaged"
    stated = case.goods.eccn
    if stated is not None and kind in ("chip", "server") and stated_classes(stated) is None and "none" in case.classes:
        return "other_eccn" if case.circuits[0].numbers.get("tpp") is None else ""
    return ""


def _of_others(case: Case) -> str:
    """China's list is modelled for materials only, Korea's only for chips and equipment."""
    leaves = case.regime in (case.origin, *case.via)
    material = case.goods.kind in MATERIALS
    if not leaves or case.regime not in ("CN", "KR"):
        return ""
    if case.regime == "CN":
        return "" if material else "chinese_list"
    return "korean_list" if material or case.goods.kind in ("technology", "software", "model_weights") else ""


def where_to_look(key: str) -> str:
    """What is not covered, and where to look for it; empty where all is."""
    if not key:
        return ""
    tables = not_covered()
    entry = tables["activities"].get(key) or tables["goods"][key]
    korean = language() == "ko"
    return _("not covered: {what}; see {see}", what=entry["title_ko" if korean else "title"],
             see=entry["see_ko" if korean else "see"])  # fmt: skip
