"""Verdicts from keyed records: what a figure says against all that is on record under the same keys.

Contradicted needs a record whose whole key is said, in the same period, from a source that can be named, and none that
agrees; what is our own knowledge only can agree (and says so), never deny. Where nothing of the key is on record the
verdict is that nothing was found; agreement of a part of the key (one segment, another basis) is imprecise. Every
record that was compared is listed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from chipweir import facts
from chipweir.evidence._compare import Comparison, claimed, compare
from chipweir.evidence._frames import Claim, modality
from chipweir.evidence._growth import growths, speaks_of_growth
from chipweir.evidence._happened import Happened, Told
from chipweir.evidence._keys import Match
from chipweir.evidence._known import Known
from chipweir.evidence._match import AS_STRONG, Matcher
from chipweir.evidence._page import Page
from chipweir.evidence._ratios import Ratio, judge_ratio
from chipweir.evidence._scene import EARLIER, OWN, Reader, Scene, Seen
from chipweir.evidence._slots import Slot, entity_slot
from chipweir.evidence._verdict import (
    Evidence,
    Number,
    Status,
    Text,
    Verdict,
    Worded,
    dated_event,
    event_evidence,
    fact_evidence,
    publisher,
    source_url,
    value_evidence,
)
from chipweir.evidence._vocabulary import vocabulary


_SHOWN = 4
# Records that a figure is compared with, the best first.
_MOST = 80
# Beyond this quotient of its ends a range is wide.
_WIDE = 1.3
# How far a number must lie from those in force at the article's day to be denied by them.
_FAR = 1.5
# How strongly a measure must be named before a number can be denied: by a noun or a verb, not by a unit alone.
_NAMED = 1.4
# The width of a number of two or three digits, above which faint words and an open date may not confirm it.
_ROUND = 0.025
# Days from the calendar's end of a period beyond which a record's is a fiscal one.
_OWN_QUARTER = 40
_FAINT = 0.85
# The same where only one measure has a record of the very key and period: a noun of several measures will do.
_GENERIC = 1.0


@dataclass(frozen=True, slots=True)
class Held:
    """A record, how its key fits and how the figure stands to it."""

    match: Match
    comparison: Comparison
    side: int
    far: float

    @property
    def record(self) -> Known:
        """The record."""
        return self.match.record


@dataclass(frozen=True, slots=True)
class Keyed:
    """The verdict on a figure and the measure that decided it (empty where nothing tells what is measured)."""

    verdict: Verdict
    measure: str
    held: tuple[Held, ...] = ()

    @property
    def of_a_product(self) -> bool:
        """Whether the records are of a product, or of the very period: a yield of a node is a yield of what?"""
        if not self.held:
            return False
        item = self.held[0].record.item
        return (bool(item) and not item.startswith("node-")) or self.held[0].match.fit == "exact"


@dataclass(frozen=True)
class Judge:
    """Judges the figures of one article against one fact base."""

    page: Page
    known: "facts.Facts"
    on: str | None
    given: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def reader(self) -> Reader:
        """Reads what stands around the figures."""
        return Reader(self.page)

    @cached_property
    def matcher(self) -> Matcher:
        """Finds the records of a figure."""
        return Matcher(self.known, self.on)

    @cached_property
    def happened(self) -> Happened:
        """Finds the event that a figure is of."""
        return Happened(self.matcher)

    def sentence(self, number: int) -> dict[int, Keyed]:
        """The verdicts on the figures of a sentence, by their index; figures that nothing is known of are left out."""
        return {scene.index: found for scene in self.reader.scenes(number) if (found := self.judge(scene)) is not None}

    def judge(self, scene: Scene) -> Keyed | None:
        """The verdict on one figure."""
        scene = self._as_given(scene)
        if scene.figure.unit == "m":
            return self._of_node(scene)
        ratio = judge_ratio(scene, self.matcher, self.page.text)
        if ratio is not None:
            return self._of_ratio(scene, ratio)
        if speaks_of_growth(scene, self.page.text, self.page.scripts[scene.sentence]):
            matches = growths(scene, self.matcher, self.page.text)
        else:
            matches = self.matcher.matches(scene)
        said = claimed(scene.figure)
        held = [
            Held(m, *c)
            for m in matches[:_MOST]
            if (c := compare(scene.figure, m.record, self._convert(m.record), said)) is not None
        ]
        status, deciding, slot = decide(held, self._flows) if held else ("unsupported", [], "")
        if status == "consistent" and _by_hint(deciding, said):
            status = "unsupported"
        if status in {"unsupported", "contradicted"}:
            told = self.happened.told(scene)
            if told is not None and (told.same or status == "unsupported"):
                return self._of_event(scene, told)
        if status == "unsupported" and (rare := self.matcher.by_number(scene, said)):
            held = deciding = [Held(one, "same", 0, 1.0) for one in rare[:_SHOWN]]
            status = "consistent"
        if not held:
            return None
        if status == "contradicted" and (self._ahead(scene, deciding) or self._weaker(scene, deciding)):
            status = "unsupported"
        return Keyed(self._verdict(scene, status, slot, deciding, held), deciding[0].record.measure, tuple(deciding))

    def _of_node(self, scene: Scene) -> Keyed | None:
        """The verdict on the process a chip is said to be made on: the classes its record names."""
        chips = [i for one in scene.things if one.level < EARLIER for i in one.ids if i in self.known.chips]
        said = scene.figure.value
        if (
            len(set(chips)) != 1
            or not isinstance(said, int | float)
            or not _MADE_ON.search(self.page.words(scene.sentence))
        ):
            return None
        chip = self.known.chips[chips[0]]
        classes = _classes(chip.node)
        if not classes:
            return None
        status: Status = "consistent" if any(abs(said * 1e9 - one) < _SAME_NODE for one in classes) else "contradicted"
        numbers = (Number("claimed", float(said), "m"), Number("node", classes[0] * 1e-9, "m", source=chip.id))
        source = Evidence("chip", chip.id, f"{chip.name}: {chip.node}", publisher(self.known, chip.source),
                          source_url(self.known, chip.source), supports=status == "consistent")  # fmt: skip
        text = Text("compared", {"claimed": numbers[0], "known": numbers[1], "what": f"{chip.name}, {chip.node}"})
        return Keyed(Verdict(status, "figure", {"figure": status}, numbers, (source,), text), "node")

    def _weaker(self, scene: Scene, deciding: Sequence[Held]) -> bool:
        """Whether the words name another measure far more strongly: of that nothing is on record, and this one is none."""
        named = max(self.matcher.measures(scene).values(), default=0.0)
        return max(one.match.strength for one in deciding) < named - 2 * AS_STRONG

    def _ahead(self, scene: Scene, deciding: Sequence[Held]) -> bool:
        """Whether a sentence speaks of what may come and the records only of what has been."""
        past = all(one.match.fit == "open" and one.record.nature == "observation" for one in deciding)
        coming = self.on and any(str(time.low or "") > self.on for time in scene.nearest_times)
        if coming and all(one.record.timeless and one.record.nature == "observation" for one in deciding):
            return True
        return past and modality(self.page, scene.sentence) == "forecast"

    def _of_event(self, scene: Scene, told: Told) -> Keyed:
        """The verdict on a figure of a dated event."""
        status: Status = "consistent" if told.same else "contradicted"
        said = scene.figure.value if isinstance(scene.figure.value, int | float) else scene.figure.low
        numbers = (
            Number("claimed", float(said or 0.0), scene.figure.unit),
            Number("event", float(told.figure.value or 0.0), told.figure.unit, source=told.event.id),
        )
        text = Text("event_text", {"what": dated_event(told.event, ": ")})
        evidence = (event_evidence(told.event, self.known, told.same),)
        verdict = Verdict(status, "figure", {"figure": status}, numbers, evidence, text, Text("change_event"))
        return Keyed(verdict, "event_figure")

    def _of_ratio(self, scene: Scene, ratio: Ratio) -> Keyed:
        """The verdict on how many times one thing is another."""
        said = scene.figure.value if isinstance(scene.figure.value, int | float) else scene.figure.low
        numbers = [Number("claimed", float(said or 0.0), scene.figure.unit)]
        numbers += [Number(one.name, one.best, "ratio", one.low, one.high) for one in ratio.quotients]
        used = list({record.id: record for one in ratio.quotients for record in one.of}.values())
        evidence = tuple(self._evidence(record, None) for record in used[:_SHOWN])
        text = Text("ratio", {"claimed": numbers[0], "known": numbers[1]}) if ratio.quotients else Text("nothing_found")
        verdict = Verdict(ratio.status, "figure", {"figure": ratio.status}, tuple(numbers), evidence, text,
                          Text("change_fact"))  # fmt: skip
        return Keyed(verdict, "ratio")

    @cached_property
    def _flows(self) -> frozenset[str]:
        return frozenset(name for name, measure in self.known.measures.items() if measure.adds == "sum")

    def _as_given(self, scene: Scene) -> Scene:
        """A scene in which what people set stands in place of the names of the same kind that were read."""
        names = self.given.get(scene.index, ())
        if not names:
            return scene
        at, kinds = scene.figure.start, {self.known.entities[name].kind for name in names}
        set_by_hand = [Seen((name,), self.known.entities[name].kind, at, at, OWN, 0.0) for name in names]
        return replace(scene, things=(*set_by_hand, *(one for one in scene.things if one.kind not in kinds)))

    def _convert(self, record: Known) -> Any:
        day = self.on or str(date.today())
        if not record.timeless and record.end < date.fromisoformat(day):
            day = record.end.isoformat()

        def convert(amount: float, start: str, target: str) -> float | None:
            from chipweir.errors import InputError

            try:
                return float(self.known.convert(amount, start, target, day))
            except InputError:
                return None

        return convert

    def _verdict(
        self, scene: Scene, status: Status, slot: str, deciding: Sequence[Held], held: Sequence[Held]
    ) -> Verdict:
        figure, best = scene.figure, deciding[0].record
        said = figure.value if isinstance(figure.value, int | float) else figure.low
        numbers = [Number("claimed", float(said) if isinstance(said, int | float) else float("nan"), figure.unit)]
        numbers += [_number(one.record) for one in deciding[:_SHOWN]]
        evidence = [self.evidence(one, status) for one in deciding[:_SHOWN]]
        text = Text("compared", {"claimed": numbers[0], "known": numbers[1], "what": self.what(best)})
        if status == "unsupported":
            text = Text("related_only", {"what": self.what(best)})
        return Verdict(
            status, slot, {slot: status}, tuple(numbers), tuple(evidence), text,
            Text("change_fact"), (*self._notes(deciding, held), *self._of_fiscal_year(scene, deciding)),
        )  # fmt: skip

    def _notes(self, deciding: Sequence[Held], held: Sequence[Held]) -> list[Text]:
        notes = []
        first = deciding[0].record
        if all(one.record.own for one in deciding):
            notes.append(Text("own"))
        elif all(one.record.recalled for one in deciding):
            notes.append(Text("recalled"))
        if first.nature != "observation":
            notes.append(Text("nature", {"nature": first.nature}))
        if (
            self.on
            and not first.timeless
            and first.value.known_by > date.fromisoformat(self.on)
            and first.kind == "fact"
        ):
            notes.append(Text("known_later", {"date": first.value.known_by.isoformat()}))
        others = [one for one in held if one.match.exact and one.match.fit == deciding[0].match.fit]
        if deciding[0].comparison == "same" and any(one.comparison == "apart" for one in others):
            apart = next(one for one in others if one.comparison == "apart")
            notes.append(Text("conflict", {"other": _number(apart.record), "what": self.what(apart.record)}))
        return notes

    @staticmethod
    def _of_fiscal_year(scene: Scene, deciding: Sequence[Held]) -> list[Text]:
        """A note where a period that the text does not call fiscal is the firm's own and not the calendar's."""
        first = deciding[0]
        told = [t for t in scene.nearest_times if t.grain in {"quarter", "year", "half"} and t.high and t.low]
        if first.match.fit != "exact" or first.record.timeless or not told or first.record.kind != "fact":
            return []
        end = first.record.end
        apart = min(abs((date.fromisoformat(str(t.high)[:10]) - end).days) for t in told)
        fiscal = any("fiscal" in t.flags for t in told)
        return (
            [Text("fiscal_period", {"date": end.isoformat()})]
            if _OWN_QUARTER < apart < 5 * _OWN_QUARTER and not fiscal
            else []
        )

    def what(self, record: Known) -> Worded:
        """A record's key in words, in both languages."""
        names = [self.matcher.index.name(one) for one in (record.entity, record.item) if one]
        measure = self.known.measures.get(record.measure)
        words = vocabulary()["specs"].get(record.measure.removeprefix("spec:"), {})
        plain = str(words.get("en", [record.measure.replace("_", " ")])[0])
        korean_plain = str(words.get("ko", [plain])[0])
        english = [*map(str, names), measure.title["en"].lower() if measure else plain]
        korean = [*(one.ko or str(one) for one in names), measure.title["ko"] if measure else korean_plain]
        rest = [f"{key} {value}" for key, value in record.dims.items()]
        rest += [self.known.facts[record.id].when] if record.kind == "fact" else []
        return Worded.of(", ".join([*english, *rest]), ", ".join([*korean, *rest]))

    def evidence(self, one: Held, status: Status) -> Evidence:
        """A record as evidence."""
        supports = None
        if status != "unsupported" and one.comparison in {"same", "apart"}:
            supports = one.comparison == "same"
        return self._evidence(one.record, supports)

    def _evidence(self, record: Known, supports: bool | None) -> Evidence:
        if record.kind == "arithmetic":
            parts = record.id.split("/")
            return Evidence("arithmetic", record.id, f"{parts[0]} / {parts[1]} - 1", supports=supports)
        if record.kind == "fact":
            return fact_evidence(self.known.facts[record.id], self.known, supports)
        kind = record.kind if record.kind in {"price", "chip", "system", "model"} else "fact"
        return value_evidence(kind, record.id, self.what(record), record.value, self.known, supports)


