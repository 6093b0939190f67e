"""How near software comes to the hardware: few parameters, pooled over vendors, frameworks, formats and kinds of model.

Every efficiency is a base value plus offsets for the levels of its groups, on the logit scale for shares of a peak
and on the log scale for
seconds and factors. A level that was never measured has offset zero and the group's own spread as its uncertainty: an
unseen chip gets its vendor's posterior, an unseen vendor a wide one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._configuration import Configuration, kinds
from chipweir.perf._hardware import Hardware, multiplied_as
from chipweir.perf._intervals import Errors
from chipweir.perf._serving import Efficiency
from chipweir.perf._software import NEWEST, OLDEST


GROUPS = ("vendor", "line", "port", "engine", "unit", "format", "attention", "experts", "stage", "stat")
# Year from which software's progress is counted.
EPOCH = 2026.0
# How far engines written for CUDA are ported: ROCm runs the same sources, other stacks backends of their own (prior).
PORTED = {"cuda": 0.0, "rocm": 0.5}
# TFLOP/s a watt of the power limit from which strain is counted (an H100 in 16 bits): clocks fall when all units work. A
# narrower unit counts by the width of its numbers.
STRAIN = 1.4
WIDTH = {"bf16": 1.0, "fp8": 2.0, "int8": 2.0, "fp4": 4.0}
# What tuning counts: flags of those who make engine or chip, or as the documentation writes them. Where nobody says, between
# them where sweeps with tuned flags are published (prior); elsewhere engines are run as documented.
TUNED, UNSAID = {"tuned": 1.0, "plain": -1.0}, {"cuda": 0.35, "rocm": 0.35}


@dataclass(frozen=True)
class Term:
    """One efficiency: prior `centre` (natural scale), `sd` (transformed scale), the prior spread of each group's
    offsets, levels whose offset is not centred on zero ("group=level": offset), and mean and spread of what a year of
    software changes (`yearly`), of what software ported to other chips than it was written for costs (`ported`), of what
    an e-fold of promised arithmetic a watt changes (`strain`), and spread of what tuned or plain flags change
    (`tuning`)."""

    name: str
    form: str
    centre: float
    sd: float
    groups: Mapping[str, float]
    offsets: Mapping[str, float] = field(default_factory=dict)
    yearly: tuple[float, float] | None = None
    tuning: float = 0.0
    ported: tuple[float, float] | None = None
    strain: tuple[float, float] | None = None

    def covariates(self) -> list[tuple[str, float, float]]:
        """Names, prior means and spreads of the slopes it has."""
        slopes = [("year", *self.yearly)] if self.yearly else []
        slopes += [("tuned", 0.0, self.tuning)] if self.tuning else []
        slopes += [("ported", *self.ported)] if self.ported else []
        return [*slopes, ("strain", *self.strain)] if self.strain else slopes


# Priors. Shares of peaks: what tuned kernels reach (dense matrix products 0.6-0.8 of the 16- and 8-bit peaks in operator
# tables, streaming reads 0.7-0.9). Prefill falls short of them for reasons that have terms of their own, so that a chip
# with slow arithmetic is not charged for another's waiting: grouped products of routed experts read their operands again
# for every tile of 64 to 128 (89 FLOP a number of 8 bits, 126 of 16 bits at 4,096 tokens in the table of an Ascend 910B).
# Seconds: kernel launches and scheduler steps of serving software, and of a first wave that finds kernels cold. All
# refitted. `line` is maker and generation: newer parts of a maker start from the maker's own level.
TERMS = (
    Term("matmul", "share", 0.65, 0.3, {"vendor": 0.3, "line": 0.12, "unit": 0.12}),
    Term("prefill", "share", 0.68, 0.3, {"vendor": 0.3, "line": 0.12, "unit": 0.2, "engine": 0.12}, yearly=(0.05, 0.1),
        tuning=0.2, ported=(-0.4, 0.3), strain=(-0.3, 0.15)),
    Term("score", "share", 0.55, 0.4, {"vendor": 0.4, "attention": 0.24}, ported=(-0.4, 0.3)),
    Term("bandwidth", "share", 0.9, 0.3, {"vendor": 0.3, "line": 0.18}),
    Term("packing", "share", 0.9, 0.5, {"format": 0.3}),
    Term("cache", "share", 0.66, 0.4, {"vendor": 0.4, "engine": 0.1, "attention": 0.12}, ported=(-0.4, 0.3)),
    Term("routed", "share", 0.75, 0.3, {"vendor": 0.4, "line": 0.15, "format": 0.24, "engine": 0.1}, tuning=0.2,
        ported=(-0.4, 0.3)),
    Term("grouped", "share", 0.8, 0.3, {"vendor": 0.2, "unit": 0.12, "engine": 0.12}),
    Term("reuse", "factor", 100.0, 0.5, {"vendor": 0.2, "unit": 0.2, "engine": 0.12}),
    Term("link", "share", 0.75, 0.4, {"vendor": 0.4}),
    Term("exchange", "share", 0.75, 0.5, {"vendor": 0.3, "engine": 0.24}, ported=(-0.4, 0.3)),
    Term("floor", "seconds", 3e-06, 0.3, {"vendor": 0.4, "engine": 0.18}, ported=(0.6, 0.3)),
    Term(
        "layer", "seconds", 6e-05, 0.25,
        {"vendor": 0.35, "line": 0.25, "port": 0.3, "engine": 0.2, "attention": 0.18},
        yearly=(-0.1, 0.15), tuning=0.2, ported=(0.4, 0.3),
    ),
    Term(
        "gate", "seconds", 4e-05, 0.25,
        {"vendor": 0.35, "line": 0.25, "port": 0.3, "engine": 0.15, "stat": 0.12},
        yearly=(-0.1, 0.15), tuning=0.2, ported=(0.6, 0.3),
    ),
    Term("step", "seconds", 0.0005, 0.3, {"engine": 0.3}, yearly=(-0.1, 0.15), tuning=0.2, ported=(0.4, 0.3)),
    Term("sequence", "seconds", 2e-5, 0.7, {"engine": 0.3, "stat": 0.36}, yearly=(-0.1, 0.15)),
    Term("eager", "seconds", 0.0002, 0.4, {"engine": 0.4, "vendor": 0.3, "attention": 0.2}, tuning=0.2,
        yearly=(-0.1, 0.15), ported=(0.4, 0.3)),
    Term("eager_gate", "seconds", 0.00015, 0.4, {"engine": 0.4, "vendor": 0.3}, yearly=(-0.1, 0.15), ported=(0.4, 0.3)),
    Term("first", "seconds", 0.05, 0.5, {"engine": 0.3, "stage": 0.4}, {"stage=split": 0.5}),
    Term("poll", "factor", 1.0, 0.25, {}),
    Term("queue", "factor", 0.35, 0.5, {"engine": 0.4, "stage": 0.5}, {"stage=split": 0.5}),
    Term("burst", "factor", 1.3, 0.3, {"engine": 0.3, "stat": 0.4}),
    Term(
        "warmup", "seconds", 0.3, 0.7, {"experts": 0.7, "engine": 0.5, "line": 0.4},
        # Dense models have fewer kernels to tune; vLLM tunes before it serves.
        {"experts=routed": 0.7, "experts=dense": -0.7, "engine=vllm": -3.0},
    ),
    Term("activation", "factor", 1.5, 0.5, {"vendor": 0.3, "engine": 0.18}),
    Term("shuffle", "factor", 0.75, 0.3, {"vendor": 0.2, "engine": 0.1}),
    Term("mixing", "factor", 0.95, 0.2, {"engine": 0.18, "stage": 0.3}, {"stage=split": 0.3}),
    Term("evenness", "factor", 0.6, 0.2, {}),
    Term("accepted", "share", 0.6, 0.5, {"engine": 0.25}),
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Where each term's base and each group's levels stand in the parameter vector; the last place is a fixed zero."""

    levels: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    place: Mapping[str, int]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return len(self.names)


