"""The Contest page: levers left, numbers and charts in the middle, why on the right."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
import numpy as np
from dash import dcc, html

from chipweir.app import _layout, _levers
from chipweir.app._answer import signed_range, spread
from chipweir.app._engine import SEED, Answer
from chipweir.app._jobs import Job
from chipweir.app._questions import questions
from chipweir.app._state import FIRST_YEAR, LAST_YEAR, OWN_NAME, TABS, View, reference_of, scenario_of
from chipweir.errors import InputError
from chipweir.i18n import _, language
from chipweir.report import (
    HEADLINES,
    N_,
    SCENARIO_STORIES,
    Quantity,
    _access,
    _numbers,
    h100e_text,
    label,
    long_name,
    parameter_text,
    quantities,
    setting_text,
)


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.strategy import Driver, Influence, Trace
    from chipweir.world import Scenario

TAB_NAMES = {
    "compute": N_("Compute"),
    "market": N_("Market"),
    "flows": N_("Flows"),
    "supply": N_("Supply"),
    "models": N_("Models"),
    "korea": N_("Korea"),
}
_MOST_EFFECTS = 8
_MOST_DRIVERS = 12


def page(view: View) -> html.Div:
    """The page of a view; its script builds the levers and paints what the server answers."""
    return html.Div(
        [
            dcc.Store(id="view", data=None),
            dcc.Store(id="refined", data=None),
            dcc.Store(id="asked", data=None),
            html.H1(_("The contest over AI chips"), className="visually-hidden"),
            html.Aside(_left(view), className="left", **_layout.attributes({"aria-label": _("Levers")})),
            html.Section(_middle(view), className="middle", **_layout.attributes({"aria-label": _("Results")})),
            html.Aside(_right(), className="right", **_layout.attributes({"aria-label": _("Why")})),
            dmc.Drawer(
                [
                    html.Div(id="made-numbers"),
                    html.Div(id="made-drivers", role="status"),
                    dcc.Store(id="made-job"),
                    dcc.Interval(id="made-tick", interval=700, disabled=True),
                ],
                id="made",
                position="right",
                size="lg",
                title=_("How this number was made"),
                keepMounted=True,
            ),
        ],
        className="contest single" if view.chart else "contest",
    )


def _questions(view: View) -> html.Details:
    """Questions to begin with; open on arrival, folded once something is asked."""
    links = [html.Li(html.A(each.texts[view.lang], href=each.address(view))) for each in questions()]
    arrived = not view.settings and view.preset == view.against and not view.run
    return html.Details(
        [html.Summary(_("Questions to begin with")), html.Ul(links)], className="questions", open=arrived
    )


def _left(view: View) -> list[Any]:
    from chipweir import world

    presets = [{"value": name, "label": label("scenario", name)} for name in world.preset_names()]
    return [
        html.H2(_("Levers")),
        dmc.Select(
            id="preset", label=_("Start from (scenario B)"), data=presets, value=view.preset, allowDeselect=False
        ),
        dmc.Select(
            id="against", label=_("Compare with (scenario A)"), data=presets, value=view.against, allowDeselect=False
        ),
        dmc.Select(
            id="start",
            label=_("Your changes hold from"),
            data=_starts(view.start),
            value=view.start,
            allowDeselect=False,
            searchable=True,
        ),
        html.Button(_("Undo all changes"), id="reset-all", className="action"),
        _levers.panel(view),
    ]


def _starts(chosen: str) -> list[str]:
    quarters = [f"{year}-{month:02}" for year in range(2023, LAST_YEAR + 1) for month in (1, 4, 7, 10)]
    return sorted({*quarters, "2026-12", chosen})


def _middle(view: View) -> list[Any]:
    years = [{"value": year, "label": str(year)} for year in range(FIRST_YEAR, LAST_YEAR + 1, 2)]
    return [
        _questions(view),
        html.Div(
            [
                html.Div(id="status", className="status", role="status", **_layout.attributes({"aria-live": "polite"})),
                html.Div(
                    [
                        html.Label(_("Year"), id="year-label"),
                        dmc.Slider(
                            id="year",
                            value=view.year,
                            min=FIRST_YEAR,
                            max=LAST_YEAR,
                            step=1,
                            marks=years,
                            thumbLabel=_("Year of the tiles and of the flows"),
                            updatemode="mouseup",
                        ),
                    ],
                    className="year",
                ),
            ],
            className="bar",
        ),
        html.Div(id="message"),
        html.Section(
            [
                html.H2(_("What the numbers say")),
                html.Ul(id="findings"),
                html.Details([html.Summary(_("What is H100e?")), html.P(h100e_text())], className="gloss"),
            ],
            className="findings",
            **_layout.attributes({"aria-label": _("Findings"), "aria-live": "polite"}),
        ),
        html.Div(id="tiles", className="tiles"),
        dmc.Tabs(
            [
                dmc.TabsList([dmc.TabsTab(_(TAB_NAMES[name]), value=name) for name in TABS]),
                *(dmc.TabsPanel(html.Span(className="visually-hidden"), value=name) for name in TABS),
            ],
            id="tab",
            value=view.tab,
            **_layout.attributes({"aria-label": _("Charts")}),
        ),
        html.Div(id="charts", className="charts"),
    ]


def _right() -> list[Any]:
    return [
        html.H2(_("Why")),
        html.Div(id="why"),
        html.Details(
            [html.Summary(_("Reproduce")), html.Div(id="reproduce")],
            id="reproduce-box",
            className="box",
        ),
        html.Details(
            [
                html.Summary(_("Take away")),
                html.Div(
                    [
                        html.Button(_("Scenario (YAML)"), id="get-yaml"),
                        html.Button(_("Numbers (CSV)"), id="get-csv"),
                        html.Button(_("Report (HTML)"), id="get-report"),
                        html.P(
                            _(
                                "Under each chart: its numbers (CSV), picture (PNG, SVG), code for another page, "
                                "and its own address."
                            ),
                            className="note",
                        ),
                    ],
                    className="take-away",
                ),
                html.Div(id="report-state", role="status"),
                html.Button(_("Cancel"), id="report-cancel", className="action", hidden=True),
                dcc.Download(id="download"),
                dcc.Store(id="report-job"),
                dcc.Interval(id="report-tick", interval=700, disabled=True),
            ],
            className="box",
            open=True,
        ),
        html.Details(
            [
                html.Summary(_("Save to the run store")),
                dcc.Input(
                    id="save-name",
                    type="text",
                    placeholder=_("name, such as stricter-hubs"),
                    maxLength=60,
                    debounce=True,
                ),
                html.Button(_("Save"), id="save"),
                html.Div(id="save-state", role="status"),
                html.Button(_("Cancel"), id="save-cancel", className="action", hidden=True),
                dcc.Store(id="save-job"),
                dcc.Interval(id="save-tick", interval=700, disabled=True),
            ],
            className="box",
        ),
    ]


def why(view: View, effects: Sequence[tuple[str, str]] | None) -> list[Any]:
    """What was changed, what each change does on its own, and the facts behind the levers."""
    if not view.settings and view.preset == view.against:
        return [html.P(_("Move a lever to see what changes, and why."))]
    parts: list[Any] = []
    if view.settings:
        parts.append(html.H3(_("You changed, from {month}", month=view.start)))
        parts.append(html.Ul([html.Li(setting_text(name, value)) for name, value in view.settings]))
    else:
        parts += _preset_story(scenario_of(view))
    if effects:
        parts.append(html.H3(_("What each change does alone to Chinese compute in {year}", year=view.year)))
        parts.append(_layout.table([_("Lever"), _("Effect")], effects, _("Effects of single levers")))
        parts.append(html.P(_("Effects do not add up where levers work on the same bottleneck."), className="note"))
    parts.append(_law(view.start, view.lang))
    return parts


_LAW_CHIPS = ("nvidia-h20", "nvidia-h200-sxm", "nvidia-b200")


@lru_cache(64)
def _law(month: str, lang: str) -> html.Details:
    """What the rules themselves say about three chips for China in a month, with links that ask on the Rules page."""
    from chipweir import rules
    from chipweir.app._rules_page import titled_basis

    rows = []
    for chip in _LAW_CHIPS:
        asked = {"item": chip, "from": "US", "to": "CN", "hq": "CN", "export_date": f"{month}-01"}
        found = rules.decide(rules.Shipment.of(asked), trace=False)
        link = dcc.Link(found.name, href=f"/rules?lang={lang}&r.chip={chip}&r.from=US&r.to=CN&r.hq=CN&r.on={month}-01")
        rows.append((link, rules.status_text(found), titled_basis(found.basis)))
    table = _layout.table([_("Chip"), _("Outcome"), _("Basis")], rows, _("Rules in force for China"))
    return html.Details([html.Summary(_("Rules in force for China")), table], className="box")


def _preset_story(scenario: "Scenario") -> list[Any]:
    parts: list[Any] = [
        html.H3(label("scenario", scenario.name)),
        html.P(_(SCENARIO_STORIES.get(scenario.name, scenario.description))),
    ]
    if scenario.sources:
        parts.append(
            html.Details([html.Summary(_("Sources")), html.Ul([html.Li(source) for source in scenario.sources])])
        )
    return parts


def single_effects(view: View, ask: Callable[["Scenario", "Scenario"], Answer]) -> list[tuple[str, str]]:
    """(lever, change in Chinese compute against A) with each of the view's settings alone, the largest first."""
    rows = []
    for name, value in view.settings[:_MOST_EFFECTS]:
        alone = scenario_of(replace(view, settings=((name, value),)))
        answer = ask(reference_of(view), alone)
        found = _access.series(answer.results, _access.delta_name("compute"), answer.names[1], region="CHN")
        index = None if found is None else _access.month_index(found.months, view.year)
        if found is None or index is None:
            continue
        low, high, _coverage = spread(found, index)
        middle = float(found.median[index])
        rows.append((abs(middle), setting_text(name, value), signed_range(middle, low, high, "count")))
    return [(lever, text) for _size, lever, text in sorted(rows, key=lambda row: -row[0])]


