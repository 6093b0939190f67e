"""Where a text comes from: its language, the day it was published and how that is known, its tier, whose reports it
relays.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any
from zlib import crc32

from chipweir.text import _calendar as cal
from chipweir.text._document import DateBasis, Language, Span, Tier
from chipweir.text._segment import paragraphs
from chipweir.text._times import find_times
from chipweir.text._units import LANGUAGES, pack, plain


_HEAD, _TAIL = 2000, 600
_TRADITIONAL = frozenset(
    "國東車長門問間開關電產業發體學會來說對時過這個們麼進還將後從應當無與為億萬數據報導華語點線總經濟創導強體價製晶圓廠輸稱據週臺灣"
)
_SIMPLIFIED = frozenset(
    "国东车长门问间开关电产业发体学会来说对时过这个们么进还将后从应当无与为亿万数据报导华语点线总经济创导强体价制晶圆厂输称据周台湾"
)
_DATED = re.compile(
    r"(?i)(?:입력|등록|작성일?|게재|발행|승인|송고|기사입력|최초입력|"
    r"published|posted|publication date|date|pubdate|created|"
    r"发布时间|"
    r"發布時間|发布于|发表于|發表於|時間|时间|日期|来源[^\n]{0,16})\s*[:：]?\s*(?:on\s)?(?:일시\s*[:：]?\s*)?$"
)
_UPDATED = re.compile(r"(?i)(?:수정|updated|last modified|更新|编辑)\s*[:：]?\s*$")
_CAPTION = re.compile(
    r"^\s*[(\[（【]\s*(?:사진|출처|자료|그래픽|이미지|이미지출처|Photo|Image|Source|Credit|图|图片|图源|图片来源|圖|圖片來源)\s*[=:：/／].{0,"
    r"120}[)\]）】]?\s*$"
    r"|^\s*[▲△▷]\s?.{0,160}(?:사진|출처|제공|=).{0,40}$|(?:[.。]|\s)[(\[（]?(?:출처|사진|자료)\s?[=:：/].{1,40}$"
    r"|(?i:^\s*(?:photo|image|picture|credit)\s*(?:by|credit|courtesy|:).{0,120}$)|(?i:(?:getty images|shu"
    r"tterstock|/afp|reuters/[A-Z][a-z]+|ap photo)[^\n]{0,40}$)|^\s*(?:图片来源|图源|圖片來源|圖／)[:：]?.{0,60}$"
)
_CREDIT = re.compile(r"(?:로이터|AP|AFP|EPA|연합|뉴시스|게티)[ ·/\-=]?(?:연합뉴스|연합|뉴스1|뉴시스|제공|통신)?\s*$")
_LONGEST_CAPTION = 130
_MACHINE = re.compile(
    r"(?i)(?:이 (?:글|기사|뉴스레터)[은는]|본 (?:글|기사|콘텐츠)[은는]|this (?:article|post|newsletter|summary) (?:was|is)|"
    r"本文(?:由|为))[^."
    r"。\n]{0,40}(?:AI|인공지능|GPT|Gemini|Claude|제미나이|클로드|生成式)[^.。\n]{0,30}(?:작성|생성|요약|written|generated|produ"
    r"ced|drafted|生成|撰写|撰寫)|(?:AI|GPT)[- ]generated|AI生成"
)
_OFFICIAL_URL = re.compile(
    r"(?i)^https?://[^/]*(?:\.gov(?:\.[a-z]{2})?|\.go\.kr|\.go\.jp|federalregister\.gov|europa\.eu|\.mil)(?:[:/]|$)"
)
_OFFICIAL_TEXT = re.compile(
    r"(?i)^\s*(?:보도자료|press release|for immediate release|新闻稿|"
    r"公告(?:〔|\[|第)|Federal Register|\[보도자료\]|商务部公告|商務部公告|국무회의)"
)
_OPINION = re.compile(
    r"(?i)개인적(?:인)?\s?의견|\[(?:칼럼|사설|기고|시론|오피니언)\]|^\s*(?:opinion|commentary|editorial|op-ed|칼럼|사설|기고|评论|社论"
    r"|社評|觀點)\b|나의 개인적|in my (?:view|opinion)|이 블로그"
)
_BYLINE = re.compile(
    r"(?:[가-힣]{2,4}\s?(?:기자|특파원|선임기자))|(?m:^\s*By\s[A-Z][\w’'.-]+(?:\s[A-Z][\w’'.-]+){0,3})|(?:记者|記者)[\s:："
    r"]?[一-鿿]{2,4}|文[/／][一-鿿]{2,4}"
)
_MACHINE_KEYS = ("model", "generator", "generated_by", "llm", "ai_model")


def language_of(text: str) -> Language:
    """`ko`, `en`, `zh-Hans` or `zh-Hant` by the scripts of the first 20,000 characters."""
    sample = text[:20000]
    hangul = len(re.findall(r"[가-힣]", sample))
    han = re.findall(r"[一-鿿]", sample)
    latin = len(re.findall(r"[A-Za-z]+", sample))
    if hangul >= max(len(han), 0.15 * latin, 1):
        return "ko"
    if len(han) > 0.3 * latin and han:
        traditional = sum(character in _TRADITIONAL and character not in _SIMPLIFIED for character in han)
        simplified = sum(character in _SIMPLIFIED and character not in _TRADITIONAL for character in han)
        return "zh-Hant" if traditional > simplified else "zh-Hans"
    return "en"


def captions(text: str) -> list[Span]:
    """Lines that are captions or picture credits."""
    return [
        Span(start, end, "caption")
        for start, end in paragraphs(text)
        if (_CAPTION.search(text[start:end][: _LONGEST_CAPTION * 2]) and end - start <= _LONGEST_CAPTION)
        or (
            end - start <= _LONGEST_CAPTION
            and _CREDIT.search(text[max(start, end - 30) : end])
            and len(re.findall(r"[다요]\.|[。]|[a-z]\. ", text[start:end])) < 2
            and not text[start:end].rstrip().endswith(".")
        )
    ]


def duplicates(text: str) -> list[Span]:
    """Paragraphs of thirty characters or more that repeat an earlier one: word for word, or in nine of ten shingles."""
    exact: dict[str, int] = {}
    by_shingle: dict[int, int] = {}
    sizes: dict[int, int] = {}
    found = []
    for number, (start, end) in enumerate(paragraphs(text)):
        squeezed = re.sub(r"[\W_]+", "", text[start:end]).lower()
        if len(squeezed) < 25:
            continue
        if squeezed in exact:
            found.append(Span(start, end, "duplicate"))
            continue
        exact[squeezed] = number
        shingles = [crc32(squeezed[place : place + 6].encode()) for place in range(min(len(squeezed) - 5, 1200))]
        kept = sorted(set(shingles))[:48]
        matches: dict[int, int] = {}
        for shingle in kept:
            if shingle in by_shingle:
                matches[by_shingle[shingle]] = matches.get(by_shingle[shingle], 0) + 1
        best = max(matches.items(), key=lambda item: item[1], default=(0, 0))
        if best[1] >= 0.9 * len(kept) and 0.85 <= len(squeezed) / max(sizes.get(best[0], 1), 1) <= 1.18:
            found.append(Span(start, end, "duplicate"))
            continue
        sizes[number] = len(squeezed)
        for shingle in kept:
            by_shingle.setdefault(shingle, number)
    return found


def published(text: str, metadata: Mapping[str, Any], given: str | None = None) -> tuple[str | None, DateBasis, str]:
    """(ISO date or minute, basis, why). Looks at what the user gave, metadata, a dated line at the head or the foot,
    then infers from the text.
    """
    if given:
        return given, "explicit", "given by the user"
    for key in ("published", "date", "created", "pubdate", "pubDate", "publishdate", "datePublished", "updated"):
        value = metadata.get(key)
        if value:
            times = find_times(str(value)[:40])
            if times and times[0].value and times[0].grain in {"day", "minute"}:
                return times[0].value, "explicit", f"metadata field '{key}'"
    head = plain(text[:_HEAD])
    for start, stretch in ((0, head), (max(0, len(text) - _TAIL), plain(text[max(0, len(text) - _TAIL) :]))):
        found = _dateline(stretch, bool(start))
        if found:
            return found, "explicit", "a dated line at the " + ("end" if start else "beginning")
    if metadata.get("guessed_date"):
        return str(metadata["guessed_date"])[:10], "inferred", "a date found in the page, not marked as its own"
    return infer_published(text)


def _dateline(text: str, foot: bool) -> str | None:
    for time in find_times(text):
        if time.grain not in {"day", "minute"} or time.anchor != "absolute" or not time.value:
            continue
        before = text[max(0, time.start - 24) : time.start]
        line = text[text.rfind("\n", 0, time.start) + 1 : _line_end(text, time.end)]
        rest = line.replace(time.surface, "").strip(" \t|·-–—,.")
        if _UPDATED.search(before):
            continue
        if (
            _DATED.search(before)
            or (len(rest) <= 24 and not re.search(r"[.。다]$", line.strip()))
            or (not foot and _BYLINE.search(line) and len(line) < 90)
            or (not foot and opens(text, time.start, time.end))
        ):
            return time.value
    return None


def opens(text: str, start: int, end: int) -> bool:
    """Whether a date opens the text as wires do: "SEOUL, July 15, 2025 — Nvidia said"."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return bool(_PLACE.fullmatch(before) and _DASH.match(text[end : end + 30]))


