"""From figures to claims: which frame a figure belongs to, and the slots that make it checkable.

Frames are data (`data/frames.yaml`). Every figure that is not a date, a label or an idiom gets the frame that suits its
unit and the words about it; figures that only serve another one (a node, a window, a price basis) become its slots.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib import resources
from typing import Any

import yaml

from chipweir.evidence._page import Page
from chipweir.evidence._slots import (
    LEAST_CONFIDENCE,
    Slot,
    accepted,
    fill_entities,
    fill_entity,
    fill_noun,
    fill_phrase,
    fill_quantity,
    fill_time,
    fill_words,
)
from chipweir.text import Extraction, Quantity, quick


MODALITIES = ("asserted", "reported", "quoted", "hedged", "forecast", "opinion")


@dataclass(frozen=True, slots=True)
class Template:
    """A frame: the figures it takes, the words that call for it, and its slots."""

    name: str
    label: Mapping[str, str]
    units: frozenset[str]
    types: frozenset[str]
    words: Mapping[str, re.Pattern[str]]
    beside: Mapping[str, re.Pattern[str]]
    excluded: Mapping[str, re.Pattern[str]]
    excluded_before: Mapping[str, re.Pattern[str]]
    needs: tuple[str, ...]
    needs_entity: tuple[str, ...]
    prior: float
    least: float
    most: float
    within: float
    previous: bool
    named: tuple[tuple[str, ...], ...]
    slots: Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Claim:
    """A checkable statement. `quantity` and `entities` are indices into the extraction; `start`, `end` mark the words
    from its figure to its nearest slots; `attribution` is who is cited for it, as written."""

    id: str
    frame: str
    start: int
    end: int
    sentence: int
    modality: str
    attribution: str
    slots: Mapping[str, Slot]
    confidence: float
    quantity: int | None = None
    proposed_by: str = "rules"

    @property
    def asked(self) -> tuple[str, ...]:
        """The required slots that the article leaves open."""
        required = templates()[self.frame].slots if self.frame in templates() else {}
        return tuple(name for name, slot in self.slots.items() if slot.asked and required.get(name, {}).get("required"))

    @property
    def entities(self) -> tuple[int, ...]:
        """Indices of the named things in its slots."""
        return tuple(slot.entity for slot in self.slots.values() if slot.entity is not None)

    @property
    def quantities(self) -> tuple[int, ...]:
        """Indices of all figures in it, its own first."""
        own = () if self.quantity is None else (self.quantity,)
        return own + tuple(slot.quantity for slot in self.slots.values() if slot.quantity is not None)

    def value(self, name: str) -> Any:
        """What a slot holds, None where it is empty or missing."""
        slot = self.slots.get(name)
        return None if slot is None else slot.value


def read_data(name: str) -> Any:
    """A data file of the room, parsed."""
    return _read_data(name)


@cache
def _read_data(name: str) -> Any:
    with (resources.files("chipweir.evidence") / "data" / name).open(encoding="utf-8") as file:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def patterns(by_script: Mapping[str, str] | None) -> dict[str, re.Pattern[str]]:
    """One compiled pattern per script; empty ones are left out."""
    return {lang: quick(text, ignore_case=True) for lang, text in (by_script or {}).items() if text}


@cache
def templates() -> dict[str, Template]:
    """The frames by name."""
    return {name: _template(name, raw) for name, raw in read_data("frames.yaml").items()}


def _template(name: str, raw: dict[str, Any]) -> Template:
    figure = raw.get("figure", {})
    return Template(
        name=name,
        label=raw["label"],
        units=frozenset(figure.get("units", ())),
        types=frozenset(figure.get("types", ())),
        words=patterns(raw.get("words")),
        beside=patterns(raw.get("beside")),
        excluded=patterns(raw.get("not")),
        excluded_before=patterns(raw.get("not_after")),
        needs=tuple(raw.get("needs", ())),
        needs_entity=tuple(raw.get("requires_entity", ())),
        prior=float(raw.get("prior", 0)),
        least=float(figure.get("min", -math.inf)),
        most=float(figure.get("max", math.inf)),
        within=float(raw.get("within", math.inf)),
        previous=bool(raw.get("previous", False)),
        named=tuple(
            tuple(rule.get("entity") or rule["entities"])
            for rule in raw["slots"].values()
            if rule.get("required") and ("entity" in rule or "entities" in rule)
        ),
        slots={slot: _compiled(rule) for slot, rule in raw["slots"].items()},
    )


def _compiled(rule: dict[str, Any]) -> dict[str, Any]:
    """The rule of a slot with the words of its values compiled."""
    if "words" not in rule:
        return rule
    return {**rule, "words": {value: patterns(words) for value, words in rule["words"].items()}}


def propose(found: Extraction, page: Page | None = None) -> tuple[Claim, ...]:
    """The claims in an article, in the order of its text. Stretches that were dropped (duplicates, captions) yield
    none. `page` is the article by its sentences where it is at hand."""
    page = page or Page(found)
    claims: list[Claim] = []
    for number, sentence in enumerate(page.sentences):
        if not sentence.dropped:
            claims += _sentence_claims(page, number, claims)
    from chipweir.evidence._statements import statements

    claims += statements(page)
    claims.sort(key=lambda claim: (claim.start, claim.end))
    return tuple(replace(claim, id=f"c{number:02d}") for number, claim in enumerate(claims, 1))


def _sentence_claims(page: Page, sentence: int, before: Sequence[Claim]) -> list[Claim]:
    ranked = []
    sight = _Sight(page, sentence)
    for index in page.places["quantities"][sentence]:
        figure = page.found.quantities[index]
        if figure.type in {"date", "idiom"} or "label" in figure.flags or _is_generation(figure):
            continue
        template, score = _best_frame(sight, index)
        if template is not None:
            ranked.append((score, index, template))
    ranked.sort(key=lambda item: (-item[0], item[1]))
    recent = [claim for claim in before[-40:] if sentence - claim.sentence <= 2]
    used: set[int] = _price_bases(page, sentence)
    claims: list[Claim] = []
    for score, index, template in ranked:
        if index in used:
            continue
        claim = _build(page, sentence, index, template, score, [*recent, *claims], used)
        used |= {i for i in claim.quantities if not _shared(claim, i)}
        claims.append(claim)
    return claims


_GENERATION = re.compile(r"세대|차$|기$|代$|届$|屆$|期$|generation", re.IGNORECASE)


def _is_generation(figure: Quantity) -> bool:
    """Whether an ordinal names a generation, a round or a term: a part of a name, not a rank."""
    return figure.type == "rank" and _GENERATION.search(figure.surface) is not None


def _shared(claim: Claim, index: int) -> bool:
    """Whether a figure in a claim stays free for another: what a currency gloss repeats is a claim of its own."""
    rules = templates()[claim.frame].slots
    return any(slot.quantity == index and rules[name].get("shared") for name, slot in claim.slots.items())


def _price_bases(page: Page, sentence: int) -> set[int]:
    """Figures such as the "1 million" of "per 1 million tokens" that a price already carries as its basis."""
    here = [page.found.quantities[index] for index in page.places["quantities"][sentence]]
    result = set()
    for index in page.places["quantities"][sentence]:
        figure = page.found.quantities[index]
        if figure.unit not in {"token", "count"} or figure.type == "money":
            continue
        prices = [q for q in here if q.type == "money" and q.basis]
        if figure.value in {1e3, 1e6, 1e9} and any(_near(figure, price) <= 24 for price in prices):
            result.add(index)
    return result


def _near(a: Quantity, b: Quantity) -> int:
    return b.start - a.end if a.start < b.start else a.start - b.end


@dataclass(frozen=True)
class _Sight:
    """What the frames look at in one sentence, worked out once for all its figures."""

    page: Page
    number: int
    triggers: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of the named things in the sentence."""
        return frozenset(self.page.found.entities[i].kind for i in self.page.places["entities"][self.number])

    @cached_property
    def kinds_before(self) -> frozenset[str]:
        """The kinds of the named things in the sentence and the one before it."""
        before = self.page.places["entities"][self.number - 1] if self.number else []
        return self.kinds | {self.page.found.entities[i].kind for i in before}

    def words(self, template: Template) -> list[tuple[int, int]]:
        """Where the words of a frame stand in the sentence."""
        if template.name not in self.triggers:
            pattern = template.words.get(self.page.scripts[self.number])
            at = self.page.sentences[self.number].start
            found = pattern.finditer(self.page.words(self.number)) if pattern else ()
            self.triggers[template.name] = [(at + m.start(), at + m.end()) for m in found]
        return self.triggers[template.name]


