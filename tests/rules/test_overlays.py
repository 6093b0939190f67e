"""Hypothetical rules in the shipped schema; files written by others are bounded and strictly read."""

from pathlib import Path
from typing import Any

import pytest

from chipweir.errors import InputError
from chipweir.reading import parse_yaml, read_yaml
from chipweir.rules import Shipment, classify, decide, shipped, with_overlays


def ask(book: Any, item: Any, to: str, on: str, **fields: Any) -> Any:
    return decide(Shipment.of({"item": item, "to": to, "hq": to, "export_date": on, **fields}), book)


def test_a_moved_threshold() -> None:
    document = parse_yaml(
        """
title: 3A090.a at TPP 8000 from 2027
classification:
  - id: WHATIF/3A090.a
    paragraph: a
    since: 2027-01-01
    any_of: [{name: a.1, tests: [tpp >= 8000]}]
""",
        "overlay",
    ).data
    book = with_overlays([document])
    assert classify("L40S", "2026-12-31", book).eccn == "3A090.a"
    assert classify("L40S", "2027-01-01", book).eccn == "not_3A090"
    assert classify("H100", "2027-01-01", book).eccn == "3A090.a"
    assert classify("L40S", "2027-01-01").eccn == "3A090.a"
    assert ask(book, "H100", "CN", "2027-01-02").overlays == ("3A090.a at TPP 8000 from 2027",)


def test_malaysia_and_thailand_by_enacting_the_reported_draft() -> None:
    book = with_overlays([{"enact": [{"instrument": "US-2025-07P", "from": "2027-01-01"}]}])
    for to in ("MY", "TH"):
        assert ask(book, "H100", to, "2026-12-31").licence == "no"
        assert ask(book, "H100", to, "2027-01-01").licence == "yes"
        assert ask(shipped(), "H100", to, "2027-01-01").licence == "no"


def test_enforcing_ai_diffusion() -> None:
    book = with_overlays([{"enact": [{"instrument": "US-2025-01D", "from": "2027-01-01"}]}])
    assert ask(book, {"chip": "H100", "quantity": 9000}, "BR", "2026-12-31").licence == "no"
    enforced = ask(book, {"chip": "H100", "quantity": 9000}, "BR", "2027-01-01")
    assert (enforced.licence, enforced.review) == ("yes", "presumption_of_approval")


def test_ending_a_rule_and_an_instrument() -> None:
    book = with_overlays([{"end": [{"rule": "US-2025-04L", "from": "2027-01-01"}]}])
    assert ask(book, "H20", "CN", "2026-12-31", exporter="NVIDIA").licence == "yes"
    assert ask(book, "H20", "CN", "2027-01-01", exporter="NVIDIA").licence == "no"
    book = with_overlays([{"end": [{"rule": "US-2023-10/headquarters", "from": "2027-01-01"}]}])
    assert ask(book, "L40S", "SG", "2027-01-01", hq="CN").licence == "no"
    assert ask(book, "L40S", "CN", "2027-01-01").licence == "yes"


def test_groups_move_by_date() -> None:
    book = with_overlays([{"groups": {"D:1": {"changes": [{"from": "2027-01-01", "add": ["MY"]}]}}}])
    assert ask(book, "H100", "MY", "2026-12-31").licence == "no"
    moved = ask(book, "H100", "MY", "2027-01-01")
    assert (moved.licence, moved.review) == ("yes", "presumption_of_approval")
    assert ask(book, "H100", "VN", "2027-01-01").licence == "yes"


def test_location_verification_as_a_flag() -> None:
    flag = {
        "id": "location_verification",
        "since": "2027-01-01",
        "condition": {"classes": ["a"], "not_to": ["US"]},
        "text": "location must be verified",
    }
    book = with_overlays([{"flags": [flag]}])
    assert "location_verification" in ask(book, "H100", "KR", "2027-01-01").flags
    assert "location_verification" not in ask(book, "H100", "KR", "2026-12-31").flags


def test_overlays_stack_and_leave_the_shipped_rules_alone() -> None:
    first = {"groups": {"D:1": {"changes": [{"from": "2027-01-01", "add": ["MY"]}]}}}
    second = {"groups": {"D:1": {"changes": [{"from": "2027-02-01", "remove": ["MY"]}]}}}
    book = with_overlays([first, second])
    assert [ask(book, "H100", "MY", day).licence for day in ("2027-01-15", "2027-02-15")] == ["yes", "no"]
    assert ask(shipped(), "H100", "MY", "2027-01-15").licence == "no"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"clasification": []}, "did you mean classification"),
        ({"classification": [{"id": "x", "paragraph": "a", "any_off": []}]}, "any_off"),
        ({"classification": [{"id": "x", "paragraph": "z"}]}, "unknown paragraph"),
        ({"classification": [{"id": "x", "paragraph": "a", "any_of": [["tppp >= 3"]]}]}, "did you mean tpp"),
        ({"classification": [{"id": "x", "paragraph": "a", "any_of": [["tpp => 3"]]}]}, "cannot read the test"),
        ({"classification": [{"id": "x", "paragraph": "a", "any_of": [[]]}]}, "always hold"),
        ({"classification": [{"paragraph": "a"}]}, "needs an id"),
        ({"classification": {"id": "x"}}, "expected a list"),
        ({"requirements": [{"id": "x", "condition": {"to": ["Mordor"]}}]}, "Mordor"),
        ({"requirements": [{"id": "x", "condition": {"to": "MY"}}]}, "expected a list"),
        ({"requirements": [{"id": "x", "review": "presumption_of_denail"}]}, "did you mean presumption_of_denial"),
        ({"requirements": [{"id": "x", "since": "2027-13-01"}]}, "is not a date"),
        ({"requirements": [{"id": "x", "since": "2027-02-01", "until": "2027-01-01"}]}, "before since"),
        ({"requirements": [{"id": "x", "exceptions": ["NACC"]}]}, "did you mean"),
        ({"requirements": [{"id": "x", "condition": {"end_user_types": ["army"]}}]}, "army"),
        ({"enact": [{"instrument": "US-2025-07", "from": "2027-01-01"}]}, "US-2025-07P"),
        ({"end": [{"rule": "nonsense", "from": "2027-01-01"}]}, "nonsense"),
        ({"tariffs": [{"id": "x", "rate": 25, "tpp": [1, 2], "mem_bw_gbps": [1, 2]}]}, "cannot exceed 1"),
        ([], "expected a mapping"),
        ("text", "expected a mapping"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(document: Any, says: str, tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    import yaml

    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        with_overlays([path])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_yaml_files_that_cannot_be(tmp_path: Path) -> None:
    big = tmp_path / "big.yaml"
    big.write_text("a: 1\n" * 300_000, encoding="utf-8")
    with pytest.raises(InputError, match="at most 1,000,000"):
        read_yaml(big)
    with pytest.raises(InputError, match="cannot read"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="directory"):
        read_yaml(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: \xe4")
    with pytest.raises(InputError, match="UTF-8"):
        read_yaml(latin)
