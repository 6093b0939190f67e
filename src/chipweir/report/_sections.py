"""What stands in the report: sections as plain records that the template lays out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from chipweir.errors import InputError
from chipweir.i18n import _, language
from chipweir.report import _access, _chips, _numbers, figures
from chipweir.report._headline import Cell, by_quantity
from chipweir.report._labels import label, unit
from chipweir.report.figures._build import Spec


Record = dict[str, Any]


@dataclass
class Page:
    """Sections in order, and the figures they place, by name."""

    sections: list[Record] = field(default_factory=list)
    figures: dict[str, Spec] = field(default_factory=dict)

    def add(self, section: Record | None) -> None:
        """Append a section; None is skipped."""
        if section is not None:
            self.sections.append(section)

    def draw(self, name: str, make: Callable[[], Spec], *, wide: bool = False, caption: str = "") -> Record | None:
        """Make a figure and return its place on the page, or None where the run lacks its variable."""
        try:
            spec = make()
        except InputError:
            return None
        self.figures[name] = spec
        return {"id": name, "wide": wide, "caption": caption, "label": spec["layout"]["title"]["text"]}


def _figures(
    page: Page, identifier: str, title: str, intro: str, wanted: Iterable[tuple[str, Callable[[], Spec], Record]]
) -> Record | None:
    """A section of figures, without those whose variables the run lacks; None if none is left."""
    placed = [page.draw(name, make, **options) for name, make, options in wanted]
    kept = [record for record in placed if record]
    if not kept:
        return None
    missing = len(placed) - len(kept)
    note = (
        _("{count} figures are left out because the run does not hold their numbers.", count=missing) if missing else ""
    )
    return {"id": identifier, "kind": "figures", "title": title, "intro": intro, "figures": kept, "missing": note}


def headline(cells: list[Cell]) -> Record:
    """The headline table: levels with their intervals, and paired differences with their probability of sign."""
    years = sorted({cell.year for cell in cells})
    levels: list[Record] = []
    changes: list[Record] = []
    for scenarios in by_quantity(cells).values():
        first = next(iter(scenarios.values()))[0]
        head = {"label": first.label, "unit": first.unit}
        named = [(label("scenario", name), _by_year(row, years)) for name, row in scenarios.items()]
        levels.append(head | {"rows": [{"scenario": name, "cells": [_level(c) for c in row]} for name, row in named]})
        moved = [(name, row) for name, row in named if any(c and c.delta is not None for c in row)]
        if moved:
            changes.append(
                head | {"rows": [{"scenario": name, "cells": [_change(c) for c in row]} for name, row in moved]}
            )
    tables = [
        {"title": _("Median and 80 % interval"), "years": years, "groups": levels},
        {"title": _("Paired differences to the baseline, 80 % intervals"), "years": years, "groups": changes},
    ]
    return {
        "id": "headline",
        "kind": "headline",
        "title": _("Headline numbers"),
        "intro": _(
            "Stocks are those at the end of the year, monthly flows and prices those of December, "
            "shares of purchases those of the last twelve months."
        ),
        "tables": [table for table in tables if table["groups"]],
        "note": _("Differences, shares and ratios are taken member by member and then summarised."),
    }


def _by_year(row: list[Cell], years: list[int]) -> list[Cell | None]:
    found = {cell.year: cell for cell in row}
    return [found.get(year) for year in years]


def _level(cell: Cell | None) -> Record | None:
    return None if cell is None else {"main": cell.text, "small": cell.interval_text}


def _change(cell: Cell | None) -> Record | None:
    if cell is None or cell.delta is None or cell.delta_p80 is None:
        return None
    if cell.delta_p90 == (0.0, 0.0):
        return {"main": "=", "small": ""}
    small = " … ".join(_numbers.signed(bound, cell.kind) for bound in cell.delta_p80)
    if cell.p_greater is not None:
        small += " · " + _("higher in {share} of members", share=_numbers.share(cell.p_greater))
    return {"main": _numbers.signed(cell.delta, cell.kind), "small": small}


def tiles(cells: list[Cell], year: int) -> list[Record]:
    """The tiles at the top: the baseline's number and what each other scenario changes."""
    wanted = ("compute", "ratio_to_us", "domestic_share_compute", "smuggled_units", "lag_months", "token_price")
    grouped = by_quantity(cells)
    made = []
    for key in wanted:
        scenarios = {name: next((c for c in row if c.year == year), None) for name, row in grouped.get(key, {}).items()}
        base = scenarios.get(_access.BASELINE) or next((cell for cell in scenarios.values() if cell), None)
        if base is None:
            continue
        lines = [
            {"scenario": label("scenario", name), "text": _numbers.signed(cell.delta, cell.kind) + _sign(cell)}
            for name, cell in scenarios.items()
            if cell is not None and cell.delta is not None
        ]
        shown = "" if base.unit in ("%", "US dollars") or base.kind in ("usd", "share") else base.unit
        made.append(
            {
                "label": base.label,
                "value": base.text,
                "unit": shown,
                "interval": _("80 %: {interval}", interval=_numbers.interval(*base.p80, base.kind)),
                "lines": lines,
            }
        )
    return made