def _best_frame(sight: _Sight, index: int) -> tuple[Template | None, float]:
    figure = sight.page.found.quantities[index]
    best: tuple[float, Template | None] = (0.0, None)
    for template in _templates_for(figure.unit, figure.type):
        score = _frame_score(sight, figure, template)
        if score is not None and score > best[0]:
            best = (score, template)
    return best[1], best[0]


def _frame_score(sight: _Sight, figure: Quantity, template: Template) -> float | None:
    page, sentence = sight.page, sight.number
    lang = page.scripts[sentence]
    if not _sized(figure, template) or _ruled_out(page, sentence, figure, template, lang):
        return None
    trigger = _trigger(sight, figure, template, lang)
    kinds = sight.kinds
    if template.needs_entity:
        needed = accepted(template.needs_entity)
        kinds = sight.kinds if needed & sight.kinds else sight.kinds_before
        if not needed & kinds:
            return None
    if not any(_meets(need, figure, trigger, kinds, page, sentence) for need in template.needs):
        return None
    if template.name in {"growth", "stock_move"} and is_level(page.text, figure, lang):
        return None
    fits = sum(bool(accepted(required) & kinds) for required in template.named)
    return template.prior + trigger + (0.6 * fits / len(template.named) if template.named else 0.0)


_PRICES = frozenset({"price", "chip_price"})
_FROM_TO = {
    "ko": (
        re.compile(r"$"),
        re.compile(r"^에서\s?[^.,]{0,14}(?:로|으로)\s?(?:내|올|인하|인상|낮|높|조정|하락|상승|떨)"),
    ),
    "en": (re.compile(r"\bfrom\s$"), re.compile(r"^[\w\s]{0,24}\sto\s")),
    "zh": (re.compile(r"(?:由|从|從)\s?$"), re.compile(r"^(?:大幅)?(?:下调|下調|降|上调|上調|调|調|提高|升|涨|漲)")),
}


