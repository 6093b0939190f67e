"""What is derived from whole trajectories, and that every reported variable is there with its shape."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from chipweir.world import labels, variables
from chipweir.world._ensemble import coordinates
from chipweir.world._outputs import _lag, _trailing


Kept = Mapping[str, np.ndarray]
T = 72
MONTHS = SimpleNamespace(
    index=jnp.arange(T, dtype=float), year=jnp.arange(T, dtype=float) / 12, algorithms=jnp.ones(T, dtype=float)
)


def lag(behind_by: float, imitation: float = 0.0, diffusion: float = 0.0, progress: float = 1.0) -> np.ndarray:
    t = np.arange(T)
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
        assert row["kind"] in {"stock", "flow", "level", "share", "ratio", "price"} or row["kind"]


def test_shares_are_the_members_own_ratios(outcome: Callable[[str], Kept]) -> None:
    kept = outcome("baseline")
    units = kept["china_units"][:, 36:48].sum(1)
    np.testing.assert_allclose(kept["domestic_share_units"][:, 47], units[:, 1] / units.sum(1), rtol=1e-9)
    usa, china = (labels().regions.index(region) for region in ("USA", "CHN"))
    np.testing.assert_allclose(kept["ratio_to_us"], kept["compute"][..., china] / kept["compute"][..., usa], rtol=1e-9)
    np.testing.assert_allclose(
        kept["largest_run_ratio"], kept["largest_run"][..., china] / kept["largest_run"][..., usa]
    )
    fixed = kept["token_price_fixed"]
    np.testing.assert_allclose(kept["token_price_fall"][:, 12:], fixed[:, :-12] / fixed[:, 12:], rtol=1e-9)
    assert np.isnan(kept["token_price_fall"][:, :12]).all()


def test_remote_compute_moves_from_its_place_to_its_user(outcome: Callable[[str], Kept]) -> None:
    kept = outcome("baseline")
    china = labels().regions.index("CHN")
    moved = (kept["compute"] - kept["compute_located"])[..., china]
    np.testing.assert_allclose(moved, kept["compute_by_origin"][..., 3], rtol=1e-9, atol=1e-6)
    hubs = [labels().regions.index(hub) for hub in labels().hubs]
    hosted = (kept["compute_located"] - kept["compute"])[..., hubs].sum(-1)
    np.testing.assert_allclose(hosted, kept["compute_by_origin"][..., 3], rtol=1e-6, atol=1.0)


@pytest.mark.parametrize("name", ["premium_black_market", "premium_producer"])
def test_premia_are_at_least_one(outcome: Callable[[str], Kept], name: str) -> None:
    values = outcome("baseline")[name]
    assert np.nanmin(values) >= 1 - 1e-9
