import numpy as np
import pytest

from chipweir.errors import InputError
from chipweir.perf._baselines import roofline_tpot, two_numbers
from chipweir.perf._measured import measured, read_rows, stated
from chipweir.perf._validate import score, validate


def test_errors_of_known_numbers():
    s = score(
        np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 1.0]), np.array([0.5, 1.5, 3.0]), np.array([1.5, 2.5, 4.0])
    )
    assert (s.n, s.median, s.mean) == (3, 1.0, pytest.approx(4 / 3))
    assert s.bias == pytest.approx(np.log(2))
    assert s.coverage == pytest.approx(1 / 3)


def test_the_table_recovers_the_error_that_was_put_in(measured_rows):
    report = validate(measured_rows)
    tpot = report["overall"]["tpot_ms"]
    assert tpot["n"] == 27
    assert 0.03 < tpot["median_ape"] < 0.13
    assert abs(tpot["bias_log"]) < 0.06
    assert tpot["coverage_80"] > 0.7
    assert set(report["groups"]) == {"family", "phase", "chip", "model"}
    assert set(report["groups"]["model"]) == {"Llama-3.1-8B", "Llama-3.1-70B", "Qwen3-235B-A22B"}


def test_baselines_stand_beside_on_the_same_rows(measured_rows):
    table = validate(measured_rows)["baselines"]["tpot_ms"]
    assert {table[name]["n"] for name in table} == {27}
    assert table["baseline"]["median_ape"] > table["chipweir"]["median_ape"]


def test_two_numbers_are_found_again():
    bare = np.linspace(0.001, 0.05, 40)
    slope, offset = two_numbers(bare, 1.28 * bare + 0.0057)
    assert slope == pytest.approx(1.28, rel=1e-3)
    assert offset == pytest.approx(0.0057, rel=1e-3)


def test_the_roofline_is_below_every_measurement(measured_rows):
    data, _, _ = stated(measured(measured_rows))
    assert np.all(roofline_tpot(data) < data.tpot)


def test_rows_without_prediction_are_counted(measured_rows):
    report = validate([*measured_rows, {**measured_rows[0], "chip": "Deep Thought"}])
    assert sum(report["without"].values()) == 1
    assert report["rows"] == 28


def test_nothing_to_score_is_said(measured_rows):
    with pytest.raises(InputError, match="no row has both"):
        validate([{**measured_rows[0], "tpot_ms": "", "ttft_ms": "", "output_tok_s_chip": ""}])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "model"),
        (b"a,b\n1,2\n", "columns 'model' and 'chip'"),
        (b"chip,model,chip\n", "named twice"),
        (b"\xff\xfe\x00", "UTF-8|NUL"),
        (b"chip,model\0\n", "NUL"),
    ],
)
def test_files_that_are_no_table(tmp_path, content, words):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_rows(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_rows(tmp_path / "none.csv")


def test_rows_of_another_length_are_marked(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("chip,model\nH100,Llama-3.1-8B\nH100\nH100,Llama-3.1-8B,extra\n", encoding="utf-8")
    rows = read_rows(path)
    assert "malformed" not in rows[0]
    assert "fewer" in rows[1]["malformed"]
    assert "more" in rows[2]["malformed"]
