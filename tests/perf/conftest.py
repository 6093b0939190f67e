"""What the tests of this room share: a small table of measurements made from the model itself, with known errors."""

import csv
from pathlib import Path

import numpy as np
import pytest

from chipweir.perf._batch import predict_rows


COLUMNS = ("id", "family", "phase", "chip", "n_chips", "model", "precision", "framework", "tp", "isl", "osl",
           "concurrency", "spec_decode", "output_tok_s_chip", "ttft_ms", "tpot_ms", "stat")  # fmt: skip


def configurations() -> list[dict[str, str]]:
    """A grid of plainly stated serving rows on three chips and three models."""
    fixed = {"family": "made", "phase": "serving", "precision": "fp8", "framework": "vllm", "isl": "1024", "osl": "512"}
    fixed |= {"spec_decode": "none", "stat": "median latency"}
    return [
        {
            **fixed,
            "id": f"{chip}-{model}-{load}",
            "chip": chip,
            "n_chips": tp,
            "model": model,
            "tp": tp,
            "concurrency": load,
        }
        for chip in ("NVIDIA H100", "NVIDIA H200", "NVIDIA B200")
        for model, tp in (("Llama-3.1-8B", "1"), ("Llama-3.1-70B", "4"), ("Qwen3-235B-A22B", "8"))
        for load in ("1", "8", "64")
    ]


@pytest.fixture(scope="session")
def measured_rows() -> list[dict[str, str]]:
    """The grid with measurements: the estimate times a log-normal error of 10 %, seeded."""
    rows = configurations()
    noise = np.random.default_rng(7)
    for row, answer in zip(rows, predict_rows(rows), strict=True):
        made = answer["predictions"]
        for name in ("tpot_ms", "ttft_ms", "output_tok_s_chip"):
            row[name] = f"{made[name]['p50'] * np.exp(0.1 * noise.standard_normal()):.6g}"
    return rows


@pytest.fixture(scope="session")
def measured_file(measured_rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a CSV file."""
    path = tmp_path_factory.mktemp("perf") / "measured.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(measured_rows)
    return path
