"""A hook for party screening: fuzzy matches against a list of names the user brings. It flags; it never decides."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from chipweir import reading
from chipweir.errors import InputError


NAME_COLUMNS = ("name", "names", "entity", "entity_name", "full_name", "caption")
ALIAS_COLUMNS = ("aliases", "alias", "alt_names", "alternate_names", "aka", "weak_aliases")
LIST_COLUMNS = ("source", "list", "dataset", "datasets", "program", "programs", "program_ids", "sanctions")
CUTOFF = 88.0
MOST_ROWS = 20_000_000
_LEGAL_FORMS = frozenset(
    (
        "co", "ltd", "limited", "inc", "incorporated", "corp", "corporation", "llc", "company", "gmbh", "plc", "sa",
        "ag",
        "bv", "pte", "sdn", "bhd", "jsc", "the", "of", "and", "technology", "technologies", "group", "international",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """A name of a list that resembles a party of the shipment."""

    party: str
    name: str
    score: float
    list: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"party": self.party, "name": self.name, "score": round(self.score, 1), "list": self.list}


@dataclass(frozen=True)
class ScreeningList:
    """Names of one list file, and its date (that of the file)."""

    path: str
    dated: date
    names: tuple[str, ...]
    keys: tuple[str, ...]
    lists: tuple[str, ...]


def read_list(path: Path) -> ScreeningList:
    """A CSV of names in the manner of OpenSanctions or the US Consolidated Screening List.

    One column must be called name (or caption, entity_name...); columns of aliases (separated by ';') and of the list's
    name are used where there are any. Raises `InputError`.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            rows = list(_listed(stream, path))
        dated = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    if not rows:
        raise InputError(f"{path} holds no names")
    names, lists = zip(*rows, strict=True)
    return ScreeningList(str(path), dated, names, tuple(_key(name) for name in names), lists)


def _listed(stream: Iterable[str], path: Path) -> Iterator[tuple[str, str]]:
    """Each name, and the list that it stands in."""
    lines = reading.cells(stream, str(path), rows=MOST_ROWS)
    columns = {name.strip().lower(): place for place, name in reversed(list(enumerate(next(lines, (0, []))[1])))}
    name_column = next((columns[name] for name in NAME_COLUMNS if name in columns), None)
    if name_column is None:
        raise InputError(f"{path}: no column of names; one of {', '.join(NAME_COLUMNS)} is needed")
    places = [name_column, *(columns[name] for name in ALIAS_COLUMNS if name in columns)]
    list_column = next((columns[name] for name in LIST_COLUMNS if name in columns), None)
    for _line, row in lines:
        listed = row[list_column] if list_column is not None and list_column < len(row) else ""
        for place in places:
            cell = row[place] if place < len(row) else ""
            yield from ((name.strip(), listed) for name in cell.split(";") if name.strip())


def _key(name: str) -> str:
    from rapidfuzz.utils import default_process

    tokens = [token for token in default_process(name).split() if token not in _LEGAL_FORMS]
    return " ".join(tokens) or default_process(name)


def screen(parties: Iterable[str], names: ScreeningList, limit: int = 5) -> list[Hit]:
    """The names of the list most like each party. A hit is a candidate for a person to check; none is no clearance."""
    from rapidfuzz import fuzz, process

    hits = []
    for party in dict.fromkeys(parties):
        key = _key(party)
        if not key:
            continue
        found = process.extract(key, names.keys, scorer=fuzz.token_set_ratio, limit=limit, score_cutoff=CUTOFF)
        hits += [Hit(party, names.names[index], score, names.lists[index]) for _, score, index in found]
    return hits
