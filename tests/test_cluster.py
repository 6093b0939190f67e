"""Ensembles on a cluster: the same numbers in the same order, one line for what goes wrong."""

import os
import sys

import numpy as np
import pytest

from chipweir import cluster
from chipweir.errors import InputError


def test_an_address_where_nothing_answers_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(InputError) as caught, cluster.cluster_map("tcp://127.0.0.1:1"):
        pass
    assert "no Dask scheduler answers at 'tcp://127.0.0.1:1'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("address", ["local:0", "local:x", "local:-1"])
def test_a_wrong_number_of_workers_is_one_line(address: str) -> None:
    with pytest.raises(InputError, match="write local, or local:N"), cluster.cluster_map(address):
        pass


def test_without_dask_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'chipweir\[cluster\]'"), cluster.cluster_map("local"):
        pass


@pytest.mark.slow
def test_results_come_in_the_order_of_the_tasks() -> None:
    # Defined here so that workers, which cannot import the tests, get them by value.
    def square(number: int) -> np.ndarray:
        return np.arange(4.0) ** 2 * number

    def fails(number: int) -> int:
        raise InputError(f"task {number} has bad input")

    with cluster.cluster_map("local:2") as mapper:
        results = list(mapper(square, range(20)))
        np.testing.assert_array_equal(results, [square(number) for number in range(20)])
        with pytest.raises(InputError, match="task 3 has bad input"):
            list(mapper(fails, [3]))


@pytest.mark.slow
def test_workers_with_other_code_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from chipweir import store

    monkeypatch.setattr(store, "code_digest", lambda: f"the code of process {os.getpid()}")
    with pytest.raises(InputError, match="runs other code than this"), cluster.cluster_map("local:1"):
        pass


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_an_ensemble_on_a_cluster_has_the_numbers_of_one_machine() -> None:
    from chipweir import facts, store
    from chipweir.world import load_scenario, run_ensemble

    scenarios, known = [load_scenario("baseline"), load_scenario("weir")], facts.load()
    here = run_ensemble(scenarios, known, members=3, seed=5)
    with cluster.cluster_map("local:2") as mapper:
        there = run_ensemble(scenarios, known, members=3, seed=5, mapper=mapper)
    assert store.dataset_digest(here) == store.dataset_digest(there)
