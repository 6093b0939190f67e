"""The claims page."""

from typing import Any

from dash import Dash, html

from chipweir.app._jobs import Jobs
from chipweir.app._state import View


def page(view: View) -> Any:
    return html.Div("claims")


def register(app: Dash, jobs: Jobs) -> None:
    pass
