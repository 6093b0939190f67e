"""UN Comtrade: trade in computers, their parts, chips and media by HS code, as the portal's CSV has it."""

import calendar
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from chipweir.errors import InputError, UnknownName
from chipweir.importers._layer import Imported, Row, cell, number, plain, records, slug


if TYPE_CHECKING:
    from chipweir.facts import Facts

URL = "https://comtradeplus.un.org"
GOODS = {
    "8471": ("Computers and servers (HS 8471)", "컴퓨터·서버(HS 8471)"),
    "8473": ("Parts of computers, among them accelerator cards (HS 8473)", "컴퓨터 부품·가속기 카드(HS 8473)"),
    "8523": ("Media and solid-state drives (HS 8523)", "저장매체·SSD(HS 8523)"),
    "8542": ("Integrated circuits (HS 8542)", "집적회로(HS 8542)"),
}
"""The headings that are read; subheadings (854232) come under their own code with the heading as parent."""
FLOWS = {**dict.fromkeys(("x", "export", "exports"), "exports"), **dict.fromkeys(("m", "import", "imports"), "imports")}
# Headings of the present portal, and of the one before it.
COLUMNS = {
    "period": ("period",),
    "flow": ("flowcode", "flowdesc", "trade flow"),
    "reporter": ("reporteriso", "reporter iso"),
    "reporter_text": ("reporterdesc", "reporter"),
    "partner": ("partneriso", "partner iso"),
    "partner_text": ("partnerdesc", "partner"),
    "code": ("cmdcode", "commodity code"),
    "value": ("primaryvalue", "trade value (us$)"),
}
# Comtrade's own codes: the world as a partner, and the part of Asia it does not name.
_WORLD, _NOT_NAMED = {"w00", "wld"}, {"s19": "TW"}
_KEYS = {"sources.csv": "id", "entities.csv": "id", "facts.csv": "id"}


def comtrade(path: Path, known: "Facts", today: date) -> Imported:
    """Exports and imports as facts in dollars, by month or year, goods and partner. Raises `InputError` for other files."""
    facts: dict[str, Row] = {}
    goods: dict[str, Row] = {}
    skipped = []
    first = True
    for line, row in records(path, "a CSV of UN Comtrade"):
        if first:
            needed = {name: names for name, names in COLUMNS.items() if not name.endswith("_text")}
            missing = [names[0] for names in needed.values() if not set(names) & set(row)]
            if missing:
                raise InputError(f"{path}:1: no CSV of UN Comtrade: no column {', '.join(missing)}")
            first = False
        try:
            fact = _fact(row, known, today)
        except InputError as error:
            skipped.append(f"line {line}: {error}")
            continue
        if fact["id"] in facts and facts[fact["id"]]["central"] != fact["central"]:
            skipped.append(
                f"line {line}: a second value for {fact['id']}; breakdowns by customs or transport are not read"
            )
            continue
        facts[fact["id"]] = fact
        code = fact["item_id"].removeprefix("hs-")
        goods |= {entry["id"]: entry for entry in _goods(code)}
    if first:
        raise InputError(f"{path}: no rows")
    source = {"id": "import-comtrade", "title": "UN Comtrade Database", "publisher": "United Nations Statistics Division",
              "url": URL, "published": today.isoformat(), "cls": "official"}  # fmt: skip
    tables: dict[str, list[Row]] = {
        "sources.csv": [source],
        "entities.csv": list(goods.values()),
        "facts.csv": list(facts.values()),
    }
    return Imported(tables, _KEYS, tuple(skipped))


def _fact(row: Row, known: "Facts", today: date) -> dict[str, str]:
    cells = {name: next((row[key] for key in names if row.get(key)), "") for name, names in COLUMNS.items()}
    code = cells["code"].strip()
    if code[:4] not in GOODS:
        raise InputError(f"HS {cell(code, 20) or 'code empty'} is not read; {', '.join(GOODS)} are")
    flow = FLOWS.get(cells["flow"].casefold())
    if flow is None:
        raise InputError(f"flow '{cell(cells['flow'], 20)}' is neither export nor import")
    value = number(cells["value"])
    if value is None or value < 0:
        raise InputError(f"'{cell(cells['value'], 20)}' is no value in dollars")
    start, end = _period(cells["period"])
    reporter = _place(cells["reporter"], cells["reporter_text"], known)
    if reporter is None:
        raise InputError("the world as a reporter is not read")
    partner = _place(cells["partner"], cells["partner_text"], known)
    dims = "" if partner is None else f"{'destination' if flow == 'exports' else 'origin'}={partner}"
    return {
        "id": slug("imp-comtrade", flow, reporter, partner or "world", code, start.isoformat()[:7], end.isoformat()[:7]),
        "topic": "imported", "entity": reporter, "entity_text": cell(cells["reporter_text"], 80), "measure": flow,
        "item_id": f"hs-{code}", "dims": dims, "start": start.isoformat(), "end": end.isoformat(), "nature": "observation",
        "central": plain(value), "unit": "USD", "published": today.isoformat(), "source": "import-comtrade", "url": URL,
        "cls": "official", "confidence": "A", "note": "as reported; the day of the download stands for that of publication",
    }  # fmt: skip


def _period(text: str) -> tuple[date, date]:
    """First and last day of 2025 or 202503."""
    if text.isdigit() and len(text) == 4:
        return date(int(text), 1, 1), date(int(text), 12, 31)
    if text.isdigit() and len(text) == 6 and 1 <= int(text[4:]) <= 12:
        year, month = int(text[:4]), int(text[4:])
        return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
    raise InputError(f"'{cell(text, 20)}' is no period; expected 2025 or 202503")


def _place(code: str, text: str, known: "Facts") -> str | None:
    """The entity of a reporter or partner; None for the world."""
    folded = code.casefold()
    if folded in _WORLD or text.casefold() == "world":
        return None
    country = known.country(_NOT_NAMED.get(folded, code or text))
    try:
        return known.entity(country.names.en).id
    except UnknownName:
        raise InputError(f"{country.names.en} is no entity of the facts; add it to entities.csv") from None


def _goods(code: str) -> list[Row]:
    """The entity of an HS code, with that of its heading."""
    head = code[:4]
    english, korean = GOODS[head]
    found: list[Row] = [{"id": f"hs-{head}", "kind": "goods", "en": english, "ko": korean}]
    if code != head:
        found.append(
            {"id": f"hs-{code}", "kind": "goods", "en": f"HS {code}", "ko": f"HS {code}", "parent": f"hs-{head}"}
        )
    return found
