"""The page on how far to believe the model: forecasts from earlier days scored, and every published figure beside it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from chipweir.app import _layout
from chipweir.app._jobs import Job, Jobs
from chipweir.app._state import View, read_view
from chipweir.errors import InputError
from chipweir.i18n import _, language, use_language
from chipweir.report import (
    _numbers,
    backtest_records,
    backtest_sentences,
    credibility_record,
    figures,
    published_records,
    within,
)


if TYPE_CHECKING:
    from chipweir.calibration import Verdict

_WORST = 12


def page(view: View) -> html.Div:
    """The scores in words, their table and curve, the worst misses, others' forecasts, and the figures on request."""
    from chipweir.calibration import shipped_backtest

    found = shipped_backtest()
    spec = figures.reliability.spec(found, theme=_layout.theme_of(view))
    title = str(spec["layout"]["title"]["text"])
    return html.Div(
        [
            html.H1(_("How far to believe it")),
            html.P(
                _(
                    "At each cut-off only what was known then counts, and what came in the following months is forecast. "
                    "CRPS is the score of a whole forecast in logs: 0.1 is about a tenth of the number, smaller is better. "
                    "Beside it stand forecasts without a model, of the same figures."
                ),
                className="lead",
            ),
            html.Section(
                [
                    html.H2(_("What the numbers say")),
                    html.Ul([html.Li(text) for text in backtest_sentences(found)]),
                    html.P(_("Scored on {day} by `chipweir backtest`.", day=found["made"]), className="note"),
                ],
                className="findings",
            ),
            html.H2(_("Would it have known? Forecasts from earlier days, scored")),
            _table(backtest_records(found), _("Back-test")),
            html.Div([_layout.graph("b-curve", spec, title)], className="charts wide"),
            html.H2(_("The worst misses")),
            _table(worst(found), _("The worst misses")),
            html.H2(_("Forecasts that others published, beside the model's")),
            _table(published_records(found), _("Forecasts that others published, beside the model's")),
            html.H2(_("Published figures beside the model")),
            html.P(
                _("Every published figure that can be compared is simulated anew with 1,000 members: a minute or two.")
            ),
            html.Button(_("Compare them now"), id="b-run", className="action primary"),
            html.Button(_("Cancel"), id="b-cancel", className="action", hidden=True),
            html.Div(id="b-state", role="status", **_layout.attributes({"aria-live": "polite"})),
            dcc.Store(id="b-job"),
            dcc.Interval(id="b-tick", interval=700, disabled=True),
            html.Div(id="b-figures"),
        ]
    )


def worst(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """The forecasts (rules known) that what came lay farthest from, as texts by column name."""
    rows = [
        (each["as_of"], row) for each in document["cutoffs"] if each["mode"] == "rules known" for row in each["rows"]
    ]
    found = sorted(rows, key=lambda pair: -pair[1]["crps"])[:_WORST]
    return [
        {
            _("cut-off"): day,
            _("quantity"): row["label_ko"] if language() == "ko" else row["label"],
            _("Period"): f"{row['start']} – {row['end']}",
            **{f"{level} %": _numbers.number(row[f"p{level}"]) for level in (10, 50, 90)},
            _("came"): _numbers.number(row["observed"]),
        }
        for day, row in found
    ]


def _table(records: Sequence[Mapping[str, str]], caption: str) -> html.Div:
    head = list(records[0]) if records else []
    return _layout.table(head, [list(row.values()) for row in records], caption)


def compared(job: Job) -> "list[Verdict]":
    """Every published figure beside prior and posterior."""
    from chipweir import facts
    from chipweir.calibration import credibility
    from chipweir.library import keep_compiled

    keep_compiled()
    return credibility(facts.load(), tell=job.report)


def compared_shown(verdicts: "Sequence[Verdict]") -> list[Any]:
    """Counts in words, and the figures, those that do not fit first."""
    from chipweir.calibration import summary

    rows = [verdict.as_dict() for verdict in verdicts]
    found = summary(verdicts)
    told = _(
        "Of {count} two-sided figures that are no input of the model, its 80 % intervals hold {share} (members alone), and "
        "{foretold} with the errors of source and model.",
        count=found["two_sided"],
        share=_numbers.share(found["fitted_80"]),
        foretold=_numbers.share(found["foretold_80"]),
    )
    return [
        html.P(html.B(told)),
        _table([credibility_record(row) for row in misses_first(rows)], _("Published figures beside the model")),
    ]


def misses_first(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Figures outside the 80 % interval, then those whose source's range meets it, those inside, and the model's inputs."""
    return sorted(rows, key=lambda row: (bool(row["echo"]), within(row), within(row, own_range=True)))


def register(app: Dash, jobs: Jobs) -> None:
    """The page's callbacks."""

    @app.callback(
        Output("b-figures", "children"),
        Output("b-state", "children"),
        Output("b-job", "data"),
        Output("b-tick", "disabled"),
        Output("b-cancel", "hidden"),
        Input("b-run", "n_clicks"),
        Input("b-tick", "n_intervals"),
        State("b-job", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def run(clicks: int | None, _ticks: int, identifier: str | None, query: str | None) -> Any:
        with use_language(read_view(query or "").lang):
            if ctx.triggered_id == "b-run" and clicks:
                try:
                    return no_update, _("running …"), jobs.start(compared), False, False
                except InputError as error:
                    return no_update, str(error), None, True, True
            return _layout.looked_after(jobs, identifier, compared_shown)

    @app.callback(Input("b-cancel", "n_clicks"), State("b-job", "data"), prevent_initial_call=True)
    def cancel(clicks: int | None, identifier: str | None) -> None:
        if clicks:
            jobs.cancel(identifier or "")
