"""Commands of the facts room."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from chipweir.cli import _tables
from chipweir.cli._common import complete_measure, complete_record
from chipweir.errors import InputError
from chipweir.i18n import _, language
from chipweir.library import CLASSES, FIELDS, SPECIFICATIONS, keep_compiled
from chipweir.library import KINDS as CALLED


Directories = Annotated[
    list[Path] | None,
    typer.Option(
        "--facts", metavar="DIR", help="A directory of your own facts, laid over the shipped ones; may be repeated."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Only what was known by this day: 2025-12-31, 2025-12, 2025Q4, 2025."),
]
MeasureOption = Annotated[
    str | None,
    typer.Option(
        "--measure",
        help="Only facts of this measure: its id, its title or a word of the press (yield, 수율).",
        autocompletion=complete_measure,
    ),
]
Since = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="Only facts about periods that end on or after this.")
]
Until = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="Only facts about periods that start on or before this.")
]
Limit = Annotated[int, typer.Option(min=0, help="Rows on a page; 0 for all of them. JSON is never cut.")]
Page = Annotated[int, typer.Option(min=1, help="Which page of rows.")]

LIST_COLUMNS: Mapping[str, Sequence[str]] = {
    "chips": ("id", "name", "release", "status", "bf16_tflops", "fp8_tflops", "memory_gb", "memory_gbs", "tdp_w"),
    "systems": ("id", "name", "release", "status", "chip", "n_chips", "bf16_pflops", "power_kw"),
    "models": ("id", "name", "release", "type", "total_params_b", "active_params_b", "context"),
    "entities": ("id", "kind", "en", "ko", "zh", "country"),
    "countries": ("alpha2", "alpha3", "en", "ko", "zh", "region"),
    "measures": ("id", "kind", "unit", "adds", "title", "title_ko", "dims"),
    "facts": (
        "id", "entity", "measure", "item", "dims", "when", "nature", "reported", "known_by", "cls", "confidence", "rumour",
    ),
    "events": ("id", "date", "type", "region", "description", "confidence"),
    "prices": ("id", "kind", "item", "provider", "metric", "reported", "valid_from", "cls", "confidence", "rumour"),
    "sources": ("id", "title", "cls", "published"),
    "conflicts": ("id", "quantity", "preferred"),
}  # fmt: skip
SHORT = 32
MAKER_COLUMNS = {"chips": ("maker",), "systems": ("maker",), "models": ("maker",)}
COUNTRY_COLUMNS = {
    "chips": ("maker_country",),
    "systems": ("country",),
    "models": ("country",),
    "entities": ("country",),
    "countries": ("alpha2",),
}
ABOUT_COLUMNS = {
    "facts": ("entity", "item_id"),
    "prices": ("item_id", "provider_id"),
    "events": ("actor_ids",),
    "entities": ("id", "parent"),
}
PRICE_HEADINGS = ("id", "kind", "provider", "metric", "price", "from", "class", "confidence", "source", "note")
FOLDED_COLUMNS = ("aliases", "actors", "actor_ids")


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    room = typer.Typer(help="What is known: list, show, verify and query the sourced facts.", no_args_is_help=True)
    room.command("list")(list_records)
    room.command("show")(show)
    room.command("verify")(verify)
    room.command("query")(query)
    room.command("schema")(schema)
    room.command("used")(used)
    room.command("import")(import_table)
    room.command("export")(export_tables)
    app.add_typer(room, name="facts")


def list_records(
    kind: Annotated[
        str,
        typer.Argument(
            help="chips, systems, models, entities, countries, measures, facts, events, prices, sources, conflicts."
        ),
    ] = "",
    maker: Annotated[str | None, typer.Option(help="Only products of this maker (any of its names).")] = None,
    country: Annotated[str | None, typer.Option(help="Only from this country (code or name).")] = None,
    about: Annotated[str | None, typer.Option(help="Only facts, prices and events about this entity.")] = None,
    measure: MeasureOption = None,
    item: Annotated[str | None, typer.Option(help="Only facts of this item: a chip, node, maker, goods.")] = None,
    nature: Annotated[
        str | None, typer.Option(help="Only facts of this nature: observation, forecast, plan ...")
    ] = None,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    limit: Limit = 100,
    page: Page = 1,
    directories: Directories = None,
    as_json: AsJson = False,
) -> None:
    """List the records of one kind, or how many there are of each."""
    from chipweir.facts import load
    from chipweir.facts._query import tables
    from chipweir.facts._show import KINDS, plural, records

    facts = load(directories or (), as_of=as_of)
    if not kind:
        counts = {name: len(records(facts, name)) for name in KINDS}
        if as_json:
            _print_json({"counts": counts, "digest": facts.digest, "files": [Path(file).name for file in facts.files]})
        else:
            named = [[f"{_(CALLED[name])} ({name})", f"{count}"] for name, count in counts.items()]
            _tables.show([_("kind"), _("records")], named)
        return
    kind = plural(kind)
    if kind != "facts" and any(asked is not None for asked in (measure, item, nature, since, until)):
        raise InputError(f"--measure, --item, --nature, --from and --to apply to facts, not to {kind}")
    rows: list[dict[str, Any]] = tables(facts, kind)[kind]
    if kind == "facts":
        selected = facts.select(measure=measure, item=item, nature=nature, start=since, end=until)
        kept = {fact.id: fact.when for fact in selected}
        rows = [{**row, "when": kept[row["id"]]} for row in rows if row["id"] in kept]
    if maker is not None:
        rows = _keep(rows, kind, "--maker", MAKER_COLUMNS, facts.entity(maker).id)
    if country is not None:
        rows = _keep(rows, kind, "--country", COUNTRY_COLUMNS, facts.country(country).alpha2)
    if about is not None:
        rows = _keep(rows, kind, "--about", ABOUT_COLUMNS, facts.entity(about).id)
    if as_json:
        _print_json([_unfolded(row) for row in rows])
        return
    columns = LIST_COLUMNS[kind]
    shown = _paged(rows, limit, page)
    if kind == "facts":
        shown = [{**row, "item": "; ".join(filter(None, (row["item_id"], row["item"])))} for row in shown]
    _tables.show(columns, [[_cell(row[column]) for column in columns] for row in shown])
    _note(_("{kind}: {count}", count=len(rows), kind=kind))
    _note_rest(len(rows), limit, page)


def _paged(rows: Sequence[Any], limit: int, page: int) -> Sequence[Any]:
    """The rows of one page. Raises `InputError` beyond the last."""
    if limit == 0 or not rows:
        return rows
    last = -(-len(rows) // limit)
    if page > last:
        raise InputError(f"--page {page}: there are {last} pages of {limit} rows")
    return rows[limit * (page - 1) : limit * page]


def _note_rest(count: int, limit: int, page: int) -> None:
    if limit and count > limit * page:
        _note(_("{rest} more; --page {next} shows them, --limit 0 all", rest=count - limit * page, next=page + 1))


def _keep(
    rows: list[dict[str, Any]], kind: str, option: str, columns: Mapping[str, Sequence[str]], wanted: str
) -> list[dict[str, Any]]:
    if kind not in columns:
        raise InputError(f"{option} does not apply to {kind}; it does to {', '.join(columns)}")
    return [row for row in rows if any(wanted in (row[column] or "").split("|") for column in columns[kind])]


def _unfolded(row: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name: [part for part in row[name].split("|") if part] for name in FOLDED_COLUMNS if name in row}
    nested = {name: json.loads(row[name]) for name in ("about", "values") if name in row}
    return {**row, **lists, **nested}


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="An id or any name: nvidia-h20, 'Ascend 910C', 华为, shi-047.",
            autocompletion=complete_record,
        ),
    ],
    measure: MeasureOption = None,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    limit: Limit = 60,
    page: Page = 1,
    directories: Directories = None,
    as_json: AsJson = False,
) -> None:
    """Show everything known about one thing, with sources and conflicts."""
    from chipweir.facts import load
    from chipweir.facts._show import describe

    facts = load(directories or (), as_of=as_of)
    asked = any(option is not None for option in (measure, since, until))
    kept = facts.select(measure=measure, start=since, end=until) if asked else None
    found = describe(facts, name, None if kept is None else {fact.id for fact in kept})
    if as_json:
        _print_json(found)
        return
    rows = found.get("facts", [])
    if rows:
        found["facts"] = _paged(rows, limit, page)
    _print_page(found)
    _note_rest(len(rows), limit, page)


def verify(as_of: AsOf = None, directories: Directories = None, as_json: AsJson = False) -> None:
    """Check sources, units, ids, dates and arithmetic of all facts. Exit 1 if something is wrong."""
    from chipweir.facts import load
    from chipweir.facts._checks import CHECKS
    from chipweir.facts._verify import verify as run

    facts = load(directories or (), as_of=as_of)
    findings = run(facts)
    open_ones = [finding for finding in findings if not finding.excused]
    names = [*CHECKS, "stale-exceptions"]
    counted = {name: sum(finding.check == name for finding in open_ones) for name in names}
    known = {name: sum(finding.check == name and bool(finding.excused) for finding in findings) for name in names}
    about = {name: (function.__doc__ or "").strip() for name, function in CHECKS.items()}
    about["stale-exceptions"] = "Every known exception still excuses something."
    if as_json:
        _print_json(
            {
                "clean": not open_ones,
                "checks": [{"name": n, "about": about[n], "findings": counted[n], "excused": known[n]} for n in names],
                "findings": [vars(finding) for finding in open_ones],
                "excused": [vars(finding) for finding in findings if finding.excused],
                "overrides": [override.text for override in facts.overrides],
            }
        )
    else:
        rows = [[name, about[name], f"{counted[name]}", f"{known[name]}"] for name in names]
        _tables.show([_("check"), _("what must hold"), _("findings"), _("known")], rows)
        for finding in open_ones:
            print(f"{finding.origin}: {finding.id}: {finding.message} [{finding.check}]")
        for override in facts.overrides:
            _note(override.text)
        _note(
            _(
                "findings: {count}; known exceptions: {known}",
                count=len(open_ones),
                known=len(findings) - len(open_ones),
            )
        )
    raise typer.Exit(1 if open_ones else 0)


def query(
    sql: Annotated[
        str,
        typer.Argument(
            metavar="SQL", help="One SELECT, e.g. \"SELECT id, memory_gb FROM chips WHERE maker = 'huawei'\"."
        ),
    ],
    as_of: AsOf = None,
    directories: Directories = None,
    as_json: AsJson = False,
) -> None:
    """Run one SELECT in DuckDB over all tables; files and network are out of reach.

    Tables: chips, chip_values, systems, system_values, models, measures, facts (period: first_day, last_day), events,
    prices, sources, entities, countries, aliases, conflicts, overrides.
    """
    from chipweir.facts import load
    from chipweir.facts._query import query as run

    answer = run(load(directories or (), as_of=as_of), sql)
    if as_json:
        _print_json([dict(zip(answer.columns, map(_jsonable, row), strict=True)) for row in answer.rows])
        return
    _tables.show(answer.columns, [[_cell(cell) for cell in row] for row in answer.rows])
    _note(_("rows: {count}", count=len(answer.rows)))


def schema(as_json: AsJson = False) -> None:
    """Print the JSON Schema of the records and the columns of the files of a facts directory."""
    from chipweir.facts._show import schema as whole

    del as_json  # the schema is JSON either way
    _print_json(whole())


def used(
    outcome: Annotated[
        str | None,
        typer.Option(help="A number of the model: what each fact moves it, such as 'compute region=CHN'."),
    ] = None,
    scenario: Annotated[str, typer.Option(help="The scenario of that number.")] = "baseline",
    month: Annotated[str, typer.Option(help="Its month.")] = "2030-12",
    as_of: AsOf = None,
    directories: Directories = None,
    as_json: AsJson = False,
) -> None:
    """Facts that the model rests on and the cells in which they stand; with --outcome, what one per cent of each moves."""
    from chipweir.facts import load
    from chipweir.strategy import Number, facts_unused, facts_used, panel
    from chipweir.world import DEFAULT_RUN

    known = load(directories or (), as_of=as_of)
    keep_compiled()
    if outcome is not None:
        variable, *labels = outcome.split() or ("",)
        selection = dict(label.partition("=")[::2] for label in labels)
        rows = facts_used(known, (scenario,), [Number(variable, month, selection)])
    else:  # in a document each fact has what it moves most, over all presets of a run; on the screen that would take long
        rows = facts_used(known, DEFAULT_RUN, panel()) if as_json else facts_used(known)
    if as_json:
        _print_json({"facts": rows, "unused": facts_unused(known, rows)})
        return
    if outcome is None:
        columns = (_("fact"), _("what it says"), _("value"), _("cells"))
        _tables.show(
            columns, [(r["id"], r["text"], f"{r['value']:g} {r['unit']}", "; ".join(r["enters"])) for r in rows]
        )
    else:
        columns = (_("fact"), "#" + _("% per %"), _("what it says"), _("value"))
        _tables.show(columns, [(r["id"], f"{r['slope']:+.4f}", r["text"], f"{r['value']:g} {r['unit']}") for r in rows])
    _note(_("facts: {count}", count=len(rows)))


def import_table(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="epoch-chips, comtrade, screening-list or benchmark.",
            autocompletion=lambda: ["epoch-chips", "comtrade", "screening-list", "benchmark"],
        ),
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file as its publisher gives it, CSV or JSON.")],
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Your directory of facts; made where there is none.")
    ],
    chip: Annotated[str, typer.Option(help="With benchmark: the chip it ran on.")] = "",
    chips: Annotated[int, typer.Option(min=1, help="With benchmark: how many chips.")] = 1,
    model: Annotated[str, typer.Option(help="With benchmark: the model, where the file names none that we know.")] = "",
    precision: Annotated[str, typer.Option(help="With benchmark: bf16, fp8, ...")] = "",
    tp: Annotated[int | None, typer.Option(min=1, help="With benchmark: chips that share each layer.")] = None,
    as_json: AsJson = False,
) -> None:
    """Lay somebody else's table into a directory of your own facts: sourced, checked, whole or not at all."""
    from chipweir.importers import import_file

    given = {"chip": chip, "model": model, "precision": precision, "tp": tp, "chips": None if chips == 1 else chips}
    options: dict[str, Any] = {name: value for name, value in given.items() if value}
    if options and kind != "benchmark":
        raise InputError(f"--{next(iter(options))} belongs to benchmark, not to {kind}")
    written = import_file(kind, file, directory, **options)
    if as_json:
        _print_json(vars(written) | {"directory": str(written.directory)})
        return
    counted = [[name, f"{count}", f"{written.replaced[name]}"] for name, count in written.added.items()]
    _tables.show([_("file"), "#" + _("new rows"), "#" + _("changed rows")], counted, str(written.directory))
    for line in written.skipped[:20]:
        _note(_("left out: {what}", what=line))
    if len(written.skipped) > 20:
        _note(_("{rest} more left out; --json lists them", rest=len(written.skipped) - 20))


