"""Figures in text, normalised: money, shares, multiples, counts, durations, lengths, power, memory, ranks.

Numerals are looked for where one may start, read by `_numerals`, given a unit by the packs, and kept only if the two
make sense together. Each step looks at a bounded window, so that a text is read in linear time.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from chipweir.text import _context as context
from chipweir.text import _masks as masks
from chipweir.text._document import Bound, Quantity, Time
from chipweir.text._ellipsis import elliptic
from chipweir.text._labels import find_labels
from chipweir.text._readings import Reading, readings_at, rounded, word_reading
from chipweir.text._starts import openings
from chipweir.text._units import pack, plain


_ONES, _MAGNITUDES = "一二两兩三四五六七八九", "十百千万萬亿億"
_HANGUL_NUMERALS = "수몇일이삼사오육칠팔구십백천만"


@cache
def _openings() -> re.Pattern[str]:
    """Where a figure may start: what `_trigger` decides on."""
    raw = pack("en")["numerals"]
    named = [
        word
        for language, names in (
            ("en", ("multiples", "fractions", "ranks", "durations")),
            ("zh", ("multiples", "fractions", "durations")),
            ("ko", ("multiples", "fractions", "both", "durations")),
        )
        for name in names
        for word in pack(language).get(name, {})
    ]
    english = [*raw["words"], *raw["plural"], *raw["vague"], "half", "a ", "an "]
    native = pack("ko")["numerals"]["native"]
    return openings([*named, *english, *native, *_HANGUL_NUMERALS, *_ONES, *"十百千数數几幾"], digits=True)


@cache
def _trigger() -> re.Pattern[str]:
    native = "|".join(sorted(pack("ko")["numerals"]["native"], key=len, reverse=True))
    raw = pack("en")["numerals"]
    english = "|".join(
        [
            *raw["words"],
            *raw["plural"],
            *raw["vague"],
            "half an?",
            "an? (?=" + "|".join(raw["scales"]) + "|(?:giga|mega|tera)watt|(?:exa|peta)flop|(?:tera|peta|exa)byte)",
        ]
    )
    words = "|".join(
        sorted(
            (
                re.escape(word)
                for name in ("multiples", "fractions", "ranks", "durations")
                for word in pack("en").get(name, {})
            ),
            key=len,
            reverse=True,
        )
    )
    chinese = "|".join(
        sorted(
            (word for name in ("multiples", "fractions", "durations") for word in pack("zh")[name]),
            key=len,
            reverse=True,
        )
    )
    korean = "|".join(word for name in ("multiples", "fractions", "both", "durations") for word in pack("ko")[name])
    ones, mags = _ONES, _MAGNITUDES
    counters = "倍成年季天周週家座块塊颗顆枚片台臺张張名位人代条條种種项項款次辆件批支架组組间間处個个大层分半"
    parts = (
        r"(?P<digit>(?<!\d)(?<!\d[.,])\d)",
        rf"(?P<word>\b(?!half\san?\s(?:{'|'.join(raw['scales'])}))(?i:{words})\b|{chinese}|(?<![가-힣])(?:{korean}))",
        rf"(?P<native>(?<![가-힣])(?:{native})(?=\s?[가-힣]))",
        r"(?P<hangul>(?<![가-힣])(?:[수몇]\s?[십백천만억조년개일주달차배]|[일이삼사오육칠팔구]?[십백천만][가-힣\s]))",
        rf"(?P<zh>(?<![第\d零〇兆数數几幾{ones}{mags}])(?:百分之|[{ones}十百千数數几幾][零〇多余餘几幾数數到至{ones}{mags}{counters}]))",
        rf"(?P<en>\b(?i:{english})\b)",
    )
    return re.compile("|".join(parts))


def find_quantities(
    text: str, times: Sequence[Time] = (), names: Sequence[tuple[int, int]] = (), language: str = "ko"
) -> tuple[Quantity, ...]:
    """The figures of `text` in order, with those of `times` as type `date`.

    `names` are stretches already read as names (entities): their digits are no figures. `language` settles what a
    bare `3조` is money in.
    """
    clean = plain(text)
    labels = find_labels(clean)
    dates = [(time.start, time.end) for time in times]
    idioms = [*masks.figures_of_speech(clean), *masks.figures_of_speech(clean, "no_figures")]
    blocked = masks.merged(
        masks.addresses(clean), masks.names(clean), names, idioms, dates, [(label.start, label.end) for label in labels]
    )
    found = [*(_dated(time) for time in times), *labels]
    found.extend(elliptic(clean, _inherit(clean, list(_scan(clean, blocked, language))), blocked))
    if language == "zh-Hant" and _TAIWAN.search(clean):
        found = [
            replace(item, unit="TWD") if item.unit == "CNY" and item.surface.endswith("元") else item for item in found
        ]
    found.sort(key=lambda item: (item.start, item.end))
    return tuple(item if clean is text else replace(item, surface=text[item.start : item.end]) for item in found)


def _dated(time: Time) -> Quantity:
    return Quantity(
        time.start,
        time.end,
        time.surface,
        "date",
        time.value,
        time.low,
        time.high,
        "date",
        time.bound,
        flags=time.flags,
    )


def _scan(text: str, blocked: Sequence[tuple[int, int]], language: str) -> Iterator[Quantity]:
    cursor = masks.Cursor(blocked)
    end = 0
    is_trigger = _trigger().match
    for opening in _openings().finditer(text):
        start = opening.start()
        if start < end or cursor.covers(start):
            continue
        trigger = is_trigger(text, start)
        if trigger is None:
            continue
        readings = word_reading(text, trigger) if trigger["word"] else readings_at(text, start, language)
        for reading in readings:
            if cursor.covers(reading.start if reading.start >= start else start, reading.end):
                break
            item = _finish(text, reading, language, end)
            end = max(end, item.end)
            yield item


def _finish(text: str, reading: Reading, language: str, floor: int) -> Quantity:
    """Reads the words beside a figure and sets value, limits, bound and sign."""
    start, end = reading.start, reading.end
    words = context.bound_before(text, start)
    after = context.bound_after(text, end)
    if reading.type == "duration" and text[words.start : start].strip().lower() == "over":
        words = context.Words("eq", start)  # "over five years" is how long it takes, not that it takes longer
    bound: Bound = words.bound if words.bound != "eq" else after
    if words.bound == "approx" and after in {"ge", "le"}:
        bound = after
    start = words.start if words.bound != "eq" and words.start >= floor else start
    if reading.more and bound in {"eq", "approx"}:
        bound = "ge"
    own = reading.unit.language if reading.unit else ""
    spoken = own if own in {"ko", "zh"} or (own == "en" and not reading.unit) else _spoken(text, end, language)
    moved = context.change(text, reading.start, end, spoken, reading.type) if reading.type in _MOVING else ""
    basis = reading.basis or (
        context.basis(text, start, end) if reading.type not in {"percent", "rank", "ordinal-label", "score"} else ""
    )
    unit, kind = reading.unit_name, reading.type
    if kind == "count" and unit == "count":
        unit = context.counted(text, reading.start, end) or unit
    value, low, high, bound = _limits(reading, bound)
    if basis == "per_second" and unit == "B":
        kind, unit, basis = "bandwidth", "B/s", ""
    if moved == "fall" and kind in {"percent", "percentage_point", "fraction"} and reading.number.script != "word":
        value, low, high = -value, None if high is None else -high, None if low is None else -low
        bound = {"ge": "le", "le": "ge"}.get(bound, bound)  # type: ignore[assignment]
    flags = tuple(flag for flag in reading.flags if flag != "range")
    return Quantity(
        start, end, text[start:end], kind, _whole(value), _whole(low), _whole(high), unit, bound, basis, moved, flags
    )


def _spoken(text: str, end: int, language: str) -> str:
    """The language of the words that follow a figure written in signs alone."""
    near = re.search(r"[가-힣]|[一-鿿]|[A-Za-z]", text[end : end + 8])
    if not near:
        return language[:2]
    return "ko" if "가" <= near.group() <= "힣" else "zh" if near.group() >= "一" else "en"


def _whole(value: float | None) -> float | int | None:
    """Counts and round amounts as integers, so that they print as written."""
    return int(value) if value is not None and float(value).is_integer() and abs(value) < 1e15 else value


def _limits(reading: Reading, bound: Bound) -> tuple[float, float | None, float | None, Bound]:
    value, low, high = reading.value, reading.low, reading.high
    if low is not None:
        stated = {"ge", "le"} if "range" in reading.flags else {"ge", "le", "approx"}
        kept: Bound = (
            bound if bound in stated else "range" if not reading.number.suffix or "range" in reading.flags else "eq"
        )
        return value, low, high, kept
    if bound == "approx":
        margin = 0.05 if reading.type == "percent" and abs(value) >= 0.2 else 0.1 * abs(value)
        return value, rounded(value - margin), rounded(value + margin), bound
    if bound == "ge":
        return value, value, None, bound
    if bound == "le":
        return value, None, value, bound
    return value, None, None, bound


_LINK = re.compile(r"\s?(?:to|and|or|~|-|–|에서|부터|至|到|和)\s?")
_TAIWAN = re.compile(r"新[台臺]幣|[台臺]幣")
_MOVING = frozenset({"percent", "percentage_point", "fraction", "money", "count", "multiple"})
_SENTENCE_END = re.compile(r"[.!?。！？]\s|[。！？]|\n")


def _inherit(text: str, found: list[Quantity]) -> list[Quantity]:
    """Prices listed after one per million tokens in the same sentence are per million tokens too: `GPT-5(10달러)`."""
    basis, unit, last = "", "", 0
    out: list[Quantity] = []
    for item in found:
        if basis and (item.start - last > 160 or _SENTENCE_END.search(text, last, item.start)):
            basis = ""
        if item.type == "money" and item.basis.endswith("_token"):
            basis, unit, last = item.basis, item.unit, item.end
        elif (
            basis
            and item.type == "money"
            and item.unit == unit
            and not item.basis
            and isinstance(item.value, int | float)
            and item.value < 1e5
        ):
            item = replace(item, basis=basis)
            last = item.end
        out.append(item)
    for place in range(len(out) - 1):
        low, high = out[place], out[place + 1]
        if (
            high.basis.endswith("_token")
            and low.unit == high.unit
            and not low.basis
            and _LINK.fullmatch(text, low.end, high.start)
        ):
            out[place] = replace(low, basis=high.basis)
    return out
