"""Frozen records of arrays that JAX walks, and the names of the axes that their types carry.

Axes, in this order everywhere: month T, product K, region R, hub H, workload W, ecosystem E, foundry line F, die type D,
maker and pool M, HBM vendor V, class of the rules C, access group G, bloc of token and software markets B (world, China).
A field is written `Float[Array, " R K"]`; `axes_of` gives what a test checks.
"""

import os
from dataclasses import fields
from typing import TypeVar

import jax


# float64 unless single precision is asked for by CHIPWEIR_PRECISION=32 (measured against float64 in the tests).
jax.config.update("jax_enable_x64", os.environ.get("CHIPWEIR_PRECISION", "64") != "32")  # type: ignore[no-untyped-call]

T = TypeVar("T")


def pytree(cls: type[T]) -> type[T]:
    """Register a frozen dataclass as a JAX pytree whose fields are all data."""
    jax.tree_util.register_dataclass(cls, [field.name for field in fields(cls)], [])  # type: ignore[arg-type]
    return cls
