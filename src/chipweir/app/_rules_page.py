"""The Rules page: ask about one shipment, or about a table of them."""

import base64
import binascii
import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from chipweir import reading
from chipweir.app import _layout
from chipweir.app._jobs import Jobs
from chipweir.app._state import View, read_view
from chipweir.errors import InputError
from chipweir.i18n import _, language, use_language
from chipweir.report import _numbers


if TYPE_CHECKING:
    from chipweir.rules import Decision

MOST_ROWS, MOST_BYTES = 5_000, 2 * 2**20
_SHOWN_ROWS = 200
_FIELDS = ("chip", "to", "from", "hq", "on", "user", "quantity")


def page(view: View) -> html.Div:
    """The question form, its answer, and the table upload."""
    from chipweir import facts
    from chipweir.rules import vocabulary

    known = facts.load()
    chips = [{"value": chip.id, "label": chip.name} for chip in known.chips.values()]
    countries = [{"value": code, "label": _country(record)} for code, record in known.countries.items()]
    users = [{"value": word, "label": word.replace("_", " ")} for word in vocabulary()["end_user_types"]]
    form = html.Div(
        [
            _select("chip", _("Chip"), chips, view.asked("r.chip", "nvidia-h20"), clearable=False),
            _select("to", _("To"), countries, view.asked("r.to", "CN"), clearable=False),
            _select("from", _("From"), countries, view.asked("r.from"), clearable=True),
            _select("hq", _("Buyer's headquarters"), countries, view.asked("r.hq"), clearable=True),
            dmc.TextInput(
                id="r-on", label=_("On (year-month-day)"), value=view.asked("r.on", date.today().isoformat())
            ),
            _select("user", _("End user"), users, view.asked("r.user"), clearable=True),
            dmc.NumberInput(
                id="r-quantity", label=_("Units"), value=_count(view), min=1, max=10**9, allowDecimal=False
            ),
            html.Button(_("Ask"), id="r-ask", className="action primary"),
        ],
        className="controls",
    )
    batch = html.Section(
        [
            html.H2(_("Many shipments")),
            html.P(_("A CSV with the columns chip, to, and where known from, hq, date, end_user_type, quantity.")),
            dcc.Upload(
                html.Div(_("Drop a CSV here or press to choose one"), className="drop"),
                id="r-upload",
                max_size=MOST_BYTES,
                accept=".csv,text/csv",
            ),
            html.Div(id="r-batch", role="status"),
            html.Button(_("Answers (CSV)"), id="r-save", className="action", hidden=True),
            dcc.Store(id="r-answers"),
            dcc.Download(id="r-download"),
        ]
    )
    return html.Div(
        [
            html.H1(_("May it be shipped?")),
            form,
            html.Div(id="r-answer", role="status", **_layout.attributes({"aria-live": "polite"})),
            batch,
            html.P(
                _("Not legal advice. Rules are paraphrased; open the cited page before you rely on one."),
                className="note",
            ),
        ]
    )


def _select(name: str, text: str, data: list[dict[str, str]], value: str, *, clearable: bool) -> dmc.Select:
    known = {record["value"] for record in data}
    return dmc.Select(
        id=f"r-{name}",
        label=text,
        data=data,
        value=value if value in known else None,
        searchable=True,
        clearable=clearable,
        allowDeselect=False,
        limit=300,
        nothingFoundMessage=_("nothing found"),
    )


def _country(record: Any) -> str:
    return str((record.names.ko if language() == "ko" else "") or record.names.en)


def _count(view: View) -> int:
    text = view.asked("r.quantity", "1")
    return int(text) if text.isdecimal() and len(text) < 10 else 1


def shipment(chip: str, to: str, origin: str, hq: str, on: str, user: str, quantity: str) -> dict[str, Any]:
    """The fields of the form as the rule engine reads them; empty ones are left out."""
    fields = {
        "item": chip,
        "to": to,
        "from": origin,
        "hq": hq,
        "export_date": on,
        "end_user_type": user,
        "quantity": quantity,
    }
    return {key: value for key, value in fields.items() if value not in (None, "")}


