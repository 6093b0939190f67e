"""The playground in the browser.

`create_app()` gives the Dash application, `serve(...)` runs it. Nothing is imported before one of them is used.
"""

from importlib import import_module
from typing import Any


_WHERE = {"asgi": "_serve", "check_exposure": "_serve", "create_app": "_server", "serve": "_serve", "wsgi": "_serve"}

__all__ = ["asgi", "check_exposure", "create_app", "serve", "wsgi"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"chipweir.app.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'chipweir.app' has no attribute '{name}'")