def layout(levels: Mapping[str, Sequence[str]]) -> Layout:
    """The layout of the parameter vector for the levels met in the measurements."""
    names = []
    for term in TERMS:
        names.append(term.name)
        names += [f"{term.name}[{group}={level}]" for group in term.groups for level in levels.get(group, ())]
        names += [f"{term.name}[{covariate}]" for covariate, _, _ in term.covariates()]
    return Layout({g: tuple(v) for g, v in levels.items()}, tuple(names), {n: i for i, n in enumerate(names)})


def prior(form: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of every parameter before any measurement."""
    mean, sd = np.zeros(form.size), np.zeros(form.size)
    for term in TERMS:
        at = form.place[term.name]
        mean[at], sd[at] = _transform(term.form, term.centre), term.sd
        for group, spread in term.groups.items():
            for level in form.levels.get(group, ()):
                place = form.place[f"{term.name}[{group}={level}]"]
                mean[place], sd[place] = term.offsets.get(f"{group}={level}", 0.0), spread
        for covariate, centre, spread in term.covariates():
            place = form.place[f"{term.name}[{covariate}]"]
            mean[place], sd[place] = centre, spread
    return mean, sd


def _transform(form: str, value: float) -> float:
    return float(np.log(value / (1 - value))) if form == "share" else float(np.log(value))


def group_levels(configuration: Configuration) -> dict[str, str]:
    """The level of each group a configuration belongs to. `port`: an engine on chips it was not first written for."""
    model, chip = configuration.model, configuration.chip
    attention = "latent" if model.latent else "linear" if model.state_elements > 0 else "grouped"
    plan = configuration.plan
    stage = "mixed" if plan is None or not plan.split else "split" if plan.counted else "open"
    unit, strain = _unit(chip, configuration.dtype)
    return {
        "vendor": chip.vendor,
        "line": chip.line,
        "port": "own" if chip.ecosystem == "cuda" else f"{chip.vendor}/{configuration.engine}",
        "engine": configuration.engine,
        "unit": unit,
        "format": configuration.dtype if unit == configuration.dtype else f"{configuration.dtype} as {unit}",
        "attention": attention,
        "experts": "routed" if float(model.experts) > 0 else "dense",
        "stage": stage,
        "stat": configuration.stat,
        "tuned": TUNED.get(configuration.tuning, UNSAID.get(chip.ecosystem, -1.0)),
        "ported": PORTED.get(chip.ecosystem, 1.0),
        "strain": strain,
        "year": min(max(configuration.year, OLDEST), NEWEST),
    }


@lru_cache(maxsize=4096)
def _unit(chip: Hardware, dtype: str) -> tuple[str, float]:
    """The unit that multiplies a format, and its strain: e-folds of 16-bit FLOP/s a watt beyond those of an H100, as far
    as chips were measured."""
    unit = str(multiplied_as(chip, dtype))
    promised = getattr(chip, f"{unit}_flops") / WIDTH[unit] / chip.tdp_w
    return unit, min(max(math.log(max(promised, 1.0) / 1e12 / STRAIN), -1.5), 1.5)


@dataclass(frozen=True)
class Posterior:
    """What a fit learnt: `mean` [p] and `draws` [d, p] of the parameters in the order of `form`, and how wrong
    estimates were.

    `attribution`: whose measurements these are; `command`: how to make the file again.
    """

    form: Layout
    mean: np.ndarray
    draws: np.ndarray
    errors: Errors
    attribution: str
    command: str

    def unmet(self, draws: int = 24) -> np.ndarray:
        """Draws of the parameters for rows with a level never measured: [draws, p + 1], offset of an unmet level last.

        The last place is drawn in units of the group's own spread by `efficiencies`.
        """
        chosen = self.draws[np.linspace(0, len(self.draws) - 1, draws).astype(int)]
        noise = np.random.default_rng(20251122).standard_normal((draws, 1))
        return np.concatenate([chosen, noise], axis=1)


def to_json(posterior: Posterior) -> str:
    """The posterior as a small JSON document."""
    errors = posterior.errors
    record = {
        "attribution": posterior.attribution, "command": posterior.command, "levels": dict(posterior.form.levels),
        "mean": [round(float(x), 4) for x in posterior.mean],
        "draws": [[round(float(x), 3) for x in draw] for draw in posterior.draws],
        "errors": {q: {k: [round(x, 4) for x in v] for k, v in kinds.items()} for q, kinds in errors.points.items()},
        "added": {q: {k: [round(x, 3) for x in v] for k, v in found.items()} for q, found in errors.added.items()},
        "seen": {k: sorted(v) for k, v in errors.seen.items()},
        "spans": {k: [round(x, 3) for x in v] for k, v in errors.spans.items()},
    }  # fmt: skip
    return json.dumps(record, separators=(",", ":")) + "\n"


def from_json(text: str, where: str = "posterior") -> Posterior:
    """A posterior from its JSON form. Raises `InputError` where it is none or belongs to another version of the
    terms."""
    try:
        record = json.loads(text)
        form = layout(record["levels"])
        mean, draws = np.asarray(record["mean"], dtype=float), np.asarray(record["draws"], dtype=float)
        points = {q: {k: (float(v[0]), float(v[1])) for k, v in kinds.items()} for q, kinds in record["errors"].items()}
        errors = Errors(
            points,
            {q: {k: (float(v[0]), float(v[1])) for k, v in found.items()} for q, found in record["added"].items()},
            {k: frozenset(v) for k, v in record["seen"].items()},
            {k: (float(v[0]), float(v[1])) for k, v in record["spans"].items()},
        )
    except (json.JSONDecodeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{where}: not a fitted posterior ({error!r})") from None
    if mean.shape != (form.size,) or draws.ndim != 2 or draws.shape[1] != form.size:
        raise InputError(f"{where}: fitted for {mean.size} parameters where this version has {form.size}; fit it again")
    return Posterior(form, mean, draws, errors, record.get("attribution", ""), record.get("command", ""))


@lru_cache(maxsize=1)
def shipped() -> Posterior:
    """The posterior that comes with the package."""
    return from_json(resources.files("chipweir.perf").joinpath("data", "posterior.json").read_text(encoding="utf-8"))


Index = Mapping[str, list[np.ndarray]]
COVARIATES = ("year", "tuned", "ported", "strain")


def index(form: Layout, rows: Sequence[Mapping[str, Any]]) -> Index:
    """For every term the places of base and offsets per row [n], under "year" the years of software and under "tuned" how
    tuned; the place after the last stands for an unmet level."""
    out: dict[str, list[np.ndarray]] = {
        "year": [np.array([float(r["year"]) for r in rows]) - EPOCH],
        "tuned": [np.array([float(r["tuned"]) for r in rows])],
        "ported": [np.array([float(r["ported"]) for r in rows])],
        "strain": [np.array([float(r["strain"]) for r in rows])],
    }
    columns = {g: np.array([r[g] for r in rows], dtype=object) for g in GROUPS}
    for term in TERMS:
        places = [np.full(len(rows), form.place[term.name])]
        for group in term.groups:
            at = np.full(len(rows), form.size)
            for level in form.levels.get(group, ()):
                at[columns[group] == level] = form.place[f"{term.name}[{group}={level}]"]
            places.append(at)
        out[term.name] = places
    return out


def places(form: Layout, configurations: Sequence[Configuration]) -> Index:
    """`index` of configurations, looked up once for each kind of them."""
    first, place = kinds(configurations)
    found = index(form, [group_levels(c) for c in first])
    return {name: [column[place] for column in columns] for name, columns in found.items()}


def efficiencies(theta: Any, where: Index, form: Layout, moved: str = "", step: float = 0.0) -> Efficiency:
    """Efficiencies per row [n] from the parameter vector `theta` [p] (or draws [..., p], giving [..., n]).

    `theta` may have a place more than the layout, the offset of an unmet level (`Posterior.unmet`). The linear predictor
    of the efficiency `moved` is moved by `step`.
    """
    # Without draws of it, an unmet level's offset is its prior mean, zero.
    size = form.size
    padded = (
        theta if theta.shape[-1] == size + 1 else np.concatenate([theta, np.zeros((*theta.shape[:-1], 1))], axis=-1)
    )
    values = {}
    for term in TERMS:
        base, *offsets = where[term.name]
        total = padded[..., base]
        for spread, at in zip(term.groups.values(), offsets, strict=True):
            total = total + padded[..., at] * np.where(at == size, spread, 1.0)
        for covariate, _, _ in term.covariates():
            slope = padded[..., form.place[f"{term.name}[{covariate}]"]]
            total = total + (slope[..., None] if slope.ndim else slope) * where[covariate][0]
        if term.name == moved:
            total = total + step
        values[term.name] = 1.0 / (1.0 + np.exp(-total)) if term.form == "share" else np.exp(total)
    return Efficiency(**values)
