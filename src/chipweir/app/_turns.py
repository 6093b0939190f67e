"""Whose turn it is: work in a line that is fair to every address and to every open page, and that a newer wish leaves.

Work is taken from the addresses in turn, and within an address from its pages in turn, so that no number of connections
gets anyone more than a share. The same work wanted twice is done once. What a page wanted before its newest wish is dropped,
unless somebody else wants it too.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from chipweir.errors import InputError
from chipweir.i18n import _


MOST, MOST_OF_ONE = 128, 96


def _nothing() -> None:
    """What is done where nothing is asked for."""


@dataclass(frozen=True)
class Asker:
    """Who wants something: an address, and a page or browser there; only of a page that is known (`sure`) is the newest wish
    the only one."""

    address: str = ""
    page: str = ""
    sure: bool = False


class Busy(InputError):
    """Too much is waiting."""


@dataclass(eq=False)
class Work:
    """One piece of work in the line, and everybody who waits for it."""

    key: Hashable
    do: Callable[[], Any]
    first: Asker
    future: "Future[Any]" = field(default_factory=Future)
    askers: set[Asker] = field(default_factory=set)


class Turns:
    """A line of work. `most` stand in it at once, `most_of_one` of one address."""

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self.most, self.most_of_one = most, most_of_one
        self._waiting: OrderedDict[str, OrderedDict[str, list[Work]]] = OrderedDict()
        self._by_key: dict[Hashable, Work] = {}
        self._newest: dict[Asker, Work] = {}
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """How much is waiting."""
        with self._changed:
            return sum(len(works) for pages in self._waiting.values() for works in pages.values())

    def put(self, key: Hashable, do: Callable[[], Any], asker: Asker) -> "Future[Any]":
        """Have `do` done in turn, once for everybody who wants `key`; its result to come. Raises `Busy`."""
        with self._changed:
            work = self._by_key.get(key)
            if asker.sure and self._newest.get(asker) is not work:
                self._leave(asker)
            if work is None:
                work = self._enqueue(Work(key, do, asker))
            work.askers.add(asker)
            if asker.sure:
                self._newest[asker] = work
            return work.future

    def _enqueue(self, work: Work) -> Work:
        pages = self._waiting.get(work.first.address, OrderedDict())
        own = sum(len(works) for works in pages.values())
        everything = sum(len(works) for each in self._waiting.values() for works in each.values())
        if everything >= self.most or own >= self.most_of_one:
            raise Busy(_("many people are using this page; try again in a moment"))
        self._waiting.setdefault(work.first.address, OrderedDict()).setdefault(work.first.page, []).append(work)
        self._by_key[work.key] = work
        self._changed.notify()
        return work

    def leave(self, asker: Asker) -> None:
        """The asker no longer waits for its newest wish."""
        with self._changed:
            self._leave(asker)

    def _leave(self, asker: Asker) -> None:
        work = self._newest.pop(asker, None)
        if work is None:
            return
        work.askers.discard(asker)
        if not work.askers and work.future.cancel():
            self._remove(work)
            self._by_key.pop(work.key, None)

    def _remove(self, work: Work) -> None:
        pages = self._waiting.get(work.first.address, OrderedDict())
        works = pages.get(work.first.page, [])
        if work in works:
            works.remove(work)
        if not works:
            pages.pop(work.first.page, None)
        if not pages:
            self._waiting.pop(work.first.address, None)

    def take(self) -> Work:
        """The next in turn, as soon as there is one. Whoever takes it calls `finish`."""
        with self._changed:
            while True:
                while not self._waiting:
                    self._changed.wait()
                address, pages = next(iter(self._waiting.items()))
                page, works = next(iter(pages.items()))
                work = works[0]
                self._remove(work)
                if page in pages:
                    pages.move_to_end(page)
                if address in self._waiting:
                    self._waiting.move_to_end(address)
                if work.future.set_running_or_notify_cancel():
                    return work
                self._by_key.pop(work.key, None)

    def finish(self, work: Work) -> None:
        """Nobody waits for this any more; the same key wanted again is new work."""
        with self._changed:
            if self._by_key.get(work.key) is work:
                del self._by_key[work.key]
            for asker in work.askers:
                if self._newest.get(asker) is work:
                    del self._newest[asker]

    def run(self) -> None:
        """Do work in turn, for ever: what a worker thread does."""
        while True:
            self.do_next()

    def do_next(self, begun: Callable[[], None] = _nothing, ended: Callable[[], None] = _nothing) -> None:
        """Do the next piece of work, between `begun` and `ended`; its error is its result."""
        work = self.take()
        begun()
        try:
            result = work.do()
        except Exception as error:
            ended()
            self.finish(work)
            work.future.set_exception(error)
        else:
            ended()
            self.finish(work)
            work.future.set_result(result)
