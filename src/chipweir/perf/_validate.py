"""How wrong the estimates are on a table of measurements, beside what a datasheet and two numbers reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._baselines import baseline
from chipweir.perf._batch import Row, predict_rows
from chipweir.perf._efficiency import Posterior, shipped
from chipweir.perf._intervals import unseen_spreads
from chipweir.perf._measured import measured, stated


QUANTITIES = ("tpot_ms", "ttft_ms", "output_tok_s_chip", "total_tok_s_chip", "input_tok_s_chip", "tokens_s_chip_train",
              "step_time_s", "power_w_chip", "j_per_output_token")  # fmt: skip
GROUPS = ("family", "phase", "chip", "model")
SATURATED_MS = 100_000.0


@dataclass(frozen=True)
class Score:
    """Errors of n predictions: absolute percentage (median, mean), bias (median of ln predicted / measured), share
    inside 80 %."""

    n: int
    median: float
    mean: float
    bias: float
    coverage: float

    def record(self) -> dict[str, float]:
        """As plain numbers, rounded."""
        return {"n": self.n, "median_ape": round(self.median, 4), "mean_ape": round(self.mean, 4),
                "bias_log": round(self.bias, 4), "coverage_80": round(self.coverage, 4)}  # fmt: skip


def score(predicted: np.ndarray, observed: np.ndarray, low: np.ndarray, high: np.ndarray) -> Score:
    """Errors of positive numbers [n]. Raises `InputError` for none."""
    if len(observed) == 0:
        raise InputError("nothing to score")
    error = np.abs(predicted / observed - 1.0)
    inside = (low <= observed) & (observed <= high)
    return Score(
        len(observed),
        float(np.median(error)),
        float(error.mean()),
        float(np.median(np.log(predicted / observed))),
        float(inside.mean()),
    )


def validate(rows: Sequence[Row], posterior: Posterior | None = None) -> dict[str, Any]:
    """Error tables of a table of measurements: overall and by family, phase, chip and model; baselines on the same
    rows.

    A time to first token above 100 s belongs to a saturated queue and is not scored. Raises `InputError` if nothing
    can be scored.
    """
    answers = predict_rows(rows, posterior)
    pairs = _pairs(rows, answers)
    if not pairs:
        raise InputError("no row has both a measurement and a prediction")
    reasons: dict[str, int] = {}
    for answer in answers:
        if "reason" in answer:
            reasons[answer["reason"]] = reasons.get(answer["reason"], 0) + 1
    return {
        "rows": len(rows), "predicted": sum("predictions" in a for a in answers), "without": reasons,
        "overall": {q: _score_of(p).record() for q, p in pairs.items()},
        "groups": {g: _by(rows, pairs, g) for g in GROUPS}, "baselines": _beside(rows, pairs),
    }  # fmt: skip


Pair = list[tuple[int, float, float, float, float]]


def _pairs(rows: Sequence[Row], answers: Sequence[Mapping[str, Any]]) -> dict[str, Pair]:
    """(row, predicted, observed, low, high) of every quantity that is both measured and predicted."""
    pairs: dict[str, Pair] = {}
    for place, (row, answer) in enumerate(zip(rows, answers, strict=True)):
        for quantity in QUANTITIES:
            made = answer.get("predictions", {}).get(quantity)
            seen = _observed(row, quantity)
            if made and seen is not None and not (quantity == "ttft_ms" and seen > SATURATED_MS):
                pairs.setdefault(quantity, []).append((place, made["p50"], seen, made["p10"], made["p90"]))
    return pairs


def _observed(row: Row, quantity: str) -> float | None:
    try:
        value = float(row.get(quantity) or "nan")
    except ValueError:
        return None
    return value if np.isfinite(value) and value > 0 else None


def _score_of(pairs: Pair) -> Score:
    _, predicted, observed, low, high = (np.array(x) for x in zip(*pairs, strict=True))
    return score(predicted, observed, low, high)


def _by(rows: Sequence[Row], pairs: Mapping[str, Pair], group: str) -> dict[str, dict[str, dict[str, float]]]:
    table: dict[str, dict[str, dict[str, float]]] = {}
    for quantity, all_pairs in pairs.items():
        labels = [rows[p[0]].get(group) or "(not stated)" for p in all_pairs]
        for label in sorted(set(labels)):
            chosen = [p for p, name in zip(all_pairs, labels, strict=True) if name == label]
            table.setdefault(label, {})[quantity] = _score_of(chosen).record()
    return table


def _beside(rows: Sequence[Row], pairs: Mapping[str, Pair]) -> dict[str, Any]:
    """Errors of the baselines on the rows that both they and the estimates predict, by quantity."""
    said, tables = baseline(rows), {}
    for quantity, values in said.items():
        both = [pair for pair in pairs.get(quantity, []) if np.isfinite(values[pair[0]])]
        if both:
            places, mine, seen = (np.array(column) for column in list(zip(*both, strict=True))[:3])
            tables[quantity] = {"chipweir": _plain(mine, seen), "baseline": _plain(values[places], seen)}
    return tables


def _plain(predicted: np.ndarray, observed: np.ndarray) -> dict[str, float]:
    record = score(predicted, observed, predicted, predicted).record()
    record.pop("coverage_80")
    return record


# What may be left out of a fit in turn, whole.
LEAVE_OUT = ("chip", "generation", "vendor", "model", "family", "date")


def leave_out(rows: Sequence[Row], by: str, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Errors on what the fit has not seen (`LEAVE_OUT`: whole chips, makers, sources, ...), for tpot, ttft and output
    throughput, and the share inside the shipped intervals of what is new so. Needs the `fit` extra."""
    from chipweir.perf._fit import left_out

    if by not in LEAVE_OUT:
        raise InputError(f"leave out {', '.join(LEAVE_OUT[:-1])} or {LEAVE_OUT[-1]}, not '{by}'")
    data, _, _ = stated(measured(rows))
    found = left_out(data, by, 64, say)
    labels = data.label(by)
    points = unseen_spreads(shipped().errors, data.asked, labels, found)
    table: dict[str, Any] = {"by": by, "overall": {}, "groups": {}}
    for quantity, ratio in found.items():
        usable = np.isfinite(ratio)
        if not usable.any():
            continue
        table["overall"][quantity] = _left_score(ratio[usable], points[quantity][usable])
        for label in sorted(set(labels[usable])):
            some = usable & (labels == label)
            table["groups"].setdefault(str(label), {})[quantity] = _left_score(ratio[some], points[quantity][some])
    return table


def _left_score(ratio: np.ndarray, points: np.ndarray) -> dict[str, float]:
    """Errors of ln(measured / predicted) [n] with 80 % intervals `points` [n, 2]."""
    predicted = np.exp(-ratio)
    low, high = (predicted * np.exp(points)[:, side] for side in (0, 1))
    return score(predicted, np.ones_like(ratio), low, high).record()
