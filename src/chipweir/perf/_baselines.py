"""What a datasheet and one or two numbers reach: yardsticks beside the estimates, one for every quantity.

    time per token        a x roofline of a decode step + b
    time to first token   a x roofline of the prompt + b
    output per chip       requests x output / (first token + output x time per token) / chips, with the two above
    training              a share of the peak of the number format over the model's FLOP per token
    power                 a share of the design power

The numbers are fitted to the table that the estimates are fitted to, never to the rows they are scored on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._assemble import gather
from chipweir.perf._configuration import is_training
from chipweir.perf._measured import Measured, arrays, measured, stated
from chipweir.perf._operators import OPERATORS, Load, Work, pass_load


Row = Mapping[str, str]
# Fewest rows that a number is fitted to.
FEWEST = 3


@dataclass(frozen=True)
class Baselines:
    """Fitted numbers: (slope, offset in s) of the times, shares of peak and of design power; NaN where no row says."""

    tpot: tuple[float, float] = (np.nan, np.nan)
    ttft: tuple[float, float] = (np.nan, np.nan)
    training: float = np.nan
    power: float = np.nan


@lru_cache(maxsize=1)
def shipped_baselines() -> Baselines:
    """Those that come with the package."""
    return from_json(resources.files("chipweir.perf").joinpath("data/baselines.json").read_text(encoding="utf-8"))


def from_json(text: str) -> Baselines:
    """Baselines from their JSON form."""
    record = json.loads(text)["baselines"]
    return Baselines(tuple(record["tpot"]), tuple(record["ttft"]), float(record["training"]), float(record["power"]))


def to_json(baselines: Baselines, command: str) -> str:
    """A small document that `from_json` reads."""

    def short(value: float) -> float:
        return float(f"{value:.4g}")

    record = {"tpot": [short(x) for x in baselines.tpot], "ttft": [short(x) for x in baselines.ttft],
              "training": short(baselines.training), "power": short(baselines.power)}  # fmt: skip
    return json.dumps({"command": command, "baselines": record}, indent=1) + "\n"


def fit_baselines(rows: Sequence[Row]) -> Baselines:
    """The numbers of a table of measurements."""
    found: dict[str, Any] = {}
    data = _serving(rows)
    if data is not None:
        for name, bare, seen in (("tpot", roofline_tpot(data), data.tpot), ("ttft", roofline_ttft(data), data.ttft)):
            use = np.isfinite(seen) & np.isfinite(bare)
            if use.sum() >= FEWEST:
                found[name] = two_numbers(bare[use], seen[use])
    for name, (_, bare, seen) in {"training": _training(rows), "power": _power(rows)}.items():
        share = seen / bare
        if np.isfinite(share).sum() >= FEWEST:
            found[name] = float(np.nanmedian(share))
    return Baselines(**found)


def baseline(rows: Sequence[Row], numbers: Baselines | None = None) -> dict[str, np.ndarray]:
    """What the baselines say of every row [n], by the quantities of `--validate`; NaN where they say nothing."""
    numbers = numbers or shipped_baselines()
    names = ("tpot_ms", "ttft_ms", "output_tok_s_chip", "tokens_s_chip_train", "power_w_chip", "j_per_output_token")
    said = {name: np.full(len(rows), np.nan) for name in names}
    data = _serving(rows)
    if data is not None:
        place = {id(row): at for at, row in enumerate(rows)}
        at = np.array([place[id(row)] for row in data.rows])
        cases = arrays(data.configurations)
        tpot = numbers.tpot[0] * roofline_tpot(data) + numbers.tpot[1]
        ttft = numbers.ttft[0] * roofline_ttft(data) + numbers.ttft[1]
        said["tpot_ms"][at], said["ttft_ms"][at] = tpot * 1e3, ttft * 1e3
        rate = cases.concurrency / (ttft + cases.osl * tpot)
        said["output_tok_s_chip"][at] = rate * cases.osl / cases.decode_chips
    for name, share, (at, bare, _) in (
        ("tokens_s_chip_train", numbers.training, _training(rows)), ("power_w_chip", numbers.power, _power(rows)),
    ):  # fmt: skip
        said[name][at] = share * bare
    said["j_per_output_token"] = said["power_w_chip"] / said["output_tok_s_chip"]
    return said


def roofline_tpot(data: Measured) -> np.ndarray:
    """Seconds per output token at datasheet peaks: the longer of compute and memory of each operator, nothing else."""
    cases, work = arrays(data.configurations), gather(data.configurations)
    batch = np.maximum(cases.concurrency / cases.replicas, cases.dp)
    load = pass_load(work, batch / cases.pp, batch / cases.pp, cases.context, cases.tp, cases.dp)
    return _at_peaks(load, work)


def roofline_ttft(data: Measured) -> np.ndarray:
    """Seconds of one prompt alone at datasheet peaks."""
    cases, work = arrays(data.configurations), gather(data.configurations)
    one = np.ones(len(data.rows))
    return _at_peaks(pass_load(work, cases.isl, one, cases.isl / 2.0, cases.tp, one, prefill=True), work)


def _at_peaks(load: Load, work: Work) -> np.ndarray:
    seconds = np.zeros(len(np.atleast_1d(work.rate)))
    for name in OPERATORS:
        rate = work.score_rate if name == "attention_score" else work.rate
        seconds = seconds + np.maximum(load.flops[name] / rate, load.bytes[name] / work.memory_bandwidth)
    return seconds


def two_numbers(bare: np.ndarray, observed: np.ndarray) -> tuple[float, float]:
    """Slope and offset (s) that make the mean absolute relative error of slope x bare + offset least (reweighted
    least squares)."""
    weight = 1.0 / observed
    for _ in range(50):
        design = np.stack([bare, np.ones_like(bare)], axis=1) * weight[:, None]
        slope, offset = np.linalg.lstsq(design, observed * weight, rcond=None)[0]
        error = np.abs(slope * bare + offset - observed) / observed
        weight = 1.0 / observed / np.sqrt(np.maximum(error, 1e-3))
    return float(slope), float(offset)


def _serving(rows: Sequence[Row]) -> Measured | None:
    try:
        return stated(measured(rows))[0]
    except InputError:
        return None


Points = tuple[np.ndarray, np.ndarray, np.ndarray]


def _training(rows: Sequence[Row]) -> Points:
    """Positions, tokens/s per chip at the peak of the format, and as measured."""
    from chipweir.perf import _architecture, _hardware
    from chipweir.perf._training_rows import measured_tokens, training_jobs
    from chipweir.perf._training_work import model_flops

    chosen = [at for at, row in enumerate(rows) if is_training(row)]
    job, index, _ = training_jobs([rows[at] for at in chosen])
    if job is None:
        return np.array([], dtype=int), np.array([]), np.array([])
    at = np.array([chosen[place] for place in index])
    peak = np.zeros(len(at))
    for dtype in np.unique(job.dtype):
        name = str(dtype).removeprefix("mx")
        peak = np.where(job.dtype == dtype, _hardware.compute_rate(job.hardware, name), peak)
    bare = peak / model_flops(_architecture.take(job.model, np.arange(len(at))), job.seq_len, job.mode)
    seen = [measured_tokens(rows[i], job, place) for place, i in enumerate(at)]
    return at, bare, np.array([np.nan if tokens is None else tokens for tokens in seen], dtype=float)


def _power(rows: Sequence[Row]) -> Points:
    """Positions, design power and measured power of rows that state one, W."""
    from chipweir.perf._hardware import hardware_as_written

    found = []
    for at, row in enumerate(rows):
        try:
            power = float(row.get("power_w_chip") or "nan")
            if power > 0:
                found.append(
                    (at, float(hardware_as_written(row.get("chip") or row.get("system") or "", []).tdp_w), power)
                )
        except (ValueError, InputError):
            continue
    points = np.array(found, dtype=float).reshape(-1, 3)
    return points[:, 0].astype(int), points[:, 1], points[:, 2]