def _former(page: Page, figure: Quantity, lang: str) -> bool:
    """Whether a figure is what something was before ("cut from $4 to $2")."""
    before, after = _FROM_TO[lang]
    return bool(
        before.search(page.text[max(0, figure.start - 8) : figure.start])
        and after.search(page.text[figure.end : figure.end + 40])
    )


_NEXT_FIGURE = re.compile(r"\b\d{2}|,\s(?:or|and)\s")


def _ruled_out(page: Page, sentence: int, figure: Quantity, template: Template, lang: str) -> bool:
    """Whether words beside a figure exclude a frame, or the noun that it needs is missing."""
    span = page.sentences[sentence]
    excluded, beside = template.excluded.get(lang), template.beside.get(lang)
    if template.name in _PRICES and _former(page, figure, lang):
        return True
    if excluded and excluded.search(page.text[max(span.start, figure.start - 45) : min(span.end, figure.end + 45)]):
        return True
    before = template.excluded_before.get(lang)
    if before and before.search(page.text[max(span.start, figure.start - (24 if lang == "en" else 12)) : figure.start]):
        return True
    if beside is None:
        return False
    # English names what it counts after the number, Korean and Chinese on either side.
    left = figure.end if lang == "en" else max(span.start, figure.start - 14)
    near = page.text[left : min(span.end, figure.end + (34 if lang == "en" else 14))]
    if lang == "en":
        near = _NEXT_FIGURE.split(near, maxsplit=1)[0]
    own = page.text[figure.start : figure.end] if lang == "en" else ""
    return beside.search(f"{own} {near}") is None


