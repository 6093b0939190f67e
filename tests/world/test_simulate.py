"""What must hold of every trajectory: accounts close, capacities hold, state is a value, stocks do not run away."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chipweir.strategy._checks import MEMBERS
from chipweir.world import Inputs, draw, labels, parameters, preset_names, simulate


Kept = Mapping[str, np.ndarray]
Outcome = Callable[[str], Kept]

SOLD = ("sold_direct", "sold_smuggled", "sold_rented")
CHINA = labels().regions.index("CHN")
# Not defined where nothing is smuggled, and in the first year of a yearly change.
UNDEFINED_AT_TIMES = {"premium_black_market", "token_price_fall"}
# The algebra of a month runs in single precision, its accounts in double.
SINGLE = 2e-5


def gap(left: Any, right: Any) -> float:
    return float(np.max(np.abs(left - right) / np.maximum(np.abs(left), 1.0)))


@pytest.mark.parametrize("scenario", preset_names())
def test_chips_dies_and_stacks_balance_every_month_of_every_member(outcome: Outcome, scenario: str) -> None:
    kept = {name: values.astype(float) for name, values in outcome(scenario).items()}
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
def test_installed_smuggled_and_rented_chips_are_what_came_less_what_was_lost(outcome: Outcome, scenario: str) -> None:
    kept, drawn = outcome(scenario), draw(16, 0)
    hazard = (1 / (12 * drawn["chip_life"]))[:, None, None]
    held = kept["installed_china"]
    np.testing.assert_allclose(
        held[:, 1:], held[:, :-1] * (1 - hazard) + kept["china_direct"][:, 1:], rtol=1e-5, atol=1
    )
    rented = kept["rented_stock"]
    np.testing.assert_allclose(rented[:, 1:], rented[:, :-1] * (1 - hazard) + kept["sold_rented"][:, 1:], rtol=1e-6)
    lost = hazard + drawn["smuggled_failure"][:, None, None] / 12
    smuggled = kept["smuggled_stock"]
    arrived = (kept["sold_smuggled"] - kept["seized"])[:, 1:]
    most = smuggled[:, :-1] * (1 - lost) + arrived
    assert np.all(smuggled[:, 1:] <= most * (1 + 1e-6) + 1e-6)  # location rules take more
    if scenario not in ("blockade", "forecast"):
        np.testing.assert_allclose(smuggled[:, 1:], most, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("scenario", preset_names())
def test_flows_add_up_to_the_ledger_and_to_what_is_reported(outcome: Outcome, scenario: str) -> None:
    kept = outcome(scenario)
    np.testing.assert_allclose(kept["flow_direct"].sum(-2), kept["sold_direct"], rtol=1e-12)
    np.testing.assert_allclose(kept["flow_smuggled"].sum(-1), kept["sold_smuggled"], rtol=1e-12)
    np.testing.assert_allclose(kept["smuggled_by_hub"].sum(-1), kept["smuggled_units"], rtol=SINGLE)
    np.testing.assert_allclose(kept["sold_smuggled"].sum(-1), kept["smuggled_units"], rtol=SINGLE)
    arrived = (kept["sold_smuggled"] - kept["seized"]).sum(-1)
    np.testing.assert_allclose(kept["china_units"][..., 2], arrived, rtol=SINGLE, atol=1e-3)
    legal = kept["china_direct"].sum(-1)
    np.testing.assert_allclose(kept["china_units"][..., :2].sum(-1), legal, rtol=SINGLE)
    china = kept["compute"][..., CHINA]
    np.testing.assert_allclose(kept["compute_by_origin"].sum(-1), china, rtol=SINGLE)
    np.testing.assert_allclose(kept["korea_hbm_exports"].sum(-1), kept["korea_hbm_exports_total"], rtol=SINGLE)
    np.testing.assert_allclose(kept["korea_exports"].sum(-1), kept["korea_exports_to"].sum(-1), rtol=SINGLE)
    went = sum(kept[name] for name in SOLD)
    np.testing.assert_allclose(kept["product_value"], went * kept["price"], rtol=SINGLE)
    np.testing.assert_allclose(kept["world_chip_value"], kept["product_value"].sum(-1), rtol=SINGLE)
    by_law = kept["compute_by_law"].sum(-1)
    np.testing.assert_allclose(by_law, kept["compute"] + kept["compute_waiting"], rtol=1e-4)


@pytest.mark.parametrize("scenario", preset_names())
def test_a_company_is_smaller_than_its_nation_and_a_nation_than_the_world(outcome: Outcome, scenario: str) -> None:
    kept = outcome(scenario)
    assert np.all(kept["china_nvidia_value"] <= kept["china_value"][..., 0] * (1 + SINGLE) + 1)
    assert np.all(kept["china_value"].sum(-1) <= kept["world_chip_value"] * (1 + SINGLE) + 1)
    assert np.all(kept["tokens_exported_china"] <= kept["tokens_served"][..., CHINA] * (1 + SINGLE))
    assert np.all(kept["group_made"] <= kept["made"].sum(-1)[..., None] * (1 + SINGLE))
    assert np.all(kept["one_veto_share"] <= 1 + SINGLE)
    assert np.all(kept["hbm_used_china"] <= kept["hbm_in"] + kept["hbm_arrived"] * (1 + SINGLE) + 1)


@pytest.mark.parametrize("scenario", preset_names())
def test_nothing_is_sold_that_was_not_there_and_quotas_hold(outcome: Outcome, scenario: str) -> None:
    kept = outcome(scenario)
    assert np.all(sum(kept[name] for name in SOLD) <= (kept["carried_in"] + kept["made"]) * (1 + 1e-9) + 1e-9)
    assert np.all(kept["china_direct"] <= kept["quota"] * (1 + SINGLE) + 1e-6)
    assert np.any(kept["quota"] < 1e11)
    # A class's quota is one quota for all of its products together.
    limit = kept["class_quota"]
    pooled = np.einsum("ntck,ntk->ntc", kept["pool_of"], kept["china_direct"])
    assert np.all(pooled <= limit * (1 + SINGLE) + 1e-6)
    assert pooled.max() > 0


def test_routes_and_hosts_carry_no_more_than_they_can(outcome: Outcome, inputs_of: Callable[[str], Inputs]) -> None:
    for scenario in ("baseline", "blockade"):
        kept, goods = outcome(scenario), inputs_of(scenario).products.goods
        of_rack = 1 + np.asarray(goods.racked) * (draw(MEMBERS, 0)["rack_places"][:, None] - 1)  # [n, K]
        places = np.einsum("ntkh,nk->nth", kept["flow_smuggled"], of_rack * np.asarray(goods.slots))
        watts = np.einsum("ntkh,k->nth", kept["flow_rented"], np.asarray(goods.power))
        assert np.all(places <= kept["routes"] * (1 + SINGLE) + 1e-6)
        assert np.all(watts <= kept["hosting"] * (1 + SINGLE) + 1e-6)
        assert places.max() > 1000
        assert watts.max() > 1e6


@pytest.mark.parametrize("scenario", preset_names())
def test_there_is_next_to_no_premium_where_output_is_left_over(outcome: Outcome, scenario: str) -> None:
    kept = outcome(scenario)
    source = kept["carried_in"] + kept["made"]
    left = source - sum(kept[name] for name in SOLD)
    slack = (left > 0.1 * source) & (source > 1000)
    assert slack.any()
    assert np.mean(kept["premium"][slack] > 0.02) < 0.002  # the few sweeps of a month leave some behind
    assert kept["premium"].min() >= 0


@pytest.mark.parametrize("scenario", preset_names())
def test_outputs_are_finite_and_shares_are_shares(outcome: Outcome, scenario: str) -> None:
    kept = outcome(scenario)
    _assert_finite(kept)
    shares = ("domestic_share_units", "domestic_share_compute", "domestic_share_value", "nvidia_share",
              "ecosystem_share", "binding", "unmet_share", "maturity", "developer_share", "energised_share",
              "line_utilisation", "korea_hbm_share")  # fmt: skip
    for name in shares:
        assert kept[name].min() >= 0, name
        assert kept[name].max() <= 1 + 1e-5, name
    np.testing.assert_allclose(kept["ecosystem_share"].sum(-1)[:, 24:], 1, rtol=1e-5)
    np.testing.assert_allclose(kept["developer_share"].sum(-1)[:, 24:], 1, rtol=0.02)
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
    unmet = _unmet_over(run, inputs_of("baseline"), 64, seed=11)
    assert np.median(unmet) < 1e-3
    assert np.quantile(unmet, 0.99) < 0.01


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_outputs_are_finite_for_a_thousand_draws(run: Callable[..., Kept], inputs_of: Callable[[str], Inputs]) -> None:
    unmet = _unmet_over(run, inputs_of("baseline"), 1_000, seed=12)
    assert np.median(unmet) < 1e-3
    assert np.quantile(unmet, 0.99) < 0.01


def test_outputs_are_finite_where_every_parameter_is_at_a_bound(
    run: Callable[..., Kept], inputs_of: Callable[[str], Inputs]
) -> None:
    rng = np.random.default_rng(5)
    bounds = {
        name: parameter.at(rng.choice([-3.0, 3.0], (16, parameter.count) if parameter.count > 1 else 16))
        for name, parameter in parameters().items()
    }
    _assert_finite(run(inputs_of("baseline"), bounds))


def test_no_member_depends_on_the_members_beside_it(
    run: Callable[..., Kept], inputs_of: Callable[[str], Inputs], outcome: Outcome
) -> None:
    order = np.array([3, 0, 0, 9, 15, 3, 7, 1, 2, 4, 5, 6, 8, 10, 11, 12])
    drawn = draw(16, 0)
    mixed = run(inputs_of("baseline"), {name: values[order] for name, values in drawn.items()})
    for name in ("compute_by_origin", "smuggled_units", "token_price", "left", "lag_months", "unmet_share"):
        np.testing.assert_allclose(mixed[name], outcome("baseline")[name][order], rtol=1e-5, atol=1e-5, err_msg=name)


def test_scenarios_share_history(outcome: Outcome, months: Callable[[str], int]) -> None:
    until = months("2026-11") + 1
    base = outcome("baseline")
    for scenario in preset_names():
        if scenario == "forecast":  # its own program: events are drawn
            continue
        other = outcome(scenario)
        for name in ("compute_by_origin", "smuggled_units", "token_price", "premium", "left"):
            np.testing.assert_array_equal(other[name][:, :until], base[name][:, :until], err_msg=scenario)


def test_a_forecast_is_the_baseline_until_the_first_event_may_come(
    outcome: Outcome, months: Callable[[str], int]
) -> None:
    until = months("2026-10") + 1
    base, forecast = outcome("baseline"), outcome("forecast")
    for name in ("compute_by_origin", "smuggled_units", "token_price"):
        np.testing.assert_allclose(forecast[name][:, :until], base[name][:, :until], rtol=1e-4, atol=1e-3)
    later = np.abs(forecast["smuggled_units"] / np.maximum(base["smuggled_units"], 1) - 1)[:, months("2029-12")]
    assert np.mean(later > 0.01) > 0.5


@cache
def _between(start: int, stop: int) -> Callable[..., Any]:
    def keep(month: Any) -> dict[str, Any]:
        return {"unsold": month.after.accounts.unsold, "made": month.made.packages, "markup": month.tokens.markup}

    if start:
        return jax.jit(lambda i, q, s: simulate(i, q, s, start=start, stop=stop, save=keep))
    return jax.jit(lambda i, q: simulate(i, q, stop=stop, save=keep))


def test_a_run_can_stop_at_any_month_and_go_on_bit_for_bit(inputs_of: Callable[[str], Inputs]) -> None:
    inputs = inputs_of("baseline")
    p = {name: jnp.moveaxis(values[:3], 0, -1) for name, values in draw(3, 0).items()}
    whole_state, whole = _between(0, 20)(inputs, p)
    state, first = _between(0, 13)(inputs, p)
    state, second = _between(13, 20)(inputs, p, state)
    for name in whole:
        np.testing.assert_array_equal(np.concatenate([first[name], second[name]]), whole[name])
    for left, right in zip(jax.tree.leaves(whole_state), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(left, right)


def test_with_every_channel_shut_foreign_stock_only_shrinks(
    run: Callable[..., Kept], inputs_of: Callable[[str], Inputs], months: Callable[[str], int]
) -> None:
    inputs, shut = inputs_of("baseline"), months("2027-01")
    market, goods = inputs.months.market, inputs.products.goods
    foreign = np.asarray(goods.domestic) == 0
    later = (np.arange(len(market.future)) >= shut)[:, None]
    closed = replace(
        inputs,
        products=replace(inputs.products, goods=replace(goods, smuggling_weight=goods.smuggling_weight * 1e-20)),
        months=replace(
            inputs.months,
            market=replace(
                market,
                quota=np.where(later & foreign, 0.0, market.quota),
                rental_control=np.where(later[:, 0], 1.0, market.rental_control),
            ),
        ),
    )
    kept = run(closed, draw(16, 0))
    direct, rented = kept["installed_china"][..., foreign], kept["rented_stock"]
    assert np.all(direct[:, shut - 1].sum(-1) > 1e5)
    for stock in (direct.sum(-1), rented.sum(-1)):
        assert np.all(np.diff(stock[:, shut - 1 :], axis=1) < 0)
    assert np.all(kept["smuggled_stock"].sum(-1) < 1e3)  # routes shut from the start
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
        assert np.all(tight <= wide * (1 + 1e-3))
    assert np.all(flows[-1] <= flows[0])
    if product_class == "h200-class":  # most of the H20 class needs no licence
        assert np.all(flows[-1] < 0.8 * flows[0])


def test_a_product_of_no_worth_is_not_sold(run: Callable[..., Kept], inputs_of: Callable[[str], Inputs]) -> None:
    inputs, k = inputs_of("baseline"), labels().products.index("nvidia-h100-sxm")
    worth = np.asarray(inputs.products.uses.log_worth).copy()
    worth[:, k] = -30.0
    products = replace(inputs.products, uses=replace(inputs.products.uses, log_worth=worth))
    kept = run(replace(inputs, products=products), draw(16, 0))
    made = kept["made"][:, :, k].sum()
    assert made > 1e3
    assert sum(kept[name][:, :, k].sum() for name in SOLD) < 1e-6 * made


# Most months of use that lie in stock at the median. Good dies beyond it are explained by lines that stand still.
MONTHS_OF_STOCK = {"die_bank": 18.0, "unsold_domestic": 12.0, "unsold_foreign": 12.0}


@pytest.mark.parametrize("scenario", preset_names())
def test_stocks_brake(outcome: Outcome, months: Callable[[str], int], scenario: str) -> None:
    kept = outcome(scenario)
    use = {
        "die_bank": kept["dies_used"].sum(-1),
        "unsold_domestic": kept["production_domestic"],
        "unsold_foreign": kept["made"].sum(-1) - kept["production_domestic"],
    }
    since = months("2027-01")  # the dies of 2023-24 made in Taiwan are used up by then
    started = np.median(kept["line_utilisation"][..., labels().lines.index("smic-n2")], axis=0)
    for name, most in MONTHS_OF_STOCK.items():
        year = np.stack([use[name][:, max(t - 11, 0) : t + 1].mean(1) for t in range(132)], axis=1)
        months_of = np.median(kept[name] / np.maximum(year, 1.0), axis=0)
        high = months_of > most
        high[:since] = False
        assert not high.any() or (name == "die_bank" and started[high].max() < 0.5), (
            name,
            months_of[high],
            started[high],
        )


@pytest.mark.parametrize("scenario", preset_names())
def test_makers_do_not_sell_below_what_a_chip_costs_them(outcome: Outcome, scenario: str) -> None:
    kept = outcome(scenario)
    selling = (kept["sold_direct"] > 1) & (kept["made"] > 1)
    selling, cost = selling[:, 1:] & selling[:, :-1], kept["cost"]
    # The floor follows cost with a month's lag.
    ratio = np.where(selling, kept["price"][:, 1:] / np.minimum(cost[:, 1:], cost[:, :-1]), np.inf)
    assert ratio.min() > 0.93
    assert np.mean(ratio[selling] < 0.98) < 0.002
