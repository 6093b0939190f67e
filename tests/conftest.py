"""Settings of all tests: the same generated examples in every run, so that a result depends on the code alone."""

import os

from hypothesis import settings
from platformdirs import user_cache_path


settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

# What JAX compiles is kept, as the commands keep it: a test of an unchanged model compiles nothing.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(user_cache_path("chipweir") / "compiled"))
