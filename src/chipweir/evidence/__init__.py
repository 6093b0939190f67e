"""The evidence room: what people claim, in Korean, English and Chinese.

Names are loaded when first used, so that importing the room costs nothing.
"""

from importlib import import_module
from typing import Any


_PLACES = {
    "Document": "_document",
    "EntityMention": "_document",
    "Extraction": "_document",
    "Quantity": "_document",
    "Sentence": "_document",
    "Span": "_document",
    "Time": "_document",
    "document_from_text": "_ingest",
    "evaluate": "_eval",
    "extract": "_extract",
    "find_entities": "_entities",
    "find_quantities": "_quantities",
    "find_times": "_times",
    "read": "_ingest",
    "segment": "_segment",
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
