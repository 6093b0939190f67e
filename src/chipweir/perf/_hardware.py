"""What one accelerator offers: peaks, memory, links, power, as plain numbers in SI units.

A `Hardware` holds floats for one chip, or arrays of shape [n] for n chips (`stack`), so that every function of the room
works on one configuration and on a hundred thousand alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.errors import InputError, UnknownName


if TYPE_CHECKING:
    from chipweir.facts import Chip, Facts, System, Value

TERA, GIGA = 1e12, 1e9
# Memory stacks come in powers of two: an "80 GB" accelerator shows 80 GiB to its driver.
GIBI = 2.0**30
DTYPES = ("bf16", "fp8", "fp4", "int8", "int4")
# Weight-only formats pay for unpacking before the multiply: share of the compute peak of the wider format that is left.
# Prior, not measured here: fused dequantisation kernels are described as reaching 0.7-0.9 of the dense peak.
EMULATION = 0.8
# Generations whose switches reduce in the network (NVLink SHARP came with the third NVSwitch, for Hopper; own knowledge).
SUMMING = ("hopper", "blackwell", "rubin")
TOPOLOGIES = ("switch", "mesh", "torus", "pcie")
# Where a datasheet has no number the median of the catalogued chips of the same maker and years stands in, and the
# interval widens by this log standard deviation (prior: spread of same-year data-centre accelerators in the catalogue).
NO_DATASHEET_LOG_SD = 0.7
EDGE_NODE_NM = 14.0
ALIASES = {"fp16": "bf16", "bfloat16": "bf16", "float16": "bf16", "float8": "fp8", "mxfp8": "fp8", "nvfp4": "fp4",
           "mxfp4": "fp4", "w8a8": "int8", "w4a16": "int4", "awq": "int4", "gptq": "int4"}  # fmt: skip


@dataclass(frozen=True)
class Hardware:
    """One accelerator (fields are floats) or n of them (fields are arrays [n]).

    `*_flops`: dense peak, FLOP/s (integer formats: op/s), 0 where the chip has no unit for the format.
    `memory_bytes` B, `memory_bandwidth`
    B/s. `scaleup_bandwidth`, `scaleout_bandwidth`: B/s per chip in one direction; `scaleup_domain`: chips that reach
    each
    other at that speed. `tdp_w` W. `spec_log_sd`: log standard deviation of the speed owed to the datasheet's gaps.
    """

    id: Any
    name: Any
    vendor: Any
    ecosystem: Any
    generation: Any
    year: Any
    bf16_flops: Any
    fp8_flops: Any
    fp4_flops: Any
    int8_flops: Any
    memory_bytes: Any
    memory_bandwidth: Any
    scaleup_bandwidth: Any
    scaleup_domain: Any
    scaleup_topology: Any
    scaleout_bandwidth: Any
    tdp_w: Any
    node_nm: Any
    edge: Any
    spec_log_sd: Any
    system: Any = ""
    system_chips: Any = 0.0
    system_power_w: Any = math.nan

    @property
    def family(self) -> str:
        """The generation without its variants, in lower case: blackwell for Blackwell Ultra."""
        return str(self.generation).split(" ")[0].lower()


NUMBERS = tuple(
    f.name
    for f in fields(Hardware)
    if f.name not in {"id", "name", "vendor", "ecosystem", "generation", "scaleup_topology", "system"}
)

# What no accelerator is without; peaks of narrow formats may be 0.
POSITIVE = {"bf16_flops", "memory_bytes", "memory_bandwidth", "scaleup_bandwidth", "scaleup_domain",
            "scaleout_bandwidth", "tdp_w"}  # fmt: skip


def stack(chips: Sequence[Hardware]) -> Hardware:
    """The same fields as arrays [n], in the order given."""
    return Hardware(
        **{
            f.name: np.array([getattr(c, f.name) for c in chips], dtype=float if f.name in NUMBERS else object)
            for f in fields(Hardware)
        }
    )


def take(chips: Hardware, index: np.ndarray) -> Hardware:
    """Rows `index` of a stacked `Hardware`."""
    return Hardware(**{f.name: getattr(chips, f.name)[index] for f in fields(Hardware)})


def dtype_name(text: str) -> str:
    """`text` as one of `DTYPES`. Raises `InputError` for a number format we do not know."""
    folded = re.sub(r"[\s_-]", "", text.strip().lower())
    name = ALIASES.get(folded, folded)
    if name not in DTYPES:
        raise InputError(
            f"unknown number format '{text}'; known: {', '.join(DTYPES)} (and {', '.join(sorted(ALIASES))})"
        )
    return name


def compute_rate(hardware: Hardware, dtype: str) -> Any:
    """Dense peak in FLOP/s (op/s) at which a matrix product stored as `dtype` runs.

    A format without its own unit is emulated: 8-bit floats run as INT8 where a unit exists and otherwise unpacked to
    BF16, 4-bit weights unpack to 8 or 16 bit, each at `EMULATION` of that peak.
    """
    wide = np.asarray(hardware.bf16_flops)
    fp8, int8, fp4 = (np.asarray(x) for x in (hardware.fp8_flops, hardware.int8_flops, hardware.fp4_flops))
    if dtype == "bf16":
        return wide
    # A token INT8 unit (B300: 0.07 of BF16) is slower than unpacking: take the better of the two.
    as_int8 = np.maximum(int8, EMULATION * wide)
    if dtype == "int8":
        return np.maximum(as_int8, EMULATION * fp8)
    eight = np.where(fp8 > 0, fp8, np.maximum(EMULATION * int8, EMULATION * wide))
    if dtype == "fp8":
        return eight
    if dtype == "fp4":
        return np.where(fp4 > 0, fp4, np.maximum(EMULATION * eight, EMULATION * wide))
    if dtype == "int4":
        return EMULATION * wide
    raise InputError(f"unknown number format '{dtype}'; known: {', '.join(DTYPES)}")


def sums_in_switch(hardware: Hardware) -> Any:
    """1 where the switches of the scale-up domain add up what passes through them (NVSwitch since Hopper), else 0."""
    generation = np.asarray([str(g).split(" ")[0].lower() for g in np.atleast_1d(hardware.generation)])
    topology = np.atleast_1d(hardware.scaleup_topology)
    return np.where(np.isin(generation, SUMMING) & (topology == "switch"), 1.0, 0.0)


def native(hardware: Hardware, dtype: str) -> Any:
    """Whether the chip multiplies `dtype` in its own unit."""
    if dtype == "bf16":
        return np.asarray(hardware.bf16_flops) > 0
    if dtype in ("fp8", "fp4", "int8"):
        return np.asarray(getattr(hardware, f"{dtype}_flops")) > 0
    return np.zeros_like(np.asarray(hardware.bf16_flops), dtype=bool)


def hardware(
    chip_or_system: str, overrides: Mapping[str, float | str] | None = None, *, facts: Facts | None = None
) -> Hardware:
    """The hardware of a chip or system known to the facts room, with `overrides` of single fields.

    A system (`GB200 NVL72`, `CloudMatrix 384`) gives its chip with the system's scale-up domain. A name that ends in
    "die" gives one die of a multi-die package. Raises `UnknownName` with the nearest names, `InputError` for a bad
    override.
    """
    from chipweir import facts as room

    found = _cached(chip_or_system.strip(), room.load() if facts is None else facts)
    return override(found, overrides) if overrides else found


def override(base: Hardware, overrides: Mapping[str, float | str]) -> Hardware:
    """`base` with single fields replaced. Raises `InputError` for an unknown field or a number that is not positive."""
    for key, value in overrides.items():
        if key not in {f.name for f in fields(Hardware)}:
            raise UnknownName("hardware field", key, [f.name for f in fields(Hardware)])
        if key in NUMBERS and not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
            raise InputError(f"hardware field '{key}' must be a number of at least 0, not {value!r}")
        if key in POSITIVE and value == 0:
            raise InputError(f"hardware field '{key}' must be above 0")
    return replace(base, **dict(overrides))


@lru_cache(maxsize=4096)
def _cached(name: str, facts: Facts) -> Hardware:
    if not name:
        raise InputError("no chip given; name a chip (NVIDIA H20) or a system (GB200 NVL72)")
    try:
        return from_chip(facts.chip(name), facts)
    except UnknownName as unknown:
        system = _system_or_none(name, facts)
        if system is not None:
            return from_system(system, facts)
        base = re.sub(r"\s*\((?:A2|A3)\)\s*$", "", name, flags=re.I)
        die = re.sub(r"[\s-]+die$", "", base, flags=re.I)
        if die != base:
            return one_die(from_chip(facts.chip(die), facts), facts)
        if base != name:
            return from_chip(facts.chip(base), facts)
        records: list[Chip | System] = [*facts.chips.values(), *facts.systems.values()]
        known = [n for record in records for n in (record.id, record.name, *record.aliases)]
        raise UnknownName("chip or system", name, known) from unknown


def _system_or_none(name: str, facts: Facts) -> System | None:
    try:
        return facts.system(name)
    except UnknownName:
        return None


def _number(value: Value | float | None) -> float:
    """The best single number of a fact, NaN where there is none."""
    best: Any = getattr(value, "best", value)
    return math.nan if best is None else float(best)


def _log_width(value: Value | None) -> float:
    """Log standard deviation of a range taken as an 80 % interval."""
    low, high = getattr(value, "low", None), getattr(value, "high", None)
    return math.log(high / low) / 2.5631 if low and high and high > low else 0.0


def from_chip(chip: Chip, facts: Facts) -> Hardware:
    """A `Hardware` from a chip's record. Gaps are filled from peers and recorded in `spec_log_sd`."""
    year = _year(chip.release)
    peers = _peers(chip, year, facts)
    flops, gap_flops = _or_peers(_number(chip.half_tflops), peers, "half_tflops")
    if gap_flops and not math.isnan(_number(chip.fp8_tflops)):
        flops, gap_flops = _number(chip.fp8_tflops) / 2, 0.2
    elif gap_flops and not math.isnan(_number(chip.fp4_tflops)):
        flops, gap_flops = _number(chip.fp4_tflops) / 4, 0.3
    memory, gap_memory = _or_peers(_number(chip.memory_gb), peers, "memory_gb")
    bandwidth, gap_bandwidth = _or_peers(_number(chip.memory_gbs), peers, "memory_gbs")
    link, gap_link = _or_peers(_number(chip.scaleup_gbs), peers, "scaleup_gbs")
    power, _ = _or_peers(_number(chip.tdp_w), peers, "tdp_w")
    node = _node_nm(chip.node)
    low_power = chip.memory_type is not None and re.search(r"\bL?P?DDR", chip.memory_type.upper()) is not None
    spread = math.hypot(
        max(gap_flops, _log_width(chip.half_tflops)) * 0.7, max(gap_bandwidth, _log_width(chip.memory_gbs)) * 0.7
    )
    return Hardware(
        id=chip.id,
        name=chip.name,
        vendor=chip.maker,
        ecosystem=_ecosystem(chip),
        generation=chip.architecture or "",
        year=year,
        bf16_flops=flops * TERA,
        fp8_flops=_or_zero(chip.fp8_tflops) * TERA,
        fp4_flops=_or_zero(chip.fp4_tflops) * TERA,
        int8_flops=_or_zero(chip.int8_tops) * TERA,
        memory_bytes=memory * GIBI,
        memory_bandwidth=bandwidth * GIGA,
        scaleup_bandwidth=link * GIGA,
        scaleup_domain=_domain(chip),
        scaleup_topology=_topology(chip.scaleup, chip.maker),
        scaleout_bandwidth=(_number(chip.scaleout_gbps) if not math.isnan(_number(chip.scaleout_gbps)) else 100.0)
        * GIGA
        / 8,
        tdp_w=power,
        node_nm=node,
        edge=float(bool(low_power or not chip.data_centre)),
        spec_log_sd=math.hypot(spread, (gap_memory > 0) * 0.1 + (gap_link > 0) * 0.1),
    )


