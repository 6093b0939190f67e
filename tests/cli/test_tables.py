"""Tables in the reader's language."""

import pytest

from chipweir.i18n import use_language
from chipweir.report import credibility_record


ROW = {
    "label": "Smuggled chips",
    "label_ko": "밀수 칩",
    "central": 140,
    "low": 10,
    "high": 500,
    "unit": "thousand chips",
    "bound": "",
    "echo": False,
    "prior": {"p10": 5.0, "p90": 400.0},
    "fitted": {"p10": 10.1, "p50": 55.5, "p90": 135.0},
}


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        (
            "en",
            ["Smuggled chips", "140 (10 – 500)", "thousand chips", "5 – 400", "10.1", "55.5", "135", "its range is"],
        ),
        ("ko", ["밀수 칩", "140 (10 – 500)", "천 개", "5 – 400", "10.1", "55.5", "135", "출처 범위"]),
    ],
)
def test_a_published_figure_stands_beside_what_the_model_believed(lang: str, expected: list[str]) -> None:
    with use_language(lang):
        assert list(credibility_record(ROW).values()) == expected


@pytest.mark.parametrize(
    ("changes", "published", "fits"),
    [
        ({"bound": "at_least", "low": 140, "high": 140}, "≥ 140", "no"),
        ({"bound": "at_most", "low": 140, "high": 140}, "≤ 140", "yes"),
        ({"echo": True}, "140 (10 – 500)", "input of the model"),
        ({"low": 136}, "140 (136 – 500)", "no"),
        ({"fitted": {"p10": 10.1, "p50": 55.5, "p90": 145.0}}, "140 (10 – 500)", "yes"),
    ],
)
def test_bounds_and_inputs_are_marked(changes: dict[str, object], published: str, fits: str) -> None:
    with use_language("en"):
        shown = list(credibility_record({**ROW, **changes}).values())
    assert shown[1] == published
    assert shown[-1] == fits
