"""What the market is given and carries: frozen records of arrays."""

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float

from chipweir.arrays import Array, pytree


@pytree
@dataclass(frozen=True)
class Goods:
    """What does not change from month to month about products and hubs (0/1 where no unit is given)."""

    log_worth: Float[Array, "W K"]  # log of H100s at full software maturity, drawn with the member
    list_price: Float[Array, " K"]  # USD at release
    power: Float[Array, " K"]  # W with host and network
    slots: Float[Array, " K"]  # places that a package takes in a smuggler's load, an H100 being one
    racked: Float[Array, " K"]  # share of it that comes in racks of many packages
    domestic: Float[Array, " K"]
    korean: Float[Array, " K"]
    open_market: Float[Array, " K"]  # sold everywhere
    captive: Float[Array, " K"]  # used by its maker, in the US
    diverted: Float[Array, " K"]  # what routes and hosts deal in where the direct channel is closed
    class_of: Float[Array, "C K"]  # class of the US rules; none for chips of Chinese or Korean makers
    stack_of: Float[Array, "E K"]  # native software ecosystem
    inherits_cuda: Float[Array, " K"]  # share
    smuggling_weight: Float[Array, " H"]  # size of a hub's routes
    rental_weight: Float[Array, " H"]  # size of its hosting
    china: Float[Array, " R"]  # one-hot
    usa: Float[Array, " R"]  # one-hot
    korea: Float[Array, " R"]  # one-hot
    buys_chinese: Float[Array, " R"]  # regions where Chinese chips are offered


@pytree
@dataclass(frozen=True)
class Dated:
    """What the months bring to the market, month first."""

    future: Float[Array, " T"]  # 1 after the data cut-off
    mix: Float[Array, "T K"]  # planned share; above 0 while a product is on sale
    scrap: Float[Array, "T K"]  # share of unsold units scrapped
    age: Float[Array, "T K"]  # years since release
    quota: Float[Array, "T K"]  # units a month on the direct channel to China
    pool_of: Float[Array, "T C K"]  # whose licences a product's sales to China count against; none where it needs none
    class_quota: Float[Array, "T C"]  # units a month of a pool; NaN is what reviewers pass by themselves
    fee: Float[Array, "T K"]  # share of price
    stance: Float[Array, "T K"]  # share of `stance_penalty`
    blocked: Float[Array, "T K"]  # 1 where China blocks imports
    controlled: Float[Array, "T K"]  # 1 where the direct channel to China is restricted
    open_days: Float[Array, "T K"]  # share of the month in which the direct channel stood open
    access_of: Float[Array, "T G K"]  # access group of every product outside China
    friction: Float[Array, "T G R"]  # log points that a licence costs there
    region_share: Float[Array, "T R"]  # spending relative to that of the US; 0 for the US and China
    enforcement: Float[Array, " T"]  # x 2025
    location: Float[Array, " T"]  # 0/1
    rental_control: Float[Array, " T"]  # share barred
    hub_licence: Float[Array, "T H"]  # 0/1
    hub_enforcement: Float[Array, "T H"]  # x 2025
    subsidy: Float[Array, " T"]  # share of price
    domestic_floor: Float[Array, " T"]  # share of state-funded spending
    compatibility: Float[Array, " T"]  # share
    chip_exports: Float[Array, " T"]  # how far China offers its chips abroad
    us_capex: Float[Array, " T"]  # x drawn
    china_capex: Float[Array, " T"]  # x drawn
    edge_shift: Float[Array, " T"]  # share of inference spending that moves to the edge
    training_shift: Float[Array, " T"]  # share of spending that moves to training
    public_korea: Float[Array, " T"]  # x plan
    korean_npus: Float[Array, " T"]  # share of public Korean spending


class Believed(NamedTuple):
    """The dated beliefs of one member that the market reads."""

    budget_us: Array  # USD a month
    budget_china: Array
    budget_korea_public: Array
    share_training: Array
    share_edge: Array


@pytree
@dataclass(frozen=True)
class State:
    """What the market carries from month to month, besides the units in makers' hands.

    - `sales` [K] smoothed units a month; `posted` [K] log of makers' prices over list.
    - `tilt` [K] log shift of makers' product mix; `scarcity` [] smoothed log premium of Chinese chips.
    - `product` [K], `class_` [C], `quota` [K], `route`, `offshore` [H]: logs of the clearing's scaling variables.
    - `routes` [H] places a month, `hosting` [H] W a month: capacity of smuggling routes and of hosts abroad.
    - `carried` [R, W] USD not spent; `reference` [R, W] log value for money that buyers are used to.
    """

    sales: Float[Array, " K"]
    posted: Float[Array, " K"]
    tilt: Float[Array, " K"]
    scarcity: Float[Array, ""]
    product: Float[Array, " K"]
    class_: Float[Array, " C"]
    quota: Float[Array, " K"]
    route: Float[Array, " H"]
    offshore: Float[Array, " H"]
    routes: Float[Array, " H"]
    hosting: Float[Array, " H"]
    carried: Float[Array, "R W"]
    reference: Float[Array, "R W"]


class Sold(NamedTuple):
    """Sales of the month by channel, in units, and the prices behind them."""

    direct: Array  # [R, K]
    to_china: Array  # [K] of these, to China
    smuggled: Array  # [K, H] as shipped
    rented: Array  # [K, H]
    seized: Array  # [K]
    price: Array  # [K] USD that makers ask
    premium: Array  # [K] log points of scarcity over it
    grey: Array  # [H] log points over the maker's price that routes earn
    spent: Array  # [R] USD
    wanted: Array  # [R, W] USD planned
    unmet: Array  # [] share of what buyers wanted to spend that was rationed
    residual: Array  # [] what the sweeps left, share of spending above a capacity
    unit_cost: Array  # [2] USD of purchase and five years of running per H100 of inference, world and China
    reached: Array  # [] H100e a month on Korean public orders of Korean NPUs, units
