"""Pictures of parts of a whole: what binds Chinese output, which ecosystems run."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from chipweir.errors import InputError
from chipweir.i18n import _
from chipweir.report import _access, _numbers
from chipweir.report._diversion import diversion as told_diversion
from chipweir.report._labels import label
from chipweir.report._style import SEQUENTIAL, Theme, ink, look, pattern, rgba
from chipweir.report.figures._build import (
    Line,
    Spec,
    base,
    chart_fan,
    figure,
    month_labels,
    pack,
    source_line,
    spread,
)


# Ecosystems that never have more than this share are shown together.
_SMALL, _OTHERS = 0.005, ""


def _called(name: str) -> str:
    return _("Others") if name == _OTHERS else label("ecosystem", name)


@figure
def binding(dataset: xr.Dataset, *, scenarios: Sequence[str] | None = None, theme: Theme = "light") -> Spec:
    """Strip of what binds Chinese chip output: the share held back by each constraint, by quarter."""
    names = _access.chosen(dataset, scenarios)
    constraints = _access.labels(dataset, "binding", "constraint")
    if not constraints:
        raise InputError(_("this run holds no '{what}'", what="binding"))
    rows, texts, values = [], [], []
    months = None
    for name in names:
        for constraint in constraints:
            found = _access.require(dataset, "binding", name, constraint=constraint)
            quarters = found.median[: len(found.median) // 3 * 3].reshape(-1, 3).mean(axis=1)
            months = found.months[: len(found.median) // 3 * 3 : 3]
            values.append(quarters)
            text = label("constraint", constraint)
            rows.append(f"{text} · {label('scenario', name)}" if len(names) > 1 else text)
            texts.append([f"{100 * v:.0f}" if i % 8 == 2 and np.isfinite(v) else "" for i, v in enumerate(quarters)])
    layout = base(
        _("What holds back Chinese chip output"),
        _("per cent of output bound by each constraint, by quarter"),
        theme,
        _("median") + f"<br>{source_line(dataset)}",
    )
    layout["height"] = 150 + 34 * len(rows)
    layout["yaxis"] = {"autorange": "reversed", "automargin": True, "tickfont": {"size": 12, "color": ink(theme)}}
    layout["xaxis"] = {"type": "date", "nticks": 7, "tickangle": 0, "tickformat": "%Y"}
    layout["margin"] = {"l": 12, "r": 16, "t": 66, "b": 72}
    layout["hovermode"] = "closest"
    layout["shapes"] = [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": cut - 0.5,
            "y1": cut - 0.5,
            "line": {"color": ink(theme), "width": 1},
        }
        for cut in range(len(constraints), len(rows), len(constraints))
    ]
    assert months is not None
    heat = {
        "type": "heatmap",
        "x": month_labels(months),
        "y": rows,
        "z": [[round(float(v), 4) if np.isfinite(v) else None for v in row] for row in values],
        "zmin": 0,
        "zmax": 1,
        "colorscale": SEQUENTIAL,
        "showscale": False,
        "text": texts,
        "texttemplate": "%{text}",
        "textfont": {"size": 10.5},
        "ygap": 2,
        "hovertemplate": "%{y}<br>%{x|%Y-%m}: %{z:.0%}<extra></extra>",
    }
    return {"data": [heat], "layout": layout}


@figure
def diversion(dataset: xr.Dataset, scenario: str, *, year: int = 2030, theme: Theme = "light") -> Spec:
    """Smuggling routes by year: how many chips fewer or more go through each hub than under the reference, a month.

    The line under the title answers for `year`: what of the ended stopped, and what moved.
    """
    names = _access.chosen(dataset, None)
    hubs = _access.labels(dataset, "smuggled_by_hub", "hub")
    if scenario == names[0] or not hubs:
        raise InputError(_("this run holds no '{what}'", what=f"delta_smuggled_by_hub, {scenario}"))
    traces = []
    for index, hub in enumerate(hubs):
        found = _access.require(dataset, _access.delta_name("smuggled_by_hub"), scenario, hub=hub)
        years = sorted({int(str(month)[:4]) for month in found.months if str(month)[5:7] == "12"})
        places = [_access.month_index(found.months, each) for each in years]
        style, text = look(index), label("region", hub)
        traces.append(
            {
                "type": "bar",
                "name": text,
                "x": [str(each) for each in years],
                "y": [round(float(found.median[place]), 1) if place is not None else None for place in places],
                "marker": {
                    "color": style["colour"],
                    "pattern": pattern(index) | {"fgcolor": rgba("#ffffff", 0.8), "fillmode": "overlay"},
                },
                "hovertemplate": "%{y:+,.0f}<extra>" + text + "</extra>",
            }
        )
    layout = base(
        _("Smuggling routes: {scenario}", scenario=label("scenario", scenario)),
        _diverted(dataset, names[0], scenario, year),
        theme,
        _("chips a month in December against {reference}, medians by hub", reference=label("scenario", names[0]))
        + f"<br>{source_line(dataset)}",
    )
    layout |= {"barmode": "relative", "showlegend": True, "hovermode": "closest"}
    layout["legend"] = {"orientation": "h", "y": -0.3, "yanchor": "top", "x": 0}
    layout["height"], layout["margin"] = 420, {"l": 64, "r": 16, "t": 70, "b": 130}
    layout["xaxis"], layout["yaxis"] = {"type": "category", "tickangle": 0}, {"tickformat": ",.0f", "zeroline": True}
    return {"data": traces, "layout": layout}


def _diverted(dataset: xr.Dataset, reference: str, scenario: str, year: int) -> str:
    """'At the end of 2030: stopped 90 %, moved 10 %'."""
    found = told_diversion(dataset, reference, scenario, year, 0.9)
    if found is None or not found.told:
        return _("At the end of {year} no route loses much", year=year)
    return _(
        "Of {ended} chips a month at the end of {year}: stopped {stopped}, moved {moved}",
        ended=_numbers.number(found.ended),
        year=year,
        stopped=_numbers.share(1 - found.moved_share),
        moved=_numbers.share(found.moved_share),
    )


@figure
def ecosystem_shares(
    dataset: xr.Dataset, scenario: str = "baseline", region: str = "CHN", *, theme: Theme = "light"
) -> Spec:
    """Software ecosystems by share of a region's compute; medians, scaled so that each month adds up to one."""
    _access.chosen(dataset, [scenario])
    names = _access.labels(dataset, "ecosystem_share", "ecosystem")
    if not names:
        raise InputError(_("this run holds no '{what}'", what="ecosystem_share"))
    selection = {"region": region} if "region" in dataset["ecosystem_share"].dims else {}
    medians = {
        name: np.nan_to_num(_access.require(dataset, "ecosystem_share", scenario, ecosystem=name, **selection).median)
        for name in names
    }
    months = _access.require(dataset, "ecosystem_share", scenario, ecosystem=names[0], **selection).months
    total = np.maximum(sum(medians.values()), 1e-12)
    shares = {name: medians[name] / total for name in names}
    small = [name for name in names if shares[name].max() <= _SMALL]
    if len(small) > 1:
        shares = {name: share for name, share in shares.items() if name not in small} | {
            _OTHERS: sum(shares[name] for name in small)
        }
    kept = sorted(shares, key=lambda name: (name == _OTHERS, -shares[name][-1]))
    layout = base(
        _("Software ecosystems: {place}", place=label("region", region)),
        _("per cent of compute · {scenario}", scenario=label("scenario", scenario)),
        theme,
        _("medians, scaled to add up to 100 per cent") + f"<br>{source_line(dataset)}",
    )
    layout["xaxis"] = {
        "type": "date",
        "dtick": "M24",
        "tick0": "2022-01-01",
        "tickformat": "%Y",
        "hoverformat": "%Y-%m",
    }
    layout["yaxis"] = {"range": [0, 1], "tickformat": ",.0%"}
    layout["margin"] = {"l": 50, "r": 104, "t": 66, "b": 72}
    data, top, places = [], 0.0, []
    for name in kept:
        index = len(names) if name == _OTHERS else names.index(name)
        share = shares[name]
        data.append(_area(_called(name), months, share, index))
        places.append((top + share[-1] / 2, share[-1], name))
        top += float(share[-1])
    named = [(name, place) for place, size, name in places if size > 0.01]
    heights = spread([place for _name, place in named], [0.07] * len(named))
    layout["annotations"] += [_beside(name, place) for (name, _old), place in zip(named, heights, strict=True)]
    return {"data": data, "layout": layout}


