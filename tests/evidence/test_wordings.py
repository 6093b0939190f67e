"""Sentences as a stranger would write them, in three languages: how many get the right verdict."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

from chipweir import facts
from chipweir.evidence import check_document, document_from_text, result_json


ROWS = yaml.safe_load((Path(__file__).parent / "gold" / "wordings.yaml").read_text(encoding="utf-8"))
_WORST = ("contradicted", "stale", "consistent")


@cache
def _found(text, published):
    """The result on a text; several parts of an article are judged in one."""
    return result_json(check_document(document_from_text(text, published=published), facts.load()))


def _status(row):
    """The verdict on the part that is judged; the gravest of several."""
    found = _found(row["text"], str(row["published"]))
    start = row["text"].index(row["words"])
    end = start + len(row["words"])
    figure = any(character.isdigit() for character in row["words"])
    statuses = set()
    for claim in found["claims"]:
        if figure and claim["quantity"] is None:
            continue
        place = claim if claim["quantity"] is None else found["quantities"][claim["quantity"]]
        if place["start"] < end and start < place["end"]:
            statuses.add(claim["verdict"])
    return next((one for one in _WORST if one in statuses), next(iter(sorted(statuses)), "none"))


@pytest.fixture(scope="module")
def read():
    counted = {kind: Counter() for kind in "TWN"}
    for row in ROWS:
        counted[row["kind"]][_status(row)] += 1
    return counted


def test_what_is_true_is_confirmed_and_not_denied(read):
    true = read["T"]
    assert true["consistent"] >= 0.9 * true.total(), true
    assert true["contradicted"] + true["stale"] <= 0.01 * true.total(), true


def test_what_is_wrong_is_denied_and_not_confirmed(read):
    wrong = read["W"]
    assert wrong["contradicted"] >= 0.85 * wrong.total(), wrong
    assert wrong["consistent"] <= 0.01 * wrong.total(), wrong


def test_what_is_not_stated_gets_no_verdict(read):
    assert not set(read["N"]) & set(_WORST), read["N"]
