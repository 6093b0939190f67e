"""How a load is offered: lengths, requests at a time or a second, waves, drafts, and what a statistic means."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from chipweir.errors import InputError
from chipweir.perf._architecture import Architecture
from chipweir.perf._cells import flag, number, share, token_count
from chipweir.perf._software import engine_of


STATED_LOADS = {
    # Mean prompt and output tokens of workloads that tables name instead of numbering. Chat and reasoning prompts:
    # prior.
    "chat mix": (250.0, 600.0), "code fim": (500.0, 250.0), "gpqa (long reasoning out)": (250.0, 8000.0),
    "sharegpt": (220.0, 200.0),
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
SCENARIOS = ("offline", "server", "interactive")
DEFAULT_ISL, DEFAULT_OSL = 2048.0, 512.0
# Requests of a benchmark over its concurrency where nothing is said (the public suites' setting).
WAVES = 10.0
# Tokens that a built-in draft layer drafts a step unless told otherwise.
DRAFTS = 3.0


@dataclass(frozen=True)
class Offered:
    """A load. `rate`: requests a second that arrive on their own (infinite: none, the next comes when one ends).
    `waves`: requests over concurrency of a run that starts all at once; infinite where a steady state was measured.
    `static`: one batch read together and then written together. `start`: cached tokens when decoding starts. `cached`:
    share of the prompt found in a cache. `running`: requests one scheduler takes at once, as stated, else NaN.
    `drafts`: tokens drafted a step; `gain`: tokens a step as stated, else NaN. `settled`: whether drafting is stated.
    `prompts`: requests of the whole run as stated, else zero.
    """

    isl: float
    osl: float
    rate: float = math.inf
    waves: float = WAVES
    static: bool = False
    start: float = math.nan
    cached: float = 0.0
    running: float = math.nan
    drafts: float = 0.0
    gain: float = math.nan
    settled: bool = True
    prompts: float = 0.0
    mlperf: str = ""


# Words in which tables describe a run, as columns: a column of that name in the row wins.
TOLD = (
    ("request_rate", r"request[_ ]rate[ :=]*(\d+(?:\.\d+)?)"),
    ("num_prompts", r"(?:num[_ ])?prompts[ :=]*(\d+)|(\d+) prompts"),
    ("cached_share", r"prefix(?: hit rate)?[ :=]*(\d{1,2})(?:%|\b|_)"),
    ("max_running", r"max[_-]num[_-]seqs[ :=]*(\d+)|max[_-]batch[_-]size[ :=]*(\d+)"),
)


def read_offered(row: Mapping[str, str], phase: str, model: Architecture) -> Offered:
    """The load of a row but for its lengths (the defaults) and what of its waves hangs on the concurrency (`waves`).
    Raises `InputError` for what is no number."""
    row = {**_told(row.get("notes") or ""), **{name: cell for name, cell in row.items() if cell}}
    said = " ".join((row.get(name) or "").lower() for name in ("stat", "load", "notes"))
    drafts, gain, settled = drafting(row, model)
    rate = number(row, "request_rate", strict=False) or math.inf
    prompts = number(row, "num_prompts")
    steady = phase in ("prefill", "decode") or math.isfinite(rate)
    empty = "llama-bench" in said or "empty context" in said
    return Offered(
        isl=DEFAULT_ISL, osl=DEFAULT_OSL, rate=rate, waves=math.inf if steady else _waves(row, said, prompts),
        static=empty or "static batch" in said, start=0.0 if empty else math.nan, cached=share(row, "cached_share") or 0.0,
        running=number(row, "max_running") or math.nan, drafts=drafts, gain=gain, settled=settled,
        prompts=prompts or 0.0, mlperf=_mlperf_model(row),
    )  # fmt: skip


def _told(text: str) -> dict[str, str]:
    """What a note says of the run, as columns."""
    found = {}
    for name, pattern in TOLD:
        match = re.search(pattern, text, re.I)
        if match:
            value = float(next(group for group in match.groups() if group))
            found[name] = f"{value / 100.0 if name == 'cached_share' else value:g}"
    return found


STEADY = ("steady", "itl", "inter-token", "queued", "offline", "static", "baseline", "throughput mode", "server",
          "interactive")  # fmt: skip


def _waves(row: Mapping[str, str], said: str, prompts: float | None) -> float:
    """Requests of a run over its concurrency; infinite where a steady state is told, NaN where `prompts` decide."""
    stated = number(row, "waves")
    if stated is not None:
        return max(stated, 1.0)
    if any(word in said for word in STEADY):
        return math.inf
    return WAVES if prompts is None else math.nan


def waves(offered: Offered, running: float | None) -> float:
    """Requests of a run over the `running` ones that a row states, else over all."""
    if not math.isnan(offered.waves):
        return offered.waves
    return max(offered.prompts / (running or offered.prompts), 1.0)


def lengths(
    row: Mapping[str, str], cells: Mapping[str, str], phase: str, mlperf: str
) -> tuple[float, float, list[str]]:
    """Prompt and output tokens per request by the row, else by the other `cells` that rows share, and notes of what is
    not stated. `mlperf`: the MLPerf model it belongs to if it is one of MLPerf's."""
    text, notes = (row.get("isl") or "").strip(), []
    named = STATED_LOADS.get(text.lower())
    isl = named[0] if named else token_count(text)
    osl = token_count(row.get("osl") or "", "osl") or (named[1] if named else None)
    if mlperf:
        isl, osl = isl or MLPERF_LENGTHS[mlperf][0], osl or MLPERF_LENGTHS[mlperf][1]
    if isl is None:
        isl = number(cells, "seq_len")
    if isl is None:
        notes.append(f"prompt length not stated: {DEFAULT_ISL:g} tokens")
    if osl is None and phase != "prefill":
        notes.append(f"output length not stated: {DEFAULT_OSL:g} tokens")
    return isl or DEFAULT_ISL, osl or DEFAULT_OSL, notes