def _trigger(sight: _Sight, figure: Quantity, template: Template, lang: str) -> float:
    """How strongly the words of a frame call for it: more, the nearer they stand to the figure."""
    page, sentence = sight.page, sight.number
    if lang not in template.words:
        return 0.0
    gaps = [page.gap(at, (figure.start, figure.end)) for at in sight.words(template)]
    gaps = [gap for gap in gaps if gap <= template.within]
    if gaps:
        return 0.6 + 1.6 * math.exp(-min(gaps) / 40)
    spoken = template.previous and sentence and template.words[lang].search(page.words(sentence - 1))
    return 0.5 if spoken else 0.0


_LEVEL_BEFORE = {
    "en": re.compile(r"\b(?:to|at|from|ma(?:de|kes?|king) up)\s(?:about |around |nearly |almost |over |some )?$", re.I),
    "zh": re.compile(r"(?:至|到|达|達|为|為|从|由)(?:约|約)?$"),
}
_LEVEL_AFTER = re.compile(r"^\s?(?:로|까지|에서)\s?(?:급|크게 )?(?:올|상승|늘|증가|확대|감소|하락|줄|낮|높|떨어|치솟)")


# What something is higher or lower than, or moved from.
_STARTING = re.compile(r"[)）]?\s?(?:보다|에서|에 비해|에 견줘)")


def is_level(text: str, figure: Quantity, lang: str) -> bool:
    """Whether a percentage is where something stands ("rose to 40 %"), not by how much it changed."""
    if figure.unit != "fraction":
        return False
    if _STARTING.match(text, figure.end):
        return True
    if lang == "ko":
        return bool(_LEVEL_AFTER.match(text[figure.end : figure.end + 12]))
    return bool(_LEVEL_BEFORE[lang].search(text[max(0, figure.start - 18) : figure.start]))


@cache
def _templates_for(unit: str, kind: str) -> tuple[Template, ...]:
    """The frames that take figures of a unit and type."""
    return tuple(template for template in templates().values() if _fits(unit, kind, template))


def _fits(unit: str, kind: str, template: Template) -> bool:
    if template.units and template.types:
        if unit not in template.units and not (kind in template.types and not unit):
            return False
        return kind in template.types or unit in {"layer", "m", "parameter"}
    return not ((template.units and unit not in template.units) or (template.types and kind not in template.types))


def _sized(figure: Quantity, template: Template) -> bool:
    size = figure.value if isinstance(figure.value, int | float) else figure.low
    return not (isinstance(size, int | float) and not template.least <= abs(size) <= template.most)


def _meets(need: str, figure: Quantity, trigger: float, kinds: frozenset[str], page: Page, sentence: int) -> bool:
    if need == "always":
        return True
    if need == "words":
        return trigger > 0
    if need == "paren":
        here = [page.found.quantities[i] for i in page.places["quantities"][sentence]]
        others = [q for q in here if q.type == figure.type and q.unit != figure.unit]
        return _bracketed(page, figure) and any(0 <= figure.start - q.end <= 14 for q in others)
    if need == "gloss":
        here = [page.found.quantities[i] for i in page.places["quantities"][sentence]]
        same = [q for q in here if q.unit == figure.unit and q is not figure]
        return _bracketed(page, figure) and any(0 <= figure.start - q.end <= 20 for q in same)
    if need == "moved":
        return trigger > 0 and bool(figure.change)
    name, _, what = need.partition(":")
    if name == "basis":
        return figure.basis == what
    if name == "unit":
        return figure.unit == what
    if name == "type":
        return figure.type == what
    if name == "entity":
        return trigger > 0 and bool(accepted((what,)) & kinds)
    return False


