"""Language packs: the units, bounds, bases and numerals of three languages, read from data.

A unit is looked up by its longest written form at a place in the text. All packs answer for every document, because
Korean and Chinese news quotes English units and the scripts do not collide.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import yaml

from chipweir.text._starts import quick


LANGUAGES = ("ko", "en", "zh")
WIDE = {
    ord(wide): ord(narrow)
    for wide, narrow in zip("０１２３４５６７８９％．，＄￥／～－＋（）：＃", "0123456789%.,$¥/~-+():#", strict=True)
}
NARROW = WIDE | {
    0x00A0: 0x20,
    0x2009: 0x20,
    0x202F: 0x20,
    0x2007: 0x20,
    0x3000: 0x20,
    0x2212: 0x2D,
    0x2011: 0x2D,
    0xFE6A: 0x25,
}
_HANGUL = re.compile(r"[가-힣]")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the packs: `scale` turns a value written with it into `unit`."""

    language: str
    type: str
    unit: str
    scale: float
    basis: str
    not_before: tuple[str, ...]


_UNUSUAL = re.compile("[" + "".join(map(re.escape, map(chr, NARROW))) + "]")


@lru_cache(maxsize=4)
def plain(text: str) -> str:
    """`text` with full-width digits, signs and unusual spaces in their plain form; no offset moves."""
    return _UNUSUAL.sub(lambda found: chr(NARROW[ord(found.group())]), text)


@cache
def pack(language: str) -> Mapping[str, Any]:
    """One language pack: `ko`, `en` or `zh`."""
    source = resources.files("chipweir.text") / "data" / "packs" / f"{language}.yaml"
    with source.open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


@cache
def _forms() -> tuple[dict[str, tuple[Unit, ...]], dict[str, tuple[int, ...]]]:
    """Units by written form, and by first two characters (lower case) the lengths of forms that start so, longest
    first."""
    table: dict[str, tuple[Unit, ...]] = {}
    for language in LANGUAGES:
        for row in pack(language)["units"]:
            unit = Unit(
                language,
                row["type"],
                row["unit"],
                float(row.get("scale", 1)),
                row.get("basis", ""),
                tuple(row.get("not_before", ())),
            )
            for form in row["forms"]:
                table[form] = (*table.get(form, ()), unit)
    lengths: dict[str, set[int]] = {}
    for form in table:
        lengths.setdefault(form[:2].lower(), set()).add(len(form))
    return table, {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


@cache
def _tails() -> re.Pattern[str]:
    tails = sorted(pack("ko")["tails"], key=len, reverse=True)
    return re.compile("|".join(map(re.escape, tails)))


def _ends(text: str, end: int, form: str, unit: Unit) -> bool:
    """Whether a unit may end at `end`: no letter runs on and nothing turns it into another word."""
    if text.startswith(unit.not_before, end) and unit.not_before:
        return False
    following = text[end : end + 1]
    last = form[-1]
    if last.isascii() and last.isalpha():
        return not (following.isascii() and (following.isalnum() or following == "_"))
    if unit.language == "ko" and len(form) == 1 and _HANGUL.match(following):
        return _tails().match(text, end) is not None
    return True


def unit_at(text: str, start: int) -> tuple[Unit, int] | None:
    """The longest unit written at `start` (one space or hyphen may come first), with where it ends; None if there is
    none."""
    table, lengths = _forms()
    first = start
    while first < len(text) and first - start < 2 and text[first] == " ":
        first += 1
    for at in dict.fromkeys((start, first)):
        for length in (*lengths.get(text[at : at + 2].lower(), ()), 1):
            form = text[at : at + length]
            if len(form) < length:
                continue
            found = table.get(form)
            if found is None and form.isascii() and length > 3:
                found = table.get(form.lower())
            if found is None:
                continue
            for unit in found:
                if _ends(text, at + length, form, unit):
                    return unit, at + length
    return None


@cache
def compiled(language: str, *path: str) -> re.Pattern[str]:
    """The pattern stored at `path` of a pack, compiled once."""
    item: Any = pack(language)
    for key in path:
        item = item[key]
    return re.compile(item)


@cache
def rows(*path: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """The (name, pattern) rows stored at `path` of every pack as one pattern, and the name of each of its groups in
    order."""
    names: list[str] = []
    patterns: list[str] = []
    for language in LANGUAGES:
        item: Any = pack(language)
        for key in path:
            item = item.get(key, ())
            if not item:
                break
        for name, pattern in item:
            body = pattern.removeprefix("(?i)")
            patterns.append(f"({'(?i:' if body != pattern else '(?:'}{body}))")
            names.append(name)
    return re.compile("|".join(patterns)), tuple(names)


def row_of(found: re.Match[str], names: tuple[str, ...]) -> str:
    """The name of the row of `rows` that matched."""
    return names[(found.lastindex or 1) - 1]


@cache
def idioms(language: str, name: str = "idioms") -> tuple[re.Pattern[str], ...]:
    """The idioms of a pack (`no_figures`: its ordinary words and names with a numeral in them): what figures in them say
    counts nothing."""
    each = pack(language)[name]
    return tuple(quick(one.removeprefix("(?i)"), ignore_case=one.startswith("(?i)")) for one in each)


def unit_table() -> str:
    """A Markdown table of every unit of the packs with its first written forms in each language, for the documentation."""
    rows: dict[tuple[str, str], dict[str, list[str]]] = {}
    for language in LANGUAGES:
        for row in pack(language)["units"]:
            forms = rows.setdefault((row["type"], row["unit"]), {}).setdefault(language, [])
            forms.extend(form for form in row["forms"][:2] if form.strip("-") == form and "|" not in form)
    lines = ["| type | unit | ko | en | zh |", "| --- | --- | --- | --- | --- |"]
    for (kind, unit), spoken in sorted(rows.items()):
        cells = (", ".join(dict.fromkeys(spoken.get(language, [])[:6])) for language in LANGUAGES)
        lines.append(f"| {kind} | `{unit}` | {' | '.join(cells)} |")
    return "\n".join(lines)
