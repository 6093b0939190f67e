"""Chipweir: an executable, sourced, uncertainty-aware model of the contest over AI chips.

The rooms are `facts`, `rules`, `perf`, `supply`, `market`, `world`, `calibration`, `strategy`, `evidence`, `report` and
`app`; each imports only from those before it. Nothing heavy is imported here, so that commands which do not simulate
start at once.
"""

__version__ = "0.2.0"
