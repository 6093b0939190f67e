"""What stands around a figure: its stretch of the sentence, the names, words and dates in reach, nearest first.

A sentence with several figures is cut between them at the first mark that divides (a comma, "and", a Korean ending);
what a stretch does not say is taken from the stretches before it, then after it, then from the sentences before.
"""

import math
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import pairwise

from chipweir.evidence._page import CROWD, Page, at_hand
from chipweir.evidence._slots import compared
from chipweir.text import EntityMention, Quantity, Time, Word


# Where a name or word stands: in the figure's own stretch, before or after it in the sentence, in earlier sentences.
OWN, BEFORE, AFTER, EARLIER = 0, 1, 2, 3
_BORDER = re.compile(
    r"[;；:：△▲]|,(?!\d{3})|[，、]|(?<=[가-힣](?:고|며|만|데|나|어|서|자))\s|\b(?:and|but|while|whereas|although|versus)\b|"
    r"而|但|和|与|及(?!其)"
)
_DIGITS = re.compile(r"\d[\d,.]*")
_RESPECTIVELY = re.compile(r"\brespectively\b|각각|分别|分別|依次")
_LINK = re.compile(r"[\s,，、·/&]*(?:and|와|과|및|和|与|與|及)?[\s·]*")
_BACK = 3
# The gap of what stands in the sentence before.
_FAR_OFF = 1000.0
# Makers and products carry on from the sentences before, and how many sentences on.
_GROUPS = {
    **dict.fromkeys(("company", "lab"), "maker"),
    **dict.fromkeys(("chip", "system", "language-model"), "product"),
}
_ALL_GROUPS, _FOCUS = frozenset({"maker", "product"}), 4
_HIDING = frozenset({"measure", "spec", "verb", "shadow"})
_NOUNS = frozenset({"measure", "spec", "generic", "verb"})
_ITS = r"\b[Ii]ts?\b(?! is | was | would )|(?:^|(?<=[，。,\s]))其(?=[一-鿿])"
_POINTS = {
    "maker": re.compile(
        r"\b[Tt]h(?:e|is) (?:[A-Za-z-]+ )?(?:company|firm|chipmaker|group|maker|foundry|giant|lab|start-?up|"
        r"manufacturer|"
        r"developer|supplier|toolmaker|vendor|conglomerate|operator)\b|"
        r"(?<![가-힣])(?:이|동|해당|같은) ?(?:회사|기업|업체|그룹)|"
        r"(?<![가-힣])회사(?=[는가의])|[该本這这][家]?(?:公司|企业|企業|厂商|廠商|集团)|(?<![一-鿿])公司(?=[一-鿿])|"
        + _ITS
    ),
    "product": re.compile(
        r"\b[Tt]h(?:e|is) (?:[A-Za-z-]+ )?(?:chip|processor|card|GPU|accelerator|part|device|model|rack|system)\b|"
        r"(?<![가-힣])(?:이|해당) ?(?:칩|제품|모델|가속기|시스템)|[该這这]款?(?:芯片|晶片|产品|產品|模型|加速卡|系统|卡)|"
        + _ITS
    ),
}
# "The company's bigger rival", 该公司的竞争对手: another is meant.
_WHOSE = re.compile(
    r"(?:['’]s|\b)\s(?:[a-z-]+\s){0,2}(?:rival|competitor|peer|customer|client|supplier|partner|neighbou?r)|"
    r"의 (?:[가-힣]+ )?(?:경쟁사|고객사|협력사|라이벌|공급사)|的?(?:主要|最大)?(?:竞争对手|競爭對手|对手|客户|客戶|供应商)"
)
_SAME_TIME = re.compile(
    r"같은 ?(?:기간|분기|해|달)|동기(?! 대비)|\b(?:the )?same (?:period|quarter|year|month)\b|\bthat (?:quarter|year)\b|"
    r"同期(?!相)|同一(?:季|年)|当季|當季"
)
# A length above this (m) is the size of a wafer, not a process.
_NODE = 1e-6
# What divides a figure from words behind it that tell of something else.
_DIVIDES = re.compile(r"[,;，；、。](?!\d{3})|\b(?:as|while|after|thanks to|driven by|despite)\b")
# The words of an hour, and the most that one costs in any currency.
_HOUR, _HOURLY = re.compile(r"\bhour(?:ly)?\b|시간|小时|小時|钟头"), 1e5
# Exports without whose: in a Korean text Korea's.
_TRADE = re.compile(r"(?<![가-힣])(?:[가-힣]{1,4} )?수출액?(?=[은는이가의 ])")
_HOME_MADE = re.compile(r"国产|國產|全国|全國|我国|我國|国内|國內|本土")
# "The government" without whose: in a Korean text Korea's.
_GOVERNMENT = re.compile(r"(?<![가-힣])(?<!중국 )(?<!미국 )(?<!일본 )(?<!대만 )정부(?=[는은이가의와,]|$)")


