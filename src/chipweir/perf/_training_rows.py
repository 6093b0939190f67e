"""Training rows of a measurement or batch table as jobs, and predictions for them.

Columns are those of `chipweir estimate --batch`; an empty cell means "not stated" and is chosen sensibly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from chipweir.errors import InputError
from chipweir.perf import _architecture, _hardware
from chipweir.perf._cells import token_count
from chipweir.perf._configuration import TRAINING
from chipweir.perf._training import GROUPS, Posterior, TrainingEstimate, shipped_posterior, training_batch
from chipweir.perf._training_work import LAYOUT_FIELDS, TrainingJob, model_flops


# Middle of the year whose software an undated row is taken to run.
SOFTWARE_OF = 2026.46
# Older software counts as half a year old: what earlier runs lacked, their own engineers had made up for.
MOST_AGE = 0.5
# First date of submissions whose "fp8/fp4" is FP4 where the chip has it (MLPerf Training v5.1).
FP4_SINCE = "2025-10"
PUBLIC = "megatron|nemo|maxtext"
QUANTILE_80 = 1.2815515655446004
POINTS = ("p10", "p50", "p90")
SHOWN = ("tp", "pp", "cp", "ep", "dp", "micro_batch", "virtual", "sharded", "recompute")
COLUMNS = (
    "phase", "chip", "system", "model", "precision", "n_chips", "global_batch", "seq_len", "framework", "date",
    "batch_per_replica", "dp", "recompute", "sharding", "notes", *LAYOUT_FIELDS,
)  # fmt: skip
Cells = tuple[str, ...]
MOST_TOKENS = 1e12
LARGEST = {"n_chips": 1e7, "global_batch": 1e9, "seq_len": 1e8} | dict.fromkeys((*LAYOUT_FIELDS, "dp"), 1e5)


def training_jobs(rows: Sequence[Mapping[str, Any]]) -> tuple[TrainingJob | None, list[int], list[str]]:
    """Jobs for the rows that make sense, their row numbers, and for every row the reason why not ("" where it does)."""
    parsed = [_read(_cells(row)) for row in rows]
    index = [number for number, found in enumerate(parsed) if not isinstance(found, str)]
    reasons = [found if isinstance(found, str) else "" for found in parsed]
    return (_stack([parsed[i] for i in index]) if index else None), index, reasons  # type: ignore[misc]


def predict_training(rows: Sequence[Mapping[str, Any]], posterior: Posterior | None = None) -> list[dict[str, Any]]:
    """For every row `tokens_s_chip_train`, `step_time_s`, `tflops_chip` as {p10, p50, p90}, the plan, or a `reason`.

    `step_time_s` is given where the row states a global batch. Nothing a row contains stops the others. Rows that say
    the same are estimated once and share their answer.
    """
    places: dict[Cells, int] = {}
    which = [places.setdefault(_cells(row), len(places)) for row in rows]
    answers = _estimated([_read(cells) for cells in places], posterior or shipped_posterior())
    return [answers[place] for place in which]


def estimate_training(
    row: Mapping[str, Any], overrides: Mapping[str, float | str] | None = None, posterior: Posterior | None = None
) -> dict[str, Any]:
    """`predict_training` of one row on a chip with single numbers replaced. Raises `InputError` with the reason."""
    job = _read(_cells(row))
    if isinstance(job, str):
        raise InputError(job)
    if overrides:
        hardware = _hardware.override(job.hardware, overrides)
        job = job._replace(hardware=hardware, dtype=training_dtype(row, hardware))
    [answer] = _estimated([job], posterior or shipped_posterior())
    if "reason" in answer:
        raise InputError(answer["reason"])
    return answer


TIMES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def run_totals(answer: Mapping[str, Any], row: Mapping[str, Any], tokens: str, country: str = "US") -> dict[str, Any]:
    """FLOP, chip-hours, days and USD of a whole run of `tokens` ("14.8T"), failures included; {p10, p50, p90} each.

    `answer`: of `estimate_training` for `row`. FLOP are those of the model (one number). Cost is that of owning, where a
    price is known. Raises `InputError` for what is no number of tokens.
    """
    from chipweir import facts
    from chipweir.perf._cost import system_owning_cost
    from chipweir.perf._training import goodput

    match = re.fullmatch(r"\s*([\d.]+(?:e\d+)?)\s*([KMBT]?)\s*", tokens, re.I)
    try:
        count = float(match[1]) * TIMES[match[2].upper()] if match else 0.0
    except ValueError:
        count = 0.0
    if not 0 < count < 1e17:
        raise InputError(f"tokens must be a number such as 14.8T, not '{tokens}'")
    plan, rate = answer["plan"], answer["tokens_s_chip_train"]
    chips = float(row.get("n_chips") or plan["tp"] * plan["pp"] * plan["cp"] * plan["dp"])
    flop = answer["tflops_chip"]["p50"] * 1e12 / rate["p50"] * count
    hours = {
        low: count / rate[high] / 3600.0 / float(goodput(chips)) for low, high in zip(POINTS, POINTS[::-1], strict=True)
    }
    run = {"tokens": count, "flop": flop, "chips": chips, "chip_hours": hours}
    run["days"] = {name: value / chips / 24.0 for name, value in hours.items()}
    try:
        hourly = system_owning_cost(facts.load(), str(row["chip"]), country=facts.load().country(country).alpha2)
    except InputError as error:
        return run | {"note": f"cost: {error}"}
    spread = math.hypot(math.log(hours["p90"] / hours["p50"]) / QUANTILE_80, hourly.log_sd)
    return run | {"usd_per_chip_hour": hourly.total, "usd": quantiles(hours["p50"] * hourly.total, spread)}


def _estimated(parsed: Sequence[_Job | str], posterior: Posterior) -> list[dict[str, Any]]:
    """Answers for jobs; for a reason that there is no job, that reason."""
    answers: list[dict[str, Any]] = [{"reason": found} for found in parsed]
    index = [place for place, found in enumerate(parsed) if not isinstance(found, str)]
    jobs = [found for found in parsed if not isinstance(found, str)]
    if jobs:
        stacked = _stack(jobs)
        measured = list(zip(*(names.tolist() for names in posterior.known(stacked)), strict=True))
        estimate = training_batch(stacked, posterior)
        for place, answer in zip(index, _answers(estimate, jobs, measured), strict=True):
            answers[place] = answer
    return answers


def quantiles(centre: float, log_sd: float) -> dict[str, float]:
    """Tenth, fiftieth and ninetieth percentile of a log-normal with median `centre`."""
    factor = math.exp(QUANTILE_80 * log_sd)
    return {"p10": centre / factor, "p50": centre, "p90": centre * factor}


def _answers(
    estimate: TrainingEstimate, jobs: Sequence[_Job], measured: Sequence[tuple[bool, ...]]
) -> Iterator[dict[str, Any]]:
    """One answer per job, of plain numbers; `measured`: whether each of `GROUPS` was."""
    factors = np.exp(QUANTILE_80 * estimate.log_sd)
    measures = {"tokens_s_chip_train": estimate.tokens_s_chip, "tflops_chip": estimate.flops_chip / 1e12}
    measures |= {"mfu": estimate.mfu, "step_time_s": estimate.step_time_s}
    columns = [np.stack([v / factors, v, v * factors], axis=1).tolist() for v in measures.values()]
    layout = np.stack([getattr(estimate.layout, name) for name in SHOWN], axis=1).tolist()
    for place, job in enumerate(jobs):
        reason = _why_not(estimate, place)
        if reason:
            yield {"reason": reason}
            continue
        answer: dict[str, Any] = {
            name: dict(zip(POINTS, column[place], strict=True))
            for name, column in zip(measures, columns, strict=True)
            if job.batch_stated or name != "step_time_s"
        }
        answer |= {"plan": dict(zip(SHOWN, layout[place], strict=True)), "binds": str(estimate.binds[place])}
        notes = [*job.notes, *_novelty(job, dict(zip(GROUPS, measured[place], strict=True)))]
        yield answer | ({"notes": notes} if notes else {})


def _novelty(job: _Job, known: Mapping[str, bool]) -> list[str]:
    notes = []
    if not known["ecosystem"]:
        notes.append(f"training with {job.hardware.name}'s software was never measured: wide interval")
    elif not known["chip"]:
        notes.append(
            f"training on {job.hardware.name} not measured: from its datasheet and its software on other chips"
        )
    if not known["model"]:
        notes.append(f"training of {job.model.name} not measured: from its architecture")
    if float(job.hardware.spec_log_sd) > 0.3:
        notes.append(f"{job.hardware.name} has no full datasheet: gaps filled from its peers")
    return notes


def _why_not(estimate: TrainingEstimate, place: int) -> str:
    if not estimate.valid[place]:
        return "the layout needs more ranks than there are chips, or more replicas than sequences in the batch"
    if not estimate.fits[place]:
        needed, usable = estimate.bytes_needed[place] / 1e9, estimate.bytes_usable[place] / 1e9
        return f"does not fit: at least {needed:,.1f} GB a chip needed, {usable:,.1f} GB usable"
    return (
        "" if np.isfinite(estimate.step_time_s[place]) else "the numbers of this row are beyond what the model can say"
    )


def measured_tokens(row: Mapping[str, Any], job: TrainingJob, place: int) -> float | None:
    """Tokens a second and chip that a row reports: directly, from its FLOP/s, or from its MFU of the 16-bit peak."""
    direct = _number(row, "tokens_s_chip_train")
    if direct is not None:
        return direct
    flops = _number(row, "tflops_chip")
    if flops is None:
        match = re.search(r"MFU\D{0,2}(\d+(?:\.\d+)?)\s*%", str(row.get("stat") or ""))
        if match is None:
            return None
        flops = float(match[1]) / 100.0 * job.hardware.bf16_flops[place] / 1e12
    per_token = model_flops(
        _architecture.take(job.model, np.array([place])), job.seq_len[place : place + 1], job.mode[place]
    )[0]
    return flops * 1e12 / float(per_token)


class _Job(NamedTuple):
    """One row as plain values; `layout` in the order of `LAYOUT_FIELDS`, NaN where not stated."""

    hardware: _hardware.Hardware
    model: _architecture.Architecture
    chips: float
    mode: str
    global_batch: float
    seq_len: float
    dtype: str
    age: float
    layout: tuple[float, ...]
    sharded: float
    recompute: float
    stack: str
    batch_stated: bool
    notes: tuple[str, ...]


def _cells(row: Mapping[str, Any]) -> Cells:
    """The cells of a row that matter, as text."""
    return tuple("" if (cell := row.get(name)) is None else str(cell).strip() for name in COLUMNS)


@lru_cache(maxsize=16384)
def _read(cells: Cells) -> _Job | str:
    """A row's cells as a job, or the reason why they are none."""
    try:
        return _job(dict(zip(COLUMNS, cells, strict=True)))
    except InputError as error:
        return str(error)


