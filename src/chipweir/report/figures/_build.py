"""The pieces that all figures are built of: plain Plotly dictionaries, wrapped into `go.Figure` at the public face.

Dictionaries are built rather than `go.Figure` objects because the playground sends several on every move of a slider:
validation by Plotly costs about 100 times what the building costs. `figure` gives both faces to one function.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol

import numpy as np
import xarray as xr

from chipweir.i18n import _, language
from chipweir.report import _access, _numbers
from chipweir.report._access import Series
from chipweir.report._labels import label, unit
from chipweir.report._style import Theme, ink, look, muted, rgba, template


if TYPE_CHECKING:
    import plotly.graph_objects as go

Spec = dict[str, Any]
P = ParamSpec("P")


class Figure(Protocol[P]):
    """A figure function: called it returns a `plotly.graph_objects.Figure`; `.spec` returns the bare dictionary."""

    __name__: str
    spec: Callable[P, Spec]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> "go.Figure": ...


def figure(function: Callable[P, Spec]) -> Figure[P]:
    """Give a function that returns a dictionary the face of one that returns a Plotly figure.

    What stands over and under the axes is broken into lines that a telephone shows whole.
    """

    @wraps(function)
    def spec(*args: P.args, **kwargs: P.kwargs) -> Spec:
        return _within_a_telephone(function(*args, **kwargs))

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> "go.Figure":
        import plotly.graph_objects as go

        return go.Figure(spec(*args, **kwargs))

    wrapped.spec = spec  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


# Columns of a line of 12 and of 10.5 pixels on a telephone of 390 pixels, Hangul counted double; pixels of a line.
_SUBTITLE_COLUMNS, _FOOTNOTE_COLUMNS = 50, 56
_SUBTITLE_LINE, _FOOTNOTE_LINE = 16, 14


def _within_a_telephone(spec: Spec) -> Spec:
    """The figure with its unit line and its source line in short lines, and room for those that are added."""
    layout = spec["layout"]
    subtitle = layout["title"].get("subtitle", {}).get("text", "")
    short = folded(subtitle, _SUBTITLE_COLUMNS, FOLD)
    layout["title"] = {**layout["title"], "subtitle": {"text": short}}
    room = {"t": _SUBTITLE_LINE * short.count(FOLD)}
    notes = layout["annotations"][:1]
    if notes and notes[0].get("yref") == "paper" and notes[0].get("y") == 0:
        text = folded(notes[0]["text"], _FOOTNOTE_COLUMNS, FOLD)
        room["b"] = _FOOTNOTE_LINE * text.count(FOLD)
        layout["annotations"] = [{**notes[0], "text": text}, *layout["annotations"][1:]]
    if any(room.values()):
        margin = {"t": 64, "b": 56} | layout.get("margin", {})
        layout["margin"] = margin | {side: margin[side] + more for side, more in room.items()}
        layout["height"] += sum(room.values())
    return spec


LINE, FOLD = "<br>", "<br >"
"""A new line that is meant, and one that is only there for want of room."""


def folded(text: str, width: int = 16, fold: str = LINE) -> str:
    """Lines of about `width` columns, Hangul counted double; lines that are there already stay apart."""
    return LINE.join(_folded(part, width, fold) for part in text.split(LINE))


def _folded(text: str, width: int, fold: str) -> str:
    lines, room = [""], float(width)
    for word in text.split(" "):
        size = sum(2.0 if ord(char) > 0x1100 else 1.0 for char in word) + 1
        if room < size and lines[-1]:
            lines.append("")
            room = float(width)
        lines[-1] = f"{lines[-1]} {word}".strip()
        room -= size
    return fold.join(lines)


@dataclass(frozen=True)
class Line:
    """One line of a fan chart. `index` picks colour, dash and marker; `bands` are the coverages to shade."""

    text: str
    series: Series
    index: int
    bands: tuple[float, ...] = ()
    whisker: bool = True


def pack(values: np.ndarray) -> dict[str, str]:
    """A float array as Plotly's typed-array record: a third of the size of the same numbers in JSON."""
    array = np.ascontiguousarray(values, dtype="<f4")
    return {"dtype": "f4", "bdata": base64.b64encode(array.tobytes()).decode("ascii")}


def month_labels(months: np.ndarray) -> list[str]:
    """Month starts as ISO strings."""
    return [str(month) for month in months.astype("datetime64[D]")]


