"""Numbers of fact that Korea's processes rest on, read from the fact base, so that a what-if on a fact reaches advice."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from chipweir.facts import Facts


@dataclass(frozen=True)
class Stated:
    """Facts about Korea: exchange rate, GDP and the cost of its fabs in China in KRW tn, power planned for AI data centres
    in GW, and public money for own models in KRW tn a year."""

    krw_per_usd: float
    gdp: float
    fabs_at_cost: float
    planned_power: float
    models_plan: float

    def krw_tn(self, usd_bn: float) -> float:
        """USD bn in KRW tn."""
        return usd_bn * self.krw_per_usd / 1000


MODELS_YEARS = 3
"""Years over which the budget of the programme for own models runs (kop-004: 2025 to 2027)."""


@lru_cache(maxsize=8)
def stated(facts: "Facts") -> Stated:
    """The numbers as the fact base has them. Raises `KeyError` for a fact that is not there."""

    def value(name: str) -> float:
        central = facts.facts[name].value.central
        assert central is not None, name
        return float(central)

    rate = value("kop-253")
    # Xi'an and Dalian are stated in USD, Wuxi in KRW: at cost, before depreciation.
    fabs = (value("kop-087") + value("kop-088")) * rate + value("kop-083")
    return Stated(
        krw_per_usd=rate,
        gdp=value("kop-252") / 1e12,
        fabs_at_cost=fabs / 1e12,
        planned_power=value("kop-066"),
        models_plan=value("kop-004") / 1e12 / MODELS_YEARS,
    )
