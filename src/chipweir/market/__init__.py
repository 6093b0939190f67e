"""Who buys what: budgets, choice, clearing with two levels of premia, makers' prices, smuggling routes and remote rental.

Pure JAX functions on arrays; no names, dates or files. `world` calls `market_month` inside its monthly step.
"""

from chipweir.market._clearing import Cleared, Market, Premia, clear
from chipweir.market._month import SWEEPS, allowed_sales, market_month
from chipweir.market._offers import budgets, maturity_of, offers
from chipweir.market._prices import NORMAL_STOCK, posted_price
from chipweir.market._routes import offshore_capacity, route_capacity, route_cost
from chipweir.market._state import Believed, Dated, Goods, Sold, State


__all__ = [
    "NORMAL_STOCK",
    "SWEEPS",
    "Believed",
    "Cleared",
    "Dated",
    "Goods",
    "Market",
    "Premia",
    "Sold",
    "State",
    "allowed_sales",
    "budgets",
    "clear",
    "market_month",
    "maturity_of",
    "offers",
    "offshore_capacity",
    "posted_price",
    "route_capacity",
    "route_cost",
]
