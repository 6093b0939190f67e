"""Names of the fact base in three scripts, indexed for the longest match at a place."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from chipweir import facts
from chipweir.evidence._jamo import NearMisses


_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_CASELESS = 5
_HANGUL = re.compile(r"[가-힣]")


@dataclass(frozen=True, slots=True)
class Name:
    """One written form of an entity."""

    form: str
    id: str
    kind: str


@dataclass(frozen=True)
class Gazetteer:
    """All names: `exact` by form, `folded` by lower-case form, and which lengths may follow a start of four characters
    (two for shorter names)."""

    exact: Mapping[str, Name]
    folded: Mapping[str, Name]
    long: Mapping[str, tuple[int, ...]]
    short: Mapping[str, tuple[int, ...]]
    near_hangul: NearMisses
    near_latin: NearMisses
    makers: Mapping[str, frozenset[str]]
    starts: re.Pattern[str]

    def at(self, text: str, small: str, start: int) -> Iterator[Name]:
        """Names written at `start`, longest first. `small` is `text` with A to Z in lower case."""
        longer, shorter = self.long.get(small[start : start + 4], ()), self.short.get(small[start : start + 2], ())
        for length in (*longer, *shorter):
            form = text[start : start + length]
            name = self.exact.get(form) or self.folded.get(small[start : start + length])
            if name is not None and len(form) == length:
                yield name


@cache
def settings() -> Mapping[str, Any]:
    """The room's own aliases, ordinary words and sense rules."""
    source = resources.files("chipweir.evidence") / "data" / "aliases.yaml"
    with source.open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.safe_load(file)
    return loaded


def small(text: str) -> str:
    """`text` with A to Z in lower case; no offset moves."""
    return text.translate(_SMALL)


def variants(form: str) -> set[str]:
    """A name and its spellings with and without spaces and hyphens: `RTX 5090`, `RTX5090`; `젠슨 황`, `젠슨황`."""
    found = {form}
    if re.search(r"[ -]", form) and (_HANGUL.search(form) or re.search(r"\d", form)):
        found |= {form.replace(" ", ""), form.replace("-", " "), form.replace(" ", "-"), form.replace("-", "")}
    found |= {form.replace("’", "'"), form.replace("'", "’")}
    return {one for one in found if len(one) > 1}


def _cleaned(form: str) -> str:
    """A name without a gloss in brackets: `GB200 (per GPU, NVL72)`."""
    return re.sub(r"\s*\([^)]*\)\s*$", "", form).strip()


def _entries(known: "facts.Facts") -> Iterator[Name]:
    left_out = set(settings()["kinds_left_out"])
    for entity in known.entities.values():
        if entity.kind in left_out:
            continue
        forms: Iterable[str] = (entity.names.en, entity.names.ko, entity.names.zh, *entity.aliases)
        yield from (Name(form, entity.id, entity.kind) for form in forms if form)
    for identity, forms in settings()["add"].items():
        if identity in known.entities:
            for form in forms:
                yield Name(form, identity, known.entities[identity].kind)
    for entity in known.entities.values():
        if entity.kind not in left_out:
            glossed = (form for form in (entity.names.en, *entity.aliases) if form and form.endswith(")"))
            yield from (Name(_cleaned(form), entity.id, entity.kind) for form in glossed if _cleaned(form))


def _usable(name: Name) -> bool:
    form = name.form
    if re.search(r"[/|]", form) or len(form) < 2 or form.isdigit():
        return False
    return not (
        form.isascii() and form.islower() and (len(form) < 6 or re.search(r"\d", form)) and name.kind != "ecosystem"
    )


def build(known: "facts.Facts") -> Gazetteer:
    """The index of `known`. Where two entities share a form, the one whose main name it is comes first."""
    exact: dict[str, Name] = {}
    folded: dict[str, Name] = {}
    typos = re.compile(r"^[A-Z]\d+O$")
    for name in _entries(known):
        if not _usable(name) or typos.match(name.form):
            continue
        for form in variants(name.form):
            exact.setdefault(form, Name(form, name.id, name.kind))
            if len(form) >= _CASELESS and form.isascii():
                folded.setdefault(small(form), Name(form, name.id, name.kind))
    for language_form, identity in (
        (form, identity) for identity, forms in settings()["add"].items() for form in forms
    ):
        if identity in known.entities:
            exact[language_form] = Name(language_form, identity, known.entities[identity].kind)
    beside = settings()["beside"]
    for word in settings()["stop"]:
        if word not in beside:
            exact.pop(word, None)
            folded.pop(small(word), None)
    long, short = _lengths((*exact, *folded))
    return Gazetteer(
        exact,
        folded,
        long,
        short,
        NearMisses.of(form for form in exact if re.fullmatch(r"[가-힣]{3,}", form)),
        NearMisses.of(form for form in exact if re.fullmatch(r"[A-Z][A-Za-z]{5,}", form)),
        _makers(known),
        _openings((*long, *short)),
    )


def _lengths(forms: Iterable[str]) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """The lengths of forms by their first four small letters, and of forms of two or three by their first two; longest
    first."""
    tables: tuple[dict[str, set[int]], dict[str, set[int]]] = ({}, {})
    for form in forms:
        table, head = (tables[0], 4) if len(form) >= 4 else (tables[1], 2)
        table.setdefault(small(form)[:head], set()).add(len(form))
    long, short = ({start: tuple(sorted(found, reverse=True)) for start, found in one.items()} for one in tables)
    return long, short


def _openings(lengths: Iterable[str]) -> re.Pattern[str]:
    """Where a name may start in a text of small letters: at the first letter of a word, or at one of the others."""
    firsts = {start[0] for start in lengths} | set(settings()["headline"])
    either = "".join(map(re.escape, sorted(firsts)))
    return re.compile(rf"[{either}](?:(?<=[a-z0-9])(?<![a-z0-9].)|(?<=[^a-z0-9]))")


def _makers(known: "facts.Facts") -> dict[str, frozenset[str]]:
    """For each chip and model, the forms of its maker, one of which a short code needs in the same text."""
    makers: dict[str, frozenset[str]] = {}
    by_name = {small(entity.names.en): entity for entity in known.entities.values()}
    owners = {chip.id: chip.maker for chip in known.chips.values()} | dict.fromkeys(known.models, "")
    for identity, maker in owners.items():
        entity = by_name.get(small(str(maker))) or known.entities.get(identity.split("-")[0])
        if entity is None:
            entity = next((item for key, item in known.entities.items() if identity.startswith(key + "-")), None)
        if entity is not None:
            makers[identity] = frozenset(
                form for form in (entity.names.en, entity.names.ko, entity.names.zh, *entity.aliases) if form
            )
    return makers


@cache
def _of_digest(digest: str) -> Gazetteer:
    return build(_KNOWN[digest])


_KNOWN: dict[str, "facts.Facts"] = {}


def gazetteer(known: "facts.Facts | None" = None) -> Gazetteer:
    """The index of a fact base (the shipped one by default), built once for each."""
    base = known if known is not None else facts.load()
    _KNOWN.setdefault(base.digest, base)
    return _of_digest(base.digest)
