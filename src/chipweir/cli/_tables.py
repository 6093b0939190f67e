"""Tables for people: what the commands of the world room print."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chipweir.i18n import _, language


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.report import Cell
    from chipweir.strategy import Trace


def console(stderr: bool = False) -> Console:
    """A console that does not fold tables when its output goes to a file or a pipe."""
    plain = Console(stderr=stderr, highlight=False)
    narrow = plain.is_terminal or "COLUMNS" in os.environ
    return plain if narrow else Console(stderr=stderr, highlight=False, width=160)


def plain_table(*columns: str, rows: Sequence[Sequence[object]], title: str = "") -> Table:
    """A table of texts under `columns`; a column whose name begins with `#` is set to the right."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.removeprefix("#"), justify="right" if column.startswith("#") else "left")
    for row in rows:
        table.add_row(*(each if isinstance(each, Text) else Text(str(each)) for each in row))
    return table


def headline(cells: "Sequence[Cell]") -> list[Table]:
    """The headline table: levels with intervals for the first scenario, paired differences for the others."""
    from chipweir.report._labels import label

    scenarios = list(dict.fromkeys(cell.scenario for cell in cells))
    tables = []
    for number, scenario in enumerate(scenarios):
        own = [cell for cell in cells if cell.scenario == scenario]
        name = label("scenario", scenario)
        paired = any(cell.delta is not None for cell in own)
        lines = _("median; 50 % interval; 90 % interval")
        if number and paired:
            lines = _("median; paired difference to {reference} with its 90 % interval; chance that it is higher",
                      reference=label("scenario", scenarios[0]))  # fmt: skip
        tables.append(_years_table(own, f"{name} ({lines})", paired))
    return tables


def print_headline(results: "xr.Dataset", lang: str) -> None:
    """Print the headline table of a run."""
    from chipweir.report import headline_table

    for table in headline(headline_table(results, lang)):
        console().print(table)


def _years_table(cells: "Sequence[Cell]", title: str, paired: bool) -> Table:
    years = sorted({cell.year for cell in cells if not paired or cell.delta_p90 not in (None, (0.0, 0.0))})
    table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column(_("quantity"))
    for year in years:
        table.add_column(str(year), justify="right")
    for key in dict.fromkeys(cell.key for cell in cells):
        by_year = {cell.year: cell for cell in cells if cell.key == key}
        first = next(iter(by_year.values()))
        name = Text.assemble(first.label, "\n", (first.unit, "dim"))
        table.add_row(name, *(_cell(by_year.get(year), paired) for year in years))
    return table


def _cell(cell: "Cell | None", paired: bool) -> Text:
    if cell is None:
        return Text("–", "dim")
    if not paired:
        from chipweir.report._numbers import interval

        return Text.assemble(cell.text, "\n", (f"{interval(*cell.p50, cell.kind)}\n{cell.interval_text}", "dim"))
    if cell.delta is None or cell.delta_p90 is None or cell.delta_p90 == (0.0, 0.0):
        return Text.assemble(cell.text, "\n", ("=", "dim"))
    delta, _bracket, bounds = cell.delta_text.partition(" (")
    chance = "" if cell.p_greater is None else f"; {cell.p_greater:.0%}"
    return Text.assemble(cell.text, "\n", delta, "\n", (f"{bounds.removesuffix(')')}{chance}", "dim"))


def difference_table(rows: Sequence[Mapping[str, Any]], a: str, b: str) -> Table:
    """Paired differences as `compare` prints them; each row has texts by column name."""
    columns = (_("quantity"), _("month"), f"#{a}", f"#{b}", "#" + _("difference"), "#50 %", "#90 %", "#P(+)")
    keys = ("label", "month", "a", "b", "difference", "p50", "p90", "p_greater")
    return plain_table(*columns, rows=[[row[key] for key in keys] for row in rows], title=f"{b} − {a}")


def check_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The named model checks with the worst that each met."""
    columns = (_("check"), _("what must hold"), _("where"), "#" + _("worst"), "#" + _("allowed"), _("worst at"), "")
    texts = []
    for row in rows:
        verdict = Text(_("holds"), "green") if row["passed"] else Text(_("FAILS"), "bold red")
        numbers = (f"{row['worst']:.1e}", f"{row['tolerance']:g}")
        texts.append((row["check"], row["what"], row["where"], *numbers, row["setting"], verdict))
    return plain_table(*columns, rows=texts)


def print_trace(trace: "Trace", cited: Sequence[Mapping[str, Any]]) -> None:
    """Print how a number was made."""
    out = console()
    labels = ", ".join(f"{dim} {label}" for dim, label in trace.selection.items())
    name = f"{trace.variable} ({labels})" if labels else trace.variable
    out.print(f"{name}, {trace.scenario}, {trace.month}: {trace.value:.4g} {trace.unit}", style="bold")
    out.print(trace.note, style="dim")
    out.print()
    effect = "#" + _("one standard deviation up")
    columns = (_("what moves it most"), effect, "#" + _("relative"), _("prior 5 / 50 / 95 %"), _("unit"), _("source"))
    rows = [
        (
            f"{each.parameter}: {each.description}",
            f"{each.effect:+.3g}",
            f"{each.relative:+.1%}",
            f"{each.low:g} / {each.central:g} / {each.high:g}",
            each.unit,
            each.source,
        )
        for each in trace.drivers
    ]
    out.print(plain_table(*columns, rows=rows))
    for title, lines in (
        (_("equations, in order"), [f"{each.module}.{each.function}: {each.text}" for each in trace.equations]),
        (_("facts"), [_cited_line(fact) for fact in cited]),
    ):
        out.print(f"\n{title}", style="bold")
        for line in lines:
            out.print(Text(f"- {line}"), soft_wrap=True)


def _cited_line(fact: Mapping[str, Any]) -> str:
    value = f"{fact['value']:g} {fact['unit']}" if fact.get("value") is not None else ""
    return " · ".join(str(part) for part in (fact["id"], fact.get("text"), value, fact.get("source")) if part)


def credibility_record(row: Mapping[str, Any], lang: str | None = None) -> dict[str, str]:
    """One published figure beside what the model believed, as texts by column name in the language in force."""
    from chipweir.report._labels import unit

    target = row["target"]
    return {
        _("Published figure"): target["label_ko"] if (lang or language()) == "ko" else target["label"],
        _("Published value"): f"{target['central']:.4g} ({target['low']:.4g} – {target['high']:.4g})",
        **{name: f"{row[key]:.3g}" for name, key in (("5 %", "p05"), ("50 %", "p50"), ("95 %", "p95"))},
        _("unit"): unit(target["unit"]) or target["unit"],
        _("within the interval"): _("yes") if row["inside"] else _("its range is") if row["overlap"] else _("no"),
    }


def credibility_table(rows: Sequence[Mapping[str, Any]], lang: str) -> Table:
    """Published figures beside what the model believed before it saw them, whether or not they fit."""
    records = [credibility_record(row, lang) for row in rows]
    return plain_table(*records[0], rows=[list(record.values()) for record in records])
