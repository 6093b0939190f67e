"""The command that serves assistants."""

import typer

from chipweir.cli._common import FactsOption


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command("mcp")(serve_assistants)


def serve_assistants(facts: FactsOption = None) -> None:
    """Serve assistants over standard input and output (Model Context Protocol): facts, rules, estimates, comparisons."""
    from chipweir import assistant

    assistant.server(tuple(facts or ())).run("stdio")
