"""Tables that benchmark clients write, as rows of ours: vLLM and SGLang (`bench serve`, `bench_serving`), genai-perf and
llama-bench.

Their throughputs are of the whole deployment, ours per chip; mean lengths are those of the run (tokens over requests),
not the flags', which some clients draw from below. A column of ours in the file wins.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence


Row = Mapping[str, str]
# Columns of clients by ours, the first that is filled counts.
NAMES = {
    "model": ("model_id", "model_name"), "framework": ("backend", "endpoint_type"), "concurrency": ("max_concurrency",),
    "num_prompts": ("num_prompts", "completed"), "tp": ("tensor_parallel_size", "tp_size"),
    "dp": ("data_parallel_size", "dp_size"), "pp": ("pipeline_parallel_size", "pp_size"),
    "precision": ("quantization", "dtype"), "isl": ("random_input_len",), "osl": ("random_output_len",),
    "chip": ("gpu", "gpu_name", "gpu_type", "accelerator", "device", "hardware"), "n_chips": ("num_gpus", "gpu_count"),
}  # fmt: skip
# Headings as people write them, folded to letters and digits, by our columns or a client's.
HEADINGS = {
    "model": ("modelname", "llm"), "chip": ("gpu", "gputype", "gpuname", "accelerator", "device", "hardware"),
    "n_chips": ("gpus", "numgpus", "ngpus", "gpucount", "numberofgpus", "chips", "devices"),
    "framework": ("engine", "backend", "servingengine", "inferenceengine"),
    "framework_version": ("engineversion", "version"),
    "precision": ("quantization", "quant", "dtype", "numberformat", "weightformat"),
    "tp": ("tensorparallel", "tensorparallelsize"), "dp": ("dataparallel", "dataparallelsize"),
    "pp": ("pipelineparallel", "pipelineparallelsize"), "ep": ("expertparallel", "expertparallelsize"),
    "concurrency": ("maxconcurrency", "users", "concurrentusers", "concurrentrequests"),
    "isl": ("inputtokens", "inputlength", "inputlen", "prompttokens", "promptlength"),
    "osl": ("outputtokens", "outputlength", "outputlen", "generatedtokens", "completiontokens"),
    "ttft_ms": ("ttftms", "timetofirsttokenms", "meanttftms", "averagettftms"),
    "tpot_ms": ("tpotms", "timeperoutputtokenms", "meantpotms", "averagetpotms"),
    "output_throughput": ("outputtoks", "outputtokens", "outputthroughput", "outputthroughputtoks", "outputtokenssec",
                          "outputtokensps", "outputthroughputtokenss", "outputtokpers", "outputtokenthroughput"),
    "output_tok_s_chip": ("outputtoksgpu", "toksgpu", "outputtokensgpu", "outputthroughputpergpu", "tokenssgpu"),
}  # fmt: skip
WHOLE = {
    "output_tok_s_chip": ("output_throughput",),
    "total_tok_s_chip": ("total_token_throughput", "total_throughput"),
}
TIMES = ("ttft_ms", "tpot_ms")
# What tells a client's table from ours.
SERVING = ("median_ttft_ms", "mean_ttft_ms", "median_tpot_ms", "mean_tpot_ms")
LLAMA = ("avg_ts", "n_prompt", "n_gen")
# Lines of genai-perf's table, by our columns.
GENAI = {"time to first token (ms)": "ttft_ms", "inter token latency (ms)": "tpot_ms",
         "output sequence length (tokens)": "osl", "input sequence length (tokens)": "isl",
         "output token throughput (per sec)": "output_throughput", "output token throughput (tokens/sec)":
         "output_throughput"}  # fmt: skip


def known(header: Collection[str]) -> bool:
    """Whether a table with these columns is one of a client's, or has headings as people write them."""
    return (
        bool(renamed(header))
        or bool(set(SERVING) & set(header))
        or set(LLAMA) <= set(header)
        or {"Metric", "avg"} <= set(header)
    )