def _mlperf_model(row: Mapping[str, str]) -> str:
    if (row.get("stat") or "").strip().lower() not in SCENARIOS:
        return ""
    name = re.sub(r"-99(\.9)?$", "", (row.get("model") or "").lower()).replace("_", ".")
    return next((known for known in MLPERF_LENGTHS if name.startswith(known)), "")


def limits(offered: Offered, stat: str) -> tuple[float, float] | None:
    """Limits of an MLPerf scenario on time to first token and per output token, s."""
    found = MLPERF_LIMITS.get((offered.mlperf, stat.strip().lower())) if offered.mlperf else None
    return (found[0] / 1e3, found[1] / 1e3) if found else None


def statistic(text: str) -> str:
    """What a latency is of its distribution: median, mean, or the median of single steps ("ITL")."""
    folded = text.lower()
    if "itl" in folded or "inter-token" in folded:
        return "step"
    return "median" if folded.strip().startswith(("median", "p50")) else "mean"


# Share of all present requests' prefills that the typical request waits for because all started together: half of them
# in a run of one wave; in a run of more waves a mean holds the first wave's, a median the less the fewer belong to it.
TOGETHER = 0.5


def bunched(offered: Offered, stat: str) -> float:
    """Share of all present requests' prefills that a row's time to first token waits for from the common start."""
    if math.isinf(offered.waves):
        return 0.0
    if once(offered):
        return TOGETHER
    return TOGETHER / offered.waves if stat == "mean" else TOGETHER / offered.waves**2


def cold(offered: Offered, stat: str) -> float:
    """Share of requests whose first token waits for kernels to be compiled and tuned: the first wave in a mean, all of
    one wave."""
    if once(offered):
        return 1.0
    return 1.0 / offered.waves if stat == "mean" and offered.waves < math.inf else 0.0


def once(offered: Offered) -> bool:
    """Whether all requests come at once and no other follows."""
    return offered.waves < 2.0


def lasting(offered: Offered) -> float:
    """Share of the steady rate that a run of its waves shows: the last wave runs out, half empty on average."""
    if offered.static or math.isinf(offered.waves):
        return 1.0
    return offered.waves / (offered.waves + 0.5)


