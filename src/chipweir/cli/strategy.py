"""Commands of the strategy room."""

import typer


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
