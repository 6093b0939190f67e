"""The site's chips, answers and facts say what the rooms say."""

import json
from datetime import date

import pytest

from chipweir import facts, rules
from chipweir.report import _chips, _known
from chipweir.rules import decide, status_word
from chipweir.site import _records


CHIPS = ["nvidia-h20", "nvidia-h100-sxm", "nvidia-rtx-4090"]
PLACES = ["CN", "MY", "AE", "KR"]
UNTIL = date(2026, 11, 28)


@pytest.fixture(scope="module")
def answers():
    return _records.rules(facts.load(), UNTIL, lambda share, text: None, CHIPS, PLACES)


@pytest.mark.parametrize("day", ["2022-06-01", "2022-10-21", "2023-11-17", "2025-04-09", "2026-01-15", "2026-11-28"])
def test_an_answer_on_a_day_is_that_of_the_rules(answers, day):
    for row, chip in enumerate(CHIPS):
        for column, place in enumerate(PLACES):
            spell = [s for s in answers["spells"][answers["cells"][row][column]] if s[0] <= day][-1]
            told = answers["answers"][spell[1]]
            decision = decide(_records.sale(facts.load().chips[chip], place, date.fromisoformat(day)))
            assert told["word"] == status_word(decision), (chip, place, day)
            assert told["en"]["status"] == rules.term("status", status_word(decision))
            assert told["eccn"] == decision.eccn.replace("_", " ")


@pytest.mark.parametrize("month", ["2022-12", "2024-06", "2026-06"])
def test_an_answer_is_the_one_that_pictures_and_the_model_have(answers, month):
    chips = [facts.load().chips[name] for name in CHIPS]
    held = rules.availability(chips, PLACES, [month], day=15)
    for row in range(len(CHIPS)):
        for column in range(len(PLACES)):
            spell = [s for s in answers["spells"][answers["cells"][row][column]] if s[0] <= f"{month}-15"][-1]
            assert answers["answers"][spell[1]]["word"] == rules.STATUSES[held.law[0, row, column]]


def test_spells_begin_at_the_first_day_and_ascend(answers):
    for course in answers["spells"]:
        days = [since for since, _answer in course]
        assert days[0] == _records.FIRST_DAY.isoformat()
        assert days == sorted(set(days))
    assert answers["verified"] < answers["until"]


def test_every_fact_on_record_can_be_searched():
    data = _records.known()
    assert len(data["rows"]) == len(_known.lines())
    for row, line in zip(data["rows"], _known.lines(), strict=True):
        assert row[1] == line.id
        assert data["sources"][row[6]] == line.source
        assert data["addresses"][row[7]] in (line.url, "")
    assert all(address.startswith("http") or not address for address in data["addresses"])
    json.dumps(data, allow_nan=False)


def test_chips_stand_with_their_numbers():
    known = facts.load()
    data = _records.chips(known)
    assert len(data["rows"]) == len(known.chips)
    names = list(_chips.SPECS)
    for row in data["rows"]:
        for name, value in zip(names, row["values"], strict=True):
            own = getattr(known.chips[row["id"]], name)
            assert (value is None) == (own is None)
            assert value is None or value[0] == own.best
    json.dumps(data, allow_nan=False)
