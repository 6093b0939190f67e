"""Streaming screening: bad lines are named and harm nothing but themselves."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from chipweir.errors import InputError, UnknownName
from chipweir.rules._batch import MAX_LINE, batch


GOOD = {"item": {"chip": "H20"}, "to": "CN", "export_date": "2025-05-01", "exporter": "NVIDIA"}


def write(path: Path, lines: list[Any]) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("{", "not valid JSON"),
        ("[1, 2]", "expected a mapping"),
        ('"H20"', "expected a mapping"),
        ("null", "expected a mapping"),
        ('{"item": {"tpp": NaN}, "to": "CN"}', "NaN is not a number"),
        ('{"item": {"tpp": 1e999, "pd": 1}, "to": "CN"}', "number"),
        ({**GOOD, "item": {"chip": "H2O0"}}, "unknown chip"),
        ({**GOOD, "item": {"chip": ""}}, "unknown chip"),
        ({**GOOD, "item": {}}, "nothing to classify"),
        ({**GOOD, "item": {"chip": 20}}, "expected text"),
        ({**GOOD, "item": {"tpp": -1}}, "below 0"),
        ({**GOOD, "item": {"tpp": "many"}}, "expected a number"),
        ({**GOOD, "item": {"tpp": True}}, "expected a number"),
        ({**GOOD, "item": {"tpp": [1]}}, "expected a number"),
        ({**GOOD, "item": {"tpp": 1, "die": 3}}, "unknown item field 'die'"),
        ({**GOOD, "item": {"contains": []}}, "empty"),
        ({**GOOD, "item": {"contains": "H20"}}, "expected a list"),
        ({**GOOD, "item": {"contains": [[]]}}, "expected a chip"),
        ({**GOOD, "item": {"modes": [{"tops": 1}]}}, "tops, bits"),
        ({**GOOD, "item": {"dies": [3]}}, "expected a mapping"),
        ({**GOOD, "item": {"spec": "toaster"}}, "toaster"),
        ({**GOOD, "to": "XX"}, "unknown country 'XX'"),
        ({**GOOD, "to": 7}, "expected a country"),
        ({**GOOD, "to": None}, "'to' is missing"),
        ({**GOOD, "export_date": "2025-02-30"}, "is not a date"),
        ({**GOOD, "export_date": "yesterday"}, "is not a date"),
        ({**GOOD, "export_date": 20250501}, "is not a date"),
        ({**GOOD, "route": "teleport"}, "teleport"),
        ({**GOOD, "mode": "strict"}, "unknown mode"),
        ({**GOOD, "regime": "EU"}, "unknown regime"),
        ({**GOOD, "end_user_type": "militery"}, "did you mean military"),
        ({**GOOD, "certifications": ["us lab tset"]}, "unknown certification"),
        ({**GOOD, "ownership": 150}, "more than the whole"),
        ({**GOOD, "ownership": {"shares": 3}}, "unknown ownership field"),
        ({**GOOD, "destination": "CN"}, "unknown field 'destination'"),
        ("[" * 5000, "line 2"),
        ("{" * 100000, "line 2"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_decided(tmp_path: Path, bad: Any, says: str) -> None:
    rows = list(batch(write(tmp_path / "b.jsonl", [GOOD, bad, GOOD])))
    assert [row.line for row in rows] == [1, 2, 3]
    assert rows[0].decision is not None
    assert rows[2].decision is not None
    assert rows[0].decision == rows[2].decision
    assert rows[1].decision is None
    assert says in rows[1].error
    assert rows[1].error.startswith("line 2")
    assert "\n" not in rows[1].error


def test_bytes_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\n\xff\xfe\x00\n\n" + json.dumps(GOOD).encode() + b"\r\n"
    )
    rows = list(batch(path))
    assert [row.line for row in rows] == [1, 2, 4]
    assert "not UTF-8" in rows[1].error
    assert rows[2].decision is not None


def test_an_endless_line_is_skipped_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    with path.open("wb") as stream:
        stream.write(b'{"item": "')
        for _ in range(60):
            stream.write(b"x" * 1_000_000)
        stream.write(b'"}\n' + json.dumps(GOOD).encode() + b"\n")
    list(batch(write(tmp_path / "warm.jsonl", [GOOD])))
    tracemalloc.start()
    rows = list(batch(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert f"longer than {MAX_LINE:,}" in rows[0].error
    assert rows[1].decision is not None
    assert peak < 20_000_000


def test_rows_stream(tmp_path: Path) -> None:
    rows = batch(write(tmp_path / "b.jsonl", [GOOD] * 1000), trace=False)
    first = next(rows)
    assert first.line == 1
    rows.close()  # type: ignore[attr-defined]


def test_csv_with_items_of_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text(
        "id,chip,tpp,pd,contains,modes,from,to,export_date,hq,certifications,quantity,dc\n"
        "1,H20,,,,,US,CN,2025-05-01,,,,\n"
        "2,,2400,1.6,,,US,CN,2024-05-01,,,,\n"
        "3,,,,H100;A30,,US,SG,2024-05-01,CN,,,\n"
        "4,,,,,600@8;250@16,US,CN,2024-05-01,,,,\n"
        "5,H200,,,,,US,CN,2026-02-01,,all,,\n"
        "6,H200,,,,,US,CN,2026-02-01,,kyc;half_cap,,\n"
        "7,,4799,20,,,US,CN,2024-02-01,,,,no\n"
        '8,H20,,,,,US,CN,2025-05-01,,,"3,000",\n'
        "9,H20,,,,,US,CN,2025-05-01\n"
        '10,,,,"[{""chip"": ""H20"", ""quantity"": 8}]",,US,MY,2024-05-01,MY,,,\n',
        encoding="utf-8",
    )
    rows = {row.line - 1: row for row in batch(path)}
    eccns = {n: row.decision.eccn for n, row in rows.items() if row.decision}
    assert eccns == {
        1: "not_3A090", 2: "3A090.b", 3: "4A090.a", 4: "3A090.a", 5: "3A090.a", 6: "3A090.a", 7: "not_3A090",
        10: "not_3A090",
    }  # fmt: skip
    assert rows[5].decision.review == "case_by_case"  # type: ignore[union-attr]
    assert rows[6].decision.review == "presumption_of_denial"  # type: ignore[union-attr]
    assert "expected a number" in rows[8].error
    assert "columns" in rows[9].error


def test_csv_header_is_checked_before_anything_is_decided(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text("chip,destinatoin\nH20,CN\n", encoding="utf-8")
    with pytest.raises(UnknownName, match="destinatoin"):
        list(batch(path))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        list(batch(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match="cannot read"):
        list(batch(tmp_path))
    empty = tmp_path / "empty.csv"
    empty.touch()
    assert list(batch(empty)) == []


def test_defaults_fill_what_lines_leave_out(tmp_path: Path) -> None:
    lines = [{"item": "H100", "to": "MY", "hq": "MY"}, {"item": "H100", "to": "MY", "hq": "MY", "mode": "enforced"}]
    path = write(tmp_path / "b.jsonl", lines)
    rows = list(batch(path, defaults={"export_date": "2025-06-01", "mode": "as_written"}))
    assert [row.decision.licence for row in rows if row.decision] == ["yes", "no"]
