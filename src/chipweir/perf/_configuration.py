"""One row of a table of configurations, read and resolved: chip, model, number format, layout, load.

Everything a row leaves open is filled here, by the rules in `docs/perf.md`, and each fill is noted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from chipweir.errors import InputError
from chipweir.perf._architecture import Architecture, architecture, kv_bytes, resident_bytes, weight_bytes
from chipweir.perf._hardware import DTYPES, Hardware, dtype_name, hardware, native
from chipweir.perf._plan import Plan, Stated, arrange, prefill_beside, read_plan, smallest_group
from chipweir.perf._serving import USABLE


SERVING = ("serving", "offline", "prefill", "decode", "energy_serving")
TRAINING = ("training", "finetune_lora", "lora performance", "sft performance", "pretraining", "finetune")
STATED_LOADS = {
    # Mean prompt and output tokens of workloads that tables name instead of numbering. Chat and reasoning prompts:
    # prior.
    "chat mix": (250.0, 600.0), "code fim": (500.0, 250.0), "gpqa (long reasoning out)": (250.0, 8000.0),
}  # fmt: skip
# MLPerf inference fixes request lengths per model (facts: performance notes) and latency limits per scenario: time to
# first token and per output token in ms (rules of v4.1 and v5.1; recalled).
MLPERF_LENGTHS = {"llama2-70b": (294.0, 294.0), "llama3.1-405b": (9400.0, 680.0), "deepseek-r1": (800.0, 3880.0),
                  "mixtral-8x7b": (650.0, 145.0), "llama3.1-8b": (870.0, 128.0)}  # fmt: skip
MLPERF_LIMITS = {
    ("llama2-70b", "server"): (2000.0, 200.0), ("llama2-70b", "interactive"): (450.0, 40.0),
    ("llama3.1-405b", "server"): (6000.0, 175.0), ("llama3.1-405b", "interactive"): (4500.0, 80.0),
    ("deepseek-r1", "server"): (2000.0, 80.0), ("mixtral-8x7b", "server"): (2000.0, 200.0),
    ("llama3.1-8b", "server"): (2000.0, 100.0), ("llama3.1-8b", "interactive"): (500.0, 30.0),
}  # fmt: skip
DEFAULT_ISL, DEFAULT_OSL = 2048.0, 512.0
LARGEST = {
    "n_chips": 1e6,
    "tp": 4096.0,
    "ep": 65536.0,
    "dp": 65536.0,
    "pp": 4096.0,
    "isl": 1e8,
    "osl": 1e8,
    "concurrency": 1e7,
}
# Decode services in the tables hold about this time per token; the target where a decode row states neither batch
# nor target.
DEFAULT_TPOT_S = 0.05


@dataclass(frozen=True)
class Configuration:
    """A resolved row. `plan` None: to be chosen. `concurrency` None: to be chosen under `tpot_limit` (s), or as much
    as pays. `settled`: whether drafting is stated or known rather than guessed. `harness`: how the load
    was offered; `lasting`: share of the steady rate that a run of its length shows; `cold`: share of its requests that
    meet kernels not yet tuned."""

    phase: str
    chip: Hardware
    model: Architecture
    dtype: str
    kv_dtype: str
    framework: str
    plan: Plan | None
    n_chips: float | None
    isl: float
    osl: float
    concurrency: float | None
    drafting: float
    tpot_limit: float | None
    ttft_limit: float | None
    stat: str
    notes: tuple[str, ...] = field(default=())
    settled: bool = True
    harness: str = "waves"
    lasting: float = 1.0
    cold: float = 0.0


def number(row: Mapping[str, str], name: str, *, least: float = 0.0, strict: bool = True) -> float | None:
    """The number in a cell, None if empty. Raises `InputError` for text or a number not above `least`."""
    text = (row.get(name) or "").strip()
    if not text or text.lower() in ("nan", "none", "na", "n/a"):
        return None
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{name} must be a number, not '{text}'") from None
    if not math.isfinite(value) or (value <= least if strict else value < least):
        raise InputError(f"{name} must be {'above' if strict else 'at least'} {least:g}, not {text}")
    if value > LARGEST.get(name, 1e9):
        raise InputError(f"{name} of {text} is beyond what this model can say; at most {LARGEST.get(name, 1e9):g}")
    return value


def flag(row: Mapping[str, str], name: str) -> bool:
    """Whether a cell says yes."""
    return (row.get(name) or "").strip().lower() in ("true", "yes", "1", "1.0")


def read_configuration(row: Mapping[str, str]) -> Configuration:
    """A serving row as a `Configuration`. Raises `InputError` or `UnknownName` with one line that says what is
    wrong."""
    phase = (row.get("phase") or "serving").strip().lower()
    if phase not in SERVING:
        raise InputError(f"phase '{phase}' is not one of {', '.join(SERVING + TRAINING)}")
    chip = hardware((row.get("chip") or "").strip() or (row.get("system") or "").strip())
    model = architecture(row.get("model") or "")
    notes: list[str] = []
    framework = framework_family(row.get("framework") or "")
    dtype = precision(row.get("precision") or "", row.get("model") or "", model, chip, notes)
    isl, osl, mlperf = lengths(row, phase, notes)
    stated = _stated(row)
    plan = _phase_plan(row, phase, stated, model, chip, dtype)
    concurrency = _concurrency(row, phase, plan, stated)
    if plan is not None and plan.pooled and concurrency is None:
        plan = None
    kv_dtype = cache_dtype(dtype, framework, chip, phase)
    if plan is not None and not plan.counted and concurrency is not None:
        group = float(smallest_group(model, chip, dtype))
        plan = arrange(plan, bool(model.latent), group, isl, osl, concurrency, float(chip.scaleup_domain))
        if not plan.pooled:
            plan = hold(plan, model, chip, dtype, kv_dtype, isl + osl, concurrency)
            plan = prefill_beside(plan, isl, osl)
    drafts, settled = drafting(row, model, framework, chip)
    limit = MLPERF_LIMITS.get((mlperf, (row.get("stat") or "").strip().lower())) if mlperf else None
    tpot_limit = limit[1] / 1e3 if limit else (DEFAULT_TPOT_S if phase == "decode" and concurrency is None else None)
    return Configuration(
        phase=phase,
        chip=chip,
        model=model,
        dtype=dtype,
        kv_dtype=kv_dtype,
        framework=framework,
        plan=plan,
        n_chips=stated.n_chips,
        isl=isl,
        osl=osl,
        concurrency=concurrency,
        drafting=drafts,
        settled=settled,
        harness=harness(row),
        lasting=lasting(row),
        cold=cold(row),
        tpot_limit=tpot_limit,
        ttft_limit=limit[0] / 1e3 if limit else None,
        stat=statistic(row.get("stat") or ""),
        notes=tuple(notes),
    )


@lru_cache(maxsize=4096)
def framework_family(text: str) -> str:
    """The serving software as one of trt, sglang, vllm, other."""
    folded = text.lower()
    for word, name in (("sglang", "sglang"), ("vllm", "vllm"), ("tensorrt", "trt"), ("trt", "trt")):
        if word in folded:
            return name
    return "other"


def precision(text: str, name: str, model: Architecture, chip: Hardware, notes: list[str]) -> str:
    """Number format of the weights: as stated, else as the model's name says, else as the model is published."""
    folded = text.lower()
    if folded:
        if "fp4" in folded and "fp8/" in folded:
            return "fp4" if bool(native(chip, "fp4")) else "fp8"
        for word, dtype in (("fp4", "fp4"), ("int4", "int4"), ("w4a16", "int4"), ("int8", "int8"), ("w8a8", "int8"),
                            ("fp8", "fp8"), ("f16", "bf16"), ("float16", "bf16")):  # fmt: skip
            if word in folded:
                return dtype
        return dtype_name(text)
    for word in ("nvfp4", "mxfp4", "fp8", "int8", "awq", "gptq", "w8a8"):
        if word in name.lower():
            return dtype_name(word)
    native_dtype = model.native_dtype if model.native_dtype in DTYPES else "bf16"
    if native_dtype == "fp8" and not bool(native(chip, "fp8")) and bool(native(chip, "int8")):
        native_dtype = "int8"
    notes.append(f"number format not stated: {native_dtype}")
    return native_dtype