_MADE_ON = re.compile(
    r"공정|나노로|만든|만들|제조|process|\bnode|built on|made on|fabricated|制程|製程|工艺|工藝|纳米|奈米", re.I
)
_SAME_NODE = 0.6


def _classes(node: str) -> list[float]:
    """The process classes in nm that the name of a node stands for: N7 7; 4N 4 and its class 5; "N+2 (7 nm class)" 7."""
    told = [float(n) for n in re.findall(r"(\d+(?:\.\d+)?) ?nm", node)]
    told += [float(n) for n in re.findall(r"(?<![\d+.])(?:N|SF|LP)?(\d{1,2})(?=[A-Z+ ]|$)", node) if not told]
    return [*told, *(5.0 for one in told if one == 4.0)]


def _number(record: Known) -> Number:
    finite = [end if abs(end) != float("inf") else None for end in (record.low, record.high)]
    unit = record.unit
    return Number(record.measure.removeprefix("spec:"), record.best, unit, finite[0], finite[1], record.id)


def _vague(one: Held) -> bool:
    """Whether a record agrees only because its range is wide, or because a price list is not of the claim's day."""
    wide = one.record.high > _WIDE * max(one.record.low, 1e-12) > 0
    return (wide and one.far > 1) or (one.record.kind == "price" and one.record.measure != "api_price")


