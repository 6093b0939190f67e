"""Ensembles on more machines, by Dask: a `map` whose calls run on the workers of a cluster.

An ensemble is a list of independent tasks (a scenario and a range of members). Whoever computes them hands their
results back in order, so that the numbers are those of one machine.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from chipweir.errors import InputError
from chipweir.store import Mapper


CONNECT_SECONDS = 10


@contextmanager
def cluster_map(address: str) -> Iterator[Mapper]:
    """A `map` on the cluster whose scheduler answers at `address`, such as `tcp://host:8786`.

    `local` starts a worker process for every core of this machine, `local:3` three of them. Raises `InputError` where
    nothing answers, where workers run other code than this, or where Dask is not installed.
    """
    with _client(address) as client:
        _check_workers(client, address)

        def mapped(function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
            futures = client.map(function, list(tasks), pure=False)
            try:
                while futures:
                    yield _result(futures.pop(0), address)
            finally:
                client.cancel(futures)

        yield mapped


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
    except (KilledWorker, FutureCancelledError, OSError) as error:
        raise InputError(f"the cluster at '{address}' lost a task: {type(error).__name__}") from None
