"""Changes over time: what is on record of a change, else the quotient of two levels of one key, a year or a quarter
apart."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from chipweir.evidence._frames import is_level
from chipweir.evidence._keys import Keys, Match
from chipweir.evidence._known import Known, records
from chipweir.evidence._match import Matcher
from chipweir.evidence._scene import BEFORE, OWN, Scene


_QUARTERLY = re.compile(r"전\s?분기 ?(?:대비|보다)|직전 분기|quarter[- ](?:on|over)[- ]quarter|sequential|previous quarter|"
                        r"from the (?:prior|previous) quarter|环比|環比|季增|季減")  # fmt: skip
_NOT_GROWTH = frozenset({"growth", "share_change", "gdp_effect"})
_QUARTER, _YEAR, _APART = 91, 365, 20


def speaks_of_growth(scene: Scene, text: str, script: str) -> bool:
    """Whether a figure is a change and not a level: "up 44 %", not "up to 44 %"."""
    figure = scene.figure
    if figure.type != "percent" or is_level(text, figure, script):
        return False
    said = any(one.level == OWN and "growth" in one.ids for one in scene.words if one.kind in {"measure", "verb"})
    return bool(figure.change) or said


def growths(scene: Scene, matcher: Matcher, text: str) -> list[Match]:
    """The changes on record or computed that a figure may be held against, best first."""
    measures = {name: s for name, s in _measured(scene, matcher).items() if name not in _NOT_GROWTH}
    keys = Keys(matcher, scene)
    found = [match for match in _stated(measures, keys, matcher) if match is not None]
    quarterly = bool(_QUARTERLY.search(text[scene.start : min(len(text), scene.end + 30)]))
    for measure, strength in measures.items():
        rows = records(matcher.known).by_measure.get(measure, ())
        for record in records(matcher.known).about(measure, keys.reach):
            match = keys.match(record, strength)
            if match is None or match.missing or match.fit != "exact" or record.best <= 0:
                continue
            before = _before(record, rows, _QUARTER if quarterly else _YEAR)
            if before is not None:
                found.append(replace(match, record=_change(before, record)))
    return sorted(found, key=lambda one: one.rank)


def _measured(scene: Scene, matcher: Matcher) -> dict[str, float]:
    """The measures named beside the figure, whatever their unit."""
    found: dict[str, float] = {}
    for word in scene.words:
        if word.kind == "measure" and word.level <= BEFORE:
            for name in word.ids:
                if matcher.known.measures[name].kind in {"level", "flow", "price", "count"}:
                    found[name] = max(found.get(name, 0.0), 3.0 - word.level)
    for name in matcher.families(found):
        found.setdefault(name, 1.0)
    return found


def _stated(measures: dict[str, float], keys: Keys, matcher: Matcher) -> Iterator[Match | None]:
    for record in records(matcher.known).about("growth", keys.reach):
        of = record.dims.get("of", "")
        if of in measures:
            yield keys.match(replace(record, dims={k: v for k, v in record.dims.items() if k not in {"of", "base"}}),
                             measures[of])  # fmt: skip


def _before(record: Known, rows: tuple[Known, ...], days: int) -> Known | None:
    """The record of the same key so many days earlier; the best source where there are several."""
    like = [
        one
        for one in rows
        if (one.entity, one.item, one.unit) == (record.entity, record.item, record.unit)
        and dict(one.dims) == dict(record.dims)
        and abs((record.start - one.start).days - days) <= _APART
        and abs((record.end - one.end).days - days) <= _APART
        and one.best > 0
    ]
    return min(like, key=lambda one: one.order) if like else None


def _change(before: Known, after: Known) -> Known:
    """The change from one record to another as a record of its own."""
    best = after.best / before.best - 1
    low, high = after.low / before.high - 1, after.high / before.low - 1
    worse = before if before.order > after.order else after
    return replace(
        after, id=f"{after.id}/{before.id}", kind="arithmetic", measure="growth", low=min(low, best), best=best,
        high=max(high, best), unit="fraction", basis="", own=worse.own, recalled=worse.recalled,
        start=after.start or date.min,
    )  # fmt: skip
