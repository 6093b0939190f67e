"""Epoch AI's tables: machine-learning hardware (specifications) and chip sales (units by quarter), CC BY 4.0."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError, UnknownName
from chipweir.importers._layer import Imported, Row, cell, day, number, plain, records, slug


if TYPE_CHECKING:
    from chipweir.facts import Facts

HARDWARE_URL, SALES_URL = "https://epoch.ai/data/machine-learning-hardware", "https://epoch.ai/data/ai-chip-sales"
# How a heading begins, the quantity it is, and what one of its units is in ours.
SPECIFICATIONS = (
    ("tensor-fp16/bf16 performance", "bf16_tflops", 1e-12, "TFLOP/s"),
    ("fp8 performance", "fp8_tflops", 1e-12, "TFLOP/s"),
    ("fp4 performance", "fp4_tflops", 1e-12, "TFLOP/s"),
    ("tf32 (tensorfloat-32) performance", "tf32_tflops", 1e-12, "TFLOP/s"),
    ("fp32 (single precision) performance", "fp32_tflops", 1e-12, "TFLOP/s"),
    ("int8 performance", "int8_tops", 1e-12, "TOP/s"),
    ("int4 performance", "int4_tops", 1e-12, "TOP/s"),
    ("memory size per board", "memory_gb", 1e-9, "GB"),
    ("memory (bytes)", "memory_gb", 1e-9, "GB"),
    ("memory bandwidth", "memory_gbs", 1e-9, "GB/s"),
    ("tdp", "tdp_w", 1.0, "W"),
    ("die size", "die_mm2", 1.0, "mm**2"),
    ("release price", "price_usd", 1.0, "USD"),
)
_SALES = ("chip manufacturer", "start date", "end date")
_MEDIAN = ("number of units (median)", "number of units")
_VALUES = "chip_values.csv"


def epoch(path: Path, known: "Facts", today: date) -> Imported:
    """Chips' values or units shipped, whichever the headings are of. Chips that we do not know are left out by name.

    Raises `InputError` for a file that is neither.
    """
    rows = list(records(path, "Epoch AI's chips or chip sales"))
    if not rows:
        raise InputError(f"{path}: no rows")
    head = rows[0][1]
    if "hardware name" in head or "name of the hardware" in head:
        return _hardware(rows, known, today)
    if all(name in head for name in _SALES) and any(name in head for name in _MEDIAN):
        return _sales(rows, known, today)
    raise InputError(
        f"{path}:1: no table of Epoch AI's chips: no column 'Hardware name', nor 'Start date' with 'Number of Units'"
    )


def _hardware(rows: list[tuple[int, dict[str, str]]], known: "Facts", today: date) -> Imported:
    values: list[Row] = []
    skipped = []
    for line, row in rows:
        name = row.get("hardware name") or row.get("name of the hardware", "")
        try:
            chip = known.chip(name)
        except InputError as error:
            skipped.append(f"line {line}: {error}")
            continue
        for quantity, value, unit in _specifications(row):
            values.append(
                {"chip": chip.id, "quantity": quantity, "central": plain(value), "unit": unit,
                 "source": "import-epoch-hardware", "url": row.get("link to datasheet", "")[:500], "cls": "analyst",
                 "confidence": "B", "as_of": today.isoformat(), "note": f"as {cell(name, 80)}"}
            )  # fmt: skip
    source = {"id": "import-epoch-hardware", "title": "Machine Learning Hardware (CC BY 4.0)", "publisher": "Epoch AI",
              "url": HARDWARE_URL, "published": today.isoformat(), "cls": "analyst"}  # fmt: skip
    return Imported(
        {"sources.csv": [source], _VALUES: values},
        {"sources.csv": "id", _VALUES: "chip quantity source"},
        tuple(skipped),
    )


def _specifications(row: Row) -> Iterator[tuple[str, float, str]]:
    """Quantity, value in our unit, and the unit; the first heading that gives a quantity counts."""
    given: set[str] = set()
    for begins, quantity, factor, unit in SPECIFICATIONS:
        text = next((text for name, text in row.items() if name.startswith(begins) and text), "")
        value = number(text)
        if value is not None and value > 0 and quantity not in given:
            given.add(quantity)
            yield quantity, value * factor, unit


def _sales(rows: list[tuple[int, dict[str, str]]], known: "Facts", today: date) -> Imported:
    facts: list[Row] = []
    skipped = []
    for line, row in rows:
        start, end = day(row["start date"]), day(row["end date"])
        central = next((value for name in _MEDIAN if (value := number(row.get(name, ""))) is not None), None)
        if start is None or end is None or central is None:
            skipped.append(f"line {line}: no period or no number of units")
            continue
        if row.get("owner"):
            skipped.append(f"line {line}: units by owner are no shipments; import the table by maker")
            continue
        try:
            item = _item(row, known)
            maker = known.entity(row["chip manufacturer"]).id
        except UnknownName as error:
            skipped.append(f"line {line}: {error}")
            continue
        bounds = (number(row.get(f"number of units ({level} percentile)", "")) for level in ("5th", "95th"))
        low, high = ("" if bound is None else plain(bound) for bound in bounds)
        facts.append(
            {"id": slug("imp-epoch", maker, item.get("item_id") or item["item"], start.isoformat(), end.isoformat()),
             "topic": "imported", "entity": maker, "entity_text": row["chip manufacturer"], "measure": "units", **item,
             "start": start.isoformat(), "end": end.isoformat(), "nature": "observation", "retrospective": "yes",
             "low": low, "central": plain(central), "high": high, "unit": "chip",
             "published": _generated(row) or today.isoformat(), "source": "import-epoch-sales", "cls": "analyst",
             "confidence": "B", "note": "estimate; 5th, 50th, 95th percentile"}
        )  # fmt: skip
    source = {"id": "import-epoch-sales", "title": "AI chip sales (CC BY 4.0)", "publisher": "Epoch AI", "url": SALES_URL,
              "published": today.isoformat(), "cls": "analyst"}  # fmt: skip
    return Imported(
        {"sources.csv": [source], "facts.csv": facts}, {"sources.csv": "id", "facts.csv": "id"}, tuple(skipped)
    )


def _item(row: Row, known: "Facts") -> dict[str, Any]:
    """The chip of a row, or all of the maker's where it names none."""
    name = row.get("chip type", "")
    return {"item": "", "item_id": known.chip(name).id} if name else {"item": "all accelerators", "item_id": ""}


def _generated(row: Row) -> str:
    """The day of the estimates ('Estimates generated on: 03-31-2026 17:12'), as an ISO day."""
    _before, marked, rest = row.get("notes", "").partition("generated on:")
    found = day("/".join(rest.split()[0].split("-"))) if marked and rest.split() else None
    return found.isoformat() if found else ""
