"""Execution plans: how a model is laid out over chips, read from what is stated and chosen where nothing is.

A plan is a decode (or mixed) replica of `tp` x `dp` chips, how many replicas there are, and the prefill workers
beside them
if prefill is disaggregated. `dp` is attention data parallelism inside a replica whose experts are shared.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from chipweir.errors import InputError
from chipweir.perf._architecture import Architecture, kv_bytes, weight_bytes
from chipweir.perf._hardware import Hardware


WEIGHTS_SHARE = 0.85
NODE = 8.0
FABRIC_DEGREES = (1, 2, 4, 8, 16, 32, 64, 72, 128, 144, 256, 320)


@dataclass(frozen=True)
class Plan:
    """Counts of chips and replicas; `stated`: read from the row rather than chosen; `counted`: with the number of
    decode workers, otherwise it is what such deployments run (`arrange`). `pooled`: chips of prefill and decode
    together where a row states nothing but their sum, infinite where not even that, else 0. `slots`: requests that one
    rank of a decode worker takes at once, where stated. `ep`, `prefill_ep`: ranks that routed experts are spread over
    when decoding and in prefill workers. `pp`: pipeline stages that a replica's layers are cut into, each of `tp` x `dp`
    chips."""

    tp: float
    dp: float
    replicas: float
    prefill_tp: float = 1.0
    prefill_dp: float = 1.0
    prefill_replicas: float = 0.0
    ep: float = 1.0
    stated: bool = True
    counted: bool = True
    pooled: float = 0.0
    slots: float = math.inf
    prefill_ep: float = 1.0
    pp: float = 1.0

    @property
    def split(self) -> bool:
        """Whether prefill has chips of its own."""
        return self.prefill_replicas > 0

    @property
    def decode_chips(self) -> float:
        """Chips that decode."""
        return self.tp * self.dp * self.pp * self.replicas

    @property
    def prefill_chips(self) -> float:
        """Chips that only prefill."""
        return self.prefill_tp * self.prefill_dp * self.prefill_replicas

    @property
    def chips(self) -> float:
        """All chips."""
        return self.decode_chips + self.prefill_chips


@dataclass(frozen=True)
class Stated:
    """What a row says about its layout; None is not stated."""

    n_chips: float | None = None
    tp: float | None = None
    pp: float | None = None
    ep: float | None = None
    dp: float | None = None
    attention_dp: float | bool | None = None
    moe_tp: float | None = None
    cp: float | None = None
    wide: bool = False
    engine: str = "other"
    disagg: bool = False
    prefill_chips: float | None = None
    decode_chips: float | None = None
    prefill_parallel: str = ""
    decode_parallel: str = ""


@dataclass(frozen=True)
class Worker:
    """One prefill or decode worker as written in `prefill_parallel` and `decode_parallel`."""

    count: float | None
    tp: float
    dp: float | None
    shared: bool
    ep: float | None = None
    slots: float = math.inf


@lru_cache(maxsize=4096)
def read_worker(text: str) -> Worker | None:
    """A worker from words such as "4x(tp8 ep1 dpattn=False)", "1x(tp1 adp32 mtp1 mep32 bs192)", "dp2 tp16".

    None if nothing is said. Raises `InputError` for words that cannot be read.
    """
    if not text.strip():
        return None
    match = re.fullmatch(r"\s*(\d*)\s*x?\s*\(?([^()]*)\)?\s*", _plain_worker(text))
    pairs = dict(re.findall(r"([a-z]+)=?(\d+|true|false)?\b", match[2].lower())) if match else {}
    if match is None or not {"tp", "dp", "adp", "ep"} & set(pairs):
        raise InputError(f"cannot read the layout '{text}'; write it as 2x(tp8 ep8 dpattn=True) or dp2 tp8")
    tp = float(pairs.get("tp") or 1)
    dp = pairs.get("adp") or pairs.get("dp")
    spread = pairs.get("mep") or pairs.get("ep")
    count = float(match[1]) if match[1] else None
    return Worker(
        count,
        max(tp, 1.0),
        float(dp) if dp else None,
        pairs.get("dpattn") == "true",
        float(spread) if spread else None,
        float(pairs["bs"]) if pairs.get("bs", "").isdigit() else math.inf,
    )


# How engines spell the degrees of a worker: TensorRT-LLM's groups of attention data or tensor parallelism with experts
# spread over all of it, and options in full.
_SPELLINGS = (
    (r"\bdep(\d+)", r"tp1 adp\1 mep\1"), (r"\btep(\d+)", r"tp\1 ep\1"), (r"(?<=\d)(?=[a-z])", " "),
    (r"\b(t|d|e)[a-z]*[-_]parallel(?:[-_]size|ism)?\b\s*[=: ]?\s*", r"\1p"),
    (r"\b(tp|dp|ep)[-_ ](?:size)?[=: ]?\s*(?=\d)", r"\1"),
)  # fmt: skip


def _plain_worker(text: str) -> str:
    """The words of a worker as `read_worker` knows them."""
    plain = text.lower()
    for pattern, spelled in _SPELLINGS:
        plain = re.sub(pattern, spelled, plain)
    return plain


# Nobody splits one latent cache over more chips than this: larger groups run attention data parallel.
LATENT_TENSOR_LIMIT = 16


def read_plan(stated: Stated, model: Architecture, chip: Hardware, dtype: str) -> Plan | None:
    """The plan a row states, or None if it states too little and a plan must be chosen. Raises `InputError` on
    contradictions."""
    for name in ("n_chips", "tp", "pp", "ep", "dp", "moe_tp", "prefill_chips", "decode_chips"):
        value = getattr(stated, name)
        if value is not None and not (math.isfinite(value) and value >= 1):
            raise InputError(f"{name} must be at least 1, not {value:g}")
    if stated.cp is not None and stated.cp > 1:
        raise InputError("context parallelism in serving is not modelled; leave cp out or give tp")
    if stated.pp is not None and (stated.pp > float(model.layers) or stated.pp % 1):
        raise InputError(f"pp must be a whole number of at most the {float(model.layers):g} layers, not {stated.pp:g}")
    if stated.disagg and (stated.prefill_parallel or stated.decode_parallel):
        return _split_plan(stated, model, chip, dtype)
    if stated.disagg and stated.n_chips is not None:
        return _pool(stated.n_chips)
    if stated.tp is None and stated.ep is None and stated.dp is None and (stated.pp or 1.0) <= 1:
        return None
    if stated.tp is None and stated.ep is None and stated.dp is None and stated.n_chips is not None:
        stated = replace(stated, tp=max(math.floor(stated.n_chips / (stated.pp or 1.0)), 1.0))
    return _joint_plan(stated, model)


def _joint_plan(stated: Stated, model: Architecture) -> Plan:
    """A mixed deployment from its columns.

    Where `n_chips` is the product of tensor and expert degrees of one and the same group (a known quirk of published
    tables, visible in tokens/s per chip), the group is counted once. Expert parallelism without data parallelism
    keeps attention tensor parallel.
    """
    latent, routed = bool(model.latent), float(model.experts) > 0
    tp, ep, dp = (stated.tp or 1.0), (stated.ep or 1.0), (stated.dp or 1.0)
    pp = stated.pp or 1.0
    wide = stated.moe_tp or 1.0
    if ep <= 1 and wide > tp * dp and wide % tp == 0:
        # Experts split over more chips than attention: attention is repeated on the others.
        return Plan(tp=tp, dp=wide / tp, replicas=math.floor(max(stated.n_chips or 1.0, wide) / wide))
    if dp > 1 and routed and (group := _data_group(stated, tp, dp)) is not None:
        size = group * dp
        spread = size if stated.wide else min(max(ep, 1.0), size)
        return Plan(tp=group, dp=dp, replicas=max((stated.n_chips or size) // (size * pp), 1.0), ep=spread, pp=pp)
    if stated.wide:
        ep = tp
    attention = stated.attention_dp
    groups = float(attention) if attention is not None and not isinstance(attention, bool) else None
    chips = stated.n_chips
    if groups is not None and groups > 1 and tp == groups and chips == ep == tp * groups:
        # The same quirk, squared: tensor, attention data and expert degree are of one group of `tp` chips.
        return Plan(tp=1.0, dp=tp, replicas=1.0, ep=tp)
    group = max(tp, ep)
    if chips is None:
        chips = max(tp * dp if attention is not True else group, ep) * pp
    elif ep > 1 and (chips == tp * ep or chips == ep * ep):
        chips = min(max(tp, ep), chips) if tp <= ep or chips != tp else ep
        group = chips
    if chips % 1:
        raise InputError(f"n_chips must be a whole number, not {chips:g}")
    if latent and ep <= 1 and dp <= 1 and pp <= 1 and chips == tp and _no_group(tp):
        return _pool(tp)
    if tp * pp > chips and ep <= 1:
        stages = f" in {pp:g} stages" if pp > 1 else ""
        raise InputError(f"tp {tp:g}{stages} needs more than the {chips:g} chips stated")
    if attention is True or (groups is not None and groups > 1) or (dp > 1 and ep > 1):
        size = min(max(group, dp, ep), chips)
        inner = 1.0 if attention is True or groups is not None else max(1.0, min(tp, size / dp))
        replicas = max(math.floor(chips / (size * pp)), 1.0)
        return Plan(tp=inner, dp=max(size / inner, 1.0), replicas=replicas, ep=min(ep, size), pp=pp)
    size = min(group, chips)
    replicas = max(math.floor(chips / (size * pp)), 1.0)
    if latent and size > LATENT_TENSOR_LIMIT:
        return Plan(tp=1.0, dp=size, replicas=replicas, ep=size, pp=pp)
    return Plan(tp=size, dp=1.0, replicas=replicas, ep=min(ep, size), pp=pp)


def _data_group(stated: Stated, tp: float, dp: float) -> float | None:
    """Chips that attention of one data parallel rank is split over, where `dp` ranks share their experts; None where
    `dp` counts replicas.

    SGLang writes tp 8 dp 2 for 8 chips (four a rank), vLLM and others tp 4 dp 2 for the same; the number of chips tells
    which, else the engine. Ranks share experts with attention data parallelism, and in vLLM always.
    """
    shared = stated.attention_dp is True or stated.wide or (stated.ep or 1.0) > 1 or stated.engine == "vllm"
    if stated.attention_dp is False or isinstance(stated.attention_dp, float) or not shared:
        return None
    inside = tp / dp if tp % dp == 0 else None
    chips = stated.n_chips
    if chips is not None:
        if inside is not None and chips == tp and tp > 1:
            return inside
        return tp if chips % (tp * dp) == 0 else None
    return inside if stated.engine == "sglang" and inside is not None and tp > 1 else tp


def _split_plan(stated: Stated, model: Architecture, chip: Hardware, dtype: str) -> Plan:
    prefill, decode = read_worker(stated.prefill_parallel), read_worker(stated.decode_parallel)
    prefill, decode = prefill or decode, decode or prefill
    assert prefill is not None
    assert decode is not None
    if _only_a_sum(prefill, decode):
        return _pool(decode.tp)
    if _says_nothing(prefill, decode, stated) and not fits(model, chip, dtype, 1.0):
        return _pool(math.inf)
    p_tp, p_dp, p_count = _worker_size(prefill, stated.prefill_chips, model)
    d_tp, d_dp, d_count = _worker_size(decode, stated.decode_chips, model)
    if prefill.count is None and stated.prefill_chips is None and stated.n_chips:
        p_count = max(1.0, math.floor((stated.n_chips - d_tp * d_dp * d_count) / (p_tp * p_dp)))
    # Zero marks a number of prefill workers that is not stated: it is chosen so that prefill keeps up.
    known = prefill.count is not None or stated.prefill_chips is not None or stated.n_chips is not None
    return Plan(
        d_tp, d_dp, d_count, p_tp, p_dp, p_count if known else math.inf, ep=_spread(decode, d_tp, d_dp, model),
        counted=decode.count is not None or stated.decode_chips is not None, slots=decode.slots,
        prefill_ep=_spread(prefill, p_tp, p_dp, model),
    )  # fmt: skip


def _spread(worker: Worker, tp: float, dp: float, model: Architecture) -> float:
    """Ranks of a worker that routed experts are spread over: as stated, else its attention data parallel ones."""
    return max(min(worker.ep or dp, tp * dp), 1.0) if model.experts > 0 else 1.0


def _pool(chips: float) -> Plan:
    return Plan(1.0, 1.0, 1.0, prefill_replicas=math.inf, counted=False, pooled=chips)


def _no_group(tp: float) -> bool:
    """Whether no layer is split over `tp` chips: heads come in powers of two."""
    return tp > 8 and math.log2(tp) % 1 > 0


def _says_nothing(prefill: Worker, decode: Worker, stated: Stated) -> bool:
    """Whether both workers are written as one chip without a count: a table's way to leave the layout open."""
    alone = all(w.tp == 1 and (w.dp or 1.0) <= 1 and (w.ep or 1.0) <= 1 and not w.count for w in (prefill, decode))
    return alone and stated.prefill_chips is None and stated.decode_chips is None


