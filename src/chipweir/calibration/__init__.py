"""How far to believe the model: published figures against prior-predictive intervals."""

from importlib import import_module
from typing import Any


_HOMES = {
    "Target": "_credibility",
    "Verdict": "_credibility",
    "credibility": "_credibility",
    "measure": "_credibility",
    "targets": "_credibility",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