def _job(row: Mapping[str, str]) -> _Job:
    """One row as plain values. Raises `InputError` with the reason."""
    mode = TRAINING.get((row["phase"] or "training").lower(), "pretrain")
    notes: list[str] = []
    hardware = _hardware.hardware_as_written(row["chip"] or row["system"], notes)
    _hardware.sixteen_bits(row["precision"], hardware)
    model = _model(row["model"])
    layout = _layout(row, model)
    replicas = _number(row, "dp") or 1.0
    ranks = math.prod(degree for degree in layout[:3] if not math.isnan(degree)) * replicas
    chips = _number(row, "n_chips")
    if chips is None and ranks > 1:
        chips = ranks
        notes.append(f"number of chips not stated: {chips:,.0f} by the layout")
    elif chips is None:
        chips = _enough_chips(hardware, model, mode)
        notes.append(f"number of chips not stated: {chips:,.0f}")
    stated_length = _number(row, "seq_len")
    seq_len = stated_length
    if seq_len is None:
        seq_len = 2048.0 if "gpt-3" in str(model.id) else min(8192.0, float(model.context))
        notes.append(f"sequence length not stated: {seq_len:,.0f} tokens")
    tokens = _batch_tokens(row)
    batch = _number(row, "global_batch")
    stated = batch is not None or tokens is not None
    if chips < 1 or seq_len <= 0 or batch == 0 or tokens == 0:
        raise InputError(
            f"n_chips, global_batch and seq_len must be positive, not {chips:g}, {batch:g}, {seq_len:g}"
            if batch is not None
            else f"n_chips and seq_len must be positive, not {chips:g}, {seq_len:g}"
        )
    if batch is None:
        # About 16k tokens a chip and step, between a quarter and 16 million: what published runs use.
        batch = (tokens or float(np.clip(16384.0 * chips, 2.5e5, 1.6e7))) / seq_len
        if mode == "lora" and not tokens:
            batch = max(8.0, chips / 8.0)
        if not stated:
            notes.append(f"batch not stated: {max(batch, 1.0):,.0f} sequences")
    if ranks > chips:
        product = "tp x pp x cp x dp" if replicas > 1 else "tp x pp x cp"
        raise InputError(f"contradictory layout: {product} = {ranks:g} ranks on {chips:g} chips")
    dtype = training_dtype(row, hardware)
    asked = row["precision"].lower()
    if ("fp4" in asked and "mixed" not in asked and dtype != "fp4") or (
        re.search("fp8|float8", asked) and dtype == "bf16"
    ):
        notes.append(f"{hardware.name} has no unit for {asked}: runs in {dtype}")
    if replicas > 1 and ranks == chips:
        # All chips are accounted for: degrees that nobody states are not used.
        layout = (*(1.0 if math.isnan(degree) else degree for degree in layout[:3]), *layout[3:])
    return _Job(
        hardware, model, chips, mode, max(batch, 1.0), seq_len, dtype, software_age(row), layout, _sharded(row),
        _recompute(row), stack_of(row["framework"]), stated, tuple(notes),
    )  # fmt: skip


