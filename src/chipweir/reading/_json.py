"""JSON: measured with its texts taken out before anything is built of it."""

import json
import re
from pathlib import Path
from typing import Any

from chipweir.errors import InputError
from chipweir.reading._limits import Count, Limits, clean
from chipweir.reading._text import read_text


# The end is optional: looking again for the end of each quotation mark of a text without one would take forever.
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[{]+|[\]}]+")


def read_json(path: Path, kind: str = "JSON file", limits: Limits | None = None) -> Any:
    """The document in a file. Raises `InputError`."""
    limits = limits or Limits()
    return parse_json(read_text(path, kind, 4 * limits.characters), str(path), limits)


def parse_json(text: str, where: str, limits: Limits | None = None) -> Any:
    """The document in `text`. Raises `InputError`, naming `where`, also for NaN, infinities and a key given twice."""
    count = Count(limits or Limits(), where)
    count.size(text)
    _measure(text, count)

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise InputError(f"{where}: '{clean(key)}' is given twice")
            found[count.text(key)] = value
        return found

    def no_number(word: str) -> Any:
        if not count.limits.finite:
            return float(word)
        raise InputError(f"{where}: not valid JSON: {word} is not a number")

    try:
        data = json.loads(
            text,
            object_pairs_hook=mapping,
            parse_int=count.integer,
            parse_float=count.number,
            parse_constant=no_number,
        )
    except json.JSONDecodeError as error:
        place = count.place(error.lineno) if "\n" in text else where
        raise InputError(f"{place}: not valid JSON: {error.msg.lower()}") from None
    _check_texts(data, count)
    return data


def _measure(text: str, count: Count) -> None:
    """Depth and number of values, from brackets and commas outside of texts."""
    bare = _TEXT.sub('"', text)
    depth = 0
    for found in _BRACKET.finditer(bare):
        depth += len(found[0]) * (1 if found[0][0] in "[{" else -1)
        if depth > count.limits.depth:
            raise InputError(f"{count.where}: nested deeper than {count.limits.depth} levels")
    values = 1 + sum(bare.count(sign) for sign in ",:[{")
    if values > count.limits.values:
        raise InputError(f"{count.where} holds more than {count.limits.values:,} values")


def _check_texts(data: Any, count: Count) -> None:
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            count.text(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
