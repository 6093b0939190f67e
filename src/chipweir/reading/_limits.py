"""What a document may hold at most, and numbers and texts within that."""

import math
import re
from dataclasses import dataclass

from chipweir.errors import InputError


# Control characters but tab and ends of lines, halves of surrogate pairs, and what is no character.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Limits:
    """Bounds of one document: `characters` in all, nesting `depth`, number of `values` (keys count too), characters of
    one `text`, digits of one number; whether it must be `printable`, without control characters, as files are and what
    people type into a page is not; whether its numbers must be `finite` (JSON written by Python may hold others)."""

    characters: int = 1_000_000
    depth: int = 20
    values: int = 50_000
    text: int = 100_000
    digits: int = 40
    printable: bool = True
    finite: bool = True


class Count:
    """How much of a document was read so far; each method raises `InputError` where that is more than allowed."""

    def __init__(self, limits: Limits, where: str) -> None:
        self.limits, self.where, self.values = limits, where, 0

    def size(self, text: str) -> None:
        """Look at the whole text before anything else."""
        if len(text) > self.limits.characters:
            raise InputError(
                f"{self.where} has {len(text):,} characters; at most {self.limits.characters:,} are read here"
            )
        if found := self._unprintable(text):
            line = text.count("\n", 0, found.start()) + 1
            raise InputError(f"{self.where}:{line}: holds the control character U+{ord(found[0]):04X}")

    def value(self, depth: int, line: int = 0) -> None:
        """One more value, at `depth`."""
        self.values += 1
        if self.values > self.limits.values:
            raise InputError(f"{self.where} holds more than {self.limits.values:,} values")
        if depth > self.limits.depth:
            raise InputError(f"{self.place(line)}: nested deeper than {self.limits.depth} levels")

    def text(self, text: str, line: int = 0) -> str:
        """A text of the document, as it is meant (escapes resolved)."""
        if len(text) > self.limits.text:
            raise InputError(
                f"{self.place(line)}: a text of {len(text):,} characters; at most {self.limits.text:,} are read"
            )
        if found := self._unprintable(text):
            raise InputError(f"{self.place(line)}: holds the control character U+{ord(found[0]):04X}")
        return text

    def _unprintable(self, text: str) -> re.Match[str] | None:
        return _UNPRINTABLE.search(text) if self.limits.printable else None

    def integer(self, text: str, line: int = 0) -> int:
        """A whole number."""
        self._digits(text, line)
        return int(text)

    def number(self, text: str, line: int = 0) -> float:
        """A number with a fraction or exponent."""
        self._digits(text, line)
        value = float(text)
        if self.limits.finite and not math.isfinite(value):
            raise InputError(f"{self.place(line)}: {text} is larger than a number can be")
        return value

    def _digits(self, text: str, line: int) -> None:
        if len(text) > self.limits.digits:
            raise InputError(
                f"{self.place(line)}: a number of {len(text):,} characters; at most {self.limits.digits} are read"
            )

    def place(self, line: int) -> str:
        """Where a line stands."""
        return f"{self.where}:{line}" if line else self.where


def printable(text: str) -> str:
    """`text` with a sign in place of each character that no document may hold."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def clean(text: str, most: int = 60) -> str:
    """`text` for a message: one line of at most `most` characters, none that a terminal would obey. Cut first."""
    return printable(" ".join(text[:most].split()))
