"""The controls of the Contest page: which levers, in which order, and what each control looks like."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import html

from chipweir.app import _layout
from chipweir.app._state import View, effective, scenario_of
from chipweir.i18n import _, language
from chipweir.report import _numbers
from chipweir.report._labels import N_


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
_STEPS = 20

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

    def position(self, value: float) -> float:
        """Where on the slider a value stands: itself, or the nearest stop's index."""
        if not self.stops:
            return value
        return float(min(range(len(self.stops)), key=lambda i: abs(self.stops[i] - value)))


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


def reference_values(view: View) -> dict[str, dict[str, Any]]:
    """For the page's script: each control's value in the preset (nothing set), its stops and its kind."""
    from dataclasses import replace

    preset = scenario_of(replace(view, settings=()))
    return {
        control.name: {
            "value": effective(preset, control.name, view.start),
            "stops": list(control.stops),
            "kind": control.lever.kind,
        }
        for control in controls()
    }


def panel(view: View) -> dmc.Accordion:
    """All controls, grouped by who holds the lever; each shows what the view sets or else what the preset says."""
    reference, own = reference_values(view), dict(view.settings)
    groups: dict[str, list[Control]] = {}
    for control in controls():
        groups.setdefault(control.lever.actor, []).append(control)
    changed = {control.lever.actor for control in controls() if control.name in own}
    items = [
        dmc.AccordionItem(
            [
                dmc.AccordionControl(_(ACTORS.get(actor, actor))),
                dmc.AccordionPanel(
                    [_row(c, own.get(c.name, reference[c.name]["value"]), c.name in own) for c in members]
                ),
            ],
            value=actor,
        )
        for actor, members in groups.items()
    ]
    return dmc.Accordion(
        items, multiple=True, value=sorted(changed | {"US"}), variant="separated", id="levers", order=2
    )


def _row(control: Control, value: float | str, changed: bool) -> html.Div:
    """One lever. The page's script fills the head from its data: the page answers faster the fewer components it has."""
    title, lever = lever_title(control), control.lever
    today = _("Unit: {unit}. Today: {value}.", unit=lever.unit, value=value_text(control, lever.default))
    words = [title, lever_text(control), today, control.name, _("What is this?"), _("Back to the preset")]
    head = html.Div(className="lever-head", **_layout.attributes({"data-words": json.dumps(words)}))
    return html.Div(
        [head, *_inputs(control, value, title)],
        className="lever changed" if changed else "lever",
        **_layout.attributes({"data-lever": control.name, "role": "group", "aria-label": title}),
    )


def _inputs(control: Control, value: float | str, title: str) -> list[Any]:
    lever = control.lever
    if lever.kind == "choice":
        words = [*lever.choices, *(["law"] if lever.default == "law" else [])]
        return [_segments(control, [(word, _(CHOICES.get(word, word))) for word in words], str(value), title)]
    if lever.kind == "bool":
        words = [("0", _("off")), ("1", _("on"))]
        if lever.default == "law":
            words.append(("law", _("as the law stands")))
        shown = value if isinstance(value, str) else str(int(value))
        return [_segments(control, words, shown, title)]
    parts: list[Any] = []
    by_law = value == "law"
    if lever.default == "law":
        parts.append(
            dmc.Checkbox(
                id={"type": "law", "name": control.name}, label=_("as the law stands"), checked=by_law, size="xs"
            )
        )
    number = _resting_value(lever) if isinstance(value, str) else value
    parts.append(_slider(control, number, by_law, title))
    return parts


def _resting_value(lever: "Lever") -> float:
    """Where a slider rests while the law decides: the default if it is a number, else the middle of the range."""
    if isinstance(lever.default, float | int):
        return float(lever.default)
    stops = _STOPS.get(lever.name)
    return {"us.threshold_tpp": 4_800.0}.get(lever.name, stops[len(stops) // 2] if stops else lever.minimum)


def _segments(control: Control, words: list[tuple[str, str]], value: str, title: str) -> dmc.RadioGroup:
    return dmc.RadioGroup(
        [dmc.Radio(label=text, value=word, size="xs") for word, text in words],
        id={"type": "lever", "name": control.name},
        value=value,
        size="xs",
        className="lever-choice",
        **_layout.attributes({"aria-label": title}),
    )


def _slider(control: Control, value: float, disabled: bool, title: str) -> html.Div:
    lever = control.lever
    if control.stops:
        low, high, step = 0.0, float(len(control.stops) - 1), 1.0
        named = [0, len(control.stops) // 2, len(control.stops) - 1]
        marks = [{"value": i, "label": _numbers.number(control.stops[i])} for i in named]
    else:
        low, high = lever.minimum, lever.maximum
        step = round((high - low) / _STEPS, 6) if high - low > 1.5 else 0.05
        marks = [{"value": v, "label": value_text(control, v)} for v in (low, high)]
        if isinstance(lever.default, float | int) and low < lever.default < high:
            marks.insert(1, {"value": float(lever.default), "label": value_text(control, float(lever.default))})
    slider = dmc.Slider(
        id={"type": "lever", "name": control.name},
        value=control.position(value),
        min=low,
        max=high,
        step=step,
        precision=3,
        marks=marks,
        label=None,
        size="sm",
        disabled=disabled,
        thumbLabel=title,
        updatemode="mouseup",
    )
    return html.Div(
        [slider, html.Output(value_text(control, value), className="lever-value")], className="lever-slider"
    )
