"""Back-tests: what the model would have said at a cut-off of what came after, beside forecasts without a model.

At a cut-off only what was known then counts: facts (`known_by`), the world's tables as they could be written then, and the
posterior fitted to the observations of then. Two modes: the rules that came are given (`rules known`), or the law is that
of the day and policy events are drawn (`rules unknown`). A forecast of an observation has the spread of the members, the
model's own error (as learnt for its series at the cut-off, growing with the horizon) and the error of the source.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.calibration._drift import ahead, drift
from chipweir.calibration._likelihood import DISCREPANCY
from chipweir.calibration._naive import History, Normal, history, last_spread, statistical, trend
from chipweir.calibration._observations import Observation, observations
from chipweir.calibration._predict import LAST_MONTH, Mapper, fitted_scenario, predict
from chipweir.calibration._published import Published, of_row, published
from chipweir.calibration._quantity import FloatArray
from chipweir.calibration._scores import covered, crps, crps_normal, pit, standard_error
from chipweir.errors import InputError
from chipweir.world import Posterior, assemble, believing, draw, shipped_posterior


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world import Scenario

CUTOFFS = ("2023-12-31", "2024-12-31", "2025-12-31")
MODES = ("rules known", "rules unknown")
MEMBERS, SEED, HORIZON = 500, 0, 12
# How often a member's number is drawn with the errors of model and source.
_REPEATED = 8
# Log of a rate a month below which there was nothing of a quantity.
_NOTHING = float(np.log(1e-3))

Tell = Callable[[float, str], None]
Load = Callable[[str], "Facts"]


@dataclass(frozen=True)
class Scored:
    """A later observation beside its forecasts: `values` logs of the forecast `[draw]`, `naive` those without a model.

    `history` says whether the quantity had been published by the cut-off `day`; `published` are others' dated forecasts.
    """

    observation: Observation
    values: FloatArray
    naive: Mapping[str, Normal | None]
    history: bool
    published: tuple[Published, ...] = ()
    day: str = ""

    @property
    def observed(self) -> float:
        """Log of what came."""
        return float(np.log(self.observation.central))

    def as_dict(self) -> dict[str, Any]:
        """For JSON: as in the contract of `backtest --json`, numbers in the model's unit."""
        row = self.observation
        p10, p50, p90 = np.exp(np.quantile(self.values, [0.1, 0.5, 0.9]))
        name, _, rest = row.quantity.text.partition("[")
        return {
            "id": row.id,
            "variable": name if rest.count("[") == 0 and " " not in name else row.quantity.text,
            "selection": rest.rstrip("]") if rest.count("[") == 0 and " " not in name else "",
            "operation": row.operation,
            "start": row.start,
            "end": row.end,
            "p10": float(p10),
            "p50": float(p50),
            "p90": float(p90),
            "observed": row.central,
            "pit": pit(self.values, self.observed),
            "crps": crps(self.values, self.observed),
            **{f"crps_{name}": self.score(name) for name in self.naive},
            "history": self.history,
            "error": float(np.median(self.values)) - self.observed,
            "published": [each.as_dict(self.observed, self.day) for each in self.published],
            "source": row.source,
            "label": row.title,
            "label_ko": row.title_ko,
        }

    def score(self, name: str) -> float | None:
        """CRPS of a forecast without a model."""
        forecast = self.naive[name]
        return None if forecast is None else crps_normal(forecast, self.observed)


