"""The controls of the Contest page: which levers, in which order, and what its script needs to draw each."""

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dash import html

from chipweir.app._layout import attributes
from chipweir.app._state import View, effective, scenario_of, usual
from chipweir.i18n import _, language
from chipweir.report import _numbers
from chipweir.report._labels import N_
from chipweir.report._style import GRAPH_CONFIG


if TYPE_CHECKING:
    from chipweir.world import Lever

_BY_PRODUCT = {
    "us.allowed_products": ("h20-class", "h200-class", "blackwell-class", "rubin-class"),
    "us.quota": ("h20-class", "h200-class", "blackwell-class"),
    "us.fee_share": ("h20-class", "h200-class"),
    "china.import_stance": ("h20-class", "h200-class", "blackwell-class"),
}
_STOPS: dict[str, tuple[float, ...]] = {
    "us.quota": (0, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000),
    "us.threshold_tpp": (1_000, 1_600, 2_400, 4_800, 7_000, 10_000, 15_000, 21_000, 40_000, 80_000, 200_000),
}

ACTORS = {
    "US": N_("United States"),
    "China": N_("China"),
    "hubs": N_("Transit hubs"),
    "Korea": N_("South Korea"),
    "technology": N_("Technology"),
    "demand": N_("Demand"),
}
CLASSES = {
    "h20-class": N_("H20 class"),
    "h200-class": N_("H200 class"),
    "blackwell-class": N_("Blackwell class"),
    "rubin-class": N_("Rubin class"),
    "all": N_("all chips"),
}
CHOICES = {
    "free": N_("free"),
    "licence": N_("licence"),
    "denied": N_("denied"),
    "open": N_("open"),
    "discouraged": N_("discouraged"),
    "conditional": N_("conditional"),
    "blocked": N_("blocked"),
    "law": N_("as the law stands"),
}


@dataclass(frozen=True)
class Control:
    """One control: the full name of its setting and the lever behind it. `stops` are the values of a stepped slider."""

    name: str
    product: str
    lever: "Lever"
    stops: tuple[float, ...] = ()


def controls() -> list[Control]:
    """Every control of the page, in the order of the lever table."""
    from chipweir import world

    made = []
    for lever in world.levers().values():
        stops = _STOPS.get(lever.name, ())
        if lever.by_product:
            made += [Control(f"{lever.name}.{p}", p, lever, stops) for p in _BY_PRODUCT.get(lever.name, ("all",))]
        else:
            made.append(Control(lever.name, "", lever, stops))
    return made


def lever_title(control: Control) -> str:
    """What the control is called, in the language in force."""
    lever = control.lever
    title = (lever.korean_name if language() == "ko" else "") or lever.title
    return f"{title}: {_(CLASSES.get(control.product, control.product))}" if control.product else title


def lever_text(control: Control) -> str:
    """What the lever does."""
    lever = control.lever
    return (lever.korean_description if language() == "ko" else "") or lever.description


def setting_text(name: str, value: float | str) -> str:
    """A setting in words: 'Enforcement in Malaysia: 2'."""
    control = next((each for each in controls() if each.name == name), None)
    if control is None:
        return f"{name}: {value}"
    return f"{lever_title(control)}: {value_text(control, value)}"


def value_text(control: Control, value: float | str) -> str:
    """A lever's value in words, with its unit."""
    if isinstance(value, str):
        return _(CHOICES.get(value, value))
    if control.lever.kind == "bool":
        return _("on") if value else _("off")
    if control.lever.unit.startswith("share"):
        return _numbers.share(value)
    return _numbers.number(value)


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
    stops = _STOPS.get(lever.name)
    return {"us.threshold_tpp": 4_800.0}.get(lever.name, stops[len(stops) // 2] if stops else lever.minimum)
