"""The report: one HTML file that holds everything and needs no network."""

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import xarray as xr

from chipweir.errors import InputError
from chipweir.i18n import _, use_language
from chipweir.report import _access, _credibility, _findings, _headline, _numbers, _sections, _strategy
from chipweir.report._labels import label
from chipweir.report._sections import Page
from chipweir.report._style import COLOURS, GRAPH_CONFIG, THEMES, template


TILE_YEAR = 2030


def write_html(
    dataset: xr.Dataset, path: str | Path, *, lang: str = "en", extras: Mapping[str, Any] | None = None
) -> Path:
    """Write the report of a run to `path` and return it.

    `extras` may hold `advice` (what `chipweir.strategy.advise` returns, with its document), `facts` (a `Facts`; the
    shipped ones if left out), `parameters` (records with name, group, distribution, low, central, high, unit, description,
    source; the shipped ones if left out), `traces` (what `chipweir.strategy.explain` returns), `credibility` and `checks`
    (lists of mappings), `backtest` (as `chipweir.calibration.shipped_backtest` gives it, which stands if left out),
    `command` (the line that repeats the run), `title`. The file appears whole or not at all. Raises `InputError` where it
    can't be written.
    """
    target = Path(path)
    text = render_html(dataset, lang=lang, extras=extras)
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, suffix=".part", delete=False
        ) as file:
            file.write(text)
        os.chmod(file.name, 0o644)
        os.replace(file.name, target)
    except OSError as error:
        if "file" in locals():
            Path(file.name).unlink(missing_ok=True)
        raise InputError(f"cannot write the report to {target}: {error.strerror or error}") from error
    return target


def render_html(dataset: xr.Dataset, *, lang: str = "en", extras: Mapping[str, Any] | None = None) -> str:
    """The report as text; see `write_html`."""
    extras = dict(extras or {})
    with use_language(lang):
        cells = _headline.headline_table(dataset, lang)
        page = _page(dataset, cells, extras)
        manifest = _access.manifest(dataset)
        years = sorted({cell.year for cell in cells})
        year = TILE_YEAR if TILE_YEAR in years else (years[-1] if years else TILE_YEAR)
        return render_page(
            page,
            lang=lang,
            title=extras.get("title") or _("The contest over AI chips: what the model says"),
            meta=_meta(dataset, manifest),
            version=manifest.get("code_version", ""),
            findings=[each.text for each in _findings.findings(dataset, lang, year)],
            tiles=_sections.tiles(cells, year),
            tiles_note=_(
                "{year}, {scenario}; below it what the other scenarios change, member by member.",
                year=year,
                scenario=label("scenario", _access.BASELINE),
            ),
        )


def render_page(
    page: Page, *, lang: str, tiles: Any = (), tiles_note: str = "", findings: Sequence[str] = (), **texts: str
) -> str:
    """A page as text, with what stands at its top (`title`, `meta`, `version`); the language in force is `lang`."""
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(loader=PackageLoader("chipweir.report", "templates"), autoescape=True)
    return environment.get_template("report.html.j2").render(
        _=_,
        lang=lang,
        sections=page.sections,
        tiles=tiles,
        findings=findings,
        tiles_note=tiles_note,
        css=Markup(_asset("report.css")),
        script=Markup(_asset("report.js")),
        plotly_js=Markup(get_plotlyjs()),
        figures_json=Markup(_figures_json(page)),
        **texts,
    )


def _page(dataset: xr.Dataset, cells: list[_headline.Cell], extras: Mapping[str, Any]) -> Page:
    facts = extras["facts"] if "facts" in extras else _shipped_facts()
    page = Page()
    page.add(_sections.headline(cells) if cells else None)
    if extras.get("advice") is not None:
        _strategy.advice_sections(page, *extras["advice"])
    for section in (
        _sections.compute_section,
        _sections.flow_section,
        _sections.market_section,
        _sections.supply_section,
        _sections.software_section,
        _sections.model_section,
        _sections.korea_section,
    ):
        page.add(section(page, dataset))
    page.add(_sections.rules_section(page, facts))
    page.add(_sections.trace_section(extras.get("traces")))
    parameters = extras["parameters"] if "parameters" in extras else _shipped_parameters()
    page.add(_sections.parameter_section(parameters or ()))
    backtest = extras["backtest"] if "backtest" in extras else _shipped_backtest()
    page.add(_credibility.credibility_section(extras.get("credibility"), backtest))
    page.add(_sections.table_section("checks", _("Model checks"), "", extras.get("checks")))
    page.add(_sections.limits_section())
    page.add(_sections.manifest_section(dataset, extras.get("command")))
    return page


def _shipped_backtest() -> Any:
    from chipweir import calibration

    return calibration.shipped_backtest()


def _shipped_parameters() -> Any:
    from chipweir import world

    return world.parameters().values()


def _shipped_facts() -> Any:
    from chipweir import facts

    return facts.load()


def _meta(dataset: xr.Dataset, manifest: Mapping[str, Any]) -> str:
    names = ", ".join(label("scenario", name) for name in _access.scenarios(dataset))
    parts = [names]
    if members := manifest.get("members"):
        parts.append(_("{count} members", count=_numbers.whole(float(members))))
    if (seed := manifest.get("seed")) is not None:
        parts.append(_("seed {seed}", seed=seed))
    if version := manifest.get("code_version"):
        parts.append(f"Chipweir {version}")
    return " · ".join(parts)


def _figures_json(page: Page) -> str:
    """All figures and both templates as JSON that may stand inside a script element."""
    texts: dict[str, str] = {}
    shared: dict[tuple[str, ...], int] = {}
    for name, spec in page.figures.items():
        layout = {key: value for key, value in spec["layout"].items() if key != "template"}
        data = [_share_dates(trace, shared) for trace in spec["data"]]
        texts[name] = json.dumps(_finite({"data": data, "layout": layout}), ensure_ascii=False, allow_nan=False)
    whole = {
        "figures": texts,
        "shared": list(shared),
        "templates": {theme: template(theme) for theme in THEMES},
        "config": GRAPH_CONFIG,
        "recolour": {table["light"]: table["dark"] for table in COLOURS},
    }
    return json.dumps(whole, ensure_ascii=False).replace("</", "<\\/").replace("<!--", "<\\u0021--")


def _share_dates(trace: Mapping[str, Any], shared: dict[tuple[str, ...], int]) -> dict[str, Any]:
    """The trace with a long list of dates replaced by its place in a table, since all figures have the same months."""
    dates = trace.get("x")
    if not isinstance(dates, list) or len(dates) < 24 or not isinstance(dates[0], str):
        return dict(trace)
    return {**trace, "x": f"@{shared.setdefault(tuple(dates), len(shared))}"}


def _finite(value: Any) -> Any:
    """`value` with NaN and infinities as None, which JSON can hold."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _asset(name: str) -> str:
    return (resources.files("chipweir.report") / "templates" / name).read_text(encoding="utf-8")
