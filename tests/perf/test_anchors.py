"""The document of known figures equals what the code says, and the figures that must come out do."""

from pathlib import Path

import pytest

from chipweir.perf._anchors import Anchor, anchors, markdown, training_anchors


DOCUMENT = Path(__file__).parents[2] / "docs" / "perf-anchors.md"


@pytest.fixture(scope="module")
def rows() -> list[Anchor]:
    return anchors()


def test_the_document_is_what_the_code_writes(rows: list[Anchor]) -> None:
    if not DOCUMENT.exists():
        pytest.skip("the documents are not part of an installed package")
    assert DOCUMENT.read_text(encoding="utf-8") == markdown(rows)


def test_exact_figures_are_reproduced(rows: list[Anchor]) -> None:
    exact = [row for row in rows if row.low == row.high and row.published == row.published and row.topic != "price"]
    assert len(exact) >= 6
    wrong = [row.quantity for row in exact if row.verdict != "reproduced" and "money" not in row.quantity]
    assert not wrong


def test_training_of_deepseek_v3_is_reproduced(rows: list[Anchor]) -> None:
    whole = next(row for row in rows if row.quantity == "DeepSeek-V3, whole run")
    assert whole.modelled == pytest.approx(2.788, rel=0.15)
    assert whole.low < 2.788 < whole.high


def test_h20_is_low_in_training_and_high_in_decode(rows: list[Anchor]) -> None:
    ranks = {row.quantity: row.modelled for row in rows if row.topic == "rank"}
    decode = [rank for quantity, rank in ranks.items() if "Llama" in quantity]
    assert decode
    assert max(decode) + 15 <= ranks["H20, rank in training"]


def test_a_verdict_needs_a_published_figure() -> None:
    blank = Anchor("t", "q", "u", float("nan"), "", 1.0, 0.5, 2.0)
    assert blank.verdict == ""
    assert Anchor("t", "q", "u", 1.05, "", 1.0, 0.5, 2.0).verdict == "reproduced"
    assert Anchor("t", "q", "u", 1.5, "", 1.0, 0.5, 2.0).verdict == "inside the interval"
    assert "missed" in Anchor("t", "q", "u", 3.0, "", 1.0, 0.5, 2.0).verdict
    assert callable(training_anchors)
