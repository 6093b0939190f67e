"""What a number rests on: which observations narrowed it, and what would narrow it most if it were known better.

Both by regression over members. Of the variance V of the log of a number, an observation with predicted log d and error e
takes cov(number, d)^2 / (var d + e^2) / V: over prior members what it did take, over posterior members what it would still
take if its error fell to a quarter. Of a parameter or belief (all its knots together) the posterior share that it explains
is what knowing it would take away: the expected value of perfect information about it, in variance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.calibration._calibrate import counted
from chipweir.calibration._likelihood import DISCREPANCY
from chipweir.calibration._observations import Observation, observations, read
from chipweir.calibration._predict import LAST_MONTH
from chipweir.calibration._quantity import FloatArray, quantity
from chipweir.errors import InputError
from chipweir.world import (
    Scenario,
    Task,
    assemble,
    believing,
    cells,
    draw,
    parameters,
    run_task,
    series_of,
    shipped_posterior,
)


if TYPE_CHECKING:
    from chipweir.facts import Facts

MEMBERS, SEED, _CHUNK = 512, 0, 128
# A quarter of an error is left where something is "known better".
_BETTER = 0.25


@dataclass(frozen=True)
class Share:
    """A share of the variance of the log of a number; `facts` are those behind it where it is a belief."""

    name: str
    title: str
    title_ko: str
    share: float
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Of one number: its 5 to 95 % before and after, what narrowed it and what would."""

    quantity: str
    month: str
    prior: tuple[float, float, float]
    fitted: tuple[float, float, float]
    narrowed_by: tuple[Share, ...]
    observe_better: tuple[Share, ...]
    know_better: tuple[Share, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def evidence(
    scenario: Scenario, facts: "Facts", text: str, month: str, top: int = 8, members: int = MEMBERS
) -> Evidence:
    """What narrowed the quantity `text` (`compute[region=CHN]`) in a month, and what would narrow it most.

    Raises `InputError` for a month that the scenario does not cover or a number that is the same in every member.
    """
    if not scenario.start <= month <= scenario.end:
        raise InputError(f"{scenario.name} runs from {scenario.start} to {scenario.end}, not in {month}")
    asked = quantity(text, "quantity")
    at = int((np.datetime64(month, "M") - np.datetime64(scenario.start, "M")).astype(int))
    place = at // 12 if asked.axis == "year" else at
    rows = [o for o in observations(facts) if o.end <= min(LAST_MONTH, scenario.end)]
    rows = [rows[i] for i in counted(rows)]
    held = shipped_posterior()
    inputs = assemble(scenario, facts)
    numbers, told, drawn = [], [], []
    for beliefs in (None, held):
        with believing(beliefs):
            own = draw(members, SEED)
        values, predicted = [], []
        for start in range(0, members, _CHUNK):
            kept = run_task(
                Task(scenario.name, start, inputs, {name: v[start : start + _CHUNK] for name, v in own.items()})
            )
            values.append(asked.of(kept)[:, place])
            predicted.append(read(rows, kept))
        numbers.append(np.log(np.maximum(np.concatenate(values), 1e-12)))
        told.append(np.concatenate(predicted))
        drawn.append(own)
    if min(number.std() for number in numbers) < 1e-9:
        raise InputError(f"{text} in {month} is the same in every member")
    before = _taken(numbers[0], told[0], rows, 1.0)
    after = _taken(numbers[1], told[1], rows, _BETTER) - _taken(numbers[1], told[1], rows, 1.0)
    return Evidence(
        text,
        month,
        _interval(numbers[0]),
        _interval(numbers[1]),
        _best(rows, before, top),
        _best(rows, after, top),
        _known(numbers[1], drawn[1], facts, top),
    )


def _interval(values: FloatArray) -> tuple[float, float, float]:
    low, middle, high = np.exp(np.quantile(values, [0.05, 0.5, 0.95]))
    return float(low), float(middle), float(high)


def _taken(number: FloatArray, told: FloatArray, rows: Sequence[Observation], left: float) -> FloatArray:
    """Share of the variance of a number that each observation takes, its own error times `left`, `[row]`."""
    x, d = number - number.mean(), told - told.mean(0)
    error = np.array([left**2 * o.scale**2 + DISCREPANCY**2 for o in rows])
    chance = 2 / len(number)  # what members of no relation share by chance
    share = (x @ d / len(x)) ** 2 / (d.var(0) + error) / x.var()
    return np.asarray(np.maximum(share - chance, 0.0))


def _best(rows: Sequence[Observation], shares: FloatArray, top: int) -> tuple[Share, ...]:
    """The observations with the largest shares, the best of each series alone."""
    found: dict[str, Share] = {}
    for i in np.argsort(-shares):
        row = rows[i]
        if shares[i] > 0 and row.series not in found:
            found[row.series] = Share(row.id, row.title, row.title_ko, float(shares[i]), (row.id,))
        if len(found) == top:
            break
    return tuple(found.values())


def _known(number: FloatArray, drawn: Mapping[str, FloatArray], facts: "Facts", top: int) -> tuple[Share, ...]:
    """Parameters and beliefs by the share of the variance that they explain, adjusted for how many numbers they are."""
    x = number - number.mean()
    found = []
    for name, parameter in parameters().items():
        values = drawn[name] if drawn[name].ndim > 1 else drawn[name][:, None]
        centred = (values - values.mean(0)) / np.maximum(values.std(0), 1e-12)
        fit, *_rest = np.linalg.lstsq(centred, x, rcond=None)
        explained = 1 - float(((x - centred @ fit) ** 2).sum() / (x**2).sum())
        count = centred.shape[1]
        adjusted = 1 - (1 - explained) * (len(x) - 1) / max(len(x) - count - 1, 1)
        if adjusted > 0.005:
            behind = _behind(name, facts)
            found.append(Share(name, parameter.description, parameter.description_ko, adjusted, behind))
    return tuple(sorted(found, key=lambda share: -share.share)[:top])


def _behind(name: str, facts: "Facts") -> tuple[str, ...]:
    """Facts that the tables of a belief refer to."""
    series = {each.replace("_", "-") for each in series_of(name)}
    named = (
        term.name
        for key, cell in cells(facts).items()
        if key[0] == "series" and key[1] in series
        for term in cell.derived.terms
        if term.kind == "fact"
    )
    return tuple(dict.fromkeys(named))[:6]
