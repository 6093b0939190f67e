"""The application: pages, callbacks and what guards them."""

from collections.abc import Callable, Collection
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from functools import wraps
from html import escape as html_text
from typing import Any

import dash
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from chipweir.app import (
    _answer,
    _believe_page,
    _chips_page,
    _claims_page,
    _contest,
    _facts_page,
    _guard,
    _layout,
    _requests,
    _rules_page,
    _strategy_page,
)
from chipweir.app._answers import BETTER_SECONDS, FIRST_SECONDS, HAVE, Answers, problem
from chipweir.app._engine import FULL_MEMBERS, Answer, Asker, Engine
from chipweir.app._guard import Guard, Rate
from chipweir.app._jobs import Job, Jobs
from chipweir.app._live import Live
from chipweir.app._saved import save
from chipweir.app._state import View, read_view, scenario_of
from chipweir.errors import InputError
from chipweir.i18n import _, composed, use_language
from chipweir.report import _numbers, drawn_csv


LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Page(Dash):
    """Dash with the page's language in its first line."""

    def interpolate_index(self, **kwargs: Any) -> str:  # type: ignore[override]
        """The HTML that everything is put into."""
        from flask import request

        lang = "ko" if request.args.get("lang") == "ko" else "en"
        with use_language(lang):
            title = html_text(
                _layout.title_of(request.path, read_view(request.query_string.decode("utf-8", "replace")))
            )
        return f"""<!doctype html>
<html lang="{lang}">
<head>
{kwargs["metas"]}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{kwargs["css"]}
</head>
<body>
{kwargs["app_entry"]}
<footer class="scripts">
{kwargs["config"]}
{kwargs["scripts"]}
{kwargs["renderer"]}
</footer>
</body>
</html>"""


def create_app(
    engine: Engine | None = None,
    *,
    token: str | None = None,
    hosts: Collection[str] | None = LOOPBACK,
    rate: Rate | None = None,
    behind_proxy: bool = False,
) -> Dash:
    """The playground as a Dash application; `.server` is its WSGI application.

    `hosts` are the names it answers to, `token` what a visitor must bring (None: only visitors of this machine are
    answered, unless it is `behind_proxy`).
    """
    private = token is None and not behind_proxy
    app = pages(Answers(engine or Engine(Live()), private=private))
    _guard.install(app.server, Guard(token, hosts, rate, behind_proxy=behind_proxy))
    return app


def pages(answers: Answers) -> Dash:
    """The application without a guard: for a server that has its own."""
    app = Page(
        __name__,
        serve_locally=True,
        suppress_callback_exceptions=True,
        update_title="",
        title="Chipweir",
        add_log_handler=False,
        on_error=_failed,
    )
    app.layout = html.Div(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="lang", data="en"),
            dcc.Store(id="question"),
            html.Div(id="failure", role="alert", className="failure"),
            html.Div(id="page"),
        ]
    )
    jobs = Jobs(who=_visitor)
    _navigation(app)
    _contest_script(app)
    _contest_answers(app, answers)
    _contest_unfolding(app, answers, jobs)
    _contest_downloads(app, answers, jobs)
    _contest_saving(app, jobs, answers.private)
    _contest_cancelling(app, jobs)
    for page in (_chips_page, _rules_page, _claims_page, _facts_page, _strategy_page, _believe_page):
        page.register(app, jobs)
    app._setup_server()  # type: ignore[no-untyped-call]  # the map of callbacks is complete from here on
    _requests.install(app.server, app.callback_map)
    return app


def _visitor() -> str:
    """Whose request is being answered: a browser, or an address where it keeps no cookies."""
    asked = _guard.asked_of_flask()
    return asked.cookies.get(_guard.VISITOR_COOKIE, "")[:40] or asked.client


def _failed(error: Exception) -> None:
    """Tell the visitor that something went wrong, and the log what; the page stays as it was."""
    import logging

    message = str(error) if isinstance(error, InputError) else f"this did not work ({type(error).__name__})"
    if not isinstance(error, InputError):
        logging.getLogger("chipweir.app").error("a callback failed", exc_info=error)
    dash.set_props("failure", {"children": message})


def _content(path: str, view: View) -> Any:
    match path.rstrip("/") or "/":
        case "/":
            return _contest.page(view)
        case "/chips":
            return _chips_page.page(view)
        case "/rules":
            return _rules_page.page(view)
        case "/claims":
            return _claims_page.page(view)
        case "/facts":
            return _facts_page.page(view)
        case "/believe":
            return _believe_page.page(view)
        case "/strategy":
            return _strategy_page.page(view)
        case _:
            return _layout.problem(_("there is no such page"))