def export_tables(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    as_of: AsOf = None,
    directories: Directories = None,
    as_json: AsJson = False,
) -> None:
    """Write all tables as a data package (CSV with types, units and sources; Frictionless and RO-Crate metadata)."""
    from chipweir.facts import load
    from chipweir.library import export_facts

    files = export_facts(load(directories or (), as_of=as_of), target)
    if as_json:
        _print_json({"directory": str(target), "files": files})
    else:
        print(target)


def _jsonable(cell: Any) -> Any:
    if isinstance(cell, float):
        return cell if cell == cell and abs(cell) != float("inf") else None
    return cell if isinstance(cell, str | int | bool | list | dict | None) else str(cell)


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2, default=str, allow_nan=False))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.15g}" if isinstance(value, int | float) else str(value)


def _note(text: str) -> None:
    print(text, file=sys.stderr)


def _print_page(page: Mapping[str, Any]) -> None:
    from rich.markup import escape

    console = _tables.console()
    record = page["record"]
    identifier = str(record.get("id", record.get("alpha2", "")))
    titles = (record.get(name) for name in ("name", "title", "quantity", "description"))
    title = page.get("title") or next((text for text in titles if text), identifier)
    if "names" in record:
        title = " / ".join(text for text in record["names"].values() if text)
    console.print(f"[bold]{escape(str(title))}[/bold]  ({page['kind']} {escape(identifier)})")
    if page["kind"] == "conflict":
        _print_conflicts(page, console)
        return
    for name, cell in record.items():
        if name not in ("id", "name", "names", "title"):
            console.print(f"  [dim]{escape(_(FIELDS.get(name, name)))}:[/dim] {escape(_shown(cell))}", soft_wrap=True)
    for mark in page.get("timeline", ()):
        since = mark["since"] or _("date not known")
        console.print(f"  [dim]{escape(mark['status'])}:[/dim] {escape(since)}")
    for name in page.get("names", ()):
        if name.get("flag") in ("also", "context"):
            said = _("{name} may also mean: {others}", name=name["name"], others=name.get("also", ""))
            console.print(f"[yellow]{escape(said)}[/yellow]", soft_wrap=True)
    _print_values(page)
    _print_lists(page, console)
    _print_conflicts(page, console)
    for line in page.get("overrides", ()):
        console.print(f"[yellow]{escape(line)}[/yellow]")
    _print_sources(page, console)


