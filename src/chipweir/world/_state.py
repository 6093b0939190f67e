"""What the simulation carries from month to month, and what it takes in: frozen pytrees of arrays.

`Inputs` holds everything that names and dates decided; `State` stands at month ends; flows lie between. Axes: see
`chipweir.arrays`.
"""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from chipweir import market, supply
from chipweir.arrays import Array, pytree
from chipweir.world._accounts import Accounts


Parameters = dict[str, Array]


@pytree
@dataclass(frozen=True)
class Uses:
    """What a product is worth to whom uses it, and which reported groups it belongs to (0/1 where no unit is given)."""

    log_worth: Float[Array, "W K"]  # log of H100s at full software maturity, median
    loadings: Float[Array, "L W K"]  # log of worth per normal score of a factor of the performance estimates
    own_spread: Float[Array, "W K"]  # standard deviation of the log of worth that a product shares with no other
    training_flops: Float[Array, " K"]  # FLOP/s delivered
    tokens: Float[Array, " K"]  # inference relative to an H100
    power: Float[Array, " K"]  # W with host and network
    h100e: Float[Array, " K"]
    start: Float[Array, " K"]  # years from the first month to release
    nvidia: Float[Array, " K"]
    other_foreign: Float[Array, " K"]
    domestic: Float[Array, " K"]
    kinds: Float[Array, "I K"]  # weights of the sums in `world._outputs.KINDS`
    groups: Float[Array, "Q K"]
    law_of: Float[Array, "J K"]  # whose government can cut the chip off: US, China, Korea
    hbm_customer: Float[Array, "U K"]
    hub_region: Float[Array, "R H"]
    stack_of: Float[Array, "E K"]
    china: Float[Array, " R"]
    usa: Float[Array, " R"]
    korea: Float[Array, " R"]
    initial_maturity: Float[Array, " E"]  # where known, else 0
    initial_cann: Float[Array, " E"]
    initial_other: Float[Array, " E"]
    initial_developers: Float[Array, "B E"]
    initial_installed: Float[Array, "R K"]
    initial_largest: Float[Array, " R"]  # log FLOP
    official: Float[Array, ""]  # EFLOP/s of official Chinese counts for a million H100e
    official_legacy: Float[Array, ""]  # EFLOP/s of processors in them that the model does not count


@pytree
@dataclass(frozen=True)
class Products:
    """All that is fixed about products, lines and hubs, by the room that reads it. `goods.log_worth` is the median's."""

    fabs: supply.Fabs
    goods: market.Goods
    uses: Uses


@pytree
@dataclass(frozen=True)
class Calendar:
    """What the months bring to processes other than supply and the market, month first."""

    index: Float[Array, " T"]  # months since the start
    year: Float[Array, " T"]  # years since 2022-01
    future: Float[Array, " T"]  # 1 after the data cut-off
    algorithms: Float[Array, " T"]  # x drawn
    tokens_growth: Float[Array, " T"]  # cumulative factor
    thinking: Float[Array, " T"]  # x output tokens of the reference
    token_exports: Float[Array, " T"]  # x reference
    retaliation: Float[Array, " T"]  # 1 as in 2017
    dc_power: Float[Array, " T"]  # x plan for Korea
    us_outlay: Float[Array, " T"]  # x signed plan
    stockpile: Float[Array, " T"]  # days
    second_source: Float[Array, " T"]  # 0..1


@pytree
@dataclass(frozen=True)
class Months:
    """Everything dated, month first, by the room that reads it."""

    supply: supply.Dated
    market: market.Dated
    calendar: Calendar


@pytree
@dataclass(frozen=True)
class Band:
    """A dated belief: `central` [T], and the log distance of its bounds in standard deviations [T]."""

    central: Float[Array, " ..."]
    low: Float[Array, " ..."]
    high: Float[Array, " ..."]


@pytree
@dataclass(frozen=True)
class Events:
    """Policy that may come, in the order in which it is laid over the scenario; no event: leading axis 0.

    An event happens where its normal score lies below `threshold`, in the month `first + (last - first) x` its other score
    places it; from then on it sets what is not NaN for the products it `covers`.
    """

    threshold: Float[Array, " X"]
    first: Float[Array, " X"]  # months since the start
    last: Float[Array, " X"]
    covers: Float[Array, "X K"]
    quota: Float[Array, " X"]
    licensed: Float[Array, " X"]
    class_quota: Float[Array, "X C"]
    fee: Float[Array, " X"]
    stance: Float[Array, " X"]
    controlled: Float[Array, " X"]
    levers: Float[Array, "X Y"]  # values of the scalar levers in the order of `EVENT_LEVERS`


@pytree
@dataclass(frozen=True)
class Inputs:
    """All that `simulate` needs besides parameters; `bands` are dated beliefs by the name of their series.

    A band is read at the score path of the parameter that `believe` names.
    """

    products: Products
    months: Months
    bands: dict[str, Band]
    lines: Band  # [T, F] wafers a month
    knots: Float[Array, "T N"]  # weight of every half-yearly knot of a belief's path in a month
    events: Events
    first_month: Float[Array, ""]  # months from January to the first month simulated


@pytree
@dataclass(frozen=True)
class State:
    """Stocks at a month's end.

    - `accounts`: stocks of units, dies and stacks; `supply`, `market`: what these rooms carry.
    - `by_stack` [R, E] H100e in use by ecosystem; `maturity` [E]; `developers` [B, E] shares of ecosystems among
      developers, world and China; `quality` [K] log of what
      research has added to products not yet released; `earning`, `earning_reference` [2] log share of believed spending
      that NVIDIA and Chinese makers earn, smoothed, and at the cut-off.
    - `markup`, `load`, `revenue`, the two at the cut-off, and `unit_cost` [B]: token markets; `energised` [R] share of
      the stock that
      has power; `largest` [R] log FLOP; `retaliation` [] intensity, 1 as in 2017.
    """

    accounts: Accounts
    supply: supply.State
    market: market.State
    by_stack: Float[Array, "R E"]
    maturity: Float[Array, " E"]
    developers: Float[Array, "B E"]
    quality: Float[Array, " K"]
    earning: Float[Array, " 2"]
    earning_reference: Float[Array, " 2"]
    markup: Float[Array, " B"]
    load: Float[Array, " B"]
    load_reference: Float[Array, " B"]
    revenue: Float[Array, " B"]
    revenue_reference: Float[Array, " B"]
    unit_cost: Float[Array, " B"]
    energised: Float[Array, " R"]
    largest: Float[Array, " R"]
    retaliation: Float[Array, ""]


def as_arrays(record: Any) -> Any:
    """The same pytree with every leaf a float64 (or integer) NumPy array."""
    return jax.tree.map(lambda leaf: np.asarray(leaf, dtype=float), record)
