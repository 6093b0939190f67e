"""Names and dates become arrays: shapes, the law of each date, and the scenario's levers over it."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import jax
import numpy as np
import pytest

from chipweir import facts, market, supply
from chipweir.world import Inputs, assemble, labels, load_scenario, simulate, table
from chipweir.world._assemble import group_matrix
from chipweir.world._law import GROUPS
from chipweir.world._levers import PRODUCT_CLASSES
from chipweir.world._state import Calendar, State, Uses


AXIS = labels()
SIZES = {
    "K": len(AXIS.products), "R": len(AXIS.regions), "H": len(AXIS.hubs), "E": len(AXIS.ecosystems), "F": len(AXIS.lines),
    "D": len(AXIS.dies), "M": len(table("makers")), "P": 3, "C": len(PRODUCT_CLASSES), "T": 132, "W": 3,
    "Q": len(AXIS.groups), "J": 3, "U": len(AXIS.customers), "L": 32,
}  # fmt: skip
# Axes that mean one thing in one record: beliefs that place lines, or blocs.
OWN_SIZES: dict[type, dict[str, int]] = {
    supply.Fabs: {"B": 4},
    market.Dated: {"G": GROUPS},
    Uses: {"B": 2, "I": 7},
    State: {"B": 2, "S": 2},
}


def at(product: str) -> int:
    return AXIS.products.index(product)


def annotated(record: Any) -> list[tuple[str, str, tuple[int, ...]]]:
    """Fields of a record with the axes that their annotations name, and the shape that they have."""
    own = {**SIZES, **OWN_SIZES.get(type(record), {})}
    found = []
    for field in fields(record):
        value = getattr(record, field.name)
        if is_dataclass(value) or not hasattr(field.type, "dim_str"):
            continue
        axes = field.type.dim_str.split()
        expected = tuple(int(axis) if axis.isdigit() else own[axis] for axis in axes)
        found.append((f"{type(record).__name__}.{field.name}", str(expected), np.shape(value)))
    return found


@pytest.fixture(scope="module")
def base(inputs_of: Callable[[str], Inputs]) -> Inputs:
    return inputs_of("baseline")


def changed(**settings: Any) -> Inputs:
    scenario = load_scenario("baseline").with_settings(
        {name.replace("__", ".").replace("_class", "-class"): value for name, value in settings.items()}, name="changed"
    )
    return assemble(scenario, facts.load())


def test_every_array_has_the_axes_that_its_field_names(base: Inputs) -> None:
    records = (base.products.fabs, base.products.goods, base.products.uses, base.months.supply, base.months.market,
               base.months.calendar)  # fmt: skip
    checked = [row for record in records for row in annotated(record)]
    assert len(checked) > 110
    assert [row for row in checked if row[1] != str(row[2])] == []
    assert base.lines.central.shape == (132, SIZES["F"])
    assert all(band.central.shape == (132,) for band in base.bands.values())
    assert base.knots.shape == (132, 29)


def test_the_state_has_the_axes_that_its_fields_name(base: Inputs) -> None:
    from chipweir.world import draw

    p = {name: np.moveaxis(values, 0, -1) for name, values in draw(5, 0).items()}
    state, _ = jax.eval_shape(lambda i, q: simulate(i, q, stop=2, save=lambda month: ()), base, p)
    rows = []
    for record in (state, state.supply, state.market, state.accounts):
        own = {**SIZES, "B": 2, "S": 2}
        for field in fields(record):
            if hasattr(field.type, "dim_str"):
                axes = field.type.dim_str.split()
                expected = (*(int(axis) if axis.isdigit() else own[axis] for axis in axes), 5)
                rows.append((field.name, expected, getattr(record, field.name).shape))
    assert len(rows) > 40
    assert [row for row in rows if row[1] != row[2]] == []


def test_one_hot_tables_place_every_product_once(base: Inputs) -> None:
    fabs, goods = base.products.fabs, base.products.goods
    for record, name in (
        (fabs, "die_of"),
        (fabs, "line_of"),
        (fabs, "maker_of"),
        (fabs, "packaging_of"),
        (goods, "stack_of"),
    ):
        np.testing.assert_array_equal(np.asarray(getattr(record, name)).sum(0), 1, err_msg=name)
    assert np.all(fabs.world_memory + fabs.china_memory <= 1)
    assert np.all(fabs.own_memory <= fabs.china_memory)
    assert np.all(np.asarray(goods.class_of).sum(0) <= 1)
    home = (goods.domestic + goods.korean) > 0
    assert np.all(np.asarray(goods.class_of)[:, home] == 0)  # classes of the US rules know no Chinese or Korean makers
    np.testing.assert_array_equal(np.asarray(base.products.uses.law_of).sum(0), 1)


def test_every_array_is_finite_and_every_product_is_worth_something(base: Inputs) -> None:
    for path, leaf in jax.tree_util.tree_flatten_with_path(base)[0]:
        name = jax.tree_util.keystr(path)
        if "class_quota" not in name:  # not a number where reviewers decide
            assert np.isfinite(np.asarray(leaf, dtype=float)).all(), name
    goods, uses = base.products.goods, base.products.uses
    for record, name in (
        (uses, "training_flops"),
        (uses, "tokens"),
        (uses, "power"),
        (uses, "h100e"),
        (goods, "list_price"),
    ):
        assert np.all(np.asarray(getattr(record, name)) > 0), name
    assert uses.h100e[at("nvidia-h100-sxm")] == pytest.approx(1)
    assert uses.tokens[at("nvidia-h100-sxm")] == pytest.approx(1)
    np.testing.assert_allclose(np.asarray(uses.log_worth)[:, at("nvidia-h100-sxm")], 0, atol=0.05)


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
    law = base.months.market
    assert (law.quota[t, k] > 1e11 and law.pool_of[t, :, k].sum() == 0) == free
    assert bool(law.controlled[t, k]) == (not free)


def test_a_month_in_which_the_law_changes_counts_by_its_share(base: Inputs, months: Callable[[str], int]) -> None:
    k, law = at("nvidia-h20"), base.months.market
    assert law.open_days[months("2025-03"), k] == 1
    assert 0 < law.open_days[months("2025-04"), k] < 1  # the letter came on 9 April
    assert law.quota[months("2025-04"), k] > 0


def test_domestic_products_know_no_quota_fee_or_stance(base: Inputs) -> None:
    domestic = base.products.goods.domestic > 0
    assert domestic.sum() > 10
    for name in ("fee", "stance", "blocked", "controlled"):
        assert np.all(np.asarray(getattr(base.months.market, name))[:, domestic] == 0), name
    assert np.all(np.asarray(base.months.market.pool_of)[:, :, domestic] == 0)


def test_makers_plan_their_whole_share(base: Inputs) -> None:
    mix = np.asarray(base.months.supply.mix)
    by_maker = mix @ np.asarray(base.products.fabs.maker_of).T
    assert np.all(mix >= 0)
    assert np.all(by_maker <= 1 + 1e-9)
    nvidia = [(row["maker"], row["pool"]) for row in table("makers")].index(("nvidia", "cowos"))
    assert by_maker[36, nvidia] == pytest.approx(0.60, abs=0.05)  # FAB-070 gives 2025


def test_a_product_has_a_life(base: Inputs, months: Callable[[str], int]) -> None:
    k, market_ = at("nvidia-h20"), base.months.market
    mix = market_.mix[:, k]
    assert mix[months("2023-06")] == 0
    assert mix[months("2024-10")] > 0
    assert np.all(market_.scrap[mix > 1e-9, k] == 0)
    assert np.all(np.diff(market_.age[:, k]) >= 0)


def test_no_maker_is_without_a_product_until_the_end(base: Inputs) -> None:
    """Declared successors stand for every line that ends, so that no result rests on a table's end."""
    by_maker = np.asarray(base.months.supply.mix) @ np.asarray(base.products.fabs.maker_of).T
    began = by_maker.argmax(0) * 0 + (by_maker > 1e-9).argmax(0)
    for m, row in enumerate(table("makers")):
        if (by_maker[:, m] > 1e-9).any() and float(
            row["share_2028"].split()[0] if row["share_2028"][0].isdigit() else 1
        ) > 0:
            assert np.all(by_maker[began[m] :, m] > 1e-9), (row["maker"], row["pool"])