def as_ours(rows: Sequence[Row], header: Collection[str], stated: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows in our columns; `stated` fills what the file does not say (model, chip, chips, concurrency)."""
    if {"Metric", "avg"} <= set(header):
        rows = [_genai(rows)]
    spelled = renamed(header)
    found = []
    for row in rows:
        told = {spelled.get(name, name): cell for name, cell in row.items() if cell}
        if set(LLAMA) <= set(header):
            found.append({**stated, **_llama(told)})
        elif set(SERVING) & set(header) or "Metric" in header:
            found.append(_serving(told, stated))
        else:
            found.append(_whole({**stated, **told}))
    return found


def renamed(header: Collection[str]) -> dict[str, str]:
    """Our columns (or a client's) by the headings that mean them, where no column of ours is there already."""
    meant = {spelling: name for name, spellings in HEADINGS.items() for spelling in spellings}
    own = {*HEADINGS, "stat", "date", "phase"}
    found: dict[str, str] = {}
    for heading in header:
        if heading in own or heading in SERVING or heading in LLAMA:
            continue
        folded = re.sub(r"[^a-z0-9]", "", heading.lower().replace("per ", "").replace("/s", "s"))
        # "Output tokens" are a length, "output tokens/s" a rate.
        rate = bool(re.search(r"tok\w*\s*(?:/|per )\s*s|throughput", heading.lower()))
        name = folded if folded in own and heading != folded else meant.get(folded)
        if name == "osl" and rate:
            name = "output_throughput"
        elif name == "output_throughput" and not rate:
            name = "osl"
        if name and name not in header and name not in found.values():
            found[heading] = name
    return found


def _whole(row: dict[str, str]) -> dict[str, str]:
    """A row with the throughput of the deployment divided by its chips."""
    chips = _number(row.get("n_chips") or row.get("tp") or "1")
    for name, names in WHOLE.items():
        rate = _number(_first(row, names).replace(",", "")) / chips
        if math.isfinite(rate) and name not in row:
            row[name] = f"{rate:.6g}"
    return row


def _serving(row: dict[str, str], stated: Mapping[str, str]) -> dict[str, str]:
    """A row of a serving client. Medians before means, as most tables of ours state."""
    ours = {name: cell for name, names in NAMES.items() if (cell := _first(row, names))}
    if ours.get("precision", "").lower() in ("auto", "none"):
        del ours["precision"]
    for length, total in (("isl", "total_input_tokens"), ("osl", "total_output_tokens")):
        mean = _number(row.get(total)) / _number(row.get("completed"))
        if math.isfinite(mean):
            ours[length] = f"{mean:.6g}"
    stat = "median" if _first(row, ("median_tpot_ms", "median_ttft_ms")) else "mean"
    ours |= {name: cell for name in TIMES if (cell := row.get(f"{stat}_{name}", ""))}
    degrees = [_number(row.get(name) or ours.get(name) or "1") for name in ("tp", "dp", "pp")]
    counted = row.get("n_chips") or ours.get("n_chips")
    ours["n_chips"] = (
        counted or (stated.get("n_chips", "") if math.prod(degrees) == 1 else "") or f"{math.prod(degrees):g}"
    )
    for name, names in WHOLE.items():
        rate = _number(_first(row, names)) / _number(ours["n_chips"])
        if math.isfinite(rate):
            ours[name] = f"{rate:.6g}"
    if date := re.match(r"(20\d\d)-?(\d\d)-?(\d\d)", row.get("date", "")):
        row = {**row, "date": "-".join(date.groups())}
    if row.get("request_rate", "").lower() in ("inf", "infinity"):
        row = {name: cell for name, cell in row.items() if name != "request_rate"}
    return {**stated, **ours, "stat": stat, **row}


def _llama(row: dict[str, str]) -> dict[str, str]:
    """A row of llama-bench: a prompt alone, or tokens written from an empty context."""
    prompt, written, rate = (_number(row.get(name)) for name in ("n_prompt", "n_gen", "avg_ts"))
    ours = {"framework": "llama.cpp", "concurrency": "1", "n_chips": "1", "tp": "1", "notes": "llama-bench: empty context",
            "isl": f"{max(prompt, 1.0):g}", "osl": f"{max(written, 1.0):g}",
            "model": row.get("model_filename", "").rsplit("/", 1)[-1] or row.get("model_type", ""),
            "chip": row.get("gpu_info", ""), "date": row.get("test_time", "")[:10]}  # fmt: skip
    depth = _number(row.get("n_depth"))
    if depth > 0 and written > 0:
        ours |= {"isl": f"{depth:g}", "notes": "static batch"}
    elif depth > 0:
        ours |= {
            "isl": f"{depth + prompt:g}",
            "cached_share": f"{depth / (depth + prompt):.6g}",
            "notes": "static batch",
        }
    if written > 0 and prompt == 0 and rate > 0:
        ours |= {"tpot_ms": f"{1e3 / rate:.6g}"}
    elif prompt > 0 and written == 0 and rate > 0:
        ours |= {"ttft_ms": f"{1e3 * prompt / rate:.6g}"}
    return {**{name: cell for name, cell in ours.items() if cell}, **row}


def _genai(rows: Sequence[Row]) -> dict[str, str]:
    """genai-perf's table of one run: a metric a line, the mean in the second column."""
    metrics = ((row.get("Metric", "").lower(), row.get("avg", "").replace(",", "")) for row in rows)
    found = {GENAI[metric]: cell for metric, cell in metrics if metric in GENAI and cell}
    return {f"mean_{name}" if name in TIMES else name: cell for name, cell in found.items()}


def _first(row: Row, names: Sequence[str]) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
