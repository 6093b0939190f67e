"""What the site says besides the model: chips, licence answers by chip, destination and day, and everything on record.

Plain data in both languages; the pages' script searches and sorts it.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from chipweir.i18n import LANGUAGES, use_language
from chipweir.report import _chips, _known, label
from chipweir.site._grid import Progress


if TYPE_CHECKING:
    from chipweir.facts import Chip, Facts, Value
    from chipweir.rules import Decision, Shipment

DESTINATIONS = ("CN", "HK", "TW", "KR", "JP", "SG", "MY", "TH", "VN", "IN", "AE", "SA", "DE", "GB", "RU")
FIRST_DAY = date(2022, 1, 1)


def in_each(make: Any) -> dict[str, Any]:
    """What `make` says in each language."""
    found = {}
    for lang in LANGUAGES:
        with use_language(lang):
            found[lang] = make()
    return found


def chips(facts: "Facts") -> dict[str, Any]:
    """Chips by row, with their numbers, and who says each."""
    rows = [_chip(facts, chip) for chip in sorted(facts.chips.values(), key=lambda each: each.release, reverse=True)]
    return {"specs": list(_chips.SPECS), "rows": rows}


def _chip(facts: "Facts", chip: "Chip") -> dict[str, Any]:
    maker = facts.entities.get(chip.maker)
    return {
        "id": chip.id,
        "name": chip.name,
        "maker": {"en": maker.names.en, "ko": maker.names.ko or maker.names.en} if maker else chip.maker,
        "release": chip.release,
        "status": in_each(lambda: label("status", chip.status)),
        "tpp": _chips.total_processing_performance(chip),
        "values": [_said(facts, getattr(chip, name)) for name in _chips.SPECS],
        "searched": " ".join((chip.id, *chip.aliases)).casefold(),
    }


def _said(facts: "Facts", value: "Value | None") -> list[Any] | None:
    """Best number, who says so, and whether it is a rumour."""
    if value is None or not math.isfinite(value.best):
        return None
    source = facts.sources.get(value.source)
    return [value.best, (source.publisher or source.title) if source else value.source, int(value.rumour)]


def rules(
    facts: "Facts",
    until: date,
    progress: Progress,
    names: Sequence[str] | None = None,
    destinations: Sequence[str] = DESTINATIONS,
) -> dict[str, Any]:
    """Licence answers of US law by chip and destination: spells of equal answers from 2022 on to `until`.

    Chips are those for data centres whose maker sits outside China and whose performance is known, unless `names` says
    otherwise. Equal spells are held once: `cells[chip][destination]` is their place in `spells`, whose entries are the
    day from which an answer holds and its place in `answers`.
    """
    from chipweir.rules import history

    shown = (
        [facts.chip(name) for name in names] if names is not None else [c for c in facts.chips.values() if _asked(c)]
    )
    answers: dict[tuple[str, ...], int] = {}
    spells: dict[tuple[tuple[str, int], ...], int] = {}
    cells, verified = [], until
    for done, chip in enumerate(shown):
        progress(done / len(shown), chip.name)
        row = []
        for code in destinations:
            found = history(sale(chip, code, until), until, start=FIRST_DAY)
            verified = min(verified, found[-1].decision.verified_until)
            course = tuple(
                (spell.since.isoformat(), answers.setdefault(_answer(spell.decision), len(answers))) for spell in found
            )
            row.append(spells.setdefault(course, len(spells)))
        cells.append(row)
    return {
        "chips": [chip.name for chip in shown],
        "destinations": [_place(facts, code) for code in destinations],
        "answers": [_worded(answer) for answer in answers],
        "spells": [list(course) for course in spells],
        "cells": cells,
        "until": until.isoformat(),
        "verified": verified.isoformat(),
    }


def sale(chip: "Chip", code: str, on: date) -> "Shipment":
    """A sale by the chip's maker from its own country to a recipient headquartered at the destination."""
    from chipweir.rules import Item, Shipment

    return Shipment(
        Item(chip=chip.id), code, on, from_=chip.maker_country or "US", hq=code, exporter=chip.maker or None
    )


def _asked(chip: "Chip") -> bool:
    return chip.data_centre and chip.maker_country != "CN" and chip.tpp is not None and not chip.part_of


def _answer(decision: "Decision") -> tuple[str, ...]:
    from chipweir.rules import status_word

    return (
        status_word(decision), decision.eccn, decision.practice, decision.exception, decision.import_stance, decision.basis,
    )  # fmt: skip


def _worded(answer: tuple[str, ...]) -> dict[str, Any]:
    """An answer in words: its status and what it rests on."""
    from chipweir import rules
    from chipweir.i18n import language
    from chipweir.rules import basis_titles

    status, eccn, practice, exception, stance, basis = answer

    def words() -> dict[str, str]:
        titles = basis_titles(rules.shipped(), basis, language())
        known = rules.term("basis", basis)
        return {
            "status": rules.term("status", status),
            "practice": rules.term("review", practice) if practice else "",
            "exception": rules.term("exception", exception),
            "stance": rules.term("stance", stance),
            "basis": f"{known} ({titles})" if titles else known,
        }

    return {"word": status, "eccn": eccn.replace("_", " "), **in_each(words)}


def _place(facts: "Facts", code: str) -> dict[str, str]:
    names = facts.country(code).names
    return {"code": code, "en": names.en, "ko": names.ko or names.en}


def known() -> dict[str, Any]:
    """Everything on record as rows: kind, id, title, Korean title, value, when, source, address, class and confidence."""
    addresses: dict[str, int] = {}
    sources: dict[str, int] = {}
    rows = [
        [
            list(_known.KINDS).index(line.kind),
            line.id,
            line.title,
            line.korean if line.korean != line.title else "",
            line.value,
            line.when,
            sources.setdefault(line.source, len(sources)),
            addresses.setdefault(line.url if line.url.startswith("http") else "", len(addresses)),
            " ".join(line.trust),
        ]
        for line in _known.lines()
    ]
    words = sorted({word for line in _known.lines() for word in line.trust})
    blank = _known.lines()[0]
    trusted = in_each(lambda: {word: _known.trusted(replace(blank, trust=(word,))) for word in words})
    events = sorted({line.value for line in _known.lines() if line.kind == "events"})
    return {
        "rows": rows,
        "sources": list(sources),
        "addresses": list(addresses),
        "trust": trusted,
        "events": in_each(lambda: {word: label("event", word) for word in events}),
    }
