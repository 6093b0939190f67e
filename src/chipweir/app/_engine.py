"""Between the page and the model: one place that simulates, remembers, and keeps many users apart.

A move of a lever gets a first answer from a few members where others wait too, from the interactive ensemble where nobody
does. Answers are then refined in turn: to the interactive ensemble while nobody waits for a first one, to the full one when
no lever has moved for a moment. Equal questions are computed once, whoever asks.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chipweir.app._kept import Kept
from chipweir.app._turns import MOST, Asker, Busy, Turns


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.facts import Facts
    from chipweir.world import Scenario

__all__ = ["FIRST_MEMBERS", "FULL_MEMBERS", "QUICK_MEMBERS", "Answer", "Asker", "Busy", "Engine", "simulate_pair"]

# A first look is half of the interactive ensemble: side by side, fifty members cost hardly more than twenty-five.
FIRST_MEMBERS, QUICK_MEMBERS, FULL_MEMBERS = 50, 100, 1_000
SEED = 1
_QUIET_S = 1.5
# Members of one step of a refinement: a fraction of a second on one core.
REFINING_STEP = 32
# First answers that are worked on at the same time: one a core of the machines this is meant for.
WORKERS = 2
REMEMBERED_BYTES = 256 * 2**20
_LOOK_S = 0.05

Wait = Callable[[], None]
Simulate = Callable[["Scenario", "Scenario", int, Wait], "xr.Dataset"]


@dataclass(frozen=True)
class Answer:
    """Results of scenarios A and B with paired differences to A, and how long they took."""

    results: "xr.Dataset"
    names: tuple[str, str]
    members: int
    seconds: float


class Engine:
    """Answers for pairs of scenarios, remembered within a bound of bytes; `waiting` first answers stand in line at most."""

    def __init__(self, simulate: Simulate, waiting: int = MOST, remembered: int = REMEMBERED_BYTES) -> None:
        self._simulate = simulate
        self._first, self._later = Turns(waiting), Turns(4 * waiting, 4 * waiting)
        self._known: Kept[Answer] = Kept(remembered, lambda answer: int(answer.results.nbytes) + 1_000)
        self._lock, self._started, self._busy = threading.Lock(), False, 0
        self._last_move = 0.0

    def known(self, first: "Scenario", second: "Scenario") -> Answer | None:
        """The answer of most members that is remembered."""
        sizes = (FULL_MEMBERS, QUICK_MEMBERS, FIRST_MEMBERS)
        found = (self._known.get((*_pair(first, second), members)) for members in sizes)
        return next((answer for answer in found if answer is not None), None)

    def answer(self, first: "Scenario", second: "Scenario", asker: Asker = Asker()) -> "Future[Answer]":
        """The best answer there is, or a first one when its turn comes. Raises `Busy` where too many wait."""
        self._last_move = time.monotonic()
        known = self.known(first, second)
        if known is not None:
            self._first.leave(asker)
            return _done(known)
        self._start()
        return self._first.put(_pair(first, second), lambda: self._now(first, second), asker)

    def better(self, first: "Scenario", second: "Scenario", than: int, asker: Asker = Asker()) -> "Future[Answer]":
        """An answer of more members than `than`, when its turn comes. Raises `Busy`."""
        known = self.known(first, second)
        if known is not None and known.members > than:
            return _done(known)
        members = QUICK_MEMBERS if than < QUICK_MEMBERS else FULL_MEMBERS
        self._start()
        key = (*_pair(first, second), members)
        return self._later.put(key, lambda: self._refined(first, second, members), asker)

    def quick(self, first: "Scenario", second: "Scenario", asker: Asker = Asker()) -> Answer:
        """The answer with the interactive ensemble or more, waited for. Raises `Busy`."""
        self._last_move = time.monotonic()
        known = self.known(first, second)
        if known is not None and known.members >= QUICK_MEMBERS:
            return known
        self._start()
        key = (*_pair(first, second), QUICK_MEMBERS)
        waited_for: Future[Answer] = self._first.put(
            key, lambda: self._made(first, second, QUICK_MEMBERS, at_once), asker
        )
        return waited_for.result()

    def leave(self, asker: Asker) -> None:
        """Nobody waits for the asker's answer any more."""
        self._first.leave(asker)
        self._later.leave(asker)

    def _now(self, first: "Scenario", second: "Scenario") -> Answer:
        known = self.known(first, second)
        if known is not None:
            return known
        with self._lock:
            alone = self._busy == 1 and not len(self._first)
        return self._made(first, second, QUICK_MEMBERS if alone else FIRST_MEMBERS, at_once)

    def _refined(self, first: "Scenario", second: "Scenario", members: int) -> Answer:
        wait = self._until_nobody_waits if members < FULL_MEMBERS else self._until_quiet
        wait()
        return self._made(first, second, members, wait)

    def _made(self, first: "Scenario", second: "Scenario", members: int, wait: Wait) -> Answer:
        key = (*_pair(first, second), members)
        known = self._known.get(key)
        if known is not None:
            return known
        started = time.monotonic()
        results = self._simulate(first, second, members, wait)
        answer = Answer(results, (first.name, second.name), members, time.monotonic() - started)
        self._known.put(key, answer)
        return answer

    def _until_quiet(self) -> None:
        while self._last_move + _QUIET_S > time.monotonic() or self._waited_for():
            time.sleep(_LOOK_S)

    def _until_nobody_waits(self) -> None:
        while self._waited_for():
            time.sleep(_LOOK_S)

    def _waited_for(self) -> bool:
        return self._busy > 0 or len(self._first) > 0

    def _start(self) -> None:
        """Start the threads that work, once somebody asks."""
        with self._lock:
            if self._started:
                return
            self._started = True
        for number in range(WORKERS):
            threading.Thread(target=self._work, name=f"answers-{number}", daemon=True).start()
        threading.Thread(target=self._later.run, name="refining", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._first.do_next(self._begin, self._end)

    def _begin(self) -> None:
        with self._lock:
            self._busy += 1

    def _end(self) -> None:
        with self._lock:
            self._busy -= 1


def _pair(first: "Scenario", second: "Scenario") -> tuple[str, ...]:
    return first.name, first.digest, second.name, second.digest


def _done(answer: Answer) -> "Future[Answer]":
    future: Future[Answer] = Future()
    future.set_result(answer)
    return future


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

    known = facts.load()
    results: xr.Dataset = world.run_ensemble(both, known, members, SEED, mapper=patiently, chunk=REFINING_STEP)
    return results.assign_attrs(attributes(known, first.name, members))


def attributes(known: "Facts", first: str, members: int) -> dict[str, object]:
    """Who made the numbers, for the line under every chart; `first` is the scenario that differences are to."""
    from chipweir import __version__

    return {"version": __version__, "facts": known.digest, "members": members, "baseline": first, "seed": SEED}
