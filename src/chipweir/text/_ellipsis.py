"""Bare numbers that a figure before them or a verb of voting gives a unit: "1,000 watts, against 700 for the H100",
"288 GB, half again as much as the MI300X's 192", "passed 369 to 22"."""

import re
from collections.abc import Sequence
from dataclasses import replace

from chipweir.text._document import Quantity


_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_ABOUT = r"(?:just |only |about |roughly |some |the |around |nearly )?"
_BARE = re.compile(
    rf"(?:\b(?:against|versus|vs\.?|compared (?:with|to)|(?:up|down) from|from|than|instead of|not|and|to|but) {_ABOUT}"
    rf"{_NUMBER}(?= (?:for|on|in|at|a year|the year|previously|before)\b|[,.;)](?:\s|$)|$)"
    rf"|['’]s {_ABOUT}{_NUMBER}(?=[,.;)]|$| (?:and|or|in|for)\b)"
    rf"|(?<=[\s(]){_NUMBER}(?= (?:for|on|in|of) (?:the |an? |its )?[A-Z][A-Za-z]*[ -]?\d)"
    rf"|(?<=[가-힣A-Z0-9][(（]){_NUMBER}(?=[)）])"
    rf"|[为為是则則]{_NUMBER}(?=[，。；、,;]|$))"
)
_VOTE = re.compile(
    r"\b(?:passed|approved|voted|vote|votes|cleared|adopted|backed)\b[^.;]{0,80}?"
    r"(?<![\d.-])(?P<for>\d{1,3})(?: to |-|–|—)(?P<against>\d{1,3})\b(?!%)"
)
_STOP = re.compile(r"[.!?。！？](?:\s|$)|[。！？]|\n")
_CARRIED = frozenset({"money", "power", "memory", "bandwidth", "compute", "area", "percent", "energy"})


def elliptic(text: str, found: Sequence[Quantity], blocked: Sequence[tuple[int, int]]) -> list[Quantity]:
    """`found` with the bare numbers that take a unit from their sentence; none in the `blocked` stretches."""
    settled = [(one.start, one.end) for one in found if one.type != "number" and (one.type, one.unit) != _PLAIN]
    spans = sorted([*settled, *blocked])
    extra: list[Quantity] = []
    for match in _BARE.finditer(text):
        start, end = _span(match)
        before = [one for one in found if one.end <= start and one.type in _CARRIED]
        last = before[-1] if before else None
        if last is None or _STOP.search(text, last.end, start):
            continue
        if _covered(spans, start, end):
            continue
        number = float(text[start:end].replace(",", ""))
        written = re.search(r"\d[\d,]*(?:\.\d+)?", last.surface)
        if written is None or not isinstance(last.value, int | float) or _year(number):
            continue
        scale = abs(float(last.value)) / (float(written.group().replace(",", "")) or 1.0)
        value = float(f"{number * scale:.12g}")
        extra.append(
            replace(last, start=start, end=end, surface=text[start:end], value=value, low=None, high=None, bound="eq",
                    change="", flags=("unit-implied",))
        )  # fmt: skip
    for match in _VOTE.finditer(text):
        for name in ("for", "against"):
            start, end = match.span(name)
            if not _covered(spans, start, end):
                extra.append(Quantity(start, end, match[name], "count", int(match[name]), None, None, "count"))
    taken = [(one.start, one.end) for one in extra]
    kept = [one for one in found if not any(a < one.end and one.start < b for a, b in taken)]
    return sorted([*kept, *extra], key=lambda one: (one.start, one.end))


_PLAIN = ("count", "count")


def _span(match: "re.Match[str]") -> tuple[int, int]:
    return next(match.span(group) for group in range(1, len(match.groups()) + 1) if match[group])


def _year(number: float) -> bool:
    return 1990 <= number <= 2040 and number == int(number)


def _covered(spans: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    return any(a < end and start < b for a, b in spans)
