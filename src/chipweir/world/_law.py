"""The law by month with a scenario's levers over it: quotas, pools of licences, fees, stances and frictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir import rules
from chipweir.world._levers import PRODUCT_CLASSES, control_class
from chipweir.world._tables import Row, table


if TYPE_CHECKING:
    from datetime import date

    from chipweir.facts import Chip
    from chipweir.world._scenario import Scenario

FloatArray = npt.NDArray[np.float64]
Months = npt.NDArray[np.datetime64]

# Days of a month on which the law is looked up, so that a month in which it changes counts by its share.
_DAYS = (2, 8, 15, 22, 28)
_MIDDLE = 2
# Codes of `rules.availability`: free, notification, presumption of approval, case by case, denial, unknown.
FREE, CASE_BY_CASE, DENIED = 0, 3, 4
# Share of `stance_penalty` by code of the importing side's stance.
_STANCE = np.array([0.0, 1.0, 0.5, 1.5, 0.0])
_BLOCKED = 3
# Access groups outside China that a month may have (open, and one or two kinds of controlled chips).
GROUPS = 3
NO_LIMIT = 1e12
HUBS_WITH_LEVER = ("TWN_JPN", "MYS", "SGP", "THA", "GULF", "ROW")


@dataclass(frozen=True)
class _Law:
    """The rules as arrays: `status` outside China in the middle of the month `[T, K, R]`; and for China by day of the month
    first, `[day, T, K]`."""

    status: FloatArray
    china_status: FloatArray
    china_stance: FloatArray
    china_quota: FloatArray
    china_fee: FloatArray


def _read(
    chips: tuple["Chip", ...], places: tuple[str, ...], months: Months, overlays: tuple[Any, ...], as_of: "date | None"
) -> _Law:
    """The law in the middle of every month, and on the other days of those months in which it changes for China."""
    middle = rules.availability(chips, places, months, overlays, day=_DAYS[_MIDDLE], as_of=as_of)
    china = places.index("CN")
    by_day = {name: np.stack([values[:, :, china]] * len(_DAYS)) for name, values in _arrays(middle).items()}
    moved = np.any([np.any(v[_MIDDLE][1:] != v[_MIDDLE][:-1], axis=1) for v in by_day.values()], axis=0)
    near = np.flatnonzero(np.concatenate([moved, [False]]) | np.concatenate([[False], moved]))
    for d, day in enumerate(_DAYS):
        if d != _MIDDLE and len(near):
            other = _arrays(rules.availability(chips, ("CN",), months[near], overlays, day=day, as_of=as_of))
            for name in by_day:
                by_day[name][d, near] = other[name][:, :, 0]
    return _Law(_arrays(middle)["status"], *by_day.values())


def _arrays(found: "rules.Availability") -> dict[str, FloatArray]:
    """What the world reads: under two laws, those of the US and of the maker's country, the stricter state counts."""
    return {
        "status": np.maximum(found.status, found.home).astype(float),
        **{name: getattr(found, name).astype(float) for name in ("stance", "quota", "fee")},
    }


@lru_cache(maxsize=8)
def _shipped(chips: tuple["Chip", ...], places: tuple[str, ...], months: tuple[str, ...], as_of: "date | None") -> _Law:
    return _read(chips, places, np.array(months, dtype="datetime64[M]"), (), as_of)


def _law(
    chips: tuple["Chip", ...], places: tuple[str, ...], months: Months, overlays: tuple[Any, ...], as_of: "date | None"
) -> _Law:
    """The law, remembered for all scenarios that leave the rules alone."""
    if overlays:
        return _read(chips, places, months, overlays, as_of)
    return _shipped(chips, places, tuple(months.astype(str)), as_of)


def performance(chip: "Chip", row: Row) -> tuple[float, float]:
    """Total processing performance and memory bandwidth (GB/s) of a product: what the lines of the rules look at."""
    operations = chip.tpp.best if chip.tpp is not None else 0.0
    bandwidth = chip.memory_gbs.best if chip.memory_gbs is not None and chip.memory_gbs.best else 0.0
    return operations * float(row["scale"]), bandwidth


