"""One rule, exception or country group laid open: what it says as data, its status over time, its citations."""

from dataclasses import fields, is_dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from chipweir.errors import UnknownName
from chipweir.rules._book import Book, Group, Instrument
from chipweir.rules._numbers import plain, shown
from chipweir.rules._when import FIRST, LAST, Condition, Test, Way
from chipweir.rules._words import folded


def describe(book: Book, name: str, on: date) -> dict[str, Any]:
    """Everything the book holds under a name, as JSON can hold it. Raises `UnknownName`."""
    found = [
        entry for entry in _entries(book) if folded(entry.id) == folded(name) or folded(_key(entry)) == folded(name)
    ]
    groups = [group for group in book.groups.values() if folded(group.name) == folded(name)]
    if not found and not groups:
        known = [entry.id for entry in _entries(book)] + list(book.groups)
        raise UnknownName("rule", name[:60], known)
    ids = {entry.id for entry in found}
    carried = [e for e in _entries(book) if getattr(e, "instrument", None) in ids and e.id not in ids]
    sources = {key for entry in (*found, *carried, *groups) for key in entry.sources}
    return {
        "name": name,
        "on": on.isoformat(),
        "entries": [_plain(entry) for entry in found] + [_group(group, on) for group in groups],
        "carries": [_plain(entry) for entry in carried],
        "sources": {key: book.sources.get(key, key) for key in sorted(sources)},
    }


def title_of(book: Book, name: str, language: str) -> str:
    """What a rule is called in `language` ("en" or "ko"): its own title, else its instrument's; empty for no rule.

    Without a Korean title the English one stands.
    """
    key = ("title", name, language)
    found: str | None = book.remembered(key)
    if found is None:
        found = _title(book, name, language)
        book.remember(key, found)
    return found


def _title(book: Book, name: str, language: str) -> str:
    own = [entry for entry in _entries(book) if entry.id == name]
    own += [entry for entry in book.presumptions if any(way.id == name for way in entry.ways_out)]
    carriers = [str(getattr(entry, "instrument", "")) for entry in own] + [name.partition("/")[0]]
    instruments = [book.instruments[key] for key in carriers if key in book.instruments]
    for field in ("title_ko", "title") if language == "ko" else ("title",):
        for entries in (own, instruments[:1]):
            if titles := [text for entry in entries if (text := getattr(entry, field, ""))]:
                return " / ".join(dict.fromkeys(titles))
    return ""


def basis_titles(book: Book, basis: str, language: str) -> str:
    """The titles of the rules that the basis of a decision names (`RULE` or `RULE, review RULE`), joined by "; "."""
    titles = [title_of(book, name, language) for name in basis.split(", review ")]
    return "; ".join(dict.fromkeys(filter(None, titles)))


def _entries(book: Book) -> list[Any]:
    return [
        *book.instruments.values(), *book.paragraphs, *book.presumptions, *book.requirements, *book.authorisations,
        *book.stances, *book.tariffs, *book.charges, *book.caps, *book.flags,
        *(line for lines in book.reviews.values() for line in lines if line.id),
    ]  # fmt: skip


def _key(entry: Any) -> str:
    return str(getattr(entry, "key", entry.id))


def _group(group: Group, on: date) -> dict[str, Any]:
    return {**_plain(group), "members_on_the_day": sorted(group.on(on))}


def _plain(value: Any) -> Any:
    """Records as mappings; what is empty or unrestricted is left out."""
    if isinstance(value, Test):
        return f"{value.name} {value.sign} {shown(value.threshold)}"
    if isinstance(value, Fraction):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        row: dict[str, Any] = {}
        if isinstance(value, Instrument | Way | Condition) is False:
            row["kind"] = type(value).__name__.lower()
        for field in fields(value):
            if not field.repr:
                continue
            entry = getattr(value, field.name)
            if entry in (None, "", (), {}, frozenset(), FIRST, LAST, Condition()):
                continue
            row[field.name] = _plain(entry)
        return row
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    return value


def described_text(found: dict[str, Any]) -> str:
    """The description as indented text."""
    lines = [f"{found['name']} ({found['on']})"]
    for title in ("entries", "carries"):
        for entry in found[title]:
            lines += ["", *_lines(entry, 0)]
    lines += ["", "sources:", *(f"  [{key}] {text}" for key, text in found["sources"].items())]
    return "\n".join(lines)


def _lines(value: Any, depth: int) -> list[str]:
    pad = "  " * depth
    if isinstance(value, dict):
        lines = []
        for key, entry in value.items():
            if isinstance(entry, dict) or (isinstance(entry, list) and any(isinstance(e, dict) for e in entry)):
                lines += [f"{pad}{key}:", *_lines(entry, depth + 1)]
            else:
                lines.append(f"{pad}{key}: {_flat(entry)}")
        return lines
    if isinstance(value, list):
        lines = []
        for entry in value:
            inner = _lines(entry, depth + 1)
            lines += [f"{pad}- {inner[0].strip()}", *inner[1:]] if inner else []
        return lines
    return [f"{pad}{_flat(value)}"]


def _flat(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
