"""What every product is worth for three reference workloads: the table the world model consumes.

Training, inference and edge are not products but uses, and a chip that is good at one may be poor at another (H20). The
table answers "how many H100s is this chip, here?" from the datasheet rooflines of three stated reference workloads, at
full software maturity: the ecosystem's maturity is the world's business, not ours.

Reference workloads (our own choice; every number is an argument of the functions below)
- training: pretraining on 4,096 chips, half the tokens on a dense 405B model (16-bit multiplications), half on a
  mixture of experts with 671B total and 37B active parameters (8-bit where the chip has 8-bit floats).
- inference: half the tokens from a dense 70B model, half from the 671B mixture of experts, 4,096 tokens in and 1,024
  out, 8-bit weights, soft limit of 50 ms per output token, at the best batch and number of chips.
- edge: an 8B model in 8 bits, 1,024 tokens in and 256 out, on 1 to 4 chips, at most 8 requests at once, 100 ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError


if TYPE_CHECKING:
    from chipweir.facts import Chip
    from chipweir.perf._hardware import Hardware
    from chipweir.perf._training import Posterior

FloatArray = npt.NDArray[np.float64]

WORKLOADS = ("training", "inference", "edge")
H100_OPERATIONS = 1979e12
# Datasheet of NVIDIA's H100 SXM: the unit in which `throughput` is given.
H100 = {
    "bf16": 989.4e12, "fp8": 1979e12, "int8": 1979e12, "fp4": 0.0, "memory": 80e9, "bandwidth": 3.35e12,
    "scaleup": 450e9, "domain": 8.0, "scaleout": 50e9, "power": 700.0,
}  # fmt: skip
SPECS = tuple(H100)
# Name of the chip's attribute and factor to SI units.
COLUMNS = {
    "bf16": ("half_tflops", 1e12), "fp8": ("fp8_tflops", 1e12), "int8": ("int8_tops", 1e12),
    "fp4": ("fp4_tflops", 1e12),
    "memory": ("memory_gb", 1e9), "bandwidth": ("memory_gbs", 1e9), "scaleup": ("scaleup_gbs", 1e9),
    "domain": ("scaleup_domain", 1.0), "scaleout": ("scaleout_gbps", 1e9 / 8), "power": ("tdp_w", 1.0),
}  # fmt: skip
OPTIONAL = {"fp8", "int8", "fp4"}
# An 80 % interval of a normal is 2.563 standard deviations wide; ranges of the datasheets are read as such intervals.
WIDTH_80 = 2.5631
# Log standard deviation of a number taken from peers: the spread between data-centre chips of the same years.
PEER_LOG_SD = {
    "bf16": 0.6,
    "memory": 0.35,
    "bandwidth": 0.5,
    "scaleup": 0.6,
    "domain": 0.5,
    "scaleout": 0.4,
    "power": 0.3,
}
# Log standard deviation by confidence of the source (A seen in a primary document .. D guess); our prior.
CONFIDENCE_LOG_SD = {"A": 0.0, "B": 0.03, "C": 0.10, "D": 0.25}
# What is left of the error when the datasheet is exact, and for makers of whose chips no measurement was fitted; prior.
MODEL_LOG_SD = {"training": 0.18, "inference": 0.25, "edge": 0.30}
UNMEASURED_LOG_SD = 0.25
MEASURED_MAKERS = {"nvidia", "amd", "google", "huawei"}
# IT power of host, network and cooling fans per watt of accelerator, from all-in figures of 1.37 kW for an H100 of
# 700 W, 1.39 for an MI300X of 750 W, 1.87 for a GB200 of 1,200 W (InferenceX), which is 480-670 W beside the chip.
NODE_FIXED_W, NODE_SHARE = 250.0, 0.45


@dataclass(frozen=True)
class Reference:
    """A reference model: parameters, architecture and shape of the traffic. Lengths in tokens, sizes in elements."""

    parameters: float
    active: float
    layers: int
    hidden: int
    kv_per_token: float
    routed: int
    experts: int


DENSE_405B = Reference(405.9e9, 405.9e9, 126, 16384, 2 * 126 * 8 * 128, 0, 1)
DENSE_70B = Reference(70.6e9, 70.6e9, 80, 8192, 2 * 80 * 8 * 128, 0, 1)
DENSE_8B = Reference(8.03e9, 8.03e9, 32, 4096, 2 * 32 * 8 * 128, 0, 1)
MOE_671B = Reference(671e9, 37e9, 61, 7168, 61 * 576, 8, 256)


@dataclass(frozen=True)
class Worth:
    """Arrays over products [P] and workloads [W]; rows in the order of the chips given.

    - `throughput` [P, W]: median, in units of one H100 at full software maturity.
    - `log_sd` [P, W]: standard deviation of its logarithm (datasheet gaps and model error).
    - `training_flops` [P]: FLOP/s delivered in the training workload.
    - `tokens_per_second` [P]: input and output tokens a second of the inference workload.
    - `power_w` [P]: the chip's design power, W; `system_power_w` [P]: with its share of host and network.
    - `memory_bytes` [P], `memory_bandwidth` [P] (B/s).
    - `h100e` [P]: dense 8-bit operations relative to H100 (twice the 16-bit rate where there is no 8-bit unit).
    - `assumed` [P]: numbers no datasheet gave, taken from peers.
    """

    products: tuple[str, ...]
    throughput: FloatArray
    log_sd: FloatArray
    training_flops: FloatArray
    tokens_per_second: FloatArray
    power_w: FloatArray
    system_power_w: FloatArray
    memory_bytes: FloatArray
    memory_bandwidth: FloatArray
    h100e: FloatArray
    assumed: tuple[tuple[str, ...], ...]
    workloads: tuple[str, ...] = WORKLOADS


def worth(chips: "Sequence[Chip]", peers: "Sequence[Chip] | None" = None) -> Worth:
    """The worth of `chips` in the three reference workloads.

    Numbers a chip's record lacks are taken from `peers` (same country, two years around) and widen `log_sd`; without
    `peers` from the shipped catalogue. Raises `InputError` for an empty list.
    """
    if not chips:
        raise InputError("worth needs at least one chip, not an empty list")
    gaps = [_gaps(chip) for chip in chips]
    if peers is None:
        peers = _peer_pool(chips) if any(gaps) else chips
    specs = np.zeros((len(chips), len(SPECS)))
    sd = np.zeros_like(specs)
    for row, chip in enumerate(chips):
        for column, spec in enumerate(SPECS):
            specs[row, column], sd[row, column] = _spec(chip, spec, peers)
    unit = np.array([[H100[spec] for spec in SPECS]])
    rates = _rates(specs) / _rates(unit)
    delivered = _as_dict(specs)
    return Worth(
        products=tuple(chip.id for chip in chips),
        throughput=rates,
        log_sd=_spread(specs, sd, chips),
        training_flops=training_flops(delivered),
        tokens_per_second=inference_rate(delivered),
        power_w=delivered["power"],
        system_power_w=system_power(delivered["power"]),
        memory_bytes=delivered["memory"],
        memory_bandwidth=delivered["bandwidth"],
        h100e=eight_bit_rate(delivered) / H100_OPERATIONS,
        assumed=tuple(gaps),
    )


def system_power(chip_w: FloatArray) -> FloatArray:
    """IT power in W of one chip with its share of host and network, from the chip's design power in W."""
    return chip_w + np.minimum(NODE_FIXED_W + NODE_SHARE * chip_w, chip_w)