def test_the_die_bank_arrives_whole(base: Inputs) -> None:
    assert np.asarray(base.months.supply.bank_inflow).sum() == pytest.approx(1)
    assert np.flatnonzero(np.asarray(base.products.fabs.bank_of)).tolist() == [AXIS.dies.index("ascend-910")]


def test_bands_are_ordered_and_positive(base: Inputs) -> None:
    for name, band in {**base.bands, "lines": base.lines}.items():
        assert np.all(np.asarray(band.central) > 0), name
        assert np.all(np.asarray(band.low) >= -1e-12), name
        assert np.all(np.asarray(band.high) >= -1e-12), name


def test_no_line_switches_on_in_a_month(base: Inputs) -> None:
    lines = np.asarray(base.lines.central)
    steps = np.abs(np.diff(np.log(lines), axis=0))
    large = lines[1:] > 0.05 * lines.max(0)
    assert np.where(large, steps, 0).max() < 0.5


def test_levers_overrule_the_law(months: Callable[[str], int]) -> None:
    t, h20, b200 = months("2027-06"), at("nvidia-h20"), at("nvidia-b200")
    denied = changed(us__allowed_products__h20_class={"2027-01": "denied"}).months.market
    assert denied.quota[t, h20] == 0
    free = changed(us__allowed_products__all={"2027-01": "free"}).months.market
    assert free.quota[t, b200] > 1e11
    assert free.controlled[t, b200] == (free.blocked[t, b200] > 0)
    assert free.quota[months("2026-12"), b200] < 1e11 or free.pool_of[months("2026-12"), :, b200].any()
    limited = changed(
        us__allowed_products__h20_class={"2027-01": "licence"}, us__quota__h20_class={"2027-01": 5000},
        us__fee_share__h20_class={"2027-01": 0.2},
    ).months.market  # fmt: skip
    pool = PRODUCT_CLASSES.index("h20-class")
    assert limited.class_quota[t, pool] == 5000
    assert limited.pool_of[t, pool, h20] == 1  # the H20 needs a licence: it counts against the class's quota
    assert limited.fee[t, h20] == pytest.approx(0.2)
    own = changed(us__quota={"nvidia-h20": {"2027-01": 700}}).months.market
    assert own.quota[t, h20] == 700


