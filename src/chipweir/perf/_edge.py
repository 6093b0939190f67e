"""Are 14 and 28 nm inference chips good enough? Chips built from process data, run on small and large models.

A "good enough" chip is a few hundred square millimetres at most with LPDDR memory. Its arithmetic follows from area and
process, its decode speed from its memory, which does not depend on the process: that is why old processes are fine for
small models at small batch and hopeless for serving large ones.
"""

from dataclasses import dataclass, replace
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.perf import _architecture, _hardware
from chipweir.perf._cost import HOURS_A_YEAR, Ownership, annuity, power_price
from chipweir.perf._energy import chip_power
from chipweir.perf._rates import Rates, serving_rates


@dataclass(frozen=True)
class Process:
    """A logic process: INT8 TOP/s per mm2 and per W of whole chips made in it, wafer price in USD.

    `like`: the chips the two densities are taken from (datasheets, own knowledge); wafer prices from Khan and Mann,
    "AI Chips: What They Are and Why They Matter" (CSET, 2020), table 9.
    """

    name: str
    tops_mm2: float
    tops_w: float
    wafer_usd: float
    like: str


PROCESSES = {
    "28": Process("28 nm", 0.20, 1.2, 2891.0, "TPU v1: 92 TOP/s, at most 331 mm2, 75 W"),
    "14": Process("14 nm", 0.24, 1.9, 3984.0, "T4 (12 nm): 130 TOP/s, 545 mm2, 70 W"),
    "7": Process("7 nm", 0.70, 2.6, 9346.0, "A100: 624 TOP/s, 826 mm2, 400 W with HBM; Ascend 310P"),
}
WAFER_MM2, EDGE_LOSS, YIELD = 70_686.0, 0.85, 0.8
# Bill of materials beside the die, USD: package and test, board and power supply, LPDDR per GB; price over bill. Prior.
PACKAGE_USD, BOARD_USD, MEMORY_USD_GB, MARKUP = 15.0, 40.0, 3.0, 2.0
MEMORY_W = 4.0
LIFE_YEARS, CAPITAL_COST, HOST_SHARE_W = 4.0, 0.10, 5.0


@dataclass(frozen=True)
class EdgeChip:
    """An edge accelerator: its numbers for the performance model, its price, its process."""

    hardware: _hardware.Hardware
    price_usd: float
    process: Process


@dataclass(frozen=True)
class EdgeUse:
    """A model on `chips` edge chips: tokens/s and W a chip, s and J a token, USD per million tokens, verdict."""

    process: str
    model: str
    chips: float
    tokens_s_chip: float
    tpot_s: float
    power_w: float
    joules_per_token: float
    usd_per_million: float
    verdict: str
    reason: str


def edge_chip(
    process: str, *, die_mm2: float = 150.0, memory_gb: float = 16.0, memory_gbs: float = 68.0, domain: int = 4
) -> EdgeChip:
    """A chip of a process ("28", "14", "7") with LPDDR4X on a 128-bit bus (68 GB/s) unless said otherwise.

    Raises `UnknownName` for a process and `InputError` for sizes that are not positive.
    """
    if process not in PROCESSES:
        raise UnknownName("process", process, PROCESSES)
    if not (die_mm2 > 0 and memory_gb > 0 and memory_gbs > 0 and domain >= 1):
        raise InputError("die area, memory, bandwidth and number of joined chips must be positive")
    made = PROCESSES[process]
    tops = made.tops_mm2 * die_mm2 * 1e12
    watts = tops / 1e12 / made.tops_w + MEMORY_W
    hardware = replace(
        _hardware.hardware("NVIDIA H100"), id=f"edge-{process}nm", name=f"{made.name} edge chip", vendor="edge",
        ecosystem="other", generation="edge", year=2025.0, bf16_flops=tops / 2, fp8_flops=0.0, fp4_flops=0.0,
        int8_flops=tops, memory_bytes=memory_gb * 1e9, memory_bandwidth=memory_gbs * 1e9, scaleup_bandwidth=8e9,
        scaleup_domain=float(domain), scaleup_topology="pcie", scaleout_bandwidth=1.25e9, tdp_w=watts,
        node_nm=float(process), edge=1.0, flops_log_sd=0.4, bandwidth_log_sd=0.1,
    )  # fmt: skip
    die = made.wafer_usd / (WAFER_MM2 * EDGE_LOSS / die_mm2) / YIELD
    price = (die + PACKAGE_USD + BOARD_USD + MEMORY_USD_GB * memory_gb) * MARKUP
    return EdgeChip(hardware, price, made)


