"""Named model checks: what must hold for every preset, every lever at its ends, and settings drawn at random.

The table (`checks.csv`) is for people who do not program; each name has one small predicate here, which gives the worst
violation in the unit of its tolerance.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world import Inputs, Month, Scenario

Arrays = Mapping[str, Any]
MEMBERS = 16
# Month from which a lever's ends and random settings hold.
SINCE = "2027-01"
_MAY_BE_MISSING = ("premium_black_market", "token_price_fall", "class_quota")
_SOLD = ("sold_direct", "sold_smuggled", "sold_rented")


@dataclass(frozen=True)
class Check:
    """A row of the table: what must hold, where, and how closely."""

    check: str
    what: str
    where: str
    tolerance: float
    describe: str


@dataclass(frozen=True)
class Outcome:
    """A check over all settings: the worst violation, the setting that showed it, and whether it passed."""

    check: str
    what: str
    where: str
    tolerance: float
    worst: float
    setting: str
    settings: int
    passed: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@cache
def checks() -> tuple[Check, ...]:
    """The table of checks."""
    text = (resources.files("chipweir.strategy") / "checks.csv").read_text(encoding="utf-8")
    return tuple(Check(**{**row, "tolerance": float(row["tolerance"])}) for row in csv.DictReader(text.splitlines()))  # type: ignore[arg-type]


def audit(month: "Month") -> dict[str, Any]:
    """A month's outputs, its flows and ledger, and the prices, capacities and settings behind them."""
    import jax.numpy as jnp

    from chipweir.world import by_year, china_of, ledger, monthly

    after, sold, uses, m = month.after, month.sold, month.products.uses, month.m.market
    alike = jnp.ones_like(after.retaliation)
    return {
        **monthly(month),
        **by_year(month),
        **ledger(month),
        "premium": sold.premium,
        "price": sold.price,
        "cost": month.made.cost,
        "china_direct": sold.to_china,
        "installed_china": china_of(uses, after.accounts.installed),
        "smuggled_stock": after.accounts.smuggled,
        "rented_stock": after.accounts.rented.sum(1),
        "routes": month.before.market.routes,
        "hosting": month.before.market.hosting,
        "load": after.load,
        "retaliation": after.retaliation,
        "quota": m.quota * alike,
        "pool_of": m.pool_of * alike,
        "class_quota": jnp.where(jnp.isnan(m.class_quota), month.p["case_by_case_units"] * 1e3, m.class_quota) * alike,
        "beliefs": jnp.stack(
            [value * alike for part in month.b for name, value in part._asdict().items() if value.ndim == 1]
        ),
    }


