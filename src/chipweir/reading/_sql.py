"""One statement in DuckDB. Runs in a process with limits: see `chipweir.reading.Confined`. Plain data in and out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import duckdb


Cell = str | float | int | bool | None
MOST_CHARACTERS = 50_000_000
SETTINGS = (
    "temp_directory = ''",
    "enable_external_access = false",
    "python_enable_replacements = false",
    "lock_configuration = true",
)


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """`columns` and `rows` of the statement `sql` over `tables` (their `dates` as ISO texts), at most `most` rows.

    What is wrong with it comes as `error`.
    """
    connection = duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "1GB"})
    try:
        _fill(connection, question["tables"], question["dates"])
        for setting in SETTINGS:
            connection.execute(f"SET {setting}")
        statements = connection.extract_statements(question["sql"])
        reading = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
        if len(statements) != 1 or statements[0].type not in reading:
            return {"error": "exactly one SELECT statement is wanted; the tables are read-only"}
        connection.execute("BEGIN TRANSACTION READ ONLY")
        cursor = connection.execute(statements[0])
        columns = _unique([column[0] for column in cursor.description or []])
        return {"columns": columns} | _rows(cursor, question["most"])
    except duckdb.OutOfMemoryException:
        raise MemoryError from None  # the process is of no further use
    except duckdb.Error as error:
        return {"error": _one_line(str(error))[:500]}
    finally:
        connection.close()


def _rows(cursor: Any, most: int) -> dict[str, Any]:
    rows: list[list[Any]] = []
    size = 0
    while found := cursor.fetchmany(1000):
        for row in found:
            plain = [_plain(cell) for cell in row]
            size += sum(len(cell) if isinstance(cell, str) else len(str(cell)) for cell in plain)
            rows.append(plain)
        if len(rows) > most:
            return {"error": f"more than {most} rows; add a LIMIT"}
        if size > MOST_CHARACTERS:
            return {"error": f"more than {MOST_CHARACTERS:,} characters; ask for less"}
    return {"rows": rows}


def _plain(cell: Any) -> Any:
    """A cell as JSON holds it."""
    if isinstance(cell, list | tuple):
        return [_plain(part) for part in cell]
    if isinstance(cell, dict):
        return {str(name): _plain(part) for name, part in cell.items()}
    if isinstance(cell, Decimal):
        return float(cell)
    return cell if isinstance(cell, str | float | int | bool | None) else str(cell)


def _fill(connection: Any, filled: Mapping[str, list[dict[str, Cell]]], dates: Mapping[str, Sequence[str]]) -> None:
    """Tables by way of JSON, which DuckDB reads by itself: pyarrow and pandas would take two seconds to start."""
    for name, rows in filled.items():
        columns = list(rows[0]) if rows else ["kind", "id", "replaced", "by"]
        shape = {column: _kind(row[column] for row in rows) for column in columns}
        shape |= dict.fromkeys(dates.get(name, ()), "DATE")
        connection.execute(
            f"CREATE TABLE {name} AS SELECT unnest(from_json(?::JSON, ?), recursive := true)",
            [json.dumps(rows), json.dumps([shape])],
        )
        if "end" in columns:  # a word of SQL's own: the days of a period can be asked for under plain names as well
            connection.execute(
                f"ALTER TABLE {name} ADD COLUMN first_day DATE; ALTER TABLE {name} ADD COLUMN last_day DATE"
            )
            connection.execute(f'UPDATE {name} SET first_day = "start", last_day = "end"')


def _kind(cells: Iterable[Cell]) -> str:
    """The type of a column: text if any cell is one."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if str in kinds:
        return "VARCHAR"
    return "BOOLEAN" if kinds == {bool} else "BIGINT" if kinds == {int} else "DOUBLE"


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return tuple(unique)


def _one_line(message: str) -> str:
    parts = [part.strip() for part in message.splitlines() if part.strip()]
    kept = [part for part in parts if not part.startswith(("LINE ", "^"))]
    return " ".join(kept)
