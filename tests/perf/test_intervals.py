import numpy as np
import pytest

from chipweir.perf._configuration import read_configuration
from chipweir.perf._intervals import DEFAULT, Errors, deployment, learn, spread, widen


def configuration(**changes):
    row = {"chip": "H100", "model": "Llama-3.1-8B", "tp": "1", "concurrency": "8", "precision": "bf16"}
    return read_configuration({**row, **changes})


def test_learnt_points_hold_four_in_five():
    noise = np.random.default_rng(0).standard_normal(4000) * 0.3
    points = learn({"tpot": noise}, ["tensor"] * 4000, np.ones(4000))["tpot"]["tensor"]
    assert np.mean((points[0] <= noise) & (noise <= points[1])) == pytest.approx(0.8, abs=0.01)


def test_few_rows_make_no_kind_of_their_own():
    found = learn({"tpot": np.full(30, 0.1)}, ["tensor"] * 25 + ["data"] * 5, np.ones(30))["tpot"]
    assert set(found) == {"all", "tensor"}


def test_familiar_chips_and_models_have_the_narrower_interval():
    errors = Errors(
        {"tpot": {"familiar:tensor": (-0.1, 0.1), "new:tensor": (-0.3, 0.3), "new:all": (-0.5, 0.5)}},
        frozenset({"nvidia-h100-sxm"}), frozenset({configuration().model.id}),
    )  # fmt: skip
    rows = [configuration(), configuration(chip="H20"), configuration(tp="", concurrency="")]
    found = spread(errors, rows, [False, False, True], "tpot")
    assert list(found[0]) == [-0.1, 0.1]
    assert list(found[1]) == [-0.3, 0.3]
    assert list(found[2]) == [-0.5, 0.5]
    assert tuple(spread(errors, rows[:1], [False], "ttft")[0]) == DEFAULT


def test_kinds_of_deployment():
    assert deployment(configuration(), chosen=False) == "tensor"
    assert deployment(configuration(), chosen=True) == "chosen"
    assert deployment(configuration(phase="decode"), chosen=False) == "decode"
    assert deployment(configuration(family="InferenceX-tokenpos"), chosen=False) == "sweep"
    assert deployment(configuration(model="DeepSeek-R1", spec_decode="mtp", tp="8"), chosen=False) == "drafting"
    guessed = configuration(model="DeepSeek-R1", spec_decode="", framework="trtllm", tp="8")
    assert deployment(guessed, chosen=False) == "unsure"


def test_widening_adds_in_quadrature():
    wide = widen(np.array([[-0.3, 0.4]]), np.array([0.3 / 1.2815515655446004]))
    assert wide[0, 0] == pytest.approx(-np.hypot(0.3, 0.3))
    assert wide[0, 1] == pytest.approx(0.5)
