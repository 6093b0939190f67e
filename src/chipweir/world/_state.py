"""What the simulation carries from month to month, and what it takes in: frozen pytrees of arrays.

Axes, in this order everywhere: product K, region R, hub H, workload W, ecosystem E, foundry line F, die type D, month T.
`Inputs` holds everything that names and dates decided; `State` stands at month ends; flows lie between.
"""

import os
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import jax
import numpy as np
from jax import Array


# float64 unless single precision is asked for by CHIPWEIR_PRECISION=32 (measured against float64 in the tests).
jax.config.update("jax_enable_x64", os.environ.get("CHIPWEIR_PRECISION", "64") != "32")  # type: ignore[no-untyped-call]

T = TypeVar("T")


def pytree(cls: type[T]) -> type[T]:
    """Register a frozen dataclass as a JAX pytree whose fields are all data."""
    jax.tree_util.register_dataclass(cls, [field.name for field in fields(cls)], [])  # type: ignore[arg-type]
    return cls


@pytree
@dataclass(frozen=True)
class State:
    """Stocks at a month's end.

    - `inventory` [K] unsold units; `installed` [R, K] units in direct use; `smuggled` [K]; `rented` [K, H] units.
    - `dies` [D] good dies; `hbm` [] Chinese HBM stacks; `cumulative_wafers` [F]; `capacity` [F] wafers a month.
    - `tilt` [K] log shift of the makers' product mix.
    - `premium_product` [K], `premium_quota` [K], `premium_route` [H], `premium_offshore` [H]: logs of the scaling
      variables (`chipweir.market.Premia`).
    - `route` [H], `offshore` [H] USD a month at list; `carried` [R, W] USD not spent.
    - `maturity` [E]; `markup` [2] relative to its reference path, `load` [2], `load_reference` [2] of the token markets
      (world, China).
    - `largest` [R] log FLOP of the largest run so far; `scarcity` [] smoothed Chinese log premium.
    """

    inventory: Array
    installed: Array
    smuggled: Array
    rented: Array
    dies: Array
    hbm: Array
    cumulative_wafers: Array
    capacity: Array
    tilt: Array
    premium_product: Array
    premium_quota: Array
    premium_route: Array
    premium_offshore: Array
    route: Array
    offshore: Array
    carried: Array
    maturity: Array
    markup: Array
    load: Array
    load_reference: Array
    largest: Array
    scarcity: Array


@pytree
@dataclass(frozen=True)
class Products:
    """What does not change from month to month about products, dies, lines and hubs (0/1 matrices where not said)."""

    worth: Array  # [K, W] H100s at full software maturity
    training_flops: Array  # [K] FLOP/s delivered
    tokens: Array  # [K] inference tokens/s relative to an H100
    power: Array  # [K] W with host and network
    h100e: Array  # [K]
    list_price: Array  # [K] USD
    stacks: Array  # [K] HBM stacks a package
    dies_per_package: Array  # [K]
    per_wafer: Array  # [K] packages a CoWoS wafer; 1 where packages are the unit
    gross: Array  # [D] dies a wafer
    area: Array  # [D] mm2
    salvage: Array  # [D] fraction
    die_of: Array  # [D, K]
    line_of: Array  # [F, K]
    memory_of: Array  # [2, K] world, China
    packaging_of: Array  # [3, K] CoWoS, other, China
    maker_of: Array  # [M, K] maker and pool
    ecosystem_of: Array  # [E, K]
    inherits_cuda: Array  # [K] share
    domestic: Array  # [K]
    korean: Array  # [K]
    nvidia: Array  # [K]
    open_market: Array  # [K] sold everywhere
    captive: Array  # [K] used by its maker
    defect_initial: Array  # [F] per cm2
    defect_floor: Array  # [F]
    learning_wafers: Array  # [F]
    chinese_line: Array  # [F]
    belief_of: Array  # [4, F] which belief places the line between its bounds
    delayed: Array  # [F] lines whose start may slip
    initial_maturity: Array  # [E] where known, else 0
    initial_cann: Array  # [E]
    initial_other: Array  # [E]
    initial_installed: Array  # [R, K]
    initial_largest: Array  # [R] log FLOP
    groups: Array  # [G, K] reported groups of products
    smuggling_weight: Array  # [H]
    rental_weight: Array  # [H]
    hub_region: Array  # [R, H]
    demand_share: Array  # [R] of spending outside China; 0 for China
    china: Array  # [R] one-hot
    usa: Array  # [R] one-hot
    korea: Array  # [R] one-hot
    hbm_customer: Array  # [C, K] customers of Korean HBM


@pytree
@dataclass(frozen=True)
class Months:
    """Everything dated, month first."""

    index: Array  # [T] months since the start
    year: Array  # [T] years since 2022-01
    past: Array  # [T] 1 until the data cut-off
    mix: Array  # [T, K] share of the maker's pool before the tilt
    scrap: Array  # [T, K] share of unsold units scrapped
    age: Array  # [T, K] years since release
    ai_share: Array  # [T, F] share of a line's wafers for accelerators
    bank_inflow: Array  # [T, D] share of the die bank arriving
    quota: Array  # [T, K] units a month to China; inf where free
    case_by_case: Array  # [T, K] 1 where the quota is the default of case-by-case review
    fee: Array  # [T, K] share of price
    stance: Array  # [T, K] log-points code of the importing side: share of `stance_penalty`
    blocked: Array  # [T, K] 1 where China blocks imports
    controlled: Array  # [T, K] 1 where the direct channel to China is restricted
    access: Array  # [T, R, K] log-points friction of the licence in other regions
    enforcement: Array  # [T]
    location: Array  # [T] 0/1
    rental_control: Array  # [T]
    hbm_control: Array  # [T]
    equipment: Array  # [T]
    hub_licence: Array  # [T, H]
    hub_enforcement: Array  # [T, H]
    capacity_investment: Array  # [T]
    subsidy: Array  # [T]
    domestic_floor: Array  # [T]
    korea_hbm: Array  # [T]
    korea_budget: Array  # [T]
    korea_domestic: Array  # [T]
    yield_lever: Array  # [T]
    hbm_domestic: Array  # [T]
    algorithms: Array  # [T]
    compatibility: Array  # [T]
    tokens_growth: Array  # [T] cumulative factor
    us_capex: Array  # [T]
    china_capex: Array  # [T]
    edge_shift: Array  # [T] added to the edge share


@pytree
@dataclass(frozen=True)
class Band:
    """A dated belief: `central` [T], and the log distance of the lower and upper bound in standard deviations [T]."""

    central: Array
    low: Array
    high: Array


@pytree
@dataclass(frozen=True)
class Inputs:
    """All that `simulate` needs besides parameters; `bands` are dated beliefs by the name of their series.

    A band is read at the score of the parameter that `BELIEFS` names.
    """

    products: Products
    months: Months
    bands: dict[str, Band]
    lines: Band  # [T, F] wafers a month


def as_arrays(record: Any) -> Any:
    """The same pytree with every leaf a float64 (or integer) NumPy array."""
    return jax.tree.map(lambda leaf: np.asarray(leaf), record)
