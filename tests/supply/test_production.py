"""The smooth minimum of logic, memory and packaging, and which of them binds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.supply import pool_ratio, produce
from chipweir.supply._production import SHARPNESS


RATIO = st.floats(1e-3, 1e3)


def one(plan: float, *ratios: float) -> tuple[float, np.ndarray]:
    made = produce(jnp.array([[plan]]), *(jnp.array([[ratio]]) for ratio in ratios))
    return float(made.packages[0, 0]), np.asarray(made.binding[:, 0, 0])


@given(st.floats(1e-3, 1e6), RATIO, RATIO, RATIO)
def test_output_never_exceeds_a_constraint_and_binding_shares_sum_to_one(
    plan: float, logic: float, memory: float, packaging: float
) -> None:
    packages, binding = one(plan, logic, memory, packaging)
    least = plan * min(logic, memory, packaging)
    assert packages <= least * (1 + 1e-12)
    assert packages >= least * 3 ** (-1 / SHARPNESS) * (1 - 1e-12)
    assert binding.sum() == pytest.approx(1, abs=1e-12)
    assert np.all(binding >= 0)
    assert binding[int(np.argmin([logic, memory, packaging]))] == pytest.approx(binding.max())


@given(RATIO, RATIO, RATIO, st.integers(0, 2), st.floats(1.01, 10))
def test_more_of_a_resource_never_makes_less(
    logic: float, memory: float, packaging: float, which: int, by: float
) -> None:
    ratios = [logic, memory, packaging]
    before, bound = one(1000.0, *ratios)
    ratios[which] *= by
    after, bound_after = one(1000.0, *ratios)
    assert after >= before * (1 - 1e-12)
    assert bound_after[which] <= bound[which] * (1 + 1e-12)


def test_three_equal_constraints_bind_alike() -> None:
    packages, binding = one(100.0, 1.0, 1.0, 1.0)
    assert packages == pytest.approx(100 * 3 ** (-1 / 8))
    np.testing.assert_allclose(binding, 1 / 3)


def test_a_single_scarce_resource_binds_alone() -> None:
    packages, binding = one(100.0, 10.0, 0.5, 10.0)
    assert packages == pytest.approx(50, rel=1e-4)
    assert binding[1] > 0.999


@settings(max_examples=40)
@given(RATIO, RATIO, RATIO)
def test_binding_shares_are_the_elasticities_of_output(logic: float, memory: float, packaging: float) -> None:
    logs = jnp.log(jnp.array([logic, memory, packaging]))

    def log_output(x: jax.Array) -> jax.Array:
        ratios = (jnp.exp(x[i : i + 1])[:, None] for i in range(3))
        return jnp.log(produce(jnp.ones((1, 1)), *ratios).packages[0, 0])

    np.testing.assert_allclose(jax.grad(log_output)(logs), one(1.0, logic, memory, packaging)[1], atol=1e-9)


def test_a_pool_is_shared_in_proportion_to_need() -> None:
    pools = jnp.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])[..., None]
    need = jnp.array([30.0, 10.0, 5.0, 7.0])[:, None]
    ratio = np.asarray(pool_ratio(jnp.array([20.0, 50.0])[:, None], need, pools))[:, 0]
    np.testing.assert_allclose(ratio[:3], [0.5, 0.5, 10.0])
    assert ratio[3] >= 1e6  # of no pool: nothing constrains it
    np.testing.assert_allclose((np.asarray(need)[:, 0] * ratio)[:2].sum(), 20.0)


@given(st.lists(st.floats(0.1, 10), min_size=4, max_size=4), st.floats(0.1, 1e3))
def test_a_preferred_product_gets_more_of_a_short_pool_and_the_pool_is_spent(weight: list[float], stock: float) -> None:
    need = jnp.array([30.0, 10.0, 5.0, 7.0])[:, None]
    ratio = pool_ratio(jnp.array([[stock]]), need, jnp.ones((1, 4, 1)), jnp.array(weight)[:, None])
    assert float((need * ratio).sum()) == pytest.approx(stock)
    assert list(np.argsort(np.asarray(ratio)[:, 0], kind="stable")) == list(np.argsort(weight, kind="stable"))


@given(st.lists(st.floats(0.1, 1e3), min_size=4, max_size=4), st.floats(1, 1e4), st.floats(1, 1e4))
def test_what_a_plan_makes_never_overdraws_a_pool(plan: list[float], logic: float, memory: float) -> None:
    lines = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    stacks = np.array([6.0, 8.0, 5.0, 0.0])
    planned = jnp.array(plan)[:, None]
    packages = produce(
        planned,
        pool_ratio(jnp.array([logic, logic / 2])[:, None], planned, jnp.asarray(lines)[..., None]),
        pool_ratio(jnp.array([[memory]]), planned * stacks[:, None], jnp.ones((1, 4, 1))),
        jnp.ones((4, 1)),
    ).packages
    made = np.asarray(packages)[:, 0]
    assert np.all(lines @ made <= np.array([logic, logic / 2]) * (1 + 1e-9))
    assert made @ stacks <= memory * (1 + 1e-9)
    assert np.all(made <= np.asarray(plan) * (1 + 1e-9))
