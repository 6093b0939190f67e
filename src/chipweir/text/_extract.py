"""From a document to its sentences, figures, dates and names: the stages in their order."""

from chipweir.text import _masks as masks
from chipweir.text._document import Document, EntityMention, Extraction
from chipweir.text._lexicon import Lexicon
from chipweir.text._names import find_entities
from chipweir.text._quantities import find_quantities
from chipweir.text._segment import segment
from chipweir.text._times import find_times
from chipweir.text._units import plain
from chipweir.text._words import find_words


def extract(document: Document, lexicon: Lexicon) -> Extraction:
    """Everything the rules find in `document`: sentences, figures, dates, the names and words of `lexicon`."""
    clean = plain(document.text)
    blocked = masks.merged(masks.addresses(clean))
    entities = find_entities(document.text, lexicon, document.language, blocked)
    names = masks.merged((one.start, one.end) for one in entities if holds_no_figure(one))
    times = find_times(document.text, document.published, masks.merged(blocked, names))
    quantities = find_quantities(document.text, times, names, document.language)
    words = find_words(document.text, lexicon)
    return Extraction(document, segment(document), quantities, times, entities, words, _warnings(entities))


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
