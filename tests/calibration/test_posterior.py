"""Draws from a posterior: mean and spread kept, nothing repeated, prefixes and pairs kept; mismatches said."""

from dataclasses import replace

import numpy as np
import pytest

from chipweir import facts
from chipweir.errors import InputError
from chipweir.world import (
    Posterior,
    at_scores,
    beliefs,
    believing,
    draw,
    mismatch,
    parameters,
    posterior_of,
    read_posterior,
    score_names,
    shipped_posterior,
)
from chipweir.world._parameters import draw_blocks
from chipweir.world._posterior import _bare, equations_digest


RANDOM = np.random.default_rng(0)
MIXED = RANDOM.standard_normal((3, 3))
ROWS = (RANDOM.standard_normal((400, 3)) @ MIXED + [1.0, -0.5, 0.2]).astype(np.float32)
COLUMNS = ("pue", "chip_life", "belief_budget_us/3")
MADE = Posterior(COLUMNS, ROWS, {"as_of": "2025-12-31", "facts": "x", "equations": "y", "files": 0})


def drawn(members: int, seed: int = 0) -> dict[str, np.ndarray]:
    with believing(MADE):
        return draw(members, seed)


def test_mixed_rows_keep_mean_and_covariance_and_repeat_none() -> None:
    mixed = MADE.mixed(np.random.default_rng(1).random((20_000, 3)))
    np.testing.assert_allclose(mixed.mean(0), ROWS.mean(0), atol=0.06)
    np.testing.assert_allclose(np.cov(mixed.T), np.cov(ROWS.T), rtol=0.08, atol=0.06)
    assert len(np.unique(mixed, axis=0)) > 19_990
    assert not np.isin(mixed[:, 0], ROWS[:, 0].astype(float)).any()


def test_the_first_thousand_of_more_are_those_of_a_thousand() -> None:
    few, many = drawn(50, 3), drawn(400, 3)
    blocks = []
    with believing(MADE):
        blocks = list(draw_blocks(400, 3, 128))
    for name in parameters():
        np.testing.assert_array_equal(few[name], many[name][:50])
        np.testing.assert_array_equal(np.concatenate([block[name] for block in blocks]), many[name])


def test_seeds_differ_and_repeat() -> None:
    np.testing.assert_array_equal(drawn(20, 1)["pue"], drawn(20, 1)["pue"])
    assert not np.array_equal(drawn(20, 1)["pue"], drawn(20, 2)["pue"])


def test_what_the_posterior_does_not_name_keeps_its_prior_stream() -> None:
    with believing(None):
        prior = draw(30, 4)
    held = drawn(30, 4)
    np.testing.assert_array_equal(held["node_cost"], prior["node_cost"])
    np.testing.assert_array_equal(held["belief_budget_us"][:, 4], prior["belief_budget_us"][:, 4])
    assert not np.array_equal(held["belief_budget_us"][:, 3], prior["belief_budget_us"][:, 3])
    assert not np.array_equal(held["pue"], prior["pue"])


def test_a_table_of_one_s_own_is_drawn_from_its_prior() -> None:
    own = {"pue": parameters()["pue"]}
    with believing(None):
        prior = draw(10, 0, own)
    with believing(MADE):
        np.testing.assert_array_equal(draw(10, 0, own)["pue"], prior["pue"])


def test_scores_make_the_parameters() -> None:
    given = at_scores({name: np.zeros(2) for name in score_names()})
    assert all(given[name].shape == ((2,) if p.count == 1 else (2, p.count)) for name, p in parameters().items())
    assert given["pue"][0] == pytest.approx(parameters()["pue"].central)


def test_a_posterior_is_read_back_and_other_files_are_refused(tmp_path) -> None:
    MADE.save(tmp_path / "own.npz")
    again = read_posterior(tmp_path / "own.npz")
    assert again.columns == MADE.columns
    assert again.digest == MADE.digest
    assert again.manifest == MADE.manifest
    (tmp_path / "junk.npz").write_bytes(b"junk")
    for name in ("junk.npz", "missing.npz"):
        with pytest.raises(InputError, match=name):
            read_posterior(tmp_path / name)


def test_what_does_not_match_is_said() -> None:
    known = facts.load()
    manifest = {
        "as_of": "2026-10-01",
        "facts": known.digest,
        "equations": equations_digest(),
        "files": len(known.files),
    }
    now = replace(MADE, manifest=manifest)
    assert mismatch(now, known) == ()

    def said(given: facts.Facts, **changes: str) -> str:
        return "; ".join(mismatch(replace(now, manifest={**manifest, **changes}), given))

    assert "model has changed" in said(known, equations="x")
    assert "facts have changed" in said(known, facts="x")
    assert "what-if on fab-004" in said(facts.load(changes={"fab-004": "x1.5"}))
    assert "fitted as of 2026-10-01" in said(facts.load(as_of="2025-06-30"))


def test_comments_do_not_change_the_model() -> None:
    assert _bare('def f(x):\n    """Doc."""\n    return x + 1  # why\n') == _bare("def f(x):\n    return x + 1\n")
    assert _bare("def f(x):\n    return x + 1\n") != _bare("def f(x):\n    return x + 2\n")


def test_as_of_a_day_beliefs_are_no_later() -> None:
    assert posterior_of(facts.load(as_of="2022-06-30")) is None
    held = posterior_of(facts.load(as_of="2024-12-31"))
    assert held is None or held.as_of <= "2024-12-31"


def test_the_shipped_posterior_is_what_draws_believe() -> None:
    held = shipped_posterior()
    assert beliefs() is held
    if held is not None:
        assert len(held.rows) >= 500
        assert set(held.columns) <= set(score_names())
        assert len(held.manifest["observations"]) >= 200
