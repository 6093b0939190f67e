"""Filling the slots of a claim: by type first, then by nearness, then by what was spoken of before.

A slot that cannot be filled with some confidence is left empty and asked for, with the candidates found: a wrong slot
does more harm than a missing one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from chipweir.evidence._page import CLAUSE, Page
from chipweir.text import EntityMention, Quantity, Time


Filled = Literal["type", "proximity", "discourse", "words", "figure", "document", "arithmetic", "person", "asked"]

# Below this a required slot is asked for instead of filled.
LEAST_CONFIDENCE = 0.35
# How far back, in sentences, the subject of an earlier sentence may be carried on.
REACH = {"sentence": 0, "paragraph": 3, "article": 12}

_KIND_GROUPS = {
    "organisation": {"company", "agency", "lab", "group", "institute"},
    "company": {"company", "lab"},
    "country": {"country"},
    "government": {"country", "agency"},
    "region": {"region", "country"},
    "place": {"place", "city", "region"},
    "model": {"language-model"},
    "programme": {"programme", "law", "document"},
    "product": {"component"},
    "architecture": {"architecture", "technology"},
}
_MEDIA = {"press"}

# What follows a name, and the role that gives it, per language.
_SUBJECT = {
    "ko": re.compile(r"^(?:\([^)]{1,20}\))?(?:측)?(?:은|는|이|가|도|에서는)(?=[\s,])"),
    "en": re.compile(
        r"^(?:['’]s (?:[a-z-]+ ){0,2}?(?:shares?|stock|revenue|sales|profit|income|earnings|output|shipments|exports))?"
        r"[\s,]+(?:[a-z]+ly\s)?(?:has|have|had|is|are|was|were|will|plans?|says?|said|may|can|could|would|rose|fell|grew|made|"
        r"sold|held|won|lost|took|cut|hit|led|built|bought|sent|spent|[a-z]+(?:ed|s)\b)"
    ),
    "zh": re.compile(r"^(?:公司|集团|集團)?(?:的|在|将|將|已|计划|計劃|表示|称|去年|今年|是|为|的|于)"),
}
_OBJECT = re.compile(r"^(?:\([^)]{1,20}\))?\s?(?:을|를|에게|와|과|향|용|대신)(?=[\s,.]|$)")
_COMPARED = re.compile(
    r"^(?:\([^)]{1,20}\))?\s?(?:칩|반도체|GPU|가속기|시스템|서버 ?랙|랙|제품|모델|프로)?\s?(?:보다|대비|에 비해|에 비하면|"
    r"의\s?(?:약\s)?(?:\d+(?:\.\d+)?\s?(?:배|%|분의)|절반|[두세네]\s배))|^的(?:[一二两兩三四五六七八九十几\d.]+(?:成|倍|分之)|一半)"
)
_THAN = re.compile(
    r"(?:than|versus|vs\.?|compared (?:with|to)|relative to|(?:per ?cent|%) of(?: the)?(?: [a-z-]+){0,2}(?: of)?|"
    r"\bas (?!well |soon |long |far )\w+ as|"
    r"\b(?:outperform|surpass|exceed|outpac|outclass|rival|overtak|beat)\w*|"
    r"\btimes (?:the |that |as )?(?:[a-z-]+ ){0,4}of (?:the |that of )?(?:[A-Z]\w+['’]s )?|"
    r"比|相比|较|較|相当于|相當於|不及|媲美|仅为|僅為)\s*(?:the\s|that of\s|an?\s)?(?:[A-Z]\w+['’]s\s)?$",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"^[\s\"'“‘-]*(?:이는|이것은|이를|이 (?:가격|모델|칩|시스템|제품|회사)|그 (?:가격|모델)|"
    r"회사(?: 측)?(?:은|는|가)|This|That|It\b|They\b|The (?:company|chip\s?maker|firm|group|start-?up|unit)\b|"
    r"这|這|该|該|其|公司|本公司|这家|這家)"
)
_COMPANY = re.compile(
    r"^[\s\"'“‘-]*(?:(?:이 |동 )?회사(?: 측)?(?:은|는|가)|The (?:company|chip\s?maker|firm|start-?up)\b|公司|本公司|"
    r"这家|這家)"
)
# An English sentence names what it is about, or points back so.
_IT = re.compile(
    r"^(?:It|Its|They|Each|This|That|The (?:chip|card|system|rack|module|part|accelerator|processor|GPU))\b"
)
_TO = {
    "ko": (re.compile(r"$^"), re.compile(r"^(?:으로|로|에|행|향|내(?:로)?|\s?(?:암시장|시장|기업|업체|AI업계|유통))")),
    "en": (
        re.compile(r"(?:to|into|in|for|towards?|reach(?:ed|ing)?)\s+(?:the\s+)?(?:mainland\s+)?$", re.I),
        re.compile(r"^(?:'s black market|n black market)"),
    ),
    "zh": (re.compile(r"(?:向|到|至|往|入|进|進|对|對|在)$"), re.compile(r"^(?:市场|黑市|境内|市場)")),
}
_FROM = {
    "ko": (re.compile(r"$^"), re.compile(r"^(?:에서|산|을 통해|를 통해|을 거쳐|를 거쳐)")),
    "en": (re.compile(r"(?:from|via|through|out of)\s+(?:the\s+)?$", re.I), re.compile(r"$^")),
    "zh": (re.compile(r"(?:从|從|自|经|經|由)$"), re.compile(r"$^")),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of a claim. `by` says how it was filled; `quantity`, `entity` and `time` are indices into the
    extraction's lists; `candidates` are what a person may choose from where the slot is asked for."""

    name: str
    value: Any = None
    surface: str = ""
    start: int | None = None
    end: int | None = None
    confidence: float = 0.0
    by: Filled = "asked"
    quantity: int | None = None
    entity: int | None = None
    time: int | None = None
    candidates: tuple[str, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether the text does not say, and a person must."""
        return self.by == "asked"


def is_kind(mention: EntityMention, kinds: Sequence[str]) -> bool:
    """Whether `mention` is of one of `kinds`, which name groups of the fact base's entity kinds."""
    return mention.kind in accepted(tuple(kinds))


@cache
def accepted(kinds: tuple[str, ...]) -> frozenset[str]:
    """The entity kinds of the fact base that `kinds` name."""
    return frozenset[str]().union(*(_KIND_GROUPS.get(kind, {kind}) for kind in kinds))


def figure_slot(name: str, page: Page, index: int, confidence: float, by: Filled) -> Slot:
    """A slot that holds another figure of the article."""
    figure = page.found.quantities[index]
    return Slot(name, figure.value, figure.surface, figure.start, figure.end, confidence, by, quantity=index)


def entity_slot(name: str, page: Page, index: int, confidence: float, by: Filled) -> Slot:
    """A slot that holds a named thing; a mere suggestion (a typo) never counts as sure."""
    mention = page.found.entities[index]
    value = mention.id or mention.surface
    sure = min(confidence, 0.4) if mention.how == "typo" else confidence
    return Slot(name, value, mention.surface, mention.start, mention.end, sure, by, entity=index)


def time_slot(name: str, page: Page, index: int, confidence: float, by: Filled) -> Slot:
    """A slot that holds a date or period as ISO 8601, or the words where nothing resolves them."""
    time = page.found.times[index]
    return Slot(name, time.value, time.surface, time.start, time.end, confidence, by, time=index)


def fill_entity(
    page: Page, sentence: int, anchor: tuple[int, int], name: str, rule: dict[str, Any], taken: frozenset[str]
) -> Slot:
    """The named thing of the right kind that suits the slot best; asked for where two suit equally."""
    kinds = rule["entity"] if "entity" in rule else rule["entities"]
    role = rule.get("role", "near")
    reach = REACH[rule.get("reach", "paragraph")]
    first = 1 if role == "subject" and reach and sentence and _PRONOUN.match(page.words(sentence)) else 0
    for back in range(first, min(reach, sentence) + 1):
        here = sentence - back
        home = (
            next((own for s in (sentence, here) if (own := _own_subject(page, s)) is not None), None)
            if back and role == "subject"
            else None
        )
        if home is not None:
            return (
                Slot(name, home, "정부", confidence=0.5, by="discourse")
                if home and is_known(home, kinds)
                else Slot(name)
            )
        options = _eligible(page, here, kinds, taken)
        if not back and options:
            near = page.near(here, anchor)
            options = [i for i in options if i in near]
        if not back:
            options = [i for i in options if _told_of(page, anchor, i)] or options
            options = [i for i in options if not _owns_another(page, here, anchor, i)]
        if rule.get("measured") is False and not back:
            beside = [i for i in options if 0 <= anchor[0] - page.found.entities[i].end <= 2]
            options = beside or [index for index in options if not compared(page, index)] or options
        if role == "subject" and not back:
            options = [index for index in options if not compared(page, index)]
            home = _own_subject(page, sentence) if not any(_marked(page, here, i, role) for i in options) else None
            if home:
                return Slot(name, home, "정부", confidence=0.5, by="words") if is_known(home, kinds) else Slot(name)
        if back and rule.get("spoken_of") and page.scripts[sentence] == "en" and not _IT.match(page.words(sentence)):
            return Slot(name)
        if back:
            options = _carried(page, here, options, rule, role)
        cited = page.sentences[here].attribution
        if back and role == "subject" and _COMPANY.match(page.words(sentence)):
            options, cited = [i for i in options if is_kind(page.found.entities[i], ("company",))], ""
        if role == "subject" and cited and len(options) > 1:
            options = [i for i in options if page.found.entities[i].surface not in cited] or options
        if rule.get("marked") and (not back or role != "other"):
            options = [index for index in options if _marked(page, here, index, role)]
        options = _prefer(page, options, rule.get("prefer"))
        if not options:
            continue
        if rule.get("first") and not back and page.scripts[here] != "ko":
            return _decide(page, name, [(1.0, min(options, key=lambda i: page.found.entities[i].start))], back)
        scored = sorted(((_suits(page, here, index, anchor, role, back), index) for index in options), reverse=True)
        best = scored[0][1]
        if (
            rule.get("own")
            and not back
            and _stranger(page, sentence, best, anchor)
            and not _told_of(page, anchor, best)
        ):
            return Slot(name, candidates=tuple(_name(page, index) for _, index in scored))
        if rule.get("adjacent") and page.gap(_span(page.found.entities[scored[0][1]]), anchor) > 12:
            continue
        if role == "subject" and not back and (pair := _coordinated(page, scored)):
            return Slot(name, candidates=pair)
        return _decide(page, name, scored, back)
    return Slot(name)


_TOPIC = re.compile(r"[가-힣A-Za-z][\w .\-]{1,24}?(?:은|는|이|가|도)\s")
_NAMED = re.compile(r"(?<![.!?] )\b(?!(?:USD|API|AI|US|EU)\b)[A-Z][a-z][\w.\-]*")


_OF = re.compile(r"(?:인|짜리|에 (?:불과|달)한)\s?")
_LONGEST_OF = 8


def _told_of(page: Page, anchor: tuple[int, int], index: int) -> bool:
    """Whether a Korean figure is said of the name right behind it: "10달러인 GPT-5"."""
    between = page.found.entities[index].start - anchor[1]
    return 0 < between <= _LONGEST_OF and bool(_OF.fullmatch(page.text[anchor[1] : anchor[1] + between]))


_OWNS = re.compile(r"['’]s\s(?:about\s|some\s|roughly\s)?")


def _owns_another(page: Page, sentence: int, anchor: tuple[int, int], index: int) -> bool:
    """Whether an English name is bound to another figure: in "$1.68, a sixth of GPT-5's $10" the $1.68 is not GPT-5's."""
    end = page.found.entities[index].end
    if page.text[end : end + 1] not in {"'", "’"}:
        return False
    figures = (page.found.quantities[i] for i in page.places["quantities"][sentence])
    return any(
        (q.start, q.end) != anchor and q.type == "money" and _OWNS.fullmatch(page.text[end : max(q.start, end)])
        for q in figures
    )


def _stranger(page: Page, sentence: int, index: int, anchor: tuple[int, int]) -> bool:
    """Whether another figure already took the named thing, and words that nobody knows stand before this one:
    "GPT-5 costs $10, Opus $75" says nothing of GPT-5's $75."""
    mention = page.found.entities[index]
    figures = (page.found.quantities[i] for i in page.places["quantities"][sentence])
    ends = [figure.end for figure in figures if mention.end <= figure.start and figure.end <= anchor[0]]
    if not ends:
        return False
    between = page.text[max(ends) : anchor[0]]
    return bool((_TOPIC if page.scripts[sentence] == "ko" else _NAMED).search(between))


def _carried(page: Page, sentence: int, options: list[int], rule: dict[str, Any], role: str) -> list[int]:
    """The things of an earlier sentence that may carry on: nothing that something else was measured against, and of
    subjects only those that were one."""
    left_out = rule.get("not_carried", ())
    measured = [i for i in options if compared(page, i)]
    if role == "other":
        return measured or options
    options = [i for i in options if i not in measured and page.found.entities[i].kind not in left_out]
    if role != "subject":
        return options
    start, korean = page.sentences[sentence].start, page.scripts[sentence] == "ko"
    return [
        i
        for i in options
        if not is_kind(page.found.entities[i], ("organisation", "country"))
        or _marked(page, sentence, i, role)
        or (not korean and page.found.entities[i].start - start < 12)
    ]


_AND = re.compile(r"\s?(?:와|과|및|,|·|、|和|与|與|and)\s?(?:the\s)?")


def _coordinated(page: Page, scored: list[tuple[float, int]]) -> tuple[str, ...]:
    """Two names joined by "and", where one of them suits best: neither alone is the subject."""
    best = page.found.entities[scored[0][1]]
    for _, index in scored[1:]:
        other = page.found.entities[index]
        first, second = (best, other) if best.start < other.start else (other, best)
        if best.id != other.id and _AND.fullmatch(page.text[first.end : second.start]):
            return (first.id or first.surface, second.id or second.surface)
    return ()


def _eligible(page: Page, sentence: int, kinds: Sequence[str], taken: frozenset[str]) -> list[int]:
    """The names of some kinds in a sentence, the press and those in other slots left out."""
    wanted, entities = accepted(tuple(kinds)), page.found.entities
    if (sentence, wanted) not in page.eligible:
        named = page.places["entities"][sentence]
        page.eligible[sentence, wanted] = [i for i in named if entities[i].kind in wanted - _MEDIA]
    return [i for i in page.eligible[sentence, wanted] if entities[i].id not in taken]


_OPENING_SUBJECT = re.compile(r"^[\s\"'“‘*-]*([가-힣]{2,8}?)(?:은|는|이|가)\s")
_ANAPHORS = re.compile(r"^(?:이|그|해당|동사|회사|업체|양사|두 회사|이들)")


def _own_subject(page: Page, sentence: int) -> str | None:
    """What a Korean sentence names as its subject at its start, where that is no known name: "" for a stranger, the
    home government for a bare "정부"; None where there is none, so that an earlier subject may carry on."""
    span = page.sentences[sentence]
    match = _OPENING_SUBJECT.match(page.text[span.start : span.end])
    if match is None or _ANAPHORS.match(match.group(1)):
        return None
    at = span.start + match.start(1)
    named = (page.found.entities[index] for index in page.places["entities"][sentence])
    if any(e.start < at + len(match.group(1)) and at < e.end for e in named):
        return None
    return "korea-government" if match.group(1) == "정부" else "" if match.group(1) in _ACTING else None


# Bare nouns that act on their own account; other opening nouns (prices, chips, shares) leave the earlier subject standing.
_ACTING = frozenset({"정부", "당국", "업계", "국회", "전문가들", "분석가들", "시장", "기업들", "업체들", "소식통"})


def is_known(identifier: str, kinds: Sequence[str]) -> bool:
    """Whether the home government may fill a slot of these kinds."""
    return bool(identifier) and bool({"organisation", "government", "country"} & set(kinds))


def compared(page: Page, index: int) -> bool:
    """Whether a named thing is what something else is measured against ("than X", "X보다")."""
    if index not in page.against:
        mention = page.found.entities[index]
        after = page.text[mention.end : mention.end + 24]
        before = page.text[max(0, mention.start - 40) : mention.start]
        page.against[index] = bool(_COMPARED.match(after) or _THAN.search(before))
    return page.against[index]


def _marked(page: Page, sentence: int, index: int, role: str) -> bool:
    mention = page.found.entities[index]
    if role == "other":
        return compared(page, index)
    return bool(_SUBJECT[page.scripts[sentence]].search(page.text[mention.end : mention.end + 24]))


def fill_entities(
    page: Page, sentence: int, anchor: tuple[int, int], name: str, rule: dict[str, Any], taken: frozenset[str]
) -> Slot:
    """All the named things a figure is measured against, as a list: a comparison may name several at once."""
    options = _eligible(page, sentence, rule["entities"], taken)
    if page.scripts[sentence] == "ko":
        options = [index for index in options if page.found.entities[index].end <= anchor[0]]
        measured = [index for index in options if compared(page, index)]
        found = measured and (measured if "분의" in page.text[anchor[0] : anchor[1]] else options)
    else:
        measured = [index for index in options if compared(page, index)]
        found = (
            [index for index in options if page.found.entities[index].start >= page.found.entities[measured[0]].start]
            if measured
            else []
        )
    if not found:
        return Slot(name, candidates=tuple(dict.fromkeys(_name(page, index) for index in options)))
    values = tuple(dict.fromkeys(_name(page, index) for index in found))
    low, high = page.found.entities[found[0]], page.found.entities[found[-1]]
    return Slot(name, values, page.text[low.start : high.end][:60], low.start, high.end, 0.7, "type", entity=found[0])


def _prefer(page: Page, options: list[int], preferred: Sequence[str] | None) -> list[int]:
    if not preferred:
        return options
    better = [index for index in options if is_kind(page.found.entities[index], preferred)]
    return better or options


def _span(record: EntityMention | Quantity | Time) -> tuple[int, int]:
    return record.start, record.end


def _suits(page: Page, sentence: int, index: int, anchor: tuple[int, int], role: str, back: int) -> float:
    mention = page.found.entities[index]
    lang = page.scripts[sentence]
    after = page.text[mention.end : mention.end + 24]
    before = page.text[max(0, mention.start - 24) : mention.start]
    score = 1.0 if back else 1.0 - page.gap(_span(mention), anchor) / 150
    if role in {"subject", "other"} or back:
        score += 0.6 if _SUBJECT[lang].search(after) else 0.0
        score -= 0.5 if _OBJECT.search(after) and role == "subject" else 0.0
        start = page.sentences[sentence].start
        score += 0.15 if mention.start - start < 12 else 0.0
        score -= 0.9 if not back and mention.start >= anchor[1] and lang in {"ko", "zh"} else 0.0
    if role == "other" and compared(page, index):
        score += 0.8
    if role in {"destination", "origin"}:
        left, right = (_TO if role == "destination" else _FROM)[lang]
        other_left, other_right = (_FROM if role == "destination" else _TO)[lang]
        score += 1.0 if left.search(before) or right.search(after) else 0.0
        score -= 0.6 if other_left.search(before) or other_right.search(after) else 0.0
        if role == "origin" and not (left.search(before) or right.search(after)):
            score -= 2.0
    if role in {"before", "after"} and not back:
        placed = mention.end <= anchor[0] if role == "before" else mention.start >= anchor[1]
        score += 0.5 if placed else -2.0
    if role == "near" and not back and mention.start >= anchor[1] and lang in {"ko", "zh"}:
        score -= 0.25
    return score


def _decide(page: Page, name: str, scored: list[tuple[float, int]], back: int) -> Slot:
    best, index = scored[0]
    ids = {page.found.entities[i].id or page.found.entities[i].surface for _, i in scored}
    rivals = [i for score, i in scored[1:] if best - score < 0.1 and _name(page, i) != _name(page, index)]
    if best < -0.5:
        return Slot(name, candidates=_names(page, scored))
    if rivals:
        return Slot(name, candidates=_names(page, scored))
    if back:
        return entity_slot(name, page, index, max(0.36, 0.6 - 0.08 * back), "discourse")
    return entity_slot(name, page, index, 0.9 if len(ids) == 1 else 0.7, "type" if len(ids) == 1 else "proximity")


def _name(page: Page, index: int) -> str:
    return page.found.entities[index].id or page.found.entities[index].surface


def _names(page: Page, scored: list[tuple[float, int]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_name(page, index) for _, index in scored))[:5]


def fill_quantity(page: Page, sentence: int, main: int, name: str, rule: dict[str, Any], used: set[int]) -> Slot:
    """The nearest other figure of the right unit in the sentence; a gloss in brackets looks only just before it."""
    units = rule["quantity"]["units"]
    anchor = page.found.quantities[main]
    options = []
    for index in page.places["quantities"][sentence]:
        figure = page.found.quantities[index]
        gloss = rule.get("role") == "gloss"
        if index == main or (index in used and not gloss) or figure.unit not in units or "label" in figure.flags:
            continue
        if rule.get("role") == "gloss" and not (figure.end <= anchor.start and anchor.start - figure.end <= 8):
            continue
        if rule.get("role") == "gloss" and figure.unit == anchor.unit:
            continue
        options.append((page.gap(_span(figure), _span(anchor)), index))
    if not options:
        return Slot(name)
    gap, index = min(options)
    if gap > 90:
        return Slot(name, candidates=(page.found.quantities[index].surface,))
    return figure_slot(
        name, page, index, 0.9 if len(options) == 1 else 0.75, "type" if len(options) == 1 else "proximity"
    )


# What a change is measured from is not when it happened.
_BASE = re.compile(r"year (?:earlier|ago|before)|전년|같은 기간|동기 ?(?:대비|보다)|同期|同比", re.IGNORECASE)


_DAYS = frozenset({"minute", "day"})


def fill_time(page: Page, sentence: int, anchor: tuple[int, int], name: str, rule: dict[str, Any]) -> Slot:
    """The date nearest to the figure, the date of the report itself left out."""
    options = []
    for index in page.places["times"][sentence]:
        time = page.found.times[index]
        if index in page.report_times or anchor[0] <= time.start < anchor[1]:
            continue
        if _BASE.search(page.text[max(0, time.start - 8) : time.end + 10]):
            continue
        options.append((page.gap(_span(time), anchor), index))
    if rule.get("span") and any(page.found.times[index].grain not in _DAYS for _, index in options):
        options = [(gap, index) for gap, index in options if page.found.times[index].grain not in _DAYS]
    if not options:
        return Slot(name)
    gap, index = min(options)
    if gap > 110:
        return Slot(name, candidates=(page.found.times[index].surface,))
    return time_slot(
        name, page, index, 0.85 if len(options) == 1 else 0.7, "type" if len(options) == 1 else "proximity"
    )


def fill_words(page: Page, sentence: int, anchor: tuple[int, int], name: str, rule: dict[str, Any]) -> Slot:
    """The first value whose words stand nearest to the figure, in the sentence or (reach: paragraph) just before."""
    reach = REACH[rule.get("reach", "sentence")]
    for back in range(min(reach, sentence) + 1):
        here = sentence - back
        span = page.sentences[here]
        best: tuple[float, str, int, int] | None = None
        for order, (value, patterns) in enumerate(rule["words"].items()):
            pattern = patterns.get(page.scripts[here])
            for match in pattern.finditer(page.words(here)) if pattern else ():
                at = (span.start + match.start(), span.start + match.end())
                later = 24.0 if not back and at[0] >= anchor[1] and page.scripts[here] != "en" else 0.0
                away = page.gap(at, anchor) if not back else 0.0
                told = page.text[anchor[1] : at[0]].strip() == "as"  # "15 percent as fast as"
                cost = away + (0 if told else 4 * order) + (later if rule.get("leads") else 0.0)
                if best is None or cost < best[0]:
                    best = (cost, value, *at)
        if best is not None:
            _, value, start, end = best
            sure = 0.85 if not back else 0.5
            return Slot(name, value, page.text[start:end], start, end, sure, "words" if not back else "discourse")
    return Slot(name)


_NOUN_AFTER = {
    "ko": re.compile(
        r"\s*(?:의\s)?([가-힣A-Za-z]{2,}?)(?=(?:을|를|이|가|은|는|와|과|로|으로|의|에서|에|도)?(?:[\s,.)]|$))"
    ),
    "en": re.compile(r"\s*((?:[A-Za-z][\w'-]*\s){0,3}[A-Za-z][\w'-]*)"),
    "zh": re.compile(r"\s*(?:个|家|座|条|项|項|名|款)?([\u4e00-\u9fff]{2,6})"),
}


def fill_noun(page: Page, sentence: int, anchor: tuple[int, int], name: str) -> Slot:
    """The words beside the figure that say what is counted or measured, verbatim; the figure's own words first."""
    lang = page.scripts[sentence]
    surface = page.text[anchor[0] : anchor[1]]
    own = re.search(r"(?<=[\s대])[가-힣]{2,}(?:\s[가-힣]{2,})?$", surface) if lang == "ko" else None
    span = page.sentences[sentence]
    if own:
        start = anchor[0] + own.start()
        return Slot(name, own.group(), own.group(), start, anchor[1], 0.8, "proximity")
    after = _NOUN_AFTER[lang].match(page.text[anchor[1] : span.end])
    if after and after.group(1).strip():
        start = anchor[1] + after.start(1)
        value = after.group(1).strip()
        return Slot(name, value, value, start, start + len(value), 0.6, "proximity")
    clause = _clause_before(page, span.start, anchor[0])
    if clause:
        return Slot(name, clause[0], clause[0], clause[1], clause[1] + len(clause[0]), 0.5, "proximity")
    return Slot(name)


def fill_phrase(page: Page, sentence: int, anchor: tuple[int, int], name: str) -> Slot:
    """The words of the clause that lead up to the figure, verbatim."""
    clause = _clause_before(page, page.sentences[sentence].start, anchor[0])
    if clause:
        return Slot(name, clause[0], clause[0], clause[1], clause[1] + len(clause[0]), 0.55, "proximity")
    return fill_noun(page, sentence, anchor, name)


def _clause_before(page: Page, low: int, high: int) -> tuple[str, int] | None:
    text = page.text[low:high]
    cut = 0
    for match in CLAUSE.finditer(text):
        if match.end() < len(text.rstrip()) - 3:
            cut = match.end()
    raw = text[cut:]
    words = raw.strip(" \t\n\"'“”‘’(（*-•[]")
    if not words:
        return None
    if len(words) > 40:
        cut_at = words.find(" ", len(words) - 40)
        words = words[cut_at + 1 if cut_at >= 0 else -40 :]
    start = low + text.rfind(words)
    return words, start


def subjects(page: Page, sentence: int, kinds: Sequence[str]) -> Iterator[int]:
    """Indices of the named things of `kinds` in a sentence, media and suggestions left out."""
    for index in _eligible(page, sentence, kinds, frozenset()):
        if page.found.entities[index].how != "typo":
            yield index