def command(fields: dict[str, Any]) -> str:
    """The command line that asks the same."""
    options = {
        "to": "--to",
        "from": "--from",
        "hq": "--hq",
        "export_date": "--on",
        "end_user_type": "--end-user",
        "quantity": "--quantity",
    }
    parts = [f"{option} {fields[name]}" for name, option in options.items() if name in fields]
    return " ".join(["chipweir licence", str(fields.get("item", "")), *parts])


def answer(fields: dict[str, Any]) -> list[Any]:
    """The decision on one shipment, in words, with its trace. Raises `InputError`."""
    from chipweir import rules

    decision = rules.decide(rules.Shipment.of(fields))
    return [
        _verdict(decision),
        _details(decision),
        _trace(decision),
        html.H3(_("Command")),
        _layout.code(command(fields), "r-command"),
    ]


def _verdict(decision: "Decision") -> html.Div:
    from chipweir import rules

    text = rules.term("outcome", decision.outcome)
    parts: list[Any] = [
        html.P([html.Span(text, className="verdict"), f"  {decision.name} → {decision.to}, {decision.on.isoformat()}"]),
        html.P(decision.headline),
    ]
    if decision.not_verified:
        parts.append(
            _layout.notice(
                _(
                    "The sources end on {day}; what changed later is not known.",
                    day=_numbers.day(decision.verified_until),
                )
            )
        )
    return html.Div(parts)


def titled_basis(basis: str) -> str:
    """The rules a decision rests on, with what they are called in the reader's language."""
    from chipweir import rules
    from chipweir.rules import basis_titles

    titles = basis_titles(rules.shipped(), basis, language())
    return f"{basis} ({titles})" if titles else basis


def _details(decision: "Decision") -> html.Div:
    from chipweir import rules

    def exact(value: Any) -> str:
        return _numbers.full(float(value)) if value is not None else _numbers.MISSING

    rows = [
        (_("Classification"), decision.eccn.replace("_", " ")),
        (_("Total processing performance (TPP)"), exact(decision.tpp)),
        (_("Performance density (TPP per mm²)"), exact(decision.pd)),
        (_("Licence requirement"), rules.term("licence", decision.licence)),
        (_("Review policy"), rules.term("review", decision.review)),
        (_("Exception or authorisation"), rules.term("exception", decision.exception)),
        (_("Basis"), titled_basis(decision.basis)),
        (_("Importing government"), rules.term("stance", decision.import_stance)),
    ]
    if decision.practice:
        rows.append((_("In practice"), rules.term("review", decision.practice)))
    rows += [(_("To be answered"), question.asks) for question in decision.questions]
    rows += [
        (_("Law of {place}", place=law.regime), f"{rules.term('outcome', law.outcome)} {law.says}")
        for law in decision.laws
    ]
    if decision.fee:
        rows.append((_("Fee on the price"), _numbers.share(decision.fee)))
    if decision.units_per_month is not None:
        rows.append((_("Most units a month"), _numbers.number(decision.units_per_month)))
    if margin := decision.margin:
        text = _(
            "{quantity} is {value}, the line is {line} ({share} away); beyond it: {becomes}",
            quantity=margin.quantity.upper(),
            value=exact(margin.value),
            line=exact(margin.threshold),
            share=_numbers.share(margin.relative),
            becomes=margin.becomes,
        )
        rows.append((_("Nearest line"), text))
    rows += [(_("Condition"), text) for text in decision.conditions]
    rows += [(_("Assumed"), text) for text in decision.assumptions]
    rows += [(_("Missing"), text) for text in decision.missing]
    return _layout.table([_("Question"), _("Answer")], rows, _("The decision"))


def _trace(decision: "Decision") -> html.Details:
    from chipweir import rules

    kinds = {"review": "review", "import": "stance"}
    rows = [
        (
            rules.term("question", step.question),
            titled_basis(step.rule) if language() == "ko" else step.rule,
            step.test + (f" ({step.note})" if step.note else ""),
            rules.term("answer" if step.outcome in ("yes", "no") else kinds.get(step.question, "answer"), step.outcome),
            ", ".join(step.sources),
        )
        for step in decision.trace
    ]
    head = [_("Question"), _("Rule"), _("Test"), _("Outcome"), _("Source")]
    return html.Details(
        [html.Summary(_("Every test, in order")), _layout.table(head, rows, _("Trace"))], className="box"
    )


