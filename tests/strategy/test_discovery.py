"""Known truths of sensitivity, scenario discovery, information and signposts."""

import numpy as np
import pytest

from chipweir.strategy import _information as information
from chipweir.strategy import _prim
from chipweir.strategy import _sensitivity as sensitivity


def ishigami(x: np.ndarray) -> np.ndarray:
    """Ishigami and Homma (1990) with a = 7, b = 0.1; `x` [n, 3] in (-pi, pi)."""
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_sobol_indices_of_ishigami() -> None:
    design = sensitivity.sobol_design("abc", 2048)
    found = sensitivity.sobol_indices(["a", "b", "c"], ishigami(np.pi * (2 * design - 1)))
    first = {index.name: index.value for index in found.of("sobol_first")}
    total = {index.name: index.value for index in found.of("sobol_total")}
    assert first == pytest.approx({"a": 0.3139, "b": 0.4424, "c": 0.0}, abs=0.03)
    assert total == pytest.approx({"a": 0.5576, "b": 0.4424, "c": 0.2437}, abs=0.03)
    for index in found.indices:
        assert index.low <= index.value <= index.high


def test_sobol_indices_of_a_linear_model_are_its_variance_shares() -> None:
    design = sensitivity.sobol_design("abc", 1024)
    found = sensitivity.sobol_indices(["a", "b", "c"], design @ np.array([4.0, 2.0, 0.0]))
    for kind in ("sobol_first", "sobol_total"):
        shares = {index.name: index.value for index in found.of(kind)}
        assert shares == pytest.approx({"a": 0.8, "b": 0.2, "c": 0.0}, abs=0.02)


def test_a_factor_of_many_numbers_is_one_group_of_columns() -> None:
    design = sensitivity.sobol_design(["path", "path", "path", "other"], 1024)
    assert design.shape == (1024 * 4, 4)
    found = sensitivity.sobol_indices(["path", "other"], design @ np.array([2.0, 2.0, 1.0, 3.0]))
    for kind in ("sobol_first", "sobol_total"):
        shares = {index.name: index.value for index in found.of(kind)}
        assert shares == pytest.approx({"path": 0.5, "other": 0.5}, abs=0.03)


def test_indices_of_an_ensemble_find_the_variance_shares_of_a_linear_model() -> None:
    x = np.random.default_rng(0).normal(size=(2000, 6))
    outcome = x @ np.array([2.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    found = sensitivity.given_data({f"x{k}": x[:, k] for k in range(6)}, outcome)
    first = {index.name: index.value for index in found.of("first")}
    assert first["x0"] == pytest.approx(0.8, abs=0.06)
    assert first["x1"] == pytest.approx(0.2, abs=0.06)
    pawn = [index.name for index in found.of("pawn")]
    assert pawn[:2] == ["x0", "x1"]
    beyond = [index.name for index in found.of("pawn") if index.value > 1.3 * found.noise["pawn"]]
    assert beyond == ["x0", "x1"]


def test_indices_of_ishigami_on_an_ensemble_see_what_first_order_misses() -> None:
    x = np.random.default_rng(1).uniform(-np.pi, np.pi, size=(4000, 4))
    found = sensitivity.given_data({name: x[:, k] for k, name in enumerate("abcd")}, ishigami(x))
    first = {index.name: index.value for index in found.of("first")}
    assert first["a"] == pytest.approx(0.314, abs=0.06)
    assert first["b"] == pytest.approx(0.442, abs=0.06)
    pawn = {index.name: index.value for index in found.of("pawn")}
    assert pawn["c"] > found.noise["pawn"] > pawn["d"] * 0.5
    assert first["c"] < 0.05


@pytest.mark.parametrize("members", [400, 401])
def test_indices_are_those_of_the_library(members: int) -> None:
    from SALib.analyze import pawn, rbd_fast

    x = np.random.default_rng(7).uniform(size=(members, 3))
    y = x[:, 0] + 0.3 * x[:, 1] ** 2
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0.0, 1.0]] * 3}
    slices = pawn.analyze(problem, sensitivity._ranks(x), y, S=10, print_to_console=False)["median"]
    np.testing.assert_allclose(sensitivity._pawn(x, y), np.asarray(slices, dtype=float), atol=0.03)
    first = np.clip(np.asarray(rbd_fast.analyze(problem, x, y, num_resamples=2)["S1"], dtype=float), 0, 1)
    np.testing.assert_allclose(sensitivity._first(x, y), first, atol=1e-9)


def test_a_factor_of_two_values_shows_both() -> None:
    x = np.random.default_rng(8).integers(0, 2, size=(400, 2)).astype(float)
    found = sensitivity._pawn(x, x[:, 0] + 0.01 * np.arange(400) / 400)
    assert found[0] == pytest.approx(0.5, abs=0.05)
    assert found[1] < 0.15


def test_an_outcome_that_never_moves_has_no_drivers() -> None:
    found = sensitivity.given_data({"a": np.arange(100.0), "b": np.ones(100)}, np.ones(100))
    assert all(index.value == 0 for index in found.indices)


def planted(size: int = 3000) -> tuple[dict[str, np.ndarray], np.ndarray]:
    x = np.random.default_rng(2).uniform(size=(size, 8))
    inside = (x[:, 1] > 0.6) & (x[:, 4] < 0.45)
    noise = np.random.default_rng(3).uniform(size=size)
    happens = np.where(inside, noise < 0.95, noise < 0.02)
    return {f"x{k}": x[:, k] for k in range(8)}, happens