def _only_a_sum(prefill: Worker, decode: Worker) -> bool:
    """Whether both workers are one and the same group larger than anyone splits a layer over, without experts or data
    parallelism: early disaggregated rows write the chips of the whole deployment so."""
    plain = all((w.dp or 1.0) <= 1 and (w.ep or 1.0) <= 1 and not w.shared and not w.count for w in (prefill, decode))
    return plain and prefill.tp == decode.tp > LATENT_TENSOR_LIMIT


# Deployments whose workers are counted (InferenceX, labelled rows) run about this many decode chips where decoding is
# split by tensors, and attention data parallel above this many requests a chip; earlier where prompts are more than 2.5
# times as long as outputs.
USUAL_DECODE_CHIPS = 32.0
CROWD = 64.0
LONG_PROMPT = 2.5
# Separate nodes run this many data-parallel decode workers for each osl / isl, and no more than this many.
FED = 5.0
PREFILL_SHARE = 0.2
# Requests a chip below which a pool serves latency: one prefill worker, the rest decodes in tensor groups of a node.
FEW = 8.0
# Pools whose size is not stated either: groups of a small one (one prefills), chips of a large one (a rack but spares).
SMALL_POOL, LARGE_POOL = 5.0, 64.0


def arrange(
    plan: Plan, latent: bool, group: float, isl: float, osl: float, concurrency: float, domain: float = NODE
) -> Plan:
    """`plan` with what rows that do not count their workers usually run; `group`: the fewest chips that hold the model;
    `domain`: chips of a scale-up domain.

    Rules read off the rows that do count them: about four tensor-parallel decode workers of a node but no more than
    requests, or data-parallel groups: one in a rack or for long prompts, several nodes for short ones; a pool of which
    only the size is known gives prefill the share isl / (isl + 4 osl) of its chips.
    """
    if plan.pooled:
        chips = plan.pooled
        if math.isinf(chips):
            chips = SMALL_POOL * group if concurrency < FEW * SMALL_POOL * group else LARGE_POOL
        return _parted(replace(plan, pooled=chips), group, isl, osl, concurrency)
    size = plan.tp * plan.dp
    crowd = CROWD * size * min(1.0, LONG_PROMPT * osl / isl)
    if plan.dp == 1 and latent and plan.ep > 1 and concurrency > crowd:
        groups = min(max(round(FED * osl / isl), 1.0), FED) if domain <= NODE else 1.0
        plan = replace(plan, tp=1.0, dp=size, replicas=groups)
    elif plan.dp == 1:
        plan = replace(plan, replicas=max(1.0, min(round(USUAL_DECODE_CHIPS / size), math.ceil(concurrency))))
    if latent and plan.prefill_dp == 1 and plan.ep > 1:
        plan = replace(plan, prefill_tp=1.0, prefill_dp=plan.prefill_tp, prefill_ep=plan.prefill_tp)
    return plan


