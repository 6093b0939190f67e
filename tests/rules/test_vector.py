"""Classification in arrays is the classification of one, many times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.errors import InputError
from chipweir.rules import Item, classify, classify_many
from chipweir.rules._vector import CLASS_NAMES


rows = st.tuples(
    st.one_of(st.sampled_from([1600, 2399.9, 2400, 4799, 4800, 2841.6]), st.floats(0, 1e5)),
    st.one_of(st.sampled_from([480.0, 500.0, 270.27, 1500.0]), st.floats(1, 3000), st.just(float("nan"))),
    st.booleans(),
    st.one_of(st.sampled_from([599.0, 600.0, float("nan")]), st.floats(0, 2000)),
)


@settings(max_examples=150, deadline=None)
@given(
    table=st.lists(rows, min_size=1, max_size=12),
    on=st.sampled_from(["2022-10-20", "2022-10-21", "2023-11-17", "2026-01-15"]),
)
def test_equals_the_scalar_path(table: list[tuple[float, float, bool, float]], on: str) -> None:
    tpp, area, dc, io = (np.array(column) for column in zip(*table, strict=True))
    codes = classify_many(tpp, area, dc, io_gbps=io, on=on)
    for code, (t, a, d, i) in zip(codes, table, strict=True):
        item = Item(tpp=t, die_mm2=None if np.isnan(a) else a, dc=d, io_gbps=None if np.isnan(i) else i)
        assert CLASS_NAMES[int(code)] == classify(item, on).eccn


def test_a_quotient_at_the_line_is_compared_exactly() -> None:
    areas = np.array([480, 480.0000001, 479.9999999])
    assert classify_many(2841.6, areas, on="2024-01-01").tolist() == [2, 1, 2]
    tenths = np.arange(1, 2000) / 10
    codes = classify_many(tenths * 5.92 * 100, tenths * 100, on="2024-01-01")
    exact = [
        classify(Item(tpp=float(t), die_mm2=float(a)), "2024-01-01").eccn
        for t, a in zip(tenths * 5.92 * 100, tenths * 100, strict=True)
    ]
    assert [CLASS_NAMES[int(code)] for code in codes] == exact


def test_shapes_broadcast_and_bad_input_is_refused() -> None:
    grid = classify_many(np.array([[1000], [2000], [5000]]), pd=np.array([1.0, 3.2, 6.0]), on="2024-01-01")
    assert grid.tolist() == [[0, 0, 0], [0, 1, 2], [2, 2, 2]]
    assert classify_many([], [], on="2024-01-01").shape == (0,)
    with pytest.raises(InputError, match="negative"):
        classify_many([-1], [1], on="2024-01-01")
    with pytest.raises(InputError, match="shapes"):
        classify_many([1, 2, 3], [1, 2], on="2024-01-01")
