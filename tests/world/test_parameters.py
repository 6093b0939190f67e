"""The table of parameters and its draws: reproducible, independent by name, prefixes of longer draws."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError
from chipweir.world import central, draw, members_of, normal_scores, parameters
from chipweir.world._parameters import read_parameters, scores


HEADER = "name,group,distribution,low,central,high,count,unit,description,description_ko,source\n"


def test_every_parameter_says_what_it_is_in_both_languages_and_where_it_comes_from() -> None:
    assert 100 <= len(parameters()) <= 200
    for parameter in parameters().values():
        assert all((parameter.group, parameter.unit, parameter.description, parameter.description_ko, parameter.source))
        assert parameter.description[0].isupper()


def test_the_facts_that_sources_name_exist() -> None:
    known = facts.load()
    ids = set(known.facts) | set(known.events)
    cited = {
        (p.name, word.lower()) for p in parameters().values() for word in re.findall(r"\b[A-Za-z]{3}-\d{3}\b", p.source)
    }
    missing = {(name, word) for name, word in cited if word not in ids}
    assert missing == set()
    assert len(cited) > 30


def test_a_seed_repeats_its_draws_and_another_does_not() -> None:
    one, again, other = draw(50, seed=3), draw(50, seed=3), draw(50, seed=4)
    for name, values in one.items():
        np.testing.assert_array_equal(values, again[name])
        assert not np.any(values == other[name])


@given(st.integers(1, 40), st.integers(0, 60), st.integers(0, 2**63))
def test_fewer_members_are_the_first_of_more(members: int, more: int, seed: int) -> None:
    np.testing.assert_array_equal(
        scores("chip_life", members, seed), scores("chip_life", members + more, seed)[:members]
    )


def test_a_new_parameter_or_another_order_disturbs_no_other_draw() -> None:
    table = dict(parameters())
    before = draw(20, 1, table)
    added = replace(table["chip_life"], name="invented")
    after = draw(20, 1, {"invented": added, **dict(reversed(table.items()))})
    assert set(after) == {*before, "invented"}
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name])
    assert not np.any(after["invented"] == after["chip_life"])


def test_longer_paths_and_more_factors_disturb_no_earlier_draw() -> None:
    table = dict(parameters())
    path = table["belief_cowos"]
    longer = draw(20, 1, {"belief_cowos": replace(path, count=path.count + 3)})["belief_cowos"]
    np.testing.assert_array_equal(longer[:, : path.count], draw(20, 1, {"belief_cowos": path})["belief_cowos"])


def test_draws_of_different_parameters_are_uncorrelated() -> None:
    columns = [normal_scores(parameter, 4000, 0) for parameter in parameters().values()]
    normal = np.concatenate([column.reshape(4000, -1) for column in columns], axis=1).T
    assert len(normal) > 900  # every knot of a path, every chip's own error
    correlation = np.corrcoef(normal) - np.eye(len(normal))
    assert np.abs(correlation).max() < 5.5 / np.sqrt(4000)
    assert abs(normal.mean()) < 0.01
    assert normal.std() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("name", parameters())
def test_the_table_gives_the_5th_50th_and_95th_percentile(name: str) -> None:
    parameter = parameters()[name]
    at = parameter.at(np.array([-1.6448536269514722, 0.0, 1.6448536269514722]))
    np.testing.assert_allclose(at, [parameter.low, parameter.central, parameter.high], rtol=1e-9, atol=1e-12)
    drawn = draw(20_000 if parameter.count == 1 else 2_000, 5, {name: parameter})[name]
    below = [np.mean(drawn < bound) for bound in (parameter.low, parameter.central, parameter.high)]
    np.testing.assert_allclose(below, [0.05, 0.5, 0.95], atol=0.015)
    assert np.all(np.isfinite(drawn))


@given(st.floats(-8, 8))
def test_parameters_rise_with_their_score_and_stay_in_their_domain(score: float) -> None:
    for parameter in parameters().values():
        here, above = parameter.at(np.array([score, score + 0.01]))
        assert above > here or (parameter.distribution == "logitnormal" and above == pytest.approx(1))
        if parameter.distribution == "lognormal":
            assert here > 0
        if parameter.distribution == "logitnormal":
            assert 0 < here <= 1


def test_members_can_be_chosen() -> None:
    drawn = draw(10, 0)
    np.testing.assert_array_equal(members_of(drawn, slice(2, 4))["pue"], drawn["pue"][2:4])
    np.testing.assert_array_equal(members_of(drawn, [7, 1])["pue"], drawn["pue"][[7, 1]])
    for name, value in central().items():
        assert value.shape == (() if parameters()[name].count == 1 else (parameters()[name].count,))


@pytest.mark.parametrize("members", [0, -1])
def test_no_members_is_an_error(members: int) -> None:
    with pytest.raises(InputError, match="members must be at least 1"):
        draw(members)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,g,gaussian,1,2,3,,u,d,k,s", "gaussian"),
        ("a,g,normal,2,1,3,,u,d,k,s", "low < central < high"),
        ("a,g,lognormal,-1,1,3,,u,d,k,s", "above 0"),
        ("a,g,logitnormal,0.1,0.5,1.0,,u,d,k,s", "between 0 and 1"),
        ("a,g,normal,x,1,3,,u,d,k,s", "could not convert"),
        ("a,g,normal,nan,1,3,,u,d,k,s", "low < central < high"),
        ("a,g,normal,0,1,3,,u,d,k,s\na,g,normal,0,1,3,,u,d,k,s", "line 3: a stands twice"),
    ],
)
def test_a_bad_row_is_one_clear_line(row: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_parameters(HEADER + row)
    assert "parameters.csv line" in str(caught.value)
    assert "\n" not in str(caught.value)
