"""What the supply side is given and carries: frozen records of arrays."""

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float

from chipweir.arrays import Array, pytree


@pytree
@dataclass(frozen=True)
class Fabs:
    """What does not change from month to month about products, dies and lines (0/1 where no unit is given)."""

    gross: Float[Array, " K"]  # dies a wafer
    area: Float[Array, " K"]  # mm2 of a die
    salvage: Float[Array, " K"]  # share of defective dies that sell with parts switched off
    dies_per_package: Float[Array, " K"]
    per_wafer: Float[Array, " K"]  # packages an interposer wafer; 1 where packages are the unit
    stacks: Float[Array, " K"]  # HBM stacks a package
    h100e: Float[Array, " K"]  # H100 equivalents a package
    die_of: Float[Array, "D K"]
    line_of: Float[Array, "F K"]
    packaging_of: Float[Array, "P K"]  # CoWoS, other, China
    maker_of: Float[Array, "M K"]
    world_memory: Float[Array, " K"]
    china_memory: Float[Array, " K"]
    own_memory: Float[Array, " K"]  # may use Huawei's own HBM
    domestic: Float[Array, " K"]  # made on a Chinese line
    bank_of: Float[Array, " D"]  # dies of the bank made at TSMC
    chinese_line: Float[Array, " F"]
    advanced: Float[Array, " F"]  # Chinese lines under tool controls
    line_belief: Float[Array, "B F"]  # which belief places the line
    delayed: Float[Array, " F"]  # lines whose start may slip
    defect_initial: Float[Array, " F"]  # per cm2 in 2022
    defect_floor: Float[Array, " F"]  # per cm2
    learning_wafers: Float[Array, " F"]  # wafers over which half of the learning happens
    wafer_price: Float[Array, " F"]  # USD
    package_cost: Float[Array, " K"]  # USD, packaging and test without memory


@pytree
@dataclass(frozen=True)
class Dated:
    """What the months bring to supply, month first."""

    mix: Float[Array, "T K"]  # share of the maker's pool before the tilt
    launch: Float[Array, "T K"]  # 1 at release, falling to 0 as sales tell
    ordered: Float[Array, "T K"]  # packages a month that a scenario orders of a product; 0 where the mix rules
    ai_share: Float[Array, "T F"]  # share of a line's wafers for accelerators
    bank_inflow: Float[Array, " T"]  # share of the die bank arriving
    future: Float[Array, " T"]  # 1 after the data cut-off
    ahead: Float[Array, " T"]  # years after the data cut-off
    equipment: Float[Array, " T"]  # strength of tool controls, 1 as in 2025
    capacity_investment: Float[Array, " T"]  # x announced
    yield_lever: Float[Array, " T"]  # x drawn
    hbm_domestic: Float[Array, " T"]  # x drawn
    hbm_control: Float[Array, " T"]  # 0 none, 1 the rule of December 2024, 2 shell buyers closed off too
    hbm_to_china: Float[Array, " T"]  # share of what is legal that Korea sells
    hbm_withhold: Float[Array, " T"]  # share of Korean HBM withheld from foreign makers
    hbm_capex: Float[Array, " T"]  # x plan
    china_fabs: Float[Array, " T"]  # x today's share of Korean memory output made in China
    china_fab_tech: Float[Array, " T"]  # 1 where Korea upgrades its Chinese fabs


class Believed(NamedTuple):
    """The dated beliefs of one member that supply reads, month first (a month's slice inside a step)."""

    lines: Array  # [F] wafers a month planned
    growth: Array  # [F] wafers a month added since the month before
    cowos: Array  # interposer wafers a month
    other_packaging: Array  # packages a month
    china_packaging: Array  # packages a month
    hbm_skhynix: Array  # stacks a month
    hbm_samsung: Array
    hbm_micron: Array
    hbm_import: Array  # stacks a month that China would import were it allowed
    hbm_cxmt: Array
    hbm_huawei: Array
    hbm_price: Array  # USD a stack of the current mix
    hbm_price_china: Array  # USD a stack of the generation that China imports
    memory_demand: Array  # relative to trend
    memory_sales: Array  # USD a month, world DRAM and NAND without HBM, on trend
    chinese_memory: Array  # share of the Chinese market that CXMT and YMTC take from foreign makers


@pytree
@dataclass(frozen=True)
class State:
    """What the supply side carries from month to month, besides its stocks of dies and memory.

    - `capacity`, `cumulative` [F] wafers a month and in all; `tools` [] wafers a month that tools in store can equip;
      `upkeep` [] share of Chinese advanced capacity kept running.
    - `die_use` [D] smoothed use of good dies.
    - `korean_hbm`, `micron_hbm` [] output relative to belief; `memory_price`, `memory_capacity`, `memory_orders` [] log
      deviations from trend; `china_fabs`, `fab_level` [] Korean memory fabs in China: share of output kept, level of
      technology, both relative to 2025.
    """

    capacity: Float[Array, " F"]
    cumulative: Float[Array, " F"]
    tools: Float[Array, ""]
    upkeep: Float[Array, ""]
    die_use: Float[Array, " D"]
    korean_hbm: Float[Array, ""]
    micron_hbm: Float[Array, ""]
    memory_price: Float[Array, ""]
    memory_capacity: Float[Array, ""]
    memory_orders: Float[Array, ""]
    china_fabs: Float[Array, ""]
    fab_level: Float[Array, ""]


class Made(NamedTuple):
    """What supply made this month, and what it took."""

    packages: Array  # [K]
    binding: Array  # [3, K] logic, memory, packaging: shares that sum to 1
    cost: Array  # [K] USD, marginal cost of a package
    hbm_imported: Array  # [] stacks
    hbm_domestic: Array  # [2] stacks: CXMT, Huawei
    hbm_arrived: Array  # [2] stacks that reach China: imported and CXMT's, Huawei's own
    hbm_used: Array  # [2] stacks: of the common stock, of Huawei's own
    hbm_vendors: Array  # [3] stacks: SK hynix, Samsung, Micron
    hbm_foreign_used: Array  # [K] stacks
    dies_arrived: Array  # [D]
    dies_used: Array  # [D]
    utilisation: Array  # [F] share of the AI wafers of a line that are started
    slack: Array  # [3] resource over need of Chinese makers: logic, memory, packaging
    fraction: Array  # [K] sellable share of dies