def cache_dtype(dtype: str, framework: str, chip: Hardware, phase: str) -> str:
    """Number format of the cache: eight bits where tuned recipes for 8- and 4-bit weights use it, else sixteen.

    ML.ENERGY runs vLLM with its default cache; SGLang's recipes store eight bits on chips with 4-bit units.
    """
    tuned = framework in ("trt", "vllm") or (framework == "sglang" and bool(native(chip, "fp4")))
    return "fp8" if dtype in ("fp8", "fp4") and tuned and phase != "energy_serving" else "bf16"


def hold(
    plan: Plan, model: Architecture, chip: Hardware, dtype: str, kv_dtype: str, context: float, concurrency: float
) -> Plan:
    """`plan` with at least as many decode workers as hold the caches of all requests."""
    chips = plan.tp * plan.dp
    resident = (
        float(weight_bytes(model, dtype)) + (chips / plan.tp - 1.0) * float(resident_bytes(model, dtype))
    ) / chips
    room = USABLE * float(chip.memory_bytes) - resident
    split = 1.0 if model.latent else min(plan.tp, float(model.kv_heads))
    limit = room / (float(kv_bytes(model, context, kv_dtype)) / split) * plan.dp
    return plan if limit < 1.0 else replace(plan, replicas=max(plan.replicas, math.ceil(concurrency / limit)))