def _sign(cell: Cell) -> str:
    """The chance of the sign that a difference has; nothing where it means nothing."""
    if cell.p_greater is None or not cell.delta:
        return ""
    return f" (P {cell.p_greater if cell.delta > 0 else 1 - cell.p_greater:.0%})"


def compute_section(page: Page, run: xr.Dataset) -> Record | None:
    """Compute by region and origin."""
    wanted: list[tuple[str, Callable[[], Spec], Record]] = [
        ("compute-chn", lambda: figures.compute.spec(run, "CHN"), {}),
        ("compute-usa", lambda: figures.compute.spec(run, "USA"), {}),
        ("ratio", lambda: figures.ratio_to_us.spec(run), {}),
        ("compute-kor", lambda: figures.compute.spec(run, "KOR"), {}),
    ]
    wanted += [
        (f"origin-{name}", lambda name=name: figures.compute_by_origin.spec(run, name), {})  # type: ignore[misc]
        for name in _access.scenarios(run)
    ]
    intro = _(
        "One H100e is the dense 8-bit throughput of one NVIDIA H100. Compute rented abroad counts for who uses it."
    )
    return _figures(page, "compute", _("Who has the compute"), intro, wanted)


def flow_section(page: Page, run: xr.Dataset) -> Record | None:
    """The Sankey pictures, one for each scenario and year, behind a chooser."""
    years = _access.flow_years(run)
    if not years:
        return None
    names = _access.scenarios(run)
    year = min(years, key=lambda value: abs(value - 2025))
    for name in names:
        for each in years:
            page.draw(f"flows-{name}-{each}", lambda name=name, each=each: figures.flows.spec(run, name, each))  # type: ignore[misc]
    place = {"id": f"flows-{names[0]}-{year}", "wide": True, "caption": "", "label": _("Flows of chips")}
    chooser = {"scenarios": [(name, label("scenario", name)) for name in names], "years": years, "year": year}
    return {
        "id": "flows",
        "kind": "figures",
        "title": _("Flows of chips"),
        "intro": _("From makers through channels to China. Means add up; medians would not."),
        "figures": [place],
        "chooser": chooser,
        "missing": "",
    }


def market_section(page: Page, run: xr.Dataset) -> Record | None:
    """Shares, premium, smuggling."""
    wanted: list[tuple[str, Callable[[], Spec], Record]] = [
        ("share-compute", lambda: figures.share.spec(run, "domestic_share_compute"), {}),
        ("share-units", lambda: figures.share.spec(run, "domestic_share_units"), {}),
        ("share-nvidia", lambda: figures.share.spec(run, "nvidia_share"), {}),
        ("smuggled", lambda: figures.smuggled.spec(run), {}),
        ("premium", lambda: figures.premium.spec(run), {}),
    ]
    wanted += [
        (f"diversion-{name}", lambda name=name: figures.diversion.spec(run, name), {})  # type: ignore[misc]
        for name in _access.scenarios(run)[1:]
    ]
    return _figures(page, "market", _("Market shares, smuggling and premia"), "", wanted)


