"""Measurements as arrays beside the configurations they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chipweir import reading
from chipweir.errors import InputError
from chipweir.perf._architecture import Architecture
from chipweir.perf._assemble import case, gather
from chipweir.perf._columns import as_ours, known
from chipweir.perf._configuration import SERVING, Cells, Configuration, Setup, phase_of, read_configuration
from chipweir.perf._intervals import traits
from chipweir.perf._operator_table import explain, is_operator_table
from chipweir.perf._operators import Work
from chipweir.perf._serving import Case, fits
from chipweir.perf._sources import told


Row = Mapping[str, str]
# A time to first token beyond this belongs to a saturated queue, not to the configuration.
SATURATED_MS = 100_000.0


@dataclass(frozen=True)
class Measured:
    """n measured configurations: seconds, tokens a second and chip; NaN where not measured. `weight`: how much a row
    counts; less where its state is guessed. `configurations` hold what sources tell of their runs elsewhere, `asked` only
    what the rows say: fits are made with the first and scored with the second."""

    rows: tuple[Row, ...]
    configurations: tuple[Configuration, ...]
    asked: tuple[Configuration, ...]
    tpot: np.ndarray
    ttft: np.ndarray
    output: np.ndarray
    input: np.ndarray
    weight: np.ndarray

    def take(self, keep: np.ndarray) -> Measured:
        """Rows `keep` (positions)."""
        return Measured(
            tuple(self.rows[i] for i in keep), tuple(self.configurations[i] for i in keep),
            tuple(self.asked[i] for i in keep), self.tpot[keep],
            self.ttft[keep], self.output[keep], self.input[keep], self.weight[keep],
        )  # fmt: skip

    def label(self, name: str) -> np.ndarray:
        """A column to group by [n]: chip, generation, vendor, model (the same layers are one), family (who published),
        date (half a year), phase, engine, format, attention."""
        if name == "model":
            return _same_layers([c.model for c in self.configurations])
        columns: dict[str, Callable[[Row, Configuration], str]] = {
            "chip": lambda _, c: str(c.chip.id),
            "generation": lambda _, c: c.chip.line,
            "vendor": lambda _, c: str(c.chip.vendor),
            "family": lambda r, _: r.get("family") or "",
            "date": lambda _, c: _half(c.year) if c.dated else "undated",
            "phase": lambda _, c: c.phase,
            "engine": lambda _, c: c.engine,
            "format": lambda _, c: traits(c)["format"],
            "attention": lambda _, c: traits(c)["attention"],
        }
        get = columns[name]
        return np.array([get(r, c) for r, c in zip(self.rows, self.configurations, strict=True)])


def _half(year: float) -> str:
    return f"{int(year)}H{1 + int((year % 1) >= 0.5)}"


def _same_layers(models: Sequence[Architecture]) -> np.ndarray:
    keys = [(m.layers, m.hidden, m.experts, m.vocab, m.kv_elements) for m in models]
    names: dict[object, str] = {}
    for key, model in zip(keys, models, strict=True):
        names[key] = min(names.get(key, model.id), model.id)
    return np.array([names[key] for key in keys])


def read_rows(path: Path, stated: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    """Rows of a CSV file of configurations, or of a benchmark client's (`_columns`); `stated` fills empty cells. Raises
    `InputError` where it cannot be read, has no header or is a table of single operators."""
    lines = reading.read_cells(path, "table of configurations", strict=False)
    header = [name.strip() for name in next(lines, (0, []))[1]]
    if is_operator_table(header):
        raise InputError(explain(path, [dict(zip(header, cells, strict=False)) for _, cells in lines]))
    foreign, told = known(header), set(header) | set(stated or {})
    if not foreign and ("model" not in told or not {"chip", "system"} & told):
        raise InputError(f"{path}:1: a table of configurations needs columns 'model' and 'chip'; see docs/perf.md")
    if len(set(header)) != len(header):
        raise InputError(f"{path}:1: a column is named twice")
    rows = [_row(header, cells, line) for line, cells in lines if cells]
    if foreign and "Metric" in header:
        rows = [{name: cell for name, cell in row.items() if name != "malformed"} for row in rows]
    return as_ours(rows, header, stated or {}) if foreign or stated else rows


def _row(header: Sequence[str], cells: Sequence[str], line: int) -> dict[str, str]:
    """Cells without blanks; a row of another length than the header says so in `malformed`."""
    row = {name: cell.strip() for name, cell in zip(header, [*cells, *[""] * len(header)], strict=False)}
    if len(cells) != len(header):
        row["malformed"] = f"line {line} has {'more' if len(cells) > len(header) else 'fewer'} cells than the header"
    return row


def measured(rows: Sequence[Row]) -> Measured:
    """The serving rows that can be read; others are left out (their reasons come with the batch interface)."""
    kept, configurations, asked = [], [], []
    setups: dict[Cells, Setup] = {}
    for row in rows:
        if phase_of(row) not in SERVING or row.get("malformed"):
            continue
        try:
            plain = read_configuration(row, setups)
            configurations.append(read_configuration(told(row), setups))
            asked.append(plain)
            kept.append(row)
        except InputError:
            continue
    if not kept:
        raise InputError("no serving measurement can be read from the table")
    columns = {
        name: np.array([_number(row, column) for row in kept]) * scale
        for name, column, scale in (("tpot", "tpot_ms", 1e-3), ("ttft", "ttft_ms", 1e-3),
                                    ("output", "output_tok_s_chip", 1.0), ("input", "input_tok_s_chip", 1.0))
    }  # fmt: skip
    columns["ttft"] = np.where(columns["ttft"] * 1e3 > SATURATED_MS, np.nan, columns["ttft"])
    return Measured(tuple(kept), tuple(configurations), tuple(asked), **columns, weight=_weights(kept, configurations))


def _number(row: Row, name: str) -> float:
    try:
        value = float(row.get(name) or "nan")
    except ValueError:
        return float("nan")
    return value if value > 0 else float("nan")


UNSETTLED, UNFINISHED = 0.25, 0.1


def _weights(rows: Sequence[Row], configurations: Sequence[Configuration]) -> np.ndarray:
    """Rows whose drafting is guessed count less, and least those whose authors call them unfinished; rows that repeat one
    another are the fit's business."""
    unfinished = np.array(["work in progress" in (row.get("notes") or "") for row in rows])
    settled = np.array([c.offered.settled for c in configurations])
    return np.where(unfinished, UNFINISHED, np.where(settled, 1.0, UNSETTLED))


def stated(data: Measured) -> tuple[Measured, Work, Case]:
    """Rows whose layout and load are stated and whose weights fit, with their arrays."""
    whole = [i for i, c in enumerate(data.configurations) if c.plan is not None and c.concurrency is not None]
    if not whole:
        raise InputError("no row of the table states both layout and concurrency")
    chosen = data.take(np.array(whole))
    work = gather(chosen.configurations)
    cases = arrays(chosen.configurations)
    kept = chosen.take(np.flatnonzero(fits(work, cases)))
    return kept, gather(kept.configurations), arrays(kept.configurations)


def arrays(configurations: Sequence[Configuration]) -> Case:
    """`Case` of configurations that state plan and concurrency."""
    plans = [c.plan for c in configurations if c.plan is not None]
    return case(configurations, plans, [c.concurrency or 1.0 for c in configurations])
