"""Quantiles of an outcome over futures, as every document of this room gives them; what is shown is the 80 % interval."""

import numpy as np
import numpy.typing as npt


LEVELS = {"p05": 0.05, "p10": 0.1, "p50": 0.5, "p90": 0.9, "p95": 0.95}


def spread(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Quantiles of `values` by name, unknown ones left out; NaN where none is known."""
    known = values[np.isfinite(values)]
    if not len(known):
        return dict.fromkeys(LEVELS, float("nan"))
    return {name: float(level) for name, level in zip(LEVELS, np.quantile(known, list(LEVELS.values())), strict=True)}
