"""The command line. Each module here registers its commands on the root and imports its room only when a command runs."""

import sys
from importlib import import_module
from typing import Any

import typer

import chipweir
from chipweir.errors import InputError


root = typer.Typer(
    name="chipweir",
    help="An executable, sourced, uncertainty-aware model of the contest over AI chips.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

MODULES = ("facts", "rules", "perf", "world", "calibration", "strategy", "evidence", "app")


def _version(show: bool) -> None:
    if show:
        typer.echo(f"chipweir {chipweir.__version__}")
        raise typer.Exit


@root.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """An executable, sourced, uncertainty-aware model of the contest over AI chips."""


for _module in MODULES:
    import_module(f"chipweir.cli.{_module}").register(root)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line: exit 2 with one line for bad input, 130 for Ctrl-C."""
    try:
        root(args=arguments)
    except InputError as error:
        print(f"chipweir: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("chipweir: interrupted; nothing that was there before is lost", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
