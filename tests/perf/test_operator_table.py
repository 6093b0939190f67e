import pytest

from chipweir.errors import InputError
from chipweir.perf._operator_table import operator_rows, reached


HEADER = "chip,op,dtype,m,n,k,us\n"


def table(tmp_path, *lines):
    path = tmp_path / "ops.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_large_products_give_the_share_of_the_peak(tmp_path):
    # 2 x 4096^3 operations at half of an H100's 989 TFLOP/s.
    us = 2 * 4096**3 / (0.5 * 989e12) * 1e6
    path = table(
        tmp_path, f"H100,gemm,bf16,4096,4096,4096,{us}", "H100,gemm,bf16,16,16,16,5", "Banana,gemm,bf16,9,9,9,1"
    )
    rows = operator_rows(path)
    assert rows is not None
    assert reached(rows)[("H100", "bf16")] == pytest.approx(0.5, rel=0.01)
    assert len(reached(rows)) == 1


def test_a_table_of_operators_is_no_table_to_fit_and_says_so(tmp_path):
    from chipweir.perf._fit import fit_file

    with pytest.raises(InputError, match=r"1 times of single operators.* a fit needs rows with tpot_ms"):
        fit_file(table(tmp_path, ",,,,,,40.3"))


def test_other_tables_are_left_to_the_fit(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("model,chip,isl,tpot_ms\n", encoding="utf-8")
    assert operator_rows(path) is None
    assert operator_rows(tmp_path / "missing.csv") is None
