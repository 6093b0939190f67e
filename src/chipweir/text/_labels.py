"""Numbers that name a place in a list: `1.`, `#2`, `Part 3:`, `①`, `第三代`, `No. 1`."""

import re

from chipweir.text._document import Quantity


_LABELS = (
    (re.compile(r"(?m)^[ \t]{0,8}(?:[-*] )?(?P<all>(?P<n>\d{1,2})[.)])(?=[ \t]+\D)"), "ordinal-label"),
    (re.compile(r"(?<![\w&#])(?P<all>#(?P<n>\d{1,3}))(?![\w])"), "ordinal-label"),
    (re.compile(r"(?P<all>\b(?:[A-Z][a-z]{2,12} ){1,2}(?P<n>\d{1,2}))(?=\s?:\s)"), "ordinal-label"),
    (re.compile(r"(?P<all>\b(?:No\.|Number|number|№) ?(?P<n>\d{1,3}))\b"), "rank"),
    (re.compile(r"(?i)(?P<all>\btop[ -](?P<n>\d{1,3}|two|three|four|five|ten))\b"), "rank"),
    (re.compile(r"(?P<all>\b(?P<n>\d{1,3})(?:st|nd|rd|th))\b(?!\s(?:century|quarter))"), "rank"),
)
_CHINESE = (
    (
        re.compile(
            r"(?P<all>(?:排名|位居|位列|居)?(?:全球|世界|全国|国内|業界|行业)?第(?P<n>\d{1,3}|[一二三四五六七八九十]{1,3})(?:位|名|大))(?!股东)"
        ),
        "rank",
    ),
    (re.compile(r"(?P<all>(?:排名|位居|位列)(?:全球|世界|全国|国内)?第(?P<n>\d{1,3}|[一二三四五六七八九十]))"), "rank"),
    (re.compile(r"(?P<all>第(?P<n>\d{1,2}|[一二三四五六七八九十]{1,3})(?:代|届|屆|期|轮|輪|批|阶段|階段|次))"), "rank"),
)
_CIRCLED = re.compile(r"[①-⑳]")
_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "ten": 10}


def find_labels(text: str) -> list[Quantity]:
    """List marks, headings' numbers, ranks and generations written without a unit word of the packs, in no order;
    they do not overlap."""
    found: list[Quantity] = []
    taken: set[int] = set()
    for pattern, kind in (*_LABELS, *(_CHINESE if "第" in text else ())):
        for match in pattern.finditer(text):
            start, end = match.span("all")
            if start in taken or any(place in taken for place in (match.start("n"), end - 1)):
                continue
            taken.update(range(start, end))
            found.append(_label(text, start, end, _value(match["n"]), kind))
    found.extend(
        _label(text, mark.start(), mark.end(), ord(mark.group()) - 0x245F, "ordinal-label")
        for mark in _CIRCLED.finditer(text)
    )
    return found


def _label(text: str, start: int, end: int, value: int, kind: str) -> Quantity:
    flags = ("label",) if kind == "ordinal-label" else ()
    return Quantity(start, end, text[start:end], kind, value, None, None, "rank", flags=flags)


def _value(word: str) -> int:
    if word.isdigit():
        return int(word)
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    digits = {digit: number for number, digit in enumerate("〇一二三四五六七八九")}
    tens, ten, ones = word.rpartition("十")
    return (digits.get(tens, 1) * 10 if ten else 0) + (digits.get(ones, 0) if ones else 0)
