"""Double precision as in the world's accounts, and no deadlines: the first call of a compiled function takes its time."""

from typing import Any

import by_hand
import pytest
from hypothesis import settings

import chipweir.world._state  # noqa: F401  switches JAX to float64


settings.register_profile("compiled", deadline=None, derandomize=True)
settings.load_profile("compiled")


@pytest.fixture
def p() -> dict[str, Any]:
    """Parameters near their medians."""
    return by_hand.members(by_hand.PARAMETERS)
