import json
import subprocess
import sys
from importlib import resources

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
        (["--batch", "/nowhere.csv"], "cannot read"),
        (["Llama-3.1-405B", "--on", "H100", "--chips", "1"], "GB"),
        (["--batch", "a.csv", "--fit", "b.csv"], "cannot be combined"),
        (["Llama-3.1-8B", "--on", "H100", "--framework", "jaxserve"], "framework must be"),
        (["--validate", "a.csv", "--leave-out", "moon"], "chip, generation"),
        (["Llama-3.1-8B", "--on", "H100", "--concurrency", "1e30"], "beyond"),
        (["Llama-3.1-8B", "--on", "H100", "--chips", "99999999"], "beyond"),
        (["Llama-3.1-8B", "--on", "H100", "--country", "Atlantis"], "unknown country"),
        (["Llama-3.1-8B", "--on", "H100", "--set", "memory_bandwidth=0"], "above 0"),
        (["Llama-3.1-8B", "--on", "H100", "--training", "--concurrency", "3"], "about serving"),
        (["Llama-3.1-8B", "--on", "H100", "--global-batch", "3"], "needs --training"),
        (["DeepSeek-V3", "--on", "T4", "--chips", "8", "--training"], "GB a chip needed"),
        (["Llama-3.1-8B", "--on", "H100", "--posterior", "/nowhere.json"], "cannot read"),
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
    for word in ("median error", "baseline", "By chip"):
        assert word in out
    _, out, _ = run(capsys, "estimate", "--validate", str(measured_file), "--json")
    assert json.loads(out)["overall"]["tpot_ms"]["n"] == 27


def test_a_training_estimate(capsys):
    code, out, _ = run(capsys, "estimate", "DeepSeek-V3", "--on", "H800", "--training", "--chips", "2048", "--json")
    assert code == 0
    rate = json.loads(out)["tokens_s_chip_train"]["p50"]
    assert rate > 500
    slower = ("--set", "memory_bandwidth=1e12")
    _, out, _ = run(
        capsys, "estimate", "DeepSeek-V3", "--on", "H800", "--training", "--chips", "2048", "--json", *slower
    )
    assert json.loads(out)["tokens_s_chip_train"]["p50"] < rate


def test_a_match_of_systems(capsys):
    code, out, _ = run(capsys, "match", "CloudMatrix 384", "GB200 NVL72", "--json")
    assert code == 0
    record = json.loads(out)
    chips = next(m for m in record["measures"] if m["quantity"] == "chips")
    assert chips["ratio"] == pytest.approx(384 / 72)


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (("CloudMatrix 384", "GB200 NVL72"), ("by unit: A wins in", "no FP8 unit", "80 % interval of A for one B")),
        (("H20", "H100"), ("by watt: A wins in memory", "loses in 16-bit peak")),
        (("C600", "H20"), ("no datasheet number for MetaX C600", "by dollar: not known")),
        (("T4", "NVL72"), ("none can", "does not fit")),
        (("H20", "H20"), ("by chip: A wins in nothing; loses in nothing; within 2 % in 16-bit peak",)),
    ],
)
def test_a_match_fits_a_narrow_terminal_and_says_where_a_wins(capsys, monkeypatch, pair, words):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(capsys, "match", *pair)
    assert code == 0
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 80
    folded = " ".join(out.split())
    for word in words:
        assert word in folded
    for quantity in ("memory bandwidth", "scale-up bandwidth", "training", "prefill", "decode"):
        assert sum(line.strip().startswith(quantity) for line in out.splitlines()) >= 1


@pytest.mark.parametrize(("pair", "words"), [(("H20", "Banana"), "unknown chip"), (("", "H20"), "no chip given")])
def test_a_match_of_what_is_no_chip_is_one_line(capsys, pair, words):
    code, out, err = run(capsys, "match", *pair)
    assert code == 2
    assert out == ""
    assert words in err
    assert err.count("\n") == 1


