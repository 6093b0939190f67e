"""The record of an issue, and the article with all that was found in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from chipweir.evidence._frames import Claim
from chipweir.evidence._page import Page
from chipweir.evidence._scenarios import Tag
from chipweir.evidence._verdict import Evidence, Text, Verdict
from chipweir.text import EntityMention, Extraction, quick


# `error`: the text contradicts itself or a sourced fact; `warning`: something needed is missing or blurred; `note`: to know.
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Issue:
    """Something an editor should know about an article. `others` names other articles it involves."""

    type: str
    severity: Severity
    text: Text
    start: int | None = None
    end: int | None = None
    claims: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Article:
    """One article: what was extracted, claimed, judged and tagged, and the fact base it is held against."""

    name: str
    found: Extraction
    claims: tuple[Claim, ...]
    verdicts: tuple[Verdict, ...]
    tags: tuple[Tag, ...]
    facts: Any = field(repr=False)

    @cached_property
    def page(self) -> Page:
        """The extraction with its look-ups."""
        return Page(self.found)

    @property
    def text(self) -> str:
        """The article's text."""
        return self.found.document.text

    @property
    def on(self) -> str | None:
        """The day of publication, None where unknown."""
        published = self.found.document.published
        return published[:10] if published else None

    @cached_property
    def title(self) -> str:
        """The headline: as known, else the first line that is not front matter."""
        if self.found.document.title:
            return self.found.document.title
        body = re.sub(r"\A---\n.*?\n---\n", "", self.text, count=1, flags=re.DOTALL)
        return next((line.strip('# *"') for line in body.splitlines() if line.strip()), "")

    def judged(self) -> Iterator[tuple[Claim, Verdict]]:
        """Claims with their verdicts."""
        return zip(self.claims, self.verdicts, strict=True)

    def sentences(self) -> Iterator[tuple[int, str, str]]:
        """Number, text and script of every sentence that was not dropped."""
        return iter(self._kept)

    @cached_property
    def _kept(self) -> tuple[tuple[int, str, str], ...]:
        page = self.page
        rows = zip(page.sentences, page.texts, page.scripts, strict=True)
        return tuple((number, text, lang) for number, (record, text, lang) in enumerate(rows) if not record.dropped)

    def claims_in(self, sentence: int) -> Sequence[Claim]:
        """The claims that stand in a sentence."""
        return self._claims.get(sentence, ())

    @cached_property
    def _claims(self) -> dict[int, list[Claim]]:
        result: dict[int, list[Claim]] = {}
        for claim in self.claims:
            result.setdefault(claim.sentence, []).append(claim)
        return result

    def mentions(self, sentence: int) -> list[EntityMention]:
        """The named things in a sentence."""
        return [self.found.entities[index] for index in self.page.places["entities"][sentence]]

    def paragraph(self, sentence: int) -> Sequence[int]:
        """The sentences of the paragraph that a sentence stands in."""
        return self._paragraphs[self.page.sentences[sentence].paragraph]

    @cached_property
    def _paragraphs(self) -> dict[int, list[int]]:
        result: dict[int, list[int]] = {}
        for number, record in enumerate(self.page.sentences):
            result.setdefault(record.paragraph, []).append(number)
        return result

    def span(self, sentence: int) -> tuple[int, int]:
        """Where a sentence stands."""
        record = self.page.sentences[sentence]
        return record.start, record.end


def find(pattern: dict[str, re.Pattern[str]], text: str, script: str) -> re.Match[str] | None:
    """The first match of a pattern for a script."""
    return pattern[script].search(text) if script in pattern else None


def words(ko: str, en: str, zh: str) -> dict[str, re.Pattern[str]]:
    """One compiled pattern per script."""
    return {"ko": quick(ko), "en": quick(en, ignore_case=True), "zh": quick(zh)}
