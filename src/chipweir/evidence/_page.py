"""An article as read, with the look-ups that claims need: what stands in which sentence, and how far apart."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chipweir.text import Extraction, Sentence, script


CLAUSE = re.compile(
    r"[;；:：△▲·]|,(?!\d{3})|[，、]|(?<=[가-힣](?:고|며|만|데|서|면|자))\s|\b(?:and|but|while|whereas|although|"
    r"which)\b|而|但"
)
_MEDIA = {"press"}
_QUESTION = re.compile(r"[?？][\"”’」』]?\s*$")
_BULLET = re.compile(r"\s*(?P<mark>[-*•·○◦□■▪–ㅇ]|\d{1,2}[.)])\s")
# What ends no heading, and how long one may be.
_STOP, _HEADING = re.compile(r"[.!?。！？…]\s*$"), 80
# A sentence with more names than this is a list without stops: a figure's names stand no farther off, in characters.
CROWD, _AT_HAND = 24, 80


def at_hand(place: int, anchor: tuple[int, int]) -> bool:
    """Whether something stands close to a figure."""
    return anchor[0] - _AT_HAND <= place <= anchor[1] + _AT_HAND


@dataclass(frozen=True)
class Page:
    """An extraction with the look-ups that slot filling needs."""

    found: Extraction

    @property
    def text(self) -> str:
        """The article's text."""
        return self.found.document.text

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences in order."""
        return self.found.sentences

    @cached_property
    def scripts(self) -> tuple[str, ...]:
        """The script of each sentence."""
        return tuple(map(script, self.texts))

    @cached_property
    def places(self) -> dict[str, list[list[int]]]:
        """For each list of the extraction, the indices of its records in each sentence."""
        return {name: self._by_sentence(getattr(self.found, name)) for name in ("quantities", "times", "entities")}

    def _by_sentence(self, records: Sequence[Any]) -> list[list[int]]:
        sentences = self.sentences
        result: list[list[int]] = [[] for _ in sentences]
        starts, at = [one.start for one in records], 0
        for index in sorted(range(len(records)), key=starts.__getitem__):
            start = starts[index]
            while at < len(sentences) and sentences[at].end <= start:
                at += 1
            if at < len(sentences) and sentences[at].start <= start:
                result[at].append(index)
        return result

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The text of each sentence."""
        return tuple(self.text[s.start : s.end] for s in self.sentences)

    def words(self, sentence: int) -> str:
        """The sentence's text."""
        return self.texts[sentence]

    def near(self, sentence: int, anchor: tuple[int, int]) -> list[int]:
        """The names of a sentence that a figure in it may belong to: all of them, but in a crowd only those at hand."""
        here = self.places["entities"][sentence]
        if len(here) <= CROWD:
            return here
        entities = self.found.entities
        return [i for i in here if at_hand(entities[i].start, anchor)]

    def over(self, sentence: int) -> int | None:
        """The sentence that a line continues although it stands in a paragraph of its own: the heading of a list, the
        question that is answered."""
        first = sentence
        while first and self.sentences[first - 1].paragraph == self.sentences[first].paragraph:
            first -= 1
        if not first:
            return None
        if _QUESTION.search(self.words(first - 1)) and not _QUESTION.search(self.words(sentence)):
            return first - 1
        mark = self._bullet(first)
        at = first - 1
        while mark and at >= 0 and self._bullet(at) == mark:
            at -= 1
        headed = bool(mark) and at >= 0 and len(self.words(at)) <= _HEADING and not _STOP.search(self.words(at))
        return at if headed else None

    def _bullet(self, sentence: int) -> str:
        """The mark of a list before a sentence."""
        start = self.sentences[sentence].start
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start + 4]
        found = _BULLET.match(line)
        return "" if found is None else "1" if found["mark"][0].isdigit() else found["mark"]

    def gap(self, a: tuple[int, int], b: tuple[int, int]) -> float:
        """Distance between two spans in characters; clause borders, brackets and other figures between them add."""
        low, high = (a[1], b[0]) if a[0] <= b[0] else (b[1], a[0])
        if high <= low:
            return 0.0
        borders, reaches, opening, closing = self._marks
        crossed = max(0, bisect_left(borders, high) - bisect_left(reaches, low))
        opened = bisect_left(opening, high) - bisect_left(opening, low)
        closed = bisect_left(closing, high) - bisect_left(closing, low)
        return (high - low) + 14 * crossed + 4 * abs(opened - closed)

    @cached_property
    def _marks(self) -> tuple[list[int], list[int], list[int], list[int]]:
        """Where clause borders stand, and from where on one is told (two syllables before the space behind a Korean
        ending); opening and closing brackets."""
        text = self.text
        borders = [found.start() for found in CLAUSE.finditer(text)]
        reaches = sorted(at - 2 if text[at].isspace() else at for at in borders)
        opening, closing = ([found.start() for found in re.finditer(re.escape(mark), text)] for mark in "()")
        return borders, reaches, opening, closing

    @cached_property
    def headline(self) -> frozenset[str]:
        """The companies that the headline names."""
        title = self.found.document.title
        named = (one for one in self.found.entities if one.kind == "company" and one.id and one.how == "alias")
        return frozenset(one.id for one in named if one.surface in title) if title else frozenset()

    @cached_property
    def eligible(self) -> dict[tuple[int, frozenset[str]], list[int]]:
        """The names of some kinds in sentences that were asked about."""
        return {}

    @cached_property
    def against(self) -> dict[int, bool]:
        """Whether the names that were asked about are what something else is measured against."""
        return {}

    @cached_property
    def said(self) -> dict[int, str]:
        """How firmly sentences that were asked about say what they say."""
        return {}

    @cached_property
    def report_times(self) -> set[int]:
        """Times that date a report ("On the 27th the FT reported"), not what it says."""
        result = set()
        for number, _sentence in enumerate(self.sentences):
            cited = [self.found.entities[i] for i in self.places["entities"][number]]
            cited = [e for e in cited if e.kind in _MEDIA]
            for index in self.places["times"][number]:
                time = self.found.times[index]
                near = any(-1 <= min(abs(e.start - time.end), abs(time.start - e.end)) <= 14 for e in cited)
                after = self.text[time.end : time.end + 14]
                spoken = re.match(r"\s?(?:\([^)]{2,12}\))?\s?(?:보도|전했|밝혔|report|said|报道|報導)", after)
                if near or spoken or re.match(r"\(이하", after):
                    result.add(index)
        return result