# Words of a training framework and the family of software they mean.
STACKS = (("torchtitan", "torch"), ("llm-foundry", "torch"), ("fsdp", "torch"), ("megatron", "megatron"),
          ("nemo", "megatron"), ("ngc pytorch", "megatron"), ("maxtext", "maxtext"), ("modellink", "mindspeed"),
          ("mindspeed", "mindspeed"), ("mindspore", "maker"), ("rocm", "torch-rocm"))  # fmt: skip


@lru_cache(maxsize=4096)
def stack_of(framework: str) -> str:
    """The family of training software: torch, megatron, maxtext, mindspeed, maker (a lab's own), or other."""
    folded = framework.lower()
    found = next((name for word, name in STACKS if word in folded), None)
    return found or ("maker" if folded in ("meta", "deepseek internal", "bytedance", "huawei") else "other")


def _sharded(row: Mapping[str, str]) -> float:
    """1 where weights are sharded over data-parallel ranks, 0 where told not, NaN where not told."""
    text = f"{row['sharding']} {row['framework']} {row['notes']}".lower()
    if re.search(r"full_shard|fsdp|zero-?3", text):
        return 1.0
    return 0.0 if re.search(r"no_shard|\bddp\b", text) else math.nan


def _recompute(row: Mapping[str, str]) -> float:
    """Least place in `RECOMPUTE` that was run, NaN where not told."""
    text = f"recompute {row['recompute']}; {row['notes']}".lower()
    if re.search(r"full recompute|recompute full|activation checkpointing true", text):
        return 3.0
    if re.search(r"selective recompute|recompute selective|recompute yes", text):
        return 1.0
    return 0.0 if re.search(r"recompute none|activation checkpointing false", text) else math.nan


