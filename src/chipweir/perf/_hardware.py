"""What one accelerator offers: peaks, memory, links, power, as plain numbers in SI units.

A `Hardware` holds floats for one chip, or arrays of shape [n] for n chips (`stack`), so that every function of the room
works on one configuration and on a hundred thousand alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chipweir.errors import InputError, UnknownName


if TYPE_CHECKING:
    from chipweir.facts import Chip, Facts, System, Value

TERA, GIGA = 1e12, 1e9
# Memory stacks come in powers of two: an "80 GB" accelerator shows 80 GiB to its driver.
GIBI = 2.0**30
DTYPES = ("bf16", "fp8", "fp4", "int8", "int4", "w4a8", "w8a16")
# Weight-only formats pay for unpacking before the multiply: share of the compute peak of the wider format that is left.
# Prior, not measured here: fused dequantisation kernels are described as reaching 0.7-0.9 of the dense peak.
EMULATION = 0.8
# Generations whose switches reduce in the network (NVLink SHARP came with the third NVSwitch, for Hopper; own knowledge).
SUMMING = ("hopper", "blackwell", "rubin")
TOPOLOGIES = ("switch", "mesh", "torus", "pcie")
# Where a datasheet has no number the median of the catalogued chips of the same country and years stands in, with this
# log standard deviation: the spread between data-centre chips of the same years in the catalogue.
PEER_LOG_SD = {"half_tflops": 0.6, "memory_gb": 0.35, "memory_gbs": 0.5, "scaleup_gbs": 0.6, "scaleup_domain": 0.5,
               "scaleout_gbps": 0.4, "tdp_w": 0.3}  # fmt: skip
# The same for a 16-bit rate told from a narrower format's.
NARROWER_LOG_SD = 0.3
# Log standard deviation by confidence of the source (A seen in a primary document .. D guess); our prior.
CONFIDENCE_LOG_SD = {"A": 0.0, "B": 0.03, "C": 0.10, "D": 0.25}
# An 80 % interval of a normal is this many standard deviations wide; ranges of datasheets are read as such intervals.
WIDTH_80 = 2.5631
ALIASES = {"fp16": "bf16", "bfloat16": "bf16", "float16": "bf16", "float8": "fp8", "mxfp8": "fp8", "nvfp4": "fp4",
           "mxfp4": "fp4", "w8a8": "int8", "w4a16": "int4", "awq": "int4", "gptq": "int4", "fp32": "bf16",
           "w4a4": "fp4"}  # fmt: skip


@dataclass(frozen=True)
class Hardware:
    """One accelerator (fields are floats) or n of them (fields are arrays [n]).

    `*_flops`: dense peak, FLOP/s (integer formats: op/s), 0 where the chip has no unit for the format.
    `memory_bytes` B, `memory_bandwidth`
    B/s. `scaleup_bandwidth`, `scaleout_bandwidth`: B/s per chip in one direction; `scaleup_domain`: chips that reach
    each
    other at that speed. `tdp_w` W. `*_log_sd`: log standard deviations of what the datasheet leaves open; `assumed`:
    names of the numbers that no datasheet gave, apart by blanks. `half_only`: 1 where the 16-bit unit knows FP16 but no
    BF16.
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
    flops_log_sd: Any = 0.0
    bandwidth_log_sd: Any = 0.0
    memory_log_sd: Any = 0.0
    link_log_sd: Any = 0.0
    power_log_sd: Any = 0.0
    half_only: Any = 0.0
    assumed: Any = ""
    system: Any = ""
    system_chips: Any = 0.0
    system_power_w: Any = math.nan

    @property
    def spec_log_sd(self) -> Any:
        """Log standard deviation of a speed that owes half to arithmetic and half to memory."""
        return 0.7 * np.hypot(self.flops_log_sd, self.bandwidth_log_sd)

    @property
    def family(self) -> str:
        """The generation without its variants, in lower case: blackwell for Blackwell Ultra."""
        return str(self.generation).split(" ")[0].lower()

    @property
    def line(self) -> str:
        """Maker and generation: what shares kernels."""
        return f"{self.vendor}/{self.family}"


