"""Observations: facts that the model's own quantities can be compared with, each with its error and its series.

They are derived, not copied: a fact of nature `observation` whose measure has a place in the model (`measures.csv`, and
`comparisons.csv` where a measure has several) becomes a row. Errors are in log. A fact that says only that something is
at least or at most so large counts on one side.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib import resources
from math import log, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.calibration._quantity import FloatArray, Kept, Quantity, quantity
from chipweir.errors import InputError, UnknownName
from chipweir.facts import derive
from chipweir.world import FIRST_MONTH, variables


if TYPE_CHECKING:
    from chipweir.facts import Fact, Facts

OPERATIONS = ("sum", "mean", "at")
BOUNDS = ("", "at_least", "at_most", "record")
_ADDS = {"sum": "sum", "mean": "mean", "last": "at", "": "mean"}
# Normal score of the 95th percentile: a source's own range is taken as its 5 to 95 %.
SCORE_95 = 1.6448536269514722
# Least error in log, whatever a source says of itself.
_LEAST = 0.02
# Log by which the largest run may stand above the published record at one sigma: runs are published late or not at all.
_UNPUBLISHED = log(2)


@dataclass(frozen=True)
class Observation:
    """A published number and how the model's own is read off.

    `operation` over the months `start` to `end` (sum, mean, or at the last). `low`, `central`, `high` are the source's own,
    in the model's unit. `below` and `above` are the errors in log where the model lies below or above it, `shared` the
    part of it that all rows of `series` of one class of source have in common. `bound` says that the number is at least or
    at most what is compared. `echo` marks what the model takes as its input: it is no evidence. `known_by` is the day it
    was known.
    """

    id: str
    quantity: Quantity
    operation: str
    start: str
    end: str
    low: float
    central: float
    high: float
    unit: str
    below: float
    above: float
    shared: float
    series: str
    bound: str = ""
    cls: str = ""
    source: str = ""
    known_by: date = date.min
    title: str = ""
    title_ko: str = ""
    echo: bool = False

    @property
    def middle(self) -> float:
        """Middle of its months, in months since the first."""
        return (_month(self.start) + _month(self.end)) / 2

    @property
    def scale(self) -> float:
        """Its error in log where both sides are alike: the larger, or the one that binds."""
        sides = [side for side in (self.below, self.above) if np.isfinite(side)]
        return max(min(sides), _LEAST) if self.bound else sqrt(sum(side**2 for side in sides) / len(sides))

    def value(self, values: FloatArray) -> FloatArray:
        """The model's number of every member, `[member]`, from its quantity `[member, month or year]`."""
        first, last = _month(self.start), _month(self.end)
        if self.quantity.axis == "year":
            first, last = first // 12, last // 12
        if last >= values.shape[1]:
            raise InputError(f"{self.id} needs {self.end}, which this run does not cover")
        inside = values[:, first : last + 1]
        if self.operation == "sum":
            return np.asarray(inside.sum(1))
        if self.operation == "at":
            return np.asarray(inside[:, -1])
        known = ~np.isnan(inside)
        return np.asarray(np.where(known, inside, 0).sum(1) / np.where(known.any(1), known.sum(1), np.nan))


def read(observations: Sequence[Observation], kept: Kept) -> FloatArray:
    """Logs of the model's numbers `[member, observation]` from the outputs of members; never below 1e-12."""
    series = {text: quantity(text).of(kept) for text in dict.fromkeys(o.quantity.text for o in observations)}
    values = np.stack([o.value(series[o.quantity.text]) for o in observations], axis=1)
    return np.asarray(np.log(np.maximum(np.nan_to_num(values, nan=1e-12), 1e-12)))


def logs(observations: Sequence[Observation]) -> FloatArray:
    """Logs of what was observed, `[observation]`."""
    return np.log([o.central for o in observations])


