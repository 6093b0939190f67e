"""What Korea's options do to Korea, in every future: income, exposure, compute, cost and bargaining power.

Exports by product and destination, fabs in China, the outlay in the US, public spending on compute, power, laws and the
lag of models are the world's, member by member; this room adds on the draws of `futures.csv` what the world does not have
(late or refused tools, duties, measures, cuts of access) and what is no physical quantity (book values, budgets,
bargaining power).
Every function returns `[M]` in the unit of its criterion.

Present values discount to 2026; money of the world is in USD, of this room in KRW tn at the exchange rate of the facts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from chipweir.strategy._cells import Members, labels_of
from chipweir.strategy._futures import Draws, happens, multiplied, year_of
from chipweir.strategy._leverage import months_to_replace, one_veto_share, shares_by_law
from chipweir.strategy._options import Choice, Option
from chipweir.strategy._retaliation import Retaliation, retaliation
from chipweir.strategy._stated import Stated


FloatArray = npt.NDArray[np.float64]

KOREAN_SHARE_OF_CHINA_MEMORY = (
    0.55  # of the memory China buys, made in Korea or by Koreans in China, 2025: prior (ours)
)
BOOK_LEFT = 0.45  # of cost after depreciation: prior (ours); book values were not found
STEP_CHANCE = 0.4  # each of the three kinds of US pressure in 2027-2030: prior (ours), KOP-260
REFUSED_CHANCE = 0.25  # tools refused rather than late: prior (ours)
ACCESS_CHANCE = 0.57  # KOP-215, KOP-216
DECAY_WITHOUT_TOOLS = 0.15  # a year of a fab's output once tools are refused: prior (ours)
LATE_MONTH_COST = 1 / 24  # of a year's output lost for each month that tools come late: prior (ours)
REFERENCE_STOCK_YEARS = 4.0  # over which stocks of minerals are paid: prior (ours)
LEAST_GROWTH = 0.3  # of the frontier's effective compute a year, in logs: guards a division
DOWN_CYCLE = 0.75  # of the year before: a fall of memory exports by a quarter, as in 2019 and 2023 (KOP-142, KOP-143)
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
    stated: Stated
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

    def setting_in(self, name: str, year: int) -> float:
        """A setting of the option in one year."""
        return float(self.option.series(f"korea.{name}", [year], self.choice.name)[0])

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
    def fab_health(self) -> FloatArray:
        """What late or refused tools leave of the output of the fabs in China `[M, Y]`.

        Fabs upgraded with tools that need no licence do not suffer.
        """
        comes, refused, year = self.late
        upgraded = self.setting("china_fab_tech")
        since = np.maximum(self.years[None, :] - year[:, None], 0.0)
        decay = np.where(refused[:, None], (1 - DECAY_WITHOUT_TOOLS) ** since, 1.0)
        lateness = self.draws.own["late_tools_months"] * LATE_MONTH_COST
        late_year = (comes & ~refused)[:, None] & (self.years[None, :] == year[:, None])
        health = decay * (1 - np.where(late_year, lateness[:, None], 0.0))
        found: FloatArray = upgraded + (1 - upgraded) * health
        return found

    @cached_property
    def fabs(self) -> FloatArray:
        """Output of the fabs in China, USD bn a year `[M, Y]`: the world's (share kept, ageing) times their health."""
        return self.world_flow("korea_value_at_risk") * self.fab_health

    @cached_property
    def moved(self) -> FloatArray:
        """What it costs to build anew at home what is moved out of China, USD bn a year `[M, Y]`.

        The world keeps Korean output whole when its place moves; the new fabs cost some years' output of the old.
        """
        kept = np.concatenate([[self.setting_in("china_fabs", self.first - 1)], self.setting("china_fabs")])
        leaving = np.maximum(kept[:-1] - kept[1:], 0.0)
        output = self.world.at(self.first - 1, "korea_value_at_risk") * 12 / 1e9
        cost: FloatArray = (self.draws.own["relocation_capital"] * output)[:, None] * leaving
        return cost

    @cached_property
    def made_at_home(self) -> FloatArray:
        """Chip exports of all kinds before Chinese measures, USD bn a year `[M, Y]`."""
        found: FloatArray = np.sum(
            [self.world_flow("korea_exports", export=name) for name in labels_of("export")], axis=0
        )
        return found

    def memory(self, first: int) -> FloatArray:
        """DRAM and NAND exports without HBM from the year `first` on, USD bn a year `[M, Y]`."""
        parts = [
            self.world.from_year(first, self.last, "korea_exports", export=name) * 12 / 1e9 for name in ("dram", "nand")
        ]
        return parts[0] + parts[1]

    @cached_property
    def down_cycle(self) -> npt.NDArray[np.bool_]:
        """Whether memory exports have fallen by a quarter within a year, by each year `[M, Y]`."""
        path = self.memory(self.first - 1)
        fallen: npt.NDArray[np.bool_] = np.logical_or.accumulate(path[:, 1:] < DOWN_CYCLE * path[:, :-1], axis=1)
        return fallen

    @cached_property
    def to_china(self) -> FloatArray:
        """Chip exports to China and Hong Kong before Chinese measures, HBM included, USD bn a year `[M, Y]`."""
        return self.world_flow("korea_exports_to", destination="china_hk")

    def lost(self, year: int) -> FloatArray:
        """Share of the Chinese memory market that Chinese makers have taken (X3) `[M]`, as the world has it.

        The world sells `s = c (1 - L) / (1 - c L)` of exports other than HBM to China, `c` the part without Chinese makers;
        solved for L.
        """
        others = [name for name in labels_of("export") if name != "hbm"]
        total = np.sum([self.world.at(year, "korea_exports", export=name) for name in others], axis=0)
        china = self.world.at(year, "korea_exports_to", destination="china_hk")
        share = (china - self.world.at(year, "korea_hbm_exports", customer="china")) / np.maximum(total, 1e-9)
        before = self.draws.world["china_memory_share"]
        found: FloatArray = np.clip((before - share) / (before * (1 - share)), 0.0, 1.0)
        return found

    @cached_property
    def measures(self) -> Retaliation:
        """Chinese measures (X2)."""
        return retaliation(
            self.draws.own,
            self.years,
            provocation=self.response("provocation") * multiplied(self.choice, "retaliation"),
            stockpile_days=self.setting("stockpile_days"),
            second_source=self.setting("second_source"),
            china_sales_krw_tn=self.to_china * self.stated.krw_per_usd / 1000,
        )

    @cached_property
    def memory_hit(self) -> FloatArray:
        """What measures take of memory sales to China, USD bn a year `[M, Y]`."""
        return self.measures.by_channel["memory"] * 1000 / self.stated.krw_per_usd

    @cached_property
    def exports(self) -> FloatArray:
        """All chip exports, USD bn a year `[M, Y]`, after what measures take."""
        return self.made_at_home - self.memory_hit

    @cached_property
    def duty(self) -> FloatArray:
        """What Korean sellers bear of a US duty (X1), USD bn a year `[M, Y]`.

        It falls where the draw says so, or where the terms of the deal are lost; paying the pledge keeps them.
        """
        own = self.draws.own
        terms = self.response("us_terms") * np.clip(self.setting("us_outlay"), 0.0, 1.0)
        chance = STEP_CHANCE + (1 - STEP_CHANCE) * (1 - terms)
        falls = np.stack([happens(own["duty_score"], each) for each in chance], axis=1)
        sold = self.world_flow("korea_exports_to", destination="usa")
        return falls * sold * (own["duty_rate"] * own["duty_borne"])[:, None]

    def place(self, year: int) -> int:
        """Where a year stands among `years`."""
        return int(np.argmax(self.years == year))