def decide(held: Sequence[Held], flows: frozenset[str]) -> tuple[Status, list[Held], str]:
    """The status, the records that decide it (at least one) and the slot of the key that does. `flows` are measures
    whose numbers hold for their own period only."""
    live = [one for one in held if one.match.fit != "off"]
    if not live:
        return "unsupported", list(held[:_SHOWN]), "period"
    top = live[0].match
    like = [one for one in live if one.match.strength >= top.strength - AS_STRONG]
    best = [one for one in like if one.match.missing + one.match.extra == top.missing + top.extra
            and one.match.sure == top.sure]  # fmt: skip
    exact = (
        [one for one in best if one.match.fit == "exact"] or [one for one in best if one.match.fit != "near"] or best
    )
    apart = [one for one in exact if one.comparison == "apart" and one.match.exact and one.record.kind != "price"]
    agreeing = [one for one in exact if one.comparison == "same"]
    if agreeing:
        if (apart and all(map(_vague, agreeing))) or (
            exact[0].match.fit == "near" and exact[0].record.measure in flows
        ):
            return "imprecise", [*agreeing, *apart], "figure"
        return "consistent", sorted(agreeing, key=lambda one: one.record.order), "figure"
    told = {one.record.measure for one in live if one.match.exact and one.match.fit == "exact"}
    deniers = [one for one in exact if _may_deny(one, _GENERIC if len(told) == 1 else _NAMED)]
    partly = [one for one in like if one.match.missing + one.match.extra <= top.missing + top.extra + 1]
    elsewhere = [one for one in partly if one.comparison == "same" and one.match.fit != "near"]
    if elsewhere:
        if deniers:
            return "imprecise", [*elsewhere, *deniers], "item"
        if top.exact:
            return "unsupported", elsewhere, "period"
        return "consistent", elsewhere, "figure"
    near = [one for one in exact if one.comparison == "near" and not one.record.own]
    if near or len({one.side for one in deniers}) > 1:
        return "imprecise", [*near, *(one for one in deniers if one not in near)], "figure"
    if not deniers or any(one.comparison == "open" for one in deniers):
        return "unsupported", exact, "figure"
    return "contradicted", deniers, "figure"