_OPENING = re.compile(r"[(（][^()（）]{0,18}$")


def _bracketed(page: Page, figure: Quantity) -> bool:
    """Whether a figure stands in brackets, with at most a few words before it."""
    return bool(_OPENING.search(page.text[max(0, figure.start - 20) : figure.start])) and bool(
        re.match(r"[^()（）]{0,12}[)）]", page.text[figure.end : figure.end + 16])
    )


def _build(
    page: Page, sentence: int, index: int, template: Template, score: float, before: Sequence[Claim], used: set[int]
) -> Claim:
    figure = page.found.quantities[index]
    anchor = (figure.start, figure.end)
    slots: dict[str, Slot] = {}
    taken: set[str] = set()
    consumed = set(used)
    for name, rule in template.slots.items():
        slot = _fill(page, sentence, index, name, rule, before, frozenset(taken), consumed, template.name)
        if slot.confidence < LEAST_CONFIDENCE and not slot.asked:
            slot = Slot(name, candidates=(str(slot.value),))
        if slot.asked and not rule.get("required"):
            continue
        slots[name] = slot
        if slot.entity is not None:
            taken |= {slot.value} if isinstance(slot.value, str) else set(slot.value)
        if slot.quantity is not None:
            consumed.add(slot.quantity)
    start, end = _extent(page, sentence, anchor, slots.values())
    required = [slot for name, slot in slots.items() if template.slots[name].get("required")]
    sure = sum(slot.confidence for slot in required) / len(required) if required else 0.8
    return Claim(
        id="",
        frame=template.name,
        start=start,
        end=end,
        sentence=sentence,
        modality=modality(page, sentence, anchor),
        attribution=page.sentences[sentence].attribution,
        slots=slots,
        confidence=round(min(0.95, 0.5 * sure + 0.12 * min(score, 4)), 2),
        quantity=index,
    )


def _fill(
    page: Page,
    sentence: int,
    index: int,
    name: str,
    rule: dict[str, Any],
    before: Sequence[Claim],
    taken: frozenset[str],
    used: set[int],
    frame: str,
) -> Slot:
    figure = page.found.quantities[index]
    anchor = (figure.start, figure.end)
    slot = Slot(name)
    if frame == "spec" and name == "item" and _beyond_a_chip(figure):
        rule = {**rule, "entity": ["system"]}
    if "entities" in rule:
        slot = fill_entities(page, sentence, anchor, name, rule, taken)
    elif "entity" in rule:
        slot = fill_entity(page, sentence, anchor, name, rule, taken)
    elif "words" in rule:
        slot = fill_words(page, sentence, anchor, name, rule)
    elif "quantity" in rule:
        slot = fill_quantity(page, sentence, index, name, rule, used)
        if slot.asked and rule.get("or_time"):
            slot = fill_time(page, sentence, anchor, name, rule)
    elif "time" in rule:
        slot = fill_time(page, sentence, anchor, name, rule)
    elif "noun" in rule:
        fill = (
            fill_phrase
            if rule["noun"] in {"cost", "money", "ratio", "market", "before", "base", "duration"}
            else fill_noun
        )
        slot = fill(page, sentence, anchor, name)
    elif "from" in rule:
        slot = _property(figure, name, rule["from"])
    elif rule.get("document") == "published" and page.found.document.published:
        slot = Slot(name, page.found.document.published[:10], confidence=0.8, by="document")
    if slot.asked and not slot.candidates and rule.get("headline") and len(page.headline) == 1:
        (only,) = page.headline
        slot = Slot(name, only, only, confidence=0.4, by="document")
    if slot.asked and rule.get("inherit"):
        slot = _inherited(frame, sentence, name, before) or slot
    return slot


