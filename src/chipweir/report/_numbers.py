"""Numbers, money and dates as readers of each language write them (CLDR by Babel)."""

import math
import re
from datetime import date

from babel.dates import format_date
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from chipweir.i18n import _, language


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MISSING = "–"


def significant(value: float, digits: int = 3) -> float:
    """`value` rounded to `digits` significant digits."""
    if not math.isfinite(value) or value == 0:
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def number(value: float | None, digits: int = 3) -> str:
    """A number with `digits` significant digits: 1.23M in English, 123만 in Korean."""
    if value is None or not math.isfinite(value):
        return MISSING
    rounded = significant(value, digits)
    step = 10_000 if language() == "ko" else 1_000
    if abs(rounded) < step:
        decimals = 0 if rounded == 0 else max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
        return _minus(format_decimal(rounded, format="#,##0." + "#" * min(decimals, 6), locale=language()))
    exponent = math.floor(math.log10(abs(rounded)))
    if exponent >= (16 if language() == "ko" else 15):
        return power_of_ten(rounded, digits)
    group = 4 if language() == "ko" else 3
    decimals = max(0, digits - 1 - exponent % group)
    text = format_compact_decimal(rounded, locale=language(), fraction_digits=decimals)
    return _minus(re.sub(r"(?<![\d,.])(\d)(\d{3})(?=\D|$)", r"\1,\2", text))


def whole(value: float) -> str:
    """A count in full: 1,000."""
    return _minus(format_decimal(round(value), format="#,##0", locale=language()))


def full(value: float | None) -> str:
    """A number as a datasheet has it: in full, up to six significant digits."""
    if value is None or not math.isfinite(value):
        return MISSING
    rounded = significant(value, 6)
    decimals = 0 if rounded == 0 else max(0, min(6, 5 - math.floor(math.log10(abs(rounded)))))
    return _minus(
        format_decimal(rounded, format="#,##0" + ("." + "#" * decimals if decimals else ""), locale=language())
    )


def share(value: float | None, digits: int = 0) -> str:
    """A share of one as per cent."""
    if value is None or not math.isfinite(value):
        return MISSING
    digits = 1 if digits == 0 and 0 < abs(value) < 0.1 else digits
    pattern = "#,##0." + "0" * digits + "%" if digits else "#,##0%"
    return _minus(format_percent(value, format=pattern, locale=language()))


def money(value: float | None, digits: int = 3) -> str:
    """US dollars: $1.23B in English, 12.3억 달러 in Korean."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = number(abs(value), digits)
    sign = "−" if value < 0 else ""
    if language() == "ko":
        space = " " if text[-1] in "만억조경" else ""
        return f"{sign}{text}{space}달러"
    return f"{sign}${text}"


def power_of_ten(value: float | None, digits: int = 2) -> str:
    """3.1×10²⁶, for training runs."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    mantissa = round(value / 10**exponent, digits - 1)
    if abs(mantissa) >= 10:
        mantissa, exponent = mantissa / 10, exponent + 1
    return _minus(f"{mantissa:.{digits - 1}f}×10{str(exponent).translate(_SUPERSCRIPT)}")


def quantity(value: float | None, kind: str, digits: int = 3) -> str:
    """A value of a headline kind: `count`, `share`, `ratio`, `usd`, `flop`, `months`."""
    match kind:
        case "share":
            return share(value)
        case "usd":
            return money(value, digits)
        case "flop":
            return power_of_ten(value)
        case _:
            return number(value, digits)


def signed(value: float | None, kind: str, digits: int = 2) -> str:
    """A difference with its sign; differences of shares are in percentage points."""
    if value is None or not math.isfinite(value):
        return MISSING
    sign = "+" if value > 0 else ""
    if kind == "share":
        return sign + _("{value} pp", value=number(100 * value, digits))
    return sign + quantity(value, kind, digits)


def interval(low: float, high: float, kind: str, digits: int = 2) -> str:
    """From low to high, both written in full: `2.1M – 3.8M`, in Korean `210만~380만`."""
    dash = "~" if language() == "ko" else " – "
    return quantity(low, kind, digits) + dash + quantity(high, kind, digits)


def day(value: date) -> str:
    """A date in the middle length of the language: 7 Oct 2022, 2022. 10. 7."""
    return format_date(value, format="medium" if language() == "ko" else "d MMM y", locale=language())


def scale(largest: float) -> tuple[float, str]:
    """(factor, word) by which an axis is divided so that its ticks stay short: (1e6, 'million') or (1e4, '만')."""
    steps = (
        ((1e12, "조"), (1e8, "억"), (1e4, "만"))
        if language() == "ko"
        else ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))
    )
    return next(((factor, word) for factor, word in steps if largest >= factor), (1.0, ""))


def _minus(text: str) -> str:
    return text.replace("-", "−")
