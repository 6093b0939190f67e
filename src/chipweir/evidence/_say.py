"""Numbers and messages in words, Korean or English, from records alone."""

import math
import re
from functools import cache
from typing import Any

from chipweir.evidence._frames import read_data
from chipweir.evidence._verdict import Number, Text
from chipweir.i18n import particles


_CURRENCY = {
    "USD": ("$", "달러"),
    "KRW": ("KRW ", "원"),
    "CNY": ("RMB ", "위안"),
    "EUR": ("€", "유로"),
    "JPY": ("¥", "엔"),
}
# Units that are told with a prefix where they are many: 96 GB, 1,979 TFLOP/s, 2 GW.
_PREFIXED = frozenset({"B", "B/s", "FLOP/s", "OP/s", "W", "Wh"})
_PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BIG_EN = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_UNITS = {
    "year": ("years", "년"),
    "month": ("months", "개월"),
    "day": ("days", "일"),
    "week": ("weeks", "주"),
    "layer": ("layers", "단"),
    "token": ("tokens", "토큰"),
    "parameter": ("parameters", "개 파라미터"),
    "chip": ("chips", "개"),
    "fab": ("fabs", "곳"),
    "rack": ("racks", "랙"),
    "point": ("points", "점"),
    "count": ("", "개"),
    "W": ("W", "W"),
    "kW": ("kW", "kW"),
    "TB": ("TB", "TB"),
    "GB": ("GB", "GB"),
    "GB/s": ("GB/s", "GB/s"),
    "TB/s": ("TB/s", "TB/s"),
    "TFLOP/s": ("TFLOP/s", "TFLOP/s"),
    "PFLOP/s": ("PFLOP/s", "PFLOP/s"),
    "EFLOP/s": ("EFLOP/s", "EFLOP/s"),
    "B": ("bytes", "바이트"),
    "B/s": ("B/s", "B/s"),
    "wafer/month": ("wafers a month", "장/월"),
    "per cm2": ("per cm²", "개/cm²"),
    "mm2": ("mm²", "mm²"),
    "1/year": ("a year", "/년"),
    "USD/1e6 token": ("per million tokens", "/100만 토큰"),
    "KRW/USD": ("KRW per USD", "원/달러"),
}


def number(value: float | None, unit: str, language: str = "en") -> str:
    """`value` in `unit` as people write it: $1 billion / 10억 달러, 70 % / 70%, 5.33x / 5.33배, 7 nm / 7나노."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "?"
    ko = language == "ko"
    if math.isinf(value):
        return "∞"
    if unit == "fraction":
        return f"{digits(value * 100)}%"
    if unit == "percent":
        return f"{digits(value)}%"
    if unit == "ratio":
        return f"{digits(value)}배" if ko else f"{digits(value)}x"
    if unit == "m":
        return f"{digits(value * 1e9)}나노" if ko else f"{digits(value * 1e9)} nm"
    if unit == "USD/1e6 token":
        return f"100만 토큰당 {number(value, 'USD', 'ko')}" if ko else f"{number(value, 'USD')} per million tokens"
    if unit in _PREFIXED and abs(value) >= 1e4:
        size, prefix = next((s, p) for s, p in _PREFIXES if abs(value) >= s)
        return f"{digits(value / size, 4)} {prefix}{unit}"
    if unit in _CURRENCY:
        return money(value, unit, language)
    if unit == "year_of":
        return f"{value:.0f}"
    if not unit:
        return digits(value)
    if unit == "parameter" and ko:
        return f"파라미터 {myriads(value)} 개"
    name = _UNITS.get(unit, (unit, unit))[1 if ko else 0]
    plain = myriads(value) if ko else big(value)
    glued = ko and unit in {
        "year",
        "month",
        "day",
        "week",
        "layer",
        "point",
        "count",
        "chip",
        "fab",
        "rack",
        "parameter",
    }
    return f"{plain}{'' if glued or not name or name.startswith('/') else ' '}{name}".strip()


def money(value: float, currency: str, language: str) -> str:
    """An amount of money: $8.4 billion, KRW 1.388 trillion; 84억 달러, 1조3,880억 원."""
    mark, name = _CURRENCY[currency]
    if language == "ko":
        return f"{myriads(value)} {name}" if abs(value) >= 1e4 else f"{digits(value)}{name}"
    sign = "-" if value < 0 else ""
    return f"{sign}{mark}{big(abs(value))}"


def myriads(value: float) -> str:
    """A number grouped by 만, 억 and 조, four significant figures: 1조3,880억, 2억4,700만, 384."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    if size < 1e4:
        return sign + digits(size)
    exact = size == int(size) and size < 1e8
    step = 1 if exact else 10 ** max(0, math.floor(math.log10(size)) - (3 if size == int(size) else 2))
    whole = int(round(size / step) * step)
    parts = []
    for magnitude, name in ((10**12, "조"), (10**8, "억"), (10**4, "만")):
        count, whole = divmod(whole, magnitude)
        if count:
            parts.append(f"{count:,}{name}")
    if whole:
        parts.append(f"{whole:,}")
    return sign + "".join(parts)