def classes_of(chips: Sequence["Chip"], rows: Sequence[Row], makers: Mapping[str, str]) -> list[str]:
    """The class of every product by the lines of the US rules; "" for makers of China and Korea, whose own rules count."""
    return [
        "" if makers[row["maker"]] in ("CN", "KR") else control_class(*performance(chip, row))
        for chip, row in zip(chips, rows, strict=True)
    ]


def rule_arrays(
    scenario: "Scenario",
    months: Months,
    chips: tuple["Chip", ...],
    rows: Sequence[Row],
    domestic: FloatArray,
    classes: list[str],
    as_of: "date | None" = None,
) -> dict[str, FloatArray]:
    """Law by date, with the scenario's levers over it, as the market reads it (see `market.Dated`).

    As of a day, what had been published then is law.
    """
    regions = table("regions")
    names = [row["region"] for row in regions]
    china = names.index("CHN")
    law = _law(chips, tuple(row["representative"] for row in regions), months, tuple(scenario.rules), as_of)
    count, shape = len(PRODUCT_CLASSES), (len(months), len(rows))
    out = {name: np.zeros(shape) for name in ("quota", "fee", "stance", "blocked", "controlled")}
    out["open_days"] = np.ones(shape)
    pools = np.zeros((len(months), count, len(rows)))
    foreign = 1 - domestic
    for k, (chip, row) in enumerate(zip(chips, rows, strict=True)):
        if domestic[k]:
            out["quota"][:, k] = NO_LIMIT
            continue
        _china_column(
            out, pools, k, classes[k],
            (law.china_status[..., k], law.china_stance[..., k], law.china_quota[..., k], law.china_fee[..., k]),
            _settings(scenario, months, row["product"], classes[k], performance(chip, row)[0]),
        )  # fmt: skip
    return {
        **{name: values * (foreign if name not in ("quota", "open_days") else 1.0) for name, values in out.items()},
        "pool_of": pools,
        "class_quota": _class_quotas(scenario, months),
        **_access(scenario, months, law, names, china),
    }


def _china_column(
    out: dict[str, FloatArray],
    pools: FloatArray,
    k: int,
    product_class: str,
    law: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    lever: Mapping[str, FloatArray],
) -> None:
    """One product's direct channel to China by month: the law's (by day of the month) with the levers over it."""
    days, stances, quotas, fees = law
    open_days = (days < DENIED).mean(0)
    status = np.where(open_days > 0, np.where(days < DENIED, days, -1).max(0), DENIED)
    allowed, general = lever["allowed"], lever["general"]
    looser = np.where((general > FREE) & (general <= CASE_BY_CASE) & (status == FREE), np.nan, general)
    said = np.where(np.isnan(allowed), looser, allowed)
    named = ~np.isnan(said)
    review = np.where(named, said == CASE_BY_CASE, status == CASE_BY_CASE)
    denied = np.where(named, said == DENIED, status == DENIED)
    licensed = np.where(named, (said > FREE) & ~denied, (status > FREE) & (status < DENIED))
    quota = np.where(np.isnan(lever["quota"]), np.where(named, np.inf, quotas[_MIDDLE]), lever["quota"])
    quota = np.where(licensed | np.isnan(lever["quota"]), quota, np.inf)
    out["quota"][:, k] = np.where(denied, 0.0, np.minimum(quota, NO_LIMIT))
    out["open_days"][:, k] = np.where(named | (open_days == 0), 1.0, open_days)
    fee = np.where(np.isnan(lever["fee"]), fees[_MIDDLE], np.where(licensed, lever["fee"], 0.0))
    out["fee"][:, k] = np.nan_to_num(fee)
    stance = np.where(np.isnan(lever["stance"]), stances[_MIDDLE], lever["stance"]).astype(int)
    out["stance"][:, k], out["blocked"][:, k] = _STANCE[stance], stance == _BLOCKED
    restricted = denied | licensed | (stance == _BLOCKED) | (out["open_days"][:, k] < 1)
    out["controlled"][:, k] = restricted
    if product_class:
        row = np.where(np.isnan(lever["class_quota"]) & ~np.isnan(lever["all_quota"]), PRODUCT_CLASSES.index("all"),
                       PRODUCT_CLASSES.index(product_class))  # fmt: skip
        bound = licensed & (review | ~np.isnan(lever["class_quota"]) | ~np.isnan(lever["all_quota"]))
        pools[np.arange(len(row)), row, k] = bound & np.isnan(lever["quota"])


