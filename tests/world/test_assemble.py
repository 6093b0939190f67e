"""Names and dates become arrays: shapes, the law of each date, and the scenario's levers over it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chipweir import facts
from chipweir.world import Inputs, assemble, labels, load_scenario
from chipweir.world._assemble import group_matrix, table


AXIS = labels()


def at(product: str) -> int:
    return AXIS.products.index(product)


@pytest.fixture(scope="module")
def base(inputs_of: Callable[[str], Inputs]) -> Inputs:
    return inputs_of("baseline")


def changed(**settings: Any) -> Inputs:
    scenario = load_scenario("baseline").with_settings(
        {name.replace("__", ".").replace("_class", "-class"): value for name, value in settings.items()}, name="changed"
    )
    return assemble(scenario, facts.load())


def test_shapes_follow_the_labels(base: Inputs) -> None:
    k, r, h, f = (len(names) for names in (AXIS.products, AXIS.regions, AXIS.hubs, AXIS.lines))
    assert 40 <= k <= 80
    assert base.products.worth.shape == (k, 3)
    assert base.months.quota.shape == (132, k)
    assert base.months.access.shape == (132, r, k)
    assert base.months.hub_licence.shape == (132, h)
    assert base.lines.central.shape == (132, f)
    for name in ("ecosystem_of", "line_of", "die_of", "maker_of", "packaging_of"):
        np.testing.assert_array_equal(getattr(base.products, name).sum(0), 1)
    assert np.all(base.products.memory_of.sum(0) <= 1)


def test_every_array_is_finite_and_every_product_is_worth_something(base: Inputs) -> None:
    import jax

    for leaf in jax.tree.leaves(base):
        assert np.isfinite(np.asarray(leaf, dtype=float)).all()
    for name in ("worth", "training_flops", "tokens", "power", "h100e", "list_price"):
        assert np.all(np.asarray(getattr(base.products, name)) > 0), name
    assert base.products.h100e[at("nvidia-h100-sxm")] == pytest.approx(1)
    assert base.products.tokens[at("nvidia-h100-sxm")] == pytest.approx(1)


@pytest.mark.parametrize(
    ("product", "month", "free"),
    [
        ("nvidia-a100-sxm", "2022-03", True),
        ("nvidia-a100-sxm", "2023-03", False),
        ("nvidia-h100-sxm", "2023-03", False),
        ("nvidia-h800-sxm", "2023-06", True),
        ("nvidia-h800-sxm", "2024-01", False),
        ("nvidia-h20", "2024-06", True),
        ("nvidia-h20", "2025-06", False),
        ("nvidia-b200", "2025-06", False),
        ("nvidia-rubin", "2030-06", False),
    ],
)
def test_the_direct_channel_follows_the_law_of_the_date(
    base: Inputs, months: Callable[[str], int], product: str, month: str, free: bool
) -> None:
    t, k = months(month), at(product)
    assert (base.months.quota[t, k] > 1e11 and base.months.case_by_case[t, k] == 0) == free
    assert bool(base.months.controlled[t, k]) == (not free)


def test_domestic_products_know_no_quota_fee_or_stance(base: Inputs) -> None:
    domestic = base.products.domestic > 0
    assert domestic.sum() > 10
    for name in ("fee", "stance", "blocked", "controlled", "case_by_case"):
        assert np.all(np.asarray(getattr(base.months, name))[:, domestic] == 0), name


def test_makers_plan_their_whole_share(base: Inputs) -> None:
    by_maker = base.months.mix @ base.products.maker_of.T
    assert np.all(base.months.mix >= 0)
    assert np.all(by_maker <= 1 + 1e-9)
    nvidia = [(row["maker"], row["pool"]) for row in table("makers")].index(("nvidia", "cowos"))
    assert by_maker[36, nvidia] == pytest.approx(0.60, abs=0.02)  # FAB-070 gives 2025


def test_a_product_has_a_life(base: Inputs, months: Callable[[str], int]) -> None:
    k = at("nvidia-h20")
    mix = base.months.mix[:, k]
    assert mix[months("2023-06")] == 0
    assert mix[months("2024-10")] > 0
    assert np.all(base.months.scrap[mix > 1e-9, k] == 0)
    assert np.all(np.diff(base.months.age[:, k]) >= 0)


def test_the_die_bank_arrives_whole(base: Inputs) -> None:
    inflow = base.months.bank_inflow.sum(0)
    np.testing.assert_allclose(inflow[AXIS.dies.index("ascend-910")], 1)
    assert inflow.sum() == pytest.approx(1)


def test_bands_are_ordered_and_positive(base: Inputs) -> None:
    for name, band in {**base.bands, "lines": base.lines}.items():
        assert np.all(np.asarray(band.central) > 0), name
        assert np.all(np.asarray(band.low) >= -1e-12), name
        assert np.all(np.asarray(band.high) >= -1e-12), name


def test_levers_overrule_the_law(months: Callable[[str], int]) -> None:
    t, h20, b200 = months("2027-06"), at("nvidia-h20"), at("nvidia-b200")
    denied = changed(us__allowed_products__h20_class={"2027-01": "denied"})
    assert denied.months.quota[t, h20] == 0
    free = changed(us__allowed_products__all={"2027-01": "free"})
    assert free.months.quota[t, b200] > 1e11
    assert free.months.controlled[t, b200] == (free.months.blocked[t, b200] > 0)
    assert free.months.quota[months("2026-12"), b200] < 1e11
    limited = changed(
        us__allowed_products__h20_class={"2027-01": "licence"}, us__quota__h20_class={"2027-01": 5000},
        us__fee_share__h20_class={"2027-01": 0.2},
    )  # fmt: skip
    assert limited.months.quota[t, h20] == 5000
    assert limited.months.case_by_case[t, h20] == 0
    assert limited.months.fee[t, h20] == pytest.approx(0.2)


def test_hub_levers_reach_their_hub_only(months: Callable[[str], int]) -> None:
    licensed = changed(us__hub_licence__MYS={"2027-01": 1})
    t, hub = months("2027-06"), AXIS.hubs.index("MYS")
    expected = np.zeros(len(AXIS.hubs))
    expected[hub] = 1
    np.testing.assert_array_equal(licensed.months.hub_licence[t], expected)
    assert np.all(licensed.months.hub_licence[months("2026-12")] == 0)
    region = AXIS.regions.index("MYS")
    assert np.all(licensed.months.access[t, region] > licensed.months.access[months("2026-12"), region])


def test_demand_shares_sum_to_one_outside_china(base: Inputs) -> None:
    share = np.asarray(base.products.demand_share)
    assert share.sum() == pytest.approx(1)
    assert share @ np.asarray(base.products.china) == 0
    for weights in (base.products.smuggling_weight, base.products.rental_weight):
        assert np.asarray(weights).sum() == pytest.approx(1)


def test_groups_name_known_products() -> None:
    matrix = group_matrix()
    for row, members in zip(table("groups"), matrix, strict=True):
        assert members.sum() == len(row["products"].split())


def test_a_shorter_period_gives_the_same_months(base: Inputs) -> None:
    scenario = load_scenario("baseline").model_copy(update={"end": "2026-12", "name": "short"})
    short = assemble(scenario, facts.load())
    np.testing.assert_array_equal(short.months.quota, base.months.quota[:60])
    np.testing.assert_allclose(short.bands["budget_china"].central, base.bands["budget_china"].central[:60])