def lengths(row: Mapping[str, str], phase: str, notes: list[str]) -> tuple[float, float, str]:
    """Prompt and output tokens per request, and the MLPerf model they belong to if the row is one of MLPerf's."""
    text = (row.get("isl") or "").strip()
    named = STATED_LOADS.get(text.lower())
    mlperf = _mlperf_model(row)
    if named:
        isl: float | None = named[0]
    else:
        isl = _token_count(text)
    osl = number(row, "osl") or (named[1] if named else None)
    if mlperf:
        isl, osl = isl or MLPERF_LENGTHS[mlperf][0], osl or MLPERF_LENGTHS[mlperf][1]
    if isl is None:
        isl = number(row, "seq_len")
    if isl is None:
        notes.append(f"prompt length not stated: {DEFAULT_ISL:g} tokens")
    if osl is None and phase != "prefill":
        notes.append(f"output length not stated: {DEFAULT_OSL:g} tokens")
    return isl or DEFAULT_ISL, osl or DEFAULT_OSL, mlperf


def statistic(text: str) -> str:
    """What a latency is of its distribution: median, mean, or the median of single steps (ML.ENERGY's tables)."""
    folded = text.lower()
    if "itl" in folded:
        return "step"
    return "median" if folded.startswith("median") else "mean"


def _token_count(text: str) -> float | None:
    """Tokens from "4096", "4k", or words that hold a mean ("4k-64k mean 32k"); None if empty or not a number."""
    if not text:
        return None
    match = re.search(r"mean\s*([\d.]+)\s*(k?)", text, re.I) or re.fullmatch(r"\s*([\d.]+)\s*(k?)\s*", text, re.I)
    if match is None:
        raise InputError(f"isl must be a number of tokens, not '{text}'")
    value = float(match[1]) * (1024.0 if match[2] else 1.0)
    if not (math.isfinite(value) and 0 < value <= LARGEST["isl"]):
        raise InputError(f"isl must be above 0 and at most {LARGEST['isl']:g}, not {text}")
    return value


def _mlperf_model(row: Mapping[str, str]) -> str:
    if "mlperf" not in (row.get("family") or "").lower() and (row.get("stat") or "") not in (
        "Offline",
        "Server",
        "Interactive",
    ):
        return ""
    name = re.sub(r"-99(\.9)?$", "", (row.get("model") or "").lower()).replace("_", ".")
    return next((known for known in MLPERF_LENGTHS if name.startswith(known)), "")


def _stated(row: Mapping[str, str]) -> Stated:
    degree = {n: number(row, n) for n in ("n_chips", "tp", "prefill_chips", "decode_chips")}
    # A degree of zero in the published tables means that the layout does not use it.
    degree |= {n: number(row, n, strict=False) or None for n in ("pp", "ep", "dp", "moe_tp")}
    text = (row.get("attention_dp") or "").strip()
    attention: float | bool | None = None
    if text.lower() in ("true", "false"):
        attention = text.lower() == "true"
    elif text:
        attention = number(row, "attention_dp", strict=False)
    return Stated(
        **degree, attention_dp=attention, disagg=flag(row, "disagg"),
        prefill_parallel=(row.get("prefill_parallel") or "").strip(),
        decode_parallel=(row.get("decode_parallel") or "").strip(),
    )  # fmt: skip


