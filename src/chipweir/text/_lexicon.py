"""What may be named in a text: names of things and words of measures, handed in, indexed for the longest match.

This room knows no facts. Whoever has them (`chipweir.evidence`) makes a lexicon of their names and words; the sense
rules of running text (ordinary words, names that need company) are the room's own and stand in `data/names.yaml`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

from chipweir.text._jamo import NearMisses


_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_CASELESS = 5
_HANGUL = re.compile(r"[가-힣]")
_CHINESE = re.compile(r"[一-鿿]")


@dataclass(frozen=True, slots=True)
class Name:
    """One written form of a thing. `also` are other things that the same form may mean; `needs_maker` says that the
    form means it only in a text that names its maker."""

    form: str
    id: str
    kind: str
    also: tuple[str, ...] = ()
    needs_maker: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """One written form of something that is no thing: a measure, a dimension of it, a role (`id`), told by `kind`."""

    form: str
    id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Assembly:
    """A system told by the number of its chips: `members` are the ids of the chip and of its family."""

    count: int
    members: frozenset[str]
    id: str


@dataclass(frozen=True)
class Forms:
    """Written forms indexed by their starts: `long` and `short` give the lengths that may follow the first four (two)
    characters in small letters."""

    long: Mapping[str, tuple[int, ...]]
    short: Mapping[str, tuple[int, ...]]
    starts: re.Pattern[str]

    @classmethod
    def of(cls, forms: Iterable[str], more: Iterable[str] = ()) -> "Forms":
        """An index of `forms`; `more` are further characters at which the reader wants to stop."""
        tables: tuple[dict[str, set[int]], dict[str, set[int]]] = ({}, {})
        for form in forms:
            table, head = (tables[0], 4) if len(form) >= 4 else (tables[1], 2)
            table.setdefault(small(form)[:head], set()).add(len(form))
        long, short = ({start: tuple(sorted(found, reverse=True)) for start, found in one.items()} for one in tables)
        firsts = {start[0] for start in (*long, *short)} | set(more)
        either = "".join(map(re.escape, sorted(firsts))) or "\0"
        return cls(long, short, re.compile(rf"[{either}](?:(?<=[a-z0-9])(?<![a-z0-9].)|(?<=[^a-z0-9]))"))

    def at(self, folded: str, start: int) -> Iterator[int]:
        """Lengths of the forms that may stand at `start` of a text in small letters, longest first."""
        yield from self.long.get(folded[start : start + 4], ())
        yield from self.short.get(folded[start : start + 2], ())
        yield from self.short.get(folded[start : start + 1], ())


@dataclass(frozen=True)
class Lexicon:
    """All names and words: `exact` by form, `folded` by form in small letters."""

    exact: Mapping[str, Name]
    folded: Mapping[str, Name]
    forms: Forms
    near_hangul: NearMisses
    near_latin: NearMisses
    makers: Mapping[str, frozenset[str]]
    assemblies: tuple[Assembly, ...] = ()
    words: Mapping[str, tuple[Word, ...]] = field(default_factory=dict)
    word_forms: Forms = field(default_factory=lambda: Forms.of(()))
    press: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        names: Iterable[Name],
        makers: Mapping[str, frozenset[str]] | None = None,
        assemblies: Sequence[Assembly] = (),
        words: Iterable[Word] = (),
    ) -> "Lexicon":
        """The index of `names` (of two things that share a form the one given first is meant) and `words`. `makers` are
        the names of a product's maker, `assemblies` the systems told by their size."""
        exact: dict[str, Name] = {}
        folded: dict[str, Name] = {}
        press: dict[str, str] = {}
        for name in names:
            if name.kind == "press" and len(name.form) > 1:
                press.setdefault(name.form, name.id)
            if not _usable(name):
                continue
            for form in variants(simplified(name.form)):
                one = Name(form, name.id, name.kind, name.also, name.needs_maker)
                exact.setdefault(form, one)
                if len(form) >= _CASELESS and form.isascii():
                    folded.setdefault(small(form), one)
        for word in (simplified(str(one)) for one in settings()["stop"]):
            if word not in settings()["beside"]:
                exact.pop(word, None)
                folded.pop(small(word), None)
        by_form: dict[str, list[Word]] = {}
        for one_word in words:
            for form in spellings(one_word.form):
                by_form.setdefault(form, []).append(one_word)
        return cls(
            exact,
            folded,
            Forms.of((*exact, *folded), settings()["headline"]),
            NearMisses.of(form for form in exact if re.fullmatch(r"[가-힣]{3,}", form)),
            NearMisses.of(form for form in exact if re.fullmatch(r"[A-Z][A-Za-z]{5,}", form)),
            makers or {},
            tuple(assemblies),
            {form: tuple(dict.fromkeys(found)) for form, found in by_form.items()},
            Forms.of(by_form),
            dict(sorted(press.items(), key=lambda pair: -len(pair[0]))),
        )

    def at(self, text: str, folded: str, start: int) -> Iterator[Name]:
        """Names written at `start`, longest first. `folded` is `text` with A to Z in small letters."""
        for length in self.forms.at(folded, start):
            form = text[start : start + length]
            name = self.exact.get(form) or self.folded.get(folded[start : start + length])
            if name is not None and len(form) == length:
                yield name


@cache
def settings() -> Mapping[str, Any]:
    """The sense rules of names in running text."""
    source = resources.files("chipweir.text") / "data" / "names.yaml"
    with source.open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.safe_load(file)
    return loaded


@cache
def _simplified() -> Mapping[int, int]:
    return str.maketrans(settings()["traditional"], settings()["simplified"])


def simplified(text: str) -> str:
    """`text` with traditional Chinese characters in their simplified form; no offset moves."""
    return text.translate(_simplified()) if _CHINESE.search(text) else text


def small(text: str) -> str:
    """`text` with A to Z in small letters; no offset moves."""
    return text.translate(_SMALL)


def variants(form: str) -> set[str]:
    """A name and its spellings with and without spaces and hyphens: `RTX 5090`, `RTX5090`; `젠슨 황`, `젠슨황`."""
    found = {form}
    if re.search(r"[ -]", form) and (_HANGUL.search(form) or re.search(r"\d", form)):
        found |= {form.replace(" ", ""), form.replace("-", " "), form.replace(" ", "-"), form.replace("-", "")}
    found |= {form.replace("’", "'"), form.replace("'", "’")}
    return {one for one in found if len(one) > 1}


def spellings(form: str) -> set[str]:
    """A word of a measure in small letters: with and without hyphens, spaces (Korean) and the British spelling."""
    found = {small(simplified(form))}
    found |= {one.replace("-", " ") for one in found}
    if _HANGUL.search(form):
        return found | {one.replace(" ", "") for one in found}
    for british, american in (("centre", "center"), ("utilisation", "utilization"), ("licence", "license")):
        found |= {one.replace(british, american) for one in found} | {one.replace(american, british) for one in found}
    found |= {one.replace(" ", "-") for one in found if " " in one and len(one) < 16}
    return found | {one + "s" for one in found if one.isascii() and one[-1:].isalpha() and one[-1] != "s"}


def _usable(name: Name) -> bool:
    form = name.form
    if re.search(r"[/|]", form) or len(form) < 2 or form.isdigit() or re.fullmatch(r"[A-Z]\d+O", form):
        return False
    return not (
        form.isascii() and form.islower() and (len(form) < 6 or re.search(r"\d", form)) and name.kind != "ecosystem"
    )
