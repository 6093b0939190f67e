"""What sources of measurements say of their runs outside their tables, as columns: read when a table is fitted or
scored, never when an estimate is made."""

from __future__ import annotations

from collections.abc import Mapping


Row = Mapping[str, str]
# Sweeps whose flags were tuned by the engines' or chips' makers, against launches as the documentation writes them.
TUNED = (
    "InferenceX", "InferenceX-power", "NVIDIA-silicon-sample", "MLPerf-Inference-v4.1", "MLPerf-Inference-v5.1",
    "TRT-LLM-perf-overview", "TRT-LLM-0.14", "TRT-LLM-0.9", "CloudMatrix384-paper", "CloudMatrix384-paper-comparisons",
    "DeepSeek-infra", "Huawei-xDeepServe", "SGLang-large-EP", "vLLM-blog", "ROCm-vLLM-docs",
)  # fmt: skip
PLAIN = (
    "SGLang-cookbook", "vLLM-recipes", "ML.ENERGY-v3", "vllm-ascend-nightly", "vllm-ascend-docs",
    "llama.cpp-XiongjieDai", "vLLM-issue-41306", "TPU-recipes-trillium", "InferenceX-tokenpos",
)  # fmt: skip
# Columns that a source's tables leave out and its text tells.
TOLD: Mapping[str, Mapping[str, str]] = {
    # A sweep over positions: every run is one wave.
    "InferenceX-tokenpos": {"waves": "1"},
}


def told(row: Row) -> Row:
    """The row with what its source says elsewhere laid under its own cells."""
    family = (row.get("family") or "").strip()
    more = dict(TOLD.get(family, {}))
    if family in TUNED or family in PLAIN:
        more["tuning"] = "tuned" if family in TUNED else "plain"
    return {**more, **{name: cell for name, cell in row.items() if cell}} if more else row
