"""The replications run, name their sources, and stand where the docs say they do."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("ifp_exports", "cnas_smuggling", "ai_2027_compute", "epoch_china_stock")


@pytest.fixture(scope="module")
def scripts() -> dict[str, ModuleType]:
    sys.path.insert(0, str(EXAMPLES))
    try:
        return {name: importlib.import_module(name) for name in (*NAMES, "replication")}
    finally:
        sys.path.remove(str(EXAMPLES))


def test_a_row_says_which_range_holds_which(scripts: dict[str, ModuleType]) -> None:
    row = scripts["replication"].row
    draws = np.linspace(90, 110, 101)
    assert row("a", "x", draws, 100, "own").covers
    assert row("a", "x", draws, 100, "own").covered is None
    wide = row("a", "x", draws, 120, "own", 95, 300)
    assert (wide.covers, wide.covered) == (False, True)
    assert "outside ours, our median inside the published range" in wide.verdict
    assert row("a", "x", draws, 120, "own", 105, 300).covered is False


def test_every_replication_is_in_the_docs_with_its_command() -> None:
    page = (EXAMPLES.parent / "docs" / "replications.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"python examples/{name}.py" in page
