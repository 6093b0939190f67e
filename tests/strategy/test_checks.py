"""The named model checks: every predicate finds the fault it is for, and the model passes them all."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from chipweir import facts
from chipweir.strategy import checks, run_checks
from chipweir.strategy._checks import _PREDICATES, settings
from chipweir.world import levers


MEMBERS, MONTHS, PRODUCTS = 2, 4, 3
Kept = dict[str, np.ndarray]


def sound() -> Kept:
    """Accounts in which everything adds up: 10 kept in stock, 100 made, 60 sold directly."""
    by_product = (MEMBERS, MONTHS, PRODUCTS)
    full = {
        "carried_in": 10_000.0, "made": 100_000.0, "sold_direct": 60_000.0, "sold_smuggled": 20_000.0,
        "sold_rented": 10_000.0, "scrapped": 1_000.0, "left": 19_000.0, "seized": 500.0, "dies_in": 5.0,
        "dies_arrived": 7.0, "dies_used": 8.0, "dies_left": 4.0, "premium": 0.0, "china_direct": 500.0,
    }  # fmt: skip
    kept = {name: np.full(by_product, value) for name, value in full.items()}
    kept |= {name: np.full((MEMBERS, MONTHS), 5.0) for name in ("hbm_in", "hbm_arrived", "hbm_used", "hbm_left")}
    shares = (
        "domestic_share_units",
        "domestic_share_compute",
        "domestic_share_value",
        "nvidia_share",
        "utilisation",
        "unmet_share",
    )
    kept |= {name: np.full((MEMBERS, MONTHS), 0.5) for name in shares}
    kept |= {name: np.full((MEMBERS, MONTHS, 2), 0.5) for name in ("ecosystem_share", "binding")}
    kept["largest_run"] = np.cumsum(np.ones((MEMBERS, MONTHS, 2)), axis=1)
    kept["premium_black_market"] = np.full((MEMBERS, MONTHS), np.nan)
    return kept


def law() -> SimpleNamespace:
    """Two foreign products, the first under a quota of 1,000 a month, and a domestic one."""
    return SimpleNamespace(
        products=SimpleNamespace(domestic=np.array([0.0, 0.0, 1.0])),
        months=SimpleNamespace(
            case_by_case=np.zeros((MONTHS, PRODUCTS)), quota=np.tile([1000.0, 1e12, 1e12], (MONTHS, 1))
        ),
    )


def plant(name: str, value: float, at: int = -1) -> Callable[[Kept], None]:
    def spoil(kept: Kept) -> None:
        kept[name].reshape(-1)[at] = value

    return spoil


FAULTS = {
    "finite": plant("made", np.nan),
    "units-balance": plant("left", 19_001.0),
    "dies-balance": plant("dies_left", 5.0),
    "memory-balance": plant("hbm_used", 6.0),
    "capacity": plant("sold_rented", 31_000.0),
    "non-negative": plant("hbm_left", -1.0),
    "quota": plant("china_direct", 1_000.1, 0),
    "no-premium-in-slack": plant("premium", 0.05),
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


def test_the_settings_are_every_lever_at_both_ends() -> None:
    names = [name for name, _ in settings()]
    assert len(names) == len(set(names)) == 1 + sum(len(lever.extremes()) for lever in levers().values())
    for lever in levers().values():
        assert sum(name.startswith((f"{lever.name}.", f"{lever.name}=")) for name in names) >= 2


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_model_passes_its_checks() -> None:
    outcomes = run_checks(facts.load(), members=4)
    assert [(o.check, o.worst, o.setting) for o in outcomes if not o.passed] == []
    assert {o.settings for o in outcomes} == {len(list(settings()))}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_chosen_settings_only_are_run() -> None:
    outcomes = run_checks(facts.load(), members=2, chosen=["all levers at default"])
    assert {o.settings for o in outcomes} == {1}
    assert all(o.as_dict()["check"] for o in outcomes)
