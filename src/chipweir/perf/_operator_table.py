"""Tables of single operators (microseconds of matrix products, attention, collectives): what share of the peak they
reach.

Such a table holds no deployment, so no posterior can be fitted to it; the shares its large matrix products reach stand
behind the priors of `matmul` and `prefill` (docs/perf.md).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._hardware import compute_rate, dtype_name, hardware


# Matrix products of fewer operations are bound by memory or launch, not by arithmetic.
LARGE_FLOP = 1e11
COLUMNS = {"m", "n", "k", "us"}


def operator_rows(path: Path) -> list[dict[str, str]] | None:
    """Rows of a table of operators, None where the header is another table's (or the file cannot be read as text)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    reader = csv.DictReader(text.splitlines())
    try:
        header = {name.strip() for name in reader.fieldnames or ()}
        return [dict(row) for row in reader] if header >= COLUMNS and "isl" not in header else None
    except csv.Error:
        return None


def reached(rows: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], float]:
    """Median share of the dense peak that large matrix products reach, by chip and number format.

    Rows without a chip, format or known peak are left out.
    """
    shares: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        found = _share(row)
        if found is not None:
            shares.setdefault((row["chip"], row["dtype"]), []).append(found)
    return {key: float(np.median(values)) for key, values in sorted(shares.items())}


def _share(row: Mapping[str, str]) -> float | None:
    try:
        flop = 2.0 * float(row["m"]) * float(row["n"]) * float(row["k"])
        seconds = float(row["us"]) * 1e-6
        peak = float(compute_rate(hardware(row["chip"]), dtype_name(row["dtype"])))
    except (InputError, KeyError, ValueError, TypeError):
        return None
    return flop / seconds / peak if flop >= LARGE_FLOP and seconds > 0 and peak > 0 else None


def explain(path: Path, rows: Sequence[Mapping[str, str]]) -> str:
    """One line: what the table is, what its operators reach, what a fit needs instead."""
    shares = reached(rows)
    said = ", ".join(f"{share:.2f} of {chip} in {dtype}" for (chip, dtype), share in shares.items())
    return (
        f"{path}: {len(rows):,} times of single operators, not of deployments; a fit needs rows with tpot_ms, ttft_ms or "
        f"output_tok_s_chip. " + (f"Large matrix products reach {said} (peak)" if said else "Its rows name no chip")
    )
