"""What Korea's options do to Korea, in every future: income, exposure, compute, cost and bargaining power.

The world gives HBM and DRAM exports, compute, power, training runs and ecosystems member by member; this room adds what it
does not have yet (destinations, fabs in China, duties, measures, budgets) as small processes on the draws of `futures.csv`.
A process that the world gains replaces its counterpart here. Every function returns `[M]` in the unit of its criterion.

Present values discount to 2026; money of the world is in USD, of this room in KRW tn at the exchange rate below.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from chipweir.strategy._cells import Members
from chipweir.strategy._futures import Draws, happens, multiplied, year_of
from chipweir.strategy._leverage import months_to_replace, one_veto_share, shares_by_government
from chipweir.strategy._options import Choice, Option
from chipweir.strategy._retaliation import Retaliation, retaliation, sizes


FloatArray = npt.NDArray[np.float64]

KRW_PER_USD = 1422.0  # KOP-253
EXPORTS_2025 = 173.4  # USD bn, KOP-150
US_SHARE = 0.08  # of chip exports sold straight to the US, KOP-162
FAB_SHARES = (0.38, 0.325)  # DRAM (KOP-079), NAND (KOP-078) of own output made in China
CHINA_MEMORY_NOW = 43.7  # USD bn of memory sold to China and Hong Kong in 2024, KOP-145 and KOP-146 over 11 months
KOREAN_SHARE_OF_CHINA_MEMORY = 0.55  # of the memory China buys, made in Korea or by Koreans in China: prior (ours)
BOOK_VALUE = 25.8 * 1.422 + 14.0 + 9.0 * 1.422  # KRW tn at cost: Xi'an, Wuxi, Dalian (KOP-087, KOP-083, KOP-088)
BOOK_LEFT = 0.45  # of cost after depreciation: prior (ours); book values were not found
# KRW tn a year of public compute and models at the plan: 1.46 and 2.08 in two years and 0.24 in three (KOP-017, KOP-029,
# KOP-004).
COMPUTE_PLAN = (1.46 + 2.08) / 2 + 0.238 / 3
OUTLAY = 20.0 * KRW_PER_USD / 1000  # KRW tn a year at the cap (KOP-177)
STEP_CHANCE = 0.4  # each of the three kinds of US pressure in 2027-2030: prior (ours), KOP-260
REFUSED_CHANCE = 0.25  # tools refused rather than late: prior (ours)
CYCLE_CHANCE = 0.43  # KOP-261
ACCESS_CHANCE = 0.57  # KOP-215, KOP-216
SECOND_YEAR_OF_CYCLE = 0.6  # of the first year's fall: prior (ours); recovery within 6-8 quarters
DECAY_WITHOUT_TOOLS = 0.15  # a year of a fab's output once tools are refused: prior (ours)
LATE_MONTH_COST = 1 / 24  # of a year's output lost for each month that tools come late: prior (ours)
REFERENCE_STOCK_YEARS = 4.0  # over which stocks of minerals are paid: prior (ours)
LEAST_REST = 20.0  # USD bn of exports that are neither DRAM nor HBM, at least: KOR-020..024
MOST_TO_CHINA = 0.85  # of exports other than HBM, so that a draw cannot exceed what there is
MOST_LOST = 0.95
CAPEX_LEAD_YEARS = 3.0  # until an investment is in full output (KOP-098, KOP-227)
COST_YEARS = (2027, 2030)
STRANDED_IF_REFUSED = 0.7  # of book: prior (ours)
STRANDED_IF_MEMORY_HIT = 0.15  # of book: prior (ours)
WITHDRAWN_AT = 0.5  # of book, what a planned withdrawal recovers: prior (ours)
TODAYS_STOCK_DAYS = 30.0  # priced as no extra cost: prior (ours)


@dataclass(frozen=True)
class Case:
    """One option under one choice of others in every draw: what all processes start from."""

    option: Option
    choice: Choice
    world: Members
    draws: Draws
    first: int
    last: int
    rate: float

    @cached_property
    def years(self) -> npt.NDArray[np.int64]:
        return np.arange(self.first, self.last + 1)

    def setting(self, name: str) -> FloatArray:
        """A setting of the option by year `[Y]`."""
        found: FloatArray = np.asarray(
            self.option.series(f"korea.{name}", self.years.tolist(), self.choice.name), dtype=float
        )
        return found

    def response(self, name: str) -> float:
        """A stated prior of how others answer the option; 1 where the option says nothing."""
        rated = self.option.responses.get(name)
        return 1.0 if rated is None else rated.value

    def discounted(self, flow: FloatArray) -> FloatArray:
        """Present value in 2026 of yearly flows `[M, Y]`."""
        found: FloatArray = flow @ (1 + self.rate) ** -(self.years - (self.first - 1.0))
        return found

    def world_flow(self, variable: str, **labels: str) -> FloatArray:
        """A monthly money flow of the world as USD bn a year, `[M, Y]`."""
        return self.world.from_year(self.first, self.last, variable, **labels) * 12 / 1e9

    @cached_property
    def late(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], FloatArray]:
        """Whether tools for the fabs in China come late, whether they are refused, and from which year."""
        own = self.draws.own
        comes = happens(own["late_tools_score"], STEP_CHANCE * multiplied(self.choice, "late_tools"))
        refused = comes & happens(own["refused_score"], REFUSED_CHANCE)
        return comes, refused, year_of(own["pressure_year"])

    @cached_property
    def fab_output(self) -> FloatArray:
        """Output of the fabs in China against today's `[M, Y]`: what is kept, less what late or refused tools cost.

        Fabs upgraded with tools that need no licence do not suffer.
        """
        comes, refused, year = self.late
        kept, upgraded = self.setting("china_fabs"), self.setting("china_fab_tech")
        since = np.maximum(self.years[None, :] - year[:, None], 0.0)
        decay = np.where(refused[:, None], (1 - DECAY_WITHOUT_TOOLS) ** since, 1.0)
        lateness = self.draws.own["late_tools_months"] * LATE_MONTH_COST
        late_year = (comes & ~refused)[:, None] & (self.years[None, :] == year[:, None])
        health = decay * (1 - np.where(late_year, lateness[:, None], 0.0))
        found: FloatArray = kept * (upgraded + (1 - upgraded) * health)
        return found

    @cached_property
    def fab_value(self) -> FloatArray:
        """USD bn a year of output of the fabs in China as the world has it today, `[M]`."""
        return self.world.at(2025, "korea_value_at_risk") * 12 / 1e9

    @cached_property
    def capex(self) -> FloatArray:
        """HBM sales against those at the planned investment `[M, Y]`."""
        investment = self.setting("hbm_capex")
        months = _dated(self.option.setting("korea.hbm_capex", self.choice.name))
        start = int(months[0][:4]) if months else self.first
        ramp = np.clip((self.years - start) / CAPEX_LEAD_YEARS, 0.0, 1.0)
        found: FloatArray = investment[None, :] ** (self.draws.own["capex_elasticity"][:, None] * ramp)
        return found

    @cached_property
    def cycle(self) -> FloatArray:
        """Memory exports against trend `[M, Y]`: a down-cycle takes a quarter in a year and part of it in the next."""
        own = self.draws.own
        comes = happens(own["cycle_score"], CYCLE_CHANCE)
        since = self.years[None, :] - year_of(own["cycle_year"])[:, None]
        fall = np.where(since == 0, 1.0, np.where(since == 1, SECOND_YEAR_OF_CYCLE, 0.0))
        found: FloatArray = 1 - comes[:, None] * own["cycle_depth"][:, None] * fall
        return found

    @cached_property
    def hbm(self) -> FloatArray:
        """HBM exports, USD bn a year `[M, Y]`."""
        return self.world_flow("korea_hbm_exports_total") * self.capex

    @cached_property
    def other(self) -> FloatArray:
        """Chip exports other than HBM before losses to Chinese makers, USD bn a year `[M, Y]`.

        The world's DRAM path, and the rest of 2025's exports held at its size.
        """
        then = 12 / 1e9 * (self.world.at(2025, "korea_hbm_exports_total") + self.world.at(2025, "korea_dram_exports"))
        rest = np.maximum(EXPORTS_2025 - then, LEAST_REST)
        return (self.world_flow("korea_dram_exports") + rest[:, None]) * self.cycle

    @cached_property
    def to_china(self) -> FloatArray:
        """Part of chip exports other than HBM that goes to China and Hong Kong today `[M]`."""
        hbm = 12 / 1e9 * self.world.at(2025, "korea_hbm_exports_total")
        part = self.draws.own["china_share_now"] * EXPORTS_2025 / np.maximum(EXPORTS_2025 - hbm, LEAST_REST)
        return np.clip(part, 0.0, MOST_TO_CHINA)

    @cached_property
    def lost(self) -> FloatArray:
        """Share of memory sales to China lost to Chinese makers (X3) `[M, Y]`: even steps from 2025 to 2030 and on."""
        steps = np.clip((self.years - 2025) / 5, 0.0, None)
        return np.clip(self.draws.own["china_memory_lost"][:, None] * steps, 0.0, MOST_LOST)

    @cached_property
    def resupplied(self) -> FloatArray:
        """What Korea makes instead of fabs run down in China, USD bn a year `[M, Y]`."""
        missing = np.maximum(1 - self.fab_output, 0.0)
        return self.draws.own["resupply"][:, None] * self.fab_value[:, None] * missing * (1 - self.lost)

    @cached_property
    def china(self) -> FloatArray:
        """Chip exports to China and Hong Kong, USD bn a year `[M, Y]`, HBM included where it may go."""
        plain = self.to_china[:, None] * self.other * (1 - self.lost)
        return plain + self.resupplied + self.world_flow("korea_hbm_exports", customer="china") * self.capex

    @cached_property
    def measures(self) -> Retaliation:
        """Chinese measures (X2)."""
        return retaliation(
            self.draws.own,
            self.years,
            provocation=self.response("provocation") * multiplied(self.choice, "retaliation"),
            stockpile_days=self.setting("stockpile_days"),
            second_source=self.setting("second_source"),
            china_sales_krw_tn=self.china * KRW_PER_USD / 1000,
        )

    @cached_property
    def exports(self) -> FloatArray:
        """All chip exports, USD bn a year `[M, Y]`, after what Chinese makers and measures take."""
        kept = self.other * (1 - self.to_china[:, None] * self.lost)
        memory = self.measures.by_channel["memory"] * 1000 / KRW_PER_USD
        return self.hbm + kept + self.resupplied - memory

    @cached_property
    def duty(self) -> FloatArray:
        """What Korean sellers bear of a US duty (X1), USD bn a year `[M, Y]`.

        It falls where the draw says so, or where the terms of the deal are lost; paying the pledge keeps them.
        """
        own = self.draws.own
        terms = self.response("us_terms") * np.clip(self.setting("us_outlay"), 0.0, 1.0)
        chance = STEP_CHANCE + (1 - STEP_CHANCE) * (1 - terms)
        falls = np.stack([happens(own["duty_score"], each) for each in chance], axis=1)
        return falls * US_SHARE * self.exports * (own["duty_rate"] * own["duty_borne"])[:, None]


def _dated(setting: object) -> list[str]:
    """Months of a dated setting, in order."""
    return sorted(setting) if isinstance(setting, dict) else []


def chip_income(case: Case) -> FloatArray:
    """USD bn, present value: exports and output of fabs in China, less the duty borne."""
    fabs = case.fab_value[:, None] * case.fab_output
    return case.discounted(case.exports + fabs - case.duty)


def concentration(case: Case) -> FloatArray:
    """% of chip exports that go to China and Hong Kong in 2030."""
    place = int(np.argmax(case.years == 2030))
    share: FloatArray = np.clip(100 * case.china[:, place] / case.exports[:, place], 0.0, 100.0)
    return share


def china_fabs(case: Case) -> FloatArray:
    """% of own DRAM or NAND, the larger, made in China in 2030: what stands there against all that is made."""
    place = int(np.argmax(case.years == 2030))
    at = case.fab_output[:, place]
    shares = [share * at / (share * at + (1 - share)) for share in FAB_SHARES]
    found: FloatArray = 100 * np.max(shares, axis=0)
    return found


def write_down(case: Case) -> FloatArray:
    """KRW tn of book value lost: where tools are refused, where memory is hit, and what running down writes off."""
    _comes, refused, year = case.late
    kept, upgraded = case.setting("china_fabs"), case.setting("china_fab_tech")
    at = np.array([kept[np.argmin(np.abs(case.years - each))] for each in year])
    safe = np.array([upgraded[np.argmin(np.abs(case.years - each))] for each in year])
    hit = case.measures.by_channel["memory"].max(axis=1) > 0
    stranded = np.where(refused, STRANDED_IF_REFUSED * (1 - safe), 0.0) + np.where(hit, STRANDED_IF_MEMORY_HIT, 0.0)
    planned = (1 - WITHDRAWN_AT) * (1 - kept[-1])
    found: FloatArray = BOOK_VALUE * BOOK_LEFT * (at * np.clip(stranded, 0.0, 1.0) + planned)
    return found


def compute(case: Case) -> FloatArray:
    """Million H100e at work in 2030: as far as power is connected, less the days that foreign law stops."""
    held = case.world.at(2030, "compute", region="KOR") * case.response("gpu_access") / 1e6
    needed = case.world.at(2030, "power_mw", region="KOR") / 1000 * case.response("gpu_access")
    connected = np.minimum(power(case) / np.maximum(needed, 1e-9), 1.0)
    own = case.draws.own
    cut = happens(own["access_score"], ACCESS_CHANCE) * np.minimum(own["access_days"], 365.0) / 365
    backed = case.setting("second_source")[int(np.argmax(case.years == 2030))]
    found: FloatArray = held * connected * (1 - autonomy(case) / 100 * cut * (1 - backed))
    return found


def autonomy(case: Case) -> FloatArray:
    """% of the compute in the country that one foreign government can stop, 2030."""
    found: FloatArray = 100 * one_veto_share(shares_by_government(_ecosystems(case)))
    return found


def _ecosystems(case: Case) -> dict[str, FloatArray]:
    from chipweir.strategy._cells import labels_of

    return {
        name: case.world.at(2030, "ecosystem_share", region="KOR", ecosystem=name) for name in labels_of("ecosystem")
    }


def model_lag(case: Case) -> FloatArray:
    """Months since the US frontier had the effective training compute of Korea's largest run, 2030.

    Log-linear between years; before the first year the frontier is extended back at its growth. Open weights and
    distillation close part of the gap (the world's `imitation`), pooling multiplies the run.
    """
    years = np.asarray(case.world.years, dtype=float)
    usa = np.log(case.world.get("largest_run", region="USA"))
    run = np.log(case.world.at(2030, "largest_run", region="KOR") * case.response("pooling"))
    place = case.world.years.index(2030)
    closed = case.draws.world.get("imitation", np.zeros(len(run)))
    run = run + closed * np.maximum(usa[:, place] - run, 0.0)
    slope = np.maximum((usa[:, 2] - usa[:, 0]) / 2, 0.2)
    reached = np.array([np.interp(each, path, years) for each, path in zip(run, usa, strict=True)])
    early = run < usa[:, 0]
    reached = np.where(early, years[0] + (run - usa[:, 0]) / slope, reached)
    lag: FloatArray = 12 * (2030 - reached)
    return lag


def public_cost(case: Case) -> FloatArray:
    """KRW tn a year over 2027-2030."""
    own = case.draws.own
    inside = (case.years >= COST_YEARS[0]) & (case.years <= COST_YEARS[1])
    programmes = sum(float(cost["krw_tn_year"]) for cost in case.option.costs)
    plan = COMPUTE_PLAN * case.setting("sovereign_budget")[inside].mean()
    days = case.setting("stockpile_days")[inside].max()
    stocks = own["stock_cost"] * np.maximum(days - TODAYS_STOCK_DAYS, 0.0) / 100 / REFERENCE_STOCK_YEARS
    second = own["second_source_cost"] * case.setting("second_source")[inside].mean()
    outlay = OUTLAY * case.setting("us_outlay")[inside].mean() * own["outlay_loss"]
    raised = happens(own["pledge_score"], STEP_CHANCE) * own["pledge_rise"] * (case.response("us_terms") >= 0.5)
    total: FloatArray = own["overrun"] * (programmes + plan) + stocks + second + outlay * (1 + raised)
    return total


def leverage_us(case: Case) -> FloatArray:
    """Months that others would need to replace half of Korean HBM in 2030."""
    own = case.draws.own
    place = int(np.argmax(case.years == 2030))
    share = case.draws.world.get("korean_hbm_share", np.full(case.draws.members, 0.79)) - own["korean_share_loss"]
    # Investment moves the odds of the share, as it moves sales.
    odds = share / (1 - share) * case.capex[:, place]
    return months_to_replace(odds / (1 + odds), own["rival_growth"], own["qualification"])


def leverage_china(case: Case) -> FloatArray:
    """% of the memory that China buys which comes from Korea in 2030; what Koreans make in China cannot be withheld."""
    place = int(np.argmax(case.years == 2030))
    need = (CHINA_MEMORY_NOW + case.fab_value) / KOREAN_SHARE_OF_CHINA_MEMORY
    hbm = case.world_flow("korea_hbm_exports", customer="china")[:, place] * case.capex[:, place]
    sold = CHINA_MEMORY_NOW * (1 - case.lost[:, place]) + case.resupplied[:, place]
    share: FloatArray = 100 * (sold + hbm) / (need + hbm)
    return share


def retaliation_loss(case: Case) -> FloatArray:
    """% of GDP in the worst year."""
    found: FloatArray = 100 * case.measures.total.max(axis=1) / sizes().gdp_krw_tn
    return found


def power(case: Case) -> FloatArray:
    """GW of data-centre power connected by 2029 (X7)."""
    place = int(np.argmax(case.years == 2029))
    connected: FloatArray = case.setting("dc_power")[place] * case.draws.own["power_connected"]
    return connected


PROCESSES: Mapping[str, Callable[[Case], FloatArray]] = {
    "chip_income": chip_income,
    "concentration": concentration,
    "china_fabs": china_fabs,
    "write_down": write_down,
    "compute": compute,
    "autonomy": autonomy,
    "model_lag": model_lag,
    "public_cost": public_cost,
    "leverage_us": leverage_us,
    "leverage_china": leverage_china,
    "retaliation": retaliation_loss,
    "power": power,
}
"""What the criteria of Korea call by name."""
