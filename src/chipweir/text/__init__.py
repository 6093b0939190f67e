"""Reading: from a file to its sentences, figures, dates and names, in Korean, English and Chinese.

The room knows no facts; names of things and words of measures are handed in as a `Lexicon`.
"""

from chipweir.text import _calendar as calendar
from chipweir.text._document import (
    Bound,
    Document,
    EntityMention,
    Extraction,
    Quantity,
    Sentence,
    Span,
    Time,
    WordMention,
    plain_record,
    span_json,
)
from chipweir.text._extract import extract
from chipweir.text._ingest import decode, document_from_text, documents_from_text, read, read_all
from chipweir.text._lexicon import Assembly, Lexicon, Name, Word, settings, small, variants
from chipweir.text._masks import figures_of_speech
from chipweir.text._names import find_entities
from chipweir.text._provenance import opens
from chipweir.text._quantities import find_quantities
from chipweir.text._segment import attribution, quotations, script, segment
from chipweir.text._starts import quick
from chipweir.text._times import find_times
from chipweir.text._units import pack, plain
from chipweir.text._words import find_words


__all__ = [
    "Assembly",
    "Bound",
    "Document",
    "EntityMention",
    "Extraction",
    "Lexicon",
    "Name",
    "Quantity",
    "Sentence",
    "Span",
    "Time",
    "Word",
    "WordMention",
    "attribution",
    "calendar",
    "decode",
    "document_from_text",
    "documents_from_text",
    "extract",
    "figures_of_speech",
    "find_entities",
    "find_quantities",
    "find_times",
    "find_words",
    "opens",
    "pack",
    "plain",
    "plain_record",
    "quick",
    "quotations",
    "read",
    "read_all",
    "script",
    "segment",
    "settings",
    "small",
    "span_json",
    "variants",
]
