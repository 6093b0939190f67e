"""Pictures of advice, exploration and games: each is drawn from the answer's document, and readable without colour.

Options carry a letter that stands in every picture; heat maps and bars carry their numbers.
"""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

import numpy as np

from chipweir.i18n import _, language
from chipweir.report._labels import label
from chipweir.report._style import PATTERNS, SEQUENTIAL, Theme, ink, look, muted
from chipweir.report.figures._build import LINE, Spec, base, figure, folded
from chipweir.world import variables


Document = Mapping[str, Any]

STEPS = 40
"""Divisions of a side of the triangle of weights."""
# Names beside the axis leave no room to the right of where the axis begins.
_FROM_THE_RIGHT = {"x": 1, "xanchor": "right", "align": "right"}
_PLACES = {"us": "USA", "china": "CHN", "korea": "KOR"}
_LEGEND = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom"}


def _said(text: Mapping[str, str]) -> str:
    return text.get(language()) or text["en"]


def lettered(document: Document) -> dict[str, str]:
    """Every option's letter and name, by option."""
    return {
        option["name"]: f"{ascii_uppercase[place]} {_said(option['title'])}"
        for place, option in enumerate(document["options"])
    }


def _note(document: Document) -> str:
    choices = len(document["choices"])
    count, members = f"{document['futures'] * choices:,}", f"{document['futures']:,}"
    told = _(
        "{count} futures: {members} draws x {choices} choices of others", count=count, members=members, choices=choices
    )
    return told + " · " + _("seed {seed}", seed=document["seed"])


def _outcome(outcome: Mapping[str, Any]) -> str:
    """The outcome's name in the reader's language, with its labels."""
    row = next((row for row in variables() if row["name"] == outcome["variable"]), None)
    name = outcome["variable"] if row is None else row["long_name_ko" if language() == "ko" else "long_name"]
    labels = ", ".join(label(dim, value) for dim, value in outcome["labels"].items())
    return f"{name} ({labels})" if labels else str(name)


def _player(name: str) -> str:
    return label("region", _PLACES[name])


def _computed(document: Document) -> list[Mapping[str, Any]]:
    return [criterion for criterion in document["criteria"] if criterion["kind"] == "computed"]


@figure
def regret_heat(document: Document, *, theme: Theme = "light") -> Spec:
    """Mean regret of every option on every criterion, as a share of the criterion's span; 0 is never beaten."""
    criteria, names = _computed(document), lettered(document)
    options = document["options"]
    share = [[option["regret"][criterion["name"]]["share"] for option in options] for criterion in criteria]
    layout = base(
        _("What each option leaves on the table"),
        _("mean regret, per cent of the criterion's span from the 5th to the 95th percentile"),
        theme,
        _note(document),
    )
    layout["height"] = 170 + 34 * len(criteria)
    layout["margin"] = {"l": 12, "r": 16, "t": 66, "b": 104}
    layout["xaxis"] = {"side": "bottom", "tickfont": {"size": 11.5, "color": ink(theme)}}  # turned where narrow
    layout["yaxis"] = {"autorange": "reversed", "automargin": True, "tickfont": {"size": 12, "color": ink(theme)}}
    layout["annotations"][0] |= {"yshift": -80, **_FROM_THE_RIGHT}
    layout["hovermode"] = "closest"
    heat = {
        "type": "heatmap",
        "x": [folded(names[option["name"]], 12) for option in options],
        "y": [_said(criterion["title"]) for criterion in criteria],
        "z": share,
        "zmin": 0,
        "zmax": max(0.3, max(max(row) for row in share)),
        "colorscale": SEQUENTIAL,
        "showscale": False,
        "text": [[f"{100 * value:.0f}" for value in row] for row in share],
        "texttemplate": "%{text}",
        "textfont": {"size": 12},
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": "%{y}<br>%{x}: %{z:.1%}<extra></extra>",
    }
    return {"data": [heat], "layout": layout}


