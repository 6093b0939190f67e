"""Sentences made from the facts: every measure in three languages, in frames of several shapes, with true and false
numbers. `FRAMES` are those one may look at while working, `HELD_OUT` those that only measure."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import yaml

from chipweir import facts
from chipweir.evidence._known import read_unit
from chipweir.evidence._vocabulary import THINGS, vocabulary


LEFT_OUT = frozenset({"exchange_rate", "state", "position", "start_of_production", "start_date", "capacity_multiple",
                      "count", "poll_share", "growth", "share_change", "gdp_effect", "event_rate"})  # fmt: skip
FRAMES = {
    "en": (
        "{E}'s {I}{M} was {V} {P}.",
        "{P1}, the {I}{M} of {E} stood at {V}.",
        "{E} had {I}{M} of {V} {P}.",
        "{E}'s {I}{M} reached {V} {P}, people in the industry say.",
    ),
    "ko": (
        "{P} {E}의 {I}{M}은 {V}였다.",
        "{E}의 {I}{M}은 {P} {V}을 기록했다.",
        "{P} 기준 {E} {I}{M}은 {V}이다.",
        "{E}는 {P} {I}{M} {V}을 나타냈다.",
    ),
    "zh": (
        "{P}，{E}的{I}{M}为{V}。",
        "{E}{P}{I}{M}达{V}。",
        "{E}的{I}{M}在{P}达到{V}。",
        "据悉，{E}{P}的{I}{M}为{V}。",
    ),
}
HELD_OUT = {
    "en": (
        "Analysts put {E}'s {I}{M} at {V} {P}.",
        "According to people briefed on the matter, {P} {E} saw {I}{M} of about {V}.",
        "At {V}, {E}'s {I}{M} {P} drew the attention of investors.",
    ),
    "ko": (
        "업계에 따르면 {E}의 {I}{M}은 {P} {V}에 달한 것으로 집계됐다.",
        "{P} {E}가 밝힌 {I}{M}은 약 {V}이다.",
        "시장에서는 {P} {E} {I}{M} {V}에 주목한다.",
    ),
    "zh": (
        "数据显示，{P}{E}的{I}{M}约为{V}。",
        "业内人士指出，{E}在{P}的{I}{M}是{V}。",
        "{V}——这是{E}{P}的{I}{M}。",
    ),
}
# Nouns of a measure that say what of: they fit some of its facts only.
_NARROW = re.compile(
    "HBM|DRAM|D램|NAND|낸드|H20|H100|H200|Blackwell|GPT|TSV|China|China|중국|대중|미국|대일|中国|中國|对华|在华|memory|메모리|存储|"
    "内存|semiconductor|반도체|芯片|chip|칩|system|系統|server|서버|服务器|7|5nm|5나노|8|GPU|billion|fund\\b|AI"
)
_SCALES = {
    "en": ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")),
    "ko": ((1e12, "조"), (1e8, "억"), (1e4, "만")),
    "zh": ((1e12, "万亿"), (1e8, "亿"), (1e4, "万")),
}
_COUNTERS = {"en": "", "ko": "개", "zh": "个"}
_CURRENCY = {
    "USD": ("${}", "{} 달러", "{}美元"),
    "KRW": ("{} won", "{}원", "{}韩元"),
    "CNY": ("{} yuan", "{} 위안", "{}元人民币"),
    "EUR": ("{} euros", "{}유로", "{}欧元"),
}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_QUARTERS = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Made:
    """A sentence, the figure's words in it, the day of the article, the fact and the factor laid over its value."""

    text: str
    value: str
    published: str
    fact: str
    measure: str
    language: str
    factor: float


def digits(value: float, count: int = 4) -> str:
    """A number of `count` significant figures, grouped by thousands."""
    shown = float(f"{value:.{count}g}")
    if shown == int(shown):
        return f"{int(shown):,}"
    return f"{shown:,.6f}".rstrip("0").rstrip(".")


def grouped(value: float, language: str, count: int = 4) -> str:
    """A number with the magnitudes of a language: 1.73 billion, 17.3억, 17.3亿."""
    for size, word in _SCALES[language]:
        if abs(value) >= size:
            return digits(value / size, count) + word
    return digits(value, count)