NUMBERS = tuple(
    f.name
    for f in fields(Hardware)
    if f.name not in {"id", "name", "vendor", "ecosystem", "generation", "scaleup_topology", "assumed", "system"}
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


def multiplied_as(hardware: Hardware, dtype: str) -> Any:
    """The format whose unit multiplies weights stored as `dtype` (text, or an array [n] of it).

    A format without its own unit is emulated: 8-bit floats run as INT8 where a unit exists and is faster than
    unpacking to BF16, 4-bit weights unpack to 8 or 16 bit.
    """
    wide, fp8, int8, fp4 = (np.asarray(getattr(hardware, f"{n}_flops")) for n in ("bf16", "fp8", "int8", "fp4"))
    if dtype in ("bf16", "int4", "w8a16"):
        return np.where(wide > -1.0, "bf16", "bf16")
    # A token INT8 unit (B300: 0.07 of BF16) is slower than unpacking: take the better of the two.
    whole = np.where(int8 >= EMULATION * wide, "int8", np.where((fp8 > 0) & (fp8 >= wide), "fp8", "bf16"))
    if dtype in ("int8", "w4a8"):
        return whole
    eight = np.where(fp8 > 0, "fp8", np.where(int8 >= wide, "int8", "bf16"))
    if dtype == "fp8":
        return eight
    if dtype == "fp4":
        return np.where(fp4 > 0, "fp4", eight)
    raise InputError(f"unknown number format '{dtype}'; known: {', '.join(DTYPES)}")


def compute_rate(hardware: Hardware, dtype: str) -> Any:
    """Dense peak in FLOP/s (op/s) at which a matrix product stored as `dtype` runs: that of the unit which multiplies
    it, times `EMULATION` where weights are unpacked first."""
    unit = multiplied_as(hardware, dtype)
    rate = np.zeros(np.shape(unit))
    for name in ("bf16", "fp8", "int8", "fp4"):
        rate = np.where(unit == name, getattr(hardware, f"{name}_flops"), rate)
    return np.where(unit == dtype, rate, EMULATION * rate)


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
    if dtype == "w4a8":
        return np.asarray(hardware.int8_flops) > 0
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


def hardware_as_written(name: str, notes: list[str]) -> Hardware:
    """`hardware` of a name in a table. One that may mean several builds of a maker's generation is taken as the first of
    them, and noted; raises as `hardware` does otherwise."""
    from chipweir.facts import AmbiguousName

    try:
        return hardware(name)
    except AmbiguousName as several:
        builds = [hardware(candidate) for candidate in several.candidates]
        if len({build.line for build in builds}) != 1:
            raise
        notes.append(f"'{name}' may mean {' or '.join(build.name for build in builds)}: taken as the first")
        return builds[0]


def sixteen_bits(text: str, chip: Hardware) -> None:
    """Raise `InputError` where a row states BF16 on a chip whose 16-bit unit knows FP16 alone."""
    if chip.half_only and re.search(r"bf16|bfloat16", text, re.I):
        raise InputError(f"{chip.name} has no BF16 unit; its 16 bits are fp16")


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
        return from_chip(facts.chip(name), facts.chips.values())
    except UnknownName as unknown:
        system = _system_or_none(name, facts)
        if system is not None:
            return from_system(system, facts)
        base = re.sub(r"\s*\((?:A2|A3)\)\s*$", "", name, flags=re.I)
        die = re.sub(r"[\s-]+die$", "", base, flags=re.I)
        if die != base:
            return one_die(from_chip(facts.chip(die), facts.chips.values()), facts)
        if base != name:
            return from_chip(facts.chip(base), facts.chips.values())
        records: list[Chip | System] = [*facts.chips.values(), *facts.systems.values()]
        known = [n for record in records for n in (record.id, record.name, *record.aliases)]
        raise UnknownName("chip or system", name, known) from unknown


def _system_or_none(name: str, facts: Facts) -> System | None:
    try:
        return facts.system(name)
    except UnknownName:
        return None


def _number(value: Value | float | None) -> float:
    """The best single number of a fact, NaN where there is none or it is not positive."""
    best: Any = getattr(value, "best", value)
    return math.nan if best is None or not best > 0 else float(best)


def _stated_log_sd(value: Value | None) -> float:
    """Log standard deviation of a stated number: a range taken as an 80 % interval, and what its source is worth."""
    if value is None:
        return 0.0
    low, high = value.interval
    width = math.log(high / low) / WIDTH_80 if high > low > 0 else 0.0
    return max(width, CONFIDENCE_LOG_SD[value.confidence])


Pools = Callable[[], "Sequence[Sequence[Chip]]"]


class _Number(NamedTuple):
    """A number, the log standard deviation of its error, and whether no datasheet gave it."""

    value: float
    log_sd: float
    assumed: bool


def from_chip(chip: Chip, peers: Collection[Chip]) -> Hardware:
    """A `Hardware` from a chip's record. Gaps are filled from `peers` (the catalogue) and named in `assumed`."""
    # Peers are looked at where there is a gap: reading every chip's record takes a third of a second.
    pools = cache(lambda: _pools(chip, peers))
    flops = _sixteen_bit(chip, pools)
    bandwidth, memory, link, out, domain = (
        _or_peers(chip, name, pools) for name in ("memory_gbs", "memory_gb", "scaleup_gbs", "scaleout_gbps",
                                                  "scaleup_domain")
    )  # fmt: skip
    power = _power(chip, pools)
    named = {"bf16": flops, "memory": memory, "bandwidth": bandwidth, "scaleup": link, "domain": domain,
             "scaleout": out, "power": power}  # fmt: skip
    low_power = chip.memory_type is not None and re.search(r"\bL?P?DDR", chip.memory_type.upper()) is not None
    return Hardware(
        id=chip.id,
        name=chip.name,
        vendor=chip.maker,
        ecosystem=_ecosystem(chip),
        generation=chip.architecture or "",
        year=_year(chip.release),
        bf16_flops=flops.value * TERA,
        fp8_flops=_or_zero(chip.fp8_tflops) * TERA,
        fp4_flops=_or_zero(chip.fp4_tflops) * TERA,
        int8_flops=_or_zero(chip.int8_tops) * TERA,
        memory_bytes=memory.value * GIBI,
        memory_bandwidth=bandwidth.value * GIGA,
        scaleup_bandwidth=link.value * GIGA,
        scaleup_domain=max(domain.value, 1.0),
        scaleup_topology=_topology(chip.scaleup, chip.maker),
        scaleout_bandwidth=out.value * GIGA / 8,
        tdp_w=power.value,
        node_nm=_node_nm(chip.node),
        edge=float(bool(low_power or not chip.data_centre)),
        flops_log_sd=flops.log_sd,
        bandwidth_log_sd=bandwidth.log_sd,
        memory_log_sd=memory.log_sd,
        link_log_sd=link.log_sd,
        power_log_sd=power.log_sd,
        half_only=float(chip.bf16_tflops is None and chip.fp16_tflops is not None),
        assumed=" ".join(name for name, number in named.items() if number.assumed),
    )


def from_system(system: System, facts: Facts) -> Hardware:
    """The system's chip, with the scale-up domain of the system where its fabric is named."""
    base = from_chip(facts.chip(system.chip), facts.chips.values())
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


def _pools(chip: Chip, peers: Collection[Chip]) -> list[list[Chip]]:
    """Data-centre chips within two years, of the same maker's country where there are three of them; then all chips."""
    year, others = _year(chip.release), [c for c in peers if c.id != chip.id]
    near = [c for c in others if c.data_centre and abs(_year(c.release) - year) <= 2]
    home = [c for c in near if c.maker_country == chip.maker_country]
    return [home if len(home) >= 3 else near, near, others]


def _or_peers(chip: Chip, name: str, pools: Pools) -> _Number:
    """The chip's number, or the median of the first pool of peers in which any states it."""
    number = _number(getattr(chip, name))
    if not math.isnan(number):
        return _Number(number, _stated_log_sd(getattr(chip, name)), assumed=False)
    for pool in pools():
        known = [k for k in (_number(getattr(c, name)) for c in pool) if not math.isnan(k)]
        if known:
            return _Number(float(np.median(known)), PEER_LOG_SD[name], assumed=True)
    raise InputError(f"{chip.name}: no chip states {name}; give it as an override")


def _sixteen_bit(chip: Chip, pools: Pools) -> _Number:
    """16-bit rate; of a chip that states only narrower formats half of it for each halving of the width."""
    if math.isnan(_number(chip.half_tflops)):
        for narrow, divisor in ((chip.fp8_tflops, 2.0), (chip.int8_tops, 2.0), (chip.fp4_tflops, 4.0)):
            rate = _number(narrow)
            if not math.isnan(rate):
                return _Number(rate / divisor, max(NARROWER_LOG_SD, _stated_log_sd(narrow)), assumed=False)
    return _or_peers(chip, "half_tflops", pools)


def _power(chip: Chip, pools: Pools) -> _Number:
    """Design power; where it is not stated that of peers scaled by size, the geometric mean of 16-bit rate and memory
    bandwidth: in proportion for chips smaller than their peers, with the square root for larger ones, which are usually
    made in a better process."""
    found = _or_peers(chip, "tdp_w", pools)
    own = _size(chip)
    if not found.assumed or math.isnan(own):
        return found
    pool = next(pool for pool in pools() if any(not math.isnan(_number(c.tdp_w)) for c in pool))
    sizes = [size for c in pool if not math.isnan(_number(c.tdp_w)) and not math.isnan(size := _size(c))]
    relative = own / float(np.median(sizes)) if sizes else 1.0
    return found._replace(value=found.value * (relative if relative < 1 else relative**0.5))


def _size(chip: Chip) -> float:
    """Geometric mean of 16-bit rate and memory bandwidth; NaN where either is unknown."""
    return math.sqrt(_number(chip.half_tflops) * _number(chip.memory_gbs))


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
