"""What can be made: wafers, yield, dies, memory stacks and packaging become accelerators.

Pure JAX functions on arrays; no names, dates or files. Used by `world` inside its monthly step.
"""

from chipweir.supply._production import Production, pool_ratio, produce
from chipweir.supply._yield import defect_density, good_die_fraction, gross_dies, sellable_fraction


__all__ = [
    "Production",
    "defect_density",
    "good_die_fraction",
    "gross_dies",
    "pool_ratio",
    "produce",
    "sellable_fraction",
]
