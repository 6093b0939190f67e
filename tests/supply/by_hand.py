"""A supply side of four chips, two lines and two dies, made by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chipweir.supply import Believed, Dated, Fabs, Orders, State, Stores


# Two Chinese chips of one die and line, the second richer in memory, and two foreign ones on another line.
PARAMETERS = {
    "domestic_tools": 0.3, "domestic_tools_growth": 0.1, "equipment_effect": 0.4, "induced_innovation": 0.2,
    "capacity_realisation": 0.8, "tool_cover": 1.0, "tool_store": 12.0, "tool_wear": 0.06, "learning_exponent": 1.0,
    "defect_density_scale": 1.0, "defect_clustering": 2.5, "salvage_scale": 1.0, "china_ai_wafer_share": 1.0,
    "die_stock_months": 4.0, "die_bank": 2.7, "die_bank_release": 0.04, "packaging_realisation": 0.63,
    "unsold_months": 3.0, "hbm_leakage": 0.04, "memory_realisation": 0.5,
    "domestic_hbm_cost": 1.2, "hbm_price_ratio": 4.5, "hbm_trade_ratio": 3.0,
    "memory_elasticity": 0.6, "memory_speed": 0.17, "memory_orders": 0.8, "fab_ageing": 0.08,
}  # fmt: skip


def members(values: Any) -> Any:
    """The same record with an axis of one member last."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype=float)[..., None], values)


def fabs(**changed: Any) -> Fabs:
    home, abroad = np.array([1.0, 1, 0, 0]), np.array([0.0, 0, 1, 1])
    own = np.array([1.0, 0, 0, 0])
    known = {
        "gross": np.array([80.0, 80, 60, 60]), "area": np.array([666.0, 666, 800, 800]), "salvage": np.full(4, 0.1),
        "dies_per_package": np.array([1.0, 2, 1, 2]), "per_wafer": np.array([1.0, 1, 29, 15]),
        "stacks": np.array([4.0, 8, 6, 8]), "h100e": np.array([0.5, 1.0, 1.0, 2.5]),
        "die_of": np.array([home, abroad]), "line_of": np.array([home, abroad]),
        "packaging_of": np.array([abroad, np.zeros(4), home]), "maker_of": np.array([home, abroad]),
        "world_memory": abroad, "china_memory": home, "own_memory": own, "domestic": home, "bank_of": np.array([1.0, 0]),
        "chinese_line": np.array([1.0, 0]), "advanced": np.array([1.0, 0]), "line_belief": np.eye(2),
        "delayed": np.zeros(2), "defect_initial": np.array([0.4, 0.09]), "defect_floor": np.array([0.05, 0.07]),
        "learning_wafers": np.array([2.5e5, 1.5e6]), "wafer_price": np.array([1e4, 1.65e4]),
        "package_cost": np.array([450.0, 450, 1000, 1000]),
    }  # fmt: skip
    return members(Fabs(**{**known, **changed}))


def dated(**changed: Any) -> Dated:
    one = {
        "mix": np.array([0.6, 0.4, 0.7, 0.3]), "launch": np.zeros(4), "ordered": np.zeros(4),
        "ai_share": np.array([0.4, 0.6]), "bank_inflow": 0.0, "future": 1.0, "ahead": 1.0,
        "equipment": 1.0, "capacity_investment": 1.0, "yield_lever": 1.0,
        "hbm_domestic": 1.0, "hbm_control": 1.0, "hbm_to_china": 1.0, "hbm_withhold": 0.0, "hbm_capex": 1.0,
        "china_fabs": 1.0, "china_fab_tech": 0.0,
    }  # fmt: skip
    return members(Dated(**{**one, **changed}))


def believed(**changed: Any) -> Believed:
    one = {
        "lines": np.array([4e4, 1.3e5]), "growth": np.array([500.0, 1e3]), "cowos": 7e4, "other_packaging": 1e5,
        "china_packaging": 1e6, "hbm_skhynix": 8e6, "hbm_samsung": 5e6, "hbm_micron": 3e6, "hbm_import": 1e6,
        "hbm_cxmt": 1e6, "hbm_huawei": 5e5, "hbm_price": 350.0, "hbm_price_china": 250.0, "memory_demand": 1.0,
        "memory_sales": 1.2e10, "chinese_memory": 0.1,
    }  # fmt: skip
    return members(Believed(**{**one, **changed}))


def state(**changed: Any) -> State:
    one = {
        "capacity": np.array([4e4, 1.3e5]), "cumulative": np.array([5e5, 3e6]), "tools": 2e3, "upkeep": 1.0,
        "die_use": np.array([5e5, 0.0]), "korean_hbm": 1.0, "micron_hbm": 1.0, "memory_price": 0.0,
        "memory_capacity": 0.0, "memory_orders": 0.0, "china_fabs": 1.0, "fab_level": 1.0,
    }  # fmt: skip
    return members(State(**{**one, **changed}))


def stores(**changed: Any) -> Stores:
    return members(
        Stores(**{"unsold": np.zeros(4), "dies": np.array([1e6, 0.0]), "hbm": np.array([1e6, 2e5]), **changed})
    )


def orders(**changed: Any) -> Orders:
    one = {"sales": np.full(4, 1e6), "tilt": np.zeros(4), "scarcity": 0.0, "allowed": np.full(4, 1e12)}
    return members(Orders(**{**one, **changed}))
