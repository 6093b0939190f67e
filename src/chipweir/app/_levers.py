"""The controls of the Contest page: which levers, in which order, and what its script needs to draw each."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dash import html

from chipweir.app._layout import attributes
from chipweir.app._state import View, scenario_of, usual
from chipweir.i18n import _
from chipweir.report import (
    ACTORS,
    CHOICES,
    GRAPH_CONFIG,
    STOPS,
    Control,
    _numbers,
    controls,
    effective,
    lever_text,
    lever_title,
    value_text,
)


if TYPE_CHECKING:
    from chipweir.world import Lever


def panel(view: View) -> html.Div:
    """The place of all controls, with what the page's script builds them from.

    Fifty levers as Dash components would make every move wait for their rendering.
    """
    words = {
        "help": _("What is this?"),
        "reset": _("Back to the preset"),
        "law": _("as the law stands"),
        "made": _("How this number was made"),
        "same": _("no change against A"),
        "problem": _("This could not be done"),
        "failed": _("The server could not answer."),
        "silent": _("The server does not answer; is it still running?"),
        "many": _("Too many requests; wait a moment."),
    }
    data = {"lang": view.lang, "words": words, "graph": GRAPH_CONFIG, "usual": usual(), "groups": _groups(view)}
    return html.Div(id="levers", **attributes({"data-page": json.dumps(data, ensure_ascii=False)}))


def _groups(view: View) -> list[dict[str, Any]]:
    """Controls by who holds the lever; each shows what the view sets or else what the preset says."""
    preset, own = scenario_of(replace(view, settings=())), dict(view.settings)
    groups: dict[str, list[Control]] = {}
    for control in controls():
        groups.setdefault(control.lever.actor, []).append(control)
    return [
        {
            "title": _(ACTORS.get(actor, actor)),
            "open": actor == "US" or any(control.name in own for control in members),
            "levers": [_record(c, effective(preset, c.name, view.start), own.get(c.name)) for c in members],
        }
        for actor, members in groups.items()
    ]


def _record(control: Control, reference: float | str, own: float | str | None) -> dict[str, Any]:
    """One lever for the page's script: its words, its scale, where the preset and where the view put it."""
    lever = control.lever
    return {
        "name": control.name,
        "kind": lever.kind,
        "title": lever_title(control),
        "text": lever_text(control),
        "today": _("Unit: {unit}. Today: {value}.", unit=lever.unit, value=value_text(control, lever.default)),
        "share": lever.unit.startswith("share"),
        "law": lever.default == "law",
        "reference": reference,
        "value": reference if own is None else own,
        **(_scale(control) if lever.kind == "number" else {"choices": _choices(lever)}),
    }


def _choices(lever: "Lever") -> list[tuple[str, str]]:
    law = [("law", _("as the law stands"))] if lever.default == "law" else []
    if lever.kind == "bool":
        return [("0", _("off")), ("1", _("on")), *law]
    return [*((word, _(CHOICES.get(word, word))) for word in lever.choices), *law]


def _scale(control: Control) -> dict[str, Any]:
    """A slider's ends, step and marks (position, text, is it today's value?), and its value while the law decides."""
    lever, stops = control.lever, control.stops
    resting = _resting_value(lever)
    if stops:
        ticks = [(i, _numbers.number(stops[i]), False) for i in (0, len(stops) // 2, len(stops) - 1)]
        return {"stops": stops, "min": 0, "max": len(stops) - 1, "step": 1, "marks": ticks, "resting": resting}
    low, high = lever.minimum, lever.maximum
    marks = [(value, value_text(control, value), value == lever.default) for value in (low, high)]
    if isinstance(lever.default, float | int) and low < lever.default < high:
        marks.insert(1, (float(lever.default), value_text(control, float(lever.default)), True))
    step = 0.1 if high - low > 1.5 else 0.05
    return {"stops": [], "min": low, "max": high, "step": step, "marks": marks, "resting": resting}


def _resting_value(lever: "Lever") -> float:
    """Where a slider rests while the law decides: the default if it is a number, else the middle of the range."""
    if isinstance(lever.default, float | int):
        return float(lever.default)
    stops = STOPS.get(lever.name)
    return {"us.threshold_tpp": 4_800.0}.get(lever.name, stops[len(stops) // 2] if stops else lever.minimum)
