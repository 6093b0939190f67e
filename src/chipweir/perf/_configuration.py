"""One row of a table of configurations, read and resolved: chip, model, number format, layout, load.

Everything a row leaves open is filled here, by the rules in `docs/perf.md`, and each fill is noted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._architecture import Architecture, architecture, kv_bytes, resident_bytes, weight_bytes
from chipweir.perf._cells import LARGEST, altered, degree, flag, number
from chipweir.perf._checkpoint import named_format
from chipweir.perf._hardware import DTYPES, Hardware, dtype_name, hardware_as_written, native, sixteen_bits
from chipweir.perf._offered import (
    Offered,
    bunched,
    cold,
    lasting,
    lengths,
    limits,
    read_offered,
    statistic,
    waves,
)
from chipweir.perf._plan import Plan, Stated, arrange, prefill_beside, read_plan, smallest_group
from chipweir.perf._serving import USABLE
from chipweir.perf._software import NOW, engine_of, most_running, software_year


SERVING = ("serving", "offline", "prefill", "decode", "energy_serving")
# What is trained, by the words of a phase.
TRAINING = {
    "training": "pretrain", "pretraining": "pretrain", "train": "pretrain", "finetune_lora": "lora", "lora": "lora",
    "lora performance": "lora", "qlora": "lora",
    **dict.fromkeys(("sft", "sft performance", "finetune", "fine-tune", "fine-tuning", "finetuning"), "sft"),
    "post-training": "sft",
}  # fmt: skip
# Other words for serving.
PHASES = {
    **dict.fromkeys(("", "inference", "online", "throughput", "latency", "mixed"), "serving"),
    "decoding": "decode", "prefilling": "prefill", "batch": "offline",
}  # fmt: skip
# Decode services in the tables hold about this time per token; the target where a decode row states neither batch
# nor target.
DEFAULT_TPOT_S = 0.05


@dataclass(frozen=True)
class Configuration:
    """A resolved row. `plan` None: to be chosen. `concurrency` None: to be chosen under `tpot_limit` (s), or as much
    as pays. `year`: of the software, `dated` where a row tells it. `tuning`: flags by those who make engine or chip
    ("tuned"), as documented ("plain"), "" where nobody says. `stat`: what a latency is of its distribution. `planned`:
    whether layouts are chosen as a planner would, who also weighs mixtures and prefill apart, or as they are usually
    run."""

    phase: str
    chip: Hardware
    model: Architecture
    dtype: str
    kv_dtype: str
    engine: str
    plan: Plan | None
    n_chips: float | None
    concurrency: float | None
    offered: Offered
    tpot_limit: float | None = None
    ttft_limit: float | None = None
    stat: str = "mean"
    year: float = NOW
    dated: bool = False
    tuning: str = ""
    notes: tuple[str, ...] = field(default=())
    planned: bool = False

    @property
    def isl(self) -> float:
        """Prompt tokens."""
        return self.offered.isl

    @property
    def osl(self) -> float:
        """Output tokens."""
        return self.offered.osl

    @property
    def drafting(self) -> float:
        """Tokens drafted a step."""
        return self.offered.drafts

    @property
    def running(self) -> float:
        """Requests one scheduler takes at once."""
        stated = self.offered.running
        return most_running(self.engine, self.year, float(self.chip.memory_bytes)) if math.isnan(stated) else stated

    @property
    def start(self) -> float:
        """Cached tokens when decoding starts."""
        return self.isl if math.isnan(self.offered.start) else self.offered.start

    @property
    def bunched(self) -> float:
        """Share of all present requests' prefills that the time to first token waits for from a common start."""
        return bunched(self.offered, self.stat)

    @property
    def cold(self) -> float:
        """Share of requests that meet kernels not yet tuned."""
        return cold(self.offered, self.stat)

    @property
    def lasting(self) -> float:
        """Share of the steady rate that the run shows."""
        return lasting(self.offered)


Kinds = tuple[list["Configuration"], np.ndarray]
# The last tuple that was looked at, and what was found: every part of one evaluation asks for the same.
_last: list[tuple[tuple[Configuration, ...], Kinds]] = []


