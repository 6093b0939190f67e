"""Settings of all tests: the same generated examples in every run, so that a result depends on the code alone."""

from hypothesis import settings


settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
