"""Known truths of regret, tails, thresholds, dominance and weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chipweir.strategy import _robustness as robust


VALUES = arrays(float, (3, 4, 25), elements=st.floats(-100, 100, allow_nan=False, width=32))
WEIGHT = robust.equal_weights(25)
UP = np.array([1.0, -1.0, 1.0])


@given(VALUES)
def test_the_best_option_of_every_future_has_no_regret(values: np.ndarray) -> None:
    for criterion, up in zip(values, UP, strict=True):
        lost = robust.regret(criterion, up)
        assert (lost.min(axis=0) == 0).all()
        assert (lost >= 0).all()
        best = (up * criterion).argmax(axis=0)
        assert (lost[best, np.arange(25)] == 0).all()


def test_regret_by_hand() -> None:
    lost = robust.regret(np.array([[1.0, 5.0], [3.0, 2.0]]), 1.0)
    assert lost.tolist() == [[2, 0], [0, 3]]
    assert robust.regret(np.array([[1.0, 5.0], [3.0, 2.0]]), -1.0).tolist() == [[0, 3], [2, 0]]


def test_a_bound_sets_no_standard_and_wins_no_weights() -> None:
    values = np.array([[1.0, 1.0], [2.0, 2.0], [9.0, 9.0]])
    eligible = np.array([True, True, False])
    assert robust.regret(values, 1.0, eligible).tolist() == [[1, 1], [0, 0], [0, 0]]
    utility = robust.utilities(values[None], [1.0]).mean(axis=2)
    assert robust.acceptability(utility, np.ones((5, 1)), eligible).first.tolist() == [0, 1, 0]


@given(VALUES, st.floats(0.01, 1000), st.floats(-1e3, 1e3))
def test_rankings_do_not_know_units(values: np.ndarray, factor: float, shift: float) -> None:
    values = values + np.arange(4)[None, :, None] * 0.5 + np.arange(25) * 0.1
    changed = values.copy()
    changed[1] = values[1] * factor + shift
    weights = np.array([0.5, 0.3, 0.2])
    one = robust.score(robust.utilities(values, UP), weights)
    other = robust.score(robust.utilities(changed, UP), weights)
    np.testing.assert_allclose(one - one[:1], other - other[:1], atol=1e-6)
    np.testing.assert_allclose(robust.regret(one, 1.0), robust.regret(other, 1.0), atol=1e-6)


def test_the_worst_tenth_by_hand() -> None:
    values = np.arange(10.0)
    assert robust.worst_mean(values, 1.0, robust.equal_weights(10)) == pytest.approx(0.0)
    assert robust.worst_mean(values, -1.0, robust.equal_weights(10)) == pytest.approx(9.0)
    assert robust.worst_mean(values, 1.0, robust.equal_weights(10), 0.25) == pytest.approx((0 + 1 + 0.5 * 2) / 2.5)
    heavy = np.array([0.05, 0.05, 0.9])
    assert robust.worst_mean(np.array([3.0, 1.0, 7.0]), 1.0, heavy) == pytest.approx(2.0)


@given(VALUES)
def test_the_worst_tenth_is_never_better_than_the_mean(values: np.ndarray) -> None:
    for up in (1.0, -1.0):
        worst, middle = robust.worst_mean(values, up, WEIGHT), robust.mean(values, WEIGHT)
        assert (up * worst <= up * middle + 1e-9).all()


def test_quantiles_follow_the_weights() -> None:
    values = np.array([[10.0, 20.0, 30.0]])
    assert robust.quantiles(values, np.array([0.2, 0.2, 0.6]))[:, 0].tolist() == [10, 30, 30]
    assert robust.quantiles(np.arange(101.0), robust.equal_weights(101)).tolist() == [10, 50, 90]


def test_satisficing_counts_futures_in_which_all_thresholds_are_met() -> None:
    values = np.array([[[1.0, 5.0, 5.0]], [[2.0, 2.0, 9.0]], [[0.0, 0.0, 0.0]]])
    whole, each = robust.satisficing(values, UP, np.array([3.0, 4.0, np.nan]), robust.equal_weights(3))
    assert whole == pytest.approx([1 / 3])
    assert each[:, 0] == pytest.approx([2 / 3, 2 / 3, 1.0])


def test_only_undominated_options_stay() -> None:
    performance = np.array([[1.0, 2.0, 2.0, 0.0], [5.0, 5.0, 9.0, 1.0]])  # the second criterion counts downwards
    assert robust.undominated(performance, [1.0, -1.0]).tolist() == [False, True, False, True]


@given(st.integers(1, 12), st.integers(0, 5))
def test_weights_sum_to_one_by_construction(criteria: int, seed: int) -> None:
    weights = robust.simplex(criteria, 200, seed)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-12)
    assert (weights >= 0).all()


def test_weights_are_even_over_the_simplex() -> None:
    weights = robust.simplex(3, 40_000, 1)
    assert weights.mean(axis=0) == pytest.approx([1 / 3] * 3, abs=0.01)
    assert (weights[:, 0] > 0.5).mean() == pytest.approx(0.25, abs=0.01)  # (1 - x)^2 at one half


@given(VALUES)
def test_shares_of_the_simplex_sum_to_one(values: np.ndarray) -> None:
    utility = robust.utilities(values, UP).mean(axis=2)
    found = robust.acceptability(utility, robust.simplex(3, 300))
    assert found.first.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found.ranks.sum(axis=0), 1.0)
    dominated = ~robust.undominated(utility, [1, 1, 1])
    strictly = [(utility[:, [k]] < np.delete(utility, k, 1)).all(0).any() for k in range(4)]
    assert (found.first[np.array(strictly) & dominated] == 0).all()


def test_a_criterion_that_never_differs_moves_nothing() -> None:
    values = np.stack([np.random.default_rng(0).normal(size=(4, 25)), np.full((4, 25), 7.0)])
    assert (robust.utilities(values, [1, 1])[1] == 0).all()


@pytest.mark.parametrize("bad", [[-1, 2], [0, 0], [np.nan, 1]])
def test_impossible_weights_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="weights must be"):
        robust.normalised(bad)
