"""What is derived from whole trajectories, and that every reported variable is there with its shape."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from chipweir.world import coordinates, labels, reported, variables
from chipweir.world._outputs import _lag, _trailing
from chipweir.world._reported import calendar_years, taken


Kept = Mapping[str, np.ndarray]
T = 72
MONTHS = SimpleNamespace(
    index=jnp.arange(T, dtype=float)[:, None],
    year=jnp.arange(T, dtype=float)[:, None] / 12,
    algorithms=jnp.ones((T, 1), dtype=float),
)


def lag(behind_by: float, imitation: float = 0.0, diffusion: float = 0.0, progress: float = 1.0) -> np.ndarray:
    t = np.arange(T)[:, None]
    own, other = np.exp(0.1 * t), np.exp(0.1 * (t - behind_by))
    p = {"algorithmic_training": progress, "diffusion_lag": diffusion, "imitation": imitation}
    return np.asarray(_lag(jnp.asarray(own), jnp.asarray(other), p, MONTHS))


def test_the_lag_is_the_time_since_the_frontier_had_as_much_compute() -> None:
    np.testing.assert_allclose(lag(10.0), 10, atol=0.01)
    np.testing.assert_allclose(lag(0.0), 0, atol=0.01)


def test_imitation_closes_its_share_of_the_lag_and_slow_diffusion_adds_to_it() -> None:
    np.testing.assert_allclose(lag(10.0, imitation=0.5), 5, atol=0.01)
    # With progress of e^1.2 a year, as fast as compute, ideas six months late cost three months of both together.
    np.testing.assert_allclose(lag(0.0, diffusion=6.0, progress=float(np.exp(1.2))), 3, atol=0.02)


def test_a_region_ahead_has_no_lag() -> None:
    assert np.all(lag(-5.0) <= 0.01)


def test_the_last_twelve_months_are_summed() -> None:
    flow = np.random.default_rng(0).random((30, 2))
    expected = np.stack([flow[max(0, t - 11) : t + 1].sum(0) for t in range(30)])
    np.testing.assert_allclose(_trailing(jnp.asarray(flow)), expected)


def test_every_variable_of_the_table_is_made_with_its_dims(outcome: Callable[[str], Kept]) -> None:
    kept, axes = outcome("baseline"), coordinates()
    for row in variables():
        dims = row["dims"].split()
        assert kept[row["name"]].shape == (16, 132, *(len(axes[dim]) for dim in dims)), row["name"]
        assert row["unit"]
        assert row["kind"] in {"stock", "flow", "ratio"}
        assert any("가" <= letter <= "힣" for letter in row["long_name_ko"]), row["name"]


def test_shares_are_the_members_own_ratios(outcome: Callable[[str], Kept]) -> None:
    kept = outcome("baseline")
    units = kept["china_units"][:, 36:48].sum(1)
    np.testing.assert_allclose(kept["domestic_share_units"][:, 47], units[:, 1] / units[:, :2].sum(1), rtol=1e-4)
    value = kept["china_value"][:, 36:48].sum(1)
    np.testing.assert_allclose(kept["domestic_share_value"][:, 47], value[:, 1] / value.sum(1), rtol=1e-4)
    nvidia = kept["china_nvidia_value"][:, 36:48].sum(1)
    np.testing.assert_allclose(kept["nvidia_share"][:, 47], nvidia / value.sum(1), rtol=1e-4)
    usa, china = (labels().regions.index(region) for region in ("USA", "CHN"))
    np.testing.assert_allclose(kept["ratio_to_us"], kept["compute"][..., china] / kept["compute"][..., usa], rtol=1e-6)
    run = kept["largest_run"]
    np.testing.assert_allclose(kept["largest_run_ratio"], run[..., china] / run[..., usa], rtol=1e-5)
    fixed = kept["token_price_fixed"]
    np.testing.assert_allclose(kept["token_price_fall"][:, 12:], fixed[:, :-12] / fixed[:, 12:], rtol=1e-5)
    assert np.isnan(kept["token_price_fall"][:, :12]).all()
    added = np.diff(kept["compute"], axis=1)
    np.testing.assert_allclose(kept["compute_added"][:, 1:], added, rtol=1e-5, atol=1)


def test_smuggled_chips_are_no_part_of_a_share_of_the_market(outcome: Callable[[str], Kept]) -> None:
    kept = outcome("blockade")
    late = slice(96, 132)
    assert np.all(kept["smuggled_units"][:, late].sum(1) > 0)
    assert np.all(kept["nvidia_share"][:, 120] < 0.02)
    assert np.all(kept["domestic_share_units"][:, 120] > 0.98)


def test_remote_compute_moves_from_its_place_to_its_user(outcome: Callable[[str], Kept]) -> None:
    kept = outcome("baseline")
    china = labels().regions.index("CHN")
    moved = (kept["compute"] - kept["compute_located"])[..., china]
    np.testing.assert_allclose(moved, kept["compute_by_origin"][..., 3], rtol=1e-3, atol=10.0)
    hubs = [labels().regions.index(hub) for hub in labels().hubs]
    hosted = (kept["compute_located"] - kept["compute"])[..., hubs].sum(-1)
    powered = kept["energised_share"][..., china]
    abroad = kept["compute_by_origin"][..., 3] / powered
    assert np.all(hosted <= abroad * 1.001 + 1000)  # what has power where it stands


def test_a_price_paid_in_the_hubs_may_fall_below_list_but_not_without_bound(outcome: Callable[[str], Kept]) -> None:
    kept = outcome("baseline")
    assert np.nanmin(kept["premium_black_market"]) > np.exp(-0.5)
    assert np.nanmin(kept["premium_producer"]) >= 1 - 1e-5


def test_a_year_is_the_sum_the_mean_or_the_end_of_its_months() -> None:
    rng = np.random.default_rng(2)
    months = rng.random((3, 30))
    months[0, 2] = np.nan
    years = calendar_years(0, 30)
    by = {series.yearly: taken(series, months, years) for series in reported() if series.yearly}
    assert set(by) == {"sum", "end", "mean"}
    np.testing.assert_allclose(by["sum"][1:, 0], months[1:, :12].sum(1))
    np.testing.assert_allclose(by["end"][:, 1], months[:, 23])
    np.testing.assert_allclose(by["mean"][:, 0], np.nanmean(months[:, :12], axis=1))
    assert np.isnan(by["sum"][:, 2]).all()  # half a year is no yearly sum
    np.testing.assert_allclose(by["end"][:, 2], months[:, 29])
    # A scenario that starts in October has three months in its first year.
    np.testing.assert_array_equal(calendar_years(9, 5), [0, 0, 0, 1, 1])


@pytest.mark.parametrize("name", ["spending", "compute", "utilisation"])
def test_every_monthly_variable_is_reported_by_year_too(name: str) -> None:
    yearly = {series.name: series for series in reported()}[f"yearly_{name}"]
    assert yearly.source == name
    assert yearly.axis == "year"
    assert yearly.unit == {"spending": "USD/year", "compute": "H100e", "utilisation": "1"}[name]


def test_a_sum_over_a_year_is_by_the_year_and_a_daily_flow_is_averaged() -> None:
    for series in reported():
        if series.yearly == "sum":
            assert series.unit.endswith("/year"), series.name
        elif series.yearly:
            assert not series.unit.endswith("/month"), series.name
    tokens = {series.name: series for series in reported()}["yearly_tokens_served"]
    assert (tokens.yearly, tokens.unit) == ("mean", "tokens/day")
