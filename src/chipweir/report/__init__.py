"""Figures, the headline table and the HTML report of a run, in English and Korean.

`figures.<name>(dataset, ...)` draws, `headline_table(dataset, lang)` returns the rows that matter, `write_html(dataset,
path, lang=..., extras=...)` writes one file that works offline.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from chipweir.report import figures
    from chipweir.report._credibility import credibility_record
    from chipweir.report._findings import Finding, findings
    from chipweir.report._headline import Cell, headline_table
    from chipweir.report._html import render_html, write_html
    from chipweir.report._strategy import (
        advice_page,
        advice_sections,
        exploration_page,
        game_page,
        write_page,
    )

_WHERE = {
    "Cell": "_headline",
    "advice_page": "_strategy",
    "advice_sections": "_strategy",
    "exploration_page": "_strategy",
    "credibility_record": "_credibility",
    "game_page": "_strategy",
    "write_page": "_strategy",
    "Finding": "_findings",
    "findings": "_findings",
    "headline_table": "_headline",
    "render_html": "_html",
    "write_html": "_html",
}

__all__ = [
    "Cell",
    "Finding",
    "advice_page",
    "advice_sections",
    "credibility_record",
    "exploration_page",
    "figures",
    "findings",
    "game_page",
    "headline_table",
    "render_html",
    "write_html",
    "write_page",
]


def __getattr__(name: str) -> Any:
    if name == "figures":
        return import_module("chipweir.report.figures")
    if name in _WHERE:
        return getattr(import_module(f"chipweir.report.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'chipweir.report' has no attribute '{name}'")
