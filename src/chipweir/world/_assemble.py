"""Names and dates become arrays, once: facts, rules and a scenario in, `Inputs` out."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir import rules
from chipweir.errors import InputError
from chipweir.perf._worth import worth as worth_of
from chipweir.world._levers import control_class
from chipweir.world._state import Band, Inputs, Months, Products, as_arrays


if TYPE_CHECKING:
    from chipweir.facts import Chip, Facts
    from chipweir.world._scenario import Scenario

FloatArray = npt.NDArray[np.float64]
Row = dict[str, str]

# The last month whose rules and plans are known; after it Chinese capacity growth is realised and glut bites.
DATA_CUTOFF = np.datetime64("2026-10", "M")
# Dated by the HBM rule's compliance date (2024-12-31): the first full month under control.
_HBM_CONTROL_FROM = np.datetime64("2025-01", "M")
# TSMC-made Ascend dies reached their buyer between these months (FAB-052, EVT-022, EVT-023).
_BANK_MONTHS = (np.datetime64("2023-07", "M"), np.datetime64("2024-10", "M"))
_SCORE_95 = 1.6448536269514722
_PACKAGING = ("cowos", "other-packaging", "china-packaging")
_MEMORY = ("world", "china")
_CUSTOMERS = ("nvidia", "amd", "other-us", "korea", "china")
_BELIEFS = ("smic_n2", "smic_n3", "new_fabs", "foreign_lines")
# Share of `stance_penalty` by code of the importing side's stance.
_STANCE = np.array([0.0, 1.0, 0.5, 1.5, 0.0])


# What all scenarios with the same chips share; the chips stand beside it so that their identities are not used again.
_KNOWN: dict[Any, tuple[tuple["Chip", ...], Any]] = {}
_MOST_KNOWN = 16


def _remembered(key: tuple[Any, ...], chips: Sequence["Chip"], make: Callable[[], Any]) -> Any:
    """What `make` returns for these chips (the very objects), made once; the oldest is forgotten."""
    whole = (*key, *map(id, chips))
    if whole not in _KNOWN:
        while len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.pop(next(iter(_KNOWN)), None)
        _KNOWN[whole] = (tuple(chips), make())
    return _KNOWN[whole][1]


@cache
def table(name: str) -> tuple[Row, ...]:
    """A table of the world's own data (`world/data/NAME.csv`) as rows."""
    text = (resources.files("chipweir.world") / "data" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@dataclass(frozen=True)
class Labels:
    """The names along every axis, in order."""

    products: tuple[str, ...]
    regions: tuple[str, ...]
    hubs: tuple[str, ...]
    ecosystems: tuple[str, ...]
    lines: tuple[str, ...]
    dies: tuple[str, ...]
    groups: tuple[str, ...]
    customers: tuple[str, ...] = _CUSTOMERS
    workloads: tuple[str, ...] = ("training", "inference", "edge")


@cache
def labels() -> Labels:
    """The labels of the shipped tables."""
    regions = table("regions")
    return Labels(
        products=tuple(row["product"] for row in table("products")),
        regions=tuple(row["region"] for row in regions),
        hubs=tuple(row["region"] for row in regions if row["hub"]),
        ecosystems=tuple(row["ecosystem"] for row in table("ecosystems")),
        lines=tuple(row["line"] for row in table("lines")),
        dies=tuple(row["die"] for row in table("dies")),
        groups=tuple(row["group"] for row in table("groups")),
    )


def assemble(scenario: "Scenario", facts: "Facts") -> Inputs:
    """Everything `simulate` needs besides parameters, for one scenario.

    Raises `InputError` or `UnknownName` where a table names a chip the facts do not have.
    """
    months = scenario.months
    chips = [facts.chip(row["basis"] or row["product"]) for row in table("products")]
    products = _remembered(("products",), chips, lambda: _products(chips))
    return as_arrays(  # type: ignore[no-any-return]
        Inputs(
            products=products,
            months=_months(scenario, months, chips, products),
            bands=_remembered(("bands", str(months[0]), str(months[-1])), (), lambda: _bands(months)),
            lines=_remembered(("lines", str(months[0]), str(months[-1])), (), lambda: _line_band(months)),
        )
    )


def group_matrix() -> FloatArray:
    """Membership of products in the reported groups, `[group, product]`."""
    names = labels().products
    return np.array([[float(name in row["products"].split()) for name in names] for row in table("groups")])


def _one_hot(values: Sequence[str], names: Sequence[str]) -> FloatArray:
    return np.array([[float(value == name) for value in values] for name in names])


def _column(rows: Sequence[Row], name: str) -> FloatArray:
    return np.array([float(row[name] or 0) for row in rows])


def _stacks(chip: "Chip", row: Row) -> float:
    if row["memory"] == "none":
        return 0.0
    if chip.hbm_stacks is not None and chip.hbm_stacks.best:
        return float(chip.hbm_stacks.best)
    memory = chip.memory_gb.best if chip.memory_gb is not None and chip.memory_gb.best else 64.0
    return float(np.ceil(memory / (18.0 if memory < 128 else 24.0)))


def _products(chips: Sequence["Chip"]) -> Products:
    rows, dies, lines, regions = table("products"), table("dies"), table("lines"), table("regions")
    names = labels()
    worth = worth_of(chips)
    scale = _column(rows, "scale")
    area = _column(dies, "area_mm2")
    makers = [(row["maker"], row["pool"]) for row in table("makers")]
    owners = [(row["maker"], _pool(row)) for row in rows]
    unknown = sorted({owner for owner in owners if owner not in makers})
    if unknown:
        raise InputError(f"products.csv: no row in makers.csv for {unknown[0][0]} in pool {unknown[0][1]}")
    domestic = np.array([float(row["line"] in _chinese_lines()) for row in rows])
    default_dies = {row["die"]: row["dies_per_package"] for row in dies}
    per_wafer = np.where(_column(rows, "per_wafer") > 0, _column(rows, "per_wafer"), 1.0)
    h100 = worth_of([_reference_chip(chips, rows)])
    fields: dict[str, Any] = dict(
        worth=worth.throughput * scale[:, None],
        training_flops=worth.training_flops * scale,
        tokens=worth.tokens_per_second / h100.tokens_per_second[0] * scale,
        power=worth.system_power_w * scale**0.55,
        h100e=worth.h100e * scale,
        list_price=_column(rows, "price_usd"),
        stacks=np.array([_stacks(chip, row) for chip, row in zip(chips, rows, strict=True)]) * np.sqrt(scale),
        dies_per_package=np.array([float(row["dies"] or default_dies[row["die"]]) for row in rows]),
        per_wafer=per_wafer,
        gross=np.pi * 150**2 / area - np.pi * 300 / np.sqrt(2 * area),
        area=area,
        salvage=_column(dies, "salvage"),
        die_of=_one_hot([row["die"] for row in rows], names.dies),
        line_of=_one_hot([row["line"] for row in rows], names.lines),
        memory_of=_one_hot([row["memory"] for row in rows], _MEMORY),
        packaging_of=_one_hot([row["packaging"] for row in rows], _PACKAGING),
        maker_of=np.array([[float(owner == maker) for owner in owners] for maker in makers]),
        ecosystem_of=_one_hot([row["ecosystem"] for row in rows], names.ecosystems),
        inherits_cuda=_column(rows, "inherits_cuda"),
        domestic=domestic,
        korean=np.array([float(row["maker"] == "others-kr") for row in rows]),
        nvidia=np.array([float(row["maker"] == "nvidia") for row in rows]),
        open_market=np.array([float(row["market"] == "world") for row in rows]),
        captive=np.array([float(row["market"] == "captive") for row in rows]),
        defect_initial=_column(lines, "defect_density_2022"),
        defect_floor=_column(lines, "defect_floor"),
        learning_wafers=_column(lines, "learning_wafers_k") * 1e3,
        chinese_line=np.array([float(row["country"] == "CN") for row in lines]),
        belief_of=_one_hot([row["belief"] for row in lines], _BELIEFS),
        delayed=np.array([float(row["delayed"] == "yes") for row in lines]),
        **_initial(),
        groups=group_matrix(),
        smuggling_weight=np.array([float(row["smuggling_weight"]) for row in regions if row["hub"]]),
        rental_weight=np.array([float(row["rental_weight"]) for row in regions if row["hub"]]),
        hub_region=_one_hot(names.hubs, names.regions),
        demand_share=_column(regions, "demand_share"),
        china=_one_hot(["CHN"], names.regions)[:, 0],
        usa=_one_hot(["USA"], names.regions)[:, 0],
        korea=_one_hot(["KOR"], names.regions)[:, 0],
        hbm_customer=_one_hot([_customer(row) for row in rows], _CUSTOMERS)
        * np.array([float(row["memory"] == "world") for row in rows]),
    )
    return Products(**fields)


def _initial() -> dict[str, FloatArray]:
    """Stocks and maturities at the start, as the tables give them."""
    names = labels()
    given = {(row["quantity"], row["key"]): float(row["value"]) for row in table("initial")}
    installed = np.zeros((len(names.regions), len(names.products)))
    installed[:, names.products.index("nvidia-a100-sxm")] = [
        given.get(("installed", region), 0.0) for region in names.regions
    ]
    start = [row["initial"] for row in table("ecosystems")]
    return {
        "initial_maturity": np.array([0.0 if text.startswith("maturity") else float(text) for text in start]),
        "initial_cann": np.array([float(text == "maturity_cann") for text in start]),
        "initial_other": np.array([float(text == "maturity_other") for text in start]),
        "initial_installed": installed,
        "initial_largest": np.log([given.get(("largest", region), 1e20) for region in names.regions]),
    }


def _reference_chip(chips: Sequence["Chip"], rows: Sequence[Row]) -> "Chip":
    return chips[[row["product"] for row in rows].index("nvidia-h100-sxm")]


def _chinese_lines() -> set[str]:
    return {row["line"] for row in table("lines") if row["country"] == "CN"}


def _pool(row: Row) -> str:
    return "china" if row["line"] in _chinese_lines() else row["packaging"]


def _customer(row: Row) -> str:
    maker = row["maker"]
    if maker in ("nvidia", "amd"):
        return maker
    return {"others-kr": "korea"}.get(maker, "china" if row["line"] in _chinese_lines() else "other-us")


def _band(months: "npt.NDArray[np.datetime64]", rows: Sequence[Row]) -> Band:
    """Breakpoints to monthly values: log-linear between, flat outside; bounds as log distances for one sigma."""
    at = np.array([np.datetime64(row["month"], "M") for row in rows]).astype(int)
    low, central, high = (np.log([float(row[key]) for row in rows]) for key in ("low", "central", "high"))
    axis = months.astype(int)
    middle = np.interp(axis, at, central)
    before = axis < at[0]
    value = np.exp(middle) * np.where(before & (at[0] > months[0].astype(int)), 1e-6, 1.0)
    below, above = middle - np.interp(axis, at, low), np.interp(axis, at, high) - middle
    return as_arrays(Band(value, below / _SCORE_95, above / _SCORE_95))  # type: ignore[no-any-return]


def _series() -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for name in ("capacity", "demand"):
        for row in table(name):
            grouped.setdefault(row["series"], []).append(row)
    return grouped


def _bands(months: "npt.NDArray[np.datetime64]") -> dict[str, Band]:
    lines = set(labels().lines)
    return {name.replace("-", "_"): _band(months, rows) for name, rows in _series().items() if name not in lines}


def _line_band(months: "npt.NDArray[np.datetime64]") -> Band:
    series = _series()
    bands = [_band(months, series[line]) for line in labels().lines]
    central, low, high = (
        np.stack(column, axis=1) for column in zip(*((b.central, b.low, b.high) for b in bands), strict=True)
    )
    return as_arrays(Band(central * 1e3, low, high))  # type: ignore[no-any-return, arg-type]


def _month_number(text: str) -> int:
    return int(np.datetime64(text, "M").astype(int))


def _trapezoid(row: Row, axis: FloatArray) -> FloatArray:
    start, full, fade, end = (_month_number(row[key]) for key in ("start", "full", "fade", "end"))
    return float(row["weight"]) * np.interp(axis, [start - 0.5, max(full, start + 0.5), fade, end], [0, 1, 1, 0])


def _mix(axis: FloatArray, products: Products) -> FloatArray:
    """Share of the maker's pool planned for each product, `[T, K]`."""
    weights = np.stack([_trapezoid(row, axis) for row in table("products")], axis=1)
    years = [_month_number(f"{year}-07") for year in (2022, 2025, 2028)]
    shares = np.stack(
        [np.interp(axis, years, [float(row[f"share_{y}"]) for y in (2022, 2025, 2028)]) for row in table("makers")],
        axis=1,
    )
    maker_of = np.asarray(products.maker_of)
    totals = weights @ maker_of.T
    planned = np.divide(shares, totals, out=np.zeros_like(shares), where=totals > 1e-9)
    return np.asarray(weights * (planned @ maker_of))


def _months(
    scenario: "Scenario", months: "npt.NDArray[np.datetime64]", chips: Sequence["Chip"], products: Products
) -> Months:
    axis = months.astype(int).astype(float)
    rows = table("products")
    mix = _mix(axis, products)
    starts = np.array([_month_number(row["start"]) for row in rows])
    lines = table("lines")
    share_years = [_month_number(f"{year}-01") for year in (2022, 2025, 2028)]
    ai_share = np.stack(
        [np.interp(axis, share_years, [float(row[f"ai_share_{y}"]) for y in (2022, 2025, 2028)]) for row in lines],
        axis=1,
    )
    hubs = labels().hubs

    def lever(name: str) -> FloatArray:
        return np.asarray(scenario.series(name, months, law=0.0), dtype=float)

    def by_hub(name: str, default: float) -> FloatArray:
        known = ("MYS", "THA", "SGP", "GULF", "ROW")
        return np.stack(
            [lever(f"{name}.{hub}") if hub in known else np.full(axis.shape, default) for hub in hubs], axis=1
        )

    fields: dict[str, Any] = dict(
        index=np.arange(len(axis), dtype=float),
        year=(axis - _month_number("2022-01")) / 12,
        past=(months <= DATA_CUTOFF).astype(float),
        mix=mix,
        scrap=np.where(mix > 1e-9, 0.0, 0.06),
        age=np.maximum(axis[:, None] - starts, 0) / 12,
        ai_share=ai_share,
        bank_inflow=_bank_inflow(months),
        **_rule_arrays(scenario, months, chips, products),
        enforcement=lever("us.enforcement"),
        location=lever("us.location_verification"),
        rental_control=lever("us.rental_control"),
        hbm_control=lever("us.hbm_control") * (months >= _HBM_CONTROL_FROM),
        equipment=lever("us.equipment_controls"),
        hub_licence=by_hub("us.hub_licence", 0.0),
        hub_enforcement=by_hub("hubs.enforcement", 1.0),
        capacity_investment=lever("china.capacity_investment"),
        subsidy=lever("china.subsidy"),
        domestic_floor=lever("china.domestic_share_floor"),
        korea_hbm=lever("korea.hbm_to_china"),
        korea_budget=lever("korea.sovereign_budget"),
        korea_domestic=lever("korea.chip_mix_domestic"),
        yield_lever=lever("technology.smic_yield"),
        hbm_domestic=lever("technology.hbm_domestic"),
        algorithms=lever("technology.algorithmic_progress"),
        compatibility=lever("technology.cuda_compatibility"),
        tokens_growth=_growth_factor(lever("demand.tokens_growth"), months),
        us_capex=lever("demand.us_capex"),
        china_capex=lever("demand.china_capex"),
        edge_shift=lever("demand.edge_share"),
    )
    return Months(**fields)


def _growth_factor(multiplier: FloatArray, months: "npt.NDArray[np.datetime64]") -> FloatArray:
    """Cumulative effect of a multiplier of growth on the path of central token demand."""
    central = np.log(np.asarray(_bands(months)["tokens_china"].central))
    growth = np.diff(central, prepend=central[0])
    return np.asarray(np.exp(np.cumsum(growth * (multiplier - 1))))


def _bank_inflow(months: "npt.NDArray[np.datetime64]") -> FloatArray:
    within = (months >= _BANK_MONTHS[0]) & (months <= _BANK_MONTHS[1])
    has_bank = np.array([float(row["bank_k"]) > 0 for row in table("dies")])
    share = 1 / ((_BANK_MONTHS[1] - _BANK_MONTHS[0]).astype(int) + 1)
    return np.asarray(within[:, None] * has_bank * share, dtype=float)


def _law(
    chips: Sequence["Chip"], places: tuple[str, ...], months: "npt.NDArray[np.datetime64]", overlays: tuple[Any, ...]
) -> Any:
    """The law by month, chip and place, remembered: it is the same for all scenarios that leave the rules alone."""
    if overlays:
        return rules.availability(chips, places, months, overlays)
    key = ("law", places, str(months[0]), str(months[-1]))
    return _remembered(key, chips, lambda: rules.availability(chips, places, months, ()))


def _rule_arrays(
    scenario: "Scenario", months: "npt.NDArray[np.datetime64]", chips: Sequence["Chip"], products: Products
) -> dict[str, FloatArray]:
    """Law by date, with the scenario's levers over it, as quotas, fees, stances and frictions."""
    regions = table("regions")
    law = _law(chips, tuple(row["representative"] for row in regions), months, tuple(scenario.rules))
    china = [row["region"] for row in regions].index("CHN")
    domestic = np.asarray(products.domestic)
    status, fee = law.status[:, :, china].astype(float), law.fee[:, :, china].copy()
    stance = law.stance[:, :, china].astype(float)
    quota = np.where(status == 4, 0.0, law.quota[:, :, china])
    review = (status == 3) * 1.0
    for k, (chip, row) in enumerate(zip(chips, table("products"), strict=True)):
        if domestic[k]:
            continue
        settings = _product_levers(scenario, months, row["product"], *_performance(chip, row))
        quota[:, k], review[:, k] = _licensed(quota[:, k], review[:, k], settings)
        fee[:, k] = np.where(np.isnan(settings["fee"]), fee[:, k], settings["fee"])
        stance[:, k] = np.where(np.isnan(settings["stance"]), stance[:, k], settings["stance"])
    foreign = 1 - domestic
    blocked = (stance == 3) * foreign
    friction = {row["key"]: float(row["value"]) for row in table("initial") if row["quantity"] == "friction"}
    by_status = np.array([friction[str(code)] for code in range(len(friction) - 1)])  # all but that of a hub's licence
    access = by_status[law.status.astype(int)]
    access = access + _hub_licence_friction(scenario, months, friction["hub_licence"])
    return {
        "quota": np.where(np.isfinite(quota), quota, 1e12),
        "case_by_case": review * foreign,
        "fee": np.nan_to_num(fee) * foreign,
        "stance": _STANCE[stance.astype(int)] * foreign,
        "blocked": blocked,
        "controlled": ((quota < 1e11) | (review > 0) | (blocked > 0)) * foreign,
        "access": access.transpose(0, 2, 1),
    }


def _performance(chip: "Chip", row: Row) -> tuple[float, float]:
    """Total processing performance and memory bandwidth (GB/s) of a product: what the lines of the rules look at."""
    operations = max(
        (value.best or 0.0) * bits
        for value, bits in (
            (chip.bf16_tflops, 16), (chip.fp8_tflops, 8), (chip.int8_tops, 8), (chip.fp4_tflops, 4),
        )
        if value is not None
    ) if chip.bf16_tflops is not None else 0.0  # fmt: skip
    bandwidth = chip.memory_gbs.best if chip.memory_gbs is not None and chip.memory_gbs.best else 0.0
    return operations * float(row["scale"]), bandwidth


def _product_levers(
    scenario: "Scenario", months: "npt.NDArray[np.datetime64]", product: str, tpp: float, bandwidth: float
) -> Mapping[str, FloatArray]:
    """A product's settings by month, NaN where the law rules; a performance line speaks where no status is set."""
    names = {
        "allowed": "us.allowed_products",
        "quota": "us.quota",
        "fee": "us.fee_share",
        "stance": "china.import_stance",
    }
    product_class = control_class(tpp, bandwidth)
    settings = {
        key: np.asarray(scenario.product_series(name, product, product_class, months), dtype=float)
        for key, name in names.items()
    }
    line = np.asarray(scenario.series("us.threshold_tpp", months), dtype=float)
    by_line = np.where(np.isnan(line), np.nan, np.where(tpp >= line, 4.0, 0.0))
    return {**settings, "allowed": np.where(np.isnan(settings["allowed"]), by_line, settings["allowed"])}


def _licensed(quota: FloatArray, review: FloatArray, lever: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Quota and case-by-case flag after the scenario's word: free, licensed (with its quota, else by case) or denied."""
    allowed = lever["allowed"]
    quota = np.where(allowed == 0, 1e12, np.where(allowed == 4, 0.0, np.where(allowed == 2, 1e12, quota)))
    review = np.where((allowed == 0) | (allowed == 4), 0.0, np.where(allowed == 2, 1.0, review))
    named = ~np.isnan(lever["quota"]) & ((quota > 0) | (review > 0))
    return np.where(named, lever["quota"], quota), np.where(named, 0.0, review)


def _hub_licence_friction(scenario: "Scenario", months: "npt.NDArray[np.datetime64]", friction: float) -> FloatArray:
    known = ("MYS", "THA", "SGP", "GULF", "ROW")
    columns: list[Any] = [
        np.asarray(scenario.series(f"us.hub_licence.{region}", months, law=0.0)) * friction
        if region in known
        else np.zeros(len(months))
        for region in labels().regions
    ]
    return np.stack(columns, axis=1)[:, None, :]
