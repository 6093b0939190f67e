"""The command line. Each module here registers its commands on the root and imports its room only when a command runs."""

import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

import typer

import chipweir
from chipweir.cli import _language
from chipweir.errors import InputError
from chipweir.i18n import _, composed, use_language


# Modules of this room with the commands that each registers: a call imports the one it names, and all for the help.
COMMANDS = {
    "facts": ("facts",), "rules": ("classify", "licence", "license", "rules"), "perf": ("estimate", "match"),
    "world": ("run", "compare", "explain", "levers", "runs", "scenarios"),
    "calibration": ("calibrate", "backtest", "credibility", "forecast"),
    "strategy": ("explore", "advise", "game", "voi", "train", "leverage", "mechanism"),
    "evidence": ("check", "review"), "app": ("serve",), "site": ("site",), "assistant": ("mcp",),
}  # fmt: skip
COMPLETING = "_CHIPWEIR_COMPLETE"
"""Set by a shell that completes a line."""
EXTRAS = {
    **dict.fromkeys(("dash", "dash_mantine_components", "flask", "gunicorn", "uvicorn", "werkzeug"), "app"),
    **dict.fromkeys(("feedparser", "lxml_html_clean", "nh3", "trafilatura"), "evidence"),
    "dask": "cluster", "distributed": "cluster", "mcp": "mcp", "numpyro": "fit", "statsmodels": "backtest",
}  # fmt: skip
"""What is not installed with the core, and the extra that brings it."""


def _version(show: bool) -> None:
    if show:
        typer.echo(f"chipweir {chipweir.__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """An executable, sourced, uncertainty-aware model of the contest over AI chips."""


root: typer.Typer


def __getattr__(name: str) -> typer.Typer:
    """`root`, the command line with all commands, made when it is asked for."""
    if name == "root":
        return command_line()
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


@cache
def command_line(modules: tuple[str, ...] = tuple(COMMANDS)) -> typer.Typer:
    """The root with the commands of these modules."""
    root = typer.Typer(
        name="chipweir",
        help="An executable, sourced, uncertainty-aware model of the contest over AI chips.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    root.callback()(_root)
    for module in modules:
        import_module(f"chipweir.cli.{module}").register(root)
    return root


def _needed(given: Sequence[str]) -> tuple[str, ...]:
    """The modules that a call may need: that of its command, all where it names none of ours."""
    first = next((argument for argument in given if not argument.startswith("-")), "")
    owner = next((module for module, commands in COMMANDS.items() if first in commands), None)
    return tuple(COMMANDS) if owner is None or COMPLETING in os.environ else (owner,)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line: exit 2 with one line for bad input, 130 for Ctrl-C."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with use_language(_language.chosen(given)):
            raise SystemExit(_answered(arguments, _needed(given)))
    except InputError as error:  # a language that we do not have
        _say(str(error))
        raise SystemExit(2) from None


def _say(text: str) -> None:
    """What went wrong, on standard error; nothing in it that a terminal would obey, whoever wrote it."""
    from chipweir.reading import printable

    print(f"chipweir: {printable(text)}", file=sys.stderr)


def _answered(arguments: list[str] | None, modules: tuple[str, ...]) -> int:
    """The exit code of a call, in the language in force."""
    _language.translate_panels()
    command = _language.translated(typer.main.get_command(command_line(modules)))
    try:
        code = command.main(args=arguments, prog_name="chipweir", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except _language.ClickException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            _say(_language.said(error))
        return int(error.exit_code)
    except InputError as error:
        _say(composed(str(error)))
        return 2
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        text = _("this needs the '{extra}' extra: pip install 'chipweir[{extra}]'", extra=extra)
        print(f"chipweir: {text}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        print("chipweir: " + _("interrupted; nothing that was there before is lost"), file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
