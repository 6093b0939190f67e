"""The frame of every page: header, navigation, language and theme, and the pieces that pages share."""

from collections.abc import Callable, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html, no_update

from chipweir.app._jobs import Jobs
from chipweir.app._state import View
from chipweir.i18n import _, composed
from chipweir.report import FONTS, GRAPH_CONFIG, N_, Theme, _numbers, label, template


PAGES = {
    "/": N_("Contest"),
    "/chips": N_("Chips"),
    "/rules": N_("Rules"),
    "/claims": N_("Claims"),
    "/facts": N_("Facts"),
    "/strategy": N_("Strategy"),
    "/believe": N_("How far to believe it"),
}
PLOT_HEIGHT = 392
_THEME = {"fontFamily": FONTS, "primaryColor": "blue", "primaryShade": {"light": 8, "dark": 4}, "defaultRadius": "md"}


def frame(path: str, view: View, content: Any) -> dmc.MantineProvider:
    """A whole page."""
    query = view.query()
    links = [
        dcc.Link(
            _(text),
            href=f"{target}?{query}" if query else target,
            className="nav-link current" if target == path else "nav-link",
            **attributes({"title": _("this page")} if target == path else {}),
        )
        for target, text in PAGES.items()
    ]
    other = "en" if view.lang == "ko" else "ko"
    header = html.Header(
        [
            html.A(_("Skip to the content"), href="#main", className="skip"),
            html.Div(
                [html.Span("▚", className="logo", **attributes({"aria-hidden": "true"})), html.Strong("Chipweir")],
                className="brand",
            ),
            html.Nav(links, **attributes({"aria-label": _("Pages")})),
            html.Div(
                [
                    html.Button("한국어" if other == "ko" else "English", id="language", value=other, lang=other),
                    html.Button(
                        _("Light") if view.theme == "dark" else _("Dark"),
                        id="theme",
                        value="light" if view.theme == "dark" else "dark",
                    ),
                ],
                className="header-tools",
            ),
        ],
        className="top",
    )
    return dmc.MantineProvider(
        [
            header,
            html.Main(
                [*_problems(view), content],
                id="main",
                tabIndex="-1",
                **attributes({"data-title": title_of(path, view)}),
            ),
            html.Footer(_("Made by Chipweir, an open model. Not legal advice.")),
        ],
        forceColorScheme="dark" if view.theme == "dark" else "light",
        theme=_THEME,
    )


def title_of(path: str, view: View) -> str:
    """What the browser calls the page: what it shows, then whose it is."""
    path = path.rstrip("/") or "/"
    shown = _(PAGES[path]) if path in PAGES else ""
    if path == "/":
        own, base = label("scenario", "mine" if view.settings else view.preset), label("scenario", view.against)
        shown = own if not view.settings and view.preset == view.against else _("{b} against {a}", a=base, b=own)
    return " · ".join(filter(None, (shown, "Chipweir")))


def _problems(view: View) -> list[Any]:
    return [problem(text) for text in view.problems]


def problem(text: str) -> dmc.Alert:
    """A clear message that something could not be done."""
    return dmc.Alert(
        composed(text), title=_("This could not be done"), color="red", className="problem", variant="light"
    )


def notice(text: str) -> dmc.Alert:
    """A remark."""
    return dmc.Alert(text, color="blue", variant="light")


def attributes(named: dict[str, str]) -> dict[str, Any]:
    """Attributes whose names Python can't write as keywords, such as `aria-label`."""
    return named


def download(text: str, name: str) -> dict[str, Any]:
    """A file for the visitor, as `dcc.Download` takes it."""
    return {"content": text, "filename": name, "type": "text/plain;charset=utf-8", "base64": False}


def theme_of(view: View) -> Theme:
    """The figures' theme of a view."""
    return "dark" if view.theme == "dark" else "light"


def graph(identifier: Any, spec: dict[str, Any] | None = None, label: str = "", height: int = PLOT_HEIGHT) -> html.Div:
    """A place for a figure, `height` pixels high; an empty one keeps its height, so that nothing jumps."""
    shown = fitted(spec) if spec else {"data": [], "layout": {}}
    return html.Div(
        dcc.Graph(
            id=identifier,
            figure=shown,
            config=GRAPH_CONFIG,
            responsive=True,
            className="plot",
            style={"height": f"{height}px"},
        ),
        className="figure",
        role="group",
        **attributes({"aria-label": label or _("figure")}),
    )


def fitted(spec: dict[str, Any]) -> dict[str, Any]:
    """The figure without a height of its own, so that it fills its place on the page."""
    layout = {key: value for key, value in spec["layout"].items() if key != "height"}
    return {"data": spec["data"], "layout": layout}


def blank(theme: Theme) -> dict[str, Any]:
    """A figure with nothing in it, in the theme's colours."""
    axis = {"visible": False}
    return {"data": [], "layout": {"template": template(theme), "xaxis": axis, "yaxis": axis}}


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], caption: str) -> html.Div:
    """A plain table that scrolls sideways where the screen is narrow."""
    return html.Div(
        html.Table(
            [
                html.Caption(caption, className="visually-hidden"),
                html.Thead(html.Tr([html.Th(text, scope="col") for text in head])),
                html.Tbody(
                    [html.Tr([html.Th(row[0], scope="row"), *(html.Td(cell) for cell in row[1:])]) for row in rows]
                ),
            ],
            className="plain",
        ),
        className="scroll",
        role="region",
        tabIndex="0",
        **attributes({"aria-label": caption}),
    )


def looked_after(jobs: Jobs, identifier: str | None, show: Callable[[Any], Any]) -> tuple[Any, Any, Any, Any, Any]:
    """What a page shows of its long work: (content, state, id of the job, is its clock off?, is Cancel hidden?)."""
    job = jobs.get(identifier or "")
    if job is None:
        return no_update, no_update, None, True, True
    if not job.finished:
        told = _("running … {share}", share=_numbers.share(job.done))
        return no_update, told, no_update, no_update, no_update
    return (no_update, job.error, None, True, True) if job.error else (show(job.result), "", None, True, True)


def code(text: str, identifier: str) -> html.Div:
    """Text to take away, with a button that copies it."""
    return html.Div(
        [
            html.Pre(html.Code(text), id=identifier, tabIndex="0", **attributes({"aria-label": _("text to copy")})),
            dcc.Clipboard(target_id=identifier, title=_("Copy"), className="copy"),
        ],
        className="code",
    )