def eight_bit_rate(chip: dict[str, FloatArray]) -> FloatArray:
    """Dense 8-bit operations per second; twice the 16-bit rate where the chip has no 8-bit unit."""
    eight = np.maximum(chip["fp8"], chip["int8"])
    return np.where(eight > 0, eight, np.where(chip["fp4"] > 0, chip["fp4"] / 2, 2 * chip["bf16"]))


def matrix_rate(chip: dict[str, FloatArray], *, training: bool) -> FloatArray:
    """FLOP/s of 8-bit matrix products; integer units count for serving only, unpacking to 16 bits always works."""
    eight = chip["fp8"] if training else np.maximum(chip["fp8"], chip["int8"])
    return np.maximum(eight, chip["bf16"])


def training_flops(chip: dict[str, FloatArray], chips: int = 4096) -> FloatArray:
    """Model FLOP/s a chip delivers in the training workload (harmonic mean over the dense and the expert model) [P]."""
    dense = pretraining_rate(chip, DENSE_405B, chip["bf16"], 0.50, chips)
    # 8-bit products speed up the expert layers' matrices only (about two thirds of the multiplications).
    mixed = 1 / (0.35 / chip["bf16"] + 0.65 / matrix_rate(chip, training=True))
    experts = pretraining_rate(chip, MOE_671B, mixed, 0.36, chips)
    return 2 / (1 / dense + 1 / experts)


