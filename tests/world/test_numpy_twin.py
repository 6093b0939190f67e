"""The month written a second time, in plain NumPy: from the model's state before any month it gives the state after."""

from collections.abc import Callable

import numpy as np
import pytest
from _numpy_baseline import check, plain, simulate

from chipweir.world import Inputs, draw


# The model's month is in single precision.
SINGLE = 1e-3


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("scenario", ["baseline", "blockade", "open"])
def test_every_month_of_a_port_to_numpy_gives_the_models_states(
    inputs_of: Callable[[str], Inputs], scenario: str
) -> None:
    drawn = draw(4, seed=0)
    differences = check(inputs_of(scenario), {name: values[1] for name, values in drawn.items()}, SINGLE)
    assert len(differences) == 46  # every field of the state and of what it holds
    assert np.median(list(differences.values())) < 1e-5


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_eleven_years_of_the_port_stay_with_the_model(
    inputs_of: Callable[[str], Inputs], outcome: Callable[[str], dict[str, np.ndarray]]
) -> None:
    drawn, kept = draw(16, seed=0), outcome("baseline")
    _, own = simulate(plain(inputs_of("baseline")), {name: values[1] for name, values in drawn.items()})
    pairs = {"compute": "compute", "made": "made", "largest": "largest_run", "smuggled": "smuggled_by_hub"}
    for name, variable in pairs.items():
        theirs = kept[variable][1]
        np.testing.assert_allclose(own[name], theirs, rtol=0.03, atol=0.01 * theirs.max(), err_msg=name)
