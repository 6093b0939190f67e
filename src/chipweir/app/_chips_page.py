"""The Chips page: chips and systems side by side, as the rules see them, and what they are worth."""

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
import numpy as np
from dash import Dash, Input, Output, State, html, no_update

from chipweir import library
from chipweir.app import _layout
from chipweir.app._jobs import Jobs
from chipweir.app._state import View, read_view
from chipweir.errors import InputError
from chipweir.i18n import _, language, use_language
from chipweir.report import N_, _chips, _numbers, figures, label


if TYPE_CHECKING:
    from chipweir.facts import Chip, Facts, Value
    from chipweir.perf import Measure, Worth

MOST_CHIPS = 8
DEFAULT_CHIPS = ("nvidia-h20", "nvidia-h100-sxm", "nvidia-b200", "huawei-ascend-910c")
DEFAULT_SYSTEMS = ("huawei-cloudmatrix-384", "nvidia-gb200-nvl72")
DEFAULT_MODEL = "deepseek-v3"
_FIRST_MONTH = np.datetime64("2022-01", "M")

SYSTEM_SPECS = {
    "bf16_pflops": N_("16-bit, PFLOP/s"),
    "fp8_pflops": N_("8-bit, PFLOP/s"),
    "mem_tb": N_("Memory, TB"),
    "mem_tbs": N_("Memory bandwidth, TB/s"),
    "scaleup_total_tbs": N_("Scale-up links together, TB/s"),
    "power_kw": N_("Power, kW"),
    "price_usd": N_("Price, US dollars"),
}

_SHOWN_AS = {
    "FLOP/s": (1e15, "PFLOP/s"),
    "B": (1e12, "TB"),
    "B/s": (1e12, "TB/s"),
    "W": (1e3, "kW"),
    "USD": (1e6, N_("million dollars")),
    "tokens/s": (1e3, N_("thousand tokens/s")),
}


def page(view: View) -> html.Div:
    """Choosers above, then table, plane, history, and the match of two systems."""
    from chipweir import facts

    known = facts.load()
    chips = [{"value": chip.id, "label": chip.name} for chip in known.chips.values()]
    systems = [{"value": system.id, "label": system.name} for system in known.systems.values()]
    models = [{"value": model.id, "label": model.name} for model in known.models.values()]
    countries = [
        {"value": code, "label": (record.names.ko if language() == "ko" else "") or record.names.en}
        for code, record in known.countries.items()
    ]
    chosen = [name for name in view.asked("c.chips").split() if name in known.chips] or list(DEFAULT_CHIPS)
    pair = [name for name in view.asked("c.match").split() if name in known.systems]
    pair = pair if len(pair) == 2 else list(DEFAULT_SYSTEMS)
    model = view.asked("c.model", DEFAULT_MODEL)
    select = partial(dmc.Select, searchable=True, allowDeselect=False, limit=300)
    return html.Div(
        [
            html.H1(_("Chips and systems")),
            html.Div(
                [
                    dmc.MultiSelect(
                        id="c-chips",
                        label=_("Chips"),
                        data=chips,
                        value=chosen[:MOST_CHIPS],
                        maxValues=MOST_CHIPS,
                        searchable=True,
                        w="min(100%, 640px)",
                    ),
                    select(id="c-to", label=_("Destination"), data=countries, value=view.asked("c.to", "CN")),
                    dmc.TextInput(
                        id="c-on",
                        label=_("On (year-month-day)"),
                        value=view.asked("c.on", date.today().isoformat()),
                        debounce=500,
                    ),
                ],
                className="controls",
            ),
            html.Div(id="c-message"),
            html.Div(id="c-table"),
            html.Div(
                [
                    _layout.graph("c-plane", _layout.blank(_layout.theme_of(view))),
                    _layout.graph("c-history", _layout.blank(_layout.theme_of(view))),
                ],
                className="charts",
            ),
            html.Section(
                [
                    html.H2(_("Match two systems")),
                    html.Div(
                        [
                            select(id="c-first", label=_("Do the job of"), data=systems, value=pair[1]),
                            select(id="c-second", label=_("with how many"), data=systems, value=pair[0]),
                            select(
                                id="c-model",
                                label=_("serving the model"),
                                data=models,
                                value=model if model in known.models else DEFAULT_MODEL,
                            ),
                            html.Button(_("Match"), id="c-match", className="action primary"),
                        ],
                        className="controls",
                    ),
                    html.Div(id="c-matched", role="status", **_layout.attributes({"aria-live": "polite"})),
                ]
            ),
        ]
    )


