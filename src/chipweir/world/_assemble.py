"""Names and dates become arrays, once: facts, rules and a scenario in, `Inputs` out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir import market, perf, supply
from chipweir.errors import InputError
from chipweir.world._believe import BELIEFS, LINE_BELIEFS
from chipweir.world._events import events_of
from chipweir.world._law import HUBS_WITH_LEVER, classes_of, rule_arrays
from chipweir.world._levers import PRODUCT_CLASSES
from chipweir.world._outputs import KINDS
from chipweir.world._products import dated_rows, own_products, product_rows
from chipweir.world._state import Band, Calendar, Inputs, Months, Products, Uses, as_arrays
from chipweir.world._tables import Extra, Row, cells, known_products, table


if TYPE_CHECKING:
    from datetime import date

    from chipweir.facts import Chip, Facts
    from chipweir.world._scenario import Scenario

FloatArray = npt.NDArray[np.float64]
Axis = npt.NDArray[np.datetime64]

# The last month whose rules and plans are known; after it Chinese capacity growth is realised and glut bites.
DATA_CUTOFF = np.datetime64("2026-10", "M")
# First and last knot of the beliefs' paths, half a year apart, whatever a scenario covers.
FIRST_KNOT, KNOTS = np.datetime64("2022-01", "M"), 29
# Dated by the HBM rule's compliance date (2024-12-31): the first full month under control.
_HBM_CONTROL_FROM = np.datetime64("2025-01", "M")
_HBM_PUBLISHED = "2024-12-02"
# TSMC-made Ascend dies reached their buyer between these months (FAB-052, EVT-022, EVT-023).
_BANK_MONTHS = (np.datetime64("2023-07", "M"), np.datetime64("2024-10", "M"))
_BANK_DIE = "ascend-910"
_SCORE_95 = 1.6448536269514722
_PACKAGING = ("cowos", "other-packaging", "china-packaging")
_CUSTOMERS = ("nvidia", "amd", "other-us", "korea", "china")
LAWS = ("US", "CN", "KR")
# Share of unsold units of a product no longer made that is scrapped in a month.
_SCRAP = 0.06
_YEARS = (2022, 2025, 2028)
# Years after release over which a maker's plan passes from its resource to its sales.
_LAUNCH_YEARS = 1.5


@dataclass(frozen=True)
class Labels:
    """The names along every axis, in order."""

    products: tuple[str, ...]
    makers: tuple[str, ...]
    regions: tuple[str, ...]
    hubs: tuple[str, ...]
    ecosystems: tuple[str, ...]
    lines: tuple[str, ...]
    dies: tuple[str, ...]
    groups: tuple[str, ...]
    customers: tuple[str, ...] = _CUSTOMERS
    workloads: tuple[str, ...] = ("training", "inference", "edge")


@lru_cache(maxsize=16)
def labels(extra: Extra = ()) -> Labels:
    """The labels of the shipped tables, with `extra` products after the shipped ones."""
    regions, products = table("regions"), product_rows(extra)
    return Labels(
        products=tuple(row["product"] for row in products),
        makers=tuple(dict.fromkeys(row["maker"] for row in table("makers"))),
        regions=tuple(row["region"] for row in regions),
        hubs=tuple(row["region"] for row in regions if row["hub"]),
        ecosystems=tuple(row["ecosystem"] for row in table("ecosystems")),
        lines=tuple(row["line"] for row in table("lines")),
        dies=tuple(dict.fromkeys(row["die"] for row in products)),
        groups=tuple(row["group"] for row in table("groups")),
    )


def assemble(scenario: "Scenario", facts: "Facts", extra: Extra | None = None, *, rules_known: bool = False) -> Inputs:
    """Everything `simulate` needs besides parameters, for one scenario.

    Over facts as of an earlier day the law is what had been published then, or, with `rules_known`, as it came.
    `extra` are the products beyond the shipped ones that all scenarios of a run have (default: those of this scenario and
    of the facts, see `own_products`). Raises `InputError` or `UnknownName` where a table or the scenario names what the
    facts do not have.
    """
    months = scenario.months
    extra = own_products(facts, [scenario]) if extra is None else extra
    rows = dated_rows(known_products(facts, extra), scenario.products)
    chips = tuple(facts.chip(row["basis"] or row["product"]) for row in rows)
    products = _products(facts, extra)
    bands = _bands(facts, tuple(months.astype(str)))
    lines = _line_band(facts, tuple(months.astype(str)))
    classes = classes_of(chips, rows, _maker_country())
    return as_arrays(  # type: ignore[no-any-return]
        Inputs(
            products=products,
            months=_months(
                scenario, months, facts, rows, chips, products, classes, None if rules_known else facts.as_of
            ),
            bands=bands,
            lines=lines,
            knots=knot_weights(months),
            first_month=np.asarray(int(months[0].astype(int)) % 12),
            events=events_of(scenario, months, labels(extra).products, classes, facts.as_of),
        )
    )


def cut_off(facts: "Facts") -> np.datetime64:
    """The last month that beliefs describe as past: the data cut-off, or the day as of which facts were asked for."""
    return DATA_CUTOFF if facts.as_of is None else min(DATA_CUTOFF, np.datetime64(facts.as_of, "M"))


def knot_weights(months: Axis) -> FloatArray:
    """Weight of every half-yearly knot in every month `[T, N]`: straight lines between knots."""
    place = (months - FIRST_KNOT).astype(int) / 6
    return np.asarray(np.clip(1 - np.abs(place[:, None] - np.arange(KNOTS)), 0, 1))


def group_matrix(extra: Extra = ()) -> FloatArray:
    """Membership of products in the reported groups, `[group, product]`."""
    return _members(tuple(row["products"].split() for row in table("groups")), labels(extra).products)


def _members(lists: Sequence[Sequence[str]], names: Sequence[str]) -> FloatArray:
    return np.array([[float(name in members) for name in names] for members in lists])


def _one_hot(values: Sequence[str], names: Sequence[str]) -> FloatArray:
    return np.array([[float(value == name) for value in values] for name in names])


def _column(rows: Sequence[Row], name: str) -> FloatArray:
    return np.array([float(row[name] or 0) for row in rows])


def _flag(rows: Sequence[Row], column: str, *values: str) -> FloatArray:
    return np.array([float(row[column] in values) for row in rows])


def _maker_country() -> Mapping[str, str]:
    return {row["maker"]: row["country"] for row in table("makers")}


def _pool(row: Row, chinese: set[str]) -> str:
    return "china" if row["line"] in chinese else row["packaging"]


def _customer(row: Row, chinese: set[str]) -> str:
    maker = row["maker"]
    if maker in ("nvidia", "amd"):
        return maker
    return {"others-kr": "korea"}.get(maker, "china" if row["line"] in chinese else "other-us")


@lru_cache(maxsize=4)
def _products(facts: "Facts", extra: Extra) -> Products:
    """What is fixed about products, lines and hubs, over these facts."""
    rows, lines = known_products(facts, extra), table("lines")
    chips = tuple(facts.chip(row["basis"] or row["product"]) for row in rows)
    worth = perf.worth(chips)
    chinese = {row["line"] for row in lines if row["country"] == "CN"}
    return Products(
        fabs=_fabs(facts, extra, rows, lines, chinese, worth),
        goods=_goods(facts, extra, rows, chips, chinese, worth),
        uses=_uses(facts, extra, rows, chinese, worth),
    )


def _fabs(
    facts: "Facts", extra: Extra, rows: Sequence[Row], lines: Sequence[Row], chinese: set[str], worth: Any
) -> supply.Fabs:
    names, found = labels(extra), cells(facts, extra)

    def of_products(column: str) -> FloatArray:
        return np.array([found["products", row["product"], column].derived.central for row in rows])

    area = of_products("area_mm2")
    makers = [(row["maker"], row["pool"]) for row in table("makers")]
    owners = [(row["maker"], _pool(row, chinese)) for row in rows]
    unknown = sorted({owner for owner in owners if owner not in makers})
    if unknown:
        raise InputError(f"products.csv: no row in makers.csv for {unknown[0][0]} in pool {unknown[0][1]}")
    memory = [row["memory"] for row in rows]
    return supply.Fabs(
        gross=np.asarray(supply.gross_dies(area)),
        area=area,
        salvage=_column(rows, "salvage"),
        dies_per_package=of_products("dies"),
        per_wafer=np.where(_column(rows, "per_wafer") > 0, _column(rows, "per_wafer"), 1.0),
        stacks=of_products("stacks"),
        h100e=worth.h100e * _column(rows, "scale"),
        die_of=_one_hot([row["die"] for row in rows], names.dies),
        line_of=_one_hot([row["line"] for row in rows], names.lines),
        packaging_of=_one_hot([row["packaging"] for row in rows], _PACKAGING),
        maker_of=np.array([[float(owner == maker) for owner in owners] for maker in makers]),
        world_memory=np.array([float(kind == "world") for kind in memory]),
        china_memory=np.array([float(kind in ("china", "huawei")) for kind in memory]),
        own_memory=np.array([float(kind == "huawei") for kind in memory]),
        domestic=np.array([float(row["line"] in chinese) for row in rows]),
        bank_of=np.array([float(die == _BANK_DIE) for die in names.dies]),
        chinese_line=_flag(lines, "country", "CN"),
        advanced=_flag(lines, "advanced", "yes"),
        line_belief=np.array([[float(f"belief_{row['belief']}" == name) for row in lines] for name in LINE_BELIEFS]),
        delayed=_flag(lines, "delayed", "yes"),
        defect_initial=_column(lines, "defect_density_2022"),
        defect_floor=_column(lines, "defect_floor"),
        learning_wafers=_column(lines, "learning_wafers_k") * 1e3,
        wafer_price=np.array([found["lines", row["line"], "wafer_price"].derived.central for row in lines]),
        package_cost=of_products("package_cost"),
    )


# What a package weighs in a smuggler's load, an H100 of 1.27 kW with its node being one (prior: size goes with power).
_PLACE_W = 1270.0


def _goods(
    facts: "Facts", extra: Extra, rows: Sequence[Row], chips: tuple["Chip", ...], chinese: set[str], worth: Any
) -> market.Goods:
    names, regions, found = labels(extra), table("regions"), cells(facts, extra)
    scale = _column(rows, "scale")
    power = worth.system_power_w * scale**0.55
    classes = classes_of(chips, rows, _maker_country())
    domestic = np.array([float(row["line"] in chinese) for row in rows])
    return market.Goods(
        log_worth=np.log(np.maximum(worth.throughput * scale[:, None], 1e-6)).T,
        list_price=np.array([found["products", row["product"], "price"].derived.central for row in rows]),
        power=power,
        slots=power / _PLACE_W,
        racked=_column(rows, "rack"),
        domestic=domestic,
        korean=_flag(rows, "maker", "others-kr"),
        open_market=_flag(rows, "market", "world"),
        captive=_flag(rows, "market", "captive"),
        diverted=_flag(rows, "maker", "nvidia", "amd") * _flag(rows, "market", "world"),
        class_of=_one_hot(classes, PRODUCT_CLASSES),
        stack_of=_one_hot([row["ecosystem"] for row in rows], names.ecosystems),
        inherits_cuda=_column(rows, "inherits_cuda"),
        smuggling_weight=np.array([float(row["smuggling_weight"]) for row in regions if row["hub"]]),
        rental_weight=np.array([float(row["rental_weight"]) for row in regions if row["hub"]]),
        china=_one_hot(["CHN"], names.regions)[:, 0],
        usa=_one_hot(["USA"], names.regions)[:, 0],
        korea=_one_hot(["KOR"], names.regions)[:, 0],
        buys_chinese=_flag(regions, "buys_chinese", "yes"),
    )


def _uses(facts: "Facts", extra: Extra, rows: Sequence[Row], chinese: set[str], worth: Any) -> Uses:
    names = labels(extra)
    scale = _column(rows, "scale")
    domestic = np.array([float(row["line"] in chinese) for row in rows])
    reference = [row["product"] for row in rows].index("nvidia-h100-sxm")
    nvidia = _flag(rows, "maker", "nvidia")
    country = _maker_country()
    first = np.datetime64("2022-01", "M").astype(int)
    starts = np.array([np.datetime64(row["start"], "M").astype(int) for row in rows])
    fabs_memory = np.array([float(row["memory"] == "world") for row in rows])
    return Uses(
        log_worth=np.log(np.maximum(worth.throughput * scale[:, None], 1e-6)).T,
        loadings=_loadings(worth),
        own_spread=worth.own_log_sd.T,
        training_flops=worth.training_flops * scale,
        tokens=worth.tokens_per_second / worth.tokens_per_second[reference] * scale,
        power=worth.system_power_w * scale**0.55,
        h100e=worth.h100e * scale,
        start=(starts - first) / 12,
        nvidia=nvidia,
        other_foreign=(1 - domestic) * (1 - nvidia),
        domestic=domestic,
        kinds=_kinds(domestic, nvidia, worth.h100e * scale),
        groups=group_matrix(extra),
        law_of=_one_hot([country[row["maker"]] for row in rows], LAWS),
        hbm_customer=_one_hot([_customer(row, chinese) for row in rows], _CUSTOMERS) * fabs_memory,
        hub_region=_one_hot(names.hubs, names.regions),
        stack_of=_one_hot([row["ecosystem"] for row in rows], names.ecosystems),
        china=_one_hot(["CHN"], names.regions)[:, 0],
        usa=_one_hot(["USA"], names.regions)[:, 0],
        korea=_one_hot(["KOR"], names.regions)[:, 0],
        **_initial(facts, extra),
    )


def _kinds(domestic: FloatArray, nvidia: FloatArray, h100e: FloatArray) -> FloatArray:
    """Weights of the kinds of products that outputs are summed over, in the order of `KINDS`."""
    found = {
        "all": np.ones_like(domestic),
        "domestic": domestic,
        "foreign": 1 - domestic,
        "nvidia": nvidia,
        "h100e": h100e,
        "domestic_h100e": domestic * h100e,
        "foreign_h100e": (1 - domestic) * h100e,
    }
    return np.array([found[kind] for kind in KINDS])


# Independent errors of the performance estimates that a member draws (`worth_factors` in parameters.csv).
FACTORS = 32


def _loadings(worth: Any) -> FloatArray:
    """Log of worth per normal score of each factor `[L, W, K]`, filled up to the number of factors that are drawn."""
    products, workloads = worth.throughput.shape
    out = np.zeros((FACTORS, workloads, products))
    out[: len(worth.loadings)] = np.transpose(worth.loadings, (0, 2, 1))
    return out


def _initial(facts: "Facts", extra: Extra) -> dict[str, Any]:
    """Stocks, maturities, developers and largest runs at the start, as the tables give them."""
    names, all_cells = labels(extra), cells(facts)
    given = {key[1:3]: cell.derived.central for key, cell in all_cells.items() if key[0] == "initial"}
    installed = np.zeros((len(names.regions), len(names.products)))
    installed[:, names.products.index("nvidia-a100-sxm")] = [
        given.get(("installed", region), 0.0) for region in names.regions
    ]
    stacks = table("ecosystems")
    start = [row["initial"] for row in stacks]
    return {
        "initial_maturity": np.array([0.0 if text.startswith("maturity") else float(text) for text in start]),
        "initial_cann": np.array([float(text == "maturity_cann") for text in start]),
        "initial_other": np.array([float(text == "maturity_other") for text in start]),
        "initial_developers": np.array([_column(stacks, "developers_world"), _column(stacks, "developers_china")]),
        "initial_installed": installed,
        "initial_largest": np.log([given.get(("largest", region), 1e20) for region in names.regions]),
        "official": np.asarray(given["official", "CHN"] * 1e3),
        "official_legacy": np.asarray(given["official", "legacy"]),
    }


def _band(months: Axis, at: Sequence[str], low: FloatArray, central: FloatArray, high: FloatArray) -> Band:
    """Breakpoints to monthly values: log-linear between, flat outside; bounds as log distances for one sigma."""
    place = np.array([np.datetime64(month, "M") for month in at]).astype(int)
    order = np.argsort(place)
    axis = months.astype(int)
    middle = np.interp(axis, place[order], np.log(central)[order])
    below = middle - np.interp(axis, place[order], np.log(low)[order])
    above = np.interp(axis, place[order], np.log(high)[order]) - middle
    return as_arrays(Band(np.exp(middle), below / _SCORE_95, above / _SCORE_95))  # type: ignore[no-any-return]


def _series(facts: "Facts") -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for key, cell in cells(facts).items():
        if key[0] == "series":
            grouped.setdefault(key[1], []).append(cell)
    return grouped


def _banded(facts: "Facts", name: str, months: Axis) -> Band:
    rows = _series(facts).get(name)
    if rows is None:
        raise InputError(f"series.csv: no rows for {name}")
    rule = facts.units.get(rows[0].derived.unit)
    scale = 1.0 if rule is None else rule.factor
    low, central, high = (
        scale * np.array([getattr(row.derived, side) for row in rows]) for side in ("low", "central", "high")
    )
    return _band(months, [row.key[1] for row in rows], low, central, high)


@lru_cache(maxsize=8)
def _bands(facts: "Facts", months: tuple[str, ...]) -> dict[str, Band]:
    axis, lines = np.array(months, dtype="datetime64[M]"), set(labels().lines)
    found = {name.replace("-", "_"): _banded(facts, name, axis) for name in _series(facts) if name not in lines}
    missing = [series for names in BELIEFS.values() for series in names if series not in found]
    if missing:
        raise InputError(f"series.csv: no rows for {missing[0]}")
    return found


@lru_cache(maxsize=8)
def _line_band(facts: "Facts", months: tuple[str, ...]) -> Band:
    axis = np.array(months, dtype="datetime64[M]")
    parts = [_banded(facts, line, axis) for line in labels().lines]
    before = [_begins(facts, line, axis) for line in labels().lines]
    central = np.stack([np.asarray(part.central) * start for part, start in zip(parts, before, strict=True)], axis=1)
    low, high = (np.stack([np.asarray(getattr(part, side)) for part in parts], axis=1) for side in ("low", "high"))
    return as_arrays(Band(central, low, high))  # type: ignore[no-any-return]


# Months over which a line that starts late is built up to its first row.
_RAMP_MONTHS = 18


def _begins(facts: "Facts", line: str, months: Axis) -> FloatArray:
    """Share of a line's first row before it: it is built up over a year and a half, and nothing stands earlier."""
    first = min(np.datetime64(row.key[1], "M") for row in _series(facts)[line]).astype(int)
    if first <= np.datetime64("2022-01", "M").astype(int):
        return np.ones(len(months))
    return np.asarray(np.clip(1 - (first - months.astype(int)) / _RAMP_MONTHS, 1e-4, 1.0))


