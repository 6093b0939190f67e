import numpy as np
import pytest

from chipweir.perf._configuration import read_configuration
from chipweir.perf._intervals import DEFAULT, Errors, deployment, learn, spread, traits, widen


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


ROW = configuration()
SEEN = {name: frozenset({trait}) for name, trait in traits(ROW).items()}
ERRORS = Errors(
    {"tpot": {"tensor": (-0.1, 0.2), "all": (-0.5, 0.5)}},
    {"tpot": {"vendor": 2.0, "generation": 1.6, "chip": 1.3, "model": 1.2}},
    SEEN,
    {"isl": (128.0, 20000.0), "osl": (128.0, 8000.0), "concurrency": (1.0, 2000.0), "chips": (1.0, 64.0),
     "year": (2024.0, 2026.6)},
)  # fmt: skip


def width(**changes):
    low, high = spread(ERRORS, [configuration(**changes)], [False], "tpot")[0]
    return high - low


def test_what_is_new_widens_the_interval_and_more_of_it_more():
    assert list(spread(ERRORS, [ROW], [False], "tpot")[0]) == [-0.1, 0.2]
    known = width()
    assert known < width(model="Llama-3.1-70B", tp="8") < width(model="Llama-3.1-70B", tp="8", chip="H200")
    assert known < width(chip="H200") < width(chip="B200") < width(chip="MI300X")
    assert ERRORS.new(configuration(chip="MI300X"))[0] == "vendor"
    assert "chip" not in ERRORS.new(configuration(chip="MI300X"))
    assert width(chip="B200") == pytest.approx(1.6 * known, rel=0.35)


def test_loads_and_dates_beyond_those_measured_widen_it():
    assert width() < width(isl="200000") < width(isl="1000000")
    assert width() < width(concurrency="100000")
    assert width() < width(date="2028-01")
    assert width(date="2025-06") == width()


def test_kinds_without_rows_of_their_own_take_all_and_quantities_without_any_the_widest():
    assert list(spread(ERRORS, [configuration(tp="", concurrency="")], [True], "tpot")[0]) == [-0.5, 0.5]
    assert tuple(spread(ERRORS, [ROW], [False], "ttft")[0]) == DEFAULT


def test_kinds_of_deployment():
    assert deployment(configuration(), chosen=False) == "tensor"
    assert deployment(configuration(), chosen=True) == "chosen"
    assert deployment(configuration(phase="decode"), chosen=False) == "decode"
    assert deployment(configuration(stat="static batch"), chosen=False) == "static"
    assert deployment(configuration(model="DeepSeek-R1", spec_decode="mtp", tp="8"), chosen=False) == "drafting"
    guessed = configuration(model="DeepSeek-R1", spec_decode="", framework="trtllm", tp="8")
    assert deployment(guessed, chosen=False) == "unsure"


def test_widening_adds_in_quadrature():
    wide = widen(np.array([[-0.3, 0.4]]), np.array([0.3 / 1.2815515655446004]))
    assert wide[0, 0] == pytest.approx(-np.hypot(0.3, 0.3))
    assert wide[0, 1] == pytest.approx(0.5)
