"""Training rows of a measurement or batch table as jobs, and predictions for them.

Columns are those of `chipweir estimate --batch`; an empty cell means "not stated" and is chosen sensibly.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf import _architecture, _hardware
from chipweir.perf._training import LAYOUT_FIELDS, Posterior, TrainingEstimate, TrainingJob, model_flops, training_batch


PHASES = {
    "training": "pretrain", "pretraining": "pretrain", "finetune_lora": "lora", "lora performance": "lora",
    "lora": "lora", "sft performance": "sft", "sft": "sft", "finetune": "sft",
}  # fmt: skip
QUANTILE_80 = 1.2815515655446004


def is_training(row: Mapping[str, Any]) -> bool:
    """Whether a table row asks for training."""
    return str(row.get("phase") or "").strip().lower() in PHASES


def training_jobs(rows: Sequence[Mapping[str, Any]]) -> tuple[TrainingJob | None, list[int], list[str]]:
    """Jobs for the rows that make sense, their row numbers, and for every row the reason why not ("" where it does)."""
    parsed, index, reasons = [], [], []
    for number, row in enumerate(rows):
        try:
            parsed.append(_job(row))
            index.append(number)
            reasons.append("")
        except InputError as error:
            reasons.append(str(error))
    return (_stack(parsed) if parsed else None), index, reasons


def predict_training(rows: Sequence[Mapping[str, Any]], posterior: Posterior | None = None) -> list[dict[str, Any]]:
    """For every row `tokens_s_chip_train`, `step_time_s`, `tflops_chip` as {p10, p50, p90}, the plan, or a `reason`.

    `step_time_s` is given where the row states a global batch. Nothing a row contains stops the others.
    """
    job, index, reasons = training_jobs(rows)
    answers: list[dict[str, Any]] = [{"reason": reason} for reason in reasons]
    if job is None:
        return answers
    estimate = training_batch(job, posterior)
    for place, number in enumerate(index):
        answers[number] = _answer(rows[number], estimate, place)
    return answers


def quantiles(centre: float, log_sd: float) -> dict[str, float]:
    """Tenth, fiftieth and ninetieth percentile of a log-normal with median `centre`."""
    factor = math.exp(QUANTILE_80 * log_sd)
    return {"p10": centre / factor, "p50": centre, "p90": centre * factor}


def _answer(row: Mapping[str, Any], estimate: TrainingEstimate, place: int) -> dict[str, Any]:
    if not estimate.valid[place]:
        return {
            "reason": "the layout needs more ranks than there are chips, or more replicas than sequences in the batch"
        }
    if not estimate.fits[place]:
        needed, usable = estimate.bytes_needed[place] / 1e9, estimate.bytes_usable[place] / 1e9
        return {"reason": f"does not fit: at least {needed:.1f} GB a chip needed, {usable:.1f} GB usable"}
    sd = float(estimate.log_sd[place])
    layout = {
        name: float(getattr(estimate.layout, name)[place])
        for name in ("tp", "pp", "cp", "ep", "dp", "micro_batch", "virtual", "sharded", "recompute")
    }
    answer: dict[str, Any] = {
        "tokens_s_chip_train": quantiles(float(estimate.tokens_s_chip[place]), sd),
        "tflops_chip": quantiles(float(estimate.flops_chip[place]) / 1e12, sd),
        "mfu": quantiles(float(estimate.mfu[place]), sd),
        "plan": layout,
        "binds": str(estimate.binds[place]),
    }
    if _number(row, "global_batch") is not None or _batch_tokens(row) is not None:
        answer["step_time_s"] = quantiles(float(estimate.step_time_s[place]), sd)
    return answer


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


def _job(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row as plain values. Raises `InputError` with the reason."""
    mode = PHASES.get(str(row.get("phase") or "training").strip().lower(), "pretrain")
    hardware = _hardware.hardware(str(row.get("chip") or row.get("system") or "").strip())
    model = _model(str(row.get("model") or ""))
    chips = _number(row, "n_chips")
    if chips is None:
        chips = _enough_chips(hardware, model, mode)
    seq_len = _number(row, "seq_len") or (2048.0 if "gpt-3" in str(model.id) else min(8192.0, float(model.context)))
    tokens = _batch_tokens(row)
    batch = _number(row, "global_batch")
    if batch is None:
        # About 16k tokens a chip and step, between a quarter and 16 million: what published runs use.
        batch = (tokens or float(np.clip(16384.0 * chips, 2.5e5, 1.6e7))) / seq_len
        if mode == "lora":
            batch = max(8.0, chips / 8.0)
    if chips < 1 or batch <= 0 or seq_len <= 0:
        raise InputError(f"n_chips, global_batch and seq_len must be positive, not {chips:g}, {batch:g}, {seq_len:g}")
    values: dict[str, Any] = {"hardware": hardware, "model": model, "chips": chips, "mode": mode}
    values |= {"global_batch": max(batch, 1.0), "seq_len": seq_len, "dtype": training_dtype(row, hardware)}
    for name in LAYOUT_FIELDS:
        number = _number(row, name)
        if number is not None and number < 1:
            raise InputError(f"{name} must be at least 1, not {number:g}")
        values[name] = math.nan if number is None else number
    ranks = math.prod(values[k] for k in ("tp", "pp", "cp") if not math.isnan(values[k]))
    if ranks > chips:
        raise InputError(f"contradictory layout: tp x pp x cp = {ranks:g} ranks on {chips:g} chips")
    return values


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
    """Format of the matrix products: as stated; for "mixed" and 8-bit the chip's own 8-bit unit; 16 bits by default."""
    text = str(row.get("precision") or "").strip().lower()
    if "mixed" in text or text in ("fp8", "float8", "int8"):
        if hardware.fp8_flops > 0:
            return "fp8"
        return "int8" if hardware.int8_flops > 0 and text != "fp8" else "bf16"
    if "mxfp8" in text:
        return "mxfp8"
    if "fp4" in text:
        return "fp4"
    if text in ("", "bf16", "bfloat16", "fp16", "float16", "tf32"):
        return "bf16"
    if "fp8" in text:
        return "fp8"
    raise InputError(f"unknown training precision '{text}'; known: bf16, fp8, mxfp8, int8, fp4")


def _number(row: Mapping[str, Any], name: str) -> float | None:
    """A cell as a number; None where empty. Raises `InputError` for text that is none."""
    cell = row.get(name)
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    text = str(cell).strip()
    if not text or text.lower() in ("nan", "none") or "token" in text.lower():
        return None
    try:
        number = float(text)
    except ValueError as error:
        raise InputError(f"{name} must be a number, not '{text}'") from error
    if not math.isfinite(number):
        raise InputError(f"{name} must be finite, not '{text}'")
    return number


def _batch_tokens(row: Mapping[str, Any]) -> float | None:
    """A global batch given in tokens ("16M tokens")."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kM]?)\s*tokens?\s*", str(row.get("global_batch") or ""))
    return float(match[1]) * {"": 1.0, "k": 1e3, "M": 1e6}[match[2]] if match else None


def _stack(values: list[dict[str, Any]]) -> TrainingJob:
    numbers = {
        name: np.array([v[name] for v in values], dtype=float)
        for name in ("chips", "global_batch", "seq_len", *LAYOUT_FIELDS)
    }
    return TrainingJob(
        hardware=_hardware.stack([v["hardware"] for v in values]),
        model=_architecture.stack([v["model"] for v in values]),
        dtype=np.array([v["dtype"] for v in values]),
        mode=np.array([v["mode"] for v in values]),
        **numbers,
    )
