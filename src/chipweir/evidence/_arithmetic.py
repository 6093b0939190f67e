"""The article's own figures against each other: unit price times number, sums, parts of a whole, changes in per cent.

Only figures that stand together (one paragraph, two sentences) are tried, only where words say which operation is meant,
and only those of one unit. A product or sum that holds is support; one that is far off is a fault of the article.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chipweir.evidence._compare import claimed
from chipweir.evidence._page import Page
from chipweir.text import Quantity


_SUM = re.compile(
    r"더하면|합치면|합하면|합쳐|모두 합|합계|총합|"
    r"\b(?:adding|added to|together|in all|combined|in total|brings? the total)\b|"
    r"加上|合计|合計|总计|總計|共计|共計"
)
_EACH = re.compile(
    r"(?:씩|한 장에|한 대에|개당|장당|대당|1장에|1대에)|\b(?:each|apiece|per (?:chip|card|unit|GPU|server|rack))\b|"
    r"每(?:张|張|颗|顆|台|块|塊|片|套)|单价|單價"
)
_CHANGE = re.compile(
    r"에서[^.]{0,12}(?:로|으로)|\bfrom\b[^.]{0,40}\bto\b|(?:从|從|由)[^。]{0,24}(?:至|到|增至|降至|升至)"
)
_RIGHT, _WRONG = 0.02, 0.1
_REACH = 1


@dataclass(frozen=True, slots=True)
class Sum:
    """An operation among the article's figures: the result's index, its parts, what it should be and whether it is."""

    result: int
    parts: tuple[int, ...]
    expected: float
    holds: bool
    how: str


def sums(page: Page) -> list[Sum]:
    """The operations that the words of an article call for, with whether they hold."""
    found: dict[int, Sum] = {}
    for number, sentence in enumerate(page.sentences):
        if sentence.dropped:
            continue
        for one in (*_products(page, number), *_additions(page, number), *_changes(page, number)):
            if one.result not in found or one.holds:
                found[one.result] = one
    return list(found.values())


def _numbers(page: Page, sentence: int) -> list[int]:
    quantities = page.found.quantities
    return [
        index
        for index in page.places["quantities"][sentence]
        if isinstance(quantities[index].value, int | float)
        and quantities[index].type not in {"date", "idiom", "ordinal-label", "rank"}
        and "label" not in quantities[index].flags
    ]


def _products(page: Page, sentence: int) -> Iterator[Sum]:
    """Number times unit price: 5만 장 x 4000만 원 = 2조 원."""
    if not _EACH.search(page.words(sentence)):
        return
    here = _numbers(page, sentence)
    quantities = page.found.quantities
    counts = [
        i for i in here if quantities[i].type == "count" and quantities[i].unit == "count" and not quantities[i].basis
    ]
    money = [i for i in here if quantities[i].type == "money"]
    if len(counts) != 1 or len(money) != 2 or quantities[money[0]].unit != quantities[money[1]].unit:
        return
    small, large = sorted(money, key=lambda i: float(quantities[i].value or 0))
    expected = _value(quantities[counts[0]]) * _value(quantities[small])
    yield _sum(page, large, (counts[0], small), expected, "product")


def _additions(page: Page, sentence: int) -> Iterator[Sum]:
    """Parts that are said to make a whole: the last figure of the sentence is the sum of the one before and of the first
    of the same unit in the sentence before it."""
    if not _SUM.search(page.words(sentence)):
        return
    here = _numbers(page, sentence)
    quantities = page.found.quantities
    for unit in dict.fromkeys(quantities[i].unit for i in here):
        same = [i for i in here if quantities[i].unit == unit and not quantities[i].basis]
        if unit in {"ratio", "year", "month", "day"} or len(same) < 2:
            continue
        total, parts = same[-1], same[:-1]
        if max(_value(quantities[i]) for i in same) != _value(quantities[total]):
            continue
        options = [tuple(parts)]
        for back in range(1, _REACH + 1):
            if sentence >= back and page.sentences[sentence - back].paragraph == page.sentences[sentence].paragraph:
                before = [i for i in _numbers(page, sentence - back) if quantities[i].unit == unit]
                options += [(one, *parts) for one in before]
        if len(parts) == 1:
            options = options[1:]
        tried = [_sum(page, total, option, sum(_value(quantities[i]) for i in option), "sum") for option in options]
        yield from [one for one in tried if one.holds][:1] or tried[:1]


def _changes(page: Page, sentence: int) -> Iterator[Sum]:
    """From X to Y, up Z per cent."""
    if not _CHANGE.search(page.words(sentence)):
        return
    here = _numbers(page, sentence)
    quantities = page.found.quantities
    shares = [i for i in here if quantities[i].type == "percent"]
    for unit in dict.fromkeys(quantities[i].unit for i in here if quantities[i].type != "percent"):
        levels = [i for i in here if quantities[i].unit == unit]
        if len(levels) != 2 or len(shares) != 1 or unit in {"ratio", "year", "quarter", "month"}:
            continue
        first, last = levels
        between = page.text[quantities[first].end : quantities[last].start]
        if not re.search(r"에서|\bto\b|至|到", between) or not _value(quantities[first]):
            continue
        change = _value(quantities[last]) / _value(quantities[first]) - 1
        said = _value(quantities[shares[0]])
        expected = abs(change) if said > 0 and quantities[shares[0]].change != "fall" else change
        yield _sum(page, shares[0], (first, last), expected, "change")


def _value(figure: Quantity) -> float:
    return float(figure.value) if isinstance(figure.value, int | float) else float("nan")


def _sum(page: Page, result: int, parts: Sequence[int], expected: float, how: str) -> Sum:
    low, high = claimed(page.found.quantities[result])
    slack = abs(expected) * (_RIGHT if how != "change" else 0.03)
    return Sum(result, tuple(parts), expected, low - slack <= expected <= high + slack, how)


def is_wrong(one: Sum, said: float) -> bool:
    """Whether a result is so far from what its parts give that no rounding explains it."""
    return not one.holds and abs(said - one.expected) > _WRONG * max(abs(one.expected), 1e-12)