def base(title: str, subtitle: str, theme: Theme, note: str = "") -> Spec:
    """The layout that every figure starts from, with title, unit line and source line."""
    return {
        "template": template(theme),
        "title": {"text": title, "subtitle": {"text": subtitle}},
        "annotations": [footnote(note, theme)] if note else [],
        "shapes": [],
        "height": 380,
        "showlegend": False,
        "uirevision": "keep",
    }


def footnote(text: str, theme: Theme, depth: int = 26) -> Spec:
    """The source line under a figure, `depth` pixels below the axes."""
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 0,
        "yshift": -depth,
        "xanchor": "left",
        "yanchor": "top",
        "align": "left",
        "showarrow": False,
        "font": {"size": 10.5, "color": muted(theme)},
    }


def source_line(dataset: xr.Dataset) -> str:
    """Who made the numbers: the run, its members and the day's facts."""
    manifest = _access.manifest(dataset)
    parts = ["Chipweir " + str(manifest.get("code_version") or manifest.get("version") or "").strip()]
    if members := manifest.get("members"):
        parts.append(_("{count} members", count=_numbers.whole(float(members))))
    if digest := manifest.get("facts_hash") or manifest.get("facts"):
        parts.append(_("facts {digest}", digest=str(digest)[:8]))
    return " · ".join(part.strip() for part in parts)


def band_text(dataset: xr.Dataset) -> str:
    """'median; band and bar: 80 % of members'."""
    wide = _access.fan_coverages(dataset)
    return _("median; band and bar: {share} of members", share=_numbers.share(wide[0])) if wide else _("median")


