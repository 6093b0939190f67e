"""How often intervals of each level held what came, for a back-test."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.i18n import _
from chipweir.report._style import Theme, look, muted
from chipweir.report.figures._build import Spec, base, figure


_LEVELS = np.linspace(0, 1, 21)


@figure
def reliability(document: Mapping[str, Any], *, theme: Theme = "light") -> Spec:
    """Share of figures inside intervals of each level, a line a cut-off (rules known); on the diagonal they are right."""
    scored = [each for each in document["cutoffs"] if each["mode"] == "rules known" and each["n"]]
    if not scored:
        raise InputError(_("nothing of this back-test has been scored"))
    layout = base(
        _("How often intervals held what came"),
        _("share of figures inside, by level of the interval; on the diagonal they are as wide as they should be"),
        theme,
        _("above the diagonal: too wide; below: too narrow") + f"<br>Chipweir · {document.get('made', '')}",
    )
    layout["margin"] = {"l": 56, "r": 16, "t": 66, "b": 90}
    layout["xaxis"] = {"range": [0, 1], "tickformat": ",.0%"}
    layout["yaxis"] = {"range": [0, 1.02], "tickformat": ",.0%"}
    layout |= {"showlegend": True, "legend": {"x": 0.02, "y": 0.98, "bgcolor": "rgba(0,0,0,0)"}}
    layout["shapes"] = [
        {"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": {"color": muted(theme), "width": 1, "dash": "dot"}}
    ]
    return {"data": [_line(each, index) for index, each in enumerate(scored)], "layout": layout}


def _line(each: Mapping[str, Any], index: int) -> Spec:
    ranks = np.array([row["pit"] for row in each["rows"]])
    held = [float(np.mean(np.abs(ranks - 0.5) <= level / 2)) for level in _LEVELS]
    style, name = look(index), _("from {day}: {count} figures", day=each["as_of"], count=each["n"])
    return {
        "type": "scatter",
        "name": name,
        "x": [round(float(level), 3) for level in _LEVELS],
        "y": [round(value, 4) for value in held],
        "mode": "lines+markers",
        "line": {"color": style["colour"], "width": 2.4, "dash": style["dash"]},
        "marker": {"symbol": style["symbol"], "size": 7, "color": style["colour"], "maxdisplayed": 10},
        "hovertemplate": "%{x:.0%}: %{y:.0%}<extra>" + name + "</extra>",
    }
