"""Models that only price lists name: the id they are kept under and the forms a text calls them by.

A list calls a model `claude-3-opus` or `meta-llama/llama-3.1-70b (reseller)`, a text "Claude 3 Opus" or "Llama 3.1 70B".
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from chipweir import facts
from chipweir.text import Name


_GLOSS = re.compile(r"\s*\([^)]*\)\s*$")
_DATED = re.compile(r"-(?:20\d{2}-?\d{2}-?\d{2}|\d{2}-\d{2}|\d{4})$")
_SHORTEST = 5


def _slug(item: str) -> str:
    return _GLOSS.sub("", item).rsplit("/", 1)[-1].strip().lower().replace(" ", "-").replace("_", "-")


def priced_id(price: Any, known: "facts.Facts") -> str:
    """The id of the model a price is of: the model's own where it is known, else one made from its name on the list."""
    if price.item_id or price.kind != "api":
        return str(price.item_id)
    slug = _slug(price.item)
    return _ids(known).get(_plain(slug), f"priced:{slug}")


def _plain(form: str) -> str:
    return re.sub(r"[^a-z0-9]", "", form.lower())


@lru_cache(maxsize=4)
def _ids(known: "facts.Facts") -> dict[str, str]:
    found: dict[str, str] = {}
    for model in known.models.values():
        entity = known.entities.get(model.id)
        for form in (model.id, *((entity.names.en, *entity.aliases) if entity else ())):
            found.setdefault(_plain(form), model.id)
    return found


def priced_names(known: "facts.Facts") -> Iterator[Name]:
    """The names of the models that have a price and no entry of their own."""
    seen: set[str] = set()
    for price in known.prices.values():
        identifier = priced_id(price, known)
        if not identifier.startswith("priced:") or identifier in seen:
            continue
        seen.add(identifier)
        slug = identifier.removeprefix("priced:")
        if "-" in slug and not any(map(str.isdigit, slug)):
            yield Name(slug, identifier, "language-model")
        for form in dict.fromkeys(_spoken(slug)):
            if len(form) >= _SHORTEST and any(map(str.isdigit, form)):
                yield Name(form, identifier, "language-model")


def _spoken(slug: str) -> Iterator[str]:
    """`gpt-4o-mini` as GPT-4o mini, `claude-opus-4-7` as Claude Opus 4.7."""
    slug = re.sub(r"(?<=-\d)-(?=\d(?:-|$))", ".", _DATED.sub("", slug) if _DATED.search(slug) else slug)
    words = [word.upper() if len(word) <= 3 and word.isalpha() else word.capitalize() for word in slug.split("-")]
    yield " ".join(words)
    if len(words) > 1:
        yield "-".join(words[:2]) + "".join(f" {word}" for word in words[2:])
        yield "-".join(words)
