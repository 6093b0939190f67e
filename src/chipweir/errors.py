"""What goes wrong because of what a user gave us: one clear line, exit code 2, never a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property


class InputError(ValueError):
    """Bad input. The message is one line that says what is wrong, where, and what would be right."""


class UnknownName(InputError):
    """A name that nothing answers to; the message carries the nearest known names.

    They are looked for when somebody asks: many readings of a word are tried and dropped unseen.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str = "") -> None:
        self.kind, self.name, self.known, self.where = kind, name, tuple(known), where
        super().__init__(kind, name, self.known, where)

    @cached_property
    def suggestions(self) -> list[str]:
        """The known names most like the unknown one, best first."""
        return nearest(self.name, self.known)

    def __str__(self) -> str:
        hint = f"; did you mean {' or '.join(self.suggestions)}?" if self.suggestions else ""
        place = f" in {self.where}" if self.where else ""
        return f"unknown {self.kind} '{self.name}'{place}{hint}"


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most like `name`, best first; compared without regard to case."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    return [by_folded[match] for match in get_close_matches(name.casefold(), by_folded, n=count, cutoff=0.55)]
