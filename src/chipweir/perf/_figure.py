"""The roofline picture of one estimate: operators of a decode step and of prefill under the chip's peaks."""

from __future__ import annotations

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


def roofline_figure(found: Estimate) -> Any:
    """A Plotly figure: FLOP/s reached against FLOP per byte, with the compute and memory roofs of one chip."""
    import plotly.graph_objects as go

    chip = hardware(found.chip)
    rate, bandwidth = float(compute_rate(chip, found.dtype)), float(chip.memory_bandwidth)
    points = [o for o in found.operators if o["estimate_us"] > 0 and o["gflop"] > 0]
    spread = [o["intensity"] for o in points] + [rate / bandwidth]
    x = np.geomspace(min(spread) / 3, max(spread) * 3, 60)
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
            y=[o["gflop"] / o["estimate_us"] * 1e-3 for o in mine],
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


def _label(figure: Any, points: list[Any]) -> None:
    """Names beside the points, stepped up or down where two lie close together."""
    taken: list[tuple[float, float]] = []
    for o in sorted(points, key=lambda p: p["intensity"]):
        x, y = float(np.log10(o["intensity"])), float(np.log10(o["gflop"] / o["estimate_us"] * 1e-3))
        shift = 22
        while any(abs(x - tx) < 0.5 and abs(y + shift / 160 - ty) < 0.12 for tx, ty in taken):
            shift += 16
        taken.append((x, y + shift / 160))
        figure.add_annotation(
            x=x,
            y=y,
            text=o["operator"].replace("_", " "),
            ax=0,
            ay=-shift,
            arrowwidth=0.5,
            arrowcolor="#999",
            font={"size": 10},
        )
