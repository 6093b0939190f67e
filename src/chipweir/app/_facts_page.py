"""The Facts page: search what is known, see who says so and who disagrees, take it away."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from chipweir.app import _layout
from chipweir.app._jobs import Jobs
from chipweir.app._state import View, read_view
from chipweir.i18n import _, use_language
from chipweir.report import _numbers
from chipweir.report._labels import N_


if TYPE_CHECKING:
    from chipweir.facts import Value

MOST_SHOWN = 60
KINDS = {
    "chips": N_("Chips"),
    "systems": N_("Systems"),
    "models": N_("Language models"),
    "facts": N_("Figures"),
    "events": N_("Events"),
    "prices": N_("Prices"),
    "conflicts": N_("Conflicts"),
    "sources": N_("Sources"),
}


@dataclass(frozen=True)
class Line:
    """One thing that can be found: where it stands, what it is called, its number, who says so."""

    kind: str
    id: str
    title: str
    value: str
    when: str
    source: str
    url: str
    trust: str
    searched: str


def _value(value: "Value") -> str:
    if value.low is not None and value.high is not None:
        middle = f"{_numbers.full(value.central)} " if value.central is not None else ""
        return f"{middle}({_numbers.full(value.low)} – {_numbers.full(value.high)}) {value.unit}"
    return f"{_numbers.full(value.best)} {value.unit}"


def _trust(value: "Value") -> str:
    return f"{value.cls}, {value.confidence}" + (", rumour" if value.rumour else "")


@cache
def lines() -> tuple[Line, ...]:
    """Everything that can be found, once."""
    from chipweir import facts

    known = facts.load()

    def publisher(identifier: str) -> str:
        source = known.sources.get(identifier)
        return (source.publisher or source.title) if source else identifier

    made = [
        *_hardware("chips", known.chips.values(), publisher),
        *_hardware("systems", known.systems.values(), publisher),
    ]
    for model in known.models.values():
        size = f"{model.total_params_b or '?'} B / {model.active_params_b or '?'} B"
        made.append(
            _line(
                "models",
                model.id,
                model.name,
                size,
                model.release,
                model.source,
                "",
                f"{model.cls}, {model.confidence}",
                " ".join(model.aliases),
            )
        )
    for fact in known.facts.values():
        title = f"{fact.entity_text or fact.entity}: {fact.quantity.replace('_', ' ')}, {fact.item}".rstrip(", ")
        value = fact.value
        made.append(
            _line(
                "facts",
                fact.id,
                title,
                _value(value),
                fact.period,
                publisher(value.source),
                value.url,
                _trust(value),
                f"{fact.topic} {fact.nature} {value.note}",
            )
        )
    for event in known.events.values():
        made.append(
            _line(
                "events",
                event.id,
                event.description,
                event.type,
                event.date,
                publisher(event.source),
                _url(known, event.source),
                event.confidence,
                " ".join(event.actors),
            )
        )
    for price in known.prices.values():
        made.append(
            _line(
                "prices",
                price.id,
                f"{price.item}, {price.provider}: {price.metric}",
                _value(price.value),
                price.valid_from,
                publisher(price.value.source),
                price.value.url,
                _trust(price.value),
                price.region,
            )
        )
    for conflict in known.conflicts.values():
        says = "; ".join(f"{position.who}: {position.says}" for position in conflict.values)
        made.append(
            _line(
                "conflicts",
                conflict.id,
                conflict.quantity,
                says,
                "",
                conflict.source,
                "",
                conflict.preferred,
                conflict.treatment + " " + conflict.likely_reason,
            )
        )
    for source in known.sources.values():
        made.append(
            _line(
                "sources",
                source.id,
                source.title,
                source.publisher,
                source.published,
                source.publisher,
                source.url,
                source.cls,
                "",
            )
        )
    return tuple(made)


def _hardware(kind: str, records: Iterable[Any], publisher: Any) -> list[Line]:
    made = []
    for record in records:
        for quantity, values in record.values.items():
            made += [
                _line(
                    kind,
                    record.id,
                    f"{record.name}: {quantity.replace('_', ' ')}",
                    _value(value),
                    value.as_of,
                    publisher(value.source),
                    value.url,
                    _trust(value),
                    " ".join(record.aliases) + " " + record.maker,
                )
                for value in values
            ]
    return made


def _url(known: Any, identifier: str) -> str:
    source = known.sources.get(identifier)
    return source.url if source else ""


def _line(
    kind: str, identifier: str, title: str, value: str, when: str, source: str, url: str, trust: str, extra: str
) -> Line:
    searched = " ".join((identifier, title, value, source, extra)).casefold()
    return Line(kind, identifier, title, value, when, source, url, trust, searched)


def find(words: str, kind: str) -> list[Line]:
    """Lines that hold every word, of one kind or (empty) of all; those first that have them in their id or title."""
    wanted = words.casefold().split()[:12]
    found = [line for line in lines() if kind in ("", line.kind) and all(word in line.searched for word in wanted)]
    return sorted(found, key=lambda line: not all(word in line.id or word in line.title.casefold() for word in wanted))


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
            html.Div(id="f-found", role="status", **{"aria-live": "polite"}),
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
    shown = [(line.id, line.title, line.value, line.when, _link(line), line.trust) for line in found[:MOST_SHOWN]]
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
        writer.writerow(["kind", "id", "what", "value", "when", "source", "url", "class and confidence"])
        writer.writerows(
            [line.kind, line.id, line.title, line.value, line.when, line.source, line.url, line.trust]
            for line in find(words or "", kind or "")
        )
        return dcc.send_string("\ufeff" + out.getvalue(), "chipweir-facts.csv")