def from_system(system: System, facts: Facts) -> Hardware:
    """The system's chip, with the scale-up domain of the system where its fabric is named."""
    base = from_chip(facts.chip(system.chip), facts)
    chips = float(system.n_chips or 0)
    joined = bool(system.scaleup_fabric) and chips > 0
    power = _number(system.power_kw)
    return replace(
        base,
        system=system.id,
        system_chips=chips,
        scaleup_domain=chips if joined else base.scaleup_domain,
        system_power_w=power * 1e3,
    )


def one_die(package: Hardware, facts: Facts) -> Hardware:
    """One die of a multi-die package (Huawei's software counts each die of a 910C as a device)."""
    dies = _number(facts.chip(package.id).dies_per_package)
    dies = 2.0 if math.isnan(dies) or dies < 1 else dies
    shared = ("bf16_flops", "fp8_flops", "fp4_flops", "int8_flops", "memory_bytes", "memory_bandwidth",
              "scaleup_bandwidth", "scaleout_bandwidth", "tdp_w")  # fmt: skip
    parts: dict[str, Any] = {name: getattr(package, name) / dies for name in shared}
    return replace(package, name=f"{package.name} (one die)", scaleup_domain=package.scaleup_domain * dies, **parts)


def _or_zero(value: Value | None) -> float:
    number = _number(value)
    return 0.0 if math.isnan(number) else number