def chip_income(case: Case) -> FloatArray:
    """USD bn, present value: exports and output of fabs in China, less the duty borne and the cost of fabs moved home."""
    return case.discounted(case.exports + case.fabs - case.duty - case.moved)


def concentration(case: Case) -> FloatArray:
    """% of chip exports that go to China and Hong Kong in 2030."""
    place = case.place(2030)
    share: FloatArray = 100 * (case.to_china - case.memory_hit)[:, place] / case.exports[:, place]
    return np.clip(share, 0.0, 100.0)


def china_fabs(case: Case) -> FloatArray:
    """% of the value of Korean DRAM and NAND (without HBM) that is made in China in 2030."""
    fabs, home = case.fabs[:, case.place(2030)], case.memory(2030)[:, 0]
    found: FloatArray = 100 * fabs / (fabs + home)
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
    found: FloatArray = case.stated.fabs_at_cost * BOOK_LEFT * (at * np.clip(stranded, 0.0, 1.0) + planned)
    return found


def compute(case: Case) -> FloatArray:
    """Million H100e at work in 2030: as far as power is connected, less the days that foreign law stops."""
    held = (case.world.at(2030, "compute", region="KOR") + case.world.at(2030, "compute_waiting", region="KOR")) / 1e6
    needed = case.world.at(2030, "power_mw", region="KOR") / 1000 * case.response("gpu_access")
    connected = np.minimum(case.world.at(2030, "energised_share", region="KOR"), power(case) / np.maximum(needed, 1e-9))
    own = case.draws.own
    cut = happens(own["access_score"], ACCESS_CHANCE) * np.minimum(own["access_days"], 365.0) / 365
    backed = case.setting("second_source")[case.place(2030)]
    found: FloatArray = held * case.response("gpu_access") * connected * (1 - autonomy(case) / 100 * cut * (1 - backed))
    return found