def pretraining_rate(
    chip: dict[str, FloatArray], model: Reference, peak: FloatArray, efficiency: float, chips: int
) -> FloatArray:
    """Delivered FLOP/s of one of `chips`: matrix products, activations' traffic, links, pipeline bubble [P].

    `efficiency` is the share of the peak that large matrix products with attention and recomputation reach on
    Hopper (0.35-0.55 published for Llama 3, MegaScale and DeepSeek-V3; chosen so that an H100 agrees with the
    fitted engine). Communication is two thirds hidden behind computation.
    """
    flops = 6 * model.active
    c = {name: values[:, None] for name, values in chip.items()}
    compute = flops / (efficiency * peak[:, None])
    # Reads and writes of activations outside matrix products: about 100 times hidden x 2 B a layer and token.
    traffic = 100 * 2 * model.layers * model.hidden / c["bandwidth"]
    # Tensor-parallel groups inside the scale-up domain; the best of these.
    group = np.array([[1.0, 2.0, 4.0, 8.0]])
    inner = np.maximum(c["scaleup"], c["scaleout"])
    if model.routed:
        # Tokens leave the scale-up domain for at most four groups (node-limited routing), none where it holds 64 chips.
        spread = np.clip((64 - c["domain"]) / 56, 0, 1)
        per_layer = (1 + 2) * 2 * model.hidden
        outside = spread * 4 * per_layer * model.layers / c["scaleout"]
        link = outside + model.routed * per_layer * model.layers / inner
    else:
        # Tensor parallelism: four all-reduces a layer of 2 B an element, 2 (g - 1) / g^2 of it through a chip's link.
        link = 4 * 2 * model.hidden * model.layers * 2 * (group - 1) / group**2 / inner
    # Gradients and weights (4 B a parameter) of a share of 1/64 of the model, once per step of 16M tokens; through the
    # scale-up fabric where that spans many racks.
    wide = np.where(c["domain"] >= 256, inner, c["scaleout"])
    reduce = 4 * model.parameters / 64 * chips / 16e6 / wide
    # 16 B of state a parameter: the more pipeline stages are needed, the longer the bubble.
    stages = np.maximum(16 * model.parameters / (0.5 * c["memory"]) / (group * 16), 1.0)
    bubble = 1 + (stages - 1) / 64
    rate = flops / ((compute + traffic + (link + reduce) / 3) * bubble)
    best: FloatArray = np.max(np.where(group <= np.maximum(c["domain"], 1.0), rate, 0.0), axis=1)
    return best


def inference_rate(chip: dict[str, FloatArray]) -> FloatArray:
    """Tokens a second and chip, in and out, of the inference workload [P]."""
    dense = serving_rate(chip, DENSE_70B, isl=4096, osl=1024, tpot=0.05, sizes=(1, 2, 4, 8, 16))
    experts = serving_rate(chip, MOE_671B, isl=4096, osl=1024, tpot=0.05, sizes=(8, 16, 32, 64, 128))
    return 2 / (1 / dense + 1 / experts)


def edge_rate(chip: dict[str, FloatArray]) -> FloatArray:
    """Tokens a second and chip, in and out, of the edge workload [P]."""
    return serving_rate(chip, DENSE_8B, isl=1024, osl=256, tpot=0.1, sizes=(1, 2, 4), largest_batch=8)