def written(value: float, unit: str, language: str, count: int = 4) -> str | None:
    """`value` in a unit of the facts as texts write it; None where they do not."""
    at = ("en", "ko", "zh").index(language)
    currency, _, per = unit.partition("/")
    if currency in _CURRENCY:
        money = _CURRENCY[currency][at].format(grouped(value, language, count))
        tails = {"": "", "hour": (" an hour", "", "")[at], "megatoken": (" per million tokens", "", "")[at]}
        heads = {"hour": ("", "시간당 ", "每小时")[at], "megatoken": ("", "100만 토큰당 ", "每百万tokens ")[at]}
        return heads.get(per, "") + money + tails[per] if per in tails else None
    plain = {
        "percent": ("{} percent", "{}%", "{}%"),
        "chip": ("{} chips", "{}개", "{}颗"),
        "wafer/month": ("{} wafers a month", "월 {}장", "每月{}片"),
        "wafer_8inch/month": ("{} wafers a month", "월 {}장", "每月{}片"),
        "wafer_8inch": ("{} wafers", "{}장", "{}片"),
        "H100e": ("{}", "{}개", "{}个"),
        "thing": ("{}", "{}개", "{}个"),
        "MW": ("{} MW", "{}MW", "{}兆瓦"),
        "EFLOP/s": ("{} EFLOPS", "{}EFLOPS", "{}EFLOPS"),
        "TWh": ("{} TWh", "{}TWh", "{}TWh"),
        "token/day": ("{} tokens a day", "하루 {} 토큰", "每天{} tokens"),
        "month": ("{} months", "{}개월", "{}个月"),
        "rack": ("{} racks", "{}대", "{}个"),
        "stack": ("{} stacks", "{}개", "{}个"),
        "die": ("{} dies", "{}개", "{}颗"),
        "GB": ("{} GB", "{}GB", "{}GB"),
    }
    if unit == "FLOP":
        return f"{value:.2e} FLOP".replace("e+", "e")
    return plain[unit][at].format(grouped(value, language, count)) if unit in plain else None


def named(known: "facts.Facts", identifier: str, language: str) -> str | None:
    """What a language calls a thing."""
    entity = known.entities.get(identifier)
    if identifier in vocabulary()["things"]:
        return str(vocabulary()["things"][identifier][language][0])
    if entity is None or (entity.kind in THINGS and entity.kind not in {"region"}):
        return None
    found = getattr(entity.names, language) or (entity.names.en if entity.kind not in {"region", "country"} else "")
    return found.split(" (")[0] or None


def when(start: date, end: date, language: str) -> str | None:
    """A period as a language says it."""
    days = (end - start).days + 1
    if start.month == 1 and start.day == 1 and end.month == 12 and end.day == 31:
        if start.year == end.year:
            return {"en": f"in {start.year}", "ko": f"{start.year}년", "zh": f"{start.year}年"}[language]
        return None
    if start.day == 1 and 88 <= days <= 93 and start.month in {1, 4, 7, 10}:
        quarter = (start.month - 1) // 3
        return {
            "en": f"in the {_QUARTERS[quarter]} quarter of {start.year}",
            "ko": f"{start.year}년 {quarter + 1}분기",
            "zh": f"{start.year}年第{'一二三四'[quarter]}季度",
        }[language]
    if start.day == 1 and 28 <= days <= 31:
        return {
            "en": f"in {_MONTHS[start.month - 1]} {start.year}",
            "ko": f"{start.year}년 {start.month}월",
            "zh": f"{start.year}年{start.month}月",
        }[language]
    return None


def made(
    known: "facts.Facts", frames: dict[str, tuple[str, ...]], factors: tuple[float, ...], seed: int, places: int = 4
) -> Iterator[Made]:
    """One sentence for each fact that can be told, language and factor; the frame and the noun are drawn."""
    draw = random.Random(seed)
    for fact in known.facts.values():
        if fact.measure in LEFT_OUT or fact.value.cls == "own" or fact.nature == "prior":
            continue
        if read_unit(fact.value.unit) is None or fact.value.central is None:
            continue
        for language in ("en", "ko", "zh"):
            told = _told(known, fact, language, draw)
            if told is None:
                continue
            subject, item, noun, period = told
            frame = draw.choice(frames[language])
            for factor in factors:
                edge = fact.value.interval[0 if factor < 1 else 1] if factor != 1 else fact.value.best
                value = written(edge * factor, fact.value.unit, language, places)
                if value is None or (fact.value.unit == "percent" and edge * factor > 100):
                    continue
                gap = " " if language != "zh" else ""
                text = frame.format(
                    E=subject,
                    I=item + gap if item else "",
                    M=noun,
                    V=value,
                    P=period,
                    P1=period[:1].upper() + period[1:],
                )
                day = (fact.known_by + timedelta(days=2)).isoformat()
                yield Made(text, value, day, fact.id, fact.measure, language, factor)


def _told(known: "facts.Facts", fact: "facts.Fact", language: str, draw: random.Random):
    subject = named(known, fact.entity, language)
    item = named(known, fact.item_id, language) if fact.item_id else ""
    period = when(fact.start, fact.end, language)
    measure = known.measures[fact.measure]
    nouns = [noun for noun in measure.words[language] if not _NARROW.search(noun)]
    if subject is None or item is None or period is None or not nouns:
        return None
    for key, value in fact.dims.items():
        name = f"{key}={value}"
        row = vocabulary()["dims"].get(name, {})
        if row.get("silent") or key in vocabulary()["silent"]:
            continue
        words = row.get(language, [None])[0] or (
            named(known, value, language) if key in vocabulary()["named"] else None
        )
        if words is None:
            return None
        item = f"{words} {item}".strip()
    return subject, item, draw.choice(nouns), period


def load_frames(path: str) -> dict[str, tuple[str, ...]]:
    """Frames from a YAML file."""
    with open(path, encoding="utf-8") as file:
        return {language: tuple(rows) for language, rows in yaml.safe_load(file).items()}