def _year(release: str | None) -> float:
    match = re.match(r"(\d{4})(?:-(\d{2}))?", release or "")
    return (
        float(match[1]) + (int(match[2]) - 0.5) / 12
        if match and match[2]
        else float(match[1]) + 0.5
        if match
        else 2025.0
    )


def _peers(chip: Chip, year: float, facts: Facts) -> list[list[Chip]]:
    """Data-centre chips within two years, of the same maker's country where there are three of them; then all chips."""
    near = [c for c in facts.chips.values() if c.id != chip.id and c.data_centre and abs(_year(c.release) - year) <= 2]
    home = [c for c in near if c.maker_country == chip.maker_country]
    return [home if len(home) >= 3 else near, near, list(facts.chips.values())]


def _or_peers(number: float, peers: Sequence[Sequence[Chip]], name: str) -> tuple[float, float]:
    """`number`, or the median of the first pool of peers in which any states it."""
    if not math.isnan(number):
        return number, 0.0
    for pool in peers:
        known = [k for k in (_number(getattr(c, name)) for c in pool) if not math.isnan(k)]
        if known:
            return float(np.median(known)), NO_DATASHEET_LOG_SD
    raise InputError(f"no chip states {name}; give it as an override")


def _domain(chip: Chip) -> float:
    number = _number(chip.scaleup_domain)
    return 8.0 if math.isnan(number) else max(number, 1.0)


def _topology(text: str | None, maker: str) -> str:
    folded = (text or "").lower()
    if "pcie" in folded or not folded:
        return "pcie"
    if "torus" in folded or maker.lower() == "google":
        return "torus"
    if "mesh" in folded or "hccs" in folded or "xgmi" in folded:
        return "mesh"
    return "switch"


def _node_nm(text: str | None) -> float:
    """Process class in nm from words such as "N3P", "4NP", "7 nm class", "N+2 (7 nm class)", "SF4X"; NaN if unknown."""
    match = re.search(r"(\d+(?:\.\d+)?)\s*(?:/\s*\d+\s*)?nm", text or "") or re.search(
        r"(?:^|\W)(?:N|SF|LP)?(\d{1,2})(?!\d)", text or ""
    )
    return float(match[1]) if match else math.nan


def _ecosystem(chip: Chip) -> str:
    """The software stack that decides maturity: one word."""
    text = f"{chip.ecosystem or ''} {chip.software or ''}".lower()
    for word, name in (("cuda", "cuda"), ("rocm", "rocm"), ("hip", "rocm"), ("xla", "xla"), ("neuron", "neuron"),
                       ("cann", "cann")):  # fmt: skip
        if word in text.split("source")[0]:
            return name
    return "other"