def _by_hint(deciding: Sequence[Held], said: tuple[float, float]) -> bool:
    """Whether a round number agrees only with what faint words tell: that may be chance."""
    width = abs(said[1] - said[0]) / max(abs(said[0] + said[1]) / 2, 1e-12)
    faint = all(one.match.strength < _FAINT and not _rich(one.match) for one in deciding)
    return faint and width > (_ROUND if all(one.match.fit == "open" for one in deciding) else 3 * _ROUND)


def _rich(match: Match) -> bool:
    """Whether a match rests on more than its subject: its item and its very period are said too."""
    return (
        match.sure
        and not match.missing + match.extra
        and match.fit == "exact"
        and bool(match.record.item)
        and not match.record.timeless
    )


# Answers: one poll asks much, and what else it asked is no denial.
_ASKED = frozenset({"poll_share"})


def _may_deny(one: Held, least: float) -> bool:
    """Whether a record has the standing to deny: its whole key is said, its source can be named, and its period is the
    claim's; of what holds at the article's day, a price list, or a number that is far off. `least` is how strongly the
    measure must be named."""
    if not one.match.exact or one.record.own or one.match.strength < least or one.record.measure in _ASKED:
        return False
    if one.match.fit == "open":
        return not one.match.tacit and (one.record.measure == "api_price" or one.far > _FAR)
    return one.match.fit in {"exact", "within"}


