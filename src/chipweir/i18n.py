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
_language: ContextVar[str] = ContextVar("language", default="en")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = resources.files("chipweir") / "locale" / language / "LC_MESSAGES" / "chipweir.po"
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _(text: str, **values: object) -> str:
    """`text` in the language in force, with `{name}` fields filled from `values`."""
    translated = _catalogue(_language.get()).gettext(text) if text else text
    return translated.format(**values) if values else translated


def language() -> str:
    """The language in force: one of `LANGUAGES`."""
    return _language.get()


@contextmanager
def use_language(name: str) -> Iterator[None]:
    """Texts inside the block are in `name`. Raises `UnknownName` for a language we do not have."""
    if name not in LANGUAGES:
        raise UnknownName("language", name, LANGUAGES)
    token = _language.set(name)
    try:
        yield
    finally:
        _language.reset(token)