# More than any one chip has: it is a system's.
_LARGEST_OF_A_CHIP = {"W": 2e4, "FLOP/s": 1e17, "B": 1e13, "B/s": 1e14}


def _beyond_a_chip(figure: Quantity) -> bool:
    size = figure.value if isinstance(figure.value, int | float) else 0.0
    return size > _LARGEST_OF_A_CHIP.get(figure.unit, float("inf"))


def _property(figure: Quantity, name: str, which: str) -> Slot:
    value = getattr(figure, which)
    if not value:
        return Slot(name)
    return Slot(name, value, figure.surface, figure.start, figure.end, 0.9, "figure")


def _inherited(frame: str, sentence: int, name: str, before: Sequence[Claim]) -> Slot | None:
    """The slot of the same frame's last claim: in a list of prices the basis is named once."""
    for claim in reversed(before):
        if claim.frame == frame and sentence - claim.sentence <= 2:
            earlier = claim.slots.get(name)
            if earlier is not None and not earlier.asked:
                return replace(earlier, confidence=min(earlier.confidence, 0.6), by="discourse")
    return None


def _extent(page: Page, sentence: int, anchor: tuple[int, int], slots: Any) -> tuple[int, int]:
    span = page.sentences[sentence]
    start, end = anchor
    for slot in slots:
        if slot.start is None or slot.by == "discourse" or not span.start <= slot.start < span.end:
            continue
        if min(abs(slot.start - anchor[1]), abs(anchor[0] - slot.end)) <= 60:
            start, end = min(start, slot.start), max(end, slot.end)
    return start, end


@cache
def markers() -> dict[str, Any]:
    """Compiled marker words: modality classes in order, reporting, causal, strategic, interpretation."""
    raw = read_data("markers.yaml")
    compiled: dict[str, Any] = {name: patterns(raw[name]) for name in raw if name != "modality"}
    compiled["modality"] = {name: patterns(words) for name, words in raw["modality"].items()}
    return compiled


def marked(name: str, text: str, lang: str) -> bool:
    """Whether `text` carries one of the marker words of class `name`."""
    pattern = markers()[name].get(lang)
    return bool(pattern and pattern.search(text))


def unsaid(page: Page, sentence: int, start: int, end: int) -> bool:
    """Whether a sentence asks, supposes or denies what stands at a place, and so does not state it."""
    record, lang = page.sentences[sentence], page.scripts[sentence]
    asked = marked("unsaid_sentence", page.words(sentence), lang)
    before, behind = page.text[record.start : start], page.text[end : record.end]
    return asked or marked("unsaid_before", before, lang) or marked("unsaid_behind", behind, lang)


def modality(page: Page, sentence: int, at: tuple[int, int] | None = None) -> str:
    """How firmly a sentence says something: quoted, hedged, forecast, opinion, reported or asserted.

    A figure inside quotation marks is quoted; a hedge weighs more than a report, a report more than a forecast.
    """
    if at is not None and any(low <= at[0] and at[1] <= high for low, high in page.sentences[sentence].quotes):
        return "quoted"
    if sentence not in page.said:
        page.said[sentence] = _said(page, sentence)
    return page.said[sentence]


def _said(page: Page, sentence: int) -> str:
    record, lang, text = page.sentences[sentence], page.scripts[sentence], page.words(sentence)
    classes = markers()["modality"]
    hits = {name for name, by in classes.items() if lang in by and by[lang].search(text)}
    if "opinion" in hits:
        return "opinion"
    if record.attribution or marked("reporting", text, lang):
        return "hedged" if "hedged" in hits and not record.attribution else "reported"
    if "hedged" in hits:
        return "hedged"
    return "forecast" if "forecast" in hits else "asserted"