def serving_rate(
    chip: dict[str, FloatArray],
    model: Reference,
    *,
    isl: int,
    osl: int,
    tpot: float,
    sizes: Sequence[int],
    largest_batch: int = 2048,
) -> FloatArray:
    """Tokens a second and chip at the best batch and replica size: roofline of decode plus the prefill's share [P].

    A replica of n chips holds the weights (1 B each) and the KV cache (2 B per element) of its batch; the step reads
    the weights touched and every cache once, multiplies, and pays two collectives a layer. A step slower than `tpot`
    seconds counts less, by the fourth power. Where nothing fits, spilling to host memory counts 1/50.
    """
    sizes_ = np.array([max(s, 1) for s in sizes], dtype=float)[None, :, None]
    batch = np.array([b for b in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048) if b <= largest_batch], float)[
        None, None, :
    ]
    c = {name: values[:, None, None] for name, values in chip.items()}
    rate, context = matrix_rate(c, training=False), isl + osl / 2
    kv_bytes = model.kv_per_token * 2 * context
    touched: FloatArray | float = model.parameters
    copies: FloatArray | float = 1.0
    if model.routed:
        # Attention and shared weights (about 0.4 of the active ones) are copied once for every 8 chips.
        copies = np.maximum(sizes_ / 8, 1.0)
        dense_part = 0.4 * model.active * copies
        share = 1 - (1 - model.routed / model.experts) ** batch
        touched = dense_part + (model.parameters - 0.4 * model.active) * share
    weights = model.parameters + (0.4 * model.active * (copies - 1) if model.routed else 0)
    needed = (weights + batch * kv_bytes) / sizes_
    memory = (touched + batch * kv_bytes) / sizes_ / (0.75 * c["bandwidth"])
    compute = 2 * model.active * batch / sizes_ / (0.55 * rate)
    crosses = sizes_ > c["domain"]
    message = batch / sizes_ * model.hidden * (3 * model.routed if model.routed else 4 * (sizes_ > 1) * sizes_ / 2)
    link = np.where(crosses, c["scaleout"], np.maximum(c["scaleup"], c["scaleout"]))
    floor = np.where(sizes_ > 1, np.where(crosses, 30e-6, 12e-6), 0.0)
    step = memory + compute + model.layers * (message / (0.6 * link) + 2 * floor) + 2e-3
    attention = 4 * isl * model.hidden * model.layers / 2
    prefill = (2 * model.active + attention) / (0.5 * rate) + model.layers * 8 * model.hidden / c["scaleup"] * (
        sizes_ > 1
    )
    seconds = isl * prefill + osl * step * sizes_ / batch
    tokens = (isl + osl) / seconds / (1 + (step / tpot) ** 4)
    fits = needed <= 0.9 * c["memory"] - 1e9
    best: FloatArray = np.max(np.where(fits, tokens, tokens / 50), axis=(1, 2))
    return best


def _rates(specs: FloatArray) -> FloatArray:
    chip = _as_dict(specs)
    return np.stack([training_flops(chip), inference_rate(chip), edge_rate(chip)], axis=1)


def _as_dict(specs: FloatArray) -> dict[str, FloatArray]:
    return {spec: specs[:, column] for column, spec in enumerate(SPECS)}


def _spread(specs: FloatArray, sd: FloatArray, chips: "Sequence[Chip]") -> FloatArray:
    """Log standard deviations [P, W]: each uncertain number moved by one of its own either way, plus model error."""
    variance = np.zeros((len(specs), len(WORKLOADS)))
    # One source describes all formats of a chip: their rates are wrong together.
    groups = [("bf16", "fp8", "int8", "fp4"), *((spec,) for spec in SPECS if spec not in {"bf16", *OPTIONAL, "power"})]
    for group in groups:
        columns = [SPECS.index(spec) for spec in group]
        step = np.zeros_like(sd)
        step[:, columns] = sd[:, columns].max(axis=1, keepdims=True)
        if step.any():
            up, down = _rates(specs * np.exp(step)), _rates(specs * np.exp(-step))
            # Beside a cliff (a model that just fits) a step says more about the cliff than about the chip: at most 1.
            variance += np.minimum((np.log(up / down) / 2) ** 2, 1.0)
    model = np.array([MODEL_LOG_SD[workload] for workload in WORKLOADS])
    unmeasured = np.array([0.0 if chip.maker in MEASURED_MAKERS else UNMEASURED_LOG_SD for chip in chips])
    spread: FloatArray = np.sqrt(variance + model**2 + unmeasured[:, None] ** 2)
    return spread


def _gaps(chip: "Chip") -> tuple[str, ...]:
    return tuple(
        spec for spec in SPECS if spec not in OPTIONAL and _best(chip, spec) is None and not _derived(chip, spec)
    )


def _best(chip: "Chip", spec: str) -> float | None:
    name, factor = COLUMNS[spec]
    value = getattr(chip, name)
    if value is None or not np.isfinite(value.best) or value.best <= 0:
        return None
    return float(value.best) * factor


