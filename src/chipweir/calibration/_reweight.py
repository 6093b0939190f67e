"""A quick refit: the rows of a posterior weighed by how much better they agree with changed facts.

    w_j = L(observations after | model with inputs after, x_j) / L(observations before | model with inputs before, x_j)

A what-if moves observations, or inputs of the model, or both; rows keep their scores and get weights (importance sampling
from the old posterior to the new one), and the table is drawn again from them (systematic resampling), so that all that
takes a posterior takes it. Weights are truncated (Ionides 2008): in log at the upper quartile and one and a half times the
spread of the quartiles, since a number near zero (a month's sales after a stop) can turn over with any change of inputs, and
one row that was far off there would then carry all. Only what the old rows hold can be found: where few carry the weight
(effective rows, 1 / sum of w^2, below `LEAST_EFFECTIVE`) the answer is refused, and a fit is due (`chipweir calibrate`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.calibration._calibrate import predictor
from chipweir.calibration._likelihood import Likelihood
from chipweir.calibration._observations import Observation, observations
from chipweir.calibration._predict import Mapper
from chipweir.calibration._quantity import FloatArray
from chipweir.errors import InputError
from chipweir.world import Posterior


if TYPE_CHECKING:
    from chipweir.facts import Facts

Tell = Callable[[float, str], None]

LEAST_EFFECTIVE = 100
"""Effective rows below which a reweighting is refused: quantiles of fewer say little of the tails."""

# Spreads of the quartiles of the log weights above the upper one at which they are truncated.
_FENCE = 1.5


@dataclass(frozen=True)
class Reweighted:
    """A posterior drawn again, the `effective` of its `rows` and how many of their weights were `truncated`.

    `changed` are ids of observations; `moved` the scores whose mean went furthest, in spreads of the old posterior.
    """

    posterior: Posterior
    effective: float
    rows: int
    truncated: int
    changed: tuple[str, ...]
    moved: Mapping[str, float]


def reweight(
    held: Posterior,
    before: "Facts",
    after: "Facts",
    seed: int = 0,
    least: float = LEAST_EFFECTIVE,
    tell: Tell | None = None,
    mapper: Mapper = map,
) -> Reweighted:
    """Weigh a posterior that was fitted to the facts `before` by those `after` a what-if.

    The observations are those of its fit, as both tell them; one that a what-if takes out of the model's reach (or moves
    to other months) counts on the side that has it. Raises `InputError` where fewer than `least` rows stay effective.
    """
    said = tell or (lambda share, text: None)
    fitted = set(held.manifest.get("observations", ()))
    rows = [_fitted(facts, fitted) for facts in (before, after)]
    if not rows[0]:
        raise InputError(
            "none of the observations of this posterior's fit is among the facts; `chipweir calibrate` fits anew"
        )
    weight = np.zeros(len(held.rows))
    for place, (sign, facts, own) in enumerate(zip((-1.0, 1.0), (before, after), rows, strict=True)):
        said(place / 2, ("facts as they were", "facts as changed")[place])
        numbers = predictor(facts, held.columns, own, mapper)(held.rows.astype(float))
        weight += sign * Likelihood(tuple(own)).log_density(numbers)
    shares, truncated = weights(weight)
    effective = float(1 / (shares**2).sum())
    if effective < least:
        raise InputError(
            f"the what-if leaves {effective:.0f} of {len(held.rows)} rows of the posterior effective, fewer than {least:g}: "
            "too far from what was fitted to reweight; fit anew with `chipweir calibrate --fact ID=VALUE --out FILE` and "
            "`--posterior FILE`"
        )
    drawn = held.rows[resampled(shares, seed)]
    manifest = {**held.manifest, "facts": after.digest, "files": len(after.files), "reweighted": _told(held, effective)}
    found = Posterior(held.columns, drawn, manifest)
    return Reweighted(found, effective, len(held.rows), truncated, _changed(*rows), _moved(held, shares))


def weights(logs: FloatArray) -> tuple[FloatArray, int]:
    """Truncated weights from their logs, summing to one, and how many were truncated."""
    low, high = np.quantile(logs, [0.25, 0.75])
    most = high + _FENCE * (high - low) + 1e-9
    shares = np.exp(np.minimum(logs, most) - most)
    return np.asarray(shares / shares.sum()), int((logs > most).sum())


def _fitted(facts: "Facts", ids: set[str]) -> list[Observation]:
    return [row for row in observations(facts) if row.id in ids]


def _told(held: Posterior, effective: float) -> dict[str, Any]:
    return {"from": held.digest, "effective": round(effective, 1)}


def _changed(before: Sequence[Observation], after: Sequence[Observation]) -> tuple[str, ...]:
    """Ids of observations that are not said alike on both sides, whoever is named as their source."""
    told = [{row.id: replace(row, source="", title="", title_ko="") for row in side} for side in (before, after)]
    return tuple(sorted(name for name in told[0] | told[1] if told[0].get(name) != told[1].get(name)))


def _moved(held: Posterior, shares: FloatArray) -> dict[str, float]:
    """The ten scores that moved most, in spreads."""
    moved = (shares @ held.rows.astype(float) - held.mean) / np.maximum(held.spread, 1e-9)
    return {held.columns[i]: float(moved[i]) for i in np.argsort(-np.abs(moved))[:10]}


def resampled(shares: FloatArray, seed: int) -> np.ndarray:
    """Places drawn by weight, as many as there are: systematic, so that equal weights give every row once."""
    count = len(shares)
    at = (np.arange(count) + np.random.default_rng([seed, 5]).random()) / count
    return np.minimum(np.searchsorted(np.cumsum(shares), at), count - 1)
