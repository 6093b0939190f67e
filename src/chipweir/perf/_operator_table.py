"""Tables of single operators (microseconds of matrix products, attention, collectives): what share of the peak they
reach.

Such a table holds no deployment, so no posterior can be fitted to it; the shares its large matrix products reach stand
behind the priors of `matmul` and `prefill` (docs/perf.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._hardware import compute_rate, dtype_name, hardware


# Matrix products of fewer operations are bound by memory or launch, not by arithmetic.
LARGE_FLOP = 1e11
COLUMNS = {"m", "n", "k", "us"}


def is_operator_table(header: Collection[str]) -> bool:
    """Whether the columns are those of a table of operators."""
    return set(header) >= COLUMNS and "isl" not in header


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
        f"{path}: {len(rows):,} times of single operators, not of deployments; serving needs rows with tpot_ms, ttft_ms or "
        f"output_tok_s_chip. " + (f"Large matrix products reach {said} (peak)" if said else "Its rows name no chip")
    )