def _cell(value: "Value | None") -> Any:
    """A value with who says so, on pointing at it."""
    if value is None:
        return _numbers.MISSING
    low, high = value.interval
    text = (
        _numbers.full(value.best)
        if low == high or value.central is not None
        else f"{_numbers.full(low)} – {_numbers.full(high)}"
    )
    about = f"{value.source} · {value.as_of} · {label('class', value.cls)}, {value.confidence}" + (
        " · " + _("rumour") if value.rumour else ""
    )
    return html.Span(text + (" ?" if value.rumour else ""), title=about)


def specifications(known: "Facts", names: list[str], country: str) -> html.Div:
    """Specifications, worth, cost of owning in a country, and classification of chips, one column a chip."""
    from chipweir.facts import performance_density

    chips = [known.chip(name) for name in names]
    rows: list[list[Any]] = [
        [_("Maker"), *(known.entities[c.maker].names.en if c.maker in known.entities else c.maker for c in chips)]
    ]
    rows.append([_("Released"), *(c.release or _numbers.MISSING for c in chips)])
    rows.append([_("Status"), *(label("status", c.status) for c in chips)])
    for field, text in _chips.SPECS.items():
        rows.append([_(text), *(_cell(getattr(chip, field)) for chip in chips)])
    rows.append(
        [
            _("Total processing performance (TPP)"),
            *(_numbers.full(_chips.total_processing_performance(c)) for c in chips),
        ]
    )
    rows.append([_("Performance density (TPP per mm²)"), *(_numbers.number(performance_density(c)) for c in chips)])
    rows += _worth(chips, country)
    return _layout.table([_("Quantity"), *(chip.name for chip in chips)], rows, _("Specifications"))


def _worth(chips: list["Chip"], country: str) -> list[list[Any]]:
    """Rows of what the chips are worth in the reference workloads, from the performance room."""
    from chipweir.perf import worth

    found = worth(chips)
    workloads = {"training": _("Training"), "inference": _("Data-centre inference"), "edge": _("Edge inference")}
    rows: list[list[Any]] = []
    for column, name in enumerate(found.workloads):
        cells = []
        for row in range(len(chips)):
            middle = found.throughput[row, column]
            cells.append(f"{_numbers.number(middle, 2)} {_interval(middle, found.log_sd[row, column])}")
        rows.append([_("Worth in H100s: {workload}", workload=workloads.get(name, name)), *cells])
    rows.append([_("Tokens a second, reference mix"), *(_numbers.number(float(v)) for v in found.tokens_per_second)])
    rows.append(
        [_("Power with its share of the server, W"), *(_numbers.number(float(v)) for v in found.system_power_w)]
    )
    rows.append([_("Cost of owning, dollars per million tokens of the reference mix"), *_costs(chips, found, country)])
    return rows


def _costs(chips: list["Chip"], found: "Worth", country: str) -> list[str]:
    """Dollars per million tokens of the reference mix for one who owns the chip in a country, with 80 % intervals."""
    from chipweir.perf import owning_cost

    costs = []
    inference = found.workloads.index("inference")
    for row, chip in enumerate(chips):
        if chip.price_usd is None:
            costs.append(_numbers.MISSING)
            continue
        watts = float(found.power_w[row])
        hour = owning_cost(chip.price_usd.best, watts, watts, country=country)
        middle = hour.total / (float(found.tokens_per_second[row]) * 3600) * 1e6
        log_sd = np.hypot(hour.log_sd, found.log_sd[row, inference])
        costs.append(f"{_numbers.number(middle, 2)} {_interval(middle, log_sd)}")
    return costs


def _interval(middle: float, log_sd: float) -> str:
    """The 80 % interval of a lognormal about its median, as '(2.1 – 3.4)'."""
    low, high = (middle * np.exp(score * log_sd) for score in (-1.2816, 1.2816))
    return f"({_numbers.number(low, 2)} – {_numbers.number(high, 2)})"


def plane(known: "Facts", names: list[str], on: date, theme: Any) -> dict[str, Any]:
    """The chosen chips over the control regions in force on a day."""
    regions = _chips.regions_on(on)
    subtitle = (
        _("control regions on {day}", day=_numbers.day(on))
        if regions
        else _("no control regions on {day}", day=_numbers.day(on))
    )
    return figures.tpp_plane.spec(
        _chips.points(known.chip(name) for name in names), regions=regions, subtitle=subtitle, theme=theme
    )


def history(known: "Facts", names: list[str], destination: str, theme: Any) -> dict[str, Any]:
    """The licence states of the chosen chips for a destination, by month to the end of what is known."""
    months = np.arange(_FIRST_MONTH, np.datetime64("2027-01", "M"))
    rows, states = _chips.legal_rows(known, names, [destination], months)
    place = known.country(destination).names
    title = _("Licence state for: {place}", place=(place.ko if language() == "ko" else "") or place.en)
    return figures.legal_history.spec(months, rows, states, title=title, theme=theme)


