"""The command that opens the playground."""

import typer


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command()(serve)


def serve(
    host: str = typer.Option("127.0.0.1", help="Address to listen on; others than this machine need --token."),
    port: int = typer.Option(8050, min=1, max=65535, help="Port to listen on."),
    token: str = typer.Option(None, envvar="CHIPWEIR_TOKEN", help="What a visitor must give once, as ?token=..."),
    behind_proxy: bool = typer.Option(False, help="A reverse proxy decides who may come in."),
    threads: int = typer.Option(16, min=2, max=64, help="Requests answered at once."),
    as_json: bool = typer.Option(False, "--json", help="Print the address as one JSON document."),
) -> None:
    """Open the playground in a browser: move levers, ask about chips and rules, check articles."""
    import json

    from chipweir import app as playground

    playground.check_exposure(host, token, behind_proxy)
    run = playground.serve

    def ready(address: str) -> None:
        shown = f"{address}?token={token}" if token else address
        if as_json:
            typer.echo(json.dumps({"address": shown}))
        else:
            typer.echo(f"The playground is at {shown} (Ctrl-C stops it)")

    if not as_json:
        typer.echo("warming up the model …", err=True)
    run(host, port, token=token, behind_proxy=behind_proxy, threads=threads, ready=ready)
