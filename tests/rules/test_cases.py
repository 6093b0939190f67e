"""The golden cases beside the rules: every one holds, says why, and is on the page of the documentation."""

import json
from pathlib import Path

import pytest

from chipweir.errors import InputError
from chipweir.rules import shipped
from chipweir.rules._book import LAW, law_files
from chipweir.rules._casebook import GoldenCase, answer, cases_page, golden, mismatches, read_table, wrong


DOCS = Path(__file__).parents[2] / "docs"
WITHOUT_CASES = {"groups", "sources"}


@pytest.mark.parametrize("case", golden(), ids=lambda case: f"{case.table}: {case.name}")
def test_case(case: GoldenCase) -> None:
    faults = wrong(case)
    assert not faults, f"{'; '.join(faults)} because {case.why}"


def test_every_version_of_the_rules_has_golden_results_beside_it() -> None:
    for path in law_files():
        beside = path.with_name(f"{path.stem}.golden.yaml")
        assert beside.exists() or path.stem in WITHOUT_CASES, path.name
    assert {path.name.partition(".")[0] for path in LAW.glob("*.golden.yaml")} <= {path.stem for path in law_files()}


def test_every_case_says_why_and_on_which_authority() -> None:
    assert len(golden()) >= 300
    for case in golden():
        assert case.why, case.name
        assert case.authority in shipped().sources or len(case.authority) > 8, case.name


def test_names_are_unique_within_a_table() -> None:
    names = [(case.table, case.name) for case in golden()]
    assert len(names) == len(set(names))


def test_the_committed_page_is_the_generated_one() -> None:
    assert (DOCS / "rules-cases.md").read_text(encoding="utf-8") == cases_page()


def test_a_case_that_does_not_hold_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "- {name: wrong, item: H100, from: US, to: CN, hq: CN, date: 2024-06-01, expect: {licence: no},\n"
        "   why: x, cite: FR23}\n"
        "- {name: right, item: H100, from: US, to: CN, hq: CN, date: 2024-06-01,\n"
        "   expect: {licence_in: [yes, unknown], review_not: case_by_case, basis_contains: US-2023-10, tpp: 15832,\n"
        "            conditions_not_contain: NAC, mentions: D:5}, why: x, cite: FR23}\n",
        encoding="utf-8",
    )
    false, right = read_table(path)
    assert mismatches(false, answer(false)) == wrong(false) == ["licence: 'yes', accepted 'no'"]
    assert mismatches(right, answer(right)) == []
    lines = tmp_path / "mine.jsonl"
    row = {"id": "a", "item": "H20", "to": "CN", "export_date": "2025-05-01", "expected": {"licence": "yes"}}
    lines.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert mismatches(read_table(lines)[0], answer(read_table(lines)[0])) == []


@pytest.mark.parametrize("text", ["", "a: 1\n", "- 3\n", "- {name: x, item: H20}\n"])
def test_what_is_no_table(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_table(path)
