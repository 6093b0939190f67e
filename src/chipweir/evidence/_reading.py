"""Reading with the names of the fact base: the lexicon of `chipweir.text` made from facts, and its stages bound to it."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from chipweir import facts
from chipweir import text as reading
from chipweir.evidence._priced import priced_names
from chipweir.evidence._vocabulary import vocabulary, words_of
from chipweir.text import Assembly, Document, EntityMention, Extraction, Lexicon, Name


_SMALLEST_ASSEMBLY = 32
# What is left of a model's name without its maker: V3, R1, K2. It means the model in a text that names the maker.
_SHORT = re.compile(r"[A-Z]{1,2}\d(?:\.\d)?")


def lexicon(known: "facts.Facts | None" = None) -> Lexicon:
    """The names of a fact base (the shipped one by default), indexed once for each."""
    return _lexicon(known if known is not None else facts.load())


@lru_cache(maxsize=4)
def _lexicon(known: "facts.Facts") -> Lexicon:
    return Lexicon.of(_names(known), _makers(known), _assemblies(known), words_of(known))


def _names(known: "facts.Facts") -> Iterator[Name]:
    left_out = set(reading.settings()["kinds_left_out"])
    named = [entity for entity in known.entities.values() if entity.kind not in left_out]
    # Of two things that share a form, the one whose main name it is comes first.
    for entity in named:
        for form in (entity.names.en, entity.names.ko, entity.names.zh, *entity.aliases):
            if form:
                yield Name(form, entity.id, entity.kind)
    taken = {form.lower() for entity in named for form in (entity.names.en, *entity.aliases)}
    for entity in named:
        for form in (entity.names.en, *entity.aliases):
            plain = re.sub(r"\s*\([^)]*\)\s*$", "", form).strip()  # a gloss in brackets: `GB200 (per GPU, NVL72)`
            if plain and plain != form:
                yield Name(plain, entity.id, entity.kind)
            least = re.sub(r"[\s-]*\(?\d+ ?GB\)?\s*$", "", form)  # the memory, where nothing has the rest for its name
            if least != form and least.lower() not in taken and any(map(str.isdigit, least)):
                yield Name(least, entity.id, entity.kind)
    for identifier, forms in vocabulary()["names"].items():
        if identifier in known.entities:
            yield from (Name(form, identifier, known.entities[identifier].kind) for form in forms)
    yield from _transcribed(known)
    yield from _of_a_line(known)
    yield from _of_a_kind(known)
    yield from priced_names(known)


def _transcribed(known: "facts.Facts") -> Iterator[Name]:
    """Names of models that begin with their maker's: with the maker in Korean and Chinese (딥시크 V2), and without."""
    for model, maker in ((one.id, one.maker) for one in known.models.values()):
        entity, owner = known.entities.get(model), known.entities.get(maker)
        if entity is None or owner is None:
            continue
        for form in (entity.names.en, *entity.aliases):
            rest = form[len(owner.names.en) :].lstrip(" -")
            if form.lower().startswith(owner.names.en.lower()) and rest[:1].isalnum() and any(map(str.isdigit, rest)):
                if _SHORT.fullmatch(rest):
                    yield Name(rest, entity.id, entity.kind, needs_maker=True)
                for name in filter(None, (owner.names.ko, owner.names.zh)):
                    yield Name(f"{name} {rest}", entity.id, entity.kind)
                    yield Name(f"{name}-{rest}", entity.id, entity.kind)


def _of_a_line(known: "facts.Facts") -> Iterator[Name]:
    """Names of chips that begin with their line's: with the line in Korean and Chinese (가우디 3), and in one word."""
    lines = [one for one in known.entities.values() if one.kind == "product-line"]
    for chip in known.chips:
        entity = known.entities.get(chip)
        if entity is None:
            continue
        for form, line in product((entity.names.en, *entity.aliases), lines):
            own = line.names.en.split(" ")[-1]
            head, found, code = form.partition(f"{own} ")
            if not found or head.strip() not in {"", *line.names.en.split(" ")} or not any(map(str.isdigit, code)):
                continue
            yield Name(f"{own}{code}", chip, entity.kind)
            for name in filter(None, (line.names.ko, line.names.zh)):
                short = name.split(" ")[-1]
                yield from (Name(f"{short}{gap}{code}", chip, entity.kind) for gap in ("", " ", "-"))


