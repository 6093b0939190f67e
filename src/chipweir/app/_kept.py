"""What is remembered, within a bound of bytes: the longest unused goes first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar


Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values by key, together at most `most` bytes by what `size` says of each."""

    def __init__(self, most: int, size: Callable[[Value], int]) -> None:
        self.most, self._size = most, size
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._being_made: dict[Hashable, Future[Value]] = {}
        self._lock, self.bytes = threading.Lock(), 0

    def get(self, key: Hashable) -> Value | None:
        """The value, now the latest used."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Value) -> None:
        """Remember a value, unless it alone is too large."""
        size = self._size(value)
        with self._lock:
            self._drop(key)
            if size > self.most:
                return
            self._values[key] = (value, size)
            self.bytes += size
            while self.bytes > self.most:
                self._drop(next(iter(self._values)))

    def made(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value, made now if it is not there, and once where several ask at the same time; errors are not remembered."""
        found = self.get(key)
        if found is not None:
            return found
        with self._lock:
            future = self._being_made.get(key)
            mine = future is None
            if future is None:
                future = self._being_made[key] = Future()
        if mine:
            try:
                value = make()
                self.put(key, value)
                future.set_result(value)
            except BaseException as error:
                future.set_exception(error)
                raise
            finally:
                with self._lock:
                    del self._being_made[key]
        return future.result()

    def _drop(self, key: Hashable) -> None:
        _value, size = self._values.pop(key, (None, 0))
        self.bytes -= size
