"""A figure at a place in the text: its numeral with its unit, with the noun counted, or with its range's other end.

What numeral and unit make sense together is decided here; `_quantities` reads the words beside the figure.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from chipweir.text import _context as context
from chipweir.text._numerals import Number, number_at
from chipweir.text._units import Unit, pack, unit_at


_SYMBOL = re.compile(
    r"(?:新[台臺][币幣]|人民[币幣]|港[币幣]|美金|US\s?\$|HK\$|NT\$|CN¥|JP¥|S\$|A\$|C\$|RMB\s?|Rmb\s?|(?<![A-Za-z])(?:USD"
    r"|CNY|KRW|EUR|JPY|GBP|TWD|HKD)\s?|[$€£¥₩])\s?$"
)
_CONNECTOR = re.compile(r"\s?(?:~|～|∼|〜|-|–|—|−|至|到|to\s|and\s|or\s|에서\s)\s?")
_MORE = re.compile(r"(?:\s?(?:여|余|餘)(?=\s?[가-힣一-鿿A-Za-z])|多(?=[一-鿿])|\+|-odd\b|-plus\b)")
_FRACTION = re.compile(r"\s?(?:분의\s?|分之)")
_WORD = re.compile(r"\s([A-Za-z][\w'’-]*)")
_NOUN = re.compile(r"\s([가-힣]{1,8})")
_PARTICLES = re.compile(r"(?:이라고|으로|에서|까지|부터|에게|에는|에도|이나|을|를|이|가|은|는|의|에|와|과|로|도|만)$")
_INCREMENT = re.compile(
    r"^\s?(?:이상|넘게|가량|정도|나|더|쯤)?\s?(?:나\s)?(?:더\s)?(?:증가|늘|급증|확대|성장|많|높|빨|빠르|커|오르|올랐|뛰|more\b|higher\b|gre"
    r"ater\b|faster\b|larger\b|increase|growth|rise)"
)
_INCREMENT_ZH = re.compile(r"(?:增长|增長|增加|提高|提升|扩大|擴大|上涨|上漲|增)(?:了|约|約|近|超过|超過|逾)*$")
_SCORE_BEFORE = re.compile(
    r"(?i)(?:\bscor(?:ed?|es|ing)|\bscore of|\brating of|得分|分数|分數|成绩|成績)\s?(?:of\s|was\s|is\s|a\s|"
    r"为|為|达|達|:)?\s?$"
)
_SCORE_AFTER = re.compile(r"^(?:을|를)\s(?:기록|받|얻|획득)")
_PER_ONE = re.compile(
    r"\s?(?:[가-힣]{1,4}당(?=[\s,.]|$)|(?:개|장|대)\s?(?:가격|값|단가|의\s?(?:가격|값|용량|무게|면적|성능|크기|전력)|에\s|(?:이|가|은|는)?\s(?:약|최대|최소|무려)?\s?(?=\d)))"
)
_ARTICLE = re.compile(r"(?:법|제|조약|헌법|규칙|시행령|협정)\s?$")
_NAME_BEFORE = re.compile(
    r"(?<![.!?:;\n\"“”'’(] )(?<!^)\b(?!(?:The|A|An|Its|About|With|Some|Only|All|These|Those|In|On|At|By|Fo"
    r"r|Of|And|Or|Over|Nearly|Almost|Around|Roughly|Just|Each|Every|Another|From|To|That|Than|Their|Is|Was"
    r"|Has|Had|Up)\b)[A-Z][A-Za-z]+\s$"
)
_MILLIONS = re.compile(
    r"\s(?!(?:long|wide|tall|high|deep|thick|away|above|below|from|by|x|of|and|in|at|to|the|per|apart|or|i"
    r"s|was|on|for|with)\b)"
    r"[a-z]{3,}"
)
_PART_OF = re.compile(r"\sof\s(?:the|its|their|his|her|our|these|those|them|which|\d)")
_FACTOR = re.compile(r"(?i)\bfactor of\s(?:about\s|around\s|up to\s|nearly\s|at least\s)?$")
_TIMES_SIGN = re.compile(r"\s[xX×](?!\s(?:faster|more|as|the|higher|lower|larger|better|cheaper|that|what|its)\b)")
_TENTHS = "〇一二三四五六七八九"
_COMPUTER_SIZES = {4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0}
_LONGEST_SUFFIX = re.compile(
    r"^[\s-]?(?:[가-힣]{0,3}\s)?(?:tokens?|token|param|파라미터|매개변수|파라메터|토큰|개의?\s(?:토큰|파라미터)|参数|參數|词元|詞元|context|컨텍스트|上下文)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A numeral with its unit, before the words beside it are read."""

    start: int
    end: int
    number: Number
    unit: Unit | None
    type: str
    unit_name: str
    value: float
    low: float | None
    high: float | None
    basis: str = ""
    more: bool = False
    flags: tuple[str, ...] = ()


