"""Commands of the rules room."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipweir import reading
from chipweir.cli import _tables
from chipweir.cli._common import LangOption, OwnFactsOption, complete_chip, complete_country, complete_rule
from chipweir.i18n import _, composed, language, use_language
from chipweir.reading import printable


if TYPE_CHECKING:
    from chipweir.rules import Book, Shipment

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: one document; one a line for a batch.")]
On = Annotated[str | None, typer.Option("--on", metavar="DATE", help="The day, as 2026-01-15; today by default.")]
Overlays = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="FILE", help="YAML of hypothetical rules, laid over the shipped; may be repeated."),
]
Trace = Annotated[bool, typer.Option("--trace/--no-trace", help="Show every test, grouped by question.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="Only law that had been published by that day.")
]

_ERRORS_SHOWN = 20
"""Wrong lines of a batch that are told one by one; a file that is wrong throughout says so once."""


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command("classify")(classify)
    app.command("licence")(licence)
    app.command("license", hidden=True)(licence)
    room = typer.Typer(help="The rules themselves: list and show, with versions and status.", no_args_is_help=True)
    room.command("list")(list_rules)
    room.command("show")(show_rule)
    room.command("table")(chips_table)
    room.command("cases")(cases_table)
    room.command("check")(check_cases)
    app.add_typer(room, name="rules")


def _book(overlays: list[Path] | None, as_of: str | None = None) -> "Book":
    from chipweir.rules import with_overlays

    return with_overlays(overlays or (), as_of=as_of)


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, allow_nan=False))


def classify(
    item: Annotated[
        str,
        typer.Argument(
            metavar="CHIP|SPEC.yaml", help="A chip, or a YAML file with numbers.", autocompletion=complete_chip
        ),
    ],
    on: On = None,
    as_of: AsOf = None,
    overlays: Overlays = None,
    own_facts: OwnFactsOption = None,
    trace: Trace = False,
    lang: LangOption = "en",
    as_json: AsJson = False,
) -> None:
    """Control classification of a chip or of numbers, with what would flip it."""
    from chipweir import rules
    from chipweir.rules import classification_text

    with use_language(lang):
        found = rules.classify(_item(item), on or as_of, _book(overlays, as_of))
        if as_json:
            _print_json(found.to_dict())
        else:
            print(classification_text(found, trace=trace))


def _item(text: str) -> Any:
    """An item from a YAML file where the text names one, else the text itself as a chip's name."""
    path = Path(text)
    if path.suffix.lower() in (".yaml", ".yml", ".json"):
        from chipweir.errors import InputError
        from chipweir.rules import Item

        document = reading.read_yaml(path, "item's file").data
        if not isinstance(document, dict):
            raise InputError(f"{path}: expected fields such as tpp and die_mm2, got {str(document)[:40]!r}")
        return Item.of(document, str(path))
    return text


