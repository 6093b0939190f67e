"""Published figures beside prior-predictive intervals: the table, how a figure is read off, and the verdict."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from chipweir import facts
from chipweir.calibration import Target, credibility, measure, targets
from chipweir.errors import InputError
from chipweir.world import load_scenario, variables
from chipweir.world._ensemble import coordinates


MEMBERS = 40


def results(start: str = "2022-01", end: str = "2025-12") -> xr.Dataset:
    """An ensemble of made-up numbers in which member i has the value 1 + i in every month."""
    months = np.arange(np.datetime64(start, "M"), np.datetime64(end, "M") + 1)
    axes = coordinates()
    data = {}
    for row in variables():
        dims = row["dims"].split()
        shape = (1, MEMBERS, len(months), *(len(axes[dim]) for dim in dims))
        values = np.broadcast_to(1.0 + np.arange(MEMBERS).reshape(1, -1, *[1] * (len(shape) - 2)), shape)
        data[f"member_{row['name']}"] = (("scenario", "member", "month", *dims), values.copy())
    coords = {
        "scenario": ["baseline"],
        "month": months.astype("datetime64[ns]"),
        **{k: list(v) for k, v in axes.items()},
    }
    return xr.Dataset(data, coords)


def a_target(**changes: object) -> Target:
    return replace(targets()[0], **changes)  # type: ignore[arg-type]


def test_the_ten_figures_of_the_credibility_table_are_there() -> None:
    rows = targets()
    assert {target.row for target in rows} == set(range(1, 11))
    assert len({target.target for target in rows}) == len(rows)
    known, table, axes = facts.load(), {row["name"]: row["dims"].split() for row in variables()}, coordinates()
    for target in rows:
        assert target.low <= target.central <= target.high, target.target
        assert target.facts, target.target
        assert [fact for fact in target.facts if fact.lower() not in known.facts] == [], target.target
        assert set(target.selection) == set(table[target.variable]), target.target
        assert all(target.selection[dim] in axes[dim] for dim in target.selection), target.target
        assert "2022-01" <= target.start <= target.end <= "2025-12", "data up to end-2025 only"
        assert target.label
        assert target.label_ko


def test_targets_restate_the_facts_they_name() -> None:
    known = facts.load()
    checked = 0
    for target in targets():
        if len(target.facts) != 1 or target.unit not in ("BUSD", "percent"):
            continue
        value = known.facts[target.facts[0].lower()].value
        best = value.best * (1e-9 if target.unit == "BUSD" else 1)
        assert best == pytest.approx(target.central, rel=0.01), target.target
        checked += 1
    assert checked >= 9


@pytest.mark.parametrize(("operation", "expected"), [("sum", 3.0), ("mean", 1.0), ("at", 1.0)])
def test_a_figure_is_summed_averaged_or_read_at_its_month(operation: str, expected: float) -> None:
    target = a_target(operation=operation, start="2024-01", end="2024-03", scale=10.0)
    np.testing.assert_allclose(measure(results(), target), expected * 10 * (1 + np.arange(MEMBERS)))


def test_only_the_months_named_count() -> None:
    made = results()
    name = f"member_{targets()[0].variable}"
    made[name] = made[name].where(made.month <= np.datetime64("2024-06"), 1000.0)
    target = a_target(operation="sum", start="2024-06", end="2024-07", scale=1.0)
    assert measure(made, target)[0] == pytest.approx(1001.0)


@pytest.mark.parametrize(("start", "end"), [("2022-01", "2024-12"), ("2025-02", "2025-12")])
def test_a_run_that_does_not_cover_the_months_is_an_error(start: str, end: str) -> None:
    with pytest.raises(InputError, match="does not cover"):
        measure(results(start, end), a_target(start="2025-01", end="2025-06"))


def test_missing_months_are_left_out_of_a_mean() -> None:
    made = results()
    made["member_premium_black_market"][:, :, 40] = np.nan
    (target,) = (target for target in targets() if target.target == "premium-2025")
    np.testing.assert_allclose(measure(made, target), (1 + np.arange(MEMBERS)) * target.scale)


@pytest.mark.parametrize(
    ("low", "central", "high", "inside", "overlap"),
    [(19, 20, 21, True, True), (39.5, 60, 70, False, False), (30, 45, 50, False, True), (0, 0.5, 5, False, True)],
)
def test_the_verdict_is_whether_the_interval_holds_the_figure(
    monkeypatch: pytest.MonkeyPatch, low: float, central: float, high: float, inside: bool, overlap: bool
) -> None:
    target = a_target(operation="at", start="2024-01", end="2024-01", scale=1.0, low=low, central=central, high=high)
    monkeypatch.setattr("chipweir.calibration._credibility.targets", lambda: (target,))
    (verdict,) = credibility(results())
    assert (verdict.p05, verdict.p50, verdict.p95) == pytest.approx((2.95, 20.5, 38.05))
    assert (verdict.inside, verdict.overlap) == (inside, overlap)
    assert verdict.rank == np.mean(1 + np.arange(MEMBERS) <= central)
    assert verdict.as_dict()["target"]["target"] == target.target


def test_every_target_can_be_read_off_a_run() -> None:
    verdicts = credibility(results())
    assert [verdict.target for verdict in verdicts] == list(targets())
    assert all(np.isfinite((v.p05, v.p50, v.p95)).all() for v in verdicts)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_prior_ensemble_holds_most_published_figures() -> None:
    from chipweir.world import run_ensemble

    verdicts = credibility(run_ensemble([load_scenario("baseline")], facts.load(), 200, keep_members=True))
    assert np.mean([verdict.overlap for verdict in verdicts]) >= 0.85
    assert np.mean([verdict.inside for verdict in verdicts]) >= 0.7