def test_names_are_completed():
    from chipweir.cli._perf_options import complete_country, complete_hardware, complete_model

    assert {"DeepSeek-V3.1", "deepseek-v3"} <= set(complete_model("deep"))
    assert {"H20", "huawei-cloudmatrix-384"} <= set(complete_hardware("h"))
    assert complete_country("K").count("KR") == 1
    assert complete_model("nothing begins like this") == []
    everything = (*complete_model(""), *complete_hardware(""))
    assert not any(set(name) & set(" ()'|/") for name in everything)


def test_the_roof_is_that_of_the_chip_estimated():
    import numpy as np

    from chipweir.perf import estimate
    from chipweir.perf._figure import roofline_figure

    faster = {"memory_bandwidth": 8e12}
    drawn = [
        roofline_figure(estimate("Llama-3.1-8B", "H20", overrides=o, concurrency=4), o).data[0] for o in ({}, faster)
    ]
    slope = [float(np.log10(line.y[0] / line.x[0])) for line in drawn]
    assert slope[1] - slope[0] == pytest.approx(np.log10(2.0), abs=0.01)


def test_a_figure_in_html(capsys, tmp_path):
    path = tmp_path / "roof.html"
    code, _, _ = run(capsys, "estimate", "DeepSeek-V3.1", "--on", "H20", "--figure", str(path))
    assert code == 0
    assert "plotly" in path.read_text(encoding="utf-8").lower()
    for on, more in (("Ascend 910C die", ()), ("H20", ("--set", "memory_bandwidth=8e12"))):
        assert run(capsys, "estimate", "Qwen3-32B", "--on", on, *more, "--figure", str(path))[0] == 0
    code, _, err = run(capsys, "estimate", "DeepSeek-V3.1", "--on", "H20", "--figure", str(tmp_path / "roof.doc"))
    assert code == 2
    assert ".html" in err


def test_a_posterior_of_ones_own_must_be_one(capsys, tmp_path):
    path = tmp_path / "p.json"
    path.write_text("{}", encoding="utf-8")
    code, _, err = run(capsys, "estimate", "Llama-3.1-8B", "--on", "H100", "--posterior", str(path))
    assert code == 2
    assert "not a fitted posterior" in err