def licence(
    item: Annotated[
        str | None,
        typer.Argument(
            metavar="CHIP|SPEC.yaml",
            help="A chip, or a YAML file.",
            autocompletion=complete_chip,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="CC",
            help="Destination: ISO code or name.",
            autocompletion=complete_country,
        ),
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="CC", help="Sent from; US by default.")] = None,
    on: On = None,
    as_of: AsOf = None,
    hq: Annotated[str | None, typer.Option("--hq", metavar="CC", help="Where the recipient is headquartered.")] = None,
    parent: Annotated[
        str | None, typer.Option("--ultimate-parent", metavar="CC", help="Where its ultimate parent sits; or a firm.")
    ] = None,
    via: Annotated[str | None, typer.Option(metavar="CC;CC", help="Countries passed through.")] = None,
    exporter: Annotated[str | None, typer.Option(help="Who exports; the chip's maker by default.")] = None,
    exporter_type: Annotated[str | None, typer.Option(help="fab, osat, chip_maker, distributor, ...")] = None,
    route: Annotated[
        str | None, typer.Option(help="export, reexport, transfer, export_from_abroad; cloud access, repair...")
    ] = None,
    end_user: Annotated[str | None, typer.Option(help="The end user's name, or its type.")] = None,
    end_user_type: Annotated[str | None, typer.Option(help="commercial, military, supercomputer, ...")] = None,
    consignee: Annotated[str | None, typer.Option(help="Another party that receives the goods.")] = None,
    ownership: Annotated[str | None, typer.Option(help="Share held by listed parties: 0.5, 50%, unknown.")] = None,
    certifications: Annotated[str | None, typer.Option(help="all, none, or a list separated by ';'.")] = None,
    mode: Annotated[str, typer.Option(help="enforced or as_written.")] = "enforced",
    regime: Annotated[str, typer.Option(help="Whose law is asked: US, CN, MY or KR.")] = "US",
    quantity: Annotated[str, typer.Option(help="Units.")] = "1",
    overlays: Overlays = None,
    batch: Annotated[
        Path | None, typer.Option("--batch", metavar="FILE", help="JSON Lines or CSV of shipments.")
    ] = None,
    show_history: Annotated[bool, typer.Option("--history", help="How the answer changed over time.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="With --history: the picture, .html, .png or .svg.")] = None,
    screening: Annotated[
        Path | None, typer.Option("--screening", metavar="FILE.csv", help="List of names; fuzzy hits are flagged.")
    ] = None,
    own_facts: OwnFactsOption = None,
    trace: Annotated[
        bool | None,
        typer.Option("--trace/--no-trace", help="Show every test; JSON has them unless --no-trace is given."),
    ] = None,
    lang: LangOption = "en",
    as_json: AsJson = False,
) -> None:
    """May a chip go there, on that day, to that customer; and if a licence is needed, how will it be looked at?"""
    from chipweir.errors import InputError

    common = {
        "from": from_, "export_date": on or as_of, "hq": hq, "ultimate_parent": parent, "via": via, "exporter": exporter,
        "exporter_type": exporter_type, "route": route, "end_user_type": end_user_type, "consignee": consignee,
        "ownership": ownership, "certifications": certifications, "mode": mode, "regime": regime, "to": to,
    }  # fmt: skip
    if batch is not None and on is None:
        del common["export_date"]
    fields = {name: value for name, value in common.items() if value is not None}
    fields |= _end_user(end_user, end_user_type)
    with use_language(lang):
        if batch is not None:
            if item is not None or show_history:
                raise InputError(_("--batch takes its items from the file; leave out the chip and --history"))
            full = as_json if trace is None else trace
            _run_batch(batch, fields, _book(overlays, as_of), screening, as_json=as_json, trace=full)
            return
        if item is None:
            raise InputError(_("name a chip, or give --batch FILE"))
        if to is None:
            raise InputError(_("say where it goes: --to CC"))
        if out is not None and not show_history:
            raise InputError(_("--out draws the history; add --history"))
        shipment = _shipment(item, fields, quantity)
        if show_history:
            _run_history(shipment, _book(overlays, as_of), on, out, as_json=as_json)
        else:
            full = as_json if trace is None else trace
            today = _book(overlays) if as_of is not None else None
            _run_one(shipment, _book(overlays, as_of), screening, today, as_json=as_json, trace=full)


def _end_user(text: str | None, stated: str | None) -> dict[str, str]:
    """`--end-user` is a type where it is a word of the vocabulary, else a name."""
    if text is None:
        return {}
    from contextlib import suppress

    from chipweir.errors import InputError
    from chipweir.rules import word

    if stated is None:
        with suppress(InputError):
            return {"end_user_type": word("end_user_types", text, "end user type"), "end_user": text}
    return {"end_user": text}


def _shipment(item: str, fields: dict[str, Any], quantity: str) -> "Shipment":
    from dataclasses import replace

    from chipweir.rules import Item, Shipment

    thing = Item.of(_item(item))
    if quantity != "1":
        thing = replace(thing, quantity=quantity)
    return Shipment.of({**fields, "item": thing})


def _run_one(
    shipment: "Shipment",
    book: "Book",
    screening: Path | None,
    today: "Book | None",
    *,
    as_json: bool,
    trace: bool,
) -> None:
    """One answer with its memo; where the law is asked as of a day, `today` is the law as published now."""
    from chipweir import rules
    from chipweir.rules import basis_titles, decision_text, flips, memo

    decision = rules.decide(shipment, book)
    changes = flips(shipment, decision, book)
    brief = memo(decision, changes, book)
    now = rules.decide(shipment, today, trace=False) if today is not None else None
    hits = []
    if screening is not None:
        from chipweir.rules import read_list, screen

        hits = screen(_parties(shipment), read_list(screening))
    if as_json:
        document = decision.to_dict(trace=trace)
        document |= {"memo": brief.to_dict(), "flips": [flip.to_dict() for flip in changes]}
        if now is not None:
            document["by_what_is_published_now"] = {
                key: getattr(now, key) for key in ("licence", "review", "exception", "basis", "outcome", "headline")
            }
        if screening is not None:
            document["screening"] = [hit.to_dict() for hit in hits]
        _print_json(document)
        return
    titles = basis_titles(book, decision.basis, "ko") if language() == "ko" else ""
    said = now.headline if now is not None else ""
    print(decision_text(decision, brief, trace=trace, hits=hits, titles=titles, now=said))
    if screening is not None:
        print(_("Screening flags candidates for a person to check; it decides nothing, and no hit is no clearance."))


def _parties(shipment: "Shipment") -> list[str]:
    from chipweir.rules import PARTY_FIELDS

    return [name for field in PARTY_FIELDS if (name := getattr(shipment, field))]


def _run_batch(
    path: Path, defaults: dict[str, Any], book: "Book", screening: Path | None, *, as_json: bool, trace: bool
) -> None:
    """Print one decision a line as they come; exit 2 at the end if some lines were bad."""
    from chipweir.rules import ScreeningList, batch, decision_line, disclaimer, read_list, screen

    names: ScreeningList | None = read_list(screening) if screening is not None else None
    bad = total = 0
    for row in batch(path, book, defaults, trace=trace, margins=trace or as_json):
        total += 1
        head: dict[str, Any] = {"line": row.line} if row.id is None else {"line": row.line, "id": row.id}
        if row.decision is None:
            bad += 1
            if bad <= _ERRORS_SHOWN:
                print(f"chipweir: {printable(composed(row.error))}", file=sys.stderr)
            if as_json:
                _print_json({**head, "error": row.error})
            continue
        hits = screen(row.parties, names) if names is not None else []
        if as_json:
            tail: dict[str, Any] = {"ignored": list(row.ignored)} if row.ignored else {}
            if names is not None:
                tail["screening"] = [hit.to_dict() for hit in hits]
            print(row.decision.to_json(head, tail, trace=trace))
        else:
            flagged = (
                " " + _("screening") + f": {', '.join(f'{hit.party} ~ {hit.name}' for hit in hits)}" if hits else ""
            )
            name = f"{row.line}" if row.id is None else f"{row.line} ({row.id})"
            print(f"{name}: {decision_line(row.decision)}{flagged}")
            if trace:
                from chipweir.rules import trace_lines

                print("\n".join(trace_lines(row.decision.trace)))
    if bad > _ERRORS_SHOWN:
        print(
            "chipweir: " + _("and {count} more lines with errors; --json lists them", count=bad - _ERRORS_SHOWN),
            file=sys.stderr,
        )
    if not as_json:
        print(_("{total} shipments, {bad} lines with errors", total=total, bad=bad), file=sys.stderr)
        print(disclaimer(), file=sys.stderr)
    if bad:
        raise typer.Exit(2)


def _run_history(shipment: "Shipment", book: "Book", on: str | None, out: Path | None, *, as_json: bool) -> None:
    from datetime import date

    from chipweir.rules import grid, history, history_text

    until = shipment.export_date if on is not None else date.today()
    spells = history(shipment, until, book)
    name = spells[-1].decision.name
    states = grid(shipment, until, rules=book) if out is not None or as_json else None
    if out is not None and states is not None:
        _draw(states, shipment.to, out)
    if as_json and states is not None:
        changes = [spell.to_dict() for spell in spells]
        _print_json({"item": name, "to": shipment.to, "changes": changes, "grid": states.to_dict()})
        return
    print(history_text(name, shipment.to, spells))
    if out is not None:
        print(_("picture: {path}", path=out))


def _draw(states: Any, to: str, out: Path) -> None:
    """The grid of licence states as a picture. Raises `InputError` for an unknown kind of file."""
    from chipweir.errors import InputError

    kind = out.suffix.lower()
    if kind not in (".html", ".png", ".svg", ".pdf"):
        raise InputError(_("{path}: write the picture as .html, .png, .svg or .pdf", path=out))
    if not out.parent.is_dir():
        raise InputError(_("{path}: the directory does not exist", path=out))
    import numpy as np

    from chipweir.report import figures

    picture = figures.legal_history(
        np.array(states.months, dtype="datetime64[M]"),
        list(states.chips),
        np.array(states.status),
        title=_("Licence states for {to}", to=to),
        subtitle=_("US rules as enforced, seen by the exporter of each chip"),
    )
    if kind == ".html":
        picture.write_html(out, include_plotlyjs=True)
        return
    try:
        picture.write_image(out, width=1100)
    except Exception as error:  # kaleido raises many kinds where no browser is found
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(_("a picture needs Chrome or Chromium ({reason}); write .html", reason=reason)) from None


def list_rules(
    on: On = None,
    overlays: Overlays = None,
    lang: LangOption = "en",
    as_json: AsJson = False,
) -> None:
    """List the instruments with their dates and their status on a day."""
    from datetime import date

    from chipweir.rules import day, disclaimer

    with use_language(lang):
        book = _book(overlays)
        moment = day(on, "--on") if on is not None else date.today()
        rows = []
        for entry in book.instruments.values():
            states = {mode: entry.state(moment, mode) or "not yet" for mode in ("enforced", "as_written")}
            effective = entry.effective.isoformat() if entry.effective else None
            rows.append(
                {
                    "id": entry.id,
                    "title": entry.title,
                    "title_ko": entry.title_ko,
                    "effective": effective,
                    "confidence": entry.confidence,
                    **states,
                }
            )
        if as_json:
            _print_json({"on": moment.isoformat(), "rules": rows})
            return
        from chipweir.rules import term

        modes = ("enforced", "as_written")
        head = [_("rule"), _("effective"), _("enforced"), _("as written"), _("title")]
        body = [
            [r["id"] or "", r["effective"] or "-", *(term("state", r[mode] or "not yet") for mode in modes),
             (r["title_ko"] if lang == "ko" else "") or r["title"] or ""]
            for r in rows
        ]  # fmt: skip
        _tables.show(head, body, _("Status on {day}", day=moment))
        print(disclaimer())


def show_rule(
    rule: Annotated[
        str,
        typer.Argument(
            help="An instrument, a rule, an exception or a country group.",
            autocompletion=complete_rule,
        ),
    ],
    on: On = None,
    overlays: Overlays = None,
    as_json: AsJson = False,
) -> None:
    """Show one rule: versions, status over time, conditions, citations."""
    from datetime import date

    from chipweir.rules import day, describe, described_text

    moment = day(on, "--on") if on is not None else date.today()
    found = describe(_book(overlays), rule, moment)
    if as_json:
        _print_json(found)
    else:
        print(described_text(found))


def chips_table(overlays: Overlays = None, as_json: AsJson = False) -> None:
    """Print the documentation's table: chips by regimes for China, Malaysia, Korea and the Emirates, in Markdown."""
    from chipweir.rules import rules_page

    page = rules_page(_book(overlays))
    if as_json:
        _print_json({"markdown": page})
    else:
        print(page, end="")


def cases_table(as_json: AsJson = False) -> None:
    """Print the golden cases beside the rules as the documentation's page, in Markdown."""
    from chipweir.rules import cases_page, golden

    if as_json:
        _print_json({"cases": len(golden()), "markdown": cases_page()})
    else:
        print(cases_page(), end="")


def check_cases(
    tables: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Case tables, YAML or JSON Lines; the shipped without."),
    ] = None,
    overlays: Overlays = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Check case tables against the rules; exit 1 where a case does not hold."""
    from chipweir.rules import golden, read_table, wrong

    book = _book(overlays, as_of)
    cases = [case for path in tables for case in read_table(path)] if tables else list(golden())
    failed = [
        {"table": case.table, "case": case.name, "kind": case.kind, "wrong": faults}
        for case in cases
        if (faults := wrong(case, book))
    ]
    if as_json:
        _print_json({"cases": len(cases), "hold": len(cases) - len(failed), "failed": failed})
    else:
        for entry in failed:
            print(f"{entry['table']}: {entry['case']}: {'; '.join(entry['wrong'])}")
        print(_("{hold} of {total} cases hold", hold=len(cases) - len(failed), total=len(cases)))
    if failed:
        raise typer.Exit(1)
