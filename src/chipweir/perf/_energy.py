"""Power and energy: what a chip draws for the work it does, and what node and building add.

A busy chip draws a floor plus what its arithmetic and its memory traffic cost, and saturates at its design power:

    P = TDP (1 - (1 - floor) exp(-(a B + c F^g))),  B = bytes/s per watt, F = FLOP/s per watt (16-bit equivalents)

B and F are in units of an H100's datasheet rates per watt, so that one curve serves chips of different years (checked
by leaving whole chips out). An idle chip draws `IDLE`. Four numbers, fitted to measured GPU power.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.perf._architecture import (
    Architecture,
    active_matrix_params,
    expert_bytes,
    flops_per_token,
    kv_read_bytes,
    resident_bytes,
    touched_experts,
)  # fmt: skip
from chipweir.perf._hardware import Hardware, compute_rate


FloatArray = npt.NDArray[np.float64]

# H100 SXM's datasheet: 989.4 TFLOP/s and 3.35 TB/s at 700 W.
FLOPS_PER_WATT, BYTES_PER_WATT = 989.4e12 / 700.0, 3.35e12 / 700.0
# Share of the design power that an accelerator draws with nothing to do: prior, 70-120 W of 700 W reported for H100.
IDLE = 0.15
# IT power of an accelerator's share of host, network and fans against its design power: a line through the all-in
# figures of InferenceX (August 2026): H100 1.37 kW at 700 W, B200 1.71 at 1,000, GB200 1.87 at 1,200, GB300 2.12 at
# 1,400, MI300X 1.39 at 750, MI325X 1.69 at 1,000, MI355X 2.09 at 1,400; small cards share proportionally less.
NODE_SLOPE, NODE_FIXED_W, NODE_REFERENCE_W = 0.16, 500.0, 700.0
# Power usage effectiveness: new liquid-cooled halls, air-cooled ones, and the Chinese average (1.42, MIIT 2025).
PUE = {"liquid": 1.15, "air": 1.3, "average": 1.42}


@dataclass(frozen=True)
class PowerCurve:
    """The fitted curve: floor, traffic and arithmetic coefficients, exponent, log standard deviation of its error.

    `energy_share`: how much of that error stays with energy per token. What makes a chip draw more than the
    curve says makes it write more too, so that energy is surer than power and output apart."""

    floor: float
    traffic: float
    arithmetic: float
    exponent: float
    log_sd: float
    energy_share: float = 1.0


CURVE = ("floor", "traffic", "arithmetic", "exponent", "log_sd")


@lru_cache(maxsize=1)
def shipped_curve() -> PowerCurve:
    """The curve that comes with the package."""
    text = resources.files("chipweir.perf").joinpath("data/power.json").read_text(encoding="utf-8")
    return curve_from_json(text)


def curve_from_json(text: str) -> PowerCurve:
    """A curve from its JSON form. Raises `InputError` where something is missing."""
    try:
        record = json.loads(text)["curve"]
        share = float(record.get("energy_share", 1.0))
        return PowerCurve(**{name: float(record[name]) for name in CURVE}, energy_share=share)
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"not a power curve: {error!r}") from error


def curve_json(curve: PowerCurve, attribution: str, command: str) -> str:
    """The curve as a small JSON document with where it came from."""
    numbers = {name: float(f"{value:.4g}") for name, value in vars(curve).items()}
    return json.dumps({"attribution": attribution, "command": command, "curve": numbers}, indent=1) + "\n"


def chip_power(tdp_w: Any, flops_s: Any, bytes_s: Any, busy: Any = 1.0, curve: PowerCurve | None = None) -> Any:
    """Mean power in W of one accelerator: design power `tdp_w` W, arithmetic `flops_s` FLOP/s, traffic `bytes_s` B/s.

    `flops_s` counts 8-bit operations as half and 4-bit ones as a quarter of a 16-bit one (`equivalent_flops`). `busy`:
    share of time with work present. Arrays broadcast. At least idle power, at most the design power.
    """
    curve = curve or shipped_curve()
    tdp = np.asarray(tdp_w, dtype=float)
    busy = np.clip(busy, 0.0, 1.0)
    within = np.maximum(busy, 1e-9) * tdp
    traffic = np.maximum(bytes_s, 0.0) / within / BYTES_PER_WATT
    arithmetic = np.maximum(flops_s, 0.0) / within / FLOPS_PER_WATT
    drive = curve.traffic * traffic + curve.arithmetic * arithmetic**curve.exponent
    active = tdp * (1.0 - (1.0 - curve.floor) * np.exp(-drive))
    return idle_power(tdp) + busy * (active - idle_power(tdp))


def idle_power(tdp_w: Any) -> Any:
    """Power in W of an accelerator with nothing to do."""
    return IDLE * np.asarray(tdp_w, dtype=float)


def node_overhead(tdp_w: Any) -> Any:
    """IT power in W beside the accelerator itself: its share of host, network, fans, for a design power in W."""
    tdp = np.asarray(tdp_w, dtype=float)
    return NODE_SLOPE * tdp + NODE_FIXED_W * np.minimum(tdp / NODE_REFERENCE_W, 1.0)


def system_power(chip_w: Any, tdp_w: Any) -> Any:
    """IT power in W of one accelerator that draws `chip_w` with its share of the node."""
    return np.asarray(chip_w, dtype=float) + node_overhead(tdp_w)


def facility_power(it_w: Any, pue: float = PUE["air"]) -> Any:
    """Power in W at the building's meter. Raises `InputError` for an effectiveness below 1."""
    if not pue >= 1.0:
        raise InputError(f"power usage effectiveness must be at least 1, not {pue}")
    return np.asarray(it_w, dtype=float) * pue


