"""Double precision as in the world, and no deadlines: the first call of a compiled function takes its time."""

from hypothesis import settings

import chipweir.world._state  # noqa: F401  switches JAX to float64


settings.register_profile("compiled", deadline=None, derandomize=True)
settings.load_profile("compiled")
