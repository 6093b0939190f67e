"""Serving software: which engine a row ran, how old it was, who tuned it, and how many requests it takes at once."""

from __future__ import annotations

import csv
import io
import re
from functools import lru_cache
from importlib import resources

from chipweir.errors import InputError


# Words of a framework's name and the engine they mean. The first that is found counts.
WORDS = (
    ("cloudmatrix", "maker"), ("xdeepserve", "maker"), ("internal", "maker"), ("mindie", "maker"), ("sglang", "sglang"),
    ("lmdeploy", "vllm"), ("vllm", "vllm"), ("tensorrt", "trt"), ("trt", "trt"), ("nim", "trt"),
    ("llama.cpp", "llama.cpp"), ("llama-cpp", "llama.cpp"), ("llama-bench", "llama.cpp"), ("ollama", "llama.cpp"),
    ("gguf", "llama.cpp"), ("dynamo", "trt"), ("jetstream", "maker"), ("atom", "maker"),
)  # fmt: skip
ENGINES = ("vllm", "sglang", "trt", "llama.cpp", "maker", "other")
# Year and fraction that estimates stand for unless a date is given, and the span over which software was measured.
NOW = 2026.4
OLDEST, NEWEST = 2024.0, 2026.7


@lru_cache(maxsize=4096)
def engine_of(text: str) -> str:
    """The engine behind a framework's name: one of `ENGINES`; `maker` is a chip maker's or operator's own stack."""
    folded = text.lower()
    return next((name for word, name in WORDS if word in folded), "other")


def year_of(text: str) -> float | None:
    """ "2025", "2025-08" or "2025-08-22" as a year and its fraction, None where empty; "2026-08/09" is its first month.

    Raises `InputError` otherwise.
    """
    text = re.sub(r"^(20\d\d-\d\d-\d\d)[T ].*$", r"\1", text.strip())
    text = re.sub(r"^(20\d\d)[/.]?([01]\d)[/.]?([0-3]\d)$", r"\1-\2-\3", text)
    if not text:
        return None
    match = re.match(r"(20\d\d)(?:-(\d\d))?(?:-(\d\d)|/\d\d)?$", text)
    if match is None and (spoken := _spoken(text)) is not None:
        return spoken
    if match is None or (match[2] and not 1 <= int(match[2]) <= 12) or (match[3] and not 1 <= int(match[3]) <= 31):
        raise InputError(f"date must be such as 2025-08 or 2025-08-22, not '{text}'")
    month = (int(match[2]) - 0.5 if not match[3] else int(match[2]) - 1 + int(match[3]) / 31) if match[2] else 6.0
    return int(match[1]) + month / 12.0


def _spoken(text: str) -> float | None:
    """The middle of a period in words ("Aug 2025", "2025Q3") as a year and its fraction, None for what is none."""
    from chipweir import facts

    try:
        period = facts.period(text)
    except InputError:
        return None
    if period.open or period.days > 366 or period.start.year < 2000:
        return None
    return period.start.year + (period.start.timetuple().tm_yday - 1 + period.days / 2.0) / 366.0


@lru_cache(maxsize=1)
def _releases() -> dict[str, list[tuple[tuple[int, ...], float]]]:
    text = resources.files("chipweir.perf").joinpath("data", "releases.csv").read_text(encoding="utf-8")
    found: dict[str, list[tuple[tuple[int, ...], float]]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        found.setdefault(row["engine"], []).append((_version(row["version"]), year_of(row["date"]) or NOW))
    return {engine: sorted(rows) for engine, rows in found.items()}


def _version(text: str) -> tuple[int, ...]:
    """Numbers of a version that compare in order; a release candidate comes before its release."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?(?:[.-]?rc(\d+))?", text)
    if match is None:
        return ()
    return int(match[1]), int(match[2]), int(match[3] or 0), int(match[4]) if match[4] else 999


@lru_cache(maxsize=4096)
def software_year(framework: str, version: str, date: str) -> float | None:
    """The year of the software a row ran: its date, else the release date of its version; None where neither tells.

    The last release no newer than the version gives the date. Raises `InputError` for a date that is none.
    """
    year = year_of(date)
    if year is not None:
        return year
    numbers = _version(version if re.search(r"\d+\.\d+", version) else framework)
    if not numbers:
        return None
    known = [when for numbered, when in _releases().get(engine_of(framework), ()) if numbered <= numbers]
    return known[-1] if known else None


# Requests that one scheduler runs at once by default (vLLM's max_num_seqs, TensorRT-LLM's max_batch_size; recalled),
# and from when vLLM raised it on large accelerators.
RUNNING = {"vllm": 256.0, "sglang": 2048.0, "trt": 2048.0, "llama.cpp": 64.0, "maker": 4096.0, "other": 256.0}
LARGER_SINCE, LARGER, LARGE_MEMORY = 2025.25, 1024.0, 70e9
# Share of its answer for which a request must find room before it is admitted. TensorRT-LLM's scheduler guarantees that
# nobody is evicted and sets all of it aside; vLLM and SGLang hand out pages as tokens come and evict when they run out, so
# that the requests present, half written on average, fill the memory (defaults of the engines; recalled).
RESERVED = {"vllm": 0.5, "sglang": 0.5}


def most_running(engine: str, year: float, memory_bytes: float) -> float:
    """Requests that one scheduler (one attention data parallel rank) runs at once unless told otherwise."""
    if engine == "vllm" and year >= LARGER_SINCE and memory_bytes >= LARGE_MEMORY:
        return LARGER
    return RUNNING[engine]


def reserved(engine: str) -> float:
    """Share of a request's answer for which room is set aside when it is admitted."""
    return RESERVED.get(engine, 1.0)


def look_interval(
    engine: str, generation: str, *, data: bool, split: bool, concurrency: float, published: bool
) -> float:
    """Decode steps from one look at the queue of new requests to the next, by the published recipes of the software.

    SGLang's recipes for DeepSeek's models on Blackwell (`published`) look every 10 steps, from 16 requests on every 30
    (`--scheduler-recv-interval`); TensorRT-LLM with attention data parallelism holds requests back up to 60 steps to
    balance its ranks (`timeout_iters`). Prefill workers of their own do not wait for decode steps.
    """
    if split:
        return 1.0
    if engine == "sglang" and generation == "blackwell" and published:
        return 30.0 if concurrency >= 16 else 10.0
    return 60.0 if engine == "trt" and data else 1.0
