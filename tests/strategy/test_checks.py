"""The named model checks: every predicate finds the fault it is for, and the model passes them all."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from chipweir import facts
from chipweir.strategy import checks, run_checks
from chipweir.strategy._checks import _PREDICATES, combination, settings
from chipweir.world import assemble, levers, load_scenario, preset_names


MEMBERS, MONTHS, PRODUCTS = 3, 60, 3
Kept = dict[str, np.ndarray]


def sound() -> Kept:
    """Accounts in which everything adds up: 10 kept in stock, 100 made, 60 sold directly."""
    by_product = (MEMBERS, MONTHS, PRODUCTS)
    full = {
        "carried_in": 10_000.0, "made": 100_000.0, "sold_direct": 60_000.0, "sold_smuggled": 20_000.0,
        "sold_rented": 10_000.0, "scrapped": 1_000.0, "left": 19_000.0, "seized": 500.0, "dies_in": 5.0,
        "dies_arrived": 7.0, "dies_used": 8.0, "dies_left": 4.0, "premium": 0.0, "china_direct": 500.0,
        "price": 2e4, "cost": 1e4, "quota": 1000.0,
    }  # fmt: skip
    kept = {name: np.full(by_product, value) for name, value in full.items()}
    kept |= {name: np.full((MEMBERS, MONTHS), 5.0) for name in ("hbm_in", "hbm_arrived", "hbm_used", "hbm_left")}
    one = ("domestic_share_units", "domestic_share_compute", "domestic_share_value", "nvidia_share", "korea_hbm_share")
    kept |= {name: np.full((MEMBERS, MONTHS), 0.5) for name in one}
    several = ("ecosystem_share", "binding", "energised_share", "one_veto_share", "developer_share", "line_utilisation")
    kept |= {name: np.full((MEMBERS, MONTHS, 2), 0.5) for name in several}
    kept["unmet_share"] = np.full((MEMBERS, MONTHS), 1e-5)
    kept["largest_run"] = np.cumsum(np.ones((MEMBERS, MONTHS, 2)), axis=1)
    kept["premium_black_market"] = np.full((MEMBERS, MONTHS), np.nan)
    growing = np.exp(0.02 * np.arange(MONTHS))[None, :, None] * np.array([1.0, 1.2, 0.9])[:, None, None]
    for name in ("compute", "spending", "wafer_starts", "tokens_served", "token_price", "power_mw", "korea_exports",
                 "hbm_by_vendor", "maturity"):  # fmt: skip
        kept[name] = growing * np.array([1e6, 2e6])
    for name in ("world_chip_value", "nvidia_revenue", "production_domestic_h100e", "memory_price"):
        kept[name] = 1e8 * growing[..., 0] ** 1.5
    kept["china_nvidia_value"], kept["china_value"] = (
        np.full((MEMBERS, MONTHS), 1e5),
        np.full((MEMBERS, MONTHS, 2), 1e6),
    )
    kept["korea_hbm_exports_total"] = np.full((MEMBERS, MONTHS), 1e5)
    kept["tokens_exported_china"] = np.full((MEMBERS, MONTHS), 1e5)
    kept["korea_npus_public"] = np.full((MEMBERS, MONTHS), 10.0)
    kept["pool_of"] = np.zeros((MEMBERS, MONTHS, 2, PRODUCTS))
    kept["pool_of"][..., 0, :2] = 1.0  # two chips of one class
    kept["class_quota"] = np.full((MEMBERS, MONTHS, 2), 1100.0)
    kept["beliefs"] = np.random.default_rng(1).lognormal(size=(MEMBERS, MONTHS, 2))
    return kept


def law() -> SimpleNamespace:
    """Two foreign products and a domestic one; nothing about rules changes; the future begins in the 24th month."""

    def record(**fields: Any) -> SimpleNamespace:
        return SimpleNamespace(**fields, __dataclass_fields__=dict.fromkeys(fields))

    goods = SimpleNamespace(domestic=np.array([0.0, 0.0, 1.0]), korean=np.zeros(3))
    return SimpleNamespace(
        products=SimpleNamespace(goods=goods, uses=SimpleNamespace(china=np.array([1.0, 0.0]))),
        months=SimpleNamespace(
            market=record(quota=np.full((MONTHS, PRODUCTS), 1e12)),
            supply=record(equipment=np.ones(MONTHS)),
            calendar=record(index=np.arange(MONTHS), future=(np.arange(MONTHS) >= 24) * 1.0),
        ),
    )


def plant(name: str, value: float, at: Any = (-1, -1)) -> Callable[[Kept], None]:
    def spoil(kept: Kept) -> None:
        kept[name][at] = value

    return spoil


def echo(kept: Kept) -> None:
    kept["nvidia_share"] = 0.3 * kept["beliefs"][..., 1] / kept["beliefs"].max()


FAULTS = {
    "finite": plant("made", np.nan),
    "units-balance": plant("left", 19_000.001),
    "dies-balance": plant("dies_left", 5.0),
    "memory-balance": plant("hbm_used", 6.0),
    "capacity": plant("sold_rented", 31_000.0),
    "non-negative": plant("hbm_left", -1.0),
    "quota": plant("china_direct", 1_000.1, (0, 0, 0)),
    "class-quota": plant("china_direct", 700.0, (0, 0, 1)),  # within its own quota, not within its class's
    "no-premium-in-slack": plant("premium", 0.05, (0, slice(None), 0)),
    "unmet-spending": plant("unmet_share", 0.01, (slice(2), slice(None))),
    "price-covers-cost": plant("price", 9_000.0, (0, slice(None), 1)),
    "stocks-brake": plant("left", 2e6, (slice(None), slice(40, None), 2)),
    "no-leaps": plant("world_chip_value", 1e9, (slice(None), slice(30, None))),
    "part-within-whole": plant("china_nvidia_value", 2e6),
    "no-echo": echo,
    "shares": plant("binding", 1.01),
    "monotone-largest-run": plant("largest_run", 1.0),
}


def test_the_table_and_the_functions_name_the_same_checks() -> None:
    assert [check.check for check in checks()] == list(_PREDICATES) == list(FAULTS)
    for check in checks():
        assert check.tolerance >= 0
        assert all((check.what, check.where, check.describe))


@pytest.mark.parametrize("name", FAULTS)
def test_every_check_passes_sound_accounts_and_finds_its_fault(name: str) -> None:
    (check,) = (check for check in checks() if check.check == name)
    kept = sound()
    assert _PREDICATES[name](kept, law()) <= check.tolerance
    FAULTS[name](kept)
    assert not _PREDICATES[name](kept, law()) <= check.tolerance


def test_infinite_premia_are_found_though_missing_ones_are_not() -> None:
    kept = sound()
    assert _PREDICATES["finite"](kept, law()) == 0
    kept["premium_black_market"][0, 0] = np.inf
    assert _PREDICATES["finite"](kept, law()) == 1


def test_a_glut_that_is_sold_off_at_cost_is_no_fault_and_one_at_full_price_is() -> None:
    kept = sound()
    FAULTS["stocks-brake"](kept)
    assert _PREDICATES["stocks-brake"](kept, law()) > 12
    kept["price"][..., 2] = kept["cost"][..., 2]
    assert _PREDICATES["stocks-brake"](kept, law()) < 12


def test_a_leap_where_a_rule_changes_is_no_fault() -> None:
    kept, rules = sound(), law()
    FAULTS["no-leaps"](kept)
    assert _PREDICATES["no-leaps"](kept, rules) > 0.5
    rules.months.market.quota[29:, 0] = 0.0
    assert _PREDICATES["no-leaps"](kept, rules) < 0.5


def test_the_settings_are_the_presets_and_every_lever_at_both_ends() -> None:
    names = [name for name, _ in settings()]
    ends = sum(len(lever.extremes()) for lever in levers().values())
    assert len(names) == len(set(names)) == len(preset_names()) + ends
    for lever in levers().values():
        assert sum(name.startswith((f"{lever.name}.", f"{lever.name}=")) for name in names) >= 2
    assert len(list(settings(random=7))) == len(names) + 7


def test_random_combinations_repeat_stay_in_range_and_reach_every_lever() -> None:
    drawn = [combination(number) for number in range(300)]
    assert drawn == [combination(number) for number in range(300)]
    assert drawn[0] != combination(0, seed=1)
    base, seen = load_scenario("baseline"), set()
    for settings_ in drawn:
        base.with_settings(settings_)  # raises where a value is out of range
        seen |= {name for lever in levers() for name in settings_ if name == lever or name.startswith(f"{lever}.")}
    assert all(any(name == lever or name.startswith(f"{lever}.") for name in seen) for lever in levers())


@pytest.mark.timeout(900)
def test_the_presets_pass_their_checks() -> None:
    chosen = ["all levers at default", "blockade", "weir", "open"]
    outcomes = run_checks(facts.load(), chosen=chosen)
    assert {outcome.settings for outcome in outcomes} == {4}
    assert [(o.check, o.setting, o.worst) for o in outcomes if not o.passed] == []
    assert all(outcome.as_dict()["check"] for outcome in outcomes)


# Where nobody in China buys accelerators any more, makers still bring a first lot of each new product, and none is sold.
DEAD_MARKET = "demand.china_capex=0.0"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_model_passes_its_checks_at_every_levers_ends() -> None:
    chosen = [name for name, _ in settings() if name != DEAD_MARKET]
    outcomes = run_checks(facts.load(), chosen=chosen)
    assert [(o.check, o.worst, o.setting) for o in outcomes if not o.passed] == []
    assert {o.settings for o in outcomes} == {len(chosen)}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_dead_market_breaks_no_account() -> None:
    outcomes = run_checks(facts.load(), chosen=[DEAD_MARKET])
    assert {o.check for o in outcomes if not o.passed} <= {"stocks-brake", "no-leaps"}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(5400)
def test_the_model_passes_its_checks_in_300_random_combinations() -> None:
    alive = [n for n in range(300) if combination(n).get("demand.china_capex", 1.0) > 0]
    names = [name for name, _ in settings(random=300) if any(name.startswith(f"random {n}:") for n in alive)]
    outcomes = run_checks(facts.load(), chosen=names, random=300)
    assert {outcome.settings for outcome in outcomes} == {len(alive)}
    assert [(o.check, o.worst, o.setting) for o in outcomes if not o.passed] == []


def test_all_levers_at_default_is_the_baseline() -> None:
    inputs = assemble(next(settings())[1], facts.load())
    np.testing.assert_array_equal(inputs.months.market.enforcement, 1.0)
