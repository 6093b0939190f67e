"""Between the page and the model: one place that simulates, remembers, and keeps many users apart.

Moves of a lever are urgent and take turns; a refinement to more members goes on in small steps, each of which waits until
no lever has moved for a moment.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError
from chipweir.i18n import _


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.world import Scenario

QUICK_MEMBERS, FULL_MEMBERS = 100, 1_000
SEED = 1
_QUIET_S = 1.5
# Members of one step of a refinement: a fraction of a second on one core.
REFINING_STEP = 32

Wait = Callable[[], None]
Simulate = Callable[["Scenario", "Scenario", int, Wait], "xr.Dataset"]


class Busy(InputError):
    """Too many simulations are waiting."""


@dataclass(frozen=True)
class Answer:
    """Results of scenarios A and B with paired differences to A, and how long they took."""

    results: "xr.Dataset"
    names: tuple[str, str]
    members: int
    seconds: float


class Engine:
    """Answers for pairs of scenarios, remembered; at most `waiting` simulations stand in line."""

    def __init__(self, simulate: Simulate, waiting: int = 24, remembered: int = 48) -> None:
        self._simulate = simulate
        self._waiting, self._remembered = waiting, remembered
        self._lock = threading.Lock()
        self._turn, self._refining = threading.Semaphore(1), threading.Semaphore(1)
        self._known: OrderedDict[tuple[str, str, int], Answer] = OrderedDict()
        self._running: dict[tuple[str, str, int], Future[Answer]] = {}
        self._last_move = 0.0

    def quick(self, first: "Scenario", second: "Scenario") -> Answer:
        """The answer with the interactive ensemble, now. Raises `Busy` where too many wait."""
        self._last_move = time.monotonic()
        return self._answer(first, second, QUICK_MEMBERS, self._turn, at_once)

    def best_known(self, first: "Scenario", second: "Scenario") -> Answer:
        """The full ensemble's answer where there is one already, else the quick one."""
        with self._lock:
            found = self._known.get((first.digest, second.digest, FULL_MEMBERS))
        return found or self.quick(first, second)

    def full(self, first: "Scenario", second: "Scenario") -> Answer | None:
        """The answer with the full ensemble, or None while levers are moving: ask again later."""
        key = (first.digest, second.digest, FULL_MEMBERS)
        with self._lock:
            if key in self._known:
                return self._known[key]
        if time.monotonic() - self._last_move < _QUIET_S or not self._refining.acquire(blocking=False):
            return None
        try:
            return self._answer(first, second, FULL_MEMBERS, threading.Semaphore(1), self._until_quiet)
        finally:
            self._refining.release()

    def _until_quiet(self) -> None:
        while (left := self._last_move + _QUIET_S - time.monotonic()) > 0:
            time.sleep(left)

    def _answer(
        self, first: "Scenario", second: "Scenario", members: int, turn: threading.Semaphore, wait: Wait
    ) -> Answer:
        key = (first.digest, second.digest, members)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
            future = self._running.get(key)
            mine = future is None
            if future is None:
                if len(self._running) >= self._waiting:
                    raise Busy(_("many people are using this page; try again in a moment"))
                future = self._running[key] = Future()
        if mine:
            self._run(key, future, first, second, members, turn, wait)
        return future.result()

    def _run(
        self,
        key: tuple[str, str, int],
        future: "Future[Answer]",
        first: "Scenario",
        second: "Scenario",
        members: int,
        turn: threading.Semaphore,
        wait: Wait,
    ) -> None:
        try:
            with turn:
                started = time.monotonic()
                results = self._simulate(first, second, members, wait)
                answer = Answer(results, _names(first, second), members, time.monotonic() - started)
            with self._lock:
                self._known[key] = answer
                while len(self._known) > self._remembered:
                    self._known.popitem(last=False)
            future.set_result(answer)
        except BaseException as error:
            future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            with self._lock:
                self._running.pop(key, None)


def _names(first: "Scenario", second: "Scenario") -> tuple[str, str]:
    return first.name, second.name


def at_once() -> None:
    """What a move of a lever waits for: nothing."""


def simulate_pair(first: "Scenario", second: "Scenario", members: int, wait: Wait = at_once) -> "xr.Dataset":
    """Both scenarios with the same draws, by the world room in small steps; differences are to the first."""
    from chipweir import facts, world

    both = (first,) if first.digest == second.digest else (first, second)

    def patiently(run: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        for task in tasks:
            wait()
            yield run(task)

    results: xr.Dataset = world.run_ensemble(both, facts.load(), members, SEED, mapper=patiently, chunk=REFINING_STEP)
    return results
