"""The named model checks: every one of them finds the fault it is for, and the model passes them all."""

from collections.abc import Callable

import numpy as np
import pytest

from chipweir import facts
from chipweir.world import checks, levers, run_checks
from chipweir.world._checks import STATISTICS, VIOLATIONS, settings


MEMBERS, MONTHS, PRODUCTS = 2, 4, 3
Accounts = dict[str, np.ndarray]


def sound() -> Accounts:
    """Accounts in which everything adds up."""
    by_product = (MEMBERS, MONTHS, PRODUCTS)
    accounts = {name: np.zeros(by_product) for name in ("sold_rented", "seized", "scrapped", "dies_in", "dies_left")}
    accounts |= {name: np.full(by_product, 60.0) for name in ("carried_in", "left", "sold_direct", "dies_used")}
    accounts |= {name: np.full(by_product, 10.0) for name in ("sold_smuggled", "sold_china")}
    accounts |= {"made": np.full(by_product, 70.0), "dies_arrived": np.full(by_product, 60.0)}
    accounts |= {name: np.full((MEMBERS, MONTHS), 5.0) for name in ("hbm_in", "hbm_arrived", "hbm_used", "hbm_left")}
    shares = ("domestic_share_units", "domestic_share_compute", "domestic_share_value", "nvidia_share")
    accounts |= {name: np.full((MEMBERS, MONTHS), 0.5) for name in shares}
    accounts |= {name: np.full((MEMBERS, MONTHS, 2), 0.5) for name in ("maturity", "ecosystem_share", "binding")}
    accounts |= {"quota": np.full(by_product, np.inf), "unmet_share": np.zeros((MEMBERS, MONTHS))}
    accounts |= {"china_units": np.full((MEMBERS, MONTHS, 3), 10.0), "is_no_quota": np.array(True)}
    return accounts | {"legal_by_default": np.full(MEMBERS, 40.0)}


def plant(name: str, value: float) -> Callable[[Accounts], None]:
    """Put one wrong number into an account."""

    def spoil(accounts: Accounts) -> None:
        accounts[name].reshape(-1)[-1] = value

    return spoil


FAULTS = {
    "units-balance": plant("left", 61.0),
    "dies-balance": plant("dies_left", 1.0),
    "memory-balance": plant("hbm_used", 6.0),
    "sold-was-offered": plant("sold_rented", 61.0),
    "quota-holds": plant("quota", 9.9),
    "denied-is-none": plant("quota", 0.0),
    "seized-was-smuggled": plant("seized", 11.0),
    "nothing-negative": plant("hbm_left", -24.0),
    "shares-within-one": plant("binding", 1.01),
    "all-finite": plant("maturity", np.nan),
    "unmet-mostly": plant("unmet_share", 1.0),
    "unmet-rarely": plant("unmet_share", 1.0),
    "quota-never-raises": plant("china_units", 10.0),
}


def test_the_table_and_the_functions_name_the_same_checks() -> None:
    names = [check.name for check in checks()]
    assert names == list(VIOLATIONS) == list(FAULTS)
    for check in checks():
        assert check.statistic in STATISTICS
        assert check.tolerance >= 0
        assert all((check.what, check.where, check.unit, check.korean))


@pytest.mark.parametrize("name", FAULTS)
def test_every_check_passes_sound_accounts_and_finds_its_fault(name: str) -> None:
    (check,) = (check for check in checks() if check.name == name)
    accounts = sound()
    assert np.abs(VIOLATIONS[name](accounts)).max() <= check.tolerance
    FAULTS[name](accounts)
    if name == "quota-never-raises":
        accounts["china_units"][:, :, 0] = 10.001
    assert np.abs(VIOLATIONS[name](accounts)).max() > check.tolerance


def test_the_settings_are_every_lever_at_both_ends() -> None:
    names = [name for name, _ in settings()]
    assert names[0] == "defaults"
    assert len(names) == 1 + 2 * len(levers())
    assert len(set(names)) == len(names)


@pytest.mark.slow
def test_the_model_passes_its_checks() -> None:
    found = run_checks(facts.load(), members=4)
    assert [result.check.name for result in found if not result.passed] == []