def _month_number(text: str) -> int:
    return int(np.datetime64(text, "M").astype(int))


def _trapezoid(row: Row, axis: FloatArray) -> FloatArray:
    start, full, fade, end = (_month_number(row[key]) for key in ("start", "full", "fade", "end"))
    return float(row["weight"]) * np.interp(axis, [start - 0.5, max(full, start + 0.5), fade, end], [0, 1, 1, 0])


def _mix(facts: "Facts", axis: FloatArray, rows: Sequence[Row], maker_of: FloatArray) -> FloatArray:
    """Share of the maker's pool planned for each product, `[T, K]`."""
    weights = np.stack([_trapezoid(row, axis) for row in rows], axis=1)
    years = [_month_number(f"{year}-07") for year in _YEARS]
    found = cells(facts)
    shares = np.stack(
        [
            np.interp(
                axis, years, [found["makers", row["maker"], row["pool"], f"share_{y}"].derived.central for y in _YEARS]
            )
            for row in table("makers")
        ],
        axis=1,
    )
    totals = weights @ maker_of.T
    planned = np.divide(shares, totals, out=np.zeros_like(shares), where=totals > 1e-9)
    return np.asarray(weights * (planned @ maker_of))


def _months(
    scenario: "Scenario",
    months: Axis,
    facts: "Facts",
    rows: Sequence[Row],
    chips: tuple["Chip", ...],
    products: Products,
    classes: list[str],
    law_of: "date | None",
) -> Months:
    axis = months.astype(int).astype(float)
    mix = _mix(facts, axis, rows, np.asarray(products.fabs.maker_of))
    future = (months > cut_off(facts)).astype(float)
    ahead = np.maximum((months - cut_off(facts)).astype(int), 0) / 12
    year = (axis - _month_number("2022-01")) / 12

    def lever(name: str) -> FloatArray:
        return np.asarray(scenario.series(name, months, law=0.0), dtype=float)

    return Months(
        supply=_supply_months(scenario, months, rows, mix, future, ahead, lever, law_of),
        market=_market_months(scenario, months, rows, mix, future, chips, products, classes, lever, law_of),
        calendar=Calendar(
            index=np.arange(len(axis), dtype=float),
            year=year,
            future=future,
            algorithms=lever("technology.algorithmic_progress"),
            tokens_growth=_growth_factor(facts, lever("demand.tokens_growth"), months),
            thinking=lever("demand.thinking_budget"),
            token_exports=lever("china.token_exports"),
            retaliation=lever("china.retaliation"),
            dc_power=lever("korea.dc_power"),
            us_outlay=lever("korea.us_outlay"),
            stockpile=lever("korea.stockpile_days"),
            second_source=lever("korea.second_source"),
        ),
    )


