"""Which chip a name in a shipment stands for: only one that the name says, never one that somebody else calls so."""

import re

from chipweir.errors import InputError
from chipweir.i18n import _
from chipweir.rules._chips import ControlledChip, find
from chipweir.rules._words import folded


_SHORT = 3  # letters up to which a name that is not part of the chip's own is no identification


def identify(name: str) -> ControlledChip:
    """The chip of the catalogue that `name` says.

    A short name that is only somebody's label ('A2' for a card of the Atlas A2 series) is not followed. Raises
    `UnknownName` with the nearest names, `InputError` for a name that may mean another chip.
    """
    chip = find(name)
    key = folded(name)
    own = {folded(known) for known in (chip.id, chip.name, *chip.aliases)}
    if key in own or len(key) > _SHORT or key in _words(chip):
        return chip
    raise InputError(
        _("chip '{name}' is not clear: it is also a label of {chip}; write the maker before it or give its numbers",
          name=name.strip()[:60], chip=chip.name)
    )  # fmt: skip


def _words(chip: ControlledChip) -> set[str]:
    return {folded(word) for word in re.split(r"[\s()/,-]+", f"{chip.name} {chip.id}") if word}