def _layout(row: Mapping[str, str], model: _architecture.Architecture) -> tuple[float, ...]:
    """Degrees in the order of `LAYOUT_FIELDS`, NaN where not stated; a degree of zero means that none is used."""
    degrees = []
    for name in LAYOUT_FIELDS:
        number = _number(row, name)
        if name == "micro_batch" and number is None:
            # Tables of training runs give the micro-batch as the batch of one replica.
            number = _number(row, "batch_per_replica")
        if name == "micro_batch" and number is None:
            told = re.search(r"micro[- ]batch (\d+)", row["notes"])
            number = float(told[1]) if told else None
        if name in ("pp", "cp", "ep") and number == 0:
            number = 1.0
        if number is not None and (number < 1 or number != round(number)):
            raise InputError(f"{name} must be a whole number of at least 1, not {number:g}")
        if name == "ep" and number is not None and number > max(float(model.experts), 1.0):
            raise InputError(
                f"contradictory layout: ep {number:g} on {model.name}, which has {model.experts:g} experts"
            )
        if name == "pp" and number is not None and number > model.layers:
            raise InputError(f"contradictory layout: pp {number:g} on {model.name}, which has {model.layers:g} layers")
        degrees.append(math.nan if number is None else number)
    return tuple(degrees)


def _enough_chips(hardware: _hardware.Hardware, model: _architecture.Architecture, mode: str) -> float:
    """Chips of a job that states none: the named system's, else the least power of two that holds its states."""
    if hardware.system_chips > 0:
        return float(hardware.system_chips)
    states = float(model.total_params) * (2.0 if mode == "lora" else 18.0)
    return float(2 ** max(3, math.ceil(math.log2(states / (0.5 * float(hardware.memory_bytes))))))


def _model(name: str) -> _architecture.Architecture:
    """The architecture; Llama 3 and 3.1 differ in context only, and run descriptions may follow the name."""
    try:
        return _architecture.architecture(name)
    except InputError:
        renamed = re.sub(r"^llama[-_ ]?3[-_ ](?=\d+b)", "Llama-3.1-", name.strip(), flags=re.I)
        if renamed == name.strip():
            raise
        return _architecture.architecture(renamed)


