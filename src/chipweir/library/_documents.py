"""Answers as JSON text."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any


# Characters up to which a JSON document is laid out for reading.
_READABLE = 200_000


def dumps(document: object) -> str:
    """JSON text; long documents on one line, since only the plain encoder is fast."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError):
        document = plain(document)
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return text if len(text) > _READABLE else json.dumps(document, indent=1, ensure_ascii=False)


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: NaN and infinity become null, dates and paths text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, date | Path):
        return str(value)
    return value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value
