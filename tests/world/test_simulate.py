"""What must hold of every trajectory: accounts close, capacities hold, state is a value, mechanisms have their sign."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import jax
import numpy as np
import pytest

from chipweir.world import Inputs, draw, labels, preset_names, simulate


Kept = Mapping[str, np.ndarray]
Outcome = Callable[[str], Kept]

SOLD = ("sold_direct", "sold_smuggled", "sold_rented")
CHINA = labels().regions.index("CHN")
# Not defined where nothing is smuggled, and in the first year of a yearly change.
UNDEFINED_AT_TIMES = {"premium_black_market", "token_price_fall"}


def gap(left: Any, right: Any) -> float:
    return float(np.max(np.abs(left - right) / np.maximum(np.abs(left), 1.0)))


@pytest.mark.parametrize("scenario", preset_names())
def test_chips_dies_and_stacks_balance_every_month_of_every_member(outcome: Outcome, scenario: str) -> None:
    kept = outcome(scenario)
    out = sum(kept[name] for name in (*SOLD, "scrapped", "left"))
    assert gap(kept["carried_in"] + kept["made"], out) < 1e-12
    assert gap(kept["dies_in"] + kept["dies_arrived"], kept["dies_used"] + kept["dies_left"]) < 1e-12
    assert gap(kept["hbm_in"] + kept["hbm_arrived"], kept["hbm_used"] + kept["hbm_left"]) < 1e-12
    for before, after in (("carried_in", "left"), ("dies_in", "dies_left"), ("hbm_in", "hbm_left")):
        np.testing.assert_array_equal(kept[before][:, 1:], kept[after][:, :-1])
    assert np.all(kept["seized"] <= kept["sold_smuggled"] * (1 + 1e-12))
    for name in (*SOLD, "made", "seized", "scrapped", "left", "dies_left", "dies_used", "hbm_left", "hbm_used"):
        assert kept[name].min() >= -1e-9, name


@pytest.mark.parametrize("scenario", preset_names())
def test_flows_add_up_to_the_ledger_and_to_what_is_reported(outcome: Outcome, scenario: str) -> None:
    kept = outcome(scenario)
    np.testing.assert_allclose(kept["flow_direct"].sum(-2), kept["sold_direct"], rtol=1e-12)
    np.testing.assert_allclose(kept["smuggled_by_hub"].sum(-1), kept["smuggled_units"], rtol=1e-12)
    np.testing.assert_allclose(kept["sold_smuggled"].sum(-1), kept["smuggled_units"], rtol=1e-12)
    arrived = (kept["sold_smuggled"] - kept["seized"]).sum(-1)
    np.testing.assert_allclose(kept["china_units"][..., 2], arrived, rtol=1e-9, atol=1e-6)
    legal = kept["china_direct"].sum(-1)
    np.testing.assert_allclose(kept["china_units"][..., :2].sum(-1), legal, rtol=1e-12)
    china = kept["compute"][..., CHINA]
    np.testing.assert_allclose(kept["compute_by_origin"].sum(-1), china, rtol=1e-9)
    np.testing.assert_allclose(kept["compute"].sum(-1), kept["compute_located"].sum(-1), rtol=1e-9)
    np.testing.assert_allclose(kept["korea_hbm_exports"].sum(-1), kept["korea_hbm_exports_total"], rtol=1e-12)


@pytest.mark.parametrize("scenario", preset_names())
def test_nothing_is_sold_that_was_not_there_and_quotas_hold(
    outcome: Outcome, inputs_of: Callable[[str], Inputs], scenario: str
) -> None:
    kept, months = outcome(scenario), inputs_of(scenario).months
    assert np.all(sum(kept[name] for name in SOLD) <= (kept["carried_in"] + kept["made"]) * (1 + 1e-9) + 1e-9)
    ruled = np.asarray(months.case_by_case) == 0
    foreign = np.asarray(inputs_of(scenario).products.domestic) == 0
    limit = np.where(ruled & foreign, np.asarray(months.quota), np.inf)
    assert np.all(kept["china_direct"] <= limit * (1 + 1e-9))
    assert np.any(np.isfinite(limit) & (limit < 1e11))
    value = np.asarray(inputs_of(scenario).products.list_price)
    assert np.all((kept["flow_smuggled"] * value[:, None]).sum(2)[:, 1:] <= kept["route"][:, :-1] * 3)


@pytest.mark.parametrize("scenario", preset_names())
def test_there_is_no_premium_where_output_is_left_over(outcome: Outcome, scenario: str) -> None:
    kept = outcome(scenario)
    source = kept["carried_in"] + kept["made"]
    left = source - sum(kept[name] for name in SOLD)
    slack = (left > 0.1 * source) & (source > 1000)
    assert slack.any()
    assert kept["premium"][slack].max() < 0.02
    assert kept["premium"].min() >= 0


@pytest.mark.parametrize("scenario", preset_names())
def test_outputs_are_finite_and_shares_are_shares(outcome: Outcome, scenario: str) -> None:
    kept = outcome(scenario)
    for name, values in kept.items():
        assert not np.isinf(values).any(), name
        assert name in UNDEFINED_AT_TIMES or np.isfinite(values).all(), name
    shares = ("domestic_share_units", "domestic_share_compute", "domestic_share_value", "nvidia_share",
              "ecosystem_share", "binding", "unmet_share", "maturity", "utilisation")  # fmt: skip
    for name in shares:
        assert kept[name].min() >= 0, name
        assert kept[name].max() <= 1 + 1e-9, name
    np.testing.assert_allclose(kept["ecosystem_share"].sum(-1)[:, 24:], 1, rtol=1e-9)
    assert np.all(np.diff(kept["largest_run"], axis=1) >= 0)


def _assert_finite(kept: Kept) -> None:
    for name, values in kept.items():
        assert not np.isinf(values).any(), name
        assert name in UNDEFINED_AT_TIMES or np.isfinite(values).all(), name


def _unmet_over(run: Callable[..., Kept], inputs: Inputs, members: int, seed: int) -> np.ndarray:
    drawn, size = draw(members, seed), 16
    unmet = []
    for start in range(0, members, size):
        rows = np.minimum(np.arange(start, start + size), members - 1)
        kept = run(inputs, {name: values[rows] for name, values in drawn.items()})
        _assert_finite(kept)
        unmet.append(kept["unmet_share"])
    return np.concatenate(unmet)[:members]


def test_outputs_are_finite_and_nearly_all_spending_is_met_for_many_draws(
    run: Callable[..., Kept], inputs_of: Callable[[str], Inputs]
) -> None:
    unmet = _unmet_over(run, inputs_of("baseline"), 192, seed=11)
    assert np.median(unmet) < 1e-3
    assert np.quantile(unmet, 0.99) < 0.02


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_outputs_are_finite_for_ten_thousand_draws(
    run: Callable[..., Kept], inputs_of: Callable[[str], Inputs]
) -> None:
    unmet = _unmet_over(run, inputs_of("baseline"), 10_000, seed=12)
    assert np.median(unmet) < 1e-3
    assert np.quantile(unmet, 0.99) < 0.01


def test_outputs_are_finite_where_every_parameter_is_at_a_bound(
    run: Callable[..., Kept], inputs_of: Callable[[str], Inputs]
) -> None:
    from chipweir.world import parameters

    rng = np.random.default_rng(5)
    scores = {name: rng.choice([-3.0, 3.0], 16) for name in parameters()}
    _assert_finite(run(inputs_of("baseline"), {n: parameters()[n].at(s) for n, s in scores.items()}))


def test_no_member_depends_on_the_members_beside_it(
    run: Callable[..., Kept], inputs_of: Callable[[str], Inputs], outcome: Outcome
) -> None:
    order = np.array([3, 0, 0, 9, 15, 3, 7, 1, 2, 4, 5, 6, 8, 10, 11, 12])
    drawn = draw(16, 0)
    mixed = run(inputs_of("baseline"), {name: values[order] for name, values in drawn.items()})
    for name in ("compute_by_origin", "smuggled_units", "token_price", "left", "lag_months", "unmet_share"):
        np.testing.assert_allclose(mixed[name], outcome("baseline")[name][order], rtol=1e-9, atol=1e-9)


def test_scenarios_share_history(outcome: Outcome, months: Callable[[str], int]) -> None:
    until = months("2026-11") + 1
    base = outcome("baseline")
    for scenario in preset_names():
        other = outcome(scenario)
        for name in ("compute_by_origin", "smuggled_units", "token_price", "premium", "left"):
            np.testing.assert_array_equal(other[name][:, :until], base[name][:, :until])


def _states(month: Any) -> dict[str, Any]:
    return {"inventory": month.after.inventory, "made": month.made.made, "markup": month.tokens.markup}


def test_a_run_can_stop_at_any_month_and_go_on_bit_for_bit(inputs_of: Callable[[str], Inputs]) -> None:
    inputs = inputs_of("baseline")
    p = {name: values[2] for name, values in draw(3, 0).items()}
    whole_state, whole = jax.jit(lambda i, q: simulate(i, q, stop=20, save=_states))(inputs, p)
    state, first = jax.jit(lambda i, q: simulate(i, q, stop=13, save=_states))(inputs, p)
    state, second = jax.jit(lambda i, q, s: simulate(i, q, s, start=13, stop=20, save=_states))(inputs, p, state)
    for name in whole:
        np.testing.assert_array_equal(np.concatenate([first[name], second[name]]), whole[name])
    for left, right in zip(jax.tree.leaves(whole_state), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(left, right)


def test_with_every_channel_shut_foreign_stock_only_shrinks(
    run: Callable[..., Kept], inputs_of: Callable[[str], Inputs], months: Callable[[str], int]
) -> None:
    inputs, shut = inputs_of("baseline"), months("2027-01")
    foreign = np.asarray(inputs.products.domestic) == 0
    later = (np.arange(len(inputs.months.index)) >= shut)[:, None]
    closed = replace(
        inputs,
        products=replace(inputs.products, smuggling_weight=inputs.products.smuggling_weight * 1e-20),
        months=replace(
            inputs.months,
            quota=np.where(later & foreign, 0.0, inputs.months.quota),
            case_by_case=np.where(later & foreign, 0.0, inputs.months.case_by_case),
            rental_control=np.where(later[:, 0], 1.0, inputs.months.rental_control),
        ),
    )
    kept = run(closed, draw(16, 0))
    origins = kept["compute_by_origin"]
    assert np.all(origins[:, shut - 1, 0] > 1e5)
    for origin in (0, 3):
        assert np.all(np.diff(origins[:, shut - 1 :, origin], axis=1) < 0)
    assert np.all(origins[..., 2] < 1e-6)  # routes shut from the start
    assert np.all(kept["china_units"][:, shut:, 0] == 0)
    assert np.all(kept["flow_rented"][:, shut:] == 0)


@pytest.mark.parametrize("product_class", ["h20-class", "h200-class"])
def test_a_tighter_quota_never_raises_the_flow_it_limits(
    variant: Callable[..., Kept], months: Callable[[str], int], product_class: str
) -> None:
    since = months("2026-12")
    opened = (("china.import_stance." + product_class, "2026-12", "open"),
              ("us.allowed_products." + product_class, "2026-12", "licence"))  # fmt: skip
    flows = [
        variant(*opened, ("us.quota." + product_class, "2026-12", quota))["china_units"][:, since:, 0].sum(1)
        for quota in (100_000, 20_000, 4_000, 0)
    ]
    for wide, tight in pairwise(flows):
        assert np.all(tight <= wide * (1 + 1e-9))
    assert np.all(flows[-1] < flows[0])


def test_a_product_without_weight_is_not_sold(run: Callable[..., Kept], inputs_of: Callable[[str], Inputs]) -> None:
    inputs, k = inputs_of("baseline"), labels().products.index("nvidia-h100-sxm")
    worth = np.asarray(inputs.products.worth).copy()
    worth[k] = 0
    kept = run(replace(inputs, products=replace(inputs.products, worth=worth)), draw(16, 0))
    made = kept["made"][:, :, k].sum()
    assert made > 1e5
    assert sum(kept[name][:, :, k].sum() for name in SOLD) < 1e-6 * made
