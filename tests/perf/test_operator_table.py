import pytest

from chipweir.errors import InputError
from chipweir.perf._measured import read_rows
from chipweir.perf._operator_table import is_operator_table, reached


HEADER = "chip,op,dtype,m,n,k,us\n"


def test_large_products_give_the_share_of_the_peak():
    # 2 x 4096^3 operations at half of an H100's 989 TFLOP/s.
    us = 2 * 4096**3 / (0.5 * 989e12) * 1e6
    shape = {"op": "gemm", "dtype": "bf16", "m": "4096", "n": "4096", "k": "4096", "us": f"{us}"}
    rows = [{**shape, "chip": "H100"}, {**shape, "chip": "H100", "m": "16"}, {**shape, "chip": "Banana"}, {}]
    assert reached(rows) == {("H100", "bf16"): pytest.approx(0.5, rel=0.01)}


def test_a_table_of_operators_is_no_table_of_deployments_and_says_so(tmp_path):
    path = tmp_path / "ops.csv"
    path.write_text(HEADER + ",,,,,,40.3\nH100,gemm,bf16,8192,8192,8192,1600\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"2 times of single operators.* needs rows with tpot_ms.* 0\.69 of .* in bf16"
    ):
        read_rows(path)


def test_other_tables_are_none_of_operators():
    assert is_operator_table(HEADER.strip().split(","))
    assert not is_operator_table(["model", "chip", "isl", "tpot_ms"])
