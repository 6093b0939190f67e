"""The Claims page: an article in, its claims marked and judged, open slots filled by the reader, the brief out."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from chipweir.app import _layout
from chipweir.app._jobs import Job, Jobs
from chipweir.app._state import View, read_view
from chipweir.errors import InputError
from chipweir.i18n import _, language, use_language
from chipweir.report import N_, _numbers


LONGEST_ARTICLE = 200_000
MOST_BYTES = 2 * 2**20
VERDICTS = {
    "consistent": N_("consistent"),
    "imprecise": N_("imprecise"),
    "stale": N_("out of date"),
    "contradicted": N_("contradicted"),
    "unsupported": N_("unsupported"),
    "ambiguous": N_("ambiguous"),
    "not_checkable": N_("not checkable"),
}
_SIGNS = {
    "consistent": "✓",
    "imprecise": "≈",
    "stale": "↺",
    "contradicted": "✗",
    "unsupported": "?",
    "ambiguous": "?",
    "not_checkable": "–",
}
_MARKED = ("consistent", "imprecise", "stale", "contradicted")

Fixes = dict[str, dict[str, str]]
"""Slot values that a reader gave, by claim and slot."""


def page(view: View) -> html.Div:
    """Where the article goes in, and where the answer appears."""
    del view
    form = html.Div(
        [
            dmc.Textarea(id="k-text", label=_("Article (paste the text)"), autosize=True, minRows=8, maxRows=20),
            dcc.Upload(
                html.Div(_("or drop a text or HTML file here"), className="drop"), id="k-upload", max_size=MOST_BYTES
            ),
            html.Div(
                [
                    dmc.TextInput(
                        id="k-published", label=_("Published on (year-month-day, if known)"), placeholder="2025-09-05"
                    ),
                    html.Button(_("Check"), id="k-check", className="action primary"),
                    html.Button(_("Cancel"), id="k-cancel", className="action", hidden=True),
                ],
                className="controls",
            ),
        ]
    )
    return html.Div(
        [
            html.H1(_("What does the article claim, and does it hold?")),
            form,
            html.Div(id="k-state", role="status", **_layout.attributes({"aria-live": "polite"})),
            html.Div(id="k-result"),
            html.Div(
                [
                    html.Button(_("Check again with the filled slots"), id="k-again", className="action primary"),
                    html.Button(_("Brief (Markdown)"), id="k-brief", className="action"),
                    html.Button(_("Result (JSON)"), id="k-json", className="action"),
                ],
                id="k-tools",
                className="controls",
                hidden=True,
            ),
            dcc.Store(id="k-job"),
            dcc.Interval(id="k-tick", interval=500, disabled=True),
            dcc.Download(id="k-download"),
            html.P(_("Everything stays on this server; nothing is sent elsewhere."), className="note"),
        ]
    )


def check(text: str, published: str, fixes: Fixes, lang: str, job: Job | None = None) -> dict[str, Any]:
    """The article's claims and verdicts as plain data, with the reader's slot values in place. Raises `InputError`."""
    from chipweir import facts
    from chipweir.evidence import check_document, document_from_text, result_json

    if len(text) > LONGEST_ARTICLE:
        raise InputError(_("the article is longer than {count} characters", count=_numbers.whole(LONGEST_ARTICLE)))
    document = document_from_text(text, published.strip() or None)
    known = facts.load()
    if job:
        job.report(0.2)
    checked = check_document(document, known)
    if job:
        job.report(0.8)
    if fixes:
        checked = _with_fixes(checked, fixes)
    return {
        "text": text,
        "published": published,
        "fixes": fixes,
        "result": result_json(checked, lang),
        "checked": checked,
    }


def _with_fixes(checked: Any, fixes: Fixes) -> Any:
    """The check with slots that a reader filled, judged anew."""
    from chipweir.evidence import check_claims

    article = checked.article
    claims = tuple(_fixed(claim, fixes.get(claim.id, {})) for claim in article.claims)
    verdicts = tuple(check_claims(article.found, claims, article.facts))
    return replace(checked, article=replace(article, claims=claims, verdicts=verdicts))


def _fixed(claim: Any, given: Mapping[str, str]) -> Any:
    slots = dict(claim.slots)
    for name, text in given.items():
        if name in slots and text.strip():
            slots[name] = replace(
                slots[name], value=_typed(slots[name].value, text), surface=text, by="person", confidence=1.0
            )
    return replace(claim, slots=slots) if given else claim


def _typed(old: Any, text: str) -> Any:
    if isinstance(old, float | int) and not isinstance(old, bool):
        try:
            return float(text.replace(",", ""))
        except ValueError:
            raise InputError(_("'{given}' is not a number", given=text[:40])) from None
    return text.strip()


def marked(text: str, claims: list[dict[str, Any]]) -> html.Pre:
    """The article with its claims marked; each mark links to its card. Of overlapping claims the first is marked."""
    parts: list[Any] = []
    at = 0
    for claim in sorted(claims, key=lambda claim: (claim["start"], -claim["end"])):
        start, end = claim["start"], claim["end"]
        if start < at or end <= start or end > len(text):
            continue
        verdict = claim["verdict"]
        parts += [
            text[at:start],
            html.A(
                html.Mark(text[start:end], className=f"claim {verdict if verdict in _MARKED else 'other'}"),
                href=f"#{claim['id']}",
                title=f"{_SIGNS.get(verdict, '')} {_(VERDICTS.get(verdict, verdict))}",
                className="claim-link",
            ),
        ]
        at = end
    parts.append(text[at:])
    return html.Pre(
        parts,
        className="text article",
        tabIndex="0",
        **_layout.attributes({"aria-label": _("The article with its claims marked")}),
    )


def card(claim: dict[str, Any], fixes: Mapping[str, str]) -> html.Details:
    """One claim: verdict, why, evidence, slots to fill."""
    verdict = claim["verdict"]
    head: list[Any] = [
        html.Span(f"{_SIGNS.get(verdict, '')} {_(VERDICTS.get(verdict, verdict))}", className="verdict"),
        f"  “{claim['surface']}”",
    ]
    parts: list[Any] = [html.Summary(head), html.P(claim["explanation"])]
    if claim["would_change"]:
        parts.append(html.P([html.B(_("What would change this: ")), claim["would_change"]]))
    parts += [html.P(note, className="note") for note in claim["notes"]]
    if claim["evidence"]:
        parts += [html.H3(_("Evidence")), html.Ul([html.Li(_evidence(item)) for item in claim["evidence"]])]
    if claim["command"]:
        parts.append(html.P([_("Ask yourself: "), html.Code(claim["command"])]))
    parts.append(
        html.Div([_slot(claim["id"], name, slot, fixes) for name, slot in claim["slots"].items()], className="controls")
    )
    return html.Details(parts, id=claim["id"], className="box", open=verdict == "contradicted" or bool(fixes))


def _evidence(item: dict[str, Any]) -> list[Any]:
    about = " · ".join(str(item[key]) for key in ("as_of", "cls", "confidence") if item.get(key))
    label = f"{item['source']}" + (" (" + _("rumour") + ")" if item.get("rumour") else "")
    link: Any = label
    if urlsplit(item.get("url") or "").scheme in ("http", "https"):
        link = html.A(label or item["url"], href=item["url"], target="_blank", rel="noopener noreferrer")
    return [f"{item['text']} — ", link, f" {about}"]


def _slot(claim: str, name: str, slot: dict[str, Any], fixes: Mapping[str, str]) -> dmc.TextInput:
    value = fixes.get(name, "" if slot["value"] is None else str(slot["value"]))
    missing = slot["asked"] and name not in fixes
    options = ", ".join(slot["candidates"])
    return dmc.TextInput(
        id={"type": "slot-value", "claim": claim, "slot": name},
        label=name.replace("_", " ") + (" *" if missing else ""),
        value=value,
        description=(_("the article does not say") + (f": {options}" if options else "")) if missing else None,
        size="xs",
    )


def shown(outcome: dict[str, Any]) -> html.Div:
    """The whole answer: counts, the marked article, the cards, what is odd about the text."""
    result = outcome["result"]
    counts = result["counts"]
    summary = ", ".join(f"{_(VERDICTS[name])} {counts[name]}" for name in VERDICTS if counts.get(name))
    line = _(
        "{total} claims, {checked} checked: {summary}",
        total=counts["total"],
        checked=counts["checked"],
        summary=summary,
    )
    cards: list[Any] = [card(claim, outcome["fixes"].get(claim["id"], {})) for claim in result["claims"]]
    issues = [html.Li([html.B(issue["label"]), f": {issue['text']}"]) for issue in result["issues"]]
    right: list[Any] = [html.H2(_("Claims")), *(cards or [html.P(_("no checkable claim was found"))])]
    if issues:
        right += [html.H2(_("What is odd about the text")), html.Ul(issues)]
    if pairs := [tag for tag in result["scenarios"] if tag["command"]]:
        right.append(html.H2(_("Questions for the model")))
        right.append(html.Ul([html.Li([tag["surface"], " ", html.Code(tag["command"])]) for tag in pairs]))
    left = [html.H2(_("The article")), marked(outcome["text"], result["claims"])]
    return html.Div([html.P(line), html.Div([html.Div(left), html.Div(right)], className="columns")])


def brief(outcome: dict[str, Any], lang: str) -> str:
    """The brief as Markdown, by the evidence room."""
    from chipweir.evidence import brief_markdown

    return str(brief_markdown(outcome["checked"], lang))


def read_upload(content: str) -> str:
    """The text of an uploaded file. Raises `InputError` where it is none."""
    try:
        return base64.b64decode(content.partition(",")[2], validate=True).decode("utf-8-sig")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise InputError(_("the file is not text in UTF-8")) from None


def register(app: Dash, jobs: Jobs) -> None:
    """The page's callbacks."""

    @app.callback(
        Output("k-text", "value"),
        Output("k-state", "children", allow_duplicate=True),
        Input("k-upload", "contents"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def upload(content: str | None, search: str | None) -> Any:
        with use_language(read_view(search or "").lang):
            if not content:
                return no_update, no_update
            try:
                return read_upload(content)[:LONGEST_ARTICLE], None
            except InputError as error:
                return no_update, _layout.problem(str(error))

    @app.callback(
        Output("k-job", "data"),
        Output("k-tick", "disabled"),
        Output("k-cancel", "hidden"),
        Output("k-state", "children"),
        Output("k-result", "children"),
        Output("k-tools", "hidden"),
        Input("k-check", "n_clicks"),
        Input("k-again", "n_clicks"),
        Input("k-cancel", "n_clicks"),
        Input("k-tick", "n_intervals"),
        State("k-text", "value"),
        State("k-published", "value"),
        State({"type": "slot-value", "claim": ALL, "slot": ALL}, "value"),
        State({"type": "slot-value", "claim": ALL, "slot": ALL}, "id"),
        State("k-job", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def run(*values: Any) -> Any:
        text, published, given, names, identifier, search = values[4:]
        same = (no_update,) * 6
        with use_language(read_view(search or "").lang):
            try:
                match ctx.triggered_id:
                    case "k-check" | "k-again" if text and text.strip():
                        fixes = (
                            _changed(given, names, jobs.get(identifier or "")) if ctx.triggered_id == "k-again" else {}
                        )
                        lang = language()
                        started = jobs.start(lambda job: check(text, published or "", fixes, lang, job))
                        return started, False, False, _("reading the article …"), no_update, no_update
                    case "k-check" | "k-again":
                        return *same[:3], _layout.problem(_("paste or drop an article first")), no_update, no_update
                    case "k-cancel":
                        jobs.cancel(identifier or "")
                        return same
                    case _:
                        return _collect(jobs, identifier)
            except InputError as error:
                return None, True, True, _layout.problem(str(error)), no_update, no_update

    @app.callback(
        Output("k-download", "data"),
        Input("k-brief", "n_clicks"),
        Input("k-json", "n_clicks"),
        State("k-job", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def save(_brief: int | None, _json: int | None, identifier: str | None, search: str | None) -> Any:
        job = jobs.get(identifier or "")
        if not ctx.triggered[0]["value"] or job is None or not job.result:
            return no_update
        lang = read_view(search or "").lang
        with use_language(lang):
            if ctx.triggered_id == "k-brief":
                return _layout.download(brief(job.result, lang), "chipweir-brief.md")
            return _layout.download(
                json.dumps(job.result["result"], ensure_ascii=False, indent=1), "chipweir-check.json"
            )


def _changed(given: list[Any], names: list[dict[str, str]], job: Job | None) -> Fixes:
    """What the reader changed, beside what was changed before."""
    if job is None or not job.result:
        return {}
    before = {claim["id"]: claim["slots"] for claim in job.result["result"]["claims"]}
    fixes: Fixes = {claim: dict(slots) for claim, slots in job.result["fixes"].items()}
    for value, name in zip(given, names, strict=True):
        old = before.get(name["claim"], {}).get(name["slot"], {}).get("value")
        if value and str(value) != ("" if old is None else str(old)):
            fixes.setdefault(name["claim"], {})[name["slot"]] = str(value)[:200]
    return fixes


def _collect(jobs: Jobs, identifier: str | None) -> Any:
    job = jobs.get(identifier or "")
    if job is None:
        return None, True, True, _("the result is no longer there; check again"), no_update, no_update
    if not job.finished:
        share = _numbers.share(job.done)
        return no_update, no_update, no_update, _("reading the article … {share}", share=share), no_update, no_update
    if job.error:
        return no_update, True, True, _layout.problem(job.error), no_update, no_update
    return no_update, True, True, "", shown(job.result), False
