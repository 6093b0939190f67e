"""The words of the fact base: nouns of measures, verbs, dimensions, fields of products, families and things.

What words there are is data: `measures.csv` of the facts for the nouns, `data/words.yaml` for the rest.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from chipweir import facts
from chipweir.evidence._frames import read_data
from chipweir.text import Word


LANGUAGES = ("en", "ko", "zh")
# Kinds of entities that running text does not name by a name of their own.
THINGS = ("topic", "goods", "group", "flow", "case", "event", "region")


@cache
def vocabulary() -> Mapping[str, Any]:
    """`data/words.yaml`, parsed."""
    found: Mapping[str, Any] = read_data("words.yaml")
    return found


def words_of(known: "facts.Facts") -> Iterator[Word]:
    """Every word that tells a measure, a dimension, a field or a thing of `known`."""
    for measure in known.measures.values():
        forms = (*(form for by in measure.words.values() for form in by), measure.title["en"], measure.title["ko"])
        yield from (Word(form.strip(" -"), measure.id, "measure") for form in forms if len(form) > 1)
    tables = (("verbs", "verb"), ("dims", "dim"), ("specs", "spec"), ("generic", "generic"), ("marks", "mark"))
    for table, kind in (
        *tables,
        ("things", "thing"),
        ("attributes", "attribute"),
        ("others", "other"),
        ("shadows", "shadow"),
        ("hints", "hint"),
    ):
        for identifier, row in vocabulary().get(table, {}).items():
            yield from (Word(form, identifier, kind) for language in LANGUAGES for form in row.get(language, ()))
    for entity in known.entities.values():
        if entity.kind in THINGS:
            forms = (entity.names.en, entity.names.ko, entity.names.zh, *entity.aliases)
            yield from (Word(form, entity.id, "thing") for form in forms if len(form) > 1)


@cache
def silent_keys() -> frozenset[str]:
    """Dimensions of which a text need not say the value."""
    return frozenset(vocabulary()["silent"])


@cache
def silent_values() -> frozenset[str]:
    """Values (`key=value`) that are the usual convention, so that a text need not say them."""
    return frozenset(name for name, row in vocabulary()["dims"].items() if row.get("silent"))


@cache
def spoken_values() -> frozenset[str]:
    """Values that a text must say, although others of their dimension are a convention."""
    return frozenset(name for name, row in vocabulary()["dims"].items() if row.get("must"))


@cache
def told_by_place() -> dict[str, str]:
    """Measures of a family that a place beside the noun tells: revenue, and China."""
    return {name: row["entity"] for name, row in vocabulary()["marks"].items() if "entity" in row}


@cache
def families() -> dict[str, frozenset[str]]:
    """The measures of each family, by the family's name."""
    return {name: frozenset(row["measures"]) for name, row in vocabulary()["generic"].items()}