_PLACE = re.compile(r"(?:[A-Z][A-Za-z.'’]*[ ,/]+){0,6}")
_DASH = re.compile(r"\s*(?:\([^)]{2,20}\)\s*)?(?:[—–]|--?\s)")


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def infer_published(text: str) -> tuple[str | None, DateBasis, str]:
    """The day of publication from what the text says of past and coming months, or (None, `unknown`, why).

    Each month around the years the text names is scored: months that `지난` or a report names lie before it, months
    that `오는`, `next` name lie after it, days of `이달` and bare days lie in it. A single best month wins; its day is
    the last day the text names in it.
    """
    sample = plain(text[:12000])
    years = {
        int(time.value[:4])
        for time in find_times(sample)
        if time.value and time.anchor == "absolute" and "1990" <= time.value[:4] <= "2049"
    }
    clues = _month_clues(sample)
    if not years or not clues:
        return None, "unknown", "no date in the text and nothing to infer it from"
    best: list[tuple[float, int, int]] = []
    for year in sorted({year + shift for year in years for shift in (0, -1)}):
        best.extend((_fit(year, month, clues, years), year, month) for month in range(1, 13))
    best.sort(reverse=True)
    if best[0][0] < 3 or best[0][0] - best[1][0] < 0.5:
        return None, "unknown", "the dates in the text fit several months"
    _, year, month = best[0]
    days = [day for kind, _, day in clues if kind == "this month" and day <= cal.month_end(year, month).day]
    day = max(days, default=cal.month_end(year, month).day)
    return (
        date(year, month, day).isoformat(),
        "inferred",
        f"the months and days that the text names fit {year}-{month:02d} only",
    )


