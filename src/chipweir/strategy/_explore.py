"""Explore: what one outcome hangs on, and in which futures it passes a line."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.strategy._cells import Cells, Design, Plan, unit_of
from chipweir.strategy._futures import columns_of
from chipweir.strategy._prim import Box, prim
from chipweir.strategy._sensitivity import LEAST_MEMBERS, Found, given_data, sobol_design, sobol_indices
from chipweir.strategy._spread import spread


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.store import Mapper
    from chipweir.world import Parameter, Scenario

FloatArray = npt.NDArray[np.float64]
Progress = Callable[[float, str], None]

LEVERS_FROM = "2027-01"
SETTINGS = 32
"""Settings of the levers that are tried, each with draws of its own."""
USUAL_QUANTILE = 0.8
_WHERE = re.compile(
    r"^\s*(?P<name>[A-Za-z_]\w*)?\s*(?P<sign>>=|<=|>|<)\s*(?P<value>[-+]?\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?)\s*$"
)
_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Question:
    """An outcome of the world in one year, in one scenario, over draws; `levers` that vary too; `sobol` base of a design."""

    scenario: "Scenario"
    variable: str
    labels: Mapping[str, str]
    year: int
    members: int
    seed: int
    levers: tuple[str, ...] = ()
    sobol: int = 0


@dataclass(frozen=True)
class Exploration:
    """Outcome `values` [M] in `unit`, the `columns` {name: [M]} it may hang on, indices, and boxes of where `condition`
    holds (a share `frequency` of members)."""

    question: Question
    unit: str
    values: FloatArray
    columns: Mapping[str, FloatArray]
    found: Found
    condition: str
    frequency: float
    boxes: tuple[Box, ...]


def cells(question: Question, facts: "Facts", directory: Path) -> list[Cells]:
    """The worlds to simulate or read."""
    if question.sobol:
        if question.levers:
            raise InputError("--sobol varies parameters, not --levers; give one of them")
        if question.sobol & (question.sobol - 1) or question.sobol < 8:
            raise InputError(f"--sobol takes a power of two from 8 on, not {question.sobol}")
        names, design = _design(question)
        named = Design(f"sobol {question.sobol} {question.seed}", _at_design(names, design))
        return [Cells([question.scenario], facts, len(design), question.seed, directory, named)]
    if question.members < LEAST_MEMBERS:
        raise InputError(f"--members {question.members} is too few to tell factors apart; give {LEAST_MEMBERS} or more")
    if not question.levers:
        return [Cells([question.scenario], facts, question.members, question.seed, directory)]
    settings = _lever_settings(question)
    each = max(question.members // len(settings), 1)
    return [
        Cells([question.scenario.with_settings(setting)], facts, each, question.seed + 1000 * place, directory)
        for place, setting in enumerate(settings, 1)
    ]


def exploration_cost(question: Question, facts: "Facts", directory: Path) -> Plan:
    """What the call would simulate."""
    plans = [each.plan for each in cells(question, facts, directory)]
    return Plan(len(plans), sum(p.stored for p in plans), plans[0].members, round(sum(p.seconds for p in plans), 1))


def explore(
    question: Question,
    facts: "Facts",
    directory: Path,
    where: str | None = None,
    mapper: "Mapper" = map,
    progress: Progress | None = None,
) -> Exploration:
    """Sensitivity of the outcome and boxes of the futures in which `where` holds (above its 80th percentile if not said)."""
    from chipweir.world import draw

    asked = _asked(where, question.variable)
    parts, columns = [], []
    work = cells(question, facts, directory)
    for place, each in enumerate(work):
        told = None if progress is None else _part(progress, place, len(work))
        (members,) = each.run(mapper, told).values()
        parts.append(members.at(question.year, question.variable, **question.labels))
        drawn = draw(each.members, each.seed) if each.design is None else each.design.parameters
        scenario = next(iter(each.scenarios.values()))
        plain = columns_of(drawn, scenario, question.year)
        columns.append({**plain, **_lever_columns(question, scenario, each.members)})
    values = np.concatenate(parts)
    whole = {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}
    if not np.isfinite(values).any():
        raise InputError(f"{question.variable} has no value in {question.year} of {question.scenario.name}")
    if question.sobol:
        names, _cube = _design(question)
        found = sobol_indices(names, np.nan_to_num(values, nan=float(np.nanmedian(values))), question.seed)
    else:
        found = given_data(whole, values, question.seed)
    condition, holds = _condition(asked, question.variable, values)
    top = [index.name for index in found.of("sobol_total" if question.sobol else "pawn")][:25]
    known = np.isfinite(values) & _independent(question, len(values))
    boxes = prim({name: whole[name][known] for name in top}, holds[known]) if known.any() else []
    return Exploration(
        question,
        unit_of(question.variable),
        values,
        whole,
        found,
        condition,
        float(holds[np.isfinite(values)].mean()),
        tuple(boxes),
    )


def _independent(question: Question, count: int) -> npt.NDArray[np.bool_]:
    """Members that are independent draws `[M]`: all of an ensemble; of Saltelli's design the first and the last of each
    block, since those between repeat their values. None where these are too few to describe."""
    if not question.sobol:
        return np.ones(count, dtype=bool)
    block = count // question.sobol
    place = np.arange(count) % block
    chosen = (place == 0) | (place == block - 1)
    return np.asarray(chosen & (chosen.sum() >= LEAST_MEMBERS), dtype=bool)


def _part(progress: Progress, place: int, count: int) -> Progress:
    return lambda share, text: progress((place + share) / count, text)


def _asked(where: str | None, variable: str) -> tuple[str, float] | None:
    """Sign and line of a condition; None where none is said. Raises `InputError` for what is none."""
    if where is None:
        return None
    match = _WHERE.match(where)
    if match is None or (match["name"] and match["name"] not in (variable, "outcome", "OUTCOME")):
        raise InputError(f"--where '{where}': write '{variable} > 1e6' (or <, >=, <=)")
    return match["sign"], float(match["value"].replace("_", ""))


def _condition(asked: tuple[str, float] | None, variable: str, values: FloatArray) -> tuple[str, npt.NDArray[np.bool_]]:
    """The condition as text and where it holds `[M]`; above the usual quantile where none is asked for."""
    if asked is None:
        line = float(np.nanquantile(values, USUAL_QUANTILE))
        return f"{variable} > {line:.6g}", np.asarray(values > line, dtype=bool)
    sign, line = asked
    with np.errstate(invalid="ignore"):
        return f"{variable} {sign} {line:g}", np.asarray(_SIGNS[sign](values, line), dtype=bool)


def _varied(question: Question) -> "dict[str, Parameter]":
    """The parameters that a design varies: all but those of events where the scenario draws none."""
    from chipweir.world import parameters

    return {name: each for name, each in parameters().items() if question.scenario.events or each.group != "events"}


def _design(question: Question) -> tuple[list[str], FloatArray]:
    """The factors and Saltelli's design over them `[M, columns]`: a parameter of many numbers, such as the knots of a path,
    is one factor of as many columns."""
    known = _varied(question)
    groups = [name for name, parameter in known.items() for _each in range(parameter.count)]
    return list(known), sobol_design(groups, question.sobol, question.seed)


def _at_design(names: Sequence[str], design: FloatArray) -> dict[str, FloatArray]:
    """The parameters at a design's points, `{name: [M] or [M, count]}`; those that it does not vary at their median."""
    from chipweir.world import parameters

    found, start = {}, 0
    for name, parameter in parameters().items():
        if name not in names:
            found[name] = np.full((len(design), parameter.count), parameter.central)
            continue
        columns = design[:, start : start + parameter.count]
        start += parameter.count
        found[name] = parameter.at(_scores(columns if parameter.count > 1 else columns[:, 0]))
    return found


