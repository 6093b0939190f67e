"""What Chinese measures against Korea would cost, by channel and year, in KRW.

Large measures have the size of 2017 on today's exposure, small ones that of 2025; each channel fades with its own
half-life. Minerals, a channel that 2017 did not have, are eased by stocks and second sources. Sizes, half-lives and their
sources stand in `data/retaliation.yaml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from chipweir.strategy._futures import happens, year_of


FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Channel:
    """One way in which measures cost: KRW tn in the first year (or a share of memory sales to China), half-life in years."""

    name: str
    title: Mapping[str, str]
    krw_tn: float
    share_of_china_sales: float
    half_life: float
    probability: float
    eased_by: Mapping[str, float]
    source: str


@dataclass(frozen=True)
class Sizes:
    """The priors of 2017 and 2025."""

    channels: tuple[Channel, ...]
    small_krw_tn: float
    small_half_life: float
    any_probability: float
    large_probability: float


@cache
def sizes() -> Sizes:
    """The shipped priors."""
    text = (resources.files("chipweir.strategy") / "data" / "retaliation.yaml").read_text(encoding="utf-8")
    tree: dict[str, Any] = yaml.safe_load(text)
    channels = tuple(
        Channel(
            name=str(name),
            title=entry["title"],
            krw_tn=float(entry.get("krw_tn", 0.0)),
            share_of_china_sales=float(entry.get("share_of_china_sales", 0.0)),
            half_life=float(entry["half_life_years"]),
            probability=float(entry.get("probability", 1.0)),
            eased_by={str(key): float(value) for key, value in entry.get("eased_by", {}).items()},
            source=str(entry["source"]),
        )
        for name, entry in tree["channels"].items()
    )
    small, chance = tree["small"], tree["probability"]
    return Sizes(
        channels, float(small["krw_tn"]), float(small["half_life_years"]), float(chance["any"]), float(chance["large"]),
    )  # fmt: skip


@dataclass(frozen=True)
class Retaliation:
    """Measures in every future: whether they come at all and large [M], in which year [M], and KRW tn by channel
    `{name: [M, Y]}`; small measures stand under `small`."""

    comes: npt.NDArray[np.bool_]
    large: npt.NDArray[np.bool_]
    year: FloatArray
    by_channel: Mapping[str, FloatArray]

    @property
    def total(self) -> FloatArray:
        """KRW tn of all channels `[M, Y]`."""
        whole: FloatArray = np.sum(list(self.by_channel.values()), axis=0)
        return whole


def retaliation(
    own: Mapping[str, FloatArray],
    years: npt.NDArray[np.int64],
    *,
    provocation: float = 1.0,
    stockpile_days: FloatArray | float = 30.0,
    second_source: FloatArray | float = 0.0,
    china_sales_krw_tn: FloatArray | float = 0.0,
) -> Retaliation:
    """Cost of measures by channel and year in every future of `own` draws `{name: [M]}`.

    `provocation` multiplies the base rate; `stockpile_days`, `second_source` [Y] ease minerals; `china_sales_krw_tn` [M, Y]
    is what memory measures act on. A channel costs `size 2^(-(t - t0) / half-life)`, half of it in its first year since
    measures come in the middle of one.
    """
    known = sizes()
    comes = happens(own["retaliation_score"], known.any_probability * provocation)
    large = comes & happens(own["retaliation_large_score"], known.large_probability)
    year = year_of(own["retaliation_year"])
    since = years[None, :] - year[:, None]
    costs: dict[str, FloatArray] = {}
    for channel in known.channels:
        hit = large
        if channel.probability < 1:
            hit = large & happens(own["memory_hit_score"], channel.probability)
        size = channel.krw_tn + channel.share_of_china_sales * np.asarray(china_sales_krw_tn)
        size = size * _eased(channel, np.asarray(stockpile_days), np.asarray(second_source))
        costs[channel.name] = hit[:, None] * own["retaliation_size"][:, None] * size * _fading(since, channel.half_life)
    small = (comes & ~large)[:, None] * known.small_krw_tn * _fading(since, known.small_half_life)
    return Retaliation(comes, large, year, {**costs, "small": small})


def _eased(channel: Channel, stockpile_days: FloatArray, second_source: FloatArray) -> FloatArray:
    """Share of a channel's size that is left: a stock that lasts as long as the measures, or another source, removes it."""
    left = np.ones(())
    if days := channel.eased_by.get("stockpile_days"):
        left = left * np.clip(1 - stockpile_days / days, 0.0, 1.0)
    if full := channel.eased_by.get("second_source"):
        left = left * np.clip(1 - second_source / full, 0.0, 1.0)
    return left


def _fading(since: FloatArray, half_life: float) -> FloatArray:
    """Share of a year's full cost, `[M, Y]`, `since` years after the measures came (negative before)."""
    first_year = np.where(since == 0, 0.5, 0.0)
    later = np.where(since > 0, np.exp2(-(since - 0.5) / half_life), 0.0)
    faded: FloatArray = np.maximum(first_year, later)
    return faded
