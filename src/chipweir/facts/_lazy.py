"""Tables whose records are made when they are first asked for, so that a command pays only for what it reads."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Generic, Protocol, TypeVar, cast


Record = TypeVar("Record")
AnyRecord = TypeVar("AnyRecord")


class _Row(Protocol):
    @property
    def row(self) -> Mapping[str, str]: ...


Source = TypeVar("Source", bound=_Row)


class Shelf(Mapping[str, Record], Generic[Source, Record]):
    """Records by id in the order of their file. `lines` reads the file at the first look, `make` a record at its first.

    What `make` raises for a broken line is raised when that record is asked for.
    """

    def __init__(self, lines: Callable[[], Mapping[str, Source]], make: Callable[[Source], Record]) -> None:
        self._read, self.make = lines, make
        self._made: dict[str, Record] = {}

    @cached_property
    def lines(self) -> Mapping[str, Source]:
        """The lines as read, by id."""
        return self._read()

    def __getitem__(self, key: str) -> Record:
        if key not in self._made:
            self._made[key] = self.make(self.lines[key])
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __contains__(self, key: object) -> bool:
        return key in self.lines

    @property
    def made(self) -> int:
        """How many records were made so far."""
        return len(self._made)

    def __reduce__(self) -> tuple[type, tuple[dict[str, Record]]]:
        return dict, (dict(self),)

    def ids_where(self, columns: tuple[str, ...], wanted: str) -> list[str]:
        """Ids of the lines that say `wanted` in one of `columns`, without making the others."""
        return [
            key for key, line in self.lines.items() if any(line.row.get(column, "") == wanted for column in columns)
        ]


class Deferred(Mapping[str, Record]):
    """A mapping that is computed as a whole at the first look."""

    def __init__(self, compute: Callable[[], Mapping[str, Record]]) -> None:
        self._compute = compute

    @cached_property
    def _held(self) -> Mapping[str, Record]:
        return self._compute()

    def __getitem__(self, key: str) -> Record:
        return self._held[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def __reduce__(self) -> tuple[type, tuple[dict[str, Record]]]:
        return dict, (dict(self._held),)


def where(table: Mapping[str, AnyRecord], columns: tuple[str, ...], wanted: str) -> list[AnyRecord]:
    """Records of `table` of which one of `columns` is `wanted`, in order."""
    if isinstance(table, Shelf):
        shelf = cast("Shelf[_Row, AnyRecord]", table)
        return [shelf[key] for key in shelf.ids_where(columns, wanted)]
    return [record for record in table.values() if any(getattr(record, column) == wanted for column in columns)]
