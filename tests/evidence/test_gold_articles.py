"""Whole articles in the styles of ministries, trade press, wires, newsletters and analysts: figures, names, frames, slots.

What a frame's slot must hold is written `name=value`; `name=?` means that it must be left open.
"""

from functools import cache
from math import isclose
from pathlib import Path
from typing import Any

import pytest
import yaml

from chipweir.evidence import Checked, check_document, document_from_text


ARTICLES: dict[str, dict[str, Any]] = {
    row["name"]: row
    for row in yaml.safe_load((Path(__file__).parent / "gold" / "articles.yaml").read_text(encoding="utf-8"))
}


@cache
def checked(name: str) -> Checked:
    row = ARTICLES[name]
    return check_document(document_from_text(row["text"], published=str(row["published"])))


@pytest.mark.parametrize("name", ARTICLES)
def test_figures(name: str) -> None:
    row, found = ARTICLES[name], list(checked(name).article.found.quantities)
    at, wrong = 0, []
    for annotation in row["q"]:
        surface, rest = annotation.split(" => ")
        value, unit, bound, basis = [*rest.split(), *("eq", "")[len(rest.split()) - 2 :]]
        start = row["text"].index(surface, at)
        at = start + len(surface)
        met = next((one for one in found if one.start < at and start < one.end), None)
        if met is None:
            wrong.append(f"not found: {annotation}")
            continue
        found.remove(met)
        same = (
            str(met.value) == value
            if unit == "date"
            else isinstance(met.value, int | float) and isclose(met.value, float(value), rel_tol=1e-6)
        )
        if not same or (met.unit, met.bound, met.basis) != (unit, bound, basis):
            wrong.append(f"{annotation}: read as {met.value} {met.unit} {met.bound} {met.basis}")
    wrong += [f"no figure: {one.surface} = {one.value} {one.unit}" for one in found]
    assert wrong == []


@pytest.mark.parametrize("name", ARTICLES)
def test_names(name: str) -> None:
    mentions = checked(name).article.found.entities
    linked = {one.id for one in mentions if one.how in {"alias", "pattern"}}
    assert set(ARTICLES[name]["e"]) - linked == set()
    assert [one.surface for one in mentions if one.how in {"typo", "code"}] == []


@pytest.mark.parametrize(("name", "wanted"), [(name, line) for name, row in ARTICLES.items() for line in row["f"]])
def test_frames(name: str, wanted: str) -> None:
    surface, rest = wanted.split(" => ")
    frame, *slots = rest.split(" | ")
    article = checked(name).article
    start = article.text.index(surface)
    here = [
        claim
        for claim in article.claims
        for index in claim.quantities[:1]
        if article.found.quantities[index].start < start + len(surface) and start < article.found.quantities[index].end
    ]
    assert frame in {claim.frame for claim in here}, [claim.frame for claim in here]
    claim = next(claim for claim in here if claim.frame == frame)
    for slot in slots:
        key, value = slot.split("=")
        held = claim.slots.get(key)
        said = "?" if held is None or held.asked else str(held.value)
        assert said == value, f"{key}: {said}"


@pytest.mark.parametrize("name", ARTICLES)
def test_no_verdict_of_made_up_articles_rests_on_another_thing(name: str) -> None:
    """A contradiction must name evidence about what the claim names."""
    article = checked(name).article
    for claim, verdict in article.judged():
        if verdict.status == "contradicted":
            assert verdict.evidence or verdict.numbers, claim.frame