def kinds(configurations: Sequence[Configuration]) -> Kinds:
    """One configuration of each kind, and of which kind every one is [n]: those of one kind differ in lengths, load and
    degrees of their plan alone, and share efficiencies and the kind of their errors."""
    for known, kind in _last:
        if known is configurations:
            return kind
    found = _kinds(configurations)
    if isinstance(configurations, tuple):
        _last[:] = [(configurations, found)]
    return found


def _kinds(configurations: Sequence[Configuration]) -> Kinds:
    seen: dict[tuple[object, ...], int] = {}
    first: list[Configuration] = []
    place = []
    for c in configurations:
        plan, load = c.plan, c.offered
        layout = () if plan is None else (plan.prefill_replicas, plan.counted, plan.dp > 1)
        key = (id(c.chip), id(c.model), c.dtype, c.kv_dtype, c.engine, c.stat, c.year, c.dated, c.tuning, c.phase, layout,
               load.settled, load.static, load.drafts > 0)  # fmt: skip
        at = seen.setdefault(key, len(first))
        if at == len(first):
            first.append(c)
        place.append(at)
    return first, np.array(place, dtype=int)


# Cells that say how much is asked; what all the others say is read once for rows that share it (`Setup`).
LOAD = ("isl", "osl", "concurrency")
COLUMNS = (
    "phase", "chip", "system", "model", "precision", "kv_precision", "framework", "framework_version", "date", "tuning",
    "stat", "load", "notes", "n_chips", "tp", "pp", "ep", "dp", "cp", "moe_tp", "attention_dp", "disagg", "prefill_chips",
    "decode_chips", "prefill_parallel", "decode_parallel", "batch_per_replica", "seq_len", "spec_decode", "draft_tokens",
    "accept_length", "cached_share", "request_rate", "num_prompts", "waves", "max_running",
)  # fmt: skip
Cells = tuple[str | None, ...]


@dataclass(frozen=True)
class Setup:
    """What a row says beside its load: the configuration at the default lengths with no concurrency, and the cells that
    fill in for lengths and load."""

    base: Configuration
    cells: Mapping[str, str]
    batch: float | None


def read_configuration(row: Mapping[str, str], setups: dict[Cells, Setup] | None = None) -> Configuration:
    """A serving row as a `Configuration`. Raises `InputError` or `UnknownName` with one line that says what is
    wrong. `setups` holds those of rows read before, of one table."""
    cells = tuple(map(row.get, COLUMNS))
    known = None if setups is None else setups.get(cells)
    if known is None:
        known = _setup({name: cell for name, cell in zip(COLUMNS, cells, strict=True) if cell})
        if setups is not None:
            setups[cells] = known
    return _loaded(known, row)


@lru_cache(maxsize=4096)
def _counted(name: str) -> tuple[str, str]:
    """The name of a chip written with how many there are ("8 x H100", "A100-80G x4"), and how many, "" where not."""
    if found := re.fullmatch(r"(\d{1,5})\s*[x×*]\s*(\S.*)", name):
        count, bare = found[1], found[2]
    elif found := re.fullmatch(r"(\S.*[\dBG])\s*[x×*]\s*(\d{1,4})", name):
        count, bare = found[2], found[1]
    else:
        count, bare = "", name
    return re.sub(r"(?<=\d)G$", "GB", bare), count


def phase_of(row: Mapping[str, str]) -> str:
    """The phase a row states, one of `SERVING` where it is one of serving."""
    told = (row.get("phase") or "").strip().lower()
    return PHASES.get(told, told)


def is_training(row: Mapping[str, str]) -> bool:
    """Whether a row asks for training."""
    return (row.get("phase") or "").strip().lower() in TRAINING


