"""The benchmark script runs on any table, and its optional comparison with GenZ works and is never needed."""

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest


SCRIPT = Path(__file__).parents[2] / "benchmarks" / "perf.py"


@pytest.fixture(scope="module")
def benchmark():
    if not SCRIPT.exists():
        pytest.skip("the benchmarks are not part of an installed package")
    spec = importlib.util.spec_from_file_location("perf_benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROWS = 24
    return module


@pytest.fixture
def genz(monkeypatch):
    """A stand-in for GenZ that remembers what it was asked and answers 20 ms."""
    asked = []
    module = types.ModuleType("GenZ")

    def decode_moddeling(**question):
        asked.append(question)
        if question["tensor_parallel"] > 2:
            raise ValueError("All params would not fit on chip.")
        return {"Latency": 20.0}

    module.decode_moddeling = decode_moddeling
    monkeypatch.setitem(sys.modules, "GenZ", module)
    return asked


def test_speed_and_errors_in_one_run(benchmark, measured_file, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "GenZ", None)
    benchmark.main([str(measured_file)])
    out = capsys.readouterr().out
    for words in ("serving, numeric core", "training rows, all stated", "x roofline +", "GenZ is not installed"):
        assert words in out
    assert "training step time" not in out


def test_genz_is_asked_about_the_same_rows(benchmark, measured_rows, genz, capsys):
    benchmark.print_serving(measured_rows * 5)
    printed = capsys.readouterr()
    assert "the rows GenZ can model" in printed.out
    assert printed.out.count("chipweir") == 2
    assert "would not fit" in printed.err
    assert {question["model"] for question in genz} <= set(benchmark.GENZ.values())
    one = next(question for question in genz if question["tensor_parallel"] == 1)
    assert one["input_tokens"] == 1024
    assert one["output_tokens"] == 512
    assert one["bits"] == "int8"
    assert one["parallelism_heirarchy"] == "TP{1}_EP{1}_PP{1}"
    assert 900 < one["system_name"]["Flops"] < 2500


def test_made_rows_can_be_estimated_and_differ(benchmark):
    for kind in ("serving", "serving open", "training", "training open"):
        rows = benchmark.made_rows(12, kind)
        answers = benchmark.predict_rows(rows)
        assert sum("predictions" in answer for answer in answers) >= 6, kind
        assert len({tuple(row.items()) for row in rows}) == len(rows)


def test_training_is_compared_with_one_utilisation(benchmark, capsys):
    from chipweir.perf._training_fit import training_data

    row = {"phase": "training", "chip": "H100", "model": "Llama-3.1-8B", "n_chips": "64", "global_batch": "512"}
    rows = [row | {"tokens_s_chip_train": str(rate)} for rate in (8000, 9000, 10000)]
    data = training_data(rows)
    benchmark.print_training(rows, data)
    assert "one utilisation for each number format" in capsys.readouterr().out
    assert np.all(benchmark.model_share(data.job, data.seconds) < 1)


def test_a_file_that_is_none_is_one_line(benchmark, tmp_path):
    with pytest.raises(SystemExit, match="cannot read"):
        benchmark.main([str(tmp_path / "nothing.csv")])
