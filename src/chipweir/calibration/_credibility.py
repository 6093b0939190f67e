"""How far to believe it: every observation beside what the model believed before and after it saw them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.calibration._backtest import noisy
from chipweir.calibration._echo import echoes
from chipweir.calibration._likelihood import DISCREPANCY
from chipweir.calibration._observations import Observation, logs, observations, with_echo
from chipweir.calibration._predict import LAST_MONTH, Mapper, inputs_of, predict
from chipweir.calibration._quantity import FloatArray
from chipweir.calibration._scores import covered
from chipweir.world import Posterior, believing, draw, shipped_posterior


if TYPE_CHECKING:
    from chipweir.facts import Facts

MEMBERS, SEED = 500, 0
_LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)
Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Verdict:
    """An observation beside the model's 5, 10, 50, 90 and 95 %, as `prior` and as `fitted`, in the model's unit.

    `inside` is whether the figure lies between the fitted 5 and 95 %, `overlap` whether the source's own range does; `rank`
    the share of fitted members below the figure; `width` the log width of the fitted 80 % interval over that of the source's
    own range (None where it gives none); `reached` whether any prior member comes within three errors of it; `foretold`
    whether the figure lies within the fitted 80 % of what would be published, the errors of model and source with it.
    """

    observation: Observation
    prior: tuple[float, ...]
    fitted: tuple[float, ...]
    inside: bool
    overlap: bool
    rank: float
    width: float | None
    reached: bool
    foretold: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        row = self.observation
        keys = ("p05", "p10", "p50", "p90", "p95")
        return {
            "id": row.id,
            "label": row.title,
            "label_ko": row.title_ko,
            "quantity": row.quantity.text,
            "operation": row.operation,
            "start": row.start,
            "end": row.end,
            "unit": row.unit,
            "low": row.low,
            "central": row.central,
            "high": row.high,
            "bound": row.bound,
            "echo": row.echo,
            "source": row.source,
            "class": row.cls,
            "known_by": row.known_by.isoformat(),
            "prior": dict(zip(keys, self.prior, strict=True)),
            "fitted": dict(zip(keys, self.fitted, strict=True)),
            "inside": self.inside,
            "overlap": self.overlap,
            "rank": self.rank,
            "width": self.width,
            "reached": self.reached,
            "foretold": self.foretold,
        }


def credibility(
    facts: "Facts",
    members: int = MEMBERS,
    seed: int = SEED,
    posterior: Posterior | None = None,
    rows: Sequence[Observation] | None = None,
    tell: Tell | None = None,
    mapper: Mapper = map,
) -> list[Verdict]:
    """Every observation against prior and posterior (default: the shipped one; the prior alone where there is none)."""
    said = tell or (lambda share, text: None)
    held = posterior or shipped_posterior()
    given = [o for o in (rows if rows is not None else observations(facts)) if o.end <= LAST_MONTH]
    if rows is None:
        said(0.0, "echoes")
        given = list(with_echo(given, echoes(given, facts)))
    inputs = inputs_of(facts)
    found = []
    for place, beliefs in enumerate((None, held)):
        said((1 + place) / 3, "prior" if beliefs is None else "posterior")
        with believing(beliefs):
            found.append(predict(inputs, draw(members, seed), given, mapper))
    sizes = {} if held is None else held.manifest.get("sizes", {})
    return [
        _verdict(row, found[0][:, i], found[1][:, i], noisy(found[1][:, i], row, sizes.get(row.series, DISCREPANCY), i))
        for i, row in enumerate(given)
    ]


def _verdict(row: Observation, prior: FloatArray, fitted: FloatArray, published: FloatArray) -> Verdict:
    observed = float(logs([row])[0])
    before, after = np.quantile(prior, _LEVELS), np.quantile(fitted, _LEVELS)
    low, high = after[0] - 1e-6, after[-1] + 1e-6
    kept = (row.bound in ("at_least", "record") and observed <= high) or (row.bound == "at_most" and observed >= low)
    own_low, own_high = np.log(max(row.low, 1e-12)), np.log(max(row.high, 1e-12))
    ranged = 0 < row.low < row.high and not row.bound
    width = float((after[3] - after[1]) / max(own_high - own_low, 1e-9)) if ranged else None
    reach = (prior > observed - 3 * row.below) & (prior < observed + 3 * row.above)
    return Verdict(
        row,
        tuple(float(x) for x in np.exp(before)),
        tuple(float(x) for x in np.exp(after)),
        inside=bool(kept or low <= observed <= high),
        overlap=bool(kept or (low <= own_high and own_low <= high)),
        rank=float(np.mean(fitted <= observed)),
        width=width,
        reached=bool(reach.any()),
        foretold=covered(published, observed, 0.8),
    )


def summary(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Counts over the two-sided rows that are no echoes: how many intervals hold the figure, before and after."""
    rows = [v for v in verdicts if not v.observation.bound and not v.observation.echo]
    evidence = [v for v in verdicts if not v.observation.echo]

    def share(name: str, low: int, high: int) -> float | None:
        inside = [getattr(v, name)[low] <= v.observation.central <= getattr(v, name)[high] for v in rows]
        return float(np.mean(inside)) if inside else None

    widths = [v.width for v in rows if v.width is not None]
    return {
        "observations": len(verdicts),
        "evidence": len(evidence),
        "two_sided": len(rows),
        "echoes": sum(v.observation.echo for v in verdicts),
        "bounds": sum(bool(v.observation.bound) for v in verdicts),
        "prior_80": share("prior", 1, 3),
        "prior_90": share("prior", 0, 4),
        "fitted_80": share("fitted", 1, 3),
        "fitted_90": share("fitted", 0, 4),
        "foretold_80": float(np.mean([v.foretold for v in rows])) if rows else None,
        "median_width_ratio": float(np.median(widths)) if widths else None,
        "with_range": len(widths),
        "out_of_reach": [v.observation.id for v in evidence if not v.reached],
    }


def by_series(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Fit by series: rows, median |z| of the posterior median against the row's error, share inside the 80 % interval."""
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if not verdict.observation.bound:
            found.setdefault(verdict.observation.series, []).append(verdict)
    out = []
    for name, group in sorted(found.items()):
        gaps = [abs(np.log(v.observation.central / v.fitted[2])) / np.hypot(v.observation.scale, 0.15) for v in group]
        inside = [v.fitted[1] <= v.observation.central <= v.fitted[3] for v in group]
        out.append(
            {
                "series": name,
                "rows": len(group),
                "echoes": sum(v.observation.echo for v in group),
                "median_z": float(np.median(gaps)),
                "inside_80": float(np.mean(inside)),
            }
        )
    return out
