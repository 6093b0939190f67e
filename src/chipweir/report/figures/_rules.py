"""Pictures of rules and events: the control regions, the legal history of a chip, the timeline."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from chipweir.i18n import _, language
from chipweir.report._labels import EVENT_TYPES, label
from chipweir.report._style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RUST,
    SKY,
    VERMILION,
    YELLOW,
    Theme,
    ink,
    look,
    muted,
    rgba,
)
from chipweir.report.figures._build import Spec, base, figure, footnote
from chipweir.rules import status_names


# In the order of `chipweir.rules.STATUSES`.
STATUS_COLOURS = (GREEN, SKY, BLUE, ORANGE, VERMILION, GREY, PURPLE, YELLOW, RUST)
# Numbers, since the sign of a bar is dark on its colour and that of a legend is of the theme's ink: what a full and an empty
# circle mean would turn around between light and dark.
STATUS_SIGNS = ("①", "②", "③", "④", "⑤", "?", "⑥", "⑦", "⑧")
_SHAPES = ("", "", "/", ".", "x", "-", "|", "\\", "+")


@dataclass(frozen=True)
class ChipPoint:
    """One chip in the plane: total processing performance, performance density (None where the die area is unknown)."""

    name: str
    tpp: float
    density: float | None
    maker_country: str = ""


@dataclass(frozen=True)
class Region:
    """One rectangle of the plane that a rule controls: bounds in TPP and TPP/mm² (None = open), a name and a rank."""

    name: str
    tpp: tuple[float, float | None]
    density: tuple[float, float | None]
    severity: int = 4


def regions_2023() -> list[Region]:
    """The regions of 3A090 as amended by 88 FR 73458, in force since 2023-11-17."""
    return [
        Region("3A090.a", (4800, None), (0, None), 4),
        Region("3A090.a", (1600, 4800), (5.92, None), 4),
        Region("3A090.b", (2400, 4800), (1.6, 5.92), 3),
        Region("3A090.b", (1600, 2400), (3.2, 5.92), 3),
    ]


@figure
def tpp_plane(
    chips: Iterable[ChipPoint],
    *,
    regions: Sequence[Region] | None = None,
    subtitle: str = "",
    theme: Theme = "light",
) -> Spec:
    """Chips by total processing performance and performance density, with the control regions behind them."""
    points = [chip for chip in chips if chip.tpp > 0]
    regions = regions_2023() if regions is None else list(regions)
    x_low, x_high = 300.0, max([60_000.0, *(2 * chip.tpp for chip in points)])
    y_low, y_high = 0.3, max([60.0, *(2 * chip.density for chip in points if chip.density)])
    layout = base(_("Control regions and chips"), subtitle, theme)
    layout["annotations"].append(footnote(_("logarithmic scales; hollow: die area unknown"), theme, 44))
    layout["height"] = 520
    layout["margin"] = {"l": 62, "r": 16, "t": 96, "b": 84}
    layout["hovermode"] = "closest"
    layout["xaxis"] = _log_axis(_("total processing performance (TPP)"), x_low, x_high)
    layout["yaxis"] = _log_axis(_("performance density (TPP per mm²)"), y_low, y_high)
    for region in regions:
        x0, x1 = max(region.tpp[0], x_low), region.tpp[1] or x_high
        y0, y1 = max(region.density[0], y_low), region.density[1] or y_high
        colour = STATUS_COLOURS[region.severity]
        layout["shapes"].append(
            {
                "type": "rect",
                "x0": x0,
                "x1": x1,
                "y0": y0,
                "y1": y1,
                "fillcolor": rgba(colour, 0.13),
                "line": {"color": rgba(colour, 0.8), "width": 1, "dash": "solid" if region.severity == 4 else "dash"},
                "layer": "below",
            }
        )
        layout["annotations"].append(
            {
                "text": region.name,
                "x": float(np.log10(x1)) - 0.02,
                "y": float(np.log10(y0)) + 0.02,
                "xanchor": "right",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 11, "color": muted(theme)},
            }
        )
    data = [_points(points, country, index, y_low, theme) for index, country in enumerate(_countries(points))]
    layout["showlegend"] = len(data) > 1
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}
    return {"data": data, "layout": layout}


def _countries(points: Sequence[ChipPoint]) -> list[str]:
    return sorted({chip.maker_country for chip in points}, key=lambda name: (name != "US", name != "CN", name))


def _log_axis(title: str, low: float, high: float) -> Spec:
    return {
        "type": "log",
        "range": [float(np.log10(low)), float(np.log10(high))],
        "title": {"text": title},
        "tickvals": [v for decade in range(-1, 7) for v in (10.0**decade, 3 * 10.0**decade) if low <= v <= high],
        "tickformat": ",~r",
    }


def _points(points: Sequence[ChipPoint], country: str, index: int, floor: float, theme: Theme) -> Spec:
    own = sorted((chip for chip in points if chip.maker_country == country), key=lambda chip: chip.tpp)
    style = look(index)
    xs = [chip.tpp for chip in own]
    ys = [chip.density or floor * 1.25 for chip in own]
    shown = _shown_names(points)
    return {
        "type": "scatter",
        "name": label("country", country) if country else _("unknown"),
        "x": xs,
        "y": ys,
        "mode": "markers+text",
        "text": [_short_name(chip.name) if chip.name in shown else "" for chip in own],
        "textposition": "top center",
        "textfont": {"size": 10.5, "color": ink(theme)},
        "customdata": [[chip.name, _("unknown") if chip.density is None else f"{chip.density:.3g}"] for chip in own],
        "marker": {
            "symbol": [style["symbol"] + ("" if chip.density is not None else "-open") for chip in own],
            "color": style["colour"],
            "size": 10,
            "line": {"width": 1.2, "color": style["colour"]},
        },
        "hovertemplate": "<b>%{customdata[0]}</b><br>TPP %{x:,.0f}<br>PD %{customdata[1]}<extra></extra>",
    }


def _shown_names(points: Sequence[ChipPoint]) -> frozenset[str]:
    """Chips whose names stand clear of those already placed; the others are read by pointing at them."""
    placed: list[tuple[float, float, float]] = []
    shown = set()
    for chip in sorted(points, key=lambda chip: chip.density is None):
        if chip.density is None and len(points) > 14:
            continue
        x, y = float(np.log10(chip.tpp)), float(np.log10(chip.density or 0.5))
        half = 0.016 * len(_short_name(chip.name))
        if all(abs(x - a) > half + width or abs(y - b) > 0.11 for a, b, width in placed):
            placed.append((x, y, half))
            shown.add(chip.name)
    return frozenset(shown)


def _short_name(name: str) -> str:
    """A chip's name without its maker's and without what stands in brackets."""
    short = name.split(" (")[0]
    for maker in ("NVIDIA ", "Huawei ", "AMD Instinct ", "AMD ", "Google ", "AWS ", "Intel ", "Microsoft "):
        short = short.removeprefix(maker)
    return short


@figure
def legal_history(
    months: np.ndarray,
    rows: Sequence[str],
    status: np.ndarray,
    *,
    title: str = "",
    subtitle: str = "",
    theme: Theme = "light",
) -> Spec:
    """Strip of licence states: `status` (row, month) as indices of `chipweir.rules.STATUSES`, a row for a chip or place."""
    starts = months.astype("datetime64[M]")
    layout = base(title or _("Legal history"), subtitle, theme, _("state on the last day of each month"))
    layout["height"] = 170 + 30 * len(rows)
    layout["margin"] = {"l": 12, "r": 16, "t": 92, "b": 72}
    layout["hovermode"] = "closest"
    layout["barmode"] = "stack"
    layout["bargap"] = 0.25
    layout["yaxis"] = {"autorange": "reversed", "type": "category", "tickfont": {"size": 12, "color": ink(theme)}}
    layout["xaxis"] = {
        "type": "date",
        "tickformat": "%Y",
        "dtick": "M12",
        "range": [str(starts[0]), str(starts[-1] + 1)],
    }
    layout["showlegend"] = True
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 11}}
    data: list[Spec] = []
    shown: set[int] = set()
    for row, states in zip(rows, np.asarray(status, dtype=int), strict=True):
        for start, end, state in _spells(states):
            data.append(_spell(row, starts, start, end, state, first=state not in shown))
            shown.add(state)
    return {"data": data, "layout": layout}


def _spells(states: np.ndarray) -> list[tuple[int, int, int]]:
    """Runs of equal states as (first index, one past the last, state)."""
    cuts = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), len(states)]
    return [(a, b, int(states[a])) for a, b in pairwise(cuts)]


def _spell(row: str, starts: np.ndarray, start: int, end: int, state: int, *, first: bool) -> Spec:
    begin, finish = starts[start].astype("datetime64[D]"), (starts[end - 1] + 1).astype("datetime64[D]")
    name = status_names()[state]
    return {
        "type": "bar",
        "orientation": "h",
        "base": [str(begin)],
        "x": [int((finish - begin).astype(int)) * 86_400_000],
        "y": [row],
        "name": f"{STATUS_SIGNS[state]} {name}",
        "legendgroup": str(state),
        "showlegend": first,
        "legendrank": state + 1,
        "marker": {"color": STATUS_COLOURS[state], "line": {"width": 0}, "pattern": _pattern(state)},
        "text": [STATUS_SIGNS[state]] if end - start > 4 else [""],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "insidetextfont": {"color": "#000000", "size": 12},
        "hovertemplate": f"{row}<br>{begin} → {finish}<br>{name}<extra></extra>",
    }


def _pattern(state: int) -> Spec:
    return {
        "shape": _SHAPES[state],
        "fillmode": "overlay",
        "fgcolor": "#ffffff",
        "fgopacity": 0.55,
        "solidity": 0.2,
        "size": 7,
    }


def _event_date(event: Any) -> date:
    value = event.date if hasattr(event, "date") else event["date"]
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def _event_field(event: Any, name: str) -> str:
    value = getattr(event, name, None) if not isinstance(event, dict) else event.get(name)
    return " / ".join(str(part) for part in value) if isinstance(value, (list, tuple)) else str(value or "")


def _event_text(event: Any) -> str:
    korean = _event_field(event, "description_ko") if language() == "ko" else ""
    width = 36 if korean else 60  # Hangul stands about twice as wide as Latin letters
    return "<br>".join(textwrap.wrap(korean or _event_field(event, "description"), width))


def _event_actors(event: Any, names: Mapping[str, str]) -> str:
    actors, ids = getattr(event, "actors", ()), getattr(event, "actor_ids", ())
    if not names or len(actors) != len(ids):
        return _event_field(event, "actors")
    pairs = zip(actors, ids, strict=True)
    # An actor written as a list of bodies has the id of its first only.
    return " / ".join(actor if "," in actor else names.get(key, actor) for actor, key in pairs)


@figure
def timeline(
    events: Iterable[Any],
    *,
    types: Sequence[str] | None = None,
    until: date | None = None,
    actors: Mapping[str, str] | None = None,
    theme: Theme = "light",
) -> Spec:
    """Dated rules and events, one lane a type. `events` are facts records with date, type, description, description_ko.

    `actors` are the reader's names of actors by id; one that is not among them is shown as the event writes it.
    """
    wanted = list(types or EVENT_TYPES)
    kept = [e for e in events if _event_field(e, "type") in wanted and (until is None or _event_date(e) <= until)]
    present = [kind for kind in wanted if any(_event_field(e, "type") == kind for e in kept)]
    layout = base(
        _("Rules and events"), _("{count} dated events", count=len(kept)), theme, _("point at a mark to read it")
    )
    layout["height"] = 150 + 34 * max(1, len(present))
    layout["margin"] = {"l": 12, "r": 16, "t": 66, "b": 72}
    layout["hovermode"] = "closest"
    names = [label("event", kind) for kind in present]
    layout["yaxis"] = {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": names[::-1],
        "tickfont": {"size": 12, "color": ink(theme)},
    }
    layout["xaxis"] = {"type": "date", "dtick": "M12", "tickformat": "%Y"}
    data = []
    for index, kind in enumerate(present):
        own = sorted((e for e in kept if _event_field(e, "type") == kind), key=_event_date)
        style = look(index)
        data.append(
            {
                "type": "scatter",
                "x": [_event_date(e).isoformat() for e in own],
                "y": [names[index]] * len(own),
                "mode": "markers",
                "marker": {
                    "symbol": style["symbol"],
                    "size": 12,
                    "color": rgba(style["colour"], 0.75),
                    "line": {"width": 1, "color": style["colour"]},
                },
                "text": [_event_text(e) for e in own],
                "customdata": [_event_actors(e, actors or {}) for e in own],
                "hovertemplate": "<b>%{x|%Y-%m-%d}</b> %{customdata}<br>%{text}<extra></extra>",
            }
        )
    return {"data": data, "layout": layout}


__all__ = ["ChipPoint", "Region", "legal_history", "regions_2023", "timeline", "tpp_plane"]
