"""Claimed mechanisms: the table is whole, a planted change is read right, and every pair keeps to its sign and range."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from imagined_world import imagined

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.strategy import Cells, find_mechanism, measure_mechanisms, mechanism_sentences, mechanisms, number
from chipweir.strategy._cells import labels_of
from chipweir.world import load_scenario


HANGUL = re.compile("[가-힣]")
MODELLED = [each for each in mechanisms().values() if each.modelled]


@pytest.mark.parametrize("name", mechanisms())
def test_every_mechanism_says_what_and_why_in_both_languages(name: str) -> None:
    one = mechanisms()[name]
    texts = [one.title, one.why] + ([one.reason] if one.modelled and one.reason else [])
    assert len(texts) == (3 if one.modelled else 2)
    for text in texts:
        assert text["en"]
        assert HANGUL.search(text["ko"])
    assert one.claims
    assert bool(one.command) is one.modelled


@pytest.mark.parametrize("one", MODELLED, ids=lambda one: one.id)
def test_a_pair_differs_and_its_outcomes_exist(one) -> None:  # type: ignore[no-untyped-def]
    a, b = one.scenarios()
    assert a.digest != b.digest
    assert (a.start, a.end) == (b.start, b.end)
    world = imagined(load_scenario("baseline"), 5, 1)
    for expected in one.outcomes:
        assert expected.quantity.read(world).shape == (5,)
        assert expected.low < expected.high
        still = 1.0 if expected.by == "ratio" else 0.0
        if expected.sign != "none":
            # A range that reaches far to the wrong side of no change would hold whatever came.
            reach = (still - expected.low) if expected.sign == "up" else (expected.high - still)
            assert reach <= 0.11 * max(abs(expected.low), abs(expected.high))


def test_what_is_not_modelled_says_so_and_runs_nothing() -> None:
    missing = [each for each in mechanisms().values() if not each.modelled]
    assert {each.id for each in missing} >= {"share-prices", "fund-to-capacity", "electricity-subsidy"}
    for each in missing:
        assert not each.outcomes
        with pytest.raises(InputError, match="is not modelled"):
            each.scenarios()


def test_mechanisms_are_found_by_the_claims_that_state_them() -> None:
    assert find_mechanism("ban-smuggling").id == "legal-sales-smuggling"
    assert find_mechanism("substitution").id == "substitution"
    with pytest.raises(UnknownName, match="did you mean substitution"):
        find_mechanism("substitutoin")


def test_a_planted_change_is_measured_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one = find_mechanism("sea-licence")
    a, b = one.scenarios()
    base = imagined(load_scenario("baseline"), 40, 1)
    values = base.values.copy()
    values[:, :, base.columns["smuggled_units"]] *= 0.8
    for hub in labels_of("hub"):
        values[:, :, base.columns[f"smuggled_by_hub|{hub}"]] *= 0.5 if hub == "MYS" else 1.1
    worlds = {a.digest: base, b.digest: replace(base, values=values)}
    monkeypatch.setattr(Cells, "run", lambda *arguments: worlds)
    (found,) = measure_mechanisms([one], facts.load(), tmp_path, 40, 1)
    rows = {row["quantity"]: row for row in found["outcomes"]}
    assert rows["smuggled_units"]["p50"] == pytest.approx(0.8, rel=1e-5)
    assert rows["smuggled_units"]["p_greater"] == 0
    assert found["holds"]
    for language in ("en", "ko"):
        lines = mechanism_sentences(found, language)
        assert number(rows["smuggled_units"]["p50"]) in lines[2]
        assert lines[-1] == one.why[language]
    values[:, :, base.columns["smuggled_units"]] = 2 * base.values[:, :, base.columns["smuggled_units"]]
    (found,) = measure_mechanisms([one], facts.load(), tmp_path, 40, 1)
    assert not found["holds"]
    assert "not what was expected" in mechanism_sentences(found, "en")[2]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """Every pair on 16 draws."""
    found = measure_mechanisms(MODELLED, facts.load(), tmp_path_factory.mktemp("runs"), 16, 1)
    return {each["id"]: each for each in found}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [each.id for each in MODELLED])
def test_every_pair_keeps_to_its_sign_and_range(name: str, measured: dict[str, dict]) -> None:
    found = measured[name]
    wrong = [(row["quantity"], row["year"], row["p50"]) for row in found["outcomes"] if not row["holds"]]
    assert not wrong
    assert np.isfinite([row["p50"] for row in found["outcomes"]]).all()
    assert found["level"] is None or found["level"]["holds"]
