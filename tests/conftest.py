"""Settings of all tests: the same generated examples in every run, so that a result depends on the code alone."""

import gc
import os

from hypothesis import settings
from platformdirs import user_cache_path


settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

# What JAX compiles is kept, as the commands keep it: a test of an unchanged model compiles nothing.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(user_cache_path("chipweir") / "compiled"))


def pytest_collection_finish() -> None:
    """What the modules hold stays until the end: looking through it for garbage took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
