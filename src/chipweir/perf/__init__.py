"""What an accelerator is worth for a model: speed, latency, energy and cost, each with an interval.

Operators make layers, layers make models, execution plans put models on systems; few fitted efficiencies turn rooflines
into estimates. `estimate` one configuration, `predict_rows` many, `match` two systems, `worth` for the world's model.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from chipweir.perf._architecture import Architecture, architecture
    from chipweir.perf._batch import predict_rows
    from chipweir.perf._estimate import Estimate, estimate, frontier
    from chipweir.perf._hardware import Hardware, hardware
    from chipweir.perf._match import Match, match
    from chipweir.perf._validate import validate
    from chipweir.perf._worth import Worth, worth

_HOME = {
    "Architecture": "_architecture",
    "architecture": "_architecture",
    "predict_rows": "_batch",
    "Estimate": "_estimate",
    "estimate": "_estimate",
    "frontier": "_estimate",
    "Hardware": "_hardware",
    "hardware": "_hardware",
    "Match": "_match",
    "match": "_match",
    "validate": "_validate",
    "Worth": "_worth",
    "worth": "_worth",
}

__all__ = [
    "Architecture",
    "Estimate",
    "Hardware",
    "Match",
    "Worth",
    "architecture",
    "estimate",
    "frontier",
    "hardware",
    "match",
    "predict_rows",
    "validate",
    "worth",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when first used: listing a command must not load the whole room."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"chipweir.perf.{_HOME[name]}"), name)
    globals()[name] = value
    return value
