"""What the commands of this room share: options, completion, progress, JSON."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from chipweir.errors import InputError
from chipweir.i18n import LANGUAGES, _


Progress = Callable[[float, str], None]

# Characters up to which a JSON document is laid out for reading.
_READABLE = 200_000


def complete_scenario(incomplete: str) -> list[str]:
    from chipweir.world import preset_names

    return [name for name in preset_names() if name.startswith(incomplete)]


def complete_run(incomplete: str) -> list[str]:
    from chipweir import store

    names = [run.id for run in store.list_runs(store.runs_directory())[0]]
    return [name for name in ("latest", *names) if name.startswith(incomplete)]


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
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="Only facts and rules that were known by this day.")
]


def parse_what_ifs(texts: Sequence[str]) -> dict[str, str]:
    """What `--fact` was given, as changes by id. Raises `InputError` for a text without a value, or said twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = (part.strip() for part in text.partition("="))
        if not (name and separator and value):
            raise InputError(f"--fact {text}: write id=value, such as fab-004=x1.5 or nvidia-h20.price_usd=90000")
        if name in found:
            raise InputError(f"--fact {name} is given twice")
        found[name] = value
    return found


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


def keep_compiled() -> None:
    """Let JAX keep what it compiles in the user's cache, so that only the first simulation after a change compiles."""
    import jax
    from platformdirs import user_cache_path

    config: Any = jax.config
    if config.jax_compilation_cache_dir is None:  # $JAX_COMPILATION_CACHE_DIR, if set, stands
        config.update("jax_compilation_cache_dir", str(user_cache_path("chipweir") / "compiled"))
        config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
        config.update("jax_compilation_cache_max_size", 256 * 2**20)


def peak_memory() -> int:
    """Peak resident memory of this process in MB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale)


def dumps(document: object) -> str:
    """JSON text; long documents on one line, since only the plain encoder is fast."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError):
        document = _finite(document)
        text = json.dumps(document, ensure_ascii=False)
    return text if len(text) > _READABLE else json.dumps(document, indent=1, ensure_ascii=False)


def print_json(document: object) -> None:
    typer.echo(dumps(document))


def _finite(value: Any) -> Any:
    """`value` as JSON can hold it: NaN and infinity become null."""
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