def supply_section(page: Page, run: xr.Dataset) -> Record | None:
    """What is made and what holds it back."""
    wanted: list[tuple[str, Callable[[], Spec], Record]] = [
        ("production", lambda: figures.production.spec(run), {}),
        ("binding", lambda: figures.binding.spec(run), {"wide": True}),
    ]
    return _figures(page, "supply", _("What China can make"), "", wanted)


def software_section(page: Page, run: xr.Dataset) -> Record | None:
    """Ecosystems."""
    wanted: list[tuple[str, Callable[[], Spec], Record]] = [
        (f"ecosystems-{name}", lambda name=name: figures.ecosystem_shares.spec(run, name), {})  # type: ignore[misc]
        for name in _access.scenarios(run)
    ]
    wanted.append(("maturity", lambda: figures.maturity.spec(run), {}))
    return _figures(page, "software", _("Software ecosystems"), "", wanted)


def model_section(page: Page, run: xr.Dataset) -> Record | None:
    """Training runs, tokens, power."""
    wanted: list[tuple[str, Callable[[], Spec], Record]] = [
        ("largest-chn", lambda: figures.largest_run.spec(run, "CHN"), {}),
        ("lag", lambda: figures.lag.spec(run), {}),
        ("price-chn", lambda: figures.token_price.spec(run, "CHN"), {}),
        ("price-usa", lambda: figures.token_price.spec(run, "USA"), {}),
        ("utilisation", lambda: figures.utilisation.spec(run, "CHN"), {}),
        ("power", lambda: figures.power.spec(run, "CHN"), {}),
    ]
    return _figures(page, "models", _("Models, tokens and power"), "", wanted)


def korea_section(page: Page, run: xr.Dataset) -> Record | None:
    """Korean memory exports by customer, and what is at risk."""
    wanted: list[tuple[str, Callable[[], Spec], Record]] = []
    if "korea_hbm_exports_total" in run.data_vars:
        wanted.append(("korea-hbm", lambda: figures.korea_hbm.spec(run), {}))
    wanted += [
        (f"korea-hbm-{name}", lambda name=name: figures.korea_hbm.spec(run, name), {})  # type: ignore[misc]
        for name in _access.labels(run, "korea_hbm_exports", "customer")
    ]
    if not wanted:
        wanted.append(("korea-hbm", lambda: figures.korea_hbm.spec(run), {}))
    wanted.append(("korea-risk", lambda: figures.korea_at_risk.spec(run), {}))
    return _figures(page, "korea", _("Korea"), "", wanted)


def _korean_names(facts: Any) -> dict[str, str]:
    """Korean names of entities by id where that is the language; in English events name their actors shorter."""
    if language() != "ko":
        return {}
    return {key: entity.names.ko for key, entity in facts.entities.items() if entity.names.ko}


def rules_section(page: Page, facts: Any) -> Record | None:
    """Timeline, control regions, legal history."""
    if facts is None:
        return None
    wanted: list[tuple[str, Callable[[], Spec], Record]] = [
        ("timeline", lambda: figures.timeline.spec(facts.events.values(), actors=_korean_names(facts)), {"wide": True}),
        (
            "plane",
            lambda: figures.tpp_plane.spec(
                _chips.points(chip for chip in facts.chips.values() if chip.data_centre),
                subtitle=_("regions of ECCN 3A090 in force since 17 November 2023"),
            ),
            {"wide": True},
        ),
        ("legal", lambda: _legal(facts), {"wide": True}),
    ]
    intro = _("Rules were last checked against sources of 9 October 2026; later changes are not known to the model.")
    return _figures(page, "rules", _("Rules and events"), intro, wanted)