def systems_table(known: "Facts", names: list[str]) -> html.Div:
    """Specifications of systems, one column a system."""
    systems = [known.system(name) for name in names]
    rows: list[list[Any]] = [
        [_("Chips"), *(f"{system.n_chips} × {known.chips[system.chip].name}" for system in systems)]
    ]
    rows += [[_(text), *(_cell(getattr(system, field)) for system in systems)] for field, text in SYSTEM_SPECS.items()]
    return _layout.table([_("Quantity"), *(system.name for system in systems)], rows, _("Systems"))


def matched(first: str, second: str, model: str) -> list[Any]:
    """How many of `second` do the job of one `first`, at what power and cost. Raises `InputError`."""
    from chipweir import facts, perf

    known = facts.load()
    parts: list[Any] = [systems_table(known, [first, second])]
    found = perf.match(second, first, model)
    parts.append(
        html.P([html.B(_("{a} that do the job of one {b}", a=known.system(second).name, b=known.system(first).name))])
    )
    names = [known.system(system).name for system in (second, first)]
    head = [_("Quantity"), *names, _("needed"), _("ratio of one to one"), _("per watt"), _("per dollar")]
    parts.append(_layout.table(head, [_measure(row) for row in found.measures], _("Match")))
    parts += [html.H3(_("Command")), _layout.code(f"chipweir match {second} {first} --model {model}", "c-command")]
    return parts


def _measure(row: "Measure") -> list[str]:
    needed = _numbers.number(row.needed) if np.isfinite(row.needed) else _("none can")
    if np.isfinite(row.needed) and row.log_sd > 0:
        needed += " " + _interval(row.needed, row.log_sd)
    name = _(library.MATCHED.get(row.quantity, row.quantity))
    size, unit = _SHOWN_AS.get(row.unit, (1.0, ""))
    return [
        f"{name}, {_(unit)}" if unit else name,
        _numbers.number(row.a / size),
        _numbers.number(row.b / size),
        needed,
        _numbers.number(row.ratio, 2),
        _numbers.number(row.per_watt, 2),
        _numbers.number(row.per_dollar, 2),
    ]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(_("'{given}' is not a day; write 2026-10-09", given=text[:30])) from None


def register(app: Dash, jobs: Jobs) -> None:
    """The page's callbacks."""

    @app.callback(
        Output("c-table", "children"),
        Output("c-plane", "figure"),
        Output("c-history", "figure"),
        Output("c-message", "children"),
        Output("question", "data", allow_duplicate=True),
        Input("c-chips", "value"),
        Input("c-to", "value"),
        Input("c-on", "value"),
        State("url", "search"),
        prevent_initial_call="initial_duplicate",
    )
    def compare(names: list[str] | None, destination: str | None, on: str | None, search: str | None) -> Any:
        from chipweir import facts

        view = read_view(search or "")
        with use_language(view.lang):
            theme, known = _layout.theme_of(view), facts.load()
            try:
                if not names:
                    raise InputError(_("choose at least one chip"))
                names, destination = names[:MOST_CHIPS], destination or "CN"
                day = _day(on or date.today().isoformat())
                made = (
                    specifications(known, names, destination),
                    _layout.fitted(plane(known, names, day, theme)),
                    _layout.fitted(history(known, names, destination, theme)),
                )
            except InputError as error:
                return no_update, no_update, no_update, _layout.problem(str(error)), no_update
            asked = view.ask(c_chips=" ".join(names), c_to=destination, c_on=on or "")
            usual = names == list(DEFAULT_CHIPS) and destination == "CN"
            return *made, None, no_update if usual else asked.query()

    @app.callback(
        Output("c-matched", "children"),
        Output("question", "data", allow_duplicate=True),
        Input("c-match", "n_clicks"),
        State("c-first", "value"),
        State("c-second", "value"),
        State("c-model", "value"),
        State("url", "search"),
        prevent_initial_call="initial_duplicate",
    )
    def match(clicks: int | None, first: str, second: str, model: str, search: str | None) -> Any:
        view = read_view(search or "")
        with use_language(view.lang):
            if not clicks and not view.asked("c.match"):  # an address that names a pair is answered at once
                return no_update, no_update
            try:
                shown: Any = matched(first, second, model)
            except InputError as error:
                shown = _layout.problem(str(error))
            return shown, view.ask(c_match=f"{second} {first}", c_model=model).query()

    del jobs