def test_prim_finds_a_planted_box() -> None:
    columns, happens = planted()
    box = _prim.prim(columns, happens)[0]
    assert set(box.limits) == {"x1", "x4"}
    assert box.limits["x1"] == (pytest.approx(0.6, abs=0.03), np.inf)
    assert box.limits["x4"] == (-np.inf, pytest.approx(0.45, abs=0.03))
    assert box.coverage > 0.85
    assert box.density > 0.9
    assert max(box.quasi_p.values()) < 0.001
    inside = box.contains(columns)
    assert inside.mean() == pytest.approx(box.mass)
    assert happens[inside].mean() == pytest.approx(box.density)


def test_prim_finds_a_second_box_and_a_class() -> None:
    generator = np.random.default_rng(5)
    columns = {"choice": generator.integers(0, 3, 2000).astype(float), "x": generator.uniform(size=2000)}
    happens = (columns["choice"] == 2) | (columns["x"] > 0.9)
    boxes = _prim.prim(columns, happens)
    assert boxes[0].limits["choice"][0] == 2
    assert boxes[1].limits["x"][0] == pytest.approx(0.9, abs=0.03)
    assert sum(box.coverage for box in boxes) > 0.95


def test_prim_finds_nothing_in_noise_or_certainty() -> None:
    columns, _happens = planted(400)
    assert _prim.prim(columns, np.zeros(400, dtype=bool)) == []
    assert _prim.prim(columns, np.ones(400, dtype=bool)) == []
    coin = np.random.default_rng(9).uniform(size=400) < 0.5
    for box in _prim.prim(columns, coin):
        assert box.density < 0.75


def test_prim_agrees_with_the_packaged_one() -> None:
    ema = pytest.importorskip("ema_workbench.analysis.prim")
    import pandas as pd

    columns, happens = planted(1500)
    theirs = ema.Prim(pd.DataFrame(columns), happens, threshold=0.8).find_box()
    ours = _prim.prim(columns, happens)[0]
    best = theirs.peeling_trajectory.loc[(theirs.peeling_trajectory[["coverage", "density"]].sum(axis=1)).idxmax()]
    assert ours.coverage + ours.density >= best.coverage + best.density - 0.05


def test_knowing_what_decides_is_worth_what_knowing_everything_is() -> None:
    generator = np.random.default_rng(4)
    state, other = generator.normal(size=(2, 4000))
    scores = np.stack([np.zeros(4000), state])
    weight = np.full(4000, 1 / 4000)
    found = information.partial_information({"state": state, "other": other}, scores, weight)
    assert [worth.name for worth in found] == ["state", "other"]
    # E max(0, x) of a standard normal is 1 / sqrt(2 pi).
    assert found[0].value == pytest.approx(1 / np.sqrt(2 * np.pi), rel=0.08)
    assert found[0].share == pytest.approx(1.0, abs=0.05)
    assert found[1].value <= found[1].noise + 0.01
    assert found[0].switch == pytest.approx(0.5, abs=0.06)


def test_no_information_is_worth_anything_where_one_option_is_always_best() -> None:
    x = np.random.default_rng(0).normal(size=500)
    scores = np.stack([x, x - 3.0])
    weight = np.full(500, 1 / 500)
    assert information.perfect_information(scores, weight) == pytest.approx(0.0)
    assert information.partial_information({"x": x}, scores, weight)[0].value == pytest.approx(0.0, abs=1e-9)


def test_a_signpost_names_quantity_level_and_the_earliest_date() -> None:
    generator = np.random.default_rng(6)
    ramp, noise = generator.uniform(0, 10, 3000), generator.normal(size=3000)
    advantage = ramp - 6.0
    seen = [("ramp", f"{year}-12", ramp * scale) for year, scale in ((2029, 3.0), (2027, 1.0), (2028, 2.0))]
    found = information.signposts([("noise", "2026-12", noise), *seen], advantage, np.full(3000, 1 / 3000))
    assert (found[0].name, found[0].date, found[0].above) == ("ramp", "2027-12", True)
    assert found[0].level == pytest.approx(6.0, abs=0.05)
    assert found[0].skill == pytest.approx(1.0)
    assert found[0].gain == pytest.approx(np.maximum(advantage, 0).mean(), rel=0.01)
    assert [post.name for post in found] == ["ramp"]


def test_where_an_observable_has_no_value_it_tells_nothing() -> None:
    advantage = np.repeat([1.0, -1.0], 200)
    values = np.where(np.arange(400) < 100, np.random.default_rng(0).random(400), np.nan)
    values[300:303] = 0.5  # known in a quarter of the futures, nearly all of them where the other option is better
    (post,) = information.signposts([("price", "2027-12", values)], advantage, np.full(400, 1 / 400))
    assert 0.3 < post.hit <= 0.5
    assert post.false_alarm <= 0.02
    assert post.gain == pytest.approx((post.hit - post.false_alarm) / 2)


def test_what_tells_all_futures_alike_is_no_signpost() -> None:
    random = np.random.default_rng(1)
    advantage = np.where(np.arange(400) < 300, 1.0, -1.0)  # following anything always gains, telling nothing
    assert information.signposts([("noise", "2027-12", random.random(400))], advantage, np.full(400, 1 / 400)) == []


def test_no_signpost_where_one_option_is_always_better() -> None:
    assert information.signposts([("x", "2027-12", np.arange(9.0))], np.ones(9), np.full(9, 1 / 9)) == []
