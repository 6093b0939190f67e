"""Which chip a name in a shipment stands for: only one that the name says, never one that somebody else calls so."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _
from chipweir.rules._chips import ControlledChip, find
from chipweir.rules._words import folded


if TYPE_CHECKING:
    from chipweir.facts import Facts

_SHORT = 3  # letters up to which a name that is not part of the chip's own is no identification


def identify(name: str, maker: str | None = None, notes: list[str] | None = None) -> ControlledChip:
    """The chip of the catalogue that `name` says; `maker` as stated beside it.

    A short name that is only somebody's label ('A2' for a card of the Atlas A2 series) is not followed. Where several
    makers' chips answer to a name, it is the one whose own name it is; the others are said in `notes`. Raises
    `UnknownName` with the nearest names, `InputError` for a name that may mean another chip.
    """
    from chipweir import facts

    chip = _lookup(name, facts.load())
    if isinstance(chip, UnknownName):
        raise chip.with_traceback(None)
    if isinstance(chip, InputError):
        chosen = _by_own_name(name, maker, [] if notes is None else notes)
        if chosen is None:
            raise chip.with_traceback(None)
        return chosen
    key = folded(name)
    own = {folded(known) for known in (chip.id, chip.name, *chip.aliases)}
    if key in own or len(key) > _SHORT or key in _words(chip):
        return chip
    raise InputError(
        _("chip '{name}' is not clear: it is also a label of {chip}; write the maker before it or give its numbers",
          name=name.strip()[:60], chip=chip.name)
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _lookup(name: str, known: "Facts") -> ControlledChip | InputError:
    """The chip, or why there is none: looking for the nearest of all names takes its time, and lists repeat their names."""
    del known  # the facts in force, which `find` reads
    try:
        return find(name)
    except InputError as error:
        return error


def _by_own_name(name: str, maker: str | None, notes: list[str]) -> ControlledChip | None:
    """Of the chips that a name may mean the one called so: by the maker stated, or by its name less the maker's."""
    candidates = _candidates(name)
    makers = {chip.maker for chip in candidates}
    if len(makers) < 2:
        return None
    if maker is not None:
        meant = [chip for chip in candidates if _same(chip.maker, maker)]
        return meant[0] if len(meant) == 1 else None
    meant = [chip for chip in candidates if folded(chip.name).removeprefix(folded(chip.maker)) == folded(name)]
    if len(meant) != 1:
        return None
    others = ", ".join(chip.name for chip in candidates if chip is not meant[0])
    notes.append(
        _("'{name}' is read as {chip}, whose own name it is; it is also used for {others}: give the maker if that is meant",
          name=name.strip()[:60], chip=meant[0].name, others=others)
    )  # fmt: skip
    return meant[0]


def _candidates(name: str) -> list[ControlledChip]:
    from chipweir import facts

    try:
        facts.load().chip(name)
    except facts.AmbiguousName as several:
        return [find(candidate) for candidate in several.candidates]
    except InputError:
        pass
    return []


def _same(one: str, other: str) -> bool:
    a, b = folded(one), folded(other)
    return a.startswith(b) or b.startswith(a)


def _words(chip: ControlledChip) -> set[str]:
    return {folded(word) for word in re.split(r"[\s()/,-]+", f"{chip.name} {chip.id}") if word}