def _scores(share: FloatArray) -> FloatArray:
    """Standard normal scores at shares of the distribution; its outermost thousandths are cut off."""
    from scipy.special import ndtri

    scores: FloatArray = ndtri(np.clip(share, 0.001, 0.999))
    return scores


def _lever_settings(question: Question) -> list[dict[str, object]]:
    """Settings of the levers spread over their ranges (Latin hypercube), from `LEVERS_FROM` on."""
    from scipy.stats import qmc

    from chipweir.world import find_lever

    records = [(name, find_lever(name)[0]) for name in question.levers]
    count = min(SETTINGS, max(question.members // 8, 4))
    spread = qmc.LatinHypercube(len(records), seed=question.seed).random(count)
    settings = []
    for row in spread:
        setting: dict[str, object] = {}
        for share, (name, lever) in zip(row, records, strict=True):
            if lever.kind == "number":
                setting[name] = {LEVERS_FROM: float(lever.minimum + share * (lever.maximum - lever.minimum))}
            else:
                choices: Sequence[object] = list(lever.choices) or [0, 1]
                setting[name] = {LEVERS_FROM: choices[min(int(share * len(choices)), len(choices) - 1)]}
        settings.append(setting)
    return settings


def _lever_columns(question: Question, scenario: "Scenario", members: int) -> dict[str, FloatArray]:
    """The levers' values in the question's year, one column each."""
    from chipweir.world import find_lever

    found = {}
    for name in question.levers:
        lever, _product = find_lever(name)
        value = float(scenario.series(name, [f"{question.year}-12"])[0])
        found[name] = np.full(members, lever.code(lever.default) if np.isnan(value) else value)
    return found


def exploration_document(exploration: Exploration, texts: Mapping[str, list[str]]) -> dict[str, Any]:
    """The answer as JSON; `texts` are the boxes in words by language."""
    q = exploration.question
    boxes = []
    for place, box in enumerate(exploration.boxes):
        limits = {name: [None if np.isinf(a) else a, None if np.isinf(b) else b] for name, (a, b) in box.limits.items()}
        boxes.append(
            {
                "limits": limits,
                "coverage": box.coverage,
                "density": box.density,
                "mass": box.mass,
                "quasi_p": dict(box.quasi_p),
                "text": {language: lines[place] for language, lines in texts.items()},
            }
        )
    return {
        "outcome": {
            "variable": q.variable,
            "labels": dict(q.labels),
            "year": q.year,
            "unit": exploration.unit,
            "scenario": q.scenario.name,
            "members": len(exploration.values),
            "seed": q.seed,
            **spread(exploration.values),
        },
        "indices": [index.as_dict() for index in exploration.found.indices],
        "noise": dict(exploration.found.noise),
        "where": {"condition": exploration.condition, "share": exploration.frequency},
        "boxes": boxes,
    }