_CLUES = (
    (
        "past",
        re.compile(
            r"(?:지난|앞서)\s?(?P<m>\d{1,2})월(?!\s?\d{1,2}일\s?예정)|(?<![오\d]는 )"
            r"(?<!\d)(?P<m2>\d{1,2})월\s(?:\S{1,14}"
            r"(?:가|이|는|은)\s)?(?:보도|발표|공개|출시|승인|체결|시작)(?:한|했|된|됐)"
        ),
    ),
    (
        "future",
        re.compile(
            r"(?:오는|다가오는)\s?(?P<m>\d{1,2})월|(?<!\d)(?P<m2>\d{1,2})월\s?(?:\d{1,2}일)?(?:부터|에)\s(?:적용|시행|시작될|열릴|공개할|출시할)"
        ),
    ),
    (
        "this month",
        re.compile(
            r"(?:이달|이번 달|本月)\s?(?P<d>\d{1,2})[일日]|"
            r"(?<![월\d]\s)(?<![월\d])(?P<d2>\d{1,2})일\s?\((?:이하\s)?현지\s?시[간각]\)"
        ),
    ),
)


def _month_clues(text: str) -> list[tuple[str, int, int]]:
    """(kind, month, day) clues; month or day is 0 where the clue names none."""
    clues = []
    for kind, pattern in _CLUES:
        for found in pattern.finditer(text):
            groups = {key: int(item) for key, item in found.groupdict().items() if item}
            month, day = groups.get("m", groups.get("m2", 0)), groups.get("d", groups.get("d2", 0))
            if (month or day) and month <= 12 and day <= 31:
                clues.append((kind, month, day))
    return clues


