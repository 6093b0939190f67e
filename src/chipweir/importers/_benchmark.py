"""What vLLM's `bench serve` and SGLang's `bench_serving` write, as rows that `estimate --validate` and `--fit` read."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir import reading
from chipweir.errors import InputError
from chipweir.importers._layer import Imported, cell, plain, slug


if TYPE_CHECKING:
    from chipweir.facts import Facts

FILE = "measurements/benchmarks.csv"
_NEEDED = ("completed", "total_input_tokens", "total_output_tokens", "output_throughput")


def benchmark(
    path: Path,
    known: "Facts",
    today: date,
    *,
    chip: str = "",
    chips: int = 1,
    model: str = "",
    precision: str = "",
    tp: int | None = None,
) -> Imported:
    """One row for each result in the file (one JSON document, a list, or a document a line).

    The files do not say what they ran on: `chip` and `chips` do; `model` where the file does not name one that we know.
    Raises `InputError` and `UnknownName`.
    """
    if not chip:
        raise InputError("a benchmark's file does not say what it ran on; give --chip (and --chips)")
    name = known.chip(chip).id
    rows, skipped = [], []
    for number, result in enumerate(_results(path), 1):
        missing = [field for field in _NEEDED if not _positive(result.get(field))]
        if missing:
            skipped.append(f"result {number}: no {', '.join(missing)}")
            continue
        rows.append(_row(result, known, name, chips, model, precision, tp, path, today))
    if not rows:
        raise InputError(f"{path}: no result of vLLM's or SGLang's benchmark ({'; '.join(skipped[:2]) or 'empty'})")
    return Imported({FILE: rows}, {FILE: "id"}, tuple(skipped))


def _results(path: Path) -> list[Mapping[str, Any]]:
    text = reading.read_text(path, "benchmark's result", 400_000_000)
    limits = reading.Limits(characters=400_000_000, values=20_000_000)
    try:
        document = reading.parse_json(text, str(path), limits)
    except InputError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        document = [reading.parse_json(line, f"{path}:{at}", limits) for at, line in enumerate(lines, 1)]
    listed = document if isinstance(document, list) else [document]
    if not all(isinstance(each, Mapping) for each in listed):
        raise InputError(f"{path}: expected the result of a benchmark, a mapping of its fields")
    return listed


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e18


def _row(
    result: Mapping[str, Any], known: "Facts", chip: str, chips: int, model: str, precision: str, tp: int | None,
    path: Path, today: date,
) -> dict[str, str]:  # fmt: skip
    asked = model or str(result.get("model_id") or result.get("model") or "")
    if not asked:
        raise InputError(f"{path} does not name its model; give --model")
    found = known.model(asked.rpartition("/")[2] if "/" in asked and not model else asked)
    completed = float(result["completed"])
    times = {"tpot_ms": ("median_tpot_ms", "mean_tpot_ms"), "ttft_ms": ("median_ttft_ms", "mean_ttft_ms")}
    measured = {
        name: plain(float(next(result[field] for field in fields if _positive(result.get(field)))))
        for name, fields in times.items()
        if any(_positive(result.get(field)) for field in fields)
    }
    concurrency = result.get("max_concurrency") or result.get("concurrency")
    backend = str(result.get("backend") or "").casefold()
    usual = "vllm" if "model_id" in result else "sglang"
    framework = next((engine for engine in ("sglang", "vllm") if engine in backend), usual)
    rate = result.get("request_rate")
    content = json.dumps({"chip": chip, "chips": chips, **{k: result[k] for k in _NEEDED}}, sort_keys=True)
    from hashlib import sha256

    return {
        "id": slug("bench", found.id, chip, sha256(content.encode()).hexdigest()[:10]),
        "family": "own benchmark",
        "model": found.id,
        "chip": chip,
        "n_chips": str(chips),
        "tp": "" if tp is None else str(tp),
        "precision": precision,
        "framework": framework,
        "date": _date(result, today),
        "isl": plain(float(result["total_input_tokens"]) / completed),
        "osl": plain(float(result["total_output_tokens"]) / completed),
        "concurrency": plain(float(concurrency)) if concurrency is not None and _positive(concurrency) else "",
        "output_tok_s_chip": plain(float(result["output_throughput"]) / chips),
        **measured,
        "notes": cell(f"{path.name}; {completed:g} requests at rate {rate}", 200),
    }


def _date(result: Mapping[str, Any], today: date) -> str:
    """The day of the run where the file says it (vLLM: 20250131-120000), else of the import."""
    text = str(result.get("date") or "")[:8]
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if text.isdigit() and len(text) == 8 else today.isoformat()
