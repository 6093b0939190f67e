"""Texts in English and Korean: gettext catalogues read from the shipped `.po` files.

Every text a person reads goes through `_`. The language is a context variable, so that two users of one server do not
disturb each other.
"""

import gettext
import re
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
PATTERNS = "errors.po"
"""Patterns of lines that rooms compose in English, such as what was wrong with an input; and words that fill them."""
LONGEST = 4000
"""Characters of the longest line that is looked up: a longer one holds a text of somebody else."""
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
    return filled(translated, **values) if values else translated


def filled(translated: str, **values: object) -> str:
    """A text in the language in force with its `{name}` fields filled, and Korean particles chosen by what fills them."""
    said = translated.format(**values)
    return particles(said) if _language.get() == "ko" else said


def N_(text: str) -> str:
    """`text` itself, marked as one that `_` will be given later."""
    return text


def composed(text: str) -> str:
    """A line that was composed in English, such as an error's, in the language in force, by the pattern it was made from.

    What fills the pattern's fields is translated where it is itself a known word or line; so is what follows a place, such
    as `file:3: `. A line of no known pattern stays.
    """
    words, patterns = _patterns(_language.get())
    if not words or len(text) > LONGEST:
        return text
    if text in words:
        return words[text]
    for literal, pattern, translated in patterns:
        if literal in text and (found := pattern.fullmatch(text)):
            filled = {name: _filling(value) for name, value in found.groupdict().items()}
            return particles(translated.format(**filled))
    place, colon, rest = text.partition(": ")
    return f"{place}: {composed(rest)}" if colon else text


def _filling(text: str) -> str:
    """What fills a field: a known word or line, else as it is, with alternatives as a list."""
    translated = composed(text)
    return text.replace(" or ", ", ") if translated == text else translated


@cache
def _patterns(language: str) -> tuple[dict[str, str], list[tuple[str, re.Pattern[str], str]]]:
    """Whole lines and words by their English; patterns with their longest literal, those that say most first."""
    if language == "en":
        return {}, []
    from babel.messages.pofile import read_po

    with (resources.files("chipweir") / "locale" / language / "LC_MESSAGES" / PATTERNS).open("rb") as file:
        entries = [(str(each.id), str(each.string)) for each in read_po(file, locale=language) if each.id]
    words = {text: translated for text, translated in entries if "{" not in text}
    fields = sorted((each for each in entries if "{" in each[0]), key=lambda each: -len(_FIELD.sub("", each[0])))
    return words, [(max(_FIELD.split(text)[::2], key=len), as_pattern(text), told) for text, told in fields]


_FIELD = re.compile(r"\{(\w+)\}")


def as_pattern(text: str) -> re.Pattern[str]:
    """What a line of this text looks like, whatever fills its fields."""
    pieces = _FIELD.split(text)
    return re.compile(
        "".join(f"(?P<{piece}>.+?)" if i % 2 else re.escape(piece) for i, piece in enumerate(pieces)), re.S
    )


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


_PARTICLE = re.compile(r"([가-힣A-Za-z0-9%])([\"'”’)\]]*)(은\(는\)|이\(가\)|을\(를\)|와\(과\)|\(으\)로)")
_FORMS = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "와(과)": ("과", "와"),
    "(으)로": ("으로", "로"),
}


def particles(text: str) -> str:
    """Korean particles chosen by the sound before them: 을(를) becomes 을 after a final consonant, 를 after a vowel."""
    return _PARTICLE.sub(lambda m: m[1] + m[2] + _form(m[1], m[3]), text)


def _form(last: str, particle: str) -> str:
    closed, liquid = _final(last)
    after_consonant, after_vowel = _FORMS[particle]
    return after_vowel if not closed or (particle == "(으)로" and liquid) else after_consonant


def _final(last: str) -> tuple[bool, bool]:
    """Whether a syllable, digit or letter, as read in Korean, ends in a consonant, and whether that is ㄹ."""
    if "가" <= last <= "힣":
        jong = (ord(last) - 0xAC00) % 28
        return jong > 0, jong == 8
    if last.isdigit():
        return last in "013678", last in "178"
    return last.lower() in "lmnr", last.lower() in "lr"
