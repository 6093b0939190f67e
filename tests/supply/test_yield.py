"""From wafers to good dies: anchors from the literature and from reported yields, limits and directions."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from chipweir import facts
from chipweir.supply import defect_density, good_die_fraction, gross_dies, sellable_fraction
from chipweir.world import cells, labels, table


AREAS = st.floats(20, 900)
DENSITIES = st.floats(0, 3)
CLUSTERING = st.floats(0.3, 20)


def test_eighty_dies_of_666_mm2_come_from_a_wafer() -> None:
    assert float(gross_dies(666.0)) == pytest.approx(80.3, abs=0.1)


def test_gross_dies_are_fewer_than_the_area_allows_and_fall_with_the_die() -> None:
    areas = np.linspace(20, 900, 200)
    dies = np.asarray(gross_dies(areas))
    assert np.all(dies < np.pi * 150**2 / areas)
    assert np.all(np.diff(dies) < 0)
    assert dies[0] > 0.9 * np.pi * 150**2 / areas[0]


def test_a_reported_density_gives_the_reported_yield() -> None:
    # 0.14 defects per cm2 at 666 mm2: 40 % (FAB-039), which is Poisson's limit of no clustering.
    assert float(good_die_fraction(666.0, 0.14, 1e6)) == pytest.approx(0.40, abs=0.01)
    assert float(good_die_fraction(666.0, 0.14, 1e6)) == pytest.approx(np.exp(-6.66 * 0.14), rel=1e-5)


@given(AREAS, DENSITIES, CLUSTERING)
def test_the_yield_is_the_chance_of_no_defect_under_clustering(area: float, density: float, clustering: float) -> None:
    mean = area / 100 * density
    expected = stats.nbinom.pmf(0, clustering, clustering / (clustering + mean))
    assert float(good_die_fraction(area, density, clustering)) == pytest.approx(expected, rel=1e-9)


@given(AREAS, st.floats(0.01, 3), CLUSTERING, st.floats(1.05, 3))
def test_larger_dies_and_dirtier_lines_yield_less_and_clustering_more(
    area: float, density: float, clustering: float, factor: float
) -> None:
    base = float(good_die_fraction(area, density, clustering))
    assert 0 < base <= 1
    assert float(good_die_fraction(area * factor, density, clustering)) < base
    assert float(good_die_fraction(area, density * factor, clustering)) < base
    assert float(good_die_fraction(area, density, clustering * factor)) < base


def test_a_clean_line_loses_nothing() -> None:
    assert float(good_die_fraction(800.0, 0.0, 2.0)) == 1.0


@given(
    st.floats(0.05, 2), st.floats(0, 1), st.floats(1e3, 1e7), st.floats(0.1, 2), st.floats(1, 1e6), st.floats(1, 1e6)
)
def test_density_learns_from_its_initial_value_towards_its_floor(
    initial: float, share: float, scale: float, exponent: float, wafers: float, more: float
) -> None:
    floor = initial * share
    start, early, late = (
        float(defect_density(initial, floor, n, scale, exponent)) for n in (0.0, wafers, wafers + more)
    )
    assert start == pytest.approx(initial, rel=1e-12)
    assert floor * (1 - 1e-12) <= late <= early * (1 + 1e-12) <= initial * (1 + 2e-12)


def test_learning_halves_the_excess_where_the_exponent_is_one_and_experience_equals_the_scale() -> None:
    assert float(defect_density(0.5, 0.1, 2e5, 2e5, 1.0)) == pytest.approx(0.3)


@given(st.floats(0, 1), st.floats(0, 2))
def test_salvage_sells_part_of_the_defective_dies(good: float, salvage: float) -> None:
    sold = float(sellable_fraction(good, salvage))
    assert good - 1e-12 <= sold <= 1 + 1e-12
    assert (sold - good) == pytest.approx(min(salvage, 0.95) * (1 - good), abs=1e-12)


def test_every_line_starts_dirtier_than_its_floor_and_every_die_fits_a_reticle() -> None:
    lines, found = table("lines"), cells(facts.load())
    assert [row["line"] for row in lines] == list(labels().lines)
    for row in lines:
        assert 0 < float(row["defect_floor"]) < float(row["defect_density_2022"]) < 2
    areas = {
        key[1]: cell.derived.central for key, cell in found.items() if key[0] == "products" and key[2] == "area_mm2"
    }
    assert set(areas) == set(labels().products)
    assert all(0 < area <= 858 for area in areas.values())  # 26 x 33 mm


def test_the_functions_work_on_arrays() -> None:
    areas = jnp.array([100.0, 666.0, 814.0])
    assert gross_dies(areas).shape == (3,)
    assert good_die_fraction(areas, jnp.array([0.1, 0.2, 0.3]), 2.5).shape == (3,)
