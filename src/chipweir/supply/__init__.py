"""What can be made: capacity, yield, dies, memory and packaging become accelerators, one month at a time.

Pure JAX functions on arrays; no names, dates or files. `world` calls `supply_month` inside its monthly step.
"""

from chipweir.supply._memory import KOREAN_SHARE_OF_IMPORTS, hbm_gate
from chipweir.supply._month import Orders, Stores, held_back, product_mix, supply_month
from chipweir.supply._production import Production, pool_ratio, produce
from chipweir.supply._state import Believed, Dated, Fabs, Made, State
from chipweir.supply._yield import defect_density, good_die_fraction, gross_dies, sellable_fraction


__all__ = [
    "KOREAN_SHARE_OF_IMPORTS",
    "Believed",
    "Dated",
    "Fabs",
    "Made",
    "Orders",
    "Production",
    "State",
    "Stores",
    "defect_density",
    "good_die_fraction",
    "gross_dies",
    "hbm_gate",
    "held_back",
    "pool_ratio",
    "produce",
    "product_mix",
    "sellable_fraction",
    "supply_month",
]