def _setup(row: Mapping[str, str]) -> Setup:
    """What the cells `COLUMNS` of a row say."""
    phase = phase_of(row)
    if phase not in SERVING:
        raise InputError(f"phase '{phase}' is not one of {', '.join(SERVING)} or training, lora, sft")
    notes: list[str] = []
    written, count = _counted((row.get("chip") or "").strip() or (row.get("system") or "").strip())
    if count and not any((row.get(name) or "").strip() for name in ("n_chips", "disagg")):
        row = {**row, "n_chips": count}
    chip = hardware_as_written(written, notes)
    model = architecture(row.get("model") or "")
    notes += [model.doubt] if model.doubt else []
    framework = row.get("framework") or ""
    engine = engine_of(framework)
    year = software_year(framework, row.get("framework_version") or "", row.get("date") or "")
    dtype = precision(row.get("precision") or "", row.get("model") or "", model, chip, notes)
    offered = read_offered(row, phase, model)
    stated = _stated(row, engine)
    plan = _phase_plan(phase, stated, model, chip, dtype)
    stat = row.get("stat") or ""
    limit = limits(offered, stat)
    base = Configuration(
        phase=phase, chip=chip, model=model, dtype=dtype,
        kv_dtype=cache_dtype(dtype, engine, chip, row.get("kv_precision") or ""), engine=engine, plan=plan,
        n_chips=stated.n_chips, concurrency=None, offered=offered, tpot_limit=limit[1] if limit else None,
        ttft_limit=limit[0] if limit else None, stat=statistic(stat), year=NOW if year is None else year,
        dated=year is not None, tuning=_tuning(row.get("tuning") or "", engine, plan, offered), notes=tuple(notes),
    )  # fmt: skip
    return Setup(base, row, number(row, "batch_per_replica"))


def _loaded(setup: Setup, row: Mapping[str, str]) -> Configuration:
    """The configuration of a row with this setup: its lengths and its load."""
    base, running = setup.base, number(row, "concurrency")
    isl, osl, notes = lengths(row, setup.cells, base.phase, base.offered.mlperf)
    offered = altered(base.offered, isl=isl, osl=osl, waves=waves(base.offered, running))
    concurrency = _concurrency(running, setup.batch, base.phase, base.plan)
    if concurrency is None and offered.prompts:
        # All prompts of a run at once, or as many as come.
        concurrency = offered.prompts
    changes: dict[str, object] = {"offered": offered, "concurrency": concurrency}
    plan = base.plan
    if plan is not None and plan.pooled and concurrency is None:
        changes |= {"plan": None, "tuning": _tuning(setup.cells.get("tuning") or "", base.engine, None, offered)}
    elif plan is not None and not plan.counted and concurrency is not None:
        changes["plan"] = _arranged(plan, base.model, base.chip, base.dtype, base.kv_dtype, offered, concurrency)
    if base.phase == "decode" and concurrency is None and base.tpot_limit is None:
        changes["tpot_limit"] = DEFAULT_TPOT_S
    if notes:
        changes["notes"] = (*base.notes, *notes)
    return altered(base, **changes)


def _arranged(
    plan: Plan, model: Architecture, chip: Hardware, dtype: str, kv_dtype: str, offered: Offered, concurrency: float
) -> Plan:
    """A disaggregated plan whose workers are not counted, with the number such deployments run."""
    group = float(smallest_group(model, chip, dtype))
    isl, osl = offered.isl, offered.osl
    plan = arrange(plan, bool(model.latent), group, isl, osl, concurrency, float(chip.scaleup_domain))
    if plan.pooled:
        return plan
    return prefill_beside(hold(plan, model, chip, dtype, kv_dtype, isl + osl, concurrency), isl, osl)


def _tuning(text: str, engine: str, plan: Plan | None, offered: Offered) -> str:
    """Who chose the flags: as stated; makers' own stacks, disaggregated deployments and MLPerf submissions are tuned."""
    folded = text.strip().lower()
    if folded not in ("", "tuned", "plain"):
        raise InputError(f"tuning must be tuned or plain, not '{text.strip()}'")
    sure = engine in ("trt", "maker") or bool(offered.mlperf) or (plan is not None and plan.split)
    return folded or ("tuned" if sure else "")


