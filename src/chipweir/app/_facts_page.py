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
from chipweir.report import KINDS, N_, Line, _numbers, find, trusted


A_PAGE = 50
# Orders of the lines; without one, those that have the words in their name come first.
ORDERS = {
    "": N_("best match"),
    "newest": N_("newest first"),
    "oldest": N_("oldest first"),
    "what": N_("what it is"),
    "source": N_("Source"),
    "kind": N_("Kind"),
}
_ASKED = ("f.words", "f.kind", "f.order")


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
                    dmc.Select(
                        id="f-order",
                        label=_("Order"),
                        data=[{"value": key, "label": _(text)} for key, text in ORDERS.items()],
                        value=view.asked("f.order") if view.asked("f.order") in ORDERS else "",
                        allowDeselect=False,
                    ),
                    html.Button(_("Download (CSV)"), id="f-save", className="action"),
                ],
                className="controls",
            ),
            html.Div(id="f-found", role="status", **_layout.attributes({"aria-live": "polite"})),
            dmc.Pagination(
                id="f-page",
                total=1,
                value=_page_of(view),
                siblings=1,
                className="pages",
            ),
            dcc.Download(id="f-download"),
            html.P(
                _("Values stand as their sources give them; where sources disagree, all are kept (see Conflicts)."),
                className="note",
            ),
        ]
    )


def _page_of(view: View) -> int:
    asked = view.asked("f.page")
    return int(asked) if asked.isdecimal() and 0 < int(asked) < 10_000 else 1


def ordered(found: list[Line], order: str) -> list[Line]:
    """Lines in an order of `ORDERS`; those without a day or a source stand last."""
    match order:
        case "newest" | "oldest":
            dated = sorted((line for line in found if line.day), key=lambda line: line.day, reverse=order == "newest")
            return [*dated, *(line for line in found if not line.day)]
        case "what":
            return sorted(found, key=lambda line: line.shown[0].casefold())
        case "source":
            return sorted(found, key=lambda line: (not line.source, line.source.casefold()))
        case "kind":
            return sorted(found, key=lambda line: list(KINDS).index(line.kind))
        case _:
            return found


def pages(count: int) -> int:
    """How many pages so many lines take."""
    return max(1, -(-count // A_PAGE))


def results(words: str, kind: str, order: str = "", page: int = 1) -> list[Any]:
    """One page of the found lines as a table."""
    found = ordered(find(words, kind), order)
    page = min(page, pages(len(found)))
    first = (page - 1) * A_PAGE
    lines = found[first : first + A_PAGE]
    shown = [(line.id, *line.shown, line.when, _link(line), trusted(line)) for line in lines]
    count = _(
        "{count} found, {first} to {last} shown",
        count=_numbers.whole(len(found)),
        first=_numbers.whole(first + bool(lines)),
        last=_numbers.whole(first + len(lines)),
    )
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
        Output("f-page", "total"),
        Output("f-page", "value"),
        Output("question", "data", allow_duplicate=True),
        Input("f-words", "value"),
        Input("f-kind", "value"),
        Input("f-order", "value"),
        Input("f-page", "value"),
        State("url", "search"),
        prevent_initial_call="initial_duplicate",
    )
    def search(words: str | None, kind: str | None, order: str | None, page: int | None, query: str | None) -> Any:
        view = read_view(query or "")
        with use_language(view.lang):
            words, kind, order = words or "", kind or "", order or ""
            same = (words, kind, order) == tuple(view.asked(name) for name in _ASKED)
            number = (
                page if same and isinstance(page, int) and page > 0 else 1
            )  # another question begins at its first page
            total = pages(len(find(words, kind)))
            number = min(number, total)
            asked = view.ask(f_words=words, f_kind=kind, f_order=order, f_page="" if number == 1 else str(number))
            told = no_update if asked == view else asked.query()
            return results(words, kind, order, number), total, number, told

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
