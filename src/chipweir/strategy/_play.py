"""Games of the world: menus of policies, payoffs from paired ensembles under weights, and what follows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError, UnknownName
from chipweir.strategy import _games as games
from chipweir.strategy import _robustness as robust
from chipweir.strategy._cells import Cells
from chipweir.strategy._experiments import measure
from chipweir.strategy._futures import draws
from chipweir.strategy._korea import Case
from chipweir.strategy._options import (
    ACTORS,
    Choice,
    Criteria,
    Option,
    empty_options,
    load_options,
    shipped_criteria,
    shipped_options,
)
from chipweir.strategy._stated import stated


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.store import Mapper
    from chipweir.world import Scenario

FloatArray = npt.NDArray[np.float64]
Progress = Callable[[float, str], None]

MENUS: Mapping[str, tuple[str, ...]] = {
    "us": ("stand", "blockade", "weir", "open", "weir-shut"),
    "china": ("stand", "substitute", "buy", "customs", "memory"),
    "korea": ("partner", "third-way", "hedge"),
}
WEIGHT_DRAWS = 2_000
_NOBODY = Choice("game", {"en": "as played", "ko": "게임의 선택"}, 1.0, "", {})


@dataclass(frozen=True)
class Table:
    """Who plays, with which policies; `menus` [player][policy]."""

    players: tuple[str, ...]
    menus: tuple[tuple[Option, ...], ...]
    criteria: tuple[Criteria, ...]
    members: int
    seed: int

    def profiles(self) -> list[tuple[int, ...]]:
        """Every combination of policies, the last player's running fastest."""
        return list(product(*(range(len(menu)) for menu in self.menus)))

    def scenario(self, profile: Sequence[int]) -> "Scenario":
        """The world of one profile. Raises `InputError` where two players set one lever."""
        from chipweir.world import load_scenario

        settings: dict[str, Any] = {}
        owner: dict[str, str] = {}
        chosen = [menu[place] for menu, place in zip(self.menus, profile, strict=True)]
        for option in chosen:
            for name, value in own_levers(option).items():
                if name in owner:
                    raise InputError(f"{owner[name]} and {option.actor}'s {option.name} both set {name}")
                owner[name], settings[name] = f"{option.actor}'s {option.name}", value
        base = load_scenario("baseline")
        return base.with_settings(settings, name="-".join(option.name for option in chosen)) if settings else base


@dataclass(frozen=True)
class Played:
    """`payoffs` [M, P, S1, ...] member by member under the weights; `values` [P][C, S1, ..., M] of the criteria."""

    table: Table
    weights: tuple[FloatArray, ...]
    payoffs: FloatArray
    values: tuple[FloatArray, ...]
    utilities: tuple[FloatArray, ...]

    @property
    def mean(self) -> FloatArray:
        """Mean payoffs `[P, S1, ...]`."""
        found: FloatArray = self.payoffs.mean(axis=0)
        return found


def own_levers(option: Option) -> dict[str, Any]:
    """The world's levers that an option sets itself, over the baseline."""
    from chipweir.world import load_scenario

    parent = load_scenario("baseline").levers
    return {name: value for name, value in option.scenario.levers.items() if parent.get(name) != value}


def game_table(players: Sequence[str], menu: Mapping[str, Sequence[str]] | None, members: int, seed: int) -> Table:
    """A table from names of players and of policies (shipped ones or files).

    Raises `UnknownName`, and `InputError` for fewer than two players, a player twice or a menu of one policy.
    """
    for player in players:
        if player not in ACTORS:
            raise UnknownName("player", player, ACTORS)
    if len(players) < 2 or len(set(players)) < len(players):
        raise InputError(
            f"a game needs two or three different players of {', '.join(ACTORS)}, not {', '.join(players)}"
        )
    menus = []
    for player in players:
        chosen = tuple(_option(player, name) for name in (menu or {}).get(player) or MENUS[player])
        if len(chosen) < 2:
            raise InputError(f"{player} needs at least two policies to choose from")
        empty = empty_options(chosen)
        if empty:
            raise InputError(
                f"{player}'s {empty[0].name} holds only settings that the world does not know yet: "
                f"{', '.join(empty[0].unknown_to_world())}"
            )
        menus.append(chosen)
    return Table(tuple(players), tuple(menus), tuple(shipped_criteria(player) for player in players), members, seed)