def _shown(cell: Any) -> str:
    """A cell of a record as text: lists with commas; a text in several languages in the reader's; pairs as name value."""
    if isinstance(cell, list | tuple):
        return ", ".join(map(str, cell))
    if isinstance(cell, Mapping) and set(cell) == {"en", "ko"}:
        return str(cell["ko" if language() == "ko" else "en"])
    if isinstance(cell, Mapping):
        return "; ".join(f"{name} {_shown(part)}" for name, part in cell.items())
    return str(cell)


def _print_values(page: Mapping[str, Any]) -> None:
    headings = [
        _("quantity"),
        _("value"),
        _("range"),
        _("unit"),
        _("as of"),
        _("published"),
        _("class"),
        _("confidence"),
        _("source"),
        _("note"),
    ]
    rows = [
        _value_row(quantity, value, len(found)) for quantity, found in page.get("values", {}).items() for value in found
    ]
    if "value" in page:
        rows.append(_value_row(page.get("title") or page["record"].get("metric", ""), page["value"], 1))
    if rows:
        _tables.show(headings, rows, _("Values"))
    _print_derived(page, headings)
    if facts := page.get("facts", ()):
        _print_facts(facts, page)


def _print_derived(page: Mapping[str, Any], headings: list[str]) -> None:
    """What follows from a chip's other numbers."""
    derived = {name: cell for name, cell in page.get("derived", {}).items() if isinstance(cell, Mapping)}
    rows = [_value_row(quantity, value, 1) for quantity, value in derived.items()]
    if density := page.get("derived", {}).get("performance_density"):
        rows.insert(0, ["performance_density", f"{density:g}", "", "bit*TOP/s/mm**2", *[""] * 5, "tpp / die_mm2"])
    if rows:
        _tables.show(headings, rows, _("Derived"))


