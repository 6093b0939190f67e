"""Scoring against a ledger: what counts as found, right and false."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from chipweir.errors import InputError
from chipweir.evidence import Quantity, evaluate
from chipweir.evidence._eval import same_entity, score_quantities, value_right


ARTICLE = "2025-08-30  홍길동 기자\n화웨이는 27일 어센드 384개를 쓴 시스템에 10억 달러를 들였다. 두 걸음 전진이다."


def quantity(surface: str, kind: str, value: Any, unit: str, **more: Any) -> dict[str, Any]:
    start = ARTICLE.index(surface)
    return {
        "surface": surface,
        "type": kind,
        "value": value,
        "unit": unit,
        "char": [start, start + len(surface)],
        **more,
    }


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger of one article beside the article."""
    (tmp_path / "a.txt").write_text(ARTICLE, encoding="utf-8")
    rows = [
        quantity("2025-08-30", "date", "2025-08-30", "date"),
        quantity("27일", "date", "2025-08-27", "date"),
        quantity("384개", "count", 384, "chip"),
        quantity("10억 달러", "money", 1e9, "USD"),
        quantity("두 걸음", "idiom", 2, "count", extract=False),
    ]
    claim = {
        "id": "s0-01",
        "seed": "a.txt",
        "span": "10억 달러",
        "subject": ["org:huawei", "system:cloudmatrix-384"],
        "quantity": rows,
        "char": [0, 5],
    }
    file = tmp_path / "claims.yaml"
    file.write_text(
        yaml.safe_dump({"claims": [claim], "issues": [{"id": "i-01"}]}, allow_unicode=True), encoding="utf-8"
    )
    return file


def test_a_perfect_score(ledger: Path) -> None:
    total = evaluate(ledger, ledger.parent)["total"]
    assert (total["gold"], total["found"], total["right"], total["false"]) == (4, 4, 4, 0)
    assert (total["entities_gold"], total["entities_found"]) == (2, 2)
    assert total["misses"] == ["name linked in error: huawei-ascend"]


def test_hooks_are_called_and_summed(ledger: Path) -> None:
    result = evaluate(
        ledger,
        ledger.parent,
        frames=lambda extraction, claims: {"right": len(claims), "figures": len(extraction.quantities)},
        issues=lambda extractions, issues: {"known": len(issues), "articles": len(extractions)},
    )
    assert result["frames"] == {"right": 1, "figures": 4}
    assert result["issues"] == {"known": 1, "articles": 1}


def made(start: int, end: int, value: Any, unit: str, kind: str = "count", **more: Any) -> Quantity:
    return Quantity(start, end, "", kind, value, more.pop("low", None), more.pop("high", None), unit, **more)


def test_one_figure_answers_for_one_annotation() -> None:
    wanted = [
        {"surface": "a", "char": [0, 4], "value": 1, "unit": "count"},
        {"surface": "b", "char": [2, 6], "value": 2, "unit": "count"},
    ]
    score = score_quantities([made(0, 6, 1, "count"), made(8, 9, 5, "count")], wanted)
    assert (score.found, score.right, score.false) == (1, 1, 1)


def test_wrong_values_units_and_bases_are_wrong() -> None:
    row = {"value": 10, "unit": "USD/1e6 token"}
    assert value_right(made(0, 1, 10, "USD", "money", basis="per_1e6_token"), row)
    assert not value_right(made(0, 1, 10, "USD", "money"), row)
    assert not value_right(made(0, 1, 11, "USD", "money", basis="per_1e6_token"), row)
    assert not value_right(made(0, 1, 10, "KRW", "money", basis="per_1e6_token"), row)


def test_a_value_inside_annotated_limits_is_right() -> None:
    assert value_right(made(0, 1, 50, "ratio"), {"value": 45, "low": 20, "high": 99, "unit": "ratio"})
    assert not value_right(made(0, 1, 150, "ratio"), {"value": 45, "low": 20, "high": 99, "unit": "ratio"})


def test_dates_are_right_where_most_days_are_shared() -> None:
    early = made(0, 1, "2025-01", "date", "date", low="2025-01-01", high="2025-03-31")
    assert value_right(early, {"value": "2025-04", "low": "2025-01-01", "high": "2025-04-30", "unit": "date"})
    assert not value_right(early, {"value": "2025", "unit": "date"})
    assert not value_right(early, {"value": 2025, "unit": "count"})


@pytest.mark.parametrize(
    ("label", "identity", "same"),
    [
        ("chip:nvidia-h20", "nvidia-h20", True),
        ("chip:ascend-910c", "huawei-ascend-910c", True),
        ("gov:us", "us-government", True),
        ("gov:us", "china", False),
        ("model:gpt-4", "openai-gpt-4", True),
        ("model:gpt-4", "openai-gpt-4o", False),
    ],
)
def test_ledger_labels_and_ids(label: str, identity: str, same: bool) -> None:
    assert same_entity(label, identity) is same


@pytest.mark.parametrize(
    ("content", "said"),
    [("claims: {", "not valid YAML"), ("a: 1", "no list 'claims'"), ("claims: [{id: x}]", "no 'seed'")],
)
def test_bad_ledgers(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "claims.yaml").write_text(content)
    with pytest.raises(InputError, match=said) as caught:
        evaluate(tmp_path / "claims.yaml", tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_ledger_folder_and_article(tmp_path: Path, ledger: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        evaluate(tmp_path / "none.yaml", tmp_path)
    with pytest.raises(InputError, match="no folder"):
        evaluate(ledger, tmp_path / "none")
    (tmp_path / "a.txt").unlink()
    with pytest.raises(InputError, match=r"a\.txt"):
        evaluate(ledger, tmp_path)
