"""Who could stop what: shadow prices of withheld memory, months to replace it, shares under one veto, and what falls with
one supplier.

Functions on arrays of the world's outputs; a shadow price is a paired difference of two runs of the same draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt


if TYPE_CHECKING:
    from chipweir.strategy._cells import Members

FloatArray = npt.NDArray[np.float64]

OWN_LAW: Mapping[str, str] = {"KOR": "KR", "CHN": "CN", "USA": "US"}
"""A region's own government among the laws of the world; none for the others."""
REPLACED = 0.5
MOST_MONTHS = 240.0


def shares_by_law(world: "Members", region: str, year: int) -> dict[str, FloatArray]:
    """Share of a region's installed compute that each government can stop at a year's end, `{law: [M]}`."""
    from chipweir.strategy._cells import labels_of

    amounts = {law: world.at(year, "compute_by_law", region=region, law=law) for law in labels_of("law")}
    total = np.maximum(np.sum(list(amounts.values()), axis=0), 1e-9)
    return {law: amount / total for law, amount in amounts.items()}


def one_veto_share(shares: Mapping[str, FloatArray], region: str) -> FloatArray:
    """The largest share that one government other than the region's own can stop."""
    foreign = [share for law, share in shares.items() if law != OWN_LAW.get(region)]
    largest: FloatArray = np.max(foreign, axis=0)
    return largest


def concentration(shares: Mapping[str, FloatArray] | Sequence[FloatArray]) -> FloatArray:
    """Herfindahl-Hirschman index of shares that sum to 1: from 1/n to 1."""
    listed = list(shares.values()) if isinstance(shares, Mapping) else list(shares)
    index: FloatArray = np.sum(np.square(listed), axis=0)
    return index


def months_to_replace(korean_share: Any, growth: Any, qualification: Any, replaced: float = REPLACED) -> FloatArray:
    """Months until others have made up for `replaced` of a full stop of Korean HBM.

    Rivals hold 1 - s of the market and grow by `growth` a month once `qualification` months have passed:
    `q + ln(1 + replaced s / (1 - s)) / g`.
    """
    share = np.clip(np.asarray(korean_share, dtype=float), 0.0, 1 - 1e-6)
    needed = np.log1p(replaced * share / (1 - share)) / np.log1p(np.asarray(growth, dtype=float))
    months: FloatArray = np.clip(np.asarray(qualification, dtype=float) + needed, 0.0, MOST_MONTHS)
    return months


@dataclass(frozen=True)
class ShadowPrice:
    """What one unit withheld costs others and oneself, member by member `[M]`, both as money a year.

    `per_unit`: others' loss for each unit of own sales given up; `share`: loss of others in per cent of their output.
    """

    withheld: FloatArray
    lost_by_others: FloatArray
    lost_by_self: FloatArray
    output: FloatArray

    @property
    def per_unit(self) -> FloatArray:
        ratio: FloatArray = self.lost_by_others / np.where(self.lost_by_self > 0, self.lost_by_self, np.nan)
        return ratio

    @property
    def share(self) -> FloatArray:
        part: FloatArray = self.lost_by_others / np.maximum(self.output, 1e-300)
        return part


def shadow_price(
    base_output: FloatArray, less_output: FloatArray, base_own: FloatArray, less_own: FloatArray, withheld: float
) -> ShadowPrice:
    """Shadow price of a resource from paired runs with and without `withheld` (a share) of it, all `[M]`.

    `output`: what others make of it in money; `own`: the seller's income from it.
    """
    return ShadowPrice(
        np.full(base_output.shape, withheld), base_output - less_output, base_own - less_own, base_output
    )


@dataclass(frozen=True)
class Loss:
    """What falls when one supplier is gone: share of a resource lost at once, and months until half of it is replaced."""

    supplier: str
    resource: str
    share_lost: float
    low: float
    high: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


def without_one(resources: Mapping[str, Mapping[str, FloatArray]]) -> list[Loss]:
    """The N-1 table: for each resource and each of its suppliers the share lost without it, median and 80 % interval.

    `resources` {resource: {supplier: amount [M]}}; the largest loss of each resource first.
    """
    rows = []
    for resource, suppliers in resources.items():
        total = np.maximum(np.sum(list(suppliers.values()), axis=0), 1e-300)
        mine = []
        for supplier, amount in suppliers.items():
            low, middle, high = np.quantile(np.asarray(amount) / total, (0.1, 0.5, 0.9))
            mine.append(Loss(supplier, resource, float(middle), float(low), float(high)))
        rows += sorted(mine, key=lambda loss: -loss.share_lost)
    return rows


OUTPUTS: Mapping[str, tuple[str, float]] = {
    "us": ("nvidia_revenue", 12 / 1e9),
    "china": ("production_domestic_h100e", 12 / 1e6),
}
"""What each side makes of memory: a variable of the world and its factor to USD bn (million H100e) a year."""


def sold_to(world: "Members", side: str, year: int) -> FloatArray:
    """Korean HBM sold to a side, USD bn a year `[M]`: to China, or to all others."""
    china = world.at(year, "korea_hbm_exports", customer="china")
    sold: FloatArray = china if side == "china" else world.at(year, "korea_hbm_exports_total") - china
    return 12 / 1e9 * sold


def paired_leverage(
    base: "Members", less: "Members", withheld: float, first: int = 2027, last: int = 2032
) -> dict[str, dict[int, ShadowPrice]]:
    """Shadow prices by side and year from two cells of the same draws, one with `withheld` of Korean HBM held back.

    Outputs in USD bn (US) and million H100e (China) a year; own loss, of sales to that side, in USD bn a year. A price per
    unit is money for money on the US side, million H100e for USD bn on the Chinese.
    """
    return {
        side: {
            year: shadow_price(
                factor * base.at(year, variable),
                factor * less.at(year, variable),
                sold_to(base, side, year),
                sold_to(less, side, year),
                withheld,
            )
            for year in range(first, last + 1)
        }
        for side, (variable, factor) in OUTPUTS.items()
    }


def vetoes(world: "Members", region: str, years: Sequence[int]) -> dict[int, dict[str, FloatArray]]:
    """By year, shares of a region's compute by the government that can stop it `[M]`, with the largest foreign share
    (`one_veto`) and the concentration (`hhi`)."""
    found = {}
    for year in years:
        shares = shares_by_law(world, region, year)
        found[year] = {**shares, "one_veto": one_veto_share(shares, region), "hhi": concentration(shares)}
    return found
