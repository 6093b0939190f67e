"""Commands of the strategy room: how a number was made."""

from typing import TYPE_CHECKING, Annotated

import typer

from chipweir.cli._common import FactsOption, JsonOption, LangOption, OutOption, complete_scenario, print_json
from chipweir.errors import InputError
from chipweir.i18n import _, use_language


if TYPE_CHECKING:
    from chipweir.strategy import Trace
    from chipweir.world import Scenario


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command()(explain)


def explain(
    source: Annotated[str, typer.Argument(help="A scenario, or a stored run.", autocompletion=complete_scenario)],
    variable: Annotated[str, typer.Argument(help="A reported variable such as compute, ratio_to_us, lag_months.")],
    region: Annotated[str | None, typer.Option(help="Short for --select region=...")] = None,
    select: Annotated[list[str] | None, typer.Option(help="DIMENSION=LABEL, repeatable.")] = None,
    month: Annotated[str, typer.Option(help="Month, YYYY-MM.")] = "2030-12",
    scenario: Annotated[str | None, typer.Option(help="Which scenario of a stored run (default: its first).")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many drivers to list.")] = 10,
    out: OutOption = None,
    facts: FactsOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """How a number was made: inputs, equations, facts with sources, and the parameters it is most sensitive to."""
    from pathlib import Path

    from chipweir import facts as room
    from chipweir.strategy import explain as trace_of

    chosen = dict(_pair(text) for text in select or ())
    if region is not None:
        chosen["region"] = region
    known = room.load(tuple(Path(each) for each in facts or ()))
    with use_language(lang):
        trace = trace_of(_scenario(source, scenario, out), known, variable, month, top, **chosen)
        if as_json:
            cited = {name: known.facts[name].value.source for name in trace.facts if name in known.facts}
            print_json({**trace.as_dict(), "sources": cited})
        else:
            _print(trace, known)


def _pair(text: str) -> tuple[str, str]:
    name, sign, label = text.partition("=")
    if not sign or not name or not label:
        raise InputError(f"--select '{text}': write it as DIMENSION=LABEL, such as region=CHN")
    return name, label


def _scenario(source: str, wanted: str | None, out: object) -> "Scenario":
    from chipweir import store
    from chipweir.errors import UnknownName
    from chipweir.world import load_scenario, preset_names

    if source in preset_names() or source.endswith((".yaml", ".yml")):
        return load_scenario(source)
    try:
        run = store.find_run(source, store.runs_directory(out))  # type: ignore[arg-type]
    except InputError:
        return load_scenario(source)
    by_name = {each.name: each for each in run.scenarios}
    name = wanted or next(iter(by_name))
    if name not in by_name:
        raise UnknownName("scenario", name, by_name, where="this run")
    return by_name[name]


def _print(trace: "Trace", known: object) -> None:
    from chipweir.cli import _tables

    out = _tables.console()
    place = ", ".join(trace.selection.values())
    out.print(f"{trace.variable} {place} {trace.month}, {trace.scenario}: [bold]{trace.value:.4g}[/] {trace.unit}")
    out.print(f"[dim]{_(trace.note)}[/]")
    rows = [
        [d.parameter, f"{d.relative:+.1%}", f"{d.low:g} / {d.central:g} / {d.high:g} {d.unit}", d.description, d.source]
        for d in trace.drivers
    ]
    heads = (_("parameter"), _("effect of +1 s.d."), _("5 / 50 / 95 %"), _("what it is"), _("source"))
    out.print(_tables.plain_table(*heads, rows=rows))
    for equation in trace.equations:
        out.print(f"[bold]{equation.module}.{equation.function}[/]: {equation.text.splitlines()[0]}")
    facts = getattr(known, "facts", {})
    for name in trace.facts:
        fact = facts.get(name)
        if fact is not None:
            out.print(f"{name}: {fact.entity}, {fact.quantity} {fact.item}: {fact.value.source}")