def chart_fan(
    lines: Sequence[Line],
    *,
    title: str,
    what: str,
    theme: Theme,
    note: str = "",
    kind: str = "count",
    log: bool = False,
    zero: bool = True,
    reference: float | None = None,
    history: bool = True,
) -> Spec:
    """A fan chart: medians with bands, a bar for the widest interval of each line at the end, names at the right.

    `kind` is the headline kind of the number, `what` its unit in words, `reference` a horizontal line to compare with.
    """
    factor, word = _scale(lines, kind)
    layout = base(title, f"{word} {what}".strip(), theme, note)
    months = lines[0].series.months
    step = max(2, len(months) // 60)
    data: list[Spec] = []
    for line in lines:
        data += _bands(line, factor, months)
    for line in lines:
        data.append(_median(line, factor, kind, months))
    for position, line in enumerate(lines):
        if line.whisker:
            data.append(_whisker(line, factor, months[-1] + np.timedelta64(step * (position + 1), "M")))
    low, high = _range(lines, factor, zero=zero and not log, log=log, reference=reference)
    last = months[-1] + np.timedelta64(step * (sum(line.whisker for line in lines) + 1), "M")
    layout["xaxis"] = {"type": "date", "range": [str(months[0]), str(last)], **_year_ticks(months)}
    layout["yaxis"] = {"range": [low, high], "type": "log" if log else "linear", "nticks": 7} | _tick_format(
        kind, factor
    )
    layout["hovermode"] = "x unified"
    layout["margin"] = {"l": 56, "r": 12 + _label_width(lines), "t": 66, "b": 72}
    layout["annotations"] += _end_labels(lines, factor, low, high, log, theme)
    if history:
        _mark_history(layout, months, theme)
    if reference is not None:
        layout["shapes"].append(_level(reference / factor, theme))
    return {"data": data, "layout": layout}


def _scale(lines: Sequence[Line], kind: str) -> tuple[float, str]:
    if kind in ("share", "ratio", "flop", "months"):
        return 1.0, ""
    largest = max(
        (float(np.nanmax(np.abs(line.series.at(0.75)))) for line in lines if np.isfinite(line.series.values).any()),
        default=1.0,
    )
    return _numbers.scale(largest)


def _tick_format(kind: str, factor: float) -> Spec:
    del factor
    match kind:
        case "share":
            return {"tickformat": ",.0%"}
        case "flop":
            return {"exponentformat": "power", "dtick": 1}
        case _:
            return {"tickformat": ",~r"}


def _year_ticks(months: np.ndarray) -> Spec:
    years = len(months) / 12
    return {"nticks": 7 if years > 8 else 5, "tickangle": 0, "tickformat": "%Y", "hoverformat": _hover_month()}


def _hover_month() -> str:
    return "%Y년 %-m월" if language() == "ko" else "%b %Y"


def _bands(line: Line, factor: float, months: np.ndarray) -> list[Spec]:
    colour = look(line.index)["colour"]
    dates = month_labels(months)
    traces: list[Spec] = []
    for coverage, low, high in line.series.bands():
        if not any(abs(coverage - wanted) < 1e-6 for wanted in line.bands):
            continue
        traces.append(
            {
                "type": "scatter",
                "legendgroup": line.text,
                "x": dates + dates[::-1],
                "y": pack(np.concatenate([high, low[::-1]]) / factor),
                "fill": "toself",
                "fillcolor": rgba(colour, 0.14 if coverage > 0.6 else 0.22),
                "line": {"width": 0},
                "mode": "lines",
                "hoverinfo": "skip",
            }
        )
    return traces


def _median(line: Line, factor: float, kind: str, months: np.ndarray) -> Spec:
    style = look(line.index)
    number = {"share": ":,.1%", "flop": ":.2e"}.get(kind, ":,.3~r" if kind != "months" else ":,.1f")
    return {
        "type": "scatter",
        "x": month_labels(months),
        "y": pack(line.series.median / factor),
        "mode": "lines+markers",
        "name": line.text,
        "line": {"color": style["colour"], "width": 2.4, "dash": style["dash"]},
        "marker": {"symbol": style["symbol"], "size": 7, "color": style["colour"], "maxdisplayed": 10},
        "hovertemplate": "%{y" + number + "}<extra>" + line.text + "</extra>",
    }


def _whisker(line: Line, factor: float, when: np.datetime64) -> Spec:
    style = look(line.index)
    low, high = line.series.interval(_access.COVERAGE, -1)
    middle = float(line.series.median[-1])
    return {
        "type": "scatter",
        "legendgroup": line.text,
        "x": [str(when)],
        "y": [middle / factor],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, (high - middle) / factor)],
            "arrayminus": [max(0.0, (middle - low) / factor)],
            "color": style["colour"],
            "thickness": 2,
            "width": 3,
        },
        "mode": "markers",
        "marker": {"symbol": style["symbol"], "size": 8, "color": style["colour"]},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _range(
    lines: Sequence[Line], factor: float, *, zero: bool, log: bool, reference: float | None
) -> tuple[float, float]:
    """The y range: what is drawn, at most three times the largest upper quartile, so that no tail hides the rest."""
    top, bottom, quartile = -np.inf, np.inf, 0.0
    for line in lines:
        if not np.isfinite(line.series.median).any():
            continue
        drawn = [
            line.series.median,
            *(edge for cover, low, high in line.series.bands() if cover in line.bands for edge in (low, high)),
        ]
        ends = line.series.interval(_access.COVERAGE, -1) if line.whisker else (line.series.median[-1],) * 2
        top = max(top, ends[1], *(float(np.nanmax(edge)) for edge in drawn))
        bottom = min(bottom, ends[0], *(float(np.nanmin(edge)) for edge in drawn))
        quartile = max(quartile, float(np.nanmax(np.abs(line.series.at(0.75)))))
    if not np.isfinite(top):
        top, bottom = 1.0, 0.0
    if reference is not None:
        top, bottom = max(top, reference), min(bottom, reference)
    if log:
        positive = [v[v > 0] for v in (line.series.median for line in lines)]
        floor = min((float(v.min()) for v in positive if v.size), default=1e-3)
        bottom = max(bottom, floor / 30, top * 1e-9)
        return float(np.log10(bottom / factor) - 0.05), float(np.log10(max(top, bottom * 1.01) / factor) + 0.05)
    if quartile > 0:
        top, bottom = min(top, 3 * quartile), max(bottom, -3 * quartile)
    if zero:
        bottom = min(0.0, bottom)
        top = max(0.0, top)
    margin = 0.05 * ((top - bottom) or abs(top) or 1.0)
    return (bottom - (margin if bottom < 0 or not zero else 0)) / factor, (top + margin) / factor