def _legal(facts: Any) -> Spec:
    months = np.arange("2022-01", "2027-01", dtype="datetime64[M]")
    try:
        rows, states = _chips.legal_rows(facts, [n for n in _chips.MAIN_CHIPS if n in facts.chips], ["CN"], months)
    except (AttributeError, ImportError) as error:
        raise InputError(_("the rule engine gives no legal history")) from error
    return figures.legal_history.spec(months, rows, states, title=_("What may be shipped to China"))


def parameter_section(parameters: Iterable[Any]) -> Record | None:
    """The assumptions: every named parameter with its prior, unit and source."""
    rows: dict[str, list[list[str]]] = {}
    for parameter in parameters:
        get = partial(_field, parameter)
        text = (get("description_ko") if language() == "ko" else "") or get("description") or ""
        prior = " / ".join(_numbers.number(float(get(key))) for key in ("low", "central", "high"))
        rows.setdefault(str(get("group") or ""), []).append(
            [
                str(get("name")),
                str(text),
                prior,
                "" if get("unit") in ("ratio", None) else unit(str(get("unit"))),
                label("distribution", str(get("distribution") or "")),
                str(get("source") or ""),
            ]
        )
    if not rows:
        return None
    head = [_("Parameter"), _("What it is"), _("5 % / median / 95 %"), _("Unit"), _("Prior"), _("Source")]
    return {
        "id": "assumptions",
        "kind": "table",
        "title": _("What is assumed"),
        "intro": _(
            "Each member of the ensemble draws all of these at once. Sources are ids of facts "
            "(`chipweir facts show ID`) or named priors of our own."
        ),
        "tables": [
            {"title": label("parameters", group), "head": head, "rows": body, "note": ""}
            for group, body in rows.items()
        ],
    }


def _field(record: Any, key: str) -> Any:
    return record.get(key) if isinstance(record, Mapping) else getattr(record, key, None)


def table_section(identifier: str, title: str, intro: str, records: Iterable[Any] | None) -> Record | None:
    """Any list of records as a table: the credibility table, the model checks."""
    rows = [dict(record) if isinstance(record, Mapping) else dict(vars(record)) for record in records or ()]
    if not rows:
        return None
    head = list(rows[0])
    body = [[_plain(row.get(key)) for key in head] for row in rows]
    table = {"title": title, "head": [key.replace("_", " ") for key in head], "rows": body, "note": ""}
    return {"id": identifier, "kind": "table", "title": title, "intro": intro, "tables": [table]}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return _numbers.number(value)
    if isinstance(value, list | tuple):
        return " – ".join(_plain(part) for part in value)
    return "" if value is None else str(value)


def trace_section(traces: Iterable[Any] | None) -> Record | None:
    """How numbers were made: equations, facts and the parameters that move each headline number most.

    `traces` are those of `chipweir.strategy.explain`, as records or as dictionaries; `title` may stand in for a name.
    """
    made = [_trace(dict(trace) if isinstance(trace, Mapping) else trace.as_dict()) for trace in traces or ()]
    if not made:
        return None
    return {
        "id": "how",
        "kind": "traces",
        "title": _("How these numbers were made"),
        "intro": _(
            "For each number: the equations in order, the facts, and the parameters it is most sensitive to "
            "(each one standard deviation up and down, the others at the median)."
        ),
        "traces": made,
    }


def _trace(trace: Record) -> Record:
    labels = ", ".join(label(dim, value) for dim, value in (trace.get("selection") or {}).items())
    named = " · ".join(
        str(part) for part in (long_name(str(trace.get("variable") or "")), labels, trace.get("month")) if part
    )
    unit_name = str(trace.get("unit", ""))
    drivers = trace.get("drivers") or trace.get("sensitivities") or ()
    return {
        "title": str(trace.get("title") or named),
        "steps": [
            {
                "function": step["function"],
                "formula": step["formula"],
                "text": step["words_ko" if language() == "ko" else "words"],
            }
            for step in trace.get("equations") or ()
        ],
        "sensitivities": [_sensitivity(driver, unit_name) for driver in drivers],
        "facts": [_fact_line(fact) for fact in (*trace.get("facts", ()), *trace.get("chips", ()))],
    }


