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


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("ifp_exports", (True, None, None)),
        ("cnas_smuggling", (True, True)),
        ("ai_2027_compute", (None, None, True, None)),
        ("epoch_china_stock", (True, True)),
    ],
)
def test_replications_stand_where_the_docs_say(
    scripts: dict[str, ModuleType], name: str, covered: tuple[bool | None, ...]
) -> None:
    rows = scripts[name].replicate(48, 1)
    assert len(rows) == len(covered)
    for row, expected in zip(rows, covered, strict=True):
        assert np.isfinite([row.p05, row.p50, row.p95, row.published]).all()
        assert 0 < row.p05 < row.p50 < row.p95
        assert row.source
        if expected:  # the number of either side lies in the other's range
            assert row.covers or row.covered, row.what
    if name == "ifp_exports":
        own, leaks, b30a = rows
        # What is left out of the published ratio, and selling a better chip, both narrow the lead.
        assert leaks.p50 < own.p50
        assert b30a.p50 < 0.5 * own.p50