def _option(player: str, name: str) -> Option:
    if Path(name).suffix in {".yaml", ".yml"}:
        (found,) = load_options(Path(name))
        if found.actor != player:
            raise InputError(f"{name} is an option of {found.actor}, not of {player}")
        return found
    known = {option.name: option for option in shipped_options(player)}
    if name not in known:
        raise UnknownName(f"policy of {player}", name, known)
    return known[name]


def game_cells(found: Table, facts: "Facts", directory: Path) -> Cells:
    """The worlds of every profile."""
    scenarios = [found.scenario(profile) for profile in found.profiles()]
    return Cells(scenarios, facts, found.members, found.seed, directory)


def play(
    found: Table,
    facts: "Facts",
    directory: Path,
    given: Mapping[str, Mapping[str, float]] | None = None,
    mapper: "Mapper" = map,
    progress: Progress | None = None,
) -> Played:
    """Payoffs of every profile, from worlds that share their draws; `given` weights by player and criterion."""
    chosen = [
        _weights(player, criteria, (given or {}).get(player, {}))
        for player, criteria in zip(found.players, found.criteria, strict=True)
    ]
    worlds = game_cells(found, facts, directory).run(mapper, progress)
    drawn, numbers = draws(found.members, found.seed), stated(facts)
    shape = tuple(len(menu) for menu in found.menus)
    values, utilities, weights, payoffs = [], [], [], []
    for player, criteria, menu in zip(found.players, found.criteria, found.menus, strict=True):
        seat = found.players.index(player)
        rows = []
        for profile in found.profiles():
            world = worlds[found.scenario(profile).digest]
            years = (criteria.first, criteria.last, criteria.rate)
            case = Case(menu[profile[seat]], _NOBODY, world, drawn, numbers, *years)
            rows.append(np.stack([measure(criterion, case) for criterion in criteria.computed]))
        table_values = np.stack(rows, axis=1)  # [C, profiles, M]
        own = chosen[seat]
        utility = robust.utilities(table_values, np.array([criterion.up for criterion in criteria.computed]))
        weights.append(own)
        values.append(table_values.reshape(len(criteria.computed), *shape, -1))
        utilities.append(utility.reshape(len(criteria.computed), *shape, -1))
        payoffs.append(np.moveaxis(robust.score(utility, own).reshape(*shape, -1), -1, 0))
    return Played(found, tuple(weights), np.stack(payoffs, axis=1), tuple(values), tuple(utilities))


def _weights(player: str, criteria: Criteria, given: Mapping[str, float]) -> FloatArray:
    names = [criterion.name for criterion in criteria.computed]
    for name in given:
        if name not in names:
            raise UnknownName(f"criterion of {player}", name, names)
    try:
        return robust.normalised([given.get(name, 1.0) for name in names])
    except ValueError as error:
        raise InputError(f"--weights {player}: {error}") from None


def over_weights(played: Played, count: int = WEIGHT_DRAWS) -> FloatArray:
    """Share of all weights of all players in which each profile is a pure equilibrium of the mean payoffs."""
    seed = played.table.seed
    drawn = []
    for player, utility in enumerate(played.utilities):
        mean = utility.mean(axis=-1)
        drawn.append(np.tensordot(robust.simplex(len(mean), count, seed + player), mean, axes=(1, 0)))
    return games.equilibrium_shares(np.stack(drawn, axis=1))


_INTERVALS = {"p80": (0.1, 0.9), "p90": (0.05, 0.95)}


