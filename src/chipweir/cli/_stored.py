"""Commands on stored runs: list, show, delete, export."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from chipweir.cli import _tables
from chipweir.cli._common import JsonOption, LangOption, OutOption, complete_run, print_json
from chipweir.errors import InputError
from chipweir.i18n import _, use_language


runs_app = typer.Typer(help="Stored runs: list, show, export, delete.", no_args_is_help=True)


@runs_app.command("list")
def runs_list(out: OutOption = None, as_json: JsonOption = False) -> None:
    """Stored runs, oldest first; damaged and unfinished ones are named."""
    from chipweir import store

    directory = store.runs_directory(out)
    runs, damaged = store.list_runs(directory)
    stopped = [path.name for path in store.unfinished_runs(directory)]
    rows = [
        {
            "id": each.id,
            "created": each.manifest["created"],
            "scenarios": [scenario["name"] for scenario in each.manifest["scenarios"]],
            "members": each.manifest["members"],
            "seed": each.manifest["seed"],
        }
        for each in runs
    ]
    if as_json:
        print_json({"directory": str(directory), "runs": rows, "damaged": damaged, "unfinished": stopped})
        return
    if not rows:
        typer.echo(f"no runs in {directory}")
    else:
        texts = [[", ".join(value) if isinstance(value, list) else value for value in row.values()] for row in rows]
        columns = (_("run"), _("made"), _("scenarios"), "#" + _("members"), "#" + _("seed"))
        _tables.show(columns, texts)
    for line in damaged.values():
        typer.echo(f"chipweir: {line}", err=True)
    for name in stopped:
        typer.echo(f"chipweir: {name} is unfinished: the command that made it goes on from there", err=True)


RunArgument = Annotated[
    str, typer.Argument(help="A run's id, its beginning, its path, or latest.", autocompletion=complete_run)
]


@runs_app.command("show")
def runs_show(name: RunArgument, out: OutOption = None, lang: LangOption = "en", as_json: JsonOption = False) -> None:
    """A run's manifest, headline table and the state of its files."""
    from chipweir import store

    with use_language(lang):
        found = store.find_run(name, store.runs_directory(out))
        damage = found.damage()
        if as_json:
            headline = None if damage else found.headline()
            print_json(
                {
                    "run": found.id,
                    "path": str(found.path),
                    "damage": damage,
                    "manifest": found.manifest,
                    "headline": headline,
                }
            )
            return
        made = found.manifest
        shown = {key: made[key] for key in made if key not in {"files", "scenarios", "id"}}
        shown["scenarios"] = ", ".join(each["name"] for each in made["scenarios"])
        shown["versions"] = ", ".join(f"{key} {value}" for key, value in made["versions"].items())
        shown["command"] = " ".join(made["command"])
        shown["files"] = (
            f"{len(made['files'])}, {len(damage)} damaged" if damage else f"{len(made['files'])}, all whole"
        )
        out_console = _tables.console()
        out_console.print(found.path, soft_wrap=True)
        _tables.show(("", ""), list(shown.items()))
        if damage:
            raise InputError(f"run {found.id} is damaged: {damage[0]}")
        _tables.print_headline(found.results, lang)


@runs_app.command("delete")
def runs_delete(
    names: Annotated[
        list[str] | None, typer.Argument(help="Ids, beginnings or paths of runs.", autocompletion=complete_run)
    ] = None,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Delete what stopped ensembles left.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete runs for good. Nothing else is touched: no link, no folder that holds anything but a run."""
    from chipweir import store

    if not names and not unfinished:
        raise InputError("name the runs to delete, or give --unfinished")
    directory = store.runs_directory(out)
    runs = list(dict.fromkeys(store.run_path(name, directory) for name in names or []))
    stopped = store.unfinished_runs(directory) if unfinished else []
    if not yes:
        _ask([path.name for path in (*runs, *stopped)])
    for path in runs:
        store.delete_run(path, directory)
    for path in stopped:
        store.delete_unfinished(path)
    deleted = [path.name for path in (*runs, *stopped)]
    if as_json:
        print_json({"deleted": deleted})
    else:
        for name in deleted:
            typer.echo(f"deleted {name}")


def _ask(names: list[str]) -> None:
    """Go on if whoever sits at the terminal says so."""
    if not sys.stdin.isatty():
        raise InputError("runs delete asks before it deletes; give --yes where nobody can answer")
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    if names and not typer.confirm(f"delete {shown} for good?", err=True):
        raise InputError("nothing was deleted")


@runs_app.command("export")
def runs_export(
    name: RunArgument,
    target: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="FILE.csv, FILE.parquet, FILE.nc, or a new folder.")
    ],
    variables: Annotated[list[str] | None, typer.Option("--variable", help="Only this variable (repeatable).")] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's results as CSV, Parquet or netCDF, or all as a data package with RO-Crate metadata."""
    from chipweir import store

    store.export_run(store.find_run(name, store.runs_directory(out)), target, variables or [])
    files = [target] if target.is_file() else [path for path in target.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    if as_json:
        print_json({"file": str(target), "bytes": size})
    else:
        typer.echo(str(target))
