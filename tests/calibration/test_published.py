"""Others' dated forecasts beside the model's: which count, for what, and how they are scored."""

from dataclasses import replace
from datetime import date
from math import log

import pytest

from chipweir import facts
from chipweir.calibration import Published, observations, published, shipped_backtest
from chipweir.calibration._backtest import due
from chipweir.calibration._naive import Normal
from chipweir.calibration._published import of_row
from chipweir.calibration._scores import crps_normal
from chipweir.report import backtest_records, backtest_sentences, published_records


FACTS = facts.load()
ROW = next(o for o in observations(FACTS) if o.operation == "sum" and o.start == "2025-01" and o.end == "2025-12")


def said(**changes: object) -> Published:
    """A forecast of `ROW` of the autumn before, by a source of its own."""
    own = {"id": "own", "source": "someone", "known_by": date(2024, 10, 1), **changes}
    return Published(replace(ROW, **own), "forecast", "Someone")


def test_only_expectations_of_the_same_quantity_and_months_count() -> None:
    found = published(FACTS)
    assert found
    for each in found:
        assert each.nature in ("forecast", "guidance", "claim")
        assert FACTS.facts[each.said.id].nature == each.nature
    assert said().foretells(ROW)
    assert not said(start="2024-01", end="2024-12").foretells(ROW)
    assert not said(operation="mean").foretells(ROW)
    assert not said(known_by=date(2026, 1, 20)).foretells(ROW)  # the months had ended
    assert not said(known_by=date(2025, 12, 20)).foretells(ROW)  # so had all but a few days of them


def test_a_yearly_rate_foretells_each_year_of_its_period() -> None:
    rate = replace(said(start="2024-01", end="2026-12"), yearly=True)
    assert rate.foretells(ROW)
    assert not replace(rate, yearly=False).foretells(ROW)
    assert not rate.foretells(replace(ROW, start="2025-01", end="2025-06"))


def test_a_source_counts_once_before_the_cut_off_and_once_after_it() -> None:
    rows = [said(), said(known_by=date(2024, 12, 1), central=ROW.central * 2), said(known_by=date(2025, 3, 1))]
    found = of_row(ROW, rows, "2024-12-31")
    assert [(each.said.known_by, each.before("2024-12-31")) for each in found] == [
        (date(2024, 12, 1), True),
        (date(2025, 3, 1), False),
    ]


def test_a_point_scores_its_error_and_a_range_less_where_it_holds_what_came() -> None:
    observed = log(ROW.central)
    point = said(central=2 * ROW.central, low=2 * ROW.central, high=2 * ROW.central)
    assert point.crps(observed) == pytest.approx(log(2)) == pytest.approx(point.error(observed))
    ranged = said(central=2 * ROW.central, low=ROW.central, high=4 * ROW.central)
    spread = log(4) / (2 * 1.6448536)
    assert ranged.crps(observed) == pytest.approx(crps_normal(Normal(log(2) + observed, spread), observed))
    assert ranged.crps(observed) < point.crps(observed)


def test_the_shipped_back_test_says_what_was_foretold_as_the_facts_have_it() -> None:
    document = shipped_backtest()
    rows = {row.id: row for row in observations(FACTS)}
    known = [each for each in document["cutoffs"] if each["mode"] == "rules known"]
    assert known
    for each in known:
        assert {row["id"] for row in each["rows"]} == {row.id for row in due(tuple(rows.values()), each["as_of"], 12)}
        pairs = [(row, one) for row in each["rows"] for one in row["published"]]
        before = {row["id"] for row, one in pairs if one["before"]}
        assert each["n_published"] == len(before)
        for row, one in pairs:
            fact = FACTS.facts[one["id"]]
            assert one["before"] == (fact.known_by.isoformat() <= each["as_of"])
            assert one["error"] == pytest.approx(log(one["central"] / row["observed"]), abs=1e-4)
    assert sum(each["n_published"] for each in known) >= 1


def test_the_texts_of_the_scores_follow_the_numbers() -> None:
    document = shipped_backtest()
    records, others, text = (
        backtest_records(document),
        published_records(document),
        " ".join(backtest_sentences(document)),
    )
    scored = [each for each in document["cutoffs"] if each["n"]]
    assert [record["n"] for record in records] == [str(each["n"]) for each in scored]
    assert len(others) == sum(
        len(row["published"]) for each in scored if each["mode"] == "rules known" for row in each["rows"]
    )
    for each in scored:
        if each["mode"] == "rules known":
            assert f"{each['coverage_80']:.0%}" in text
            narrow = each["coverage_80"] < 0.7
            assert narrow == (
                f"held {each['coverage_80']:.0%} of {each['n']} figures of the following months (too narrow)" in text
            )
    stale = backtest_sentences({**document, "current": False})
    assert len(stale) == len(backtest_sentences({**document, "current": True})) + 1
