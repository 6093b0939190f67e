"""Speed and error of the performance room in one run, beside a roofline, two fitted numbers, and GenZ where installed.

    python benchmarks/perf.py MEASUREMENTS.csv

Prints predictions a second (numeric core, and whole rows with names) and the error on time per output token. GenZ
(genz-llm on PyPI) is optional: its decode model is asked for the dense models it knows, on the same rows.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from chipweir.perf._batch import predict_rows
from chipweir.perf._efficiency import efficiencies, group_levels, index, shipped
from chipweir.perf._measured import Measured, measured, read_rows, stated
from chipweir.perf._serving import serve
from chipweir.perf._validate import roofline_tpot, two_numbers


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
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


def genz_tpot(data: Measured) -> np.ndarray | None:
    """GenZ's decode latency in seconds for rows it can model (one replica, tensor parallel); None if it is not installed."""
    try:
        from GenZ import decode_moddeling
    except ImportError:
        return None
    names = {"Llama-3.1-8B": "meta-llama/Llama-3.1-8B", "Llama-3.1-70B": "meta-llama/Llama-3.1-70B",
             "Llama-3.1-405B": "meta-llama/Llama-3.1-405B", "Qwen3-32B": "Qwen/Qwen3-32B"}  # fmt: skip
    result = np.full(len(data.rows), np.nan)
    for i, c in enumerate(data.configurations):
        if c.model.name not in names or c.plan is None or c.plan.split or c.plan.dp > 1 or i % 20:
            continue
        chip = {"Flops": c.chip.bf16_flops / 1e12, "Memory_size": c.chip.memory_bytes / 2**30,
                "Memory_BW": c.chip.memory_bandwidth / 1e9, "ICN": c.chip.scaleup_bandwidth / 1e9,
                "real_values": True}  # fmt: skip
        try:
            answer = decode_moddeling(
                model=names[c.model.name], batch_size=max(1, int((c.concurrency or 1) / c.plan.replicas)), Bb=1,
                input_tokens=int(c.isl), output_tokens=int(c.osl), system_name=chip, tensor_parallel=int(c.plan.tp),
                bits={"bf16": "bf16", "fp8": "int8", "fp4": "int4"}.get(c.dtype, "bf16"),
            )  # fmt: skip
            result[i] = float(answer["Latency"]) / 1e3
        except Exception as reason:
            print(f"GenZ: {c.model.name} on {c.chip.name}: {reason}", file=sys.stderr)
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measurements", type=Path)
    options = parser.parse_args(arguments)
    rows = read_rows(options.measurements)
    data, work, cases = stated(measured(rows))
    posterior = shipped()
    e = efficiencies(
        posterior.mean, index(posterior.form, [group_levels(c) for c in data.configurations]), posterior.form.size
    )
    core = len(data.rows) / seconds(lambda: serve(work, e, cases))
    whole = len(rows) / seconds(lambda: predict_rows(rows), repeats=2)
    print(f"predictions a second: numeric core {core:,.0f}, rows read from a table {whole:,.0f}")
    answers = {id(row): a for row, a in zip(rows, predict_rows(rows), strict=True)}
    ours = np.array(
        [answers[id(r)].get("predictions", {}).get("tpot_ms", {}).get("p50", np.nan) / 1e3 for r in data.rows]
    )
    bare = roofline_tpot(data)
    usable = np.isfinite(ours) & np.isfinite(data.tpot)
    slope, offset = two_numbers(bare[usable], data.tpot[usable])
    print(f"\ntime per output token, {usable.sum()} rows   median error   mean error")
    for name, values in (
        ("chipweir", ours), ("roofline", bare), (f"{slope:.2f} x roofline + {offset * 1e3:.1f} ms", slope * bare + offset),
    ):  # fmt: skip
        median, mean = error(values[usable], data.tpot[usable])
        print(f"{name:36s} {median:10.1%} {mean:12.1%}")
    other = genz_tpot(data)
    if other is None:
        print("GenZ is not installed (pip install genz-llm): left out")
        return
    known = usable & np.isfinite(other)
    for name, values in (("GenZ", other), ("chipweir, the same rows", ours)):
        median, mean = error(values[known], data.tpot[known])
        print(f"{name:36s} {median:10.1%} {mean:12.1%}   ({known.sum()} rows)")


if __name__ == "__main__":
    main()
