"""Ensembles on a cluster: the same numbers in the same order, one line for what goes wrong."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cloudpickle
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


@dataclass(frozen=True)
class Shared:
    """A task most of which is the same for all."""

    SHARED: ClassVar[tuple[str, ...]] = ("table",)

    number: int
    table: Any


class Counting:
    """Stands for a client of Dask: computes at once, and counts."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.waiting = self.most = 0

    def nthreads(self) -> dict[str, int]:
        return {"one": 1, "two": 2}

    def submit(self, function: Any, *arguments: Any, pure: bool) -> Any:
        assert not pure
        self.sent.append((function, arguments))
        client, is_task = self, function is cluster._called
        self.waiting += is_task
        self.most = max(self.most, self.waiting)
        given = [each.value if isinstance(each, Future) else each for each in arguments]
        if is_task and len(given) == 4:
            given[3] = {name: future.value for name, future in given[3].items()}
        value = function(*given)

        def result() -> Any:
            client.waiting -= is_task
            return value

        future = Future()
        future.value, future.result = value, result
        return future

    def cancel(self, futures: list[Any]) -> None:
        self.waiting -= len(futures)


class Future:
    """What `submit` gives."""


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    client = Counting()
    monkeypatch.setattr(cluster, "_client", lambda _address: nullcontext(client))
    monkeypatch.setattr(cluster, "_check_workers", lambda *_: None)
    return client


def test_what_tasks_share_travels_once(counting: Counting) -> None:
    table = np.arange(5)
    tasks = [Shared(number, table) for number in range(20)] + [Shared(20, np.ones(5))]
    with cluster.cluster_map("anywhere") as mapper:
        results = list(mapper(lambda task: task.number + task.table.sum(), tasks))
    assert results == [number + 10 for number in range(20)] + [25]
    shared = [arguments for function, arguments in counting.sent if function is cluster._itself]
    assert len(shared) == 2
    assert shared[0][0] is table
    assert all(arguments[2] == {"number": number} for number, (_, arguments) in enumerate(tasks_of(counting)))


def tasks_of(counting: Counting) -> list[Any]:
    return [sent for sent in counting.sent if sent[0] is cluster._called]


def test_no_more_tasks_are_sent_than_workers_need(counting: Counting) -> None:
    made = []

    def tasks() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with cluster.cluster_map("anywhere") as mapper:
        results = mapper(lambda number: number * 2, tasks())
        assert next(results) == 0
        assert len(made) == cluster.AHEAD * 3
        assert list(results) == [2 * number for number in range(1, 100)]
    assert counting.most == cluster.AHEAD * 3


def test_what_was_sent_is_called_off_when_nobody_asks_any_more(counting: Counting) -> None:
    with cluster.cluster_map("anywhere") as mapper:
        results = mapper(lambda number: number, range(100))
        assert next(results) == 0
        results.close()
    assert counting.waiting == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_worker_costs_only_its_tasks(tmp_path: Path) -> None:
    """Its tasks and what it held of the shared data are made again by the others; the results are the same."""
    once = tmp_path / "killed"
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import the tests

    def work(task: Any) -> Any:
        import os
        import signal

        if task.number == 7 and not once.exists():
            once.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        (once.parent / f"done-{task.number}-{os.getpid()}").touch()
        return task.number * task.table

    table = np.arange(1000.0)
    with cluster.cluster_map("local:2") as mapper:
        results = list(mapper(work, [Shared(number, table) for number in range(30)]))
    assert once.exists()
    np.testing.assert_array_equal(results, [number * table for number in range(30)])
    again = len(list(tmp_path.glob("done-*"))) - 30
    assert 0 <= again <= 2 * cluster.AHEAD


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_scheduler_is_one_line_and_what_was_finished_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chipweir import store
    from chipweir.store import _parts

    monkeypatch.setattr(_parts, "KEEP_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 60)

    def work(number: int) -> dict[str, np.ndarray]:
        import time

        time.sleep(0.05)
        return {"values": np.arange(3.0) * number}

    address, processes = start_cluster()
    try:
        with pytest.raises(InputError, match=r"the cluster at '.*' is lost"):
            until_the_scheduler_dies(tmp_path, work, address, processes[0])
    finally:
        for process in processes:
            process.kill()
            process.wait()
    (folder,) = store.unfinished_runs(tmp_path)
    kept = len(list(folder.glob("part-*")))
    assert kept >= 20
    computed = []
    with store.unfinished(tmp_path, "e" * 64) as folder:
        parts = list(store.resuming(folder, str)(lambda number: computed.append(number) or work(number), range(200)))
    assert len(computed) == 200 - kept
    for number, part in enumerate(parts):
        np.testing.assert_array_equal(part["values"], np.arange(3.0) * number)


def until_the_scheduler_dies(directory: Path, work: Any, address: str, scheduler: "subprocess.Popen[str]") -> None:
    from chipweir import store

    with store.unfinished(directory, "e" * 64) as folder, cluster.cluster_map(address) as mapper:
        for number, _part in enumerate(store.resuming(folder, str, mapper)(work, range(200))):
            if number == 20:
                scheduler.kill()


def start_cluster() -> tuple[str, list["subprocess.Popen[str]"]]:
    """A scheduler and a worker in processes of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, dask = f"tcp://127.0.0.1:{port}", [sys.executable, "-m", "dask"]
    first = [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    second = [*dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--death-timeout", "30"]
    return address, [subprocess.Popen(command, text=True) for command in (first, second)]


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
