"""The command line in the reader's language: which one, the help of commands and options, what was wrong with a call.

`--lang` stands on every command; without it CHIPWEIR_LANG, then the system's own settings decide.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer

from chipweir.errors import nearest
from chipweir.i18n import LANGUAGES, N_, _, language


# What typer raises for a call it cannot read, whichever package brings it.
UsageError: Any = typer.BadParameter.__base__
ClickException: Any = UsageError.__base__

SETTINGS = ("CHIPWEIR_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
LANGUAGE_HELP = N_("en or ko.")
_PANELS = {"ARGUMENTS_PANEL_TITLE": N_("Arguments"), "OPTIONS_PANEL_TITLE": N_("Command options")}
_PANELS |= {"COMMANDS_PANEL_TITLE": N_("Commands"), "DEFAULT_STRING": N_("[default: {}]")}
_PANELS |= {"REQUIRED_LONG_STRING": N_("[required]"), "ENVVAR_STRING": N_("[env var: {}]")}


def chosen(arguments: Sequence[str], settings: Mapping[str, str] = os.environ) -> str:
    """The language of a call: its last `--lang`, else what the environment says, else English.

    A `--lang` that we do not have is returned as it is; whoever uses it raises.
    """
    given = list(_given(arguments))
    if given:
        return given[-1]
    for name in SETTINGS:
        if value := settings.get(name, ""):
            found = value.replace("-", "_").partition("_")[0].partition(".")[0].casefold()
            return found if found in LANGUAGES else "en"
    return "en"


def _given(arguments: Sequence[str]) -> Iterator[str]:
    for place, argument in enumerate(arguments):
        if argument == "--":
            return
        if argument == "--lang" and place + 1 < len(arguments):
            yield arguments[place + 1]
        elif argument.startswith("--lang="):
            yield argument.removeprefix("--lang=")


def translated(command: Any) -> Any:
    """The command and all below it with `--lang`, and with helps in the language in force."""
    if command.help:
        told = " ".join(command.help.split())
        command.help = _(told)
        command.short_help = None
    commands = getattr(command, "commands", {})
    _offer_language(command)
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = _(parameter.help)
        if getattr(parameter, "rich_help_panel", None):
            parameter.rich_help_panel = _(parameter.rich_help_panel)
    for each in commands.values():
        translated(each)
    return command


def _offer_language(command: Any) -> None:
    """Give a command its `--lang`, or let the one it has default to the language in force."""
    for parameter in command.params:
        if "--lang" in parameter.opts:
            parameter.default = language()
            return
    command.params.append(_option(language()))


def _option(default: str) -> Any:
    """An option `--lang` that a command accepts and never sees, as typer makes options."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def _probe(lang: str = typer.Option(default, "--lang", help=LANGUAGE_HELP)) -> None: ...

    option = typer.main.get_command(app).params[0]
    option.expose_value = False
    return option


def translate_panels() -> None:
    """Let typer head its tables of options in the language in force."""
    if language() == "en" and "typer.rich_utils" not in sys.modules:
        return
    from typer import rich_utils

    for name, text in _PANELS.items():
        if hasattr(rich_utils, name):
            setattr(rich_utils, name, _(text))


def said(error: Any) -> str:
    """What was wrong with a call, in one line."""
    kind = type(error).__name__
    command = error.ctx.command_path if getattr(error, "ctx", None) else "chipweir"
    if kind == "NoSuchOption":
        known = [name for parameter in error.ctx.command.params for name in parameter.opts] if error.ctx else []
        line = _("there is no option {name}", name=error.option_name) + _meant(nearest(error.option_name, known))
    elif kind == "MissingParameter":
        line = _("{name} is missing", name=_named(error))
    elif kind == "BadParameter":
        line = f"{_named(error)}: {_reason(error)}" if error.param is not None else error.format_message()
    elif "No such command" in error.format_message():
        name = error.format_message().partition("'")[2].partition("'")[0]
        line = _("there is no command {name}", name=name) + _meant(nearest(name, _shown(error.ctx.command)))
    elif error.format_message() == "Missing command.":
        line = _("say what to do: {names}", names=", ".join(_shown(error.ctx.command)))
    elif "requires an argument" in error.format_message():
        line = _("{name} needs a value", name=error.option_name)
    elif "unexpected extra argument" in error.format_message():
        line = _("too many arguments: {what}", what=error.format_message().partition("(")[2].partition(")")[0])
    else:
        line = error.format_message()
    return f"{' '.join(line.split())}; " + _("see {command} --help", command=command)


def _shown(group: Any) -> list[str]:
    return [name for name, command in getattr(group, "commands", {}).items() if not command.hidden]


def _named(error: Any) -> str:
    """The option or argument as a person writes it."""
    if error.param is None:
        return str(error.param_hint or "")
    if error.param.param_type_name == "option":
        return str(error.param.opts[0])
    return str(error.param.metavar or error.param.name.upper())


def _reason(error: Any) -> str:
    """Why a value does not fit, as pydantic found it for typer."""
    causes: list[Any] = getattr(error.__cause__, "errors", list)()
    if not causes:
        return str(error.message)
    cause = causes[0]
    kind, value = cause["type"], str(cause.get("input", ""))
    if kind.startswith("int"):
        return _("'{value}' is no whole number", value=value)
    if kind.startswith("float"):
        return _("'{given}' is not a number", given=value)
    bounds = cause.get("ctx") or {}
    if least := [bounds[name] for name in ("ge", "gt") if name in bounds]:
        return _("{value} is out of range; give {least} or more", value=value, least=f"{least[0]:,}")
    if most := [bounds[name] for name in ("le", "lt") if name in bounds]:
        return _("{value} is out of range; give {most} or less", value=value, most=f"{most[0]:,}")
    return f"'{value}': {cause['msg']}"


def _meant(names: Sequence[str]) -> str:
    return "; " + _("did you mean {names}?", names=_(" or ").join(names)) if names else ""