def commands(view: View, members: int) -> tuple[str, str]:
    """(shell line, Python lines) that give the page's numbers; a changed scenario B is saved as `mine.yaml`."""
    second = scenario_of(view)
    names = list(dict.fromkeys([view.against, f"{OWN_NAME}.yaml" if second.name == OWN_NAME else second.name]))
    shell = f"chipweir run {' '.join(names)} --members {members} --seed {SEED}"
    loads = ", ".join(f'world.load_scenario("{name}")' for name in names)
    python = "\n".join(
        [
            "from chipweir import facts, world",
            "",
            f"scenarios = [{loads}]",
            f"results = world.run_ensemble(scenarios, facts.load(), members={members}, seed={SEED})",
            'print(results["compute"].sel(region="CHN", month="2030-12-01"))',
        ]
    )
    return shell, python


def reproduce(view: View, members: int) -> list[Any]:
    """The panel that lets anyone get the same numbers."""
    second = scenario_of(view)
    shell, python = commands(view, members)
    parts: list[Any] = []
    if second.name == OWN_NAME:
        parts += [html.H3(f"{OWN_NAME}.yaml"), _layout.code(second.to_yaml(), "yaml-text")]
    parts += [html.H3(_("Command")), _layout.code(shell, "command-text")]
    parts += [html.H3("Python"), _layout.code(python, "python-text")]
    return parts


