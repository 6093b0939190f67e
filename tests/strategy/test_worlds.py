"""Options in the real world: cells are stored and paired, and the levers that the world has move what they should."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chipweir import facts
from chipweir.strategy import (
    Cells,
    Option,
    Order,
    advise,
    run_experiments,
    shipped_choices,
    shipped_criteria,
    shipped_options,
)
from chipweir.strategy._cells import run_yearly, yearly
from chipweir.strategy._futures import draws
from chipweir.strategy._korea import PROCESSES, Case
from chipweir.strategy._stated import stated
from chipweir.world import levers, load_scenario


pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
MEMBERS = 12
OPTIONS = {option.name: option for option in shipped_options("korea")}
CHOICES = {choice.name: choice for choice in shipped_choices("korea")}


def test_yearly_sums_are_means_of_flows_and_ends_of_stocks() -> None:
    months = np.arange(30.0).reshape(1, 30, 1)
    assert yearly(months, "flow")[0, :, 0].tolist() == [5.5, 17.5]
    assert yearly(months, "stock")[0, :, 0].tolist() == [11, 23]


def test_cells_are_simulated_once_and_keep_what_was_finished(tmp_path: Path) -> None:
    known = facts.load()
    scenarios = [load_scenario(name) for name in ("baseline", "weir")]
    cells = Cells(scenarios, known, MEMBERS, 3, tmp_path)
    assert (cells.plan.worlds, cells.plan.stored) == (2, 0)

    def breaks(function: Any, tasks: Any) -> Any:
        for number, task in enumerate(tasks):
            if number == 1:
                raise KeyboardInterrupt
            yield function(task)

    with pytest.raises(KeyboardInterrupt):
        cells.run(breaks)
    assert cells.plan.stored == 1
    calls = []

    def counted(function: Any, tasks: Any) -> Any:
        for task in tasks:
            calls.append(task.scenario)
            yield function(task)

    first = cells.run(counted)
    assert len(calls) == 1
    again = Cells(scenarios, known, MEMBERS, 3, tmp_path).run(lambda *arguments: iter(()))
    for digest, members in first.items():
        np.testing.assert_array_equal(members.values, again[digest].values)
    assert Cells(scenarios, known, MEMBERS, 4, tmp_path).plan.stored == 0
    # A shorter ensemble is the beginning of a longer one.
    fewer = Cells(scenarios[:1], known, 5, 3, tmp_path).run()
    digest = scenarios[0].digest
    np.testing.assert_allclose(fewer[digest].values, first[digest].values[:5], rtol=2e-5, equal_nan=True)


def differs(option: Option, lever: str) -> bool:
    """Whether an option sets a lever away from where it stands without it, under any choice of others."""
    years, less = range(2026, 2033), option.without(lever)
    return any(not np.allclose(option.series(lever, years, c), less.series(lever, years, c)) for c in CHOICES)


def test_options_share_their_past_and_every_lever_of_the_world_moves_something(tmp_path: Path) -> None:
    known, drawn, criteria = facts.load(), draws(MEMBERS, 1), shipped_criteria("korea")
    wanted = {}
    for option in (OPTIONS["partner"], OPTIONS["sovereign"]):
        for choice in CHOICES.values():
            wanted[option.name, "", choice.name] = option
            for lever in (name for name in option.set_levers() if name in levers() and differs(option, name)):
                wanted[option.name, lever, choice.name] = option.without(lever)
    scenarios = [option.under(CHOICES[choice]) for (_name, _lever, choice), option in wanted.items()]
    worlds = Cells(scenarios, known, MEMBERS, 1, tmp_path).run()
    values = {}
    for key, option in wanted.items():
        choice = CHOICES[key[2]]
        world = worlds[option.under(choice).digest]
        case = Case(option, choice, world, drawn, stated(known), criteria.first, criteria.last, criteria.rate)
        values[key] = {c.name: PROCESSES[c.process](case) for c in criteria.computed}
    past = [world.values[:, :4] for world in worlds.values()]
    for other in past[1:]:
        np.testing.assert_allclose(other, past[0], rtol=1e-5, equal_nan=True)
    for name, lever, _choice in wanted:
        if lever:
            moved = any(
                not np.allclose(values[name, lever, choice][c], values[name, "", choice][c], rtol=1e-6)
                for choice in CHOICES
                for c in values[name, "", choice]
            )
            assert moved, (name, lever)


def test_advice_repeats_exactly_and_options_do_not_give_one_number(tmp_path: Path) -> None:
    chosen = tuple(OPTIONS[name] for name in ("partner", "hedge", "sovereign"))
    order = Order("korea", chosen, (CHOICES["law"], CHOICES["normal"]), shipped_criteria("korea"), MEMBERS, 5)
    one, two = (run_experiments(order, facts.load(), tmp_path) for _each in range(2))
    np.testing.assert_array_equal(one.values, two.values)
    assert advise(one).standings == advise(two).standings
    means = one.values.mean(axis=2)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert (np.abs(means[:, first] - means[:, second]) > 1e-3 * np.abs(means[:, first])).sum() >= 4


def test_a_task_reduces_where_it_is_computed() -> None:
    from chipweir.world import tasks

    (task,) = tasks([load_scenario("baseline")], facts.load(), 4, 1, chunk=4)
    kept = run_yearly(task)
    assert kept["compute"].shape[:2] == (4, 11)
