"""Forecasts with a date: a table of what the model says of months to come, that later facts can be scored against."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir import reading
from chipweir.calibration._drift import ahead, drift
from chipweir.calibration._likelihood import DISCREPANCY
from chipweir.calibration._observations import Observation
from chipweir.calibration._quantity import FloatArray, quantity
from chipweir.calibration._scores import covered, crps, pit
from chipweir.errors import InputError
from chipweir.world import Posterior, Task, assemble, beliefs, draw, equations_digest, load_scenario, run_task


if TYPE_CHECKING:
    from chipweir.facts import Facts

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_COLUMNS = ("variable", "operation", "start", "end", "unit", *(f"p{round(100 * level):02d}" for level in LEVELS))
# What is forecast: quantity, operation, unit. Years as a whole, and quarters of what companies and customs publish.
_WANTED: tuple[tuple[str, str, str, bool], ...] = (
    ("nvidia_revenue", "sum", "USD", True),
    ("nvidia_china_revenue", "sum", "USD", True),
    ("world_chip_value", "sum", "USD", False),
    ("group_china_units[group=h20]", "sum", "chip", False),
    ("group_china_units[group=ascend]", "sum", "chip", False),
    ("china_units[purchase=domestic]", "sum", "chip", False),
    ("china_units[purchase=foreign_legal]", "sum", "chip", False),
    ("smuggled_units", "sum", "chip", False),
    ("china_value", "sum", "USD", False),
    ("domestic_share_units", "at", "", False),
    ("domestic_share_value", "at", "", False),
    ("nvidia_share", "at", "", False),
    ("compute[region=CHN]", "at", "H100e", False),
    ("compute[region=USA]", "at", "H100e", False),
    ("compute[region=KOR]", "at", "H100e", False),
    ("ratio_to_us", "at", "", False),
    ("largest_run[region=CHN]", "at", "FLOP", False),
    ("largest_run[region=USA]", "at", "FLOP", False),
    ("lag_months", "at", "month", False),
    ("wafer_starts[line=smic-n2+smic-n3]", "mean", "wafer/month", False),
    ("production_domestic", "sum", "chip", False),
    ("premium_black_market", "mean", "", False),
    ("korea_exports", "sum", "USD", True),
    ("korea_exports[export=hbm+dram+nand]", "sum", "USD", True),
    ("korea_hbm_exports_total", "sum", "USD", True),
    ("korea_exports_to[destination=china_hk]", "sum", "USD", False),
    ("korea_exports_to[destination=taiwan]", "sum", "USD", False),
    ("memory_price", "mean", "", True),
    ("tokens_served[region=CHN]", "mean", "token/day", True),
    ("token_price[region=CHN]", "mean", "USD/megatoken", False),
    ("power_mw[region=USA]", "at", "MW", False),
    ("power_mw[region=CHN]", "at", "MW", False),
    ("compute_official", "at", "EFLOP/s", False),
)
_CHUNK = 128
Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Forecast:
    """Quantiles of what will be published, `rows` of `_COLUMNS` each, with the manifest that says what made them."""

    rows: tuple[Mapping[str, Any], ...]
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """As a CSV file whose first lines, marked `#`, hold the manifest."""
        out = io.StringIO()
        for line in json.dumps(dict(self.manifest), ensure_ascii=False, indent=1).splitlines():
            out.write(f"# {line}\n")
        writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {**row, **{k: f"{v:.6g}" for k, v in row.items() if isinstance(v, float)}} for row in self.rows
        )
        return out.getvalue()


def forecast(
    facts: "Facts",
    scenario: str = "forecast",
    members: int = 1000,
    seed: int = 1,
    first: str = "2026",
    last: str = "2028",
    tell: Tell | None = None,
) -> Forecast:
    """Forecast every quantity for the years from `first` to `last`, by year and where published so by quarter.

    Raises `InputError` for years that the scenario does not cover.
    """
    said = tell or (lambda share, text: None)
    chosen = load_scenario(scenario)
    if not chosen.start[:4] <= first <= last <= chosen.end[:4]:
        raise InputError(f"{scenario} covers {chosen.start} to {chosen.end}, not {first} to {last}")
    chosen = chosen.model_copy(update={"end": f"{last}-12"})
    asked = _asked(first, last)
    inputs, drawn, held = assemble(chosen, facts), draw(members, seed), beliefs()
    parts = []
    for start in range(0, members, _CHUNK):
        said(start / members, "members")
        own = {name: values[start : start + _CHUNK] for name, values in drawn.items()}
        kept = run_task(Task(scenario, start, inputs, own))
        series = {o.quantity.text: o.quantity.of(kept) for o in asked}
        parts.append(np.stack([o.value(series[o.quantity.text]) for o in asked], axis=1))
    values = np.concatenate(parts)
    sizes: Mapping[str, float] = {} if held is None else held.manifest.get("sizes", {})
    day = (facts.as_of or facts.latest).isoformat()
    errors = [np.hypot(sizes.get(o.series, DISCREPANCY), drift(day) * np.sqrt(ahead(o, day))) for o in asked]
    rows = tuple(_row(o, values[:, i], float(errors[i]), i) for i, o in enumerate(asked))
    return Forecast(rows, _manifest(facts, scenario, members, seed, held, rows))


def _asked(first: str, last: str) -> tuple[Observation, ...]:
    found = []
    for text, operation, unit, quarterly in _WANTED:
        for year in range(int(first), int(last) + 1):
            spans = [(f"{year}-01", f"{year}-12")]
            if quarterly:
                spans += [(f"{year}-{3 * q - 2:02d}", f"{year}-{3 * q:02d}") for q in (1, 2, 3, 4)]
            for start, end in spans:
                found.append(blank(text, operation, start, end, unit))
    return tuple(found)


def blank(text: str, operation: str, start: str, end: str, unit: str) -> Observation:
    """A quantity over some months of which nothing is observed yet."""
    return Observation(
        id=f"{text} {start} {end}", quantity=quantity(text), operation=operation, start=start, end=end, low=1.0, central=1.0,
        high=1.0, unit=unit, below=0.03, above=0.03, shared=0.0, series=text,
    )  # fmt: skip


def _row(row: Observation, values: FloatArray, size: float, place: int) -> dict[str, Any]:
    known = values[np.isfinite(values) & (values > 0)]
    random = np.random.default_rng([place, 5])
    noisy = np.exp(np.log(known) + np.hypot(size, 0.03) * random.standard_normal(len(known)))
    levels = np.quantile(noisy, LEVELS) if len(known) else np.full(len(LEVELS), np.nan)
    named = {f"p{round(100 * level):02d}": float(value) for level, value in zip(LEVELS, levels, strict=True)}
    return {
        "variable": row.quantity.text,
        "operation": row.operation,
        "start": row.start,
        "end": row.end,
        "unit": row.unit,
        **named,
    }


def _manifest(
    facts: "Facts", scenario: str, members: int, seed: int, held: Posterior | None, rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    import chipweir

    digest = sha256(json.dumps(list(rows), sort_keys=True).encode()).hexdigest()
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": chipweir.__version__,
        "scenario": scenario,
        "members": members,
        "seed": seed,
        "facts": facts.digest,
        "facts_known_by": facts.latest.isoformat(),
        "equations": equations_digest(),
        "beliefs": "prior" if held is None else held.digest,
        "beliefs_as_of": None if held is None else held.as_of,
        "rows": digest,
    }


def read_forecast(path: Path) -> Forecast:
    """A forecast that `text` wrote. Raises `InputError` where it is none, or was edited since."""
    lines = reading.read_text(path, "forecast").splitlines()
    head = "\n".join(line[2:] for line in lines if line.startswith("# "))
    manifest = reading.parse_json(head, str(path))
    try:
        rows = [
            {k: float(v) if k[0] == "p" and k[1:].isdigit() else v for k, v in row.items()}
            for row in csv.DictReader(line for line in lines if not line.startswith("#"))
        ]
    except (ValueError, TypeError, csv.Error):
        rows = []
    if not isinstance(manifest, dict) or not rows:
        raise InputError(f"{path}: no forecast; `chipweir forecast --out FILE` writes one")
    if any(set(_COLUMNS) - set(row) for row in rows):
        raise InputError(f"{path}: a forecast has the columns {', '.join(_COLUMNS)}")
    return Forecast(tuple(rows), manifest)


def score_forecast(made: Forecast, later: Sequence[Observation]) -> list[dict[str, Any]]:
    """Later observations beside the rows of a dated forecast that foretold them: same quantity, operation and months.

    Values between the written quantiles are read off straight lines in log, and carried on at the same slope beyond.
    """
    by_key = {(r["variable"], r["operation"], r["start"], r["end"]): r for r in made.rows}
    out = []
    for row in later:
        told = by_key.get((row.quantity.text, row.operation, row.start, row.end))
        if told is None:
            continue
        values = _values(told)
        observed = float(np.log(row.central))
        p10, p50, p90 = (told[name] for name in ("p10", "p50", "p90"))
        out.append(
            {
                "variable": row.quantity.text, "operation": row.operation, "start": row.start, "end": row.end,
                "p10": p10, "p50": p50, "p90": p90, "observed": row.central, "pit": pit(values, observed),
                "crps": crps(values, observed), "inside_80": covered(values, observed, 0.8), "source": row.source,
            }
        )  # fmt: skip
    return out


def _values(told: Mapping[str, Any]) -> FloatArray:
    """Logs of a forecast as 999 equally likely values."""
    levels, points = np.array(LEVELS), np.log([told[f"p{round(100 * level):02d}"] for level in LEVELS])
    at = np.arange(1, 1000) / 1000
    from scipy.special import ndtri

    scores, knots = ndtri(at), ndtri(levels)
    inside = np.interp(scores, knots, points)
    low, high = scores < knots[0], scores > knots[-1]
    slope = (points[1:] - points[:-1]) / (knots[1:] - knots[:-1])
    inside[low] = points[0] + slope[0] * (scores[low] - knots[0])
    inside[high] = points[-1] + slope[-1] * (scores[high] - knots[-1])
    return np.asarray(inside)