def word_reading(text: str, trigger: re.Match[str]) -> list[Reading]:
    word = re.sub(r"\s+", " ", trigger.group().lower())
    for language in ("en", "zh", "ko"):
        spell = pack(language)["durations"].get(word)
        if spell:
            number = Number(trigger.end(), float(spell[0]), None, None, "word")
            return [Reading(trigger.start(), number.end, number, None, "duration", spell[1], number.value, None, None)]
        for name, kind, unit in (
            ("multiples", "multiple", "ratio"),
            ("fractions", "fraction", "fraction"),
            ("ranks", "rank", "rank"),
            ("both", "count", "count"),
        ):
            value = pack(language).get(name, {}).get(word)
            if value is None:
                continue
            end = trigger.end()
            if name == "both":
                noun = re.compile(r"\s?[가-힣]{1,8}(?:\s[가-힣]{1,6})?").match(text, end)
                end = noun.end() - len(_particle(noun.group())) if noun else end
            number = Number(end, float(value), None, None, "word")
            return [Reading(trigger.start(), end, number, None, kind, unit, float(value), None, None)]
    return []


def _particle(word: str) -> str:
    found = _PARTICLES.search(word)
    return found.group() if found and found.start() > 1 else ""


def readings_at(text: str, start: int, language: str) -> list[Reading]:
    """The figure at `start`: one reading, or two where a range turns out to be two figures; none if it is no figure."""
    if text.startswith("百分之", start):
        number = number_at(text, start + 3) if start + 3 < len(text) else None
        return [_plain_fraction(start, number.end, number, number.value / 100, "percent")] if number else []
    symbol = _SYMBOL.search(text[max(0, start - 6) : start])
    number = number_at(text, start, bool(symbol))
    if number is None:
        return []
    parts = _FRACTION.match(text, number.end)
    below = number_at(text, parts.end()) if parts and parts.end() < len(text) else None
    if below and number.value:
        return [_of_parts(text, start, number, below)]
    if _is_basis(text, start, number):
        return []
    first = start - len(symbol.group()) if symbol else start
    number = _with_k(text, start, number, bool(symbol))
    second = _second(text, number, bool(symbol), first)
    if second:
        return _range(text, first, number, second, language, symbol.group() if symbol else "")
    return _single(text, first, start, number, language, symbol.group() if symbol else "")


def _is_basis(text: str, start: int, number: Number) -> bool:
    """Whether a lone one (`1개당`) or a spelled number (`每百万tokens`) only says per what a price is."""
    if number.script == "chinese" and text[start - 1 : start] == "每":
        return True
    return number.value == 1 and _PER_ONE.match(text, number.end) is not None


def _plain_fraction(start: int, end: int, number: Number, value: float, kind: str) -> Reading:
    return Reading(start, end, number, None, kind, "fraction", rounded(value), None, None)


def rounded(value: float) -> float:
    """Rid of the tails that decimal scales leave in binary."""
    return float(f"{value:.12g}")


def _of_parts(text: str, start: int, whole: Number, part: Number) -> Reading:
    """`3분의 1`, `三分之一`, `10억분의 1m`."""
    ratio = part.value / whole.value
    unit = unit_at(text, part.end)
    if unit and unit[0].type == "length":
        return Reading(start, unit[1], whole, unit[0], "length", "m", rounded(ratio * unit[0].scale), None, None)
    return _plain_fraction(start, part.end, part, ratio, "fraction")


def _with_k(text: str, start: int, number: Number, money: bool) -> Number:
    """Takes back a magnitude letter that is part of something else (`8 M`), and gives `T`, `M` of tokens and
    parameters theirs."""
    if money or number.suffix or number.script != "digits" or number.magnitude != 1:
        return number
    letter = text[number.end : number.end + 1]
    size = {"T": 1e12, "t": 1e12, "m": 1e6, "b": 1e9}.get(letter)
    if letter in {"m", "b"} and size and _MILLIONS.match(text, number.end + 1):
        return replace(number, end=number.end + 1, value=number.value * size, magnitude=size)
    if size and _LONGEST_SUFFIX.match(text, number.end + 1):
        return replace(number, end=number.end + 1, value=number.value * size, magnitude=size, suffix=letter.upper())
    return number


