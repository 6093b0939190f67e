"""The control-relevant numbers of named chips, and the names they answer to."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from chipweir.errors import UnknownName
from chipweir.rules._words import DATA, flag, folded


if TYPE_CHECKING:
    from chipweir.facts import Chip as FactsChip


@dataclass(frozen=True, slots=True)
class ControlledChip:
    """What classification needs of a chip. Numbers are decimal text, None where not published.

    `inferred` is the class a part without published numbers was in all likelihood designed for; it never decides, it is
    said, and only `availability` follows it.
    """

    id: str
    name: str
    maker: str
    maker_country: str
    peak: str
    tpp: str | None
    die_mm2: str | None
    mem_bw_gbps: str | None
    io_gbps: str | None
    dc: bool | None
    us_available: str
    aliases: tuple[str, ...]
    flag: str = ""
    die_flag: str = ""
    note: str = ""
    inferred: str = ""


@cache
def catalogue() -> Mapping[str, ControlledChip]:
    """The regulatory chip table by id. Flags: P public vendor figure, R press report, E estimate."""
    chips = {}
    with (DATA / "chips.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            chips[row["id"]] = ControlledChip(
                row["id"], row["name"], row["maker"], row["maker_country"], row["peak"], row["tpp"] or None,
                row["die_mm2"] or None, row["mem_bw_gbps"] or None, row["io_gbps"] or None, flag(row["dc"], "dc"),
                row["us_available_2026_01_15"], tuple(row["aliases"].split("|")), row["flag"], row["die_flag"],
                row["note"],
                row["inferred"],
            )  # fmt: skip
    return MappingProxyType(chips)


@cache
def _index() -> Mapping[str, str]:
    """Folded names, with and without the maker, to ids."""
    names: dict[str, str] = {}
    for chip in catalogue().values():
        for name in (chip.id, chip.name, *chip.aliases):
            key = folded(name)
            names.setdefault(key, chip.id)
            bare = key.removeprefix(folded(chip.maker))
            names.setdefault(bare, chip.id)
            names.setdefault(folded(chip.maker) + bare, chip.id)
    return MappingProxyType({key: chip for key, chip in names.items() if key})


def find(name: str) -> ControlledChip:
    """The chip with this id or name: the regulatory table first, then the catalogue of facts.

    Raises `UnknownName` with the nearest names.
    """
    found = _index().get(folded(name))
    return catalogue()[found] if found else _from_facts(name)


@cache
def _from_facts(name: str) -> ControlledChip:
    from chipweir import facts

    try:
        chip = facts.load().chip(name)
    except UnknownName as error:
        names = [n for c in catalogue().values() for n in (c.id, *c.aliases)]
        raise UnknownName("chip", name.strip()[:60], [*names, *error.suggestions]) from None
    return from_facts(chip)


def from_facts(chip: "FactsChip") -> ControlledChip:
    """A chip of the facts as classification sees it.

    TPP is the highest of dense peak times bit length over the precisions stated; interconnect is taken as both
    directions of the scale-up link unless the facts state the aggregate.
    """
    held = catalogue().get(_index().get(folded(chip.id), ""))
    if held is not None:
        return held

    def best(name: str) -> float | None:
        value = getattr(chip, name, None)
        return None if value is None else value.best

    peaks = {16: best("bf16_tflops"), 8: max((v for n in ("fp8_tflops", "int8_tops") if (v := best(n)) is not None),
    default=None),
             4: best("fp4_tflops"), 32: best("fp32_tflops")}  # fmt: skip
    rates = {bits: peak for bits, peak in peaks.items() if peak is not None}
    tpp = best("tpp") or max((bits * peak for bits, peak in rates.items()), default=None)
    io, link = best("io_gbs"), best("scaleup_gbs")
    io = io if io is not None else (2 * link if link is not None else None)
    peak = ", ".join(f"{rate:g} at {bits} bit" for bits, rate in sorted(rates.items()))
    text = {name: None if value is None else repr(float(value)) for name, value in
            {"tpp": tpp, "die": best("die_mm2"), "mem": best("memory_gbs"), "io": io}.items()}  # fmt: skip
    return ControlledChip(
        chip.id, chip.name, chip.maker, chip.maker_country, peak, text["tpp"], text["die"], text["mem"], text["io"],
        chip.data_centre, "yes" if chip.maker_country == "US" and (chip.release or "9") <= "2026-01-15" else "no",
        chip.aliases, "E", "E", "numbers from the facts, not from the regulatory table",
    )  # fmt: skip