@dataclass(frozen=True, slots=True)
class Seen:
    """A name or words in reach of a figure: what they may stand for, where, and how near."""

    ids: tuple[str, ...]
    kind: str
    start: int
    end: int
    level: int
    gap: float
    against: bool = False

    def is_one(self, identifier: str) -> bool:
        """Whether it may stand for a thing."""
        return identifier in self.ids


@dataclass(frozen=True)
class Scene:
    """A figure with all that may tell what it measures."""

    figure: Quantity
    index: int
    sentence: int
    start: int
    end: int
    things: tuple[Seen, ...]
    words: tuple[Seen, ...]
    times: tuple[tuple[Time, int], ...]
    alone: bool
    stranger: bool = False
    confused: bool = False
    borrowed: frozenset[str] = frozenset()
    around: tuple[str, int] = ("", 0)
    text: str = field(default="", repr=False, compare=False)

    @cached_property
    def signature(self) -> Hashable:
        """What of a scene its records depend on: all but the digits of its figures and where in the text it stands."""
        figure = self.figure
        value = abs(figure.value) if isinstance(figure.value, int | float) else 0.0
        return (
            self.around, figure.unit, figure.type, figure.basis, math.frexp(value)[1],
            tuple((one.ids, one.level, one.against) for one in self.things),
            tuple((one.ids, one.kind, one.level) for one in self.words),
            tuple((time.low, time.high, time.grain, time.flags, level) for time, level in self.times),
            self.alone, self.stranger, self.confused, self.borrowed,
        )  # fmt: skip

    def beside(self, word: Seen) -> bool:
        """Whether words stand before the figure or right behind it, with no mark that divides in between."""
        if word.start < self.figure.start:
            return True
        return not _DIVIDES.search(self.text, self.figure.end, word.start)

    @cached_property
    def hiding(self) -> tuple[Seen, ...]:
        """The words that hide the shorter ones within them."""
        return tuple(one for one in self.words if one.kind in _HIDING)

    def of_kind(self, kind: str) -> list[Seen]:
        """The words of one kind, nearest level first."""
        return self._by_kind.get(kind, [])

    @cached_property
    def _by_kind(self) -> dict[str, list[Seen]]:
        table: dict[str, list[Seen]] = {}
        for one in self.words:
            table.setdefault(one.kind, []).append(one)
        return table

    @cached_property
    def nearest_times(self) -> list[Time]:
        """The dates of the nearest level at which there are any."""
        levels = [level for _, level in self.times]
        return [time for time, level in self.times if level == min(levels)] if levels else []

    @property
    def dated(self) -> bool:
        """Whether the figure's own stretch names the period, or nothing else does."""
        here = [level for _, level in self.times if level < EARLIER]
        return OWN in here or len(here) <= 1

    @property
    def time_level(self) -> int:
        """How near the nearest date stands; beyond `EARLIER` where there is none."""
        return min((level for _, level in self.times), default=EARLIER + 1)


