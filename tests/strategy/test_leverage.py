"""Vetoes, concentration, months to replace, shadow prices and what falls with one supplier."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagined_world import imagined

from chipweir import facts
from chipweir.errors import InputError
from chipweir.strategy import Cells, Withholding, bargain, bargain_sentences
from chipweir.strategy import _leverage as leverage
from chipweir.strategy._cells import labels_of
from chipweir.world import load_scenario


def test_shares_by_law_sum_to_one_and_the_own_law_is_no_veto() -> None:
    world = imagined(load_scenario("baseline"), 20, 1)
    shares = leverage.shares_by_law(world, "KOR", 2030)
    assert set(shares) == set(labels_of("law"))
    np.testing.assert_allclose(sum(shares.values()), 1)
    assert leverage.one_veto_share({"US": np.array(0.3), "CN": np.array(0.1), "KR": np.array(0.6)}, "KOR") == 0.3
    assert leverage.one_veto_share({"US": np.array(0.3), "CN": np.array(0.1), "KR": np.array(0.6)}, "CHN") == 0.6


def test_concentration_is_that_of_hirschman() -> None:
    assert leverage.concentration({"US": np.array(0.85), "CN": np.array(0.1), "own": np.array(0.05)}) == pytest.approx(
        0.85**2 + 0.1**2 + 0.05**2
    )


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
    # What is sold to China stays as it was, so that others bear the whole of the cut.
    expected = 0.1 * base.at(2030, "nvidia_revenue") / (0.05 * base.at(2030, "korea_hbm_exports_total"))
    np.testing.assert_allclose(price.per_unit, expected, rtol=1e-4)
    assert price.share == pytest.approx(0.1, rel=1e-4)


def test_vetoes_of_a_country_by_year() -> None:
    found = leverage.vetoes(imagined(load_scenario("baseline"), 20, 1), "KOR", (2026, 2030))
    for row in found.values():
        assert row["US"] + row["KR"] == pytest.approx(1, abs=1e-6)
        assert (row["one_veto"] == row["US"]).all()
        assert ((row["hhi"] > 0.5) & (row["hhi"] <= 1)).all()


def planted(monkeypatch: pytest.MonkeyPatch, asked: Withholding) -> dict:
    """Holding memory back takes a tenth of NVIDIA's revenue, and a fifth of Chinese output if the rule is lifted."""
    base = imagined(load_scenario("baseline"), asked.members, 1)
    worlds = {}
    for (law, share), scenario in asked.worlds().items():
        values = base.values.copy()
        if share:
            values[:, :, base.columns["nvidia_revenue"]] *= 0.9
            values[:, :, base.columns["korea_hbm_exports_total"]] *= 0.95
            values[:, :, base.columns["production_domestic_h100e"]] *= 0.8 if law == "lifted" else 1.0
        worlds[scenario.digest] = replace(base, values=values)
    monkeypatch.setattr(Cells, "run", lambda *arguments: worlds)
    return worlds


def test_bargaining_reads_planted_losses_and_says_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = Withholding(load_scenario("baseline"), 0.1, "2027-01", 20, 1)
    assert len(planted(monkeypatch, asked)) == 5
    found = bargain(asked, facts.load(), tmp_path)
    assert found["sides"]["stands"]["us"][1]["lost_percent"]["p50"] == pytest.approx(10, rel=1e-4)
    assert found["sides"]["stands"]["us"][1]["p_falls"] == 1
    assert found["sides"]["stands"]["china"][1]["lost_percent"]["p50"] == 0
    assert found["sides"]["stands"]["china"][1]["p_falls"] == 0
    assert found["sides"]["lifted"]["china"][1]["lost_percent"]["p50"] == pytest.approx(20, rel=1e-4)
    assert found["stop"][0]["lost_percent"]["p50"] == pytest.approx(10, rel=1e-4)
    assert {row["resource"] for row in found["without_one"]} == {
        "HBM outside China",
        "HBM of the world",
        "compute in Korea",
    }
    texts = bargain_sentences(found, "chipweir leverage")
    for lines in texts.values():
        assert 5 <= len(lines) <= 8
        assert "10.0 %" in lines[0]
        assert "20.0 %" in lines[3]
    assert any("가" <= letter <= "힣" for letter in " ".join(texts["ko"]))
    assert not re.search(r"[은이을와]\((는|가|를|과)\)|\(으\)로", " ".join(texts["ko"])), "particles are chosen"


def test_withholding_sets_both_levers_and_refuses_no_share() -> None:
    asked = Withholding(load_scenario("baseline"), 0.3, "2028-01", 5, 1)
    worlds = asked.worlds()
    months = ["2027-12", "2028-01"]
    assert worlds["stands", 0.3].series("korea.hbm_withhold", months).tolist() == [0, 0.3]
    assert worlds["stands", 0.3].series("korea.hbm_to_china", months).tolist() == [1, 0.7]
    assert worlds["lifted", 0.0].series("us.hbm_control", months).tolist() == [1, 0]
    for share in (0.0, -0.1, 1.2):
        with pytest.raises(InputError, match="--withhold"):
            replace(asked, share=share).worlds()