def _print_facts(facts: Sequence[Mapping[str, Any]], page: Mapping[str, Any]) -> None:
    """The facts about one thing, or of one measure, by measure, item and time."""
    subject = _("entity") if page["kind"] == "measure" else _("measure")
    headings = [
        _("id"), subject, _("item"), _("period"), _("value"), _("range"), _("unit"), _("known by"), _("class"),
        _("confidence"), _("source"), _("note"),
    ]  # fmt: skip
    _tables.show(headings, [_fact_row(fact, page["kind"]) for fact in facts], _("Facts"))


def _fact_row(fact: Mapping[str, Any], kind: str) -> list[str]:
    _name, best, span, unit, _as_of, _published, cls, confidence, source, note = _value_row("", fact["value"], 1)
    named = fact["entity"] if kind == "measure" else fact["title"]
    nature = "" if fact["nature"] == "observation" else f" ({_nature(fact['nature'])})"
    respects = ", ".join(f"{name} {value}" for name, value in fact.get("dims", {}).items())
    item = fact.get("item_id", "") if kind == "measure" else ""
    about = "; ".join(filter(None, (item, fact.get("item", ""), respects)))
    known = str(fact["known_by"])
    return [fact["id"], named + nature, about, fact["when"], best, span, unit, known, cls, confidence, source, note]


