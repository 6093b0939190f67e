"""How many of A do the job of B: by datasheet, by modelled work, by power and by money, and where A wins.

A "unit" is what was named: a chip, or a whole system. There is no single answer, so every measure has its own row, and
the summary says in which measures A is ahead by unit, by chip, by watt and by dollar.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.errors import InputError
from chipweir.i18n import _
from chipweir.perf import _architecture, _hardware
from chipweir.perf._cost import SERVER_FACTOR
from chipweir.perf._energy import system_power
from chipweir.perf._rates import Rates, serving_rates
from chipweir.perf._training import LAYOUT_FIELDS, TrainingEstimate, TrainingJob, training_batch


if TYPE_CHECKING:
    from chipweir.facts import Facts

# Training is compared on clusters of this many chips of each kind, at DeepSeek-V3's batch and sequence length.
CLUSTER, CLUSTER_BATCH, CLUSTER_SEQUENCE = 2048.0, 15360.0, 4096.0
COLUMNS = {
    "bf16 peak": "half_tflops", "memory": "memory_gb", "memory bandwidth": "memory_gbs",
    "scale-up bandwidth": "scaleup_gbs", "power": "tdp_w",
}  # fmt: skip
SYSTEM_COLUMNS = {
    "bf16 peak": "bf16_pflops", "memory": "mem_tb", "memory bandwidth": "mem_tbs",
    "scale-up bandwidth": "scaleup_total_tbs", "power": "power_kw",
}  # fmt: skip
# Log standard deviation of a number no datasheet states, taken from peers: the spread of chips of the same years.
ASSUMED_LOG_SD = 0.4


@dataclass(frozen=True)
class Measure:
    """One row: the value of one unit of A and of B, in `unit`.

    `needed` units of A (`needed_chips` chips) do the job of one B; infinite: none can. `ratio` = A / B; `per_chip`,
    `per_watt`, `per_dollar` the same for equal chips, power and capital (NaN where a price is unknown). `log_sd`:
    standard deviation of the ratio's logarithm. `more_is_better` is false for power and capital.
    """

    quantity: str
    unit: str
    a: float
    b: float
    needed: float
    needed_chips: float
    ratio: float
    per_chip: float
    per_watt: float
    per_dollar: float
    log_sd: float
    more_is_better: bool = True
    note: str = ""


@dataclass(frozen=True)
class Match:
    """The comparison of A with B for a model: rows, and in which quantities A is ahead by unit, chip, watt, dollar."""

    a: str
    b: str
    model: str
    tpot_s: float
    chips: tuple[int, int]
    measures: tuple[Measure, ...]
    wins: Mapping[str, tuple[str, ...]]
    losses: Mapping[str, tuple[str, ...]]

    def measure(self, quantity: str) -> Measure:
        """The row of a quantity. Raises `InputError` for one that is not there."""
        for row in self.measures:
            if row.quantity == quantity:
                return row
        raise InputError(f"no measure '{quantity}'; there are {', '.join(row.quantity for row in self.measures)}")

    def record(self) -> dict[str, Any]:
        """The comparison as plain values for JSON; numbers that do not exist are None."""
        rows = [{k: _finite(v) for k, v in asdict(row).items()} for row in self.measures]
        return {
            "a": self.a, "b": self.b, "model": self.model, "tpot_ms": self.tpot_s * 1e3,
            "chips": {"a": self.chips[0], "b": self.chips[1]}, "measures": rows,
            "a_wins": {k: list(v) for k, v in self.wins.items()},
            "a_loses": {k: list(v) for k, v in self.losses.items()},
        }  # fmt: skip


@dataclass(frozen=True)
class _Side:
    """One side in SI units for a whole unit."""

    name: str
    hardware: _hardware.Hardware
    chips: int
    flops: Mapping[str, float]
    memory: float
    bandwidth: float
    link: float
    power_w: float
    price: float
    training: TrainingEstimate
    rates: Rates
    assumed: frozenset[str]


def match(
    a: str, b: str, model: str = "DeepSeek-V3.1", *, tpot_s: float = 0.05, isl: float = 4096.0, osl: float = 1024.0
) -> Match:
    """How many of A do the job of B, chips or systems by name.

    Raises `UnknownName` with the nearest names and `InputError` for a latency limit or lengths that are not positive.
    """
    from chipweir import facts

    known = facts.load()
    left, right = (_side(name, model, known, tpot_s, isl, osl) for name in (a, b))
    measures = tuple(_rows(left, right))
    wins, losses = _ahead(measures, better=True), _ahead(measures, better=False)
    chips = (left.chips, right.chips)
    return Match(left.name, right.name, _architecture.architecture(model).name, tpot_s, chips, measures, wins, losses)


def _side(name: str, model: str, facts: "Facts", tpot_s: float, isl: float, osl: float) -> _Side:
    hw = _hardware.hardware(name, facts=facts)
    system = facts.systems.get(str(hw.system)) if hw.system else None
    chips = int(hw.system_chips) if system is not None and hw.system_chips > 0 else 1
    peaks = {dtype: float(getattr(hw, f"{dtype}_flops")) * chips for dtype in ("bf16", "fp8", "fp4", "int8")}
    memory, bandwidth = float(hw.memory_bytes) * chips, float(hw.memory_bandwidth) * chips
    link, price = float(hw.scaleup_bandwidth) * chips, _chip_price(facts, str(hw.id)) * chips
    power = float(system_power(hw.tdp_w, hw.tdp_w)) * chips
    if system is not None:
        stated = {"bf16": system.bf16_pflops, "fp8": system.fp8_pflops, "fp4": system.fp4_pflops}
        peaks |= {k: v.best * 1e15 for k, v in stated.items() if v is not None}
        memory = system.mem_tb.best * 1e12 if system.mem_tb is not None else memory
        bandwidth = system.mem_tbs.best * 1e12 if system.mem_tbs is not None else bandwidth
        link = system.scaleup_total_tbs.best * 1e12 if system.scaleup_total_tbs is not None else link
        power = system.power_kw.best * 1e3 if system.power_kw is not None else power
        price = system.price_usd.best if system.price_usd is not None else price
    rates = serving_rates(name, model, tpot_s=tpot_s, isl=isl, osl=osl)
    title = system.name if system is not None else str(hw.name)
    training = cluster_training(hw, model)
    assumed = {quantity for quantity, column in COLUMNS.items() if getattr(facts.chips[str(hw.id)], column) is None}
    if system is not None:
        assumed -= {quantity for quantity, column in SYSTEM_COLUMNS.items() if getattr(system, column) is not None}
    return _Side(title, hw, chips, peaks, memory, bandwidth, link, power, price, training, rates, frozenset(assumed))


def _chip_price(facts: "Facts", chip: str) -> float:
    price = facts.chips[chip].price_usd
    return float(price.best) * SERVER_FACTOR if price is not None else math.nan


def cluster_training(hardware: _hardware.Hardware, model: str, chips: float = CLUSTER) -> TrainingEstimate:
    """Pretraining of `model` on a cluster of `chips`, in 8-bit floats where the chip has them, 16 bits elsewhere."""
    dtype = "fp8" if hardware.fp8_flops > hardware.bf16_flops else "bf16"
    return training_batch(
        TrainingJob(
            hardware=_hardware.stack([hardware]),
            model=_architecture.stack([_architecture.architecture(model)]),
            chips=np.array([chips]),
            global_batch=np.array([CLUSTER_BATCH]),
            seq_len=np.array([CLUSTER_SEQUENCE]),
            dtype=np.array([dtype]),
            mode=np.array(["pretrain"]),
            **{name: np.array([math.nan]) for name in LAYOUT_FIELDS},
        )
    )


def _rows(a: _Side, b: _Side) -> "list[Measure]":
    rows = [_row(a, b, "chips", "chips", a.chips, b.chips)]
    spec = math.hypot(float(a.hardware.spec_log_sd), float(b.hardware.spec_log_sd))
    for dtype in ("bf16", "fp8", "fp4", "int8"):
        missing = [side.name for side in (a, b) if side.flops[dtype] <= 0]
        note = _("no {format} unit in {names}", format=dtype.upper(), names=_(" or ").join(missing)) if missing else ""
        rows.append(_row(a, b, f"{dtype} peak", "FLOP/s", a.flops[dtype], b.flops[dtype], spec, note=note))
    rows += [
        _row(a, b, "memory", "B", a.memory, b.memory),
        _row(a, b, "memory bandwidth", "B/s", a.bandwidth, b.bandwidth, spec),
        _row(a, b, "scale-up bandwidth", "B/s", a.link, b.link),
    ]
    train = [float(s.training.flops_chip[0]) * s.chips if s.training.fits[0] else 0.0 for s in (a, b)]
    notes = [f"{s.name} does not hold it on {CLUSTER:.0f} chips" for s, f in zip((a, b), train, strict=True) if f == 0]
    sd = math.hypot(float(a.training.log_sd[0]), float(b.training.log_sd[0]))
    rows.append(_row(a, b, "training", "FLOP/s", train[0], train[1], sd, note="; ".join(notes)))
    for quantity in ("prefill", "decode"):
        values = [getattr(s.rates, quantity) * s.chips for s in (a, b)]
        sd = math.hypot(*(getattr(s.rates, f"log_sd_{quantity}") for s in (a, b)))
        note = "; ".join(f"{s.name}: {s.rates.reason}" for s in (a, b) if s.rates.reason)
        rows.append(_row(a, b, quantity, "tokens/s", values[0], values[1], sd, note=note))
    rows.append(_row(a, b, "power", "W", a.power_w, b.power_w, 0.1, more_is_better=False))
    rows.append(_row(a, b, "capital", "USD", a.price, b.price, 0.3, more_is_better=False))
    return rows


def _row(
    a: _Side, b: _Side, quantity: str, unit: str, left: float, right: float, log_sd: float = 0.0, *,
    more_is_better: bool = True, note: str = "",
) -> Measure:  # fmt: skip
    guesses = [side.name for side in (a, b) if quantity in side.assumed]
    if guesses:
        log_sd = math.hypot(log_sd, ASSUMED_LOG_SD)
        note = "; ".join(filter(None, (note, f"no datasheet number for {' and '.join(guesses)}: median of its peers")))
    ratio = _divide(left, right)
    chips, watts, dollars = (_divide(x, y) for x, y in ((a.chips, b.chips), (a.power_w, b.power_w), (a.price, b.price)))
    if not more_is_better:
        watts = dollars = math.nan
    return Measure(
        quantity, unit, float(left), float(right), _divide(right, left), a.chips * _divide(right, left), ratio,
        _divide(ratio, chips), _divide(ratio, watts), _divide(ratio, dollars), log_sd, more_is_better, note,
    )  # fmt: skip


def _divide(x: float, y: float) -> float:
    """x / y; infinite where only y is zero, NaN where nothing can be said."""
    if math.isnan(x) or math.isnan(y) or (x == 0 and y == 0):
        return math.nan
    return math.inf if y == 0 else x / y


def _ahead(measures: tuple[Measure, ...], *, better: bool) -> dict[str, tuple[str, ...]]:
    """Quantities in which A is ahead (or behind) by more than 2 %, by unit, chip, watt and dollar."""
    bases = {"unit": "ratio", "chip": "per_chip", "watt": "per_watt", "dollar": "per_dollar"}
    found: dict[str, tuple[str, ...]] = {}
    for basis, name in bases.items():
        names = []
        for row in measures:
            value = getattr(row, name)
            if row.quantity == "chips" or math.isnan(value):
                continue
            gain = value if row.more_is_better else 1.0 / value
            if (gain > 1.02) if better else (gain < 1 / 1.02):
                names.append(row.quantity)
        found[basis] = tuple(names)
    return found


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
