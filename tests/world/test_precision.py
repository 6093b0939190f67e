"""Single precision against double: the tolerance that `CHIPWEIR_PRECISION=32` is stated to hold."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest


Kept = Mapping[str, np.ndarray]

# Largest relative difference that single precision may make to the reported variables below, in any month.
TOLERANCE = 2e-3
VARIABLES = (
    "compute",
    "token_price",
    "largest_run",
    "production_domestic",
    "nvidia_revenue",
    "power_mw",
    "utilisation",
)

PROGRAM = """
import sys
import jax, numpy as np
from chipweir import facts
from chipweir.world import assemble, draw, load_scenario, simulate
inputs = assemble(load_scenario("baseline"), facts.load())
run = jax.jit(jax.vmap(lambda i, p: simulate(i, p)[1], in_axes=(None, 0)))
kept = run(inputs, draw(16, 0))
np.savez(sys.argv[1], **{name: np.asarray(kept[name]) for name in sys.argv[2:]})
"""


@pytest.mark.slow
def test_single_precision_agrees_with_double(outcome: Callable[[str], Kept], tmp_path: Path) -> None:
    target = tmp_path / "single.npz"
    names = (*VARIABLES, "compute_by_origin", "smuggled_units")
    environment = {**os.environ, "CHIPWEIR_PRECISION": "32"}
    subprocess.run([sys.executable, "-c", PROGRAM, str(target), *names], check=True, env=environment)
    single, double = np.load(target), outcome("baseline")
    for name in names:
        assert single[name].dtype == np.float32
        assert double[name].dtype == np.float64
    for name in VARIABLES:
        difference = np.abs(single[name] / double[name] - 1)[:, 12:]
        assert np.nanmax(difference) < TOLERANCE, name
    for name in ("compute_by_origin", "smuggled_units"):
        scale = np.maximum(double[name], 1000.0)
        assert np.max(np.abs(single[name] - double[name]) / scale) < 10 * TOLERANCE, name