@figure
def parallel(document: Document, values: np.ndarray, sample: int = 350, *, theme: Theme = "light") -> Spec:
    """Parallel coordinates of options in futures: drag along an axis to keep only what passes (brushing).

    `values` [C, O, F] of the computed criteria in the order of the document. Axes point upwards to better; the first one
    names the option.
    """
    criteria, names = _computed(document), lettered(document)
    count, options, futures = values.shape
    step = max(options * futures // sample, 1)
    place = np.arange(0, options * futures, step)
    option, future = place % options, (place // options) % futures
    axes: list[Spec] = [
        {
            "label": _("option"),
            "values": option.tolist(),
            "tickvals": list(range(options)),
            "ticktext": [names[each["name"]].split(" ")[0] for each in document["options"]],
            "range": [-0.4, options - 0.6],
        }
    ]
    for c, criterion in enumerate(criteria[:count]):
        drawn = values[c, option, future]
        low, high = (float(bound) for bound in np.quantile(values[c], (0.01, 0.99)).round(5))
        low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
        axes.append(
            {
                "label": folded(_said(criterion["title"]), 11),
                "values": np.clip(drawn, low, high).round(5).tolist(),
                "range": [low, high] if criterion["better"] == "more" else [high, low],
                "tickformat": ".3~r",
            }
        )
    layout = base(
        _("Options in futures"),
        _("each line is an option in a future; up is better; drag along an axis to select"),
        theme,
    )
    layout["height"] = 520
    layout["margin"] = {"l": 44, "r": 44, "t": 92, "b": 160}
    legend = " · ".join(names.values())
    layout["annotations"] = [
        {
            "text": folded(legend, 110) + LINE + _note(document), "xref": "paper", "yref": "paper", "x": 0, "y": 0,
            "yshift": -92, "xanchor": "left", "yanchor": "top", "align": "left", "showarrow": False,
            "font": {"size": 11, "color": muted(theme)},
        }
    ]  # fmt: skip
    scale = [[k / max(options - 1, 1), look(k)["colour"]] for k in range(options)]
    lines = {
        "type": "parcoords",
        "line": {"color": option.tolist(), "colorscale": scale, "cmin": 0, "cmax": max(options - 1, 1)},
        "dimensions": axes,
        "labelside": "bottom",
        "labelfont": {"size": 10.5, "color": ink(theme)},
        "tickfont": {"size": 10, "color": ink(theme)},
        "rangefont": {"size": 10, "color": muted(theme)},
    }
    return {"data": [lines], "layout": layout}


@figure
def winners_of_weights(document: Document, axes: Sequence[str] | None = None, *, theme: Theme = "light") -> Spec:
    """Which option wins where in the triangle of weights of three criteria; the letter of the winner stands at every point.

    The three criteria on which the options differ most, if not said; all others have weight 0 here.
    """
    criteria, names = _computed(document), lettered(document)
    chosen = list(axes or widest(document))
    options = [option for option in document["options"] if not option["bound"]]
    utility = np.array([[option["utility"][name] for option in options] for name in chosen])
    points = [(i, j, STEPS - i - j) for i in range(STEPS + 1) for j in range(STEPS + 1 - i)]
    weights = np.array(points) / STEPS
    winner = (weights @ utility).argmax(axis=1)
    titles = {criterion["name"]: _said(criterion["title"]) for criterion in criteria}
    layout = base(
        _("Which option wins under which weights"),
        _("each corner puts all weight on one criterion; other criteria are left out of this picture"),
        theme,
        _note(document),
    )
    layout["height"] = 540
    layout["margin"] = {"l": 90, "r": 30, "t": 96, "b": 110}
    layout["showlegend"] = True
    layout["legend"] = {"x": 0.7, "y": 1, "font": {"size": 12}}
    layout["annotations"][0]["yshift"] = -70
    axis = {"showticklabels": False, "ticks": "", "showgrid": False, "min": 0}
    layout["ternary"] = {
        "sum": 1,
        "aaxis": {**axis, "title": {"text": folded(titles[chosen[0]], 24)}},
        "baxis": {**axis, "title": {"text": folded(titles[chosen[1]], 20)}},
        "caxis": {**axis, "title": {"text": folded(titles[chosen[2]], 20)}},
        "bgcolor": "rgba(0,0,0,0)",
        "domain": {"x": [0.0, 0.75], "y": [0.0, 0.9]},
    }
    data = []
    for place, option in enumerate(options):
        mine = winner == place
        if not mine.any():
            continue
        index = [each["name"] for each in document["options"]].index(option["name"])
        shown = names[option["name"]]
        data.append(
            {
                "type": "scatterternary",
                "a": weights[mine, 0].tolist(),
                "b": weights[mine, 1].tolist(),
                "c": weights[mine, 2].tolist(),
                "mode": "markers",
                "name": f"{shown} ({100 * mine.mean():.0f} %)",
                "marker": {"symbol": look(index)["symbol"], "size": 8, "color": look(index)["colour"]},
                "hovertemplate": "%{a:.2f} / %{b:.2f} / %{c:.2f}<extra>" + shown + "</extra>",
            }
        )
        centre = weights[mine].mean(axis=0)
        near = weights[mine][np.argmin(((weights[mine] - centre) ** 2).sum(axis=1))]
        data.append(
            {
                "type": "scatterternary",
                "a": [float(near[0])],
                "b": [float(near[1])],
                "c": [float(near[2])],
                "mode": "text",
                "text": [f"<b>{shown.split(' ')[0]}</b>"],
                "textfont": {"size": 24, "color": ink(theme)},
                "showlegend": False,
                "hoverinfo": "skip",
            }
        )
    return {"data": data, "layout": layout}


def widest(document: Document) -> list[str]:
    """The three criteria on which the options that can be chosen differ most in mean utility."""
    options = [option for option in document["options"] if not option["bound"]]
    spread = {
        criterion["name"]: float(np.ptp([option["utility"][criterion["name"]] for option in options]))
        for criterion in _computed(document)
    }
    return sorted(spread, key=lambda name: -spread[name])[:3]


@figure
def shares_of_weights(document: Document, *, theme: Theme = "light") -> Spec:
    """Share of all weights in which each option wins, and share of the futures in which it is best under the weights."""
    names = lettered(document)
    options = [option for option in document["options"] if not option["bound"]]
    layout = base(
        _("How often each option is best"), _("per cent"), theme, _("bounds are left out") + LINE + _note(document)
    )
    layout["height"] = 150 + 46 * len(options)
    layout["margin"] = {"l": 12, "r": 40, "t": 92, "b": 80}
    layout["annotations"][0] |= _FROM_THE_RIGHT
    layout["barmode"] = "group"
    layout["showlegend"] = True
    layout["legend"] = _LEGEND
    layout["yaxis"] = {"autorange": "reversed", "automargin": True, "tickfont": {"size": 12, "color": ink(theme)}}
    layout["xaxis"] = {"range": [0, 1.05], "tickformat": ",.0%"}
    layout["hovermode"] = "closest"
    data = []
    for index, (key, text) in enumerate(
        (("weight_share", _("over all weights")), ("best_share", _("in futures, under the weights")))
    ):
        shares = [option[key] for option in options]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": [folded(names[option["name"]], 22) for option in options],
                "x": shares,
                "name": text,
                "marker": {"color": look(index)["colour"], "pattern": {"shape": PATTERNS[index], "solidity": 0.3}},
                "text": [f"{100 * share:.0f}" for share in shares],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": "%{y}: %{x:.1%}<extra>" + text + "</extra>",
            }
        )  # fmt: skip
    return {"data": data, "layout": layout}


