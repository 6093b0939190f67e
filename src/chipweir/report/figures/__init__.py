"""Figures of a run and of the rules, one set for report, notebook and page.

Called, a figure function returns a `plotly.graph_objects.Figure`; its `.spec` returns the same as a plain dictionary.
Texts are in the language in force (`chipweir.i18n.use_language`); `theme` is `light` or `dark`. A run that lacks a
variable raises `InputError` saying which.
"""

from chipweir.report.figures._flows import flows
from chipweir.report.figures._parts import binding, diversion, ecosystem_shares, maturity
from chipweir.report.figures._reliability import reliability
from chipweir.report.figures._rules import legal_history, timeline, tpp_plane
from chipweir.report.figures._strategy import (
    best_replies,
    box_limits,
    indices,
    parallel,
    regret_heat,
    shares_of_weights,
    tornado,
    winners_of_weights,
)
from chipweir.report.figures._time import (
    anything,
    compute,
    compute_by_origin,
    difference,
    korea_at_risk,
    korea_hbm,
    lag,
    largest_run,
    power,
    premium,
    production,
    ratio_to_us,
    share,
    smuggled,
    token_price,
    utilisation,
)


__all__ = [
    "anything",
    "best_replies",
    "binding",
    "box_limits",
    "compute",
    "compute_by_origin",
    "difference",
    "diversion",
    "ecosystem_shares",
    "flows",
    "indices",
    "korea_at_risk",
    "korea_hbm",
    "lag",
    "largest_run",
    "legal_history",
    "maturity",
    "parallel",
    "power",
    "premium",
    "production",
    "ratio_to_us",
    "regret_heat",
    "reliability",
    "share",
    "shares_of_weights",
    "smuggled",
    "timeline",
    "token_price",
    "tornado",
    "tpp_plane",
    "utilisation",
    "winners_of_weights",
]