def big(value: float) -> str:
    """A number with million, billion or trillion where it is that large; four significant figures."""
    if value == int(value) and 1e6 <= abs(value) < 1e7 and value % 1e4:
        return f"{value:,.0f}"
    for size, name in _BIG_EN:
        if abs(value) >= size:
            return f"{digits(value / size, 4)} {name}"
    return digits(value)


def digits(value: float, figures: int = 3) -> str:
    """A number to `figures` significant figures, whole numbers in full, thousands grouped, no trailing zeros."""
    if value == 0:
        return "0"
    if abs(value) >= 1000 and value == int(value) and abs(value) < 1e7:
        return f"{value:,.0f}"
    if abs(value) >= 1000:
        step = 10 ** max(0, math.floor(math.log10(abs(value))) - 3)
        return f"{round(value / step) * step:,.0f}"
    decimals = max(0, figures - math.floor(math.log10(abs(value))) - 1)
    text = f"{value:.{min(decimals, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def interval(low: float | None, high: float | None, unit: str, language: str = "en") -> str:
    """A range in words; one number where both ends agree."""
    if low is None or high is None or low == high:
        return number(low if low is not None else high, unit, language)
    if math.isinf(high):
        return f"{number(low, unit, language)} 이상" if language == "ko" else f"at least {number(low, unit, language)}"
    dash = "~" if language == "ko" else "–"
    if unit in {"fraction", "percent", "ratio", "m"}:
        factor = {"fraction": 100.0, "m": 1e9}.get(unit, 1.0)
        return f"{digits(low * factor)}{dash}{number(high, unit, language)}"
    name = _UNITS.get(unit, ("", ""))[1 if language == "ko" else 0]
    start, end = number(low, unit, language), number(high, unit, language)
    if name and start.endswith(name):
        start = start[: -len(name)].rstrip()
    return f"{start}{dash}{end}"


def of(record: Number, language: str = "en") -> str:
    """A number of a verdict in words, with its range where it has one."""
    if record.low is not None and record.high is not None and record.low != record.high:
        return interval(record.low, record.high, record.unit, language)
    return number(record.value, record.unit, language)


@cache
def messages() -> dict[str, dict[str, str]]:
    """The message texts by key and language."""
    texts: dict[str, dict[str, str]] = read_data("messages.yaml")
    return texts


def say(text: Text, language: str = "en") -> str:
    """`text` in words. Arguments that are numbers with units are written as people write them."""
    template = messages()[text.key][language]
    filled = template.format(**{name: _word(value, language) for name, value in text.args.items()})
    return particles(filled) if language == "ko" else filled


_SPAN = re.compile(r"\d{4}\S* to \d{4}\S*")


def _word(value: Any, language: str) -> str:
    if isinstance(value, Number):
        return of(value, language)
    if isinstance(value, Text):
        return say(value, language)
    if isinstance(value, tuple | list):
        return ", ".join(_word(item, language) for item in value)
    if isinstance(value, float) and not isinstance(value, bool):
        return digits(value)
    korean = getattr(value, "ko", "")
    if language == "ko" and korean:
        return str(korean)
    if language == "ko" and isinstance(value, str) and _SPAN.fullmatch(value):
        return value.replace(" to ", "~")
    if isinstance(value, str) and value in terms():
        return terms()[value][language]
    return str(value)


@cache
def terms() -> dict[str, dict[str, str]]:
    """Words for statuses, slots, frames and other fixed terms, by language."""
    from chipweir.evidence._frames import templates

    labels = {f"frame:{name}": dict(template.label) for name, template in templates().items()}
    return {**labels, **read_data("terms.yaml")}


def term(name: str, language: str) -> str:
    """The word for a fixed term; the term itself where none is known."""
    return terms().get(name, {}).get(language, name)
