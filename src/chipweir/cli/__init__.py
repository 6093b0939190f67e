"""The command line. Each module here registers its commands on the root and imports its room only when a command runs."""

import sys
from importlib import import_module
from typing import Any

import typer

import chipweir
from chipweir.cli import _language
from chipweir.errors import InputError
from chipweir.i18n import _, composed, use_language


root = typer.Typer(
    name="chipweir",
    help="An executable, sourced, uncertainty-aware model of the contest over AI chips.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

MODULES = ("facts", "rules", "perf", "world", "calibration", "strategy", "evidence", "app", "site", "assistant")
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


@root.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """An executable, sourced, uncertainty-aware model of the contest over AI chips."""


for _module in MODULES:
    import_module(f"chipweir.cli.{_module}").register(root)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line: exit 2 with one line for bad input, 130 for Ctrl-C."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with use_language(_language.chosen(given)):
            raise SystemExit(_answered(arguments))
    except InputError as error:  # a language that we do not have
        _say(str(error))
        raise SystemExit(2) from None


def _say(text: str) -> None:
    """What went wrong, on standard error; nothing in it that a terminal would obey, whoever wrote it."""
    from chipweir.reading import printable

    print(f"chipweir: {printable(text)}", file=sys.stderr)


def _answered(arguments: list[str] | None) -> int:
    """The exit code of a call, in the language in force."""
    _language.translate_panels()
    command = _language.translated(typer.main.get_command(root))
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