def autonomy(case: Case) -> FloatArray:
    """% of the compute in the country that one foreign government can stop, 2030."""
    found: FloatArray = 100 * one_veto_share(shares_by_law(case.world, "KOR", 2030), "KOR")
    return found


def model_lag(case: Case) -> FloatArray:
    """Months since the US frontier had the effective training compute of Korea's largest run, 2030.

    The world's lag, less what pooling gains: the joint run is larger, of which open weights and distillation would have
    closed their part (`imitation`) anyway, `12 (1 - imitation) ln(pooling) / g` at the frontier's growth g a year.
    """
    lag = case.world.at(2030, "lag_korea")
    runs = [np.log(case.world.at(year, "largest_run", region="USA")) for year in (2028, 2030)]
    known = case.draws.world
    growth = (runs[1] - runs[0]) / 2 + np.log(known["algorithmic_training"])
    gain = 12 * (1 - known["imitation"]) * np.log(case.response("pooling")) / np.maximum(growth, LEAST_GROWTH)
    found: FloatArray = np.maximum(lag - gain, 0.0)
    return found


def public_cost(case: Case) -> FloatArray:
    """KRW tn a year over 2027-2030."""
    own = case.draws.own
    inside = (case.years >= COST_YEARS[0]) & (case.years <= COST_YEARS[1])
    programmes = sum(float(cost["krw_tn_year"]) for cost in case.option.costs)
    compute_bought = case.world_flow("korea_public_spending")[:, inside].mean(axis=1) * case.stated.krw_per_usd / 1000
    plan = compute_bought + case.stated.models_plan * case.setting("sovereign_budget")[inside].mean()
    days = case.setting("stockpile_days")[inside].max()
    stocks = own["stock_cost"] * np.maximum(days - TODAYS_STOCK_DAYS, 0.0) / 100 / REFERENCE_STOCK_YEARS
    second = own["second_source_cost"] * case.setting("second_source")[inside].mean()
    outlay = (
        case.world_flow("korea_us_outlay")[:, inside].mean(axis=1) * case.stated.krw_per_usd / 1000 * own["outlay_loss"]
    )
    raised = happens(own["pledge_score"], STEP_CHANCE) * own["pledge_rise"] * (case.response("us_terms") >= 0.5)
    total: FloatArray = own["overrun"] * (programmes + plan) + stocks + second + outlay * (1 + raised)
    return total


def leverage_us(case: Case) -> FloatArray:
    """Months that others would need to replace half of Korean HBM in 2030."""
    own = case.draws.own
    return months_to_replace(case.world.at(2030, "korea_hbm_share"), own["rival_growth"], own["qualification"])


def leverage_china(case: Case) -> FloatArray:
    """% of the memory that China buys which could be withheld in 2030: exports, not what Koreans make in China.

    Korean makers' share of it today, what Chinese makers take since, and the part of it that crosses the border.
    """
    place = case.place(2030)
    kept = KOREAN_SHARE_OF_CHINA_MEMORY * (1 - case.lost(2030)) / np.maximum(1 - case.lost(2025), 1e-9)
    crosses = case.to_china[:, place] / (case.to_china + case.fabs)[:, place]
    share: FloatArray = 100 * kept * crosses
    return share


def retaliation_loss(case: Case) -> FloatArray:
    """% of GDP in the worst year: measures drawn here, and those that a choice of others sets in the world."""
    set_in_world = case.world_flow("korea_retaliation_cost") * case.stated.krw_per_usd / 1000
    found: FloatArray = 100 * (case.measures.total + set_in_world).max(axis=1) / case.stated.gdp
    return found


def power(case: Case) -> FloatArray:
    """GW of data-centre power connected by 2029 (X7); the world knows the centre of this path alone."""
    connected: FloatArray = (
        case.stated.planned_power * case.setting("dc_power")[case.place(2029)] * case.draws.own["power_connected"]
    )
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