@dataclass(frozen=True, slots=True)
class _Before:
    """The names, words and dates of the sentences before one, and the names that come from another paragraph."""

    things: tuple[Seen, ...]
    words: tuple[Seen, ...]
    times: tuple[tuple[Time, int], ...]
    borrowed: frozenset[str]


def _nearness(one: Seen) -> tuple[int, float]:
    return one.level, one.gap


def _guessed(mention: EntityMention) -> bool:
    return mention.how in {"typo", "code"} and not mention.id


def _once(seen: list[Seen]) -> tuple[Seen, ...]:
    """Names or words of earlier sentences, nearest sentence first; of one repeated the nearest and the first of all."""
    kept: dict[tuple[object, ...], dict[int, Seen]] = {}
    for one in seen:
        like = kept.setdefault((one.ids, one.kind, one.against), {one.start: one})
        if one.start < min(like):
            nearest = next(iter(like))
            kept[one.ids, one.kind, one.against] = {nearest: like[nearest], one.start: one}
    chosen = {id(one) for like in kept.values() for one in like.values()}
    return tuple(one for one in seen if id(one) in chosen)


@dataclass(frozen=True)
class Reader:
    """Scenes of the figures of an article."""

    page: Page
    _said_before: dict[int, _Before] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _words(self) -> list[list[tuple[int, int, tuple[Word, ...]]]]:
        sentences = self.page.sentences
        found: list[list[tuple[int, int, tuple[Word, ...]]]] = [[] for _ in sentences]
        at = 0
        for one in self.page.found.words:
            while at < len(sentences) and sentences[at].end <= one.start:
                at += 1
            if at < len(sentences) and sentences[at].start <= one.start:
                found[at].append((one.start, one.end, one.words))
        return found

    def figures(self, sentence: int) -> list[int]:
        """The figures of a sentence that may be claims: no dates, labels, idioms or bases of prices."""
        found = []
        mentions = (self.page.found.entities[i] for i in self.page.places["entities"][sentence])
        names = [(one.start, one.end) for one in mentions if one.how in {"alias", "pattern"}]
        for index in self.page.places["quantities"][sentence]:
            figure = self.page.found.quantities[index]
            named = any(a <= figure.start and figure.end <= b for a, b in names)
            size = figure.unit == "m" and isinstance(figure.value, int | float) and figure.value > _NODE
            if (
                not size
                and figure.type not in {"date", "idiom", "ordinal-label"}
                and "label" not in figure.flags
                and not named
            ):
                found.append(index)
        return sorted(found, key=lambda index: self.page.found.quantities[index].start)

    def scenes(self, sentence: int) -> list[Scene]:
        """The scenes of a sentence's figures in their order."""
        figures = self.figures(sentence)
        inner = {index for index in figures if self._within_a_word(sentence, index)}
        outer = [index for index in figures if index not in inner]
        span = self.page.sentences[sentence]
        borders = dict(zip(outer, self._borders(sentence, outer), strict=True))
        scenes = [
            self._scene(sentence, index, *borders.get(index, (span.start, span.end)), len(outer) <= 1)
            for index in figures
        ]
        words = _DIGITS.sub("0", self.page.words(sentence))
        scenes = [replace(one, figure=self._hourly(one), around=(words, at)) for at, one in enumerate(scenes)]
        if len(scenes) > 1 and _RESPECTIVELY.search(self.page.words(sentence)):
            scenes = self._paired(scenes)
        return scenes

    def _within_a_word(self, sentence: int, index: int) -> bool:
        """Whether a figure is but a piece of a word that narrows another: the 8 of an 8-GPU server, 7 nm lines."""
        figure = self.page.found.quantities[index]
        return any(
            low <= figure.start and figure.end <= high and any(word.kind in {"dim", "mark"} for word in named)
            for low, high, named in self._words[sentence]
        )

    def _hourly(self, scene: Scene) -> Quantity:
        """A price whose hour stands elsewhere in its stretch: "an hour on an H100 goes for $2.60"."""
        figure = scene.figure
        small = figure.type == "money" and not figure.basis and isinstance(figure.value, int | float)
        if small and abs(float(figure.value or 0)) < _HOURLY and _HOUR.search(scene.text, scene.start, scene.end):
            return replace(figure, basis="per_hour")
        return figure

    def _borders(self, sentence: int, figures: Sequence[int]) -> list[tuple[int, int]]:
        span, quantities = self.page.sentences[sentence], self.page.found.quantities
        spans = []
        start = span.start
        for at, index in enumerate(figures):
            end = span.end
            following = start
            if at + 1 < len(figures):
                own, other = quantities[index].end, quantities[figures[at + 1]].start
                border = _BORDER.search(self.page.text, own, other)
                end = border.end() if border else other
                following = border.end() if border else own
            spans.append((start, max(end, quantities[index].end)))
            start = following
        return spans

    def _scene(self, sentence: int, index: int, start: int, end: int, alone: bool) -> Scene:
        page, figure = self.page, self.page.found.quantities[index]
        anchor = (figure.start, figure.end)
        before = self._before(sentence)
        things: list[Seen] = []
        for number in page.near(sentence, anchor):
            mention = page.found.entities[number]
            if not _guessed(mention):
                level = _level(mention.start, start, end)
                things.append(self._seen(mention, number, level, page.gap((mention.start, mention.end), anchor)))
        words: list[Seen] = []
        here = self._words[sentence]
        for low, high, named in here if len(here) <= CROWD else (one for one in here if at_hand(one[0], anchor)):
            if anchor[0] < high and low < anchor[1] and low >= anchor[0] and high > anchor[1]:
                continue
            level, gap = _level(low, start, end), page.gap((low, high), anchor)
            words += [Seen(ids, kind, low, high, level, gap) for kind, ids in _by_kind(named)]
        times = [
            (time, _level(time.start, start, end))
            for number in page.places["times"][sentence]
            if number not in page.report_times
            for time in (page.found.times[number],)
        ]
        things += [*before.things, *self._home(sentence, start, end, anchor)]
        things += self._pointed(sentence, start, end, anchor)
        order = sorted(things, key=_nearness)
        told = tuple(sorted(words, key=_nearness)) + before.words
        taken = [(one.start, one.end) for one in (*order, *told) if one.level == OWN]
        taken += [(time.start, time.end) for time, level in times if level == OWN]
        stranger = _stranger(page.text, start, figure.start, taken)
        near = {i for one in order if one.level < EARLIER for i in one.ids}
        return Scene(
            figure, index, sentence, start, end, tuple(order), told, (*times, *before.times), alone, stranger,
            borrowed=before.borrowed - near, text=page.text,
        )  # fmt: skip

    def _before(self, sentence: int) -> "_Before":
        """What the sentences before one say to all of its figures."""
        if sentence not in self._said_before:
            self._said_before[sentence] = self._read_before(sentence)
        return self._said_before[sentence]

    def _read_before(self, sentence: int) -> "_Before":
        page, span = self.page, self.page.sentences[sentence]
        things: list[Seen] = []
        words: list[Seen] = []
        times: list[tuple[Time, int]] = []
        borrowed: set[str] = set()
        lacks = self._lacks[sentence]
        same_time = bool(_SAME_TIME.search(page.text, span.start, span.end))
        over = page.over(sentence)
        if over is not None:
            lacks = lacks & self._lacks[over]
        before = [one for one in range(sentence - 1, max(-1, sentence - 1 - _BACK), -1) if one != over]
        for here in before if over is None else [over, *before]:
            back = max(1, sentence - here)
            across = here != over and page.sentences[here].paragraph != span.paragraph
            if across and not (lacks or same_time):
                break
            for number in page.places["entities"][here]:
                mention = page.found.entities[number]
                if _guessed(mention) or (across and _GROUPS.get(mention.kind) not in lacks):
                    continue
                if across:
                    borrowed |= {mention.id, *mention.also}
                things.append(self._seen(mention, number, EARLIER, _FAR_OFF))
            if not across or (back == 1 and over is None and self._wordless(sentence)):
                words += [
                    Seen(ids, kind, low, high, EARLIER, _FAR_OFF * back)
                    for low, high, named in self._words[here]
                    for kind, ids in _by_kind(named)
                ]
            if same_time or not across:
                numbers = (number for number in page.places["times"][here] if number not in page.report_times)
                times += [(page.found.times[number], EARLIER) for number in numbers]
        return _Before(_once(things), _once(words), tuple(times), frozenset(borrowed))

    def _wordless(self, sentence: int) -> bool:
        """Whether a sentence names nothing that is measured."""
        return not any(word.kind in _NOUNS for _, _, named in self._words[sentence] for word in named)

    @cached_property
    def _lacks(self) -> list[frozenset[str]]:
        """The groups of things (makers, products) that a sentence names none of."""
        found = []
        for places in self.page.places["entities"]:
            groups = {_GROUPS.get(self.page.found.entities[i].kind, "") for i in places}
            found.append(frozenset(_ALL_GROUPS - groups))
        return found

    @cached_property
    def _focus(self) -> list[dict[str, int]]:
        """For each sentence the maker and the product that the text speaks of when it begins: the first of the last
        sentence that names one."""
        focus: dict[str, int] = {}
        since: dict[str, int] = {}
        found = []
        for at, places in enumerate(self.page.places["entities"]):
            found.append({group: number for group, number in focus.items() if at - since[group] <= _FOCUS})
            named: set[str] = set()
            for number in sorted(places, key=lambda i: self.page.found.entities[i].start):
                mention = self.page.found.entities[number]
                group = _GROUPS.get(mention.kind)
                if group and mention.id and group not in named and not compared(self.page, number):
                    named.add(group)
                    focus[group], since[group] = number, at
        return found

    def _pointed(self, sentence: int, start: int, end: int, anchor: tuple[int, int]) -> Iterator[Seen]:
        """What "the company", "its", 이 회사 or 该公司 points back to: what the text spoke of before."""
        span, focus = self.page.sentences[sentence], self._focus[sentence]
        if not focus:
            return
        here = sorted(self.page.places["entities"][sentence], key=lambda i: self.page.found.entities[i].start)
        for group, pattern in _POINTS.items():
            if group not in focus:
                continue
            match = pattern.search(self.page.text, span.start, span.end)
            named = (self.page.found.entities[i] for i in here)
            if (
                match is None
                or _WHOSE.match(self.page.text, match.end())
                or any(_GROUPS.get(one.kind) == group and one.start < match.start() for one in named)
            ):
                continue
            mention = self.page.found.entities[focus[group]]
            yield Seen(
                (mention.id, *mention.also), mention.kind, match.start(), match.end(),
                _level(match.start(), start, end), self.page.gap(match.span(), anchor),
            )  # fmt: skip

    def _home(self, sentence: int, start: int, end: int, anchor: tuple[int, int]) -> list[Seen]:
        """The government that a Korean text calls "the government"; China where a Chinese text says home-made."""
        span = self.page.sentences[sentence]
        language = self.page.found.document.language
        if language.startswith("zh") and (made := _HOME_MADE.search(self.page.text, span.start, span.end)):
            return [Seen(("china",), "country", made.start(), made.end(), _level(made.start(), start, end),
                         self.page.gap(made.span(), anchor))]  # fmt: skip
        if language != "ko":
            return []
        here = (self.page.found.entities[i].kind for i in self.page.places["entities"][sentence])
        trade = _TRADE.search(self.page.text, span.start, span.end)
        if trade is not None and not {"country", "region"} & set(here):
            return [
                Seen(
                    ("south-korea",),
                    "country",
                    span.start,
                    span.start,
                    min(BEFORE, _level(span.start, start, end)),
                    500.0,
                )
            ]
        return [
            Seen(("korea-government", "south-korea"), "country", found.start(), found.end(),
                 _level(found.start(), start, end), self.page.gap(found.span(), anchor))
            for found in _GOVERNMENT.finditer(self.page.text, span.start, span.end)
        ]  # fmt: skip

    def _seen(self, mention: EntityMention, number: int, level: int, gap: float) -> Seen:
        against = compared(self.page, number)
        return Seen((mention.id, *mention.also), mention.kind, mention.start, mention.end, level, gap, against)

    def _paired(self, scenes: list[Scene]) -> list[Scene]:
        """Lists that pair up: the first figure belongs to the first name of a list of as many names, and so on."""
        named = {(s.start, s.end, s.ids, s.kind) for scene in scenes for s in scene.things if s.level < EARLIER}
        spans = [one[:2] for one in named]
        tried = (
            _run(self.page.text, sorted(one[:3] for one in named if one[3] == kind), len(scenes), spans)
            for kind in dict.fromkeys(one[3] for one in sorted(named))
        )
        runs = [one for one in tried if one is not None]
        if not runs:
            return [replace(scene, confused=True) for scene in scenes]
        paired = []
        for at, scene in enumerate(scenes):
            chosen = {run[at][2] for run in runs}
            others = {one[2] for run in runs for one in run} - chosen
            things = tuple(
                replace(t, level=OWN if t.ids in chosen else t.level) for t in scene.things if t.ids not in others
            )
            paired.append(replace(scene, things=things, stranger=False))
        return paired