def _between(axis: FloatArray, rows: Sequence[Row], column: str, month: str) -> FloatArray:
    """Columns `column_2022`, `_2025`, `_2028` of a table by month, straight lines between them."""
    years = [_month_number(f"{year}-{month}") for year in _YEARS]
    return np.stack(
        [np.interp(axis, years, [float(row[f"{column}_{y}"] or 0) for y in _YEARS]) for row in rows], axis=1
    )


def _supply_months(
    scenario: "Scenario",
    months: Axis,
    rows: Sequence[Row],
    mix: FloatArray,
    future: FloatArray,
    ahead: FloatArray,
    lever: Any,
    law_of: "date | None",
) -> supply.Dated:
    axis = months.astype(int).astype(float)
    published = law_of is None or law_of.isoformat() >= _HBM_PUBLISHED
    starts = np.array([_month_number(row["start"]) for row in rows])
    age = (axis[:, None] - starts) / 12
    within = (months >= _BANK_MONTHS[0]) & (months <= _BANK_MONTHS[1])
    return supply.Dated(
        mix=mix,
        launch=np.where(months.astype(int)[:, None] < starts, 0.0, np.clip(1 - age / _LAUNCH_YEARS, 0, 1)),
        ordered=_ordered(scenario, months, rows),
        ai_share=_between(axis, table("lines"), "ai_share", "01") * _ramp(rows, axis),
        bank_inflow=within / ((_BANK_MONTHS[1] - _BANK_MONTHS[0]).astype(int) + 1),
        future=future,
        ahead=ahead,
        equipment=lever("us.equipment_controls"),
        capacity_investment=lever("china.capacity_investment"),
        yield_lever=lever("technology.smic_yield"),
        hbm_domestic=lever("technology.hbm_domestic"),
        hbm_control=lever("us.hbm_control") * (months >= _HBM_CONTROL_FROM) * published,
        hbm_to_china=lever("korea.hbm_to_china"),
        hbm_withhold=lever("korea.hbm_withhold"),
        hbm_capex=lever("korea.hbm_capex"),
        china_fabs=lever("korea.china_fabs"),
        china_fab_tech=lever("korea.china_fab_tech"),
    )


