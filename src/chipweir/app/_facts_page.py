"""The Facts page: search what is known, see who says so and who disagrees, take it away."""

import csv
import io
from typing import Any
from urllib.parse import urlsplit

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from chipweir.app import _layout
from chipweir.app._jobs import Jobs
from chipweir.app._state import View, read_view
from chipweir.i18n import _, use_language
from chipweir.report import KINDS, Line, _numbers, find, trusted


MOST_SHOWN = 60


def page(view: View) -> html.Div:
    """Search field, kind, results."""
    kinds = [
        {"value": "", "label": _("everything")},
        *({"value": key, "label": _(text)} for key, text in KINDS.items()),
    ]
    return html.Div(
        [
            html.H1(_("What is known, and who says so")),
            html.Div(
                [
                    dmc.TextInput(
                        id="f-words",
                        label=_("Search"),
                        value=view.asked("f.words"),
                        placeholder="H20 910C HBM",
                        debounce=300,
                    ),
                    dmc.Select(
                        id="f-kind", label=_("Kind"), data=kinds, value=view.asked("f.kind"), allowDeselect=False
                    ),
                    html.Button(_("Download (CSV)"), id="f-save", className="action"),
                ],
                className="controls",
            ),
            html.Div(id="f-found", role="status", **_layout.attributes({"aria-live": "polite"})),
            dcc.Download(id="f-download"),
            html.P(
                _("Values stand as their sources give them; where sources disagree, all are kept (see Conflicts)."),
                className="note",
            ),
        ]
    )


def results(words: str, kind: str) -> list[Any]:
    """The found lines as a table."""
    found = find(words, kind)
    shown = [(line.id, *line.shown, line.when, _link(line), trusted(line)) for line in found[:MOST_SHOWN]]
    count = _("{count} found, {shown} shown", count=_numbers.whole(len(found)), shown=len(shown))
    head = [_("Id"), _("What"), _("Value"), _("When"), _("Source"), _("Class, confidence")]
    return [html.P(count, className="note"), _layout.table(head, shown, _("Facts"))]


def _link(line: Line) -> Any:
    if urlsplit(line.url).scheme in ("http", "https"):
        return html.A(line.source or line.url, href=line.url, target="_blank", rel="noopener noreferrer")
    return line.source


def register(app: Dash, jobs: Jobs) -> None:
    """The page's callbacks."""
    del jobs

    @app.callback(
        Output("f-found", "children"),
        Output("question", "data", allow_duplicate=True),
        Input("f-words", "value"),
        Input("f-kind", "value"),
        State("url", "search"),
        prevent_initial_call="initial_duplicate",
    )
    def search(words: str | None, kind: str | None, query: str | None) -> Any:
        view = read_view(query or "")
        with use_language(view.lang):
            asked = view.ask(f_words=words or "", f_kind=kind or "")
            return results(words or "", kind or ""), no_update if asked == view else asked.query()

    @app.callback(
        Output("f-download", "data"),
        Input("f-save", "n_clicks"),
        State("f-words", "value"),
        State("f-kind", "value"),
        prevent_initial_call=True,
    )
    def save(clicks: int | None, words: str | None, kind: str | None) -> Any:
        if not clicks:
            return no_update
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["kind", "id", "what", "value", "when", "source", "url", "class and confidence", "what_ko"])
        writer.writerows(
            [
                line.kind,
                line.id,
                line.title,
                line.value,
                line.when,
                line.source,
                line.url,
                ", ".join(line.trust),
                line.korean,
            ]
            for line in find(words or "", kind or "")
        )
        return _layout.download("\ufeff" + out.getvalue(), "chipweir-facts.csv")