def decide_table(content: str) -> tuple[list[list[str]], list[str]]:
    """Answers to an uploaded table as rows under the returned head. Raises `InputError` for what is no table."""
    from chipweir import rules

    try:
        raw = base64.b64decode(content.partition(",")[2], validate=True)
        text = raw.decode("utf-8-sig")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise InputError(_("the file is not text in UTF-8; save it as CSV (UTF-8)")) from None
    if len(raw) > MOST_BYTES:
        raise InputError(_("the file is larger than {size} MB", size=MOST_BYTES >> 20))
    try:
        rows = [row for _line, row in reading.cells(io.StringIO(text), "", rows=MOST_ROWS * 2) if row]
    except InputError as error:
        raise InputError(_("the file cannot be read as CSV: {error}", error=str(error).lstrip(": "))) from None
    if not 1 <= len(rows) - 1 <= MOST_ROWS:
        count = max(len(rows) - 1, 0)
        raise InputError(_("the table has {count} rows; 1 to {most} can be answered", count=count, most=MOST_ROWS))
    book = rules.shipped()
    return [_row(number, rows[0], cells, book) for number, cells in enumerate(rows[1:], 2)], [
        "line", "item", "to", "date", "outcome", "licence", "review", "exception", "eccn", "basis", "problem",
    ]  # fmt: skip


def _row(line: int, head: Sequence[str], cells: Sequence[str], book: Any) -> list[str]:
    from chipweir import rules

    named = zip(head, cells, strict=False)
    fields = {name.strip(): cell.strip() for name, cell in named if name.strip() and cell.strip()}
    try:
        if len(cells) > len(head):
            raise InputError(f"line {line}: more fields than the head has")
        decision = rules.decide(rules.Shipment.of(fields, where=f"line {line}"), book, trace=False)
    except InputError as error:
        return [
            str(line),
            fields.get("chip", fields.get("item", ""))[:60],
            fields.get("to", "")[:20],
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            str(error),
        ]
    return [
        str(line), decision.name, decision.to, decision.on.isoformat(), decision.outcome, decision.licence,
        decision.review, decision.exception, decision.eccn, decision.basis, "",
    ]  # fmt: skip


def register(app: Dash, jobs: Jobs) -> None:
    """The page's callbacks."""
    del jobs
    states = [State(f"r-{name}", "value") for name in _FIELDS]

    @app.callback(
        Output("r-answer", "children"),
        Output("question", "data", allow_duplicate=True),
        Input("r-ask", "n_clicks"),
        *states,
        State("url", "search"),
        prevent_initial_call="initial_duplicate",
    )
    def ask(clicks: int | None, *values: Any) -> Any:
        *given, search = values
        view = read_view(search or "")
        with use_language(view.lang):
            texts = ["" if value is None else str(value) for value in given]
            try:
                shown: Any = answer(shipment(*texts))
            except InputError as error:
                shown = _layout.problem(str(error))
            if not clicks:
                return shown, no_update
            asked = {f"r_{name}": text for name, text in zip(_FIELDS, texts, strict=True)}
            return shown, view.ask(**asked).query()

    @app.callback(
        Output("r-batch", "children"),
        Output("r-answers", "data"),
        Output("r-save", "hidden"),
        Input("r-upload", "contents"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def batch(content: str | None, search: str | None) -> Any:
        with use_language(read_view(search or "").lang):
            if not content:
                return no_update, no_update, no_update
            try:
                rows, head = decide_table(content)
            except InputError as error:
                return _layout.problem(str(error)), None, True
            bad = sum(bool(row[-1]) for row in rows)
            note = _("{count} rows answered, {bad} could not be read.", count=len(rows) - bad, bad=bad)
            return [html.P(note), _layout.table(head, rows[:_SHOWN_ROWS], _("Answers"))], [head, *rows], False

    @app.callback(
        Output("r-download", "data"), Input("r-save", "n_clicks"), State("r-answers", "data"), prevent_initial_call=True
    )
    def save(clicks: int | None, rows: list[list[str]] | None) -> Any:
        if not clicks or not rows or ctx.triggered_id != "r-save":
            return no_update
        out = io.StringIO()
        csv.writer(out).writerows([[_harmless(cell) for cell in row] for row in rows])
        return _layout.download("\ufeff" + out.getvalue(), "chipweir-licences.csv")


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return "'" + cell if cell[:1] in "=+-@\t\r" else cell