@figure
def box_limits(
    title: str,
    boxes: Sequence[Mapping[str, Any]],
    columns: Mapping[str, np.ndarray],
    words: Mapping[str, str],
    *,
    theme: Theme = "light",
) -> Spec:
    """Limits of the first box: for each quantity its whole range as a line and the box as a bar with its numbers.

    `columns` {name: [F]} give the ranges, `words` the names; the bar is placed by the share of futures below each limit.
    """
    from chipweir.strategy import limits_in_short

    box = boxes[0]
    rows, texts, data = [], [], []
    for name, (low, high) in box["limits"].items():
        values = np.asarray(columns[name], dtype=float)
        start = 0.0 if low is None else float(np.mean(values < low))
        stop = 1.0 if high is None else float(np.mean(values <= high))
        text = limits_in_short(name, -np.inf if low is None else low, np.inf if high is None else high)
        texts.append(text)
        rows.append(folded(words.get(name, name), 34))
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": [rows[-1]],
                "x": [stop - start],
                "base": [start],
                "marker": {"color": look(0)["colour"], "pattern": {"shape": "/", "solidity": 0.25}},
                "hovertemplate": f"{words.get(name, name)}: {text}<extra></extra>",
                "showlegend": False,
            }
        )
        data.append(
            {
                "type": "scatter",
                "x": [0, 1],
                "y": [rows[-1]] * 2,
                "mode": "lines",
                "line": {"color": muted(theme), "width": 1},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    told = _(
        "density {density} %, coverage {coverage} %, {mass} % of all futures",
        density=f"{100 * box['density']:.0f}",
        coverage=f"{100 * box['coverage']:.0f}",
        mass=f"{100 * box['mass']:.0f}",
    )
    layout = base(title, told, theme, _("bar: share of all futures within the limit, by rank; line: all futures"))
    layout["height"] = 130 + 52 * len(rows)
    layout["margin"] = {"l": 12, "r": 150, "t": 66, "b": 64}
    layout["xaxis"] = {"range": [0, 1], "tickformat": ",.0%"}
    layout["annotations"] += [
        {
            "text": text, "xref": "x domain", "x": 1.01, "y": row, "xanchor": "left", "showarrow": False,
            "font": {"size": 12, "color": ink(theme)},
        }
        for row, text in zip(rows, texts, strict=True)
    ]  # fmt: skip
    layout["yaxis"] = {"autorange": "reversed", "automargin": True, "tickfont": {"size": 12, "color": ink(theme)}}
    layout["hovermode"] = "closest"
    return {"data": data, "layout": layout}


@figure
def indices(document: Document, words: Mapping[str, str], most: int = 14, *, theme: Theme = "light") -> Spec:
    """Sensitivity indices with their 80 % intervals, largest first; a dotted line where chance ends."""
    kinds = list(dict.fromkeys(index["kind"] for index in document["indices"]))
    main = "sobol_total" if "sobol_total" in kinds else "pawn"
    by_name: dict[str, dict[str, Mapping[str, Any]]] = {}
    for index in document["indices"]:
        by_name.setdefault(index["name"], {})[index["kind"]] = index
    names = sorted(by_name, key=lambda name: -by_name[name][main]["value"])[:most]
    titles = {
        "pawn": "PAWN",
        "first": _("first order"),
        "sobol_first": _("Sobol first"),
        "sobol_total": _("Sobol total"),
    }
    outcome = document["outcome"]
    layout = base(
        _("What it hangs on: {what}", what=_outcome(outcome)),
        _(
            "sensitivity index with its 80 % interval, {scenario}, {year}",
            scenario=outcome["scenario"],
            year=outcome["year"],
        ),
        theme,
        _("{count} members", count=f"{outcome['members']:,}") + " · " + _("seed {seed}", seed=outcome["seed"]),
    )
    layout["height"] = 150 + 40 * len(names)
    layout["margin"] = {"l": 12, "r": 24, "t": 92, "b": 72}
    layout["annotations"][0] |= _FROM_THE_RIGHT
    layout["barmode"] = "group"
    layout["showlegend"] = True
    layout["legend"] = _LEGEND
    layout["xaxis"] = {"rangemode": "tozero", "tickformat": ".2~r"}
    layout["yaxis"] = {"autorange": "reversed", "automargin": True, "tickfont": {"size": 11.5, "color": ink(theme)}}
    layout["hovermode"] = "closest"
    data = []
    for place, kind in enumerate(kinds):
        rows = [by_name[name][kind] for name in names]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": [folded(words.get(name) or name, 40) for name in names],
                "x": [row["value"] for row in rows],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [max(row["high"] - row["value"], 0.0) for row in rows],
                    "arrayminus": [max(row["value"] - row["low"], 0.0) for row in rows],
                    "thickness": 1.4,
                    "width": 3,
                    "color": ink(theme),
                },
                "name": titles[kind],
                "marker": {"color": look(place)["colour"], "pattern": {"shape": PATTERNS[place], "solidity": 0.3}},
                "hovertemplate": "%{y}: %{x:.2f}<extra>" + titles[kind] + "</extra>",
            }
        )
    if main in document.get("noise", {}):
        line = {"color": muted(theme), "width": 1.2, "dash": "dot"}
        at = document["noise"][main]
        layout["shapes"] = [{"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": line}]
    return {"data": data, "layout": layout}