def _end_labels(lines: Sequence[Line], factor: float, low: float, high: float, log: bool, theme: Theme) -> list[Spec]:
    """Names at the right end of the lines, pushed apart where they would overlap."""
    texts = [_wrap(line.text) for line in lines]
    heights = [0.075 if "<br>" not in text else 0.125 for text in texts]
    places = []
    for line in lines:
        end = float(line.series.median[-1]) / factor
        end = np.log10(max(end, 1e-300)) if log else end
        places.append(float(np.clip((end - low) / ((high - low) or 1.0), 0.02, 0.98)) if np.isfinite(end) else 0.02)
    places = spread(places, heights)
    return [
        {
            "text": _glyph(lines[i].index) + " " + texts[i],
            "xref": "x domain",
            "yref": "y domain",
            "x": 1.01,
            "y": places[i],
            "xanchor": "left",
            "yanchor": "middle",
            "align": "left",
            "showarrow": False,
            "font": {"size": 11.5, "color": ink(theme)},
        }
        for i in range(len(lines))
    ]


def _glyph(index: int) -> str:
    return f'<span style="color:{look(index)["colour"]}">{look(index)["glyph"]}</span>'


def spread(places: Sequence[float], heights: Sequence[float]) -> list[float]:
    """`places` (0..1) of labels of the given heights, pushed apart as little as needed, within the axis."""
    order = np.argsort(places, kind="stable")
    needs = [(heights[a] + heights[b]) / 2 for a, b in pairwise(order.tolist())]
    moved = [places[i] for i in order]
    for i, need in enumerate(needs, start=1):
        moved[i] = max(moved[i], moved[i - 1] + need)
    if moved and moved[-1] > 0.99:
        moved[-1] = 0.99
        for i in range(len(moved) - 2, -1, -1):
            moved[i] = min(moved[i], moved[i + 1] - needs[i])
    return [moved[list(order).index(i)] for i in range(len(places))]


def _wrap(text: str, width: int = 15) -> str:
    """Break a long name once, near its middle, at a space."""
    if len(text) <= width or " " not in text:
        return text
    spaces = [i for i, char in enumerate(text) if char == " "]
    cut = min(spaces, key=lambda i: abs(i - len(text) / 2))
    return text[:cut] + "<br>" + text[cut + 1 :]


def _label_width(lines: Sequence[Line]) -> int:
    """Pixels for the longest name; Hangul is twice as wide as Latin."""

    def pixels(text: str) -> float:
        return sum(11.5 if ord(char) > 0x1100 else 6.3 for char in text)

    return int(min(140, max(pixels(part) for line in lines for part in _wrap(line.text).split("<br>")) + 24))


def _mark_history(layout: Spec, months: np.ndarray, theme: Theme) -> None:
    """A dotted line where the data that shaped the priors end."""
    end = np.datetime64(_access.HISTORY_END, "M") + 1
    if not months[0] < end < months[-1]:
        return
    layout["shapes"].append(
        {
            "type": "line",
            "x0": str(end),
            "x1": str(end),
            "yref": "y domain",
            "y0": 0,
            "y1": 1,
            "line": {"color": muted(theme), "width": 1, "dash": "dot"},
            "layer": "below",
        }
    )
    layout["annotations"].append(
        {
            "text": _("projection →"),
            "x": str(end),
            "yref": "y domain",
            "y": 1.0,
            "xanchor": "left",
            "yanchor": "top",
            "showarrow": False,
            "font": {"size": 10.5, "color": muted(theme)},
        }
    )


def _level(value: float, theme: Theme) -> Spec:
    return {
        "type": "line",
        "xref": "x domain",
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": {"color": muted(theme), "width": 1.2},
        "layer": "below",
    }


def across_scenarios(
    dataset: xr.Dataset, variable: str, scenarios: Sequence[str] | None, **selection: str
) -> list[Line]:
    """One line a scenario; the first is shaded, the others carry the bar at the end. Empty where the run lacks it."""
    names = _access.chosen(dataset, scenarios)
    wide = tuple(_access.fan_coverages(dataset))
    order = _access.scenarios(dataset)
    lines = []
    for position, name in enumerate(names):
        found = _access.series(dataset, variable, name, **selection)
        if found is not None:
            bands = wide if len(names) <= 2 or position == 0 else ()
            lines.append(Line(label("scenario", name), found, order.index(name), bands))
    if not lines:
        _access.require(dataset, variable, names[0], **selection)
    return lines


def unit_of(lines: Sequence[Line]) -> str:
    """The unit of a chart's lines in words."""
    return unit(lines[0].series.unit)
