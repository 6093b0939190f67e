"""Fan charts: how one number moves over the years."""

from collections.abc import Sequence

import xarray as xr

from chipweir.errors import InputError
from chipweir.i18n import _
from chipweir.report import _access
from chipweir.report._labels import label
from chipweir.report._style import Theme
from chipweir.report.figures._build import (
    Line,
    Spec,
    across_scenarios,
    band_text,
    chart_fan,
    figure,
    source_line,
    unit_of,
)


def _note(dataset: xr.Dataset) -> str:
    return f"{band_text(dataset)}<br>{source_line(dataset)}"


@figure
def compute(
    dataset: xr.Dataset,
    region: str = "CHN",
    *,
    located: bool = False,
    scenarios: Sequence[str] | None = None,
    theme: Theme = "light",
) -> Spec:
    """Compute in use by a region, in H100e at month end: credited to who uses it, or `located` where it stands."""
    lines = across_scenarios(dataset, "compute_located" if located else "compute", scenarios, region=region)
    place = label("region", region)
    title = (
        _("AI compute standing in: {place}", place=place) if located else _("AI compute used by: {place}", place=place)
    )
    return chart_fan(lines, title=title, what=unit_of(lines), theme=theme, note=_note(dataset))


@figure
def compute_by_origin(dataset: xr.Dataset, scenario: str = "baseline", *, theme: Theme = "light") -> Spec:
    """Chinese compute in H100e by origin and channel in one scenario; bars at the right give the widest interval."""
    _access.chosen(dataset, [scenario])
    lines = []
    for index, origin in enumerate(_access.labels(dataset, "compute_by_origin", "origin")):
        found = _access.require(dataset, "compute_by_origin", scenario, origin=origin)
        lines.append(Line(label("origin", origin), found, index, bands=(0.5,)))
    if not lines:
        _access.require(dataset, "compute_by_origin", scenario)
    title = _("Chinese compute by origin: {scenario}", scenario=label("scenario", scenario))
    return chart_fan(lines, title=title, what=unit_of(lines), theme=theme, note=_note(dataset))


@figure
def ratio_to_us(dataset: xr.Dataset, *, scenarios: Sequence[str] | None = None, theme: Theme = "light") -> Spec:
    """Chinese compute as a share of US compute."""
    lines = across_scenarios(dataset, "ratio_to_us", scenarios)
    return chart_fan(
        lines,
        title=_("Chinese compute against US compute"),
        what=_("per cent of US compute"),
        theme=theme,
        note=_note(dataset),
        kind="share",
    )


SHARES = ("domestic_share_units", "domestic_share_compute", "domestic_share_value", "nvidia_share")


def _share_title(variable: str) -> str:
    return {
        "domestic_share_units": _("Domestic share of chips"),
        "domestic_share_compute": _("Domestic share of compute"),
        "domestic_share_value": _("Domestic share of spending"),
        "nvidia_share": _("NVIDIA's share in China"),
    }[variable]


@figure
def share(
    dataset: xr.Dataset,
    variable: str = "domestic_share_compute",
    *,
    scenarios: Sequence[str] | None = None,
    theme: Theme = "light",
) -> Spec:
    """A share of the Chinese market: `domestic_share_units|compute|value` or `nvidia_share`."""
    if variable not in SHARES:
        raise InputError(f"no share is called '{variable}'; there are {', '.join(SHARES)}")
    lines = across_scenarios(dataset, variable, scenarios)
    return chart_fan(
        lines,
        title=_share_title(variable),
        what=_("per cent of Chinese purchases"),
        theme=theme,
        note=_note(dataset),
        kind="share",
    )


@figure
def smuggled(dataset: xr.Dataset, *, scenarios: Sequence[str] | None = None, theme: Theme = "light") -> Spec:
    """Controlled chips smuggled into China each month."""
    lines = across_scenarios(dataset, "smuggled_units", scenarios)
    return chart_fan(
        lines, title=_("Chips smuggled into China"), what=_("chips a month"), theme=theme, note=_note(dataset)
    )


@figure
def premium(dataset: xr.Dataset, *, scenarios: Sequence[str] | None = None, theme: Theme = "light") -> Spec:
    """Black-market price of a controlled chip over its list price."""
    lines = across_scenarios(dataset, "premium_black_market", scenarios)
    return chart_fan(
        lines,
        title=_("Black-market price over list price"),
        what=_("ratio; 1 = list price"),
        theme=theme,
        note=_note(dataset),
        kind="ratio",
        zero=False,
        reference=1.0,
    )


@figure
def token_price(
    dataset: xr.Dataset, region: str = "CHN", *, scenarios: Sequence[str] | None = None, theme: Theme = "light"
) -> Spec:
    """Price of a million tokens in a region, logarithmic."""
    lines = across_scenarios(dataset, "token_price", scenarios, region=region)
    return chart_fan(
        lines,
        title=_("Price of a million tokens: {place}", place=label("region", region)),
        what=_("US dollars, logarithmic scale"),
        theme=theme,
        note=_note(dataset),
        kind="ratio",
        log=True,
    )


