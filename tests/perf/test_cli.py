import json
import subprocess
import sys
import time

import pytest

from chipweir.cli import main


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_one_estimate_is_one_document(capsys):
    code, out, _ = run(capsys, "estimate", "DeepSeek-V3.1", "--on", "H20", "--chips", "8", "--json")
    assert code == 0
    record = json.loads(out)
    assert record["quantities"]["tpot_ms"]["p50"] <= 50.1
    assert record["plan"]["chips"] == 8
    assert "operators" not in record


def test_operators_on_request(capsys):
    _, out, _ = run(capsys, "estimate", "Llama-3.1-8B", "--on", "H100", "--operators", "--json")
    assert {o["operator"] for o in json.loads(out)["operators"]} >= {"attention_projection", "dense_ffn", "head"}


def test_people_get_a_table(capsys):
    code, out, _ = run(capsys, "estimate", "Llama-3.1-8B", "--on", "H100", "--concurrency", "8", "--operators")
    assert code == 0
    for word in ("ms per output token", "80 % interval", "plan:", "binds:", "roofline"):
        assert word in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Llama-3.1-8B"], "on what"),
        (["Llama-3.1-8B", "--on", "H100", "--best", "--concurrency", "4"], "only one of"),
        (["Llama-9", "--on", "H100"], "unknown model"),
        (["Llama-3.1-8B", "--on", "H100", "--chips", "0"], "above 0"),
        (["Llama-3.1-8B", "--on", "H100", "--set", "speed"], "FIELD=VALUE"),
        (["--batch", "/nowhere.csv"], "cannot be read"),
        (["Llama-3.1-405B", "--on", "H100", "--chips", "1"], "GB"),
        (["--batch", "a.csv", "--fit", "b.csv"], "cannot be combined"),
        (["Llama-3.1-8B", "--on", "H100", "--framework", "jaxserve"], "framework must be"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(capsys, arguments, words):
    code, out, err = run(capsys, "estimate", *arguments)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert words in err


def test_a_batch_is_one_line_per_row(capsys, measured_file):
    code, out, _ = run(capsys, "estimate", "--batch", str(measured_file), "--json")
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["row"] for line in lines] == list(range(1, 28))
    assert all(set(line["predictions"]["tpot_ms"]) == {"p10", "p50", "p90"} for line in lines)


def test_validation_prints_the_baselines(capsys, measured_file):
    code, out, _ = run(capsys, "estimate", "--validate", str(measured_file))
    assert code == 0
    for word in ("median error", "roofline", "two numbers", "By chip"):
        assert word in out
    _, out, _ = run(capsys, "estimate", "--validate", str(measured_file), "--json")
    assert json.loads(out)["overall"]["tpot_ms"]["n"] == 27


def test_a_training_estimate(capsys):
    code, out, _ = run(capsys, "estimate", "DeepSeek-V3", "--on", "H800", "--training", "--chips", "2048", "--json")
    assert code == 0
    assert json.loads(out)["tokens_s_chip_train"]["p50"] > 500


def test_a_match_of_systems(capsys):
    code, out, _ = run(capsys, "match", "CloudMatrix 384", "GB200 NVL72", "--json")
    assert code == 0
    record = json.loads(out)
    chips = next(m for m in record["measures"] if m["quantity"] == "chips")
    assert chips["ratio"] == pytest.approx(384 / 72)


def test_a_figure_in_html(capsys, tmp_path):
    path = tmp_path / "roof.html"
    code, _, _ = run(capsys, "estimate", "DeepSeek-V3.1", "--on", "H20", "--figure", str(path))
    assert code == 0
    assert "plotly" in path.read_text(encoding="utf-8").lower()
    code, _, err = run(capsys, "estimate", "DeepSeek-V3.1", "--on", "H20", "--figure", str(tmp_path / "roof.doc"))
    assert code == 2
    assert ".html" in err


def test_a_posterior_of_ones_own_must_be_one(capsys, tmp_path):
    path = tmp_path / "p.json"
    path.write_text("{}", encoding="utf-8")
    code, _, err = run(capsys, "estimate", "Llama-3.1-8B", "--on", "H100", "--posterior", str(path))
    assert code == 2
    assert "not a fitted posterior" in err


@pytest.mark.slow
def test_an_estimate_starts_quickly_and_without_jax():
    code = (
        "import sys\n"
        "from chipweir.cli import main\n"
        "try:\n    main(['estimate', 'DeepSeek-V3.1', '--on', 'H20', '--json'])\n"
        "except SystemExit:\n    pass\n"
        "assert not {'jax', 'pandas', 'plotly', 'xarray'} & set(sys.modules)\n"
    )
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert time.perf_counter() - start < 3.0
