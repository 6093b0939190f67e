"""The Strategy page: how an actor's options fare over many futures, from the shipped answer or one made here."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from chipweir.app import _layout
from chipweir.app._jobs import Job, Jobs
from chipweir.app._state import View, read_view
from chipweir.errors import InputError
from chipweir.i18n import _, language, use_language
from chipweir.report import ACTORS, _numbers, criteria_tables, figures


SHIPPED = Path(__file__).parent / "data" / "advice-korea.json"
PLAYERS = {"korea": "Korea", "us": "US", "china": "China"}
# A visitor chooses among these, so that the worlds kept on disk stay few.
FUTURES = (16, 64, 128, 500)
SEED = 1
Document = Mapping[str, Any]


def page(view: View) -> html.Div:
    """The question, the shipped answer for Korea, and a way to have one of more futures or another actor."""
    actors = [{"value": name, "label": _(ACTORS[actor])} for name, actor in PLAYERS.items()]
    return html.Div(
        [
            html.H1(_("What to do: options over many futures")),
            html.P(
                _(
                    "Each option is a bundle of levers. It meets the same futures as the others: draws of what is "
                    "uncertain and choices of the other sides. Weights are equal unless you give others on the command "
                    "line; no score is hidden."
                ),
                className="lead",
            ),
            html.Div(
                [
                    dmc.Select(id="y-actor", label=_("Whose options"), data=actors, value="korea", allowDeselect=False),
                    dmc.Select(
                        id="y-futures",
                        label=_("Draws of the future"),
                        data=[{"value": str(each), "label": str(each)} for each in FUTURES],
                        value=str(FUTURES[0]),
                        allowDeselect=False,
                    ),
                    html.Button(_("Run it here"), id="y-run", className="action primary"),
                    html.Button(_("Cancel"), id="y-cancel", className="action", hidden=True),
                ],
                className="controls",
            ),
            html.Div(id="y-state", role="status", **_layout.attributes({"aria-live": "polite"})),
            dcc.Store(id="y-job"),
            dcc.Interval(id="y-tick", interval=700, disabled=True),
            html.Div(answered(view, shipped()), id="y-answer"),
        ]
    )


@cache
def shipped() -> Document:
    """The shipped answer for Korea: what `chipweir advise korea --json` gives, and what made it."""
    found: Document = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return found


def answered(view: View, document: Document) -> list[Any]:
    """An answer: in words first, then figures, the options with their reasons, and every criterion in its own unit."""
    theme = _layout.theme_of(view)
    drawn = [
        figures.regret_heat.spec(document, theme=theme),
        figures.shares_of_weights.spec(document, theme=theme),
        figures.winners_of_weights.spec(document, theme=theme),
    ]
    charts = [_layout.graph(f"y-{n}", spec, _title(spec), spec["layout"]["height"]) for n, spec in enumerate(drawn)]
    sentences = [html.Li(text) for text in document["sentences"][language()]]
    return [
        html.Section(
            [html.H2(_("What the numbers say")), html.Ul(sentences), html.P(_made(document), className="note")],
            className="findings",
        ),
        html.Div(charts, className="charts wide"),
        html.H2(_("The options")),
        _options(document),
        html.H2(_("Criteria")),
        *(
            part
            for table in criteria_tables(document)
            for part in (
                html.H3(table["title"]),
                _layout.table(table["head"], table["rows"], table["title"]),
                html.P(table["note"], className="note"),
            )
        ),
        html.Details(
            [html.Summary(_("Reproduce")), _layout.code(_command(document), "y-command")], className="box", open=True
        ),
    ]


def _title(spec: Mapping[str, Any]) -> str:
    return str(spec["layout"]["title"]["text"])


def _made(document: Document) -> str:
    """What the answer was made from."""
    said = _(
        "{futures} draws of the future, {count} choices of others, seed {seed}.",
        futures=_numbers.whole(document["futures"]), count=len(document["choices"]), seed=document["seed"],
    )  # fmt: skip
    made = document.get("made")
    if made is None:
        return said
    return said + " " + _("Made by Chipweir {version} on {day}.", version=made["version"], day=made["day"])


def _command(document: Document) -> str:
    return (
        f"chipweir advise {document['actor']} --futures {document['futures']} --seed {document['seed']} --write advice"
    )


def _options(document: Document) -> html.Div:
    """Options by what they are for, who proposes them, and how often they are best."""
    from chipweir.strategy import percent, shipped_options

    reasons = {option.name: option for option in shipped_options(document["actor"])}
    rows = []
    for option in document["options"]:
        own = reasons.get(option["name"])
        best = (
            _numbers.MISSING
            if option["bound"]
            else f"{percent(option['best_share'])}, {percent(option['weight_share'])}"
        )
        rows.append(
            [
                _said(option["title"]),
                best,
                f"{option['mean_regret']:.3f}; {option['max_regret']:.3f}",
                _said(own.reason) if own else "",
                own.proposed_by if own else "",
                "; ".join(own.sources) if own else "",
            ]
        )
    head = [
        _("Option"), _("Best in futures, over all weights"), _("Regret: mean; largest"), _("Reasoning"),
        _("Who proposes it"), _("Sources"),
    ]  # fmt: skip
    return _layout.table(head, rows, _("The options"))


def _said(text: Mapping[str, str]) -> str:
    return text.get(language()) or text["en"]


def advice(actor: str, futures: int, job: Job) -> Document:
    """What `chipweir advise` answers for the shipped options. Raises `InputError`."""
    from chipweir import facts, store, strategy
    from chipweir.library import keep_compiled

    if actor not in PLAYERS or futures not in FUTURES:
        raise InputError(_("choose an actor and a number of draws"))
    keep_compiled()
    options = strategy.shipped_options(actor)
    empty = strategy.empty_options(options)
    order = strategy.Order(
        actor,
        tuple(option for option in options if option not in empty),
        strategy.shipped_choices(actor),
        strategy.shipped_criteria(actor),
        futures,
        SEED,
    )
    directory = store.runs_directory()
    store.prepare(directory)
    found = strategy.advise(strategy.run_experiments(order, facts.load(), directory, map, job.report))
    command = f"chipweir advise {actor} --futures {futures}"
    document: Document = strategy.advice_document(found, strategy.advice_sentences(found, False, command))
    return document


def register(app: Dash, jobs: Jobs) -> None:
    """The page's callbacks."""

    @app.callback(
        Output("y-answer", "children"),
        Output("y-state", "children"),
        Output("y-job", "data"),
        Output("y-tick", "disabled"),
        Output("y-cancel", "hidden"),
        Input("y-run", "n_clicks"),
        Input("y-tick", "n_intervals"),
        State("y-actor", "value"),
        State("y-futures", "value"),
        State("y-job", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def run(
        clicks: int | None,
        _ticks: int,
        actor: str | None,
        futures: str | None,
        identifier: str | None,
        query: str | None,
    ) -> Any:
        from dash import ctx

        view = read_view(query or "")
        with use_language(view.lang):
            if ctx.triggered_id == "y-run" and clicks:
                try:
                    started = jobs.start(lambda job: advice(str(actor), int(futures or 0), job))
                except (InputError, ValueError) as error:
                    return no_update, str(error), None, True, True
                return no_update, _("running …"), started, False, False
            return _layout.looked_after(jobs, identifier, lambda found: answered(view, found))

    @app.callback(Input("y-cancel", "n_clicks"), State("y-job", "data"), prevent_initial_call=True)
    def cancel(clicks: int | None, identifier: str | None) -> None:
        if clicks:
            jobs.cancel(identifier or "")