# What a claim about a measure is called: the frames of `data/frames.yaml`, else the measure itself.
_FRAME_OF = {
    "api_price": "price", "chip_price": "chip_price", "street_price": "chip_price", "rental_price": "rental",
    "parameters": "params", "context_length": "context", "revenue": "revenue", "dc_revenue": "revenue",
    "china_revenue": "revenue", "ai_revenue": "revenue", "product_revenue": "revenue", "growth": "growth",
    "fund_size": "fund", "budget": "fund", "wafer_capacity": "wafer_capacity", "yield": "yield",
    "ratio": "spec_ratio", "node": "node_use", "advanced_logic_capacity": "wafer_capacity",
    "smuggled_value": "flow", "memory_layers": "layers",
}  # fmt: skip


def frame_of(measure: str) -> str:
    """The frame of claims about a measure."""
    if measure.startswith("spec:"):
        return "spec"
    if measure in _FRAME_OF:
        return _FRAME_OF[measure]
    return "share" if measure.endswith("_share") else "units" if "units" in measure else measure


def further(page: Page, claims: Sequence[Claim], judged: Mapping[int, Keyed]) -> list[Claim]:
    """Claims about figures that are on record and stand in no claim yet."""
    taken = {claim.quantity for claim in claims}
    found = []
    for index, keyed in judged.items():
        if index in taken or keyed.verdict.status == "unsupported":
            continue
        figure = page.found.quantities[index]
        number = next(n for n, s in enumerate(page.sentences) if s.start <= figure.start < s.end)
        said = modality(page, number, (figure.start, figure.end))
        slots = {"measure": Slot("measure", keyed.measure, "", None, None, 0.8, "words")}
        told = [("subject", one.record.entity) for one in keyed.held[:1]]
        told += [("item", one.record.item) for one in keyed.held[:1]]
        for name, value in told:
            at = next((i for i in page.places["entities"][number] if page.found.entities[i].id == value), None)
            if at is not None:
                slots[name] = entity_slot(name, page, at, 0.8, "type")
        found.append(
            Claim("", frame_of(keyed.measure), figure.start, figure.end, number, said,
                  page.sentences[number].attribution, slots, 0.6, index)
        )  # fmt: skip
    return found