def _phase_plan(
    row: Mapping[str, str], phase: str, stated: Stated, model: Architecture, chip: Hardware, dtype: str
) -> Plan | None:
    """The plan of a row. Pure prefill and decode pools that state only their size run experts over all of it."""
    if phase not in ("decode", "prefill") or stated.tp is not None:
        return read_plan(stated, model, chip, dtype)
    chips = stated.n_chips or stated.ep or stated.dp
    if chips is None:
        return None
    ranks = chips if model.experts > 0 else 1.0
    if (model.latent or (model.experts > 0 and chips > 8)) and on_each(
        model, dtype, 1.0, chips
    ) <= USABLE * chip.memory_bytes:
        return Plan(1.0, chips, 1.0, ep=ranks)
    return Plan(min(chips, 8.0), max(math.floor(chips / 8.0), 1.0), 1.0, ep=ranks)


def on_each(model: Architecture, dtype: str, tp: float, dp: float) -> float:
    """Bytes of weights on each of tp x dp chips when attention is repeated `dp` times."""
    repeated = (dp - 1.0) * float(resident_bytes(model, dtype))
    return (float(weight_bytes(model, dtype)) + repeated) / (tp * dp)


def _concurrency(row: Mapping[str, str], phase: str, plan: Plan | None, stated: Stated) -> float | None:
    batch = number(row, "batch_per_replica")
    if phase == "decode" and batch is not None and plan is not None:
        return batch * plan.decode_chips
    running = number(row, "concurrency")
    if phase == "energy_serving" and batch is not None and plan is not None:
        # Mean running sequences are below the configured maximum when the queue runs dry.
        return max(batch, 1.0)
    return running


def harness(row: Mapping[str, str]) -> str:
    """How a benchmark offers its load: in many waves (most), or in one or few so that all requests start together."""
    family = (row.get("family") or "").strip()
    if family == "InferenceX-tokenpos":
        return "sweep"
    return "short" if family == "NVIDIA-silicon-sample" and not (row.get("date") or "").strip() else "waves"


# Requests of a benchmark over its concurrency (the public suites' setting).
WAVES = 10.0


def lasting(row: Mapping[str, str]) -> float:
    """Share of the steady rate that a benchmark of a fixed number of requests shows: the last wave runs out, half empty
    on average. Rows that name no client statistic (median or mean latency) report steady rates."""
    text = (row.get("stat") or "").lower()
    client = text.startswith(("median", "mean")) and "itl" not in text
    return WAVES / (WAVES + 0.5) if client and harness(row) == "waves" else 1.0


def cold(row: Mapping[str, str]) -> float:
    """Share of requests whose first token waits for kernels to be compiled and tuned: the first wave where a table gives
    means (dated rows of NVIDIA's silicon sample are such), none in a median or where nothing was measured."""
    text = (row.get("stat") or "").lower()
    means = text.startswith("mean") or (row.get("family") or "").strip() == "NVIDIA-silicon-sample"
    return 1.0 / WAVES if means and statistic(text) == "mean" and harness(row) == "waves" else 0.0


# Builds of TensorRT-LLM of early 2026 whose labelled rows all ran draft layers, or none did (mixed deployments).
DRAFTING_BUILDS = {"1.1.0rc2.post2": 1.0, "1.2.0rc6.post2": 0.0, "1.2.0rc6.post3": 1.0}
# First dates of labelled rows with draft layers: mixed and disaggregated deployments.
DRAFTING_SINCE, DRAFTING_SPLIT_SINCE = "2026", "2025-12-08"


def drafting(row: Mapping[str, str], model: Architecture, framework: str, chip: Hardware) -> tuple[float, bool]:
    """1 where multi-token prediction is on, 0 where off, and whether the row (or its silence elsewhere) settles it.

    Tables of tuned deployments name DeepSeek-R1 without saying whether its draft layer ran. Rows that do say tell since
    when and in which builds it ran; disaggregated deployments were measured with and without, more often with,
    but SGLang's on racks without.
    """
    text = (row.get("spec_decode") or "").strip().lower()
    if text:
        return (0.0 if text in ("none", "off", "false", "no") else 1.0), True
    if not model.id.endswith("deepseek-r1") or framework not in ("trt", "sglang"):
        return 0.0, True
    date = (row.get("date") or "").strip()
    split = flag(row, "disagg")
    if date and date < (DRAFTING_SPLIT_SINCE if split else DRAFTING_SINCE):
        return 0.0, True
    if split:
        return (0.0 if framework == "sglang" and float(chip.scaleup_domain) > 8 else 1.0), False
    build = (row.get("framework_version") or "").strip().rsplit(":", 1)[-1]
    return DRAFTING_BUILDS.get(build, 0.0) if framework == "trt" else 0.0, False
