"""Speed and error of the performance room in one run, beside a roofline, two fitted numbers, and GenZ where installed.

    python benchmarks/perf.py MEASUREMENTS.csv

Prints estimates a second by kind (numeric cores, and whole rows with names, choices and JSON) and the errors of time
per output token and of training throughput. GenZ (genz-llm on PyPI) is optional: its decode model is asked for the
dense models it knows, on the same rows.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._baselines import roofline_tpot, two_numbers
from chipweir.perf._batch import predict_rows
from chipweir.perf._efficiency import efficiencies, group_levels, index, shipped
from chipweir.perf._measured import Measured, measured, read_rows, stated
from chipweir.perf._serving import serve
from chipweir.perf._training import Layout, resolved_seconds, shipped_posterior
from chipweir.perf._training_fit import TrainingData, training_data
from chipweir.perf._training_layout import choose
from chipweir.perf._training_work import DTYPES, LAYOUT_FIELDS, TrainingJob, model_flops, take_jobs, terms


ROWS = 20_000
CHIPS = ("NVIDIA H100", "NVIDIA H200", "NVIDIA B200", "NVIDIA H20", "AMD MI300X", "Huawei Ascend 910C")
MODELS = ("Llama-3.1-8B", "Llama-3.1-70B", "Qwen3-30B-A3B", "Qwen3-235B-A22B", "DeepSeek-V3")
GENZ = {"Llama-3.1-8B": "meta-llama/meta-llama-3.1-8b", "Llama-3.1-70B": "meta-llama/meta-llama-3.1-70b",
        "Llama-3.1-405B": "meta-llama/meta-llama-3.1-405b"}  # fmt: skip


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The fastest of several runs."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def error(predicted: np.ndarray, observed: np.ndarray) -> tuple[float, float]:
    """Median and mean absolute percentage error."""
    off = np.abs(predicted / observed - 1.0)
    return float(np.median(off)), float(off.mean())


def made_rows(count: int, kind: str) -> list[dict[str, str]]:
    """Rows that differ from one another: "serving" and "training" with everything stated, "... open" with little."""
    draw = np.random.default_rng(0)
    rows = []
    for _ in range(count):
        row = {"chip": str(draw.choice(CHIPS)), "model": str(draw.choice(MODELS)), "n_chips": "64"}
        if kind.startswith("training"):
            row |= {"phase": "training", "global_batch": str(draw.integers(128, 8192)), "seq_len": "4096"}
            row |= {"n_chips": str(512 * draw.integers(1, 16))}
            experts = "64" if row["model"] in ("DeepSeek-V3", "Qwen3-235B-A22B", "Qwen3-30B-A3B") else ""
            stated = {"tp": "8", "pp": "8", "cp": "1", "ep": experts, "micro_batch": "1"}
        else:
            row |= {"phase": "serving", "isl": str(draw.integers(128, 16384)), "osl": str(draw.integers(16, 4096))}
            stated = {"tp": "8", "n_chips": "8", "concurrency": str(draw.integers(1, 512))}
        rows.append(row | ({} if kind.endswith("open") else stated))
    return rows


def serving_core(rows: Sequence[Mapping[str, str]]) -> float:
    """Estimates a second of the serving equations alone, on rows whose layout and load are stated."""
    data, work, cases = stated(measured(rows))
    posterior = shipped()
    where = index(posterior.form, [group_levels(c) for c in data.configurations])
    e = efficiencies(posterior.mean, where, posterior.form)
    return len(data.rows) / seconds(lambda: serve(work, e, cases))


def training_core(data: TrainingData, count: int = 100_000) -> float:
    """Estimates a second, intervals included, of the training equations alone, on rows whose layout is known."""
    posterior = shipped_posterior()
    job = take_jobs(data.job, np.resize(np.arange(len(data.seconds)), count))
    known = terms(job)
    one, _, _ = choose(data.job, posterior.centre)
    layout = Layout(**{name: np.resize(values, count) for name, values in vars(one).items()})
    return count / seconds(lambda: resolved_seconds(job, known, layout, posterior))


def print_speed(table: Sequence[Mapping[str, str]], data: TrainingData | None) -> None:
    """Estimates a second by kind."""
    print(f"estimates a second ({os.cpu_count()} cores)")
    print(f"{'serving, numeric core':48s} {serving_core(table):12,.0f}")
    if data is not None:
        print(f"{'training, numeric core with intervals':48s} {training_core(data):12,.0f}")
    kinds = (
        ("serving", 1, "serving rows, all stated"),
        ("serving open", 8, "serving rows, layout and load searched"),
        ("training", 1, "training rows, all stated"),
        ("training open", 8, "training rows, layout searched"),
    )
    for kind, fewer, words in kinds:
        rows = made_rows(ROWS // fewer, kind)
        print(f"{words:48s} {len(rows) / seconds(lambda rows=rows: predict_rows(rows), 2):12,.0f}")
    answers = predict_rows(table)
    print(f"{'the table given':48s} {len(table) / seconds(lambda: predict_rows(table), 2):12,.0f}")
    print(f"{'its answers as JSON':48s} {len(table) / seconds(lambda: [json.dumps(a) for a in answers]):12,.0f}")


def genz_tpot(data: Measured) -> np.ndarray | None:
    """GenZ's decode latency in seconds for rows it can model (one replica, tensor parallel); None without it."""
    try:
        from GenZ import decode_moddeling
    except ImportError:
        return None
    result = np.full(len(data.rows), np.nan)
    for i, c in enumerate(data.configurations):
        if c.model.name not in GENZ or c.plan is None or c.plan.split or c.plan.dp > 1 or i % 5:
            continue
        chip = {"Flops": c.chip.bf16_flops / 1e12, "Memory_size": c.chip.memory_bytes / 2**30,
                "Memory_BW": c.chip.memory_bandwidth / 1e9, "ICN": c.chip.scaleup_bandwidth / 1e9,
                "real_values": True}  # fmt: skip
        tp = int(c.plan.tp)
        try:
            answer = decode_moddeling(
                model=GENZ[c.model.name], batch_size=max(1, round((c.concurrency or 1) / c.plan.replicas)), Bb=1,
                input_tokens=int(c.isl), output_tokens=int(c.osl), system_name=chip, tensor_parallel=tp,
                bits={"bf16": "bf16", "fp8": "int8", "fp4": "int4"}.get(c.dtype, "bf16"),
                parallelism_heirarchy=f"TP{{{tp}}}_EP{{1}}_PP{{1}}",
            )  # fmt: skip
            result[i] = float(answer["Latency"]) / 1e3
        except Exception as reason:
            print(f"GenZ: {c.model.name} on {c.chip.name}: {reason}", file=sys.stderr)
    return result