@figure
def tornado(document: Document, values: np.ndarray, columns: Mapping[str, np.ndarray], words: Mapping[str, str],
            most: int = 12, *, theme: Theme = "light") -> Spec:  # fmt: skip
    """Median of the outcome where each factor is in its lowest and in its highest tenth, widest first.

    `values` [M], `columns` {name: [M]}; the line stands at the median of all members.
    """
    known = np.isfinite(values)
    swings = {}
    for name, column in columns.items():
        x, y = np.asarray(column)[known], values[known]
        if np.ptp(x) == 0:
            continue
        low, high = np.quantile(x, (0.1, 0.9))
        swings[name] = (float(np.median(y[x <= low])), float(np.median(y[x >= high])))
    names = sorted(swings, key=lambda name: -abs(swings[name][1] - swings[name][0]))[:most]
    middle = float(np.median(values[known]))
    outcome = document["outcome"]
    layout = base(
        _("How far each factor moves it: {what}", what=_outcome(outcome)),
        _("{unit}; median where the factor is in its lowest (-) and highest (+) tenth", unit=outcome["unit"]),
        theme,
        _("line: median of all members") + " · " + _("{count} members", count=f"{outcome['members']:,}"),
    )
    layout["height"] = 140 + 34 * len(names)
    layout["margin"] = {"l": 12, "r": 24, "t": 66, "b": 64}
    layout["annotations"][0] |= _FROM_THE_RIGHT
    layout["barmode"] = "overlay"
    layout["yaxis"] = {"autorange": "reversed", "automargin": True, "tickfont": {"size": 11.5, "color": ink(theme)}}
    layout["xaxis"] = {"tickformat": ".3~s"}
    layout["hovermode"] = "closest"
    layout["shapes"] = [
        {
            "type": "line",
            "x0": middle,
            "x1": middle,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"color": ink(theme), "width": 1},
        }
    ]
    rows = [folded(words.get(name) or name, 40) for name in names]
    data = [
        {
            "type": "bar", "orientation": "h", "y": rows, "base": [middle] * len(names),
            "x": [swings[name][side] - middle for name in names],
            "text": [sign] * len(names), "textposition": "inside", "insidetextanchor": "end",
            "marker": {"color": look(side)["colour"], "pattern": {"shape": PATTERNS[side], "solidity": 0.3}},
            "hovertemplate": "%{y}<extra>" + sign + "</extra>", "name": sign,
        }
        for side, sign in ((0, "−"), (1, "+"))
    ]  # fmt: skip
    return {"data": data, "layout": layout}