@dataclass(frozen=True, slots=True)
class _Second:
    connector: str
    unit: tuple[Unit, int] | None
    number: Number
    symbol: bool


def _second(text: str, number: Number, money: bool, first: int) -> _Second | None:
    """The second half of a range, if one follows."""
    if number.script in {"english", "native"} and not text[number.end : number.end + 4].strip().startswith(
        ("to", "and", "or", "~", "-")
    ):
        return None
    unit = unit_at(text, number.end)
    for at, own in ((unit[1] if unit else None, unit), (number.end, None)):
        if at is None:
            continue
        link = _CONNECTOR.match(text, at)
        if not link:
            continue
        here = link.end()
        symbol = re.compile(r"(?:US\$|HK\$|[$€£¥₩])\s?").match(text, here)
        here = symbol.end() if symbol else here
        if here >= len(text) or not (text[here].isdigit() or "一" <= text[here] <= "鿿" or text[here].isalpha()):
            continue
        other = number_at(text, here, money or bool(symbol))
        if other is None or (
            other.script != number.script and "digits" in {other.script, number.script} and other.script != "chinese"
        ):
            continue
        joined = link.group().strip()
        if joined == "or" and not (own is None and number.value < other.value <= number.value + 2):
            return None
        return _Second(joined, own, other, bool(symbol))
    return None


def _range(text: str, first: int, number: Number, second: _Second, language: str, symbol: str) -> list[Reading]:
    one = _single(text, first, first + len(symbol), number, language, symbol)
    before = text[max(0, first - 12) : first]
    word = second.connector in {"to", "and", "에서", "到", "至"}
    moved = bool(re.search(r"(?i)\bfrom\s$|(?:从|從|由)\s?$", before)) or second.connector == "에서"
    between = bool(re.search(r"(?i)\bbetween\s$|介于$|在$", before)) or second.connector != "and"
    start = second.number.end
    if word and (moved or not between):
        return one if one else _borrowed(text, first, number, second, language, symbol)
    if second.connector in {"-", "–", "—"} and second.unit and second.number.script != "digits":
        return one
    low_number = number
    if (
        number.magnitude == 1
        and second.number.magnitude > 1
        and second.unit is None
        and not (number.suffix and not symbol)
    ):
        low_number = replace(number, value=number.value * second.number.magnitude, magnitude=second.number.magnitude)
    whole = _single(
        text,
        first,
        start,
        _with_k(text, start, second.number, bool(symbol)),
        language,
        symbol or ("$" if second.symbol else ""),
    )
    if not whole:
        return one
    high = whole[0]
    scale = high.unit.scale if high.unit else 1.0
    low_unit = second.unit[0] if second.unit else high.unit
    if second.unit and (low_unit is None or low_unit.type != high.type):
        return one
    low = rounded(low_number.value * (low_unit.scale if low_unit else scale))
    if not low < high.value:
        return one
    return [
        replace(
            high,
            start=first,
            value=rounded((low + high.value) / 2),
            low=low,
            high=high.value,
            flags=(*high.flags, "range"),
        )
    ]


def _borrowed(text: str, first: int, number: Number, second: _Second, language: str, symbol: str) -> list[Reading]:
    """`from 10 to 20 percent`: the first figure takes the unit of the second."""
    whole = _single(text, second.number.end, second.number.end, second.number, language, symbol)
    if not whole or not whole[0].unit:
        return []
    unit = whole[0].unit
    return [
        Reading(first, number.end, number, unit, unit.type, unit.unit, rounded(number.value * unit.scale), None, None)
    ]


def _single(text: str, first: int, start: int, number: Number, language: str, symbol: str) -> list[Reading]:
    """A figure without a range."""
    end, more = number.end, number.at_least
    extra = _MORE.match(text, end)
    if extra:
        end, more = extra.end(), True
    unit = unit_at(text, end)
    if symbol:
        currency = pack("en")["symbols"].get(symbol.strip().replace(" ", ""), "USD")
        if unit and unit[0].type == "money":
            end = unit[1]
        return [
            Reading(
                first, end, number, None, "money", currency, rounded(number.value), number.low, number.high, more=more
            )
        ]
    if unit and _sensible(text, start, number, unit[0], end):
        return [_with_months(text, _with_unit(text, first, number, unit[0], unit[1], more))]
    return _without_unit(text, first, number, end, more, language)