def print_serving(table: Sequence[Mapping[str, str]]) -> None:
    """Errors of the time per output token beside the baselines on the same rows."""
    data, _, _ = stated(measured(table))
    answers: dict[int, Any] = {id(row): a for row, a in zip(table, predict_rows(table), strict=True)}
    ours = np.array(
        [answers[id(r)].get("predictions", {}).get("tpot_ms", {}).get("p50", np.nan) / 1e3 for r in data.rows]
    )
    bare = roofline_tpot(data)
    usable = np.isfinite(ours) & np.isfinite(data.tpot)
    slope, offset = two_numbers(bare[usable], data.tpot[usable])
    fitted = slope * bare + offset
    named = {"chipweir": ours, "roofline": bare, f"{slope:.2f} x roofline + {offset * 1e3:.1f} ms": fitted}
    _print_errors("time per output token", named, data.tpot, usable)
    other = genz_tpot(data)
    if other is None:
        print("GenZ is not installed (pip install genz-llm): left out")
    elif (usable & np.isfinite(other)).any():
        _print_errors("the rows GenZ can model", {"GenZ": other} | named, data.tpot, usable & np.isfinite(other))
    else:
        print("GenZ models none of these rows")


def _print_errors(title: str, named: Mapping[str, np.ndarray], observed: np.ndarray, use: np.ndarray) -> None:
    print(f"\n{f'{title}, {use.sum()} rows':48s} {'median error':>12s} {'mean error':>12s}")
    for name, values in named.items():
        median, mean = error(values[use], observed[use])
        print(f"{name:48s} {median:12.1%} {mean:12.1%}")


def print_training(table: Sequence[Mapping[str, str]], data: TrainingData) -> None:
    """Errors of training throughput beside one utilisation for each number format, fitted to the same rows."""
    from chipweir.perf._training import training_batch

    ours = training_batch(data.job, shipped_posterior()).step_time_s
    share = model_share(data.job, data.seconds)
    typical = {name: np.median(share[data.job.dtype == name]) for name in DTYPES if (data.job.dtype == name).any()}
    plain = data.seconds * share / np.array([typical[name] for name in data.job.dtype])
    named = {"chipweir": ours, "one utilisation for each number format": plain}
    _print_errors("training step time", named, data.seconds, np.isfinite(ours))
    free = replace(data.job, **{name: np.full(len(data.seconds), np.nan) for name in LAYOUT_FIELDS})
    searched = training_batch(free, shipped_posterior()).step_time_s
    _print_errors("the same, no layout stated", {"chipweir": searched}, data.seconds, np.isfinite(searched))


def model_share(job: TrainingJob, step: np.ndarray) -> np.ndarray:
    """Model FLOP/s as a share of the dense 16-bit peak [n] at `step` seconds a step."""
    tokens = job.global_batch * job.seq_len / job.chips / step
    return np.asarray(tokens * model_flops(job.model, job.seq_len, job.mode) / job.hardware.bf16_flops)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measurements", type=Path)
    options = parser.parse_args(arguments)
    try:
        table = read_rows(options.measurements)
        try:
            data = training_data(table)
        except InputError:
            data = None
        print_speed(table, data)
        print_serving(table)
        if data is not None:
            print_training(table, data)
    except InputError as error_:
        sys.exit(str(error_))


if __name__ == "__main__":
    main()
