"""Dates and periods: absolute ones, and relative ones against the day of publication or a day named earlier in the
text.

Each pack lists its patterns, most specific first; their named groups (`y m d q half part rel way wd fy ...`) are read
here. A relative date stays unresolved (`value` None) where nothing says when the text was written.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from chipweir.text import _calendar as cal
from chipweir.text._document import Bound, Time
from chipweir.text._starts import openings
from chipweir.text._units import LANGUAGES, pack, plain


_CHINESE = {"十": 10, **{digit: number for number, digit in enumerate("〇一二三四五六七八九")}, "零": 0}
_DIGIT_FIRST = re.compile(
    r"^(?:\(\?<[!=](?:[^()\[\]]|\[[^\]]*\])*\)|\\b|\(\?:the\\s\)\?)*\(\?P<(?:y|m|d|q|halfn)>(?!\{month\}|March)"
)
_AFTER_DIGITS = re.compile(
    r"\d{1,4}\s?[년월일분年月日号號季QqHhs회财財会會第/.~∼至到–\-\u2019']|\d{1,2}(?:st|nd|rd|th)?\s(?:of\s)?[A-Z]|(?:19|20)\d\d(?!\d)"
)


@cache
def _months() -> str:
    names = {name.capitalize() for name in pack("en")["times"]["month"]}
    return "|".join(sorted(names, key=len, reverse=True))


@cache
def _patterns() -> tuple[dict[str, tuple[re.Pattern[str], ...]], tuple[tuple[str, re.Pattern[str]], ...]]:
    """Patterns that start with a word, by language, and those that start with a digit, with their language."""
    words: dict[str, tuple[re.Pattern[str], ...]] = {}
    digits: list[tuple[str, re.Pattern[str]]] = []
    for language in LANGUAGES:
        for source in pack(language)["times"]["patterns"]:
            flags = (
                re.IGNORECASE if language == "en" and not re.search(r"\{month\}|March|\(\?P<y>\(\?:199", source) else 0
            )
            pattern = re.compile(source.replace("{month}", f"(?:{_months()})"), flags)
            numeric = bool(_DIGIT_FIRST.match(source))
            if numeric:
                digits.append((language, pattern))
            if not numeric or language == "zh":
                words[language] = (*words.get(language, ()), pattern)
    return words, tuple(digits)


_ENGLISH = (
    "early|earlier|mid|late|later|end|start|beginning|first|second|third|fourth|final|fiscal|FY|this|last|next|current|"
    "previous|prior|year|today|yesterday|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday|a year|so far|"
    "since the|that day|the same|the previous|between|three months|six months|nine months|twelve months|quarter"
)


@cache
def _trigger() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Where a date may start: at few places too many, and exactly."""
    korean = pack("ko")["times"]
    chinese = pack("zh")["times"]
    ko = [
        *korean["rel"],
        "지난",
        "오는",
        "다가오는",
        "올",
        "상반기",
        "하반기",
        "연말",
        "연초",
        "연내",
        "회계연도",
        "회계년도",
        *korean["weekday"],
    ]
    zh = [
        *chinese["rel"],
        *chinese["half"],
        "第",
        "截至",
        "截止",
        "前(?:[二两兩三]|\\d{1,2})",
        "[一二三四]季(?:度|末|底|报|報|內|内)",
        "[一二三四五六七八九十]{1,3}月",
        "年底",
        "[昨今前明]\\(\\d",
        "年末",
        "年内",
        "年內",
        "年初",
        "岁末",
        "周",
        "週",
        "星期",
        "[一二][〇零九][〇零一二三四五六七八九]{2}年",
    ]
    en = rf"(?:{_months()})\b|(?i:{_ENGLISH}|Q[1-4]|H[12])"
    latin = [*_months().split("|"), *_ENGLISH.split("|"), *["Q1", "Q2", "Q3", "Q4", "H1", "H2"], "'"]
    words = [*ko, *(word for word in zh if word[0] not in "[前"), *"前昨今明一二三四五六七八九十’‘", *latin]
    return openings(words, digits=True), re.compile(
        rf"(?P<digit>(?<![\d])(?<!\d[.,])(?:(?<![A-Za-z])|(?=(?:19|20)\d\d年))\d)|(?P<ko>(?<![가-힣])(?:{_longest(ko)}))|(?P<zh>{_longest(zh)}"
        rf")|(?P<en>\b(?:{en}))|(?P<apostrophe>['’‘]\d\d년)"
    )