@figure
def best_replies(document: Document, player: str, *, theme: Theme = "light") -> Spec:
    """Table of one player's replies: for each choice of the others the probability that each of its policies is best."""
    seat = next(each for each in document["players"] if each["name"] == player)
    titles = {(p["name"], q["name"]): _said(q["title"]) for p in document["players"] for q in p["policies"]}
    rows = [row for row in document["best_responses"] if row["player"] == player]
    given = [", ".join(titles[other, policy] for other, policy in row["given"].items()) for row in rows]
    policies = [policy["name"] for policy in seat["policies"]]
    chance = [[row["probabilities"][policy] for policy in policies] for row in rows]
    layout = base(
        _("Best replies: {player}", player=_player(player)),
        _("per cent of members in which a policy is the best reply; ★ best on average"),
        theme,
        _("{count} members", count=f"{document['members']:,}") + " · " + _("seed {seed}", seed=document["seed"]),
    )
    layout["height"] = 160 + 34 * len(rows)
    layout["margin"] = {"l": 12, "r": 16, "t": 66, "b": 96}
    layout["yaxis"] = {"autorange": "reversed", "automargin": True, "tickfont": {"size": 11.5, "color": ink(theme)}}
    layout["xaxis"] = {"tickfont": {"size": 11.5, "color": ink(theme)}, "tickangle": 0}
    layout["annotations"][0] |= {"yshift": -70, **_FROM_THE_RIGHT}
    layout["hovermode"] = "closest"
    heat = {
        "type": "heatmap",
        "x": [folded(titles[player, policy], 14) for policy in policies],
        "y": [folded(text, 34) for text in given],
        "z": chance,
        "zmin": 0,
        "zmax": 1,
        "colorscale": SEQUENTIAL,
        "showscale": False,
        "text": [
            [f"{100 * p:.0f}{' ★' if policy == row['reply'] else ''}" for policy, p in zip(policies, line, strict=True)]
            for row, line in zip(rows, chance, strict=True)
        ],
        "texttemplate": "%{text}",
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": "%{y}<br>%{x}: %{z:.0%}<extra></extra>",
    }
    return {"data": [heat], "layout": layout}
