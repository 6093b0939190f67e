"""Settings of all tests: the same generated examples in every run, so that a result depends on the code alone."""

import gc
import os
import shutil

import pytest
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


CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium of the system."""
    path = os.environ.get("CHIPWEIR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium found: install Debian's chromium or set CHIPWEIR_CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()
