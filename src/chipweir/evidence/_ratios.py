"""How many times one thing is another: what is on record about the pair, else the quotient of what is on record of each.

The two things are told by comparison ("than the H20", "H100의 60%"), the respect by a word beside the figure. A stated
fact about the pair comes before a quotient of datasheets; a quotient of datasheets says nothing about how fast training
or inference runs.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from chipweir.evidence._compare import NEARLY, claimed
from chipweir.evidence._known import Known, records
from chipweir.evidence._match import Matcher
from chipweir.evidence._scene import EARLIER, OWN, Scene, Seen
from chipweir.evidence._verdict import Status
from chipweir.evidence._vocabulary import vocabulary


_PAIRS = ("performance_ratio", "compute_ratio", "price_ratio", "capex_ratio", "training_compute_ratio")
# How far from datasheets a statement of speed or efficiency may lie before they deny it: they are of workloads.
_LENIENT = {"compute": 1.3, "efficiency": 2.5}
_KINDS = frozenset({"chip", "system", "language-model"})
_RUNS = re.compile(r"추론|학습|훈련|실측|inference|training|throughput|推理|训练|訓練", re.I)
_ON_TOP = re.compile(
    r"^\s?(?:더 )?(?:빠르|높|많|크|증가|늘|우수|앞서|비싸)|"
    r"^\s?(?:more|higher|faster|larger|greater|better|bigger)|^(?:以上)?更"
)
_UNDER = re.compile(r"^\s?(?:낮|적|작|저렴|싸|떨어)|^\s?(?:less|lower|slower|smaller|cheaper|fewer)")
_LATTER = re.compile(r"^[\s\"'“‘]*(?:The latter|후자|后者|後者)")
_FORMER = re.compile(r"^[\s\"'“‘]*(?:The former|전자는|전자가|前者)")
_IT = re.compile(r"^[\s\"'“‘]*(?:It\b|Its\b|The (?:chip|system|model|card)|이는|이 칩|이 제품|该|該|其)")


@dataclass(frozen=True, slots=True)
class Quotient:
    """A ratio on record: its interval, what it is of and the records it comes from; `first` is the usual measure of the
    respect, others (another precision) only bear on it."""

    low: float
    best: float
    high: float
    name: str
    of: tuple[Known, ...]
    first: bool = True


@dataclass(frozen=True, slots=True)
class Ratio:
    """The verdict on a ratio: the status, and the quotients that were compared, the deciding one first."""

    status: Status
    quotients: tuple[Quotient, ...]


def judge_ratio(scene: Scene, matcher: Matcher, text: str) -> Ratio | None:
    """The verdict on a figure that says how many times one thing is another; None where it does not."""
    figure = scene.figure
    if figure.unit not in {"ratio", "fraction"} or figure.type == "percentage_point":
        return None
    sentence = text[scene.start : scene.end]
    pair = _pair(scene, text)
    if pair is None:
        return None
    readings = _readings(scene, text)
    stated = list(_stated(pair, matcher))
    found = stated or ([] if _RUNS.search(sentence) else list(_quotients(pair, scene, matcher)))
    if not found:
        return Ratio("unsupported", ())
    agreeing = [one for one in found if any(_meets(reading, one) for reading in readings)]
    if agreeing:
        rest = (one for one in found if one not in agreeing)
        return Ratio("consistent" if any(one.first for one in agreeing) else "imprecise", (*agreeing, *rest))
    if any(_nearly(reading, one, NEARLY) for reading in readings for one in found):
        return Ratio("imprecise", tuple(found))
    lenient = 1.0 if stated else _LENIENT.get(_respect(scene), 1.0)
    if any(_nearly(reading, one, lenient) for reading in readings for one in found):
        return Ratio("unsupported", tuple(found))
    return Ratio("contradicted", tuple(found))


def _pair(scene: Scene, text: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """What is measured and what it is measured against: the ids each may stand for."""
    things = [one for one in scene.things if one.level < EARLIER and one.kind in _KINDS]
    against = [one for one in things if one.against]
    if not against:
        return None
    base = min(against, key=lambda one: (one.level, one.gap))
    own = [one for one in things if not one.against and not set(one.ids) & set(base.ids)]
    if own:
        first = min(own, key=lambda one: (one.level != OWN, one.start))
        return first.ids, base.ids
    back = _spoken_of(scene, text, base)
    return (back.ids, base.ids) if back is not None else None


def _spoken_of(scene: Scene, text: str, base: Seen) -> Seen | None:
    """What a pronoun at the head of the sentence points back to."""
    before = sorted(
        (
            one
            for one in scene.things
            if one.level == EARLIER and one.kind in _KINDS and not set(one.ids) & set(base.ids)
        ),
        key=lambda one: one.start,
    )
    head = text[scene.start : scene.start + 24]
    if not before or scene.start < before[-1].end:
        return None
    if _LATTER.match(head):
        return before[-1]
    if _FORMER.match(head):
        return before[-2] if len(before) > 1 else None
    return before[0] if _IT.match(head) else None


def _readings(scene: Scene, text: str) -> list[tuple[float, float]]:
    """What the words may mean as a quotient: N times; N % of, or N % more."""
    figure = scene.figure
    low, high = claimed(figure)
    after = text[figure.end : figure.end + 16]
    if figure.unit == "fraction":
        if _ON_TOP.match(after) or figure.change == "rise":
            return [(1 + low, 1 + high)]
        if _UNDER.match(after) or figure.change == "fall":
            return [(1 - abs(high), 1 - abs(low)), (1 + low, 1 + high)]
        return [(low, high)]
    if _ON_TOP.match(after) or "increment-or-factor" in figure.flags:
        return [(low, high), (1 + low, 1 + high)]
    if _UNDER.match(after) and low > 0:
        return [(1 / high, 1 / low)]
    return [(low, high)]


def _stated(pair: tuple[tuple[str, ...], tuple[str, ...]], matcher: Matcher) -> Iterator[Quotient]:
    """Facts about the very pair."""
    for record in records(matcher.known).of(_PAIRS):
        reference = record.dims.get("reference", "")
        if (record.entity in pair[0] or record.item in pair[0]) and reference in pair[1]:
            yield Quotient(record.low, record.best, record.high, record.measure, (record,))


def _respect(scene: Scene) -> str:
    """The respect that the nearest word beside a figure names."""
    words = [one for one in scene.of_kind("attribute") if one.level <= OWN + 1]
    return min(words, key=lambda one: one.gap).ids[0] if words else ""


def _quotients(pair: tuple[tuple[str, ...], tuple[str, ...]], scene: Scene, matcher: Matcher) -> Iterator[Quotient]:
    """Quotients of the fields that the words beside the figure name; of the compute where they name none."""
    words = [one for one in scene.of_kind("attribute") if one.level <= OWN + 1]
    near = min((one.gap for one in words), default=math.inf)
    names = {name for one in words if one.gap <= near for name in one.ids}
    table = vocabulary()["attributes"]
    for name in sorted(names):
        first = True
        for field in table[name]["fields"]:
            for one in _of_field(field, pair, matcher):
                yield replace(one, first=first)
                first = False


def _of_field(field: str, pair: tuple[tuple[str, ...], tuple[str, ...]], matcher: Matcher) -> Iterator[Quotient]:
    over, _, under = field.partition("/")
    for a, b in product(pair[0], pair[1]):
        left, right = _value(over, a, matcher), _value(over, b, matcher)
        if left is None or right is None:
            continue
        low, best, high = left.low / right.high, left.best / right.best, left.high / right.low
        of: tuple[Known, ...] = (left, right)
        if under:
            cost, other = _value(under, a, matcher), _value(under, b, matcher)
            if cost is None or other is None:
                continue
            low, best, high = low * other.low / cost.high, best * other.best / cost.best, high * other.high / cost.low
            of = (left, right, cost, other)
        yield Quotient(low, best, high, f"{over} per W" if under else over, of)


def _value(field: str, identifier: str, matcher: Matcher) -> Known | None:
    """The best value on record of a product's field, whatever its table calls it."""
    names = {"half_tflops": ("bf16_tflops", "fp16_tflops"), "total_params_b": ("parameters",)}.get(field, (field,))
    for name in names:
        for measure in (f"spec:{name}", name, {"context": "context_length"}.get(name, name)):
            rows = [
                r for r in records(matcher.known).by_measure.get(measure, ()) if r.entity == identifier and r.best > 0
            ]
            if rows:
                return min(rows, key=lambda one: (not one.value.preferred, *one.order))
    return None


def _slack(one: Quotient) -> tuple[float, float]:
    return one.low * 0.98, one.high * 1.02


def _meets(said: tuple[float, float], one: Quotient) -> bool:
    low, high = _slack(one)
    return said[0] <= high and low <= said[1]


def _nearly(said: tuple[float, float], one: Quotient, reach: float) -> bool:
    low, high = _slack(one)
    return said[0] <= high * reach and low / reach <= said[1]