def _fit(year: int, month: int, clues: Sequence[tuple[str, int, int]], years: set[int]) -> float:
    score = 2.0 if year in years else 0.0
    later = sum(1 for other in years if other > year)
    score += 0.6 * min(later, 1) + (0.5 if year == min(years) else 0.0)
    for kind, other, day in dict.fromkeys(clues):
        if kind == "past":
            distance = (month - other) % 12
            score += 1.0 - 0.06 * distance if distance else 0.3
        elif kind == "future":
            distance = (other - month) % 12
            score += 1.2 - 0.25 * distance if 0 < distance <= 6 else -1.0
        elif day:
            score += 0.0 if day <= cal.month_end(year, month).day else -2.0
    return score


_OUTLET = re.compile(
    r"(?m)^\s*[\[(【](?P<name>[가-힣A-Za-z一-鿿]{2,14})(?:\s[가-힣]{2,4}\s?(?:기자|특파원))?\s?[=\])】]"
)
_HOST = re.compile(r"[\w.-]+@(?P<host>[\w-]+\.[\w.]+)")


def outlet_of(text: str) -> str:
    """The outlet that the text names in brackets before its first words (`[애플경제 ... 기자]`), or the host of the
    writer's mail address.
    """
    found = _OUTLET.search(text[:_HEAD])
    if found and found["name"] not in {
        "분석",
        "사진",
        "출처",
        "단독",
        "종합",
        "속보",
        "칼럼",
        "사설",
        "인터뷰",
        "기고",
        "자료",
    }:
        return found["name"]
    host = _HOST.search(text[-_TAIL:])
    return host["host"] if host else ""


@lru_cache(maxsize=4)
def _press_pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    each = (rf"(?<![A-Za-z]){re.escape(one)}(?![A-Za-z])" if one.isascii() else re.escape(one) for one in forms)
    return re.compile("|".join(each) or r"(?!)")


def relays(text: str, press: Mapping[str, str]) -> tuple[str, ...]:
    """Outlets (ids of `press`, by written form) whose reports the text passes on: those named beside a word of
    reporting."""
    words = re.compile("|".join(pack(language)["report_words"] for language in LANGUAGES))
    found: dict[str, None] = {}
    for mention in _press_pattern(tuple(press)).finditer(text[:200_000]):
        if words.search(text[max(0, mention.start() - 14) : mention.start()]) or words.search(
            _same_sentence(text, mention.end())
        ):
            found.setdefault(press[mention.group()])
    return tuple(found)


def _same_sentence(text: str, start: int) -> str:
    window = text[start : start + 140]
    end = re.search(r"[.。!?]\s|[。\n]", window)
    return window[: end.end()] if end else window


def tier(text: str, url: str, metadata: Mapping[str, Any], relayed: Sequence[str]) -> tuple[Tier, str]:
    """(tier, generator). Order: machine-written, official, opinion, relay, own reporting."""
    generator = next((str(metadata[key]) for key in _MACHINE_KEYS if metadata.get(key)), "")
    if generator or _MACHINE.search(text[:4000]) or _MACHINE.search(text[-1500:]):
        return "machine-written", generator[:80]
    if _OFFICIAL_URL.match(url) or _OFFICIAL_TEXT.search(text[:400]):
        return "official", ""
    if (
        _OPINION.search(text[:1500])
        or _OPINION.search(text[-1500:])
        or re.search(r"나의 개인적 의견|개인적 의견이다", text[:60000])
    ):
        return "opinion", ""
    if relayed:
        return "relay", ""
    return ("own reporting", "") if _BYLINE.search(text[:_HEAD]) or _BYLINE.search(text[-_TAIL:]) else ("unknown", "")
