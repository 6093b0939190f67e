"""The strategy room: scenario comparison and what follows from it. Names are imported when first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from chipweir.strategy._compare import Difference, differences, holds_pair

_HOMES = {
    "Difference": "_compare",
    "differences": "_compare",
    "holds_pair": "_compare",
}

__all__ = ["Difference", "differences", "holds_pair"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