_KINDS_OF_SYSTEM = {
    "pod": ("포드", "팟", "集群"), "server": ("서버", "服务器", "伺服器"), "rack": ("랙", "机柜", "機櫃"),
    "superpod": ("슈퍼팟", "슈퍼포드", "超节点", "超節點"), "supernode": ("슈퍼노드", "超节点"),
}  # fmt: skip


def _of_a_kind(known: "facts.Facts") -> Iterator[Name]:
    """Names of systems that end with their kind: with the kind in Korean and Chinese (TPU v7 포드)."""
    for system in known.systems:
        entity = known.entities.get(system)
        if entity is None:
            continue
        for form in (entity.names.en, *entity.aliases):
            head, _, kind = form.rpartition(" ")
            for word in _KINDS_OF_SYSTEM.get(kind.lower(), ()) if head else ():
                yield from (Name(f"{head}{gap}{word}", system, entity.kind) for gap in ("", " "))


def _makers(known: "facts.Facts") -> dict[str, frozenset[str]]:
    """For each chip and model, the forms of its maker, one of which a short code needs in the same text."""
    makers: dict[str, frozenset[str]] = {}
    makers_of = {chip.id: chip.maker for chip in known.chips.values()}
    makers_of |= {model.id: model.maker for model in known.models.values()}
    for made, maker in makers_of.items():
        entity = known.entities.get(maker) or known.entities.get(made.split("-")[0])
        if entity is not None:
            forms = (entity.names.en, entity.names.ko, entity.names.zh, *entity.aliases)
            makers[made] = frozenset(form for form in forms if form)
    return makers


def _assemblies(known: "facts.Facts") -> list[Assembly]:
    """Systems told by the number of their chips, oldest first; the chip's family passes for the chip."""
    lines = [key for key, one in known.entities.items() if one.kind == "product-line"]
    found = []
    for system in sorted(known.systems.values(), key=lambda one: str(one.release)):
        chip = known.chips.get(system.chip)
        if chip is not None and system.n_chips >= _SMALLEST_ASSEMBLY:
            families = {line for line in lines if _of_family(line, chip)}
            found.append(Assembly(int(system.n_chips), frozenset({chip.id, *families}), system.id))
    return found


def _of_family(line: str, chip: "facts.Chip") -> bool:
    return chip.id.startswith(line) or line == f"{chip.id.split('-')[0]}-{str(chip.architecture).split(' ')[0].lower()}"


def press(known: "facts.Facts | None" = None) -> Mapping[str, str]:
    """Names of outlets and their ids."""
    return lexicon(known).press


def read(source: str | Path, *args: Any, **options: Any) -> Document:
    """`chipweir.text.read` with the outlets of the fact base."""
    return reading.read(source, *args, **{"press": press(), **options})


def read_all(source: str | Path, *args: Any, **options: Any) -> tuple[Document, ...]:
    """`chipweir.text.read_all` with the outlets of the fact base."""
    return reading.read_all(source, *args, **{"press": press(), **options})


def document_from_text(text: str, *args: Any, **options: Any) -> Document:
    """`chipweir.text.document_from_text` with the outlets of the fact base."""
    return reading.document_from_text(text, *args, **{"press": press(), **options})


def extract(document: Document, known: "facts.Facts | None" = None) -> Extraction:
    """Sentences, figures, dates and the names of the fact base in a document."""
    return reading.extract(document, lexicon(known))


def find_entities(text: str, language: str = "ko", known: "facts.Facts | None" = None) -> tuple[EntityMention, ...]:
    """The names of the fact base in a text (see `chipweir.text.find_entities`)."""
    return reading.find_entities(text, lexicon(known), language)
