"""Ensembles on more machines, by Dask: a `map` whose calls run on the workers of a cluster.

An ensemble is a list of independent tasks (a scenario and a range of members). Whoever computes them hands their
results back in order, so that the numbers are those of one machine. What all tasks need travels once; no more tasks are
sent than workers need to stay busy, so that results wait on no machine in numbers. A worker that dies costs its tasks, which
others do again; a scheduler that dies ends the call, whose finished parts are kept for the next.
"""

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import fields
from importlib import import_module
from typing import Any

from chipweir.errors import InputError
from chipweir.store import Mapper


CONNECT_SECONDS = 10
# Tasks that are sent for each thread of the cluster before the first of their results is taken.
AHEAD = 2


@contextmanager
def cluster_map(address: str) -> Iterator[Mapper]:
    """A `map` on the cluster whose scheduler answers at `address`, such as `tcp://host:8786`.

    `local` starts a worker process for every core of this machine, `local:3` three of them. Raises `InputError` where
    nothing answers, where workers run other code than this, or where Dask is not installed.
    """
    with _client(address) as client:
        _check_workers(client, address)

        def mapped(function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
            waiting: deque[Any] = deque()
            shared = _Shared(client)
            ahead = AHEAD * max(sum(client.nthreads().values()), 1)
            try:
                for task in tasks:
                    waiting.append(client.submit(_called, function, *shared.parts(task), pure=False))
                    if len(waiting) >= ahead:
                        yield _result(waiting.popleft(), address)
                while waiting:
                    yield _result(waiting.popleft(), address)
            finally:
                client.cancel(list(waiting))

        yield mapped


class _Shared:
    """What many tasks have in common (the fields that their class names in `SHARED`), sent to the cluster once.

    It is the result of a task of its own, so that a cluster which lost the worker that held it makes it again.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._sent: dict[int, tuple[Any, Any]] = {}

    def parts(self, task: Any) -> tuple[Any, ...]:
        """What `_called` makes the task of again: (task,), or its class, its own fields and those it shares."""
        names = getattr(type(task), "SHARED", ())
        if not names:
            return (task,)
        own = {field.name: getattr(task, field.name) for field in fields(task) if field.name not in names}
        return type(task), own, {name: self._future(getattr(task, name)) for name in names}

    def _future(self, value: Any) -> Any:
        if id(value) not in self._sent:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Sending large graph")
                self._sent[id(value)] = (value, self._client.submit(_itself, value, pure=False))
        return self._sent[id(value)][1]


def _itself(value: Any) -> Any:
    return value


def _called(function: Callable[[Any], Any], task: Any, own: Any = None, shared: Any = None) -> Any:
    return function(task if own is None else task(**own, **shared))


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        dask: Any = import_module("distributed")
    except ImportError:
        raise InputError("--cluster needs Dask: pip install 'chipweir[cluster]'") from None
    if address == "local" or address.startswith("local:"):
        options = {"n_workers": _local_workers(address), "threads_per_worker": 1, "dashboard_address": None}
        with dask.LocalCluster(**options) as workers, dask.Client(workers) as client:
            yield client
        return
    try:
        client = dask.Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"no Dask scheduler answers at '{address}': {reason}") from None
    with client:
        yield client


def _local_workers(address: str) -> int:
    import os

    _, _, number = address.partition(":")
    if number and not (number.isdigit() and 1 <= int(number) <= 1024):
        raise InputError(f"--cluster {address}: write local, or local:N with N from 1 to 1024")
    return int(number) if number else os.cpu_count() or 1


def _check_workers(client: Any, address: str) -> None:
    """Workers must be there and run this very code, or the numbers would not be ours."""
    from chipweir import store

    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        digests = client.run(store.code_digest)
    except TimeoutError:
        raise InputError(f"the cluster at '{address}' has no workers") from None
    except ModuleNotFoundError:
        raise InputError(f"the workers of the cluster at '{address}' have no chipweir installed") from None
    others = [worker for worker, digest in digests.items() if digest != store.code_digest()]
    if others:
        raise InputError(
            f"worker {others[0]} of the cluster at '{address}' runs other code than this; install the same"
        )


def _result(future: Any, address: str) -> Any:
    from distributed.client import FutureCancelledError
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except KilledWorker:
        raise InputError(
            f"a task of the cluster at '{address}' ended several workers; have they enough memory?"
        ) from None
    except (FutureCancelledError, CancelledError, OSError) as error:  # a closed connection is one of the last
        raise InputError(f"the cluster at '{address}' is lost ({type(error).__name__})") from None
