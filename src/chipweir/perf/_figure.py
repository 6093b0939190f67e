"""The roofline picture of one estimate: operators of a decode step and of prefill under the chip's peaks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.perf._hardware import compute_rate, hardware


if TYPE_CHECKING:
    from chipweir.perf._estimate import Estimate

COLOURS = {"decode": "#0072B2", "prefill": "#D55E00"}
SYMBOLS = {
    "attention_projection": "circle",
    "attention_score": "diamond",
    "dense_ffn": "square",
    "shared_ffn": "cross",
    "routed_ffn": "triangle-up",
    "head": "x",
}


def roofline_figure(found: Estimate, overrides: Mapping[str, float | str] | None = None) -> Any:
    """A Plotly figure: FLOP/s reached against FLOP per byte, with the compute and memory roofs of one chip.

    `overrides`: those the estimate was made with.
    """
    import plotly.graph_objects as go

    chip = hardware(re.sub(r"\s*\(one die\)$", " die", found.chip), overrides)
    rate, bandwidth = float(compute_rate(chip, found.dtype)), float(chip.memory_bandwidth)
    points = [o for o in found.operators if o["estimate_us"] > 0 and o["gflop"] > 0]
    spread = [o["intensity"] for o in points] + [rate / bandwidth]
    x = np.unique([*np.geomspace(min(spread) / 3, max(spread) * 3, 60), rate / bandwidth, chip.bf16_flops / bandwidth])
    figure = go.Figure()
    roofs = {found.dtype.upper(): rate, "BF16": float(chip.bf16_flops)}
    for name, peak in roofs.items():
        figure.add_scatter(
            x=x,
            y=np.minimum(peak, x * bandwidth) / 1e12,
            mode="lines",
            name=f"roof {name}",
            line={"color": "#555", "dash": "solid" if name == found.dtype.upper() else "dot"},
        )
    for step, colour in COLOURS.items():
        mine = [o for o in points if o["pass"] == step]
        figure.add_scatter(
            x=[o["intensity"] for o in mine],
            y=[reached(o) for o in mine],
            mode="markers",
            name=step,
            text=[o["operator"].replace("_", " ") for o in mine],
            marker={"color": colour, "size": 12, "symbol": [SYMBOLS[o["operator"]] for o in mine]},
            hovertemplate="%{text}<br>%{x:.3g} FLOP/B<br>%{y:.3g} TFLOP/s",
        )
    _label(figure, points)
    figure.update_xaxes(type="log", title="FLOP per byte of memory traffic")
    figure.update_yaxes(type="log", title="TFLOP/s of one chip")
    figure.update_layout(
        title=f"{found.model} ({found.dtype}) on {found.chip}: {found.binds} binds a decode step",
        template="plotly_white",
        width=960,
        height=600,
        legend={"orientation": "h", "y": -0.18},
    )
    return figure


def reached(part: Mapping[str, Any]) -> float:
    """TFLOP/s of one row of the operator table."""
    return float(part["gflop"] / part["estimate_us"] * 1e3)


def _label(figure: Any, points: Sequence[Mapping[str, Any]]) -> None:
    """One name for points that lie on each other; names stepped up where two lie close together."""
    joined: dict[tuple[str, float, float], list[Mapping[str, Any]]] = {}
    for o in points:
        place = (o["pass"], round(4 * float(np.log10(o["intensity"]))), round(5 * float(np.log10(reached(o)))))
        joined.setdefault(place, []).append(o)
    taken: list[tuple[float, float]] = []
    for group in sorted(joined.values(), key=lambda g: g[0]["intensity"]):
        x, y = float(np.log10(group[0]["intensity"])), float(np.log10(reached(group[0])))
        shift = -26.0
        while any(abs(x - tx) < 1.0 and abs(y - shift / 200 - ty) < 0.1 for tx, ty in taken):
            shift -= 18.0
        taken.append((x, y - shift / 200))
        text = ", ".join(o["operator"].replace("_", " ") for o in group)
        figure.add_annotation(
            x=x,
            y=y,
            text=text,
            ax=0,
            ay=-shift,
            arrowwidth=0.5,
            arrowcolor="#999",
            font={"size": 10},
            bgcolor="rgba(255,255,255,0.8)",
        )