def edge_use(
    chip: EdgeChip, model: str, *, tpot_s: float = 0.1, isl: float = 512.0, osl: float = 256.0, precision: str = "int4",
    country: str = "CN", most_chips: float = 8.0,
) -> EdgeUse:  # fmt: skip
    """How well `chip` runs a language model that must answer within `tpot_s` seconds a token.

    The verdict is "fine" up to four chips, "possible" up to `most_chips`, else "no".
    """
    rates = serving_rates(
        str(chip.hardware.id), model, tpot_s=tpot_s, isl=isl, osl=osl, precision=precision, hardware=chip.hardware
    )
    name = _architecture.architecture(model).name
    if rates.decode <= 0:
        return EdgeUse(
            chip.process.name, name, 0.0, 0.0, float("nan"), 0.0, float("nan"), float("nan"), "no", rates.reason
        )
    tokens = rates.mixed(isl, osl)
    power = mixed_power(rates, isl, osl) + HOST_SHARE_W
    dollars_s = edge_hour(chip, power, country) / 3600.0
    verdict = "fine" if rates.group <= 4 else "possible" if rates.group <= most_chips else "no"
    reason = "" if verdict != "no" else f"needs {rates.group:.0f} chips"
    return EdgeUse(
        chip.process.name, name, rates.group, tokens, rates.tpot_s, power, power / tokens, dollars_s / tokens * 1e6,
        verdict, reason,
    )  # fmt: skip


def mixed_power(rates: Rates, isl: float, osl: float) -> float:
    """Mean power in W of a chip that reads `isl` tokens for every `osl` it writes."""
    reading, writing = isl / rates.prefill, osl / rates.decode
    return (reading * rates.prefill_w + writing * rates.decode_w) / (reading + writing)


def edge_hour(chip: EdgeChip, power_w: float, country: str = "CN", terms: Ownership | None = None) -> float:
    """USD an hour of owning an edge chip that draws `power_w` W: no data hall, no server."""
    terms = terms or Ownership(life_years=LIFE_YEARS, capital_cost=CAPITAL_COST)
    return (
        chip.price_usd * annuity(terms.capital_cost, terms.life_years) / HOURS_A_YEAR
        + power_w / 1e3 * power_price(country)[1]
    )


def camera_streams(chip: EdgeChip, gflop_per_frame: float = 28.6, frames_s: float = 15.0, share: float = 0.4) -> float:
    """Video streams a chip watches with a detector (28.6 GFLOP a frame: YOLOv8s at 640 pixels)."""
    return float(chip.hardware.int8_flops) * share / (gflop_per_frame * 1e9 * frames_s)


MODELS = ("Llama-3.1-8B", "Qwen3-32B", "Llama-3.1-70B", "DeepSeek-V3")


def edge_table(country: str = "CN") -> list[dict[str, Any]]:
    """Every process against every model of `MODELS`, as rows of plain values."""
    rows = []
    for process in PROCESSES:
        chip = edge_chip(process)
        base = {"chip_w": float(chip.hardware.tdp_w), "chip_usd": chip.price_usd, "cameras": camera_streams(chip)}
        rows += [base | vars(edge_use(chip, model, country=country)) for model in MODELS]
    return rows


def idle_power(chip: EdgeChip) -> float:
    """Power in W of an edge chip with nothing to do."""
    return float(chip_power(chip.hardware.tdp_w, 0.0, 0.0, busy=0.0))
