"""The committed simulation-based calibration: its verdict is that of its ranks, and they are uniform."""

import json
from pathlib import Path

import numpy as np
from scipy.stats import chisquare


FOUND = json.loads((Path(__file__).parents[2] / "docs" / "results" / "sbc.json").read_text(encoding="utf-8"))


def test_ranks_are_uniform_for_nine_parameters_in_ten() -> None:
    ranks = np.array(FOUND["ranks"])
    assert ranks.shape == (FOUND["sets"], FOUND["parameters"])
    assert ranks.min() >= 0
    assert ranks.max() <= 19
    counts = [np.histogram(column, 5, (-0.5, 19.5))[0] for column in ranks.T]
    uniform = float(np.mean([chisquare(count).pvalue > 0.01 for count in counts]))
    assert uniform == FOUND["uniform"]
    assert uniform >= 0.9
    assert FOUND["uniform_of_informed"] >= 0.9


def test_nothing_is_said_of_more_than_was_asked() -> None:
    assert 10 <= FOUND["informed"] <= FOUND["parameters"]
    assert np.isclose(sum(FOUND["pooled_ranks_of_informed"]), 1, atol=1e-3)