@lru_cache(maxsize=8192)
def _by_kind(named: tuple[Word, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the words at one place may stand for, by their kinds."""
    return tuple(
        (kind, tuple(dict.fromkeys(word.id for word in named if word.kind == kind)))
        for kind in dict.fromkeys(word.kind for word in named)
    )


# What looks like a name that nobody knows: a capital in an English sentence, a Korean noun made the subject.
_NAME_LIKE = re.compile(r"(?<![A-Za-z])[A-Z][A-Za-z][\w.-]*|[가-힣A-Za-z0-9]{2,}(?=(?:은|는|이|가)\s)")
_NO_NAME = re.compile(r"In|The|This|That|Q[1-4]|FY\d*|AI|GPU|HBM|US|이|그|올해|지난해|작년|현재|회사|가격|평균")


def _stranger(text: str, start: int, end: int, taken: Sequence[tuple[int, int]]) -> bool:
    """Whether a stretch names something before its figure that no name or word of ours covers."""
    return any(
        not _NO_NAME.fullmatch(found.group()) and not any(a < found.end() and found.start() < b for a, b in taken)
        for found in _NAME_LIKE.finditer(text, start, end)
    )


def _level(place: int, start: int, end: int) -> int:
    return OWN if start <= place < end else BEFORE if place < start else AFTER


def _run(
    text: str, mentions: list[tuple[int, int, tuple[str, ...]]], count: int, spans: Sequence[tuple[int, int]]
) -> list[tuple[int, int, tuple[str, ...]]] | None:
    """`count` names in a row with only list marks between them; None where there is no such row."""
    for first in range(len(mentions) - count + 1):
        row = mentions[first : first + count]
        joined = all(_LINK.fullmatch(_bare(text, a[1], b[0], spans)) for a, b in pairwise(row))
        if joined and len({one[2] for one in row}) == count:
            return row
    return None


def _bare(text: str, start: int, end: int, spans: Sequence[tuple[int, int]]) -> str:
    """What stands between two names of a list, without the names of their makers."""
    inside = sorted(one for one in spans if start <= one[0] and one[1] <= end)
    edges = [start, *(place for span in inside for place in span), end]
    between = "".join(text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b)
    return re.sub(r"['’]s\b|의(?=\s)|的", "", between)
