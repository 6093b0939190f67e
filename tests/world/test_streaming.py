"""Ensembles that do not fit in memory: what is counted is what sorting would have given, whatever the cut, stop or order."""

from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.world import QUANTILES, _ensemble, _streaming, draw, load_scenario, quantiles, run_ensemble
from chipweir.world._ensemble import FLOWS
from chipweir.world._parameters import draw_blocks
from chipweir.world._reported import Reported, calendar_years
from chipweir.world._tally import PILOT, edges_of, quantiles_of, ranks, tally


def kinds(generator: np.random.Generator, count: int) -> np.ndarray:
    """Columns of every awkward kind: heavy tails, lumps, two humps, constants, missing values, rare values."""
    normal = generator.normal(size=count)
    uniform = generator.random(count)
    return np.stack(
        [
            normal,
            np.exp(2 * normal),
            np.where(uniform < 0.7, 0.0, normal),
            np.round(2 * normal),
            uniform**8,
            normal + np.where(uniform < 0.37, -8, 8),
            np.zeros(count),
            np.where(uniform < 0.3, np.nan, normal),
            np.full(count, np.nan),
            generator.standard_cauchy(count),
            np.where(uniform < 0.0005, np.exp(normal), 0.0),
            1e6 * (1 + 1e-6 * normal),
            -np.exp(normal),
        ],
        axis=1,
    ).astype("float32")


def counted(values: np.ndarray, pilot: int, block: int) -> tuple[np.ndarray, np.ndarray]:
    edges = edges_of(values[:pilot], QUANTILES)
    total = None
    for start in range(0, len(values), block):
        found = tally(values[start : start + block], edges)
        total = found if total is None else total + found
    assert total is not None
    return quantiles_of(total, edges, QUANTILES)


def rank_error(values: np.ndarray, found: np.ndarray) -> np.ndarray:
    """How far, as a share of the members, each of `found` [level] lies from the quantile of `values` [member]."""
    ordered = np.sort(values[~np.isnan(values)].astype(float))
    below, upto = (np.searchsorted(ordered, found, side) / len(ordered) for side in ("left", "right"))
    return np.maximum(0.0, np.maximum(below - QUANTILES, QUANTILES - upto))


@pytest.mark.parametrize("seed", range(4))
def test_ranks_are_right_to_three_in_a_thousand_and_within_their_own_bound(seed: int) -> None:
    values = kinds(np.random.default_rng(seed), 40_000)
    found, left_open = counted(values, PILOT, 1000)
    for column in range(values.shape[1]):
        if np.isnan(values[:, column]).all():
            assert np.isnan(found[:, column]).all()
            assert np.isnan(left_open[:, column]).all()
            continue
        error = rank_error(values[:, column], found[:, column])
        assert error.max() < 0.003, column
        assert (error <= left_open[:, column] + 1.5 / 40_000).all(), column
    assert np.nanmax(left_open) < 0.03


def test_a_bound_is_small_where_quantiles_are_smooth() -> None:
    values = np.random.default_rng(5).normal(size=(200_000, 3)).astype("float32")
    found, _ = counted(values, PILOT, 4096)
    exact = quantiles(values)
    np.testing.assert_allclose(found, exact, atol=0.004)  # standard deviations; chance alone gives 0.005 at the 5th


@given(st.integers(1, 2_000), st.integers(1, 300), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_the_cut_makes_no_difference(block: int, pilot: int, seed: int) -> None:
    values = kinds(np.random.default_rng(seed), 700)
    one, two = counted(values, pilot, 700), counted(values, pilot, block)
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)
    order = np.concatenate([np.arange(pilot), pilot + np.random.default_rng(seed).permutation(700 - pilot)])
    np.testing.assert_array_equal(one[0], counted(values[order], pilot, block)[0])


@given(st.integers(0, 2**32 - 1))
def test_a_pilot_of_everybody_is_nearly_exact(seed: int) -> None:
    values = kinds(np.random.default_rng(seed), 300)
    found, left_open = counted(values, 300, 64)
    exact = quantiles(values)
    unknown = np.isnan(exact)
    np.testing.assert_array_equal(np.isnan(found), unknown)
    for column in range(values.shape[1]):
        if not unknown[:, column].any():
            assert (rank_error(values[:, column], found[:, column]) <= left_open[:, column] + 1.5 / 210).all()


def test_brackets_reach_past_the_chance_of_the_pilot() -> None:
    places = ranks(QUANTILES, PILOT)
    assert (np.diff(places) > 0).all()
    for level in QUANTILES:
        error = np.sqrt(level * (1 - level) / PILOT)
        near = places[np.abs(places - level) < 4.4 * error]
        assert len(near) >= 11
        assert near.min() < level - 3.5 * error
        assert near.max() > level + 3.5 * error


def test_draws_in_blocks_are_the_draws() -> None:
    whole = draw(1_001, 5)
    blocks = list(draw_blocks(1_001, 5, 64))
    for name, values in whole.items():
        np.testing.assert_array_equal(np.concatenate([block[name] for block in blocks]), values)