def test_hub_levers_reach_their_hub_only(months: Callable[[str], int]) -> None:
    licensed = changed(us__hub_licence__MYS={"2027-01": 1}).months.market
    t, before, hub = months("2027-06"), months("2026-12"), AXIS.hubs.index("MYS")
    expected = np.zeros(len(AXIS.hubs))
    expected[hub] = 1
    np.testing.assert_array_equal(licensed.hub_licence[t], expected)
    assert np.all(licensed.hub_licence[before] == 0)
    region = AXIS.regions.index("MYS")
    assert np.all(licensed.friction[t, :, region] > licensed.friction[before, :, region])


def test_groups_name_known_products() -> None:
    matrix = group_matrix()
    for row, members in zip(table("groups"), matrix, strict=True):
        assert members.sum() == len(row["products"].split())


def test_a_shorter_period_gives_the_same_months(base: Inputs) -> None:
    scenario = load_scenario("baseline").model_copy(update={"end": "2026-12", "name": "short"})
    short = assemble(scenario, facts.load())
    np.testing.assert_array_equal(short.months.market.quota, base.months.market.quota[:60])
    np.testing.assert_allclose(short.bands["budget_china"].central, base.bands["budget_china"].central[:60])


def test_years_after_the_last_row_of_a_table_are_carried_on() -> None:
    longer = load_scenario("baseline").model_copy(update={"end": "2035-12", "name": "long"})
    inputs = assemble(longer, facts.load())
    assert inputs.months.calendar.index.shape == (168,)
    for path, leaf in jax.tree_util.tree_flatten_with_path(inputs)[0]:
        name = jax.tree_util.keystr(path)
        if "class_quota" not in name:
            assert np.isfinite(np.asarray(leaf, dtype=float)).all(), name
    assert isinstance(inputs.months.calendar, Calendar)
    np.testing.assert_allclose(inputs.knots.sum(1), 1)  # every month lies between two knots
