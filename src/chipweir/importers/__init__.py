"""Tables of others as facts of the user's own: read by their headings, sourced, checked, and laid into a directory whole.

`import_file(kind, path, directory)` knows Epoch AI's chips and chip sales, UN Comtrade's trade by HS code, the US
Consolidated Screening List, and the results of vLLM's and SGLang's benchmarks. Importing the same file twice changes
nothing; what a file says anew replaces what it said before.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from chipweir.importers._benchmark import benchmark
    from chipweir.importers._comtrade import comtrade
    from chipweir.importers._epoch import epoch
    from chipweir.importers._layer import Imported, Written
    from chipweir.importers._screening import screening_list
    from chipweir.importers._write import KINDS, import_file

_WHERE = {
    "KINDS": "_write",
    "Imported": "_layer",
    "Written": "_layer",
    "benchmark": "_benchmark",
    "comtrade": "_comtrade",
    "epoch": "_epoch",
    "import_file": "_write",
    "screening_list": "_screening",
}

__all__ = ["KINDS", "Imported", "Written", "benchmark", "comtrade", "epoch", "import_file", "screening_list"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
