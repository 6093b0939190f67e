"""Textbook games with known equilibria, and pygambit as an oracle where it is installed."""

import re
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chipweir.strategy import _games as games


# Probabilities in the text of one of pygambit's profiles, whose quoted labels are not numbers.
_NUMBER = re.compile(r"(?<![\w'.])\d+(?:\.\d*)?(?:e-?\d+)?(?![\w'.])")
DILEMMA = np.array([[[-1, -3], [0, -2]], [[-1, 0], [-3, -2]]], dtype=float)
PENNIES = np.array([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]], dtype=float)
SEXES = np.array([[[3, 0], [0, 2]], [[2, 0], [0, 3]]], dtype=float)


def test_prisoners_defect() -> None:
    assert games.pure_equilibria(DILEMMA) == [(1, 1)]
    assert games.mixed_equilibria(DILEMMA) == []


def test_pennies_are_matched_evenly() -> None:
    assert games.pure_equilibria(PENNIES) == []
    (found,) = games.mixed_equilibria(PENNIES)
    assert [each.tolist() for each in found.strategies] == [[0.5, 0.5], [0.5, 0.5]]
    assert found.payoffs == pytest.approx((0, 0))


def test_the_battle_of_the_sexes_has_three_equilibria() -> None:
    assert games.pure_equilibria(SEXES) == [(0, 0), (1, 1)]
    (found,) = games.mixed_equilibria(SEXES)
    assert found.strategies[0] == pytest.approx([0.6, 0.4])
    assert found.strategies[1] == pytest.approx([0.4, 0.6])
    assert found.payoffs == pytest.approx((1.2, 1.2))


def test_a_leader_gains_by_committing() -> None:
    # Quantities of a duopoly: alone, (1, 1) is the equilibrium with 2 each; who commits to 0 gets 3.
    payoffs = np.array([[[3, 1], [4, 2]], [[1, 0], [0, 2]]], dtype=float)
    assert games.pure_equilibria(payoffs) == [(1, 1)]
    led = games.stackelberg(payoffs, 0)
    assert led.profile == (0, 0)
    assert led.payoffs == (3, 1)
    assert led.payoffs[0] > payoffs[0, 1, 1]


def test_ties_of_the_follower_are_told_both_ways() -> None:
    payoffs = np.array([[[5, 0], [2, 2]], [[1, 1], [1, 0]]], dtype=float)
    led = games.stackelberg(payoffs, 0)
    assert (led.profile, led.cautious_profile) == ((0, 0), (1, 0))
    assert led.payoffs[0] > led.cautious_payoffs[0]


@given(arrays(float, (2, 3, 4), elements=st.integers(-9, 9)))
def test_commitment_never_hurts_a_leader_who_breaks_ties(payoffs: np.ndarray) -> None:
    best = max((payoffs[(0, *place)] for place in games.pure_equilibria(payoffs)), default=-np.inf)
    assert games.stackelberg(payoffs, 0).payoffs[0] >= best


@given(arrays(float, (3, 2, 3, 2), elements=st.integers(-5, 5)))
def test_no_player_of_three_gains_alone(payoffs: np.ndarray) -> None:
    found = games.pure_equilibria(payoffs)
    for place in np.ndindex(payoffs.shape[1:]):
        stable = True
        for player in range(3):
            for other in range(payoffs.shape[1 + player]):
                moved = (*place[:player], other, *place[player + 1 :])
                stable &= payoffs[(player, *moved)] <= payoffs[(player, *place)]
        assert (tuple(place) in found) == stable


@given(arrays(float, (2, 3, 3), elements=st.floats(-5, 5, width=32)))
def test_no_player_gains_against_a_mixed_equilibrium(payoffs: np.ndarray) -> None:
    for found in games.mixed_equilibria(payoffs):
        x, y = found.strategies
        assert (payoffs[0] @ y).max() <= found.payoffs[0] + 1e-6
        assert (x @ payoffs[1]).max() <= found.payoffs[1] + 1e-6


def test_generated_games_agree_with_gambit() -> None:
    gambit = pytest.importorskip("pygambit")
    generator = np.random.default_rng(3)
    for _each in range(20):
        payoffs = generator.normal(size=(2, 3, 3)).round(3)
        # Its text format, first player's strategies running fastest, is the same in all its versions.
        table = " ".join(f"{payoffs[0, i, j]} {payoffs[1, i, j]}" for j in range(3) for i in range(3))
        game = gambit.read_nfg(BytesIO(f'NFG 1 R "game" {{ "1" "2" }} {{ 3 3 }}\n{table}\n'.encode()))
        theirs = gambit.nash.enummixed_solve(game, rational=False).equilibria
        rows = [tuple(np.round([float(x) for x in _NUMBER.findall(str(each))], 5)) for each in theirs]
        ours = [np.concatenate(found.strategies) for found in games.mixed_equilibria(payoffs)]
        ours += [np.concatenate([np.eye(3)[i], np.eye(3)[j]]) for i, j in games.pure_equilibria(payoffs)]
        assert sorted(rows) == sorted(tuple(np.round(each, 5)) for each in ours)


def test_the_chance_that_a_reply_is_best_counts_members() -> None:
    members = np.stack([DILEMMA, SEXES, PENNIES, DILEMMA])
    chance = games.best_reply_probability(members, 0)
    np.testing.assert_allclose(chance.sum(axis=0), 1.0)
    assert chance[1, 0] == pytest.approx(0.5)
    assert games.equilibrium_shares(members)[1, 1] == pytest.approx(0.75)


def test_a_game_of_three_has_no_enumerated_mixture() -> None:
    with pytest.raises(ValueError, match="two players"):
        games.mixed_equilibria(np.zeros((3, 2, 2, 2)))
