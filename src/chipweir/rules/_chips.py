"""The control-relevant numbers of named chips, as the facts hold them. This room keeps no number of a chip."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from chipweir.errors import InputError, UnknownName


if TYPE_CHECKING:
    from chipweir.facts import Chip, Facts, Value

# The day on which a part must be sold in the United States for the case-by-case review of January 2026.
SOLD_BY = "2026-01-15"
GUESS = "D"


@dataclass(frozen=True, slots=True)
class ControlledChip:
    """What classification needs of a chip. Numbers are decimal text, None where not known well enough to decide.

    `inferred` is the class a part without published numbers was in all likelihood designed for; it never decides, it is
    said, and only `availability` follows it. `guess` is a TPP that estimates of low confidence would give; it is said too.
    `us_available` is yes, no or doubtful.
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
    guess: str | None = None


def catalogue() -> Mapping[str, ControlledChip]:
    """Every chip of the facts in force, by id. Flags: P published by the maker or a database, R press, E estimate."""
    from chipweir import facts

    return _catalogue(facts.load())


@lru_cache(maxsize=4)
def _catalogue(known: "Facts") -> Mapping[str, ControlledChip]:
    return MappingProxyType({chip.id: from_facts(chip) for chip in known.chips.values()})


def find(name: str, *, guesses: bool = False) -> ControlledChip:
    """The chip with this id or name, as `from_facts` reads it.

    Raises `UnknownName`, or `InputError` with the candidates if it may mean several.
    """
    from chipweir import facts

    return _find(name, facts.load(), guesses)


@lru_cache(maxsize=4096)
def _find(name: str, known: "Facts", guesses: bool) -> ControlledChip:
    try:
        return from_facts(known.chip(name), guesses=guesses)
    except UnknownName as error:
        raise UnknownName("chip", name.strip()[:60], error.suggestions) from None
    except InputError as error:
        raise InputError(f"{error}; say which") from None


def from_facts(chip: "Chip", *, guesses: bool = False) -> ControlledChip:
    """A chip of the facts as classification sees it.

    A number of confidence D, a guess or an assumption, is not known for this purpose, unless `guesses` are asked for:
    then it counts for a part that has no better total processing performance and no inferred class. Total processing
    performance is the highest dense rate times bits of the formats whose rate is known; interconnect is both directions
    of all links as stated, else of the scale-up link where a maker or a database states that; static memory on chip is
    no DRAM.
    """
    from chipweir.facts import interconnect, total_processing_performance

    rates = {quantity: known[:1] for quantity, known in chip.values.items() if known and _sure(known[0]) is not None}
    stated = chip.tpp if chip.tpp is not None and chip.tpp.cls != "derived" else None
    tpp = _sure(stated) or total_processing_performance(rates)
    guess = chip.tpp if tpp is None and not chip.inferred_class else None
    trusted = _any if guesses and guess is not None else _sure
    tpp, die = tpp or (guess if guesses else None), trusted(chip.die_mm2)
    memory = None if chip.memory_type.upper().startswith("SRAM") else trusted(chip.memory_gbs)
    links = trusted(interconnect(chip))
    if (
        links is not None
        and links.cls == "derived"
        and chip.scaleup_gbs is not None
        and chip.scaleup_gbs.cls == "press"
    ):
        links = None
    return ControlledChip(
        chip.id, chip.name, chip.maker, chip.maker_country, tpp.note if tpp is not None else "not published",
        _text(tpp), _text(die), _text(memory), _text(links), chip.data_centre, _sold_in_the_us(chip), chip.aliases,
        _letter(tpp), _letter(die), chip.note, chip.inferred_class, None if guesses else _text(guess),
    )  # fmt: skip


def _sure(value: "Value | None") -> "Value | None":
    return None if value is None or value.confidence == GUESS else value


def _any(value: "Value | None") -> "Value | None":
    return value


def _text(value: "Value | None") -> str | None:
    return None if value is None else repr(float(value.best))


def _letter(value: "Value | None") -> str:
    if value is None:
        return ""
    return {"press": "R", "own": "E"}.get(value.cls, "P" if value.confidence in ("A", "B") else "E")


def _sold_in_the_us(chip: "Chip") -> str:
    """Whether the part was commercially available in the United States on `SOLD_BY`, from its market and release."""
    if chip.market == "CN":
        return "doubtful"
    sold = chip.status not in ("cloud-only", "announced", "roadmap", "not-shipped") and chip.maker_country == "US"
    return "yes" if sold and (chip.release or "9") <= SOLD_BY else "no"