def csv_text(results: "xr.Dataset") -> str:
    """Every headline quantity by scenario, month and quantile, as CSV with units."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["quantity", "unit", "scenario", "month", *(f"q{q:g}" for q in results["quantile"].values)])
    for item in quantities(results):
        for name in _access.scenarios(results):
            found = _access.require(results, item.variable, name, **item.selection)
            for index, month in enumerate(found.months):
                values = [f"{value:.6g}" for value in found.values[:, index]]
                writer.writerow([item.key, found.unit, name, str(month), *values])
    return out.getvalue()


def made(view: View, answer: Answer, key: str) -> list[Any]:
    """How a headline number was made: its numbers by year, its equations, its facts and parameters."""
    item = next((each for each in quantities(answer.results) if each.key == key), None)
    if item is None:
        raise InputError(_("this run holds no '{what}'", what=key))
    rows = []
    for name in dict.fromkeys(answer.names):
        found = _access.require(answer.results, item.variable, name, **item.selection)
        for year in (2024, 2026, 2028, view.year):
            index = _access.month_index(found.months, year)
            if index is not None:
                low, high, _coverage = spread(found, index)
                rows.append(
                    (
                        f"{label('scenario', name)} {year}",
                        _numbers.quantity(float(found.median[index]), item.kind),
                        _numbers.interval(low, high, item.kind),
                    )
                )
    parts: list[Any] = [
        html.H3(item.text()),
        html.P(long_name(item.variable)),
        _layout.table(["", _("median"), _("interval")], list(dict.fromkeys(rows)), item.text()),
    ]
    return parts


def explained(view: View, key: str, job: Job) -> tuple[str, "Trace", "Trace | None"]:
    """A headline number's key, its trace in scenario B, and in A where that is another. Raises `InputError`."""
    from chipweir import facts, strategy

    item = HEADLINES[key]
    known = facts.load()
    first, second = reference_of(view), scenario_of(view)

    def trace(scenario: "Scenario") -> "Trace":
        return strategy.explain(scenario, known, item.variable, f"{view.year}-12", _MOST_DRIVERS, **item.selection)

    job.report(0.1)
    own = trace(second)
    job.report(0.6)
    return key, own, None if first.digest == second.digest else trace(first)