@cache
def audited() -> Callable[["Inputs", Mapping[str, Any]], dict[str, Any]]:
    """The simulation of a batch, compiled: all that `audit` keeps and `derive` adds, `[member, month, ...]`."""
    import jax
    import jax.numpy as jnp

    from chipweir.world import compiler_options, member_outputs, simulate, with_nudges

    def batch(inputs: Any, parameters: Any) -> dict[str, Any]:
        p = {name: jnp.moveaxis(values, 0, -1) for name, values in parameters.items()}
        _, kept = simulate(inputs, p, save=audit)
        found = member_outputs(kept, p, inputs.months, inputs.products)
        return {name: jnp.moveaxis(value, -1, 0) for name, value in found.items()}

    program = jax.jit(batch, compiler_options=compiler_options())

    def run(inputs: "Inputs", parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {name: np.asarray(value) for name, value in program(inputs, with_nudges(parameters, inputs)).items()}

    return run


def _gap(left: Any, right: Any, scale: Any) -> float:
    """Largest difference relative to the larger of `scale` and one."""
    return float(np.max(np.abs(left - right) / np.maximum(np.abs(scale), 1.0)))


def _finite(kept: Arrays, inputs: "Inputs") -> float:
    bad = 0.0
    for name, values in kept.items():
        known = np.asarray(values)
        wrong = np.isinf(known) if name in _MAY_BE_MISSING else ~np.isfinite(known)
        bad += float(wrong.sum())
    return bad


def _exact(kept: Arrays, *names: str) -> Any:
    """The sum of these accounts in double precision."""
    return sum(np.asarray(kept[name], dtype=float) for name in names)


def _units(kept: Arrays, inputs: "Inputs") -> float:
    source = _exact(kept, "carried_in", "made")
    return _gap(source, _exact(kept, *_SOLD, "scrapped", "left"), source)


def _dies(kept: Arrays, inputs: "Inputs") -> float:
    source = _exact(kept, "dies_in", "dies_arrived")
    return _gap(source, _exact(kept, "dies_used", "dies_left"), source)


def _memory(kept: Arrays, inputs: "Inputs") -> float:
    source = _exact(kept, "hbm_in", "hbm_arrived")
    return _gap(source, _exact(kept, "hbm_used", "hbm_left"), source)


def _capacity(kept: Arrays, inputs: "Inputs") -> float:
    source = _exact(kept, "carried_in", "made")
    return float(np.max((_exact(kept, *_SOLD) - source) / np.maximum(source, 1.0)))


def _non_negative(kept: Arrays, inputs: "Inputs") -> float:
    names = ("made", *_SOLD, "seized", "scrapped", "left", "dies_left", "hbm_left", "spending", "compute")
    return max(0.0, -min(float(np.min(kept[name])) for name in names))


def _quota(kept: Arrays, inputs: "Inputs") -> float:
    foreign = np.asarray(inputs.products.goods.domestic) == 0
    limit = np.where(foreign, kept["quota"], np.inf)
    return float(np.max((kept["china_direct"] - limit) / np.maximum(np.minimum(limit, 1e12), 1.0)))


def _class_quota(kept: Arrays, inputs: "Inputs") -> float:
    sold = np.einsum("ntck,ntk->ntc", kept["pool_of"], kept["china_direct"])
    limit = np.asarray(kept["class_quota"])
    return float(np.max((sold - limit) / np.maximum(limit, 1.0)))


def _slack(kept: Arrays, inputs: "Inputs") -> float:
    source = kept["carried_in"] + kept["made"]
    left = source - sum(kept[name] for name in _SOLD)
    slack = (left > 0.1 * source) & (source > 1000.0)
    return float(np.mean(kept["premium"][slack] > 0.02)) if slack.any() else 0.0


def _shares(kept: Arrays, inputs: "Inputs") -> float:
    names = ("domestic_share_units", "domestic_share_compute", "domestic_share_value", "nvidia_share", "ecosystem_share",
             "binding", "unmet_share", "energised_share", "one_veto_share", "developer_share", "line_utilisation",
             "korea_hbm_share")  # fmt: skip
    return max(float(np.max(np.maximum(-kept[name], kept[name] - 1))) for name in names)


def _largest(kept: Arrays, inputs: "Inputs") -> float:
    run = np.asarray(kept["largest_run"])
    return float(np.max((run[:, :-1] - run[:, 1:]) / run[:, :-1], initial=0.0))


def _unmet(kept: Arrays, inputs: "Inputs") -> float:
    return float(np.median(kept["unmet_share"]))


def _price(kept: Arrays, inputs: "Inputs") -> float:
    """How far prices lie below marginal cost, or last month's where that is lower (prices follow cost with a month's lag),
    where a chip is made and sold in both months, at the worst but for one case in 500."""
    cost, price = np.asarray(kept["cost"]), np.asarray(kept["price"])
    selling = (kept["sold_direct"] > 1) & (kept["made"] > 1)
    short = 1 - price[:, 1:] / np.minimum(cost[:, 1:], cost[:, :-1])
    return float(np.quantile(short[selling[:, 1:] & selling[:, :-1]], 0.998))


def _months_of(stock: Any, use: Any) -> Any:
    """Months of the year's mean use that lie in stock, median over members, [T]."""
    mean = np.stack([use[:, max(t - 11, 0) : t + 1].mean(1) for t in range(use.shape[1])], axis=1)
    return np.median(stock / np.maximum(mean, 1.0), axis=0)


def _stocks(kept: Arrays, inputs: "Inputs") -> float:
    """Most months of output unsold at the median, home and abroad, while it is not being sold off at cost."""
    home = np.asarray(inputs.products.goods.domestic) > 0
    worst = 0.0
    for side in (home, ~home):
        left, made = (np.asarray(kept[name])[..., side] for name in ("left", "made"))
        weight = np.maximum(left, 1e-9)
        margin = np.log((kept["price"] / kept["cost"])[..., side])
        dear = np.median((margin * weight).sum(-1) / weight.sum(-1), axis=0) > 0.05
        months = _months_of(left.sum(-1), made.sum(-1))
        worst = max(worst, float(np.max(months[24:] * dear[24:])))
    return worst


# Totals and prices whose median should not leap, and what must have been reached for a leap to count.
_SMOOTH = ("compute", "spending", "world_chip_value", "nvidia_revenue", "production_domestic_h100e",
           "wafer_starts", "tokens_served", "token_price", "power_mw", "memory_price", "korea_exports",
           "hbm_by_vendor", "maturity")  # fmt: skip
_WORTH_A_LOOK = 0.02
# Whose past is told by dated values that did leap: China's price war of May 2024 took nine tenths off in weeks.
_TOLD = ("token_price",)
# Months after a change of rules or settings in which totals may leap; output answers by way of months of stock.
_ANSWER, _ANSWER_OF = 3, {"production_domestic_h100e": 9}


def _jumps(kept: Arrays, inputs: "Inputs") -> float:
    """Largest monthly change of a median's log, in months in which neither the law nor a setting changed just before."""
    moved, worst = _changes(inputs), 0.0
    future = np.asarray(inputs.months.calendar.future) > 0
    for name in _SMOOTH:
        values = np.asarray(kept[name], dtype=float)
        median = np.median(values, axis=0).reshape(values.shape[1], -1)
        high = median > _WORTH_A_LOOK * median.max(0)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.abs(np.diff(np.log(median), axis=0))
        after = np.ones(1 + _ANSWER_OF.get(name, _ANSWER))
        steady = np.convolve(moved, after, "full")[: len(moved)] == 0
        counted = high[1:] & high[:-1] & steady[1:, None] & (future[1:, None] | (name not in _TOLD))
        worst = max(worst, float(np.max(step, where=counted, initial=0.0)))
    return worst


def _changes(inputs: "Inputs") -> Any:
    """Months in which a rule or a lever changes, [T]."""
    market, supply, calendar = inputs.months.market, inputs.months.supply, inputs.months.calendar
    settings = [
        getattr(market, name)
        for name in market.__dataclass_fields__
        if name not in ("mix", "age", "scrap", "region_share")
    ]
    settings += [
        getattr(supply, name)
        for name in supply.__dataclass_fields__
        if name not in ("mix", "launch", "ai_share", "ahead")
    ]
    settings += [
        getattr(calendar, name)
        for name in calendar.__dataclass_fields__
        if name not in ("index", "year", "tokens_growth")
    ]
    months = len(calendar.index)
    moved = np.zeros(months, dtype=bool)
    for values in settings:
        flat = np.nan_to_num(np.asarray(values, dtype=float).reshape(months, -1), nan=-1.0)
        moved[1:] |= (np.diff(flat, axis=0) != 0).any(1)
    return moved


def _nation(kept: Arrays, inputs: "Inputs") -> float:
    """How far a company exceeds its nation or a nation the world."""
    pairs = (
        (kept["china_nvidia_value"], kept["china_value"][..., 0]),
        (kept["china_value"].sum(-1), kept["world_chip_value"]),
        (kept["korea_hbm_exports_total"], kept["korea_exports"].sum(-1)),
        (kept["tokens_exported_china"], kept["tokens_served"][..., int(np.argmax(inputs.products.uses.china))]),
        (
            kept["korea_npus_public"],
            kept["made"] @ np.asarray(inputs.products.goods.korean) + kept["carried_in"].sum(-1),
        ),
    )
    return max(float(np.max((part - whole) / np.maximum(whole, 1.0))) for part, whole in pairs)


# Outputs that show a plan or a belief as it stands, and say so in their name.
SHOWN_AS_BELIEVED = ("hbm_by_vendor", "wafer_starts", "korea_public_spending", "korea_us_outlay", "class_quota", "quota",
                     "pool_of", "beliefs", "retaliation", "cost")  # fmt: skip
# Months after the cut-off whose ratio of output to belief must vary, as a share of its mean.
_VARIES = 1e-3


def _echoes(kept: Arrays, inputs: "Inputs") -> float:
    """Outputs without labels that are a belief times a constant over all members and the months after the cut-off."""
    late = np.asarray(inputs.months.calendar.future) > 0
    beliefs = np.moveaxis(np.asarray(kept["beliefs"], dtype=float), 2, 0)[:, :, late]
    found = 0
    for name, values in kept.items():
        series = np.asarray(values, dtype=float)
        if name in SHOWN_AS_BELIEVED or series.ndim != 2:
            continue
        late_values = series[:, late]
        if not np.isfinite(late_values).all() or late_values.min() <= 0:
            continue
        logs = np.log(late_values) - np.log(np.maximum(beliefs, 1e-30))
        found += int((logs.std(axis=(1, 2)) < _VARIES).any())
    return float(found)


_PREDICATES: Mapping[str, Callable[[Arrays, "Inputs"], float]] = {
    "finite": _finite,
    "units-balance": _units,
    "dies-balance": _dies,
    "memory-balance": _memory,
    "capacity": _capacity,
    "non-negative": _non_negative,
    "quota": _quota,
    "class-quota": _class_quota,
    "no-premium-in-slack": _slack,
    "unmet-spending": _unmet,
    "price-covers-cost": _price,
    "stocks-brake": _stocks,
    "no-leaps": _jumps,
    "part-within-whole": _nation,
    "no-echo": _echoes,
    "shares": _shares,
    "monotone-largest-run": _largest,
}


def settings(random: int = 0, seed: int = 0) -> Iterator[tuple[str, "Scenario"]]:
    """The presets, every lever at its minimum and maximum from 2027 on, and `random` drawn combinations of all levers."""
    from chipweir.world import PRODUCT_CLASSES, levers, load_scenario, preset_names

    base = load_scenario("baseline")
    yield "all levers at default", base
    for name in preset_names():
        if name != base.name:
            yield name, load_scenario(name)
    for lever in levers().values():
        name = f"{lever.name}.{PRODUCT_CLASSES[0]}" if lever.by_product else lever.name
        for value in lever.extremes():
            label = f"{name}={value}"
            yield label, base.with_settings({name: {SINCE: value}}, name=f"check-{len(label)}")
    for number in range(random):
        drawn = combination(number, seed)
        yield (
            f"random {number}: {drawn}",
            base.with_settings({k: {SINCE: v} for k, v in drawn.items()}, name=f"r{number}"),
        )


def combination(number: int, seed: int = 0) -> dict[str, float | str]:
    """Settings drawn at random: about a third of all levers, each anywhere in its range or at one of its ends."""
    from chipweir.world import PRODUCT_CLASSES, levers

    rng = np.random.default_rng([seed, number])
    found: dict[str, float | str] = {}
    for lever in levers().values():
        if rng.random() > 1 / 3:
            continue
        name = f"{lever.name}.{PRODUCT_CLASSES[rng.integers(len(PRODUCT_CLASSES))]}" if lever.by_product else lever.name
        if lever.kind == "choice":
            found[name] = list(lever.choices)[rng.integers(len(lever.choices))]
        elif lever.kind == "bool":
            found[name] = float(rng.integers(2))
        else:
            anywhere = float(rng.uniform(lever.minimum, lever.maximum))
            found[name] = round((lever.minimum, anywhere, anywhere, lever.maximum)[rng.integers(4)], 3)
    return found


def run_checks(
    facts: "Facts | None" = None,
    members: int = MEMBERS,
    seed: int = 0,
    progress: Callable[[float, str], None] | None = None,
    chosen: Sequence[str] | None = None,
    random: int = 0,
) -> list[Outcome]:
    """Run every named check over presets, every lever at its ends and `random` combinations, a few members each."""
    from chipweir import facts as room
    from chipweir.world import assemble, draw

    known = room.load() if facts is None else facts
    drawn = draw(members, seed)
    cases = [case for case in settings(random, seed) if chosen is None or case[0] in chosen]
    worst: dict[str, tuple[float, str]] = {}
    for done, (label, scenario) in enumerate(cases):
        if progress is not None:
            progress(done / len(cases), label)
        inputs = assemble(scenario, known)
        kept = audited()(inputs, drawn)
        for name, predicate in _PREDICATES.items():
            value = predicate(kept, inputs)
            if name not in worst or not value <= worst[name][0]:
                worst[name] = (value, label)
    return [
        Outcome(c.check, c.what, c.where, c.tolerance, *worst[c.check], len(cases), worst[c.check][0] <= c.tolerance)
        for c in checks()
    ]