def prefill_beside(plan: Plan, isl: float, osl: float) -> Plan:
    """`plan` with the usual number of prefill workers where it is not stated: one, or for data-parallel decoding as
    many chips as `PREFILL_SHARE` of the decode chips times isl / osl."""
    if not math.isinf(plan.prefill_replicas) or plan.dp == 1:
        return replace(plan, prefill_replicas=1.0) if math.isinf(plan.prefill_replicas) else plan
    workers = round(PREFILL_SHARE * isl / osl * plan.decode_chips / (plan.prefill_tp * plan.prefill_dp))
    return replace(plan, prefill_replicas=float(max(workers, 1)))


# Disaggregated recipes for TensorRT-LLM set decode workers to a power of two requests per rank and offer a few percent
# more, up to this factor.
SURPLUS = 1.25


def decode_slots(engine: str, plan: Plan, concurrency: float) -> float:
    """Requests that all decode workers take at once, infinite where nothing says so; the others wait."""
    ranks = plan.dp * plan.replicas
    if math.isfinite(plan.slots):
        return max(plan.slots, 1.0) * ranks
    if engine != "trt" or not plan.split or not plan.counted or concurrency <= ranks:
        return math.inf
    power = 2.0 ** math.floor(math.log2(concurrency / ranks) + 1e-9) * ranks
    return power if concurrency <= SURPLUS * power else math.inf


