"""Countries as ISO 3166 alpha-2 codes. Names in English, Korean and Chinese and alpha-3 codes are understood."""

from functools import cache, lru_cache

from chipweir.errors import InputError, UnknownName
from chipweir.rules._words import DATA, folded


# Names in use that the standard territory names do not cover.
ALIASES = {
    "UK": "GB", "USA": "US", "United States of America": "US", "America": "US", "PRC": "CN", "Mainland China": "CN",
    "People's Republic of China": "CN", "Korea": "KR", "Republic of Korea": "KR", "ROK": "KR", "DPRK": "KP",
    "Hong Kong": "HK", "Hong Kong SAR": "HK", "Macau": "MO", "Macao": "MO", "Macau SAR": "MO", "Macao SAR": "MO",
    "UAE": "AE", "Emirates": "AE", "Holland": "NL", "Burma": "MM", "Turkey": "TR", "Turkiye": "TR", "Czechia": "CZ",
    "Czech Republic": "CZ", "Russian Federation": "RU", "Viet Nam": "VN", "KSA": "SA", "Republic of China": "TW",
    "Chinese Taipei": "TW", "DRC": "CD", "DR Congo": "CD", "Ivory Coast": "CI", "Cabo Verde": "CV", "Swaziland": "SZ",
    "Great Britain": "GB", "England": "GB", "한국": "KR", "홍콩": "HK",
    "마카오": "MO", "미국": "US", "중국": "CN", "대만": "TW",
}  # fmt: skip


@cache
def alpha2() -> frozenset[str]:
    """The ISO 3166 alpha-2 codes."""
    return frozenset((DATA / "alpha2.txt").read_text(encoding="ascii").split())


@cache
def _names() -> dict[str, str]:
    from babel import Locale
    from babel.core import get_global

    names: dict[str, str] = {}
    for language in ("en", "ko", "zh"):
        for code, name in Locale(language).territories.items():
            if code in alpha2():
                names.setdefault(folded(name), code)
    for code, targets in get_global("territory_aliases").items():
        if len(code) == 3 and code.isalpha() and len(targets) == 1 and targets[0] in alpha2():
            names.setdefault(folded(code), targets[0])
    return names


_ALIASES_FOLDED = {folded(name): code for name, code in ALIASES.items()}


@lru_cache(maxsize=4096)
def _resolve(text: str) -> str | None:
    code = text.strip().upper()
    if code in alpha2():
        return code
    key = folded(text)
    return _ALIASES_FOLDED.get(key) or _names().get(key) or _of_the_facts().get(key)


@cache
def _of_the_facts() -> dict[str, str]:
    """Names of countries that only the facts hold, such as 香港; none of a single letter, which stands for more."""
    from chipweir import facts

    known = facts.load().countries.values()
    spelt = (
        (name, each.alpha2) for each in known for name in (each.names.en, each.names.ko, each.names.zh, *each.aliases)
    )
    return {folded(name): code for name, code in spelt if len(folded(name)) > 1 and code in alpha2()}


def country(value: object, name: str) -> str:
    """The alpha-2 code of a country given by code or name. Raises `InputError` or `UnknownName`."""
    if value is False:
        value = "NO"  # YAML 1.1 reads the code of Norway as a boolean
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name}: expected a country (ISO 3166 code or name), got {value!r}")
    code = _resolve(value)
    if code is None:
        known = [str(n) for n in ALIASES] + english_names()
        raise UnknownName("country", value.strip()[:60], known, where=name)
    return code


def is_nearly_country(text: str) -> bool:
    """Whether a text is a misspelt name of a country."""
    from difflib import get_close_matches

    return bool(get_close_matches(text.casefold(), [name.casefold() for name in english_names()], n=1, cutoff=0.8))


def is_country_name(text: str) -> bool:
    """Whether a text is a country's name or code."""
    return bool(text.strip()) and _resolve(text) is not None


@cache
def english_names() -> list[str]:
    """The English names of all countries."""
    from babel import Locale

    return [str(name) for code, name in Locale("en").territories.items() if code in alpha2()]


def land(code: str) -> str:
    """The destination whose rules apply: Hong Kong is part of China in the EAR; Macau stands alone."""
    return "CN" if code == "HK" else code
