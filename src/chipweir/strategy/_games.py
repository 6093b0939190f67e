"""Finite games between governments: equilibria, commitment, best replies.

`payoffs` [P, S1, ..., SP] gives every player's payoff for every profile. Pure equilibria of any number of players and mixed
ones of two by enumeration of supports, which is exact for small menus and needs no solver; pygambit is compared with in
tests where it is installed.

Sources: Nash 1951; support enumeration, Mangasarian 1964 and von Stengel 2002; commitment, von Stackelberg 1934 and
von Stengel and Zamir 2010.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt


FloatArray = npt.NDArray[np.float64]
Profile = tuple[int, ...]
_CLOSE = 1e-9


@dataclass(frozen=True)
class Mixed:
    """A mixed equilibrium: each player's probabilities and expected payoff."""

    strategies: tuple[FloatArray, ...]
    payoffs: tuple[float, ...]


@dataclass(frozen=True)
class Commitment:
    """What a leader gains by moving first: the profile when followers break ties its way, and when they break them badly."""

    leader: int
    profile: Profile
    payoffs: tuple[float, ...]
    cautious_profile: Profile
    cautious_payoffs: tuple[float, ...]


def replies(payoffs: FloatArray, player: int) -> npt.NDArray[np.bool_]:
    """Which strategies of `player` are best against the others, for every profile: `[S1, ..., SP]`."""
    own = payoffs[player]
    best = own.max(axis=player, keepdims=True)
    found: npt.NDArray[np.bool_] = own >= best - _CLOSE * np.maximum(np.abs(best), 1.0)
    return found


def pure_equilibria(payoffs: Any) -> list[Profile]:
    """Profiles from which no player gains by moving alone."""
    given = np.asarray(payoffs, dtype=float)
    stable = np.logical_and.reduce([replies(given, player) for player in range(given.shape[0])])
    return [tuple(int(each) for each in place) for place in np.argwhere(stable)]


def mixed_equilibria(payoffs: Any) -> list[Mixed]:
    """Equilibria of a two-player game with more than one strategy in play, by enumeration of supports.

    In a degenerate game, which may have infinitely many, those with supports of equal size are found.
    Raises `ValueError` for other than two players.
    """
    given = np.asarray(payoffs, dtype=float)
    if given.shape[0] != 2:
        raise ValueError(f"mixed equilibria are enumerated for two players, not {given.shape[0]}")
    row, column = given
    found: list[Mixed] = []
    for size in range(2, min(row.shape) + 1):
        for rows, columns in product(combinations(range(row.shape[0]), size), combinations(range(row.shape[1]), size)):
            y = _indifferent(row[np.ix_(rows, columns)], columns, row.shape[1])
            x = _indifferent(column[np.ix_(rows, columns)].T, rows, row.shape[0])
            if x is None or y is None:
                continue
            own, other = row @ y, x @ column
            scale = max(float(np.abs(given).max()), 1.0) * _CLOSE
            if own[list(rows)].min() >= own.max() - scale and other[list(columns)].min() >= other.max() - scale:
                found.append(Mixed((x, y), (float(x @ row @ y), float(x @ column @ y))))
    return found


def _indifferent(block: FloatArray, places: tuple[int, ...], size: int) -> FloatArray | None:
    """Probabilities over `places` of `size` that make every row of `block` pay the same; None where there are none."""
    count = len(places)
    system = np.zeros((count + 1, count + 1))
    system[:count, :count], system[:count, count], system[count, :count] = block, -1.0, 1.0
    try:
        solved = np.linalg.solve(system, np.append(np.zeros(count), 1.0))[:count]
    except np.linalg.LinAlgError:
        return None
    if (solved <= _CLOSE).any():
        return None
    whole = np.zeros(size)
    whole[list(places)] = solved
    return whole


def stackelberg(payoffs: Any, leader: int = 0) -> Commitment:
    """The leader commits to one policy and the others answer: one follower by its best reply, several by a pure
    equilibrium among themselves.

    Policies to which the followers have no pure answer are left out. Raises `ValueError` where there is none at all.
    """
    given = np.asarray(payoffs, dtype=float)
    kind: dict[int, list[Profile]] = {}
    for choice in range(given.shape[1 + leader]):
        kind[choice] = [*_answers(given, leader, choice)]
    open_choices = {choice: profiles for choice, profiles in kind.items() if profiles}
    if not open_choices:
        raise ValueError("the followers have no pure answer to any policy of the leader")

    def worth(profile: Profile) -> float:
        return float(given[(leader, *profile)])

    best = max((profile for profiles in open_choices.values() for profile in profiles), key=worth)
    cautious = max((min(profiles, key=worth) for profiles in open_choices.values()), key=worth)
    return Commitment(leader, best, _payoffs(given, best), cautious, _payoffs(given, cautious))


def _answers(payoffs: FloatArray, leader: int, choice: int) -> Iterator[Profile]:
    """Profiles in which the leader plays `choice` and the followers are in equilibrium among themselves."""
    followers = [player for player in range(payoffs.shape[0]) if player != leader]
    reduced = np.take(payoffs, choice, axis=1 + leader)[followers]
    for answer in pure_equilibria(reduced):
        whole = list(answer)
        whole.insert(leader, choice)
        yield tuple(whole)


def _payoffs(payoffs: FloatArray, profile: Profile) -> tuple[float, ...]:
    return tuple(float(payoffs[(player, *profile)]) for player in range(payoffs.shape[0]))


def best_reply_probability(payoffs: Any, player: int) -> FloatArray:
    """Probability that each strategy of `player` is its best reply in each profile of the others.

    `payoffs` [M, P, S1, ..., SP] of every member of an ensemble; returns `[S1, ..., SP]`, which sums to 1 along the
    player's own axis (equal replies share evenly).
    """
    given = np.asarray(payoffs, dtype=float)
    best = np.stack([replies(member, player) for member in given]).astype(float)
    best = best / best.sum(axis=1 + player, keepdims=True)
    found: FloatArray = best.mean(axis=0)
    return found


def equilibrium_shares(payoffs: Any) -> FloatArray:
    """Share of the first axis (members or weights) in which each profile is a pure equilibrium: `[S1, ..., SP]`."""
    given = np.asarray(payoffs, dtype=float)
    players = given.shape[1]
    stable = np.ones(given.shape[:1] + given.shape[2:], dtype=bool)
    for player in range(players):
        own = given[:, player]
        best = own.max(axis=1 + player, keepdims=True)
        stable &= own >= best - _CLOSE * np.maximum(np.abs(best), 1.0)
    found: FloatArray = stable.mean(axis=0)
    return found