def _navigation(app: Dash) -> None:
    @app.callback(Output("page", "children"), Output("lang", "data"), Input("url", "pathname"), Input("url", "search"))
    def show(path: str | None, search: str | None) -> Any:
        view = read_view(search or "")
        with use_language(view.lang):
            path = path or "/"
            try:
                content = _content(path, view)
            except InputError as error:
                content = _layout.problem(str(error))
            return _layout.frame(path, view, content), view.lang

    script = "chipweir"
    browser: Any = app
    browser.clientside_callback(
        dash.ClientsideFunction(script, "language"),
        Output("language", "title"),
        Input("language", "n_clicks"),
        State("language", "value"),
        prevent_initial_call=True,
    )
    browser.clientside_callback(dash.ClientsideFunction(script, "question"), Input("question", "data"))
    browser.clientside_callback(
        dash.ClientsideFunction(script, "theme"),
        Output("theme", "title"),
        Input("theme", "n_clicks"),
        State("theme", "value"),
        prevent_initial_call=True,
    )


def _contest_script(app: Any) -> None:
    """What the browser does by itself."""
    script = "chipweir"
    app.clientside_callback(
        dash.ClientsideFunction(script, "options"),
        Input("against", "value"),
        Input("start", "value"),
        Input("year", "value"),
        Input("tab", "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        dash.ClientsideFunction(script, "restore"), Input("reset-all", "n_clicks"), prevent_initial_call=True
    )
    app.clientside_callback(
        dash.ClientsideFunction(script, "preset"),
        Output("url", "search"),
        Input("preset", "value"),
        prevent_initial_call=True,
    )


def in_language(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a callback whose first argument is the page's query in the language that the query names."""

    @wraps(function)
    def wrapped(query: str | None, *args: Any) -> Any:
        view = read_view(query or "")
        with use_language(view.lang):
            return function(view, *args)

    return wrapped


def _contest_answers(app: Dash, answers: Answers) -> None:
    """What the page's script asks for, where no front takes it: the answer to an address, a better one (else 204)."""
    from flask import Response, request

    def shown(wish: Callable[[View], "Future[Answer] | None"], seconds: float) -> Response:
        view = read_view(request.query_string.decode("utf-8", "replace"))
        try:
            future = wish(view)
            if future is None:
                return Response(status=204)
            content = answers.reply(view, future.result(seconds))
        except (TimeoutError, CancelledError):
            return Response(status=204)
        except InputError as error:
            content = problem(view, error)
        return Response(content, mimetype="application/json")

    def asker() -> Asker:
        return _guard.asked_of_flask().asker()

    def answer() -> Response:
        return shown(lambda view: answers.first(view, asker()), FIRST_SECONDS)

    def refined() -> Response:
        return shown(lambda view: answers.better(view, request.headers.get(HAVE, ""), asker()), BETTER_SECONDS)

    app.server.add_url_rule("/answer", view_func=answer)
    app.server.add_url_rule("/refined", view_func=refined)

    def table() -> Response:
        view = read_view(request.query_string.decode("utf-8", "replace"))
        with use_language(view.lang):
            try:
                text = drawn_csv(_answer.chart(view, answers.now(view)))
            except InputError as error:
                return Response(f"{composed(str(error))}\n", 404, mimetype="text/plain")
        return Response("\ufeff" + text, mimetype="text/csv")

    app.server.add_url_rule("/chart.csv", view_func=table)

    @app.callback(
        Output("why", "children"),
        Output("reproduce", "children"),
        Input("view", "data"),
        Input("refined", "data"),
        prevent_initial_call=True,
    )
    @in_language
    def explain(view: View, refined: str | None) -> Any:
        effects = (
            _contest.single_effects(view, answers.engine.quick) if refined and read_view(refined) == view else None
        )
        return _contest.why(view, effects), _contest.reproduce(view, FULL_MEMBERS)


def _contest_unfolding(app: Dash, answers: Answers, jobs: Jobs) -> None:
    """A tile opens: its numbers at once, what moves it when the derivatives are there."""

    @app.callback(
        Output("made", "opened"),
        Output("made-numbers", "children"),
        Output("made-drivers", "children"),
        Output("made-job", "data"),
        Output("made-tick", "disabled"),
        Input("asked", "data"),
        Input("made-tick", "n_intervals"),
        State("view", "data"),
        State("made-job", "data"),
        prevent_initial_call=True,
    )
    def unfold(asked: dict[str, Any] | None, _ticks: int, query: str | None, identifier: str | None) -> Any:
        same = (no_update,) * 5
        view = read_view(query or "")
        with use_language(view.lang):
            if ctx.triggered_id == "made-tick":
                job = jobs.get(identifier or "")
                if job is not None and not job.finished:
                    return same
                shown = _contest.drivers(*job.result) if job and job.result else html.P(job.error if job else "")
                return no_update, no_update, shown, None, True
            if not asked or query is None:
                return same
            key = str(asked.get("key", ""))
            numbers = _contest.made(view, answers.now(view), key)
            if view.run:
                return True, numbers, None, None, True
            try:
                started = jobs.start(lambda job: _contest.explained(view, key, job))
            except InputError as error:
                return True, numbers, html.P(str(error)), None, True
            return True, numbers, html.P(_("differentiating the model …")), started, False


def _contest_saving(app: Dash, jobs: Jobs, private: bool) -> None:
    @app.callback(
        Output("save-state", "children"),
        Output("save-job", "data"),
        Output("save-tick", "disabled"),
        Input("save", "n_clicks"),
        Input("save-tick", "n_intervals"),
        State("save-name", "value"),
        State("view", "data"),
        State("save-job", "data"),
        prevent_initial_call=True,
    )
    def keep(clicks: int | None, _ticks: int, name: str | None, query: str | None, identifier: str | None) -> Any:
        view = read_view(query or "")
        with use_language(view.lang):
            if ctx.triggered_id == "save" and clicks:
                owner = "" if private else _visitor()
                try:
                    started = jobs.start(lambda job: save(view, (name or "").strip(), job, owner))
                except InputError as error:
                    return str(error), None, True
                return _("running …"), started, False
            job = jobs.get(identifier or "")
            if job is None:
                return no_update, None, True
            if not job.finished:
                return _("running … {share}", share=_numbers.share(job.done)), no_update, no_update
            if job.error:
                return job.error, None, True
            link = replace(View(), lang=view.lang, theme=view.theme, run=job.result).query()
            return [_("saved: "), dcc.Link(job.result, href=f"/?{link}")], None, True


def _contest_cancelling(app: Any, jobs: Jobs) -> None:
    """The report and the saved run can be given up while they are at work."""
    for kind in ("report", "save"):
        app.clientside_callback(
            dash.ClientsideFunction("chipweir", "same"),
            Output(f"{kind}-cancel", "hidden"),
            Input(f"{kind}-tick", "disabled"),
        )

        @app.callback(Input(f"{kind}-cancel", "n_clicks"), State(f"{kind}-job", "data"), prevent_initial_call=True)  # type: ignore[untyped-decorator]
        def cancel(clicks: int | None, identifier: str | None) -> None:
            if clicks:
                jobs.cancel(identifier or "")


def _contest_downloads(app: Dash, answers: Answers, jobs: Jobs) -> None:
    @app.callback(
        Output("download", "data"),
        Output("report-job", "data"),
        Output("report-tick", "disabled"),
        Output("report-state", "children"),
        Input("get-yaml", "n_clicks"),
        Input("get-csv", "n_clicks"),
        Input("get-report", "n_clicks"),
        Input("report-tick", "n_intervals"),
        State("view", "data"),
        State("report-job", "data"),
        prevent_initial_call=True,
    )
    def take(_yaml: int, _csv: int, _report: int, _ticks: int, query: str | None, job: str | None) -> Any:
        view = read_view(query or "")
        with use_language(view.lang):
            try:
                match ctx.triggered_id:
                    case "get-yaml":
                        second = scenario_of(view)
                        return _layout.download(second.to_yaml(), f"{second.name}.yaml"), no_update, no_update, ""
                    case "get-csv":
                        found = answers.now(view)
                        text = _contest.csv_text(found.results)
                        return _layout.download("\ufeff" + text, "chipweir.csv"), no_update, no_update, ""
                    case "get-report":
                        started = jobs.start(lambda work: _report_text(work, answers, view))
                        return no_update, started, False, _("writing the report …")
                    case _:
                        return _collect(jobs, job)
            except InputError as error:
                return no_update, None, True, str(error)


def _report_text(job: Job, answers: Answers, view: View) -> str:
    from chipweir.report import render_html

    found = answers.now(view)
    job.report(0.5)
    shell, _python = _contest.commands(view, found.members)
    return render_html(found.results, lang=view.lang, extras={"command": shell})


def _collect(jobs: Jobs, identifier: str | None) -> Any:
    job = jobs.get(identifier or "")
    if job is None:
        return no_update, None, True, _("the report is no longer there; make it again")
    if not job.finished:
        return no_update, no_update, False, no_update
    if job.error:
        return no_update, None, True, job.error
    return _layout.download(job.result, "chipweir-report.html"), None, True, _("the report is ready")