WORDS = (("w4a8", "w4a8"), ("w4afp8", "w4a8"), ("w8a16", "w8a16"), ("w4a16", "int4"), ("fp4", "fp4"), ("int4", "int4"),
         ("int8", "int8"), ("w8a8", "int8"), ("smoothquant", "int8"), ("awq", "int4"), ("gptq", "int4"), ("nf4", "int4"),
         ("bitsandbytes", "int4"), ("bnb", "int4"), ("fp8", "fp8"), ("f16", "bf16"), ("float16", "bf16"), ("half", "bf16"),
         ("float32", "bf16"), ("tf32", "bf16"))  # fmt: skip
# Words that name a tool or leave the format open.
UNTOLD = ("", "auto", "default", "mixed", "compressed-tensors", "compressedtensors", "modelopt", "torchao", "hqq")


def precision(text: str, name: str, model: Architecture, chip: Hardware, notes: list[str]) -> str:
    """Number format of the weights: as stated, else as the checkpoint's name says, else as the model is published."""
    folded = re.sub(r"[\s_]", "", text.lower())
    sixteen_bits(folded, chip)
    if folded not in UNTOLD:
        if "fp4" in folded and "fp8/" in folded:
            return "fp4" if bool(native(chip, "fp4")) else "fp8"
        for word, dtype in WORDS:
            if word in folded:
                return dtype
        return named_format(f"-{text.strip()}") or dtype_name(text)
    told = named_format(name)
    if told:
        return told
    native_dtype = model.native_dtype if model.native_dtype in DTYPES else "bf16"
    if native_dtype == "fp8" and not bool(native(chip, "fp8")) and bool(native(chip, "int8")):
        native_dtype = "int8"
    shown = "fp16" if chip.half_only and native_dtype == "bf16" else native_dtype
    notes.append(f"number format not stated: {shown}")
    return native_dtype


def cache_dtype(dtype: str, engine: str, chip: Hardware, stated: str = "") -> str:
    """Number format of the cache: as stated; eight bits where tuned recipes for 8- and 4-bit weights use it, else
    sixteen. SGLang's recipes store eight bits on chips with 4-bit units; vLLM keeps sixteen unless told."""
    folded = stated.lower()
    if folded and folded not in ("auto", "default"):
        return "fp8" if re.search("fp8|e4m3|e5m2|int8|8bit|c8", folded) else "bf16"
    tuned = engine in ("trt", "maker") or (engine == "sglang" and bool(native(chip, "fp4")))
    return "fp8" if dtype in ("fp8", "fp4") and tuned else "bf16"


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


def _stated(row: Mapping[str, str], engine: str) -> Stated:
    names = ("n_chips", "tp", "pp", "dp", "cp", "moe_tp", "prefill_chips", "decode_chips")
    degrees: dict[str, float | None] = {n: degree(row, n) for n in names}
    spread = (row.get("ep") or "").strip().lower()
    # "yes": experts spread over every chip of the replica.
    wide = spread in ("yes", "true", "on", "enabled")
    degrees["ep"] = None if wide or spread in ("no", "false", "off") else degree(row, "ep")
    text = (row.get("attention_dp") or "").strip()
    attention: float | bool | None = None
    if text.lower() in ("true", "false", "yes", "no"):
        attention = text.lower() in ("true", "yes")
    elif text:
        attention = number(row, "attention_dp", strict=False)
    return Stated(
        **degrees, attention_dp=attention, disagg=flag(row, "disagg"), wide=wide, engine=engine,
        prefill_parallel=(row.get("prefill_parallel") or "").strip(),
        decode_parallel=(row.get("decode_parallel") or "").strip(),
    )  # fmt: skip


def _phase_plan(phase: str, stated: Stated, model: Architecture, chip: Hardware, dtype: str) -> Plan | None:
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


def _concurrency(running: float | None, batch: float | None, phase: str, plan: Plan | None) -> float | None:
    """Requests at a time: as stated, else sequences of a decode replica, else mean running ones."""
    if phase == "decode" and batch is not None and plan is not None:
        return batch * plan.decode_chips
    if running is None and batch is not None and plan is not None:
        # Mean running sequences of a replica are below the configured maximum when the queue runs dry.
        return max(batch, 1.0) * max(plan.replicas, 1.0)
    return running


__all__ = ["LARGEST", "SERVING", "Configuration", "cache_dtype", "phase_of", "precision", "read_configuration"]
