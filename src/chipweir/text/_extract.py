"""From a document to its sentences, figures, dates and names: the stages in their order."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chipweir.text import _masks as masks
from chipweir.text._document import Document, EntityMention, Extraction
from chipweir.text._lexicon import Lexicon
from chipweir.text._names import find_entities
from chipweir.text._quantities import find_quantities
from chipweir.text._segment import paragraphs, segment
from chipweir.text._times import find_times
from chipweir.text._units import plain
from chipweir.text._words import find_words


def extract(document: Document, lexicon: Lexicon) -> Extraction:
    """Everything the rules find in `document`: sentences, figures, dates, the names and words of `lexicon`."""
    again = _again(document)
    text = _without(document.text, again)
    blocked = masks.merged(masks.addresses(plain(text)))
    entities = find_entities(text, lexicon, document.language, blocked)
    names = masks.merged((one.start, one.end) for one in entities if holds_no_figure(one))
    times = find_times(text, document.published, masks.merged(blocked, names))
    quantities = find_quantities(text, times, names, document.language)
    words = find_words(text, lexicon)
    return Extraction(
        document, segment(document), _copied(quantities, again), _copied(times, again), _copied(entities, again),
        _copied(words, again), _warnings(entities),
    )  # fmt: skip


def _again(document: Document) -> list[tuple[int, int, int]]:
    """Paragraphs set aside that repeat an earlier one letter by letter, with where that one stands: they are read once."""
    first: dict[str, int] = {}
    found = []
    aside = {(span.start, span.end) for span in document.dropped if span.reason == "duplicate"}
    if not aside:
        return []
    for start, end in paragraphs(document.text):
        place = first.setdefault(document.text[start:end], start)
        if place != start and (start, end) in aside:
            found.append((start, end, place))
    return found


def _without(text: str, again: Sequence[tuple[int, int, int]]) -> str:
    """The text with empty lines in place of what is read elsewhere."""
    pieces, at = [], 0
    for start, end, _ in again:
        pieces += [text[at:start], "\n" * (end - start)]
        at = end
    return "".join([*pieces, text[at:]])


def _copied(found: Sequence[Any], again: Sequence[tuple[int, int, int]]) -> tuple[Any, ...]:
    """What was found, with copies in the paragraphs that repeat."""
    if not again:
        return tuple(found)
    starts = [one.start for one in found]
    copies = [
        replace(one, start=one.start + start - place, end=one.end + start - place)
        for start, end, place in again
        for one in found[bisect_left(starts, place) : bisect_left(starts, place + end - start)]
    ]
    return tuple(sorted([*found, *copies], key=lambda one: one.start))


def holds_no_figure(mention: EntityMention) -> bool:
    """Whether the digits of a name are part of it: true of `H20`, not of `7나노` or `어센드 384개를 통합한 시스템`."""
    return mention.how != "pattern" and not mention.surface[:1].isdigit() and any(map(str.isdigit, mention.surface))


def _warnings(entities: tuple[EntityMention, ...]) -> tuple[str, ...]:
    lines = dict.fromkeys(
        f"'{one.surface}' may be a misspelling of {one.id}"
        if one.how == "typo"
        else f"'{one.surface}' looks like a chip or model that the fact base does not hold"
        for one in entities
        if one.how in {"typo", "code"}
    )
    return tuple(lines)