def training_dtype(row: Mapping[str, Any], hardware: _hardware.Hardware) -> str:
    """Format of the matrix products: as stated; for "mixed" and 8-bit the chip's own 8-bit unit; 16 bits by default.

    A format the chip has no unit for runs as the next wider one.
    """
    text = str(row.get("precision") or "").strip().lower()
    eight = "fp8" if hardware.fp8_flops > 0 else "bf16"
    if "fp8/fp4" in text and hardware.fp4_flops > 0 and str(row.get("date") or "") >= FP4_SINCE:
        return "fp4"
    if "mixed" in text or text in ("fp8", "float8", "int8"):
        return "int8" if eight == "bf16" and hardware.int8_flops > 0 and text != "fp8" else eight
    if "mxfp8" in text:
        return "mxfp8" if hardware.fp8_flops > 0 else "bf16"
    if "fp4" in text:
        return "fp4" if hardware.fp4_flops > 0 else eight
    if text in ("", "bf16", "bfloat16", "fp16", "float16", "tf32"):
        return "bf16"
    if "fp8" in text:
        return eight
    raise InputError(f"unknown training precision '{text}'; known: bf16, fp8, mxfp8, int8, fp4")


def _number(row: Mapping[str, str], name: str) -> float | None:
    """A cell as a number; None where empty. Raises `InputError` for text that is none and for what no cluster has."""
    text = str(row.get(name) or "").strip()
    if not text or text.lower() in ("nan", "none", "n/a") or "token" in text.lower():
        return None
    try:
        number = float(text)
    except ValueError as error:
        if name == "global_batch" and text[-1] in "mM":
            return None
        if name == "seq_len" and re.fullmatch(r"\d+(?:\.\d+)?[kK]|\d{1,3}(?:,\d{3})+", text):
            return token_count(text, name)
        raise InputError(f"{name} must be a number, not '{text}'") from error
    if not math.isfinite(number):
        raise InputError(f"{name} must be finite, not '{text}'")
    if number < 0:
        raise InputError(f"{name} must not be negative, not {text}")
    if number > LARGEST.get(name, 1e12):
        raise InputError(f"{name} of {text} is beyond what this model can say; at most {LARGEST[name]:g}")
    return number


def software_age(row: Mapping[str, Any]) -> float:
    """Years by which a row's `date` precedes `SOFTWARE_OF` if it ran a public framework; at most `MOST_AGE`.

    0 where no date is stated or it is later. A maker's own stack is taken as tuned in its time.
    """
    match = re.match(r"\s*(20\d\d)(?:-(\d\d))?", str(row.get("date") or ""))
    if match is None or not re.search(PUBLIC, str(row.get("framework") or ""), re.I):
        return 0.0
    year = float(match[1]) + ((float(match[2]) - 0.5) / 12.0 if match[2] else 0.5)
    return float(np.clip(SOFTWARE_OF - year, 0.0, MOST_AGE))


def _batch_tokens(row: Mapping[str, str]) -> float | None:
    """A global batch given in tokens ("16M tokens", "4M"), None where it is not. Raises `InputError` for other words."""
    text = str(row.get("global_batch") or "").strip()
    if not re.search(r"token|\dM$", text, re.I):
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kM]?)\s*(?:tokens?)?", text)
    tokens = float(match[1]) * {"": 1.0, "k": 1e3, "M": 1e6}[match[2]] if match else 0.0
    if not 0 < tokens <= MOST_TOKENS:
        raise InputError(f"global_batch must be a number of sequences or such as '16M tokens', not '{text}'")
    return tokens


def _stack(jobs: Sequence[_Job]) -> TrainingJob:
    """Jobs as arrays; every chip and model is turned into numbers once."""
    chips = {id(job.hardware): job.hardware for job in jobs}
    models = {id(job.model): job.model for job in jobs}
    chip_at = {key: at for at, key in enumerate(chips)}
    model_at = {key: at for at, key in enumerate(models)}
    numbers = np.array(
        [(job.chips, job.global_batch, job.seq_len, job.age, job.sharded, job.recompute, *job.layout) for job in jobs],
        dtype=float,
    )
    names = ("chips", "global_batch", "seq_len", "age", "sharded", "recompute", *LAYOUT_FIELDS)
    return TrainingJob(
        hardware=_hardware.take(
            _hardware.stack(list(chips.values())), np.array([chip_at[id(job.hardware)] for job in jobs])
        ),
        model=_architecture.take(
            _architecture.stack(list(models.values())), np.array([model_at[id(job.model)] for job in jobs])
        ),
        dtype=np.array([job.dtype for job in jobs]),
        mode=np.array([job.mode for job in jobs]),
        stack=np.array([job.stack for job in jobs], dtype=object),
        **dict(zip(names, numbers.T, strict=True)),
    )
