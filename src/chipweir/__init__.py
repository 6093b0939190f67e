"""Chipweir: an executable, sourced, uncertainty-aware model of the contest over AI chips.

    import chipweir as cw

    cw.licence("H20", to="CN", on="2025-05-01")
    cw.estimate("DeepSeek-V3", on="Huawei CloudMatrix 384")
    cw.run("baseline", members=200).compute.plot()

The rooms are `facts`, `rules`, `perf`, `supply`, `market`, `world`, `calibration`, `strategy`, `evidence`, `report`,
`library` and `app`; each imports only from those before it. Nothing is imported before it is used, so that `import
chipweir` costs next to nothing (`__init__.pyi` says what there is).
"""

from importlib import import_module
from typing import Any


__version__ = "0.2.0"

_ROOMS = (
    "app", "calibration", "cluster", "errors", "evidence", "facts", "i18n", "library", "market", "perf", "report", "rules",
    "store", "strategy", "supply", "world",
)  # fmt: skip
_QUESTIONS = (
    "Answer", "Results", "advise", "check", "classify", "compare", "estimate", "explain", "licence", "match", "open_run",
    "run", "show",
)  # fmt: skip

__all__ = [*_ROOMS, *_QUESTIONS, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name in _QUESTIONS:
        return getattr(import_module(f"{__name__}.library"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
