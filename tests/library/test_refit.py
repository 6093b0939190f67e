"""Beliefs reweighted to a what-if, without simulating: what is said, what is refused, what a run keeps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chipweir import calibration
from chipweir.errors import InputError
from chipweir.library import Known, Order, beliefs, refitted
from chipweir.world import load_scenario, read_posterior, shipped_posterior


WHAT_IF = Known(changes={"smu-002": "x2"})


@pytest.fixture
def reweighted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A reweighting that keeps every row, and a cache of its own."""

    def reweight(held, before, after, tell=None):
        manifest = {**held.manifest, "facts": after.digest, "reweighted": {"from": held.digest}}
        return calibration.Reweighted(replace(held, manifest=manifest), 500.0, len(held.rows), 3, ("smu-002",), {})

    monkeypatch.setattr(calibration, "reweight", reweight)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path)


def order(**changes: object) -> Order:
    return Order((load_scenario("baseline"),), 20, 1, **{"known": WHAT_IF, **changes})


def test_reweighted_beliefs_are_kept_and_no_longer_called_unfitted(
    reweighted: None, capsys: pytest.CaptureFixture[str]
) -> None:
    beliefs(order(), order().known.load())
    assert "not refitted" in (said := capsys.readouterr().err)
    assert "--refit" in said
    found, told = refitted(order(), order().known.load())
    assert (told.effective, found.known) == (500.0, WHAT_IF)
    held = read_posterior(found.posterior)
    np.testing.assert_array_equal(held.rows, shipped_posterior().rows)
    beliefs(found, found.known.load())
    assert "not refitted" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"known": Known()}, "give it --fact or --facts"),
        ({"prior": True}, "leave out --prior and --posterior"),
        ({"posterior": Path("own.npz")}, "leave out --prior and --posterior"),
    ],
)
def test_what_cannot_be_reweighted_is_said(changes: dict[str, object], message: str) -> None:
    asked = order(**changes)
    with pytest.raises(InputError, match=message):
        refitted(asked, asked.known.load())