def _derived(chip: "Chip", spec: str) -> float | None:
    """16-bit rate of a chip that states only narrower formats: half for each halving of the width."""
    if spec != "bf16":
        return None
    for narrow, divisor in (("fp8", 2), ("int8", 2), ("fp4", 4)):
        rate = _best(chip, narrow)
        if rate is not None:
            return rate / divisor
    return None


def _spec(chip: "Chip", spec: str, peers: "Sequence[Chip]") -> tuple[float, float]:
    """A number in SI units and the standard deviation of its logarithm."""
    number = _best(chip, spec)
    if number is not None:
        value = getattr(chip, COLUMNS[spec][0])
        low, high = value.interval
        width = np.log(high / low) / WIDTH_80 if high > low > 0 else 0.0
        return number, max(float(width), CONFIDENCE_LOG_SD[value.confidence])
    if spec in OPTIONAL:
        return 0.0, 0.0
    derived = _derived(chip, spec)
    if derived is not None:
        return derived, 0.3
    return _from_peers(chip, spec, peers), PEER_LOG_SD[spec]


def _from_peers(chip: "Chip", spec: str, peers: "Sequence[Chip]") -> float:
    """Median of the same country's chips of the same years, else of all peers, else of the H100.

    Power is scaled by size, the geometric mean of 16-bit rate and memory bandwidth: in proportion for chips smaller than
    their peers, with the square root for larger ones, which are usually made in a better process.
    """
    near = [p for p in peers if p.id != chip.id and p.data_centre and _years_apart(p, chip) <= 2]
    for pool in ([p for p in near if p.maker_country == chip.maker_country], near, peers):
        others = [p for p in pool if p.id != chip.id]
        known = [number for p in others if (number := _best(p, spec)) is not None]
        if not known:
            continue
        sizes = [size for p in others if _best(p, spec) is not None and (size := _size(p)) is not None]
        if spec == "power" and sizes and (own := _size(chip)) is not None:
            relative = own / float(np.median(sizes))
            return float(np.median(known)) * (relative if relative < 1 else relative**0.5)
        return float(np.median(known))
    return H100[spec]


def _size(chip: "Chip") -> float | None:
    """Geometric mean of 16-bit rate and memory bandwidth; None where either is unknown."""
    rate, bandwidth = _best(chip, "bf16") or _derived(chip, "bf16"), _best(chip, "bandwidth")
    return None if rate is None or bandwidth is None else float(np.sqrt(rate * bandwidth))


def _years_apart(first: "Chip", second: "Chip") -> float:
    years = [int(chip.release[:4]) for chip in (first, second) if chip.release[:4].isdigit()]
    return abs(years[0] - years[1]) if len(years) == 2 else 0.0


def _peer_pool(chips: "Sequence[Chip]") -> "list[Chip]":
    """The shipped catalogue and the chips given."""
    from chipweir import facts

    shipped = facts.load().chips
    return [*shipped.values(), *(chip for chip in chips if chip.id not in shipped)]


def fitted_training(chips: "Sequence[Hardware]", posterior: "Posterior", size: float = 4096.0) -> FloatArray:
    """Delivered FLOP/s [n] of the training workload by the fitted training model: slow, to check the table by."""
    from chipweir.perf import _architecture, _hardware
    from chipweir.perf._training import LAYOUT_FIELDS, TrainingJob, training_batch

    blank = {name: np.full(len(chips), np.nan) for name in LAYOUT_FIELDS}
    inverse = np.zeros(len(chips))
    work = (("Llama-3.1-405B", False, 2048.0, 8192.0), ("DeepSeek-V3", True, 4096.0, 4096.0))
    for model, narrow, batch, seq_len in work:
        dtype = ["fp8" if narrow and c.fp8_flops > c.bf16_flops else "bf16" for c in chips]
        job = TrainingJob(
            hardware=_hardware.stack(chips),
            model=_architecture.stack([_architecture.architecture(model)] * len(chips)),
            chips=np.full(len(chips), size), global_batch=np.full(len(chips), batch),
            seq_len=np.full(len(chips), seq_len), dtype=np.array(dtype),
            mode=np.array(["pretrain"] * len(chips)), **blank,
        )  # fmt: skip
        inverse += 1.0 / training_batch(job, posterior).flops_chip
    rate: FloatArray = 2.0 / inverse
    return rate
