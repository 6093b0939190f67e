"""Measured power rows as points for the power curve."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.perf import _architecture, _hardware
from chipweir.perf._energy import (
    FloatArray,
    PowerCurve,
    chip_power,
    equivalent_flops,
    fit_power_curve,
    serving_activity,
)
from chipweir.perf._intervals import FEWEST, Z80


if TYPE_CHECKING:
    from chipweir.perf._fitted import Fitted


# Prompt lengths of the named request mixes (ML.ENERGY): not published per row; our prior from the data sets' nature.
PROMPTS = {"chat mix": 300.0, "gpqa (long reasoning out)": 250.0, "code fim": 2000.0}


@dataclass(frozen=True)
class PowerPoints:
    """Measured points [n]: design power W, 16-bit FLOP/s, B/s, measured power W, chip and model ids, row numbers."""

    tdp_w: FloatArray
    flops_s: FloatArray
    bytes_s: FloatArray
    power_w: FloatArray
    chip: tuple[str, ...]
    model: tuple[str, ...]
    rows: tuple[int, ...]

    def take(self, use: npt.NDArray[np.bool_]) -> "PowerPoints":
        """The points where `use` is true."""
        keep = np.flatnonzero(use)
        return PowerPoints(
            self.tdp_w[keep], self.flops_s[keep], self.bytes_s[keep], self.power_w[keep],
            tuple(self.chip[k] for k in keep), tuple(self.model[k] for k in keep), tuple(self.rows[k] for k in keep),
        )  # fmt: skip


def power_points(rows: Sequence[Mapping[str, Any]]) -> PowerPoints:
    """Every row with a measured power, output rate and batch. Raises `InputError` where there is none."""
    points = []
    for number, row in enumerate(rows):
        try:
            point = _point(row)
        except InputError:
            continue
        if point is not None:
            points.append((number, *point))
    if not points:
        raise InputError("no row states power_w_chip, output_tok_s_chip and a batch for a known chip and model")
    numbers, tdp, flops, bytes_s, power, chip, model = zip(*points, strict=True)
    return PowerPoints(
        np.array(tdp), np.array(flops), np.array(bytes_s), np.array(power), tuple(chip), tuple(model), tuple(numbers)
    )


def fit_power(rows: Sequence[Mapping[str, Any]]) -> PowerCurve:
    """The power curve from a measurement table; the error is that of left-out pairs of chip and model."""
    points = power_points(rows)
    groups = [f"{chip}|{model}" for chip, model in zip(points.chip, points.model, strict=True)]
    return fit_power_curve(points.tdp_w, points.flops_s, points.bytes_s, points.power_w, groups)


def energy_share(rows: Sequence[Mapping[str, str]], known: "Fitted") -> float:
    """How much of the power curve's error stays with energy per token: the least with which as many measured energies lie
    inside their intervals as outputs of the same rows do. All of it where few rows state both."""
    from chipweir.perf._batch import predict_rows

    some = [row for row in rows if _number(row.get("j_per_output_token")) and _number(row.get("output_tok_s_chip"))]
    answers = predict_rows(some, replace(known, power=replace(known.power, energy_share=0.0)))
    inside, lacking = [], []
    for row, answer in zip(some, answers, strict=True):
        made = answer.get("predictions", {})
        if not {"j_per_output_token", "output_tok_s_chip"} <= set(made):
            continue
        energy, output = made["j_per_output_token"], made["output_tok_s_chip"]
        inside.append(output["p10"] <= float(row["output_tok_s_chip"]) <= output["p90"])
        off = math.log(float(row["j_per_output_token"]) / energy["p50"])
        reach = math.log(energy["p90" if off > 0 else "p10"] / energy["p50"])
        lacking.append(math.sqrt(max(off**2 - reach**2, 0.0)) / Z80)
    if len(lacking) < FEWEST:
        return 1.0
    return min(float(np.quantile(lacking, np.mean(inside))) / known.power.log_sd, 1.0)


def leave_power_out(points: PowerPoints, group: str) -> FloatArray:
    """Predicted power [n] W of every point by a curve that never saw its "chip" or "model"."""
    names = np.array(points.chip if group == "chip" else points.model)
    predicted = np.full(len(names), np.nan)
    for name in sorted(set(names)):
        rest = points.take(names != name)
        curve = fit_power_curve(rest.tdp_w, rest.flops_s, rest.bytes_s, rest.power_w, ["all"] * len(rest.rows))
        out = names == name
        predicted[out] = chip_power(points.tdp_w[out], points.flops_s[out], points.bytes_s[out], curve=curve)
    return predicted


def _point(row: Mapping[str, Any]) -> tuple[float, float, float, float, str, str] | None:
    power, output = _number(row.get("power_w_chip")), _number(row.get("output_tok_s_chip"))
    batch = _number(row.get("batch_per_replica")) or _number(row.get("concurrency"))
    chips, osl = _number(row.get("n_chips")) or 1.0, _number(row.get("osl"))
    if not power or not output or not batch:
        return None
    model, hardware = _architecture.architecture(str(row["model"])), _hardware.hardware(str(row["chip"]))
    dtype = _hardware.dtype_name(str(row.get("precision") or "bf16"))
    isl = _number(row.get("isl")) or PROMPTS.get(str(row.get("isl") or "").strip().lower(), 500.0)
    osl = osl or 400.0
    matrices, attention, bytes_s = serving_activity(
        model,
        dtype,
        output_tok_s=output,
        input_tok_s=output * isl / osl,
        batch=batch,
        chips=chips,
        context=isl + osl / 2,
    )
    flops = float(equivalent_flops(hardware, dtype, matrices) + attention)
    return float(hardware.tdp_w), flops, float(bytes_s), power, str(hardware.id), str(model.id)


def _number(cell: Any) -> float | None:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
