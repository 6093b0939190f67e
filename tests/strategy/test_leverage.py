"""Vetoes, concentration, months to replace, shadow prices and what falls with one supplier."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagined_world import imagined

from chipweir.strategy import _leverage as leverage
from chipweir.strategy._cells import labels_of
from chipweir.world import load_scenario


def test_every_ecosystem_has_a_government_whose_parts_sum_to_one() -> None:
    assert set(labels_of("ecosystem")) <= set(leverage.GOVERNMENTS)
    for parts in leverage.GOVERNMENTS.values():
        assert sum(parts.values()) == pytest.approx(1)


def test_shares_by_government_and_the_largest_veto() -> None:
    compute = {"cuda": np.array([60.0]), "rocm": np.array([20.0]), "cann": np.array([10.0]), "other": np.array([10.0])}
    shares = leverage.shares_by_government(compute)
    assert {k: v.item() for k, v in shares.items()} == pytest.approx({"US": 0.85, "CN": 0.10, "own": 0.05})
    assert leverage.one_veto_share(shares).item() == pytest.approx(0.85)
    assert leverage.concentration(shares).item() == pytest.approx(0.85**2 + 0.1**2 + 0.05**2)


def test_domestic_npus_lower_the_veto_by_half_their_share() -> None:
    def veto(share: float) -> float:
        found = leverage.shares_by_government({"cuda": np.array(1 - share), "other": np.array(share)})
        return float(leverage.one_veto_share(found))

    assert veto(0.0) == 1
    assert veto(0.5) == pytest.approx(0.75)
    assert veto(1.0) == pytest.approx(0.5)


@given(st.floats(0.05, 0.95), st.floats(0.01, 0.1), st.floats(0, 24))
def test_replacing_takes_longer_for_larger_shares(share: float, growth: float, wait: float) -> None:
    months = leverage.months_to_replace(share, growth, wait)
    assert months >= wait
    assert leverage.months_to_replace(min(share + 0.04, 0.99), growth, wait) >= months
    assert leverage.months_to_replace(share, growth * 2, wait) <= months


def test_months_to_replace_by_hand() -> None:
    # Half of a market to be made by rivals who hold the other half: 1.5 times their output, at 5 % a month.
    assert leverage.months_to_replace(0.5, 0.05, 15.0) == pytest.approx(15 + np.log(1.5) / np.log(1.05))


def test_a_shadow_price_is_a_paired_difference() -> None:
    base, less = np.array([100.0, 200.0]), np.array([90.0, 190.0])
    price = leverage.shadow_price(base, less, np.array([10.0, 12.0]), np.array([9.0, 11.0]), 0.1)
    assert price.lost_by_others.tolist() == [10, 10]
    assert price.per_unit.tolist() == [10, 10]
    assert price.share == pytest.approx([0.1, 0.05])


def test_what_falls_with_one_supplier() -> None:
    rows = leverage.without_one(
        {"HBM": {"SK hynix": np.full(5, 62.0), "Samsung": np.full(5, 17.0), "Micron": np.full(5, 21.0)}}
    )
    assert [row.supplier for row in rows] == ["SK hynix", "Micron", "Samsung"]
    assert rows[0].share_lost == pytest.approx(0.62)
    assert sum(row.share_lost for row in rows) == pytest.approx(1)


def test_leverage_of_paired_worlds_is_nil_where_nothing_is_withheld() -> None:
    base = imagined(load_scenario("baseline"), 20, 1)
    same = leverage.paired_leverage(base, base, 0.1)
    assert set(same) == {"us", "china"}
    assert set(same["us"]) == set(range(2027, 2033))
    for side in same.values():
        for price in side.values():
            assert (price.lost_by_others == 0).all()
            assert np.isnan(price.per_unit).all()
    values = base.values.copy()
    for name, factor in (("nvidia_revenue", 0.9), ("korea_hbm_exports_total", 0.95)):
        values[:, :, base.columns[name]] *= factor
    less = replace(base, values=values)
    price = leverage.paired_leverage(base, less, 0.05)["us"][2030]
    expected = 0.1 * base.at(2030, "nvidia_revenue") / (0.05 * base.at(2030, "korea_hbm_exports_total"))
    np.testing.assert_allclose(price.per_unit, expected, rtol=1e-4)
    assert price.share == pytest.approx(0.1, rel=1e-4)


def test_vetoes_of_a_country_by_year() -> None:
    found = leverage.vetoes(imagined(load_scenario("baseline"), 20, 1), "KOR", (2026, 2030))
    for row in found.values():
        assert row["US"] + row["own"] == pytest.approx(1, abs=1e-6)
        assert (row["one_veto"] == row["US"]).all()
        assert ((row["hhi"] > 0.5) & (row["hhi"] <= 1)).all()