def _nature(name: str) -> str:
    """What an unobserved number is, in the reader's language."""
    told = {"forecast": _("forecast"), "plan": _("plan"), "target": _("target"), "guidance": _("guidance")}
    return {**told, "claim": _("claim"), "prior": _("prior")}[name]


def _value_row(quantity: str, value: Mapping[str, Any], rivals: int) -> list[str]:
    marks = [_("RUMOUR")] if value["rumour"] else []
    marks += [_("recalled")] if value.get("recalled") else []
    marks += [_("preferred")] if rivals > 1 and value.get("preferred") else []
    marks += [value["origin"]] if Path(value["origin"]).parent != Path() else []
    low, high = value.get("low"), value.get("high")
    span = f"{_cell(low)} – {_cell(high)}" if low is not None or high is not None else ""
    note = "; ".join([*marks, *([value["note"]] if value.get("note") else [])])
    cells = [value.get(name, "") for name in ("unit", "as_of", "published")]
    cells += [_(CLASSES.get(value.get("cls", ""), "")), *(value.get(name, "") for name in ("confidence", "source"))]
    return [_(SPECIFICATIONS.get(quantity, quantity)), _cell(value.get("best")), span, *cells, note]


def _price_row(price: Mapping[str, Any]) -> list[str]:
    value = price["value"]
    asked = [price["id"], price["kind"], price["provider"], price["metric"], value["reported"]]
    since = price.get("valid_from", price.get("listed", ""))
    label = _("RUMOUR") if value["rumour"] else ""
    return [*asked, since, _(CLASSES[value["cls"]]), value["confidence"], value["source"], label]


