"""The strategy room: scenario comparison and what follows from it. Names are imported when first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from chipweir.strategy._checks import Check, Outcome, checks, run_checks
    from chipweir.strategy._compare import Difference, differences, holds_pair
    from chipweir.strategy._swings import Number, swings
    from chipweir.strategy._trace import Trace, explain

_HOMES = {
    "Check": "_checks",
    "Outcome": "_checks",
    "Trace": "_trace",
    "checks": "_checks",
    "explain": "_trace",
    "run_checks": "_checks",
    "Difference": "_compare",
    "differences": "_compare",
    "holds_pair": "_compare",
    "Number": "_swings",
    "swings": "_swings",
}

__all__ = [
    "Check",
    "Difference",
    "Number",
    "Outcome",
    "Trace",
    "checks",
    "differences",
    "explain",
    "holds_pair",
    "run_checks",
    "swings",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
