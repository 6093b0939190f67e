"""The monthly step written a second time, in NumPy, gives the same states."""

import sys
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest

from chipweir.world import Inputs, draw


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["baseline", "open"])
def test_a_port_to_numpy_gives_the_same_states(
    inputs_of: Callable[[str], Inputs], monkeypatch: pytest.MonkeyPatch, scenario: str
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    from _numpy_baseline import check

    inputs = jax.tree.map(np.asarray, inputs_of(scenario))
    drawn = draw(4, seed=0)
    try:
        assert check(inputs, {name: float(values[1]) for name, values in drawn.items()}) < 1e-9
    finally:
        sys.modules.pop("_numpy_baseline", None)
