"""The back-test that is shipped: made by `benchmarks/refit.py` with the shipped posteriors, one file for every reader of it.

The documentation, the report and the pages show it as it stands here; `chipweir backtest` makes it anew.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.world import equations_digest


if TYPE_CHECKING:
    from chipweir.calibration._backtest import Cutoff
    from chipweir.facts import Facts

_FILE = "backtest.json"


@cache
def shipped_backtest() -> Mapping[str, Any]:
    """The shipped back-test: `cutoffs` as `chipweir backtest --json` gives them, the day `made` and digests.

    `current` says whether the equations and tables of the world are still those that it was made with.
    """
    text = (resources.files("chipweir.calibration") / "data" / _FILE).read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return {**document, "current": document.get("equations") == equations_digest()}


def write_backtest(cutoffs: "Sequence[Cutoff]", facts: "Facts") -> Path:
    """Put a back-test where it is shipped from (a checkout); the same numbers give the same file."""
    path = Path(str(resources.files("chipweir.calibration"))) / "data" / _FILE
    document = {
        "made": datetime.now(UTC).date().isoformat(),
        "equations": equations_digest(),
        "facts": facts.digest,
        "cutoffs": [_rounded(each.as_dict()) for each in cutoffs],
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    shipped_backtest.cache_clear()
    return path


def _rounded(value: Any) -> Any:
    """Six digits are more than a score of hundreds of draws has."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value
