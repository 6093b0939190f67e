"""Case tables that a lawyer can read and extend: a question, what answers are accepted, why, and on which authority.

A table is YAML (a list of cases) or JSON Lines. A case holds the fields of a shipment (`date` is the day of export; without
`to` it asks for the classification alone) and, under `expect`, keys of the answer with the value accepted. A key may end in
`_in` (one of several), `_not` (anything else), `_contain` or `_contains` (some entry, or the text, contains it), or
`_not_contain` and `_not_contains`; `mentions` looks anywhere in the answer, and `or_error_contains` accepts a refusal too.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chipweir.errors import InputError
from chipweir.reading import parse_json, read_text, read_yaml, shipped_yaml
from chipweir.rules._asked import Shipment
from chipweir.rules._book import LAW, Book, shipped
from chipweir.rules._classify import classify
from chipweir.rules._decide import decide


CLOSE = 0.01
"""Relative difference up to which a number counts as the one accepted."""
_ABOUT = ("name", "kind", "expect", "expected", "why", "cite", "citation", "label", "tags", "note", "id")
_YES_NO = {True: "yes", False: "no"}


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """One case of a table."""

    name: str
    kind: str
    asked: Mapping[str, Any]
    accepted: Mapping[str, Any]
    why: str
    authority: str
    table: str


def read_table(path: Path) -> list[GoldenCase]:
    """The cases of a YAML or JSON Lines file. Raises `InputError` for one that is no table of cases."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        rows = list(_json_rows(path))
    else:
        document = shipped_yaml(path) if LAW in path.parents else read_yaml(path, "case file").data
        rows = document if isinstance(document, list) else []
    if not rows:
        raise InputError(f"{path}: no cases; a table is a list of cases, each with expect, why and cite")
    return [_case(row, number, path) for number, row in enumerate(rows, 1)]


def _json_rows(path: Path) -> Iterator[Any]:
    for number, line in enumerate(read_text(path, "case file").splitlines(), 1):
        if line.strip():
            yield parse_json(line, f"{path}, line {number}")


def _case(row: Any, number: int, path: Path) -> GoldenCase:
    where = f"{path}, case {number}"
    if not isinstance(row, Mapping):
        raise InputError(f"{where}: expected a mapping, got {str(row)[:60]!r}")
    accepted = row.get("expect") or row.get("expected")
    if not isinstance(accepted, Mapping) or not accepted:
        raise InputError(f"{where}: 'expect' must say which answers are accepted")
    asked = {key: value for key, value in row.items() if key not in _ABOUT}
    return GoldenCase(
        str(row.get("name") or row.get("id") or number), str(row.get("kind") or row.get("tags") or ""), asked, accepted,
        str(row.get("why", "")), str(row.get("cite") or row.get("citation") or ""), path.name.partition(".")[0],
    )  # fmt: skip


@cache
def golden() -> tuple[GoldenCase, ...]:
    """The cases that lie beside the rules, file by file."""
    return tuple(case for path in sorted(LAW.glob("*.golden.yaml")) for case in read_table(path))


def wrong(case: GoldenCase, book: Book | None = None) -> list[str]:
    """What does not hold of a case. A refusal counts as the answer `error`."""
    try:
        found = answer(case, book)
    except InputError as error:
        found = {"error": str(error)}
    if "error" in found and "or_error_contains" in case.accepted:
        text = case.accepted["or_error_contains"]
        return [] if str(text) in found["error"] else [f"error: {found['error']!r}, accepted one with {text!r}"]
    return [found["error"]] if "error" in found else mismatches(case, found)


def answer(case: GoldenCase, book: Book | None = None) -> dict[str, Any]:
    """What the rules answer to a case, as JSON holds it. Raises `InputError`."""
    rules = book or shipped()
    if "to" not in case.asked:
        return classify(case.asked["item"], case.asked.get("date") or case.asked.get("export_date"), rules).to_dict()
    return decide(Shipment.of(case.asked), rules).to_dict()


def mismatches(case: GoldenCase, found: Mapping[str, Any]) -> list[str]:
    """What of the accepted answers does not hold; empty where the case holds."""
    return [
        f"{key}: {_got(key, found)!r}, accepted {wanted!r}"
        for key, wanted in case.accepted.items()
        if key != "or_error_contains" and not _holds(key, wanted, found)
    ]


def _holds(key: str, wanted: Any, found: Mapping[str, Any]) -> bool:
    if key == "mentions":
        return str(wanted) in json.dumps(found, ensure_ascii=False, default=str)
    for ending, test in _ENDINGS:
        if key.endswith(ending):
            return bool(test(found.get(key.removesuffix(ending)), wanted))
    got = found.get(key)
    if key == "licence" and isinstance(wanted, bool):  # YAML 1.1 reads yes and no as booleans
        wanted = _YES_NO[wanted]
    if isinstance(wanted, int | float) and not isinstance(wanted, bool) and isinstance(got, int | float):
        return abs(got - wanted) <= CLOSE * abs(wanted)
    return bool(got == wanted)


def _one_of(got: Any, wanted: Any) -> bool:
    return got in [_YES_NO[w] if isinstance(w, bool) else w for w in wanted]


def _contains(got: Any, wanted: Any) -> bool:
    if isinstance(got, Sequence) and not isinstance(got, str):
        return any(str(wanted) in str(entry) for entry in got)
    return str(wanted) in json.dumps(got, ensure_ascii=False, default=str)


_ENDINGS = (
    ("_not_contains", lambda got, wanted: not _contains(got, wanted)),
    ("_not_contain", lambda got, wanted: not _contains(got, wanted)),
    ("_contains", _contains),
    ("_contain", _contains),
    ("_in", _one_of),
    ("_not", lambda got, wanted: got != wanted),
)


def _got(key: str, found: Mapping[str, Any]) -> Any:
    for ending, _test in _ENDINGS:
        key = key.removesuffix(ending)
    return found.get(key)


# --- the page of the documentation


def cases_page() -> str:
    """The generated page `docs/rules-cases.md`: every golden case by the rule version that it lies beside."""
    tables: dict[str, list[GoldenCase]] = {}
    for case in golden():
        tables.setdefault(case.table, []).append(case)
    parts = [_HEAD.format(count=len(golden()), tables=len(tables))]
    for table, cases in tables.items():
        parts += [f"\n## {table}\n", "| case | question | accepted | why | authority |", "|---|---|---|---|---|"]
        parts += ["| " + " | ".join(_row(case)) + " |" for case in cases]
    return "\n".join(parts) + "\n"


_HEAD = """# Golden cases of the rules

Generated by `chipweir rules cases`; a test holds this page, and every case on it, to the rules. {count} cases in {tables}
tables: each lies beside the version of the rules it is about (`rules/data/law/NAME.yaml` and `NAME.golden.yaml`). A case
holds when every answer is among those accepted: `licence_in` takes one of several, `_not` any other, `_contain(s)` a part.
Run a table of your own with `chipweir rules check FILE.yaml` (or JSON Lines). Not legal advice."""


def _row(case: GoldenCase) -> list[str]:
    asked = ", ".join(f"{key}: {_shown(value)}" for key, value in case.asked.items())
    accepted = ", ".join(f"{key}: {_shown(value)}" for key, value in case.accepted.items())
    name = f"{case.name} ({case.kind})" if case.kind else case.name
    return [_cell(text) for text in (name, asked, accepted, case.why, case.authority)]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _YES_NO[value]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
