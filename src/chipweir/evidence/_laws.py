"""What is said of rules by name: that one is in force or gone, that a country asks for a permit or for none.

The record is the dated events: a rule is gone after an event that withdrew it, a permit is asked for after one that
brought it in.
"""

import re
from collections.abc import Sequence
from typing import Any

from chipweir.evidence._frames import Claim, modality, patterns
from chipweir.evidence._page import Page
from chipweir.evidence._slots import Slot, entity_slot
from chipweir.evidence._verdict import Status, Text, Verdict, dated_event, event_evidence


_IN_FORCE = patterns(
    {
        "ko": r"(?:여전히|아직|지금도|현재도?) ?(?:유효|시행|효력|적용)|시행 중|효력(?:을|이) (?:유지|있)|유효하다",
        "en": r"\b(?:still |remains? |is |are )(?:still )?in (?:force|effect)\b|\bstill (?:applies|apply|stands?|binding)\b",
        "zh": r"(?:仍然?|依然|至今)(?:有效|生效|适用|適用|实施)|仍在(?:执行|執行|生效)",
    }
)
_GONE = patterns(
    {
        "ko": r"철회(?:됐|했|된|되)|폐지(?:됐|했|된|되)|취소(?:됐|했|된)|유예(?:됐|했|된)",
        "en": r"\b(?:was|were|has been|been|had) (?:since )?(?:withdrawn|rescinded|repealed|revoked|scrapped|suspended)\b|"
        r"\b(?:withdrew|rescinded|repealed|scrapped|suspended)\b",
        "zh": r"(?:已|被|遭)(?:撤销|撤銷|撤回|废除|廢除|取消|暂停|暫停)|撤销了|废除了",
    }
)
_ENDED = re.compile(r"withdrawn|rescind|repeal|revoked|suspended|struck down|expired", re.I)
_PERMIT = patterns({"ko": r"허가|승인", "en": r"\b(?:permits?|licen[cs]es?|approval)\b", "zh": r"许可|許可|批准"})
_NONE = patterns(
    {
        "ko": r"허가(?:가|를|도)? ?(?:필요 ?없|요구하지 않|받지 않아도)|허가 없이",
        "en": r"\b(?:no|without(?: any| a)?) (?:\w+ )?(?:permits?|licen[cs]es?|approval)\b|"
        r"not (?:need|require) (?:a |any )?(?:permits?|licen[cs]es?)",
        "zh": r"(?:无需|無需|不需要?|不必|毋须)[^。]{0,4}(?:许可|許可|批准)",
    }
)
_CHIPS = re.compile(r"칩|반도체|GPU|chips?|芯片|晶片", re.I)
_ASKED = re.compile(r"permit needed|permit required|licen[cs]e needed", re.I)


def law_claims(page: Page) -> list[Claim]:
    """The claims of the frames `in_force` and `permit`."""
    claims = []
    for number, sentence in enumerate(page.sentences):
        if sentence.dropped:
            continue
        lang, words = page.scripts[number], page.words(number)
        here = page.places["entities"][number]
        laws = [i for i in here if page.found.entities[i].kind == "law"]
        for state, by in (("in force", _IN_FORCE), ("gone", _GONE)):
            told = by[lang].search(words)
            if laws and told:
                at = (sentence.start + told.start(), sentence.start + told.end())
                nearest = min(laws, key=lambda i: page.gap(_span(page, i), at))
                claims.append(_claim(page, number, "in_force", nearest, state, at))
                break
        places = [i for i in here if page.found.entities[i].kind == "country"]
        told = _NONE[lang].search(words) or (None if laws else _PERMIT[lang].search(words))
        if places and told and _CHIPS.search(words):
            at = (sentence.start + told.start(), sentence.start + told.end())
            state = "none" if _NONE[lang].search(words) else "asked for"
            claims.append(_claim(page, number, "permit", places[0], state, at))
    return claims


def _span(page: Page, index: int) -> tuple[int, int]:
    return page.found.entities[index].start, page.found.entities[index].end


def _claim(page: Page, sentence: int, frame: str, entity: int, state: str, at: tuple[int, int]) -> Claim:
    start, end = _span(page, entity)
    slots = {
        "item": entity_slot("item", page, entity, 0.9, "type"),
        "state": Slot("state", state, page.text[at[0] : at[1]], *at, 0.8, "words"),
    }
    said = modality(page, sentence, at)
    return Claim("", frame, min(start, at[0]), max(end, at[1]), sentence, said,
                 page.sentences[sentence].attribution, slots, 0.6)  # fmt: skip


def check_in_force(claim: Claim, context: Any) -> Verdict:
    """A rule said to be in force or gone, against the last event that ended it."""
    law, said = str(claim.value("item")), str(claim.value("state"))
    events = [e for e in _of_law(law, context.facts) if not context.on or e.date <= context.on]
    ended = [e for e in events if _ENDED.search(e.description)]
    if not ended:
        return Verdict("unsupported", "state", text=Text("nothing_found"))
    return _verdict((said == "gone"), ended[-1:], context)


def check_permit(claim: Claim, context: Any) -> Verdict:
    """A permit said to be asked for or not, against the event that brought it in."""
    country, said = str(claim.value("item")), str(claim.value("state"))
    rules = [
        e
        for e in context.facts.events.values()
        if country in e.actor_ids and _ASKED.search(e.description) and (not context.on or e.date <= context.on)
    ]
    if not rules:
        return Verdict("unsupported", "state", text=Text("nothing_found"))
    return _verdict(said == "asked for", rules[-1:], context)


def _verdict(right: bool, events: Sequence[Any], context: Any) -> Verdict:
    status: Status = "consistent" if right else "contradicted"
    evidence = tuple(event_evidence(e, context.facts, right) for e in events)
    return Verdict(status, "state", {"state": status}, (), evidence,
                   Text("event_text", {"what": dated_event(events[0], ": ")}), Text("change_rule"))  # fmt: skip


def _of_law(law: str, facts: Any) -> list[Any]:
    """The events of a rule, in order: those it takes part in or is named in."""
    entity = facts.entities.get(law)
    names = [re.sub(r"\s*\([^)]*\)", "", name) for name in (entity.names.en, *entity.aliases)] if entity else []
    named = re.compile("|".join(re.escape(n) for n in names if n.isascii() and len(n) > 5) or r"$^", re.I)
    found = [e for e in facts.events.values() if law in e.actor_ids or named.search(e.description)]
    return sorted(found, key=lambda e: e.date)