def long_name(variable: str) -> str:
    """What a variable of the results is called in the reader's language."""
    from chipweir import world

    row = next((row for row in world.variables() if row["name"] == variable), None)
    return variable if row is None else row["long_name_ko" if language() == "ko" else "long_name"]


def parameter_text(name: str) -> str:
    """What a parameter of the model is, in Korean where that is the language; nothing of other names."""
    from chipweir import world

    known = world.parameters().get(name)
    return "" if known is None or language() != "ko" else str(known.description_ko)


def _sensitivity(record: Mapping[str, Any], unit_name: str) -> Record:
    effect = record.get("effect", record.get("elasticity"))
    text = record.get("text") or (f"{effect:+.3g} {unit_name}" if isinstance(effect, float) else str(effect))
    if isinstance(relative := record.get("relative"), float) and np.isfinite(relative):
        text += f" ({100 * relative:+.1f} %)"
    name = str(record.get("parameter") or record.get("name"))
    if description := parameter_text(name) or record.get("description"):
        name += f": {description}"
    return {"name": name, "text": text}


def _fact_line(record: Any) -> str:
    if isinstance(record, str):
        return record
    parts = [str(record[key]) for key in ("id", "text", "value", "unit", "source") if record.get(key) not in (None, "")]
    if isinstance(slope := record.get("slope"), float):
        parts.append(_("{slope} % per %", slope=f"{slope:+.3f}"))
    return " · ".join(parts)


def limits_section() -> Record:
    """What the model can't say."""
    return {
        "id": "limits",
        "kind": "list",
        "title": _("What the model cannot say"),
        "intro": "",
        "entries": [
            _("Who will decide what: policies are levers that you set, not forecasts."),
            _(
                "More than its parameters vary: bands hold the uncertainty of the named parameters, not of "
                "the equations themselves. The truth can lie outside them."
            ),
            _("What a share price, an election or a war would do."),
            _("Whether lost Chinese revenue slows American research and development: no such feedback is modelled."),
            _(
                "How much is smuggled with any certainty: estimates for 2024 range from ten thousand to "
                "several hundred thousand chips."
            ),
            _("How good a model is: the lag compares the compute of training runs, not what the models can do."),
            _("What the law is: rules are paraphrased and dated for analysis; this is no legal advice."),
            _(
                "Anything about national unity, candour or will: such claims are marked as judgement in "
                "article checks and left out here."
            ),
        ],
    }


def manifest_section(run: xr.Dataset, command: str | None) -> Record:
    """Where the run came from, and how to repeat it."""
    manifest = _access.manifest(run)
    scenarios = manifest.pop("scenarios", {}) or {}
    rows = []
    for key, value in manifest.items():
        if isinstance(value, Mapping):
            rows += [(f"{key}.{inner}", _short(each)) for inner, each in value.items()]
        else:
            rows.append((str(key), _short(value)))
    return {
        "id": "manifest",
        "kind": "manifest",
        "title": _("Where this run came from"),
        "intro": "",
        "command": command or manifest.get("command"),
        "rows": rows,
        "scenarios": [(label("scenario", name), _yaml(content)) for name, content in _pairs(scenarios)],
    }


def _pairs(scenarios: Any) -> list[tuple[str, Any]]:
    if isinstance(scenarios, Mapping):
        return list(scenarios.items())
    return [(str(each.get("name", "")) if isinstance(each, Mapping) else str(each), each) for each in scenarios]


def _yaml(content: Any) -> str:
    import yaml

    return content if isinstance(content, str) else str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 400 else text[:400] + "…"
