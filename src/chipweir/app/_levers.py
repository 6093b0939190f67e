"""The controls of the Contest page: which levers, in which order, and what its script needs to draw each."""

import csv
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dash import html

from chipweir.app._layout import attributes
from chipweir.app._state import View, scenario_of, usual
from chipweir.i18n import LANGUAGES, _, use_language
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


# How far each lever moves the outcomes, measured by `benchmarks/lever_effects.py`.
TABLE = Path(__file__).parent / "data" / "lever_effects.csv"
FIRST, MOST_OF_ONE = 6, 1


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
        "find": _("Find a lever: quota, Malaysia, memory …"),
        "found": _("{count} levers found"),
        "alone": _("own address"),
        "whole": _("whole page"),
        "embed": _("embed"),
        "copied": _("copied: paste it into your page"),
        "uncopied": _("the browser did not let it be copied"),
    }
    data = {"lang": view.lang, "words": words, "graph": GRAPH_CONFIG, "usual": usual(), "groups": _groups(view)}
    return html.Div(id="levers", **attributes({"data-page": json.dumps(data, ensure_ascii=False)}))


def _groups(view: View) -> list[dict[str, Any]]:
    """The levers that move most, then the others by who holds them; each shows what the view or else the preset says."""
    preset, own = scenario_of(replace(view, settings=())), dict(view.settings)
    by_name = {control.name: control for control in controls()}
    first = [by_name[name] for name in first_levers()]
    groups: dict[str, list[Control]] = {}
    for control in by_name.values():
        if control not in first:
            groups.setdefault(control.lever.actor, []).append(control)

    def records(members: list[Control]) -> list[dict[str, Any]]:
        return [_record(c, effective(preset, c.name, view.start), own.get(c.name)) for c in members]

    return [
        {"title": _("The strongest lever of each side"), "open": True, "first": True, "levers": records(first)},
        *(
            {
                "title": _(ACTORS.get(actor, actor)),
                "open": any(control.name in own for control in members),
                "levers": records(members),
            }
            for actor, members in groups.items()
        ),
    ]


@cache
def first_levers() -> tuple[str, ...]:
    """Those that move the headline outcomes most, `MOST_OF_ONE` of each actor, so that every side's strongest is there."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: -float(row["size"]))
    chosen: dict[str, str] = {}
    for row in rows:
        if len(chosen) < FIRST and list(chosen.values()).count(row["actor"]) < MOST_OF_ONE:
            chosen[row["lever"]] = row["actor"]
    return tuple(chosen)


def _record(control: Control, reference: float | str, own: float | str | None) -> dict[str, Any]:
    """One lever for the page's script: its words, its scale, where the preset and where the view put it."""
    lever = control.lever
    return {
        "name": control.name,
        "kind": lever.kind,
        "title": lever_title(control),
        "text": lever_text(control),
        "searched": _searched(control),
        "today": _("Unit: {unit}. Today: {value}.", unit=lever.unit, value=value_text(control, lever.default)),
        "share": lever.unit.startswith("share"),
        "law": lever.default == "law",
        "reference": reference,
        "value": reference if own is None else own,
        **(_scale(control) if lever.kind == "number" else {"choices": _choices(lever)}),
    }


def _searched(control: Control) -> str:
    """All words by which a lever is found, in both languages."""
    words = [control.name, control.lever.group]
    for lang in LANGUAGES:
        with use_language(lang):
            words += [
                lever_title(control),
                lever_text(control),
                _(ACTORS.get(control.lever.actor, control.lever.actor)),
            ]
    return " ".join(words).casefold()


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