def energy_per_token(power_w: Any, tokens_s: Any) -> Any:
    """J per token at `power_w` W and `tokens_s` tokens a second (of the same number of chips)."""
    return np.asarray(power_w, dtype=float) / np.maximum(tokens_s, 1e-12)


def equivalent_flops(hardware: Hardware, dtype: str, flops_s: Any) -> Any:
    """FLOP/s of a format as 16-bit FLOP/s of the same share of the peak."""
    return np.asarray(flops_s) * hardware.bf16_flops / compute_rate(hardware, dtype)


def serving_activity(
    model: Architecture,
    dtype: str,
    *,
    output_tok_s: Any,
    input_tok_s: Any,
    batch: Any,
    chips: Any,
    context: Any,
) -> tuple[Any, Any, Any]:
    """(matrix FLOP/s, attention FLOP/s, bytes/s) of one of `chips` accelerators that decode a batch together.

    `output_tok_s`, `input_tok_s` per chip; `batch` sequences on all chips; `context` mean cached tokens. A step lasts
    batch / (output rate x chips) and reads the weights it touches and every cache once.
    """
    output_tok_s, input_tok_s = np.asarray(output_tok_s, dtype=float), np.asarray(input_tok_s, dtype=float)
    matrices = 2.0 * active_matrix_params(model) * (output_tok_s + input_tok_s)
    attention = (flops_per_token(model, context) - flops_per_token(model, 0.0)) * output_tok_s
    experts = np.asarray(model.experts, dtype=float)
    touched = touched_experts(experts, model.experts_active, batch)
    weights = resident_bytes(model, dtype) + touched * expert_bytes(model, dtype) * model.moe_layers
    read = weights + np.asarray(batch) * kv_read_bytes(model, context)
    steps_s = output_tok_s * chips / np.maximum(batch, 1e-9)
    return matrices, attention, read * steps_s / chips


def serving_power(
    hardware: Hardware,
    model: Architecture,
    dtype: str,
    *,
    output_tok_s: Any,
    input_tok_s: Any,
    batch: Any,
    chips: Any,
    context: Any,
    curve: PowerCurve | None = None,
) -> Any:
    """Mean power in W of one accelerator of a serving replica; arguments as in `serving_activity`."""
    matrices, attention, bytes_s = serving_activity(
        model, dtype, output_tok_s=output_tok_s, input_tok_s=input_tok_s, batch=batch, chips=chips, context=context
    )
    flops = equivalent_flops(hardware, dtype, matrices) + attention
    return chip_power(hardware.tdp_w, flops, bytes_s, curve=curve)


def fit_power_curve(
    tdp_w: FloatArray, flops_s: FloatArray, bytes_s: FloatArray, power_w: FloatArray, groups: Sequence[str]
) -> PowerCurve:
    """The curve through measured points [n], robust to outliers; its error is that of groups left out in turn.

    `groups` [n] names what to leave out together (chip and model). The log standard deviation makes the 80 % interval
    hold for four in five left-out points.
    """
    every = np.ones(len(power_w), dtype=bool)
    names = np.asarray(groups)
    ratio = np.zeros(len(power_w))
    for name in sorted(set(groups)):
        out = names == name
        if out.all():
            continue
        left = _least_squares(tdp_w, flops_s, bytes_s, power_w, ~out)
        ratio[out] = np.log(power_w[out] / chip_power(tdp_w[out], flops_s[out], bytes_s[out], curve=left))
    spread = float(np.quantile(np.abs(ratio), 0.8) / 1.2815515655446004)
    best = _least_squares(tdp_w, flops_s, bytes_s, power_w, every)
    return PowerCurve(best.floor, best.traffic, best.arithmetic, best.exponent, max(spread, 0.02))


def _least_squares(
    tdp_w: FloatArray, flops_s: FloatArray, bytes_s: FloatArray, power_w: FloatArray, use: npt.NDArray[np.bool_]
) -> PowerCurve:
    from scipy.optimize import least_squares

    def residual(numbers: FloatArray) -> FloatArray:
        curve = _curve(numbers)
        logs: FloatArray = np.log(chip_power(tdp_w[use], flops_s[use], bytes_s[use], curve=curve) / power_w[use])
        return logs

    found = least_squares(
        residual,
        [0.3, 0.5, 1.0, 0.7],
        loss="soft_l1",
        f_scale=0.1,
        bounds=([IDLE, 0.0, 0.0, 0.2], [0.7, 9.0, 30.0, 2.0]),
    )
    return _curve(found.x)


def _curve(numbers: FloatArray) -> PowerCurve:
    floor, traffic, arithmetic, exponent = (float(x) for x in numbers)
    return PowerCurve(floor, traffic, arithmetic, exponent, 0.0)