VARIABLES = (
    Reported("compute", "compute", "month", ("region",), "H100e", "stock", "Compute"),
    Reported("premium", "premium", "month", (), "1", "ratio", "Premium"),
    Reported("yearly_premium", "premium", "year", (), "1", "ratio", "Premium, mean of the year", "mean"),
)
SCENARIOS = [load_scenario(name).model_copy(update={"end": "2022-12"}) for name in ("baseline", "weir", "open")]


def imagined(task: Any) -> dict[str, np.ndarray]:
    """What `run_task` gives, made up of the first two parameters; `inputs.first_month` is the scenario's place."""
    luck, other = (values[:, 0] for values in list(task.parameters.values())[:2])
    luck = np.log(np.abs(luck) + 0.1)
    months, regions = 12, len(_ensemble.coordinates()["region"])
    number = float(task.inputs.first_month)
    shape = np.linspace(1, 2, months)[None, :, None] * np.linspace(1, 3, regions)[None, None, :]
    compute = np.exp(luck)[:, None, None] * shape * (1 + 0.1 * number * (other[:, None, None] > np.median([0.5])))
    premium = np.where(luck > 0, np.nan, luck)[:, None] * np.ones(months) + number
    batches = np.array([luck[start : start + 64].sum() for start in range(0, len(luck), 64)], "float32")
    flows = {name: batches[:, None, None] * np.ones((11, 2), "float32") for name in FLOWS}
    return {"compute": compute.astype("float32"), "premium": premium.astype("float32"), **flows}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A made-up model of two variables, counted from the 200th member on."""
    calls = SimpleNamespace(simulated=[])

    def run(task: Any) -> dict[str, np.ndarray]:
        calls.simulated.append((task.first, len(next(iter(task.parameters.values())))))
        return imagined(task)

    for module in (_ensemble, _streaming):
        monkeypatch.setattr(module, "reported", lambda: VARIABLES)
        monkeypatch.setattr(module, "own_products", lambda facts, scenarios: ())
    monkeypatch.setattr(_ensemble, "run_task", run)
    monkeypatch.setattr(_ensemble, "EXACT", 200)

    def flows(sums: Any, members: int, months: Any, extra: Any) -> Any:
        return ((), sum(own["flow_direct"].sum() for own in sums) / members, {}), []

    def place(scenario: Any, facts: Any, extra: Any) -> Any:
        calendar = SimpleNamespace(index=np.arange(12))
        return SimpleNamespace(first_month=SCENARIOS.index(scenario), months=SimpleNamespace(calendar=calendar))

    monkeypatch.setattr(_ensemble, "mean_flows", flows)
    for module in (_ensemble, _streaming):
        monkeypatch.setattr(module, "assemble", place)
    monkeypatch.setattr(_streaming, "_years", lambda inputs: calendar_years(0, 12))
    monkeypatch.setattr(_streaming, "PILOT", 128)
    monkeypatch.setattr(_streaming, "BLOCK", 256)
    monkeypatch.setattr(_streaming, "HELD", 64)
    return calls


def run(members: int, **options: Any) -> Any:
    return run_ensemble(SCENARIOS, None, members, 3, prior=True, **options)  # type: ignore[arg-type]


def test_counted_results_are_those_of_sorting(small: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    streamed = run(3_000)
    assert 0 < streamed.attrs["left_open"] < 0.1
    monkeypatch.setattr(_ensemble, "EXACT", 10_000)
    exact = run(3_000)
    assert exact.attrs["left_open"] == 0.0
    assert set(streamed.data_vars) == set(exact.data_vars)
    for name in exact.data_vars:
        one, two = streamed[name].values, exact[name].values
        assert one.shape == two.shape
        np.testing.assert_array_equal(np.isnan(one), np.isnan(two), err_msg=name)
        if name.startswith("p_greater") or name == "flow":
            np.testing.assert_allclose(one, two, rtol=1e-6, err_msg=name)
        else:
            np.testing.assert_allclose(one, two, rtol=0.05, atol=0.02, err_msg=name)
    np.testing.assert_array_equal(streamed["delta_compute"].values[0], 0)


def test_few_members_are_held_at_a_time_and_kept_members_are_exact(small: SimpleNamespace) -> None:
    run(1_000)
    assert max(count for _first, count in small.simulated if count != 128) <= 128
    kept = run(300, keep_members=True)
    assert kept.sizes["member"] == 300
    assert kept.attrs["left_open"] == 0.0
    np.testing.assert_allclose(kept["compute"].values[0], quantiles(kept["member_compute"].values[0]), rtol=1e-6)


def test_blocks_and_their_order_of_arrival_change_no_bit(
    small: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(1_500)
    for block, held in ((512, 64), (64, 64), (1024, 256)):
        monkeypatch.setattr(_streaming, "BLOCK", block)
        monkeypatch.setattr(_streaming, "HELD", held)
        again = run(1_500)
        for name in whole.data_vars:
            np.testing.assert_array_equal(again[name].values, whole[name].values, err_msg=name)


class Memory:
    """A keeper that keeps every state, and whose map is interrupted."""

    def __init__(self, stop_at: int | None = None, state: dict[str, Any] | None = None) -> None:
        self.stop_at, self.state, self.saved = stop_at, state, 0
        self.map = self._map

    def _map(self, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        for number, task in enumerate(tasks):
            if isinstance(task, _streaming.Block) and number == self.stop_at:
                raise KeyboardInterrupt
            yield function(task)

    def __call__(self, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        return self._map(function, tasks)

    def load(self) -> dict[str, Any] | None:
        return self.state

    def save(self, state: Callable[[], Any], last: bool = False) -> None:
        self.saved += 1
        self.state = {name: np.array(array) for name, array in state().items()}


def test_a_stopped_count_goes_on_to_the_same_bits(small: SimpleNamespace) -> None:
    whole = run(1_500)
    stopped = Memory(stop_at=3)
    with pytest.raises(KeyboardInterrupt):
        run(1_500, mapper=stopped)
    assert stopped.state is not None
    assert int(stopped.state["done"]) == 3
    small.simulated.clear()
    resumed = Memory(state=stopped.state)
    again = run(1_500, mapper=resumed)
    assert sum(count for _first, count in small.simulated) == 3 * (1_500 - 3 * 256), "only the rest, and no pilot"
    for name in whole.data_vars:
        np.testing.assert_array_equal(again[name].values, whole[name].values, err_msg=name)


def test_the_store_keeps_the_state_and_forgets_it_at_the_end(
    small: SimpleNamespace, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chipweir import store
    from chipweir.store import _parts

    monkeypatch.setattr(_parts, "KEEP_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(_parts, "KEEP_EVERY_SECONDS", 0.0)
    whole = run(1_500)
    stopping = Memory(stop_at=4)
    with pytest.raises(KeyboardInterrupt), store.unfinished(tmp_path, "d" * 64) as folder:
        run(1_500, mapper=store.resuming(folder, _ensemble.task_name, stopping))
    (folder,) = store.unfinished_runs(tmp_path)
    assert [path.name for path in folder.iterdir()] == ["state.npz"]
    assert folder.joinpath("state.npz").stat().st_size < _ensemble.needed_bytes(SCENARIOS, 1_500)
    small.simulated.clear()
    with store.unfinished(tmp_path, "d" * 64) as folder:
        again = run(1_500, mapper=store.resuming(folder, _ensemble.task_name))
    assert sum(count for _first, count in small.simulated) == 3 * (1_500 - 4 * 256)
    np.testing.assert_array_equal(again["compute"].values, whole["compute"].values)
    assert list(tmp_path.iterdir()) == []


def test_what_a_run_needs_of_the_disk_does_not_grow_beyond_what_is_counted() -> None:
    assert _ensemble.needed_bytes(SCENARIOS, 10**6) == _ensemble.needed_bytes(SCENARIOS, 10**5) < 5 * 10**9
    assert _ensemble.needed_bytes(SCENARIOS, 1_000) < _ensemble.needed_bytes(SCENARIOS, 2_000) < 2 * 10**9


def test_names_of_tasks_tell_ranges_apart() -> None:
    draws = {"a": np.zeros(10)}
    names = {
        _ensemble.task_name(_ensemble.Task(scenario, first, None, {"a": np.zeros(count)}))  # type: ignore[arg-type]
        for scenario in ("baseline", "weir")
        for first in (0, 64)
        for count in (64, 128)
    }
    assert len(names) == 8
    assert [_ensemble.task_name(task) for task in _ensemble.cut("x", None, draws, 4)] == ["x-0-4", "x-4-4", "x-8-2"]  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_model_counted_is_the_model_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    from chipweir import facts

    scenarios = [load_scenario("baseline"), load_scenario("weir")]
    exact = run_ensemble(scenarios, facts.load(), 192, 1)
    for module, name, value in (
        (_ensemble, "EXACT", 100), (_streaming, "PILOT", 64), (_streaming, "BLOCK", 128), (_streaming, "HELD", 64),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    counted_ = run_ensemble(scenarios, facts.load(), 192, 1)
    np.testing.assert_array_equal(counted_["flow"].values, exact["flow"].values)
    for name in exact.data_vars:
        one, two = counted_[name].values, exact[name].values
        np.testing.assert_array_equal(np.isnan(one), np.isnan(two), err_msg=str(name))
        if str(name).startswith("p_greater"):
            np.testing.assert_allclose(one, two, atol=1e-6, err_msg=str(name))
        elif name != "flow":
            spread = np.nanmax(two, axis=1, keepdims=True) - np.nanmin(two, axis=1, keepdims=True)
            # What single precision cannot tell from nothing beside the largest value is no difference.
            floor = np.finfo(np.float32).eps * np.nanmax(np.abs(two)) + 1e-30
            apart = np.abs(one - two) / np.maximum(spread, floor) < 0.5
            known = ~np.isnan(two)
            assert np.mean(apart[:, 1:-1][known[:, 1:-1]]) > 0.999, name
            # The outermost quantiles may lie beyond a pilot of 64 members, where nothing was counted.
            assert np.mean(apart[:, [0, -1]][known[:, [0, -1]]]) > 0.95, name