def _longest(words: Sequence[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


def _found(text: str, blocked: Sequence[tuple[int, int]]) -> Iterator[tuple[str, re.Match[str]]]:
    """Every date in the text, in order, with the language of the pattern that read it."""
    words, digits = _patterns()
    end, block = 0, 0
    opening, exact = _trigger()
    for place in opening.finditer(text):
        start = place.start()
        while block < len(blocked) and blocked[block][1] <= start:
            block += 1
        if start < end or (block < len(blocked) and blocked[block][0] <= start):
            continue
        trigger = exact.match(text, start)
        if trigger is None:
            continue
        if trigger["digit"]:
            if not _AFTER_DIGITS.match(text, start):
                continue
            tries: Sequence[tuple[str, re.Pattern[str]]] = digits
        else:
            language = "ko" if trigger["ko"] or trigger["apostrophe"] else "zh" if trigger["zh"] else "en"
            tries = [(language, pattern) for pattern in words[language]]
        for language, pattern in tries:
            match = pattern.match(text, start)
            if match and match.end() > start:
                end = match.end()
                yield language, match
                break


def _number(word: str, language: str) -> int:
    if word.isdigit():
        return int(word)
    if language == "en":
        return int(pack("en")["times"]["month"][word.lower()])
    if all(character in _CHINESE for character in word):
        if len(word) == 4:
            return int("".join(str(_CHINESE[character]) for character in word))
        tens, ten, ones = word.rpartition("十")
        return (_CHINESE.get(tens, 1) * 10 if ten else 0) + (_CHINESE.get(ones, 0) if ones else 0)
    raise ValueError(word)


def _groups(language: str, match: re.Match[str]) -> dict[str, str]:
    groups = {key: item for key, item in match.groupdict().items() if item is not None}
    for key in list(groups):
        if re.fullmatch(r"m\d", key):
            groups["m"] = groups.pop(key)
    lexicon = pack(language)["times"]
    if "part" in groups:
        groups["part"] = lexicon["part"].get(re.sub(r"^the ", "", groups["part"].lower()), "late")
    if "half" in groups:
        groups["halfn"] = str(lexicon["half"][groups["half"].lower()])
    if "span" in groups:
        groups["span"] = str(lexicon["span"][groups["span"].lower()])
    if "qw" in groups:
        groups["q"] = str(lexicon["quarter"][groups["qw"].lower()])
    if "y" in groups and len(groups["y"]) == 2:
        groups["y"] = "20" + groups["y"]
    return groups


def _relative(language: str, groups: Mapping[str, str]) -> tuple[str, int] | None:
    word = groups.get("rel", "").strip().lower()
    found = pack(language)["times"]["rel"].get(word)
    return (found[0], int(found[1])) if found else None


def _pick_year(month: int, day: int, anchor: date, way: str, future: bool) -> int:
    """The year a bare month (and day) means, seen from `anchor`."""
    candidates = [_safe(year, month, day) for year in (anchor.year - 1, anchor.year, anchor.year + 1)]
    if way == "past":
        return max(one for one in candidates if (one.year, one.month) <= (anchor.year, anchor.month)).year
    if way == "future":
        return min(one for one in candidates if (one.year, one.month) >= (anchor.year, anchor.month)).year
    return cal.nearest(candidates, anchor, 2.5 if future else 0.4).year


def _safe(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, cal.month_end(year, month).day))


_WORDED = {"three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11}


def _of_year(groups: Mapping[str, str], year: int, language: str) -> cal.Period:
    """The period of known year that the groups name."""
    part = groups.get("part", "")
    if "span" in groups:
        return cal.closing_period(year, _number(groups["m"], language), int(groups["span"]))
    if "m" in groups:
        month = _number(groups["m"], language)
        if "d" in groups:
            return cal.day_period(date(year, month, _number(groups["d"], language)))
        return cal.month_period(year, month, part)
    if "nm" in groups:
        return cal.months_period(year, _WORDED.get(groups["nm"], 0) or int(groups["nm"]))
    if "nq" in groups:
        return cal.quarters_period(year, 3 if groups["nq"] in {"三", "three"} else 2)
    if "q" in groups:
        return cal.quarter_period(year, _number(groups["q"], language))
    if "halfn" in groups:
        return cal.half_period(year, int(groups["halfn"]))
    if "yearend" in groups:
        word = groups["yearend"]
        return cal.year_period(year, "early" if word == "연초" else "" if word in {"연내", "年内", "年內"} else "late")
    return cal.year_period(year, part)


def _weekday(groups: Mapping[str, str], language: str, anchor: date, shift: int | None) -> cal.Period:
    lexicon = pack(language)["times"]["weekday"]
    wanted = lexicon[(groups.get("wd") or groups["wdz"]).lower()]
    if shift is not None:
        monday = anchor - timedelta(days=anchor.weekday()) + timedelta(weeks=shift)
        return cal.day_period(monday + timedelta(days=wanted))
    way = groups.get("way", "").lower()
    ahead = (wanted - anchor.weekday()) % 7
    back = (anchor.weekday() - wanted) % 7
    if way == "next":
        return cal.day_period(anchor + timedelta(days=ahead or 7))
    return cal.day_period(anchor - timedelta(days=back or (7 if way == "last" else 0)))


def _resolve_relative(groups: Mapping[str, str], language: str, relative: tuple[str, int], anchor: date) -> cal.Period:
    grain, offset = relative
    if grain == "year":
        return _of_year(groups, anchor.year + offset, language)
    if grain == "quarter":
        year, month = cal.shift_month(anchor, 3 * offset)
        return cal.quarter_period(year, (month + 2) // 3)
    if grain == "month":
        year, month = cal.shift_month(anchor, offset)
        if "d" in groups:
            return cal.day_period(date(year, month, int(groups["d"])))
        return cal.month_period(year, month, groups.get("part", ""))
    if grain == "week":
        if "wd" in groups or "wdz" in groups:
            return _weekday(groups, language, anchor, offset)
        if "weekend" in groups:
            return cal.weekend_period(anchor + timedelta(weeks=offset))
        return cal.week_period(anchor + timedelta(weeks=offset))
    return cal.day_period(anchor + timedelta(days=offset))


def _weekend(word: str, anchor: date) -> cal.Period:
    offset = (
        -1
        if re.match(r"지난|last|上", word, re.IGNORECASE)
        else 1
        if re.match(r"다음|오는|next|下", word, re.IGNORECASE)
        else 0
    )
    return cal.weekend_period(anchor + timedelta(weeks=offset))


def _span(groups: Mapping[str, str], language: str, resolve: Callable[[Mapping[str, str]], cal.Period]) -> cal.Period:
    """The period the groups name, or the one from the first to the second date of a range (`1~9월`, `2025-26`)."""
    first = resolve(groups)
    ends = {key: groups["e" + key] for key in ("y", "m", "q", "d") if "e" + key in groups}
    if not ends:
        return first
    if len(ends.get("y", "")) == 2:
        ends["y"] = groups["y"][:2] + ends["y"]
    last = resolve({**groups, **ends})
    if last.low < first.low and "m" in groups:
        first = _of_year(groups, last.low.year, language)
    if last.low < first.low:
        raise ValueError(groups)
    return cal.Period(f"{first.value}/{last.value}", first.low, last.high, first.grain)


def _resolve(groups: Mapping[str, str], language: str, anchor: date, future: bool, since: bool = False) -> cal.Period:
    """The period of a date without a written year, seen from `anchor`."""
    relative = _relative(language, groups)
    if "weekendrel" in groups:
        return _weekend(groups["weekendrel"], anchor)
    if relative:
        return _resolve_relative(groups, language, relative, anchor)
    if "ytd" in groups:
        return cal.Period(f"{anchor.year:04d}", date(anchor.year, 1, 1), anchor, "year")
    if "wd" in groups or "wdz" in groups:
        return _weekday(groups, language, anchor, None)
    way = pack(language)["times"].get("way", {}).get(groups.get("way", "").lower(), "past" if since else "")
    if "m" in groups:
        month = _number(groups["m"], language)
        day = _number(groups["d"], language) if "d" in groups else 15 if month != anchor.month else anchor.day
        cal.month_period(anchor.year, month)
        year = _pick_year(month, day, anchor, way, future)
        return _of_year(
            groups,
            anchor.year + 1 if way == "next" and year <= anchor.year and month <= anchor.month else year,
            language,
        )
    if "d" in groups:
        return _day_of_month(_number(groups["d"], language), anchor, way, future)
    if "q" in groups:
        quarter = _number(groups["q"], language)
        this = (anchor.month + 2) // 3
        year = (
            anchor.year
            + (1 if way == "future" and quarter <= this else 0)
            - (1 if way != "future" and not future and quarter > this else 0)
        )
        return cal.quarter_period(year, quarter)
    return _of_year(groups, anchor.year, language)


def _day_of_month(day: int, anchor: date, way: str, future: bool) -> cal.Period:
    offsets = (0, 1, 2) if way == "future" or (future and day > anchor.day) else (0, -1, -2)
    for offset in offsets:
        year, month = cal.shift_month(anchor, offset)
        if day > cal.month_end(year, month).day:
            continue
        candidate = date(year, month, day)
        if (offsets[1] > 0 and candidate >= anchor) or (offsets[1] < 0 and candidate <= anchor):
            return cal.day_period(candidate)
    raise ValueError(day)


_PAST = re.compile(r"\bsince\s|이후|이래|以来|以來")
_FUTURE = re.compile(
    r"^[^,，.。]{0,24}?(?:예정|계획|방침|전망|까지|부터\s(?:적용|시행|시작)(?!됐|했|된|돼)|will\b|expected|scheduled|将|將|预计|預計|计划|計劃)"
)


_AHEAD = re.compile(
    r"\b(?:will|expects?|expected to|plans? to|aims? to|guid(?:ed|es|ance)|forecasts?|outlook|(?:is|are) set to)\b"
    r"(?!\s(?:said|reported|was|were))(?:[^.!?;\n]|\.\d){0,80}$"
)
# "As of the end of June": a date up to which something was counted lies behind.
_COUNTED_TO = re.compile(r"截至|截止|기준\s?$")


def _bound(text: str, start: int, end: int, language: str) -> tuple[Bound, int]:
    lexicon = pack(language)["times"]
    after = text[end : end + 8]
    by = re.match(lexicon["by"], after)
    if by:
        attached = language == "ko" and after.startswith("까지")
        return "le", end + 2 if attached else end
    before = text[max(0, start - 20) : start]
    if "by_before" in lexicon and re.search(lexicon["by_before"], before):
        return "le", end
    return "eq", end


def _since(text: str, start: int, end: int, language: str) -> bool:
    """Whether the date opens a period: `부터`, `since`, `以来`."""
    lexicon = pack(language)["times"]
    before = text[max(0, start - 20) : start]
    opened = "since_before" in lexicon and re.search(lexicon["since_before"], before)
    return bool(opened or re.match(lexicon["since"], text[end : end + 8]))


# "In June of the same year", 同年6月: the year is that of the date before.
_SAME_YEAR = re.compile(r"(?:同年|当年|當年|(?:같은|그) ?해\s?|동년\s?)$")
_OF_THAT_YEAR = re.compile(r",? of (?:that|the same) year\b")


def _time(
    text: str, language: str, match: re.Match[str], anchor: date | None, previous: date | None, last: Time | None = None
) -> Time | None:
    start, end = match.span()
    groups = _groups(language, match)
    undated = "y" not in groups and bool({"m", "q", "halfn"} & groups.keys())
    same = undated and (_SAME_YEAR.search(text[max(0, start - 5) : start]) or _OF_THAT_YEAR.match(text, end))
    if same and last is not None and last.low:
        groups["y"] = last.low[:4]
    flags = ("fiscal",) if "fy" in groups or "fy2" in groups else ("fiscal-possible",) if "q" in groups else ()
    if _since(text, start, end, language):
        flags = (*flags, "since")
    bound, stop = _bound(text, start, end, language)
    counted = _COUNTED_TO.search(text[max(0, start - 4) : start])
    ahead = language == "en" and _AHEAD.search(text[max(0, start - 100) : start])
    future = (bound == "le" and not counted) or bool(ahead) or bool(_FUTURE.match(text[end : end + 40]))
    relative = _relative(language, groups)
    about = "unresolved"
    period: cal.Period | None = None
    try:
        if "y" in groups:
            year, about = _number(groups["y"], language), "absolute"
            decade = match.group().rstrip().endswith("s") or "년대" in match.group()
            period = (
                cal.decade_period(year, groups.get("part", ""))
                if decade
                else _span(groups, language, lambda one: _of_year(one, _number(one["y"], language), language))
            )
        elif relative and relative[0] == "context":
            base = previous or anchor
            if base:
                period = cal.day_period(base + timedelta(days=relative[1]))
                about = f"context {base.isoformat()}" if previous else f"published {base.isoformat()}"
        elif anchor:
            past = "since" in flags and bool(_PAST.search(text[max(0, start - 8) : end + 6]))
            seen = anchor
            period = _span(groups, language, lambda one: _resolve(one, language, seen, future, past))
            about = f"published {anchor.isoformat()}"
    except (ValueError, KeyError, OverflowError):
        return None
    end = stop
    if period is None:
        if not _possible(groups, language):
            return None
        return Time(start, end, text[start:end], None, None, None, "unknown", about, bound, flags)
    value, grain = period.value, period.grain
    if "hh" in groups and groups.get("mi"):
        value, grain = f"{value}T{int(groups['hh']):02d}:{groups['mi']}", "minute"
    return Time(
        start, end, text[start:end], value, period.low.isoformat(), period.high.isoformat(), grain, about, bound, flags
    )


def _possible(groups: Mapping[str, str], language: str) -> bool:
    month = _number(groups["m"], language) if "m" in groups else 1
    return 1 <= month <= 12 and ("d" not in groups or 1 <= _number(groups["d"], language) <= 31)


def find_times(text: str, published: str | None = None, blocked: Sequence[tuple[int, int]] = ()) -> tuple[Time, ...]:
    """Dates and periods of `text`, in order.

    `published` (ISO date or minute) anchors relative dates; a day named earlier anchors `이날`, `that day`, `当天`.
    `blocked` are sorted stretches not to read (addresses, names with digits).
    """
    clean = plain(text)
    anchor = date.fromisoformat(published[:10]) if published else None
    previous: date | None = None
    times: list[Time] = []
    for language, match in _found(clean, blocked):
        time = _time(clean, language, match, anchor, previous, times[-1] if times else None)
        if time is None:
            continue
        if time.surface != text[time.start : time.end]:
            time = Time(time.start, time.end, text[time.start : time.end], *_rest(time))
        times.append(time)
        if time.grain == "day" and time.low and not (anchor and time.low > anchor.isoformat()):
            previous = date.fromisoformat(time.low)
    return tuple(times)


def _rest(time: Time) -> tuple[Any, ...]:
    return time.value, time.low, time.high, time.grain, time.anchor, time.bound, time.flags
