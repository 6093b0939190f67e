"""Texts in English and Korean: gettext catalogues read from the shipped `.po` files.

Every text a person reads goes through `_`. The language is a context variable, so that two users of one server do not
disturb each other.
"""

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from io import BytesIO

from chipweir.errors import UnknownName


LANGUAGES = ("en", "ko")
CATALOGUES = ("chipweir.po", "commands.po")
"""Texts of code and templates, and the helps of commands and their options."""
_language: ContextVar[str] = ContextVar("language", default="en")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    texts = gettext.NullTranslations()
    for name in reversed(CATALOGUES):
        source = resources.files("chipweir") / "locale" / language / "LC_MESSAGES" / name
        compiled = BytesIO()
        with source.open("rb") as file:
            write_mo(compiled, read_po(file, locale=language))
        compiled.seek(0)
        found = gettext.GNUTranslations(compiled)
        found.add_fallback(texts)
        texts = found
    return texts


def _(text: str, **values: object) -> str:
    """`text` in the language in force, with `{name}` fields filled from `values`."""
    translated = _catalogue(_language.get()).gettext(text) if text else text
    return translated.format(**values) if values else translated


def N_(text: str) -> str:
    """`text` itself, marked as one that `_` will be given later."""
    return text


def language() -> str:
    """The language in force: one of `LANGUAGES`."""
    return _language.get()


@contextmanager
def use_language(name: str) -> Iterator[None]:
    """Texts inside the block are in `name`. Raises `UnknownName` for a language we do not have."""
    if name not in LANGUAGES:
        raise UnknownName("language", name, LANGUAGES, where=f"the texts ({', '.join(LANGUAGES)})")
    token = _language.set(name)
    try:
        yield
    finally:
        _language.reset(token)