def drafting(row: Mapping[str, str], model: Architecture) -> tuple[float, float, bool]:
    """Tokens drafted a step (0: none), tokens a step if stated, and whether the row settles it.

    `spec_decode` says what drafts ("none", "mtp", "mtp1", "eagle3", a number of tokens), `accept_length` how many tokens
    a step gives. A row that says nothing of a model with a draft layer of its own leaves it open: counted as off.
    """
    gain = number(row, "accept_length")
    text = (row.get("spec_decode") or "").strip().lower()
    tokens = number(row, "draft_tokens", strict=False)
    if gain is not None and gain < 1.0:
        raise InputError(f"accept_length counts the step's own token: at least 1, not {gain:g}")
    if not text and tokens is None and gain is None:
        return _unsaid(row, model)
    if tokens == 0 or (tokens is None and gain is None and text in ("none", "off", "false", "no", "0")):
        return 0.0, math.nan, True
    if tokens is None:
        tokens = _drafts(text)
    if gain is None and (length := re.search(r"accept\w*(?:\s*len\w*)?\W{0,3}([1-9]\.\d+)", text)):
        gain = float(length[1])
    accepted = re.search(r"(\d+(?:\.\d+)?)\s*%", text)
    if gain is None and accepted:
        p = min(float(accepted[1]) / 100.0, 0.99)
        gain = (1.0 - p ** (tokens + 1.0)) / (1.0 - p)
    return tokens, math.nan if gain is None else min(gain, tokens + 1.0 if tokens else gain), True


def _drafts(text: str) -> float:
    """Tokens drafted a step that words tell ("mtp2", "nextn=1", "eagle3 5 tokens", "k=4"), the usual number where none."""
    said = (
        re.match(r"(?:mtp|nextn)?[-_ =:]*(\d+)(?!\d*%)", text)
        or re.search(r"\b(?:k|steps?|tokens|drafts?|num_speculative_tokens)\s*[=:]\s*(\d+)", text)
        or re.search(r"\b(\d+)\s*(?:drafts?|draft tokens|tokens|steps)\b", text)
    )
    return float(said[1]) if said and 1 <= int(said[1]) <= 16 else DRAFTS


# Builds of TensorRT-LLM of early 2026 whose labelled rows all ran draft layers, or none did (mixed deployments).
DRAFTING_BUILDS = {"1.1.0rc2.post2": 1.0, "1.2.0rc6.post2": 0.0, "1.2.0rc6.post3": 1.0}
# First dates of labelled rows with draft layers: mixed and disaggregated deployments.
DRAFTING_SINCE, DRAFTING_SPLIT_SINCE = "2026", "2025-12-08"


def _unsaid(row: Mapping[str, str], model: Architecture) -> tuple[float, float, bool]:
    """Drafting where a row says nothing: off for models without a draft layer, and settled.

    Tables of tuned deployments name DeepSeek-R1 without saying whether its draft layer ran. Rows that do say tell since
    when and in which builds it ran; disaggregated deployments were measured with and without, more often with, but
    SGLang's on racks without.
    """
    engine = engine_of(row.get("framework") or "")
    if not model.mtp_layers or not model.id.endswith("deepseek-r1") or engine not in ("trt", "sglang"):
        return 0.0, math.nan, True
    date, split = (row.get("date") or "").strip(), flag(row, "disagg")
    if date and date < (DRAFTING_SPLIT_SINCE if split else DRAFTING_SINCE):
        return 0.0, math.nan, True
    if split:
        rack = engine == "sglang" and re.search("NVL|GB\\d", f"{row.get('chip')} {row.get('system')}") is not None
        return (0.0 if rack else DRAFTS), math.nan, False
    build = (row.get("framework_version") or "").strip().rsplit(":", 1)[-1]
    return DRAFTS * (DRAFTING_BUILDS.get(build, 0.0) if engine == "trt" else 0.0), math.nan, False