def _ramp(rows: Sequence[Row], axis: FloatArray) -> FloatArray:
    """How far the products of every Chinese line have ramped up, `[T, F]`, 0 to 1: a line whose first product starts turns
    out no more than that product's ramp. Foreign foundries have other customers to fill their lines."""
    columns = []
    for line in table("lines"):
        own = [_trapezoid(row, axis) / float(row["weight"]) for row in rows if row["line"] == line["line"]]
        reached = np.maximum.accumulate(np.max(own, axis=0)) if own and line["country"] == "CN" else np.ones(len(axis))
        columns.append(reached)
    return np.stack(columns, axis=1)


def _ordered(scenario: "Scenario", months: Axis, rows: Sequence[Row]) -> FloatArray:
    """Packages a month that a scenario orders of a product while it is made, `[T, K]`; 0 where the mix rules."""
    ordered = np.zeros((len(months), len(rows)))
    for k, row in enumerate(rows):
        plan = scenario.products.get(row["product"])
        if plan is not None and plan.units_per_year:
            within = (months >= np.datetime64(row["start"], "M")) & (months <= np.datetime64(row["end"], "M"))
            ordered[within, k] = plan.units_per_year / 12
    return ordered


def _market_months(
    scenario: "Scenario",
    months: Axis,
    rows: Sequence[Row],
    mix: FloatArray,
    future: FloatArray,
    chips: tuple["Chip", ...],
    products: Products,
    classes: list[str],
    lever: Any,
    as_of: "date | None",
) -> market.Dated:
    axis = months.astype(int).astype(float)
    hubs = labels().hubs
    starts = np.array([_month_number(row["start"]) for row in rows])
    domestic = np.asarray(products.goods.domestic)

    def by_hub(name: str) -> FloatArray:
        return np.stack([lever(f"{name}.{hub}") for hub in hubs if hub in HUBS_WITH_LEVER], axis=1)

    return market.Dated(
        future=future,
        mix=mix,
        scrap=np.where(mix > 1e-9, 0.0, _SCRAP),
        age=np.maximum(axis[:, None] - starts, 0) / 12,
        **rule_arrays(scenario, months, chips, rows, domestic, classes, as_of),
        region_share=_between(axis, table("regions"), "share", "07"),
        enforcement=lever("us.enforcement"),
        location=lever("us.location_verification"),
        rental_control=lever("us.rental_control"),
        hub_licence=by_hub("us.hub_licence"),
        hub_enforcement=by_hub("hubs.enforcement"),
        subsidy=lever("china.subsidy"),
        domestic_floor=lever("china.domestic_share_floor"),
        compatibility=lever("technology.cuda_compatibility"),
        chip_exports=lever("china.chip_exports"),
        us_capex=lever("demand.us_capex"),
        china_capex=lever("demand.china_capex"),
        edge_shift=lever("demand.edge_share"),
        training_shift=lever("demand.training_share"),
        public_korea=lever("korea.sovereign_budget"),
        korean_npus=lever("korea.chip_mix_domestic"),
    )


def _growth_factor(facts: "Facts", multiplier: FloatArray, months: Axis) -> FloatArray:
    """Cumulative effect of a multiplier of growth on the path of central token demand."""
    central = np.log(np.asarray(_bands(facts, tuple(months.astype(str)))["tokens_china"].central))
    growth = np.diff(central, prepend=central[0])
    return np.asarray(np.exp(np.cumsum(growth * (multiplier - 1))))