def _settings(
    scenario: "Scenario", months: Months, product: str, product_class: str, tpp: float
) -> dict[str, FloatArray]:
    """A product's levers by month, NaN where the law rules: its own, and what is said of its class and of all.

    A performance line speaks where no status is set. Classes and `all` speak of chips under the US rules only.
    """

    def own(name: str) -> FloatArray:
        return np.asarray(scenario.named_series(name, (product,), months), dtype=float)

    def shared(name: str, among: Sequence[str]) -> FloatArray:
        return np.asarray(scenario.named_series(name, among if product_class else (), months), dtype=float)

    groups = ("all", product_class)
    line = np.asarray(scenario.series("us.threshold_tpp", months), dtype=float)
    by_line = np.where(np.isnan(line) | (not product_class), np.nan, np.where(tpp >= line, DENIED, FREE))
    general = shared("us.allowed_products", groups)

    def either(name: str) -> FloatArray:
        return np.where(np.isnan(own(name)), shared(name, groups), own(name))

    return {
        "allowed": own("us.allowed_products"),
        "general": np.where(np.isnan(general), by_line, general),
        "quota": own("us.quota"),
        "class_quota": shared("us.quota", (product_class,)),
        "all_quota": shared("us.quota", ("all",)),
        "fee": either("us.fee_share"),
        "stance": either("china.import_stance"),
    }


def _class_quotas(scenario: "Scenario", months: Months) -> FloatArray:
    """Units a month of every pool of licences `[T, C]`; NaN where reviewers decide, no limit where licences are granted."""
    columns = []
    for name in PRODUCT_CLASSES:
        quota = np.asarray(scenario.named_series("us.quota", (name,), months), dtype=float)
        columns.append(quota)
    return np.stack(columns, axis=1)


def _access(scenario: "Scenario", months: Months, law: _Law, names: Sequence[str], china: int) -> dict[str, FloatArray]:
    """Access groups of products outside China `[T, G, K]` and what a licence costs them there `[T, G, R]`."""
    from chipweir.world._tables import table as rows_of

    friction = {row["key"]: row for row in rows_of("initial") if row["quantity"] == "friction"}
    costs = np.array([float(friction[str(code)]["value"]) for code in range(6)])
    status = law.status.copy()
    status[:, :, china] = 0
    months_count, products, places = status.shape
    group_of = np.zeros((months_count, GROUPS, products))
    cost = np.zeros((months_count, GROUPS, places))
    for t in range(months_count):
        patterns, index = np.unique(status[t], axis=0, return_inverse=True)
        for g, pattern in enumerate(patterns[:GROUPS]):
            cost[t, g] = costs[pattern.astype(int)]
        kept = np.minimum(index.reshape(-1), GROUPS - 1)
        group_of[t, kept, np.arange(products)] = 1.0
    licence = float(friction["hub_licence"]["value"])
    hubs = np.stack(
        [
            np.asarray(scenario.series(f"us.hub_licence.{name}", months, law=0.0)) * licence
            if name in HUBS_WITH_LEVER
            else np.zeros(months_count)
            for name in names
        ],
        axis=1,
    )
    return {"access_of": group_of, "friction": cost + hubs[:, None, :]}
