"""The smoother and the moves against posteriors that are known exactly, and simulation-based calibration in small."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare, multivariate_normal

from chipweir import facts
from chipweir.calibration import observations
from chipweir.calibration._likelihood import Likelihood
from chipweir.calibration._observations import Observation
from chipweir.calibration._smoother import State, begin, move, prune, step


SOME = [o for o in observations(facts.load()) if o.quantity.text == "nvidia_china_revenue"][:4]


def row(place: int, observed: float, error: float, series: str, bound: str = "") -> Observation:
    """An observation of a made-up quantity."""
    given = {"id": f"row-{place}", "central": float(np.exp(observed)), "series": series, "bound": bound, "shared": 0.0}
    below, above = error, float("inf") if bound == "at_least" else error
    return replace(
        SOME[0], **given, below=below, above=above, start=f"2024-{place + 1:02d}", end=f"2024-{place + 1:02d}"
    )


def fitted(likelihood: Likelihood, predict, parameters: int, members: int, moves: int, seed: int = 0) -> State:
    random = np.random.default_rng([seed, 99])
    state = begin(
        random.standard_normal((members, parameters)), predict, np.ones((parameters, len(likelihood.observations)))
    )
    while state.taken < 1:
        state = step(state, likelihood, predict, seed)
    state = prune(state, likelihood, seed)
    for _ in range(moves):
        state = move(state, likelihood, predict, seed)
    return state


def test_a_linear_model_gets_its_exact_posterior() -> None:
    design = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0]])
    likelihood = Likelihood((row(0, 0.8, 0.2, "a"), row(1, -0.5, 0.2, "b")))
    state = fitted(likelihood, lambda x: x @ design.T, 3, 800, 40)
    # the model's own error is integrated out: its effective variance is that of the mixture, here close to one size
    found = []
    for size in np.linspace(0.02, 0.3, 8):
        noise = np.eye(2) * (0.2**2 + size**2)
        gain = design.T @ np.linalg.inv(design @ design.T + noise)
        evidence = multivariate_normal(np.zeros(2), design @ design.T + noise).logpdf(likelihood.observed)
        found.append(
            (evidence - 0.5 * (size / 0.15) ** 2, gain @ likelihood.observed, np.diag(np.eye(3) - gain @ design))
        )
    weights = np.exp([f[0] for f in found])
    weights /= weights.sum()
    mean = sum(w * f[1] for w, f in zip(weights, found, strict=True))
    spread = np.sqrt(sum(w * f[2] for w, f in zip(weights, found, strict=True)))
    np.testing.assert_allclose(state.scores.mean(0), mean, atol=0.12)
    np.testing.assert_allclose(state.scores.std(0), spread, rtol=0.15, atol=0.05)
    assert state.scores[:, 2].std() == pytest.approx(1, abs=0.12)  # what nothing informs keeps its prior


def test_a_bound_that_holds_says_nothing_and_one_that_does_not_pulls() -> None:
    kept = Likelihood((row(0, -3.0, 0.1, "a", "at_least"),))
    broken = Likelihood((row(0, 1.5, 0.1, "a", "at_least"),))
    free = fitted(kept, lambda x: x[:, :1], 1, 400, 10)
    pulled = fitted(broken, lambda x: x[:, :1], 1, 400, 30)
    assert abs(free.scores.mean()) < 0.15
    assert pulled.scores.mean() > 1.2
    assert pulled.scores.max() > 2  # nothing holds it from above


def test_residuals_take_the_side_s_own_error() -> None:
    one = replace(row(0, 0.0, 0.1, "a"), below=0.1, above=0.4)
    likelihood = Likelihood((one,))
    below, above = likelihood.residuals(np.array([[-0.1], [0.4]]))[:, 0] / likelihood.scale
    assert below == pytest.approx(1)
    assert above == pytest.approx(-1)


def test_the_density_is_the_mixture_over_the_model_s_error() -> None:
    rows = (row(0, 0.3, 0.1, "a"), row(4, 0.1, 0.2, "a"), row(2, 0.0, 0.1, "b"))
    predicted = np.random.default_rng(0).normal(0, 0.2, (3, 3))
    sizes = np.linspace(0.02, 0.3, 8)
    prior = np.exp(-0.5 * (sizes / 0.15) ** 2)
    prior /= prior.sum()
    likelihood = Likelihood(rows)
    for found, told in zip(likelihood.log_density(predicted), predicted, strict=True):
        parts = []
        for group in ([0, 1], [2]):
            at = np.array([rows[i].middle for i in group])
            own = np.diag([rows[i].scale ** 2 for i in group])
            model = np.exp(-np.abs(at[:, None] - at) / 12)
            gaps = np.array([0.3, 0.1, 0.0])[group] - told[group]
            densities = [multivariate_normal(np.zeros(len(group)), own + s**2 * model).pdf(gaps) for s in sizes]
            parts.append(np.log(prior @ np.array(densities)) + 0.5 * len(group) * np.log(2 * np.pi))
        assert found == pytest.approx(sum(parts), abs=1e-6)


def test_the_same_seed_gives_the_same_posterior_and_another_does_not() -> None:
    likelihood = Likelihood((row(0, 0.8, 0.2, "a"),))
    first, again, other = (
        fitted(likelihood, lambda x: np.tanh(x[:, :1]), 2, 100, 3, seed).scores for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_fit_stopped_between_steps_goes_on_to_the_same(tmp_path) -> None:
    from chipweir.calibration._calibrate import _Stored

    likelihood = Likelihood((row(0, 2.0, 0.05, "a"),))

    def predict(x: np.ndarray) -> np.ndarray:
        return x[:, :1] + 0.2 * x[:, :1] ** 3

    whole = fitted(likelihood, predict, 2, 100, 2)
    random = np.random.default_rng([0, 99])
    state, stored = begin(random.standard_normal((100, 2)), predict, np.ones((2, 1))), _Stored(tmp_path, "x" * 20)
    while state.taken < 1:
        state = step(state, likelihood, predict, 0)
        stored.write("state", state)
        state = stored.read("state")  # as another process would find it
    state = prune(state, likelihood, 0)
    for _ in range(2):
        state = move(state, likelihood, predict, 0)
        stored.write("state", state)
        state = stored.read("state")
    np.testing.assert_array_equal(state.scores, whole.scores)


def ranks(data_sets: int, members: int, moves: int, seed: int = 0) -> np.ndarray:
    """Ranks of true scores among 15 thinned members, `[data set, parameter]`, for a model that is bent but not broken."""
    random = np.random.default_rng(seed)
    design = random.normal(0, 0.6, (3, 6))

    def predict(x: np.ndarray) -> np.ndarray:
        told = x @ design
        return told + 0.15 * told**2

    found = []
    for number in range(data_sets):
        truth = random.standard_normal((1, 3))
        size = 1.0
        while size > 0.3:
            size = abs(random.normal(0, 0.15))
        size = np.linspace(0.02, 0.3, 8)[np.argmin(np.abs(np.linspace(0.02, 0.3, 8) - size))]
        rows = [row(i, 0.0, 0.15, "one") for i in range(6)]
        likelihood = Likelihood(tuple(rows))
        noise = random.multivariate_normal(np.zeros(6), likelihood.series[0].covariance(size))
        observed = predict(truth)[0] + noise
        told = Likelihood(tuple(replace(r, central=float(np.exp(v))) for r, v in zip(rows, observed, strict=True)))
        state = fitted(told, predict, 3, members, moves, seed=number)
        thinned = state.scores[:: members // 15][:15]
        found.append((thinned < truth).sum(0))
    return np.array(found)


def test_simulation_based_calibration_in_small() -> None:
    found = ranks(48, 90, 10)
    for parameter in range(found.shape[1]):
        counts = np.histogram(found[:, parameter], bins=4, range=(-0.5, 15.5))[0]
        assert chisquare(counts).pvalue > 0.001