@dataclass(frozen=True)
class Cutoff:
    """All rows scored at one cut-off in one mode."""

    as_of: str
    mode: str
    rows: tuple[Scored, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON; means over rows, with standard errors of the CRPS and of its difference to each naive forecast."""
        rows = [row.as_dict() for row in self.rows]
        own = np.array([row["crps"] for row in rows])
        document: dict[str, Any] = {"as_of": self.as_of, "mode": self.mode, "n": len(rows)}
        for level in (0.5, 0.8, 0.9):
            inside = [covered(row.values, row.observed, level) for row in self.rows]
            document[f"coverage_{round(100 * level)}"] = float(np.mean(inside)) if inside else None
        document |= {
            "crps": float(own.mean()) if rows else None,
            "crps_se": standard_error(own) if len(own) > 1 else None,
        }
        for name in ("last_spread", "trend", "statistical"):
            scores = [row[f"crps_{name}"] for row in rows]
            if not rows or any(score is None for score in scores):
                document |= {f"crps_{name}": None, f"crps_{name}_se": None, f"better_than_{name}_se": None}
                continue
            naive = np.array(scores)
            document |= {
                f"crps_{name}": float(naive.mean()),
                f"crps_{name}_se": standard_error(naive),
                f"better_than_{name}": float((naive - own).mean()),
                f"better_than_{name}_se": standard_error(naive - own),
            }
        earlier = [row for row in rows if row["history"]]
        document["n_with_history"] = len(earlier)
        for name in ("crps", "crps_last_spread", "crps_trend", "crps_statistical"):
            scores = [row[name] for row in earlier]
            known = bool(scores) and None not in scores
            document[f"{name}_with_history"] = float(np.mean(scores)) if known else None
        document |= _beside_published(rows, True, "published") | _beside_published(rows, False, "published_later")
        document["pit"] = np.histogram([row["pit"] for row in rows], bins=10, range=(0, 1))[0].tolist()
        return {**document, "rows": rows}


def _beside_published(rows: Sequence[Mapping[str, Any]], before: bool, name: str) -> dict[str, Any]:
    """Scores of others' forecasts, known at the cut-off or after it, and the model's on the same rows; a row counts once."""
    pairs = [(row, [each for each in row["published"] if each["before"] == before]) for row in rows]
    pairs = [(row, said) for row, said in pairs if said]

    def mean(values: list[float]) -> float | None:
        return float(np.mean(values)) if values else None

    return {
        f"n_{name}": len(pairs),
        f"crps_{name}": mean([float(np.mean([each["crps"] for each in said])) for _, said in pairs]),
        f"crps_where_{name}": mean([row["crps"] for row, _ in pairs]),
        f"error_{name}": mean([float(np.mean([abs(each["error"]) for each in said])) for _, said in pairs]),
        f"error_where_{name}": mean([abs(row["error"]) for row, _ in pairs]),
    }


def backtest(
    load: Load,
    cutoffs: Sequence[str] = CUTOFFS,
    later: Sequence[Observation] | None = None,
    posterior: Callable[[str], Posterior | None] = shipped_posterior,
    members: int = MEMBERS,
    horizon: int = HORIZON,
    modes: Sequence[str] = MODES,
    drifts: Callable[[str], float] = drift,
    tell: Tell | None = None,
    mapper: Mapper = map,
) -> tuple[Cutoff, ...]:
    """Score forecasts at each cut-off of what was observed in the `horizon` months after it.

    **Arguments:** `load` gives the facts as of a day (all with ""); `later` what is scored (default: the observations of
    all facts); `posterior` the fit of a cut-off, None for the prior; `drifts` the growth of the model's own error with
    the horizon (see `chipweir.calibration._drift`).
    **Raises:** `InputError` for a cut-off before the first observation, or after which nothing is observed at all.
    """
    said = tell or (lambda share, text: None)
    told = load("")
    everything, foretold = tuple(later) if later is not None else observations(told), published(told)
    out: dict[tuple[str, str], Cutoff] = {}
    for place, day in enumerate(cutoffs):
        facts = load(day)
        rows = due(everything, day, horizon)
        known = tuple(o for o in observations(facts) if o.end <= day[:7])
        if not known:
            raise InputError(f"--as-of {day}: no observation of the model's quantities was known then")
        for number, mode in enumerate(modes):
            said((place + number / len(modes)) / len(cutoffs), f"{day}, {mode}")
            found = (
                _forecast(facts, day, mode, rows, known, posterior(day), members, drifts(day), mapper) if rows else ()
            )
            beside = tuple(replace(row, published=of_row(row.observation, foretold, day), day=day) for row in found)
            out[day, mode] = Cutoff(day, mode, beside)
    return tuple(out[day, mode] for mode in modes for day in cutoffs)


def due(rows: Sequence[Observation], day: str, horizon: int) -> tuple[Observation, ...]:
    """The observations that a cut-off is scored on: two-sided, begun after it, ended within the horizon."""
    last = str(np.datetime64(day[:7], "M") + horizon)
    return tuple(o for o in rows if not o.bound and day[:7] < o.start and o.end <= min(last, LAST_MONTH))


def _forecast(
    facts: "Facts",
    day: str,
    mode: str,
    rows: Sequence[Observation],
    known: Sequence[Observation],
    posterior: Posterior | None,
    members: int,
    growth: float,
    mapper: Mapper,
) -> tuple[Scored, ...]:
    inputs = assemble(_scenario(day, mode), facts, rules_known=mode == MODES[0])
    past = [_earlier(row, day) for row in rows]
    with believing(posterior):
        numbers = predict(inputs, draw(members, SEED), [*rows, *past], mapper)
    sizes = {} if posterior is None else posterior.manifest.get("sizes", {})
    out = []
    for place, row in enumerate(rows):
        size = np.hypot(sizes.get(row.series, DISCREPANCY), growth * np.sqrt(ahead(row, day)))
        values = noisy(numbers[:, place], row, float(size), place)
        past_values = history(row, known)
        told = len(past_values) > 0
        if (
            not told
        ):  # nothing published: what the model says of the months before the cut-off stands for the last value
            before = past[place]
            level = float(np.median(numbers[:, len(rows) + place]))
            past_values = History(np.array([before.middle]), np.array([level - np.log(_months(before))]))
        naive = _naive(past_values, row)
        if (
            not told and past_values.logs[-1] < _NOTHING
        ):  # there was none of it yet: no forecast but the model's can be made
            own = Normal(float(np.mean(values)), float(np.std(values)))
            naive = dict.fromkeys(naive, own)
        out.append(Scored(row, values, naive, told))
    return tuple(out)


def _naive(past: History, row: Observation) -> dict[str, Normal | None]:
    return {"last_spread": last_spread(past, row), "trend": trend(past, row), "statistical": statistical(past, row)}


def _scenario(day: str, mode: str) -> "Scenario":
    """The scenario of a forecast: settings that came later are not known where the rules are not."""
    if mode == MODES[0]:
        return fitted_scenario()
    scenario = fitted_scenario("forecast")
    levers: dict[str, Any] = {}
    for name, setting in scenario.levers.items():
        dated = (
            {month: value for month, value in setting.items() if month <= day[:7]}
            if isinstance(setting, dict)
            else setting
        )
        if dated != {}:
            levers[name] = dated
    return scenario.model_copy(update={"levers": levers})


def _months(row: Observation) -> int:
    if row.operation != "sum":
        return 1
    return int((np.datetime64(row.end, "M") - np.datetime64(row.start, "M")).astype(int)) + 1


def _earlier(row: Observation, day: str) -> Observation:
    """The same quantity over as many months that end at the cut-off."""
    end = np.datetime64(day[:7], "M")
    length = (np.datetime64(row.end, "M") - np.datetime64(row.start, "M")).astype(int)
    if row.quantity.axis == "year":  # the last whole year
        year = int(day[:4]) - (0 if day[5:7] == "12" else 1)
        return replace(row, start=f"{year}-01", end=f"{year}-12")
    return replace(row, start=max(str(end - length), "2022-01"), end=str(end))


def noisy(values: FloatArray, row: Observation, size: float, seed: int) -> FloatArray:
    """Logs of a forecast of what will be published `[draw]`: members with the model's and the source's error."""
    random = np.random.default_rng([SEED, 4, seed])
    repeated = np.repeat(values, _REPEATED)
    model, source = random.standard_normal((2, len(repeated)))
    error = np.where(source > 0, row.below, row.above)  # where more is published than is so, the model lies below
    return np.asarray(repeated + size * model + source * np.where(np.isfinite(error), error, 0.0))


def parse_day(text: str, option: str = "--as-of") -> str:
    """A cut-off as a date. Raises `InputError`."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"{option} {text}: a day such as 2024-12-31 is expected") from None