@pytest.fixture(scope="module")
def fitted_folder(tmp_path_factory):
    """What `--fit` writes for a few made-up training rows on a chip twice as slow as the shipped fit says."""
    from chipweir.perf._training_rows import predict_training

    folder = tmp_path_factory.mktemp("fit")
    header = ("phase", "chip", "model", "n_chips", "global_batch", "tokens_s_chip_train")
    lines = [",".join(header)]
    for model in ("Llama-3.1-8B", "Llama-3.1-70B", "Qwen3-32B", "Llama-2-70B"):
        for chips in ("64", "128", "256"):
            row = dict(zip(header, ("training", "H100", model, chips, "512"), strict=False))
            rate = predict_training([row])[0]["tokens_s_chip_train"]["p50"] / 2
            lines.append(",".join((*row.values(), f"{rate:.1f}")))
    (folder / "measured.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "out").mkdir()
    return folder


@pytest.mark.timeout(120)
def test_a_fit_goes_where_the_user_says_and_is_used(capsys, fitted_folder):
    table, out = str(fitted_folder / "measured.csv"), fitted_folder / "out"
    code, printed, err = run(capsys, "estimate", "--fit", table, "--out", str(out), "--quick")
    assert code == 0
    assert printed == ""
    assert sorted(path.name for path in out.iterdir()) == ["baselines.json", "training.json"]
    assert "training, all rows" in err
    assert "serving: " in err
    assert "power: " in err
    question = ["estimate", "Llama-3.1-70B", "--on", "H100", "--training", "--chips", "128", "--json"]
    shipped = json.loads(run(capsys, *question)[1])["tokens_s_chip_train"]["p50"]
    own = json.loads(run(capsys, *question, "--posterior", str(out))[1])["tokens_s_chip_train"]["p50"]
    assert own < 0.7 * shipped
    alone = json.loads(run(capsys, *question, "--posterior", str(out / "training.json"))[1])
    assert alone["tokens_s_chip_train"]["p50"] == own


def test_a_fit_needs_a_folder_that_exists(capsys, measured_file, tmp_path):
    target = tmp_path / "nowhere" / "fit.json"
    code, out, err = run(capsys, "estimate", "--fit", str(measured_file), "--out", str(target), "--quick")
    assert code == 2
    assert out == ""
    assert "no such folder" in err


def test_one_file_holds_all_that_was_fitted(tmp_path):
    from chipweir.perf._fitted import read_fitted, shipped_fitted, together

    shipped = shipped_fitted()
    data = resources.files("chipweir.perf").joinpath("data")
    names = ("posterior.json", "training.json", "power.json")
    documents = {name: data.joinpath(name).read_text(encoding="utf-8") for name in names}
    path = tmp_path / "all.json"
    path.write_text(together(documents), encoding="utf-8")
    again = read_fitted(path)
    assert again.serving.mean == pytest.approx(shipped.serving.mean)
    assert again.training.centre == shipped.training.centre
    assert again.power == shipped.power
    path.write_text(together({"power.json": documents["power.json"]}), encoding="utf-8")
    assert read_fitted(path).training.centre == shipped.training.centre


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_chips_left_out_of_training_are_reported(capsys, fitted_folder):
    code, out, _ = run(
        capsys, "estimate", "--validate", str(fitted_folder / "measured.csv"), "--leave-out", "model", "--json"
    )
    assert code == 0
    report = json.loads(out)["left_out"]
    assert report["overall"]["step_time"]["n"] == 12
    assert set(report["groups"]) >= {"meta-llama-3.1-8b", "alibaba-qwen3-32b"}


@pytest.mark.slow
def test_an_estimate_starts_quickly_and_without_jax():
    code = (
        "import sys\n"
        "from chipweir.cli import main\n"
        "try:\n    main(['estimate', 'DeepSeek-V3.1', '--on', 'H20', '--json'])\n"
        "except SystemExit:\n    pass\n"
        "assert not {'jax', 'pandas', 'plotly', 'xarray'} & set(sys.modules)\n"
        "assert len(sys.modules) < 1500\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_prices_stand_beside_the_cost(capsys):
    arguments = ["estimate", "DeepSeek-V3.1", "--on", "H20", "--chips", "8", "--against-prices", "--date", "2025-09-05"]
    code, out, _ = run(capsys, *arguments, "--beside", "GPT-5", "--beside", "Claude Opus 4.1", "--json")
    assert code == 0
    own, other, dear = json.loads(out)["prices"]
    assert (own["output"], other["output"], dear["output"]) == (1.68, 10, 75)
    assert own["margin"]["p10"] < own["margin"]["p50"] < own["margin"]["p90"] < 1
    assert other["times"] == pytest.approx(5.95, abs=0.01)
    code, _, err = run(capsys, *arguments[:4], "--beside", "GPT-5")
    assert (code, "--against-prices" in err) == (2, True)


def test_a_whole_run_is_counted(capsys):
    arguments = ["estimate", "DeepSeek-V3", "--on", "H800", "--training", "--chips", "2048", "--precision", "fp8"]
    code, out, _ = run(capsys, *arguments, "--tokens", "14.8T", "--json")
    assert code == 0
    whole = json.loads(out)["run"]
    assert 3e24 < whole["flop"] < 6e24
    assert whole["days"]["p50"] == pytest.approx(whole["chip_hours"]["p50"] / 2048 / 24)
    assert whole["usd"]["p10"] < whole["usd"]["p50"] < whole["usd"]["p90"]
    code, _, err = run(capsys, *arguments, "--tokens", "many")
    assert (code, "such as 14.8T" in err) == (2, True)


def test_a_chip_of_a_datasheet_file(capsys, tmp_path):
    sheet = tmp_path / "mine.yaml"
    sheet.write_text("name: Mine\nbf16: 400 TFLOPS\nmemory: 96 GB\nmemory_bandwidth: 2.4 TB/s\n", encoding="utf-8")
    code, out, _ = run(capsys, "estimate", "Qwen3-32B", "--on", str(sheet), "--json")
    assert code == 0
    assert json.loads(out)["chip"] == "Mine"
    assert any("taken from its peers" in note for note in json.loads(out)["notes"])
    code, _, err = run(capsys, "estimate", "Qwen3-32B", "--on", str(tmp_path / "none.yaml"))
    assert (code, "cannot read" in err) == (2, True)
