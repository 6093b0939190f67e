"""Tables in the reader's language."""

import pytest

from chipweir.i18n import use_language
from chipweir.report import credibility_record


TARGET = {
    "label": "Smuggled chips",
    "label_ko": "밀수 칩",
    "central": 140,
    "low": 10,
    "high": 500,
    "unit": "thousand chips",
}
ROW = {"target": TARGET, "p05": 10.1, "p50": 55.5, "p95": 145.0, "inside": False, "overlap": True}


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("en", ["Smuggled chips", "140 (10 – 500)", "10.1", "55.5", "145", "thousand chips", "its range is"]),
        ("ko", ["밀수 칩", "140 (10 – 500)", "10.1", "55.5", "145", "천 개", "출처 범위"]),
    ],
)
def test_a_published_figure_stands_beside_what_the_model_believed(lang: str, expected: list[str]) -> None:
    with use_language(lang):
        assert list(credibility_record(ROW).values()) == expected
