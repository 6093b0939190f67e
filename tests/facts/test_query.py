"""SQL sees every table, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from chipweir import facts
from chipweir.errors import InputError
from chipweir.facts._query import query, tables


FACTS = facts.load()


def test_all_tables_are_there_in_full() -> None:
    for name, count in (("chips", len(FACTS.chips)), ("facts", len(FACTS.facts)), ("entities", len(FACTS.entities))):
        assert query(FACTS, f"SELECT count(*) FROM {name}").rows == ((count,),)
    wanted = {"chips", "systems", "models", "facts", "events", "prices", "sources", "entities", "aliases", "conflicts"}
    assert wanted <= set(tables(FACTS))


def test_joins_across_tables() -> None:
    sql = """
        SELECT s.id, s.n_chips * c.bf16_tflops / 1000 AS pflops
        FROM systems s JOIN chips c ON s.chip = c.id WHERE s.id = 'huawei-cloudmatrix-384'
    """
    ((identifier, pflops),) = query(FACTS, sql).rows
    assert (identifier, pflops) == ("huawei-cloudmatrix-384", pytest.approx(288.768))


def test_columns_of_the_same_name_are_told_apart() -> None:
    assert query(FACTS, "SELECT 1 AS a, 2 AS a").columns == ("a", "a_2")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "SELECT content FROM read_text('/etc/hostname')",
        "COPY chips TO 'stolen.csv'",
        "ATTACH 'stolen.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "DELETE FROM chips",
        "WITH gone AS (DELETE FROM chips RETURNING id) SELECT * FROM gone",
        "DROP TABLE chips",
        "SELECT 1; SELECT 2",
        "SELEC 1",
        "SELECT nothing FROM chips",
        "SELECT * FROM FACTS_",
        "",
        ";",
    ],
)
def test_anything_but_one_reading_statement_is_refused(
    sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        query(FACTS, sql)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(InputError, match="LIMIT"):
        query(FACTS, "SELECT * FROM range(200000)")


def test_overrides_can_be_asked_for(overlay: Callable[..., Path]) -> None:
    text = "chip,quantity,central,unit,source,preferred\nnvidia-h20,memory_gb,141,GB,own-knowledge,yes\n"
    mine = facts.load([overlay(chip_values_csv=text)])
    ((kind, identifier, _, by),) = query(mine, "SELECT * FROM overrides").rows
    assert (kind, identifier) == ("value", "nvidia-h20.memory_gb")
    assert by.endswith("chip_values.csv:2")


def test_conflicts_hold_their_sides_as_json() -> None:
    ((sides,),) = query(FACTS, "SELECT \"values\" FROM conflicts WHERE id = 'smic-7nm-yield'").rows
    assert len(json.loads(sides)) == 5


SMALL = {"tables": {"t": [{"a": 1}]}, "most": 1000}


@pytest.mark.parametrize(
    ("sql", "seconds", "says"),
    [
        ("SELECT count(*) FROM range(90000000000) WHERE sin(range) > 2", 1, r"more than 1 seconds"),
        ("SELECT repeat('x', 300000000) || repeat('y', 300000000)", 120, r"memory|characters|broke down"),
        ("SELECT list(range) FROM range(500000000)", 120, r"memory|broke down"),
        ("SELECT repeat('x', 60000000)", 120, r"more than 50,000,000 characters"),
    ],
)
def test_a_query_has_an_end(monkeypatch: pytest.MonkeyPatch, sql: str, seconds: float, says: str) -> None:
    from chipweir.facts import _query
    from chipweir.reading import Confined

    # Less memory is used up sooner; but the answer of many characters must find room.
    memory = _query.MEMORY // (2 if says.endswith("characters") else 3)
    small = Confined(_query._SQL.function, seconds, memory)
    monkeypatch.setattr(_query, "_SQL", small)
    with pytest.raises(InputError, match=says) as caught:
        query(FACTS, sql)
    assert "\n" not in str(caught.value)
    small.seconds = 120
    assert query(FACTS, "SELECT 1").rows == ((1,),)
    small.close()


def test_queries_have_a_process_with_limits() -> None:
    from chipweir.facts import _query

    assert _query._SQL.function == "chipweir.reading._sql:answer"
    assert _query._SQL.seconds <= 60
    assert _query._SQL.memory <= 4 << 30
