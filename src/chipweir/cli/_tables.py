"""Tables for people: what the commands of the world room print."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chipweir.i18n import _, language


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.report import Cell


GAP = 2
# A file or a pipe has no width: nothing is folded there.
WIDTH_OF_A_PIPE = 5_000
# Words longer than this (addresses, hashes) may be broken when a table does not fit; a number never is, up to the second.
LONGEST_WORD, LONGEST_NUMBER = 16, 34
_NUMBER = re.compile(r"[+\-−]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?%?")


def console(stderr: bool = False) -> Console:
    """A console that does not fold tables when its output goes to a file or a pipe."""
    plain = Console(stderr=stderr, highlight=False)
    narrow = plain.is_terminal or "COLUMNS" in os.environ
    return plain if narrow else Console(stderr=stderr, highlight=False, width=WIDTH_OF_A_PIPE)


def show(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | Text = "") -> None:
    """Print a table at the width of the terminal, every number whole.

    A column whose name begins with `#` holds numbers: it is set to the right and never folded. Texts are folded at their
    blanks. Columns that find no room side by side come in further blocks, which repeat the first column.
    """
    screen = console()
    names = [column.removeprefix("#") for column in columns]
    cells = [[each if isinstance(each, Text) else Text(str(each)) for each in row] for row in rows]
    by_column = [[row[i] for row in cells] for i in range(len(names))]
    right = [name.startswith("#") or _are_numbers(found) for name, found in zip(columns, by_column, strict=True)]
    words = [_least([Text(name)]) for name in names]
    whole = [max(word, _lines(found)) for word, found in zip(words, by_column, strict=True)]
    least = [
        most if fixed else max(word, _least(found))
        for most, word, found, fixed in zip(whole, words, by_column, right, strict=True)
    ]
    room = screen.width
    for number, block in enumerate(_blocks(least, room)):
        widths = _widths([(least[i], whole[i], max(whole[i], cell_len(names[i]))) for i in block], room)
        table = Table(
            box=box.SIMPLE_HEAD if any(names) else None, show_header=any(names), show_edge=False, pad_edge=False
        )
        table.padding = (0, GAP - 1, 0, 0) if any(names) else (0, GAP, 0, 0)
        for i, width in zip(block, widths, strict=True):
            table.add_column(
                Text(names[i], "bold"), width=width, overflow="fold", justify="right" if right[i] else "left"
            )
        for row in cells:
            table.add_row(*(row[i] for i in block))
        if number:
            screen.print()
        elif title:
            screen.print(title if isinstance(title, Text) else Text(title, "bold"))
        screen.width = max(room, sum(widths) + GAP * (len(widths) - 1))  # one number may be wider than the terminal
        screen.print(table)


def _are_numbers(column: Sequence[Text]) -> bool:
    """Whether a column holds bare numbers and blanks."""
    filled = [text.plain for text in column if text.plain]
    return bool(filled) and all(_NUMBER.fullmatch(text) for text in filled)


def _lines(column: Sequence[Text]) -> int:
    """Cells of the terminal that the longest line of a column takes."""
    return max((cell_len(line) for text in column for line in text.plain.split("\n")), default=1)


def _least(column: Sequence[Text]) -> int:
    """The narrowest that a column of texts can be: its longest number or word is whole."""
    widest = 1
    for text in column:
        for word in text.plain.split():
            limit = LONGEST_NUMBER if any(letter.isdigit() for letter in word) else LONGEST_WORD
            widest = max(widest, min(cell_len(word), limit))
    return widest


def _blocks(least: Sequence[int], width: int) -> list[list[int]]:
    """Places of the columns that stand side by side in `width`; the first column leads every block."""
    blocks, taken = [[0]], least[0]
    for place in range(1, len(least)):
        if taken + GAP + least[place] > width and len(blocks[-1]) > 1:
            blocks.append([0])
            taken = least[0]
        blocks[-1].append(place)
        taken += GAP + least[place]
    return blocks


def _widths(wishes: Sequence[tuple[int, int, int]], width: int) -> list[int]:
    """What each column of a block gets, of (the least it can do with, its cells whole, its heading whole as well).

    Where not all fits, headings are folded first, then the widest cells.
    """
    room = width - GAP * (len(wishes) - 1)
    for most in (2, 1):
        if sum(wish[most] for wish in wishes) <= room:
            return [wish[most] for wish in wishes]
    level = max(wish[1] for wish in wishes)
    while level > 1 and sum(max(low, min(whole, level)) for low, whole, _ in wishes) > room:
        level -= 1
    return [max(low, min(whole, level)) for low, whole, _ in wishes]


def print_headline(results: "xr.Dataset", lang: str) -> None:
    """Print the headline table of a run: levels with intervals for the first scenario, paired differences for the others."""
    from chipweir.report import headline_table, label

    cells = headline_table(results, lang)
    scenarios = list(dict.fromkeys(cell.scenario for cell in cells))
    for number, scenario in enumerate(scenarios):
        own = [cell for cell in cells if cell.scenario == scenario]
        paired = any(cell.delta is not None for cell in own)
        lines = _("median; 80 % interval")
        if number and paired:
            lines = _("median; paired difference to {reference} with its 80 % interval; chance that it is higher",
                      reference=label("scenario", scenarios[0]))  # fmt: skip
        _show_years(own, f"{label('scenario', scenario)} ({lines})", paired)


def print_findings(results: "xr.Dataset", lang: str, scenarios: Sequence[str] | None = None) -> None:
    """What a run says, in sentences."""
    from chipweir.report import findings

    out = console()
    for each in findings(results, lang, scenarios=scenarios):
        out.print(Text(f"- {each.text}"))
    out.print()


def _show_years(cells: "Sequence[Cell]", title: str, paired: bool) -> None:
    years = sorted({cell.year for cell in cells if not paired or cell.delta_p90 not in (None, (0.0, 0.0))})
    rows: list[list[Text]] = []
    for key in dict.fromkeys(cell.key for cell in cells):
        by_year = {cell.year: cell for cell in cells if cell.key == key}
        first = next(iter(by_year.values()))
        name = Text.assemble(first.label, "\n", (first.unit, "dim"))
        rows.append([name, *(_cell(by_year.get(year), paired) for year in years)])
    show([_("quantity"), *(f"#{year}" for year in years)], rows, title)


def _cell(cell: "Cell | None", paired: bool) -> Text:
    if cell is None:
        return Text("–", "dim")
    if not paired:
        return Text.assemble(cell.text, "\n", (cell.interval_text, "dim"))
    if cell.delta is None or cell.delta_p90 is None or cell.delta_p90 == (0.0, 0.0):
        return Text.assemble(cell.text, "\n", ("=", "dim"))
    delta, _bracket, bounds = cell.delta_text.partition(" (")
    chance = "" if cell.p_greater is None else f"; {cell.p_greater:.0%}"
    return Text.assemble(cell.text, "\n", delta, "\n", (f"{bounds.removesuffix(')')}{chance}", "dim"))


def show_differences(rows: Sequence[Mapping[str, Any]], a: str, b: str) -> None:
    """Paired differences as `compare` prints them; each row has texts by column name."""
    columns = (_("quantity"), "#" + _("month"), f"#{a}", f"#{b}", "#" + _("difference"), "#80 %", "#P(+)")
    keys = ("label", "month", "a", "b", "difference", "p80", "p_greater")
    show(columns, [[row[key] for key in keys] for row in rows], f"{b} − {a}")


def show_checks(rows: Sequence[Mapping[str, Any]]) -> None:
    """The named model checks with the worst that each met."""
    columns = (_("check"), _("what must hold"), _("where"), "#" + _("worst"), "#" + _("allowed"), _("worst at"), "")
    texts = []
    for row in rows:
        verdict = Text(_("holds"), "green") if row["passed"] else Text(_("FAILS"), "bold red")
        numbers = (f"{row['worst']:.1e}", f"{row['tolerance']:g}")
        texts.append((row["check"], row["what"], row["where"], *numbers, row["setting"], verdict))
    show(columns, texts)


def print_trace(trace: Mapping[str, Any]) -> None:
    """Print how a number was made; `trace` is what `explain --json` gives."""
    out, korean = console(), language() == "ko"
    labels = ", ".join(f"{dim} {label}" for dim, label in trace["selection"].items())
    name = f"{trace['variable']} ({labels})" if labels else trace["variable"]
    out.print(f"{name}, {trace['scenario']}, {trace['month']}: {trace['value']:.4g} {trace['unit']}", style="bold")
    out.print(trace["note"], style="dim")
    out.print()
    effect = "#" + _("one standard deviation up")
    columns = (_("what moves it most"), effect, "#" + _("relative"), _("prior 5 / 50 / 95 %"), _("unit"), _("source"))
    rows = [
        (
            f"{each['parameter']}: {each['description_ko' if korean else 'description']}",
            f"{each['effect']:+.3g}",
            f"{each['relative']:+.1%}",
            f"{each['low']:g} / {each['central']:g} / {each['high']:g}",
            each["unit"],
            each["source"],
        )
        for each in trace["drivers"]
    ]
    show(columns, rows)
    slope = "#" + _("% per %")
    cited = [(each["id"], each["slope"], _cited_line(each)) for each in trace["facts"]]
    datasheets = [(each["id"], each["slope"], each["text"]) for each in trace["chips"]]
    for title, lines in ((_("facts that move it"), cited), (_("chips whose datasheets move it"), datasheets)):
        out.print()
        show((title, slope, _("what it says")), [(name, f"{by:+.3f}", text) for name, by, text in lines])
    out.print("\n" + _("equations, in order"), style="bold")
    for each in trace["equations"]:
        out.print(Text(f"- {each['words_ko' if korean else 'words']}"), soft_wrap=True)
        out.print(Text(f"  {each['formula']}  [{each['function']}]", "dim"), soft_wrap=True)


def _cited_line(fact: Mapping[str, Any]) -> str:
    value = f"{fact['value']:g} {fact['unit']}" if fact.get("value") is not None else ""
    return " · ".join(str(part) for part in (fact.get("text"), value, fact.get("source")) if part)


def show_credibility(rows: Sequence[Mapping[str, Any]], lang: str) -> None:
    """Published figures beside what the model believed before and after it saw them, whether or not they fit."""
    from chipweir.report import credibility_record

    records = [credibility_record(row, lang) for row in rows]
    numeric = {_("Published value"), _("prior 10 – 90 %"), "10 %", "50 %", "90 %"}
    columns = [f"#{name}" if name in numeric else name for name in records[0]]
    show(columns, [list(record.values()) for record in records])
