"""A chip of one's own: a YAML datasheet as a layer of facts.

    name: My chip
    bf16: 400 TFLOPS
    memory: 96 GiB
    memory_bandwidth: 2.4 TB/s
    power: 500 W

Keys are the fields of chips (`chipweir facts schema chips`) or their names without the unit; a bare number is in the
field's unit, text may state another. What a datasheet leaves out is filled from peers, as for any chip.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from chipweir import reading
from chipweir.errors import InputError, UnknownName


# Fields with a number, and the unit a bare one is in.
UNITS = {
    **{f"{name}_tflops": "TFLOP/s" for name in ("fp32", "tf32", "bf16", "fp16", "fp8", "fp4")},
    **{f"{name}_tops": "TOP/s" for name in ("int8", "int4")},
    "memory_gb": "GB", "memory_gbs": "GB/s", "scaleup_gbs": "GB/s", "scaleup_domain": "", "scaleout_gbps": "Gbit/s",
    "io_gbs": "GB/s", "tdp_w": "W", "price_usd": "USD", "die_mm2": "mm^2", "dies_per_package": "", "hbm_stacks": "",
}  # fmt: skip
# The same without a unit, as datasheets say it.
PLAIN = {
    **{name.rsplit("_", 1)[0]: name for name in UNITS if name.endswith(("_tflops", "_tops"))},
    "memory": "memory_gb", "memory_bandwidth": "memory_gbs", "scaleup": "scaleup_gbs", "scaleout": "scaleout_gbps",
    "power": "tdp_w", "tdp": "tdp_w", "price": "price_usd",
}  # fmt: skip
# Spellings of units that physics would read otherwise, or not at all. Stacks of memory are sold in powers of two.
PREFIXES = {"kilo": "k", "mega": "M", "giga": "G", "tera": "T", "peta": "P", "exa": "E"}
SPELLED = (
    (r"(?i)^([kmgtpe]?)i?b(?:ytes?)?$", "{}B"), (r"(?i)^([kmgtpe]?)i?b(?:ytes?)?/s(?:ec)?$", "{}B/s"),
    (r"(?i)^([kmgtpe]?)flops?(?:/s)?$", "{}FLOP/s"), (r"(?i)^([kmgtpe]?)ops?(?:/s)?$", "{}OP/s"),
    (r"(?i)^([kmgtpe]?)b(?:it)?(?:ps|/s)$", "{}bit/s"), (r"(?i)^mm2$", "mm^2"), (r"(?i)^usd$|^\$$", "USD"),
)  # fmt: skip
WORDS = ("maker", "maker_country", "architecture", "release", "node", "foundry", "memory_type", "software", "ecosystem",
         "status", "note")  # fmt: skip
# What a chip is taken for whose sheet does not say.
UNSAID = {"maker": "own", "maker_country": "US", "status": "announced", "ecosystem": "other", "source": "own-datasheet"}
MAKERS = {"own": "Own chips"}


def lay_over(path: Path, folder: Path) -> str:
    """Write the chip of a datasheet into `folder` as tables that `facts.load` lays over the shipped ones; its id.

    Raises `InputError` or `UnknownName` for what cannot be read.
    """
    sheet = _read(path)
    identifier = re.sub(r"[^a-z0-9]+", "-", str(sheet.get("id") or sheet["name"]).lower()).strip("-")
    if not identifier:
        raise InputError(f"{path}: 'name' needs letters or digits")
    values = [_value(path, key, cell) for key, cell in sheet.items() if key not in ("id", "name", *WORDS)]
    words = {**UNSAID, **{key: str(sheet[key]) for key in WORDS if sheet.get(key) is not None}}
    chip = {"id": identifier, "name": str(sheet["name"]), **words}
    numbers = [
        {"chip": identifier, "source": "own-datasheet", "unit": UNITS[value["quantity"]], **value} for value in values
    ]
    _write(folder / "chips.csv", [chip])
    _write(folder / "chip_values.csv", numbers)
    _write(folder / "sources.csv", [{"id": "own-datasheet", "title": path.name, "cls": "company"}])
    return identifier


def _read(path: Path) -> dict[str, Any]:
    sheet = reading.read_yaml(path, "datasheet").data
    if not isinstance(sheet, Mapping) or not sheet.get("name"):
        raise InputError(f"{path}: a datasheet is a mapping with a 'name', such as 'name: My chip'")
    return {str(key): cell for key, cell in sheet.items() if cell is not None}


def _value(path: Path, key: str, cell: Any) -> dict[str, str]:
    quantity = PLAIN.get(key, key)
    if quantity not in UNITS:
        raise UnknownName(f"{path}: key", key, ["name", *PLAIN, *UNITS, *WORDS])
    match = re.fullmatch(r"\s*\$?\s*([\d.,]+(?:e[+-]?\d+)?)\s*(\S.*)?", str(cell), re.I)
    try:
        number = float(match[1].replace(",", "")) if match else -1.0
    except ValueError:
        number = -1.0
    if match is None or number <= 0:
        raise InputError(f"{path}: {key} must be a number above 0, such as 400 or '2.4 TB/s', not {cell!r}")
    return {"quantity": quantity, "central": f"{number * _factor(path, key, match[2] or '', UNITS[quantity]):.12g}"}


def _factor(path: Path, key: str, written: str, wanted: str) -> float:
    """How many `wanted` the unit `written` in a sheet is. Raises `InputError` for one that measures something else."""
    from chipweir.facts import unit_registry

    if not written:
        return 1.0
    unit = re.sub(r"(?i)^(kilo|mega|giga|tera|peta|exa)", lambda m: PREFIXES[m[1].lower()], written.strip())
    for pattern, spelled in SPELLED:
        if found := re.match(pattern, unit):
            unit = spelled.format((found[1].upper() if found.re.groups else "").replace("K", "k"))
            break
    try:
        registry = unit_registry()
        return float(registry.Quantity(1.0, unit).to(wanted).magnitude)
    except Exception:
        raise InputError(f"{path}: {key} is in {wanted or 'pieces'}, not in '{written}'") from None


def _write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    listed = list(rows)
    if not listed:
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)
