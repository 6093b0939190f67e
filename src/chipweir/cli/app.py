"""The command that opens the playground."""

import os
import sys
import webbrowser
from contextlib import ExitStack
from pathlib import Path

import typer

from chipweir.cli._common import progress_bar
from chipweir.errors import InputError
from chipweir.i18n import _


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command()(serve)


def serve(
    context: typer.Context,
    host: str = typer.Option("127.0.0.1", help="Address to listen on; others than this machine need a token."),
    port: int = typer.Option(8050, min=1, max=65535, help="Port to listen on."),
    token: str = typer.Option(None, envvar="CHIPWEIR_TOKEN", help="What a visitor must give once, as ?token=..."),
    token_file: Path = typer.Option(None, help="File with the token; made with a new one where there is none."),
    behind_proxy: bool = typer.Option(False, help="A reverse proxy decides who may come in."),
    threads: int = typer.Option(16, min=2, max=64, help="Requests answered at once."),
    browser: bool = typer.Option(True, help="Open the page in the browser once it is ready."),
    as_json: bool = typer.Option(False, "--json", help="Print the address as one JSON document."),
) -> None:
    """Open the playground in a browser: move levers, ask about chips and rules, check articles."""
    import json

    if token_file is not None:
        if token is not None:
            raise InputError("give --token-file or a token, not both")
        token = _token_of(token_file)
    elif token is not None and _is_on_command_line(context):
        typer.echo("others on this machine can read --token in the list of processes: --token-file keeps it", err=True)
    from chipweir import app as playground

    playground.check_exposure(host, token, behind_proxy)
    run = playground.serve

    def ready(address: str) -> None:
        warming.close()
        shown = f"{address}?token={token}" if token else address
        if as_json:
            typer.echo(json.dumps({"address": shown}))
        else:
            typer.echo(_("The playground is at {address} (Ctrl-C stops it)", address=shown))
        if browser and _has_browser() and not as_json:
            webbrowser.open(shown)

    with ExitStack() as warming:  # its bar ends when the page is ready
        tell = warming.enter_context(progress_bar())
        if not as_json:
            typer.echo(_("warming up the model …"), err=True)
        run(host, port, token=token, behind_proxy=behind_proxy, threads=threads, ready=ready, tell=tell)


def _has_browser() -> bool:
    """Whether somebody sits before this: a terminal, and a screen to open a browser on."""
    screen = sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return screen and sys.stdout.isatty()


def _is_on_command_line(context: typer.Context) -> bool:
    source = context.get_parameter_source("token")
    return source is not None and source.name == "COMMANDLINE"


def _token_of(path: Path) -> str:
    """The token in a file, which is made with a new one, for its owner's eyes alone, where there is none."""
    import secrets

    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise InputError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None
    from chipweir import reading

    return reading.read_text(path, "token file").strip()