def observations(facts: "Facts") -> tuple[Observation, ...]:
    """Every observation that these facts give, in the order of their series and months; echo flags are not yet set."""
    found: dict[str, Observation] = {}
    for fact in facts.facts.values():
        if fact.nature == "observation" and not fact.same_as:
            row = compared(fact, facts)
            if row is not None:
                found[fact.id] = row
    kept = _finest(_records(found.values()))
    return tuple(sorted(kept, key=lambda o: (o.quantity.text, o.series, o.middle, o.id)))


def _month(text: str) -> int:
    return int((np.datetime64(text, "M") - np.datetime64(FIRST_MONTH, "M")).astype(int))


@cache
def _table(name: str) -> tuple[Mapping[str, str], ...]:
    text = (resources.files("chipweir.calibration") / "data" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def _comparisons() -> Mapping[str, tuple[Mapping[str, Any], ...]]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for line, row in enumerate(_table("comparisons"), 2):
        if row["bound"] not in (*BOUNDS, "none"):
            raise InputError(f"comparisons.csv line {line}: bound '{row['bound']}' is none of {', '.join(BOUNDS)}")
        needs = dict(pair.split("=", 1) for pair in row["where"].split(";") if pair)
        grouped.setdefault(row["measure"], []).append({**row, "where": needs, "line": line})
    return {measure: tuple(rows) for measure, rows in grouped.items()}


@cache
def errors() -> Mapping[str, tuple[float, float]]:
    """Error in log of a number without a range of its own, by class of source, and its part that a series shares."""
    return {row["class"]: (float(row["error"]), float(row["shared"])) for row in _table("errors")}


def compared(fact: "Fact", facts: "Facts") -> Observation | None:
    """A fact as an observation of a quantity of the model, whatever its nature; None where there is none such."""
    place = _place(fact, facts)
    if place is None:
        return None
    text, operation, bound, since, least = place
    bound = bound or fact.value.bound
    where = f"fact {fact.id}"
    months = _months(fact.start, fact.end)
    if months is None or months[0] < (since or FIRST_MONTH):
        return None
    compared = quantity(text, where)
    if compared.axis == "year" and not (months[0].endswith("-01") and months[1].endswith("-12")):
        return None
    if operation == "since":
        months, operation = (FIRST_MONTH, months[1]), "sum"
    low, central, high = _in_unit(fact, facts)
    if central <= 0 or low < 0:
        if high <= 0:
            return None
        low, central, bound = high, high, "at_most"  # none were seen: at most the source's upper end
    below, above, shared = _sides(fact, low, central, high, bound, least)
    measured = facts.measures[fact.measure]
    entity = facts.entities.get(fact.entity)
    name = (entity.names.en if entity else "") or fact.entity
    named = (name, (entity.names.ko if entity else "") or _items().get(name, name))
    what = [f" {text.removeprefix(f'{name} ')}" if text else "" for text in _item(fact, facts)]
    return Observation(
        id=fact.id,
        quantity=compared,
        operation=operation,
        start=months[0],
        end=months[1],
        low=low,
        central=central,
        high=high,
        unit="USD" if measured.unit == "USD" else "" if measured.unit == "percent" else measured.unit,
        below=below,
        above=above,
        shared=shared,
        series=compared.text,
        bound=bound,
        cls=fact.value.cls,
        source=fact.value.source,
        known_by=fact.known_by,
        title=f"{named[0]}{what[0]}: {measured.titled('en')}, {fact.when}",
        title_ko=f"{named[1]}{what[1]}: {measured.titled('ko')}, {_when_ko(fact.when)}",
    )


def _item(fact: "Fact", facts: "Facts") -> tuple[str, str]:
    """What a fact is of, in English and in Korean: as the source words it, else the name of what it points to."""
    if fact.item:
        return fact.item, _items().get(fact.item, fact.item)
    if fact.item_id in facts.chips:
        return (facts.chips[fact.item_id].name,) * 2
    entity = facts.entities.get(fact.item_id)
    return (entity.names.en, entity.names.ko or entity.names.en) if entity else (fact.item_id,) * 2


def _when_ko(text: str) -> str:
    """A period as the facts word it, in Korean: spans, ends and quarters that were summed."""
    said = re.sub(r"^through (\S+)", r"\1까지", text)
    said = re.sub(r"(\d) to (\d)", r"\1~\2", said)
    return said.replace("(Jan-Nov)", "(1~11월)").replace("(Q1-Q4 sum)", "(1~4분기 합)")


@cache
def _items() -> Mapping[str, str]:
    """Korean of what sources call the items of observations, and of sums that have no Korean name."""
    return {row["item"]: row["ko"] for row in _table("items")}


def _place(fact: "Fact", facts: "Facts") -> tuple[str, str, str, str, float] | None:
    """Quantity, operation, bound, first month and least error of what a fact is compared with."""
    home = facts.entities.get(fact.entity)
    country = facts.countries.get(home.country) if home else None
    quarter = f"{fact.end.year}Q{(fact.end.month + 2) // 3}"
    where = {"entity": fact.entity, "item": fact.item_id, "year": str(fact.end.year), "quarter": quarter}
    keys = {**where, "country": country.alpha3 if country else "", **fact.dims}
    adds = _ADDS[facts.measures[fact.measure].adds]
    for row in _comparisons().get(fact.measure, ()):
        if all((keys.get(name) or "-") == value for name, value in row["where"].items()):
            if row["bound"] == "none" or ("{country}" in row["quantity"] and not keys["country"]):
                return None
            text = row["quantity"].format_map({**keys, "country": keys["country"]})
            return text, row["operation"] or adds, row["bound"], row["since"], float(row["error"] or _LEAST)
    found = facts.model_variable(fact)
    if found is None:
        return None
    variable, selection = found
    labels = " ".join(f"{dim}={label}" for dim, label in selection.items())
    known = {row["name"] for row in variables()}
    return (f"{variable}[{labels}]" if labels else variable, adds, "", "", _LEAST) if variable in known else None


def _months(start: date, end: date) -> tuple[str, str] | None:
    """First and last month whose middle lies in the period, or the month of a period without one; None before the model."""
    first = start.year * 12 + start.month - 1 + (start.day > 15)
    last = end.year * 12 + end.month - 1 - (end.day < 15)
    if first > last:
        first = last = start.year * 12 + start.month - 1
    text = tuple(f"{each // 12}-{each % 12 + 1:02d}" for each in (first, last))
    return None if text[0] < FIRST_MONTH else (text[0], text[1])


def _in_unit(fact: "Fact", facts: "Facts") -> tuple[float, float, float]:
    """Low, central and high of a fact in the model's unit: dollars of their date, shares as fractions."""
    low, high = fact.value.interval
    unit, target = fact.value.unit, facts.measures[fact.measure].unit
    if unit == "percent":
        return low / 100, fact.value.best / 100, high / 100
    if unit in facts.rates and target == "USD":
        middle = (fact.start + (fact.end - fact.start) / 2).strftime("%Y-%m")
        rate = facts.convert(1.0, unit, "USD", middle)
        return low * rate, fact.value.best * rate, high * rate
    if unit != target and target:
        found = derive(fact.id, facts, target, f"fact {fact.id}")
        return found.low, found.central, found.high
    return low, fact.value.best, high


def _sides(
    fact: "Fact", low: float, central: float, high: float, bound: str, least: float
) -> tuple[float, float, float]:
    error, share = errors()[fact.value.cls]
    below = log(central / low) / SCORE_95 if 0 < low < central else error
    above = log(high / central) / SCORE_95 if high > central else error
    below, above = max(below, least, _LEAST), max(above, least, _LEAST)
    if bound in ("at_least", "record"):
        above = float("inf") if bound == "at_least" else _UNPUBLISHED
    if bound == "at_most":
        below = float("inf")
    return below, above, share


def _records(rows: Iterable[Observation]) -> list[Observation]:
    """Of the rows that are records, those that were one when they were made."""
    out, best = [], dict[str, float]()
    for row in sorted(rows, key=lambda o: (o.end, -o.central)):
        if row.bound != "record":
            out.append(row)
        elif row.central > best.get(row.quantity.text, 0.0):
            best[row.quantity.text] = row.central
            out.append(row)
    return out


def _finest(rows: Sequence[Observation]) -> list[Observation]:
    """Without the longer periods that shorter ones of the same series add up to: a number counts once."""
    by_series: dict[str, list[Observation]] = {}
    for row in rows:
        by_series.setdefault(row.series if row.operation == "sum" else row.id, []).append(row)
    kept = []
    for group in by_series.values():
        for row in group:
            months, length = set(range(_month(row.start), _month(row.end) + 1)), _month(row.end) - _month(row.start)
            for other in group:
                if _month(other.end) - _month(other.start) < length:
                    months -= set(range(_month(other.start), _month(other.end) + 1))
            if months:
                kept.append(row)
    return kept


_COLUMNS = ("variable", "selection", "operation", "start", "end", "scale", "low", "central", "high", "source")


def read_observations(path: Path) -> tuple[Observation, ...]:
    """A user's own observations from a CSV file, one a line. Raises `InputError` or `UnknownName` with the line."""
    from chipweir import reading

    rows = reading.read_records(path, "observations")
    if not rows:
        raise InputError(f"{path}: no observations; the columns are {', '.join(_COLUMNS)}")
    missing = [name for name in ("variable", "operation", "start", "end", "central") if name not in rows[0][1]]
    if missing:
        raise InputError(f"{path}: no column '{missing[0]}'; the columns are {', '.join(_COLUMNS)}")
    return tuple(_own(row, f"{path}:{line}", line) for line, row in rows)


def _own(row: Mapping[str, str], where: str, line: int) -> Observation:
    labels = " ".join((row.get("selection") or "").replace(";", " ").split())
    variable = (row["variable"] or "").strip()
    known = {each["name"]: each for each in variables()}
    if variable not in known:
        raise UnknownName("variable", variable, known, where)
    operation = row["operation"].strip()
    if operation not in OPERATIONS:
        raise UnknownName("operation", operation, OPERATIONS, where)
    try:
        scale = float(row.get("scale") or 1)
        central = float(row["central"]) / scale
        low, high = (float(row.get(side) or row["central"]) / scale for side in ("low", "high"))
        start, end = (str(np.datetime64(row[side].strip()[:7], "M")) for side in ("start", "end"))
    except (ValueError, TypeError, ZeroDivisionError):
        raise InputError(
            f"{where}: numbers and months such as 2026-03 are expected in scale, low, central, high, start, end"
        ) from None
    if not central > 0 or not low <= central <= high:
        raise InputError(f"{where}: low <= central <= high above zero are expected, not {low:g}, {central:g}, {high:g}")
    if start > end or start < FIRST_MONTH:
        raise InputError(f"{where}: months from {FIRST_MONTH} on are expected, not {start} to {end}")
    error = errors()["official"][0]
    below = log(central / low) / SCORE_95 if 0 < low < central else error
    above = log(high / central) / SCORE_95 if high > central else error
    text = f"{variable}[{labels}]" if labels else variable
    return Observation(
        id=f"line-{line}", quantity=quantity(text, where), operation=operation, start=start, end=end, low=low,
        central=central, high=high, unit=known[variable]["unit"], below=max(below, _LEAST), above=max(above, _LEAST),
        shared=0.0, series=text, source=row.get("source") or "", title=text, title_ko=text,
        known_by=date.max,
    )  # fmt: skip


def with_echo(rows: Sequence[Observation], echoes: Iterable[str]) -> tuple[Observation, ...]:
    """The rows with the echo flag where their id is among `echoes`."""
    marked = set(echoes)
    return tuple(replace(row, echo=row.id in marked) for row in rows)