_CONSECUTIVE = re.compile(r"(?:连续|連續|过去|過去|近|最近)$")


def _sensible(text: str, start: int, number: Number, unit: Unit, end: int) -> bool:
    """Whether a numeral of this script may stand with this unit."""
    if (
        unit.unit == "quarter"
        and text.startswith("季", end)
        and not _CONSECUTIVE.search(text[max(0, start - 4) : start])
    ):
        return False
    if number.script == "digits":
        separate = text[end : end + 1] == " "
        if separate and unit.type == "multiple" and _TIMES_SIGN.match(text, end):
            return False
        if (
            unit.unit == "m"
            and text[end : end + 1] in "mM"
            and number.magnitude > 1
            and unit.scale == 1
            and unit.language == "en"
        ):
            return not separate
        return not (
            unit.language == "zh"
            and unit.type == "count"
            and unit.unit == "count"
            and separate
            and text[end + 1 : end + 2] in "大方地所部起股"
        )
    if number.script == "native":
        form = text[end : end + 6].lstrip()
        if unit.language != "ko" or (unit.type == "ordinal-label" and number.value == 1 and not number.vague):
            return False
        if unit.type == "rank" and text[number.end : number.end + 1] != " ":
            return False
        return number.value != 1 or number.vague or form.startswith(tuple(pack("ko")["one_counters"]))
    if number.script == "hangul":
        plain_one = number.end - start == 1 and not number.vague
        return unit.language in {"ko", "en"} and not plain_one and not (number.vague and unit.type in {"rank", "score"})
    if number.script == "chinese":
        if unit.language == "en" and unit.type not in {"count", "length", "power", "memory"}:
            return False
        if number.value == 1 and not number.vague:
            return text[end : end + 2].startswith(tuple(pack("zh")["one_units"]))
        return not (text[start] in "百千万" and unit.type == "count" and end - start == 1)
    if unit.language != "en":
        return False
    return not (
        number.value == 1 and number.magnitude == 1 and unit.type not in {"duration", "power", "compute", "memory"}
    ) and not (number.value == 1 and unit.unit in {"day", "hour", "minute"} and number.magnitude == 1)


_MONTHS_MORE = re.compile(r"\s?(?:and\s)?(?:零|又)?(?P<n>\d{1,2})\s?(?:개월|个月|個月|months?\b)")


def _with_months(text: str, found: Reading) -> Reading:
    """`1년 8개월`, `2 years and 3 months` as months."""
    rest = _MONTHS_MORE.match(text, found.end)
    if found.unit_name != "year" or not rest or found.number.vague or found.value != int(found.value):
        return found
    months = 12 * found.value + int(rest["n"])
    return replace(found, end=rest.end(), unit_name="month", value=months)


def _with_unit(text: str, first: int, number: Number, unit: Unit, end: int, more: bool) -> Reading:
    kind, name = unit.type, unit.unit
    value, low, high = (
        None if item is None else rounded(item * unit.scale) for item in (number.value, number.low, number.high)
    )
    assert value is not None
    flags: tuple[str, ...] = ()
    if (
        kind == "ordinal-label"
        and number.script == "native"
        and not text.startswith("번째", number.end + (text[number.end : number.end + 1] == " "))
    ):
        kind, name = "count", "count"
    if kind == "multiple":
        repeated = re.match(r"\s(?:a|this|per|in|since|over|last|during|daily|weekly)\b", text[end : end + 8])
        if unit.language == "en" and text[number.end : end].strip() == "times" and repeated:
            kind, name = "count", "count"
        elif unit.language == "zh" and number.value == 1 and _INCREMENT_ZH.search(text[max(0, first - 8) : first]):
            value = 2.0
        elif _INCREMENT.match(text[end : end + 16]) or (
            unit.language == "zh" and _INCREMENT_ZH.search(text[max(0, first - 8) : first])
        ):
            flags = ("increment-or-factor",)
    if kind == "fraction" and text[end : end + 1] in tuple(_TENTHS) and unit_at(text, end + 1) is None:
        value, end = rounded(value + 0.01 * _TENTHS.index(text[end])), end + 1
    if kind == "duration" and number.vague:
        flags = ("vague",)
    if name == "token" and number.suffix in {"K", "M"}:
        value, low, high = _context_length(number)
    if kind == "duration" and re.match(r"(?:여|余|多)", text[end : end + 1]):
        more, end = True, end + 1
    if kind == "duration" and re.search(r"[여多余餘]", text[number.end : end]):
        more = True
    return Reading(first, end, number, unit, kind, name, value, low, high, unit.basis, more, flags)


