"""The world room: scenarios, the state and its monthly step, parameters, ensembles.

Names are imported when first used, so that commands which only read scenarios start without JAX or xarray.
"""

from importlib import import_module
from typing import Any


_HOMES = {
    "Inputs": "_state",
    "Parameter": "_parameters",
    "State": "_state",
    "assemble": "_assemble",
    "draw": "_parameters",
    "parameters": "_parameters",
    "run_ensemble": "_ensemble",
    "simulate": "_simulate",
    "variables": "_ensemble",
    "labels": "_assemble",
    "DEFAULT_RUN": "_scenario",
    "LAW": "_levers",
    "PRODUCT_CLASSES": "_levers",
    "Lever": "_levers",
    "Scenario": "_scenario",
    "control_class": "_levers",
    "find_lever": "_levers",
    "lever_table": "_levers",
    "levers": "_levers",
    "load_scenario": "_scenario",
    "needed_bytes": "_ensemble",
    "task_name": "_ensemble",
    "parse_scenario": "_scenario",
    "preset_names": "_scenario",
    "resolved_scenario": "_scenario",
    "scenario_schema": "_scenario",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