def _print_lists(page: Mapping[str, Any], console: Any) -> None:
    from rich.markup import escape

    if "chip" in page:
        console.print("[bold]" + _("Chip") + f"[/bold] {escape(page['chip']['id'])}")
    for key, title in (("systems", _("Systems with it")), ("products", _("Products"))):
        if rows := page.get(key):
            _tables.show([_("id"), _("name"), _("release")], [[r["id"], r["name"], r["release"]] for r in rows], title)
    if rows := page.get("prices"):
        _tables.show(PRICE_HEADINGS, [_price_row(price) for price in rows], _("Prices"))
    if rows := page.get("events"):
        _tables.show(
            [_("id"), _("date"), _("type"), _("what")],
            [[e["id"], e["date"], e["type"], e["description"]] for e in rows],
            _("Events"),
        )


def _print_conflicts(page: Mapping[str, Any], console: Any) -> None:
    from rich.markup import escape

    for conflict in page.get("conflicts", ()):
        about = f"{escape(conflict['quantity'])} ({escape(conflict['id'])})"
        console.print("[bold yellow]" + _("Sources disagree") + f":[/bold yellow] {about}")
        for side in conflict["values"]:
            label = " [" + _("RUMOUR") + "]" if side["rumour"] else ""
            line = f"  - {side['who']}: {side['says']} {', '.join(side['facts'])}{label}"
            console.print(escape(line), soft_wrap=True)
        console.print("  [dim]" + _("why") + f":[/dim] {escape(conflict['likely_reason'])}", soft_wrap=True)
        console.print("  [dim]" + _("treatment") + f":[/dim] {escape(conflict['treatment'])}", soft_wrap=True)
        if conflict.get("preferred"):
            console.print(
                "  [dim]" + _("preferred") + f":[/dim] {escape(conflict['preferred'])} ({escape(conflict['rule'])})",
                soft_wrap=True,
            )


def _print_sources(page: Mapping[str, Any], console: Any) -> None:
    from rich.markup import escape

    if page.get("sources"):
        console.print("[bold]" + _("Sources") + "[/bold]")
    for identifier, source in page.get("sources", {}).items():
        address = f" {source['url']}" if source.get("url") else ""
        console.print(
            f"  {escape(identifier)}: {escape(source['title'])}{escape(address)} ({source['cls']})", soft_wrap=True
        )