def _context_length(number: Number) -> tuple[float, float | None, float | None]:
    """512K tokens are 524,288 where 512 is a power of two; 200K are 200,000."""
    written = number.value / number.magnitude
    if number.suffix == "K" and written in _COMPUTER_SIZES:
        return written * 1024, number.value, written * 1024
    if number.suffix == "M" and written in {1.0, 2.0, 4.0}:
        return number.value, number.value, written * 1024 * 1024
    return number.value, None, None


def _without_unit(text: str, first: int, number: Number, end: int, more: bool, language: str) -> list[Reading]:
    """A numeral with no unit of the packs: counts of nouns, sizes of models, scores, bare amounts."""

    def reading(kind: str, unit: str, stop: int = end, flags: tuple[str, ...] = ()) -> list[Reading]:
        return [
            Reading(
                first, stop, number, None, kind, unit, rounded(number.value), number.low, number.high, "", more, flags
            )
        ]

    if number.script == "native":
        return _native_count(text, first, number)
    if number.script == "digits":
        return _digits_alone(text, first, number, end, language, reading)
    if number.script == "english":
        word = _WORD.match(text, end)
        lone = number.value == 1 and number.magnitude == 1
        if not lone and not number.vague and _PART_OF.match(text, end):
            return reading("count", "count")
        if lone or not word or word.group(1).lower() in pack("en")["not_counts"]:
            large = number.magnitude >= (1000 if number.vague else 100)
            return reading("count", "count") if large and not lone else []
        if number.vague and number.magnitude < 100 and number.value < 40:
            return []
        return reading("count", "count", word.end())
    if number.script == "chinese" and number.magnitude >= 1e4 and number.end - first > 1:
        noun = context.counted(text, first, end)
        return reading("count", noun or "count") if noun else []
    if number.script == "hangul" and number.magnitude >= 1e8:
        return reading("money", pack("ko")["implied_currency"], end, ("unit-implied",))
    return []


def _native_count(text: str, first: int, number: Number) -> list[Reading]:
    noun = _NOUN.match(text, number.end)
    one = number.value == 1 and not number.vague
    if not noun or one or text.startswith(tuple(pack("ko")["not_nouns"]), noun.start(1)) or number.end - first > 3:
        return []
    if text[first : number.end] in {"석", "서", "넉", "하나", "둘"}:
        return []
    end = noun.end() - len(_particle(noun.group(1)))
    return [Reading(first, end, number, None, "count", "count", number.value, number.low, number.high)]


def _digits_alone(
    text: str, first: int, number: Number, end: int, language: str, reading: Callable[..., list[Reading]]
) -> list[Reading]:
    before, after = text[max(0, first - 24) : first], text[end : end + 24]
    written = text[first : number.end]
    if written.endswith("조") and _ARTICLE.search(before):
        article = number.value / number.magnitude
        return [
            Reading(first, end, number, None, "ordinal-label", "rank", rounded(article), None, None, flags=("article",))
        ]
    if number.suffix in {"K", "M"} and context.of_context(text, first, end):
        value, low, high = _context_length(number)
        return [Reading(first, end, number, None, "count", "token", value, low, high)]
    noun = context.counted(text, first, end)
    if noun and number.magnitude > 1:
        return reading("count", noun)
    if number.suffix in {"B", "T"}:
        return reading("count", "parameter")
    if _SCORE_BEFORE.search(before) or (_SCORE_AFTER.match(after) and "." in written):
        return reading("score", "point")
    if number.magnitude >= 1e8 and written.endswith(("억", "조")):
        return reading("money", pack("ko")["implied_currency"], end, ("unit-implied",))
    if _FACTOR.search(before):
        return reading("multiple", "ratio")
    word = _WORD.match(text, end)
    if _PART_OF.match(text, end):
        return reading("count", "count")
    if number.magnitude > 1 and not written.endswith(("K", "M")):
        return reading("count", "count")
    if not word or word.group(1).lower() in pack("en")["not_counts"] or _NAME_BEFORE.search(before):
        return reading("number", "count") if "," in written and not _NAME_BEFORE.search(before) else []
    last = before.rstrip().rsplit(" ", 1)[-1].lower()
    if last in pack("en")["not_words_before"] or (first and text[first - 1] in "-/.#&_"):
        return []
    return reading("count", "count") if float(number.value).is_integer() else reading("number", "count")
