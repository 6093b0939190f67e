"""The headline table: what a reader wants first, with intervals and paired differences to the baseline."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from chipweir.i18n import _, use_language
from chipweir.report import _access, _numbers
from chipweir.report._labels import label


YEARS = (2024, 2025, 2026, 2028, 2030)


@dataclass(frozen=True)
class Quantity:
    """One headline quantity: where it lies in the run and how it is written."""

    key: str
    variable: str
    kind: str
    text: Callable[[], str]
    unit: Callable[[], str]
    selection: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One number of the table: median, intervals, and the paired difference to the baseline; texts hold 80 % intervals.

    `p_greater` is the probability that the scenario's value is above the baseline's, member by member. Texts are in the
    language of the table.
    """

    key: str
    label: str
    unit: str
    kind: str
    scenario: str
    year: int
    month: str
    median: float
    p50: tuple[float, float]
    p90: tuple[float, float]
    delta: float | None
    delta_p80: tuple[float, float] | None
    delta_p90: tuple[float, float] | None
    p_greater: float | None
    text: str
    interval_text: str
    delta_text: str
    p80: tuple[float, float] = (float("nan"), float("nan"))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def _origin(name: str) -> Quantity:
    return Quantity(
        f"compute_{name}",
        "compute_by_origin",
        "count",
        lambda: _("Chinese compute: {origin}", origin=label("origin", name)),
        lambda: "H100e",
        {"origin": name},
    )


_ORIGINS = ("foreign_legal", "domestic", "smuggled", "rental")
_CHINA = {"region": "CHN"}


def _headlines() -> list[Quantity]:
    def per_month() -> str:
        return _("US dollars a month")

    return [
        Quantity("compute", "compute", "count", lambda: _("Chinese compute in use"), lambda: "H100e", _CHINA),
        *(_origin(name) for name in _ORIGINS),
        Quantity("ratio_to_us", "ratio_to_us", "share", lambda: _("Chinese over US compute"), lambda: "%"),
        Quantity(
            "domestic_share_units", "domestic_share_units", "share", lambda: _("Domestic share by units"), lambda: "%"
        ),
        Quantity(
            "domestic_share_compute",
            "domestic_share_compute",
            "share",
            lambda: _("Domestic share by compute"),
            lambda: "%",
        ),
        Quantity(
            "domestic_share_value", "domestic_share_value", "share", lambda: _("Domestic share by value"), lambda: "%"
        ),
        Quantity("nvidia_share", "nvidia_share", "share", lambda: _("NVIDIA's share in China"), lambda: "%"),
        Quantity("smuggled_units", "smuggled_units", "count", lambda: _("Smuggled chips"), lambda: _("chips a month")),
        Quantity(
            "premium", "premium_black_market", "ratio", lambda: _("Black-market price over list price"), lambda: "×"
        ),
        Quantity(
            "largest_run", "largest_run", "flop", lambda: _("Largest Chinese training run"), lambda: "FLOP", _CHINA
        ),
        Quantity(
            "lag_months", "lag_months", "months", lambda: _("Lag of the largest training run"), lambda: _("months")
        ),
        Quantity(
            "token_price",
            "token_price",
            "usd",
            lambda: _("Price of a million tokens in China"),
            lambda: _("US dollars"),
            _CHINA,
        ),
        Quantity("korea_hbm_exports", "korea_hbm_exports_total", "usd", lambda: _("Korean HBM exports"), per_month),
        Quantity(
            "korea_hbm_exports_china",
            "korea_hbm_exports",
            "usd",
            lambda: _("Korean HBM exports to: {customer}", customer=label("customer", "china")),
            per_month,
            {"customer": "china"},
        ),
    ]


HEADLINES: dict[str, Quantity] = {item.key: item for item in _headlines()}
"""Every headline quantity by its key, in the order of the table."""


def quantities(dataset: xr.Dataset) -> list[Quantity]:
    """The headline quantities that this run holds, in the order of the table."""
    return [item for item in HEADLINES.values() if _access.has(dataset, item.variable, **item.selection)]


def headline_table(dataset: xr.Dataset, lang: str = "en", years: Sequence[int] = YEARS) -> list[Cell]:
    """Every headline quantity in every scenario at the end of each of `years` that the run reaches.

    Monthly flows and shares are those of December (no interval of a yearly sum can be had from monthly quantiles).
    """
    with use_language(lang):
        cells = []
        for item in quantities(dataset):
            for scenario in _access.scenarios(dataset):
                found = _access.require(dataset, item.variable, scenario, **item.selection)
                for year in years:
                    index = _access.month_index(found.months, year)
                    if index is not None and np.isfinite(found.median[index]):
                        cells.append(_cell(dataset, item, scenario, year, index, found))
        return cells


def _cell(dataset: xr.Dataset, item: Quantity, scenario: str, year: int, index: int, found: _access.Series) -> Cell:
    median = float(found.median[index])
    p80 = found.interval(_access.COVERAGE, index)
    delta = None
    if scenario != _access.BASELINE:
        delta = _access.series(dataset, _access.delta_name(item.variable), scenario, **item.selection)
    delta_median = float(delta.median[index]) if delta else None
    delta_p80, delta_p90 = (delta.interval(level, index) if delta else None for level in (_access.COVERAGE, 0.9))
    chance = _access.probability(dataset, item.variable, scenario, year, **item.selection) if delta else None
    if delta_p90 is not None and _access.is_nothing(delta_p90, median):
        delta_median, delta_p80, delta_p90, chance = 0.0, (0.0, 0.0), (0.0, 0.0), None
    return Cell(
        key=item.key,
        label=item.text(),
        unit=item.unit(),
        kind=item.kind,
        scenario=scenario,
        year=year,
        month=str(found.months[index]),
        median=median,
        p50=found.interval(0.5, index),
        p90=found.interval(0.9, index),
        delta=delta_median,
        delta_p80=delta_p80,
        delta_p90=delta_p90,
        p_greater=chance,
        text=_numbers.quantity(median, item.kind),
        interval_text=_numbers.interval(*p80, item.kind),
        delta_text=_difference(delta_median, delta_p80, item.kind),
        p80=p80,
    )


def _difference(value: float | None, bounds: tuple[float, float] | None, kind: str) -> str:
    if value is None or bounds is None:
        return ""
    low, high = (_numbers.signed(bound, kind) for bound in bounds)
    return f"{_numbers.signed(value, kind)} ({low} … {high})"


def by_quantity(cells: Sequence[Cell]) -> dict[str, dict[str, list[Cell]]]:
    """Cells grouped for a page: quantity key, then scenario, in the order of the table."""
    grouped: dict[str, dict[str, list[Cell]]] = {}
    for cell in cells:
        grouped.setdefault(cell.key, {}).setdefault(cell.scenario, []).append(cell)
    return grouped
