"""The US Consolidated Screening List, CSV or JSON, as a list that `licence --screening` reads."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir import reading
from chipweir.errors import InputError
from chipweir.importers._layer import Imported, Row, cell, need, records


if TYPE_CHECKING:
    from chipweir.facts import Facts

FILE = "lists/consolidated-screening-list.csv"
LIMITS = reading.Limits(characters=400_000_000, values=20_000_000)
_COLUMNS = (
    "id", "name", "aliases", "source", "type", "programs", "countries", "start_date", "end_date", "licence_requirement",
    "licence_policy", "notice", "url",
)  # fmt: skip


def screening_list(path: Path, known: "Facts", today: date) -> Imported:
    """Every party with its aliases, list, dates, licence requirement and policy. Raises `InputError` for other files."""
    del known, today
    entries = _of_json(path) if path.suffix.lower() == ".json" else _of_csv(path)
    rows, skipped = [], []
    for place, entry in entries:
        if not entry["name"]:
            skipped.append(f"{place}: no name")
            continue
        rows.append({name: entry.get(name, "") for name in _COLUMNS})
    if not rows:
        raise InputError(f"{path} holds no parties")
    return Imported({FILE: rows}, {FILE: "id"}, tuple(skipped))


def _of_csv(path: Path) -> Iterator[tuple[str, Row]]:
    for number, (line, row) in enumerate(records(path, "the Consolidated Screening List")):
        if number == 0:
            need(row, ["name", "source"], path, "the Consolidated Screening List")
        yield f"line {line}", _entry(row, "; ", number)


def _of_json(path: Path) -> Iterator[tuple[str, Row]]:
    document = reading.read_json(path, "the Consolidated Screening List", LIMITS)
    listed = document.get("results") if isinstance(document, Mapping) else document
    if not isinstance(listed, list) or not all(isinstance(each, Mapping) for each in listed):
        raise InputError(
            f"{path}: not the Consolidated Screening List: expected a list of parties, or one under 'results'"
        )
    for number, entry in enumerate(listed):
        yield f"party {number + 1}", _entry({str(name): _text(value) for name, value in entry.items()}, "; ", number)


def _text(value: Any) -> str:
    """A field as text: lists joined by semicolons, addresses as countries."""
    if isinstance(value, list):
        return "; ".join(filter(None, (_text(each) for each in value)))
    if isinstance(value, Mapping):
        return str(value.get("country") or value.get("name") or "")
    return "" if value is None else str(value)


def _entry(row: Row, mark: str, number: int) -> dict[str, str]:
    names = [name.strip() for name in row.get("alt_names", "").split(mark.strip()) if name.strip()]
    countries = {
        part.strip() for name in ("country", "countries") for part in row.get(name, "").split(";") if part.strip()
    }
    countries |= {part.strip()[-2:] for part in row.get("addresses", "").split(";") if part.strip()[-2:].isupper()}
    return {
        "id": row.get("_id") or row.get("id") or f"{row.get('source', '')}-{row.get('entity_number', '') or number}",
        "name": cell(row.get("name", "")),
        "aliases": "; ".join(dict.fromkeys(cell(name) for name in names)),
        "source": cell(row.get("source", "")),
        "type": cell(row.get("type", "")),
        "programs": cell(row.get("programs", "")),
        "countries": "; ".join(sorted(countries)),
        "start_date": row.get("start_date", ""),
        "end_date": row.get("end_date", ""),
        "licence_requirement": cell(row.get("license_requirement", "")),
        "licence_policy": cell(row.get("license_policy", "")),
        "notice": cell(row.get("federal_register_notice", "")),
        "url": cell(row.get("source_list_url", "")),
    }
