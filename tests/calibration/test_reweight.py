"""Posteriors reweighted to changed facts: against an exact answer, and where the answer must be refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from chipweir import facts
from chipweir.calibration import _reweight as room
from chipweir.calibration import observations, reweight
from chipweir.errors import InputError
from chipweir.world import Posterior


ROW = replace(next(o for o in observations(facts.load()) if not o.bound), below=0.5, above=0.5, shared=0.0)
FITTED = {"observations": [ROW.id], "as_of": "2026-11-26", "sizes": {}}


def held(count: int = 4000, mean: float = 0.0, spread: float = 0.5) -> Posterior:
    """A posterior of two scores, the first of which the row of `world` is about."""
    rows = np.random.default_rng(0).standard_normal((count, 2)) * [spread, 1.0] + [mean, 0.0]
    return Posterior(("told", "untold"), rows.astype(np.float32), FITTED)


def world(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose log number is the first score plus its facts' input; facts also say what was observed."""
    monkeypatch.setattr(room, "observations", lambda told: (replace(ROW, central=float(np.exp(told.observed))),))
    monkeypatch.setattr(room, "predictor", lambda told, names, rows, mapper: lambda x: x[:, :1] + told.given)


def told(observed: float = 0.0, given: float = 0.0) -> SimpleNamespace:
    return SimpleNamespace(observed=observed, given=given, digest=f"{observed} {given}", files=())


@pytest.mark.parametrize(("observed", "given"), [(0.2, 0.0), (-0.2, 0.0), (0.0, 0.2), (0.2, 0.2)])
def test_a_change_moves_the_mean_as_the_exact_posterior(
    monkeypatch: pytest.MonkeyPatch, observed: float, given: float
) -> None:
    world(monkeypatch)
    found = reweight(held(), told(), told(observed, given))
    # log weights in closed form, the model's error integrated over its grid: the same mean by quadrature
    x = np.linspace(-3, 3, 4001)[:, None]
    likelihood = [
        room.Likelihood((replace(ROW, central=float(np.exp(seen))),)).log_density(x + put)
        for seen, put in ((0.0, 0.0), (observed, given))
    ]
    density = np.exp(-0.5 * (x[:, 0] / 0.5) ** 2 + likelihood[1] - likelihood[0])
    exact = float((x[:, 0] * density).sum() / density.sum())
    assert found.posterior.mean[0] == pytest.approx(exact, abs=0.03)
    assert np.sign(found.posterior.mean[0] - 0.0) == np.sign(observed - given) or observed == given
    assert found.posterior.mean[1] == pytest.approx(0, abs=0.06)
    assert found.effective > 1000
    assert found.posterior.manifest["facts"] == told(observed, given).digest
    assert set(found.changed) == ({ROW.id} if observed else set())


def test_what_changes_nothing_leaves_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    world(monkeypatch)
    found = reweight(held(), told(), told())
    np.testing.assert_array_equal(found.posterior.rows, held().rows)
    assert found.effective == pytest.approx(4000)
    assert (found.changed, found.truncated) == ((), 0)


def test_what_no_row_reaches_is_refused_with_a_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    world(monkeypatch)
    with pytest.raises(InputError, match=r"of 200 rows .* effective, fewer than 100: .*chipweir calibrate --fact"):
        reweight(held(200), told(), told(observed=4.0))


def test_weights_are_truncated_and_draws_systematic() -> None:
    logs = np.random.default_rng(1).standard_normal(1000)
    logs[0] = 50.0
    shares, truncated = room.weights(logs)
    assert truncated >= 1
    assert shares[0] < 0.02
    assert shares.sum() == pytest.approx(1)
    equal = np.full(50, 1 / 50)
    np.testing.assert_array_equal(room.resampled(equal, 0), np.arange(50))
    counts = np.bincount(room.resampled(shares, 3), minlength=1000)
    assert np.all(np.abs(counts - 1000 * shares) < 1 + 1e-9)
    np.testing.assert_array_equal(room.resampled(shares, 3), room.resampled(shares, 3))