def drivers(key: str, own: "Trace", other: "Trace | None") -> list[Any]:
    """Parameters that move a headline number, and the change against A, most; the equations in order; the facts."""
    item = HEADLINES[key]
    parts: list[Any] = [html.H3(_("Parameters that move it most")), _driver_table(own.drivers, item)]
    if other is not None:
        before = {driver.parameter: driver.effect for driver in other.drivers}
        moved = [replace(d, effect=d.effect - before.get(d.parameter, 0.0), relative=float("nan")) for d in own.drivers]
        moved.sort(key=lambda driver: -abs(driver.effect))
        parts += [html.H3(_("Parameters that move the change against A most")), _driver_table(moved[:5], item)]
    equations = [
        html.Li(
            [e.words_ko if language() == "ko" else e.words, html.Pre(f"{e.formula}  [{e.function}]", className="text")]
        )
        for e in own.equations
    ]
    parts += [html.Details([html.Summary(_("Equations, in the order in which they act")), html.Ol(equations)])]
    parts += [
        html.H3(_("Facts that went in")),
        html.Ul([html.Li(_influence(each)) for each in (*own.facts, *own.chips)]),
    ]
    note = _("value at the median of all parameters, which is not the median of the ensemble")
    parts.append(html.P(note, className="note"))
    return parts


def _driver_table(rows: Sequence["Driver"], item: Quantity) -> html.Div:
    unit = "" if item.kind in ("usd", "share") else f" {item.unit()}"

    def effect(driver: "Driver") -> str:
        absolute = _numbers.signed(driver.effect, item.kind) + unit
        if not np.isfinite(driver.relative):
            return absolute
        sign = "+" if driver.relative > 0 else ""
        return f"{absolute} ({sign}{_numbers.share(driver.relative)})"

    cells = [
        (
            html.Span(driver.parameter, title=driver.source),
            parameter_text(driver.parameter) or driver.description,
            effect(driver),
        )
        for driver in rows
    ]
    head = [_("Parameter"), _("What it is"), _("one standard deviation up")]
    return _layout.table(head, cells, _("Parameters that move it most"))


def _influence(each: "Influence") -> list[Any]:
    """A fact or chip that moves the number, with what a per cent of it does."""
    return [_fact_link(each.id), " ", _("{slope} % per %", slope=f"{each.slope:+.3f}")]


def _fact_link(name: str) -> dcc.Link:
    return dcc.Link(name, href=f"/facts?f.words={name.split('..')[0].lower()}")
