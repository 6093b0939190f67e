"""Cases that a lawyer can read: item, shipment, what is expected, why, and where it stands."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from chipweir.rules import Shipment, classify, decide, shipped


CASES = Path(__file__).parent / "cases"
WORDS = {True: "yes", False: "no"}
ABOUT_CASE = {"name", "expect", "why", "cite", "date"}


def _cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += [pytest.param(case, id=f"{path.stem}: {case['name']}") for case in table]
    return found


def _answer(case: dict[str, Any]) -> dict[str, Any]:
    if "to" not in case:
        return classify(case["item"], case["date"]).to_dict()
    fields = {key: value for key, value in case.items() if key not in ABOUT_CASE}
    return decide(Shipment.of({**fields, "export_date": case["date"]})).to_dict()


@pytest.mark.parametrize("case", _cases())
def test_case(case: dict[str, Any]) -> None:
    answer = _answer(case)
    for key, wanted in case["expect"].items():
        expected = WORDS[wanted] if key == "licence" and isinstance(wanted, bool) else wanted
        assert answer[key] == expected, f"{key}: {answer[key]!r}, expected {expected!r} because {case['why']}"


def test_every_case_says_why_and_cites_a_known_source() -> None:
    sources = shipped().sources
    cases = [parameter.values[0] for parameter in _cases()]
    assert len(cases) >= 150
    for case in cases:
        assert case["expect"], case["name"]
        assert case["why"], case["name"]
        assert case["cite"] in sources, case["name"]
        assert isinstance(case["date"], date), case["name"]


def test_case_names_are_unique_within_a_file() -> None:
    for path in CASES.glob("*.yaml"):
        names = [case["name"] for case in yaml.safe_load(path.read_text(encoding="utf-8"))]
        repeated = {name for name in names if names.count(name) > 1}
        assert repeated <= {"the day before"}, path