def _area(text: str, months: np.ndarray, share: np.ndarray, index: int) -> Spec:
    colour = look(index)["colour"]
    return {
        "type": "scatter",
        "x": month_labels(months),
        "y": pack(share),
        "name": text,
        "mode": "lines",
        "stackgroup": "one",
        "line": {"width": 1, "color": colour},
        "fillcolor": rgba(colour, 0.55),
        "fillpattern": {
            **pattern(index),
            "fgcolor": colour,
            "bgcolor": rgba(colour, 0.35),
            "solidity": 0.25,
        },
        "hovertemplate": "%{y:.1%}<extra>" + text + "</extra>",
    }


def _beside(name: str, place: float) -> Spec:
    return {
        "text": _called(name),
        "xref": "x domain",
        "x": 1.01,
        "y": place,
        "xanchor": "left",
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": 11.5},
    }


@figure
def maturity(dataset: xr.Dataset, scenario: str = "baseline", *, theme: Theme = "light") -> Spec:
    """Software maturity of each ecosystem: the share of a chip's worth that its software lets through."""
    _access.chosen(dataset, [scenario])
    lines = []
    for index, name in enumerate(_access.labels(dataset, "maturity", "ecosystem")):
        found = _access.require(dataset, "maturity", scenario, ecosystem=name)
        lines.append(Line(label("ecosystem", name), found, index, whisker=False))
    if not lines:
        _access.require(dataset, "maturity", scenario)
    return chart_fan(
        lines,
        title=_("Software maturity: {scenario}", scenario=label("scenario", scenario)),
        what=_("share of a chip's full worth"),
        theme=theme,
        note=_("median") + f"<br>{source_line(dataset)}",
        kind="share",
    )
