"""Numerals in every script: `3,880억`, `수십조`, `세`, `3.5万亿`, `两千`, `twenty-five`, `tens of
billions`.

`number_at` reads the longest numeral at a place. It looks at no more than a few dozen characters, so that a text is
read in linear time.
"""

import re
from dataclasses import dataclass
from functools import cache

from chipweir.text._units import pack


DIGITS = re.compile(r"(?:\d{1,3}(?:,\d{3}){1,6}(?!\d)|\d{1,24}(?!\d))(?:\.\d{1,12}(?![\d.]{0,12}\.\d))?(?!\d)")
_POWER = re.compile(
    r"(?:(?P<base>\d{1,6}(?:\.\d{1,9})?)(?:[eE]\+?(?P<e>\d{1,2})(?![A-Za-z0-9])|\s?[x×]\s?10\^(?P<x>\d{1,2})(?!\d)))"
    r"|10\^(?P<p>\d{1,2})(?!\d)"
)
_SPACE = re.compile(r" ?")
_LONGEST = 48
_MAGNITUDES = dict.fromkeys("십백천만억조경여", ("ko",)) | dict.fromkeys("十百千万萬亿億兆拾佰仟余餘多", ("zh",))


@dataclass(frozen=True, slots=True)
class Number:
    """A numeral: where it ends, its value, and `low`, `high` where the words are vague (`수십`, `tens of`).

    `script` is `digits`, `hangul`, `native`, `chinese` or `english`; `magnitude` is the last multiplier written (1 if
    none).
    """

    end: int
    value: float
    low: float | None
    high: float | None
    script: str
    magnitude: float = 1.0
    suffix: str = ""
    at_least: bool = False

    @property
    def vague(self) -> bool:
        """Whether the numeral is indefinite."""
        return self.low is not None


@dataclass(frozen=True, slots=True)
class _Table:
    digits: dict[str, float]
    small: dict[str, float]
    large: dict[str, float]
    vague: dict[str, tuple[float, float]]
    not_large: dict[str, tuple[str, ...]]


@cache
def _table(language: str) -> _Table:
    raw = pack(language)["numerals"]
    return _Table(
        {key: float(item) for key, item in raw["digits"].items()},
        {key: float(item) for key, item in raw["small"].items()},
        {key: float(item) for key, item in raw["large"].items()},
        {key: (float(item[0]), float(item[1])) for key, item in raw["vague"].items()},
        {key: tuple(item) for key, item in raw["not_large"].items()},
    )


@cache
def _native() -> tuple[re.Pattern[str], dict[str, float | list[float]]]:
    native = pack("ko")["numerals"]["native"]
    words = sorted(native, key=len, reverse=True)
    return re.compile("|".join(words)), native


def _other_word(text: str, here: int, table: _Table) -> bool:
    """Whether the magnitude at `here` begins another word (`조사`, `경기`); `조사백억` goes on as a numeral."""
    if not text.startswith(table.not_large.get(text[here], ()) or "\0", here + 1):
        return False
    return not (text[here + 1] in table.digits and text[here + 2 : here + 3] in table.small)


def _magnitude(text: str, at: int, table: _Table) -> tuple[float, int, bool] | None:
    """A run of magnitudes (`천만`, `万亿`) at `at`: product, end, whether a large one is in it."""
    product, here, large = 1.0, at, False
    while here < len(text):
        character = text[here]
        size = table.small.get(character) if not large else None
        if size is None:
            size = table.large.get(character)
            if size is not None and large and (size <= product or size < 1e8):
                break
        if size is None or _other_word(text, here, table):
            break
        large = large or character in table.large
        product *= size
        here += 1
    return (product, here, large) if here > at else None


