"""What the commands of this room share: options, completion, progress, JSON."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from chipweir.errors import InputError
from chipweir.i18n import LANGUAGES, _
from chipweir.library import dumps


Progress = Callable[[float, str], None]


def complete_scenario(incomplete: str) -> list[str]:
    from chipweir.world import preset_names

    return [name for name in preset_names() if name.startswith(incomplete)]


def complete_run(incomplete: str) -> list[str]:
    from chipweir import store

    names = [run.id for run in store.list_runs(store.runs_directory())[0]]
    return [name for name in ("latest", *names) if name.startswith(incomplete)]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    """Names a shell can complete without quotes, in whatever case they were begun."""
    begun = incomplete.casefold()
    return sorted({name for name in names if name.casefold().startswith(begun) and not set(name) & set(" ()'|")})


def complete_record(incomplete: str) -> list[str]:
    """Ids of everything on record, and names of chips, systems, models, firms and countries."""
    from chipweir import facts
    from chipweir.facts._show import KINDS

    known = facts.load()
    ids: list[str] = [name for kind in KINDS for name in getattr(known, kind)]
    firms = [name for each in known.entities.values() for name in (each.names.en, each.names.ko)]
    return _beginning([*ids, *firms, *(name.name for name in known.names)], incomplete)


def complete_variable(incomplete: str) -> list[str]:
    """Variables that a run reports."""
    from chipweir.world import variables

    return _beginning([each["name"] for each in variables()], incomplete)


def complete_lever(incomplete: str) -> list[str]:
    """Levers of scenarios."""
    from chipweir.world import levers

    return _beginning(levers(), incomplete)


def complete_measure(incomplete: str) -> list[str]:
    """Measures of the facts."""
    from chipweir import facts

    return _beginning(facts.load().measures, incomplete)


def complete_rule(incomplete: str) -> list[str]:
    """Instruments, rules, exceptions and country groups."""
    from chipweir import rules

    book = rules.shipped()
    entries = [entry.id for entry in book.requirements] + [entry.id for entry in book.authorisations]
    return _beginning([*book.instruments, *book.groups, *entries], incomplete)


def complete_country(incomplete: str) -> list[str]:
    """Codes of countries."""
    from chipweir import facts

    return _beginning(facts.load().countries, incomplete)


def complete_chip(incomplete: str) -> list[str]:
    """Names of chips and systems."""
    from chipweir import facts

    known = facts.load()
    named = [name.name for name in known.names if name.kind in ("chip", "system")]
    return _beginning((*known.chips, *known.systems, *named), incomplete)


LabelsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[DIM=LABEL]...", help="Such as region=CHN or origin=smuggled.")
]
VariableArgument = Annotated[
    str,
    typer.Argument(help="A reported variable, such as compute or lag_months.", autocompletion=complete_variable),
]
ScenarioOption = Annotated[
    str, typer.Option("--scenario", help="A scenario, a file or a stored run.", autocompletion=complete_scenario)
]
ClusterOption = Annotated[
    str | None, typer.Option("--cluster", help="Address of a Dask scheduler, or local, or local:N.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Directory of runs; default $CHIPWEIR_RUNS or ./chipweir-runs.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
LangOption = Annotated[str, typer.Option("--lang", help="en or ko.", autocompletion=lambda: list(LANGUAGES))]
MembersOption = Annotated[int, typer.Option("--members", "-n", help="Draws of all uncertain parameters.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Equal seeds give equal draws in every scenario.")]
FactsOption = Annotated[
    list[Path] | None, typer.Option("--facts", help="A directory of own facts laid over the shipped ones (repeatable).")
]

WhatIfOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fact",
        metavar="ID=VALUE",
        help="What if a fact, price or datasheet were otherwise: fab-004=x1.5, nvidia-h20.price_usd=90000 (repeatable).",
    ),
]
PriorOption = Annotated[
    bool, typer.Option("--prior", help="Draw from the prior instead of what past observations left of it.")
]
PosteriorOption = Annotated[
    Path | None, typer.Option("--posterior", help="Draw from this fit of your own (calibrate --out FILE).")
]
RefitOption = Annotated[
    bool, typer.Option("--refit", help="Reweight the shipped beliefs to what --fact or --facts changed.")
]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="Only facts and rules that were known by this day.")
]


def _put_in_force(context: typer.Context, directories: list[Path] | None) -> list[Path] | None:
    if directories and not context.resilient_parsing:
        from chipweir import facts

        context.with_resource(facts.in_force(facts.load(tuple(directories))))
    return directories


# For commands that name chips and models and pass no facts on: the user's own are in force until the command ends.
OwnFactsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--facts",
        callback=_put_in_force,
        help="A directory of own facts laid over the shipped ones (repeatable).",
    ),
]


def labels_of(given: Sequence[str] | None) -> dict[str, str]:
    """`region=CHN origin=smuggled` as labels by dimension. Raises `InputError`."""
    found = {}
    for text in given or ():
        dim, sign, label = text.partition("=")
        if not (dim and sign and label):
            raise InputError(f"'{text}' is no choice of a label; write dim=label, such as region=CHN")
        found[dim] = label
    return found


def mapper(cluster: str | None) -> AbstractContextManager[Any]:
    """The map of a cluster, or of this process."""
    from chipweir.cluster import cluster_map

    return cluster_map(cluster) if cluster is not None else nullcontext(map)


@contextmanager
def interruptible(directory: Path) -> Iterator[None]:
    """Ctrl-C is one line and exit code 130. `directory` is where a stopped ensemble leaves its finished parts."""
    from chipweir import store

    try:
        yield
    except KeyboardInterrupt:
        kept = store.unfinished_runs(directory)
        goes_on = "finished parts are kept and the same command goes on from them" if kept else "nothing was stored"
        typer.echo(f"chipweir: interrupted; {goes_on}", err=True)
        raise typer.Exit(130) from None


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on stderr, where that is a terminal."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from chipweir.cli import _tables  # rich is slow to import, and most commands do without it

    screen = _tables.console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(_("preparing"), total=1.0)
        yield lambda fraction, text: bar.update(task, completed=fraction, description=text)


def peak_memory() -> int:
    """Peak resident memory of this process in MB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale)


def print_json(document: object) -> None:
    typer.echo(dumps(document))
