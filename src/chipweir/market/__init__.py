"""Who buys what: choice, clearing with two levels of premia, smuggling routes and remote rental.

Pure JAX functions on arrays; no names, dates or files. Used by `world` inside its monthly step.
"""

from chipweir.market._clearing import Cleared, Market, Premia, clear
from chipweir.market._routes import offshore_capacity, route_capacity, route_cost


__all__ = ["Cleared", "Market", "Premia", "clear", "offshore_capacity", "route_capacity", "route_cost"]
