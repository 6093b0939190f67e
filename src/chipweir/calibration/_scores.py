"""Scores of forecasts in log space: coverage, rank of what came (PIT), continuous ranked probability score."""

import numpy as np
from scipy.special import ndtr

from chipweir.calibration._naive import Normal
from chipweir.calibration._quantity import FloatArray


def crps(values: FloatArray, observed: float) -> float:
    """Of an ensemble `[member]`: E|X - y| - E|X - X'| / 2."""
    ordered = np.sort(values)
    count = len(ordered)
    spread = float((2 * np.arange(1, count + 1) - count - 1) @ ordered) / count**2
    return float(np.abs(ordered - observed).mean()) - spread


def crps_normal(forecast: Normal, observed: float) -> float:
    """Of a normal distribution (Gneiting and Raftery 2007)."""
    z = (observed - forecast.mean) / forecast.sd
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    return float(forecast.sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)))


def covered(values: FloatArray, observed: float, level: float) -> bool:
    """Whether the central interval of this level holds what came."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return bool(low <= observed <= high)


def pit(values: FloatArray, observed: float) -> float:
    """Share of the ensemble below what came."""
    return float(np.mean(values < observed) + 0.5 * np.mean(values == observed))


def standard_error(values: FloatArray) -> float:
    """Of a mean."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