def _small(text: str, at: int, table: _Table) -> tuple[float, float, float, int, bool] | None:
    """One group below the first large magnitude: value, low, high, end, vague. `3천5백`, `이십오`, `수백`, `3,880`."""
    digits = DIGITS.match(text, at)
    if digits:
        value, end = float(digits.group().replace(",", "")), digits.end()
        size = table.small.get(text[end : end + 1])
        rest = DIGITS.match(text, end + 1) if size else None
        if size and rest and float(rest.group().replace(",", "")) < size:
            value, end = value * size + float(rest.group().replace(",", "")), rest.end()
        return value, value, value, end, False
    here, total, low, high, vague, seen = at, 0.0, 0.0, 0.0, False, False
    while here < len(text) and here - at < _LONGEST:
        character = text[here]
        if character in table.vague and seen and text[here - 1] in table.small:
            total, low, high, here, vague = total + 5, low + 1, high + 9, here + 1, True
            break
        if _other_word(text, here, table):
            break
        if character in table.vague and not seen:
            one_low, one_high, one, step, vague = *table.vague[character], 5.0, 1, True
        elif character in table.digits:
            one = one_low = one_high = table.digits[character]
            step = 1
        elif character in table.small:
            one = one_low = one_high = 1.0
            step = 0
        else:
            break
        size = table.small.get(text[here + step : here + step + 1])
        if size is None:
            total, low, high = total + one, low + one_low, high + one_high
            here, seen = here + step, True
            break
        total, low, high = total + one * size, low + one_low * size, high + one_high * size + (size - 1 if vague else 0)
        here, seen = here + step + 1, True
    return (total, low, high, here, vague) if seen else None


def _cjk(text: str, at: int, language: str) -> Number | None:
    """A Korean or Chinese numeral with its magnitudes: `1조3,880억`, `2억4700만`, `수십조`, `3.5万亿`."""
    table = _table(language)
    here, total, low, high, vague, last, more = at, 0.0, 0.0, 0.0, False, 1.0, False
    ceiling = float("inf")
    while here - at < _LONGEST:
        group = _small(text, here, table)
        if group is None:
            break
        value, one_low, one_high, end, indefinite = group
        after, over = _extra(text, end)
        spaced = _SPACE.match(text, after)
        size = _magnitude(text, after, table)
        if size is None and spaced and text[at].isdigit() and spaced.end() > after and here == at and language == "ko":
            size = _magnitude(text, spaced.end(), table)
            size = size if size and size[2] and len(text[spaced.end() : size[1]]) == 1 else None
        if size is None or size[0] >= ceiling:
            if here > at and (value >= ceiling or text[here - 1] == " "):
                break
            total, low, high, here, last = total + value, low + one_low, high + one_high, end, 1.0
            vague = vague or indefinite
            break
        factor, end, _ = size
        total, low = total + value * factor, low + one_low * factor
        high += one_high * factor + (0.9 * factor if indefinite and one_high < 10 else 0)
        vague, more, last, here, ceiling = vague or indefinite, more or over, factor, end, factor
        gap = _SPACE.match(text, here)
        here = gap.end() if gap and text[gap.end() : gap.end() + 1].isdigit() else here
    here = here - 1 if text[here - 1 : here] == " " else here
    if here == at:
        return None
    script = "digits" if text[at].isdigit() else ("hangul" if language == "ko" else "chinese")
    return Number(here, total, low if vague else None, high if vague else None, script, last, "", more)


_EXTRA = re.compile(r"(?:여|余|餘|多)(?=[만억조万萬亿億])")


def _extra(text: str, at: int) -> tuple[int, bool]:
    found = _EXTRA.match(text, at)
    return (found.end(), True) if found else (at, False)


@cache
def _english() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    raw = pack("en")["numerals"]
    words = "|".join(sorted(raw["words"], key=len, reverse=True))
    scales = "|".join(raw["scales"])
    plural = "|".join(raw["plural"])
    written = re.compile(
        rf"(?i)(?P<half>half\s(?:a|an?)\s)?(?P<a>an?\s)?(?P<tens>{words})?(?:[-\s](?P<ones>{words}))?(?P<scales"
        rf">(?:[\s-]?(?:{scales}))*)\b"
    )
    vague = re.compile(
        rf"(?i)(?P<p>{plural})(?:\sof\s(?P<s>thousands|millions|billions|trillions))?(?:\sof)?\b"
        rf"|(?P<few>several|a few|a couple of)(?P<fs>(?:\s(?:{scales}))*)\b"
    )
    after = re.compile(rf"(?i)[\s-]?(?P<s>(?:{scales}))\b(?:\s(?P<t>(?:{scales}))\b)?")
    return written, vague, after


_A_UNIT = re.compile(r"(?i)an?\s(?=(?:giga|mega|tera)watts?\b|(?:exa|peta)flops?\b|(?:tera|peta|exa)bytes?\b)")


def _scale(words: str) -> float:
    scales = pack("en")["numerals"]["scales"]
    product = 1.0
    for word in re.split(r"[\s-]+", words.lower().strip(" -")):
        product *= scales.get(word, 1.0)
    return product