@figure
def utilisation(
    dataset: xr.Dataset, region: str = "CHN", *, scenarios: Sequence[str] | None = None, theme: Theme = "light"
) -> Spec:
    """Share of a region's inference capacity in use."""
    lines = across_scenarios(dataset, "utilisation", scenarios, region=region)
    title = _("Inference capacity in use: {place}", place=label("region", region))
    return chart_fan(lines, title=title, what=_("per cent"), theme=theme, note=_note(dataset), kind="share")


@figure
def power(
    dataset: xr.Dataset, region: str = "CHN", *, scenarios: Sequence[str] | None = None, theme: Theme = "light"
) -> Spec:
    """Electric power drawn by a region's AI compute, in MW."""
    lines = across_scenarios(dataset, "power_mw", scenarios, region=region)
    title = _("Power drawn by AI compute: {place}", place=label("region", region))
    return chart_fan(lines, title=title, what="MW", theme=theme, note=_note(dataset))


@figure
def lag(dataset: xr.Dataset, *, scenarios: Sequence[str] | None = None, theme: Theme = "light") -> Spec:
    """Months by which the largest Chinese training run trails the largest American one."""
    lines = across_scenarios(dataset, "lag_months", scenarios)
    return chart_fan(
        lines,
        title=_("Lag of the largest training run"),
        what=_("months behind the US"),
        theme=theme,
        note=_note(dataset),
        kind="months",
    )


@figure
def largest_run(
    dataset: xr.Dataset, region: str = "CHN", *, scenarios: Sequence[str] | None = None, theme: Theme = "light"
) -> Spec:
    """The largest training run a region can make, in FLOP, logarithmic."""
    lines = across_scenarios(dataset, "largest_run", scenarios, region=region)
    title = _("Largest training run: {place}", place=label("region", region))
    return chart_fan(
        lines, title=title, what=_("FLOP, logarithmic scale"), theme=theme, note=_note(dataset), kind="flop", log=True
    )


@figure
def production(dataset: xr.Dataset, *, scenarios: Sequence[str] | None = None, theme: Theme = "light") -> Spec:
    """AI chips made in China each month."""
    lines = across_scenarios(dataset, "production_domestic", scenarios)
    return chart_fan(
        lines, title=_("AI chips made in China"), what=_("chips a month"), theme=theme, note=_note(dataset)
    )


@figure
def korea_hbm(
    dataset: xr.Dataset, customer: str | None = None, *, scenarios: Sequence[str] | None = None, theme: Theme = "light"
) -> Spec:
    """Korean HBM exports by month, to one customer or to all (`korea_hbm_exports_total`, where the run has it)."""
    if customer is None and "korea_hbm_exports_total" in dataset.data_vars:
        lines = across_scenarios(dataset, "korea_hbm_exports_total", scenarios)
        title = _("Korean HBM exports")
    else:
        known = _access.labels(dataset, "korea_hbm_exports", "customer")
        customer = customer or ("total" if "total" in known else next(iter(known), None))
        selection = {} if customer is None else {"customer": customer}
        lines = across_scenarios(dataset, "korea_hbm_exports", scenarios, **selection)
        title = (
            _("Korean HBM exports to: {customer}", customer=label("customer", customer))
            if customer
            else _("Korean HBM exports")
        )
    return chart_fan(lines, title=title, what=_("US dollars a month"), theme=theme, note=_note(dataset), kind="usd")


@figure
def korea_at_risk(dataset: xr.Dataset, *, scenarios: Sequence[str] | None = None, theme: Theme = "light") -> Spec:
    """Korean exports and output in China that a retaliation could touch."""
    lines = across_scenarios(dataset, "korea_value_at_risk", scenarios)
    return chart_fan(
        lines,
        title=_("Korean value at risk in China"),
        what=unit_of(lines),
        theme=theme,
        note=_note(dataset),
        kind="usd",
    )


@figure
def anything(
    dataset: xr.Dataset,
    variable: str,
    *,
    scenarios: Sequence[str] | None = None,
    log: bool = False,
    theme: Theme = "light",
    **selection: str,
) -> Spec:
    """Any monthly variable of a run as a fan chart, under its own long name; for notebooks."""
    lines = across_scenarios(dataset, variable, scenarios, **selection)
    title = str(dataset[variable].attrs.get("long_name", variable.replace("_", " ")))
    title = ": ".join([title, *(label(dim, value) for dim, value in selection.items())])
    return chart_fan(lines, title=title, what=unit_of(lines) or _("ratio"), theme=theme, note=_note(dataset), log=log)


@figure
def difference(
    dataset: xr.Dataset,
    variable: str = "ratio_to_us",
    *,
    scenarios: Sequence[str] | None = None,
    kind: str = "share",
    title: str = "",
    theme: Theme = "light",
    **selection: str,
) -> Spec:
    """Paired difference of a variable to the baseline, member by member, with zero as the line to compare with."""
    names = [name for name in _access.chosen(dataset, scenarios) if name != _access.BASELINE]
    if not names:
        raise InputError(_("a difference needs a scenario besides the baseline"))
    lines = across_scenarios(dataset, _access.delta_name(variable), names, **selection)
    own = str(dataset[_access.delta_name(variable)].attrs.get("long_name", variable.replace("_", " ")))
    return chart_fan(
        lines,
        title=title or _("{what}: difference to the baseline", what=own),
        what=_("percentage points") if kind == "share" else unit_of(lines),
        theme=theme,
        note=_note(dataset),
        kind=kind,
        reference=0.0,
        history=False,
    )