def _parted(plan: Plan, group: float, isl: float, osl: float, concurrency: float) -> Plan:
    chips = plan.pooled
    group = min(group, math.floor(chips / 2))
    if concurrency < FEW * chips:
        size = min(8.0, chips - group)
        decode = max(1.0, math.floor((chips - group) / size))
        return replace(plan, tp=size, dp=1.0, replicas=decode, prefill_tp=group, prefill_dp=1.0, prefill_replicas=1.0)
    share = isl / (isl + 4.0 * osl)
    workers = min(max(1.0, round(share * chips / group)), math.floor(chips / group) - 1.0)
    rest = chips - workers * group
    return replace(
        plan, tp=1.0, dp=rest, replicas=1.0, ep=rest,
        prefill_tp=1.0, prefill_dp=group, prefill_replicas=workers, prefill_ep=group,
    )  # fmt: skip


def _worker_size(worker: Worker, chips: float | None, model: Architecture) -> tuple[float, float, float]:
    """Tensor degree, attention data parallel degree and number of workers.

    A group of more than sixteen chips runs attention data parallel: nobody splits one latent cache over more.
    """
    count = worker.count or 1.0
    if chips is not None and worker.count:
        size, data = max(chips / count, 1.0), worker.shared
    elif worker.dp is not None and worker.dp > 1:
        return worker.tp, worker.dp, count
    else:
        size, data = worker.tp, worker.shared or (bool(model.latent) and worker.tp > LATENT_TENSOR_LIMIT)
    return (1.0, size, count) if data else (size, 1.0, count)