def game_document(played: Played, leader: str | None = None) -> dict[str, Any]:
    """The answer as JSON. Raises `UnknownName` for a leader who does not play."""
    found = played.table
    if leader is not None and leader not in found.players:
        raise UnknownName("leader", leader, found.players)
    mean = played.mean
    by_weights, by_members = over_weights(played), games.equilibrium_shares(played.payoffs)
    ends = {name: np.quantile(played.payoffs, pair, axis=0) for name, pair in _INTERVALS.items()}

    def named(profile: Sequence[int]) -> dict[str, str]:
        return {p: menu[k].name for p, menu, k in zip(found.players, found.menus, profile, strict=True)}

    def paid(profile: Sequence[int]) -> dict[str, float]:
        return {player: float(mean[(seat, *profile)]) for seat, player in enumerate(found.players)}

    rows = []
    for profile in found.profiles():
        place = tuple(profile)
        intervals = {
            name: {
                player: [float(low[(seat, *place)]), float(high[(seat, *place)])]
                for seat, player in enumerate(found.players)
            }
            for name, (low, high) in ends.items()
        }
        rows.append(
            {
                "profile": named(profile),
                "payoffs": paid(profile),
                **intervals,
                "equilibrium_of_weights": float(by_weights[place]),
                "equilibrium_of_members": float(by_members[place]),
                "criteria": {
                    player: {
                        criterion.name: float(played.values[seat][(c, *place)].mean())
                        for c, criterion in enumerate(found.criteria[seat].computed)
                    }
                    for seat, player in enumerate(found.players)
                },
            }
        )
    pure = games.pure_equilibria(mean)
    return {
        "players": [
            {
                "name": player,
                "policies": [{"name": option.name, "title": dict(option.title)} for option in menu],
                "weights": {c.name: float(w) for c, w in zip(criteria.computed, weights, strict=True)},
            }
            for player, menu, criteria, weights in zip(
                found.players, found.menus, found.criteria, played.weights, strict=True
            )
        ],
        "members": found.members,
        "seed": found.seed,
        "cells": rows,
        "pure": [
            {
                "profile": named(profile),
                "payoffs": paid(profile),
                "share_of_weights": float(by_weights[profile]),
                "share_of_members": float(by_members[profile]),
            }
            for profile in pure
        ],
        "mixed": _mixed(played),
        "stackelberg": [
            _led(played, seat, named) for seat, player in enumerate(found.players) if leader in (None, player)
        ],
        "best_responses": _replies(played, named),
        "unknown_to_world": sorted({n for menu in found.menus for option in menu for n in option.unknown_to_world()}),
    }


def _mixed(played: Played) -> list[dict[str, Any]]:
    """Mixed equilibria of two players; three have none listed, since theirs cannot be enumerated exactly."""
    found = played.table
    if len(found.players) != 2:
        return []
    return [
        {
            "strategies": {
                player: {option.name: float(p) for option, p in zip(menu, strategy, strict=True) if p > 0}
                for player, menu, strategy in zip(found.players, found.menus, each.strategies, strict=True)
            },
            "payoffs": dict(zip(found.players, each.payoffs, strict=True)),
        }
        for each in games.mixed_equilibria(played.mean)
    ]


def _led(played: Played, seat: int, named: Callable[[Sequence[int]], dict[str, str]]) -> dict[str, Any]:
    """What a player gains by committing first, against the best and the worst pure equilibrium for it."""
    mean = played.mean
    leader = played.table.players[seat]
    try:
        led = games.stackelberg(mean, seat)
    except ValueError as error:
        return {"leader": leader, "profile": None, "payoffs": None, "gain": None, "note": str(error)}
    own = [float(mean[(seat, *profile)]) for profile in games.pure_equilibria(mean)]
    return {
        "leader": leader,
        "profile": named(led.profile),
        "payoffs": dict(zip(played.table.players, led.payoffs, strict=True)),
        "cautious_profile": named(led.cautious_profile),
        "gain": led.payoffs[seat] - max(own) if own else None,
        "gain_over_worst": led.payoffs[seat] - min(own) if own else None,
    }


def _replies(played: Played, named: Callable[[Sequence[int]], dict[str, str]]) -> list[dict[str, Any]]:
    """For each player and each profile of the others: its best reply, and the probability that each reply is best."""
    found = played.table
    rows = []
    for seat, player in enumerate(found.players):
        chance = games.best_reply_probability(played.payoffs, seat)
        best = games.replies(played.mean, seat)
        others = [range(len(menu)) for place, menu in enumerate(found.menus) if place != seat]
        for rest in product(*others):
            places = [(*rest[:seat], k, *rest[seat:]) for k in range(len(found.menus[seat]))]
            given = {name: policy for name, policy in named(places[0]).items() if name != player}
            reply = next(k for k, place in enumerate(places) if best[place])
            rows.append(
                {
                    "player": player,
                    "given": given,
                    "reply": found.menus[seat][reply].name,
                    "probability": float(chance[places[reply]]),
                    "probabilities": {
                        option.name: float(chance[place])
                        for option, place in zip(found.menus[seat], places, strict=True)
                    },
                }
            )
    return rows