def english_words_at(text: str, at: int) -> Number | None:
    """An English numeral in words at `at`: `twenty-five`, `half a million`, `tens of billions of`, `several
    hundred`."""
    written, vague, _ = _english()
    raw = pack("en")["numerals"]
    single = _A_UNIT.match(text, at)
    if single:
        return Number(single.end() - 1, 1.0, None, None, "english")
    found = vague.match(text, at, at + _LONGEST)
    if found:
        if found["p"]:
            low, high = raw["plural"][found["p"].lower()]
            factor = _scale(found["s"][:-1]) if found["s"] else 1.0
            middle = {20: 50.0, 24: 48.0, 40: 60.0}.get(low, low * 2.5)
            return Number(found.end(), middle * factor, low * factor, high * factor, "english", factor)
        low, high = raw["vague"][found["few"].lower()]
        factor = _scale(found["fs"])
        return Number(
            found.end(),
            0.5 * (low + high) * factor if high < 9 else 5 * factor,
            low * factor,
            high * factor,
            "english",
            factor,
        )
    found = written.match(text, at, at + _LONGEST)
    if not found or found.end() == at:
        return None
    scales, tens = found["scales"], found["tens"]
    if not tens and (found["ones"] or not scales or not (found["half"] or found["a"])):
        return None
    value = float(raw["words"][tens.lower()]) if tens else 1.0
    end = found.end()
    if tens and found["ones"]:
        ones = raw["words"][found["ones"].lower()]
        if value >= 20 and ones < 10 and text[found.start("ones") - 1] == "-":
            value += ones
        else:
            end, scales = found.start("ones") - 1, ""
    factor = _scale(scales)
    return Number(end, value * factor * (0.5 if found["half"] else 1.0), None, None, "english", factor)


def _english_suffix(text: str, number: Number, money: bool) -> Number:
    """The English magnitude after digits: `7.5 billion`, `10bn`, `$3m`, `671B`."""
    found = _english()[2].match(text, number.end)
    if found:
        factor = _scale(found.group())
        return Number(found.end(), number.value * factor, None, None, "digits", factor)
    suffixes = pack("en")["numerals"]["suffixes"]
    at = number.end + 1 if text[number.end : number.end + 1] == " " and money else number.end
    for length in (3, 2, 1):
        suffix = text[at : at + length]
        if len(suffix) < length:
            continue
        following = text[at + length : at + length + 1]
        if suffix in suffixes and not (
            following and following.isascii() and (following.isalnum() or following in "_/")
        ):
            if not money and suffix in {"m", "b", "t", "mm", "MM", "T"}:
                continue
            factor = suffixes[suffix]
            return Number(at + length, number.value * factor, None, None, "digits", factor, suffix)
    return number


def number_at(text: str, at: int, money: bool = False) -> Number | None:
    """The numeral that starts at `at`, or None. `money`: a currency sign stands before it, so that `m` and `b` are
    magnitudes.

    `text` is plain (`_units.plain`).
    """
    character = text[at]
    if character.isdigit():
        digits = DIGITS.match(text, at)
        if digits is None:
            return None
        following = text[digits.end() : digits.end() + 2].lstrip(" ")[:1]
        for language in _MAGNITUDES.get(following, ()):
            number = _cjk(text, at, language)
            if number is not None and number.end > digits.end():
                return number
        power = _POWER.match(text, at)
        if power:
            base = float(power["base"]) if power["base"] else 1.0
            return Number(power.end(), base * 10.0 ** int(power["e"] or power["x"] or power["p"]), None, None, "digits")
        number = Number(digits.end(), float(digits.group().replace(",", "")), None, None, "digits")
        near = text[digits.end() : digits.end() + 2].lstrip(" -")[:1]
        return _english_suffix(text, number, money) if near.isascii() and near.isalpha() else number
    if "가" <= character <= "힣":
        return _hangul(text, at)
    if "一" <= character <= "鿿" or character == "〇":
        return _cjk(text, at, "zh")
    return english_words_at(text, at) if character.isalpha() else None


def _hangul(text: str, at: int) -> Number | None:
    pattern, native = _native()
    number = _cjk(text, at, "ko")
    if number is not None and (number.magnitude > 1 or number.vague or number.end - at > 1):
        return number
    found = pattern.match(text, at)
    if found:
        value = native[found.group()]
        if isinstance(value, list):
            return Number(found.end(), sum(value) / 2, float(value[0]), float(value[1]), "native")
        return Number(found.end(), float(value), None, None, "native")
    return number