def fits(model: Architecture, chip: Hardware, dtype: str, chips: float, *, context: float = 0.0) -> bool:
    """Whether weights and one sequence's cache fit `chips` chips."""
    return _need(model, dtype, context) <= WEIGHTS_SHARE * float(chip.memory_bytes) * chips


def _need(model: Architecture, dtype: str, context: float) -> float:
    """Bytes of weights and one sequence's cache."""
    return float(weight_bytes(model, dtype)) + float(kv_bytes(model, context))


def smallest_group(model: Architecture, chip: Hardware, dtype: str, *, context: float = 0.0) -> int:
    """The fewest chips (a power of two, or a whole scale-up domain) that hold the model. Raises `InputError` with
    the bytes if none do."""
    need, each = _need(model, dtype, context), WEIGHTS_SHARE * float(chip.memory_bytes)
    for chips in FABRIC_DEGREES:
        if need <= each * chips:
            return chips
    raise InputError(
        f"{model.name} in {dtype} needs {need / 1e9:,.0f} GB, more than {FABRIC_DEGREES[-1]} x {chip.name} hold "
        f"({FABRIC_DEGREES[-1] * float(chip.memory_bytes) / 1e9:,.0f} GB)"
    )


def _usual_group(model: Architecture, chip: Hardware) -> float:
    """The largest group worth trying where the number of chips is open: a node, or for experts what large
    deployments use."""
    if model.experts <= 0:
        return 8.0
    return min(max(float(chip.scaleup_domain), 32.0), 144.0)


def candidates(
    model: Architecture, chip: Hardware, dtype: str, chips: float | None, *, context: float = 0.0
) -> list[Plan]:
    """Layouts worth trying: every group size from the smallest that fits to `chips`, attention split or data
    parallel; dense models beyond one node in pipeline stages of a node each."""
    least = smallest_group(model, chip, dtype, context=context)
    if chips is not None and least > chips:
        need = _need(model, dtype, context)
        raise InputError(
            f"{model.name} in {dtype} needs {need / 1e9:,.0f} GB for weights and one sequence, "
            f"{chips:g} x {chip.name} hold {WEIGHTS_SHARE * chips * float(chip.memory_bytes) / 1e9:,.0f} GB beside "
            f"buffers; it fits {least}"
        )
    most = chips if chips is not None else max(least, _usual_group(model, chip))
    routed, shared = float(model.experts) > 0, bool(model.latent) or float(model.experts) > 0
    return list(
        _layouts(least, float(most), chips is not None, float(chip.scaleup_domain), float(model.layers), routed, shared)
    )


@lru_cache(maxsize=4096)
def _layouts(
    least: int, most: float, counted: bool, domain: float, layers: float, routed: bool, shared: bool
) -> tuple[Plan, ...]:
    """Groups from `least` to `most` chips; `routed`: with experts, `shared`: that may share one another's caches."""
    sizes = sorted({float(s) for s in FABRIC_DEGREES if least <= s <= most} | ({most} if counted else set()))
    plans = []
    for size in sizes:
        replicas = math.floor(most / size) if counted else 1
        if size <= max(8.0, min(domain, 16.0)):
            plans.append(Plan(size, 1.0, replicas, stated=False))
        elif not routed and size % NODE == 0 and size / NODE <= layers:
            plans.append(Plan(NODE, 1.0, replicas, pp=size / NODE, stated=False))
        if size > 1 and shared:
            plans.append(Plan(1.0, size, replicas, ep=size if routed else 1.0, stated=False))
    return tuple(plans)
